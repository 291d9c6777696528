/* SPDX-License-Identifier: Apache-2.0 */
/* json_write -- the pieces of JSON text that both writers of this folder need.
 *
 * What is written is always valid: bytes that are no UTF-8 become U+FFFD, so that a name typed into
 * a telephone cannot spoil a roster.
 *
 * Ownership  Borrows everything.
 * Threads    Pure.
 * Errors     The writer's sticky `failed`.
 */
#ifndef C2W_JSON_WRITE_H
#define C2W_JSON_WRITE_H

#include "base/bytes.h"
#include "base/str.h"

/* `,"name":`, without the comma when nothing but the brace stands before it. */
void json_key(struct writer *w, struct str name);

/* A string in quotes.  Without `lines`, control characters become blanks. */
void json_text(struct writer *w, struct str text, bool lines);

/* As much of `text` as fits into `max` bytes once written, whole characters only. */
[[nodiscard]] struct str json_cut(struct str text, size_t max);

#endif
