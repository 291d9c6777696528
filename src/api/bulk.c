/* SPDX-License-Identifier: Apache-2.0 */
/* Spaces by the hundred: a cospaceBulkSync makes, or removes, one for each number of its parameter
 * set.  One transaction of BULK_BATCH spaces is under way at a time, so that other requests get
 * their turn; what a run made before it failed stays, and another run goes on from there. */
#include <stdio.h>

#include "api/api_internal.h"
#include "base/check.h"

enum { TEXT_BYTES_MAX = 512 };

/* ------------------------------------------------------------------ what a space shall be */

/* "$index$" becomes the number. */
static struct str
mapped(struct writer *w, struct str mapping, uint32_t index)
{
	const struct str place = STR("$index$");
	const size_t from = w->at;
	for (size_t i = 0; i < mapping.len;) {
		if (str_starts(str_sub(mapping, i, mapping.len - i), place)) {
			writer_decimal(w, index);
			i += place.len;
		} else {
			writer_u8(w, (uint8_t)mapping.at[i++]);
		}
	}
	return (struct str){ (const char *)w->bytes + from, w->at - from };
}

/* The three texts that differ from space to space. */
struct texts {
	char bytes[3 * TEXT_BYTES_MAX];
};

static enum object_reject
set_mapped(struct object_edit *edit, struct writer *w, struct str mapping, uint32_t index,
           unsigned field)
{
	const struct field *of = object_field(OBJECT_SPACE, field);
	if (mapping.len == 0)
		return OBJECT_OK;
	const struct str text = mapped(w, mapping, index);
	return w->failed ? OBJECT_TOO_LONG
	                 : object_edit_text(edit, FIELD_POST, str_of(of->name), text);
}

static void
set_ref(struct object_edit *edit, const struct objects *objects, uint32_t set, unsigned from,
        unsigned to)
{
	const struct value value = objects_value(objects, OBJECT_BULK_SET, set, from);
	edit->values[to] = value;
	field_set_put(&edit->given, to, true);
}

static enum object_reject
fill(struct object_edit *edit, struct texts *texts, const struct objects *objects, uint32_t set,
     uint32_t index)
{
	static const struct {
		enum bulk_set_field mapping;
		enum space_field field;
	} maps[] = { { BULK_SET_URI, SPACE_URI },
		     { BULK_SET_NAME, SPACE_NAME },
		     { BULK_SET_CALL_ID, SPACE_CALL_ID } };
	struct writer w = writer_of(texts->bytes, sizeof texts->bytes);
	const struct guid id = objects_id(objects, OBJECT_BULK_SET, set);
	for (unsigned i = 0; i < COUNT_OF(maps); i++) {
		const enum object_reject reject = set_mapped(
			edit, &w, objects_text(objects, OBJECT_BULK_SET, set, maps[i].mapping),
			index, maps[i].field);
		if (reject != OBJECT_OK)
			return reject;
	}
	set_ref(edit, objects, set, BULK_SET_TENANT, SPACE_TENANT);
	set_ref(edit, objects, set, BULK_SET_CALL_PROFILE, SPACE_CALL_PROFILE);
	set_ref(edit, objects, set, BULK_SET_CALL_BRANDING, SPACE_CALL_BRANDING);
	set_ref(edit, objects, set, BULK_SET_NON_MEMBER_ACCESS, SPACE_NON_MEMBER_ACCESS);
	edit_set_number(edit, SPACE_AUTO_GENERATED, 1);
	edit_set_guid(edit, SPACE_BULK_SET, &id);
	edit_set_number(edit, SPACE_BULK_INDEX, index);
	return OBJECT_OK;
}

/* ------------------------------------------------------------------ one run */

static enum bulk_status
status_of(enum object_reject reject)
{
	if (reject == OBJECT_DUPLICATE_URI || reject == OBJECT_DUPLICATE_URI_PASSCODE)
		return BULK_FAILED_URI_CONFLICT;
	if (reject == OBJECT_DUPLICATE_ID || reject == OBJECT_DUPLICATE_ID_PASSCODE)
		return BULK_FAILED_CALL_ID_CONFLICT;
	return BULK_FAILED;
}

/* The spaces that earlier runs made, by their number. */
static void
find_made(struct bulk *bulk, const struct objects *objects, const struct guid *set)
{
	uint32_t at = 0;
	memset(bulk->spaces, 0, sizeof bulk->spaces);
	for (uint32_t space; (space = objects_next(objects, OBJECT_SPACE, &at)) != 0;) {
		const struct value of =
			objects_value(objects, OBJECT_SPACE, space, SPACE_BULK_SET);
		const uint32_t index =
			objects_number(objects, OBJECT_SPACE, space, SPACE_BULK_INDEX);
		if (of.set && guid_eq(&of.guid, set) && index >= bulk->first &&
		    index - bulk->first < BULK_RANGE_MAX)
			bulk->spaces[index - bulk->first] = space;
	}
}

