/* SPDX-License-Identifier: Apache-2.0 */
/* One person: the user, the space of their own, their templates; and all of that gone again. */
#include "meeting/directory_sync_internal.h"

enum {
	MEMBERSHIPS_A_STEP = 200, /* of a user who goes */
};

/* A field that a person's text, or the source, has something to say about. */
struct wanted {
	unsigned field;
	enum person_text text;
};

static const struct wanted user_texts[] = {
	{ USER_JID, PERSON_JID },
	{ USER_NAME, PERSON_NAME },
	{ USER_EMAIL, PERSON_EMAIL },
	{ USER_CDR_TAG, PERSON_CDR_TAG },
	{ USER_AUTHENTICATION_ID, PERSON_AUTHENTICATION_ID },
	{ USER_AD_GUID, PERSON_AD_GUID },
	{ USER_LDAP_DN, PERSON_DN },
};
static const struct wanted space_texts[] = {
	{ SPACE_NAME, PERSON_SPACE_NAME },
	{ SPACE_URI, PERSON_SPACE_URI },
	{ SPACE_SECONDARY_URI, PERSON_SPACE_SECONDARY_URI },
	{ SPACE_CALL_ID, PERSON_SPACE_CALL_ID },
};

struct put {
	struct directory_sync *sync;
	struct gathered *person;
	const struct gathered_source *source;
	struct str jid;
};

/* ------------------------------------------------------------------ what differs */

static void
want_value(const struct put *put, struct object_edit *edit, uint32_t handle, unsigned field,
           const struct value *value)
{
	const struct value now = objects_value(put->sync->objects, edit->type, handle, field);
	const bool same = now.set == value->set && now.number == value->number &&
	                  guid_eq(&now.guid, &value->guid) && str_eq(now.text, value->text);
	if (same)
		return;
	edit->values[field] = *value;
	field_set_put(&edit->given, field, true);
}

static void
want_guid(const struct put *put, struct object_edit *edit, uint32_t handle, unsigned field,
          const struct guid *guid)
{
	const struct value value = { .set = !guid_is_zero(guid), .guid = *guid };
	want_value(put, edit, handle, field, &value);
}

/* What its field cannot hold is left out, and told. */
static void
want_text(const struct put *put, struct object_edit *edit, uint32_t handle,
          const struct wanted *wanted)
{
	const struct str text = gathered_text(put->sync, put->person, wanted->text);
	const struct field *field = object_field(edit->type, wanted->field);
	struct value value = { 0 };
	if (!put->source->maps[wanted->text])
		return;
	if (text.len != 0 && value_read(&value, field, text) != OBJECT_OK) {
		put->sync->counts.faults++;
		sync_line(put->sync, "left out: %s \"%.*s\" of %s \"%.*s\"", field->name,
		          STR_ARGS(text), object_describe(edit->type)->singular,
		          STR_ARGS(put->jid));
		value = (struct value){ 0 };
	}
	want_value(put, edit, handle, wanted->field, &value);
}

/* ------------------------------------------------------------------ the user */

static void
clash(const struct put *put, const char *what, struct str text, const char *of)
{
	put->sync->counts.clashes++;
	sync_line(put->sync, "clash: %s \"%.*s\" of user \"%.*s\" is %s", what, STR_ARGS(text),
	          STR_ARGS(put->jid), of);
}

/* May this sync have that user?  Those of sources that were not asked are theirs. */
static bool
is_ours(const struct put *put, uint32_t user)
{
	const struct objects *objects = put->sync->objects;
	const struct value source = objects_value(objects, OBJECT_USER, user, USER_LDAP_SOURCE);
	const struct guid tenant = objects_value(objects, OBJECT_USER, user, USER_TENANT).guid;
	bool asked = source.set && objects_find(objects, OBJECT_LDAP_SOURCE, &source.guid) == 0;
	for (uint32_t i = 0; !asked && i < put->sync->source_count; i++)
		asked = guid_eq(&put->sync->sources[i].id, &source.guid);
	return asked && guid_eq(&tenant, &put->source->tenant);
}

