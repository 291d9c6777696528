/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting/ivr.h"

#include <string.h>

#include "base/check.h"

/* ------------------------------------------------------------------ what comes out */

static void
put(struct ivr *ivr, struct ivr_out out)
{
	CHECK(ivr->out_count < IVR_OUTS_MAX);
	ivr->outs[(ivr->out_first + ivr->out_count) % IVR_OUTS_MAX] = out;
	ivr->out_count++;
}

static void
say(struct ivr *ivr, enum ivr_prompt prompt, enum ivr_prompt next)
{
	ivr->playing = prompt;
	ivr->next = next;
	ivr->deadline_us = ivr->now_us + IVR_PROMPT_US;
	put(ivr, (struct ivr_out){ .kind = IVR_SAY, .prompt = prompt });
}

static void
show(struct ivr *ivr, enum ivr_screen screen)
{
	put(ivr, (struct ivr_out){ .kind = IVR_SHOW, .screen = screen });
}

/* ------------------------------------------------------------------ asking */

/* One input, then everything is taken out. */
static void
begin(struct ivr *ivr, int64_t now_us)
{
	CHECK(now_us >= ivr->now_us && ivr->out_count == 0);
	ivr->now_us = now_us;
}

static bool
asks(const struct ivr *ivr)
{
	return ivr->stage == IVR_AT_ID || ivr->stage == IVR_AT_PASSCODE;
}

static enum ivr_prompt
question(const struct ivr *ivr)
{
	if (ivr->stage == IVR_AT_ID)
		return IVR_SAY_ID_ENTRY;
	return ivr->optional_us != 0 ? IVR_SAY_PASSCODE_OPTIONAL : IVR_SAY_PASSCODE_ENTRY;
}

static void
forget_typed(struct ivr *ivr)
{
	explicit_bzero(ivr->digits, sizeof ivr->digits);
	ivr->count = 0;
}

static void
ask(struct ivr *ivr, enum ivr_stage stage, enum ivr_prompt prompt, enum ivr_prompt next)
{
	ivr->stage = stage;
	forget_typed(ivr);
	say(ivr, prompt, next);
}

static void
farewell(struct ivr *ivr, enum ivr_end end, enum ivr_prompt prompt)
{
	ivr->stage = IVR_FAREWELL;
	ivr->end = end;
	forget_typed(ivr);
	show(ivr, end == IVR_END_FULL ? IVR_SHOW_FULL : IVR_SHOW_GOODBYE);
	say(ivr, prompt, IVR_SAY_NOTHING);
	ivr->deadline_us = ivr->now_us + IVR_FAREWELL_US;
}

static void
time_out(struct ivr *ivr)
{
	farewell(ivr, IVR_END_TIMEOUT,
	         ivr->stage == IVR_AT_ID ? IVR_SAY_ID_TIMEOUT : IVR_SAY_PASSCODE_TIMEOUT);
}

static void
end(struct ivr *ivr)
{
	ivr->stage = IVR_OVER;
	put(ivr, (struct ivr_out){ .kind = IVR_END, .end = ivr->end });
}

/* Nothing was typed: the question again, so often. */
static void
ask_again(struct ivr *ivr)
{
	if (++ivr->asks >= IVR_ASKS_MAX)
		time_out(ivr);
	else
		ask(ivr, ivr->stage, question(ivr), IVR_SAY_NOTHING);
}

static void
knock(struct ivr *ivr)
{
	ivr->knocks_with_passcode = ivr->stage == IVR_AT_PASSCODE;
	ivr->asks = 0;
	if (!ivr->knocks_with_passcode) {
		memcpy(ivr->id, ivr->digits, ivr->count);
		ivr->id_count = ivr->count;
	}
	ivr->stage = IVR_KNOCKING;
	put(ivr, (struct ivr_out){ .kind = IVR_KNOCK });
}

static void
hush(struct ivr *ivr)
{
	if (ivr->playing == IVR_SAY_NOTHING)
		return;
	ivr->playing = IVR_SAY_NOTHING;
	ivr->next = IVR_SAY_NOTHING;
	put(ivr, (struct ivr_out){ .kind = IVR_HUSH });
}

/* ------------------------------------------------------------------ what goes in */

void
ivr_init(struct ivr *ivr, const struct ivr_settings *settings, int64_t now_us)
{
	CHECK(settings->optional_us >= 0);
	*ivr = (struct ivr){ .now_us = now_us, .optional_us = settings->optional_us };
	ivr->whole_us = now_us + IVR_WHOLE_US;
	ivr->stage = settings->ask_id ? IVR_AT_ID : IVR_AT_PASSCODE;
	show(ivr, settings->ask_id ? IVR_SHOW_ID : IVR_SHOW_PASSCODE);
	if (settings->ask_id)
		ask(ivr, IVR_AT_ID, IVR_SAY_WELCOME, IVR_SAY_ID_ENTRY);
	else
		ask(ivr, IVR_AT_PASSCODE, question(ivr), IVR_SAY_NOTHING);
}

void
ivr_fini(struct ivr *ivr)
{
	explicit_bzero(ivr, sizeof *ivr);
}

void
ivr_key(struct ivr *ivr, char key, int64_t now_us)
{
	begin(ivr, now_us);
	if (!asks(ivr))
		return;
	if (key == '#') {
		hush(ivr);
		/* No meeting has an empty ID; an empty passcode can be a guest's. */
		if (ivr->stage == IVR_AT_ID && ivr->count == 0)
			ask_again(ivr);
		else
			knock(ivr);
		return;
	}
	if (key == '*') {
		forget_typed(ivr);
	} else if (key >= '0' && key <= '9') {
		/* One more than there can be is kept: too much is wrong, and not its beginning. */
		if (ivr->count < sizeof ivr->digits)
			ivr->digits[ivr->count++] = key;
	} else {
		return;
	}
	hush(ivr);
	ivr->asks = 0;
	ivr->deadline_us = now_us + (ivr->count != 0 ? IVR_PAUSE_US : IVR_SILENCE_US);
}

