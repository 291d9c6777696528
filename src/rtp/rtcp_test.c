/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: compound and reduced-size RTCP is read and written as RFC 3550 and 5506 say, one case per
 * reject; times add up; reports come as often as s6.2 allows.
 * Method: written packets are read back, damaged at every byte, cut at every length; the timing is
 * run over simulated hours with seeded randomness. */
#include "rtp/rtcp.h"

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "rtp/rtp_property.h"

enum {
	ROOM = 512,
	MS = 1000,
	SECOND = 1000 * MS,
};

struct datagram {
	uint8_t bytes[ROOM];
	size_t len;
};

static const struct rtcp_block block_sent = {
	.ssrc = 0xaabbccdd,
	.fraction_lost = 64,
	.lost = -3,
	.highest_seq = 0x00020005,
	.jitter_rtp = 12,
	.last_sr = 0x12345678,
	.since_last_sr = 0x00010000,
};

static struct datagram
compound(void)
{
	struct datagram d = { 0 };
	struct writer w = writer_of(d.bytes, sizeof d.bytes);
	const struct rtcp_sender_info info = { .ntp = UINT64_C(0xe000000080000000),
		                               .timestamp_rtp = 160000,
		                               .packets = 1000,
		                               .bytes = 160000 };
	rtcp_write_sr(&w, 1, &info, &block_sent, 1);
	rtcp_write_sdes(&w, 1, STR("room@bridge"));
	rtcp_write_bye(&w, 1, STR("good night"));
	EXPECT(!w.failed);
	d.len = w.at;
	return d;
}

TEST(a_compound_packet_is_read_back)
{
	const struct datagram d = compound();
	struct rtcp_packet packet;
	size_t at = 0;
	EXPECT_EQ(rtcp_parse(d.bytes, d.len, false), RTCP_OK);
	EXPECT(rtcp_next(d.bytes, d.len, &at, &packet));
	EXPECT_EQ(packet.type, RTCP_SR);
	EXPECT_EQ(packet.ssrc, 1);
	EXPECT_EQ(packet.count, 1);
	EXPECT_EQ(rtcp_sender_info(&packet).ntp >> 32, 0xe0000000);
	EXPECT_EQ(rtcp_sender_info(&packet).bytes, 160000);
	const struct rtcp_block block = rtcp_block(&packet, 0);
	EXPECT_EQ(block.ssrc, block_sent.ssrc);
	EXPECT_EQ(block.fraction_lost, block_sent.fraction_lost);
	EXPECT_EQ(block.lost, block_sent.lost);
	EXPECT_EQ(block.highest_seq, block_sent.highest_seq);
	EXPECT_EQ(block.jitter_rtp, block_sent.jitter_rtp);
	EXPECT_EQ(block.last_sr, block_sent.last_sr);
	EXPECT_EQ(block.since_last_sr, block_sent.since_last_sr);

	EXPECT(rtcp_next(d.bytes, d.len, &at, &packet));
	EXPECT_EQ(packet.type, RTCP_SDES);
	EXPECT_STR(rtcp_cname(&packet, 1), "room@bridge");
	EXPECT_EQ(rtcp_cname(&packet, 2).len, 0);

	EXPECT(rtcp_next(d.bytes, d.len, &at, &packet));
	EXPECT_EQ(packet.type, RTCP_BYE);
	EXPECT(rtcp_bye_names(&packet, 1));
	EXPECT(!rtcp_bye_names(&packet, 2));
	EXPECT_STR(rtcp_bye_reason(&packet), "good night");
	EXPECT(!rtcp_next(d.bytes, d.len, &at, &packet));
}

