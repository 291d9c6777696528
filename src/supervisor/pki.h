/* SPDX-License-Identifier: Apache-2.0 */
/* pki -- what the command line asks about keys and certificates of the data folder.
 *
 * Threads    The main thread; blocking.
 */
#ifndef SUPERVISOR_PKI_H
#define SUPERVISOR_PKI_H

#include "mmp/mmp.h"
#include "supervisor/data_dir.h"

[[nodiscard]] bool pki_matches(const struct data_dir *dir, const char *key,
                               const char *certificate, struct writer *why);
/* The calls MMP_PKI_..., as struct mmp_host asks them. */
[[nodiscard]] bool pki_run(const struct data_dir *dir, enum mmp_call call,
                           const struct str *arguments, struct writer *out);

#endif
