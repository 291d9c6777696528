/* SPDX-License-Identifier: Apache-2.0 */
/* ring -- a bounded queue of fixed-size messages between exactly two threads (SPSC).
 *
 * Lock-free: the producer owns `head`, the consumer owns `tail`, each on its own cache line.  Who
 * wakes the other side is the caller's business (net/loop.h has a waker).
 *
 * Ownership  ring_create() allocates; destroy it when both threads are done.
 * Threads    One producer calls ring_post(), one consumer calls ring_take().
 * Errors     ring_post() returns false when full: the caller's named policy decides.
 * Limits     `cap` is a power of two, at most RING_CAP_MAX.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RING_CACHE_LINE_BYTES = 64,
	RING_CAP_MAX = 1 << 20,
};

struct ring {
	uint8_t *messages;
	size_t message_bytes;
	uint32_t mask;
	_Alignas(RING_CACHE_LINE_BYTES) _Atomic uint32_t head; /* next to write */
	_Alignas(RING_CACHE_LINE_BYTES) _Atomic uint32_t tail; /* next to read */
};

[[nodiscard]] int ring_create(struct ring *ring, size_t message_bytes, uint32_t cap);
void ring_destroy(struct ring *ring);

/* Copies one message in; false when the ring is full. */
[[nodiscard]] bool ring_post(struct ring *ring, const void *message);

/* Copies one message out; false when the ring is empty. */
[[nodiscard]] bool ring_take(struct ring *ring, void *message);

/* Messages waiting; exact only for a caller that is one of the two threads. */
[[nodiscard]] uint32_t ring_count(const struct ring *ring);

#endif
