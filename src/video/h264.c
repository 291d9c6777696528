/* SPDX-License-Identifier: Apache-2.0 */
/* RTP payloads: read (RFC 6184 s5) and made (s6), and the byte stream of H.264 Annex B. */
#include "video/h264.h"

#include <string.h>

#include "base/check.h"

enum {
	FORBIDDEN = 0x80, /* NAL unit header, s1.3 */
	REFERENCE = 0x60,
	TYPE = 0x1f,
	FU_START = 0x80, /* FU header, s5.8 */
	FU_END = 0x40,
	FU_HEADERS_BYTES = 2,
	FIRST_MACROBLOCK = 0x80, /* first_mb_in_slice is 0: the first bit of a slice header */
};

/* ---- Reading ---- */

static enum video_reject
check_header(uint8_t header)
{
	const unsigned type = header & TYPE;
	if ((header & FORBIDDEN) != 0)
		return VIDEO_REJECT_BIT;
	return type == 0 || type >= H264_NAL_STAP_A ? VIDEO_REJECT_TYPE : VIDEO_OK;
}

/* s5.7.1 */
static enum video_reject
check_aggregate(const uint8_t *payload, size_t len)
{
	struct reader r = reader_of(payload, len);
	reader_skip(&r, 1);
	if (reader_left(&r) == 0)
		return VIDEO_REJECT_SHORT;
	while (reader_left(&r) != 0) {
		const uint16_t nal_len = reader_u16(&r);
		const uint8_t *nal = reader_take(&r, nal_len);
		if (nal == NULL || nal_len == 0)
			return VIDEO_REJECT_LENGTH;
		const enum video_reject reject = check_header(nal[0]);
		if (reject != VIDEO_OK)
			return reject;
	}
	return VIDEO_OK;
}

/* s5.8 */
static enum video_reject
check_fragment(const uint8_t *payload, size_t len)
{
	if (len <= FU_HEADERS_BYTES)
		return VIDEO_REJECT_SHORT;
	if ((payload[1] & FU_START) != 0 && (payload[1] & FU_END) != 0)
		return VIDEO_REJECT_FRAGMENT;
	return check_header(payload[1] & TYPE);
}

enum video_reject
h264_walk_init(struct h264_walk *walk, const uint8_t *payload, size_t len)
{
	if (len == 0)
		return VIDEO_REJECT_SHORT;
	if ((payload[0] & FORBIDDEN) != 0)
		return VIDEO_REJECT_BIT;
	const unsigned type = payload[0] & TYPE;
	const enum video_reject reject = type == H264_NAL_STAP_A ? check_aggregate(payload, len)
	                                 : type == H264_NAL_FU_A ? check_fragment(payload, len)
	                                                         : check_header(payload[0]);
	if (reject == VIDEO_OK)
		*walk = (struct h264_walk){ .bytes = payload,
			                    .len = len,
			                    .at = type == H264_NAL_STAP_A ? 1 : 0,
			                    .aggregate = type == H264_NAL_STAP_A };
	return reject;
}

bool
h264_walk_next(struct h264_walk *walk, struct h264_piece *out)
{
	if (walk->at == walk->len)
		return false;
	const uint8_t *bytes = walk->bytes + walk->at;
	size_t len = walk->len - walk->at;
	*out = (struct h264_piece){ .first = true, .last = true };
	if (walk->aggregate) {
		len = (size_t)(bytes[0] << 8 | bytes[1]);
		bytes += 2;
		walk->at += 2;
	} else if ((bytes[0] & TYPE) == H264_NAL_FU_A) {
		out->fragment = true;
		out->first = (bytes[1] & FU_START) != 0;
		out->last = (bytes[1] & FU_END) != 0;
		out->header = (uint8_t)((bytes[0] & REFERENCE) | (bytes[1] & TYPE));
		bytes += FU_HEADERS_BYTES;
		len -= FU_HEADERS_BYTES;
		walk->at += FU_HEADERS_BYTES;
	}
	if (!out->fragment)
		out->header = bytes[0];
	out->bytes = bytes;
	out->len = len;
	walk->at += len;
	CHECK(walk->at <= walk->len);
	return true;
}

/* Does the slice of this piece hold the picture's first macroblock? */
static bool
begins_picture(const struct h264_piece *piece)
{
	const size_t at = piece->fragment ? 0 : 1;
	return piece->first && piece->len > at && (piece->bytes[at] & FIRST_MACROBLOCK) != 0;
}

enum video_reject
h264_facts_parse(struct video_facts *out, const uint8_t *payload, size_t len)
{
	struct h264_walk walk;
	const enum video_reject reject = h264_walk_init(&walk, payload, len);
	if (reject != VIDEO_OK)
		return reject;

	struct video_facts facts = { 0 };
	struct h264_piece piece;
	struct h264_sps sps;
	bool slices = false;
	bool referred = false;
	while (h264_walk_next(&walk, &piece)) {
		const unsigned type = piece.header & TYPE;
		const bool slice = type >= H264_NAL_SLICE && type <= H264_NAL_IDR;
		slices |= slice;
		referred |= slice && (piece.header & REFERENCE) != 0;
		if (type == H264_NAL_SPS && piece.first) {
			facts.parameter_sets = true;
			facts.key_start = true;
			if (!piece.fragment && h264_sps_parse(&sps, piece.bytes, piece.len)) {
				facts.width = sps.width;
				facts.height = sps.height;
			}
		}
		if (type == H264_NAL_IDR && begins_picture(&piece))
			facts.key_start = true;
		facts.frame_start |= (type == H264_NAL_AUD && piece.first) ||
		                     (slice && begins_picture(&piece));
	}
	facts.frame_start |= facts.key_start;
	facts.discardable = slices && !referred;
	*out = facts;
	return VIDEO_OK;
}

