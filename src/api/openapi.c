/* SPDX-License-Identifier: Apache-2.0 */
#include "api/openapi.h"

#include "api/path.h"
#include "base/check.h"
#include "meeting/object.h"

/* ------------------------------------------------------------------ JSON */

/* Our own texts: printable ASCII. */
static void
quoted(struct writer *w, const char *text)
{
	writer_u8(w, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			writer_u8(w, '\\');
		writer_u8(w, (uint8_t)*text);
	}
	writer_u8(w, '"');
}

static void
member(struct writer *w, const char *name, const char *text)
{
	writer_format(w, ",\"%s\":", name);
	quoted(w, text);
}

static void
number(struct writer *w, const char *name, uint32_t value)
{
	writer_format(w, ",\"%s\":%u", name, value);
}

static void
mark(struct writer *w, const char *name, bool is_so)
{
	if (is_so)
		writer_format(w, ",\"%s\":true", name);
}

/* ------------------------------------------------------------------ parameters */

/* Two values may be told by one word. */
static bool
stands_before(const char *const *words, unsigned at)
{
	for (unsigned i = 0; i < at; i++) {
		if (str_eq(str_of(words[i]), str_of(words[at])))
			return true;
	}
	return false;
}

static void
words(struct writer *w, const char *name, const char *const *all)
{
	writer_format(w, ",\"%s\":[", name);
	for (unsigned i = 0; all[i] != NULL; i++) {
		if (stands_before(all, i))
			continue;
		writer_text(w, i != 0 ? "," : "");
		quoted(w, all[i]);
	}
	writer_u8(w, ']');
}

/* What JSON schema can say of a value. */
static void
schema_type(struct writer *w, const struct field *field)
{
	const bool writable = (field->flags & FIELD_WRITE) != 0;
	const bool inherited = (field->flags & FIELD_INHERITED) != 0;
	switch (field_shape(field)) {
	case SHAPE_TRUTH:
		writer_text(w, "\"type\":\"boolean\"");
		if (writable && !inherited)
			writer_format(w, ",\"default\":%s",
			              field->fallback != 0 ? "true" : "false");
		return;
	case SHAPE_NUMBER:
		writer_text(w, "\"type\":\"integer\"");
		if (!writable)
			return;
		number(w, "minimum", field->min);
		number(w, "maximum", field->max);
		if (!inherited && field->fallback != UINT32_MAX)
			number(w, "default", field->fallback);
		return;
	case SHAPE_WORD:
		writer_text(w, "\"type\":\"string\"");
		words(w, "enum", field->words);
		if (writable && !inherited)
			member(w, "default", field->words[field->fallback]);
		return;
	case SHAPE_TENTHS:
		writer_text(w, "\"type\":\"number\"");
		return;
	case SHAPE_SECONDS:
		writer_text(w, "\"type\":\"string\"");
		if (writable) {
			number(w, "x-minimum", field->min);
			number(w, "x-maximum", field->max);
		}
		return;
	case SHAPE_ID:
		writer_text(w, "\"type\":\"string\",\"format\":\"uuid\"");
		return;
	case SHAPE_TIME:
		writer_text(w, "\"type\":\"string\",\"format\":\"date-time\"");
		return;
	case SHAPE_TEXT:
		break;
	}
	writer_text(w, "\"type\":\"string\"");
	if (writable && field->min != 0)
		number(w, "minLength", field->min);
	if (writable)
		number(w, "maxLength", field->max);
	if (field->kind == FIELD_URL)
		words(w, "x-schemes", field->words);
}

static void
property(struct writer *w, const struct field *field)
{
	quoted(w, field->name);
	writer_text(w, ":{");
	schema_type(w, field);
	member(w, "description", field->help);
	member(w, "x-kind", field_kinds[field->kind].name);
	if (field->group != NULL)
		member(w, "x-inside", field->group);
	if (field->ref != OBJECT_NONE)
		member(w, "x-ref", object_describe(field->ref)->singular);
	mark(w, "readOnly", (field->flags & FIELD_WRITE) == 0);
	mark(w, "writeOnly", (field->flags & FIELD_READ) == 0);
	mark(w, "x-post", (field->flags & FIELD_POST) != 0);
	mark(w, "x-put", (field->flags & FIELD_PUT) != 0);
	mark(w, "x-get", (field->flags & FIELD_GET) != 0);
	mark(w, "x-list", (field->flags & FIELD_LIST) != 0);
	mark(w, "x-secret", (field->flags & FIELD_SECRET) != 0);
	mark(w, "x-filter", (field->flags & FIELD_FILTER) != 0);
	mark(w, "x-inherited", (field->flags & FIELD_INHERITED) != 0);
	mark(w, "x-lacking", (field->flags & FIELD_LACKING) != 0);
	writer_u8(w, '}');
}

