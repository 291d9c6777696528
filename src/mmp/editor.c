/* SPDX-License-Identifier: Apache-2.0 */
#include "mmp/editor.h"

#include <string.h>

#include "base/check.h"

enum {
	KEY_CTRL_A = 1,
	KEY_CTRL_B = 2,
	KEY_CTRL_C = 3,
	KEY_CTRL_D = 4,
	KEY_CTRL_E = 5,
	KEY_CTRL_F = 6,
	KEY_BELL = 7,
	KEY_CTRL_H = 8,
	KEY_TAB = 9,
	KEY_CTRL_K = 11,
	KEY_CTRL_L = 12,
	KEY_CTRL_N = 14,
	KEY_CTRL_P = 16,
	KEY_CTRL_U = 21,
	KEY_CTRL_W = 23,
	KEY_ESCAPE = 27,
	KEY_DELETE = 127,
	PARAMETER_MAX = 100,
};

/* Where in an escape sequence. */
enum {
	ESCAPE_NONE,
	ESCAPE_BEGUN,  /* ESC */
	ESCAPE_CSI,    /* ESC [ */
	ESCAPE_SINGLE, /* ESC O */
};

/* -- the screen -------------------------------------------------------------------------------- */

/* What does not fit is not drawn; the next key draws the line anew. */
static void
put(struct editor *editor, struct str text)
{
	if (editor->plain || EDITOR_OUT_MAX - editor->out_len < text.len)
		return;
	if (text.len != 0)
		memcpy(editor->out + editor->out_len, text.at, text.len);
	editor->out_len += text.len;
}

static void
put_number(struct editor *editor, const char *before, size_t number, const char *after)
{
	char text[64];
	struct writer w = writer_of(text, sizeof text);
	writer_format(&w, "%s%zu%s", before, number, after);
	put(editor, writer_view(&w));
}

static void
bell(struct editor *editor)
{
	const bool rung = editor->out_len != 0 && editor->out[editor->out_len - 1] == KEY_BELL;
	if (!rung)
		put(editor, STR("\a"));
}

/* Columns behind the prompt; the last is kept free, for terminals that wrap there. */
static size_t
room(const struct editor *editor)
{
	const size_t prompt = strlen(editor->prompt);
	return editor->width > prompt + EDITOR_WIDTH_MIN / 2 ? editor->width - prompt - 1
	                                                     : EDITOR_WIDTH_MIN / 2;
}

/* The whole line anew, cursor and all. */
static void
draw(struct editor *editor)
{
	const size_t columns = room(editor);
	if (editor->at < editor->shown_from)
		editor->shown_from = editor->at;
	if (editor->at > editor->shown_from + columns)
		editor->shown_from = editor->at - columns;
	const size_t left = editor->len - editor->shown_from;
	put(editor, STR("\r"));
	put(editor, str_of(editor->prompt));
	if (!editor->secret)
		put(editor, (struct str){ editor->line + editor->shown_from,
			                  left < columns ? left : columns });
	put(editor, STR("\x1b[K\r"));
	const size_t column = strlen(editor->prompt) +
	                      (editor->secret ? 0 : editor->at - editor->shown_from);
	if (column != 0)
		put_number(editor, "\x1b[", column, "C");
}

/* -- changes ----------------------------------------------------------------------------------- */

static void
insert(struct editor *editor, struct str text)
{
	if (EDITOR_LINE_MAX - editor->len < text.len) {
		editor->overflown = true;
		bell(editor);
		return;
	}
	memmove(editor->line + editor->at + text.len, editor->line + editor->at,
	        editor->len - editor->at);
	memcpy(editor->line + editor->at, text.at, text.len);
	editor->len += text.len;
	editor->at += text.len;
	const bool appended = editor->at == editor->len &&
	                      editor->at <= editor->shown_from + room(editor);
	if (appended && !editor->secret)
		put(editor, text); /* as a terminal of its own would, for programs that read along */
	else if (!editor->secret)
		draw(editor);
}

static void
erase(struct editor *editor, size_t from, size_t until)
{
	if (from == until) {
		bell(editor);
		return;
	}
	memmove(editor->line + from, editor->line + until, editor->len - until);
	editor->len -= until - from;
	editor->at = from;
	if (!editor->secret)
		draw(editor);
}

static void
move(struct editor *editor, size_t at)
{
	if (editor->at == at || editor->secret)
		return;
	editor->at = at;
	draw(editor);
}

static size_t
word_before(const struct editor *editor)
{
	size_t at = editor->at;
	while (at != 0 && editor->line[at - 1] == ' ')
		at--;
	while (at != 0 && editor->line[at - 1] != ' ')
		at--;
	return at;
}

static size_t
word_behind(const struct editor *editor)
{
	size_t at = editor->at;
	while (at < editor->len && editor->line[at] == ' ')
		at++;
	while (at < editor->len && editor->line[at] != ' ')
		at++;
	return at;
}

/* -- history ----------------------------------------------------------------------------------- */

