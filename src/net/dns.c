/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dns.h"

#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/check.h"
#include "base/slab.h"
#include "net/loop_internal.h"
#include "net/sockaddr.h"

enum {
	TIMEOUT_MS = 2000,
	TRIES = 3,
	EDNS_BYTES = 1232, /* fits every path's MTU (DNS flag day 2020) */
	CLASS_IN = 1,
};

struct query {
	struct dns *dns;
	struct query *next; /* among the answered */
	dns_answer_cb *cb;  /* NULL: cancelled */
	void *context;
	uint32_t handle;
	enum dns_type type;
	int code;                   /* of c-ares */
	struct dns_record *records; /* malloc'd */
	size_t count;
};

/* A socket of c-ares that we watch. */
struct watch {
	uv_poll_t poll;
	struct dns *dns;
	struct watch *next;
	int fd;
};

struct dns {
	struct loop *loop;
	ares_channel channel;
	struct loop_timer *timeout;
	struct loop_timer *delivery; /* so that no answer comes inside dns_ask() */
	struct watch *watches;
	struct query *answered;
	struct query **answered_end;
	struct slab queries;
	bool delivering;
	bool destroyed;
};

/* -- c-ares on the loop ---------------------------------------------------------------------- */

static void
arm_timeout(struct dns *dns)
{
	struct timeval wait;
	if (ares_timeout(dns->channel, NULL, &wait) == NULL) {
		loop_timer_arm(dns->timeout, INT64_MAX);
		return;
	}
	loop_timer_arm(dns->timeout, loop_now_us() + (int64_t)wait.tv_sec * 1000000 + wait.tv_usec);
}

static void
on_timeout(void *context, int64_t now_us)
{
	(void)now_us;
	struct dns *dns = context;
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timeout(dns);
}

static void
on_watch(uv_poll_t *poll, int status, int events)
{
	const struct watch *watch = CONTAINER_OF(poll, struct watch, poll);
	struct dns *dns = watch->dns;
	const int fd = watch->fd;
	const bool in = status < 0 || (events & UV_READABLE) != 0;
	const bool out = status < 0 || (events & UV_WRITABLE) != 0;
	/* This may end the watch. */
	ares_process_fd(dns->channel, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
	arm_timeout(dns);
}

static void
free_watch(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct watch, poll));
}

static struct watch **
find_watch(struct dns *dns, int fd)
{
	struct watch **at = &dns->watches;
	while (*at != NULL && (*at)->fd != fd)
		at = &(*at)->next;
	return at;
}

static void
on_socket_state(void *context, ares_socket_t fd, int readable, int writable)
{
	struct dns *dns = context;
	struct watch **at = find_watch(dns, fd);
	struct watch *watch = *at;
	if (!readable && !writable) {
		if (watch != NULL) {
			*at = watch->next;
			uv_close((uv_handle_t *)&watch->poll, free_watch);
		}
		return;
	}
	if (watch == NULL) {
		watch = calloc(1, sizeof *watch);
		if (watch == NULL)
			return; /* the question ends by its timeout */
		if (uv_poll_init(&dns->loop->uv, &watch->poll, fd) != 0) {
			free(watch);
			return;
		}
		watch->dns = dns;
		watch->fd = fd;
		watch->next = dns->watches;
		dns->watches = watch;
	}
	const int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
	CHECK(uv_poll_start(&watch->poll, events, on_watch) == 0);
}

/* -- answers --------------------------------------------------------------------------------- */

/* Without the final dot; the root becomes "". */
static bool
copy_name(char *out, size_t cap, const char *name)
{
	struct str text = str_of(name);
	if (text.len != 0 && text.at[text.len - 1] == '.')
		text.len--;
	return str_copy(out, cap, text);
}

/* Room for one more record, or NULL. */
static struct dns_record *
add_record(struct query *query)
{
	if (query->records == NULL)
		query->records = calloc(SIP_LOCATE_RECORDS_MAX, sizeof *query->records);
	if (query->records == NULL || query->count == SIP_LOCATE_RECORDS_MAX)
		return NULL;
	struct dns_record *record = &query->records[query->count++];
	record->type = query->type;
	return record;
}

