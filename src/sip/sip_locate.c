/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_locate.h"

#include <string.h>

#include "base/check.h"

enum {
	ADDRS_PER_NAME_MAX = 6, /* of one family: a name with many addresses leaves room for others */
	IP6 = 0,
	IP4 = 1,
};

enum state {
	STATE_NAPTR,
	STATE_SRV,
	STATE_ADDRESS,
	STATE_DONE,
	STATE_FAILED,
};

enum query_state {
	QUERY_WAITING, /* to be given out */
	QUERY_ASKED,
	QUERY_ANSWERED,
};

static_assert(SIP_LOCATE_QUERIES_MAX <= UINT8_MAX, "query numbers are 8 bits");
static_assert(SIP_TRANSPORT_COUNT <= 8, "transports are a byte's bits");

static bool
may_use(const struct sip_locate *locate, enum sip_transport transport)
{
	return (locate->transports & SIP_TRANSPORT_BIT(transport)) != 0 &&
	       (!locate->secure || sip_transport_secure(transport));
}

static void
fail(struct sip_locate *locate, enum sip_locate_failure failure)
{
	locate->state = STATE_FAILED;
	locate->failure = failure;
}

static void
add_query(struct sip_locate *locate, enum dns_type type, unsigned subject)
{
	CHECK(locate->query_count < SIP_LOCATE_QUERIES_MAX);
	locate->queries[locate->query_count++] = (struct sip_locate_query){
		.type = (uint8_t)type,
		.state = QUERY_WAITING,
		.subject = (uint8_t)subject,
	};
}

/* ---- targets ------------------------------------------------------------------------------- */

static void
add_target(struct sip_locate *locate, unsigned srv, unsigned family, const struct net_addr *addr)
{
	struct sip_locate_srv *record = &locate->srvs[srv];
	if (locate->target_count == SIP_LOCATE_TARGETS_MAX ||
	    record->addr_count[family] == ADDRS_PER_NAME_MAX)
		return;
	record->addr_count[family]++;
	const unsigned at = locate->target_count++;
	locate->targets[at].target.transport = (enum sip_transport)record->transport;
	locate->targets[at].target.addr = *addr;
	locate->targets[at].target.addr.port = record->port;
	locate->targets[at].srv = (uint8_t)srv;
	locate->targets[at].family = (uint8_t)family;
}

/* A service without a DNS record of its own: name, port and transport are known. */
static unsigned
add_plain(struct sip_locate *locate, enum sip_transport transport, uint16_t port)
{
	CHECK(locate->srv_count < SIP_LOCATE_SRVS_MAX);
	struct sip_locate_srv *srv = &locate->srvs[locate->srv_count];
	*srv = (struct sip_locate_srv){
		.port = port != 0 ? port : sip_transport_port(transport),
		.transport = (uint8_t)transport,
	};
	memcpy(srv->target, locate->domain, sizeof srv->target);
	return locate->srv_count++;
}

static void
finish(struct sip_locate *locate)
{
	/* Answers come in any order; targets go in the order of their services, IPv6 before IPv4
	 * of each name.  A stable insertion sort of at most SIP_LOCATE_TARGETS_MAX. */
	for (unsigned i = 1; i < locate->target_count; i++) {
		const struct sip_locate_target moved = locate->targets[i];
		const unsigned key = moved.srv * 2u + moved.family;
		unsigned at = i;
		while (at != 0 && locate->targets[at - 1].srv * 2u +
		                          locate->targets[at - 1].family > key) {
			locate->targets[at] = locate->targets[at - 1];
			at--;
		}
		locate->targets[at] = moved;
	}
	if (locate->target_count != 0)
		locate->state = STATE_DONE;
	else if (locate->resolver_failed)
		fail(locate, SIP_LOCATE_DNS_FAILED);
	else
		fail(locate, SIP_LOCATE_NOT_FOUND);
}

