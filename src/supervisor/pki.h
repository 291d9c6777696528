/* SPDX-License-Identifier: Apache-2.0 */
/* pki -- what the command line asks about keys and certificates of the data folder.
 *
 * Threads    The main thread; blocking.
 */
#ifndef SUPERVISOR_PKI_H
#define SUPERVISOR_PKI_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

/* As struct mmp_host asks it: do the files that a setting names do, and may this user name them? */
[[nodiscard]] bool pki_fits(const struct data_dir *dir, const struct mmp_user *user,
                            const struct mmp_check *check, struct writer *why);
/* The calls MMP_PKI_..., likewise. */
[[nodiscard]] bool pki_run(const struct data_dir *dir, const struct mmp_user *user,
                           const struct mmp_terminal *terminal, const struct mmp_line *line,
                           struct writer *out);

#endif
