/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP and WebSockets, in and out of the relay. */
#include "base/check.h"
#include "base/log.h"
#include "webbridge/join.h"
#include "webbridge/shell.h"

enum {
	BROWSER_PING_US = 10 * 1000 * 1000,
	BROWSER_PONG_US = 10 * 1000 * 1000,
	BROWSER_QUEUE_MAX = 1 << 20,
	BRIDGE_PING_US = 2 * 1000 * 1000,
	BRIDGE_PONG_US = 3 * 1000 * 1000,
	BRIDGE_QUEUE_MAX = 16 << 20,
	PER_SOURCE_MAX = 512, /* a whole office may be behind one address */
	BRIDGE_CONNECTIONS_MAX = 4 * RELAY_LINKS_MAX,
	HEADERS_MAX = 16,
};

/* Scripts and styles are files of ours and nothing else; nobody may put the page into a frame. */
#define POLICY                                                                                   \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "        \
	"connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; "     \
	"form-action 'none'; frame-ancestors 'none'"

static const struct http_header security_headers[] = {
	{ STR_INIT("Content-Security-Policy"), STR_INIT(POLICY) },
	{ STR_INIT("Strict-Transport-Security"), STR_INIT("max-age=31536000") },
	{ STR_INIT("X-Content-Type-Options"), STR_INIT("nosniff") },
	{ STR_INIT("X-Frame-Options"), STR_INIT("DENY") },
	/* A guest link's secret stands in the address. */
	{ STR_INIT("Referrer-Policy"), STR_INIT("no-referrer") },
	{ STR_INIT("Cross-Origin-Opener-Policy"), STR_INIT("same-origin") },
	{ STR_INIT("Permissions-Policy"),
	  STR_INIT("camera=(self), display-capture=(self), fullscreen=(self), microphone=(self), "
	           "speaker-selection=(self)") },
};

/* ---- Answers ------------------------------------------------------------------------------- */

static void
respond(struct shell *shell, http_request_id id, struct http_response *response,
        const struct http_header *more, size_t more_count)
{
	struct http_header headers[HEADERS_MAX];
	const size_t fixed = COUNT_OF(security_headers);
	CHECK(fixed + more_count <= HEADERS_MAX);
	memcpy(headers, security_headers, sizeof security_headers);
	memcpy(headers + fixed, more, more_count * sizeof *more);
	response->headers = headers;
	response->header_count = (uint32_t)(fixed + more_count);
	http_respond(shell->http, id, response);
}

static void
respond_json(struct shell *shell, http_request_id id, unsigned status, struct str json)
{
	const struct http_header headers[] = {
		{ STR("Content-Type"), STR("application/json") },
		{ STR("Cache-Control"), STR("no-store") },
		{ STR("Retry-After"), STR("5") },
	};
	struct http_response response = { .status = status, .body = json };
	respond(shell, id, &response, headers,
	        status == RELAY_STATUS_SLOW_DOWN ? COUNT_OF(headers) : COUNT_OF(headers) - 1);
}

static void
respond_text(struct shell *shell, http_request_id id, unsigned status, struct str text)
{
	const struct http_header headers[] = {
		{ STR("Content-Type"), STR("text/plain; charset=utf-8") },
		{ STR("Cache-Control"), STR("no-store") },
	};
	struct http_response response = { .status = status, .body = text };
	respond(shell, id, &response, headers, COUNT_OF(headers));
}

static void
respond_method(struct shell *shell, http_request_id id, struct str allowed)
{
	const struct http_header headers[] = { { STR("Allow"), allowed } };
	struct http_response response = { .status = 405 };
	respond(shell, id, &response, headers, COUNT_OF(headers));
}

static void
respond_page(struct shell *shell, const struct http_request *request, const struct page *page)
{
	struct http_header headers[PAGE_HEADERS_MAX];
	const enum page_form form =
		page_form_for(page, http_request_header(request, "Accept-Encoding"));
	struct http_response response = { .status = 200,
		                          .body = page->forms[form],
		                          .body_static = true };
	respond(shell, request->id, &response, headers, page_headers(headers, page, form));
}

/* ---- Requests ------------------------------------------------------------------------------ */

static bool
is_read(const struct http_request *request)
{
	return str_eq(request->method, STR("GET")) || str_eq(request->method, STR("HEAD"));
}

static void
respond_bad(struct shell *shell, http_request_id id)
{
	respond_json(shell, id, 400, STR("{\"error\":\"badRequest\"}"));
}

