/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what a browser sends is taken when it is whole and of the right kind, and nothing else.
 * Method: tables of bodies and queries, every prefix, every flipped byte. */
#include "webbridge/join.h"

#include "base/check.h"
#include "base/test.h"

TEST(a_join_may_name_the_meeting_in_each_way)
{
	struct c2w_join join;
	struct join_text text;
	EXPECT(join_body_parse(&join, &text,
	                       STR("{\"address\":\"demo@example.com\",\"name\":\"Ann \\u00e9\","
	                           "\"passcode\":\"\",\"secret\":\"s\",\"more\":[1]}")));
	EXPECT_STR(join.address, "demo@example.com");
	EXPECT_STR(join.name, "Ann \xc3\xa9");
	EXPECT(join.has_passcode && join.passcode.len == 0);
	EXPECT_STR(join.secret, "s");
	EXPECT(join_body_parse(&join, &text, STR("{\"numericId\":1001,\"passcode\":1234}")));
	EXPECT_STR(join.address, "1001");
	EXPECT_STR(join.passcode, "1234");
	EXPECT(join.has_passcode && join.name.len == 0);
	EXPECT(join_body_parse(&join, &text, STR("{\"numericId\":\"0012\"}")));
	EXPECT_STR(join.address, "0012");
	EXPECT(!join.has_passcode);
	join_text_wipe(&text);
	EXPECT_EQ(text.address[0], 0);
}

TEST(who_is_signed_in_may_name_the_space)
{
	struct c2w_join join;
	struct join_text text;
	EXPECT(join_body_parse(&join, &text,
	                       STR("{\"space\":\"s1\",\"method\":\"m1\",\"name\":\"Ann\"}")));
	EXPECT_STR(join.space, "s1");
	EXPECT_STR(join.method, "m1");
	EXPECT_EQ(join.address.len, 0);
	EXPECT_STR(bearer_token(STR("Bearer a.b.c")), "a.b.c");
	EXPECT_STR(bearer_token(STR("bearer  a.b.c ")), "a.b.c");
	EXPECT_EQ(bearer_token(STR("Bearer")).len, 0);
	EXPECT_EQ(bearer_token(STR("Bearer ")).len, 0);
	EXPECT_EQ(bearer_token(STR("Basic YTpi")).len, 0);
	EXPECT_EQ(bearer_token(STR("")).len, 0);
}

