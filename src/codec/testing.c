/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "codec/labels.h"

static const uint8_t green_vp9[] = {
	0x82, 0x49, 0x83, 0x42, 0x00, 0x07, 0xf0, 0x04, 0x76, 0x06, 0x38, 0x24, 0x1c, 0x18,
	0x4a, 0x00, 0x00, 0x20, 0x40, 0x00, 0x6c, 0x5b, 0xff, 0xcd, 0x26, 0x9f, 0x63, 0x46,
	0xde, 0x50, 0xd5, 0xc2, 0xfe, 0xc7, 0xb9, 0x7d, 0x9a, 0x2d, 0x7b, 0xe2, 0x41, 0x37,
	0x4a, 0xb1, 0x54, 0x88, 0x4f, 0xfe, 0x66, 0xa4, 0xfb, 0x1a, 0x36, 0xf2, 0x86, 0xae,
	0x17, 0xf6, 0x3d, 0xcb, 0xec, 0xd1, 0x6b, 0xdf, 0x12, 0x09, 0xba, 0x55, 0x8a, 0xa4,
	0x42, 0x7f, 0xff, 0xff, 0xff, 0x6d, 0xa3, 0x7f, 0xff, 0xff, 0xff, 0xe1, 0xcc, 0x44,
	0x16, 0xc0, 0xfe, 0x30, 0xab, 0x54, 0x33, 0xfe, 0x4e, 0x02, 0x40
};

static const uint8_t green_av1[] = { 0x12, 0x00, 0x0a, 0x0a, 0x00, 0x00, 0x00, 0x03, 0x37, 0xf8,
	                             0xe6, 0xd7, 0xc8, 0x02, 0x32, 0x2b, 0x10, 0x00, 0x84, 0x00,
	                             0x02, 0x08, 0x20, 0x88, 0x00, 0x00, 0xc3, 0x2e, 0x60, 0xcf,
	                             0x58, 0xed, 0x37, 0x54, 0xad, 0xee, 0x49, 0xc0, 0x82, 0x77,
	                             0x4d, 0xf8, 0xb4, 0x29, 0xad, 0xf6, 0xb7, 0x71, 0xf2, 0xf8,
	                             0x50, 0x26, 0x8d, 0x7b, 0xb7, 0x78, 0x1d, 0xd7, 0x80 };

const struct testing_frame testing_frames[TESTING_FRAMES] = {
	{ VIDEO_CODEC_VP9, green_vp9, sizeof green_vp9 },
	{ VIDEO_CODEC_AV1, green_av1, sizeof green_av1 },
};

static struct testing_camera *
camera_of(struct testing_world *world, video_source_id source)
{
	for (unsigned i = 0; i < world->camera_count; i++)
		if (world->cameras[i].source == source)
			return &world->cameras[i];
	return NULL;
}

static void
on_frame(struct testing_world *world, const struct codec_message *message)
{
	for (unsigned i = 0; i < world->screen_count; i++) {
		struct testing_screen *screen = &world->screens[i];
		if (screen->id != message->id)
			continue;
		screen->frames++;
		screen->keys += message->frame.key;
		screen->bytes += message->len;
		screen->bytes_last = message->len;
		screen->last = message->frame;
		if (screen->decoder == NULL)
			continue;
		const enum decoder_result result = decoder_input(screen->decoder, message->bytes,
		                                                 message->len, message->frame.key);
		screen->broken += result != DECODER_PICTURE;
	}
}

static void
on_message(void *context, const struct codec_message *message)
{
	struct testing_world *world = context;
	struct testing_camera *camera = camera_of(world, message->source);
	if (message->kind == CODEC_FRAME) {
		if (world->frame != NULL)
			world->frame(message);
		on_frame(world, message);
	} else if (message->kind == CODEC_LOAD) {
		world->load = message->load;
	} else if (message->kind == CODEC_SOURCE_KEY && camera != NULL) {
		camera->keys_asked++;
		camera->key_wanted = true;
	}
}

void
testing_world_init(struct testing_world *world)
{
	*world = (struct testing_world){ .now_us = 1000000 };
	CHECK(label_fonts_create(&world->fonts) == 0);
	const struct codec_engine_settings settings = { .fonts = world->fonts,
		                                        .sink = { world, on_message } };
	CHECK(codec_engine_create(&world->engine, &settings, world->now_us) == 0);
}

