/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum {
	ALIGN = 64,
	PAD = 64, /* behind the last plane: scalers read a little beyond a row */
};

int
picture_resize(struct picture *picture, int width, int height)
{
	CHECK(width > 0 && height > 0);
	CHECK(width <= VIDEO_SIDE_MAX && height <= VIDEO_SIDE_MAX);
	const int half_width = (width + 1) / 2;
	const int half_height = (height + 1) / 2;
	const int stride_y = (width + ALIGN - 1) & ~(ALIGN - 1);
	const int stride_uv = (half_width + ALIGN - 1) & ~(ALIGN - 1);
	const size_t y_bytes = (size_t)stride_y * (size_t)height;
	const size_t uv_bytes = (size_t)stride_uv * (size_t)half_height;
	const size_t bytes = (y_bytes + 2 * uv_bytes + PAD + ALIGN - 1) & ~(size_t)(ALIGN - 1);

	if (bytes > picture->memory_bytes) {
		uint8_t *memory = aligned_alloc(ALIGN, bytes);
		if (memory == NULL)
			return -ENOMEM;
		free(picture->memory);
		picture->memory = memory;
		picture->memory_bytes = bytes;
	}
	uint8_t *const first = picture->memory;
	picture->width = width;
	picture->height = height;
	picture->strides[PICTURE_Y] = stride_y;
	picture->strides[PICTURE_U] = stride_uv;
	picture->strides[PICTURE_V] = stride_uv;
	picture->planes[PICTURE_Y] = first;
	picture->planes[PICTURE_U] = first + y_bytes;
	picture->planes[PICTURE_V] = first + y_bytes + uv_bytes;
	return 0;
}

void
picture_fini(struct picture *picture)
{
	free(picture->memory);
	*picture = (struct picture){ 0 };
}

struct picture
picture_part(const struct picture *picture, const struct picture_rect *rect)
{
	CHECK(rect->x >= 0 && rect->y >= 0 && rect->x % 2 == 0 && rect->y % 2 == 0);
	CHECK(rect->width > 0 && rect->x + rect->width <= picture->width);
	CHECK(rect->height > 0 && rect->y + rect->height <= picture->height);
	struct picture part = { .width = rect->width, .height = rect->height };
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		const int shift = p == PICTURE_Y ? 0 : 1;
		part.strides[p] = picture->strides[p];
		part.planes[p] = picture->planes[p] +
		                 (ptrdiff_t)(rect->y >> shift) * picture->strides[p] +
		                 (rect->x >> shift);
	}
	return part;
}

void
picture_fill(struct picture *picture, const struct picture_rect *rect, struct picture_colour colour)
{
	const int left = rect->x > 0 ? rect->x & ~1 : 0;
	const int top = rect->y > 0 ? rect->y & ~1 : 0;
	int right = (rect->x + rect->width + 1) & ~1;
	int bottom = (rect->y + rect->height + 1) & ~1;
	right = right < picture->width ? right : picture->width;
	bottom = bottom < picture->height ? bottom : picture->height;
	if (right <= left || bottom <= top)
		return;
	const uint8_t values[PICTURE_PLANES] = { colour.y, colour.u, colour.v };
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		const int shift = p == PICTURE_Y ? 0 : 1;
		const size_t count = (size_t)(((right + shift) >> shift) - (left >> shift));
		for (int y = top >> shift; y < (bottom + shift) >> shift; y++)
			memset(picture->planes[p] + (ptrdiff_t)y * picture->strides[p] +
			               (left >> shift),
			       values[p], count);
	}
}

void
picture_copy(struct picture *to, const struct picture *from)
{
	CHECK(to->width == from->width && to->height == from->height);
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		const int shift = p == PICTURE_Y ? 0 : 1;
		const size_t count = (size_t)((from->width + shift) >> shift);
		for (int y = 0; y < (from->height + shift) >> shift; y++)
			memcpy(to->planes[p] + (ptrdiff_t)y * to->strides[p],
			       from->planes[p] + (ptrdiff_t)y * from->strides[p], count);
	}
}
