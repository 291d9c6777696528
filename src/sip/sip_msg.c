/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_msg.h"

#include "base/check.h"
#include "sip/sip_header_chars.h"
#include "sip/sip_header_read.h"
#include "sip/sip_msg_lines.h"

static_assert(SIP_MSG_BYTES_MAX <= UINT16_MAX, "offsets are 16 bits");
static_assert((int)SIP_HEADERS_MAX < (int)SIP_HEADER_NONE, "line numbers are 8 bits");
static_assert(SIP_HEADER_NAME_BYTES_MAX <= UINT8_MAX, "name lengths are 8 bits");
static_assert(sizeof(struct sip_msg) <= 4096, "a parsed message fits on any stack");

enum {
	MAX_FORWARDS_ABSENT = 70, /* s8.1.1.6: what a client would have sent */
};

/* What each reject is answered with; status 0 is silence. */
static const struct {
	const char *name;
	struct sip_refusal refusal;
} rejects[] = {
	[SIP_OK] = { "ok", { 0, NULL } },
	[SIP_REJECT_EMPTY] = { "empty", { 0, NULL } },
	[SIP_REJECT_START_LINE] = { "start_line", { 0, NULL } },
	[SIP_REJECT_STATUS] = { "status", { 0, NULL } },
	[SIP_REJECT_VIA] = { "via", { 0, NULL } },
	[SIP_REJECT_REQUEST_LINE] = { "request_line", { 400, "Bad Request Line" } },
	[SIP_REJECT_METHOD] = { "method", { 400, "Bad Method" } },
	[SIP_REJECT_URI] = { "uri", { 400, "Bad Request-URI" } },
	[SIP_REJECT_URI_LONG] = { "uri_long", { 414, "Request-URI Too Long" } },
	[SIP_REJECT_URI_SCHEME] = { "uri_scheme", { 416, "Unsupported URI Scheme" } },
	[SIP_REJECT_VERSION] = { "version", { 505, "Version Not Supported" } },
	[SIP_REJECT_TOO_LONG] = { "too_long", { 513, "Message Too Large" } },
	[SIP_REJECT_BODY_TOO_LONG] = { "body_too_long", { 413, "Request Entity Too Large" } },
	[SIP_REJECT_UNFINISHED] = { "unfinished", { 400, "Headers Do Not End" } },
	[SIP_REJECT_HEADER_LINE] = { "header_line", { 400, "Bad Header Line" } },
	[SIP_REJECT_HEADERS_MAX] = { "headers_max", { 400, "Too Many Headers" } },
	[SIP_REJECT_VIAS_MAX] = { "vias_max", { 482, "Loop Detected" } },
	[SIP_REJECT_NO_FROM] = { "no_from", { 400, "Missing From" } },
	[SIP_REJECT_NO_TO] = { "no_to", { 400, "Missing To" } },
	[SIP_REJECT_NO_CALL_ID] = { "no_call_id", { 400, "Missing Call-ID" } },
	[SIP_REJECT_NO_CSEQ] = { "no_cseq", { 400, "Missing CSeq" } },
	[SIP_REJECT_VIA_PARAMS] = { "via_params", { 400, "Bad Via Parameters" } },
	[SIP_REJECT_FROM] = { "from", { 400, "Bad From" } },
	[SIP_REJECT_TO] = { "to", { 400, "Bad To" } },
	[SIP_REJECT_CALL_ID] = { "call_id", { 400, "Bad Call-ID" } },
	[SIP_REJECT_CSEQ] = { "cseq", { 400, "Bad CSeq" } },
	[SIP_REJECT_CSEQ_METHOD] = { "cseq_method", { 400, "CSeq Method Does Not Match" } },
	[SIP_REJECT_TWICE] = { "twice", { 400, "Header Present More Than Once" } },
	[SIP_REJECT_MAX_FORWARDS] = { "max_forwards", { 400, "Bad Max-Forwards" } },
	[SIP_REJECT_CONTENT_LENGTH] = { "content_length", { 400, "Bad Content-Length" } },
	[SIP_REJECT_BODY_SHORT] = { "body_short", { 400, "Body Shorter Than Content-Length" } },
	[SIP_REJECT_CONTENT_TYPE] = { "content_type", { 400, "Bad Content-Type" } },
	[SIP_REJECT_CONTACT] = { "contact", { 400, "Bad Contact" } },
	[SIP_REJECT_ROUTE] = { "route", { 400, "Bad Route" } },
	[SIP_REJECT_HEADER_VALUE] = { "header_value", { 400, "Bad Header Value" } },
};
static_assert(COUNT_OF(rejects) == SIP_REJECT_COUNT, "a reject has no row");

