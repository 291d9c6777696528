/* SPDX-License-Identifier: Apache-2.0 */
/* Codes typed on a telephone: dtmfProfile of the call's profile, code by code before the system's.
 *
 * A code acts as soon as its last digit is there, whatever was typed before; when a longer one
 * begins with it, after CODE_US, or when the next digit is not the longer one's. */
#include <stdio.h>

#include "meeting/meeting_internal.h"
#include "meeting/words.h"

static struct str
code_text(const struct meeting *meeting, const struct call *call, enum dtmf_profile_field field)
{
	const struct objects *objects = meeting->objects;
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const struct guid tenant = objects_space_tenant(objects, call->pub.space);
	const uint32_t profiles[] = {
		call_setting_ref(meeting, call->pub.space, CALL_PROFILE_DTMF_PROFILE),
		objects_ref(objects, OBJECT_TENANT, objects_find(objects, OBJECT_TENANT, &tenant),
	                    TENANT_DTMF_PROFILE),
		objects_ref(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_DTMF_PROFILE),
	};
	struct str text = STR("");
	for (unsigned level = 0; level < COUNT_OF(profiles) && text.len == 0; level++)
		text = objects_text(objects, OBJECT_DTMF_PROFILE, profiles[level], field);
	return text;
}

/* ------------------------------------------------------------------ what codes do */

static void
say_count(struct meeting *meeting, struct leg *leg, const struct call *call)
{
	char text[NOTICE_MAX];
	const struct leg_media *media = &leg->pub.media;
	/* There is no prompt for numbers, so it takes a screen. */
	if (!leg->pub.flows[LEG_TRACK_MAIN] && media->tx_video[LEG_TRACK_MAIN].codec[0] == '\0') {
		log_line(meeting, "call %u: the number of participants needs a screen",
		         leg->pub.number);
		return;
	}
	snprintf(text, sizeof text, "%s%u",
	         words_in(meeting->settings.language, WORDS_PARTICIPANTS), call->pub.connected);
	leg_notice(meeting, leg, text);
}

static void
mute_new(struct call *call, bool set, bool muted)
{
	call->pub.join_mute_set = set;
	call->pub.join_mute = muted;
}

static bool
step_layout(struct meeting *meeting, const struct leg *leg, unsigned step)
{
	const unsigned now = leg_layout_name(leg);
	return meeting_act_layout(meeting, leg->pub.handle, 0, (now + step) % LAYOUT_COUNT,
	                          meeting->now_us);
}

/* Whom a right of their profile lets do it; the others by meeting_act(), which looks itself. */
static bool
may(const struct leg *leg, enum dtmf_profile_field code)
{
	const bool join = code >= DTMF_MUTE_NEW && code <= DTMF_UNMUTE_NEW_AND_OTHERS;
	const bool others = code == DTMF_MUTE_OTHERS || code == DTMF_UNMUTE_OTHERS ||
	                    code == DTMF_MUTE_NEW_AND_OTHERS || code == DTMF_UNMUTE_NEW_AND_OTHERS;
	return (!join || leg->settings[LEG_PROFILE_CHANGE_JOIN_MUTE_ALLOWED] != 0) &&
	       (!others || leg->settings[LEG_PROFILE_MUTE_OTHERS_ALLOWED] != 0);
}

/* Nothing records or streams yet, so there is nothing to stop either. */
static bool
record(struct meeting *meeting, const struct leg *leg, const struct call *call,
       enum dtmf_profile_field code)
{
	const bool recording = code == DTMF_START_RECORDING || code == DTMF_STOP_RECORDING;
	const enum leg_profile_field right =
		recording ? LEG_PROFILE_RECORDING_ALLOWED : LEG_PROFILE_STREAMING_ALLOWED;
	const enum call_profile_field mode =
		recording ? CALL_PROFILE_RECORDING_MODE : CALL_PROFILE_STREAMING_MODE;
	if (leg->settings[right] == 0 ||
	    call_setting(meeting, call->pub.space, mode) == FEATURE_DISABLED)
		return false;
	if (code == DTMF_START_RECORDING || code == DTMF_START_STREAMING)
		log_line(meeting, "unable to start %s (space \"%s\") -- no %s",
		         recording ? "recording" : "streaming", call->pub.name,
		         recording ? "recorder" : "streamer");
	return false;
}

