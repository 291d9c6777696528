/* SPDX-License-Identifier: Apache-2.0 */
/* What audio_codec.c keeps in a pool slot, and what audio_receiver.c adds to it. */
#ifndef AUDIO_AUDIO_CODEC_INTERNAL_H
#define AUDIO_AUDIO_CODEC_INTERNAL_H

#include <stdint.h>

#include "audio/audio_codec.h"
#include "audio/time_stretch.h"

enum {
	/* Less than a frame and a half is left over when the longest packet is decoded on top, and
	 * one pitch period may be put in. */
	AUDIO_FIFO_SAMPLES = AUDIO_FRAME_SAMPLES + TIME_STRETCH_LAG_MAX +
	                     AUDIO_PACKET_SAMPLES_MAX + TIME_STRETCH_LAG_MAX,
};

/* The codec's own state stands behind it in the slot. */
struct audio_decoder {
	uint8_t codec; /* enum audio_codec; NONE while the slot is free */
	uint16_t fifo_count;
	uint32_t noise; /* state of the comfort noise generator */
	int16_t fifo[AUDIO_FIFO_SAMPLES]; /* decoded, not played: of the receiver */
};

#endif
