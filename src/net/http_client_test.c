/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: requests arrive as they were meant and answers come back whole; what goes wrong is told by
 * kind; what was dropped stays silent.  Method: our own HTTP server on the same loop. */
#include "net/http_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"
#include "net/http.h"
#include "net/test_certs.h"
#include "net/tls.h"

struct scene {
	struct loop *loop;
	struct http *http;
	struct http_listener *listener;
	struct tls_context *tls;
	struct http_client *client;
	/* The server's side. */
	char last[512];
	/* The client's. */
	unsigned answers;
	enum http_client_failure failure;
	unsigned status;
	size_t body_len;
	char body[64];
	char location[64];
	char text[HTTP_CLIENT_TEXT_MAX];
};

static void
handle(void *context, const struct http_request *request)
{
	static char big[HTTP_CLIENT_BODY_MAX + 1];
	struct scene *scene = context;
	snprintf(scene->last, sizeof scene->last, "%.*s %.*s '%.*s' [%.*s] len %.*s",
	         STR_ARGS(request->method), STR_ARGS(request->path), STR_ARGS(request->body),
	         STR_ARGS(http_request_header(request, "Content-Type")),
	         STR_ARGS(http_request_header(request, "Content-Length")));
	const struct http_header location = { STR("Location"), STR("/api/v1/x/1") };
	struct http_response response = { .status = 200, .headers = &location, .header_count = 1,
		                          .body = STR("hello") };
	if (str_eq(request->path, STR("/never")))
		return;
	if (str_eq(request->path, STR("/500")))
		response.status = 500;
	if (str_eq(request->path, STR("/whole")) || str_eq(request->path, STR("/big"))) {
		response.body = (struct str){ big, sizeof big };
		response.body.len -= str_eq(request->path, STR("/whole"));
	}
	http_respond(scene->http, request->id, &response);
}

static void
scene_open(struct scene *scene, const char *cert)
{
	struct http_listen_settings settings = { .bind = addr_ip4(127, 0, 0, 1, 0),
		                                 .request = handle, .context = scene };
	*scene = (struct scene){ 0 };
	EXPECT_EQ(loop_create(&scene->loop), 0);
	EXPECT_EQ(http_create(&scene->http, scene->loop, 64), 0);
	if (cert != NULL) {
		char error[TLS_ERROR_MAX];
		char crt[32];
		char key[32];
		snprintf(crt, sizeof crt, "%s.crt", cert);
		snprintf(key, sizeof key, "%s.key", cert);
		const struct tls_settings tls = { .server = true, .cert_file = test_cert(crt),
			                          .key_file = test_cert(key) };
		EXPECT_EQ(tls_context_create(&scene->tls, &tls, error), 0);
		settings.tls = scene->tls;
	}
	EXPECT_EQ(http_listen(&scene->listener, scene->http, &settings), 0);
	EXPECT_EQ(http_client_create(&scene->client, scene->loop), 0);
}

static void
scene_close(struct scene *scene)
{
	http_client_destroy(scene->client);
	http_destroy(scene->http);
	tls_context_destroy(scene->tls);
	loop_destroy(scene->loop);
}

static void
on_done(void *context, uint32_t request, const struct http_client_answer *answer)
{
	struct scene *scene = context;
	(void)request;
	scene->answers++;
	scene->failure = answer->failure;
	scene->status = answer->status;
	scene->body_len = answer->body.len;
	(void)str_copy(scene->body, sizeof scene->body, answer->body);
	(void)str_copy(scene->location, sizeof scene->location, answer->location);
	snprintf(scene->text, sizeof scene->text, "%s", answer->text);
	loop_stop(scene->loop);
}

static const char *
url_of(const struct scene *scene, const char *host, const char *path)
{
	static char url[128];
	snprintf(url, sizeof url, "%s://%s:%u%s", scene->tls != NULL ? "https" : "http", host,
	         http_listener_local(scene->listener)->port, path);
	return url;
}

static uint32_t
send(struct scene *scene, struct http_client_request settings)
{
	uint32_t request = 0;
	settings.done = on_done;
	settings.context = scene;
	EXPECT_EQ(http_client_send(scene->client, &settings, &request), 0);
	EXPECT(request != 0);
	return request;
}

static void
ask(struct scene *scene, struct http_client_request settings)
{
	const unsigned before = scene->answers;
	(void)send(scene, settings);
	EXPECT_EQ(scene->answers, before);
	loop_run_until(scene->loop, loop_now_us() + 20 * 1000000);
	EXPECT_EQ(scene->answers, before + 1);
}

TEST(a_request_arrives_as_it_was_meant)
{
	struct scene scene;
	static const char *const headers[] = { "Content-Type: text/xml", NULL };
	scene_open(&scene, NULL);
	ask(&scene, (struct http_client_request){ .method = "POST", .headers = headers,
	                                          .url = url_of(&scene, "127.0.0.1", "/cdr"),
	                                          .body = STR("<records/>") });
	EXPECT_STR(str_of(scene.last), "POST /cdr '<records/>' [text/xml] len 10");
	EXPECT_EQ(scene.failure, HTTP_CLIENT_OK);
	EXPECT_EQ(scene.status, 200);
	EXPECT_STR(str_of(scene.body), "hello");
	EXPECT_STR(str_of(scene.location), "/api/v1/x/1");
	ask(&scene, (struct http_client_request){ .url = url_of(&scene, "127.0.0.1", "/get") });
	EXPECT_STR(str_of(scene.last), "GET /get '' [] len ");
	ask(&scene, (struct http_client_request){ .method = "PUT", .body = STR("a"),
	                                          .url = url_of(&scene, "127.0.0.1", "/put") });
	EXPECT(strstr(scene.last, "PUT /put 'a'") != NULL);
	ask(&scene, (struct http_client_request){ .method = "POST",
	                                          .url = url_of(&scene, "127.0.0.1", "/500") });
	EXPECT_STR(str_of(scene.last), "POST /500 '' [application/x-www-form-urlencoded] len 0");
	EXPECT_EQ(scene.status, 500);
	EXPECT_EQ(scene.failure, HTTP_CLIENT_OK);
	/* One connection served them all. */
	EXPECT_EQ(http_listener_counters(scene.listener).connections, 1);
	scene_close(&scene);
}

