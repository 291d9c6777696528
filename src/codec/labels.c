/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "codec/labels_internal.h"

enum {
	ICONS = 6,
	TEXT_BYTES_MAX = CANVAS_MESSAGE_MAX + 8, /* with an ellipsis */
};

static const char ellipsis[] = "\xe2\x80\xa6";

static const struct picture_colour black = { 16, 128, 128 };
static const struct picture_colour white = { 235, 128, 128 };
static const struct picture_colour red = { 90, 100, 226 };

struct entry {
	struct label label; /* first: a label is its entry */
	uint64_t hash;
	unsigned refs;
	uint64_t used_at;
	struct label_spec spec;
	char text[CANVAS_MESSAGE_MAX];
};

struct label_cache {
	const struct label_fonts *fonts;
	uint64_t clock; /* counts uses */
	struct entry *entries[LABEL_CACHE_MAX];
	unsigned count;
	struct line line; /* too large for a stack */
};

/* ---- Text into lines ----------------------------------------------------------------------- */

struct text_line {
	char bytes[TEXT_BYTES_MAX];
	size_t len;
};

struct layout {
	struct text_line lines[LABEL_LINES_MAX];
	unsigned line_count;
	int width; /* of the widest */
};

static int
width_of(struct label_cache *cache, unsigned em, const char *text, size_t len)
{
	line_shape(&cache->line, cache->fonts, em, text, len);
	return (cache->line.width + 63) >> 6;
}

static size_t
char_at(const char *text, size_t at, size_t len)
{
	const size_t step = utf8_char(text + at, len - at, NULL);
	return step != 0 ? step : len - at;
}

/* How much of the text fits with `tail` behind it: up to the end of a character. */
static size_t
fitting(struct label_cache *cache, const struct label_spec *spec, const char *text, size_t len,
        const char *tail)
{
	size_t ends[CANVAS_MESSAGE_MAX + 1];
	size_t count = 0;
	ends[count++] = 0;
	for (size_t at = 0; at < len && count <= CANVAS_MESSAGE_MAX;)
		ends[count++] = at += char_at(text, at, len);
	size_t low = 0, high = count - 1; /* ends[low] fits; what is above ends[high] does not */
	while (low < high) {
		const size_t middle = (low + high + 1) / 2;
		char bytes[TEXT_BYTES_MAX];
		memcpy(bytes, text, ends[middle]);
		memcpy(bytes + ends[middle], tail, strlen(tail));
		if (width_of(cache, spec->em, bytes, ends[middle] + strlen(tail)) <=
		    spec->width_max)
			low = middle;
		else
			high = middle - 1;
	}
	return ends[low];
}

static void
add_line(struct layout *layout, const char *text, size_t len, const char *tail)
{
	struct text_line *line = &layout->lines[layout->line_count++];
	while (len > 0 && text[len - 1] == ' ')
		len--;
	memcpy(line->bytes, text, len);
	memcpy(line->bytes + len, tail, strlen(tail));
	line->len = len + strlen(tail);
}

/* Where a line may end that holds at most `fits` bytes: behind a space if there is one. */
static size_t
line_break(const char *text, size_t fits)
{
	for (size_t at = fits; at > 0; at--)
		if (text[at - 1] == ' ')
			return at;
	return fits;
}

static void
lay_out(struct label_cache *cache, struct layout *layout, const struct label_spec *spec)
{
	const char *text = spec->text;
	size_t len = strnlen(text, CANVAS_MESSAGE_MAX - 1);
	layout->line_count = 0;
	layout->width = 0;
	while (len > 0 && layout->line_count < spec->lines_max) {
		const char *newline = memchr(text, '\n', len);
		const size_t whole = newline != NULL ? (size_t)(newline - text) : len;
		const bool last = layout->line_count + 1u == spec->lines_max;
		size_t taken = fitting(cache, spec, text, whole, "");
		if (taken == whole && !(last && newline != NULL)) {
			add_line(layout, text, whole, "");
			taken = newline != NULL ? whole + 1 : whole;
		} else if (last) {
			taken = fitting(cache, spec, text, whole, ellipsis);
			if (taken != 0)
				add_line(layout, text, taken, ellipsis);
			break;
		} else {
			taken = line_break(text, taken);
			if (taken == 0)
				break; /* not one character fits */
			add_line(layout, text, taken, "");
		}
		text += taken;
		len -= taken;
	}
	for (unsigned i = 0; i < layout->line_count; i++) {
		const struct text_line *line = &layout->lines[i];
		const int width = width_of(cache, spec->em, line->bytes, line->len);
		layout->width = width > layout->width ? width : layout->width;
	}
}

