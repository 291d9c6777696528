/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the keys and bytes are those of the RFCs, every reject has a packet that provokes it, and
 * nothing that did not authenticate changes a session.
 * Method: the RFCs' vectors on srtp_crypto.h; pairs of sessions that talk to each other, under
 * every suite; every prefix and every flipped bit of good packets. */
#include "srtp/srtp.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/prng.h"
#include "base/test.h"
#include "srtp/srtp_crypto.h"

enum {
	ROOM = 256,
	PAYLOAD = 40,
	SSRC = 0x5eadbeef,
	STRANGER = 0x0badcafe,
};

static size_t
hex(uint8_t *out, size_t cap, const char *text)
{
	const int len = decode_hex(out, cap, str_of(text));
	EXPECT(len >= 0);
	return (size_t)len;
}

static void
expect_hex(const uint8_t *got, size_t len, const char *want)
{
	char text[2 * ROOM];
	struct writer w = writer_of(text, sizeof text);
	encode_hex(&w, got, len);
	EXPECT(!w.failed);
	EXPECT_STR(writer_view(&w), want);
}

/* ---- Vectors ---- */

TEST(keys_are_derived_as_in_rfc_3711_b3_and_rfc_6188_7_2)
{
	static const struct {
		enum srtp_suite suite;
		const char *key;
		const char *salt;
		const char *want[3]; /* by label: cipher key, authentication key, salt */
	} cases[] = {
		{ SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
		  "e1f97a0d3e018be0d64fa32c06de4139",
		  "0ec675ad498afeebb6960b3aabe6",
		  { "c61e7a93744f39ee10734afe3ff7a087", "cebe321f6ff7716b6fd4ab49af256a156d38baa4",
		    "30cbbc08863d8c85d49db34a9ae1" } },
		{ SRTP_SUITE_AES_256_CM_HMAC_SHA1_80,
		  "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
		  "3b04803de51ee7c96423ab5b78d2",
		  { "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
		    "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05", "fa31791685ca444a9e07c6c64e93" } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t key[SRTP_KEY_BYTES_MAX];
		uint8_t salt[SRTP_SALT_BYTES_MAX];
		hex(key, sizeof key, cases[i].key);
		hex(salt, sizeof salt, cases[i].salt);
		const struct srtp_settings settings = { .suite = cases[i].suite,
			                                .key = key,
			                                .salt = salt };
		for (unsigned label = 0; label < 3; label++) {
			uint8_t got[SRTP_KEY_BYTES_MAX];
			const size_t len = strlen(cases[i].want[label]) / 2;
			EXPECT_EQ(srtp_derive(&settings, label, got, len), 0);
			expect_hex(got, len, cases[i].want[label]);
		}
	}
}

TEST(the_key_stream_is_that_of_rfc_3711_b2)
{
	uint8_t key[16];
	uint8_t salt[SRTP_SALT_BYTES_MAX];
	const uint8_t auth[SRTP_SHA1_BYTES] = { 0 };
	hex(key, sizeof key, "2b7e151628aed2a6abf7158809cf4f3c");
	hex(salt, sizeof salt, "f0f1f2f3f4f5f6f7f8f9fafbfcfd");
	const struct srtp_settings session = { .suite = SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
		                               .key = key,
		                               .salt = salt };
	struct srtp_keys keys;
	EXPECT_EQ(srtp_keys_set(&keys, &session, auth), 0);
	uint8_t stream[48] = { 0 };
	srtp_ctr(&keys, 0, 0, stream, sizeof stream);
	expect_hex(stream, sizeof stream,
	           "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
	           "41e95b3bb0a2e8dd477901e4fca894c0");
	srtp_keys_fini(&keys);
}

TEST(hmac_sha1_is_that_of_rfc_2202)
{
	uint8_t key[SRTP_SHA1_BYTES];
	uint8_t out[SRTP_SHA1_BYTES];
	struct srtp_hmac hmac;
	memset(key, 0x0b, sizeof key);
	srtp_hmac_init(&hmac, key);
	srtp_hmac(&hmac, (const uint8_t *)"Hi There", 8, NULL, out);
	expect_hex(out, sizeof out, "b617318655057264e28bc0b6fb378c8ef146be00");
	const uint32_t tail = 0x68657265; /* "here" */
	srtp_hmac(&hmac, (const uint8_t *)"Hi T", 4, &tail, out);
	expect_hex(out, sizeof out, "b617318655057264e28bc0b6fb378c8ef146be00");
}

struct gcm_vector {
	enum srtp_suite suite;
	const char *key;
	uint32_t ssrc;
	int64_t index;
	const char *aad;
	const char *plain;
	const char *sealed; /* ciphertext and tag */
};

static void
check_gcm(const struct gcm_vector *vector, enum srtp_direction direction)
{
	uint8_t key[SRTP_KEY_BYTES_MAX];
	uint8_t salt[SRTP_SALT_BYTES_MAX];
	uint8_t aad[ROOM];
	uint8_t bytes[ROOM];
	const uint8_t auth[SRTP_SHA1_BYTES] = { 0 };
	const bool seals = direction == SRTP_OUTBOUND;
	hex(key, sizeof key, vector->key);
	hex(salt, sizeof salt, "517569642070726f2071756f");
	const size_t aad_len = hex(aad, sizeof aad, vector->aad);
	const size_t len = strlen(vector->plain) / 2;
	hex(bytes, sizeof bytes, seals ? vector->plain : vector->sealed);

	const struct srtp_settings session = {
		.suite = vector->suite, .direction = direction, .key = key, .salt = salt
	};
	struct srtp_keys keys;
	EXPECT_EQ(srtp_keys_set(&keys, &session, auth), 0);
	const struct srtp_aead aead = {
		.ssrc = vector->ssrc,
		.index = vector->index,
		.aad = aad,
		.aad_len = aad_len,
		.bytes = bytes,
		.len = len,
		.tag = bytes + len,
	};
	if (seals) {
		srtp_seal(&keys, &aead);
		expect_hex(bytes, len + SRTP_GCM_TAG_BYTES, vector->sealed);
	} else {
		EXPECT(srtp_open(&keys, &aead));
		expect_hex(bytes, len, vector->plain);
	}
	srtp_keys_fini(&keys);
}

TEST(gcm_is_that_of_rfc_7714_16_and_17)
{
	static const struct gcm_vector vectors[] = {
		{ SRTP_SUITE_AEAD_AES_128_GCM, "000102030405060708090a0b0c0d0e0f", 0x5501a0b2,
		  0xf17b, "8040f17b8041f8d35501a0b2",
		  "47616c6c696120657374206f6d6e697320646976697361"
		  "20696e207061727465732074726573",
		  "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
		  "899d7f27beb16a9152cf765ee4390cce" },
		{ SRTP_SUITE_AEAD_AES_256_GCM,
		  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0x5501a0b2,
		  0xf17b, "8040f17b8041f8d35501a0b2",
		  "47616c6c696120657374206f6d6e697320646976697361"
		  "20696e207061727465732074726573",
		  "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
		  "7aa3db36dfffd6b0f9bb7878d7a76c13" },
		{ SRTP_SUITE_AEAD_AES_128_GCM, "000102030405060708090a0b0c0d0e0f", 0x4d617273,
		  0x5d4, "81c8000d4d617273800005d4",
		  "4e5450314e545032525450200000042a0000e9304c756e61"
		  "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
		  "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b468630"
		  "3ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade" },
	};
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		check_gcm(&vectors[i], SRTP_OUTBOUND);
		check_gcm(&vectors[i], SRTP_INBOUND);
	}
}

