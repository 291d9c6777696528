/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_header.h"

#include "base/check.h"
#include "sip/sip_header_chars.h"
#include "sip/sip_header_read.h"

static const char *const methods[] = {
	[SIP_METHOD_OTHER] = "",       [SIP_INVITE] = "INVITE",   [SIP_ACK] = "ACK",
	[SIP_BYE] = "BYE",             [SIP_CANCEL] = "CANCEL",   [SIP_OPTIONS] = "OPTIONS",
	[SIP_REGISTER] = "REGISTER",   [SIP_PRACK] = "PRACK",     [SIP_UPDATE] = "UPDATE",
	[SIP_INFO] = "INFO",           [SIP_REFER] = "REFER",     [SIP_NOTIFY] = "NOTIFY",
	[SIP_SUBSCRIBE] = "SUBSCRIBE", [SIP_MESSAGE] = "MESSAGE", [SIP_PUBLISH] = "PUBLISH",
};
static_assert(COUNT_OF(methods) == SIP_METHOD_COUNT, "a method has no name");

/* Sorted as in the enum. */
static const struct {
	const char *name;
	char compact; /* 0: none */
} names[] = {
	[SIP_HEADER_OTHER] = { "", 0 },
	[SIP_HEADER_ACCEPT] = { "Accept", 0 },
	[SIP_HEADER_ACCEPT_CONTACT] = { "Accept-Contact", 'a' },
	[SIP_HEADER_ACCEPT_ENCODING] = { "Accept-Encoding", 0 },
	[SIP_HEADER_ACCEPT_LANGUAGE] = { "Accept-Language", 0 },
	[SIP_HEADER_ALERT_INFO] = { "Alert-Info", 0 },
	[SIP_HEADER_ALLOW] = { "Allow", 0 },
	[SIP_HEADER_ALLOW_EVENTS] = { "Allow-Events", 'u' },
	[SIP_HEADER_AUTHENTICATION_INFO] = { "Authentication-Info", 0 },
	[SIP_HEADER_AUTHORIZATION] = { "Authorization", 0 },
	[SIP_HEADER_CALL_ID] = { "Call-ID", 'i' },
	[SIP_HEADER_CALL_INFO] = { "Call-Info", 0 },
	[SIP_HEADER_CONTACT] = { "Contact", 'm' },
	[SIP_HEADER_CONTENT_DISPOSITION] = { "Content-Disposition", 0 },
	[SIP_HEADER_CONTENT_ENCODING] = { "Content-Encoding", 'e' },
	[SIP_HEADER_CONTENT_LANGUAGE] = { "Content-Language", 0 },
	[SIP_HEADER_CONTENT_LENGTH] = { "Content-Length", 'l' },
	[SIP_HEADER_CONTENT_TYPE] = { "Content-Type", 'c' },
	[SIP_HEADER_CSEQ] = { "CSeq", 0 },
	[SIP_HEADER_DATE] = { "Date", 0 },
	[SIP_HEADER_DIVERSION] = { "Diversion", 0 },
	[SIP_HEADER_ERROR_INFO] = { "Error-Info", 0 },
	[SIP_HEADER_EVENT] = { "Event", 'o' },
	[SIP_HEADER_EXPIRES] = { "Expires", 0 },
	[SIP_HEADER_FLOW_TIMER] = { "Flow-Timer", 0 },
	[SIP_HEADER_FROM] = { "From", 'f' },
	[SIP_HEADER_HISTORY_INFO] = { "History-Info", 0 },
	[SIP_HEADER_IDENTITY] = { "Identity", 'y' },
	[SIP_HEADER_IN_REPLY_TO] = { "In-Reply-To", 0 },
	[SIP_HEADER_INFO_PACKAGE] = { "Info-Package", 0 },
	[SIP_HEADER_JOIN] = { "Join", 0 },
	[SIP_HEADER_MAX_FORWARDS] = { "Max-Forwards", 0 },
	[SIP_HEADER_MIME_VERSION] = { "MIME-Version", 0 },
	[SIP_HEADER_MIN_EXPIRES] = { "Min-Expires", 0 },
	[SIP_HEADER_MIN_SE] = { "Min-SE", 0 },
	[SIP_HEADER_ORGANIZATION] = { "Organization", 0 },
	[SIP_HEADER_P_ASSERTED_IDENTITY] = { "P-Asserted-Identity", 0 },
	[SIP_HEADER_P_PREFERRED_IDENTITY] = { "P-Preferred-Identity", 0 },
	[SIP_HEADER_PATH] = { "Path", 0 },
	[SIP_HEADER_PRIORITY] = { "Priority", 0 },
	[SIP_HEADER_PRIVACY] = { "Privacy", 0 },
	[SIP_HEADER_PROXY_AUTHENTICATE] = { "Proxy-Authenticate", 0 },
	[SIP_HEADER_PROXY_AUTHORIZATION] = { "Proxy-Authorization", 0 },
	[SIP_HEADER_PROXY_REQUIRE] = { "Proxy-Require", 0 },
	[SIP_HEADER_RACK] = { "RAck", 0 },
	[SIP_HEADER_REASON] = { "Reason", 0 },
	[SIP_HEADER_RECORD_ROUTE] = { "Record-Route", 0 },
	[SIP_HEADER_RECV_INFO] = { "Recv-Info", 0 },
	[SIP_HEADER_REFER_SUB] = { "Refer-Sub", 0 },
	[SIP_HEADER_REFER_TO] = { "Refer-To", 'r' },
	[SIP_HEADER_REFERRED_BY] = { "Referred-By", 'b' },
	[SIP_HEADER_REJECT_CONTACT] = { "Reject-Contact", 'j' },
	[SIP_HEADER_REMOTE_PARTY_ID] = { "Remote-Party-ID", 0 },
	[SIP_HEADER_REPLACES] = { "Replaces", 0 },
	[SIP_HEADER_REPLY_TO] = { "Reply-To", 0 },
	[SIP_HEADER_REQUEST_DISPOSITION] = { "Request-Disposition", 'd' },
	[SIP_HEADER_REQUIRE] = { "Require", 0 },
	[SIP_HEADER_RETRY_AFTER] = { "Retry-After", 0 },
	[SIP_HEADER_ROUTE] = { "Route", 0 },
	[SIP_HEADER_RSEQ] = { "RSeq", 0 },
	[SIP_HEADER_SERVER] = { "Server", 0 },
	[SIP_HEADER_SERVICE_ROUTE] = { "Service-Route", 0 },
	[SIP_HEADER_SESSION_EXPIRES] = { "Session-Expires", 'x' },
	[SIP_HEADER_SIP_ETAG] = { "SIP-ETag", 0 },
	[SIP_HEADER_SIP_IF_MATCH] = { "SIP-If-Match", 0 },
	[SIP_HEADER_SUBJECT] = { "Subject", 's' },
	[SIP_HEADER_SUBSCRIPTION_STATE] = { "Subscription-State", 0 },
	[SIP_HEADER_SUPPORTED] = { "Supported", 'k' },
	[SIP_HEADER_TARGET_DIALOG] = { "Target-Dialog", 0 },
	[SIP_HEADER_TIMESTAMP] = { "Timestamp", 0 },
	[SIP_HEADER_TO] = { "To", 't' },
	[SIP_HEADER_UNSUPPORTED] = { "Unsupported", 0 },
	[SIP_HEADER_USER_AGENT] = { "User-Agent", 0 },
	[SIP_HEADER_VIA] = { "Via", 'v' },
	[SIP_HEADER_WARNING] = { "Warning", 0 },
	[SIP_HEADER_WWW_AUTHENTICATE] = { "WWW-Authenticate", 0 },
};
static_assert(COUNT_OF(names) == SIP_HEADER_COUNT, "a header has no name");

