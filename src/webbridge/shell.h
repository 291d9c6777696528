/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the component share: webbridge.c (life and ports), serve.c (HTTP and WebSockets,
 * in and out of the relay). */
#ifndef WEBBRIDGE_SHELL_H
#define WEBBRIDGE_SHELL_H

#include "component/component.h"
#include "net/http.h"
#include "component/pages.h"
#include "webbridge/relay.h"

enum {
	SHELL_SESSIONS_MAX = 10000,
	SHELL_QUESTIONS_MAX = 1024,
	SHELL_CONNECTIONS_MAX = 16384,
};

struct shell {
	struct component component;
	const struct config *config;
	struct loop_timer *timer;
	struct http *http;
	struct tls_context *https_tls;
	struct tls_context *c2w_tls;
	struct pages *pages;
	struct relay *relay;
};

/* After anything that may have changed when the relay wants to be woken. */
void webbridge_settle(struct shell *shell);

[[nodiscard]] struct relay_sink serve_sink(struct shell *shell);
/* What listens and its callbacks; the caller adds address and TLS. */
[[nodiscard]] struct http_listen_settings serve_https(struct shell *shell);
[[nodiscard]] struct http_listen_settings serve_c2w(struct shell *shell);

#endif