/* ---- Two sessions that talk to each other ---- */

struct pair {
	struct srtp_session *out;
	struct srtp_session *in;
};

static struct pair
pair_of(enum srtp_suite suite, uint32_t streams_max, uint32_t ssrcs_max)
{
	static const uint8_t key[SRTP_KEY_BYTES_MAX] = "a key of thirty-two good bytes..";
	static const uint8_t salt[SRTP_SALT_BYTES_MAX] = "fourteen salts";
	struct srtp_settings settings = { .suite = suite,
		                          .direction = SRTP_OUTBOUND,
		                          .key = key,
		                          .salt = salt,
		                          .streams_max = streams_max,
		                          .ssrcs_max = ssrcs_max };
	struct pair pair;
	EXPECT_EQ(srtp_session_create(&pair.out, &settings), 0);
	settings.direction = SRTP_INBOUND;
	EXPECT_EQ(srtp_session_create(&pair.in, &settings), 0);
	return pair;
}

static void
pair_fini(struct pair *pair)
{
	srtp_session_destroy(pair->out);
	srtp_session_destroy(pair->in);
}

struct packet {
	uint8_t bytes[ROOM];
	size_t len;
};

static struct packet
rtp_packet(uint32_t ssrc, uint16_t seq)
{
	struct packet packet = { .bytes = { 0x80, 0x60 }, .len = 12 + PAYLOAD };
	struct writer w = writer_of(packet.bytes + 2, sizeof packet.bytes - 2);
	writer_u16(&w, seq);
	writer_u32(&w, seq * 160u);
	writer_u32(&w, ssrc);
	for (uint8_t i = 0; i < PAYLOAD; i++)
		writer_u8(&w, (uint8_t)(i ^ seq));
	return packet;
}

