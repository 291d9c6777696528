/* SPDX-License-Identifier: Apache-2.0 */
/* The kept objects: making the tables, reading them, and finding by address. */
#include <errno.h>
#include <stdlib.h>

#include "meeting/objects_internal.h"

enum {
	SPACES_USUAL = 100000,
	OTHERS_USUAL = 10000,
	TEXT_BYTES_USUAL = 64 * 1024 * 1024,
};

/* ------------------------------------------------------------------ making and breaking */

static bool
has_addresses(enum object_type type)
{
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & FIELD_ADDRESS) != 0)
			return true;
	}
	return false;
}

static int
table_create(struct objects *objects, enum object_type type)
{
	const struct object_limits *limits = &objects->settings.limits;
	const struct object_desc *desc = object_describe(type);
	const uint32_t cap = desc->single ? 1
	                     : desc->many ? limits->spaces_max
	                                  : limits->others_max;
	struct table *table = &objects->tables[type];
	int rc = slab_create(&table->slab,
	                     sizeof(struct kept) + object_field_count(type) * sizeof(uint32_t),
	                     cap);
	if (rc == 0)
		rc = map_create(&table->ids, cap);
	/* A space has a uri, often a call ID and an owner, rarely a second uri. */
	if (rc == 0 && has_addresses(type))
		rc = map_create(&table->addresses, cap * 7 / 2 + 1);
	return rc == 0 ? filter_create(table, type, cap) : rc;
}

int
objects_create(struct objects **out, const struct objects_settings *settings)
{
	CHECK(settings->random != NULL);
	struct objects *objects = calloc(1, sizeof *objects);
	if (objects == NULL)
		return -ENOMEM;
	objects->settings = *settings;
	struct object_limits *limits = &objects->settings.limits;
	if (limits->spaces_max == 0)
		limits->spaces_max = SPACES_USUAL;
	if (limits->others_max == 0)
		limits->others_max = OTHERS_USUAL;
	if (limits->text_bytes_max == 0)
		limits->text_bytes_max = TEXT_BYTES_USUAL;

	int rc = text_pool_create(&objects->texts, limits->text_bytes_max);
	if (rc == 0)
		rc = text_pool_create(&objects->lines, limits->text_bytes_max);
	for (unsigned type = OBJECT_NONE + 1; rc == 0 && type < OBJECT_KEPT_END; type++)
		rc = table_create(objects, (enum object_type)type);
	if (rc == 0) {
		objects->pending = calloc(TX_PENDING_MAX, sizeof *objects->pending);
		rc = objects->pending != NULL ? 0 : -ENOMEM;
	}
	if (rc != 0) {
		objects_destroy(objects);
		return rc;
	}
	for (unsigned type = OBJECT_NONE + 1; type < OBJECT_KEPT_END; type++) {
		if (!object_describe((enum object_type)type)->single)
			continue;
		objects->row = (struct object_row){ .type = (enum object_type)type };
		const enum object_reject reject = row_apply(objects, &objects->row);
		CHECK(reject == OBJECT_OK);
	}
	*out = objects;
	return 0;
}

void
objects_destroy(struct objects *objects)
{
	if (objects == NULL)
		return;
	for (unsigned type = OBJECT_NONE + 1; type < OBJECT_KEPT_END; type++) {
		slab_destroy(&objects->tables[type].slab);
		map_destroy(&objects->tables[type].ids);
		map_destroy(&objects->tables[type].addresses);
		free(objects->tables[type].lines);
	}
	if (objects->texts.bytes != NULL)
		explicit_bzero(objects->texts.bytes,
		               (size_t)objects->texts.used * TEXT_POOL_UNIT_BYTES);
	text_pool_destroy(&objects->texts);
	text_pool_destroy(&objects->lines);
	free(objects->pending);
	free(objects);
}

/* ------------------------------------------------------------------ reading */

static const struct table *
table_of(const struct objects *objects, enum object_type type)
{
	CHECK(type > OBJECT_NONE && type < OBJECT_KEPT_END);
	return &objects->tables[type];
}

struct kept *
kept_get(const struct objects *objects, enum object_type type, uint32_t handle)
{
	return slab_get(&table_of(objects, type)->slab, handle);
}

uint64_t
objects_id_hash(const struct objects *objects, const struct guid *id)
{
	return hash_bytes(&objects->settings.hash_key, id->bytes, sizeof id->bytes);
}

