/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: payloads of VP8, VP9 and AV1 are read as their RFCs say, or refused by the rule they break.
 * Method: descriptors by hand, frame headers of real encoders, every prefix and every flipped byte.
 * */
#include "base/test.h"
#include "video/av1.h"
#include "video/stream_fixture.h"
#include "video/video_property.h"
#include "video/vp8.h"
#include "video/vp9.h"

struct payload_case {
	enum video_codec codec;
	uint8_t bytes[48];
	size_t len;
	enum video_reject reject;
	struct video_facts want;
};

#define VP8_KEY 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xd0, 0x42
#define VP9_KEY 0x82, 0x49, 0x83, 0x42, 0x00, 0x35, 0x50, 0x1d, 0xf6

static const struct payload_case cases[] = {
	/* VP8, RFC 7741 s4.2: the plain descriptor. */
	{ VIDEO_CODEC_VP8, { 0x10, VP8_KEY }, 11, VIDEO_OK,
	  { .descriptor_len = 1, .frame_start = true, .key_start = true, .width = 640,
	    .height = 720 } },
	{ VIDEO_CODEC_VP8, { 0x10, 0x11 }, 2, VIDEO_OK,
	  { .descriptor_len = 1, .frame_start = true } },
	{ VIDEO_CODEC_VP8, { 0x30, 0x11 }, 2, VIDEO_OK,
	  { .descriptor_len = 1, .frame_start = true, .discardable = true } },
	{ VIDEO_CODEC_VP8, { 0x00, 0x10 }, 2, VIDEO_OK, { .descriptor_len = 1 } },
	{ VIDEO_CODEC_VP8, { 0x11, 0x10 }, 2, VIDEO_OK, { .descriptor_len = 1 } }, /* partition 1 */
	/* All that may be there. */
	{ VIDEO_CODEC_VP8, { 0x90, 0xf0, 0x92, 0x34, 0x56, 0xa7, VP8_KEY }, 16, VIDEO_OK,
	  { .descriptor_len = 6, .frame_start = true, .key_start = true, .layer_sync = true,
	    .temporal = 2, .picture_id_bits = 15, .picture_id_at = 2, .picture_id = 0x1234,
	    .tl0_index_at = 4, .tl0_index = 0x56, .width = 640, .height = 720 } },
	{ VIDEO_CODEC_VP8, { 0x80, 0x80, 0x12, 0 }, 4, VIDEO_OK,
	  { .descriptor_len = 3, .picture_id_bits = 7, .picture_id_at = 2, .picture_id = 0x12 } },
	{ VIDEO_CODEC_VP8, { 0x80, 0x10, 0xe7, 0 }, 4, VIDEO_OK, { .descriptor_len = 3 } },
	{ VIDEO_CODEC_VP8, { 0x80, 0x00, 0 }, 3, VIDEO_OK, { .descriptor_len = 2 } },
	{ VIDEO_CODEC_VP8, { 0 }, 0, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP8, { 0x10 }, 1, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP8, { 0x80 }, 1, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP8, { 0x80, 0x80, 0x81 }, 3, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP8, { 0x80, 0xf0, 0x92, 0x34, 0x56, 0xa7 }, 6, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP8, { 0x10, 0x10, 2, 0 }, 4, VIDEO_REJECT_VALUE, { 0 } },
	{ VIDEO_CODEC_VP8, { 0x10, 0x10, 2, 0, 0x9d, 1, 0x2b, 1, 0, 1, 0 }, 11, VIDEO_REJECT_VALUE,
	  { 0 } },
	{ VIDEO_CODEC_VP8, { 0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 0, 0, 1, 0 }, 11, VIDEO_REJECT_VALUE,
	  { 0 } },

	/* VP9, RFC 9628 s4.2: non-flexible mode. */
	{ VIDEO_CODEC_VP9, { 0x88, 0x05, VP9_KEY, 6, 0x38 }, 13, VIDEO_OK,
	  { .descriptor_len = 2, .frame_start = true, .key_start = true, .picture_id_bits = 7,
	    .picture_id_at = 1, .picture_id = 5, .width = 854, .height = 480 } },
	{ VIDEO_CODEC_VP9, { 0xe8, 0x81, 0x02, 0x72, 0x44, 0x86, 0 }, 7, VIDEO_OK,
	  { .descriptor_len = 5, .frame_start = true, .layer_sync = true, .temporal = 3,
	    .spatial = 1, .picture_id_bits = 15, .picture_id_at = 1, .picture_id = 0x102,
	    .tl0_index_at = 4, .tl0_index = 0x44 } },
	/* Flexible: up to three references, no TL0PICIDX. */
	{ VIDEO_CODEC_VP9, { 0xf8, 0x05, 0x20, 0x03, 0x05, 0x06, 0x86 }, 7, VIDEO_OK,
	  { .descriptor_len = 6, .frame_start = true, .temporal = 1, .picture_id_bits = 7,
	    .picture_id_at = 1, .picture_id = 5 } },
	/* A structure of two layers and two pictures. */
	{ VIDEO_CODEC_VP9,
	  { 0x8a, 0x05, 0x38, 1, 64, 0, 180, 2, 128, 1, 104, 2, 0x00, 0x24, 1, VP9_KEY, 6, 0x38 },
	  26, VIDEO_OK,
	  { .descriptor_len = 15, .frame_start = true, .key_start = true, .picture_id_bits = 7,
	    .picture_id_at = 1, .picture_id = 5, .width = 640, .height = 360 } },
	/* The upper layer of a key picture is none. */
	{ VIDEO_CODEC_VP9, { 0xa8, 0x05, 0x03, 0x09, VP9_KEY, 6, 0x38 }, 15, VIDEO_OK,
	  { .descriptor_len = 4, .frame_start = true, .spatial = 1, .picture_id_bits = 7,
	    .picture_id_at = 1, .picture_id = 5, .tl0_index_at = 3, .tl0_index = 9 } },
	/* Not predicted, but no key frame: intra-only. */
	{ VIDEO_CODEC_VP9, { 0x08, 0x86, 0x40 }, 3, VIDEO_OK,
	  { .descriptor_len = 1, .frame_start = true } },
	{ VIDEO_CODEC_VP9, { 0 }, 0, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP9, { 0x08 }, 1, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP9, { 0x80, 0x80 }, 2, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP9, { 0x8a, 5, 0x18, 1, 64, 0, 180, 255, 4 }, 9, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_VP9, { 0x18, 0x86 }, 2, VIDEO_REJECT_BIT, { 0 } },
	{ VIDEO_CODEC_VP9, { 0xd8, 5, 3, 3, 3, 2, 0x86 }, 7, VIDEO_REJECT_VALUE, { 0 } },

	/* AV1, s4.4: a temporal delimiter would not be there; sequence header and frame are. */
	{ VIDEO_CODEC_AV1,
	  { 0x28, 12, 0x08, 0x00, 0x00, 0x00, 0x24, 0xc6, 0xab, 0xdf, 0x36, 0xbe, 0x40, 0x10, 0x30,
	    0x10 },
	  16, VIDEO_OK,
	  { .descriptor_len = 1, .frame_start = true, .key_start = true, .parameter_sets = true,
	    .width = 854, .height = 480 } },
	{ VIDEO_CODEC_AV1, { 0x10, 0x30, 0x10 }, 3, VIDEO_OK, { .descriptor_len = 1 } },
	{ VIDEO_CODEC_AV1, { 0x90, 0xff, 0x10 }, 3, VIDEO_OK, { .descriptor_len = 1 } },
	{ VIDEO_CODEC_AV1, { 0x00, 0x02, 0x30, 0x10, 0x01, 0x30 }, 6, VIDEO_OK,
	  { .descriptor_len = 1 } },
	{ VIDEO_CODEC_AV1, { 0x50, 0x34 }, 2, VIDEO_OK, { .descriptor_len = 1 } }, /* header cut */
	{ VIDEO_CODEC_AV1, { 0 }, 0, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_AV1, { 0x10 }, 1, VIDEO_REJECT_SHORT, { 0 } },
	{ VIDEO_CODEC_AV1, { 0x98, 0x30 }, 2, VIDEO_REJECT_FRAGMENT, { 0 } },
	{ VIDEO_CODEC_AV1, { 0x10, 0xb0 }, 2, VIDEO_REJECT_BIT, { 0 } },
	{ VIDEO_CODEC_AV1, { 0x00, 0x03, 0x30, 0x10 }, 4, VIDEO_REJECT_LENGTH, { 0 } },
	{ VIDEO_CODEC_AV1, { 0x00, 0x00, 0x01, 0x30 }, 4, VIDEO_REJECT_LENGTH, { 0 } },
	{ VIDEO_CODEC_AV1, { 0x20, 0x01, 0x30 }, 3, VIDEO_REJECT_LENGTH, { 0 } }, /* one of two */
	{ VIDEO_CODEC_AV1, { 0x10, 0x34 }, 2, VIDEO_REJECT_LENGTH, { 0 } },
	{ VIDEO_CODEC_AV1, { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x30 }, 8, VIDEO_REJECT_LENGTH,
	  { 0 } },

	{ VIDEO_CODEC_NONE, { 1, 2 }, 2, VIDEO_REJECT_CODEC, { 0 } },
};

