/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the small parts keep their promises: meter, trend, collector of arrivals, pacer.
 * Method: streams whose figures are known. */
#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "bwe/pacer.h"
#include "bwe/rate_meter.h"
#include "bwe/trend.h"
#include "bwe/twcc_receive.h"

enum {
	KBPS = 1000,
	MS = 1000,
	SECOND = 1000 * MS,
};

/* ---- Meter ---- */

TEST(the_meter_knows_a_steady_rate)
{
	struct rate_meter meter;
	rate_meter_init(&meter);
	EXPECT_EQ(rate_meter_bps(&meter), 0);
	for (int64_t at_us = 0; at_us < 10 * SECOND; at_us += 10 * MS) {
		rate_meter_input(&meter, 1250, at_us);
		const int64_t bps = rate_meter_bps(&meter);
		if (at_us < 100 * MS)
			EXPECT_EQ(bps, 0);
		else
			EXPECT(bps > 970 * KBPS && bps < 1110 * KBPS);
	}
	EXPECT(rate_meter_bps_at(&meter, 10 * SECOND + 240 * MS) < 600 * KBPS);
	EXPECT_EQ(rate_meter_bps_at(&meter, 11 * SECOND), 0);
}

TEST(the_meter_survives_any_times)
{
	struct rate_meter meter;
	struct prng prng;
	prng_init(&prng, 1);
	rate_meter_init(&meter);
	int64_t at_us = 10 * SECOND;
	for (unsigned i = 0; i < 100000; i++) {
		at_us += (int64_t)prng_below(&prng, 200 * MS) - 90 * MS;
		at_us = at_us > 0 ? at_us : 0;
		rate_meter_input(&meter, prng_below(&prng, 2000), at_us);
		int64_t sum = 0;
		for (unsigned b = 0; b < RATE_METER_BUCKETS; b++)
			sum += meter.bytes[b];
		EXPECT_EQ(sum, meter.total_bytes);
	}
}

/* ---- Trend ---- */

/* Packets each 10 ms; each is delayed by `growth_us` more than the last, and at random by up to
 * `jitter_us`.  How many of them stood under each signal. */
static void
feed_trend(struct trend *trend, unsigned counts[3], int64_t growth_us, uint32_t jitter_us)
{
	struct prng prng;
	prng_init(&prng, 2);
	trend_init(trend);
	memset(counts, 0, 3 * sizeof *counts);
	for (int64_t i = 0; i < 400; i++) {
		const int64_t jitter = jitter_us != 0 ? prng_below(&prng, jitter_us) : 0;
		trend_input(trend, i * 10 * MS, 7 * SECOND + i * (10 * MS + growth_us) + jitter);
		counts[trend_signal(trend)]++;
	}
}

TEST(a_growing_queue_is_over_use_and_a_draining_one_under_use)
{
	struct trend trend;
	unsigned counts[3];
	feed_trend(&trend, counts, 0, 0);
	EXPECT_EQ(counts[TREND_NORMAL], 400);
	feed_trend(&trend, counts, 3 * MS, 0);
	EXPECT(counts[TREND_OVERUSE] > 300);
	EXPECT_EQ(counts[TREND_UNDERUSE], 0);
	feed_trend(&trend, counts, -3 * MS, 0);
	EXPECT(counts[TREND_UNDERUSE] > 300);
	EXPECT_EQ(counts[TREND_OVERUSE], 0);
}

TEST(over_use_is_seen_within_a_third_of_a_second)
{
	struct trend trend;
	trend_init(&trend);
	int64_t delay_us = 0;
	unsigned took = 0;
	for (int64_t i = 0; trend_signal(&trend) != TREND_OVERUSE; i++) {
		if (i >= 200) {
			delay_us += 5 * MS;
			took++;
		}
		trend_input(&trend, i * 10 * MS, i * 10 * MS + delay_us);
		EXPECT(took < 33);
	}
	EXPECT(took > 0);
}

TEST(jitter_alone_is_rarely_over_use)
{
	struct trend trend;
	unsigned counts[3];
	feed_trend(&trend, counts, 0, 8 * MS);
	EXPECT(counts[TREND_OVERUSE] < 20);
}

