/* SPDX-License-Identifier: Apache-2.0 */
/* back -- the half of an SSH session that has the data folder (ssh/link.h).
 *
 * Before the login it answers LOGIN alone; afterwards what the role of the account may do.  It ends
 * with the front, and the front with it.
 *
 * Ownership  Arguments are borrowed until the call returns.
 * Threads    One; blocking.
 * Errors     Towards the front.
 * Limits     BACK_UPLOADS_MAX files being written.
 */
#ifndef SSH_BACK_H
#define SSH_BACK_H

#include "base/addr.h"
#include "supervisor/data_dir.h"

enum {
	BACK_UPLOADS_MAX = 8,
};

/* `front` is the link, `component` the line to the component. */
_Noreturn void back_run(struct data_dir *dir, const struct net_addr *from, int front, int component);

#endif