static struct packet
rtcp_packet(uint32_t ssrc)
{
	struct packet packet = { .bytes = { 0x80, 201, 0, 1 }, .len = 28 };
	struct writer w = writer_of(packet.bytes + 4, sizeof packet.bytes - 4);
	writer_u32(&w, ssrc);
	writer_text(&w, "and more in the same");
	return packet;
}

static struct packet
protected_rtp(const struct pair *pair, uint32_t ssrc, uint16_t seq)
{
	struct packet packet = rtp_packet(ssrc, seq);
	EXPECT_EQ(srtp_rtp_protect(pair->out, packet.bytes, &packet.len, ROOM), SRTP_OK);
	return packet;
}

static struct packet
protected_rtcp(const struct pair *pair, uint32_t ssrc)
{
	struct packet packet = rtcp_packet(ssrc);
	EXPECT_EQ(srtp_rtcp_protect(pair->out, packet.bytes, &packet.len, ROOM), SRTP_OK);
	return packet;
}

/* By value: a refused packet may be overwritten. */
static enum srtp_reject
receive_rtp(const struct pair *pair, struct packet packet)
{
	return srtp_rtp_unprotect(pair->in, packet.bytes, &packet.len);
}

static enum srtp_reject
receive_rtcp(const struct pair *pair, struct packet packet)
{
	return srtp_rtcp_unprotect(pair->in, packet.bytes, &packet.len);
}

#define FOR_EACH_SUITE(suite) for (enum srtp_suite suite = 1; suite < SRTP_SUITE_COUNT; suite++)

TEST(what_is_protected_comes_back_as_it_was)
{
	FOR_EACH_SUITE(suite)
	{
		struct pair pair = pair_of(suite, 0, 0);
		for (uint16_t seq = 1; seq < 100; seq++) {
			const struct packet plain = rtp_packet(SSRC, seq);
			struct packet packet = protected_rtp(&pair, SSRC, seq);
			EXPECT_EQ(packet.len, plain.len + srtp_suite_info(suite)->rtp_tag_bytes);
			EXPECT(memcmp(packet.bytes, plain.bytes, 12) == 0);
			EXPECT(memcmp(packet.bytes + 12, plain.bytes + 12, PAYLOAD) != 0);
			EXPECT_EQ(srtp_rtp_unprotect(pair.in, packet.bytes, &packet.len), SRTP_OK);
			EXPECT_EQ(packet.len, plain.len);
			EXPECT(memcmp(packet.bytes, plain.bytes, plain.len) == 0);

			const struct packet report = rtcp_packet(SSRC);
			packet = protected_rtcp(&pair, SSRC);
			EXPECT(memcmp(packet.bytes, report.bytes, 8) == 0);
			EXPECT(memcmp(packet.bytes + 8, report.bytes + 8, report.len - 8) != 0);
			EXPECT_EQ(srtp_rtcp_unprotect(pair.in, packet.bytes, &packet.len), SRTP_OK);
			EXPECT_EQ(packet.len, report.len);
			EXPECT(memcmp(packet.bytes, report.bytes, report.len) == 0);
		}
		EXPECT_EQ(srtp_session_counts(pair.in)[SRTP_OK], 2 * 99);
		pair_fini(&pair);
	}
}

