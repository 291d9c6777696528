/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what the engine sends shows every source in its pane, in the right colours, the right way
 * round; what is broken, silent or out of range shows a name and never a damaged picture; nothing
 * is made that nobody needs, and what is too much is left out and not queued.  Method: the real
 * encoders make what cameras send, the real decoders look at what comes out (testing.h). */
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "base/test.h"
#include "codec/testing.h"

enum {
	SECOND_US = 1000000,
	CANVAS = 7,
	ENCODE = 9,
};

static const struct picture_colour red = { 81, 90, 240 };
static const struct picture_colour green = { 145, 54, 34 };
static const struct picture_colour blue = { 41, 240, 110 };
static const struct picture_colour yellow = { 210, 16, 146 };
static const struct picture_colour calm = { 46, 134, 122 };

static const struct codec_encode h264_720p = { .canvas = CANVAS,
	                                       .codec = VIDEO_CODEC_H264,
	                                       .fps = 30,
	                                       .width = 1280,
	                                       .height = 720,
	                                       .bps = 1500000 };
static const struct codec_encode vp8_360p = { .canvas = CANVAS,
	                                      .codec = VIDEO_CODEC_VP8,
	                                      .fps = 30,
	                                      .width = 640,
	                                      .height = 360,
	                                      .bps = 600000 };

static struct testing_world world;

static void
open_world(void)
{
	testing_world_init(&world);
}

static void
close_world(void)
{
	testing_world_fini(&world);
}

/* Four cameras of all kinds in a grid of four, and a screen. */
static struct testing_screen *
four_sources(const struct codec_encode *encode)
{
	static const video_source_id sources[] = { 0x100, 0x200, 0x300, 0x401 };
	testing_camera_add(&world, 0x100, VIDEO_CODEC_H264, 640, 360, red);
	testing_camera_add(&world, 0x200, VIDEO_CODEC_VP8, 1280, 720, green);
	testing_camera_add(&world, 0x300, VIDEO_CODEC_H264, 320, 180, blue);
	testing_camera_add(&world, 0x401, VIDEO_CODEC_VP8, 640, 360, yellow);
	const struct canvas canvas = testing_grid(sources, 4, 2);
	testing_canvas(&world, CANVAS, &canvas);
	return testing_screen_add(&world, ENCODE, encode);
}

static void
expect_four(const struct testing_screen *screen)
{
	EXPECT(testing_near(testing_colour(screen, 50, 100, 400, 300), red));
	EXPECT(testing_near(testing_colour(screen, 550, 100, 400, 300), green));
	EXPECT(testing_near(testing_colour(screen, 50, 600, 400, 300), blue));
	EXPECT(testing_near(testing_colour(screen, 550, 600, 400, 300), yellow));
}

TEST(each_source_is_in_its_pane_in_its_colour)
{
	open_world();
	struct testing_screen *rooms = four_sources(&h264_720p);
	struct testing_screen *others = testing_screen_add(&world, ENCODE + 1, &vp8_360p);
	testing_run(&world, SECOND_US);
	EXPECT_EQ(decoder_picture(rooms->decoder)->width, 1280);
	EXPECT_EQ(decoder_picture(rooms->decoder)->height, 720);
	expect_four(rooms);
	expect_four(others);
	EXPECT_EQ(rooms->broken + others->broken, 0);
	/* 30 a second, one key frame each; captured when it was composed. */
	EXPECT(rooms->frames >= 29 && rooms->frames <= 32);
	EXPECT(others->frames >= 27 && others->frames <= 32);
	EXPECT_EQ(rooms->keys, 1);
	EXPECT_EQ(rooms->last.width, 1280);
	EXPECT(world.now_us - rooms->last.captured_us < 40000);
	close_world();
}

