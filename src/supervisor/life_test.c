/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the whole story of a component, each turn of it.  Method: dialogues on virtual time; `run`
 * tells what is done and when.  A seeded walk asserts what must hold in every story. */
#include "supervisor/life.h"

#include <stdio.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

enum {
	S = 1000000,
	MS = 1000,
};

struct story {
	struct life life;
	int64_t now_us;
	char told[4096];
};

static void
told(struct story *story, enum life_do what)
{
	static const char *const names[] = { "", "start", "ping", "TERM", "KILL" };
	const size_t len = strlen(story->told);
	snprintf(story->told + len, sizeof story->told - len, "%s%s@%lld", len != 0 ? " " : "",
	         names[what], (long long)(story->now_us / MS));
}

/* Does all there is to do up to `until_us`; a live component answers its pings when told so. */
static void
run(struct story *story, int64_t until_us, bool answers)
{
	for (;;) {
		enum life_do what;
		while ((what = life_poll(&story->life, story->now_us)) != LIFE_NOTHING) {
			told(story, what);
			if (what == LIFE_PING && answers)
				life_said(&story->life, STR("pong"), story->now_us);
		}
		const int64_t next_us = life_deadline(&story->life);
		if (next_us > until_us)
			break;
		EXPECT(next_us > story->now_us);
		story->now_us = next_us;
	}
	story->now_us = until_us;
}

static void
expect(struct story *story, const char *want)
{
	EXPECT_STR(str_of(story->told), want);
	story->told[0] = '\0';
}

static struct story
begin(void)
{
	struct story story = { 0 };
	life_init(&story.life);
	return story;
}

static struct story
begin_ready(void)
{
	struct story story = begin();
	life_want(&story.life, true, 0);
	run(&story, 0, true);
	life_said(&story.life, STR("ready"), 0);
	expect(&story, "start@0");
	return story;
}

TEST(nothing_runs_that_nobody_wants)
{
	struct story story = begin();
	run(&story, 100 * (int64_t)S, true);
	expect(&story, "");
	EXPECT_EQ(life_deadline(&story.life), INT64_MAX);
}

TEST(a_ready_component_is_pinged_and_lives)
{
	struct story story = begin_ready();
	EXPECT(life_answers(&story.life));
	run(&story, 7 * S, true);
	expect(&story, "ping@2000 ping@4000 ping@6000");
	EXPECT(life_answers(&story.life));
	EXPECT_EQ(story.life.restarts, 0);
}

TEST(a_component_that_is_silent_for_ten_seconds_is_killed_and_started_again)
{
	struct story story = begin_ready();
	run(&story, 5 * S, false);
	EXPECT(!life_answers(&story.life));
	run(&story, 20 * S, false);
	expect(&story, "ping@2000 ping@4000 ping@6000 ping@8000 ping@10000 KILL@12000");
	EXPECT(life_ended(&story.life, 0, 9, "Killed", story.now_us));
	EXPECT_STR(str_of(story.life.words), "did not answer for 10 s and was killed");
	run(&story, 21 * S, true);
	expect(&story, "start@20200");
}

TEST(a_supervisor_that_was_held_up_does_not_blame_its_component)
{
	struct story story = begin_ready();
	run(&story, 3 * S, true);
	story.told[0] = '\0';
	story.now_us = 60 * S; /* stopped all the while */
	run(&story, 61 * S, true);
	expect(&story, "ping@60000");
}

