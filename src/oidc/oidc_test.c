/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a person gets in only with a token that the provider signed for us, for this sign-in, now.
 * Method: dialogues with a provider made of cjose's signing half, each claim and signature spoiled in
 * turn, and every stage left, repeated or answered with nonsense. */
#include "oidc/oidc.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/test.h"
#include "oidc/oidc_key.h"
#include "oidc/oidc_token.h"

#define ISSUER    "https://idp.example/realm"
#define BACK      "https://meet.example:8443/signin"
#define SECOND_US INT64_C(1000000)
#define WALL_S    INT64_C(1800000000)
#define DISCOVERY "{\"issuer\":\"" ISSUER "\"," ENDPOINTS "}"
#define ENDPOINTS                                                                                  \
	"\"authorization_endpoint\":\"https://idp.example/auth\","                                 \
	"\"token_endpoint\":\"https://idp.example/token\","                                        \
	"\"userinfo_endpoint\":\"https://idp.example/me\","                                        \
	"\"jwks_uri\":\"https://idp.example/keys\""

static const struct oidc_settings settings = {
	.provider = { { 1 } },
	.issuer = STR_INIT(ISSUER),
	.client_id = STR_INIT("convoke"),
	.client_secret = STR_INIT("a secret: +&"),
	.scope = STR_INIT("openid profile"),
	.claim = STR_INIT("preferred_username"),
};

static struct oidc *oidc;
static struct oidc_event event;
static uint64_t told; /* the caller of the last failure */
static int64_t now_us;
static uint32_t drawn;
static char nonce[OIDC_STATE_LEN + 1];
static char state[OIDC_STATE_LEN + 1];

/* The provider. */

static cjose_jwk_t *rsa;
static cjose_jwk_t *ec;
static cjose_jwk_t *shared;
static char key_set[OIDC_ANSWER_MAX];
static char answer[OIDC_ANSWER_MAX];

static void
draw(void *bytes, size_t len)
{
	drawn++;
	memset(bytes, 3, len);
	memcpy(bytes, &drawn, sizeof drawn);
}

static cjose_jwk_t *
named(cjose_jwk_t *key, const char *name)
{
	cjose_err error;
	EXPECT(key != NULL && cjose_jwk_set_kid(key, name, strlen(name), &error));
	return key;
}

static void
show_keys(const cjose_jwk_t *first, const cjose_jwk_t *second)
{
	cjose_err error;
	char *one = cjose_jwk_to_json(first, false, &error);
	char *two = cjose_jwk_to_json(second, false, &error);
	snprintf(key_set, sizeof key_set, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},%s,%s]}", one,
	         two);
	free(one);
	free(two);
}

static void
setup(void)
{
	cjose_err error;
	oidc_destroy(oidc);
	now_us = 1000;
	drawn = 0;
	EXPECT_EQ(oidc_create(&oidc, draw, now_us), 0);
	if (rsa == NULL) {
		static const uint8_t secret[] = "known to nobody but the two of us";
		rsa = named(cjose_jwk_create_RSA_random(2048, NULL, 0, &error), "r");
		ec = named(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error), "e");
		shared = cjose_jwk_create_oct_spec(secret, sizeof secret, &error);
	}
	show_keys(rsa, ec);
}

static json_t *
good_claims(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "iss", ISSUER, "aud", "convoke",
	                 "sub", "u1", "nonce", nonce, "iat", (json_int_t)WALL_S, "exp",
	                 (json_int_t)(WALL_S + 300), "preferred_username", "ann@example.com");
}