static void
ask_addresses(struct sip_locate *locate)
{
	locate->state = STATE_ADDRESS;
	bool waiting = false;
	for (unsigned srv = 0; srv < locate->srv_count; srv++) {
		struct net_addr literal;
		/* RFC 2782 forbids it, but some zones name an address. */
		if (addr_parse_ip(&literal, str_of(locate->srvs[srv].target))) {
			const unsigned family = literal.family == ADDR_IP6 ? IP6 : IP4;
			if ((locate->families & 1u << family) != 0)
				add_target(locate, srv, family, &literal);
			continue;
		}
		if ((locate->families & 1u << IP6) != 0)
			add_query(locate, DNS_AAAA, srv);
		if ((locate->families & 1u << IP4) != 0)
			add_query(locate, DNS_A, srv);
		waiting = true;
	}
	if (!waiting)
		finish(locate);
}

/* ---- services (SRV) ------------------------------------------------------------------------ */

static const char *
srv_prefix(enum sip_transport transport)
{
	switch (transport) {
	case SIP_TRANSPORT_UDP:
		return "_sip._udp.";
	case SIP_TRANSPORT_TCP:
		return "_sip._tcp.";
	case SIP_TRANSPORT_TLS:
		return "_sips._tcp.";
	case SIP_TRANSPORT_NONE:
	case SIP_TRANSPORT_WS:
	case SIP_TRANSPORT_WSS:
	case SIP_TRANSPORT_OTHER:
	case SIP_TRANSPORT_COUNT:
		break;
	}
	check_fail(__FILE__, __LINE__, "the transport has SRV records");
}

/* s4.1: what a request goes by when DNS says nothing. */
static enum sip_transport
fallback_transport(const struct sip_locate *locate)
{
	static const enum sip_transport order[] = { SIP_TRANSPORT_UDP, SIP_TRANSPORT_TCP,
		                                    SIP_TRANSPORT_TLS };
	for (size_t i = 0; i < COUNT_OF(order); i++)
		if (may_use(locate, order[i]))
			return order[i];
	return SIP_TRANSPORT_NONE;
}

static bool
add_service(struct sip_locate *locate, enum sip_transport transport, const char *name)
{
	if (locate->service_count == COUNT_OF(locate->services))
		return false;
	const unsigned at = locate->service_count;
	if (name != NULL) {
		if (!str_copy(locate->services[at].name, sizeof locate->services[at].name,
		              str_of(name)))
			return false;
	} else {
		struct writer w = writer_of(locate->services[at].name, DNS_NAME_MAX);
		writer_text(&w, srv_prefix(transport));
		writer_text(&w, locate->domain);
		if (w.failed)
			return false;
		locate->services[at].name[w.at] = '\0';
	}
	locate->services[at].transport = (uint8_t)transport;
	locate->service_count++;
	return true;
}

static void
ask_services(struct sip_locate *locate)
{
	locate->state = STATE_SRV;
	for (unsigned at = 0; at < locate->service_count; at++)
		add_query(locate, DNS_SRV, at);
}

/* No service record: the name itself, at the default port (s4.2). */
static void
ask_plain(struct sip_locate *locate)
{
	const enum sip_transport transport = locate->transport != SIP_TRANSPORT_NONE ?
	                                             (enum sip_transport)locate->transport :
	                                             fallback_transport(locate);
	(void)add_plain(locate, transport, locate->port);
	ask_addresses(locate);
}

/* s4.1: without NAPTR, try the transports we have; secure first, as an operator with both records
 * would order them. */
static void
guess_services(struct sip_locate *locate)
{
	static const enum sip_transport order[] = { SIP_TRANSPORT_TLS, SIP_TRANSPORT_TCP,
		                                    SIP_TRANSPORT_UDP };
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		const enum sip_transport transport = order[i];
		if (locate->transport != SIP_TRANSPORT_NONE ? locate->transport == transport :
		                                              may_use(locate, transport))
			(void)add_service(locate, transport, NULL);
	}
	if (locate->service_count != 0)
		ask_services(locate);
	else
		ask_plain(locate);
}

/* Takes record `from` out and puts it in before record `to`. */
static void
move_srv(struct sip_locate *locate, unsigned from, unsigned to)
{
	CHECK(to <= from);
	const struct sip_locate_srv moved = locate->srvs[from];
	memmove(&locate->srvs[to + 1], &locate->srvs[to],
	        (from - to) * sizeof locate->srvs[0]);
	locate->srvs[to] = moved;
}

static bool
same_class(const struct sip_locate_srv *a, const struct sip_locate_srv *b)
{
	return a->rank == b->rank && a->priority == b->priority;
}

