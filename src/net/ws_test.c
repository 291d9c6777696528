/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: messages arrive whole in both directions, over TCP and TLS; broken rules, long messages,
 * silence and slow readers end a connection with the right code; a client says why it could not
 * connect.  Method: our client against our server, and raw frames against our server. */
#include "net/http_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "net/tcp.h"
#include "net/test_certs.h"
#include "net/ws_frame.h"

enum { MESSAGE_MAX = 2 << 20, RAW_MAX = 65536 };

struct side {
	struct scene *scene;
	ws_id id;
	unsigned opened;
	unsigned messages;
	unsigned drained;
	unsigned closed;
	unsigned code;
	char text[HTTP_REASON_MAX];
	enum ws_kind kind;
	size_t len;
	uint8_t *bytes; /* the last message */
	bool echo;
	bool close_on_message;
};

struct scene {
	struct loop *loop;
	struct http *http;
	struct http_listener *listener;
	struct side server; /* the latest connection's */
	struct side client;
	struct ws_limits server_limits;
	http_request_id late; /* an opening that is to be decided later */
	char offered[64];
	/* The raw client. */
	struct tcp_connection *raw;
	bool raw_closed;
	size_t raw_len;
	uint8_t raw_bytes[RAW_MAX];
};

static void
side_opened(void *context, ws_id id)
{
	struct side *side = context;
	EXPECT_EQ(id.v, side->id.v);
	side->opened++;
}

static void
side_message(void *context, ws_id id, enum ws_kind kind, const uint8_t *bytes, size_t len)
{
	struct side *side = context;
	EXPECT_EQ(id.v, side->id.v);
	EXPECT(len <= MESSAGE_MAX);
	side->messages++;
	side->kind = kind;
	side->len = len;
	if (len != 0)
		memcpy(side->bytes, bytes, len);
	if (side->echo)
		EXPECT_EQ(ws_send(side->scene->http, id, kind, bytes, len), 0);
	if (side->close_on_message)
		ws_close(side->scene->http, id, 4001, "enough");
}

static void
side_drained(void *context, ws_id id)
{
	(void)id;
	struct side *side = context;
	side->drained++;
}

static void
side_closed(void *context, ws_id id, const struct ws_close *close)
{
	struct side *side = context;
	EXPECT_EQ(id.v, side->id.v);
	EXPECT_EQ(ws_send(side->scene->http, id, WS_TEXT, "x", 1), -ENOENT);
	side->closed++;
	side->code = close->code;
	str_copy(side->text, sizeof side->text, str_of(close->text));
}

static const struct ws_handler side_handler = {
	.opened = side_opened,
	.message = side_message,
	.drained = side_drained,
	.closed = side_closed,
};

static void
refuse_all(void *context, const struct http_request *request)
{
	struct scene *scene = context;
	http_respond_text(scene->http, request->id, 404, "text/plain", STR("nothing here\n"));
}

static void
upgrade(void *context, const struct http_request *request)
{
	struct scene *scene = context;
	str_copy(scene->offered, sizeof scene->offered, request->ws_protocols);
	if (str_eq(request->path, STR("/forbidden"))) {
		http_respond_text(scene->http, request->id, 403, "text/plain",
		                  STR("not for you\nreally"));
	} else if (str_eq(request->path, STR("/late"))) {
		scene->late = request->id;
	} else {
		const bool sip = http_list_has(request->ws_protocols, STR("sip"));
		scene->server.id =
		        ws_accept(scene->http, request->id, &side_handler, &scene->server,
		                  sip ? STR("sip") : STR(""), &scene->server_limits);
		EXPECT(scene->server.id.v != 0);
	}
}

