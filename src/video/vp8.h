/* SPDX-License-Identifier: Apache-2.0 */
/* vp8 -- VP8 in RTP (RFC 7741): the payload descriptor read and written, key frames and their size.
 *
 * Ownership  Views borrow the caller's bytes.
 * Threads    Pure functions; values with one owner.
 * Units      Bytes, pixels.
 * Errors     `enum video_reject`.
 */
#ifndef VIDEO_VP8_H
#define VIDEO_VP8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "video/facts.h"

enum {
	VP8_DESCRIPTOR_BYTES_MAX = 6, /* X, a 15-bit PictureID, TL0PICIDX, TID and KEYIDX */
};

[[nodiscard]] enum video_reject vp8_facts_parse(struct video_facts *out, const uint8_t *payload,
                                                size_t len);

/* What a frame's bytes say (RFC 6386 s9.1): `*width` and `*height` are set for a key frame.  False
 * when it is no frame. */
[[nodiscard]] bool vp8_frame_parse(const uint8_t *frame, size_t len, bool *key, uint16_t *width,
                                   uint16_t *height);

/* Cuts one frame into RTP payloads, all of nearly the same size. */
struct vp8_packetizer {
	const uint8_t *frame; /* borrowed while packetizing */
	size_t len;
	size_t at;
	size_t piece_max;
	uint16_t picture_id;
	bool discardable;
};

/* `payload_max` is at least 16; `picture_id` has 15 bits and counts frames. */
void vp8_packetizer_init(struct vp8_packetizer *packetizer, const uint8_t *frame, size_t len,
                         uint16_t picture_id, bool discardable, uint16_t payload_max);
/* Writes the next payload; false at the end.  `*last`: its packet gets the marker. */
[[nodiscard]] bool vp8_packetizer_next(struct vp8_packetizer *packetizer, struct writer *w,
                                       bool *last);

#endif
