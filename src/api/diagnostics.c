/* SPDX-License-Identifier: Apache-2.0 */
/* What an engineer asks for: diagnostics of a call, kept for a while, metrics, and the event log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_internal.h"
#include "base/check.h"
#include "base/log_memory.h"

enum {
	LOG_LINES_USUAL = 100,
	LOG_LINES_MAX = 1000,
	LOG_ITEM_BYTES_MAX = 6 * LOG_LINE_MAX + 512, /* all of it escaped */
	TAIL_BYTES_MAX = 1024,
};

static_assert(API_DIAGNOSTICS_BYTES_MAX <= API_ANSWER_MAX, "contents fit into an answer");

/* ------------------------------------------------------------------ diagnostics */

bool
diagnostics_create(struct diagnostics *all)
{
	all->bytes = malloc((size_t)API_DIAGNOSTICS_MAX * API_DIAGNOSTICS_BYTES_MAX);
	return all->bytes != NULL;
}

void
diagnostics_destroy(struct diagnostics *all)
{
	free(all->bytes);
	all->bytes = NULL;
}

/* Handles are numbers that only grow; the place is found by what is left. */
static struct diagnosis *
find(struct diagnostics *all, uint32_t handle)
{
	struct diagnosis *diagnosis = &all->at[handle % API_DIAGNOSTICS_MAX];
	return handle != 0 && diagnosis->handle == handle ? diagnosis : NULL;
}

uint32_t
diagnostics_find(const struct api *api, const struct guid *id)
{
	for (unsigned i = 0; i < API_DIAGNOSTICS_MAX; i++) {
		const struct diagnosis *diagnosis = &api->diagnostics.at[i];
		if (diagnosis->handle != 0 && guid_eq(&diagnosis->id, id))
			return diagnosis->handle;
	}
	return 0;
}

struct guid
diagnostics_id(const struct api *api, uint32_t handle)
{
	return find((struct diagnostics *)&api->diagnostics, handle)->id;
}

uint32_t
diagnostics_next(const struct api *api, uint32_t *at)
{
	const uint32_t last = api->diagnostics.last;
	const uint32_t first = last > API_DIAGNOSTICS_MAX ? last - API_DIAGNOSTICS_MAX + 1 : 1;
	*at = *at < first ? first : *at;
	return *at <= last ? (*at)++ : 0;
}

struct value
diagnostics_value(const struct api *api, uint32_t handle, unsigned field)
{
	const struct diagnosis *diagnosis = find((struct diagnostics *)&api->diagnostics, handle);
	switch ((enum diagnostics_field)field) {
	case DIAGNOSTICS_LABEL:
		return (struct value){ .set = true, .text = str_of(diagnosis->label) };
	case DIAGNOSTICS_SPACE:
		return (struct value){ .set = !guid_is_zero(&diagnosis->space),
			               .guid = diagnosis->space };
	case DIAGNOSTICS_CORRELATOR:
		return (struct value){ .set = !guid_is_zero(&diagnosis->correlator),
			               .guid = diagnosis->correlator };
	case DIAGNOSTICS_TIME:
		return (struct value){ .set = true, .time_us = diagnosis->wall_us };
	case DIAGNOSTICS_SIZE:
		return (struct value){ .set = true, .number = (uint32_t)diagnosis->len };
	case DIAGNOSTICS_FIELDS:
		break;
	}
	return (struct value){ 0 };
}

/* Two keyed hashes of what never comes twice. */
static struct guid
new_id(struct api *api)
{
	uint64_t halves[2];
	uint8_t bytes[GUID_BYTES];
	const uint64_t seed[] = { ++api->tokens.last, (uint64_t)api->diagnostics.last };
	for (unsigned i = 0; i < COUNT_OF(halves); i++)
		halves[i] = hash_bytes(&api->tokens.keys[i], seed, sizeof seed);
	memcpy(bytes, halves, sizeof bytes);
	return guid_of_random(bytes);
}

/* Of a call, or of a space with the call that runs in it, if one does. */
void
diagnostics_make(struct work *work, uint32_t container)
{
	struct api *api = work->api;
	struct diagnostics *all = &api->diagnostics;
	const bool of_space = work->path.row->inside == OBJECT_SPACE;
	const uint32_t space = of_space ? container
	                                : meeting_call(work->meeting, container)->space;
	const uint32_t call = of_space ? meeting_call_of_space(work->meeting, container)
	                               : container;
	const uint32_t handle = ++all->last;
	struct diagnosis *diagnosis = &all->at[handle % API_DIAGNOSTICS_MAX];
	*diagnosis = (struct diagnosis){ .handle = handle, .id = new_id(api),
		                         .wall_us = work->slot->wall_us,
		                         .space = objects_id(work->objects, OBJECT_SPACE, space) };
	if (call != 0)
		diagnosis->correlator = meeting_call(work->meeting, call)->correlator;
	const struct str name = call != 0
	                                ? str_of(meeting_call(work->meeting, call)->name)
	                                : objects_text(work->objects, OBJECT_SPACE, space,
	                                               SPACE_NAME);
	text_copy_clean(diagnosis->label, sizeof diagnosis->label, name);
	diagnosis->bytes = all->bytes + (size_t)(handle % API_DIAGNOSTICS_MAX) *
	                                        API_DIAGNOSTICS_BYTES_MAX;
	struct writer w = writer_of(diagnosis->bytes, API_DIAGNOSTICS_BYTES_MAX);
	if (api->settings.look.diagnose != NULL)
		api->settings.look.diagnose(api->settings.look.context, call, space, &w);
	diagnosis->len = w.at;
	char id[GUID_TEXT_LEN + 1];
	guid_write(id, &diagnosis->id);
	snprintf(work->slot->location, sizeof work->slot->location,
	         "/api/v1/system/diagnostics/%s", id);
}

