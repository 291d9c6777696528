/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting/text_pool.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"

int
text_pool_create(struct text_pool *pool, uint32_t bytes_max)
{
	*pool = (struct text_pool){ .units = bytes_max / TEXT_POOL_UNIT_BYTES };
	/* Zero pages cost nothing until they are used. */
	pool->bytes = calloc(pool->units, TEXT_POOL_UNIT_BYTES);
	return pool->bytes != NULL ? 0 : -ENOMEM;
}

void
text_pool_destroy(struct text_pool *pool)
{
	free(pool->bytes);
	*pool = (struct text_pool){ 0 };
}

static unsigned
class_of(size_t len)
{
	unsigned class = 0;
	while (((size_t)TEXT_POOL_UNIT_BYTES << class) - 2 < len)
		class++;
	CHECK(class < TEXT_POOL_CLASSES);
	return class;
}

static uint8_t *
piece(const struct text_pool *pool, uint32_t ref)
{
	CHECK(ref != 0 && ref <= pool->used);
	return pool->bytes + (size_t)(ref - 1) * TEXT_POOL_UNIT_BYTES;
}

uint32_t
text_pool_put(struct text_pool *pool, struct str text)
{
	const unsigned class = class_of(text.len);
	uint32_t ref = pool->free[class];
	if (ref != 0) {
		memcpy(&pool->free[class], piece(pool, ref), sizeof pool->free[class]);
	} else {
		const uint32_t units = 1u << class;
		if (pool->units - pool->used < units)
			return 0;
		ref = pool->used + 1;
		pool->used += units;
	}
	uint8_t *at = piece(pool, ref);
	const uint16_t len = (uint16_t)text.len;
	memcpy(at, &len, sizeof len);
	if (len != 0)
		memcpy(at + sizeof len, text.at, len);
	return ref;
}

struct str
text_pool_get(const struct text_pool *pool, uint32_t ref)
{
	const uint8_t *at = piece(pool, ref);
	uint16_t len = 0;
	memcpy(&len, at, sizeof len);
	return (struct str){ .at = (const char *)at + sizeof len, .len = len };
}

void
text_pool_free(struct text_pool *pool, uint32_t ref)
{
	const unsigned class = class_of(text_pool_get(pool, ref).len);
	uint8_t *at = piece(pool, ref);
	explicit_bzero(at, (size_t)TEXT_POOL_UNIT_BYTES << class);
	memcpy(at, &pool->free[class], sizeof pool->free[class]);
	pool->free[class] = ref;
}
