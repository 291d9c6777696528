/* SPDX-License-Identifier: Apache-2.0 */
/* The order of people: who talks, who was heard, who leads.  stage_fill.c puts them into panes. */
#include "meeting/stage_internal.h"

void
stage_init(struct stage *stage, int64_t now_us)
{
	*stage = (struct stage){ .now_us = now_us, .deadline_us = INT64_MAX, .version = 1 };
}

/* ------------------------------------------------------------------ the order */

static void
unlink_person(struct stage *stage, struct stage_person *person)
{
	*(person->prev != NULL ? &person->prev->next : &stage->first) = person->next;
	*(person->next != NULL ? &person->next->prev : &stage->last) = person->prev;
	person->next = person->prev = NULL;
}

static void
link_before(struct stage *stage, struct stage_person *person, struct stage_person *next)
{
	person->next = next;
	person->prev = next != NULL ? next->prev : stage->last;
	*(person->prev != NULL ? &person->prev->next : &stage->first) = person;
	*(next != NULL ? &next->prev : &stage->last) = person;
}

/* Among equals: those who are being heard first, the newest of them in front; then by when they
 * were heard last. */
static bool
stands_before(const struct stage_person *a, const struct stage_person *b)
{
	if (a->importance != b->importance)
		return a->importance > b->importance;
	if (a->heard || b->heard)
		return a->heard;
	return a->heard_us > b->heard_us;
}

/* From the front, past those who are more important or heard: few, as a rule. */
static void
link_from_front(struct stage *stage, struct stage_person *person)
{
	struct stage_person *next = stage->first;
	while (next != NULL && !stands_before(person, next))
		next = next->next;
	link_before(stage, person, next);
}

/* Who was never heard stands behind all who matter as much. */
static void
link_from_back(struct stage *stage, struct stage_person *person)
{
	struct stage_person *prev = stage->last;
	while (prev != NULL && stands_before(person, prev))
		prev = prev->prev;
	link_before(stage, person, prev != NULL ? prev->next : stage->first);
}

static void
move_person(struct stage *stage, struct stage_person *person)
{
	unlink_person(stage, person);
	if (person->heard || person->heard_us != NEVER_US)
		link_from_front(stage, person);
	else
		link_from_back(stage, person);
	stage->version++;
}

/* ------------------------------------------------------------------ coming and going */

static void
stage_now(struct stage *stage, int64_t now_us)
{
	CHECK(now_us >= stage->now_us);
	stage->now_us = now_us;
}

void
stage_join(struct stage *stage, struct stage_person *person, uint32_t leg, int64_t now_us)
{
	CHECK(leg != 0 && person->leg == 0);
	stage_now(stage, now_us);
	*person = (struct stage_person){ .leg = leg,
		                         .importance = person->importance,
		                         .picture = person->picture,
		                         .heard_us = NEVER_US };
	link_from_back(stage, person);
	stage->people++;
	stage->pictures += person->picture;
	stage->version++;
}

static void
end_spurt(struct stage *stage, struct stage_person *person)
{
	*(person->talker_prev != NULL ? &person->talker_prev->talker_next : &stage->talkers) =
	        person->talker_next;
	if (person->talker_next != NULL)
		person->talker_next->talker_prev = person->talker_prev;
	person->talker_next = person->talker_prev = NULL;
	person->in_spurt = person->talking = person->led = false;
	if (!person->heard)
		return;
	person->heard = false;
	person->heard_us = person->from_us;
	move_person(stage, person);
}

void
stage_leave(struct stage *stage, struct stage_person *person, int64_t now_us)
{
	CHECK(person->leg != 0);
	stage_now(stage, now_us);
	if (person->in_spurt)
		end_spurt(stage, person);
	unlink_person(stage, person);
	for (unsigned v = 0; v < STAGE_VIEWS_MAX; v++) {
		struct stage_view *view = &stage->views[v];
		for (unsigned i = 0; i < view->count; i++) {
			if (view->people[i] == person)
				view->people[i] = NULL;
		}
	}
	if (stage->speaker == person)
		stage->speaker = NULL;
	if (stage->presenter == person->leg)
		stage->presenter = 0;
	CHECK(stage->people != 0);
	stage->people--;
	stage->pictures -= person->picture;
	stage->version++;
	person->leg = 0;
	stage_tick(stage, now_us);
}

void
stage_picture(struct stage *stage, struct stage_person *person, bool picture)
{
	if (person->picture == picture)
		return;
	person->picture = picture;
	if (person->leg == 0)
		return;
	stage->pictures += picture ? 1u : UINT32_MAX; /* plus or minus one */
	stage->version++;
	stage_tick(stage, stage->now_us);
}