static void
remember(struct editor *editor)
{
	struct editor_history *history = &editor->history;
	const struct str line = { editor->line, editor->len };
	if (editor->plain || editor->secret || str_trim(line).len == 0 ||
	    (history->count != 0 && str_eq(str_of(history->lines[history->count - 1]), line)))
		return;
	if (history->count == EDITOR_HISTORY_MAX)
		memmove(history->lines[0], history->lines[1],
		        sizeof history->lines[0] * --history->count);
	str_copy(history->lines[history->count++], sizeof history->lines[0], line);
}

static void
recall(struct editor *editor, uint32_t back)
{
	if (editor->secret || back > editor->history.count) {
		bell(editor);
		return;
	}
	if (editor->recalled == 0)
		str_copy(editor->typed, sizeof editor->typed,
		         (struct str){ editor->line, editor->len });
	editor->recalled = back;
	const char *line = back == 0 ? editor->typed
	                             : editor->history.lines[editor->history.count - back];
	editor->len = editor->at = strlen(line);
	memcpy(editor->line, line, editor->len);
	editor->shown_from = 0;
	draw(editor);
}

/* -- completion -------------------------------------------------------------------------------- */

static size_t
common_start(struct str list)
{
	struct str rest = list;
	const struct str first = str_cut(&rest, '\n');
	size_t common = first.len;
	while (rest.len != 0) {
		const struct str word = str_cut(&rest, '\n');
		size_t same = 0;
		while (same < common && same < word.len && word.at[same] == first.at[same])
			same++;
		common = same;
	}
	return common;
}

/* Bytes of the word that the cursor stands behind. */
static size_t
begun(const struct editor *editor)
{
	size_t len = 0;
	while (len < editor->at && editor->line[editor->at - len - 1] != ' ')
		len++;
	return len;
}

static void
list_candidates(struct editor *editor, struct str list)
{
	put(editor, STR("\r\n"));
	while (list.len != 0) {
		put(editor, str_cut(&list, '\n'));
		put(editor, list.len != 0 ? STR("  ") : STR("\r\n"));
	}
	draw(editor);
}

static void
complete(struct editor *editor)
{
	char text[EDITOR_CANDIDATES_MAX];
	struct writer w = writer_of(text, sizeof text);
	const size_t have = begun(editor);
	if (editor->complete == NULL || editor->secret)
		return;
	editor->complete(editor->context, (struct str){ editor->line, editor->at }, &w);
	const struct str list = writer_view(&w);
	const size_t common = common_start(list);
	if (w.failed || list.len == 0 || common < have) {
		bell(editor);
		return;
	}
	const bool only = str_find(list, '\n') == list.len - 1;
	insert(editor, str_sub(list, have, common - have));
	if (only)
		insert(editor, STR(" "));
	else if (common == have)
		list_candidates(editor, list);
}

/* -- keys -------------------------------------------------------------------------------------- */

static void
clear_line(struct editor *editor)
{
	explicit_bzero(editor->line, sizeof editor->line);
	explicit_bzero(editor->typed, sizeof editor->typed);
	editor->len = editor->at = editor->shown_from = 0;
	editor->recalled = 0;
	editor->overflown = false;
}

static enum editor_event
end_line(struct editor *editor)
{
	put(editor, STR("\r\n"));
	if (editor->overflown) {
		clear_line(editor);
		return EDITOR_TOO_LONG;
	}
	editor->line[editor->len] = '\0';
	remember(editor);
	return EDITOR_LINE;
}

static enum editor_event
control(struct editor *editor, char key)
{
	switch (key) {
	case KEY_CTRL_A:
		move(editor, 0);
		break;
	case KEY_CTRL_E:
		move(editor, editor->len);
		break;
	case KEY_CTRL_B:
		move(editor, editor->at != 0 ? editor->at - 1 : 0);
		break;
	case KEY_CTRL_F:
		move(editor, editor->at < editor->len ? editor->at + 1 : editor->len);
		break;
	case KEY_CTRL_C:
		put(editor, STR("^C\r\n"));
		clear_line(editor);
		return EDITOR_INTERRUPT;
	case KEY_CTRL_D:
		if (editor->len == 0)
			return EDITOR_END;
		if (editor->at < editor->len)
			erase(editor, editor->at, editor->at + 1);
		break;
	case KEY_CTRL_H:
	case KEY_DELETE:
		erase(editor, editor->at != 0 ? editor->at - 1 : 0, editor->at);
		break;
	case KEY_TAB:
		complete(editor);
		break;
	case KEY_CTRL_K:
		erase(editor, editor->at, editor->len);
		break;
	case KEY_CTRL_U:
		erase(editor, 0, editor->at);
		break;
	case KEY_CTRL_W:
		erase(editor, word_before(editor), editor->at);
		break;
	case KEY_CTRL_L:
		put(editor, STR("\x1b[H\x1b[2J"));
		draw(editor);
		break;
	case KEY_CTRL_P:
		recall(editor, editor->recalled + 1);
		break;
	case KEY_CTRL_N:
		if (editor->recalled != 0)
			recall(editor, editor->recalled - 1);
		break;
	case KEY_ESCAPE:
		editor->escape = ESCAPE_BEGUN;
		break;
	default:
		bell(editor);
	}
	return EDITOR_NONE;
}

