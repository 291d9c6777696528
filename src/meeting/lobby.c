/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part and who waits.  A connected leg is inside, or in the lobby because the call is
 * locked, because it needs an activator and none is inside, or because somebody sent it there. */
#include "meeting/meeting_internal.h"

static bool
needs_activation(const struct leg *leg)
{
	return leg->settings[LEG_PROFILE_NEEDS_ACTIVATION] != 0;
}

static bool
is_locked_out(const struct meeting *meeting, const struct call *call, const struct leg *leg)
{
	if (!call->pub.locked || leg->invited)
		return false;
	const uint32_t mode =
		call->lock_mode.set
			? call->lock_mode.number
			: call_setting(meeting, call->pub.space, CALL_PROFILE_LOCK_MODE);
	return needs_activation(leg) || mode == LOCK_ALL;
}

static bool
may_enter(const struct meeting *meeting, const struct call *call, const struct leg *leg)
{
	if (call->pub.door)
		return false;
	if (leg->admitted || call->pub.forwarding)
		return true;
	return !leg->sent_back && !is_locked_out(meeting, call, leg) &&
	       (!needs_activation(leg) || call->activators != 0);
}

static bool
is_present(const struct leg *leg)
{
	return leg->pub.state == LEG_CONNECTED || leg->pub.state == LEG_ON_HOLD;
}

void
leg_media_refresh(struct meeting *meeting, struct leg *leg)
{
	const bool heard = leg->inside && leg->settings[LEG_PROFILE_RX_AUDIO_MUTE] == 0;
	const bool hears = leg->inside && leg->settings[LEG_PROFILE_TX_AUDIO_MUTE] == 0;
	const bool door = is_present(leg) && call_get(meeting, leg->pub.call)->pub.door;
	const bool lobby = is_present(leg) && !leg->inside && !door;
	const bool pictures = leg->settings[LEG_PROFILE_VIDEO_MODE] == VIDEO_MODE_AUTO;
	const bool seen =
		pictures && leg->inside && leg->settings[LEG_PROFILE_RX_VIDEO_MUTE] == 0;
	/* Who waits is shown that he waits, and who is asked what he is asked. */
	const bool sees = pictures && (leg->inside || lobby || door) &&
	                  leg->settings[LEG_PROFILE_TX_VIDEO_MUTE] == 0;
	struct meeting_leg *pub = &leg->pub;
	if (heard == pub->heard && hears == pub->hears && lobby == pub->lobby &&
	    seen == pub->seen && sees == pub->sees)
		return;
	pub->heard = heard;
	pub->hears = hears;
	pub->lobby = lobby;
	pub->seen = seen;
	pub->sees = sees;
	struct call *call = call_get(meeting, pub->call);
	if (!heard && pub->talking) {
		pub->talking = false;
		stage_talking(&call->stage, &leg->person, false, meeting->now_us);
	}
	leg_picture_refresh(meeting, leg);
	leg_work(meeting, leg, WORK_SETTINGS);
	call_work(meeting, call, WORK_ROSTER | WORK_VIDEO);
	leg_news(meeting, leg, MEETING_NEWS_LEG_CHANGED);
}

/* A tone is heard while the meeting is small enough for it (0: never), not by who causes it. */
static void
play_tone(struct meeting *meeting, const struct call *call, const struct leg *cause,
          enum leg_profile_field threshold, enum leg_work work)
{
	if (call->pub.connected > object_field(OBJECT_LEG_PROFILE, threshold)->max ||
	    call->pub.forwarding)
		return;
	for (uint32_t at = call->first; at != 0;) {
		struct leg *leg = leg_get(meeting, at);
		if (leg != cause && leg->inside && call->pub.connected <= leg->settings[threshold])
			leg_work(meeting, leg, work);
		at = leg->next;
	}
}

static void
tell_the_only_one(struct meeting *meeting, const struct call *call)
{
	if (call->pub.connected != 1 || call->pub.forwarding)
		return;
	for (uint32_t at = call->first; at != 0; at = leg_get(meeting, at)->next) {
		if (leg_get(meeting, at)->inside)
			leg_work(meeting, leg_get(meeting, at), WORK_ONLY);
	}
}

static void
enter(struct meeting *meeting, struct call *call, struct leg *leg)
{
	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	CHECK(!leg->inside && is_present(leg));
	leg->inside = true;
	call->pub.connected++;
	who->activator = !needs_activation(leg);
	call->activators += who->activator;
	leg->work &= ~(uint32_t)(WORK_WAITING | WORK_LOCKED);
	stage_join(&call->stage, &leg->person, leg->pub.handle, meeting->now_us);
	leg_media_refresh(meeting, leg);
	call_pictures_changed(meeting, call);
	play_tone(meeting, call, leg, LEG_PROFILE_JOIN_TONE, WORK_JOIN_TONE);
	tell_the_only_one(meeting, call);
}

