/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

uint64_t
hash_bytes(const struct hash_key *key, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t v[4] = {
		key->k0 ^ UINT64_C(0x736f6d6570736575),
		key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261),
		key->k1 ^ UINT64_C(0x7465646279746573),
	};
	size_t left = len;
	for (; left >= 8; left -= 8, at += 8) {
		uint64_t word = 0;
		for (unsigned i = 0; i < 8; i++)
			word |= (uint64_t)at[i] << (8 * i);
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	uint64_t last = (uint64_t)(len & 0xff) << 56;
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)at[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int
map_create(struct map *map, uint32_t cap)
{
	CHECK(cap != 0 && cap <= UINT32_C(1) << 28);
	uint32_t slots = 4;
	while (slots < cap * 2)
		slots *= 2;
	*map = (struct map){ .mask = slots - 1, .cap = cap };
	map->entries = calloc(slots, sizeof *map->entries);
	return map->entries != NULL ? 0 : -ENOMEM;
}

void
map_destroy(struct map *map)
{
	free(map->entries);
	*map = (struct map){ 0 };
}

bool
map_put(struct map *map, uint64_t hash, uint32_t value)
{
	CHECK(value != 0);
	if (map->count == map->cap)
		return false;
	uint32_t at = (uint32_t)hash & map->mask;
	while (map->entries[at].value != 0)
		at = (at + 1) & map->mask;
	map->entries[at] = (struct map_entry){ .hash = hash, .value = value };
	map->count++;
	return true;
}

/* Empties a slot and moves later entries of the same run back, so that no probe ends early. */
static void
close_gap(struct map *map, uint32_t gap)
{
	uint32_t at = gap;
	for (;;) {
		map->entries[gap] = (struct map_entry){ 0 };
		for (;;) {
			at = (at + 1) & map->mask;
			if (map->entries[at].value == 0)
				return;
			const uint32_t home = (uint32_t)map->entries[at].hash & map->mask;
			/* May stay when its home lies cyclically in (gap, at]. */
			if (((at - home) & map->mask) >= ((at - gap) & map->mask))
				break;
		}
		map->entries[gap] = map->entries[at];
		gap = at;
	}
}

void
map_remove(struct map *map, uint64_t hash, uint32_t value)
{
	uint32_t at = (uint32_t)hash & map->mask;
	for (; map->entries[at].value != 0; at = (at + 1) & map->mask) {
		if (map->entries[at].hash == hash && map->entries[at].value == value) {
			map->count--;
			close_gap(map, at);
			return;
		}
	}
}

struct map_cursor
map_find(const struct map *map, uint64_t hash)
{
	return (struct map_cursor){ .hash = hash, .at = (uint32_t)hash & map->mask };
}

uint32_t
map_next(const struct map *map, struct map_cursor *cursor)
{
	while (map->entries[cursor->at].value != 0) {
		const struct map_entry *entry = &map->entries[cursor->at];
		cursor->at = (cursor->at + 1) & map->mask;
		if (entry->hash == cursor->hash)
			return entry->value;
	}
	return 0;
}
