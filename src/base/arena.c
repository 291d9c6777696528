/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>

void *
arena_alloc(struct arena *arena, size_t len)
{
	const uintptr_t next = (uintptr_t)(arena->bytes + arena->used);
	const size_t pad = (size_t)(-next & (alignof(max_align_t) - 1));
	const size_t left = arena->cap - arena->used;
	if (left < pad || left - pad < len) {
		arena->failed = true;
		return NULL;
	}
	void *piece = arena->bytes + arena->used + pad;
	arena->used += pad + len;
	memset(piece, 0, len);
	return piece;
}

struct str
arena_str(struct arena *arena, struct str s)
{
	char *copy = arena_alloc(arena, s.len + 1);
	if (copy == NULL)
		return (struct str){ 0 };
	if (s.len != 0)
		memcpy(copy, s.at, s.len);
	return (struct str){ .at = copy, .len = s.len };
}