uint32_t
objects_find(const struct objects *objects, enum object_type type, const struct guid *id)
{
	const struct table *table = table_of(objects, type);
	struct map_cursor cursor = map_find(&table->ids, objects_id_hash(objects, id));
	for (uint32_t handle; (handle = map_next(&table->ids, &cursor)) != 0;) {
		if (guid_eq(&kept_get(objects, type, handle)->id, id))
			return handle;
	}
	return 0;
}

uint32_t
objects_single(const struct objects *objects, enum object_type type)
{
	CHECK(object_describe(type)->single);
	return objects_find(objects, type, &(struct guid){ 0 });
}

bool
objects_alive(const struct objects *objects, enum object_type type, uint32_t handle)
{
	return kept_get(objects, type, handle) != NULL;
}

uint32_t
objects_count(const struct objects *objects, enum object_type type)
{
	return table_of(objects, type)->slab.count;
}

uint32_t
objects_next(const struct objects *objects, enum object_type type, uint32_t *at)
{
	return slab_next(&table_of(objects, type)->slab, at);
}

uint32_t
objects_next_inside(const struct objects *objects, enum object_type type, uint32_t parent,
                    uint32_t previous)
{
	const struct object_desc *desc = object_describe(type);
	CHECK(desc->parent != OBJECT_NONE);
	if (previous == 0) {
		const struct kept *owner = kept_get(objects, desc->parent, parent);
		return owner != NULL ? owner->lists[desc->list].first : 0;
	}
	const struct kept *kept = kept_get(objects, type, previous);
	return kept != NULL ? kept->next : 0;
}

struct guid
objects_id(const struct objects *objects, enum object_type type, uint32_t handle)
{
	const struct kept *kept = kept_get(objects, type, handle);
	return kept != NULL ? kept->id : (struct guid){ 0 };
}

uint32_t
objects_parent(const struct objects *objects, enum object_type type, uint32_t handle)
{
	const struct kept *kept = kept_get(objects, type, handle);
	return kept != NULL ? kept->parent : 0;
}

struct value
kept_value(const struct objects *objects, enum object_type type, const struct kept *kept,
           unsigned at)
{
	struct value value = { 0 };
	if (!field_set_has(&kept->set, at))
		return value;
	const struct field *field = object_field(type, at);
	value.set = true;
	if (field_is_number(field)) {
		value.number = kept->numbers[at];
		return value;
	}
	const struct str text = text_pool_get(&objects->texts, kept->numbers[at]);
	if (field->kind == FIELD_GUID) {
		CHECK(text.len == GUID_BYTES);
		memcpy(value.guid.bytes, text.at, GUID_BYTES);
	} else {
		value.text = text;
	}
	return value;
}

/* Whoever has this JID. */
static struct value
user_of(const struct objects *objects, struct str jid)
{
	const uint32_t user = objects_find_address(objects, OBJECT_USER, jid);
	return (struct value){ .set = user != 0, .guid = objects_id(objects, OBJECT_USER, user) };
}

/* What is not kept but follows from what is. */
static struct value
derived_value(const struct objects *objects, enum object_type type, const struct kept *kept,
              unsigned field)
{
	if (type == OBJECT_SPACE && field == SPACE_METHOD_COUNT)
		return (struct value){ .set = true, .number = kept->lists[0].count };
	if (type == OBJECT_SPACE && field == SPACE_OWNER_ID)
		return user_of(objects, kept_value(objects, type, kept, SPACE_OWNER_JID).text);
	if (type == OBJECT_MEMBER && field == MEMBER_USER_ID)
		return user_of(objects, kept_value(objects, type, kept, MEMBER_JID).text);
	if (type == OBJECT_SPACE_TEMPLATE && field == SPACE_TEMPLATE_METHOD_COUNT)
		return (struct value){ .set = true, .number = kept->lists[0].count };
	if (type == OBJECT_LAYOUT_TEMPLATE && field == LAYOUT_TEMPLATE_SIZE) {
		const struct str text = kept_value(objects, type, kept, LAYOUT_TEMPLATE_TEXT).text;
		return (struct value){ .set = true, .number = (uint32_t)text.len };
	}
	return (struct value){ 0 };
}

struct value
objects_value(const struct objects *objects, enum object_type type, uint32_t handle,
              unsigned field)
{
	const struct kept *kept = kept_get(objects, type, handle);
	if (kept == NULL)
		return (struct value){ 0 };
	return (object_field(type, field)->flags & FIELD_KEPT) != 0
	               ? kept_value(objects, type, kept, field)
	               : derived_value(objects, type, kept, field);
}

