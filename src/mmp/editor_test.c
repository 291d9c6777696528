/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: keys do what people's hands know, the screen shows what is in the line, and no line is run
 * that nobody typed whole.  Method: tables of keys and lines; a small terminal, enough for what the
 * editor sends, on which the screen is compared. */
#include "mmp/editor.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"

enum { SCREEN = 40 };

static struct editor editor;

static void
words(void *context, struct str line, struct writer *w)
{
	static const char *const all[] = { "pki list", "pki inspect", "pki match", "user add" };
	struct str written = { 0 };
	(void)context;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct str rest = str_of(all[i]);
		const struct str first = str_cut(&rest, ' ');
		const bool second = str_find(line, ' ') < line.len;
		const struct str word = second ? rest : first;
		struct str last = line;
		if (second && !str_eq(str_cut(&last, ' '), first))
			continue;
		if (str_starts(word, last) && !str_eq(word, written))
			writer_format(w, "%.*s\n", STR_ARGS(word));
		written = word;
	}
}

static void
begin(bool plain)
{
	editor_init(&editor, plain, SCREEN, words, NULL);
	editor_ask(&editor, "> ", false);
}

/* Types keys; the event of the last of them. */
static enum editor_event
type_keys(struct str keys)
{
	enum editor_event event = EDITOR_NONE;
	while (keys.len != 0) {
		EXPECT(event == EDITOR_NONE);
		event = editor_input(&editor, &keys.at, &keys.len);
	}
	return event;
}

/* The row the cursor is on, after "\r", "ESC [ n C", "ESC [ K" and text. */
static size_t
play(char row[SCREEN + 1], struct str out)
{
	size_t column = 0;
	memset(row, ' ', SCREEN);
	row[SCREEN] = '\0';
	for (size_t i = 0; i < out.len; i++) {
		unsigned count = 0;
		if (out.at[i] == '\r') {
			column = 0;
		} else if (out.at[i] == '\n') {
			memset(row, ' ', SCREEN);
		} else if (out.at[i] == '\a') {
			continue;
		} else if (out.at[i] == 0x1b) {
			for (i += 2; out.at[i] >= '0' && out.at[i] <= '9'; i++)
				count = count * 10 + (unsigned)(out.at[i] - '0');
			if (out.at[i] == 'C')
				column += count;
			else if (out.at[i] == 'K')
				memset(row + column, ' ', SCREEN - column);
		} else {
			EXPECT(column < SCREEN);
			row[column++] = out.at[i];
		}
	}
	for (size_t len = SCREEN; len != 0 && row[len - 1] == ' ';)
		row[--len] = '\0';
	return column;
}

