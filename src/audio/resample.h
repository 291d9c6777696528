/* SPDX-License-Identifier: Apache-2.0 */
/* resample -- between 48 kHz and the 8 or 16 kHz of telephone codecs.
 *
 * Polyphase FIR with fixed integer ratios: 24 and 32 taps a phase, within 0.3 dB to 3.4 and 7 kHz,
 * 62 dB down at the images of those; 1.5 and 1 ms of delay.  Beside speexdsp at quality 3 it costs
 * about a quarter (bench/audio_bench) and needs at most 290 bytes of state.
 *
 * Ownership  The state is the caller's; resample_up_init() and resample_down_init() fill it.
 * Threads    One owner per state.
 * Units      Samples at either rate.
 */
#ifndef AUDIO_RESAMPLE_H
#define AUDIO_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

enum {
	RESAMPLE_PAST_MAX = 144,
	RESAMPLE_INPUT_MAX = 5760, /* samples in one call, at the higher rate */
};

struct resample_up {
	uint8_t ratio; /* 6, 3 or 1 */
	int16_t past[32];
};

struct resample_down {
	uint8_t ratio;
	int16_t past[RESAMPLE_PAST_MAX];
};

/* `rate_hz` is 8000, 16000 or 48000 (a copy). */
void resample_up_init(struct resample_up *up, uint32_t rate_hz);
void resample_down_init(struct resample_down *down, uint32_t rate_hz);

/* `samples` in, samples * ratio out; returns the latter. */
size_t resample_up(struct resample_up *up, const int16_t *in, size_t samples, int16_t *out);

/* `samples` is a multiple of the ratio; samples / ratio out. */
size_t resample_down(struct resample_down *down, const int16_t *in, size_t samples, int16_t *out);

#endif