TEST(a_sign_in_has_a_name_and_a_password)
{
	static const struct str bad[] = {
		STR_INIT(""),
		STR_INIT("{}"),
		STR_INIT("[]"),
		STR_INIT("{\"username\":\"a@b\"}"),
		STR_INIT("{\"username\":\"a@b\",\"password\":\"\"}"),
		STR_INIT("{\"username\":\"\",\"password\":\"p\"}"),
		STR_INIT("{\"username\":\"a@b\",\"password\":12}"),
		STR_INIT("{\"username\":\"a@b\",\"password\":\"a\\nb\"}"),
		STR_INIT("{\"username\":\"a@b\",\"password\":null}"),
	};
	struct c2w_sign_in sign_in;
	struct join_text text;
	EXPECT(sign_in_body_parse(&sign_in, &text,
	                          STR("{\"username\":\"ann@example.com\",\"password\":\" p \\u00e9\","
	                              "\"trace\":false}")));
	EXPECT_STR(sign_in.username, "ann@example.com");
	EXPECT_STR(sign_in.password, " p \xc3\xa9");
	join_text_wipe(&text);
	EXPECT_EQ(text.password[0], 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		EXPECT(!sign_in_body_parse(&sign_in, &text, bad[i]));
}

TEST(who_signs_in_elsewhere_goes_there_or_is_back)
{
	static const struct str bad[] = {
		STR_INIT("{}"),
		STR_INIT("{\"provider\":\"p\"}"),
		STR_INIT("{\"back\":\"https://m\"}"),
		STR_INIT("{\"state\":\"s\"}"),
		STR_INIT("{\"state\":\"s\",\"code\":\"c\",\"error\":\"e\"}"),
		STR_INIT("{\"state\":\"s\",\"code\":\"c\\u0001\"}"),
		STR_INIT("{\"state\":\"s\",\"code\":{}}"),
	};
	struct c2w_sign_in_elsewhere out;
	struct join_text text;
	EXPECT(elsewhere_body_parse(&out, &text,
	                            STR("{\"provider\":\"p\",\"back\":\"https://m/signin\"}")));
	EXPECT_STR(out.provider, "p");
	EXPECT_STR(out.back, "https://m/signin");
	EXPECT(elsewhere_body_parse(&out, &text, STR("{\"state\":\"s\",\"error\":\"no\"}")));
	EXPECT_STR(out.error, "no");
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		EXPECT(!elsewhere_body_parse(&out, &text, bad[i]));
}

TEST(a_body_that_is_not_a_join_is_refused)
{
	static const struct str bodies[] = {
		STR_INIT(""),
		STR_INIT("[]"),
		STR_INIT("null"),
		STR_INIT("{}"),
		STR_INIT("{\"address\":\"\"}"),
		STR_INIT("{\"address\":null}"),
		STR_INIT("{\"address\":-1}"),
		STR_INIT("{\"address\":1.5}"),
		STR_INIT("{\"address\":\"1\",\"address\":\"2\"}"),
		STR_INIT("{\"address\":\"a\\nb\"}"),
		STR_INIT("{\"address\":\"1\",\"name\":[]}"),
		STR_INIT("{\"address\":\"1\",\"passcode\":true}"),
		STR_INIT("{\"address\":\"1\"} x"),
		STR_INIT("{\"address\":\"12345678901234567890123456789012345678901234567890123456789012345678901234567890"
		         "123456789012345678901234567890123456789012345678901234567890\"}"),
	};
	struct c2w_join join;
	struct join_text text;
	for (size_t i = 0; i < COUNT_OF(bodies); i++)
		EXPECT(!join_body_parse(&join, &text, bodies[i]));
	char deep[JOIN_BODY_BYTES_MAX];
	memset(deep, '[', sizeof deep);
	EXPECT(!join_body_parse(&join, &text, (struct str){ .at = deep, .len = sizeof deep }));
}

TEST(every_prefix_is_refused_and_every_flip_survived)
{
	char body[] = "{\"address\":\"1001\",\"name\":\"Ann\",\"passcode\":\"12\"}";
	struct c2w_join join;
	struct join_text text;
	for (size_t len = 0; len < sizeof body - 1; len++)
		EXPECT(!join_body_parse(&join, &text, (struct str){ .at = body, .len = len }));
	for (size_t at = 0; at < sizeof body - 1; at++) {
		const char kept = body[at];
		for (int value = 0; value < 256; value++) {
			body[at] = (char)value;
			const struct str view = { .at = body, .len = sizeof body - 1 };
			if (join_body_parse(&join, &text, view))
				EXPECT(join.address.len != 0 && join.address.len <= C2W_ADDRESS_MAX);
		}
		body[at] = kept;
	}
}

TEST(queries_are_decoded)
{
	char out[8];
	struct c2w_join join;
	struct join_text text;
	EXPECT(join_query_parse(&join, &text, STR("x=1&address=demo%40a.b&secret=a+b%2B")));
	EXPECT_STR(join.address, "demo@a.b");
	EXPECT_STR(join.secret, "a b+");
	EXPECT(!join_query_parse(&join, &text, STR("")));
	EXPECT(!join_query_parse(&join, &text, STR("address=")));
	EXPECT(!join_query_parse(&join, &text, STR("address=%0a")));
	EXPECT(!join_query_parse(&join, &text, STR("address=%4")));
	EXPECT(!join_query_parse(&join, &text, STR("address=%zz")));
	EXPECT(!join_query_parse(&join, &text, STR("address=%ff")));
	EXPECT(!join_query_parse(&join, &text, STR("address=%e2%82")));
	EXPECT(!join_query_parse(&join, &text, STR("address=%ed%a0%80")));
	EXPECT(join_query_parse(&join, &text, STR("address=%EC%A7%80")));
	EXPECT(query_get(out, sizeof out, STR("k=1234567"), STR("k")));
	EXPECT(!query_get(out, sizeof out, STR("k=12345678"), STR("k")));
	EXPECT_EQ(out[0] == '\0' || strlen(out) < sizeof out, 1);
	EXPECT(!query_get(out, sizeof out, STR("kk=1"), STR("k")));
}

TEST(browsers_are_known_by_their_names)
{
	static const struct {
		struct str agent;
		const char *name;
	} cases[] = {
		{ STR_INIT("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
		           "Chrome/140.0.0.0 Safari/537.36"),
		  "Chrome" },
		{ STR_INIT("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) "
		           "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"),
		  "Edge" },
		{ STR_INIT("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
		  "Firefox" },
		{ STR_INIT("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605.1.15 (KHTML, like "
		           "Gecko) Version/18.0 Mobile/15E148 Safari/604.1"),
		  "Safari" },
		{ STR_INIT("curl/7.88"), "browser" },
		{ STR_INIT(""), "browser" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		EXPECT_STR(browser_product(cases[i].agent), cases[i].name);
}
