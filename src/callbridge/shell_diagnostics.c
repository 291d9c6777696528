/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics of a call: what the API would tell of it and of everybody in it, what its parts think
 * of themselves, and what the event log said about it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log_memory.h"
#include "callbridge/shell.h"

enum {
	NAMES_MAX = 1024,   /* of a call and its legs that are looked for in the event log */
	PART_BYTES_MAX = 24 * 1024, /* of what one part of the program tells */
	REST_BYTES = 3 * PART_BYTES_MAX, /* kept for what stands behind the call's legs */
};

static_assert((int)REST_BYTES < (int)API_DIAGNOSTICS_BYTES_MAX, "a call has its place");

/* ---- What the API knows -------------------------------------------------------------------- */

static void
write_fields(const struct shell *shell, struct writer *w, enum object_type type, uint32_t handle)
{
	for (unsigned i = 0; i < object_field_count(type) && !w->failed; i++) {
		const struct field *field = object_field(type, i);
		const struct value value =
			meeting_value(shell->meeting, type, handle, i, loop_now_us());
		if (!value.set || (field->flags & FIELD_SECRET) != 0)
			continue;
		writer_format(w, "    %s%s%s = ", field->group != NULL ? field->group : "",
		              field->group != NULL ? "/" : "", field->name);
		value_write(w, field, &value);
		writer_text(w, "\n");
	}
}

static void
write_legs(const struct shell *shell, struct writer *w, uint32_t call)
{
	uint32_t leg = 0;
	while (!w->failed && (leg = meeting_call_leg_next(shell->meeting, call, leg)) != 0) {
		const struct meeting_leg *pub = meeting_leg(shell->meeting, leg);
		char id[GUID_TEXT_LEN + 1];
		guid_write(id, &pub->id);
		writer_format(w, "\ncall leg %s (call %u)\n", id, pub->number);
		write_fields(shell, w, OBJECT_LEG, leg);
		writer_text(w, "  participant\n");
		write_fields(shell, w, OBJECT_PARTICIPANT, pub->participant);
	}
}

/* As many legs as leave room for the rest. */
static void
write_call(const struct shell *shell, struct writer *w, uint32_t call)
{
	writer_text(w, "\ncall\n");
	write_fields(shell, w, OBJECT_CALL, call);
	if (w->failed || w->cap - w->at <= REST_BYTES)
		return;
	struct writer legs = writer_of(w->bytes + w->at, w->cap - w->at - REST_BYTES);
	write_legs(shell, &legs, call);
	w->at += legs.at;
	if (legs.failed)
		writer_text(w, "\n(and other legs)\n");
}

/* ---- What the event log said --------------------------------------------------------------- */

/* Whose lines belong to the call: its own GUID, those of its legs, and "call 20:".  In order, for a
 * line is looked through once and each name in it searched for. */
struct names {
	unsigned guid_count;
	unsigned number_count;
	struct guid guids[NAMES_MAX];
	uint32_t numbers[NAMES_MAX];
};

static int
compare_guids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct guid));
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32_t x = 0;
	uint32_t y = 0;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

static void
add_guid(struct names *names, const struct guid *id)
{
	if (names->guid_count < NAMES_MAX && !guid_is_zero(id))
		names->guids[names->guid_count++] = *id;
}

static void
find_names(const struct shell *shell, struct names *names, uint32_t call, uint32_t space)
{
	const struct guid space_id =
		objects_id(meeting_objects(shell->meeting), OBJECT_SPACE, space);
	names->guid_count = names->number_count = 0;
	add_guid(names, &space_id);
	if (call != 0)
		add_guid(names, &meeting_call(shell->meeting, call)->id);
	for (uint32_t leg = 0;
	     call != 0 && (leg = meeting_call_leg_next(shell->meeting, call, leg)) != 0;) {
		const struct meeting_leg *pub = meeting_leg(shell->meeting, leg);
		add_guid(names, &pub->id);
		if (names->number_count < NAMES_MAX)
			names->numbers[names->number_count++] = pub->number;
	}
	qsort(names->guids, names->guid_count, sizeof names->guids[0], compare_guids);
	qsort(names->numbers, names->number_count, sizeof names->numbers[0], compare_numbers);
}