TEST(suites_are_found_by_name_and_profile)
{
	FOR_EACH_SUITE(suite)
	{
		const struct srtp_suite_info *info = srtp_suite_info(suite);
		EXPECT_EQ(srtp_suite_by_name(str_of(info->name)), suite);
		if (info->dtls_profile != 0)
			EXPECT_EQ(srtp_suite_by_dtls_profile(info->dtls_profile), suite);
	}
	EXPECT_EQ(srtp_suite_by_name(STR("F8_128_HMAC_SHA1_80")), SRTP_SUITE_NONE);
	EXPECT_EQ(srtp_suite_by_dtls_profile(0), SRTP_SUITE_NONE);
	EXPECT_EQ(srtp_suite_by_dtls_profile(5), SRTP_SUITE_NONE); /* NULL cipher */
}

/* ---- Memory ---- */

/* The allocations OpenSSL may still make; -1: any number. */
static long allocations_left = -1;

static bool
may_allocate(void)
{
	if (allocations_left > 0)
		allocations_left--;
	return allocations_left != 0;
}

static void *
failing_malloc(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return may_allocate() ? malloc(len) : NULL;
}

static void *
failing_realloc(void *memory, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return may_allocate() ? realloc(memory, len) : NULL;
}

static void
plain_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

/* Before OpenSSL has allocated anything. */
__attribute__((constructor)) static void
take_over_openssl_memory(void)
{
	CHECK(CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free) == 1);
}

TEST(a_session_that_finds_no_memory_leaves_nothing_behind)
{
	static const uint8_t key[SRTP_KEY_BYTES_MAX] = { 1 };
	FOR_EACH_SUITE(suite)
	{
		const struct srtp_settings settings = { .suite = suite, .key = key, .salt = key };
		struct srtp_session *session = NULL;
		EXPECT_EQ(srtp_session_create(&session, &settings), 0); /* fills its caches */
		srtp_session_destroy(session);
		int rc = -1;
		unsigned failed = 0;
		for (long left = 1; rc != 0; left++) {
			allocations_left = left;
			session = NULL;
			rc = srtp_session_create(&session, &settings);
			allocations_left = -1;
			EXPECT(rc == 0 || rc == -ENOMEM || rc == -ENOTSUP);
			EXPECT_EQ(rc == 0, session != NULL);
			failed += rc != 0;
		}
		EXPECT(failed >= 10);
		srtp_session_destroy(session);
	}
	ERR_clear_error();
	srtp_session_destroy(NULL);
}

/* ---- Rejects ---- */

TEST(no_prefix_and_no_flipped_bit_authenticates_or_leaves_a_trace)
{
	FOR_EACH_SUITE(suite)
	{
		struct pair pair = pair_of(suite, 1, 1);
		const struct packet rtp = protected_rtp(&pair, SSRC, 7);
		const struct packet rtcp = protected_rtcp(&pair, SSRC);
		for (size_t len = 0; len < rtp.len; len++) {
			struct packet cut = rtp;
			cut.len = len;
			EXPECT(receive_rtp(&pair, cut) != SRTP_OK);
		}
		for (size_t len = 0; len < rtcp.len; len++) {
			struct packet cut = rtcp;
			cut.len = len;
			EXPECT(receive_rtcp(&pair, cut) != SRTP_OK);
		}
		for (size_t bit = 0; bit < 8 * rtp.len; bit++) {
			struct packet bad = rtp;
			bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			EXPECT(receive_rtp(&pair, bad) != SRTP_OK);
		}
		for (size_t bit = 0; bit < 8 * rtcp.len; bit++) {
			struct packet bad = rtcp;
			bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			EXPECT(receive_rtcp(&pair, bad) != SRTP_OK);
		}
		struct srtp_place place;
		EXPECT(!srtp_session_place(pair.in, SSRC, &place));
		EXPECT_EQ(srtp_session_counts(pair.in)[SRTP_OK], 0);
		/* A DTLS session on the same thread would take an error left here for its own. */
		EXPECT_EQ(ERR_peek_error(), 0);
		EXPECT_EQ(receive_rtp(&pair, rtp), SRTP_OK);
		EXPECT_EQ(receive_rtcp(&pair, rtcp), SRTP_OK);
		pair_fini(&pair);
	}
}