static void
ask(struct shell *shell, const struct http_request *request, struct relay_question *question)
{
	question->id = request->id.v;
	question->source = request->peer;
	relay_ask(shell->relay, question, loop_now_us());
	webbridge_settle(shell);
}

static struct str
token_in_header(const struct http_request *request)
{
	return bearer_token(http_request_header(request, "Authorization"));
}

static void
on_join(struct shell *shell, const struct http_request *request)
{
	struct relay_question question = { .kind = C2W_JOIN };
	struct join_text text;
	if (join_body_parse(&question.join, &text, request->body)) {
		question.join.auth = token_in_header(request);
		ask(shell, request, &question);
	} else {
		respond_bad(shell, request->id);
	}
	join_text_wipe(&text);
}

static void
on_sign_in(struct shell *shell, const struct http_request *request)
{
	struct relay_question question = { .kind = C2W_SIGN_IN };
	struct join_text text;
	if (sign_in_body_parse(&question.sign_in, &text, request->body))
		ask(shell, request, &question);
	else
		respond_bad(shell, request->id);
	join_text_wipe(&text);
}

static void
on_elsewhere(struct shell *shell, const struct http_request *request)
{
	struct relay_question question = { .kind = C2W_SIGN_IN_ELSEWHERE };
	struct join_text text;
	if (elsewhere_body_parse(&question.elsewhere, &text, request->body))
		ask(shell, request, &question);
	else
		respond_bad(shell, request->id);
	join_text_wipe(&text);
}

static void
on_lookup(struct shell *shell, const struct http_request *request)
{
	struct relay_question question = { .kind = C2W_LOOKUP };
	struct join_text text;
	if (join_query_parse(&question.join, &text, request->query))
		ask(shell, request, &question);
	else
		respond_bad(shell, request->id);
	join_text_wipe(&text);
}

/* ---- What signed-in users ask -------------------------------------------------------------- */

static bool
method_of(enum c2w_method *out, struct str method)
{
	static const struct str names[C2W_METHODS] = {
		[C2W_METHOD_GET] = STR_INIT("GET"),
		[C2W_METHOD_POST] = STR_INIT("POST"),
		[C2W_METHOD_PUT] = STR_INIT("PUT"),
		[C2W_METHOD_DELETE] = STR_INIT("DELETE"),
	};
	for (unsigned i = 0; i < C2W_METHODS; i++) {
		if (!str_eq(method, names[i]))
			continue;
		*out = (enum c2w_method)i;
		return true;
	}
	return false;
}

/* A page of another site may not use a browser of ours (RFC 6455 s10.2). */
static bool
is_own_origin(const struct http_request *request)
{
	struct str origin = http_request_header(request, "Origin");
	const struct str scheme = request->tls ? STR("https://") : STR("http://");
	return origin.len == 0 ||
	       (str_starts(origin, scheme) &&
	        str_eq_nocase(str_sub(origin, scheme.len, origin.len - scheme.len),
	                      request->host));
}

static void
on_ask(struct shell *shell, const struct http_request *request)
{
	char path[C2W_PATH_MAX];
	const struct str prefix = STR("/api/");
	struct writer w = writer_of(path, sizeof path);
	struct relay_question question = { .kind = C2W_ASK };
	writer_str(&w, str_sub(request->path, prefix.len, request->path.len - prefix.len));
	if (request->query.len != 0)
		writer_format(&w, "?%.*s", STR_ARGS(request->query));
	question.ask.path = writer_view(&w);
	question.ask.token = token_in_header(request);
	question.ask.body = request->body;
	if (!method_of(&question.ask.method, request->method))
		respond_method(shell, request->id, STR("GET, POST, PUT, DELETE"));
	else if (w.failed || request->path.len <= prefix.len)
		respond_bad(shell, request->id);
	else if (!is_own_origin(request))
		respond_text(shell, request->id, 403, STR("another origin\n"));
	else
		ask(shell, request, &question);
}

/* ---- All requests -------------------------------------------------------------------------- */

/* What is asked by POST, in a body. */
static const struct {
	struct str path;
	void (*answer)(struct shell *shell, const struct http_request *request);
} posts[] = {
	{ STR_INIT("/api/join"), on_join },
	{ STR_INIT("/api/auth"), on_sign_in },
	{ STR_INIT("/api/auth/elsewhere"), on_elsewhere },
};