static bool
act_by_right(struct meeting *meeting, const struct leg *leg, enum dtmf_profile_field code)
{
	static const enum meeting_action actions[DTMF_PROFILE_FIELDS] = {
		[DTMF_LOCK] = ACTION_LOCK,
		[DTMF_UNLOCK] = ACTION_UNLOCK,
		[DTMF_MUTE_SELF] = ACTION_MUTE_SELF,
		[DTMF_UNMUTE_SELF] = ACTION_UNMUTE_SELF,
		[DTMF_ALLOW_ALL_MUTE_SELF] = ACTION_ALLOW_ALL_MUTE_SELF,
		[DTMF_CANCEL_ALLOW_ALL_MUTE_SELF] = ACTION_CANCEL_ALLOW_ALL_MUTE_SELF,
		[DTMF_ALLOW_ALL_PRESENTATION] = ACTION_ALLOW_ALL_PRESENTATION,
		[DTMF_CANCEL_ALLOW_ALL_PRESENTATION] = ACTION_CANCEL_ALLOW_ALL_PRESENTATION,
		[DTMF_END_CALL] = ACTION_END_CALL,
	};
	enum meeting_action action = actions[code];
	if (code == DTMF_TOGGLE_MUTE_SELF)
		action = leg->settings[LEG_PROFILE_RX_AUDIO_MUTE] != 0 ? ACTION_UNMUTE_SELF
		                                                       : ACTION_MUTE_SELF;
	return meeting_act(meeting, leg->pub.handle, action, 0, meeting->now_us);
}

static bool
do_code(struct meeting *meeting, struct leg *leg, enum dtmf_profile_field code)
{
	struct call *call = call_get(meeting, leg->pub.call);
	if (!may(leg, code))
		return false;
	switch (code) {
	case DTMF_NEXT_LAYOUT:
		return step_layout(meeting, leg, 1);
	case DTMF_PREVIOUS_LAYOUT:
		return step_layout(meeting, leg, LAYOUT_COUNT - 1);
	case DTMF_MUTE_OTHERS:
	case DTMF_UNMUTE_OTHERS:
		mute_others(meeting, call, leg, code == DTMF_MUTE_OTHERS);
		return true;
	case DTMF_MUTE_NEW:
	case DTMF_UNMUTE_NEW:
	case DTMF_DEFAULT_MUTE_NEW:
		mute_new(call, code != DTMF_DEFAULT_MUTE_NEW, code == DTMF_MUTE_NEW);
		return true;
	case DTMF_MUTE_NEW_AND_OTHERS:
	case DTMF_UNMUTE_NEW_AND_OTHERS:
		mute_new(call, true, code == DTMF_MUTE_NEW_AND_OTHERS);
		mute_others(meeting, call, leg, code == DTMF_MUTE_NEW_AND_OTHERS);
		return true;
	case DTMF_COUNT_PEOPLE:
		say_count(meeting, leg, call);
		return true;
	case DTMF_START_RECORDING:
	case DTMF_STOP_RECORDING:
	case DTMF_START_STREAMING:
	case DTMF_STOP_STREAMING:
		return record(meeting, leg, call, code);
	case DTMF_LOCK:
	case DTMF_UNLOCK:
	case DTMF_MUTE_SELF:
	case DTMF_UNMUTE_SELF:
	case DTMF_TOGGLE_MUTE_SELF:
	case DTMF_ALLOW_ALL_MUTE_SELF:
	case DTMF_CANCEL_ALLOW_ALL_MUTE_SELF:
	case DTMF_ALLOW_ALL_PRESENTATION:
	case DTMF_CANCEL_ALLOW_ALL_PRESENTATION:
	case DTMF_END_CALL:
		return act_by_right(meeting, leg, code);
	case DTMF_PROFILE_FIELDS:
		break;
	}
	return false;
}

