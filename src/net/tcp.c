/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/sockaddr.h"
#include "net/tcp_internal.h"

enum {
	QUEUE_BYTES_DEFAULT = 256 * 1024,
	READS_MAX = 4,       /* a wake-up, so that one sender does not starve others */
	PLAIN_BYTES = 16384, /* a TLS record */
	QUEUE_BYTES_MIN = 1024,
	KEEPALIVE_IDLE_S = 60,
	KEEPALIVE_INTERVAL_S = 15,
	KEEPALIVE_COUNT = 4,
	UNACKNOWLEDGED_MS_MAX = 30000,
};

static const int64_t CONNECT_US = 10 * 1000000;
static const int64_t FLUSH_US = 5 * 1000000;
static const int64_t LINGER_US = 2 * 1000000;

const char *
tcp_end_name(enum tcp_end end)
{
	static const char *const names[] = {
		[TCP_END_PEER] = "closed by peer",
		[TCP_END_RESET] = "connection reset by peer",
		[TCP_END_IDLE] = "idle for too long",
		[TCP_END_FIRST_BYTE] = "nothing received in time",
		[TCP_END_SLOW] = "peer does not read",
		[TCP_END_REFUSED] = "connection refused",
		[TCP_END_UNREACHABLE] = "peer unreachable",
		[TCP_END_CONNECT_TIMEOUT] = "connecting took too long",
		[TCP_END_TLS] = "TLS",
		[TCP_END_SYSTEM] = "system error",
	};
	static_assert(COUNT_OF(names) == TCP_END_COUNT, "one name each");
	return names[end];
}

static void connection_update(struct tcp_connection *c);
static void on_ready(uv_poll_t *poll, int status, int events);

/* -- end of life ----------------------------------------------------------------------------- */

static void
connection_handle_closed(struct tcp_connection *c)
{
	if (--c->open_handles == 0)
		free(c);
}

static void
connection_poll_closed(uv_handle_t *handle)
{
	connection_handle_closed(CONTAINER_OF(handle, struct tcp_connection, poll));
}

static void
connection_timer_closed(uv_handle_t *handle)
{
	connection_handle_closed(CONTAINER_OF(handle, struct tcp_connection, timer));
}

/* Frees everything but the memory, which libuv still holds. */
static void
connection_release(struct tcp_connection *c)
{
	CHECK(c->state != TCP_GONE);
	c->state = TCP_GONE;
	loop_orphan_remove(&c->orphan);
	tcp_listener_forget(c);
	tls_session_destroy(c->tls);
	c->tls = NULL;
	free(c->queue);
	c->queue = NULL;
	c->queue_len = 0;
	uv_close((uv_handle_t *)&c->poll, connection_poll_closed);
	uv_close((uv_handle_t *)&c->timer, connection_timer_closed);
	close(c->fd);
}

static void
orphan_end(struct loop_orphan *orphan)
{
	connection_release(CONTAINER_OF(orphan, struct tcp_connection, orphan));
}

/* The connection is over and the owner does not know yet. */
static void
connection_end_now(struct tcp_connection *c, enum tcp_end end, const char *text)
{
	CHECK(c->state != TCP_GONE && c->state != TCP_FLUSHING && c->state != TCP_LINGERING);
	if (c->listener != NULL)
		c->listener->counters.ended[end]++;
	/* Released first: whatever the owner does inside `closed`, this one is out of reach. */
	char kept[TCP_TEXT_MAX];
	snprintf(kept, sizeof kept, "%s", text);
	const struct tcp_handler *handler = c->handler;
	void *context = c->context;
	connection_release(c);
	if (handler->closed != NULL)
		handler->closed(context, c, end, kept);
}

/* The same, but not before the owner's present call has returned. */
static void
connection_end_soon(struct tcp_connection *c, enum tcp_end end, const char *text)
{
	c->state = TCP_ENDING;
	c->end = end;
	snprintf(c->text, sizeof c->text, "%s", text);
	c->deadline_us = 0;
	connection_update(c);
}

