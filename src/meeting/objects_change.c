/* SPDX-License-Identifier: Apache-2.0 */
/* Every change goes through one door, change(): it turns an object from one row into another and
 * writes both rows down, the new one for the store and the old one for undoing. */
#include "meeting/objects_internal.h"

/* ------------------------------------------------------------------ rows */

static void
row_write(struct writer *w, const struct object_row *row)
{
	writer_u8(w, (uint8_t)row->type);
	writer_u8(w, row->deleted);
	writer_bytes(w, row->id.bytes, GUID_BYTES);
	writer_bytes(w, row->parent.bytes, GUID_BYTES);
	if (row->deleted)
		return;
	for (unsigned i = 0; i < COUNT_OF(row->given.words); i++)
		writer_u64(w, row->given.words[i]);
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		if (!field_set_has(&row->given, i))
			continue;
		const struct field *field = object_field(row->type, i);
		const struct value *value = &row->values[i];
		if (field_is_number(field)) {
			writer_u32(w, value->number);
		} else if (field->kind == FIELD_GUID) {
			writer_bytes(w, value->guid.bytes, GUID_BYTES);
		} else {
			writer_u16(w, (uint16_t)value->text.len);
			writer_str(w, value->text);
		}
	}
}

static void
guid_read(struct reader *r, struct guid *out)
{
	const uint8_t *bytes = reader_take(r, GUID_BYTES);
	if (bytes != NULL)
		memcpy(out->bytes, bytes, GUID_BYTES);
}

bool
object_row_read(struct reader *r, struct object_row *row)
{
	if (reader_left(r) == 0 || r->failed)
		return false;
	*row = (struct object_row){ 0 };
	const uint8_t type = reader_u8(r);
	row->deleted = reader_u8(r) != 0;
	guid_read(r, &row->id);
	guid_read(r, &row->parent);
	for (unsigned i = 0; !row->deleted && i < COUNT_OF(row->given.words); i++)
		row->given.words[i] = reader_u64(r);
	if (r->failed || type == OBJECT_NONE || type >= OBJECT_KEPT_END)
		return false;
	row->type = (enum object_type)type;
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		if (!field_set_has(&row->given, i))
			continue;
		const struct field *field = object_field(row->type, i);
		struct value *value = &row->values[i];
		value->set = true;
		if (field_is_number(field)) {
			value->number = reader_u32(r);
		} else if (field->kind == FIELD_GUID) {
			guid_read(r, &value->guid);
		} else {
			value->text.len = reader_u16(r);
			value->text.at = (const char *)reader_take(r, value->text.len);
		}
	}
	return !r->failed;
}

/* What an object is now, as a row; texts are borrowed from the pool. */
static void
row_of(const struct objects *objects, enum object_type type, uint32_t handle,
       struct object_row *row)
{
	const struct kept *kept = kept_get(objects, type, handle);
	CHECK(kept != NULL);
	*row = (struct object_row){ .type = type, .id = kept->id, .given = kept->set };
	if (kept->parent != 0)
		row->parent = objects_id(objects, object_describe(type)->parent, kept->parent);
	for (unsigned i = 0; i < object_field_count(type); i++)
		row->values[i] = kept_value(objects, type, kept, i);
}

/* ------------------------------------------------------------------ making a row true */

static void
link_child(struct objects *objects, enum object_type type, uint32_t handle, struct kept *kept)
{
	const enum object_type above = object_describe(type)->parent;
	struct inside *list =
		&kept_get(objects, above, kept->parent)->lists[object_describe(type)->list];
	kept->prev = list->last;
	if (kept->prev != 0)
		kept_get(objects, type, kept->prev)->next = handle;
	else
		list->first = handle;
	list->last = handle;
	list->count++;
}

static void
unlink_child(struct objects *objects, enum object_type type, const struct kept *kept)
{
	const struct object_desc *desc = object_describe(type);
	struct inside *list = &kept_get(objects, desc->parent, kept->parent)->lists[desc->list];
	if (kept->prev != 0)
		kept_get(objects, type, kept->prev)->next = kept->next;
	else
		list->first = kept->next;
	if (kept->next != 0)
		kept_get(objects, type, kept->next)->prev = kept->prev;
	else
		list->last = kept->prev;
	list->count--;
}

