/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/canvas.h"

#include <string.h>

#include "base/check.h"
#include "base/utf8.h"

/* From another process a bool may hold any byte, and looking at it as a bool would be undefined. */
static bool
bool_valid(const bool *value)
{
	uint8_t byte;
	memcpy(&byte, value, sizeof byte);
	return byte <= 1;
}

static bool
text_valid(const char *text, size_t size)
{
	const char *end = memchr(text, '\0', size);
	return end != NULL && utf8_valid(text, (size_t)(end - text));
}

static bool
pane_valid(const struct canvas_pane *pane)
{
	return pane->width > 0 && pane->height > 0 && pane->x + pane->width <= CANVAS_WIDTH &&
	       pane->y + pane->height <= CANVAS_HEIGHT && pane->fit <= CANVAS_FIT_WHOLE &&
	       bool_valid(&pane->talking) && bool_valid(&pane->audio_muted) &&
	       bool_valid(&pane->over) && text_valid(pane->label, sizeof pane->label);
}

bool
canvas_valid(const struct canvas *canvas)
{
	if (canvas->screen > CANVAS_SCREEN_ONLY_PARTICIPANT ||
	    canvas->pane_count > CANVAS_PANES_MAX || canvas->message_place > CANVAS_BOTTOM ||
	    canvas->title_place > CANVAS_BOTTOM || !bool_valid(&canvas->recording) ||
	    !bool_valid(&canvas->streaming) || !bool_valid(&canvas->locked) ||
	    !bool_valid(&canvas->labels) ||
	    !text_valid(canvas->message, sizeof canvas->message) ||
	    !text_valid(canvas->title, sizeof canvas->title))
		return false;
	for (unsigned i = 0; i < canvas->pane_count; i++)
		if (!pane_valid(&canvas->panes[i]))
			return false;
	return true;
}

static bool
pane_eq(const struct canvas_pane *a, const struct canvas_pane *b)
{
	return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height &&
	       a->source == b->source && a->fit == b->fit && a->talking == b->talking &&
	       a->audio_muted == b->audio_muted && a->over == b->over &&
	       strcmp(a->label, b->label) == 0;
}

bool
canvas_eq(const struct canvas *a, const struct canvas *b)
{
	CHECK(a->pane_count <= CANVAS_PANES_MAX && b->pane_count <= CANVAS_PANES_MAX);
	if (a->screen != b->screen || a->pane_count != b->pane_count ||
	    a->message_place != b->message_place || a->title_place != b->title_place ||
	    a->recording != b->recording || a->streaming != b->streaming ||
	    a->locked != b->locked || a->labels != b->labels || a->counter != b->counter ||
	    a->total != b->total || strcmp(a->message, b->message) != 0 ||
	    strcmp(a->title, b->title) != 0)
		return false;
	for (unsigned i = 0; i < a->pane_count; i++)
		if (!pane_eq(&a->panes[i], &b->panes[i]))
			return false;
	return true;
}
