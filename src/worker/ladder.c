/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/ladder.h"

#include "base/check.h"

enum {
	MACROBLOCK = 16,
	SIDE_MIN = 32,
};

static const struct ladder_rung movement[] = {
	{ 160, 90, 15, 64000 },     { 320, 180, 15, 130000 },   { 480, 270, 15, 230000 },
	{ 640, 360, 15, 340000 },   { 640, 360, 30, 520000 },   { 960, 540, 30, 900000 },
	{ 1280, 720, 30, 1500000 }, { 1920, 1080, 30, 3000000 },
};

static const struct ladder_rung detail[] = {
	{ 640, 360, 5, 120000 },    { 1280, 720, 5, 280000 },   { 1280, 720, 15, 600000 },
	{ 1920, 1080, 5, 800000 },  { 1920, 1080, 15, 1500000 }, { 1920, 1080, 30, 2500000 },
};

static_assert(COUNT_OF(movement) <= LADDER_RUNGS_MAX && COUNT_OF(detail) <= LADDER_RUNGS_MAX,
              "both ladders fit");

static uint32_t
macroblocks_of(const struct ladder_rung *rung)
{
	return (uint32_t)((rung->width + MACROBLOCK - 1) / MACROBLOCK) *
	       (uint32_t)((rung->height + MACROBLOCK - 1) / MACROBLOCK);
}

static void
set_size(struct ladder_rung *rung, uint32_t width, uint32_t height)
{
	rung->width = (uint16_t)(width < SIDE_MIN ? SIDE_MIN : width & ~1u);
	rung->height = (uint16_t)(height < SIDE_MIN ? SIDE_MIN : height & ~1u);
}

/* The rung in the shape of its source, which is never made larger than it is. */
static void
shape(struct ladder_rung *rung, const struct ladder_limits *limits)
{
	const uint32_t width = limits->source_width;
	const uint32_t height = limits->source_height;
	if (width == 0 || height == 0)
		return;
	if (width * height <= (uint32_t)rung->width * rung->height) {
		set_size(rung, width, height);
		return;
	}
	const uint32_t side = rung->width;
	uint32_t shaped_width = side;
	uint32_t shaped_height = side;
	if (width > height)
		shaped_height = side * height / width;
	else
		shaped_width = side * width / height;
	/* No larger than the 16:9 picture of the rung, which its rate is meant for. */
	while (shaped_width * shaped_height > (uint32_t)rung->width * rung->height) {
		shaped_width = shaped_width * 15 / 16;
		shaped_height = shaped_height * 15 / 16;
	}
	set_size(rung, shaped_width, shaped_height);
}

/* Fewer frames where only they are too many; what is left costs more a frame. */
static bool
slow_down(struct ladder_rung *rung, const struct ladder_limits *limits)
{
	uint32_t fps = rung->fps;
	const uint32_t macroblocks = macroblocks_of(rung);
	if (limits->fps_max != 0 && fps > limits->fps_max)
		fps = limits->fps_max;
	if (limits->macroblocks_per_s_max != 0 && fps * macroblocks > limits->macroblocks_per_s_max)
		fps = limits->macroblocks_per_s_max / macroblocks;
	if (fps < LADDER_FPS_MIN)
		return false;
	if (fps < rung->fps)
		rung->bps = (uint32_t)((uint64_t)rung->bps * (fps + rung->fps) / (2u * rung->fps));
	rung->fps = (uint8_t)fps;
	return true;
}

static bool
fits(const struct ladder_rung *rung, const struct ladder_limits *limits)
{
	return (limits->height_max == 0 || rung->height <= limits->height_max) &&
	       (limits->bps_max == 0 || rung->bps <= limits->bps_max) &&
	       (limits->frame_macroblocks_max == 0 ||
	        macroblocks_of(rung) <= limits->frame_macroblocks_max);
}

unsigned
ladder_fill(struct ladder_rung rungs[LADDER_RUNGS_MAX], const struct ladder_limits *limits)
{
	const struct ladder_rung *table = limits->detail ? detail : movement;
	const unsigned table_count = limits->detail ? COUNT_OF(detail) : COUNT_OF(movement);
	unsigned count = 0;
	uint16_t filled = 0; /* height of the first rung that fills the tile */
	for (unsigned i = 0; i < table_count; i++) {
		struct ladder_rung rung = table[i];
		const uint16_t height = rung.height;
		if (filled != 0 && height > filled)
			continue;
		shape(&rung, limits);
		const bool whole = rung.width == (limits->source_width & ~1) &&
		                   rung.height == (limits->source_height & ~1);
		if (!slow_down(&rung, limits) || !fits(&rung, limits))
			continue;
		if (whole || (limits->height_wanted != 0 && height >= limits->height_wanted))
			filled = height;
		/* Slowed down, a rung may be the one before it again, or cheaper. */
		if (count != 0 && rung.bps <= rungs[count - 1].bps)
			count--;
		rungs[count++] = rung;
	}
	return count;
}

uint32_t
ladder_guess_bps(uint16_t height)
{
	for (unsigned i = 0; i < COUNT_OF(movement); i++)
		if (movement[i].height >= height && movement[i].fps == 30)
			return movement[i].bps;
	return movement[COUNT_OF(movement) - 1].bps;
}
