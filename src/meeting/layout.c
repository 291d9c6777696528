/* SPDX-License-Identifier: Apache-2.0 */
/* The named layouts.  A grid of n x n cells divides the picture into exact 16:9 panes for n up to
 * five: 1920 x 1080 is 640 x 360, 480 x 270 and 384 x 216 times three, four and five. */
#include "meeting/layout.h"

#include <assert.h>

#include "base/check.h"

enum {
	SIDE_MAX = 5,      /* cells of the finest grid */
	OVERLAY_SMALL = 6, /* telepresence: panes over the large one */
	OVERLAY_WIDTH = 288,
	OVERLAY_HEIGHT = 162,
	OVERLAY_GAP = 16,
	OVERLAY_BELOW = 24, /* between them and the picture's lower end */
	STACKED_SMALL = 5,
	CONTENT_WIDTH = LAYOUT_WIDTH / SIDE_MAX * (SIDE_MAX - 1),
	CONTENT_HEIGHT = LAYOUT_HEIGHT / SIDE_MAX * (SIDE_MAX - 1),
};

static_assert((int)SIDE_MAX * SIDE_MAX == (int)LAYOUT_PANES_MAX, "the finest grid is the most there is");
static_assert((int)LAYOUT_BESIDE_CONTENT_MAX == (int)SIDE_MAX, "a column of the finest grid");

const char *
layout_name_text(enum layout_name name)
{
	static const char *const texts[LAYOUT_COUNT] = {
		[LAYOUT_ALL_EQUAL] = "allEqual",
		[LAYOUT_SPEAKER_ONLY] = "speakerOnly",
		[LAYOUT_TELEPRESENCE] = "telepresence",
		[LAYOUT_STACKED] = "stacked",
		[LAYOUT_QUARTERS] = "allEqualQuarters",
		[LAYOUT_NINTHS] = "allEqualNinths",
		[LAYOUT_SIXTEENTHS] = "allEqualSixteenths",
		[LAYOUT_TWENTY_FIFTHS] = "allEqualTwentyFifths",
		[LAYOUT_ONE_PLUS_FIVE] = "onePlusFive",
		[LAYOUT_ONE_PLUS_SEVEN] = "onePlusSeven",
		[LAYOUT_ONE_PLUS_NINE] = "onePlusNine",
		[LAYOUT_AUTOMATIC] = "automatic",
		[LAYOUT_ONE_PLUS_N] = "onePlusN",
	};
	CHECK((unsigned)name < LAYOUT_COUNT);
	return texts[name];
}

enum layout_name
layout_resolve(enum layout_name name, unsigned people)
{
	if (name != LAYOUT_AUTOMATIC && name != LAYOUT_ONE_PLUS_N)
		return name;
	if (people <= 1)
		return LAYOUT_SPEAKER_ONLY;
	if (name == LAYOUT_AUTOMATIC && people <= 4)
		return LAYOUT_ALL_EQUAL;
	if (people <= 6)
		return LAYOUT_ONE_PLUS_FIVE;
	return people <= 8 ? LAYOUT_ONE_PLUS_SEVEN : LAYOUT_ONE_PLUS_NINE;
}

unsigned
layout_capacity(enum layout_name name)
{
	static const uint8_t most[LAYOUT_COUNT] = {
		[LAYOUT_ALL_EQUAL] = LAYOUT_PANES_MAX,
		[LAYOUT_SPEAKER_ONLY] = 1,
		[LAYOUT_TELEPRESENCE] = 1 + OVERLAY_SMALL,
		[LAYOUT_STACKED] = 1 + STACKED_SMALL,
		[LAYOUT_QUARTERS] = 4,
		[LAYOUT_NINTHS] = 9,
		[LAYOUT_SIXTEENTHS] = 16,
		[LAYOUT_TWENTY_FIFTHS] = 25,
		[LAYOUT_ONE_PLUS_FIVE] = 6,
		[LAYOUT_ONE_PLUS_SEVEN] = 8,
		[LAYOUT_ONE_PLUS_NINE] = 10,
		[LAYOUT_AUTOMATIC] = 10,
		[LAYOUT_ONE_PLUS_N] = 10,
	};
	CHECK((unsigned)name < LAYOUT_COUNT);
	return most[name];
}

static void
add(struct layout *out, unsigned x, unsigned y, unsigned width, unsigned height)
{
	CHECK(out->count < LAYOUT_PANES_MAX);
	CHECK(x + width <= LAYOUT_WIDTH && y + height <= LAYOUT_HEIGHT);
	out->panes[out->count++] = (struct layout_pane){
		.x = (uint16_t)x,
		.y = (uint16_t)y,
		.width = (uint16_t)width,
		.height = (uint16_t)height,
	};
}

static void
add_whole(struct layout *out)
{
	add(out, 0, 0, LAYOUT_WIDTH, LAYOUT_HEIGHT);
}

/* The first `people` cells of side x side, row by row. */
static void
make_grid(struct layout *out, unsigned side, unsigned people)
{
	const unsigned width = LAYOUT_WIDTH / side;
	const unsigned height = LAYOUT_HEIGHT / side;
	for (unsigned i = 0; i < people; i++)
		add(out, i % side * width, i / side * height, width, height);
}

