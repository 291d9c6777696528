/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: URIs are read by the grammar, equal by the examples of RFC 3261 s19.1.4, and written so that
 * they are read again.  Method: tables; the property of sip_uri_property.h on prefixes and flips. */
#include "sip/sip_uri.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "sip/sip_uri_property.h"

TEST(the_parts_of_a_uri_are_found)
{
	struct sip_uri uri;
	struct str value;
	EXPECT(sip_uri_parse(&uri, STR("SIPS:al%69ce:pw@[2001:db8::1]:5061"
	                               ";transport=TCP;lr?Subject=a%20b&Priority=")));
	EXPECT_EQ(uri.scheme, SIP_SCHEME_SIPS);
	EXPECT_STR(uri.user, "al%69ce");
	EXPECT_STR(uri.password, "pw");
	EXPECT_STR(uri.host, "[2001:db8::1]");
	EXPECT_EQ(uri.ip.family, ADDR_IP6);
	EXPECT_EQ(uri.port, 5061);
	EXPECT_STR(uri.params, "transport=TCP;lr");
	EXPECT_STR(uri.headers, "Subject=a%20b&Priority=");
	EXPECT_EQ(sip_uri_transport(&uri), SIP_TRANSPORT_TCP);
	EXPECT(sip_uri_param(&uri, STR("LR"), &value));
	EXPECT_STR(value, "");
	EXPECT(!sip_uri_param(&uri, STR("maddr"), NULL));
	EXPECT(sip_uri_header(&uri, STR("subject"), &value));
	EXPECT_STR(value, "a%20b");

	EXPECT(sip_uri_parse(&uri, STR("sip:192.0.2.4")));
	EXPECT(!uri.has_user);
	EXPECT_EQ(uri.ip.family, ADDR_IP4);
	EXPECT_EQ(uri.port, 0);
	EXPECT_EQ(sip_uri_transport(&uri), SIP_TRANSPORT_NONE);
	EXPECT(sip_uri_parse(&uri, STR("sip:a@example.org;transport=sctp")));
	EXPECT_EQ(sip_uri_transport(&uri), SIP_TRANSPORT_OTHER);
	EXPECT(sip_uri_parse(&uri, STR("tel:+1-201-555-0123;phone-context=x.org")));
	EXPECT_EQ(uri.scheme, SIP_SCHEME_TEL);
	EXPECT_STR(uri.user, "+1-201-555-0123");
	EXPECT(sip_uri_parse(&uri, STR("urn:service:sos")));
	EXPECT_EQ(uri.scheme, SIP_SCHEME_OTHER);
	EXPECT_STR(uri.rest, "service:sos");
}

TEST(what_is_no_uri_is_refused)
{
	static const char *const bad[] = {
		"",
		"sip",
		"sip:",
		":a@b",
		"1sip:a@b",
		"sip:@b",
		"sip:a@",
		"sip:a@b@c",
		"sip:a b@c",
		"sip:a%4@b",
		"sip:a%zz@b",
		"sip:a\xc3\xa4@b",
		"sip:a@b c",
		"sip:a@-b",
		"sip:a@b..c",
		"sip:a@192.0.2.300",
		"sip:a@1.2.3",
		"sip:a@[192.0.2.1]",
		"sip:a@[::1",
		"sip:a@[::1%eth0]",
		"sip:a@b:",
		"sip:a@b:0",
		"sip:a@b:65536",
		"sip:a@b:5060x",
		"sip:a@b;",
		"sip:a@b;;lr",
		"sip:a@b;x=",
		"sip:a@b;x=\"y\"",
		"sip:a@b?",
		"sip:a@b?x",
		"sip:a@b?x=y&",
		"sip:a@b>",
		"<sip:a@b>",
		"tel:",
		"tel:+",
		"tel:12;",
		"tel:12x",
		"http:",
		"http:a b",
	};
	struct sip_uri uri;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (sip_uri_parse(&uri, str_of(bad[i])))
			fail_msg("taken: %s", bad[i]);
}

static bool
equal(const char *a, const char *b)
{
	struct sip_uri x;
	struct sip_uri y;
	EXPECT(sip_uri_parse(&x, str_of(a)));
	EXPECT(sip_uri_parse(&y, str_of(b)));
	EXPECT_EQ(sip_uri_eq(&x, &y), sip_uri_eq(&y, &x));
	return sip_uri_eq(&x, &y);
}

