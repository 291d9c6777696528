/* SPDX-License-Identifier: Apache-2.0 */
/* http_client -- HTTP requests to others (RFC 9112), http and https, by libcurl on the loop.
 *
 * For what asks elsewhere now and then: call detail records, sign-in at an identity provider, uploads.
 * Connections are kept and used again.  Certificates are verified, by the system's authorities or by
 * a bundle.  No redirects, cookies or proxies.
 *
 * Ownership  Everything of a request is copied; the answer is borrowed until `done` returns.
 * Threads    The loop's.  Names are resolved on threads of libcurl's.
 * Units      Bytes; microseconds.
 * Errors     0 or -errno when a request cannot be begun; all else by `done`.
 * Limits     HTTP_CLIENT_REQUESTS_MAX at once; HTTP_CLIENT_BODY_MAX bytes of an answer.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/loop.h"

enum {
	HTTP_CLIENT_REQUESTS_MAX = 64,
	HTTP_CLIENT_BODY_MAX = 1024 * 1024,
	HTTP_CLIENT_URL_MAX = 2048,
	HTTP_CLIENT_HEADERS_MAX = 16,
	HTTP_CLIENT_TEXT_MAX = 256,
};

struct http_client;

enum http_client_failure {
	HTTP_CLIENT_OK,       /* there is an answer, whatever its status says */
	HTTP_CLIENT_NO_NAME,
	HTTP_CLIENT_NO_CONNECTION,
	HTTP_CLIENT_NO_TRUST, /* TLS: certificate, name or handshake */
	HTTP_CLIENT_TIMEOUT,
	HTTP_CLIENT_BROKEN,   /* not HTTP, too large, ended early */
};

struct http_client_answer {
	enum http_client_failure failure;
	unsigned status;        /* 0 when there is no answer */
	struct str body;
	struct str location;    /* the header, or empty */
	const char *text;       /* of a failure, for the log: "Connection refused" */
};

/* Answers one request, or dropped ones never. */
typedef void http_client_done(void *context, uint32_t request,
                              const struct http_client_answer *answer);

struct http_client_request {
	const char *method;     /* "POST"; NULL: GET */
	const char *url;        /* http:// or https:// */
	const char *const *headers; /* "Name: value", up to NULL; may be NULL */
	struct str body;        /* sent with Content-Length unless it is empty and GET */
	const char *user;       /* Basic authentication; NULL: none */
	const char *password;
	const char *trust;      /* PEM file of authorities; NULL: the system's */
	int64_t timeout_us;     /* in all; 0: 30 s */
	http_client_done *done;
	void *context;
};

[[nodiscard]] int http_client_create(struct http_client **out, struct loop *loop);
/* Drops what is under way. */
void http_client_destroy(struct http_client *client);

/* `done` comes later, never from inside; `*request` names it until then. */
[[nodiscard]] int http_client_send(struct http_client *client,
                                   const struct http_client_request *settings, uint32_t *request);
/* Its `done` does not come; nothing happens to one that is over. */
void http_client_drop(struct http_client *client, uint32_t request);

#endif