static void
end_by_errno(struct tcp_connection *c, int error)
{
	enum tcp_end end = TCP_END_SYSTEM;
	switch (error) {
	case ECONNRESET:
	case EPIPE:
		end = TCP_END_RESET;
		break;
	case ECONNREFUSED:
		end = TCP_END_REFUSED;
		break;
	case ETIMEDOUT:
		end = c->state == TCP_CONNECTING ? TCP_END_CONNECT_TIMEOUT : TCP_END_UNREACHABLE;
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
		end = TCP_END_UNREACHABLE;
		break;
	default:
		break;
	}
	connection_end_now(c, end, end == TCP_END_SYSTEM ? strerror(error) : tcp_end_name(end));
}

/* -- timer and events ------------------------------------------------------------------------ */

static int64_t
idle_deadline(const struct tcp_connection *c)
{
	return c->state == TCP_OPEN && c->idle_us != 0 && !c->paused ? c->heard_us + c->idle_us
	                                                             : INT64_MAX;
}

static int64_t
next_deadline(const struct tcp_connection *c)
{
	const int64_t idle_us = idle_deadline(c);
	return c->deadline_us < idle_us ? c->deadline_us : idle_us;
}

static void
on_deadline(uv_timer_t *handle)
{
	struct tcp_connection *c = CONTAINER_OF(handle, struct tcp_connection, timer);
	c->armed_us = INT64_MAX;
	if (loop_now_us() < next_deadline(c)) {
		connection_update(c); /* bytes came meanwhile: look again later */
		return;
	}
	switch (c->state) {
	case TCP_CONNECTING:
		connection_end_now(c, TCP_END_CONNECT_TIMEOUT,
		                   tcp_end_name(TCP_END_CONNECT_TIMEOUT));
		break;
	case TCP_HANDSHAKING:
		if (c->listener != NULL)
			connection_end_now(c, TCP_END_FIRST_BYTE, "TLS handshake took too long");
		else
			connection_end_now(c, TCP_END_CONNECT_TIMEOUT,
			                   "TLS handshake took too long");
		break;
	case TCP_OPEN:
		if (c->deadline_us != INT64_MAX)
			connection_end_now(c, TCP_END_FIRST_BYTE, tcp_end_name(TCP_END_FIRST_BYTE));
		else
			connection_end_now(c, TCP_END_IDLE, tcp_end_name(TCP_END_IDLE));
		break;
	case TCP_ENDING:
		connection_end_now(c, c->end, c->text);
		break;
	case TCP_FLUSHING:
	case TCP_LINGERING:
		connection_release(c);
		break;
	case TCP_GONE:
		check_fail(__FILE__, __LINE__, "a timer after the end");
	}
}

/* Makes the timer and the poll handle wait for what the state waits for.  The timer is moved only
 * to an earlier time: traffic, which moves the idle deadline away all the time, costs nothing. */
static void
connection_update(struct tcp_connection *c)
{
	const int64_t at_us = next_deadline(c);
	if (at_us < c->armed_us) {
		const int64_t now_us = (int64_t)uv_now(&c->loop->uv) * 1000;
		const int64_t wait_us = at_us > now_us ? at_us - now_us : 0;
		uv_timer_start(&c->timer, on_deadline, ((uint64_t)wait_us + 999) / 1000, 0);
		c->armed_us = at_us;
	}

	int events = 0;
	if (c->state == TCP_CONNECTING)
		events = UV_WRITABLE;
	else if (c->state != TCP_ENDING && !(c->paused && c->state == TCP_OPEN))
		events = UV_READABLE;
	if (c->queue_len != 0 && c->state != TCP_ENDING)
		events |= UV_WRITABLE;
	if (events == c->events)
		return;
	c->events = events;
	if (events == 0)
		uv_poll_stop(&c->poll);
	else
		CHECK(uv_poll_start(&c->poll, events, on_ready) == 0);
}