TEST(equality_is_that_of_the_rfc)
{
	/* The equivalent pairs of s19.1.4. */
	EXPECT(equal("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
	EXPECT(equal("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
	EXPECT(equal("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"));
	EXPECT(equal("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
	             "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
	EXPECT(equal("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
	             "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
	/* Those that are not. */
	EXPECT(!equal("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
	EXPECT(!equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
	EXPECT(!equal("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
	EXPECT(!equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
	EXPECT(!equal("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
	EXPECT(!equal("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
	EXPECT(!equal("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
	/* Ours. */
	EXPECT(!equal("sip:a%3Bb@c", "sip:a;b@c"));
	EXPECT(!equal("sip:a@c", "sips:a@c"));
	EXPECT(!equal("sip:c", "sip:a@c"));
	EXPECT(!equal("sip:a:@c", "sip:a@c"));
	EXPECT(equal("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0::1]"));
	EXPECT(!equal("sip:a@c;maddr=x", "sip:a@c"));
	EXPECT(equal("tel:+1-201", "tel:+1(20)1"));
	EXPECT(!equal("tel:+1201", "tel:1201"));
	EXPECT(!equal("tel:1201;phone-context=a", "tel:1201"));
	EXPECT(equal("urn:a", "urn:a"));
	EXPECT(!equal("urn:a", "urn:A"));
}

static const char *
user_of(const char *text)
{
	static char out[64];
	struct sip_uri uri;
	struct writer w = writer_of(out, sizeof out - 1);
	EXPECT(sip_uri_parse(&uri, str_of(text)));
	sip_uri_write_user(&w, &uri);
	EXPECT(!w.failed);
	out[w.at] = '\0';
	return out;
}

TEST(the_user_part_is_what_a_person_dialled)
{
	assert_string_equal(user_of("sip:%61nn%20b@c"), "ann b");
	assert_string_equal(user_of("sip:1001@c"), "1001");
	assert_string_equal(user_of("sip:+1-20(1);ext=4@c;user=phone"), "+1201");
	assert_string_equal(user_of("sip:a-b@c"), "a-b");
	assert_string_equal(user_of("tel:10.01"), "1001");
	assert_string_equal(user_of("sip:*21#@c"), "*21#");
	assert_string_equal(user_of("sip:c"), "");
}

TEST(escaping_and_reading_back_give_the_same_bytes)
{
	char all[256];
	uint8_t escaped[1024];
	uint8_t back[256];
	for (unsigned i = 0; i < sizeof all; i++)
		all[i] = (char)i;
	const struct str text = { .at = all, .len = sizeof all };
	for (int value = 0; value <= 1; value++) {
		struct writer w = writer_of(escaped, sizeof escaped);
		struct writer b = writer_of(back, sizeof back);
		if (value)
			sip_uri_escape_value(&w, text);
		else
			sip_uri_escape_user(&w, text);
		EXPECT(!w.failed);
		sip_uri_unescape(&b, writer_view(&w));
		EXPECT(str_eq(writer_view(&b), text));
	}
}

TEST(a_uri_is_written_from_its_parts)
{
	char out[128];
	struct writer w = writer_of(out, sizeof out);
	const struct sip_uri uri = { .scheme = SIP_SCHEME_SIP,
		                     .has_user = true,
		                     .user = STR("1001"),
		                     .ip = addr_ip4(192, 0, 2, 1, 0),
		                     .port = 5070,
		                     .params = STR("transport=tcp") };
	sip_uri_write(&w, &uri);
	EXPECT_STR(writer_view(&w), "sip:1001@192.0.2.1:5070;transport=tcp");
}

TEST(limits_of_a_uri_hold)
{
	static char text[SIP_URI_BYTES_MAX + 2];
	struct sip_uri uri;
	memset(text, 'a', sizeof text);
	memcpy(text, "sip:", 4);
	EXPECT(sip_uri_parse(&uri, (struct str){ .at = text, .len = SIP_URI_BYTES_MAX }));
	EXPECT(!sip_uri_parse(&uri, (struct str){ .at = text, .len = SIP_URI_BYTES_MAX + 1 }));
	struct writer w = writer_of(text, sizeof text);
	writer_text(&w, "sip:a");
	for (unsigned i = 0; i < SIP_URI_PARAMS_MAX; i++)
		writer_text(&w, ";x");
	EXPECT(sip_uri_parse(&uri, writer_view(&w)));
	writer_text(&w, ";x");
	EXPECT(!sip_uri_parse(&uri, writer_view(&w)));
}

TEST(no_prefix_or_flip_of_a_uri_breaks_the_reader)
{
	static const char *const seeds[] = {
		"sips:al%69ce:pw@[2001:db8::1]:5061;transport=TCP;lr?Subject=a%20b&x=",
		"tel:+1-201-555-0123;phone-context=example.org",
		"sip:1001@192.0.2.1",
	};
	for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++) {
		const size_t len = strlen(seeds[s]);
		char *bytes = malloc(len);
		assert_non_null(bytes);
		for (size_t at = 0; at < len; at++) {
			memcpy(bytes, seeds[s], len);
			for (unsigned value = 0; value < 256; value++) {
				bytes[at] = (char)value;
				check_uri(bytes, len);
			}
		}
		free(bytes);
		for (size_t cut = 0; cut < len; cut++) {
			char *prefix = malloc(cut + 1);
			assert_non_null(prefix);
			memcpy(prefix, seeds[s], cut);
			check_uri(prefix, cut);
			free(prefix);
		}
	}
}
