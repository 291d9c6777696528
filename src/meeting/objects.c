/* SPDX-License-Identifier: Apache-2.0 */
/* The kept objects: one slab per type, numbers in the slot, texts and GUIDs in the text pool.
 *
 * Every change goes through one door, change(): it turns an object from one row into another and
 * writes both rows down, the new one for the store and the old one for undoing. */
#include "meeting/object.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/slab.h"
#include "meeting/text_pool.h"

enum {
	SPACES_USUAL = 100000,
	OTHERS_USUAL = 10000,
	TEXT_BYTES_USUAL = 64 * 1024 * 1024,
	TX_CHANGES_MAX = SPACE_METHODS_MAX + 2,
	CALL_ID_DIGITS = 9,
	CALL_ID_TRIES_MAX = 64,
	SECRET_BYTES = 16, /* 22 characters, as CMS makes them */
	SECRET_LEN = 22,
};

static_assert((int)OBJECT_TEXT_MAX <= (int)TEXT_POOL_LEN_MAX, "every text fits a piece");

struct kept {
	struct guid id;
	uint32_t parent;
	uint32_t next; /* sibling under the same parent */
	uint32_t prev;
	uint32_t first_child;
	uint32_t last_child;
	uint32_t children;
	uint64_t set;
	uint32_t numbers[]; /* per field: the number, or a text pool reference */
};

struct table {
	struct slab slab;
	struct map ids;
	struct map addresses; /* of a type without address fields: zeroed */
};

struct pending {
	uint64_t ticket;
	size_t forward_len;
	size_t back_len;
	uint8_t forward[TX_BYTES_MAX];
	uint8_t back[TX_BYTES_MAX];
};

struct objects {
	struct objects_settings settings;
	struct text_pool texts;
	struct table tables[OBJECT_KEPT_END];
	struct pending *pending; /* a ring of TX_PENDING_MAX */
	uint32_t pending_first;
	uint32_t pending_count;
	bool open;               /* between begin and end */
	bool refused;            /* no room for the open transaction */
	struct writer forward;
	struct writer back;
	uint64_t ticket_last;
	uint64_t versions[OBJECT_KEPT_END];
	uint32_t epoch;
	uint32_t changes;        /* in the open transaction */
	struct object_row row;    /* scratch: what an object shall be */
	struct object_row before; /* scratch: what it was */
	struct object_row undo;   /* scratch: a row read back */
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
	const bool many = type == OBJECT_SPACE || type == OBJECT_METHOD;
	const uint32_t cap = object_describe(type)->single ? 1
	                     : many                        ? limits->spaces_max
	                                                   : limits->others_max;
	struct table *table = &objects->tables[type];
	int rc = slab_create(&table->slab,
	                     sizeof(struct kept) + object_field_count(type) * sizeof(uint32_t),
	                     cap);
	if (rc == 0)
		rc = map_create(&table->ids, cap);
	/* A space has a uri, often a call ID, rarely a second uri. */
	if (rc == 0 && has_addresses(type))
		rc = map_create(&table->addresses, cap * 5 / 2 + 1);
	return rc;
}

static enum object_reject apply(struct objects *objects, const struct object_row *row);

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
		const enum object_reject reject = apply(objects, &objects->row);
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
	}
	if (objects->texts.bytes != NULL)
		explicit_bzero(objects->texts.bytes,
		               (size_t)objects->texts.used * TEXT_POOL_UNIT_BYTES);
	text_pool_destroy(&objects->texts);
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

static struct kept *
kept_get(const struct objects *objects, enum object_type type, uint32_t handle)
{
	return slab_get(&table_of(objects, type)->slab, handle);
}

static uint64_t
id_hash(const struct objects *objects, const struct guid *id)
{
	return hash_bytes(&objects->settings.hash_key, id->bytes, sizeof id->bytes);
}

