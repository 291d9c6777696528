/* SPDX-License-Identifier: Apache-2.0 */
/* Who stands where: panes of composed pictures, tiles of browsers.
 *
 * Both work alike.  The order of people says who is wanted; those who are there already stay where
 * they are, those who are not wanted any more go, and newcomers take what they leave. */
#include <string.h>

#include "meeting/stage_internal.h"

/* ------------------------------------------------------------------ panes of their own */

static bool
has_own_pane(const struct stage *stage, const struct stage_person *person)
{
	return person->importance != 0 && person->importance <= stage->placement;
}

/* Who has pane 1, 2, ...: of several with one importance, the first in order. */
static void
find_placed(struct stage *stage)
{
	if (stage->placed_version == stage->version)
		return;
	stage->placed_version = stage->version;
	memset(stage->placed, 0, sizeof stage->placed);
	for (struct stage_person *at = stage->first; at != NULL && at->importance != 0;
	     at = at->next) {
		if (!has_own_pane(stage, at))
			continue;
		struct stage_person **pane = &stage->placed[stage->placement - at->importance];
		if (*pane == NULL)
			*pane = at;
	}
}

/* ------------------------------------------------------------------ who leads */

static struct stage_person *
find_lead(const struct stage *stage)
{
	struct stage_person *first = stage->first;
	while (first != NULL && !stage_shows(stage, first))
		first = first->next;
	struct stage_person *speaker = stage->speaker;
	const bool speaker_leads = first != NULL && speaker != NULL &&
	                           stage_shows(stage, speaker) &&
	                           speaker->importance == first->importance;
	return speaker_leads ? speaker : first;
}

uint32_t
stage_lead(const struct stage *stage)
{
	const struct stage_person *lead = find_lead(stage);
	return lead != NULL ? lead->leg : 0;
}

/* ------------------------------------------------------------------ views */

static bool
is_for_view(const struct stage *stage, const struct stage_view *view,
            const struct stage_person *person)
{
	return stage_shows(stage, person) && !(view->unplaced && has_own_pane(stage, person));
}

/* Those wanted in the view's panes, at most its capacity, marked. */
static unsigned
find_wanted(struct stage *stage, const struct stage_view *view,
            struct stage_person *wanted[LAYOUT_PANES_MAX])
{
	const uint64_t mark = ++stage->mark_last;
	unsigned count = 0;
	struct stage_person *lead = view->led ? find_lead(stage) : NULL;
	if (lead != NULL) {
		lead->mark = mark;
		wanted[count++] = lead;
	}
	for (struct stage_person *at = stage->first; at != NULL && count < view->capacity;
	     at = at->next) {
		if (at == lead || !is_for_view(stage, view, at))
			continue;
		at->mark = mark;
		wanted[count++] = at;
	}
	return count;
}

static void
update_view(struct stage *stage, struct stage_view *view)
{
	struct stage_person *wanted[LAYOUT_PANES_MAX];
	if (view->version == stage->version)
		return;
	view->version = stage->version;
	const unsigned count = find_wanted(stage, view, wanted);
	const uint64_t mark = stage->mark_last;
	for (unsigned i = 0; i < view->count; i++) {
		struct stage_person *stays = view->people[i];
		if (stays != NULL && stays->mark == mark)
			stays->mark = 0; /* has its place */
		else
			view->people[i] = NULL;
	}
	unsigned pane = 0;
	for (unsigned i = 0; i < count; i++) {
		if (wanted[i]->mark != mark)
			continue;
		while (pane < view->count && view->people[pane] != NULL)
			pane++;
		view->people[pane] = wanted[i];
		if (pane == view->count)
			view->count++;
	}
	unsigned kept = 0;
	for (unsigned i = 0; i < view->count; i++) {
		if (view->people[i] != NULL)
			view->people[kept++] = view->people[i];
	}
	view->count = (uint8_t)kept;
	CHECK(kept == count);
	/* Who leads changes places with who led. */
	for (unsigned i = 1; view->led && i < kept; i++) {
		if (view->people[i] == wanted[0]) {
			view->people[i] = view->people[0];
			view->people[0] = wanted[0];
		}
	}
}

static struct stage_view *
find_view(struct stage *stage, unsigned capacity, bool led, bool unplaced)
{
	struct stage_view *oldest = &stage->views[0];
	for (unsigned i = 0; i < STAGE_VIEWS_MAX; i++) {
		struct stage_view *view = &stage->views[i];
		if (view->capacity == capacity && view->led == led && view->unplaced == unplaced) {
			view->used = ++stage->used_last;
			update_view(stage, view);
			return view;
		}
		if (view->used < oldest->used)
			oldest = view;
	}
	*oldest = (struct stage_view){ .capacity = (uint8_t)capacity,
		                       .led = led,
		                       .unplaced = unplaced,
		                       .used = ++stage->used_last };
	update_view(stage, oldest);
	return oldest;
}

