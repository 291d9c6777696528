/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a byte stream gives the messages that are in it, whatever its pieces; keep-alives are told
 * apart; lies about lengths end it; work grows with the bytes and not with the pieces.
 *
 * Method: streams written as text with the events they must give, and the property of
 * sip_stream_property.h. */
#include "sip/sip_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "sip/sip_stream_property.h"

#define HEAD "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\n"

static uint8_t buffer[STREAM_CAP];

/* The events as one letter each: M, P(ing), O (pong), and R with the reject's name. */
static const char *
events(const char *text, bool accepted)
{
	static char out[256];
	struct writer w = writer_of(out, sizeof out - 1);
	struct sip_stream stream;
	size_t len = strlen(text);
	sip_stream_init(&stream, buffer, sizeof buffer, accepted);
	while (len != 0) {
		const size_t used = sip_stream_input(&stream, text, len);
		for (struct sip_stream_out o;
		     (o = sip_stream_poll(&stream)).kind != SIP_STREAM_NONE;) {
			switch (o.kind) {
			case SIP_STREAM_MESSAGE:
				writer_text(&w, "M");
				break;
			case SIP_STREAM_PING:
				writer_text(&w, "P");
				break;
			case SIP_STREAM_PONG:
				writer_text(&w, "O");
				break;
			case SIP_STREAM_REJECT:
				writer_text(&w, "R ");
				writer_text(&w, sip_reject_name(o.reject));
				break;
			case SIP_STREAM_NONE:
				break;
			}
		}
		text += used;
		len -= used;
	}
	if (sip_stream_waiting(&stream))
		writer_text(&w, "...");
	EXPECT(!w.failed);
	out[w.at] = '\0';
	return out;
}

TEST(messages_and_keep_alives_are_told_apart)
{
	static const struct {
		const char *text;
		const char *accepted;
		const char *connected;
	} cases[] = {
		{ "", "", "" },
		{ "\r\n\r\n", "P", "OO" },
		{ "\r\n", "", "O" },
		{ "\r\n\r\n\r\n\r\n\r\n", "PP", "OOOOO" },
		{ "\r", "...", "..." },
		{ HEAD "l: 0\r\n\r\n", "M", "M" },
		{ HEAD "l: 0\r\n\r", "...", "..." },
		{ HEAD "l: 4\r\n\r\nabc", "...", "..." },
		{ HEAD "Content-Length : \r\n 3\r\n\r\nabc" HEAD "L:0\r\n\r\n", "MM", "MM" },
		{ "\r\n" HEAD "l: 0\r\n\r\n\r\n\r\n" HEAD "l: 0\r\n\r\n", "MPM", "OMOOM" },
		{ HEAD "l: 0\r\n\r\n\r\n" HEAD "l: 0\r\n\r\n\r\n", "MM", "MOMO" },
		{ HEAD "l: 2\r\nContent-Length: 2\r\n\r\n\r\n", "M", "M" },
		{ HEAD "l: 24\r\n\r\n" HEAD, "M...", "M..." },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_string_equal(events(cases[i].text, true), cases[i].accepted);
		assert_string_equal(events(cases[i].text, false), cases[i].connected);
		check_stream((const uint8_t *)cases[i].text, strlen(cases[i].text));
	}
}

TEST(a_lie_about_the_length_ends_the_stream)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ HEAD "\r\n" HEAD "l: 0\r\n\r\n", "R content_length" },
		{ HEAD "l: -1\r\n\r\n", "R content_length" },
		{ HEAD "l: 1 2\r\n\r\n", "R content_length" },
		{ HEAD "l:\r\n\r\n", "R content_length" },
		{ HEAD "l: 0\r\nl: 1\r\n\r\n", "R content_length" },
		{ HEAD "l: 70000\r\n\r\n", "R body_too_long" },
		{ HEAD "l: 18446744073709551617\r\n\r\n", "R body_too_long" },
		{ HEAD "l: 0\r\n\r\n" HEAD "l: x\r\n\r\n\r\n\r\n", "MR content_length" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_string_equal(events(cases[i].text, true), cases[i].want);
		check_stream((const uint8_t *)cases[i].text, strlen(cases[i].text));
	}
}