TEST(names_the_rule_that_was_broken)
{
	struct pair pair = pair_of(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, 0);
	const struct packet rtp = protected_rtp(&pair, SSRC, 7);
	const struct packet rtcp = protected_rtcp(&pair, SSRC);

	struct packet bad = rtp;
	bad.len = 12 + 9;
	EXPECT_EQ(receive_rtp(&pair, bad), SRTP_REJECT_SHORT);
	bad = rtp;
	bad.bytes[0] = 0x8f; /* 15 CSRCs that are not there */
	bad.len = 60;
	EXPECT_EQ(receive_rtp(&pair, bad), SRTP_REJECT_SHORT);
	bad = rtp;
	bad.bytes[0] = 0x90; /* the payload as an extension: too long */
	bad.bytes[14] = 0xff;
	EXPECT_EQ(receive_rtp(&pair, bad), SRTP_REJECT_SHORT);
	bad = rtp;
	bad.bytes[0] = 0x40;
	EXPECT_EQ(receive_rtp(&pair, bad), SRTP_REJECT_HEADER);
	bad = rtp;
	bad.bytes[20] ^= 1;
	EXPECT_EQ(receive_rtp(&pair, bad), SRTP_REJECT_AUTH);
	EXPECT_EQ(receive_rtp(&pair, rtp), SRTP_OK);
	EXPECT_EQ(receive_rtp(&pair, rtp), SRTP_REJECT_REPLAY);

	bad = rtcp;
	bad.bytes[rtcp.len - 14] &= 0x7f; /* the E flag */
	EXPECT_EQ(receive_rtcp(&pair, bad), SRTP_REJECT_CLEAR);
	bad = rtcp;
	bad.bytes[0] = 0;
	EXPECT_EQ(receive_rtcp(&pair, bad), SRTP_REJECT_HEADER);
	EXPECT_EQ(receive_rtcp(&pair, rtcp), SRTP_OK);
	EXPECT_EQ(receive_rtcp(&pair, rtcp), SRTP_REJECT_REPLAY);

	struct packet plain = rtp_packet(SSRC, 8);
	EXPECT_EQ(srtp_rtp_protect(pair.out, plain.bytes, &plain.len, plain.len + 9),
	          SRTP_REJECT_SHORT);
	plain = rtcp_packet(SSRC);
	EXPECT_EQ(srtp_rtcp_protect(pair.out, plain.bytes, &plain.len, plain.len + 13),
	          SRTP_REJECT_SHORT);
	const uint64_t *counts = srtp_session_counts(pair.in);
	EXPECT_EQ(counts[SRTP_REJECT_REPLAY], 2);
	EXPECT_EQ(counts[SRTP_REJECT_SHORT], 3);
	EXPECT_EQ(counts[SRTP_REJECT_CLEAR], 1);
	pair_fini(&pair);
}

TEST(the_same_number_is_never_sent_twice)
{
	struct pair pair = pair_of(SRTP_SUITE_AEAD_AES_128_GCM, 0, 0);
	(void)protected_rtp(&pair, SSRC, 500);
	(void)protected_rtp(&pair, SSRC, 499); /* forwarded late: fine */
	struct packet again = rtp_packet(SSRC, 500);
	EXPECT_EQ(srtp_rtp_protect(pair.out, again.bytes, &again.len, ROOM), SRTP_REJECT_REPLAY);
	again = rtp_packet(SSRC, 200);
	EXPECT_EQ(srtp_rtp_protect(pair.out, again.bytes, &again.len, ROOM), SRTP_REJECT_OLD);
	pair_fini(&pair);
}

static enum srtp_reject
protect_again(const struct pair *pair, struct packet *plain, const struct packet *first)
{
	return srtp_rtp_protect_again(pair->out, plain->bytes, &plain->len, ROOM,
	                              first->bytes + first->len - SRTP_PROOF_BYTES);
}