/* Where the names with each first letter begin; the table is sorted by it, case folded. */
static const uint8_t first_of_letter[26 + 1] = {
	[0] = SIP_HEADER_ACCEPT,          /* a */
	[1] = SIP_HEADER_CALL_ID,         /* b */
	[2] = SIP_HEADER_CALL_ID,         /* c */
	[3] = SIP_HEADER_DATE,            /* d */
	[4] = SIP_HEADER_ERROR_INFO,      /* e */
	[5] = SIP_HEADER_FLOW_TIMER,      /* f */
	[6] = SIP_HEADER_HISTORY_INFO,    /* g */
	[7] = SIP_HEADER_HISTORY_INFO,    /* h */
	[8] = SIP_HEADER_IDENTITY,        /* i */
	[9] = SIP_HEADER_JOIN,            /* j */
	[10] = SIP_HEADER_MAX_FORWARDS,   /* k */
	[11] = SIP_HEADER_MAX_FORWARDS,   /* l */
	[12] = SIP_HEADER_MAX_FORWARDS,   /* m */
	[13] = SIP_HEADER_ORGANIZATION,   /* n */
	[14] = SIP_HEADER_ORGANIZATION,   /* o */
	[15] = SIP_HEADER_P_ASSERTED_IDENTITY, /* p */
	[16] = SIP_HEADER_RACK,           /* q */
	[17] = SIP_HEADER_RACK,           /* r */
	[18] = SIP_HEADER_SERVER,         /* s */
	[19] = SIP_HEADER_TARGET_DIALOG,  /* t */
	[20] = SIP_HEADER_UNSUPPORTED,    /* u */
	[21] = SIP_HEADER_VIA,            /* v */
	[22] = SIP_HEADER_WARNING,        /* w */
	[23] = SIP_HEADER_COUNT,          /* x */
	[24] = SIP_HEADER_COUNT,          /* y */
	[25] = SIP_HEADER_COUNT,          /* z */
	[26] = SIP_HEADER_COUNT,
};

