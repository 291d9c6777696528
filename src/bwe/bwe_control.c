/* SPDX-License-Identifier: Apache-2.0 */
/* The rate goes down and up here: by delay, by loss, by silence. */
#include <math.h>

#include "base/check.h"
#include "bwe/bwe_internal.h"

enum {
	PACKET_BITS = 1200 * 8,
	GROWTH_BPS_MIN = 4000,    /* a second, however long the round trip */
	RESPONSE_US = 100 * 1000, /* of an encoder, beside the round trip */
	CUT_GAP_US = 200 * 1000,  /* between cuts, plus a round trip of up to */
	CUT_GAP_RTT_US_MAX = 300 * 1000,
	STUBBORN_US = 1000 * 1000,   /* over-use that a cut did not end */
	CALM_US = 2 * 1000 * 1000,   /* without over-use, before loss is taken for mere loss */
	QUEUE_HOLD_US = 200 * 1000,  /* a queue as long as that is not added to */
	QUEUE_DEEP_US = 300 * 1000,  /* here it is emptied faster */
	QUEUE_ABYSS_US = 800 * 1000, /* and here as fast as can be borne */
	SILENCE_GAP_US = 500 * 1000,
	DT_US_MAX = 1000 * 1000,
	LOSS_GAP_US = 300 * 1000,
	LOSS_PACKETS_MIN = 20,
	LOSS_FRUITLESS_MAX = 2,
	TRIAL_GAP_US = 15 * 1000 * 1000,
};

static const double growth = 1.08; /* a second; draft-ietf-rmcat-gcc-02 s5.5 */
static const double over_factor = 0.85;
static const double deep_factor = 0.7;
static const double abyss_factor = 0.5;
static const double stubborn_factor = 0.95;
static const double silence_factor = 0.7;
static const double acked_factor_max = 1.5;
static const double near_capacity = 0.1;    /* to either side */
static const double near_growth_max = 0.04; /* a second */
static const double loss_low = 0.02;        /* s6 */
static const double loss_high = 0.10;
static const double loss_same_min = 0.5; /* of the loss at the last cut: it did not help */
static const double loss_same_max = 2.0;
static const double loss_bearable = 1.2;
static const double trial_loss_max = 0.05;

int64_t
bwe_acked_bps(const struct bwe_send *bwe)
{
	const int64_t sent_bps = rate_meter_bps(&bwe->acked_sent);
	const int64_t arrived_bps = rate_meter_bps(&bwe->acked_arrived);
	return sent_bps < arrived_bps ? sent_bps : arrived_bps;
}

void
bwe_bound(struct bwe_send *bwe)
{
	if (bwe->rate_bps < bwe->settings.min_bps)
		bwe->rate_bps = bwe->settings.min_bps;
	if (bwe->rate_bps > bwe->settings.max_bps)
		bwe->rate_bps = bwe->settings.max_bps;
}

int64_t
bwe_ceiling_bps(const struct bwe_send *bwe)
{
	int64_t bps = bwe->settings.max_bps;
	bps = bps < bwe->demand.wanted_bps ? bps : bwe->demand.wanted_bps;
	bps = bps < bwe->remb_bps ? bps : bwe->remb_bps;
	return bps < bwe->tmmbr_bps ? bps : bwe->tmmbr_bps;
}

/* ---- Down ---- */

void
bwe_cut_to(struct bwe_send *bwe, double bps)
{
	if (bps < (double)bwe->rate_bps)
		bwe->rate_bps = (int64_t)bps;
	bwe->cut_us = bwe->now_us;
	bwe->grown_us = bwe->now_us;
	bwe_bound(bwe);
}

void
bwe_note_capacity(struct bwe_send *bwe, int64_t carried_bps)
{
	if (carried_bps == 0)
		return;
	const double off = (double)carried_bps - (double)bwe->capacity_bps;
	if (fabs(off) > near_capacity * (double)bwe->capacity_bps)
		bwe->capacity_bps = carried_bps;
	else
		bwe->capacity_bps += (int64_t)(off / 8);
}

