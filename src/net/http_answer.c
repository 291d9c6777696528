/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of net/http.h: heads, bodies in pieces, and what comes after them. */
#include "net/http.h"

#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "base/check.h"
#include "net/http_internal.h"
#include "net/wall.h"

enum {
	ANSWER_HEAD_BYTES = 8192,
	PIECE_BYTES = 32768, /* of a long answer, at a time */
};

const char *
http_status_text(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} texts[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};
	for (unsigned i = 0; i < COUNT_OF(texts); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "Unknown";
}

static void
write_date(struct writer *w)
{
	const time_t seconds = (time_t)(wall_now().us / 1000000);
	char text[40];
	struct tm parts;
	gmtime_r(&seconds, &parts);
	const size_t len = strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
	writer_text(w, "Date: ");
	writer_bytes(w, text, len);
	writer_text(w, "\r\n");
}

static bool
header_is_safe(const struct http_header *header)
{
	const struct str parts[] = { header->name, header->value };
	for (unsigned p = 0; p < COUNT_OF(parts); p++) {
		for (size_t i = 0; i < parts[p].len; i++) {
			const char c = parts[p].at[i];
			if (c == '\r' || c == '\n' || c == '\0')
				return false;
		}
	}
	return header->name.len != 0;
}

/* RFC 9110 s8.6: neither of these has a length. */
static bool
status_has_body(unsigned status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* false when a header cannot be sent. */
static bool
write_answer_head(struct writer *w, const struct http_response *response, bool close_after)
{
	writer_format(w, "HTTP/1.1 %u %s\r\n", response->status,
	              http_status_text(response->status));
	write_date(w);
	if (status_has_body(response->status))
		writer_format(w, "Content-Length: %zu\r\n", response->body.len);
	if (close_after)
		writer_text(w, "Connection: close\r\n");
	for (uint32_t i = 0; i < response->header_count; i++) {
		const struct http_header *header = &response->headers[i];
		if (!header_is_safe(header))
			return false;
		writer_str(w, header->name);
		writer_text(w, ": ");
		writer_str(w, header->value);
		writer_text(w, "\r\n");
	}
	writer_text(w, "\r\n");
	return !w->failed;
}

/* The answer is out: the next request, or the end. */
static void
answer_done(struct peer *peer)
{
	free(peer->answer_owned);
	peer->answer_owned = NULL;
	peer->answer = NULL;
	if (peer->close_after) {
		peer_close(peer);
		return;
	}
	/* A client that sends requests but does not read answers gets no further ones. */
	if (tcp_queued(peer->tcp) > HTTP_QUEUE_BYTES / 2) {
		peer->state = PEER_SENDING;
		peer->answer_at = peer->answer_len = 0;
		peer_arm(peer, loop_now_us() + HTTP_SENDING_US_MAX);
		return;
	}
	peer->state = PEER_HEAD;
	peer_arm(peer, loop_now_us() + peer->listener->settings.keep_alive_us);
	if (!peer->consuming) {
		buffer_reset(&peer->head);
		peer_continue(peer);
	}
}

/* A connection that breaks meanwhile is told by `closed`. */
void
http_answer_pump(struct peer *peer)
{
	while (peer->answer_at < peer->answer_len) {
		if (tcp_queued(peer->tcp) > HTTP_QUEUE_BYTES / 2)
			return;
		const size_t left = peer->answer_len - peer->answer_at;
		const size_t len = left < PIECE_BYTES ? left : PIECE_BYTES;
		if (tcp_send(peer->tcp, peer->answer + peer->answer_at, len) != 0)
			return;
		peer->answer_at += len;
	}
	answer_done(peer);
}

static void
answer_body(struct peer *peer, const struct http_response *response)
{
	peer->answer = (const uint8_t *)response->body.at;
	peer->answer_len = response->body.len;
	peer->answer_at = 0;
	peer->state = PEER_SENDING;
	if (!response->body_static) {
		peer->answer_owned = malloc(response->body.len);
		if (peer->answer_owned == NULL) {
			tcp_abort(peer->tcp);
			peer_free(peer);
			return;
		}
		memcpy(peer->answer_owned, response->body.at, response->body.len);
		peer->answer = peer->answer_owned;
	}
	peer_arm(peer, loop_now_us() + HTTP_SENDING_US_MAX);
	http_answer_pump(peer);
}

void
http_answer(struct peer *peer, const struct http_response *response)
{
	uint8_t bytes[ANSWER_HEAD_BYTES];
	struct writer w = writer_of(bytes, sizeof bytes);
	const bool listening = peer->listener != NULL && !peer->listener->closed;
	peer->close_after = peer->close_after || response->close || !listening;
	if (!write_answer_head(&w, response, peer->close_after)) {
		const struct http_response broken = { .status = 500, .close = true };
		w = writer_of(bytes, sizeof bytes);
		peer->close_after = true;
		CHECK(write_answer_head(&w, &broken, true));
		tcp_send(peer->tcp, bytes, w.at);
		answer_done(peer);
		return;
	}
	const bool body =
	        response->body.len != 0 && !peer->head_only && status_has_body(response->status);
	const bool together = body && response->body.len <= w.cap - w.at;
	if (together)
		writer_str(&w, response->body);
	tcp_send(peer->tcp, bytes, w.at);
	if (body && !together)
		answer_body(peer, response);
	else
		answer_done(peer);
}

void
http_respond(struct http *http, http_request_id id, const struct http_response *response)
{
	CHECK(response->status >= 200 && response->status <= 599);
	struct peer *peer = request_take(http, id);
	if (peer != NULL)
		http_answer(peer, response);
}

void
http_respond_text(struct http *http, http_request_id id, unsigned status, const char *content_type,
                  struct str body)
{
	const struct http_header type = { STR("Content-Type"), str_of(content_type) };
	http_respond(http, id,
	             &(struct http_response){
	                     .status = status, .headers = &type, .header_count = 1, .body = body });
}
