/* SPDX-License-Identifier: Apache-2.0 */
/* api_doc -- the API's paths and parameters as Markdown, out of the tables the API itself runs on:
 *
 *	build/src/api/api_doc >docs/guide/api-objects.md
 *	build/src/api/api_doc docs/guide/api-objects.md     says whether that file is what is true
 *	build/src/api/api_doc --openapi                     the same as an OpenAPI document
 */
#include <stdio.h>
#include <string.h>

#include "api/openapi.h"
#include "api/path.h"
#include "base/check.h"
#include "meeting/object.h"

enum {
	PAGE_MAX = OPENAPI_BYTES_MAX,
};

/* ------------------------------------------------------------------ paths */

static void
write_methods(struct writer *w, unsigned methods)
{
	static const struct {
		enum api_method method;
		const char *name;
	} all[] = { { API_GET, "GET" }, { API_POST, "POST" }, { API_PUT, "PUT" },
		    { API_DELETE, "DELETE" } };
	for (unsigned i = 0, written = 0; i < COUNT_OF(all); i++) {
		if ((methods >> all[i].method & 1) != 0)
			writer_format(w, "%s%s", written++ != 0 ? ", " : "", all[i].name);
	}
}

static const char *
meaning(const struct path_row *row)
{
	switch (row->kind) {
	case PATH_COLLECTION:
		return row->inside == OBJECT_NONE ? "all of them" : "those inside it";
	case PATH_OBJECT:
		return "one";
	case PATH_SINGLE:
	case PATH_FIRST:
		return "the only one";
	case PATH_READING:
		return "a reading of it";
	case PATH_USAGE:
		return "who refers to it";
	case PATH_ALL_OF:
		return "every participant of the call, at once";
	case PATH_DIAGNOSE:
		return "tells all about it, for an engineer";
	case PATH_CONTENTS:
		return "what was told, as text";
	case PATH_METRICS:
		return "Prometheus' text form";
	case PATH_LOG:
		return "lines of the event log: `filter`, `level`, `since` (a number), `limit`";
	case PATH_TOKEN:
		return "a token for the Events WebSocket";
	case PATH_QUERY:
		return "a question";
	case PATH_EFFECTIVE:
		return "the `webBridgeProfile` in force";
	case PATH_TRACE:
		return "which profile says what, from the system down to the leg itself";
	case PATH_INVITATION:
		return "a text to be sent; `language` in the query: `en_US`, `fr_FR`, `ko_KR`";
	case PATH_METADATA:
		return "what scripts keep with it";
	case PATH_UPDATE:
		return "has customisations read again";
	case PATH_DESCRIPTION:
		return "all of this, as OpenAPI 3.0 (JSON)";
	case PATH_TEMPLATE:
		return "its panes, as JSON";
	case PATH_CAMERA:
		return "moves its camera: `pan` `left` or `right`, `tilt` `up` or `down`, `zoom` "
		       "and `focus` `in` or `out`";
	case PATH_CERTIFICATES:
		return "certificates that services of this machine use; Convoke's own";
	case PATH_CDR_TEST:
		return "sends it what waits, or an empty envelope; Convoke's own";
	case PATH_KEYFRAME:
		return "begins its pictures afresh";
	}
	return "";
}

static void
write_paths(struct writer *w)
{
	writer_text(w, "## Paths\n\n"
	               "All below `/api/v1/`; `#` is an id. A trailing slash and the case of "
	               "letters do not matter.\n\n"
	               "| path | methods | what it is |\n|---|---|---|\n");
	const struct path_row *row;
	for (unsigned n = 0; (row = path_row(n)) != NULL; n++) {
		writer_format(w, "| `%s` | ", row->path);
		write_methods(w, row->methods);
		writer_format(w, " | %s |\n", meaning(row));
	}
}

/* ------------------------------------------------------------------ parameters */

/* Two values may be told by one word. */
static bool
stands_before(const char *const *words, unsigned at)
{
	for (unsigned i = 0; i < at; i++)
		if (strcmp(words[i], words[at]) == 0)
			return true;
	return false;
}

static void
write_words(struct writer *w, const struct field *field)
{
	for (unsigned i = 0; field->words[i] != NULL; i++)
		if (!stands_before(field->words, i))
			writer_format(w, "%s`%s`", i != 0 ? " " : "", field->words[i]);
}

static void
write_bounds(struct writer *w, const struct field *field, const char *unit)
{
	if (field->max == 0 || field->max == UINT32_MAX)
		return;
	if (field->min != 0)
		writer_format(w, ", %u to %u%s", field->min, field->max, unit);
	else
		writer_format(w, ", up to %u%s", field->max, unit);
}

static void
write_type(struct writer *w, const struct field *field)
{
	const struct field_kind_desc *kind = &field_kinds[field->kind];
	writer_text(w, kind->told);
	if (kind->unit != NULL)
		write_bounds(w, field, kind->unit);
	if (kind->shape == SHAPE_WORD)
		write_words(w, field);
	if (kind->shape == SHAPE_ID && field->ref != OBJECT_NONE)
		writer_format(w, " of a %s", object_describe(field->ref)->singular);
	for (unsigned i = 0; field->kind == FIELD_URL && field->words[i] != NULL; i++)
		writer_format(w, "%s`%s://`", i != 0 ? " or " : "", field->words[i]);
}

