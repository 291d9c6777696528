/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/encode.h"
#include "net/http_internal.h"
#include "net/random.h"

enum {
	BODY_BYTES_DEFAULT = 1 << 20,
	BUFFER_BYTES_MIN = 256,
	LISTENER_CONNECTIONS_DEFAULT = 4096,
};

static const int64_t REQUEST_US = 15 * 1000000;
static const int64_t KEEP_ALIVE_US = 30 * 1000000;

/* -- small things ---------------------------------------------------------------------------- */

bool
buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
	if (buffer->cap - buffer->len < len) {
		size_t cap = buffer->cap != 0 ? buffer->cap : BUFFER_BYTES_MIN;
		while (cap - buffer->len < len)
			cap *= 2;
		uint8_t *bigger = realloc(buffer->bytes, cap);
		if (bigger == NULL)
			return false;
		buffer->bytes = bigger;
		buffer->cap = cap;
	}
	if (len != 0)
		memcpy(buffer->bytes + buffer->len, bytes, len);
	buffer->len += len;
	return true;
}

void
buffer_free(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){ 0 };
}

void
buffer_reset(struct buffer *buffer)
{
	if (buffer->cap > HTTP_KEPT_BYTES)
		buffer_free(buffer);
	buffer->len = 0;
}

struct str
http_request_header(const struct http_request *request, const char *name)
{
	for (uint32_t i = 0; i < request->header_count; i++) {
		if (str_eq_nocase(request->headers[i].name, str_of(name)))
			return request->headers[i].value;
	}
	return STR("");
}

/* -- peers ----------------------------------------------------------------------------------- */

static void
listener_put(struct http_listener *listener)
{
	CHECK(listener->users > 0);
	if (--listener->users == 0) {
		tls_context_destroy(listener->settings.tls);
		free(listener);
	}
}

struct peer *
peer_create(struct http *http, struct http_listener *listener)
{
	uint32_t handle;
	struct peer *peer = slab_take(&http->peers, &handle);
	if (peer == NULL)
		return NULL;
	peer->http = http;
	peer->handle = handle;
	peer->listener = listener;
	if (listener != NULL)
		listener->users++;
	return peer;
}

void
peer_free(struct peer *peer)
{
	struct http *http = peer->http;
	timer_stop(&http->wheel, &peer->timer);
	if (peer->request != 0)
		slab_free(&http->requests, peer->request);
	buffer_free(&peer->head);
	buffer_free(&peer->body);
	buffer_free(&peer->pending);
	free(peer->answer_owned);
	ws_destroy(peer->ws);
	if (peer->listener != NULL)
		listener_put(peer->listener);
	slab_free(&http->peers, peer->handle);
}

bool
peer_alive(const struct http *http, const struct peer *peer, uint32_t handle)
{
	return slab_get(&http->peers, handle) == peer;
}

void
peer_arm(struct peer *peer, int64_t deadline_us)
{
	struct http *http = peer->http;
	timer_start(&http->wheel, &peer->timer, deadline_us);
	loop_timer_arm(http->timer, timer_wheel_deadline(&http->wheel));
}

void
peer_close(struct peer *peer)
{
	tcp_close(peer->tcp);
	peer_free(peer);
}

struct peer *
request_take(struct http *http, http_request_id id)
{
	const struct owed *owed = slab_get(&http->requests, id.v);
	if (owed == NULL)
		return NULL;
	struct peer *peer = slab_get(&http->peers, owed->peer);
	CHECK(peer != NULL && peer->request == id.v && peer->state == PEER_WAITING);
	slab_free(&http->requests, id.v);
	peer->request = 0;
	return peer;
}

/* -- refusals ---------------------------------------------------------------------------------- */

/* A request that never reaches the handler. */
static void
refuse(struct peer *peer, unsigned status, const char *text)
{
	const struct http_header headers[] = {
		{ STR("Content-Type"), STR("text/plain; charset=utf-8") },
		{ STR("Sec-WebSocket-Version"), STR("13") }, /* RFC 6455 s4.4 */
	};
	peer->listener->counters.bad_requests++;
	http_answer(peer, &(struct http_response){ .status = status,
	                                           .headers = headers,
	                                           .header_count = status == 426 ? 2 : 1,
	                                           .body = str_of(text),
	                                           .close = true });
}

/* -- requests -------------------------------------------------------------------------------- */

