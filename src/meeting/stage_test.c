/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: who is seen where follows from who talked and who came, as the header says.  Method:
 * dialogues, one word an event; and a long random one with the properties that hold whatever
 * happens.
 *
 *	jA nA lA    A joins with a picture, without one, leaves
 *	cA dA       A's picture comes, goes
 *	A+ A-       A talks, is silent
 *	iA5         A's importance is 5; p3: pane placement from 3; sA: A presents, s.: nobody
 *	700         so many milliseconds pass
 *	4=ABCD      four equal panes hold these, for who is not among them; a dot is blank, a
 *	            number behind says how many are not shown; 4A=...: for A; 4!=...: led
 *	t2A=Bc.     A's two tiles hold B's content and nothing; they are remembered; t2A/C: C pinned;
 *	            T2A: the first is reserved for content
 *	LA          A leads; L. nobody
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "base/test.h"
#include "meeting/stage_internal.h"

enum { LETTERS = 26, RANDOM_PEOPLE = 40 };

struct world {
	struct stage stage;
	int64_t now_us;
	enum stage_self_mode self_mode;
	struct stage_person people[LETTERS];
	struct stage_tile tiles[LETTERS][STAGE_TILES_MAX];
};

static struct stage_person *
person(struct world *world, char letter)
{
	CHECK(letter >= 'A' && letter <= 'Z');
	return &world->people[letter - 'A'];
}

static char
letter_of(uint32_t leg)
{
	return leg != 0 ? (char)('A' + leg - 1) : '.';
}

/* As the model does: a tick at every deadline. */
static void
pass(struct world *world, int64_t until_us)
{
	for (int64_t at; (at = stage_deadline(&world->stage)) <= until_us;) {
		EXPECT(at > world->now_us);
		world->now_us = at;
		stage_tick(&world->stage, at);
	}
	world->now_us = until_us;
	stage_tick(&world->stage, until_us);
}

static void
join(struct world *world, char letter, bool picture)
{
	struct stage_person *who = person(world, letter);
	*who = (struct stage_person){ .picture = picture };
	stage_join(&world->stage, who, (uint32_t)(letter - 'A' + 1), world->now_us);
}

static void
expect_panes(struct world *world, const char *word)
{
	char text[64] = "";
	size_t at = 0;
	const char *rest = word;
	struct stage_request request = { .self_mode = world->self_mode };
	for (; *rest >= '0' && *rest <= '9'; rest++)
		request.capacity = (uint8_t)(request.capacity * 10 + (*rest - '0'));
	if (*rest == '!')
		request.led = *rest++ == '!';
	if (*rest != '=')
		request.self = person(world, *rest++);
	struct stage_panes panes;
	stage_fill(&world->stage, &request, &panes);
	for (unsigned i = 0; i < panes.count; i++)
		text[at++] = letter_of(panes.legs[i]);
	if (panes.rest != 0)
		snprintf(text + at, sizeof text - at, "%u", panes.rest);
	EXPECT_STR(str_of(text), rest + 1);
	const unsigned count = stage_count(&world->stage, request.self, request.self_mode);
	EXPECT_EQ(panes.count, count < request.capacity ? count : request.capacity);
}

static void
expect_tiles(struct world *world, const char *word)
{
	char text[64] = "";
	size_t at = 0;
	struct stage_pin pin = { 0 };
	struct stage_wish wish = { .self = person(world, word[2]),
		                   .content = true,
		                   .pins = &pin,
		                   .tile_count = (unsigned)(word[1] - '0') };
	struct stage_tile *tiles = world->tiles[word[2] - 'A'];
	const char *rest = word + 3;
	if (*rest == '/') {
		pin.person = person(world, rest[1]);
		wish.pin_count = 1;
		rest += 2;
	}
	struct stage_tile before[STAGE_TILES_MAX];
	tiles[0].reserved = word[0] == 'T';
	memcpy(before, tiles, sizeof before);
	const bool changed = stage_tiles(&world->stage, &wish, tiles);
	bool differs = false;
	for (unsigned i = 0; i < wish.tile_count; i++) {
		differs = differs || tiles[i].leg != before[i].leg ||
		          tiles[i].content != before[i].content;
		text[at++] = letter_of(tiles[i].leg);
		if (tiles[i].content)
			text[at++] = 'c';
	}
	EXPECT_STR(str_of(text), rest + 1);
	EXPECT_EQ(changed, differs);
	EXPECT(!stage_tiles(&world->stage, &wish, tiles));
}

