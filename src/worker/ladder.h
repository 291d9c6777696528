/* SPDX-License-Identifier: Apache-2.0 */
/* ladder -- the sizes, frame rates and bit rates in which composed and transcoded pictures are made,
 * so that many receivers can share few encodes.
 *
 * Two ladders: for movement the size falls with the rate; for detail (shared screens) the frames
 * become fewer first, and text stays sharp.
 *
 * Ownership  Values; the tables are constant.
 * Threads    Pure functions.
 * Units      Pixels, frames a second, bits a second; macroblocks of 16 x 16 pixels.
 * Errors     None: no rung may fit what a receiver takes.
 * Limits     LADDER_RUNGS_MAX rungs.
 */
#ifndef WORKER_LADDER_H
#define WORKER_LADDER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LADDER_RUNGS_MAX = 9,
	LADDER_FPS_MIN = 3, /* a rung slowed down further than that is left out */
};

struct ladder_rung {
	uint16_t width; /* 16:9 */
	uint16_t height;
	uint8_t fps;
	uint32_t bps;
};

/* 0 anywhere: no limit. */
struct ladder_limits {
	bool detail;
	uint16_t height_max;      /* of the profile */
	uint16_t height_wanted;   /* of the tile: nothing larger than the first rung that fills it */
	uint8_t fps_max;
	uint32_t bps_max;
	uint32_t frame_macroblocks_max;
	uint32_t macroblocks_per_s_max;
	uint16_t source_width;    /* the shape of what is shown, when it is not 16:9 */
	uint16_t source_height;
};

/* The rungs within the limits, bit rates ascending; returns how many. */
unsigned ladder_fill(struct ladder_rung rungs[LADDER_RUNGS_MAX],
                     const struct ladder_limits *limits);

/* What a stream of this height usually takes: for one that was not measured yet. */
[[nodiscard]] uint32_t ladder_guess_bps(uint16_t height);

#endif
