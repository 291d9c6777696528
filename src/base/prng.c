/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prng.h"

#include <string.h>

#include "base/check.h"

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

/* splitmix64: spreads one word of seed over the whole state. */
static uint64_t
spread(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void
prng_init(struct prng *prng, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++)
		prng->state[i] = spread(&seed);
}

uint64_t
prng_u64(struct prng *prng)
{
	uint64_t *s = prng->state;
	const uint64_t result = rotate(s[1] * 5, 7) * 9;
	const uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint32_t
prng_u32(struct prng *prng)
{
	return (uint32_t)(prng_u64(prng) >> 32);
}

uint32_t
prng_below(struct prng *prng, uint32_t bound)
{
	CHECK(bound != 0);
	return (uint32_t)(((uint64_t)prng_u32(prng) * bound) >> 32);
}

void
prng_bytes(struct prng *prng, void *out, size_t len)
{
	uint8_t *at = out;
	while (len != 0) {
		const uint64_t word = prng_u64(prng);
		const size_t count = len < sizeof word ? len : sizeof word;
		memcpy(at, &word, count);
		at += count;
		len -= count;
	}
}
