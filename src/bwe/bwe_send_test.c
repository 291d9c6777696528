/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: feedback that cannot be changes nothing and is counted by its fault; feedback that lies
 * moves the rate no further than 1.5 times what was really sent, and never below the floor; peers
 * without transport-wide feedback are served by their reports.
 * Method: messages written by hand against a sender with a steady rate. */
#include "bwe/bwe_send.h"

#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

enum {
	KBPS = 1000,
	MS = 1000,
	SECOND = 1000 * MS,
	PACKET = 1250,       /* 10,000 bits */
	STEADY_US = 20 * MS, /* a packet each: 500 kbit/s */
	STEADY = 500 * KBPS,
	MIN = 100 * KBPS,
	MAX = 8000 * KBPS,
	BATCH = 5, /* packets a message */
};

static struct bwe_send bwe;
static int64_t now_us;
static uint16_t seq;
static int64_t arrivals[RTCP_FB_STATUSES_MAX];

static void
start(bool twcc)
{
	const struct bwe_settings settings = {
		.twcc = twcc, .min_bps = MIN, .start_bps = STEADY, .max_bps = MAX
	};
	now_us = 5000LL * SECOND;
	seq = 65530;
	bwe_send_init(&bwe, &settings, now_us);
}

static void
send_one(unsigned bytes)
{
	const struct bwe_sent sent = { .seq = seq++, .bytes = (uint16_t)bytes };
	bwe_send_sent(&bwe, &sent, now_us);
}

static void
send_steadily(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		now_us += STEADY_US;
		send_one(PACKET);
	}
}

/* Packets from `base` on came at `at_us` of the peer's clock. */
static void
hear(uint16_t base, const int64_t *at_us, unsigned count)
{
	static uint8_t bytes[32 * 1024];
	struct writer w = writer_of(bytes, sizeof bytes);
	const struct rtcp_twcc_report report = { .base_seq = base, .at_us = at_us, .count = count };
	EXPECT_EQ(rtcp_fb_write_twcc(&w, &report), count);
	struct rtcp_packet packet;
	struct rtcp_fb fb;
	size_t at = 0;
	EXPECT_EQ(rtcp_parse(bytes, w.at, true), RTCP_OK);
	EXPECT(rtcp_next(bytes, w.at, &at, &packet));
	EXPECT_EQ(rtcp_fb_parse(&fb, &packet), RTCP_FB_OK);
	bwe_send_feedback(&bwe, &fb, now_us);
}

/* The last BATCH packets, truly: sent steadily, 30 ms on the way, on a clock that is `ahead_us`. */
static void
hear_truly(int64_t ahead_us)
{
	for (int i = 0; i < BATCH; i++)
		arrivals[i] = now_us + ahead_us - (BATCH - 1 - i) * STEADY_US + 30 * MS;
	now_us += 60 * MS;
	hear((uint16_t)(seq - BATCH), arrivals, BATCH);
	now_us -= 60 * MS; /* back to the rhythm of sending */
	bwe.now_us = now_us;
}

static void
run_truly(unsigned batches)
{
	for (unsigned i = 0; i < batches; i++) {
		send_steadily(BATCH);
		hear_truly(0);
	}
}

/* One rejected message: nothing but its count is different. */
static void
expect_ignored(uint16_t base, const int64_t *at_us, unsigned count, enum bwe_reject reject)
{
	const struct bwe_send before = bwe;
	hear(base, at_us, count);
	EXPECT_EQ(bwe.stats.rejects[reject], before.stats.rejects[reject] + 1);
	EXPECT_EQ(bwe_send_target_bps(&bwe), bwe_send_target_bps(&before));
	EXPECT_EQ(bwe.stats.feedbacks, before.stats.feedbacks);
	EXPECT(bwe_reject_name(reject)[0] != '\0');
	EXPECT_EQ(memcmp(bwe.records, before.records, sizeof bwe.records), 0);
}

TEST(a_rate_that_arrives_is_acknowledged)
{
	start(true);
	run_truly(20);
	const struct bwe_stats stats = bwe_send_stats(&bwe);
	EXPECT(stats.acked_bps > STEADY * 9 / 10 && stats.acked_bps < STEADY * 11 / 10);
	EXPECT(stats.rtt_us > 50 * MS && stats.rtt_us < 70 * MS);
	EXPECT_EQ(stats.loss_q8, 0);
	EXPECT_EQ(stats.feedbacks, 20);
	EXPECT(bwe_send_target_bps(&bwe) > STEADY);
}

