/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: lines arrive in RFC 5424's form over all three transports, in order; a server that comes late
 * gets what was kept and is told what was not. */
#include "net/syslog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"
#include "net/tcp.h"
#include "net/test_certs.h"
#include "net/udp.h"

enum { HEARD_MAX = 2 << 20 };

struct scene {
	struct loop *loop;
	struct syslog *syslog;
	struct tls_context *server_tls;
	struct tls_context *client_tls;
	struct tcp_listener *listener;
	struct udp_socket *udp;
	size_t wanted; /* bytes, then the loop stops */
	size_t len;
	char *heard;
};

static void
hear(struct scene *scene, const void *bytes, size_t len)
{
	EXPECT(scene->len + len < HEARD_MAX);
	memcpy(scene->heard + scene->len, bytes, len);
	scene->len += len;
	scene->heard[scene->len] = '\0';
	if (scene->len >= scene->wanted)
		loop_stop(scene->loop);
}

static void
on_received(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	(void)connection;
	hear(context, bytes, len);
}

static void
on_closed(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	(void)context;
	(void)connection;
	(void)end;
	(void)text;
}

static const struct tcp_handler handler = { .received = on_received, .closed = on_closed };

static void
on_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	(void)socket;
	hear(context, datagram->bytes, datagram->len);
	hear(context, "\n", 1);
}

static struct tls_context *
tls(bool server)
{
	char error[TLS_ERROR_MAX];
	struct tls_context *context = NULL;
	struct tls_settings settings = { .server = server };
	if (server) {
		settings.cert_file = test_cert("good.crt");
		settings.key_file = test_cert("good.key");
	} else {
		settings.trust_file = test_cert("authority.crt");
	}
	EXPECT_EQ(tls_context_create(&context, &settings, error), 0);
	return context;
}

static void
scene_open(struct scene *scene)
{
	*scene = (struct scene){ .heard = malloc(HEARD_MAX), .server_tls = tls(true),
		                 .client_tls = tls(false) };
	scene->heard[0] = '\0';
	EXPECT_EQ(loop_create(&scene->loop), 0);
	const struct syslog_settings settings = { .loop = scene->loop, .host_name = "bridge1",
		                                  .tls = scene->client_tls };
	EXPECT_EQ(syslog_create(&scene->syslog, &settings), 0);
}

static void
scene_close(struct scene *scene)
{
	syslog_destroy(scene->syslog);
	tcp_unlisten(scene->listener);
	if (scene->udp != NULL)
		udp_close(scene->udp);
	loop_destroy(scene->loop);
	tls_context_destroy(scene->server_tls);
	tls_context_destroy(scene->client_tls);
	free(scene->heard);
}

static uint16_t
listen_tcp(struct scene *scene, uint16_t port, bool with_tls)
{
	EXPECT_EQ(tcp_listen(&scene->listener, scene->loop,
	                     &(struct tcp_listen_settings){
	                             .bind = addr_ip4(127, 0, 0, 1, port),
	                             .tls = with_tls ? scene->server_tls : NULL,
	                             .handler = &handler,
	                             .context = scene,
	                             .limits = { .idle_us = 0 } }),
	          0);
	return tcp_listener_local(scene->listener)->port;
}

static struct syslog_server
server_at(enum syslog_transport transport, uint16_t port)
{
	return (struct syslog_server){ .transport = transport, .host = "127.0.0.1", .port = port };
}

static void
say(struct scene *scene, enum log_level level, const char *text)
{
	const struct syslog_line line = { .facility = SYSLOG_USER, .level = level,
		                          .wall_us = INT64_C(1708678941597123),
		                          .app = "callbridge", .pid = 4711,
		                          .text = str_of(text) };
	syslog_send(scene->syslog, &line);
}

static void
run_until(struct scene *scene, size_t bytes)
{
	scene->wanted = bytes;
	if (scene->len < bytes)
		loop_run_until(scene->loop, loop_now_us() + 20 * 1000000);
	EXPECT(scene->len >= bytes);
}

#define LINE "<14>1 2024-02-23T09:02:21.597Z bridge1 callbridge 4711 - - hello"

