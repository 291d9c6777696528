/* SPDX-License-Identifier: Apache-2.0 */
/* compose -- draws canvases (canvas.h) at a size, out of the sources' latest pictures.
 *
 * A composition is one canvas at one size.  It is kept from picture to picture, and only what
 * changed is drawn again: the panes whose source has a new picture, and what lies over them.  A
 * source is made smaller once for each size it is shown at, however many compositions show it so.
 *
 * How a picture is fitted into its pane (CANVAS_FIT_AUTO): it fills the pane when that cuts off at
 * most a quarter of its width or an eighth of its height (heads are above); otherwise it is cut by
 * as much and stands on a calm background.
 *
 * Ownership  A composer outlives its compositions.  Sources are the caller's: it tells each
 *            composition which are behind its panes, and again before one of them goes.
 * Threads    One owner of all.
 * Units      Pixels, all positions even.
 * Errors     -ENOMEM.  A pane for which memory is short shows its name.
 */
#ifndef CODEC_COMPOSE_H
#define CODEC_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/canvas.h"
#include "codec/labels.h"
#include "codec/picture.h"

enum {
	COMPOSE_HALVES_MAX = 3, /* a source is halved up to so often before it is scaled */
	COMPOSE_CUT_WIDTH_PCT = 25,
	COMPOSE_CUT_HEIGHT_PCT_X10 = 125,
};

struct compose_scaled;

/* What a source looks like now.  Zeroed it shows nothing. */
struct compose_source {
	const struct picture *picture; /* borrowed; NULL: its name is shown */
	uint64_t version;              /* differs for each picture of any source; not 0 */
	uint16_t rotation;             /* clockwise, to be seen upright */
	/* The composer's. */
	struct picture halves[COMPOSE_HALVES_MAX];
	uint64_t halves_version[COMPOSE_HALVES_MAX];
	struct compose_scaled *scaled;
};

/* No composition may show it any more. */
void compose_source_fini(struct compose_source *source);

struct composer;
struct composition;

/* `fonts` may be NULL. */
[[nodiscard]] int composer_create(struct composer **out, const struct label_fonts *fonts);
void composer_destroy(struct composer *composer);

/* Sides even. */
[[nodiscard]] int composition_create(struct composition **out, struct composer *composer, int width,
                                     int height);
void composition_destroy(struct composition *composition);

/* What it shows from now on; copied, and valid. */
void composition_set_canvas(struct composition *composition, const struct canvas *canvas);
/* Behind panes[i] is sources[i], or NULL; borrowed until told anew.  Told after each canvas. */
void composition_set_sources(struct composition *composition,
                             struct compose_source *const sources[CANVAS_PANES_MAX]);

/* Would composition_draw() make another picture? */
[[nodiscard]] bool composition_changed(const struct composition *composition);
void composition_draw(struct composition *composition);
/* As last drawn. */
[[nodiscard]] const struct picture *composition_picture(const struct composition *composition);

#endif