TEST(the_state_is_told_in_a_line)
{
	static char text[512];
	start(true);
	run_truly(20);
	arrivals[0] = now_us;
	hear(seq, arrivals, 1);
	struct writer w = writer_of(text, sizeof text);
	bwe_send_dump(&bwe, &w);
	EXPECT(!w.failed);
	EXPECT(w.at < sizeof text && text[w.at - 1] == '\n');
	EXPECT(strstr(text, "signal=normal") != NULL);
	EXPECT(strstr(text, " unsent=1\n") != NULL);
}

TEST(growth_ends_at_half_more_than_is_acknowledged)
{
	start(true);
	run_truly(600);
	EXPECT(bwe_send_target_bps(&bwe) > STEADY * 13 / 10);
	EXPECT(bwe_send_target_bps(&bwe) < STEADY * 16 / 10);
}

TEST(numbers_never_sent_are_refused)
{
	start(true);
	arrivals[0] = now_us;
	expect_ignored(7, arrivals, 1, BWE_REJECT_UNSENT); /* nothing was sent at all */
	run_truly(5);
	for (unsigned i = 0; i < 10; i++)
		arrivals[i] = now_us + i;
	expect_ignored(seq, arrivals, 1, BWE_REJECT_UNSENT);
	expect_ignored((uint16_t)(seq - 1), arrivals, 2, BWE_REJECT_UNSENT);
	expect_ignored((uint16_t)(seq + 20000), arrivals, 10, BWE_REJECT_UNSENT);
	seq += 3; /* numbers that were skipped */
	send_steadily(1);
	expect_ignored((uint16_t)(seq - 3), arrivals, 2, BWE_REJECT_UNSENT);
}

TEST(what_was_acknowledged_is_not_acknowledged_again)
{
	start(true);
	run_truly(20);
	const int64_t acked_bps = bwe_send_stats(&bwe).acked_bps;
	for (unsigned i = 0; i < BATCH; i++)
		arrivals[i] = now_us + i;
	for (unsigned i = 0; i < 100; i++)
		expect_ignored((uint16_t)(seq - BATCH), arrivals, BATCH, BWE_REJECT_OLD);
	EXPECT_EQ(bwe_send_stats(&bwe).acked_bps, acked_bps);
	/* Nor what is forgotten. */
	send_steadily(BWE_HISTORY + 10);
	expect_ignored((uint16_t)(seq - BWE_HISTORY - 5), arrivals, 5, BWE_REJECT_OLD);
}

TEST(deltas_of_hours_are_refused)
{
	start(true);
	run_truly(20);
	send_steadily(4);
	for (int i = 0; i < 4; i++)
		arrivals[i] = now_us + i * 8LL * SECOND;
	expect_ignored((uint16_t)(seq - 4), arrivals, 4, BWE_REJECT_SPAN);
}

TEST(a_clock_that_jumps_is_ignored_until_it_stays)
{
	start(true);
	run_truly(20);
	const int64_t ahead_us[] = { 100LL * SECOND, -20LL * SECOND, 30000LL * SECOND };
	for (size_t i = 0; i < COUNT_OF(ahead_us); i++) {
		send_steadily(BATCH);
		for (int p = 0; p < BATCH; p++)
			arrivals[p] = now_us + ahead_us[i] + p * STEADY_US;
		expect_ignored((uint16_t)(seq - BATCH), arrivals, BATCH, BWE_REJECT_CLOCK);
	}
	/* And one that went back by hours for good is taken. */
	const uint64_t rejects = bwe.stats.rejects[BWE_REJECT_CLOCK];
	for (unsigned i = 0; i < 20; i++) {
		send_steadily(BATCH);
		hear_truly(-4000LL * SECOND);
	}
	EXPECT_EQ(bwe.stats.rejects[BWE_REJECT_CLOCK], rejects + 7);
	EXPECT(bwe_send_stats(&bwe).acked_bps > STEADY * 9 / 10);
}

