/* SPDX-License-Identifier: Apache-2.0 */
#include "video/vp9.h"

#include "base/bytes.h"
#include "video/bits.h"

enum {
	HAS_PICTURE_ID = 0x80, /* RFC 9628 s4.2, first byte: I P L F B E V Z */
	PREDICTED = 0x40,
	HAS_LAYERS = 0x20,
	FLEXIBLE = 0x10,
	LAYER_START = 0x08,
	HAS_STRUCTURE = 0x02,
	MORE_REFERENCES = 0x01, /* N */
	REFERENCES_MAX = 3,
	FRAME_MARKER = 2, /* VP9 bitstream s6.2 */
	SYNC_CODE = 0x498342,
	SRGB = 7,
};

static void
read_layers(struct reader *r, uint8_t first, struct video_facts *facts)
{
	const uint8_t layers = reader_u8(r);
	facts->temporal = layers >> 5;
	facts->layer_sync = (layers & 0x10) != 0;
	facts->spatial = layers >> 1 & 7;
	if ((first & FLEXIBLE) == 0) {
		facts->tl0_index_at = (uint8_t)r->at;
		facts->tl0_index = reader_u8(r);
	}
}

/* The last layer is the largest (s4.2.1). */
static void
read_structure(struct reader *r, struct video_facts *facts)
{
	const uint8_t head = reader_u8(r);
	const unsigned layers = (head >> 5) + 1u;
	if ((head & 0x10) != 0) {
		for (unsigned i = 0; i < layers; i++) {
			facts->width = reader_u16(r);
			facts->height = reader_u16(r);
		}
	}
	if ((head & 0x08) != 0) {
		const unsigned pictures = reader_u8(r);
		for (unsigned i = 0; i < pictures && !r->failed; i++)
			reader_skip(r, reader_u8(r) >> 2 & 3);
	}
}

/* The uncompressed header (VP9 bitstream s6.2): is it a key frame, and how large? */
static bool
read_key(const uint8_t *frame, size_t len, struct video_facts *facts)
{
	struct bits bits = bits_of(frame, len);
	if (bits_u(&bits, 2) != FRAME_MARKER)
		return false;
	const uint32_t low = bits_u(&bits, 1);
	const uint32_t profile = bits_u(&bits, 1) << 1 | low;
	if (profile == 3)
		bits_skip(&bits, 1);
	const bool show_existing = bits_u(&bits, 1) != 0;
	const bool key = bits_u(&bits, 1) == 0;
	bits_skip(&bits, 2); /* show_frame, error_resilient_mode */
	if (show_existing || !key || bits_u(&bits, 24) != SYNC_CODE)
		return false;
	if (profile >= 2)
		bits_skip(&bits, 1);
	if (bits_u(&bits, 3) != SRGB)
		bits_skip(&bits, (profile & 1) != 0 ? 4 : 1);
	else if ((profile & 1) != 0)
		bits_skip(&bits, 1);
	const uint32_t width = bits_u(&bits, 16) + 1;
	const uint32_t height = bits_u(&bits, 16) + 1;
	if (bits.failed)
		return false;
	if (facts->width == 0 && width <= UINT16_MAX && height <= UINT16_MAX) {
		facts->width = (uint16_t)width;
		facts->height = (uint16_t)height;
	}
	return true;
}

enum video_reject
vp9_facts_parse(struct video_facts *out, const uint8_t *payload, size_t len)
{
	struct video_facts facts = { 0 };
	struct reader r = reader_of(payload, len);
	const uint8_t first = reader_u8(&r);
	if ((first & HAS_PICTURE_ID) != 0)
		video_facts_read_picture_id(&facts, &r);
	else if ((first & FLEXIBLE) != 0)
		return VIDEO_REJECT_BIT; /* flexible mode counts references in picture ids */
	if ((first & HAS_LAYERS) != 0)
		read_layers(&r, first, &facts);
	if ((first & FLEXIBLE) != 0 && (first & PREDICTED) != 0) {
		unsigned references = 1;
		while ((reader_u8(&r) & MORE_REFERENCES) != 0) {
			if (++references > REFERENCES_MAX)
				return VIDEO_REJECT_VALUE;
		}
	}
	if ((first & HAS_STRUCTURE) != 0)
		read_structure(&r, &facts);
	if (r.failed || reader_left(&r) == 0)
		return VIDEO_REJECT_SHORT;
	if (r.at > UINT8_MAX)
		return VIDEO_REJECT_LENGTH;

	facts.descriptor_len = (uint8_t)r.at;
	facts.frame_start = (first & LAYER_START) != 0;
	facts.key_start = facts.frame_start && (first & PREDICTED) == 0 && facts.spatial == 0 &&
	                  read_key(payload + r.at, reader_left(&r), &facts);
	*out = facts;
	return VIDEO_OK;
}
