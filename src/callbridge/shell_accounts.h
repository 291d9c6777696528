/* SPDX-License-Identifier: Apache-2.0 */
/* shell_accounts -- DATA/accounts for the API: read at start and whenever somebody replaced it.
 *
 * Ownership  open/close; the accounts are the shell's.
 * Threads    The control thread.  The file is small and local.
 * Errors     A damaged file is told in the log; whoever could log in before still can.
 */
#ifndef CALLBRIDGE_SHELL_ACCOUNTS_H
#define CALLBRIDGE_SHELL_ACCOUNTS_H

#include <stdbool.h>

struct api_out;
struct shell;

[[nodiscard]] bool accounts_open(struct shell *shell);
void accounts_close(struct shell *shell);
/* A line of the API for the audit log. */
void accounts_audit(struct shell *shell, const struct api_out *out);

#endif
