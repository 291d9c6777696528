/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every header name and compact form is known, and every typed value is read by its grammar
 * and refused outside of it.  Method: tables of good and bad values. */
#include "sip/sip_header.h"

#include <ctype.h>
#include <string.h>

#include "base/test.h"
#include "sip/sip_header_chars.h"

TEST(names_are_known_in_any_case_and_in_compact_form)
{
	for (unsigned id = 1; id < SIP_HEADER_COUNT; id++) {
		char name[64];
		EXPECT(str_copy(name, sizeof name, str_of(sip_header_name((enum sip_header_id)id))));
		EXPECT_EQ(sip_header_of(str_of(name)), id);
		for (char *c = name; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		EXPECT_EQ(sip_header_of(str_of(name)), id);
		if (id > 1)
			EXPECT(tolower((unsigned char)name[0]) >=
			       tolower((unsigned char)sip_header_name((enum sip_header_id)(id - 1))[0]));
	}
	static const struct {
		const char *compact;
		enum sip_header_id id;
	} compact[] = {
		{ "a", SIP_HEADER_ACCEPT_CONTACT },   { "b", SIP_HEADER_REFERRED_BY },
		{ "c", SIP_HEADER_CONTENT_TYPE },     { "d", SIP_HEADER_REQUEST_DISPOSITION },
		{ "e", SIP_HEADER_CONTENT_ENCODING }, { "f", SIP_HEADER_FROM },
		{ "i", SIP_HEADER_CALL_ID },          { "j", SIP_HEADER_REJECT_CONTACT },
		{ "K", SIP_HEADER_SUPPORTED },        { "l", SIP_HEADER_CONTENT_LENGTH },
		{ "m", SIP_HEADER_CONTACT },          { "o", SIP_HEADER_EVENT },
		{ "r", SIP_HEADER_REFER_TO },         { "S", SIP_HEADER_SUBJECT },
		{ "t", SIP_HEADER_TO },               { "u", SIP_HEADER_ALLOW_EVENTS },
		{ "v", SIP_HEADER_VIA },              { "x", SIP_HEADER_SESSION_EXPIRES },
		{ "y", SIP_HEADER_IDENTITY },         { "z", SIP_HEADER_OTHER },
		{ "", SIP_HEADER_OTHER },             { "Viaa", SIP_HEADER_OTHER },
		{ "{", SIP_HEADER_OTHER },            { "\xff", SIP_HEADER_OTHER },
	};
	for (size_t i = 0; i < sizeof compact / sizeof *compact; i++)
		EXPECT_EQ(sip_header_of(str_of(compact[i].compact)), compact[i].id);
}

TEST(methods_are_known_in_their_own_case_only)
{
	for (unsigned m = SIP_INVITE; m < SIP_METHOD_COUNT; m++)
		EXPECT_EQ(sip_method_of(str_of(sip_method_name((enum sip_method)m))), m);
	EXPECT_EQ(sip_method_of(STR("invite")), SIP_METHOD_OTHER);
	EXPECT_EQ(sip_method_of(STR("")), SIP_METHOD_OTHER);
}

static void
expect_class(unsigned bit, const char *alike, const char *more)
{
	for (unsigned c = 1; c < 128; c++) {
		const bool want = (alike[0] != '\0' && isalnum((int)c)) ||
		                  strchr(more, (int)c) != NULL;
		if (sip_char_is((char)c, bit) != want)
			fail_msg("class %#x, byte %#x", bit, c);
	}
	EXPECT(!sip_char_is('\0', bit));
}

TEST(character_classes_are_those_of_the_grammar)
{
	expect_class(SIP_CHAR_TOKEN, "alnum", "-.!%*_+`'~");
	expect_class(SIP_CHAR_WORD, "alnum", "-.!%*_+`'~()<>:\\\"/[]?{}");
	expect_class(SIP_CHAR_USER, "alnum", "-_.!~*'()&=+$,;?/#");
	expect_class(SIP_CHAR_PASSWORD, "alnum", "-_.!~*'()&=+$,");
	expect_class(SIP_CHAR_PARAM, "alnum", "-_.!~*'()[]/:&+$");
	expect_class(SIP_CHAR_HNV, "alnum", "-_.!~*'()[]/?:+$");
	expect_class(SIP_CHAR_HOST, "alnum", "-._");
	expect_class(SIP_CHAR_VALUE, "alnum", "-.!%*_+`'~[]:/=@|");
	expect_class(SIP_CHAR_DIGIT, "", "0123456789");
	expect_class(SIP_CHAR_HEX, "", "0123456789abcdefABCDEF");
	for (unsigned c = 128; c < 256; c++)
		EXPECT_EQ(sip_chars[c], SIP_CHAR_DISPLAY);
}

TEST(vias_are_read)
{
	struct sip_via via;
	EXPECT(sip_via_parse(&via, STR("SIP/2.0/TLS host.example.org:5061;branch=z9hG4bKx;rport=7"
	                               ";received=192.0.2.9;maddr=m;ttl=1;alias")));
	EXPECT_EQ(via.transport, SIP_TRANSPORT_TLS);
	EXPECT_STR(via.host, "host.example.org");
	EXPECT_EQ(via.port, 5061);
	EXPECT_EQ(via.rport, 7);
	EXPECT(via.has_rport && via.magic);
	EXPECT_STR(via.received, "192.0.2.9");
	EXPECT_STR(via.maddr, "m");
	EXPECT(sip_via_parse(&via, STR("SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK")));
	EXPECT_EQ(via.transport, SIP_TRANSPORT_WSS);
	EXPECT(!via.magic);
	EXPECT(sip_via_parse(&via, STR("SIP/2.0/SCTP [::1] : 5060 ; rport")));
	EXPECT_EQ(via.transport, SIP_TRANSPORT_OTHER);
	EXPECT_STR(via.host, "[::1]");
	EXPECT_EQ(via.port, 5060);

	static const char *const bad[] = { "",
		                           "SIP/2.0",
		                           "SIP/2.0/UDP",
		                           "SIP/2.0/UDP ",
		                           "SIP/2.0 UDP a",
		                           "HTTP/2.0/UDP a",
		                           "SIP/2.0/UDP a:",
		                           "SIP/2.0/UDP a:0",
		                           "SIP/2.0/UDP a:70000",
		                           "SIP/2.0/UDP a b",
		                           "SIP/2.0/UDP [::1",
		                           "SIP/2.0/UDP a;",
		                           "SIP/2.0/UDP a;;branch=x",
		                           "SIP/2.0/UDP a;=x",
		                           "SIP/2.0/UDP a;x=",
		                           "SIP/2.0/UDP a;rport=x",
		                           "SIP/2.0/UDP a;x=\"y" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (sip_via_parse(&via, str_of(bad[i])))
			fail_msg("taken: %s", bad[i]);
}

TEST(names_with_addresses_are_read)
{
	struct sip_name_addr addr;
	EXPECT(sip_name_addr_parse(&addr, STR("\"A \\\"b\\\" <c>\" <sip:a@b;lr>;tag=1;x=\"<,;>\"")));
	EXPECT_STR(addr.display, "A \\\"b\\\" <c>");
	EXPECT(addr.display_quoted);
	EXPECT_STR(addr.uri.params, "lr");
	EXPECT_STR(addr.tag, "1");
	EXPECT_STR(addr.params, "tag=1;x=\"<,;>\"");
	EXPECT(sip_name_addr_parse(&addr, STR("sip:a@b;lr;x=\"<urn:y>\"")));
	EXPECT_STR(addr.uri.params, "");
	EXPECT_STR(addr.params, "lr;x=\"<urn:y>\"");
	EXPECT(sip_name_addr_parse(&addr, STR("Room 1 (HQ) & \xc3\x84rzte <sip:a@b>")));
	EXPECT_STR(addr.display, "Room 1 (HQ) & \xc3\x84rzte");
	EXPECT(sip_name_addr_parse(&addr, STR("<sip:a@b>")));
	EXPECT_STR(addr.display, "");
	EXPECT(sip_name_addr_parse(&addr, STR(" * ")));
	EXPECT(addr.star);

	static const char *const bad[] = { "",         "sip:a@b?x=y",    "sip:a@b,c",
		                           "a, b <sip:a@b>", "\"a <sip:a@b>", "<sip:a@b",
		                           "< sip:a@b>",     "<sip:a@b >",    "<sip:a@b> x",
		                           "<sip:a@b>;",     "<sip:a@b>;tag=", "<>",
		                           "\"a\" sip:a@b" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (sip_name_addr_parse(&addr, str_of(bad[i])))
			fail_msg("taken: %s", bad[i]);
}

TEST(numbers_and_sequences_are_read)
{
	struct sip_cseq cseq;
	struct sip_rack rack;
	struct sip_session_expires expires;
	uint32_t number = 0;
	EXPECT(sip_cseq_parse(&cseq, STR("2147483647 \r\n INVITE")));
	EXPECT_EQ(cseq.number, 2147483647);
	EXPECT_EQ(cseq.method, SIP_INVITE);
	EXPECT(!sip_cseq_parse(&cseq, STR("2147483648 INVITE")));
	EXPECT(!sip_cseq_parse(&cseq, STR("1INVITE")));
	EXPECT(!sip_cseq_parse(&cseq, STR("1 INVITE x")));
	EXPECT(!sip_cseq_parse(&cseq, STR("-1 INVITE")));
	EXPECT(sip_rack_parse(&rack, STR("776656 1 INVITE")));
	EXPECT_EQ(rack.rseq, 776656);
	EXPECT_EQ(rack.cseq.number, 1);
	EXPECT(!sip_rack_parse(&rack, STR("1 INVITE")));
	EXPECT(sip_session_expires_parse(&expires, STR("4000;x=y;Refresher=UAS")));
	EXPECT_EQ(expires.interval_s, 4000);
	EXPECT_EQ(expires.refresher, SIP_REFRESHER_UAS);
	EXPECT(!sip_session_expires_parse(&expires, STR("4000;refresher=x")));
	EXPECT(!sip_session_expires_parse(&expires, STR("")));
	EXPECT(sip_number_parse(&number, STR("18000;duration=3600")));
	EXPECT_EQ(number, 18000);
	EXPECT(sip_number_parse(&number, STR("120 (I'm in a meeting)")));
	EXPECT_EQ(number, 120);
	EXPECT(!sip_number_parse(&number, STR("120 (open")));
	EXPECT(!sip_number_parse(&number, STR("4294967296")));
	EXPECT(!sip_number_parse(&number, STR("1 2")));
}

TEST(content_types_and_replaces_are_read)
{
	struct sip_content_type type;
	struct sip_replaces replaces;
	struct str value;
	EXPECT(sip_content_type_parse(&type, STR("multipart / mixed ; boundary=\"a b\"")));
	EXPECT(sip_content_type_is(&type, STR("MULTIPART"), STR("mixed")));
	EXPECT(sip_param_find(type.params, STR("Boundary"), &value));
	EXPECT_STR(value, "a b");
	EXPECT(!sip_content_type_parse(&type, STR("text")));
	EXPECT(!sip_content_type_parse(&type, STR("text/")));
	EXPECT(!sip_content_type_parse(&type, STR("text/plain x")));
	EXPECT(sip_replaces_parse(&replaces,
	                          STR("425928@b.example;to-tag=7743;from-tag=6472;early-only")));
	EXPECT_STR(replaces.call_id, "425928@b.example");
	EXPECT_STR(replaces.to_tag, "7743");
	EXPECT_STR(replaces.from_tag, "6472");
	EXPECT(replaces.early_only);
	EXPECT(!sip_replaces_parse(&replaces, STR("1;to-tag=1")));
	EXPECT(!sip_replaces_parse(&replaces, STR(";to-tag=1;from-tag=2")));
}

TEST(challenges_and_credentials_are_read)
{
	struct sip_auth auth;
	EXPECT(sip_auth_parse(&auth, STR("Digest realm=\"a, b\",nonce = \"c\" , qop=\"auth,auth-int\""
	                                 ", algorithm=SHA-256, stale=TRUE, opaque=\"\"")));
	EXPECT_STR(auth.realm, "a, b");
	EXPECT_STR(auth.nonce, "c");
	EXPECT_STR(auth.qop, "auth,auth-int");
	EXPECT_STR(auth.algorithm, "SHA-256");
	EXPECT(auth.stale && auth.has_opaque && !auth.userhash);
	EXPECT(sip_auth_parse(&auth, STR("Bearer abc.def==")));
	EXPECT_STR(auth.scheme, "Bearer");
	EXPECT_STR(auth.realm, "");
	EXPECT(!sip_auth_parse(&auth, STR("")));
	EXPECT(sip_auth_parse(&auth, STR("Digest realm")));
	EXPECT_STR(auth.realm, "");
	EXPECT(!sip_auth_parse(&auth, STR("Digest realm=\"a")));
	EXPECT(!sip_auth_parse(&auth, STR("Digest realm=\"a\" nonce=\"b\"")));
}

TEST(lists_split_at_commas_outside_quotes_and_brackets)
{
	struct str rest = STR(" , <sip:a,b@c>;x=\"1,2\",\"q\\\",\" <sip:d> ,, e ,");
	struct str item;
	EXPECT(sip_list_next(&rest, &item));
	EXPECT_STR(item, "<sip:a,b@c>;x=\"1,2\"");
	EXPECT(sip_list_next(&rest, &item));
	EXPECT_STR(item, "\"q\\\",\" <sip:d>");
	EXPECT(sip_list_next(&rest, &item));
	EXPECT_STR(item, "e");
	EXPECT(!sip_list_next(&rest, &item));
}

TEST(a_quoted_string_loses_its_backslashes)
{
	char out[16];
	struct writer w = writer_of(out, sizeof out);
	sip_unquote(&w, STR("a\\\"b\\\\"));
	EXPECT_STR(writer_view(&w), "a\"b\\");
}