static void
scene_open(struct scene *scene, struct tls_context *tls)
{
	*scene = (struct scene){ 0 };
	scene->server.scene = scene;
	scene->client.scene = scene;
	scene->server.bytes = malloc(MESSAGE_MAX);
	scene->client.bytes = malloc(MESSAGE_MAX);
	EXPECT(scene->server.bytes != NULL && scene->client.bytes != NULL);
	scene->server_limits.message_bytes_max = 1 << 20;
	EXPECT_EQ(loop_create(&scene->loop), 0);
	EXPECT_EQ(http_create(&scene->http, scene->loop, 64), 0);
	EXPECT_EQ(http_listen(&scene->listener, scene->http,
	                      &(struct http_listen_settings){ .bind = addr_ip4(127, 0, 0, 1, 0),
	                                                      .tls = tls,
	                                                      .request = refuse_all,
	                                                      .upgrade = upgrade,
	                                                      .context = scene }),
	          0);
}

static void
scene_close(struct scene *scene)
{
	tcp_abort(scene->raw);
	http_destroy(scene->http);
	loop_destroy(scene->loop);
	free(scene->server.bytes);
	free(scene->client.bytes);
}

static void
run(struct scene *scene, int64_t us)
{
	loop_run_until(scene->loop, loop_now_us() + us);
}

/* Runs until `*count` reaches `wanted`, or two seconds. */
static void
await(struct scene *scene, const unsigned *count, unsigned wanted)
{
	for (unsigned i = 0; i < 400 && *count < wanted; i++)
		run(scene, 5000);
	EXPECT_EQ(*count, wanted);
}

static void
connect_client(struct scene *scene, struct ws_connect_settings settings)
{
	if (settings.to.family == ADDR_NONE)
		settings.to = *http_listener_local(scene->listener);
	if (settings.path == NULL)
		settings.path = "/ws?a=b";
	if (settings.host == NULL)
		settings.host = "host.test";
	settings.limits.message_bytes_max = 1 << 20;
	settings.handler = &side_handler;
	settings.context = &scene->client;
	scene->client.id = ws_connect(scene->http, &settings);
	EXPECT(scene->client.id.v != 0);
}

static void
echo_all(struct scene *scene)
{
	const size_t lens[] = { 0, 1, 125, 126, 127, 4000, 65535, 65536, 700000 };
	uint8_t *bytes = malloc(MESSAGE_MAX);
	for (size_t i = 0; i < MESSAGE_MAX; i++)
		bytes[i] = (uint8_t)('a' + i % 26);
	scene->server.echo = true;
	for (unsigned i = 0; i < sizeof lens / sizeof *lens; i++) {
		const enum ws_kind kind = i % 2 != 0 ? WS_TEXT : WS_BINARY;
		EXPECT_EQ(ws_send(scene->http, scene->client.id, kind, bytes, lens[i]), 0);
		await(scene, &scene->client.messages, i + 1);
		EXPECT_EQ(scene->client.len, lens[i]);
		EXPECT_EQ(scene->client.kind, kind);
		EXPECT(memcmp(scene->client.bytes, bytes, lens[i]) == 0);
	}
	free(bytes);
}

TEST(messages_of_every_length_come_back)
{
	struct scene scene;
	scene_open(&scene, NULL);
	connect_client(&scene, (struct ws_connect_settings){ .protocol = "sip" });
	await(&scene, &scene.client.opened, 1);
	EXPECT_STR(str_of(scene.offered), "sip");
	const struct net_addr peer = ws_peer(scene.http, scene.client.id);
	EXPECT(addr_eq(&peer, http_listener_local(scene.listener)));
	echo_all(&scene);

	ws_close(scene.http, scene.client.id, 1000, "done");
	await(&scene, &scene.client.closed, 1);
	EXPECT_EQ(scene.client.code, 1000);
	await(&scene, &scene.server.closed, 1);
	EXPECT_EQ(scene.server.code, 1000);
	EXPECT_STR(str_of(scene.server.text), "done");
	EXPECT_EQ(http_listener_counters(scene.listener).ws_accepted, 1);
	scene_close(&scene);
}

