/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timer.h"

#include <stddef.h>

#include "base/check.h"

/* Level 0 has slots of one tick, each further level slots 64 times as long.  A timer sits in the
 * lowest level whose span still reaches it and moves down as its slot's time comes. */

enum {
	LEVEL_DUE = TIMER_LEVELS, /* on the due list */
	SLOT_MASK = TIMER_SLOTS - 1,
};

static_assert(TIMER_SLOTS == 64, "`used` holds one bit per slot");

static void
list_init(struct timer *head)
{
	head->next = head;
	head->prev = head;
}

static void
list_append(struct timer *head, struct timer *timer)
{
	timer->prev = head->prev;
	timer->next = head;
	head->prev->next = timer;
	head->prev = timer;
}

static void
list_remove(struct timer *timer)
{
	timer->prev->next = timer->next;
	timer->next->prev = timer->prev;
	timer->next = NULL;
	timer->prev = NULL;
}

void
timer_wheel_init(struct timer_wheel *wheel, int64_t now_us)
{
	CHECK(now_us >= 0);
	for (unsigned level = 0; level < TIMER_LEVELS; level++) {
		wheel->used[level] = 0;
		for (unsigned slot = 0; slot < TIMER_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
	}
	list_init(&wheel->due);
	wheel->tick = now_us / TIMER_TICK_US;
	wheel->count = 0;
}

static void
place(struct timer_wheel *wheel, struct timer *timer)
{
	const int64_t due_tick = timer->deadline_us / TIMER_TICK_US +
	                         (timer->deadline_us % TIMER_TICK_US != 0 ? 1 : 0);
	int64_t distance = due_tick - wheel->tick;
	if (distance <= 0) {
		timer->level = LEVEL_DUE;
		list_append(&wheel->due, timer);
		return;
	}
	unsigned level = 0;
	while (level + 1 < TIMER_LEVELS &&
	       distance >= (int64_t)1 << (TIMER_SLOT_BITS * (level + 1)))
		level++;
	const int64_t span = (int64_t)1 << (TIMER_SLOT_BITS * TIMER_LEVELS);
	if (distance >= span)
		distance = span - 1;
	const int64_t at = (wheel->tick + distance) >> (TIMER_SLOT_BITS * level);
	timer->level = (uint16_t)level;
	timer->slot = (uint16_t)(at & SLOT_MASK);
	wheel->used[level] |= UINT64_C(1) << timer->slot;
	list_append(&wheel->slots[level][timer->slot], timer);
}

void
timer_start(struct timer_wheel *wheel, struct timer *timer, int64_t deadline_us)
{
	timer_stop(wheel, timer);
	timer->deadline_us = deadline_us < 0 ? 0 : deadline_us;
	wheel->count++;
	place(wheel, timer);
}

void
timer_stop(struct timer_wheel *wheel, struct timer *timer)
{
	if (!timer_running(timer))
		return;
	list_remove(timer);
	CHECK(wheel->count != 0);
	wheel->count--;
	if (timer->level < TIMER_LEVELS) {
		const struct timer *head = &wheel->slots[timer->level][timer->slot];
		if (head->next == head)
			wheel->used[timer->level] &= ~(UINT64_C(1) << timer->slot);
	}
}

/* Takes every timer out of one slot and puts it where it belongs now: lower, or due. */
static void
redistribute(struct timer_wheel *wheel, unsigned level, unsigned slot)
{
	struct timer *head = &wheel->slots[level][slot];
	struct timer waiting;
	if (head->next == head)
		return;
	waiting.next = head->next;
	waiting.prev = head->prev;
	waiting.next->prev = &waiting;
	waiting.prev->next = &waiting;
	list_init(head);
	wheel->used[level] &= ~(UINT64_C(1) << slot);
	while (waiting.next != &waiting) {
		struct timer *timer = waiting.next;
		list_remove(timer);
		place(wheel, timer);
	}
}

/* Ticks until level `level` next has something to do, at least 1. */
static int64_t
ticks_to_used(const struct timer_wheel *wheel, unsigned level)
{
	const unsigned shift = TIMER_SLOT_BITS * level;
	const int64_t at = wheel->tick >> shift;
	const unsigned now_slot = (unsigned)(at & SLOT_MASK);
	const unsigned turn = (now_slot + 1) & SLOT_MASK;
	const uint64_t used = wheel->used[level];
	const uint64_t turned = turn == 0 ? used : used >> turn | used << (TIMER_SLOTS - turn);
	const int64_t slots_ahead = 1 + __builtin_ctzll(turned);
	return ((at + slots_ahead) << shift) - wheel->tick;
}

static int64_t
next_tick(const struct timer_wheel *wheel)
{
	int64_t nearest = INT64_MAX;
	for (unsigned level = 0; level < TIMER_LEVELS; level++) {
		if (wheel->used[level] == 0)
			continue;
		const int64_t ahead = ticks_to_used(wheel, level);
		if (ahead < nearest)
			nearest = ahead;
	}
	return nearest == INT64_MAX ? INT64_MAX : wheel->tick + nearest;
}

static void
advance(struct timer_wheel *wheel, int64_t tick)
{
	wheel->tick = tick;
	for (unsigned level = TIMER_LEVELS; level-- > 0;) {
		const unsigned shift = TIMER_SLOT_BITS * level;
		if ((tick & (((int64_t)1 << shift) - 1)) == 0)
			redistribute(wheel, level, (unsigned)(tick >> shift & SLOT_MASK));
	}
}

struct timer *
timer_take(struct timer_wheel *wheel, int64_t now_us)
{
	const int64_t now_tick = now_us / TIMER_TICK_US;
	while (wheel->due.next == &wheel->due) {
		if (wheel->tick >= now_tick)
			return NULL;
		const int64_t next = next_tick(wheel);
		if (next > now_tick) {
			wheel->tick = now_tick;
			return NULL;
		}
		advance(wheel, next);
	}
	struct timer *timer = wheel->due.next;
	list_remove(timer);
	CHECK(wheel->count != 0);
	wheel->count--;
	return timer;
}

int64_t
timer_wheel_deadline(const struct timer_wheel *wheel)
{
	if (wheel->due.next != &wheel->due)
		return wheel->tick * TIMER_TICK_US;
	const int64_t next = next_tick(wheel);
	return next == INT64_MAX ? INT64_MAX : next * TIMER_TICK_US;
}
