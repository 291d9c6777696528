/* SPDX-License-Identifier: Apache-2.0 */
/* mix -- sums of frames, and the sum without one of them.
 *
 * The loops exist twice, for any amd64 and for one with AVX2, chosen at run time; on other machines
 * the compiler's own choice is used.  A plain twin of each is in the test.
 *
 * Ownership  The caller's buffers; nothing is kept but a limiter's gain.
 * Threads    Pure functions.
 * Units      One frame, AUDIO_FRAME_SAMPLES; sums are int32 and cannot overflow below 65,536
 * frames.
 */
#ifndef AUDIO_MIX_H
#define AUDIO_MIX_H

#include <stdint.h>

#include "audio/audio.h"

struct mix {
	_Alignas(64) int32_t sum[AUDIO_FRAME_SAMPLES];
};

/* Keeps an output inside int16 by turning it down for a moment instead of clipping it; zeroed is
 * ready.  One per output: a room's shared mix has one, every talker's mix-minus has its own. */
struct mix_limiter {
	uint16_t reduction_q15; /* 0: no reduction */
};

void mix_clear(struct mix *mix);
void mix_add(struct mix *mix, const int16_t pcm[AUDIO_FRAME_SAMPLES]);

/* Everybody, hard against the rails. */
void mix_all(int16_t out[AUDIO_FRAME_SAMPLES], const struct mix *mix);
/* Everybody but `own`, which was added before. */
void mix_minus(int16_t out[AUDIO_FRAME_SAMPLES], const struct mix *mix,
               const int16_t own[AUDIO_FRAME_SAMPLES]);

/* As above through a limiter; `own` may be NULL.  The choice for what people hear. */
void mix_limited(int16_t out[AUDIO_FRAME_SAMPLES], const struct mix *mix, const int16_t *own,
                 struct mix_limiter *limiter);

/* Ramps a frame from one gain to another (Q12): a talker who comes in or goes out does not
 * click. */
void mix_fade(int16_t pcm[AUDIO_FRAME_SAMPLES], int32_t from_q12, int32_t to_q12);

#endif
