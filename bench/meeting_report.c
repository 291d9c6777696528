/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum {
	MS = 1000,
	SHOWN_US_MIN = 1000 * 1000, /* a tile shown for less says nothing about rates */
};

void
report_event(bool json, const char *what)
{
	if (json) {
		printf("{\"event\":\"%s\"}\n", what);
		fflush(stdout);
	}
}

void
report_init(struct report *report, bool json, int64_t span_us)
{
	*report = (struct report){ .json = json, .span_us = span_us };
}

static void
add(struct report *report, const char *name, const struct report_row *row)
{
	unsigned i = 0;
	while (i < report->kind_count && strcmp(report->kinds[i].name, name) != 0)
		i++;
	CHECK(i < REPORT_KINDS_MAX);
	struct report_kind *kind = &report->kinds[i];
	if (i == report->kind_count) {
		report->kind_count++;
		snprintf(kind->name, sizeof kind->name, "%s", name);
	}
	if (kind->count == kind->cap) {
		CHECK(kind->count < REPORT_ROWS_MAX);
		kind->cap = kind->cap != 0 ? 2 * kind->cap : 64;
		kind->rows = realloc(kind->rows, kind->cap * sizeof *kind->rows);
		CHECK(kind->rows != NULL);
	}
	kind->rows[kind->count++] = *row;
}

void
report_sound(struct report *report, const char *who, const struct streams *streams, int64_t now_us)
{
	const struct in_sound *in = &streams->in_sound;
	const int64_t lost = in_sound_lost(in);
	const double seconds = (double)report->span_us * 1e-6;
	const struct report_row row = { .per_s = (float)((double)in->packets / seconds),
		                        .gap_ms = (uint32_t)(in_sound_gap_us(in, now_us) / MS),
		                        .lost = lost > 0 ? (uint32_t)lost : 0 };
	char kind[REPORT_KIND_MAX];
	snprintf(kind, sizeof kind, "%s, sound", who[0] == 'b' ? "browser" : "room");
	add(report, kind, &row);
	if (report->json)
		printf("{\"who\":\"%s\",\"what\":\"sound\",\"per_s\":%.1f,\"gap_ms\":%u,"
		       "\"lost\":%u}\n",
		       who, (double)row.per_s, row.gap_ms, row.lost);
}

void
report_picture(struct report *report, const char *who, const struct streams *streams, unsigned tile,
               unsigned wanted, const char *person, int64_t now_us)
{
	const struct in_video *in = streams->ins[tile];
	const struct in_video_stats stats = in_video_stats(in, now_us);
	const double seconds = (double)stats.shown_us * 1e-6;
	char kind[REPORT_KIND_MAX];
	if (stats.shown_us < SHOWN_US_MIN)
		return;
	const struct report_row row = {
		.per_s = (float)((double)stats.frames / seconds),
		.kbps = (float)((double)stats.bytes * 8e-3 / seconds),
		.gap_ms = (uint32_t)(stats.gap_us_max / MS),
		.gaps = (uint32_t)stats.gaps,
		.lost = (uint32_t)stats.packets_lost,
		.asked = (uint32_t)stats.asked,
		.keys = (uint32_t)stats.keys,
		.switches = (uint32_t)stats.switches,
		.height = in->height,
	};
	if (wanted != 0)
		snprintf(kind, sizeof kind, "browser, tile of %u", wanted);
	else
		snprintf(kind, sizeof kind, "room, picture");
	add(report, kind, &row);
	if (report->json)
		printf("{\"who\":\"%s\",\"what\":\"%s\",\"tile\":%u,\"wanted\":%u,\"person\":\"%s\","
		       "\"codec\":\"%s\",\"height\":%u,\"shown_s\":%.2f,\"fps\":%.2f,"
		       "\"kbps\":%.0f,\"gap_ms\":%u,\"gaps\":%u,\"lost\":%u,\"asked\":%u,"
		       "\"keys\":%u,\"sizes\":%u,\"plis\":%u,\"switches\":%u}\n",
		       who, wanted != 0 ? "tile" : "picture", tile, wanted, person,
		       in->codec == VIDEO_CODEC_H264 ? "H264"
		       : in->codec == VIDEO_CODEC_VP8 ? "VP8"
		                                      : "",
		       in->height, seconds, (double)row.per_s, (double)row.kbps, row.gap_ms,
		       row.gaps, row.lost, row.asked, row.keys, (unsigned)stats.sizes,
		       (unsigned)stats.plis, row.switches);
}

