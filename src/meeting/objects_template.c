/* SPDX-License-Identifier: Apache-2.0 */
/* A space made from a coSpaceTemplate: its access methods come from the template's, with addresses
 * and numbers that nobody has yet. */
#include "meeting/objects_internal.h"

enum {
	TRIES_MAX = 64,
	NUMBER_DIGITS = 9,
	PASSCODE_DIGITS_MAX = 32,
	URI_BYTES_MAX = 64 + NUMBER_DIGITS,
};

struct number {
	char digits[NUMBER_DIGITS];
};

static struct str
draw(const struct objects *objects, struct number *number)
{
	uint64_t random = 0;
	objects_random(objects, &random, sizeof random);
	random = 100000000 + random % 900000000;
	for (unsigned i = NUMBER_DIGITS; i-- > 0; random /= 10)
		number->digits[i] = (char)('0' + random % 10);
	return (struct str){ number->digits, NUMBER_DIGITS };
}

/* The generator's "$" becomes a number. */
static struct str
generated(struct writer *w, struct str generator, struct str number)
{
	const size_t place = str_find(generator, '$');
	writer_str(w, str_sub(generator, 0, place));
	writer_str(w, number);
	writer_str(w, str_sub(generator, place + 1, generator.len - place - 1));
	return writer_view(w);
}

static void
copy_value(const struct objects *objects, enum object_type type, uint32_t from, unsigned field,
           struct object_edit *edit, unsigned to)
{
	edit->values[to] = objects_value(objects, type, from, field);
	field_set_put(&edit->given, to, true);
}

/* As many digits as the policy was found to want. */
static struct str
draw_passcode(const struct objects *objects, char digits[PASSCODE_DIGITS_MAX], size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint32_t random = 0;
		objects_random(objects, &random, sizeof random);
		digits[i] = (char)('0' + random % 10);
	}
	return (struct str){ digits, len };
}

/* Another address, or number, is drawn when somebody has it; and a passcode where a policy wants one:
 * one digit more with each try, until it is long enough. */
static enum object_reject
add_method(struct objects *objects, uint32_t space, uint32_t template)
{
	char passcode[PASSCODE_DIGITS_MAX];
	size_t passcode_len = 0;
	const struct str generator = objects_text(objects, OBJECT_METHOD_TEMPLATE, template,
	                                          METHOD_TEMPLATE_URI_GENERATOR);
	const bool numbered = objects_number(objects, OBJECT_METHOD_TEMPLATE, template,
	                                     METHOD_TEMPLATE_GENERATE_CALL_ID) != 0;
	enum object_reject reject = OBJECT_FULL;
	for (unsigned try = 0; try < TRIES_MAX; try++) {
		struct object_edit edit = { .type = OBJECT_METHOD };
		struct number number;
		char uri[URI_BYTES_MAX];
		uint32_t method = 0;
		int culprit = -1;
		struct writer w = writer_of(uri, sizeof uri);
		const struct str digits = draw(objects, &number);
		copy_value(objects, OBJECT_METHOD_TEMPLATE, template, METHOD_TEMPLATE_NAME, &edit,
		           METHOD_NAME);
		copy_value(objects, OBJECT_METHOD_TEMPLATE, template, METHOD_TEMPLATE_LEG_PROFILE,
		           &edit, METHOD_LEG_PROFILE);
		copy_value(objects, OBJECT_METHOD_TEMPLATE, template,
		           METHOD_TEMPLATE_DIAL_IN_PROFILE, &edit, METHOD_DIAL_IN_PROFILE);
		if (generator.len != 0)
			edit_set_text(&edit, METHOD_URI, generated(&w, generator, digits));
		if (numbered)
			edit_set_text(&edit, METHOD_CALL_ID, digits);
		if (passcode_len != 0)
			edit_set_text(&edit, METHOD_PASSCODE,
			              draw_passcode(objects, passcode, passcode_len));
		reject = objects_add(objects, &edit, space, &method, &culprit);
		if (reject == OBJECT_PASSCODE_TOO_SHORT && passcode_len < PASSCODE_DIGITS_MAX)
			passcode_len++;
		else if (reject != OBJECT_DUPLICATE_URI && reject != OBJECT_DUPLICATE_ID)
			break;
	}
	explicit_bzero(passcode, sizeof passcode);
	return reject;
}

static enum object_reject
add_owner(struct objects *objects, uint32_t space, struct str jid)
{
	static const enum member_field rights[] = {
		MEMBER_CAN_DESTROY, MEMBER_CAN_ADD_REMOVE_MEMBER, MEMBER_CAN_CHANGE_NAME,
		MEMBER_CAN_CHANGE_NON_MEMBER_ACCESS_ALLOWED, MEMBER_CAN_CHANGE_URI,
		MEMBER_CAN_CHANGE_CALL_ID, MEMBER_CAN_CHANGE_PASSCODE, MEMBER_CAN_CHANGE_SCOPE,
		MEMBER_CAN_REMOVE_SELF,
	};
	struct object_edit edit = { .type = OBJECT_MEMBER };
	uint32_t member = 0;
	int culprit = -1;
	edit_set_text(&edit, MEMBER_JID, jid);
	for (unsigned i = 0; i < COUNT_OF(rights); i++)
		edit_set_number(&edit, rights[i], 1);
	return objects_add(objects, &edit, space, &member, &culprit);
}

enum object_reject
objects_add_from_template(struct objects *objects, uint32_t template, uint32_t owner,
                          struct str name, uint32_t *space)
{
	struct object_edit edit = { .type = OBJECT_SPACE };
	const struct str jid = objects_text(objects, OBJECT_USER, owner, USER_JID);
	int culprit = -1;
	CHECK(objects_alive(objects, OBJECT_SPACE_TEMPLATE, template) && jid.len != 0);
	edit_set_text(&edit, SPACE_NAME, name);
	edit_set_text(&edit, SPACE_OWNER_JID, jid);
	copy_value(objects, OBJECT_USER, owner, USER_TENANT, &edit, SPACE_TENANT);
	copy_value(objects, OBJECT_SPACE_TEMPLATE, template, SPACE_TEMPLATE_CALL_PROFILE, &edit,
	           SPACE_CALL_PROFILE);
	copy_value(objects, OBJECT_SPACE_TEMPLATE, template, SPACE_TEMPLATE_LEG_PROFILE, &edit,
	           SPACE_LEG_PROFILE);
	copy_value(objects, OBJECT_SPACE_TEMPLATE, template, SPACE_TEMPLATE_DIAL_IN_PROFILE, &edit,
	           SPACE_DIAL_IN_PROFILE);
	enum object_reject reject = objects_add(objects, &edit, 0, space, &culprit);
	if (reject == OBJECT_OK)
		reject = add_owner(objects, *space, jid);
	for (uint32_t method = 0;
	     reject == OBJECT_OK && (method = objects_next_inside(objects, OBJECT_METHOD_TEMPLATE,
	                                                          template, method)) != 0;)
		reject = add_method(objects, *space, method);
	return reject;
}