static enum object_reject
put_user(const struct put *put, uint32_t *user)
{
	struct directory_sync *sync = put->sync;
	struct object_edit edit = { .type = OBJECT_USER };
	int culprit = -1;
	*user = objects_find_address(sync->objects, OBJECT_USER, put->jid);
	if (*user != 0 && !is_ours(put, *user)) {
		clash(put, "the userJid", put->jid, "of another ldapSource or tenant");
		*user = 0;
		return OBJECT_DUPLICATE_NAME;
	}
	for (size_t i = 0; i < COUNT_OF(user_texts); i++)
		want_text(put, &edit, *user, &user_texts[i]);
	want_guid(put, &edit, *user, USER_TENANT, &put->source->tenant);
	want_guid(put, &edit, *user, USER_PROFILE, &put->source->profile);
	want_guid(put, &edit, *user, USER_LDAP_SOURCE, &put->source->id);
	if (field_set_empty(&edit.given))
		return OBJECT_OK;
	const bool is_new = *user == 0;
	const enum object_reject reject =
		is_new ? objects_add(sync->objects, &edit, 0, user, &culprit)
		       : objects_edit(sync->objects, *user, &edit, &culprit);
	if (reject == OBJECT_OK) {
		sync->counts.created += is_new;
		sync->counts.changed += !is_new;
	} else if (reject != OBJECT_FULL) {
		sync->counts.faults++;
		sync_line(sync, "left out: user \"%.*s\", whose %s is refused", STR_ARGS(put->jid),
		          culprit >= 0 ? object_field(OBJECT_USER, (unsigned)culprit)->name
		                       : "entry");
	}
	return reject;
}

/* ------------------------------------------------------------------ the space */

static bool
wants_space(const struct put *put)
{
	bool any = false;
	for (size_t i = 0; i < COUNT_OF(space_texts); i++)
		any = any || put->person->lens[space_texts[i].text] != 0;
	return any;
}

/* As CMS gives them to the person whose space it is. */
static enum object_reject
add_member(const struct put *put, uint32_t space)
{
	struct object_edit edit = { .type = OBJECT_MEMBER };
	uint32_t member = 0;
	int culprit = -1;
	edit_set_text(&edit, MEMBER_JID, put->jid);
	edit_set_number(&edit, MEMBER_AUTO_GENERATED, 1);
	edit_set_number(&edit, MEMBER_CAN_ADD_REMOVE_MEMBER, 1);
	edit_set_number(&edit, MEMBER_CAN_CHANGE_PASSCODE, 1);
	return objects_add(put->sync->objects, &edit, space, &member, &culprit);
}

static void
tell_refused_space(const struct put *put, const struct object_edit *edit,
                   enum object_reject reject, int culprit)
{
	struct str text = STR("");
	if (culprit >= 0 && (unsigned)culprit < SPACE_FIELDS)
		text = edit->values[culprit].text;
	if (reject == OBJECT_DUPLICATE_URI || reject == OBJECT_DUPLICATE_URI_PASSCODE) {
		clash(put, "the space address", text, "another space's");
	} else if (reject == OBJECT_DUPLICATE_ID || reject == OBJECT_DUPLICATE_ID_PASSCODE) {
		clash(put, "the call ID", text, "another space's");
	} else {
		put->sync->counts.faults++;
		sync_line(put->sync, "left out: the space of user \"%.*s\"%s", STR_ARGS(put->jid),
		          reject == OBJECT_PASSCODE_TOO_SHORT
		                  ? ", for a dialInSecurityProfile wants a passcode"
		                  : "");
	}
}

/* Whoever has the address may get another in this very sync: those who come later are not here
 * yet.  So a clash is one only when everybody was there once. */
static bool
waits_for_others(const struct put *put, enum object_reject reject)
{
	const bool taken = reject == OBJECT_DUPLICATE_URI || reject == OBJECT_DUPLICATE_ID;
	put->person->again = taken && put->sync->phase == SYNC_PUT;
	return put->person->again;
}

static enum object_reject
remove_space(struct directory_sync *sync, uint32_t space)
{
	if (space == 0)
		return OBJECT_OK;
	const enum object_reject reject = objects_remove(sync->objects, OBJECT_SPACE, space);
	sync->counts.spaces_removed += reject == OBJECT_OK;
	return reject;
}

static void
fill_new_space(const struct put *put, struct object_edit *edit, uint32_t user)
{
	const struct guid id = objects_id(put->sync->objects, OBJECT_USER, user);
	edit_set_number(edit, SPACE_AUTO_GENERATED, 1);
	edit_set_number(edit, SPACE_NON_MEMBER_ACCESS, put->source->non_member_access);
	edit_set_text(edit, SPACE_OWNER_JID, put->jid);
	edit_set_guid(edit, SPACE_LDAP_USER, &id);
	want_guid(put, edit, 0, SPACE_TENANT, &put->source->tenant);
}