static void
event(struct world *world, const char *word)
{
	struct stage *stage = &world->stage;
	if (word[0] >= '0' && word[0] <= '9' && strchr(word, '=') == NULL)
		pass(world, world->now_us + atoll(word) * 1000);
	else if (word[0] >= '0' && word[0] <= '9')
		expect_panes(world, word);
	else if (word[0] == 't' || word[0] == 'T')
		expect_tiles(world, word);
	else if (word[0] == 'j' || word[0] == 'n')
		join(world, word[1], word[0] == 'j');
	else if (word[0] == 'l')
		stage_leave(stage, person(world, word[1]), world->now_us);
	else if (word[0] == 'c' || word[0] == 'd')
		stage_picture(stage, person(world, word[1]), word[0] == 'c');
	else if (word[0] == 'i')
		stage_importance(stage, person(world, word[1]), (uint32_t)(word[2] - '0'));
	else if (word[0] == 'p')
		stage_placement(stage, (uint32_t)(word[1] - '0'));
	else if (word[0] == 's')
		stage_presenter(stage, word[1] != '.' ? person(world, word[1])->leg : 0);
	else if (word[0] == 'L')
		EXPECT_EQ(letter_of(stage_lead(stage)), word[1]);
	else
		stage_talking(stage, person(world, word[0]), word[1] == '+', world->now_us);
}

static void
play(enum stage_self_mode mode, const char *script)
{
	static struct world world;
	struct str rest = str_of(script);
	world = (struct world){ .self_mode = mode };
	stage_init(&world.stage, 0);
	while (rest.len != 0) {
		char word[64];
		CHECK(str_copy(word, sizeof word, str_cut(&rest, ' ')));
		event(&world, word);
	}
}

TEST(a_cough_takes_no_pane_and_who_speaks_takes_that_of_the_one_silent_longest)
{
	play(STAGE_SELF_SKIP, "jA jB jC jD jE jF 4=ABCD2 F+ 300 F- 100 4=ABCD2 2000 4=ABCD2 "
	                      "F+ 599 4=ABCD2 1 4=ABCF2 F- 1000 4=ABCF2 "
	                      "E+ 700 E- 4=ABEF2 5000 4=ABEF2 A+ 700 A- 5000 4=ABEF2 "
	                      "D+ 700 4=ADEF2");
}

TEST(words_with_pauses_add_up_but_long_pauses_begin_anew)
{
	play(STAGE_SELF_SKIP, "jA jB jC 2=AB1 C+ 250 C- 300 C+ 250 C- 300 C+ 99 2=AB1 1 2=AC1");
	play(STAGE_SELF_SKIP, "jA jB jC C+ 500 C- 800 C+ 500 C- 800 C+ 500 2=AB1 100 2=AC1");
}

TEST(the_lead_stays_a_while_and_is_not_talked_away_at_once)
{
	/* The first to be heard leads at once; the next waits until he has led long enough. */
	play(STAGE_SELF_SKIP, "jA jB jC A+ 600 LA A- 1000 B+ 700 LA 799 LA 1 LB");
	play(STAGE_SELF_SKIP, "jA jB LA B+ 599 LA 1 LB");
	/* Who talks over him takes over after three seconds. */
	play(STAGE_SELF_SKIP, "jA jB A+ 5000 LA B+ 2999 LA 1 LB 9000 LB");
	/* Two at once: each has it once; who goes on alone gets it back. */
	play(STAGE_SELF_SKIP, "jA jB A+ 5000 B+ 4000 LB 60000 LB B- 799 LB 1 LA");
}

TEST(who_leads_changes_places_with_who_led_and_nobody_else_moves)
{
	play(STAGE_SELF_SKIP,
	     "jA jB jC jD jE 4!=ABCD1 C+ 600 4!=CBAD1 C- 3000 E+ 600 4!=EBAC1 E- 9000 4!=EBAC1 "
	     "1!=E4 A+ 600 4!=ABEC1 1!=A4");
}

TEST(nobody_sees_himself_and_all_others_see_the_same)
{
	play(STAGE_SELF_SKIP, "jA jB jC jD jE jF 4=ABCD2 4F=ABCD1 4E=ABCD1 4B=AECD1 4A=EBCD1 "
	                      "9=ABCDEF 9C=ABDEF lB 9=ACDEF 9A=CDEF 1!A=C3 1!C=A3");
	/* Who leads sees who led before, and he has one pane, not two. */
	play(STAGE_SELF_SKIP, "jA jB jC jD jE A+ 700 A- 3000 B+ 700 B- 3000 "
	                      "4!=BACD1 4!B=AECD 4!A=BECD 1!B=A3 1!A=B3");
}

TEST(who_leaves_makes_room_for_the_next_and_the_rest_stays)
{
	play(STAGE_SELF_SKIP, "jA jB jC jD jE 4=ABCD1 lB 4=AECD lE 4=ACD lA lC 4=D lD 4=");
	play(STAGE_SELF_SKIP, "jA 4A= jB 4A=B 4!A=B lA 4=B jA 4=BA 4A=B");
}

