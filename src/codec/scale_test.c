/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a picture made larger or smaller is the same picture: each pixel mixed of its neighbours as
 * arithmetic says, in every size, with and without AVX2, and nothing is written beside it.  Method:
 * planes of random bytes against a slow computation of the same; pictures of one colour and of a
 * slope. */
#include "codec/scale.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "codec/scale_plane.h"

enum { GUARD = 0xa5, BESIDE = 24 };

static double
sample(const uint8_t *plane, int stride, int width, int height, double x, double y)
{
	x = x < 0 ? 0 : x > width - 1 ? width - 1 : x;
	y = y < 0 ? 0 : y > height - 1 ? height - 1 : y;
	const int x0 = (int)x, y0 = (int)y;
	const int x1 = x0 + 1 < width ? x0 + 1 : x0, y1 = y0 + 1 < height ? y0 + 1 : y0;
	const double fx = x - x0, fy = y - y0;
	const double top = plane[y0 * stride + x0] * (1 - fx) + plane[y0 * stride + x1] * fx;
	const double low = plane[y1 * stride + x0] * (1 - fx) + plane[y1 * stride + x1] * fx;
	return top * (1 - fy) + low * fy;
}

static void
check_plane(struct prng *prng, int from_width, int from_height, int to_width, int to_height)
{
	/* Exactly so large: a byte read beyond the end is found. */
	uint8_t *from = malloc((size_t)(from_width * from_height));
	const int to_stride = to_width + BESIDE;
	uint8_t *to = malloc((size_t)(to_stride * to_height));
	static struct scale_columns columns;
	EXPECT(from != NULL && to != NULL);
	prng_bytes(prng, from, (size_t)(from_width * from_height));
	memset(to, GUARD, (size_t)(to_stride * to_height));
	scale_columns_init(&columns, from_width, to_width);
	scale_plane(&columns, &(struct scale_rows){ .from = from,
	                                            .to = to,
	                                            .from_stride = from_width,
	                                            .to_stride = to_stride,
	                                            .from_height = from_height,
	                                            .to_height = to_height });
	for (int y = 0; y < to_height; y++) {
		for (int x = 0; x < to_width; x++) {
			const double want = sample(from, from_width, from_width, from_height,
			                           (x + 0.5) * from_width / to_width - 0.5,
			                           (y + 0.5) * from_height / to_height - 0.5);
			/* 64 and 128 parts between two pixels of any value, and rounding twice. */
			const double off = want - to[y * to_stride + x];
			EXPECT(off < 8 && off > -8);
		}
		for (int x = to_width; x < to_stride; x++)
			EXPECT_EQ(to[y * to_stride + x], GUARD);
	}
	free(from);
	free(to);
}

TEST(every_pixel_is_mixed_of_its_neighbours)
{
	struct prng prng;
	prng_init(&prng, 11);
	static const int widths[][2] = { { 640, 424 }, { 1280, 852 }, { 640, 640 },  { 100, 50 },
		                         { 101, 51 },  { 16, 640 },   { 1, 1 },      { 1, 40 },
		                         { 2, 1 },     { 33, 17 },    { 4096, 2048 } };
	for (size_t i = 0; i < COUNT_OF(widths); i++)
		check_plane(&prng, widths[i][0], 9, widths[i][1], 7);
	for (unsigned i = 0; i < 300; i++) {
		const int to_width = 1 + (int)prng_below(&prng, 200);
		const int from_width = 1 + (int)prng_below(&prng, 2 * (unsigned)to_width);
		check_plane(&prng, from_width, 1 + (int)prng_below(&prng, 20), to_width,
		            1 + (int)prng_below(&prng, 20));
	}
}

TEST(one_colour_stays_one_colour_in_every_size)
{
	static const int sizes[][2] = { { 64, 36 },   { 126, 70 },  { 128, 72 }, { 254, 142 },
		                        { 424, 238 }, { 16, 16 },   { 17, 31 },  { 640, 20 },
		                        { 20, 640 },  { 1280, 720 } };
	const struct picture_colour colour = { 81, 90, 240 };
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		for (size_t j = 0; j < COUNT_OF(sizes); j++) {
			struct picture from = { 0 }, to = { 0 };
			EXPECT_EQ(picture_resize(&from, sizes[i][0], sizes[i][1]), 0);
			EXPECT_EQ(picture_resize(&to, sizes[j][0], sizes[j][1]), 0);
			picture_fill(&from, &(struct picture_rect){ 0, 0, from.width, from.height },
			             colour);
			scale_to(&from, &to);
			for (unsigned p = 0; p < PICTURE_PLANES; p++) {
				const int shift = p == PICTURE_Y ? 0 : 1;
				const uint8_t want = (const uint8_t[]){ 81, 90, 240 }[p];
				for (int y = 0; y < (to.height + shift) >> shift; y++)
					for (int x = 0; x < (to.width + shift) >> shift; x++)
						EXPECT_EQ(to.planes[p][y * to.strides[p] + x],
						          want);
			}
			picture_fini(&from);
			picture_fini(&to);
		}
	}
}

TEST(half_is_the_mean_of_four_and_turning_moves_corners)
{
	struct picture from = { 0 }, half = { 0 }, turned = { 0 };
	EXPECT_EQ(picture_resize(&from, 32, 16), 0);
	for (int y = 0; y < 16; y++)
		for (int x = 0; x < 32; x++)
			from.planes[0][y * from.strides[0] + x] = (uint8_t)(4 * x + 2 * y);
	for (unsigned p = 1; p < PICTURE_PLANES; p++)
		for (int y = 0; y < 8; y++)
			memset(from.planes[p] + y * from.strides[p], 128, 16);
	EXPECT_EQ(picture_resize(&half, 16, 8), 0);
	scale_half(&from, &half);
	for (int y = 0; y < 8; y++)
		for (int x = 0; x < 16; x++)
			EXPECT_EQ(half.planes[0][y * half.strides[0] + x], 8 * x + 4 * y + 3);
	/* The upper left corner goes to the upper right, the lower right, the lower left. */
	EXPECT_EQ(picture_resize(&turned, 16, 32), 0);
	scale_turn(&from, &turned, 90);
	EXPECT_EQ(turned.planes[0][15], from.planes[0][0]);
	scale_turn(&from, &turned, 270);
	EXPECT_EQ(turned.planes[0][31 * turned.strides[0]], from.planes[0][0]);
	EXPECT_EQ(picture_resize(&turned, 32, 16), 0);
	scale_turn(&from, &turned, 180);
	EXPECT_EQ(turned.planes[0][15 * turned.strides[0] + 31], from.planes[0][0]);
	picture_fini(&from);
	picture_fini(&half);
	picture_fini(&turned);
}