enum header_kind {
	KIND_LINES = 0, /* may come often; not split at commas */
	KIND_LIST,      /* several lines are one comma-separated list */
	KIND_SINGLE,    /* at most once */
};

static const uint8_t kinds[SIP_HEADER_COUNT] = {
	[SIP_HEADER_ACCEPT] = KIND_LIST,
	[SIP_HEADER_ACCEPT_CONTACT] = KIND_LIST,
	[SIP_HEADER_ACCEPT_ENCODING] = KIND_LIST,
	[SIP_HEADER_ACCEPT_LANGUAGE] = KIND_LIST,
	[SIP_HEADER_ALERT_INFO] = KIND_LIST,
	[SIP_HEADER_ALLOW] = KIND_LIST,
	[SIP_HEADER_ALLOW_EVENTS] = KIND_LIST,
	[SIP_HEADER_CALL_ID] = KIND_SINGLE,
	[SIP_HEADER_CALL_INFO] = KIND_LIST,
	[SIP_HEADER_CONTACT] = KIND_LIST,
	[SIP_HEADER_CONTENT_DISPOSITION] = KIND_SINGLE,
	[SIP_HEADER_CONTENT_ENCODING] = KIND_LIST,
	[SIP_HEADER_CONTENT_LANGUAGE] = KIND_LIST,
	[SIP_HEADER_CONTENT_TYPE] = KIND_SINGLE,
	[SIP_HEADER_CSEQ] = KIND_SINGLE,
	[SIP_HEADER_DIVERSION] = KIND_LIST,
	[SIP_HEADER_ERROR_INFO] = KIND_LIST,
	[SIP_HEADER_EVENT] = KIND_SINGLE,
	[SIP_HEADER_EXPIRES] = KIND_SINGLE,
	[SIP_HEADER_FROM] = KIND_SINGLE,
	[SIP_HEADER_HISTORY_INFO] = KIND_LIST,
	[SIP_HEADER_IN_REPLY_TO] = KIND_LIST,
	[SIP_HEADER_MAX_FORWARDS] = KIND_SINGLE,
	[SIP_HEADER_MIN_SE] = KIND_SINGLE,
	[SIP_HEADER_P_ASSERTED_IDENTITY] = KIND_LIST,
	[SIP_HEADER_P_PREFERRED_IDENTITY] = KIND_LIST,
	[SIP_HEADER_PATH] = KIND_LIST,
	[SIP_HEADER_PROXY_REQUIRE] = KIND_LIST,
	[SIP_HEADER_RACK] = KIND_SINGLE,
	[SIP_HEADER_REASON] = KIND_LIST,
	[SIP_HEADER_RECORD_ROUTE] = KIND_LIST,
	[SIP_HEADER_RECV_INFO] = KIND_LIST,
	[SIP_HEADER_REFER_TO] = KIND_SINGLE,
	[SIP_HEADER_REFERRED_BY] = KIND_SINGLE,
	[SIP_HEADER_REJECT_CONTACT] = KIND_LIST,
	[SIP_HEADER_REPLACES] = KIND_SINGLE,
	[SIP_HEADER_REQUEST_DISPOSITION] = KIND_LIST,
	[SIP_HEADER_REQUIRE] = KIND_LIST,
	[SIP_HEADER_ROUTE] = KIND_LIST,
	[SIP_HEADER_RSEQ] = KIND_SINGLE,
	[SIP_HEADER_SERVICE_ROUTE] = KIND_LIST,
	[SIP_HEADER_SESSION_EXPIRES] = KIND_SINGLE,
	[SIP_HEADER_SUPPORTED] = KIND_LIST,
	[SIP_HEADER_TO] = KIND_SINGLE,
	[SIP_HEADER_UNSUPPORTED] = KIND_LIST,
	[SIP_HEADER_VIA] = KIND_LIST,
	[SIP_HEADER_WARNING] = KIND_LIST,
};

