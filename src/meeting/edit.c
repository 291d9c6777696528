/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/date.h"
#include "base/utf8.h"
#include "meeting/dial_plan.h"
#include "meeting/object.h"

/* ------------------------------------------------------------------ text a field may hold */

/* One character that UTF-8 (RFC 3629) and XML 1.0 both allow; 0 when the bytes are neither. */
static size_t
character_len(const uint8_t *at, size_t left)
{
	uint32_t code = 0;
	const size_t len = utf8_char(at, left, &code);
	const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
	return control || code == 0xfffe || code == 0xffff ? 0 : len;
}

static bool
is_clean_text(struct str text)
{
	const uint8_t *bytes = (const uint8_t *)text.at;
	for (size_t at = 0; at < text.len;) {
		const size_t len = character_len(bytes + at, text.len - at);
		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

void
text_copy_clean(char *out, size_t cap, struct str text)
{
	CHECK(cap != 0);
	const uint8_t *bytes = (const uint8_t *)text.at;
	size_t to = 0;
	for (size_t at = 0; at < text.len;) {
		const size_t len = character_len(bytes + at, text.len - at);
		const size_t room = len != 0 ? len : 1;
		if (to + room >= cap)
			break;
		if (len != 0)
			memcpy(out + to, bytes + at, len);
		else
			out[to] = '?';
		to += room;
		at += room;
	}
	out[to] = '\0';
}

static bool
has_only(struct str text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\0' || strchr(allowed, text.at[i]) == NULL)
			return false;
	}
	return true;
}

static bool
has_any(struct str text, const char *refused)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr(refused, text.at[i]) != NULL)
			return true;
	}
	return false;
}

static bool
is_url(struct str text, const char *const *schemes)
{
	struct str rest = text;
	const struct str scheme = str_cut(&rest, ':');
	while (*schemes != NULL && !str_eq_nocase(scheme, str_of(*schemes)))
		schemes++;
	if (*schemes == NULL || !str_starts(rest, STR("//")))
		return false;
	const struct str host = str_sub(rest, 2, rest.len - 2);
	return host.len != 0 && host.at[0] != ':' && !has_any(text, " \"<>");
}

/* "sip:" and "sips:" in front are fine; what stands behind must be something to dial. */
static bool
is_party(struct str text)
{
	struct str rest = text;
	if (str_starts(text, STR("sip:")) || str_starts(text, STR("sips:")))
		(void)str_cut(&rest, ':');
	return rest.len != 0 && rest.at[0] != '@' && !str_ends(rest, STR("@")) &&
	       !has_any(rest, " \"<>");
}

#define DOMAIN_LETTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"

/* A name or an address, and a port that can be sent to. */
static bool
is_host_port(struct str text)
{
	const struct dial_address to = dial_address_of(text);
	const bool ip6 = text.len != 0 && text.at[0] == '[';
	const bool has_port = to.host.len < text.len;
	uint32_t port = 0;
	struct net_addr address;
	if (to.has_user || to.params.len != 0 || to.host.len == 0 ||
	    (ip6 ? !addr_parse_ip(&address, to.host) : !has_only(to.host, DOMAIN_LETTERS)))
		return false;
	return !has_port || (str_u32(to.port, &port) && port != 0 && port <= UINT16_MAX);
}

/* "user@domain": neither part empty, and one @. */
static bool
is_jid(struct str text)
{
	struct str domain = text;
	const struct str user = str_cut(&domain, '@');
	return user.len != 0 && domain.len != 0 && !has_any(text, " \"<>/") &&
	       !has_any(domain, "@");
}

static bool
is_generator(struct str text)
{
	const size_t place = str_find(text, '$');
	return place != text.len && has_only(str_sub(text, 0, place), DOMAIN_LETTERS) &&
	       has_only(str_sub(text, place + 1, text.len - place - 1), DOMAIN_LETTERS);
}

static bool
is_text_for(const struct field *field, struct str text)
{
	if (!is_clean_text(text))
		return false;
	switch ((enum field_kind)field->kind) {
	case FIELD_TEXT:
		return true;
	case FIELD_DIGITS:
	case FIELD_PASSCODE:
		return has_only(text, "0123456789");
	case FIELD_DTMF:
		return has_only(text, "0123456789ABCDabcd*#,");
	case FIELD_CODE:
		return has_only(text, "0123456789*#");
	case FIELD_URI_USER:
		return !has_any(text, "@ \"<>:/?");
	case FIELD_PARTY:
		return is_party(text);
	case FIELD_DOMAIN:
		return has_only(text, DOMAIN_LETTERS "*[]:");
	case FIELD_DOMAIN_NAME:
		return has_only(text, DOMAIN_LETTERS "[]:");
	case FIELD_HOST_PORT:
		return is_host_port(text);
	case FIELD_DIAL_MATCH:
		return dial_match_valid(text);
	case FIELD_DIAL_TRANSFORM:
		return dial_transform_valid(text);
	case FIELD_URL:
		return is_url(text, field->words);
	case FIELD_JID:
		return is_jid(text);
	case FIELD_GENERATOR:
		return is_generator(text);
	case FIELD_KINDS:
	case FIELD_BOOL:
	case FIELD_UINT:
	case FIELD_ENUM:
	case FIELD_GUID:
	case FIELD_TIME:
	case FIELD_TENTHS:
	case FIELD_SECONDS:
		break;
	}
	return false;
}

