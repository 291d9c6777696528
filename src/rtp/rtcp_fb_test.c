/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: feedback is read and written as RFC 4585, RFC 5104, the REMB and the transport-wide drafts
 * say, one case per reject, and no message costs more than its limit.
 * Method: bytes worked out by hand from the figures; written messages are read back, damaged at
 * every byte and cut at every length; random arrivals go through writer and reader in every room.
 * */
#include "rtp/rtcp_fb.h"

#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "rtp/rtcp_fb_property.h"

enum {
	ROOM = 4096,
	MS = 1000,
};

static uint8_t room[ROOM];

static struct writer
empty(void)
{
	memset(room, 0xee, sizeof room);
	return writer_of(room, sizeof room);
}

static struct rtcp_fb
read_first(const uint8_t *bytes, size_t len)
{
	struct rtcp_packet packet;
	struct rtcp_fb fb = { 0 };
	size_t at = 0;
	EXPECT_EQ(rtcp_parse(bytes, len, true), RTCP_OK);
	EXPECT(rtcp_next(bytes, len, &at, &packet));
	EXPECT_EQ(rtcp_fb_parse(&fb, &packet), RTCP_FB_OK);
	return fb;
}

static void
expect_bytes(const struct writer *w, const uint8_t *want, size_t len)
{
	EXPECT(!w->failed);
	EXPECT_EQ(w->at, len);
	for (size_t i = 0; i < len; i++)
		EXPECT_EQ(w->bytes[i], want[i]);
}

/* ---- NACK, PLI, FIR ---- */

TEST(lost_packets_are_gathered_into_pairs)
{
	static const uint16_t seqs[] = { 0xfffe, 0xffff, 0x000e, 0x000f, 0x0100 };
	static const uint8_t want[] = {
		0x81, 205,  0,    5,    0,    0,    0,    1,
		0,    0,    0,    2,    0xff, 0xfe, 0x80, 0x01, /* 0xfffe, +1, +16 */
		0x00, 0x0f, 0x00, 0x00,                         /* +17 is the next pair */
		0x01, 0x00, 0x00, 0x00,
	};
	struct writer w = empty();
	rtcp_fb_write_nack(&w, 1, 2, seqs, COUNT_OF(seqs));
	expect_bytes(&w, want, sizeof want);

	const struct rtcp_fb fb = read_first(room, w.at);
	EXPECT_EQ(fb.kind, RTCP_FB_NACK);
	EXPECT_EQ(fb.sender_ssrc, 1);
	EXPECT_EQ(fb.media_ssrc, 2);
	EXPECT_EQ(fb.count, 3);
	uint32_t at = 0;
	uint16_t seq;
	for (size_t i = 0; i < COUNT_OF(seqs); i++) {
		EXPECT(rtcp_fb_nack_next(&fb, &at, &seq));
		EXPECT_EQ(seq, seqs[i]);
	}
	EXPECT(!rtcp_fb_nack_next(&fb, &at, &seq));
}

TEST(a_pair_may_ask_for_seventeen)
{
	static const uint8_t bytes[] = {
		0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 7, 0xff, 0xff
	};
	const struct rtcp_fb fb = read_first(bytes, sizeof bytes);
	uint32_t at = 0;
	uint16_t seq;
	for (uint16_t want = 7; want < 24; want++) {
		EXPECT(rtcp_fb_nack_next(&fb, &at, &seq));
		EXPECT_EQ(seq, want);
	}
	EXPECT(!rtcp_fb_nack_next(&fb, &at, &seq));
}

