/* SPDX-License-Identifier: Apache-2.0 */
/* What people show and say to each other beside their cameras: content, messages, hands, and the
 * steering of cameras. */
#include "meeting/meeting_internal.h"

/* What the API said about this call, else its profile. */
bool
call_allows(const struct meeting *meeting, const struct call *call, enum call_profile_field field)
{
	const struct value *own =
	        field == CALL_PROFILE_CHAT_ALLOWED ? &call->chat_allowed : &call->raise_hand;
	CHECK(field == CALL_PROFILE_CHAT_ALLOWED || field == CALL_PROFILE_RAISE_HAND);
	return own->set ? own->number != 0 : call_setting(meeting, call->pub.space, field) != 0;
}

/* ------------------------------------------------------------------ presenting */

void
presenter_set(struct meeting *meeting, struct call *call, uint32_t leg)
{
	if (call->pub.presenter == leg)
		return;
	call->pub.presenter = leg;
	stage_presenter(&call->stage, leg);
	call_pictures_changed(meeting, call);
	call_work(meeting, call, WORK_PRESENTER | WORK_ROSTER | WORK_VIDEO);
}

static bool
has_right(const struct leg *leg)
{
	return leg->settings[LEG_PROFILE_PRESENTATION_CONTRIBUTION_ALLOWED] != 0;
}

void
presenter_review(struct meeting *meeting, struct call *call)
{
	const struct leg *presenter = leg_get(meeting, call->pub.presenter);
	if (presenter != NULL && !has_right(presenter) && !call->pub.allow_all_presentation)
		presenter_set(meeting, call, 0);
}

enum meeting_presenting
meeting_present(struct meeting *meeting, uint32_t handle, bool on, int64_t now_us)
{
	const struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || !leg->inside)
		return PRESENTING_NOT_INSIDE;
	struct call *call = call_get(meeting, leg->pub.call);
	const uint32_t presenter = call->pub.presenter;
	if (!on) {
		if (presenter == handle)
			presenter_set(meeting, call, 0);
		return PRESENTING;
	}
	if (!has_right(leg) && !call->pub.allow_all_presentation)
		return PRESENTING_NOT_ALLOWED;
	if (!has_right(leg) && presenter != 0 && presenter != handle)
		return PRESENTING_BUSY;
	presenter_set(meeting, call, handle);
	return PRESENTING;
}

/* ------------------------------------------------------------------ chat */

/* Lines of a message become one: what is written stands in logs and labels too. */
static void
copy_chat(char out[MEETING_CHAT_MAX + 1], struct str text)
{
	char joined[MEETING_CHAT_MAX];
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.at[i];
		joined[i] = c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
	}
	text_copy_clean(out, MEETING_CHAT_MAX + 1, (struct str){ joined, text.len });
}

static bool
writes_too_fast(struct leg *leg, int64_t now_us)
{
	const int64_t forgiven = (now_us - leg->chat_us) / 1000000;
	leg->chats = forgiven < leg->chats ? (uint8_t)(leg->chats - forgiven) : 0;
	leg->chat_us = leg->chats != 0 ? leg->chat_us + forgiven * 1000000 : now_us;
	if (leg->chats == MEETING_CHAT_BURST)
		return true;
	leg->chats++;
	return false;
}

enum meeting_chatting
meeting_chat(struct meeting *meeting, uint32_t handle, struct str text, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || !leg->inside)
		return CHATTING_NOT_INSIDE;
	const struct call *call = call_get(meeting, leg->pub.call);
	if (leg->settings[LEG_PROFILE_CHAT_ALLOWED] == 0 ||
	    !call_allows(meeting, call, CALL_PROFILE_CHAT_ALLOWED))
		return CHATTING_NOT_ALLOWED;
	if (str_trim(text).len == 0 || text.len > MEETING_CHAT_MAX)
		return CHATTING_TOO_LONG;
	if (meeting->chat_count == CHATS_MAX || writes_too_fast(leg, now_us))
		return CHATTING_TOO_FAST;
	struct chat *chat =
	        &meeting->chats[(meeting->chat_first + meeting->chat_count++) % CHATS_MAX];
	chat->call = leg->pub.call;
	chat->leg = handle;
	copy_chat(chat->text, text);
	return CHATTING;
}