/* ------------------------------------------------------------------ one value from text */

static bool
read_word(const struct field *field, struct str text, uint32_t *number)
{
	for (uint32_t i = 0; field->words[i] != NULL; i++) {
		if (str_eq_nocase(str_of(field->words[i]), text)) {
			*number = i;
			return true;
		}
	}
	return false;
}

enum object_reject
value_read(struct value *out, const struct field *field, struct str text)
{
	*out = (struct value){ .set = true };
	switch (field_shape(field)) {
	case SHAPE_TRUTH:
		/* Python clients send True and False. */
		out->number = str_eq_nocase(text, STR("true"));
		return out->number != 0 || str_eq_nocase(text, STR("false")) ? OBJECT_OK
		                                                             : OBJECT_BAD_VALUE;
	case SHAPE_SECONDS:
		if (str_eq_nocase(text, STR("permanent"))) {
			out->number = DURATION_PERMANENT;
			return OBJECT_OK;
		}
		[[fallthrough]];
	case SHAPE_NUMBER:
		return str_u32(text, &out->number) && out->number >= field->min &&
				       out->number <= field->max
		               ? OBJECT_OK
		               : OBJECT_BAD_VALUE;
	case SHAPE_WORD:
		return read_word(field, text, &out->number) ? OBJECT_OK : OBJECT_BAD_VALUE;
	case SHAPE_ID:
		return guid_parse(&out->guid, text) ? OBJECT_OK : OBJECT_BAD_VALUE;
	case SHAPE_TEXT:
		out->text = text;
		if (text.len > field->max)
			return OBJECT_TOO_LONG;
		return text.len >= field->min && is_text_for(field, text) ? OBJECT_OK
		                                                          : OBJECT_BAD_VALUE;
	case SHAPE_TIME:
	case SHAPE_TENTHS:
		break;
	}
	return OBJECT_BAD_VALUE;
}

enum object_reject
object_edit_text(struct object_edit *edit, unsigned how, struct str name, struct str text)
{
	CHECK(how == FIELD_POST || how == FIELD_PUT);
	const int at = object_field_find(edit->type, name);
	/* A parameter we do not have can always be unset: scripts send whole forms. */
	if (at < 0)
		return text.len == 0 ? OBJECT_OK : OBJECT_UNKNOWN_PARAMETER;
	const struct field *field = object_field(edit->type, (unsigned)at);
	if ((field->flags & how) == 0)
		return text.len == 0 ? OBJECT_OK : OBJECT_UNKNOWN_PARAMETER;

	struct value value = { 0 };
	if (text.len != 0) {
		const enum object_reject reject = value_read(&value, field, text);
		if (reject != OBJECT_OK)
			return reject;
		if ((field->flags & FIELD_LACKING) != 0 && value.number != field->fallback)
			return OBJECT_UNKNOWN_PARAMETER;
	} else if ((field->flags & FIELD_REQUIRED) != 0) {
		return OBJECT_BAD_VALUE;
	}
	edit->values[at] = value;
	field_set_put(&edit->given, (unsigned)at, true);
	return OBJECT_OK;
}

static struct value *
edit_slot(struct object_edit *edit, unsigned field)
{
	CHECK(field < object_field_count(edit->type));
	field_set_put(&edit->given, field, true);
	edit->values[field] = (struct value){ .set = true };
	return &edit->values[field];
}

void
edit_set_text(struct object_edit *edit, unsigned field, struct str text)
{
	struct value *value = edit_slot(edit, field);
	value->text = text;
	value->set = text.len != 0;
}

void
edit_set_number(struct object_edit *edit, unsigned field, uint32_t number)
{
	edit_slot(edit, field)->number = number;
}

void
edit_set_guid(struct object_edit *edit, unsigned field, const struct guid *guid)
{
	edit_slot(edit, field)->guid = *guid;
}

/* ------------------------------------------------------------------ one value to text */

void
value_write(struct writer *w, const struct field *field, const struct value *value)
{
	const uint32_t number = value->set ? value->number : field->fallback;
	char guid[GUID_TEXT_LEN + 1];
	switch (field_shape(field)) {
	case SHAPE_TRUTH:
		writer_text(w, number != 0 ? "true" : "false");
		break;
	case SHAPE_SECONDS:
		if (number == DURATION_PERMANENT)
			writer_text(w, "permanent");
		else
			writer_decimal(w, number);
		break;
	case SHAPE_NUMBER:
		writer_decimal(w, number);
		break;
	case SHAPE_WORD:
		writer_text(w, field->words[number]);
		break;
	case SHAPE_TENTHS: {
		const int32_t tenths = (int32_t)number;
		writer_format(w, "%s%d.%d", tenths < 0 ? "-" : "", abs(tenths / 10),
		              abs(tenths % 10));
		break;
	}
	case SHAPE_ID:
		if (value->set) {
			guid_write(guid, &value->guid);
			writer_text(w, guid);
		}
		break;
	case SHAPE_TIME:
		date_write(w, value->time_us / 1000000);
		break;
	case SHAPE_TEXT:
		writer_str(w, value->text);
		break;
	}
}
