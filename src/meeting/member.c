/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting/member.h"

#include "base/check.h"

enum { NOBODY = -1 }; /* in the place of a right: this field is not the users' to set */

static const struct member_answer unseen = { .verdict = MEMBER_UNSEEN, .culprit = -1 };

/* ------------------------------------------------------------------ what is seen */

static struct str
jid_of(const struct objects *objects, uint32_t user)
{
	return objects_text(objects, OBJECT_USER, user, USER_JID);
}

uint32_t
member_entry(const struct objects *objects, uint32_t user, uint32_t space)
{
	const struct str jid = jid_of(objects, user);
	struct address_cursor cursor = { 0 };
	uint32_t member;
	while ((member = objects_next_address(objects, OBJECT_MEMBER, jid, &cursor)) != 0) {
		if (objects_parent(objects, OBJECT_MEMBER, member) == space)
			break;
	}
	return member;
}

/* A user who was moved to another tenant left memberships behind: they open nothing. */
static bool
same_tenant(const struct objects *objects, uint32_t user, uint32_t space)
{
	const struct guid of_space = objects_space_tenant(objects, space);
	const struct guid of_user = objects_value(objects, OBJECT_USER, user, USER_TENANT).guid;
	return guid_eq(&of_space, &of_user);
}

bool
member_owns(const struct objects *objects, uint32_t user, uint32_t space)
{
	const struct str jid = jid_of(objects, user);
	return jid.len != 0 &&
	       str_eq_nocase(objects_text(objects, OBJECT_SPACE, space, SPACE_OWNER_JID), jid);
}

bool
member_sees(const struct objects *objects, uint32_t user, uint32_t space)
{
	return objects_alive(objects, OBJECT_USER, user) &&
	       objects_alive(objects, OBJECT_SPACE, space) &&
	       same_tenant(objects, user, space) &&
	       (member_owns(objects, user, space) || member_entry(objects, user, space) != 0);
}

bool
member_may(const struct objects *objects, uint32_t user, uint32_t space, enum member_field right)
{
	CHECK(right >= MEMBER_CAN_DESTROY && right < MEMBER_FIELDS);
	const uint32_t entry = member_entry(objects, user, space);
	return entry != 0 && same_tenant(objects, user, space) &&
	       objects_number(objects, OBJECT_MEMBER, entry, right) != 0;
}

bool
member_sees_method(const struct objects *objects, uint32_t user, uint32_t method)
{
	const uint32_t space = objects_parent(objects, OBJECT_METHOD, method);
	if (!member_sees(objects, user, space))
		return false;
	return objects_number(objects, OBJECT_METHOD, method, METHOD_SCOPE) != SCOPE_PRIVATE ||
	       member_owns(objects, user, space) ||
	       member_may(objects, user, space, MEMBER_CAN_CHANGE_SCOPE);
}

bool
member_has_template(const struct objects *objects, uint32_t user, uint32_t template)
{
	for (uint32_t at = 0;
	     (at = objects_next_inside(objects, OBJECT_USER_TEMPLATE, user, at)) != 0;)
		if (template != 0 &&
		    objects_ref(objects, OBJECT_USER_TEMPLATE, at, USER_TEMPLATE_OF) == template)
			return true;
	return false;
}

uint32_t
member_next_space(const struct objects *objects, uint32_t user, struct member_cursor *cursor)
{
	const struct str jid = jid_of(objects, user);
	while (!cursor->members_told) {
		const uint32_t member =
			objects_next_address(objects, OBJECT_MEMBER, jid, &cursor->member);
		const uint32_t space = objects_parent(objects, OBJECT_MEMBER, member);
		cursor->members_told = member == 0;
		if (member != 0 && same_tenant(objects, user, space))
			return space;
	}
	uint32_t space;
	while ((space = objects_next_owned(objects, OBJECT_SPACE, jid, &cursor->owned)) != 0) {
		if (same_tenant(objects, user, space) && member_entry(objects, user, space) == 0)
			return space;
	}
	return 0;
}

/* ------------------------------------------------------------------ what may be done */