TEST(a_canvas_may_come_before_or_after_all_else)
{
	open_world();
	static const video_source_id sources[] = { 0x100, 0x200 };
	const struct canvas canvas = testing_grid(sources, 2, 2);
	struct testing_screen *screen = testing_screen_add(&world, ENCODE, &vp8_360p);
	testing_run(&world, SECOND_US / 10);
	EXPECT_EQ(screen->frames, 0);
	testing_canvas(&world, CANVAS, &canvas);
	testing_run(&world, SECOND_US / 10);
	EXPECT(screen->frames > 0);
	EXPECT(testing_near(testing_colour(screen, 50, 100, 400, 800), calm));
	testing_camera_add(&world, 0x100, VIDEO_CODEC_VP8, 640, 720, red);
	testing_run(&world, SECOND_US / 2);
	EXPECT(testing_near(testing_colour(screen, 50, 300, 400, 400), red));
	close_world();
}

TEST(encodes_of_one_size_share_one_composition)
{
	open_world();
	four_sources(&h264_720p);
	struct codec_encode slower = h264_720p;
	slower.fps = 15;
	struct testing_screen *second = testing_screen_add(&world, ENCODE + 1, &slower);
	struct codec_encode vp8 = vp8_360p;
	vp8.width = 1280;
	vp8.height = 720;
	testing_screen_add(&world, ENCODE + 2, &vp8);
	testing_run(&world, 2 * SECOND_US);
	const struct codec_load load = codec_engine_load(world.engine);
	EXPECT_EQ(load.canvases, 1);
	EXPECT_EQ(load.encodes, 3);
	EXPECT_EQ(load.sources, 4);
	EXPECT(load.frames_composed >= 57 && load.frames_composed <= 63);
	EXPECT(second->frames >= 28 && second->frames <= 32);
	EXPECT_EQ(world.load.encodes, 3);

	testing_order(&world, CODEC_ENCODE_CLOSE, ENCODE);
	testing_order(&world, CODEC_ENCODE_CLOSE, ENCODE + 1);
	testing_order(&world, CODEC_ENCODE_CLOSE, ENCODE + 2);
	testing_run(&world, SECOND_US);
	EXPECT_EQ(codec_engine_load(world.engine).canvases, 0);
	EXPECT(codec_engine_load(world.engine).frames_composed < load.frames_composed + 5);
	/* Nothing shows the sources: nothing is decoded. */
	EXPECT(codec_engine_load(world.engine).frames_decoded < load.frames_decoded + 5);
	close_world();
}

TEST(a_picture_that_stands_still_costs_a_refresh_now_and_then)
{
	open_world();
	struct testing_screen *screen = four_sources(&h264_720p);
	testing_run(&world, SECOND_US);
	for (unsigned i = 0; i < world.camera_count; i++)
		world.cameras[i].off = true;
	testing_run(&world, 100000);
	const unsigned frames = screen->frames;
	const uint64_t composed = codec_engine_load(world.engine).frames_composed;
	testing_run(&world, 2 * SECOND_US);
	EXPECT_EQ(codec_engine_load(world.engine).frames_composed, composed);
	EXPECT(screen->frames > frames && screen->frames - frames <= 8);
	expect_four(screen);

	/* A new receiver and a key frame asked for have it at once all the same. */
	struct testing_screen *late = testing_screen_add(&world, ENCODE + 1, &vp8_360p);
	testing_work(&world);
	EXPECT_EQ(late->frames, 1);
	expect_four(late);
	const unsigned keys = screen->keys;
	testing_order(&world, CODEC_ENCODE_KEY, ENCODE);
	testing_work(&world);
	EXPECT_EQ(screen->keys, keys + 1);
	EXPECT_EQ(screen->broken, 0);
	close_world();
}

TEST(a_flood_of_key_requests_makes_few_key_frames)
{
	open_world();
	struct testing_screen *screen = four_sources(&h264_720p);
	testing_run(&world, SECOND_US);
	const unsigned keys = screen->keys;
	for (unsigned i = 0; i < 200; i++) {
		testing_order(&world, CODEC_ENCODE_KEY, ENCODE);
		testing_run(&world, SECOND_US / 200);
	}
	EXPECT(screen->keys > keys && screen->keys - keys <= 6);
	EXPECT(screen->frames < 75);
	close_world();
}

