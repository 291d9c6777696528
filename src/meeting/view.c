/* SPDX-License-Identifier: Apache-2.0 */
/* What each receiver is to be shown, out of the call's stage and the receiver's settings. */
#include "meeting/meeting_internal.h"

/* ------------------------------------------------------------------ a call's stage */

void
call_pictures_changed(struct meeting *meeting, struct call *call)
{
	stage_tick(&call->stage, meeting->now_us);
	const int64_t deadline_us = stage_deadline(&call->stage);
	if (deadline_us == INT64_MAX)
		timer_stop(&meeting->timers, &call->stage_timer.timer);
	else
		timer_start(&meeting->timers, &call->stage_timer.timer, deadline_us);
	if (call->stage_version == call->stage.version)
		return;
	call->stage_version = call->stage.version;
	call->pub.lead = stage_lead(&call->stage);
	call_work(meeting, call, WORK_VIDEO);
}

enum stage_self_mode
call_self_mode(const struct call *call)
{
	const struct value *mode =
	        call->self_pane_mode.set ? &call->self_pane_mode : &call->space_self_pane_mode;
	return (enum stage_self_mode)mode->number;
}

static void
follow_banner(struct meeting *meeting, struct call *call)
{
	char banner[MEETING_MESSAGE_MAX];
	text_copy_clean(banner, sizeof banner,
	                call->own_banner[0] != '\0'
	                        ? str_of(call->own_banner)
	                        : call_setting_text(meeting, call->pub.space,
	                                            CALL_PROFILE_BANNER));
	if (strcmp(banner, call->banner) == 0)
		return;
	memcpy(call->banner, banner, sizeof banner);
	call_work(meeting, call, WORK_MESSAGE | WORK_VIDEO);
}

/* All running calls are looked at after each change of the configuration: what can be compared is
 * not worked out again. */
bool
call_pictures_follow(struct meeting *meeting, struct call *call)
{
	const struct objects *objects = meeting->objects;
	const uint32_t space = call->pub.space;
	if (space != 0 || guid_is_zero(&call->space_id)) {
		call->space_placement =
		        objects_number(objects, OBJECT_SPACE, space, SPACE_PLACEMENT);
		call->space_self_pane_mode =
		        objects_value(objects, OBJECT_SPACE, space, SPACE_SELF_PANE_MODE);
	}
	stage_placement(&call->stage,
	                call->placement.set ? call->placement.number : call->space_placement);
	const struct guid profile =
	        objects_value(objects, OBJECT_SPACE, space, SPACE_CALL_PROFILE).guid;
	const uint64_t version = objects_version(objects, OBJECT_CALL_PROFILE) +
	                         objects_version(objects, OBJECT_SYSTEM_PROFILES) +
	                         objects_version(objects, OBJECT_TENANT) + call->edits;
	if (version != call->banner_version || !guid_eq(&profile, &call->banner_profile))
		follow_banner(meeting, call);
	call->banner_version = version;
	call->banner_profile = profile;
	if (call->stage.version != call->stage_version)
		call_pictures_changed(meeting, call);

	const struct value layout =
	        objects_value(objects, OBJECT_SPACE, space, SPACE_DEFAULT_LAYOUT);
	const bool changed =
	        layout.set != call->space_layout.set || layout.number != call->space_layout.number;
	call->space_layout = layout;
	return changed;
}

void
call_pictures_init(struct meeting *meeting, struct call *call)
{
	const uint32_t handle = call->pub.handle;
	stage_init(&call->stage, meeting->now_us);
	call->stage_version = call->stage.version;
	call->stage_timer = (struct model_timer){ .kind = TIMER_CALL_STAGE, .handle = handle };
	call->message_over = (struct model_timer){ .kind = TIMER_CALL_MESSAGE, .handle = handle };
	(void)call_pictures_follow(meeting, call);
}

