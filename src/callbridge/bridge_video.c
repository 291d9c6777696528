/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures: what each receiver of a call is shown, kept in step with the model.
 *
 * The model says what somebody's picture holds (meeting/view.h); here that becomes canvases and
 * orders to the worker.  Changes are gathered for BRIDGE_VIDEO_US, then every receiver of the call is
 * looked at once.  Receivers with equal canvases share one, and a canvas keeps its number as long as
 * most who see it stay: a new number costs a new encoder and a key frame, a new look costs nothing. */
#include <stdlib.h>

#include "callbridge/bridge_video.h"
#include "meeting/words.h"

enum {
	PRIORITY_OTHERS = 1,
	PRIORITY_LEAD = 2, /* and who is pinned */
	PRIORITY_CONTENT = 3,
};

static_assert((int)CANVAS_WIDTH == (int)LAYOUT_WIDTH && (int)CANVAS_HEIGHT == (int)LAYOUT_HEIGHT,
              "a layout's grid is a canvas' grid");
static_assert((int)CANVAS_PANES_MAX >= (int)LAYOUT_PANES_MAX, "every layout fits a canvas");
static_assert((int)VIDEO_TRACK_MAIN == (int)LEG_TRACK_MAIN &&
                      (int)VIDEO_TRACK_CONTENT == (int)LEG_TRACK_CONTENT,
              "tracks are numbered alike");
static_assert((int)CANVAS_TOP == (int)VIEW_TOP && (int)CANVAS_BOTTOM == (int)VIEW_BOTTOM,
              "so are places");

/* ---- Sources ------------------------------------------------------------------------------- */

/* What can be shown of a leg now: 0 when it sends nothing, or nobody may see it. */
static video_source_id
source_of(const struct bridge *bridge, uint32_t meeting_leg, enum video_track track)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, meeting_leg);
	const struct bridge_leg *leg = bridge_leg_of_meeting(bridge, meeting_leg);
	if (model == NULL || leg == NULL || leg->video == NULL || !model->flows[track] ||
	    (track == VIDEO_TRACK_MAIN && !model->seen))
		return 0;
	return leg->video->sources[track];
}

/* ---- Canvases ------------------------------------------------------------------------------ */

static const char *
screen_text(const struct bridge *bridge, enum view_screen screen)
{
	switch (screen) {
	case VIEW_LOBBY:
		return words_in(bridge->settings.language, WORDS_LOBBY);
	case VIEW_ONLY_PARTICIPANT:
		return words_in(bridge->settings.language, WORDS_ALONE);
	case VIEW_PANES:
		break;
	}
	return "";
}

static void
fill_pane(struct bridge *bridge, struct canvas_pane *pane, const struct meeting_view *view,
          unsigned index)
{
	const struct layout_pane *place = &view->layout.panes[index];
	const uint32_t shown = view->legs[index];
	const struct meeting_leg *model = meeting_leg_of(bridge, shown);
	const bool content = view->content && index == 0;
	pane->x = place->x;
	pane->y = place->y;
	pane->width = place->width;
	pane->height = place->height;
	pane->over = place->over;
	pane->fit = content ? CANVAS_FIT_WHOLE : CANVAS_FIT_AUTO;
	if (model == NULL)
		return;
	pane->source = source_of(bridge, shown, content ? VIDEO_TRACK_CONTENT : VIDEO_TRACK_MAIN);
	pane->talking = model->talking && model->heard && !content;
	pane->audio_muted = !model->heard && !content;
	/* While it has no picture, or none any more, the name stands for it. */
	text_copy_clean(pane->label, sizeof pane->label,
	              str_of(meeting_leg_label(bridge->settings.meeting, shown)));
}