/* By service, priority, and those without weight first. */
static bool
goes_before(const struct sip_locate_srv *a, const struct sip_locate_srv *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->weight == 0 && b->weight != 0;
}

/* RFC 2782: among equals, one is drawn by weight, then the next; weight 0 has a small chance. */
static void
draw_by_weight(struct sip_locate *locate, unsigned first, unsigned end)
{
	for (; first + 1 < end; first++) {
		uint32_t sum = 0;
		for (unsigned i = first; i < end; i++)
			sum += locate->srvs[i].weight;
		const uint32_t drawn = prng_below(locate->prng, sum + 1);
		uint32_t running = 0;
		for (unsigned i = first; i < end; i++) {
			running += locate->srvs[i].weight;
			if (running >= drawn) {
				move_srv(locate, i, first);
				break;
			}
		}
	}
}

static void
order_srvs(struct sip_locate *locate)
{
	for (unsigned i = 1; i < locate->srv_count; i++) {
		unsigned at = i;
		while (at != 0 && goes_before(&locate->srvs[i], &locate->srvs[at - 1]))
			at--;
		move_srv(locate, i, at);
	}
	for (unsigned first = 0; first < locate->srv_count;) {
		unsigned end = first + 1;
		while (end < locate->srv_count &&
		       same_class(&locate->srvs[first], &locate->srvs[end]))
			end++;
		draw_by_weight(locate, first, end);
		first = end;
	}
}

static void
take_srvs(struct sip_locate *locate, unsigned service, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count && i < SIP_LOCATE_RECORDS_MAX; i++) {
		const struct dns_record *record = &answer->records[i];
		if (record->type != DNS_SRV)
			continue;
		/* RFC 2782: the root as target says that the service is not offered. */
		if (record->srv.target[0] == '\0') {
			locate->not_offered = true;
			continue;
		}
		if (record->srv.port == 0 || locate->srv_count == SIP_LOCATE_SRVS_MAX)
			continue;
		struct sip_locate_srv *srv = &locate->srvs[locate->srv_count++];
		*srv = (struct sip_locate_srv){
			.priority = record->srv.priority,
			.weight = record->srv.weight,
			.port = record->srv.port,
			.transport = locate->services[service].transport,
			.rank = (uint8_t)service,
		};
		memcpy(srv->target, record->srv.target, sizeof srv->target);
		srv->target[DNS_NAME_MAX] = '\0';
	}
}

static void
end_services(struct sip_locate *locate)
{
	order_srvs(locate);
	if (locate->srv_count != 0)
		ask_addresses(locate);
	else if (locate->not_offered)
		fail(locate, SIP_LOCATE_NOT_OFFERED);
	else
		ask_plain(locate);
}

/* ---- transports (NAPTR) -------------------------------------------------------------------- */

static enum sip_transport
transport_of_service(const char *service)
{
	const struct str name = str_of(service);
	if (str_eq_nocase(name, STR("SIP+D2U")))
		return SIP_TRANSPORT_UDP;
	if (str_eq_nocase(name, STR("SIP+D2T")))
		return SIP_TRANSPORT_TCP;
	if (str_eq_nocase(name, STR("SIPS+D2T")))
		return SIP_TRANSPORT_TLS;
	return SIP_TRANSPORT_NONE;
}

static bool
is_usable(const struct sip_locate *locate, const struct dns_record *record)
{
	if (record->type != DNS_NAPTR || record->naptr.regexp ||
	    record->naptr.replacement[0] == '\0' ||
	    !str_eq_nocase(str_of(record->naptr.flags), STR("s")))
		return false;
	const enum sip_transport transport = transport_of_service(record->naptr.service);
	return transport != SIP_TRANSPORT_NONE && may_use(locate, transport);
}

