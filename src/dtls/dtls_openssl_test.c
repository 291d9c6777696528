/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: we speak DTLS-SRTP with somebody else's program, in both roles, and export the same keys.
 * Method: `openssl s_client` and `openssl s_server` on loopback, real sockets and real time; what they
 * print about profile and keying material is compared with ours, and a close_notify of theirs ends our
 * session. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/test.h"
#include "dtls/dtls_internal.h"

extern char **environ;

enum {
	SECOND = 1000 * 1000,
	PATIENCE_US = 20 * SECOND,
	KEYING_BYTES = 60, /* AES_CM: two keys of 16, two salts of 14 */
	ARGUMENTS_MAX = 32,
};

static char folder[] = "/tmp/dtls_openssl_test.XXXXXX";
static char key_path[64], cert_path[64], text_path[64];
static struct dtls_fingerprint their_fingerprint;
static struct dtls_context *context;

static int64_t
now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)SECOND + now.tv_nsec / 1000;
}

struct program {
	pid_t pid;
	int stdin_fd; /* closing it makes s_client say goodbye */
};

/* Runs `openssl ...` with its output in text_path. */
static struct program
run(const char *const *arguments)
{
	char *argv[ARGUMENTS_MAX];
	size_t count = 0;
	while (arguments[count] != NULL) {
		EXPECT(count + 1 < ARGUMENTS_MAX);
		argv[count] = (char *)(uintptr_t)arguments[count];
		count++;
	}
	argv[count] = NULL;

	int pipe_fds[2];
	struct program program = { 0 };
	posix_spawn_file_actions_t actions;
	EXPECT_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[0], 0);
	posix_spawn_file_actions_addopen(&actions, 1, text_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	EXPECT_EQ(posix_spawnp(&program.pid, "openssl", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[0]);
	program.stdin_fd = pipe_fds[1];
	return program;
}

static void
stop(struct program *program)
{
	if (program->stdin_fd >= 0)
		close(program->stdin_fd);
	kill(program->pid, SIGTERM);
	waitpid(program->pid, NULL, 0);
}

static void
prepare(void)
{
	if (context != NULL)
		return;
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
	snprintf(cert_path, sizeof cert_path, "%s/cert.pem", folder);
	snprintf(text_path, sizeof text_path, "%s/text", folder);
	struct program maker = run((const char *const[]){
		"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=peer",
		"-keyout", key_path, "-out", cert_path, NULL });
	int status = 0;
	waitpid(maker.pid, &status, 0);
	close(maker.stdin_fd);
	EXPECT_EQ(status, 0);

	FILE *file = fopen(cert_path, "r");
	EXPECT(file != NULL);
	X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	EXPECT(cert != NULL && dtls_fingerprint_of(&their_fingerprint, cert, DTLS_SHA384));
	X509_free(cert);
	EXPECT_EQ(dtls_context_create(&context, &(struct dtls_context_settings){
							.common_name = "convoke",
							.serial = 7,
							.not_before_s = time(NULL) - 3600,
							.not_after_s = time(NULL) + 3600 }), 0);
}

static int
udp_socket(struct sockaddr_in *addr)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof *addr;
	*addr = (struct sockaddr_in){ .sin_family = AF_INET,
		                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	EXPECT(fd >= 0);
	EXPECT_EQ(bind(fd, (struct sockaddr *)addr, sizeof *addr), 0);
	EXPECT_EQ(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

struct session {
	struct dtls dtls;
	int fd;
	struct sockaddr_in peer;
	struct dtls_keys keys;
	bool connected, failed, closed;
};

static void
drain(struct session *session)
{
	for (struct dtls_out out; (out = dtls_poll(&session->dtls)).kind != DTLS_OUT_NONE;) {
		switch (out.kind) {
		case DTLS_OUT_DATAGRAM:
			(void)!sendto(session->fd, out.bytes, out.len, 0,
			              (struct sockaddr *)&session->peer, sizeof session->peer);
			break;
		case DTLS_OUT_CONNECTED:
			session->connected = true;
			session->keys = *out.keys;
			break;
		case DTLS_OUT_FAILED:
			session->failed = true;
			break;
		case DTLS_OUT_CLOSED:
			session->closed = true;
			break;
		case DTLS_OUT_NONE:
			break;
		}
	}
}

static bool
text_has(const char *part, char *after, size_t after_len)
{
	static char text[1 << 16];
	FILE *file = fopen(text_path, "r");
	if (file == NULL)
		return false;
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	const char *at = strstr(text, part);
	if (at == NULL)
		return false;
	at += strlen(part);
	return after == NULL ||
	       (strlen(at) > after_len && str_copy(after, after_len + 1, (struct str){ at, after_len }));
}

/* Serves the socket until `done` says so or patience ends. */
static void
serve(struct session *session, bool (*done)(const struct session *session))
{
	const int64_t end_us = now_us() + PATIENCE_US;
	while (!done(session) && now_us() < end_us) {
		struct pollfd ready = { .fd = session->fd, .events = POLLIN };
		int64_t wait_us = dtls_deadline(&session->dtls) - now_us();
		wait_us = wait_us < 0 ? 0 : wait_us > SECOND / 20 ? SECOND / 20 : wait_us;
		if (poll(&ready, 1, (int)(wait_us / 1000) + 1) == 1) {
			uint8_t bytes[2048];
			socklen_t len = sizeof session->peer;
			const ssize_t got = recvfrom(session->fd, bytes, sizeof bytes, 0,
			                             (struct sockaddr *)&session->peer, &len);
			if (got > 0)
				dtls_input(&session->dtls, bytes, (size_t)got, now_us());
			drain(session);
		}
		if (dtls_deadline(&session->dtls) <= now_us()) {
			dtls_tick(&session->dtls, now_us());
			drain(session);
		}
	}
}

static bool
both_told(const struct session *session)
{
	char hex[2 * KEYING_BYTES + 1];
	return session->failed ||
	       (session->connected && text_has("Keying material: ", hex, 2 * KEYING_BYTES));
}

static bool
is_closed(const struct session *session)
{
	return session->closed;
}

static void
open_session(struct session *session, enum dtls_role role, struct sockaddr_in *own)
{
	*session = (struct session){ .fd = udp_socket(own) };
	dtls_init(&session->dtls,
	          &(struct dtls_settings){ .context = context, .role = role,
	                                   .fingerprints = &their_fingerprint,
	                                   .fingerprint_count = 1 },
	          now_us());
}

/* RFC 5764 s4.2: client key, server key, client salt, server salt. */
static void
expect_same_keys(const struct session *session, enum dtls_role role)
{
	char hex[2 * KEYING_BYTES + 1];
	uint8_t theirs[KEYING_BYTES];
	EXPECT(session->connected && !session->failed);
	EXPECT_EQ(session->keys.profile, DTLS_SRTP_AES128_CM_SHA1_80);
	EXPECT(text_has("SRTP Extension negotiated, profile=SRTP_AES128_CM_SHA1_80", NULL, 0));
	EXPECT(text_has("Keying material: ", hex, 2 * KEYING_BYTES));
	EXPECT_EQ(decode_hex(theirs, sizeof theirs, str_of(hex)), KEYING_BYTES);

	const struct dtls_srtp_side *client =
		role == DTLS_CLIENT ? &session->keys.local : &session->keys.remote;
	const struct dtls_srtp_side *server =
		role == DTLS_CLIENT ? &session->keys.remote : &session->keys.local;
	EXPECT(memcmp(theirs, client->key, 16) == 0);
	EXPECT(memcmp(theirs + 16, server->key, 16) == 0);
	EXPECT(memcmp(theirs + 32, client->salt, 14) == 0);
	EXPECT(memcmp(theirs + 46, server->salt, 14) == 0);
}

TEST(openssl_as_client_gets_the_same_keys_and_its_goodbye_is_heard)
{
	struct session session;
	struct sockaddr_in own;
	char connect_to[32];
	prepare();
	open_session(&session, DTLS_SERVER, &own);
	EXPECT_EQ(dtls_start(&session.dtls, now_us()), 0);
	snprintf(connect_to, sizeof connect_to, "127.0.0.1:%u", ntohs(own.sin_port));
	struct program client = run((const char *const[]){
		"openssl", "s_client", "-dtls1_2", "-connect", connect_to, "-cert", cert_path, "-key",
		key_path, "-use_srtp", "SRTP_AES128_CM_SHA1_80", "-keymatexport",
		"EXTRACTOR-dtls_srtp", "-keymatexportlen", "60", NULL });
	serve(&session, both_told);
	expect_same_keys(&session, DTLS_SERVER);

	close(client.stdin_fd);
	client.stdin_fd = -1;
	serve(&session, is_closed);
	EXPECT(session.closed);
	stop(&client);
	dtls_fini(&session.dtls);
	close(session.fd);
}

TEST(openssl_as_server_gets_the_same_keys)
{
	struct session session;
	struct sockaddr_in own, theirs;
	char port[8];
	prepare();
	const int probe = udp_socket(&theirs); /* a port that is free a moment from now */
	close(probe);
	snprintf(port, sizeof port, "%u", ntohs(theirs.sin_port));
	struct program server = run((const char *const[]){
		"openssl", "s_server", "-dtls1_2", "-accept", port, "-4", "-cert", cert_path, "-key",
		key_path, "-Verify", "1", "-use_srtp", "SRTP_AES128_CM_SHA1_80", "-keymatexport",
		"EXTRACTOR-dtls_srtp", "-keymatexportlen", "60", NULL });
	const int64_t end_us = now_us() + PATIENCE_US;
	while (!text_has("ACCEPT", NULL, 0) && now_us() < end_us)
		poll(NULL, 0, 20);

	open_session(&session, DTLS_CLIENT, &own);
	session.peer = theirs;
	EXPECT_EQ(dtls_start(&session.dtls, now_us()), 0);
	drain(&session);
	serve(&session, both_told);
	expect_same_keys(&session, DTLS_CLIENT);
	dtls_close(&session.dtls, now_us());
	drain(&session);
	stop(&server);
	dtls_fini(&session.dtls);
	close(session.fd);
}

/* The certificate serves every test of this file, so it goes with the program. */
__attribute__((destructor)) static void
clean_up(void)
{
	dtls_context_destroy(context);
	(void)unlink(key_path);
	(void)unlink(cert_path);
	(void)unlink(text_path);
	(void)rmdir(folder);
}
