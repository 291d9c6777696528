/* SPDX-License-Identifier: Apache-2.0 */
/* sip_write -- write SIP requests and responses piece by piece (RFC 3261 s7, s8.1.1, s8.2.6).
 *
 * Start line, then headers in the order of the calls, then sip_write_body() which closes the
 * message.  Text taken from a received message loses its folds on the way; text from us is
 * written so that it cannot break out of its line: CR, LF and NUL become blanks.
 *
 *	sip_write_request_line(w, SIP_INVITE, STR("sip:1001@example.org"));
 *	sip_write_via(w, &(struct sip_write_via){ ... });
 *	sip_write_header_str(w, SIP_HEADER_CALL_ID, call_id);
 *	sip_write_body(w, STR("application/sdp"), sdp);
 *	if (w->failed) ...
 *
 * Ownership  Everything goes into the caller's `struct writer`; views are only read.
 * Threads    Pure functions; any thread.
 * Errors     The writer's sticky `failed`: check once at the end.
 * Limits     The writer's room.
 */
#ifndef SIP_SIP_WRITE_H
#define SIP_SIP_WRITE_H

#include "base/bytes.h"
#include "sip/sip_msg.h"

/* ---- start lines --------------------------------------------------------------------------- */

void sip_write_request_line(struct writer *w, enum sip_method method, struct str uri);
/* `reason` NULL: the RFC's own phrase. */
void sip_write_status_line(struct writer *w, unsigned status, const char *reason);
/* "Not Found"; for a code without a phrase of its own, that of its class. */
const char *sip_status_reason(unsigned status);

/* The beginning of a response to `request`: status line, all Via lines, From, To (with `to_tag`
 * added if it has none and `to_tag` is not empty), Call-ID, CSeq, and Timestamp in a 100
 * (s8.2.6.1).
 * The top Via's received and rport are those given here (RFC 3581), when `source` is not NULL.
 * Record-Route is copied when `record_route` is set (12.1.1). */
struct sip_write_response {
	const struct sip_msg *request;
	unsigned status;
	const char *reason; /* NULL: the RFC's own phrase */
	struct str to_tag;
	const struct net_addr *source; /* where the request came from, or NULL */
	bool record_route;
};
void sip_write_response(struct writer *w, const struct sip_write_response *response);

/* A whole answer to a request that was refused: sip_write_response() and an empty body. */
void sip_write_refusal(struct writer *w, const struct sip_msg *request, struct sip_refusal refusal,
                       struct str to_tag, const struct net_addr *source);

/* ---- headers ------------------------------------------------------------------------------- */

struct sip_write_via {
	enum sip_transport transport;
	struct str host; /* sent-by; IPv6 with brackets */
	uint16_t port;   /* 0: none */
	struct str branch;
	bool rport; /* ask for the source port (RFC 3581) */
	bool alias; /* offer the connection for reuse (RFC 5923) */
};
void sip_write_via(struct writer *w, const struct sip_write_via *via);

struct sip_write_name_addr {
	struct str display; /* plain text, quoted here; empty: none */
	struct str uri;     /* as it will stand between < and > */
	struct str tag;     /* empty: none */
	struct str params;  /* more parameters, without the first ';', or empty */
};
void sip_write_name_addr(struct writer *w, enum sip_header_id id,
                         const struct sip_write_name_addr *addr);

void sip_write_header_str(struct writer *w, enum sip_header_id id, struct str value);
void sip_write_header_u32(struct writer *w, enum sip_header_id id, uint32_t value);
/* A header without an id. */
void sip_write_header_named(struct writer *w, struct str name, struct str value);
void sip_write_cseq(struct writer *w, uint32_t number, enum sip_method method);
/* `method_text` for what has no enum sip_method, e.g. the CSeq of a received request. */
void sip_write_cseq_text(struct writer *w, uint32_t number, struct str method_text);
void sip_write_rack(struct writer *w, uint32_t rseq, uint32_t cseq, enum sip_method method);
void sip_write_session_expires(struct writer *w, uint32_t interval_s,
                               enum sip_refresher refresher);
/* "Allow: INVITE, ACK, ...": bit 1 << enum sip_method for each. */
void sip_write_allow(struct writer *w, uint32_t methods);
/* Every line with this id, as it came in `from`. */
void sip_write_copy(struct writer *w, enum sip_header_id id, const struct sip_msg *from);

/* A header's value piece by piece: begin writes "Name: ", then use the writer, then end.  What is
 * put between must have no CR, LF or NUL: take sip_write_text() for text that was not made here. */
void sip_write_begin(struct writer *w, enum sip_header_id id);
void sip_write_end(struct writer *w);
/* Folds become one blank, other control bytes too. */
void sip_write_text(struct writer *w, struct str text);
/* "text", with quotes and backslashes escaped. */
void sip_write_quoted(struct writer *w, struct str text);

/* ---- the end ------------------------------------------------------------------------------- */

/* Content-Type (when there is a body), Content-Length, empty line, body. */
void sip_write_body(struct writer *w, struct str content_type, struct str body);

#endif