void
testing_world_fini(struct testing_world *world)
{
	codec_engine_destroy(world->engine);
	label_fonts_destroy(world->fonts);
	for (unsigned i = 0; i < world->camera_count; i++) {
		encoder_destroy(world->cameras[i].encoder);
		picture_fini(&world->cameras[i].picture);
	}
	for (unsigned i = 0; i < world->screen_count; i++)
		decoder_destroy(world->screens[i].decoder);
}

struct testing_camera *
testing_camera_add(struct testing_world *world, video_source_id source, enum video_codec codec,
                   int width, int height, struct picture_colour colour)
{
	CHECK(world->camera_count < TESTING_CAMERAS_MAX);
	struct testing_camera *camera = &world->cameras[world->camera_count++];
	*camera = (struct testing_camera){ .source = source, .codec = codec, .colour = colour };
	CHECK(picture_resize(&camera->picture, width, height) == 0);
	const struct encoder_settings settings = {
		.codec = codec, .width = width, .height = height, .fps = 30, .bps = 2000000
	};
	CHECK(encoder_create(&camera->encoder, &settings) == 0);
	return camera;
}

struct encoder_frame
testing_camera_encode(struct testing_camera *camera, int64_t now_us)
{
	struct picture *picture = &camera->picture;
	const struct picture_rect all = { 0, 0, picture->width, picture->height };
	const int step = picture->width / 32 + 1;
	const struct picture_rect bar = { (int)camera->frames % 30 * step, picture->height / 20,
		                          step, picture->height / 20 };
	struct encoder_frame frame = { 0 };
	picture_fill(picture, &all, camera->colour);
	picture_fill(picture, &bar, (struct picture_colour){ 235, 128, 128 });
	camera->frames++;
	(void)encoder_input(camera->encoder, &frame, picture, camera->key_wanted, now_us);
	if (frame.key)
		camera->key_wanted = false;
	return frame;
}

void
testing_camera_send(struct testing_world *world, struct testing_camera *camera)
{
	const struct encoder_frame frame = testing_camera_encode(camera, world->now_us);
	if (frame.len == 0)
		return;
	codec_engine_input(world->engine,
	                   &(struct codec_message){ .kind = CODEC_SOURCE_FRAME,
	                                            .source = camera->source,
	                                            .frame = { .captured_us = world->now_us,
	                                                       .codec = (uint8_t)camera->codec,
	                                                       .key = frame.key,
	                                                       .rotation = camera->rotation },
	                                            .bytes = frame.bytes,
	                                            .len = frame.len },
	                   world->now_us);
}

void
testing_canvas(struct testing_world *world, uint32_t id, const struct canvas *canvas)
{
	codec_engine_input(
	        world->engine,
	        &(struct codec_message){ .kind = CODEC_CANVAS_SET, .id = id, .canvas = canvas },
	        world->now_us);
}

struct testing_screen *
testing_screen_add(struct testing_world *world, uint32_t id, const struct codec_encode *encode)
{
	CHECK(world->screen_count < TESTING_SCREENS_MAX);
	struct testing_screen *screen = &world->screens[world->screen_count++];
	*screen = (struct testing_screen){ .id = id };
	CHECK(decoder_create(&screen->decoder, encode->codec) == 0);
	codec_engine_input(
	        world->engine,
	        &(struct codec_message){ .kind = CODEC_ENCODE_OPEN, .id = id, .encode = *encode },
	        world->now_us);
	return screen;
}

void
testing_order(struct testing_world *world, enum codec_message_kind kind, uint32_t id)
{
	codec_engine_input(world->engine,
	                   &(struct codec_message){ .kind = (uint8_t)kind, .id = id },
	                   world->now_us);
}

void
testing_work(struct testing_world *world)
{
	for (unsigned i = 0; codec_engine_deadline(world->engine) <= world->now_us; i++) {
		CHECK(i < 100000);
		codec_engine_tick(world->engine, world->now_us);
	}
}

