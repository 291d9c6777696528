/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a frame whose reference is missing is found out and no other; whatever bytes come, nothing
 * is read beyond them.  Method: a stream of the real encoder, whole, with frames left out, with
 * every byte flipped and every prefix; hand-made parameter sets where gaps are allowed. */
#include "codec/h264_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "codec/encoder.h"

enum { FRAMES = 40 };

struct stream {
	uint8_t *frames[FRAMES];
	size_t lens[FRAMES];
};

static struct stream
make_stream(bool single_nals)
{
	struct stream stream = { 0 };
	struct picture picture = { 0 };
	struct encoder *encoder = NULL;
	const struct encoder_settings settings = { .codec = VIDEO_CODEC_H264,
		                                   .width = 64,
		                                   .height = 64,
		                                   .fps = 30,
		                                   .bps = 300000,
		                                   .single_nals = single_nals };
	EXPECT_EQ(encoder_create(&encoder, &settings), 0);
	EXPECT_EQ(picture_resize(&picture, 64, 64), 0);
	for (unsigned i = 0; i < FRAMES; i++) {
		struct encoder_frame frame = { 0 };
		picture_fill(&picture, &(struct picture_rect){ 0, 0, 64, 64 },
		             (struct picture_colour){ (uint8_t)(30 + 3 * i), 128, 128 });
		EXPECT_EQ(encoder_input(encoder, &frame, &picture, i == 20, i * 33333),
		          ENCODER_FRAME);
		EXPECT_EQ(frame.key, i == 0 || i == 20);
		stream.frames[i] = malloc(frame.len);
		EXPECT(stream.frames[i] != NULL);
		memcpy(stream.frames[i], frame.bytes, frame.len);
		stream.lens[i] = frame.len;
	}
	picture_fini(&picture);
	encoder_destroy(encoder);
	return stream;
}

static void
free_stream(struct stream *stream)
{
	for (unsigned i = 0; i < FRAMES; i++)
		free(stream->frames[i]);
}

TEST(a_whole_stream_follows_and_one_with_a_gap_does_not)
{
	struct stream stream = make_stream(false);
	for (unsigned gap = 0; gap < FRAMES; gap++) {
		struct h264_order order = { 0 };
		for (unsigned i = 0; i < FRAMES; i++) {
			if (i == gap && gap != 0 && gap != 20)
				continue; /* lost */
			const bool follows =
			        h264_order_follows(&order, stream.frames[i], stream.lens[i]);
			/* A key frame needs nobody: a loss just before it is none. */
			EXPECT_EQ(follows, i != gap + 1 || gap == 0 || gap == 20 || i == 20);
		}
	}
	free_stream(&stream);
}

TEST(frames_of_several_slices_are_one_frame)
{
	struct stream stream = make_stream(true);
	struct h264_order order = { 0 };
	for (unsigned i = 0; i < FRAMES; i++)
		EXPECT(h264_order_follows(&order, stream.frames[i], stream.lens[i]));
	free_stream(&stream);
}

TEST(where_gaps_are_allowed_there_are_none)
{
	/* Baseline SPS 0: frame_num of 4 bits, POC type 2, one reference frame, gaps allowed or
	 * not; PPS 0; then slices of frames 0 (IDR), 1 and 5. */
	static const uint8_t pps[] = { 0, 0, 1, 0x68, 0xce, 0x3c, 0x80 };
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		/* 66, flags, level 30 | ue 0 (id) 1, ue 0 1, ue 2 011, ue 1 010, then the flag. */
		const uint8_t sps[] = { 0,    0,    1,
			                0x67, 66,   0xc0,
			                30,   0xda, (uint8_t)(allowed != 0 ? 0xc0 : 0x40) };
		/* first_mb 0: 1, slice_type 5: 00110, pps 0: 1, frame_num: 4 bits. */
		const uint8_t idr[] = { 0, 0, 1, 0x65, 0x9a, 0x00, 0xff };
		const uint8_t first[] = { 0, 0, 1, 0x61, 0x9a, 0x20, 0xff };
		const uint8_t fifth[] = { 0, 0, 1, 0x61, 0x9a, 0xa0, 0xff };
		struct h264_order order = { 0 };
		EXPECT(h264_order_follows(&order, sps, sizeof sps));
		EXPECT(h264_order_follows(&order, pps, sizeof pps));
		EXPECT(h264_order_follows(&order, idr, sizeof idr));
		EXPECT(h264_order_follows(&order, first, sizeof first));
		EXPECT_EQ(h264_order_follows(&order, fifth, sizeof fifth), allowed == 1);
	}
}

TEST(bytes_of_any_kind_are_read_within_their_bounds)
{
	struct stream stream = make_stream(false);
	struct h264_order order = { 0 };
	for (size_t len = 0; len <= stream.lens[0]; len++) {
		uint8_t *exact = malloc(len != 0 ? len : 1);
		memcpy(exact, stream.frames[0], len);
		(void)h264_order_follows(&order, exact, len);
		free(exact);
	}
	for (size_t at = 0; at < stream.lens[0] && at < 60; at++) {
		for (unsigned value = 0; value < 256; value++) {
			const uint8_t kept = stream.frames[0][at];
			stream.frames[0][at] = (uint8_t)value;
			(void)h264_order_follows(&order, stream.frames[0], stream.lens[0]);
			stream.frames[0][at] = kept;
		}
	}
	struct prng prng;
	prng_init(&prng, 9);
	for (unsigned i = 0; i < 5000; i++) {
		uint8_t bytes[64];
		prng_bytes(&prng, bytes, sizeof bytes);
		memcpy(bytes, "\0\0\1", 3);
		bytes[3] = (uint8_t)(0x60 | (const uint8_t[]){ 1, 5, 7, 8 }[i % 4]);
		(void)h264_order_follows(&order, bytes, 4 + prng_below(&prng, 60));
	}
	free_stream(&stream);
}
