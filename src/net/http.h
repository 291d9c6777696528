/* SPDX-License-Identifier: Apache-2.0 */
/* http -- HTTP/1.1 server (RFC 9112), WebSocket server and client (RFC 6455), over TCP or TLS.
 *
 * Written here on net/tcp.h: docs/decisions/http-server.md tells why libwebsockets is not below it.
 *
 * One `struct http` per loop holds listeners and WebSocket connections.  Requests and connections
 * are named by handles: answering one whose client has gone is a no-op, so an answer may come
 * whenever it is ready, from a database thread's message for instance.
 *
 * Ownership  Everything given to a callback is borrowed until it returns; everything given to us is
 *            copied, save `body_static`.
 * Threads    The loop's.
 * Units      Bytes; microseconds, monotonic.
 * Errors     0 or -errno.  Malformed requests are answered (400, 408, 413, 414, 426, 431, 501,
 *            505), counted and never shown to the handler.
 * Limits     HTTP_HEADER_BYTES_MAX of request line and headers, HTTP_HEADERS_MAX of them;
 *            HTTP_ANSWER_US_MAX until an answer, then 504 is sent for it; bodies, messages,
 *            queues and connections as in the listener's settings.  A quiet WebSocket costs
 *            about 2.2 KB of ours, without TLS.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "net/loop.h"
#include "net/tls.h"

enum {
	HTTP_HEADER_BYTES_MAX = 16384,
	HTTP_HEADERS_MAX = 64,
	HTTP_REASON_MAX = 320,
	HTTP_ANSWER_US_MAX = 120 * 1000000,
	WS_CLOSE_REASON_MAX = 123, /* RFC 6455 s5.5: 125 bytes of control frame less the code */
};

struct http;
struct http_listener;

typedef struct {
	uint32_t v;
} http_request_id;

/* A WebSocket connection, accepted or opened by us; zero is none. */
typedef struct {
	uint32_t v;
} ws_id;

struct http_header {
	struct str name;
	struct str value;
};

struct http_request {
	http_request_id id;
	struct http_listener *listener;
	const struct net_addr *peer;
	const struct net_addr *local;
	bool tls;
	const char *tls_peer_name; /* of the client's certificate; NULL without one */
	struct str method;         /* "GET" */
	struct str path;           /* as sent, percent-encoded, without query: "/api/v1/calls" */
	struct str query;          /* as sent, without '?' */
	struct str host;           /* the Host header */
	const struct http_header *headers; /* values without surrounding blanks */
	uint32_t header_count;
	struct str body;         /* empty for WebSocket openings */
	struct str ws_protocols; /* WebSocket: Sec-WebSocket-Protocol as offered, else empty */
};

/* First header of that name (case does not matter), or an empty view. */
[[nodiscard]] struct str http_request_header(const struct http_request *request, const char *name);

/* -- answers --------------------------------------------------------------------------------- */

struct http_response {
	unsigned status;
	/* Content-Length, Date and Connection are ours.  A name or value with a line break in it
	 * makes the answer a 500: strangers' bytes do not add headers. */
	const struct http_header *headers;
	uint32_t header_count;
	struct str body;
	bool body_static; /* `body` outlives the connection (a file held in memory): not copied */
	bool close;       /* close the connection afterwards */
};

/* Each request is answered once, in the handler or any time later.  HEAD is answered like GET; the
 * body is left off for the caller. */
void http_respond(struct http *http, http_request_id id, const struct http_response *response);

/* The short form for errors and small texts. */
void http_respond_text(struct http *http, http_request_id id, unsigned status,
                       const char *content_type, struct str body);

const char *http_status_text(unsigned status);

/* -- WebSocket ------------------------------------------------------------------------------- */

enum ws_kind { WS_TEXT, WS_BINARY };

struct ws_close {
	uint16_t code; /* RFC 6455 s7.4.1; 1006: ended without a close frame */
	/* The peer's reason, or ours for the log: "TLS: certificate verify failed: self-signed
	 * certificate", "connection refused", "no sign of life from peer". */
	const char *text;
};

struct ws_handler {
	/* The server has accepted us: open for sending.  Connections that we accepted are open
	 * from ws_accept() on, without this call.  May be NULL. */
	void (*opened)(void *context, ws_id id);
	/* A whole message; text was checked to be UTF-8. */
	void (*message)(void *context, ws_id id, enum ws_kind kind, const uint8_t *bytes,
	                size_t len);
	/* The queue, once more than half full, is empty again.  May be NULL. */
	void (*drained)(void *context, ws_id id);
	/* The handle is stale from now on.  Comes exactly once for every connection that was
	 * accepted or connected, after our own ws_close() too; only http_destroy() is silent. */
	void (*closed)(void *context, ws_id id, const struct ws_close *close);
};