static void
answered(struct query *query, int code)
{
	struct dns *dns = query->dns;
	query->code = code;
	query->next = NULL;
	*dns->answered_end = query;
	dns->answered_end = &query->next;
	if (!dns->destroyed)
		loop_timer_arm(dns->delivery, 0);
}

static void
on_addresses(void *argument, int code, int timeouts, struct ares_addrinfo *info)
{
	(void)timeouts;
	struct query *query = argument;
	if (code == ARES_SUCCESS && info != NULL) {
		const int family = query->type == DNS_A ? AF_INET : AF_INET6;
		for (const struct ares_addrinfo_node *n = info->nodes; n != NULL; n = n->ai_next) {
			struct dns_record *record =
			        n->ai_family == family ? add_record(query) : NULL;
			if (record != NULL)
				record->addr = addr_of_sockaddr(n->ai_addr);
		}
	}
	ares_freeaddrinfo(info);
	answered(query, code);
}

static int
read_srv(struct query *query, const unsigned char *bytes, int len)
{
	struct ares_srv_reply *replies = NULL;
	const int code = ares_parse_srv_reply(bytes, len, &replies);
	for (const struct ares_srv_reply *r = replies; r != NULL; r = r->next) {
		struct dns_record *record = add_record(query);
		if (record == NULL)
			break;
		record->srv.priority = r->priority;
		record->srv.weight = r->weight;
		record->srv.port = r->port;
		if (!copy_name(record->srv.target, sizeof record->srv.target, r->host))
			query->count--;
	}
	ares_free_data(replies);
	return code;
}

static int
read_naptr(struct query *query, const unsigned char *bytes, int len)
{
	struct ares_naptr_reply *replies = NULL;
	const int code = ares_parse_naptr_reply(bytes, len, &replies);
	for (const struct ares_naptr_reply *r = replies; r != NULL; r = r->next) {
		struct dns_record *record = add_record(query);
		if (record == NULL)
			break;
		struct dns_naptr *naptr = &record->naptr;
		naptr->order = r->order;
		naptr->preference = r->preference;
		naptr->regexp = r->regexp != NULL && r->regexp[0] != '\0';
		if (!str_copy(naptr->flags, sizeof naptr->flags, str_of((const char *)r->flags)) ||
		    !str_copy(naptr->service, sizeof naptr->service,
		              str_of((const char *)r->service)) ||
		    !copy_name(naptr->replacement, sizeof naptr->replacement, r->replacement))
			query->count--; /* what does not fit is no service of SIP */
	}
	ares_free_data(replies);
	return code;
}

static void
on_packet(void *argument, int code, int timeouts, unsigned char *bytes, int len)
{
	(void)timeouts;
	struct query *query = argument;
	if (code == ARES_SUCCESS)
		code = query->type == DNS_SRV ? read_srv(query, bytes, len)
		                              : read_naptr(query, bytes, len);
	answered(query, code);
}

static enum dns_status
status_of(const struct query *query)
{
	switch (query->code) {
	case ARES_SUCCESS:
		return query->count != 0 ? DNS_OK : DNS_NONE;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_ENONAME:
		return DNS_NONE;
	default:
		return DNS_FAILED;
	}
}

static void
query_free(struct dns *dns, struct query *query)
{
	free(query->records);
	slab_free(&dns->queries, query->handle);
}

static void
dns_free(struct dns *dns)
{
	slab_destroy(&dns->queries);
	free(dns);
}

static void
on_delivery(void *context, int64_t now_us)
{
	(void)now_us;
	struct dns *dns = context;
	dns->delivering = true;
	for (struct query *query; (query = dns->answered) != NULL;) {
		dns->answered = query->next;
		if (dns->answered == NULL)
			dns->answered_end = &dns->answered;
		const struct dns_answer answer = {
			.status = status_of(query),
			.records = query->records,
			.count = query->count,
		};
		if (query->cb != NULL && !dns->destroyed)
			query->cb(query->context, &answer, ares_strerror(query->code));
		query_free(dns, query);
	}
	dns->delivering = false;
	if (dns->destroyed)
		dns_free(dns);
}

