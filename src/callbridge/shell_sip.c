/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the SIP user agent. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "callbridge/shell.h"
#include "net/port_owner.h"

enum {
	FLOWS_MAX = 8192,
	FLOW_QUEUE_BYTES = 256 * 1024,
	FLOWS_PER_SOURCE = 256,
	SIP_DSCP = 24, /* CS3, call signalling (RFC 4594 s4.2) */
};

static int64_t
now(void)
{
	return loop_now_us();
}

/* ---- Datagrams ----------------------------------------------------------------------------- */

static void
on_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	struct sip_port *port = context;
	(void)socket;
	if (!port->shell->running)
		return;
	trace_sip(port->shell,
	          &(struct sip_trace){ .peer = datagram->from,
	                               .text = { (const char *)datagram->bytes, datagram->len } });
	/* Not the batch's time: answers to the datagram before this one were given later than that. */
	sip_ua_datagram(port->shell->ua, port->index, datagram->from, datagram->bytes,
	                datagram->len, now());
	shell_settle(port->shell);
}

/* ---- Connections --------------------------------------------------------------------------- */

static struct sip_flow *
flow_new(struct shell *shell)
{
	uint32_t handle = 0;
	struct sip_flow *flow = slab_take(&shell->flows, &handle);
	if (flow == NULL)
		return NULL;
	flow->shell = shell;
	flow->handle = handle;
	return flow;
}

static void
flow_name(struct shell *shell, struct sip_flow *flow, uint32_t id)
{
	flow->id = id;
	CHECK(map_put(&shell->flow_by_id, id, flow->handle));
}

static struct sip_flow *
flow_find(const struct shell *shell, uint32_t id)
{
	struct map_cursor cursor = map_find(&shell->flow_by_id, id);
	const uint32_t handle = map_next(&shell->flow_by_id, &cursor);
	return slab_get(&shell->flows, handle);
}

static void
flow_free(struct shell *shell, struct sip_flow *flow)
{
	map_remove(&shell->flow_by_id, flow->id, flow->handle);
	slab_free(&shell->flows, flow->handle);
}

static void
on_received(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	struct sip_flow *flow = context;
	struct shell *shell = flow->shell;
	trace_sip(shell, &(struct sip_trace){ .flow = flow->id,
	                                      .peer = tcp_peer(connection),
	                                      .text = { (const char *)bytes, len },
	                                      .mid_line = &flow->mid_line });
	sip_ua_flow_bytes(shell->ua, flow->id, bytes, len, now());
	shell_settle(shell);
}

static void
on_closed(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	struct sip_flow *flow = context;
	struct shell *shell = flow->shell;
	const uint32_t id = flow->id;
	(void)connection;
	if (end == TCP_END_TLS)
		log_info("SIP connection: TLS negotiation failed: %s", text);
	flow_free(shell, flow);
	sip_ua_flow_closed(shell->ua, id, now());
	shell_settle(shell);
}

static void on_accepted(void *context, struct tcp_connection *connection);
static void on_connected(void *context, struct tcp_connection *connection);

/* A connection that was refused before it had a flow; its context is the port still. */
static void
on_early_received(void *context, struct tcp_connection *connection, const uint8_t *bytes,
                  size_t len)
{
	(void)context, (void)connection, (void)bytes, (void)len;
}

static void
on_early_closed(void *context, struct tcp_connection *connection, enum tcp_end end,
                const char *text)
{
	(void)context, (void)connection, (void)end, (void)text;
}

/* Until an accepted connection is open its context is the port; then it gets its flow. */
static const struct tcp_handler accept_handler = {
	.opened = on_accepted, .received = on_early_received, .closed = on_early_closed,
};
static const struct tcp_handler flow_handler = {
	.opened = on_connected, .received = on_received, .closed = on_closed,
};

static void
on_accepted(void *context, struct tcp_connection *connection)
{
	struct sip_port *port = context;
	struct shell *shell = port->shell;
	uint32_t id = 0;
	struct sip_flow *flow = shell->running ? flow_new(shell) : NULL;
	if (flow == NULL ||
	    sip_ua_flow_accepted(shell->ua, port->index, tcp_peer(connection), &id, now()) != 0) {
		if (flow != NULL)
			slab_free(&shell->flows, flow->handle);
		tcp_abort(connection);
		return;
	}
	flow->tcp = connection;
	flow_name(shell, flow, id);
	tcp_set_context(connection, flow);
	tcp_set_handler(connection, &flow_handler);
	shell_settle(shell);
}

