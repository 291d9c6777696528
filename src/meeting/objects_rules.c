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
	enum object_type type; /* of the object that has the address: the row's, or one inside */
	uint32_t self;         /* that object, 0 when it is new */
	uint32_t space;        /* the space it is or lies in; 0: a new space */
	struct world world;
	struct str passcode;
};

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

/* URIs are a tenant's own, meeting IDs those of its group. */
static bool
same_world(const struct address_rule *rule, uint32_t space, bool numeric)
{
	const struct world other = world_of_space(rule->objects, space);
	return numeric ? guid_eq(&other.group, &rule->world.group)
	               : guid_eq(&other.tenant, &rule->world.tenant);
}

/* In its world an address belongs to one space; inside that, to one passcode. */
static enum object_reject
check_address(const struct address_rule *rule, struct str address, bool numeric)
{
	static const enum object_type holders[] = { OBJECT_SPACE, OBJECT_METHOD };
	const struct objects *objects = rule->objects;
	for (unsigned i = 0; i < COUNT_OF(holders); i++) {
		const enum object_type type = holders[i];
		const bool is_space = type == OBJECT_SPACE;
		struct address_cursor cursor = { 0 };
		uint32_t other;
		while ((other = objects_next_address(objects, type, address, &cursor)) != 0) {
			if ((type == rule->type && other == rule->self) ||
			    !claims(objects, type, other, address, numeric))
				continue;
			const uint32_t space =
				is_space ? other : objects_parent(objects, type, other);
			if (space != rule->space) {
				if (!same_world(rule, space, numeric))
					continue;
				return numeric ? OBJECT_DUPLICATE_ID : OBJECT_DUPLICATE_URI;
			}
			const struct str passcode =
				objects_text(objects, type, other,
			                     is_space ? (unsigned)SPACE_PASSCODE
			                              : (unsigned)METHOD_PASSCODE);
			if (str_eq(passcode, rule->passcode))
				return numeric ? OBJECT_DUPLICATE_ID_PASSCODE
				               : OBJECT_DUPLICATE_URI_PASSCODE;
		}
	}
	return OBJECT_OK;
}

/* Of users and Call Bridges no two have one name. */
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

/* Nobody is a member twice. */
static enum object_reject
check_member(const struct address_rule *rule, struct str jid)
{
	const uint32_t space = objects_find(rule->objects, OBJECT_SPACE, &rule->row->parent);
	struct address_cursor cursor = { 0 };
	uint32_t other;
	while ((other = objects_next_address(rule->objects, OBJECT_MEMBER, jid, &cursor)) != 0) {
		if (other != rule->self &&
		    objects_parent(rule->objects, OBJECT_MEMBER, other) == space)
			return OBJECT_BAD_VALUE;
	}
	return OBJECT_OK;
}

/* A tenant's IVRs have an address each. */
static enum object_reject
check_ivr(const struct address_rule *rule, struct str uri)
{
	struct address_cursor cursor = { 0 };
	uint32_t other;
	while ((other = objects_next_address(rule->objects, OBJECT_IVR, uri, &cursor)) != 0) {
		const struct guid tenant =
			objects_value(rule->objects, OBJECT_IVR, other, IVR_TENANT).guid;
		if (other != rule->self &&
		    guid_eq(&tenant, &rule->row->values[IVR_TENANT].guid))
			return OBJECT_DUPLICATE_IVR;
	}
	return OBJECT_OK;
}

/* What a caller can dial, or a name, stands beside others as its kind asks for. */
static enum object_reject
check_indexed(const struct address_rule *rule, const struct field *field, struct str text)
{
	const enum object_type type = rule->row->type;
	if (type == OBJECT_SPACE || type == OBJECT_METHOD)
		return check_address(rule, text, field->kind == FIELD_DIGITS);
	if (type == OBJECT_MEMBER)
		return check_member(rule, text);
	if (type == OBJECT_IVR)
		return check_ivr(rule, text);
	return check_name(rule, text);
}

/* The methods of a space that changes its tenant. */
static enum object_reject
check_methods(const struct address_rule *of_space, bool numbers_only)
{
	const struct objects *objects = of_space->objects;
	for (uint32_t method = 0; (method = objects_next_inside(objects, OBJECT_METHOD,
	                                                        of_space->space, method)) != 0;) {
		struct address_rule rule = *of_space;
		rule.type = OBJECT_METHOD;
		rule.self = method;
		rule.passcode = objects_text(objects, OBJECT_METHOD, method, METHOD_PASSCODE);
		const struct str uri = objects_text(objects, OBJECT_METHOD, method, METHOD_URI);
		const struct str id = objects_text(objects, OBJECT_METHOD, method, METHOD_CALL_ID);
		enum object_reject reject = check_address(&rule, id, true);
		if (reject == OBJECT_OK && !numbers_only)
			reject = check_address(&rule, uri, false);
		if (reject != OBJECT_OK)
			return reject;
	}
	return OBJECT_OK;
}