TEST(back_off_doubles_to_ten_seconds_and_is_forgotten_after_a_good_life)
{
	struct story story = begin_ready();
	static const int64_t want_ms[] = { 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
	for (size_t i = 0; i < COUNT_OF(want_ms); i++) {
		const int64_t died_us = story.now_us;
		EXPECT(life_ended(&story.life, 0, 9, "Killed", died_us));
		EXPECT_STR(str_of(story.life.words), "ended by signal 9 (Killed)");
		EXPECT_EQ(life_back_off_us(&story.life, died_us), want_ms[i] * MS);
		run(&story, died_us + want_ms[i] * MS - 1, true);
		EXPECT_EQ(story.life.state, LIFE_WAITING);
		run(&story, died_us + want_ms[i] * MS, true);
		EXPECT_EQ(story.life.state, LIFE_STARTING);
		life_said(&story.life, STR("ready"), story.now_us);
	}
	EXPECT_EQ(story.life.restarts, COUNT_OF(want_ms));
	run(&story, story.now_us + LIFE_GOOD_US, true);
	EXPECT(life_ended(&story.life, 3, 0, "", story.now_us));
	EXPECT_STR(str_of(story.life.words), "ended with status 3");
	EXPECT_EQ(life_back_off_us(&story.life, story.now_us), LIFE_BACK_OFF_US_MIN);
}

TEST(what_a_component_says_of_its_failure_is_kept)
{
	struct story story = begin();
	life_want(&story.life, true, 0);
	run(&story, 0, true);
	life_said(&story.life, STR("failed UDP port 5060 is in use by kamailio (process 1)"), 1);
	EXPECT(life_ended(&story.life, 1, 0, "", 2));
	EXPECT_STR(str_of(story.life.words), "UDP port 5060 is in use by kamailio (process 1)");
	EXPECT(!story.life.ever_ready);
}

TEST(a_component_that_never_gets_ready_is_killed_after_a_minute)
{
	struct story story = begin();
	life_want(&story.life, true, 0);
	run(&story, 100 * (int64_t)S, true);
	expect(&story, "start@0 KILL@60000");
	EXPECT(life_ended(&story.life, 0, 9, "Killed", story.now_us));
	EXPECT_STR(str_of(story.life.words), "was not ready after 60 s and was killed");
}

TEST(a_component_that_is_not_wanted_gets_ten_seconds_to_end)
{
	struct story story = begin_ready();
	run(&story, S, true);
	life_want(&story.life, false, S);
	run(&story, 2 * S, true);
	expect(&story, "TERM@1000");
	run(&story, 20 * S, true);
	expect(&story, "KILL@11000");
	EXPECT(!life_ended(&story.life, 0, 9, "Killed", story.now_us));
	EXPECT_EQ(story.life.state, LIFE_STOPPED);
	EXPECT_EQ(story.life.restarts, 0);
}

TEST(a_second_request_to_end_does_not_wait)
{
	struct story story = begin_ready();
	life_want(&story.life, false, 0);
	run(&story, 0, true);
	life_hurry(&story.life);
	run(&story, 1, true);
	expect(&story, "TERM@0 KILL@0");
	EXPECT_STR(str_of(story.life.words), "was killed");
}

TEST(a_restart_that_was_asked_for_does_not_count_or_wait)
{
	struct story story = begin_ready();
	life_restart(&story.life, 0);
	run(&story, S, true);
	EXPECT(!life_ended(&story.life, 0, 0, "", story.now_us));
	run(&story, S, true);
	expect(&story, "TERM@0 start@1000");
	EXPECT_EQ(story.life.restarts, 0);
}

TEST(a_restart_cuts_the_back_off_short)
{
	struct story story = begin_ready();
	for (int i = 0; i < 6; i++) {
		EXPECT(life_ended(&story.life, 1, 0, "", story.now_us));
		run(&story, story.now_us + LIFE_BACK_OFF_US_MAX, true);
	}
	EXPECT(life_ended(&story.life, 1, 0, "", story.now_us));
	story.told[0] = '\0';
	life_restart(&story.life, story.now_us);
	run(&story, story.now_us, true);
	EXPECT_EQ(story.life.state, LIFE_STARTING);
}

TEST(wanting_it_again_while_it_ends_starts_it_again)
{
	struct story story = begin_ready();
	life_want(&story.life, false, 0);
	run(&story, 0, true);
	life_want(&story.life, true, 1);
	EXPECT(!life_ended(&story.life, 0, 0, "", 2));
	run(&story, 2, true);
	EXPECT_EQ(story.life.state, LIFE_STARTING);
}

TEST(a_process_that_cannot_be_made_is_tried_again_later)
{
	struct story story = begin();
	life_want(&story.life, true, 0);
	run(&story, 0, true);
	life_not_started(&story.life, "Resource temporarily unavailable", 0);
	EXPECT_STR(str_of(story.life.words),
	           "could not be started: Resource temporarily unavailable");
	run(&story, S, true);
	expect(&story, "start@0 start@200");
}

/* Whatever happens in whatever order: a process is started only when none runs, signals go only to
 * one that runs, and what nobody wants is stopped in the end. */
static void
walk(uint64_t seed)
{
	struct prng prng;
	struct life life;
	int64_t now_us = 0;
	bool runs = false;
	prng_init(&prng, seed);
	life_init(&life);
	for (int step = 0; step < 400; step++) {
		now_us += prng_below(&prng, 4 * S);
		const uint32_t choice = prng_below(&prng, 7);
		if (choice == 0)
			life_want(&life, prng_below(&prng, 3) != 0, now_us);
		else if (choice == 1)
			life_restart(&life, now_us);
		else if (choice == 2 && runs)
			life_said(&life, STR("ready"), now_us);
		else if (choice == 3 && runs)
			life_said(&life, STR("pong"), now_us);
		else if (choice == 4 && runs) {
			life_ended(&life, 1, 0, "", now_us);
			runs = false;
		} else if (choice == 5)
			life_hurry(&life);
		for (enum life_do what; (what = life_poll(&life, now_us)) != LIFE_NOTHING;) {
			EXPECT_EQ(runs, what != LIFE_START);
			if (what == LIFE_START) {
				runs = prng_below(&prng, 4) != 0;
				if (!runs)
					life_not_started(&life, "no", now_us);
			} else if (what == LIFE_KILL) {
				life_ended(&life, 0, 9, "Killed", now_us);
				runs = false;
			}
		}
		EXPECT_EQ(runs, life.state == LIFE_STARTING || life.state == LIFE_READY ||
		                        life.state == LIFE_ENDING);
		EXPECT(life_deadline(&life) > now_us);
	}
	life_want(&life, false, now_us);
	for (int i = 0; i < 20 && life.state != LIFE_STOPPED; i++) {
		now_us += S;
		while (life_poll(&life, now_us) != LIFE_NOTHING)
			if (life.killed)
				life_ended(&life, 0, 9, "Killed", now_us);
	}
	EXPECT_EQ(life.state, LIFE_STOPPED);
}

TEST(every_story_holds_together)
{
	for (uint64_t seed = 0; seed < 300; seed++)
		walk(seed);
}