/* The compact forms by letter (s7.3.3 and the extensions that took the others). */
static const uint8_t of_compact[26] = {
	['a' - 'a'] = SIP_HEADER_ACCEPT_CONTACT,
	['b' - 'a'] = SIP_HEADER_REFERRED_BY,
	['c' - 'a'] = SIP_HEADER_CONTENT_TYPE,
	['d' - 'a'] = SIP_HEADER_REQUEST_DISPOSITION,
	['e' - 'a'] = SIP_HEADER_CONTENT_ENCODING,
	['f' - 'a'] = SIP_HEADER_FROM,
	['i' - 'a'] = SIP_HEADER_CALL_ID,
	['j' - 'a'] = SIP_HEADER_REJECT_CONTACT,
	['k' - 'a'] = SIP_HEADER_SUPPORTED,
	['l' - 'a'] = SIP_HEADER_CONTENT_LENGTH,
	['m' - 'a'] = SIP_HEADER_CONTACT,
	['o' - 'a'] = SIP_HEADER_EVENT,
	['r' - 'a'] = SIP_HEADER_REFER_TO,
	['s' - 'a'] = SIP_HEADER_SUBJECT,
	['t' - 'a'] = SIP_HEADER_TO,
	['u' - 'a'] = SIP_HEADER_ALLOW_EVENTS,
	['v' - 'a'] = SIP_HEADER_VIA,
	['x' - 'a'] = SIP_HEADER_SESSION_EXPIRES,
	['y' - 'a'] = SIP_HEADER_IDENTITY,
};

enum sip_method
sip_method_of(struct str name)
{
	for (unsigned m = SIP_INVITE; m < SIP_METHOD_COUNT; m++)
		if (name.len != 0 && methods[m][0] == name.at[0] &&
		    str_eq(name, str_of(methods[m])))
			return (enum sip_method)m;
	return SIP_METHOD_OTHER;
}

const char *
sip_method_name(enum sip_method method)
{
	CHECK(method > SIP_METHOD_OTHER && method < SIP_METHOD_COUNT);
	return methods[method];
}

enum sip_header_id
sip_header_of(struct str name)
{
	if (name.len == 0)
		return SIP_HEADER_OTHER;
	const unsigned letter = (unsigned)((name.at[0] | 0x20) - 'a');
	if (letter >= 26)
		return SIP_HEADER_OTHER;
	if (name.len == 1)
		return (enum sip_header_id)of_compact[letter];
	for (unsigned id = first_of_letter[letter]; id < first_of_letter[letter + 1]; id++)
		if (str_eq_nocase(name, str_of(names[id].name)))
			return (enum sip_header_id)id;
	return SIP_HEADER_OTHER;
}

