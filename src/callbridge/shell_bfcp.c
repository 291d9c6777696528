/* SPDX-License-Identifier: Apache-2.0 */
/* BFCP: legs and their machines, datagrams, time. */
#include "callbridge/shell_bfcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "callbridge/shell_bfcp_internal.h"
#include "net/random.h"

enum {
	DISCARD_PORT = 9, /* stands in m= lines of who will connect himself (RFC 4145 s4.1) */
};

/* ---- Legs by what messages say ------------------------------------------------------------- */

/* `remote` is NULL for legs that we are server of: their ids are enough. */
static uint64_t
key_of(const struct bfcp_hub *hub, const struct net_addr *remote, uint32_t conference_id,
       uint16_t user_id)
{
	struct {
		struct net_addr remote;
		uint32_t conference_id;
		uint32_t user_id;
	} key = { .conference_id = conference_id, .user_id = user_id };
	static_assert(sizeof key == sizeof key.remote + 8, "no padding is hashed");
	if (remote != NULL)
		key.remote = *remote;
	return hash_bytes(&hub->hash_key, &key, sizeof key);
}

struct hub_leg *
bfcp_hub_find(const struct bfcp_hub *hub, const struct net_addr *remote,
              enum bfcp_hub_proto proto, uint32_t conference_id, uint16_t user_id)
{
	struct map_cursor cursor =
		map_find(&hub->by_key, key_of(hub, remote, conference_id, user_id));
	for (uint32_t handle; (handle = map_next(&hub->by_key, &cursor)) != 0;) {
		struct hub_leg *leg = slab_get(&hub->legs, handle);
		const struct bfcp_leg_settings *settings = &leg->settings;
		if (settings->client == (remote != NULL) && settings->proto == proto &&
		    settings->conference_id == conference_id && settings->user_id == user_id &&
		    (remote == NULL || addr_eq(&settings->remote, remote)))
			return leg;
	}
	return NULL;
}

static bool
is_stream(const struct hub_leg *leg)
{
	return leg->settings.proto != BFCP_HUB_UDP;
}

/* ---- The machine of a leg ------------------------------------------------------------------ */

static void
machine_init(struct hub_leg *leg)
{
	const struct bfcp_leg_settings *settings = &leg->settings;
	const enum bfcp_transport transport =
		is_stream(leg) ? BFCP_TRANSPORT_STREAM : BFCP_TRANSPORT_UDP;
	const uint16_t transaction_id = (uint16_t)random_u64();
	if (settings->client) {
		const struct bfcp_client_settings client = {
			.transport = transport,
			.conference_id = settings->conference_id,
			.user_id = settings->user_id,
			.floor_id = settings->floor_id,
			.transaction_id = transaction_id,
		};
		bfcp_client_init(&leg->client, &client, loop_now_us());
	} else {
		const struct bfcp_server_settings server = {
			.transport = transport,
			.conference_id = settings->conference_id,
			.user_id = settings->user_id,
			.floor_id = settings->floor_id,
			.transaction_id = transaction_id,
		};
		bfcp_server_init(&leg->server, &server, loop_now_us());
	}
}

static struct bfcp_link *
link_of(struct hub_leg *leg)
{
	return leg->settings.client ? &leg->client.link : &leg->server.link;
}

