/* SPDX-License-Identifier: Apache-2.0 */
#include "video/av1.h"

#include <string.h>

#include "base/check.h"
#include "video/bits.h"

enum {
	CONTINUES = 0x80, /* aggregation header (s4.4): Z, Y, W, N */
	CONTINUED = 0x40,
	NEW_SEQUENCE = 0x08,
	LENGTH_BYTES_MAX = 8,
	OBU_FORBIDDEN = 0x80, /* OBU header (AV1 s5.3.2) */
	OBU_EXTENSION = 0x04,
	OBU_HAS_SIZE = 0x02,
	OBU_SEQUENCE_HEADER = 1,
	OBU_TEMPORAL_DELIMITER = 2,
	OBU_TILE_LIST = 8,
};

/* leb128 (AV1 s4.10.5); a number over 32 bits fails. */
static uint32_t
read_length(struct reader *r)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < LENGTH_BYTES_MAX; i++) {
		const uint8_t byte = reader_u8(r);
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if ((byte & 0x80) != 0)
			continue;
		if (value > UINT32_MAX)
			break;
		return (uint32_t)value;
	}
	r->failed = true;
	return 0;
}

/* ---- The elements of one payload ---- */

struct elements {
	struct reader r;
	uint8_t head;
	uint8_t count; /* W: how many there are, 0: until the end */
	uint8_t at;    /* of the next */
};

static struct elements
elements_of(const uint8_t *payload, size_t len)
{
	struct elements elements = { .r = reader_of(payload, len) };
	elements.head = reader_u8(&elements.r);
	elements.count = elements.head >> 4 & 3;
	return elements;
}

/* The last of a counted number has no length and takes what is left. */
static bool
next_element(struct elements *elements, const uint8_t **bytes, size_t *len)
{
	struct reader *r = &elements->r;
	if (r->failed || reader_left(r) == 0)
		return false;
	elements->at++;
	*len = elements->count != 0 && elements->at == elements->count ? reader_left(r)
	                                                               : read_length(r);
	*bytes = reader_take(r, *len);
	if (*len == 0)
		r->failed = true;
	return !r->failed;
}

/* The element at hand goes on in the next packet. */
static bool
is_continued(const struct elements *elements)
{
	return (elements->head & CONTINUED) != 0 && reader_left(&elements->r) == 0;
}

/* What stands ahead of an OBU's content: its type, and how long its header is. */
static bool
read_header(const uint8_t *obu, size_t len, unsigned *type, size_t *header_len)
{
	if (len == 0 || (obu[0] & OBU_FORBIDDEN) != 0)
		return false;
	*type = obu[0] >> 3 & 0x0f;
	*header_len = (obu[0] & OBU_EXTENSION) != 0 ? 2 : 1;
	return *header_len <= len;
}

enum video_reject
av1_facts_parse(struct video_facts *out, const uint8_t *payload, size_t len)
{
	struct video_facts facts = { .descriptor_len = 1 };
	struct elements elements = elements_of(payload, len);
	if (elements.r.failed || reader_left(&elements.r) == 0)
		return VIDEO_REJECT_SHORT;
	/* s4.4: a new sequence cannot begin with the rest of something. */
	const bool continues = (elements.head & CONTINUES) != 0;
	if (continues && (elements.head & NEW_SEQUENCE) != 0)
		return VIDEO_REJECT_FRAGMENT;

	const uint8_t *obu;
	size_t obu_len;
	while (next_element(&elements, &obu, &obu_len)) {
		unsigned type;
		size_t header_len;
		if (continues && elements.at == 1)
			continue;
		if ((obu[0] & OBU_FORBIDDEN) != 0)
			return VIDEO_REJECT_BIT;
		if (!read_header(obu, obu_len, &type, &header_len)) {
			if (!is_continued(&elements))
				return VIDEO_REJECT_LENGTH;
			continue;
		}
		if (type != OBU_SEQUENCE_HEADER)
			continue;
		facts.parameter_sets = true;
		/* A header in two packets tells no size here. */
		(void)av1_sequence_size(obu, obu_len, &facts.width, &facts.height);
	}
	if (elements.r.failed || (elements.count != 0 && elements.at != elements.count))
		return VIDEO_REJECT_LENGTH;
	facts.key_start = (elements.head & NEW_SEQUENCE) != 0 || facts.parameter_sets;
	facts.frame_start = facts.key_start;
	*out = facts;
	return VIDEO_OK;
}

/* ---- Sequence header (AV1 s5.5) ---- */

static void
skip_timing(struct bits *bits, bool *decoder_model, unsigned *delay_bits)
{
	bits_skip(bits, 32);
	bits_skip(bits, 32);
	if (bits_u(bits, 1) != 0)
		(void)bits_ue(bits);
	*decoder_model = bits_u(bits, 1) != 0;
	if (*decoder_model) {
		*delay_bits = bits_u(bits, 5) + 1;
		bits_skip(bits, 32);
		bits_skip(bits, 10);
	}
}

