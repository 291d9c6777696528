/* SPDX-License-Identifier: Apache-2.0 */
/* dns -- questions to the domain name system (c-ares), never blocking.
 *
 * One resolver per loop asks the system's servers, or those of its settings.  A and AAAA questions
 * also look into /etc/hosts; IP literals are the caller's business.
 *
 * Ownership  An answer is borrowed until its callback returns.
 * Threads    The loop's.
 * Units      TTLs are seconds, as on the wire.
 * Errors     dns_ask() gives 0 when it cannot ask (table full, name too long); everything else
 *            comes by callback, always later, exactly once unless cancelled.
 * Limits     DNS_QUERIES_MAX questions at a time; DNS_RECORDS_MAX records an answer, the rest is
 *            left off.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdint.h>

#include "base/addr.h"
#include "net/loop.h"

enum {
	DNS_NAME_MAX = 256, /* with the NUL */
	DNS_RECORDS_MAX = 32,
	DNS_QUERIES_MAX = 1024,
	DNS_SERVICE_MAX = 64,
};

enum dns_kind { DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR };

enum dns_result {
	DNS_FOUND,
	DNS_NOT_FOUND, /* no such name, or no record of that kind */
	DNS_TIMEOUT,
	DNS_FAILED,    /* SERVFAIL, refused, nonsense */
};

struct dns_record {
	uint32_t ttl;
	struct net_addr addr; /* A, AAAA; port 0 */
	/* SRV, NAPTR */
	uint16_t priority; /* NAPTR: order */
	uint16_t weight;   /* NAPTR: preference */
	uint16_t port;
	char target[DNS_NAME_MAX]; /* NAPTR: replacement */
	/* NAPTR */
	char flags[8];
	char service[DNS_SERVICE_MAX]; /* "SIP+D2T" */
	char regexp[DNS_NAME_MAX];
};

struct dns_answer {
	enum dns_kind kind;
	enum dns_result result;
	const char *text; /* for the log: "no such domain" */
	const struct dns_record *records;
	uint32_t count;
};

struct dns;

/* A running question; zero is none. */
typedef struct {
	uint32_t v;
} dns_query;

typedef void dns_answer_cb(void *context, const struct dns_answer *answer);

struct dns_settings {
	const char *servers; /* "127.0.0.1:5353,192.0.2.1"; NULL: /etc/resolv.conf */
	int64_t timeout_us;  /* first try of one server; 0: 2 s */
	uint32_t tries;      /* 0: 3 */
};

[[nodiscard]] int dns_create(struct dns **out, struct loop *loop,
                             const struct dns_settings *settings);
/* Running questions end without a callback. */
void dns_destroy(struct dns *dns);

[[nodiscard]] dns_query dns_ask(struct dns *dns, enum dns_kind kind, const char *name,
                                dns_answer_cb *cb, void *context);
/* No callback comes any more; stale and zero handles are fine. */
void dns_cancel(struct dns *dns, dns_query query);

#endif