/* Keeps the best records, sorted by order and preference. */
static void
take_naptr(struct sip_locate *locate, const struct dns_naptr *naptr)
{
	const unsigned max = COUNT_OF(locate->services);
	unsigned at = locate->service_count;
	while (at != 0 && (locate->services[at - 1].order > naptr->order ||
	                   (locate->services[at - 1].order == naptr->order &&
	                    locate->services[at - 1].preference > naptr->preference)))
		at--;
	if (at == max)
		return;
	if (locate->service_count < max)
		locate->service_count++;
	memmove(&locate->services[at + 1], &locate->services[at],
	        (locate->service_count - at - 1) * sizeof locate->services[0]);
	locate->services[at].order = naptr->order;
	locate->services[at].preference = naptr->preference;
	locate->services[at].transport = (uint8_t)transport_of_service(naptr->service);
	memcpy(locate->services[at].name, naptr->replacement, sizeof naptr->replacement);
	locate->services[at].name[DNS_NAME_MAX] = '\0';
}

/* The services of the zone; without any, or when the resolver does not know NAPTR, SRV is tried. */
static void
take_naptrs(struct sip_locate *locate, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count && i < SIP_LOCATE_RECORDS_MAX; i++)
		if (is_usable(locate, &answer->records[i]))
			take_naptr(locate, &answer->records[i].naptr);
	if (locate->service_count != 0)
		ask_services(locate);
	else
		guess_services(locate);
}

/* ---- the machine --------------------------------------------------------------------------- */

/* s4.1: the transport that the URI, or our own settings, ask for. */
static enum sip_transport
asked_transport(const struct sip_locate_settings *settings)
{
	const enum sip_transport given = sip_uri_transport(settings->uri);
	const bool secure = settings->uri->scheme == SIP_SCHEME_SIPS;
	if (given == SIP_TRANSPORT_NONE)
		return settings->prefer;
	/* RFC 3261 s26.2.2: sips with transport=tcp is TLS over TCP. */
	if (secure && given == SIP_TRANSPORT_TCP)
		return SIP_TRANSPORT_TLS;
	return given;
}

static void
start(struct sip_locate *locate, const struct net_addr *ip)
{
	const enum sip_transport asked = (enum sip_transport)locate->transport;
	const bool literal = ip->family != ADDR_NONE;
	if (asked == SIP_TRANSPORT_OTHER ||
	    (asked != SIP_TRANSPORT_NONE && !may_use(locate, asked)) ||
	    fallback_transport(locate) == SIP_TRANSPORT_NONE) {
		fail(locate, SIP_LOCATE_NO_TRANSPORT);
	} else if (literal) {
		const unsigned family = ip->family == ADDR_IP6 ? IP6 : IP4;
		if ((locate->families & 1u << family) == 0) {
			fail(locate, SIP_LOCATE_NO_FAMILY);
			return;
		}
		const enum sip_transport transport =
		        asked != SIP_TRANSPORT_NONE ? asked : fallback_transport(locate);
		add_target(locate, add_plain(locate, transport, locate->port), family, ip);
		finish(locate);
	} else if (locate->port != 0) {
		ask_plain(locate);
	} else if (asked != SIP_TRANSPORT_NONE) {
		guess_services(locate);
	} else {
		locate->state = STATE_NAPTR;
		add_query(locate, DNS_NAPTR, 0);
	}
}

/* Without the brackets of IPv6 and without a final dot. */
static bool
keep_name(char out[DNS_NAME_MAX + 1], struct str name)
{
	if (name.len > 2 && name.at[0] == '[')
		name = str_sub(name, 1, name.len - 2);
	if (name.len > 1 && name.at[name.len - 1] == '.')
		name.len--;
	return name.len != 0 && str_copy(out, DNS_NAME_MAX + 1, name);
}

void
sip_locate_init(struct sip_locate *locate, const struct sip_locate_settings *settings)
{
	const struct sip_uri *uri = settings->uri;
	const unsigned able = SIP_TRANSPORT_BIT(SIP_TRANSPORT_UDP) |
	                      SIP_TRANSPORT_BIT(SIP_TRANSPORT_TCP) |
	                      SIP_TRANSPORT_BIT(SIP_TRANSPORT_TLS);
	CHECK(settings->prng != NULL);
	memset(locate, 0, sizeof *locate);
	locate->prng = settings->prng;
	locate->transports = settings->transports & able;
	locate->families = (uint8_t)((settings->ip6 ? 1u << IP6 : 0u) |
	                             (settings->ip4 ? 1u << IP4 : 0u));
	locate->secure = uri->scheme == SIP_SCHEME_SIPS;
	locate->port = uri->port;
	locate->transport = (uint8_t)asked_transport(settings);
	if ((uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS) ||
	    uri->host.len == 0) {
		fail(locate, SIP_LOCATE_BAD_URI);
		return;
	}

	/* s4: TARGET is maddr when it is there, else the host. */
	struct str target = uri->host;
	struct net_addr ip;
	(void)sip_uri_param(uri, STR("maddr"), &target);
	if (!keep_name(locate->host, uri->host) || !keep_name(locate->domain, target)) {
		fail(locate, SIP_LOCATE_BAD_URI);
		return;
	}
	if (!addr_parse_ip(&ip, target))
		ip = (struct net_addr){ 0 };
	if (locate->families == 0)
		fail(locate, SIP_LOCATE_NO_FAMILY);
	else
		start(locate, &ip);
}

