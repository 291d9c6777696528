/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/scale.h"

#include <libyuv.h>
#include <stdbool.h>

#include "base/check.h"
#include "codec/scale_plane.h"

#define PLANES_OF(picture)                                                                         \
	(picture)->planes[PICTURE_Y], (picture)->strides[PICTURE_Y], (picture)->planes[PICTURE_U], \
	        (picture)->strides[PICTURE_U], (picture)->planes[PICTURE_V],                       \
	        (picture)->strides[PICTURE_V]

void
scale_half(const struct picture *from, struct picture *to)
{
	CHECK(to->width == (from->width + 1) / 2 && to->height == (from->height + 1) / 2);
	CHECK(I420Scale(PLANES_OF(from), from->width, from->height, PLANES_OF(to), to->width,
	                to->height, kFilterBox) == 0);
}

/* Colours of both kinds have the same columns. */
static void
scale_planes(const struct picture *from, struct picture *to)
{
	struct scale_columns columns;
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		const int shift = p == PICTURE_Y ? 0 : 1;
		if (p != PICTURE_V)
			scale_columns_init(&columns, (from->width + shift) >> shift,
			                   (to->width + shift) >> shift);
		const struct scale_rows rows = {
			.from = from->planes[p],
			.to = to->planes[p],
			.from_stride = from->strides[p],
			.to_stride = to->strides[p],
			.from_height = (from->height + shift) >> shift,
			.to_height = (to->height + shift) >> shift,
		};
		scale_plane(&columns, &rows);
	}
}

void
scale_to(const struct picture *from, struct picture *to)
{
	if (from->width == to->width && from->height == to->height) {
		picture_copy(to, from);
		return;
	}
	if (scale_columns_possible(from->width, to->width) &&
	    scale_columns_possible((from->width + 1) / 2, (to->width + 1) / 2)) {
		scale_planes(from, to);
		return;
	}
	CHECK(I420Scale(PLANES_OF(from), from->width, from->height, PLANES_OF(to), to->width,
	                to->height, kFilterBilinear) == 0);
}

void
scale_turn(const struct picture *from, struct picture *to, unsigned degrees)
{
	CHECK(degrees == 90 || degrees == 180 || degrees == 270);
	const bool swaps = degrees != 180;
	CHECK(to->width == (swaps ? from->height : from->width));
	CHECK(to->height == (swaps ? from->width : from->height));
	CHECK(I420Rotate(PLANES_OF(from), PLANES_OF(to), from->width, from->height,
	                 (enum RotationMode)degrees) == 0);
}

void
scale_warm_up(void)
{
	(void)TestCpuFlag(-1);
}
