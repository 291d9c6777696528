/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of calls and legs.  A call that changed is read anew as a whole: each element's value
 * is compared by a hash, and what differs gets the present version. */
#include <string.h>

#include "events/events_internal.h"

/* ------------------------------------------------------------------ reading values */

static void
put_value(struct events_value *out, const struct field *field, const struct value *value)
{
	struct writer w = writer_of(out->text, sizeof out->text - 1);
	value_write(&w, field, value);
	out->text[w.at] = '\0';
	out->kind = VALUE_TEXT;
}

static void
put_field(struct events_value *out, const struct events *events, enum object_type type,
          uint32_t handle, unsigned field)
{
	const struct value value = meeting_value(events->settings.meeting, type, handle, field, 0);
	put_value(out, object_field(type, field), &value);
}

static void
put_bool(struct events_value *out, bool is)
{
	out->kind = VALUE_BOOL;
	out->number = is;
}

static void
put_text(struct events_value *out, const char *text)
{
	(void)str_copy(out->text, sizeof out->text, str_of(text));
	out->kind = VALUE_TEXT;
}

static void
put_number(struct events_value *out, uint32_t number)
{
	out->kind = VALUE_NUMBER;
	out->number = number;
}

void
call_element_read(const struct events *events, uint32_t handle, enum call_element element,
                  struct events_value *out)
{
	const struct meeting_call *call = meeting_call(events->settings.meeting, handle);
	out->kind = VALUE_NONE;
	switch (element) {
	case CALL_ELEMENT_NAME:
		put_text(out, call->name);
		break;
	case CALL_ELEMENT_PARTICIPANTS:
		put_number(out, call->legs);
		break;
	case CALL_ELEMENT_DISTRIBUTED:
		put_number(out, 0);
		break;
	case CALL_ELEMENT_RECORDING:
	case CALL_ELEMENT_ENDPOINT_RECORDING:
	case CALL_ELEMENT_STREAMING: {
		const unsigned field = element == CALL_ELEMENT_RECORDING   ? CALL_RECORDING
		                       : element == CALL_ELEMENT_STREAMING ? CALL_STREAMING
		                                                           : CALL_ENDPOINT_RECORDING;
		const struct value value = meeting_value(events->settings.meeting, OBJECT_CALL,
		                                         handle, field, 0);
		put_bool(out, value.number != 0);
		break;
	}
	case CALL_ELEMENT_LOCK_STATE:
		put_text(out, call->locked ? "locked" : "unlocked");
		break;
	case CALL_ELEMENT_TYPE:
		put_field(out, events, OBJECT_CALL, handle, CALL_TYPE);
		break;
	case CALL_ELEMENT_CORRELATOR:
		put_field(out, events, OBJECT_CALL, handle, CALL_CORRELATOR);
		break;
	case CALL_ELEMENT_JOIN_MUTE:
		put_text(out, !call->join_mute_set ? "unset" : call->join_mute ? "true" : "false");
		break;
	case CALL_ELEMENTS:
		break;
	}
}

void
leg_element_read(const struct events *events, uint32_t handle, enum leg_element element,
                 struct events_value *out)
{
	const struct meeting *meeting = events->settings.meeting;
	const struct meeting_leg *leg = meeting_leg(meeting, handle);
	out->kind = VALUE_NONE;
	switch (element) {
	case LEG_ELEMENT_NAME:
		put_field(out, events, OBJECT_PARTICIPANT, leg->participant, PARTICIPANT_NAME);
		break;
	case LEG_ELEMENT_URI:
		put_text(out, meeting_participant(meeting, leg->participant)->uri);
		break;
	case LEG_ELEMENT_STATE:
		put_field(out, events, OBJECT_LEG, handle, LEG_STATE);
		break;
	case LEG_ELEMENT_DIRECTION:
		put_field(out, events, OBJECT_LEG, handle, LEG_DIRECTION);
		break;
	case LEG_ELEMENT_AUDIO_MUTED:
		put_bool(out, meeting_leg_setting(meeting, handle, LEG_PROFILE_RX_AUDIO_MUTE) != 0);
		break;
	case LEG_ELEMENT_VIDEO_MUTED:
		put_bool(out, meeting_leg_setting(meeting, handle, LEG_PROFILE_RX_VIDEO_MUTE) != 0);
		break;
	case LEG_ELEMENT_IMPORTANCE:
		put_number(out, leg->importance);
		break;
	case LEG_ELEMENT_LAYOUT:
		put_field(out, events, OBJECT_LEG, handle, LEG_LAYOUT);
		break;
	case LEG_ELEMENT_ACTIVE_SPEAKER:
		put_bool(out, leg->talking);
		break;
	case LEG_ELEMENT_PRESENTER:
		put_bool(out, meeting_call(meeting, leg->call)->presenter == handle);
		break;
	case LEG_ELEMENT_ENDPOINT_RECORDING:
	case LEG_ELEMENT_CAN_MOVE:
		put_bool(out, false);
		break;
	case LEG_ELEMENT_HAND:
		put_field(out, events, OBJECT_LEG, handle, LEG_HAND);
		break;
	case LEG_ELEMENT_CAMERA:
		put_bool(out, leg->camera);
		break;
	case LEG_ELEMENT_MOVED:
	case LEG_ELEMENT_MOVED_BRIDGE:
	case LEG_ELEMENTS:
		break;
	}
}

