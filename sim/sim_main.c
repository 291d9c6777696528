/* SPDX-License-Identifier: Apache-2.0 */
/* sim -- tells one story a seed: a dozen people come, talk, mute, hold, break, vanish and return on a
 * bad network.  Rules that hold all the time: nobody hears himself, every message can be read, no
 * core stops.  Rules at the end: nothing is left over.
 *
 *	sim [--seeds COUNT] [--first SEED]
 *
 * SIM_LOG=1 in the environment prints the bridge's event log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sim/sim.h"

enum {
	STORY_S = 40,
	PHONES = 6,
	BROWSERS = 6,
	SELF_HEARD = 700, /* above what concealment can imitate of a pitch that is not there */
};

struct story {
	struct sim_world *world;
	struct prng prng;
	struct sim_phone *phones[PHONES];
	struct sim_browser *browsers[BROWSERS];
	bool phone_muted[PHONES];
	bool browser_muted[BROWSERS];
	bool link_up;
};

static struct sim_path
path_of(struct prng *prng)
{
	static const struct sim_path paths[] = {
		{ .delay_us = 1 * SIM_MS },
		{ .delay_us = 20 * SIM_MS, .jitter_us = 15 * SIM_MS },
		{ .loss_pm = 30, .double_pm = 10, .delay_us = 30 * SIM_MS, .jitter_us = 30 * SIM_MS },
		{ .loss_pm = 150, .double_pm = 50, .delay_us = 60 * SIM_MS, .jitter_us = 80 * SIM_MS },
		{ .loss_pm = 300, .double_pm = 100, .delay_us = 40 * SIM_MS, .jitter_us = 120 * SIM_MS },
	};
	return paths[prng_below(prng, COUNT_OF(paths))];
}

static double
pitch_of(unsigned person)
{
	/* Far enough apart for a second's filter, and no one a multiple of another. */
	return 310 + 97 * person;
}

/* A meeting calls this one. */
static void
is_called(struct story *story, unsigned i)
{
	char address[64];
	uint32_t leg = 0;
	const char *space = prng_below(&story->prng, 2) == 0 ? "demo" : "secret";
	story->phones[i] = sim_phone_wait(story->world, pitch_of(i), address, sizeof address);
	(void)sim_world_dial(story->world, space, address, &leg);
}

/* What is typed where something is asked; NULL: nothing is. */
static const char *
typed_at(struct prng *prng, const char *target)
{
	const bool wrong_first = prng_below(prng, 3) == 0;
	if (strcmp(target, "secret") == 0)
		return wrong_first ? "7#1234#" : "1234#";
	if (strcmp(target, "ivr") == 0)
		return wrong_first ? "9#1002#1234#" : "1001#";
	return NULL;
}

static void
phone_acts(struct story *story, unsigned i)
{
	struct prng *prng = &story->prng;
	if (story->phones[i] == NULL && prng_below(prng, 6) == 0) {
		is_called(story, i);
		return;
	}
	if (story->phones[i] == NULL) {
		static const char *const targets[] = { "demo", "1001", "demo", "secret",
			                               "nobody", "ivr" };
		static const enum sim_security security[] = { SIM_CLEAR, SIM_SDES, SIM_DTLS };
		const char *target = targets[prng_below(prng, COUNT_OF(targets))];
		const enum sim_security how = security[prng_below(prng, COUNT_OF(security))];
		story->phones[i] = sim_phone_call(
			story->world,
			&(struct sim_phone_settings){
				.target = target,
				.passcode = typed_at(prng, target),
				.security = how,
				/* Asked for an offer, the bridge makes one with SDES. */
				.late_offer = how != SIM_DTLS && prng_below(prng, 5) == 0,
				.pitch_hz = pitch_of(i),
			});
		return;
	}
	switch (prng_below(prng, 12)) {
	case 0:
		sim_phone_hang_up(story->phones[i]);
		break;
	case 1:
		sim_phone_vanish(story->phones[i]);
		break;
	case 2:
	case 3:
		sim_phone_hold(story->phones[i], prng_below(prng, 2) == 0);
		break;
	default:
		story->phone_muted[i] = !story->phone_muted[i];
		sim_phone_mute(story->phones[i], story->phone_muted[i]);
		break;
	}
}

