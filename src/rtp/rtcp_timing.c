/* SPDX-License-Identifier: Apache-2.0 */
/* NTP time, round trips, and the reporting interval of RFC 3550 s6.2 and s6.3. */
#include "base/check.h"
#include "rtp/rtcp.h"

enum {
	US_PER_S = 1000 * 1000,
	INTERVAL_US = 5 * US_PER_S,
	RTCP_SHARE_PCT = 5,
	SENDERS_SHARE_PCT = 25,
	FIRST_PACKET_BYTES = 100, /* until one was seen: SR, SDES and the headers below them */
	LOWER_HEADERS_BYTES = 28, /* UDP and IPv4, counted by s6.2 */
	BITS_PER_BYTE = 8,
	RTT_SHORT_MAX = 60 << 16,
	RTT_SHORT_SLACK = 66, /* 1 ms: the peer's delay is rounded, and so is our clock */
};

#define NTP_EPOCH_S INT64_C(2208988800) /* 1900 to 1970 */

/* ---- NTP ---- */

uint64_t
rtcp_ntp(int64_t wall_us)
{
	CHECK(wall_us >= 0);
	const uint64_t seconds = (uint64_t)(wall_us / US_PER_S + NTP_EPOCH_S);
	const uint64_t fraction = ((uint64_t)(wall_us % US_PER_S) << 32) / US_PER_S;
	return seconds << 32 | fraction;
}

int64_t
rtcp_ntp_us(uint64_t ntp)
{
	const int64_t seconds = (int64_t)(ntp >> 32) - NTP_EPOCH_S;
	return seconds * US_PER_S + (int64_t)((ntp & UINT32_MAX) * US_PER_S >> 32);
}

uint32_t
rtcp_ntp_short(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

/* The wire has less room still; the writer sees to that. */
static int32_t
clamp(int64_t value)
{
	if (value > INT32_MAX)
		return INT32_MAX;
	return value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

struct rtcp_block
rtcp_block_of(uint32_t ssrc, struct rtp_receive *receive, const struct rtcp_last_sr *last_sr,
              int64_t now_us)
{
	struct rtcp_block block = {
		.ssrc = ssrc,
		.fraction_lost = rtp_receive_take_fraction(receive),
		.lost = clamp(rtp_receive_lost(receive)),
		.highest_seq = (uint32_t)receive->seq.highest,
		.jitter_rtp = receive->jitter_q4_rtp >> 4,
	};
	if (last_sr->ntp_short != 0) {
		CHECK(now_us >= last_sr->at_us);
		block.last_sr = last_sr->ntp_short;
		block.since_last_sr = (uint32_t)((now_us - last_sr->at_us) * 65536 / US_PER_S);
	}
	return block;
}

int64_t
rtcp_rtt_us(const struct rtcp_block *block, uint64_t ntp_now)
{
	if (block->last_sr == 0)
		return -1;
	const int64_t rtt =
	        (int32_t)(rtcp_ntp_short(ntp_now) - block->last_sr - block->since_last_sr);
	if (rtt < -RTT_SHORT_SLACK || rtt > RTT_SHORT_MAX)
		return -1;
	return rtt > 0 ? rtt * US_PER_S / 65536 : 0;
}

/* ---- The interval ---- */

/* RFC 3550 A.7: the deterministic interval, varied by half of itself to either side, divided by
 * e - 3/2, which makes up for what timer reconsideration adds. */
static int64_t
interval_us(const struct rtcp_timing *timing, uint32_t random)
{
	const int64_t min_us =
	        timing->initial ? timing->interval_us_min / 2 : timing->interval_us_min;
	int64_t share_bps = timing->rtcp_bps;
	int64_t sharing = timing->members;
	if ((int64_t)timing->senders * 100 <= sharing * SENDERS_SHARE_PCT) {
		const int share_pct = timing->we_sent ? SENDERS_SHARE_PCT : 100 - SENDERS_SHARE_PCT;
		share_bps = share_bps * share_pct / 100;
		sharing = timing->we_sent ? timing->senders : sharing - timing->senders;
	}
	int64_t us = min_us;
	if (share_bps > 0) {
		const int64_t bits = (int64_t)timing->packet_bytes_avg_q4 * BITS_PER_BYTE * sharing;
		const int64_t needed_us = bits * US_PER_S / (share_bps * 16);
		us = needed_us > min_us ? needed_us : min_us;
	}
	const int64_t varied = us / 2 + (int64_t)((uint64_t)us * random >> 32);
	return varied * 100000 / 121828;
}

void
rtcp_timing_init(struct rtcp_timing *timing, const struct rtcp_timing_settings *settings,
                 uint32_t random, int64_t now_us)
{
	*timing = (struct rtcp_timing){
		.rtcp_bps = (uint32_t)((uint64_t)settings->bandwidth_bps * RTCP_SHARE_PCT / 100),
		.interval_us_min =
		        settings->interval_us_min != 0 ? settings->interval_us_min : INTERVAL_US,
		.members = 1,
		.packet_bytes_avg_q4 = FIRST_PACKET_BYTES * 16,
		.initial = true,
		.last_us = now_us,
	};
	timing->next_us = now_us + interval_us(timing, random);
}

void
rtcp_timing_members(struct rtcp_timing *timing, uint32_t members, uint32_t senders, bool we_sent,
                    int64_t now_us)
{
	CHECK(members >= 1 && senders <= members);
	CHECK(now_us >= timing->last_us);
	if (members < timing->members) { /* reverse reconsideration, s6.3.4 */
		const int64_t left_us = timing->next_us > now_us ? timing->next_us - now_us : 0;
		timing->next_us = now_us + left_us * members / timing->members;
		timing->last_us = now_us - (now_us - timing->last_us) * members / timing->members;
	}
	timing->members = members;
	timing->senders = senders;
	timing->we_sent = we_sent;
}

void
rtcp_timing_packet(struct rtcp_timing *timing, size_t len)
{
	CHECK(len <= RTP_PACKET_BYTES_MAX);
	const int64_t bytes_q4 = ((int64_t)len + LOWER_HEADERS_BYTES) * 16;
	const int64_t change = (bytes_q4 - timing->packet_bytes_avg_q4) / 16; /* s6.3.3 */
	timing->packet_bytes_avg_q4 = (uint32_t)(timing->packet_bytes_avg_q4 + change);
}

int64_t
rtcp_timing_deadline(const struct rtcp_timing *timing)
{
	return timing->next_us;
}

bool
rtcp_timing_due(struct rtcp_timing *timing, uint32_t random, int64_t now_us)
{
	if (now_us < timing->next_us)
		return false;
	/* s6.3.6: with what is known now, would it still be time? */
	timing->next_us = timing->last_us + interval_us(timing, random);
	if (timing->next_us > now_us)
		return false;
	timing->initial = false;
	timing->last_us = now_us;
	/* Another draw from the same bits: their halves changed places. */
	timing->next_us = now_us + interval_us(timing, random << 16 | random >> 16);
	return true;
}
