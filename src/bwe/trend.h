/* SPDX-License-Identifier: Apache-2.0 */
/* trend -- does the queue in the network grow?  (draft-ietf-rmcat-gcc-02 s5, trendline filter)
 *
 * Packets that were sent within 5 ms are one group.  Between groups, what arrival took longer than
 * sending is delay variation; its sum over time is the queue.  A line is fitted through the last
 * TREND_POINTS of it, and its slope compared with a threshold that adapts to the path's own jitter
 * and to other traffic's queues.
 *
 * Ownership  A value.
 * Threads    One owner.
 * Units      Microseconds; sent on our clock, arrived on the peer's: only differences are used.
 * Errors     Arrival out of order by a group or more is ignored, unless it goes on.
 * Limits     TREND_POINTS.
 */
#ifndef BWE_TREND_H
#define BWE_TREND_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TREND_POINTS = 20,
};

enum trend_signal {
	TREND_NORMAL,
	TREND_OVERUSE,
	TREND_UNDERUSE, /* queues drain: wait */
};

struct trend_group {
	int64_t first_sent_us, last_sent_us;
	int64_t first_arrived_us, last_arrived_us;
	bool started;
};

struct trend_point {
	double arrived_ms;
	double delay_ms; /* smoothed sum of variations */
};

struct trend {
	struct trend_group current, before;
	struct trend_point points[TREND_POINTS];
	unsigned point_count, point_at;
	int64_t first_arrived_us;
	int64_t updated_us; /* threshold, on the arrival clock */
	double delay_ms, smoothed_ms;
	double slope_before;
	double threshold_ms;
	double over_ms; /* how long the slope has been above the threshold; negative: not at all */
	unsigned over_count;
	unsigned delta_count;
	unsigned disordered; /* groups in a row */
	enum trend_signal signal;
};

void trend_init(struct trend *trend);
/* A packet that was sent and arrived then; in order of sending, as far as it is known. */
void trend_input(struct trend *trend, int64_t sent_us, int64_t arrived_us);
[[nodiscard]] enum trend_signal trend_signal(const struct trend *trend);

#endif
