/* SPDX-License-Identifier: Apache-2.0 */
/* tcp -- byte streams, plain or TLS: listeners, connections in and out.
 *
 * With a TLS context in the settings, `opened` comes after the handshake and all bytes are plain
 * text on our side; nothing else differs.
 *
 * Ownership  A connection lives until `closed` was called for it, or until the owner calls
 *            tcp_close() or tcp_abort(), after which no callback comes any more.  Either may happen
 *            inside any callback.  A listener's connections outlive tcp_unlisten(), but
 *            for those that were not opened yet.
 * Threads    The loop's.
 * Units      Bytes; microseconds, monotonic.
 * Errors     0 or -errno; the reason of an ended connection is an enum tcp_end and a sentence for
 *            the log.
 * Limits     Per connection: `queue_bytes_max` unsent bytes, then it is ended (TCP_END_SLOW): a
 *            sender watches tcp_queued() and waits for `drained`.  Per listener: connections in
 *            total and per source address; those beyond are closed at once and counted.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/loop.h"
#include "net/tls.h"

struct tcp_listener;
struct tcp_connection;

enum tcp_end {
	TCP_END_PEER, /* closed in order by the other side */
	TCP_END_RESET,
	TCP_END_IDLE,       /* nothing received for idle_us */
	TCP_END_FIRST_BYTE, /* nothing received after it was opened; or a TLS handshake too slow */
	TCP_END_SLOW,       /* the peer does not read: queue full */
	TCP_END_REFUSED,
	TCP_END_UNREACHABLE,
	TCP_END_CONNECT_TIMEOUT,
	TCP_END_TLS,
	TCP_END_SYSTEM, /* ENOMEM, EMFILE and their like */
	TCP_END_COUNT,
};

const char *tcp_end_name(enum tcp_end end);

struct tcp_handler {
	/* May be NULL.  For an accepted connection, set its context here (tcp_set_context). */
	void (*opened)(void *context, struct tcp_connection *connection);
	void (*received)(void *context, struct tcp_connection *connection, const uint8_t *bytes,
	                 size_t len);
	/* The queue, once more than half full, is empty again.  May be NULL. */
	void (*drained)(void *context, struct tcp_connection *connection);
	/* Also when it never opened. */
	void (*closed)(void *context, struct tcp_connection *connection, enum tcp_end end,
	               const char *text);
};

struct tcp_limits {
	uint32_t queue_bytes_max; /* 0: 256 KiB */
	int64_t idle_us;          /* 0: none */
	int64_t first_byte_us;    /* accepted ones, TLS handshake included; 0: 10 s */
	uint32_t connections_max; /* listener; 0: 4096 */
	uint32_t per_source_max;  /* listener; 0: connections_max; loopback is not counted */
};

struct tcp_listen_settings {
	struct net_addr bind;
	struct tls_context *tls; /* NULL: plain.  A share is held until the listener goes */
	const struct tcp_handler *handler; /* must outlive every connection */
	void *context;                     /* until tcp_set_context() */
	struct tcp_limits limits;
	uint8_t dscp;
};

struct tcp_listener_counters {
	uint64_t accepted;
	uint64_t refused_total;  /* beyond connections_max */
	uint64_t refused_source; /* beyond per_source_max */
	uint64_t accept_errors;  /* EMFILE and their like; the listener pauses for 100 ms */
	uint64_t ended[TCP_END_COUNT];
	uint32_t connections; /* now */
};

[[nodiscard]] int tcp_listen(struct tcp_listener **out, struct loop *loop,
                             const struct tcp_listen_settings *settings);
void tcp_unlisten(struct tcp_listener *listener);
[[nodiscard]] const struct net_addr *tcp_listener_local(const struct tcp_listener *listener);
[[nodiscard]] const struct tcp_listener_counters *
tcp_listener_counters(const struct tcp_listener *listener);

struct tcp_connect_settings {
	struct net_addr to;
	struct net_addr local;   /* ADDR_NONE: the system's choice */
	struct tls_context *tls; /* NULL: plain */
	const char *host;        /* TLS: SNI, and the name the peer must prove */
	int64_t timeout_us;      /* until `opened`, TLS included; 0: 10 s */
	const struct tcp_handler *handler;
	void *context;
	struct tcp_limits limits;
	uint8_t dscp;
};

/* Every outcome comes later, by `opened` or `closed`, never inside this call; -errno only when
 * there is no memory or no descriptor. */
[[nodiscard]] int tcp_connect(struct tcp_connection **out, struct loop *loop,
                              const struct tcp_connect_settings *settings);

void tcp_set_context(struct tcp_connection *connection, void *context);
void tcp_set_handler(struct tcp_connection *connection, const struct tcp_handler *handler);
void tcp_set_queue_max(struct tcp_connection *connection, uint32_t bytes);
/* Changes the idle limit, 0: none. */
void tcp_set_idle(struct tcp_connection *connection, int64_t idle_us);

/* Copies what the kernel does not take at once.  -ENOBUFS: the queue is full, nothing was taken and
 * the connection will be ended; -ENOTCONN: not open. */
int tcp_send(struct tcp_connection *connection, const void *bytes, size_t len);
/* Unsent bytes. */
[[nodiscard]] size_t tcp_queued(const struct tcp_connection *connection);

/* Stops and resumes reading: the peer's window fills. */
void tcp_pause(struct tcp_connection *connection, bool paused);

/* Sends what is queued (for at most 5 s), then closes.  NULL is fine. */
void tcp_close(struct tcp_connection *connection);
/* Closes at once; queued bytes are lost. */
void tcp_abort(struct tcp_connection *connection);

[[nodiscard]] const struct net_addr *tcp_peer(const struct tcp_connection *connection);
[[nodiscard]] const struct net_addr *tcp_local(const struct tcp_connection *connection);
/* NULL on plain connections. */
[[nodiscard]] struct tls_session *tcp_tls(struct tcp_connection *connection);

#endif
