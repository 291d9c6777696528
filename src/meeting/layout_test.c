/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every layout with every number of people lies on the grid without overlapping, in 16:9 and
 * on even points, and full ones cover the picture; a template is taken only when the same holds for
 * what it says, and what is wrong with it is told. */
#include <stdio.h>

#include "base/test.h"
#include "meeting/layout_check.h"

static const struct {
	enum layout_name name;
	unsigned full; /* people with whom it covers the picture, 0: never */
	unsigned first_width;
} named[] = {
	{ LAYOUT_ALL_EQUAL, 25, 384 },      { LAYOUT_SPEAKER_ONLY, 1, 1920 },
	{ LAYOUT_TELEPRESENCE, 7, 1920 },   { LAYOUT_STACKED, 0, 1536 },
	{ LAYOUT_QUARTERS, 4, 960 },        { LAYOUT_NINTHS, 9, 640 },
	{ LAYOUT_SIXTEENTHS, 16, 480 },     { LAYOUT_TWENTY_FIFTHS, 25, 384 },
	{ LAYOUT_ONE_PLUS_FIVE, 6, 1280 },  { LAYOUT_ONE_PLUS_SEVEN, 8, 1440 },
	{ LAYOUT_ONE_PLUS_NINE, 10, 1536 }, { LAYOUT_AUTOMATIC, 10, 1536 },
	{ LAYOUT_ONE_PLUS_N, 10, 1536 },
};

TEST(every_layout_lies_on_the_grid_with_any_number_of_people)
{
	EXPECT_EQ(COUNT_OF(named), LAYOUT_COUNT);
	for (unsigned name = 0; name < LAYOUT_COUNT; name++) {
		const unsigned most = layout_capacity((enum layout_name)name);
		for (unsigned people = 0; people < 40; people++) {
			struct layout layout;
			layout_make(&layout, (enum layout_name)name, people);
			EXPECT_EQ(layout.count, people < most ? people : most);
			check_layout(&layout);
			for (unsigned i = 0; i < layout.count; i++)
				EXPECT_EQ(layout.panes[i].width * 9u, layout.panes[i].height * 16u);
		}
	}
}

TEST(a_full_layout_covers_the_picture)
{
	for (unsigned i = 0; i < COUNT_OF(named); i++) {
		struct layout layout;
		const unsigned most = layout_capacity(named[i].name);
		layout_make(&layout, named[i].name, most);
		EXPECT_EQ(layout.panes[0].width, named[i].first_width);
		if (named[i].full == 0)
			continue;
		EXPECT_EQ(most, named[i].full);
		EXPECT_EQ(covered(&layout), (unsigned)LAYOUT_WIDTH * LAYOUT_HEIGHT);
	}
}

TEST(all_equal_grows_with_the_number_and_centres_what_is_left_over)
{
	static const struct {
		unsigned people;
		unsigned width;
		unsigned last_x, last_y;
	} cases[] = {
		{ 1, 1920, 0, 0 },     { 2, 960, 960, 270 },   { 3, 960, 480, 540 },
		{ 4, 960, 960, 540 },  { 5, 640, 960, 540 },   { 6, 640, 1280, 540 },
		{ 7, 640, 640, 720 },  { 10, 480, 960, 674 },  { 13, 480, 720, 810 },
		{ 17, 384, 960, 756 }, { 25, 384, 1536, 864 },
	};
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct layout layout;
		layout_make(&layout, LAYOUT_ALL_EQUAL, cases[i].people);
		const struct layout_pane *last = &layout.panes[layout.count - 1];
		EXPECT_EQ(last->width, cases[i].width);
		EXPECT_EQ(last->x, cases[i].last_x);
		EXPECT_EQ(last->y, cases[i].last_y);
		EXPECT(!layout.led);
	}
}

