/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the right peers are believed and the wrong ones refused with a reason an administrator can
 * act on; certificates made here do what they say.  Method: two sessions back to back in memory,
 * handing over bytes in pieces of every small size. */
#include "net/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/test.h"
#include "net/cert.h"
#include "net/files.h"
#include "net/test_certs.h"

struct pair {
	struct tls_context *server_context;
	struct tls_context *client_context;
	struct tls_session *server;
	struct tls_session *client;
	char server_error[TLS_ERROR_MAX];
	char client_error[TLS_ERROR_MAX];
};

/* Carries bytes both ways, `piece` at a time, until nothing moves. */
static void
pump(struct pair *pair, size_t piece)
{
	uint8_t bytes[4096];
	bool moved = true;
	tls_session_input(pair->client, NULL, 0);
	while (moved) {
		moved = false;
		for (size_t len; (len = tls_session_output(pair->client, bytes, piece)) != 0;) {
			tls_session_input(pair->server, bytes, len);
			moved = true;
		}
		for (size_t len; (len = tls_session_output(pair->server, bytes, piece)) != 0;) {
			tls_session_input(pair->client, bytes, len);
			moved = true;
		}
	}
	/* TLS 1.3 clients are open before the server has judged their certificate. */
	EXPECT_EQ(tls_session_read(pair->client, bytes, sizeof bytes), 0);
}

static void
pair_open(struct pair *pair, const struct tls_settings *server, const struct tls_settings *client,
          const char *host)
{
	char error[TLS_ERROR_MAX];
	*pair = (struct pair){ 0 };
	EXPECT_EQ(tls_context_create(&pair->server_context, server, error), 0);
	EXPECT_EQ(tls_context_create(&pair->client_context, client, error), 0);
	EXPECT_EQ(tls_session_create(&pair->server, pair->server_context, NULL), 0);
	EXPECT_EQ(tls_session_create(&pair->client, pair->client_context, host), 0);
}

static void
pair_close(struct pair *pair)
{
	tls_context_destroy(pair->server_context);
	tls_context_destroy(pair->client_context);
	tls_session_destroy(pair->server);
	tls_session_destroy(pair->client);
}

static void
say(struct tls_session *from, struct tls_session *to, const char *text)
{
	uint8_t bytes[4096];
	char heard[64];
	EXPECT_EQ(tls_session_write(from, text, strlen(text)), TLS_OPEN);
	for (size_t len; (len = tls_session_output(from, bytes, sizeof bytes)) != 0;)
		EXPECT_EQ(tls_session_input(to, bytes, len), TLS_OPEN);
	const size_t len = tls_session_read(to, heard, sizeof heard);
	EXPECT_STR(((struct str){ heard, len }), text);
	EXPECT_EQ(tls_session_read(to, heard, sizeof heard), 0);
}

static struct tls_settings
server_with(const char *name)
{
	char file[64];
	snprintf(file, sizeof file, "%s.crt", name);
	struct tls_settings settings = { .server = true, .cert_file = test_cert(file) };
	snprintf(file, sizeof file, "%s.key", name);
	settings.key_file = test_cert(file);
	return settings;
}

static struct tls_settings
client_trusting(const char *file)
{
	return (struct tls_settings){ .trust_file = test_cert(file) };
}

TEST(a_good_certificate_opens_both_ways_in_pieces_of_any_size)
{
	const size_t pieces[] = { 1, 2, 3, 5, 7, 100, 4096 };
	for (unsigned i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct pair pair;
		struct tls_settings server = server_with("good");
		struct tls_settings client = client_trusting("authority.crt");
		server.alpn = "sip,http/1.1";
		client.alpn = "h2,http/1.1,sip";
		pair_open(&pair, &server, &client, "host.test");
		pump(&pair, pieces[i]);
		EXPECT_EQ(tls_session_state(pair.client), TLS_OPEN);
		EXPECT_EQ(tls_session_state(pair.server), TLS_OPEN);
		EXPECT_STR(tls_session_alpn(pair.client), "sip");
		EXPECT_STR(tls_session_alpn(pair.server), "sip");
		EXPECT_STR(str_of(tls_session_error(pair.client)), "");
		EXPECT(str_starts(str_of(tls_session_describe(pair.client)), STR("TLSv1.3 ")));
		say(pair.client, pair.server, "a question");
		say(pair.server, pair.client, "an answer");

		uint8_t bytes[4096];
		tls_session_close(pair.client);
		for (size_t len; (len = tls_session_output(pair.client, bytes, sizeof bytes)) != 0;)
			tls_session_input(pair.server, bytes, len);
		EXPECT_EQ(tls_session_read(pair.server, bytes, sizeof bytes), 0);
		EXPECT_EQ(tls_session_state(pair.server), TLS_CLOSED);
		pair_close(&pair);
	}
}

