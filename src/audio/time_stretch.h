/* SPDX-License-Identifier: Apache-2.0 */
/* time_stretch -- takes one pitch period out of a piece of sound, or puts one in.
 *
 * Pitch-synchronous overlap-add: the lag with the best correlation between 2.5 and 10 ms is found,
 * and two neighbouring periods are cross-faded into one, or one into two.
 *
 * Ownership  Works in place in the caller's buffer.
 * Threads    Pure functions.
 * Units      48 kHz samples.
 * Errors     0 when the sound has no period to work on (onsets, music): try the next frame.
 */
#ifndef AUDIO_TIME_STRETCH_H
#define AUDIO_TIME_STRETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TIME_STRETCH_LAG_MIN = 120, /* 2.5 ms */
	TIME_STRETCH_LAG_MAX = 480, /* 10 ms */
	TIME_STRETCH_SAMPLES_MIN = 2 * TIME_STRETCH_LAG_MAX,
};

/* `samples` is at least TIME_STRETCH_SAMPLES_MIN; at most `lag_max` samples come or go.  With
 * `force` it is done wherever it sounds least bad.  Returns how many samples went. */
[[nodiscard]] size_t time_stretch_shorten(int16_t *pcm, size_t samples, size_t lag_max, bool force);

/* As above, the buffer having room for `lag_max` more.  Returns how many samples came. */
[[nodiscard]] size_t time_stretch_lengthen(int16_t *pcm, size_t samples, size_t lag_max,
                                           bool force);

#endif
