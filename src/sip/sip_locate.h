/* SPDX-License-Identifier: Apache-2.0 */
/* sip_locate -- where to send a request: RFC 3263 client side as a sans-IO machine, with RFC 2782
 * weights, RFC 7118 WebSocket left out (browsers come to us) and both address families.
 *
 * Give it a URI, do the queries it asks for (all that are waiting may run at once), give back the
 * answers, and read an ordered list of targets; try them in that order (s4.3).
 *
 *	sip_locate_init(&locate, &settings);
 *	for (;;) switch ((out = sip_locate_poll(&locate)).kind) {
 *	case SIP_LOCATE_QUERY: ask(out.id, out.type, out.name); break;   -> sip_locate_answer()
 *	case SIP_LOCATE_NONE: return;                    wait for answers
 *	case SIP_LOCATE_DONE: while (sip_locate_next(&locate, &target)) ...
 *	case SIP_LOCATE_FAILED: ...
 *	}
 *
 * Ownership  A value: copies of names are inside, nothing points out but the prng of the settings.
 * Threads    One owner.
 * Units      Ports are host order.
 * Errors     SIP_LOCATE_FAILED after every way was tried; `out.failure` says why.
 * Limits     Each answer is read up to SIP_LOCATE_RECORDS_MAX records, names up to DNS_NAME_MAX;
 *            SIP_LOCATE_SRVS_MAX services and SIP_LOCATE_TARGETS_MAX addresses are kept, the rest
 *            is dropped.  At most SIP_LOCATE_QUERIES_MAX queries a location.  The time a query may
 *            take is the resolver's; it answers every one.  About 6 KiB.
 */
#ifndef SIP_SIP_LOCATE_H
#define SIP_SIP_LOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/prng.h"
#include "sip/sip_uri.h"

enum {
	DNS_NAME_MAX = 255, /* with a NUL: 256 bytes */
	SIP_LOCATE_RECORDS_MAX = 32,
	SIP_LOCATE_SRVS_MAX = 12,
	SIP_LOCATE_TARGETS_MAX = 24,
	SIP_LOCATE_QUERIES_MAX = 1 + 3 + 2 * SIP_LOCATE_SRVS_MAX + 2,
};

/* ---- DNS records, filled by whoever asks the resolver (net/dns) ---------------------------- */

enum dns_type {
	DNS_A = 1,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_NAPTR = 35,
};

enum dns_status {
	DNS_OK,     /* there are records */
	DNS_NONE,   /* the name or the type does not exist */
	DNS_FAILED, /* no answer, SERVFAIL, bad packet */
};

struct dns_srv {
	uint16_t priority;
	uint16_t weight;
	uint16_t port;
	char target[DNS_NAME_MAX + 1]; /* no final dot; "" is the root: service not offered */
};

struct dns_naptr {
	uint16_t order;
	uint16_t preference;
	char flags[8];
	char service[32];
	bool regexp; /* there is one; such records are not followed */
	char replacement[DNS_NAME_MAX + 1];
};

struct dns_record {
	enum dns_type type; /* of another type than was asked for: skipped */
	union {
		struct net_addr addr; /* A, AAAA; port not looked at */
		struct dns_srv srv;
		struct dns_naptr naptr;
	};
};

struct dns_answer {
	enum dns_status status;
	const struct dns_record *records; /* borrowed for the call */
	size_t count;
};

/* ---- location ------------------------------------------------------------------------------ */

#define SIP_TRANSPORT_BIT(transport) (1u << (transport))

struct sip_locate_settings {
	const struct sip_uri *uri; /* sip or sips; copied.  The top Route's, or the request URI */
	enum sip_transport prefer; /* SIP_TRANSPORT_NONE: as DNS says.  A dial rule's choice else */
	unsigned transports;       /* SIP_TRANSPORT_BIT of what we can send: UDP, TCP, TLS */
	bool ip4;
	bool ip6; /* with both, IPv6 comes first for each name */
	struct prng *prng;
};