const char *
sip_reject_name(enum sip_reject reject)
{
	CHECK(reject < SIP_REJECT_COUNT);
	return rejects[reject].name;
}

struct sip_refusal
sip_msg_refusal(const struct sip_msg *msg, enum sip_reject reject)
{
	CHECK(reject < SIP_REJECT_COUNT);
	if (!msg->answerable)
		return (struct sip_refusal){ 0, NULL };
	return rejects[reject].refusal;
}

/* ---- the start line ------------------------------------------------------------------------ */

/* The first broken rule is the one that is told. */
static void
note(enum sip_reject *reject, enum sip_reject found)
{
	if (*reject == SIP_OK)
		*reject = found;
}

/* "SIP/" digits "." digits. */
static bool
is_version(struct str s)
{
	if (s.len < 7 || !str_eq_nocase(str_sub(s, 0, 4), STR("SIP/")))
		return false;
	s = str_sub(s, 4, s.len - 4);
	const size_t major = sip_span(s, SIP_CHAR_DIGIT);
	if (major == 0 || major == s.len || s.at[major] != '.')
		return false;
	s = str_sub(s, major + 1, s.len - major - 1);
	return s.len != 0 && sip_span(s, SIP_CHAR_DIGIT) == s.len;
}

static bool
is_version_2(struct str s)
{
	return str_eq_nocase(s, STR("SIP/2.0"));
}

/* "SIP/2.0 200 OK"; the reason may be empty, but its blank is there (s7.2). */
static enum sip_reject
parse_status_line(struct sip_msg *msg, struct str line)
{
	struct str rest = line;
	uint32_t status = 0;
	const struct str version = str_cut(&rest, ' ');
	if (!is_version(version))
		return SIP_REJECT_START_LINE;
	if (!is_version_2(version))
		return SIP_REJECT_VERSION;
	const struct str code = str_cut(&rest, ' ');
	if (code.len != 3 || !str_u32(code, &status) || status < 100 || status > 699)
		return SIP_REJECT_STATUS;
	msg->status = (uint16_t)status;
	msg->reason = rest;
	return SIP_OK;
}

static enum sip_reject
parse_request_uri(struct sip_msg *msg, struct str text)
{
	if (text.len > SIP_URI_BYTES_MAX)
		return SIP_REJECT_URI_LONG;
	if (!sip_uri_parse(&msg->uri, text))
		return SIP_REJECT_URI;
	if (msg->uri.scheme == SIP_SCHEME_OTHER)
		return SIP_REJECT_URI_SCHEME;
	/* s19.1.1, table 1: headers are not allowed in a request URI. */
	return msg->uri.headers.len != 0 ? SIP_REJECT_URI : SIP_OK;
}

static size_t
find_last(struct str s, char c)
{
	size_t at = s.len;
	while (at != 0 && s.at[at - 1] != c)
		at--;
	return at;
}

/* "INVITE sip:1001@example.org SIP/2.0" with one blank each.  A line that is recognisably one, by
 * its version at the end, is answered even if it has too many. */
static enum sip_reject
parse_request_line(struct sip_msg *msg, struct str line)
{
	struct str rest = str_trim(line);
	enum sip_reject reject = rest.len != line.len ? SIP_REJECT_REQUEST_LINE : SIP_OK;

	msg->method_text = str_cut(&rest, ' ');
	const size_t last = find_last(rest, ' ');
	const struct str version = str_sub(rest, last, rest.len - last);
	if (last == 0 || !is_version(version))
		return SIP_REJECT_START_LINE;
	msg->request = true;
	msg->method = sip_method_of(msg->method_text);
	if (!is_version_2(version))
		return SIP_REJECT_VERSION;
	if (!sip_is_token(msg->method_text))
		note(&reject, SIP_REJECT_METHOD);
	note(&reject, parse_request_uri(msg, str_sub(rest, 0, last - 1)));
	return reject;
}