/* Takes up a run that waits: what it is to do, or why it cannot. */
static enum bulk_status
begin(struct bulk *bulk, const struct objects *objects)
{
	const struct guid set =
		objects_value(objects, OBJECT_BULK_SYNC, bulk->sync, BULK_SYNC_SET).guid;
	bulk->set = objects_find(objects, OBJECT_BULK_SET, &set);
	if (bulk->set == 0)
		return BULK_FAILED_NO_SET;
	bulk->first = objects_number(objects, OBJECT_BULK_SET, bulk->set, BULK_SET_START);
	bulk->last = objects_number(objects, OBJECT_BULK_SET, bulk->set, BULK_SET_END);
	if (bulk->last < bulk->first)
		return BULK_FAILED_RANGE_INVALID;
	if (bulk->last - bulk->first >= BULK_RANGE_MAX)
		return BULK_FAILED_RANGE_TOO_GREAT;
	bulk->next = bulk->first;
	bulk->version = objects_version(objects, OBJECT_BULK_SET);
	find_made(bulk, objects, &set);
	return BULK_RUNNING;
}

static enum object_reject
one(struct bulk *bulk, struct objects *objects, uint32_t index, bool remove)
{
	struct object_edit edit = { .type = OBJECT_SPACE };
	struct texts texts;
	int culprit = -1;
	uint32_t space = bulk->spaces[index - bulk->first];
	if (!objects_alive(objects, OBJECT_SPACE, space))
		space = 0;
	if (remove)
		return space != 0 ? objects_remove(objects, OBJECT_SPACE, space) : OBJECT_OK;
	const enum object_reject reject = fill(&edit, &texts, objects, bulk->set, index);
	if (reject != OBJECT_OK)
		return reject;
	return space != 0 ? objects_edit(objects, space, &edit, &culprit)
	                  : objects_add(objects, &edit, 0, &space, &culprit);
}

static void
write_status(struct objects *objects, uint32_t sync, enum bulk_status status)
{
	struct object_edit edit = { .type = OBJECT_BULK_SYNC };
	int culprit = -1;
	edit_set_number(&edit, BULK_SYNC_STATUS, status);
	/* It has room: a transaction was just begun or undone. */
	const enum object_reject reject = objects_edit(objects, sync, &edit, &culprit);
	(void)reject;
}

/* As many as one transaction takes; a removal of spaces with much inside takes fewer. */
static enum bulk_status
batch(struct bulk *bulk, struct objects *objects)
{
	const bool remove = objects_number(objects, OBJECT_BULK_SYNC, bulk->sync,
	                                   BULK_SYNC_REMOVE_ALL) != 0;
	const uint32_t from = bulk->next;
	enum object_reject reject = OBJECT_OK;
	objects_begin(objects);
	while (reject == OBJECT_OK && bulk->next <= bulk->last && bulk->next - from < BULK_BATCH) {
		reject = one(bulk, objects, bulk->next, remove);
		bulk->next += reject == OBJECT_OK;
	}
	if (reject == OBJECT_OK)
		return bulk->next > bulk->last ? BULK_COMPLETE : BULK_RUNNING;
	objects_abort(objects);
	objects_begin(objects);
	return status_of(reject);
}

/* The oldest run that is not over; 0: none. */
static uint32_t
find_run(const struct objects *objects)
{
	uint32_t at = 0;
	for (uint32_t sync; (sync = objects_next(objects, OBJECT_BULK_SYNC, &at)) != 0;) {
		if (objects_number(objects, OBJECT_BULK_SYNC, sync, BULK_SYNC_STATUS) <=
		    BULK_RUNNING)
			return sync;
	}
	return 0;
}

bool
bulk_step(struct api *api, struct object_tx *tx)
{
	struct bulk *bulk = &api->bulk;
	struct objects *objects = meeting_objects(api->settings.meeting);
	if (bulk->ticket != 0 || api->database.state != STORE_READY ||
	    objects_count(objects, OBJECT_BULK_SYNC) == 0)
		return false;
	const uint32_t run = find_run(objects);
	if (run == 0 || (bulk->stopped && bulk->stopped_at ==
	                                          objects_version(objects, OBJECT_BULK_SYNC)))
		return false;
	enum bulk_status status = BULK_RUNNING;
	if (run != bulk->sync || bulk->version != objects_version(objects, OBJECT_BULK_SET)) {
		bulk->sync = run;
		status = begin(bulk, objects);
	}
	if (status == BULK_RUNNING)
		status = batch(bulk, objects);
	else
		objects_begin(objects);
	write_status(objects, run, status);
	if (status > BULK_RUNNING)
		bulk->sync = 0;
	*tx = objects_end(objects);
	bulk->ticket = tx->ticket;
	bulk->stopped = tx->ticket == 0;
	bulk->stopped_at = objects_version(objects, OBJECT_BULK_SYNC);
	return tx->ticket != 0;
}

void
bulk_settled(struct api *api, uint64_t ticket, bool ok)
{
	struct bulk *bulk = &api->bulk;
	if (bulk->ticket != ticket)
		return;
	bulk->ticket = 0;
	/* What was lost is found out anew, when something else changes or the database is back: the
	 * store may be ill. */
	if (ok)
		return;
	bulk->sync = 0;
	bulk->stopped = true;
	bulk->stopped_at = objects_version(meeting_objects(api->settings.meeting),
	                                   OBJECT_BULK_SYNC);
}