static void
clear_values(struct objects *objects, enum object_type type, uint32_t handle, struct kept *kept)
{
	filter_unindex(objects, type, handle);
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if (field_set_has(&kept->set, i) && !field_is_number(object_field(type, i)))
			text_pool_free(&objects->texts, kept->numbers[i]);
	}
	kept->set = (struct field_set){ 0 };
}

static bool
set_values(struct objects *objects, struct kept *kept, const struct object_row *row)
{
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		if (!field_set_has(&row->given, i))
			continue;
		const struct field *field = object_field(row->type, i);
		const struct value *value = &row->values[i];
		if (field_is_number(field)) {
			kept->numbers[i] = value->number;
		} else {
			const struct str text =
				field->kind == FIELD_GUID
					? (struct str){ (const char *)value->guid.bytes,
				                        GUID_BYTES }
					: value->text;
			kept->numbers[i] = text_pool_put(&objects->texts, text);
			if (kept->numbers[i] == 0)
				return false;
		}
		field_set_put(&kept->set, i, true);
	}
	return true;
}

static void
drop(struct objects *objects, enum object_type type, uint32_t handle)
{
	struct kept *kept = kept_get(objects, type, handle);
	CHECK(kept != NULL);
	for (unsigned i = 0; i < OBJECT_LISTS_MAX; i++)
		CHECK(kept->lists[i].count == 0);
	address_unindex(objects, type, handle, kept);
	clear_values(objects, type, handle, kept);
	if (kept->parent != 0)
		unlink_child(objects, type, kept);
	map_remove(&objects->tables[type].ids, objects_id_hash(objects, &kept->id), handle);
	slab_free(&objects->tables[type].slab, handle);
}

static struct kept *
make(struct objects *objects, const struct object_row *row, uint32_t *handle)
{
	struct table *table = &objects->tables[row->type];
	const enum object_type above = object_describe(row->type)->parent;
	const uint32_t parent =
		above != OBJECT_NONE ? objects_find(objects, above, &row->parent) : 0;
	if (above != OBJECT_NONE && parent == 0)
		return NULL;
	struct kept *kept = slab_take(&table->slab, handle);
	if (kept == NULL)
		return NULL;
	kept->id = row->id;
	kept->parent = parent;
	const bool put = map_put(&table->ids, objects_id_hash(objects, &row->id), *handle);
	CHECK(put); /* as many entries as slots */
	if (parent != 0)
		link_child(objects, row->type, *handle, kept);
	return kept;
}

enum object_reject
row_apply(struct objects *objects, const struct object_row *row)
{
	objects->versions[row->type]++;
	uint32_t handle = objects_find(objects, row->type, &row->id);
	if (row->deleted) {
		if (handle != 0)
			drop(objects, row->type, handle);
		return OBJECT_OK;
	}
	struct kept *kept = handle != 0 ? kept_get(objects, row->type, handle)
	                                : make(objects, row, &handle);
	if (kept == NULL)
		return OBJECT_FULL;
	address_unindex(objects, row->type, handle, kept);
	clear_values(objects, row->type, handle, kept);
	return set_values(objects, kept, row) &&
			       filter_index(objects, row->type, handle, kept) &&
			       address_index(objects, row->type, handle, kept)
	               ? OBJECT_OK
	               : OBJECT_FULL;
}

/* ------------------------------------------------------------------ transactions */

static struct pending *
pending_at(struct objects *objects, uint32_t n)
{
	return &objects->pending[(objects->pending_first + n) % TX_PENDING_MAX];
}

void
objects_begin(struct objects *objects)
{
	CHECK(!objects->open);
	objects->open = true;
	objects->changes = 0;
	objects->refused = objects->pending_count == TX_PENDING_MAX;
	if (objects->refused)
		return;
	struct pending *pending = pending_at(objects, objects->pending_count);
	objects->forward = writer_of(pending->forward, sizeof pending->forward);
	objects->back = writer_of(pending->back, sizeof pending->back);
}

/* The one door.  `after` may borrow texts of the object itself: they are written down before the
 * object changes. */
