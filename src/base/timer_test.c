/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: no timer fires early, late by more than a tick, twice, or after it was stopped; and the
 * wheel's own deadline is never later than its first timer.
 * Method: seeded random starts, stops and jumps in time beside a plain array of deadlines. */
#include "base/timer.h"

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

enum {
	TIMERS = 50,
	ROUNDS = 20000,
};

static int64_t
random_span_us(struct prng *prng)
{
	static const uint32_t scales[] = { 900, 64000, 5000000, 400000000 };
	const int64_t span = prng_below(prng, scales[prng_below(prng, COUNT_OF(scales))]);
	return prng_below(prng, 50) == 0 ? span * 4000 : span;
}

static void
check_round(struct timer_wheel *wheel, struct timer *timers, int64_t *deadlines, int64_t now_us)
{
	for (struct timer *timer; (timer = timer_take(wheel, now_us)) != NULL;) {
		const size_t which = (size_t)(timer - timers);
		EXPECT(deadlines[which] >= 0 && deadlines[which] <= now_us);
		EXPECT(!timer_running(timer));
		deadlines[which] = -1;
	}
	int64_t first_us = INT64_MAX;
	for (size_t i = 0; i < TIMERS; i++) {
		if (deadlines[i] < 0)
			continue;
		EXPECT(deadlines[i] + TIMER_TICK_US > now_us);
		if (deadlines[i] < first_us)
			first_us = deadlines[i];
	}
	const int64_t wheel_us = timer_wheel_deadline(wheel);
	EXPECT((wheel_us == INT64_MAX) == (first_us == INT64_MAX));
	EXPECT(first_us == INT64_MAX || wheel_us <= first_us + TIMER_TICK_US);
}

TEST(timers_fire_once_in_time_and_never_early)
{
	struct timer_wheel wheel;
	struct timer timers[TIMERS] = { 0 };
	int64_t deadlines[TIMERS];
	struct prng prng;
	int64_t now_us = 123456789;

	prng_init(&prng, 7);
	timer_wheel_init(&wheel, now_us);
	for (size_t i = 0; i < TIMERS; i++)
		deadlines[i] = -1;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const uint32_t which = prng_below(&prng, TIMERS);
		if (prng_below(&prng, 4) == 0) {
			timer_stop(&wheel, &timers[which]);
			deadlines[which] = -1;
		} else {
			deadlines[which] = now_us + random_span_us(&prng);
			timer_start(&wheel, &timers[which], deadlines[which]);
		}
		if (prng_below(&prng, 3) == 0)
			now_us += random_span_us(&prng);
		else if (timer_wheel_deadline(&wheel) != INT64_MAX &&
		         timer_wheel_deadline(&wheel) > now_us)
			now_us = timer_wheel_deadline(&wheel);
		check_round(&wheel, timers, deadlines, now_us);
	}
}

TEST(a_timer_started_for_the_past_fires_in_the_same_round)
{
	struct timer_wheel wheel;
	struct timer timer = { 0 };
	timer_wheel_init(&wheel, 1000000);
	timer_start(&wheel, &timer, 5);
	EXPECT(timer_take(&wheel, 1000000) == &timer);
	EXPECT(timer_take(&wheel, 1000000) == NULL);
	EXPECT_EQ(wheel.count, 0);
}
