/* SPDX-License-Identifier: Apache-2.0 */
/* picture -- an I420 picture: a plane of brightness and two of colour at half its size each way.
 *
 * A picture is kept and written again and again; picture_resize() asks for memory only when it was
 * never so large, so nothing is allocated per frame.  A view (picture_part()) or a decoder's
 * picture borrows the planes of somebody else.
 *
 * Ownership  picture_resize() and picture_fini() of an own one; views need nothing.
 * Threads    A value.
 * Units      Pixels; BT.601 or 709 limited range: black is 16, grey colour 128.
 * Errors     -ENOMEM.
 */
#ifndef CODEC_PICTURE_H
#define CODEC_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "video/video.h"

enum {
	PICTURE_SIDE_MIN = 16,              /* a smaller one is nobody's camera */
	PICTURE_PIXELS_MAX = 3840 * 2160,   /* neither is a larger one */
};

enum { PICTURE_Y, PICTURE_U, PICTURE_V, PICTURE_PLANES };

struct picture {
	int width;
	int height;
	int strides[PICTURE_PLANES];
	uint8_t *planes[PICTURE_PLANES];
	void *memory; /* NULL: a view */
	size_t memory_bytes;
};

struct picture_colour {
	uint8_t y, u, v;
};

struct picture_rect {
	int x, y, width, height;
};

/* Its contents are lost. */
[[nodiscard]] int picture_resize(struct picture *picture, int width, int height);
void picture_fini(struct picture *picture);

/* `rect` lies within, its corner at even numbers. */
[[nodiscard]] struct picture picture_part(const struct picture *picture,
                                          const struct picture_rect *rect);

/* Cut to the picture; its edges are rounded outwards to even numbers. */
void picture_fill(struct picture *picture, const struct picture_rect *rect,
                  struct picture_colour colour);
/* Same size. */
void picture_copy(struct picture *to, const struct picture *from);

#endif
