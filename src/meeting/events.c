/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out: work is noted as bits on its leg or call, which stands in a queue once, so that
 * nothing here grows with how often something happens. */
#include <stdarg.h>
#include <stdio.h>

#include "meeting/meeting_internal.h"

static void
call_push(struct meeting *meeting, struct call *call)
{
	if (call->queued)
		return;
	call->queued = true;
	call->work_next = 0;
	if (meeting->call_queue.last != 0)
		call_get(meeting, meeting->call_queue.last)->work_next = call->pub.handle;
	else
		meeting->call_queue.first = call->pub.handle;
	meeting->call_queue.last = call->pub.handle;
}

/* ------------------------------------------------------------------ the watcher */

void
meeting_watch(struct meeting *meeting, meeting_watcher *watcher, void *context)
{
	meeting->watcher = watcher;
	meeting->watcher_context = context;
}

static void
tell_watcher(const struct meeting *meeting, const struct meeting_news *news)
{
	if (meeting->watcher != NULL)
		meeting->watcher(meeting->watcher_context, news);
}

void
call_news(struct meeting *meeting, const struct call *call, enum meeting_news_kind kind)
{
	tell_watcher(meeting, &(struct meeting_news){ .kind = kind, .call = call->pub.handle,
	                                              .now_us = meeting->now_us });
}

void
leg_news(struct meeting *meeting, const struct leg *leg, enum meeting_news_kind kind)
{
	tell_watcher(meeting, &(struct meeting_news){ .kind = kind, .call = leg->pub.call,
	                                              .leg = leg->pub.handle,
	                                              .now_us = meeting->now_us });
}

/* ------------------------------------------------------------------ noting what to tell */

void
call_work(struct meeting *meeting, struct call *call, uint32_t work)
{
	/* Nobody is told of what is no call. */
	if (call->pub.door)
		return;
	const bool news = (work & ~call->work & ~(uint32_t)(WORK_STARTED | WORK_ENDED)) != 0;
	call->work |= work;
	call_push(meeting, call);
	if (news)
		call_news(meeting, call, MEETING_NEWS_CALL_CHANGED);
}

void
leg_work(struct meeting *meeting, struct leg *leg, uint32_t work)
{
	leg->work |= work;
	if (leg->queued)
		return;
	leg->queued = true;
	leg->work_next = 0;
	if (meeting->leg_queue.last != 0)
		leg_get(meeting, meeting->leg_queue.last)->work_next = leg->pub.handle;
	else
		meeting->leg_queue.first = leg->pub.handle;
	meeting->leg_queue.last = leg->pub.handle;
}

/* The leg goes: take it out of the queue, wherever it stands. */
void
leg_work_forget(struct meeting *meeting, struct leg *leg)
{
	if (!leg->queued)
		return;
	uint32_t before = 0;
	uint32_t at = meeting->leg_queue.first;
	while (at != leg->pub.handle) {
		CHECK(at != 0);
		before = at;
		at = leg_get(meeting, at)->work_next;
	}
	if (before != 0)
		leg_get(meeting, before)->work_next = leg->work_next;
	else
		meeting->leg_queue.first = leg->work_next;
	if (meeting->leg_queue.last == at)
		meeting->leg_queue.last = before;
	leg->queued = false;
}

struct guid_text
guid_text(const struct guid *guid)
{
	struct guid_text out;
	guid_write(out.text, guid);
	return out;
}

void
log_line(struct meeting *meeting, const char *format, ...)
{
	if (meeting->line_count == LINES_MAX) {
		meeting->lines_lost++;
		return;
	}
	char *line = meeting->lines[(meeting->line_first + meeting->line_count) % LINES_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, MEETING_LINE_MAX, format, arguments);
	va_end(arguments);
	meeting->line_count++;
}

/* ------------------------------------------------------------------ taking it out */

static struct meeting_event
take_line(struct meeting *meeting)
{
	/* Copied out: the shell may feed the model while it holds the line. */
	memcpy(meeting->line_out, meeting->lines[meeting->line_first],
	       sizeof meeting->line_out);
	meeting->line_first = (meeting->line_first + 1) % LINES_MAX;
	meeting->line_count--;
	return (struct meeting_event){ .kind = MEETING_LOG,
		                       .text = str_of(meeting->line_out) };
}

static struct meeting_event
take_chat(struct meeting *meeting)
{
	meeting->chat_out = meeting->chats[meeting->chat_first];
	meeting->chat_first = (meeting->chat_first + 1) % CHATS_MAX;
	meeting->chat_count--;
	return (struct meeting_event){ .kind = MEETING_CHAT, .call = meeting->chat_out.call,
		                       .leg = meeting->chat_out.leg,
		                       .text = str_of(meeting->chat_out.text) };
}

