/* SPDX-License-Identifier: Apache-2.0 */
/* agc -- brings every participant to about the same loudness (CMS `audioGainMode` = agc).
 *
 * Slow: the gain moves while somebody speaks and stands still in pauses, so noise is not pumped up.
 * A frame that would clip is brought down at once.
 *
 * Ownership  A member of its leg; zeroed is unity gain.
 * Threads    The leg's worker.
 * Units      Frames of 20 ms; gain is Q12 (4096 = unity).
 * Limits     AGC_GAIN_DB_MAX up, AGC_GAIN_DB_MIN down.
 */
#ifndef AUDIO_AGC_H
#define AUDIO_AGC_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/audio.h"

enum {
	AGC_TARGET_LEVEL = 22,  /* -22 dBov while speaking */
	AGC_GAIN_DB_MAX = 18,
	AGC_GAIN_DB_MIN = -12,
	AGC_RISE_DB_PER_S = 3,
	AGC_FALL_DB_PER_S = 12,
};

struct agc {
	int32_t gain_q8_db;   /* where it stands, dB times 256 */
	int32_t speech_q8_db; /* smoothed level of speech, dB below full scale times 256; 0: unknown
	                       */
	int32_t gain_q12;     /* applied to the end of the frame before; 0 means unity */
};

/* Applies and adapts.  `level` is the frame's own level before, `speaking` from audio_level.h. */
void agc_run(struct agc *agc, int16_t pcm[AUDIO_FRAME_SAMPLES], uint8_t level, bool speaking);

/* For the Status page: dB, rounded. */
[[nodiscard]] int agc_gain_db(const struct agc *agc);

#endif
