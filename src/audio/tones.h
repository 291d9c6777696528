/* SPDX-License-Identifier: Apache-2.0 */
/* tones -- the short sounds of people coming and going, and DTMF, made while they are played.
 *
 * Ownership  `struct tone_player` is a member of a room or leg; zeroed is silent.
 * Threads    One owner.
 * Units      Frames of 20 ms at 48 kHz.
 */
#ifndef AUDIO_TONES_H
#define AUDIO_TONES_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/audio.h"

enum tone {
	TONE_NONE,
	TONE_JOIN,  /* two notes up, 240 ms */
	TONE_LEAVE, /* two notes down, 240 ms */
	TONE_MUTED, /* one low note, 100 ms */
	TONE_UNMUTED, /* one high note, 100 ms */
	TONES,
};

struct tone_player {
	uint8_t tone;   /* enum tone, or TONES + index of a DTMF digit */
	uint32_t at;    /* samples played */
	uint32_t total; /* samples, for DTMF */
	double phase[2];
};

/* Starts a tone, cutting one that plays. */
void tone_start(struct tone_player *player, enum tone tone);

/* Starts a DTMF digit (0-9 * # A-D) of `duration_ms`; false for any other character. */
[[nodiscard]] bool tone_start_dtmf(struct tone_player *player, char digit, uint32_t duration_ms);

[[nodiscard]] static inline bool
tone_playing(const struct tone_player *player)
{
	return player->tone != TONE_NONE;
}

/* The next frame; false (and zeroes) when nothing plays. */
bool tone_render(struct tone_player *player, int16_t pcm[AUDIO_FRAME_SAMPLES]);

#endif