static void
skip_operating_points(struct bits *bits, bool decoder_model, unsigned delay_bits)
{
	const bool initial_delay = bits_u(bits, 1) != 0;
	const unsigned count = bits_u(bits, 5) + 1;
	for (unsigned i = 0; i < count && !bits->failed; i++) {
		bits_skip(bits, 12);
		if (bits_u(bits, 5) > 7) /* seq_level_idx: seq_tier follows */
			bits_skip(bits, 1);
		if (decoder_model && bits_u(bits, 1) != 0) {
			bits_skip(bits, delay_bits);
			bits_skip(bits, delay_bits);
			bits_skip(bits, 1);
		}
		if (initial_delay && bits_u(bits, 1) != 0)
			bits_skip(bits, 4);
	}
}

bool
av1_sequence_size(const uint8_t *obu, size_t len, uint16_t *width, uint16_t *height)
{
	unsigned type;
	size_t header_len;
	if (!read_header(obu, len, &type, &header_len) || type != OBU_SEQUENCE_HEADER)
		return false;
	struct reader r = reader_of(obu, len);
	reader_skip(&r, header_len);
	if ((obu[0] & OBU_HAS_SIZE) != 0)
		(void)read_length(&r);
	if (r.failed)
		return false;
	struct bits bits = bits_of(obu + r.at, reader_left(&r));
	bits_skip(&bits, 4); /* seq_profile, still_picture */
	if (bits_u(&bits, 1) != 0) { /* reduced_still_picture_header */
		bits_skip(&bits, 5);
	} else {
		bool decoder_model = false;
		unsigned delay_bits = 0;
		if (bits_u(&bits, 1) != 0)
			skip_timing(&bits, &decoder_model, &delay_bits);
		skip_operating_points(&bits, decoder_model, delay_bits);
	}
	const unsigned width_bits = bits_u(&bits, 4) + 1;
	const unsigned height_bits = bits_u(&bits, 4) + 1;
	const uint32_t across = bits_u(&bits, width_bits) + 1;
	const uint32_t down = bits_u(&bits, height_bits) + 1;
	if (bits.failed || across > UINT16_MAX || down > UINT16_MAX)
		return false;
	*width = (uint16_t)across;
	*height = (uint16_t)down;
	return true;
}

/* ---- A temporal unit ---- */

void
av1_join_init(struct av1_join *join, struct writer *w)
{
	*join = (struct av1_join){ .w = w };
	writer_u8(w, OBU_TEMPORAL_DELIMITER << 3 | OBU_HAS_SIZE);
	writer_u8(w, 0);
}

/* Decoders need not be told what only says how the stream was carried (s5). */
static bool
is_dropped(unsigned type)
{
	return type == OBU_TEMPORAL_DELIMITER || type == OBU_TILE_LIST;
}

static bool
begin_obu(struct av1_join *join, const uint8_t *obu, size_t len)
{
	unsigned type;
	size_t header_len;
	if (!read_header(obu, len, &type, &header_len))
		return false;
	join->dropped = is_dropped(type);
	if (join->dropped)
		return true;
	struct reader r = reader_of(obu, len);
	reader_skip(&r, header_len);
	if ((obu[0] & OBU_HAS_SIZE) != 0)
		(void)read_length(&r);
	if (r.failed)
		return false;
	writer_u8(join->w, obu[0] | OBU_HAS_SIZE);
	writer_bytes(join->w, obu + 1, header_len - 1);
	join->open_at = join->w->at;
	writer_bytes(join->w, obu + r.at, reader_left(&r));
	return !join->w->failed;
}

/* The size goes in front of the content, which makes room for it. */
static bool
end_obu(struct av1_join *join)
{
	if (join->dropped)
		return true;
	size_t len = join->w->at - join->open_at;
	uint8_t size[LENGTH_BYTES_MAX];
	size_t size_len = 0;
	for (size_t left = len; size_len == 0 || left != 0; left >>= 7)
		size[size_len++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
	if (writer_take(join->w, size_len) == NULL)
		return false;
	uint8_t *content = join->w->bytes + join->open_at;
	memmove(content + size_len, content, len);
	memcpy(content, size, size_len);
	return true;
}

bool
av1_join_input(struct av1_join *join, const uint8_t *payload, size_t len)
{
	struct elements elements = elements_of(payload, len);
	if (elements.r.failed || ((elements.head & CONTINUES) != 0) != join->open)
		return false;
	const uint8_t *bytes;
	size_t bytes_len;
	while (next_element(&elements, &bytes, &bytes_len)) {
		if (!join->open) {
			if (!begin_obu(join, bytes, bytes_len))
				return false;
		} else if (!join->dropped) {
			writer_bytes(join->w, bytes, bytes_len);
		}
		join->open = is_continued(&elements);
		if (!join->open && !end_obu(join))
			return false;
	}
	return !elements.r.failed && !join->w->failed;
}

bool
av1_join_end(struct av1_join *join)
{
	return !join->open && !join->w->failed;
}