TEST(a_line_is_a_datagram_over_udp)
{
	struct scene scene;
	scene_open(&scene);
	const struct udp_settings settings = { .bind = addr_ip4(127, 0, 0, 1, 0),
		                               .receive = on_datagram, .context = &scene };
	EXPECT_EQ(udp_open(&scene.udp, scene.loop, &settings), 0);
	const struct syslog_server to = server_at(SYSLOG_UDP, udp_local(scene.udp)->port);
	EXPECT_EQ(syslog_server_add(scene.syslog, &to), 0);
	say(&scene, LOG_INFO, "hello");
	say(&scene, LOG_ERROR, "");
	run_until(&scene, strlen(LINE) + 20);
	EXPECT_STR(str_of(scene.heard), LINE "\n<11>1 2024-02-23T09:02:21.597Z bridge1 callbridge "
	                                "4711 - - \n");
	scene_close(&scene);
}

TEST(lines_are_counted_out_over_tcp_and_tls)
{
	for (unsigned with_tls = 0; with_tls < 2; with_tls++) {
		struct scene scene;
		scene_open(&scene);
		const struct syslog_server to = server_at(with_tls ? SYSLOG_TLS : SYSLOG_TCP,
		                                          listen_tcp(&scene, 0, with_tls));
		EXPECT_EQ(syslog_server_add(scene.syslog, &to), 0);
		say(&scene, LOG_INFO, "hello");
		say(&scene, LOG_INFO, "hello");
		run_until(&scene, 2 * strlen("64 " LINE));
		EXPECT_STR(str_of(scene.heard), "64 " LINE "64 " LINE);
		struct syslog_state state;
		EXPECT(syslog_state(scene.syslog, 0, &state));
		EXPECT(state.connected);
		EXPECT_EQ(state.sent, 2);
		EXPECT(!syslog_state(scene.syslog, 1, &state));
		scene_close(&scene);
	}
}

TEST(who_comes_late_gets_what_was_kept_and_is_told_what_was_not)
{
	struct scene scene;
	char text[LOG_LINE_MAX];
	scene_open(&scene);
	/* A port that is free again. */
	const uint16_t port = listen_tcp(&scene, 0, false);
	tcp_unlisten(scene.listener);
	scene.listener = NULL;
	const struct syslog_server to = server_at(SYSLOG_TCP, port);
	EXPECT_EQ(syslog_server_add(scene.syslog, &to), 0);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "line %u %0500d", i, 0);
		say(&scene, LOG_INFO, text);
	}
	loop_run_until(scene.loop, loop_now_us() + 100 * 1000);
	struct syslog_state state;
	EXPECT(syslog_state(scene.syslog, 0, &state));
	EXPECT(!state.connected && state.sent == 0);
	EXPECT(state.lost > 400 && state.lost < 1000);
	EXPECT_EQ(listen_tcp(&scene, port, false), port);
	snprintf(text, sizeof text, "line %llu ", (unsigned long long)state.lost);
	run_until(&scene, 1000);
	while (strstr(scene.heard, "line 999 ") == NULL)
		run_until(&scene, scene.len + 1);
	char told[96];
	snprintf(told, sizeof told, "- - %llu lines before this one could not be kept",
	         (unsigned long long)state.lost);
	EXPECT(strstr(scene.heard, told) != NULL);
	EXPECT(strstr(scene.heard, told) < strstr(scene.heard, text));
	for (uint64_t i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "- line %llu ", (unsigned long long)i);
		EXPECT((strstr(scene.heard, text) != NULL) == (i >= state.lost));
	}
	scene_close(&scene);
}

TEST(servers_are_named_once_and_there_are_only_so_many)
{
	struct scene scene;
	scene_open(&scene);
	struct syslog_server to = server_at(SYSLOG_UDP, 0);
	EXPECT_EQ(syslog_server_add(scene.syslog, &to), 0);
	EXPECT_EQ(syslog_server_add(scene.syslog, &to), -EEXIST);
	to.port = SYSLOG_PORT;
	EXPECT_EQ(syslog_server_add(scene.syslog, &to), -EEXIST);
	for (unsigned i = 1; i < SYSLOG_SERVERS_MAX; i++) {
		to.port = (uint16_t)(1000 + i);
		EXPECT_EQ(syslog_server_add(scene.syslog, &to), 0);
	}
	to.port = 999;
	EXPECT_EQ(syslog_server_add(scene.syslog, &to), -ENOSPC);
	EXPECT_EQ(syslog_server_del(scene.syslog, &to), -ENOENT);
	to.port = 0;
	EXPECT_EQ(syslog_server_del(scene.syslog, &to), 0);
	const struct syslog_server name = { .transport = SYSLOG_TCP, .host = "log.example.org" };
	EXPECT_EQ(syslog_server_add(scene.syslog, &name), -EINVAL); /* no DNS here */
	scene_close(&scene);
}