struct ws_limits {
	uint32_t message_bytes_max; /* 0: 64 KiB; beyond: close 1009 */
	uint32_t queue_bytes_max;   /* 0: 1 MiB; beyond: closed, the peer does not read */
	int64_t ping_us;            /* ping after this much silence, 0: 20 s */
	int64_t pong_us;            /* then closed after this much more, 0: 10 s */
};

/* In a listener's `upgrade` callback: take the connection, with one of the offered subprotocols or
 * an empty one.  Gives the handle that `handler` will be called with. */
ws_id ws_accept(struct http *http, http_request_id id, const struct ws_handler *handler,
                void *context, struct str protocol, const struct ws_limits *limits);

/* -ENOENT: gone or closing; -ENOBUFS: its queue is full, it will be closed. */
int ws_send(struct http *http, ws_id id, enum ws_kind kind, const void *bytes, size_t len);
/* Unsent bytes. */
[[nodiscard]] size_t ws_queued(const struct http *http, ws_id id);
/* Says goodbye and waits up to 2 s for the answer; `closed` comes then. */
void ws_close(struct http *http, ws_id id, uint16_t code, const char *reason);
/* The other end's address, ADDR_NONE when gone. */
[[nodiscard]] struct net_addr ws_peer(const struct http *http, ws_id id);

struct ws_connect_settings {
	struct net_addr to;        /* resolved by the caller (net/dns.h) */
	const char *host;          /* Host header, SNI, and the name the peer must prove */
	const char *path;          /* with query: "/c2w?x=1" */
	const char *protocol;      /* subprotocol, NULL: none */
	const char *authorization; /* Authorization header, NULL: none */
	struct tls_context *tls;   /* NULL: plain */
	int64_t timeout_us;        /* until `opened`; 0: 10 s */
	struct ws_limits limits;
	const struct ws_handler *handler;
	void *context;
};

/* Every outcome comes later by `opened` or `closed`; zero when there is no room or descriptor. */
[[nodiscard]] ws_id ws_connect(struct http *http, const struct ws_connect_settings *settings);

/* -- listeners ------------------------------------------------------------------------------- */

struct http_listen_settings {
	struct net_addr bind;
	struct tls_context *tls; /* NULL: plain */
	/* Decides from headers alone, before the body is read, how many bytes of body this request
	 * may have.  NULL: `body_bytes_max` for all. */
	uint32_t (*body_limit)(void *context, const struct http_request *request);
	/* A whole request. */
	void (*request)(void *context, const struct http_request *request);
	/* A WebSocket opening: ws_accept() it or http_respond() a refusal, at once or later.  NULL:
	 * all are refused with 404. */
	void (*upgrade)(void *context, const struct http_request *request);
	void *context;
	uint32_t body_bytes_max;  /* 0: 1 MiB; beyond: 413 */
	uint32_t connections_max; /* 0: 4096 */
	uint32_t per_source_max;  /* 0: no limit; loopback is not counted */
	int64_t request_us;       /* first byte of a request to its last; 0: 15 s, then 408 */
	int64_t keep_alive_us;    /* between requests; 0: 30 s */
};

struct http_listener_counters {
	uint64_t requests;
	uint64_t bad_requests;  /* answered by us with 4xx or 5xx */
	uint64_t slow_requests; /* 408 */
	uint64_t refused;       /* connections beyond a limit */
	uint64_t ws_accepted;
	uint32_t connections; /* now, WebSockets included */
};

/* `connections_max`: of all listeners and clients together. */
[[nodiscard]] int http_create(struct http **out, struct loop *loop, uint32_t connections_max);
/* Closes everything, listeners included, without further callbacks; WebSockets get 1001.  Not
 * inside a callback of it. */
void http_destroy(struct http *http);

[[nodiscard]] int http_listen(struct http_listener **out, struct http *http,
                              const struct http_listen_settings *settings);
/* Stops accepting.  Its WebSockets go on; its other connections are closed, answers still owed are
 * dropped. */
void http_unlisten(struct http_listener *listener);
[[nodiscard]] const struct net_addr *http_listener_local(const struct http_listener *listener);
[[nodiscard]] struct http_listener_counters
http_listener_counters(const struct http_listener *listener);

#endif