/* ------------------------------------------------------------------ plain text */

static struct writer *
begin_plain(struct work *work)
{
	work->has_body = work->plain = true;
	work->doc.w.at = 0;
	return &work->doc.w;
}

void
diagnostics_contents(struct work *work, uint32_t handle)
{
	const struct diagnosis *diagnosis = find(&work->api->diagnostics, handle);
	writer_bytes(begin_plain(work), diagnosis->bytes, diagnosis->len);
}

void
metrics_read(struct work *work)
{
	struct writer *w = begin_plain(work);
	if (work->api->settings.look.metrics != NULL)
		work->api->settings.look.metrics(work->api->settings.look.context, w);
}

/* ------------------------------------------------------------------ the event log */

struct log_question {
	enum log_level level;
	struct str part;
	uint64_t since; /* 0: the newest */
	uint32_t limit;
};

static bool
read_level(enum log_level *out, struct str text)
{
	for (unsigned i = 0; i < LOG_LEVELS; i++) {
		*out = (enum log_level)i;
		if (str_eq_nocase(text, str_of(log_level_name(*out))))
			return true;
	}
	return false;
}

static bool
read_question(struct work *work, struct log_question *out)
{
	*out = (struct log_question){ .level = LOG_DEBUG, .limit = LOG_LINES_USUAL };
	for (unsigned i = 0; i < work->query.count; i++) {
		const struct parameter *parameter = &work->query.at[i];
		bool ok = true;
		if (parameter->value.len == 0)
			continue;
		if (str_eq_nocase(parameter->name, STR("level")))
			ok = read_level(&out->level, parameter->value);
		else if (str_eq_nocase(parameter->name, STR("filter")))
			out->part = parameter->value;
		else if (str_eq_nocase(parameter->name, STR("since")))
			ok = str_u64(parameter->value, &out->since);
		else if (str_eq_nocase(parameter->name, STR("limit")))
			ok = str_u32(parameter->value, &out->limit);
		else
			ok = false;
		if (!ok) {
			work_fail_parameter(work, parameter->name, "invalidValue");
			return false;
		}
	}
	out->limit = out->limit < LOG_LINES_MAX ? out->limit : LOG_LINES_MAX;
	return true;
}

static void
write_line(struct document *doc, const struct log_memory_line *line)
{
	static const struct field fields[] = {
		{ "number", .kind = FIELD_TEXT },
		{ "time", .kind = FIELD_TEXT },
		{ "level", .kind = FIELD_TEXT },
		{ "text", .kind = FIELD_TEXT },
	};
	char number[24];
	char when[40];
	const struct field time = { .kind = FIELD_TIME };
	const struct value at = { .set = true, .time_us = line->wall_us };
	snprintf(number, sizeof number, "%llu", (unsigned long long)line->number);
	/* "2019-05-16T18:42:02Z", with thousandths before the Z. */
	struct writer w = writer_of(when, sizeof when - 1);
	value_write(&w, &time, &at);
	w.at -= w.at != 0;
	writer_format(&w, ".%03dZ", (int)(line->wall_us / 1000 % 1000));
	when[w.at] = '\0';
	const struct str texts[] = { str_of(number), str_of(when),
		                     str_of(log_level_name(line->level)), str_of(line->text) };
	document_item_open(doc, STR("line"));
	for (unsigned i = 0; i < COUNT_OF(fields); i++)
		document_value(doc, &fields[i],
		               &(struct value){ .set = true, .text = texts[i] });
	document_item_close(doc);
}

/* How many match from `at` on; and where those begin that are to be told: the newest, or with
 * `since` the first. */
static uint32_t
count_lines(const struct log_memory *log, const struct log_question *question, uint64_t *first)
{
	uint64_t newest[LOG_LINES_MAX];
	struct log_memory_line line;
	uint64_t at = question->since;
	uint32_t count = 0;
	while (log_memory_read(log, &at, &line)) {
		if (!log_memory_matches(&line, question->level, question->part))
			continue;
		if (question->limit != 0)
			newest[count % question->limit] = line.number;
		count++;
	}
	*first = question->since;
	if (question->since == 0 && question->limit != 0 && count > question->limit)
		*first = newest[count % question->limit];
	return count;
}

void
event_log_read(struct work *work)
{
	struct log_question question;
	struct log_memory_line line;
	const struct log_memory *log = work->api->settings.look.log;
	uint64_t at = 0;
	uint32_t told = 0;
	if (!read_question(work, &question))
		return;
	const uint32_t total = log != NULL ? count_lines(log, &question, &at) : 0;
	work->has_body = true;
	document_list_open(&work->doc, STR("eventLog"), STR("line"), total, 0);
	while (told < question.limit && told < total && log_memory_read(log, &at, &line)) {
		if (!log_memory_matches(&line, question.level, question.part))
			continue;
		if (work->doc.w.cap - work->doc.w.at < LOG_ITEM_BYTES_MAX + TAIL_BYTES_MAX)
			break;
		write_line(&work->doc, &line);
		told++;
	}
	document_list_close(&work->doc);
}