TEST(names_and_reasons_of_every_length_are_padded)
{
	static const char text[RTCP_CNAME_MAX + 1] = "";
	for (size_t len = 0; len <= RTCP_CNAME_MAX; len++) {
		struct datagram d = { 0 };
		struct writer w = writer_of(d.bytes, sizeof d.bytes);
		const struct str name = { .at = text, .len = len };
		rtcp_write_rr(&w, 5, NULL, 0);
		rtcp_write_sdes(&w, 5, name);
		EXPECT(!w.failed);
		EXPECT_EQ(rtcp_parse(d.bytes, w.at, false), RTCP_OK);
		struct rtcp_packet packet;
		size_t at = 8;
		EXPECT(rtcp_next(d.bytes, w.at, &at, &packet));
		EXPECT_EQ(rtcp_cname(&packet, 5).len, len);

		w = writer_of(d.bytes, sizeof d.bytes);
		rtcp_write_bye(&w, 5, name);
		EXPECT_EQ(rtcp_parse(d.bytes, w.at, true), RTCP_OK);
		at = 0;
		EXPECT(rtcp_next(d.bytes, w.at, &at, &packet));
		EXPECT_EQ(rtcp_bye_reason(&packet).len, len);
	}
}

TEST(names_the_rule_that_was_broken)
{
	static const struct {
		uint8_t bytes[12];
		uint8_t len;
		enum rtcp_reject want;
	} cases[] = {
		{ { 0 }, 0, RTCP_REJECT_SHORT },
		{ { 0x80, 201, 0 }, 3, RTCP_REJECT_SHORT },
		{ { 0x80, 201, 0, 2, 0, 0, 0, 1 }, 8, RTCP_REJECT_SHORT },
		{ { 0x80, 201, 0, 1, 0, 0, 0, 1, 0x80 }, 9, RTCP_REJECT_SHORT },
		{ { 0x40, 201, 0, 1, 0, 0, 0, 1 }, 8, RTCP_REJECT_VERSION },
		{ { 0x80, 191, 0, 1, 0, 0, 0, 1 }, 8, RTCP_REJECT_VERSION },
		{ { 0x80, 224, 0, 1, 0, 0, 0, 1 }, 8, RTCP_REJECT_VERSION },
		{ { 0xa0, 201, 0, 1, 0, 0, 0, 0 }, 8, RTCP_REJECT_PADDING },
		{ { 0xa0, 201, 0, 1, 0, 0, 0, 5 }, 8, RTCP_REJECT_PADDING },
		{ { 0xa0, 203, 0, 1, 0, 0, 0, 4, 0x80, 203, 0, 0 }, 12, RTCP_REJECT_PADDING },
		{ { 0x81, 201, 0, 1, 0, 0, 0, 1 }, 8, RTCP_REJECT_COUNTS },
		{ { 0x80, 200, 0, 1, 0, 0, 0, 1 }, 8, RTCP_REJECT_COUNTS },
		{ { 0x80, 201, 0, 0 }, 4, RTCP_REJECT_COUNTS },
		{ { 0x82, 203, 0, 1, 0, 0, 0, 1 }, 8, RTCP_REJECT_COUNTS },
		{ { 0x80, 203, 0, 1, 9, 0, 0, 1 }, 8, RTCP_REJECT_COUNTS },
		{ { 0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'a', 'b' }, 12, RTCP_REJECT_COUNTS },
		{ { 0x80, 203, 0, 0 }, 4, RTCP_REJECT_FIRST },
		{ { 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2 }, 12, RTCP_REJECT_FIRST },
		{ { 0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 195, 0, 0 }, 12, RTCP_OK },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		EXPECT_EQ(rtcp_parse(cases[i].bytes, cases[i].len, false), cases[i].want);
		if (cases[i].want == RTCP_REJECT_FIRST)
			EXPECT_EQ(rtcp_parse(cases[i].bytes, cases[i].len, true), RTCP_OK);
	}
	uint8_t many[4 * (RTCP_PACKETS_MAX + 1)];
	for (size_t i = 0; i < sizeof many; i += 4)
		memcpy(many + i, "\x80\xcb\0\0", 4);
	EXPECT_EQ(rtcp_parse(many, sizeof many, true), RTCP_REJECT_TOO_MANY);
	EXPECT_EQ(rtcp_parse(many, sizeof many - 4, true), RTCP_OK);
	for (int reject = 0; reject < RTCP_REJECT_COUNT; reject++)
		EXPECT(rtcp_reject_name((enum rtcp_reject)reject)[0] != '\0');
}

