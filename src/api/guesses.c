/* SPDX-License-Identifier: Apache-2.0 */
#include "api/guesses.h"

enum { IP6_NETWORK_BYTES = 8 };

void
guesses_init(struct guesses *guesses, const struct hash_key *key)
{
	*guesses = (struct guesses){ .key = *key };
}

/* The source's place; one that was somebody else's begins anew. */
static struct guess_source *
source_of(struct guesses *guesses, const struct net_addr *from, int64_t now_us)
{
	const size_t len = from->family == ADDR_IP6 ? IP6_NETWORK_BYTES : sizeof from->ip;
	const uint64_t hash = hash_bytes(&guesses->key, from->ip, len);
	struct guess_source *source = &guesses->sources[hash % GUESS_SOURCES];
	if (source->hash != hash)
		*source = (struct guess_source){ .hash = hash, .forgiven_us = now_us };
	const int64_t forgiven = (now_us - source->forgiven_us) / GUESS_US;
	if (forgiven > 0) {
		source->forgiven_us += forgiven * GUESS_US;
		source->failures -= forgiven < source->failures ? (uint32_t)forgiven
		                                                : source->failures;
	}
	return source;
}

bool
guesses_allow(struct guesses *guesses, const struct net_addr *from, int64_t now_us)
{
	return source_of(guesses, from, now_us)->failures < GUESSES_MAX;
}

void
guesses_failed(struct guesses *guesses, const struct net_addr *from, int64_t now_us)
{
	struct guess_source *source = source_of(guesses, from, now_us);
	if (source->failures < GUESSES_MAX)
		source->failures++;
}
