/* SPDX-License-Identifier: Apache-2.0 */
/* Property: a form that is taken has its names and values inside the bytes given; a path that is
 * found has the ids its row asks for; and any value comes back from XML as it went in. */
#include "api/document.h"

#include <expat.h>
#include <stdlib.h>

#include "api/form.h"
#include "api/path.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
	char text[OBJECT_TEXT_MAX];
	size_t len;
};

static void
on_text(void *context, const XML_Char *text, int len)
{
	struct seen *seen = context;
	CHECK(seen->len + (size_t)len <= sizeof seen->text);
	memcpy(seen->text + seen->len, text, (size_t)len);
	seen->len += (size_t)len;
}

static void
check_round_trip(struct str raw)
{
	static const struct field field = { "name", .kind = FIELD_TEXT };
	char clean[OBJECT_TEXT_MAX];
	char out[OBJECT_TEXT_MAX * 8];
	struct document doc;
	struct seen seen = { .len = 0 };
	text_copy_clean(clean, sizeof clean, raw);
	const struct value value = { .set = true, .text = str_of(clean) };
	document_begin(&doc, out, sizeof out, false);
	document_value(&doc, &field, &value);
	document_end(&doc);
	CHECK(!doc.w.failed);
	XML_Parser parser = XML_ParserCreate("UTF-8");
	XML_SetUserData(parser, &seen);
	XML_SetCharacterDataHandler(parser, on_text);
	CHECK(XML_Parse(parser, out, (int)doc.w.at, 1) == XML_STATUS_OK);
	XML_ParserFree(parser);
	CHECK(str_eq(value.text, (struct str){ seen.text, seen.len }));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *copy = malloc(len + 1);
	struct form form;
	struct path path;
	CHECK(copy != NULL);
	if (len != 0)
		memcpy(copy, bytes, len);
	if (path_find(&path, (struct str){ copy, len }))
		CHECK(path.row != NULL && path.id_count <= PATH_IDS_MAX);
	if (form_parse(&form, copy, len)) {
		for (unsigned i = 0; i < form.count; i++) {
			const struct parameter *at = &form.at[i];
			CHECK(at->name.at >= copy && at->name.at + at->name.len <= copy + len);
			CHECK(at->value.at >= copy && at->value.at + at->value.len <= copy + len);
			check_round_trip(at->value);
		}
	}
	free(copy);
	return 0;
}
