/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: requests are answered as they should be, in order, whole or late; what is too big, too slow
 * or malformed is refused and counted; nobody waits for a client that has gone.  Method: raw bytes
 * over loopback connections. */
#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "net/tcp.h"
#include "net/test_certs.h"

enum { HEARD_MAX = 14 << 20, LATER_MAX = 64, BIG_BYTES = 12 << 20 };

struct scene {
	struct loop *loop;
	struct http *http;
	struct http_listener *listener;
	struct tcp_connection *client;
	bool client_closed;
	size_t heard_len;
	char *heard;
	/* The handler's side. */
	unsigned requests;
	char last[1024]; /* "METHOD path query body" */
	char last_header[128];
	char last_tls_name[64];
	size_t last_body_len;
	http_request_id later[LATER_MAX];
	unsigned later_count;
	uint8_t *big;
	bool unlisten_in_handler;
};

static void
client_received(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	struct scene *scene = context;
	(void)connection;
	EXPECT(scene->heard_len + len < HEARD_MAX);
	memcpy(scene->heard + scene->heard_len, bytes, len);
	scene->heard_len += len;
	scene->heard[scene->heard_len] = '\0';
}

static void
client_closed(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	struct scene *scene = context;
	(void)connection;
	(void)end;
	(void)text;
	scene->client_closed = true;
	scene->client = NULL;
}

static const struct tcp_handler client_handler = {
	.received = client_received,
	.closed = client_closed,
};

static void
handle(void *context, const struct http_request *request)
{
	struct scene *scene = context;
	scene->requests++;
	scene->last_body_len = request->body.len;
	snprintf(scene->last, sizeof scene->last, "%.*s %.*s %.*s %.*s", STR_ARGS(request->method),
	         STR_ARGS(request->path), STR_ARGS(request->query),
	         request->body.len < 64 ? (int)request->body.len : 64, request->body.at);
	str_copy(scene->last_header, sizeof scene->last_header,
	         http_request_header(request, "x-test"));
	str_copy(scene->last_tls_name, sizeof scene->last_tls_name,
	         str_of(request->tls_peer_name != NULL ? request->tls_peer_name : ""));
	EXPECT(addr_is_loopback(request->peer));

	if (str_eq(request->path, STR("/later"))) {
		EXPECT(scene->later_count < LATER_MAX);
		scene->later[scene->later_count++] = request->id;
	} else if (str_eq(request->path, STR("/big"))) {
		http_respond(scene->http, request->id,
		             &(struct http_response){
		                     .status = 200,
		                     .body = { (const char *)scene->big, BIG_BYTES },
		                     .body_static = str_eq(request->query, STR("static")) });
	} else if (str_eq(request->path, STR("/injected"))) {
		const struct http_header bad = { STR("Location"), STR("/x\r\nSet-Cookie: a=b") };
		http_respond(scene->http, request->id,
		             &(struct http_response){
		                     .status = 302, .headers = &bad, .header_count = 1 });
	} else if (str_eq(request->path, STR("/none"))) {
		http_respond(scene->http, request->id, &(struct http_response){ .status = 204 });
	} else {
		http_respond_text(scene->http, request->id, 200, "text/plain", request->path);
	}
	if (scene->unlisten_in_handler) {
		http_unlisten(scene->listener);
		scene->listener = NULL;
	}
}

static void
scene_open(struct scene *scene, struct http_listen_settings settings)
{
	*scene = (struct scene){ .heard = malloc(HEARD_MAX), .big = malloc(BIG_BYTES) };
	EXPECT(scene->heard != NULL && scene->big != NULL);
	scene->heard[0] = '\0';
	for (unsigned i = 0; i < BIG_BYTES; i++)
		scene->big[i] = (uint8_t)('a' + i % 23);
	settings.bind = addr_ip4(127, 0, 0, 1, 0);
	settings.request = handle;
	settings.context = scene;
	EXPECT_EQ(loop_create(&scene->loop), 0);
	EXPECT_EQ(http_create(&scene->http, scene->loop, 64), 0);
	EXPECT_EQ(http_listen(&scene->listener, scene->http, &settings), 0);
}

