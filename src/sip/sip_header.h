/* SPDX-License-Identifier: Apache-2.0 */
/* sip_header -- names and values of SIP header fields (RFC 3261 s20, s25 and the extensions named
 * below), each read from a view of its text.
 *
 * Values may contain folded lines: CR, LF and blanks between tokens are skipped wherever the
 * grammar has LWS, so a view of a parsed piece never needs unfolding unless it is free text.
 *
 * Ownership  Everything read borrows the text given; nothing needs freeing.
 * Threads    Pure functions; any thread.
 * Units      Seconds where the name says _s.
 * Errors     false for text that breaks the grammar; the output is then untouched.  Trailing bytes
 *            after a value are an error.
 * Limits     SIP_PARAMS_MAX parameters behind one value.
 */
#ifndef SIP_SIP_HEADER_H
#define SIP_SIP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "sip/sip_uri.h"

enum {
	SIP_PARAMS_MAX = 64,
};

enum sip_method {
	SIP_METHOD_OTHER = 0, /* not one of these; its text tells */
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_REGISTER,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_INFO,
	SIP_REFER,
	SIP_NOTIFY,
	SIP_SUBSCRIBE,
	SIP_MESSAGE,
	SIP_PUBLISH,
	SIP_METHOD_COUNT,
};

enum sip_header_id {
	SIP_HEADER_OTHER = 0, /* not one of these; its name tells */
	SIP_HEADER_ACCEPT,
	SIP_HEADER_ACCEPT_CONTACT,
	SIP_HEADER_ACCEPT_ENCODING,
	SIP_HEADER_ACCEPT_LANGUAGE,
	SIP_HEADER_ALERT_INFO,
	SIP_HEADER_ALLOW,
	SIP_HEADER_ALLOW_EVENTS,
	SIP_HEADER_AUTHENTICATION_INFO,
	SIP_HEADER_AUTHORIZATION,
	SIP_HEADER_CALL_ID,
	SIP_HEADER_CALL_INFO,
	SIP_HEADER_CONTACT,
	SIP_HEADER_CONTENT_DISPOSITION,
	SIP_HEADER_CONTENT_ENCODING,
	SIP_HEADER_CONTENT_LANGUAGE,
	SIP_HEADER_CONTENT_LENGTH,
	SIP_HEADER_CONTENT_TYPE,
	SIP_HEADER_CSEQ,
	SIP_HEADER_DATE,
	SIP_HEADER_DIVERSION,
	SIP_HEADER_ERROR_INFO,
	SIP_HEADER_EVENT,
	SIP_HEADER_EXPIRES,
	SIP_HEADER_FLOW_TIMER,
	SIP_HEADER_FROM,
	SIP_HEADER_HISTORY_INFO,
	SIP_HEADER_IDENTITY,
	SIP_HEADER_IN_REPLY_TO,
	SIP_HEADER_INFO_PACKAGE,
	SIP_HEADER_JOIN,
	SIP_HEADER_MAX_FORWARDS,
	SIP_HEADER_MIME_VERSION,
	SIP_HEADER_MIN_EXPIRES,
	SIP_HEADER_MIN_SE,
	SIP_HEADER_ORGANIZATION,
	SIP_HEADER_P_ASSERTED_IDENTITY,
	SIP_HEADER_P_PREFERRED_IDENTITY,
	SIP_HEADER_PATH,
	SIP_HEADER_PRIORITY,
	SIP_HEADER_PRIVACY,
	SIP_HEADER_PROXY_AUTHENTICATE,
	SIP_HEADER_PROXY_AUTHORIZATION,
	SIP_HEADER_PROXY_REQUIRE,
	SIP_HEADER_RACK,
	SIP_HEADER_REASON,
	SIP_HEADER_RECORD_ROUTE,
	SIP_HEADER_RECV_INFO,
	SIP_HEADER_REFER_SUB,
	SIP_HEADER_REFER_TO,
	SIP_HEADER_REFERRED_BY,
	SIP_HEADER_REJECT_CONTACT,
	SIP_HEADER_REMOTE_PARTY_ID,
	SIP_HEADER_REPLACES,
	SIP_HEADER_REPLY_TO,
	SIP_HEADER_REQUEST_DISPOSITION,
	SIP_HEADER_REQUIRE,
	SIP_HEADER_RETRY_AFTER,
	SIP_HEADER_ROUTE,
	SIP_HEADER_RSEQ,
	SIP_HEADER_SERVER,
	SIP_HEADER_SERVICE_ROUTE,
	SIP_HEADER_SESSION_EXPIRES,
	SIP_HEADER_SIP_ETAG,
	SIP_HEADER_SIP_IF_MATCH,
	SIP_HEADER_SUBJECT,
	SIP_HEADER_SUBSCRIPTION_STATE,
	SIP_HEADER_SUPPORTED,
	SIP_HEADER_TARGET_DIALOG,
	SIP_HEADER_TIMESTAMP,
	SIP_HEADER_TO,
	SIP_HEADER_UNSUPPORTED,
	SIP_HEADER_USER_AGENT,
	SIP_HEADER_VIA,
	SIP_HEADER_WARNING,
	SIP_HEADER_WWW_AUTHENTICATE,
	SIP_HEADER_COUNT,
};

