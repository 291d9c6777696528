/* SPDX-License-Identifier: Apache-2.0 */
/* MPLicenseUsage: what was counted every five minutes of the last three months.
 *
 * An hour is one row of the database, so that a year's worth of restarts loses nothing and a start
 * reads two thousand rows, not thirty thousand.  A sample that the database does not take is kept
 * for the next time. */
#include <stdlib.h>

#include "api/api_internal.h"
#include "base/check.h"
#include "base/date.h"

enum { HOUR_S = 3600, MINUTE_S = 60 };

/* ------------------------------------------------------------------ text and back */

static void
sample_write(struct writer *w, const struct usage_sample *sample)
{
	writer_format(w, "%u:", (unsigned)(sample->time_s % HOUR_S / MINUTE_S));
	for (unsigned i = 0; i < USAGE_COUNTS; i++)
		writer_format(w, "%s%u", i != 0 ? "," : "", sample->counts[i]);
}

/* The next one of an hour's text; false: there is none, or what stands there is none of ours. */
static bool
sample_take(struct usage_sample *out, struct str *rest, uint32_t hour)
{
	uint32_t minute = 0;
	if (rest->len == 0)
		return false;
	struct str text = str_cut(rest, ' ');
	if (!str_u32(str_cut(&text, ':'), &minute) || minute >= HOUR_S / MINUTE_S)
		return false;
	out->time_s = (int64_t)hour * HOUR_S + (int64_t)minute * MINUTE_S;
	for (unsigned i = 0; i < USAGE_COUNTS; i++) {
		if (!str_u32(str_cut(&text, ','), &out->counts[i]))
			return false;
	}
	return text.len == 0;
}

/* ------------------------------------------------------------------ the rows there are */

static uint32_t
hour_of(const struct objects *objects, uint32_t row)
{
	return objects_number(objects, OBJECT_USAGE_HOUR, row, USAGE_HOUR_HOUR);
}

static struct str
host_of(const struct objects *objects, uint32_t row)
{
	return objects_text(objects, OBJECT_USAGE_HOUR, row, USAGE_HOUR_HOST);
}

static struct str
samples_of(const struct objects *objects, uint32_t row)
{
	return objects_text(objects, OBJECT_USAGE_HOUR, row, USAGE_HOUR_SAMPLES);
}

struct rows {
	uint32_t count;
	uint32_t oldest;
	uint32_t wanted; /* of this host and hour; 0: there is none */
};

static struct rows
look(const struct objects *objects, struct str host, uint32_t hour)
{
	struct rows rows = { .count = 0 };
	uint32_t at = 0;
	for (uint32_t row; (row = objects_next(objects, OBJECT_USAGE_HOUR, &at)) != 0;) {
		const uint32_t its = hour_of(objects, row);
		rows.count++;
		if (rows.oldest == 0 || its < hour_of(objects, rows.oldest))
			rows.oldest = row;
		if (its == hour && str_eq_nocase(host_of(objects, row), host))
			rows.wanted = row;
	}
	return rows;
}

/* ------------------------------------------------------------------ keeping */

static struct str
own_host(const struct api *api, char out[GUID_TEXT_LEN + 1])
{
	guid_write(out, &api->settings.host_id);
	return str_of(out);
}

/* Has the hour's text one of this minute, or of a later one: the clock was put back? */
static bool
is_late(struct str text, const struct usage_sample *sample, uint32_t hour)
{
	struct usage_sample last = { .time_s = -1 };
	while (sample_take(&last, &text, hour)) {
	}
	return last.time_s >= sample->time_s / MINUTE_S * MINUTE_S;
}

static void
put(const struct api *api, struct objects *objects, const struct usage_sample *sample)
{
	char host[GUID_TEXT_LEN + 1];
	char text[USAGE_HOUR_TEXT_MAX];
	struct object_edit edit = { .type = OBJECT_USAGE_HOUR };
	struct writer w = writer_of(text, sizeof text);
	int culprit = -1;
	uint32_t handle = 0;
	const uint32_t hour = (uint32_t)(sample->time_s / HOUR_S);
	const struct rows rows = look(objects, own_host(api, host), hour);
	const struct str before = samples_of(objects, rows.wanted);
	if (is_late(before, sample, hour))
		return;
	writer_format(&w, "%.*s%s", STR_ARGS(before), before.len != 0 ? " " : "");
	sample_write(&w, sample);
	if (w.failed)
		return;
	edit_set_text(&edit, USAGE_HOUR_SAMPLES, writer_view(&w));
	if (rows.wanted != 0) {
		(void)objects_edit(objects, rows.wanted, &edit, &culprit);
		return;
	}
	if (rows.count >= USAGE_HOURS_MAX)
		(void)objects_remove(objects, OBJECT_USAGE_HOUR, rows.oldest);
	edit_set_text(&edit, USAGE_HOUR_HOST, str_of(host));
	edit_set_number(&edit, USAGE_HOUR_HOUR, hour);
	const enum object_reject reject = objects_add(objects, &edit, 0, &handle, &culprit);
	if (reject == OBJECT_FULL && rows.count != 0 && rows.count < USAGE_HOURS_MAX &&
	    objects_remove(objects, OBJECT_USAGE_HOUR, rows.oldest) == OBJECT_OK)
		(void)objects_add(objects, &edit, 0, &handle, &culprit);
}

