/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind labels.h share: shaping lines of text, and icons. */
#ifndef CODEC_LABELS_INTERNAL_H
#define CODEC_LABELS_INTERNAL_H

#include "codec/labels.h"

enum { LINE_GLYPHS_MAX = 400 };

struct line_glyph {
	uint32_t id;
	int32_t x, y; /* 26.6, from the line's beginning on its base line */
	uint8_t font;
};

struct line {
	struct line_glyph glyphs[LINE_GLYPHS_MAX];
	unsigned glyph_count;
	int32_t width; /* 26.6 */
};

/* 8 bits of coverage for each pixel. */
struct coverage {
	uint8_t *bytes;
	int width;
	int height;
};

/* One line, left to right as it is seen. */
void line_shape(struct line *line, const struct label_fonts *fonts, unsigned em, const char *text,
                size_t len);
/* Adds the line to `coverage`, its base line beginning at (x, y). */
void line_draw(const struct line *line, const struct label_fonts *fonts, unsigned em,
               struct coverage *coverage, int x, int y);

/* Adds one icon in a square of `side`. */
void icon_draw(enum label_icon icon, struct coverage *coverage, int x, int y, int side);

#endif