/* Cuts the start line off `*rest`. */
static enum sip_reject
parse_start_line(struct sip_msg *msg, struct str *rest)
{
	const size_t end = str_find(*rest, '\n');
	if (end == rest->len || end == 0 || rest->at[end - 1] != '\r')
		return SIP_REJECT_START_LINE;
	const struct str line = str_sub(*rest, 0, end - 1);
	*rest = str_sub(*rest, end + 1, rest->len - end - 1);
	if (line.len >= 4 && str_eq_nocase(str_sub(line, 0, 4), STR("SIP/")))
		return parse_status_line(msg, line);
	return parse_request_line(msg, line);
}

/* ---- the header section -------------------------------------------------------------------- */

/* Puts one field into the table. */
static enum sip_reject
keep_field(struct sip_msg *msg, const struct sip_line *line, uint8_t last[SIP_HEADER_COUNT])
{
	const uint8_t at = msg->header_count;
	const enum sip_header_id id = sip_header_of(line->name);
	if (at == SIP_HEADERS_MAX)
		return SIP_REJECT_HEADERS_MAX;
	if (line->name.len > SIP_HEADER_NAME_BYTES_MAX)
		return SIP_REJECT_HEADER_LINE;

	struct sip_header *header = &msg->headers[at];
	*header = (struct sip_header){
		.name_at = (uint16_t)(line->name.at - msg->text.at),
		.name_len = (uint8_t)line->name.len,
		/* The trimmed view of an empty value still points into the message. */
		.value_at = (uint16_t)(line->value.at - msg->text.at),
		.value_len = (uint16_t)line->value.len,
		.id = (uint8_t)id,
		.next = SIP_HEADER_NONE,
	};
	msg->header_count++;

	const bool again = msg->first[id] != SIP_HEADER_NONE;
	if (again)
		msg->headers[last[id]].next = at;
	else
		msg->first[id] = at;
	last[id] = at;
	return again && kinds[id] == KIND_SINGLE ? SIP_REJECT_TWICE : SIP_OK;
}

/* Reads all fields; `*rest` is then the body. */
static enum sip_reject
parse_fields(struct sip_msg *msg, struct str *rest)
{
	uint8_t last[SIP_HEADER_COUNT];
	enum sip_reject reject = SIP_OK;
	while (true) {
		struct sip_line line;
		switch (sip_line_next(rest, &line)) {
		case SIP_LINE_FIELD:
			note(&reject, keep_field(msg, &line, last));
			if (reject == SIP_REJECT_HEADERS_MAX)
				return reject;
			break;
		case SIP_LINE_BAD:
			note(&reject, SIP_REJECT_HEADER_LINE);
			break;
		case SIP_LINE_END:
			return reject;
		case SIP_LINE_UNFINISHED:
			*rest = str_sub(*rest, rest->len, 0);
			note(&reject, SIP_REJECT_UNFINISHED);
			return reject;
		}
	}
}

/* ---- what every message must have ---------------------------------------------------------- */

static enum sip_reject
read_vias(struct sip_msg *msg)
{
	struct sip_values values = sip_msg_values(msg, SIP_HEADER_VIA);
	struct str item = { 0 };
	unsigned count = 1;
	if (!sip_values_next(&values, &item))
		return SIP_REJECT_VIA;
	const enum sip_via_read read = sip_via_read(&msg->via, item);
	if (read == SIP_VIA_BAD)
		return SIP_REJECT_VIA;
	msg->answerable = msg->request && msg->method != SIP_ACK;
	if (read == SIP_VIA_LOOSE)
		return SIP_REJECT_VIA_PARAMS;
	while (sip_values_next(&values, &item))
		if (++count > SIP_VIAS_MAX)
			return SIP_REJECT_VIAS_MAX;
	return SIP_OK;
}