TEST(a_silent_source_becomes_its_name_and_comes_back)
{
	open_world();
	static const video_source_id sources[] = { 0x100 };
	struct testing_camera *camera =
	        testing_camera_add(&world, 0x100, VIDEO_CODEC_H264, 640, 360, green);
	struct canvas canvas = testing_grid(sources, 1, 1);
	memcpy(canvas.panes[0].label, "Zoë 수진", sizeof "Zoë 수진");
	testing_canvas(&world, CANVAS, &canvas);
	struct testing_screen *screen = testing_screen_add(&world, ENCODE, &h264_720p);
	testing_run(&world, SECOND_US);
	EXPECT(testing_near(testing_colour(screen, 100, 200, 800, 500), green));

	camera->off = true;
	testing_run(&world, CODEC_SOURCE_SILENT_US - SECOND_US / 2);
	EXPECT(testing_near(testing_colour(screen, 100, 200, 800, 500), green));
	testing_run(&world, SECOND_US);
	EXPECT(testing_near(testing_colour(screen, 100, 100, 800, 200), calm));
	/* Its name stands in the middle. */
	EXPECT(testing_contrast(screen, 300, 400, 400, 200) > 120);
	camera->off = false;
	testing_run(&world, SECOND_US);
	EXPECT(testing_near(testing_colour(screen, 100, 200, 800, 500), green));
	close_world();
}

TEST(a_screen_that_stands_still_is_shown_on)
{
	open_world();
	static const video_source_id sources[] = { 0x100 | VIDEO_TRACK_CONTENT };
	struct testing_camera *camera =
	        testing_camera_add(&world, sources[0], VIDEO_CODEC_H264, 640, 360, green);
	struct canvas canvas = testing_grid(sources, 1, 1);
	testing_canvas(&world, CANVAS, &canvas);
	struct testing_screen *screen = testing_screen_add(&world, ENCODE, &h264_720p);
	testing_run(&world, SECOND_US);
	camera->off = true;
	testing_run(&world, 3 * CODEC_SOURCE_SILENT_US);
	EXPECT(testing_near(testing_colour(screen, 100, 200, 800, 500), green));
	close_world();
}

TEST(a_closed_source_is_gone_at_once)
{
	open_world();
	struct testing_screen *screen = four_sources(&vp8_360p);
	testing_run(&world, SECOND_US);
	world.cameras[0].off = true;
	codec_engine_input(world.engine,
	                   &(struct codec_message){ .kind = CODEC_SOURCE_CLOSE, .source = 0x100 },
	                   world.now_us);
	testing_run(&world, SECOND_US / 5);
	EXPECT(testing_near(testing_colour(screen, 50, 100, 400, 300), calm));
	EXPECT(testing_near(testing_colour(screen, 550, 100, 400, 300), green));
	close_world();
}

/* The part of a pane in which nothing moves. */
static struct picture_colour
still_part(const struct testing_screen *screen)
{
	return testing_colour(screen, 200, 300, 600, 500);
}

static void
one_pane(struct testing_screen **screen, struct testing_camera **camera, enum video_codec codec)
{
	static const video_source_id sources[] = { 0x100 };
	*camera = testing_camera_add(&world, 0x100, codec, 640, 360, red);
	const struct canvas canvas = testing_grid(sources, 1, 1);
	testing_canvas(&world, CANVAS, &canvas);
	*screen = testing_screen_add(&world, ENCODE, &h264_720p);
	testing_run(&world, SECOND_US);
	EXPECT(testing_near(still_part(*screen), red));
}

static void
send(video_source_id source, enum video_codec codec, bool key, const uint8_t *bytes, size_t len)
{
	codec_engine_input(world.engine,
	                   &(struct codec_message){ .kind = CODEC_SOURCE_FRAME,
	                                            .source = source,
	                                            .frame = { .captured_us = world.now_us,
	                                                       .codec = (uint8_t)codec,
	                                                       .key = key },
	                                            .bytes = bytes,
	                                            .len = len },
	                   world.now_us);
}

