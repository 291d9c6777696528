/* SPDX-License-Identifier: Apache-2.0 */
/* One ldapSource: what is asked for, and what entries become. */
#include <stdio.h>

#include "base/log.h"
#include "callbridge/shell_ldap_internal.h"

static_assert((int)MAPPING_NAMES_MAX <= (int)DIRECTORY_ATTRIBUTES_MAX,
              "whatever mappings name can be asked for");
static_assert((int)MAPPING_NAME_BYTES_MAX <= (int)DIRECTORY_ATTRIBUTE_MAX,
              "every attribute that a mapping takes can be asked for");

const char *
ldap_source_name(const struct shell_ldap *ldap, uint32_t source, char *out, size_t cap)
{
	const struct objects *objects = meeting_objects(ldap->shell->meeting);
	const uint32_t server =
		objects_ref(objects, OBJECT_LDAP_SOURCE, source, LDAP_SOURCE_SERVER);
	snprintf(out, cap, "\"%.*s\" of %.*s:%u",
	         STR_ARGS(objects_text(objects, OBJECT_LDAP_SOURCE, source, LDAP_SOURCE_BASE_DN)),
	         STR_ARGS(objects_text(objects, OBJECT_LDAP_SERVER, server, LDAP_SERVER_ADDRESS)),
	         objects_number(objects, OBJECT_LDAP_SERVER, server, LDAP_SERVER_PORT));
	return out;
}

/* ------------------------------------------------------------------ mappings */

bool
ldap_maps_read(struct ldap_maps *maps, const struct objects *objects, uint32_t source)
{
	static const struct str own[] = { [LDAP_MAIL] = STR_INIT("mail"),
		                          [LDAP_ENTRY_UUID] = STR_INIT("entryUUID"),
		                          [LDAP_OBJECT_GUID] = STR_INIT("objectGUID") };
	const uint32_t mapping =
		objects_ref(objects, OBJECT_LDAP_SOURCE, source, LDAP_SOURCE_MAPPING);
	maps->names.count = 0;
	for (int i = 0; i < (int)COUNT_OF(own); i++) {
		const int at = mapping_names_add(&maps->names, own[i]);
		CHECK(at == i);
	}
	for (unsigned i = 0; i < LDAP_MAPPINGS; i++) {
		const bool fits = str_copy(maps->texts[i], sizeof maps->texts[i],
		                           objects_text(objects, OBJECT_LDAP_MAPPING, mapping, i));
		CHECK(fits);
		const enum mapping_reject reject =
			mapping_compile(&maps->at[i], &maps->names, str_of(maps->texts[i]));
		if (reject == MAPPING_OK)
			continue;
		log_error("LDAP sync operation: %s \"%s\" cannot be used: %s",
		          object_field(OBJECT_LDAP_MAPPING, i)->name, maps->texts[i],
		          mapping_reject_name(reject));
		return false;
	}
	if (maps->at[LDAP_MAPPING_JID].part_count != 0)
		return true;
	log_error("LDAP sync operation: the ldapMapping is gone, or has no jidMapping");
	return false;
}

/* ------------------------------------------------------------------ asking */

/* Administrators may leave the outermost parentheses out. */
static void
write_filter(struct writer *w, struct str filter)
{
	const bool bare = filter.len != 0 && filter.at[0] != '(';
	writer_text(w, bare ? "(" : "");
	writer_str(w, filter.len != 0 ? filter : STR("(objectClass=*)"));
	writer_text(w, bare ? ")" : "");
}

