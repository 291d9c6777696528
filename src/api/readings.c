/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of an object beside its own parameters: the settings in force, where they come from,
 * how to get in, and what a script keeps with it. */
#include <stdio.h>

#include "api/api_internal.h"
#include "base/check.h"

static void
write_set(struct work *work, enum object_type type, unsigned field, const struct value *value)
{
	if (value->set)
		document_value(&work->doc, object_field(type, field), value);
}

static void
write_text(struct work *work, enum object_type type, unsigned field, struct str text)
{
	write_set(work, type, field, &(struct value){ .set = text.len != 0, .text = text });
}

/* ------------------------------------------------------------------ settings in force */

void
effective_get(struct work *work, uint32_t container)
{
	const enum object_type inside = work->path.row->inside;
	const uint32_t web_bridge = inside == OBJECT_WEB_BRIDGE ? container : 0;
	const uint32_t tenant = inside == OBJECT_TENANT ? container : 0;
	work->has_body = true;
	document_open(&work->doc, STR("effectiveWebBridgeProfile"));
	for (unsigned field = WEB_PROFILE_NAME + 1; field < WEB_PROFILE_FIELDS; field++) {
		const struct value value = meeting_web_setting(work->meeting, web_bridge, tenant,
		                                               (enum web_profile_field)field);
		document_value(&work->doc, object_field(OBJECT_WEB_PROFILE, field), &value);
	}
	document_close(&work->doc);
}

/* One level: which profile, and what it says. */
static void
write_section(struct work *work, const char *scope, uint32_t profile)
{
	static const struct field scope_field = { "scope", .kind = FIELD_TEXT };
	static const struct field profile_field = { "callLegProfile", .kind = FIELD_GUID };
	const struct value name = { .set = true, .text = str_of(scope) };
	const struct value id = { .set = true,
		                  .guid = objects_id(work->objects, OBJECT_LEG_PROFILE, profile) };
	document_item_open(&work->doc, STR("section"));
	document_value(&work->doc, &scope_field, &name);
	document_value(&work->doc, &profile_field, &id);
	for (unsigned field = LEG_PROFILE_NAME + 1; field < LEG_PROFILE_FIELDS; field++) {
		const struct value value =
			objects_value(work->objects, OBJECT_LEG_PROFILE, profile, field);
		write_set(work, OBJECT_LEG_PROFILE, field, &value);
	}
	document_item_close(&work->doc);
}

/* What the leg itself was given stands last: it has the last word. */
static void
write_own_section(struct work *work, uint32_t leg)
{
	static const struct field scope_field = { "scope", .kind = FIELD_TEXT };
	const struct value name = { .set = true, .text = STR("callLeg") };
	document_item_open(&work->doc, STR("section"));
	document_value(&work->doc, &scope_field, &name);
	for (unsigned field = LEG_PROFILE_NAME + 1; field < LEG_PROFILE_FIELDS; field++) {
		const struct value value = meeting_value(work->meeting, OBJECT_LEG, leg,
		                                         LEG_FIELDS + field - 1, work->now_us);
		write_set(work, OBJECT_LEG_PROFILE, field, &value);
	}
	document_item_close(&work->doc);
}

void
trace_get(struct work *work, uint32_t leg)
{
	static const struct {
		enum profile_level level;
		const char *scope;
	} levels[] = {
		{ LEVEL_SYSTEM, "global" },      { LEVEL_TENANT, "tenant" },
		{ LEVEL_SPACE, "coSpace" },      { LEVEL_METHOD, "accessMethod" },
		{ LEVEL_MEMBER, "coSpaceUser" }, { LEVEL_LEG, "callOut" },
	};
	work->has_body = true;
	document_open(&work->doc, STR("callLegProfileTrace"));
	document_users_open(&work->doc, STR("sections"), STR("section"));
	for (unsigned i = 0; i < COUNT_OF(levels); i++) {
		const uint32_t profile = meeting_leg_profile(work->meeting, leg, levels[i].level);
		if (profile != 0)
			write_section(work, levels[i].scope, profile);
	}
	write_own_section(work, leg);
	document_list_close(&work->doc);
	document_close(&work->doc);
}

/* ------------------------------------------------------------------ how to get in */

/* The way that people are told of: a method of the space, or the space's own addresses. */
struct way {
	struct str uri;
	struct str call_id;
	struct str passcode;
	struct str secret;
};