TEST(the_trend_survives_any_order)
{
	struct trend trend;
	struct prng prng;
	prng_init(&prng, 3);
	trend_init(&trend);
	int64_t sent_us = 0;
	int64_t arrived_us = 0;
	for (unsigned i = 0; i < 100000; i++) {
		sent_us += (int64_t)prng_below(&prng, 40 * MS) - 15 * MS;
		arrived_us += (int64_t)prng_below(&prng, 40 * MS) - 15 * MS;
		if (prng_below(&prng, 1000) == 0)
			arrived_us -= (int64_t)prng_below(&prng, 5000) * MS;
		trend_input(&trend, sent_us, arrived_us);
		EXPECT(trend.threshold_ms >= 6 && trend.threshold_ms <= 600);
		EXPECT(trend.slope_before == trend.slope_before); /* not NaN */
	}
}

/* ---- Arrivals ---- */

static struct twcc_receive receive;
static uint8_t room[2048];

/* Writes one message and reads it: how many statuses, how many received; 0 when none was due. */
static unsigned
take_message(int64_t now_us, unsigned *received, uint16_t *base_seq)
{
	struct writer w = writer_of(room, sizeof room);
	*received = 0;
	if (!twcc_receive_write(&receive, &w, now_us))
		return 0;
	struct rtcp_packet packet;
	struct rtcp_fb fb;
	size_t at = 0;
	EXPECT_EQ(rtcp_parse(room, w.at, true), RTCP_OK);
	EXPECT(rtcp_next(room, w.at, &at, &packet));
	EXPECT_EQ(rtcp_fb_parse(&fb, &packet), RTCP_FB_OK);
	EXPECT_EQ(fb.sender_ssrc, 5);
	*base_seq = rtcp_fb_twcc(&fb).base_seq;
	struct rtcp_twcc_walk walk;
	struct rtcp_twcc_status status;
	rtcp_twcc_walk_init(&walk, &fb);
	while (rtcp_twcc_walk_next(&walk, &status))
		*received += status.received;
	return fb.count;
}

TEST(every_packet_is_told_of_once)
{
	unsigned received;
	uint16_t base;
	unsigned sum = 0;
	uint16_t next = 65500;
	twcc_receive_init(&receive, 5);
	EXPECT_EQ(twcc_receive_deadline(&receive), INT64_MAX);
	for (int64_t i = 0; i < 1000; i++) {
		const int64_t now_us = 3 * SECOND + i * 5 * MS;
		twcc_receive_input(&receive, (uint16_t)(65500 + i), 7, 1200, now_us);
		if (twcc_receive_deadline(&receive) > now_us)
			continue;
		const unsigned told = take_message(now_us, &received, &base);
		EXPECT_EQ(base, next);
		EXPECT_EQ(told, received);
		EXPECT_EQ(twcc_receive_deadline(&receive), INT64_MAX);
		next = (uint16_t)(next + told);
		sum += told;
	}
	EXPECT(sum >= 990);
	EXPECT(receive.messages >= 95 && receive.messages <= 101); /* each 50 ms */
}

TEST(what_is_missing_is_told_and_what_comes_late_is_told_again)
{
	unsigned received;
	uint16_t base;
	twcc_receive_init(&receive, 5);
	twcc_receive_input(&receive, 10, 7, 1200, SECOND);
	EXPECT_EQ(take_message(SECOND, &received, &base), 1);
	twcc_receive_input(&receive, 13, 7, 1200, SECOND + 10 * MS);
	EXPECT_EQ(take_message(SECOND + 10 * MS, &received, &base), 0); /* not due */
	EXPECT_EQ(take_message(SECOND + 60 * MS, &received, &base), 3);
	EXPECT_EQ(base, 11);
	EXPECT_EQ(received, 1);
	twcc_receive_input(&receive, 12, 7, 1200, SECOND + 70 * MS);
	twcc_receive_input(&receive, 12, 7, 1200, SECOND + 71 * MS);
	EXPECT_EQ(receive.duplicates, 1);
	EXPECT_EQ(take_message(SECOND + 400 * MS, &received, &base), 2);
	EXPECT_EQ(base, 12);
	EXPECT_EQ(received, 2);
}

