/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the answers are those of the RFCs' examples, client and server agree under every algorithm,
 * and no other name, password, realm, method, URI, nonce or time is let in.
 *
 * Method: vectors of RFC 2617 s3.5 and RFC 7616 s3.9.1; a dialogue of challenge, answer and check in
 * which one thing at a time is wrong. */
#include "sip/sip_digest.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "sip/sip_digest_hash.h"
#include "sip/sip_write.h"

TEST(the_examples_of_rfc_7616_come_out)
{
	/* The example has a cnonce of its own making, so the parts are put together here. */
	static const struct {
		enum digest_hash hash;
		const char *want;
	} cases[] = {
		{ DIGEST_HASH_MD5, "8ca523f5e9506fed4657c9700eebdbec" },
		{ DIGEST_HASH_SHA256,
		  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char a1[65];
		char a2[65];
		char response[65];
		const struct str user[] = { STR("Mufasa"), STR("http-auth@example.org"),
			                    STR("Circle of Life") };
		const struct str request[] = { STR("GET"), STR("/dir/index.html") };
		EXPECT(digest_hash_join(a1, cases[i].hash, user, 3));
		EXPECT(digest_hash_join(a2, cases[i].hash, request, 2));
		const struct str all[] = {
			str_of(a1),
			STR("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
			STR("00000001"),
			STR("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
			STR("auth"),
			str_of(a2),
		};
		EXPECT(digest_hash_join(response, cases[i].hash, all, 6));
		assert_string_equal(response, cases[i].want);
	}
}

static const struct sip_digest_server server = {
	.realm = STR_INIT("example.org"),
	.key = { 1, 2, 3 },
	.nonce_life_us = 60000000,
};

static const struct sip_digest_credentials credentials = {
	.realm = STR_INIT("example.org"),
	.username = STR_INIT("ann \"x\""),
	.password = STR_INIT("secret"),
};

static size_t
write_request(char *out, size_t cap, struct str authorization)
{
	struct writer w = writer_of(out, cap);
	sip_write_request_line(&w, SIP_INVITE, STR("sip:1001@example.org"));
	writer_text(&w, "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
	                "To: <sip:1001@example.org>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n");
	if (authorization.len != 0)
		sip_write_header_str(&w, SIP_HEADER_AUTHORIZATION, authorization);
	sip_write_body(&w, (struct str){ 0 }, (struct str){ 0 });
	EXPECT(!w.failed);
	return w.at;
}

static size_t
write_challenge(char *out, size_t cap, const char *headers, bool stale, int64_t now_us)
{
	struct writer w = writer_of(out, cap);
	sip_write_status_line(&w, 401, NULL);
	writer_text(&w, "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
	                "To: <sip:1001@example.org>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n");
	if (headers != NULL)
		writer_text(&w, headers);
	else
		sip_digest_write_challenges(&w, &server, SIP_HEADER_WWW_AUTHENTICATE, stale, now_us);
	sip_write_body(&w, (struct str){ 0 }, (struct str){ 0 });
	EXPECT(!w.failed);
	return w.at;
}

/* One round: the server challenges at time 1 s, the client answers, the server checks at
 * `now_us`. */
static enum sip_digest_verdict
round_trip(const struct sip_digest_credentials *who, const char *headers, struct str password,
           int64_t now_us)
{
	static char challenge[2048];
	static char request[4096];
	static char answer[1024];
	struct sip_msg msg;
	struct sip_auth auth;
	const size_t len = write_challenge(challenge, sizeof challenge, headers, false, 1000000);
	EXPECT_EQ(sip_msg_parse(&msg, challenge, len, SIP_STREAM), SIP_OK);
	EXPECT(sip_digest_choose(&auth, &msg, who));
	struct writer w = writer_of(answer, sizeof answer);
	EXPECT(sip_digest_write_answer(&w, &(struct sip_digest_answer){
	                                           .challenge = &auth,
	                                           .credentials = who,
	                                           .method = STR("INVITE"),
	                                           .uri = STR("sip:1001@example.org"),
	                                           .cnonce = { 7 },
	                                           .nc = 1,
	                                   }));
	const size_t request_len = write_request(request, sizeof request, writer_view(&w));
	EXPECT_EQ(sip_msg_parse(&msg, request, request_len, SIP_STREAM), SIP_OK);
	const enum sip_digest_verdict found =
	        sip_digest_find(&auth, &server, &msg, SIP_HEADER_AUTHORIZATION);
	if (found != SIP_DIGEST_OK)
		return found;
	return sip_digest_check(&server,
	                        &(struct sip_digest_check){ .auth = &auth,
	                                                    .request = &msg,
	                                                    .username = STR("ann \"x\""),
	                                                    .password = password,
	                                                    .known = true },
	                        now_us);
}

TEST(client_and_server_agree)
{
	EXPECT_EQ(round_trip(&credentials, NULL, STR("secret"), 2000000), SIP_DIGEST_OK);
	EXPECT_EQ(round_trip(&credentials, NULL, STR("Secret"), 2000000), SIP_DIGEST_WRONG);
	EXPECT_EQ(round_trip(&credentials, NULL, STR("secret"), 61000000), SIP_DIGEST_OK);
	EXPECT_EQ(round_trip(&credentials, NULL, STR("secret"), 61000001), SIP_DIGEST_STALE);
	EXPECT_EQ(round_trip(&credentials, NULL, STR("wrong"), 61000001), SIP_DIGEST_WRONG);
	struct sip_digest_credentials other = credentials;
	other.username = STR("bob");
	EXPECT_EQ(round_trip(&other, NULL, STR("secret"), 2000000), SIP_DIGEST_WRONG);
}

TEST(the_server_offers_sha_256_first_and_then_md5)
{
	char text[2048];
	struct sip_msg msg;
	struct str value;
	struct sip_auth auth;
	const size_t len = write_challenge(text, sizeof text, NULL, true, 5);
	EXPECT_EQ(sip_msg_parse(&msg, text, len, SIP_STREAM), SIP_OK);
	struct sip_values values = sip_msg_values(&msg, SIP_HEADER_WWW_AUTHENTICATE);
	EXPECT(sip_values_next(&values, &value));
	EXPECT(sip_auth_parse(&auth, value));
	EXPECT_STR(auth.algorithm, "SHA-256");
	EXPECT_STR(auth.realm, "example.org");
	EXPECT_STR(auth.qop, "auth");
	EXPECT(auth.stale);
	EXPECT(sip_values_next(&values, &value));
	EXPECT(sip_auth_parse(&auth, value));
	EXPECT_STR(auth.algorithm, "MD5");
	EXPECT(!sip_values_next(&values, &value));
}

/* The server's own nonce under each algorithm, as another server might offer it. */
TEST(every_algorithm_is_understood_on_both_sides)
{
	for (unsigned a = 0; a < SIP_DIGEST_UNKNOWN; a++) {
		static char own[2048];
		static char headers[512];
		struct sip_msg msg;
		struct sip_auth auth;
		const enum sip_digest_algorithm algorithm = (enum sip_digest_algorithm)a;
		const size_t len = write_challenge(own, sizeof own, NULL, false, 1000000);
		EXPECT_EQ(sip_msg_parse(&msg, own, len, SIP_STREAM), SIP_OK);
		EXPECT(sip_digest_choose(&auth, &msg, &credentials));
		snprintf(headers, sizeof headers,
		         "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"%.*s\", "
		         "qop=\"auth-int, auth\", opaque=\"o\", algorithm=%s\r\n",
		         STR_ARGS(auth.nonce), sip_digest_algorithm_name(algorithm));
		EXPECT_EQ(round_trip(&credentials, headers, STR("secret"), 2000000), SIP_DIGEST_OK);
		EXPECT_EQ(round_trip(&credentials, headers, STR("other"), 2000000),
		          SIP_DIGEST_WRONG);
		EXPECT_EQ(sip_digest_algorithm_of(str_of(sip_digest_algorithm_name(algorithm))), a);
	}
	EXPECT_EQ(sip_digest_algorithm_of(STR("")), SIP_DIGEST_MD5);
	EXPECT_EQ(sip_digest_algorithm_of(STR("SHA-1")), SIP_DIGEST_UNKNOWN);
}

TEST(a_challenge_for_another_realm_is_not_answered)
{
	static const char *const headers[] = {
		"WWW-Authenticate: Digest realm=\"evil.example\", nonce=\"n\"\r\n",
		"WWW-Authenticate: Digest realm=\"example.org\", nonce=\"\"\r\n",
		"WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n\", algorithm=X\r\n",
		"WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n\", qop=\"auth-int\"\r\n",
		"WWW-Authenticate: Basic realm=\"example.org\"\r\n",
		"Proxy-Authenticate: Digest realm=\"example.org\", nonce=\"n\"\r\n",
		"",
	};
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		char text[1024];
		struct sip_msg msg;
		struct sip_auth auth;
		const size_t len = write_challenge(text, sizeof text, headers[i], false, 0);
		EXPECT_EQ(sip_msg_parse(&msg, text, len, SIP_STREAM), SIP_OK);
		EXPECT(!sip_digest_choose(&auth, &msg, &credentials));
	}
	const struct sip_auth evil = { .scheme = STR("Digest"),
		                       .realm = STR("evil.example"),
		                       .nonce = STR("n") };
	char answer[512];
	struct writer w = writer_of(answer, sizeof answer);
	EXPECT(!sip_digest_write_answer(&w, &(struct sip_digest_answer){
	                                            .challenge = &evil,
	                                            .credentials = &credentials,
	                                            .method = STR("INVITE"),
	                                            .uri = STR("sip:a@b"),
	                                            .nc = 1 }));
	EXPECT_EQ(w.at, 0);
}

/* RFC 2617 s3.5 without qop, as RFC 2069 had it and old servers still do. */
TEST(a_server_without_qop_gets_the_old_answer)
{
	const struct sip_auth challenge = {
		.scheme = STR("Digest"),
		.realm = STR("testrealm@host.com"),
		.nonce = STR("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
		.opaque = STR("5ccc069c403ebaf9f0171e9517f40e41"),
		.has_opaque = true,
	};
	const struct sip_digest_credentials mufasa = { .realm = STR("testrealm@host.com"),
		                                       .username = STR("Mufasa"),
		                                       .password = STR("Circle Of Life") };
	char text[512];
	struct writer w = writer_of(text, sizeof text);
	EXPECT(sip_digest_write_answer(&w, &(struct sip_digest_answer){
	                                           .challenge = &challenge,
	                                           .credentials = &mufasa,
	                                           .method = STR("GET"),
	                                           .uri = STR("/dir/index.html"),
	                                           .nc = 1 }));
	EXPECT_STR(writer_view(&w),
	           "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
	           "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
	           "response=\"670fd8c2df070c60b045671b8b24ff02\", "
	           "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
}

static enum sip_digest_verdict
check_text(const char *authorization)
{
	static char request[2048];
	struct sip_msg msg;
	struct sip_auth auth;
	const size_t len = write_request(request, sizeof request, str_of(authorization));
	EXPECT_EQ(sip_msg_parse(&msg, request, len, SIP_STREAM), SIP_OK);
	const enum sip_digest_verdict found =
	        sip_digest_find(&auth, &server, &msg, SIP_HEADER_AUTHORIZATION);
	if (found != SIP_DIGEST_OK)
		return found;
	return sip_digest_check(&server,
	                        &(struct sip_digest_check){ .auth = &auth,
	                                                    .request = &msg,
	                                                    .username = STR("ann"),
	                                                    .password = STR("secret"),
	                                                    .known = true },
	                        0);
}

TEST(credentials_that_do_not_fit_are_named)
{
#define CRED "Digest username=\"ann\", realm=\"example.org\", response=\"0\", nonce="
#define REST ", uri=\"sip:1001@example.org\", cnonce=\"1\", nc=00000001, qop=auth"
	EXPECT_EQ(check_text(""), SIP_DIGEST_MISSING);
	EXPECT_EQ(check_text("Bearer x"), SIP_DIGEST_MISSING);
	EXPECT_EQ(check_text("Digest username=\"ann\", realm=\"other\""), SIP_DIGEST_MISSING);
	EXPECT_EQ(check_text("Digest realm=\"example.org\""), SIP_DIGEST_MALFORMED);
	EXPECT_EQ(check_text("Digest realm=\"example.org"), SIP_DIGEST_MALFORMED);
	EXPECT_EQ(check_text(CRED "\"x\"" REST), SIP_DIGEST_FOREIGN);
	EXPECT_EQ(check_text(CRED "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"" REST),
	          SIP_DIGEST_FOREIGN);
	EXPECT_EQ(check_text(CRED "\"x\"" REST ", userhash=true"), SIP_DIGEST_MALFORMED);
	EXPECT_EQ(check_text(CRED "\"x\"" REST ", algorithm=X"), SIP_DIGEST_MALFORMED);
	EXPECT_EQ(check_text(CRED "\"x\", uri=\"sip:1001@example.org\""), SIP_DIGEST_MALFORMED);
	EXPECT_EQ(check_text(CRED "\"x\", uri=\"sip:1002@example.org\", cnonce=\"1\", "
	                          "nc=00000001, qop=auth"),
	          SIP_DIGEST_MALFORMED);
	EXPECT_EQ(check_text(CRED "\"x\", uri=\"sip:1001@example.org\", cnonce=\"1\", "
	                          "nc=1, qop=auth"),
	          SIP_DIGEST_MALFORMED);
}

TEST(an_unknown_user_is_wrong_even_with_a_right_hash)
{
	static char challenge[2048];
	static char request[4096];
	static char answer[1024];
	struct sip_msg msg;
	struct sip_auth auth;
	const size_t len = write_challenge(challenge, sizeof challenge, NULL, false, 0);
	EXPECT_EQ(sip_msg_parse(&msg, challenge, len, SIP_STREAM), SIP_OK);
	EXPECT(sip_digest_choose(&auth, &msg, &credentials));
	struct writer w = writer_of(answer, sizeof answer);
	EXPECT(sip_digest_write_answer(
	        &w, &(struct sip_digest_answer){ .challenge = &auth,
	                                         .credentials = &credentials,
	                                         .method = STR("INVITE"),
	                                         .uri = STR("sip:1001@example.org"),
	                                         .nc = 1 }));
	const size_t request_len = write_request(request, sizeof request, writer_view(&w));
	EXPECT_EQ(sip_msg_parse(&msg, request, request_len, SIP_STREAM), SIP_OK);
	EXPECT_EQ(sip_digest_find(&auth, &server, &msg, SIP_HEADER_AUTHORIZATION), SIP_DIGEST_OK);
	struct sip_digest_check check = { .auth = &auth,
		                          .request = &msg,
		                          .username = credentials.username,
		                          .password = credentials.password };
	EXPECT_EQ(sip_digest_check(&server, &check, 0), SIP_DIGEST_WRONG);
	check.known = true;
	EXPECT_EQ(sip_digest_check(&server, &check, 0), SIP_DIGEST_OK);
	/* A nonce of another server's key. */
	struct sip_digest_server stranger = server;
	stranger.key[0] = 99;
	EXPECT_EQ(sip_digest_check(&stranger, &check, 0), SIP_DIGEST_FOREIGN);
}
