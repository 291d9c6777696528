/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/jitter_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct chunk {
	uint32_t next; /* in its payload or in the free list; 0 ends both */
	uint8_t bytes[JITTER_CHUNK_BYTES];
};

struct jitter_pool {
	struct chunk *chunks; /* number 0 is not used */
	uint32_t free_first;
	uint32_t used;
	uint32_t fresh; /* from here on never used: the system has not backed them yet */
	uint32_t max;
	uint8_t whole[AUDIO_PAYLOAD_BYTES_MAX]; /* a payload of several chunks, put together */
};

int
jitter_pool_create(struct jitter_pool **pool, uint32_t chunks_max)
{
	CHECK(chunks_max != 0);
	struct jitter_pool *made = calloc(1, sizeof *made);
	if (made == NULL)
		return -ENOMEM;
	made->chunks = calloc((size_t)chunks_max + 1, sizeof *made->chunks);
	if (made->chunks == NULL) {
		free(made);
		return -ENOMEM;
	}
	made->fresh = 1;
	made->max = chunks_max;
	*pool = made;
	return 0;
}

void
jitter_pool_destroy(struct jitter_pool *pool)
{
	if (pool == NULL)
		return;
	free(pool->chunks);
	free(pool);
}

uint32_t
jitter_pool_used(const struct jitter_pool *pool)
{
	return pool->used;
}

static uint32_t
take(struct jitter_pool *pool)
{
	uint32_t at = pool->free_first;
	if (at != 0)
		pool->free_first = pool->chunks[at].next;
	else if (pool->fresh <= pool->max)
		at = pool->fresh++;
	else
		return 0;
	pool->chunks[at].next = 0;
	pool->used++;
	return at;
}

uint32_t
jitter_pool_store(struct jitter_pool *pool, const uint8_t *bytes, size_t len)
{
	uint32_t first = 0;
	uint32_t last = 0;
	CHECK(len != 0 && len <= AUDIO_PAYLOAD_BYTES_MAX);
	for (size_t at = 0; at < len; at += JITTER_CHUNK_BYTES) {
		const uint32_t chunk = take(pool);
		if (chunk == 0) {
			jitter_pool_free(pool, first);
			return 0;
		}
		const size_t left = len - at;
		memcpy(pool->chunks[chunk].bytes, bytes + at,
		       left < JITTER_CHUNK_BYTES ? left : JITTER_CHUNK_BYTES);
		if (first == 0)
			first = chunk;
		else
			pool->chunks[last].next = chunk;
		last = chunk;
	}
	return first;
}

const uint8_t *
jitter_pool_read(struct jitter_pool *pool, uint32_t first, size_t len)
{
	CHECK(first != 0);
	if (len <= JITTER_CHUNK_BYTES)
		return pool->chunks[first].bytes;
	uint32_t chunk = first;
	for (size_t at = 0; at < len; at += JITTER_CHUNK_BYTES) {
		CHECK(chunk != 0);
		const size_t left = len - at;
		memcpy(pool->whole + at, pool->chunks[chunk].bytes,
		       left < JITTER_CHUNK_BYTES ? left : JITTER_CHUNK_BYTES);
		chunk = pool->chunks[chunk].next;
	}
	return pool->whole;
}

void
jitter_pool_free(struct jitter_pool *pool, uint32_t first)
{
	while (first != 0) {
		const uint32_t next = pool->chunks[first].next;
		pool->chunks[first].next = pool->free_first;
		pool->free_first = first;
		CHECK(pool->used != 0);
		pool->used--;
		first = next;
	}
}
