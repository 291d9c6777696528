/* SPDX-License-Identifier: Apache-2.0 */
/* accept -- a TCP port whose connections are handed out as descriptors, for processes of their own.
 *
 * Ownership  create/destroy; each descriptor belongs to whoever is called back, and is blocking.
 * Threads    The loop's.
 * Errors     0 or -errno.  Without descriptors left the port rests for ACCEPT_REST_US.
 * Limits     ACCEPT_BACKLOG waiting in the kernel.
 */
#ifndef NET_ACCEPT_H
#define NET_ACCEPT_H

#include "base/addr.h"
#include "net/loop.h"

enum {
	ACCEPT_BACKLOG = 64,
	ACCEPT_REST_US = 100 * 1000,
};

struct accept_port;

typedef void accept_cb(void *context, int fd, const struct net_addr *peer);

[[nodiscard]] int accept_create(struct accept_port **out, struct loop *loop,
                                const struct net_addr *bind, accept_cb *cb, void *context);
void accept_destroy(struct accept_port *port);

#endif
