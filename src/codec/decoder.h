/* SPDX-License-Identifier: Apache-2.0 */
/* decoder -- pictures out of one stream of H.264, VP8, VP9 or AV1, by libavcodec.
 *
 * One frame in, at most one picture out, at once: one thread, no reordering.  Nothing damaged is
 * ever given out: after a frame that is broken, or that needs one that never came, everything is
 * refused up to the next key frame.
 *
 * Ownership  create/destroy.  The picture belongs to the decoder and stays until the next one.
 * Threads    One owner.
 * Units      Pixels; `bytes` is one whole frame, H.264 as Annex B.
 * Errors     DECODER_BROKEN; decoder_create: -errno.
 * Limits     A picture has sides of PICTURE_SIDE_MIN to VIDEO_SIDE_MAX and at most
 *            PICTURE_PIXELS_MAX pixels, 8 bits and 4:2:0; others count as broken.
 */
#ifndef CODEC_DECODER_H
#define CODEC_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/picture.h"

enum decoder_result {
	DECODER_PICTURE,
	DECODER_NOTHING,  /* all is well, but nothing is to be shown */
	DECODER_WAITING,  /* not looked at: a key frame has to come first */
	DECODER_BROKEN,
};

struct decoder;

[[nodiscard]] int decoder_create(struct decoder **out, enum video_codec codec);
void decoder_destroy(struct decoder *decoder);

/* `key`: the frame can be decoded without those before it. */
[[nodiscard]] enum decoder_result decoder_input(struct decoder *decoder, const uint8_t *bytes,
                                                size_t len, bool key);
/* The latest, borrowed; NULL before the first. */
[[nodiscard]] const struct picture *decoder_picture(const struct decoder *decoder);
/* A frame was left out: the next one has to be a key frame. */
void decoder_restart(struct decoder *decoder);
[[nodiscard]] bool decoder_waiting(const struct decoder *decoder);

/* Lets the libraries make what they make once: before the process is locked in. */
void decoder_warm_up(void);

#endif