void
call_pictures_fini(struct meeting *meeting, struct call *call)
{
	CHECK(call->stage.people == 0);
	timer_stop(&meeting->timers, &call->stage_timer.timer);
	timer_stop(&meeting->timers, &call->message_over.timer);
}

/* ------------------------------------------------------------------ facts */

void
leg_picture_refresh(struct meeting *meeting, struct leg *leg)
{
	struct call *call = call_get(meeting, leg->pub.call);
	stage_picture(&call->stage, &leg->person, leg->pub.seen && leg->pub.flows[LEG_TRACK_MAIN]);
	call_pictures_changed(meeting, call);
}

void
meeting_leg_pictures(struct meeting *meeting, uint32_t handle, enum leg_track track, bool flows,
                     uint16_t width, uint16_t height, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	CHECK((unsigned)track < LEG_TRACKS);
	if (leg == NULL || leg->pub.state == LEG_ENDING)
		return;
	struct meeting_leg *pub = &leg->pub;
	const bool changed = pub->flows[track] != flows || pub->widths[track] != width ||
	                     pub->heights[track] != height;
	pub->flows[track] = flows;
	pub->widths[track] = flows ? width : 0;
	pub->heights[track] = flows ? height : 0;
	if (!changed)
		return;
	leg_picture_refresh(meeting, leg);
	call_work(meeting, call_get(meeting, pub->call), WORK_VIDEO);
}

void
meeting_leg_camera(struct meeting *meeting, uint32_t handle, bool available)
{
	struct leg *leg = leg_get(meeting, handle);
	if (leg == NULL || leg->pub.camera == available)
		return;
	leg->pub.camera = available;
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_ROSTER);
}

void
meeting_leg_second_stream(struct meeting *meeting, uint32_t handle, bool available, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || leg->second_stream == available)
		return;
	leg->second_stream = available;
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_VIDEO);
}

/* ------------------------------------------------------------------ templates */

/* As read; NULL when there is none that can be used. */
static const struct layout_template *
template_get(struct meeting *meeting, uint32_t handle)
{
	struct template_kept *slot = &meeting->templates[0];
	for (unsigned i = 0; i < TEMPLATES_MAX; i++) {
		struct template_kept *each = &meeting->templates[i];
		if (each->handle == handle) {
			slot = each;
			break;
		}
		if (each->used < slot->used)
			slot = each;
	}
	if (slot->handle != handle) {
		char error[LAYOUT_ERROR_MAX];
		*slot = (struct template_kept){ .handle = handle };
		/* The API took it only when it could be read; an empty one was not written yet. */
		if (!layout_template_read(&slot->layouts,
		                          objects_text(meeting->objects, OBJECT_LAYOUT_TEMPLATE,
		                                       handle, LAYOUT_TEMPLATE_TEXT),
		                          error))
			slot->layouts.count = 0;
	}
	slot->used = ++meeting->template_used_last;
	return slot->layouts.count != 0 ? &slot->layouts : NULL;
}

void
templates_follow(struct meeting *meeting)
{
	const uint64_t version = objects_version(meeting->objects, OBJECT_LAYOUT_TEMPLATE);
	if (version == meeting->templates_version)
		return;
	meeting->templates_version = version;
	memset(meeting->templates, 0, sizeof meeting->templates);
	uint32_t at = 0;
	for (uint32_t call; (call = meeting_call_next(meeting, &at)) != 0;)
		call_work(meeting, call_get(meeting, call), WORK_VIDEO);
}

/* ------------------------------------------------------------------ layouts */

enum layout_name
leg_layout_name(const struct leg *leg)
{
	return (enum layout_name)(leg->chosen_layout < LAYOUT_COUNT
	                                  ? leg->chosen_layout
	                                  : leg->settings[LEG_PROFILE_DEFAULT_LAYOUT]);
}