static struct way
way_in(const struct work *work, uint32_t space, uint32_t method)
{
	const struct objects *objects = work->objects;
	const struct str own = objects_text(objects, OBJECT_SPACE, space, SPACE_URI);
	const struct str number = objects_text(objects, OBJECT_SPACE, space, SPACE_CALL_ID);
	if (method == 0)
		method = objects_ref(objects, OBJECT_SPACE, space, SPACE_DEFAULT_METHOD);
	if (method == 0)
		return (struct way){
			.uri = own,
			.call_id = number,
			.passcode = objects_text(objects, OBJECT_SPACE, space, SPACE_PASSCODE),
			.secret = objects_text(objects, OBJECT_SPACE, space, SPACE_SECRET),
		};
	struct way way = {
		.uri = objects_text(objects, OBJECT_METHOD, method, METHOD_URI),
		.call_id = objects_text(objects, OBJECT_METHOD, method, METHOD_CALL_ID),
		.passcode = objects_text(objects, OBJECT_METHOD, method, METHOD_PASSCODE),
		.secret = objects_text(objects, OBJECT_METHOD, method, METHOD_SECRET),
	};
	return way;
}

/* The profile whose addresses and numbers the space's people are told. */
static uint32_t
web_profile_of(const struct work *work, uint32_t space)
{
	const struct objects *objects = work->objects;
	const struct guid tenant = objects_space_tenant(objects, space);
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const uint32_t near =
		objects_ref(objects, OBJECT_TENANT, objects_find(objects, OBJECT_TENANT, &tenant),
	                    TENANT_WEB_PROFILE);
	return near != 0 ? near
	                 : objects_ref(objects, OBJECT_SYSTEM_PROFILES, system,
	                               SYSTEM_WEB_PROFILE);
}

static void
write_uri(const struct work *work, struct writer *w, uint32_t space, struct str uri)
{
	const struct guid tenant = objects_space_tenant(work->objects, space);
	writer_format(w, "%.*s@%.*s", STR_ARGS(uri), STR_ARGS(work_domain(work, &tenant)));
}

void
entry_detail_get(struct work *work, uint32_t space)
{
	char text[OBJECT_TEXT_MAX];
	const struct way way = way_in(work, space, 0);
	struct writer w = writer_of(text, sizeof text);
	if (way.uri.len != 0)
		write_uri(work, &w, space, way.uri);
	work->has_body = true;
	document_open(&work->doc, STR("meetingEntryDetail"));
	write_set(work, OBJECT_ENTRY_DETAIL, ENTRY_DETAIL_SPACE,
	          &(struct value){ .set = true, .guid = work->path.ids[0] });
	write_text(work, OBJECT_ENTRY_DETAIL, ENTRY_DETAIL_URI, writer_view(&w));
	write_text(work, OBJECT_ENTRY_DETAIL, ENTRY_DETAIL_CALL_ID, way.call_id);
	document_close(&work->doc);
}

/* ------------------------------------------------------------------ invitations */

struct phrases {
	const char *language;
	const char *before; /* the name */
	const char *behind;
	const char *browser;
	const char *video;
	const char *telephone;
	const char *number;
	const char *passcode;
};

static const struct phrases all_phrases[] = {
	{ "en_US", "You are invited to ", ".", "In a browser", "From a video room", "By telephone",
	  "Meeting ID", "Passcode" },
	{ "fr_FR", "Vous \xc3\xaates invit\xc3\xa9 \xc3\xa0 ", ".", "Dans un navigateur",
	  "Depuis une salle vid\xc3\xa9o", "Par t\xc3\xa9l\xc3\xa9phone",
	  "Num\xc3\xa9ro de r\xc3\xa9union", "Code d'acc\xc3\xa8s" },
	{ "ko_KR", "",
	  " \xed\x9a\x8c\xec\x9d\x98\xec\x97\x90 \xec\xb4\x88\xeb\x8c\x80\xed\x95\xa9"
	  "\xeb\x8b\x88\xeb\x8b\xa4.",
	  "\xeb\xb8\x8c\xeb\x9d\xbc\xec\x9a\xb0\xec\xa0\x80",
	  "\xec\x98\x81\xec\x83\x81 \xed\x9a\x8c\xec\x9d\x98\xec\x8b\xa4",
	  "\xec\xa0\x84\xed\x99\x94", "\xed\x9a\x8c\xec\x9d\x98 ID",
	  "\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8" },
};

/* "fr", "fr_FR", "fr-CA" speak French; who asks for nothing we have reads English. */
static const struct phrases *
phrases_for(struct str language)
{
	for (unsigned i = 0; language.len >= 2 && i < COUNT_OF(all_phrases); i++) {
		if (str_eq_nocase(str_sub(language, 0, 2),
		                  str_sub(str_of(all_phrases[i].language), 0, 2)))
			return &all_phrases[i];
	}
	return &all_phrases[0];
}