TEST(automatic_and_one_plus_n_choose_by_number)
{
	static const enum layout_name wanted[][2] = {
		{ LAYOUT_SPEAKER_ONLY, LAYOUT_SPEAKER_ONLY },
		{ LAYOUT_SPEAKER_ONLY, LAYOUT_SPEAKER_ONLY },
		{ LAYOUT_ALL_EQUAL, LAYOUT_ONE_PLUS_FIVE },
		{ LAYOUT_ALL_EQUAL, LAYOUT_ONE_PLUS_FIVE },
		{ LAYOUT_ALL_EQUAL, LAYOUT_ONE_PLUS_FIVE },
		{ LAYOUT_ONE_PLUS_FIVE, LAYOUT_ONE_PLUS_FIVE },
		{ LAYOUT_ONE_PLUS_FIVE, LAYOUT_ONE_PLUS_FIVE },
		{ LAYOUT_ONE_PLUS_SEVEN, LAYOUT_ONE_PLUS_SEVEN },
		{ LAYOUT_ONE_PLUS_SEVEN, LAYOUT_ONE_PLUS_SEVEN },
		{ LAYOUT_ONE_PLUS_NINE, LAYOUT_ONE_PLUS_NINE },
	};
	for (unsigned people = 0; people < COUNT_OF(wanted); people++) {
		EXPECT_EQ(layout_resolve(LAYOUT_AUTOMATIC, people), wanted[people][0]);
		EXPECT_EQ(layout_resolve(LAYOUT_ONE_PLUS_N, people), wanted[people][1]);
		EXPECT_EQ(layout_resolve(LAYOUT_STACKED, people), LAYOUT_STACKED);
	}
	EXPECT_EQ(layout_resolve(LAYOUT_AUTOMATIC, 500), LAYOUT_ONE_PLUS_NINE);
}

TEST(content_has_the_large_pane_and_people_stand_beside_it)
{
	for (unsigned people = 0; people < 9; people++) {
		struct layout layout;
		layout_with_content(&layout, people);
		EXPECT_EQ(layout.count, people < 5 ? people + 1 : 6);
		check_layout(&layout);
		EXPECT_EQ(layout.panes[0].width, people == 0 ? 1920 : 1536);
		EXPECT_EQ(layout.panes[0].width * 9u, layout.panes[0].height * 16u);
	}
}

/* ------------------------------------------------------------------ templates */

#define PANE(x_, y_, w_, h_) "{\"x\":" x_ ",\"y\":" y_ ",\"width\":" w_ ",\"height\":" h_ "}"
#define ONE(panes_) "{\"templates\":[{\"panes\":[" panes_ "]}]}"
#define HALVES PANE("0", "0", "50", "100") "," PANE("50", "0", "50", "100")

TEST(a_template_is_read_and_chosen_by_number)
{
	static const char text[] = " { \"templates\" : [ {\"panes\":[" PANE(
	        "0", "0", "100",
	        "100") "]},\r\n"
	               "{\"panes\":[" PANE("0", "12.5", "66.66", "75") "," PANE(
	                       "66.67", "0", "33.34",
	                       "50") "," PANE("66.67", "50", "33.34",
	                                      "50") ",{\"x\":5,\"y\":70,\"width\":20,\"height\":20,"
	                                            "\"over\":true}]},"
	                                            "{\"panes\":[" HALVES "]}]}\n";
	struct layout_template template;
	struct layout layout;
	char error[LAYOUT_ERROR_MAX];
	EXPECT(layout_template_read(&template, str_of(text), error));
	EXPECT_STR(str_of(error), "");
	EXPECT_EQ(template.count, 3);
	EXPECT_EQ(layout_template_capacity(&template), 4);
	static const unsigned counts[] = { 0, 1, 2, 3, 4, 4 };
	for (unsigned people = 0; people < COUNT_OF(counts); people++) {
		layout_of_template(&layout, &template, people);
		EXPECT_EQ(layout.count, counts[people]);
	}
	layout_of_template(&layout, &template, 2);
	EXPECT_EQ(layout.panes[1].x, 960);
	EXPECT(!layout.led);
	layout_of_template(&layout, &template, 9);
	EXPECT_EQ(layout.panes[0].y, 136); /* 135 is odd */
	EXPECT_EQ(layout.panes[0].width, 1280);
	EXPECT_EQ(layout.panes[1].x, 1280);
	EXPECT_EQ(layout.panes[1].width, 640);
	EXPECT(layout.led && layout.panes[3].over);
	check_layout(&layout);
}

