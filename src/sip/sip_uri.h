/* SPDX-License-Identifier: Apache-2.0 */
/* sip_uri -- read, compare and write SIP, SIPS and tel URIs (RFC 3261 s19.1, s25; RFC 3966).
 *
 * A URI of another scheme is read as far as its scheme, so that it can be answered with 416 or
 * copied; `scheme` then says SIP_SCHEME_OTHER and only `text` and `rest` mean something.
 *
 * Ownership  A parsed `struct sip_uri` borrows the text it was read from.
 * Threads    Pure functions; any thread.
 * Units      Ports are host order; 0 means that none was given.
 * Errors     sip_uri_parse() returns false for text that is no URI and leaves the output untouched.
 * Limits     SIP_URI_BYTES_MAX; SIP_URI_PARAMS_MAX parameters and as many headers.
 */
#ifndef SIP_SIP_URI_H
#define SIP_SIP_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/str.h"

enum {
	SIP_URI_BYTES_MAX = 8192, /* longer ones get 414 */
	SIP_URI_PARAMS_MAX = 32,
};

enum sip_transport {
	SIP_TRANSPORT_NONE = 0, /* not given */
	SIP_TRANSPORT_UDP,
	SIP_TRANSPORT_TCP,
	SIP_TRANSPORT_TLS,
	SIP_TRANSPORT_WS,
	SIP_TRANSPORT_WSS,
	SIP_TRANSPORT_OTHER, /* given, but not one we know */
	SIP_TRANSPORT_COUNT,
};

enum sip_scheme {
	SIP_SCHEME_SIP,
	SIP_SCHEME_SIPS,
	SIP_SCHEME_TEL,
	SIP_SCHEME_OTHER,
};

struct sip_uri {
	struct str text; /* all of it */
	enum sip_scheme scheme;
	uint16_t port;       /* 0: none given */
	bool has_user;       /* an '@' was there; the user part itself is never empty then */
	bool has_password;   /* a ':' was there; `password` may be empty */
	struct str user;     /* still escaped; for tel: the number */
	struct str password; /* still escaped */
	struct str host;     /* as written, IPv6 with its brackets */
	struct net_addr ip;  /* family ADDR_NONE unless `host` is an IP literal; port not set */
	struct str params;   /* "a=b;lr", without the first ';' */
	struct str headers;  /* "a=b&c=d", without the '?' */
	struct str rest;     /* what follows the scheme's ':' */
};

/* All of `text`, which has no blanks around it. */
[[nodiscard]] bool sip_uri_parse(struct sip_uri *out, struct str text);

/* Is there a parameter `name`?  `value` (may be NULL) gets its escaped value, empty if it has
 * none.  The first of that name counts. */
[[nodiscard]] bool sip_uri_param(const struct sip_uri *uri, struct str name, struct str *value);
/* The same for a header of the URI ("?Replaces=..."). */
[[nodiscard]] bool sip_uri_header(const struct sip_uri *uri, struct str name, struct str *value);

/* The transport parameter; SIP_TRANSPORT_NONE without one. */
[[nodiscard]] enum sip_transport sip_uri_transport(const struct sip_uri *uri);

/* Equal by RFC 3261 s19.1.4 (not transitive, on purpose of the RFC).  tel URIs compare by RFC 3966
 * s5; other schemes by their bytes. */
[[nodiscard]] bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b);

/* Without escapes: "%41b" is written as "Ab".  The text was checked by the parser, so every '%' has
 * its two digits; NUL bytes may come out. */
void sip_uri_unescape(struct writer *w, struct str escaped);
/* The user part without escapes, tel's visual separators and ";phone-context" removed. */
void sip_uri_write_user(struct writer *w, const struct sip_uri *uri);

/* Escapes what may not stand in a user part as it is. */
void sip_uri_escape_user(struct writer *w, struct str user);
/* Escapes what may not stand in the value of a URI's parameter or header. */
void sip_uri_escape_value(struct writer *w, struct str value);

/* Writes from the parts: scheme, user (already escaped), password, host, port, params, headers;
 * `text` and `rest` are not looked at unless the scheme is SIP_SCHEME_OTHER.  With an empty `host`
 * the address `ip` is written. */
void sip_uri_write(struct writer *w, const struct sip_uri *uri);

/* "UDP", "TLS"... as it stands in a Via; SIP_TRANSPORT_NONE and _OTHER assert. */
const char *sip_transport_name(enum sip_transport transport);
/* Either case; SIP_TRANSPORT_OTHER for what is not known. */
[[nodiscard]] enum sip_transport sip_transport_of(struct str name);
/* 5060, 5061, 80, 443. */
[[nodiscard]] uint16_t sip_transport_port(enum sip_transport transport);
/* No datagrams: no retransmissions by us. */
[[nodiscard]] bool sip_transport_reliable(enum sip_transport transport);
[[nodiscard]] bool sip_transport_secure(enum sip_transport transport);

#endif