/* The right that a field of that type asks for. */
static int
right_of(enum object_type type, unsigned field)
{
	static const int8_t of_space[SPACE_FIELDS] = {
		[SPACE_NAME] = MEMBER_CAN_CHANGE_NAME,
		[SPACE_URI] = MEMBER_CAN_CHANGE_URI,
		[SPACE_SECONDARY_URI] = MEMBER_CAN_CHANGE_URI,
		[SPACE_CALL_ID] = MEMBER_CAN_CHANGE_CALL_ID,
		[SPACE_PASSCODE] = MEMBER_CAN_CHANGE_PASSCODE,
		[SPACE_REGENERATE_SECRET] = MEMBER_CAN_CHANGE_PASSCODE,
		[SPACE_NON_MEMBER_ACCESS] = MEMBER_CAN_CHANGE_NON_MEMBER_ACCESS_ALLOWED,
	};
	static const int8_t of_method[METHOD_FIELDS] = {
		[METHOD_NAME] = MEMBER_CAN_CHANGE_NAME,
		[METHOD_URI] = MEMBER_CAN_CHANGE_URI,
		[METHOD_CALL_ID] = MEMBER_CAN_CHANGE_CALL_ID,
		[METHOD_PASSCODE] = MEMBER_CAN_CHANGE_PASSCODE,
		[METHOD_REGENERATE_SECRET] = MEMBER_CAN_CHANGE_PASSCODE,
		[METHOD_SCOPE] = MEMBER_CAN_CHANGE_SCOPE,
	};
	int right = NOBODY;
	if (type == OBJECT_SPACE && of_space[field] != 0)
		right = of_space[field];
	else if (type == OBJECT_METHOD && of_method[field] != 0)
		right = of_method[field];
	else if (type == OBJECT_MEMBER && (field == MEMBER_JID || field >= MEMBER_CAN_DESTROY))
		right = MEMBER_CAN_ADD_REMOVE_MEMBER;
	return right;
}

static struct member_answer
not_allowed(enum member_field right)
{
	return (struct member_answer){ .verdict = MEMBER_NOT_ALLOWED, .right = right, .culprit = -1 };
}

static struct member_answer
rejected(enum object_type type, enum object_reject reject, int culprit)
{
	return (struct member_answer){ .verdict = reject == OBJECT_OK ? MEMBER_DONE
		                                                      : MEMBER_REJECTED,
		                       .type = type,
		                       .reject = reject,
		                       .culprit = culprit };
}

/* Every field that is given must be his to set; a right is given only by who has it.  `before`: the
 * member whose rights are changed, 0: a new one. */
static struct member_answer
check_fields(const struct objects *objects, uint32_t user, uint32_t space,
             const struct object_edit *edit, uint32_t before)
{
	for (unsigned i = 0; i < object_field_count(edit->type); i++) {
		if (!edit_has(edit, i))
			continue;
		const int right = right_of(edit->type, i);
		if (right == NOBODY)
			return rejected(edit->type, OBJECT_UNKNOWN_PARAMETER, (int)i);
		if (!member_may(objects, user, space, (enum member_field)right))
			return not_allowed((enum member_field)right);
		const bool gives = edit->type == OBJECT_MEMBER && i >= MEMBER_CAN_DESTROY &&
		                   edit->values[i].number != 0 &&
		                   (before == 0 ||
		                    objects_number(objects, OBJECT_MEMBER, before, i) == 0);
		if (gives && !member_may(objects, user, space, (enum member_field)i))
			return not_allowed((enum member_field)i);
	}
	return (struct member_answer){ .verdict = MEMBER_DONE, .culprit = -1 };
}

/* The space in which it lies, or that it is; 0: he does not see it. */
static uint32_t
space_of(const struct objects *objects, uint32_t user, enum object_type type, uint32_t handle)
{
	CHECK(type == OBJECT_SPACE || type == OBJECT_METHOD || type == OBJECT_MEMBER);
	const uint32_t space = type == OBJECT_SPACE ? handle
	                                            : objects_parent(objects, type, handle);
	if (!objects_alive(objects, type, handle) || !member_sees(objects, user, space) ||
	    (type == OBJECT_METHOD && !member_sees_method(objects, user, handle)))
		return 0;
	return space;
}

/* The owner's membership is the owner's. */
static bool
is_owners(const struct objects *objects, uint32_t space, uint32_t member)
{
	return str_eq_nocase(objects_text(objects, OBJECT_MEMBER, member, MEMBER_JID),
	                     objects_text(objects, OBJECT_SPACE, space, SPACE_OWNER_JID));
}