TEST(payloads_tell_what_they_are)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct video_facts *want = &cases[i].want;
		struct video_facts facts = { 0 };
		EXPECT_EQ(video_facts_parse(&facts, cases[i].codec, cases[i].bytes, cases[i].len),
		          cases[i].reject);
		EXPECT_EQ(facts.descriptor_len, want->descriptor_len);
		EXPECT_EQ(facts.frame_start, want->frame_start);
		EXPECT_EQ(facts.key_start, want->key_start);
		EXPECT_EQ(facts.parameter_sets, want->parameter_sets);
		EXPECT_EQ(facts.discardable, want->discardable);
		EXPECT_EQ(facts.layer_sync, want->layer_sync);
		EXPECT_EQ(facts.temporal, want->temporal);
		EXPECT_EQ(facts.spatial, want->spatial);
		EXPECT_EQ(facts.picture_id_bits, want->picture_id_bits);
		EXPECT_EQ(facts.picture_id_at, want->picture_id_at);
		EXPECT_EQ(facts.picture_id, want->picture_id);
		EXPECT_EQ(facts.tl0_index_at, want->tl0_index_at);
		EXPECT_EQ(facts.tl0_index, want->tl0_index);
		EXPECT_EQ(facts.width, want->width);
		EXPECT_EQ(facts.height, want->height);
	}
}

