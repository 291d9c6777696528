/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: only what a trusted issuer signed for this host counts, whole and unchanged; it counts until
 * its end, whatever the clock does; and who trusts nobody is limited by nothing.
 *
 * Files are made by licence_make() with a key of the RFC; each reject has a file that provokes it,
 * every prefix and every flipped bit is refused. */
#include "licence/licence_sign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/test.h"

enum { FILE_MAX = 4096 };

/* RFC 8032 s7.1, test 2. */
static const char vector_secret[] =
	"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
static const char vector_public[] =
	"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
static const char vector_signature[] =
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

static const char claims_full[] =
	"{\"version\":1,\"id\":\"2026-42\",\"holder\":\"Example Ltd\",\"issued\":\"2026-03-01\","
	"\"host\":\"00112233-4455-4677-8899-aabbccddeeff\",\"graceDays\":30,\"colour\":\"red\","
	"\"features\":{\"callbridge\":{\"expires\":\"2027-03-01\",\"limit\":500},"
	"\"webbridge\":{},\"recording\":{\"expires\":\"2026-12-24T12:00:00Z\"},"
	"\"personal\":{\"limit\":0},\"time_travel\":{}}}";

static struct licence_secret
secret_of_vector(void)
{
	struct licence_secret secret;
	EXPECT_EQ(decode_hex(secret.bytes, sizeof secret.bytes, str_of(vector_secret)),
	          LICENCE_KEY_BYTES);
	return secret;
}

static struct licence_issuers
issuers_of_vector(void)
{
	struct licence_issuers issuers = { .count = 1, .list = { { .name = "acme" } } };
	EXPECT_EQ(decode_hex(issuers.list[0].key.bytes, LICENCE_KEY_BYTES, str_of(vector_public)),
	          LICENCE_KEY_BYTES);
	return issuers;
}

static struct guid
host_of_claims(void)
{
	struct guid host;
	EXPECT(guid_parse(&host, STR("00112233-4455-4677-8899-aabbccddeeff")));
	return host;
}

static struct str
make(char out[FILE_MAX], const char *claims)
{
	char error[LICENCE_ERROR_MAX] = "";
	const struct licence_secret secret = secret_of_vector();
	struct writer w = writer_of(out, FILE_MAX);
	EXPECT(licence_make(&w, str_of(claims), STR("acme"), &secret, error));
	return writer_view(&w);
}

static enum licence_reject
read_here(struct licence *licence, struct str file, char error[LICENCE_ERROR_MAX])
{
	const struct licence_issuers issuers = issuers_of_vector();
	const struct guid host = host_of_claims();
	return licence_read(licence, file, &issuers, &host, error);
}

/* Signs whatever it is given, as a faulty issuer would. */
static struct str
sign_anyway(char out[FILE_MAX], const char *header, const char *payload)
{
	uint8_t signature[LICENCE_SIGNATURE_BYTES];
	struct writer w = writer_of(out, FILE_MAX);
	encode_base64url(&w, header, strlen(header));
	writer_u8(&w, '.');
	encode_base64url(&w, payload, strlen(payload));
	const struct licence_secret secret = secret_of_vector();
	EXPECT(licence_sign(signature, &secret, writer_view(&w)));
	writer_u8(&w, '.');
	encode_base64url(&w, signature, sizeof signature);
	return writer_view(&w);
}

/* ------------------------------------------------------------------ keys */

TEST(signatures_are_those_of_rfc_8032)
{
	uint8_t signature[LICENCE_SIGNATURE_BYTES], wanted[LICENCE_SIGNATURE_BYTES];
	const struct licence_secret secret = secret_of_vector();
	struct licence_issuers issuers = issuers_of_vector();
	struct licence_key key;
	EXPECT_EQ(licence_key_of(&key, &secret), 0);
	EXPECT(memcmp(key.bytes, issuers.list[0].key.bytes, sizeof key.bytes) == 0);
	EXPECT_EQ(decode_hex(wanted, sizeof wanted, str_of(vector_signature)), sizeof wanted);
	EXPECT(licence_verify(&key, STR("\x72"), wanted));
	EXPECT(!licence_verify(&key, STR("\x73"), wanted));
	EXPECT(licence_sign(signature, &secret, STR("\x72")));
	EXPECT(memcmp(signature, wanted, sizeof wanted) == 0);
}

