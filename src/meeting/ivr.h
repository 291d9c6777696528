/* SPDX-License-Identifier: Apache-2.0 */
/* ivr -- asks a caller by voice for what opens a meeting: its ID, its passcode, or both.
 *
 * Keys and time go in, prompts and decisions come out.  "#" ends what is typed, "*" forgets it, a key
 * silences the prompt; who forgets the "#" is taken to have meant it after a pause.  Silence is asked
 * again, wrong answers are counted, and whoever is let go is told why first.
 *
 *	ivr_init() -> drain;  ivr_key(), ivr_played(), ivr_tick() -> drain
 *	drain: ivr_poll() until IVR_NONE.  After IVR_KNOCK say what came of it by ivr_answer(), then
 *	go on draining.  After IVR_END, or ivr_answer(IVR_ENTERED), nothing more comes.
 *
 * Sans-IO.  The machine is a value.
 *
 * Ownership  `id` and `passcode` of an output are borrowed until the next input.
 * Threads    One owner.
 * Units      Microseconds on the caller's clock.
 * Errors     Keys that mean nothing are ignored.  Misuse (an answer that nobody waits for) asserts.
 * Limits     Below: how often, how long, how many digits.
 */
#ifndef MEETING_IVR_H
#define MEETING_IVR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
	IVR_DIGITS_MAX = 32, /* typed at once; further ones make it wrong */
	IVR_TRIES_MAX = 3,   /* IDs, and passcodes */
	IVR_ASKS_MAX = 3,    /* a question is asked so often while nothing is typed */
	IVR_OUTS_MAX = 8,
	IVR_SILENCE_US = 15 * 1000 * 1000, /* after a prompt, then it is asked again */
	IVR_PAUSE_US = 10 * 1000 * 1000,   /* after a digit, then "#" is taken as typed */
	IVR_PROMPT_US = 130 * 1000 * 1000, /* a prompt is over by then, told so or not */
	IVR_FAREWELL_US = 30 * 1000 * 1000,
	IVR_WHOLE_US = 300 * 1000 * 1000,  /* nobody stays longer */
};

enum ivr_prompt {
	IVR_SAY_NOTHING,
	IVR_SAY_WELCOME,
	IVR_SAY_ID_ENTRY,
	IVR_SAY_ID_TRY_AGAIN,
	IVR_SAY_ID_FINAL_ATTEMPT,
	IVR_SAY_ID_GOODBYE,
	IVR_SAY_ID_TIMEOUT,
	IVR_SAY_PASSCODE_ENTRY,
	IVR_SAY_PASSCODE_OPTIONAL, /* it need not be typed */
	IVR_SAY_PASSCODE_TRY_AGAIN,
	IVR_SAY_PASSCODE_FINAL_ATTEMPT,
	IVR_SAY_PASSCODE_GOODBYE,
	IVR_SAY_PASSCODE_TIMEOUT,
	IVR_SAY_FULL,
	IVR_SAY_UNAVAILABLE,
	IVR_PROMPTS,
};

/* What a screen shows meanwhile. */
enum ivr_screen {
	IVR_SHOW_NOTHING,
	IVR_SHOW_ID,
	IVR_SHOW_ID_AGAIN, /* it was wrong */
	IVR_SHOW_PASSCODE,
	IVR_SHOW_PASSCODE_AGAIN,
	IVR_SHOW_FULL,
	IVR_SHOW_GOODBYE,
	IVR_SCREENS,
};

/* What came of a knock. */
enum ivr_answer {
	IVR_ENTERED,        /* it is in */
	IVR_WRONG,          /* no such meeting, or not this passcode */
	IVR_ASK_PASSCODE,   /* there it is, and wants one */
	IVR_IS_FULL,        /* participantLimit */
	IVR_IS_UNAVAILABLE, /* this Call Bridge cannot take it */
	IVR_ANSWERS,
};

enum ivr_end {
	IVR_END_TIMEOUT,
	IVR_END_UNKNOWN_CALL,
	IVR_END_INCORRECT_PASSCODE,
	IVR_END_FULL,
	IVR_END_UNAVAILABLE,
};

enum ivr_out_kind {
	IVR_NONE,
	IVR_SAY,    /* `prompt`, in place of what plays; ivr_played() when it is over */
	IVR_HUSH,   /* what plays ends */
	IVR_SHOW,   /* `screen` */
	IVR_KNOCK,  /* `id` (empty: none was asked for) and `passcode` (at == NULL: likewise) */
	IVR_END,    /* `end`: hang up */
};

struct ivr_out {
	enum ivr_out_kind kind;
	enum ivr_prompt prompt;
	enum ivr_screen screen;
	enum ivr_end end;
	struct str id;
	struct str passcode;
};

enum ivr_stage {
	IVR_AT_ID,
	IVR_AT_PASSCODE,
	IVR_KNOCKING,
	IVR_FAREWELL,
	IVR_OVER,
};

struct ivr_settings {
	bool ask_id;         /* else the passcode of a meeting that is known */
	/* passcodeMode "timeout": after so long a silence the caller goes on without; 0: never */
	int64_t optional_us;
};

struct ivr {
	enum ivr_stage stage;
	bool knocks_with_passcode;
	int64_t optional_us;
	int64_t now_us;
	int64_t whole_us;    /* then it is over in any case */
	int64_t deadline_us; /* of what is waited for */
	enum ivr_prompt playing;
	enum ivr_prompt next; /* behind it */
	enum ivr_end end;     /* after the farewell */
	uint8_t asks;
	uint8_t wrong_ids;
	uint8_t wrong_passcodes;
	uint8_t count;
	uint8_t id_count;
	char digits[IVR_DIGITS_MAX + 1];
	char id[IVR_DIGITS_MAX + 1];
	uint8_t out_first;
	uint8_t out_count;
	struct ivr_out outs[IVR_OUTS_MAX];
};

void ivr_init(struct ivr *ivr, const struct ivr_settings *settings, int64_t now_us);
/* Wipes what was typed. */
void ivr_fini(struct ivr *ivr);

void ivr_key(struct ivr *ivr, char key, int64_t now_us);
/* A prompt has ended by itself; one that is not the last asked for is late news. */
void ivr_played(struct ivr *ivr, enum ivr_prompt prompt, int64_t now_us);
void ivr_tick(struct ivr *ivr, int64_t now_us);
/* `optional_us` as in the settings, of the meeting found; for IVR_ASK_PASSCODE. */
void ivr_answer(struct ivr *ivr, enum ivr_answer answer, int64_t optional_us, int64_t now_us);

[[nodiscard]] struct ivr_out ivr_poll(struct ivr *ivr);
/* When ivr_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t ivr_deadline(const struct ivr *ivr);

#endif
