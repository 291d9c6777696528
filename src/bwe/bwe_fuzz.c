/* SPDX-License-Identifier: Apache-2.0 */
/* A sender whose peer says anything: raw RTCP, well-formed feedback with any statuses and times,
 * reports, bounds; at any times.  The target stays in its bounds and, without probes, below 1.5
 * times what was really sent; the deadline is never past. */
#include "base/check.h"
#include "bwe/bwe_send.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	MS = 1000,
	MIN = 50 * 1000,
	START = 300 * 1000,
	MAX = 5000 * 1000,
	STEPS_MAX = 2000,
	PEAK_US = 100 * MS,
};

static struct bwe_send bwe;
static int64_t now_us;
static uint16_t seq;
static uint8_t probe_id;
static bool probed;
static int64_t spell_us, spell_bits, peak_bps;

/* The most that was sent in any spell, or any two: what a meter of ours could have seen. */
static void
count_sent(unsigned size)
{
	if (now_us - spell_us > PEAK_US) {
		spell_us = now_us;
		spell_bits = 0;
	}
	spell_bits += 8 * size;
	const int64_t bps = 2 * spell_bits * (1000 * MS / PEAK_US);
	peak_bps = bps > peak_bps ? bps : peak_bps;
}

static void
send_packets(struct reader *r)
{
	const unsigned count = reader_u8(r) & 31;
	const unsigned step_us = reader_u8(r) * 100u;
	const unsigned size = 40 + reader_u8(r) * 5u;
	seq = (uint16_t)(seq + (count == 31 ? reader_u16(r) & 0x7ff : 0));
	for (unsigned i = 0; i < count; i++) {
		now_us += step_us;
		const struct bwe_sent sent = { .seq = seq++,
			                       .bytes = (uint16_t)size,
			                       .probe_id = probe_id };
		bwe_send_sent(&bwe, &sent, now_us);
		count_sent(size);
	}
}

static void
hear(const uint8_t *bytes, size_t len)
{
	struct rtcp_packet packet;
	struct rtcp_fb fb;
	size_t at = 0;
	if (rtcp_parse(bytes, len, true) != RTCP_OK)
		return;
	while (rtcp_next(bytes, len, &at, &packet)) {
		if (rtcp_fb_parse(&fb, &packet) == RTCP_FB_OK)
			bwe_send_feedback(&bwe, &fb, now_us);
	}
}

/* Feedback that any parser takes, about packets that (mostly) were sent. */
static void
hear_statuses(struct reader *r)
{
	int64_t at_us[64];
	uint8_t bytes[1024];
	const unsigned back = reader_u8(r);
	const unsigned count = 1 + (reader_u8(r) & 63);
	const int64_t jump = (int8_t)reader_u8(r);
	int64_t peer_us = (INT64_C(1) << 39) + now_us + jump * jump * jump * MS;
	for (unsigned i = 0; i < count; i++) {
		const uint8_t word = reader_u8(r);
		peer_us += (word & 0x7f) * 200;
		at_us[i] = (word & 0x80) != 0 ? -1 : peer_us;
	}
	struct writer w = writer_of(bytes, sizeof bytes);
	const struct rtcp_twcc_report report = { .base_seq = (uint16_t)(seq - back),
		                                 .at_us = at_us,
		                                 .count = count };
	if (rtcp_fb_write_twcc(&w, &report) != 0)
		hear(bytes, w.at);
}

static void
hear_report(struct reader *r)
{
	const struct rtcp_block block = { .ssrc = reader_u8(r),
		                          .fraction_lost = reader_u8(r),
		                          .highest_seq = reader_u16(r) };
	const int64_t rtt_ms = (int64_t)reader_u8(r) * 5;
	bwe_send_report(&bwe, &block, rtt_ms != 0 ? rtt_ms * MS : -1, now_us);
	bwe_send_nacked(&bwe, block.fraction_lost, now_us);
}

static void
run_clock(struct reader *r)
{
	now_us += reader_u8(r) * 20LL * MS;
	bwe_send_tick(&bwe, now_us);
	struct bwe_probe probe;
	if (bwe_send_probe(&bwe, &probe, now_us)) {
		CHECK(probe.id != 0 && probe.bytes >= BWE_PROBE_PACKETS && probe.rate_bps <= MAX);
		probe_id = probe.id;
		probed = true;
	}
}

static void
check(bool by_reports)
{
	const int64_t target_bps = bwe_send_target_bps(&bwe);
	CHECK(target_bps >= MIN && target_bps <= MAX);
	if (!probed) {
		const int64_t limit_bps = peak_bps * (by_reports ? 2 : 1) * 3 / 2;
		CHECK(target_bps <= START || target_bps <= limit_bps);
	}
	const int64_t deadline_us = bwe_send_deadline(&bwe);
	CHECK(deadline_us >= now_us && deadline_us <= now_us + 1000 * MS);
	const struct bwe_stats stats = bwe_send_stats(&bwe);
	CHECK(stats.loss_q8 <= 256 && stats.acked_bps >= 0);
	CHECK(bwe.loss_slow >= 0 && bwe.loss_slow <= 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	const uint8_t flags = reader_u8(&r);
	const struct bwe_settings settings = {
		.twcc = (flags & 1) != 0, .min_bps = MIN, .start_bps = START, .max_bps = MAX
	};
	now_us = 1000LL * 1000 * MS;
	seq = 65000;
	probe_id = 0;
	probed = false;
	spell_us = now_us;
	spell_bits = peak_bps = 0;
	bwe_send_init(&bwe, &settings, now_us);
	if ((flags & 2) != 0)
		bwe_send_demand(&bwe, &(struct bwe_demand){ .wanted_bps = MAX }, now_us);
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&r) != 0; i++) {
		switch (reader_u8(&r) % 6) {
		case 0:
			run_clock(&r);
			break;
		case 1:
		case 2:
			send_packets(&r);
			break;
		case 3:
			hear_statuses(&r);
			break;
		case 4:
			hear_report(&r);
			break;
		default: {
			const size_t size = reader_u8(&r);
			const size_t there = reader_left(&r) < size ? reader_left(&r) : size;
			hear(r.bytes + r.at, there);
			reader_skip(&r, there);
			break;
		}
		}
		check((flags & 1) == 0 || !bwe.heard);
	}
	return 0;
}
