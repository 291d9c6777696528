/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a transport's rate goes to the important first, to all before more to some, and never
 * beyond what there is; an answer that is in force stays.
 * Method: a few tables by hand; properties over random wishes and targets. */
#include "bwe/allocate.h"

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

enum {
	KBPS = 1000,
	RANDOM_WISHES = 12,
};

/* Three layers of a browser's camera. */
static struct allocate_wish
camera(uint8_t priority)
{
	return (struct allocate_wish){
		.priority = priority,
		.option_count = 3,
		.options = { { 150 * KBPS, 180, 15 },
		             { 500 * KBPS, 360, 30 },
		             { 1500 * KBPS, 720, 30 } },
	};
}

static void
adopt(struct allocate_wish *wishes, const uint8_t *chosen, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		wishes[i].current = chosen[i];
}

TEST(the_important_come_first_and_all_before_more)
{
	struct allocate_wish wishes[3] = { camera(0), camera(9), camera(0) };
	uint8_t chosen[3];
	static const struct {
		int64_t target_kbps;
		uint8_t want[3];
	} cases[] = {
		{ 100, { 0, 0, 0 } },  { 173, { 0, 1, 0 } },  { 345, { 1, 1, 0 } },
		{ 520, { 1, 1, 1 } },  { 920, { 1, 2, 1 } },  { 1330, { 2, 2, 1 } },
		{ 1730, { 2, 2, 2 } }, { 2880, { 2, 3, 2 } }, { 4030, { 3, 3, 2 } },
		{ 5180, { 3, 3, 3 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		(void)allocate(chosen, wishes, 3, cases[i].target_kbps * KBPS);
		for (unsigned s = 0; s < 3; s++)
			EXPECT_EQ(chosen[s], cases[i].want[s]);
	}
	EXPECT_EQ(allocate_wanted_bps(wishes, 3), 5175 * KBPS);
	EXPECT_EQ(allocate(chosen, wishes, 3, 5175 * KBPS), 4500 * KBPS);
}

TEST(what_is_essential_is_sent_in_any_case)
{
	struct allocate_wish wishes[2] = { camera(0), camera(9) };
	wishes[0].essential = true;
	uint8_t chosen[2];
	EXPECT_EQ(allocate(chosen, wishes, 2, 100 * KBPS), 150 * KBPS);
	EXPECT_EQ(chosen[0], 1);
	EXPECT_EQ(chosen[1], 0);
}

TEST(a_large_one_does_not_bar_those_behind_it)
{
	struct allocate_wish wishes[2] = { camera(9), camera(0) };
	wishes[0].options[0] = wishes[0].options[2]; /* a room that has but one size */
	wishes[0].option_count = 1;
	uint8_t chosen[2];
	EXPECT_EQ(allocate(chosen, wishes, 2, 800 * KBPS), 500 * KBPS);
	EXPECT_EQ(chosen[0], 0);
	EXPECT_EQ(chosen[1], 2);
}

TEST(a_rate_that_wavers_does_not_make_it_flap)
{
	struct allocate_wish wish = camera(0);
	uint8_t chosen;
	unsigned changes = 0;
	for (unsigned i = 0; i < 100; i++) {
		(void)allocate(&chosen, &wish, 1, (i % 2 != 0 ? 520 : 570) * KBPS);
		changes += chosen != wish.current;
		wish.current = chosen;
	}
	EXPECT_EQ(changes, 1); /* to the first option, and not to the second */
	(void)allocate(&chosen, &wish, 1, 580 * KBPS);
	EXPECT_EQ(chosen, 2);
	wish.current = 2;
	(void)allocate(&chosen, &wish, 1, 500 * KBPS);
	EXPECT_EQ(chosen, 2); /* in force: no headroom is asked for */
	(void)allocate(&chosen, &wish, 1, 499 * KBPS);
	EXPECT_EQ(chosen, 1);
}

static unsigned
draw_wishes(struct prng *prng, struct allocate_wish *wishes)
{
	const unsigned count = prng_below(prng, RANDOM_WISHES + 1);
	for (unsigned i = 0; i < count; i++) {
		wishes[i] = (struct allocate_wish){
			.stream = i,
			.priority = (uint8_t)prng_below(prng, 4),
			.essential = prng_below(prng, 8) == 0,
			.option_count = (uint8_t)prng_below(prng, ALLOCATE_OPTIONS_MAX + 1),
		};
		int64_t bps = 0;
		for (unsigned o = 0; o < wishes[i].option_count; o++) {
			bps += prng_below(prng, 400 * KBPS);
			wishes[i].options[o].bitrate_bps = bps;
		}
		wishes[i].current = (uint8_t)prng_below(prng, wishes[i].option_count + 1u);
	}
	return count;
}

static int64_t
essential_bps(const struct allocate_wish *wishes, unsigned count)
{
	int64_t sum_bps = 0;
	for (unsigned i = 0; i < count; i++) {
		if (wishes[i].essential && wishes[i].option_count != 0)
			sum_bps += wishes[i].options[0].bitrate_bps;
	}
	return sum_bps;
}

/* The first thing that the two do not both grant, in the order in which it is asked for: is it
 * `more` that does? */
static bool
grants_first(const uint8_t *more, const uint8_t *less, const struct allocate_wish *wishes,
             unsigned count)
{
	for (unsigned level = 1; level <= ALLOCATE_OPTIONS_MAX; level++) {
		for (int priority = 4; priority >= 0; priority--) {
			for (unsigned i = 0; i < count; i++) {
				if (wishes[i].priority != priority)
					continue;
				const bool in_more = more[i] >= level;
				const bool in_less = less[i] >= level;
				if (in_more != in_less)
					return in_more;
			}
		}
	}
	return true;
}

TEST(sums_fit_answers_stay_and_more_grants_more)
{
	struct prng prng;
	prng_init(&prng, 11);
	for (unsigned round = 0; round < 20000; round++) {
		struct allocate_wish wishes[RANDOM_WISHES];
		uint8_t chosen[RANDOM_WISHES];
		uint8_t more[RANDOM_WISHES];
		const unsigned count = draw_wishes(&prng, wishes);
		const int64_t target_bps = prng_below(&prng, 6000 * KBPS);
		const int64_t sum_bps = allocate(chosen, wishes, count, target_bps);
		int64_t check_bps = 0;
		for (unsigned i = 0; i < count; i++) {
			EXPECT(chosen[i] <= wishes[i].option_count);
			if (chosen[i] != 0)
				check_bps += wishes[i].options[chosen[i] - 1].bitrate_bps;
			if (wishes[i].essential && wishes[i].option_count != 0)
				EXPECT(chosen[i] != 0);
		}
		EXPECT_EQ(check_bps, sum_bps);
		const int64_t least_bps = essential_bps(wishes, count);
		EXPECT(sum_bps <= (target_bps > least_bps ? target_bps : least_bps));

		const int64_t higher_bps = target_bps + prng_below(&prng, 1000 * KBPS);
		(void)allocate(more, wishes, count, higher_bps);
		EXPECT(grants_first(more, chosen, wishes, count));

		adopt(wishes, chosen, count);
		EXPECT_EQ(allocate(more, wishes, count, target_bps), sum_bps);
		for (unsigned i = 0; i < count; i++)
			EXPECT_EQ(more[i], chosen[i]);
	}
}

TEST(at_what_is_wanted_all_have_their_best)
{
	struct prng prng;
	prng_init(&prng, 12);
	for (unsigned round = 0; round < 2000; round++) {
		struct allocate_wish wishes[RANDOM_WISHES];
		uint8_t chosen[RANDOM_WISHES];
		const unsigned count = draw_wishes(&prng, wishes);
		(void)allocate(chosen, wishes, count, allocate_wanted_bps(wishes, count));
		for (unsigned i = 0; i < count; i++)
			EXPECT_EQ(chosen[i], wishes[i].option_count);
	}
}
