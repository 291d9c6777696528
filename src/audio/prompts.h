/* SPDX-License-Identifier: Apache-2.0 */
/* prompts -- the spoken sentences of the bridge, loaded once at start and played frame by frame.
 *
 * Files are DIR/<language>/<name>.wav under the names CMS gives its branding files where it has
 * one, so that people's own recordings can be dropped in.  tools/make-prompts makes ours;
 * recordings of a tenant or a space are a brand (brand.h).
 *
 * Ownership  prompts_create() reads the files into the heap; players borrow from it.
 * Threads    Immutable once created: any thread may play.
 * Errors     prompts_create: -errno of the directory; a single bad file is told to `bad`, left out,
 *            and its prompt is then silent.
 * Limits     See wav.h for one file; PROMPTS_LANGUAGES_MAX languages.
 */
#ifndef AUDIO_PROMPTS_H
#define AUDIO_PROMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/audio.h"
#include "audio/resample.h"
#include "audio/wav.h"
#include "base/str.h"

enum {
	PROMPTS_LANGUAGES_MAX = 8,
	PROMPTS_LANGUAGE_LEN_MAX = 7,
	PROMPT_QUEUE_MAX = 8,
};

enum prompt {
	PROMPT_NONE,
	PROMPT_WELCOME,            /* welcome.wav */
	PROMPT_IVR_WELCOME,        /* ivr_welcome.wav */
	PROMPT_ID_ENTRY,           /* ivr_id_entry.wav: enter the meeting ID, then hash */
	PROMPT_ID_TRY_AGAIN,       /* ivr_id_incorrect_try_again.wav */
	PROMPT_ID_FINAL_ATTEMPT,   /* ivr_id_incorrect_final_attempt.wav */
	PROMPT_ID_GOODBYE,         /* ivr_id_incorrect_goodbye.wav */
	PROMPT_IVR_TIMEOUT,        /* ivr_timeout.wav */
	PROMPT_PASSCODE_ENTRY,     /* passcode_entry.wav: enter the passcode, then hash */
	PROMPT_PASSCODE_OPTIONAL,  /* passcode_entry_optional.wav: or wait */
	PROMPT_PASSCODE_TRY_AGAIN, /* passcode_incorrect_try_again.wav */
	PROMPT_PASSCODE_FINAL_ATTEMPT, /* passcode_incorrect_final_attempt.wav */
	PROMPT_PASSCODE_GOODBYE,   /* passcode_incorrect_goodbye.wav */
	PROMPT_TIMEOUT,            /* timeout.wav: no passcode was typed */
	PROMPT_MEETING_FULL,       /* meeting_full.wav */
	PROMPT_UNAVAILABLE,        /* meeting_unavailable.wav: this bridge is full */
	PROMPT_WAITING_FOR_HOST,   /* waiting_for_host.wav */
	PROMPT_ONLY_PARTICIPANT,   /* only_participant.wav */
	PROMPT_CALL_JOIN,          /* call_join.wav */
	PROMPT_SPACE_JOIN,         /* cospace_join.wav */
	PROMPT_MUTED,              /* muted.wav */
	PROMPT_UNMUTED,            /* unmuted.wav */
	PROMPT_MEETING_LOCKED,     /* meeting_locked.wav */
	PROMPT_MEETING_ENDED,      /* meeting_ended.wav */
	PROMPT_MEETING_RECORDED,   /* meeting_recorded.wav */
	PROMPTS,
};

/* The file's name without folder, "passcode_entry.wav". */
[[nodiscard]] const char *prompt_file_name(enum prompt prompt);

struct prompts;

/* Told of every file that is there but cannot be used. */
typedef void prompts_bad_file(void *context, const char *path, const char *why);

[[nodiscard]] int prompts_create(struct prompts **prompts, const char *dir, prompts_bad_file *bad,
                                 void *context);
void prompts_destroy(struct prompts *prompts);
/* Files under DIR/<language>/ take the place of those there are; before anybody plays.  A folder or a
 * file that is not there changes nothing. */
void prompts_overlay(struct prompts *prompts, const char *dir);

/* The index of a language ("en", "ko", "fr"; "fr-CA" finds "fr"), 0 (English or the first) when we
 * do not have it. */
[[nodiscard]] unsigned prompts_language(const struct prompts *prompts, struct str language);

/* NULL when neither the language nor the first one has it. */
[[nodiscard]] const struct wav *prompts_find(const struct prompts *prompts, unsigned language,
                                             enum prompt prompt);

/* ---- playing ---- */

/* A member of a leg; zeroed is silent. */
struct prompt_player {
	const struct wav *queue[PROMPT_QUEUE_MAX];
	uint8_t count;
	size_t at; /* samples of queue[0] played */
	struct resample_up up;
};

/* Behind what plays already; false when it is not there or the queue is full. */
bool prompt_player_add(struct prompt_player *player, const struct wav *wav);
void prompt_player_stop(struct prompt_player *player);

[[nodiscard]] static inline bool
prompt_player_playing(const struct prompt_player *player)
{
	return player->count != 0;
}

/* The next frame; false (and zeroes) when nothing plays. */
bool prompt_player_render(struct prompt_player *player, int16_t pcm[AUDIO_FRAME_SAMPLES]);

#endif
