/* SPDX-License-Identifier: Apache-2.0 */
/* Callers at the door: what is asked of them (meeting/ivr.h), and how they get in.
 *
 * A caller sits on a worker before it is known where his meeting is.  When that is another worker, he
 * gets ports there and is told of them by a re-INVITE: he is MOVING until the answer is in. */
#include <errno.h>
#include <stdlib.h>

#include "callbridge/bridge_video.h"

static const uint8_t sounds[IVR_PROMPTS] = {
	[IVR_SAY_WELCOME] = MEDIA_SOUND_IVR_WELCOME,
	[IVR_SAY_ID_ENTRY] = MEDIA_SOUND_MEETING_ID_ENTRY,
	[IVR_SAY_ID_TRY_AGAIN] = MEDIA_SOUND_ID_TRY_AGAIN,
	[IVR_SAY_ID_FINAL_ATTEMPT] = MEDIA_SOUND_ID_FINAL_ATTEMPT,
	[IVR_SAY_ID_GOODBYE] = MEDIA_SOUND_ID_GOODBYE,
	[IVR_SAY_ID_TIMEOUT] = MEDIA_SOUND_ID_TIMEOUT,
	[IVR_SAY_PASSCODE_ENTRY] = MEDIA_SOUND_PASSCODE_ENTRY,
	[IVR_SAY_PASSCODE_OPTIONAL] = MEDIA_SOUND_PASSCODE_OPTIONAL,
	[IVR_SAY_PASSCODE_TRY_AGAIN] = MEDIA_SOUND_PASSCODE_TRY_AGAIN,
	[IVR_SAY_PASSCODE_FINAL_ATTEMPT] = MEDIA_SOUND_PASSCODE_FINAL_ATTEMPT,
	[IVR_SAY_PASSCODE_GOODBYE] = MEDIA_SOUND_PASSCODE_GOODBYE,
	[IVR_SAY_PASSCODE_TIMEOUT] = MEDIA_SOUND_PASSCODE_TIMEOUT,
	[IVR_SAY_FULL] = MEDIA_SOUND_MEETING_FULL,
	[IVR_SAY_UNAVAILABLE] = MEDIA_SOUND_UNAVAILABLE,
};

static int64_t
optional_us(struct bridge *bridge, const struct meeting_entry *entry)
{
	return (int64_t)meeting_passcode_timeout_s(bridge->settings.meeting, entry) * 1000000;
}

bool
ivr_open(struct bridge *bridge, struct bridge_leg *leg, struct str address, struct str domain)
{
	struct bridge_ivr *ivr = calloc(1, sizeof *ivr);
	if (ivr == NULL)
		return false;
	leg->ivr = ivr;
	bridge->asked++;
	str_copy(ivr->address, sizeof ivr->address, address);
	str_copy(ivr->domain, sizeof ivr->domain, domain);
	return true;
}

void
ivr_close(struct bridge *bridge, struct bridge_leg *leg)
{
	if (leg->ivr == NULL)
		return;
	video_screen(bridge, leg, IVR_SHOW_NOTHING);
	ivr_fini(&leg->ivr->core);
	free(leg->ivr);
	leg->ivr = NULL;
	bridge->asked--;
}

/* ---- To another worker --------------------------------------------------------------------- */

static void
settle(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	leg->stage = STAGE_ACTIVE;
	bridge_leg_settings(bridge, leg);
	if (leg->held)
		meeting_leg_held(bridge->settings.meeting, leg->meeting_leg, true, now_us);
	bridge_enter(bridge, leg, now_us);
	video_lines_apply(bridge, leg, now_us);
}

void
ivr_moved(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->stage != STAGE_MOVING)
		return;
	timer_stop(&bridge->timers, &leg->timer);
	settle(bridge, leg, now_us);
}

void
ivr_move_failed(struct bridge *bridge, struct bridge_leg *leg, uint16_t status, int64_t now_us)
{
	enum { GLARE = 491 };
	if (leg->stage != STAGE_MOVING)
		return;
	/* The far end has an offer of its own under way: with its answer it gets the new ports. */
	if (status == GLARE && ++leg->moves < BRIDGE_MOVES_MAX) {
		timer_start(&bridge->timers, &leg->timer, now_us + BRIDGE_MOVE_US);
		return;
	}
	bridge_log(bridge, "call %u: the far end does not take new media ports (%u), which its "
	           "meeting needs", bridge_leg_number(bridge, leg), (unsigned)status);
	sip_drop(bridge, leg, LEG_END_ERROR, now_us);
}