TEST(keys_make_lines)
{
	static const struct {
		const char *keys;
		const char *line;
	} cases[] = {
		{ "version", "version" },
		{ "vresion\x01\x1b[C\x04\x1b[Cr", "version" }, /* Ctrl-A right delete right */
		{ "abc\x02\x02X", "aXbc" },
		{ "abc\x01X\x05Y", "XabcY" },
		{ "abc\x1b[DX", "abXc" },
		{ "abc\x1bOD\x1bODX", "aXbc" },
		{ "abc\x1b[HX\x1b[FY", "XabcY" },
		{ "abc\x1b[1~X\x1b[4~Y", "XabcY" },
		{ "abc\x1bOHX\x1bOFY", "XabcY" },
		{ "abc\x01\x1b[3~", "bc" },
		{ "abc\x7f\x08", "a" },
		{ "one two three\x17", "one two " },
		{ "one two\x17\x17", "" },
		{ "one two\x15three", "three" },
		{ "one two\x1b" "b\x0b", "one " },
		{ "one two\x01\x1b" "f!", "one! two" },
		{ "a\x1b[1;5Cb", "ab" }, /* a sequence of which only the last byte matters */
		{ "a\x1b[200~b", "ab" },
		{ "a\x1bxb", "ab" },
		{ "a\x1b[\x01" "b", "ab" },
		{ "a\xc3\xa4" "b", "ab" }, /* commands are ASCII */
		{ "a\x00 b", "a" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin(false);
		EXPECT_EQ(type_keys(str_of(cases[i].keys)), EDITOR_NONE);
		EXPECT_EQ(type_keys(STR("\r")), EDITOR_LINE);
		EXPECT_STR(editor_line(&editor), cases[i].line);
		EXPECT_EQ(type_keys(STR("\n")), EDITOR_NONE); /* of that CR */
	}
}

TEST(a_typed_line_is_echoed_byte_by_byte)
{
	begin(false);
	EXPECT_STR(editor_output(&editor), "> ");
	EXPECT_EQ(type_keys(STR("ver")), EDITOR_NONE);
	EXPECT_STR(editor_output(&editor), "ver");
	EXPECT_EQ(type_keys(STR("\r")), EDITOR_LINE);
	EXPECT_STR(editor_output(&editor), "\r\n");
}

TEST(the_screen_shows_the_line_and_the_cursor)
{
	static const struct {
		const char *keys;
		const char *row;
		size_t column;
	} cases[] = {
		{ "abc", "> abc", 5 },
		{ "abc\x1b[D\x1b[D", "> abc", 3 },
		{ "abc\x1b[D\x7f", "> ac", 3 },
		{ "abc\x01X", "> Xabc", 3 },
		{ "one two\x17", "> one", 6 },
		{ "0123456789012345678901234567890123456789", "> 3456789012345678901234567890123456789",
		  39 },
		{ "0123456789012345678901234567890123456789\x01", "> 0123456789012345678901234567890123456",
		  2 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char row[SCREEN + 1];
		begin(false);
		EXPECT_EQ(type_keys(str_of(cases[i].keys)), EDITOR_NONE);
		EXPECT_EQ(play(row, editor_output(&editor)), cases[i].column);
		EXPECT_STR(str_of(row), cases[i].row);
	}
}

static void
run_line(const char *line)
{
	EXPECT_EQ(type_keys(str_of(line)), EDITOR_NONE);
	EXPECT_EQ(type_keys(STR("\r")), EDITOR_LINE);
	editor_ask(&editor, "> ", false);
}

TEST(arrows_bring_earlier_lines_back)
{
	static const struct {
		const char *keys;
		const char *line;
	} cases[] = {
		{ "\x1b[A", "three" },
		{ "\x1b[A\x1b[A", "two" },
		{ "\x10\x10\x10\x10", "one" },
		{ "begun\x1b[A\x1b[B", "begun" },
		{ "\x1b[A\x1b[A\x1b[B!", "three!" },
		{ "\x1b[B", "" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin(false);
		run_line("one");
		run_line("two");
		run_line("two");
		run_line("   ");
		run_line("three");
		EXPECT_EQ(type_keys(str_of(cases[i].keys)), EDITOR_NONE);
		EXPECT_EQ(type_keys(STR("\r")), EDITOR_LINE);
		EXPECT_STR(editor_line(&editor), cases[i].line);
	}
}

TEST(the_oldest_lines_are_forgotten)
{
	char line[16];
	begin(false);
	for (unsigned i = 0; i < EDITOR_HISTORY_MAX + 5; i++) {
		snprintf(line, sizeof line, "line %u", i);
		run_line(line);
	}
	for (unsigned i = 0; i < EDITOR_HISTORY_MAX + 5; i++)
		EXPECT_EQ(type_keys(STR("\x1b[A")), EDITOR_NONE);
	EXPECT_EQ(type_keys(STR("\r")), EDITOR_LINE);
	EXPECT_STR(editor_line(&editor), "line 5");
}

TEST(tab_completes_as_far_as_it_is_clear)
{
	static const struct {
		const char *keys;
		const char *line;
	} cases[] = {
		{ "p\t", "pki " },
		{ "p\tm\t", "pki match " },
		{ "pki \t", "pki " },
		{ "us\ta\tx", "user add x" },
		{ "zz\t", "zz" },
		{ "pki i\tx", "pki inspect x" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin(false);
		EXPECT_EQ(type_keys(str_of(cases[i].keys)), EDITOR_NONE);
		EXPECT_EQ(type_keys(STR("\r")), EDITOR_LINE);
		EXPECT_STR(editor_line(&editor), cases[i].line);
	}
}

TEST(tab_lists_what_may_follow)
{
	begin(false);
	EXPECT_EQ(type_keys(STR("pki ")), EDITOR_NONE);
	(void)editor_output(&editor);
	EXPECT_EQ(type_keys(STR("\t")), EDITOR_NONE);
	EXPECT_STR(editor_output(&editor),
	           "\r\nlist  inspect  match\r\n\r> pki \x1b[K\r\x1b[6C");
}

TEST(a_secret_is_neither_shown_nor_remembered)
{
	begin(false);
	run_line("before");
	editor_ask(&editor, "Password: ", true);
	(void)editor_output(&editor);
	EXPECT_EQ(type_keys(STR("s\xc3\xa4" "cret\x7f\x1b[D\t")), EDITOR_NONE);
	EXPECT_EQ(editor_output(&editor).len, 0);
	EXPECT_EQ(type_keys(STR("\r")), EDITOR_LINE);
	EXPECT_STR(editor_line(&editor), "s\xc3\xa4" "cre");
	editor_ask(&editor, "> ", false);
	EXPECT_EQ(type_keys(STR("\x1b[A\r")), EDITOR_LINE);
	EXPECT_STR(editor_line(&editor), "before");
}

TEST(a_line_that_is_too_long_is_never_run)
{
	static char keys[EDITOR_LINE_MAX + 1];
	memset(keys, 'a', sizeof keys);
	for (int plain = 0; plain < 2; plain++) {
		begin(plain != 0);
		struct str rest = { keys, sizeof keys };
		while (rest.len != 0) {
			EXPECT_EQ(editor_input(&editor, &rest.at, &rest.len), EDITOR_NONE);
			(void)editor_output(&editor);
		}
		EXPECT_EQ(type_keys(STR("\n")), EDITOR_TOO_LONG);
		editor_ask(&editor, "> ", false);
		EXPECT_EQ(type_keys(STR("version\n")), EDITOR_LINE);
		EXPECT_STR(editor_line(&editor), "version");
	}
}

TEST(control_c_and_control_d_end_what_they_should)
{
	begin(false);
	EXPECT_EQ(type_keys(STR("half a line\x03")), EDITOR_INTERRUPT);
	editor_ask(&editor, "> ", false);
	EXPECT_EQ(type_keys(STR("a\x04")), EDITOR_NONE);
	EXPECT_EQ(type_keys(STR("\x7f\x04")), EDITOR_END);
}

TEST(plain_mode_says_nothing_and_takes_bytes_as_they_are)
{
	begin(true);
	EXPECT_EQ(type_keys(STR("pki\t\x03 list\r\n")), EDITOR_LINE);
	EXPECT_STR(editor_line(&editor), "pki\t\x03 list\r");
	EXPECT_EQ(editor_output(&editor).len, 0);
}
