/* SPDX-License-Identifier: Apache-2.0 */
#include "c2w/json_write.h"

#include "base/utf8.h"

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
		const size_t len = utf8_char(text.at + at, text.len - at, NULL);
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
		const size_t len = utf8_char(text.at + at, text.len - at, NULL);
		written += len != 0 ? len : sizeof replacement - 1;
		if (written > max)
			break;
		at += len != 0 ? len : 1;
	}
	return str_sub(text, 0, at);
}