TEST(a_picture_is_asked_for)
{
	static const uint8_t pli[] = { 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2 };
	struct writer w = empty();
	rtcp_fb_write_pli(&w, 1, 2);
	expect_bytes(&w, pli, sizeof pli);
	EXPECT_EQ(read_first(room, w.at).kind, RTCP_FB_PLI);

	static const uint8_t fir[] = { 0x84, 206, 0,   6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
		                       0,    9,   200, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0 };
	static const struct rtcp_fir entries[] = { { 9, 200 }, { 8, 1 } };
	w = empty();
	rtcp_fb_write_fir(&w, 1, entries, 2);
	expect_bytes(&w, fir, sizeof fir);
	const struct rtcp_fb fb = read_first(room, w.at);
	EXPECT_EQ(fb.kind, RTCP_FB_FIR);
	EXPECT_EQ(fb.count, 2);
	EXPECT_EQ(rtcp_fb_fir(&fb, 0).ssrc, 9);
	EXPECT_EQ(rtcp_fb_fir(&fb, 0).seq, 200);
	EXPECT_EQ(rtcp_fb_fir(&fb, 1).seq, 1);
}

/* ---- Bit rates ---- */

TEST(bounds_are_rounded_down_to_what_the_wire_holds)
{
	static const uint64_t rates[] = {
		0, 1, 131071, 131072, 400000, 2500001, UINT64_C(1) << 40, INT64_MAX
	};
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		const struct rtcp_tmmb entry = { .ssrc = 7,
			                         .bitrate_bps = rates[i],
			                         .overhead_bytes = 511 };
		struct writer w = empty();
		rtcp_fb_write_tmmbr(&w, 1, &entry, 1);
		struct rtcp_fb fb = read_first(room, w.at);
		EXPECT_EQ(fb.kind, RTCP_FB_TMMBR);
		struct rtcp_tmmb got = rtcp_fb_tmmb(&fb, 0);
		EXPECT_EQ(got.ssrc, 7);
		EXPECT_EQ(got.overhead_bytes, 511);
		EXPECT(got.bitrate_bps <= rates[i]);
		EXPECT(rates[i] - got.bitrate_bps <= rates[i] >> 16);

		w = empty();
		rtcp_fb_write_tmmbn(&w, 1, &entry, 1);
		fb = read_first(room, w.at);
		EXPECT_EQ(fb.kind, RTCP_FB_TMMBN);
		got = rtcp_fb_tmmb(&fb, 0);
		EXPECT(rates[i] - got.bitrate_bps <= rates[i] >> 16);

		w = empty();
		rtcp_fb_write_remb(&w, 1, rates[i], &(uint32_t){ 5 }, 1);
		fb = read_first(room, w.at);
		EXPECT_EQ(fb.kind, RTCP_FB_REMB);
		EXPECT_EQ(rtcp_fb_remb_ssrc(&fb, 0), 5);
		EXPECT(rtcp_fb_remb_bps(&fb) <= rates[i]);
		EXPECT(rates[i] - rtcp_fb_remb_bps(&fb) <= rates[i] >> 17);
	}
	struct writer w = empty();
	rtcp_fb_write_tmmbn(&w, 1, NULL, 0);
	EXPECT_EQ(read_first(room, w.at).count, 0);
}

/* A million is 250,000 (0x3d090) with an exponent of 2; two SSRCs. */
TEST(remb_has_the_figure_of_its_draft)
{
	static const uint8_t want[] = { 0x8f, 206, 0, 6,    0,    0,    0, 1, 0, 0, 0, 0, 'R', 'E',
		                        'M',  'B', 2, 0x0b, 0xd0, 0x90, 0, 0, 0, 5, 0, 0, 0,   6 };
	struct writer w = empty();
	rtcp_fb_write_remb(&w, 1, 1000 * 1000, (const uint32_t[]){ 5, 6 }, 2);
	expect_bytes(&w, want, sizeof want);
}

/* ---- Transport-wide ---- */