/* The next output: bytes, or an event; false: none. */
static bool
machine_poll(struct hub_leg *leg, const uint8_t **bytes, size_t *len, struct bfcp_hub_event *event)
{
	static const uint8_t of_server[] = { [BFCP_SERVER_OUT_UP] = BFCP_HUB_UP,
		                             [BFCP_SERVER_OUT_ASK] = BFCP_HUB_ASK,
		                             [BFCP_SERVER_OUT_RELEASED] = BFCP_HUB_RELEASED,
		                             [BFCP_SERVER_OUT_GONE] = BFCP_HUB_DOWN };
	static const uint8_t of_client[] = { [BFCP_CLIENT_OUT_UP] = BFCP_HUB_UP,
		                             [BFCP_CLIENT_OUT_GRANTED] = BFCP_HUB_GRANTED,
		                             [BFCP_CLIENT_OUT_DENIED] = BFCP_HUB_DENIED,
		                             [BFCP_CLIENT_OUT_REVOKED] = BFCP_HUB_REVOKED,
		                             [BFCP_CLIENT_OUT_HOLDER] = BFCP_HUB_HOLDER,
		                             [BFCP_CLIENT_OUT_LOST] = BFCP_HUB_DOWN };
	*event = (struct bfcp_hub_event){ .leg = { leg->handle },
		                          .context = leg->settings.context };
	*len = 0;
	if (leg->settings.client) {
		const struct bfcp_client_out out = bfcp_client_poll(&leg->client);
		if (out.kind == BFCP_CLIENT_OUT_BYTES) {
			*bytes = out.bytes;
			*len = out.len;
		}
		event->kind = (enum bfcp_hub_event_kind)of_client[out.kind];
		event->holder = out.holder;
		return out.kind != BFCP_CLIENT_OUT_NONE;
	}
	const struct bfcp_server_out out = bfcp_server_poll(&leg->server);
	if (out.kind == BFCP_SERVER_OUT_BYTES) {
		*bytes = out.bytes;
		*len = out.len;
	}
	event->kind = (enum bfcp_hub_event_kind)of_server[out.kind];
	event->priority = out.priority;
	return out.kind != BFCP_SERVER_OUT_NONE;
}

void
bfcp_hub_machine_lost(struct hub_leg *leg)
{
	if (leg->settings.client)
		bfcp_client_lost(&leg->client, loop_now_us());
	else
		bfcp_server_lost(&leg->server, loop_now_us());
}

size_t
bfcp_hub_input(struct hub_leg *leg, const uint8_t *bytes, size_t len)
{
	leg->hub->counters.messages_in++;
	return leg->settings.client
	               ? bfcp_client_input(&leg->client, bytes, len, loop_now_us())
	               : bfcp_server_input(&leg->server, bytes, len, loop_now_us());
}

/* ---- Time ---------------------------------------------------------------------------------- */

static void
arm(struct hub_leg *leg)
{
	struct bfcp_hub *hub = leg->hub;
	int64_t due_us = leg->settings.client ? bfcp_client_deadline(&leg->client)
	                                      : bfcp_server_deadline(&leg->server);
	if (leg->retry_us < due_us)
		due_us = leg->retry_us;
	if (due_us == INT64_MAX)
		timer_stop(&hub->wheel, &leg->timer);
	else
		timer_start(&hub->wheel, &leg->timer, due_us);
	loop_timer_arm(hub->timer, timer_wheel_deadline(&hub->wheel));
}

/* ---- Out ----------------------------------------------------------------------------------- */

static void
send_bytes(struct hub_leg *leg, const uint8_t *bytes, size_t len)
{
	struct bfcp_hub *hub = leg->hub;
	const struct hub_connection *connection = slab_get(&hub->connections, leg->connection);
	hub->counters.messages_out++;
	if (connection != NULL)
		(void)tcp_send(connection->tcp, bytes, len); /* a full queue ends it: `closed` */
	else if (!is_stream(leg) && leg->local.family != ADDR_NONE)
		udp_send_from(hub->udp, &leg->local, &leg->from, bytes, len);
	else if (!is_stream(leg) && leg->from.family != ADDR_NONE)
		udp_send(hub->udp, &leg->from, bytes, len);
}

/* A device that was lost may come back from elsewhere. */
static void
forget_source(struct hub_leg *leg)
{
	leg->from = leg->settings.remote;
	leg->local = (struct net_addr){ 0 };
}

/* Sends and tells all that there is.  The leg may be gone afterwards. */
void
bfcp_hub_drain(struct hub_leg *leg)
{
	struct bfcp_hub *hub = leg->hub;
	const uint32_t handle = leg->handle;
	const uint8_t *bytes = NULL;
	size_t len = 0;
	struct bfcp_hub_event event;
	if (leg->draining)
		return; /* an order given inside the callback below */
	leg->draining = true;
	for (;;) {
		while (machine_poll(leg, &bytes, &len, &event)) {
			if (len != 0) {
				send_bytes(leg, bytes, len);
				continue;
			}
			if (event.kind == BFCP_HUB_DOWN)
				forget_source(leg);
			hub->settings.event(hub->settings.context, &event);
			if (slab_get(&hub->legs, handle) == NULL)
				return;
		}
		if (leg->connection == 0 || !bfcp_link_failed(link_of(leg)))
			break;
		bfcp_hub_lose_connection(leg); /* the stream makes no sense */
	}
	leg->draining = false;
	arm(leg);
}

