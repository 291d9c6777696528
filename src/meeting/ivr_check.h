/* SPDX-License-Identifier: Apache-2.0 */
/* A caller and a bridge for an IVR, played from a script: shared by its tests and its fuzz target.
 *
 * Script: 0-9 * # A-D are keys, 'p' the end of the prompt that plays, 'o' the end of another one, 't'
 * the next deadline, '.' a second.  Answers to knocks, one after another: 'e' entered, 'w' wrong, 'a'
 * wants a passcode, 'l' wants one but not for long, 'f' full, 'u' unavailable; then 'w' for ever. */
#ifndef MEETING_IVR_CHECK_H
#define MEETING_IVR_CHECK_H

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "meeting/ivr.h"

enum { IVR_CHECK_OPTIONAL_US = 4 * 1000 * 1000 };

struct ivr_check {
	struct ivr ivr;
	int64_t now_us;
	struct str answers;
	struct writer *log; /* what came out, in words; or NULL */
	enum ivr_prompt playing;
	bool entered;
	bool ended;
	enum ivr_end end;
	unsigned knocks;
};

static inline const char *
ivr_check_prompt(enum ivr_prompt prompt)
{
	static const char *const names[IVR_PROMPTS] = {
		[IVR_SAY_NOTHING] = "nothing",
		[IVR_SAY_WELCOME] = "welcome",
		[IVR_SAY_ID_ENTRY] = "id",
		[IVR_SAY_ID_TRY_AGAIN] = "id-again",
		[IVR_SAY_ID_FINAL_ATTEMPT] = "id-final",
		[IVR_SAY_ID_GOODBYE] = "id-goodbye",
		[IVR_SAY_ID_TIMEOUT] = "id-timeout",
		[IVR_SAY_PASSCODE_ENTRY] = "passcode",
		[IVR_SAY_PASSCODE_OPTIONAL] = "optional",
		[IVR_SAY_PASSCODE_TRY_AGAIN] = "passcode-again",
		[IVR_SAY_PASSCODE_FINAL_ATTEMPT] = "passcode-final",
		[IVR_SAY_PASSCODE_GOODBYE] = "passcode-goodbye",
		[IVR_SAY_PASSCODE_TIMEOUT] = "passcode-timeout",
		[IVR_SAY_FULL] = "full",
		[IVR_SAY_UNAVAILABLE] = "unavailable",
	};
	return names[prompt];
}

static inline void
ivr_check_answer(struct ivr_check *check, bool with_passcode)
{
	static const char words[IVR_ANSWERS + 1] = "ewafu";
	const bool none = check->answers.len == 0;
	char word = none ? 'w' : check->answers.at[0];
	if (!none)
		check->answers = str_sub(check->answers, 1, check->answers.len - 1);
	const int64_t optional_us = word == 'l' ? IVR_CHECK_OPTIONAL_US : 0;
	if (word == 'l')
		word = 'a';
	/* Who has given a passcode is not asked whether he has one. */
	const char *at = word == 'a' && with_passcode ? NULL : strchr(words, word);
	const enum ivr_answer answer =
		word != '\0' && at != NULL ? (enum ivr_answer)(at - words) : IVR_WRONG;
	check->entered = answer == IVR_ENTERED;
	ivr_answer(&check->ivr, answer, optional_us, check->now_us);
}

static inline void
ivr_check_drain(struct ivr_check *check)
{
	static const char *const ends[] = { "timeout", "unknown", "incorrect", "full",
		                            "unavailable" };
	char unread[128];
	struct writer none = writer_of(unread, sizeof unread);
	struct writer *w = check->log != NULL ? check->log : &none;
	for (struct ivr_out out; (out = ivr_poll(&check->ivr)).kind != IVR_NONE;) {
		CHECK(!check->entered && !check->ended);
		switch (out.kind) {
		case IVR_SAY:
			CHECK(out.prompt != IVR_SAY_NOTHING && out.prompt < IVR_PROMPTS);
			check->playing = out.prompt;
			writer_format(w, "%s ", ivr_check_prompt(out.prompt));
			break;
		case IVR_HUSH:
			CHECK(check->playing != IVR_SAY_NOTHING);
			check->playing = IVR_SAY_NOTHING;
			writer_format(w, "hush ");
			break;
		case IVR_SHOW:
			CHECK(out.screen != IVR_SHOW_NOTHING && out.screen < IVR_SCREENS);
			break;
		case IVR_KNOCK:
			CHECK(++check->knocks <= IVR_TRIES_MAX * 2);
			CHECK(out.id.len <= IVR_DIGITS_MAX + 1);
			CHECK(out.passcode.len <= IVR_DIGITS_MAX + 1);
			if (out.passcode.at != NULL)
				writer_format(w, "<%.*s/%.*s> ", STR_ARGS(out.id),
				              STR_ARGS(out.passcode));
			else
				writer_format(w, "<%.*s> ", STR_ARGS(out.id));
			ivr_check_answer(check, out.passcode.at != NULL);
			break;
		case IVR_END:
			check->ended = true;
			check->end = out.end;
			writer_format(w, "END:%s ", ends[out.end]);
			break;
		case IVR_NONE:
			break;
		}
	}
	CHECK(ivr_deadline(&check->ivr) == INT64_MAX || !(check->entered || check->ended));
}

static inline void
ivr_check_step(struct ivr_check *check, char step)
{
	const enum ivr_prompt playing = check->playing;
	if (step == 'p' || step == 'o') {
		check->playing = step == 'p' ? IVR_SAY_NOTHING : playing;
		ivr_played(&check->ivr,
		           step == 'p' ? playing
		                       : (enum ivr_prompt)((playing + 1) % IVR_PROMPTS),
		           check->now_us);
	} else if (step == 't') {
		const int64_t deadline_us = ivr_deadline(&check->ivr);
		if (deadline_us != INT64_MAX && deadline_us > check->now_us)
			check->now_us = deadline_us;
		ivr_tick(&check->ivr, check->now_us);
	} else if (step == '.') {
		check->now_us += 1000 * 1000;
		ivr_tick(&check->ivr, check->now_us);
	} else {
		ivr_key(&check->ivr, step, check->now_us);
	}
	ivr_check_drain(check);
}

/* Property: whatever is typed and answered, it ends: nobody stays longer than IVR_WHOLE_US and a
 * farewell, or knocks more often than he may. */
static inline void
ivr_check_play(struct ivr_check *check, const struct ivr_settings *settings, struct str answers,
               struct str script, struct writer *log)
{
	*check = (struct ivr_check){ .answers = answers, .log = log };
	ivr_init(&check->ivr, settings, 0);
	ivr_check_drain(check);
	for (size_t i = 0; i < script.len; i++)
		ivr_check_step(check, script.at[i]);
}

#endif
