/* SPDX-License-Identifier: Apache-2.0 */
/* What tcp.c (connections) and tcp_listen.c (listeners) share; nobody else includes this. */
#ifndef NET_TCP_INTERNAL_H
#define NET_TCP_INTERNAL_H

#include "net/loop_internal.h"
#include "net/tcp.h"

enum { TCP_TEXT_MAX = 320 };

enum tcp_state {
	TCP_CONNECTING,
	TCP_HANDSHAKING, /* TLS */
	TCP_OPEN,
	TCP_ENDING,   /* `closed` comes from the timer: no call of the owner's calls back */
	TCP_FLUSHING, /* tcp_close(): the queue, then our FIN */
	/* FIN sent; what the peer still sends is read and dropped, or it would cost the peer our
	 * last bytes (RFC 9112 s9.6). */
	TCP_LINGERING,
	TCP_GONE,
};

struct tcp_connection {
	uv_poll_t poll;
	uv_timer_t timer;
	struct loop *loop;
	struct loop_orphan orphan; /* in it while TCP_FLUSHING or TCP_LINGERING */
	const struct tcp_handler *handler;
	void *context;
	struct tcp_listener *listener; /* NULL: connected by us */
	struct tcp_connection *next;   /* among the listener's */
	struct tcp_connection *prev;
	struct tls_session *tls;
	struct net_addr peer;
	struct net_addr local;
	int64_t idle_us;
	int64_t deadline_us; /* of what the state waits for; INT64_MAX: nothing but idleness */
	int64_t heard_us;    /* last bytes received */
	int64_t armed_us;    /* when the timer will look */
	uint8_t *queue;
	size_t queue_cap;
	size_t queue_at;
	size_t queue_len; /* unsent bytes from queue_at */
	size_t queue_max;
	int fd;
	int events; /* what poll watches */
	unsigned open_handles;
	enum tcp_state state;
	enum tcp_end end;
	bool announced; /* `opened` was called */
	bool first_byte_seen;
	bool paused;
	bool want_drained;
	char text[TCP_TEXT_MAX];
};

struct tcp_listener {
	uv_poll_t poll;
	uv_timer_t pause;
	struct loop *loop;
	struct tls_context *tls;
	const struct tcp_handler *handler;
	void *context;
	struct tcp_limits limits;
	struct net_addr local;
	struct tcp_listener_counters counters;
	struct tcp_connection *first;
	int fd;
	unsigned users; /* open handles and connections; the memory goes with the last */
	uint8_t dscp;
	bool closed;
};

[[nodiscard]] int tcp_set_int(int fd, int level, int option, int value);

/* Takes `fd`, connected or about to be, also when it fails. */
[[nodiscard]] int tcp_connection_create(struct tcp_connection **out, struct loop *loop, int fd,
                                        struct tls_context *tls, const char *host,
                                        const struct tcp_limits *limits);
/* Options of every stream. */
void tcp_configure(int fd, const struct net_addr *addr, uint8_t dscp);
/* The TCP connection stands: TLS comes next, or `opened`. */
void tcp_start(struct tcp_connection *c);

/* tcp_listen.c: the connection has ended. */
void tcp_listener_forget(struct tcp_connection *c);

#endif
