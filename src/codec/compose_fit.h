/* SPDX-License-Identifier: Apache-2.0 */
/* compose_fit -- which part of a picture is shown where in its pane.
 *
 * Threads    Pure functions.
 * Units      Pixels.
 */
#ifndef CODEC_COMPOSE_FIT_H
#define CODEC_COMPOSE_FIT_H

#include "codec/canvas.h"
#include "codec/picture.h"

struct fit {
	struct picture_rect from; /* of the picture as it came */
	struct picture_rect to;   /* within the pane, upright */
};

/* A pane's rectangle in a picture of `width` x `height`: panes that touch on the grid touch
 * here. */
[[nodiscard]] struct picture_rect fit_pane(const struct canvas_pane *pane, int width, int height);

/* All sizes and corners even. */
[[nodiscard]] struct fit fit_picture(int picture_width, int picture_height, unsigned rotation,
                                     int pane_width, int pane_height, enum canvas_fit rule);

#endif
