/* SPDX-License-Identifier: Apache-2.0 */
/* shm_ring -- a bounded queue of records of any length between two processes (SPSC), in memory that
 * both have mapped and neither trusts the other with.
 *
 * Each side keeps its own index to itself and reads the other's from shared memory once a call.  An
 * index or a length that cannot be is found out before it is used: the ring is then broken, takes
 * and gives nothing any more, and its owner replaces the other process.  A record is copied out
 * before it is looked at, so nothing changes under the reader.  Who wakes the other side is the
 * caller's business.
 *
 * Ownership  The caller maps the memory (shm_ring_bytes() of it, zeroed, on a page) and keeps it
 *            while either end is in use.
 * Threads    One producer, one consumer; each has its own `struct shm_ring`.
 * Units      Bytes.
 * Errors     enum shm_ring_result.
 * Limits     `cap` is a power of two; a record is at most half of it.
 */
#ifndef BASE_SHM_RING_H
#define BASE_SHM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SHM_RING_CAP_MIN = 1 << 10,
	SHM_RING_CAP_MAX = 1 << 26,
};

enum shm_ring_result {
	SHM_RING_OK,
	SHM_RING_EMPTY,
	SHM_RING_FULL,
	SHM_RING_BROKEN, /* the other side wrote what cannot be; it stays so */
};

struct shm_ring_memory;

/* One end. */
struct shm_ring {
	struct shm_ring_memory *memory;
	uint32_t cap;
	uint32_t at; /* our own index; shared memory has a copy that we never read */
	bool broken;
};

/* A record may come in pieces; they are put one behind the other. */
struct shm_ring_piece {
	const void *bytes;
	size_t len;
};

/* How much memory a ring of `cap` bytes takes. */
[[nodiscard]] size_t shm_ring_bytes(uint32_t cap);

/* Either end, before the first record. */
void shm_ring_init(struct shm_ring *ring, void *memory, uint32_t cap);

/* OK, FULL or BROKEN. */
[[nodiscard]] enum shm_ring_result shm_ring_put(struct shm_ring *ring,
                                                const struct shm_ring_piece *pieces,
                                                size_t piece_count);

/* Copies the next record out: OK, EMPTY or BROKEN.  A record longer than `bytes_max` breaks it. */
[[nodiscard]] enum shm_ring_result shm_ring_take(struct shm_ring *ring, void *bytes,
                                                 size_t bytes_max, size_t *len);

#endif
