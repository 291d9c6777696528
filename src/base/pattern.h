/* SPDX-License-Identifier: Apache-2.0 */
/* pattern -- regular expressions that cannot run away.
 *
 * The expressions of a dial plan come from administrators and are run on what strangers dial, so
 * matching is a walk of all states at once (Thompson's, with Pike's captures): its time is the
 * product of the program's and the text's lengths, whatever the expression.
 *
 * Understood: literals, `.`, [sets] and [^sets] with ranges, \d \D \w \W \s \S, \t, a backslash
 * before what is no letter or digit, ^ and $, groups (...) and (?:...), `|`, and * + ? {m} {m,}
 * {m,n}, each also lazy with a ? behind.  Refused are references back and looking around, which
 * that walk cannot do.  Case matters, and bytes are what is matched.
 *
 * Ownership  A pattern is a value.  Matches are offsets into the text searched.
 * Threads    Pure functions; any thread.
 * Units      Bytes.
 * Errors     A text that is no expression is an `enum pattern_reject`.
 * Limits     The enum below.  pattern_find() needs about 28 KiB of stack.
 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	PATTERN_STEPS_MAX = 256, /* of a compiled expression; {m,n} counts its copies */
	PATTERN_SETS_MAX = 16,
	PATTERN_GROUPS_MAX = 10, /* \1 to \9, and 0: all of the match */
	PATTERN_DEPTH_MAX = 16,
	PATTERN_REPEAT_MAX = 99,
	PATTERN_TEXT_MAX = 1024, /* longest text that is searched */
};

enum pattern_reject {
	PATTERN_OK = 0,
	PATTERN_REJECT_LONG,    /* more than PATTERN_STEPS_MAX or PATTERN_SETS_MAX */
	PATTERN_REJECT_DEEP,    /* more than PATTERN_DEPTH_MAX or PATTERN_GROUPS_MAX */
	PATTERN_REJECT_GROUP,   /* a parenthesis without the other */
	PATTERN_REJECT_REPEAT,  /* nothing to repeat, or a bad number of times */
	PATTERN_REJECT_SET,     /* [ without ], or a range that runs backwards */
	PATTERN_REJECT_ESCAPE,  /* a backslash before something that means nothing here */
	PATTERN_REJECT_COUNT,
};

struct pattern_step {
	uint8_t what; /* the module's own */
	uint8_t byte;
	int16_t to;   /* steps from here; a set's or group's number */
};

struct pattern {
	uint16_t step_count;
	uint8_t set_count;
	uint8_t group_count; /* those with a number, 0 included */
	struct pattern_step steps[PATTERN_STEPS_MAX];
	uint8_t sets[PATTERN_SETS_MAX][256 / 8];
};

struct pattern_match {
	/* From, and behind; both UINT16_MAX: the group took no part. */
	uint16_t at[PATTERN_GROUPS_MAX][2];
};

[[nodiscard]] enum pattern_reject pattern_compile(struct pattern *out, struct str text);
const char *pattern_reject_name(enum pattern_reject reject);

/* The first match that begins at `from` or behind; the usual one of several that begin there: what
 * a backtracking matcher would find.  A text longer than PATTERN_TEXT_MAX has none. */
[[nodiscard]] bool pattern_find(const struct pattern *pattern, struct str text, size_t from,
                                struct pattern_match *match);

/* Writes `text` with every match replaced.  In `replacement` \0 to \9 and $0 to $9 stand for groups,
 * a backslash before anything else for that. */
void pattern_replace(struct writer *w, const struct pattern *pattern, struct str text,
                     struct str replacement);

#endif