TEST(a_jump_begins_anew)
{
	unsigned received;
	uint16_t base;
	twcc_receive_init(&receive, 5);
	twcc_receive_input(&receive, 10, 7, 1200, SECOND);
	twcc_receive_input(&receive, 30000, 7, 1200, SECOND + MS);
	EXPECT_EQ(receive.restarts, 1);
	EXPECT_EQ(take_message(SECOND + MS, &received, &base), 1);
	EXPECT_EQ(base, 30000);
}

TEST(a_telephone_is_told_of_less_often)
{
	unsigned received;
	uint16_t base;
	twcc_receive_init(&receive, 5);
	for (int64_t i = 0; i < 1000; i++) {
		const int64_t now_us = SECOND + i * 20 * MS;
		twcc_receive_input(&receive, (uint16_t)i, 7, 100, now_us);
		if (twcc_receive_deadline(&receive) <= now_us)
			(void)take_message(now_us, &received, &base);
	}
	EXPECT(receive.messages <= 20 * 4 + 2);
	EXPECT(receive.messages >= 20 * 3);
}

TEST(a_flood_is_told_of_in_pieces)
{
	unsigned received;
	uint16_t base;
	unsigned sum = 0;
	twcc_receive_init(&receive, 5);
	for (unsigned i = 0; i < 600; i++) {
		/* Large deltas all the way: back and forth. */
		twcc_receive_input(&receive, (uint16_t)(i ^ 1), 7, 1200, SECOND + i * 70 * MS);
		const int64_t now_us = SECOND + i * 70 * MS;
		if (i % 300 != 299)
			continue;
		EXPECT(twcc_receive_deadline(&receive) <= now_us);
		while (twcc_receive_deadline(&receive) <= now_us)
			sum += take_message(now_us, &received, &base);
	}
	EXPECT_EQ(sum, 600);
	EXPECT(receive.messages >= 2);
}

/* Many packets read at once, or few with large gaps: no message could be written between them. */
TEST(what_leaves_the_window_untold_is_forgotten)
{
	unsigned received;
	uint16_t base;
	twcc_receive_init(&receive, 5);
	for (unsigned i = 0; i < 5; i++)
		twcc_receive_input(&receive, (uint16_t)(i * 500), 7, 1200, SECOND);
	EXPECT_EQ(receive.restarts, 0);
	EXPECT_EQ(receive.untold, 2001 - TWCC_RECEIVE_WINDOW);
	EXPECT_EQ(take_message(SECOND, &received, &base), TWCC_RECEIVE_WINDOW);
	EXPECT_EQ(base, 2001 - TWCC_RECEIVE_WINDOW);
	EXPECT_EQ(received, 3);
	for (unsigned i = 2001; i < 2001 + 2 * TWCC_RECEIVE_WINDOW; i++)
		twcc_receive_input(&receive, (uint16_t)i, 7, 1200, SECOND + MS);
	unsigned told = 0;
	while (twcc_receive_deadline(&receive) <= SECOND + MS)
		told += take_message(SECOND + MS, &received, &base);
	EXPECT_EQ(told, TWCC_RECEIVE_WINDOW);
}

TEST(without_room_the_message_waits)
{
	unsigned received;
	uint16_t base;
	twcc_receive_init(&receive, 5);
	twcc_receive_input(&receive, 10, 7, 1200, SECOND);
	struct writer w = writer_of(room, 16);
	EXPECT(!twcc_receive_write(&receive, &w, SECOND));
	EXPECT_EQ(w.at, 0);
	EXPECT_EQ(take_message(SECOND, &received, &base), 1);
}

/* ---- Pacer ---- */

