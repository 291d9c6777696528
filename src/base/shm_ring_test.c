/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what is put comes out whole and in order, also between two threads; and whatever the other
 * side writes into the shared memory, neither end reads or writes outside of it or goes on with
 * nonsense.  Method: records of every length around the end of the ring; a hostile peer that turns
 * every word of the shared memory, while a guard page stands behind it. */
#include "base/shm_ring.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/test.h"

enum {
	CAP = SHM_RING_CAP_MIN,
	RECORD_MAX = CAP / 2 - 4,
	HEAD_WORD = 0, /* where the indices lie, in words of four bytes */
	TAIL_WORD = 16,
	BYTES_WORD = 32,
};

struct pair {
	uint8_t *pages;
	size_t pages_bytes;
	uint32_t *words; /* the shared memory, ending at a page that cannot be touched */
	struct shm_ring in;
	struct shm_ring out;
};

static struct pair
pair_open(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t bytes = shm_ring_bytes(CAP);
	struct pair pair = { .pages_bytes = (bytes + page - 1) / page * page + page };
	pair.pages = mmap(NULL, pair.pages_bytes, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(pair.pages != MAP_FAILED);
	EXPECT_EQ(mprotect(pair.pages + pair.pages_bytes - page, page, PROT_NONE), 0);
	uint8_t *memory = pair.pages + (pair.pages_bytes - page - bytes);
	pair.words = (uint32_t *)(void *)memory;
	shm_ring_init(&pair.in, memory, CAP);
	shm_ring_init(&pair.out, memory, CAP);
	return pair;
}

static void
pair_close(struct pair *pair)
{
	munmap(pair->pages, pair->pages_bytes);
}

static enum shm_ring_result
put(struct shm_ring *ring, const void *bytes, size_t len)
{
	return shm_ring_put(ring, &(struct shm_ring_piece){ bytes, len }, 1);
}

static void
fill(uint8_t *bytes, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(seed * 31 + i * 7);
}

TEST(records_of_every_length_come_out_whole_and_in_order)
{
	struct pair pair = pair_open();
	static uint8_t in[RECORD_MAX], out[RECORD_MAX];
	size_t len = 0;
	EXPECT_EQ(shm_ring_take(&pair.out, out, sizeof out, &len), SHM_RING_EMPTY);
	for (uint32_t round = 0; round < 3; round++) {
		for (size_t want = 0; want <= RECORD_MAX; want++) {
			fill(in, want, (uint32_t)want + round);
			const struct shm_ring_piece pieces[] = {
				{ in, want / 3 }, { in + want / 3, want - want / 3 }
			};
			EXPECT_EQ(shm_ring_put(&pair.in, pieces, 2), SHM_RING_OK);
			EXPECT_EQ(shm_ring_take(&pair.out, out, sizeof out, &len), SHM_RING_OK);
			EXPECT_EQ(len, want);
			EXPECT(memcmp(in, out, len) == 0);
		}
	}
	EXPECT_EQ(shm_ring_take(&pair.out, out, sizeof out, &len), SHM_RING_EMPTY);
	pair_close(&pair);
}

TEST(a_full_ring_refuses_and_keeps_what_it_has)
{
	struct pair pair = pair_open();
	uint8_t bytes[100], out[100];
	size_t len = 0;
	uint32_t count = 0;
	for (;; count++) {
		fill(bytes, sizeof bytes, count);
		const enum shm_ring_result result = put(&pair.in, bytes, sizeof bytes);
		if (result == SHM_RING_FULL)
			break;
		EXPECT_EQ(result, SHM_RING_OK);
	}
	EXPECT_EQ(count, CAP / 104);
	for (uint32_t i = 0; i < count; i++) {
		EXPECT_EQ(shm_ring_take(&pair.out, out, sizeof out, &len), SHM_RING_OK);
		fill(bytes, sizeof bytes, i);
		EXPECT(memcmp(bytes, out, sizeof bytes) == 0);
		EXPECT_EQ(put(&pair.in, bytes, sizeof bytes), SHM_RING_OK);
	}
	pair_close(&pair);
}

TEST(indices_that_cannot_be_break_the_ring_for_good)
{
	static const uint32_t lies[] = { 1, 4, CAP + 8, UINT32_MAX, UINT32_MAX - 7, 1u << 31 };
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct pair pair = pair_open();
		uint8_t bytes[8] = { 0 };
		size_t len = 0;
		pair.words[HEAD_WORD] = lies[i];
		EXPECT_EQ(shm_ring_take(&pair.out, bytes, sizeof bytes, &len), SHM_RING_BROKEN);
		pair.words[HEAD_WORD] = 0;
		EXPECT_EQ(shm_ring_take(&pair.out, bytes, sizeof bytes, &len), SHM_RING_BROKEN);
		/* Seen by the producer, a tail beyond its own head is as wrong. */
		pair.words[TAIL_WORD] = lies[i];
		if (lies[i] !=
		    UINT32_MAX - 7) /* eight bytes in use: a lie that harms only the liar */
			EXPECT_EQ(put(&pair.in, bytes, sizeof bytes), SHM_RING_BROKEN);
		pair_close(&pair);
	}
}