static void
make_canvas(struct bridge *bridge, struct canvas *canvas, const struct meeting_view *view)
{
	memset(canvas, 0, sizeof *canvas);
	canvas->screen = view->screen == VIEW_LOBBY              ? CANVAS_SCREEN_LOBBY
	                 : view->screen == VIEW_ONLY_PARTICIPANT ? CANVAS_SCREEN_ONLY_PARTICIPANT
	                                                         : CANVAS_SCREEN_PANES;
	canvas->labels = view->labels;
	canvas->locked = view->locked;
	canvas->recording = view->recording;
	canvas->streaming = view->streaming;
	canvas->counter = (uint16_t)(view->counter < UINT16_MAX ? view->counter : UINT16_MAX);
	canvas->total = (uint16_t)(view->total < UINT16_MAX ? view->total : UINT16_MAX);
	canvas->message_place = (uint8_t)view->message_place;
	canvas->title_place = (uint8_t)view->title_place;
	text_copy_clean(canvas->message, sizeof canvas->message,
	              str_of(view->message[0] != '\0' ? view->message
	                                              : screen_text(bridge, view->screen)));
	text_copy_clean(canvas->title, sizeof canvas->title, str_of(view->title));
	if (view->screen != VIEW_PANES)
		return;
	canvas->pane_count = view->layout.count;
	for (unsigned i = 0; i < view->layout.count; i++)
		fill_pane(bridge, &canvas->panes[i], view, i);
}

static void
order_canvas(struct bridge *bridge, unsigned worker, uint32_t id, const struct canvas *canvas)
{
	struct media_order order = { .kind = MEDIA_ORDER_CANVAS };
	order.canvas.id = id;
	if (canvas != NULL) {
		order.canvas.canvas = malloc(sizeof *canvas);
		/* Without memory the old look stays until the next change. */
		if (order.canvas.canvas == NULL)
			return;
		*order.canvas.canvas = *canvas;
	}
	bridge->settings.sink.order(bridge->settings.sink.context, worker, &order);
}

static uint32_t
next_canvas(struct bridge *bridge)
{
	bridge->canvas_last += bridge->canvas_last == UINT32_MAX ? 2 : 1;
	return bridge->canvas_last;
}

/* ---- What is sent on a line ---------------------------------------------------------------- */

static void
show(struct bridge *bridge, const struct bridge_leg *leg, struct video_sent *sent,
     const struct media_show *wanted)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_SHOW, .leg = sent->media };
	struct media_show next = *wanted;
	next.line = sent->line;
	const struct media_show *last = &sent->shown;
	if (last->kind == next.kind && last->priority == next.priority &&
	    last->detail == next.detail && last->height == next.height &&
	    last->canvas == next.canvas && last->source == next.source)
		return;
	sent->shown = next;
	order.show = next;
	bridge->settings.sink.order(bridge->settings.sink.context, leg->worker, &order);
}

static void
show_source(struct bridge *bridge, const struct bridge_leg *leg, struct video_sent *sent,
            uint32_t shown, enum video_track track, uint8_t priority)
{
	struct media_show wanted = { .kind = MEDIA_SHOW_NOTHING };
	const video_source_id source = source_of(bridge, shown, track);
	if (source != 0 && !(sent->kind == BRIDGE_LINE_TILE && sent->height == 0)) {
		wanted.kind = MEDIA_SHOW_SOURCE;
		wanted.source = source;
		wanted.priority = priority;
		wanted.detail = track == VIDEO_TRACK_CONTENT;
		wanted.height = sent->height;
	}
	show(bridge, leg, sent, &wanted);
}

/* ---- Rooms: one round over everybody who gets a composed picture ------------------------------ */

static struct bridge_canvas *
find_or_add(struct bridge_video_round *round, const struct canvas *canvas)
{
	for (unsigned i = 0; i < round->count; i++)
		if (canvas_eq(&round->canvases[i].canvas, canvas))
			return &round->canvases[i];
	if (round->count == round->cap) {
		const unsigned cap = round->cap == 0 ? 8 : round->cap * 2;
		void *grown = realloc(round->canvases, cap * sizeof *round->canvases);
		if (grown == NULL)
			return NULL;
		round->canvases = grown;
		round->cap = cap;
	}
	struct bridge_canvas *added = &round->canvases[round->count++];
	*added = (struct bridge_canvas){ .canvas = *canvas };
	return added;
}

