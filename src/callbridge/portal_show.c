/* SPDX-License-Identifier: Apache-2.0 */
/* What a user sees, as JSON. */
#include "callbridge/portal_internal.h"

#include "base/utf8.h"
#include "c2w/json_write.h"
#include "meeting/dial_plan.h"
#include "meeting/invitation.h"

enum {
	SEARCH_MIN = 2,   /* characters that a search begins with */
	SEARCH_MAX = 100, /* bytes of them */
	URI_TEXT_MAX = 512,
};

/* ---- Pieces -------------------------------------------------------------------------------- */

static void
text(struct ask *ask, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	json_key(&ask->w, str_of(name));
	json_text(&ask->w, value, false);
}

static void
id(struct ask *ask, enum object_type type, uint32_t handle)
{
	char out[GUID_TEXT_LEN + 1];
	const struct guid guid = objects_id(ask->objects, type, handle);
	guid_write(out, &guid);
	text(ask, "id", str_of(out));
}

static void
flag(struct ask *ask, const char *name, bool value)
{
	json_key(&ask->w, str_of(name));
	writer_text(&ask->w, value ? "true" : "false");
}

static void
number(struct ask *ask, const char *name, uint32_t value)
{
	json_key(&ask->w, str_of(name));
	writer_decimal(&ask->w, value);
}

static void
list_open(struct ask *ask, const char *name)
{
	json_key(&ask->w, str_of(name));
	writer_u8(&ask->w, '[');
}

static void
item_open(struct ask *ask)
{
	writer_text(&ask->w, ask->w.bytes[ask->w.at - 1] == '[' ? "{" : ",{");
}

/* A field as the API calls and words it. */
static void
field(struct ask *ask, enum object_type type, uint32_t handle, unsigned at)
{
	char out[OBJECT_TEXT_MAX];
	const struct field *desc = object_field(type, at);
	const struct value value = objects_value(ask->objects, type, handle, at);
	struct writer w = writer_of(out, sizeof out);
	if (desc->kind == FIELD_BOOL) {
		flag(ask, desc->name, objects_number(ask->objects, type, handle, at) != 0);
	} else if (value.set || desc->kind == FIELD_ENUM) {
		const struct value known = { .set = true,
			                     .text = value.text,
			                     .guid = value.guid,
			                     .number = objects_number(ask->objects, type, handle,
			                                              at) };
		value_write(&w, desc, &known);
		text(ask, desc->name, writer_view(&w));
	}
	explicit_bzero(out, w.at);
}

static struct str
domain_of(const struct ask *ask, uint32_t space)
{
	const struct guid tenant = objects_space_tenant(ask->objects, space);
	const struct str own = dial_own_domain(ask->objects, &tenant);
	return own.len != 0 ? own : str_of(ask->portal->sip_domain);
}

static struct invitation
invitation_of(const struct ask *ask, uint32_t space, uint32_t method)
{
	return (struct invitation){ .space = space,
		                    .method = method,
		                    .web_address = str_of(ask->portal->web_address),
		                    .domain = domain_of(ask, space) };
}

/* Video address and link of one way in. */
static void
way(struct ask *ask, uint32_t space, const struct invitation_way *way)
{
	char out[URI_TEXT_MAX];
	struct writer w = writer_of(out, sizeof out);
	const struct invitation invitation = invitation_of(ask, space, 0);
	if (way->uri.len != 0) {
		writer_format(&w, "%.*s@%.*s", STR_ARGS(way->uri), STR_ARGS(invitation.domain));
		text(ask, "videoAddress", w.failed ? (struct str){ 0 } : writer_view(&w));
	}
	w = writer_of(out, sizeof out);
	invitation_write_link(&w, ask->objects, &invitation, way);
	text(ask, "link", w.failed ? (struct str){ 0 } : writer_view(&w));
	explicit_bzero(out, sizeof out);
}

static void
rights(struct ask *ask, uint32_t member)
{
	list_open(ask, "rights");
	for (unsigned i = MEMBER_CAN_DESTROY; member != 0 && i < MEMBER_FIELDS; i++) {
		if (objects_number(ask->objects, OBJECT_MEMBER, member, i) == 0)
			continue;
		if (ask->w.bytes[ask->w.at - 1] != '[')
			writer_u8(&ask->w, ',');
		json_text(&ask->w, str_of(object_field(OBJECT_MEMBER, i)->name), false);
	}
	writer_u8(&ask->w, ']');
}

