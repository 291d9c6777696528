/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the messages of RFC 5769 and RFC 8489 appendix B are read, verified and written byte for
 * byte; every reject has a message that provokes it; no prefix or flipped byte of a good message
 * gets past FINGERPRINT or does harm.
 * Method: vectors, tables, and the property that the fuzz target asks of random bytes. */
#include "stun/stun_msg.h"

#include <openssl/sha.h>

#include "base/check.h"
#include "base/test.h"
#include "stun/stun_msg_property.h"

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

/* RFC 5769 s2.1. */
static const uint8_t request[] = {
	0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
	0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
	0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
	0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
	0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
	0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
	0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
};

/* s2.2. */
static const uint8_t response4[] = {
	0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
	0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
	0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
	0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
	0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
};

/* s2.3. */
static const uint8_t response6[] = {
	0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
	0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
	0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa,
	0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14,
	0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75,
	0xbf, 0xe3, 0xed, 0x41, 0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c,
};

/* s2.4. */
static const uint8_t long_term[] = {
	0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0,
	0x29, 0xda, 0x41, 0x2e, 0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88, 0xe3, 0x83,
	0xaa, 0xe3, 0x83, 0x83, 0xe3, 0x82, 0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00, 0x00, 0x15, 0x00, 0x1c,
	0x66, 0x2f, 0x2f, 0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34,
	0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73, 0x41, 0x00, 0x14, 0x00, 0x0b,
	0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00, 0x00, 0x08, 0x00, 0x14,
	0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6, 0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2,
	0x8c, 0xa8, 0x96, 0x66,
};

/* RFC 8489 appendix B.1 as erratum 6268 corrects it. */
static const uint8_t sha256_request[] = {
	0x00, 0x01, 0x00, 0x90, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0,
	0x29, 0xda, 0x41, 0x2e, 0x00, 0x1e, 0x00, 0x20, 0x4a, 0x3c, 0xf3, 0x8f, 0xef, 0x69, 0x92, 0xbd,
	0xa9, 0x52, 0xc6, 0x78, 0x04, 0x17, 0xda, 0x0f, 0x24, 0x81, 0x94, 0x15, 0x56, 0x9e, 0x60, 0xb2,
	0x05, 0xc4, 0x6e, 0x41, 0x40, 0x7f, 0x17, 0x04, 0x00, 0x15, 0x00, 0x29, 0x6f, 0x62, 0x4d, 0x61,
	0x74, 0x4a, 0x6f, 0x73, 0x32, 0x41, 0x41, 0x41, 0x43, 0x66, 0x2f, 0x2f, 0x34, 0x39, 0x39, 0x6b,
	0x39, 0x35, 0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54, 0x76,
	0x79, 0x36, 0x34, 0x73, 0x41, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d,
	0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00, 0x00, 0x1d, 0x00, 0x04, 0x00, 0x02, 0x00, 0x00,
	0x00, 0x1c, 0x00, 0x20, 0xb5, 0xc7, 0xbf, 0x00, 0x5b, 0x6c, 0x52, 0xa2, 0x1c, 0x51, 0xc5, 0xe8,
	0x92, 0xf8, 0x19, 0x24, 0x13, 0x62, 0x96, 0xcb, 0x92, 0x7c, 0x43, 0x14, 0x93, 0x09, 0x27, 0x8c,
	0xc6, 0x51, 0x8e, 0x65,
};

#define MATRIX "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9"

static struct stun_key
key_of(const char *password)
{
	struct stun_key key;
	stun_key_init(&key, password, strlen(password));
	return key;
}

TEST(the_sample_request_of_rfc_5769_is_read_and_verified)
{
	struct stun_msg msg;
	EXPECT_EQ(stun_msg_parse(&msg, request, sizeof request), STUN_OK);
	EXPECT_EQ(msg.type, STUN_BINDING_REQUEST);
	EXPECT_EQ(msg.attr_count, 6);

	struct str text;
	EXPECT(stun_msg_text(&msg, STUN_SOFTWARE, &text));
	EXPECT_STR(text, "STUN test client");
	EXPECT(stun_msg_text(&msg, STUN_USERNAME, &text));
	EXPECT_STR(text, "evtj:h6vY");
	EXPECT_STR(stun_peek_username(request, sizeof request), "evtj:h6vY");
	uint32_t priority = 0;
	EXPECT(stun_msg_u32(&msg, STUN_PRIORITY, &priority));
	EXPECT_EQ(priority, 0x6e0001ff);
	uint64_t tie_breaker = 0;
	EXPECT(stun_msg_u64(&msg, STUN_ICE_CONTROLLED, &tie_breaker));
	EXPECT(tie_breaker == 0x932ff9b151263b36u);
	EXPECT(!stun_msg_has(&msg, STUN_USE_CANDIDATE));
	EXPECT(!stun_msg_u32(&msg, STUN_ICE_CONTROLLED, &priority));
	EXPECT(!stun_msg_u64(&msg, STUN_PRIORITY, &tie_breaker));

	const struct stun_key right = key_of(PASSWORD);
	const struct stun_key wrong = key_of("VOkJxbRl1RmTxUk/WvJxBT");
	EXPECT_EQ(stun_msg_integrity(&msg, &right), STUN_INTEGRITY_SHA1);
	EXPECT_EQ(stun_msg_integrity(&msg, &wrong), STUN_INTEGRITY_WRONG);
	EXPECT(stun_msg_fingerprint_ok(&msg));
}

