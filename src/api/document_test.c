/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: bodies are read as real clients send them, paths are found in every spelling, and whatever
 * text an object holds comes out of XML and JSON unharmed (checked by expat and jansson). */
#include "api/document.h"

#include <expat.h>
#include <jansson.h>
#include <stdio.h>

#include "api/form.h"
#include "api/path.h"
#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

static struct form
parse(char *text, bool want)
{
	struct form form;
	EXPECT_EQ(form_parse(&form, text, strlen(text)), want);
	return form;
}

TEST(forms_are_read_as_clients_send_them)
{
	char plain[] = "name=A+b%20c%26&uri=u&locked=True&\n";
	struct form form = parse(plain, true);
	EXPECT_EQ(form.count, 3);
	EXPECT_STR(form_get(&form, STR("NAME")), "A b c&");
	EXPECT_STR(form_get(&form, STR("locked")), "True");
	EXPECT(form_get(&form, STR("other")).at == NULL);

	char seen[] = "movedParticipant=p&\r\nneedsActivation=false\r\n";
	form = parse(seen, true);
	EXPECT_STR(form_get(&form, STR("needsActivation")), "false");

	char odd[] = "&&a&b=&a=2&=x";
	form = parse(odd, true);
	EXPECT_EQ(form.count, 4);
	EXPECT_STR(form_get(&form, STR("a")), "2");
	EXPECT_EQ(form_get(&form, STR("b")).len, 0);
	EXPECT(form_get(&form, STR("b")).at != NULL);

	char nothing[] = "";
	EXPECT_EQ(parse(nothing, true).count, 0);
}

TEST(broken_forms_are_refused)
{
	static const char *const bad[] = { "a=%", "a=%1", "a=%zz", "%=1", "a=1&b=%f" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char text[16];
		str_copy(text, sizeof text, str_of(bad[i]));
		parse(text, false);
	}
	char many[2 * API_PARAMETERS_MAX + 8];
	for (size_t i = 0; i <= API_PARAMETERS_MAX; i++)
		memcpy(many + 2 * i, "a&", 2);
	many[2 * API_PARAMETERS_MAX + 2] = '\0';
	parse(many, false);
	many[2 * API_PARAMETERS_MAX] = '\0';
	parse(many, true);
}

TEST(paths_are_found_in_any_case_with_and_without_a_slash)
{
	struct path path;
	EXPECT(path_find(&path, STR("/api/v1/calllegprofiles/")));
	EXPECT_EQ(path.row->type, OBJECT_LEG_PROFILE);
	EXPECT(path_find(&path, STR("/API/V1/coSpaces/0E50C3AB-0000-4000-8000-000000000001/"
	                            "ACCESSMETHODS/0e50c3ab-0000-4000-8000-000000000002")));
	EXPECT_EQ(path.row->type, OBJECT_METHOD);
	EXPECT_EQ(path.id_count, 2);
	EXPECT_EQ(path.ids[1].bytes[15], 2);
	EXPECT(!path.bad_id);
	EXPECT(path_find(&path, STR("/api/v1/calls/x/participants/*")));
	EXPECT_EQ(path.row->kind, PATH_ALL_OF);
	EXPECT(path.bad_id);

	static const char *const unknown[] = { "", "/", "/api/v1", "/api/v1/", "/api/v2/calls",
		                               "/api/v1/calls//", "/api/v1//calls", "/api/v1/call",
		                               "/api/v1/calls/../calls", "/api/v1/system",
		                               "/api/v1/a/b/c/d/e/f/g/h" };
	for (size_t i = 0; i < COUNT_OF(unknown); i++)
		EXPECT(!path_find(&path, str_of(unknown[i])));
}

