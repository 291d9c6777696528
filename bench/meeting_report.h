/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_report -- what everybody saw and heard: a line of JSON for each stream, or one table with the
 * middle and the worst of each kind.
 *
 * Ownership  Plain values.
 * Threads    One.
 * Units      As the column says.
 */
#ifndef BENCH_MEETING_REPORT_H
#define BENCH_MEETING_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "meeting_stream.h"

enum {
	REPORT_KINDS_MAX = 16, /* tiles of one height are a kind */
	REPORT_ROWS_MAX = 16384, /* of one kind */
	REPORT_KIND_MAX = 32,
};

struct report_row {
	float per_s;      /* frames, or packets of sound */
	float kbps;
	uint32_t gap_ms;  /* longest */
	uint32_t gaps;
	uint32_t lost;
	uint32_t asked;
	uint32_t keys;
	uint32_t switches;
	uint16_t height;  /* of the last frame */
};

struct report_kind {
	char name[REPORT_KIND_MAX];
	unsigned count;
	unsigned cap;
	struct report_row *rows;
};

struct report {
	bool json;
	int64_t span_us;
	unsigned kind_count;
	struct report_kind kinds[REPORT_KINDS_MAX];
};

void report_event(bool json, const char *what);

void report_init(struct report *report, bool json, int64_t span_us);
void report_sound(struct report *report, const char *who, const struct streams *streams,
                  int64_t now_us);
/* `wanted`: the height of the tile; 0: a room's whole picture.  `person`: who is in it, for JSON. */
void report_picture(struct report *report, const char *who, const struct streams *streams,
                    unsigned tile, unsigned wanted, const char *person, int64_t now_us);
/* Prints the table, and what it cost the load itself. */
void report_end(struct report *report, double cpu_s, int64_t late_us_max);

#endif
