/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a meeting, as browsers are told.
 *
 * Changes are gathered for BRIDGE_ROSTER_US and then told once to everybody: one message for each
 * Web Bridge, addressed to all its browsers in the meeting, which spreads it.  So a thousand people
 * coming in cost a thousand lines, not a million. */
#include "callbridge/bridge_video.h"

static bool
is_shown(const struct meeting_leg *model)
{
	return model->state == LEG_CONNECTED || model->state == LEG_ON_HOLD;
}

static void
fill_person(struct bridge *bridge, struct bridge_leg *leg, const struct meeting_leg *model,
            struct c2w_person *person)
{
	const struct meeting_participant *participant =
		meeting_participant(bridge->settings.meeting, model->participant);
	CHECK(participant != NULL);
	if (leg->participant[0] == '\0')
		guid_write(leg->participant, &participant->id);
	const bool labelled = participant->name_label[0] != '\0';
	*person = (struct c2w_person){
		.participant = str_of(leg->participant),
		/* c2w_write() cuts a long one between two letters. */
		.name = str_of(labelled ? participant->name_label : model->name),
		.muted = !model->heard,
		.talking = model->talking && model->heard,
		.lobby = model->lobby,
		.sip = leg->kind == LEG_SIP,
		.video = model->flows[LEG_TRACK_MAIN] && model->seen,
		.video_muted = leg->video != NULL && !model->seen,
		.content = meeting_call(bridge->settings.meeting, model->call)->presenter ==
		           model->handle,
		.hand = model->hand,
		.remote_camera = model->camera,
		.layout = str_of(leg->kind == LEG_SIP && leg->video != NULL
		                         ? meeting_leg_layout(bridge->settings.meeting,
		                                              model->handle)
		                         : ""),
	};
}

/* What was last told about a person, in few bytes. */
static uint64_t
told_of(const struct bridge *bridge, const struct c2w_person *person)
{
	const uint64_t texts[] = { hash_str(&bridge->hash_key, person->name),
		                   hash_str(&bridge->hash_key, person->layout) };
	const bool facts[] = { person->muted,   person->talking, person->lobby, person->video,
		               person->video_muted, person->content, person->hand,
		               person->remote_camera };
	uint64_t told = hash_bytes(&bridge->hash_key, texts, sizeof texts);
	for (unsigned i = 0; i < COUNT_OF(facts); i++)
		told = told * 2 + facts[i];
	/* 0 is who was told to nobody yet. */
	return told | UINT64_C(1) << 63;
}

/* Fills in what changed about a person since it was last told; false when nothing did. */
static bool
take_change(struct bridge *bridge, struct bridge_leg *leg, const struct meeting_leg *model,
            struct c2w_person *person)
{
	fill_person(bridge, leg, model, person);
	const uint64_t told = told_of(bridge, person);
	if (leg->told == told)
		return false;
	leg->told = told;
	return true;
}

/* Browsers of one link that see the roster: those in the meeting, not in its lobby. */
static uint32_t
gather_sessions(struct bridge *bridge, uint32_t call, unsigned link)
{
	uint32_t count = 0;
	struct meeting *meeting = bridge->settings.meeting;
	for (uint32_t at = 0; (at = meeting_call_leg_next(meeting, call, at)) != 0;) {
		const struct meeting_leg *model = meeting_leg(meeting, at);
		const struct bridge_leg *leg = bridge_leg_get(bridge, (uint32_t)model->owner);
		if (leg != NULL && leg->kind == LEG_WEB && leg->linked && leg->link == link &&
		    !model->lobby && count < C2W_SESSIONS_MAX)
			bridge->sessions[count++] = leg->web_session;
	}
	return count;
}

void
roster_send_to_call(struct bridge *bridge, uint32_t call, struct c2w_message *message)
{
	for (unsigned link = 0; link < BRIDGE_LINKS_MAX; link++) {
		if (!bridge->links[link].up)
			continue;
		message->sessions = bridge->sessions;
		message->session_count = gather_sessions(bridge, call, link);
		if (message->session_count != 0)
			bridge->settings.sink.web(bridge->settings.sink.context, link, message);
	}
}