TEST(each_wrong_certificate_is_refused_with_its_reason)
{
	const struct {
		const char *server;
		const char *trust;
		const char *host;
		const char *error; /* "" : believed */
	} cases[] = {
		{ "good", "authority.crt", "host.test", "" },
		{ "good", "authority.crt", "127.0.0.1", "" },
		{ "good", "authority.crt", "::1", "" },
		{ "good", "good.crt", "host.test", "" }, /* a white list of end certificates */
		{ "self", "self.crt", "host.test", "" },
		{ "expired", "authority.crt", "host.test",
		  "certificate verify failed: certificate has expired" },
		{ "good", "authority.crt", "other.test",
		  "certificate verify failed: hostname mismatch" },
		{ "good", "authority.crt", "127.0.0.2",
		  "certificate verify failed: IP address mismatch" },
		{ "stranger", "authority.crt", "host.test",
		  "certificate verify failed: unable to get local issuer certificate" },
		{ "self", "authority.crt", "host.test",
		  "certificate verify failed: self-signed certificate" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pair pair;
		const struct tls_settings server = server_with(cases[i].server);
		const struct tls_settings client = client_trusting(cases[i].trust);
		pair_open(&pair, &server, &client, cases[i].host);
		pump(&pair, 4096);
		const bool good = cases[i].error[0] == '\0';
		EXPECT_STR(str_of(tls_session_error(pair.client)), cases[i].error);
		EXPECT_EQ(tls_session_state(pair.client), good ? TLS_OPEN : TLS_FAILED);
		EXPECT_EQ(tls_session_state(pair.server), good ? TLS_OPEN : TLS_FAILED);
		pair_close(&pair);
	}
}

TEST(checks_are_left_off_only_where_the_settings_say_so)
{
	struct pair pair;
	struct tls_settings server = server_with("stranger");
	struct tls_settings client = client_trusting("other.crt");
	client.no_name_check = true;
	pair_open(&pair, &server, &client, "elsewhere.test");
	pump(&pair, 4096);
	EXPECT_EQ(tls_session_state(pair.client), TLS_OPEN);
	pair_close(&pair);

	client.trust_file = test_cert("authority.crt");
	pair_open(&pair, &server, &client, "elsewhere.test");
	pump(&pair, 4096);
	EXPECT_EQ(tls_session_state(pair.client), TLS_FAILED);
	pair_close(&pair);

	client = (struct tls_settings){ .no_verify = true };
	pair_open(&pair, &server, &client, NULL);
	pump(&pair, 4096);
	EXPECT_EQ(tls_session_state(pair.client), TLS_OPEN);
	pair_close(&pair);
}

TEST(a_server_may_demand_a_certificate_and_learn_its_name)
{
	const struct {
		const char *cert;
		const char *key;
		bool good;
	} cases[] = {
		{ "client.crt", "client.key", true },
		{ "stranger.crt", "stranger.key", false },
		{ NULL, NULL, false },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (unsigned version = 0x0303; version <= 0x0304; version++) {
			struct pair pair;
			struct tls_settings server = server_with("good");
			server.client_certificate = true;
			server.trust_file = test_cert("authority.crt");
			server.version_min = (uint16_t)version;
			struct tls_settings client = client_trusting("authority.crt");
			if (cases[i].cert != NULL) {
				client.cert_file = test_cert(cases[i].cert);
				client.key_file = test_cert(cases[i].key);
			}
			pair_open(&pair, &server, &client, "host.test");
			pump(&pair, 4096);
			char name[TLS_NAME_MAX];
			EXPECT_EQ(tls_session_state(pair.server),
			          cases[i].good ? TLS_OPEN : TLS_FAILED);
			EXPECT_EQ(tls_session_state(pair.client),
			          cases[i].good ? TLS_OPEN : TLS_FAILED);
			if (cases[i].good) {
				EXPECT(tls_session_peer_name(pair.server, name));
				EXPECT_STR(str_of(name), "client");
			} else {
				EXPECT(tls_session_error(pair.server)[0] != '\0');
				EXPECT(tls_session_error(pair.client)[0] != '\0');
			}
			pair_close(&pair);
		}
	}
}

TEST(certificates_of_no_authority_are_told_by_their_fingerprints)
{
	struct pair pair;
	uint8_t of_server[TLS_FINGERPRINT_BYTES];
	uint8_t of_client[TLS_FINGERPRINT_BYTES];
	struct tls_settings server = server_with("self");
	server.client_fingerprint = true;
	struct tls_settings client = { .no_verify = true,
		                       .cert_file = test_cert("stranger.crt"),
		                       .key_file = test_cert("stranger.key") };
	pair_open(&pair, &server, &client, NULL);
	pump(&pair, 4096);
	EXPECT_EQ(tls_session_state(pair.server), TLS_OPEN);
	EXPECT_EQ(tls_session_state(pair.client), TLS_OPEN);
	EXPECT(tls_context_fingerprint(pair.server_context, of_server));
	EXPECT(tls_context_fingerprint(pair.client_context, of_client));
	EXPECT(tls_session_peer_has_fingerprint(pair.server, of_client, sizeof of_client));
	EXPECT(tls_session_peer_has_fingerprint(pair.client, of_server, sizeof of_server));
	EXPECT(!tls_session_peer_has_fingerprint(pair.client, of_client, sizeof of_client));
	EXPECT(!tls_session_peer_has_fingerprint(pair.client, of_server, 20));
	EXPECT(!tls_session_peer_has_fingerprint(pair.client, of_server, 31));
	pair_close(&pair);

	client.cert_file = client.key_file = NULL;
	pair_open(&pair, &server, &client, NULL);
	pump(&pair, 4096);
	EXPECT_EQ(tls_session_state(pair.server), TLS_FAILED);
	EXPECT(!tls_context_fingerprint(pair.client_context, of_client));
	EXPECT(!tls_session_peer_has_fingerprint(pair.server, of_client, sizeof of_client));
	pair_close(&pair);
}

TEST(junk_ends_a_session_and_nothing_else)
{
	struct pair pair;
	const struct tls_settings server = server_with("good");
	const struct tls_settings client = client_trusting("authority.crt");
	pair_open(&pair, &server, &client, "host.test");
	EXPECT_EQ(tls_session_input(pair.server, "GET / HTTP/1.1\r\n\r\n", 18), TLS_FAILED);
	EXPECT_STR(str_of(tls_session_error(pair.server)), "http request");
	EXPECT_EQ(tls_session_input(pair.server, "more", 4), TLS_FAILED);
	EXPECT_EQ(tls_session_write(pair.server, "x", 1), TLS_FAILED);
	pair_close(&pair);
}

static void
copy_file(const char *to, const char *from)
{
	char *bytes;
	size_t len;
	EXPECT_EQ(file_read(from, 65536, &bytes, &len), 0);
	EXPECT_EQ(file_replace(to, bytes, len, 0600), 0);
	free(bytes);
}

TEST(a_reload_serves_new_sessions_and_a_failed_one_changes_nothing)
{
	char folder[] = "/tmp/net-tls-XXXXXX";
	char cert[64], key[64];
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(cert, sizeof cert, "%s/x.crt", folder);
	snprintf(key, sizeof key, "%s/x.key", folder);
	copy_file(cert, test_cert("stranger.crt"));
	copy_file(key, test_cert("stranger.key"));

	char error[TLS_ERROR_MAX];
	struct tls_context *context;
	const struct tls_settings server = { .server = true, .cert_file = cert, .key_file = key };
	EXPECT_EQ(tls_context_create(&context, &server, error), 0);

	copy_file(cert, test_cert("good.crt"));
	EXPECT_EQ(tls_context_reload(context, error), -EINVAL);
	EXPECT(str_contains_nocase(str_of(error), STR("do not belong together")));

	for (unsigned round = 0; round < 2; round++) {
		struct pair pair = { .server_context = context };
		const struct tls_settings client = client_trusting("authority.crt");
		EXPECT_EQ(tls_context_create(&pair.client_context, &client, error), 0);
		EXPECT_EQ(tls_session_create(&pair.server, context, NULL), 0);
		EXPECT_EQ(tls_session_create(&pair.client, pair.client_context, "host.test"), 0);
		pump(&pair, 4096);
		EXPECT_EQ(tls_session_state(pair.client), round == 0 ? TLS_FAILED : TLS_OPEN);
		tls_context_share(context);
		pair_close(&pair);
		copy_file(key, test_cert("good.key"));
		EXPECT_EQ(tls_context_reload(context, error), 0);
	}
	tls_context_destroy(context);
	unlink(cert);
	unlink(key);
	rmdir(folder);
}

TEST(settings_that_cannot_work_say_why)
{
	char error[TLS_ERROR_MAX];
	struct tls_context *context;
	struct tls_settings settings = server_with("good");
	settings.key_file = test_cert("client.key");
	EXPECT_EQ(tls_context_create(&context, &settings, error), -EINVAL);
	EXPECT(str_contains_nocase(str_of(error), STR("do not belong together")));

	settings = server_with("good");
	settings.cert_file = "/nonexistent/file.crt";
	EXPECT_EQ(tls_context_create(&context, &settings, error), -EINVAL);
	EXPECT_STR(str_of(error),
	           "cannot use certificate /nonexistent/file.crt: No such file or directory");

	settings = server_with("good");
	settings.client_certificate = true;
	EXPECT_EQ(tls_context_create(&context, &settings, error), -EINVAL);
	EXPECT_STR(str_of(error), "client certificates need a trust bundle");

	settings = server_with("good");
	settings.ciphers = "NO-SUCH-CIPHER";
	EXPECT_EQ(tls_context_create(&context, &settings, error), -EINVAL);

	settings = (struct tls_settings){ .server = true };
	EXPECT_EQ(tls_context_create(&context, &settings, error), -EINVAL);
}

static void
note_subject(void *context, const struct cert_info *info)
{
	struct writer *w = context;
	writer_format(w, "%s;", info->subject);
}

TEST(every_certificate_of_a_file_is_told)
{
	char error[CERT_ERROR_MAX];
	char path[] = "/tmp/two-certs-XXXXXX";
	char told[CERT_ERROR_MAX];
	char *bytes;
	size_t len;
	const char *const names[] = { "good.crt", "good.key", "authority.crt" };
	const int fd = mkstemp(path);
	EXPECT(fd >= 0);
	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		EXPECT_EQ(file_read(test_cert(names[i]), 1 << 20, &bytes, &len), 0);
		EXPECT_EQ(write(fd, bytes, len), len);
		free(bytes);
	}
	close(fd);
	struct writer w = writer_of(told, sizeof told);
	EXPECT_EQ(cert_inspect_all(path, note_subject, &w, error), 0);
	EXPECT_STR(writer_view(&w), "CN = good;CN = authority;");
	unlink(path);
	EXPECT_EQ(cert_inspect_all(test_cert("good.key"), note_subject, &w, error), -EINVAL);
	EXPECT_EQ(cert_inspect_all(path, note_subject, &w, error), -ENOENT);
}

