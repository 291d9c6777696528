/* SPDX-License-Identifier: Apache-2.0 */
#include "api/document.h"

#include "base/check.h"

/* ------------------------------------------------------------------ characters */

static void
write_xml(struct writer *w, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.at[i]) {
		case '&':
			writer_text(w, "&amp;");
			break;
		case '<':
			writer_text(w, "&lt;");
			break;
		case '>':
			writer_text(w, "&gt;");
			break;
		case '"':
			writer_text(w, "&quot;");
			break;
		default:
			writer_u8(w, (uint8_t)text.at[i]);
			break;
		}
	}
}

static void
write_json(struct writer *w, struct str text)
{
	writer_u8(w, '"');
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.at[i];
		if (c == '"' || c == '\\') {
			writer_u8(w, '\\');
			writer_u8(w, (uint8_t)c);
		} else if ((unsigned char)c < 0x20) {
			writer_format(w, "\\u%04x", c);
		} else {
			writer_u8(w, (uint8_t)c);
		}
	}
	writer_u8(w, '"');
}

/* ------------------------------------------------------------------ structure */

static void
finish_tag(struct document *doc)
{
	if (doc->tag_open)
		writer_u8(&doc->w, '>');
	doc->tag_open = false;
}

static void
json_name(struct document *doc, struct str name)
{
	if (doc->comma)
		writer_u8(&doc->w, ',');
	write_json(&doc->w, name);
	writer_u8(&doc->w, ':');
	doc->comma = true;
	doc->role_closed = (struct str){ 0 };
}

void
document_begin(struct document *doc, void *bytes, size_t cap, bool json)
{
	*doc = (struct document){ .w = writer_of(bytes, cap), .json = json };
	writer_text(&doc->w, json ? "{" : "<?xml version=\"1.0\"?>");
}

void
document_end(struct document *doc)
{
	CHECK(doc->depth == 0);
	if (doc->json)
		writer_u8(&doc->w, '}');
}

static void
push(struct document *doc, struct str name)
{
	CHECK(doc->depth < DOCUMENT_DEPTH_MAX);
	doc->names[doc->depth++] = name;
}

static void
xml_open(struct document *doc, struct str name)
{
	finish_tag(doc);
	writer_u8(&doc->w, '<');
	writer_str(&doc->w, name);
	doc->tag_open = true;
}

void
document_open(struct document *doc, struct str name)
{
	if (doc->json) {
		json_name(doc, name);
		writer_u8(&doc->w, '{');
		doc->comma = false;
	} else {
		xml_open(doc, name);
	}
	push(doc, name);
}

void
document_close(struct document *doc)
{
	CHECK(doc->depth != 0);
	struct str role = doc->names[--doc->depth];
	const struct str name = str_cut(&role, ':');
	if (doc->json) {
		writer_text(&doc->w, role.len != 0 ? "}]" : "}");
		doc->role_closed = role.len != 0 ? name : (struct str){ 0 };
		doc->comma = true;
		return;
	}
	if (doc->tag_open) {
		writer_text(&doc->w, "/>");
		doc->tag_open = false;
		return;
	}
	writer_text(&doc->w, "</");
	writer_str(&doc->w, name);
	writer_u8(&doc->w, '>');
}

static void
attribute(struct document *doc, struct str name, struct str text)
{
	CHECK(doc->tag_open);
	writer_u8(&doc->w, ' ');
	writer_str(&doc->w, name);
	writer_text(&doc->w, "=\"");
	write_xml(&doc->w, text);
	writer_u8(&doc->w, '"');
}

void
document_id(struct document *doc, const struct guid *id)
{
	char text[GUID_TEXT_LEN + 1];
	guid_write(text, id);
	if (!doc->json) {
		attribute(doc, STR("id"), str_of(text));
		return;
	}
	json_name(doc, STR("id"));
	write_json(&doc->w, str_of(text));
}

static void
number_attribute(struct document *doc, struct str name, uint64_t number)
{
	char text[24];
	struct writer w = writer_of(text, sizeof text);
	writer_decimal(&w, number);
	if (!doc->json) {
		attribute(doc, name, writer_view(&w));
		return;
	}
	json_name(doc, name);
	writer_str(&doc->w, writer_view(&w));
}

void
document_total(struct document *doc, uint64_t total)
{
	number_attribute(doc, STR("total"), total);
}