/* ------------------------------------------------------------------ hands */

void
hand_set(struct meeting *meeting, struct leg *leg, bool raised)
{
	const struct call *call = call_get(meeting, leg->pub.call);
	if (raised && (!leg->inside || !call_allows(meeting, call, CALL_PROFILE_RAISE_HAND)))
		return;
	if (leg->pub.hand == raised)
		return;
	leg->pub.hand = raised;
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_ROSTER);
}

void
hands_lower(struct meeting *meeting, struct call *call)
{
	if (call_allows(meeting, call, CALL_PROFILE_RAISE_HAND))
		return;
	for (uint32_t at = call->first; at != 0; at = leg_get(meeting, at)->next)
		hand_set(meeting, leg_get(meeting, at), false);
}

/* ------------------------------------------------------------------ on-screen texts */

void
call_message_over(struct meeting *meeting, struct call *call)
{
	timer_stop(&meeting->timers, &call->message_over.timer);
	call->pub.message[0] = '\0';
	call_work(meeting, call, WORK_MESSAGE | WORK_VIDEO);
}

/* A new text, or a new duration, begins anew. */
void
call_message_edit(struct meeting *meeting, struct call *call, const struct object_edit *edit)
{
	struct meeting_call *pub = &call->pub;
	const bool text = edit_has(edit, CALL_MESSAGE_TEXT);
	const bool position = edit_has(edit, CALL_MESSAGE_POSITION);
	const bool duration = edit_has(edit, CALL_MESSAGE_DURATION);
	if (text)
		text_copy_clean(pub->message, sizeof pub->message,
		                edit->values[CALL_MESSAGE_TEXT].text);
	if (text || position)
		pub->message_position =
		        edit->values[CALL_MESSAGE_POSITION].set
		                ? edit->values[CALL_MESSAGE_POSITION].number
		                : object_field(OBJECT_CALL, CALL_MESSAGE_POSITION)->fallback;
	if (text || duration) {
		pub->message_seconds =
		        edit->values[CALL_MESSAGE_DURATION].set
		                ? edit->values[CALL_MESSAGE_DURATION].number
		                : object_field(OBJECT_CALL, CALL_MESSAGE_DURATION)->fallback;
		pub->message_until_us = meeting->now_us + (int64_t)pub->message_seconds * 1000000;
	}
	if (!text && !position && !duration)
		return;
	if (pub->message[0] != '\0' && pub->message_seconds != DURATION_PERMANENT)
		timer_start(&meeting->timers, &call->message_over.timer, pub->message_until_us);
	else
		timer_stop(&meeting->timers, &call->message_over.timer);
	call_work(meeting, call, WORK_MESSAGE | WORK_VIDEO);
}

void
leg_notice(struct meeting *meeting, struct leg *leg, const char *text)
{
	text_copy_clean(leg->notice, sizeof leg->notice, str_of(text));
	if (text[0] != '\0')
		timer_start(&meeting->timers, &leg->notice_over.timer, meeting->now_us + NOTICE_US);
	else
		timer_stop(&meeting->timers, &leg->notice_over.timer);
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_VIDEO);
}

/* ------------------------------------------------------------------ cameras and key frames */

bool
meeting_steer(struct meeting *meeting, uint32_t handle, uint32_t other,
              const struct meeting_camera *camera, int64_t now_us)
{
	const struct leg *leg = leg_get(meeting, handle);
	struct leg *target = leg_get(meeting, other);
	meeting_now(meeting, now_us);
	if (target == NULL || !target->inside || !target->pub.camera)
		return false;
	if (handle != 0 && (leg == NULL || !leg->inside || leg->pub.call != target->pub.call ||
	                    leg->settings[LEG_PROFILE_CAMERA] == 0))
		return false;
	target->camera = *camera;
	leg_work(meeting, target, WORK_CAMERA);
	return true;
}

void
meeting_leg_keyframe(struct meeting *meeting, uint32_t handle, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg != NULL && leg->pub.state != LEG_ENDING)
		leg_work(meeting, leg, WORK_KEYFRAME);
}