void
api_usage_note(struct api *api, int64_t wall_us)
{
	struct licence_usage *usage = &api->licence_usage;
	const struct meeting_usage counted = meeting_usage(api->settings.meeting);
	if (usage->waiting_count == USAGE_WAITING_MAX) {
		/* A day without a database: the oldest that is not under way goes. */
		const uint32_t first = usage->under_way;
		if (first == USAGE_WAITING_MAX)
			return;
		memmove(&usage->waiting[first], &usage->waiting[first + 1],
		        (USAGE_WAITING_MAX - first - 1) * sizeof *usage->waiting);
		usage->waiting_count--;
	}
	usage->waiting[usage->waiting_count++] = (struct usage_sample){
		.time_s = wall_us / 1000000,
		.counts = { counted.calls_personal, counted.users_personal, counted.calls_audio,
		            counted.calls_pair, counted.calls_full },
	};
	usage->stopped = false;
}

bool
licence_usage_step(struct api *api, struct object_tx *tx)
{
	enum { BATCH = 24 };
	struct licence_usage *usage = &api->licence_usage;
	struct objects *objects = meeting_objects(api->settings.meeting);
	if (usage->waiting_count == 0 || usage->ticket != 0 || usage->stopped ||
	    api->database.state != STORE_READY)
		return false;
	usage->under_way = usage->waiting_count < BATCH ? usage->waiting_count : BATCH;
	objects_begin(objects);
	for (uint32_t i = 0; i < usage->under_way; i++)
		put(api, objects, &usage->waiting[i]);
	*tx = objects_end(objects);
	usage->ticket = tx->ticket;
	if (tx->ticket == 0) /* nothing of them is new */
		licence_usage_settled(api, 0, true);
	return tx->ticket != 0;
}

void
licence_usage_settled(struct api *api, uint64_t ticket, bool ok)
{
	struct licence_usage *usage = &api->licence_usage;
	if (usage->under_way == 0 || ticket != usage->ticket)
		return;
	if (ok) {
		usage->waiting_count -= usage->under_way;
		memmove(usage->waiting, &usage->waiting[usage->under_way],
		        usage->waiting_count * sizeof *usage->waiting);
	}
	usage->stopped = !ok; /* until the next sample */
	usage->under_way = 0;
	usage->ticket = 0;
}

/* ------------------------------------------------------------------ reading */

struct wanted {
	int64_t from_s;
	int64_t until_s;
	struct str host; /* empty: any */
	uint32_t offset;
	uint32_t limit;
};

static bool
read_time(int64_t *out, struct str text)
{
	bool whole_day;
	return date_parse(out, &whole_day, text);
}

static bool
read_wanted(struct work *work, struct wanted *wanted)
{
	*wanted = (struct wanted){ .until_s = INT64_MAX, .limit = API_PAGE_USUAL };
	for (unsigned i = 0; i < work->query.count; i++) {
		const struct parameter *parameter = &work->query.at[i];
		struct guid id;
		bool ok = true;
		if (parameter->value.len == 0)
			continue;
		if (str_eq_nocase(parameter->name, STR("startTime")))
			ok = read_time(&wanted->from_s, parameter->value);
		else if (str_eq_nocase(parameter->name, STR("endTime")))
			ok = read_time(&wanted->until_s, parameter->value);
		else if (str_eq_nocase(parameter->name, STR("offset")))
			ok = str_u32(parameter->value, &wanted->offset);
		else if (str_eq_nocase(parameter->name, STR("limit")))
			ok = str_u32(parameter->value, &wanted->limit);
		else if (str_eq_nocase(parameter->name, STR("hostId")) &&
		         guid_parse(&id, parameter->value))
			wanted->host = parameter->value;
		else
			ok = false;
		if (!ok) {
			work_fail_parameter(work, parameter->name, "invalidValue");
			return false;
		}
	}
	if (wanted->limit > API_PAGE_MAX)
		wanted->limit = API_PAGE_MAX;
	return true;
}

