/* SPDX-License-Identifier: Apache-2.0 */
#include "c2w/json_write.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

void
json_key(struct writer *w, struct str name)
{
	if (w->at != 0 && w->bytes[w->at - 1] != '{')
		writer_u8(w, ',');
	writer_u8(w, '"');
	writer_str(w, name);
	writer_text(w, "\":");
}

static bool
is_continuation(struct str text, size_t at)
{
	return at < text.len && ((unsigned char)text.at[at] & 0xc0) == 0x80;
}

/* Bytes of the character at `at`, or 0 when it is none (RFC 3629 s4: no long forms, surrogates or
 * numbers above U+10FFFF). */
static size_t
character_len(struct str text, size_t at)
{
	const unsigned char first = (unsigned char)text.at[at];
	const unsigned char second = at + 1 < text.len ? (unsigned char)text.at[at + 1] : 0;
	size_t len = 0;
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		len = 2;
	else if (first >= 0xe0 && first <= 0xef)
		len = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		len = 4;
	for (size_t i = 1; i < len; i++)
		if (!is_continuation(text, at + i))
			return 0;
	if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
	    (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
		return 0;
	return len;
}

static void
write_control(struct writer *w, char c, bool lines)
{
	if (!lines)
		writer_u8(w, ' ');
	else if (c == '\n')
		writer_text(w, "\\n");
	else if (c == '\r')
		writer_text(w, "\\r");
	else
		writer_format(w, "\\u%04x", (unsigned char)c);
}

void
json_text(struct writer *w, struct str text, bool lines)
{
	writer_u8(w, '"');
	for (size_t at = 0; at < text.len;) {
		const char c = text.at[at];
		const size_t len = character_len(text, at);
		if (len == 0)
			writer_text(w, replacement);
		else if (c == '"' || c == '\\')
			writer_format(w, "\\%c", c);
		else if ((unsigned char)c < ' ' || c == 0x7f)
			write_control(w, c, lines);
		else
			writer_bytes(w, text.at + at, len);
		at += len != 0 ? len : 1;
	}
	writer_u8(w, '"');
}

struct str
json_cut(struct str text, size_t max)
{
	size_t written = 0;
	size_t at = 0;
	while (at < text.len) {
		const size_t len = character_len(text, at);
		written += len != 0 ? len : sizeof replacement - 1;
		if (written > max)
			break;
		at += len != 0 ? len : 1;
	}
	return str_sub(text, 0, at);
}