void
stage_importance(struct stage *stage, struct stage_person *person, uint32_t importance)
{
	if (person->importance == importance)
		return;
	person->importance = importance;
	if (person->leg != 0)
		move_person(stage, person);
}

void
stage_placement(struct stage *stage, uint32_t highest)
{
	if (highest > LAYOUT_PANES_MAX)
		highest = LAYOUT_PANES_MAX;
	stage->version += stage->placement != highest;
	stage->placement = highest;
}

void
stage_presenter(struct stage *stage, uint32_t leg)
{
	stage->version += stage->presenter != leg;
	stage->presenter = leg;
}

/* ------------------------------------------------------------------ talking */

static int64_t
spoken_us(const struct stage *stage, const struct stage_person *person)
{
	return person->spoke_us + (person->talking ? stage->now_us - person->from_us : 0);
}

/* When it will have spoken for `wanted_us`, if it goes on. */
static int64_t
spoken_at(const struct stage_person *person, int64_t wanted_us)
{
	return person->talking ? person->from_us + wanted_us - person->spoke_us : INT64_MAX;
}

void
stage_talking(struct stage *stage, struct stage_person *person, bool talking, int64_t now_us)
{
	stage_tick(stage, now_us);
	if (person->leg == 0 || person->talking == talking)
		return;
	if (!person->in_spurt) {
		person->in_spurt = true;
		person->spoke_us = 0;
		person->talker_next = stage->talkers;
		if (stage->talkers != NULL)
			stage->talkers->talker_prev = person;
		stage->talkers = person;
	} else if (!talking) {
		person->spoke_us += now_us - person->from_us;
	}
	person->talking = talking;
	person->from_us = now_us;
	stage_tick(stage, now_us);
}

static void
review_talkers(struct stage *stage)
{
	for (struct stage_person *at = stage->talkers, *next; at != NULL; at = next) {
		next = at->talker_next;
		if (!at->talking && stage->now_us - at->from_us >= STAGE_PAUSE_US) {
			end_spurt(stage, at);
		} else if (!at->heard && spoken_us(stage, at) >= STAGE_HEARD_US) {
			at->heard = true;
			move_person(stage, at);
		}
	}
}

/* Of those who talk and may be seen, who has talked longest. */
static struct stage_person *
find_candidate(const struct stage *stage, bool talk_over)
{
	struct stage_person *best = NULL;
	for (struct stage_person *at = stage->talkers; at != NULL; at = at->talker_next) {
		if (!at->heard || at == stage->speaker || !stage_shows(stage, at))
			continue;
		if (talk_over && (at->led || spoken_us(stage, at) < STAGE_OVER_US))
			continue;
		if (best == NULL || spoken_us(stage, at) > spoken_us(stage, best))
			best = at;
	}
	return best;
}

static void
review_speaker(struct stage *stage)
{
	const struct stage_person *speaker = stage->speaker;
	const bool gone = speaker == NULL || !stage_shows(stage, speaker);
	if (!gone && stage->now_us - stage->speaker_us < STAGE_LEAD_US)
		return;
	struct stage_person *candidate = find_candidate(stage, !gone && speaker->heard);
	if (candidate == NULL)
		return;
	candidate->led = true;
	stage->speaker = candidate;
	stage->speaker_us = stage->now_us;
	stage->version++;
}

static void
earlier(int64_t *deadline_us, int64_t at_us, int64_t now_us)
{
	if (at_us > now_us && at_us < *deadline_us)
		*deadline_us = at_us;
}

static void
find_deadline(struct stage *stage)
{
	int64_t deadline_us = INT64_MAX;
	const int64_t now_us = stage->now_us;
	for (const struct stage_person *at = stage->talkers; at != NULL; at = at->talker_next) {
		if (!at->talking)
			earlier(&deadline_us, at->from_us + STAGE_PAUSE_US, now_us);
		earlier(&deadline_us, spoken_at(at, STAGE_HEARD_US), now_us);
		earlier(&deadline_us, spoken_at(at, STAGE_OVER_US), now_us);
	}
	if (stage->talkers != NULL && stage->speaker != NULL)
		earlier(&deadline_us, stage->speaker_us + STAGE_LEAD_US, now_us);
	stage->deadline_us = deadline_us;
}

void
stage_tick(struct stage *stage, int64_t now_us)
{
	stage_now(stage, now_us);
	review_talkers(stage);
	review_speaker(stage);
	find_deadline(stage);
}

int64_t
stage_deadline(const struct stage *stage)
{
	return stage->deadline_us;
}