TEST(broken_frames_are_never_shown_and_ask_for_a_key_frame)
{
	static const enum video_codec codecs[] = { VIDEO_CODEC_H264, VIDEO_CODEC_VP8 };
	for (size_t c = 0; c < sizeof codecs / sizeof *codecs; c++) {
		struct testing_screen *screen;
		struct testing_camera *camera;
		open_world();
		one_pane(&screen, &camera, codecs[c]);
		camera->off = true;
		/* From here on every frame is cut short, whatever is asked for.  (A VP8 frame does
		 * not say how long its last partition is: there it is the first that is cut.) */
		const uint64_t decoded = codec_engine_load(world.engine).frames_decoded;
		for (unsigned i = 0; i < 30; i++) {
			const struct encoder_frame frame =
			        testing_camera_encode(camera, world.now_us);
			const size_t kept = codecs[c] == VIDEO_CODEC_VP8 ? 16 : frame.len / 2;
			if (frame.len > kept)
				send(0x100, codecs[c], frame.key, frame.bytes, kept);
			testing_run(&world, TESTING_FRAME_US);
			const struct picture_colour colour = still_part(screen);
			EXPECT(testing_near(colour, red) || testing_near(colour, calm));
		}
		EXPECT(testing_near(still_part(screen), calm));
		EXPECT_EQ(codec_engine_load(world.engine).frames_decoded, decoded);
		EXPECT(codec_engine_load(world.engine).frames_broken > 0);
		EXPECT(camera->keys_asked >= 1 && camera->keys_asked <= 2);

		/* Whole again: one key frame brings the picture back. */
		camera->off = false;
		camera->key_wanted = true;
		testing_run(&world, SECOND_US / 5);
		EXPECT(testing_near(still_part(screen), red));
		close_world();
	}
}

TEST(after_a_frame_that_is_missing_nothing_is_shown_before_a_key_frame)
{
	struct testing_screen *screen;
	struct testing_camera *camera;
	open_world();
	one_pane(&screen, &camera, VIDEO_CODEC_H264);
	camera->off = true;
	(void)testing_camera_encode(camera, world.now_us); /* lost */
	const uint64_t decoded = codec_engine_load(world.engine).frames_decoded;
	for (unsigned i = 0; i < 5; i++) {
		const struct encoder_frame frame = testing_camera_encode(camera, world.now_us);
		if (frame.len > 0 && !frame.key)
			send(0x100, VIDEO_CODEC_H264, false, frame.bytes, frame.len);
		testing_run(&world, TESTING_FRAME_US);
	}
	EXPECT_EQ(codec_engine_load(world.engine).frames_decoded, decoded);
	EXPECT_EQ(camera->keys_asked, 1);
	close_world();
}

TEST(a_stream_that_begins_without_a_key_frame_asks_for_one_now_and_then)
{
	open_world();
	static const video_source_id sources[] = { 0x100 };
	const struct canvas canvas = testing_grid(sources, 1, 1);
	struct testing_camera *camera =
	        testing_camera_add(&world, 0x100, VIDEO_CODEC_VP8, 640, 360, red);
	(void)testing_camera_encode(camera, world.now_us);
	testing_canvas(&world, CANVAS, &canvas);
	testing_screen_add(&world, ENCODE, &h264_720p);
	camera->off = true;
	for (unsigned i = 0; i < 90; i++) {
		const struct encoder_frame frame = testing_camera_encode(camera, world.now_us);
		if (frame.len != 0)
			send(0x100, VIDEO_CODEC_VP8, false, frame.bytes, frame.len);
		camera->key_wanted = false;
		testing_run(&world, TESTING_FRAME_US);
	}
	EXPECT(camera->keys_asked >= 2 && camera->keys_asked <= 4);
	close_world();
}