/* The request as the handler sees it; `name` holds a client certificate's name. */
static struct http_request
request_of(const struct peer *peer, const struct http_head *head, char name[TLS_NAME_MAX])
{
	struct tls_session *tls = tcp_tls(peer->tcp);
	return (struct http_request){
		.id = { peer->request },
		.listener = peer->listener,
		.peer = tcp_peer(peer->tcp),
		.local = tcp_local(peer->tcp),
		.tls = tls != NULL,
		.tls_peer_name = tls != NULL && tls_session_peer_name(tls, name) ? name : NULL,
		.method = head->method,
		.path = head->path,
		.query = head->query,
		.host = head->host,
		.headers = head->headers,
		.header_count = head->header_count,
		.body = { (const char *)peer->body.bytes, peer->body.len },
		.ws_protocols = http_head_field(head, STR("sec-websocket-protocol")),
	};
}

/* A whole request: the handler's turn. */
static void
dispatch(struct peer *peer, const struct http_head *head)
{
	struct http *http = peer->http;
	const uint32_t handle = peer->handle;
	const struct http_listen_settings *settings = &peer->listener->settings;
	struct owed *owed = slab_take(&http->requests, &peer->request);
	CHECK(owed != NULL); /* as many as peers, and each owes one at most */
	owed->peer = handle;
	peer->state = PEER_WAITING;
	peer->listener->counters.requests++;
	peer_arm(peer, loop_now_us() + HTTP_ANSWER_US_MAX);

	char name[TLS_NAME_MAX];
	const struct http_request request = request_of(peer, head, name);
	http->callbacks++;
	if (!peer->upgrade)
		settings->request(settings->context, &request);
	else if (settings->upgrade != NULL)
		settings->upgrade(settings->context, &request);
	else
		http_respond_text(http, request.id, 404, "text/plain", STR("no WebSocket here\n"));
	http->callbacks--;
	if (!peer_alive(http, peer, handle))
		return;
	/* ws_accept() reads the key of the opening, maybe later. */
	if (!peer->upgrade || peer->state != PEER_WAITING)
		buffer_reset(&peer->head);
	buffer_reset(&peer->body);
}

/* RFC 6455 s4.2.1; 0 when the opening is a proper one. */
static unsigned
upgrade_fault(const struct http_head *head)
{
	if (!str_eq(head->method, STR("GET")) || head->chunked || head->content_length != 0)
		return 400;
	if (!str_eq(http_head_field(head, STR("sec-websocket-version")), STR("13")))
		return 426;
	uint8_t key[GUID_BYTES];
	const struct str text = http_head_field(head, STR("sec-websocket-key"));
	return text.len == WS_KEY_TEXT_LEN && decode_base64(key, sizeof key, text) == sizeof key
	               ? 0
	               : 400;
}

static uint64_t
body_limit(const struct peer *peer, const struct http_head *head)
{
	const struct http_listen_settings *settings = &peer->listener->settings;
	if (settings->body_limit == NULL)
		return settings->body_bytes_max;
	char name[TLS_NAME_MAX];
	const struct http_request request = request_of(peer, head, name);
	return settings->body_limit(settings->context, &request);
}

