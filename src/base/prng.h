/* SPDX-License-Identifier: Apache-2.0 */
/* prng -- a small, fast, seeded random generator (xoshiro256**).
 *
 * For jitter, simulation, fuzzing and identifiers that need not be secret.  Keys, passwords, tokens
 * and everything a stranger must not guess come from the system (net/random.h), never from here.
 * A few numbers tell the whole state: what strangers are shown is a keyed hash of them (SIP tags and
 * branches).
 *
 * Threads    One owner per generator.
 */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

struct prng {
	uint64_t state[4];
};

void prng_init(struct prng *prng, uint64_t seed);
uint64_t prng_u64(struct prng *prng);
uint32_t prng_u32(struct prng *prng);

/* Uniform in [0, bound); bound is not zero. */
uint32_t prng_below(struct prng *prng, uint32_t bound);
void prng_bytes(struct prng *prng, void *out, size_t len);

#endif
