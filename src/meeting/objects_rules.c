/* SPDX-License-Identifier: Apache-2.0 */
/* Which objects may stand beside each other, and what is made for them. */
#include "meeting/objects_internal.h"

enum {
	CALL_ID_TRIES_MAX = 64,
	SECRET_BYTES = 16,
};

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

/* A code does one thing. */
static enum object_reject
check_codes(const struct object_row *row, int *culprit)
{
	for (unsigned i = 0; i < DTMF_PROFILE_FIELDS; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (row->values[i].set && row->values[j].set &&
			    str_eq(row->values[i].text, row->values[j].text)) {
				*culprit = (int)i;
				return OBJECT_BAD_VALUE;
			}
		}
	}
	*culprit = -1;
	return OBJECT_OK;
}

enum object_reject
row_check(const struct objects *objects, const struct object_row *row, uint32_t self, int *culprit)
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
			reject = check_address(&rule, value->text, field->kind == FIELD_DIGITS);
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
	return row->type == OBJECT_DTMF_PROFILE ? check_codes(row, culprit) : OBJECT_OK;
}

/* ------------------------------------------------------------------ values we make ourselves */

void
objects_random(const struct objects *objects, void *out, size_t len)
{
	objects->settings.random(objects->settings.context, out, len);
}

static void
make_secret(const struct objects *objects, struct made_values *made, struct value *value)
{
	uint8_t random[SECRET_BYTES];
	objects_random(objects, random, sizeof random);
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
		objects_random(objects, &random, sizeof random);
		random = 100000000 + random % 900000000;
		for (unsigned i = CALL_ID_DIGITS; i-- > 0; random /= 10)
			made->call_id[i] = (char)('0' + random % 10);
		const struct str id = { made->call_id, CALL_ID_DIGITS };
		const struct address_rule rule = { .objects = objects, .row = row,
			                           .space = UINT32_MAX };
		if (check_address(&rule, id, true) != OBJECT_OK)
			continue;
		row->values[SPACE_CALL_ID] = (struct value){ .set = true, .text = id };
		field_set_put(&row->given, SPACE_CALL_ID, true);
		return OBJECT_OK;
	}
	return OBJECT_FULL;
}

enum object_reject
row_complete(const struct objects *objects, struct made_values *made, struct object_row *row,
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
		field_set_put(&row->given, secret, true);
	}
	return OBJECT_OK;
}