TEST(every_prefix_and_every_flip_of_these_payloads_is_harmless)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t len = 0; len <= cases[i].len; len++) {
			facts_property(cases[i].codec, cases[i].bytes, len);
			av1_join_property(cases[i].bytes, len);
		}
		for (size_t at = 0; at < cases[i].len; at++) {
			for (unsigned value = 0; value < 256; value++) {
				uint8_t bytes[48];
				memcpy(bytes, cases[i].bytes, sizeof bytes);
				bytes[at] = (uint8_t)value;
				facts_property(cases[i].codec, bytes, cases[i].len);
				av1_join_property(bytes, cases[i].len);
			}
		}
	}
}

TEST(a_vp8_frame_is_cut_into_nearly_equal_pieces)
{
	uint8_t frame[1000] = { VP8_KEY };
	uint8_t bytes[300];
	struct vp8_packetizer packetizer;
	struct video_facts facts;
	bool last;
	size_t at = 0;
	vp8_packetizer_init(&packetizer, frame, sizeof frame, 0xffff, true, sizeof bytes);
	for (unsigned i = 0; i < 4; i++) {
		struct writer w = writer_of(bytes, sizeof bytes);
		EXPECT(vp8_packetizer_next(&packetizer, &w, &last));
		EXPECT_EQ(vp8_facts_parse(&facts, bytes, w.at), VIDEO_OK);
		EXPECT_EQ(facts.key_start, i == 0);
		EXPECT(facts.discardable);
		EXPECT(facts.picture_id == 0x7fff && facts.picture_id_bits == 15);
		EXPECT_EQ(w.at - facts.descriptor_len, 250);
		EXPECT_EQ(last, i == 3);
		at += w.at - facts.descriptor_len;
	}
	EXPECT_EQ(at, sizeof frame);
	struct writer w = writer_of(bytes, sizeof bytes);
	EXPECT(!vp8_packetizer_next(&packetizer, &w, &last));
	vp8_packetizer_init(&packetizer, frame, 0, 1, false, sizeof bytes);
	EXPECT(!vp8_packetizer_next(&packetizer, &w, &last));
}