/* -- out ------------------------------------------------------------------------------------- */

/* What the kernel takes at once; -errno when the connection is broken. */
static int64_t
write_some(const struct tcp_connection *c, const uint8_t *bytes, size_t len)
{
	size_t done = 0;
	while (done < len) {
		const ssize_t wrote =
		        send(c->fd, bytes + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return errno == EAGAIN ? (int64_t)done : -errno;
		done += (size_t)wrote;
	}
	return (int64_t)done;
}

static int
queue_append(struct tcp_connection *c, const uint8_t *bytes, size_t len)
{
	if (c->queue_at + c->queue_len + len > c->queue_cap && c->queue_at != 0) {
		memmove(c->queue, c->queue + c->queue_at, c->queue_len);
		c->queue_at = 0;
	}
	if (c->queue_len + len > c->queue_cap) {
		size_t cap = c->queue_cap != 0 ? c->queue_cap : QUEUE_BYTES_MIN;
		while (cap < c->queue_len + len)
			cap *= 2;
		uint8_t *bigger = realloc(c->queue, cap);
		if (bigger == NULL)
			return -ENOMEM;
		c->queue = bigger;
		c->queue_cap = cap;
	}
	memcpy(c->queue + c->queue_at + c->queue_len, bytes, len);
	c->queue_len += len;
	if (c->queue_len > c->queue_max / 2)
		c->want_drained = true;
	return 0;
}

/* To the kernel as far as it takes it, the rest to the queue.  A broken connection is noticed by
 * the next read or write that polls. */
static int
send_raw(struct tcp_connection *c, const uint8_t *bytes, size_t len)
{
	if (c->queue_len == 0) {
		const int64_t wrote = write_some(c, bytes, len);
		if (wrote < 0)
			return (int)wrote;
		bytes += wrote;
		len -= (size_t)wrote;
	}
	return len != 0 ? queue_append(c, bytes, len) : 0;
}

/* What the TLS session has for the wire. */
static int
send_tls_output(struct tcp_connection *c)
{
	uint8_t bytes[PLAIN_BYTES];
	size_t len;
	int rc = 0;
	while ((len = tls_session_output(c->tls, bytes, sizeof bytes)) != 0) {
		if (rc == 0)
			rc = send_raw(c, bytes, len);
	}
	return rc;
}

int
tcp_send(struct tcp_connection *c, const void *bytes, size_t len)
{
	if (c->state != TCP_OPEN)
		return -ENOTCONN;
	if (c->queue_len + len > c->queue_max) {
		connection_end_soon(c, TCP_END_SLOW, tcp_end_name(TCP_END_SLOW));
		return -ENOBUFS;
	}
	int rc;
	if (c->tls != NULL) {
		tls_session_write(c->tls, bytes, len);
		rc = send_tls_output(c);
	} else {
		rc = send_raw(c, bytes, len);
	}
	if (rc != 0) {
		const bool reset = rc == -EPIPE || rc == -ECONNRESET;
		connection_end_soon(c, reset ? TCP_END_RESET : TCP_END_SYSTEM,
		                    reset ? tcp_end_name(TCP_END_RESET) : strerror(-rc));
		return -ENOTCONN;
	}
	connection_update(c);
	return 0;
}

size_t
tcp_queued(const struct tcp_connection *c)
{
	return c->queue_len;
}

static void
linger(struct tcp_connection *c)
{
	c->state = TCP_LINGERING;
	c->deadline_us = loop_now_us() + LINGER_US;
	c->armed_us = INT64_MAX;
	shutdown(c->fd, SHUT_WR);
	connection_update(c);
}

/* Sends from the queue; false when the connection has ended. */
static bool
flush_queue(struct tcp_connection *c)
{
	const int64_t wrote = write_some(c, c->queue + c->queue_at, c->queue_len);
	if (wrote < 0) {
		if (c->state == TCP_FLUSHING || c->state == TCP_LINGERING)
			connection_release(c);
		else
			end_by_errno(c, (int)-wrote);
		return false;
	}
	c->queue_at += (size_t)wrote;
	c->queue_len -= (size_t)wrote;
	if (c->queue_len != 0)
		return true;

	/* Memory of a queue that was needed once is not kept for thousands of quiet connections. */
	free(c->queue);
	c->queue = NULL;
	c->queue_cap = 0;
	c->queue_at = 0;
	if (c->state == TCP_FLUSHING) {
		linger(c);
	} else if (c->want_drained && c->state == TCP_OPEN) {
		c->want_drained = false;
		if (c->handler->drained != NULL)
			c->handler->drained(c->context, c);
	}
	return c->state != TCP_GONE;
}

/* -- in -------------------------------------------------------------------------------------- */

static void
became_open(struct tcp_connection *c, int64_t now_us)
{
	c->state = TCP_OPEN;
	c->announced = true;
	c->heard_us = now_us;
	if (c->listener == NULL)
		c->deadline_us = INT64_MAX;
	connection_update(c);
	if (c->handler->opened != NULL)
		c->handler->opened(c->context, c);
}

static void
deliver(struct tcp_connection *c, const uint8_t *bytes, size_t len)
{
	if (!c->first_byte_seen) {
		c->first_byte_seen = true;
		c->deadline_us = INT64_MAX;
	}
	c->handler->received(c->context, c, bytes, len);
}

static void
end_by_tls(struct tcp_connection *c)
{
	char text[TCP_TEXT_MAX];
	(void)send_tls_output(c); /* our alert tells the peer why */
	snprintf(text, sizeof text, "TLS: %s", tls_session_error(c->tls));
	connection_end_now(c, TCP_END_TLS, text);
}

static void
input_tls(struct tcp_connection *c, const uint8_t *bytes, size_t len, int64_t now_us)
{
	enum tls_state state = tls_session_input(c->tls, bytes, len);
	if (send_tls_output(c) != 0 && state != TLS_FAILED) {
		connection_end_now(c, TCP_END_RESET, tcp_end_name(TCP_END_RESET));
		return;
	}
	if (state == TLS_OPEN && c->state == TCP_HANDSHAKING)
		became_open(c, now_us);
	/* What the peer sends while we take our leave is read from the socket only. */
	uint8_t plain[PLAIN_BYTES];
	size_t plain_len;
	while (c->state == TCP_OPEN &&
	       (plain_len = tls_session_read(c->tls, plain, sizeof plain)) != 0)
		deliver(c, plain, plain_len);
	if (c->state != TCP_OPEN && c->state != TCP_HANDSHAKING)
		return;
	state = tls_session_state(c->tls);
	if (state == TLS_FAILED)
		end_by_tls(c);
	else if (state == TLS_CLOSED)
		connection_end_now(c, TCP_END_PEER, tcp_end_name(TCP_END_PEER));
	else
		connection_update(c); /* a key update may have left output queued */
}

/* One read; false when there is no more to read now, or no connection. */
static bool
read_once(struct tcp_connection *c)
{
	uint8_t *bytes = c->loop->scratch;
	const ssize_t got = recv(c->fd, bytes, LOOP_SCRATCH_BYTES, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (c->state == TCP_FLUSHING || c->state == TCP_LINGERING) {
		if (got > 0)
			return true;
		connection_release(c);
		return false;
	}
	if (got < 0) {
		end_by_errno(c, errno);
		return false;
	}
	if (got == 0) {
		if (c->state == TCP_HANDSHAKING)
			connection_end_now(c, TCP_END_TLS, "TLS: closed by peer in the handshake");
		else
			connection_end_now(c, TCP_END_PEER, tcp_end_name(TCP_END_PEER));
		return false;
	}
	c->heard_us = loop_now_us();
	if (c->tls != NULL)
		input_tls(c, bytes, (size_t)got, c->heard_us);
	else
		deliver(c, bytes, (size_t)got);
	return c->state != TCP_GONE && c->state != TCP_ENDING && (size_t)got == LOOP_SCRATCH_BYTES;
}

void
tcp_start(struct tcp_connection *c)
{
	c->local = addr_of_socket(c->fd);
	if (c->tls == NULL) {
		became_open(c, loop_now_us());
		return;
	}
	c->state = TCP_HANDSHAKING;
	tls_session_input(c->tls, NULL, 0);
	if (send_tls_output(c) != 0)
		connection_end_now(c, TCP_END_RESET, tcp_end_name(TCP_END_RESET));
	else
		connection_update(c);
}

static void
on_connected(struct tcp_connection *c)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0)
		end_by_errno(c, error);
	else
		tcp_start(c);
}