TEST(a_private_key_comes_back_from_its_pem)
{
	char pem[LICENCE_SECRET_TEXT_MAX];
	struct licence_secret secret, back;
	struct writer w = writer_of(pem, sizeof pem);
	EXPECT_EQ(licence_secret_make(&secret), 0);
	EXPECT_EQ(licence_secret_write(&w, &secret), 0);
	EXPECT(str_starts(writer_view(&w), STR("-----BEGIN PRIVATE KEY-----")));
	EXPECT_EQ(licence_secret_parse(&back, writer_view(&w)), 0);
	EXPECT(memcmp(back.bytes, secret.bytes, sizeof back.bytes) == 0);
	EXPECT_EQ(licence_secret_parse(&back, STR("-----BEGIN PRIVATE KEY-----\nAAAA\n")), -EINVAL);
	EXPECT_EQ(licence_secret_parse(&back, STR("")), -EINVAL);
	struct writer narrow = writer_of(pem, 20);
	EXPECT(licence_secret_write(&narrow, &secret) != 0);
}

/* ------------------------------------------------------------------ reading */

TEST(a_file_says_what_was_signed)
{
	char text[FILE_MAX], error[LICENCE_ERROR_MAX];
	struct licence licence;
	EXPECT_EQ(read_here(&licence, make(text, claims_full), error), LICENCE_OK);
	EXPECT_STR(str_of(licence.issuer), "acme");
	EXPECT_STR(str_of(licence.id), "2026-42");
	EXPECT_STR(str_of(licence.holder), "Example Ltd");
	EXPECT_EQ(licence.issued_s, 1772323200);
	EXPECT_EQ(licence.grace_days, 30);
	EXPECT(licence.bound);
	const struct licence_grant *calls = &licence.grants[LICENCE_CALLBRIDGE];
	EXPECT(calls->granted && calls->limited);
	EXPECT_EQ(calls->limit, 500);
	EXPECT_EQ(calls->expires_s, 1772323200 + 366 * 86400); /* with the whole of its last day */
	EXPECT_EQ(licence.grants[LICENCE_RECORDING].expires_s, 1798113600);
	EXPECT(licence.grants[LICENCE_WEBBRIDGE].granted);
	EXPECT(!licence.grants[LICENCE_WEBBRIDGE].limited);
	EXPECT_EQ(licence.grants[LICENCE_WEBBRIDGE].expires_s, INT64_MAX);
	EXPECT(licence.grants[LICENCE_PERSONAL].limited);
	EXPECT(!licence.grants[LICENCE_LDAP].granted);
}

