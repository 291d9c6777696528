/* SPDX-License-Identifier: Apache-2.0 */
/* arena -- memory that is handed out piece by piece and freed all at once.
 *
 * For parse trees and answers: a SIP message, an SDP body, an API request.
 *
 * Ownership  The arena borrows the buffer it is given; pieces are valid until arena_reset().
 * Threads    One owner at a time.
 * Errors     A full arena gives NULL and remembers it in `failed`; check once at the end.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena {
	uint8_t *bytes;
	size_t cap;
	size_t used;
	bool failed;
};

static inline struct arena
arena_of(void *bytes, size_t cap)
{
	return (struct arena){ .bytes = bytes, .cap = cap };
}

static inline void
arena_reset(struct arena *arena)
{
	arena->used = 0;
	arena->failed = false;
}

/* `len` zeroed bytes, aligned for any type; NULL when full. */
[[nodiscard]] void *arena_alloc(struct arena *arena, size_t len);

#define ARENA_NEW(arena, type) ((type *)arena_alloc(arena, sizeof(type)))

/* A copy with a NUL behind it; an empty view when full. */
[[nodiscard]] struct str arena_str(struct arena *arena, struct str s);

#endif
