/* SPDX-License-Identifier: Apache-2.0 */
/* conceal -- packet loss concealment for codecs that bring none (G.711, G.722).
 *
 * Repeats the last pitch period of what was heard, fading over 60 ms, and cross-fades back into the
 * first good packet (the idea of G.711 appendix I, without its delay).
 *
 * Ownership  A member of a decoder; conceal_init() makes it ready.
 * Threads    One owner.
 * Units      Samples at the codec's own rate, 8 or 16 kHz.
 */
#ifndef AUDIO_CONCEAL_H
#define AUDIO_CONCEAL_H

#include <stddef.h>
#include <stdint.h>

enum {
	CONCEAL_RATE_HZ_MAX = 16000,
	CONCEAL_PERIOD_MAX = CONCEAL_RATE_HZ_MAX / 1000 * 15, /* 66 Hz */
	CONCEAL_PAST_MAX = 3 * CONCEAL_PERIOD_MAX,
};

struct conceal {
	uint16_t rate_hz;
	uint16_t period;  /* of the sound before the loss */
	uint32_t lost;    /* samples concealed in a row */
	int16_t past[CONCEAL_PAST_MAX]; /* newest last */
	int16_t cycle[CONCEAL_PERIOD_MAX]; /* what is repeated */
	int16_t step;     /* the jump between the past and the cycle, taken out over 2 ms */
};

void conceal_init(struct conceal *conceal, uint32_t rate_hz);

/* A decoded packet passes through: remembered, and joined to a concealment before it. */
void conceal_good(struct conceal *conceal, int16_t *pcm, size_t samples);

void conceal_lost(struct conceal *conceal, int16_t *out, size_t samples);

#endif
