/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_uri.h"

#include "base/check.h"
#include "base/encode.h"
#include "sip/sip_header.h"
#include "sip/sip_header_chars.h"

static const struct {
	const char *name;
	uint16_t port;
	bool reliable;
	bool secure;
} transports[] = {
	[SIP_TRANSPORT_UDP] = { "UDP", 5060, false, false },
	[SIP_TRANSPORT_TCP] = { "TCP", 5060, true, false },
	[SIP_TRANSPORT_TLS] = { "TLS", 5061, true, true },
	[SIP_TRANSPORT_WS] = { "WS", 80, true, false },
	[SIP_TRANSPORT_WSS] = { "WSS", 443, true, true },
};
static_assert(COUNT_OF(transports) == SIP_TRANSPORT_OTHER, "a transport has no row");

static bool
is_known(enum sip_transport transport)
{
	return transport > SIP_TRANSPORT_NONE && transport < SIP_TRANSPORT_OTHER;
}

const char *
sip_transport_name(enum sip_transport transport)
{
	CHECK(is_known(transport));
	return transports[transport].name;
}

enum sip_transport
sip_transport_of(struct str name)
{
	for (unsigned t = SIP_TRANSPORT_UDP; t < SIP_TRANSPORT_OTHER; t++)
		if (str_eq_nocase(name, str_of(transports[t].name)))
			return (enum sip_transport)t;
	return SIP_TRANSPORT_OTHER;
}

uint16_t
sip_transport_port(enum sip_transport transport)
{
	CHECK(is_known(transport));
	return transports[transport].port;
}

bool
sip_transport_reliable(enum sip_transport transport)
{
	CHECK(is_known(transport));
	return transports[transport].reliable;
}

