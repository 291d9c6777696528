/* SPDX-License-Identifier: Apache-2.0 */
/* What pictures cost: composing, decoding, encoding, and how many SIP participants that is a core.
 *
 *	codec_bench [--json] [--seconds N] [--ppm FILE] [only WORDS]
 *
 * Method: one thread, the engine as `convoke codec` runs it, CPU time of its calls alone.  Cameras
 * send 720p30 H.264 at 1.5 Mbit/s, encoded beforehand from pictures that move, have texture all
 * over and carry the noise of a sensor: easier ones would flatter the encoders, which bound it all.
 * Seconds of the meeting pass as fast as they can be computed; the share of a core is what one such
 * second costs.  Participants a core is the number of participants divided by that share, for small
 * meetings; a large one costs the same however many only watch, so there the share is told.  Takes
 * precedence (SCHED_RR) when it may, so that neighbours share the caches but not the time. */
#include <sched.h>
#include <time.h>

#include "base/check.h"
#include "base/prng.h"
#include "bench.h"
#include "codec/codec.h"
#include "codec/compose.h"
#include "codec/decoder.h"
#include "codec/encoder.h"
#include "codec/labels.h"
#include "codec/testing.h"

enum {
	WIDTH = 1280,
	HEIGHT = 720,
	FPS = 30,
	FRAME_US = 33333,
	BPS = 1500000,
	CLIP_FRAMES = 90,
	CLIPS = 7,
	ROUNDS = 200,
	SECONDS_DEFAULT = 6,
};

struct clip {
	struct picture *pictures; /* the first few, for composing and encoding alone */
	struct {
		uint8_t *bytes;
		size_t len;
		bool key;
	} frames[CLIP_FRAMES];
};

enum { PICTURES_KEPT = 30 };

static struct clip clips[CLIPS];
static int seconds = SECONDS_DEFAULT;
static const char *only = "";
static const char *ppm;

static double
cpu_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool
wanted(const char *name)
{
	return strstr(name, only) != NULL;
}

/* ---- Cameras ------------------------------------------------------------------------------- */

enum { TEXTURE = 512 };

/* Smooth noise of several sizes: walls, clothes, faces. */
static void
make_texture(uint8_t texture[TEXTURE][TEXTURE], struct prng *prng)
{
	static int sum[TEXTURE][TEXTURE];
	memset(sum, 0, sizeof sum);
	for (int cell = 128, weight = 64; cell >= 4; cell /= 2, weight /= 2) {
		static uint8_t grid[TEXTURE / 4 + 1][TEXTURE / 4 + 1];
		prng_bytes(prng, grid, sizeof grid);
		const int cells = TEXTURE / cell;
		for (int y = 0; y < TEXTURE; y++) {
			for (int x = 0; x < TEXTURE; x++) {
				const int gx = x / cell, gy = y / cell, fx = x % cell,
				          fy = y % cell;
				const int nx = (gx + 1) % cells, ny = (gy + 1) % cells;
				const int top = grid[gy][gx] * (cell - fx) + grid[gy][nx] * fx;
				const int low = grid[ny][gx] * (cell - fx) + grid[ny][nx] * fx;
				sum[y][x] +=
				        (top * (cell - fy) + low * fy) / (cell * cell) * weight;
			}
		}
	}
	for (int y = 0; y < TEXTURE; y++)
		for (int x = 0; x < TEXTURE; x++)
			texture[y][x] = (uint8_t)(30 + sum[y][x] / 128 * 200 / 255);
}

/* A wall that stands still, somebody before it who moves, and noise over both. */
static void
paint(struct picture *picture, uint8_t wall[TEXTURE][TEXTURE], uint8_t body[TEXTURE][TEXTURE],
      unsigned frame, struct prng *prng)
{
	static uint8_t noise[WIDTH + 64];
	const int swing = (int)(frame % 60 < 30 ? frame % 60 : 60 - frame % 60);
	const int centre = WIDTH / 2 - 45 + 3 * swing;
	for (int y = 0; y < HEIGHT; y++) {
		uint8_t *row = picture->planes[0] + (ptrdiff_t)y * picture->strides[0];
		prng_bytes(prng, noise, sizeof noise);
		const int dy = y - HEIGHT * 6 / 10;
		for (int x = 0; x < WIDTH; x++) {
			const int dx = x - centre;
			const bool in_body = dx * dx * 3 + dy * dy < 260 * 260 ||
			                     (dy > 150 && dx > -330 && dx < 330);
			const int value = in_body ? body[(y + 512 - swing) % TEXTURE]
			                                [(x + 512 - centre % 512) % TEXTURE]
			                          : wall[y % TEXTURE][x % TEXTURE];
			row[x] = (uint8_t)(value + (noise[x] & 3) - 1);
		}
	}
	for (unsigned p = 1; p < PICTURE_PLANES; p++)
		for (int y = 0; y < HEIGHT / 2; y++)
			for (int x = 0; x < WIDTH / 2; x++)
				picture->planes[p][y * picture->strides[p] + x] =
				        (uint8_t)(112 +
				                  wall[(y + 64 * (int)p) % TEXTURE][x % TEXTURE] /
				                          8);
}