/* A name that stands twice, in different elements, is told once. */
static bool
is_shown(enum object_type type, unsigned at)
{
	const struct field *field = &object_describe(type)->fields[at];
	return (field->flags & (FIELD_WRITE | FIELD_READ)) != 0 &&
	       object_field_find(type, str_of(field->name)) == (int)at;
}

static void
required(struct writer *w, const struct object_desc *desc)
{
	bool any = false;
	for (unsigned i = 0; i < desc->field_count; i++) {
		if ((desc->fields[i].flags & FIELD_REQUIRED) == 0)
			continue;
		writer_text(w, any ? "," : ",\"required\":[");
		quoted(w, desc->fields[i].name);
		any = true;
	}
	writer_text(w, any ? "]" : "");
}

/* Readings of an object may bear its name; theirs is told apart. */
static void
schema_name(struct writer *w, enum object_type type)
{
	const struct object_desc *desc = object_describe(type);
	const char *suffix = "";
	for (unsigned t = OBJECT_NONE + 1; t < (unsigned)type; t++) {
		if (str_eq(str_of(object_describe((enum object_type)t)->singular),
		           str_of(desc->singular)))
			suffix = "Status";
	}
	writer_format(w, "%s%s", desc->singular, suffix);
}

static void
schema(struct writer *w, enum object_type type)
{
	const struct object_desc *desc = object_describe(type);
	bool any = false;
	writer_u8(w, '"');
	schema_name(w, type);
	writer_text(w, "\":{\"type\":\"object\"");
	member(w, "x-collection", desc->collection);
	if (desc->missing != NULL)
		member(w, "x-missing", desc->missing);
	if (desc->extends != OBJECT_NONE)
		member(w, "x-extends", object_describe(desc->extends)->singular);
	required(w, desc);
	writer_text(w, ",\"properties\":{");
	for (unsigned i = 0; i < desc->field_count; i++) {
		if (!is_shown(type, i))
			continue;
		writer_text(w, any ? ",\n" : "\n");
		property(w, &desc->fields[i]);
		any = true;
	}
	writer_text(w, "}}");
}

/* ------------------------------------------------------------------ paths */

static const char *
path_kind_name(enum path_kind kind)
{
	switch (kind) {
	case PATH_COLLECTION:
		return "collection";
	case PATH_OBJECT:
		return "object";
	case PATH_SINGLE:
	case PATH_FIRST:
		return "single";
	case PATH_READING:
	case PATH_EFFECTIVE:
	case PATH_TRACE:
	case PATH_INVITATION:
	case PATH_METADATA:
	case PATH_CERTIFICATES:
		return "reading";
	case PATH_USAGE:
		return "usage";
	case PATH_QUERY:
		return "query";
	case PATH_TOKEN:
	case PATH_ALL_OF:
	case PATH_CAMERA:
	case PATH_KEYFRAME:
	case PATH_DIAGNOSE:
	case PATH_UPDATE:
	case PATH_CDR_TEST:
		return "action";
	case PATH_TEMPLATE:
	case PATH_CONTENTS:
	case PATH_METRICS:
	case PATH_LOG:
	case PATH_DESCRIPTION:
		return "text";
	}
	return "";
}

/* "#" becomes "{id}", a second one "{id2}". */
static void
path_name(struct writer *w, const char *path)
{
	unsigned ids = 0;
	writer_text(w, "\"/");
	for (; *path != '\0'; path++) {
		if (*path != '#')
			writer_u8(w, (uint8_t)*path);
		else
			writer_text(w, ids++ == 0 ? "{id}" : "{id2}");
	}
	writer_u8(w, '"');
}

static unsigned
id_count(const char *path)
{
	unsigned count = 0;
	for (; *path != '\0'; path++)
		count += *path == '#';
	return count;
}