/* Takes the claims. */
static struct str
sign(json_t *claims, const cjose_jwk_t *key, const char *algorithm, const char *key_id)
{
	static char token[OIDC_TOKEN_MAX];
	cjose_err error;
	const char *compact = NULL;
	cjose_header_t *header = cjose_header_new(&error);
	EXPECT(cjose_header_set(header, CJOSE_HDR_ALG, algorithm, &error));
	EXPECT(key_id == NULL || cjose_header_set(header, CJOSE_HDR_KID, key_id, &error));
	char *text = json_dumps(claims, JSON_COMPACT);
	cjose_jws_t *jws =
		cjose_jws_sign(key, header, (const uint8_t *)text, strlen(text), &error);
	EXPECT(jws != NULL && cjose_jws_export(jws, &compact, &error));
	snprintf(token, sizeof token, "%s", compact);
	cjose_jws_release(jws);
	cjose_header_release(header);
	free(text);
	json_decref(claims);
	return str_of(token);
}

static struct str
tokens_of(struct str id_token)
{
	snprintf(answer, sizeof answer, "{\"access_token\":\"at-1\",\"id_token\":\"%.*s\"}",
	         STR_ARGS(id_token));
	return str_of(answer);
}

/* The dialogue. */

static enum oidc_event_kind
poll(void)
{
	oidc_poll(oidc, &event, now_us);
	return event.kind;
}

static void
nothing_more(void)
{
	EXPECT_EQ(poll(), OIDC_NONE);
}

/* A value of a URL's query, as it stands there. */
static struct str
parameter(struct str url, const char *name)
{
	(void)str_cut(&url, '?');
	while (url.len != 0) {
		struct str value = str_cut(&url, '&');
		if (str_eq(str_cut(&value, '='), str_of(name)))
			return value;
	}
	return (struct str){ 0 };
}

static void
away(void)
{
	EXPECT_EQ(poll(), OIDC_REDIRECT);
	EXPECT_EQ(event.caller, 7);
	EXPECT(str_copy(state, sizeof state, event.state));
	EXPECT(str_copy(nonce, sizeof nonce, parameter(event.url, "nonce")));
	nothing_more();
}

static void
fetched(const char *url)
{
	EXPECT_EQ(poll(), OIDC_FETCH);
	EXPECT_STR(event.url, url);
}

static void
answered(unsigned status, struct str body)
{
	oidc_answer(oidc, event.fetch, status, body, now_us, WALL_S * 1000000);
}

static void
begin(void)
{
	oidc_begin(oidc, &settings, STR(BACK), 7, now_us);
}

static void
go_there(void)
{
	begin();
	fetched(ISSUER "/.well-known/openid-configuration");
	nothing_more();
	oidc_answer(oidc, 1, 200, STR(DISCOVERY), now_us, 0);
	away();
}

static void
come_back(uint64_t caller)
{
	oidc_finish(oidc, &(struct oidc_return){ .state = str_of(state), .code = STR("c/1") },
	            caller, now_us);
}

/* There and back up to the answer with this token. */
static void
bring(struct str id_token)
{
	come_back(8);
	fetched("https://idp.example/token");
	answered(200, tokens_of(id_token));
}

static void
keys_come(void)
{
	fetched("https://idp.example/keys");
	EXPECT_EQ(event.form.len, 0);
	answered(200, str_of(key_set));
}

static void
signed_in(void)
{
	EXPECT_EQ(poll(), OIDC_SIGNED_IN);
	EXPECT_EQ(event.caller, 8);
	EXPECT_STR(event.identity, "ann@example.com");
	EXPECT(guid_eq(&event.provider, &settings.provider));
	nothing_more();
}

static void
failed_with(enum oidc_failure failure, const char *detail)
{
	EXPECT_EQ(poll(), OIDC_FAILED);
	EXPECT_EQ(event.failure, failure);
	EXPECT_STR(event.detail, detail);
	told = event.caller;
	nothing_more();
}