static void
on_connected(void *context, struct tcp_connection *connection)
{
	struct sip_flow *flow = context;
	(void)connection;
	sip_ua_flow_opened(flow->shell->ua, flow->id, now());
	shell_settle(flow->shell);
}

/* The user agent takes no input while it is being drained: what failed at once is told after. */
static void
later(struct shell *shell, struct sip_later what)
{
	CHECK(shell->later_count < shell->later_max);
	shell->later[shell->later_count++] = what;
}

bool
sip_sockets_later(struct shell *shell)
{
	static const struct dns_answer failed = { .status = DNS_FAILED };
	if (shell->later_count == 0)
		return false;
	const struct sip_later what = shell->later[--shell->later_count];
	if (what.flow != 0)
		sip_ua_flow_closed(shell->ua, what.flow, now());
	else
		sip_ua_dns_answer(shell->ua, what.query, &failed, now());
	return true;
}

static bool
is_secure(enum sip_transport transport)
{
	return transport == SIP_TRANSPORT_TLS || transport == SIP_TRANSPORT_WSS;
}

static void
connect_flow(struct shell *shell, const struct sip_out *out)
{
	char host[CONFIG_HOST_MAX];
	struct sip_flow *flow = flow_new(shell);
	str_copy(host, sizeof host, out->server_name);
	const struct tcp_connect_settings settings = {
		.to = out->to,
		.tls = is_secure(out->transport) ? shell->sip_client_tls : NULL,
		.host = host,
		.handler = &flow_handler,
		.context = flow,
		.limits = { .queue_bytes_max = FLOW_QUEUE_BYTES },
		.dscp = SIP_DSCP,
	};
	if (flow != NULL) {
		flow_name(shell, flow, out->flow);
		if ((is_secure(out->transport) && shell->sip_client_tls == NULL) ||
		    tcp_connect(&flow->tcp, shell->component.loop, &settings) != 0) {
			flow_free(shell, flow);
			flow = NULL;
		}
	}
	if (flow == NULL)
		later(shell, (struct sip_later){ .flow = out->flow });
}

static void
close_flow(struct shell *shell, uint32_t id)
{
	struct sip_flow *flow = flow_find(shell, id);
	if (flow == NULL)
		return;
	if (flow->tcp != NULL) {
		tcp_close(flow->tcp);
		flow_free(shell, flow);
	} else {
		/* `closed` comes later and finds nothing. */
		ws_close(shell->http, flow->ws, 1000, "");
	}
}

/* ---- WebSockets (RFC 7118) ----------------------------------------------------------------- */

static void
on_ws_opened(void *context, ws_id id)
{
	(void)context, (void)id;
}

static void
on_ws_message(void *context, ws_id id, enum ws_kind kind, const uint8_t *bytes, size_t len)
{
	struct sip_flow *flow = context;
	const struct net_addr peer = ws_peer(flow->shell->http, id);
	(void)kind;
	trace_sip(flow->shell, &(struct sip_trace){ .flow = flow->id,
	                                            .peer = &peer,
	                                            .text = { (const char *)bytes, len } });
	sip_ua_flow_bytes(flow->shell->ua, flow->id, bytes, len, now());
	shell_settle(flow->shell);
}

static void
on_ws_closed(void *context, ws_id id, const struct ws_close *close)
{
	struct sip_flow *flow = context;
	struct shell *shell = flow->shell;
	const uint32_t flow_id = flow->id;
	(void)id, (void)close;
	flow_free(shell, flow);
	sip_ua_flow_closed(shell->ua, flow_id, now());
	shell_settle(shell);
}

static const struct ws_handler ws_handler = {
	.opened = on_ws_opened, .message = on_ws_message, .closed = on_ws_closed,
};

static bool
offers_sip(struct str protocols)
{
	while (protocols.len != 0)
		if (str_eq_nocase(str_trim(str_cut(&protocols, ',')), STR("sip")))
			return true;
	return false;
}

void
sip_sockets_upgrade(struct shell *shell, const struct http_request *request)
{
	uint32_t id = 0;
	if (!offers_sip(request->ws_protocols)) {
		http_respond_text(shell->http, request->id, 400, "text/plain",
		                  STR("SIP over WebSocket wants the subprotocol \"sip\".\n"));
		return;
	}
	struct sip_flow *flow = flow_new(shell);
	if (flow == NULL ||
	    sip_ua_flow_accepted(shell->ua, shell->ws_listener, request->peer, &id, now()) != 0) {
		if (flow != NULL)
			slab_free(&shell->flows, flow->handle);
		http_respond_text(shell->http, request->id, 503, "text/plain",
		                  STR("Too many connections.\n"));
		return;
	}
	const struct ws_limits limits = { .message_bytes_max = 65536,
		                          .queue_bytes_max = FLOW_QUEUE_BYTES };
	flow_name(shell, flow, id);
	flow->ws = ws_accept(shell->http, request->id, &ws_handler, flow, STR("sip"), &limits);
	if (flow->ws.v == 0) {
		flow_free(shell, flow);
		sip_ua_flow_closed(shell->ua, id, now());
	}
	shell_settle(shell);
}