TEST(the_very_same_packet_may_be_sent_again_and_is_the_same_to_the_byte)
{
	static struct packet sent[300];
	FOR_EACH_SUITE(suite)
	{
		struct pair pair = pair_of(suite, 0, 0);
		for (unsigned i = 0; i < COUNT_OF(sent); i++) {
			sent[i] = protected_rtp(&pair, SSRC, (uint16_t)(65400 + i)); /* wraps */
			if (i % 3 != 0)
				EXPECT_EQ(receive_rtp(&pair, sent[i]), SRTP_OK);
		}
		for (unsigned i = 0; i < COUNT_OF(sent); i++) {
			struct packet again = rtp_packet(SSRC, (uint16_t)(65400 + i));
			EXPECT_EQ(protect_again(&pair, &again, &sent[i]), SRTP_OK);
			EXPECT_EQ(again.len, sent[i].len);
			EXPECT(memcmp(again.bytes, sent[i].bytes, again.len) == 0);
			if (i + SRTP_WINDOW > COUNT_OF(sent))
				EXPECT_EQ(receive_rtp(&pair, again),
				          i % 3 == 0 ? SRTP_OK : SRTP_REJECT_REPLAY);
		}
		EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, 65400 + 300 - 65536)), SRTP_OK);
		pair_fini(&pair);
	}
}

TEST(what_differs_in_a_bit_is_not_sent_again_under_the_same_number)
{
	FOR_EACH_SUITE(suite)
	{
		struct pair pair = pair_of(suite, 0, 0);
		const struct packet first = protected_rtp(&pair, SSRC, 500);
		for (size_t bit = 8; bit < 8 * (12 + PAYLOAD); bit++) {
			struct packet other = rtp_packet(SSRC, 500);
			other.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			EXPECT_EQ(protect_again(&pair, &other, &first), SRTP_REJECT_REPLAY);
		}
		struct packet longer = rtp_packet(SSRC, 500);
		longer.len++;
		EXPECT_EQ(protect_again(&pair, &longer, &first), SRTP_REJECT_REPLAY);
		/* A number that was never used is not used this way. */
		struct packet ahead = rtp_packet(SSRC, 501);
		EXPECT_EQ(protect_again(&pair, &ahead, &first), SRTP_REJECT_REPLAY);
		ahead = rtp_packet(SSRC, 501);
		EXPECT_EQ(srtp_rtp_protect(pair.out, ahead.bytes, &ahead.len, ROOM), SRTP_OK);
		/* Nor does a session send again what it never sent, as after new keys. */
		struct pair fresh = pair_of(suite, 0, 0);
		struct packet stranger = rtp_packet(SSRC, 500);
		EXPECT_EQ(protect_again(&fresh, &stranger, &first), SRTP_REJECT_REPLAY);
		/* And the packet itself still may. */
		struct packet again = rtp_packet(SSRC, 500);
		EXPECT_EQ(protect_again(&pair, &again, &first), SRTP_OK);
		again = rtp_packet(SSRC, 500);
		EXPECT_EQ(srtp_rtp_protect_again(pair.out, again.bytes, &again.len, again.len + 1,
		                                 first.bytes),
		          SRTP_REJECT_SHORT);
		pair_fini(&fresh);
		pair_fini(&pair);
	}
}

/* ---- Reordering and roll-over ---- */