/* The smallest grid that holds all; unused rows are left out and the last row is centred. */
static void
make_all_equal(struct layout *out, unsigned people)
{
	unsigned side = 1;
	while (side * side < people)
		side++;
	const unsigned width = LAYOUT_WIDTH / side;
	const unsigned height = LAYOUT_HEIGHT / side;
	const unsigned rows = (people + side - 1) / side;
	const unsigned last = people - (rows - 1) * side;
	const unsigned top = (LAYOUT_HEIGHT - rows * height) / 4 * 2;
	for (unsigned i = 0; i < people; i++) {
		const unsigned row = i / side;
		const unsigned left = row == rows - 1 ? (side - last) * width / 2 : 0;
		add(out, left + i % side * width, top + row * height, width, height);
	}
}

/* A large pane in the upper left corner, the rest of a side x side grid around it: the right
 * column from above, then the lowest row from the left. */
static void
make_one_plus(struct layout *out, unsigned side, unsigned people)
{
	const unsigned width = LAYOUT_WIDTH / side;
	const unsigned height = LAYOUT_HEIGHT / side;
	add(out, 0, 0, width * (side - 1), height * (side - 1));
	for (unsigned i = 0; i + 1 < people; i++) {
		if (i < side - 1)
			add(out, width * (side - 1), height * i, width, height);
		else
			add(out, width * (i - (side - 1)), height * (side - 1), width, height);
	}
}

static void
make_telepresence(struct layout *out, unsigned people)
{
	const unsigned small = people - 1;
	const unsigned step = OVERLAY_WIDTH + OVERLAY_GAP;
	const unsigned left = (LAYOUT_WIDTH + OVERLAY_GAP - small * step) / 4 * 2;
	add_whole(out);
	for (unsigned i = 0; i < small; i++) {
		add(out, left + i * step, LAYOUT_HEIGHT - OVERLAY_HEIGHT - OVERLAY_BELOW,
		    OVERLAY_WIDTH, OVERLAY_HEIGHT);
		out->panes[i + 1].over = true;
	}
}

static void
make_stacked(struct layout *out, unsigned people)
{
	const unsigned width = LAYOUT_WIDTH / SIDE_MAX;
	const unsigned height = LAYOUT_HEIGHT / SIDE_MAX;
	const unsigned small = people - 1;
	const unsigned left = (LAYOUT_WIDTH - small * width) / 2;
	add(out, (LAYOUT_WIDTH - CONTENT_WIDTH) / 2, 0, CONTENT_WIDTH, CONTENT_HEIGHT);
	for (unsigned i = 0; i < small; i++)
		add(out, left + i * width, CONTENT_HEIGHT, width, height);
}

void
layout_make(struct layout *out, enum layout_name name, unsigned people)
{
	const enum layout_name resolved = layout_resolve(name, people);
	const unsigned most = layout_capacity(resolved);
	*out = (struct layout){ 0 };
	if (people > most)
		people = most;
	if (people == 0)
		return;
	switch (resolved) {
	case LAYOUT_ALL_EQUAL:
		make_all_equal(out, people);
		break;
	case LAYOUT_QUARTERS:
		make_grid(out, 2, people);
		break;
	case LAYOUT_NINTHS:
		make_grid(out, 3, people);
		break;
	case LAYOUT_SIXTEENTHS:
		make_grid(out, 4, people);
		break;
	case LAYOUT_TWENTY_FIFTHS:
		make_grid(out, 5, people);
		break;
	case LAYOUT_SPEAKER_ONLY:
		add_whole(out);
		break;
	case LAYOUT_TELEPRESENCE:
		make_telepresence(out, people);
		break;
	case LAYOUT_STACKED:
		/* One alone has the whole picture, here and below. */
		if (people == 1)
			add_whole(out);
		else
			make_stacked(out, people);
		break;
	case LAYOUT_ONE_PLUS_FIVE:
	case LAYOUT_ONE_PLUS_SEVEN:
	case LAYOUT_ONE_PLUS_NINE:
		if (people == 1)
			add_whole(out);
		else
			make_one_plus(out, most / 2, people);
		break;
	case LAYOUT_AUTOMATIC:
	case LAYOUT_ONE_PLUS_N:
	case LAYOUT_COUNT:
		break; /* layout_resolve() gives none of them */
	}
	out->led = layout_is_led(resolved);
	CHECK(out->count == people);
}

bool
layout_is_led(enum layout_name name)
{
	return name != LAYOUT_ALL_EQUAL && name != LAYOUT_QUARTERS && name != LAYOUT_NINTHS &&
	       name != LAYOUT_SIXTEENTHS && name != LAYOUT_TWENTY_FIFTHS;
}

void
layout_with_content(struct layout *out, unsigned people)
{
	const unsigned width = LAYOUT_WIDTH / SIDE_MAX;
	const unsigned height = LAYOUT_HEIGHT / SIDE_MAX;
	*out = (struct layout){ 0 };
	if (people > LAYOUT_BESIDE_CONTENT_MAX)
		people = LAYOUT_BESIDE_CONTENT_MAX;
	if (people == 0)
		add_whole(out);
	else
		add(out, 0, (LAYOUT_HEIGHT - CONTENT_HEIGHT) / 2, CONTENT_WIDTH, CONTENT_HEIGHT);
	for (unsigned i = 0; i < people; i++)
		add(out, CONTENT_WIDTH, i * height, width, height);
}
