/* SPDX-License-Identifier: Apache-2.0 */
#include "bwe/trend.h"

#include <math.h>

#include "base/check.h"

enum {
	GROUP_US = 5 * 1000,   /* packets sent within that belong together */
	BURST_US = 100 * 1000, /* a burst that the network made is no longer than that */
	DISORDERED_MAX = 3,    /* groups in a row that arrived before their predecessor */
	POINTS_MIN = 5,        /* for a line to be fitted */
	DELTAS_MAX = 60,       /* the gain grows with the evidence, up to here */
};

/* draft-ietf-rmcat-gcc-02 s5.3 to s5.5 and its table 1. */
static const double smoothing = 0.9;
static const double gain = 4.0;
static const double threshold_start_ms = 12.5;
static const double threshold_ms_min = 6.0;
static const double threshold_ms_max = 600.0;
static const double threshold_up = 0.0087;
static const double threshold_down = 0.039;
static const double threshold_jump_ms = 15.0; /* beyond it a spike is no reason to adapt */
static const double threshold_step_ms_max = 100.0;
static const double over_ms_min = 10.0;

void
trend_init(struct trend *trend)
{
	*trend = (struct trend){
		.threshold_ms = threshold_start_ms,
		.over_ms = -1,
		.updated_us = -1,
	};
}

enum trend_signal
trend_signal(const struct trend *trend)
{
	return trend->signal;
}

static double
ms(int64_t us)
{
	return (double)us / 1000.0;
}

static void
add_point(struct trend *trend, double variation_ms, int64_t arrived_us)
{
	if (trend->delta_count == 0)
		trend->first_arrived_us = arrived_us;
	if (trend->delta_count < DELTAS_MAX)
		trend->delta_count++;
	trend->delay_ms += variation_ms;
	trend->smoothed_ms = smoothing * trend->smoothed_ms + (1 - smoothing) * trend->delay_ms;
	trend->points[trend->point_at] = (struct trend_point){
		.arrived_ms = ms(arrived_us - trend->first_arrived_us),
		.delay_ms = trend->smoothed_ms,
	};
	trend->point_at = (trend->point_at + 1) % TREND_POINTS;
	if (trend->point_count < TREND_POINTS)
		trend->point_count++;
}

/* Least squares through the points: how much the delay grows in a unit of time. */
static double
fit_slope(const struct trend *trend)
{
	double arrived_mean = 0;
	double delay_mean = 0;
	for (unsigned i = 0; i < trend->point_count; i++) {
		arrived_mean += trend->points[i].arrived_ms;
		delay_mean += trend->points[i].delay_ms;
	}
	arrived_mean /= trend->point_count;
	delay_mean /= trend->point_count;
	double both = 0;
	double square = 0;
	for (unsigned i = 0; i < trend->point_count; i++) {
		const double arrived = trend->points[i].arrived_ms - arrived_mean;
		both += arrived * (trend->points[i].delay_ms - delay_mean);
		square += arrived * arrived;
	}
	return square > 0 ? both / square : trend->slope_before;
}

/* s5.4: the threshold follows the slope slowly up and faster down, so that other traffic's queues
 * do not starve us. */
static void
adapt_threshold(struct trend *trend, double modified_ms, int64_t arrived_us)
{
	if (trend->updated_us < 0 || arrived_us < trend->updated_us)
		trend->updated_us = arrived_us;
	const double size_ms = fabs(modified_ms);
	if (size_ms <= trend->threshold_ms + threshold_jump_ms) {
		const double pace = size_ms < trend->threshold_ms ? threshold_down : threshold_up;
		const double step_ms =
		        fmin(ms(arrived_us - trend->updated_us), threshold_step_ms_max);
		trend->threshold_ms += pace * (size_ms - trend->threshold_ms) * step_ms;
		trend->threshold_ms =
		        fmin(fmax(trend->threshold_ms, threshold_ms_min), threshold_ms_max);
	}
	trend->updated_us = arrived_us;
}

/* s5.3: over-use is a slope above the threshold for a while that does not already fall. */
static void
judge(struct trend *trend, double slope, double sent_ms, int64_t arrived_us)
{
	const double modified_ms = slope * gain * trend->delta_count;
	if (modified_ms > trend->threshold_ms) {
		trend->over_ms = trend->over_ms < 0 ? sent_ms / 2 : trend->over_ms + sent_ms;
		trend->over_count++;
		if (trend->over_ms > over_ms_min && trend->over_count > 1 &&
		    slope >= trend->slope_before)
			trend->signal = TREND_OVERUSE;
	} else {
		trend->over_ms = -1;
		trend->over_count = 0;
		trend->signal = modified_ms < -trend->threshold_ms ? TREND_UNDERUSE : TREND_NORMAL;
	}
	trend->slope_before = slope;
	adapt_threshold(trend, modified_ms, arrived_us);
}

/* `current` is complete: compare it with the one before. */
static void
end_group(struct trend *trend)
{
	const struct trend_group *current = &trend->current;
	const struct trend_group *before = &trend->before;
	if (before->started) {
		const int64_t sent_us = current->last_sent_us - before->last_sent_us;
		const int64_t arrived_us = current->last_arrived_us - before->last_arrived_us;
		if (arrived_us < 0 && ++trend->disordered < DISORDERED_MAX)
			return;       /* the network changed their order: not a measure of queues */
		if (arrived_us < 0) { /* their clock went back for good */
			trend_init(trend);
			return;
		}
		trend->disordered = 0;
		add_point(trend, ms(arrived_us - sent_us), current->last_arrived_us);
		if (trend->point_count >= POINTS_MIN)
			judge(trend, fit_slope(trend), ms(sent_us), current->last_arrived_us);
	}
	trend->before = *current;
}

static void
begin_group(struct trend *trend, int64_t sent_us, int64_t arrived_us)
{
	trend->current = (struct trend_group){ .first_sent_us = sent_us,
		                               .last_sent_us = sent_us,
		                               .first_arrived_us = arrived_us,
		                               .last_arrived_us = arrived_us,
		                               .started = true };
}

/* Sent together, or arriving together faster than they were sent: a burst that a queue or a radio
 * let go at once says nothing by its inner spacing (s5.2). */
static bool
belongs(const struct trend_group *group, int64_t sent_us, int64_t arrived_us)
{
	if (sent_us - group->first_sent_us <= GROUP_US)
		return true;
	const int64_t sent_delta_us = sent_us - group->last_sent_us;
	const int64_t arrived_delta_us = arrived_us - group->last_arrived_us;
	return arrived_delta_us < sent_delta_us && arrived_delta_us <= GROUP_US &&
	       arrived_us - group->first_arrived_us < BURST_US;
}

void
trend_input(struct trend *trend, int64_t sent_us, int64_t arrived_us)
{
	struct trend_group *group = &trend->current;
	if (!group->started) {
		begin_group(trend, sent_us, arrived_us);
		return;
	}
	if (sent_us < group->first_sent_us)
		return; /* of a group that is behind us */
	if (belongs(group, sent_us, arrived_us)) {
		if (sent_us > group->last_sent_us)
			group->last_sent_us = sent_us;
		if (arrived_us > group->last_arrived_us)
			group->last_arrived_us = arrived_us;
		return;
	}
	end_group(trend);
	begin_group(trend, sent_us, arrived_us);
}