TEST(a_list_of_ciphers_is_refused_with_the_word_that_is_wrong)
{
	static const struct {
		const char *list;
		const char *why;
	} cases[] = {
		{ "ECDHE+AESGCM", "" },
		{ "ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384", "" },
		{ "TLS_CHACHA20_POLY1305_SHA256", "" },
		{ "HIGH:!aNULL:!RC4:!EXPORT:@STRENGTH", "" },
		{ "ECDHE+AESGCM:AES999", "there is no cipher \"AES999\"" },
		{ "TLS_AES_999", "there is no cipher \"TLS_AES_999\"" },
		{ "HIGH:@SECLEVEL=0", "\"@SECLEVEL=0\" is not for a list of ciphers here" },
		{ "ALL:!aNULL:eNULL", "does not encrypt" },
		{ "ALL", "does not prove who is there" },
		{ "HIGH::MEDIUM", "an empty word" },
		{ "!ALL", "no known cipher" },
	};
	char error[TLS_ERROR_MAX];
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		const int want = cases[i].why[0] == '\0' ? 0 : -EINVAL;
		EXPECT_EQ(tls_ciphers_fit(cases[i].list, error), want);
		EXPECT(str_contains_nocase(str_of(error), str_of(cases[i].why)));
	}
	EXPECT_EQ(tls_version("1.2"), 0x0303);
	EXPECT_EQ(tls_version("1.3"), 0x0304);
	EXPECT_EQ(tls_version("1.1"), 0);
}

