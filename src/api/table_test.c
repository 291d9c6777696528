/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every kind of object that can be made through the API is made, read, changed, filtered,
 * paged and deleted, whatever it lies in and refers to.  Method: the descriptions say what to send;
 * tests/e2e/test_api.py does the same through the real port. */
#include "api/api_world.h"
#include "api/path.h"

enum { NAMED_MAX = 48, DEPTH_MAX = 6 };

/* A type's collection by POST, NULL when it cannot be made. */
static const struct path_row *
row_of(enum object_type type)
{
	const struct path_row *row;
	for (unsigned n = 0; (row = path_row(n)) != NULL; n++) {
		if (row->kind == PATH_COLLECTION && row->type == type &&
		    (row->methods & 1u << API_POST) != 0)
			return row;
	}
	return NULL;
}

static void make(struct bridge *b, enum object_type type, unsigned depth, char *out, size_t cap);

/* Users are made by synchronisations. */
static void
make_user(struct bridge *b, char *out, size_t cap)
{
	static unsigned number;
	struct objects *objects = meeting_objects(b->meeting);
	struct object_edit edit = { .type = OBJECT_USER };
	uint32_t user = 0;
	int culprit = -1;
	char jid[32];
	snprintf(jid, sizeof jid, "user%u@example.org", ++number);
	edit_set_text(&edit, USER_JID, str_of(jid));
	objects_begin(objects);
	EXPECT_EQ(objects_add(objects, &edit, 0, &user, &culprit), OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	const struct guid id = objects_id(objects, OBJECT_USER, user);
	char text[GUID_TEXT_LEN + 1];
	guid_write(text, &id);
	snprintf(out, cap, "/users/%s", text);
}

static void
jid_of_new_user(struct bridge *b, char *out, size_t cap)
{
	char path[NAMED_MAX * 2];
	struct guid id;
	make_user(b, path, sizeof path);
	EXPECT(guid_parse(&id, str_of(strrchr(path, '/') + 1)));
	const struct objects *objects = meeting_objects(b->meeting);
	const struct str jid = objects_text(objects, OBJECT_USER,
	                                    objects_find(objects, OBJECT_USER, &id), USER_JID);
	snprintf(out, cap, "%.*s", STR_ARGS(jid));
}

/* A value that field `at` takes; different for each field. */
static void
good_value(struct bridge *b, const struct field *field, unsigned at, unsigned depth, char *out,
           size_t cap)
{
	char path[128];
	bool lacks = false;
	switch ((enum field_kind)field->kind) {
	case FIELD_TEXT:
		snprintf(out, cap, "some-text-%u", at);
		break;
	case FIELD_BOOL:
		snprintf(out, cap, "%s",
		         (field->flags & FIELD_LACKING) == 0 || field->fallback != 0 ? "true"
		                                                                      : "false");
		break;
	case FIELD_UINT:
	case FIELD_SECONDS:
		snprintf(out, cap, "%u", field->max);
		break;
	case FIELD_ENUM:
		lacks = (field->flags & FIELD_LACKING) != 0 || field->words[1] == NULL;
		snprintf(out, cap, "%s", field->words[lacks ? field->fallback : 1]);
		break;
	case FIELD_DIGITS:
	case FIELD_PASSCODE:
		snprintf(out, cap, "4711%u", at);
		break;
	case FIELD_URI_USER:
		snprintf(out, cap, "somebody%u", at);
		break;
	case FIELD_PARTY:
		snprintf(out, cap, "somebody%u@example.org", at);
		break;
	case FIELD_URL:
		snprintf(out, cap, "%s://host.example.org:9999", field->words[0]);
		break;
	case FIELD_JID:
		jid_of_new_user(b, out, cap);
		break;
	case FIELD_GENERATOR:
		snprintf(out, cap, "room.$.x%u", at);
		break;
	case FIELD_DTMF:
	case FIELD_CODE:
		snprintf(out, cap, "*%u", at);
		break;
	case FIELD_GUID:
		make(b, field->ref, depth + 1, path, sizeof path);
		snprintf(out, cap, "%s", strrchr(path, '/') + 1);
		break;
	case FIELD_DOMAIN:
	case FIELD_DOMAIN_NAME:
		snprintf(out, cap, "d%u.example.org", at);
		break;
	case FIELD_HOST_PORT:
		snprintf(out, cap, "[2001:db8::1]:5071");
		break;
	case FIELD_DIAL_MATCH:
		snprintf(out, cap, "($1/^0/)($2/7/)");
		break;
	case FIELD_DIAL_TRANSFORM:
		snprintf(out, cap, "9$1{/a/b/}@x");
		break;
	case FIELD_TIME:
	case FIELD_KINDS:
	case FIELD_TENTHS:
		EXPECT(false);
		break;
	}
}

/* Where objects of a type are made: inside a container that is made for it. */
static void
collection_of(struct bridge *b, enum object_type type, unsigned depth, char *out, size_t cap)
{
	const struct path_row *row = row_of(type);
	char outer[128] = "";
	EXPECT(row != NULL);
	if (row->inside != OBJECT_NONE)
		make(b, row->inside, depth + 1, outer, sizeof outer);
	const char *const inner = strchr(row->path, '#');
	snprintf(out, cap, "%s%s", outer[0] != '\0' ? outer : "/",
	         inner != NULL ? inner + 1 : row->path);
}

/* Makes one with what it must have; `out` is its path. */
static void
make_in(struct bridge *b, enum object_type type, const char *collection, unsigned depth, char *out,
        size_t cap)
{
	char body[1024] = "";
	EXPECT(depth < DEPTH_MAX);
	for (unsigned i = 0; i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		char value[300];
		if ((field->flags & FIELD_REQUIRED) == 0)
			continue;
		good_value(b, field, i, depth, value, sizeof value);
		const size_t at = strlen(body);
		snprintf(body + at, sizeof body - at, "%s=%s&", field->name, value);
	}
	send(b, API_POST, collection, body);
	EXPECT_EQ(b->status, 200);
	EXPECT(b->location[0] != '\0');
	snprintf(out, cap, "%s", b->location + strlen("/api/v1"));
}

static void
make(struct bridge *b, enum object_type type, unsigned depth, char *out, size_t cap)
{
	char collection[128];
	if (type == OBJECT_USER) {
		make_user(b, out, cap);
		return;
	}
	collection_of(b, type, depth, collection, sizeof collection);
	make_in(b, type, collection, depth, out, cap);
}

/* An object that is single has no rules about others that a good value could break. */
static bool
can_be_tried(const struct field *field)
{
	return (field->flags & FIELD_PUT) != 0 && field->ref != OBJECT_METHOD;
}

static void
change_each_parameter(struct bridge *b, enum object_type type, const char *one)
{
	for (unsigned i = 0; i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		char value[300];
		char text[512];
		if (!can_be_tried(field))
			continue;
		good_value(b, field, i, 0, value, sizeof value);
		snprintf(text, sizeof text, "%s=%s", field->name, value);
		send(b, API_PUT, one, text);
		if (b->status != 200)
			printf("%s %s: %s\n", one, text, b->body);
		EXPECT_EQ(b->status, 200);
		if ((field->flags & FIELD_GET) != 0) {
			/* GUIDs are numbered in answers. */
			snprintf(text, sizeof text, "<%s>%s", field->name,
			         field->kind == FIELD_GUID ? "G" : value);
			send(b, API_GET, one, "");
			EXPECT(strstr(b->body, text) != NULL);
		}
		if ((field->flags & FIELD_REQUIRED) != 0)
			continue;
		snprintf(text, sizeof text, "%s=", field->name);
		send(b, API_PUT, one, text);
		EXPECT_EQ(b->status, 200);
	}
}

TEST(every_kept_object_is_made_read_changed_listed_and_deleted)
{
	for (unsigned t = OBJECT_NONE + 1; t < OBJECT_KEPT_END; t++) {
		const enum object_type type = (enum object_type)t;
		char path[128];
		char one[128];
		char query[160];
		if (row_of(type) == NULL)
			continue;
		struct bridge *b = bridge_make();
		collection_of(b, type, 0, path, sizeof path);
		make_in(b, type, path, 0, one, sizeof one);
		send(b, API_GET, path, "");
		EXPECT(strstr(b->body, " total=\"1\"") != NULL);
		snprintf(query, sizeof query, "%s?offset=1&limit=5", path);
		send(b, API_GET, query, "");
		EXPECT(strstr(b->body, " total=\"1\"") != NULL);
		change_each_parameter(b, type, one);
		send(b, API_DELETE, one, "");
		EXPECT_EQ(b->status, 200);
		send(b, API_GET, one, "");
		EXPECT_EQ(b->status, 404);
		send(b, API_GET, path, "");
		EXPECT(strstr(b->body, " total=\"0\"") != NULL);
		bridge_end(b);
	}
}
