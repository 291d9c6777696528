/* SPDX-License-Identifier: Apache-2.0 */
/* timer -- a hierarchical timer wheel with intrusive timers; time is passed in.
 *
 * Starting, moving and stopping a timer is O(1) and allocates nothing, so every transaction and leg
 * can own several.  A timer fires at its deadline rounded up to TIMER_TICK_US, never early.
 *
 * Ownership  A `struct timer` is a member of its owner; stop it before the owner's memory goes.
 * Threads    One owner, the wheel's.
 * Units      Microseconds on the monotonic clock.
 * Limits     A deadline further away than the wheel's span (about 12 days) is kept and looked at
 *            again when the span has passed.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TIMER_TICK_US = 1000,
	TIMER_LEVELS = 5,
	TIMER_SLOT_BITS = 6,
	TIMER_SLOTS = 1 << TIMER_SLOT_BITS,
};

struct timer {
	struct timer *next; /* NULL when not running */
	struct timer *prev;
	int64_t deadline_us;
	uint16_t level;
	uint16_t slot;
};

struct timer_wheel {
	struct timer slots[TIMER_LEVELS][TIMER_SLOTS]; /* list heads */
	uint64_t used[TIMER_LEVELS];                   /* one bit per slot with timers */
	int64_t tick;                                  /* last tick that was served */
	struct timer due;                              /* list head: expired, not yet taken */
	uint32_t count;
};

void timer_wheel_init(struct timer_wheel *wheel, int64_t now_us);

static inline bool
timer_running(const struct timer *timer)
{
	return timer->next != 0;
}

/* Starts the timer, or moves it when it runs. */
void timer_start(struct timer_wheel *wheel, struct timer *timer, int64_t deadline_us);
void timer_stop(struct timer_wheel *wheel, struct timer *timer);

/* Next expired timer, stopped, or NULL.  Call until NULL; timers may be started and stopped in
 * between, and one started for the past is given in the same round. */
[[nodiscard]] struct timer *timer_take(struct timer_wheel *wheel, int64_t now_us);

/* A time by which timer_take() must be called next, never later than the first deadline's tick;
 * INT64_MAX when no timer runs. */
[[nodiscard]] int64_t timer_wheel_deadline(const struct timer_wheel *wheel);

#endif