/* Methods are case-sensitive (s7.1), header names are not and have compact forms (s7.3.3). */
[[nodiscard]] enum sip_method sip_method_of(struct str name);
const char *sip_method_name(enum sip_method method); /* not SIP_METHOD_OTHER */
[[nodiscard]] enum sip_header_id sip_header_of(struct str name);
const char *sip_header_name(enum sip_header_id id); /* long form; not SIP_HEADER_OTHER */

/* One item of a comma-separated list: commas in quotes and <> do not separate.  Returns
 * false at the end.  Empty items are skipped, as HTTP's #rule allows and phones produce. */
[[nodiscard]] bool sip_list_next(struct str *rest, struct str *item);

/* ---- parameters: ";name=value" ------------------------------------------------------------ */

struct sip_param {
	struct str name;
	struct str value; /* without quotes, escapes still in; empty without '=' */
	bool quoted;
};

/* The next parameter of a view like `params` below ("a=b;c"); false at the end.  The text was
 * checked by whoever gave the view. */
[[nodiscard]] bool sip_param_next(struct str *rest, struct sip_param *out);
/* The first parameter called `name` (either case); `value` may be NULL. */
[[nodiscard]] bool sip_param_find(struct str params, struct str name, struct str *value);

/* The content of a quoted string without its backslashes. */
void sip_unquote(struct writer *w, struct str quoted);

/* ---- typed values -------------------------------------------------------------------------- */

struct sip_via {
	struct str text; /* the whole value, for copying */
	enum sip_transport transport;
	struct str transport_text;
	struct str host; /* sent-by; IPv6 with brackets */
	uint16_t port;   /* 0: none given */
	uint16_t rport;  /* value of rport, 0 when it has none */
	bool has_rport;
	bool magic;      /* branch starts with z9hG4bK and has more (RFC 3261 s8.1.1.7) */
	struct str branch;
	struct str received;
	struct str maddr;
	struct str params;
};

/* From, To, Contact, Route, Record-Route, Refer-To, Reply-To, P-Asserted-Identity... */
struct sip_name_addr {
	struct str text;    /* the whole value, for copying */
	struct str display; /* without quotes, escapes still in; empty: none */
	bool display_quoted;
	bool star;          /* Contact: * */
	struct sip_uri uri;
	struct str params;  /* of the header, not of the URI */
	struct str tag;     /* empty: none */
};

struct sip_cseq {
	uint32_t number; /* below 2^31 */
	enum sip_method method;
	struct str method_text;
};

struct sip_rack {
	uint32_t rseq;
	struct sip_cseq cseq;
};

enum sip_refresher {
	SIP_REFRESHER_NONE,
	SIP_REFRESHER_UAC,
	SIP_REFRESHER_UAS,
};

struct sip_session_expires { /* also Min-SE, without refresher */
	uint32_t interval_s;
	enum sip_refresher refresher;
};

struct sip_content_type {
	struct str type; /* either case, as are subtype and parameter names */
	struct str subtype;
	struct str params; /* e.g. boundary */
};

struct sip_replaces { /* RFC 3891; also Join and Target-Dialog */
	struct str call_id;
	struct str to_tag;
	struct str from_tag;
	bool early_only;
};

/* Authorization, Proxy-Authorization, WWW-Authenticate, Proxy-Authenticate; quotes removed. */
struct sip_auth {
	struct str scheme; /* "Digest"; the rest is filled for that scheme only */
	struct str realm;
	struct str nonce;
	struct str opaque;
	struct str algorithm; /* empty: MD5 */
	struct str qop;       /* challenge: list; credentials: the one used */
	struct str username;
	struct str uri;
	struct str response;
	struct str cnonce;
	struct str nc;
	bool stale;
	bool userhash;
	bool has_opaque;
};

[[nodiscard]] bool sip_via_parse(struct sip_via *out, struct str value);
[[nodiscard]] bool sip_name_addr_parse(struct sip_name_addr *out, struct str value);
[[nodiscard]] bool sip_cseq_parse(struct sip_cseq *out, struct str value);
[[nodiscard]] bool sip_rack_parse(struct sip_rack *out, struct str value);
[[nodiscard]] bool sip_session_expires_parse(struct sip_session_expires *out, struct str value);
[[nodiscard]] bool sip_content_type_parse(struct sip_content_type *out, struct str value);
[[nodiscard]] bool sip_replaces_parse(struct sip_replaces *out, struct str value);
[[nodiscard]] bool sip_auth_parse(struct sip_auth *out, struct str value);
/* Expires, RSeq, Max-Forwards, Retry-After's number...: digits, then nothing or parameters or a
 * comment. */
[[nodiscard]] bool sip_number_parse(uint32_t *out, struct str value);

/* Is it this media type? */
[[nodiscard]] bool sip_content_type_is(const struct sip_content_type *type, struct str main,
                                       struct str sub);

/* Character classes of s25.1, for parsers and writers of this folder. */
[[nodiscard]] bool sip_is_token(struct str s); /* one or more token characters */
[[nodiscard]] bool sip_is_host(struct str s);  /* hostname, IPv4 address or [IPv6] */

#endif
