/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: streams carry what was sent, plain and over TLS; every limit and timeout ends the right
 * connection with the right reason; nothing is called after the end.  Method: loopback sockets. */
#include "net/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "net/port_owner.h"
#include "net/sockaddr.h"
#include "net/test_certs.h"

enum { HEARD_MAX = 1 << 20, PEOPLE = 8 };

/* One end of a connection and what became of it. */
struct person {
	struct loop *loop;
	struct tcp_connection *connection;
	unsigned opened;
	unsigned closed;
	unsigned drained;
	enum tcp_end end;
	char text[320];
	size_t heard_len;
	size_t wanted_len; /* then the loop stops */
	bool echo;
	bool close_on_bytes;
	bool abort_on_bytes;
	bool stop_on_close;
	uint8_t heard[HEARD_MAX];
};

struct scene {
	struct loop *loop;
	struct tcp_listener *listener;
	struct person *near; /* connects */
	struct person *far;  /* accepted; later ones have no person */
	unsigned accepted;
};

static void
person_opened(void *context, struct tcp_connection *connection)
{
	struct person *person = context;
	(void)connection;
	person->opened++;
}

static void
person_received(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	struct person *person = context;
	EXPECT(person->heard_len + len <= HEARD_MAX);
	memcpy(person->heard + person->heard_len, bytes, len);
	person->heard_len += len;
	if (person->echo)
		EXPECT_EQ(tcp_send(connection, bytes, len), 0);
	if (person->wanted_len != 0 && person->heard_len >= person->wanted_len)
		loop_stop(person->loop);
	if (person->close_on_bytes || person->abort_on_bytes) {
		if (person->abort_on_bytes)
			tcp_abort(connection);
		else
			tcp_close(connection);
		person->connection = NULL;
	}
}

static void
person_drained(void *context, struct tcp_connection *connection)
{
	struct person *person = context;
	EXPECT_EQ(tcp_queued(connection), 0);
	person->drained++;
}

static void
person_closed(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	struct person *person = context;
	(void)connection;
	person->closed++;
	person->end = end;
	person->connection = NULL;
	str_copy(person->text, sizeof person->text, str_of(text));
	if (person->stop_on_close)
		loop_stop(person->loop);
}

static const struct tcp_handler person_handler = {
	.opened = person_opened,
	.received = person_received,
	.drained = person_drained,
	.closed = person_closed,
};

static void
far_opened(void *context, struct tcp_connection *connection)
{
	struct scene *scene = context;
	if (scene->accepted++ == 0) {
		scene->far->connection = connection;
		scene->far->opened = 1;
		tcp_set_context(connection, scene->far);
		tcp_set_handler(connection, &person_handler);
	}
}

static void
nobody_received(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	(void)context;
	(void)connection;
	(void)bytes;
	(void)len;
}

static void
far_closed(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	struct scene *scene = context;
	(void)connection;
	scene->far->closed++;
	scene->far->end = end;
	str_copy(scene->far->text, sizeof scene->far->text, str_of(text));
	if (scene->far->stop_on_close)
		loop_stop(scene->loop);
}

static const struct tcp_handler far_handler = {
	.opened = far_opened,
	.received = nobody_received,
	.closed = far_closed,
};

static void
scene_open(struct scene *scene, struct tls_context *tls, struct tcp_limits limits)
{
	*scene = (struct scene){ 0 };
	EXPECT_EQ(loop_create(&scene->loop), 0);
	scene->near = calloc(1, sizeof *scene->near);
	scene->far = calloc(1, sizeof *scene->far);
	EXPECT(scene->near != NULL && scene->far != NULL);
	scene->near->loop = scene->loop;
	scene->far->loop = scene->loop;
	EXPECT_EQ(tcp_listen(&scene->listener, scene->loop,
	                     &(struct tcp_listen_settings){ .bind = addr_ip4(127, 0, 0, 1, 0),
	                                                    .tls = tls,
	                                                    .handler = &far_handler,
	                                                    .context = scene,
	                                                    .limits = limits }),
	          0);
}