static void
on_ready(uv_poll_t *poll, int status, int events)
{
	struct tcp_connection *c = CONTAINER_OF(poll, struct tcp_connection, poll);
	if (status < 0) {
		events = UV_READABLE; /* the read tells the reason, */
		c->events = 0;        /* but perhaps only the next one, and libuv watches no more */
	}
	if (c->state == TCP_CONNECTING) {
		on_connected(c);
		return;
	}
	if ((events & UV_WRITABLE) != 0 && c->queue_len != 0 && !flush_queue(c))
		return;
	if ((events & UV_READABLE) != 0) {
		for (unsigned i = 0; i < READS_MAX; i++) {
			if ((c->paused && c->state == TCP_OPEN) || !read_once(c))
				break;
		}
	}
	if (c->state != TCP_GONE)
		connection_update(c);
}

/* -- connections ----------------------------------------------------------------------------- */

int
tcp_set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

void
tcp_configure(int fd, const struct net_addr *addr, uint8_t dscp)
{
	/* None of these is needed for correctness, so none of them fails a connection. */
	(void)tcp_set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	(void)tcp_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	(void)tcp_set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	(void)tcp_set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	(void)tcp_set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
	(void)tcp_set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS_MAX);
	if (dscp != 0) {
		CHECK(dscp < 64);
		if (addr->family == ADDR_IP4)
			(void)tcp_set_int(fd, IPPROTO_IP, IP_TOS, dscp << 2);
		else
			(void)tcp_set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
	}
}

