/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/scale.h"

#include <libyuv.h>
#include <stdbool.h>

#include "base/check.h"

#define PLANES_OF(picture)                                                                    \
	(picture)->planes[PICTURE_Y], (picture)->strides[PICTURE_Y],                          \
		(picture)->planes[PICTURE_U], (picture)->strides[PICTURE_U],                  \
		(picture)->planes[PICTURE_V], (picture)->strides[PICTURE_V]

void
scale_half(const struct picture *from, struct picture *to)
{
	CHECK(to->width == (from->width + 1) / 2 && to->height == (from->height + 1) / 2);
	CHECK(I420Scale(PLANES_OF(from), from->width, from->height, PLANES_OF(to), to->width,
	                to->height, kFilterBox) == 0);
}

void
scale_to(const struct picture *from, struct picture *to)
{
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