/* ---- Rendering ----------------------------------------------------------------------------- */

static uint8_t
mul_255(unsigned a, unsigned b)
{
	const unsigned product = a * b + 128;
	return (uint8_t)((product + (product >> 8)) >> 8);
}

static uint8_t
over(uint8_t below, uint8_t colour, uint8_t alpha)
{
	return (uint8_t)(mul_255(below, 255u - alpha) + mul_255(colour, alpha));
}

/* What is painted hides what was there and the picture below by as much as it covers. */
static void
paint(struct label *label, const struct coverage *coverage, struct picture_colour colour)
{
	for (int i = 0; i < label->width * label->height; i++) {
		const uint8_t alpha = coverage->bytes[i];
		label->y_add[i] = over(label->y_add[i], colour.y, alpha);
		label->y_keep[i] = mul_255(label->y_keep[i], 255u - alpha);
	}
	const int half_width = label->width / 2;
	for (int y = 0; y < label->height / 2; y++) {
		for (int x = 0; x < half_width; x++) {
			const uint8_t *four = coverage->bytes + 2 * y * label->width + 2 * x;
			const uint8_t alpha = (uint8_t)((four[0] + four[1] + four[label->width] +
			                                 four[label->width + 1] + 2) /
			                                4);
			const int i = y * half_width + x;
			label->u_add[i] = over(label->u_add[i], colour.u, alpha);
			label->v_add[i] = over(label->v_add[i], colour.v, alpha);
			label->uv_keep[i] = mul_255(label->uv_keep[i], 255u - alpha);
		}
	}
}

static bool
alloc_maps(struct label *label)
{
	const size_t pixels = (size_t)label->width * (size_t)label->height;
	uint8_t *bytes = malloc(pixels * 2 + pixels / 4 * 3);
	if (bytes == NULL)
		return false;
	label->y_keep = bytes;
	label->y_add = bytes + pixels;
	label->uv_keep = bytes + 2 * pixels;
	label->u_add = label->uv_keep + pixels / 4;
	label->v_add = label->u_add + pixels / 4;
	memset(label->y_keep, 255, pixels);
	memset(label->y_add, 0, pixels);
	memset(label->uv_keep, 255, pixels / 4);
	memset(label->u_add, 0, pixels / 2);
	return true;
}

/* A soft dark sheet: its corners are round. */
static void
shade_coverage(struct coverage *coverage, uint8_t shade, int radius)
{
	for (int y = 0; y < coverage->height; y++) {
		for (int x = 0; x < coverage->width; x++) {
			const int from_side =
			        x < coverage->width - 1 - x ? x : coverage->width - 1 - x;
			const int from_end =
			        y < coverage->height - 1 - y ? y : coverage->height - 1 - y;
			const int dx = radius - from_side, dy = radius - from_end;
			const bool outside =
			        dx > 0 && dy > 0 && dx * dx + dy * dy > radius * radius;
			coverage->bytes[y * coverage->width + x] = outside ? 0 : shade;
		}
	}
}

static struct picture_colour
icon_colour(enum label_icon icon)
{
	return icon == LABEL_ICON_RECORDING || icon == LABEL_ICON_STREAMING ? red : white;
}

struct metrics {
	int padding, line_height, icon_side, icons_width;
};

static struct metrics
measure(const struct label_spec *spec, const struct layout *layout)
{
	const int em = spec->em;
	struct metrics metrics = { .padding = em / 3, .line_height = em * 13 / 10 };
	unsigned icons = 0;
	for (unsigned i = 0; i < ICONS; i++)
		icons += spec->icons >> i & 1;
	metrics.icon_side = metrics.line_height;
	metrics.icons_width = (int)icons * (metrics.icon_side + em / 4);
	if (layout->line_count == 0 && icons != 0)
		metrics.icons_width -= em / 4;
	return metrics;
}

