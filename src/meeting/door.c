/* SPDX-License-Identifier: Apache-2.0 */
/* The door: legs that are asked something before they are in a meeting, by an IVR or for a passcode.
 *
 * All of them are in one call that is none: it is found by no name, counted nowhere, and nobody is
 * told of it.  It is there while somebody stands at the door. */
#include "meeting/meeting_internal.h"

static struct call *
door_open(struct meeting *meeting)
{
	struct call *call = call_get(meeting, meeting->door);
	uint32_t handle = 0;
	if (call != NULL)
		return call;
	call = slab_take(&meeting->calls, &handle);
	if (call == NULL)
		return NULL;
	meeting->door = handle;
	call->pub.handle = handle;
	call->pub.door = true;
	call->pub.started_us = meeting->now_us;
	call->empty = (struct model_timer){ .kind = TIMER_CALL_EMPTY, .handle = handle };
	call_pictures_init(meeting, call);
	return call;
}

void
door_close(struct meeting *meeting, struct call *call)
{
	CHECK(call->pub.handle == meeting->door && call->pub.connected == 0);
	if (call->first != 0)
		return;
	CHECK(call->pub.legs == 0 && !call->queued && call->activators == 0);
	call_pictures_fini(meeting, call);
	slab_free(&meeting->calls, meeting->door);
	meeting->door = 0;
}

enum meeting_refusal
meeting_door(struct meeting *meeting, const struct meeting_join *join, int64_t now_us,
             uint32_t *out)
{
	meeting_now(meeting, now_us);
	CHECK(join->replaces == 0 && !join->forwarding);
	if (bridge_room(meeting) != MEETING_ADMITTED)
		return MEETING_BRIDGE_FULL;
	struct call *call = door_open(meeting);
	if (call == NULL)
		return MEETING_BRIDGE_FULL;
	struct leg *leg = leg_begin(meeting, call, join);
	leg->pub.ivr = objects_id(meeting->objects, OBJECT_IVR, join->entry.ivr);
	leg_settings_refresh(meeting, leg);
	log_line(meeting, "call %u: API call leg %s is asked for its meeting, for \"%s\"",
	         leg->pub.number, guid_text(&leg->pub.id).text, leg->pub.local_address);
	leg_news(meeting, leg, MEETING_NEWS_LEG_STARTED);
	*out = leg->pub.handle;
	return MEETING_ADMITTED;
}

bool
meeting_leg_at_door(const struct meeting *meeting, uint32_t handle)
{
	const struct leg *leg = leg_get(meeting, handle);
	return leg != NULL && call_get(meeting, leg->pub.call)->pub.door;
}

/* Nothing of how it waited comes along. */
static void
change_call(struct meeting *meeting, struct leg *leg, struct call *call)
{
	struct call *door = call_get(meeting, leg->pub.call);
	leg_unlink(meeting, door, leg);
	door->pub.legs--;
	leg->next = 0;
	leg_link(meeting, call, leg);
	leg->pub.call = call->pub.handle;
	leg->pub.ivr = (struct guid){ 0 };
	participant_get(meeting, leg->pub.participant)->call = call->pub.handle;
	leg->admitted = false;
	leg->sent_back = false;
	door_close(meeting, door);
}

enum meeting_refusal
meeting_leg_enter(struct meeting *meeting, uint32_t handle, const struct meeting_entry *entry,
                  int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	struct call *call = NULL;
	meeting_now(meeting, now_us);
	if (leg == NULL || leg->pub.state == LEG_ENDING)
		return MEETING_GONE;
	CHECK(meeting_leg_at_door(meeting, handle));
	if (!objects_alive(meeting->objects, OBJECT_SPACE, entry->space) ||
	    (entry->method != 0 && !objects_alive(meeting->objects, OBJECT_METHOD, entry->method)))
		return MEETING_GONE;
	const uint32_t running = meeting_call_of_space(meeting, entry->space);
	enum meeting_refusal refusal = call_room(meeting, entry->space, running);
	if (refusal == MEETING_ADMITTED &&
	    !licensing_admits(meeting, leg->pub.kind, entry->space, running != 0))
		refusal = MEETING_NO_LICENSE;
	if (refusal == MEETING_ADMITTED)
		refusal = call_open(meeting, entry->space, STR(""), &call);
	if (refusal != MEETING_ADMITTED)
		return refusal;

	change_call(meeting, leg, call);
	leg_come_new(meeting, leg, call, entry->method, STR(""));
	leg_settings_refresh(meeting, leg);
	leg_work(meeting, leg, WORK_SETTINGS);
	call_work(meeting, call, WORK_ROSTER | WORK_VIDEO);
	log_line(meeting, "API call leg %s in call %s (API call %s)",
	         guid_text(&leg->pub.id).text, guid_text(&call->pub.id).text,
	         guid_text(&call->pub.id).text);
	if (leg->pub.connected_us != 0) {
		leg_log_joined(meeting, leg);
		leg_watch_duration(meeting, leg);
		leg_arrive(meeting, leg);
	}
	leg_news(meeting, leg, MEETING_NEWS_LEG_CHANGED);
	return MEETING_ADMITTED;
}