TEST(the_responses_of_rfc_5769_give_their_addresses_and_are_written_again)
{
	static const struct {
		const uint8_t *bytes;
		size_t len;
		const char *addr;
	} cases[] = {
		{ response4, sizeof response4, "192.0.2.1:32853" },
		{ response6, sizeof response6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853" },
	};
	const struct stun_key key = key_of(PASSWORD);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct stun_msg msg;
		struct net_addr addr;
		char text[ADDR_TEXT_MAX];
		EXPECT_EQ(stun_msg_parse(&msg, cases[i].bytes, cases[i].len), STUN_OK);
		EXPECT(stun_msg_xor_addr(&msg, STUN_XOR_MAPPED_ADDRESS, &addr));
		EXPECT_STR(str_of(addr_text(text, &addr)), cases[i].addr);
		EXPECT_EQ(stun_msg_integrity(&msg, &key), STUN_INTEGRITY_SHA1);
		EXPECT(stun_msg_fingerprint_ok(&msg));

		/* The RFC pads with a blank where we write zero; its own integrity covers that
		 * blank, so ours is compared by reading it. */
		uint8_t bytes[200];
		struct writer w = writer_of(bytes, sizeof bytes);
		stun_write_begin(&w, STUN_BINDING_SUCCESS, stun_msg_tid(&msg));
		stun_write_attr(&w, STUN_SOFTWARE, "test vector", 11);
		stun_write_xor_addr(&w, STUN_XOR_MAPPED_ADDRESS, &addr);
		const size_t before = w.at;
		EXPECT_EQ(bytes[35], 0);
		bytes[35] = ' ';
		stun_write_integrity(&w, &key, STUN_INTEGRITY_SHA1);
		stun_write_fingerprint(&w);
		EXPECT_EQ(stun_write_end(&w), cases[i].len);
		EXPECT(before < cases[i].len);
		EXPECT(memcmp(bytes, cases[i].bytes, cases[i].len) == 0);
	}
}

TEST(long_term_credentials_verify_with_md5_and_sha256)
{
	struct stun_msg msg;
	struct stun_key key;
	uint8_t md5[16];
	EXPECT_EQ(stun_msg_parse(&msg, long_term, sizeof long_term), STUN_OK);
	stun_long_term_key(md5, STR(MATRIX), STR("example.org"), STR("TheMatrIX"));
	stun_key_init(&key, md5, sizeof md5);
	EXPECT_EQ(stun_msg_integrity(&msg, &key), STUN_INTEGRITY_SHA1);
	EXPECT(!stun_msg_fingerprint_ok(&msg));

	uint8_t sha256[32];
	static const char text[] = MATRIX ":example.org:TheMatrIX";
	SHA256((const uint8_t *)text, sizeof text - 1, sha256);
	stun_key_init(&key, sha256, sizeof sha256);
	EXPECT_EQ(stun_msg_parse(&msg, sha256_request, sizeof sha256_request), STUN_OK);
	EXPECT_EQ(stun_msg_integrity(&msg, &key), STUN_INTEGRITY_SHA256);
	stun_key_wipe(&key);
	EXPECT_EQ(stun_msg_integrity(&msg, &key), STUN_INTEGRITY_WRONG);
}

TEST(a_key_longer_than_a_block_is_hashed_first)
{
	/* RFC 2202 case 6 and RFC 4231 case 6 use keys of 80 and 131 bytes; here the same rule is
	 * asked of a message: the long key and its hash must be the same HMAC key. */
	uint8_t password[131];
	memset(password, 0xaa, sizeof password);
	uint8_t hashed[SHA_DIGEST_LENGTH];
	SHA1(password, sizeof password, hashed);
	struct stun_key long_key, short_key;
	stun_key_init(&long_key, password, sizeof password);
	stun_key_init(&short_key, hashed, sizeof hashed);
	EXPECT(memcmp(long_key.sha1_inner, short_key.sha1_inner, sizeof long_key.sha1_inner) == 0);
	EXPECT(memcmp(long_key.sha1_outer, short_key.sha1_outer, sizeof long_key.sha1_outer) == 0);
	EXPECT(memcmp(long_key.sha256_inner, short_key.sha256_inner,
	              sizeof long_key.sha256_inner) != 0);
}

