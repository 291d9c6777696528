/* SPDX-License-Identifier: Apache-2.0 */
/* The WebSocket half of net/http.h: openings, messages, keep-alive, closing (RFC 6455). */
#include "net/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "net/http_internal.h"
#include "net/random.h"

enum {
	MESSAGE_BYTES_DEFAULT = 64 * 1024,
	QUEUE_BYTES_DEFAULT = 1 << 20,
	STAGE_BYTES = 16384, /* header and payload leave in pieces of this, masked on the way */
	REQUEST_BYTES_MAX = 4096,
	BODY_TEXT_MAX = 80, /* of a refusal, for the log */
};

enum close_code {
	CLOSE_NORMAL = 1000,
	CLOSE_GOING = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_NO_CODE = 1005,
	CLOSE_LOST = 1006,
	CLOSE_NOT_TEXT = 1007,
	CLOSE_TOO_BIG = 1009,
};

static const int64_t PING_US = 20 * 1000000;
static const int64_t PONG_US = 10 * 1000000;
static const int64_t CONNECT_US = 10 * 1000000;
static const int64_t GOODBYE_US = 2 * 1000000;

/* -- life ------------------------------------------------------------------------------------ */

static struct ws *
ws_create(const struct ws_handler *handler, void *context, const struct ws_limits *limits)
{
	CHECK(handler != NULL && handler->message != NULL && handler->closed != NULL);
	struct ws *ws = calloc(1, sizeof *ws);
	if (ws == NULL)
		return NULL;
	ws->handler = handler;
	ws->context = context;
	if (limits != NULL)
		ws->limits = *limits;
	if (ws->limits.message_bytes_max == 0)
		ws->limits.message_bytes_max = MESSAGE_BYTES_DEFAULT;
	if (ws->limits.queue_bytes_max == 0)
		ws->limits.queue_bytes_max = QUEUE_BYTES_DEFAULT;
	if (ws->limits.ping_us == 0)
		ws->limits.ping_us = PING_US;
	if (ws->limits.pong_us == 0)
		ws->limits.pong_us = PONG_US;
	return ws;
}

void
ws_destroy(struct ws *ws)
{
	if (ws == NULL)
		return;
	free(ws->request);
	free(ws->protocol);
	free(ws);
}

static struct peer *
find(const struct http *http, ws_id id)
{
	struct peer *peer = slab_get(&http->peers, id.v);
	return peer != NULL && peer->ws != NULL ? peer : NULL;
}

/* The last call for a WebSocket, whose connection has been closed or is gone; `text` may be its own
 * memory. */
static void
end(struct peer *peer, unsigned code, const char *text)
{
	struct http *http = peer->http;
	const struct ws_handler *handler = peer->ws->handler;
	void *context = peer->ws->context;
	const ws_id id = { peer->handle };
	char kept[HTTP_REASON_MAX];
	snprintf(kept, sizeof kept, "%s", text);
	peer_free(peer);
	http->callbacks++;
	handler->closed(context, id, &(struct ws_close){ .code = (uint16_t)code, .text = kept });
	http->callbacks--;
}

/* -- out ------------------------------------------------------------------------------------- */

static int
send_frame(struct peer *peer, enum ws_opcode opcode, const uint8_t *bytes, size_t len)
{
	uint8_t stage[STAGE_BYTES];
	uint8_t mask_bytes[4];
	const uint8_t *mask = NULL;
	if (peer->ws->client) {
		prng_bytes(&peer->http->prng, mask_bytes, sizeof mask_bytes);
		mask = mask_bytes;
	}
	size_t filled = ws_frame_write(stage, opcode, len, mask);
	size_t at = 0;
	int rc;
	do {
		const size_t room = sizeof stage - filled;
		const size_t piece = len - at < room ? len - at : room;
		if (piece != 0)
			memcpy(stage + filled, bytes + at, piece);
		if (mask != NULL)
			ws_mask(stage + filled, piece, mask, at);
		rc = tcp_send(peer->tcp, stage, filled + piece);
		at += piece;
		filled = 0;
	} while (rc == 0 && at < len);
	return rc;
}