TEST(a_length_that_cannot_be_breaks_the_ring)
{
	static const uint32_t lies[] = { 13, 17, RECORD_MAX + 1, CAP, UINT32_MAX, UINT32_MAX - 3 };
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct pair pair = pair_open();
		uint8_t bytes[16] = { 0 };
		size_t len = 0;
		EXPECT_EQ(put(&pair.in, bytes, 12), SHM_RING_OK);
		pair.words[BYTES_WORD] = lies[i];
		EXPECT_EQ(shm_ring_take(&pair.out, bytes, sizeof bytes, &len), SHM_RING_BROKEN);
		pair_close(&pair);
	}
}

/* One word of the shared memory becomes something else: small and aligned, or anything. */
static void
tamper(struct pair *pair, struct prng *prng)
{
	uint32_t word = BYTES_WORD + prng_below(prng, CAP / 4);
	switch (prng_below(prng, 3)) {
	case 0:
		word = HEAD_WORD;
		break;
	case 1:
		word = TAIL_WORD;
		break;
	}
	pair->words[word] =
	        prng_below(prng, 2) != 0 ? prng_below(prng, 2 * CAP) & ~7u : prng_u32(prng);
}

TEST(a_peer_that_writes_anything_anywhere_leads_nobody_astray)
{
	struct prng prng;
	prng_init(&prng, 41);
	unsigned broken = 0;
	for (unsigned round = 0; round < 2000; round++) {
		struct pair pair = pair_open();
		for (unsigned step = 0; step < 40; step++) {
			uint8_t bytes[RECORD_MAX] = { 0 };
			size_t len = 0;
			if (prng_below(&prng, 2) == 0)
				(void)put(&pair.in, bytes, prng_below(&prng, sizeof bytes));
			if (prng_below(&prng, 4) == 0)
				tamper(&pair, &prng);
			const size_t room = prng_below(&prng, sizeof bytes);
			const enum shm_ring_result result =
			        shm_ring_take(&pair.out, bytes, room, &len);
			EXPECT(result != SHM_RING_OK || len <= room);
			broken += result == SHM_RING_BROKEN;
		}
		pair_close(&pair);
	}
	EXPECT(broken > 1000);
}

enum { RACE_RECORDS = 20000 };

static void *
producer(void *context)
{
	struct shm_ring *ring = context;
	for (uint32_t i = 0; i < RACE_RECORDS;) {
		uint32_t record[8] = { 0 };
		for (unsigned w = 0; w < 8; w++)
			record[w] = i;
		if (put(ring, record, 4 + i % 8 * 4) == SHM_RING_OK)
			i++;
	}
	return NULL;
}

TEST(two_threads_see_every_record_once)
{
	struct pair pair = pair_open();
	pthread_t thread;
	EXPECT_EQ(pthread_create(&thread, NULL, producer, &pair.in), 0);
	for (uint32_t i = 0; i < RACE_RECORDS;) {
		uint32_t record[8];
		size_t len = 0;
		const enum shm_ring_result result =
		        shm_ring_take(&pair.out, record, sizeof record, &len);
		if (result == SHM_RING_EMPTY)
			continue;
		EXPECT_EQ(result, SHM_RING_OK);
		EXPECT_EQ(len, 4 + i % 8 * 4);
		for (size_t w = 0; w < len / 4; w++)
			EXPECT_EQ(record[w], i);
		i++;
	}
	pthread_join(thread, NULL);
	pair_close(&pair);
}
