/* SPDX-License-Identifier: Apache-2.0 */
/* The listening half of net/tcp.h. */
#include "net/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/sockaddr.h"
#include "net/tcp_internal.h"

enum {
	CONNECTIONS_DEFAULT = 4096,
	ACCEPTS_MAX = 64, /* a wake-up, so that one flood of callers does not starve others */
	BACKLOG = 1024,
};

static const int64_t FIRST_BYTE_US = 10 * 1000000;
static const int64_t ACCEPT_PAUSE_US = 100 * 1000;

static void
listener_put(struct tcp_listener *listener)
{
	CHECK(listener->users > 0);
	if (--listener->users == 0) {
		tls_context_destroy(listener->tls);
		free(listener);
	}
}

void
tcp_listener_forget(struct tcp_connection *c)
{
	struct tcp_listener *listener = c->listener;
	if (listener == NULL)
		return;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		listener->first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	listener->counters.connections--;
	c->listener = NULL;
	listener_put(listener);
}

/* An IPv6 customer has at least a /64, so that is one source. */
static bool
same_source(const struct net_addr *a, const struct net_addr *b)
{
	if (a->family != b->family)
		return false;
	return memcmp(a->ip, b->ip, a->family == ADDR_IP4 ? 4 : 8) == 0;
}

static uint32_t
count_source(const struct tcp_listener *listener, const struct net_addr *peer)
{
	uint32_t count = 0;
	for (const struct tcp_connection *c = listener->first; c != NULL; c = c->next)
		count += same_source(&c->peer, peer);
	return count;
}

/* Room for one more from there?  Counts the refusal. */
static bool
admit(struct tcp_listener *listener, const struct net_addr *peer)
{
	const struct tcp_limits *limits = &listener->limits;
	if (listener->counters.connections >= limits->connections_max) {
		listener->counters.refused_total++;
		return false;
	}
	if (limits->per_source_max != 0 && !addr_is_loopback(peer) &&
	    count_source(listener, peer) >= limits->per_source_max) {
		listener->counters.refused_source++;
		return false;
	}
	return true;
}

static void
accepted(struct tcp_listener *listener, int fd, const struct net_addr *peer)
{
	struct tcp_connection *c;
	tcp_configure(fd, peer, listener->dscp);
	if (tcp_connection_create(&c, listener->loop, fd, listener->tls, NULL, &listener->limits) !=
	    0) {
		listener->counters.accept_errors++;
		return;
	}
	c->handler = listener->handler;
	c->context = listener->context;
	c->peer = *peer;
	c->listener = listener;
	c->next = listener->first;
	if (c->next != NULL)
		c->next->prev = c;
	listener->first = c;
	listener->users++;
	listener->counters.accepted++;
	listener->counters.connections++;
	c->deadline_us = loop_now_us() + listener->limits.first_byte_us;
	tcp_start(c);
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void
on_pause_over(uv_timer_t *timer)
{
	struct tcp_listener *listener = CONTAINER_OF(timer, struct tcp_listener, pause);
	CHECK(uv_poll_start(&listener->poll, UV_READABLE, on_acceptable) == 0);
}

static void
on_acceptable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	struct tcp_listener *listener = CONTAINER_OF(poll, struct tcp_listener, poll);
	for (unsigned i = 0; i < ACCEPTS_MAX && !listener->closed; i++) {
		struct sockaddr_storage name;
		socklen_t len = sizeof name;
		const int fd = accept4(listener->fd, (struct sockaddr *)&name, &len,
		                       SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0) {
			/* No descriptors or memory: the backlog waits, and we do not spin on it. */
			listener->counters.accept_errors++;
			uv_poll_stop(&listener->poll);
			uv_timer_start(&listener->pause, on_pause_over,
			               (uint64_t)ACCEPT_PAUSE_US / 1000, 0);
			return;
		}
		const struct net_addr peer = addr_of_sockaddr((const struct sockaddr *)&name);
		if (admit(listener, &peer))
			accepted(listener, fd, &peer);
		else
			close(fd);
	}
}

static int
listen_socket(int *out, const struct net_addr *addr)
{
	struct sockaddr_storage name;
	const socklen_t len = sockaddr_of(&name, addr);
	const int fd = socket(addr->family == ADDR_IP4 ? AF_INET : AF_INET6,
	                      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int rc = tcp_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (rc == 0 && addr->family == ADDR_IP6)
		rc = tcp_set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (rc == 0 && bind(fd, (const struct sockaddr *)&name, len) != 0)
		rc = -errno;
	if (rc == 0 && listen(fd, BACKLOG) != 0)
		rc = -errno;
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

int
tcp_listen(struct tcp_listener **out, struct loop *loop, const struct tcp_listen_settings *settings)
{
	CHECK(settings->bind.family == ADDR_IP4 || settings->bind.family == ADDR_IP6);
	CHECK(settings->handler != NULL && settings->handler->received != NULL);
	struct tcp_listener *listener = calloc(1, sizeof *listener);
	if (listener == NULL)
		return -ENOMEM;
	int rc = listen_socket(&listener->fd, &settings->bind);
	if (rc != 0)
		goto out_memory;
	rc = uv_poll_init(&loop->uv, &listener->poll, listener->fd);
	if (rc != 0)
		goto out_fd;
	CHECK(uv_timer_init(&loop->uv, &listener->pause) == 0);
	CHECK(uv_poll_start(&listener->poll, UV_READABLE, on_acceptable) == 0);
	listener->users = 2;
	listener->loop = loop;
	listener->tls = tls_context_share(settings->tls);
	listener->handler = settings->handler;
	listener->context = settings->context;
	listener->limits = settings->limits;
	if (listener->limits.connections_max == 0)
		listener->limits.connections_max = CONNECTIONS_DEFAULT;
	if (listener->limits.first_byte_us == 0)
		listener->limits.first_byte_us = FIRST_BYTE_US;
	listener->dscp = settings->dscp;
	listener->local = addr_of_socket(listener->fd);
	*out = listener;
	return 0;
out_fd:
	close(listener->fd);
out_memory:
	free(listener);
	return rc;
}

static void
listener_poll_closed(uv_handle_t *handle)
{
	listener_put(CONTAINER_OF(handle, struct tcp_listener, poll));
}

static void
listener_pause_closed(uv_handle_t *handle)
{
	listener_put(CONTAINER_OF(handle, struct tcp_listener, pause));
}

void
tcp_unlisten(struct tcp_listener *listener)
{
	if (listener == NULL)
		return;
	CHECK(!listener->closed);
	listener->closed = true;
	uv_close((uv_handle_t *)&listener->poll, listener_poll_closed);
	uv_close((uv_handle_t *)&listener->pause, listener_pause_closed);
	close(listener->fd);
	/* Nobody has heard of those that still shake hands, and nobody will be there to. */
	for (struct tcp_connection *c = listener->first; c != NULL;) {
		struct tcp_connection *next = c->next;
		if (!c->announced)
			tcp_abort(c);
		c = next;
	}
}

const struct net_addr *
tcp_listener_local(const struct tcp_listener *listener)
{
	return &listener->local;
}

const struct tcp_listener_counters *
tcp_listener_counters(const struct tcp_listener *listener)
{
	return &listener->counters;
}
