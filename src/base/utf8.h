/* SPDX-License-Identifier: Apache-2.0 */
/* utf8 -- what is a character of UTF-8 and what is not (RFC 3629).
 *
 * Threads    Pure functions.
 * Units      Lengths are bytes.
 * Errors     A length of 0 says that no character begins there: a stray or missing continuation, a
 *            form longer than it need be, a surrogate, or a number above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the character that `bytes` begins with, and its number unless `code` is NULL. */
[[nodiscard]] size_t utf8_char(const void *bytes, size_t len, uint32_t *code);

/* Is it all characters? */
[[nodiscard]] bool utf8_valid(const void *bytes, size_t len);

#endif
