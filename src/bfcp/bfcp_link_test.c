/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: messages come out of streams and fragments as they went in, however they were cut, and what
 * cannot be acted on gets the Error that says why.  (What is sent again, and when, is in the
 * dialogues of bfcp_server_test.c and bfcp_client_test.c.) */
#include "bfcp/bfcp_link.h"

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "bfcp/bfcp_test_dialogue.h"

enum { FRAGMENT_HEADER = BFCP_HEADER_BYTES + BFCP_FRAGMENT_BYTES };

static void
open_link(struct bfcp_link *link, enum bfcp_transport transport)
{
	const struct bfcp_link_settings settings = { .transport = transport,
		                                     .conference_id = DIALOGUE_CONFERENCE,
		                                     .user_id = DIALOGUE_USER,
		                                     .transaction_id = DIALOGUE_TRANSACTION };
	bfcp_link_init(link, &settings, 0);
}

/* Everything that a link has to give, as lines: "> " for messages, "< " for answers. */
static void
drain(struct bfcp_link *link, struct writer *w)
{
	static struct bfcp_msg msg;
	const uint8_t *bytes = NULL;
	uint8_t answers = 0;
	for (;;) {
		size_t len = bfcp_link_poll(link, &bytes);
		const bool message = len == 0 && bfcp_link_take(link, &msg, &answers);
		if (len == 0 && !message)
			len = bfcp_link_poll(link, &bytes); /* an Error that the take has left */
		if (message) {
			writer_format(w, "> %s t=%u %u\n",
			              bfcp_primitive_name(msg.header.primitive),
			              (unsigned)msg.header.transaction_id,
			              (unsigned)msg.info.len);
		} else if (len != 0) {
			writer_text(w, "< ");
			dialogue_describe(w, bytes, len, link->settings.transport);
			writer_text(w, "\n");
		} else {
			return;
		}
	}
}

TEST(a_stream_may_be_cut_anywhere)
{
	static uint8_t stream[1024];
	size_t len = 0;
	static const char *const words[] = { "Hello t=1", "FloorRequest t=2 floor=2",
		                             "FloorStatusAck t=3", /* concerns nobody */
		                             "FloorQuery t=4 floor=2 conf=9", "Goodbye t=5" };
	for (unsigned i = 0; i < COUNT_OF(words); i++)
		len += dialogue_write(stream + len, sizeof stream - len, str_of(words[i]),
		                      BFCP_TRANSPORT_STREAM);
	for (size_t piece = 1; piece <= len; piece++) {
		static struct bfcp_link link;
		char text[512];
		struct writer w = writer_of(text, sizeof text);
		open_link(&link, BFCP_TRANSPORT_STREAM);
		for (size_t at = 0; at < len; at += piece) {
			const size_t count = piece < len - at ? piece : len - at;
			EXPECT_EQ(bfcp_link_input(&link, stream + at, count, 0), count);
			drain(&link, &w);
		}
		EXPECT_STR(writer_view(&w), "> Hello t=1 0\n"
		                            "> FloorRequest t=2 0\n"
		                            "< Error t=4 conf=9 error=1\n"
		                            "> Goodbye t=5 0\n");
		EXPECT(!bfcp_link_failed(&link));
	}
}

TEST(a_stream_of_many_messages_is_taken_in_pieces)
{
	static uint8_t stream[300 * BFCP_HEADER_BYTES];
	static struct bfcp_link link;
	struct bfcp_msg msg;
	uint8_t answers = 0;
	size_t len = 0;
	unsigned count = 0;
	while (len < sizeof stream)
		len += dialogue_write(stream + len, sizeof stream - len, STR("Hello t=1"),
		                      BFCP_TRANSPORT_STREAM);
	open_link(&link, BFCP_TRANSPORT_STREAM);
	for (size_t at = 0; at < len;) {
		const size_t taken = bfcp_link_input(&link, stream + at, len - at, 0);
		EXPECT(taken != 0 && taken <= BFCP_MSG_BYTES_MAX);
		at += taken;
		while (bfcp_link_take(&link, &msg, &answers))
			count++;
	}
	EXPECT_EQ(count, 300);
}

