/* SPDX-License-Identifier: Apache-2.0 */
/* What participants ask for, in the web app or by DTMF, and whether they may. */
#include "meeting/meeting_internal.h"

static void
override_bool(struct meeting *meeting, struct leg *leg, enum leg_profile_field field, bool on)
{
	leg_override(leg, field, &(struct value){ .set = true, .number = on });
	leg_reconsider(meeting, leg);
}

static bool
is_allowed(const struct meeting *meeting, const struct call *call, const struct leg *leg,
           enum meeting_action action)
{
	const uint32_t *settings = leg->settings;
	switch (action) {
	case ACTION_MUTE_SELF:
	case ACTION_UNMUTE_SELF:
		return settings[LEG_PROFILE_MUTE_SELF_ALLOWED] != 0 ||
		       call->pub.allow_all_mute_self;
	case ACTION_MUTE_OTHER:
	case ACTION_UNMUTE_OTHER:
	case ACTION_LOWER_OTHER_HAND:
		return settings[LEG_PROFILE_MUTE_OTHERS_ALLOWED] != 0;
	case ACTION_DROP_OTHER:
		return settings[LEG_PROFILE_DISCONNECT_OTHERS_ALLOWED] != 0;
	case ACTION_ADMIT_OTHER:
	case ACTION_LOCK:
	case ACTION_UNLOCK:
		return settings[LEG_PROFILE_CALL_LOCK_ALLOWED] != 0;
	case ACTION_END_CALL:
		return settings[LEG_PROFILE_END_CALL_ALLOWED] != 0;
	case ACTION_MUTE_SELF_VIDEO:
	case ACTION_UNMUTE_SELF_VIDEO:
		return settings[LEG_PROFILE_VIDEO_MUTE_SELF_ALLOWED] != 0;
	case ACTION_MUTE_OTHER_VIDEO:
	case ACTION_UNMUTE_OTHER_VIDEO:
		return settings[LEG_PROFILE_VIDEO_MUTE_OTHERS_ALLOWED] != 0;
	case ACTION_RAISE_HAND:
		return settings[LEG_PROFILE_RAISE_HAND_ALLOWED] != 0 &&
		       call_allows(meeting, call, CALL_PROFILE_RAISE_HAND);
	case ACTION_LOWER_HAND:
		return true;
	case ACTION_ALLOW_ALL_MUTE_SELF:
	case ACTION_CANCEL_ALLOW_ALL_MUTE_SELF:
		return settings[LEG_PROFILE_ALLOW_ALL_MUTE_SELF_ALLOWED] != 0;
	case ACTION_ALLOW_ALL_PRESENTATION:
	case ACTION_CANCEL_ALLOW_ALL_PRESENTATION:
		return settings[LEG_PROFILE_ALLOW_ALL_PRESENTATION_ALLOWED] != 0;
	}
	return false;
}

static void
act_on_call(struct meeting *meeting, struct call *call, enum meeting_action action)
{
	if (action == ACTION_LOCK || action == ACTION_UNLOCK) {
		call_lock(meeting, call, action == ACTION_LOCK);
	} else if (action == ACTION_END_CALL) {
		meeting_call_end(meeting, call->pub.handle, LEG_END_CLIENT_INITIATED_TEARDOWN,
		                 meeting->now_us);
	} else if (action == ACTION_ALLOW_ALL_MUTE_SELF ||
	           action == ACTION_CANCEL_ALLOW_ALL_MUTE_SELF) {
		call->pub.allow_all_mute_self = action == ACTION_ALLOW_ALL_MUTE_SELF;
		call_work(meeting, call, WORK_ROSTER);
	} else {
		call->pub.allow_all_presentation = action == ACTION_ALLOW_ALL_PRESENTATION;
		presenter_review(meeting, call);
		call_work(meeting, call, WORK_ROSTER);
	}
}