static uint32_t
people_in(const struct ask *ask, uint32_t space)
{
	const struct meeting_call *call =
		meeting_call(ask->meeting, meeting_call_of_space(ask->meeting, space));
	return call != NULL ? call->legs : 0;
}

/* ---- The user and the server --------------------------------------------------------------- */

void
show_options(struct ask *ask)
{
	const struct value guests =
		meeting_web_setting(ask->meeting, ask->web_bridge, 0, WEB_PROFILE_ALLOW_GUESTS);
	writer_u8(&ask->w, '{');
	flag(ask, "signIn", portal_is_open(ask->meeting, ask->web_bridge, 0));
	flag(ask, "guests", guests.number != 0);
	list_open(ask, "providers");
	uint32_t at = 0;
	for (uint32_t provider;
	     (provider = objects_next(ask->objects, OBJECT_OIDC_PROVIDER, &at)) != 0;) {
		if (!elsewhere_is_open(ask->meeting, ask->web_bridge, provider))
			continue;
		item_open(ask);
		id(ask, OBJECT_OIDC_PROVIDER, provider);
		text(ask, "name", objects_text(ask->objects, OBJECT_OIDC_PROVIDER, provider,
		                               OIDC_PROVIDER_NAME));
		writer_u8(&ask->w, '}');
	}
	writer_text(&ask->w, "]}");
	ask_tell(ask, 200);
}

void
show_user(struct ask *ask)
{
	const struct str name = objects_text(ask->objects, OBJECT_USER, ask->user, USER_NAME);
	writer_u8(&ask->w, '{');
	text(ask, "jid", ask_jid(ask));
	text(ask, "name", name.len != 0 ? name : ask_jid(ask));
	text(ask, "email", objects_text(ask->objects, OBJECT_USER, ask->user, USER_EMAIL));
	writer_u8(&ask->w, '}');
	ask_tell(ask, 200);
}

void
show_templates(struct ask *ask)
{
	writer_u8(&ask->w, '{');
	list_open(ask, "coSpaceTemplates");
	for (uint32_t at = 0; (at = objects_next_inside(ask->objects, OBJECT_USER_TEMPLATE,
	                                                ask->user, at)) != 0;) {
		const uint32_t template =
			objects_ref(ask->objects, OBJECT_USER_TEMPLATE, at, USER_TEMPLATE_OF);
		if (template == 0)
			continue;
		item_open(ask);
		id(ask, OBJECT_SPACE_TEMPLATE, template);
		field(ask, OBJECT_SPACE_TEMPLATE, template, SPACE_TEMPLATE_NAME);
		field(ask, OBJECT_SPACE_TEMPLATE, template, SPACE_TEMPLATE_DESCRIPTION);
		writer_u8(&ask->w, '}');
	}
	writer_text(&ask->w, "]}");
	ask_tell(ask, 200);
}

/* ---- Spaces -------------------------------------------------------------------------------- */

/* What opens it: its default access method, if that is for this user to see. */
static struct invitation_way
usual_way(const struct ask *ask, uint32_t space)
{
	const uint32_t usual =
		objects_ref(ask->objects, OBJECT_SPACE, space, SPACE_DEFAULT_METHOD);
	return usual != 0 && member_sees_method(ask->objects, ask->user, usual)
	               ? invitation_way(ask->objects, space, usual)
	               : invitation_way_of_space(ask->objects, space);
}

static void
brief(struct ask *ask, uint32_t space)
{
	const struct invitation_way main = usual_way(ask, space);
	const uint32_t people = people_in(ask, space);
	item_open(ask);
	id(ask, OBJECT_SPACE, space);
	field(ask, OBJECT_SPACE, space, SPACE_NAME);
	flag(ask, "owner", member_owns(ask->objects, ask->user, space));
	text(ask, "callId", main.call_id);
	text(ask, "uri", main.uri);
	if (people != 0)
		number(ask, "participants", people);
	writer_u8(&ask->w, '}');
}

void
show_spaces(struct ask *ask)
{
	const uint32_t offset = ask_number(ask, "offset", 0, UINT32_MAX);
	const uint32_t limit = ask_number(ask, "limit", PORTAL_SPACES_MAX, PORTAL_SPACES_MAX);
	struct member_cursor cursor = { 0 };
	uint32_t total = 0;
	writer_u8(&ask->w, '{');
	list_open(ask, "cospaces");
	for (uint32_t space;
	     (space = member_next_space(ask->objects, ask->user, &cursor)) != 0; total++) {
		if (total >= offset && total - offset < limit)
			brief(ask, space);
	}
	writer_u8(&ask->w, ']');
	number(ask, "total", total);
	writer_u8(&ask->w, '}');
	ask_tell(ask, 200);
}

