/* SPDX-License-Identifier: Apache-2.0 */
/* scale_plane -- makes one plane of a picture larger, or smaller by up to two in its width: between
 * two rows, then between two columns, eight bits each.
 *
 * Each pixel of a row is the mix of two neighbours, and which ones is the same in every row: with
 * AVX2 sixteen of them are picked by two shuffles and mixed by one multiplication.
 *
 * Threads    Pure functions.
 * Units      Pixels.
 * Limits     SCALE_PLANE_WIDTH_MAX.
 */
#ifndef CODEC_SCALE_PLANE_H
#define CODEC_SCALE_PLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "video/video.h"

enum {
	SCALE_PLANE_WIDTH_MAX = VIDEO_SIDE_MAX,
	SCALE_GROUP = 8, /* pixels whose neighbours lie within sixteen */
	SCALE_GROUPS_MAX = SCALE_PLANE_WIDTH_MAX / SCALE_GROUP + 2,
};

/* Which neighbours make each pixel of a row, and how much of each. */
struct scale_columns {
	int from_width;
	int to_width;
	uint16_t at[SCALE_GROUPS_MAX]; /* a group's first pixel in the row it is made of */
	_Alignas(32) uint8_t pick[SCALE_GROUPS_MAX * 2 * SCALE_GROUP]; /* pairs, from there */
	_Alignas(32) uint8_t share[SCALE_GROUPS_MAX * 2 * SCALE_GROUP]; /* of 64 */
};

struct scale_rows {
	const uint8_t *from;
	uint8_t *to;
	int from_stride, to_stride;
	int from_height, to_height;
};

[[nodiscard]] bool scale_columns_possible(int from_width, int to_width);
void scale_columns_init(struct scale_columns *columns, int from_width, int to_width);
void scale_plane(const struct scale_columns *columns, const struct scale_rows *rows);

#endif