/* ------------------------------------------------------------------ one receiver's panes */

struct filling {
	struct stage *stage;
	const struct stage_view *view;
	const struct stage_person *self;
	unsigned count;
	const struct stage_person *people[LAYOUT_PANES_MAX]; /* NULL: a hole */
};

/* The first in order who may be in this view, is not the receiver and stands in no pane yet. */
static const struct stage_person *
next_in_order(const struct filling *filling)
{
	for (const struct stage_person *at = filling->stage->first; at != NULL; at = at->next) {
		bool taken = at == filling->self || !is_for_view(filling->stage, filling->view, at);
		for (unsigned i = 0; !taken && i < filling->count; i++)
			taken = filling->people[i] == at;
		if (!taken)
			return at;
	}
	return NULL;
}

/* In the place of the receiver, who does not see himself: the next one.  Who leads sees in the
 * large pane whom he would see there if he was not here. */
static void
leave_self_out(struct filling *filling)
{
	unsigned hole = 0;
	while (hole < filling->count && filling->people[hole] != filling->self)
		hole++;
	if (hole == filling->count)
		return;
	filling->people[hole] = NULL;
	if (filling->view->led && hole == 0) {
		const struct stage_person *next = filling->stage->first;
		while (next != NULL &&
		       (next == filling->self || !is_for_view(filling->stage, filling->view, next)))
			next = next->next;
		for (unsigned i = 1; next != NULL && i < filling->count; i++) {
			if (filling->people[i] == next)
				hole = i;
		}
		filling->people[0] = next;
		filling->people[hole] = hole != 0 ? NULL : next;
	}
	if (filling->people[hole] == NULL)
		filling->people[hole] = next_in_order(filling);
	if (filling->people[hole] == NULL) {
		filling->count--;
		memmove(&filling->people[hole], &filling->people[hole + 1],
		        (filling->count - hole) * sizeof(filling->people[0]));
	}
}

static void
put(struct stage_panes *out, const struct stage_person *person)
{
	out->legs[out->count++] = person != NULL ? person->leg : 0;
}

/* Those without a pane of their own, into what is left of `capacity`. */
static void
fill_by_order(struct stage *stage, const struct stage_request *request, unsigned reserved,
              struct stage_panes *out)
{
	if (request->capacity <= reserved || request->capacity <= out->count)
		return;
	struct stage_view *view = find_view(stage, request->capacity - reserved,
	                                    request->led && reserved == 0, reserved != 0);
	struct filling filling = {
		.stage = stage, .view = view, .self = request->self, .count = view->count
	};
	memcpy(filling.people, view->people, view->count * sizeof(view->people[0]));
	leave_self_out(&filling);
	/* A pane of the receiver's own that is skipped makes room for one more. */
	while (filling.count + out->count < request->capacity) {
		const struct stage_person *more = next_in_order(&filling);
		if (more == NULL)
			break;
		filling.people[filling.count++] = more;
	}
	for (unsigned i = 0; i < filling.count && out->count < request->capacity; i++)
		put(out, filling.people[i]);
}

static void
fill_placed(struct stage *stage, const struct stage_request *request, struct stage_panes *out)
{
	find_placed(stage);
	for (unsigned i = 0; i < stage->placement && out->count < request->capacity; i++) {
		const struct stage_person *person = stage->placed[i];
		const bool own = person != NULL && person == request->self;
		if (own && request->self_mode == STAGE_SELF_SKIP)
			continue;
		put(out, own && request->self_mode == STAGE_SELF_BLANK ? NULL : person);
	}
}

void
stage_fill(struct stage *stage, const struct stage_request *request, struct stage_panes *out)
{
	const struct stage_person *self = request->self;
	CHECK(request->capacity != 0 && request->capacity <= LAYOUT_PANES_MAX);
	*out = (struct stage_panes){ 0 };
	fill_placed(stage, request, out);
	fill_by_order(stage, request, stage->placement, out);
	const bool inside = self != NULL && self->leg != 0;
	const uint32_t others = stage->people - inside;
	uint32_t shown = 0;
	for (unsigned i = 0; i < out->count; i++)
		shown += out->legs[i] != 0 && (self == NULL || out->legs[i] != self->leg);
	/* Nobody else has a picture: then the name of the one heard last. */
	if (out->count == 0 && others != 0) {
		put(out, stage->first != self ? stage->first : stage->first->next);
		shown = 1;
	}
	out->rest = others - shown;
}