static void
make_clip(struct clip *clip, uint64_t seed)
{
	static uint8_t wall[TEXTURE][TEXTURE], body[TEXTURE][TEXTURE];
	struct prng prng;
	prng_init(&prng, seed);
	make_texture(wall, &prng);
	make_texture(body, &prng);
	struct encoder *encoder = NULL;
	const struct encoder_settings settings = {
		.codec = VIDEO_CODEC_H264, .width = WIDTH, .height = HEIGHT, .fps = FPS, .bps = BPS
	};
	CHECK(encoder_create(&encoder, &settings) == 0);
	clip->pictures = calloc(PICTURES_KEPT, sizeof *clip->pictures);
	struct picture other = { 0 };
	CHECK(clip->pictures != NULL && picture_resize(&other, WIDTH, HEIGHT) == 0);
	for (unsigned i = 0; i < CLIP_FRAMES; i++) {
		struct picture *picture = i < PICTURES_KEPT ? &clip->pictures[i] : &other;
		struct encoder_frame frame = { 0 };
		CHECK(picture_resize(picture, WIDTH, HEIGHT) == 0);
		paint(picture, wall, body, i, &prng);
		if (encoder_input(encoder, &frame, picture, false, (int64_t)i * FRAME_US) !=
		    ENCODER_FRAME)
			continue; /* left out to hold the rate, as a camera would */
		clip->frames[i].bytes = malloc(frame.len);
		CHECK(clip->frames[i].bytes != NULL);
		memcpy(clip->frames[i].bytes, frame.bytes, frame.len);
		clip->frames[i].len = frame.len;
		clip->frames[i].key = frame.key;
	}
	picture_fini(&other);
	encoder_destroy(encoder);
}

/* ---- One thing alone ----------------------------------------------------------------------- */

/* The largest pane and the five around it, in thirds. */
static struct canvas
one_plus_five(const video_source_id sources[6])
{
	static const struct {
		uint16_t x, y, side;
	} places[] = {
		{ 0, 0, 2 }, { 2, 0, 1 }, { 2, 1, 1 }, { 0, 2, 1 }, { 1, 2, 1 }, { 2, 2, 1 }
	};
	struct canvas canvas = { .pane_count = 6, .labels = true };
	for (unsigned i = 0; i < 6; i++) {
		canvas.panes[i] = (struct canvas_pane){ .x = (uint16_t)(places[i].x * 640),
			                                .y = (uint16_t)(places[i].y * 360),
			                                .width = (uint16_t)(places[i].side * 640),
			                                .height = (uint16_t)(places[i].side * 360),
			                                .source = sources[i],
			                                .talking = i == 0 };
		snprintf(canvas.panes[i].label, CANVAS_LABEL_MAX, "Participant %u", i + 1);
	}
	return canvas;
}

static void
measure_compose(const char *name, int width, int height)
{
	static const video_source_id ids[6] = { 1, 2, 3, 4, 5, 6 };
	static struct compose_source sources[6];
	struct compose_source *behind[CANVAS_PANES_MAX] = { NULL };
	struct label_fonts *fonts = NULL;
	struct composer *composer = NULL;
	struct composition *composition = NULL;
	if (!wanted(name))
		return;
	CHECK(label_fonts_create(&fonts) == 0 && composer_create(&composer, fonts) == 0);
	CHECK(composition_create(&composition, composer, width, height) == 0);
	const struct canvas canvas = one_plus_five(ids);
	composition_set_canvas(composition, &canvas);
	for (unsigned i = 0; i < 6; i++)
		behind[i] = &sources[i];
	composition_set_sources(composition, behind);
	static double times[ROUNDS];
	uint64_t version = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < 6; i++) {
			sources[i].picture = &clips[i].pictures[round % PICTURES_KEPT];
			sources[i].version = ++version;
		}
		const double before = cpu_s();
		composition_draw(composition);
		times[round] = (cpu_s() - before) * 1e3;
	}
	bench_tell("codec", name, bench_quantile(times, ROUNDS, 0.5), "ms");
	if (ppm != NULL)
		testing_write_ppm(composition_picture(composition), ppm);
	composition_destroy(composition);
	for (unsigned i = 0; i < 6; i++)
		compose_source_fini(&sources[i]);
	composer_destroy(composer);
	label_fonts_destroy(fonts);
}