/* ------------------------------------------------------------------ digits */

/* What waited acts. */
void
code_act(struct meeting *meeting, struct leg *leg)
{
	timer_stop(&meeting->timers, &leg->code.timer);
	leg->digit_count = 0;
	if (leg->code_waits == 0)
		return;
	const enum dtmf_profile_field code = (enum dtmf_profile_field)(leg->code_waits - 1);
	leg->code_waits = 0;
	const char *name = object_field(OBJECT_DTMF_PROFILE, code)->name;
	const uint32_t number = leg->pub.number;
	const bool done = leg->inside && do_code(meeting, leg, code);
	log_line(meeting, "call %u: DTMF %s%s", number, name, done ? "" : " is not allowed");
}

/* The longest code that the digits end with, DTMF_PROFILE_FIELDS when there is none; `*longer` when
 * what they end with begins another. */
static enum dtmf_profile_field
find_code(const struct meeting *meeting, const struct leg *leg, bool *longer)
{
	const struct call *call = call_get(meeting, leg->pub.call);
	const struct str typed = { leg->digits, leg->digit_count };
	enum dtmf_profile_field best = DTMF_PROFILE_FIELDS;
	size_t best_len = 0;
	*longer = false;
	for (unsigned i = 0; i < DTMF_PROFILE_FIELDS; i++) {
		const struct str code = code_text(meeting, call, (enum dtmf_profile_field)i);
		if (code.len > best_len && str_ends(typed, code)) {
			best = (enum dtmf_profile_field)i;
			best_len = code.len;
		}
	}
	const struct str begun = str_sub(typed, typed.len - best_len, best_len);
	for (unsigned i = 0; i < DTMF_PROFILE_FIELDS && best_len != 0; i++) {
		const struct str code = code_text(meeting, call, (enum dtmf_profile_field)i);
		*longer = *longer || (code.len > best_len && str_starts(code, begun));
	}
	return best;
}

/* Whether the digit goes on with a code longer than the one that waits. */
static bool
goes_on(const struct meeting *meeting, const struct leg *leg)
{
	const struct call *call = call_get(meeting, leg->pub.call);
	const struct str waits =
	        code_text(meeting, call, (enum dtmf_profile_field)(leg->code_waits - 1));
	const struct str typed = { leg->digits, leg->digit_count };
	for (unsigned i = 0; i < DTMF_PROFILE_FIELDS; i++) {
		const struct str code = code_text(meeting, call, (enum dtmf_profile_field)i);
		for (size_t len = waits.len + 1; len <= code.len && len <= typed.len; len++) {
			const struct str end = str_sub(typed, typed.len - len, len);
			if (str_starts(code, waits) && str_starts(code, end))
				return true;
		}
	}
	return false;
}

void
meeting_leg_digit(struct meeting *meeting, uint32_t handle, char digit, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || !leg->inside)
		return;
	if (leg->digit_count == DIGITS_MAX)
		memmove(leg->digits, leg->digits + 1, --leg->digit_count);
	leg->digits[leg->digit_count++] = digit;
	if (leg->code_waits != 0 && !goes_on(meeting, leg)) {
		code_act(meeting, leg);
		if (leg->pub.state == LEG_ENDING)
			return;
		leg->digits[leg->digit_count++] = digit;
	}
	bool longer = false;
	const enum dtmf_profile_field code = find_code(meeting, leg, &longer);
	if (code != DTMF_PROFILE_FIELDS) {
		leg->code_waits = (uint8_t)(code + 1);
		if (!longer)
			code_act(meeting, leg);
	}
	/* Half a code is forgotten, a whole one acts. */
	if (leg->digit_count != 0)
		timer_start(&meeting->timers, &leg->code.timer, now_us + CODE_US);
}
