/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "codec/compose_fit.h"
#include "codec/scale.h"

enum {
	COUNTER_BYTES = 16, /* two numbers of five digits, "+", a space and the NUL */
	OVERLAYS_MAX = 6,   /* title, message, counter, status, symbol and one to spare */
	LABEL_SHADE = 140,
	MESSAGE_SHADE = 180,
};

static const struct picture_colour background = { 24, 130, 126 };
static const struct picture_colour calm = { 46, 134, 122 };
static const struct picture_colour border = { 16, 128, 128 };
static const struct picture_colour talking = { 150, 90, 60 };

/* One size of one source, shared by all panes that show it so. */
struct compose_scaled {
	struct compose_scaled *next;
	struct fit fit;
	int source_width, source_height;
	uint16_t rotation;
	uint16_t users;
	uint64_t version; /* of what `picture` holds */
	struct picture picture;
};

struct composer {
	struct label_cache *labels;
	struct picture unturned; /* on its way to stand upright */
};

struct pane {
	struct picture_rect rect;
	struct compose_source *source;
	struct compose_scaled *scaled;
	uint64_t drawn; /* version of the picture in it; 0: its name */
	bool dirty;
	const struct label *corner; /* its name over a picture */
	const struct label *centre; /* and without one */
};

struct overlay {
	const struct label *label;
	int x, y;
};

struct composition {
	struct composer *composer;
	struct picture picture;
	struct canvas canvas;
	bool all_dirty;
	struct pane panes[CANVAS_PANES_MAX];
	uint8_t order[CANVAS_PANES_MAX]; /* those over others come last */
	struct overlay overlays[OVERLAYS_MAX];
	unsigned overlay_count;
};

/* ---- Making -------------------------------------------------------------------------------- */

int
composer_create(struct composer **out, const struct label_fonts *fonts)
{
	struct composer *composer = calloc(1, sizeof *composer);
	if (composer == NULL)
		return -ENOMEM;
	const int rc = label_cache_create(&composer->labels, fonts);
	if (rc != 0) {
		free(composer);
		return rc;
	}
	*out = composer;
	return 0;
}

void
composer_destroy(struct composer *composer)
{
	if (composer == NULL)
		return;
	label_cache_destroy(composer->labels);
	picture_fini(&composer->unturned);
	free(composer);
}

int
composition_create(struct composition **out, struct composer *composer, int width, int height)
{
	CHECK(width % 2 == 0 && height % 2 == 0);
	struct composition *composition = calloc(1, sizeof *composition);
	if (composition == NULL)
		return -ENOMEM;
	composition->composer = composer;
	composition->all_dirty = true;
	const int rc = picture_resize(&composition->picture, width, height);
	if (rc != 0) {
		free(composition);
		return rc;
	}
	*out = composition;
	return 0;
}

/* ---- Scaled pictures ----------------------------------------------------------------------- */