uint32_t
objects_find(const struct objects *objects, enum object_type type, const struct guid *id)
{
	const struct table *table = table_of(objects, type);
	struct map_cursor cursor = map_find(&table->ids, id_hash(objects, id));
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
objects_next_method(const struct objects *objects, uint32_t space, uint32_t previous)
{
	if (previous == 0) {
		const struct kept *owner = kept_get(objects, OBJECT_SPACE, space);
		return owner != NULL ? owner->first_child : 0;
	}
	const struct kept *method = kept_get(objects, OBJECT_METHOD, previous);
	return method != NULL ? method->next : 0;
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

static bool
is_number(const struct field *field)
{
	switch ((enum field_kind)field->kind) {
	case FIELD_BOOL:
	case FIELD_UINT:
	case FIELD_ENUM:
	case FIELD_TENTHS:
		return true;
	case FIELD_TEXT:
	case FIELD_DIGITS:
	case FIELD_PASSCODE:
	case FIELD_URI_USER:
	case FIELD_PARTY:
	case FIELD_URL:
	case FIELD_DTMF:
	case FIELD_GUID:
	case FIELD_TIME:
		break;
	}
	return false;
}

static struct value
kept_value(const struct objects *objects, enum object_type type, const struct kept *kept,
           unsigned at)
{
	struct value value = { 0 };
	if ((kept->set >> at & 1) == 0)
		return value;
	const struct field *field = object_field(type, at);
	value.set = true;
	if (is_number(field)) {
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

struct value
objects_value(const struct objects *objects, enum object_type type, uint32_t handle,
              unsigned field)
{
	const struct kept *kept = kept_get(objects, type, handle);
	if (kept == NULL)
		return (struct value){ 0 };
	/* The one derived field. */
	if (type == OBJECT_SPACE && field == SPACE_METHOD_COUNT)
		return (struct value){ .set = true, .number = kept->children };
	return kept_value(objects, type, kept, field);
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

static uint64_t
address_hash(const struct objects *objects, struct str address)
{
	char folded[OBJECT_TEXT_MAX];
	if (address.len > sizeof folded)
		return 0;
	for (size_t i = 0; i < address.len; i++) {
		const char c = address.at[i];
		folded[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return hash_bytes(&objects->settings.hash_key, folded, address.len);
}

/* The object's `n`th different address, or an empty view behind the last. */
static struct str
kept_address(const struct objects *objects, enum object_type type, const struct kept *kept,
             unsigned n)
{
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & FIELD_ADDRESS) == 0 ||
		    (kept->set >> i & 1) == 0)
			continue;
		const struct str text = kept_value(objects, type, kept, i).text;
		bool seen = false;
		for (unsigned j = 0; j < i && !seen; j++)
			seen = (object_field(type, j)->flags & FIELD_ADDRESS) != 0 &&
			       str_eq_nocase(kept_value(objects, type, kept, j).text, text);
		if (!seen && n-- == 0)
			return text;
	}
	return (struct str){ 0 };
}

static void
unindex(struct objects *objects, enum object_type type, uint32_t handle,
        const struct kept *kept)
{
	struct str address;
	for (unsigned n = 0; (address = kept_address(objects, type, kept, n)).len != 0; n++)
		map_remove(&objects->tables[type].addresses, address_hash(objects, address),
		           handle);
}

static bool
index_addresses(struct objects *objects, enum object_type type, uint32_t handle,
                const struct kept *kept)
{
	struct str address;
	for (unsigned n = 0; (address = kept_address(objects, type, kept, n)).len != 0; n++) {
		if (!map_put(&objects->tables[type].addresses, address_hash(objects, address),
		             handle))
			return false;
	}
	return true;
}

uint32_t
objects_next_address(const struct objects *objects, enum object_type type, struct str address,
                     struct address_cursor *cursor)
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
		for (unsigned n = 0; (own = kept_address(objects, type, kept, n)).len != 0; n++) {
			if (str_eq_nocase(own, address))
				return handle;
		}
	}
	return 0;
}

/* ------------------------------------------------------------------ rows */

static void
row_write(struct writer *w, const struct object_row *row)
{
	writer_u8(w, (uint8_t)row->type);
	writer_u8(w, row->deleted);
	writer_bytes(w, row->id.bytes, GUID_BYTES);
	writer_bytes(w, row->parent.bytes, GUID_BYTES);
	writer_u64(w, row->deleted ? 0 : row->given);
	if (row->deleted)
		return;
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		if ((row->given >> i & 1) == 0)
			continue;
		const struct field *field = object_field(row->type, i);
		const struct value *value = &row->values[i];
		if (is_number(field)) {
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
	row->given = reader_u64(r);
	if (r->failed || type == OBJECT_NONE || type >= OBJECT_KEPT_END)
		return false;
	row->type = (enum object_type)type;
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		if ((row->given >> i & 1) == 0)
			continue;
		const struct field *field = object_field(row->type, i);
		struct value *value = &row->values[i];
		value->set = true;
		if (is_number(field)) {
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
	struct kept *parent = kept_get(objects, above, kept->parent);
	kept->prev = parent->last_child;
	if (kept->prev != 0)
		kept_get(objects, type, kept->prev)->next = handle;
	else
		parent->first_child = handle;
	parent->last_child = handle;
	parent->children++;
}

static void
unlink_child(struct objects *objects, enum object_type type, const struct kept *kept)
{
	struct kept *parent = kept_get(objects, object_describe(type)->parent, kept->parent);
	if (kept->prev != 0)
		kept_get(objects, type, kept->prev)->next = kept->next;
	else
		parent->first_child = kept->next;
	if (kept->next != 0)
		kept_get(objects, type, kept->next)->prev = kept->prev;
	else
		parent->last_child = kept->prev;
	parent->children--;
}

static void
clear_values(struct objects *objects, enum object_type type, struct kept *kept)
{
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((kept->set >> i & 1) != 0 && !is_number(object_field(type, i)))
			text_pool_free(&objects->texts, kept->numbers[i]);
	}
	kept->set = 0;
}

static bool
set_values(struct objects *objects, struct kept *kept, const struct object_row *row)
{
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		if ((row->given >> i & 1) == 0)
			continue;
		const struct field *field = object_field(row->type, i);
		const struct value *value = &row->values[i];
		if (is_number(field)) {
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
		kept->set |= UINT64_C(1) << i;
	}
	return true;
}

static void
drop(struct objects *objects, enum object_type type, uint32_t handle)
{
	struct kept *kept = kept_get(objects, type, handle);
	CHECK(kept != NULL && kept->children == 0);
	unindex(objects, type, handle, kept);
	clear_values(objects, type, kept);
	if (kept->parent != 0)
		unlink_child(objects, type, kept);
	map_remove(&objects->tables[type].ids, id_hash(objects, &kept->id), handle);
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
	const bool put = map_put(&table->ids, id_hash(objects, &row->id), *handle);
	CHECK(put); /* as many entries as slots */
	if (parent != 0)
		link_child(objects, row->type, *handle, kept);
	return kept;
}

/* Makes the object what the row says.  FULL leaves it half made: the caller applies the row it was
 * before, which always fits (text_pool.h). */
static enum object_reject
apply(struct objects *objects, const struct object_row *row)
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
	unindex(objects, row->type, handle, kept);
	clear_values(objects, row->type, kept);
	return set_values(objects, kept, row) &&
			       index_addresses(objects, row->type, handle, kept)
	               ? OBJECT_OK
	               : OBJECT_FULL;
}

/* ------------------------------------------------------------------ rules between objects */

struct address_rule {
	const struct objects *objects;
	const struct object_row *row;
	uint32_t self;  /* the row's object, 0 when it is new */
	uint32_t space; /* the space it is or lies in; 0: a new space */
};

static bool
same_passcode(const struct address_rule *rule, enum object_type type, uint32_t other)
{
	const unsigned own = rule->row->type == OBJECT_SPACE ? (unsigned)SPACE_PASSCODE
	                                                     : (unsigned)METHOD_PASSCODE;
	const unsigned theirs = type == OBJECT_SPACE ? (unsigned)SPACE_PASSCODE
	                                             : (unsigned)METHOD_PASSCODE;
	return str_eq(rule->row->values[own].set ? rule->row->values[own].text : STR(""),
	              objects_text(rule->objects, type, other, theirs));
}

/* Does `other` have `address` in the same sense, as a URI or as a number? */
static bool
claims(const struct objects *objects, enum object_type type, uint32_t other, struct str address,
       bool numeric)
{
	for (unsigned i = 0; i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		if ((field->flags & FIELD_ADDRESS) != 0 &&
		    (field->kind == FIELD_DIGITS) == numeric &&
		    str_eq_nocase(objects_text(objects, type, other, i), address))
			return true;
	}
	return false;
}

/* An address belongs to one space; inside it, to one passcode. */
static enum object_reject
check_address(const struct address_rule *rule, struct str address, bool numeric)
{
	static const enum object_type holders[] = { OBJECT_SPACE, OBJECT_METHOD };
	for (unsigned i = 0; i < COUNT_OF(holders); i++) {
		const enum object_type type = holders[i];
		struct address_cursor cursor = { 0 };
		uint32_t other;
		while ((other = objects_next_address(rule->objects, type, address, &cursor)) !=
		       0) {
			if ((type == rule->row->type && other == rule->self) ||
			    !claims(rule->objects, type, other, address, numeric))
				continue;
			const uint32_t space = type == OBJECT_SPACE
			                               ? other
			                               : objects_parent(rule->objects, type, other);
			if (space != rule->space)
				return numeric ? OBJECT_DUPLICATE_ID : OBJECT_DUPLICATE_URI;
			if (same_passcode(rule, type, other))
				return numeric ? OBJECT_DUPLICATE_ID_PASSCODE
				               : OBJECT_DUPLICATE_URI_PASSCODE;
		}
	}
	return OBJECT_OK;
}

static enum object_reject
check_name(const struct address_rule *rule, struct str name)
{
	struct address_cursor cursor = { 0 };
	uint32_t other;
	while ((other = objects_next_address(rule->objects, rule->row->type, name, &cursor)) != 0) {
		if (other != rule->self)
			return OBJECT_DUPLICATE_NAME;
	}
	return OBJECT_OK;
}

static enum object_reject
check_row(const struct objects *objects, const struct object_row *row, uint32_t self, int *culprit)
{
	const struct address_rule rule = {
		.objects = objects,
		.row = row,
		.self = self,
		.space = row->type == OBJECT_METHOD
		                 ? objects_find(objects, OBJECT_SPACE, &row->parent)
		                 : self,
	};
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		const struct field *field = object_field(row->type, i);
		const struct value *value = &row->values[i];
		enum object_reject reject = OBJECT_OK;
		*culprit = (int)i;
		if (!value->set) {
			reject = (field->flags & FIELD_REQUIRED) != 0 ? OBJECT_MISSING_PARAMETER
			                                              : OBJECT_OK;
		} else if ((field->flags & FIELD_ADDRESS) != 0) {
			reject = row->type == OBJECT_ACCOUNT
			                 ? check_name(&rule, value->text)
			                 : check_address(&rule, value->text,
			                                 field->kind == FIELD_DIGITS);
		}
		if (reject != OBJECT_OK)
			return reject;
	}
	if (row->type == OBJECT_SPACE && row->values[SPACE_URI].set &&
	    row->values[SPACE_SECONDARY_URI].set &&
	    str_eq_nocase(row->values[SPACE_URI].text, row->values[SPACE_SECONDARY_URI].text)) {
		*culprit = SPACE_SECONDARY_URI;
		return OBJECT_DUPLICATE_URI;
	}
	*culprit = -1;
	return OBJECT_OK;
}

/* ------------------------------------------------------------------ values we make ourselves */

struct made_values {
	char call_id[CALL_ID_DIGITS];
	char secret[SECRET_LEN + 2];
};

static void
random_bytes(const struct objects *objects, void *out, size_t len)
{
	objects->settings.random(objects->settings.context, out, len);
}

static void
make_secret(const struct objects *objects, struct made_values *made, struct value *value)
{
	uint8_t random[SECRET_BYTES];
	random_bytes(objects, random, sizeof random);
	struct writer w = writer_of(made->secret, sizeof made->secret);
	encode_base64url(&w, random, sizeof random);
	explicit_bzero(random, sizeof random);
	*value = (struct value){ .set = true, .text = writer_view(&w) };
	CHECK(value->text.len == SECRET_LEN);
}

/* Nine digits that nobody has; full means we were very unlucky or there are very many. */
static enum object_reject
make_call_id(const struct objects *objects, struct made_values *made, struct object_row *row)
{
	for (unsigned try = 0; try < CALL_ID_TRIES_MAX; try++) {
		uint64_t random = 0;
		random_bytes(objects, &random, sizeof random);
		random = 100000000 + random % 900000000;
		for (unsigned i = CALL_ID_DIGITS; i-- > 0; random /= 10)
			made->call_id[i] = (char)('0' + random % 10);
		const struct str id = { made->call_id, CALL_ID_DIGITS };
		const struct address_rule rule = { .objects = objects, .row = row,
			                           .space = UINT32_MAX };
		if (check_address(&rule, id, true) != OBJECT_OK)
			continue;
		row->values[SPACE_CALL_ID] = (struct value){ .set = true, .text = id };
		row->given |= UINT64_C(1) << SPACE_CALL_ID;
		return OBJECT_OK;
	}
	return OBJECT_FULL;
}

static enum object_reject
complete(const struct objects *objects, struct made_values *made, struct object_row *row,
         const struct object_edit *edit)
{
	if (row->type != OBJECT_SPACE && row->type != OBJECT_METHOD)
		return OBJECT_OK;
	const bool space = row->type == OBJECT_SPACE;
	const unsigned call_id = space ? (unsigned)SPACE_CALL_ID : (unsigned)METHOD_CALL_ID;
	const unsigned secret = space ? (unsigned)SPACE_SECRET : (unsigned)METHOD_SECRET;
	const unsigned again = space ? (unsigned)SPACE_REGENERATE_SECRET
	                             : (unsigned)METHOD_REGENERATE_SECRET;

	if (space && edit_has(edit, SPACE_REQUIRE_CALL_ID) &&
	    edit->values[SPACE_REQUIRE_CALL_ID].number != 0 && !row->values[call_id].set) {
		const enum object_reject reject = make_call_id(objects, made, row);
		if (reject != OBJECT_OK)
			return reject;
	}
	const bool renew = edit_has(edit, again) && edit->values[again].number != 0;
	if (renew || (row->values[call_id].set && !row->values[secret].set)) {
		make_secret(objects, made, &row->values[secret]);
		row->given |= UINT64_C(1) << secret;
	}
	return OBJECT_OK;
}

/* ------------------------------------------------------------------ transactions */

void
objects_begin(struct objects *objects)
{
	CHECK(!objects->open);
	objects->open = true;
	objects->changes = 0;
	objects->refused = objects->pending_count == TX_PENDING_MAX;
	if (objects->refused)
		return;
	struct pending *pending =
		&objects->pending[(objects->pending_first + objects->pending_count) %
	                          TX_PENDING_MAX];
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
		reject = apply(objects, &objects->undo);
		if (reject != OBJECT_OK) {
			r = reader_of(objects->back.bytes + back_at, objects->back.at - back_at);
			const bool again = object_row_read(&r, &objects->undo);
			CHECK(again);
			const enum object_reject restored = apply(objects, &objects->undo);
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
		row->given = value->set ? row->given | UINT64_C(1) << i
		                        : row->given & ~(UINT64_C(1) << i);
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
		reject = complete(objects, &made, row, edit);
	if (reject == OBJECT_OK)
		reject = check_row(objects, row, self, culprit);
	if (reject == OBJECT_OK)
		reject = change(objects, row);
	explicit_bzero(&made, sizeof made);
	return reject;
}

enum object_reject
objects_add(struct objects *objects, const struct object_edit *edit, uint32_t parent,
            uint32_t *handle, int *culprit)
{
	const enum object_type above = object_describe(edit->type)->parent;
	uint8_t random[GUID_BYTES];
	random_bytes(objects, random, sizeof random);
	objects->row = (struct object_row){ .type = edit->type, .id = guid_of_random(random) };
	*culprit = -1;
	*handle = 0;
	if (above != OBJECT_NONE) {
		const struct kept *owner = kept_get(objects, above, parent);
		CHECK(owner != NULL);
		if (owner->children == SPACE_METHODS_MAX)
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

/* What lies inside goes first, the last of it before the first, so that undoing keeps the order.  When there is no room to write it all down, what has gone comes
 * back with objects_abort(); the caller gets FULL and aborts. */
enum object_reject
objects_remove(struct objects *objects, enum object_type type, uint32_t handle)
{
	const struct kept *kept = kept_get(objects, type, handle);
	CHECK(kept != NULL);
	while (kept->children != 0) {
		const enum object_reject reject =
			remove_one(objects, OBJECT_METHOD, kept->last_child);
		if (reject != OBJECT_OK)
			return reject;
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
	struct pending *pending =
		&objects->pending[(objects->pending_first + objects->pending_count) %
	                          TX_PENDING_MAX];
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
		const enum object_reject reject = apply(objects, &objects->undo);
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

void
objects_settled(struct objects *objects, uint64_t ticket, bool ok)
{
	CHECK(!objects->open);
	struct pending *first = &objects->pending[objects->pending_first];
	if (objects->pending_count == 0 || ticket < first->ticket)
		return; /* undone with an earlier one */
	CHECK(ticket == first->ticket);
	if (ok) {
		explicit_bzero(first->forward, first->forward_len);
		explicit_bzero(first->back, first->back_len);
		objects->pending_first = (objects->pending_first + 1) % TX_PENDING_MAX;
		objects->pending_count--;
		return;
	}
	while (objects->pending_count != 0) {
		objects->pending_count--;
		const struct pending *last =
			&objects->pending[(objects->pending_first + objects->pending_count) %
		                          TX_PENDING_MAX];
		undo(objects, last->back, last->back_len);
	}
	objects->epoch++;
}

enum object_reject
objects_load_row(struct objects *objects, const struct object_row *row)
{
	CHECK(!objects->open && objects->pending_count == 0 && !row->deleted);
	const enum object_type above = object_describe(row->type)->parent;
	const uint32_t self = objects_find(objects, row->type, &row->id);
	int culprit = -1;
	if (above != OBJECT_NONE) {
		const uint32_t parent = objects_find(objects, above, &row->parent);
		if (parent == 0)
			return OBJECT_NO_REFERENCE;
		if (kept_get(objects, above, parent)->children == SPACE_METHODS_MAX)
			return OBJECT_FULL;
	}
	const bool single = object_describe(row->type)->single;
	if (single ? !guid_is_zero(&row->id) : self != 0)
		return OBJECT_BAD_VALUE;
	enum object_reject reject = check_row(objects, row, self, &culprit);
	if (reject == OBJECT_OK)
		reject = apply(objects, row);
	if (reject == OBJECT_FULL && !single) {
		const uint32_t half = objects_find(objects, row->type, &row->id);
		if (half != 0)
			drop(objects, row->type, half);
	}
	return reject;
}
