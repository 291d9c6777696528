/* SPDX-License-Identifier: Apache-2.0 */
/* log -- the event log: one line per event, in the words CMS administrators know.
 *
 * Every line goes to one sink per process.  Each call site has its own allowance, so that nothing a
 * stranger does can fill a disk: what is held back is counted and told with the next line.
 * Cores do not log; they return events and the shell around them decides what is worth a line.
 *
 * Ownership  Text is formatted on the caller's stack; nothing is kept.
 * Threads    Any; one write(2) per line keeps lines whole.
 * Units      The sink gets wall-clock time in microseconds since 1970.
 * Limits     LOG_LINE_MAX bytes a line, longer ones are cut; LOG_SITE_PER_SECOND lines a second
 *            and call site at Info and below, errors and warnings three times as many.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	LOG_LINE_MAX = 1024,
	LOG_SITE_PER_SECOND = 200,
};

enum log_level {
	LOG_ERROR,   /* the administrator must act */
	LOG_WARNING, /* something is not as it should be; the program copes */
	LOG_INFO,    /* the event log of a normal day */
	LOG_DEBUG,   /* for us; off by default */
	LOG_LEVELS,
};

struct log_site {
	_Atomic int64_t second;
	_Atomic uint32_t used;
	_Atomic uint32_t held_back;
};

/* Called with a finished line without newline. */
typedef void log_sink(void *context, enum log_level level, int64_t wall_us, const char *line);

/* Set once at start, before other threads exist.  Without a sink, lines go to standard error as
 * "YYYY-MM-DD HH:MM:SS.mmm  Level  text". */
void log_set_sink(log_sink *sink, void *context);
void log_set_level(enum log_level level);

/* Writes the default form of a line to `fd`. */
void log_write_line(int fd, enum log_level level, int64_t wall_us, const char *line);

/* How many lines of a level there were since the start, held back ones not counted. */
uint64_t log_lines(enum log_level level);

const char *log_level_name(enum log_level level);

__attribute__((format(printf, 3, 4))) void log_at(struct log_site *site, enum log_level level,
                                                  const char *format, ...);

#define LOG_AT(level, ...)                              \
	do {                                            \
		static struct log_site log_site_here;   \
		log_at(&log_site_here, level, __VA_ARGS__); \
	} while (0)

#define log_error(...) LOG_AT(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) LOG_AT(LOG_WARNING, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_INFO, __VA_ARGS__)
#define log_debug(...) LOG_AT(LOG_DEBUG, __VA_ARGS__)

#endif
