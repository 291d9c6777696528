/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting/meeting.h"

#include <errno.h>
#include <stdlib.h>

#include "meeting/meeting_internal.h"

enum {
	LEGS_USUAL = 5000,
};

/* ------------------------------------------------------------------ making and breaking */

static int
tables_create(struct meeting *meeting)
{
	const struct meeting_limits *limits = &meeting->settings.limits;
	int rc = slab_create(&meeting->calls, sizeof(struct call), limits->calls_max);
	if (rc == 0)
		rc = slab_create(&meeting->legs, sizeof(struct leg), limits->legs_max);
	if (rc == 0)
		rc = slab_create(&meeting->participants, sizeof(struct meeting_participant),
		                 limits->legs_max);
	if (rc == 0)
		rc = map_create(&meeting->call_ids, limits->calls_max);
	if (rc == 0)
		rc = map_create(&meeting->call_spaces, limits->calls_max);
	if (rc == 0)
		rc = map_create(&meeting->leg_ids, limits->legs_max);
	if (rc == 0)
		rc = map_create(&meeting->participant_ids, limits->legs_max);
	return rc;
}

int
meeting_create(struct meeting **out, const struct meeting_settings *settings, int64_t now_us)
{
	CHECK(settings->random != NULL);
	struct meeting *meeting = calloc(1, sizeof *meeting);
	if (meeting == NULL)
		return -ENOMEM;
	meeting->settings = *settings;
	if (meeting->settings.limits.legs_max == 0)
		meeting->settings.limits.legs_max = LEGS_USUAL;
	if (meeting->settings.limits.calls_max == 0)
		meeting->settings.limits.calls_max = LEGS_USUAL;
	meeting->now_us = now_us;
	meeting->templates_version = UINT64_MAX;
	licensing_init(&meeting->licensing);
	timer_wheel_init(&meeting->timers, now_us);

	const struct objects_settings objects = {
		.limits = settings->objects,
		.hash_key = settings->hash_key,
		.random = settings->random,
		.context = settings->context,
	};
	int rc = objects_create(&meeting->objects, &objects);
	if (rc == 0)
		rc = tables_create(meeting);
	if (rc != 0) {
		meeting_destroy(meeting);
		return rc;
	}
	*out = meeting;
	return 0;
}

void
meeting_destroy(struct meeting *meeting)
{
	if (meeting == NULL)
		return;
	slab_destroy(&meeting->calls);
	slab_destroy(&meeting->legs);
	slab_destroy(&meeting->participants);
	map_destroy(&meeting->call_ids);
	map_destroy(&meeting->call_spaces);
	map_destroy(&meeting->leg_ids);
	map_destroy(&meeting->participant_ids);
	objects_destroy(meeting->objects);
	free(meeting);
}

struct objects *
meeting_objects(struct meeting *meeting)
{
	return meeting->objects;
}

/* ------------------------------------------------------------------ names */

static uint64_t
id_hash(const struct meeting *meeting, const struct guid *id)
{
	return hash_bytes(&meeting->settings.hash_key, id->bytes, sizeof id->bytes);
}

struct guid
meeting_new_id(const struct meeting *meeting)
{
	uint8_t random[GUID_BYTES];
	meeting->settings.random(meeting->settings.context, random, sizeof random);
	return guid_of_random(random);
}

void
names_put(struct meeting *meeting, struct map *map, const struct guid *id, uint32_t handle)
{
	const bool put = map_put(map, id_hash(meeting, id), handle);
	CHECK(put); /* as many entries as slots */
}

void
names_remove(struct meeting *meeting, struct map *map, const struct guid *id, uint32_t handle)
{
	map_remove(map, id_hash(meeting, id), handle);
}

uint32_t
meeting_call_find(const struct meeting *meeting, const struct guid *id)
{
	struct map_cursor cursor = map_find(&meeting->call_ids, id_hash(meeting, id));
	for (uint32_t at; (at = map_next(&meeting->call_ids, &cursor)) != 0;) {
		if (guid_eq(&call_get(meeting, at)->pub.id, id))
			return at;
	}
	return 0;
}

uint32_t
meeting_leg_find(const struct meeting *meeting, const struct guid *id)
{
	struct map_cursor cursor = map_find(&meeting->leg_ids, id_hash(meeting, id));
	for (uint32_t at; (at = map_next(&meeting->leg_ids, &cursor)) != 0;) {
		if (guid_eq(&leg_get(meeting, at)->pub.id, id))
			return at;
	}
	return 0;
}

