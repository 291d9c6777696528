/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence numbers, and what is counted about packets received and sent. */
#include "base/check.h"
#include "rtp/rtp.h"

static_assert(RTP_MISORDER_MAX <= RTP_HISTORY, "every packet taken late is one we remember");
static_assert(RTP_HISTORY == 128, "history_shift() knows two words");

enum {
	US_PER_S = 1000 * 1000,
	JITTER_JUMP_S = 5, /* a transit that changes by more is a new clock, not jitter */
};

/* ---- Sequence numbers ---- */

int64_t
rtp_seq_extend(const struct rtp_seq *seq, uint16_t wire)
{
	if (!seq->started)
		return wire;
	return seq->highest + (int16_t)(uint16_t)(wire - (uint16_t)seq->highest);
}

int64_t
rtp_seq_input(struct rtp_seq *seq, uint16_t wire)
{
	const int64_t extended = rtp_seq_extend(seq, wire);
	if (!seq->started || extended > seq->highest)
		seq->highest = extended;
	seq->started = true;
	return extended;
}

int64_t
rtp_timestamp_extend(int64_t near_rtp, uint32_t wire)
{
	return near_rtp + (int32_t)(wire - (uint32_t)near_rtp);
}

/* Without the overflow of us * hz. */
uint32_t
rtp_of_us(int64_t us, uint32_t clock_hz)
{
	return (uint32_t)(us / US_PER_S * clock_hz + us % US_PER_S * clock_hz / US_PER_S);
}

/* ---- Receiving ---- */

void
rtp_receive_init(struct rtp_receive *receive, uint32_t clock_hz)
{
	CHECK(clock_hz != 0);
	*receive = (struct rtp_receive){ .clock_hz = clock_hz, .probation = RTP_PROBATION };
}

static void
history_shift(struct rtp_receive *receive, int64_t by)
{
	uint64_t *h = receive->history;
	if (by >= RTP_HISTORY) {
		h[0] = h[1] = 0;
	} else if (by >= 64) {
		h[1] = h[0] << (by - 64);
		h[0] = 0;
	} else if (by > 0) {
		h[1] = h[1] << by | h[0] >> (64 - by);
		h[0] <<= by;
	}
	h[0] |= 1;
}

/* Everything about the source but its totals begins with this packet. */
static void
begin(struct rtp_receive *receive, uint16_t seq)
{
	receive->seq = (struct rtp_seq){ .highest = seq, .started = true };
	receive->history[0] = 1;
	receive->history[1] = 0;
	receive->base = seq;
	receive->received = 1;
	receive->expected_prior = 0;
	receive->received_prior = 0;
	receive->bad_seq_set = false;
	receive->transit_set = false;
}

/* RFC 3550 A.8. */
static void
count_jitter(struct rtp_receive *receive, uint32_t timestamp_rtp, int64_t now_us)
{
	const uint32_t transit = rtp_of_us(now_us, receive->clock_hz) - timestamp_rtp;
	const int64_t change = (int32_t)(transit - receive->transit_rtp);
	const int64_t size = change < 0 ? -change : change;
	if (receive->transit_set && size <= (int64_t)receive->clock_hz * JITTER_JUMP_S)
		receive->jitter_q4_rtp += (uint32_t)size - ((receive->jitter_q4_rtp + 8) >> 4);
	receive->transit_rtp = transit;
	receive->transit_set = true;
}

static enum rtp_verdict
probe(struct rtp_receive *receive, uint16_t seq)
{
	if (receive->seq.started && seq == (uint16_t)(receive->seq.highest + 1)) {
		receive->seq.highest++;
		receive->received++;
		history_shift(receive, 1);
		receive->probation--;
	} else {
		begin(receive, seq);
		receive->probation = RTP_PROBATION - 1;
	}
	return receive->probation == 0 ? RTP_VERDICT_NEW : RTP_VERDICT_PROBATION;
}

static enum rtp_verdict
place_late(struct rtp_receive *receive, int64_t extended)
{
	const int64_t behind = receive->seq.highest - extended;
	uint64_t *word = &receive->history[behind / 64];
	const uint64_t bit = UINT64_C(1) << behind % 64;
	if ((*word & bit) != 0) {
		receive->duplicates++;
		return RTP_VERDICT_DUPLICATE;
	}
	*word |= bit;
	receive->received++;
	receive->reordered++;
	/* It was sent before the first that arrived. */
	if (extended < receive->base)
		receive->base = extended;
	return RTP_VERDICT_LATE;
}

