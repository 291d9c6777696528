/* SPDX-License-Identifier: Apache-2.0 */
/* Icons are shapes in a square of side 1, y downwards; coverage is counted in 4 x 4 points a
 * pixel. */
#include <math.h>

#include "base/check.h"
#include "codec/labels_internal.h"

static bool
in_box(float x, float y, float left, float top, float right, float bottom)
{
	return x >= left && x < right && y >= top && y < bottom;
}

/* Distance from the stroke between two points. */
static float
from_stroke(float x, float y, float x0, float y0, float x1, float y1)
{
	const float dx = x1 - x0, dy = y1 - y0;
	float along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy);
	along = along < 0 ? 0 : along > 1 ? 1 : along;
	return hypotf(x - x0 - along * dx, y - y0 - along * dy);
}

static bool
in_ring(float x, float y, float centre_x, float centre_y, float radius, float half_width)
{
	return fabsf(hypotf(x - centre_x, y - centre_y) - radius) < half_width;
}

static bool
in_microphone_muted(float x, float y)
{
	const float slash = from_stroke(x, y, 0.2f, 0.12f, 0.8f, 0.88f);
	if (slash < 0.045f)
		return true;
	if (slash < 0.1f)
		return false; /* a gap on both sides of it */
	return from_stroke(x, y, 0.5f, 0.26f, 0.5f, 0.44f) < 0.14f ||
	       (y > 0.44f && in_ring(x, y, 0.5f, 0.44f, 0.25f, 0.035f)) ||
	       in_box(x, y, 0.465f, 0.68f, 0.535f, 0.84f) ||
	       in_box(x, y, 0.34f, 0.82f, 0.66f, 0.89f);
}

static bool
in_recording(float x, float y)
{
	return hypotf(x - 0.5f, y - 0.5f) < 0.22f || in_ring(x, y, 0.5f, 0.5f, 0.36f, 0.045f);
}

static bool
in_streaming(float x, float y)
{
	const bool beside = fabsf(x - 0.5f) > fabsf(y - 0.5f);
	return hypotf(x - 0.5f, y - 0.5f) < 0.11f ||
	       (beside && (in_ring(x, y, 0.5f, 0.5f, 0.24f, 0.04f) ||
	                   in_ring(x, y, 0.5f, 0.5f, 0.4f, 0.04f)));
}

static bool
in_locked(float x, float y)
{
	return in_box(x, y, 0.2f, 0.46f, 0.8f, 0.88f) ||
	       (y <= 0.36f ? in_ring(x, y, 0.5f, 0.36f, 0.19f, 0.045f)
	                   : in_box(x, y, 0.265f, 0.36f, 0.355f, 0.5f) ||
	                             in_box(x, y, 0.645f, 0.36f, 0.735f, 0.5f));
}

static bool
in_person(float x, float y)
{
	return hypotf(x - 0.5f, y - 0.32f) < 0.18f ||
	       (y < 0.9f && hypotf(x - 0.5f, (y - 0.92f) * 1.1f) < 0.36f);
}

static bool
in_clock(float x, float y)
{
	return in_ring(x, y, 0.5f, 0.5f, 0.38f, 0.04f) ||
	       from_stroke(x, y, 0.5f, 0.5f, 0.5f, 0.26f) < 0.035f ||
	       from_stroke(x, y, 0.5f, 0.5f, 0.66f, 0.6f) < 0.035f;
}

static bool
in_icon(enum label_icon icon, float x, float y)
{
	switch (icon) {
	case LABEL_ICON_MUTED:
		return in_microphone_muted(x, y);
	case LABEL_ICON_RECORDING:
		return in_recording(x, y);
	case LABEL_ICON_STREAMING:
		return in_streaming(x, y);
	case LABEL_ICON_LOCKED:
		return in_locked(x, y);
	case LABEL_ICON_PERSON:
		return in_person(x, y);
	case LABEL_ICON_CLOCK:
		return in_clock(x, y);
	}
	return false;
}

static uint8_t
pixel_coverage(enum label_icon icon, int x, int y, int side)
{
	unsigned hits = 0;
	for (unsigned point = 0; point < 16; point++) {
		const float at_x = (float)x + 0.125f + 0.25f * (float)(point % 4);
		const float at_y = (float)y + 0.125f + 0.25f * (float)(point / 4);
		hits += in_icon(icon, at_x / (float)side, at_y / (float)side);
	}
	return (uint8_t)(hits * 255 / 16);
}

void
icon_draw(enum label_icon icon, struct coverage *coverage, int x, int y, int side)
{
	CHECK(x >= 0 && y >= 0 && x + side <= coverage->width && y + side <= coverage->height);
	for (int row = 0; row < side; row++)
		for (int column = 0; column < side; column++)
			coverage->bytes[(y + row) * coverage->width + x + column] =
			        pixel_coverage(icon, column, row, side);
}