TEST(a_source_that_comes_into_view_is_asked_for_a_key_frame)
{
	open_world();
	static const video_source_id sources[] = { 0x100, 0x200 };
	testing_camera_add(&world, 0x100, VIDEO_CODEC_VP8, 640, 360, red);
	struct testing_camera *hidden =
	        testing_camera_add(&world, 0x200, VIDEO_CODEC_H264, 640, 360, blue);
	struct canvas canvas = testing_grid(sources, 1, 1);
	testing_canvas(&world, CANVAS, &canvas);
	struct testing_screen *screen = testing_screen_add(&world, ENCODE, &h264_720p);
	testing_run(&world, SECOND_US);
	EXPECT_EQ(hidden->keys_asked, 0);
	EXPECT_EQ(codec_engine_load(world.engine).sources, 1);
	canvas = testing_grid(&sources[1], 1, 1);
	testing_canvas(&world, CANVAS, &canvas);
	EXPECT_EQ(hidden->keys_asked, 1);
	testing_run(&world, SECOND_US / 5);
	EXPECT(testing_near(still_part(screen), blue));
	EXPECT_EQ(hidden->keys_asked, 1);
	close_world();
}

TEST(a_source_may_change_size_and_codec_with_every_frame)
{
	static const struct {
		enum video_codec codec;
		int width, height;
	} kinds[] = {
		{ VIDEO_CODEC_VP8, 640, 360 },    { VIDEO_CODEC_VP8, 64, 36 },
		{ VIDEO_CODEC_VP8, 1280, 720 },   { VIDEO_CODEC_H264, 320, 180 },
		{ VIDEO_CODEC_H264, 1920, 1080 }, { VIDEO_CODEC_VP8, 178, 100 },
		{ VIDEO_CODEC_H264, 32, 18 },     { VIDEO_CODEC_H264, 960, 540 },
	};
	enum { KINDS = sizeof kinds / sizeof *kinds };
	open_world();
	static const video_source_id sources[] = { 0x100 };
	const struct canvas canvas = testing_grid(sources, 1, 1);
	testing_canvas(&world, CANVAS, &canvas);
	struct testing_screen *screen = testing_screen_add(&world, ENCODE, &h264_720p);
	for (unsigned i = 0; i < KINDS; i++) {
		/* Cameras of a world of their own would send by themselves. */
		struct testing_camera *camera =
		        testing_camera_add(&world, 0xf00 + i, kinds[i].codec, kinds[i].width,
		                           kinds[i].height, i % 2 != 0 ? green : blue);
		camera->off = true;
	}
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < KINDS; i++) {
			struct testing_camera *camera = &world.cameras[i];
			camera->key_wanted = true;
			const struct encoder_frame frame =
			        testing_camera_encode(camera, world.now_us);
			if (!frame.key)
				continue;
			send(0x100, camera->codec, true, frame.bytes, frame.len);
			testing_run(&world, 2 * TESTING_FRAME_US);
			EXPECT(testing_near(still_part(screen), camera->colour));
		}
	}
	EXPECT_EQ(screen->broken, 0);
	EXPECT_EQ(codec_engine_load(world.engine).frames_broken, 0);
	close_world();
}

TEST(pictures_of_browsers_in_vp9_and_av1_are_shown)
{
	static const video_source_id sources[] = { 0x100 };
	const struct canvas canvas = testing_grid(sources, 1, 1);
	for (unsigned i = 0; i < TESTING_FRAMES; i++) {
		open_world();
		testing_canvas(&world, CANVAS, &canvas);
		struct testing_screen *screen = testing_screen_add(&world, ENCODE, &h264_720p);
		send(0x100, testing_frames[i].codec, true, testing_frames[i].bytes,
		     testing_frames[i].len);
		testing_run(&world, SECOND_US / 10);
		EXPECT_EQ(codec_engine_load(world.engine).frames_decoded, 1);
		EXPECT(testing_near(still_part(screen), green));
		/* Cut short it is refused. */
		send(0x100, testing_frames[i].codec, true, testing_frames[i].bytes, 16);
		EXPECT_EQ(codec_engine_load(world.engine).frames_broken, 1);
		close_world();
	}
}