TEST(the_stronger_integrity_decides_and_what_follows_the_first_is_not_seen)
{
	const struct stun_key key = key_of(PASSWORD);
	const struct stun_key other = key_of("somebody else's password");
	static const uint8_t tid[STUN_TID_BYTES] = "abcdefghijkl";
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof bytes);
	stun_write_begin(&w, STUN_BINDING_REQUEST, tid);
	stun_write_attr(&w, STUN_USERNAME, "a:b", 3);
	stun_write_integrity(&w, &key, STUN_INTEGRITY_SHA1);
	stun_write_attr(&w, STUN_USE_CANDIDATE, NULL, 0);
	stun_write_integrity(&w, &other, STUN_INTEGRITY_SHA256);
	stun_write_fingerprint(&w);

	struct stun_msg msg;
	EXPECT_EQ(stun_msg_parse(&msg, bytes, stun_write_end(&w)), STUN_OK);
	EXPECT(stun_msg_has(&msg, STUN_USERNAME));
	EXPECT(!stun_msg_has(&msg, STUN_USE_CANDIDATE));
	EXPECT_EQ(stun_msg_integrity(&msg, &key), STUN_INTEGRITY_WRONG);
	EXPECT_EQ(stun_msg_integrity(&msg, &other), STUN_INTEGRITY_SHA256);
	EXPECT(stun_msg_fingerprint_ok(&msg));
}

TEST(errors_and_unknown_attributes_are_written_and_read)
{
	static const uint8_t tid[STUN_TID_BYTES] = "abcdefghijkl";
	static const uint16_t unknown[] = { 0x7777, 0x0033 };
	uint8_t bytes[128];
	struct writer w = writer_of(bytes, sizeof bytes);
	stun_write_begin(&w, STUN_BINDING_ERROR, tid);
	stun_write_error(&w, 420, STR("Unknown"));
	stun_write_unknown(&w, unknown, 2);
	stun_write_attr(&w, 0x7777, "x", 1);
	stun_write_attr(&w, 0xC057, "x", 1);
	struct stun_msg msg;
	EXPECT_EQ(stun_msg_parse(&msg, bytes, stun_write_end(&w)), STUN_OK);

	unsigned code = 0;
	struct str reason;
	EXPECT(stun_msg_error(&msg, &code, &reason));
	EXPECT_EQ(code, 420);
	EXPECT_STR(reason, "Unknown");
	const struct stun_attr *attr = stun_msg_find(&msg, STUN_UNKNOWN_ATTRIBUTES);
	EXPECT(attr != NULL && attr->len == 4);
	EXPECT(memcmp(bytes + attr->at, "\x77\x77\x00\x33", 4) == 0);
	uint16_t found[STUN_UNKNOWN_MAX];
	EXPECT_EQ(stun_msg_unknown(&msg, found), 1);
	EXPECT_EQ(found[0], 0x7777);
	EXPECT(!stun_msg_fingerprint_ok(&msg));
	const struct stun_key key = key_of(PASSWORD);
	EXPECT_EQ(stun_msg_integrity(&msg, &key), STUN_INTEGRITY_ABSENT);
}

