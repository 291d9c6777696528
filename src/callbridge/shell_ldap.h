/* SPDX-License-Identifier: Apache-2.0 */
/* shell_ldap -- LDAP for the Call Bridge: synchronisations that somebody ordered (ldapSyncs), and
 * passwords of users.
 *
 * A user signs in as the entry USER_LDAP_DN on the server of its USER_LDAP_SOURCE; both are set by
 * the synchronisation that made it.
 *
 *	shell_ldap_check(shell, user, password, done, context)  ->  done(context, result)
 *
 * Ownership  open/close with the shell.  The password is copied, and wiped when it was tried.
 * Threads    The control thread; servers are asked by threads of their own (ldap/directory.h).
 * Errors     shell_ldap_check: -ENOENT when the user is not, or no longer, of a directory; -EAGAIN
 *            when too many passwords are being tried: answer 503.
 * Limits     LDAP_CHECK_THREADS passwords are tried at a time, DIRECTORY_ORDERS_MAX wait for each.
 */
#ifndef CALLBRIDGE_SHELL_LDAP_H
#define CALLBRIDGE_SHELL_LDAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "ldap/directory.h"

enum {
	LDAP_CHECK_THREADS = 2, /* one server that does not answer does not lock everybody out */
};

struct shell;

/* DIRECTORY_OK: let in.  WRONG_PASSWORD, EXPIRED: not.  Anything else: it cannot be known now. */
typedef void shell_ldap_done(void *context, enum directory_result result);

/* Is this the password of that OBJECT_USER?  `done` is called later, once, never within this call;
 * not at all after shell_ldap_forget(), or when the shell ends first. */
[[nodiscard]] int shell_ldap_check(struct shell *shell, uint32_t user, struct str password,
                                   shell_ldap_done *done, void *context);
/* Whatever was asked for with `context` is not wanted any more. */
void shell_ldap_forget(struct shell *shell, const void *context);

[[nodiscard]] bool ldap_open(struct shell *shell);
void ldap_close(struct shell *shell);
/* For metrics. */
struct ldap_figures {
	uint64_t syncs_complete;
	uint64_t syncs_failed;
	uint64_t checks[DIRECTORY_RESULTS]; /* passwords, by what came out */
	int64_t last_us;                    /* how long the last synchronisation took */
	uint32_t last_users;                /* and whom it imported */
};
struct ldap_figures ldap_figures(const struct shell *shell);

/* Somebody may have ordered a synchronisation. */
void ldap_look(struct shell *shell);
/* For every result of the store; tickets of others are ignored. */
void ldap_settled(struct shell *shell, uint64_t ticket, bool ok);

#endif