static enum object_reject
check_space(const struct address_rule *rule, int *culprit)
{
	const struct object_row *row = rule->row;
	*culprit = SPACE_SECONDARY_URI;
	if (row->values[SPACE_URI].set && row->values[SPACE_SECONDARY_URI].set &&
	    str_eq_nocase(row->values[SPACE_URI].text, row->values[SPACE_SECONDARY_URI].text))
		return OBJECT_DUPLICATE_URI;
	*culprit = SPACE_TENANT;
	const struct guid before = objects_space_tenant(rule->objects, rule->self);
	return rule->self == 0 || guid_eq(&before, &rule->world.tenant)
	               ? OBJECT_OK
	               : check_methods(rule, false);
}

/* The meeting IDs of a tenant's spaces go with it into another group.  The tenant's own other
 * spaces have the old group still, so they do not get in the way. */
static enum object_reject
check_group(const struct address_rule *rule, int *culprit)
{
	const struct objects *objects = rule->objects;
	const struct guid before = objects_tenant_group(objects, &rule->row->id);
	const struct guid after = rule->row->values[TENANT_GROUP].guid;
	uint32_t at = 0;
	*culprit = TENANT_GROUP;
	if (rule->self == 0 || guid_eq(&before, &after))
		return OBJECT_OK;
	for (uint32_t space; (space = objects_next(objects, OBJECT_SPACE, &at)) != 0;) {
		const struct guid tenant = objects_space_tenant(objects, space);
		if (!guid_eq(&tenant, &rule->row->id))
			continue;
		const struct address_rule moved = {
			.objects = objects, .row = rule->row, .type = OBJECT_SPACE, .self = space,
			.space = space, .world = { .tenant = tenant, .group = after },
			.passcode = objects_text(objects, OBJECT_SPACE, space, SPACE_PASSCODE),
		};
		const struct str id = objects_text(objects, OBJECT_SPACE, space, SPACE_CALL_ID);
		if (check_address(&moved, id, true) != OBJECT_OK ||
		    check_methods(&moved, true) != OBJECT_OK)
			return OBJECT_GROUP_CONFLICT;
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
				*culprit = object_both(i, j);
				return OBJECT_DUPLICATE_CODE;
			}
		}
	}
	*culprit = -1;
	return OBJECT_OK;
}

static struct address_rule
rule_of(const struct objects *objects, const struct object_row *row, uint32_t self)
{
	struct address_rule rule = { .objects = objects, .row = row, .type = row->type,
		                     .self = self, .space = self, .passcode = STR("") };
	const bool is_space = row->type == OBJECT_SPACE;
	if (!is_space && row->type != OBJECT_METHOD)
		return rule;
	const struct value *passcode =
		&row->values[is_space ? (unsigned)SPACE_PASSCODE : (unsigned)METHOD_PASSCODE];
	if (passcode->set)
		rule.passcode = passcode->text;
	if (is_space) {
		rule.world = world_of_tenant(objects, &row->values[SPACE_TENANT].guid);
	} else {
		rule.space = objects_find(objects, OBJECT_SPACE, &row->parent);
		rule.world = world_of_space(objects, rule.space);
	}
	return rule;
}

enum object_reject
row_check(const struct objects *objects, const struct object_row *row, uint32_t self, int *culprit)
{
	const struct address_rule rule = rule_of(objects, row, self);
	for (unsigned i = 0; i < object_field_count(row->type); i++) {
		const struct field *field = object_field(row->type, i);
		const struct value *value = &row->values[i];
		enum object_reject reject = OBJECT_OK;
		*culprit = (int)i;
		if (!value->set && (field->flags & FIELD_REQUIRED) != 0)
			reject = OBJECT_MISSING_PARAMETER;
		else if (value->set && (field->flags & FIELD_ADDRESS) != 0)
			reject = check_indexed(&rule, field, value->text);
		if (reject != OBJECT_OK)
			return reject;
	}
	if (row->type == OBJECT_SPACE)
		return check_space(&rule, culprit);
	if (row->type == OBJECT_TENANT)
		return check_group(&rule, culprit);
	if (row->type == OBJECT_DTMF_PROFILE)
		return check_codes(row, culprit);
	*culprit = -1;
	return OBJECT_OK;
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
		const struct address_rule rule = {
			.objects = objects, .row = row, .type = OBJECT_SPACE, .space = UINT32_MAX,
			.world = world_of_tenant(objects, &row->values[SPACE_TENANT].guid),
			.passcode = STR(""),
		};
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