/* "call 20:" */
static bool
begins_with_number(const struct names *names, struct str text)
{
	uint32_t number = 0;
	if (!str_starts(text, STR("call ")))
		return false;
	struct str rest = str_sub(text, 5, text.len - 5);
	return str_find(rest, ':') != rest.len && str_u32(str_cut(&rest, ':'), &number) &&
	       bsearch(&number, names->numbers, names->number_count, sizeof number,
	               compare_numbers) != NULL;
}

static bool
begins_with_guid(const struct names *names, struct str text)
{
	struct guid id;
	return text.len >= GUID_TEXT_LEN && text.at[8] == '-' &&
	       guid_parse(&id, str_sub(text, 0, GUID_TEXT_LEN)) &&
	       bsearch(&id, names->guids, names->guid_count, sizeof id, compare_guids) != NULL;
}

static bool
speaks_of(const struct log_memory_line *line, const struct names *names)
{
	const struct str text = str_of(line->text);
	for (size_t i = 0; i < text.len; i++) {
		const struct str rest = str_sub(text, i, text.len - i);
		if (begins_with_number(names, rest) || begins_with_guid(names, rest))
			return true;
	}
	return false;
}

static void
write_log(const struct shell *shell, struct writer *w, uint32_t call, uint32_t space)
{
	static struct names names;
	struct log_memory_line line;
	uint64_t at = 0;
	find_names(shell, &names, call, space);
	writer_text(w, "\nevent log\n");
	while (!w->failed && log_memory_read(shell->log, &at, &line)) {
		const struct field field = { .kind = FIELD_TIME };
		const struct value time = { .set = true, .time_us = line.wall_us };
		if (!speaks_of(&line, &names))
			continue;
		writer_text(w, "    ");
		value_write(w, &field, &time);
		writer_format(w, "  %-7s  %s\n", log_level_name(line.level), line.text);
	}
}

/* ---- All of it ----------------------------------------------------------------------------- */

/* Of a part that tells of everything it has: as much as has its place here. */
static void
write_part(struct writer *w, const char *name, const struct writer *part)
{
	writer_format(w, "\n%s%s\n", name, part->failed ? " (only the beginning)" : "");
	writer_bytes(w, part->bytes, part->at);
}

void
diagnostics_write(void *context, uint32_t call, uint32_t space, struct writer *w)
{
	static char text[PART_BYTES_MAX];
	const struct shell *shell = context;
	const struct meeting_totals totals = meeting_totals(shell->meeting);
	struct writer part = writer_of(text, sizeof text);
	writer_format(w, "Convoke %s, %u calls, %u legs, load %u\n", CONVOKE_VERSION,
	              totals.calls_active, totals.legs_active, totals.load_units);
	if (space != 0) {
		writer_text(w, "\nspace\n");
		write_fields(shell, w, OBJECT_SPACE, space);
	}
	if (call != 0)
		write_call(shell, w, call);
	meeting_dump(shell->meeting, &part);
	write_part(w, "meetings", &part);
	part = writer_of(text, sizeof text);
	sip_ua_dump(shell->ua, &part);
	write_part(w, "SIP", &part);
	write_log(shell, w, call, space);
	/* Text for people: one that is too long has its end cut off. */
	w->failed = false;
}

void
diagnostics_metrics(void *context, struct writer *w)
{
	metrics_write(context, w);
}

/* ---- The event log in memory --------------------------------------------------------------- */

static void
on_line(void *context, enum log_level level, int64_t wall_us, const char *line)
{
	log_write_line(STDERR_FILENO, level, wall_us, line);
	log_memory_put(context, level, wall_us, line);
}

/* Lines go where they went, and into memory. */
bool
diagnostics_open(struct shell *shell)
{
	if (log_memory_create(&shell->log) != 0)
		return component_fail(&shell->component, "not enough memory");
	log_set_sink(on_line, shell->log);
	return true;
}

void
diagnostics_close(struct shell *shell)
{
	if (shell->log != NULL)
		log_set_sink(NULL, NULL);
	log_memory_destroy(shell->log);
}
