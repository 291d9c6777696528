/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: text of any script is drawn, within the width it is given, in the order it is read; icons
 * are told apart; without fonts nothing goes wrong.  Method: what of a label is bright, and where.
 * Needs the fonts that tools/install-packages names. */
#include "codec/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"

static struct label_fonts *fonts;
static struct label_cache *cache;

static void
open_cache(void)
{
	EXPECT_EQ(label_fonts_create(&fonts), 0);
	EXPECT(label_fonts_count(fonts) >= 3);
	EXPECT_EQ(label_cache_create(&cache, fonts), 0);
}

static void
close_cache(void)
{
	label_cache_destroy(cache);
	label_fonts_destroy(fonts);
}

static const struct label *
one_line(const char *text, unsigned width_max)
{
	return label_get(cache, &(struct label_spec){ .text = text,
	                                              .lines_max = 1,
	                                              .em = 24,
	                                              .width_max = (uint16_t)width_max });
}

/* How much is painted between two columns. */
static unsigned
ink(const struct label *label, int left, int right)
{
	unsigned sum = 0;
	for (int y = 0; y < label->height; y++)
		for (int x = left; x < right; x++)
			sum += 255u - label->y_keep[y * label->width + x];
	return sum / 255;
}

static bool
same_ink(const struct label *a, const struct label *b)
{
	return a->width == b->width && a->height == b->height &&
	       memcmp(a->y_keep, b->y_keep, (size_t)a->width * (size_t)a->height) == 0;
}

TEST(every_script_has_letters_of_its_own)
{
	static const char *const names[] = { "Zoe Martin", "Zoé Ångström", "수진",  "田中",
		                             "Дмитрий",    "Ελένη",        "مرحبا", "שלום",
		                             "हिन्दी",      "ไทย" };
	open_cache();
	/* What a character that no font has looks like. */
	const struct label *box = one_line("\xf4\x8f\xbf\xbd", 2000);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct label *label = one_line(names[i], 2000);
		EXPECT(label != NULL);
		EXPECT(label->width > 30 && label->width % 2 == 0 && label->height % 2 == 0);
		EXPECT(ink(label, 0, label->width) > 100);
		EXPECT(box == NULL || !same_ink(label, box));
		label_put(cache, label);
	}
	/* Two syllables of one word are two shapes. */
	const struct label *one = one_line("수", 2000);
	const struct label *other = one_line("진", 2000);
	EXPECT(!same_ink(one, other));
	label_put(cache, one);
	label_put(cache, other);
	label_put(cache, box);
	close_cache();
}

TEST(a_long_name_ends_in_an_ellipsis_within_its_width)
{
	static const char *const names[] = { "A very long name of somebody who is here",
		                             "매우 긴 이름을 가진 사람이 여기에 있습니다",
		                             "اسم طويل جدا لشخص موجود هنا في الاجتماع" };
	open_cache();
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		for (unsigned width = 20; width < 300; width += 7) {
			const struct label *label = one_line(names[i], width);
			EXPECT(label == NULL || label->width <= (int)width + 20);
			EXPECT(width < 60 || label != NULL);
			label_put(cache, label);
		}
	}
	close_cache();
}

TEST(a_message_is_broken_between_words_into_so_many_lines)
{
	open_cache();
	struct label_spec spec = { .text = "one two three four five six seven eight nine ten",
		                   .lines_max = 1,
		                   .em = 20,
		                   .width_max = 120 };
	int height = 0;
	for (uint8_t lines = 1; lines <= 4; lines++) {
		spec.lines_max = lines;
		const struct label *label = label_get(cache, &spec);
		EXPECT(label != NULL && label->width <= 140);
		EXPECT(label->height > height);
		height = label->height;
		label_put(cache, label);
	}
	spec.lines_max = 5;
	spec.text = "a\nb\n\nd";
	const struct label *label = label_get(cache, &spec);
	EXPECT(label != NULL && label->height >= 4 * 26);
	label_put(cache, label);
	close_cache();
}