static void
measure_codec(const char *encode_name, const char *decode_name, enum video_codec codec)
{
	if (!wanted(encode_name) && !wanted(decode_name))
		return;
	struct encoder *encoder = NULL;
	struct decoder *decoder = NULL;
	const struct encoder_settings settings = {
		.codec = codec, .width = WIDTH, .height = HEIGHT, .fps = FPS, .bps = BPS
	};
	CHECK(encoder_create(&encoder, &settings) == 0 && decoder_create(&decoder, codec) == 0);
	static double encode_ms[ROUNDS], decode_ms[ROUNDS];
	unsigned encoded = 0;
	size_t bytes = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct encoder_frame frame = { 0 };
		/* There and back again: no jump in what is seen. */
		const unsigned at = round % (2 * PICTURES_KEPT - 2);
		const struct picture *picture =
		        &clips[0].pictures[at < PICTURES_KEPT ? at : 2 * PICTURES_KEPT - 2 - at];
		double before = cpu_s();
		const enum encoder_result result =
		        encoder_input(encoder, &frame, picture, false, (int64_t)round * FRAME_US);
		if (result != ENCODER_FRAME)
			continue;
		encode_ms[encoded] = (cpu_s() - before) * 1e3;
		before = cpu_s();
		CHECK(decoder_input(decoder, frame.bytes, frame.len, frame.key) == DECODER_PICTURE);
		decode_ms[encoded++] = (cpu_s() - before) * 1e3;
		bytes += frame.len;
	}
	char rate[64];
	bench_tell("codec", encode_name, bench_quantile(encode_ms, encoded, 0.5), "ms");
	bench_tell("codec", decode_name, bench_quantile(decode_ms, encoded, 0.5), "ms");
	snprintf(rate, sizeof rate, "%s: rate", encode_name);
	bench_tell("codec", rate, (double)bytes * 8 * FPS / ROUNDS / 1e3, "kbit/s");
	snprintf(rate, sizeof rate, "%s: frames of %d", encode_name, ROUNDS);
	bench_tell("codec", rate, encoded, "");
	encoder_destroy(encoder);
	decoder_destroy(decoder);
}

/* ---- Meetings ------------------------------------------------------------------------------ */

struct meeting_bench {
	struct codec_engine *engine;
	unsigned sources;
	unsigned at[64]; /* of each source in its clip */
	uint64_t frames;
	size_t bytes;
	double busy_s;
};

static void
on_message(void *context, const struct codec_message *message)
{
	struct meeting_bench *bench = context;
	if (message->kind == CODEC_FRAME) {
		bench->frames++;
		bench->bytes += message->len;
	}
}

static video_source_id
source_id(unsigned source)
{
	return video_source(source + 1, VIDEO_TRACK_MAIN);
}

static void
order_canvas(struct meeting_bench *bench, uint32_t id, const struct canvas *canvas)
{
	codec_engine_input(
	        bench->engine,
	        &(struct codec_message){ .kind = CODEC_CANVAS_SET, .id = id, .canvas = canvas }, 0);
	codec_engine_input(bench->engine,
	                   &(struct codec_message){ .kind = CODEC_ENCODE_OPEN,
	                                            .id = id,
	                                            .encode = { .canvas = id,
	                                                        .codec = VIDEO_CODEC_H264,
	                                                        .fps = FPS,
	                                                        .width = WIDTH,
	                                                        .height = HEIGHT,
	                                                        .bps = BPS } },
	                   0);
}

static void
work(struct meeting_bench *bench, int64_t now_us)
{
	while (codec_engine_deadline(bench->engine) <= now_us)
		codec_engine_tick(bench->engine, now_us);
}

static void
run_meeting(struct meeting_bench *bench)
{
	for (unsigned s = 0; s < bench->sources; s++)
		bench->at[s] = 0; /* all begin with a key frame */
	const int64_t warm_us = 1000000;
	double before = 0;
	for (int64_t now_us = 0; now_us < warm_us + seconds * 1000000; now_us += FRAME_US) {
		if (now_us >= warm_us && before == 0) {
			before = cpu_s();
			bench->frames = 0;
			bench->bytes = 0;
		}
		for (unsigned s = 0; s < bench->sources; s++) {
			const struct clip *clip = &clips[s % CLIPS];
			const unsigned at = bench->at[s]++ % CLIP_FRAMES;
			if (clip->frames[at].len == 0)
				continue;
			/* Cameras are not in step. */
			const int64_t at_us = now_us + (int64_t)s * 4801 % FRAME_US;
			codec_engine_input(
			        bench->engine,
			        &(struct codec_message){ .kind = CODEC_SOURCE_FRAME,
			                                 .source = source_id(s),
			                                 .frame = { .captured_us = at_us,
			                                            .codec = VIDEO_CODEC_H264,
			                                            .key = clip->frames[at].key },
			                                 .bytes = clip->frames[at].bytes,
			                                 .len = clip->frames[at].len },
			        at_us);
		}
		work(bench, now_us + FRAME_US - 1);
	}
	bench->busy_s = (cpu_s() - before) / seconds;
}

