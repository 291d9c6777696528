/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_msg_lines.h"

#include <stdbool.h>

#include "sip/sip_header_chars.h"

/* The line at the start of `*rest` with the lines folded under it (s7.3.1), CR LF cut off.  Returns
 * false when it does not end, or when CR or LF stand alone (`*bad`). */
static bool
take_field(struct str *rest, struct str *field, bool *bad)
{
	size_t at = 0;
	while (at < rest->len) {
		const char *lf = memchr(rest->at + at, '\n', rest->len - at);
		if (lf == NULL)
			return false;
		const size_t end = (size_t)(lf - rest->at);
		const bool crlf = end > at && rest->at[end - 1] == '\r';
		const size_t text = crlf ? end - 1 : end;
		if (!crlf || memchr(rest->at + at, '\r', text - at) != NULL)
			*bad = true;
		at = end + 1;
		if (at < rest->len && (rest->at[at] == ' ' || rest->at[at] == '\t') && end != 1)
			continue;
		*field = str_sub(*rest, 0, text);
		*rest = str_sub(*rest, at, rest->len - at);
		return true;
	}
	return false;
}

enum sip_line_kind
sip_line_next(struct str *rest, struct sip_line *out)
{
	struct str field = { 0 };
	bool bad = false;
	if (!take_field(rest, &field, &bad))
		return SIP_LINE_UNFINISHED;
	if (field.len == 0 && !bad)
		return SIP_LINE_END;

	const size_t name = sip_span(field, SIP_CHAR_TOKEN);
	size_t colon = name;
	while (colon < field.len && (field.at[colon] == ' ' || field.at[colon] == '\t'))
		colon++;
	if (bad || name == 0 || colon == field.len || field.at[colon] != ':')
		return SIP_LINE_BAD;
	out->name = str_sub(field, 0, name);
	out->value = str_trim(str_sub(field, colon + 1, field.len - colon - 1));
	return SIP_LINE_FIELD;
}