/* The composed picture of a leg joins those that look the same. */
static void
compose_leg(struct bridge *bridge, uint32_t call, struct bridge_leg *leg,
            struct bridge_video_round *round)
{
	struct meeting_view view;
	leg->video->group = 0;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	struct video_sent *main_line = video_sent_of(leg->video, BRIDGE_LINE_MAIN);
	struct video_sent *content_line = video_sent_of(leg->video, BRIDGE_LINE_CONTENT);
	if (model == NULL || !model->sees) {
		for (unsigned i = 0; i < leg->video->sent_count; i++)
			show_source(bridge, leg, &leg->video->sent[i], 0, VIDEO_TRACK_MAIN, 0);
		return;
	}
	meeting_view(bridge->settings.meeting, call, leg->meeting_leg, &view);
	if (content_line != NULL)
		show_source(bridge, leg, content_line,
		            view.content_stream && floor_lets_send(leg) ? view.presenter : 0,
		            VIDEO_TRACK_CONTENT, PRIORITY_CONTENT);
	if (main_line == NULL)
		return;
	make_canvas(bridge, &round->scratch, &view);
	struct bridge_canvas *canvas = find_or_add(round, &round->scratch);
	if (canvas == NULL)
		return;
	canvas->viewers++;
	leg->video->group = (unsigned)(canvas - round->canvases) + 1;
}

static struct bridge_canvas *
canvas_by_id(struct bridge_canvas *canvases, unsigned count, uint32_t id)
{
	for (unsigned i = 0; i < count; i++)
		if (canvases[i].id == id)
			return &canvases[i];
	return NULL;
}

static bool
claimed(const struct bridge_video_round *round, uint32_t id)
{
	return canvas_by_id(round->canvases, round->count, id) != NULL;
}

/* The number that most of a group's viewers see already and no larger group has; 0: none. */
static uint32_t
usual_id(struct bridge *bridge, uint32_t call, struct bridge_room *room,
         const struct bridge_video_round *round, unsigned group)
{
	struct meeting *meeting = bridge->settings.meeting;
	const struct bridge_canvas *best = NULL;
	for (unsigned i = 0; i < room->canvas_count; i++)
		room->canvases[i].votes = 0;
	for (uint32_t at = 0; (at = meeting_call_leg_next(meeting, call, at)) != 0;) {
		const struct bridge_leg *leg = bridge_leg_of_meeting(bridge, at);
		if (leg == NULL || leg->video == NULL || leg->video->group != group)
			continue;
		struct bridge_canvas *before =
			canvas_by_id(room->canvases, room->canvas_count, leg->video->canvas);
		if (before != NULL)
			before->votes++;
	}
	for (unsigned i = 0; i < room->canvas_count; i++) {
		const struct bridge_canvas *before = &room->canvases[i];
		if (before->votes > (best != NULL ? best->votes : 0) && !claimed(round, before->id))
			best = before;
	}
	return best != NULL ? best->id : 0;
}

static unsigned
largest_unnamed(const struct bridge_video_round *round)
{
	unsigned largest = 0;
	for (unsigned i = 0; i < round->count; i++)
		if (round->canvases[i].id == 0 &&
		    (largest == 0 ||
		     round->canvases[i].viewers > round->canvases[largest - 1].viewers))
			largest = i + 1;
	return largest;
}

static void
name_canvases(struct bridge *bridge, uint32_t call, struct bridge_room *room,
              struct bridge_video_round *round)
{
	for (unsigned group; (group = largest_unnamed(round)) != 0;) {
		uint32_t id = usual_id(bridge, call, room, round, group);
		if (id == 0)
			id = next_canvas(bridge);
		round->canvases[group - 1].id = id;
	}
}

