/* SPDX-License-Identifier: Apache-2.0 */
/* Fonts, and lines of text in them. */
#include <errno.h>
#include <fcntl.h>
#include <ft2build.h>
#include <hb-ft.h>
#include <hb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include FT_FREETYPE_H

#include "base/check.h"
#include "base/utf8.h"
#include "codec/labels_internal.h"

enum { FONT_BYTES_MAX = 64 << 20, RUNS_MAX = 64 };

#define NOTO "/usr/share/fonts/truetype/noto/NotoSans"

/* Tried in this order, for each character anew: Latin, Greek and Cyrillic first, then the scripts
 * of the east, then all others in the order of how many write them. */
static const struct font_file {
	const char *path;
	int face; /* of a collection */
} font_files[] = {
	{ NOTO "-Regular.ttf", 0 },
	{ "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 0 },
	{ "/usr/share/fonts/TTF/DejaVuSans.ttf", 0 },
	{ "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf", 0 },
	{ "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 1 },
	{ "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 1 },
	{ "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 1 },
	{ "/usr/share/fonts/truetype/nanum/NanumGothic.ttf", 0 },
	{ NOTO "Arabic-Regular.ttf", 0 },
	{ NOTO "Devanagari-Regular.ttf", 0 },
	{ NOTO "Bengali-Regular.ttf", 0 },
	{ NOTO "Telugu-Regular.ttf", 0 },
	{ NOTO "Tamil-Regular.ttf", 0 },
	{ NOTO "Gujarati-Regular.ttf", 0 },
	{ NOTO "Kannada-Regular.ttf", 0 },
	{ NOTO "Malayalam-Regular.ttf", 0 },
	{ NOTO "Oriya-Regular.ttf", 0 },
	{ NOTO "Gurmukhi-Regular.ttf", 0 },
	{ NOTO "Thai-Regular.ttf", 0 },
	{ NOTO "Myanmar-Regular.ttf", 0 },
	{ NOTO "Ethiopic-Regular.ttf", 0 },
	{ NOTO "Khmer-Regular.ttf", 0 },
	{ NOTO "Lao-Regular.ttf", 0 },
	{ NOTO "Sinhala-Regular.ttf", 0 },
	{ NOTO "Hebrew-Regular.ttf", 0 },
	{ NOTO "Armenian-Regular.ttf", 0 },
	{ NOTO "Georgian-Regular.ttf", 0 },
	{ "/usr/share/fonts/truetype/noto/NotoSerifTibetan-Regular.ttf", 0 },
	{ NOTO "Mongolian-Regular.ttf", 0 },
	{ NOTO "Thaana-Regular.ttf", 0 },
	{ NOTO "Cherokee-Regular.ttf", 0 },
	{ NOTO "CanadianAboriginal-Regular.ttf", 0 },
	{ NOTO "Symbols-Regular.ttf", 0 },
	{ NOTO "Symbols2-Regular.ttf", 0 },
};
static_assert(COUNT_OF(font_files) <= LABEL_FONTS_MAX, "every font has its place");

struct font {
	FT_Face face;
	hb_font_t *shaper;
	void *map; /* the file */
	size_t map_bytes;
};

struct label_fonts {
	FT_Library library;
	hb_buffer_t *buffer;
	unsigned count;
	struct font fonts[LABEL_FONTS_MAX];
};

static bool
map_file(struct font *font, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	struct stat file;
	const bool fits =
	        fstat(fd, &file) == 0 && file.st_size > 0 && file.st_size <= FONT_BYTES_MAX;
	font->map_bytes = fits ? (size_t)file.st_size : 0;
	font->map = fits ? mmap(NULL, font->map_bytes, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	return font->map != MAP_FAILED;
}

static void
font_close(struct font *font)
{
	hb_font_destroy(font->shaper);
	if (font->face != NULL)
		FT_Done_Face(font->face);
	munmap(font->map, font->map_bytes);
}

static bool
font_open(struct font *font, FT_Library library, const struct font_file *file)
{
	*font = (struct font){ 0 };
	if (!map_file(font, file->path))
		return false;
	if (FT_New_Memory_Face(library, font->map, (FT_Long)font->map_bytes, file->face,
	                       &font->face) != 0) {
		font->face = NULL;
		font_close(font);
		return false;
	}
	font->shaper = hb_ft_font_create_referenced(font->face);
	hb_ft_font_set_load_flags(font->shaper, FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP);
	return true;
}

int
label_fonts_create(struct label_fonts **out)
{
	struct label_fonts *fonts = calloc(1, sizeof *fonts);
	if (fonts == NULL)
		return -ENOMEM;
	fonts->buffer = hb_buffer_create();
	if (FT_Init_FreeType(&fonts->library) != 0) {
		hb_buffer_destroy(fonts->buffer);
		free(fonts);
		return -ENOMEM;
	}
	for (size_t i = 0; i < COUNT_OF(font_files); i++)
		if (font_open(&fonts->fonts[fonts->count], fonts->library, &font_files[i]))
			fonts->count++;
	*out = fonts;
	return 0;
}

void
label_fonts_destroy(struct label_fonts *fonts)
{
	if (fonts == NULL)
		return;
	for (unsigned i = 0; i < fonts->count; i++)
		font_close(&fonts->fonts[i]);
	hb_buffer_destroy(fonts->buffer);
	FT_Done_FreeType(fonts->library);
	free(fonts);
}

unsigned
label_fonts_count(const struct label_fonts *fonts)
{
	return fonts->count;
}

/* ---- Runs: one font, one script, one direction --------------------------------------------- */

struct run {
	size_t at;
	size_t len;
	unsigned font;
	hb_script_t script;
	bool right_to_left;
};

struct runs {
	struct run list[RUNS_MAX];
	unsigned count;
	bool right_to_left; /* the line as a whole: what its first letter says */
};

static bool
is_letter_script(hb_script_t script)
{
	return script != HB_SCRIPT_COMMON && script != HB_SCRIPT_INHERITED &&
	       script != HB_SCRIPT_UNKNOWN;
}

/* The first font that has the character; marks and joiners stay with what they belong to. */
static unsigned
font_for(const struct label_fonts *fonts, uint32_t code, const struct run *before)
{
	hb_unicode_funcs_t *unicode = hb_unicode_funcs_get_default();
	const hb_unicode_general_category_t category = hb_unicode_general_category(unicode, code);
	const bool joins = category == HB_UNICODE_GENERAL_CATEGORY_NON_SPACING_MARK ||
	                   category == HB_UNICODE_GENERAL_CATEGORY_SPACING_MARK ||
	                   category == HB_UNICODE_GENERAL_CATEGORY_ENCLOSING_MARK ||
	                   category == HB_UNICODE_GENERAL_CATEGORY_FORMAT ||
	                   category == HB_UNICODE_GENERAL_CATEGORY_SPACE_SEPARATOR;
	if (joins && before != NULL)
		return before->font;
	for (unsigned i = 0; i < fonts->count; i++)
		if (FT_Get_Char_Index(fonts->fonts[i].face, code) != 0)
			return i;
	return 0;
}

static struct run
run_of_char(const struct label_fonts *fonts, uint32_t code, const struct run *before)
{
	hb_unicode_funcs_t *unicode = hb_unicode_funcs_get_default();
	struct run run = { .font = font_for(fonts, code, before),
		           .script = hb_unicode_script(unicode, code) };
	if (is_letter_script(run.script)) {
		run.right_to_left =
		        hb_script_get_horizontal_direction(run.script) == HB_DIRECTION_RTL;
	} else if (before != NULL) {
		/* Numbers run left to right wherever they stand. */
		const bool digit = hb_unicode_general_category(unicode, code) ==
		                   HB_UNICODE_GENERAL_CATEGORY_DECIMAL_NUMBER;
		run.right_to_left = before->right_to_left && !digit;
		run.script = before->script;
	}
	return run;
}

static void
find_runs(struct runs *runs, const struct label_fonts *fonts, const char *text, size_t len)
{
	bool letter_seen = false;
	*runs = (struct runs){ 0 };
	for (size_t at = 0; at < len;) {
		uint32_t code = 0;
		const size_t step = utf8_char(text + at, len - at, &code);
		if (step == 0)
			return;
		struct run *last = runs->count != 0 ? &runs->list[runs->count - 1] : NULL;
		struct run run = run_of_char(fonts, code, last);
		if (!letter_seen && is_letter_script(run.script)) {
			letter_seen = true;
			runs->right_to_left = run.right_to_left;
		}
		if (last != NULL && !is_letter_script(last->script))
			last->script = run.script;
		if (last != NULL && run.font == last->font && run.script == last->script &&
		    run.right_to_left == last->right_to_left) {
			last->len += step;
		} else if (runs->count < RUNS_MAX) {
			run.at = at;
			run.len = step;
			runs->list[runs->count++] = run;
		} else {
			return;
		}
		at += step;
	}
}

static void
reverse(struct run *runs, unsigned first, unsigned end)
{
	for (; first + 1 < end; first++, end--) {
		const struct run run = runs[first];
		runs[first] = runs[end - 1];
		runs[end - 1] = run;
	}
}

/* As they are seen from left to right: every stretch against the line's direction is turned around,
 * and so is the whole of a line from right to left. */
static void
order_runs(struct runs *runs)
{
	for (unsigned first = 0; first < runs->count;) {
		unsigned end = first + 1;
		while (end < runs->count &&
		       runs->list[end].right_to_left == runs->list[first].right_to_left)
			end++;
		if (runs->list[first].right_to_left != runs->right_to_left)
			reverse(runs->list, first, end);
		first = end;
	}
	if (runs->right_to_left)
		reverse(runs->list, 0, runs->count);
}

/* ---- Lines --------------------------------------------------------------------------------- */

static void
shape_run(struct line *line, const struct label_fonts *fonts, unsigned em, const char *text,
          size_t text_len, const struct run *run)
{
	const struct font *font = &fonts->fonts[run->font];
	if (FT_Set_Pixel_Sizes(font->face, 0, em) != 0)
		return;
	hb_ft_font_changed(font->shaper);
	hb_buffer_t *buffer = fonts->buffer;
	hb_buffer_clear_contents(buffer);
	hb_buffer_add_utf8(buffer, text, (int)text_len, (unsigned)run->at, (int)run->len);
	hb_buffer_set_script(buffer, run->script);
	hb_buffer_set_direction(buffer, run->right_to_left ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
	hb_buffer_guess_segment_properties(buffer);
	hb_shape(font->shaper, buffer, NULL, 0);

	unsigned count = 0;
	const hb_glyph_info_t *infos = hb_buffer_get_glyph_infos(buffer, &count);
	const hb_glyph_position_t *positions = hb_buffer_get_glyph_positions(buffer, &count);
	for (unsigned i = 0; i < count && line->glyph_count < LINE_GLYPHS_MAX; i++) {
		line->glyphs[line->glyph_count++] =
		        (struct line_glyph){ .id = infos[i].codepoint,
			                     .x = line->width + positions[i].x_offset,
			                     .y = positions[i].y_offset,
			                     .font = (uint8_t)run->font };
		line->width += positions[i].x_advance;
	}
}

void
line_shape(struct line *line, const struct label_fonts *fonts, unsigned em, const char *text,
           size_t len)
{
	struct runs runs;
	line->glyph_count = 0;
	line->width = 0;
	if (fonts == NULL || fonts->count == 0)
		return;
	find_runs(&runs, fonts, text, len);
	order_runs(&runs);
	for (unsigned i = 0; i < runs.count; i++)
		shape_run(line, fonts, em, text, len, &runs.list[i]);
}

static void
add_bitmap(struct coverage *coverage, const FT_Bitmap *bitmap, int x, int y)
{
	if (bitmap->pixel_mode != FT_PIXEL_MODE_GRAY)
		return;
	for (int row = 0; row < (int)bitmap->rows; row++) {
		if (y + row < 0 || y + row >= coverage->height)
			continue;
		const uint8_t *from = bitmap->buffer + (ptrdiff_t)row * bitmap->pitch;
		uint8_t *to = coverage->bytes + (ptrdiff_t)(y + row) * coverage->width;
		for (int column = 0; column < (int)bitmap->width; column++) {
			const int at = x + column;
			if (at >= 0 && at < coverage->width && from[column] > to[at])
				to[at] = from[column];
		}
	}
}

void
line_draw(const struct line *line, const struct label_fonts *fonts, unsigned em,
          struct coverage *coverage, int x, int y)
{
	for (unsigned i = 0; i < line->glyph_count; i++) {
		const struct line_glyph *glyph = &line->glyphs[i];
		const FT_Face face = fonts->fonts[glyph->font].face;
		if (FT_Set_Pixel_Sizes(face, 0, em) != 0 ||
		    FT_Load_Glyph(face, glyph->id,
		                  FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP | FT_LOAD_RENDER) != 0)
			continue;
		const FT_GlyphSlot slot = face->glyph;
		add_bitmap(coverage, &slot->bitmap, x + ((glyph->x + 32) >> 6) + slot->bitmap_left,
		           y - ((glyph->y + 32) >> 6) - slot->bitmap_top);
	}
}
