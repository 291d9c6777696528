/* SPDX-License-Identifier: Apache-2.0 */
/* Whose an object is.  A tenant's addresses are its own; the meeting IDs of tenants of one group
 * are one world, and those without a group, or without a tenant, are another.  What a request puts
 * in force is looked at here: rows that are loaded were judged when they came. */
#include "meeting/objects_internal.h"

static struct guid
guid_at(const struct objects *objects, enum object_type type, uint32_t handle, unsigned field)
{
	return objects_value(objects, type, handle, field).guid;
}

struct guid
objects_tenant_group(const struct objects *objects, const struct guid *tenant)
{
	const uint32_t handle = objects_find(objects, OBJECT_TENANT, tenant);
	return guid_at(objects, OBJECT_TENANT, handle, TENANT_GROUP);
}

struct guid
objects_space_tenant(const struct objects *objects, uint32_t space)
{
	return guid_at(objects, OBJECT_SPACE, space, SPACE_TENANT);
}

struct world
world_of_tenant(const struct objects *objects, const struct guid *tenant)
{
	return (struct world){ .tenant = *tenant,
		               .group = objects_tenant_group(objects, tenant) };
}

struct world
world_of_space(const struct objects *objects, uint32_t space)
{
	const struct guid tenant = objects_space_tenant(objects, space);
	return world_of_tenant(objects, &tenant);
}

/* ------------------------------------------------------------------ who belongs together */

static struct str
row_text(const struct object_row *row, unsigned field)
{
	return row->values[field].set ? row->values[field].text : STR("");
}

/* The user of that name, of that tenant; 0: there is none for this tenant. */
static uint32_t
user_of_tenant(const struct objects *objects, struct str jid, const struct guid *tenant)
{
	const uint32_t user = objects_find_address(objects, OBJECT_USER, jid);
	const struct guid own = guid_at(objects, OBJECT_USER, user, USER_TENANT);
	return user != 0 && guid_eq(&own, tenant) ? user : 0;
}

static enum object_reject
welcome_space(const struct objects *objects, const struct object_row *row,
              const struct object_edit *edit, uint32_t self, int *culprit)
{
	const struct guid tenant = row->values[SPACE_TENANT].guid;
	const struct value *method = &row->values[SPACE_DEFAULT_METHOD];
	const bool moves = edit_has(edit, SPACE_TENANT);
	*culprit = SPACE_OWNER_JID;
	if ((moves || edit_has(edit, SPACE_OWNER_JID)) && row->values[SPACE_OWNER_JID].set &&
	    user_of_tenant(objects, row->values[SPACE_OWNER_JID].text, &tenant) == 0)
		return OBJECT_NO_REFERENCE;
	*culprit = SPACE_DEFAULT_METHOD;
	if (edit_has(edit, SPACE_DEFAULT_METHOD) && method->set &&
	    objects_parent(objects, OBJECT_METHOD,
	                   objects_find(objects, OBJECT_METHOD, &method->guid)) != self)
		return OBJECT_NO_REFERENCE;
	*culprit = SPACE_TENANT;
	for (uint32_t member = 0; moves && self != 0 &&
	                          (member = objects_next_inside(objects, OBJECT_MEMBER, self,
	                                                        member)) != 0;) {
		const struct str jid = objects_text(objects, OBJECT_MEMBER, member, MEMBER_JID);
		if (user_of_tenant(objects, jid, &tenant) == 0)
			return OBJECT_BAD_VALUE;
	}
	return OBJECT_OK;
}

static enum object_reject
welcome_member(const struct objects *objects, const struct object_row *row, int *culprit)
{
	const uint32_t space = objects_find(objects, OBJECT_SPACE, &row->parent);
	const struct guid tenant = objects_space_tenant(objects, space);
	*culprit = MEMBER_JID;
	return user_of_tenant(objects, row_text(row, MEMBER_JID), &tenant) != 0
	               ? OBJECT_OK
	               : OBJECT_NO_REFERENCE;
}

/* Both may be named, but then the tenant is one of the group. */
static enum object_reject
welcome_in_group(const struct objects *objects, const struct object_row *row, unsigned tenant,
                 unsigned group, int *culprit)
{
	const struct value *wanted = &row->values[group];
	const struct guid own = objects_tenant_group(objects, &row->values[tenant].guid);
	*culprit = (int)group;
	return !row->values[tenant].set || !wanted->set || guid_eq(&own, &wanted->guid)
	               ? OBJECT_OK
	               : OBJECT_BAD_VALUE;
}

static enum object_reject
welcome_sync(const struct objects *objects, const struct object_row *row, int *culprit)
{
	const struct value *tenant = &row->values[LDAP_SYNC_TENANT];
	const struct value *source = &row->values[LDAP_SYNC_SOURCE];
	const struct guid own =
		guid_at(objects, OBJECT_LDAP_SOURCE,
	                objects_find(objects, OBJECT_LDAP_SOURCE, &source->guid),
	                LDAP_SOURCE_TENANT);
	*culprit = LDAP_SYNC_SOURCE;
	const bool fits = !tenant->set || !source->set || guid_eq(&own, &tenant->guid);
	return fits ? OBJECT_OK : OBJECT_NO_REFERENCE;
}