/* Streams of others there are for it: cameras, and content it may see. */
uint32_t
leg_streams(const struct meeting *meeting, const struct leg *leg)
{
	const struct call *call = call_get(meeting, leg->pub.call);
	const uint32_t presenter = call->pub.presenter;
	if (!leg->pub.sees)
		return 0;
	return call->stage.pictures - leg->person.picture +
	       (presenter != 0 && presenter != leg->pub.handle &&
	        leg->settings[LEG_PROFILE_PRESENTATION_VIEWING_ALLOWED] != 0);
}

const char *
meeting_leg_layout(const struct meeting *meeting, uint32_t handle)
{
	const struct leg *leg = leg_get(meeting, handle);
	if (leg == NULL || leg->pub.kind == LEG_WEB || !leg->pub.sees)
		return "";
	return layout_name_text(leg_layout_name(leg));
}

const char *
meeting_leg_label(const struct meeting *meeting, uint32_t handle)
{
	const struct leg *leg = leg_get(meeting, handle);
	if (leg == NULL)
		return "";
	const struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	return who->name_label[0] != '\0' ? who->name_label : leg->pub.name;
}

/* ------------------------------------------------------------------ the view */

/* What a receiver's settings say; of nobody in particular, the space's. */
static uint32_t
view_setting(struct meeting *meeting, const struct call *call, const struct leg *leg,
             enum leg_profile_field field)
{
	const struct meeting_entry entry = { .space = call->pub.space };
	return leg != NULL ? leg->settings[field] : meeting_entry_setting(meeting, &entry, field);
}

/* Whose content it gets: 0 when nobody's flows, or it may not see it. */
static uint32_t
content_for(struct meeting *meeting, const struct call *call, const struct leg *leg)
{
	const struct leg *presenter = leg_get(meeting, call->pub.presenter);
	if (presenter == NULL || presenter == leg || !presenter->pub.flows[LEG_TRACK_CONTENT] ||
	    view_setting(meeting, call, leg, LEG_PROFILE_PRESENTATION_VIEWING_ALLOWED) == 0)
		return 0;
	return presenter->pub.handle;
}

static void
fill_panes(struct call *call, struct stage_request *request, struct meeting_view *out)
{
	struct stage_panes panes;
	const unsigned first = out->content;
	request->led = out->layout.led;
	stage_fill(&call->stage, request, &panes);
	CHECK(first + panes.count == out->layout.count);
	for (unsigned i = 0; i < panes.count; i++)
		out->legs[first + i] = panes.legs[i];
	out->counter = panes.rest;
}

static void
fill_layout(struct meeting *meeting, struct call *call, const struct leg *leg,
            struct meeting_view *out)
{
	struct stage_request request = { .self = leg != NULL ? &leg->person : NULL,
		                         .self_mode = call_self_mode(call) };
	const unsigned people = stage_count(&call->stage, request.self, request.self_mode);
	const bool single =
	        leg == NULL || !leg->second_stream ||
	        leg->settings[LEG_PROFILE_PRESENTATION_MODE] == PRESENTATION_SINGLE_STREAM;
	out->presenter = content_for(meeting, call, leg);
	out->content = out->presenter != 0 && single;
	out->content_stream = out->presenter != 0 && !single;
	if (out->content) {
		layout_with_content(&out->layout, people);
		out->legs[0] = out->presenter;
		request.capacity = LAYOUT_BESIDE_CONTENT_MAX;
		fill_panes(call, &request, out);
		return;
	}
	const bool chosen = leg != NULL && leg->chosen_layout < LAYOUT_COUNT;
	const uint32_t handle =
	        chosen ? 0 : view_setting(meeting, call, leg, LEG_PROFILE_LAYOUT_TEMPLATE);
	const struct layout_template *template =
	        objects_alive(meeting->objects, OBJECT_LAYOUT_TEMPLATE, handle) &&
	                        licensing_template(meeting, call)
	                ? template_get(meeting, handle)
	                : NULL;
	if (template != NULL) {
		layout_of_template(&out->layout, template, people);
		request.capacity = (uint8_t)layout_template_capacity(template);
	} else {
		const enum layout_name name =
		        chosen ? (enum layout_name)leg->chosen_layout
		               : (enum layout_name)view_setting(meeting, call, leg,
		                                                LEG_PROFILE_DEFAULT_LAYOUT);
		const enum layout_name resolved = layout_resolve(name, people);
		layout_make(&out->layout, resolved, people);
		request.capacity = (uint8_t)layout_capacity(resolved);
	}
	fill_panes(call, &request, out);
}

