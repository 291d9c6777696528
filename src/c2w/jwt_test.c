/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a token gives back what was put in, until it expires; nothing else is ever accepted.
 * Method: a token made by hand with another implementation, round trips at the limits, the attacks
 * of RFC 8725, every prefix and every flipped bit. */
#include "c2w/jwt.h"

#include "base/check.h"
#include "base/test.h"
#include "c2w/c2w.h"

static const uint8_t key[JWT_KEY_BYTES] = "thirty-two bytes that are secret";
static const uint8_t other_key[JWT_KEY_BYTES] = "thirty-two bytes that are public";
static char wire[4096];
static struct jwt_storage storage;

#define JWT_FOREIGN                                                                                \
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiAiZ3Vlc3QxIiwgIm5hbWUiOiAiQlx1MDBmNiIsICJ" \
	"jYWxsQnJpZGdlIjogImMiLCAic3BhY2UiOiAicyIsICJtZXRob2QiOiAibSIsICJpYXQiOiAxMDAwMDAwMDAwLCA" \
	"iZXhwIjogMjAwMDAwMDAwMH0.T_qpgoMOLGoQfKXza6Po4ffjnTjnD9grbGll1Po7R5A"
#define JWT_SIGNED_NULL \
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.bnVsbA.aLs-V0ucoUWWLQWG3h1iOjADW7n6y_rwXVhEnH0zEbU"
#define JWT_SIGNED_PART                                                                            \
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJndWVzdDEiLCJuYW1lIjoiIiwiY2FsbEJyaWRnZSI" \
	"6IiIsInNwYWNlIjoiIiwibWV0aG9kIjoiIiwiaWF0IjoxfQ.zpE2bl4nqo9spnSbHn_a4yAM78TwbbAekF_uUsOU" \
	"P0o"

static const struct jwt_claims claims = {
	.guest = STR_INIT("guest921953266"),
	.name = STR_INIT("Ann \"\xc3\x84\""),
	.call_bridge = STR_INIT("5d6c2b9e-0000-4000-8000-000000000001"),
	.space = STR_INIT("5d6c2b9e-0000-4000-8000-000000000002"),
	.issued_s = 1700000000,
	.expires_s = 1700086400,
};

static struct str
token_of(const struct jwt_claims *from)
{
	struct writer w = writer_of(wire, sizeof wire);
	jwt_write(&w, from, key);
	EXPECT(!w.failed);
	return writer_view(&w);
}

static enum jwt_reject
read_it(struct str token, int64_t now_s)
{
	struct jwt_claims out;
	return jwt_read(&out, &storage, token, key, now_s);
}

TEST(a_token_gives_back_what_was_put_in)
{
	struct jwt_claims out;
	EXPECT_EQ(jwt_read(&out, &storage, token_of(&claims), key, 1700000001), JWT_OK);
	EXPECT_STR(out.guest, "guest921953266");
	EXPECT_STR(out.name, "Ann \"\xc3\x84\"");
	EXPECT_STR(out.call_bridge, "5d6c2b9e-0000-4000-8000-000000000001");
	EXPECT_STR(out.space, "5d6c2b9e-0000-4000-8000-000000000002");
	EXPECT_STR(out.method, "");
	EXPECT_STR(out.user, "");
	EXPECT_EQ(out.issued_s, 1700000000);
	EXPECT_EQ(out.expires_s, 1700086400);
}

TEST(a_token_names_the_user_who_has_signed_in)
{
	struct jwt_claims of_user = claims;
	struct jwt_claims out;
	of_user.user = STR("5d6c2b9e-0000-4000-8000-000000000003");
	of_user.guest = STR("");
	of_user.space = STR("");
	EXPECT_EQ(jwt_read(&out, &storage, token_of(&of_user), key, 1700000001), JWT_OK);
	EXPECT_STR(out.user, "5d6c2b9e-0000-4000-8000-000000000003");
	EXPECT_STR(out.guest, "");
	EXPECT_STR(out.space, "");
}

TEST(a_token_ends_at_its_second)
{
	EXPECT_EQ(read_it(token_of(&claims), 1700086399), JWT_OK);
	EXPECT_EQ(read_it(token_of(&claims), 1700086400), JWT_REJECT_EXPIRED);
}

TEST(the_longest_claims_fit)
{
	char name[200];
	char word[64];
	memset(name, '"', sizeof name);
	memset(word, 'g', sizeof word);
	struct jwt_claims longest = claims;
	longest.name = (struct str){ name, sizeof name };
	longest.guest = (struct str){ word, sizeof word };
	longest.method = claims.space;
	longest.user = claims.space;
	struct jwt_claims out;
	const struct str token = token_of(&longest);
	EXPECT(token.len <= C2W_TOKEN_MAX);
	EXPECT_EQ(jwt_read(&out, &storage, token, key, 0), JWT_OK);
	EXPECT_EQ(out.name.len, C2W_NAME_MAX);
	struct writer w = writer_of(wire, token.len - 1);
	jwt_write(&w, &longest, key);
	EXPECT(w.failed);
}

TEST(a_token_of_another_implementation_is_read)
{
	/* Made with Python's hmac and base64 from the same key. */
	struct jwt_claims out;
	const struct str token = STR(JWT_FOREIGN);
	EXPECT_EQ(jwt_read(&out, &storage, token, key, 1), JWT_OK);
	EXPECT_STR(out.guest, "guest1");
	EXPECT_STR(out.name, "B\xc3\xb6");
	EXPECT_EQ(out.expires_s, 2000000000);
}

TEST(no_other_algorithm_is_ever_tried)
{
	static const char *const tokens[] = {
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0."
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0."
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		".eyJzdWIiOiJ4In0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	for (size_t i = 0; i < COUNT_OF(tokens); i++)
		EXPECT_EQ(read_it(str_of(tokens[i]), 0), JWT_REJECT_ALGORITHM);
}

TEST(what_is_no_token_is_refused)
{
	static const char *const tokens[] = {
		"",
		".",
		"..",
		"...",
		"a.b.c",
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	for (size_t i = 0; i < COUNT_OF(tokens); i++)
		EXPECT_EQ(read_it(str_of(tokens[i]), 0), JWT_REJECT_FORM);
	memset(wire, 'a', sizeof wire);
	EXPECT_EQ(read_it((struct str){ wire, C2W_TOKEN_MAX + 1 }, 0), JWT_REJECT_FORM);
}

TEST(another_key_is_no_key)
{
	struct jwt_claims out = { .issued_s = 5 };
	EXPECT_EQ(jwt_read(&out, &storage, token_of(&claims), other_key, 0), JWT_REJECT_SIGNATURE);
	EXPECT_EQ(out.issued_s, 5);
}

TEST(no_prefix_and_no_flipped_bit_is_accepted)
{
	const struct str token = token_of(&claims);
	for (size_t len = 0; len < token.len; len++)
		EXPECT(read_it(str_sub(token, 0, len), 0) != JWT_OK);
	for (size_t at = 0; at < token.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			wire[at] = (char)(wire[at] ^ (1 << bit));
			EXPECT(read_it(token, 0) != JWT_OK);
			wire[at] = (char)(wire[at] ^ (1 << bit));
		}
	}
	EXPECT_EQ(read_it(token, 0), JWT_OK);
}

TEST(signed_nonsense_is_refused)
{
	/* Signed with our key, but not our claims: null, and an object without "exp". */
	EXPECT_EQ(read_it(STR(JWT_SIGNED_NULL), 0), JWT_REJECT_CLAIMS);
	EXPECT_EQ(read_it(STR(JWT_SIGNED_PART), 0), JWT_REJECT_CLAIMS);
}
