/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_write.h"

#include "base/check.h"
#include "sip/sip_header_chars.h"

/* ---- start lines --------------------------------------------------------------------------- */

static const struct {
	uint16_t status;
	const char *reason;
} reasons[] = {
	{ 100, "Trying" },
	{ 180, "Ringing" },
	{ 181, "Call Is Being Forwarded" },
	{ 182, "Queued" },
	{ 183, "Session Progress" },
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 204, "No Notification" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Moved Temporarily" },
	{ 305, "Use Proxy" },
	{ 380, "Alternative Service" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 412, "Conditional Request Failed" },
	{ 413, "Request Entity Too Large" },
	{ 414, "Request-URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 420, "Bad Extension" },
	{ 421, "Extension Required" },
	{ 422, "Session Interval Too Small" },
	{ 423, "Interval Too Brief" },
	{ 469, "Bad Info Package" },
	{ 480, "Temporarily Unavailable" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 483, "Too Many Hops" },
	{ 484, "Address Incomplete" },
	{ 485, "Ambiguous" },
	{ 486, "Busy Here" },
	{ 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" },
	{ 489, "Bad Event" },
	{ 491, "Request Pending" },
	{ 493, "Undecipherable" },
	{ 500, "Server Internal Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Server Time-out" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
	{ 600, "Busy Everywhere" },
	{ 603, "Decline" },
	{ 604, "Does Not Exist Anywhere" },
	{ 606, "Not Acceptable" },
};

const char *
sip_status_reason(unsigned status)
{
	static const char *const classes[] = { "Progress",       "Success",      "Redirection",
		                               "Request Failed", "Server Error", "Global Failure" };
	CHECK(status >= 100 && status <= 699);
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return classes[status / 100 - 1];
}

static void
crlf(struct writer *w)
{
	writer_bytes(w, "\r\n", 2);
}

void
sip_write_request_line(struct writer *w, enum sip_method method, struct str uri)
{
	writer_text(w, sip_method_name(method));
	writer_u8(w, ' ');
	sip_write_text(w, uri);
	writer_text(w, " SIP/2.0\r\n");
}

void
sip_write_status_line(struct writer *w, unsigned status, const char *reason)
{
	CHECK(status >= 100 && status <= 699);
	writer_text(w, "SIP/2.0 ");
	writer_decimal(w, status);
	writer_u8(w, ' ');
	sip_write_text(w, str_of(reason != NULL ? reason : sip_status_reason(status)));
	crlf(w);
}

/* ---- values -------------------------------------------------------------------------------- */

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

void
sip_write_text(struct writer *w, struct str text)
{
	bool broke = false;
	for (size_t at = 0; at < text.len; at++) {
		const char c = text.at[at];
		/* A line break and the blanks behind it are one blank. */
		if (broke && sip_is_blank(c))
			continue;
		broke = c == '\r' || c == '\n';
		writer_u8(w, is_control(c) ? ' ' : (uint8_t)c);
	}
}

/* As it was received: only folds go, since escaped control bytes may stand in quotes (s25.1). */
static void
write_unfolded(struct writer *w, struct str text)
{
	if (text.len == 0 || memchr(text.at, '\r', text.len) == NULL) {
		writer_str(w, text);
		return;
	}
	bool broke = false;
	for (size_t at = 0; at < text.len; at++) {
		const char c = text.at[at];
		if (broke && sip_is_blank(c))
			continue;
		broke = c == '\r' || c == '\n';
		writer_u8(w, broke ? ' ' : (uint8_t)c);
	}
}

void
sip_write_quoted(struct writer *w, struct str text)
{
	writer_u8(w, '"');
	for (size_t at = 0; at < text.len; at++) {
		const char c = text.at[at];
		if (c == '"' || c == '\\')
			writer_u8(w, '\\');
		writer_u8(w, is_control(c) ? ' ' : (uint8_t)c);
	}
	writer_u8(w, '"');
}

void
sip_write_begin(struct writer *w, enum sip_header_id id)
{
	writer_text(w, sip_header_name(id));
	writer_bytes(w, ": ", 2);
}

void
sip_write_end(struct writer *w)
{
	crlf(w);
}

void
sip_write_header_str(struct writer *w, enum sip_header_id id, struct str value)
{
	sip_write_begin(w, id);
	sip_write_text(w, value);
	crlf(w);
}

void
sip_write_header_u32(struct writer *w, enum sip_header_id id, uint32_t value)
{
	sip_write_begin(w, id);
	writer_decimal(w, value);
	crlf(w);
}

void
sip_write_header_named(struct writer *w, struct str name, struct str value)
{
	CHECK(sip_is_token(name));
	writer_str(w, name);
	writer_bytes(w, ": ", 2);
	sip_write_text(w, value);
	crlf(w);
}

void
sip_write_via(struct writer *w, const struct sip_write_via *via)
{
	sip_write_begin(w, SIP_HEADER_VIA);
	writer_text(w, "SIP/2.0/");
	writer_text(w, sip_transport_name(via->transport));
	writer_u8(w, ' ');
	writer_str(w, via->host);
	if (via->port != 0) {
		writer_u8(w, ':');
		writer_decimal(w, via->port);
	}
	writer_text(w, ";branch=");
	writer_str(w, via->branch);
	if (via->rport)
		writer_text(w, ";rport");
	if (via->alias)
		writer_text(w, ";alias");
	crlf(w);
}

void
sip_write_name_addr(struct writer *w, enum sip_header_id id,
                    const struct sip_write_name_addr *addr)
{
	sip_write_begin(w, id);
	if (addr->display.len != 0) {
		sip_write_quoted(w, addr->display);
		writer_u8(w, ' ');
	}
	writer_u8(w, '<');
	sip_write_text(w, addr->uri);
	writer_u8(w, '>');
	if (addr->params.len != 0) {
		writer_u8(w, ';');
		sip_write_text(w, addr->params);
	}
	if (addr->tag.len != 0) {
		writer_text(w, ";tag=");
		sip_write_text(w, addr->tag);
	}
	crlf(w);
}

void
sip_write_cseq_text(struct writer *w, uint32_t number, struct str method_text)
{
	sip_write_begin(w, SIP_HEADER_CSEQ);
	writer_decimal(w, number);
	writer_u8(w, ' ');
	sip_write_text(w, method_text);
	crlf(w);
}

void
sip_write_cseq(struct writer *w, uint32_t number, enum sip_method method)
{
	sip_write_cseq_text(w, number, str_of(sip_method_name(method)));
}

void
sip_write_rack(struct writer *w, uint32_t rseq, uint32_t cseq, enum sip_method method)
{
	sip_write_begin(w, SIP_HEADER_RACK);
	writer_decimal(w, rseq);
	writer_u8(w, ' ');
	writer_decimal(w, cseq);
	writer_u8(w, ' ');
	writer_text(w, sip_method_name(method));
	crlf(w);
}

void
sip_write_session_expires(struct writer *w, uint32_t interval_s, enum sip_refresher refresher)
{
	sip_write_begin(w, SIP_HEADER_SESSION_EXPIRES);
	writer_decimal(w, interval_s);
	if (refresher != SIP_REFRESHER_NONE)
		writer_text(w, refresher == SIP_REFRESHER_UAC ? ";refresher=uac" :
		                                                ";refresher=uas");
	crlf(w);
}

void
sip_write_allow(struct writer *w, uint32_t methods)
{
	bool first = true;
	sip_write_begin(w, SIP_HEADER_ALLOW);
	for (unsigned m = SIP_INVITE; m < SIP_METHOD_COUNT; m++) {
		if ((methods & 1u << m) == 0)
			continue;
		if (!first)
			writer_bytes(w, ", ", 2);
		writer_text(w, sip_method_name((enum sip_method)m));
		first = false;
	}
	crlf(w);
}

static void
copy_line(struct writer *w, enum sip_header_id id, struct str value)
{
	sip_write_begin(w, id);
	write_unfolded(w, value);
	crlf(w);
}

void
sip_write_copy(struct writer *w, enum sip_header_id id, const struct sip_msg *from)
{
	for (uint8_t at = from->first[id]; at != SIP_HEADER_NONE; at = from->headers[at].next)
		copy_line(w, id, sip_msg_header_value(from, at));
}

/* ---- responses ----------------------------------------------------------------------------- */

/* The top Via with what the server adds to it: received when the source is not what sent-by says
 * (s18.2.1), received and rport when the client asked for them (RFC 3581 s4). */
static void
write_top_via(struct writer *w, const struct sip_via *via, const struct net_addr *source)
{
	struct net_addr sent_by;
	const bool same = addr_parse_ip(&sent_by, via->host) && addr_eq_ip(&sent_by, source);
	struct str head = via->text;
	if (via->params.at != NULL)
		head.len = (size_t)(via->params.at - via->text.at);
	/* The view of the parameters leaves out the ';' before them. */
	while (head.len != 0 &&
	       (sip_is_blank(head.at[head.len - 1]) || head.at[head.len - 1] == ';'))
		head.len--;
	write_unfolded(w, head);

	struct str rest = via->params;
	struct sip_param param;
	while (sip_param_next(&rest, &param)) {
		if (str_eq_nocase(param.name, STR("received")) ||
		    str_eq_nocase(param.name, STR("rport")))
			continue;
		writer_u8(w, ';');
		writer_str(w, param.name);
		if (param.value.len != 0 || param.quoted)
			writer_u8(w, '=');
		if (param.quoted)
			writer_u8(w, '"');
		write_unfolded(w, param.value);
		if (param.quoted)
			writer_u8(w, '"');
	}
	if (!same || via->has_rport) {
		writer_text(w, ";received=");
		addr_write_ip(w, source);
	}
	if (via->has_rport) {
		writer_text(w, ";rport=");
		writer_decimal(w, source->port);
	}
}

static void
write_vias(struct writer *w, const struct sip_msg *request, const struct net_addr *source)
{
	uint8_t at = request->first[SIP_HEADER_VIA];
	if (source == NULL || at == SIP_HEADER_NONE || request->via.text.len == 0) {
		sip_write_copy(w, SIP_HEADER_VIA, request);
		return;
	}
	/* The top Via is the first there is: lines without any may stand before it. */
	struct str rest = sip_msg_header_value(request, at);
	struct str top = { 0 };
	while (!sip_list_next(&rest, &top)) {
		at = request->headers[at].next;
		CHECK(at != SIP_HEADER_NONE);
		rest = sip_msg_header_value(request, at);
	}
	sip_write_begin(w, SIP_HEADER_VIA);
	write_top_via(w, &request->via, source);
	crlf(w);
	rest = str_trim(rest);
	if (rest.len != 0)
		copy_line(w, SIP_HEADER_VIA, rest);
	while ((at = request->headers[at].next) != SIP_HEADER_NONE)
		copy_line(w, SIP_HEADER_VIA, sip_msg_header_value(request, at));
}

static void
write_to(struct writer *w, const struct sip_msg *request, struct str to_tag)
{
	if (!sip_msg_has(request, SIP_HEADER_TO))
		return;
	sip_write_begin(w, SIP_HEADER_TO);
	write_unfolded(w, sip_msg_value(request, SIP_HEADER_TO));
	if (request->to.text.len != 0 && request->to.tag.len == 0 && to_tag.len != 0) {
		writer_text(w, ";tag=");
		sip_write_text(w, to_tag);
	}
	crlf(w);
}

void
sip_write_response(struct writer *w, const struct sip_write_response *response)
{
	const struct sip_msg *request = response->request;
	CHECK(request->request);
	sip_write_status_line(w, response->status, response->reason);
	write_vias(w, request, response->source);
	if (response->record_route)
		sip_write_copy(w, SIP_HEADER_RECORD_ROUTE, request);
	sip_write_copy(w, SIP_HEADER_FROM, request);
	write_to(w, request, response->to_tag);
	sip_write_copy(w, SIP_HEADER_CALL_ID, request);
	sip_write_copy(w, SIP_HEADER_CSEQ, request);
	if (response->status == 100)
		sip_write_copy(w, SIP_HEADER_TIMESTAMP, request);
}

void
sip_write_refusal(struct writer *w, const struct sip_msg *request, struct sip_refusal refusal,
                  struct str to_tag, const struct net_addr *source)
{
	CHECK(refusal.status != 0);
	sip_write_response(w, &(struct sip_write_response){ .request = request,
	                                                    .status = refusal.status,
	                                                    .reason = refusal.reason,
	                                                    .to_tag = to_tag,
	                                                    .source = source });
	sip_write_body(w, (struct str){ 0 }, (struct str){ 0 });
}

/* ---- the end ------------------------------------------------------------------------------- */

void
sip_write_body(struct writer *w, struct str content_type, struct str body)
{
	if (body.len != 0)
		sip_write_header_str(w, SIP_HEADER_CONTENT_TYPE, content_type);
	CHECK(body.len <= UINT32_MAX);
	sip_write_header_u32(w, SIP_HEADER_CONTENT_LENGTH, (uint32_t)body.len);
	crlf(w);
	writer_str(w, body);
}