TEST(every_prefix_and_every_byte_value_stays_inside)
{
	const struct datagram good = compound();
	for (size_t len = 0; len < good.len; len++) {
		struct datagram d = good;
		rtcp_property(d.bytes, len, true);
		rtcp_property(d.bytes, len, false);
	}
	for (size_t at = 0; at < good.len; at++) {
		for (unsigned value = 0; value < 256; value++) {
			struct datagram d = good;
			d.bytes[at] = (uint8_t)value;
			rtcp_property(d.bytes, d.len, true);
		}
	}
}

TEST(a_report_block_tells_what_was_received)
{
	struct rtp_receive receive;
	rtp_receive_init(&receive, 8000);
	for (uint32_t seq = 65530; seq < 65550; seq++) {
		const struct rtp_packet packet = { .seq = (uint16_t)seq,
			                           .timestamp_rtp = seq * 160 };
		if (seq != 65540)
			(void)rtp_receive_input(&receive, &packet, (int64_t)seq * 20 * MS);
	}
	struct rtcp_last_sr last_sr = { 0 };
	struct rtcp_block block = rtcp_block_of(9, &receive, &last_sr, 5 * SECOND);
	EXPECT_EQ(block.ssrc, 9);
	EXPECT_EQ(block.lost, 1);
	EXPECT_EQ(block.fraction_lost, 256 / 20);
	EXPECT_EQ(block.highest_seq, 65549);
	EXPECT_EQ(block.last_sr, 0);
	last_sr = (struct rtcp_last_sr){ .ntp_short = 77, .at_us = 5 * SECOND };
	block = rtcp_block_of(9, &receive, &last_sr, 5 * SECOND + 500 * MS);
	EXPECT_EQ(block.last_sr, 77);
	EXPECT_EQ(block.since_last_sr, 32768);
	EXPECT_EQ(block.fraction_lost, 0);
}

TEST(losses_beyond_24_bits_are_clamped)
{
	for (int sign = -1; sign <= 1; sign += 2) {
		uint8_t bytes[64];
		struct writer w = writer_of(bytes, sizeof bytes);
		const struct rtcp_block block = { .lost = sign * 0x1000000 };
		rtcp_write_rr(&w, 1, &block, 1);
		struct rtcp_packet packet;
		size_t at = 0;
		EXPECT_EQ(rtcp_parse(bytes, w.at, false), RTCP_OK);
		EXPECT(rtcp_next(bytes, w.at, &at, &packet));
		EXPECT_EQ(rtcp_block(&packet, 0).lost, sign * 0x7fffff);
	}
}

TEST(round_trips_come_from_the_example_of_rfc_3550)
{
	/* s6.4.1, figure 2: A = b710:8000, DLSR = 0005:4000, LSR = b705:2000, trip 6.125 s. */
	struct rtcp_block block = { .last_sr = 0xb7052000, .since_last_sr = 0x00054000 };
	EXPECT_EQ(rtcp_rtt_us(&block, UINT64_C(0xb7108000) << 16), 6125 * MS);
	block.last_sr = 0xb7108000 - 0x00054000 + 30; /* half a millisecond below zero */
	EXPECT_EQ(rtcp_rtt_us(&block, UINT64_C(0xb7108000) << 16), 0);
	block.last_sr += 0x10000;
	EXPECT_EQ(rtcp_rtt_us(&block, UINT64_C(0xb7108000) << 16), -1);
	block.last_sr = 1;
	EXPECT_EQ(rtcp_rtt_us(&block, UINT64_C(0xb7108000) << 16), -1);
	block.last_sr = 0;
	EXPECT_EQ(rtcp_rtt_us(&block, UINT64_C(0xb7108000) << 16), -1);
	EXPECT_EQ(rtcp_ntp(0) >> 32, 2208988800);
	EXPECT_EQ(rtcp_ntp(1500 * MS) & 0xffffffff, 0x80000000);
	EXPECT_EQ(rtcp_ntp_us(rtcp_ntp(1500 * MS)), 1500 * MS);
	EXPECT_EQ(rtcp_ntp_us(0), -INT64_C(2208988800) * 1000 * MS);
	EXPECT_EQ(rtcp_ntp_short(UINT64_C(0x1122334455667788)), 0x33445566);
}