static void
write_link(struct writer *w, const struct phrases *say, struct str base, const struct way *way)
{
	if (way->call_id.len == 0)
		return;
	while (str_ends(base, STR("/")))
		base.len--;
	writer_format(w, "%s: %.*s/meeting/%.*s", say->browser, STR_ARGS(base),
	              STR_ARGS(way->call_id));
	if (way->secret.len != 0)
		writer_format(w, "?secret=%.*s", STR_ARGS(way->secret));
	writer_u8(w, '\n');
}

static void
write_invitation(const struct work *work, struct writer *w, const struct phrases *say,
                 uint32_t space, const struct way *way)
{
	const struct objects *objects = work->objects;
	const struct str name = objects_text(objects, OBJECT_SPACE, space, SPACE_NAME);
	const uint32_t profile = web_profile_of(work, space);
	uint32_t first = objects_next_inside(objects, OBJECT_WEB_ADDRESS, profile, 0);
	writer_format(w, "%s%.*s%s\n", say->before, STR_ARGS(name.len != 0 ? name : way->uri),
	              say->behind);
	if (first == 0)
		write_link(w, say, str_of(work->api->web_address), way);
	for (uint32_t at = first; at != 0;
	     at = objects_next_inside(objects, OBJECT_WEB_ADDRESS, profile, at))
		write_link(w, say,
		           objects_text(objects, OBJECT_WEB_ADDRESS, at, WEB_ADDRESS_ADDRESS), way);
	if (way->uri.len != 0) {
		writer_format(w, "%s: ", say->video);
		write_uri(work, w, space, way->uri);
		writer_u8(w, '\n');
	}
	for (uint32_t at = 0;
	     (at = objects_next_inside(objects, OBJECT_IVR_NUMBER, profile, at)) != 0;) {
		const struct str label =
			objects_text(objects, OBJECT_IVR_NUMBER, at, IVR_NUMBER_LABEL);
		const struct str number =
			objects_text(objects, OBJECT_IVR_NUMBER, at, IVR_NUMBER_NUMBER);
		writer_format(w, "%s: %.*s%s%.*s%s\n", say->telephone, STR_ARGS(number),
		              label.len != 0 ? " (" : "", STR_ARGS(label),
		              label.len != 0 ? ")" : "");
	}
	if (way->call_id.len != 0)
		writer_format(w, "%s: %.*s\n", say->number, STR_ARGS(way->call_id));
	if (way->passcode.len != 0)
		writer_format(w, "%s: %.*s\n", say->passcode, STR_ARGS(way->passcode));
}

void
invitation_get(struct work *work, uint32_t space)
{
	enum { INVITATION_BYTES_MAX = 64 * 1024 };
	static char text[INVITATION_BYTES_MAX];
	uint32_t method = 0;
	if (work->path.id_count > 1) {
		method = objects_find(work->objects, OBJECT_METHOD, &work->path.ids[1]);
		if (method == 0 ||
		    objects_parent(work->objects, OBJECT_METHOD, method) != space) {
			work_fail(work, 404, object_describe(OBJECT_METHOD)->missing);
			return;
		}
	}
	const struct phrases *say = phrases_for(form_get(&work->query, STR("language")));
	const struct way way = way_in(work, space, method);
	struct writer w = writer_of(text, sizeof text);
	write_invitation(work, &w, say, space, &way);
	work->has_body = true;
	document_open(&work->doc, STR("emailInvitation"));
	write_text(work, OBJECT_INVITATION, INVITATION_LANGUAGE, str_of(say->language));
	write_text(work, OBJECT_INVITATION, INVITATION_TEXT, writer_view(&w));
	document_close(&work->doc);
	explicit_bzero(text, sizeof text);
}

/* ------------------------------------------------------------------ what a script keeps */

void
metadata_get(struct work *work, uint32_t space)
{
	const struct value value =
		objects_value(work->objects, OBJECT_SPACE, space, SPACE_METADATA);
	work->has_body = true;
	document_open(&work->doc, STR("metadata"));
	document_value(&work->doc, object_field(OBJECT_METADATA, METADATA_TEXT), &value);
	document_close(&work->doc);
}

void
metadata_put(struct work *work, uint32_t space, const struct object_edit *asked)
{
	struct object_edit edit = { .type = OBJECT_SPACE };
	int culprit = -1;
	if (!edit_has(asked, METADATA_TEXT))
		return;
	edit_set_text(&edit, SPACE_METADATA, asked->values[METADATA_TEXT].text);
	objects_begin(work->objects);
	const enum object_reject reject = objects_edit(work->objects, space, &edit, &culprit);
	work_finish(work, reject, OBJECT_SPACE, culprit);
	if (reject == OBJECT_OK)
		work_log(work, "modified", OBJECT_SPACE, &work->path.ids[0], NULL);
}
