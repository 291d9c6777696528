/* SPDX-License-Identifier: Apache-2.0 */
/* The payload pool as the jitter buffer sees it. */
#ifndef AUDIO_JITTER_INTERNAL_H
#define AUDIO_JITTER_INTERNAL_H

#include "audio/jitter_buffer.h"

/* The first chunk of a copy, or 0 when the pool is empty; `len` is not zero. */
[[nodiscard]] uint32_t jitter_pool_store(struct jitter_pool *pool, const uint8_t *bytes,
                                         size_t len);

/* The payload in one piece, valid until the next call on the pool, freeing included: a freed
 * chunk keeps its bytes until another is stored. */
[[nodiscard]] const uint8_t *jitter_pool_read(struct jitter_pool *pool, uint32_t first, size_t len);

/* 0 is no chunk. */
void jitter_pool_free(struct jitter_pool *pool, uint32_t first);

#endif