static void
send_close(struct peer *peer, unsigned code, const char *reason)
{
	uint8_t bytes[WS_CONTROL_BYTES_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	if (code != CLOSE_NO_CODE) {
		writer_u16(&w, (uint16_t)code);
		writer_text(&w, reason);
	}
	CHECK(!w.failed);
	(void)send_frame(peer, WS_OP_CLOSE, bytes, w.at);
}

/* The peer broke a rule: say so to both sides. */
static void
fail(struct peer *peer, unsigned code, const char *text)
{
	char reason[WS_CLOSE_REASON_MAX + 1];
	snprintf(reason, sizeof reason, "%s", text);
	if (peer->state == PEER_WS_OPEN)
		send_close(peer, code, reason);
	tcp_close(peer->tcp);
	end(peer, code, text);
}

/* The same, when our owner is calling and must not be called back. */
static void
fail_soon(struct peer *peer, const char *text)
{
	struct ws *ws = peer->ws;
	peer->state = PEER_WS_FAILED;
	snprintf(ws->reason, sizeof ws->reason, "%s", text);
	peer_arm(peer, loop_now_us());
}

int
ws_send(struct http *http, ws_id id, enum ws_kind kind, const void *bytes, size_t len)
{
	struct peer *peer = find(http, id);
	if (peer == NULL || peer->state != PEER_WS_OPEN)
		return -ENOENT;
	const size_t max = peer->ws->limits.queue_bytes_max;
	if (len > max || tcp_queued(peer->tcp) > max - len) {
		fail_soon(peer, "peer does not read");
		return -ENOBUFS;
	}
	const int rc = send_frame(peer, kind == WS_TEXT ? WS_OP_TEXT : WS_OP_BINARY, bytes, len);
	return rc == 0 ? 0 : rc == -ENOBUFS ? -ENOBUFS : -ENOENT;
}

size_t
ws_queued(const struct http *http, ws_id id)
{
	const struct peer *peer = find(http, id);
	return peer != NULL && peer->state == PEER_WS_OPEN ? tcp_queued(peer->tcp) : 0;
}

void
ws_close(struct http *http, ws_id id, uint16_t code, const char *reason)
{
	struct peer *peer = find(http, id);
	if (peer == NULL)
		return;
	CHECK(ws_close_code_valid(code));
	CHECK(reason == NULL || strlen(reason) <= WS_CLOSE_REASON_MAX);
	struct ws *ws = peer->ws;
	switch (peer->state) {
	case PEER_WS_OPEN:
		ws->close_code = code;
		snprintf(ws->reason, sizeof ws->reason, "%s", reason != NULL ? reason : "");
		send_close(peer, code, ws->reason);
		peer->state = PEER_WS_CLOSING;
		peer_arm(peer, loop_now_us() + GOODBYE_US);
		break;
	case PEER_WS_CONNECTING:
	case PEER_WS_HANDSHAKE:
		fail_soon(peer, "closed by us before it opened");
		break;
	case PEER_WS_CLOSING:
	case PEER_WS_FAILED:
		break;
	case PEER_HEAD:
	case PEER_BODY:
	case PEER_WAITING:
	case PEER_SENDING:
		check_fail(__FILE__, __LINE__, "a WebSocket in a state of HTTP");
	}
}

struct net_addr
ws_peer(const struct http *http, ws_id id)
{
	const struct peer *peer = find(http, id);
	return peer != NULL ? *tcp_peer(peer->tcp) : (struct net_addr){ 0 };
}

void
ws_say_going(struct peer *peer)
{
	if (peer->state == PEER_WS_OPEN)
		send_close(peer, CLOSE_GOING, "");
}

/* -- in: frames ------------------------------------------------------------------------------ */

static void
became_open(struct peer *peer)
{
	struct ws *ws = peer->ws;
	peer->state = PEER_WS_OPEN;
	ws->heard_us = loop_now_us();
	tcp_set_queue_max(peer->tcp, ws->limits.queue_bytes_max + WS_QUEUE_SLACK_BYTES);
	peer_arm(peer, ws->heard_us + ws->limits.ping_us);
}

static void
message_complete(struct peer *peer)
{
	struct http *http = peer->http;
	struct ws *ws = peer->ws;
	const uint32_t handle = peer->handle;
	ws->in_message = false;
	if (peer->state != PEER_WS_OPEN) {
		buffer_reset(&peer->body); /* we have said goodbye */
		return;
	}
	if (ws->kind == WS_TEXT && !utf8_valid(peer->body.bytes, peer->body.len)) {
		fail(peer, CLOSE_NOT_TEXT, "text is not UTF-8");
		return;
	}
	http->callbacks++;
	ws->handler->message(ws->context, (ws_id){ handle }, ws->kind, peer->body.bytes,
	                     peer->body.len);
	http->callbacks--;
	if (peer_alive(http, peer, handle))
		buffer_reset(&peer->body);
}

/* The peer says goodbye, or answers ours. */
static void
close_complete(struct peer *peer)
{
	const struct ws *ws = peer->ws;
	struct reader r = reader_of(ws->control, (size_t)ws->frame_at);
	unsigned code = CLOSE_NO_CODE;
	char text[WS_CLOSE_REASON_MAX + 1] = "";
	if (ws->frame_at != 0) {
		code = reader_u16(&r);
		const size_t len = reader_left(&r);
		if (r.failed || !ws_close_code_valid(code) ||
		    !utf8_valid(ws->control + 2, len)) {
			fail(peer, CLOSE_PROTOCOL, "malformed close frame");
			return;
		}
		memcpy(text, ws->control + 2, len);
		text[len] = '\0';
	}
	if (peer->state == PEER_WS_CLOSING) {
		tcp_close(peer->tcp);
		end(peer, ws->close_code, ws->reason);
		return;
	}
	send_close(peer, code, "");
	tcp_close(peer->tcp);
	end(peer, code, text);
}

static void
frame_complete(struct peer *peer)
{
	struct ws *ws = peer->ws;
	ws->in_frame = false;
	switch (ws->frame.opcode) {
	case WS_OP_CONTINUATION:
	case WS_OP_TEXT:
	case WS_OP_BINARY:
		if (ws->frame.final)
			message_complete(peer);
		break;
	case WS_OP_PING:
		if (peer->state == PEER_WS_OPEN)
			(void)send_frame(peer, WS_OP_PONG, ws->control, (size_t)ws->frame_at);
		break;
	case WS_OP_PONG:
		break; /* any byte counts as a sign of life */
	case WS_OP_CLOSE:
		close_complete(peer);
		break;
	}
}

/* What the header alone can be refused for; the text, or NULL. */
static const char *
frame_fault(const struct ws *ws)
{
	const struct ws_frame *frame = &ws->frame;
	if (frame->masked == ws->client)
		return ws->client ? "masked frame from a server" : "unmasked frame from a client";
	if (frame->opcode == WS_OP_CONTINUATION && !ws->in_message)
		return "continuation of nothing";
	if ((frame->opcode == WS_OP_TEXT || frame->opcode == WS_OP_BINARY) && ws->in_message)
		return "a message inside a message";
	return NULL;
}

/* The frame's header is whole; false when the peer has ended. */
static bool
begin_frame(struct peer *peer)
{
	struct ws *ws = peer->ws;
	const struct ws_frame *frame = &ws->frame;
	const char *fault = frame_fault(ws);
	if (fault != NULL) {
		fail(peer, CLOSE_PROTOCOL, fault);
		return false;
	}
	if (frame->opcode <= WS_OP_BINARY) {
		/* By the announced length, before a byte of it is kept. */
		if (frame->len > ws->limits.message_bytes_max - peer->body.len) {
			char text[WS_CLOSE_REASON_MAX + 1];
			snprintf(text, sizeof text, "message of more than %u bytes",
			         ws->limits.message_bytes_max);
			fail(peer, CLOSE_TOO_BIG, text);
			return false;
		}
		if (frame->opcode != WS_OP_CONTINUATION)
			ws->kind = frame->opcode == WS_OP_TEXT ? WS_TEXT : WS_BINARY;
		ws->in_message = true;
	}
	ws->in_frame = true;
	ws->frame_at = 0;
	return true;
}

/* Bytes of a header: how many were taken. */
static size_t
consume_header(struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct ws *ws = peer->ws;
	const size_t before = ws->header_len;
	const size_t room = sizeof ws->header - before;
	const size_t copied = len < room ? len : room;
	memcpy(ws->header + before, bytes, copied);
	const enum ws_reject reject = ws_frame_parse(&ws->frame, ws->header, before + copied);
	if (reject == WS_MORE) {
		ws->header_len = (uint8_t)(before + copied);
		return copied;
	}
	if (reject != WS_OK) {
		fail(peer, CLOSE_PROTOCOL, ws_reject_name(reject));
		return len;
	}
	ws->header_len = 0;
	const size_t taken = ws->frame.header_len - before;
	if (begin_frame(peer) && ws->frame.len == 0)
		frame_complete(peer);
	return taken;
}

static size_t
consume_payload(struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct ws *ws = peer->ws;
	const uint64_t left = ws->frame.len - ws->frame_at;
	const size_t taken = len < left ? len : (size_t)left;
	uint8_t *copy;
	if (ws->frame.opcode <= WS_OP_BINARY) {
		if (!buffer_append(&peer->body, bytes, taken)) {
			tcp_abort(peer->tcp);
			end(peer, CLOSE_LOST, "no memory");
			return len;
		}
		copy = peer->body.bytes + peer->body.len - taken;
	} else {
		copy = ws->control + ws->frame_at;
		memcpy(copy, bytes, taken);
	}
	if (ws->frame.masked)
		ws_mask(copy, taken, ws->frame.mask, ws->frame_at);
	ws->frame_at += taken;
	if (ws->frame_at == ws->frame.len)
		frame_complete(peer);
	return taken;
}

/* -- opening: server ------------------------------------------------------------------------- */

/* The key of the opening is still in the peer's head. */
static bool
find_key(const struct peer *peer, char accept[WS_ACCEPT_TEXT_LEN + 1])
{
	struct http_head head;
	if (http_request_parse(&head, (const char *)peer->head.bytes, peer->head.len) != HTTP_OK)
		return false;
	ws_accept_of_key(accept, http_head_field(&head, STR("sec-websocket-key")));
	return true;
}

ws_id
ws_accept(struct http *http, http_request_id id, const struct ws_handler *handler, void *context,
          struct str protocol, const struct ws_limits *limits)
{
	const ws_id none = { 0 };
	struct peer *peer = request_take(http, id);
	if (peer == NULL)
		return none;
	CHECK(peer->upgrade);
	char accept[WS_ACCEPT_TEXT_LEN + 1];
	CHECK(find_key(peer, accept));
	peer->ws = ws_create(handler, context, limits);
	if (peer->ws == NULL) {
		tcp_abort(peer->tcp);
		peer_free(peer);
		return none;
	}
	uint8_t bytes[512];
	struct writer w = writer_of(bytes, sizeof bytes);
	writer_format(&w,
	              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	              "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n",
	              accept);
	if (protocol.len != 0)
		writer_format(&w, "Sec-WebSocket-Protocol: %.*s\r\n", STR_ARGS(protocol));
	writer_text(&w, "\r\n");
	CHECK(!w.failed);
	peer->listener->counters.ws_accepted++;
	const ws_id ws = { peer->handle };
	became_open(peer);
	(void)tcp_send(peer->tcp, bytes, w.at);
	if (!peer->consuming)
		buffer_free(&peer->head);
	/* Frames that came early, when this is not inside the `upgrade` callback, are read at the
	 * next turn of the loop: our owner does not know the handle yet. */
	if (!peer->consuming && peer->pending.len != 0)
		peer_arm(peer, loop_now_us());
	return ws;
}

/* -- opening: client ------------------------------------------------------------------------- */

/* "HTTP 403 Forbidden: no such bridge" */
static void
refused_by_server(struct peer *peer, const struct http_head *head, struct str body)
{
	char text[HTTP_REASON_MAX];
	struct writer w = writer_of(text, sizeof text - 1);
	writer_format(&w, "HTTP %u %.*s", head->status,
	              (int)(head->reason.len < 64 ? head->reason.len : 64),
	              head->reason.len != 0 ? head->reason.at : "");
	/* The first line of the body, as far as it is plain text. */
	size_t len = 0;
	while (len < body.len && len < BODY_TEXT_MAX && body.at[len] >= ' ' && body.at[len] <= '~')
		len++;
	if (len != 0)
		writer_format(&w, ": %.*s", (int)len, body.at);
	text[w.at] = '\0';
	tcp_close(peer->tcp);
	end(peer, CLOSE_LOST, text);
}

static const char *
handshake_fault(const struct ws *ws, const struct http_head *head)
{
	if (!head->websocket)
		return "server did not upgrade to WebSocket";
	if (!str_eq(http_head_field(head, STR("sec-websocket-accept")), str_of(ws->accept)))
		return "wrong Sec-WebSocket-Accept";
	const struct str protocol = http_head_field(head, STR("sec-websocket-protocol"));
	if (protocol.len != 0 &&
	    (ws->protocol == NULL || !str_eq_nocase(protocol, str_of(ws->protocol))))
		return "server chose a subprotocol that was not offered";
	if (http_head_field(head, STR("sec-websocket-extensions")).len != 0)
		return "server chose an extension that was not offered";
	return NULL;
}

static void
handshake_complete(struct peer *peer, struct str rest)
{
	struct http *http = peer->http;
	struct http_head head;
	const enum http_reject reject =
	        http_response_parse(&head, (const char *)peer->head.bytes, peer->head.len);
	if (reject != HTTP_OK) {
		fail(peer, CLOSE_LOST, http_reject_name(reject));
		return;
	}
	if (head.status != 101) {
		refused_by_server(peer, &head, rest);
		return;
	}
	const char *fault = handshake_fault(peer->ws, &head);
	if (fault != NULL) {
		fail(peer, CLOSE_LOST, fault);
		return;
	}
	buffer_free(&peer->head);
	became_open(peer);
	if (peer->ws->handler->opened != NULL) {
		http->callbacks++;
		peer->ws->handler->opened(peer->ws->context, (ws_id){ peer->handle });
		http->callbacks--;
	}
}

static size_t
consume_handshake(struct peer *peer, const uint8_t *bytes, size_t len)
{
	const size_t before = peer->head.len;
	const size_t room = HTTP_HEADER_BYTES_MAX - before;
	const size_t taken = len < room ? len : room;
	if (!buffer_append(&peer->head, bytes, taken)) {
		tcp_abort(peer->tcp);
		end(peer, CLOSE_LOST, "no memory");
		return len;
	}
	const size_t head_end =
	        http_head_end((const char *)peer->head.bytes, peer->head.len, before);
	if (head_end == 0) {
		if (peer->head.len == HTTP_HEADER_BYTES_MAX) {
			fail(peer, CLOSE_LOST, "answer too long");
			return len;
		}
		return taken;
	}
	const size_t used = head_end - before;
	peer->head.len = head_end;
	handshake_complete(peer, (struct str){ (const char *)bytes + used, len - used });
	return used;
}

size_t
ws_consume(struct peer *peer, const uint8_t *bytes, size_t len)
{
	peer->ws->heard_us = loop_now_us();
	peer->ws->pinged = false;
	if (peer->state == PEER_WS_HANDSHAKE)
		return consume_handshake(peer, bytes, len);
	return peer->ws->in_frame ? consume_payload(peer, bytes, len)
	                          : consume_header(peer, bytes, len);
}

void
ws_tcp_opened(struct peer *peer)
{
	struct ws *ws = peer->ws;
	if (peer->state != PEER_WS_CONNECTING)
		return; /* given up meanwhile */
	peer->state = PEER_WS_HANDSHAKE;
	(void)tcp_send(peer->tcp, ws->request, strlen(ws->request));
	free(ws->request);
	ws->request = NULL;
}

/* The opening request into `ws`, or false. */
static bool
write_request(struct ws *ws, const struct ws_connect_settings *settings)
{
	uint8_t random[16];
	char key[WS_KEY_TEXT_LEN + 1];
	random_bytes(random, sizeof random);
	struct writer k = writer_of(key, WS_KEY_TEXT_LEN);
	encode_base64(&k, random, sizeof random);
	CHECK(!k.failed && k.at == WS_KEY_TEXT_LEN);
	ws_accept_of_key(ws->accept, writer_view(&k));

	char text[REQUEST_BYTES_MAX];
	struct writer w = writer_of(text, sizeof text - 1);
	const bool usual = settings->to.port == (settings->tls != NULL ? 443 : 80);
	/* An IPv6 literal is written in brackets there. */
	const bool bare = strchr(settings->host, ':') != NULL && settings->host[0] != '[';
	writer_format(&w, "GET %s HTTP/1.1\r\nHost: %s%s%s", settings->path, bare ? "[" : "",
	              settings->host, bare ? "]" : "");
	if (!usual)
		writer_format(&w, ":%u", settings->to.port);
	writer_format(&w,
	              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %.*s\r\n",
	              STR_ARGS(writer_view(&k)));
	if (settings->protocol != NULL)
		writer_format(&w, "Sec-WebSocket-Protocol: %s\r\n", settings->protocol);
	if (settings->authorization != NULL)
		writer_format(&w, "Authorization: %s\r\n", settings->authorization);
	writer_text(&w, "\r\n");
	CHECK(!w.failed);
	text[w.at] = '\0';
	ws->request = strdup(text);
	if (settings->protocol != NULL)
		ws->protocol = strdup(settings->protocol);
	return ws->request != NULL && (settings->protocol == NULL || ws->protocol != NULL);
}

ws_id
ws_connect(struct http *http, const struct ws_connect_settings *settings)
{
	CHECK(settings->host != NULL && settings->path != NULL && settings->path[0] == '/');
	const ws_id none = { 0 };
	struct peer *peer = peer_create(http, NULL);
	if (peer == NULL)
		return none;
	peer->ws = ws_create(settings->handler, settings->context, &settings->limits);
	if (peer->ws == NULL || !write_request(peer->ws, settings)) {
		peer_free(peer);
		return none;
	}
	peer->ws->client = true;
	peer->state = PEER_WS_CONNECTING;
	const int64_t timeout_us = settings->timeout_us != 0 ? settings->timeout_us : CONNECT_US;
	const struct tcp_connect_settings tcp = {
		.to = settings->to,
		.tls = settings->tls,
		.host = settings->host,
		.timeout_us = timeout_us,
		.handler = &http_peer_handler,
		.context = peer,
		.limits = { .queue_bytes_max = HTTP_QUEUE_BYTES },
	};
	if (tcp_connect(&peer->tcp, http->loop, &tcp) != 0) {
		peer_free(peer);
		return none;
	}
	/* The connection has the same time for itself and tells better what it waited for. */
	peer_arm(peer, loop_now_us() + timeout_us + 1000);
	return (ws_id){ peer->handle };
}

/* -- events ---------------------------------------------------------------------------------- */

void
ws_tcp_closed(struct peer *peer, const char *text)
{
	if (peer->state == PEER_WS_CLOSING)
		end(peer, peer->ws->close_code, peer->ws->reason);
	else
		end(peer, CLOSE_LOST, peer->state == PEER_WS_FAILED ? peer->ws->reason : text);
}

void
ws_tcp_drained(struct peer *peer)
{
	struct http *http = peer->http;
	const struct ws *ws = peer->ws;
	if (peer->state == PEER_WS_OPEN && ws->handler->drained != NULL) {
		http->callbacks++;
		ws->handler->drained(ws->context, (ws_id){ peer->handle });
		http->callbacks--;
	}
}

static void
open_timeout(struct peer *peer, int64_t now_us)
{
	struct ws *ws = peer->ws;
	const int64_t ping_at_us = ws->heard_us + ws->limits.ping_us;
	if (now_us < ping_at_us) {
		peer_arm(peer, ping_at_us);
	} else if (!ws->pinged) {
		ws->pinged = true;
		(void)send_frame(peer, WS_OP_PING, NULL, 0);
		peer_arm(peer, now_us + ws->limits.pong_us);
	} else {
		tcp_abort(peer->tcp);
		end(peer, CLOSE_LOST, "no sign of life from peer");
	}
}

void
ws_timeout(struct peer *peer, int64_t now_us)
{
	struct http *http = peer->http;
	const uint32_t handle = peer->handle;
	switch (peer->state) {
	case PEER_WS_OPEN:
		if (peer->pending.len != 0) {
			peer_continue(peer);
			if (!peer_alive(http, peer, handle) || peer->state != PEER_WS_OPEN)
				return;
		}
		open_timeout(peer, now_us);
		break;
	case PEER_WS_CLOSING:
		tcp_abort(peer->tcp);
		end(peer, peer->ws->close_code, peer->ws->reason);
		break;
	case PEER_WS_FAILED:
		tcp_abort(peer->tcp);
		end(peer, CLOSE_LOST, peer->ws->reason);
		break;
	case PEER_WS_CONNECTING:
	case PEER_WS_HANDSHAKE:
		tcp_abort(peer->tcp);
		end(peer, CLOSE_LOST, "no answer to the WebSocket opening in time");
		break;
	case PEER_HEAD:
	case PEER_BODY:
	case PEER_WAITING:
	case PEER_SENDING:
		check_fail(__FILE__, __LINE__, "a WebSocket in a state of HTTP");
	}
}
