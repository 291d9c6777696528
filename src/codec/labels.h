/* SPDX-License-Identifier: Apache-2.0 */
/* labels -- names, messages and icons as they are drawn into pictures.
 *
 * Text of any script is shaped by HarfBuzz and rendered by FreeType, each character in the first of
 * the installed fonts that has it; a line too long ends in an ellipsis.  A label is rendered once
 * and kept as what it does to a picture: how much of each pixel stays, and what is added.
 *
 * Ownership  label_fonts_create() maps the fonts' files, once, before a process is locked in; they
 *            outlive the caches made with them.  label_get() lends a label until label_put(); the
 *            cache keeps those not in use as long as there is room.
 * Threads    One owner for fonts and caches.
 * Units      Pixels; text is UTF-8.
 * Errors     A missing font is no error: its characters show as boxes, without any font there is no
 *            text.  Text that is no UTF-8 is cut where it ends to be.
 * Limits     LABEL_CACHE_MAX labels; more in use at a time are not drawn.
 */
#ifndef CODEC_LABELS_H
#define CODEC_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/canvas.h"
#include "codec/picture.h"

enum {
	LABEL_CACHE_MAX = 1024,
	LABEL_FONTS_MAX = 64,
	LABEL_LINES_MAX = 5,
	LABEL_EM_MIN = 8,
	LABEL_EM_MAX = 160,
};

enum label_icon {
	LABEL_ICON_MUTED = 1 << 0,
	LABEL_ICON_RECORDING = 1 << 1,
	LABEL_ICON_STREAMING = 1 << 2,
	LABEL_ICON_LOCKED = 1 << 3,
	LABEL_ICON_PERSON = 1 << 4,
	LABEL_ICON_CLOCK = 1 << 5,
};

struct label_fonts;

[[nodiscard]] int label_fonts_create(struct label_fonts **out);
void label_fonts_destroy(struct label_fonts *fonts);
[[nodiscard]] unsigned label_fonts_count(const struct label_fonts *fonts);

struct label_spec {
	const char *text;  /* not NULL */
	uint8_t icons;     /* enum label_icon, before the text */
	uint8_t shade;     /* how dark it is behind: 0 to 255 */
	uint8_t lines_max; /* 1: one line; more: broken between words */
	uint16_t em;       /* size of the letters; brought into range */
	uint16_t width_max;
};

/* Its size is even. */
struct label {
	int width;
	int height;
	/* new = old * keep / 255 + add, for brightness and at half the size for colours. */
	uint8_t *y_keep, *y_add;
	uint8_t *uv_keep, *u_add, *v_add;
};

struct label_cache;

/* `fonts` may be NULL. */
[[nodiscard]] int label_cache_create(struct label_cache **out, const struct label_fonts *fonts);
void label_cache_destroy(struct label_cache *cache);

/* NULL: there is nothing to draw, or no room. */
[[nodiscard]] const struct label *label_get(struct label_cache *cache,
                                            const struct label_spec *spec);
void label_put(struct label_cache *cache, const struct label *label);

/* At even numbers; what lies outside is left out. */
void label_draw(const struct label *label, struct picture *picture, int x, int y);

#endif