static void
cut_by_delay(struct bwe_send *bwe)
{
	const int64_t since_us = bwe->now_us - bwe->cut_us;
	int64_t gap_us = CUT_GAP_US;
	if (bwe->stats.rtt_us > 0)
		gap_us += bwe->stats.rtt_us < CUT_GAP_RTT_US_MAX ? bwe->stats.rtt_us
		                                                 : CUT_GAP_RTT_US_MAX;
	bwe->overuse_us = bwe->now_us;
	bwe->grown_us = bwe->now_us;
	if (since_us < gap_us)
		return;
	const int64_t acked_bps = bwe_acked_bps(bwe);
	const double rate = (double)bwe->rate_bps;
	const double factor = bwe->stats.queue_us > QUEUE_ABYSS_US  ? abyss_factor
	                      : bwe->stats.queue_us > QUEUE_DEEP_US ? deep_factor
	                                                            : over_factor;
	double base = acked_bps != 0 ? (double)acked_bps : rate;
	if (bwe->demand.limited && base < rate / 2)
		base = rate / 2; /* we sent little; it says nothing about what fits */
	if (factor * base < rate) {
		bwe_cut_to(bwe, factor * base);
	} else if (since_us > STUBBORN_US) {
		bwe_cut_to(bwe, stubborn_factor * rate);
	} else {
		return;
	}
	bwe_note_capacity(bwe, acked_bps);
	bwe->stats.overuses++;
	bwe_probe_cut(bwe);
}

void
bwe_loss_input(struct bwe_send *bwe, double lost, uint32_t count)
{
	if (count == 0)
		return;
	CHECK(lost >= 0 && lost <= count);
	const uint32_t sum = bwe->loss_packets + count;
	const uint32_t memory = sum < BWE_LOSS_PACKETS ? sum : BWE_LOSS_PACKETS;
	const double now = lost / count;
	bwe->loss += fmin((double)count / memory, 1) * (now - bwe->loss);
	bwe->loss_slow += fmin((double)count / BWE_LOSS_PACKETS_SLOW, 1) * (now - bwe->loss_slow);
	bwe->loss_packets = count > memory ? count : memory; /* a report may tell of hundreds */
}

/* About as high as it was at the last cut, which then did not help: it is not of our making. */
static bool
loss_is_inherent(const struct bwe_send *bwe)
{
	return bwe->loss_at_cut > 0 && bwe->loss > loss_same_min * bwe->loss_at_cut &&
	       bwe->loss < loss_same_max * bwe->loss_at_cut;
}

bool
bwe_loss_is_bearable(const struct bwe_send *bwe)
{
	return bwe->loss <= loss_high || (bwe->loss_fruitless >= LOSS_FRUITLESS_MAX &&
	                                  bwe->loss < loss_bearable * bwe->loss_at_cut);
}

/* More than a tenth is lost, and that is not chance: two deviations of what so few packets tell. */
bool
bwe_loss_calls_for_cut(const struct bwe_send *bwe)
{
	if (bwe->loss_packets < LOSS_PACKETS_MIN || bwe->now_us - bwe->loss_cut_us < LOSS_GAP_US)
		return false;
	const double deviation = sqrt(bwe->loss * (1 - bwe->loss) / bwe->loss_packets);
	if (bwe->loss - 2 * deviation <= loss_high)
		return false;
	return !loss_is_inherent(bwe) || bwe->loss_fruitless < LOSS_FRUITLESS_MAX;
}

void
bwe_note_loss_cut(struct bwe_send *bwe)
{
	bwe->loss_fruitless = loss_is_inherent(bwe) ? bwe->loss_fruitless + 1 : 0;
	bwe->loss_at_cut = bwe->loss;
	bwe->loss_slow = bwe->loss;
	bwe->loss_cut_us = bwe->now_us;
	bwe->trial_bps = 0;
	/* Only what is sent from now on says whether it helped. */
	bwe->loss_seq = bwe->sent_seq.highest;
	bwe->loss_packets = 0;
	bwe->stats.loss_cuts++;
}

static void
cut_by_loss(struct bwe_send *bwe)
{
	const int64_t acked_bps = bwe_acked_bps(bwe);
	const double passed = (double)bwe->rate_bps * (1 - bwe->loss);
	bwe_note_loss_cut(bwe);
	bwe_cut_to(bwe, acked_bps != 0 ? fmax(passed, 0.9 * (double)acked_bps) : 0.9 * passed);
	bwe_note_capacity(bwe, acked_bps != 0 ? acked_bps : (int64_t)passed);
	bwe_probe_cut(bwe);
}

void
bwe_settle_loss(struct bwe_send *bwe)
{
	if (bwe->loss_slow <= loss_same_min * bwe->loss_at_cut) {
		bwe->loss_at_cut = 0;
		bwe->loss_fruitless = 0;
	}
}

