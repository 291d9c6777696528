/* SPDX-License-Identifier: Apache-2.0 */
/* allocate -- who gets how much of a transport's rate.
 *
 * First everybody's smallest option, highest priority first (content, pinned, talker, others);
 * then, round by round and again highest first, each the next option up.  What does not fit is
 * skipped, and those behind it are tried.  An option above the one in force needs
 * ALLOCATE_HEADROOM_PCT more than it costs, so that a rate that wavers does not make pictures flap.
 *
 * Pure: the same wishes and target give the same answer, and an answer fed back as `current` at an
 * unchanged target is given again.  Of two targets the higher one grants the first thing, in the
 * order above, that they do not both grant: more for one may mean less for those behind.
 *
 * Ownership  The caller's arrays.
 * Threads    Any.
 * Units      Bits/s.
 * Errors     None: our own faults assert.
 * Limits     Below.
 */
#ifndef BWE_ALLOCATE_H
#define BWE_ALLOCATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	ALLOCATE_OPTIONS_MAX = 9, /* three sizes at three frame rates */
	ALLOCATE_WISHES_MAX = 128,
	ALLOCATE_HEADROOM_PCT = 15,
};

struct allocate_option {
	int64_t bitrate_bps;
	uint16_t height;
	uint8_t fps;
};

struct allocate_wish {
	uint32_t stream;  /* the caller's name for it, not looked at */
	uint8_t priority; /* higher first; equal ones in the order of the array */
	bool essential;   /* gets its smallest option even beyond the target */
	uint8_t current;  /* as in the answer: in force now */
	uint8_t option_count;
	struct allocate_option options[ALLOCATE_OPTIONS_MAX]; /* bit rates ascend */
};

/* Fills chosen[i] for each wish: 0 nothing, n options[n - 1].  Returns the sum, which is above the
 * target only by what essential wishes get at least. */
int64_t allocate(uint8_t *chosen, const struct allocate_wish *wishes, unsigned count,
                 int64_t target_bps);

/* The target at which everybody would rise to their best: `wanted_bps` of bwe_send_demand(). */
[[nodiscard]] int64_t allocate_wanted_bps(const struct allocate_wish *wishes, unsigned count);

#endif
