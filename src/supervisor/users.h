/* SPDX-License-Identifier: Apache-2.0 */
/* users -- the commands `user ...` and `passwd`.
 *
 * Threads    The main thread; blocking, while passwords are asked for too: then nothing is locked.
 */
#ifndef SUPERVISOR_USERS_H
#define SUPERVISOR_USERS_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

/* The calls MMP_USER_... and MMP_PASSWD, as struct mmp_host asks them. */
[[nodiscard]] bool users_run(const struct data_dir *dir, const struct mmp_user *user,
                             const struct mmp_terminal *terminal, const struct mmp_line *line,
                             struct writer *out);

#endif