static void
reference(struct writer *w, const char *kind, const char *name)
{
	writer_format(w, "{\"$ref\":\"#/components/%s/%s\"}", kind, name);
}

/* Parameters that are no object's: words, with their values where they are few. */
static void
own_parameters(struct writer *w, const char *const (*rows)[4], unsigned count)
{
	writer_text(w, "{\"type\":\"object\",\"properties\":{");
	for (unsigned i = 0; i < count; i++) {
		writer_text(w, i != 0 ? "," : "");
		quoted(w, rows[i][0]);
		writer_text(w, ":{\"type\":\"string\"");
		member(w, "description", rows[i][1]);
		if (rows[i][2] != NULL)
			words(w, "enum", (const char *const[]){ rows[i][2], rows[i][3], NULL });
		writer_text(w, ",\"x-put\":true}");
	}
	writer_text(w, "}}");
}

static void
request_schema(struct writer *w, const struct path_row *row)
{
	static const char *const camera[][4] = {
		{ "pan", "Turns it.", "left", "right" },
		{ "tilt", "Turns it.", "up", "down" },
		{ "zoom", "Nearer or farther.", "in", "out" },
		{ "focus", "Nearer or farther.", "in", "out" },
	};
	static const char *const which[][4] = {
		{ "filterIds", "Participants, with a comma between; empty: all.", NULL, NULL },
		{ "mode", "Those that are named, or all others.", "selected", "exclude" },
	};
	if (row->kind == PATH_CAMERA) {
		own_parameters(w, camera, COUNT_OF(camera));
		return;
	}
	if (row->kind == PATH_ALL_OF)
		writer_text(w, "{\"allOf\":[");
	writer_text(w, "{\"$ref\":\"#/components/schemas/");
	schema_name(w, row->type);
	writer_text(w, "\"}");
	if (row->kind == PATH_ALL_OF) {
		writer_u8(w, ',');
		own_parameters(w, which, COUNT_OF(which));
		writer_text(w, "]}");
	}
}

/* What is only to be done takes no parameters. */
static void
request_body(struct writer *w, const struct path_row *row)
{
	if (row->type == OBJECT_NONE || row->kind == PATH_TEMPLATE || row->kind == PATH_DIAGNOSE ||
	    row->kind == PATH_KEYFRAME || row->kind == PATH_UPDATE || row->kind == PATH_CDR_TEST)
		return;
	writer_text(w, "\"requestBody\":{\"content\":{\"application/x-www-form-urlencoded\":"
	               "{\"schema\":");
	request_schema(w, row);
	writer_text(w, "}}},");
}

/* What a collection is asked by. */
static void
collection_parameters(struct writer *w, const struct path_row *row)
{
	static const char *const usual[] = { "offset", "limit", "filter" };
	static const char *const usage[] = { "offset", "limit", "startTime", "endTime", "hostId" };
	const bool counts = row->type == OBJECT_LICENSE_USAGE;
	const char *const *names = counts ? usage : usual;
	const size_t count = counts ? COUNT_OF(usage) : COUNT_OF(usual);
	writer_text(w, "\"parameters\":[");
	for (size_t i = 0; i < count; i++) {
		writer_text(w, i != 0 ? "," : "");
		reference(w, "parameters", names[i]);
	}
	writer_text(w, "],");
}

static void
operation(struct writer *w, const struct path_row *row, enum api_method method)
{
	static const char *const names[] = { [API_GET] = "get", [API_POST] = "post",
		                             [API_PUT] = "put", [API_DELETE] = "delete" };
	writer_format(w, ",\n\"%s\":{", names[method]);
	if (row->kind == PATH_COLLECTION && method == API_GET)
		collection_parameters(w, row);
	if (method == API_POST || method == API_PUT)
		request_body(w, row);
	writer_text(w, "\"responses\":{\"200\":");
	reference(w, "responses",
	          method == API_GET || row->kind == PATH_QUERY ? "Answer" : "Done");
	writer_text(w, ",\"default\":");
	reference(w, "responses", "Failure");
	writer_text(w, "}}");
}

