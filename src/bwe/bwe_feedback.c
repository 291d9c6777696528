/* SPDX-License-Identifier: Apache-2.0 */
/* Transport-wide feedback: first it is judged as a whole, then believed as a whole. */
#include "base/check.h"
#include "bwe/bwe_internal.h"

enum {
	STRAY_CLOCKS_MAX = 8,        /* messages in a row on another clock are the new clock */
	SPELL_US = 15 * 1000 * 1000, /* the least delay is remembered for one to two of these */
};

/* Arrival times start here, so that none is negative. */
#define EPOCH_US INT64_C(3600000000)
#define REFERENCES (INT64_C(1) << 24)

/* What a message says, before anything is believed. */
struct survey {
	int64_t base;              /* sequence number */
	int64_t first_us, last_us; /* arrivals, since the reference time */
	unsigned received, fresh;
};

static struct bwe_record *
find_record(struct bwe_send *bwe, int64_t seq)
{
	if (seq > bwe->sent_seq.highest || seq <= bwe->sent_seq.highest - BWE_HISTORY)
		return NULL;
	return &bwe->records[(uint64_t)seq % BWE_HISTORY];
}

static int64_t
sent_us_of(const struct bwe_send *bwe, const struct bwe_record *record)
{
	return bwe->now_us - (uint32_t)((uint32_t)bwe->now_us - record->sent_us);
}

static enum bwe_reject
survey(struct bwe_send *bwe, const struct rtcp_fb *fb, struct survey *out)
{
	*out = (struct survey){ .first_us = INT64_MAX, .last_us = INT64_MIN };
	if (!bwe->sent_seq.started)
		return BWE_REJECT_UNSENT;
	out->base = rtp_seq_extend(&bwe->sent_seq, rtcp_fb_twcc(fb).base_seq);
	if (out->base + fb->count - 1 > bwe->sent_seq.highest)
		return BWE_REJECT_UNSENT;

	struct rtcp_twcc_walk walk;
	struct rtcp_twcc_status status;
	rtcp_twcc_walk_init(&walk, fb);
	for (int64_t seq = out->base; rtcp_twcc_walk_next(&walk, &status); seq++) {
		const struct bwe_record *record = find_record(bwe, seq);
		if (status.received) {
			out->received++;
			out->first_us = status.at_us < out->first_us ? status.at_us : out->first_us;
			out->last_us = status.at_us > out->last_us ? status.at_us : out->last_us;
		}
		if (record == NULL)
			continue;
		if (record->state == BWE_STATE_UNSENT && status.received)
			return BWE_REJECT_UNSENT;
		if (record->state == BWE_STATE_UNDER_WAY ||
		    (record->state == BWE_STATE_LOST && status.received))
			out->fresh++;
	}
	if (out->fresh == 0)
		return BWE_REJECT_OLD;
	if (out->received != 0 && out->last_us - out->first_us > BWE_SPAN_US_MAX)
		return BWE_REJECT_SPAN;
	return BWE_OK;
}

/* All that was concluded from the peer's clock. */
static void
forget_clock(struct bwe_send *bwe)
{
	trend_init(&bwe->trend);
	rate_meter_init(&bwe->acked_sent);
	rate_meter_init(&bwe->acked_arrived);
	bwe->delay_us_min[0] = bwe->delay_us_min[1] = INT64_MAX;
	bwe->clock_set = false;
}

/* Is the message where the peer's clock must be by now?  Moves the clock to it if so. */
static enum bwe_reject
judge_clock(struct bwe_send *bwe, uint32_t reference, const struct survey *survey)
{
	const int64_t fresh_us = EPOCH_US + (int64_t)reference * RTCP_TWCC_REFERENCE;
	const int64_t before = (bwe->reference_us - EPOCH_US) / RTCP_TWCC_REFERENCE;
	int64_t ahead = (reference - before) & (REFERENCES - 1);
	ahead = ahead < REFERENCES / 2 ? ahead : ahead - REFERENCES;
	int64_t reference_us = bwe->reference_us + ahead * RTCP_TWCC_REFERENCE;
	const int64_t clock_us =
	        (bwe->clock_set ? reference_us : fresh_us) + survey->last_us - bwe->now_us;
	const int64_t off_us = clock_us - bwe->clock_us;
	if (bwe->clock_set && (off_us > BWE_SKEW_US_MAX || off_us < -BWE_SKEW_US_MAX ||
	                       reference_us + survey->first_us < 0)) {
		const int64_t apart_us = clock_us - bwe->stray_clock_us;
		const bool agrees = apart_us > -BWE_SKEW_US_MAX && apart_us < BWE_SKEW_US_MAX;
		bwe->stray_clocks = bwe->stray_clocks != 0 && agrees ? bwe->stray_clocks + 1 : 1;
		bwe->stray_clock_us = clock_us;
		if (bwe->stray_clocks < STRAY_CLOCKS_MAX)
			return BWE_REJECT_CLOCK;
		forget_clock(bwe);
	}
	if (!bwe->clock_set) {
		reference_us = fresh_us;
		bwe->clock_us = reference_us + survey->last_us - bwe->now_us;
		bwe->clock_set = true;
	}
	/* Clocks drift; what is a delay goes again. */
	bwe->clock_us += (reference_us + survey->last_us - bwe->now_us - bwe->clock_us) / 16;
	bwe->stray_clocks = 0;
	bwe->reference_us = reference_us;
	return BWE_OK;
}