static struct meeting_event
leg_event(const struct leg *leg, uint32_t work)
{
	struct meeting_event event = { .call = leg->pub.call, .leg = leg->pub.handle,
		                       .id = leg->pub.id };
	switch ((enum leg_work)work) {
	case WORK_DIAL:
		event.kind = MEETING_DIAL;
		break;
	case WORK_DROP:
		event.kind = MEETING_DROP;
		event.reason = leg->reason;
		break;
	case WORK_SETTINGS:
		event.kind = MEETING_LEG_SETTINGS;
		break;
	case WORK_DTMF:
		event.kind = MEETING_SEND_DTMF;
		break;
	case WORK_ONLY:
		event.kind = MEETING_PROMPT;
		event.prompt = MEETING_PROMPT_ONLY_PARTICIPANT;
		break;
	case WORK_WAITING:
		event.kind = MEETING_PROMPT;
		event.prompt = MEETING_PROMPT_WAITING_FOR_HOST;
		break;
	case WORK_LOCKED:
		event.kind = MEETING_PROMPT;
		event.prompt = MEETING_PROMPT_CALL_LOCKED;
		break;
	case WORK_JOIN_TONE:
		event.kind = MEETING_TONE;
		event.prompt = MEETING_PROMPT_JOIN_TONE;
		break;
	case WORK_LEAVE_TONE:
		event.kind = MEETING_TONE;
		event.prompt = MEETING_PROMPT_LEAVE_TONE;
		break;
	case WORK_CAMERA:
		event.kind = MEETING_CAMERA;
		event.camera = leg->camera;
		break;
	case WORK_KEYFRAME:
		event.kind = MEETING_KEYFRAME;
		break;
	}
	return event;
}

/* The lowest bit of the first leg. */
static struct meeting_event
take_leg(struct meeting *meeting)
{
	struct leg *leg = leg_get(meeting, meeting->leg_queue.first);
	/* Nothing but the drop is of interest to a leg that ends. */
	if (leg->pub.state == LEG_ENDING)
		leg->work &= WORK_DROP;
	const uint32_t bit = leg->work & (~leg->work + 1);
	leg->work &= ~bit;
	if (leg->work == 0)
		leg_work_forget(meeting, leg);
	return bit != 0 ? leg_event(leg, bit) : (struct meeting_event){ 0 };
}

static struct meeting_event
take_call(struct meeting *meeting)
{
	struct call *call = call_get(meeting, meeting->call_queue.first);
	struct meeting_event event = { .call = call->pub.handle, .id = call->pub.id };
	const uint32_t bit = call->work & (~call->work + 1);
	CHECK(bit != 0);
	call->work &= ~bit;
	if (call->work == 0) {
		meeting->call_queue.first = call->work_next;
		if (call->work_next == 0)
			meeting->call_queue.last = 0;
		call->queued = false;
	}
	switch ((enum call_work)bit) {
	case WORK_STARTED:
		event.kind = MEETING_CALL_STARTED;
		break;
	case WORK_ROSTER:
		event.kind = MEETING_ROSTER;
		break;
	case WORK_PRESENTER:
		event.kind = MEETING_PRESENTER;
		event.leg = call->pub.presenter;
		event.other = call->presenter_before;
		call->presenter_before = call->pub.presenter;
		break;
	case WORK_MESSAGE:
		event.kind = MEETING_MESSAGE;
		break;
	case WORK_VIDEO:
		event.kind = MEETING_VIDEO;
		break;
	case WORK_ENDED:
		event.kind = MEETING_CALL_ENDED;
		meeting->call_gone = call->pub.handle;
		break;
	}
	return event;
}

static void
free_call(struct meeting *meeting)
{
	if (meeting->call_gone == 0)
		return;
	struct call *call = call_get(meeting, meeting->call_gone);
	CHECK(call->first == 0 && !call->queued && !timer_running(&call->empty.timer));
	CHECK(!timer_running(&call->stage_timer.timer) &&
	      !timer_running(&call->message_over.timer));
	slab_free(&meeting->calls, meeting->call_gone);
	meeting->call_gone = 0;
}

/* Lines first, for they tell what led to the rest; then calls, so that a leg's call is known before
 * the leg; rosters and ends come with them. */
struct meeting_event
meeting_poll(struct meeting *meeting)
{
	free_call(meeting);
	if (meeting->line_count != 0)
		return take_line(meeting);
	if (meeting->chat_count != 0)
		return take_chat(meeting);
	while (meeting->leg_queue.first != 0 || meeting->call_queue.first != 0) {
		struct call *call = call_get(meeting, meeting->call_queue.first);
		const bool call_first = call != NULL && (call->work & WORK_STARTED) != 0;
		if (call_first || meeting->leg_queue.first == 0)
			return take_call(meeting);
		const struct meeting_event event = take_leg(meeting);
		if (event.kind != MEETING_NONE)
			return event;
	}
	return (struct meeting_event){ 0 };
}