struct member_answer
member_add_space(struct objects *objects, uint32_t user, uint32_t template, struct str name)
{
	struct member_cursor cursor = { 0 };
	uint32_t count = 0;
	uint32_t space = 0;
	if (!member_has_template(objects, user, template))
		return unseen;
	while (member_next_space(objects, user, &cursor) != 0)
		count++;
	if (count >= MEMBER_SPACES_MAX)
		return (struct member_answer){ .verdict = MEMBER_TOO_MANY, .culprit = -1 };
	const enum object_reject reject =
		objects_add_from_template(objects, template, user, name, &space);
	struct member_answer answer = rejected(OBJECT_SPACE, reject, -1);
	answer.made = space;
	return answer;
}

/* A new member has by itself what the description says; of that, too, only what he could give. */
static void
keep_to_own(const struct objects *objects, uint32_t user, uint32_t space, struct object_edit *edit)
{
	for (unsigned i = MEMBER_CAN_DESTROY; i < MEMBER_FIELDS; i++)
		if (!edit_has(edit, i) && object_field(OBJECT_MEMBER, i)->fallback != 0 &&
		    !member_may(objects, user, space, (enum member_field)i))
			edit_set_number(edit, i, 0);
}

struct member_answer
member_add(struct objects *objects, uint32_t user, uint32_t space, const struct object_edit *edit)
{
	CHECK(edit->type == OBJECT_METHOD || edit->type == OBJECT_MEMBER);
	static const enum member_field needed[] = { MEMBER_CAN_CHANGE_URI,
		                                    MEMBER_CAN_CHANGE_CALL_ID };
	int culprit = -1;
	uint32_t made = 0;
	if (!member_sees(objects, user, space))
		return unseen;
	for (unsigned i = 0; edit->type == OBJECT_METHOD && i < COUNT_OF(needed); i++)
		if (!member_may(objects, user, space, needed[i]))
			return not_allowed(needed[i]);
	if (edit->type == OBJECT_MEMBER &&
	    !member_may(objects, user, space, MEMBER_CAN_ADD_REMOVE_MEMBER))
		return not_allowed(MEMBER_CAN_ADD_REMOVE_MEMBER);
	struct member_answer answer = check_fields(objects, user, space, edit, 0);
	if (answer.verdict != MEMBER_DONE)
		return answer;
	struct object_edit wish = *edit;
	if (edit->type == OBJECT_MEMBER)
		keep_to_own(objects, user, space, &wish);
	const enum object_reject reject = objects_add(objects, &wish, space, &made, &culprit);
	answer = rejected(edit->type, reject, culprit);
	answer.made = made;
	return answer;
}

struct member_answer
member_edit(struct objects *objects, uint32_t user, uint32_t handle,
            const struct object_edit *edit)
{
	const uint32_t space = space_of(objects, user, edit->type, handle);
	const bool of_member = edit->type == OBJECT_MEMBER;
	int culprit = -1;
	if (space == 0)
		return unseen;
	if (of_member && is_owners(objects, space, handle) && !member_owns(objects, user, space))
		return not_allowed((enum member_field)0);
	const struct member_answer answer =
		check_fields(objects, user, space, edit, of_member ? handle : 0);
	if (answer.verdict != MEMBER_DONE)
		return answer;
	const enum object_reject reject = objects_edit(objects, handle, edit, &culprit);
	return rejected(edit->type, reject, culprit);
}

struct member_answer
member_remove(struct objects *objects, uint32_t user, enum object_type type, uint32_t handle)
{
	const uint32_t space = space_of(objects, user, type, handle);
	static const enum member_field of_method[] = { MEMBER_CAN_CHANGE_URI,
		                                       MEMBER_CAN_CHANGE_CALL_ID };
	if (space == 0)
		return unseen;
	if (type == OBJECT_SPACE && !member_may(objects, user, space, MEMBER_CAN_DESTROY))
		return not_allowed(MEMBER_CAN_DESTROY);
	for (unsigned i = 0; type == OBJECT_METHOD && i < COUNT_OF(of_method); i++)
		if (!member_may(objects, user, space, of_method[i]))
			return not_allowed(of_method[i]);
	if (type == OBJECT_MEMBER) {
		const bool self = member_entry(objects, user, space) == handle;
		const enum member_field right =
			self ? MEMBER_CAN_REMOVE_SELF : MEMBER_CAN_ADD_REMOVE_MEMBER;
		if (!self && is_owners(objects, space, handle))
			return not_allowed((enum member_field)0);
		if (!member_may(objects, user, space, right))
			return not_allowed(right);
	}
	return rejected(type, objects_remove(objects, type, handle), -1);
}
