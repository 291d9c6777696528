/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: when memory is refused nothing crashes, nothing leaks, and an engine goes on: what could
 * not be made is left out and comes later.  Method: an engine's life with each of our allocations
 * refused in turn (base/fail_at.h); the libraries' own are theirs. */
#include <string.h>

#include "base/check.h"
#include "base/fail_at.h"
#include "base/test.h"
#include "codec/codec_link.h"
#include "codec/encoder.h"
#include "codec/codec.h"
#include "codec/labels.h"
#include "codec/picture.h"

enum { FRAME_MAX = 4096, SECOND_US = 1000000 };

/* One key frame of each codec, made beforehand. */
static struct {
	uint8_t bytes[FRAME_MAX];
	size_t len;
} frames[VIDEO_CODEC_COUNT];

static void
make_frames(void)
{
	static const enum video_codec codecs[] = { VIDEO_CODEC_H264, VIDEO_CODEC_VP8 };
	struct picture picture = { 0 };
	EXPECT_EQ(picture_resize(&picture, 64, 36), 0);
	picture_fill(&picture, &(struct picture_rect){ 0, 0, 64, 36 },
	             (struct picture_colour){ 90, 100, 110 });
	for (size_t i = 0; i < COUNT_OF(codecs); i++) {
		struct encoder *encoder = NULL;
		struct encoder_frame frame = { 0 };
		const struct encoder_settings settings = {
			.codec = codecs[i], .width = 64, .height = 36, .fps = 30, .bps = 100000
		};
		EXPECT_EQ(encoder_create(&encoder, &settings), 0);
		EXPECT_EQ(encoder_input(encoder, &frame, &picture, true, 0), ENCODER_FRAME);
		EXPECT(frame.len <= FRAME_MAX);
		memcpy(frames[codecs[i]].bytes, frame.bytes, frame.len);
		frames[codecs[i]].len = frame.len;
		encoder_destroy(encoder);
	}
	picture_fini(&picture);
}

static void
on_message(void *context, const struct codec_message *message)
{
	unsigned *sent = context;
	*sent += message->kind == CODEC_FRAME;
}

static void
input(struct codec_engine *engine, const struct codec_message *message, int64_t now_us)
{
	codec_engine_input(engine, message, now_us);
	while (codec_engine_deadline(engine) <= now_us)
		codec_engine_tick(engine, now_us);
}

static void
send_source(struct codec_engine *engine, video_source_id source, enum video_codec codec,
            int64_t now_us)
{
	input(engine,
	      &(struct codec_message){ .kind = CODEC_SOURCE_FRAME,
	                               .source = source,
	                               .frame = { .captured_us = now_us,
	                                          .codec = (uint8_t)codec,
	                                          .key = true,
	                                          .rotation = source == 0x200 ? 90 : 0 },
	                               .bytes = frames[codec].bytes,
	                               .len = frames[codec].len },
	      now_us);
}

static void
open_encode(struct codec_engine *engine, uint32_t id, enum video_codec codec, int width)
{
	input(engine,
	      &(struct codec_message){ .kind = CODEC_ENCODE_OPEN,
	                               .id = id,
	                               .encode = { .canvas = 1,
	                                           .codec = (uint8_t)codec,
	                                           .fps = 30,
	                                           .width = (uint16_t)width,
	                                           .height = 64,
	                                           .bps = 100000 } },
	      SECOND_US);
}

/* Two sources, two sizes, both codecs, names and all. */
static bool
engine_scene(void *context)
{
	struct codec_engine *engine = NULL;
	unsigned sent = 0;
	const struct codec_engine_settings settings = { .fonts = context,
		                                        .sink = { &sent, on_message } };
	if (codec_engine_create(&engine, &settings, SECOND_US) != 0)
		return false;
	struct canvas canvas = { .pane_count = 3, .labels = true, .counter = 4, .recording = true };
	for (unsigned i = 0; i < 3; i++)
		canvas.panes[i] = (struct canvas_pane){ .x = (uint16_t)(i * 640),
			                                .width = 640,
			                                .height = 1080,
			                                .source = (i + 1) * 0x100u,
			                                .label = "Zoe" };
	input(engine,
	      &(struct codec_message){ .kind = CODEC_CANVAS_SET, .id = 1, .canvas = &canvas },
	      SECOND_US);
	open_encode(engine, 1, VIDEO_CODEC_H264, 96);
	open_encode(engine, 2, VIDEO_CODEC_VP8, 96);
	open_encode(engine, 3, VIDEO_CODEC_VP8, 48);
	for (int64_t now_us = SECOND_US; now_us < SECOND_US + 100000; now_us += 33333) {
		send_source(engine, 0x100, VIDEO_CODEC_H264, now_us);
		send_source(engine, 0x200, VIDEO_CODEC_VP8, now_us);
	}
	codec_engine_destroy(engine);
	return sent >= 6;
}

TEST(an_engine_that_is_refused_memory_goes_on)
{
	struct label_fonts *fonts = NULL;
	make_frames();
	EXPECT_EQ(label_fonts_create(&fonts), 0);
	EXPECT(fail_at_each(engine_scene, fonts) > 20);
	label_fonts_destroy(fonts);
}

static bool
link_scene(void *context)
{
	(void)context;
	struct codec_link *link = NULL;
	static const struct canvas canvas;
	if (codec_link_create(&link) != 0)
		return false;
	/* More than the ring holds: some wait in memory of their own. */
	for (uint32_t id = 1; id < 1000; id++)
		codec_link_post(link, &(struct codec_message){ .kind = CODEC_CANVAS_SET,
		                                               .id = id,
		                                               .canvas = &canvas });
	const bool whole = !codec_link_broken(link);
	codec_link_put(link);
	return whole;
}

TEST(a_link_is_made_whole_or_not_at_all)
{
	EXPECT(fail_at_every(50, link_scene, NULL) >= 2);
}

static bool
fonts_scene(void *context)
{
	(void)context;
	struct label_fonts *fonts = NULL;
	if (label_fonts_create(&fonts) != 0)
		return false;
	label_fonts_destroy(fonts);
	return true;
}

TEST(fonts_are_had_whole_or_not_at_all)
{
	EXPECT(fail_at_each(fonts_scene, NULL) >= 1);
}