/* Rows in the order of their time: the table's is that of their slots. */
struct place {
	uint32_t hour;
	uint32_t row;
};

static int
compare_places(const void *a, const void *b)
{
	const struct place *one = a;
	const struct place *other = b;
	return (one->hour > other->hour) - (one->hour < other->hour);
}

static uint32_t
gather(const struct work *work, const struct wanted *wanted, struct place places[USAGE_HOURS_MAX])
{
	const struct objects *objects = work->objects;
	uint32_t count = 0;
	uint32_t at = 0;
	for (uint32_t row; count < USAGE_HOURS_MAX &&
	                   (row = objects_next(objects, OBJECT_USAGE_HOUR, &at)) != 0;) {
		const uint32_t hour = hour_of(objects, row);
		const int64_t from_s = (int64_t)hour * HOUR_S;
		if (from_s + HOUR_S <= wanted->from_s || from_s > wanted->until_s ||
		    (wanted->host.len != 0 && !str_eq_nocase(host_of(objects, row), wanted->host)))
			continue;
		places[count++] = (struct place){ hour, row };
	}
	qsort(places, count, sizeof *places, compare_places);
	return count;
}

struct listing {
	uint32_t total;
	uint32_t count;
	struct usage_sample samples[API_PAGE_MAX];
};

static void
list(const struct work *work, const struct wanted *wanted, struct listing *out)
{
	static struct place places[USAGE_HOURS_MAX];
	const uint32_t rows = gather(work, wanted, places);
	out->total = out->count = 0;
	for (uint32_t i = 0; i < rows; i++) {
		struct str text = samples_of(work->objects, places[i].row);
		struct usage_sample sample;
		while (sample_take(&sample, &text, places[i].hour)) {
			if (sample.time_s < wanted->from_s || sample.time_s > wanted->until_s)
				continue;
			if (out->total++ >= wanted->offset && out->count < wanted->limit)
				out->samples[out->count++] = sample;
		}
	}
}

static void
write_sample(struct work *work, const struct usage_sample *sample)
{
	const struct value time = { .set = true, .time_us = sample->time_s * 1000000 };
	document_item_open(&work->doc, STR("entry"));
	document_value(&work->doc, object_field(OBJECT_LICENSE_USAGE, LICENSE_USAGE_TIME), &time);
	for (unsigned i = 0; i < USAGE_COUNTS; i++) {
		const struct value value = { .set = true, .number = sample->counts[i] };
		document_value(&work->doc,
		               object_field(OBJECT_LICENSE_USAGE, LICENSE_USAGE_PERSONAL + i),
		               &value);
	}
	document_item_close(&work->doc);
}

void
licence_usage_get(struct work *work)
{
	static struct listing listing;
	struct wanted wanted;
	if (!read_wanted(work, &wanted))
		return;
	list(work, &wanted, &listing);
	work->has_body = true;
	document_list_open(&work->doc, STR("MPLicenseUsage"), STR("entry"), listing.total, 0);
	for (uint32_t i = 0; i < listing.count; i++)
		write_sample(work, &listing.samples[i]);
	document_list_close(&work->doc);
}

/* ------------------------------------------------------------------ whose it is */

struct hosts {
	uint32_t count;
	struct guid ids[USAGE_HOSTS_MAX];
};

static void
hosts_add(struct hosts *hosts, const struct guid *id)
{
	for (uint32_t i = 0; i < hosts->count; i++) {
		if (guid_eq(&hosts->ids[i], id))
			return;
	}
	if (hosts->count < USAGE_HOSTS_MAX)
		hosts->ids[hosts->count++] = *id;
}

void
licence_usage_hosts_get(struct work *work)
{
	struct hosts hosts = { .count = 0 };
	uint32_t at = 0;
	hosts_add(&hosts, &work->api->settings.host_id);
	for (uint32_t row; (row = objects_next(work->objects, OBJECT_USAGE_HOUR, &at)) != 0;) {
		struct guid id;
		if (guid_parse(&id, host_of(work->objects, row)))
			hosts_add(&hosts, &id);
	}
	work->has_body = true;
	document_list_open(&work->doc, STR("knownHosts"), STR("host"), hosts.count, 0);
	for (uint32_t i = 0; i < hosts.count; i++) {
		document_item_open(&work->doc, STR("host"));
		document_id(&work->doc, &hosts.ids[i]);
		document_item_close(&work->doc);
	}
	document_list_close(&work->doc);
}