TEST(a_person_goes_to_the_provider_and_comes_back)
{
	setup();
	begin();
	fetched(ISSUER "/.well-known/openid-configuration");
	answered(200, STR(DISCOVERY));
	EXPECT_EQ(poll(), OIDC_REDIRECT);
	EXPECT(str_starts(event.url, STR("https://idp.example/auth?response_type=code"
	                                 "&client_id=convoke&redirect_uri=https%3A%2F%2Fmeet.example"
	                                 "%3A8443%2Fsignin&scope=openid%20profile&state=")));
	EXPECT_STR(parameter(event.url, "code_challenge_method"), "S256");
	EXPECT_EQ(parameter(event.url, "code_challenge").len, OIDC_STATE_LEN);
	EXPECT(str_eq(parameter(event.url, "state"), event.state));
	EXPECT(str_copy(state, sizeof state, event.state));
	EXPECT(str_copy(nonce, sizeof nonce, parameter(event.url, "nonce")));

	come_back(8);
	fetched("https://idp.example/token");
	EXPECT(str_starts(event.form, STR("grant_type=authorization_code&code=c%2F1&redirect_uri="
	                                  "https%3A%2F%2Fmeet.example%3A8443%2Fsignin"
	                                  "&code_verifier=")));
	EXPECT_STR(event.user, "convoke");
	EXPECT_STR(event.password, "a%20secret%3A%20%2B%26");
	answered(200, tokens_of(sign(good_claims(), rsa, "RS256", "r")));
	keys_come();
	signed_in();
}

TEST(the_challenge_is_the_hash_of_the_verifier)
{
	setup();
	begin();
	fetched(ISSUER "/.well-known/openid-configuration");
	answered(200, STR(DISCOVERY));
	EXPECT_EQ(poll(), OIDC_REDIRECT);
	EXPECT_STR(parameter(event.url, "code_challenge"),
	           "x8Ur_YUw7nhnXo4CyOemFUOJZTPs9fquAF4QVNf1QpI");
	EXPECT(str_copy(state, sizeof state, event.state));
	come_back(8);
	fetched("https://idp.example/token");
	/* What draw() gives the third time, as base64url. */
	EXPECT(str_ends(event.form, STR("&code_verifier=AwAAAAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM")));
	begin();
	EXPECT_EQ(poll(), OIDC_REDIRECT);
	EXPECT(!str_eq(event.state, str_of(state)));
}

TEST(what_a_provider_says_of_itself_is_asked_once)
{
	setup();
	go_there();
	bring(sign(good_claims(), ec, "ES256", "e"));
	keys_come();
	signed_in();
	begin();
	away();
	bring(sign(good_claims(), rsa, "PS256", "r"));
	signed_in();
	now_us += OIDC_KEEP_S * SECOND_US;
	begin();
	fetched(ISSUER "/.well-known/openid-configuration");
}

TEST(all_who_wait_for_one_answer_go_on_with_it)
{
	setup();
	begin();
	begin();
	fetched(ISSUER "/.well-known/openid-configuration");
	nothing_more();
	begin();
	nothing_more();
	oidc_answer(oidc, 1, 200, STR(DISCOVERY), now_us, 0);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(poll(), OIDC_REDIRECT);
	nothing_more();
}

TEST(a_name_that_is_not_in_the_token_is_asked_for)
{
	setup();
	for (int other = 0; other < 3; other++) {
		static const char *const bodies[] = {
			"{\"sub\":\"u1\",\"preferred_username\":\"ann@example.com\"}",
			"{\"sub\":\"u2\",\"preferred_username\":\"ann@example.com\"}",
			"{\"sub\":\"u1\"}",
		};
		if (other == 0)
			go_there();
		else
			begin(), away();
		json_t *claims = good_claims();
		json_object_del(claims, "preferred_username");
		bring(sign(claims, rsa, "RS256", "r"));
		if (other == 0)
			keys_come();
		fetched("https://idp.example/me");
		EXPECT_STR(event.bearer, "at-1");
		answered(200, str_of(bodies[other]));
		if (other == 0)
			signed_in();
		else
			failed_with(OIDC_FAILURE_NO_CLAIM, "preferred_username");
	}
}