/* -- questions ------------------------------------------------------------------------------- */

dns_query
dns_ask(struct dns *dns, enum dns_type type, const char *name, dns_answer_cb *cb, void *context)
{
	CHECK(cb != NULL && !dns->destroyed);
	const dns_query none = { 0 };
	if (name[0] == '\0' || strlen(name) > DNS_NAME_MAX)
		return none;
	uint32_t handle;
	struct query *query = slab_take(&dns->queries, &handle);
	if (query == NULL)
		return none;
	query->dns = dns;
	query->handle = handle;
	query->type = type;
	query->cb = cb;
	query->context = context;

	switch (type) {
	case DNS_A:
	case DNS_AAAA: {
		const struct ares_addrinfo_hints hints = {
			.ai_family = type == DNS_A ? AF_INET : AF_INET6,
			.ai_flags = ARES_AI_NOSORT,
		};
		ares_getaddrinfo(dns->channel, name, NULL, &hints, on_addresses, query);
		break;
	}
	case DNS_SRV:
	case DNS_NAPTR:
		ares_query(dns->channel, name, CLASS_IN, (int)type, on_packet, query);
		break;
	}
	arm_timeout(dns);
	return (dns_query){ .v = handle };
}

void
dns_cancel(struct dns *dns, dns_query handle)
{
	struct query *query = slab_get(&dns->queries, handle.v);
	if (query != NULL)
		query->cb = NULL;
}

/* -- life ------------------------------------------------------------------------------------ */

static int
channel_open(struct dns *dns, const struct dns_settings *settings)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout =
		        settings->timeout_us != 0 ? (int)(settings->timeout_us / 1000) : TIMEOUT_MS,
		.tries = settings->tries != 0 ? (int)settings->tries : TRIES,
		.ednspsz = EDNS_BYTES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = dns,
	};
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return -ENOMEM;
	const int code = ares_init_options(&dns->channel, &options,
	                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
	                                           ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB);
	if (code != ARES_SUCCESS) {
		ares_library_cleanup();
		return code == ARES_ENOMEM ? -ENOMEM : -EIO;
	}
	if (settings->servers != NULL &&
	    ares_set_servers_ports_csv(dns->channel, settings->servers) != ARES_SUCCESS) {
		ares_destroy(dns->channel);
		ares_library_cleanup();
		return -EINVAL;
	}
	return 0;
}

int
dns_create(struct dns **out, struct loop *loop, const struct dns_settings *settings)
{
	struct dns *dns = calloc(1, sizeof *dns);
	if (dns == NULL)
		return -ENOMEM;
	dns->loop = loop;
	dns->answered_end = &dns->answered;
	int rc = slab_create(&dns->queries, sizeof(struct query), DNS_QUERIES_MAX);
	if (rc != 0)
		goto out_dns;
	rc = loop_timer_create(&dns->timeout, loop, on_timeout, dns);
	if (rc != 0)
		goto out_slab;
	rc = loop_timer_create(&dns->delivery, loop, on_delivery, dns);
	if (rc != 0)
		goto out_timeout;
	rc = channel_open(dns, settings);
	if (rc != 0)
		goto out_delivery;
	*out = dns;
	return 0;
out_delivery:
	loop_timer_destroy(dns->delivery);
out_timeout:
	loop_timer_destroy(dns->timeout);
out_slab:
	slab_destroy(&dns->queries);
out_dns:
	free(dns);
	return rc;
}

void
dns_destroy(struct dns *dns)
{
	if (dns == NULL)
		return;
	CHECK(!dns->destroyed);
	dns->destroyed = true;
	ares_destroy(dns->channel); /* ends every question: they are all answered now */
	ares_library_cleanup();
	CHECK(dns->watches == NULL);
	loop_timer_destroy(dns->timeout);
	loop_timer_destroy(dns->delivery);
	if (!dns->delivering)
		on_delivery(dns, 0); /* nobody is called any more, memory goes */
}
