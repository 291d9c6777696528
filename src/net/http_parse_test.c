/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: heads and chunks are read as RFC 9112 says, each rule that is broken is named, every prefix
 * waits and no byte can be flipped into a view outside the message.  Frames of RFC 6455 likewise. */
#include "base/test.h"
#include "net/http_parse_check.h"
#include "net/ws_frame.h"

static enum http_reject
parse(struct http_head *head, const char *text)
{
	const size_t len = strlen(text);
	EXPECT_EQ(http_head_end(text, len, 0), len);
	return http_request_parse(head, text, len);
}

TEST(a_request_is_read_in_its_parts)
{
	struct http_head head;
	EXPECT_EQ(parse(&head,
	                "PUT /api/v1/calls?filter=a%20b&x HTTP/1.1\r\nHost: bridge:8445\r\n"
	                "content-length:  12 \r\nX-Empty:\r\nConnection: keep-alive, Close\r\n"
	                "Expect: 100-continue\r\n\r\n"),
	          HTTP_OK);
	EXPECT_STR(head.method, "PUT");
	EXPECT_STR(head.path, "/api/v1/calls");
	EXPECT_STR(head.query, "filter=a%20b&x");
	EXPECT_STR(head.host, "bridge:8445");
	EXPECT_EQ(head.content_length, 12);
	EXPECT(head.has_length && !head.chunked && head.close && head.expect_continue);
	EXPECT(!head.websocket);
	EXPECT_STR(http_head_field(&head, STR("x-empty")), "");
	EXPECT_EQ(head.header_count, 5);
}

