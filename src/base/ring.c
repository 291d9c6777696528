/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

int
ring_create(struct ring *ring, size_t message_bytes, uint32_t cap)
{
	CHECK(cap != 0 && cap <= RING_CAP_MAX && (cap & (cap - 1)) == 0);
	CHECK(message_bytes != 0);
	ring->messages = calloc(cap, message_bytes);
	ring->message_bytes = message_bytes;
	ring->mask = cap - 1;
	atomic_init(&ring->head, 0);
	atomic_init(&ring->tail, 0);
	return ring->messages != NULL ? 0 : -ENOMEM;
}

void
ring_destroy(struct ring *ring)
{
	free(ring->messages);
	ring->messages = NULL;
}

static uint8_t *
message_at(const struct ring *ring, uint32_t index)
{
	return ring->messages + (size_t)(index & ring->mask) * ring->message_bytes;
}

bool
ring_post(struct ring *ring, const void *message)
{
	const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	if (head - tail > ring->mask)
		return false;
	memcpy(message_at(ring, head), message, ring->message_bytes);
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

bool
ring_take(struct ring *ring, void *message)
{
	const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	const uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	if (head == tail)
		return false;
	memcpy(message, message_at(ring, tail), ring->message_bytes);
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}

uint32_t
ring_count(const struct ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_acquire) -
	       atomic_load_explicit(&ring->tail, memory_order_acquire);
}
