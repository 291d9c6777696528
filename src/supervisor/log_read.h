/* SPDX-License-Identifier: Apache-2.0 */
/* log_read -- `syslog follow` and `syslog search`: DATA/log/convoke.log read for a person.
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

/* MMP_SYSLOG_FOLLOW, MMP_SYSLOG_SEARCH. */
[[nodiscard]] bool log_read_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
                                const struct mmp_line *line, struct writer *out);

#endif