/* An element that stands several times, told apart by its role. */
static void
open_role(struct document *doc, struct str path)
{
	struct str role = path;
	const struct str name = str_cut(&role, ':');
	if (!doc->json) {
		xml_open(doc, name);
		attribute(doc, STR("role"), role);
	} else {
		if (doc->role_closed.len != 0 && str_eq(doc->role_closed, name)) {
			doc->w.at--; /* the array goes on */
			writer_text(&doc->w, ",{");
		} else {
			json_name(doc, name);
			writer_text(&doc->w, "[{");
		}
		doc->comma = false;
		json_name(doc, STR("role"));
		write_json(&doc->w, role);
	}
	push(doc, path);
}

static void
json_array(struct document *doc, struct str name)
{
	if (!doc->json)
		return;
	json_name(doc, name);
	writer_u8(&doc->w, '[');
	doc->comma = false;
}

void
document_list_open(struct document *doc, struct str plural, struct str singular, uint64_t total,
                   uint64_t maximum)
{
	document_open(doc, plural);
	document_total(doc, total);
	if (maximum != 0)
		number_attribute(doc, STR("maximum"), maximum);
	json_array(doc, singular);
}

void
document_users_open(struct document *doc, struct str plural, struct str singular)
{
	document_open(doc, plural);
	json_array(doc, singular);
}

void
document_array_open(struct document *doc, struct str singular)
{
	json_array(doc, singular);
}

void
document_array_close(struct document *doc)
{
	if (doc->json)
		writer_u8(&doc->w, ']');
	doc->comma = true;
}

void
document_item_open(struct document *doc, struct str singular)
{
	if (doc->json) {
		writer_text(&doc->w, doc->comma ? ",{" : "{");
		doc->comma = false;
	} else {
		xml_open(doc, singular);
	}
	push(doc, singular);
}

void
document_item_close(struct document *doc)
{
	document_close(doc);
}

void
document_list_close(struct document *doc)
{
	if (doc->json)
		writer_u8(&doc->w, ']');
	document_close(doc);
}

/* ------------------------------------------------------------------ values */

static bool
is_json_literal(const struct field *field)
{
	/* Seconds are not: they can be the word "permanent". */
	return field->kind == FIELD_BOOL || field->kind == FIELD_UINT ||
	       field->kind == FIELD_TENTHS;
}

void
document_value(struct document *doc, const struct field *field, const struct value *value)
{
	char text[OBJECT_TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	/* Text goes as it is: an invitation is longer than any text that is kept. */
	if (field->kind != FIELD_TEXT)
		value_write(&w, field, value);
	CHECK(!w.failed);
	const struct str written = field->kind == FIELD_TEXT ? value->text : writer_view(&w);
	const struct str name = str_of(field->name);
	if (doc->json) {
		json_name(doc, name);
		if (is_json_literal(field))
			writer_str(&doc->w, written);
		else
			write_json(&doc->w, written);
		return;
	}
	if ((field->flags & FIELD_ATTRIBUTE) != 0) {
		attribute(doc, name, written);
		return;
	}
	xml_open(doc, name);
	finish_tag(doc);
	write_xml(&doc->w, written);
	writer_text(&doc->w, "</");
	writer_str(&doc->w, name);
	writer_u8(&doc->w, '>');
}

void
document_group(struct document *doc, unsigned depth, const char *path)
{
	struct str rest = str_of(path);
	unsigned same = depth;
	/* As deep as the open elements and the wanted ones agree. */
	while (rest.len != 0 && same < doc->depth) {
		struct str after = rest;
		if (!str_eq(str_cut(&after, '/'), doc->names[same]))
			break;
		rest = after;
		same++;
	}
	while (doc->depth > same)
		document_close(doc);
	while (rest.len != 0) {
		const struct str name = str_cut(&rest, '/');
		if (str_find(name, ':') < name.len)
			open_role(doc, name);
		else
			document_open(doc, name);
	}
}

void
document_failure(struct document *doc, const char *code, struct str parameter, const char *error)
{
	document_open(doc, STR("failureDetails"));
	if (doc->json) {
		document_open(doc, str_of(code));
		if (error != NULL) {
			json_name(doc, STR("parameter"));
			write_json(&doc->w, parameter);
			json_name(doc, STR("error"));
			write_json(&doc->w, str_of(error));
		}
		document_close(doc);
	} else {
		xml_open(doc, str_of(code));
		if (error != NULL) {
			attribute(doc, STR("parameter"), parameter);
			attribute(doc, STR("error"), str_of(error));
		}
		writer_text(&doc->w, " />");
		doc->tag_open = false;
	}
	document_close(doc);
}