static enum object_reject
put_space(const struct put *put, uint32_t user)
{
	struct directory_sync *sync = put->sync;
	struct object_edit edit = { .type = OBJECT_SPACE };
	uint32_t space = sync_space_of(sync, user);
	int culprit = -1;
	if (!wants_space(put))
		return remove_space(sync, space);
	for (size_t i = 0; i < COUNT_OF(space_texts); i++)
		want_text(put, &edit, space, &space_texts[i]);
	want_guid(put, &edit, space, SPACE_LDAP_SOURCE, &put->source->id);
	const bool is_new = space == 0;
	if (is_new)
		fill_new_space(put, &edit, user);
	else if (field_set_empty(&edit.given))
		return OBJECT_OK;
	enum object_reject reject = is_new ? objects_add(sync->objects, &edit, 0, &space, &culprit)
	                                   : objects_edit(sync->objects, space, &edit, &culprit);
	if (!waits_for_others(put, reject) && reject != OBJECT_OK && reject != OBJECT_FULL)
		tell_refused_space(put, &edit, reject, culprit);
	if (reject == OBJECT_OK && is_new)
		reject = add_member(put, space);
	if (reject == OBJECT_OK) {
		sync->counts.spaces_created += is_new;
		sync->counts.spaces_changed += !is_new;
	}
	return reject;
}

/* ------------------------------------------------------------------ their templates */

/* The bit of a grant that is not there yet; 0: it is not wanted. */
static uint64_t
grant_of(const struct put *put, uint64_t missing, const struct guid *template)
{
	uint64_t bits = 0;
	for (uint32_t i = 0; i < put->sync->template_count; i++) {
		if (guid_eq(&put->sync->templates[i].template, template))
			bits |= UINT64_C(1) << i;
	}
	return bits & missing;
}

static enum object_reject
add_template(const struct put *put, uint32_t user, const struct guid *template)
{
	struct object_edit edit = { .type = OBJECT_USER_TEMPLATE };
	uint32_t added = 0;
	int culprit = -1;
	edit_set_guid(&edit, USER_TEMPLATE_OF, template);
	edit_set_number(&edit, USER_TEMPLATE_AUTO_GENERATED, 1);
	return objects_add(put->sync->objects, &edit, user, &added, &culprit);
}

/* Those that somebody assigned by hand stay. */
static enum object_reject
put_templates(const struct put *put, uint32_t user)
{
	struct objects *objects = put->sync->objects;
	uint64_t missing = put->person->templates;
	enum object_reject reject = OBJECT_OK;
	uint32_t next = objects_next_inside(objects, OBJECT_USER_TEMPLATE, user, 0);
	while (next != 0 && reject != OBJECT_FULL) {
		const uint32_t has = next;
		const struct guid template =
			objects_value(objects, OBJECT_USER_TEMPLATE, has, USER_TEMPLATE_OF).guid;
		const uint64_t bits = grant_of(put, missing, &template);
		next = objects_next_inside(objects, OBJECT_USER_TEMPLATE, user, has);
		missing &= ~bits;
		if (bits == 0 && objects_number(objects, OBJECT_USER_TEMPLATE, has,
		                                USER_TEMPLATE_AUTO_GENERATED) != 0)
			reject = objects_remove(objects, OBJECT_USER_TEMPLATE, has);
	}
	for (uint32_t i = 0; i < put->sync->template_count && reject != OBJECT_FULL; i++) {
		const struct guid *template = &put->sync->templates[i].template;
		if ((missing >> i & 1) == 0)
			continue;
		missing &= ~grant_of(put, missing, template);
		if (objects_find(objects, OBJECT_SPACE_TEMPLATE, template) != 0)
			reject = add_template(put, user, template);
	}
	return reject;
}

/* ------------------------------------------------------------------ all of it */

enum object_reject
sync_put_person(struct directory_sync *sync, struct gathered *person)
{
	const struct put put = { .sync = sync, .person = person,
		                 .source = &sync->sources[person->source],
		                 .jid = gathered_text(sync, person, PERSON_JID) };
	uint32_t user = 0;
	if (sync->phase == SYNC_AGAIN) {
		user = objects_find_address(sync->objects, OBJECT_USER, put.jid);
		return user != 0 ? put_space(&put, user) : OBJECT_OK;
	}
	enum object_reject reject = put_user(&put, &user);
	if (reject != OBJECT_OK)
		return reject;
	sync->counts.imported++;
	reject = put_space(&put, user);
	return reject == OBJECT_FULL ? reject : put_templates(&put, user);
}

enum object_reject
sync_remove_user(struct directory_sync *sync, uint32_t user, bool *more)
{
	struct objects *objects = sync->objects;
	const struct str jid = objects_text(objects, OBJECT_USER, user, USER_JID);
	enum object_reject reject = remove_space(sync, sync_space_of(sync, user));
	for (unsigned left = 0; reject == OBJECT_OK; left++) {
		const uint32_t member = objects_find_address(objects, OBJECT_MEMBER, jid);
		if (member == 0)
			return objects_remove(objects, OBJECT_USER, user);
		*more = left == MEMBERSHIPS_A_STEP;
		if (*more)
			return OBJECT_OK;
		reject = objects_remove(objects, OBJECT_MEMBER, member);
	}
	return reject;
}
