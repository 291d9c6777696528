/* SPDX-License-Identifier: Apache-2.0 */
/* stream_fixture -- small streams made by real encoders (testdata/streams), their frames, and those
 * frames as packets: what the tests of this folder send through it.
 *
 * VP9 and AV1 are packetized here, because nothing else of ours does it. */
#ifndef VIDEO_STREAM_FIXTURE_H
#define VIDEO_STREAM_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "video/h264.h"
#include "video/packet_pool.h"
#include "video/vp8.h"

#ifndef STREAMS_DIR /* the build tells the whole path */
#define STREAMS_DIR "src/video/testdata/streams"
#endif

enum {
	STREAM_BYTES_MAX = 64 * 1024,
	STREAM_FRAMES_MAX = 16,
	STREAM_PACKETS_MAX = 256, /* of one frame */
	STREAM_FRAME_RTP = 6000,  /* 15 frames a second */
	IVF_HEADER_BYTES = 32,
	IVF_FRAME_BYTES = 12,
};

struct stream_frame {
	size_t at;
	size_t len;
	bool key;
};

struct stream {
	enum video_codec codec;
	unsigned frame_count;
	size_t len;
	struct stream_frame frames[STREAM_FRAMES_MAX];
	uint8_t bytes[STREAM_BYTES_MAX];
};

static inline void
stream_split_ivf(struct stream *stream)
{
	size_t at = IVF_HEADER_BYTES;
	while (at + IVF_FRAME_BYTES <= stream->len) {
		const uint8_t *head = stream->bytes + at;
		CHECK(stream->frame_count < STREAM_FRAMES_MAX);
		struct stream_frame *frame = &stream->frames[stream->frame_count++];
		frame->at = at + IVF_FRAME_BYTES;
		frame->len = (size_t)(head[0] | head[1] << 8 | head[2] << 16);
		at = frame->at + frame->len;
	}
	CHECK(at == stream->len);
}

/* Access units, with four-byte start codes everywhere, as frame_build gives them. */
static inline void
stream_split_h264(struct stream *stream)
{
	static uint8_t whole[STREAM_BYTES_MAX];
	struct writer w = writer_of(whole, sizeof whole);
	size_t at = 0;
	const uint8_t *nal;
	size_t nal_len;
	bool slices = true;
	while (h264_annexb_next(stream->bytes, stream->len, &at, &nal, &nal_len)) {
		const unsigned type = nal[0] & 0x1f;
		const bool slice = type == H264_NAL_SLICE || type == H264_NAL_IDR;
		if (slices && (!slice || (nal[1] & 0x80) != 0)) {
			CHECK(stream->frame_count < STREAM_FRAMES_MAX);
			stream->frames[stream->frame_count++] = (struct stream_frame){ .at = w.at };
			slices = false;
		}
		struct stream_frame *frame = &stream->frames[stream->frame_count - 1];
		slices |= slice;
		writer_u32(&w, 1);
		writer_bytes(&w, nal, nal_len);
		frame->len = w.at - frame->at;
		frame->key |= type == H264_NAL_IDR;
	}
	CHECK(!w.failed);
	memcpy(stream->bytes, whole, w.at);
	stream->len = w.at;
}

static inline void
stream_load(struct stream *stream, enum video_codec codec)
{
	static const char *const names[VIDEO_CODEC_COUNT] = {
		[VIDEO_CODEC_H264] = STREAMS_DIR "/small.h264",
		[VIDEO_CODEC_VP8] = STREAMS_DIR "/small.vp8.ivf",
		[VIDEO_CODEC_VP9] = STREAMS_DIR "/small.vp9.ivf",
		[VIDEO_CODEC_AV1] = STREAMS_DIR "/small.av1.ivf",
	};
	memset(stream, 0, sizeof *stream);
	stream->codec = codec;
	FILE *file = fopen(names[codec], "rb");
	CHECK(file != NULL);
	stream->len = fread(stream->bytes, 1, sizeof stream->bytes, file);
	CHECK(stream->len < sizeof stream->bytes);
	(void)fclose(file);
	if (codec == VIDEO_CODEC_H264)
		stream_split_h264(stream);
	else
		stream_split_ivf(stream);
	for (unsigned i = 0; i < stream->frame_count && codec != VIDEO_CODEC_H264; i++)
		stream->frames[i].key = i % 5 == 0; /* encoded with a key frame every fifth */
}

/* ---- Packets ---- */

struct stream_sender {
	struct packet_pool *pool;
	uint64_t source;
	int64_t seq;      /* next */
	uint32_t timestamp_rtp;
	uint16_t picture_id;
	uint16_t payload_max;
	bool no_markers;
	bool no_parameter_sets; /* H.264: they went another way */
};

struct stream_packets {
	unsigned count;
	struct packet *packets[STREAM_PACKETS_MAX];
};

static inline void
stream_add(struct stream_sender *sender, struct stream_packets *out, enum video_codec codec,
           const struct writer *w, bool last, int64_t now_us)
{
	CHECK(!w->failed && out->count < STREAM_PACKETS_MAX);
	struct packet *packet = packet_take(sender->pool, w->bytes, w->at);
	CHECK(packet != NULL);
	packet->source = sender->source;
	packet->seq = sender->seq++;
	packet->timestamp_rtp = sender->timestamp_rtp;
	packet->codec = (uint8_t)codec;
	packet->marker = last && !sender->no_markers;
	packet->arrived_us = now_us;
	CHECK(video_facts_parse(&packet->facts, codec, packet->payload, packet->len) == VIDEO_OK);
	out->packets[out->count++] = packet;
}