/* From the figures of the draft: a run of 3 small, a vector of 7 with two bits, a vector of 14. */
static const uint8_t twcc_message[] = {
	0x8f,        205,  0,    8, 0,    0,    0, 1,
	0,           0,    0,    2, 0xff, 0xff, 0, 20, /* base 65535, 20 statuses */
	0xff,        0xff, 0xfe, 9,                    /* reference -2 of 24 bits, message 9 */
	0x20,        0x03,                             /* 3 small */
	0xc0 | 0x02, 0x01,      /* two bits: lost, lost, large, lost, lost, lost, small */
	0xa0,        0x03,      /* one bit: small, then lost; 10 of the 14 count */
	4,           0,    255, /* deltas of the run */
	0xff,        0xfe,      /* -2: 500 us before the one in front */
	1,                      /* small */
	2,                      /* of the last vector */
	0,           0,    0,
};

TEST(arrivals_are_read_from_runs_and_vectors)
{
	static const struct {
		uint16_t seq;
		int64_t at_us;
	} want[] = { { 65535, 1000 }, { 0, 1000 },  { 1, 64750 },
		     { 4, 64250 },    { 8, 64500 }, { 9, 65000 } };
	const struct rtcp_fb fb = read_first(twcc_message, sizeof twcc_message);
	EXPECT_EQ(fb.kind, RTCP_FB_TWCC);
	EXPECT_EQ(fb.count, 20);
	EXPECT_EQ(rtcp_fb_twcc(&fb).base_seq, 65535);
	EXPECT_EQ(rtcp_fb_twcc(&fb).reference, 0xfffffe);
	EXPECT_EQ(rtcp_fb_twcc(&fb).feedback_seq, 9);
	struct rtcp_twcc_walk walk;
	struct rtcp_twcc_status status;
	unsigned count = 0;
	unsigned received = 0;
	rtcp_twcc_walk_init(&walk, &fb);
	while (rtcp_twcc_walk_next(&walk, &status)) {
		EXPECT_EQ(status.seq, (uint16_t)(65535 + count++));
		if (!status.received)
			continue;
		EXPECT(received < COUNT_OF(want));
		EXPECT_EQ(status.seq, want[received].seq);
		EXPECT_EQ(status.at_us, want[received++].at_us);
	}
	EXPECT_EQ(count, 20);
	EXPECT_EQ(received, COUNT_OF(want));
}

TEST(a_steady_stream_costs_one_chunk)
{
	int64_t at_us[100];
	for (unsigned i = 0; i < 100; i++)
		at_us[i] = 640 * MS + i * 10 * MS;
	const struct rtcp_twcc_report report = { .base_seq = 7, .at_us = at_us, .count = 100 };
	struct writer w = empty();
	EXPECT_EQ(rtcp_fb_write_twcc(&w, &report), 100);
	EXPECT_EQ(w.at, 12 + 8 + 2 + 100 + 2);
	const struct rtcp_fb fb = read_first(room, w.at);
	EXPECT_EQ(rtcp_fb_twcc(&fb).reference, 10);
	EXPECT_EQ(fb.deltas_at, 10);
}

TEST(a_gap_too_long_for_a_delta_ends_the_message)
{
	const int64_t at_us[] = { 1000, -1, 8192 * MS + 1000, 8193 * MS };
	struct rtcp_twcc_report report = { .at_us = at_us, .count = 4 };
	struct writer w = empty();
	EXPECT_EQ(rtcp_fb_write_twcc(&w, &report), 2);
	report.at_us += 2;
	report.count -= 2;
	EXPECT_EQ(rtcp_fb_write_twcc(&w, &report), 2);
	struct rtcp_packet packet;
	struct rtcp_fb fb;
	size_t at = 0;
	EXPECT_EQ(rtcp_parse(room, w.at, true), RTCP_OK);
	EXPECT(rtcp_next(room, w.at, &at, &packet) && rtcp_next(room, w.at, &at, &packet));
	EXPECT_EQ(rtcp_fb_parse(&fb, &packet), RTCP_FB_OK);
	EXPECT_EQ(rtcp_fb_twcc(&fb).reference, 128);
}

TEST(a_message_without_arrivals_is_not_written)
{
	const int64_t at_us[] = { -1, -1, -1 };
	const struct rtcp_twcc_report report = { .at_us = at_us, .count = 3 };
	struct writer w = empty();
	EXPECT_EQ(rtcp_fb_write_twcc(&w, &report), 0);
	EXPECT_EQ(w.at, 0);
	EXPECT(!w.failed);
}