const char *
sip_header_name(enum sip_header_id id)
{
	CHECK(id > SIP_HEADER_OTHER && id < SIP_HEADER_COUNT);
	return names[id].name;
}

bool
sip_is_token(struct str s)
{
	return s.len != 0 && sip_span(s, SIP_CHAR_TOKEN) == s.len;
}

/* ---- pieces -------------------------------------------------------------------------------- */

static struct str
take(struct str *s, size_t len)
{
	const struct str taken = str_sub(*s, 0, len);
	*s = str_sub(*s, len, s->len - len);
	return taken;
}

static struct str
take_token(struct str *s)
{
	return take(s, sip_span(*s, SIP_CHAR_TOKEN));
}

/* Separator `c` with white space around it. */
static bool
take_separator(struct str *s, char c)
{
	struct str rest = *s;
	sip_skip_lws(&rest);
	if (rest.len == 0 || rest.at[0] != c)
		return false;
	(void)take(&rest, 1);
	sip_skip_lws(&rest);
	*s = rest;
	return true;
}

/* Length of the quoted string at the start of `s` with both quotes, 0 when it does not end. */
static size_t
quoted_len(struct str s)
{
	for (size_t at = 1; at < s.len; at++) {
		if (s.at[at] == '\\')
			at++;
		else if (s.at[at] == '"')
			return at + 1;
	}
	return 0;
}

static bool
take_quoted(struct str *s, struct str *inner)
{
	const size_t len = s->len != 0 && s->at[0] == '"' ? quoted_len(*s) : 0;
	if (len == 0)
		return false;
	*inner = str_sub(take(s, len), 1, len - 2);
	return true;
}

bool
sip_list_next(struct str *rest, struct str *item)
{
	while (rest->len != 0) {
		size_t at = 0;
		bool angle = false;
		for (; at < rest->len; at++) {
			const char c = rest->at[at];
			if (c == '"' && !angle) {
				const size_t len = quoted_len(str_sub(*rest, at, rest->len - at));
				if (len == 0)
					at = rest->len - 1; /* the value's parser will refuse it */
				else
					at += len - 1;
			} else if (c == '<') {
				angle = true;
			} else if (c == '>') {
				angle = false;
			} else if (c == ',' && !angle) {
				break;
			}
		}
		*item = str_trim(take(rest, at));
		if (rest->len != 0)
			(void)take(rest, 1);
		if (item->len != 0)
			return true;
	}
	return false;
}

/* One "name[=value]". */
static bool
take_param(struct str *s, struct sip_param *out)
{
	struct sip_param param = { .name = take_token(s) };
	if (param.name.len == 0)
		return false;
	if (take_separator(s, '=')) {
		param.quoted = s->len != 0 && s->at[0] == '"';
		if (param.quoted) {
			if (!take_quoted(s, &param.value))
				return false;
		} else {
			param.value = take(s, sip_span(*s, SIP_CHAR_VALUE));
			if (param.value.len == 0)
				return false;
		}
	}
	*out = param;
	return true;
}

/* Any number of ";name[=value]" and then nothing.  `params` gets them without the first ';'.
 * `*empty`, when given, lets separators stand without a parameter and tells. */
static bool
take_params(struct str *rest, struct str *params, bool *empty)
{
	const char *start = NULL;
	const char *end = NULL;
	unsigned count = 0;
	while (take_separator(rest, ';')) {
		struct sip_param param;
		if (start == NULL)
			start = rest->at;
		end = rest->at;
		if (++count > SIP_PARAMS_MAX)
			return false;
		if (empty != NULL && (rest->len == 0 || rest->at[0] == ';')) {
			*empty = true;
			continue;
		}
		if (!take_param(rest, &param))
			return false;
		end = rest->at;
	}
	sip_skip_lws(rest);
	if (start != NULL)
		*params = (struct str){ .at = start, .len = (size_t)(end - start) };
	return rest->len == 0;
}

bool
sip_param_next(struct str *rest, struct sip_param *out)
{
	do
		sip_skip_lws(rest);
	while (take_separator(rest, ';'));
	return take_param(rest, out);
}

