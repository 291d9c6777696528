/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: pictures fit their panes by the rules, and a composition in which only what changed is
 * drawn again is, pixel by pixel, the one that is drawn from nothing.  Method: a table of sizes;
 * random canvases and random changes, each compared with a composition made anew. */
#include "codec/compose.h"

#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "codec/compose_fit.h"
#include "codec/testing.h"

/* ---- Fitting ------------------------------------------------------------------------------- */

enum { AUTO = CANVAS_FIT_AUTO, WHOLE = CANVAS_FIT_WHOLE };

TEST(pictures_fit_their_panes_by_the_rules)
{
	static const struct {
		int width, height;
		unsigned rotation;
		int pane_width, pane_height;
		int rule;
		struct fit want;
	} cases[] = {
		/* The same shape: all of it. */
		{ 1280, 720, 0, 640, 360, AUTO, { { 0, 0, 1280, 720 }, { 0, 0, 640, 360 } } },
		/* A little wider or narrower: cut, nothing else. */
		{ 1280, 720, 0, 600, 360, AUTO, { { 40, 0, 1200, 720 }, { 0, 0, 600, 360 } } },
		{ 640, 400, 0, 640, 360, AUTO, { { 0, 20, 640, 360 }, { 0, 0, 640, 360 } } },
		/* 16:9 in a 4:3 pane loses a quarter of its width. */
		{ 1280, 720, 0, 480, 360, AUTO, { { 160, 0, 960, 720 }, { 0, 0, 480, 360 } } },
		/* 4:3 in a 16:9 pane loses an eighth of its height, the rest is background. */
		{ 640, 480, 0, 640, 360, AUTO, { { 0, 30, 640, 420 }, { 46, 0, 548, 360 } } },
		/* Upright pictures stand in the middle. */
		{ 720, 1280, 0, 640, 360, AUTO, { { 0, 80, 720, 1120 }, { 204, 0, 230, 360 } } },
		/* Turned, what is kept is told in the picture's own coordinates. */
		{ 1280, 720, 90, 640, 360, AUTO, { { 80, 0, 1120, 720 }, { 204, 0, 230, 360 } } },
		{ 1280, 720, 180, 640, 360, AUTO, { { 0, 0, 1280, 720 }, { 0, 0, 640, 360 } } },
		/* Content is never cut. */
		{ 1024, 768, 0, 1280, 720, WHOLE, { { 0, 0, 1024, 768 }, { 160, 0, 960, 720 } } },
		{ 1920, 1080, 0, 960, 720, WHOLE, { { 0, 0, 1920, 1080 }, { 0, 90, 960, 540 } } },
		/* A hair's breadth of background is filled. */
		{ 640, 360, 0, 426, 240, WHOLE, { { 0, 0, 640, 360 }, { 0, 0, 426, 240 } } },
		{ 4096, 16, 0, 640, 360, WHOLE, { { 0, 0, 4096, 16 }, { 0, 178, 640, 2 } } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct fit fit = fit_picture(cases[i].width, cases[i].height,
		                                   cases[i].rotation, cases[i].pane_width,
		                                   cases[i].pane_height,
		                                   (enum canvas_fit)cases[i].rule);
		EXPECT_EQ(fit.from.x, cases[i].want.from.x);
		EXPECT_EQ(fit.from.y, cases[i].want.from.y);
		EXPECT_EQ(fit.from.width, cases[i].want.from.width);
		EXPECT_EQ(fit.from.height, cases[i].want.from.height);
		EXPECT_EQ(fit.to.x, cases[i].want.to.x);
		EXPECT_EQ(fit.to.y, cases[i].want.to.y);
		EXPECT_EQ(fit.to.width, cases[i].want.to.width);
		EXPECT_EQ(fit.to.height, cases[i].want.to.height);
	}
}

TEST(whatever_the_sizes_a_fit_lies_within_both)
{
	struct prng prng;
	prng_init(&prng, 3);
	for (unsigned i = 0; i < 20000; i++) {
		const int width = 16 + (int)prng_below(&prng, 4081);
		const int height = 16 + (int)prng_below(&prng, 4081);
		const int pane_width = 2 + 2 * (int)prng_below(&prng, 960);
		const int pane_height = 2 + 2 * (int)prng_below(&prng, 540);
		const struct fit fit =
			fit_picture(width, height, 90 * prng_below(&prng, 4), pane_width,
		                    pane_height, (enum canvas_fit)prng_below(&prng, 2));
		EXPECT((fit.from.x | fit.from.y | fit.from.width | fit.from.height) % 2 == 0);
		EXPECT((fit.to.x | fit.to.y | fit.to.width | fit.to.height) % 2 == 0);
		EXPECT(fit.from.x >= 0 && fit.from.width >= 2 &&
		       fit.from.x + fit.from.width <= width);
		EXPECT(fit.from.y >= 0 && fit.from.height >= 2 &&
		       fit.from.y + fit.from.height <= height);
		EXPECT(fit.to.x >= 0 && fit.to.width >= 2 &&
		       fit.to.x + fit.to.width <= pane_width);
		EXPECT(fit.to.y >= 0 && fit.to.height >= 2 &&
		       fit.to.y + fit.to.height <= pane_height);
	}
}

TEST(panes_that_touch_on_the_grid_touch_in_every_size)
{
	for (int width = 16; width <= 1920; width += 2) {
		int right = 0;
		for (unsigned i = 0; i < 3; i++) {
			const struct canvas_pane pane = { .x = (uint16_t)(i * 640), .width = 640,
				                          .height = CANVAS_HEIGHT };
			const struct picture_rect rect = fit_pane(&pane, width, 64);
			EXPECT_EQ(rect.x, right);
			right = rect.x + rect.width;
		}
		EXPECT_EQ(right, width);
	}
}

/* ---- Drawing ------------------------------------------------------------------------------- */

enum { SOURCES = 5, SHAPES = 4 };

static const struct {
	int width, height;
} shapes[SHAPES] = { { 320, 180 }, { 160, 120 }, { 90, 160 }, { 641, 363 } };

struct stage {
	struct label_fonts *fonts;
	struct composer *composer;
	struct compose_source sources[SOURCES];
	struct picture pictures[SOURCES];
	uint64_t version;
	struct prng prng;
};

static struct stage stage;

static void
stage_open(uint64_t seed)
{
	stage = (struct stage){ 0 };
	prng_init(&stage.prng, seed);
	EXPECT_EQ(label_fonts_create(&stage.fonts), 0);
	EXPECT_EQ(composer_create(&stage.composer, stage.fonts), 0);
}

static void
stage_close(void)
{
	for (unsigned i = 0; i < SOURCES; i++) {
		compose_source_fini(&stage.sources[i]);
		picture_fini(&stage.pictures[i]);
	}
	composer_destroy(stage.composer);
	label_fonts_destroy(stage.fonts);
}

/* Another picture, of another size or turned; sometimes none. */
static void
change_source(unsigned i)
{
	struct compose_source *source = &stage.sources[i];
	struct picture *picture = &stage.pictures[i];
	const unsigned shape = prng_below(&stage.prng, SHAPES);
	EXPECT_EQ(picture_resize(picture, shapes[shape].width, shapes[shape].height), 0);
	const struct picture_rect all = { 0, 0, picture->width, picture->height };
	picture_fill(picture, &all,
	             (struct picture_colour){ (uint8_t)prng_u32(&stage.prng),
	                                      (uint8_t)prng_u32(&stage.prng), 90 });
	const struct picture_rect spot = { 10, 20, 30, 40 };
	picture_fill(picture, &spot, (struct picture_colour){ 235, 128, 128 });
	source->picture = prng_below(&stage.prng, 4) != 0 ? picture : NULL;
	source->version = source->picture != NULL ? ++stage.version : 0;
	source->rotation = (uint16_t)(90 * prng_below(&stage.prng, 4));
}

static struct canvas
random_canvas(void)
{
	static const char *const texts[] = { "", "Zoé", "수진", "שלום", "A longer name than fits" };
	struct canvas canvas = { .pane_count = (uint8_t)(1 + prng_below(&stage.prng, 6)),
		                 .labels = prng_below(&stage.prng, 2) != 0,
		                 .recording = prng_below(&stage.prng, 2) != 0,
		                 .counter = (uint16_t)(prng_below(&stage.prng, 3) * 7),
		                 .message_place = (uint8_t)prng_below(&stage.prng, 3) };
	for (unsigned i = 0; i < canvas.pane_count; i++) {
		struct canvas_pane *pane = &canvas.panes[i];
		pane->x = (uint16_t)prng_below(&stage.prng, 1600);
		pane->y = (uint16_t)prng_below(&stage.prng, 900);
		pane->width = (uint16_t)(1 + prng_below(&stage.prng, CANVAS_WIDTH - pane->x));
		pane->height = (uint16_t)(1 + prng_below(&stage.prng, CANVAS_HEIGHT - pane->y));
		pane->source = 1 + prng_below(&stage.prng, SOURCES + 1);
		pane->fit = (uint8_t)prng_below(&stage.prng, 2);
		pane->talking = prng_below(&stage.prng, 3) == 0;
		pane->audio_muted = prng_below(&stage.prng, 3) == 0;
		pane->over = prng_below(&stage.prng, 2) != 0;
		const char *text = texts[prng_below(&stage.prng, COUNT_OF(texts))];
		memcpy(pane->label, text, strlen(text) + 1);
	}
	if (prng_below(&stage.prng, 2) != 0)
		memcpy(canvas.message, "Five minutes left", sizeof "Five minutes left");
	if (prng_below(&stage.prng, 2) != 0)
		memcpy(canvas.title, "Weekly", sizeof "Weekly");
	EXPECT(canvas_valid(&canvas));
	return canvas;
}

static void
show(struct composition *composition, const struct canvas *canvas)
{
	struct compose_source *behind[CANVAS_PANES_MAX] = { NULL };
	for (unsigned i = 0; i < canvas->pane_count; i++)
		if (canvas->panes[i].source <= SOURCES)
			behind[i] = &stage.sources[canvas->panes[i].source - 1];
	composition_set_canvas(composition, canvas);
	composition_set_sources(composition, behind);
}

static bool
same_picture(const struct picture *a, const struct picture *b)
{
	for (unsigned p = 0; p < PICTURE_PLANES; p++) {
		const int shift = p == PICTURE_Y ? 0 : 1;
		for (int y = 0; y < a->height >> shift; y++)
			if (memcmp(a->planes[p] + (ptrdiff_t)y * a->strides[p],
			           b->planes[p] + (ptrdiff_t)y * b->strides[p],
			           (size_t)(a->width >> shift)) != 0)
				return false;
	}
	return true;
}

static bool
same_as_drawn_anew(const struct composition *composition, const struct canvas *canvas)
{
	struct composition *anew = NULL;
	const struct picture *picture = composition_picture(composition);
	EXPECT_EQ(composition_create(&anew, stage.composer, picture->width, picture->height), 0);
	show(anew, canvas);
	composition_draw(anew);
	const bool same = same_picture(picture, composition_picture(anew));
	composition_destroy(anew);
	return same;
}

TEST(drawing_what_changed_is_drawing_everything)
{
	stage_open(1);
	struct composition *composition = NULL;
	EXPECT_EQ(composition_create(&composition, stage.composer, 320, 180), 0);
	for (unsigned round = 0; round < 60; round++) {
		const struct canvas canvas = random_canvas();
		show(composition, &canvas);
		EXPECT(composition_changed(composition));
		for (unsigned step = 0; step < 6; step++) {
			change_source(prng_below(&stage.prng, SOURCES));
			composition_draw(composition);
			EXPECT(!composition_changed(composition));
			EXPECT(same_as_drawn_anew(composition, &canvas));
		}
	}
	composition_destroy(composition);
	stage_close();
}

TEST(compositions_share_what_is_scaled_and_outlive_each_other)
{
	stage_open(2);
	struct composition *two[2] = { NULL };
	for (unsigned round = 0; round < 30; round++) {
		const struct canvas canvas = random_canvas();
		for (unsigned i = 0; i < SOURCES; i++)
			change_source(i);
		for (unsigned i = 0; i < 2; i++) {
			EXPECT_EQ(composition_create(&two[i], stage.composer, 320, 180), 0);
			show(two[i], &canvas);
			composition_draw(two[i]);
		}
		EXPECT(same_picture(composition_picture(two[0]), composition_picture(two[1])));
		composition_destroy(two[round % 2]);
		change_source(0);
		composition_draw(two[1 - round % 2]);
		EXPECT(same_as_drawn_anew(two[1 - round % 2], &canvas));
		composition_destroy(two[1 - round % 2]);
	}
	stage_close();
}

TEST(the_screens_show_words_instead_of_panes)
{
	static const uint8_t screens[] = { CANVAS_SCREEN_LOBBY, CANVAS_SCREEN_ONLY_PARTICIPANT };
	stage_open(3);
	for (size_t i = 0; i < COUNT_OF(screens); i++) {
		struct composition *composition = NULL;
		struct canvas canvas = { .screen = screens[i], .pane_count = 1 };
		canvas.panes[0] = (struct canvas_pane){ .width = CANVAS_WIDTH,
			                                .height = CANVAS_HEIGHT, .source = 1 };
		memcpy(canvas.message, "Waiting", sizeof "Waiting");
		EXPECT_EQ(composition_create(&composition, stage.composer, 640, 360), 0);
		change_source(0);
		show(composition, &canvas);
		composition_draw(composition);
		const struct picture *picture = composition_picture(composition);
		unsigned bright_above = 0, bright_below = 0, bright_at_side = 0;
		for (int y = 0; y < picture->height; y++) {
			for (int x = 0; x < picture->width; x++) {
				const bool bright =
					picture->planes[0][y * picture->strides[0] + x] > 180;
				bright_above += bright && y < 144;
				bright_below += bright && y >= 144;
				bright_at_side += bright && (x < 100 || x >= 540);
			}
		}
		EXPECT(bright_above > 100 && bright_below > 100);
		EXPECT_EQ(bright_at_side, 0);
		/* The source's pictures are nothing to it. */
		change_source(0);
		EXPECT(!composition_changed(composition));
		composition_destroy(composition);
	}
	stage_close();
}
