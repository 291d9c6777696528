/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every layout, however it was made: shared by its tests and its fuzz target. */
#ifndef MEETING_LAYOUT_CHECK_H
#define MEETING_LAYOUT_CHECK_H

#include <string.h>

#include "base/check.h"
#include "meeting/layout.h"

static inline bool
panes_overlap(const struct layout_pane *a, const struct layout_pane *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

/* On the grid, even, not too small, and apart unless one lies over another. */
static inline void
check_layout(const struct layout *layout)
{
	CHECK(layout->count <= LAYOUT_PANES_MAX);
	for (unsigned i = 0; i < layout->count; i++) {
		const struct layout_pane *pane = &layout->panes[i];
		CHECK(pane->width >= LAYOUT_SIDE_MIN && pane->height >= LAYOUT_SIDE_MIN);
		CHECK(pane->x + pane->width <= LAYOUT_WIDTH);
		CHECK(pane->y + pane->height <= LAYOUT_HEIGHT);
		CHECK(((pane->x | pane->y | pane->width | pane->height) & 1) == 0);
		for (unsigned j = 0; j < i; j++)
			CHECK(pane->over || !panes_overlap(pane, &layout->panes[j]));
	}
}

/* Points that some pane covers, counted on every other one: everything is even. */
static inline unsigned
covered(const struct layout *layout)
{
	static uint8_t points[LAYOUT_HEIGHT / 2][LAYOUT_WIDTH / 2];
	unsigned count = 0;
	memset(points, 0, sizeof points);
	for (unsigned i = 0; i < layout->count; i++) {
		const struct layout_pane *pane = &layout->panes[i];
		for (unsigned y = pane->y / 2; y < (pane->y + pane->height) / 2u; y++)
			memset(&points[y][pane->x / 2], 1, pane->width / 2u);
	}
	for (unsigned y = 0; y < LAYOUT_HEIGHT / 2; y++) {
		for (unsigned x = 0; x < LAYOUT_WIDTH / 2; x++)
			count += points[y][x];
	}
	return count * 4;
}

/* A template that is taken makes sound layouts; one that is not says why. */
static inline bool
check_template(struct str json)
{
	struct layout_template template;
	struct layout layout;
	char error[LAYOUT_ERROR_MAX];
	memset(error, 'x', sizeof error);
	const bool taken = layout_template_read(&template, json, error);
	CHECK(memchr(error, '\0', sizeof error) != NULL);
	CHECK(taken == (error[0] == '\0'));
	if (!taken)
		return false;
	CHECK(template.count != 0 && template.count <= LAYOUT_TEMPLATES_MAX);
	for (unsigned people = 0; people <= LAYOUT_PANES_MAX + 1; people++) {
		layout_of_template(&layout, &template, people);
		CHECK(layout.count <= people);
		CHECK(layout.count <= layout_template_capacity(&template));
		check_layout(&layout);
	}
	return true;
}

#endif