static enum object_reject
change(struct objects *objects, const struct object_row *after)
{
	CHECK(objects->open);
	if (objects->refused || objects->changes == TX_CHANGES_MAX)
		return OBJECT_FULL;
	const size_t forward_at = objects->forward.at;
	const size_t back_at = objects->back.at;
	const uint32_t handle = objects_find(objects, after->type, &after->id);
	if (handle != 0)
		row_of(objects, after->type, handle, &objects->before);
	else
		objects->before = (struct object_row){ .type = after->type, .id = after->id,
			                               .deleted = true };
	row_write(&objects->forward, after);
	row_write(&objects->back, &objects->before);

	enum object_reject reject = OBJECT_FULL;
	if (!objects->forward.failed && !objects->back.failed) {
		struct reader r = reader_of(objects->forward.bytes + forward_at,
		                            objects->forward.at - forward_at);
		const bool read = object_row_read(&r, &objects->undo);
		CHECK(read);
		reject = row_apply(objects, &objects->undo);
		if (reject != OBJECT_OK) {
			r = reader_of(objects->back.bytes + back_at, objects->back.at - back_at);
			const bool again = object_row_read(&r, &objects->undo);
			CHECK(again);
			const enum object_reject restored = row_apply(objects, &objects->undo);
			CHECK(restored == OBJECT_OK);
		}
	}
	if (reject != OBJECT_OK) {
		objects->forward.at = forward_at;
		objects->back.at = back_at;
		objects->forward.failed = objects->back.failed = false;
		return reject;
	}
	objects->changes++;
	return OBJECT_OK;
}

static enum object_reject
overlay(const struct objects *objects, struct object_row *row, const struct object_edit *edit,
        int *culprit)
{
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		const struct field *field = object_field(row->type, i);
		if (!edit_has(edit, i) || (field->flags & FIELD_KEPT) == 0)
			continue;
		const struct value *value = &edit->values[i];
		*culprit = (int)i;
		if (value->set && field->kind == FIELD_GUID &&
		    objects_find(objects, field->ref, &value->guid) == 0)
			return OBJECT_NO_REFERENCE;
		row->values[i] = *value;
		field_set_put(&row->given, i, value->set);
	}
	*culprit = -1;
	return OBJECT_OK;
}

static enum object_reject
put(struct objects *objects, const struct object_edit *edit, uint32_t self, int *culprit)
{
	struct made_values made;
	struct object_row *row = &objects->row;
	enum object_reject reject = overlay(objects, row, edit, culprit);
	if (reject == OBJECT_OK)
		reject = row_complete(objects, &made, row, edit);
	if (reject == OBJECT_OK)
		reject = row_check(objects, row, self, culprit);
	if (reject == OBJECT_OK)
		reject = row_welcome(objects, row, edit, self, culprit);
	if (reject == OBJECT_OK)
		reject = change(objects, row);
	explicit_bzero(&made, sizeof made);
	return reject;
}

enum object_reject
objects_add(struct objects *objects, const struct object_edit *edit, uint32_t parent,
            uint32_t *handle, int *culprit)
{
	const struct object_desc *desc = object_describe(edit->type);
	uint8_t random[GUID_BYTES];
	objects_random(objects, random, sizeof random);
	objects->row = (struct object_row){ .type = edit->type, .id = guid_of_random(random) };
	*culprit = -1;
	*handle = 0;
	if (desc->parent == OBJECT_NONE && desc->most != 0 &&
	    objects_count(objects, edit->type) >= desc->most)
		return OBJECT_TOO_MANY;
	if (desc->parent != OBJECT_NONE) {
		const struct kept *owner = kept_get(objects, desc->parent, parent);
		CHECK(owner != NULL);
		if (owner->lists[desc->list].count == desc->most)
			return OBJECT_FULL;
		objects->row.parent = owner->id;
	}
	const enum object_reject reject = put(objects, edit, 0, culprit);
	if (reject == OBJECT_OK)
		*handle = objects_find(objects, edit->type, &objects->row.id);
	return reject;
}

enum object_reject
objects_edit(struct objects *objects, uint32_t handle, const struct object_edit *edit,
             int *culprit)
{
	row_of(objects, edit->type, handle, &objects->row);
	return put(objects, edit, handle, culprit);
}

static enum object_reject
remove_one(struct objects *objects, enum object_type type, uint32_t handle)
{
	objects->row = (struct object_row){ .type = type, .deleted = true,
		                            .id = objects_id(objects, type, handle) };
	return change(objects, &objects->row);
}

/* What lies inside goes first, the last of it before the first, so that undoing keeps the order.
 * When there is no room to write it all down, what has gone comes back with objects_abort(): the
 * caller gets FULL and aborts. */