static bool
is_app_page(struct str path)
{
	static const struct str places[] = { STR_INIT("/meeting"), STR_INIT("/signin"),
		                             STR_INIT("/spaces") };
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (str_starts(path, places[i]) &&
		    (path.len == places[i].len || path.at[places[i].len] == '/'))
			return true;
	return false;
}

/* The app itself reads which meeting its address names. */
static const struct page *
page_of(const struct shell *shell, struct str path)
{
	return pages_find(shell->pages, is_app_page(path) ? STR("/") : path);
}

static void
on_request(void *context, const struct http_request *request)
{
	struct shell *shell = context;
	for (size_t i = 0; i < COUNT_OF(posts); i++) {
		if (!str_eq(request->path, posts[i].path))
			continue;
		if (str_eq(request->method, STR("POST")))
			posts[i].answer(shell, request);
		else
			respond_method(shell, request->id, STR("POST"));
		return;
	}
	const bool lookup = str_eq(request->path, STR("/api/meeting"));
	if (str_starts(request->path, STR("/api/")) && !lookup) {
		on_ask(shell, request);
		return;
	}
	if (!is_read(request)) {
		respond_method(shell, request->id, STR("GET, HEAD"));
		return;
	}
	const struct page *page = page_of(shell, request->path);
	if (page != NULL)
		respond_page(shell, request, page);
	else if (lookup)
		on_lookup(shell, request);
	else if (str_eq(request->path, STR("/health")))
		respond_text(shell, request->id, 200, STR("ok\n"));
	else
		respond_text(shell, request->id, 404, STR("not found\n"));
}

static uint32_t
body_limit(void *context, const struct http_request *request)
{
	(void)context;
	return str_starts(request->path, STR("/api/")) ? JOIN_BODY_BYTES_MAX : 0;
}

/* ---- Browsers' WebSockets ------------------------------------------------------------------ */

static void
on_browser_message(void *context, ws_id id, enum ws_kind kind, const uint8_t *bytes, size_t len)
{
	struct shell *shell = context;
	/* Bytes are no JSON object: an empty text is refused as that. */
	const struct str text = { .at = (const char *)bytes, .len = kind == WS_TEXT ? len : 0 };
	relay_browser_input(shell->relay, id.v, text, loop_now_us());
	webbridge_settle(shell);
}

static void
on_browser_closed(void *context, ws_id id, const struct ws_close *close)
{
	struct shell *shell = context;
	(void)close;
	relay_browser_down(shell->relay, id.v, loop_now_us());
	webbridge_settle(shell);
}

static const struct ws_handler browser_handler = {
	.message = on_browser_message,
	.closed = on_browser_closed,
};

/* The token comes as the second of the subprotocols "convoke, TOKEN", where no log sees it, or in
 * the query. */
static struct str
token_of(const struct http_request *request, char from_query[C2W_TOKEN_MAX + 1],
         struct str *protocol)
{
	struct str offered = request->ws_protocols;
	if (str_eq(str_trim(str_cut(&offered, ',')), STR("convoke"))) {
		*protocol = STR("convoke");
		if (offered.len != 0)
			return str_trim(str_cut(&offered, ','));
	}
	(void)query_get(from_query, C2W_TOKEN_MAX + 1, request->query, STR("token"));
	return str_of(from_query);
}

static void
on_upgrade(void *context, const struct http_request *request)
{
	struct shell *shell = context;
	char from_query[C2W_TOKEN_MAX + 1];
	struct str protocol = { 0 };
	const struct ws_limits limits = { .message_bytes_max = C2W_BROWSER_BYTES_MAX,
		                          .queue_bytes_max = BROWSER_QUEUE_MAX,
		                          .ping_us = BROWSER_PING_US,
		                          .pong_us = BROWSER_PONG_US };
	if (!str_eq(request->path, STR("/api/session"))) {
		respond_text(shell, request->id, 404, STR("not found\n"));
		return;
	}
	if (!is_own_origin(request)) {
		respond_text(shell, request->id, 403, STR("another origin\n"));
		return;
	}
	/* First the token, for it tells the protocol: initialisers have no order of their own. */
	const struct str token = token_of(request, from_query, &protocol);
	const ws_id id =
		ws_accept(shell->http, request->id, &browser_handler, shell, protocol, &limits);
	const struct relay_browser browser = {
		.token = token,
		.product = browser_product(http_request_header(request, "User-Agent")),
		.source = request->peer,
		.id = id.v,
	};
	if (browser.id != 0)
		relay_browser_up(shell->relay, &browser, loop_now_us());
	explicit_bzero(from_query, sizeof from_query);
	webbridge_settle(shell);
}

