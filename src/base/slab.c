/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum {
	NO_SLOT = SLAB_SLOTS_MAX,
	GENERATION_MAX = (1 << (32 - SLAB_INDEX_BITS)) - 1,
};

/* Kept beside the generation, which needs 12 bits. */
static const uint32_t LIVE = UINT32_C(1) << 31;

int
slab_create(struct slab *slab, size_t slot_bytes, uint32_t cap)
{
	CHECK(cap != 0 && cap <= SLAB_SLOTS_MAX);
	CHECK(slot_bytes != 0);

	*slab = (struct slab){ .slot_bytes = (slot_bytes + 15) & ~(size_t)15, .cap = cap };
	slab->slots = calloc(cap, slab->slot_bytes);
	slab->generations = calloc(cap, sizeof *slab->generations);
	slab->free_next = calloc(cap, sizeof *slab->free_next);
	if (slab->slots == NULL || slab->generations == NULL || slab->free_next == NULL) {
		slab_destroy(slab);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < cap; i++) {
		slab->generations[i] = 1;
		slab->free_next[i] = i + 1 < cap ? i + 1 : NO_SLOT;
	}
	slab->free_first = 0;
	slab->free_last = cap - 1;
	return 0;
}

void
slab_destroy(struct slab *slab)
{
	free(slab->slots);
	free(slab->generations);
	free(slab->free_next);
	*slab = (struct slab){ 0 };
}

static void *
slot_at(const struct slab *slab, uint32_t index)
{
	return slab->slots + (size_t)index * slab->slot_bytes;
}

static uint32_t
handle_of(const struct slab *slab, uint32_t index)
{
	return (slab->generations[index] & GENERATION_MAX) << SLAB_INDEX_BITS | index;
}

void *
slab_take(struct slab *slab, uint32_t *handle)
{
	const uint32_t index = slab->free_first;
	if (slab->count == slab->cap) {
		*handle = 0;
		return NULL;
	}
	CHECK(index < slab->cap);
	slab->free_first = slab->free_next[index];
	if (slab->free_first == NO_SLOT)
		slab->free_last = NO_SLOT;
	slab->generations[index] |= LIVE;
	slab->count++;
	*handle = handle_of(slab, index);
	void *object = slot_at(slab, index);
	memset(object, 0, slab->slot_bytes);
	return object;
}

static bool
is_live(const struct slab *slab, uint32_t handle)
{
	const uint32_t index = slab_index(handle);
	return index < slab->cap && (slab->generations[index] & LIVE) != 0 &&
	       handle_of(slab, index) == handle;
}

void *
slab_get(const struct slab *slab, uint32_t handle)
{
	return handle != 0 && is_live(slab, handle) ? slot_at(slab, slab_index(handle)) : NULL;
}

void
slab_free(struct slab *slab, uint32_t handle)
{
	CHECK(is_live(slab, handle));
	const uint32_t index = slab_index(handle);
	const uint32_t generation = slab->generations[index] & GENERATION_MAX;
	slab->generations[index] = generation == GENERATION_MAX ? 1 : generation + 1;
	slab->free_next[index] = NO_SLOT;
	if (slab->free_last == NO_SLOT)
		slab->free_first = index;
	else
		slab->free_next[slab->free_last] = index;
	slab->free_last = index;
	slab->count--;
}

uint32_t
slab_next(const struct slab *slab, uint32_t *at)
{
	while (*at < slab->cap) {
		const uint32_t index = (*at)++;
		if ((slab->generations[index] & LIVE) != 0)
			return handle_of(slab, index);
	}
	return 0;
}