TEST(what_is_wrong_with_a_template_is_told)
{
	static const struct {
		const char *json;
		const char *error;
	} cases[] = {
		{ "", "'{' is missing at the beginning" },
		{ "[]", "'{' is missing at the beginning" },
		{ "{}", "'\"' is missing before a member's name" },
		{ "{\"templates", "a member's name does not end" },
		{ "{\"x\":1}", "\"templates\" is missing" },
		{ "{\"templates\":[]}", "templates[0]: '{' is missing before an arrangement" },
		{ "{\"templates\":[{\"panes\":[]}]}",
		  "templates[0].panes[0]: '{' is missing before a pane" },
		{ ONE("{\"x\":0,\"y\":0,\"width\":5}"),
		  "templates[0].panes[0]: \"height\" is missing" },
		{ ONE("{\"x\":0,\"x\":0}"), "templates[0].panes[0]: \"x\" stands twice" },
		{ ONE("{\"z\":0}"), "templates[0].panes[0]: no member of a pane is named \"z\"" },
		{ ONE("{\"over\":1}"),
		  "templates[0].panes[0]: \"over\" is neither true nor false" },
		{ ONE(PANE("-1", "0", "5", "5")),
		  "templates[0].panes[0]: not a number of 0 to 100 with up to four decimals" },
		{ ONE(PANE("100.0001", "0", "5", "5")),
		  "templates[0].panes[0]: not a number of 0 to 100 with up to four decimals" },
		{ ONE(PANE("0.00001", "0", "5", "5")),
		  "templates[0].panes[0]: not a number of 0 to 100 with up to four decimals" },
		{ ONE(PANE("0.", "0", "5", "5")),
		  "templates[0].panes[0]: not a number of 0 to 100 with up to four decimals" },
		{ ONE(PANE("99999999999", "0", "5", "5")),
		  "templates[0].panes[0]: not a number of 0 to 100 with up to four decimals" },
		{ ONE(PANE("60", "0", "41", "5")),
		  "templates[0].panes[0]: reaches beyond 100 percent" },
		{ ONE(PANE("0", "0", "1", "50")),
		  "templates[0].panes[0]: smaller than 48 of 1920 points" },
		{ ONE(HALVES "," PANE("25", "0", "50", "50")),
		  "templates[0].panes[2]: overlaps panes[0] and is not \"over\"" },
		{ "{\"templates\":[{\"panes\":[" HALVES "]},{\"panes\":[7]}]}",
		  "templates[1].panes[0]: '{' is missing before a pane" },
		{ ONE(HALVES) "x", "something stands behind the end" },
	};
	struct layout_template template;
	char error[LAYOUT_ERROR_MAX];
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		EXPECT(!layout_template_read(&template, str_of(cases[i].json), error));
		EXPECT_STR(str_of(error), cases[i].error);
	}
}

TEST(too_many_panes_and_templates_are_refused)
{
	static char text[LAYOUT_TEXT_MAX * 4];
	char error[LAYOUT_ERROR_MAX];
	struct layout_template template;
	for (unsigned panes = 25; panes <= 26; panes++) {
		size_t at = (size_t)snprintf(text, sizeof text, "{\"templates\":[{\"panes\":[");
		for (unsigned i = 0; i < panes; i++)
			at += (size_t)snprintf(text + at, sizeof text - at,
			                       "%s{\"x\":%u,\"y\":%u,\"width\":10,\"height\":10}",
			                       i != 0 ? "," : "", i % 10 * 10, i / 10 * 10);
		snprintf(text + at, sizeof text - at, "]}]}");
		EXPECT_EQ(layout_template_read(&template, str_of(text), error), panes == 25);
	}
	EXPECT_STR(str_of(error), "templates[0].panes[24]: more than 25 panes");
	for (unsigned templates = 8; templates <= 9; templates++) {
		size_t at = (size_t)snprintf(text, sizeof text, "{\"templates\":[");
		for (unsigned i = 0; i < templates; i++)
			at += (size_t)snprintf(text + at, sizeof text - at,
			                       "%s{\"panes\":[" HALVES "]}", i != 0 ? "," : "");
		snprintf(text + at, sizeof text - at, "]}");
		EXPECT_EQ(layout_template_read(&template, str_of(text), error), templates == 8);
	}
}

TEST(no_prefix_and_no_flipped_byte_of_a_template_is_taken_wrongly)
{
	static const char good[] =
	        ONE(PANE("0", "0", "33.34", "50") "," PANE("50", "0", "50", "100"));
	struct layout_template template;
	for (size_t len = 0; len < sizeof good - 1; len++)
		EXPECT(!check_template((struct str){ good, len }));
	char bytes[sizeof good];
	for (size_t at = 0; at < sizeof good - 1; at++) {
		for (unsigned value = 0; value < 256; value++) {
			memcpy(bytes, good, sizeof good);
			bytes[at] = (char)value;
			(void)check_template((struct str){ bytes, sizeof good - 1 });
		}
	}
	char error[LAYOUT_ERROR_MAX];
	EXPECT(layout_template_read(&template, str_of(good), error));
}