/* Statuses of every mixture: `lost` and `late` of 8. */
static void
draw_arrivals(struct prng *prng, int64_t *at_us, unsigned count)
{
	const uint32_t lost = prng_below(prng, 8);
	const uint32_t late = prng_below(prng, 8);
	const uint32_t stretch = 1 + prng_below(prng, 40);
	int64_t now_us = INT64_C(1000) * 1000 * 1000;
	bool drop = false;
	for (unsigned i = 0; i < count; i++) {
		if (prng_below(prng, stretch) == 0)
			drop = prng_below(prng, 8) < lost;
		now_us += prng_below(prng, 20 * MS);
		if (prng_below(prng, 8) < late)
			now_us += (int64_t)prng_below(prng, 400 * MS) - 200 * MS;
		at_us[i] = drop ? -1 : now_us;
	}
}

TEST(any_arrivals_in_any_room_are_read_back)
{
	enum {
		COUNT = 300,
	};
	struct prng prng;
	prng_init(&prng, 4);
	for (unsigned round = 0; round < 2000; round++) {
		int64_t at_us[COUNT];
		draw_arrivals(&prng, at_us, COUNT);
		const uint32_t cap = prng_below(&prng, 700);
		const struct rtcp_twcc_report report = { .base_seq = (uint16_t)prng_u32(&prng),
			                                 .at_us = at_us,
			                                 .count = COUNT };
		(void)empty();
		struct writer w = writer_of(room, cap);
		const unsigned told = rtcp_fb_write_twcc(&w, &report);
		EXPECT_EQ(room[cap], 0xee);
		EXPECT(!w.failed);
		EXPECT_EQ(w.at != 0, told != 0);
		if (told == 0)
			continue;
		const struct rtcp_fb fb = read_first(room, w.at);
		EXPECT_EQ(fb.count, told);
		struct rtcp_twcc_walk walk;
		struct rtcp_twcc_status status;
		rtcp_twcc_walk_init(&walk, &fb);
		const int64_t reference_us =
		        (int64_t)rtcp_fb_twcc(&fb).reference * RTCP_TWCC_REFERENCE;
		for (unsigned i = 0; rtcp_twcc_walk_next(&walk, &status); i++) {
			EXPECT_EQ(status.received, at_us[i] >= 0);
			if (status.received)
				EXPECT_EQ((reference_us + status.at_us) / RTCP_TWCC_TICK,
				          at_us[i] / RTCP_TWCC_TICK);
		}
	}
}

/* ---- Refusals ---- */

/* A packet of `type` and `fmt` whose body is `words`. */
static enum rtcp_fb_reject
refusal(uint8_t type, uint8_t fmt, const uint8_t *body, uint16_t len)
{
	const struct rtcp_packet packet = {
		.type = type, .count = fmt, .body = body, .body_len = len
	};
	struct rtcp_fb fb = { .count = 4711 };
	const enum rtcp_fb_reject reject = rtcp_fb_parse(&fb, &packet);
	EXPECT(reject == RTCP_FB_OK || fb.count == 4711);
	return reject;
}