/* Who left and what changed; as many as one message takes, the rest when it is asked again. */
static uint32_t
gather_changes(struct bridge *bridge, struct bridge_room *room)
{
	struct meeting *meeting = bridge->settings.meeting;
	uint32_t count = 0;
	for (; count < room->gone_count; count++)
		bridge->people[count] = (struct c2w_person){
			.participant = str_of(room->gone[count]), .gone = true,
		};
	room->gone_count = 0;
	for (uint32_t at = 0; count < ROSTER_PEOPLE_MAX &&
	                      (at = meeting_call_leg_next(meeting, room->call, at)) != 0;) {
		const struct meeting_leg *model = meeting_leg(meeting, at);
		struct bridge_leg *leg = bridge_leg_get(bridge, (uint32_t)model->owner);
		if (leg != NULL && is_shown(model) &&
		    take_change(bridge, leg, model, &bridge->people[count]))
			count++;
	}
	return count;
}

/* Everybody after the leg `*at`, as many as one message takes; 0 in `*at`: that was the last. */
static uint32_t
gather_people(struct bridge *bridge, uint32_t call, uint32_t *at)
{
	struct meeting *meeting = bridge->settings.meeting;
	uint32_t count = 0;
	while (count < ROSTER_PEOPLE_MAX && (*at = meeting_call_leg_next(meeting, call, *at)) != 0) {
		const struct meeting_leg *model = meeting_leg(meeting, *at);
		struct bridge_leg *leg = bridge_leg_get(bridge, (uint32_t)model->owner);
		if (leg != NULL && is_shown(model))
			fill_person(bridge, leg, model, &bridge->people[count++]);
	}
	return count;
}

static struct c2w_message
meeting_message(const struct bridge *bridge, uint32_t call, bool lobby)
{
	const struct meeting_call *model = meeting_call(bridge->settings.meeting, call);
	struct c2w_message message = { .kind = C2W_MEETING };
	if (model == NULL)
		return message;
	message.meeting = (struct c2w_meeting){
		.name = str_of(model->name),
		.participants = model->connected,
		.locked = model->locked,
		.lobby = lobby,
	};
	return message;
}

static void
send_room(struct bridge *bridge, struct bridge_room *room)
{
	uint32_t count;
	room->roster_changed = false;
	while ((count = gather_changes(bridge, room)) != 0) {
		struct c2w_message message = { .kind = C2W_ROSTER };
		message.roster.count = count;
		message.roster.people = bridge->people;
		roster_send_to_call(bridge, room->call, &message);
	}
	struct c2w_message meeting = meeting_message(bridge, room->call, false);
	roster_send_to_call(bridge, room->call, &meeting);
}

void
roster_changed(struct bridge *bridge, uint32_t call, int64_t now_us)
{
	struct bridge_room *room = bridge_room_of(bridge, call);
	if (room == NULL)
		return;
	room->roster_changed = true;
	if (!timer_running(&bridge->roster_timer))
		timer_start(&bridge->timers, &bridge->roster_timer, now_us + BRIDGE_ROSTER_US);
}

void
roster_gone(struct bridge *bridge, const struct bridge_leg *leg, uint32_t call, int64_t now_us)
{
	struct bridge_room *room = bridge_room_of(bridge, call);
	/* Who was told to nobody has nothing to be taken back. */
	if (room == NULL || leg->participant[0] == '\0')
		return;
	if (room->gone_count == ROSTER_GONE_MAX)
		send_room(bridge, room);
	str_copy(room->gone[room->gone_count++], GUID_TEXT_LEN + 1, str_of(leg->participant));
	roster_changed(bridge, call, now_us);
}

void
rosters_send(struct bridge *bridge)
{
	for (uint32_t i = 0; i < bridge->room_count; i++)
		if (bridge->rooms[i].call != 0 && bridge->rooms[i].roster_changed)
			send_room(bridge, &bridge->rooms[i]);
}

void
roster_send_whole(struct bridge *bridge, const struct bridge_leg *to)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, to->meeting_leg);
	if (model == NULL || !to->linked)
		return;
	const struct bridge_sink *sink = &bridge->settings.sink;
	struct c2w_message message = meeting_message(bridge, model->call, model->lobby);
	message.session = to->web_session;
	sink->web(sink->context, to->link, &message);
	if (model->lobby)
		return;
	uint32_t at = 0;
	message = (struct c2w_message){ .kind = C2W_ROSTER, .session = to->web_session };
	message.roster.complete = true;
	message.roster.people = bridge->people;
	do {
		message.roster.count = gather_people(bridge, model->call, &at);
		sink->web(sink->context, to->link, &message);
		message.roster.complete = false;
	} while (at != 0);
}
