/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: lines come out in order and whole, the oldest make room, and several threads at once neither
 * tear a line nor lose the newest ones. */
#include "base/log_memory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/test.h"

TEST(lines_come_out_as_they_went_in_and_are_followed)
{
	struct log_memory *memory = NULL;
	struct log_memory_line line;
	char longest[2 * LOG_LINE_MAX];
	EXPECT_EQ(log_memory_create(&memory), 0);
	uint64_t at = 0;
	EXPECT(!log_memory_read(memory, &at, &line));
	log_memory_put(memory, LOG_INFO, 7, "first");
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	log_memory_put(memory, LOG_ERROR, 8, longest);
	log_memory_put(memory, LOG_WARNING, 9, "");
	EXPECT(log_memory_read(memory, &at, &line));
	EXPECT_STR(str_of(line.text), "first");
	EXPECT_EQ(line.number, 1);
	EXPECT_EQ(line.wall_us, 7);
	EXPECT_EQ(line.level, LOG_INFO);
	EXPECT(log_memory_read(memory, &at, &line));
	EXPECT_EQ(strlen(line.text), LOG_LINE_MAX - 1);
	EXPECT(log_memory_read(memory, &at, &line));
	EXPECT_STR(str_of(line.text), "");
	EXPECT(!log_memory_read(memory, &at, &line));
	EXPECT_EQ(at, log_memory_next(memory));
	log_memory_put(memory, LOG_INFO, 10, "and on");
	EXPECT(log_memory_read(memory, &at, &line));
	EXPECT_STR(str_of(line.text), "and on");
	log_memory_destroy(memory);
}

TEST(the_oldest_lines_make_room)
{
	struct log_memory *memory = NULL;
	struct log_memory_line line;
	char text[32];
	EXPECT_EQ(log_memory_create(&memory), 0);
	for (unsigned i = 1; i <= LOG_MEMORY_LINES + 100; i++) {
		snprintf(text, sizeof text, "line %u", i);
		log_memory_put(memory, LOG_INFO, i, text);
	}
	uint64_t at = 1;
	for (unsigned i = 101; i <= LOG_MEMORY_LINES + 100; i++) {
		EXPECT(log_memory_read(memory, &at, &line));
		snprintf(text, sizeof text, "line %u", i);
		EXPECT_STR(str_of(line.text), text);
	}
	EXPECT(!log_memory_read(memory, &at, &line));
	log_memory_destroy(memory);
}

TEST(a_search_takes_words_in_any_case_and_levels_or_worse)
{
	struct log_memory_line line = { .level = LOG_WARNING, .text = "Call 20: Ending" };
	EXPECT(log_memory_matches(&line, LOG_INFO, STR("")));
	EXPECT(log_memory_matches(&line, LOG_WARNING, STR("call 20")));
	EXPECT(!log_memory_matches(&line, LOG_ERROR, STR("call 20")));
	EXPECT(!log_memory_matches(&line, LOG_INFO, STR("call 21")));
}

enum { THREADS = 3, LINES_EACH = 20000 };

static void *
put_many(void *context)
{
	struct log_memory *memory = context;
	for (unsigned i = 0; i < LINES_EACH; i++) {
		char text[LOG_LINE_MAX];
		const int letter = 'a' + (int)(i % 26);
		memset(text, letter, 100 + i % 50);
		text[100 + i % 50] = '\0';
		log_memory_put(memory, LOG_INFO, i % 26, text);
	}
	return NULL;
}

TEST(threads_do_not_tear_each_others_lines)
{
	struct log_memory *memory = NULL;
	struct log_memory_line line;
	pthread_t threads[THREADS];
	EXPECT_EQ(log_memory_create(&memory), 0);
	for (unsigned i = 0; i < THREADS; i++)
		EXPECT_EQ(pthread_create(&threads[i], NULL, put_many, memory), 0);
	uint64_t at = 1;
	uint64_t last = 0;
	unsigned read = 0;
	while (log_memory_next(memory) <= THREADS * LINES_EACH || read < 1000) {
		if (!log_memory_read(memory, &at, &line))
			continue;
		EXPECT(line.number > last);
		last = line.number;
		read++;
		const size_t len = strlen(line.text);
		EXPECT(len >= 100 && len < 150);
		EXPECT_EQ(line.text[0], 'a' + line.wall_us);
		EXPECT_EQ(strspn(line.text, (char[]){ line.text[0], '\0' }), len);
	}
	for (unsigned i = 0; i < THREADS; i++)
		EXPECT_EQ(pthread_join(threads[i], NULL), 0);
	log_memory_destroy(memory);
}