/* ---- UDP ----------------------------------------------------------------------------------- */

static void
on_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	struct bfcp_hub *hub = context;
	struct bfcp_header header;
	(void)socket;
	(void)bfcp_header_parse(&header, datagram->bytes, datagram->len);
	struct hub_leg *leg =
		bfcp_hub_find(hub, NULL, BFCP_HUB_UDP, header.conference_id, header.user_id);
	/* The first who knows the ids, which only the SDP tells, is the device; NAT may have given
	 * it another address than it thinks. */
	const bool stranger = leg != NULL && leg->local.family != ADDR_NONE &&
	                      !addr_eq(&leg->from, datagram->from);
	if (leg == NULL)
		leg = bfcp_hub_find(hub, datagram->from, BFCP_HUB_UDP, header.conference_id,
		           header.user_id);
	if (leg == NULL || stranger) {
		hub->counters.strangers++;
		return;
	}
	leg->from = *datagram->from;
	leg->local = *datagram->local;
	(void)bfcp_hub_input(leg, datagram->bytes, datagram->len);
	bfcp_hub_drain(leg);
}

/* ---- Timer --------------------------------------------------------------------------------- */

static void
on_timer(void *context, int64_t now_us)
{
	struct bfcp_hub *hub = context;
	for (struct timer *timer; (timer = timer_take(&hub->wheel, now_us)) != NULL;) {
		struct hub_leg *leg = CONTAINER_OF(timer, struct hub_leg, timer);
		now_us = loop_now_us();
		if (now_us >= leg->retry_us)
			bfcp_hub_connect(leg);
		if (leg->settings.client)
			bfcp_client_tick(&leg->client, now_us);
		else
			bfcp_server_tick(&leg->server, now_us);
		bfcp_hub_drain(leg);
	}
	loop_timer_arm(hub->timer, timer_wheel_deadline(&hub->wheel));
}

/* ---- Legs ---------------------------------------------------------------------------------- */

static bool
has_port(const struct bfcp_hub *hub, enum bfcp_hub_proto proto)
{
	return bfcp_hub_port(hub, proto) != 0;
}

static bool
is_told(const struct net_addr *remote)
{
	return remote->family != ADDR_NONE && remote->port != 0 && remote->port != DISCARD_PORT;
}

/* Why the leg cannot be had: -errno, or 0. */
static int
refusal(const struct bfcp_hub *hub, const struct bfcp_leg_settings *settings)
{
	const bool udp = settings->proto == BFCP_HUB_UDP;
	if (!has_port(hub, settings->proto) ||
	    (udp && settings->remote.family != ADDR_NONE &&
	     settings->remote.family != udp_local(hub->udp)->family))
		return -EAFNOSUPPORT;
	if ((udp ? settings->client : settings->active) && !is_told(&settings->remote))
		return -EDESTADDRREQ;
	if (bfcp_hub_find(hub, settings->client ? &settings->remote : NULL, settings->proto,
	         settings->conference_id, settings->user_id) != NULL)
		return -EEXIST;
	return 0;
}

int
bfcp_hub_add(struct bfcp_hub *hub, bfcp_leg_id *out, const struct bfcp_leg_settings *settings)
{
	CHECK(settings->fingerprint_len <= BFCP_HUB_FINGERPRINT_MAX);
	const int rc = refusal(hub, settings);
	if (rc != 0)
		return rc;
	uint32_t handle = 0;
	struct hub_leg *leg = slab_take(&hub->legs, &handle);
	if (leg == NULL)
		return -ENOSPC;
	leg->hub = hub;
	leg->handle = handle;
	leg->settings = *settings;
	leg->retry_us = INT64_MAX;
	leg->key = key_of(hub, settings->client ? &settings->remote : NULL,
	                  settings->conference_id, settings->user_id);
	CHECK(map_put(&hub->by_key, leg->key, handle));
	*out = (bfcp_leg_id){ handle };
	forget_source(leg);
	machine_init(leg);
	if (is_stream(leg) && settings->active)
		bfcp_hub_connect(leg);
	else if (!is_stream(leg) && settings->client)
		bfcp_client_start(&leg->client, loop_now_us());
	bfcp_hub_drain(leg);
	return 0;
}

static struct hub_leg *
leg_of(const struct bfcp_hub *hub, bfcp_leg_id id)
{
	return slab_get(&hub->legs, id.v);
}