static void
order_canvases(struct bridge *bridge, const struct bridge_room *room,
               const struct bridge_video_round *round)
{
	for (unsigned i = 0; i < round->count; i++) {
		const struct bridge_canvas *now = &round->canvases[i];
		const struct bridge_canvas *before =
			canvas_by_id(room->canvases, room->canvas_count, now->id);
		if (before == NULL || !canvas_eq(&before->canvas, &now->canvas))
			order_canvas(bridge, room->worker, now->id, &now->canvas);
	}
}

static void
show_canvases(struct bridge *bridge, uint32_t call, const struct bridge_video_round *round)
{
	struct meeting *meeting = bridge->settings.meeting;
	for (uint32_t at = 0; (at = meeting_call_leg_next(meeting, call, at)) != 0;) {
		struct bridge_leg *leg = bridge_leg_of_meeting(bridge, at);
		if (leg == NULL || leg->video == NULL || leg->kind != LEG_SIP)
			continue;
		const unsigned group = leg->video->group;
		leg->video->canvas = group != 0 ? round->canvases[group - 1].id : 0;
		if (group == 0)
			continue;
		const struct media_show wanted = { .kind = MEDIA_SHOW_CANVAS,
			                           .canvas = leg->video->canvas,
			                           .priority = PRIORITY_LEAD };
		show(bridge, leg, video_sent_of(leg->video, BRIDGE_LINE_MAIN), &wanted);
	}
}

static void
close_canvases(struct bridge *bridge, const struct bridge_room *room,
               const struct bridge_video_round *round)
{
	for (unsigned i = 0; i < room->canvas_count; i++)
		if (canvas_by_id(round->canvases, round->count, room->canvases[i].id) == NULL)
			order_canvas(bridge, room->worker, room->canvases[i].id, NULL);
}

/* ---- At the door ---------------------------------------------------------------------------- */

static const enum words screen_words[IVR_SCREENS] = {
	[IVR_SHOW_ID] = WORDS_ID,
	[IVR_SHOW_ID_AGAIN] = WORDS_ID_AGAIN,
	[IVR_SHOW_PASSCODE] = WORDS_PASSCODE,
	[IVR_SHOW_PASSCODE_AGAIN] = WORDS_PASSCODE_AGAIN,
	[IVR_SHOW_FULL] = WORDS_FULL,
	[IVR_SHOW_GOODBYE] = WORDS_GOODBYE,
};

static void
screen_open(struct bridge *bridge, unsigned worker, enum ivr_screen which)
{
	struct bridge_screen *screen = &bridge->workers[worker].screens[which];
	if (screen->viewers++ != 0)
		return;
	struct canvas canvas = { .screen = CANVAS_SCREEN_LOBBY };
	text_copy_clean(canvas.message, sizeof canvas.message,
	                str_of(words_in(bridge->settings.language, screen_words[which])));
	screen->canvas = next_canvas(bridge);
	order_canvas(bridge, worker, screen->canvas, &canvas);
}

static void
screen_close(struct bridge *bridge, unsigned worker, enum ivr_screen which)
{
	struct bridge_screen *screen = &bridge->workers[worker].screens[which];
	CHECK(screen->viewers != 0);
	if (--screen->viewers != 0)
		return;
	order_canvas(bridge, worker, screen->canvas, NULL);
	screen->canvas = 0;
}

void
video_screen_again(struct bridge *bridge, struct bridge_leg *leg)
{
	const enum ivr_screen which = leg->ivr->screen;
	struct video_sent *sent =
		leg->video != NULL ? video_sent_of(leg->video, BRIDGE_LINE_MAIN) : NULL;
	if (sent == NULL || which == IVR_SHOW_NOTHING)
		return;
	const struct media_show wanted = { .kind = MEDIA_SHOW_CANVAS,
		                           .canvas = bridge->workers[leg->worker].screens[which].canvas,
		                           .priority = PRIORITY_LEAD };
	show(bridge, leg, sent, &wanted);
}