uint32_t
meeting_participant_find(const struct meeting *meeting, const struct guid *id)
{
	struct map_cursor cursor = map_find(&meeting->participant_ids, id_hash(meeting, id));
	for (uint32_t at; (at = map_next(&meeting->participant_ids, &cursor)) != 0;) {
		if (guid_eq(&participant_get(meeting, at)->id, id))
			return at;
	}
	return 0;
}

uint32_t
meeting_call_of_space(const struct meeting *meeting, uint32_t space)
{
	const struct guid id = objects_id(meeting->objects, OBJECT_SPACE, space);
	if (guid_is_zero(&id))
		return 0;
	struct map_cursor cursor = map_find(&meeting->call_spaces, id_hash(meeting, &id));
	for (uint32_t at; (at = map_next(&meeting->call_spaces, &cursor)) != 0;) {
		if (guid_eq(&call_get(meeting, at)->space_id, &id))
			return at;
	}
	return 0;
}

const struct meeting_leg *
meeting_leg(const struct meeting *meeting, uint32_t leg)
{
	const struct leg *found = leg_get(meeting, leg);
	return found != NULL ? &found->pub : NULL;
}

const struct meeting_call *
meeting_call(const struct meeting *meeting, uint32_t call)
{
	const struct call *found = call_get(meeting, call);
	return found != NULL ? &found->pub : NULL;
}

const struct meeting_participant *
meeting_participant(const struct meeting *meeting, uint32_t participant)
{
	return participant_get(meeting, participant);
}

uint32_t
meeting_leg_next(const struct meeting *meeting, uint32_t *at)
{
	return slab_next(&meeting->legs, at);
}

static bool
is_over(const struct call *call)
{
	return call->pub.ending && call->first == 0;
}

uint32_t
meeting_call_next(const struct meeting *meeting, uint32_t *at)
{
	uint32_t call;
	do
		call = slab_next(&meeting->calls, at);
	while (call != 0 &&
	       (call_get(meeting, call)->pub.door || is_over(call_get(meeting, call))));
	return call;
}

uint32_t
meeting_call_leg_next(const struct meeting *meeting, uint32_t call, uint32_t previous)
{
	if (previous != 0) {
		const struct leg *leg = leg_get(meeting, previous);
		return leg != NULL ? leg->next : 0;
	}
	const struct call *found = call_get(meeting, call);
	return found != NULL ? found->first : 0;
}

/* ------------------------------------------------------------------ calls */

static void
call_log_start(struct meeting *meeting, const struct call *call)
{
	log_line(meeting, "conference %s named \"%s\"", guid_text(&call->pub.id).text,
	         call->pub.name);
	if (guid_is_zero(&call->space_id))
		return;
	log_line(meeting,
	         "API \"%s\" Space GUID: %s <--> Call Correlator GUID: %s <--> Internal GUID: %s",
	         call->pub.name, guid_text(&call->space_id).text,
	         guid_text(&call->pub.correlator).text, guid_text(&call->pub.id).text);
	const struct str tag = objects_text(meeting->objects, OBJECT_SPACE, call->pub.space,
	                                    SPACE_CDR_TAG);
	if (tag.len != 0)
		log_line(meeting, "conference %s: CDR tag \"%.*s\"", guid_text(&call->pub.id).text,
		         STR_ARGS(tag));
}

static struct str
space_name(const struct meeting *meeting, uint32_t space)
{
	const struct objects *objects = meeting->objects;
	const struct str name = objects_text(objects, OBJECT_SPACE, space, SPACE_NAME);
	if (name.len != 0)
		return name;
	const struct str uri = objects_text(objects, OBJECT_SPACE, space, SPACE_URI);
	return uri.len != 0 ? uri : objects_text(objects, OBJECT_SPACE, space, SPACE_CALL_ID);
}

