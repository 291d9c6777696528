/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering, and the order in which everything is applied: what goes first makes room for what
 * comes.  One person's part of it is in directory_sync_put.c. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/slab.h"
#include "meeting/directory_sync_internal.h"

enum {
	LOOK_MAX = 2000, /* objects looked at in one step */
};

/* ------------------------------------------------------------------ life */

int
directory_sync_create(struct directory_sync **out, const struct directory_sync_settings *settings)
{
	CHECK(settings->people_max != 0 && settings->people_max <= SLAB_SLOTS_MAX);
	struct directory_sync *sync = calloc(1, sizeof *sync);
	if (sync == NULL)
		return -ENOMEM;
	sync->settings = *settings;
	sync->objects = settings->objects;
	sync->batch = DIRECTORY_SYNC_BATCH;
	sync->people = calloc(settings->people_max, sizeof *sync->people);
	sync->bytes = malloc(DIRECTORY_SYNC_BYTES_MAX);
	int rc = sync->people != NULL && sync->bytes != NULL ? 0 : -ENOMEM;
	if (rc == 0)
		rc = map_create(&sync->by_jid, settings->people_max);
	if (rc == 0)
		rc = map_create(&sync->by_user, settings->people_max);
	if (rc != 0) {
		directory_sync_destroy(sync);
		return rc;
	}
	*out = sync;
	return 0;
}

void
directory_sync_destroy(struct directory_sync *sync)
{
	if (sync == NULL)
		return;
	map_destroy(&sync->by_user);
	map_destroy(&sync->by_jid);
	free(sync->bytes);
	free(sync->people);
	free(sync);
}

/* ------------------------------------------------------------------ lines */

void
sync_line(struct directory_sync *sync, const char *format, ...)
{
	char raw[DIRECTORY_SYNC_LINE_BYTES];
	va_list args;
	if (sync->line_count == DIRECTORY_SYNC_LINES_MAX)
		return;
	va_start(args, format);
	vsnprintf(raw, sizeof raw, format, args);
	va_end(args);
	text_copy_clean(sync->lines[sync->line_count++], DIRECTORY_SYNC_LINE_BYTES, str_of(raw));
}

const char *
directory_sync_line(struct directory_sync *sync)
{
	return sync->line_taken < sync->line_count ? sync->lines[sync->line_taken++] : NULL;
}

struct directory_sync_counts
directory_sync_counts(const struct directory_sync *sync)
{
	return sync->counts;
}

/* ------------------------------------------------------------------ gathering */

static uint64_t
jid_hash(const struct directory_sync *sync, struct str jid)
{
	char folded[UINT8_MAX + 1];
	const size_t len = jid.len < sizeof folded ? jid.len : sizeof folded;
	for (size_t i = 0; i < len; i++)
		folded[i] = str_lower(jid.at[i]);
	return hash_bytes(&sync->settings.hash_key, folded, len);
}

struct str
gathered_text(const struct directory_sync *sync, const struct gathered *person,
              enum person_text text)
{
	uint32_t at = person->at;
	for (unsigned i = 0; i < text; i++)
		at += person->lens[i];
	return (struct str){ (const char *)sync->bytes + at, person->lens[text] };
}

struct gathered *
gathered_find(const struct directory_sync *sync, struct str jid)
{
	struct map_cursor cursor = map_find(&sync->by_jid, jid_hash(sync, jid));
	for (uint32_t found; (found = map_next(&sync->by_jid, &cursor)) != 0;) {
		struct gathered *person = &sync->people[found - 1];
		if (str_eq_nocase(gathered_text(sync, person, PERSON_JID), jid))
			return person;
	}
	return NULL;
}