TEST(the_more_important_come_first)
{
	play(STAGE_SELF_SKIP,
	     "jA jB jC jD jE iD5 4!=DABC1 LD E+ 700 4!=DABE1 LD E- iE5 LE iE0 LD iD0 LE 4=EABC1");
	play(STAGE_SELF_SKIP, "jA jB jC iB2 iC2 2=BC1 A+ 2000 LB A- 2=BC1 C+ 3000 LC B+ 4000 LB");
}

TEST(panes_of_their_own_are_kept_for_the_important)
{
	/* 3, 2 and 1 have panes one to three; the second is not here. */
	play(STAGE_SELF_SKIP, "jA jB jC jD jE iE3 iA1 p3 6=E.ABCD 4=E.AB2 6!=E.ABCD 6C=E.ABD "
	                      "6E=.ABCD 4E=.ABC1 D+ 700 4=E.AD2 3=E.A3 2=E.4 p0 4=EADB1");
	play(STAGE_SELF_BLANK, "jA jB jC iB2 iA1 p2 4=BAC 4B=.AC 4A=B.C 4C=BA");
	play(STAGE_SELF_SELF, "jA jB jC iB2 iA1 p2 4B=BAC 4A=BAC 4C=BA");
	/* Of two with one importance, who is heard has the pane. */
	play(STAGE_SELF_SKIP, "jA jB jC iA1 iB1 p1 3=AC1 B+ 700 3=BC1");
}

TEST(in_large_calls_panes_are_for_pictures)
{
	play(STAGE_SELF_SKIP,
	     "nA nB nC nD nE nF nG nH nI 9=ABCDEFGHI jJ 9=ABCDEFGHI1 J+ 700 4=JABC6 jK 4=JK9 "
	     "A+ 5000 4=JK9 LJ 4J=K9 dK 4=J10 4J=A9 lK 4=JABC6");
	play(STAGE_SELF_SKIP, "nA nB nC nD nE nF nG nH nI nJ nK 4=A10 C+ 700 4=C10 4C=A9 cB 4=B10");
}

TEST(tiles_hold_the_pinned_then_content_then_those_heard_last)
{
	play(STAGE_SELF_SKIP,
	     "jA jB jC jD jE t3A=BCD E+ 700 t3A=BCE E- 5000 t3A=BCE D+ 700 D- t3A=BDE "
	     "sB t3A=BcDE s. t3A=BDE t3A/C=CDE t3A=BDE lD t3A=BCE dE t3A=BC. cE t3A=BCE "
	     "sA t3A=BCE sC t5A=BCECc. t1A/D=Cc lC t5A=B.E..");
}

TEST(people_without_pictures_have_no_tile)
{
	play(STAGE_SELF_SKIP, "jA nB jC t2A=C. cB t2A=CB t2A/B=CB dB t2A/B=C.");
}

TEST(a_tile_that_is_reserved_for_content_holds_nothing_else)
{
	play(STAGE_SELF_SKIP, "jA jB jC jD T3A=.BC sB T3A=BcBC T3A/D=BcBD s. T3A=.BC "
	                      "t3A=DBC T3A=.BC sC T1A=Cc t1A=Cc s. t1A=B T1A=.");
}

/* ------------------------------------------------------------------ whatever happens */

struct crowd {
	struct stage stage;
	struct prng prng;
	int64_t now_us;
	struct stage_person people[RANDOM_PEOPLE];
	struct stage_tile tiles[RANDOM_PEOPLE][9];
};

static void
check_order(const struct stage *stage)
{
	uint32_t count = 0;
	uint32_t pictures = 0;
	for (const struct stage_person *at = stage->first; at != NULL; at = at->next) {
		EXPECT(at->next == NULL || at->importance >= at->next->importance);
		EXPECT(at->next != NULL || at == stage->last);
		count++;
		pictures += at->picture;
	}
	EXPECT_EQ(count, stage->people);
	EXPECT_EQ(pictures, stage->pictures);
}

static void
check_panes(struct crowd *crowd, const struct stage_request *request)
{
	struct stage_panes panes;
	stage_fill(&crowd->stage, request, &panes);
	const unsigned count = stage_count(&crowd->stage, request->self, request->self_mode);
	EXPECT_EQ(panes.count, count < request->capacity ? count : request->capacity);
	uint64_t seen = 0;
	unsigned shown = 0;
	for (unsigned i = 0; i < panes.count; i++) {
		if (panes.legs[i] == 0) {
			EXPECT(crowd->stage.placement != 0);
			continue;
		}
		EXPECT((seen >> panes.legs[i] & 1) == 0);
		seen |= UINT64_C(1) << panes.legs[i];
		EXPECT(crowd->people[panes.legs[i] - 1].leg == panes.legs[i]);
		if (request->self != NULL && panes.legs[i] == request->self->leg)
			EXPECT(crowd->stage.placement != 0 &&
			       request->self_mode == STAGE_SELF_SELF);
		else
			shown++;
	}
	const uint32_t others =
	        crowd->stage.people - (request->self != NULL && request->self->leg != 0);
	EXPECT_EQ(panes.rest, others - shown);
}

