/* SPDX-License-Identifier: Apache-2.0 */
/* facts -- what one RTP payload of any video codec tells by itself, parsed once on arrival and used
 * by all who forward it, put frames together or ask for key frames.
 *
 * RFC 6184 (H.264), RFC 7741 (VP8), RFC 9628 (VP9), AOM "RTP Payload Format For AV1" 1.0.
 *
 * Ownership  Values; nothing points into the payload, offsets do.
 * Threads    Pure functions.
 * Units      Bytes; picture sizes in pixels as shown (cropped).
 * Errors     An `enum video_reject` naming the rule that the peer broke; `*out` is then untouched.
 */
#ifndef VIDEO_FACTS_H
#define VIDEO_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "video/video.h"

enum video_reject {
	VIDEO_OK = 0,
	VIDEO_REJECT_CODEC,    /* none that we read */
	VIDEO_REJECT_SHORT,    /* ends inside the payload's descriptor, or has nothing behind it */
	VIDEO_REJECT_TYPE,     /* not taken: STAP-B, MTAP, FU-B, a reserved NAL type */
	VIDEO_REJECT_FRAGMENT, /* a fragment that contradicts itself: first and last at once */
	VIDEO_REJECT_LENGTH,   /* a length inside overruns the payload */
	VIDEO_REJECT_BIT,      /* a bit that must be zero is not */
	VIDEO_REJECT_VALUE,    /* a number out of its range */
	VIDEO_REJECT_COUNT,
};

const char *video_reject_name(enum video_reject reject);

struct video_facts {
	uint8_t descriptor_len;  /* bytes ahead of what the decoder gets; H.264: 0 */
	bool frame_start;        /* begins a frame, or a VP9 layer of it; AV1: known at keys only */
	bool key_start;          /* decoding can begin here: of what looks like a key frame */
	bool parameter_sets;     /* holds an H.264 SPS or an AV1 sequence header */
	bool discardable;        /* no other frame refers to it */
	bool layer_sync;         /* its temporal layer may begin here: it needs the base only */
	uint8_t temporal;        /* layer, 0 when there are none */
	uint8_t spatial;
	uint8_t picture_id_bits; /* 0 (none), 7 or 15 */
	uint8_t picture_id_at;   /* offset */
	uint8_t tl0_index_at;    /* offset, 0: none */
	uint8_t tl0_index;       /* TL0PICIDX */
	uint16_t picture_id;
	uint16_t width;          /* 0: not told here */
	uint16_t height;
};

[[nodiscard]] enum video_reject video_facts_parse(struct video_facts *out, enum video_codec codec,
                                                  const uint8_t *payload, size_t len);

/* For the readers of VP8 and VP9, whose PictureID is of one form: one byte, or two. */
void video_facts_read_picture_id(struct video_facts *facts, struct reader *r);

/* The payload with another picture id and TL0PICIDX in the places the facts tell; a 7-bit id keeps
 * its seven bits. */
void video_facts_rewrite(uint8_t *payload, const struct video_facts *facts, uint16_t picture_id,
                         uint8_t tl0_index);

#endif