static void
open_meeting(struct meeting_bench *bench, struct label_fonts **fonts, unsigned sources)
{
	*bench = (struct meeting_bench){ .sources = sources };
	CHECK(label_fonts_create(fonts) == 0);
	const struct codec_engine_settings settings = { .fonts = *fonts,
		                                        .sink = { bench, on_message } };
	CHECK(codec_engine_create(&bench->engine, &settings, 0) == 0);
}

static void
close_meeting(const char *name, struct meeting_bench *bench, struct label_fonts *fonts)
{
	const struct codec_load load = codec_engine_load(bench->engine);
	char text[96];
	snprintf(text, sizeof text, "%s: encodes", name);
	bench_tell("codec", text, load.encodes, "");
	snprintf(text, sizeof text, "%s: frames a second of each", name);
	bench_tell("codec", text, (double)bench->frames / seconds / load.encodes, "");
	snprintf(text, sizeof text, "%s: rate of each", name);
	bench_tell("codec", text, (double)bench->bytes * 8 / seconds / load.encodes / 1e3,
	           "kbit/s");
	codec_engine_destroy(bench->engine);
	label_fonts_destroy(fonts);
}

/* One canvas for all who watch, and one for each of the six who are seen, without themselves. */
static void
measure_large_meeting(void)
{
	static const char name[] = "one meeting, 1+5";
	struct meeting_bench bench;
	struct label_fonts *fonts;
	if (!wanted(name))
		return;
	open_meeting(&bench, &fonts, 7);
	for (unsigned without = 0; without <= 6; without++) {
		video_source_id sources[6];
		unsigned count = 0;
		for (unsigned s = 0; count < 6; s++)
			if (without == 6 || s != without)
				sources[count++] = source_id(s);
		const struct canvas canvas = one_plus_five(sources);
		order_canvas(&bench, without + 1, &canvas);
	}
	run_meeting(&bench);
	bench_tell("codec", "one meeting, 1+5, any number of participants: share of a core",
	           bench.busy_s * 100, "%");
	close_meeting(name, &bench, fonts);
}

/* Everybody sees the three others. */
static void
measure_small_meeting(void)
{
	static const char name[] = "meeting of 4";
	struct meeting_bench bench;
	struct label_fonts *fonts;
	if (!wanted(name))
		return;
	open_meeting(&bench, &fonts, 4);
	for (unsigned without = 0; without < 4; without++) {
		video_source_id sources[3];
		unsigned count = 0;
		for (unsigned s = 0; s < 4; s++)
			if (s != without)
				sources[count++] = source_id(s);
		const struct canvas canvas = testing_grid(sources, 3, 2);
		order_canvas(&bench, without + 1, &canvas);
	}
	run_meeting(&bench);
	bench_tell("codec", "meeting of 4: share of a core", bench.busy_s * 100, "%");
	bench_tell("codec", "meetings of 4: participants a core", 4 / bench.busy_s, "");
	close_meeting(name, &bench, fonts);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			bench_json = true;
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			seconds = (int)strtol(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--ppm") == 0 && i + 1 < argc)
			ppm = argv[++i];
		else if (strcmp(argv[i], "only") == 0 && i + 1 < argc)
			only = argv[++i];
	}
	CHECK(seconds >= 1 && seconds <= 600);
	(void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){ .sched_priority = 10 });
	for (unsigned i = 0; i < CLIPS; i++)
		make_clip(&clips[i], i + 1);
	measure_compose("compose 720p of 6", WIDTH, HEIGHT);
	measure_compose("compose 1080p of 6", 1920, 1080);
	measure_codec("encode 720p H.264", "decode 720p H.264", VIDEO_CODEC_H264);
	measure_codec("encode 720p VP8", "decode 720p VP8", VIDEO_CODEC_VP8);
	measure_large_meeting();
	measure_small_meeting();
	for (unsigned i = 0; i < CLIPS; i++) {
		for (unsigned f = 0; f < CLIP_FRAMES; f++)
			free(clips[i].frames[f].bytes);
		for (unsigned p = 0; p < PICTURES_KEPT; p++)
			picture_fini(&clips[i].pictures[p]);
		free(clips[i].pictures);
	}
	return 0;
}