static void
write_fallback(struct writer *w, const struct field *field)
{
	if ((field->flags & FIELD_WRITE) == 0)
		return;
	if ((field->flags & FIELD_LACKING) != 0)
		writer_text(w, "only its default: ");
	if ((field->flags & FIELD_INHERITED) != 0)
		writer_text(w, "inherited");
	else if (field->kind == FIELD_BOOL)
		writer_text(w, field->fallback != 0 ? "`true`" : "`false`");
	else if (field->kind == FIELD_ENUM)
		writer_format(w, "`%s`", field->words[field->fallback]);
	else if (field->kind == FIELD_UINT && field->fallback == UINT32_MAX)
		writer_text(w, "none");
	else if (field->kind == FIELD_UINT || field->kind == FIELD_SECONDS)
		writer_decimal(w, field->fallback);
}

static void
write_field(struct writer *w, const struct field *field, bool override)
{
	const char *group = override ? "configuration" : field->group;
	writer_format(w, "| `%s`%s | ", field->name,
	              (field->flags & FIELD_REQUIRED) != 0 ? " (required)" : "");
	if (group != NULL) {
		struct str role = str_of(group);
		const struct str path = str_cut(&role, ':');
		writer_format(w, "`%.*s`", STR_ARGS(path));
		if (role.len != 0)
			writer_format(w, " with role `%.*s`", STR_ARGS(role));
	}
	writer_text(w, " | ");
	write_type(w, field);
	writer_text(w, " | ");
	write_fallback(w, field);
	writer_format(w, " | %s | %s | %s | %s | %s |\n",
	              (field->flags & FIELD_POST) != 0 ? "x" : "",
	              (field->flags & FIELD_PUT) != 0 ? "x" : "",
	              (field->flags & FIELD_GET) != 0 ? "x" : "",
	              (field->flags & FIELD_LIST) != 0 ? "x" : "", field->help);
}

/* Our own notes are nobody else's. */
static bool
is_told(const struct field *field)
{
	return (field->flags & (FIELD_WRITE | FIELD_READ)) != 0;
}

static void
write_object(struct writer *w, enum object_type type)
{
	const struct object_desc *desc = object_describe(type);
	writer_format(w, "\n## %s\n\n", desc->singular);
	if (desc->missing != NULL && !desc->single)
		writer_format(w, "An id that names none is answered with `%s`.\n\n", desc->missing);
	if (desc->extends != OBJECT_NONE)
		writer_format(w, "Beside its own parameters it takes those of a `%s`, the name "
		                 "excepted; they hold for this one alone.\n\n",
		              object_describe(desc->extends)->singular);
	writer_text(w, "| parameter | inside | value | unset means | POST | PUT | GET | in lists | "
	               "meaning |\n|---|---|---|---|---|---|---|---|---|\n");
	for (unsigned i = 0; i < desc->field_count; i++) {
		if (is_told(&desc->fields[i]))
			write_field(w, &desc->fields[i], false);
	}
}

/* Accounts cannot be reached through the API. */
static bool
is_reachable(enum object_type type)
{
	const struct path_row *row;
	for (unsigned n = 0; (row = path_row(n)) != NULL; n++) {
		if (row->type == type)
			return true;
	}
	return false;
}

static void
write_page(struct writer *w)
{
	writer_text(w, "<!-- Made by build/src/api/api_doc; do not edit. -->\n"
	               "# Objects and parameters of the API\n\n"
	               "What the program itself knows about its API: this page is printed from the "
	               "tables it runs on. How to\nuse it is in [api.md](api.md). A parameter that "
	               "is not here is refused (`unsupported`).\n\n");
	write_paths(w);
	for (unsigned type = OBJECT_NONE + 1; type < OBJECT_TYPES; type++) {
		if (is_reachable((enum object_type)type))
			write_object(w, (enum object_type)type);
	}
}

/* ------------------------------------------------------------------ */

static int
compare(const char *path, struct str page)
{
	static char text[PAGE_MAX];
	FILE *file = fopen(path, "r");
	if (file == NULL) {
		perror(path);
		return 1;
	}
	const size_t len = fread(text, 1, sizeof text, file);
	fclose(file);
	if (str_eq(page, (struct str){ text, len }))
		return 0;
	fprintf(stderr, "%s is out of date; run: build/src/api/api_doc >%s\n", path, path);
	return 1;
}

int
main(int argc, char **argv)
{
	static char page[PAGE_MAX];
	struct writer w = writer_of(page, sizeof page);
	const bool openapi = argc > 1 && strcmp(argv[1], "--openapi") == 0;
	if (openapi)
		openapi_write(&w, STR(CONVOKE_VERSION));
	else
		write_page(&w);
	CHECK(!w.failed);
	if (argc > 1 && !openapi)
		return compare(argv[1], writer_view(&w));
	return fwrite(page, 1, w.at, stdout) == w.at ? 0 : 1;
}