bool
sip_transport_secure(enum sip_transport transport)
{
	CHECK(is_known(transport));
	return transports[transport].secure;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool
is_escape(struct str s, size_t at)
{
	return s.at[at] == '%' && s.len - at >= 3 && sip_char_is(s.at[at + 1], SIP_CHAR_HEX) &&
	       sip_char_is(s.at[at + 2], SIP_CHAR_HEX);
}

/* Bytes at the start of `s` that are of these classes or escaped. */
static size_t
span_escaped(struct str s, unsigned classes)
{
	size_t at = 0;
	while (at < s.len) {
		if (sip_char_is(s.at[at], classes))
			at++;
		else if (is_escape(s, at))
			at += 3;
		else
			break;
	}
	return at;
}

static bool
all_escaped(struct str s, unsigned classes)
{
	return span_escaped(s, classes) == s.len;
}

static struct str
take(struct str *s, size_t len)
{
	const struct str taken = str_sub(*s, 0, len);
	*s = str_sub(*s, len, s->len - len);
	return taken;
}

static bool
take_char(struct str *s, char c)
{
	if (s->len == 0 || s->at[0] != c)
		return false;
	(void)take(s, 1);
	return true;
}

/* A host name: labels of letters, digits and dashes, the last one starting with a letter, so that
 * "192.0.2.300" is neither a name nor an address.  A final dot is allowed. */
static bool
is_hostname(struct str host)
{
	if (host.len != 0 && host.at[host.len - 1] == '.')
		host.len--;
	struct str label = { 0 };
	while (host.len != 0) {
		label = str_sub(host, 0, str_find(host, '.'));
		if (label.len == 0 || label.at[0] == '-' || label.at[label.len - 1] == '-')
			return false;
		if (label.len == host.len)
			break;
		(void)take(&host, label.len + 1);
		if (host.len == 0)
			return false;
	}
	return label.len != 0 && !sip_char_is(label.at[0], SIP_CHAR_DIGIT);
}

/* The host at the start of `*rest`; its address when it is a literal. */
static bool
take_host(struct str *rest, struct str *host, struct net_addr *ip)
{
	*ip = (struct net_addr){ 0 };
	if (rest->len != 0 && rest->at[0] == '[') {
		const size_t end = str_find(*rest, ']');
		if (end == rest->len)
			return false;
		const struct str inner = str_sub(*rest, 1, end - 1);
		for (size_t i = 0; i < inner.len; i++)
			if (!sip_char_is(inner.at[i], SIP_CHAR_HEX) && inner.at[i] != ':' &&
			    inner.at[i] != '.')
				return false;
		/* "[192.0.2.1]" is no IPv6 reference. */
		if (str_find(inner, ':') == inner.len || !addr_parse_ip(ip, inner))
			return false;
		*host = take(rest, end + 1);
		return true;
	}
	*host = take(rest, sip_span(*rest, SIP_CHAR_HOST));
	if (is_hostname(*host))
		return true;
	return host->len != 0 && addr_parse_ip(ip, *host);
}

static bool
take_port(struct str *rest, uint16_t *port)
{
	uint32_t value = 0;
	if (!take_char(rest, ':'))
		return true;
	/* Port 0 is nobody's. */
	if (!str_u32(take(rest, sip_span(*rest, SIP_CHAR_DIGIT)), &value) || value == 0 ||
	    value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool
check_params(struct str params)
{
	unsigned count = 0;
	while (true) {
		const size_t name = span_escaped(params, SIP_CHAR_PARAM);
		if (name == 0 || ++count > SIP_URI_PARAMS_MAX)
			return false;
		(void)take(&params, name);
		if (take_char(&params, '=')) {
			const size_t value = span_escaped(params, SIP_CHAR_PARAM);
			if (value == 0)
				return false;
			(void)take(&params, value);
		}
		if (params.len == 0)
			return true;
		if (!take_char(&params, ';'))
			return false;
	}
}

static bool
check_headers(struct str headers)
{
	unsigned count = 0;
	while (true) {
		const size_t name = span_escaped(headers, SIP_CHAR_HNV);
		if (name == 0 || ++count > SIP_URI_PARAMS_MAX)
			return false;
		(void)take(&headers, name);
		if (!take_char(&headers, '='))
			return false;
		(void)take(&headers, span_escaped(headers, SIP_CHAR_HNV));
		if (headers.len == 0)
			return true;
		if (!take_char(&headers, '&'))
			return false;
	}
}

static bool
parse_userinfo(struct sip_uri *uri, struct str info)
{
	const size_t colon = str_find(info, ':');
	uri->has_user = true;
	uri->user = str_sub(info, 0, colon);
	if (colon < info.len) {
		uri->has_password = true;
		uri->password = str_sub(info, colon + 1, info.len - colon - 1);
	}
	return uri->user.len != 0 && all_escaped(uri->user, SIP_CHAR_USER) &&
	       all_escaped(uri->password, SIP_CHAR_PASSWORD);
}

static bool
parse_sip(struct sip_uri *uri)
{
	struct str rest = uri->rest;

	/* No part behind the user may hold an '@', so the first one ends it. */
	const size_t at = str_find(rest, '@');
	if (at < rest.len) {
		if (!parse_userinfo(uri, take(&rest, at)))
			return false;
		(void)take(&rest, 1);
	}
	if (!take_host(&rest, &uri->host, &uri->ip) || !take_port(&rest, &uri->port))
		return false;
	if (take_char(&rest, ';')) {
		uri->params = take(&rest, str_find(rest, '?'));
		if (!check_params(uri->params))
			return false;
	}
	if (take_char(&rest, '?')) {
		uri->headers = take(&rest, rest.len);
		if (!check_headers(uri->headers))
			return false;
	}
	return rest.len == 0;
}

static bool
is_phone_char(char c)
{
	return sip_char_is(c, SIP_CHAR_HEX) || c == '*' || c == '#' || c == '-' || c == '.' ||
	       c == '(' || c == ')';
}

/* RFC 3966 s3: "+" digits, or a local number with its context; separators in between. */
static bool
parse_tel(struct sip_uri *uri)
{
	struct str rest = uri->rest;
	const size_t end = str_find(rest, ';');
	const struct str number = take(&rest, end);
	bool digits = false;

	for (size_t i = 0; i < number.len; i++) {
		if (i == 0 && number.at[0] == '+')
			continue;
		if (!is_phone_char(number.at[i]))
			return false;
		digits |= sip_char_is(number.at[i], SIP_CHAR_HEX) || number.at[i] == '*' ||
		          number.at[i] == '#';
	}
	uri->has_user = true;
	uri->user = number;
	if (take_char(&rest, ';')) {
		uri->params = rest;
		if (!check_params(rest))
			return false;
	}
	return digits;
}

bool
sip_uri_parse(struct sip_uri *out, struct str text)
{
	struct sip_uri uri = { .text = text, .scheme = SIP_SCHEME_OTHER };

	if (text.len == 0 || text.len > SIP_URI_BYTES_MAX)
		return false;
	const size_t colon = str_find(text, ':');
	const struct str scheme = str_sub(text, 0, colon);
	if (colon == text.len || colon == 0 || sip_char_is(text.at[0], SIP_CHAR_DIGIT))
		return false;
	for (size_t i = 0; i < scheme.len; i++)
		if (!sip_char_is(scheme.at[i], SIP_CHAR_HOST | SIP_CHAR_DIGIT) &&
		    scheme.at[i] != '+')
			return false;
	uri.rest = str_sub(text, colon + 1, text.len - colon - 1);

	if (str_eq_nocase(scheme, STR("sip")))
		uri.scheme = SIP_SCHEME_SIP;
	else if (str_eq_nocase(scheme, STR("sips")))
		uri.scheme = SIP_SCHEME_SIPS;
	else if (str_eq_nocase(scheme, STR("tel")))
		uri.scheme = SIP_SCHEME_TEL;

	bool good = false;
	switch (uri.scheme) {
	case SIP_SCHEME_SIP:
	case SIP_SCHEME_SIPS:
		good = parse_sip(&uri);
		break;
	case SIP_SCHEME_TEL:
		good = parse_tel(&uri);
		break;
	case SIP_SCHEME_OTHER:
		good = uri.rest.len != 0 && sip_span(uri.rest, SIP_CHAR_OPAQUE) == uri.rest.len;
		break;
	}
	if (good)
		*out = uri;
	return good;
}

static bool
find_pair(struct str pairs, char separator, struct str name, struct str *value)
{
	while (pairs.len != 0) {
		struct str pair = str_cut(&pairs, separator);
		if (!str_eq_nocase(str_cut(&pair, '='), name))
			continue;
		if (value != NULL)
			*value = pair;
		return true;
	}
	return false;
}

bool
sip_uri_param(const struct sip_uri *uri, struct str name, struct str *value)
{
	return find_pair(uri->params, ';', name, value);
}

bool
sip_uri_header(const struct sip_uri *uri, struct str name, struct str *value)
{
	return find_pair(uri->headers, '&', name, value);
}

enum sip_transport
sip_uri_transport(const struct sip_uri *uri)
{
	struct str value = { 0 };
	if (!sip_uri_param(uri, STR("transport"), &value))
		return SIP_TRANSPORT_NONE;
	return sip_transport_of(value);
}

/* ---- comparing ----------------------------------------------------------------------------- */

/* The next character; an escaped one of the reserved set is another than the same one bare
 * (s19.1.4), so it gets a number of its own. */
static unsigned
next_char(struct str *s, bool fold)
{
	unsigned c = (unsigned char)s->at[0];
	size_t used = 1;
	bool reserved = false;
	if (is_escape(*s, 0)) {
		c = (unsigned)(hex_value(s->at[1]) << 4 | hex_value(s->at[2]));
		used = 3;
		reserved = c != 0 && memchr(";/?:@&=+$,", (int)c, 10) != NULL;
	}
	*s = str_sub(*s, used, s->len - used);
	if (fold && c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	return reserved ? c + 256 : c;
}

static bool
eq_escaped(struct str a, struct str b, bool fold)
{
	while (a.len != 0 && b.len != 0)
		if (next_char(&a, fold) != next_char(&b, fold))
			return false;
	return a.len == 0 && b.len == 0;
}

enum match {
	MATCH_NONE,  /* no such name */
	MATCH_NAME,  /* the name with other values only */
	MATCH_VALUE, /* the name with this value */
};

/* A name that comes twice, which s19.1.1 forbids, matches by either of its values: so a URI equals
 * itself whatever it holds. */
static enum match
find_match(struct str pairs, char separator, struct str name, struct str value, bool fold)
{
	enum match match = MATCH_NONE;
	while (pairs.len != 0) {
		struct str other = str_cut(&pairs, separator);
		if (!eq_escaped(str_cut(&other, '='), name, true))
			continue;
		if (eq_escaped(other, value, fold))
			return MATCH_VALUE;
		match = MATCH_NAME;
	}
	return match;
}

/* Parameters that mean something else when they are missing (s19.1.4). */
static bool
param_must_be_in_both(struct str name)
{
	return eq_escaped(name, STR("user"), true) || eq_escaped(name, STR("ttl"), true) ||
	       eq_escaped(name, STR("method"), true) || eq_escaped(name, STR("maddr"), true) ||
	       eq_escaped(name, STR("transport"), true);
}

static bool
params_match(const struct sip_uri *a, const struct sip_uri *b)
{
	struct str rest = a->params;
	while (rest.len != 0) {
		struct str value = str_cut(&rest, ';');
		const struct str name = str_cut(&value, '=');
		const bool fold = !eq_escaped(name, STR("method"), true);
		switch (find_match(b->params, ';', name, value, fold)) {
		case MATCH_VALUE:
			break;
		case MATCH_NAME:
			return false;
		case MATCH_NONE:
			if (a->scheme == SIP_SCHEME_TEL || param_must_be_in_both(name))
				return false;
			break;
		}
	}
	return true;
}

static bool
headers_match(const struct sip_uri *a, const struct sip_uri *b)
{
	struct str rest = a->headers;
	while (rest.len != 0) {
		struct str value = str_cut(&rest, '&');
		const struct str name = str_cut(&value, '=');
		if (find_match(b->headers, '&', name, value, false) != MATCH_VALUE)
			return false;
	}
	return true;
}

static bool
hosts_match(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->ip.family != ADDR_NONE && b->ip.family != ADDR_NONE)
		return addr_eq_ip(&a->ip, &b->ip);
	return str_eq_nocase(a->host, b->host);
}

/* RFC 3966 s5: separators do not count. */
static bool
numbers_match(struct str a, struct str b)
{
	size_t at = 0;
	for (size_t i = 0; i < a.len; i++) {
		if (memchr("-.()", a.at[i], 4) != NULL)
			continue;
		while (at < b.len && memchr("-.()", b.at[at], 4) != NULL)
			at++;
		if (at == b.len || !str_eq_nocase(str_sub(a, i, 1), str_sub(b, at, 1)))
			return false;
		at++;
	}
	while (at < b.len && memchr("-.()", b.at[at], 4) != NULL)
		at++;
	return at == b.len;
}

bool
sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	if (a->scheme == SIP_SCHEME_OTHER)
		return str_eq(a->text, b->text);
	if (!params_match(a, b) || !params_match(b, a))
		return false;
	if (a->scheme == SIP_SCHEME_TEL)
		return numbers_match(a->user, b->user);
	return a->has_user == b->has_user && eq_escaped(a->user, b->user, false) &&
	       a->has_password == b->has_password &&
	       eq_escaped(a->password, b->password, false) && hosts_match(a, b) &&
	       a->port == b->port && headers_match(a, b) && headers_match(b, a);
}

/* ---- writing ------------------------------------------------------------------------------- */

void
sip_uri_unescape(struct writer *w, struct str escaped)
{
	for (size_t at = 0; at < escaped.len;) {
		if (is_escape(escaped, at)) {
			writer_u8(w, (uint8_t)(hex_value(escaped.at[at + 1]) << 4 |
			                       hex_value(escaped.at[at + 2])));
			at += 3;
		} else {
			writer_u8(w, (uint8_t)escaped.at[at++]);
		}
	}
}

void
sip_uri_write_user(struct writer *w, const struct sip_uri *uri)
{
	struct str kind = { 0 };
	const bool phone = uri->scheme == SIP_SCHEME_TEL ||
	                   (sip_uri_param(uri, STR("user"), &kind) &&
	                    str_eq_nocase(kind, STR("phone")));
	if (!phone) {
		sip_uri_unescape(w, uri->user);
		return;
	}
	/* A telephone-subscriber may carry parameters of its own (s19.1.6). */
	const struct str number = str_sub(uri->user, 0, str_find(uri->user, ';'));
	for (size_t i = 0; i < number.len; i++)
		if (memchr("-.()", number.at[i], 4) == NULL)
			writer_u8(w, (uint8_t)number.at[i]);
}

/* Escapes what is not in all of `classes`. */
static void
escape(struct writer *w, struct str text, unsigned classes)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = (uint8_t)text.at[i];
		/* '#' is taken but never sent. */
		if ((sip_chars[c] & classes) == classes && c != '#') {
			writer_u8(w, c);
		} else {
			writer_u8(w, '%');
			writer_u8(w, (uint8_t)digits[c >> 4]);
			writer_u8(w, (uint8_t)digits[c & 15]);
		}
	}
}