/* The time packets took at best is remembered for a while: what they take longer now is a queue. */
static void
note_delay(struct bwe_send *bwe, int64_t delay_us)
{
	if (bwe->now_us - bwe->delay_spell_us > SPELL_US) {
		bwe->delay_us_min[1] = bwe->delay_us_min[0];
		bwe->delay_us_min[0] = INT64_MAX;
		bwe->delay_spell_us = bwe->now_us;
	}
	if (delay_us < bwe->delay_us_min[0])
		bwe->delay_us_min[0] = delay_us;
	const int64_t *least = bwe->delay_us_min;
	bwe->stats.queue_us = delay_us - (least[0] < least[1] ? least[0] : least[1]);
}

static void
take_received(struct bwe_send *bwe, struct bwe_record *record, int64_t sent_us, int64_t arrived_us)
{
	if (record->state == BWE_STATE_LOST)
		bwe->stats.late_packets++;
	record->state = BWE_STATE_RECEIVED;
	rate_meter_input(&bwe->acked_sent, record->bytes, sent_us);
	rate_meter_input(&bwe->acked_arrived, record->bytes, arrived_us);
	/* A probe makes a queue on purpose. */
	if (record->probe_id != 0)
		bwe_probe_acked(bwe, record, sent_us, arrived_us);
	else
		trend_input(&bwe->trend, sent_us, arrived_us);
}

/* Second walk: what is new is believed. */
static void
take_statuses(struct bwe_send *bwe, const struct rtcp_fb *fb, int64_t base)
{
	struct rtcp_twcc_walk walk;
	struct rtcp_twcc_status status;
	uint32_t told = 0;
	uint32_t lost = 0;
	int64_t newest_sent_us = -1;
	int64_t delay_us_min = INT64_MAX;
	rtcp_twcc_walk_init(&walk, fb);
	for (int64_t seq = base; rtcp_twcc_walk_next(&walk, &status); seq++) {
		struct bwe_record *record = find_record(bwe, seq);
		if (record == NULL || record->state == BWE_STATE_UNSENT ||
		    record->state == BWE_STATE_RECEIVED)
			continue;
		if (record->state == BWE_STATE_UNDER_WAY && seq > bwe->loss_seq) {
			told++;
			lost += !status.received;
		}
		if (!status.received) {
			record->state = BWE_STATE_LOST;
			continue;
		}
		const int64_t sent_us = sent_us_of(bwe, record);
		const int64_t arrived_us = bwe->reference_us + status.at_us;
		take_received(bwe, record, sent_us, arrived_us);
		if (arrived_us - sent_us < delay_us_min)
			delay_us_min = arrived_us - sent_us;
		newest_sent_us = sent_us > newest_sent_us ? sent_us : newest_sent_us;
	}
	bwe_loss_input(bwe, lost, told);
	if (newest_sent_us < 0)
		return;
	note_delay(bwe, delay_us_min);
	const int64_t rtt_us = bwe->now_us - newest_sent_us;
	const int64_t before_us = bwe->stats.rtt_us;
	bwe->stats.rtt_us = before_us < 0 ? rtt_us : before_us + (rtt_us - before_us) / 8;
}

enum bwe_reject
bwe_twcc(struct bwe_send *bwe, const struct rtcp_fb *fb)
{
	struct survey seen;
	enum bwe_reject reject = survey(bwe, fb, &seen);
	if (reject == BWE_OK && seen.received != 0)
		reject = judge_clock(bwe, rtcp_fb_twcc(fb).reference, &seen);
	if (reject != BWE_OK)
		return reject;
	bwe->stats.feedbacks++;
	bwe->heard = true;
	bwe->unheard_us = -1;
	take_statuses(bwe, fb, seen.base);
	bwe_control(bwe);
	bwe_probe_judge(bwe);
	return BWE_OK;
}