static struct call *
call_new(struct meeting *meeting, uint32_t space, struct str name)
{
	uint32_t handle = 0;
	struct call *call = slab_take(&meeting->calls, &handle);
	if (call == NULL)
		return NULL;
	call->pub.handle = handle;
	call->pub.space = space;
	call->pub.id = meeting_new_id(meeting);
	call->pub.correlator = meeting_new_id(meeting);
	call->pub.started_us = meeting->now_us;
	call->empty = (struct model_timer){ .kind = TIMER_CALL_EMPTY, .handle = handle };
	text_copy_clean(call->pub.name, sizeof call->pub.name,
	                space != 0 ? space_name(meeting, space) : name);
	if (space != 0) {
		call->space_id = objects_id(meeting->objects, OBJECT_SPACE, space);
		names_put(meeting, &meeting->call_spaces, &call->space_id, handle);
		call->pub.locked = call_setting(meeting, space, CALL_PROFILE_LOCKED) != 0;
	}
	names_put(meeting, &meeting->call_ids, &call->pub.id, handle);
	call_pictures_init(meeting, call);
	meeting->totals.calls_active++;
	call_log_start(meeting, call);
	call_work(meeting, call, WORK_STARTED);
	call_news(meeting, call, MEETING_NEWS_CALL_STARTED);
	return call;
}

/* Nobody finds it any more; its space can start another. */
static void
call_hide(struct meeting *meeting, struct call *call)
{
	if (call->pub.ending)
		return;
	call->pub.ending = true;
	timer_stop(&meeting->timers, &call->empty.timer);
	if (!guid_is_zero(&call->space_id))
		names_remove(meeting, &meeting->call_spaces, &call->space_id, call->pub.handle);
}

void
call_finish(struct meeting *meeting, struct call *call)
{
	CHECK(call->first == 0 && call->pub.connected == 0 && call->activators == 0);
	CHECK(call->pub.legs == 0);
	call_hide(meeting, call);
	names_remove(meeting, &meeting->call_ids, &call->pub.id, call->pub.handle);
	call_pictures_fini(meeting, call);
	meeting->totals.calls_active--;
	log_line(meeting, "conference %s destroyed", guid_text(&call->pub.id).text);
	call_work(meeting, call, WORK_ENDED);
	call_news(meeting, call, MEETING_NEWS_CALL_ENDED);
}

enum meeting_refusal
call_open(struct meeting *meeting, uint32_t space, struct str name, struct call **out)
{
	if (space != 0 && !objects_alive(meeting->objects, OBJECT_SPACE, space))
		return MEETING_GONE;
	const uint32_t running = space != 0 ? meeting_call_of_space(meeting, space) : 0;
	*out = running != 0 ? call_get(meeting, running) : call_new(meeting, space, name);
	return *out != NULL ? MEETING_ADMITTED : MEETING_BRIDGE_FULL;
}

enum meeting_refusal
meeting_call_start(struct meeting *meeting, uint32_t space, struct str name, int64_t now_us,
                   uint32_t *out)
{
	struct call *call = NULL;
	meeting_now(meeting, now_us);
	const bool runs = space != 0 && meeting_call_of_space(meeting, space) != 0;
	if (!runs && !licensing_admits(meeting, LEG_SIP, space, false))
		return MEETING_NO_LICENSE;
	const enum meeting_refusal refusal = call_open(meeting, space, name, &call);
	if (refusal != MEETING_ADMITTED)
		return refusal;
	if (call->first == 0 && !timer_running(&call->empty.timer)) {
		call->pub.made_by_api = true;
		timer_start(&meeting->timers, &call->empty.timer, now_us + MEETING_EMPTY_US);
	}
	*out = call->pub.handle;
	return MEETING_ADMITTED;
}

void
meeting_call_end(struct meeting *meeting, uint32_t handle, enum leg_end reason, int64_t now_us)
{
	struct call *call = call_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (call == NULL || is_over(call))
		return;
	call_hide(meeting, call);
	for (uint32_t at = call->first; at != 0;) {
		const uint32_t next = leg_get(meeting, at)->next;
		meeting_leg_drop(meeting, at, reason, now_us);
		at = next;
	}
	if (call->first == 0)
		call_finish(meeting, call);
}

void
call_lock(struct meeting *meeting, struct call *call, bool locked)
{
	if (call->pub.locked == locked)
		return;
	call->pub.locked = locked;
	log_line(meeting, "conference %s: lock state has changed to %s",
	         guid_text(&call->pub.id).text, locked ? "locked" : "unlocked");
	call_work(meeting, call, WORK_ROSTER | WORK_VIDEO);
	lobby_review(meeting, call);
}

