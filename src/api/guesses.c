/* SPDX-License-Identifier: Apache-2.0 */
#include "api/guesses.h"

#include <string.h>

enum {
	IP6_NETWORK_BYTES = 8,
	NAME_MAX_BYTES = 256, /* of a longer one this much counts */
};

void
guesses_init(struct guesses *guesses, const struct hash_key *key)
{
	*guesses = (struct guesses){ .key = *key, .most = GUESSES_MAX, .forgive_us = GUESS_US };
}

void
guesses_limit(struct guesses *guesses, uint32_t most, int64_t forgive_us)
{
	guesses->most = most;
	guesses->forgive_us = forgive_us;
}

/* The source's place; one that was somebody else's begins anew. */
static struct guess_source *
source_of(struct guesses *guesses, uint64_t hash, int64_t now_us)
{
	struct guess_source *source = &guesses->sources[hash % GUESS_SOURCES];
	if (source->hash != hash)
		*source = (struct guess_source){ .hash = hash, .forgiven_us = now_us };
	const int64_t forgiven = (now_us - source->forgiven_us) / guesses->forgive_us;
	if (forgiven > 0) {
		source->forgiven_us += forgiven * guesses->forgive_us;
		source->failures -= forgiven < source->failures ? (uint32_t)forgiven
		                                                : source->failures;
	}
	return source;
}

static uint64_t
address_hash(const struct guesses *guesses, const struct net_addr *from)
{
	const size_t len = from->family == ADDR_IP6 ? IP6_NETWORK_BYTES : sizeof from->ip;
	return hash_bytes(&guesses->key, from->ip, len);
}

static uint64_t
name_hash(const struct guesses *guesses, struct str name)
{
	char folded[NAME_MAX_BYTES];
	const size_t len = name.len < sizeof folded ? name.len : sizeof folded;
	for (size_t i = 0; i < len; i++)
		folded[i] = str_lower(name.at[i]);
	return hash_bytes(&guesses->key, folded, len);
}

static void
fail(struct guesses *guesses, uint64_t hash, int64_t now_us)
{
	struct guess_source *source = source_of(guesses, hash, now_us);
	if (source->failures < guesses->most)
		source->failures++;
}

bool
guesses_allow(struct guesses *guesses, const struct net_addr *from, int64_t now_us)
{
	return source_of(guesses, address_hash(guesses, from), now_us)->failures < guesses->most;
}

void
guesses_failed(struct guesses *guesses, const struct net_addr *from, int64_t now_us)
{
	fail(guesses, address_hash(guesses, from), now_us);
}

bool
guesses_allow_name(struct guesses *guesses, struct str name, int64_t now_us)
{
	return source_of(guesses, name_hash(guesses, name), now_us)->failures < guesses->most;
}

void
guesses_failed_name(struct guesses *guesses, struct str name, int64_t now_us)
{
	fail(guesses, name_hash(guesses, name), now_us);
}

void
guesses_forgive_name(struct guesses *guesses, struct str name, bool all, int64_t now_us)
{
	struct guess_source *source = source_of(guesses, name_hash(guesses, name), now_us);
	if (all)
		source->failures = 0;
	else if (source->failures != 0)
		source->failures--;
}

bool
guesses_same_source(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->ip, b->ip, a->family == ADDR_IP6 ? IP6_NETWORK_BYTES : sizeof a->ip) == 0;
}