void
sip_uri_escape_user(struct writer *w, struct str user)
{
	escape(w, user, SIP_CHAR_USER);
}

void
sip_uri_escape_value(struct writer *w, struct str value)
{
	escape(w, value, SIP_CHAR_PARAM | SIP_CHAR_HNV);
}

void
sip_uri_write(struct writer *w, const struct sip_uri *uri)
{
	switch (uri->scheme) {
	case SIP_SCHEME_SIP:
		writer_text(w, "sip:");
		break;
	case SIP_SCHEME_SIPS:
		writer_text(w, "sips:");
		break;
	case SIP_SCHEME_TEL:
		writer_text(w, "tel:");
		writer_str(w, uri->user);
		break;
	case SIP_SCHEME_OTHER:
		writer_str(w, uri->text);
		return;
	}
	if (uri->scheme != SIP_SCHEME_TEL) {
		if (uri->has_user) {
			writer_str(w, uri->user);
			if (uri->has_password) {
				writer_u8(w, ':');
				writer_str(w, uri->password);
			}
			writer_u8(w, '@');
		}
		if (uri->host.len != 0)
			writer_str(w, uri->host);
		else
			addr_write_host(w, &uri->ip);
		if (uri->port != 0) {
			writer_u8(w, ':');
			writer_decimal(w, uri->port);
		}
	}
	if (uri->params.len != 0) {
		writer_u8(w, ';');
		writer_str(w, uri->params);
	}
	if (uri->headers.len != 0) {
		writer_u8(w, '?');
		writer_str(w, uri->headers);
	}
}

bool
sip_is_host(struct str s)
{
	struct net_addr ip;
	struct str host;
	return take_host(&s, &host, &ip) && s.len == 0;
}