TEST(a_state_serves_once_and_not_for_long)
{
	setup();
	go_there();
	come_back(8);
	fetched("https://idp.example/token");
	come_back(9);
	failed_with(OIDC_FAILURE_UNKNOWN, "");
	EXPECT_EQ(told, 9);
	begin();
	away();
	EXPECT(oidc_deadline(oidc) <= now_us + OIDC_AWAY_S * SECOND_US);
	now_us += (OIDC_AWAY_S + 1) * SECOND_US;
	oidc_tick(oidc, now_us);
	/* The first one's provider never answered. */
	failed_with(OIDC_FAILURE_NO_ANSWER, "it took too long");
	EXPECT_EQ(told, 8);
	come_back(9);
	failed_with(OIDC_FAILURE_UNKNOWN, "");
	EXPECT_EQ(oidc_deadline(oidc), INT64_MAX);
}

TEST(a_provider_that_does_not_answer_fails_those_who_wait)
{
	static const struct {
		unsigned status;
		const char *body;
		enum oidc_failure failure;
		const char *detail;
	} answers[] = {
		{ 0, "Connection refused", OIDC_FAILURE_NO_ANSWER, "Connection refused" },
		{ 503, "", OIDC_FAILURE_NO_ANSWER, "it answers with an error" },
		{ 200, "", OIDC_FAILURE_PROVIDER,
		  "its description is not OpenID Connect's, or another issuer's" },
		{ 200, "{\"issuer\":\"https://else.example\"," ENDPOINTS "}", OIDC_FAILURE_PROVIDER,
		  "its description is not OpenID Connect's, or another issuer's" },
		/* What would end a header of the redirect. */
		{ 200,
		  "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"https://a\\r\\nSet-Cookie:\","
		  "\"token_endpoint\":\"https://t\",\"jwks_uri\":\"https://k\"}",
		  OIDC_FAILURE_PROVIDER,
		  "its description is not OpenID Connect's, or another issuer's" },
		{ 200, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"http://idp.example/keys\"}",
		  OIDC_FAILURE_PROVIDER,
		  "its description is not OpenID Connect's, or another issuer's" },
	};
	setup();
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		begin();
		fetched(ISSUER "/.well-known/openid-configuration");
		answered(answers[i].status, str_of(answers[i].body));
		failed_with(answers[i].failure, answers[i].detail);
	}
	begin();
	fetched(ISSUER "/.well-known/openid-configuration");
	now_us += 61 * SECOND_US;
	oidc_tick(oidc, now_us);
	failed_with(OIDC_FAILURE_NO_ANSWER, "it took too long");
}

TEST(a_refusal_is_told_with_the_providers_word)
{
	setup();
	go_there();
	oidc_finish(oidc,
	            &(struct oidc_return){ .state = str_of(state), .error = STR("access_denied\nforged") },
	            8, now_us);
	failed_with(OIDC_FAILURE_REFUSED, "access_denied");
	begin();
	away();
	come_back(8);
	fetched("https://idp.example/token");
	answered(401, STR("{\"error\":\"invalid_client\\nforged line\"}"));
	failed_with(OIDC_FAILURE_CODE, "invalid_client");
	begin();
	away();
	oidc_finish(oidc, &(struct oidc_return){ .state = str_of(state) }, 8, now_us);
	failed_with(OIDC_FAILURE_CODE, "no code, or too long");
	begin();
	away();
	come_back(8);
	fetched("https://idp.example/token");
	answered(200, STR("[]"));
	failed_with(OIDC_FAILURE_TOKEN, "it is no signed ID token");
}

static void
refused_token(struct str token, enum oidc_token_reject reject)
{
	begin();
	away();
	bring(token);
	failed_with(OIDC_FAILURE_TOKEN, oidc_token_reject_text(reject));
}

/* The provider's keys are known, and were just fetched. */
static void
ready(void)
{
	setup();
	go_there();
	bring(sign(good_claims(), rsa, "RS256", "r"));
	keys_come();
	signed_in();
}