/* Reports sent in `hours` of a session; the shortest and longest pause are kept. */
static unsigned
reports_in(struct rtcp_timing *timing, struct prng *prng, int64_t *shortest, int64_t *longest)
{
	const int64_t end_us = (int64_t)3600 * SECOND;
	int64_t last_us = 0;
	unsigned count = 0;
	*shortest = INT64_MAX;
	*longest = 0;
	for (;;) {
		const int64_t now_us = rtcp_timing_deadline(timing);
		if (now_us > end_us)
			return count;
		EXPECT(!rtcp_timing_due(timing, prng_u32(prng), now_us - 1));
		if (!rtcp_timing_due(timing, prng_u32(prng), now_us))
			continue;
		rtcp_timing_packet(timing, 80);
		const int64_t pause_us = now_us - last_us;
		*shortest = pause_us < *shortest ? pause_us : *shortest;
		*longest = pause_us > *longest ? pause_us : *longest;
		last_us = now_us;
		count++;
	}
}

TEST(two_parties_report_every_five_seconds_or_so)
{
	const struct rtcp_timing_settings settings = { .bandwidth_bps = 64000 };
	struct rtcp_timing timing;
	struct prng prng;
	int64_t shortest;
	int64_t longest;
	prng_init(&prng, 1);
	rtcp_timing_init(&timing, &settings, prng_u32(&prng), 0);
	/* The first within 2.5 s, halved, varied and compensated. */
	EXPECT(rtcp_timing_deadline(&timing) >= 1250 * MS * 100 / 122);
	EXPECT(rtcp_timing_deadline(&timing) <= 3750 * MS * 100 / 121);
	rtcp_timing_members(&timing, 2, 2, true, 0);
	const unsigned count = reports_in(&timing, &prng, &shortest, &longest);
	EXPECT(count > 3600 / 5.5 && count < 3600 / 4.5); /* 5 s on average */
	EXPECT(shortest >= 1 * SECOND);
	EXPECT(longest <= 7 * SECOND);
}

TEST(a_crowd_shares_its_bandwidth)
{
	const struct rtcp_timing_settings settings = { .bandwidth_bps = 64000 };
	struct rtcp_timing timing;
	struct prng prng;
	int64_t shortest;
	int64_t longest;
	prng_init(&prng, 2);
	rtcp_timing_init(&timing, &settings, prng_u32(&prng), 0);
	rtcp_timing_members(&timing, 1000, 2, false, 0);
	/* 3200 bit/s, three quarters for 998 receivers of 108 bytes: one report in 360 s each. */
	const unsigned count = reports_in(&timing, &prng, &shortest, &longest);
	EXPECT(count >= 7 && count <= 14);
	/* When all but one leave, the next report comes proportionally nearer (s6.3.4). */
	const int64_t now_us = (int64_t)3600 * SECOND;
	const int64_t left_us = rtcp_timing_deadline(&timing) - now_us;
	rtcp_timing_members(&timing, 2, 1, true, now_us);
	EXPECT(rtcp_timing_deadline(&timing) - now_us <= left_us / 500 + 1);
}