TEST(a_turned_picture_is_seen_upright_and_whole)
{
	open_world();
	static const video_source_id sources[] = { 0x100 };
	struct testing_camera *camera =
	        testing_camera_add(&world, 0x100, VIDEO_CODEC_VP8, 640, 360, red);
	const struct canvas canvas = testing_grid(sources, 1, 1);
	testing_canvas(&world, CANVAS, &canvas);
	struct testing_screen *screen = testing_screen_add(&world, ENCODE, &h264_720p);
	testing_run(&world, SECOND_US / 2);
	EXPECT(testing_near(testing_colour(screen, 10, 300, 100, 300), red));
	/* A telephone held upright: a column in the middle, calm on both sides. */
	camera->rotation = 90;
	testing_run(&world, SECOND_US / 2);
	EXPECT(testing_near(testing_colour(screen, 20, 300, 200, 300), calm));
	EXPECT(testing_near(testing_colour(screen, 780, 300, 200, 300), calm));
	EXPECT(testing_near(testing_colour(screen, 420, 300, 160, 300), red));
	/* The bar near its top edge is near its right one now. */
	camera->rotation = 180;
	testing_run(&world, SECOND_US / 2);
	EXPECT(testing_near(testing_colour(screen, 10, 100, 900, 300), red));
	EXPECT(testing_contrast(screen, 0, 860, 1000, 140) > 80);
	close_world();
}

TEST(a_transcode_shows_one_source_whole)
{
	open_world();
	testing_camera_add(&world, 0x500, VIDEO_CODEC_H264, 640, 480, yellow);
	const struct codec_encode encode = { .source = 0x500,
		                             .codec = VIDEO_CODEC_VP8,
		                             .fps = 30,
		                             .width = 1280,
		                             .height = 720,
		                             .bps = 1000000 };
	struct testing_screen *screen = testing_screen_add(&world, ENCODE, &encode);
	testing_run(&world, SECOND_US);
	EXPECT_EQ(screen->broken, 0);
	/* 4:3 on 16:9: 960 of 1280 pixels. */
	EXPECT(testing_near(testing_colour(screen, 0, 100, 100, 800), calm));
	EXPECT(testing_near(testing_colour(screen, 130, 300, 740, 650), yellow));
	EXPECT(testing_near(testing_colour(screen, 900, 100, 100, 800), calm));
	close_world();
}

TEST(rates_change_and_are_held)
{
	open_world();
	struct testing_screen *screen = four_sources(&h264_720p);
	testing_run(&world, SECOND_US);
	codec_engine_input(world.engine,
	                   &(struct codec_message){ .kind = CODEC_ENCODE_RATE,
	                                            .id = ENCODE,
	                                            .encode = { .bps = 64000, .fps = 10 } },
	                   world.now_us);
	testing_run(&world, SECOND_US);
	const unsigned frames = screen->frames;
	const size_t bytes = screen->bytes;
	testing_run(&world, 2 * SECOND_US);
	EXPECT(screen->frames - frames <= 22 && screen->frames - frames >= 8);
	EXPECT(screen->bytes - bytes < 64000 / 8 * 2 * 3 / 2);
	EXPECT_EQ(screen->keys, 1);
	close_world();
}