TEST(each_fault_of_a_file_has_its_reject)
{
	static const char good_header[] = "{\"alg\":\"EdDSA\",\"kid\":\"acme\"}";
#define REST "\"id\":\"i\",\"holder\":\"h\",\"issued\":\"2026-03-01\""
	static const struct {
		const char *header;
		const char *payload;
		enum licence_reject want;
	} cases[] = {
		{ good_header, "{\"version\":1," REST ",\"features\":{}}", LICENCE_OK },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"acme\",\"typ\":\"JWT\"}",
		  "{\"version\":1," REST ",\"features\":{}}", LICENCE_OK },
		{ "not json", "{}", LICENCE_REJECT_FORM },
		{ "[]", "{}", LICENCE_REJECT_FORM },
		{ "{\"alg\":\"none\",\"kid\":\"acme\"}", "{}", LICENCE_REJECT_ALGORITHM },
		{ "{\"alg\":\"HS256\",\"kid\":\"acme\"}", "{}", LICENCE_REJECT_ALGORITHM },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"acme\",\"crit\":[\"x\"]}", "{}",
		  LICENCE_REJECT_ALGORITHM },
		{ "{\"alg\":\"EdDSA\"}", "{}", LICENCE_REJECT_ALGORITHM },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"a b\"}", "{}", LICENCE_REJECT_ALGORITHM },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"other\"}", "{}", LICENCE_REJECT_ISSUER },
		{ good_header, "[1]", LICENCE_REJECT_CLAIMS },
		{ good_header, "{" REST ",\"features\":{}}", LICENCE_REJECT_CLAIMS },
		{ good_header, "{\"version\":2}", LICENCE_REJECT_VERSION },
		{ good_header, "{\"version\":1," REST "}", LICENCE_REJECT_CLAIMS },
		{ good_header, "{\"version\":1," REST ",\"features\":{},\"features\":{}}",
		  LICENCE_REJECT_CLAIMS },
		{ good_header, "{\"version\":1," REST ",\"graceDays\":367,\"features\":{}}",
		  LICENCE_REJECT_CLAIMS },
		{ good_header, "{\"version\":1," REST ",\"host\":\"me\",\"features\":{}}",
		  LICENCE_REJECT_CLAIMS },
		{ good_header,
		  "{\"version\":1," REST ",\"host\":\"00112233-4455-4677-8899-aabbccddeefe\","
		  "\"features\":{}}",
		  LICENCE_REJECT_HOST },
		{ good_header, "{\"version\":1," REST ",\"features\":{\"turn\":true}}",
		  LICENCE_REJECT_CLAIMS },
		{ good_header, "{\"version\":1," REST ",\"features\":{\"turn\":{\"limit\":-1}}}",
		  LICENCE_REJECT_CLAIMS },
		{ good_header,
		  "{\"version\":1," REST ",\"features\":{\"turn\":{\"expires\":\"2027-02-29\"}}}",
		  LICENCE_REJECT_CLAIMS },
		{ good_header,
		  "{\"version\":1,\"id\":\"\",\"holder\":\"h\",\"issued\":\"2026-03-01\","
		  "\"features\":{}}",
		  LICENCE_REJECT_CLAIMS },
		{ good_header,
		  "{\"version\":1,\"id\":\"i\",\"holder\":\"a\\nb\",\"issued\":\"2026-03-01\","
		  "\"features\":{}}",
		  LICENCE_REJECT_CLAIMS },
		{ good_header,
		  "{\"version\":1,\"id\":\"i\",\"holder\":\"h\",\"issued\":\"lately\","
		  "\"features\":{}}",
		  LICENCE_REJECT_CLAIMS },
	};
#undef REST
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[FILE_MAX], error[LICENCE_ERROR_MAX];
		struct licence licence;
		EXPECT_EQ(read_here(&licence,
		                    sign_anyway(text, cases[i].header, cases[i].payload), error),
		          cases[i].want);
		EXPECT((error[0] == '\0') == (cases[i].want == LICENCE_OK));
	}
}

TEST(what_the_issuer_would_refuse_is_not_signed)
{
	char text[FILE_MAX], error[LICENCE_ERROR_MAX] = "";
	const struct licence_secret secret = secret_of_vector();
	struct writer w = writer_of(text, sizeof text);
	EXPECT(!licence_make(&w, STR("{\"version\":1}"), STR("acme"), &secret, error));
	EXPECT(error[0] != '\0');
	EXPECT(!licence_make(&w, str_of(claims_full), STR("a b"), &secret, error));
	struct writer narrow = writer_of(text, 100);
	EXPECT(!licence_make(&narrow, str_of(claims_full), STR("acme"), &secret, error));
}