static void
count_rejects(struct bfcp_hub_counters *counters, const struct bfcp_link *link)
{
	for (unsigned i = 0; i < BFCP_REJECT_COUNT; i++)
		counters->rejects += link->rejects[i];
}

void
bfcp_hub_remove(struct bfcp_hub *hub, bfcp_leg_id id)
{
	struct hub_leg *leg = leg_of(hub, id);
	const uint8_t *bytes = NULL;
	size_t len = 0;
	struct bfcp_hub_event event;
	if (leg == NULL)
		return;
	if (leg->settings.client)
		bfcp_client_goodbye(&leg->client, loop_now_us());
	else
		bfcp_server_goodbye(&leg->server, loop_now_us());
	while (machine_poll(leg, &bytes, &len, &event))
		if (len != 0)
			send_bytes(leg, bytes, len);
	count_rejects(&hub->counters, link_of(leg));
	bfcp_hub_drop_connection(leg, true);
	timer_stop(&hub->wheel, &leg->timer);
	map_remove(&hub->by_key, leg->key, leg->handle);
	slab_free(&hub->legs, leg->handle);
}

void
bfcp_hub_grant(struct bfcp_hub *hub, bfcp_leg_id id)
{
	struct hub_leg *leg = leg_of(hub, id);
	if (leg == NULL || leg->settings.client)
		return;
	bfcp_server_grant(&leg->server, loop_now_us());
	bfcp_hub_drain(leg);
}

void
bfcp_hub_deny(struct bfcp_hub *hub, bfcp_leg_id id, const char *why)
{
	struct hub_leg *leg = leg_of(hub, id);
	if (leg == NULL || leg->settings.client)
		return;
	bfcp_server_deny(&leg->server, why, loop_now_us());
	bfcp_hub_drain(leg);
}

void
bfcp_hub_revoke(struct bfcp_hub *hub, bfcp_leg_id id, const char *why)
{
	struct hub_leg *leg = leg_of(hub, id);
	if (leg == NULL || leg->settings.client)
		return;
	bfcp_server_revoke(&leg->server, why, loop_now_us());
	bfcp_hub_drain(leg);
}

void
bfcp_hub_holder(struct bfcp_hub *hub, bfcp_leg_id id, uint16_t user_id, struct str name)
{
	struct hub_leg *leg = leg_of(hub, id);
	if (leg == NULL || leg->settings.client)
		return;
	bfcp_server_holder(&leg->server, user_id, name, loop_now_us());
	bfcp_hub_drain(leg);
}

void
bfcp_hub_request(struct bfcp_hub *hub, bfcp_leg_id id)
{
	struct hub_leg *leg = leg_of(hub, id);
	if (leg == NULL || !leg->settings.client)
		return;
	bfcp_client_request(&leg->client, loop_now_us());
	bfcp_hub_drain(leg);
}

void
bfcp_hub_release(struct bfcp_hub *hub, bfcp_leg_id id)
{
	struct hub_leg *leg = leg_of(hub, id);
	if (leg == NULL || !leg->settings.client)
		return;
	bfcp_client_release(&leg->client, loop_now_us());
	bfcp_hub_drain(leg);
}

/* ---- The hub ------------------------------------------------------------------------------- */

uint16_t
bfcp_hub_port(const struct bfcp_hub *hub, enum bfcp_hub_proto proto)
{
	switch (proto) {
	case BFCP_HUB_UDP:
		return hub->udp != NULL ? udp_local(hub->udp)->port : 0;
	case BFCP_HUB_TCP:
		return hub->tcp != NULL ? tcp_listener_local(hub->tcp)->port : 0;
	case BFCP_HUB_TLS:
		return hub->tls != NULL ? tcp_listener_local(hub->tls)->port : 0;
	}
	return 0;
}

const uint8_t *
bfcp_hub_fingerprint(const struct bfcp_hub *hub)
{
	return hub->tls != NULL ? hub->fingerprint : NULL;
}

struct bfcp_hub_counters
bfcp_hub_counters(const struct bfcp_hub *hub)
{
	struct bfcp_hub_counters counters = hub->counters;
	for (uint32_t at = 0, handle; (handle = slab_next(&hub->legs, &at)) != 0;)
		count_rejects(&counters, link_of(slab_get(&hub->legs, handle)));
	return counters;
}

