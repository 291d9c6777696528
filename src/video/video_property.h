/* SPDX-License-Identifier: Apache-2.0 */
/* video_property -- what holds for any bytes, for the unit tests and the fuzz targets alike. */
#ifndef VIDEO_VIDEO_PROPERTY_H
#define VIDEO_VIDEO_PROPERTY_H

#include <string.h>

#include "base/check.h"
#include "video/av1.h"
#include "video/facts.h"
#include "video/h264.h"
#include "video/packet_pool.h"
#include "video/video.h"

/* What is told of a payload lies inside it, and rewriting ids changes nothing else. */
static inline void
facts_property(enum video_codec codec, const uint8_t *payload, size_t len)
{
	struct video_facts facts;
	struct video_facts again;
	uint8_t copy[PACKET_PAYLOAD_BYTES_MAX];
	if (len > sizeof copy || video_facts_parse(&facts, codec, payload, len) != VIDEO_OK)
		return;
	CHECK(facts.descriptor_len < len);
	CHECK(facts.frame_start || !facts.key_start);
	CHECK((facts.width == 0) == (facts.height == 0) || codec == VIDEO_CODEC_VP9);
	const unsigned id_bits = facts.picture_id_bits;
	CHECK(id_bits == 0 || id_bits == 7 || id_bits == 15);
	CHECK(id_bits == 0 || (facts.picture_id_at != 0 &&
	                       facts.picture_id_at + (id_bits + 1) / 8 <= facts.descriptor_len));
	CHECK(facts.tl0_index_at < facts.descriptor_len || facts.tl0_index_at == 0);

	memcpy(copy, payload, len);
	const uint16_t id = facts.picture_id ^ 0x55;
	const uint8_t index = facts.tl0_index ^ 0xaa;
	video_facts_rewrite(copy, &facts, id, index);
	CHECK(video_facts_parse(&again, codec, copy, len) == VIDEO_OK);
	CHECK(id_bits == 0 || again.picture_id == (id & ((1u << id_bits) - 1)));
	CHECK(facts.tl0_index_at == 0 || again.tl0_index == index);
	video_facts_rewrite(copy, &again, facts.picture_id, facts.tl0_index);
	CHECK(memcmp(copy, payload, len) == 0);
}

/* The pieces of an H.264 payload stand in it one behind the other. */
static inline void
h264_walk_property(const uint8_t *payload, size_t len)
{
	struct h264_walk walk;
	struct h264_piece piece;
	const uint8_t *at = payload;
	if (h264_walk_init(&walk, payload, len) != VIDEO_OK)
		return;
	unsigned count = 0;
	while (h264_walk_next(&walk, &piece)) {
		CHECK(piece.len != 0);
		CHECK(piece.bytes >= at && piece.bytes + piece.len <= payload + len);
		CHECK((piece.header & 0x80) == 0 && (piece.header & 0x1f) != 0);
		CHECK(piece.fragment ? !(piece.first && piece.last) : piece.first && piece.last);
		at = piece.bytes + piece.len;
		count++;
	}
	CHECK(count != 0 && at == payload + len);
}

/* An SPS that is read has a size; sets that are kept are given back as they were. */
static inline void
h264_sets_property(const uint8_t *nal, size_t len)
{
	struct h264_sps sps;
	struct h264_sets sets = { 0 };
	uint8_t out[4 + H264_SET_BYTES_MAX];
	if (h264_sps_parse(&sps, nal, len))
		CHECK(sps.width != 0 && sps.height != 0);
	if (!h264_sets_keep(&sets, nal, len))
		return;
	CHECK(sets.count == 1);
	CHECK(!h264_sets_keep(&sets, nal, len));
	struct writer w = writer_of(out, sizeof out);
	h264_sets_write_annexb(&sets, &w);
	CHECK(w.at == len + 4 && memcmp(out + 4, nal, len) == 0);
	w = writer_of(out, sizeof out);
	h264_sets_write_stap(&sets, &w);
	CHECK(w.at == len + 3 && memcmp(out + 3, nal, len) == 0);
}

/* Whatever is cut into payloads comes together again, NAL unit by NAL unit, in payloads no larger
 * than asked for; mode 0 may leave out what does not fit. */
static inline void
h264_packetizer_property(const uint8_t *bytes, size_t len, uint8_t mode, uint16_t payload_max)
{
	static uint8_t joined[1 << 17];
	static uint8_t wanted[1 << 17];
	uint8_t payload[PACKET_PAYLOAD_BYTES_MAX];
	struct writer want = writer_of(wanted, sizeof wanted);
	struct writer got = writer_of(joined, sizeof joined);
	unsigned left_out = 0;
	size_t at = 0;
	const uint8_t *nal;
	size_t nal_len;
	bool valid = true;
	while (h264_annexb_next(bytes, len, &at, &nal, &nal_len)) {
		CHECK(nal_len != 0 && nal >= bytes + 3 && nal + nal_len <= bytes + len);
		valid &= nal[0] < 0x80 && (nal[0] & 0x1f) != 0 && (nal[0] & 0x1f) < 24;
		if (mode == 0 && nal_len > payload_max) {
			left_out++;
			continue;
		}
		writer_u32(&want, 1);
		writer_bytes(&want, nal, nal_len);
	}

	struct h264_packetizer packetizer;
	bool last = false;
	h264_packetizer_init(&packetizer, bytes, len, mode, payload_max);
	for (;;) {
		struct writer w = writer_of(payload, payload_max);
		const bool was_last = last;
		if (!h264_packetizer_next(&packetizer, &w, &last))
			break;
		CHECK(!was_last && w.at != 0 && w.at <= payload_max);
		struct h264_walk walk;
		struct h264_piece piece;
		if (!valid)
			continue;
		CHECK(h264_walk_init(&walk, payload, w.at) == VIDEO_OK);
		CHECK(mode == 1 || (payload[0] & 0x1f) < 24);
		while (h264_walk_next(&walk, &piece)) {
			if (piece.first)
				writer_u32(&got, 1);
			if (piece.first && piece.fragment)
				writer_u8(&got, piece.header);
			writer_bytes(&got, piece.bytes, piece.len);
		}
	}
	CHECK(packetizer.left_out == left_out);
	CHECK(last == (want.at != 0));
	CHECK(!valid || (got.at == want.at && memcmp(joined, wanted, got.at) == 0));
}

/* Whatever was read has limits no tighter than level 1's. */
static inline void
h264_fmtp_property(const char *text, size_t len)
{
	struct h264_fmtp fmtp;
	if (h264_fmtp_parse(&fmtp, (struct str){ .at = text, .len = len }) != H264_FMTP_OK)
		return;
	CHECK(fmtp.packetization_mode <= 2);
	CHECK(fmtp.sets.count <= H264_SETS_MAX);
	const struct h264_limits limits = h264_limits_of(&fmtp);
	CHECK(limits.frame_macroblocks >= 99 && limits.frame_macroblocks >= fmtp.max_fs);
	CHECK(limits.macroblocks_per_s >= 1485 && limits.macroblocks_per_s >= fmtp.max_mbps);
	CHECK(limits.bps >= 64000);
}

/* A payload of AV1, alone as a temporal unit: what is joined is no smaller than its OBUs' contents.
 * */
static inline void
av1_join_property(const uint8_t *payload, size_t len)
{
	static uint8_t bytes[VIDEO_FRAME_BYTES_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	struct av1_join join;
	av1_join_init(&join, &w);
	if (av1_join_input(&join, payload, len) && av1_join_end(&join))
		CHECK(w.at >= 2 && w.at <= 2 + 2 * len);
}

#endif
