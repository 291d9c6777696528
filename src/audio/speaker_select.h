/* SPDX-License-Identifier: Apache-2.0 */
/* speaker_select -- which few of a room are mixed, and who is shown as talking.
 *
 * Once per frame every leg tells its level, then speaker_select_run() chooses the loudest N.  A
 * newly louder talker gets in with the frame that is louder; one who is in stays for a while after
 * his last word, and gives way only to somebody clearly louder, so the choice does not flap.
 *
 * Ownership  `struct speaker` is a member of its leg, `struct speaker_select` of its room; the
 *            latter keeps no pointer beyond a call except in `chosen`, valid until the next run or
 *            until that speaker is removed.
 * Threads    The room's worker.
 * Units      Levels as in RFC 6464; frames of 20 ms.
 * Limits     SPEAKERS_CHOSEN_MAX chosen; O(legs) a frame, without sorting.
 */
#ifndef AUDIO_SPEAKER_SELECT_H
#define AUDIO_SPEAKER_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/audio_level.h"

enum {
	SPEAKERS_CHOSEN_MAX = 16,
	SPEAKERS_CHOSEN_DEFAULT = 6,
	SPEAKER_HOLD_FRAMES = 75,      /* a place is kept 1.5 s after the last word */
	SPEAKER_AUDIBLE_LEVEL = 40,    /* from -40 dBov up all is sound: music and tones too */
	SPEAKER_LOUDER_DB = 6,         /* by which a newcomer beats one who is speaking */
	SPEAKER_TALKING_FRAMES = 10,   /* of speech within 400 ms, then the page shows "talking" */
	SPEAKER_SILENT_FRAMES = 40,    /* without speech, then it stops showing it */
	SPEAKER_DOMINANT_FRAMES = 50,  /* a dominant speaker keeps the title at least 1 s */
};

struct speaker {
	struct audio_activity activity;
	int16_t loudness_q4;   /* smoothed dB above the silence level, times 16 */
	uint8_t level;         /* of this frame */
	uint8_t hold;          /* frames for which the place is kept */
	uint8_t talk_score;
	uint8_t silent_frames;
	bool present;          /* offered this frame */
	bool selected;         /* out: mixed in this frame */
	bool talking;          /* out: shown as talking */
	bool talking_changed;  /* out: in this run */
};

struct speaker_select {
	uint8_t chosen_max;
	uint8_t chosen_count;
	uint8_t dominant_frames;
	bool dominant_changed;    /* out: in this run */
	struct speaker *dominant; /* out: NULL before anybody spoke */
	struct speaker *chosen[SPEAKERS_CHOSEN_MAX]; /* out */
};

/* `chosen_max` 1..SPEAKERS_CHOSEN_MAX; 0 means the default. */
void speaker_select_init(struct speaker_select *select, unsigned chosen_max);

/* This frame's level of a leg, before a run.  Without one the leg counts as silent; do not tell one
 * for a muted leg. */
void speaker_input(struct speaker *speaker, uint8_t level);

/* Forces a leg out at once: muted, held or gone. */
void speaker_remove(struct speaker_select *select, struct speaker *speaker);

/* Chooses among all legs of the room.  Returns how many are chosen. */
unsigned speaker_select_run(struct speaker_select *select, struct speaker *const *speakers,
                            size_t count);

#endif
