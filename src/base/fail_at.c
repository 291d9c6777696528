/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fail_at.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"

/* The linker leads the first name of each pair to the second, and ours to the first (ld --wrap). */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *piece, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void __real_free(void *piece);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *piece, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
char *__wrap_strdup(const char *text);
void __wrap_free(void *piece);

static _Thread_local bool playing;
static _Thread_local unsigned done; /* allocations of this play so far */
static _Thread_local unsigned lose; /* the one that fails */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the two below */
static uintptr_t live[FAIL_AT_LIVE_MAX];
static size_t live_count;

static bool
lost(void)
{
	if (!playing || ++done != lose)
		return false;
	errno = ENOMEM;
	return true;
}

/* ---- The pieces that are out --------------------------------------------------------------- */

static void *
keep(void *piece)
{
	if (!playing || piece == NULL)
		return piece;
	pthread_mutex_lock(&lock);
	CHECK(live_count < FAIL_AT_LIVE_MAX);
	live[live_count++] = (uintptr_t)piece;
	pthread_mutex_unlock(&lock);
	return piece;
}

/* The last one kept is most often the first one freed. */
static void
drop(const void *piece)
{
	pthread_mutex_lock(&lock);
	for (size_t i = live_count; i-- != 0;) {
		if (live[i] == (uintptr_t)piece) {
			live[i] = live[--live_count];
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

void *
__wrap_malloc(size_t bytes)
{
	return lost() ? NULL : keep(__real_malloc(bytes));
}

void *
__wrap_calloc(size_t count, size_t bytes)
{
	return lost() ? NULL : keep(__real_calloc(count, bytes));
}

void *
__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
	return lost() ? NULL : keep(__real_aligned_alloc(alignment, bytes));
}

void *
__wrap_realloc(void *piece, size_t bytes)
{
	if (lost())
		return NULL;
	drop(piece);
	return keep(__real_realloc(piece, bytes));
}

char *
__wrap_strdup(const char *text)
{
	const size_t bytes = strlen(text) + 1;
	char *copy = __wrap_malloc(bytes);
	return copy != NULL ? memcpy(copy, text, bytes) : NULL;
}

void
__wrap_free(void *piece)
{
	drop(piece);
	__real_free(piece);
}

/* ---- For libraries ------------------------------------------------------------------------- */

void *
fail_at_malloc(size_t bytes)
{
	return lost() ? NULL : __real_malloc(bytes);
}

void *
fail_at_calloc(size_t count, size_t bytes)
{
	return lost() ? NULL : __real_calloc(count, bytes);
}

void *
fail_at_realloc(void *piece, size_t bytes)
{
	return lost() ? NULL : __real_realloc(piece, bytes);
}

void
fail_at_free(void *piece)
{
	__real_free(piece);
}

/* ---- Playing ------------------------------------------------------------------------------- */

static bool
play(bool (*scene)(void *context), void *context, unsigned losing)
{
	done = 0;
	lose = losing;
	live_count = 0;
	playing = true;
	const bool well = scene(context);
	playing = false;
	if (live_count != 0)
		print_error("%zu pieces are left when allocation %u fails\n", live_count, losing);
	EXPECT_EQ(live_count, 0);
	return well;
}

unsigned
fail_at_each(bool (*scene)(void *context), void *context)
{
	return fail_at_every(1, scene, context);
}

unsigned
fail_at_every(unsigned step, bool (*scene)(void *context), void *context)
{
	CHECK(!playing && step != 0);
	EXPECT(play(scene, context, 0));
	for (unsigned losing = 1;; losing += step) {
		const bool well = play(scene, context, losing);
		if (done < losing) {
			EXPECT(well);
			return done;
		}
	}
}