static void
paint_icons(struct label *label, struct coverage *coverage, const struct label_spec *spec,
            const struct metrics *metrics)
{
	int x = metrics->padding;
	for (unsigned i = 0; i < ICONS; i++) {
		const enum label_icon icon = (enum label_icon)(1u << i);
		if ((spec->icons & icon) == 0)
			continue;
		memset(coverage->bytes, 0, (size_t)coverage->width * (size_t)coverage->height);
		icon_draw(icon, coverage, x, metrics->padding / 2, metrics->icon_side);
		paint(label, coverage, icon_colour(icon));
		x += metrics->icon_side + spec->em / 4;
	}
}

static void
paint_text(struct label_cache *cache, struct label *label, struct coverage *coverage,
           const struct label_spec *spec, const struct layout *layout,
           const struct metrics *metrics)
{
	memset(coverage->bytes, 0, (size_t)coverage->width * (size_t)coverage->height);
	const int left = metrics->padding + metrics->icons_width;
	for (unsigned i = 0; i < layout->line_count; i++) {
		const struct text_line *line = &layout->lines[i];
		const int width = width_of(cache, spec->em, line->bytes, line->len);
		const int top = metrics->padding / 2 + (int)i * metrics->line_height;
		line_draw(&cache->line, cache->fonts, spec->em, coverage,
		          left + (layout->width - width) / 2, top + spec->em);
	}
	paint(label, coverage, white);
}

static bool
render(struct label_cache *cache, struct label *label, const struct label_spec *spec)
{
	struct layout layout;
	lay_out(cache, &layout, spec);
	const struct metrics metrics = measure(spec, &layout);
	if (layout.width + metrics.icons_width == 0)
		return false;
	const int lines = layout.line_count > 1 ? (int)layout.line_count : 1;
	label->width = (2 * metrics.padding + metrics.icons_width + layout.width + 1) & ~1;
	label->height = (metrics.padding + lines * metrics.line_height + 1) & ~1;
	struct coverage coverage = { .width = label->width, .height = label->height };
	coverage.bytes = malloc((size_t)label->width * (size_t)label->height);
	if (coverage.bytes == NULL || !alloc_maps(label)) {
		free(coverage.bytes);
		return false;
	}
	if (spec->shade != 0) {
		shade_coverage(&coverage, spec->shade, metrics.padding);
		paint(label, &coverage, black);
	}
	paint_icons(label, &coverage, spec, &metrics);
	paint_text(cache, label, &coverage, spec, &layout, &metrics);
	free(coverage.bytes);
	return true;
}

/* ---- The cache ----------------------------------------------------------------------------- */

int
label_cache_create(struct label_cache **out, const struct label_fonts *fonts)
{
	struct label_cache *cache = calloc(1, sizeof *cache);
	if (cache == NULL)
		return -ENOMEM;
	cache->fonts = fonts;
	*out = cache;
	return 0;
}

static void
entry_free(struct entry *entry)
{
	if (entry == NULL)
		return;
	free(entry->label.y_keep);
	free(entry);
}

void
label_cache_destroy(struct label_cache *cache)
{
	if (cache == NULL)
		return;
	for (unsigned i = 0; i < cache->count; i++) {
		CHECK(cache->entries[i]->refs == 0);
		entry_free(cache->entries[i]);
	}
	free(cache);
}

static bool
spec_eq(const struct label_spec *a, const struct label_spec *b)
{
	return a->icons == b->icons && a->shade == b->shade && a->lines_max == b->lines_max &&
	       a->em == b->em && a->width_max == b->width_max && strcmp(a->text, b->text) == 0;
}

static uint64_t
spec_hash(const struct label_spec *spec)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (const char *c = spec->text; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
	return (hash ^ spec->em ^ (uint64_t)spec->width_max << 16 ^ (uint64_t)spec->icons << 32) *
	       0x100000001b3u;
}