TEST(a_key_frame_leaves_at_two_and_a_half_times_the_rate)
{
	struct pacer pacer;
	pacer_init(&pacer, 1000 * KBPS, 0);
	int64_t now_us = SECOND;
	for (unsigned i = 0; i < 40; i++) {
		now_us = pacer_when(&pacer, PACER_VIDEO, now_us);
		EXPECT(pacer_may(&pacer, PACER_VIDEO, now_us));
		EXPECT_EQ(pacer_sent(&pacer, PACER_VIDEO, 1250, now_us), 0);
	}
	/* 400 kbit at 2.5 Mbit/s are 160 ms, less the burst it may start with. */
	EXPECT(now_us - SECOND > 145 * MS && now_us - SECOND <= 160 * MS);
}

TEST(sound_is_never_held_and_retransmissions_go_first)
{
	struct pacer pacer;
	pacer_init(&pacer, 1000 * KBPS, 0);
	(void)pacer_sent(&pacer, PACER_VIDEO, 2000, 0);
	(void)pacer_sent(&pacer, PACER_VIDEO, 2000, 0);
	EXPECT(!pacer_may(&pacer, PACER_VIDEO, 0));
	EXPECT(pacer_may(&pacer, PACER_RTX, 0));
	EXPECT(pacer_may(&pacer, PACER_AUDIO, 0));
	EXPECT(!pacer_may(&pacer, PACER_PADDING, 0));
	EXPECT_EQ(pacer_when(&pacer, PACER_PADDING, 0), INT64_MAX);
	for (unsigned i = 0; i < 10; i++)
		(void)pacer_sent(&pacer, PACER_RTX, 1250, 0);
	EXPECT(!pacer_may(&pacer, PACER_RTX, 0));
	EXPECT(pacer_when(&pacer, PACER_RTX, 0) < pacer_when(&pacer, PACER_VIDEO, 0));
	EXPECT(pacer_may(&pacer, PACER_AUDIO, 0));
	EXPECT(pacer_may(&pacer, PACER_VIDEO, 3600LL * SECOND));
}

TEST(a_probe_is_sent_at_its_rate_and_marked)
{
	struct pacer pacer;
	pacer_init(&pacer, 500 * KBPS, 0);
	const struct bwe_probe probe = { .id = 7, .rate_bps = 1000 * KBPS, .bytes = 5000 };
	pacer_probe(&pacer, &probe, 0);
	EXPECT_EQ(pacer_padding_bytes(&pacer), 5000);
	EXPECT_EQ(pacer_sent(&pacer, PACER_AUDIO, 100, 0), 0);
	int64_t now_us = 0;
	unsigned packets = 0;
	for (; pacer_padding_bytes(&pacer) != 0; packets++) {
		now_us = pacer_when(&pacer, PACER_PADDING, now_us);
		EXPECT_EQ(pacer_sent(&pacer, PACER_PADDING, 250, now_us), 7);
	}
	EXPECT_EQ(packets, 20);
	EXPECT_EQ(now_us, 38 * MS); /* 19 gaps of 2 ms */
	EXPECT_EQ(pacer_sent(&pacer, PACER_VIDEO, 100, now_us), 0);
	/* Large packets: five are wanted all the same. */
	pacer_probe(&pacer, &probe, SECOND);
	for (unsigned i = 0; i < 5; i++) {
		EXPECT(pacer_padding_bytes(&pacer) != 0);
		EXPECT_EQ(pacer_sent(&pacer, PACER_VIDEO, 1250, SECOND + i * 10 * MS), 7);
	}
	EXPECT_EQ(pacer_padding_bytes(&pacer), 0);
}

TEST(a_probe_that_nobody_feeds_is_given_up)
{
	struct pacer pacer;
	pacer_init(&pacer, 500 * KBPS, 0);
	const struct bwe_probe probe = { .id = 7, .rate_bps = 1000 * KBPS, .bytes = 5000 };
	pacer_probe(&pacer, &probe, 0);
	EXPECT(pacer_may(&pacer, PACER_PADDING, 400 * MS));
	EXPECT(!pacer_may(&pacer, PACER_PADDING, 500 * MS));
	EXPECT_EQ(pacer_sent(&pacer, PACER_VIDEO, 1250, 500 * MS), 0);
	EXPECT_EQ(pacer_padding_bytes(&pacer), 0);
}
