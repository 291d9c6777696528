/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of an object beside its own parameters: the settings in force, where they come from,
 * how to get in, and what a script keeps with it. */
#include <stdio.h>

#include "api/api_internal.h"
#include "base/check.h"
#include "meeting/invitation.h"

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

static struct invitation
invitation_of(const struct work *work, uint32_t space, uint32_t method)
{
	const struct guid tenant = objects_space_tenant(work->objects, space);
	return (struct invitation){ .space = space,
		                    .method = method,
		                    .language = form_get(&work->query, STR("language")),
		                    .web_address = str_of(work->api->web_address),
		                    .domain = work_domain(work, &tenant) };
}

void
entry_detail_get(struct work *work, uint32_t space)
{
	char text[OBJECT_TEXT_MAX];
	const struct invitation invitation = invitation_of(work, space, 0);
	const struct invitation_way way = invitation_way(work->objects, space, 0);
	struct writer w = writer_of(text, sizeof text);
	invitation_write_uri(&w, work->objects, &invitation);
	work->has_body = true;
	document_open(&work->doc, STR("meetingEntryDetail"));
	write_set(work, OBJECT_ENTRY_DETAIL, ENTRY_DETAIL_SPACE,
	          &(struct value){ .set = true, .guid = work->path.ids[0] });
	write_text(work, OBJECT_ENTRY_DETAIL, ENTRY_DETAIL_URI, writer_view(&w));
	write_text(work, OBJECT_ENTRY_DETAIL, ENTRY_DETAIL_CALL_ID, way.call_id);
	document_close(&work->doc);
}

void
invitation_get(struct work *work, uint32_t space)
{
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
	const struct invitation invitation = invitation_of(work, space, method);
	struct writer w = writer_of(text, sizeof text);
	invitation_write(&w, work->objects, &invitation);
	work->has_body = true;
	document_open(&work->doc, STR("emailInvitation"));
	write_text(work, OBJECT_INVITATION, INVITATION_LANGUAGE,
	           str_of(invitation_language(invitation.language)));
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