TEST(the_window_takes_each_packet_once_in_any_order)
{
	enum { PACKETS = 3000 };
	struct pair pair = pair_of(SRTP_SUITE_AES_CM_128_HMAC_SHA1_32, 0, 0);
	struct packet *packets = calloc(PACKETS, sizeof *packets);
	EXPECT(packets != NULL);
	for (unsigned i = 0; i < PACKETS; i++)
		packets[i] = protected_rtp(&pair, SSRC, (uint16_t)(64500 + i)); /* wraps */

	struct prng prng;
	prng_init(&prng, 1);
	/* Shuffled within blocks of the window's size, each block twice. */
	for (unsigned from = 0; from + SRTP_WINDOW <= PACKETS; from += SRTP_WINDOW) {
		unsigned order[SRTP_WINDOW];
		for (unsigned i = 0; i < SRTP_WINDOW; i++)
			order[i] = i;
		for (unsigned i = SRTP_WINDOW - 1; i > 0; i--) {
			const unsigned j = prng_below(&prng, i + 1);
			const unsigned swapped = order[i];
			order[i] = order[j];
			order[j] = swapped;
		}
		for (unsigned i = 0; i < SRTP_WINDOW; i++)
			EXPECT_EQ(receive_rtp(&pair, packets[from + order[i]]), SRTP_OK);
		for (unsigned i = 0; i < SRTP_WINDOW; i++)
			EXPECT_EQ(receive_rtp(&pair, packets[from + order[i]]), SRTP_REJECT_REPLAY);
	}
	/* 64 more bits are known, then everything is too old. */
	EXPECT_EQ(receive_rtp(&pair, packets[PACKETS - 1000]), SRTP_REJECT_OLD);
	free(packets);
	pair_fini(&pair);
}

TEST(a_gap_leaves_room_for_what_it_skipped)
{
	for (uint16_t gap = 1; gap < 2000; gap += 37) {
		struct pair pair = pair_of(SRTP_SUITE_AEAD_AES_128_GCM, 0, 0);
		for (uint16_t seq = 0; seq < 256; seq++) /* every bit of the window is set */
			EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, seq)), SRTP_OK);
		const uint16_t top = (uint16_t)(255 + gap);
		EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, top)), SRTP_OK);
		for (uint16_t late = 1; late < gap && late <= SRTP_WINDOW; late++) {
			const uint16_t seq = (uint16_t)(top - late);
			EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, seq)), SRTP_OK);
		}
		pair_fini(&pair);
	}
}

TEST(before_the_first_roll_over_a_far_number_lies_ahead)
{
	struct pair pair = pair_of(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, 0);
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, 10)), SRTP_OK);
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, 50000)), SRTP_OK);
	struct srtp_place place;
	EXPECT(srtp_session_place(pair.in, SSRC, &place));
	EXPECT_EQ(place.rtp_index, 50000);
	pair_fini(&pair);
}

TEST(the_roll_over_counter_follows_wraps_gaps_and_stragglers)
{
	FOR_EACH_SUITE(suite)
	{
		struct pair pair = pair_of(suite, 0, 0);
		struct packet straggler = { 0 };
		uint32_t number = 65000;
		for (unsigned i = 0; i < 40; i++, number += 9001) {
			const struct packet late =
			        protected_rtp(&pair, SSRC, (uint16_t)(number - 3));
			EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, (uint16_t)number)),
			          SRTP_OK);
			EXPECT_EQ(receive_rtp(&pair, late), SRTP_OK);
			if (i != 0)
				EXPECT(receive_rtp(&pair, straggler) != SRTP_OK);
			straggler = late;
		}
		struct srtp_place place;
		EXPECT(srtp_session_place(pair.in, SSRC, &place));
		EXPECT_EQ(place.rtp_index, number - 9001);
		pair_fini(&pair);
	}
}

/* ---- Limits ---- */

TEST(a_worn_out_key_is_refused_and_never_wraps)
{
	FOR_EACH_SUITE(suite)
	{
		struct pair pair = pair_of(suite, 0, 0);
		const struct srtp_place place = { .ssrc = SSRC,
			                          .rtp_index = ((int64_t)1 << 48) - 3,
			                          .rtcp_index = ((int64_t)1 << 31) - 3 };
		EXPECT_EQ(srtp_session_resume(pair.out, &place), SRTP_OK);
		EXPECT_EQ(srtp_session_resume(pair.in, &place), SRTP_OK);
		EXPECT_EQ(srtp_session_resume(pair.in, &place), SRTP_REJECT_REPLAY);
		EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, 0xfffe)), SRTP_OK);
		EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, 0xffff)), SRTP_OK);
		struct packet over = rtp_packet(SSRC, 0);
		EXPECT_EQ(srtp_rtp_protect(pair.out, over.bytes, &over.len, ROOM), SRTP_REJECT_KEY);
		EXPECT_EQ(receive_rtp(&pair, rtp_packet(SSRC, 0)), SRTP_REJECT_KEY);

		EXPECT_EQ(receive_rtcp(&pair, protected_rtcp(&pair, SSRC)), SRTP_OK);
		EXPECT_EQ(receive_rtcp(&pair, protected_rtcp(&pair, SSRC)), SRTP_OK);
		over = rtcp_packet(SSRC);
		EXPECT_EQ(srtp_rtcp_protect(pair.out, over.bytes, &over.len, ROOM),
		          SRTP_REJECT_KEY);
		pair_fini(&pair);
	}
}

