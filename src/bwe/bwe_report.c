/* SPDX-License-Identifier: Apache-2.0 */
/* Peers without transport-wide feedback: the rate goes down and up by what they report, by what they
 * ask for again, and by the key frames that they ask for because something is missing. */
#include <math.h>

#include "bwe/bwe_internal.h"

enum {
	MARK_US = 200 * 1000,
	TOLD_PACKETS_MIN = 20,        /* to tell by them what the link let through */
	TOLD_US_MIN = 200 * 1000,
	PROVEN_US_MIN = 800 * 1000,   /* what went well for so long is no longer a guess */
	DT_US_MAX = 5 * 1000 * 1000,
	QUEUE_RTT_US = 150 * 1000,    /* above the least one: a queue */
	SERIES_US = 12 * 1000 * 1000, /* cuts within belong together */
	RETRY_US_MAX = 4 * 1000 * 1000,
	RETRY_SLOW_US_MAX = 32 * 1000 * 1000,
	SLOW_US = 2 * 1000 * 1000,    /* between reports */
	SPOILT_SPAN_US = 3 * 1000 * 1000,
	SPOILT_GRACE_US = 400 * 1000, /* a cut takes so long to be felt */
	OVER_US = 2 * 1000 * 1000,
	TRUST_US = 15 * 1000 * 1000,
	MISTRUSTS_MAX = 4,
	BITS_PER_BYTE = 8,
};

static const double over_factor = 0.85;
static const double sent_factor_max = 1.5;
static const double low = 0.02;      /* less loss lets the rate grow */
static const double none = 0.005;    /* less is none at all */
static const double some = 0.03;      /* less is nothing to follow up */
static const double heavy = 0.3;     /* more is another link than a moment ago */
static const double passed_factor = 0.92;
static const double carried_factor = 0.8;
static const double carried_factor_keys = 0.65; /* where key frames take their share */
static const double excess_max = 1.15;
static const double excess_most = 1.4; /* with fewer of them it is less soon */
static const double carried_gone = 1.3; /* with so much more it is another link */
static const double spoilt_factor = 0.4;
static const double worth_factor = 0.9; /* a smaller step is not worth the key frame it costs */
static const double growth = 1.05;   /* a second */
static const double growth_near = 1.02;
static const double step_max = 1.15;
static const double retry_step_slow = 1.3; /* whoever reports seldom tells late that it was wrong */
static const double retry_step = 1.5;
static const double retry_step_nacked = 2.0; /* whoever asks again at once tells at once */

/* ---- What was sent ---- */

void
bwe_report_init(struct bwe_send *bwe)
{
	bwe->total = (struct bwe_tally){ .at_us = bwe->now_us };
	bwe->reported = bwe->marks[0] = bwe->marks[1] = bwe->total;
	bwe_report_forgive(bwe);
}

void
bwe_report_forgive(struct bwe_send *bwe)
{
	bwe->onset.at_us = -1;
	bwe->suspect_bps = 0;
	bwe->retried = false;
	for (unsigned i = 0; i < BWE_SPOILT_MAX; i++)
		bwe->spoilt_us[i] = bwe->now_us - SPOILT_SPAN_US - 1;
}

void
bwe_report_sent(struct bwe_send *bwe, uint16_t bytes)
{
	bwe->total.at_us = bwe->now_us;
	if (bwe->now_us - bwe->marks[1].at_us >= MARK_US) {
		bwe->marks[0] = bwe->marks[1];
		bwe->marks[1] = bwe->total;
	}
	bwe->total.bytes += bytes;
	bwe->total.packets++;
}

/* From that moment to now; `at_us` is how long that is. */
static struct bwe_tally
since(const struct bwe_send *bwe, const struct bwe_tally *from)
{
	return (struct bwe_tally){ .at_us = bwe->now_us - from->at_us,
		                   .bytes = bwe->total.bytes - from->bytes,
		                   .packets = bwe->total.packets - from->packets };
}

static double
bps_of(const struct bwe_tally *span)
{
	return (double)span->bytes * BITS_PER_BYTE * BWE_US_PER_S / (double)span->at_us;
}

/* It began a moment before it was told of, and behind the last report at the earliest. */
void
bwe_report_missing(struct bwe_send *bwe)
{
	if (bwe->onset.at_us >= 0)
		return;
	const bool late = bwe->marks[0].at_us > bwe->reported.at_us;
	bwe->onset = late ? bwe->marks[0] : bwe->reported;
}

/* What the link lets through, by a report of `bwe->loss`.  The loss is of the whole time since the
 * last report, the trouble need not be. */