static void
path_item(struct writer *w, const struct path_row *row)
{
	path_name(w, row->path);
	writer_format(w, ":{\"x-kind\":\"%s\"", path_kind_name(row->kind));
	if (row->type != OBJECT_NONE) {
		writer_text(w, ",\"x-object\":\"");
		schema_name(w, row->type);
		writer_u8(w, '"');
	}
	const unsigned ids = id_count(row->path);
	if (ids != 0) {
		writer_text(w, ",\"parameters\":[");
		reference(w, "parameters", "id");
		if (ids > 1) {
			writer_u8(w, ',');
			reference(w, "parameters", "id2");
		}
		writer_u8(w, ']');
	}
	for (unsigned m = API_GET; m < API_OTHER; m++) {
		if ((row->methods >> m & 1) != 0)
			operation(w, row, (enum api_method)m);
	}
	writer_u8(w, '}');
}

/* ------------------------------------------------------------------ the document */

static void
write_components(struct writer *w)
{
	writer_text(w,
	            "\"components\":{\n\"securitySchemes\":{\"login\":{\"type\":\"http\","
	            "\"scheme\":\"basic\"}},\n\"parameters\":{\n"
	            "\"id\":{\"name\":\"id\",\"in\":\"path\",\"required\":true,"
	            "\"schema\":{\"type\":\"string\",\"format\":\"uuid\"}},\n"
	            "\"id2\":{\"name\":\"id2\",\"in\":\"path\",\"required\":true,"
	            "\"schema\":{\"type\":\"string\",\"format\":\"uuid\"}},\n"
	            "\"offset\":{\"name\":\"offset\",\"in\":\"query\","
	            "\"schema\":{\"type\":\"integer\",\"minimum\":0}},\n");
	writer_format(w,
	              "\"limit\":{\"name\":\"limit\",\"in\":\"query\",\"schema\":"
	              "{\"type\":\"integer\",\"minimum\":0,\"maximum\":%d,\"default\":%d}},\n",
	              API_PAGE_MAX, API_PAGE_USUAL);
	writer_text(w,
	            "\"startTime\":{\"name\":\"startTime\",\"in\":\"query\","
	            "\"schema\":{\"type\":\"string\",\"format\":\"date-time\"}},\n"
	            "\"endTime\":{\"name\":\"endTime\",\"in\":\"query\","
	            "\"schema\":{\"type\":\"string\",\"format\":\"date-time\"}},\n"
	            "\"hostId\":{\"name\":\"hostId\",\"in\":\"query\","
	            "\"schema\":{\"type\":\"string\",\"format\":\"uuid\"}},\n"
	            "\"filter\":{\"name\":\"filter\",\"in\":\"query\","
	            "\"schema\":{\"type\":\"string\"}}},\n\"responses\":{\n"
	            "\"Answer\":{\"description\":\"What was asked for.\",\"content\":"
	            "{\"text/xml\":{},\"application/json\":{}}},\n"
	            "\"Done\":{\"description\":\"Done; what was made is at Location.\",\"headers\":"
	            "{\"Location\":{\"schema\":{\"type\":\"string\"}}}},\n"
	            "\"Failure\":{\"description\":\"failureDetails say what is wrong.\","
	            "\"content\":{\"text/xml\":{},\"application/json\":{}}}},\n\"schemas\":{");
	for (unsigned type = OBJECT_NONE + 1; type < OBJECT_TYPES; type++) {
		writer_text(w, type != OBJECT_NONE + 1 ? ",\n" : "\n");
		schema(w, (enum object_type)type);
	}
	writer_text(w, "}}");
}

void
openapi_write(struct writer *w, struct str version)
{
	const struct path_row *row;
	writer_format(w,
	              "{\"openapi\":\"3.0.3\",\n\"info\":{\"title\":\"Convoke\",\"version\":"
	              "\"%.*s\",\"license\":{\"name\":\"Apache-2.0\"}},\n"
	              "\"servers\":[{\"url\":\"/api/v1\"}],\n\"security\":[{\"login\":[]}],\n"
	              "\"paths\":{",
	              STR_ARGS(version));
	for (unsigned n = 0; (row = path_row(n)) != NULL; n++) {
		writer_text(w, n != 0 ? ",\n" : "\n");
		path_item(w, row);
	}
	writer_text(w, "},\n");
	write_components(w);
	writer_text(w, "}\n");
}