bool
sip_param_find(struct str params, struct str name, struct str *value)
{
	struct sip_param param;
	while (sip_param_next(&params, &param)) {
		if (!str_eq_nocase(param.name, name))
			continue;
		if (value != NULL)
			*value = param.value;
		return true;
	}
	return false;
}

void
sip_unquote(struct writer *w, struct str quoted)
{
	for (size_t at = 0; at < quoted.len; at++) {
		if (quoted.at[at] == '\\' && at + 1 < quoted.len)
			at++;
		writer_u8(w, (uint8_t)quoted.at[at]);
	}
}

/* ---- typed values -------------------------------------------------------------------------- */

static bool
take_number(struct str *s, uint32_t *out)
{
	return str_u32(take(s, sip_span(*s, SIP_CHAR_DIGIT)), out);
}

static bool
at_end(struct str s)
{
	sip_skip_lws(&s);
	return s.len == 0;
}

/* "host[:port]", with white space around the colon (s25: COLON). */
static bool
take_sent_by(struct str *rest, struct sip_via *via)
{
	size_t len = sip_span(*rest, SIP_CHAR_HOST);
	if (rest->len != 0 && rest->at[0] == '[')
		len = str_find(*rest, ']') < rest->len ? str_find(*rest, ']') + 1 : 0;
	via->host = take(rest, len);
	if (!sip_is_host(via->host))
		return false;
	if (take_separator(rest, ':')) {
		uint32_t port = 0;
		if (!take_number(rest, &port) || port == 0 || port > UINT16_MAX)
			return false;
		via->port = (uint16_t)port;
	}
	return true;
}

static bool
read_via_params(struct sip_via *via)
{
	static const char cookie[] = "z9hG4bK";
	struct str rest = via->params;
	struct sip_param param;
	while (sip_param_next(&rest, &param)) {
		uint32_t port = 0;
		if (str_eq_nocase(param.name, STR("branch"))) {
			via->branch = param.value;
		} else if (str_eq_nocase(param.name, STR("received"))) {
			via->received = param.value;
		} else if (str_eq_nocase(param.name, STR("maddr"))) {
			via->maddr = param.value;
		} else if (str_eq_nocase(param.name, STR("rport"))) {
			if (param.value.len != 0 &&
			    (!str_u32(param.value, &port) || port > UINT16_MAX))
				return false;
			via->has_rport = true;
			via->rport = (uint16_t)port;
		}
	}
	/* Either case of the cookie: a token compares without it (s7.3.1). */
	const size_t len = sizeof cookie - 1;
	via->magic = via->branch.len > len &&
	             str_eq_nocase(str_sub(via->branch, 0, len), str_of(cookie));
	return true;
}

enum sip_via_read
sip_via_read(struct sip_via *out, struct str value)
{
	struct sip_via via = { .text = str_trim(value) };
	struct str rest = via.text;

	/* The version is looked at in the start line only, so that a message of another version
	 * can be answered with 505. */
	if (!str_eq_nocase(take_token(&rest), STR("SIP")) || !take_separator(&rest, '/') ||
	    take_token(&rest).len == 0 || !take_separator(&rest, '/'))
		return SIP_VIA_BAD;
	via.transport_text = take_token(&rest);
	if (via.transport_text.len == 0 || rest.len == 0 || !sip_is_blank(rest.at[0]))
		return SIP_VIA_BAD;
	via.transport = sip_transport_of(via.transport_text);
	sip_skip_lws(&rest);
	bool loose = false;
	if (!take_sent_by(&rest, &via) || !take_params(&rest, &via.params, &loose) ||
	    !read_via_params(&via))
		return SIP_VIA_BAD;
	*out = via;
	return loose ? SIP_VIA_LOOSE : SIP_VIA_GOOD;
}

bool
sip_via_parse(struct sip_via *out, struct str value)
{
	struct sip_via via;
	if (sip_via_read(&via, value) != SIP_VIA_GOOD)
		return false;
	*out = via;
	return true;
}

/* The display name in front of '<': quoted, or words.  Words may be wider than tokens: names of
 * rooms and people arrive as they were typed into the phone. */