void
ivr_move_offer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	int rc = -EAGAIN;
	if (leg->sdp->state == SDP_STABLE) {
		const struct str offer = description_offer(bridge, leg);
		rc = offer.len != 0 ? sip_session_offer(bridge->settings.ua, leg->session, offer,
		                                        now_us)
		                    : -EMSGSIZE;
		if (rc != 0)
			sdp_session_offer_drop(leg->sdp);
	}
	if (rc == 0)
		return;
	if (rc == -EAGAIN && ++leg->moves < BRIDGE_MOVES_MAX)
		timer_start(&bridge->timers, &leg->timer, now_us + BRIDGE_MOVE_US);
	else
		sip_drop(bridge, leg, LEG_END_ERROR, now_us);
}

/* The old ports are gone at once: nothing is heard at the door any more. */
static void
move(struct bridge *bridge, struct bridge_leg *leg, uint32_t call, int64_t now_us)
{
	leg->stage = STAGE_MOVING;
	leg->moves = 0;
	bridge_media_close(bridge, leg);
	video_lines_apply(bridge, leg, now_us);
	if (!bridge_media_open(bridge, leg, call)) {
		bridge_log(bridge, "call %u: no room where its meeting is",
		           bridge_leg_number(bridge, leg));
		sip_drop(bridge, leg, LEG_END_TOO_MANY_CALLS, now_us);
	}
}

/* ---- Through the door ---------------------------------------------------------------------- */

/* The model has let it in; now its media. */
static void
come_in(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const uint32_t call = meeting_leg_of(bridge, leg->meeting_leg)->call;
	const struct bridge_room *room = bridge_room_of(bridge, call);
	timer_stop(&bridge->timers, &leg->timer);
	bridge_play(bridge, leg, MEDIA_SOUND_NONE);
	ivr_close(bridge, leg);
	if (room != NULL && room->worker != leg->worker)
		move(bridge, leg, call, now_us);
	else if (room != NULL || bridge_room_settle(bridge, call, leg->worker))
		settle(bridge, leg, now_us);
	else
		sip_drop(bridge, leg, LEG_END_TOO_MANY_CALLS, now_us);
}

/* A profile can ask for more than what the call was answered with. */
static bool
is_secret_enough(struct bridge *bridge, const struct bridge_leg *leg,
                 const struct meeting_entry *entry)
{
	const struct sdp_line *sound = sdp_session_line(leg->sdp, BRIDGE_MEDIUM_AUDIO);
	return (sound != NULL && sound->security != SDP_SECURITY_NONE) ||
	       meeting_entry_setting(bridge->settings.meeting, entry,
	                             LEG_PROFILE_SIP_ENCRYPTION) != SIP_ENCRYPTION_REQUIRED;
}

static enum ivr_answer
enter(struct bridge *bridge, struct bridge_leg *leg, const struct meeting_entry *entry,
      int64_t now_us)
{
	leg->entry = *entry;
	switch (meeting_leg_enter(bridge->settings.meeting, leg->meeting_leg, entry, now_us)) {
	case MEETING_ADMITTED:
		return IVR_ENTERED;
	case MEETING_CALL_FULL:
	case MEETING_TENANT_FULL:
		return IVR_IS_FULL;
	case MEETING_BRIDGE_FULL:
	case MEETING_NO_LICENSE:
		return IVR_IS_UNAVAILABLE;
	case MEETING_GONE:
		break;
	}
	return IVR_WRONG;
}

static void
log_wrong(struct bridge *bridge, const struct bridge_leg *leg, const struct ivr_out *knock)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (knock->passcode.at != NULL)
		bridge_log(bridge, "call %u: incorrect passcode from \"%s\" (%s) for \"%s\"%s%.*s",
		           model->number, model->remote_party, model->remote_address,
		           model->local_address, knock->id.len != 0 ? ", meeting ID " : "",
		           STR_ARGS(knock->id));
	else
		bridge_log(bridge, "call %u: unknown meeting ID %.*s from \"%s\" (%s) at \"%s\"",
		           model->number, STR_ARGS(knock->id), model->remote_party,
		           model->remote_address, model->local_address);
}