TEST(right_to_left_text_begins_at_the_right)
{
	open_cache();
	/* A thick letter first, thin ones after it: where is most of the ink? */
	const struct label *latin = one_line("MMM....", 2000);
	const struct label *hebrew = one_line("שששששש.....", 2000);
	EXPECT(ink(latin, 0, latin->width / 2) > ink(latin, latin->width / 2, latin->width));
	EXPECT(ink(hebrew, 0, hebrew->width / 2) < ink(hebrew, hebrew->width / 2, hebrew->width));
	/* Numbers in it are read from left to right: 17 is not 71. */
	const struct label *number = one_line("ש 17", 2000);
	const struct label *turned = one_line("ש 71", 2000);
	const struct label *alone = one_line("17", 2000);
	const int digits = alone->width - 16;
	for (int y = 0; y < alone->height; y++)
		EXPECT(memcmp(&alone->y_keep[y * alone->width + 8],
		              &number->y_keep[y * number->width + 8], (size_t)digits) == 0);
	EXPECT(!same_ink(number, turned));
	label_put(cache, latin);
	label_put(cache, hebrew);
	label_put(cache, number);
	label_put(cache, turned);
	label_put(cache, alone);
	close_cache();
}

TEST(icons_differ_and_need_no_font)
{
	static const uint8_t icons[] = { LABEL_ICON_MUTED,     LABEL_ICON_RECORDING,
		                         LABEL_ICON_STREAMING, LABEL_ICON_LOCKED,
		                         LABEL_ICON_PERSON,    LABEL_ICON_CLOCK };
	const struct label *labels[COUNT_OF(icons)];
	struct label_cache *bare = NULL;
	EXPECT_EQ(label_cache_create(&bare, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(icons); i++) {
		const struct label_spec spec = {
			.text = "", .icons = icons[i], .lines_max = 1, .em = 40, .width_max = 100
		};
		labels[i] = label_get(bare, &spec);
		EXPECT(labels[i] != NULL && ink(labels[i], 0, labels[i]->width) > 200);
		for (size_t j = 0; j < i; j++)
			EXPECT(!same_ink(labels[i], labels[j]));
	}
	for (size_t i = 0; i < COUNT_OF(icons); i++)
		label_put(bare, labels[i]);
	const struct label_spec words = {
		.text = "Zoe", .lines_max = 1, .em = 20, .width_max = 100
	};
	EXPECT(label_get(bare, &words) == NULL);
	label_cache_destroy(bare);
}

TEST(nothing_is_no_label_and_what_is_no_text_does_no_harm)
{
	open_cache();
	EXPECT(one_line("", 100) == NULL);
	EXPECT(one_line("Zoe", 0) == NULL);
	label_put(cache, one_line("a\xff\xfe", 100));
	label_put(cache, one_line("\xf0\x9f\x98\x80 \xe2\x80\x8d", 100));
	char text[CANVAS_MESSAGE_MAX];
	for (unsigned byte = 1; byte < 256; byte++) {
		memset(text, (int)byte, sizeof text - 1);
		text[sizeof text - 1] = '\0';
		label_put(cache, one_line(text, 100));
	}
	close_cache();
}

TEST(the_cache_keeps_what_is_in_use_and_forgets_the_oldest)
{
	open_cache();
	const struct label *kept = one_line("kept", 300);
	EXPECT(one_line("kept", 300) == kept);
	label_put(cache, kept);
	for (unsigned i = 0; i < LABEL_CACHE_MAX + 50; i++) {
		const char text[] = { (char)('a' + i % 26), (char)('a' + i / 26 % 26),
			              (char)('a' + i / 676), '\0' };
		label_put(cache, one_line(text, 300));
	}
	EXPECT(one_line("kept", 300) == kept);
	label_put(cache, kept);
	label_put(cache, kept);
	close_cache();
}

TEST(a_label_is_cut_where_the_picture_ends)
{
	open_cache();
	struct picture picture = { 0 };
	EXPECT_EQ(picture_resize(&picture, 32, 16), 0);
	const struct label *label = one_line("Somebody", 300);
	for (int y = -60; y <= 40; y += 2)
		for (int x = -200; x <= 60; x += 2)
			label_draw(label, &picture, x, y);
	label_put(cache, label);
	picture_fini(&picture);
	close_cache();
}