void
testing_run(struct testing_world *world, int64_t us)
{
	const int64_t end_us = world->now_us + us;
	while (world->now_us < end_us) {
		int64_t next_us = codec_engine_deadline(world->engine);
		if (next_us > world->camera_us)
			next_us = world->camera_us;
		if (next_us > end_us)
			next_us = end_us;
		if (next_us > world->now_us)
			world->now_us = next_us;
		if (world->now_us >= world->camera_us) {
			for (unsigned i = 0; i < world->camera_count; i++)
				if (!world->cameras[i].off)
					testing_camera_send(world, &world->cameras[i]);
			world->camera_us = world->now_us + TESTING_FRAME_US;
		}
		testing_work(world);
	}
}

struct part {
	int left, top, right, bottom;
};

static struct part
part_of(const struct picture *picture, int x, int y, int width, int height)
{
	return (struct part){ picture->width * x / 1000, picture->height * y / 1000,
		              picture->width * (x + width) / 1000,
		              picture->height * (y + height) / 1000 };
}

struct picture_colour
testing_colour(const struct testing_screen *screen, int x, int y, int width, int height)
{
	const struct picture *picture = decoder_picture(screen->decoder);
	if (picture == NULL)
		return (struct picture_colour){ 0 };
	const struct part part = part_of(picture, x, y, width, height);
	uint64_t sums[PICTURE_PLANES] = { 0 }, counts[PICTURE_PLANES] = { 0 };
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		const int shift = p == PICTURE_Y ? 0 : 1;
		for (int row = part.top >> shift; row < part.bottom >> shift; row++)
			for (int at = part.left >> shift; at < part.right >> shift;
			     at++, counts[p]++)
				sums[p] += picture->planes[p][row * picture->strides[p] + at];
		CHECK(counts[p] != 0);
	}
	return (struct picture_colour){ (uint8_t)(sums[0] / counts[0]),
		                        (uint8_t)(sums[1] / counts[1]),
		                        (uint8_t)(sums[2] / counts[2]) };
}

bool
testing_near(struct picture_colour a, struct picture_colour b)
{
	return abs(a.y - b.y) < 12 && abs(a.u - b.u) < 12 && abs(a.v - b.v) < 12;
}

unsigned
testing_contrast(const struct testing_screen *screen, int x, int y, int width, int height)
{
	const struct picture *picture = decoder_picture(screen->decoder);
	if (picture == NULL)
		return 0;
	const struct part part = part_of(picture, x, y, width, height);
	unsigned least = 255, most = 0;
	for (int row = part.top; row < part.bottom; row++) {
		for (int at = part.left; at < part.right; at++) {
			const unsigned value = picture->planes[0][row * picture->strides[0] + at];
			least = value < least ? value : least;
			most = value > most ? value : most;
		}
	}
	return most - least;
}

struct canvas
testing_grid(const video_source_id *sources, unsigned count, unsigned columns)
{
	struct canvas canvas = { .pane_count = (uint8_t)count, .labels = true };
	const unsigned rows = (count + columns - 1) / columns;
	const unsigned width = CANVAS_WIDTH / columns, height = CANVAS_HEIGHT / rows;
	CHECK(count <= CANVAS_PANES_MAX);
	for (unsigned i = 0; i < count; i++)
		canvas.panes[i] = (struct canvas_pane){ .x = (uint16_t)(i % columns * width),
			                                .y = (uint16_t)(i / columns * height),
			                                .width = (uint16_t)width,
			                                .height = (uint16_t)height,
			                                .source = sources[i] };
	return canvas;
}

static uint8_t
byte_of(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void
testing_write_ppm(const struct picture *picture, const char *path)
{
	FILE *file = fopen(path, "wb");
	CHECK(file != NULL);
	fprintf(file, "P6 %d %d 255\n", picture->width, picture->height);
	for (int y = 0; y < picture->height; y++) {
		for (int x = 0; x < picture->width; x++) {
			const int c = 298 * (picture->planes[0][y * picture->strides[0] + x] - 16);
			const int u = picture->planes[1][y / 2 * picture->strides[1] + x / 2] - 128;
			const int v = picture->planes[2][y / 2 * picture->strides[2] + x / 2] - 128;
			const uint8_t rgb[3] = { byte_of((c + 409 * v + 128) >> 8),
				                 byte_of((c - 100 * u - 208 * v + 128) >> 8),
				                 byte_of((c + 516 * u + 128) >> 8) };
			fwrite(rgb, 1, sizeof rgb, file);
		}
	}
	fclose(file);
}
