/* SPDX-License-Identifier: Apache-2.0 */
/* log_read -- `syslog follow`, `syslog search` and `syslog rotate`: DATA/log/convoke.log for a person.
 *
 * Ownership  Keeps nothing.
 * Threads    The command's; blocking.
 * Errors     A FAILURE line's text into `out`.
 */
#ifndef SUPERVISOR_LOG_READ_H
#define SUPERVISOR_LOG_READ_H

#include <stdbool.h>

#include "base/bytes.h"
#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

/* MMP_SYSLOG_FOLLOW, MMP_SYSLOG_SEARCH, MMP_SYSLOG_ROTATE. */
[[nodiscard]] bool log_read_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
                                const struct mmp_line *line, struct writer *out);

#endif
