/* SPDX-License-Identifier: Apache-2.0 */
/* ssh_control -- asks the SSH server of this data folder, over DATA/run/ssh.sock.
 *
 * A line with the request, a line with the answer:
 *	evict NAME   ->   how many sessions of that user it ended
 *
 * Threads    The main thread; blocking.
 * Errors     -errno; -ENOENT or -ECONNREFUSED: there is no SSH server.
 * Limits     SSH_CONTROL_US for an answer.
 */
#ifndef SUPERVISOR_SSH_CONTROL_H
#define SUPERVISOR_SSH_CONTROL_H

#include "supervisor/data_dir.h"

enum {
	SSH_CONTROL_US = 5 * 1000000,
};

/* How many sessions ended. */
[[nodiscard]] int ssh_control_evict(const struct data_dir *dir, const char *user);

#endif