/* ------------------------------------------------------------------ who is gone */

static void
note_gone(struct events *events, const struct events_row *row, uint32_t call)
{
	events->gone[events->gone_count++ % EVENTS_GONE_MAX] =
		(struct events_gone){ .version = ++events->version, .born = row->born,
		                      .call = call, .id = row->id };
}

static struct events_row *
call_row(struct events *events, uint32_t handle)
{
	CHECK(slab_index(handle) < events->settings.calls_max);
	return &events->calls[slab_index(handle)];
}

static void
leg_forget(struct events *events, struct events_row *row)
{
	if (row->handle == 0)
		return;
	note_gone(events, row, row->call);
	struct events_row *call = call_row(events, row->call);
	if (call->handle == row->call)
		call->roster_version = events->version;
	row->handle = 0;
}

void
rows_leg_gone(struct events *events, uint32_t handle)
{
	CHECK(slab_index(handle) < events->settings.legs_max);
	struct events_row *row = &events->legs[slab_index(handle)];
	if (row->handle == handle)
		leg_forget(events, row);
}

void
rows_call_gone(struct events *events, uint32_t handle)
{
	struct events_row *row = call_row(events, handle);
	if (row->dirty) {
		row->dirty = false;
		events->dirty--;
	}
	if (row->handle != handle)
		return;
	note_gone(events, row, 0);
	events->calls_version = events->version;
	row->handle = 0;
}

/* ------------------------------------------------------------------ what is new */

static uint32_t
hash_value(const struct events *events, const struct events_value *value)
{
	if (value->kind == VALUE_TEXT)
		return (uint32_t)hash_str(&events->hash_key, str_of(value->text));
	return value->number * 4 + (uint32_t)value->kind;
}

static void
follow(const struct events *events, struct events_row *row, unsigned element,
       const struct events_value *value)
{
	const uint32_t hash = hash_value(events, value);
	if (row->versions[element] != 0 && row->hashes[element] == hash)
		return;
	row->hashes[element] = hash;
	row->versions[element] = row->version = events->version;
}

static void
leg_refresh(struct events *events, struct events_row *call, uint32_t handle)
{
	struct events_value value;
	CHECK(slab_index(handle) < events->settings.legs_max);
	struct events_row *row = &events->legs[slab_index(handle)];
	const struct meeting_leg *leg = meeting_leg(events->settings.meeting, handle);
	if (leg->state == LEG_ENDING) {
		rows_leg_gone(events, handle);
		return;
	}
	if (row->handle != handle)
		*row = (struct events_row){
			.handle = handle, .call = call->handle, .born = events->version,
			.id = meeting_participant(events->settings.meeting, leg->participant)->id
		};
	for (unsigned e = 0; e < LEG_ELEMENTS; e++) {
		leg_element_read(events, handle, (enum leg_element)e, &value);
		follow(events, row, e, &value);
	}
	if (row->version > call->roster_version)
		call->roster_version = row->version;
}

static void
call_refresh(struct events *events, uint32_t handle)
{
	struct events_value value;
	const struct meeting *meeting = events->settings.meeting;
	struct events_row *row = call_row(events, handle);
	const struct meeting_call *call = meeting_call(meeting, handle);
	if (row->handle != handle)
		*row = (struct events_row){ .handle = handle, .id = call->id,
			                    .born = events->version };
	for (unsigned e = 0; e < CALL_ELEMENTS; e++) {
		call_element_read(events, handle, (enum call_element)e, &value);
		follow(events, row, e, &value);
	}
	for (uint32_t leg = 0; (leg = meeting_call_leg_next(meeting, handle, leg)) != 0;)
		leg_refresh(events, row, leg);
	if (row->version > events->calls_version)
		events->calls_version = row->version;
}

void
rows_dirty(struct events *events, uint32_t handle)
{
	struct events_row *row = call_row(events, handle);
	if (row->dirty)
		return;
	row->dirty = true;
	events->dirty++;
}

void
rows_refresh(struct events *events)
{
	uint32_t at = 0;
	if (events->dirty == 0)
		return;
	events->version++;
	for (uint32_t handle; events->dirty != 0 &&
	     (handle = meeting_call_next(events->settings.meeting, &at)) != 0;) {
		struct events_row *row = call_row(events, handle);
		if (!row->dirty)
			continue;
		call_refresh(events, handle);
		row->dirty = false;
		events->dirty--;
	}
}

/* Nobody has listened: all is new. */
void
rows_reset(struct events *events)
{
	uint32_t at = 0;
	memset(events->calls, 0, events->settings.calls_max * sizeof *events->calls);
	memset(events->legs, 0, events->settings.legs_max * sizeof *events->legs);
	events->dirty = 0;
	for (uint32_t handle;
	     (handle = meeting_call_next(events->settings.meeting, &at)) != 0;)
		rows_dirty(events, handle);
}
