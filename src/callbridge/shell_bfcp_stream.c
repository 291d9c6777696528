/* SPDX-License-Identifier: Apache-2.0 */
/* BFCP over TCP and TLS: whose a connection is, and what becomes of it. */
#include <string.h>

#include "base/check.h"
#include "callbridge/shell_bfcp_internal.h"

enum {
	QUEUE_BYTES = 16 * 1024,
	IDLE_US = 30 * 1000 * 1000, /* of a connection that is nobody's */
};

void
bfcp_hub_drop_connection(struct hub_leg *leg, bool orderly)
{
	struct bfcp_hub *hub = leg->hub;
	struct hub_connection *connection = slab_get(&hub->connections, leg->connection);
	leg->connection = 0;
	if (connection == NULL)
		return;
	if (orderly)
		tcp_close(connection->tcp);
	else
		tcp_abort(connection->tcp);
	slab_free(&hub->connections, connection->handle);
}

/* The stream is of no use any more: the side that opened it opens another. */
void
bfcp_hub_lose_connection(struct hub_leg *leg)
{
	bfcp_hub_drop_connection(leg, false);
	bfcp_hub_machine_lost(leg);
	if (leg->settings.active)
		leg->retry_us = loop_now_us() + BFCP_HUB_RETRY_US;
}

/* ---- Connections --------------------------------------------------------------------------- */

static void on_accepted(void *context, struct tcp_connection *tcp);
static void on_connected(void *context, struct tcp_connection *tcp);
static void on_received(void *context, struct tcp_connection *tcp, const uint8_t *bytes,
                        size_t len);
static void on_closed(void *context, struct tcp_connection *tcp, enum tcp_end end,
                      const char *text);

static void
on_early_received(void *context, struct tcp_connection *tcp, const uint8_t *bytes, size_t len)
{
	(void)context, (void)tcp, (void)bytes, (void)len;
}

static void
on_early_closed(void *context, struct tcp_connection *tcp, enum tcp_end end, const char *text)
{
	(void)context, (void)tcp, (void)end, (void)text;
}

/* Until an accepted connection is open its context is the hub. */
const struct tcp_handler bfcp_hub_accept_handler = {
	.opened = on_accepted, .received = on_early_received, .closed = on_early_closed,
};
static const struct tcp_handler handler = {
	.opened = on_connected, .received = on_received, .closed = on_closed,
};

const struct tcp_limits bfcp_hub_limits = { .queue_bytes_max = QUEUE_BYTES,
	                                    .idle_us = IDLE_US,
	                                    .connections_max = BFCP_HUB_CONNECTIONS_MAX,
	                                    .per_source_max = BFCP_HUB_PER_SOURCE_MAX };

static struct hub_connection *
connection_new(struct bfcp_hub *hub, enum bfcp_hub_proto proto)
{
	uint32_t handle = 0;
	struct hub_connection *connection = slab_take(&hub->connections, &handle);
	if (connection == NULL)
		return NULL;
	connection->hub = hub;
	connection->handle = handle;
	connection->proto = proto;
	return connection;
}

void
bfcp_hub_abandon(struct hub_connection *connection)
{
	tcp_abort(connection->tcp);
	slab_free(&connection->hub->connections, connection->handle);
}

/* May the peer be this leg's device?  Over TLS the SDP has told its certificate. */
static bool
is_proven(const struct hub_leg *leg, struct tcp_connection *tcp)
{
	if (leg->settings.proto != BFCP_HUB_TLS)
		return true;
	return tls_session_peer_has_fingerprint(tcp_tls(tcp), leg->settings.fingerprint,
	                                        leg->settings.fingerprint_len);
}

/* The connection is the leg's from now on; false: it is not, and gone. */
static bool
attach(struct hub_connection *connection, struct hub_leg *leg)
{
	struct bfcp_hub *hub = connection->hub;
	if (!is_proven(leg, connection->tcp)) {
		hub->counters.refused_certificates++;
		bfcp_hub_abandon(connection);
		return false;
	}
	const struct hub_connection *old = slab_get(&hub->connections, leg->connection);
	if (old != NULL && old->handle != connection->handle) {
		/* A device that restarted comes from where it came before. */
		if (leg->settings.proto == BFCP_HUB_TCP &&
		    !addr_eq_ip(tcp_peer(old->tcp), tcp_peer(connection->tcp))) {
			hub->counters.strangers++;
			bfcp_hub_abandon(connection);
			return false;
		}
		bfcp_hub_drop_connection(leg, false);
		bfcp_hub_machine_lost(leg);
	}
	connection->leg = leg->handle;
	leg->connection = connection->handle;
	leg->retry_us = INT64_MAX;
	if (leg->settings.client)
		bfcp_client_start(&leg->client, loop_now_us());
	tcp_set_idle(connection->tcp, 0);
	return true;
}

