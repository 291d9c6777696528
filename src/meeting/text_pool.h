/* SPDX-License-Identifier: Apache-2.0 */
/* text_pool -- short texts in one block of memory, named by 32-bit references.
 *
 * Pieces are 16 bytes times a power of two; a freed piece serves the next text of its size.  So
 * the pool never needs more than it once needed, and undoing a change always finds room.
 *
 * Ownership  text_pool_create() allocates once.
 * Threads    One owner.
 * Errors     A full pool gives reference 0.
 * Limits     TEXT_POOL_LEN_MAX bytes a text.
 */
#ifndef MEETING_TEXT_POOL_H
#define MEETING_TEXT_POOL_H

#include <stdint.h>

#include "base/str.h"

enum {
	TEXT_POOL_UNIT_BYTES = 16,
	TEXT_POOL_CLASSES = 9,
	TEXT_POOL_LEN_MAX = (TEXT_POOL_UNIT_BYTES << (TEXT_POOL_CLASSES - 1)) - 2,
};

struct text_pool {
	uint8_t *bytes;
	uint32_t units;
	uint32_t used;                   /* units ever given out */
	uint32_t free[TEXT_POOL_CLASSES]; /* references, 0 ends the list */
};

[[nodiscard]] int text_pool_create(struct text_pool *pool, uint32_t bytes_max);
void text_pool_destroy(struct text_pool *pool);

/* Zero when full.  An empty text has a reference too. */
[[nodiscard]] uint32_t text_pool_put(struct text_pool *pool, struct str text);
[[nodiscard]] struct str text_pool_get(const struct text_pool *pool, uint32_t ref);
/* The bytes are wiped. */
void text_pool_free(struct text_pool *pool, uint32_t ref);

#endif