bool
ldap_source_ask(struct shell_ldap *ldap, uint32_t source, uint32_t template_source)
{
	const struct objects *objects = meeting_objects(ldap->shell->meeting);
	const uint32_t server =
		objects_ref(objects, OBJECT_LDAP_SOURCE, source, LDAP_SOURCE_SERVER);
	char filter[DIRECTORY_FILTER_MAX];
	struct writer w = writer_of(filter, sizeof filter);
	struct directory_search search = {
		.base = objects_text(objects, OBJECT_LDAP_SOURCE, source, LDAP_SOURCE_BASE_DN),
		.paged =
			objects_number(objects, OBJECT_LDAP_SERVER, server, LDAP_SERVER_PAGED) != 0,
		.attribute_count = ldap->run.maps.names.count,
		.attributes = ldap->run.maps.names.at,
	};
	if (!ldap_server(ldap, server, &search.server)) {
		log_error("LDAP sync operation: the ldapServer of \"%.*s\" is gone",
		          STR_ARGS(search.base));
		return false;
	}
	writer_text(&w, template_source != 0 ? "(&" : "");
	write_filter(&w, objects_text(objects, OBJECT_LDAP_SOURCE, source, LDAP_SOURCE_FILTER));
	if (template_source != 0) {
		write_filter(&w, objects_text(objects, OBJECT_LDAP_TEMPLATE_SOURCE, template_source,
		                              LDAP_TEMPLATE_SOURCE_FILTER));
		writer_text(&w, ")");
	}
	CHECK(!w.failed); /* two texts of 1,000 bytes */
	search.filter = writer_view(&w);
	ldap->run.order = ++ldap->last_id;
	if (directory_search(ldap->searches, ldap->run.order, &search) == 0)
		return true;
	log_error("LDAP sync operation: what the ldapSource of \"%.*s\" says is too long",
	          STR_ARGS(search.base));
	return false;
}

/* ------------------------------------------------------------------ entries */

/* Active Directory writes its GUIDs with the first three numbers backwards. */
static struct str
guid_text(struct str bytes, char out[GUID_TEXT_LEN + 1])
{
	static const uint8_t order[GUID_BYTES] = { 3, 2, 1, 0, 5, 4, 7, 6,
		                                   8, 9, 10, 11, 12, 13, 14, 15 };
	struct guid guid;
	if (bytes.len != GUID_BYTES)
		return STR("");
	for (unsigned i = 0; i < GUID_BYTES; i++)
		guid.bytes[i] = (uint8_t)bytes.at[order[i]];
	guid_write(out, &guid);
	return (struct str){ out, GUID_TEXT_LEN };
}

static struct str
mapped(const struct ldap_maps *maps, const struct directory_entry *entry, unsigned field,
       struct writer *w)
{
	const size_t from = w->at;
	if (!mapping_apply(&maps->at[field], entry->values, w))
		return STR("");
	return (struct str){ (const char *)w->bytes + from, w->at - from };
}

static bool
take_person(struct shell_ldap *ldap, const struct directory_entry *entry, struct str jid,
            struct writer *w)
{
	const struct ldap_maps *maps = &ldap->run.maps;
	char guid[GUID_TEXT_LEN + 1];
	const struct str object_guid = guid_text(entry->values[LDAP_OBJECT_GUID], guid);
	const struct directory_person person = {
		.jid = jid,
		.name = mapped(maps, entry, LDAP_MAPPING_NAME, w),
		.email = entry->values[LDAP_MAIL],
		.cdr_tag = mapped(maps, entry, LDAP_MAPPING_CDR_TAG, w),
		.authentication_id = mapped(maps, entry, LDAP_MAPPING_AUTHENTICATION_ID, w),
		.ad_guid = object_guid.len != 0 ? object_guid : entry->values[LDAP_ENTRY_UUID],
		.dn = entry->dn,
		.space_name = mapped(maps, entry, LDAP_MAPPING_SPACE_NAME, w),
		.space_uri = mapped(maps, entry, LDAP_MAPPING_SPACE_URI, w),
		.space_secondary_uri = mapped(maps, entry, LDAP_MAPPING_SPACE_SECONDARY_URI, w),
		.space_call_id = mapped(maps, entry, LDAP_MAPPING_SPACE_CALL_ID, w),
	};
	return directory_sync_person(ldap->run.core, &person);
}

bool
ldap_source_take(struct shell_ldap *ldap, const struct directory_answer *answer)
{
	char room[LDAP_MAPPINGS * MAPPING_OUT_MAX];
	struct directory_entry entry;
	size_t at = 0;
	while (directory_entry_next(answer, &at, &entry)) {
		struct writer w = writer_of(room, sizeof room);
		const struct str jid = mapped(&ldap->run.maps, &entry, LDAP_MAPPING_JID, &w);
		if (ldap->run.granting) {
			if (jid.len != 0)
				directory_sync_grant(ldap->run.core, jid);
			continue;
		}
		ldap->run.found++;
		ldap->run.without += jid.len == 0;
		if (jid.len != 0 && !take_person(ldap, &entry, jid, &w))
			return false;
	}
	return true;
}