bool
directory_sync_source(struct directory_sync *sync, uint32_t source)
{
	static const struct {
		enum ldap_mapping_field field;
		enum person_text text;
	} maps[] = { { LDAP_MAPPING_JID, PERSON_JID },
		     { LDAP_MAPPING_NAME, PERSON_NAME },
		     { LDAP_MAPPING_CDR_TAG, PERSON_CDR_TAG },
		     { LDAP_MAPPING_AUTHENTICATION_ID, PERSON_AUTHENTICATION_ID },
		     { LDAP_MAPPING_SPACE_URI, PERSON_SPACE_URI },
		     { LDAP_MAPPING_SPACE_SECONDARY_URI, PERSON_SPACE_SECONDARY_URI },
		     { LDAP_MAPPING_SPACE_NAME, PERSON_SPACE_NAME },
		     { LDAP_MAPPING_SPACE_CALL_ID, PERSON_SPACE_CALL_ID } };
	const struct objects *objects = sync->objects;
	CHECK(sync->phase == SYNC_GATHER);
	if (sync->source_count == DIRECTORY_SYNC_SOURCES_MAX)
		return false;
	struct gathered_source *of = &sync->sources[sync->source_count++];
	const uint32_t mapping =
		objects_ref(objects, OBJECT_LDAP_SOURCE, source, LDAP_SOURCE_MAPPING);
	*of = (struct gathered_source){
		.id = objects_id(objects, OBJECT_LDAP_SOURCE, source),
		.tenant = objects_value(objects, OBJECT_LDAP_SOURCE, source,
		                        LDAP_SOURCE_TENANT).guid,
		.profile = objects_value(objects, OBJECT_LDAP_SOURCE, source,
		                         LDAP_SOURCE_USER_PROFILE).guid,
		.non_member_access = objects_number(objects, OBJECT_LDAP_SOURCE, source,
		                                    LDAP_SOURCE_NON_MEMBER_ACCESS) != 0,
		.maps = { [PERSON_EMAIL] = true, [PERSON_AD_GUID] = true, [PERSON_DN] = true },
	};
	for (size_t i = 0; i < COUNT_OF(maps); i++)
		of->maps[maps[i].text] =
			objects_text(objects, OBJECT_LDAP_MAPPING, mapping, maps[i].field).len != 0;
	return true;
}

/* Two entries that want to be one user: the first is. */
static void
tell_twice(struct directory_sync *sync, const struct gathered *first,
           const struct directory_person *person)
{
	const struct str dn = gathered_text(sync, first, PERSON_DN);
	sync->counts.clashes++;
	sync_line(sync, "clash: \"%.*s\" has the userJid \"%.*s\" of \"%.*s\"",
	          STR_ARGS(person->dn), STR_ARGS(person->jid), STR_ARGS(dn));
}

bool
directory_sync_person(struct directory_sync *sync, const struct directory_person *person)
{
	const struct str texts[PERSON_TEXTS] = {
		[PERSON_JID] = person->jid,
		[PERSON_NAME] = person->name,
		[PERSON_EMAIL] = person->email,
		[PERSON_CDR_TAG] = person->cdr_tag,
		[PERSON_AUTHENTICATION_ID] = person->authentication_id,
		[PERSON_AD_GUID] = person->ad_guid,
		[PERSON_DN] = person->dn,
		[PERSON_SPACE_NAME] = person->space_name,
		[PERSON_SPACE_URI] = person->space_uri,
		[PERSON_SPACE_SECONDARY_URI] = person->space_secondary_uri,
		[PERSON_SPACE_CALL_ID] = person->space_call_id,
	};
	struct value jid;
	CHECK(sync->phase == SYNC_GATHER && sync->source_count != 0);
	sync->counts.people++;
	if (value_read(&jid, object_field(OBJECT_USER, USER_JID), person->jid) != OBJECT_OK) {
		sync->counts.faults++;
		sync_line(sync, "left out: \"%.*s\", whose userJid would be \"%.*s\"",
		          STR_ARGS(person->dn), STR_ARGS(person->jid));
		return true;
	}
	const struct gathered *first = gathered_find(sync, person->jid);
	if (first != NULL) {
		tell_twice(sync, first, person);
		return true;
	}
	if (sync->person_count == sync->settings.people_max)
		return false;
	struct gathered *to = &sync->people[sync->person_count];
	struct writer w = writer_of(sync->bytes + sync->byte_count,
	                            DIRECTORY_SYNC_BYTES_MAX - sync->byte_count);
	*to = (struct gathered){ .at = sync->byte_count,
		                 .source = (uint16_t)(sync->source_count - 1) };
	for (unsigned i = 0; i < PERSON_TEXTS; i++) {
		CHECK(texts[i].len <= UINT16_MAX);
		to->lens[i] = (uint16_t)texts[i].len;
		writer_str(&w, texts[i]);
	}
	const uint64_t hash = jid_hash(sync, person->jid);
	if (w.failed || !map_put(&sync->by_jid, hash, sync->person_count + 1))
		return false;
	sync->byte_count += (uint32_t)w.at;
	sync->person_count++;
	return true;
}