static struct tls_context *
context_of(struct tls_settings settings)
{
	char error[TLS_ERROR_MAX];
	struct tls_context *context = NULL;
	EXPECT_EQ(tls_context_create(&context, &settings, error), 0);
	return context;
}

static struct tls_context *
mutual_server(const char *cert, const char *key)
{
	return context_of((struct tls_settings){ .server = true,
	                                         .cert_file = test_cert(cert),
	                                         .key_file = test_cert(key),
	                                         .client_certificate = true,
	                                         .trust_file = test_cert("authority.crt") });
}

TEST(so_they_do_over_tls_with_certificates_of_both_sides)
{
	struct scene scene;
	struct tls_context *server = mutual_server("good.crt", "good.key");
	struct tls_context *client =
	        context_of((struct tls_settings){ .cert_file = test_cert("client.crt"),
	                                          .key_file = test_cert("client.key"),
	                                          .trust_file = test_cert("authority.crt") });
	scene_open(&scene, server);
	connect_client(&scene, (struct ws_connect_settings){ .tls = client });
	await(&scene, &scene.client.opened, 1);
	echo_all(&scene);
	tls_context_destroy(server);
	tls_context_destroy(client);
	scene_close(&scene);
}

TEST(a_client_that_cannot_connect_says_why)
{
	struct scene scene;
	struct tls_context *server = mutual_server("good.crt", "good.key");
	struct tls_context *stranger = mutual_server("stranger.crt", "stranger.key");
	struct tls_context *bare =
	        context_of((struct tls_settings){ .trust_file = test_cert("authority.crt") });
	struct tls_context *named =
	        context_of((struct tls_settings){ .cert_file = test_cert("client.crt"),
	                                          .key_file = test_cert("client.key"),
	                                          .trust_file = test_cert("authority.crt") });
	const struct {
		struct tls_context *server;
		struct ws_connect_settings settings;
		const char *text;
	} cases[] = {
		{ stranger,
		  { .tls = named },
		  "TLS: certificate verify failed: unable to get local issuer certificate" },
		{ server,
		  { .tls = named, .host = "wrong.test" },
		  "TLS: certificate verify failed: hostname mismatch" },
		{ server, { .tls = bare }, "TLS: tlsv13 alert certificate required" },
		{ server,
		  { .tls = named, .path = "/forbidden" },
		  "HTTP 403 Forbidden: not for you" },
		{ NULL, { .tls = named }, "TLS: wrong version number" },
		{ NULL, { .to = addr_ip4(127, 0, 0, 1, 1) }, "connection refused" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		scene_open(&scene, cases[i].server);
		connect_client(&scene, cases[i].settings);
		EXPECT_EQ(scene.client.closed, 0);
		await(&scene, &scene.client.closed, 1);
		EXPECT_EQ(scene.client.code, 1006);
		EXPECT_STR(str_of(scene.client.text), cases[i].text);
		scene_close(&scene);
	}
	tls_context_destroy(server);
	tls_context_destroy(stranger);
	tls_context_destroy(bare);
	tls_context_destroy(named);
}

static void
raw_received(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	struct scene *scene = context;
	(void)connection;
	EXPECT(scene->raw_len + len <= RAW_MAX);
	memcpy(scene->raw_bytes + scene->raw_len, bytes, len);
	scene->raw_len += len;
}

static void
raw_closed(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	struct scene *scene = context;
	(void)connection;
	(void)end;
	(void)text;
	scene->raw = NULL;
	scene->raw_closed = true;
}

static const struct tcp_handler raw_handler = { .received = raw_received, .closed = raw_closed };

/* A raw connection; with frames behind its opening when `early` is not NULL. */
static void
raw_connect(struct scene *scene, const char *path, const uint8_t *early, size_t early_len)
{
	char text[512];
	scene->raw_len = 0;
	scene->raw_closed = false;
	EXPECT_EQ(tcp_connect(&scene->raw, scene->loop,
	                      &(struct tcp_connect_settings){
	                              .to = *http_listener_local(scene->listener),
	                              .handler = &raw_handler,
	                              .context = scene,
	                              .limits = { .queue_bytes_max = 4 << 20 } }),
	          0);
	run(scene, 10000);
	snprintf(text, sizeof text,
	         "GET %s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	         path);
	EXPECT_EQ(tcp_send(scene->raw, text, strlen(text)), 0);
	if (early != NULL)
		EXPECT_EQ(tcp_send(scene->raw, early, early_len), 0);
}

/* Waits for the 101, which is then forgotten. */
static void
raw_open(struct scene *scene)
{
	for (unsigned i = 0; i < 400 && scene->raw_len < 4; i++)
		run(scene, 5000);
	EXPECT(scene->raw_len > 12 && memcmp(scene->raw_bytes, "HTTP/1.1 101", 12) == 0);
	scene->raw_len = 0;
}

/* A frame with a zero mask, so that its payload can be read here. */
static void
raw_frame(struct scene *scene, unsigned first, const char *payload)
{
	uint8_t bytes[256];
	const size_t len = strlen(payload);
	bytes[0] = (uint8_t)first;
	bytes[1] = (uint8_t)(0x80 | len);
	memset(bytes + 2, 0, 4);
	memcpy(bytes + 6, payload, len);
	EXPECT(len <= 125);
	EXPECT_EQ(tcp_send(scene->raw, bytes, 6 + len), 0);
}

TEST(fragments_with_control_frames_between_make_one_message)
{
	struct scene scene;
	scene_open(&scene, NULL);
	raw_connect(&scene, "/ws", NULL, 0);
	raw_open(&scene);
	raw_frame(&scene, 0x01, "K\xc3");
	raw_frame(&scene, 0x89, "are you there");
	raw_frame(&scene, 0x00, "\xb6l");
	raw_frame(&scene, 0x80, "n");
	await(&scene, &scene.server.messages, 1);
	EXPECT_EQ(scene.server.kind, WS_TEXT);
	EXPECT_STR(((struct str){ (char *)scene.server.bytes, scene.server.len }), "K\xc3\xb6ln");
	EXPECT_EQ(scene.raw_len, 2 + 13);
	EXPECT_EQ(scene.raw_bytes[0], 0x8a);
	EXPECT(memcmp(scene.raw_bytes + 2, "are you there", 13) == 0);
	scene_close(&scene);
}

TEST(each_broken_rule_closes_with_its_code)
{
	static const struct {
		const char *bytes;
		size_t len;
		unsigned code;
	} cases[] = {
		{ "\x81\x01x", 3, 1002 },                         /* not masked */
		{ "\xc1\x80\0\0\0\0", 6, 1002 },                  /* a reserved bit */
		{ "\x83\x80\0\0\0\0", 6, 1002 },                  /* a reserved opcode */
		{ "\x80\x80\0\0\0\0", 6, 1002 },                  /* continues nothing */
		{ "\x01\x80\0\0\0\0\x81\x80\0\0\0\0", 12, 1002 }, /* a message in a message */
		{ "\x09\x80\0\0\0\0", 6, 1002 },                  /* a ping in pieces */
		{ "\x89\xfe\0\x7e\0\0\0\0", 8, 1002 },            /* a ping of 126 bytes */
		{ "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10,
		  1002 }, /* longer than there are */
		{ "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14, 1009 }, /* than we take */
		{ "\x82\xff\0\0\0\0\0\x10\0\x01\0\0\0\0", 14, 1009 }, /* one byte too many */
		{ "\x81\x82\0\0\0\0\xc3\x28", 8, 1007 },              /* not UTF-8 */
		{ "\x88\x81\0\0\0\0x", 7, 1002 },                     /* half a close code */
		{ "\x88\x82\0\0\0\0\x03\xed", 8, 1002 },              /* 1005 on the wire */
	};
	struct scene scene;
	scene_open(&scene, NULL);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		raw_connect(&scene, "/ws", NULL, 0);
		raw_open(&scene);
		EXPECT_EQ(tcp_send(scene.raw, cases[i].bytes, cases[i].len), 0);
		await(&scene, &scene.server.closed, i + 1);
		EXPECT_EQ(scene.server.code, cases[i].code);
		for (unsigned n = 0; n < 400 && !scene.raw_closed; n++)
			run(&scene, 5000);
		EXPECT(scene.raw_closed && scene.raw_len >= 4);
		EXPECT_EQ(scene.raw_bytes[0], 0x88);
		EXPECT_EQ(scene.raw_bytes[2] * 256 + scene.raw_bytes[3], cases[i].code);
	}
	EXPECT_EQ(scene.server.messages, 0);
	scene_close(&scene);
}

TEST(a_lying_length_costs_nothing_but_its_connection)
{
	/* A megabyte is announced, a few bytes come, then nothing: the message is never delivered and
	 * the connection ends by its silence. */
	struct scene scene;
	scene_open(&scene, NULL);
	scene.server_limits.ping_us = 50000;
	scene.server_limits.pong_us = 50000;
	raw_connect(&scene, "/ws", NULL, 0);
	raw_open(&scene);
	EXPECT_EQ(tcp_send(scene.raw,
	                   "\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0"
	                   "abc",
	                   17),
	          0);
	await(&scene, &scene.server.closed, 1);
	EXPECT_EQ(scene.server.code, 1006);
	EXPECT_STR(str_of(scene.server.text), "no sign of life from peer");
	EXPECT_EQ(scene.server.messages, 0);
	scene_close(&scene);
}

TEST(pings_keep_a_quiet_connection)
{
	struct scene scene;
	scene_open(&scene, NULL);
	scene.server_limits.ping_us = 20000;
	scene.server_limits.pong_us = 200000;
	connect_client(&scene, (struct ws_connect_settings){ 0 });
	await(&scene, &scene.client.opened, 1);
	run(&scene, 400000);
	EXPECT_EQ(scene.client.closed + scene.server.closed, 0);
	scene_close(&scene);
}

TEST(frames_that_come_before_the_answer_are_kept)
{
	struct scene scene;
	scene_open(&scene, NULL);
	static const uint8_t early[] = { 0x81, 0x82, 0, 0, 0, 0, 'h', 'i' };
	raw_connect(&scene, "/ws", early, sizeof early);
	await(&scene, &scene.server.messages, 1);
	tcp_abort(scene.raw);
	await(&scene, &scene.server.closed, 1);

	raw_connect(&scene, "/late", early, sizeof early);
	run(&scene, 30000);
	EXPECT(scene.late.v != 0);
	scene.server.id =
	        ws_accept(scene.http, scene.late, &side_handler, &scene.server, STR(""), NULL);
	EXPECT(scene.server.id.v != 0);
	EXPECT_EQ(scene.server.messages, 1); /* never inside ws_accept() */
	EXPECT_EQ(tcp_send(scene.raw, early, sizeof early), 0);
	await(&scene, &scene.server.messages, 3);
	EXPECT_EQ(scene.server.len, 2);
	EXPECT_EQ(ws_accept(scene.http, scene.late, &side_handler, &scene.server, STR(""), NULL).v,
	          0);
	scene_close(&scene);
}

TEST(a_peer_that_does_not_read_is_ended_when_the_queue_is_full)
{
	struct scene scene;
	static uint8_t bytes[100000];
	scene_open(&scene, NULL);
	scene.server_limits.queue_bytes_max = 200000;
	raw_connect(&scene, "/ws", NULL, 0);
	raw_open(&scene);
	tcp_pause(scene.raw, true);
	int rc = 0;
	for (unsigned i = 0; i < 200 && rc == 0; i++) {
		rc = ws_send(scene.http, scene.server.id, WS_BINARY, bytes, sizeof bytes);
		EXPECT(ws_queued(scene.http, scene.server.id) <= 200000 + 14);
		run(&scene, 500);
	}
	EXPECT_EQ(rc, -ENOBUFS);
	await(&scene, &scene.server.closed, 1);
	EXPECT_STR(str_of(scene.server.text), "peer does not read");
	scene_close(&scene);
}

TEST(closing_gives_up_on_a_peer_that_does_not_answer)
{
	struct scene scene;
	scene_open(&scene, NULL);
	raw_connect(&scene, "/ws", NULL, 0);
	raw_open(&scene);
	const int64_t before_us = loop_now_us();
	ws_close(scene.http, scene.server.id, 4000, "bye");
	EXPECT_EQ(ws_send(scene.http, scene.server.id, WS_TEXT, "x", 1), -ENOENT);
	for (unsigned i = 0; i < 1000 && scene.server.closed == 0; i++)
		run(&scene, 5000);
	EXPECT_EQ(scene.server.closed, 1);
	EXPECT_EQ(scene.server.code, 4000);
	EXPECT(loop_now_us() - before_us >= 1900000);
	scene_close(&scene);
}

TEST(a_client_connects_again_after_the_server_was_gone)
{
	struct scene scene;
	scene_open(&scene, NULL);
	connect_client(&scene, (struct ws_connect_settings){ 0 });
	await(&scene, &scene.client.opened, 1);
	const struct net_addr where = *http_listener_local(scene.listener);
	scene.client.close_on_message = true;
	EXPECT_EQ(ws_send(scene.http, scene.server.id, WS_TEXT, "go", 2), 0);
	await(&scene, &scene.client.closed, 1);
	await(&scene, &scene.server.closed, 1);
	EXPECT_EQ(scene.server.code, 4001);
	EXPECT_STR(str_of(scene.server.text), "enough");

	http_unlisten(scene.listener);
	run(&scene, 10000);
	connect_client(&scene, (struct ws_connect_settings){ .to = where });
	await(&scene, &scene.client.closed, 2);
	EXPECT_STR(str_of(scene.client.text), "connection refused");

	EXPECT_EQ(http_listen(&scene.listener, scene.http,
	                      &(struct http_listen_settings){ .bind = where,
	                                                      .request = refuse_all,
	                                                      .upgrade = upgrade,
	                                                      .context = &scene }),
	          0);
	connect_client(&scene, (struct ws_connect_settings){ 0 });
	await(&scene, &scene.client.opened, 2);
	scene_close(&scene);
}

TEST(a_client_is_not_fooled_by_a_server_that_is_none)
{
	struct scene scene;
	scene_open(&scene, NULL);
	connect_client(&scene, (struct ws_connect_settings){ .protocol = "chat" });
	await(&scene, &scene.client.opened, 1); /* no subprotocol chosen: ours to accept */
	ws_close(scene.http, scene.client.id, 1000, NULL);
	await(&scene, &scene.client.closed, 1);

	http_unlisten(scene.listener);
	EXPECT_EQ(http_listen(&scene.listener, scene.http,
	                      &(struct http_listen_settings){ .bind = addr_ip4(127, 0, 0, 1, 0),
	                                                      .request = refuse_all,
	                                                      .context = &scene }),
	          0);
	connect_client(&scene, (struct ws_connect_settings){ 0 });
	await(&scene, &scene.client.closed, 2);
	EXPECT_STR(str_of(scene.client.text), "HTTP 404 Not Found: no WebSocket here");

	connect_client(&scene, (struct ws_connect_settings){ 0 });
	ws_close(scene.http, scene.client.id, 1000, NULL);
	EXPECT_EQ(scene.client.closed, 2);
	await(&scene, &scene.client.closed, 3);
	scene_close(&scene);
}