TEST(every_row_of_the_path_table_finds_itself)
{
	for (unsigned n = 0; path_row(n) != NULL; n++) {
		char text[256] = "/api/v1/";
		size_t at = strlen(text);
		for (const char *from = path_row(n)->path; *from != '\0'; from++) {
			const char *piece = *from == '#' ? "0e50c3ab-0000-4000-8000-000000000001"
			                                 : (char[]){ *from, '\0' };
			memcpy(text + at, piece, strlen(piece) + 1);
			at += strlen(piece);
		}
		struct path path;
		EXPECT(path_find(&path, str_of(text)));
		EXPECT(path.row == path_row(n) && !path.bad_id);
	}
}

/* ------------------------------------------------------------------ escapes */

struct seen {
	char text[OBJECT_TEXT_MAX];
	size_t len;
};

static void
on_text(void *context, const XML_Char *text, int len)
{
	struct seen *seen = context;
	memcpy(seen->text + seen->len, text, (size_t)len);
	seen->len += (size_t)len;
}

static void
check_round_trip(struct str text)
{
	static const struct field field = { "name", .kind = FIELD_TEXT };
	const struct value value = { .set = true, .text = text };
	char bytes[OBJECT_TEXT_MAX * 8];
	struct document doc;
	struct seen seen = { .len = 0 };
	document_begin(&doc, bytes, sizeof bytes, false);
	document_open(&doc, STR("object"));
	document_value(&doc, &field, &value);
	document_close(&doc);
	document_end(&doc);
	EXPECT(!doc.w.failed);
	XML_Parser parser = XML_ParserCreate("UTF-8");
	XML_SetUserData(parser, &seen);
	XML_SetCharacterDataHandler(parser, on_text);
	EXPECT_EQ(XML_Parse(parser, bytes, (int)doc.w.at, 1), XML_STATUS_OK);
	XML_ParserFree(parser);
	EXPECT_EQ(seen.len, text.len);
	EXPECT(text.len == 0 || memcmp(seen.text, text.at, text.len) == 0);

	document_begin(&doc, bytes, sizeof bytes, true);
	document_value(&doc, &field, &value);
	document_end(&doc);
	json_t *json = json_loadb(bytes, doc.w.at, 0, NULL);
	EXPECT(json != NULL);
	const char *back = json_string_value(json_object_get(json, "name"));
	EXPECT(back != NULL && str_eq(str_of(back), text));
	json_decref(json);
}

TEST(any_text_an_object_can_hold_survives_xml_and_json)
{
	struct prng prng;
	prng_init(&prng, 1);
	check_round_trip(STR(""));
	check_round_trip(STR("<a b=\"c\">&amp;]]>'\\/\xe2\x82\xac</a>"));
	for (unsigned i = 0; i < 2000; i++) {
		char random[64];
		char clean[64];
		prng_bytes(&prng, random, sizeof random);
		text_copy_clean(clean, sizeof clean,
		                (struct str){ random, prng_below(&prng, sizeof random) });
		check_round_trip(str_of(clean));
	}
}

TEST(documents_have_the_shapes_clients_expect)
{
	char bytes[512];
	struct document doc;
	document_begin(&doc, bytes, sizeof bytes, false);
	document_list_open(&doc, STR("calls"), STR("call"), 0, 0);
	document_list_close(&doc);
	document_end(&doc);
	EXPECT_STR(writer_view(&doc.w), "<?xml version=\"1.0\"?><calls total=\"0\"/>");

	document_begin(&doc, bytes, sizeof bytes, false);
	document_failure(&doc, "callDoesNotExist", STR(""), NULL);
	document_end(&doc);
	EXPECT_STR(writer_view(&doc.w), "<?xml version=\"1.0\"?><failureDetails>"
	                                "<callDoesNotExist /></failureDetails>");

	document_begin(&doc, bytes, sizeof bytes, true);
	document_failure(&doc, "parameterError", STR("x"), "invalidValue");
	document_end(&doc);
	EXPECT_STR(writer_view(&doc.w), "{\"failureDetails\":{\"parameterError\":"
	                                "{\"parameter\":\"x\",\"error\":\"invalidValue\"}}}");
}