/* A leg that has to speak first and waits for a connection from there. */
static struct hub_leg *
find_waiting(const struct bfcp_hub *hub, const struct hub_connection *connection)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&hub->legs, &at)) != 0;) {
		struct hub_leg *leg = slab_get(&hub->legs, handle);
		const struct bfcp_leg_settings *settings = &leg->settings;
		if (settings->client && !settings->active && leg->connection == 0 &&
		    settings->proto == connection->proto &&
		    addr_eq_ip(&settings->remote, tcp_peer(connection->tcp)) &&
		    is_proven(leg, connection->tcp))
			return leg;
	}
	return NULL;
}

static void
on_accepted(void *context, struct tcp_connection *tcp)
{
	struct bfcp_hub *hub = context;
	struct hub_connection *connection =
		connection_new(hub, tcp_tls(tcp) != NULL ? BFCP_HUB_TLS : BFCP_HUB_TCP);
	if (connection == NULL) {
		tcp_abort(tcp);
		return;
	}
	connection->tcp = tcp;
	tcp_set_context(tcp, connection);
	tcp_set_handler(tcp, &handler);
	struct hub_leg *leg = find_waiting(hub, connection);
	if (leg != NULL && attach(connection, leg))
		bfcp_hub_drain(leg);
}

static void
on_connected(void *context, struct tcp_connection *tcp)
{
	struct hub_connection *connection = context;
	struct bfcp_hub *hub = connection->hub;
	struct hub_leg *leg = slab_get(&hub->legs, connection->leg);
	(void)tcp;
	CHECK(leg != NULL && leg->connection == connection->handle);
	if (!attach(connection, leg)) {
		leg->connection = 0;
		leg->retry_us = loop_now_us() + BFCP_HUB_RETRY_US;
	}
	bfcp_hub_drain(leg);
}

/* The first message tells whose the connection is. */
static struct hub_leg *
recognize(struct hub_connection *connection)
{
	struct bfcp_hub *hub = connection->hub;
	struct bfcp_header header;
	(void)bfcp_header_parse(&header, connection->first, sizeof connection->first);
	struct hub_leg *leg =
		bfcp_hub_find(hub, NULL, connection->proto, header.conference_id, header.user_id);
	if (leg == NULL) {
		hub->counters.strangers++;
		bfcp_hub_abandon(connection);
		return NULL;
	}
	return attach(connection, leg) ? leg : NULL;
}

/* Gives bytes to the machine; false: leg or connection are gone. */
static bool
feed(struct hub_leg *leg, uint32_t connection, const uint8_t *bytes, size_t len)
{
	struct bfcp_hub *hub = leg->hub;
	const uint32_t handle = leg->handle;
	while (len != 0) {
		const size_t taken = bfcp_hub_input(leg, bytes, len);
		bytes += taken;
		len -= taken;
		bfcp_hub_drain(leg);
		if (slab_get(&hub->legs, handle) == NULL || leg->connection != connection)
			return false;
	}
	return true;
}

static void
on_received(void *context, struct tcp_connection *tcp, const uint8_t *bytes, size_t len)
{
	struct hub_connection *connection = context;
	const uint32_t handle = connection->handle;
	struct hub_leg *leg = slab_get(&connection->hub->legs, connection->leg);
	(void)tcp;
	if (leg == NULL) {
		const size_t wanted = sizeof connection->first - connection->first_len;
		const size_t count = len < wanted ? len : wanted;
		memcpy(connection->first + connection->first_len, bytes, count);
		connection->first_len += count;
		if (connection->first_len < sizeof connection->first)
			return;
		leg = recognize(connection);
		if (leg == NULL || !feed(leg, handle, connection->first, connection->first_len))
			return;
		bytes += count;
		len -= count;
	}
	(void)feed(leg, handle, bytes, len);
}

static void
on_closed(void *context, struct tcp_connection *tcp, enum tcp_end end, const char *text)
{
	struct hub_connection *connection = context;
	struct bfcp_hub *hub = connection->hub;
	struct hub_leg *leg = slab_get(&hub->legs, connection->leg);
	(void)tcp, (void)end, (void)text;
	const bool its_own = leg != NULL && leg->connection == connection->handle;
	slab_free(&hub->connections, connection->handle);
	if (!its_own)
		return;
	leg->connection = 0;
	bfcp_hub_lose_connection(leg);
	bfcp_hub_drain(leg);
}

void
bfcp_hub_connect(struct hub_leg *leg)
{
	struct bfcp_hub *hub = leg->hub;
	const bool secure = leg->settings.proto == BFCP_HUB_TLS;
	struct hub_connection *connection = connection_new(hub, leg->settings.proto);
	leg->retry_us = loop_now_us() + BFCP_HUB_RETRY_US;
	if (connection == NULL)
		return;
	const struct tcp_connect_settings settings = { .to = leg->settings.remote,
		                                       .tls = secure ? hub->tls_client : NULL,
		                                       .handler = &handler,
		                                       .context = connection,
		                                       .limits = bfcp_hub_limits,
		                                       .dscp = BFCP_HUB_DSCP };
	if (tcp_connect(&connection->tcp, hub->loop, &settings) != 0) {
		slab_free(&hub->connections, connection->handle);
		return;
	}
	connection->leg = leg->handle;
	leg->connection = connection->handle;
	leg->retry_us = INT64_MAX;
}

