/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what the encoders make is what was agreed: constrained baseline of the level that fits,
 * slices that fit a packet, key frames when asked for and only then, the rate held whatever is
 * shown. Method: noise and moving pictures; the NAL units and headers of what comes out. */
#include "codec/encoder.h"

#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "codec/decoder.h"

enum { FRAME_US = 33333, NAL_IDR = 5, NAL_SPS = 7, NAL_PPS = 8 };

static struct prng prng;

/* Noise all over: the hardest there is. */
static void
paint_noise(struct picture *picture)
{
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		const int shift = p == PICTURE_Y ? 0 : 1;
		for (int y = 0; y < picture->height >> shift; y++)
			prng_bytes(&prng, picture->planes[p] + y * picture->strides[p],
			           (size_t)(picture->width >> shift));
	}
}

/* Something like a slide: lines of letters, one word of which changes. */
static void
paint_slide(struct picture *picture, unsigned frame)
{
	const struct picture_rect all = { 0, 0, picture->width, picture->height };
	picture_fill(picture, &all, (struct picture_colour){ 235, 128, 128 });
	for (int y = 8; y + 8 < picture->height; y += 16)
		for (int x = 8; x + 8 < picture->width; x += 12)
			picture_fill(picture,
			             &(struct picture_rect){ x, y, 2 + (x * 7 + y) % 8, 8 },
			             (struct picture_colour){ 16, 128, 128 });
	picture_fill(picture, &(struct picture_rect){ 16, 24, (int)frame % 60 * 2, 8 },
	             (struct picture_colour){ 81, 90, 240 });
}

static struct encoder *
open_encoder(struct picture *picture, const struct encoder_settings *settings)
{
	struct encoder *encoder = NULL;
	prng_init(&prng, 1);
	EXPECT_EQ(picture_resize(picture, settings->width, settings->height), 0);
	EXPECT_EQ(encoder_create(&encoder, settings), 0);
	return encoder;
}

/* The next NAL unit behind `*at`; its length, 0 at the end. */
static size_t
next_nal(const struct encoder_frame *frame, size_t *at)
{
	size_t begin = *at;
	while (begin + 3 <= frame->len && memcmp(frame->bytes + begin, "\0\0\1", 3) != 0)
		begin++;
	if (begin + 3 > frame->len)
		return 0;
	*at = begin += 3;
	size_t end = begin;
	while (end + 3 <= frame->len && memcmp(frame->bytes + end, "\0\0\0", 3) != 0 &&
	       memcmp(frame->bytes + end, "\0\0\1", 3) != 0)
		end++;
	return (end + 3 <= frame->len ? end : frame->len) - begin;
}

TEST(a_key_frame_carries_its_parameter_sets_of_the_level_that_fits)
{
	static const struct {
		int width, height;
		unsigned fps;
		uint32_t bps;
		unsigned level_max;
	} cases[] = { { 320, 180, 30, 300000, 13 },
		      { 640, 360, 30, 800000, 30 },
		      { 1280, 720, 30, 1500000, 31 },
		      { 1920, 1080, 30, 4000000, 40 } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct picture picture = { 0 };
		struct encoder_frame frame = { 0 };
		struct encoder *encoder = open_encoder(
		        &picture, &(struct encoder_settings){ .codec = VIDEO_CODEC_H264,
		                                              .width = cases[i].width,
		                                              .height = cases[i].height,
		                                              .fps = cases[i].fps,
		                                              .bps = cases[i].bps });
		paint_slide(&picture, 0);
		EXPECT_EQ(encoder_input(encoder, &frame, &picture, false, 0), ENCODER_FRAME);
		EXPECT(frame.key);
		unsigned seen = 0;
		size_t at = 0;
		for (size_t len; (len = next_nal(&frame, &at)) != 0;) {
			const unsigned type = frame.bytes[at] & 0x1f;
			seen |= 1u << type;
			if (type != NAL_SPS)
				continue;
			EXPECT_EQ(frame.bytes[at + 1], 66);          /* baseline */
			EXPECT_EQ(frame.bytes[at + 2] & 0x40, 0x40); /* constrained */
			EXPECT(frame.bytes[at + 3] <= cases[i].level_max);
		}
		EXPECT_EQ(seen, 1u << NAL_SPS | 1u << NAL_PPS | 1u << NAL_IDR);
		encoder_destroy(encoder);
		picture_fini(&picture);
	}
}