static enum sip_reject
read_party(struct sip_name_addr *out, const struct sip_msg *msg, enum sip_header_id id)
{
	const bool from = id == SIP_HEADER_FROM;
	if (!sip_msg_has(msg, id))
		return from ? SIP_REJECT_NO_FROM : SIP_REJECT_NO_TO;
	struct sip_name_addr addr;
	if (!sip_name_addr_parse(&addr, sip_msg_value(msg, id)) || addr.star)
		return from ? SIP_REJECT_FROM : SIP_REJECT_TO;
	*out = addr;
	return SIP_OK;
}

static enum sip_reject
read_call_id(struct sip_msg *msg)
{
	const struct str value = sip_msg_value(msg, SIP_HEADER_CALL_ID);
	if (!sip_msg_has(msg, SIP_HEADER_CALL_ID))
		return SIP_REJECT_NO_CALL_ID;
	if (!sip_call_id_is_valid(value))
		return SIP_REJECT_CALL_ID;
	msg->call_id = value;
	return SIP_OK;
}

static enum sip_reject
read_cseq(struct sip_msg *msg)
{
	if (!sip_msg_has(msg, SIP_HEADER_CSEQ))
		return SIP_REJECT_NO_CSEQ;
	if (!sip_cseq_parse(&msg->cseq, sip_msg_value(msg, SIP_HEADER_CSEQ)))
		return SIP_REJECT_CSEQ;
	/* s8.1.1.5: the method matches that of the request. */
	if (msg->request && !str_eq(msg->cseq.method_text, msg->method_text))
		return SIP_REJECT_CSEQ_METHOD;
	return SIP_OK;
}

static enum sip_reject
read_max_forwards(struct sip_msg *msg)
{
	uint32_t value = 0;
	msg->max_forwards = MAX_FORWARDS_ABSENT;
	if (!sip_msg_has(msg, SIP_HEADER_MAX_FORWARDS))
		return SIP_OK;
	if (!str_u32(sip_msg_value(msg, SIP_HEADER_MAX_FORWARDS), &value) || value > UINT8_MAX)
		return SIP_REJECT_MAX_FORWARDS;
	msg->max_forwards = (uint16_t)value;
	return SIP_OK;
}

static enum sip_reject
check_addresses(const struct sip_msg *msg, enum sip_header_id id, enum sip_reject broken)
{
	struct sip_values values = sip_msg_values(msg, id);
	for (struct str item; sip_values_next(&values, &item);) {
		struct sip_name_addr addr;
		if (!sip_name_addr_parse(&addr, item))
			return broken;
		/* s20.10: "*" is for Contact alone; a route is a name-addr with a SIP URI. */
		if (id != SIP_HEADER_CONTACT &&
		    (addr.star || addr.uri.scheme == SIP_SCHEME_OTHER))
			return broken;
	}
	return SIP_OK;
}

/* ---- the body ------------------------------------------------------------------------------ */

/* s20.14: digits; several lines must say the same.  A number too big to read is a big number. */
static enum sip_reject
read_content_length(const struct sip_msg *msg, bool *given, uint32_t *length)
{
	for (uint8_t at = msg->first[SIP_HEADER_CONTENT_LENGTH]; at != SIP_HEADER_NONE;
	     at = msg->headers[at].next) {
		const struct str value = sip_msg_header_value(msg, at);
		uint32_t found = 0;
		if (value.len == 0 || sip_span(value, SIP_CHAR_DIGIT) != value.len)
			return SIP_REJECT_CONTENT_LENGTH;
		if (!str_u32(value, &found))
			found = UINT32_MAX;
		if (*given && found != *length)
			return SIP_REJECT_CONTENT_LENGTH;
		*given = true;
		*length = found;
	}
	return SIP_OK;
}