static bool
take_display(struct str *rest, struct sip_name_addr *addr)
{
	if (rest->len != 0 && rest->at[0] == '"') {
		addr->display_quoted = true;
		if (!take_quoted(rest, &addr->display))
			return false;
	} else {
		addr->display = str_trim(take(rest, sip_span(*rest, SIP_CHAR_DISPLAY)));
	}
	sip_skip_lws(rest);
	return rest->len != 0 && rest->at[0] == '<';
}

bool
sip_name_addr_parse(struct sip_name_addr *out, struct str value)
{
	struct sip_name_addr addr = { .text = str_trim(value) };
	struct str rest = addr.text;
	struct str uri = { 0 };

	if (str_eq(rest, STR("*"))) {
		addr.star = true;
		*out = addr;
		return true;
	}
	const size_t words = sip_span(rest, SIP_CHAR_DISPLAY);
	if (rest.len != 0 && (rest.at[0] == '"' || (words < rest.len && rest.at[words] == '<'))) {
		if (!take_display(&rest, &addr))
			return false;
		(void)take(&rest, 1);
		uri = take(&rest, str_find(rest, '>'));
		if (rest.len == 0)
			return false;
		(void)take(&rest, 1);
	} else {
		/* Without <>, everything behind ';' belongs to the header, and '?' and ',' may not
		 * stand in the URI (s20). */
		size_t len = 0;
		while (len < rest.len && rest.at[len] != ';' && !sip_is_blank(rest.at[len])) {
			if (rest.at[len] == '?' || rest.at[len] == ',')
				return false;
			len++;
		}
		uri = take(&rest, len);
	}
	if (!sip_uri_parse(&addr.uri, uri) || !take_params(&rest, &addr.params, NULL))
		return false;
	(void)sip_param_find(addr.params, STR("tag"), &addr.tag);
	*out = addr;
	return true;
}

bool
sip_cseq_parse(struct sip_cseq *out, struct str value)
{
	struct sip_cseq cseq = { 0 };
	struct str rest = str_trim(value);
	/* s8.1.1.5: less than 2**31. */
	if (!take_number(&rest, &cseq.number) || cseq.number > INT32_MAX || rest.len == 0 ||
	    !sip_is_blank(rest.at[0]))
		return false;
	sip_skip_lws(&rest);
	if (!sip_is_token(rest))
		return false;
	cseq.method_text = rest;
	cseq.method = sip_method_of(rest);
	*out = cseq;
	return true;
}

bool
sip_rack_parse(struct sip_rack *out, struct str value)
{
	struct sip_rack rack = { 0 };
	struct str rest = str_trim(value);
	if (!take_number(&rest, &rack.rseq) || rest.len == 0 || !sip_is_blank(rest.at[0]) ||
	    !sip_cseq_parse(&rack.cseq, rest))
		return false;
	*out = rack;
	return true;
}

bool
sip_number_parse(uint32_t *out, struct str value)
{
	uint32_t number = 0;
	struct str params = { 0 };
	struct str rest = str_trim(value);
	if (!take_number(&rest, &number))
		return false;
	sip_skip_lws(&rest);
	if (rest.len != 0 && rest.at[0] == '(') {
		/* Retry-After: 300 (in a meeting);duration=60 */
		const size_t end = str_find(rest, ')');
		if (end == rest.len)
			return false;
		(void)take(&rest, end + 1);
	}
	if (!take_params(&rest, &params, NULL))
		return false;
	*out = number;
	return true;
}

bool
sip_session_expires_parse(struct sip_session_expires *out, struct str value)
{
	struct sip_session_expires expires = { 0 };
	struct str rest = str_trim(value);
	struct str params = { 0 };
	struct str refresher = { 0 };
	if (!take_number(&rest, &expires.interval_s) || !take_params(&rest, &params, NULL))
		return false;
	if (sip_param_find(params, STR("refresher"), &refresher)) {
		if (str_eq_nocase(refresher, STR("uac")))
			expires.refresher = SIP_REFRESHER_UAC;
		else if (str_eq_nocase(refresher, STR("uas")))
			expires.refresher = SIP_REFRESHER_UAS;
		else
			return false;
	}
	*out = expires;
	return true;
}

