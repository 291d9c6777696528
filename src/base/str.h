/* SPDX-License-Identifier: Apache-2.0 */
/* str -- text as pointer and length; the view that every parser of ours hands out.
 *
 * Ownership  A `struct str` borrows; it is valid while the bytes below it are.
 * Threads    Pure functions; any thread.
 * Units      Lengths are bytes.  Case folding is ASCII only, as the protocols ask.
 * Errors     Conversions return false and leave the output untouched.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *at;
	size_t len;
};

/* A view of a string literal. */
#define STR(literal) ((struct str){ .at = "" literal, .len = sizeof(literal) - 1 })

/* The same in the initializer of a static table, where a compound literal is no constant. */
#define STR_INIT(literal) { .at = "" literal, .len = sizeof(literal) - 1 }

/* For printf's "%.*s": two arguments. */
#define STR_ARGS(s) (int)(s).len, (s).len != 0 ? (s).at : ""

static inline struct str
str_of(const char *text)
{
	return (struct str){ .at = text, .len = text != NULL ? strlen(text) : 0 };
}

static inline struct str
str_sub(struct str s, size_t from, size_t len)
{
	/* An empty view may be NULL, and adding even nothing to NULL is undefined. */
	return (struct str){ .at = from != 0 ? s.at + from : s.at, .len = len };
}

[[nodiscard]] bool str_eq(struct str a, struct str b);
[[nodiscard]] bool str_eq_nocase(struct str a, struct str b);

/* Same bytes?  Takes the same time wherever they differ; for secrets. */
[[nodiscard]] bool str_eq_secret(struct str a, struct str b);

[[nodiscard]] bool str_starts(struct str s, struct str prefix);
[[nodiscard]] bool str_ends(struct str s, struct str suffix);
[[nodiscard]] bool str_contains_nocase(struct str s, struct str part);
/* The same in one pass of whole words, for bytes that are in one case already. */
[[nodiscard]] bool str_contains(struct str s, struct str part);
/* A letter or digit of ASCII. */
static inline bool
str_is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
/* `c` as a small letter; letters that are not ASCII's stay as they are. */
static inline char
str_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Where `c` stands first in `s`, or s.len. */
[[nodiscard]] size_t str_find(struct str s, char c);

/* `s` without leading and trailing blanks, tabs, CR and LF. */
[[nodiscard]] struct str str_trim(struct str s);

/* Cuts the part before the first `separator` off `*rest` and returns it; without one, all of
 * it.  Iterate while rest->len != 0. */
struct str str_cut(struct str *rest, char separator);

/* The whole of `s` as a decimal number without sign; false when empty, not digits or too big. */
[[nodiscard]] bool str_u32(struct str s, uint32_t *out);
[[nodiscard]] bool str_u64(struct str s, uint64_t *out);

/* Copies into `out` with a final NUL; false (and an empty string) when it does not fit. */
bool str_copy(char *out, size_t cap, struct str s);

#endif