static void
scene_connect_tls(struct scene *scene, struct tls_context *tls)
{
	scene->client_closed = false;
	scene->heard_len = 0;
	scene->heard[0] = '\0';
	EXPECT_EQ(tcp_connect(&scene->client, scene->loop,
	                      &(struct tcp_connect_settings){
	                              .to = *http_listener_local(scene->listener),
	                              .tls = tls,
	                              .host = "host.test",
	                              .handler = &client_handler,
	                              .context = scene,
	                              .limits = { .queue_bytes_max = 128 << 20 } }),
	          0);
	loop_run_until(scene->loop, loop_now_us() + 20000);
}

static void
scene_connect(struct scene *scene)
{
	scene_connect_tls(scene, NULL);
}

static void
scene_close(struct scene *scene)
{
	tcp_abort(scene->client);
	http_destroy(scene->http);
	loop_destroy(scene->loop);
	free(scene->heard);
	free(scene->big);
}

static void
run(struct scene *scene, int64_t us)
{
	loop_run_until(scene->loop, loop_now_us() + us);
}

static void
say(struct scene *scene, const char *text)
{
	if (scene->client != NULL)
		EXPECT_EQ(tcp_send(scene->client, text, strlen(text)), 0);
}

/* How often `text` was heard. */
static unsigned
heard(const struct scene *scene, const char *text)
{
	unsigned count = 0;
	for (const char *at = scene->heard; (at = strstr(at, text)) != NULL; at += strlen(text))
		count++;
	return count;
}

/* Runs until `text` was heard `count` times, or two seconds. */
static void
await(struct scene *scene, const char *text, unsigned count)
{
	for (unsigned i = 0; i < 400 && heard(scene, text) < count; i++)
		run(scene, 5000);
	EXPECT_EQ(heard(scene, text), count);
}

static void
await_close(struct scene *scene)
{
	for (unsigned i = 0; i < 400 && !scene->client_closed; i++)
		run(scene, 5000);
	EXPECT(scene->client_closed);
}

#define HOST "Host: host.test\r\n"

