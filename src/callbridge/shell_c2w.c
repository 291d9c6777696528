/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to the Web Bridges that the API's webBridges name: kept up, opened again after a
 * pause that doubles, and told apart from those that were deleted. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "callbridge/shell.h"

enum {
	C2W_PORT_USUAL = 9999,
};

static void
retry_later(struct c2w_link *link, int64_t now_us, const char *why)
{
	link->state = C2W_IDLE;
	link->retry_us = now_us + link->pause_us;
	link->pause_us = link->pause_us * 2 < C2W_RETRY_US_MAX ? link->pause_us * 2
	                                                       : C2W_RETRY_US_MAX;
	if (!link->complained)
		log_warning("connection to web bridge %s:%u: %s; trying again until it works",
		            link->host, link->port, why);
	link->complained = true;
}

/* ---- The WebSocket ------------------------------------------------------------------------- */

static void
on_opened(void *context, ws_id id)
{
	struct c2w_link *link = context;
	struct shell *shell = link->shell;
	(void)id;
	link->state = C2W_UP;
	link->pause_us = C2W_RETRY_US_MIN;
	link->complained = false;
	log_info("connected to web bridge %s:%u", link->host, link->port);
	bridge_link_up(shell->bridge, link->index, link->web_bridge, loop_now_us());
	shell_settle(shell);
}

static void
on_message(void *context, ws_id id, enum ws_kind kind, const uint8_t *bytes, size_t len)
{
	struct c2w_link *link = context;
	struct shell *shell = link->shell;
	struct c2w_message message;
	const struct str text = { .at = (const char *)bytes, .len = len };
	const enum c2w_reject rejected =
		kind == WS_TEXT ? c2w_parse(&message, text, C2W_FROM_WEB_BRIDGE) : C2W_REJECT_JSON;
	if (rejected != C2W_OK) {
		log_warning("web bridge %s:%u sent a message that is not C2W: %s", link->host,
		            link->port, c2w_reject_name(rejected));
		ws_close(shell->http, id, 1008, c2w_reject_name(rejected));
		return;
	}
	trace_c2w(shell, link, false, &message, len);
	if (message.kind == C2W_SIGN_IN || message.kind == C2W_SIGN_IN_ELSEWHERE ||
	    message.kind == C2W_ASK)
		portal_message(shell->portal, link->index, link->web_bridge, &message,
		               loop_now_us());
	else
		bridge_web(shell->bridge, link->index, &message, loop_now_us());
	c2w_message_fini(&message);
	shell_settle(shell);
}

static void
on_closed(void *context, ws_id id, const struct ws_close *close)
{
	struct c2w_link *link = context;
	struct shell *shell = link->shell;
	const int64_t now_us = loop_now_us();
	const bool was_up = link->state == C2W_UP;
	(void)id;
	link->ws = (ws_id){ 0 };
	if (link->used) {
		retry_later(link, now_us,
		            close->text[0] != '\0' ? close->text : "closed by the web bridge");
		if (!was_up)
			meeting_web_bridge(shell->meeting, link->web_bridge,
			                   WEB_BRIDGE_CONNECTION_FAILURE, now_us);
	}
	if (was_up) {
		bridge_link_down(shell->bridge, link->index, now_us);
		portal_link_down(shell->portal, link->index);
	}
	shell_settle(shell);
}

static const struct ws_handler handler = {
	.opened = on_opened, .message = on_message, .closed = on_closed,
};

static void
connect_link(struct shell *shell, struct c2w_link *link, int64_t now_us)
{
	const struct ws_connect_settings settings = {
		.to = link->addr,
		.host = link->host,
		.path = "/c2w",
		.protocol = "c2w",
		.tls = shell->c2w_tls,
		.limits = { .message_bytes_max = C2W_MESSAGE_BYTES_MAX,
		            .queue_bytes_max = 16 << 20,
		            .ping_us = 2 * 1000 * 1000,
		            .pong_us = 3 * 1000 * 1000 },
		.handler = &handler,
		.context = link,
	};
	link->state = C2W_CONNECTING;
	link->ws = ws_connect(shell->http, &settings);
	if (link->ws.v == 0)
		retry_later(link, now_us, "not enough memory");
}

