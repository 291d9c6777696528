/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked for: a table of paths.  Which fields there are and what they may hold is the
 * objects' description, who may set them is meeting/member.h. */
#include "callbridge/portal_internal.h"

#include "c2w/json_read.h"

enum {
	DEPTH_MAX = 4,     /* of a body; one is needed */
	NUMBER_TEXT_MAX = 24,
};

/* ---- Paths --------------------------------------------------------------------------------- */

/* The parts of "cospaces/#/members/#"; a part that is an id is kept in `ids`. */
static bool
fits(struct ask *ask, struct str pattern, struct str path)
{
	unsigned id_count = 0;
	while (pattern.len != 0 && path.len != 0) {
		const struct str want = str_cut(&pattern, '/');
		const struct str part = str_cut(&path, '/');
		if (str_eq(want, STR("#"))) {
			CHECK(id_count < COUNT_OF(ask->ids));
			if (!guid_parse(&ask->ids[id_count++], part))
				return false;
		} else if (!str_eq_nocase(want, part)) {
			return false;
		}
	}
	return pattern.len == 0 && path.len == 0;
}

static bool
read_body(struct ask *ask)
{
	const struct str text = ask->message->ask.body;
	if (text.len == 0)
		return true;
	ask->body = json_read(text, DEPTH_MAX);
	return json_is_object(ask->body);
}

uint32_t
ask_number(const struct ask *ask, const char *name, uint32_t usual, uint32_t most)
{
	struct str query = ask->query;
	uint32_t number = usual;
	while (query.len != 0) {
		struct str value = str_cut(&query, '&');
		const struct str key = str_cut(&value, '=');
		if (str_eq(key, str_of(name)) && !str_u32(value, &number))
			number = usual;
	}
	return number < most ? number : most;
}

/* ---- What the path names ------------------------------------------------------------------- */

static void
not_found(struct ask *ask)
{
	ask_fail(ask, 404, "notFound", NULL, NULL);
}

/* 0: the user does not see it, and was told that it is not there. */
static uint32_t
space_of(struct ask *ask)
{
	const uint32_t space = objects_find(ask->objects, OBJECT_SPACE, &ask->ids[0]);
	if (space != 0 && member_sees(ask->objects, ask->user, space))
		return space;
	not_found(ask);
	return 0;
}

/* What lies in that space. */
static uint32_t
inside_of(struct ask *ask, enum object_type type)
{
	const uint32_t space = space_of(ask);
	if (space == 0)
		return 0;
	const uint32_t handle = objects_find(ask->objects, type, &ask->ids[1]);
	if (handle != 0 && objects_parent(ask->objects, type, handle) == space)
		return handle;
	not_found(ask);
	return 0;
}

/* ---- Bodies -------------------------------------------------------------------------------- */

static void
bad_field(struct ask *ask, const char *error, const char *name)
{
	/* A name that we know is fit to be repeated; any other is theirs. */
	ask_fail(ask, 400, error, name != NULL ? "field" : NULL, name);
}

/* A JSON value as the API would be told it. */
static bool
text_of(const json_t *value, char number[NUMBER_TEXT_MAX], struct str *out)
{
	struct writer w = writer_of(number, NUMBER_TEXT_MAX);
	*out = (struct str){ 0 };
	if (json_is_null(value))
		return true;
	if (json_is_boolean(value)) {
		*out = json_is_true(value) ? STR("true") : STR("false");
		return true;
	}
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		writer_decimal(&w, (uint64_t)json_integer_value(value));
		*out = writer_view(&w);
		return true;
	}
	*out = (struct str){ .at = json_string_value(value), .len = json_string_length(value) };
	return json_is_string(value);
}