static void
edit_pictures(struct meeting *meeting, struct call *call, const struct object_edit *edit)
{
	if (edit_has(edit, CALL_ALLOW_ALL_PRESENTATION)) {
		call->pub.allow_all_presentation =
			edit->values[CALL_ALLOW_ALL_PRESENTATION].number != 0;
		presenter_review(meeting, call);
	}
	if (edit_has(edit, CALL_PLACEMENT))
		call->placement = edit->values[CALL_PLACEMENT];
	if (edit_has(edit, CALL_SELF_PANE_MODE))
		call->self_pane_mode = edit->values[CALL_SELF_PANE_MODE];
	if (edit_has(edit, CALL_CHAT_ALLOWED))
		call->chat_allowed = edit->values[CALL_CHAT_ALLOWED];
	if (edit_has(edit, CALL_RAISE_HAND))
		call->raise_hand = edit->values[CALL_RAISE_HAND];
	call->edits++;
	if (edit_has(edit, CALL_BANNER))
		text_copy_clean(call->own_banner, sizeof call->own_banner,
		                edit->values[CALL_BANNER].text);
	hands_lower(meeting, call);
	call_message_edit(meeting, call, edit);
	(void)call_pictures_follow(meeting, call);
	call_work(meeting, call, WORK_ROSTER | WORK_VIDEO);
}

void
meeting_call_edit(struct meeting *meeting, uint32_t handle, const struct object_edit *edit,
                  int64_t now_us)
{
	struct call *call = call_get(meeting, handle);
	CHECK(edit->type == OBJECT_CALL);
	meeting_now(meeting, now_us);
	if (call == NULL || call->pub.ending)
		return;
	if (edit_has(edit, CALL_ALLOW_ALL_MUTE_SELF))
		call->pub.allow_all_mute_self = edit->values[CALL_ALLOW_ALL_MUTE_SELF].number != 0;
	if (edit_has(edit, CALL_JOIN_MUTE_OVERRIDE)) {
		call->pub.join_mute_set = edit->values[CALL_JOIN_MUTE_OVERRIDE].set;
		call->pub.join_mute = edit->values[CALL_JOIN_MUTE_OVERRIDE].number != 0;
	}
	edit_pictures(meeting, call, edit);
	if (edit_has(edit, CALL_ACTIVE_WHEN_EMPTY))
		call->active_when_empty = edit->values[CALL_ACTIVE_WHEN_EMPTY];
	if (edit_has(edit, CALL_LOCK_MODE)) {
		call->lock_mode = edit->values[CALL_LOCK_MODE];
		lobby_review(meeting, call);
	}
	if (edit_has(edit, CALL_LOCKED))
		call_lock(meeting, call, edit->values[CALL_LOCKED].number != 0);
}

/* ------------------------------------------------------------------ configuration changed */

static bool
has_other_profiles(const struct meeting *meeting, const struct leg *leg)
{
	uint32_t profiles[PROFILE_LEVELS];
	leg_profiles_find(meeting, leg, profiles);
	return memcmp(profiles, leg->profiles, sizeof profiles) != 0;
}

static void
call_follow_space(struct meeting *meeting, struct call *call)
{
	char name[MEETING_NAME_MAX];
	if (guid_is_zero(&call->space_id))
		return;
	call->pub.space = objects_find(meeting->objects, OBJECT_SPACE, &call->space_id);
	if (call->pub.space == 0)
		return;
	text_copy_clean(name, sizeof name, space_name(meeting, call->pub.space));
	if (strcmp(name, call->pub.name) != 0) {
		memcpy(call->pub.name, name, sizeof name);
		call_work(meeting, call, WORK_ROSTER | WORK_VIDEO);
	}
}

/* What a leg's settings follow from is compared first: with 5,000 legs a look at each costs a
 * millisecond, working all out anew twenty. */
void
meeting_configured(struct meeting *meeting, int64_t now_us)
{
	meeting_now(meeting, now_us);
	const uint64_t version = objects_version(meeting->objects, OBJECT_LEG_PROFILE) +
	                         objects_version(meeting->objects, OBJECT_USER_PROFILE) +
	                         objects_version(meeting->objects, OBJECT_USER) +
	                         objects_version(meeting->objects, OBJECT_TENANT) +
	                         objects_version(meeting->objects, OBJECT_SYSTEM_PROFILES);
	const bool all = version != meeting->profiles_version;
	meeting->profiles_version = version;
	templates_follow(meeting);

	uint32_t at = 0;
	for (uint32_t handle; (handle = meeting_call_next(meeting, &at)) != 0;) {
		struct call *call = call_get(meeting, handle);
		bool changed = false;
		call_follow_space(meeting, call);
		const bool layouts = call_pictures_follow(meeting, call);
		for (uint32_t l = call->first; l != 0; l = leg_get(meeting, l)->next) {
			struct leg *leg = leg_get(meeting, l);
			if (leg->pub.state == LEG_ENDING ||
			    (!all && !layouts && !has_other_profiles(meeting, leg)))
				continue;
			leg_reconsider(meeting, leg);
			changed = true;
		}
		if (changed)
			lobby_review(meeting, call);
	}
}