/* RFC 3550 A.1, with duplicates told apart. */
static enum rtp_verdict
judge(struct rtp_receive *receive, uint16_t seq)
{
	if (receive->probation != 0)
		return probe(receive, seq);
	const int64_t extended = rtp_seq_extend(&receive->seq, seq);
	const int64_t ahead = extended - receive->seq.highest;
	if (ahead > 0 && ahead < RTP_DROPOUT_MAX) {
		receive->seq.highest = extended;
		receive->received++;
		receive->bad_seq_set = false;
		history_shift(receive, ahead);
		return RTP_VERDICT_NEW;
	}
	if (ahead <= 0 && -ahead < RTP_MISORDER_MAX)
		return place_late(receive, extended);
	/* Two in sequence from elsewhere: the peer began anew without telling. */
	if (receive->bad_seq_set && seq == receive->bad_seq) {
		begin(receive, seq);
		receive->restarts++;
		return RTP_VERDICT_RESTART;
	}
	receive->bad_seq = (uint16_t)(seq + 1);
	receive->bad_seq_set = true;
	receive->jumps++;
	return ahead > 0 ? RTP_VERDICT_JUMP : RTP_VERDICT_OLD;
}

enum rtp_verdict
rtp_receive_input(struct rtp_receive *receive, const struct rtp_packet *packet, int64_t now_us)
{
	CHECK(receive->clock_hz != 0);
	const enum rtp_verdict verdict = judge(receive, packet->seq);
	switch (verdict) {
	case RTP_VERDICT_NEW:
	case RTP_VERDICT_PROBATION:
	case RTP_VERDICT_RESTART:
		count_jitter(receive, packet->timestamp_rtp, now_us);
		break;
	case RTP_VERDICT_LATE:
		break;
	case RTP_VERDICT_DUPLICATE:
	case RTP_VERDICT_OLD:
	case RTP_VERDICT_JUMP:
		return verdict;
	}
	receive->packets++;
	receive->bytes += packet->payload_len;
	receive->last_us = now_us;
	return verdict;
}

bool
rtp_receive_valid(const struct rtp_receive *receive)
{
	return receive->probation == 0;
}

static int64_t
expected(const struct rtp_receive *receive)
{
	return receive->seq.started ? receive->seq.highest - receive->base + 1 : 0;
}

int64_t
rtp_receive_lost(const struct rtp_receive *receive)
{
	return expected(receive) - receive->received;
}

uint32_t
rtp_receive_jitter_us(const struct rtp_receive *receive)
{
	return (uint32_t)((uint64_t)(receive->jitter_q4_rtp >> 4) * US_PER_S / receive->clock_hz);
}

uint8_t
rtp_receive_take_fraction(struct rtp_receive *receive)
{
	const int64_t expected_now = expected(receive);
	const int64_t expected_since = expected_now - receive->expected_prior;
	const int64_t lost = expected_since - (receive->received - receive->received_prior);
	receive->expected_prior = expected_now;
	receive->received_prior = receive->received;
	if (expected_since <= 0 || lost <= 0)
		return 0;
	const int64_t fraction = lost * 256 / expected_since;
	return (uint8_t)(fraction < 255 ? fraction : 255);
}

/* ---- Sending ---- */

void
rtp_send_init(struct rtp_send *send, uint32_t ssrc, uint32_t clock_hz, uint16_t random)
{
	CHECK(clock_hz != 0);
	*send = (struct rtp_send){ .ssrc = ssrc, .clock_hz = clock_hz, .seq = random & 0x7fff };
}

void
rtp_send_next(struct rtp_send *send, struct rtp_header *header, size_t payload_len, int64_t now_us)
{
	header->ssrc = send->ssrc;
	header->seq = send->seq++;
	send->timestamp_rtp = header->timestamp_rtp;
	send->started = true;
	send->packets++;
	send->bytes += payload_len;
	send->last_us = now_us;
}

uint32_t
rtp_send_timestamp_at(const struct rtp_send *send, int64_t now_us)
{
	return send->timestamp_rtp + rtp_of_us(now_us - send->last_us, send->clock_hz);
}
