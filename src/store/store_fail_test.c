/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a store that finds no memory says so and leaves a file that the next start can use.
 * Method: opening, reading and closing, while allocations of ours and of SQLite fail one by one. */
#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/fail_at.h"
#include "meeting/test_world.h"
#include "store/store.h"

struct place {
	char folder[64];
	char path[96];
	struct prng prng;
};

/* ---- SQLite's memory ----------------------------------------------------------------------- */

static void *
give(int bytes)
{
	return fail_at_malloc((size_t)bytes);
}

static void *
resize(void *piece, int bytes)
{
	return fail_at_realloc(piece, (size_t)bytes);
}

static int
size_of(void *piece)
{
	return piece != NULL ? (int)malloc_usable_size(piece) : 0;
}

static int
round_up(int bytes)
{
	return (bytes + 15) & ~15;
}

static int
start(void *context)
{
	(void)context;
	return SQLITE_OK;
}

static void
stop(void *context)
{
	(void)context;
}

__attribute__((constructor)) static void
sqlite_by_fail_at(void)
{
	static sqlite3_mem_methods methods = {
		.xMalloc = give, .xFree = fail_at_free, .xRealloc = resize, .xSize = size_of,
		.xRoundup = round_up, .xInit = start, .xShutdown = stop,
	};
	CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
	CHECK(sqlite3_initialize() == SQLITE_OK);
}

/* ---- Scenes -------------------------------------------------------------------------------- */

static bool
open_and_load(struct store **store, struct objects *objects, const struct place *place)
{
	struct store_loaded loaded;
	if (store_open(store, &(struct store_settings){ .path = place->path, .busy_ms = 50 }) != 0)
		return false;
	return store_load(*store, objects, &loaded) == 0 && loaded.refused == 0;
}

static bool
use(void *context)
{
	struct place *place = context;
	const struct objects_settings settings = { .limits = { 50, 10, 1 << 16 },
		                                   .random = test_random,
		                                   .context = &place->prng };
	struct objects *objects;
	struct store *store = NULL;
	if (objects_create(&objects, &settings) != 0)
		return false;
	const bool well = open_and_load(&store, objects, place);
	store_close(store);
	objects_destroy(objects);
	return well;
}

static void
remove_files(const struct place *place)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[128];
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		snprintf(path, sizeof path, "%s%s", place->path, ends[i]);
		unlink(path);
	}
}

static bool
use_anew(void *context)
{
	remove_files(context);
	return use(context);
}

TEST(a_store_without_memory_says_so_and_can_be_opened_again)
{
	/* Thousands of starts: in memory where there is such a folder, for a disk's sake. */
	struct place place = { .folder = "/dev/shm/convoke-store-XXXXXX" };
	prng_init(&place.prng, 1);
	if (mkdtemp(place.folder) == NULL) {
		snprintf(place.folder, sizeof place.folder, "/tmp/convoke-store-XXXXXX");
		EXPECT(mkdtemp(place.folder) != NULL);
	}
	snprintf(place.path, sizeof place.path, "%s/convoke.db", place.folder);
	/* The file stays from play to play, as a failed start left it. */
	EXPECT(fail_at_every(31, use, &place) > 20);
	EXPECT(fail_at_every(499, use_anew, &place) > 20);
	remove_files(&place);
	rmdir(place.folder);
}