/* A place for one more: at the end, or that of the one unused for longest. */
static struct entry **
place_for_entry(struct label_cache *cache)
{
	if (cache->count < LABEL_CACHE_MAX)
		return &cache->entries[cache->count++];
	struct entry **oldest = NULL;
	for (unsigned i = 0; i < cache->count; i++)
		if (cache->entries[i]->refs == 0 &&
		    (oldest == NULL || cache->entries[i]->used_at < (*oldest)->used_at))
			oldest = &cache->entries[i];
	if (oldest != NULL) {
		entry_free(*oldest);
		*oldest = NULL;
	}
	return oldest;
}

static struct entry *
entry_create(struct label_cache *cache, const struct label_spec *spec)
{
	struct entry *entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return NULL;
	memcpy(entry->text, spec->text, strlen(spec->text));
	entry->spec = *spec;
	entry->spec.text = entry->text;
	entry->hash = spec_hash(&entry->spec);
	if (render(cache, &entry->label, &entry->spec))
		return entry;
	entry_free(entry);
	return NULL;
}

const struct label *
label_get(struct label_cache *cache, const struct label_spec *wanted)
{
	struct label_spec spec = *wanted;
	CHECK(strlen(spec.text) < CANVAS_MESSAGE_MAX);
	spec.em = spec.em < LABEL_EM_MIN ? LABEL_EM_MIN : spec.em;
	spec.em = spec.em > LABEL_EM_MAX ? LABEL_EM_MAX : spec.em;
	spec.lines_max = spec.lines_max > LABEL_LINES_MAX ? LABEL_LINES_MAX : spec.lines_max;
	const uint64_t hash = spec_hash(&spec);
	for (unsigned i = 0; i < cache->count; i++) {
		struct entry *entry = cache->entries[i];
		if (entry->hash == hash && spec_eq(&entry->spec, &spec)) {
			entry->refs++;
			entry->used_at = ++cache->clock;
			return &entry->label;
		}
	}
	struct entry *entry = entry_create(cache, &spec);
	if (entry == NULL)
		return NULL;
	struct entry **place = place_for_entry(cache);
	if (place == NULL) {
		entry_free(entry);
		return NULL;
	}
	*place = entry;
	entry->refs = 1;
	entry->used_at = ++cache->clock;
	return &entry->label;
}

void
label_put(struct label_cache *cache, const struct label *label)
{
	(void)cache;
	if (label == NULL)
		return;
	struct entry *entry = (struct entry *)(uintptr_t)label;
	CHECK(entry->refs > 0);
	entry->refs--;
}

/* ---- Drawing ------------------------------------------------------------------------------- */

static void
blend(uint8_t *to, const uint8_t *keep, const uint8_t *add, int count)
{
	for (int i = 0; i < count; i++) {
		const unsigned product = (unsigned)to[i] * keep[i] + 128;
		to[i] = (uint8_t)(((product + (product >> 8)) >> 8) + add[i]);
	}
}

void
label_draw(const struct label *label, struct picture *picture, int x, int y)
{
	CHECK(x % 2 == 0 && y % 2 == 0);
	const struct {
		const uint8_t *keep, *add;
	} maps[PICTURE_PLANES] = { { label->y_keep, label->y_add },
		                   { label->uv_keep, label->u_add },
		                   { label->uv_keep, label->v_add } };
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		const int shift = p == PICTURE_Y ? 0 : 1;
		const int width = label->width >> shift, height = label->height >> shift;
		const int at_x = x / (1 << shift), at_y = y / (1 << shift);
		const int first = at_x < 0 ? -at_x : 0;
		int end = (picture->width >> shift) - at_x;
		end = end < width ? end : width;
		for (int row = 0; row < height && end > first; row++) {
			const int to_y = at_y + row;
			if (to_y < 0 || to_y >= picture->height >> shift)
				continue;
			uint8_t *to = picture->planes[p] + (ptrdiff_t)to_y * picture->strides[p] +
			              at_x + first;
			blend(to, maps[p].keep + row * width + first,
			      maps[p].add + row * width + first, end - first);
		}
	}
}