bool
directory_sync_template(struct directory_sync *sync, uint32_t template_source)
{
	CHECK(sync->phase == SYNC_GATHER && sync->source_count != 0);
	if (sync->template_count == DIRECTORY_SYNC_TEMPLATES_MAX)
		return false;
	sync->templates[sync->template_count++] = (struct gathered_template){
		.source = (uint16_t)(sync->source_count - 1),
		.template = objects_value(sync->objects, OBJECT_LDAP_TEMPLATE_SOURCE,
		                          template_source, LDAP_TEMPLATE_SOURCE_OF).guid,
	};
	return true;
}

void
directory_sync_grant(struct directory_sync *sync, struct str jid)
{
	CHECK(sync->phase == SYNC_GATHER && sync->template_count != 0);
	struct gathered *person = gathered_find(sync, jid);
	const uint32_t last = sync->template_count - 1;
	if (person != NULL && person->source == sync->templates[last].source)
		person->templates |= UINT64_C(1) << last;
}

/* ------------------------------------------------------------------ whose space is whose */

static uint64_t
user_hash(const struct directory_sync *sync, const struct guid *user)
{
	return hash_bytes(&sync->settings.hash_key, user->bytes, sizeof user->bytes);
}

uint32_t
sync_space_of(const struct directory_sync *sync, uint32_t user)
{
	const struct guid id = objects_id(sync->objects, OBJECT_USER, user);
	struct map_cursor cursor = map_find(&sync->by_user, user_hash(sync, &id));
	for (uint32_t space; (space = map_next(&sync->by_user, &cursor)) != 0;) {
		const struct guid of =
			objects_value(sync->objects, OBJECT_SPACE, space, SPACE_LDAP_USER).guid;
		if (guid_eq(&of, &id))
			return space;
	}
	return 0;
}