static double
passed_bps(const struct bwe_send *bwe)
{
	const struct bwe_tally told = since(bwe, &bwe->reported);
	const double loss = bwe->loss;
	/* With what is sent again among it, what was sent says little. */
	if (bwe->nacks || told.packets < TOLD_PACKETS_MIN || told.at_us < TOLD_US_MIN)
		return (double)bwe->rate_bps * (1 - loss);
	if (bwe->reported_loss)
		return bps_of(&told) * (1 - loss);
	const double lost = loss * told.packets;
	if (bwe->onset.at_us >= 0) {
		const struct bwe_tally bad = since(bwe, &bwe->onset);
		if (bad.at_us >= TOLD_US_MIN && bad.packets > lost)
			return bps_of(&bad) * (1 - lost / bad.packets);
	}
	/* It filled between `loss` and all of the time: the middle. */
	return bps_of(&told) * (1 - loss) / (1 + loss);
}

/* ---- Down ---- */

static void
cut_to(struct bwe_send *bwe, double bps)
{
	/* A try that fails costs whoever reports seldom a bad picture for as long. */
	const bool slow = bwe->now_us - bwe->reported.at_us > SLOW_US;
	if (bwe->retried && bwe->retry_us < (slow ? RETRY_SLOW_US_MAX : RETRY_US_MAX))
		bwe->retry_us *= 2;
	bwe->retried = false;
	if (bwe->rate_bps > bwe->good_bps)
		bwe->good_bps = bwe->rate_bps;
	bwe_cut_to(bwe, bps);
}

/* What was sent may be more than the rate: key frames that get lost make more key frames.  (What is
 * sent again is less when less is lost.) */
static double
excess(const struct bwe_send *bwe)
{
	const struct bwe_tally told = since(bwe, &bwe->reported);
	if (bwe->nacks || bwe->cut_us > bwe->reported.at_us || told.at_us < TOLD_US_MIN)
		return 1;
	return fmin(fmax(1, bps_of(&told) / (double)bwe->rate_bps), excess_most);
}

/* One step to what the link carries, or a little below; and no further because of what a burst
 * loses, or because the same is told twice. */
static void
cut_by_loss(struct bwe_send *bwe, double passed)
{
	const bool again = bwe->nacks || bwe->reported_loss || bwe->loss >= heavy;
	double to = passed_factor * passed;
	if (!again && bwe->now_us - bwe->cut_us < SERIES_US)
		to = fmax(to, carried_factor * (double)bwe->carried_bps);
	to /= excess(bwe);
	if (again || passed > (double)bwe->carried_bps)
		bwe->carried_bps = (int64_t)passed;
	if (to >= (double)bwe->rate_bps)
		return;
	bwe_note_loss_cut(bwe);
	cut_to(bwe, to);
	bwe_note_capacity(bwe, (int64_t)passed);
}

void
bwe_report_nacked(struct bwe_send *bwe)
{
	bwe_settle_loss(bwe);
	if (!bwe_loss_calls_for_cut(bwe))
		return;
	cut_by_loss(bwe, passed_bps(bwe));
}

/* Key frames do not get through whole, one after the other; after a cut less is needed to believe
 * it. */
static bool
is_spoilt(const struct bwe_send *bwe)
{
	const bool again = bwe->good_bps != 0 && bwe->now_us - bwe->cut_us < SPOILT_SPAN_US;
	const unsigned count = again ? BWE_SPOILT_MAX - 1 : BWE_SPOILT_MAX;
	return bwe->now_us - bwe->spoilt_us[count - 1] <= SPOILT_SPAN_US;
}

void
bwe_report_spoilt(struct bwe_send *bwe)
{
	bwe_report_missing(bwe);
	if (bwe->now_us < bwe->trust_us || bwe->now_us - bwe->cut_us < SPOILT_GRACE_US)
		return;
	for (unsigned i = BWE_SPOILT_MAX - 1; i != 0; i--)
		bwe->spoilt_us[i] = bwe->spoilt_us[i - 1];
	bwe->spoilt_us[0] = bwe->now_us;
	const double rate = (double)bwe->rate_bps;
	const struct bwe_tally lately = since(bwe, &bwe->marks[0]);
	if (!is_spoilt(bwe) || lately.at_us < MARK_US)
		return;
	const double carried = (excess(bwe) > excess_max ? carried_factor_keys : carried_factor) *
	                       (double)bwe->carried_bps;
	const double floor_bps = carried != 0 ? fmin(carried, BWE_SPOILT_FLOOR_BPS)
	                                      : BWE_SPOILT_FLOOR_BPS;
	const double to = fmax(spoilt_factor * fmin(rate, bps_of(&lately)), floor_bps);
	if (to > worth_factor * rate)
		return;
	if (bwe->suspect_bps == 0)
		bwe->suspect_bps = bwe->rate_bps;
	for (unsigned i = 0; i < BWE_SPOILT_MAX; i++)
		bwe->spoilt_us[i] = bwe->now_us - SPOILT_SPAN_US - 1;
	cut_to(bwe, to);
	bwe->stats.spoilt_cuts++;
}