static inline void
stream_packetize_h264(struct stream_sender *sender, struct stream_packets *out,
                      const uint8_t *bytes, size_t len, int64_t now_us)
{
	struct h264_packetizer packetizer;
	uint8_t payload[PACKET_PAYLOAD_BYTES_MAX];
	bool last;
	if (sender->no_parameter_sets) {
		size_t at = 0;
		const uint8_t *nal = bytes;
		size_t nal_len;
		while (h264_annexb_next(bytes, len, &at, &nal, &nal_len) &&
		       ((nal[0] & 0x1f) == H264_NAL_SPS || (nal[0] & 0x1f) == H264_NAL_PPS))
			continue;
		len -= (size_t)(nal - bytes) - 4;
		bytes = nal - 4;
	}
	h264_packetizer_init(&packetizer, bytes, len, 1, sender->payload_max);
	for (;;) {
		struct writer w = writer_of(payload, sender->payload_max);
		if (!h264_packetizer_next(&packetizer, &w, &last))
			return;
		stream_add(sender, out, VIDEO_CODEC_H264, &w, last, now_us);
	}
}

static inline void
stream_packetize_vp8(struct stream_sender *sender, struct stream_packets *out, const uint8_t *bytes,
                     size_t len, int64_t now_us)
{
	struct vp8_packetizer packetizer;
	uint8_t payload[PACKET_PAYLOAD_BYTES_MAX];
	bool last;
	vp8_packetizer_init(&packetizer, bytes, len, sender->picture_id, false,
	                    sender->payload_max);
	for (;;) {
		struct writer w = writer_of(payload, sender->payload_max);
		if (!vp8_packetizer_next(&packetizer, &w, &last))
			return;
		stream_add(sender, out, VIDEO_CODEC_VP8, &w, last, now_us);
	}
}

static inline void
stream_packetize_vp9(struct stream_sender *sender, struct stream_packets *out, const uint8_t *bytes,
                     size_t len, bool key, int64_t now_us)
{
	uint8_t payload[PACKET_PAYLOAD_BYTES_MAX];
	for (size_t at = 0; at < len;) {
		const size_t room = sender->payload_max - 8u;
		const size_t piece = len - at < room ? len - at : room;
		const bool last = at + piece == len;
		struct writer w = writer_of(payload, sender->payload_max);
		writer_u8(&w, (uint8_t)(0x80 | (key ? 0 : 0x40) | (at == 0 ? 8 : 0) |
		                        (last ? 4 : 0) | (key && at == 0 ? 2 : 0)));
		writer_u16(&w, (uint16_t)(0x8000 | sender->picture_id));
		if (key && at == 0) { /* a scalability structure of one layer */
			writer_u8(&w, 0x10);
			writer_u16(&w, 128);
			writer_u16(&w, 96);
		}
		writer_bytes(&w, bytes + at, piece);
		stream_add(sender, out, VIDEO_CODEC_VP9, &w, last, now_us);
		at += piece;
	}
}

/* One element a packet, which is allowed; every second packet says so with W = 1. */
static inline void
stream_packetize_av1(struct stream_sender *sender, struct stream_packets *out, const uint8_t *bytes,
                     size_t len, bool key, int64_t now_us)
{
	uint8_t payload[PACKET_PAYLOAD_BYTES_MAX];
	uint8_t obu[STREAM_BYTES_MAX];
	bool first = true;
	for (size_t at = 0; at < len;) {
		const uint8_t header = bytes[at++];
		size_t obu_len = 0;
		for (unsigned shift = 0;; shift += 7) {
			const uint8_t byte = bytes[at++];
			obu_len |= (size_t)(byte & 0x7f) << shift;
			if ((byte & 0x80) == 0)
				break;
		}
		CHECK((header & 6) == 2 && at + obu_len <= len);
		obu[0] = header & 0xfd;
		memcpy(obu + 1, bytes + at, obu_len);
		at += obu_len++;
		for (size_t from = 0; from < obu_len && header >> 3 != 2;) {
			const size_t room = sender->payload_max - 4u;
			const size_t piece = obu_len - from < room ? obu_len - from : room;
			const bool counted = (sender->seq & 1) != 0;
			struct writer w = writer_of(payload, sender->payload_max);
			writer_u8(&w, (uint8_t)((from != 0 ? 0x80 : 0) |
			                        (from + piece < obu_len ? 0x40 : 0) |
			                        (counted ? 0x10 : 0) | (key && first ? 8 : 0)));
			if (!counted && piece >= 0x80)
				writer_u8(&w, (uint8_t)(0x80 | (piece & 0x7f)));
			if (!counted)
				writer_u8(&w, (uint8_t)(piece >= 0x80 ? piece >> 7 : piece));
			writer_bytes(&w, obu + from, piece);
			from += piece;
			first = false;
			stream_add(sender, out, VIDEO_CODEC_AV1, &w, at == len && from == obu_len,
			           now_us);
		}
	}
}

/* The packets of one frame, each with one reference that is the caller's. */
static inline void
stream_packetize(struct stream_sender *sender, struct stream_packets *out,
                 const struct stream *stream, unsigned at, int64_t now_us)
{
	const struct stream_frame *frame = &stream->frames[at % stream->frame_count];
	const uint8_t *bytes = stream->bytes + frame->at;
	out->count = 0;
	if (stream->codec == VIDEO_CODEC_H264)
		stream_packetize_h264(sender, out, bytes, frame->len, now_us);
	else if (stream->codec == VIDEO_CODEC_VP8)
		stream_packetize_vp8(sender, out, bytes, frame->len, now_us);
	else if (stream->codec == VIDEO_CODEC_VP9)
		stream_packetize_vp9(sender, out, bytes, frame->len, frame->key, now_us);
	else
		stream_packetize_av1(sender, out, bytes, frame->len, frame->key, now_us);
	sender->timestamp_rtp += STREAM_FRAME_RTP;
	sender->picture_id++;
}

#endif