static bool
rect_eq(const struct picture_rect *a, const struct picture_rect *b)
{
	return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static bool
scaled_is(const struct compose_scaled *scaled, const struct fit *fit,
          const struct compose_source *source)
{
	return rect_eq(&scaled->fit.from, &fit->from) && scaled->fit.to.width == fit->to.width &&
	       scaled->fit.to.height == fit->to.height && scaled->rotation == source->rotation &&
	       scaled->source_width == source->picture->width &&
	       scaled->source_height == source->picture->height;
}

static struct compose_scaled *
scaled_get(struct compose_source *source, const struct fit *fit)
{
	for (struct compose_scaled *s = source->scaled; s != NULL; s = s->next) {
		if (scaled_is(s, fit, source)) {
			s->users++;
			return s;
		}
	}
	struct compose_scaled *scaled = calloc(1, sizeof *scaled);
	if (scaled == NULL)
		return NULL;
	scaled->fit = *fit;
	scaled->source_width = source->picture->width;
	scaled->source_height = source->picture->height;
	scaled->rotation = source->rotation;
	scaled->users = 1;
	scaled->next = source->scaled;
	source->scaled = scaled;
	return scaled;
}

static void
scaled_put(struct pane *pane)
{
	struct compose_scaled *scaled = pane->scaled;
	pane->scaled = NULL;
	if (scaled == NULL || --scaled->users != 0)
		return;
	struct compose_scaled **link = &pane->source->scaled;
	while (*link != scaled)
		link = &(*link)->next;
	*link = scaled->next;
	picture_fini(&scaled->picture);
	free(scaled);
}

void
compose_source_fini(struct compose_source *source)
{
	CHECK(source->scaled == NULL);
	for (unsigned i = 0; i < COMPOSE_HALVES_MAX; i++)
		picture_fini(&source->halves[i]);
	*source = (struct compose_source){ 0 };
}

/* The source halved `level` times. */
static const struct picture *
halved(struct compose_source *source, unsigned level)
{
	const struct picture *from = source->picture;
	for (unsigned i = 0; i < level; i++) {
		struct picture *half = &source->halves[i];
		if (source->halves_version[i] != source->version) {
			if (picture_resize(half, (from->width + 1) / 2, (from->height + 1) / 2) !=
			    0) {
				source->halves_version[i] = 0;
				return NULL;
			}
			scale_half(from, half);
			source->halves_version[i] = source->version;
		}
		from = half;
	}
	return from;
}

/* Scales what is shown of a source into `to`, which is as large as it is shown before it is
 * turned. */
static bool
scale_part(struct compose_source *source, const struct picture_rect *part, struct picture *to)
{
	unsigned level = 0;
	while (level < COMPOSE_HALVES_MAX && part->width >> (level + 1) >= to->width &&
	       part->height >> (level + 1) >= to->height)
		level++;
	const struct picture *from = halved(source, level);
	if (from == NULL)
		return false;
	struct picture_rect rect = { .x = (part->x >> level) & ~1,
		                     .y = (part->y >> level) & ~1,
		                     .width = part->width >> level,
		                     .height = part->height >> level };
	const struct picture cut = picture_part(from, &rect);
	scale_to(&cut, to);
	return true;
}

static bool
scale_upright(struct composer *composer, struct pane *pane, struct picture *to)
{
	struct compose_source *source = pane->source;
	const struct picture_rect *part = &pane->scaled->fit.from;
	if (source->rotation == 0)
		return scale_part(source, part, to);
	const bool swaps = source->rotation != 180;
	const int width = swaps ? to->height : to->width;
	const int height = swaps ? to->width : to->height;
	if (picture_resize(&composer->unturned, width, height) != 0 ||
	    !scale_part(source, part, &composer->unturned))
		return false;
	scale_turn(&composer->unturned, to, source->rotation);
	return true;
}

/* What one pane alone shows is scaled to where it is shown; what several show, once and copied. */
static bool
draw_scaled(struct composer *composer, struct pane *pane, struct picture *to)
{
	struct compose_scaled *scaled = pane->scaled;
	if (scaled->users == 1)
		return scale_upright(composer, pane, to);
	if (scaled->version != pane->source->version) {
		if (picture_resize(&scaled->picture, to->width, to->height) != 0 ||
		    !scale_upright(composer, pane, &scaled->picture)) {
			scaled->version = 0;
			return false;
		}
		scaled->version = pane->source->version;
	}
	picture_copy(to, &scaled->picture);
	return true;
}

/* ---- The canvas ---------------------------------------------------------------------------- */

static int
clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

static const struct label *
get_label(struct composition *composition, const char *text, unsigned icons, int em, int width,
          unsigned lines, unsigned shade)
{
	return label_get(composition->composer->labels,
	                 &(struct label_spec){ .text = text,
	                                       .icons = (uint8_t)icons,
	                                       .shade = (uint8_t)shade,
	                                       .lines_max = (uint8_t)lines,
	                                       .em = (uint16_t)em,
	                                       .width_max = (uint16_t)clamp(width, 0, 4096) });
}

static void
pane_labels(struct composition *composition, struct pane *pane, const struct canvas_pane *look)
{
	const int canvas_height = composition->picture.height;
	const unsigned icons = look->audio_muted ? LABEL_ICON_MUTED : 0;
	const int small = clamp(pane->rect.height / 9, LABEL_EM_MIN, canvas_height / 34);
	const int large = clamp(pane->rect.height / 7, LABEL_EM_MIN, canvas_height / 16);
	pane->corner = get_label(composition, composition->canvas.labels ? look->label : "", icons,
	                         small, pane->rect.width - 4 * small, 1, LABEL_SHADE);
	pane->centre = get_label(composition, look->label, icons, large,
	                         pane->rect.width - 3 * large, 2, 0);
}

static void
add_overlay(struct composition *composition, const struct label *label, int x, int y)
{
	if (label == NULL)
		return;
	CHECK(composition->overlay_count < OVERLAYS_MAX);
	composition->overlays[composition->overlay_count++] =
	        (struct overlay){ label, x & ~1, y & ~1 };
}

/* Centred across; at the top, in the middle or at the bottom, `*below` what is there already. */
static void
add_placed(struct composition *composition, const struct label *label, unsigned place, int *below)
{
	if (label == NULL)
		return;
	const int width = composition->picture.width, height = composition->picture.height;
	const int margin = height / 24;
	int y = margin;
	if (place == CANVAS_MIDDLE)
		y = (height - label->height) / 2;
	if (place == CANVAS_BOTTOM)
		y = height - margin - label->height - *below;
	else
		y += *below;
	*below += label->height + margin / 4;
	add_overlay(composition, label, (width - label->width) / 2, y);
}

static void
overlay_texts(struct composition *composition)
{
	const struct canvas *canvas = &composition->canvas;
	const int width = composition->picture.width, height = composition->picture.height;
	int below[CANVAS_BOTTOM + 1] = { 0 };
	int em = height / 22;
	if (canvas->screen != CANVAS_SCREEN_PANES) {
		/* A symbol in the middle, the words under it. */
		const unsigned icon = canvas->screen == CANVAS_SCREEN_LOBBY ? LABEL_ICON_CLOCK
		                                                            : LABEL_ICON_PERSON;
		const struct label *symbol =
		        get_label(composition, "", icon, height / 9, width, 1, 0);
		const struct label *words =
		        get_label(composition, canvas->message, 0, em, width * 8 / 10, 5, 0);
		const int middle = height * 2 / 5;
		if (symbol != NULL)
			add_overlay(composition, symbol, (width - symbol->width) / 2,
			            middle - symbol->height);
		if (words != NULL)
			add_overlay(composition, words, (width - words->width) / 2,
			            middle + em / 2);
	}
	const struct label *title = get_label(composition, canvas->title, 0, height / 26,
	                                      width * 8 / 10, 1, LABEL_SHADE);
	add_placed(composition, title, canvas->title_place, &below[canvas->title_place]);
	if (canvas->screen == CANVAS_SCREEN_PANES) {
		const struct label *message = get_label(composition, canvas->message, 0, em,
		                                        width * 8 / 10, 4, MESSAGE_SHADE);
		add_placed(composition, message, canvas->message_place,
		           &below[canvas->message_place]);
	}
}

static size_t
append_number(char *text, size_t len, unsigned number)
{
	for (unsigned unit = 10000; unit != 0; unit /= 10)
		if (number >= unit)
			text[len++] = (char)('0' + number / unit % 10);
	return len;
}

/* How many there are, and how many of them are not shown: "12 +3". */
static const struct label *
counter_label(struct composition *composition, int em)
{
	const struct canvas *canvas = &composition->canvas;
	char text[COUNTER_BYTES] = "";
	size_t len = append_number(text, 0, canvas->total);
	if (canvas->counter != 0) {
		if (len != 0)
			text[len++] = ' ';
		text[len++] = '+';
		len = append_number(text, len, canvas->counter);
	}
	text[len] = '\0';
	return get_label(composition, text, canvas->total != 0 ? LABEL_ICON_PERSON : 0, em,
	                 composition->picture.width, 1, LABEL_SHADE);
}

static void
overlay_marks(struct composition *composition)
{
	const struct canvas *canvas = &composition->canvas;
	const int width = composition->picture.width, height = composition->picture.height;
	const int margin = height / 40, em = height / 30;
	const unsigned icons = (canvas->recording ? LABEL_ICON_RECORDING : 0u) |
	                       (canvas->streaming ? LABEL_ICON_STREAMING : 0u) |
	                       (canvas->locked ? LABEL_ICON_LOCKED : 0u);
	const struct label *marks = get_label(composition, "", icons, em, width, 1, LABEL_SHADE);
	if (marks != NULL)
		add_overlay(composition, marks, width - margin - marks->width, margin);
	const struct label *counter =
	        canvas->counter != 0 || canvas->total != 0 ? counter_label(composition, em) : NULL;
	if (counter != NULL)
		add_overlay(composition, counter, width - margin - counter->width,
		            height - margin - counter->height);
}

/* The new canvas' labels are got before the old one's go: most are the same. */
struct label_leftovers {
	const struct label *labels[2 * CANVAS_PANES_MAX + OVERLAYS_MAX];
	unsigned count;
};

static void
leave_labels(struct composition *composition, struct label_leftovers *left)
{
	left->count = 0;
	for (unsigned i = 0; i < composition->canvas.pane_count; i++) {
		left->labels[left->count++] = composition->panes[i].corner;
		left->labels[left->count++] = composition->panes[i].centre;
	}
	for (unsigned i = 0; i < composition->overlay_count; i++)
		left->labels[left->count++] = composition->overlays[i].label;
	composition->overlay_count = 0;
}

static void
put_labels(struct composition *composition, const struct label_leftovers *left)
{
	for (unsigned i = 0; i < left->count; i++)
		label_put(composition->composer->labels, left->labels[i]);
}

static void
order_panes(struct composition *composition)
{
	const struct canvas *canvas = &composition->canvas;
	unsigned count = 0;
	for (unsigned over = 0; over < 2; over++)
		for (unsigned i = 0; i < canvas->pane_count; i++)
			if (canvas->panes[i].over == (over != 0))
				composition->order[count++] = (uint8_t)i;
}

void
composition_set_canvas(struct composition *composition, const struct canvas *canvas)
{
	struct label_leftovers left;
	leave_labels(composition, &left);
	for (unsigned i = 0; i < composition->canvas.pane_count; i++)
		scaled_put(&composition->panes[i]);
	composition->canvas = *canvas;
	if (canvas->screen != CANVAS_SCREEN_PANES)
		composition->canvas.pane_count = 0;
	composition->all_dirty = true;
	for (unsigned i = 0; i < composition->canvas.pane_count; i++) {
		struct pane *pane = &composition->panes[i];
		*pane = (struct pane){ .rect = fit_pane(&canvas->panes[i],
			                                composition->picture.width,
			                                composition->picture.height) };
		pane_labels(composition, pane, &canvas->panes[i]);
	}
	order_panes(composition);
	overlay_marks(composition);
	overlay_texts(composition);
	put_labels(composition, &left);
}

void
composition_set_sources(struct composition *composition,
                        struct compose_source *const sources[CANVAS_PANES_MAX])
{
	for (unsigned i = 0; i < composition->canvas.pane_count; i++) {
		struct pane *pane = &composition->panes[i];
		if (pane->source == sources[i])
			continue;
		scaled_put(pane);
		pane->source = sources[i];
	}
}

void
composition_destroy(struct composition *composition)
{
	if (composition == NULL)
		return;
	struct label_leftovers left;
	leave_labels(composition, &left);
	put_labels(composition, &left);
	for (unsigned i = 0; i < composition->canvas.pane_count; i++)
		scaled_put(&composition->panes[i]);
	picture_fini(&composition->picture);
	free(composition);
}

/* ---- Drawing ------------------------------------------------------------------------------- */

static uint64_t
shown_version(const struct pane *pane)
{
	return pane->source != NULL && pane->source->picture != NULL ? pane->source->version : 0;
}

bool
composition_changed(const struct composition *composition)
{
	if (composition->all_dirty)
		return true;
	for (unsigned i = 0; i < composition->canvas.pane_count; i++)
		if (composition->panes[i].drawn != shown_version(&composition->panes[i]))
			return true;
	return false;
}

static bool
rects_meet(const struct picture_rect *a, const struct picture_rect *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static struct picture_rect
overlay_rect(const struct overlay *overlay)
{
	return (struct picture_rect){ overlay->x, overlay->y, overlay->label->width,
		                      overlay->label->height };
}

/* What lies over a pane that is drawn has to be drawn, too; and one drawn over several panes lets
 * all of them shine through, so they are drawn anew below it.  Goes round until nothing is
 * added. */
static void
spread_dirt(struct composition *composition, bool overlay_dirty[OVERLAYS_MAX])
{
	const unsigned count = composition->canvas.pane_count;
	for (bool added = true; added;) {
		added = false;
		for (unsigned i = 0; i < count; i++) {
			struct pane *above = &composition->panes[composition->order[i]];
			for (unsigned j = 0; j < i && !above->dirty; j++) {
				const struct pane *below =
				        &composition->panes[composition->order[j]];
				above->dirty =
				        below->dirty && rects_meet(&below->rect, &above->rect);
				added |= above->dirty;
			}
		}
		for (unsigned o = 0; o < composition->overlay_count; o++) {
			const struct picture_rect rect = overlay_rect(&composition->overlays[o]);
			for (unsigned i = 0; i < count; i++) {
				struct pane *pane = &composition->panes[i];
				if (!rects_meet(&pane->rect, &rect) ||
				    pane->dirty == overlay_dirty[o])
					continue;
				pane->dirty = overlay_dirty[o] = true;
				added = true;
			}
		}
	}
}

static void
draw_frame(struct picture *picture, const struct picture_rect *rect, int thickness,
           struct picture_colour colour)
{
	if (rect->width < 2 * thickness || rect->height < 2 * thickness)
		return;
	const int right = rect->x + rect->width - thickness;
	const int bottom = rect->y + rect->height - thickness;
	picture_fill(picture, &(struct picture_rect){ rect->x, rect->y, rect->width, thickness },
	             colour);
	picture_fill(picture, &(struct picture_rect){ rect->x, bottom, rect->width, thickness },
	             colour);
	picture_fill(picture, &(struct picture_rect){ rect->x, rect->y, thickness, rect->height },
	             colour);
	picture_fill(picture, &(struct picture_rect){ right, rect->y, thickness, rect->height },
	             colour);
}

/* False when it has no picture to show. */
static bool
draw_source(struct composition *composition, struct pane *pane, const struct canvas_pane *look)
{
	struct compose_source *source = pane->source;
	if (source == NULL || source->picture == NULL)
		return false;
	const struct fit fit =
	        fit_picture(source->picture->width, source->picture->height, source->rotation,
	                    pane->rect.width, pane->rect.height, look->fit);
	if (pane->scaled == NULL || !scaled_is(pane->scaled, &fit, source)) {
		scaled_put(pane);
		pane->scaled = scaled_get(source, &fit);
		if (pane->scaled == NULL)
			return false;
	}
	if (fit.to.width != pane->rect.width || fit.to.height != pane->rect.height)
		picture_fill(&composition->picture, &pane->rect, calm);
	struct picture_rect rect = fit.to;
	rect.x += pane->rect.x;
	rect.y += pane->rect.y;
	struct picture to = picture_part(&composition->picture, &rect);
	return draw_scaled(composition->composer, pane, &to);
}

static void
draw_pane(struct composition *composition, struct pane *pane, const struct canvas_pane *look)
{
	struct picture *picture = &composition->picture;
	const struct picture_rect *rect = &pane->rect;
	pane->dirty = false;
	pane->drawn = shown_version(pane);
	if (rect->width < 2 || rect->height < 2)
		return;
	const int line = clamp((picture->height / 180) & ~1, 2, 8);
	struct picture part = picture_part(picture, rect);
	if (draw_source(composition, pane, look)) {
		if (pane->corner != NULL)
			label_draw(pane->corner, &part, 2 * line,
			           rect->height - 2 * line - pane->corner->height);
	} else {
		picture_fill(picture, rect, calm);
		draw_frame(picture, rect, 2, background); /* names side by side stay apart */
		if (pane->centre != NULL)
			label_draw(pane->centre, &part,
			           ((rect->width - pane->centre->width) / 2) & ~1,
			           ((rect->height - pane->centre->height) / 2) & ~1);
	}
	if (look->talking)
		draw_frame(picture, rect, line, talking);
	else if (look->over)
		draw_frame(picture, rect, 2, border);
}

void
composition_draw(struct composition *composition)
{
	const struct canvas *canvas = &composition->canvas;
	struct picture *picture = &composition->picture;
	bool overlay_dirty[OVERLAYS_MAX];
	for (unsigned o = 0; o < OVERLAYS_MAX; o++)
		overlay_dirty[o] = composition->all_dirty;
	for (unsigned i = 0; i < canvas->pane_count; i++) {
		struct pane *pane = &composition->panes[i];
		pane->dirty = composition->all_dirty || pane->drawn != shown_version(pane);
	}
	if (composition->all_dirty)
		picture_fill(picture,
		             &(struct picture_rect){ 0, 0, picture->width, picture->height },
		             background);
	else
		spread_dirt(composition, overlay_dirty);

	for (unsigned o = 0; o < composition->overlay_count; o++) {
		const struct picture_rect rect = overlay_rect(&composition->overlays[o]);
		if (overlay_dirty[o] && !composition->all_dirty)
			picture_fill(picture, &rect, background);
	}
	for (unsigned i = 0; i < canvas->pane_count; i++) {
		const unsigned at = composition->order[i];
		if (composition->panes[at].dirty)
			draw_pane(composition, &composition->panes[at], &canvas->panes[at]);
	}
	for (unsigned o = 0; o < composition->overlay_count; o++) {
		const struct overlay *overlay = &composition->overlays[o];
		if (overlay_dirty[o])
			label_draw(overlay->label, picture, overlay->x, overlay->y);
	}
	composition->all_dirty = false;
}

const struct picture *
composition_picture(const struct composition *composition)
{
	return &composition->picture;
}