/* ---- What the user agent wants done -------------------------------------------------------- */

static void
on_dns_answer(void *context, const struct dns_answer *answer, const char *text)
{
	struct dns_question *question = context;
	struct shell *shell = question->shell;
	const uint64_t query = question->query;
	trace_dns_answer(shell, query, answer, text);
	slab_free(&shell->questions, question->handle);
	sip_ua_dns_answer(shell->ua, query, answer, now());
	shell_settle(shell);
}

static void
ask(struct shell *shell, const struct sip_out *out)
{
	uint32_t handle = 0;
	struct dns_question *question = slab_take(&shell->questions, &handle);
	trace_dns_question(shell, out->query, out->dns_type, out->dns_name);
	if (question != NULL) {
		*question = (struct dns_question){ shell, handle, out->query };
		if (dns_ask(shell->dns, out->dns_type, out->dns_name, on_dns_answer, question).v !=
		    0)
			return;
		slab_free(&shell->questions, handle);
	}
	later(shell, (struct sip_later){ .query = out->query });
}

static void
send_stream(struct shell *shell, const struct sip_out *out)
{
	const struct sip_flow *flow = flow_find(shell, out->flow);
	if (flow == NULL)
		return;
	const struct net_addr peer = flow->tcp != NULL ? *tcp_peer(flow->tcp)
	                                               : ws_peer(shell->http, flow->ws);
	trace_sip(shell, &(struct sip_trace){ .flow = out->flow,
	                                      .sent = true,
	                                      .peer = &peer,
	                                      .text = { (const char *)out->bytes, out->len } });
	/* A queue that is full ends the connection; that is told by its `closed`. */
	if (flow->tcp != NULL)
		(void)tcp_send(flow->tcp, out->bytes, out->len);
	else
		(void)ws_send(shell->http, flow->ws, WS_TEXT, out->bytes, out->len);
}

void
sip_sockets_out(void *context, const struct sip_out *out)
{
	struct shell *shell = context;
	switch (out->kind) {
	case SIP_OUT_DATAGRAM:
		CHECK(out->listener < shell->sip_port_count);
		trace_sip(shell, &(struct sip_trace){
					 .sent = true,
					 .peer = &out->to,
					 .text = { (const char *)out->bytes, out->len } });
		udp_send(shell->sip_ports[out->listener].udp, &out->to, out->bytes, out->len);
		break;
	case SIP_OUT_STREAM:
		send_stream(shell, out);
		break;
	case SIP_OUT_CONNECT:
		connect_flow(shell, out);
		break;
	case SIP_OUT_CLOSE:
		close_flow(shell, out->flow);
		break;
	case SIP_OUT_DNS:
		ask(shell, out);
		break;
	case SIP_OUT_EVENT:
	case SIP_OUT_NONE:
		break;
	}
}

/* ---- Opening ------------------------------------------------------------------------------- */

static bool
open_port(struct shell *shell, enum sip_transport transport, const struct net_addr *address,
          uint16_t number)
{
	if (shell->sip_port_count == SIP_UA_LISTENERS_MAX - 1)
		return true; /* the last place is the WebSockets' */
	const unsigned index = shell->sip_port_count;
	struct sip_port *port = &shell->sip_ports[index];
	struct net_addr bind = *address;
	int rc = 0;
	bind.port = number;
	*port = (struct sip_port){ .shell = shell, .index = index };
	if (transport == SIP_TRANSPORT_UDP) {
		const struct udp_settings settings = { .bind = bind,
			                               .receive = on_datagram,
			                               .context = port,
			                               .dscp = SIP_DSCP,
			                               .receive_bytes = 4 << 20 };
		rc = udp_open(&port->udp, shell->component.loop, &settings);
	} else {
		const struct tcp_listen_settings settings = {
			.bind = bind,
			.tls = transport == SIP_TRANSPORT_TLS ? shell->sip_server_tls : NULL,
			.handler = &accept_handler,
			.context = port,
			.limits = { .queue_bytes_max = FLOW_QUEUE_BYTES,
			            .per_source_max = FLOWS_PER_SOURCE },
			.dscp = SIP_DSCP,
		};
		rc = tcp_listen(&port->tcp, shell->component.loop, &settings);
	}
	if (rc != 0) {
		char owner[PORT_OWNER_TEXT_MAX];
		const bool udp = transport == SIP_TRANSPORT_UDP;
		return component_fail(
		        &shell->component, "SIP: %s (change it with \"callbridge sip listen\")",
		        rc == -EADDRINUSE ? port_owner_text(owner, udp ? PORT_UDP : PORT_TCP, &bind)
		                          : strerror(-rc));
	}
	shell->sip_listeners[index] =
		(struct sip_ua_listener){ .transport = transport, .addr = bind };
	shell->sip_port_count++;
	return true;
}