TEST(slices_fit_a_packet_when_they_have_to)
{
	for (unsigned detail = 0; detail < 2; detail++) {
		struct picture picture = { 0 };
		struct encoder *encoder = open_encoder(
		        &picture, &(struct encoder_settings){ .codec = VIDEO_CODEC_H264,
		                                              .width = 640,
		                                              .height = 360,
		                                              .fps = 30,
		                                              .bps = 2000000,
		                                              .single_nals = true,
		                                              .detail = detail != 0 });
		struct decoder *decoder = NULL;
		EXPECT_EQ(decoder_create(&decoder, VIDEO_CODEC_H264), 0);
		unsigned slices = 0, frames = 0;
		for (unsigned i = 0; i < 30; i++) {
			struct encoder_frame frame = { 0 };
			if (i % 10 == 3)
				paint_noise(&picture);
			else
				paint_slide(&picture, i);
			const enum encoder_result result = encoder_input(
			        encoder, &frame, &picture, i % 12 == 0, i * (int64_t)FRAME_US);
			if (result == ENCODER_SKIPPED)
				continue;
			EXPECT_EQ(result, ENCODER_FRAME);
			EXPECT_EQ(decoder_input(decoder, frame.bytes, frame.len, frame.key),
			          DECODER_PICTURE);
			frames++;
			size_t at = 0;
			for (size_t len; (len = next_nal(&frame, &at)) != 0; slices++)
				EXPECT(len <= VIDEO_PAYLOAD_BYTES_MAX);
		}
		EXPECT(frames >= 10);
		EXPECT(slices > 3 * frames);
		decoder_destroy(decoder);
		encoder_destroy(encoder);
		picture_fini(&picture);
	}
}

/* Of both codecs, for cameras and for screens. */
static void
each_kind(void (*check)(const struct encoder_settings *settings))
{
	static const enum video_codec codecs[] = { VIDEO_CODEC_H264, VIDEO_CODEC_VP8 };
	for (size_t c = 0; c < COUNT_OF(codecs); c++)
		for (unsigned detail = 0; detail < 2; detail++)
			check(&(struct encoder_settings){ .codec = codecs[c],
			                                  .width = 640,
			                                  .height = 360,
			                                  .fps = 30,
			                                  .bps = 500000,
			                                  .detail = detail != 0 });
}

static void
check_keys(const struct encoder_settings *settings)
{
	struct picture picture = { 0 };
	struct encoder *encoder = open_encoder(&picture, settings);
	unsigned keys = 0;
	for (unsigned i = 0; i < 150; i++) {
		struct encoder_frame frame = { 0 };
		/* A cut to something else is no reason for one, but for OpenH264 with a screen. */
		if (i >= 70)
			paint_slide(&picture, i);
		else
			picture_fill(&picture, &(struct picture_rect){ 0, 0, 640, 360 },
			             (struct picture_colour){ (uint8_t)(40 + i), 90, 160 });
		if (encoder_input(encoder, &frame, &picture, i == 40, i * (int64_t)FRAME_US) ==
		    ENCODER_FRAME)
			keys += frame.key;
		const bool own = settings->codec == VIDEO_CODEC_H264 && settings->detail && i >= 70;
		EXPECT_EQ(keys, (i < 40 ? 1 : 2) + own);
	}
	encoder_destroy(encoder);
	picture_fini(&picture);
}

TEST(key_frames_come_when_asked_for_and_only_then)
{
	each_kind(check_keys);
}

static void
check_rate(const struct encoder_settings *settings)
{
	struct picture picture = { 0 };
	struct encoder *encoder = open_encoder(&picture, settings);
	size_t bytes = 0;
	enum { SECONDS = 6 };
	for (unsigned i = 0; i < SECONDS * 30; i++) {
		struct encoder_frame frame = { 0 };
		paint_noise(&picture);
		if (encoder_input(encoder, &frame, &picture, false, i * (int64_t)FRAME_US) ==
		            ENCODER_FRAME &&
		    i >= 60)
			bytes += frame.len;
	}
	/* Pictures are left out rather than the rate broken; what one takes that comes may be
	 * more. */
	EXPECT(bytes * 8 / (SECONDS - 2) < settings->bps * 3 / 2);
	encoder_destroy(encoder);
	picture_fini(&picture);
}

TEST(the_rate_is_held_even_for_noise)
{
	each_kind(check_rate);
}

TEST(settings_out_of_range_are_refused)
{
	static const struct encoder_settings bad[] = {
		{ .codec = VIDEO_CODEC_VP9, .width = 640, .height = 360, .fps = 30, .bps = 100000 },
		{ .codec = VIDEO_CODEC_VP8, .width = 641, .height = 360, .fps = 30, .bps = 100000 },
		{ .codec = VIDEO_CODEC_VP8, .width = 640, .height = 14, .fps = 30, .bps = 100000 },
		{ .codec = VIDEO_CODEC_H264,
		  .width = 4098,
		  .height = 360,
		  .fps = 30,
		  .bps = 100000 },
	};
	struct encoder *encoder = NULL;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		EXPECT(encoder_create(&encoder, &bad[i]) != 0);
}
