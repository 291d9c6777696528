/* SPDX-License-Identifier: Apache-2.0 */
/* The Web Admin port: pages, REST API, metrics, SIP over WebSocket; the passwords behind it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "callbridge/shell.h"
#include "callbridge/shell_accounts.h"
#include "net/wall.h"

enum {
	WEBADMIN_CONNECTIONS_MAX = 512,
	WEBADMIN_PER_SOURCE_MAX = 64,
	LOAD_UNITS_A_CORE = 1250,
};

/* ---- Requests ------------------------------------------------------------------------------ */

static enum api_method
method_of(struct str method)
{
	if (str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")))
		return API_GET;
	if (str_eq(method, STR("POST")))
		return API_POST;
	if (str_eq(method, STR("PUT")))
		return API_PUT;
	return str_eq(method, STR("DELETE")) ? API_DELETE : API_OTHER;
}

static bool
is_api(struct str path)
{
	const struct str prefix = STR("/api");
	return path.len >= prefix.len && str_eq_nocase(str_sub(path, 0, prefix.len), prefix);
}

/* A page of another site may not use the login that a browser remembers; scripts name no origin. */
static bool
is_own_origin(const struct http_request *request)
{
	const struct str origin = http_request_header(request, "Origin");
	const struct str scheme = STR("https://");
	return origin.len == 0 ||
	       (str_starts(origin, scheme) &&
	        str_eq_nocase(str_sub(origin, scheme.len, origin.len - scheme.len), request->host));
}

static void
on_request(void *context, const struct http_request *request)
{
	struct shell *shell = context;
	if (str_eq(request->path, STR("/metrics"))) {
		metrics_respond(shell, request);
		return;
	}
	if (!is_api(request->path)) {
		if (admin_pages_respond(shell, request))
			return;
		http_respond_text(shell->http, request->id, 404, "text/plain",
		                  STR("The API of this Call Bridge is at /api/v1.\n"));
		return;
	}
	if (method_of(request->method) != API_GET && !is_own_origin(request)) {
		http_respond_text(shell->http, request->id, 403, "text/plain",
		                  STR("Not from the page of another site.\n"));
		return;
	}
	const struct api_request asked = {
		.method = method_of(request->method),
		.path = request->path,
		.query = request->query,
		.body = request->body,
		.content_type = http_request_header(request, "Content-Type"),
		.accept = http_request_header(request, "Accept"),
		.authorization = http_request_header(request, "Authorization"),
		.peer = *request->peer,
		.owner = request->id.v,
		.wall_us = wall_now().us,
	};
	/* CMS counts 1250 load units for a core of a virtual machine. */
	meeting_load(shell->meeting, metrics_of_workers(shell).load_pct * LOAD_UNITS_A_CORE / 100);
	api_request(shell->api, &asked, loop_now_us());
	shell_settle(shell);
}

static void
on_upgrade(void *context, const struct http_request *request)
{
	struct shell *shell = context;
	if (str_eq(request->path, STR("/sip")))
		sip_sockets_upgrade(shell, request);
	else if (str_eq_nocase(request->path, STR("/events/v1")))
		events_upgrade(shell, request);
	else
		http_respond_text(shell->http, request->id, 404, "text/plain",
		                  STR("There is no such WebSocket here.\n"));
}

static void
respond(struct shell *shell, const struct api_out *out)
{
	struct http_header headers[5];
	uint32_t count = 0;
	if (out->location.len != 0)
		headers[count++] = (struct http_header){ STR("Location"), out->location };
	if (out->token.len != 0)
		headers[count++] =
			(struct http_header){ STR("X-Cisco-CMS-Auth-Token"), out->token };
	if (out->content_type.len != 0)
		headers[count++] = (struct http_header){ STR("Content-Type"), out->content_type };
	if (out->challenge)
		headers[count++] = (struct http_header){ STR("WWW-Authenticate"),
			                                 STR("Basic realm=\"api\"") };
	if (out->allow.len != 0)
		headers[count++] = (struct http_header){ STR("Allow"), out->allow };
	const struct http_response response = { .status = out->status,
		                                .headers = headers,
		                                .header_count = count,
		                                .body = out->body };
	http_respond(shell->http, (http_request_id){ (uint32_t)out->owner }, &response);
}

static void
commit(struct shell *shell, const struct object_tx *tx, int64_t now_us)
{
	if (store_commit(shell->store, tx) == 0)
		return;
	objects_settled(meeting_objects(shell->meeting), tx->ticket, false);
	api_settled(shell->api, tx->ticket, false, now_us);
}

bool
webadmin_drain(struct shell *shell, int64_t now_us)
{
	bool any = false;
	for (struct api_out out; (out = api_poll(shell->api, now_us)).kind != API_NONE; any = true) {
		switch (out.kind) {
		case API_VERIFY:
			if (verifier_post(shell->verifier, out.slot, out.password,
			                  out.password_hash) != 0)
				api_verified(shell->api, out.slot, false, now_us);
			break;
		case API_COMMIT:
			commit(shell, &out.tx, now_us);
			break;
		case API_ANSWER:
			respond(shell, &out);
			break;
		case API_LOG:
			log_info("%.*s", STR_ARGS(out.text));
			if (out.audited)
				accounts_audit(shell, &out);
			break;
		case API_NONE:
			break;
		}
	}
	return any;
}

static void
wake_verifier(void *context)
{
	struct shell *shell = context;
	loop_wake(shell->verifier_waker);
}

static void
on_verified(void *context)
{
	struct shell *shell = context;
	struct verifier_result result;
	while (verifier_take(shell->verifier, &result))
		api_verified(shell->api, result.slot, result.right, loop_now_us());
	shell_settle(shell);
}

/* ---- Opening ------------------------------------------------------------------------------- */

static bool
open_port(struct shell *shell)
{
	struct component_tls files;
	char error[TLS_ERROR_MAX];
	const struct config *config = shell->config;
	component_certs(&shell->component, &files, &config->webadmin.certs, "");
	files.tls.server = true;
	component_demands(&files.tls, &config->tls.webadmin);
	if (tls_context_create(&shell->webadmin_tls, &files.tls, error) != 0)
		return component_fail(&shell->component, "webadmin certificates: %s", error);
	const struct http_listen_settings settings = {
		.tls = shell->webadmin_tls,
		.request = on_request,
		.upgrade = on_upgrade,
		.context = shell,
		.body_bytes_max = API_BODY_MAX,
		.connections_max = WEBADMIN_CONNECTIONS_MAX,
		.per_source_max = WEBADMIN_PER_SOURCE_MAX,
	};
	return component_port_open(&shell->webadmin, &shell->component, shell->http, &settings,
	                           &config->webadmin.listen, "webadmin listen");
}

bool
webadmin_open(struct shell *shell)
{
	if (loop_waker_create(&shell->verifier_waker, shell->component.loop, on_verified, shell) !=
	            0 ||
	    verifier_create(&shell->verifier, wake_verifier, shell) != 0)
		return component_fail(&shell->component, "not enough memory for the API");
	if (!shell->config->webadmin.enabled)
		return true;
	admin_pages_open(shell);
	return open_port(shell);
}

void
webadmin_close(struct shell *shell)
{
	component_port_close(&shell->webadmin);
	if (shell->verifier != NULL)
		verifier_destroy(shell->verifier);
	loop_waker_destroy(shell->verifier_waker);
	tls_context_destroy(shell->webadmin_tls);
}