/* The new one is there before the old one goes. */
void
video_screen(struct bridge *bridge, struct bridge_leg *leg, enum ivr_screen which)
{
	const enum ivr_screen before = leg->ivr->screen;
	leg->ivr->screen = which;
	if (which != IVR_SHOW_NOTHING) {
		screen_open(bridge, leg->worker, which);
		video_screen_again(bridge, leg);
	}
	if (before != IVR_SHOW_NOTHING)
		screen_close(bridge, leg->worker, before);
}

/* ---- Browsers ------------------------------------------------------------------------------ */

static uint8_t
tile_priority(const struct bridge_video *video, const struct meeting_call *call,
              const struct stage_tile *tile)
{
	if (tile->content)
		return PRIORITY_CONTENT;
	for (unsigned i = 0; i < video->pin_count; i++)
		if (video->pins[i].leg == tile->leg)
			return PRIORITY_LEAD;
	return tile->leg == call->lead ? PRIORITY_LEAD : PRIORITY_OTHERS;
}

static void
show_tiles(struct bridge *bridge, const struct meeting_call *call, struct bridge_leg *leg)
{
	struct bridge_video *video = leg->video;
	const bool changed = meeting_tiles(bridge->settings.meeting, leg->meeting_leg, video->pins,
	                                   video->pin_count, video->tiles, video->tile_count);
	for (unsigned i = 0; i < video->sent_count; i++) {
		struct video_sent *sent = &video->sent[i];
		const struct stage_tile nobody = { 0 };
		const struct stage_tile *tile =
			sent->tile < video->tile_count ? &video->tiles[sent->tile] : &nobody;
		show_source(bridge, leg, sent, tile->leg,
		            tile->content ? VIDEO_TRACK_CONTENT : VIDEO_TRACK_MAIN,
		            tile_priority(video, call, tile));
	}
	if (changed || video->tiles_untold)
		web_send_tiles(bridge, leg);
	video->tiles_untold = false;
}

/* ---- A round ------------------------------------------------------------------------------- */

static void
refresh_room(struct bridge *bridge, struct bridge_room *room)
{
	struct meeting *meeting = bridge->settings.meeting;
	const struct meeting_call *call = meeting_call(meeting, room->call);
	struct bridge_video_round round = { 0 };
	room->video_changed = false;
	for (uint32_t at = 0; (at = meeting_call_leg_next(meeting, room->call, at)) != 0;) {
		struct bridge_leg *leg = bridge_leg_of_meeting(bridge, at);
		if (leg == NULL || leg->video == NULL)
			continue;
		if (leg->kind == LEG_SIP)
			compose_leg(bridge, room->call, leg, &round);
		else
			show_tiles(bridge, call, leg);
	}
	name_canvases(bridge, room->call, room, &round);
	order_canvases(bridge, room, &round);
	show_canvases(bridge, room->call, &round);
	close_canvases(bridge, room, &round);
	free(room->canvases);
	room->canvases = round.canvases;
	room->canvas_count = round.count;
}

void
video_changed(struct bridge *bridge, uint32_t call, int64_t now_us)
{
	struct bridge_room *room = bridge_room_of(bridge, call);
	if (room == NULL || room->video_changed)
		return;
	room->video_changed = true;
	if (!timer_running(&bridge->video_timer))
		timer_start(&bridge->timers, &bridge->video_timer, now_us + BRIDGE_VIDEO_US);
}

void
video_refresh(struct bridge *bridge)
{
	for (uint32_t i = 0; i < bridge->room_count; i++)
		if (bridge->rooms[i].call != 0 && bridge->rooms[i].video_changed)
			refresh_room(bridge, &bridge->rooms[i]);
}

void
video_room_closed(struct bridge *bridge, struct bridge_room *room)
{
	const struct bridge_video_round nothing = { 0 };
	close_canvases(bridge, room, &nothing);
	free(room->canvases);
	room->canvases = NULL;
	room->canvas_count = 0;
}
