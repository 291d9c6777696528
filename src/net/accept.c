/* SPDX-License-Identifier: Apache-2.0 */
#include "net/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/sockaddr.h"

struct accept_port {
	int fd;
	struct loop *loop;
	struct loop_watch *watch; /* NULL: it rests */
	struct loop_timer *timer;
	accept_cb *cb;
	void *context;
};

static void
hand_out(struct accept_port *port, int fd)
{
	const int on = 1;
	const struct net_addr peer = addr_of_peer(fd);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	port->cb(port->context, fd, &peer);
}

static void
on_readable(void *context)
{
	struct accept_port *port = context;
	const int fd = accept4(port->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		hand_out(port, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		loop_watch_destroy(port->watch);
		port->watch = NULL;
		loop_timer_arm(port->timer, loop_now_us() + ACCEPT_REST_US);
	}
}

static void
on_rested(void *context, int64_t now_us)
{
	struct accept_port *port = context;
	if (loop_watch_create(&port->watch, port->loop, port->fd, on_readable, port) != 0)
		loop_timer_arm(port->timer, now_us + ACCEPT_REST_US);
}

static int
listen_on(const struct net_addr *bind_to)
{
	struct sockaddr_storage address;
	const socklen_t len = sockaddr_of(&address, bind_to);
	const int on = 1;
	CHECK(len != 0);
	const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    (bind_to->family != ADDR_IP6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
	    bind(fd, (const struct sockaddr *)&address, len) == 0 && listen(fd, ACCEPT_BACKLOG) == 0)
		return fd;
	const int rc = -errno;
	close(fd);
	return rc;
}

int
accept_create(struct accept_port **out, struct loop *loop, const struct net_addr *bind_to,
              accept_cb *cb, void *context)
{
	struct accept_port *port = calloc(1, sizeof *port);
	if (port == NULL)
		return -ENOMEM;
	port->loop = loop;
	port->cb = cb;
	port->context = context;
	int rc = port->fd = listen_on(bind_to);
	if (rc >= 0)
		rc = loop_timer_create(&port->timer, loop, on_rested, port);
	if (rc == 0)
		rc = loop_watch_create(&port->watch, loop, port->fd, on_readable, port);
	if (rc != 0) {
		accept_destroy(port);
		return rc;
	}
	*out = port;
	return 0;
}

void
accept_destroy(struct accept_port *port)
{
	if (port == NULL)
		return;
	loop_watch_destroy(port->watch);
	loop_timer_destroy(port->timer);
	if (port->fd >= 0)
		close(port->fd);
	free(port);
}
