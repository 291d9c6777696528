/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/compose_fit.h"

#include <stdbool.h>

#include "base/check.h"
#include "codec/compose.h"

enum { NEAR_PIXELS = 4 }; /* so little background at a side is not worth its line */

static int
even(int64_t value)
{
	return (int)(value & ~(int64_t)1);
}

static int
at_least_two(int value)
{
	return value < 2 ? 2 : value;
}

struct picture_rect
fit_pane(const struct canvas_pane *pane, int width, int height)
{
	const int left = even((int64_t)pane->x * width / CANVAS_WIDTH);
	const int top = even((int64_t)pane->y * height / CANVAS_HEIGHT);
	const int right = even(((int64_t)pane->x + pane->width) * width / CANVAS_WIDTH);
	const int bottom = even(((int64_t)pane->y + pane->height) * height / CANVAS_HEIGHT);
	return (struct picture_rect){ left, top, right - left, bottom - top };
}

/* The length of one side that is kept when `wanted` would fill the pane. */
static int64_t
cut_side(int64_t length, int64_t wanted, int64_t cut_permille)
{
	const int64_t least = length * (1000 - cut_permille) / 1000;
	return wanted > least ? wanted : least;
}

struct fit
fit_picture(int picture_width, int picture_height, unsigned rotation, int pane_width,
            int pane_height, enum canvas_fit rule)
{
	CHECK(pane_width >= 2 && pane_height >= 2);
	const bool turned = rotation == 90 || rotation == 270;
	const int64_t width = turned ? picture_height : picture_width;
	const int64_t height = turned ? picture_width : picture_height;
	const bool cut = rule == CANVAS_FIT_AUTO;
	int64_t kept_width = width, kept_height = height;
	if (width * pane_height > height * pane_width)
		kept_width = cut_side(width, height * pane_width / pane_height,
		                      cut ? COMPOSE_CUT_WIDTH_PCT * 10 : 0);
	else
		kept_height = cut_side(height, width * pane_height / pane_width,
		                       cut ? COMPOSE_CUT_HEIGHT_PCT_X10 : 0);

	/* What is kept, as large as it fits. */
	int64_t to_width = pane_width, to_height = pane_height;
	if (kept_width * pane_height > kept_height * pane_width)
		to_height = kept_height * pane_width / kept_width;
	else
		to_width = kept_width * pane_height / kept_height;
	if (pane_width - to_width <= NEAR_PIXELS)
		to_width = pane_width;
	if (pane_height - to_height <= NEAR_PIXELS)
		to_height = pane_height;

	struct fit fit;
	fit.to.width = at_least_two(even(to_width));
	fit.to.height = at_least_two(even(to_height));
	fit.to.x = even((pane_width - fit.to.width) / 2);
	fit.to.y = even((pane_height - fit.to.height) / 2);
	fit.from.width = at_least_two(even(turned ? kept_height : kept_width));
	fit.from.height = at_least_two(even(turned ? kept_width : kept_height));
	fit.from.x = even((picture_width - fit.from.width) / 2);
	fit.from.y = even((picture_height - fit.from.height) / 2);
	return fit;
}
