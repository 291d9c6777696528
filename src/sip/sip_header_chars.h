/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes of RFC 3261 s25.1, one bit each, for the parsers of this folder. */
#ifndef SIP_SIP_HEADER_CHARS_H
#define SIP_SIP_HEADER_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	SIP_CHAR_TOKEN = 1 << 0, /* s25.1 token */
	SIP_CHAR_WORD = 1 << 1, /* s25.1 word, as in Call-ID */
	SIP_CHAR_USER = 1 << 2, /* user part; '#' because dialled strings come unescaped */
	SIP_CHAR_PASSWORD = 1 << 3, /* password of a URI */
	SIP_CHAR_PARAM = 1 << 4, /* name or value of a URI parameter */
	SIP_CHAR_HNV = 1 << 5, /* name or value of a URI header */
	SIP_CHAR_HOST = 1 << 6, /* host name; '_' because Windows names have it */
	SIP_CHAR_OPAQUE = 1 << 7, /* any URI */
	SIP_CHAR_VALUE = 1 << 8, /* bare value of a header parameter, with IPv6 and base64 */
	SIP_CHAR_DISPLAY = 1 << 9, /* bare display name, as typed: wider than the grammar */
	SIP_CHAR_DIGIT = 1 << 10,
	SIP_CHAR_HEX = 1 << 11,
};

extern const uint16_t sip_chars[256];

static inline bool
sip_char_is(char c, unsigned classes)
{
	return (sip_chars[(unsigned char)c] & classes) != 0;
}

/* How many bytes at the start of `s` are of these classes. */
static inline size_t
sip_span(struct str s, unsigned classes)
{
	size_t len = 0;
	while (len < s.len && sip_char_is(s.at[len], classes))
		len++;
	return len;
}

static inline bool
sip_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Linear white space; the message parser has seen to it that CR LF is followed by a blank. */
static inline void
sip_skip_lws(struct str *s)
{
	while (s->len != 0 && sip_is_blank(s->at[0]))
		*s = str_sub(*s, 1, s->len - 1);
}

#endif