/* ------------------------------------------------------------------ time */

static void
timer_fired(struct meeting *meeting, const struct model_timer *timer)
{
	struct leg *leg = leg_get(meeting, timer->handle);
	struct call *call = call_get(meeting, timer->handle);
	switch (timer->kind) {
	case TIMER_LEG_DURATION:
		meeting_leg_drop(meeting, timer->handle, LEG_END_TIMEOUT, meeting->now_us);
		break;
	case TIMER_LEG_DEACTIVATION:
		lobby_expired(meeting, leg);
		break;
	case TIMER_LEG_NOTICE:
		leg_notice(meeting, leg, "");
		break;
	case TIMER_LEG_CODE:
		code_act(meeting, leg);
		break;
	case TIMER_CALL_STAGE:
		call_pictures_changed(meeting, call);
		break;
	case TIMER_CALL_MESSAGE:
		call_message_over(meeting, call);
		break;
	case TIMER_CALL_EMPTY:
		meeting_call_end(meeting, timer->handle, LEG_END_CALL_ENDED, meeting->now_us);
		break;
	}
}

void
meeting_tick(struct meeting *meeting, int64_t now_us)
{
	meeting_now(meeting, now_us);
	for (struct timer *timer; (timer = timer_take(&meeting->timers, now_us)) != NULL;)
		timer_fired(meeting, CONTAINER_OF(timer, struct model_timer, timer));
}

int64_t
meeting_deadline(const struct meeting *meeting)
{
	return timer_wheel_deadline(&meeting->timers);
}

/* ------------------------------------------------------------------ the bridge as a whole */

/* The bridge's entry, a new one if need be; those of deleted ones make room. */
static struct web_bridge *
web_bridge_slot(struct meeting *meeting, uint32_t handle)
{
	struct web_bridge *all = meeting->web_bridges;
	for (uint32_t i = 0; i < meeting->web_bridge_count; i++) {
		if (all[i].handle == handle)
			return &all[i];
	}
	uint32_t kept = 0;
	for (uint32_t i = 0; i < meeting->web_bridge_count; i++) {
		if (objects_alive(meeting->objects, OBJECT_WEB_BRIDGE, all[i].handle))
			all[kept++] = all[i];
	}
	meeting->web_bridge_count = kept;
	if (kept == WEB_BRIDGES_MAX)
		return NULL;
	meeting->web_bridge_count++;
	all[kept] = (struct web_bridge){ .handle = handle };
	return &all[kept];
}

void
meeting_web_bridge(struct meeting *meeting, uint32_t handle, enum web_bridge_state state,
                   int64_t now_us)
{
	meeting_now(meeting, now_us);
	struct web_bridge *bridge = web_bridge_slot(meeting, handle);
	if (bridge == NULL)
		return;
	const struct guid id = objects_id(meeting->objects, OBJECT_WEB_BRIDGE, handle);
	bridge->state = state;
	if (state < WEB_BRIDGE_CONNECTION_FAILURE)
		meeting_alarm_clear(meeting, ALARM_C2W_CONNECTION_FAILURE, &id);
	else
		meeting_alarm_raise(meeting, ALARM_C2W_CONNECTION_FAILURE,
		                    state == WEB_BRIDGE_DNS_FAILURE ? ALARM_DNS_FAILURE
		                                                    : ALARM_CONNECT_FAILURE,
		                    &id, now_us);
}

enum web_bridge_state
meeting_web_bridge_state(const struct meeting *meeting, uint32_t handle)
{
	for (uint32_t i = 0; i < meeting->web_bridge_count; i++) {
		if (meeting->web_bridges[i].handle == handle)
			return meeting->web_bridges[i].state;
	}
	return WEB_BRIDGE_UNUSED;
}

void
meeting_load(struct meeting *meeting, uint32_t units)
{
	meeting->totals.load_units = units;
}

void
meeting_cdr_index(struct meeting *meeting, uint32_t index)
{
	meeting->totals.cdr_index = index;
}

struct meeting_totals
meeting_totals(const struct meeting *meeting)
{
	return meeting->totals;
}