static struct sip_locate_out
give_query(struct sip_locate *locate, unsigned at)
{
	struct sip_locate_query *query = &locate->queries[at];
	const char *name = locate->domain;
	query->state = QUERY_ASKED;
	if (query->type == DNS_SRV)
		name = locate->services[query->subject].name;
	else if (query->type != DNS_NAPTR)
		name = locate->srvs[query->subject].target;
	return (struct sip_locate_out){
		.kind = SIP_LOCATE_QUERY,
		.id = at + 1,
		.type = (enum dns_type)query->type,
		.name = name,
	};
}

struct sip_locate_out
sip_locate_poll(struct sip_locate *locate)
{
	if (locate->state == STATE_DONE)
		return (struct sip_locate_out){ .kind = SIP_LOCATE_DONE };
	if (locate->state == STATE_FAILED)
		return (struct sip_locate_out){ .kind = SIP_LOCATE_FAILED,
			                        .failure = locate->failure };
	for (unsigned at = 0; at < locate->query_count; at++)
		if (locate->queries[at].state == QUERY_WAITING)
			return give_query(locate, at);
	return (struct sip_locate_out){ .kind = SIP_LOCATE_NONE };
}

static void
take_addresses(struct sip_locate *locate, const struct sip_locate_query *query,
               const struct dns_answer *answer)
{
	const uint8_t wanted = query->type == DNS_AAAA ? ADDR_IP6 : ADDR_IP4;
	for (size_t i = 0; i < answer->count && i < SIP_LOCATE_RECORDS_MAX; i++) {
		const struct dns_record *record = &answer->records[i];
		if ((uint8_t)record->type == query->type && record->addr.family == wanted &&
		    !addr_is_unspecified(&record->addr))
			add_target(locate, query->subject, wanted == ADDR_IP6 ? IP6 : IP4,
			           &record->addr);
	}
}

static bool
all_answered(const struct sip_locate *locate)
{
	for (unsigned at = 0; at < locate->query_count; at++)
		if (locate->queries[at].state != QUERY_ANSWERED)
			return false;
	return true;
}

void
sip_locate_answer(struct sip_locate *locate, uint32_t id, const struct dns_answer *answer)
{
	if (id == 0 || id > locate->query_count || locate->queries[id - 1].state != QUERY_ASKED)
		return;
	struct sip_locate_query *query = &locate->queries[id - 1];
	query->state = QUERY_ANSWERED;
	if (answer->status == DNS_FAILED)
		locate->resolver_failed = true;
	const struct dns_answer none = { .status = answer->status };
	const struct dns_answer *given = answer->status == DNS_OK ? answer : &none;

	switch ((enum state)locate->state) {
	case STATE_NAPTR:
		take_naptrs(locate, given);
		break;
	case STATE_SRV:
		take_srvs(locate, query->subject, given);
		if (all_answered(locate))
			end_services(locate);
		break;
	case STATE_ADDRESS:
		take_addresses(locate, query, given);
		if (all_answered(locate))
			finish(locate);
		break;
	case STATE_DONE:
	case STATE_FAILED:
		break;
	}
}

bool
sip_locate_next(struct sip_locate *locate, struct sip_target *out)
{
	if (locate->state != STATE_DONE || locate->target_next == locate->target_count)
		return false;
	*out = locate->targets[locate->target_next++].target;
	return true;
}

struct str
sip_locate_tls_name(const struct sip_locate *locate)
{
	return str_of(locate->host);
}
