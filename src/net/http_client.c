/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl tells which sockets and how long it waits (curl_multi_socket_action), libuv does the
 * waiting. */
#include "net/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/slab.h"
#include "net/loop_internal.h"

enum {
	TIMEOUT_MS = 30 * 1000,
	CONNECT_MS = 10 * 1000,
	CONNECTIONS_KEPT = 16,
	BODY_BYTES_FIRST = 1024,
};

struct http_client {
	struct loop *loop;
	CURLM *multi;
	uv_timer_t timer;
	struct slab requests;
	bool ending;
};

struct request {
	uint32_t handle;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	http_client_done *done;
	void *context;
	char *body;
	size_t body_len;
	size_t body_cap;
	bool too_large;
	char location[HTTP_CLIENT_URL_MAX];
	char error[CURL_ERROR_SIZE];
};

/* One socket of libcurl's. */
struct watch {
	uv_poll_t poll;
	struct http_client *client;
	curl_socket_t fd;
};

/* -- the end of a request ---------------------------------------------------------------------- */

static void
request_free(struct request *request)
{
	struct http_client *client = request->client;
	curl_multi_remove_handle(client->multi, request->easy);
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->headers);
	free(request->body);
	slab_free(&client->requests, request->handle);
}

static enum http_client_failure
failure_of(const struct request *request, CURLcode code)
{
	if (request->too_large)
		return HTTP_CLIENT_BROKEN;
	switch ((int)code) {
	case CURLE_OK:
		return HTTP_CLIENT_OK;
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_CLIENT_NO_NAME;
	case CURLE_COULDNT_CONNECT:
		return HTTP_CLIENT_NO_CONNECTION;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_CLIENT_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return HTTP_CLIENT_NO_TRUST;
	default:
		return HTTP_CLIENT_BROKEN;
	}
}

static void
finish(struct request *request, CURLcode code)
{
	long status = 0;
	struct http_client_answer answer = { .failure = failure_of(request, code) };
	if (answer.failure == HTTP_CLIENT_OK) {
		curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
		answer.status = (unsigned)status;
		answer.body = (struct str){ request->body, request->body_len };
		answer.location = str_of(request->location);
		answer.text = "";
	} else {
		answer.text = request->too_large           ? "the answer is too large"
		              : request->error[0] != '\0' ? request->error
		                                          : curl_easy_strerror(code);
	}
	request->done(request->context, request->handle, &answer);
}

/* Those that are over.  What a `done` does, dropping others even, may end more of them. */
static void
finish_those_over(struct http_client *client)
{
	const CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		struct request *request = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		const CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		const uint32_t handle = request->handle;
		finish(request, code);
		if (slab_get(&client->requests, handle) != NULL)
			request_free(request);
	}
}

/* -- sockets and time -------------------------------------------------------------------------- */

static void
on_socket(uv_poll_t *poll, int status, int events)
{
	const struct watch *watch = CONTAINER_OF(poll, struct watch, poll);
	struct http_client *client = watch->client;
	int running;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
	flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
	curl_multi_socket_action(client->multi, watch->fd, flags, &running);
	finish_those_over(client);
}

static void
on_time(uv_timer_t *timer)
{
	struct http_client *client = CONTAINER_OF(timer, struct http_client, timer);
	int running;
	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_those_over(client);
}

static void
watch_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct watch, poll));
}

static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct http_client *client = context;
	struct watch *watch = socket_context;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch != NULL) {
			curl_multi_assign(client->multi, fd, NULL);
			uv_close((uv_handle_t *)&watch->poll, watch_closed);
		}
		return 0;
	}
	if (watch == NULL) {
		watch = calloc(1, sizeof *watch);
		if (watch == NULL)
			return -1;
		watch->client = client;
		watch->fd = fd;
		if (uv_poll_init(&client->loop->uv, &watch->poll, fd) != 0) {
			free(watch);
			return -1;
		}
		curl_multi_assign(client->multi, fd, watch);
	}
	const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
	                   ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
	return uv_poll_start(&watch->poll, events, on_socket) == 0 ? 0 : -1;
}

static int
watch_time(CURLM *multi, long timeout_ms, void *context)
{
	struct http_client *client = context;
	(void)multi;
	if (client->ending)
		return 0;
	if (timeout_ms < 0)
		uv_timer_stop(&client->timer);
	else
		uv_timer_start(&client->timer, on_time, (uint64_t)timeout_ms, 0);
	return 0;
}

/* -- life -------------------------------------------------------------------------------------- */

static void
timer_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF((uv_timer_t *)handle, struct http_client, timer));
}

