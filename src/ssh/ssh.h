/* SPDX-License-Identifier: Apache-2.0 */
/* ssh -- the command line by SSH, and files by SFTP: the component `convoke ssh`.
 *
 * The component listens and counts.  For each connection it starts `convoke ssh-session`, which makes
 * two halves of itself (ssh/link.h): the front (ssh/front.h) has the connection, the host key and
 * nothing else, locked in by seccomp; the back (ssh/back.h) has the data folder, looks at passwords and
 * runs commands.  A session that breaks breaks alone.
 *
 * Nothing listens while there is no account that may log in by SSH.
 *
 * A session tells the component, over descriptor 3:
 *	failed             a wrong password of nobody; the address has fewer tries left
 *	refused NAME WHY   likewise of somebody: for the audit log
 *	locked NAME WHY    likewise, and that locked the account
 *	login NAME MAX  -> "ok", or "full" when NAME has MAX sessions (0: any number)
 * and DATA/run/ssh.sock takes `evict NAME` (supervisor/ssh_control.h).
 *
 * Ownership  Arguments are borrowed until the call returns.
 * Threads    One.
 * Errors     As every component's; a session's status is not looked at.
 * Limits     Below.
 */
#ifndef SSH_SSH_H
#define SSH_SSH_H

#include "mmp/config.h"

enum {
	SSH_SESSIONS_MAX = 32,
	SSH_STRANGERS_MAX = 10,        /* of them not logged in yet; the oldest gives way */
	SSH_STRANGERS_SOURCE_MAX = 4,  /* from one address */
	SSH_STRANGER_US_MIN = 3 * 1000000, /* so long one has before it must give way */
	SSH_LOGIN_S = 45,              /* until it has logged in */
	SSH_LOGIN_TRIES = 6,           /* passwords in one connection */
	SSH_KEY_TRIES = 16,            /* public keys offered or used in one connection */
	SSH_IDLE_S = 30 * 60,          /* without a key, and without a command that runs */
	SSH_STUCK_S = 10 * 60,         /* a peer that does not read */
};

int ssh_main(const char *data_dir, const struct config *config);

/* `convoke ssh-session DATA ADDRESS`, with the component on descriptor 3 and the connection on 4. */
int ssh_session_main(int argc, char **argv);

#endif
