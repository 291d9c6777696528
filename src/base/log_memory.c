/* SPDX-License-Identifier: Apache-2.0 */
/* Each slot has a stamp: the number of its line, or WRITING with it.  Whoever puts a line claims the
 * slot by its stamp; whoever reads looks at the stamp before and after.  The text is read and
 * written as atomic words, so that a race is a line that is gone and never undefined. */
#include "base/log_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { WORDS = LOG_LINE_MAX / 8 };
static_assert(LOG_LINE_MAX % 8 == 0, "whole words");
static_assert((LOG_MEMORY_LINES & (LOG_MEMORY_LINES - 1)) == 0, "a mask finds the slot");

static const uint64_t WRITING = UINT64_C(1) << 63;

struct slot {
	_Atomic uint64_t stamp; /* 0: never used */
	_Atomic int64_t wall_us;
	_Atomic int level;
	_Atomic uint64_t words[WORDS];
};

struct log_memory {
	_Atomic uint64_t next;
	struct slot slots[LOG_MEMORY_LINES];
};

int
log_memory_create(struct log_memory **out)
{
	struct log_memory *memory = calloc(1, sizeof *memory);
	if (memory == NULL)
		return -ENOMEM;
	atomic_store(&memory->next, 1);
	*out = memory;
	return 0;
}

void
log_memory_destroy(struct log_memory *memory)
{
	free(memory);
}

void
log_memory_put(struct log_memory *memory, enum log_level level, int64_t wall_us, const char *text)
{
	const uint64_t number = atomic_fetch_add(&memory->next, 1);
	struct slot *slot = &memory->slots[number % LOG_MEMORY_LINES];
	uint64_t before = atomic_load(&slot->stamp);
	/* Somebody slower is still at the line before, or somebody quicker at the one behind. */
	if ((before & WRITING) != 0 || before > number ||
	    !atomic_compare_exchange_strong(&slot->stamp, &before, number | WRITING))
		return;
	size_t len = strlen(text);
	len = len < LOG_LINE_MAX - 1 ? len : LOG_LINE_MAX - 1;
	atomic_store_explicit(&slot->wall_us, wall_us, memory_order_relaxed);
	atomic_store_explicit(&slot->level, (int)level, memory_order_relaxed);
	for (size_t at = 0; at <= len; at += 8) {
		uint64_t word = 0;
		memcpy(&word, text + at, len - at < 8 ? len - at : 8);
		atomic_store_explicit(&slot->words[at / 8], word, memory_order_relaxed);
	}
	atomic_store_explicit(&slot->stamp, number, memory_order_release);
}

uint64_t
log_memory_next(const struct log_memory *memory)
{
	return atomic_load(&memory->next);
}

/* False: another line took its place meanwhile. */
static bool
copy(const struct slot *slot, uint64_t number, struct log_memory_line *out)
{
	out->number = number;
	out->wall_us = atomic_load_explicit(&slot->wall_us, memory_order_relaxed);
	out->level = (enum log_level)atomic_load_explicit(&slot->level, memory_order_relaxed);
	bool ended = false;
	for (size_t at = 0; at < WORDS && !ended; at++) {
		const uint64_t word =
			atomic_load_explicit(&slot->words[at], memory_order_relaxed);
		memcpy(out->text + at * 8, &word, 8);
		ended = memchr(&word, '\0', 8) != NULL;
	}
	out->text[LOG_LINE_MAX - 1] = '\0';
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&slot->stamp, memory_order_relaxed) == number;
}

bool
log_memory_read(const struct log_memory *memory, uint64_t *at, struct log_memory_line *out)
{
	const uint64_t next = atomic_load(&memory->next);
	if (next > LOG_MEMORY_LINES && *at < next - LOG_MEMORY_LINES)
		*at = next - LOG_MEMORY_LINES;
	*at = *at != 0 ? *at : 1;
	for (; *at < next; (*at)++) {
		const struct slot *slot = &memory->slots[*at % LOG_MEMORY_LINES];
		const uint64_t stamp = atomic_load_explicit(&slot->stamp, memory_order_acquire);
		if (stamp == *at && copy(slot, *at, out)) {
			(*at)++;
			return true;
		}
		/* It has its number and not yet its text. */
		if ((stamp & ~WRITING) < *at || stamp == (*at | WRITING))
			return false;
	}
	return false;
}

bool
log_memory_matches(const struct log_memory_line *line, enum log_level level, struct str part)
{
	return line->level <= level &&
	       (part.len == 0 || str_contains_nocase(str_of(line->text), part));
}