static void
scene_connect(struct scene *scene, struct tls_context *tls, const char *host,
              struct tcp_limits limits)
{
	EXPECT_EQ(tcp_connect(&scene->near->connection, scene->loop,
	                      &(struct tcp_connect_settings){
	                              .to = *tcp_listener_local(scene->listener),
	                              .tls = tls,
	                              .host = host,
	                              .handler = &person_handler,
	                              .context = scene->near,
	                              .limits = limits }),
	          0);
}

static void
scene_close(struct scene *scene)
{
	tcp_abort(scene->near->connection);
	tcp_abort(scene->far->connection);
	tcp_unlisten(scene->listener);
	loop_destroy(scene->loop);
	free(scene->near);
	free(scene->far);
}

static void
run(struct scene *scene, int64_t us)
{
	loop_run_until(scene->loop, loop_now_us() + us);
}

/* Until both ends are open, or two seconds. */
static void
run_until_open(struct scene *scene)
{
	for (unsigned i = 0; i < 200 && (scene->near->opened == 0 || scene->far->opened == 0); i++)
		run(scene, 10000);
	EXPECT_EQ(scene->near->opened, 1);
	EXPECT_EQ(scene->far->opened, 1);
}

static void
carry(struct tls_context *server, struct tls_context *client)
{
	enum { BYTES = 700000 };
	struct scene scene;
	scene_open(&scene, server, (struct tcp_limits){ .queue_bytes_max = 1 << 20 });
	scene_connect(&scene, client, "host.test",
	              (struct tcp_limits){ .queue_bytes_max = 1 << 20 });
	run_until_open(&scene);
	EXPECT(addr_eq(tcp_peer(scene.near->connection), tcp_listener_local(scene.listener)));
	EXPECT(addr_eq(tcp_local(scene.near->connection), tcp_peer(scene.far->connection)));
	EXPECT_EQ(tcp_tls(scene.near->connection) != NULL, client != NULL);

	uint8_t *bytes = malloc(BYTES);
	for (unsigned i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	scene.far->echo = true;
	scene.near->wanted_len = BYTES;
	for (unsigned at = 0; at < BYTES; at += 70000)
		EXPECT_EQ(tcp_send(scene.near->connection, bytes + at, 70000), 0);
	run(&scene, 5000000);
	EXPECT_EQ(scene.near->heard_len, BYTES);
	EXPECT(memcmp(scene.near->heard, bytes, BYTES) == 0);
	free(bytes);

	scene.far->stop_on_close = true;
	EXPECT_EQ(tcp_send(scene.near->connection, "bye", 3), 0);
	tcp_close(scene.near->connection);
	scene.near->connection = NULL;
	run(&scene, 2000000);
	EXPECT_EQ(scene.far->closed, 1);
	EXPECT_EQ(scene.far->end, TCP_END_PEER);
	EXPECT_EQ(scene.far->heard_len, BYTES + 3);
	EXPECT_EQ(scene.near->closed, 0);
	EXPECT_EQ(tcp_listener_counters(scene.listener)->connections, 0);
	scene_close(&scene);
}

TEST(plain_streams_carry_everything_and_close_in_order)
{
	carry(NULL, NULL);
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
server_context(const char *cert, const char *key, const char *client_trust)
{
	return context_of((struct tls_settings){
	        .server = true,
	        .cert_file = test_cert(cert),
	        .key_file = test_cert(key),
	        .client_certificate = client_trust != NULL,
	        .trust_file = client_trust != NULL ? test_cert(client_trust) : NULL,
	});
}

TEST(tls_streams_do_too)
{
	struct tls_context *server = server_context("good.crt", "good.key", NULL);
	struct tls_context *client =
	        context_of((struct tls_settings){ .trust_file = test_cert("authority.crt") });
	carry(server, client);
	tls_context_destroy(server);
	tls_context_destroy(client);
}

TEST(a_client_that_does_not_believe_the_server_never_opens)
{
	struct scene scene;
	struct tls_context *server = server_context("stranger.crt", "stranger.key", NULL);
	struct tls_context *client =
	        context_of((struct tls_settings){ .trust_file = test_cert("authority.crt") });
	scene_open(&scene, server, (struct tcp_limits){ 0 });
	scene_connect(&scene, client, "host.test", (struct tcp_limits){ 0 });
	scene.far->stop_on_close = true;
	run(&scene, 2000000);
	EXPECT_EQ(scene.near->opened, 0);
	EXPECT_EQ(scene.near->closed, 1);
	EXPECT_EQ(scene.near->end, TCP_END_TLS);
	EXPECT_STR(str_of(scene.near->text), "TLS: certificate verify failed: unable to get local "
	                                     "issuer certificate");
	EXPECT_EQ(scene.far->end, TCP_END_TLS);
	EXPECT_EQ(tcp_listener_counters(scene.listener)->ended[TCP_END_TLS], 1);
	tls_context_destroy(server);
	tls_context_destroy(client);
	scene_close(&scene);
}

TEST(a_client_without_the_demanded_certificate_learns_why)
{
	struct scene scene;
	struct tls_context *server = server_context("good.crt", "good.key", "authority.crt");
	struct tls_context *client =
	        context_of((struct tls_settings){ .trust_file = test_cert("authority.crt") });
	scene_open(&scene, server, (struct tcp_limits){ 0 });
	scene_connect(&scene, client, "host.test", (struct tcp_limits){ 0 });
	scene.near->stop_on_close = true;
	run(&scene, 2000000);
	EXPECT_EQ(scene.near->closed, 1);
	EXPECT_EQ(scene.near->end, TCP_END_TLS);
	EXPECT(str_contains_nocase(str_of(scene.near->text), STR("certificate required")));
	EXPECT_EQ(scene.accepted, 0);
	tls_context_destroy(server);
	tls_context_destroy(client);
	scene_close(&scene);
}

TEST(a_peer_that_does_not_read_is_ended_when_the_queue_is_full)
{
	struct scene scene;
	static uint8_t bytes[64 * 1024];
	scene_open(&scene, NULL, (struct tcp_limits){ 0 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ .queue_bytes_max = 256 * 1024 });
	run_until_open(&scene);
	tcp_pause(scene.far->connection, true);

	int rc = 0;
	unsigned sent = 0;
	for (; rc == 0 && sent < 1000; sent++) {
		rc = tcp_send(scene.near->connection, bytes, sizeof bytes);
		EXPECT(tcp_queued(scene.near->connection) <= 256 * 1024);
	}
	EXPECT_EQ(rc, -ENOBUFS);
	EXPECT_EQ(scene.near->closed, 0); /* never inside the call */
	EXPECT_EQ(tcp_send(scene.near->connection, bytes, 1), -ENOTCONN);
	scene.near->stop_on_close = true;
	run(&scene, 2000000);
	EXPECT_EQ(scene.near->closed, 1);
	EXPECT_EQ(scene.near->end, TCP_END_SLOW);
	scene_close(&scene);
}

TEST(a_sender_is_told_when_its_queue_has_drained)
{
	struct scene scene;
	static uint8_t bytes[64 * 1024];
	scene_open(&scene, NULL, (struct tcp_limits){ 0 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ .queue_bytes_max = 512 * 1024 });
	run_until_open(&scene);
	tcp_pause(scene.far->connection, true);
	size_t sent = 0;
	while (tcp_queued(scene.near->connection) <= 256 * 1024) {
		EXPECT_EQ(tcp_send(scene.near->connection, bytes, sizeof bytes), 0);
		sent += sizeof bytes;
	}
	EXPECT(sent > 0);
	/* The far end only counts. */
	tcp_set_handler(scene.far->connection, &far_handler);
	tcp_set_context(scene.far->connection, &scene);
	tcp_pause(scene.far->connection, false);
	for (unsigned i = 0; i < 200 && scene.near->drained == 0; i++)
		run(&scene, 10000);
	EXPECT_EQ(scene.near->drained, 1);
	scene_close(&scene);
}

TEST(silence_ends_connections_after_their_time)
{
	struct scene scene;
	scene_open(&scene, NULL, (struct tcp_limits){ .first_byte_us = 30000 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ 0 });
	run_until_open(&scene);
	scene.near->stop_on_close = true;
	run(&scene, 2000000);
	EXPECT_EQ(scene.far->end, TCP_END_FIRST_BYTE);
	EXPECT_EQ(scene.near->end, TCP_END_PEER);
	scene.far->connection = NULL;
	scene_close(&scene);

	scene_open(&scene, NULL, (struct tcp_limits){ .idle_us = 60000, .first_byte_us = 500000 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ 0 });
	run_until_open(&scene);
	const int64_t before_us = loop_now_us();
	for (unsigned i = 0; i < 5; i++) {
		EXPECT_EQ(tcp_send(scene.near->connection, "x", 1), 0);
		run(&scene, 20000);
	}
	EXPECT_EQ(scene.far->closed, 0);
	scene.near->stop_on_close = true;
	run(&scene, 2000000);
	EXPECT_EQ(scene.far->end, TCP_END_IDLE);
	EXPECT(loop_now_us() - before_us >= 160000 - 20000);
	scene_close(&scene);
}

TEST(a_tls_handshake_that_never_comes_is_ended)
{
	struct scene scene;
	struct tls_context *server = server_context("good.crt", "good.key", NULL);
	scene_open(&scene, server, (struct tcp_limits){ .first_byte_us = 30000 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ 0 });
	scene.near->stop_on_close = true;
	run(&scene, 2000000);
	EXPECT_EQ(scene.near->opened, 1);
	EXPECT_EQ(scene.near->closed, 1);
	EXPECT_EQ(scene.accepted, 0);
	EXPECT_EQ(scene.far->end, TCP_END_FIRST_BYTE);
	tls_context_destroy(server);
	scene_close(&scene);
}

TEST(a_handshake_under_way_goes_with_its_listener)
{
	struct scene scene;
	struct tls_context *server = server_context("good.crt", "good.key", NULL);
	scene_open(&scene, server, (struct tcp_limits){ .first_byte_us = 2000000 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ 0 });
	run(&scene, 50000);
	tcp_unlisten(scene.listener);
	scene.listener = NULL;
	scene.near->stop_on_close = true;
	run(&scene, 1000000);
	EXPECT_EQ(scene.near->closed, 1);
	EXPECT_EQ(scene.accepted, 0);
	EXPECT_EQ(scene.far->closed, 0);
	tls_context_destroy(server);
	scene_close(&scene);
}

TEST(a_refused_connection_says_so_and_never_inside_the_call)
{
	struct scene scene;
	scene_open(&scene, NULL, (struct tcp_limits){ 0 });
	const struct net_addr gone = *tcp_listener_local(scene.listener);
	tcp_unlisten(scene.listener);
	scene.listener = NULL;
	scene.near->stop_on_close = true;
	EXPECT_EQ(tcp_connect(&scene.near->connection, scene.loop,
	                      &(struct tcp_connect_settings){ .to = gone,
	                                                      .handler = &person_handler,
	                                                      .context = scene.near }),
	          0);
	EXPECT_EQ(scene.near->closed, 0);
	run(&scene, 2000000);
	EXPECT_EQ(scene.near->closed, 1);
	EXPECT_EQ(scene.near->opened, 0);
	EXPECT_EQ(scene.near->end, TCP_END_REFUSED);
	scene_close(&scene);
}

TEST(connections_beyond_the_limit_are_closed_and_counted)
{
	struct scene scene;
	struct tcp_connection *more[3];
	struct person *people = calloc(3, sizeof *people);
	EXPECT(people != NULL);
	scene_open(&scene, NULL, (struct tcp_limits){ .connections_max = 2 });
	for (unsigned i = 0; i < 3; i++) {
		people[i].loop = scene.loop;
		EXPECT_EQ(tcp_connect(&people[i].connection, scene.loop,
		                      &(struct tcp_connect_settings){
		                              .to = *tcp_listener_local(scene.listener),
		                              .handler = &person_handler,
		                              .context = &people[i] }),
		          0);
		more[i] = people[i].connection;
		run(&scene, 20000);
	}
	EXPECT_EQ(tcp_listener_counters(scene.listener)->connections, 2);
	EXPECT_EQ(tcp_listener_counters(scene.listener)->refused_total, 1);
	EXPECT_EQ(people[2].closed, 1);
	EXPECT_EQ(people[0].closed + people[1].closed, 0);
	tcp_abort(more[0]);
	tcp_abort(more[1]);
	run(&scene, 50000);
	EXPECT_EQ(tcp_listener_counters(scene.listener)->connections, 0);
	scene.far->connection = NULL;
	scene_close(&scene);
	free(people);
}

TEST(an_owner_may_close_or_abort_inside_any_callback)
{
	for (unsigned abortive = 0; abortive < 2; abortive++) {
		struct scene scene;
		scene_open(&scene, NULL, (struct tcp_limits){ 0 });
		scene_connect(&scene, NULL, NULL, (struct tcp_limits){ 0 });
		run_until_open(&scene);
		scene.far->close_on_bytes = abortive == 0;
		scene.far->abort_on_bytes = abortive == 1;
		scene.near->stop_on_close = true;
		EXPECT_EQ(tcp_send(scene.near->connection, "x", 1), 0);
		run(&scene, 2000000);
		EXPECT_EQ(scene.near->closed, 1);
		EXPECT_EQ(scene.near->end, abortive == 1 ? TCP_END_RESET : TCP_END_PEER);
		EXPECT_EQ(scene.far->closed, 0);
		scene_close(&scene);
	}
}

TEST(a_reset_behind_the_last_bytes_is_noticed)
{
	struct scene scene;
	scene_open(&scene, NULL, (struct tcp_limits){ 0 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ 0 });
	run_until_open(&scene);
	scene.far->echo = scene.far->abort_on_bytes = true;
	scene.near->stop_on_close = true;
	EXPECT_EQ(tcp_send(scene.near->connection, "x", 1), 0);
	run(&scene, 2000000);
	EXPECT_EQ(scene.near->heard_len, 1);
	EXPECT_EQ(scene.near->closed, 1);
	EXPECT_EQ(scene.near->end, TCP_END_RESET);
	scene_close(&scene);
}

TEST(the_last_bytes_arrive_although_the_peer_was_still_sending)
{
	/* Closing with unread bytes in the socket would reset the connection and lose the answer. */
	struct scene scene;
	static uint8_t bytes[200 * 1024];
	scene_open(&scene, NULL, (struct tcp_limits){ 0 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ .queue_bytes_max = 1 << 20 });
	run_until_open(&scene);
	scene.far->close_on_bytes = true;
	scene.far->echo = true;
	scene.near->stop_on_close = true;
	EXPECT_EQ(tcp_send(scene.near->connection, "first", 5), 0);
	run(&scene, 5000);
	for (unsigned i = 0; i < 3 && scene.near->connection != NULL; i++)
		(void)tcp_send(scene.near->connection, bytes, sizeof bytes);
	run(&scene, 2000000);
	EXPECT_EQ(scene.near->end, TCP_END_PEER);
	EXPECT(scene.near->heard_len >= 5);
	EXPECT(memcmp(scene.near->heard, "first", 5) == 0);
	scene_close(&scene);
}

TEST(a_loop_may_go_while_last_bytes_are_on_their_way)
{
	struct scene scene;
	static uint8_t bytes[200 * 1024];
	scene_open(&scene, NULL, (struct tcp_limits){ 0 });
	scene_connect(&scene, NULL, NULL, (struct tcp_limits){ .queue_bytes_max = 32 << 20 });
	run_until_open(&scene);
	tcp_pause(scene.far->connection, true);
	for (unsigned i = 0; i < 100; i++)
		EXPECT_EQ(tcp_send(scene.near->connection, bytes, sizeof bytes), 0);
	EXPECT(tcp_queued(scene.near->connection) != 0);
	tcp_close(scene.near->connection); /* is flushing */
	scene.near->connection = NULL;
	tcp_close(scene.far->connection); /* is lingering */
	scene.far->connection = NULL;
	loop_stop(scene.loop); /* out of season: taken back */
	scene_close(&scene);
}

TEST(a_taken_tcp_port_names_its_holder)
{
	struct scene scene;
	struct tcp_listener *second;
	scene_open(&scene, NULL, (struct tcp_limits){ 0 });
	const struct tcp_listen_settings settings = { .bind = *tcp_listener_local(scene.listener),
		                                      .handler = &far_handler };
	EXPECT_EQ(tcp_listen(&second, scene.loop, &settings), -EADDRINUSE);
	EXPECT_EQ(port_owner_find(PORT_TCP, &settings.bind).pid, getpid());
	scene_close(&scene);
}