TEST(a_server_speaks_by_the_ciphers_of_its_list_alone)
{
	static const struct {
		const char *list;
		uint16_t version; /* of the server */
		bool old;         /* the client has TLS 1.2 only */
		const char *want; /* "" : refused */
	} cases[] = {
		{ "ECDHE-ECDSA-AES256-GCM-SHA384", 0, true,
		  "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384" },
		{ "ECDHE-ECDSA-CHACHA20-POLY1305:TLS_AES_128_GCM_SHA256", 0, false,
		  "TLSv1.3 TLS_AES_128_GCM_SHA256" },
		{ "TLS_AES_128_GCM_SHA256", 0, true, "" },
		{ "ECDHE-RSA-AES128-GCM-SHA256", 0, true, "" }, /* our key is of the other kind */
		{ NULL, 0x0304, true, "" },
		{ NULL, 0x0304, false, "TLSv1.3 TLS_AES_256_GCM_SHA384" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pair pair;
		struct tls_settings server = server_with("good");
		struct tls_settings client = client_trusting("authority.crt");
		server.ciphers = cases[i].list;
		server.version_min = cases[i].version;
		client.version_max = cases[i].old ? 0x0303 : 0;
		pair_open(&pair, &server, &client, "host.test");
		pump(&pair, 4096);
		const bool good = cases[i].want[0] != '\0';
		EXPECT_EQ(tls_session_state(pair.server), good ? TLS_OPEN : TLS_FAILED);
		if (good)
			EXPECT_STR(str_of(tls_session_describe(pair.server)), cases[i].want);
		pair_close(&pair);
	}
}

TEST(certificates_describe_themselves_and_know_their_key)
{
	char error[CERT_ERROR_MAX];
	struct cert_info info;
	EXPECT_EQ(cert_inspect(&info, test_cert("good.crt"), error), 0);
	EXPECT_STR(str_of(info.subject), "CN = good");
	EXPECT_STR(str_of(info.issuer), "CN = authority");
	EXPECT_EQ(strlen(info.fingerprint), 32 * 3 - 1);
	EXPECT(info.not_before.us < wall_now().us);
	EXPECT(info.not_after.us > wall_now().us + (int64_t)3600 * 86400 * 1000000);
	EXPECT_EQ(cert_inspect(&info, test_cert("expired.crt"), error), 0);
	EXPECT(info.not_after.us < wall_now().us && info.not_before.us < info.not_after.us);

	EXPECT_STR(str_of(info.names), "host.test, 127.0.0.1, ::1");
	EXPECT_EQ(cert_inspect(&info, test_cert("client.crt"), error), 0);
	EXPECT_STR(str_of(info.names), "");

	EXPECT_EQ(cert_match(test_cert("good.crt"), test_cert("good.key"), error), 0);
	EXPECT_EQ(cert_match(test_cert("good.crt"), test_cert("self.key"), error), -EINVAL);
	EXPECT_EQ(cert_match(test_cert("good.key"), test_cert("good.key"), error), -EINVAL);
	EXPECT_EQ(cert_match("/nonexistent", test_cert("good.key"), error), -ENOENT);
	EXPECT_STR(str_of(error), "cannot read /nonexistent: No such file or directory");

	struct stat about;
	EXPECT_EQ(stat(test_cert("good.key"), &about), 0);
	EXPECT_EQ(about.st_mode & 0777, 0600);
}