/* The head is whole. */
static void
take_head(struct peer *peer)
{
	struct http_head head;
	const enum http_reject reject =
	        http_request_parse(&head, (const char *)peer->head.bytes, peer->head.len);
	peer->head_only = reject == HTTP_OK && str_eq(head.method, STR("HEAD"));
	if (reject != HTTP_OK) {
		refuse(peer, http_reject_status(reject), http_reject_name(reject));
		return;
	}
	if (peer->listener->closed) {
		refuse(peer, 503, "going away\n");
		return;
	}
	peer->close_after = head.close;
	peer->upgrade = head.websocket;
	if (head.websocket) {
		const unsigned fault = upgrade_fault(&head);
		if (fault != 0)
			refuse(peer, fault, "malformed WebSocket opening");
		else
			dispatch(peer, &head);
		return;
	}
	if (!head.chunked && head.content_length == 0) {
		dispatch(peer, &head);
		return;
	}
	peer->body_max = body_limit(peer, &head);
	if (head.content_length > peer->body_max) {
		refuse(peer, 413, "body too large\n");
		return;
	}
	peer->chunked = head.chunked;
	peer->chunks = (struct http_chunks){ 0 };
	peer->body_left = head.content_length;
	peer->state = PEER_BODY;
	if (head.expect_continue)
		tcp_send(peer->tcp, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

static size_t
consume_head(struct peer *peer, const uint8_t *bytes, size_t len)
{
	if (peer->head.len == 0)
		peer_arm(peer, loop_now_us() + peer->listener->settings.request_us);
	const size_t before = peer->head.len;
	const size_t room = HTTP_HEADER_BYTES_MAX - before;
	const size_t taken = len < room ? len : room;
	if (!buffer_append(&peer->head, bytes, taken)) {
		refuse(peer, 503, "no memory\n");
		return len;
	}
	if (peer->head.bytes[0] < ' ' && peer->head.bytes[0] != '\r') {
		/* A TLS hello, most likely: its sender should not have to wait to learn that. */
		refuse(peer, 400, "this is not HTTP\n");
		return len;
	}
	const size_t end = http_head_end((const char *)peer->head.bytes, peer->head.len, before);
	if (end != 0) {
		peer->head.len = end;
		take_head(peer);
		return end - before;
	}
	if (peer->head.len == HTTP_HEADER_BYTES_MAX) {
		const bool line = memchr(peer->head.bytes, '\n', peer->head.len) != NULL;
		refuse(peer, line ? 431 : 414, "request too long\n");
		return len;
	}
	return taken;
}

static void
body_complete(struct peer *peer)
{
	/* Parsed again rather than kept: 2 KB of views a connection would be for rare use. */
	struct http_head head;
	CHECK(http_request_parse(&head, (const char *)peer->head.bytes, peer->head.len) == HTTP_OK);
	dispatch(peer, &head);
}

/* false when the peer was refused. */
static bool
take_body(struct peer *peer, const void *bytes, size_t len)
{
	if (len > peer->body_max - peer->body.len) {
		refuse(peer, 413, "body too large\n");
		return false;
	}
	if (!buffer_append(&peer->body, bytes, len)) {
		refuse(peer, 503, "no memory\n");
		return false;
	}
	return true;
}

static size_t
consume_body(struct peer *peer, const uint8_t *bytes, size_t len)
{
	if (!peer->chunked) {
		const size_t taken = len < peer->body_left ? len : (size_t)peer->body_left;
		if (!take_body(peer, bytes, taken))
			return len;
		peer->body_left -= taken;
		if (peer->body_left == 0)
			body_complete(peer);
		return taken;
	}
	struct str data;
	enum http_reject reject;
	const size_t taken =
	        http_chunks_input(&peer->chunks, (const char *)bytes, len, &data, &reject);
	if (reject != HTTP_OK) {
		refuse(peer, http_reject_status(reject), http_reject_name(reject));
		return len;
	}
	if (!take_body(peer, data.at, data.len))
		return len;
	if (peer->chunks.state == HTTP_CHUNK_DONE)
		body_complete(peer);
	return taken;
}

/* Bytes behind a request that is not answered yet wait; too many of them stop the reading. */
static void
stash(struct peer *peer, const uint8_t *bytes, size_t len)
{
	if (!buffer_append(&peer->pending, bytes, len)) {
		tcp_abort(peer->tcp);
		if (peer->ws != NULL)
			ws_tcp_closed(peer, "no memory");
		else
			peer_free(peer);
		return;
	}
	if (peer->pending.len >= HTTP_PENDING_BYTES && !peer->paused) {
		peer->paused = true;
		tcp_pause(peer->tcp, true);
	}
}

static size_t
consume(struct peer *peer, const uint8_t *bytes, size_t len)
{
	switch (peer->state) {
	case PEER_HEAD:
		return consume_head(peer, bytes, len);
	case PEER_BODY:
		return consume_body(peer, bytes, len);
	case PEER_WAITING:
	case PEER_SENDING:
		stash(peer, bytes, len);
		return len;
	case PEER_WS_OPEN:
		if (peer->pending.len != 0) {
			stash(peer, bytes, len); /* behind what came before it was accepted */
			return len;
		}
		return ws_consume(peer, bytes, len);
	case PEER_WS_HANDSHAKE:
	case PEER_WS_CLOSING:
		return ws_consume(peer, bytes, len);
	case PEER_WS_CONNECTING:
	case PEER_WS_FAILED:
		break;
	}
	return len;
}

static void
peer_input(struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct http *http = peer->http;
	const uint32_t handle = peer->handle;
	peer->consuming = true;
	while (len != 0 && peer_alive(http, peer, handle)) {
		const size_t taken = consume(peer, bytes, len);
		CHECK(taken <= len);
		bytes += taken;
		len -= taken;
	}
	if (peer_alive(http, peer, handle))
		peer->consuming = false;
}

void
peer_continue(struct peer *peer)
{
	struct buffer pending = peer->pending;
	peer->pending = (struct buffer){ 0 };
	if (peer->paused) {
		peer->paused = false;
		tcp_pause(peer->tcp, false);
	}
	if (pending.len != 0)
		peer_input(peer, pending.bytes, pending.len);
	buffer_free(&pending);
}

/* -- events of connections ------------------------------------------------------------------- */

static void
peer_opened(void *context, struct tcp_connection *tcp)
{
	(void)tcp;
	ws_tcp_opened(context);
}

static void
peer_received(void *context, struct tcp_connection *tcp, const uint8_t *bytes, size_t len)
{
	(void)tcp;
	peer_input(context, bytes, len);
}

static void
peer_drained(void *context, struct tcp_connection *tcp)
{
	(void)tcp;
	struct peer *peer = context;
	if (peer->ws != NULL) {
		ws_tcp_drained(peer);
	} else if (peer->state == PEER_SENDING) {
		peer_arm(peer, loop_now_us() + HTTP_SENDING_US_MAX);
		http_answer_pump(peer);
	}
}

static void
peer_closed(void *context, struct tcp_connection *tcp, enum tcp_end end, const char *text)
{
	(void)tcp;
	(void)end;
	struct peer *peer = context;
	if (peer->ws != NULL)
		ws_tcp_closed(peer, text);
	else
		peer_free(peer);
}

const struct tcp_handler http_peer_handler = {
	.opened = peer_opened,
	.received = peer_received,
	.drained = peer_drained,
	.closed = peer_closed,
};

static void
listener_opened(void *context, struct tcp_connection *tcp)
{
	struct http_listener *listener = context;
	struct peer *peer = peer_create(listener->http, listener);
	if (peer == NULL) {
		listener->counters.refused++;
		tcp_abort(tcp);
		return;
	}
	peer->tcp = tcp;
	tcp_set_context(tcp, peer);
	tcp_set_handler(tcp, &http_peer_handler);
	peer_arm(peer, loop_now_us() + listener->settings.request_us);
}

static void
listener_received(void *context, struct tcp_connection *tcp, const uint8_t *bytes, size_t len)
{
	(void)context;
	(void)tcp;
	(void)bytes;
	(void)len;
	check_fail(__FILE__, __LINE__, "bytes before `opened`");
}

static const struct tcp_handler listener_handler = {
	.opened = listener_opened,
	.received = listener_received,
};

static void
http_timeout(struct peer *peer)
{
	struct http_listener_counters *counters = &peer->listener->counters;
	switch (peer->state) {
	case PEER_HEAD:
		if (peer->head.len == 0) {
			peer_close(peer); /* kept alive long enough */
			return;
		}
		counters->slow_requests++;
		refuse(peer, 408, "request too slow\n");
		break;
	case PEER_BODY:
		counters->slow_requests++;
		refuse(peer, 408, "request too slow\n");
		break;
	case PEER_WAITING:
		CHECK(request_take(peer->http, (http_request_id){ peer->request }) == peer);
		refuse(peer, 504, "no answer in time\n");
		break;
	case PEER_SENDING:
		tcp_abort(peer->tcp);
		peer_free(peer);
		break;
	case PEER_WS_CONNECTING:
	case PEER_WS_HANDSHAKE:
	case PEER_WS_OPEN:
	case PEER_WS_CLOSING:
	case PEER_WS_FAILED:
		check_fail(__FILE__, __LINE__, "a WebSocket's timeout");
	}
}

static void
on_timer(void *context, int64_t now_us)
{
	struct http *http = context;
	for (struct timer *timer; (timer = timer_take(&http->wheel, now_us)) != NULL;) {
		struct peer *peer = CONTAINER_OF(timer, struct peer, timer);
		if (peer->ws != NULL)
			ws_timeout(peer, now_us);
		else
			http_timeout(peer);
	}
	loop_timer_arm(http->timer, timer_wheel_deadline(&http->wheel));
}

/* -- listeners ------------------------------------------------------------------------------- */

int
http_listen(struct http_listener **out, struct http *http,
            const struct http_listen_settings *settings)
{
	CHECK(settings->request != NULL);
	struct http_listener *listener = calloc(1, sizeof *listener);
	if (listener == NULL)
		return -ENOMEM;
	listener->http = http;
	listener->settings = *settings;
	struct http_listen_settings *s = &listener->settings;
	if (s->body_bytes_max == 0)
		s->body_bytes_max = BODY_BYTES_DEFAULT;
	if (s->connections_max == 0)
		s->connections_max = LISTENER_CONNECTIONS_DEFAULT;
	if (s->request_us == 0)
		s->request_us = REQUEST_US;
	if (s->keep_alive_us == 0)
		s->keep_alive_us = KEEP_ALIVE_US;
	const int rc = tcp_listen(
	        &listener->tcp, http->loop,
	        &(struct tcp_listen_settings){ .bind = s->bind,
	                                       .tls = s->tls,
	                                       .handler = &listener_handler,
	                                       .context = listener,
	                                       .limits = {
	                                               .queue_bytes_max = HTTP_QUEUE_BYTES,
	                                               .first_byte_us = s->request_us,
	                                               .connections_max = s->connections_max,
	                                               .per_source_max = s->per_source_max,
	                                       } });
	if (rc != 0) {
		free(listener);
		return rc;
	}
	tls_context_share(s->tls);
	listener->local = *tcp_listener_local(listener->tcp);
	listener->users = 1;
	listener->next = http->listeners;
	http->listeners = listener;
	*out = listener;
	return 0;
}

void
http_unlisten(struct http_listener *listener)
{
	if (listener == NULL)
		return;
	CHECK(!listener->closed);
	struct http *http = listener->http;
	listener->closed = true;
	tcp_unlisten(listener->tcp);
	struct http_listener **at = &http->listeners;
	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;

	uint32_t slot = 0;
	for (uint32_t handle; (handle = slab_next(&http->peers, &slot)) != 0;) {
		struct peer *peer = slab_get(&http->peers, handle);
		/* One that is inside its own callback ends when its answer is out. */
		if (peer->listener == listener && peer->ws == NULL && !peer->consuming)
			peer_close(peer);
	}
	listener_put(listener);
}

const struct net_addr *
http_listener_local(const struct http_listener *listener)
{
	return &listener->local;
}

struct http_listener_counters
http_listener_counters(const struct http_listener *listener)
{
	const struct tcp_listener_counters *tcp = tcp_listener_counters(listener->tcp);
	struct http_listener_counters counters = listener->counters;
	counters.connections = tcp->connections;
	counters.refused += tcp->refused_total + tcp->refused_source;
	return counters;
}

/* -- life ------------------------------------------------------------------------------------ */

int
http_create(struct http **out, struct loop *loop, uint32_t connections_max)
{
	struct http *http = calloc(1, sizeof *http);
	if (http == NULL)
		return -ENOMEM;
	http->loop = loop;
	timer_wheel_init(&http->wheel, loop_now_us());
	prng_init(&http->prng, random_u64());
	int rc = slab_create(&http->peers, sizeof(struct peer), connections_max);
	if (rc != 0)
		goto out_http;
	rc = slab_create(&http->requests, sizeof(struct owed), connections_max);
	if (rc != 0)
		goto out_peers;
	rc = loop_timer_create(&http->timer, loop, on_timer, http);
	if (rc != 0)
		goto out_requests;
	*out = http;
	return 0;
out_requests:
	slab_destroy(&http->requests);
out_peers:
	slab_destroy(&http->peers);
out_http:
	free(http);
	return rc;
}

void
http_destroy(struct http *http)
{
	if (http == NULL)
		return;
	CHECK(http->callbacks == 0);
	while (http->listeners != NULL)
		http_unlisten(http->listeners);
	uint32_t slot = 0;
	for (uint32_t handle; (handle = slab_next(&http->peers, &slot)) != 0;) {
		struct peer *peer = slab_get(&http->peers, handle);
		if (peer->ws != NULL)
			ws_say_going(peer);
		peer_close(peer);
	}
	loop_timer_destroy(http->timer);
	slab_destroy(&http->requests);
	slab_destroy(&http->peers);
	free(http);
}
