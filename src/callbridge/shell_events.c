/* SPDX-License-Identifier: Apache-2.0 */
/* WebSockets of /events/v1 on the Web Admin port: who has a token of authTokens comes in. */
#include "base/check.h"
#include "base/log.h"
#include "callbridge/shell.h"

enum {
	QUEUE_BYTES = 2 * EVENTS_UNACKED_MAX * EVENTS_FRAME_MAX,
	CLOSE_POLICY = 1008, /* RFC 6455 s7.4.1 */
};

static void
on_send(void *context, uint64_t owner, struct str text)
{
	struct shell *shell = context;
	trace_events(shell, owner, true, text);
	/* One that does not read is closed by the server, and says so. */
	(void)ws_send(shell->http, shell->events.sockets[owner].ws, WS_TEXT, text.at, text.len);
}

static void
on_close(void *context, uint64_t owner, enum events_close code, const char *reason)
{
	struct shell *shell = context;
	ws_close(shell->http, shell->events.sockets[owner].ws, (uint16_t)code, reason);
}

static void
on_message(void *context, ws_id id, enum ws_kind kind, const uint8_t *bytes, size_t len)
{
	struct events_socket *socket = context;
	struct shell *shell = socket->shell;
	if (kind != WS_TEXT) {
		ws_close(shell->http, id, 1003, "text only");
		return;
	}
	trace_events(shell, (uint64_t)(socket - shell->events.sockets), false,
	             (struct str){ (const char *)bytes, len });
	events_input(shell->events.core, socket->client, (struct str){ (const char *)bytes, len },
	             loop_now_us());
	shell_settle(shell);
}

static void
on_closed(void *context, ws_id id, const struct ws_close *close)
{
	struct events_socket *socket = context;
	(void)id;
	(void)close;
	events_closed(socket->shell->events.core, socket->client);
	socket->client = 0;
	shell_settle(socket->shell);
}

static const struct ws_handler handler = { .message = on_message, .closed = on_closed };

/* The value of "authToken" in the query. */
static struct str
token_of(struct str query)
{
	while (query.len != 0) {
		struct str value = str_cut(&query, '&');
		if (str_eq_nocase(str_cut(&value, '='), STR("authToken")))
			return value;
	}
	return STR("");
}

void
events_upgrade(struct shell *shell, const struct http_request *request)
{
	const int64_t now_us = loop_now_us();
	unsigned free = 0;
	struct api_login login;
	if (!api_token_valid(shell->api, token_of(request->query), now_us, &login)) {
		http_respond_text(shell->http, request->id, 401, "text/plain",
		                  STR("A token of authTokens is needed.\n"));
		return;
	}
	while (free < EVENTS_CLIENTS_MAX && shell->events.sockets[free].client != 0)
		free++;
	const uint32_t client = free < EVENTS_CLIENTS_MAX
	                                ? events_open(shell->events.core, free, now_us)
	                                : 0;
	if (client == 0) {
		http_respond_text(shell->http, request->id, 503, "text/plain",
		                  STR("There are too many subscribers.\n"));
		return;
	}
	struct events_socket *socket = &shell->events.sockets[free];
	const struct ws_limits limits = { .message_bytes_max = EVENTS_FRAME_MAX,
		                          .queue_bytes_max = QUEUE_BYTES };
	*socket = (struct events_socket){ .shell = shell, .client = client, .login = login };
	socket->ws = ws_accept(shell->http, request->id, &handler, socket, STR(""), &limits);
	if (socket->ws.v == 0) {
		events_closed(shell->events.core, client);
		socket->client = 0;
	}
	shell_settle(shell);
}

void
events_accounts_changed(struct shell *shell)
{
	for (unsigned i = 0; i < EVENTS_CLIENTS_MAX; i++) {
		const struct events_socket *socket = &shell->events.sockets[i];
		if (socket->client == 0 || api_login_stands(shell->api, &socket->login))
			continue;
		log_info("events: a subscriber's account \"%s\" has changed or is gone; it is "
		         "closed", socket->login.user);
		ws_close(shell->http, socket->ws, CLOSE_POLICY, "the account has changed");
	}
}

bool
events_start(struct shell *shell, uint32_t legs_max)
{
	const struct events_settings settings = {
		.meeting = shell->meeting,
		.calls_max = legs_max,
		.legs_max = legs_max,
		.sink = { .context = shell, .send = on_send, .close = on_close },
	};
	return events_create(&shell->events.core, &settings) == 0 ||
	       component_fail(&shell->component, "not enough memory for events");
}

void
events_stop(struct shell *shell)
{
	events_destroy(shell->events.core);
}