enum sip_locate_kind {
	SIP_LOCATE_NONE, /* waiting for answers */
	SIP_LOCATE_QUERY,
	SIP_LOCATE_DONE,
	SIP_LOCATE_FAILED,
};

enum sip_locate_failure {
	SIP_LOCATE_OK = 0,
	SIP_LOCATE_BAD_URI,       /* scheme or host that cannot be located */
	SIP_LOCATE_NO_TRANSPORT,  /* asks for a transport we do not have, or not secure for sips */
	SIP_LOCATE_NO_FAMILY,     /* an address of a family we do not have */
	SIP_LOCATE_NOT_FOUND,     /* DNS knows no such host */
	SIP_LOCATE_NOT_OFFERED,   /* DNS says that there is no SIP here (SRV ".") */
	SIP_LOCATE_DNS_FAILED,    /* the resolver could not say: 503 rather than 404 */
};

struct sip_locate_out {
	enum sip_locate_kind kind;
	uint32_t id; /* QUERY */
	enum dns_type type;
	const char *name; /* QUERY; valid until the next call */
	enum sip_locate_failure failure;
};

struct sip_target {
	enum sip_transport transport;
	struct net_addr addr; /* with port */
};

/* What follows is the machine's own. */

struct sip_locate_service {
	char name[DNS_NAME_MAX + 1];
	uint8_t transport; /* enum sip_transport */
	uint16_t order;
	uint16_t preference;
};

struct sip_locate_srv {
	char target[DNS_NAME_MAX + 1];
	uint16_t priority;
	uint16_t weight;
	uint16_t port;
	uint8_t transport;     /* enum sip_transport */
	uint8_t rank;          /* order of its service among the services found */
	uint8_t addr_count[2]; /* IPv6, IPv4 addresses found */
};

struct sip_locate_target {
	struct sip_target target;
	uint8_t srv;    /* the record it comes from */
	uint8_t family; /* 0: IPv6, 1: IPv4 */
};

struct sip_locate_query {
	uint8_t type; /* enum dns_type */
	uint8_t state;
	uint8_t subject; /* service or SRV record it is about */
};

struct sip_locate {
	struct prng *prng;
	char host[DNS_NAME_MAX + 1];   /* of the URI */
	char domain[DNS_NAME_MAX + 1]; /* what is looked up: maddr, or the host */
	uint16_t port;
	uint8_t state;
	uint8_t transport;
	uint8_t families; /* bits 0: IPv6, 1: IPv4 */
	bool secure;
	bool resolver_failed;
	bool not_offered;
	enum sip_locate_failure failure;
	unsigned transports;
	struct sip_locate_service services[3];
	uint8_t service_count;
	struct sip_locate_srv srvs[SIP_LOCATE_SRVS_MAX];
	uint8_t srv_count;
	struct sip_locate_query queries[SIP_LOCATE_QUERIES_MAX];
	uint8_t query_count;
	struct sip_locate_target targets[SIP_LOCATE_TARGETS_MAX];
	uint8_t target_count;
	uint8_t target_next;
};

void sip_locate_init(struct sip_locate *locate, const struct sip_locate_settings *settings);

/* Queries first; then NONE while answers are missing; then DONE or FAILED for good. */
[[nodiscard]] struct sip_locate_out sip_locate_poll(struct sip_locate *locate);

/* The answer to query `id`; an id never given, or answered before, is ignored. */
void sip_locate_answer(struct sip_locate *locate, uint32_t id, const struct dns_answer *answer);

/* The next target to try, false after the last one. */
[[nodiscard]] bool sip_locate_next(struct sip_locate *locate, struct sip_target *out);

/* The name that a TLS certificate must show: the URI's host, never an SRV target (RFC 5922 s4). */
[[nodiscard]] struct str sip_locate_tls_name(const struct sip_locate *locate);

#endif