/* What opens to what was typed.  True: the core is to hear `*answer`; else the leg is ending. */
static bool
try(struct bridge *bridge, struct bridge_leg *leg, const struct ivr_out *out,
    enum ivr_answer *answer, int64_t now_us)
{
	struct meeting *meeting = bridge->settings.meeting;
	const struct bridge_ivr *ivr = leg->ivr;
	const uint32_t asks = leg->entry.ivr;
	struct meeting_entry entry = { 0 };
	const struct meeting_knock at_space = { .address = str_of(ivr->address),
		                                .domain = str_of(ivr->domain),
		                                .passcode = out->passcode };
	const struct meeting_knock at_ivr = { .address = out->id, .ivr = asks,
		                              .passcode = out->passcode };
	const bool gone = asks != 0 && !objects_alive(meeting_objects(meeting), OBJECT_IVR, asks);
	enum meeting_route route = ROUTE_UNKNOWN;
	if (!gone)
		route = meeting_route(meeting, asks != 0 ? &at_ivr : &at_space, &entry);
	entry.ivr = asks;
	*answer = IVR_WRONG;
	if (route == ROUTE_OPEN && !is_secret_enough(bridge, leg, &entry)) {
		bridge_log(bridge, "call %u: its meeting requires encryption",
		           bridge_leg_number(bridge, leg));
		sip_drop(bridge, leg, LEG_END_ENCRYPTION_REQUIRED, now_us);
		return false;
	}
	if (route == ROUTE_OPEN)
		*answer = enter(bridge, leg, &entry, now_us);
	if (route == ROUTE_PASSCODE && out->passcode.at == NULL) {
		leg->entry = entry;
		*answer = IVR_ASK_PASSCODE;
	}
	if (*answer == IVR_WRONG)
		log_wrong(bridge, leg, out);
	return true;
}

static enum leg_end
end_of(enum ivr_end end)
{
	static const enum leg_end ends[] = {
		[IVR_END_TIMEOUT] = LEG_END_IVR_TIMEOUT,
		[IVR_END_UNKNOWN_CALL] = LEG_END_IVR_UNKNOWN_CALL,
		[IVR_END_INCORRECT_PASSCODE] = LEG_END_INCORRECT_PASSCODE,
		[IVR_END_FULL] = LEG_END_PARTICIPANT_LIMIT_REACHED,
		[IVR_END_UNAVAILABLE] = LEG_END_TOO_MANY_CALLS,
	};
	return ends[end];
}

/* Whatever ends it, the leg may be gone afterwards. */
static void
drain(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	struct ivr *core = &leg->ivr->core;
	for (struct ivr_out out; (out = ivr_poll(core)).kind != IVR_NONE;) {
		enum ivr_answer answer = IVR_WRONG;
		switch (out.kind) {
		case IVR_SAY:
			bridge_play(bridge, leg, (enum media_sound)sounds[out.prompt]);
			break;
		case IVR_HUSH:
			bridge_play(bridge, leg, MEDIA_SOUND_NONE);
			break;
		case IVR_SHOW:
			video_screen(bridge, leg, out.screen);
			break;
		case IVR_KNOCK:
			if (!try(bridge, leg, &out, &answer, now_us))
				return;
			ivr_answer(core, answer, optional_us(bridge, &leg->entry), now_us);
			if (answer == IVR_ENTERED) {
				come_in(bridge, leg, now_us);
				return;
			}
			break;
		case IVR_END:
			sip_drop(bridge, leg, end_of(out.end), now_us);
			return;
		case IVR_NONE:
			break;
		}
	}
	const int64_t deadline_us = ivr_deadline(core);
	if (deadline_us != INT64_MAX)
		timer_start(&bridge->timers, &leg->timer, deadline_us);
}

/* ---- What happens -------------------------------------------------------------------------- */

void
ivr_begin(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const bool ask_id = leg->entry.ivr != 0;
	const struct ivr_settings settings = {
		.ask_id = ask_id, .optional_us = ask_id ? 0 : optional_us(bridge, &leg->entry)
	};
	leg->stage = STAGE_ASKING;
	meeting_leg_connected(bridge->settings.meeting, leg->meeting_leg, now_us);
	ivr_init(&leg->ivr->core, &settings, now_us);
	drain(bridge, leg, now_us);
}

void
ivr_digit(struct bridge *bridge, struct bridge_leg *leg, char digit, int64_t now_us)
{
	CHECK(leg->stage == STAGE_ASKING);
	ivr_key(&leg->ivr->core, digit, now_us);
	drain(bridge, leg, now_us);
}

void
ivr_sound_over(struct bridge *bridge, struct bridge_leg *leg, uint32_t sound, int64_t now_us)
{
	if (leg->stage != STAGE_ASKING)
		return;
	for (unsigned prompt = IVR_SAY_NOTHING + 1; prompt < IVR_PROMPTS; prompt++) {
		if (sounds[prompt] != sound)
			continue;
		ivr_played(&leg->ivr->core, (enum ivr_prompt)prompt, now_us);
		drain(bridge, leg, now_us);
		return;
	}
}

void
ivr_timer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->stage == STAGE_MOVING) {
		ivr_move_offer(bridge, leg, now_us);
	} else if (leg->stage == STAGE_ASKING) {
		ivr_tick(&leg->ivr->core, now_us);
		drain(bridge, leg, now_us);
	}
}