/* Notes whose spaces there are; false: there are more to look at. */
static bool
index_some(struct directory_sync *sync)
{
	for (unsigned looked = 0; looked < LOOK_MAX; looked++) {
		const uint32_t space = objects_next(sync->objects, OBJECT_SPACE, &sync->at);
		if (space == 0)
			return true;
		const struct value of =
			objects_value(sync->objects, OBJECT_SPACE, space, SPACE_LDAP_USER);
		/* No more spaces are made by syncs than there can be users. */
		if (of.set && !map_put(&sync->by_user, user_hash(sync, &of.guid), space))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ who goes */

static const struct gathered_source *
source_find(const struct directory_sync *sync, const struct guid *id)
{
	for (uint32_t i = 0; i < sync->source_count; i++) {
		if (guid_eq(&sync->sources[i].id, id))
			return &sync->sources[i];
	}
	return NULL;
}

/* Does this sync speak for the source that is no more? */
static bool
speaks_for_gone(const struct directory_sync *sync, uint32_t user)
{
	const struct directory_sync_settings *settings = &sync->settings;
	const struct guid tenant =
		objects_value(sync->objects, OBJECT_USER, user, USER_TENANT).guid;
	return guid_is_zero(&settings->source) &&
	       (guid_is_zero(&settings->tenant) || guid_eq(&settings->tenant, &tenant));
}

/* Somebody who was gathered elsewhere stays, unless that is another tenant: whose user one is
 * does not change. */
static bool
goes(const struct directory_sync *sync, uint32_t user)
{
	const struct objects *objects = sync->objects;
	const struct value source = objects_value(objects, OBJECT_USER, user, USER_LDAP_SOURCE);
	if (!source.set)
		return false;
	const bool gone = objects_find(objects, OBJECT_LDAP_SOURCE, &source.guid) == 0;
	if (gone ? !speaks_for_gone(sync, user) : source_find(sync, &source.guid) == NULL)
		return false;
	const struct gathered *person =
		gathered_find(sync, objects_text(objects, OBJECT_USER, user, USER_JID));
	const struct guid tenant = objects_value(objects, OBJECT_USER, user, USER_TENANT).guid;
	return person == NULL || !guid_eq(&sync->sources[person->source].tenant, &tenant);
}

/* ------------------------------------------------------------------ steps */

static enum object_reject
remove_some(struct directory_sync *sync, bool *all)
{
	uint32_t removed = 0;
	for (unsigned looked = 0; looked < LOOK_MAX && removed < sync->batch; looked++) {
		const uint32_t before = sync->at;
		bool more = false;
		const uint32_t user = objects_next(sync->objects, OBJECT_USER, &sync->at);
		if (user == 0) {
			*all = true;
			return OBJECT_OK;
		}
		if (!goes(sync, user))
			continue;
		const enum object_reject reject = sync_remove_user(sync, user, &more);
		if (reject == OBJECT_FULL)
			return reject;
		removed++;
		if (more) {
			sync->at = before;
			return OBJECT_OK;
		}
		sync->counts.removed++;
	}
	return OBJECT_OK;
}

static enum object_reject
put_some(struct directory_sync *sync, bool *all)
{
	uint32_t put = 0;
	for (unsigned looked = 0; looked < LOOK_MAX && put < sync->batch &&
	                          sync->at < sync->person_count; looked++) {
		struct gathered *person = &sync->people[sync->at];
		const bool due = sync->phase == SYNC_PUT || person->again;
		if (due && sync_put_person(sync, person) == OBJECT_FULL)
			return OBJECT_FULL;
		put += due;
		sync->at++;
	}
	*all = sync->at == sync->person_count;
	return OBJECT_OK;
}

/* Nothing of this step has been; the next is smaller. */
static enum directory_sync_state
undo(struct directory_sync *sync, const struct sync_mark *mark)
{
	objects_abort(sync->objects);
	sync->at = mark->at;
	sync->counts = mark->counts;
	sync->line_count = mark->line_count;
	const bool least = sync->batch == 1;
	sync->batch = 1;
	return least ? DIRECTORY_SYNC_STUCK : DIRECTORY_SYNC_MORE;
}

enum directory_sync_state
directory_sync_step(struct directory_sync *sync, struct object_tx *tx)
{
	const struct sync_mark mark = { sync->at, sync->line_count, sync->counts };
	bool all = false;
	*tx = (struct object_tx){ 0 };
	if (sync->phase == SYNC_DONE)
		return DIRECTORY_SYNC_DONE;
	if (sync->phase == SYNC_GATHER) {
		sync->phase = SYNC_INDEX;
		sync->at = 0;
	}
	if (sync->phase == SYNC_INDEX) {
		all = index_some(sync);
	} else {
		objects_begin(sync->objects);
		const enum object_reject reject = sync->phase == SYNC_REMOVE
		                                          ? remove_some(sync, &all)
		                                          : put_some(sync, &all);
		if (reject == OBJECT_FULL)
			return undo(sync, &mark);
		*tx = objects_end(sync->objects);
		sync->batch = DIRECTORY_SYNC_BATCH;
	}
	if (all) {
		sync->phase++;
		sync->at = 0;
	}
	return sync->phase == SYNC_DONE ? DIRECTORY_SYNC_DONE : DIRECTORY_SYNC_MORE;
}