TEST(names_the_rule_that_was_broken)
{
	static const struct {
		uint8_t type, fmt;
		uint8_t len; /* of the body, of which the first 8 are SSRCs */
		uint8_t fci[16];
		enum rtcp_fb_reject want;
	} cases[] = {
		{ RTCP_RR, 1, 8, { 0 }, RTCP_FB_REJECT_TYPE },
		{ RTCP_RTPFB, 1, 7, { 0 }, RTCP_FB_REJECT_SHORT },
		{ RTCP_PSFB, 1, 4, { 0 }, RTCP_FB_REJECT_SHORT },
		{ RTCP_RTPFB, 1, 8, { 0 }, RTCP_FB_REJECT_ENTRIES },
		{ RTCP_RTPFB, 1, 11, { 0 }, RTCP_FB_REJECT_ENTRIES },
		{ RTCP_RTPFB, 1, 12, { 0 }, RTCP_FB_OK },
		{ RTCP_PSFB, 1, 12, { 0 }, RTCP_FB_REJECT_ENTRIES },
		{ RTCP_PSFB, 4, 8, { 0 }, RTCP_FB_REJECT_ENTRIES },
		{ RTCP_PSFB, 4, 12, { 0 }, RTCP_FB_REJECT_ENTRIES },
		{ RTCP_RTPFB, 3, 8, { 0 }, RTCP_FB_REJECT_ENTRIES },
		{ RTCP_RTPFB, 4, 8, { 0 }, RTCP_FB_OK },
		{ RTCP_RTPFB, 3, 16, { 0, 0, 0, 1, 0xff, 0xff, 0xff }, RTCP_FB_REJECT_BITRATE },
		{ RTCP_RTPFB, 4, 16, { 0, 0, 0, 1, 63 << 2, 0, 2, 0 }, RTCP_FB_REJECT_BITRATE },
		{ RTCP_RTPFB, 3, 16, { 0, 0, 0, 1, 62 << 2, 0, 2, 0 }, RTCP_FB_OK },
		{ RTCP_RTPFB, 3, 16, { 0, 0, 0, 1, 63 << 2, 0, 0, 9 }, RTCP_FB_OK },
		{ RTCP_PSFB, 15, 12, { 'R', 'E', 'M', 'B' }, RTCP_FB_REJECT_SHORT },
		{ RTCP_PSFB, 15, 16, { 'R', 'E', 'M', 'B', 1 }, RTCP_FB_REJECT_ENTRIES },
		{ RTCP_PSFB, 15, 20, { 'R', 'E', 'M', 'B', 0 }, RTCP_FB_REJECT_ENTRIES },
		{ RTCP_PSFB,
		  15,
		  16,
		  { 'R', 'E', 'M', 'B', 0, 0xff, 0, 1 },
		  RTCP_FB_REJECT_BITRATE },
		{ RTCP_PSFB, 15, 16, { 'R', 'E', 'M', 'A', 1, 2, 3, 4 }, RTCP_FB_OK },
		{ RTCP_PSFB, 2, 9, { 1 }, RTCP_FB_OK },
		{ RTCP_RTPFB, 15, 15, { 0 }, RTCP_FB_REJECT_SHORT },
		{ RTCP_RTPFB, 15, 18, { 0 }, RTCP_FB_REJECT_STATUSES },
		{ RTCP_RTPFB, 15, 18, { 0, 0, 0x20, 0x01 }, RTCP_FB_REJECT_STATUSES },
		{ RTCP_RTPFB, 15, 18, { 0, 0, 0xff, 0xff }, RTCP_FB_REJECT_STATUSES },
		{ RTCP_RTPFB, 15, 16, { 0, 0, 0, 1 }, RTCP_FB_REJECT_CHUNKS },
		{ RTCP_RTPFB, 15, 17, { 0, 0, 0, 1, 0, 0, 0, 0, 0 }, RTCP_FB_REJECT_CHUNKS },
		{ RTCP_RTPFB, 15, 18, { 0, 0, 0, 2, 0, 0, 0, 0, 0, 1 }, RTCP_FB_REJECT_CHUNKS },
		{ RTCP_RTPFB, 15, 18, { 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 1 }, RTCP_FB_REJECT_SYMBOL },
		{ RTCP_RTPFB, 15, 18, { 0, 0, 0, 2, 0, 0, 0, 0, 0xf0, 0 }, RTCP_FB_REJECT_SYMBOL },
		{ RTCP_RTPFB, 15, 18, { 0, 0, 0, 1, 0, 0, 0, 0, 0x20, 1 }, RTCP_FB_REJECT_DELTAS },
		{ RTCP_RTPFB, 15, 19, { 0, 0, 0, 1, 0, 0, 0, 0, 0x40, 1 }, RTCP_FB_REJECT_DELTAS },
		{ RTCP_RTPFB, 15, 20, { 0, 0, 0, 1, 0, 0, 0, 0, 0x40, 1 }, RTCP_FB_OK },
		{ RTCP_RTPFB, 15, 22, { 0, 0, 0, 1, 0, 0, 0, 0, 0, 1 }, RTCP_FB_REJECT_DELTAS },
		{ RTCP_RTPFB, 15, 21, { 0, 0, 0, 1, 0, 0, 0, 0, 0, 1 }, RTCP_FB_OK },
		/* Behind the statuses that count, nothing is looked at. */
		{ RTCP_RTPFB, 15, 18, { 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 0xff }, RTCP_FB_OK },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t body[24] = { 0 };
		memcpy(body + 8, cases[i].fci, sizeof cases[i].fci);
		EXPECT_EQ(refusal(cases[i].type, cases[i].fmt, body, cases[i].len), cases[i].want);
	}
	for (int reject = 0; reject < RTCP_FB_REJECT_COUNT; reject++)
		EXPECT(rtcp_fb_reject_name((enum rtcp_fb_reject)reject)[0] != '\0');
}

