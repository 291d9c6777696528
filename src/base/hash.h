/* SPDX-License-Identifier: Apache-2.0 */
/* hash -- SipHash-2-4, and a fixed-size map from hashes to handles.
 *
 * Keys that strangers choose (SIP branches, Call-IDs, addresses) are hashed under a secret key, so
 * that nobody can aim all of them at one bucket.  The map stores (hash, value) pairs and leaves the
 * comparison of real keys to the caller, who owns them.
 *
 * Ownership  map_create() allocates once; the map never grows.
 * Threads    One owner per map.
 * Errors     map_create: -ENOMEM.  map_put on a full map returns false.
 * Limits     `cap` entries; slots are twice that, so probes stay short.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct hash_key {
	uint64_t k0;
	uint64_t k1;
};

[[nodiscard]] uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

static inline uint64_t
hash_str(const struct hash_key *key, struct str s)
{
	return hash_bytes(key, s.at, s.len);
}

struct map_entry {
	uint64_t hash;
	uint32_t value; /* 0: empty slot */
};

struct map {
	struct map_entry *entries;
	uint32_t mask;
	uint32_t cap;
	uint32_t count;
};

struct map_cursor {
	uint64_t hash;
	uint32_t at;
};

[[nodiscard]] int map_create(struct map *map, uint32_t cap);
void map_destroy(struct map *map);

/* `value` must not be zero; the same hash may be put for several values. */
[[nodiscard]] bool map_put(struct map *map, uint64_t hash, uint32_t value);

/* Removes one (hash, value) pair if it is there. */
void map_remove(struct map *map, uint64_t hash, uint32_t value);

/* Walks the values stored under `hash`: 0 at the end.  No change to the map in between. */
struct map_cursor map_find(const struct map *map, uint64_t hash);
[[nodiscard]] uint32_t map_next(const struct map *map, struct map_cursor *cursor);

#endif
