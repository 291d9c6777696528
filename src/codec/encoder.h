/* SPDX-License-Identifier: Apache-2.0 */
/* encoder -- H.264 (OpenH264: constrained baseline) or VP8 (libvpx) out of pictures, as they come.
 *
 * One thread, no look-ahead, no frame out of order, key frames only when asked for (OpenH264 makes
 * one of a shared screen, too, on which all has changed).  Both hold the rate by leaving frames out
 * when pictures are hard.  An H.264 key frame carries its parameter sets;
 * their level is the least that fits size and rate.
 *
 * Ownership  create/destroy.  A frame's bytes are borrowed until the next call.
 * Threads    One owner.
 * Units      Bits per second; pixels.
 * Errors     ENCODER_FAILED: destroy it and make another one; encoder_create: -errno.
 * Limits     Sides even, of PICTURE_SIDE_MIN to VIDEO_SIDE_MAX; a frame of at most
 *            VIDEO_FRAME_BYTES_MAX, a larger one is left out and the next is a key frame.
 */
#ifndef CODEC_ENCODER_H
#define CODEC_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/picture.h"

enum {
	ENCODER_BPS_MIN = 16 * 1000,
	ENCODER_BPS_MAX = 20 * 1000 * 1000,
	ENCODER_FPS_MAX = 60,
};

struct encoder_settings {
	enum video_codec codec; /* H264 or VP8 */
	int width;
	int height;
	uint32_t fps; /* from 1; brought into range, as is the rate */
	uint32_t bps;
	bool single_nals; /* H.264: slices of at most VIDEO_PAYLOAD_BYTES_MAX */
	bool detail;      /* a shared screen */
};

enum encoder_result {
	ENCODER_FRAME,
	ENCODER_SKIPPED, /* to hold the rate */
	ENCODER_FAILED,
};

struct encoder_frame {
	const uint8_t *bytes;
	size_t len;
	bool key;
};

struct encoder;

[[nodiscard]] int encoder_create(struct encoder **out, const struct encoder_settings *settings);
void encoder_destroy(struct encoder *encoder);

void encoder_set_rate(struct encoder *encoder, uint32_t bps, uint32_t fps);

/* `picture` has the encoder's size.  A key frame wanted is remembered until one is made. */
[[nodiscard]] enum encoder_result encoder_input(struct encoder *encoder,
                                                struct encoder_frame *frame,
                                                const struct picture *picture, bool key,
                                                int64_t now_us);

/* Lets the libraries make what they make once: before the process is locked in. */
void encoder_warm_up(void);

#endif