/* A peer whose every word is a lie: all arrived, in any time it likes. */
TEST(lies_do_not_raise_the_rate_beyond_half_more_than_was_sent)
{
	struct prng prng;
	for (uint64_t seed = 0; seed < 20; seed++) {
		prng_init(&prng, seed);
		start(true);
		int64_t peer_us = 1000 * SECOND;
		for (unsigned i = 0; i < 2000; i++) {
			send_steadily(BATCH);
			for (int p = 0; p < BATCH; p++) {
				peer_us += prng_below(&prng, seed % 4 == 0 ? 200 * MS : 200);
				if (prng_below(&prng, 100) == 0)
					peer_us += prng_below(&prng, 3000) * MS;
				arrivals[p] = peer_us - prng_below(&prng, 1000 * MS);
			}
			hear((uint16_t)(seq - BATCH), arrivals, BATCH);
			EXPECT(bwe_send_target_bps(&bwe) <= STEADY * 165 / 100);
			EXPECT(bwe_send_target_bps(&bwe) >= MIN);
		}
	}
}

TEST(a_packet_called_lost_may_still_come)
{
	start(true);
	run_truly(20);
	send_steadily(3);
	arrivals[0] = now_us;
	arrivals[1] = -1;
	arrivals[2] = now_us + 2 * STEADY_US;
	hear((uint16_t)(seq - 3), arrivals, 3);
	EXPECT(bwe_send_stats(&bwe).loss_q8 > 0);
	hear((uint16_t)(seq - 2), &(int64_t){ now_us + 30 * MS }, 1);
	EXPECT_EQ(bwe_send_stats(&bwe).late_packets, 1);
}

TEST(bounds_of_the_peer_hold)
{
	start(true);
	run_truly(20);
	static uint8_t bytes[256];
	const struct {
		uint64_t remb_bps, tmmbr_bps;
		int64_t want_bps;
	} cases[] = { { 300 * KBPS, 0, 300 * KBPS },
		      { MAX, 0, 0 },
		      { 0, 200 * KBPS, 200 * KBPS },
		      { 0, 1, MIN },
		      { 0, MAX, 0 } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const int64_t free_bps = bwe.rate_bps;
		struct writer w = writer_of(bytes, sizeof bytes);
		const struct rtcp_tmmb tmmb = { .bitrate_bps = cases[i].tmmbr_bps };
		if (cases[i].remb_bps != 0)
			rtcp_fb_write_remb(&w, 1, cases[i].remb_bps, NULL, 0);
		else
			rtcp_fb_write_tmmbr(&w, 1, &tmmb, 1);
		struct rtcp_packet packet;
		struct rtcp_fb fb;
		size_t at = 0;
		EXPECT(rtcp_next(bytes, w.at, &at, &packet));
		EXPECT_EQ(rtcp_fb_parse(&fb, &packet), RTCP_FB_OK);
		bwe_send_feedback(&bwe, &fb, now_us);
		const int64_t off = bwe_send_target_bps(&bwe) -
		                    (cases[i].want_bps != 0 ? cases[i].want_bps : free_bps);
		EXPECT(off <= 0 && off > -10);
	}
	bwe_send_bounds(&bwe, MIN, 250 * KBPS, now_us);
	EXPECT_EQ(bwe_send_target_bps(&bwe), 250 * KBPS);
}

TEST(bounds_of_nothing_are_refused_and_old_ones_expire)
{
	start(false);
	static uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof bytes);
	rtcp_fb_write_remb(&w, 1, 0, NULL, 0);
	rtcp_fb_write_tmmbr(&w, 1, &(struct rtcp_tmmb){ .ssrc = 1 }, 1);
	rtcp_fb_write_pli(&w, 1, 2);
	rtcp_fb_write_remb(&w, 1, MIN, NULL, 0);
	struct rtcp_packet packet;
	struct rtcp_fb fb;
	size_t at = 0;
	while (rtcp_next(bytes, w.at, &at, &packet)) {
		EXPECT_EQ(rtcp_fb_parse(&fb, &packet), RTCP_FB_OK);
		bwe_send_feedback(&bwe, &fb, now_us);
	}
	EXPECT_EQ(bwe.stats.rejects[BWE_REJECT_BITRATE], 2);
	EXPECT_EQ(bwe_send_target_bps(&bwe), MIN);
	bwe_send_tick(&bwe, now_us + 11 * SECOND);
	EXPECT_EQ(bwe_send_target_bps(&bwe), STEADY);
}

