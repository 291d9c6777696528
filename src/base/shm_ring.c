/* SPDX-License-Identifier: Apache-2.0 */
#include "base/shm_ring.h"

#include <stdatomic.h>
#include <string.h>

#include "base/check.h"

enum {
	CACHE_LINE_BYTES = 64,
	HEADER_BYTES = 4,
	ALIGN = 8,
};

/* Counted bytes, modulo 2^32: head has been put, tail has been taken. */
struct shm_ring_memory {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint32_t head;
	_Alignas(CACHE_LINE_BYTES) _Atomic uint32_t tail;
	_Alignas(CACHE_LINE_BYTES) uint8_t bytes[];
};

size_t
shm_ring_bytes(uint32_t cap)
{
	return sizeof(struct shm_ring_memory) + cap;
}

void
shm_ring_init(struct shm_ring *ring, void *memory, uint32_t cap)
{
	CHECK(cap >= SHM_RING_CAP_MIN && cap <= SHM_RING_CAP_MAX && (cap & (cap - 1)) == 0);
	CHECK((uintptr_t)memory % CACHE_LINE_BYTES == 0);
	*ring = (struct shm_ring){ .memory = memory, .cap = cap };
}

static uint32_t
record_bytes(size_t len)
{
	return (uint32_t)((HEADER_BYTES + len + ALIGN - 1) & ~(size_t)(ALIGN - 1));
}

static void
copy_in(struct shm_ring *ring, uint32_t at, const void *bytes, size_t len)
{
	const uint32_t first = at & (ring->cap - 1);
	const size_t to_end = ring->cap - first;
	const size_t head_len = len < to_end ? len : to_end;
	if (len == 0)
		return;
	memcpy(ring->memory->bytes + first, bytes, head_len);
	memcpy(ring->memory->bytes, (const uint8_t *)bytes + head_len, len - head_len);
}

static void
copy_out(const struct shm_ring *ring, uint32_t at, void *bytes, size_t len)
{
	const uint32_t first = at & (ring->cap - 1);
	const size_t to_end = ring->cap - first;
	const size_t head_len = len < to_end ? len : to_end;
	if (len == 0)
		return;
	memcpy(bytes, ring->memory->bytes + first, head_len);
	memcpy((uint8_t *)bytes + head_len, ring->memory->bytes, len - head_len);
}

static enum shm_ring_result
break_ring(struct shm_ring *ring)
{
	ring->broken = true;
	return SHM_RING_BROKEN;
}

enum shm_ring_result
shm_ring_put(struct shm_ring *ring, const struct shm_ring_piece *pieces, size_t piece_count)
{
	size_t len = 0;
	for (size_t i = 0; i < piece_count; i++)
		len += pieces[i].len;
	CHECK(len <= ring->cap / 2 - HEADER_BYTES);
	if (ring->broken)
		return SHM_RING_BROKEN;

	const uint32_t tail = atomic_load_explicit(&ring->memory->tail, memory_order_acquire);
	const uint32_t used = ring->at - tail;
	if (used > ring->cap || used % ALIGN != 0)
		return break_ring(ring);
	const uint32_t need = record_bytes(len);
	if (need > ring->cap - used)
		return SHM_RING_FULL;

	const uint32_t header = (uint32_t)len;
	uint32_t at = ring->at;
	copy_in(ring, at, &header, sizeof header);
	at += HEADER_BYTES;
	for (size_t i = 0; i < piece_count; i++) {
		copy_in(ring, at, pieces[i].bytes, pieces[i].len);
		at += (uint32_t)pieces[i].len;
	}
	ring->at += need;
	atomic_store_explicit(&ring->memory->head, ring->at, memory_order_release);
	return SHM_RING_OK;
}

enum shm_ring_result
shm_ring_take(struct shm_ring *ring, void *bytes, size_t bytes_max, size_t *len)
{
	if (ring->broken)
		return SHM_RING_BROKEN;
	const uint32_t head = atomic_load_explicit(&ring->memory->head, memory_order_acquire);
	const uint32_t there = head - ring->at;
	if (there == 0)
		return SHM_RING_EMPTY;
	if (there > ring->cap || there % ALIGN != 0)
		return break_ring(ring);

	uint32_t header; /* a copy: what is checked is what is used */
	copy_out(ring, ring->at, &header, sizeof header);
	if (header > bytes_max || header > ring->cap / 2 - HEADER_BYTES ||
	    record_bytes(header) > there)
		return break_ring(ring);
	copy_out(ring, ring->at + HEADER_BYTES, bytes, header);
	*len = header;
	ring->at += record_bytes(header);
	atomic_store_explicit(&ring->memory->tail, ring->at, memory_order_release);
	return SHM_RING_OK;
}
