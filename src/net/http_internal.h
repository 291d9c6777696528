/* SPDX-License-Identifier: Apache-2.0 */
/* What http.c and http_ws.c share; nobody else includes this.
 *
 * A `struct peer` is one connection: it begins as HTTP (or as our own WebSocket opening) and may
 * become a WebSocket.  It lives in a slab; its handle is the ws_id of a WebSocket.  Callbacks may
 * end the peer they are called for, so whoever goes on after one asks peer_alive() first. */
#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H

#include "base/prng.h"
#include "base/slab.h"
#include "base/timer.h"
#include "net/http.h"
#include "net/http_parse.h"
#include "net/tcp.h"
#include "net/ws_frame.h"

enum {
	HTTP_QUEUE_BYTES = 256 * 1024,  /* of an HTTP connection */
	HTTP_PENDING_BYTES = 64 * 1024, /* pipelined behind a request that is not answered yet */
	HTTP_KEPT_BYTES = 4096,         /* a buffer grown beyond this is not kept between uses */
	HTTP_SENDING_US_MAX = 60 * 1000000, /* of a long answer without the queue draining once */
	WS_QUEUE_SLACK_BYTES = 64 * 1024,   /* TLS records, control frames */
};

enum peer_state {
	PEER_HEAD, /* reading a request's head */
	PEER_BODY,
	PEER_WAITING, /* for the handler's answer */
	PEER_SENDING, /* a long answer */
	PEER_WS_CONNECTING,
	PEER_WS_HANDSHAKE, /* reading the server's answer */
	PEER_WS_OPEN,
	PEER_WS_CLOSING, /* our close frame is sent */
	PEER_WS_FAILED,  /* ends at the next turn of the loop */
};

struct buffer {
	uint8_t *bytes;
	size_t len;
	size_t cap;
};

struct ws {
	const struct ws_handler *handler;
	void *context;
	struct ws_limits limits;
	struct ws_frame frame; /* being read, when in_frame */
	uint64_t frame_at;     /* bytes of its payload read */
	bool in_frame;
	bool client;
	bool in_message; /* fragments of a message came, the final one did not */
	bool pinged;
	enum ws_kind kind; /* of that message */
	uint8_t header_len;
	uint8_t header[WS_HEADER_BYTES_MAX];
	uint8_t control[WS_CONTROL_BYTES_MAX];
	int64_t heard_us;
	uint16_t close_code;
	char reason[WS_CLOSE_REASON_MAX + 1];
	char accept[WS_ACCEPT_TEXT_LEN + 1]; /* client: what the server must answer */
	char *request;                       /* client: our opening, until it is sent */
	char *protocol;                      /* client: what we asked for, or NULL */
};

struct peer {
	struct http *http;
	struct http_listener *listener; /* NULL: connected by us */
	struct tcp_connection *tcp;
	struct timer timer;
	uint32_t handle;
	uint32_t request; /* in http->requests, while an answer is owed */
	enum peer_state state;
	struct buffer head;
	struct buffer body;    /* of a request, or a WebSocket message */
	struct buffer pending; /* came before its time */
	struct http_chunks chunks;
	uint64_t body_left;
	uint64_t body_max;
	bool chunked;
	bool close_after;
	bool head_only; /* HEAD: no body in the answer */
	bool upgrade;   /* the request asks for a WebSocket */
	bool consuming; /* inside peer_input() */
	bool paused;
	uint8_t *answer_owned;
	const uint8_t *answer;
	size_t answer_len;
	size_t answer_at;
	struct ws *ws; /* NULL on HTTP connections */
};

struct http_listener {
	struct http *http;
	struct http_listener *next;
	struct tcp_listener *tcp;
	struct http_listen_settings settings;
	struct http_listener_counters counters;
	struct net_addr local;
	unsigned users; /* its owner and its connections */
	bool closed;
};

/* An answer that is owed. */
struct owed {
	uint32_t peer;
};

struct http {
	struct loop *loop;
	struct loop_timer *timer;
	struct timer_wheel wheel;
	struct slab peers;
	struct slab requests;
	struct http_listener *listeners;
	struct prng prng;   /* masks of WebSocket clients */
	unsigned callbacks; /* running */
};

extern const struct tcp_handler http_peer_handler;

/* false when there is no memory. */
[[nodiscard]] bool buffer_append(struct buffer *buffer, const void *bytes, size_t len);
/* Empties it, and gives back what it does not need for a next small use. */
void buffer_reset(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

[[nodiscard]] struct peer *peer_create(struct http *http, struct http_listener *listener);
/* Frees the peer; its connection must have been closed, or be gone. */
void peer_free(struct peer *peer);
[[nodiscard]] bool peer_alive(const struct http *http, const struct peer *peer, uint32_t handle);
void peer_arm(struct peer *peer, int64_t deadline_us);
/* Sends what is queued, and frees. */
void peer_close(struct peer *peer);
/* Bytes that were kept back are read now. */
void peer_continue(struct peer *peer);
/* The peer a request belongs to, whose answer is no longer owed then; NULL when it is gone. */
[[nodiscard]] struct peer *request_take(struct http *http, http_request_id id);

/* http_answer.c: one answer; the next request or the end comes by itself. */
void http_answer(struct peer *peer, const struct http_response *response);
/* The connection takes more of a long one. */
void http_answer_pump(struct peer *peer);

/* http_ws.c: what the connection's events mean to a WebSocket. */
void ws_tcp_opened(struct peer *peer);
void ws_tcp_closed(struct peer *peer, const char *text);
void ws_tcp_drained(struct peer *peer);
void ws_timeout(struct peer *peer, int64_t now_us);
/* How many bytes it took; all of them unless the peer has ended. */
[[nodiscard]] size_t ws_consume(struct peer *peer, const uint8_t *bytes, size_t len);
void ws_destroy(struct ws *ws);
/* A server that goes says 1001. */
void ws_say_going(struct peer *peer);

#endif