static int
open_tls(struct bfcp_hub *hub, char *error)
{
	struct tls_settings tls = { .server = true,
		                    .cert_file = hub->settings.cert_file,
		                    .key_file = hub->settings.key_file,
		                    .version_min = hub->settings.tls_version_min,
		                    .ciphers = hub->settings.ciphers,
		                    .client_fingerprint = true };
	int rc = tls_context_create(&hub->tls_server, &tls, error);
	if (rc != 0)
		return rc;
	tls.server = false;
	tls.client_fingerprint = false;
	tls.no_verify = true; /* is_proven() does */
	rc = tls_context_create(&hub->tls_client, &tls, error);
	if (rc == 0)
		CHECK(tls_context_fingerprint(hub->tls_server, hub->fingerprint));
	return rc;
}

static int
open_ports(struct bfcp_hub *hub, char *error)
{
	const struct bfcp_hub_settings *settings = &hub->settings;
	const struct udp_settings udp = { .bind = settings->udp,
		                          .receive = on_datagram,
		                          .context = hub,
		                          .dscp = BFCP_HUB_DSCP };
	struct tcp_listen_settings tcp = { .bind = settings->tcp,
		                           .handler = &bfcp_hub_accept_handler,
		                           .context = hub,
		                           .limits = bfcp_hub_limits,
		                           .dscp = BFCP_HUB_DSCP };
	int rc = 0;
	if (settings->udp.family != ADDR_NONE)
		rc = udp_open(&hub->udp, hub->loop, &udp);
	if (rc == 0 && settings->tcp.family != ADDR_NONE)
		rc = tcp_listen(&hub->tcp, hub->loop, &tcp);
	if (rc != 0 || settings->tls.family == ADDR_NONE)
		return rc;
	rc = open_tls(hub, error);
	tcp.bind = settings->tls;
	tcp.tls = hub->tls_server;
	return rc != 0 ? rc : tcp_listen(&hub->tls, hub->loop, &tcp);
}

int
bfcp_hub_create(struct bfcp_hub **out, struct loop *loop, const struct bfcp_hub_settings *settings,
                char *error)
{
	error[0] = '\0';
	struct bfcp_hub *hub = calloc(1, sizeof *hub);
	if (hub == NULL)
		return -ENOMEM;
	hub->settings = *settings;
	hub->loop = loop;
	random_bytes(&hub->hash_key, sizeof hub->hash_key);
	timer_wheel_init(&hub->wheel, loop_now_us());
	int rc = slab_create(&hub->legs, sizeof(struct hub_leg), settings->legs_max);
	if (rc == 0)
		rc = slab_create(&hub->connections, sizeof(struct hub_connection),
		                 BFCP_HUB_CONNECTIONS_MAX);
	if (rc == 0)
		rc = map_create(&hub->by_key, settings->legs_max);
	if (rc == 0)
		rc = loop_timer_create(&hub->timer, loop, on_timer, hub);
	if (rc == 0)
		rc = open_ports(hub, error);
	if (rc != 0) {
		if (error[0] == '\0')
			snprintf(error, TLS_ERROR_MAX, "%s", strerror(-rc));
		bfcp_hub_destroy(hub);
		return rc;
	}
	*out = hub;
	return 0;
}

void
bfcp_hub_destroy(struct bfcp_hub *hub)
{
	if (hub == NULL)
		return;
	for (uint32_t at = 0, handle; hub->legs.slots != NULL &&
	                              (handle = slab_next(&hub->legs, &at)) != 0;)
		bfcp_hub_remove(hub, (bfcp_leg_id){ handle });
	for (uint32_t at = 0, handle; hub->connections.slots != NULL &&
	                              (handle = slab_next(&hub->connections, &at)) != 0;)
		bfcp_hub_abandon(slab_get(&hub->connections, handle));
	if (hub->udp != NULL)
		udp_close(hub->udp);
	if (hub->tcp != NULL)
		tcp_unlisten(hub->tcp);
	if (hub->tls != NULL)
		tcp_unlisten(hub->tls);
	tls_context_destroy(hub->tls_server);
	tls_context_destroy(hub->tls_client);
	if (hub->timer != NULL)
		loop_timer_destroy(hub->timer);
	map_destroy(&hub->by_key);
	slab_destroy(&hub->connections);
	slab_destroy(&hub->legs);
	free(hub);
}