TEST(each_claim_that_is_wrong_is_refused)
{
	static const struct {
		const char *name;
		const char *json;
		enum oidc_token_reject reject;
	} spoiled[] = {
		{ "iss", "\"https://idp.example\"", OIDC_TOKEN_ISSUER },
		{ "iss", "null", OIDC_TOKEN_ISSUER },
		{ "aud", "\"other\"", OIDC_TOKEN_AUDIENCE },
		{ "aud", "[]", OIDC_TOKEN_AUDIENCE },
		{ "aud", "[\"convoke\",\"other\"]", OIDC_TOKEN_AUDIENCE },
		{ "azp", "\"other\"", OIDC_TOKEN_AUDIENCE },
		{ "nonce", "\"\"", OIDC_TOKEN_NONCE },
		{ "nonce", "17", OIDC_TOKEN_NONCE },
		{ "exp", "1799999880", OIDC_TOKEN_EXPIRED },
		{ "exp", "\"1900000000\"", OIDC_TOKEN_EXPIRED },
		{ "iat", "1800000121", OIDC_TOKEN_EARLY },
		{ "iat", "null", OIDC_TOKEN_EARLY },
		{ "sub", "\"\"", OIDC_TOKEN_FORM },
	};
	ready();
	for (size_t i = 0; i < sizeof spoiled / sizeof *spoiled; i++) {
		begin();
		away();
		json_t *claims = good_claims();
		json_object_set_new(claims, spoiled[i].name,
		                    json_loads(spoiled[i].json, JSON_DECODE_ANY, NULL));
		bring(sign(claims, rsa, "RS256", "r"));
		failed_with(OIDC_FAILURE_TOKEN, oidc_token_reject_text(spoiled[i].reject));
	}
}

TEST(a_list_of_audiences_is_taken_when_it_names_the_party)
{
	ready();
	begin();
	away();
	json_t *claims = good_claims();
	json_object_set_new(claims, "aud", json_pack("[s,s]", "other", "convoke"));
	json_object_set_new(claims, "azp", json_string("convoke"));
	bring(sign(claims, rsa, "RS256", NULL));
	signed_in();
}

/* RFC 8725 s3.1: nobody but the list of algorithms says how a token is verified. */
TEST(a_token_that_the_provider_did_not_sign_is_refused)
{
	ready();
	cjose_err error;
	cjose_jwk_t *stranger = named(cjose_jwk_create_RSA_random(2048, NULL, 0, &error), "r");
	begin();
	away();
	bring(sign(good_claims(), stranger, "RS256", "r"));
	failed_with(OIDC_FAILURE_TOKEN, oidc_token_reject_text(OIDC_TOKEN_SIGNATURE));
	cjose_jwk_release(stranger);
	refused_token(sign(good_claims(), shared, "HS256", NULL), OIDC_TOKEN_ALGORITHM);
	refused_token(STR("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9."), OIDC_TOKEN_ALGORITHM);
	refused_token(STR("eyJhbGciOiJub25lIn0"), OIDC_TOKEN_FORM);
	refused_token(sign(good_claims(), rsa, "RS256", "unseen"), OIDC_TOKEN_NO_KEY);
	refused_token(sign(json_array(), rsa, "RS256", "r"), OIDC_TOKEN_FORM);
}

TEST(each_algorithm_is_verified_with_its_own_curve_only)
{
	static const struct {
		const char *name;
		cjose_jwk_ec_curve curve;
	} curves[] = { { "ES256", CJOSE_JWK_EC_P_256 },
		       { "ES384", CJOSE_JWK_EC_P_384 },
		       { "ES512", CJOSE_JWK_EC_P_521 } };
	static const char *const of_rsa[] = { "RS256", "RS384", "RS512",
		                              "PS256", "PS384", "PS512" };
	cjose_err error;
	ready();
	for (size_t i = 0; i < sizeof of_rsa / sizeof *of_rsa; i++) {
		begin();
		away();
		bring(sign(good_claims(), rsa, of_rsa[i], "r"));
		signed_in();
	}
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
		cjose_jwk_t *key = named(cjose_jwk_create_EC_random(curves[i].curve, &error), "c");
		show_keys(rsa, key);
		now_us += OIDC_KEYS_AGAIN_S * SECOND_US;
		begin();
		away();
		bring(sign(good_claims(), key, curves[i].name, "c"));
		keys_come();
		signed_in();
		refused_token(sign(good_claims(), key, curves[(i + 1) % 3].name, "c"),
		              OIDC_TOKEN_NO_KEY);
		cjose_jwk_release(key);
	}
}