bool
sip_content_type_parse(struct sip_content_type *out, struct str value)
{
	struct sip_content_type type = { 0 };
	struct str rest = str_trim(value);
	type.type = take_token(&rest);
	if (type.type.len == 0 || !take_separator(&rest, '/'))
		return false;
	type.subtype = take_token(&rest);
	if (type.subtype.len == 0 || !take_params(&rest, &type.params, NULL))
		return false;
	*out = type;
	return true;
}

bool
sip_content_type_is(const struct sip_content_type *type, struct str main, struct str sub)
{
	return str_eq_nocase(type->type, main) && str_eq_nocase(type->subtype, sub);
}

bool
sip_call_id_is_valid(struct str value)
{
	const size_t at = str_find(value, '@');
	if (at == 0 || sip_span(str_sub(value, 0, at), SIP_CHAR_WORD) != at)
		return false;
	if (at == value.len)
		return true;
	const struct str host = str_sub(value, at + 1, value.len - at - 1);
	return host.len != 0 && sip_span(host, SIP_CHAR_WORD) == host.len;
}

bool
sip_replaces_parse(struct sip_replaces *out, struct str value)
{
	struct sip_replaces replaces = { 0 };
	struct str rest = str_trim(value);
	struct str params = { 0 };
	size_t len = 0;
	while (len < rest.len && rest.at[len] != ';' && !sip_is_blank(rest.at[len]))
		len++;
	replaces.call_id = take(&rest, len);
	if (!sip_call_id_is_valid(replaces.call_id) || !take_params(&rest, &params, NULL))
		return false;
	/* RFC 3891 s6.1: both tags must be there; Target-Dialog (RFC 4538) calls them otherwise. */
	if (!sip_param_find(params, STR("to-tag"), &replaces.to_tag))
		(void)sip_param_find(params, STR("remote-tag"), &replaces.to_tag);
	if (!sip_param_find(params, STR("from-tag"), &replaces.from_tag))
		(void)sip_param_find(params, STR("local-tag"), &replaces.from_tag);
	if (replaces.to_tag.len == 0 || replaces.from_tag.len == 0)
		return false;
	replaces.early_only = sip_param_find(params, STR("early-only"), NULL);
	*out = replaces;
	return true;
}

static void
keep_auth_param(struct sip_auth *auth, const struct sip_param *param)
{
	const struct {
		struct str name;
		struct str *value;
	} fields[] = {
		{ STR("realm"), &auth->realm },       { STR("nonce"), &auth->nonce },
		{ STR("opaque"), &auth->opaque },     { STR("algorithm"), &auth->algorithm },
		{ STR("qop"), &auth->qop },           { STR("username"), &auth->username },
		{ STR("uri"), &auth->uri },           { STR("response"), &auth->response },
		{ STR("cnonce"), &auth->cnonce },     { STR("nc"), &auth->nc },
	};
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (str_eq_nocase(param->name, fields[i].name))
			*fields[i].value = param->value;
	if (str_eq_nocase(param->name, STR("opaque")))
		auth->has_opaque = true;
	else if (str_eq_nocase(param->name, STR("stale")))
		auth->stale = str_eq_nocase(param->value, STR("true"));
	else if (str_eq_nocase(param->name, STR("userhash")))
		auth->userhash = str_eq_nocase(param->value, STR("true"));
}

bool
sip_auth_parse(struct sip_auth *out, struct str value)
{
	struct sip_auth auth = { 0 };
	struct str rest = str_trim(value);
	unsigned count = 0;

	auth.scheme = take_token(&rest);
	if (auth.scheme.len == 0 || (rest.len != 0 && !sip_is_blank(rest.at[0])))
		return false;
	sip_skip_lws(&rest);
	if (!str_eq_nocase(auth.scheme, STR("Digest"))) {
		*out = auth;
		return true;
	}
	while (rest.len != 0) {
		struct sip_param param;
		if (++count > SIP_PARAMS_MAX || !take_param(&rest, &param))
			return false;
		keep_auth_param(&auth, &param);
		if (!at_end(rest) && !take_separator(&rest, ','))
			return false;
		sip_skip_lws(&rest);
	}
	*out = auth;
	return true;
}
