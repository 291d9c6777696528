/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: slab, map, ring and arena keep their promises under any order of calls.
 * Method: each runs beside a plain model with seeded random calls; stale handles must find nothing.
 */
#include <pthread.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/prng.h"
#include "base/ring.h"
#include "base/slab.h"
#include "base/test.h"

TEST(a_stale_handle_finds_nothing)
{
	struct slab slab;
	EXPECT_EQ(slab_create(&slab, sizeof(int), 2), 0);
	uint32_t first = 0;
	uint32_t second = 0;
	uint32_t third = 0;
	int *object = slab_take(&slab, &first);
	EXPECT(object != NULL);
	*object = 7;
	EXPECT(slab_take(&slab, &second) != NULL);
	EXPECT(slab_take(&slab, &third) == NULL);
	EXPECT_EQ(third, 0);
	EXPECT(slab_get(&slab, first) == object);
	slab_free(&slab, first);
	EXPECT(slab_get(&slab, first) == NULL);
	object = slab_take(&slab, &third);
	EXPECT(object != NULL && *object == 0);
	EXPECT(third != first);
	EXPECT(slab_get(&slab, first) == NULL);
	EXPECT(slab_get(&slab, 0) == NULL);
	EXPECT(slab_get(&slab, UINT32_MAX) == NULL);
	slab_destroy(&slab);
}

TEST(a_slab_equals_its_model)
{
	enum { CAP = 37, ROUNDS = 100000 };
	struct slab slab;
	struct prng prng;
	uint32_t model[CAP] = { 0 };
	uint32_t live = 0;
	prng_init(&prng, 1);
	EXPECT_EQ(slab_create(&slab, 24, CAP), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t *slot = &model[prng_below(&prng, CAP)];
		if (*slot == 0) {
			uint32_t *object = slab_take(&slab, slot);
			EXPECT(object != NULL && *object == 0);
			*object = *slot;
			live++;
		} else {
			const uint32_t *object = slab_get(&slab, *slot);
			EXPECT(object != NULL && *object == *slot);
			slab_free(&slab, *slot);
			*slot = 0;
			live--;
		}
		EXPECT_EQ(slab.count, live);
	}
	uint32_t seen = 0;
	for (uint32_t at = 0, handle; (handle = slab_next(&slab, &at)) != 0;)
		seen += slab_get(&slab, handle) != NULL;
	EXPECT_EQ(seen, live);
	slab_destroy(&slab);
}

TEST(siphash_gives_the_reference_vectors)
{
	/* Key 00..0f, messages 00, 00 01, ...: from the SipHash paper's reference program. */
	const struct hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	uint8_t message[15];
	for (uint8_t i = 0; i < sizeof message; i++)
		message[i] = i;
	EXPECT(hash_bytes(&key, message, 0) == UINT64_C(0x726fdb47dd0e0e31));
	EXPECT(hash_bytes(&key, message, 15) == UINT64_C(0xa129ca6149be45e5));
}

TEST(a_map_equals_its_model)
{
	enum { CAP = 64, ROUNDS = 200000 };
	struct map map;
	struct prng prng;
	bool model[8][CAP] = { 0 };
	uint32_t count = 0;
	prng_init(&prng, 2);
	EXPECT_EQ(map_create(&map, CAP), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		/* Eight hashes that all start in the same two slots make the longest runs. */
		const uint32_t which = prng_below(&prng, 8);
		const uint32_t value = 1 + prng_below(&prng, CAP - 1);
		const uint64_t hash = (uint64_t)which << 32 | (which & 1 ? 126 : 127);
		if (model[which][value]) {
			map_remove(&map, hash, value);
			model[which][value] = false;
			count--;
		} else {
			const bool fits = count < CAP;
			EXPECT_EQ(map_put(&map, hash, value), fits);
			model[which][value] = fits;
			count += fits;
		}
		EXPECT_EQ(map.count, count);
		uint32_t found = 0;
		struct map_cursor cursor = map_find(&map, hash);
		for (uint32_t got; (got = map_next(&map, &cursor)) != 0; found++)
			EXPECT(model[which][got]);
		uint32_t wanted = 0;
		for (unsigned i = 0; i < CAP; i++)
			wanted += model[which][i];
		EXPECT_EQ(found, wanted);
	}
	map_destroy(&map);
}

enum { RING_MESSAGES = 200000 };

static void *
produce(void *argument)
{
	struct ring *ring = argument;
	for (uint64_t i = 1; i <= RING_MESSAGES;)
		if (ring_post(ring, &i))
			i++;
	return NULL;
}

TEST(a_ring_loses_nothing_between_two_threads)
{
	struct ring ring;
	pthread_t producer;
	EXPECT_EQ(ring_create(&ring, sizeof(uint64_t), 64), 0);
	EXPECT_EQ(pthread_create(&producer, NULL, produce, &ring), 0);
	uint64_t message = 0;
	for (uint64_t want = 1; want <= RING_MESSAGES;) {
		if (!ring_take(&ring, &message))
			continue;
		EXPECT(message == want);
		want++;
	}
	pthread_join(producer, NULL);
	EXPECT(!ring_take(&ring, &message));
	ring_destroy(&ring);
}

TEST(a_full_ring_says_so)
{
	struct ring ring;
	int message = 5;
	EXPECT_EQ(ring_create(&ring, sizeof message, 2), 0);
	EXPECT(ring_post(&ring, &message));
	EXPECT(ring_post(&ring, &message));
	EXPECT(!ring_post(&ring, &message));
	EXPECT_EQ(ring_count(&ring), 2);
	EXPECT(ring_take(&ring, &message));
	EXPECT(ring_post(&ring, &message));
	ring_destroy(&ring);
}

TEST(a_full_arena_gives_null_and_remembers)
{
	_Alignas(16) uint8_t bytes[64];
	struct arena arena = arena_of(bytes, sizeof bytes);
	EXPECT(arena_alloc(&arena, 3) == bytes);
	EXPECT(arena_alloc(&arena, 3) == bytes + 16);
	EXPECT(!arena.failed);
	EXPECT(arena_alloc(&arena, 33) == NULL);
	EXPECT(arena.failed);
	arena_reset(&arena);
	const struct str copy = arena_str(&arena, STR("hello"));
	EXPECT_STR(copy, "hello");
	EXPECT_EQ(copy.at[copy.len], 0);
}