/* RFC 8037 appendix A.4. */
TEST(an_ed25519_signature_is_verified)
{
	static const char text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
	uint8_t signature[OIDC_SIGNATURE_BYTES_MAX];
	const int len = decode_base64(
		signature, sizeof signature,
		STR("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr"
	            "_MuM0KAg"));
	json_t *key = json_pack("{s:s, s:s, s:s}", "kty", "OKP", "crv", "Ed25519", "x",
	                        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
	const struct oidc_algorithm *algorithm = oidc_algorithm_of(STR("EdDSA"));
	EXPECT_EQ(len, 64);
	EXPECT(oidc_key_fits(key, algorithm));
	EXPECT(oidc_key_signed(key, algorithm, str_of(text), signature, (size_t)len));
	EXPECT(!oidc_key_signed(key, algorithm, str_of(text + 1), signature, (size_t)len));
	json_decref(key);
}

TEST(keys_that_are_none_verify_nothing)
{
	static const struct {
		const char *algorithm;
		const char *json;
	} bad[] = {
		{ "RS256", "{\"kty\":\"RSA\"}" },
		{ "RS256", "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}" },
		{ "RS256", "{\"kty\":\"RSA\",\"n\":\"!\",\"e\":17}" },
		{ "ES256", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}" },
		{ "ES256", "{\"kty\":\"EC\",\"crv\":\"P-256\","
		           "\"x\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\","
		           "\"y\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}" },
		{ "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}" },
	};
	const uint8_t signature[256] = { 1 };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		json_t *key = json_loads(bad[i].json, 0, NULL);
		const struct oidc_algorithm *algorithm =
			oidc_algorithm_of(str_of(bad[i].algorithm));
		EXPECT(oidc_key_fits(key, algorithm));
		EXPECT(!oidc_key_signed(key, algorithm, STR("text"), signature, 64));
		EXPECT(!oidc_key_signed(key, algorithm, STR("text"), signature, 256));
		json_decref(key);
	}
}

TEST(no_prefix_and_no_flipped_bit_of_a_token_is_taken)
{
	char token[OIDC_TOKEN_MAX];
	struct oidc_identity identity;
	setup();
	EXPECT(str_copy(nonce, sizeof nonce, STR("n")));
	const struct str whole = sign(good_claims(), ec, "ES256", "e");
	const struct oidc_expected expected = { .issuer = STR(ISSUER),
		                                .client_id = STR("convoke"),
		                                .nonce = STR("n"),
		                                .claim = STR("preferred_username"),
		                                .now_s = WALL_S };
	EXPECT_EQ(oidc_read_id_token(&identity, whole, str_of(key_set), &expected), OIDC_TOKEN_OK);
	for (size_t len = 0; len < whole.len; len++)
		EXPECT(oidc_read_id_token(&identity, str_sub(whole, 0, len), str_of(key_set),
		                          &expected) != OIDC_TOKEN_OK);
	/* The last character of a signature has bits that mean nothing. */
	for (size_t i = 0; i + 1 < whole.len; i++) {
		memcpy(token, whole.at, whole.len);
		token[i] = (char)(token[i] ^ 4);
		EXPECT(oidc_read_id_token(&identity, (struct str){ token, whole.len },
		                          str_of(key_set), &expected) != OIDC_TOKEN_OK);
	}
}

