/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a canvas from another process is taken only when every part of it is in range, and two
 * canvases are equal exactly when they show the same.  Method: one case per rule. */
#include "codec/canvas.h"

#include <stddef.h>
#include <string.h>

#include "base/test.h"

static struct canvas
good(void)
{
	struct canvas canvas = { .pane_count = 2, .labels = true, .message = "Hello" };
	canvas.panes[0] =
	        (struct canvas_pane){ .width = 960, .height = 1080, .source = 1, .label = "수진" };
	canvas.panes[1] = (struct canvas_pane){
		.x = 960, .width = 960, .height = 1080, .source = 2, .label = "Zoé"
	};
	return canvas;
}

TEST(a_good_canvas_is_valid_and_equal_to_itself)
{
	const struct canvas canvas = good();
	EXPECT(canvas_valid(&canvas));
	EXPECT(canvas_eq(&canvas, &canvas));
}

TEST(each_rule_is_kept)
{
	static const struct {
		size_t at;
		size_t len;
		const char *bytes;
	} cases[] = {
		{ offsetof(struct canvas, screen), 1, "\x03" },
		{ offsetof(struct canvas, pane_count), 1, "\x21" },
		{ offsetof(struct canvas, message_place), 1, "\x03" },
		{ offsetof(struct canvas, title_place), 1, "\x03" },
		{ offsetof(struct canvas, recording), 1, "\x02" },
		{ offsetof(struct canvas, streaming), 1, "\xff" },
		{ offsetof(struct canvas, locked), 1, "\x02" },
		{ offsetof(struct canvas, labels), 1, "\x02" },
		{ offsetof(struct canvas, message), 1, "\xc3" },
		{ offsetof(struct canvas, title), 1, "\xff" },
		{ offsetof(struct canvas, panes[1].x), 2, "\xc1\x03" },
		{ offsetof(struct canvas, panes[1].y), 2, "\x01" },
		{ offsetof(struct canvas, panes[0].width), 2, "\0\0" },
		{ offsetof(struct canvas, panes[0].height), 2, "\0\0" },
		{ offsetof(struct canvas, panes[0].width), 2, "\xff\xff" },
		{ offsetof(struct canvas, panes[0].fit), 1, "\x02" },
		{ offsetof(struct canvas, panes[0].talking), 1, "\x02" },
		{ offsetof(struct canvas, panes[0].audio_muted), 1, "\x02" },
		{ offsetof(struct canvas, panes[1].over), 1, "\x02" },
		{ offsetof(struct canvas, panes[1].label), 1, "\x80" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct canvas canvas = good();
		memcpy((uint8_t *)&canvas + cases[i].at, cases[i].bytes, cases[i].len);
		EXPECT(!canvas_valid(&canvas));
	}
}

TEST(a_text_without_its_end_is_refused)
{
	struct canvas canvas = good();
	memset(canvas.panes[0].label, 'a', sizeof canvas.panes[0].label);
	EXPECT(!canvas_valid(&canvas));
	canvas = good();
	memset(canvas.message, 'a', sizeof canvas.message);
	EXPECT(!canvas_valid(&canvas));
}

TEST(what_is_not_shown_does_not_make_a_difference)
{
	const struct canvas a = good();
	struct canvas b = good();
	memset(&b.panes[2], 0xff, sizeof b.panes[2]);
	b.message[10] = 'x';
	b.panes[1].label[20] = 'x';
	EXPECT(canvas_eq(&a, &b));
	b.panes[1].talking = true;
	EXPECT(!canvas_eq(&a, &b));
	b = good();
	b.counter = 3;
	EXPECT(!canvas_eq(&a, &b));
	b = good();
	b.total = 3;
	EXPECT(!canvas_eq(&a, &b));
	b = good();
	b.panes[0].label[0] = 'x';
	EXPECT(!canvas_eq(&a, &b));
	b = good();
	b.pane_count = 1;
	EXPECT(!canvas_eq(&a, &b));
}
