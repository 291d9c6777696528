/* SPDX-License-Identifier: Apache-2.0 */
/* slab -- a fixed table of equal objects, named by handles that go stale when a slot is freed.
 *
 * A handle is (generation << 20 | index); generation is never zero, so zero is "no object" and a
 * handle of a freed slot finds nothing.  Threads, timers and messages hold handles, never pointers.
 *
 * Ownership  The slab owns its slots, allocated once by slab_create().
 * Threads    One owner.
 * Units      Counts of objects.
 * Errors     slab_create: -ENOMEM.  A full slab gives handle 0: refuse the call.
 * Limits     SLAB_SLOTS_MAX objects; a generation wraps after 4095 reuses of one slot.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum {
	SLAB_INDEX_BITS = 20,
	SLAB_SLOTS_MAX = 1 << SLAB_INDEX_BITS,
};

struct slab {
	uint8_t *slots;
	uint32_t *generations; /* generation, and whether the slot is in use */
	uint32_t *free_next;
	size_t slot_bytes;
	uint32_t cap;
	uint32_t count; /* in use */
	uint32_t free_first;
	uint32_t free_last;
};

[[nodiscard]] int slab_create(struct slab *slab, size_t slot_bytes, uint32_t cap);
void slab_destroy(struct slab *slab);

/* A zeroed object and its handle; NULL and 0 when full.  Slots are reused oldest first, which keeps
 * stale handles stale for longest. */
[[nodiscard]] void *slab_take(struct slab *slab, uint32_t *handle);

/* The object, or NULL when the handle is zero, stale or was never given. */
[[nodiscard]] void *slab_get(const struct slab *slab, uint32_t handle);

/* Frees the slot of a live handle; anything else asserts. */
void slab_free(struct slab *slab, uint32_t handle);

/* The handle of the first live object at or after slot `*at`, moving `*at` behind it; 0 at the
 * end.  Objects may be freed while iterating. */
[[nodiscard]] uint32_t slab_next(const struct slab *slab, uint32_t *at);

static inline uint32_t
slab_index(uint32_t handle)
{
	return handle & (SLAB_SLOTS_MAX - 1);
}

#endif