TEST(a_new_key_is_fetched_but_not_at_everybodys_wish)
{
	ready();
	cjose_err error;
	cjose_jwk_t *fresh = named(cjose_jwk_create_RSA_random(2048, NULL, 0, &error), "n");
	refused_token(sign(good_claims(), fresh, "RS256", "n"), OIDC_TOKEN_NO_KEY);
	now_us += OIDC_KEYS_AGAIN_S * SECOND_US;
	begin();
	away();
	bring(sign(good_claims(), fresh, "RS256", "n"));
	show_keys(fresh, ec);
	keys_come();
	signed_in();
	now_us += OIDC_KEYS_AGAIN_S * SECOND_US;
	begin();
	away();
	bring(sign(good_claims(), rsa, "RS256", "r"));
	keys_come();
	failed_with(OIDC_FAILURE_TOKEN, oidc_token_reject_text(OIDC_TOKEN_NO_KEY));
	begin();
	away();
	now_us += OIDC_KEYS_AGAIN_S * SECOND_US;
	bring(sign(good_claims(), rsa, "RS256", "r"));
	fetched("https://idp.example/keys");
	answered(200, STR("{\"keys\":[]}"));
	failed_with(OIDC_FAILURE_PROVIDER, "what it shows as its keys are none");
	cjose_jwk_release(fresh);
}

TEST(the_secret_is_sent_as_the_provider_takes_it)
{
	struct oidc_settings open = settings;
	open.client_secret = (struct str){ 0 };
	setup();
	oidc_begin(oidc, &settings, STR(BACK), 7, now_us);
	EXPECT_EQ(poll(), OIDC_FETCH);
	answered(200, STR("{\"issuer\":\"" ISSUER "\"," ENDPOINTS ","
	                  "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"]}"));
	away();
	come_back(8);
	fetched("https://idp.example/token");
	EXPECT_EQ(event.user.len, 0);
	EXPECT(str_ends(event.form, STR("&client_id=convoke&client_secret=a%20secret%3A%20%2B%26")));
	answered(0, STR("Connection reset"));
	failed_with(OIDC_FAILURE_NO_ANSWER, "Connection reset");

	oidc_begin(oidc, &open, STR(BACK), 7, now_us);
	EXPECT_EQ(poll(), OIDC_FETCH);
	answered(200, STR(DISCOVERY));
	away();
	come_back(8);
	fetched("https://idp.example/token");
	EXPECT_EQ(event.user.len, 0);
	EXPECT(str_ends(event.form, STR("&client_id=convoke")));
}

TEST(changed_settings_end_what_was_asked_by_the_old_ones)
{
	struct oidc_settings moved = settings;
	moved.issuer = STR("https://other.example/");
	setup();
	begin();
	fetched(ISSUER "/.well-known/openid-configuration");
	const uint32_t old = event.fetch;
	oidc_begin(oidc, &moved, STR(BACK), 9, now_us);
	fetched("https://other.example/.well-known/openid-configuration");
	EXPECT_EQ(poll(), OIDC_FAILED);
	EXPECT_EQ(event.failure, OIDC_FAILURE_SETTINGS);
	EXPECT_EQ(event.caller, 7);
	oidc_answer(oidc, old, 200, STR(DISCOVERY), now_us, 0);
	nothing_more();
}

TEST(changed_settings_end_whoever_is_away_or_being_looked_at)
{
	struct oidc_settings moved = settings;
	moved.issuer = STR("https://other.example/");
	setup();
	go_there();
	oidc_begin(oidc, &moved, STR(BACK), 9, now_us);
	fetched("https://other.example/.well-known/openid-configuration");
	/* His code is the old issuer's business. */
	come_back(8);
	failed_with(OIDC_FAILURE_UNKNOWN, "");
	setup();
	go_there();
	come_back(8);
	fetched("https://idp.example/token");
	const uint32_t old = event.fetch;
	oidc_begin(oidc, &moved, STR(BACK), 9, now_us);
	fetched("https://other.example/.well-known/openid-configuration");
	EXPECT_EQ(poll(), OIDC_FAILED);
	EXPECT_EQ(event.failure, OIDC_FAILURE_SETTINGS);
	EXPECT_EQ(event.caller, 8);
	oidc_answer(oidc, old, 200, STR("{}"), now_us, 0);
	nothing_more();
}