TEST(a_refused_message_can_be_answered)
{
	static const char text[] = HEAD "f: <sip:a@b>;tag=1\r\nt: <sip:a@b>\r\ni: 1\r\n"
	                                "CSeq: 1 OPTIONS\r\n\r\n";
	struct sip_stream stream;
	struct sip_msg msg;
	sip_stream_init(&stream, buffer, sizeof buffer, true);
	EXPECT_EQ(sip_stream_input(&stream, text, sizeof text - 1), sizeof text - 1);
	const struct sip_stream_out out = sip_stream_poll(&stream);
	EXPECT_EQ(out.kind, SIP_STREAM_REJECT);
	EXPECT_EQ(sip_msg_parse(&msg, out.bytes, out.len, SIP_STREAM), out.reject);
	EXPECT_EQ(sip_msg_refusal(&msg, out.reject).status, 400);
	EXPECT_EQ(sip_stream_poll(&stream).kind, SIP_STREAM_NONE);
	/* What comes after is dropped. */
	EXPECT_EQ(sip_stream_input(&stream, "\r\n\r\n", 4), 4);
	EXPECT_EQ(sip_stream_poll(&stream).kind, SIP_STREAM_NONE);
	EXPECT(!sip_stream_waiting(&stream));
}

TEST(headers_without_end_fill_the_buffer_and_are_refused)
{
	struct sip_stream stream;
	struct sip_msg msg;
	enum sip_reject reject = SIP_OK;
	size_t given = sizeof HEAD - 1;
	sip_stream_init(&stream, buffer, sizeof buffer, true);
	EXPECT_EQ(sip_stream_input(&stream, HEAD, given), given);
	EXPECT_EQ(sip_stream_poll(&stream).kind, SIP_STREAM_NONE);
	while (reject == SIP_OK && given < 100000) {
		EXPECT_EQ(sip_stream_input(&stream, "x", 1), 1);
		const struct sip_stream_out out = sip_stream_poll(&stream);
		given++;
		if (out.kind != SIP_STREAM_REJECT)
			continue;
		reject = out.reject;
		EXPECT(sip_msg_parse(&msg, out.bytes, out.len, SIP_STREAM) != SIP_OK);
		EXPECT_EQ(sip_msg_refusal(&msg, reject).status, 513);
	}
	EXPECT_EQ(reject, SIP_REJECT_TOO_LONG);
	EXPECT_EQ(given, STREAM_CAP);
}

/* A message of `total` bytes. */
static void
write_sized(char *text, size_t total)
{
	static const char head[] = HEAD "l: 1900\r\n\r\n";
	const size_t body = total - (sizeof head - 1);
	EXPECT(body >= 1000 && body <= 9999);
	memset(text, 'b', total);
	memcpy(text, head, sizeof head - 1);
	struct writer w = writer_of(text + sizeof HEAD - 1 + 3, 4);
	writer_decimal(&w, body);
	text[total] = '\0';
}

TEST(a_message_that_just_fits_the_buffer_is_taken)
{
	static char text[STREAM_CAP + 16];
	write_sized(text, STREAM_CAP);
	assert_string_equal(events(text, true), "M");
	check_stream((const uint8_t *)text, STREAM_CAP);
	write_sized(text, STREAM_CAP + 1);
	assert_string_equal(events(text, true), "R body_too_long");
	check_stream((const uint8_t *)text, STREAM_CAP + 1);
}

TEST(many_messages_in_any_pieces_are_the_same_messages)
{
	static char text[60000];
	struct writer w = writer_of(text, sizeof text);
	for (unsigned i = 0; i < 300; i++) {
		writer_text(&w, HEAD "X-Number: ");
		writer_decimal(&w, i);
		writer_text(&w, "\r\nl: ");
		writer_decimal(&w, i % 5);
		writer_text(&w, "\r\n\r\n");
		writer_bytes(&w, "\r\n\r\n", i % 5);
		if (i % 7 == 0)
			writer_text(&w, "\r\n\r\n");
	}
	EXPECT(!w.failed);
	check_stream((const uint8_t *)text, w.at);
}

TEST(no_flipped_byte_makes_pieces_matter)
{
	static const char text[] = HEAD "l: 3\r\n\r\nabc\r\n\r\n" HEAD "Content-Length: 0\r\n\r\n";
	uint8_t bytes[sizeof text];
	static const uint8_t tries[] = { '\r', '\n', ' ', ':', '9', 0 };
	for (size_t at = 0; at < sizeof text - 1; at++) {
		memcpy(bytes, text, sizeof text);
		for (size_t t = 0; t < sizeof tries; t++) {
			bytes[at] = tries[t];
			check_stream(bytes, sizeof text - 1);
		}
		check_stream(bytes, at);
	}
}