/* The last byte of "ESC [ parameter", or of "ESC O". */
static void
end_escape(struct editor *editor, char last)
{
	const uint32_t parameter = editor->parameter;
	editor->escape = ESCAPE_NONE;
	switch (last) {
	case 'A':
		(void)control(editor, KEY_CTRL_P);
		break;
	case 'B':
		(void)control(editor, KEY_CTRL_N);
		break;
	case 'C':
		(void)control(editor, KEY_CTRL_F);
		break;
	case 'D':
		(void)control(editor, KEY_CTRL_B);
		break;
	case 'H':
		(void)control(editor, KEY_CTRL_A);
		break;
	case 'F':
		(void)control(editor, KEY_CTRL_E);
		break;
	case '~':
		if (parameter == 1 || parameter == 7)
			(void)control(editor, KEY_CTRL_A);
		else if (parameter == 4 || parameter == 8)
			(void)control(editor, KEY_CTRL_E);
		else if (parameter == 3 && editor->at < editor->len)
			erase(editor, editor->at, editor->at + 1);
		break;
	default:
		break; /* a key that means nothing here */
	}
}

static void
escape(struct editor *editor, char c)
{
	if (editor->escape == ESCAPE_BEGUN) {
		editor->parameter = 0;
		editor->escape = c == '[' ? ESCAPE_CSI : c == 'O' ? ESCAPE_SINGLE : ESCAPE_NONE;
		if (c == 'b')
			move(editor, word_before(editor));
		else if (c == 'f')
			move(editor, word_behind(editor));
	} else if (editor->escape == ESCAPE_CSI && c >= '0' && c <= '9') {
		if (editor->parameter < PARAMETER_MAX)
			editor->parameter = editor->parameter * 10 + (uint32_t)(c - '0');
	} else if (editor->escape == ESCAPE_SINGLE || (c >= '@' && c <= '~')) {
		end_escape(editor, c);
	} else if (c < ' ' || c == KEY_DELETE) {
		editor->escape = ESCAPE_NONE; /* no byte of a sequence: that was a lone Escape */
	}
}

static bool
is_text(const struct editor *editor, char c)
{
	return (c >= ' ' && c < KEY_DELETE) || (editor->secret && (unsigned char)c >= 0x80);
}

static enum editor_event
key(struct editor *editor, char c)
{
	const bool paired = c == '\n' && editor->after_return;
	editor->after_return = c == '\r';
	if (paired)
		return EDITOR_NONE;
	if (c == '\r' || c == '\n') {
		editor->escape = ESCAPE_NONE;
		return end_line(editor);
	}
	if (editor->escape != ESCAPE_NONE) {
		escape(editor, c);
		return EDITOR_NONE;
	}
	if (!is_text(editor, c))
		return control(editor, c);
	insert(editor, (struct str){ &c, 1 });
	return EDITOR_NONE;
}

static enum editor_event
plain_byte(struct editor *editor, char c)
{
	if (c == '\n')
		return end_line(editor);
	if (editor->len < EDITOR_LINE_MAX)
		editor->line[editor->len++] = c;
	else
		editor->overflown = true;
	return EDITOR_NONE;
}

/* -- the whole --------------------------------------------------------------------------------- */

void
editor_init(struct editor *editor, bool plain, uint32_t width, editor_complete *complete_line,
            void *context)
{
	memset(editor, 0, sizeof *editor);
	editor->plain = plain;
	editor->complete = complete_line;
	editor->context = context;
	editor_resize(editor, width);
}

void
editor_fini(struct editor *editor)
{
	explicit_bzero(editor, sizeof *editor);
}

void
editor_resize(struct editor *editor, uint32_t width)
{
	editor->width = width < EDITOR_WIDTH_MIN   ? EDITOR_WIDTH_MIN
	                : width > EDITOR_WIDTH_MAX ? EDITOR_WIDTH_MAX
	                                           : width;
}

void
editor_ask(struct editor *editor, const char *prompt, bool secret)
{
	const struct str shown = str_of(prompt);
	const size_t most = EDITOR_PROMPT_MAX - 1;
	clear_line(editor);
	editor->secret = secret;
	str_copy(editor->prompt, sizeof editor->prompt,
	         str_sub(shown, 0, shown.len < most ? shown.len : most));
	put(editor, str_of(editor->prompt));
}

enum editor_event
editor_input(struct editor *editor, const char **bytes, size_t *len)
{
	enum editor_event event = EDITOR_NONE;
	/* The screen's share of one call has to fit: a key draws half of it at most. */
	while (event == EDITOR_NONE && *len != 0 && editor->out_len < EDITOR_OUT_MAX / 2) {
		const char c = **bytes;
		++*bytes;
		--*len;
		event = editor->plain ? plain_byte(editor, c) : key(editor, c);
		CHECK(editor->len <= EDITOR_LINE_MAX && editor->at <= editor->len);
	}
	return event;
}

struct str
editor_line(const struct editor *editor)
{
	return (struct str){ editor->line, editor->len };
}

struct str
editor_output(struct editor *editor)
{
	const struct str out = { editor->out, editor->out_len };
	editor->out_len = 0;
	return out;
}