TEST(error_codes_and_addresses_outside_the_rfc_are_not_read)
{
	static const uint8_t tid[STUN_TID_BYTES] = { 0 };
	static const struct {
		uint16_t type;
		uint8_t len;
		uint8_t value[8];
	} cases[] = {
		{ STUN_ERROR_CODE, 4, { 0, 0, 2, 0 } },
		{ STUN_ERROR_CODE, 4, { 0, 0, 7, 0 } },
		{ STUN_ERROR_CODE, 4, { 0, 0, 4, 100 } },
		{ STUN_ERROR_CODE, 3, { 0, 0, 4 } },
		{ STUN_XOR_MAPPED_ADDRESS, 8, { 0, 3, 1, 2, 3, 4, 5, 6 } },
		{ STUN_XOR_MAPPED_ADDRESS, 8, { 0, 2, 1, 2, 3, 4, 5, 6 } },
		{ STUN_XOR_MAPPED_ADDRESS, 7, { 0, 1, 1, 2, 3, 4, 5 } },
		{ STUN_XOR_MAPPED_ADDRESS, 3, { 0, 1, 1 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t bytes[64];
		struct writer w = writer_of(bytes, sizeof bytes);
		stun_write_begin(&w, STUN_BINDING_ERROR, tid);
		stun_write_attr(&w, cases[i].type, cases[i].value, cases[i].len);
		struct stun_msg msg;
		unsigned code;
		struct net_addr addr;
		EXPECT_EQ(stun_msg_parse(&msg, bytes, stun_write_end(&w)), STUN_OK);
		EXPECT(!stun_msg_error(&msg, &code, NULL));
		EXPECT(!stun_msg_xor_addr(&msg, STUN_XOR_MAPPED_ADDRESS, &addr));
	}
}

TEST(each_broken_rule_is_named)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum stun_reject want;
	} cases[] = {
		{ 0, 0x80, STUN_REJECT_NOT_STUN },
		{ 0, 0x40, STUN_REJECT_NOT_STUN },
		{ 4, 0x22, STUN_REJECT_NOT_STUN },
		{ 3, 0x59, STUN_REJECT_ALIGN },
		{ 3, 0x5c, STUN_REJECT_SHORT },
		{ 3, 0x54, STUN_REJECT_SHORT },
		{ 103, 0x08, STUN_REJECT_ATTR },
		{ 22, 0x10, STUN_REJECT_ATTR },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t bad[sizeof request];
		struct stun_msg msg;
		memcpy(bad, request, sizeof bad);
		bad[cases[i].at] = cases[i].value;
		EXPECT_EQ(stun_msg_parse(&msg, bad, sizeof bad), cases[i].want);
	}

	static const uint8_t tid[STUN_TID_BYTES] = { 0 };
	static const uint8_t filler[STUN_MSG_BYTES_MAX] = { 0 };
	uint8_t bytes[STUN_MSG_BYTES_MAX + 64];
	struct stun_msg msg;
	struct writer w = writer_of(bytes, sizeof bytes);
	stun_write_begin(&w, STUN_BINDING_REQUEST, tid);
	for (unsigned i = 0; i <= STUN_ATTRS_MAX; i++)
		stun_write_attr(&w, STUN_USE_CANDIDATE, NULL, 0);
	EXPECT_EQ(stun_msg_parse(&msg, bytes, stun_write_end(&w)), STUN_REJECT_TOO_MANY);

	w = writer_of(bytes, sizeof bytes);
	stun_write_begin(&w, STUN_BINDING_REQUEST, tid);
	stun_write_fingerprint(&w);
	stun_write_attr(&w, STUN_USE_CANDIDATE, NULL, 0);
	EXPECT_EQ(stun_msg_parse(&msg, bytes, stun_write_end(&w)), STUN_REJECT_ORDER);

	w = writer_of(bytes, sizeof bytes);
	stun_write_begin(&w, STUN_BINDING_REQUEST, tid);
	stun_write_attr(&w, STUN_SOFTWARE, filler, sizeof filler);
	EXPECT_EQ(stun_write_end(&w), 0);
	EXPECT_EQ(stun_msg_parse(&msg, bytes, w.at), STUN_REJECT_LONG);
	for (unsigned i = 0; i < STUN_REJECT_COUNT; i++)
		EXPECT(stun_reject_name((enum stun_reject)i) != NULL);
}

TEST(a_message_that_does_not_fit_is_not_sent_in_part)
{
	static const uint8_t tid[STUN_TID_BYTES] = { 0 };
	const struct stun_key key = key_of(PASSWORD);
	const struct net_addr addr = addr_ip4(192, 0, 2, 1, 9);
	for (size_t cap = 0; cap < 20 + 12 + 24 + 8; cap++) {
		uint8_t bytes[64];
		struct writer w = writer_of(bytes, cap);
		stun_write_begin(&w, STUN_BINDING_SUCCESS, tid);
		stun_write_xor_addr(&w, STUN_XOR_MAPPED_ADDRESS, &addr);
		stun_write_integrity(&w, &key, STUN_INTEGRITY_SHA1);
		stun_write_fingerprint(&w);
		EXPECT_EQ(stun_write_end(&w), 0);
	}
}

TEST(every_prefix_is_refused_and_every_flip_is_caught_by_the_fingerprint)
{
	for (size_t len = 0; len < sizeof request; len++)
		EXPECT(stun_msg_property(request, len) != STUN_OK);

	for (size_t at = 0; at < sizeof request; at++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t bytes[sizeof request];
			memcpy(bytes, request, sizeof bytes);
			bytes[at] = (uint8_t)value;
			struct stun_msg msg;
			if (stun_msg_property(bytes, sizeof bytes) != STUN_OK || value == request[at])
				continue;
			EXPECT_EQ(stun_msg_parse(&msg, bytes, sizeof bytes), STUN_OK);
			EXPECT(!stun_msg_fingerprint_ok(&msg));
		}
	}
}