TEST(every_prefix_and_every_flipped_bit_is_refused)
{
	char text[FILE_MAX], bad[FILE_MAX], error[LICENCE_ERROR_MAX];
	struct licence licence;
	const struct str file = str_trim(make(text, claims_full));
	for (size_t len = 0; len < file.len; len++)
		EXPECT(read_here(&licence, str_sub(file, 0, len), error) != LICENCE_OK);
	/* Two bits of the last character are no part of the signature. */
	for (size_t at = 0; at + 1 < file.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(bad, file.at, file.len);
			bad[at] = (char)(bad[at] ^ (1 << bit));
			EXPECT(read_here(&licence, (struct str){ bad, file.len }, error) !=
			       LICENCE_OK);
		}
	}
}

TEST(another_key_of_the_same_name_signs_nothing)
{
	char text[FILE_MAX], error[LICENCE_ERROR_MAX];
	struct licence_issuers issuers = issuers_of_vector();
	struct licence licence;
	const struct guid host = host_of_claims();
	const struct str file = make(text, claims_full);
	issuers.list[0].key.bytes[0] ^= 1;
	EXPECT_EQ(licence_read(&licence, file, &issuers, &host, error), LICENCE_REJECT_SIGNATURE);
	str_copy(issuers.list[0].name, LICENCE_ISSUER_MAX, STR("somebody"));
	EXPECT_EQ(licence_read(&licence, file, &issuers, &host, error), LICENCE_REJECT_ISSUER);
	EXPECT_STR(str_of(error), "it is signed by \"acme\", who is not trusted here");
}

TEST(a_file_for_a_host_counts_there_alone)
{
	char text[FILE_MAX], error[LICENCE_ERROR_MAX];
	const struct licence_issuers issuers = issuers_of_vector();
	struct licence licence;
	struct guid host = host_of_claims();
	const struct str file = make(text, claims_full);
	EXPECT_EQ(licence_read(&licence, file, &issuers, &host, error), LICENCE_OK);
	EXPECT_EQ(licence_read(&licence, file, &issuers, NULL, error), LICENCE_REJECT_HOST);
	host.bytes[15] ^= 1;
	EXPECT_EQ(licence_read(&licence, file, &issuers, &host, error), LICENCE_REJECT_HOST);
	EXPECT_STR(str_of(error), "it is for the host 00112233-4455-4677-8899-aabbccddeeff; this one "
	                          "is 00112233-4455-4677-8899-aabbccddeefe");
}

TEST(a_large_file_is_refused_by_its_size)
{
	static char large[LICENCE_FILE_BYTES_MAX + 1];
	char error[LICENCE_ERROR_MAX];
	struct licence licence;
	memset(large, 'A', sizeof large);
	EXPECT_EQ(read_here(&licence, (struct str){ large, sizeof large }, error),
	          LICENCE_REJECT_LONG);
	EXPECT_EQ(read_here(&licence, (struct str){ large, sizeof large - 1 }, error),
	          LICENCE_REJECT_FORM);
}

/* ------------------------------------------------------------------ time */

TEST(a_feature_is_activated_then_in_grace_then_over)
{
	char text[FILE_MAX], error[LICENCE_ERROR_MAX];
	struct licence licence;
	EXPECT_EQ(read_here(&licence, make(text, claims_full), error), LICENCE_OK);
	const int64_t end_s = licence.grants[LICENCE_CALLBRIDGE].expires_s;
	static const struct { int64_t after_s; enum licence_state want; } cases[] = {
		{ -1, LICENCE_ACTIVATED },
		{ 0, LICENCE_GRACE },
		{ 30 * 86400 - 1, LICENCE_GRACE },
		{ 30 * 86400, LICENCE_EXPIRED },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct licence_rights rights =
			licence_rights_of(&licence, end_s + cases[i].after_s);
		EXPECT_EQ(rights.of[LICENCE_CALLBRIDGE].state, cases[i].want);
		EXPECT_EQ(licence_allows(&rights, LICENCE_CALLBRIDGE),
		          cases[i].want != LICENCE_EXPIRED);
		EXPECT_EQ(rights.of[LICENCE_WEBBRIDGE].state, LICENCE_ACTIVATED);
		EXPECT_EQ(rights.of[LICENCE_LDAP].state, LICENCE_NONE);
		EXPECT(!licence_allows(&rights, LICENCE_LDAP));
	}
}