static void
show_method(struct ask *ask, uint32_t space, uint32_t method)
{
	static const enum method_field fields[] = { METHOD_NAME, METHOD_URI, METHOD_CALL_ID,
		                                    METHOD_PASSCODE, METHOD_SCOPE };
	const struct invitation_way of = invitation_way(ask->objects, space, method);
	item_open(ask);
	id(ask, OBJECT_METHOD, method);
	for (unsigned i = 0; i < COUNT_OF(fields); i++)
		field(ask, OBJECT_METHOD, method, fields[i]);
	way(ask, space, &of);
	writer_u8(&ask->w, '}');
}

static uint32_t
count_members(const struct ask *ask, uint32_t space)
{
	uint32_t count = 0;
	for (uint32_t at = 0;
	     (at = objects_next_inside(ask->objects, OBJECT_MEMBER, space, at)) != 0;)
		count++;
	return count;
}

void
show_space(struct ask *ask, uint32_t space)
{
	static const enum space_field fields[] = { SPACE_NAME, SPACE_URI, SPACE_SECONDARY_URI,
		                                   SPACE_CALL_ID, SPACE_PASSCODE,
		                                   SPACE_NON_MEMBER_ACCESS, SPACE_OWNER_JID };
	const struct invitation_way of = invitation_way_of_space(ask->objects, space);
	writer_u8(&ask->w, '{');
	id(ask, OBJECT_SPACE, space);
	for (unsigned i = 0; i < COUNT_OF(fields); i++)
		field(ask, OBJECT_SPACE, space, fields[i]);
	way(ask, space, &of);
	flag(ask, "owner", member_owns(ask->objects, ask->user, space));
	number(ask, "participants", people_in(ask, space));
	number(ask, "members", count_members(ask, space));
	rights(ask, member_entry(ask->objects, ask->user, space));
	list_open(ask, "accessMethods");
	for (uint32_t at = 0;
	     (at = objects_next_inside(ask->objects, OBJECT_METHOD, space, at)) != 0;) {
		if (member_sees_method(ask->objects, ask->user, at))
			show_method(ask, space, at);
	}
	writer_text(&ask->w, "]}");
	ask_tell(ask, 200);
}

void
show_members(struct ask *ask, uint32_t space)
{
	const uint32_t offset = ask_number(ask, "offset", 0, UINT32_MAX);
	const uint32_t limit = ask_number(ask, "limit", PORTAL_MEMBERS_MAX, PORTAL_MEMBERS_MAX);
	const struct str owner = objects_text(ask->objects, OBJECT_SPACE, space, SPACE_OWNER_JID);
	const uint32_t self = member_entry(ask->objects, ask->user, space);
	uint32_t total = 0;
	writer_u8(&ask->w, '{');
	list_open(ask, "members");
	for (uint32_t at = 0;
	     (at = objects_next_inside(ask->objects, OBJECT_MEMBER, space, at)) != 0; total++) {
		const struct str jid = objects_text(ask->objects, OBJECT_MEMBER, at, MEMBER_JID);
		if (total < offset || total - offset >= limit)
			continue;
		item_open(ask);
		id(ask, OBJECT_MEMBER, at);
		text(ask, "userJid", jid);
		text(ask, "name",
		     objects_text(ask->objects, OBJECT_USER,
		                  objects_find_address(ask->objects, OBJECT_USER, jid), USER_NAME));
		flag(ask, "owner", str_eq_nocase(owner, jid));
		flag(ask, "self", at == self);
		rights(ask, at);
		writer_u8(&ask->w, '}');
	}
	writer_u8(&ask->w, ']');
	number(ask, "total", total);
	writer_u8(&ask->w, '}');
	ask_tell(ask, 200);
}

void
show_invitation(struct ask *ask, uint32_t space, uint32_t method)
{
	static char out[INVITATION_BYTES_MAX];
	const json_t *language = json_object_get(ask->body, "language");
	struct invitation invitation = invitation_of(ask, space, method);
	struct writer w = writer_of(out, sizeof out);
	invitation.language = str_of(json_string_value(language));
	/* What a space's default access method tells may not be for this user to see. */
	const uint32_t usual =
		objects_ref(ask->objects, OBJECT_SPACE, space, SPACE_DEFAULT_METHOD);
	if (method == 0 && usual != 0 && !member_sees_method(ask->objects, ask->user, usual)) {
		ask_fail(ask, 404, "notFound", NULL, NULL);
		return;
	}
	invitation_write(&w, ask->objects, &invitation);
	writer_u8(&ask->w, '{');
	text(ask, "language", str_of(invitation_language(invitation.language)));
	json_key(&ask->w, STR("text"));
	json_text(&ask->w, writer_view(&w), true);
	writer_u8(&ask->w, '}');
	explicit_bzero(out, w.at);
	ask_tell(ask, 200);
}

