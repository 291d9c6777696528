/* SPDX-License-Identifier: Apache-2.0 */
/* layout -- where people stand in a composed picture: from a layout's name and a number of people
 * to panes, and custom layouts (layoutTemplates) read from JSON.
 *
 * The picture is a grid of LAYOUT_WIDTH x LAYOUT_HEIGHT points that says nothing about its size.
 * Panes of the named layouts are exactly 16:9 and begin and end on even points; they are in the
 * order of importance, the first is for who matters most.
 *
 * A template, PUT layoutTemplates/<id>/template:
 *	{"templates":[{"panes":[{"x":0,"y":0,"width":66.66,"height":66.66}, ...]}, ...]}
 * Numbers are percent of the picture with up to four decimals, ends are rounded to even points. The
 * panes of one arrangement are in the order of importance and do not overlap, but one with
 * "over":true, which lies on those before it.  Of several arrangements the smallest that has a
 * pane for everybody is taken, else the largest.
 *
 * Ownership  Plain values.
 * Threads    Pure functions.
 * Units      Grid points.
 * Errors     layout_template_read() says in words what is wrong and where.
 * Limits     LAYOUT_PANES_MAX panes, LAYOUT_TEMPLATES_MAX arrangements, LAYOUT_TEXT_MAX bytes.
 */
#ifndef MEETING_LAYOUT_H
#define MEETING_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
	LAYOUT_WIDTH = 1920,
	LAYOUT_HEIGHT = 1080,
	LAYOUT_PANES_MAX = 25,
	LAYOUT_TEMPLATES_MAX = 8,  /* arrangements of one template */
	LAYOUT_SIDE_MIN = 48,      /* of a template's pane */
	LAYOUT_TEXT_MAX = 4000,    /* bytes of a template's JSON without spaces */
	LAYOUT_ERROR_MAX = 128,
};

/* In the API's order of words. */
enum layout_name {
	LAYOUT_ALL_EQUAL,
	LAYOUT_SPEAKER_ONLY,
	LAYOUT_TELEPRESENCE,
	LAYOUT_STACKED,
	LAYOUT_QUARTERS,
	LAYOUT_NINTHS,
	LAYOUT_SIXTEENTHS,
	LAYOUT_TWENTY_FIFTHS,
	LAYOUT_ONE_PLUS_FIVE,
	LAYOUT_ONE_PLUS_SEVEN,
	LAYOUT_ONE_PLUS_NINE,
	LAYOUT_AUTOMATIC,
	LAYOUT_ONE_PLUS_N,
	LAYOUT_COUNT,
};

/* The API's word: "allEqualQuarters". */
const char *layout_name_text(enum layout_name name);

struct layout_pane {
	uint16_t x, y, width, height;
	bool over; /* lies on panes before it */
};

struct layout {
	uint8_t count;
	bool led; /* the first pane stands out: it is for who speaks */
	struct layout_pane panes[LAYOUT_PANES_MAX];
};

/* Panes for `people`, fewer when the layout has not so many; none for nobody.  Grids of a fixed
 * number keep the places of a full grid. */
void layout_make(struct layout *out, enum layout_name name, unsigned people);
/* Most panes it can have. */
[[nodiscard]] unsigned layout_capacity(enum layout_name name);
/* The named layout that automatic and onePlusN are with so many people; others are themselves. */
[[nodiscard]] enum layout_name layout_resolve(enum layout_name name, unsigned people);

/* Its first pane is for who leads; of automatic and onePlusN as they are with many. */
[[nodiscard]] bool layout_is_led(enum layout_name name);

/* Content in the first, large pane and up to five people beside it: for who has no second
 * stream. */
void layout_with_content(struct layout *out, unsigned people);
enum { LAYOUT_BESIDE_CONTENT_MAX = 5 };

struct layout_template {
	uint8_t count;
	struct layout layouts[LAYOUT_TEMPLATES_MAX];
};

/* False, with a sentence in `error`, when the JSON is no template; `*out` is then untouched. */
[[nodiscard]] bool layout_template_read(struct layout_template *out, struct str json,
                                        char error[LAYOUT_ERROR_MAX]);
/* The arrangement for so many people, cut to them. */
void layout_of_template(struct layout *out, const struct layout_template *from, unsigned people);
[[nodiscard]] unsigned layout_template_capacity(const struct layout_template *from);

#endif