TEST(a_stream_put_to_rest_goes_on_and_takes_no_replay)
{
	struct pair pair = pair_of(SRTP_SUITE_AEAD_AES_256_GCM, 2, 4);
	const struct packet first = protected_rtp(&pair, 1, 65535);
	EXPECT_EQ(receive_rtp(&pair, first), SRTP_OK);
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, 1, 0)), SRTP_OK); /* rolled over */
	for (uint32_t ssrc = 2; ssrc <= 4; ssrc++) /* 1 and 2 are put to rest */
		EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, ssrc, 10)), SRTP_OK);

	EXPECT_EQ(receive_rtp(&pair, first), SRTP_REJECT_REPLAY);
	struct packet again = rtp_packet(1, 0);
	EXPECT_EQ(srtp_rtp_protect(pair.out, again.bytes, &again.len, ROOM), SRTP_REJECT_REPLAY);
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, 1, 1)), SRTP_OK);
	struct srtp_place place;
	EXPECT(srtp_session_place(pair.in, 1, &place));
	EXPECT_EQ(place.rtp_index, 65537);
	EXPECT(srtp_session_place(pair.in, 3, &place)); /* now at rest */
	EXPECT_EQ(place.rtp_index, 10);

	/* Four are remembered: a fifth is refused on both sides, the four live on. */
	again = rtp_packet(5, 1);
	EXPECT_EQ(srtp_rtp_protect(pair.out, again.bytes, &again.len, ROOM), SRTP_REJECT_SSRCS);
	for (uint16_t seq = 20; seq < 30; seq++)
		for (uint32_t ssrc = 1; ssrc <= 4; ssrc++)
			EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, ssrc, seq)), SRTP_OK);
	pair_fini(&pair);
}

TEST(the_stream_idle_longest_is_put_to_rest)
{
	struct pair pair = pair_of(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, 2, 8);
	struct pair sender = pair_of(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, 0);
	const struct packet late[] = { protected_rtp(&sender, 1, 1), protected_rtp(&sender, 2, 1) };
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&sender, 2, 2)), SRTP_OK);
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&sender, 1, 2)), SRTP_OK);
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&sender, 3, 2)), SRTP_OK); /* in place of 2 */
	/* A live stream takes a late packet, one at rest cannot know whether it saw it. */
	EXPECT_EQ(receive_rtp(&pair, late[0]), SRTP_OK);
	EXPECT_EQ(receive_rtp(&pair, late[1]), SRTP_REJECT_REPLAY);
	pair_fini(&pair);
	pair_fini(&sender);
}

TEST(strangers_take_no_stream_away)
{
	struct pair pair = pair_of(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1);
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, 1)), SRTP_OK);
	for (uint32_t i = 0; i < 1000; i++) {
		EXPECT_EQ(receive_rtp(&pair, rtp_packet(STRANGER + i, 5)), SRTP_REJECT_AUTH);
		EXPECT_EQ(receive_rtp(&pair, rtp_packet(SSRC, (uint16_t)(9000 + i))),
		          SRTP_REJECT_AUTH);
	}
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&pair, SSRC, 2)), SRTP_OK);
	EXPECT_EQ(srtp_session_counts(pair.in)[SRTP_REJECT_AUTH], 2000);
	/* An authentic one is refused for its number alone. */
	struct pair other = pair_of(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1);
	EXPECT_EQ(receive_rtp(&pair, protected_rtp(&other, STRANGER, 1)), SRTP_REJECT_SSRCS);
	pair_fini(&pair);
	pair_fini(&other);
}