TEST(a_clock_put_back_brings_nothing_back)
{
	const struct licence licence = { .id = "a", .issued_s = 1000 };
	EXPECT_EQ(licence_now(&licence, 2000, STR("a"), 1500), 2000);
	EXPECT_EQ(licence_now(&licence, 1200, STR("a"), 1500), 1500);
	EXPECT_EQ(licence_now(&licence, 1200, STR("b"), 1500), 1200); /* a new file begins anew */
	EXPECT_EQ(licence_now(&licence, 10, STR(""), 0), 1000);       /* no file before its day */
}

TEST(dates_are_written_as_people_read_them)
{
	char date[LICENCE_DATE_MAX];
	EXPECT_STR(str_of(licence_date(date, 1682640000)), "2023-Apr-28");
	EXPECT_STR(str_of(licence_date(date, 951782400 + 86399)), "2000-Feb-29");
}

/* ------------------------------------------------------------------ issuers and words */

TEST(issuers_are_read_and_written)
{
	char text[512];
	struct licence_issuers issuers, back;
	uint32_t line;
	const struct str file =
		STR("# who resells\n\nacme AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\r\n"
	            "b.2   ////////////////////////////////////////////////ABEi\n");
	EXPECT(!licence_issuers_parse(&issuers, file, &line));
	EXPECT_EQ(line, 4); /* 36 bytes */
	EXPECT_EQ(issuers.count, 0);
	EXPECT(licence_issuers_parse(
		&issuers, STR("acme AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"), &line));
	EXPECT_EQ(issuers.count, 1);
	EXPECT_EQ(issuers.list[0].key.bytes[31], 31);
	struct writer w = writer_of(text, sizeof text);
	licence_issuers_write(&w, &issuers);
	EXPECT(licence_issuers_parse(&back, writer_view(&w), &line));
	EXPECT(memcmp(&back, &issuers, sizeof back) == 0);
	static const char *const bad[] = {
		"acme", "acme x", "a/b AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		("a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
		 "a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		EXPECT(!licence_issuers_parse(&back, str_of(bad[i]), &line));
}

TEST(the_command_line_shows_what_counts)
{
	char made[FILE_MAX], error[LICENCE_ERROR_MAX], text[4096];
	struct licence licence;
	EXPECT_EQ(read_here(&licence, make(made, claims_full), error), LICENCE_OK);
	const int64_t now_s = licence.grants[LICENCE_CALLBRIDGE].expires_s - 100 * 86400;
	const struct licence_rights rights = licence_rights_of(&licence, now_s);
	struct writer w = writer_of(text, sizeof text - 1);
	licence_write(&w, &rights, now_s);
	text[w.at] = '\0';
	EXPECT(strstr(text, "Feature: callbridge status: Activated limit: 500 expiry: 2027-Mar-01 "
	                    "(100 days remain)\n") != NULL);
	EXPECT(strstr(text, "Feature: webbridge status: Activated expiry: never\n") != NULL);
	EXPECT(strstr(text, "Feature: recording status: Activated expiry: 2026-Dec-24 "
	                    "(32 days remain)\n") != NULL);
	EXPECT(strstr(text, "Feature: ldap status: No license\n") != NULL);
	const struct licence_rights free_rights = licence_rights_free();
	w.at = 0;
	licence_write(&w, &free_rights, now_s);
	text[w.at] = '\0';
	EXPECT(strstr(text, "Feature: callbridge status: Activated\n") != NULL);
	EXPECT(strstr(text, "Feature: local_license_mode status: Activated\n") != NULL);
	EXPECT(strstr(text, "expiry") == NULL);
	const struct licence_rights none = licence_rights_none(LICENCE_REJECT_HOST);
	EXPECT(!licence_allows(&none, LICENCE_CALLBRIDGE));
	EXPECT_STR(str_of(licence_reject_name(none.why)), "otherHost");
}