static void
leave(struct meeting *meeting, struct call *call, struct leg *leg)
{
	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	CHECK(leg->inside && call->pub.connected != 0);
	leg->inside = false;
	call->pub.connected--;
	CHECK(!who->activator || call->activators != 0);
	call->activators -= who->activator;
	who->activator = false;
	timer_stop(&meeting->timers, &leg->deactivation.timer);
	if (call->pub.presenter == leg->pub.handle)
		presenter_set(meeting, call, 0);
	leg->pub.hand = false;
	leg_media_refresh(meeting, leg);
	stage_leave(&call->stage, &leg->person, meeting->now_us);
	call_pictures_changed(meeting, call);
	play_tone(meeting, call, leg, LEG_PROFILE_LEAVE_TONE, WORK_LEAVE_TONE);
	tell_the_only_one(meeting, call);
}

static void
recount_activator(struct meeting *meeting, struct call *call, const struct leg *leg)
{
	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	const bool activator = leg->inside && !needs_activation(leg);
	if (activator != who->activator)
		call->activators += activator ? 1u : UINT32_MAX; /* plus or minus one */
	who->activator = activator;
}

/* Without an activator, those who need one are sent out after their profile's time. */
static void
watch_deactivation(struct meeting *meeting, const struct call *call, struct leg *leg)
{
	const bool wanted = leg->inside && !leg->admitted && needs_activation(leg) &&
	                    call->activators == 0 && !call->pub.forwarding &&
	                    leg->settings[LEG_PROFILE_DEACTIVATION_MODE] != DEACTIVATE_REMAIN;
	if (!wanted) {
		timer_stop(&meeting->timers, &leg->deactivation.timer);
	} else if (!timer_running(&leg->deactivation.timer)) {
		const int64_t seconds = leg->settings[LEG_PROFILE_DEACTIVATION_TIME];
		timer_start(&meeting->timers, &leg->deactivation.timer,
		            meeting->now_us + seconds * 1000000);
	}
}

/* After a lock, a setting or the first or last activator changed.  Letting an activator in can
 * let others in: at most one more round. */
void
lobby_review(struct meeting *meeting, struct call *call)
{
	for (uint32_t at = call->first; at != 0; at = leg_get(meeting, at)->next)
		recount_activator(meeting, call, leg_get(meeting, at));
	for (bool again = true; again;) {
		const uint32_t activators = call->activators;
		for (uint32_t at = call->first; at != 0; at = leg_get(meeting, at)->next) {
			struct leg *leg = leg_get(meeting, at);
			if (!leg->inside && is_present(leg) && may_enter(meeting, call, leg))
				enter(meeting, call, leg);
		}
		again = activators == 0 && call->activators != 0;
	}
	for (uint32_t at = call->first; at != 0; at = leg_get(meeting, at)->next)
		watch_deactivation(meeting, call, leg_get(meeting, at));
}

void
leg_arrive(struct meeting *meeting, struct leg *leg)
{
	struct call *call = call_get(meeting, leg->pub.call);
	if (!may_enter(meeting, call, leg)) {
		leg_work(meeting, leg,
		         is_locked_out(meeting, call, leg) ? WORK_LOCKED : WORK_WAITING);
		leg_media_refresh(meeting, leg);
		return;
	}
	const uint32_t activators = call->activators;
	enter(meeting, call, leg);
	if (activators == 0 && call->activators != 0)
		lobby_review(meeting, call);
}

void
leg_depart(struct meeting *meeting, struct leg *leg)
{
	struct call *call = call_get(meeting, leg->pub.call);
	if (!leg->inside)
		return;
	const uint32_t activators = call->activators;
	leave(meeting, call, leg);
	if (activators != 0 && call->activators == 0)
		lobby_review(meeting, call);
}

void
lobby_send_back(struct meeting *meeting, struct leg *leg)
{
	leg->admitted = false;
	leg->sent_back = true;
	if (!leg->inside)
		return;
	leg_depart(meeting, leg);
	leg_work(meeting, leg, WORK_WAITING);
}

/* The deactivation timer fired. */
void
lobby_expired(struct meeting *meeting, struct leg *leg)
{
	CHECK(leg->inside);
	const uint32_t mode = leg->settings[LEG_PROFILE_DEACTIVATION_MODE];
	if (mode == DEACTIVATE_REMAIN || !needs_activation(leg))
		return; /* changed while the timer ran */
	if (mode == DEACTIVATE_DISCONNECT) {
		meeting_leg_drop(meeting, leg->pub.handle, LEG_END_CALL_DEACTIVATED,
		                 meeting->now_us);
		return;
	}
	leg_depart(meeting, leg);
	leg_work(meeting, leg, WORK_WAITING);
}
