/* SPDX-License-Identifier: Apache-2.0 */
/* audio_level -- how loud a frame is (RFC 6464), and whether it is speech above the room's noise.
 *
 * Ownership  `struct audio_activity` is a member of its leg; zeroed is ready.
 * Threads    Pure functions; one owner per state.
 * Units      Levels 0 (0 dBov) .. 127 (silence), as in the header extension; one frame is 20 ms.
 */
#ifndef AUDIO_AUDIO_LEVEL_H
#define AUDIO_AUDIO_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/audio.h"

/* RMS of the samples relative to a full-scale square wave, RFC 6464 s3. */
[[nodiscard]] uint8_t audio_level_of(const int16_t *pcm, size_t samples);

/* The same from a sum of squares; `samples` is not zero. */
[[nodiscard]] uint8_t audio_level_of_energy(uint64_t sum_of_squares, size_t samples);

/* A noise floor that falls at once and rises slowly, and a hangover over word gaps. */
struct audio_activity {
	int16_t floor_q4;  /* dB below full scale times 16; 0 before the first frame */
	uint8_t hangover;  /* frames */
	uint8_t onset;     /* frames above the threshold in a row */
	bool speaking;
};

enum {
	AUDIO_ACTIVITY_MARGIN_DB = 9,      /* speech is this much above the floor */
	AUDIO_ACTIVITY_LEVEL_WEAKEST = 60, /* nothing below -60 dBov is speech */
	AUDIO_ACTIVITY_HANGOVER_FRAMES = 15,
};

/* One frame's level in; is somebody speaking now?  The first loud frame already counts. */
bool audio_activity_input(struct audio_activity *activity, uint8_t level);

#endif