TEST(orders_out_of_range_are_refused_and_counted)
{
	static const struct codec_encode bad[] = {
		{ .canvas = CANVAS,
		  .codec = VIDEO_CODEC_VP9,
		  .fps = 30,
		  .width = 640,
		  .height = 360 },
		{ .canvas = 0, .codec = VIDEO_CODEC_VP8, .fps = 30, .width = 640, .height = 360 },
		{ .canvas = CANVAS,
		  .codec = VIDEO_CODEC_VP8,
		  .fps = 0,
		  .width = 640,
		  .height = 360 },
		{ .canvas = CANVAS,
		  .codec = VIDEO_CODEC_VP8,
		  .fps = 30,
		  .width = 641,
		  .height = 360 },
		{ .canvas = CANVAS,
		  .codec = VIDEO_CODEC_VP8,
		  .fps = 30,
		  .width = 640,
		  .height = 2 },
		{ .canvas = CANVAS,
		  .codec = VIDEO_CODEC_VP8,
		  .fps = 30,
		  .width = 8192,
		  .height = 360 },
		{ .canvas = CANVAS,
		  .codec = VIDEO_CODEC_VP8,
		  .fps = 30,
		  .width = 4096,
		  .height = 4096 },
	};
	enum { BAD = sizeof bad / sizeof *bad };
	open_world();
	for (unsigned i = 0; i < BAD; i++)
		testing_screen_add(&world, i + 1, &bad[i]);
	EXPECT_EQ(codec_engine_load(world.engine).orders_refused, BAD);
	struct canvas canvas = { .pane_count = 1 };
	testing_canvas(&world, CANVAS, &canvas); /* a pane without size */
	testing_canvas(&world, 0, &canvas);
	EXPECT_EQ(codec_engine_load(world.engine).orders_refused, BAD + 2);
	/* What was never opened is not there to be changed or closed. */
	testing_order(&world, CODEC_ENCODE_KEY, 1);
	testing_order(&world, CODEC_ENCODE_CLOSE, 1);
	testing_order(&world, CODEC_CANVAS_CLOSE, CANVAS);
	testing_run(&world, SECOND_US / 10);
	EXPECT_EQ(codec_engine_load(world.engine).encodes, 0);
	close_world();
}

TEST(tables_that_are_full_refuse)
{
	open_world();
	struct canvas canvas = { .pane_count = 0 };
	for (uint32_t id = 1; id <= CODEC_CANVASES_MAX + 5; id++)
		testing_canvas(&world, id, &canvas);
	EXPECT_EQ(codec_engine_load(world.engine).orders_refused, 5);
	const struct codec_encode encode = { .canvas = 1,
		                             .codec = VIDEO_CODEC_VP8,
		                             .fps = 1,
		                             .width = 16,
		                             .height = 16,
		                             .bps = 10000 };
	for (uint32_t id = 1; id <= CODEC_ENCODES_MAX + 5; id++)
		codec_engine_input(world.engine,
		                   &(struct codec_message){
		                           .kind = CODEC_ENCODE_OPEN, .id = id, .encode = encode },
		                   world.now_us);
	EXPECT_EQ(codec_engine_load(world.engine).orders_refused, 10);
	EXPECT_EQ(codec_engine_load(world.engine).encodes, CODEC_ENCODES_MAX);
	const uint64_t dropped = codec_engine_load(world.engine).frames_dropped;
	for (uint32_t i = 1; i <= CODEC_SOURCES_MAX + 5; i++)
		send((video_source_id)i << 8, VIDEO_CODEC_VP8, true, (const uint8_t *)"x", 1);
	EXPECT_EQ(codec_engine_load(world.engine).frames_dropped, dropped + 5);
	/* Sources that say nothing more and are not shown give their places back. */
	testing_run(&world, 11 * SECOND_US);
	send(0x77700, VIDEO_CODEC_VP8, true, (const uint8_t *)"x", 1);
	EXPECT_EQ(codec_engine_load(world.engine).frames_dropped, dropped + 5);
	close_world();
}

TEST(junk_in_any_amount_is_counted_and_costs_little)
{
	struct prng prng;
	prng_init(&prng, 5);
	open_world();
	struct testing_screen *screen = four_sources(&vp8_360p);
	testing_run(&world, SECOND_US / 2);
	static uint8_t junk[4000];
	for (unsigned i = 0; i < 2000; i++) {
		const size_t len = 1 + prng_below(&prng, sizeof junk);
		prng_bytes(&prng, junk, len);
		if (i % 2 == 0 && len > 4)
			memcpy(junk, "\0\0\0\1\x65", 5 < len ? 5 : len);
		send(0x100, (enum video_codec)(1 + prng_below(&prng, 4)), i % 3 != 0, junk, len);
		if (i % 100 == 0)
			testing_run(&world, TESTING_FRAME_US);
	}
	EXPECT(codec_engine_load(world.engine).frames_broken > 100);
	EXPECT(world.cameras[0].keys_asked < 10);
	testing_run(&world, SECOND_US);
	EXPECT(testing_near(testing_colour(screen, 550, 100, 400, 300), green));
	expect_four(screen);
	close_world();
}