enum object_reject
objects_remove(struct objects *objects, enum object_type type, uint32_t handle)
{
	const struct kept *kept = kept_get(objects, type, handle);
	CHECK(kept != NULL);
	for (unsigned inner = OBJECT_NONE + 1; inner < OBJECT_KEPT_END; inner++) {
		const struct object_desc *desc = object_describe((enum object_type)inner);
		while (desc->parent == type && kept->lists[desc->list].count != 0) {
			const enum object_reject reject =
				remove_one(objects, (enum object_type)inner,
			                   kept->lists[desc->list].last);
			if (reject != OBJECT_OK)
				return reject;
		}
	}
	return remove_one(objects, type, handle);
}

struct object_tx
objects_end(struct objects *objects)
{
	CHECK(objects->open);
	objects->open = false;
	if (objects->refused || objects->forward.at == 0)
		return (struct object_tx){ 0 };
	struct pending *pending = pending_at(objects, objects->pending_count);
	pending->ticket = ++objects->ticket_last;
	pending->forward_len = objects->forward.at;
	pending->back_len = objects->back.at;
	objects->pending_count++;
	return (struct object_tx){ .ticket = pending->ticket, .epoch = objects->epoch,
		                   .bytes = pending->forward, .len = pending->forward_len };
}

/* Applies the rows that were, last one first. */
static void
undo(struct objects *objects, const uint8_t *bytes, size_t len)
{
	size_t starts[TX_CHANGES_MAX];
	unsigned count = 0;
	struct reader r = reader_of(bytes, len);
	for (size_t at = 0; object_row_read(&r, &objects->undo); at = r.at) {
		CHECK(count < COUNT_OF(starts));
		starts[count++] = at;
	}
	CHECK(r.at == len);
	while (count-- > 0) {
		r = reader_of(bytes, len);
		reader_skip(&r, starts[count]);
		const bool read = object_row_read(&r, &objects->undo);
		CHECK(read);
		const enum object_reject reject = row_apply(objects, &objects->undo);
		CHECK(reject == OBJECT_OK);
	}
}

void
objects_abort(struct objects *objects)
{
	CHECK(objects->open);
	objects->open = false;
	if (!objects->refused && objects->back.at != 0)
		undo(objects, objects->back.bytes, objects->back.at);
}

static void
settle_kept(struct objects *objects, uint64_t ticket)
{
	struct pending *first = pending_at(objects, 0);
	CHECK(objects->pending_count != 0 && first->ticket == ticket);
	explicit_bzero(first->forward, first->forward_len);
	explicit_bzero(first->back, first->back_len);
	objects->pending_first = (objects->pending_first + 1) % TX_PENDING_MAX;
	objects->pending_count--;
}

void
objects_settled(struct objects *objects, uint64_t ticket, bool ok)
{
	CHECK(!objects->open);
	if (ok) {
		settle_kept(objects, ticket);
		return;
	}
	/* Nothing is left when it was undone with an earlier one.  What came before it may still
	 * be kept: a transaction that the store had no room for fails alone. */
	bool any = false;
	while (objects->pending_count != 0) {
		const struct pending *last = pending_at(objects, objects->pending_count - 1);
		if (last->ticket < ticket)
			break;
		objects->pending_count--;
		undo(objects, last->back, last->back_len);
		any = true;
	}
	objects->epoch += any;
}

enum object_reject
objects_load_row(struct objects *objects, const struct object_row *row)
{
	CHECK(!objects->open && objects->pending_count == 0 && !row->deleted);
	const struct object_desc *desc = object_describe(row->type);
	const uint32_t self = objects_find(objects, row->type, &row->id);
	int culprit = -1;
	if (desc->parent != OBJECT_NONE) {
		const uint32_t parent = objects_find(objects, desc->parent, &row->parent);
		if (parent == 0)
			return OBJECT_NO_REFERENCE;
		if (kept_get(objects, desc->parent, parent)->lists[desc->list].count == desc->most)
			return OBJECT_FULL;
	}
	const bool single = desc->single;
	if (single ? !guid_is_zero(&row->id) : self != 0)
		return OBJECT_BAD_VALUE;
	enum object_reject reject = row_check(objects, row, self, &culprit);
	if (reject == OBJECT_OK)
		reject = row_apply(objects, row);
	if (reject == OBJECT_FULL && !single) {
		const uint32_t half = objects_find(objects, row->type, &row->id);
		if (half != 0)
			drop(objects, row->type, half);
	}
	return reject;
}