TEST(what_goes_wrong_is_told_by_kind)
{
	struct scene scene;
	scene_open(&scene, NULL);
	ask(&scene, (struct http_client_request){ .url = "http://127.0.0.1:1/" });
	EXPECT_EQ(scene.failure, HTTP_CLIENT_NO_CONNECTION);
	EXPECT(scene.text[0] != '\0');
	ask(&scene, (struct http_client_request){ .url = "http://no-such-host.invalid/" });
	EXPECT_EQ(scene.failure, HTTP_CLIENT_NO_NAME);
	ask(&scene, (struct http_client_request){ .url = url_of(&scene, "127.0.0.1", "/never"),
	                                          .timeout_us = 100 * 1000 });
	EXPECT_EQ(scene.failure, HTTP_CLIENT_TIMEOUT);
	ask(&scene, (struct http_client_request){ .url = "ftp://127.0.0.1/" });
	EXPECT_EQ(scene.failure, HTTP_CLIENT_BROKEN);
	ask(&scene, (struct http_client_request){ .url = url_of(&scene, "127.0.0.1", "/whole") });
	EXPECT_EQ(scene.failure, HTTP_CLIENT_OK);
	EXPECT_EQ(scene.body_len, HTTP_CLIENT_BODY_MAX);
	ask(&scene, (struct http_client_request){ .url = url_of(&scene, "127.0.0.1", "/big") });
	EXPECT_EQ(scene.failure, HTTP_CLIENT_BROKEN);
	EXPECT_STR(str_of(scene.text), "the answer is too large");
	scene_close(&scene);
}

TEST(only_a_certificate_that_proves_itself_is_believed)
{
	static const struct {
		const char *cert;
		const char *host;
		const char *trust;
		enum http_client_failure failure;
	} cases[] = {
		{ "good", "127.0.0.1", "authority.crt", HTTP_CLIENT_OK },
		{ "good", "127.0.0.1", NULL, HTTP_CLIENT_NO_TRUST },
		{ "good", "localhost", "authority.crt", HTTP_CLIENT_NO_TRUST },
		{ "expired", "127.0.0.1", "authority.crt", HTTP_CLIENT_NO_TRUST },
		{ "self", "127.0.0.1", "authority.crt", HTTP_CLIENT_NO_TRUST },
		{ "self", "127.0.0.1", "self.crt", HTTP_CLIENT_OK },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct scene scene;
		scene_open(&scene, cases[i].cert);
		ask(&scene, (struct http_client_request){
		                    .url = url_of(&scene, cases[i].host, "/"),
		                    .trust = cases[i].trust != NULL ? test_cert(cases[i].trust)
		                                                    : NULL });
		EXPECT_EQ(scene.failure, cases[i].failure);
		scene_close(&scene);
	}
}

TEST(what_was_dropped_stays_silent)
{
	struct scene scene;
	scene_open(&scene, NULL);
	const uint32_t never = send(&scene, (struct http_client_request){
	                                            .url = url_of(&scene, "127.0.0.1", "/never") });
	loop_run_until(scene.loop, loop_now_us() + 50 * 1000);
	EXPECT(strstr(scene.last, "/never") != NULL);
	http_client_drop(scene.client, never);
	http_client_drop(scene.client, never);
	ask(&scene, (struct http_client_request){ .url = url_of(&scene, "127.0.0.1", "/x") });
	EXPECT_EQ(scene.answers, 1);
	/* And what is under way when all ends. */
	(void)send(&scene, (struct http_client_request){
	                           .url = url_of(&scene, "127.0.0.1", "/never") });
	loop_run_until(scene.loop, loop_now_us() + 20 * 1000);
	scene_close(&scene);
	EXPECT_EQ(scene.answers, 1);
}

TEST(there_are_only_so_many_at_once)
{
	struct scene scene;
	uint32_t request = 0;
	scene_open(&scene, NULL);
	const struct http_client_request settings = { .url = "http://127.0.0.1:1/",
		                                      .done = on_done, .context = &scene };
	for (unsigned i = 0; i < HTTP_CLIENT_REQUESTS_MAX; i++)
		EXPECT_EQ(http_client_send(scene.client, &settings, &request), 0);
	EXPECT_EQ(http_client_send(scene.client, &settings, &request), -EAGAIN);
	static char long_url[HTTP_CLIENT_URL_MAX + 1];
	memset(long_url, 'x', HTTP_CLIENT_URL_MAX);
	const struct http_client_request bad = { .url = long_url, .done = on_done };
	EXPECT_EQ(http_client_send(scene.client, &bad, &request), -EINVAL);
	scene_close(&scene);
}