/* False: it was told what is wrong. */
static bool
read_edit(struct ask *ask, struct object_edit *edit, unsigned how, char (*numbers)[NUMBER_TEXT_MAX])
{
	const char *name;
	json_t *value;
	unsigned at = 0;
	json_object_foreach(ask->body, name, value) {
		struct str text;
		const int field = object_field_find(edit->type, str_of(name));
		const char *const known =
			field >= 0 ? object_field(edit->type, (unsigned)field)->name : NULL;
		enum object_reject reject = OBJECT_UNKNOWN_PARAMETER;
		if (known != NULL && at < OBJECT_FIELDS_MAX && text_of(value, numbers[at++], &text))
			reject = object_edit_text(edit, how, str_of(name), text);
		if (reject != OBJECT_OK) {
			bad_field(ask, reject == OBJECT_TOO_LONG ? "tooLong" : "invalidValue", known);
			return false;
		}
	}
	return true;
}

static void
add(struct ask *ask, enum object_type type, const char *done)
{
	char numbers[OBJECT_FIELDS_MAX][NUMBER_TEXT_MAX];
	struct object_edit edit = { .type = type };
	const uint32_t space = space_of(ask);
	if (space == 0 || !read_edit(ask, &edit, FIELD_POST, numbers) || !ask_begin(ask))
		return;
	const struct member_answer answer = member_add(ask->objects, ask->user, space, &edit);
	ask_finish(ask, &answer, done, type, &ask->ids[0]);
}

static void
edit(struct ask *ask, enum object_type type, uint32_t handle, const struct guid *id,
     const char *done)
{
	char numbers[OBJECT_FIELDS_MAX][NUMBER_TEXT_MAX];
	struct object_edit wish = { .type = type };
	if (handle == 0 || !read_edit(ask, &wish, FIELD_PUT, numbers) || !ask_begin(ask))
		return;
	const struct member_answer answer = member_edit(ask->objects, ask->user, handle, &wish);
	ask_finish(ask, &answer, done, type, id);
}

static void
take_away(struct ask *ask, enum object_type type, uint32_t handle, const struct guid *id,
          const char *done)
{
	if (handle == 0 || !ask_begin(ask))
		return;
	const struct member_answer answer = member_remove(ask->objects, ask->user, type, handle);
	ask_finish(ask, &answer, done, type, id);
}

/* ---- Handlers ------------------------------------------------------------------------------ */

static void
get_space(struct ask *ask)
{
	const uint32_t space = space_of(ask);
	if (space != 0)
		show_space(ask, space);
}

/* {"coSpaceTemplateId", "name"} */
static void
post_space(struct ask *ask)
{
	struct guid id;
	struct object_edit edit = { .type = OBJECT_SPACE };
	const char *template = json_string_value(json_object_get(ask->body, "coSpaceTemplateId"));
	const char *name = json_string_value(json_object_get(ask->body, "name"));
	if (template == NULL || !guid_parse(&id, str_of(template))) {
		ask_fail(ask, 400, "missing", "field", "coSpaceTemplateId");
		return;
	}
	if (name == NULL || name[0] == '\0' ||
	    object_edit_text(&edit, FIELD_POST, STR("name"), str_of(name)) != OBJECT_OK) {
		ask_fail(ask, 400, name == NULL || name[0] == '\0' ? "missing" : "invalidValue",
		         "field", "name");
		return;
	}
	const uint32_t handle = objects_find(ask->objects, OBJECT_SPACE_TEMPLATE, &id);
	if (!ask_begin(ask))
		return;
	const struct member_answer answer =
		member_add_space(ask->objects, ask->user, handle, edit.values[SPACE_NAME].text);
	ask_finish(ask, &answer, "created space", OBJECT_SPACE, &id);
}

static void
put_space(struct ask *ask)
{
	edit(ask, OBJECT_SPACE, space_of(ask), &ask->ids[0], "modified space");
}

static void
delete_space(struct ask *ask)
{
	take_away(ask, OBJECT_SPACE, space_of(ask), &ask->ids[0], "deleted space");
}

static void
get_members(struct ask *ask)
{
	const uint32_t space = space_of(ask);
	if (space != 0)
		show_members(ask, space);
}

static void
post_member(struct ask *ask)
{
	add(ask, OBJECT_MEMBER, "added member");
}

static void
put_member(struct ask *ask)
{
	edit(ask, OBJECT_MEMBER, inside_of(ask, OBJECT_MEMBER), &ask->ids[1], "modified member");
}