struct str
objects_text(const struct objects *objects, enum object_type type, uint32_t handle,
             unsigned field)
{
	const struct value value = objects_value(objects, type, handle, field);
	return value.text.len != 0 ? value.text : STR("");
}

uint32_t
objects_number(const struct objects *objects, enum object_type type, uint32_t handle,
               unsigned field)
{
	const struct value value = objects_value(objects, type, handle, field);
	return value.set ? value.number : object_field(type, field)->fallback;
}

uint32_t
objects_ref(const struct objects *objects, enum object_type type, uint32_t handle,
            unsigned field)
{
	const struct value value = objects_value(objects, type, handle, field);
	const enum object_type ref = object_field(type, field)->ref;
	return value.set ? objects_find(objects, ref, &value.guid) : 0;
}

uint64_t
objects_version(const struct objects *objects, enum object_type type)
{
	CHECK(type > OBJECT_NONE && type < OBJECT_KEPT_END);
	return objects->versions[type];
}

/* ------------------------------------------------------------------ the address index */

enum { INDEXED = FIELD_ADDRESS | FIELD_OWNER };

static uint64_t
address_hash(const struct objects *objects, struct str address)
{
	char folded[OBJECT_TEXT_MAX];
	if (address.len > sizeof folded)
		return 0;
	for (size_t i = 0; i < address.len; i++)
		folded[i] = str_lower(address.at[i]);
	return hash_bytes(&objects->settings.hash_key, folded, address.len);
}

/* The object's `n`th different text in fields that have one of `flags`, or an empty view behind the
 * last. */
static struct str
kept_indexed(const struct objects *objects, enum object_type type, const struct kept *kept,
             unsigned flags, unsigned n)
{
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & flags) == 0 || !field_set_has(&kept->set, i))
			continue;
		const struct str text = kept_value(objects, type, kept, i).text;
		bool seen = false;
		for (unsigned j = 0; j < i && !seen; j++)
			seen = (object_field(type, j)->flags & flags) != 0 &&
			       str_eq_nocase(kept_value(objects, type, kept, j).text, text);
		if (!seen && n-- == 0)
			return text;
	}
	return (struct str){ 0 };
}

void
address_unindex(struct objects *objects, enum object_type type, uint32_t handle,
        const struct kept *kept)
{
	struct str address;
	for (unsigned n = 0; (address = kept_indexed(objects, type, kept, INDEXED, n)).len != 0; n++)
		map_remove(&objects->tables[type].addresses, address_hash(objects, address),
		           handle);
}

bool
address_index(struct objects *objects, enum object_type type, uint32_t handle,
                const struct kept *kept)
{
	struct str address;
	for (unsigned n = 0; (address = kept_indexed(objects, type, kept, INDEXED, n)).len != 0; n++) {
		if (!map_put(&objects->tables[type].addresses, address_hash(objects, address),
		             handle))
			return false;
	}
	return true;
}

static uint32_t
next_indexed(const struct objects *objects, enum object_type type, unsigned flags,
             struct str address, struct address_cursor *cursor)
{
	const struct table *table = table_of(objects, type);
	CHECK(table->addresses.entries != NULL);
	if (address.len == 0)
		return 0;
	if (!cursor->started)
		cursor->at = map_find(&table->addresses, address_hash(objects, address));
	cursor->started = true;
	for (uint32_t handle; (handle = map_next(&table->addresses, &cursor->at)) != 0;) {
		const struct kept *kept = kept_get(objects, type, handle);
		struct str own;
		for (unsigned n = 0; (own = kept_indexed(objects, type, kept, flags, n)).len != 0; n++) {
			if (str_eq_nocase(own, address))
				return handle;
		}
	}
	return 0;
}

uint32_t
objects_next_address(const struct objects *objects, enum object_type type, struct str address,
                     struct address_cursor *cursor)
{
	return next_indexed(objects, type, FIELD_ADDRESS, address, cursor);
}

uint32_t
objects_next_owned(const struct objects *objects, enum object_type type, struct str owner,
                   struct address_cursor *cursor)
{
	return next_indexed(objects, type, FIELD_OWNER, owner, cursor);
}

uint32_t
objects_find_address(const struct objects *objects, enum object_type type, struct str address)
{
	struct address_cursor cursor = { 0 };
	return objects_next_address(objects, type, address, &cursor);
}