static void
on_resolved(void *context, const struct dns_answer *answer, const char *text)
{
	struct c2w_link *link = context;
	struct shell *shell = link->shell;
	const int64_t now_us = loop_now_us();
	link->query = (dns_query){ 0 };
	trace_dns_answer(shell, link->index, answer, text);
	for (unsigned i = 0; answer->status == DNS_OK && i < answer->count; i++) {
		if (answer->records[i].type != DNS_A)
			continue;
		link->addr = answer->records[i].addr;
		link->addr.port = link->port;
		connect_link(shell, link, now_us);
		shell_settle(shell);
		return;
	}
	meeting_web_bridge(shell->meeting, link->web_bridge, WEB_BRIDGE_DNS_FAILURE, now_us);
	retry_later(link, now_us, text);
	shell_settle(shell);
}

static void
start_link(struct shell *shell, struct c2w_link *link, int64_t now_us)
{
	if (addr_parse_ip(&link->addr, str_of(link->host))) {
		link->addr.port = link->port;
		connect_link(shell, link, now_us);
		return;
	}
	link->state = C2W_RESOLVING;
	trace_dns_question(shell, link->index, DNS_A, link->host);
	link->query = dns_ask(shell->dns, DNS_A, link->host, on_resolved, link);
	if (link->query.v == 0)
		retry_later(link, now_us, "the name cannot be asked for");
}

/* ---- Which there are ----------------------------------------------------------------------- */

