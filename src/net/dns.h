/* SPDX-License-Identifier: Apache-2.0 */
/* dns -- questions to the domain name system (c-ares), never blocking.
 *
 * One resolver per loop asks the system's servers, or those of its settings.  A and AAAA questions
 * also look into /etc/hosts; names are taken as absolute, search domains do not apply; IP literals
 * are the caller's business.  Records have the form that sip/sip_locate.h reads.
 *
 * Ownership  An answer is borrowed until its callback returns.  A resolver may be destroyed inside
 *            a callback.
 * Threads    The loop's; create and destroy on one thread of the process only.
 * Errors     dns_ask() gives a zero handle when it cannot ask (table full, name too long);
 *            everything else comes by callback, never inside dns_ask(), exactly once unless
 *            cancelled.
 * Limits     DNS_QUERIES_MAX questions at a time; SIP_LOCATE_RECORDS_MAX records an answer, the
 *            rest is left off.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdint.h>

#include "net/loop.h"
#include "sip/sip_locate.h"

enum {
	DNS_QUERIES_MAX = 1024,
};

struct dns;

/* A running question; zero is none. */
typedef struct {
	uint32_t v;
} dns_query;

/* `text` is for the log: "Timeout while contacting DNS servers". */
typedef void dns_answer_cb(void *context, const struct dns_answer *answer, const char *text);

struct dns_settings {
	const char *servers; /* "127.0.0.1:5353,192.0.2.1"; NULL: /etc/resolv.conf */
	int64_t timeout_us;  /* first try of one server, doubled for each further one; 0: 2 s */
	uint32_t tries;      /* 0: 3 */
};

[[nodiscard]] int dns_create(struct dns **out, struct loop *loop,
                             const struct dns_settings *settings);
/* Running questions end without a callback. */
void dns_destroy(struct dns *dns);

[[nodiscard]] dns_query dns_ask(struct dns *dns, enum dns_type type, const char *name,
                                dns_answer_cb *cb, void *context);
/* No callback comes any more; stale and zero handles are fine. */
void dns_cancel(struct dns *dns, dns_query query);

#endif
