/* SPDX-License-Identifier: Apache-2.0 */
#include "video/vp8.h"

#include "base/check.h"

enum {
	EXTENDED = 0x80, /* RFC 7741 s4.2, first byte */
	NON_REFERENCE = 0x20,
	PARTITION_START = 0x10,
	PARTITION = 0x07,
	HAS_PICTURE_ID = 0x80, /* second byte */
	HAS_TL0_INDEX = 0x40,
	HAS_TEMPORAL = 0x20,
	HAS_KEY_INDEX = 0x10,
	LAYER_SYNC = 0x20, /* Y */
	KEY_HEADER_BYTES = 10, /* RFC 6386 s9.1: tag, start code and size */
};

static void
read_extension(struct reader *r, struct video_facts *facts)
{
	const uint8_t present = reader_u8(r);
	if ((present & HAS_PICTURE_ID) != 0)
		video_facts_read_picture_id(facts, r);
	if ((present & HAS_TL0_INDEX) != 0) {
		facts->tl0_index_at = (uint8_t)r->at;
		facts->tl0_index = reader_u8(r);
	}
	if ((present & (HAS_TEMPORAL | HAS_KEY_INDEX)) != 0) {
		const uint8_t layer = reader_u8(r);
		if ((present & HAS_TEMPORAL) != 0) {
			facts->temporal = layer >> 6;
			facts->layer_sync = (layer & LAYER_SYNC) != 0;
		}
	}
}

enum video_reject
vp8_facts_parse(struct video_facts *out, const uint8_t *payload, size_t len)
{
	struct video_facts facts = { 0 };
	struct reader r = reader_of(payload, len);
	const uint8_t first = reader_u8(&r);
	if ((first & EXTENDED) != 0)
		read_extension(&r, &facts);
	if (r.failed || reader_left(&r) == 0)
		return VIDEO_REJECT_SHORT;

	facts.descriptor_len = (uint8_t)r.at;
	facts.discardable = (first & NON_REFERENCE) != 0;
	facts.frame_start = (first & PARTITION_START) != 0 && (first & PARTITION) == 0;
	if (facts.frame_start &&
	    !vp8_frame_parse(payload + r.at, reader_left(&r), &facts.key_start, &facts.width,
	                     &facts.height))
		return VIDEO_REJECT_VALUE;
	*out = facts;
	return VIDEO_OK;
}

bool
vp8_frame_parse(const uint8_t *frame, size_t len, bool *key, uint16_t *width, uint16_t *height)
{
	if (len == 0)
		return false;
	if ((frame[0] & 1) != 0) { /* the bit is inverse */
		*key = false;
		return true;
	}
	if (len < KEY_HEADER_BYTES || frame[3] != 0x9d || frame[4] != 0x01 || frame[5] != 0x2a)
		return false;
	/* The two bits above each size tell how to scale what is shown, which nobody does. */
	const unsigned across = (unsigned)(frame[7] << 8 | frame[6]) & 0x3fff;
	const unsigned down = (unsigned)(frame[9] << 8 | frame[8]) & 0x3fff;
	if (across == 0 || down == 0)
		return false;
	*key = true;
	*width = (uint16_t)across;
	*height = (uint16_t)down;
	return true;
}

/* ---- Sending ---- */

enum { OUR_DESCRIPTOR_BYTES = 4 }; /* with a 15-bit PictureID and nothing else */

void
vp8_packetizer_init(struct vp8_packetizer *packetizer, const uint8_t *frame, size_t len,
                    uint16_t picture_id, bool discardable, uint16_t payload_max)
{
	CHECK(payload_max >= 16);
	CHECK(len <= VIDEO_FRAME_BYTES_MAX);
	const size_t room = (size_t)payload_max - OUR_DESCRIPTOR_BYTES;
	const size_t count = len != 0 ? (len + room - 1) / room : 1;
	*packetizer = (struct vp8_packetizer){ .frame = frame,
		                               .len = len,
		                               .piece_max = (len + count - 1) / count,
		                               .picture_id = picture_id & 0x7fff,
		                               .discardable = discardable };
}

bool
vp8_packetizer_next(struct vp8_packetizer *packetizer, struct writer *w, bool *last)
{
	const size_t left = packetizer->len - packetizer->at;
	if (left == 0)
		return false;
	const size_t piece = left < packetizer->piece_max ? left : packetizer->piece_max;
	/* Partition boundaries are not told: all of the frame counts as the first (s4.2, PID). */
	writer_u8(w, (uint8_t)(EXTENDED | (packetizer->discardable ? NON_REFERENCE : 0) |
	                       (packetizer->at == 0 ? PARTITION_START : 0)));
	writer_u8(w, HAS_PICTURE_ID);
	writer_u16(w, (uint16_t)(0x8000 | packetizer->picture_id));
	writer_bytes(w, packetizer->frame + packetizer->at, piece);
	CHECK(!w->failed);
	packetizer->at += piece;
	*last = packetizer->at == packetizer->len;
	return true;
}