/* ---- Call Bridges' WebSockets -------------------------------------------------------------- */

static void
on_bridge_message(void *context, ws_id id, enum ws_kind kind, const uint8_t *bytes, size_t len)
{
	struct shell *shell = context;
	const struct str text = { .at = (const char *)bytes, .len = kind == WS_TEXT ? len : 0 };
	relay_bridge_input(shell->relay, id.v, text, loop_now_us());
	webbridge_settle(shell);
}

static void
on_bridge_closed(void *context, ws_id id, const struct ws_close *close)
{
	struct shell *shell = context;
	log_info("connection of a Call Bridge ended: %u %s", close->code, close->text);
	relay_bridge_down(shell->relay, id.v, loop_now_us());
	webbridge_settle(shell);
}

static const struct ws_handler bridge_handler = {
	.message = on_bridge_message,
	.closed = on_bridge_closed,
};

static void
on_bridge_upgrade(void *context, const struct http_request *request)
{
	struct shell *shell = context;
	char text[ADDR_TEXT_MAX];
	const struct ws_limits limits = { .message_bytes_max = C2W_MESSAGE_BYTES_MAX,
		                          .queue_bytes_max = BRIDGE_QUEUE_MAX,
		                          .ping_us = BRIDGE_PING_US,
		                          .pong_us = BRIDGE_PONG_US };
	struct str offered = request->ws_protocols;
	bool speaks_c2w = false;
	while (offered.len != 0)
		speaks_c2w |= str_eq(str_trim(str_cut(&offered, ',')), STR("c2w"));
	if (!str_eq(request->path, STR("/c2w")) || !speaks_c2w) {
		respond_text(shell, request->id, 404, STR("not found\n"));
		return;
	}
	log_info("Call Bridge connects from %s with the certificate of \"%s\"",
	         addr_text(text, request->peer),
	         request->tls_peer_name != NULL ? request->tls_peer_name : "");
	const ws_id id =
		ws_accept(shell->http, request->id, &bridge_handler, shell, STR("c2w"), &limits);
	if (id.v != 0)
		relay_bridge_up(shell->relay, id.v, loop_now_us());
	webbridge_settle(shell);
}

static void
on_bridge_request(void *context, const struct http_request *request)
{
	respond_text(context, request->id, 404, STR("not found\n"));
}

struct http_listen_settings
serve_https(struct shell *shell)
{
	return (struct http_listen_settings){ .tls = shell->https_tls,
		                              .body_limit = body_limit,
		                              .request = on_request,
		                              .upgrade = on_upgrade,
		                              .context = shell,
		                              .connections_max = SHELL_CONNECTIONS_MAX,
		                              .per_source_max = PER_SOURCE_MAX };
}

struct http_listen_settings
serve_c2w(struct shell *shell)
{
	return (struct http_listen_settings){ .tls = shell->c2w_tls,
		                              .request = on_bridge_request,
		                              .upgrade = on_bridge_upgrade,
		                              .context = shell,
		                              .body_bytes_max = 1,
		                              .connections_max = BRIDGE_CONNECTIONS_MAX };
}

/* ---- Out of the relay ---------------------------------------------------------------------- */

static void
send_text(void *context, uint32_t id, struct str text)
{
	const struct shell *shell = context;
	/* One that does not read is closed, and we hear of that as of any other end. */
	(void)ws_send(shell->http, (ws_id){ id }, WS_TEXT, text.at, text.len);
}

static void
drop(void *context, uint32_t id, uint16_t code, const char *reason)
{
	const struct shell *shell = context;
	ws_close(shell->http, (ws_id){ id }, code, reason);
}

static void
answer(void *context, uint32_t question, unsigned status, struct str json)
{
	respond_json(context, (http_request_id){ question }, status, json);
}

static void
write_log(void *context, enum relay_log level, struct str text)
{
	(void)context;
	if (level == RELAY_LOG_WARNING)
		log_warning("%.*s", STR_ARGS(text));
	else
		log_info("%.*s", STR_ARGS(text));
}

struct relay_sink
serve_sink(struct shell *shell)
{
	return (struct relay_sink){ .context = shell,
		                    .to_bridge = send_text,
		                    .drop_bridge = drop,
		                    .to_browser = send_text,
		                    .drop_browser = drop,
		                    .answer = answer,
		                    .log = write_log };
}
