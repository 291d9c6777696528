/* SPDX-License-Identifier: Apache-2.0 */
/* dtmf_detect -- key presses heard in the sound, for telephones without telephone-event.
 *
 * spandsp's detector with limits for talk-off.  A key of 40 ms is always heard, one of 20 ms never
 * (ITU-T Q.24); a lost packet in the middle of a key does not double it.  A leg that sends RFC 4733
 * events needs no detector: the tones often come along and would count twice.
 *
 * Ownership  create/destroy: one allocation per leg that needs it, at call set-up, about 600 bytes.
 * Threads    The leg's worker.
 * Units      Frames of 20 ms at 48 kHz.
 * Errors     create: -ENOMEM.
 * Limits     DTMF_DIGITS_MAX digits between two polls; later ones are dropped.
 */
#ifndef AUDIO_DTMF_DETECT_H
#define AUDIO_DTMF_DETECT_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/audio.h"

enum {
	DTMF_DIGITS_MAX = 16,
};

struct dtmf_detect;

[[nodiscard]] int dtmf_detect_create(struct dtmf_detect **detect);
void dtmf_detect_destroy(struct dtmf_detect *detect);

void dtmf_detect_input(struct dtmf_detect *detect, const int16_t pcm[AUDIO_FRAME_SAMPLES]);

/* The next digit ('0'..'9', '*', '#', 'A'..'D') at its beginning, or 0. */
[[nodiscard]] char dtmf_detect_poll(struct dtmf_detect *detect);

/* The digit whose key is held down now, or 0. */
[[nodiscard]] char dtmf_detect_held(const struct dtmf_detect *detect);

#endif