static void
something_happens(struct crowd *crowd)
{
	struct prng *prng = &crowd->prng;
	const uint32_t who = prng_below(prng, RANDOM_PEOPLE);
	struct stage_person *person = &crowd->people[who];
	switch (prng_below(prng, 8)) {
	case 0:
		if (person->leg == 0) {
			*person = (struct stage_person){ .picture = prng_below(prng, 2) != 0 };
			stage_join(&crowd->stage, person, who + 1, crowd->now_us);
		} else if (prng_below(prng, 2) == 0) {
			stage_leave(&crowd->stage, person, crowd->now_us);
		}
		break;
	case 1:
		if (prng_below(prng, 8) == 0)
			stage_importance(&crowd->stage, person, prng_below(prng, 5));
		break;
	case 2:
		stage_picture(&crowd->stage, person, prng_below(prng, 2) != 0);
		break;
	case 3:
		if (prng_below(prng, 16) == 0)
			stage_placement(&crowd->stage, prng_below(prng, 4));
		break;
	case 4:
		stage_presenter(&crowd->stage, person->leg);
		break;
	default:
		stage_talking(&crowd->stage, person, prng_below(prng, 2) != 0, crowd->now_us);
		break;
	}
	crowd->now_us += (int64_t)prng_below(prng, 900 * 1000);
	stage_tick(&crowd->stage, crowd->now_us);
}

TEST(whatever_happens_everybody_stands_in_one_pane_at_most_and_is_counted)
{
	static struct crowd crowd;
	for (uint64_t seed = 0; seed < 20; seed++) {
		crowd = (struct crowd){ 0 };
		prng_init(&crowd.prng, seed);
		stage_init(&crowd.stage, 0);
		for (unsigned step = 0; step < 400; step++) {
			something_happens(&crowd);
			check_order(&crowd.stage);
			const uint32_t who = prng_below(&crowd.prng, RANDOM_PEOPLE);
			const struct stage_person *self = &crowd.people[who];
			check_panes(&crowd,
			            &(struct stage_request){
			                    .self = self->leg != 0 ? self : NULL,
			                    .capacity = (uint8_t)(1 + prng_below(&crowd.prng, 25)),
			                    .led = prng_below(&crowd.prng, 2) != 0,
			                    .self_mode = (enum stage_self_mode)prng_below(
			                            &crowd.prng, 3),
			            });
			(void)stage_tiles(&crowd.stage,
			                  &(struct stage_wish){
			                          .self = self,
			                          .content = true,
			                          .tile_count = 9,
			                  },
			                  crowd.tiles[who]);
			for (unsigned t = 0; t < 9; t++)
				EXPECT(crowd.tiles[who][t].leg == 0 ||
				       crowd.people[crowd.tiles[who][t].leg - 1].leg != 0);
		}
	}
}

TEST(a_thousand_people_cost_little_and_keep_their_panes)
{
	enum { MANY = 1000 };
	static struct stage_person people[MANY];
	struct stage stage;
	stage_init(&stage, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		people[i] = (struct stage_person){ .picture = true };
		stage_join(&stage, &people[i], i + 1, i);
	}
	int64_t now_us = MANY;
	struct stage_panes before;
	struct stage_panes after;
	const struct stage_request request = { .capacity = 25 };
	stage_fill(&stage, &request, &before);
	for (uint32_t i = 0; i < MANY; i += 7) {
		stage_talking(&stage, &people[i], true, now_us);
		now_us += STAGE_HEARD_US;
		stage_tick(&stage, now_us);
		stage_talking(&stage, &people[i], false, now_us);
		now_us += STAGE_PAUSE_US;
		stage_tick(&stage, now_us);
		stage_fill(&stage, &request, &after);
		unsigned moved = 0;
		for (unsigned p = 0; p < 25; p++)
			moved += before.legs[p] != after.legs[p];
		EXPECT(moved <= 1);
		EXPECT_EQ(after.rest, MANY - 25);
		before = after;
	}
	for (uint32_t i = 0; i < MANY; i++)
		stage_leave(&stage, &people[i], now_us);
	EXPECT_EQ(stage.people, 0);
	EXPECT(stage.first == NULL && stage.talkers == NULL && stage.speaker == NULL);
}