/* The loss grew with the rate, so there is a queue too short to be seen as delay. */
static bool
trial_failed(const struct bwe_send *bwe)
{
	return bwe->trial_bps != 0 && bwe->rate_bps > bwe->trial_bps / 100 * 105 &&
	       bwe->loss_slow - bwe->trial_loss > trial_loss_max;
}

static void
end_trial(struct bwe_send *bwe)
{
	bwe_cut_to(bwe, stubborn_factor * (double)bwe->trial_bps);
	bwe_note_capacity(bwe, bwe_acked_bps(bwe));
	bwe->trial_bps = 0;
	bwe->trial_at_us = bwe->now_us + TRIAL_GAP_US;
	bwe->stats.loss_cuts++;
}

/* ---- Up ---- */

bool
bwe_is_near_capacity(const struct bwe_send *bwe)
{
	const double off = (double)(bwe->rate_bps - bwe->capacity_bps);
	return bwe->capacity_bps != 0 && fabs(off) <= near_capacity * (double)bwe->capacity_bps;
}

/* Only so far as more than was acknowledged is not claimed. */
static void
grow(struct bwe_send *bwe, double share)
{
	int64_t dt_us = bwe->now_us - bwe->grown_us;
	dt_us = dt_us < DT_US_MAX ? dt_us : DT_US_MAX;
	const double dt_s = share * (double)dt_us / BWE_US_PER_S;
	bwe->grown_us = bwe->now_us;

	const double rate = (double)bwe->rate_bps;
	const double limit = acked_factor_max * (double)bwe_acked_bps(bwe);
	double grown = rate * pow(growth, dt_s);
	if (bwe_is_near_capacity(bwe)) {
		const int64_t rtt_us = bwe->stats.rtt_us > 0 ? bwe->stats.rtt_us : 0;
		const double response_s = (double)(rtt_us + RESPONSE_US) / BWE_US_PER_S;
		const double step = fmin(PACKET_BITS / response_s, near_growth_max * rate);
		grown = rate + dt_s * fmax(step, GROWTH_BPS_MIN);
	} else if (rate > (double)bwe->capacity_bps) {
		bwe->capacity_bps = 0; /* it carries more than we thought */
	}
	if (limit > rate)
		bwe->rate_bps = (int64_t)fmin(grown, limit);
	bwe_bound(bwe);
}

/* Growth in spite of loss: slowly, and in steps that say whether the loss comes from them. */
static void
grow_in_trial(struct bwe_send *bwe)
{
	if (bwe->now_us < bwe->trial_at_us || bwe->now_us - bwe->overuse_us < CALM_US) {
		bwe->grown_us = bwe->now_us;
		return;
	}
	const bool passed = bwe->rate_bps > bwe->trial_bps / 100 * 110 &&
	                    bwe->loss_slow - bwe->trial_loss < trial_loss_max / 2;
	if (bwe->trial_bps == 0 || passed) {
		bwe->trial_bps = bwe->rate_bps;
		bwe->trial_loss = bwe->loss_slow;
	}
	grow(bwe, 0.5);
}

void
bwe_control(struct bwe_send *bwe)
{
	bwe_settle_loss(bwe);
	const enum trend_signal signal = trend_signal(&bwe->trend);
	if (signal == TREND_OVERUSE) {
		bwe->trial_bps = 0;
		cut_by_delay(bwe);
	} else if (bwe_loss_calls_for_cut(bwe)) {
		cut_by_loss(bwe);
	} else if (trial_failed(bwe)) {
		end_trial(bwe);
	} else if (signal == TREND_UNDERUSE || bwe->stats.queue_us > QUEUE_HOLD_US ||
	           !bwe_loss_is_bearable(bwe)) {
		bwe->grown_us = bwe->now_us;
	} else if (bwe->loss >= loss_low) {
		grow_in_trial(bwe);
	} else {
		bwe->trial_bps = 0;
		grow(bwe, 1);
	}
}

void
bwe_control_silence(struct bwe_send *bwe)
{
	if (!bwe->heard || bwe->unheard_us < 0 || bwe->now_us - bwe->unheard_us < BWE_SILENCE_US ||
	    bwe->now_us - bwe->silence_us < SILENCE_GAP_US)
		return;
	bwe->silence_us = bwe->now_us;
	bwe_cut_to(bwe, silence_factor * (double)bwe->rate_bps);
	bwe->stats.silences++;
}