int
http_client_create(struct http_client **out, struct loop *loop)
{
	struct http_client *client = calloc(1, sizeof *client);
	if (client == NULL)
		return -ENOMEM;
	client->loop = loop;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		client->multi = curl_multi_init();
	if (client->multi == NULL ||
	    slab_create(&client->requests, sizeof(struct request), HTTP_CLIENT_REQUESTS_MAX) != 0) {
		if (client->multi != NULL)
			curl_multi_cleanup(client->multi);
		free(client);
		return -ENOMEM;
	}
	uv_timer_init(&loop->uv, &client->timer);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, watch_time);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	*out = client;
	return 0;
}

void
http_client_destroy(struct http_client *client)
{
	if (client == NULL)
		return;
	client->ending = true;
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&client->requests, &at)) != 0;)
		request_free(slab_get(&client->requests, handle));
	curl_multi_cleanup(client->multi);
	slab_destroy(&client->requests);
	uv_close((uv_handle_t *)&client->timer, timer_closed);
}

/* -- a request --------------------------------------------------------------------------------- */

static size_t
on_body(char *bytes, size_t one, size_t len, void *context)
{
	struct request *request = context;
	(void)one; /* libcurl: always 1 */
	if (len > HTTP_CLIENT_BODY_MAX - request->body_len) {
		request->too_large = true;
		return 0;
	}
	if (request->body_len + len > request->body_cap) {
		size_t cap = request->body_cap != 0 ? request->body_cap : BODY_BYTES_FIRST;
		while (cap < request->body_len + len)
			cap *= 2;
		char *more = realloc(request->body, cap);
		if (more == NULL)
			return 0;
		request->body = more;
		request->body_cap = cap;
	}
	memcpy(request->body + request->body_len, bytes, len);
	request->body_len += len;
	return len;
}

static size_t
on_header(char *bytes, size_t one, size_t len, void *context)
{
	struct request *request = context;
	struct str value = { bytes, len };
	(void)one;
	if (str_eq_nocase(str_cut(&value, ':'), STR("Location")))
		(void)str_copy(request->location, sizeof request->location, str_trim(value));
	return len;
}

static bool
add_header(struct request *request, const char *line)
{
	struct curl_slist *more = curl_slist_append(request->headers, line);
	request->headers = more != NULL ? more : request->headers;
	return more != NULL;
}

/* "Expect: 100-continue" costs a second with servers that do not know it. */
static bool
add_headers(struct request *request, const char *const *headers)
{
	unsigned count = 0;
	if (!add_header(request, "Expect:"))
		return false;
	for (; headers != NULL && headers[count] != NULL; count++) {
		if (count == HTTP_CLIENT_HEADERS_MAX || !add_header(request, headers[count]))
			return false;
	}
	return true;
}

static void
set_body(CURL *easy, const struct http_client_request *settings)
{
	const char *method = settings->method != NULL ? settings->method : "GET";
	const bool get = strcmp(method, "GET") == 0;
	if (!get || settings->body.len != 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)settings->body.len);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
		                 settings->body.len != 0 ? settings->body.at : "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void
set_options(struct request *request, const struct http_client_request *settings)
{
	CURL *easy = request->easy;
	const int64_t ms = settings->timeout_us != 0 ? settings->timeout_us / 1000 : TIMEOUT_MS;
	curl_easy_setopt(easy, CURLOPT_URL, settings->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not what the environment says */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "Convoke");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	if (settings->trust != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, settings->trust);
	if (settings->user != NULL) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, settings->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, settings->password);
	}
	set_body(easy, settings);
}

int
http_client_send(struct http_client *client, const struct http_client_request *settings,
                 uint32_t *out)
{
	uint32_t handle = 0;
	CHECK(settings->done != NULL);
	if (strlen(settings->url) >= HTTP_CLIENT_URL_MAX)
		return -EINVAL;
	struct request *request = slab_take(&client->requests, &handle);
	if (request == NULL)
		return -EAGAIN;
	request->handle = handle;
	request->client = client;
	request->done = settings->done;
	request->context = settings->context;
	request->easy = curl_easy_init();
	if (request->easy == NULL || !add_headers(request, settings->headers)) {
		const int rc = request->easy == NULL ? -ENOMEM : -EINVAL;
		curl_easy_cleanup(request->easy);
		curl_slist_free_all(request->headers);
		slab_free(&client->requests, handle);
		return rc;
	}
	set_options(request, settings);
	if (curl_multi_add_handle(client->multi, request->easy) != CURLM_OK) {
		request_free(request);
		return -ENOMEM;
	}
	*out = handle;
	return 0;
}

void
http_client_drop(struct http_client *client, uint32_t handle)
{
	struct request *request = slab_get(&client->requests, handle);
	if (request != NULL)
		request_free(request);
}