static enum object_reject
welcome_user_template(const struct objects *objects, const struct object_row *row, uint32_t self,
                      int *culprit)
{
	const uint32_t user = objects_find(objects, OBJECT_USER, &row->parent);
	*culprit = USER_TEMPLATE_OF;
	for (uint32_t other = 0; (other = objects_next_inside(objects, OBJECT_USER_TEMPLATE, user,
	                                                      other)) != 0;) {
		const struct guid of =
			guid_at(objects, OBJECT_USER_TEMPLATE, other, USER_TEMPLATE_OF);
		if (other != self && guid_eq(&of, &row->values[USER_TEMPLATE_OF].guid))
			return OBJECT_DUPLICATE_TEMPLATE;
	}
	return OBJECT_OK;
}

/* ------------------------------------------------------------------ passcodes that are too short */

/* The nearest dialInSecurityProfile that says something: method, space, tenant, system. */
static uint32_t
nearest_policy(const struct objects *objects, const struct guid near[3],
               enum dial_in_profile_field field)
{
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const struct guid far =
		guid_at(objects, OBJECT_SYSTEM_PROFILES, system, SYSTEM_DIAL_IN_PROFILE);
	const struct guid *const levels[] = { &near[0], &near[1], &near[2], &far };
	for (unsigned i = 0; i < COUNT_OF(levels); i++) {
		const uint32_t profile = objects_find(objects, OBJECT_DIAL_IN_PROFILE, levels[i]);
		const struct value value =
			objects_value(objects, OBJECT_DIAL_IN_PROFILE, profile, field);
		if (value.set)
			return value.number;
	}
	return object_field(OBJECT_DIAL_IN_PROFILE, field)->fallback;
}

static struct guid
tenant_policy(const struct objects *objects, const struct guid *tenant)
{
	return guid_at(objects, OBJECT_TENANT, objects_find(objects, OBJECT_TENANT, tenant),
	               TENANT_DIAL_IN_PROFILE);
}

uint32_t
objects_dial_in_setting(const struct objects *objects, uint32_t space, uint32_t method,
                        enum dial_in_profile_field field)
{
	const struct guid tenant = objects_space_tenant(objects, space);
	const struct guid near[] = {
		guid_at(objects, OBJECT_METHOD, method, METHOD_DIAL_IN_PROFILE),
		guid_at(objects, OBJECT_SPACE, space, SPACE_DIAL_IN_PROFILE),
		tenant_policy(objects, &tenant),
	};
	return nearest_policy(objects, near, field);
}

/* A passcode that is asked for now, or the lack of one where there is an address to dial. */
static enum object_reject
welcome_passcode(const struct objects *objects, const struct object_row *row,
                 const struct object_edit *edit, uint32_t self, int *culprit)
{
	const bool is_space = row->type == OBJECT_SPACE;
	const unsigned passcode = is_space ? (unsigned)SPACE_PASSCODE : (unsigned)METHOD_PASSCODE;
	const unsigned uri = is_space ? (unsigned)SPACE_URI : (unsigned)METHOD_URI;
	const unsigned call_id = is_space ? (unsigned)SPACE_CALL_ID : (unsigned)METHOD_CALL_ID;
	const uint32_t space = is_space ? self : objects_find(objects, OBJECT_SPACE, &row->parent);
	const struct guid tenant = is_space ? row->values[SPACE_TENANT].guid
	                                    : objects_space_tenant(objects, space);
	struct guid near[3] = { { { 0 } } };
	if (!is_space)
		near[0] = row->values[METHOD_DIAL_IN_PROFILE].guid;
	near[1] = is_space ? row->values[SPACE_DIAL_IN_PROFILE].guid
	                   : guid_at(objects, OBJECT_SPACE, space, SPACE_DIAL_IN_PROFILE);
	near[2] = tenant_policy(objects, &tenant);
	const bool born = self == 0 && (row->values[uri].set || row->values[call_id].set);
	*culprit = (int)passcode;
	return (!edit_has(edit, passcode) && !born) ||
			       row_text(row, passcode).len >=
				       nearest_policy(objects, near, DIAL_IN_MIN_PASSCODE)
	               ? OBJECT_OK
	               : OBJECT_PASSCODE_TOO_SHORT;
}

/* ------------------------------------------------------------------ all of it */

enum object_reject
row_welcome(const struct objects *objects, const struct object_row *row,
            const struct object_edit *edit, uint32_t self, int *culprit)
{
	enum object_reject reject = OBJECT_OK;
	if (row->type == OBJECT_SPACE || row->type == OBJECT_METHOD)
		reject = welcome_passcode(objects, row, edit, self, culprit);
	if (reject != OBJECT_OK)
		return reject;
	if (row->type == OBJECT_SPACE)
		return welcome_space(objects, row, edit, self, culprit);
	if (row->type == OBJECT_MEMBER && self == 0)
		return welcome_member(objects, row, culprit);
	if (row->type == OBJECT_WEB_BRIDGE)
		return welcome_in_group(objects, row, WEB_BRIDGE_TENANT, WEB_BRIDGE_TENANT_GROUP,
		                        culprit);
	if (row->type == OBJECT_IVR)
		return welcome_in_group(objects, row, IVR_TENANT, IVR_TENANT_GROUP, culprit);
	if (row->type == OBJECT_LDAP_SYNC)
		return welcome_sync(objects, row, culprit);
	if (row->type == OBJECT_USER_TEMPLATE)
		return welcome_user_template(objects, row, self, culprit);
	return OBJECT_OK;
}