TEST(requests_are_answered_and_the_connection_kept)
{
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	scene_connect(&scene);
	say(&scene, "GET /one?x=y HTTP/1.1\r\n" HOST "X-Test: seen \r\n\r\n");
	await(&scene, "\r\n\r\n/one", 1);
	EXPECT_STR(str_of(scene.last), "GET /one x=y ");
	EXPECT_STR(str_of(scene.last_header), "seen");
	EXPECT_EQ(heard(&scene, "HTTP/1.1 200 OK\r\n"), 1);
	EXPECT_EQ(heard(&scene, "Content-Length: 4\r\n"), 1);
	EXPECT_EQ(heard(&scene, "Date: "), 1);

	say(&scene, "POST /two HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
	await(&scene, "\r\n\r\n/two", 1);
	EXPECT_STR(str_of(scene.last), "POST /two  hello");

	say(&scene, "PUT /three HTTP/1.1\r\n" HOST
	            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n");
	await(&scene, "\r\n\r\n/three", 1);
	EXPECT_STR(str_of(scene.last), "PUT /three  abcde");

	say(&scene, "HEAD /four HTTP/1.1\r\n" HOST "\r\nDELETE /none HTTP/1.1\r\n" HOST "\r\n");
	await(&scene, "HTTP/1.1 204 No Content\r\n", 1);
	EXPECT_EQ(heard(&scene, "\r\n\r\n/four"), 0);
	EXPECT_EQ(heard(&scene, "Content-Length: 5\r\n"), 1);

	say(&scene, "GET /five HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	await_close(&scene);
	EXPECT_EQ(heard(&scene, "\r\n\r\n/five"), 1);
	EXPECT_EQ(heard(&scene, "Connection: close\r\n"), 1);
	EXPECT_EQ(http_listener_counters(scene.listener).requests, 6);
	EXPECT_EQ(http_listener_counters(scene.listener).bad_requests, 0);
	scene_close(&scene);
}

TEST(a_request_may_come_byte_by_byte)
{
	static const char text[] = "POST /slow HTTP/1.1\r\n" HOST
	                           "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	scene_connect(&scene);
	for (size_t i = 0; i < sizeof text - 1; i++) {
		EXPECT_EQ(tcp_send(scene.client, text + i, 1), 0);
		run(&scene, 200);
	}
	await(&scene, "\r\n\r\n/slow", 1);
	EXPECT_STR(str_of(scene.last), "POST /slow  ab");
	scene_close(&scene);
}

TEST(many_pipelined_requests_are_answered_in_order)
{
	enum { COUNT = 3000 };
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	scene_connect(&scene);
	char text[128];
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(text, sizeof text,
		         "POST /%u HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nok", i);
		say(&scene, text);
	}
	await(&scene, "HTTP/1.1 200 OK", COUNT);
	const char *at = scene.heard;
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(text, sizeof text, "\r\n\r\n/%u", i);
		at = strstr(at, text);
		EXPECT(at != NULL);
	}
	EXPECT(!scene.client_closed);
	scene_close(&scene);
}

TEST(late_answers_keep_the_order_of_their_requests)
{
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	scene_connect(&scene);
	say(&scene, "GET /later HTTP/1.1\r\n" HOST "\r\nPOST /after HTTP/1.1\r\n" HOST
	            "Content-Length: 1\r\n\r\nxGET /later HTTP/1.1\r\n" HOST "\r\n");
	run(&scene, 30000);
	say(&scene, "GET /last HTTP/1.1\r\n" HOST "\r\n");
	run(&scene, 30000);
	EXPECT_EQ(scene.later_count, 1);
	EXPECT_EQ(scene.requests, 1);
	EXPECT_EQ(scene.heard_len, 0);
	http_respond_text(scene.http, scene.later[0], 200, "text/plain", STR("first late"));
	http_respond_text(scene.http, scene.later[0], 200, "text/plain", STR("twice"));
	await(&scene, "\r\n\r\n/after", 1);
	EXPECT_EQ(scene.later_count, 2);
	http_respond_text(scene.http, scene.later[1], 200, "text/plain", STR("second late"));
	await(&scene, "\r\n\r\n/last", 1);
	EXPECT(strstr(scene.heard, "first late") < strstr(scene.heard, "/after"));
	EXPECT(strstr(scene.heard, "/after") < strstr(scene.heard, "second late"));
	EXPECT_EQ(heard(&scene, "twice"), 0);
	scene_close(&scene);
}

TEST(an_answer_to_a_client_that_has_gone_is_a_no_op)
{
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	scene_connect(&scene);
	say(&scene, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	run(&scene, 30000);
	EXPECT_EQ(scene.later_count, 1);
	tcp_abort(scene.client);
	scene.client = NULL;
	run(&scene, 30000);
	EXPECT_EQ(http_listener_counters(scene.listener).connections, 0);
	http_respond_text(scene.http, scene.later[0], 200, "text/plain", STR("anyone?"));
	http_respond_text(scene.http, (http_request_id){ 0 }, 200, "text/plain", STR("x"));
	scene_close(&scene);
}

TEST(long_answers_arrive_whole_copied_or_not)
{
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	for (unsigned i = 0; i < 2; i++) {
		scene_connect(&scene);
		tcp_pause(scene.client, true);
		say(&scene, i == 0 ? "GET /big HTTP/1.1\r\n" HOST "\r\nGET /end HTTP/1.1\r\n" HOST
		                     "\r\n"
		                   : "GET /big?static HTTP/1.1\r\n" HOST
		                     "\r\nGET /end HTTP/1.1\r\n" HOST "\r\n");
		run(&scene, 50000);
		tcp_pause(scene.client, false);
		await(&scene, "\r\n\r\n/end", 1);
		const char *body = strstr(scene.heard, "\r\n\r\n") + 4;
		EXPECT(memcmp(body, scene.big, BIG_BYTES) == 0);
		tcp_abort(scene.client);
		scene.client = NULL;
	}
	scene_close(&scene);
}

static uint32_t
limit_by_path(void *context, const struct http_request *request)
{
	(void)context;
	EXPECT_EQ(request->body.len, 0);
	return str_eq(request->path, STR("/wide")) ? 1000 : 10;
}

TEST(bodies_beyond_their_limit_are_refused_before_they_are_kept)
{
	struct scene scene;
	static char filler[1 << 20];
	memset(filler, 'x', sizeof filler);
	scene_open(&scene, (struct http_listen_settings){ .body_limit = limit_by_path });

	scene_connect(&scene);
	say(&scene, "POST /wide HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n");
	EXPECT_EQ(tcp_send(scene.client, filler, 1000), 0);
	await(&scene, "HTTP/1.1 200 OK", 1);
	EXPECT_EQ(scene.last_body_len, 1000);
	say(&scene, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n");
	await(&scene, "HTTP/1.1 413 ", 1);
	await_close(&scene);

	/* A hundred megabytes are announced and sent, the answer arrives all the same. */
	scene_connect(&scene);
	say(&scene, "POST /wide HTTP/1.1\r\n" HOST "Content-Length: 104857600\r\n\r\n");
	for (unsigned i = 0; i < 100 && scene.client != NULL; i++) {
		(void)tcp_send(scene.client, filler, sizeof filler);
		run(&scene, 100);
	}
	await(&scene, "HTTP/1.1 413 ", 1);
	await_close(&scene);

	scene_connect(&scene);
	say(&scene, "POST /x HTTP/1.1\r\n" HOST
	            "Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n3\r\nabc\r\n");
	await(&scene, "HTTP/1.1 413 ", 1);
	await_close(&scene);
	EXPECT_EQ(scene.requests, 1);
	EXPECT_EQ(http_listener_counters(scene.listener).bad_requests, 3);
	scene_close(&scene);
}

TEST(a_client_that_asks_before_sending_its_body_is_told_to_go_on)
{
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	scene_connect(&scene);
	say(&scene,
	    "POST /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	await(&scene, "HTTP/1.1 100 Continue\r\n\r\n", 1);
	say(&scene, "ok");
	await(&scene, "HTTP/1.1 200 OK", 1);
	scene_close(&scene);
}

TEST(malformed_requests_are_answered_and_never_shown)
{
	static const struct {
		const char *text;
		const char *answer;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 " },
		{ "NONSENSE\r\n\r\n", "HTTP/1.1 400 " },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 3\r\n\r\nhello",
		  "HTTP/1.1 400 " },
		{ "GET / HTTP/1.1\r\n" HOST
		  "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		  "HTTP/1.1 400 " },
		{ "GET / HTTP/9.9\r\n" HOST "\r\n", "HTTP/1.1 505 " },
		{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 " },
		{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		  "HTTP/1.1 400 " },
		{ "GET /ws HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		  "HTTP/1.1 426 " },
		{ "GET /ws HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
		  "HTTP/1.1 400 " },
	};
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		scene_connect(&scene);
		say(&scene, cases[i].text);
		await(&scene, cases[i].answer, 1);
		await_close(&scene);
	}
	EXPECT_EQ(scene.requests, 0);

	/* 100 kB of header, and of first line. */
	static char filler[100000];
	memset(filler, 'x', sizeof filler - 1);
	scene_connect(&scene);
	say(&scene, "GET / HTTP/1.1\r\nX: ");
	say(&scene, filler);
	await(&scene, "HTTP/1.1 431 ", 1);
	await_close(&scene);
	scene_connect(&scene);
	say(&scene, "GET /");
	say(&scene, filler);
	await(&scene, "HTTP/1.1 414 ", 1);
	await_close(&scene);
	EXPECT_EQ(http_listener_counters(scene.listener).bad_requests, 11);
	scene_close(&scene);
}

TEST(an_answer_with_a_line_break_in_a_header_becomes_a_500)
{
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	scene_connect(&scene);
	say(&scene, "GET /injected HTTP/1.1\r\n" HOST "\r\n");
	await(&scene, "HTTP/1.1 500 ", 1);
	EXPECT_EQ(heard(&scene, "Set-Cookie"), 0);
	await_close(&scene);
	scene_close(&scene);
}

TEST(slow_requests_and_idle_connections_are_ended)
{
	struct scene scene;
	scene_open(&scene,
	           (struct http_listen_settings){ .request_us = 60000, .keep_alive_us = 60000 });
	scene_connect(&scene);
	say(&scene, "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < 10 && scene.client != NULL; i++) {
		say(&scene, "X: y\r\n"); /* a little progress is no excuse */
		run(&scene, 10000);
	}
	await(&scene, "HTTP/1.1 408 ", 1);
	await_close(&scene);
	EXPECT_EQ(http_listener_counters(scene.listener).slow_requests, 1);

	scene_connect(&scene);
	say(&scene, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab");
	await(&scene, "HTTP/1.1 408 ", 1);
	await_close(&scene);

	scene_connect(&scene);
	say(&scene, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
	await(&scene, "HTTP/1.1 200 OK", 1);
	await_close(&scene);
	EXPECT_EQ(heard(&scene, "HTTP/1.1"), 1);

	scene_connect(&scene); /* says nothing at all */
	await_close(&scene);
	EXPECT_EQ(scene.heard_len, 0);
	scene_close(&scene);
}

TEST(a_listener_may_go_inside_its_own_handler)
{
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ 0 });
	scene_connect(&scene);
	scene.unlisten_in_handler = true;
	say(&scene, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	run(&scene, 30000);
	EXPECT(scene.listener == NULL);
	http_respond_text(scene.http, scene.later[0], 200, "text/plain", STR("last words"));
	await(&scene, "last words", 1);
	await_close(&scene);
	scene_close(&scene);
}

TEST(over_tls_the_handler_learns_the_name_of_the_client)
{
	char error[TLS_ERROR_MAX];
	struct tls_context *server, *client;
	EXPECT_EQ(
	        tls_context_create(&server,
	                           &(struct tls_settings){ .server = true,
	                                                   .cert_file = test_cert("good.crt"),
	                                                   .key_file = test_cert("good.key"),
	                                                   .client_certificate = true,
	                                                   .trust_file = test_cert("authority.crt"),
	                                                   .alpn = "http/1.1" },
	                           error),
	        0);
	EXPECT_EQ(
	        tls_context_create(&client,
	                           &(struct tls_settings){ .cert_file = test_cert("client.crt"),
	                                                   .key_file = test_cert("client.key"),
	                                                   .trust_file = test_cert("authority.crt"),
	                                                   .alpn = "h2,http/1.1" },
	                           error),
	        0);
	struct scene scene;
	scene_open(&scene, (struct http_listen_settings){ .tls = server });
	scene_connect_tls(&scene, client);
	run(&scene, 50000);
	EXPECT_STR(tls_session_alpn(tcp_tls(scene.client)), "http/1.1");
	say(&scene, "GET /secret HTTP/1.1\r\n" HOST "\r\nGET /big HTTP/1.1\r\n" HOST "\r\n");
	await(&scene, "HTTP/1.1 200 OK", 2);
	EXPECT_STR(str_of(scene.last_tls_name), "client");
	for (unsigned i = 0; i < 400 && scene.heard_len < BIG_BYTES; i++)
		run(&scene, 5000);
	EXPECT(scene.heard_len > BIG_BYTES);
	EXPECT(memcmp(scene.heard + scene.heard_len - BIG_BYTES, scene.big, BIG_BYTES) == 0);
	tls_context_destroy(server);
	tls_context_destroy(client);
	scene_close(&scene);
}