TEST(an_address_that_is_not_verified_is_nobodys)
{
	static const struct {
		const char *verified; /* as JSON; NULL: nothing is said */
		bool good;
	} cases[] = { { "true", true }, { NULL, true }, { "false", false }, { "\"false\"", false } };
	struct oidc_settings by_mail = settings;
	by_mail.claim = STR("email");
	setup();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		oidc_begin(oidc, &by_mail, STR(BACK), 7, now_us);
		if (i == 0) {
			EXPECT_EQ(poll(), OIDC_FETCH);
			answered(200, STR(DISCOVERY));
		}
		away();
		json_t *claims = good_claims();
		json_object_set_new(claims, "email", json_string("ann@example.com"));
		if (cases[i].verified != NULL)
			json_object_set_new(claims, "email_verified",
			                    json_loads(cases[i].verified, JSON_DECODE_ANY, NULL));
		bring(sign(claims, rsa, "RS256", "r"));
		if (i == 0)
			keys_come();
		if (cases[i].good) {
			signed_in();
			continue;
		}
		/* Asked once more, the provider says the same. */
		fetched("https://idp.example/me");
		answered(200, STR("{\"sub\":\"u1\",\"email\":\"ann@example.com\","
		                  "\"email_verified\":false}"));
		failed_with(OIDC_FAILURE_NO_CLAIM, "email");
	}
}

TEST(bad_settings_are_refused)
{
	struct oidc_settings bad[4] = { settings, settings, settings, settings };
	bad[0].issuer = STR("http://idp.example");
	bad[1].scope = STR("profile");
	bad[2].claim = (struct str){ 0 };
	bad[3].client_id = (struct str){ 0 };
	setup();
	for (size_t i = 0; i < 4; i++) {
		oidc_begin(oidc, &bad[i], STR(BACK), 7, now_us);
		failed_with(OIDC_FAILURE_SETTINGS, "");
	}
	oidc_begin(oidc, &settings, STR("http://meet.example"), 7, now_us);
	failed_with(OIDC_FAILURE_SETTINGS, "");
}

TEST(too_many_are_told_so)
{
	static char states[OIDC_EXCHANGES_MAX + 1][OIDC_STATE_LEN + 1];
	setup();
	go_there();
	for (int i = 1; i < OIDC_LOGINS_MAX; i++) {
		now_us++;
		begin();
		EXPECT_EQ(poll(), OIDC_REDIRECT);
		if (i <= OIDC_EXCHANGES_MAX + 1)
			EXPECT(str_copy(states[i - 1], sizeof states[0], event.state));
	}
	/* The first to go has been away longest. */
	begin();
	EXPECT_EQ(poll(), OIDC_REDIRECT);
	come_back(8);
	failed_with(OIDC_FAILURE_UNKNOWN, "");
	for (int i = 0; i <= OIDC_EXCHANGES_MAX; i++) {
		memcpy(state, states[i], sizeof state);
		come_back(8);
		if (i < OIDC_EXCHANGES_MAX)
			fetched("https://idp.example/token");
	}
	failed_with(OIDC_FAILURE_BUSY, "too many at once");
}

TEST(only_so_many_providers_are_known_at_once)
{
	struct oidc_settings other = settings;
	setup();
	for (uint8_t i = 0; i < OIDC_PROVIDERS_MAX; i++) {
		other.provider.bytes[1] = i;
		oidc_begin(oidc, &other, STR(BACK), 7, now_us);
		EXPECT_EQ(poll(), OIDC_FETCH);
	}
	other.provider.bytes[1] = OIDC_PROVIDERS_MAX;
	oidc_begin(oidc, &other, STR(BACK), 7, now_us);
	failed_with(OIDC_FAILURE_BUSY, "");
	oidc_answer(oidc, 1, 0, STR("gone"), now_us, 0);
	failed_with(OIDC_FAILURE_NO_ANSWER, "gone");
	oidc_begin(oidc, &other, STR(BACK), 7, now_us);
	EXPECT_EQ(poll(), OIDC_FETCH);
	oidc_destroy(oidc);
	oidc = NULL;
	cjose_jwk_release(rsa);
	cjose_jwk_release(ec);
	cjose_jwk_release(shared);
	rsa = NULL;
}