static void
browser_acts(struct story *story, unsigned i)
{
	struct prng *prng = &story->prng;
	if (story->browsers[i] == NULL) {
		const bool secret = prng_below(prng, 4) == 0;
		if (story->link_up)
			story->browsers[i] =
				sim_browser_join(story->world, secret ? "1002" : "1001",
			                         secret ? "1234" : NULL, pitch_of(PHONES + i));
		return;
	}
	switch (prng_below(prng, 14)) {
	case 0:
		sim_browser_leave(story->browsers[i]);
		break;
	case 1:
		sim_browser_vanish(story->browsers[i]);
		break;
	case 2:
	case 3:
		sim_browser_drop_socket(story->browsers[i]);
		break;
	case 4:
	case 5:
	case 6:
		sim_browser_reopen(story->browsers[i]);
		break;
	case 7:
		sim_browser_new_media(story->browsers[i]);
		break;
	default:
		story->browser_muted[i] = !story->browser_muted[i];
		sim_browser_mute(story->browsers[i], story->browser_muted[i]);
		break;
	}
}

static void
expect_not_himself(const struct story *story, struct sim_ear *ear, double pitch_hz)
{
	if (ear->count < SIM_HEARD)
		return;
	const double heard = sim_ear_loudness(ear, pitch_hz, SIM_HEARD);
	if (heard > SELF_HEARD)
		sim_fail(story->world, "somebody hears himself: %.0f Hz at %.0f", pitch_hz, heard);
}

static void
check(const struct story *story)
{
	for (unsigned i = 0; i < PHONES; i++)
		if (story->phones[i] != NULL)
			expect_not_himself(story, sim_phone_ear(story->phones[i]), pitch_of(i));
	for (unsigned i = 0; i < BROWSERS; i++)
		if (story->browsers[i] != NULL)
			expect_not_himself(story, sim_browser_ear(story->browsers[i]),
			                   pitch_of(PHONES + i));
}

static void
tell(uint64_t seed)
{
	struct story story = { .link_up = true };
	prng_init(&story.prng, seed * 2654435761u + 1);
	const struct sim_path path = path_of(&story.prng);
	story.world = sim_world_create(seed, &path);
	for (unsigned half_second = 0; half_second < 2 * STORY_S; half_second++) {
		for (unsigned i = 0; i < PHONES; i++)
			if (prng_below(&story.prng, 5) == 0)
				phone_acts(&story, i);
		for (unsigned i = 0; i < BROWSERS; i++)
			if (prng_below(&story.prng, 5) == 0)
				browser_acts(&story, i);
		if (prng_below(&story.prng, 40) == 0) {
			story.link_up = !story.link_up;
			sim_world_link(story.world, story.link_up);
		}
		sim_world_run(story.world, SIM_S / 2);
		check(&story);
	}
	sim_world_link(story.world, true);
	sim_world_end(story.world);
}

int
main(int argc, char **argv)
{
	uint64_t seeds = 1;
	uint64_t first = 1;
	for (int i = 1; i + 1 < argc; i += 2) {
		const uint64_t number = strtoull(argv[i + 1], NULL, 10);
		if (strcmp(argv[i], "--seeds") == 0)
			seeds = number;
		else if (strcmp(argv[i], "--first") == 0)
			first = number;
		else {
			fprintf(stderr, "usage: sim [--seeds COUNT] [--first SEED]\n");
			return 2;
		}
	}
	for (uint64_t seed = first; seed < first + seeds; seed++)
		tell(seed);
	printf("%llu seeds from %llu on\n", (unsigned long long)seeds, (unsigned long long)first);
	return 0;
}
