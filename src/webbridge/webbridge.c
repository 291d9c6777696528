/* SPDX-License-Identifier: Apache-2.0 */
/* Life of the Web Bridge component: start, ports, time, end. */
#include "webbridge/webbridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "component/port.h"
#include "net/random.h"
#include "webbridge/shell.h"

#ifndef CONVOKE_VERSION
#define CONVOKE_VERSION "0.1.0"
#endif

/* ---- Small things -------------------------------------------------------------------------- */

void
webbridge_settle(struct shell *shell)
{
	loop_timer_arm(shell->timer, relay_deadline(shell->relay));
}

static void
on_timer(void *context, int64_t now_us)
{
	struct shell *shell = context;
	relay_tick(shell->relay, now_us);
	webbridge_settle(shell);
}

/* Browsers come back to the next one by themselves, so there is nothing to wait for. */
static void
on_stop(void *context)
{
	struct shell *shell = context;
	log_info("the web bridge ends");
	loop_stop(shell->component.loop);
}

/* ---- Start --------------------------------------------------------------------------------- */

static bool
load_pages(struct shell *shell)
{
	char dir[COMPONENT_PATH_MAX];
	const int rc = pages_open(&shell->pages, "app", dir);
	if (rc == -ENOENT)
		return component_fail(&shell->component,
		                      "the pages of the web app are not there; build them with "
		                      "tools/build-web --install");
	return rc == 0 ||
	       component_fail(&shell->component, "the pages in %s: %s", dir, strerror(-rc));
}

static bool
open_certificates(struct shell *shell)
{
	struct component_tls files;
	char error[TLS_ERROR_MAX];
	const struct config *config = shell->config;
	component_certs(&shell->component, &files, &config->webbridge.https_certs, "");
	files.tls.server = true;
	files.tls.alpn = "http/1.1";
	component_demands(&files.tls, &config->tls.webbridge);
	if (files.tls.cert_file == NULL || files.tls.key_file == NULL)
		return component_fail(&shell->component,
		                      "it has no certificate (use \"webbridge3 https certs <key> "
		                      "<certificate>\")");
	if (tls_context_create(&shell->https_tls, &files.tls, error) != 0)
		return component_fail(&shell->component, "webbridge3 https certs: %s", error);
	component_certs(&shell->component, &files, &config->webbridge.c2w_certs,
	                config->webbridge.c2w_trust);
	files.tls.server = true;
	files.tls.client_certificate = true;
	if (files.tls.cert_file == NULL || files.tls.key_file == NULL)
		return component_fail(&shell->component,
		                      "it has no certificate for Call Bridges (use \"webbridge3 "
		                      "c2w certs <key> <certificate>\")");
	if (files.tls.trust_file == NULL)
		return component_fail(&shell->component,
		                      "it does not know which Call Bridges to trust (use "
		                      "\"webbridge3 c2w trust <bundle>\")");
	return tls_context_create(&shell->c2w_tls, &files.tls, error) == 0 ||
	       component_fail(&shell->component, "webbridge3 c2w certs and trust: %s", error);
}

static bool
listen_on(struct shell *shell, const struct http_listen_settings *settings,
          const struct config_listen *listen, const char *command)
{
	struct component_port port; /* closed with `http` */
	return component_port_open(&port, &shell->component, shell->http, settings, listen, command);
}

static bool
open_ports(struct shell *shell)
{
	const struct config *config = shell->config;
	const struct http_listen_settings https = serve_https(shell);
	const struct http_listen_settings c2w = serve_c2w(shell);
	if (config->webbridge.https_count == 0)
		return component_fail(
		        &shell->component,
		        "it has no port for browsers (use \"webbridge3 https listen\")");
	if (config->webbridge.c2w_count == 0)
		return component_fail(
		        &shell->component,
		        "it has no port for Call Bridges (use \"webbridge3 c2w listen\")");
	for (uint32_t i = 0; i < config->webbridge.https_count; i++)
		if (!listen_on(shell, &https, &config->webbridge.https[i],
		               "webbridge3 https listen"))
			return false;
	for (uint32_t i = 0; i < config->webbridge.c2w_count; i++)
		if (!listen_on(shell, &c2w, &config->webbridge.c2w[i], "webbridge3 c2w listen"))
			return false;
	return true;
}

static bool
start(struct shell *shell)
{
	struct relay_settings relay = { .sessions_max = SHELL_SESSIONS_MAX,
		                        .questions_max = SHELL_QUESTIONS_MAX,
		                        .product = STR("Convoke " CONVOKE_VERSION),
		                        .sink = serve_sink(shell) };
	random_bytes(&relay.hash_key, sizeof relay.hash_key);
	if (loop_timer_create(&shell->timer, shell->component.loop, on_timer, shell) != 0 ||
	    http_create(&shell->http, shell->component.loop, SHELL_CONNECTIONS_MAX) != 0 ||
	    relay_create(&shell->relay, &relay, loop_now_us()) != 0)
		return component_fail(&shell->component, "not enough memory");
	return load_pages(shell) && open_certificates(shell) && open_ports(shell);
}

static void
finish(struct shell *shell)
{
	if (shell->http != NULL)
		http_destroy(shell->http);
	relay_destroy(shell->relay);
	pages_destroy(shell->pages);
	tls_context_destroy(shell->https_tls);
	tls_context_destroy(shell->c2w_tls);
	loop_timer_destroy(shell->timer);
	component_close(&shell->component);
}

int
webbridge_main(const char *data_dir, const struct config *config)
{
	struct shell *shell = calloc(1, sizeof *shell);
	if (shell == NULL) {
		log_error("the web bridge cannot start: not enough memory");
		return 1;
	}
	shell->component = (struct component){
		.name = "web bridge",
		.data_dir = data_dir,
		.stop = on_stop,
		.context = shell,
	};
	shell->config = config;
	log_set_level(config->log_debug ? LOG_DEBUG : LOG_INFO);
	if (component_open(&shell->component) != 0) {
		free(shell);
		return 1;
	}
	const bool started = start(shell);
	if (started) {
		log_info("the web bridge is ready on port %u", config->webbridge.https[0].port);
		webbridge_settle(shell);
	}
	const int status = component_run(&shell->component, started);
	finish(shell);
	free(shell);
	return status;
}