static enum sip_reject
read_body(struct sip_msg *msg, struct str rest, enum sip_framing framing)
{
	bool given = false;
	uint32_t length = 0;
	const enum sip_reject reject = read_content_length(msg, &given, &length);
	if (reject != SIP_OK)
		return reject;
	if (!given && framing == SIP_STREAM)
		return SIP_REJECT_CONTENT_LENGTH;
	if (!given)
		length = (uint32_t)rest.len;
	if (length > SIP_MSG_BYTES_MAX && framing == SIP_STREAM)
		return SIP_REJECT_BODY_TOO_LONG;
	if (length > rest.len)
		return SIP_REJECT_BODY_SHORT;
	msg->body = str_sub(rest, 0, length);
	msg->text.len = (size_t)(rest.at - msg->text.at) + length;

	if (sip_msg_has(msg, SIP_HEADER_CONTENT_TYPE)) {
		if (!sip_content_type_parse(&msg->content_type,
		                            sip_msg_value(msg, SIP_HEADER_CONTENT_TYPE)))
			return SIP_REJECT_CONTENT_TYPE;
		msg->has_content_type = true;
	}
	/* s7.4.1: a body has a type. */
	return length != 0 && !msg->has_content_type ? SIP_REJECT_CONTENT_TYPE : SIP_OK;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static enum sip_reject
check_known_values(const struct sip_msg *msg)
{
	static const uint8_t numbers[] = { SIP_HEADER_EXPIRES, SIP_HEADER_MIN_EXPIRES,
		                           SIP_HEADER_RSEQ };
	struct sip_session_expires interval;
	struct sip_rack rack;
	struct sip_replaces replaces;
	struct sip_name_addr addr;
	uint32_t number = 0;

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		if (sip_msg_has(msg, (enum sip_header_id)numbers[i]) &&
		    !sip_number_parse(&number, sip_msg_value(msg, (enum sip_header_id)numbers[i])))
			return SIP_REJECT_HEADER_VALUE;
	if (sip_msg_has(msg, SIP_HEADER_SESSION_EXPIRES) &&
	    !sip_session_expires_parse(&interval, sip_msg_value(msg, SIP_HEADER_SESSION_EXPIRES)))
		return SIP_REJECT_HEADER_VALUE;
	if (sip_msg_has(msg, SIP_HEADER_MIN_SE) &&
	    !sip_session_expires_parse(&interval, sip_msg_value(msg, SIP_HEADER_MIN_SE)))
		return SIP_REJECT_HEADER_VALUE;
	if (sip_msg_has(msg, SIP_HEADER_RACK) &&
	    !sip_rack_parse(&rack, sip_msg_value(msg, SIP_HEADER_RACK)))
		return SIP_REJECT_HEADER_VALUE;
	if (sip_msg_has(msg, SIP_HEADER_REPLACES) &&
	    !sip_replaces_parse(&replaces, sip_msg_value(msg, SIP_HEADER_REPLACES)))
		return SIP_REJECT_HEADER_VALUE;
	if (sip_msg_has(msg, SIP_HEADER_REFER_TO) &&
	    !sip_name_addr_parse(&addr, sip_msg_value(msg, SIP_HEADER_REFER_TO)))
		return SIP_REJECT_HEADER_VALUE;
	return SIP_OK;
}

static void
init_msg(struct sip_msg *msg)
{
	/* The header table is not cleared: only the first header_count lines count. */
	memset(msg, 0, offsetof(struct sip_msg, first));
	memset(msg->first, SIP_HEADER_NONE, sizeof msg->first);
}

enum sip_reject
sip_msg_parse(struct sip_msg *out, const void *bytes, size_t len, enum sip_framing framing)
{
	CHECK(out != NULL);
	CHECK(bytes != NULL || len == 0);
	struct str rest = { .at = bytes, .len = len };
	enum sip_reject reject = SIP_OK;

	init_msg(out);
	out->max_forwards = MAX_FORWARDS_ABSENT;
	/* s7.5: empty lines before the start line are ignored. */
	while (rest.len != 0 && (rest.at[0] == '\r' || rest.at[0] == '\n'))
		rest = str_sub(rest, 1, rest.len - 1);
	if (rest.len == 0)
		return SIP_REJECT_EMPTY;
	if (rest.len > SIP_MSG_BYTES_MAX) {
		rest.len = SIP_MSG_BYTES_MAX;
		note(&reject, SIP_REJECT_TOO_LONG);
	}
	out->text = rest;

	const enum sip_reject start = parse_start_line(out, &rest);
	note(&reject, start);
	if (start == SIP_REJECT_START_LINE || start == SIP_REJECT_STATUS)
		return start;
	note(&reject, parse_fields(out, &rest));
	note(&reject, read_vias(out));
	note(&reject, read_party(&out->from, out, SIP_HEADER_FROM));
	note(&reject, read_party(&out->to, out, SIP_HEADER_TO));
	note(&reject, read_call_id(out));
	note(&reject, read_cseq(out));
	note(&reject, read_max_forwards(out));
	note(&reject, read_body(out, rest, framing));
	note(&reject, check_addresses(out, SIP_HEADER_CONTACT, SIP_REJECT_CONTACT));
	note(&reject, check_addresses(out, SIP_HEADER_ROUTE, SIP_REJECT_ROUTE));
	note(&reject, check_addresses(out, SIP_HEADER_RECORD_ROUTE, SIP_REJECT_ROUTE));
	note(&reject, check_known_values(out));

	CHECK(out->text.len <= len);
	return reject;
}

/* ---- headers ------------------------------------------------------------------------------- */

struct str
sip_msg_header_name(const struct sip_msg *msg, unsigned at)
{
	CHECK(at < msg->header_count);
	return str_sub(msg->text, msg->headers[at].name_at, msg->headers[at].name_len);
}

struct str
sip_msg_header_value(const struct sip_msg *msg, unsigned at)
{
	CHECK(at < msg->header_count);
	return str_sub(msg->text, msg->headers[at].value_at, msg->headers[at].value_len);
}

struct str
sip_msg_value(const struct sip_msg *msg, enum sip_header_id id)
{
	CHECK(id < SIP_HEADER_COUNT);
	if (!sip_msg_has(msg, id))
		return (struct str){ 0 };
	return sip_msg_header_value(msg, msg->first[id]);
}

bool
sip_msg_find(const struct sip_msg *msg, struct str name, struct str *value)
{
	const enum sip_header_id id = sip_header_of(name);
	for (uint8_t at = msg->first[id]; at != SIP_HEADER_NONE; at = msg->headers[at].next) {
		if (id == SIP_HEADER_OTHER && !str_eq_nocase(sip_msg_header_name(msg, at), name))
			continue;
		*value = sip_msg_header_value(msg, at);
		return true;
	}
	return false;
}

struct sip_values
sip_msg_values(const struct sip_msg *msg, enum sip_header_id id)
{
	CHECK(id > SIP_HEADER_OTHER && id < SIP_HEADER_COUNT);
	return (struct sip_values){
		.msg = msg,
		.line = msg->first[id],
		.list = kinds[id] == KIND_LIST,
	};
}

bool
sip_values_next(struct sip_values *values, struct str *item)
{
	while (true) {
		if (values->list && sip_list_next(&values->rest, item))
			return true;
		if (values->line == SIP_HEADER_NONE)
			return false;
		const struct str value = sip_msg_header_value(values->msg, values->line);
		values->line = values->msg->headers[values->line].next;
		if (!values->list) {
			*item = value;
			return true;
		}
		values->rest = value;
	}
}

bool
sip_msg_lists(const struct sip_msg *msg, enum sip_header_id id, struct str token)
{
	struct sip_values values = sip_msg_values(msg, id);
	for (struct str item; sip_values_next(&values, &item);) {
		/* Parameters (Allow-Events has them) are not looked at. */
		const struct str name = str_trim(str_sub(item, 0, str_find(item, ';')));
		if (id == SIP_HEADER_ALLOW ? str_eq(name, token) : str_eq_nocase(name, token))
			return true;
	}
	return false;
}