TEST(a_message_of_the_most_statuses_is_taken)
{
	/* Eight runs of lost packets: 26 bytes that claim 8192. */
	static const uint8_t body[] = { 0, 0, 0, 1, 0, 0,    0,    2,    0,    0, 0x20,
		                        0, 0, 0, 0, 0, 0x1f, 0xff, 0x00, 0x01, 0, 0 };
	EXPECT_EQ(refusal(RTCP_RTPFB, 15, body, 20), RTCP_FB_OK);
	EXPECT_EQ(refusal(RTCP_RTPFB, 15, body, 18), RTCP_FB_REJECT_CHUNKS);
}

/* ---- Damage ---- */

TEST(damage_and_cuts_of_every_message_do_no_harm)
{
	static const uint16_t seqs[] = { 1, 2, 40, 1000 };
	const struct rtcp_tmmb tmmb = { .ssrc = 1, .bitrate_bps = 512000 };
	const struct rtcp_fir fir = { .ssrc = 2, .seq = 3 };
	struct writer w = empty();
	rtcp_fb_write_nack(&w, 1, 2, seqs, COUNT_OF(seqs));
	rtcp_fb_write_fir(&w, 1, &fir, 1);
	rtcp_fb_write_tmmbr(&w, 1, &tmmb, 1);
	rtcp_fb_write_tmmbn(&w, 1, &tmmb, 1);
	rtcp_fb_write_remb(&w, 1, 512000, &(uint32_t){ 5 }, 1);
	rtcp_fb_write_pli(&w, 1, 2);
	writer_bytes(&w, twcc_message, sizeof twcc_message);
	EXPECT(!w.failed);
	rtcp_fb_property(room, w.at);
	for (size_t len = 0; len < w.at; len++)
		rtcp_fb_property(room, len);
	for (size_t i = 0; i < w.at; i++) {
		for (unsigned flip = 1; flip < 256; flip++) {
			room[i] ^= (uint8_t)flip;
			rtcp_fb_property(room, w.at);
			room[i] ^= (uint8_t)flip;
		}
	}
}

TEST(a_writer_without_room_holds_nothing_of_the_message)
{
	static const uint16_t seqs[] = { 1, 40 };
	for (size_t cap = 0; cap < 20; cap++) {
		struct writer w = writer_of(room, cap);
		rtcp_fb_write_nack(&w, 1, 2, seqs, COUNT_OF(seqs));
		EXPECT(w.failed);
		EXPECT_EQ(w.at, 0);
	}
	struct writer w = writer_of(room, 20);
	rtcp_fb_write_nack(&w, 1, 2, seqs, COUNT_OF(seqs));
	EXPECT(!w.failed);
}