/* ---- Searches ------------------------------------------------------------------------------ */

/* What stands in the query, decoded; false: too short, too long, or no text. */
static bool
wanted(const struct ask *ask, char out[SEARCH_MAX + 1])
{
	struct str query = ask->query;
	size_t len = 0;
	while (query.len != 0) {
		struct str value = str_cut(&query, '&');
		if (!str_eq(str_cut(&value, '='), STR("query")))
			continue;
		for (size_t i = 0; i < value.len && len < SEARCH_MAX; i++) {
			int c = value.at[i] == '+' ? ' ' : (unsigned char)value.at[i];
			if (c == '%' && value.len - i >= 3 && hex_value(value.at[i + 1]) >= 0 &&
			    hex_value(value.at[i + 2]) >= 0) {
				c = hex_value(value.at[i + 1]) << 4 | hex_value(value.at[i + 2]);
				i += 2;
			}
			out[len++] = (char)c;
		}
	}
	out[len] = '\0';
	return len >= SEARCH_MIN && len < SEARCH_MAX && utf8_valid(out, len);
}

/* Users of the same tenant. */
void
show_users_found(struct ask *ask)
{
	char query[SEARCH_MAX + 1];
	const struct guid own =
		objects_value(ask->objects, OBJECT_USER, ask->user, USER_TENANT).guid;
	const bool searches = wanted(ask, query);
	unsigned found = 0;
	uint32_t at = 0;
	writer_u8(&ask->w, '{');
	list_open(ask, "users");
	for (uint32_t user; searches && found < PORTAL_FOUND_MAX &&
	                    (user = objects_next(ask->objects, OBJECT_USER, &at)) != 0;) {
		const struct guid tenant =
			objects_value(ask->objects, OBJECT_USER, user, USER_TENANT).guid;
		const struct str jid = objects_text(ask->objects, OBJECT_USER, user, USER_JID);
		const struct str name = objects_text(ask->objects, OBJECT_USER, user, USER_NAME);
		if (!guid_eq(&tenant, &own) || (!str_contains_nocase(jid, str_of(query)) &&
		                                !str_contains_nocase(name, str_of(query))))
			continue;
		item_open(ask);
		text(ask, "userJid", jid);
		text(ask, "name", name);
		writer_u8(&ask->w, '}');
		found++;
	}
	writer_text(&ask->w, "]}");
	ask_tell(ask, 200);
}

/* Access methods of scope "directory" are for every user of the tenant to find. */
void
show_spaces_found(struct ask *ask)
{
	char query[SEARCH_MAX + 1];
	const struct guid own =
		objects_value(ask->objects, OBJECT_USER, ask->user, USER_TENANT).guid;
	const bool searches = wanted(ask, query);
	unsigned found = 0;
	uint32_t at = 0;
	writer_u8(&ask->w, '{');
	list_open(ask, "cospaces");
	for (uint32_t method; searches && found < PORTAL_FOUND_MAX &&
	                      (method = objects_next(ask->objects, OBJECT_METHOD, &at)) != 0;) {
		if (objects_number(ask->objects, OBJECT_METHOD, method, METHOD_SCOPE) !=
		    SCOPE_DIRECTORY)
			continue;
		const uint32_t space = objects_parent(ask->objects, OBJECT_METHOD, method);
		const struct guid tenant = objects_space_tenant(ask->objects, space);
		const struct str name = objects_text(ask->objects, OBJECT_SPACE, space, SPACE_NAME);
		if (!guid_eq(&tenant, &own) || !str_contains_nocase(name, str_of(query)))
			continue;
		item_open(ask);
		field(ask, OBJECT_SPACE, space, SPACE_NAME);
		field(ask, OBJECT_METHOD, method, METHOD_URI);
		field(ask, OBJECT_METHOD, method, METHOD_CALL_ID);
		writer_u8(&ask->w, '}');
		found++;
	}
	writer_text(&ask->w, "]}");
	ask_tell(ask, 200);
}
