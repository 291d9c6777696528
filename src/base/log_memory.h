/* SPDX-License-Identifier: Apache-2.0 */
/* log_memory -- the last lines of the event log, kept in memory to be followed and searched.
 *
 * A ring of LOG_MEMORY_LINES lines, numbered from 1 in the order in which they came.  Any thread puts
 * lines in without waiting; a line that is being written or was overwritten meanwhile reads as gone.
 *
 *	uint64_t at = log_memory_next(memory);              follow: from now on
 *	while (log_memory_read(memory, &at, &line)) ...     again after each wake or second
 *
 * Ownership  create/destroy.
 * Threads    log_memory_put() from any, also several at once; reading from any.
 * Units      Wall-clock microseconds since 1970.
 * Limits     LOG_MEMORY_LINES of LOG_LINE_MAX bytes: 4 MiB.
 */
#ifndef BASE_LOG_MEMORY_H
#define BASE_LOG_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/str.h"

enum { LOG_MEMORY_LINES = 4096 };

struct log_memory;

struct log_memory_line {
	uint64_t number;
	enum log_level level;
	int64_t wall_us;
	char text[LOG_LINE_MAX];
};

[[nodiscard]] int log_memory_create(struct log_memory **out);
void log_memory_destroy(struct log_memory *memory);

void log_memory_put(struct log_memory *memory, enum log_level level, int64_t wall_us,
                    const char *text);

/* The number that the next line will have. */
[[nodiscard]] uint64_t log_memory_next(const struct log_memory *memory);
/* The line of number `*at`, or the oldest after it that is still there; `*at` moves behind it.
 * False: there is none yet. */
[[nodiscard]] bool log_memory_read(const struct log_memory *memory, uint64_t *at,
                                   struct log_memory_line *out);
/* Of this level or worse, and with `part` in it, whatever its case? */
[[nodiscard]] bool log_memory_matches(const struct log_memory_line *line, enum log_level level,
                                      struct str part);

#endif