/* ---- Peers without transport-wide feedback ---- */

/* Seconds of sending at the target, each with a report: `loss` of 256, `rtt_us`. */
static void
report_for(unsigned seconds, uint8_t loss, int64_t rtt_us)
{
	static uint32_t highest;
	for (unsigned i = 0; i < seconds; i++) {
		const int64_t bps = bwe_send_target_bps(&bwe);
		const unsigned packets = (unsigned)(bps / 8 / PACKET);
		for (unsigned p = 0; p < packets; p++) {
			now_us += SECOND / packets;
			send_one(PACKET);
		}
		highest += packets;
		const struct rtcp_block block = { .ssrc = 9,
			                          .fraction_lost = loss,
			                          .highest_seq = highest };
		bwe_send_report(&bwe, &block, rtt_us, now_us);
		bwe_send_tick(&bwe, now_us);
	}
}

TEST(reports_without_loss_let_the_rate_grow_slowly)
{
	start(false);
	report_for(10, 0, 40 * MS);
	EXPECT(bwe_send_target_bps(&bwe) > STEADY * 13 / 10);
	EXPECT(bwe_send_target_bps(&bwe) < STEADY * 17 / 10);
	report_for(90, 0, 40 * MS);
	EXPECT_EQ(bwe_send_target_bps(&bwe), MAX);
	EXPECT_EQ(bwe_send_stats(&bwe).probes, 0);
}

TEST(reports_of_loss_cut_at_once_and_five_percent_do_not)
{
	start(false);
	report_for(60, 0, 40 * MS);
	const int64_t before_bps = bwe_send_target_bps(&bwe);
	report_for(30, 13, 40 * MS); /* 5 % */
	EXPECT_EQ(bwe_send_target_bps(&bwe), before_bps);
	report_for(2, 200, 40 * MS);
	EXPECT(bwe_send_target_bps(&bwe) < before_bps / 3);
	/* Back to where it went well, faster than the first time. */
	report_for(14, 0, 40 * MS);
	EXPECT(bwe_send_target_bps(&bwe) > before_bps * 9 / 10);
}

TEST(reports_of_a_long_round_trip_cut)
{
	start(false);
	report_for(20, 0, 40 * MS);
	const int64_t before_bps = bwe_send_target_bps(&bwe);
	report_for(5, 0, 400 * MS);
	EXPECT(bwe_send_target_bps(&bwe) < before_bps / 2);
	EXPECT(bwe_send_target_bps(&bwe) >= MIN);
}

/* Two seconds of sending at the target, of which every `nth` packet is asked for again at once. */
static void
nack_for_two_seconds(unsigned nth)
{
	for (const int64_t end_us = now_us + 2 * SECOND; now_us < end_us;) {
		for (unsigned p = 0; p < nth; p++) {
			now_us += 8LL * PACKET * SECOND / bwe_send_target_bps(&bwe);
			send_one(PACKET);
		}
		bwe_send_nacked(&bwe, 1, now_us);
		bwe_send_tick(&bwe, now_us);
	}
}

TEST(what_is_asked_for_again_cuts_before_a_report_comes)
{
	start(false);
	report_for(60, 0, 40 * MS);
	const int64_t before_bps = bwe_send_target_bps(&bwe);
	nack_for_two_seconds(20);
	EXPECT_EQ(bwe_send_target_bps(&bwe), before_bps);
	nack_for_two_seconds(2);
	EXPECT(bwe_send_target_bps(&bwe) < before_bps / 2);
	/* The next report tells of the same loss, and is not believed twice. */
	const int64_t after_bps = bwe_send_target_bps(&bwe);
	report_for(1, 128, 40 * MS);
	EXPECT(bwe_send_target_bps(&bwe) >= after_bps);
	/* A peer may ask for all it likes. */
	bwe_send_nacked(&bwe, UINT32_MAX, now_us);
	report_for(1, 0, 40 * MS);
	bwe_send_nacked(&bwe, UINT32_MAX, now_us);
	EXPECT(bwe_send_target_bps(&bwe) >= MIN);
}

/* Sends at the target, and is asked for a key frame each 300 ms. */
static void
spoil(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		for (const int64_t end_us = now_us + 300 * MS; now_us < end_us;) {
			now_us += 8LL * PACKET * SECOND / bwe_send_target_bps(&bwe);
			send_one(PACKET);
		}
		bwe_send_spoilt(&bwe, now_us);
		bwe_send_tick(&bwe, now_us);
	}
}

