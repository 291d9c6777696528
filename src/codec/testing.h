/* SPDX-License-Identifier: Apache-2.0 */
/* testing -- cameras and screens around an engine, for tests and benchmarks: cameras send what the
 * real encoders make, screens decode what the engine sends.
 */
#ifndef CODEC_TESTING_H
#define CODEC_TESTING_H

#include "codec/codec.h"
#include "codec/decoder.h"
#include "codec/encoder.h"
#include "codec/picture.h"

enum {
	TESTING_CAMERAS_MAX = 64,
	TESTING_SCREENS_MAX = 64,
	TESTING_FRAME_US = 33333,
};

/* A colour with a white bar that moves. */
struct testing_camera {
	video_source_id source;
	enum video_codec codec;
	struct picture_colour colour;
	uint16_t rotation;
	bool off;
	bool key_wanted;
	unsigned frames;
	struct picture picture;
	struct encoder *encoder;
	unsigned keys_asked; /* by the engine */
};

struct testing_screen {
	uint32_t id; /* of the encode */
	struct decoder *decoder;
	unsigned frames, keys, broken;
	size_t bytes, bytes_last;
	struct codec_frame last;
};

struct testing_world {
	struct codec_engine *engine;
	struct label_fonts *fonts;
	int64_t now_us;
	int64_t camera_us; /* when cameras send again */
	struct testing_camera cameras[TESTING_CAMERAS_MAX];
	unsigned camera_count;
	struct testing_screen screens[TESTING_SCREENS_MAX];
	unsigned screen_count;
	struct codec_load load;
	/* Called for each frame from the engine, before it is decoded; may be NULL. */
	void (*frame)(const struct codec_message *message);
};

/* A green key frame of 128 x 72 in codecs that we do not encode: libvpx' VP9, libaom's AV1. */
struct testing_frame {
	enum video_codec codec;
	const uint8_t *bytes;
	size_t len;
};
enum { TESTING_FRAMES = 2 };
extern const struct testing_frame testing_frames[TESTING_FRAMES];

void testing_world_init(struct testing_world *world);
void testing_world_fini(struct testing_world *world);

struct testing_camera *testing_camera_add(struct testing_world *world, video_source_id source,
                                          enum video_codec codec, int width, int height,
                                          struct picture_colour colour);
/* The next frame of a camera; borrowed. */
struct encoder_frame testing_camera_encode(struct testing_camera *camera, int64_t now_us);
void testing_camera_send(struct testing_world *world, struct testing_camera *camera);

void testing_canvas(struct testing_world *world, uint32_t id, const struct canvas *canvas);
struct testing_screen *testing_screen_add(struct testing_world *world, uint32_t id,
                                          const struct codec_encode *encode);
void testing_order(struct testing_world *world, enum codec_message_kind kind, uint32_t id);

/* Time goes on, cameras send, the engine works as its process would let it. */
void testing_run(struct testing_world *world, int64_t us);
void testing_work(struct testing_world *world);

/* The mean colour of a part of what a screen shows, in parts of 1000 of its sides. */
struct picture_colour testing_colour(const struct testing_screen *screen, int x, int y, int width,
                                     int height);
bool testing_near(struct picture_colour a, struct picture_colour b);
/* How unlike the pixels of that part are: 0 is one colour. */
unsigned testing_contrast(const struct testing_screen *screen, int x, int y, int width, int height);

/* Panes side by side in a grid, one for each of `count` sources from `sources[0]`. */
struct canvas testing_grid(const video_source_id *sources, unsigned count, unsigned columns);

/* For looking at: a binary PPM. */
void testing_write_ppm(const struct picture *picture, const char *path);

#endif