int
tcp_connection_create(struct tcp_connection **out, struct loop *loop, int fd,
                      struct tls_context *tls, const char *host, const struct tcp_limits *limits)
{
	int rc = -ENOMEM;
	struct tcp_connection *c = calloc(1, sizeof *c);
	if (c == NULL)
		goto out_fd;
	if (tls != NULL) {
		rc = tls_session_create(&c->tls, tls, host);
		if (rc != 0)
			goto out_memory;
	}
	rc = uv_poll_init(&loop->uv, &c->poll, fd);
	if (rc != 0)
		goto out_tls;
	CHECK(uv_timer_init(&loop->uv, &c->timer) == 0);
	c->open_handles = 2;
	c->loop = loop;
	c->fd = fd;
	c->idle_us = limits->idle_us;
	c->queue_max = limits->queue_bytes_max != 0 ? limits->queue_bytes_max : QUEUE_BYTES_DEFAULT;
	c->armed_us = INT64_MAX;
	c->deadline_us = INT64_MAX;
	*out = c;
	return 0;
out_tls:
	tls_session_destroy(c->tls);
out_memory:
	free(c);
out_fd:
	close(fd);
	return rc;
}

static int
connect_socket(int *out, const struct tcp_connect_settings *settings)
{
	struct sockaddr_storage name;
	const int fd = socket(settings->to.family == ADDR_IP4 ? AF_INET : AF_INET6,
	                      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	tcp_configure(fd, &settings->to, settings->dscp);
	if (settings->local.family != ADDR_NONE) {
		const socklen_t len = sockaddr_of(&name, &settings->local);
		if (settings->local.port == 0)
			(void)tcp_set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
		if (bind(fd, (const struct sockaddr *)&name, len) != 0) {
			const int rc = -errno;
			close(fd);
			return rc;
		}
	}
	*out = fd;
	return 0;
}

int
tcp_connect(struct tcp_connection **out, struct loop *loop,
            const struct tcp_connect_settings *settings)
{
	CHECK(settings->to.family == ADDR_IP4 || settings->to.family == ADDR_IP6);
	CHECK(settings->handler != NULL && settings->handler->received != NULL);
	int fd = -1;
	int rc = connect_socket(&fd, settings);
	if (rc != 0)
		return rc;
	struct tcp_connection *c;
	rc = tcp_connection_create(&c, loop, fd, settings->tls, settings->host, &settings->limits);
	if (rc != 0)
		return rc;
	c->handler = settings->handler;
	c->context = settings->context;
	c->peer = settings->to;
	c->state = TCP_CONNECTING;
	c->deadline_us =
	        loop_now_us() + (settings->timeout_us != 0 ? settings->timeout_us : CONNECT_US);
	*out = c;

	struct sockaddr_storage name;
	const socklen_t len = sockaddr_of(&name, &settings->to);
	if (connect(fd, (const struct sockaddr *)&name, len) != 0 && errno != EINPROGRESS) {
		const int error = errno;
		const bool away = error == ENETUNREACH || error == EHOSTUNREACH;
		const bool refused = error == ECONNREFUSED;
		connection_end_soon(c,
		                    away      ? TCP_END_UNREACHABLE
		                    : refused ? TCP_END_REFUSED
		                              : TCP_END_SYSTEM,
		                    strerror(error));
		return 0;
	}
	connection_update(c);
	return 0;
}

void
tcp_set_context(struct tcp_connection *c, void *context)
{
	c->context = context;
}

void
tcp_set_handler(struct tcp_connection *c, const struct tcp_handler *handler)
{
	CHECK(handler->received != NULL);
	c->handler = handler;
}

void
tcp_set_queue_max(struct tcp_connection *c, uint32_t bytes)
{
	c->queue_max = bytes;
}

void
tcp_set_idle(struct tcp_connection *c, int64_t idle_us)
{
	c->idle_us = idle_us;
	if (c->state == TCP_OPEN)
		connection_update(c);
}

void
tcp_pause(struct tcp_connection *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	if (c->state == TCP_OPEN) {
		c->heard_us = loop_now_us(); /* silence of our own making is not idleness */
		connection_update(c);
	}
}

void
tcp_close(struct tcp_connection *c)
{
	if (c == NULL || c->state == TCP_GONE)
		return;
	CHECK(c->state != TCP_FLUSHING && c->state != TCP_LINGERING);
	if (c->state != TCP_OPEN) {
		connection_release(c);
		return;
	}
	if (c->tls != NULL) {
		tls_session_close(c->tls);
		if (send_tls_output(c) != 0) {
			connection_release(c);
			return;
		}
	}
	c->orphan.end = orphan_end;
	loop_orphan_add(c->loop, &c->orphan);
	if (c->queue_len == 0) {
		linger(c);
		return;
	}
	c->state = TCP_FLUSHING;
	c->deadline_us = loop_now_us() + FLUSH_US;
	c->armed_us = INT64_MAX;
	connection_update(c);
}

void
tcp_abort(struct tcp_connection *c)
{
	if (c == NULL || c->state == TCP_GONE)
		return;
	const struct linger now = { .l_onoff = 1 };
	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	connection_release(c);
}

const struct net_addr *
tcp_peer(const struct tcp_connection *c)
{
	return &c->peer;
}

const struct net_addr *
tcp_local(const struct tcp_connection *c)
{
	return &c->local;
}

struct tls_session *
tcp_tls(struct tcp_connection *c)
{
	return c->tls;
}