static void
over(struct ivr *ivr)
{
	const enum ivr_prompt next = ivr->next;
	ivr->playing = IVR_SAY_NOTHING;
	if (next != IVR_SAY_NOTHING)
		say(ivr, next, IVR_SAY_NOTHING);
	else if (ivr->stage == IVR_FAREWELL)
		end(ivr);
	else
		ivr->deadline_us = ivr->now_us + (ivr->stage == IVR_AT_PASSCODE &&
		                                  ivr->optional_us != 0
		                                          ? ivr->optional_us
		                                          : IVR_SILENCE_US);
}

void
ivr_played(struct ivr *ivr, enum ivr_prompt prompt, int64_t now_us)
{
	begin(ivr, now_us);
	if (prompt != IVR_SAY_NOTHING && prompt == ivr->playing && ivr->stage != IVR_OVER)
		over(ivr);
}

static void
waited(struct ivr *ivr)
{
	if (ivr->stage == IVR_FAREWELL)
		end(ivr);
	else if (ivr->playing != IVR_SAY_NOTHING)
		over(ivr);
	else if (ivr->count != 0)
		knock(ivr);
	else if (ivr->stage == IVR_AT_PASSCODE && ivr->optional_us != 0)
		knock(ivr); /* without one */
	else
		ask_again(ivr);
}

void
ivr_tick(struct ivr *ivr, int64_t now_us)
{
	begin(ivr, now_us);
	if (ivr->stage == IVR_OVER)
		return;
	if (asks(ivr) && now_us >= ivr->whole_us)
		time_out(ivr);
	else if (now_us >= ivr->deadline_us)
		waited(ivr);
}

/* The three prompts that a wrong answer leads to, one after the other. */
static void
wrong(struct ivr *ivr, enum ivr_stage stage, uint8_t tries)
{
	static const struct {
		enum ivr_screen screen;
		enum ivr_prompt again, final, goodbye;
		enum ivr_end end;
	} of[] = {
		[IVR_AT_ID] = { IVR_SHOW_ID_AGAIN, IVR_SAY_ID_TRY_AGAIN, IVR_SAY_ID_FINAL_ATTEMPT,
		                IVR_SAY_ID_GOODBYE, IVR_END_UNKNOWN_CALL },
		[IVR_AT_PASSCODE] = { IVR_SHOW_PASSCODE_AGAIN, IVR_SAY_PASSCODE_TRY_AGAIN,
		                      IVR_SAY_PASSCODE_FINAL_ATTEMPT, IVR_SAY_PASSCODE_GOODBYE,
		                      IVR_END_INCORRECT_PASSCODE },
	};
	if (tries >= IVR_TRIES_MAX) {
		farewell(ivr, of[stage].end, of[stage].goodbye);
		return;
	}
	show(ivr, of[stage].screen);
	ask(ivr, stage, tries + 1 == IVR_TRIES_MAX ? of[stage].final : of[stage].again,
	    IVR_SAY_NOTHING);
}

void
ivr_answer(struct ivr *ivr, enum ivr_answer answer, int64_t optional_us, int64_t now_us)
{
	CHECK(ivr->stage == IVR_KNOCKING);
	begin(ivr, now_us);
	switch (answer) {
	case IVR_ENTERED:
		ivr->stage = IVR_OVER;
		forget_typed(ivr);
		return;
	case IVR_WRONG:
		if (ivr->knocks_with_passcode)
			wrong(ivr, IVR_AT_PASSCODE, ++ivr->wrong_passcodes);
		else
			wrong(ivr, IVR_AT_ID, ++ivr->wrong_ids);
		return;
	case IVR_ASK_PASSCODE:
		CHECK(!ivr->knocks_with_passcode && optional_us >= 0);
		ivr->optional_us = optional_us;
		ivr->stage = IVR_AT_PASSCODE;
		show(ivr, IVR_SHOW_PASSCODE);
		ask(ivr, IVR_AT_PASSCODE, question(ivr), IVR_SAY_NOTHING);
		return;
	case IVR_IS_FULL:
		farewell(ivr, IVR_END_FULL, IVR_SAY_FULL);
		return;
	case IVR_IS_UNAVAILABLE:
		farewell(ivr, IVR_END_UNAVAILABLE, IVR_SAY_UNAVAILABLE);
		return;
	case IVR_ANSWERS:
		break;
	}
	CHECK(false);
}

struct ivr_out
ivr_poll(struct ivr *ivr)
{
	if (ivr->out_count == 0)
		return (struct ivr_out){ .kind = IVR_NONE };
	struct ivr_out out = ivr->outs[ivr->out_first];
	if (out.kind == IVR_KNOCK)
		out.id = (struct str){ ivr->id, ivr->id_count };
	if (out.kind == IVR_KNOCK && ivr->knocks_with_passcode)
		out.passcode = (struct str){ ivr->digits, ivr->count };
	ivr->out_first = (uint8_t)((ivr->out_first + 1) % IVR_OUTS_MAX);
	ivr->out_count--;
	return out;
}

int64_t
ivr_deadline(const struct ivr *ivr)
{
	if (ivr->stage == IVR_OVER || ivr->stage == IVR_KNOCKING)
		return INT64_MAX;
	return asks(ivr) && ivr->whole_us < ivr->deadline_us ? ivr->whole_us : ivr->deadline_us;
}