static bool
open_tls(struct shell *shell)
{
	struct component_tls files;
	char error[TLS_ERROR_MAX];
	const struct config *config = shell->config;
	component_certs(&shell->component, &files, &config->callbridge.certs,
	                config->callbridge.sip_trust);
	component_demands(&files.tls, &config->tls.sip);
	struct tls_settings settings = files.tls;
	settings.server = true;
	settings.trust_file = NULL;
	if (settings.cert_file == NULL)
		return component_fail(&shell->component,
		                      "TLS port set but no certificates configured (use "
		                      "\"callbridge certs\")");
	if (tls_context_create(&shell->sip_server_tls, &settings, error) != 0)
		return component_fail(&shell->component, "callbridge certificates: %s", error);
	settings = files.tls;
	settings.no_verify = !config->callbridge.sip_tls_verify;
	if (tls_context_create(&shell->sip_client_tls, &settings, error) != 0)
		return component_fail(&shell->component, "tls sip trust: %s", error);
	return true;
}

bool
sip_sockets_open(struct shell *shell)
{
	const uint16_t plain = shell->config->callbridge.sip_port;
	const uint16_t secure = shell->config->callbridge.sip_tls_port;
	const struct dns_settings dns = {
		.servers = shell->config->dns.host[0] != '\0' ? shell->config->dns.host : NULL,
	};
	if (slab_create(&shell->flows, sizeof(struct sip_flow), FLOWS_MAX) != 0 ||
	    map_create(&shell->flow_by_id, FLOWS_MAX) != 0 ||
	    slab_create(&shell->questions, sizeof(struct dns_question), DNS_QUERIES_MAX) != 0 ||
	    dns_create(&shell->dns, shell->component.loop, &dns) != 0)
		return component_fail(&shell->component, "not enough memory for SIP connections");
	if (secure != 0 && !open_tls(shell))
		return false;
	for (unsigned i = 0; i < shell->address_count; i++) {
		const struct net_addr *address = &shell->addresses[i];
		if (plain != 0 && (!open_port(shell, SIP_TRANSPORT_UDP, address, plain) ||
		                   !open_port(shell, SIP_TRANSPORT_TCP, address, plain)))
			return false;
		if (secure != 0 && !open_port(shell, SIP_TRANSPORT_TLS, address, secure))
			return false;
	}
	shell->ws_listener = shell->sip_port_count;
	if (shell->config->webadmin.enabled) {
		struct sip_ua_listener *ws = &shell->sip_listeners[shell->sip_port_count];
		*ws = (struct sip_ua_listener){ .transport = SIP_TRANSPORT_WSS,
			                        .addr = shell->addresses[0] };
		ws->addr.port = shell->config->webadmin.listen.port;
		shell->sip_port_count++;
	}
	return true;
}

void
sip_sockets_close(struct shell *shell)
{
	for (uint32_t at = 0, handle;
	     shell->flows.slots != NULL && (handle = slab_next(&shell->flows, &at)) != 0;) {
		const struct sip_flow *flow = slab_get(&shell->flows, handle);
		if (flow->tcp != NULL)
			tcp_abort(flow->tcp);
	}
	for (unsigned i = 0; i < shell->sip_port_count; i++) {
		if (shell->sip_ports[i].udp != NULL)
			udp_close(shell->sip_ports[i].udp);
		if (shell->sip_ports[i].tcp != NULL)
			tcp_unlisten(shell->sip_ports[i].tcp);
	}
	dns_destroy(shell->dns);
	tls_context_destroy(shell->sip_server_tls);
	tls_context_destroy(shell->sip_client_tls);
	slab_destroy(&shell->questions);
	slab_destroy(&shell->flows);
	map_destroy(&shell->flow_by_id);
}