TEST(a_stream_that_makes_no_sense_has_failed)
{
	static const struct {
		uint8_t bytes[16];
		enum bfcp_reject why;
	} cases[] = {
		{ { 'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '/' }, BFCP_REJECT_LONG },
		{ { 0x60, 11, 0, 0 }, BFCP_REJECT_VERSION },
		{ { 0x28, 11, 0, 1, 0, 0, 0, 1, 0, 1, 0, 7, 0, 0, 0, 1 }, BFCP_REJECT_FRAGMENT },
	};
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		static struct bfcp_link link;
		char text[64];
		struct writer w = writer_of(text, sizeof text);
		open_link(&link, BFCP_TRANSPORT_STREAM);
		(void)bfcp_link_input(&link, cases[i].bytes, sizeof cases[i].bytes, 0);
		drain(&link, &w);
		EXPECT(bfcp_link_failed(&link));
		EXPECT_EQ(link.rejects[cases[i].why], 1);
		EXPECT_EQ(w.at, 0);
		EXPECT_EQ(bfcp_link_input(&link, cases[i].bytes, 16, 0), 16);
		EXPECT_EQ(bfcp_link_deadline(&link), INT64_MAX);
	}
}

/* A message with a text, cut into fragments of `units` units each. */
static size_t
fragment(uint8_t *out, const uint8_t *whole, size_t whole_len, unsigned units, unsigned number)
{
	const size_t at = (size_t)number * units * 4;
	size_t len = (size_t)units * 4;
	if (at + len > whole_len - BFCP_HEADER_BYTES)
		len = whole_len - BFCP_HEADER_BYTES - at;
	memcpy(out, whole, BFCP_HEADER_BYTES);
	out[0] |= 0x08;
	out[12] = (uint8_t)(at / 4 >> 8);
	out[13] = (uint8_t)(at / 4);
	out[14] = (uint8_t)(len / 4 >> 8);
	out[15] = (uint8_t)(len / 4);
	memcpy(out + FRAGMENT_HEADER, whole + BFCP_HEADER_BYTES + at, len);
	return FRAGMENT_HEADER + len;
}

static size_t
long_request(uint8_t *out, size_t cap, uint16_t transaction_id)
{
	static char text[200];
	struct bfcp_msg msg = { .header = { .version = 2,
		                            .primitive = BFCP_FLOOR_REQUEST,
		                            .conference_id = DIALOGUE_CONFERENCE,
		                            .transaction_id = transaction_id,
		                            .user_id = DIALOGUE_USER },
		                .floor_count = 1,
		                .floors[0] = DIALOGUE_FLOOR,
		                .info = { text, sizeof text } };
	memset(text, 'x', sizeof text);
	struct writer w = writer_of(out, cap);
	bfcp_msg_write(&w, &msg);
	EXPECT(!w.failed);
	return w.at;
}

TEST(fragments_are_put_together_in_any_order)
{
	uint8_t whole[512];
	uint8_t piece[512];
	struct prng prng;
	prng_init(&prng, 1);
	const size_t whole_len = long_request(whole, sizeof whole, 3);
	const unsigned all = (unsigned)(whole_len - BFCP_HEADER_BYTES) / 4;
	for (unsigned units = 1; units <= all; units++) {
		static struct bfcp_link link;
		char text[256];
		struct writer w = writer_of(text, sizeof text);
		const unsigned count = (all + units - 1) / units;
		open_link(&link, BFCP_TRANSPORT_UDP);
		unsigned order[64];
		for (unsigned i = 0; i < count; i++) {
			const unsigned other = prng_below(&prng, i + 1);
			order[i] = order[other];
			order[other] = i;
		}
		for (unsigned i = 0; i < count; i++) {
			EXPECT_EQ(w.at, 0);
			const size_t len = fragment(piece, whole, whole_len, units, order[i]);
			const unsigned copies = i + 1 < count ? 2 : 1;
			for (unsigned copy = 0; copy < copies; copy++) {
				(void)bfcp_link_input(&link, piece, len, 0);
				drain(&link, &w);
			}
		}
		EXPECT_STR(writer_view(&w), "> FloorRequest t=3 200\n");
	}
}

TEST(fragments_of_two_messages_do_not_mix)
{
	uint8_t first[512];
	uint8_t second[512];
	uint8_t piece[512];
	static struct bfcp_link link;
	char text[256];
	struct writer w = writer_of(text, sizeof text);
	const size_t len = long_request(first, sizeof first, 3);
	(void)long_request(second, sizeof second, 4);
	open_link(&link, BFCP_TRANSPORT_UDP);
	(void)bfcp_link_input(&link, piece, fragment(piece, first, len, 40, 0), 0);
	drain(&link, &w);
	(void)bfcp_link_input(&link, piece, fragment(piece, second, len, 40, 1), 0);
	drain(&link, &w);
	EXPECT_EQ(w.at, 0);
	(void)bfcp_link_input(&link, piece, fragment(piece, second, len, 40, 0), 0);
	drain(&link, &w);
	EXPECT_STR(writer_view(&w), "> FloorRequest t=4 200\n");
}

TEST(fragments_that_do_not_fit_are_counted)
{
	uint8_t whole[512];
	uint8_t piece[512];
	static struct bfcp_link link;
	char text[64];
	struct writer w = writer_of(text, sizeof text);
	const size_t len = long_request(whole, sizeof whole, 3);
	open_link(&link, BFCP_TRANSPORT_UDP);
	const size_t piece_len = fragment(piece, whole, len, 40, 0);
	(void)bfcp_link_input(&link, piece, piece_len - 1, 0);
	drain(&link, &w);
	EXPECT_EQ(link.rejects[BFCP_REJECT_LENGTH], 1);
	piece[13] = 20; /* 20 + 40 units are more than the message has */
	(void)bfcp_link_input(&link, piece, piece_len, 0);
	drain(&link, &w);
	EXPECT_EQ(link.rejects[BFCP_REJECT_FRAGMENT], 1);
	piece[13] = 0;
	piece[15] = 0;
	(void)bfcp_link_input(&link, piece, FRAGMENT_HEADER, 0);
	drain(&link, &w);
	EXPECT_EQ(link.rejects[BFCP_REJECT_FRAGMENT], 2);
	static const uint8_t huge[BFCP_MSG_BYTES_MAX + 1] = { 0x40, BFCP_HELLO };
	(void)bfcp_link_input(&link, huge, sizeof huge, 0);
	drain(&link, &w);
	EXPECT_EQ(link.rejects[BFCP_REJECT_LONG], 1);
	EXPECT_EQ(w.at, 0);
}

TEST(what_cannot_be_acted_on_gets_its_error)
{
	static const struct {
		uint8_t bytes[20];
		uint8_t len;
		const char *want;
	} cases[] = {
		{ { 0x60, 11, 0, 0, 0, 0, 0x12, 0x67, 0, 1, 0, 7 }, 12,
		  "< Error R t=1 error=12\n" },
		{ { 0x40, 11, 0, 1, 0, 0, 0x12, 0x67, 0, 1, 0, 7 }, 12,
		  "< Error R t=1 error=13\n" },
		{ { 0x40, 11, 9, 0, 0, 0, 0x12, 0x67, 0, 1, 0, 7 }, 12,
		  "< Error R t=1 error=10\n" },
		{ { 0x40, 1, 0, 0, 0, 0, 0x12, 0x67, 0, 1, 0, 7 }, 12,
		  "< Error R t=1 error=10\n" },
		{ { 0x40, 11, 0, 1, 0, 0, 0x12, 0x67, 0, 1, 0, 7, 0x51, 4, 0, 0 }, 16,
		  "< Error R t=1 error=4:50\n" },
		/* Nobody waits for these to be answered. */
		{ { 0x50, 11, 0, 1, 0, 0, 0x12, 0x67, 0, 1, 0, 7 }, 12, "" },
		{ { 0x40, 13, 0, 0, 0, 0, 0x12, 0x67, 0, 1, 0, 7 }, 12, "" },
		{ { 0x40, 12, 0, 1, 0, 0, 0x12, 0x67, 0, 1, 0, 7 }, 12, "" },
		{ { 0x40, 11, 0, 1, 0, 0, 0x12, 0x67, 0, 0, 0, 7 }, 12, "" },
		{ { 0x40 }, 4, "" },
	};
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		static struct bfcp_link link;
		char text[64];
		struct writer w = writer_of(text, sizeof text);
		open_link(&link, BFCP_TRANSPORT_UDP);
		(void)bfcp_link_input(&link, cases[i].bytes, cases[i].len, 0);
		drain(&link, &w);
		EXPECT_STR(writer_view(&w), cases[i].want);
	}
}

TEST(transactions_are_numbered_past_zero)
{
	static struct bfcp_link link;
	const uint8_t *bytes = NULL;
	open_link(&link, BFCP_TRANSPORT_UDP);
	link.transaction_id = 0xFFFF;
	for (unsigned i = 0; i < 2; i++) {
		struct bfcp_msg msg = { .header.primitive = i == 0 ? BFCP_HELLO : BFCP_GOODBYE };
		bfcp_link_request(&link, &msg);
		EXPECT_EQ(msg.header.transaction_id, i == 0 ? 0xFFFF : 1);
		EXPECT(bfcp_link_poll(&link, &bytes) != 0);
	}
}