/* ---- Up ---- */

/* Nothing was lost while key frames were asked for: there is another reason to do so. */
static void
trust(struct bwe_send *bwe)
{
	if (bwe->mistrusts < MISTRUSTS_MAX)
		bwe->mistrusts++;
	bwe->trust_us = bwe->now_us + ((int64_t)TRUST_US << bwe->mistrusts);
	bwe->rate_bps = bwe->suspect_bps;
}

static void
grow(struct bwe_send *bwe)
{
	const double rate = (double)bwe->rate_bps;
	int64_t dt_us = bwe->now_us - bwe->grown_us;
	dt_us = dt_us < DT_US_MAX ? dt_us : DT_US_MAX;
	bwe->grown_us = bwe->now_us;
	if (bwe->loss >= low)
		return;
	const double pace = bwe_is_near_capacity(bwe) ? growth_near : growth;
	double step = fmin(pow(pace, (double)dt_us / BWE_US_PER_S), step_max);
	if (bwe->rate_bps < bwe->good_bps && bwe->now_us - bwe->cut_us > bwe->retry_us) {
		step = bwe->nacks ? retry_step_nacked : dt_us > SLOW_US ? retry_step_slow : retry_step;
		bwe->retried = true;
	} else if (bwe->good_bps != 0 && bwe->rate_bps >= bwe->good_bps) {
		bwe->good_bps = 0; /* back where we were */
		bwe->retry_us = BWE_RETRY_US_MIN;
	}
	const double limit =
		sent_factor_max * (double)rate_meter_bps_at(&bwe->sent, bwe->now_us);
	double grown = limit > rate ? fmin(rate * step, limit) : rate;
	/* The caller may have tried more than it was told. */
	const struct bwe_tally told = since(bwe, &bwe->reported);
	if (!bwe->nacks && told.at_us >= PROVEN_US_MIN && told.packets >= TOLD_PACKETS_MIN)
		grown = fmax(grown, bps_of(&told));
	bwe->rate_bps = (int64_t)grown;
	if (grown > carried_gone * (double)bwe->carried_bps)
		bwe->carried_bps = 0;
}

/* Beside what is too much in any case: what is left after a cut that helped, and what key frames
 * that get lost cost. */
static bool
is_lossy(const struct bwe_send *bwe)
{
	/* Who asks for key frames has stopped to: what a late report tells of is over. */
	if (bwe->stats.spoilt_us >= 0 && bwe->now_us - bwe->stats.spoilt_us > OVER_US)
		return false;
	if (bwe_loss_calls_for_cut(bwe))
		return true;
	if (bwe->loss < some || bwe->nacks)
		return false;
	return (bwe->reported_loss && bwe->loss_fruitless == 0) ||
	       (bwe->stats.spoilt != 0 && bwe->onset.at_us >= 0 && excess(bwe) > excess_max);
}

void
bwe_report_control(struct bwe_send *bwe, int64_t rtt_us)
{
	bwe_settle_loss(bwe);
	const bool lossy = is_lossy(bwe);
	if (lossy) {
		cut_by_loss(bwe, passed_bps(bwe));
	} else if (rtt_us > QUEUE_RTT_US && rtt_us - QUEUE_RTT_US > bwe->rtt_us_min &&
	           rtt_us / 2 > bwe->rtt_us_min) {
		cut_to(bwe, over_factor * (double)bwe->rate_bps);
		bwe_note_capacity(bwe, rate_meter_bps_at(&bwe->sent, bwe->now_us));
		bwe->stats.overuses++;
	} else {
		if (bwe->suspect_bps > bwe->rate_bps && bwe->loss < none)
			trust(bwe);
		grow(bwe);
		bwe_bound(bwe);
	}
	bwe->reported_loss = lossy;
}

void
bwe_report_end(struct bwe_send *bwe)
{
	bwe->reported = bwe->total;
	bwe->reported.at_us = bwe->now_us;
	bwe->onset.at_us = -1;
	bwe->suspect_bps = 0;
}
