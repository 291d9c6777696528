/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

static log_sink *sink_now;
static void *sink_context;
static _Atomic int level_now = LOG_INFO;
static _Atomic uint64_t lines[LOG_LEVELS];

static const char *const level_names[LOG_LEVELS] = {
	[LOG_ERROR] = "Error",
	[LOG_WARNING] = "Warning",
	[LOG_INFO] = "Info",
	[LOG_DEBUG] = "Debug",
};

const char *
log_level_name(enum log_level level)
{
	CHECK(level >= 0 && level < LOG_LEVELS);
	return level_names[level];
}

uint64_t
log_lines(enum log_level level)
{
	CHECK(level >= 0 && level < LOG_LEVELS);
	return atomic_load_explicit(&lines[level], memory_order_relaxed);
}

void
log_set_sink(log_sink *sink, void *context)
{
	sink_now = sink;
	sink_context = context;
}

void
log_set_level(enum log_level level)
{
	atomic_store(&level_now, (int)level);
}

void
log_write_line(int fd, enum log_level level, int64_t wall_us, const char *line)
{
	char out[LOG_LINE_MAX + 64];
	const time_t seconds = (time_t)(wall_us / 1000000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t len = strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &tm);
	const int rest = snprintf(out + len, sizeof out - len, ".%03d  %-7s  %s\n",
	                          (int)(wall_us / 1000 % 1000), log_level_name(level), line);
	if (rest < 0)
		return;
	len += (size_t)rest;
	if (len >= sizeof out) {
		len = sizeof out - 1;
		out[len - 1] = '\n';
	}
	/* A log that cannot be written has nowhere to say so. */
	if (write(fd, out, len) < 0)
		return;
}

/* True when this site may still speak in this second. */
static bool
site_allows(struct log_site *site, enum log_level level, int64_t wall_us)
{
	const uint32_t allowance = level <= LOG_WARNING ? 3 * LOG_SITE_PER_SECOND
	                                                : LOG_SITE_PER_SECOND;
	const int64_t second = wall_us / 1000000;
	if (atomic_exchange(&site->second, second) != second)
		atomic_store(&site->used, 0);
	if (atomic_fetch_add(&site->used, 1) < allowance)
		return true;
	atomic_fetch_add(&site->held_back, 1);
	return false;
}

/* A line break or control byte in a peer's name must not forge a second line. */
static void
make_printable(char *line)
{
	for (unsigned char *at = (unsigned char *)line; *at != '\0'; at++)
		if (*at < 0x20 || *at == 0x7f)
			*at = '?';
}

void
log_at(struct log_site *site, enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	struct timespec now;
	if ((int)level > atomic_load_explicit(&level_now, memory_order_relaxed))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	const int64_t wall_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	if (!site_allows(site, level, wall_us))
		return;

	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	const uint32_t held_back = atomic_exchange(&site->held_back, 0);
	if (held_back != 0) {
		const size_t len = strlen(line);
		snprintf(line + len, sizeof line - len, " [%u like it held back]", held_back);
	}
	make_printable(line);
	atomic_fetch_add_explicit(&lines[level], 1, memory_order_relaxed);
	if (sink_now != NULL)
		sink_now(sink_context, level, wall_us, line);
	else
		log_write_line(STDERR_FILENO, level, wall_us, line);
}