TEST(openings_and_old_forms_are_recognised)
{
	struct http_head head;
	EXPECT_EQ(parse(&head, "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n"
	                       "Connection: keep-alive, Upgrade\r\n\r\n"),
	          HTTP_OK);
	EXPECT(head.websocket);
	EXPECT_EQ(parse(&head, "\r\nGET http://a.test?x=1 HTTP/1.0\r\n\r\n"), HTTP_OK);
	EXPECT(head.close);
	EXPECT_STR(head.path, "/");
	EXPECT_STR(head.query, "x=1");
	EXPECT_EQ(parse(&head, "GET https://a.test/p?x=1 HTTP/1.1\r\nHost: a.test\r\n\r\n"),
	          HTTP_OK);
	EXPECT_STR(head.path, "/p");
	EXPECT_STR(head.query, "x=1");
	EXPECT_EQ(parse(&head, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP_OK);
	EXPECT_EQ(parse(&head, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
	          HTTP_OK);
	EXPECT(head.chunked);
}

TEST(each_broken_rule_is_named)
{
	static const struct {
		enum http_reject want;
		const char *text;
	} cases[] = {
		{ HTTP_REJECT_START_LINE, "GET\r\n\r\n" },
		{ HTTP_REJECT_START_LINE, "GET /\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_START_LINE, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_START_LINE, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_VERSION, "GET / HTTP/2.0\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_VERSION, "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_TARGET, "GET x HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_TARGET, "GET * HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_TARGET, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_TARGET, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_FIELD, "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n" },
		{ HTTP_REJECT_FIELD, "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n" },
		{ HTTP_REJECT_FIELD, "GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n" },
		{ HTTP_REJECT_FIELD, "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n" },
		{ HTTP_REJECT_HOST, "GET / HTTP/1.1\r\n\r\n" },
		{ HTTP_REJECT_HOST, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" },
		{ HTTP_REJECT_LENGTH, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" },
		{ HTTP_REJECT_LENGTH, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n" },
		{ HTTP_REJECT_LENGTH, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		                      "Content-Length: 1\r\n\r\n" },
		{ HTTP_REJECT_LENGTH, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: "
		                      "18446744073709551616\r\n\r\n" },
		{ HTTP_REJECT_LENGTH, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		                      "Transfer-Encoding: chunked\r\n\r\n" },
		{ HTTP_REJECT_CODING,
		  "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" },
		{ HTTP_REJECT_CODING, "GET / HTTP/1.1\r\nHost: a\r\n"
		                      "Transfer-Encoding: chunked, chunked\r\n\r\n" },
		{ HTTP_REJECT_CODING, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_head head;
		const enum http_reject got = parse(&head, cases[i].text);
		EXPECT_STR(str_of(http_reject_name(got)), http_reject_name(cases[i].want));
		EXPECT(http_reject_status(got) >= 400);
	}
	char many[8192] = "GET / HTTP/1.1\r\nHost: a\r\n";
	for (unsigned i = 0; i < HTTP_HEADERS_MAX; i++)
		strncat(many, "X: y\r\n", sizeof many - strlen(many) - 1);
	strncat(many, "\r\n", sizeof many - strlen(many) - 1);
	struct http_head head;
	EXPECT_EQ(parse(&head, many), HTTP_REJECT_FIELDS);
}

TEST(responses_are_read_too)
{
	static const char text[] = "HTTP/1.1 403 Not for you\r\nContent-Length: 3\r\n\r\n";
	struct http_head head;
	EXPECT_EQ(http_response_parse(&head, text, sizeof text - 1), HTTP_OK);
	EXPECT_EQ(head.status, 403);
	EXPECT_STR(head.reason, "Not for you");
	EXPECT_EQ(http_response_parse(&head, "HTTP/1.1 40 x\r\n\r\n", 17), HTTP_REJECT_STATUS);
	EXPECT_EQ(http_response_parse(&head, "HTTP/3 200 OK\r\n\r\n", 17), HTTP_REJECT_VERSION);
}

TEST(every_prefix_waits_and_no_flip_escapes)
{
	static const char text[] =
	        "POST /a/b?c=d HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
	        "Content-Length: 5\r\nExpect: 100-continue\r\nX-Y: z, w\r\n\r\n";
	const size_t len = sizeof text - 1;
	for (size_t n = 0; n < len; n++) {
		EXPECT_EQ(http_head_end(text, n, 0), 0);
		EXPECT_EQ(http_head_end(text, len, n), len);
	}
	for (size_t at = 0; at < len; at++) {
		for (unsigned value = 0; value < 256; value += 3) {
			char bytes[sizeof text];
			memcpy(bytes, text, sizeof text);
			bytes[at] = (char)value;
			http_parse_check(bytes, len);
		}
	}
}

/* A chunked body in pieces of `piece` bytes. */
static enum http_reject
unchunk(const char *text, size_t piece, char out[64], bool *done)
{
	struct http_chunks chunks = { 0 };
	enum http_reject reject = HTTP_OK;
	size_t out_len = 0;
	size_t at = 0;
	const size_t len = strlen(text);
	while (at < len && chunks.state != HTTP_CHUNK_DONE && reject == HTTP_OK) {
		size_t left = len - at < piece ? len - at : piece;
		while (left != 0 && chunks.state != HTTP_CHUNK_DONE && reject == HTTP_OK) {
			struct str data;
			const size_t taken =
			        http_chunks_input(&chunks, text + at, left, &data, &reject);
			EXPECT(taken != 0 && taken <= left && out_len + data.len < 64);
			memcpy(out + out_len, data.at, data.len);
			out_len += data.len;
			at += taken;
			left -= taken;
		}
	}
	out[out_len] = '\0';
	*done = chunks.state == HTTP_CHUNK_DONE;
	return reject;
}

TEST(chunked_bodies_come_together_in_pieces_of_any_size)
{
	static const char text[] =
	        "5;name=\"v\"\r\nhello\r\n00A\r\n, world!!!\r\n0\r\nT: x\r\n\r\n";
	for (size_t piece = 1; piece < sizeof text; piece++) {
		char out[64];
		bool done;
		EXPECT_EQ(unchunk(text, piece, out, &done), HTTP_OK);
		EXPECT(done);
		EXPECT_STR(str_of(out), "hello, world!!!");
	}
}

TEST(chunks_that_lie_are_refused)
{
	static const char *const cases[] = {
		"\r\n",
		"g\r\n",
		"5 x",
		"-1\r\n",
		"0x5\r\n",
		"5\r\nhelloX\r\n",
		"5\n",
		"5\rX",
		" 5",
		"1000000000000000\r\n",
		"5\r\nhello\rX",
		"0\r\nT: x\rX",
		"5;a\nb\r\n",
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		char out[64];
		bool done;
		const enum http_reject reject = unchunk(cases[i], 1, out, &done);
		/* "5 x": a blank begins an extension, as some clients pad sizes. */
		if (strcmp(cases[i], "5 x") != 0)
			EXPECT_EQ(reject, HTTP_REJECT_CHUNK);
		EXPECT(!done);
	}
}

/* -- frames ---------------------------------------------------------------------------------- */

TEST(the_frames_of_rfc_6455_s5_7_are_read)
{
	struct ws_frame frame;
	const uint8_t hello[] = {
		0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58
	};
	EXPECT_EQ(ws_frame_parse(&frame, hello, sizeof hello), WS_OK);
	EXPECT(frame.final && frame.masked);
	EXPECT_EQ(frame.opcode, WS_OP_TEXT);
	EXPECT_EQ(frame.len, 5);
	uint8_t payload[5];
	memcpy(payload, hello + frame.header_len, 5);
	ws_mask(payload, 2, frame.mask, 0);
	ws_mask(payload + 2, 3, frame.mask, 2);
	EXPECT(memcmp(payload, "Hello", 5) == 0);

	const uint8_t long_one[] = { 0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0 };
	EXPECT_EQ(ws_frame_parse(&frame, long_one, sizeof long_one), WS_OK);
	EXPECT_EQ(frame.len, 65536);
	for (size_t n = 0; n < sizeof long_one; n++)
		EXPECT_EQ(ws_frame_parse(&frame, long_one, n), WS_MORE);
}

TEST(lengths_survive_writing_and_reading)
{
	const uint64_t lens[] = { 0, 1, 125, 126, 127, 65535, 65536, 1u << 30 };
	const uint8_t mask[4] = { 1, 2, 3, 4 };
	for (unsigned i = 0; i < sizeof lens / sizeof *lens; i++) {
		uint8_t bytes[WS_HEADER_BYTES_MAX];
		struct ws_frame frame;
		const uint8_t *with = i % 2 != 0 ? mask : NULL;
		const size_t len = ws_frame_write(bytes, WS_OP_BINARY, lens[i], with);
		EXPECT_EQ(ws_frame_parse(&frame, bytes, len), WS_OK);
		EXPECT_EQ(frame.header_len, len);
		EXPECT_EQ(frame.len, lens[i]);
		EXPECT_EQ(frame.masked, with != NULL);
	}
}

TEST(frames_that_lie_are_refused)
{
	static const struct {
		enum ws_reject want;
		uint8_t bytes[10];
	} cases[] = {
		{ WS_REJECT_RESERVED, { 0xc1, 0x80 } },
		{ WS_REJECT_RESERVED, { 0x83, 0x80 } },
		{ WS_REJECT_RESERVED, { 0x8b, 0x80 } },
		{ WS_REJECT_CONTROL, { 0x09, 0x80 } },
		{ WS_REJECT_CONTROL, { 0x88, 0xfe, 0, 126 } },
		{ WS_REJECT_LENGTH, { 0x82, 0xfe, 0, 125 } },
		{ WS_REJECT_LENGTH, { 0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff } },
		{ WS_REJECT_LENGTH, { 0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0 } },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ws_frame frame;
		EXPECT_EQ(ws_frame_parse(&frame, cases[i].bytes, sizeof cases[i].bytes),
		          cases[i].want);
	}
}

TEST(close_codes_have_their_bounds)
{
	const unsigned valid[] = { 1000, 1003, 1007, 1014, 3000, 4999 };
	const unsigned invalid[] = { 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000 };
	for (unsigned i = 0; i < sizeof valid / sizeof *valid; i++)
		EXPECT(ws_close_code_valid(valid[i]));
	for (unsigned i = 0; i < sizeof invalid / sizeof *invalid; i++)
		EXPECT(!ws_close_code_valid(invalid[i]));
}

TEST(the_accept_value_is_that_of_rfc_6455_s1_3)
{
	char accept[WS_ACCEPT_TEXT_LEN + 1];
	ws_accept_of_key(accept, STR("dGhlIHNhbXBsZSBub25jZQ=="));
	EXPECT_STR(str_of(accept), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