/* ---- Annex B ---- */

/* Where the next 00 00 01 begins at or behind `at`, or `len`. */
static size_t
find_start_code(const uint8_t *bytes, size_t len, size_t at)
{
	while (len - at >= 3) {
		const uint8_t *one = memchr(bytes + at + 2, 1, len - at - 2);
		if (one == NULL)
			break;
		const size_t one_at = (size_t)(one - bytes);
		if (bytes[one_at - 1] == 0 && bytes[one_at - 2] == 0)
			return one_at - 2;
		at = one_at - 1;
	}
	return len;
}

bool
h264_annexb_next(const uint8_t *bytes, size_t len, size_t *at, const uint8_t **nal, size_t *nal_len)
{
	CHECK(*at <= len);
	for (;;) {
		const size_t code_at = find_start_code(bytes, len, *at);
		if (code_at == len) {
			*at = len;
			return false;
		}
		const size_t from = code_at + 3;
		const size_t next_at = find_start_code(bytes, len, from);
		size_t end = next_at;
		while (end > from && bytes[end - 1] == 0)
			end--;
		*at = next_at;
		if (end == from)
			continue; /* nothing between two start codes */
		*nal = bytes + from;
		*nal_len = end - from;
		return true;
	}
}

/* ---- Sending ---- */

static void
fetch(struct h264_packetizer *packetizer)
{
	packetizer->nal = NULL;
	packetizer->nal_at = 0;
	const uint8_t *nal;
	size_t nal_len;
	while (packetizer->nal == NULL &&
	       h264_annexb_next(packetizer->bytes, packetizer->len, &packetizer->at, &nal,
	                        &nal_len)) {
		if (packetizer->mode == 0 && nal_len > packetizer->payload_max) {
			packetizer->left_out++;
			continue;
		}
		packetizer->nal = nal;
		packetizer->nal_len = nal_len;
	}
}

void
h264_packetizer_init(struct h264_packetizer *packetizer, const uint8_t *bytes, size_t len,
                     uint8_t mode, uint16_t payload_max)
{
	CHECK(mode <= 1);
	CHECK(payload_max >= 16);
	*packetizer = (struct h264_packetizer){
		.bytes = bytes, .len = len, .payload_max = payload_max, .mode = mode
	};
	fetch(packetizer);
}

/* The pieces of one NAL unit are of nearly the same size. */
static void
write_fragment(struct h264_packetizer *packetizer, struct writer *w)
{
	const uint8_t header = packetizer->nal[0];
	const size_t body = packetizer->nal_len - 1;
	const size_t room = (size_t)packetizer->payload_max - FU_HEADERS_BYTES;
	const size_t count = (body + room - 1) / room;
	const size_t piece_max = (body + count - 1) / count;
	const size_t left = body - packetizer->nal_at;
	const size_t piece = left < piece_max ? left : piece_max;
	writer_u8(w, (uint8_t)((header & (FORBIDDEN | REFERENCE)) | H264_NAL_FU_A));
	writer_u8(w, (uint8_t)((header & TYPE) | (packetizer->nal_at == 0 ? FU_START : 0) |
	                       (piece == left ? FU_END : 0)));
	writer_bytes(w, packetizer->nal + 1 + packetizer->nal_at, piece);
	packetizer->nal_at += piece;
	if (packetizer->nal_at == body)
		fetch(packetizer);
}

/* The NAL unit at hand and as many of the next as fit; alone it is sent as it is. */
static void
write_small(struct h264_packetizer *packetizer, struct writer *w)
{
	const uint8_t *nal = packetizer->nal;
	size_t nal_len = packetizer->nal_len;
	size_t total = 1 + 2 + nal_len;
	fetch(packetizer);
	if (packetizer->mode == 0 || packetizer->nal == NULL ||
	    total + 2 + packetizer->nal_len > packetizer->payload_max) {
		writer_bytes(w, nal, nal_len);
		return;
	}
	uint8_t *aggregate = writer_take(w, 1);
	CHECK(aggregate != NULL);
	uint8_t reference = 0;
	uint8_t forbidden = 0;
	for (;;) {
		/* s5.7: F is the OR, NRI the maximum of all inside. */
		if ((nal[0] & REFERENCE) > reference)
			reference = nal[0] & REFERENCE;
		forbidden |= nal[0] & FORBIDDEN;
		writer_u16(w, (uint16_t)nal_len);
		writer_bytes(w, nal, nal_len);
		nal = packetizer->nal;
		nal_len = packetizer->nal_len;
		if (nal == NULL || total + 2 + nal_len > packetizer->payload_max)
			break;
		total += 2 + nal_len;
		fetch(packetizer);
	}
	*aggregate = (uint8_t)(forbidden | reference | H264_NAL_STAP_A);
}

bool
h264_packetizer_next(struct h264_packetizer *packetizer, struct writer *w, bool *last)
{
	if (packetizer->nal == NULL)
		return false;
	if (packetizer->nal_at != 0 || packetizer->nal_len > packetizer->payload_max)
		write_fragment(packetizer, w);
	else
		write_small(packetizer, w);
	CHECK(!w->failed);
	*last = packetizer->nal == NULL;
	return true;
}
