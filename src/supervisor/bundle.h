/* SPDX-License-Identifier: Apache-2.0 */
/* bundle -- DATA/logbundle.tar.gz: what somebody needs who is to find out what went wrong: logs, versions,
 * settings without secrets, the state of machine and components, the last crash.
 *
 * Threads    The main thread; blocking, a second or two with full logs.
 * Errors     0 or -errno.
 * Limits     BUNDLE_LOG_BYTES_MAX from the end of each log; BUNDLE_FRESH_US: younger than that, it is
 *            not made again.
 */
#ifndef SUPERVISOR_BUNDLE_H
#define SUPERVISOR_BUNDLE_H

#include "supervisor/data_dir.h"

enum {
	BUNDLE_LOG_BYTES_MAX = 32 << 20,
	BUNDLE_FRESH_US = 60 * 1000 * 1000,
};

#define BUNDLE_FILE "logbundle.tar.gz"

[[nodiscard]] int bundle_make(const struct data_dir *dir);

#endif