/* Pictures whose sides a stranger chose: an H.264 parameter set says 8192 x 16 and 16 x 8192. */
TEST(pictures_of_one_pixel_or_of_8k_are_refused)
{
	struct testing_screen *screen;
	struct testing_camera *camera;
	open_world();
	one_pane(&screen, &camera, VIDEO_CODEC_VP8);
	camera->off = true;
	/* A VP8 key frame's header says its size in 14 bits each. */
	static const struct {
		unsigned width, height;
	} sizes[] = { { 1, 1 },     { 8192, 4320 },   { 4097, 16 },
		      { 16, 4097 }, { 16383, 16383 }, { 0, 0 } };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		camera->key_wanted = true;
		const struct encoder_frame frame = testing_camera_encode(camera, world.now_us);
		EXPECT(frame.key);
		uint8_t *bytes = malloc(frame.len);
		memcpy(bytes, frame.bytes, frame.len);
		bytes[6] = (uint8_t)sizes[i].width;
		bytes[7] = (uint8_t)(sizes[i].width >> 8);
		bytes[8] = (uint8_t)sizes[i].height;
		bytes[9] = (uint8_t)(sizes[i].height >> 8);
		const uint64_t decoded = codec_engine_load(world.engine).frames_decoded;
		send(0x100, VIDEO_CODEC_VP8, true, bytes, frame.len);
		EXPECT_EQ(codec_engine_load(world.engine).frames_decoded, decoded);
		free(bytes);
		testing_run(&world, SECOND_US / 10);
	}
	EXPECT(codec_engine_load(world.engine).frames_broken >= 5);
	EXPECT(testing_near(still_part(screen), calm));
	close_world();
}

TEST(frames_that_come_too_late_are_dropped)
{
	struct testing_screen *screen;
	struct testing_camera *camera;
	open_world();
	one_pane(&screen, &camera, VIDEO_CODEC_VP8);
	camera->off = true;
	const struct encoder_frame frame = testing_camera_encode(camera, world.now_us);
	const uint64_t dropped = codec_engine_load(world.engine).frames_dropped;
	codec_engine_input(
	        world.engine,
	        &(struct codec_message){ .kind = CODEC_SOURCE_FRAME,
	                                 .source = 0x100,
	                                 .frame = { .captured_us = world.now_us - 2 * SECOND_US,
	                                            .codec = VIDEO_CODEC_VP8 },
	                                 .bytes = frame.bytes,
	                                 .len = frame.len },
	        world.now_us);
	EXPECT_EQ(codec_engine_load(world.engine).frames_dropped, dropped + 1);
	EXPECT_EQ(camera->keys_asked, 1);
	close_world();
}

/* Its process says that it never rests. */
TEST(too_much_work_makes_fewer_pictures_and_no_queue)
{
	open_world();
	struct testing_screen *screen = four_sources(&vp8_360p);
	testing_run(&world, SECOND_US);
	unsigned frames = 0;
	for (unsigned second = 0; second < 3; second++) {
		codec_engine_spent(world.engine, SECOND_US);
		frames = screen->frames;
		testing_run(&world, SECOND_US);
	}
	EXPECT(screen->frames - frames <= 9);
	EXPECT(screen->frames - frames >= 3);
	EXPECT(codec_engine_load(world.engine).frames_dropped > 20);
	expect_four(screen);
	/* With time again it makes as many as are wanted. */
	testing_run(&world, 16 * SECOND_US);
	frames = screen->frames;
	const uint64_t dropped = codec_engine_load(world.engine).frames_dropped;
	testing_run(&world, SECOND_US);
	EXPECT(screen->frames - frames >= 27);
	EXPECT_EQ(codec_engine_load(world.engine).frames_dropped, dropped);
	expect_four(screen);
	close_world();
}