bool
meeting_act(struct meeting *meeting, uint32_t handle, enum meeting_action action, uint32_t other,
            int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || !leg->inside)
		return false;
	struct call *call = call_get(meeting, leg->pub.call);
	if (!is_allowed(meeting, call, leg, action))
		return false;

	const bool on_other = action >= ACTION_MUTE_OTHER && action <= ACTION_ADMIT_OTHER;
	struct leg *target = on_other ? leg_get(meeting, other) : leg;
	if (target == NULL || target->pub.call != leg->pub.call || target->pub.state == LEG_ENDING)
		return false;
	switch (action) {
	case ACTION_MUTE_SELF:
	case ACTION_UNMUTE_SELF:
	case ACTION_MUTE_OTHER:
	case ACTION_UNMUTE_OTHER:
		override_bool(meeting, target, LEG_PROFILE_RX_AUDIO_MUTE,
		              action == ACTION_MUTE_SELF || action == ACTION_MUTE_OTHER);
		break;
	case ACTION_MUTE_SELF_VIDEO:
	case ACTION_UNMUTE_SELF_VIDEO:
	case ACTION_MUTE_OTHER_VIDEO:
	case ACTION_UNMUTE_OTHER_VIDEO:
		override_bool(meeting, target, LEG_PROFILE_RX_VIDEO_MUTE,
		              action == ACTION_MUTE_SELF_VIDEO ||
		                      action == ACTION_MUTE_OTHER_VIDEO);
		break;
	case ACTION_DROP_OTHER:
		meeting_leg_drop(meeting, other, LEG_END_CLIENT_INITIATED_TEARDOWN, now_us);
		break;
	case ACTION_ADMIT_OTHER:
		leg_let_in(meeting, target, false);
		break;
	case ACTION_RAISE_HAND:
	case ACTION_LOWER_HAND:
	case ACTION_LOWER_OTHER_HAND:
		hand_set(meeting, target, action == ACTION_RAISE_HAND);
		break;
	case ACTION_LOCK:
	case ACTION_UNLOCK:
	case ACTION_END_CALL:
	case ACTION_ALLOW_ALL_MUTE_SELF:
	case ACTION_CANCEL_ALLOW_ALL_MUTE_SELF:
	case ACTION_ALLOW_ALL_PRESENTATION:
	case ACTION_CANCEL_ALLOW_ALL_PRESENTATION:
		act_on_call(meeting, call, action);
		break;
	}
	return true;
}

/* The leg meant by `other`, 0: itself; NULL when it is none of this call. */
static struct leg *
find_target(const struct meeting *meeting, struct leg *leg, uint32_t other)
{
	struct leg *target = other != 0 ? leg_get(meeting, other) : leg;
	return target != NULL && target->pub.call == leg->pub.call &&
	                       target->pub.state != LEG_ENDING
	               ? target
	               : NULL;
}

bool
meeting_act_layout(struct meeting *meeting, uint32_t handle, uint32_t other, unsigned layout,
                   int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || !leg->inside || layout > LAYOUT_COUNT)
		return false;
	struct leg *target = find_target(meeting, leg, other);
	const enum leg_profile_field right = target == leg ? LEG_PROFILE_CHANGE_LAYOUT_ALLOWED
	                                                   : LEG_PROFILE_VIDEO_MUTE_OTHERS_ALLOWED;
	if (target == NULL || leg->settings[right] == 0)
		return false;
	leg_choose_layout(meeting, target, layout);
	return true;
}

bool
meeting_act_importance(struct meeting *meeting, uint32_t handle, uint32_t other,
                       uint32_t importance, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || !leg->inside || leg->settings[LEG_PROFILE_SET_IMPORTANCE_ALLOWED] == 0)
		return false;
	struct leg *target = find_target(meeting, leg, other);
	if (target == NULL || importance > INT32_MAX)
		return false;
	leg_importance(meeting, target, importance);
	return true;
}

void
mute_others(struct meeting *meeting, struct call *call, const struct leg *self, bool muted)
{
	for (uint32_t at = call->first; at != 0; at = leg_get(meeting, at)->next) {
		struct leg *leg = leg_get(meeting, at);
		if (leg != self && leg->pub.state != LEG_ENDING)
			override_bool(meeting, leg, LEG_PROFILE_RX_AUDIO_MUTE, muted);
	}
}