/* ---- AV1: OBUs joined ---- */

struct join_case {
	uint8_t payloads[3][12];
	size_t lens[3];
	uint8_t want[24];
	size_t want_len; /* 0: it cannot be joined */
};

TEST(obus_come_together_with_their_sizes)
{
	static const struct join_case joins[] = {
		/* Two whole ones; the temporal delimiter inside goes, ours comes. */
		{ { { 0x30, 0x01, 0x10, 0x02, 0x30, 0xaa, 0x30, 0xbb, 0xcc } }, { 9 },
		  { 0x12, 0, 0x32, 1, 0xaa, 0x32, 2, 0xbb, 0xcc }, 9 },
		/* One in three packets, with an extension. */
		{ { { 0x50, 0x34, 0x08, 1, 2 }, { 0xd0, 3, 4 }, { 0x90, 5 } }, { 5, 3, 2 },
		  { 0x12, 0, 0x36, 0x08, 5, 1, 2, 3, 4, 5 }, 10 },
		/* One that tells its size already. */
		{ { { 0x10, 0x32, 2, 7, 8 } }, { 5 }, { 0x12, 0, 0x32, 2, 7, 8 }, 6 },
		/* A delimiter in pieces is left out, too. */
		{ { { 0x40, 1, 0x10 }, { 0x80, 1, 9, 2, 0x30, 1 } }, { 3, 6 },
		  { 0x12, 0, 0x32, 1, 1 }, 5 },
		/* A rest of nothing; a beginning without rest; a beginning over another. */
		{ { { 0x90, 1, 2 } }, { 3 }, { 0 }, 0 },
		{ { { 0x50, 0x30, 2 } }, { 3 }, { 0 }, 0 },
		{ { { 0x50, 0x30, 2 }, { 0x10, 0x30, 1 } }, { 3, 3 }, { 0 }, 0 },
		{ { { 0x00, 0x05, 0x30 } }, { 3 }, { 0 }, 0 },
		{ { { 0x10, 0xb0 } }, { 2 }, { 0 }, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(joins); i++) {
		uint8_t bytes[64];
		struct writer w = writer_of(bytes, sizeof bytes);
		struct av1_join join;
		bool good = true;
		av1_join_init(&join, &w);
		for (unsigned p = 0; p < 3 && joins[i].lens[p] != 0 && good; p++)
			good = av1_join_input(&join, joins[i].payloads[p], joins[i].lens[p]);
		good = good && av1_join_end(&join);
		EXPECT_EQ(good, joins[i].want_len != 0);
		if (good) {
			EXPECT_EQ(w.at, joins[i].want_len);
			EXPECT(memcmp(bytes, joins[i].want, w.at) == 0);
		}
	}
	/* No room. */
	uint8_t small[4];
	struct writer w = writer_of(small, sizeof small);
	struct av1_join join;
	av1_join_init(&join, &w);
	EXPECT(!av1_join_input(&join, (const uint8_t[]){ 0x10, 0x30, 1, 2 }, 4));
}

TEST(the_size_of_an_av1_sequence_is_read)
{
	static const uint8_t obu[] = { 0x0a, 0x0b, 0x00, 0x00, 0x00, 0x24, 0xc6,
		                       0xab, 0xdf, 0x36, 0xbe, 0x40, 0x10 };
	uint16_t width;
	uint16_t height;
	EXPECT(av1_sequence_size(obu, sizeof obu, &width, &height));
	EXPECT(width == 854 && height == 480);
	for (size_t len = 0; len < 8; len++)
		EXPECT(!av1_sequence_size(obu, len, &width, &height));
	EXPECT(!av1_sequence_size((const uint8_t[]){ 0x32, 1, 0 }, 3, &width, &height));
	/* A still picture: 64 x 32, reduced header. */
	static const uint8_t still[] = { 0x08, 0x18, 0x15, 0x3f, 0xf8 };
	EXPECT(av1_sequence_size(still, sizeof still, &width, &height));
	EXPECT(width == 64 && height == 32);
}
