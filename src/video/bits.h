/* SPDX-License-Identifier: Apache-2.0 */
/* bits -- a cursor over bits, most significant first, that cannot overrun: for the headers
 * of video codecs.
 *
 * A read past the end yields zero and sets `failed`.
 *
 * Ownership  Borrows the caller's bytes.
 * Threads    Pure; any thread.
 */
#ifndef VIDEO_BITS_H
#define VIDEO_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
	const uint8_t *bytes;
	size_t count; /* of bits */
	size_t at;
	bool failed;
};

static inline struct bits
bits_of(const uint8_t *bytes, size_t len)
{
	return (struct bits){ .bytes = bytes, .count = len * 8 };
}

/* `count` is at most 32. */
static inline uint32_t
bits_u(struct bits *bits, unsigned count)
{
	if (bits->failed || bits->count - bits->at < count) {
		bits->failed = true;
		return 0;
	}
	uint32_t value = 0;
	for (unsigned i = 0; i < count; i++, bits->at++)
		value = value << 1 | (bits->bytes[bits->at / 8] >> (7 - bits->at % 8) & 1u);
	return value;
}

static inline void
bits_skip(struct bits *bits, unsigned count)
{
	if (bits->failed || bits->count - bits->at < count)
		bits->failed = true;
	else
		bits->at += count;
}

/* Exp-Golomb: ue(v) of H.264 s9.1, uvlc() of AV1 s4.10.3.  31 leading zeros at most. */
static inline uint32_t
bits_ue(struct bits *bits)
{
	unsigned zeros = 0;
	while (!bits->failed && bits_u(bits, 1) == 0) {
		if (++zeros == 32)
			bits->failed = true;
	}
	return bits->failed ? 0 : ((uint32_t)1 << zeros) - 1 + bits_u(bits, zeros);
}

/* Signed: se(v).  The sign is of no interest to us, the magnitude neither. */
static inline void
bits_skip_se(struct bits *bits)
{
	(void)bits_ue(bits);
}

#endif