/* ---- The table ------------------------------------------------------------------------------ */

static int
compare(const void *a, const void *b)
{
	const float left = *(const float *)a;
	const float right = *(const float *)b;
	return (left > right) - (left < right);
}

/* The middle of one column; `*least` is its smallest. */
static double
middle(const struct report_kind *kind, size_t column, double *least)
{
	float values[REPORT_ROWS_MAX];
	for (unsigned i = 0; i < kind->count; i++)
		memcpy(&values[i], (const char *)&kind->rows[i] + column, sizeof values[i]);
	qsort(values, kind->count, sizeof *values, compare);
	*least = (double)values[0];
	return (double)values[kind->count / 2];
}

static void
print_kind(const struct report_kind *kind)
{
	double least;
	double least_kbps;
	uint64_t gaps = 0;
	uint64_t lost = 0;
	uint64_t asked = 0;
	uint64_t keys = 0;
	uint64_t switches = 0;
	uint32_t gap_ms = 0;
	unsigned low = UINT16_MAX;
	unsigned high = 0;
	for (unsigned i = 0; i < kind->count; i++) {
		const struct report_row *row = &kind->rows[i];
		gaps += row->gaps;
		lost += row->lost;
		asked += row->asked;
		keys += row->keys;
		switches += row->switches;
		gap_ms = row->gap_ms > gap_ms ? row->gap_ms : gap_ms;
		low = row->height < low ? row->height : low;
		high = row->height > high ? row->height : high;
	}
	const double per_s = middle(kind, offsetof(struct report_row, per_s), &least);
	const double kbps = middle(kind, offsetof(struct report_row, kbps), &least_kbps);
	printf("| %-20s | %5u | %6.1f | %6.1f | %6.0f | %6.0f | %4u-%-4u | %7llu | %6u | %5llu | "
	       "%5llu | %5llu | %8llu |\n",
	       kind->name, kind->count, per_s, least, kbps, least_kbps, low, high,
	       (unsigned long long)gaps, gap_ms, (unsigned long long)asked,
	       (unsigned long long)lost, (unsigned long long)keys, (unsigned long long)switches);
}

void
report_end(struct report *report, double cpu_s, int64_t late_us_max)
{
	const double seconds = (double)report->span_us * 1e-6;
	if (report->json) {
		printf("{\"event\":\"load\",\"seconds\":%.2f,\"cpu_s\":%.2f,\"late_ms\":%u}\n",
		       seconds, cpu_s, (unsigned)(late_us_max / MS));
	} else {
		printf("| %-20s | %5s | %6s | %6s | %6s | %6s | %-9s | %7s | %6s | %5s | %5s | "
		       "%5s | %8s |\n",
		       "what", "count", "/s mid", "/s min", "kbit/s", "min", "height", "freezes",
		       "gap ms", "asked", "lost", "keys", "switches");
		for (unsigned i = 0; i < report->kind_count; i++)
			print_kind(&report->kinds[i]);
		printf("load: %.1f s measured, %.0f %% of a core, %u ms late at most\n", seconds,
		       100 * cpu_s / seconds, (unsigned)(late_us_max / MS));
	}
	for (unsigned i = 0; i < report->kind_count; i++)
		free(report->kinds[i].rows);
	fflush(stdout);
}
