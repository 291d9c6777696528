/* SPDX-License-Identifier: Apache-2.0 */
/* editor -- a line editor for a terminal elsewhere: bytes of keys in, lines and bytes for the screen
 * out.
 *
 * Arrows, Home, End, Delete; Ctrl-A E B F H D K U W L P N C; Alt-B F; Tab completes.  Escape
 * sequences are those of ECMA-48 that xterm and its like send; others are swallowed whole.  A line
 * longer than the screen is shown in part, around the cursor.
 *
 *	editor_ask(&editor, "cms> ", false);
 *	while (len != 0) {
 *		event = editor_input(&editor, &bytes, &len);
 *		... send editor_output(), whatever the event ...
 *		EDITOR_LINE: editor_line(), then editor_ask() again
 *	}
 *
 * Plain mode is for scripts without a terminal: nothing is shown, a line ends at LF.
 *
 * Sans-IO.  Ownership  A value; `complete` is borrowed.  What is handed out is borrowed until the
 *            next call.
 * Threads    Pure.
 * Errors     A line that is too long is EDITOR_TOO_LONG when it ends; it is never cut and run.
 * Limits     EDITOR_LINE_MAX bytes a line, EDITOR_HISTORY_MAX lines, EDITOR_CANDIDATES_MAX bytes of
 *            candidates.
 */
#ifndef MMP_EDITOR_H
#define MMP_EDITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "mmp/config.h"

enum {
	EDITOR_LINE_MAX = CONFIG_LINE_MAX,
	EDITOR_PROMPT_MAX = 160,
	EDITOR_HISTORY_MAX = 32,
	EDITOR_CANDIDATES_MAX = 4096,
	EDITOR_OUT_MAX = 16384, /* one key draws a list of candidates and the line, at most */
	EDITOR_WIDTH_MIN = 20,
	EDITOR_WIDTH_MAX = 1000,
};

enum editor_event {
	EDITOR_NONE,
	EDITOR_LINE,      /* editor_line() */
	EDITOR_INTERRUPT, /* Ctrl-C: the line is thrown away */
	EDITOR_END,       /* Ctrl-D on an empty line */
	EDITOR_TOO_LONG,
};

/* Writes the words that may end `line`, one a line. */
typedef void editor_complete(void *context, struct str line, struct writer *w);

struct editor_history {
	uint32_t count;
	char lines[EDITOR_HISTORY_MAX][EDITOR_LINE_MAX + 1]; /* the newest last */
};

struct editor {
	editor_complete *complete; /* NULL: Tab does nothing */
	void *context;
	bool plain;
	bool secret;
	bool overflown;
	bool after_return; /* a LF now belongs to that CR */
	uint32_t width;    /* of the screen */
	uint32_t escape;   /* how far into an escape sequence; 0: not */
	uint32_t parameter;
	char prompt[EDITOR_PROMPT_MAX];
	char line[EDITOR_LINE_MAX + 1];
	size_t len;
	size_t at;
	size_t shown_from; /* the first byte on the screen */
	uint32_t recalled; /* lines back into the history; 0: the one being typed */
	char typed[EDITOR_LINE_MAX + 1];
	struct editor_history history;
	size_t out_len;
	char out[EDITOR_OUT_MAX];
};

void editor_init(struct editor *editor, bool plain, uint32_t width, editor_complete *complete,
                 void *context);
/* Wipes it. */
void editor_fini(struct editor *editor);
void editor_resize(struct editor *editor, uint32_t width);

/* Begins a line behind `prompt`.  What is secret is not shown, and forgotten afterwards. */
void editor_ask(struct editor *editor, const char *prompt, bool secret);
/* Takes bytes until something has happened; `*bytes` and `*len` go on behind those. */
[[nodiscard]] enum editor_event editor_input(struct editor *editor, const char **bytes,
                                             size_t *len);
/* After EDITOR_LINE. */
[[nodiscard]] struct str editor_line(const struct editor *editor);
/* What the screen is to get; taken with that. */
[[nodiscard]] struct str editor_output(struct editor *editor);

#endif