unsigned
stage_count(const struct stage *stage, const struct stage_person *self, enum stage_self_mode mode)
{
	const bool inside = self != NULL && self->leg != 0;
	const bool shown = inside && stage_shows(stage, self);
	uint32_t count = stage->people <= STAGE_NAMES_MAX ? stage->people : stage->pictures;
	const bool own = inside && has_own_pane(stage, self);
	const struct stage_person *in_own = NULL;
	for (const struct stage_person *at = stage->first; at != NULL && at->importance != 0;
	     at = at->next) {
		if (!has_own_pane(stage, at))
			continue;
		count -= stage_shows(stage, at);
		if (own && in_own == NULL && at->importance == self->importance)
			in_own = at;
	}
	count += stage->placement;
	count -= own ? mode == STAGE_SELF_SKIP && in_own == self : shown;
	return count == 0 && stage->people > inside ? 1 : count;
}

/* ------------------------------------------------------------------ tiles */

struct wanted {
	unsigned count;
	unsigned cap;    /* but for content that has a tile of its own */
	bool reserved;
	struct stage_tile tiles[STAGE_TILES_MAX];
};

static void
want(struct wanted *wanted, uint32_t leg, bool content)
{
	for (unsigned i = 0; i < wanted->count; i++) {
		if (wanted->tiles[i].leg == leg && wanted->tiles[i].content == content)
			return;
	}
	if (content && wanted->reserved)
		wanted->cap++;
	if (wanted->count < wanted->cap)
		wanted->tiles[wanted->count++] = (struct stage_tile){ .leg = leg, .content = content };
}

static void
want_person(struct wanted *wanted, const struct stage_wish *wish, const struct stage_person *person)
{
	if (person != NULL && person != wish->self && person->leg != 0 && person->picture)
		want(wanted, person->leg, false);
}

static void
find_wishes(const struct stage *stage, const struct stage_wish *wish, struct wanted *wanted)
{
	const bool content = wish->content && stage->presenter != 0 &&
	                     (wish->self == NULL || stage->presenter != wish->self->leg);
	for (unsigned i = 0; i < wish->pin_count; i++) {
		const struct stage_person *pinned = wish->pins[i].person;
		if (!wish->pins[i].content)
			want_person(wanted, wish, pinned);
		else if (content && pinned->leg == stage->presenter)
			want(wanted, stage->presenter, true);
	}
	if (content)
		want(wanted, stage->presenter, true);
	want_person(wanted, wish, find_lead(stage));
	for (const struct stage_person *at = stage->first;
	     at != NULL && wanted->count < wanted->cap; at = at->next)
		want_person(wanted, wish, at);
}

static bool
may_hold(const struct stage_tile *tile, const struct wanted *wanted, unsigned i)
{
	return !wanted->reserved || tile->reserved == wanted->tiles[i].content;
}

/* Whether what the tile shows is still wanted there; `placed` counts those found so. */
static bool
stays(const struct stage_tile *tile, const struct wanted *wanted, bool *placed)
{
	for (unsigned i = 0; i < wanted->count; i++) {
		if (placed[i] || wanted->tiles[i].leg != tile->leg ||
		    wanted->tiles[i].content != tile->content || !may_hold(tile, wanted, i))
			continue;
		placed[i] = true;
		return true;
	}
	return false;
}

static void
set_tile(struct stage_tile *tile, const struct stage_tile *shown)
{
	tile->leg = shown->leg;
	tile->content = shown->content;
}

bool
stage_tiles(struct stage *stage, const struct stage_wish *wish, struct stage_tile *tiles)
{
	static const struct stage_tile nobody;
	struct wanted wanted = { .cap = wish->tile_count };
	bool placed[STAGE_TILES_MAX] = { false };
	bool changed = false;
	CHECK(wish->tile_count <= STAGE_TILES_MAX);
	for (unsigned t = 0; t < wish->tile_count; t++) {
		wanted.reserved = wanted.reserved || tiles[t].reserved;
		wanted.cap -= tiles[t].reserved;
	}
	find_wishes(stage, wish, &wanted);
	for (unsigned t = 0; t < wish->tile_count; t++) {
		if (tiles[t].leg == 0 || stays(&tiles[t], &wanted, placed))
			continue;
		set_tile(&tiles[t], &nobody);
		changed = true;
	}
	for (unsigned i = 0; i < wanted.count; i++) {
		unsigned t = 0;
		if (placed[i])
			continue;
		while (tiles[t].leg != 0 || !may_hold(&tiles[t], &wanted, i))
			t++;
		CHECK(t < wish->tile_count);
		set_tile(&tiles[t], &wanted.tiles[i]);
		changed = true;
	}
	return changed;
}