TEST(key_frames_asked_for_again_and_again_cut_the_rate)
{
	start(false);
	report_for(60, 0, 40 * MS);
	const int64_t before_bps = bwe_send_target_bps(&bwe);
	spoil(2);
	EXPECT_EQ(bwe_send_target_bps(&bwe), before_bps); /* a decoder may begin anew */
	spoil(1);
	EXPECT(bwe_send_target_bps(&bwe) < before_bps / 2);
	spoil(30);
	EXPECT_EQ(bwe_send_target_bps(&bwe), BWE_SPOILT_FLOOR_BPS);
	EXPECT(bwe_send_stats(&bwe).spoilt_cuts >= 2);
	/* The report knows of no loss: it was for another reason, which is no news for a while. */
	report_for(1, 0, 40 * MS);
	EXPECT(bwe_send_target_bps(&bwe) >= before_bps);
	spoil(30);
	EXPECT(bwe_send_target_bps(&bwe) >= before_bps);
	EXPECT_EQ(bwe_send_stats(&bwe).spoilt, 63);
}

TEST(whoever_asks_for_packets_is_not_heard_by_key_frames)
{
	start(false);
	report_for(20, 0, 40 * MS);
	bwe_send_nacked(&bwe, 1, now_us);
	const int64_t before_bps = bwe_send_target_bps(&bwe);
	spoil(30);
	EXPECT_EQ(bwe_send_target_bps(&bwe), before_bps);
	EXPECT_EQ(bwe_send_stats(&bwe).spoilt, 0);
}

TEST(what_is_forgiven_cuts_nothing_more)
{
	start(false);
	report_for(60, 0, 40 * MS);
	const int64_t before_bps = bwe_send_target_bps(&bwe);
	nack_for_two_seconds(2);
	EXPECT(bwe_send_target_bps(&bwe) < before_bps / 2);
	bwe_send_forgive(&bwe, before_bps, now_us);
	EXPECT_EQ(bwe_send_target_bps(&bwe), before_bps);
	bwe_send_nacked(&bwe, 1000, now_us);
	report_for(1, 200, 40 * MS);
	EXPECT(bwe_send_target_bps(&bwe) >= before_bps);
	/* But the next is believed again. */
	report_for(1, 200, 40 * MS);
	EXPECT(bwe_send_target_bps(&bwe) < before_bps / 2);
	bwe_send_forgive(&bwe, 100LL * MAX, now_us);
	EXPECT_EQ(bwe_send_target_bps(&bwe), MAX);
}

TEST(a_peer_that_promised_feedback_and_sends_none_is_served_by_reports)
{
	start(true);
	report_for(20, 0, 40 * MS);
	EXPECT(bwe_send_target_bps(&bwe) > STEADY * 3 / 2);
	EXPECT_EQ(bwe_send_stats(&bwe).silences, 0);
}

TEST(reports_about_many_streams_are_told_apart)
{
	start(false);
	for (unsigned i = 0; i < 1000; i++) {
		now_us += 10 * MS;
		const struct rtcp_block block = { .ssrc = i % 100,
			                          .fraction_lost = 255,
			                          .highest_seq = 0xfffffff0u + i * 100000u };
		bwe_send_report(&bwe, &block, -1, now_us);
	}
	EXPECT_EQ(bwe_send_target_bps(&bwe), STEADY); /* none was known, or all jumped */
}

TEST(the_deadline_is_never_far_and_never_stands_still)
{
	start(true);
	bwe_send_demand(&bwe, &(struct bwe_demand){ .wanted_bps = MAX }, now_us);
	unsigned probes = 0;
	for (unsigned i = 0; i < 200; i++) {
		const int64_t at_us = bwe_send_deadline(&bwe);
		EXPECT(at_us >= now_us && at_us <= now_us + SECOND);
		now_us = at_us;
		bwe_send_tick(&bwe, now_us);
		struct bwe_probe probe;
		probes += bwe_send_probe(&bwe, &probe, now_us);
		if (i % 4 == 0) {
			send_steadily(BATCH);
			hear_truly(0);
		}
	}
	EXPECT(probes > 0);
}