static void
fill_texts(struct meeting *meeting, const struct call *call, const struct leg *leg,
           struct meeting_view *out)
{
	const uint32_t counter = view_setting(meeting, call, leg, LEG_PROFILE_COUNTER);
	const uint32_t title = view_setting(meeting, call, leg, LEG_PROFILE_TITLE_POSITION);
	out->labels = view_setting(meeting, call, leg, LEG_PROFILE_LABELS) != 0;
	out->locked = call->pub.locked;
	if (counter == COUNTER_NEVER)
		out->counter = 0;
	out->total = counter == COUNTER_ALWAYS ? call->pub.connected : 0;
	if (title != TITLE_DISABLED) {
		out->title = call->pub.name;
		out->title_place = (enum view_place)(title - TITLE_TOP);
	}
	out->message_place = VIEW_BOTTOM;
	if (leg != NULL && leg->notice[0] != '\0') {
		out->message = leg->notice;
	} else if (call->pub.message[0] != '\0') {
		out->message = call->pub.message;
		out->message_place = (enum view_place)call->pub.message_position;
	} else {
		out->message = call->banner;
	}
}

void
meeting_view(struct meeting *meeting, uint32_t call_handle, uint32_t leg_handle,
             struct meeting_view *out)
{
	struct call *call = call_get(meeting, call_handle);
	const struct leg *leg = leg_get(meeting, leg_handle);
	*out = (struct meeting_view){ .message = "", .title = "" };
	if (call == NULL || (leg_handle != 0 && (leg == NULL || leg->pub.call != call_handle)))
		return;
	if (leg != NULL && !leg->inside) {
		out->screen = VIEW_LOBBY;
		return;
	}
	if (leg != NULL && call->pub.connected == 1)
		out->screen = VIEW_ONLY_PARTICIPANT;
	else
		fill_layout(meeting, call, leg, out);
	fill_texts(meeting, call, leg, out);
}

/* ------------------------------------------------------------------ tiles */

bool
meeting_tiles(struct meeting *meeting, uint32_t handle, const struct stage_tile *pins,
              unsigned pin_count, struct stage_tile *tiles, unsigned tile_count)
{
	struct stage_pin wished[STAGE_TILES_MAX];
	const struct leg *leg = leg_get(meeting, handle);
	bool changed = false;
	CHECK(tile_count <= STAGE_TILES_MAX);
	if (leg == NULL || !leg->inside || !leg->pub.sees) {
		for (unsigned i = 0; i < tile_count; i++) {
			changed = changed || tiles[i].leg != 0;
			tiles[i] = (struct stage_tile){ .reserved = tiles[i].reserved };
		}
		return changed;
	}
	struct call *call = call_get(meeting, leg->pub.call);
	struct stage_wish wish = { .self = &leg->person, .tile_count = tile_count, .pins = wished };
	wish.content = content_for(meeting, call, leg) != 0;
	for (unsigned i = 0; i < pin_count && wish.pin_count < STAGE_TILES_MAX; i++) {
		const struct leg *pinned = leg_get(meeting, pins[i].leg);
		if (pinned != NULL && pinned->pub.call == leg->pub.call)
			wished[wish.pin_count++] =
			        (struct stage_pin){ &pinned->person, pins[i].content };
	}
	return stage_tiles(&call->stage, &wish, tiles);
}
