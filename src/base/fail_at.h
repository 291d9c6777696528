/* SPDX-License-Identifier: Apache-2.0 */
/* fail_at -- plays a scene again and again, each time with another allocation failing.
 *
 *	static bool
 *	scene(void *context)
 *	{
 *		struct thing *thing = NULL;
 *		const int rc = thing_create(&thing);
 *		if (rc == 0)
 *			thing_destroy(thing);
 *		return rc == 0;
 *	}
 *
 *	TEST(a_thing_is_made_whole_or_not_at_all) { EXPECT(fail_at_each(scene, NULL) >= 2); }
 *
 * The first play loses nothing (and lets libraries make what they keep), the next one the first
 * allocation, the next the second, until a play goes through without having come to the one it should
 * lose.  A scene may fail or do without when memory is refused; it must not crash, must give back
 * every piece, and must succeed when nothing is refused.  Otherwise the running test fails and says
 * at which allocation.
 *
 * A test program gets it by fail_at_dep, which puts it between our code and malloc(), calloc(),
 * realloc(), aligned_alloc(), strdup() and free() at link time.  A library that takes functions for
 * its memory is handed those at the end: its allocations fail, too, but nobody counts whether they
 * are given back, for libraries keep things; the leak sanitizer judges them at the program's end.
 *
 * Threads    Only allocations of the thread that plays the scene fail or are watched; any thread may
 *            free them.
 */
#ifndef BASE_FAIL_AT_H
#define BASE_FAIL_AT_H

#include <stdbool.h>
#include <stddef.h>

enum {
	FAIL_AT_LIVE_MAX = 1 << 14, /* pieces a scene may hold at a time, to be watched */
};

/* How many allocations the scene makes when none fails. */
unsigned fail_at_each(bool (*scene)(void *context), void *context);
/* Of the allocations only each `step`th: for long scenes, most of them inside libraries. */
unsigned fail_at_every(unsigned step, bool (*scene)(void *context), void *context);

void *fail_at_malloc(size_t bytes);
void *fail_at_calloc(size_t count, size_t bytes);
void *fail_at_realloc(void *piece, size_t bytes);
void fail_at_free(void *piece);

#endif