static void
delete_member(struct ask *ask)
{
	take_away(ask, OBJECT_MEMBER, inside_of(ask, OBJECT_MEMBER), &ask->ids[1],
	          "removed member");
}

static void
post_method(struct ask *ask)
{
	add(ask, OBJECT_METHOD, "created access method");
}

static void
put_method(struct ask *ask)
{
	edit(ask, OBJECT_METHOD, inside_of(ask, OBJECT_METHOD), &ask->ids[1],
	     "modified access method");
}

static void
delete_method(struct ask *ask)
{
	take_away(ask, OBJECT_METHOD, inside_of(ask, OBJECT_METHOD), &ask->ids[1],
	          "deleted access method");
}

static void
post_invitation(struct ask *ask)
{
	const uint32_t space = space_of(ask);
	if (space != 0)
		show_invitation(ask, space, 0);
}

static void
post_method_invitation(struct ask *ask)
{
	const uint32_t method = inside_of(ask, OBJECT_METHOD);
	if (method == 0)
		return;
	if (member_sees_method(ask->objects, ask->user, method))
		show_invitation(ask, objects_parent(ask->objects, OBJECT_METHOD, method), method);
	else
		not_found(ask);
}

/* ---- The table ----------------------------------------------------------------------------- */

static const struct {
	enum c2w_method method;
	bool anybody; /* signed in or not */
	struct str path;
	void (*answer)(struct ask *ask);
} questions[] = {
	{ C2W_METHOD_GET, true, STR_INIT("options"), show_options },
	{ C2W_METHOD_GET, false, STR_INIT("user"), show_user },
	{ C2W_METHOD_GET, false, STR_INIT("coSpaceTemplates"), show_templates },
	{ C2W_METHOD_GET, false, STR_INIT("userLookup"), show_users_found },
	{ C2W_METHOD_GET, false, STR_INIT("cospaceLookup"), show_spaces_found },
	{ C2W_METHOD_GET, false, STR_INIT("cospaces"), show_spaces },
	{ C2W_METHOD_POST, false, STR_INIT("cospaces"), post_space },
	{ C2W_METHOD_GET, false, STR_INIT("cospaces/#"), get_space },
	{ C2W_METHOD_PUT, false, STR_INIT("cospaces/#"), put_space },
	{ C2W_METHOD_DELETE, false, STR_INIT("cospaces/#"), delete_space },
	{ C2W_METHOD_POST, false, STR_INIT("cospaces/#/emailInvitation"), post_invitation },
	{ C2W_METHOD_GET, false, STR_INIT("cospaces/#/members"), get_members },
	{ C2W_METHOD_POST, false, STR_INIT("cospaces/#/members"), post_member },
	{ C2W_METHOD_PUT, false, STR_INIT("cospaces/#/members/#"), put_member },
	{ C2W_METHOD_DELETE, false, STR_INIT("cospaces/#/members/#"), delete_member },
	{ C2W_METHOD_POST, false, STR_INIT("cospaces/#/accessMethods"), post_method },
	{ C2W_METHOD_PUT, false, STR_INIT("cospaces/#/accessMethods/#"), put_method },
	{ C2W_METHOD_DELETE, false, STR_INIT("cospaces/#/accessMethods/#"), delete_method },
	{ C2W_METHOD_POST, false, STR_INIT("cospaces/#/accessMethods/#/emailInvitation"),
	  post_method_invitation },
};

void
portal_ask(struct ask *ask)
{
	struct str query = ask->message->ask.path;
	const struct str path = str_cut(&query, '?');
	bool known = false;
	ask->query = query;
	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		if (!fits(ask, questions[i].path, path))
			continue;
		known = true;
		if (questions[i].method != ask->message->ask.method)
			continue;
		if (!questions[i].anybody && ask->user == 0)
			ask_fail(ask, 401, "expired", NULL, NULL);
		else if (!read_body(ask))
			ask_fail(ask, 400, "badRequest", NULL, NULL);
		else
			questions[i].answer(ask);
		return;
	}
	if (known)
		ask_fail(ask, 405, "badRequest", NULL, NULL);
	else
		not_found(ask);
}