/* "c2w://host:port" */
static bool
parse_url(struct c2w_link *link, struct str url)
{
	const struct str scheme = STR("c2w://");
	uint32_t port = C2W_PORT_USUAL;
	if (!str_starts(url, scheme))
		return false;
	struct str host = str_sub(url, scheme.len, url.len - scheme.len);
	host.len = str_find(host, '/');
	size_t colon = host.len;
	while (colon != 0 && host.at[colon - 1] != ':' && host.at[colon - 1] != ']')
		colon--;
	if (colon != 0 && host.at[colon - 1] == ':') {
		if (!str_u32(str_sub(host, colon, host.len - colon), &port) || port == 0 ||
		    port > UINT16_MAX)
			return false;
		host.len = colon - 1;
	}
	if (host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = str_sub(host, 1, host.len - 2);
	link->port = (uint16_t)port;
	return host.len != 0 && str_copy(link->host, sizeof link->host, host);
}

static struct str
url_of(const struct shell *shell, uint32_t web_bridge)
{
	return objects_text(meeting_objects(shell->meeting), OBJECT_WEB_BRIDGE, web_bridge,
	                    WEB_BRIDGE_URL);
}

static void
stop_link(struct shell *shell, struct c2w_link *link)
{
	link->used = false;
	dns_cancel(shell->dns, link->query);
	if (link->ws.v != 0)
		ws_close(shell->http, link->ws, 1000, "no longer configured");
	link->retry_us = INT64_MAX;
}

static bool
is_known(const struct shell *shell, uint32_t web_bridge)
{
	for (unsigned i = 0; i < BRIDGE_LINKS_MAX; i++)
		if (shell->links[i].used && shell->links[i].web_bridge == web_bridge)
			return true;
	return false;
}

/* Another Call Bridge may be the one that is to connect to it. */
static bool
is_ours(const struct shell *shell, uint32_t web_bridge)
{
	return meeting_is_for_us(shell->meeting, OBJECT_WEB_BRIDGE, web_bridge,
	                         WEB_BRIDGE_CALL_BRIDGE, WEB_BRIDGE_CALL_BRIDGE_GROUP);
}

static void
use_link(struct shell *shell, uint32_t web_bridge, int64_t now_us)
{
	for (unsigned i = 0; i < BRIDGE_LINKS_MAX; i++) {
		struct c2w_link *link = &shell->links[i];
		/* One that still says goodbye keeps its place. */
		if (link->used || link->ws.v != 0)
			continue;
		*link = (struct c2w_link){ .shell = shell,
			                   .index = i,
			                   .used = true,
			                   .web_bridge = web_bridge,
			                   .retry_us = now_us,
			                   .pause_us = C2W_RETRY_US_MIN };
		const bool fits = str_copy(link->url, sizeof link->url, url_of(shell, web_bridge));
		CHECK(fits); /* the API takes no longer one */
		if (!parse_url(link, str_of(link->url))) {
			log_warning("a web bridge has the unusable address \"%s\"; wanted "
			            "c2w://host:port",
			            link->url);
			link->retry_us = INT64_MAX;
		}
		return;
	}
	log_warning("more than %d web bridges are configured; the rest is not connected",
	            BRIDGE_LINKS_MAX);
}

/* After any change of the configuration: new ones are connected, deleted and changed ones let go. */
static void
follow_configuration(struct shell *shell, int64_t now_us)
{
	struct objects *objects = meeting_objects(shell->meeting);
	const uint64_t version = objects_version(objects, OBJECT_WEB_BRIDGE) +
	                         objects_version(objects, OBJECT_CALL_BRIDGE) +
	                         objects_version(objects, OBJECT_CLUSTER);
	if (version == shell->links_version)
		return;
	shell->links_version = version;
	for (unsigned i = 0; i < BRIDGE_LINKS_MAX; i++) {
		struct c2w_link *link = &shell->links[i];
		if (!link->used)
			continue;
		if (!objects_alive(objects, OBJECT_WEB_BRIDGE, link->web_bridge) ||
		    !is_ours(shell, link->web_bridge) ||
		    !str_eq(str_of(link->url), url_of(shell, link->web_bridge)))
			stop_link(shell, link);
	}
	for (uint32_t at = 0, handle;
	     (handle = objects_next(objects, OBJECT_WEB_BRIDGE, &at)) != 0;)
		if (!is_known(shell, handle) && is_ours(shell, handle))
			use_link(shell, handle, now_us);
}

/* ---- For the rest of the shell ------------------------------------------------------------- */

void
c2w_tick(struct shell *shell, int64_t now_us)
{
	follow_configuration(shell, now_us);
	for (unsigned i = 0; i < BRIDGE_LINKS_MAX; i++) {
		struct c2w_link *link = &shell->links[i];
		if (link->used && link->state == C2W_IDLE && link->retry_us <= now_us)
			start_link(shell, link, now_us);
	}
}

int64_t
c2w_deadline(const struct shell *shell)
{
	int64_t deadline_us = INT64_MAX;
	for (unsigned i = 0; i < BRIDGE_LINKS_MAX; i++) {
		const struct c2w_link *link = &shell->links[i];
		if (link->used && link->state == C2W_IDLE && link->retry_us < deadline_us)
			deadline_us = link->retry_us;
	}
	return deadline_us;
}

void
c2w_send(void *context, unsigned index, const struct c2w_message *message)
{
	struct shell *shell = context;
	const struct c2w_link *link = &shell->links[index];
	if (link->ws.v == 0)
		return;
	struct writer w = writer_of(shell->c2w_text, sizeof shell->c2w_text);
	c2w_write(&w, message, false);
	if (w.failed) {
		log_warning("a \"%s\" message is too long for C2W", c2w_kind_name(message->kind));
		return;
	}
	trace_c2w(shell, link, true, message, w.at);
	(void)ws_send(shell->http, link->ws, WS_TEXT, shell->c2w_text, w.at);
	if (message->kind == C2W_SIGNED_IN || message->kind == C2W_TOLD)
		explicit_bzero(shell->c2w_text, w.at);
}

bool
c2w_open(struct shell *shell)
{
	struct component_tls files;
	char error[TLS_ERROR_MAX];
	component_certs(&shell->component, &files, &shell->config->callbridge.certs,
	                shell->config->callbridge.trust_c2w);
	if (tls_context_create(&shell->c2w_tls, &files.tls, error) != 0)
		return component_fail(&shell->component, "callbridge trust c2w: %s", error);
	/* No version yet is like any: the first tick looks at the configuration. */
	shell->links_version = UINT64_MAX;
	return true;
}

void
c2w_close(struct shell *shell)
{
	for (unsigned i = 0; i < BRIDGE_LINKS_MAX; i++)
		if (shell->links[i].used)
			stop_link(shell, &shell->links[i]);
	tls_context_destroy(shell->c2w_tls);
}
