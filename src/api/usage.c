/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a profile: the fields that can refer to one are found in the descriptions. */
#include <stdio.h>

#include "api/api_internal.h"
#include "base/check.h"

/* The first field at or behind `from` that can name an object of type `profile`; -1: none. */
static int
next_ref(enum object_type type, enum object_type profile, unsigned from)
{
	for (unsigned i = from; i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		if (field->kind == FIELD_GUID && field->ref == profile &&
		    (field->flags & FIELD_KEPT) != 0)
			return (int)i;
	}
	return -1;
}

static bool
refers(const struct work *work, enum object_type type, uint32_t handle, enum object_type profile,
       const struct guid *id)
{
	for (int i = -1; (i = next_ref(type, profile, (unsigned)(i + 1))) >= 0;) {
		const struct value value =
			objects_value(work->objects, type, handle, (unsigned)i);
		if (value.set && guid_eq(&value.guid, id))
			return true;
	}
	return false;
}

/* The next object of that type that uses it; 0 at the end. */
static uint32_t
next_user(const struct work *work, enum object_type type, uint32_t *at, const struct guid *id)
{
	uint32_t handle;
	do
		handle = objects_next(work->objects, type, at);
	while (handle != 0 && !refers(work, type, handle, work->path.row->type, id));
	return handle;
}

/* At most `most` of one type; how many it were. */
static uint32_t
write_users(struct work *work, enum object_type type, const struct guid *id, uint32_t most)
{
	const struct object_desc *desc = object_describe(type);
	struct document *doc = &work->doc;
	uint32_t written = 0;
	uint32_t at = 0;
	for (uint32_t handle; written < most; written++) {
		handle = next_user(work, type, &at, id);
		if (handle == 0)
			break;
		if (written == 0)
			document_users_open(doc, str_of(desc->collection), str_of(desc->singular));
		const struct guid user_id = objects_id(work->objects, type, handle);
		document_item_open(doc, str_of(desc->singular));
		document_id(doc, &user_id);
		document_item_close(doc);
	}
	if (written != 0)
		document_list_close(doc);
	return written;
}

void
usage_get(struct work *work)
{
	char name[64];
	const struct guid *id = &work->path.ids[0];
	const enum object_type profile = work->path.row->type;
	const uint32_t system = objects_single(work->objects, OBJECT_SYSTEM_PROFILES);
	const bool global = refers(work, OBJECT_SYSTEM_PROFILES, system, profile, id);
	uint32_t total = global;
	for (unsigned t = OBJECT_NONE + 1; t < OBJECT_KEPT_END; t++) {
		const enum object_type type = (enum object_type)t;
		uint32_t at = 0;
		while (type != OBJECT_SYSTEM_PROFILES && next_ref(type, profile, 0) >= 0 &&
		       next_user(work, type, &at, id) != 0)
			total++;
	}
	work->has_body = true;
	snprintf(name, sizeof name, "%sUsage", object_describe(profile)->singular);
	document_open(&work->doc, str_of(name));
	document_id(&work->doc, id);
	document_total(&work->doc, total);
	uint32_t written = global;
	if (global) {
		document_open(&work->doc, STR("global"));
		document_close(&work->doc);
	}
	for (unsigned t = OBJECT_NONE + 1; t < OBJECT_KEPT_END; t++) {
		const enum object_type type = (enum object_type)t;
		if (type != OBJECT_SYSTEM_PROFILES && next_ref(type, profile, 0) >= 0)
			written += write_users(work, type, id, API_PAGE_MAX - written);
	}
	document_close(&work->doc);
}

bool
usage_possible(enum object_type profile)
{
	return next_ref(OBJECT_SYSTEM_PROFILES, profile, 0) >= 0;
}

/* Of each object of that type, what it refers to in `field`. */
static void
mark_field(const struct work *work, enum object_type type, unsigned field, uint64_t *marks)
{
	uint32_t at = 0;
	for (uint32_t handle; (handle = objects_next(work->objects, type, &at)) != 0;) {
		const uint32_t used = objects_ref(work->objects, type, handle, field);
		if (used != 0)
			marks[slab_index(used) / 64] |= UINT64_C(1) << slab_index(used) % 64;
	}
}

void
usage_mark(const struct work *work, enum object_type profile, uint64_t *marks)
{
	memset(marks, 0, USAGE_MARKS * sizeof *marks);
	for (unsigned t = OBJECT_NONE + 1; t < OBJECT_KEPT_END; t++) {
		const enum object_type type = (enum object_type)t;
		for (int i = -1; (i = next_ref(type, profile, (unsigned)(i + 1))) >= 0;)
			mark_field(work, type, (unsigned)i, marks);
	}
}
