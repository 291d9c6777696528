/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a caller for the passcode: a prompt, keys up to "#", three tries, a minute each. */
#include "callbridge/bridge_internal.h"

static void
ask(struct bridge *bridge, struct bridge_leg *leg, enum media_sound prompt, int64_t now_us)
{
	const uint32_t timeout_s =
		meeting_passcode_timeout_s(bridge->settings.meeting, &leg->entry);
	leg->digit_count = 0;
	bridge_play(bridge, leg, prompt);
	timer_start(&bridge->timers, &leg->timer,
	            now_us + (timeout_s != 0 ? (int64_t)timeout_s * 1000000 : BRIDGE_PASSCODE_US));
}

void
ivr_begin(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	leg->stage = STAGE_ASKING;
	ask(bridge, leg, MEDIA_SOUND_PASSCODE_ENTRY, now_us);
}

static enum leg_end
end_of_refusal(uint16_t status)
{
	switch (status) {
	case 486:
		return LEG_END_PARTICIPANT_LIMIT_REACHED;
	case 503:
		return LEG_END_TOO_MANY_CALLS;
	default:
		return LEG_END_IVR_UNKNOWN_CALL;
	}
}

static void
let_in(struct bridge *bridge, struct bridge_leg *leg, const struct meeting_entry *entry,
       int64_t now_us)
{
	timer_stop(&bridge->timers, &leg->timer);
	bridge_play(bridge, leg, MEDIA_SOUND_NONE);
	leg->entry = *entry;
	const uint16_t refused = sip_join(bridge, leg, leg->caller, 0, now_us);
	if (refused != 0) {
		sip_drop(bridge, leg, end_of_refusal(refused), now_us);
		return;
	}
	const uint32_t call = meeting_leg_of(bridge, leg->meeting_leg)->call;
	if (!bridge_room_settle(bridge, call, leg->worker)) {
		sip_drop(bridge, leg, LEG_END_TOO_MANY_CALLS, now_us);
		return;
	}
	bridge_caller_free(bridge, leg);
	bridge_leg_settings(bridge, leg);
	bridge_connected(bridge, leg, now_us);
	video_lines_apply(bridge, leg, now_us);
}

static void
knock_with(struct bridge *bridge, struct bridge_leg *leg, struct str passcode, int64_t now_us)
{
	struct meeting_entry entry = leg->entry;
	struct str dialled = str_of(leg->caller->dialled);
	const struct str address = str_cut(&dialled, '@');
	const struct meeting_knock knock = { .address = address, .domain = dialled,
		                             .passcode = passcode };
	if (meeting_route(bridge->settings.meeting, &knock, &entry) == ROUTE_OPEN) {
		let_in(bridge, leg, &entry, now_us);
		return;
	}
	bridge_log(bridge, "incorrect passcode from \"%s\" (%s) for \"%s\"", leg->caller->party,
	           leg->caller->source, leg->caller->dialled);
	if (++leg->tries == BRIDGE_PASSCODE_TRIES) {
		sip_drop(bridge, leg, LEG_END_INCORRECT_PASSCODE, now_us);
		return;
	}
	ask(bridge, leg, MEDIA_SOUND_PASSCODE_INCORRECT, now_us);
}

void
ivr_digit(struct bridge *bridge, struct bridge_leg *leg, char digit, int64_t now_us)
{
	CHECK(leg->stage == STAGE_ASKING);
	if (digit == '#') {
		knock_with(bridge, leg, str_sub(str_of(leg->digits), 0, leg->digit_count), now_us);
		return;
	}
	if (digit == '*') {
		leg->digit_count = 0;
		return;
	}
	if (leg->digit_count == 0)
		bridge_play(bridge, leg, MEDIA_SOUND_NONE);
	if (leg->digit_count < DIGITS_MAX)
		leg->digits[leg->digit_count++] = digit;
	timer_start(&bridge->timers, &leg->timer, now_us + BRIDGE_PASSCODE_US);
}

void
ivr_timer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->stage != STAGE_ASKING)
		return;
	/* passcodeMode "timeout": who types nothing goes in without passcode, if that is a way in. */
	if (leg->digit_count == 0 &&
	    meeting_passcode_timeout_s(bridge->settings.meeting, &leg->entry) != 0) {
		knock_with(bridge, leg, STR(""), now_us);
		return;
	}
	sip_drop(bridge, leg, LEG_END_IVR_TIMEOUT, now_us);
}
