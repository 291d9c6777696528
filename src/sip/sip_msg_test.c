/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every message of RFC 4475 and of RFC 5118 gets the verdict that the RFC gives it, every
 * reject has a message that provokes it, no prefix and no flipped byte of a message breaks the
 * reader, and an answer carries back what a transaction is matched by.
 *
 * Method: the RFC's own bytes in testdata/torture, tables of small messages, and the property of
 * sip_msg_property.h, which is what sip_msg_fuzz.c asks of random input. */
#include "sip/sip_msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "sip/sip_msg_property.h"
#include "sip/sip_write.h"

#define INVITE_HEAD                                                     \
	"INVITE sip:1001@example.org SIP/2.0\r\n"                       \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK74bf9;rport\r\n" \
	"Max-Forwards: 70\r\n"                                          \
	"From: \"Ann\" <sip:ann@example.com>;tag=9fxced76sl\r\n"        \
	"To: <sip:1001@example.org>\r\n"                                \
	"Call-ID: 3848276298220188511@example.com\r\n"                  \
	"CSeq: 1 INVITE\r\n"

static const char invite[] =
        INVITE_HEAD
        "Contact: <sip:ann@192.0.2.1:5060;transport=udp>;+sip.instance=\"<urn:uuid:0>\"\r\n"
        "Supported: timer, 100rel\r\n"
        "k: replaces\r\n"
        "Allow: INVITE, ACK, BYE,\r\n"
        "\tCANCEL\r\n"
        "Route: <sip:a.example.org;lr>, \"x, y\" <sip:b.example.org;lr>\r\n"
        "Route: <sip:c.example.org;lr>\r\n"
        "X-Mine: one\r\n"
        "Session-Expires: 1800;refresher=uac\r\n"
        "Content-Type: application/sdp\r\n"
        "Content-Length: 5\r\n"
        "\r\n"
        "v=0\r\n";

static enum sip_reject
parse(struct sip_msg *msg, const char *text)
{
	return sip_msg_parse(msg, text, strlen(text), SIP_DATAGRAM);
}

TEST(an_invite_is_read_and_indexed)
{
	struct sip_msg msg;
	struct str value;
	EXPECT_EQ(parse(&msg, invite), SIP_OK);
	EXPECT(msg.request && msg.answerable);
	EXPECT_EQ(msg.method, SIP_INVITE);
	EXPECT_STR(msg.uri.user, "1001");
	EXPECT_STR(msg.via.branch, "z9hG4bK74bf9");
	EXPECT(msg.via.magic && msg.via.has_rport);
	EXPECT_EQ(msg.via.port, 5060);
	EXPECT_STR(msg.from.display, "Ann");
	EXPECT_STR(msg.from.tag, "9fxced76sl");
	EXPECT_STR(msg.to.tag, "");
	EXPECT_STR(msg.call_id, "3848276298220188511@example.com");
	EXPECT_EQ(msg.cseq.number, 1);
	EXPECT_EQ(msg.max_forwards, 70);
	EXPECT_STR(msg.body, "v=0\r\n");
	EXPECT(sip_content_type_is(&msg.content_type, STR("Application"), STR("SDP")));
	EXPECT_EQ(msg.header_count, 16);
	EXPECT(sip_msg_find(&msg, STR("x-mine"), &value));
	EXPECT_STR(value, "one");
	EXPECT(!sip_msg_find(&msg, STR("x-yours"), &value));
	EXPECT(sip_msg_find(&msg, STR("t"), &value));
	EXPECT_STR(value, "<sip:1001@example.org>");
}

TEST(list_headers_are_walked_item_by_item_over_all_lines)
{
	struct sip_msg msg;
	EXPECT_EQ(parse(&msg, invite), SIP_OK);
	EXPECT(sip_msg_lists(&msg, SIP_HEADER_SUPPORTED, STR("TIMER")));
	EXPECT(sip_msg_lists(&msg, SIP_HEADER_SUPPORTED, STR("replaces")));
	EXPECT(!sip_msg_lists(&msg, SIP_HEADER_SUPPORTED, STR("path")));
	EXPECT(sip_msg_lists(&msg, SIP_HEADER_ALLOW, STR("CANCEL")));
	EXPECT(!sip_msg_lists(&msg, SIP_HEADER_ALLOW, STR("cancel")));

	struct sip_values routes = sip_msg_values(&msg, SIP_HEADER_ROUTE);
	struct str item;
	EXPECT(sip_values_next(&routes, &item));
	EXPECT_STR(item, "<sip:a.example.org;lr>");
	EXPECT(sip_values_next(&routes, &item));
	EXPECT_STR(item, "\"x, y\" <sip:b.example.org;lr>");
	EXPECT(sip_values_next(&routes, &item));
	EXPECT_STR(item, "<sip:c.example.org;lr>");
	EXPECT(!sip_values_next(&routes, &item));
}

/* ---- RFC 4475 ------------------------------------------------------------------------------ */

enum {
	TORTURE_BYTES_MAX = 8192,
};

static size_t
read_torture(uint8_t bytes[TORTURE_BYTES_MAX], const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s.dat", TORTURE_DIR, name);
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	const size_t len = fread(bytes, 1, TORTURE_BYTES_MAX, file);
	fclose(file);
	return len;
}

/* Section by section, with what an endpoint answers for reasons of syntax; 0 is none.  Where the
 * RFC leaves a choice, the comment names it. */
static const struct {
	const char *name;
	enum sip_reject reject;
	unsigned status;
} torture[] = {
	/* 3.1.1 valid messages */
	{ "wsinv", SIP_OK, 0 },
	{ "intmeth", SIP_OK, 0 },
	{ "esc01", SIP_OK, 0 },
	{ "escnull", SIP_OK, 0 },
	{ "esc02", SIP_OK, 0 },
	{ "lwsdisp", SIP_OK, 0 },
	{ "longreq", SIP_OK, 0 },
	{ "dblreq", SIP_OK, 0 },
	{ "semiuri", SIP_OK, 0 },
	{ "transports", SIP_OK, 0 },
	{ "mpart01", SIP_OK, 0 },
	{ "unreason", SIP_OK, 0 },
	{ "noreason", SIP_OK, 0 },
	/* 3.1.2 invalid messages */
	{ "badinv01", SIP_REJECT_VIA_PARAMS, 400 },
	{ "clerr", SIP_REJECT_BODY_SHORT, 400 },
	{ "ncl", SIP_REJECT_CONTENT_LENGTH, 400 },
	{ "scalar02", SIP_REJECT_CSEQ, 400 },
	{ "scalarlg", SIP_REJECT_CSEQ, 0 },
	{ "quotbal", SIP_REJECT_TO, 400 },
	{ "ltgtruri", SIP_REJECT_URI, 400 },
	{ "lwsruri", SIP_REJECT_URI, 400 },
	{ "lwsstart", SIP_REJECT_URI, 400 },
	{ "trws", SIP_REJECT_REQUEST_LINE, 400 },
	{ "escruri", SIP_REJECT_URI, 400 },
	{ "baddate", SIP_OK, 0 }, /* Date may be ignored by who does not use it */
	{ "regbadct", SIP_REJECT_CONTACT, 400 },
	{ "badaspec", SIP_REJECT_TO, 400 },
	{ "baddn", SIP_REJECT_FROM, 400 },
	{ "badvers", SIP_REJECT_VERSION, 505 },
	{ "mismatch01", SIP_REJECT_CSEQ_METHOD, 400 },
	{ "mismatch02", SIP_REJECT_CSEQ_METHOD, 400 }, /* or 501, for the method */
	{ "bigcode", SIP_REJECT_STATUS, 0 },
	/* 3.2 transaction layer: the branch is not one of RFC 3261 */
	{ "badbranch", SIP_OK, 0 },
	/* 3.3 application layer */
	{ "insuf", SIP_REJECT_NO_FROM, 400 },
	{ "unkscm", SIP_REJECT_URI_SCHEME, 416 },
	{ "novelsc", SIP_REJECT_URI_SCHEME, 416 },
	{ "unksm2", SIP_OK, 0 },
	{ "bext01", SIP_OK, 0 },
	{ "invut", SIP_OK, 0 },
	{ "regaut01", SIP_OK, 0 },
	{ "multi01", SIP_REJECT_TWICE, 400 },
	{ "mcl01", SIP_REJECT_CONTENT_LENGTH, 400 },
	{ "bcast", SIP_OK, 0 },
	{ "zeromf", SIP_OK, 0 },
	{ "cparam01", SIP_OK, 0 },
	{ "cparam02", SIP_OK, 0 },
	{ "regescrt", SIP_OK, 0 },
	{ "sdp01", SIP_OK, 0 },
	/* 3.4 an RFC 2543 client */
	{ "inv2543", SIP_OK, 0 },
};

TEST(each_message_of_rfc_4475_gets_its_verdict)
{
	EXPECT_EQ(sizeof torture / sizeof *torture, 49);
	for (size_t i = 0; i < sizeof torture / sizeof *torture; i++) {
		uint8_t bytes[TORTURE_BYTES_MAX];
		struct sip_msg msg;
		const size_t len = read_torture(bytes, torture[i].name);
		const enum sip_reject reject = sip_msg_parse(&msg, bytes, len, SIP_DATAGRAM);
		const struct sip_refusal refusal = sip_msg_refusal(&msg, reject);
		if (reject != torture[i].reject || refusal.status != torture[i].status)
			fail_msg("%s: %s, %u", torture[i].name, sip_reject_name(reject),
			         refusal.status);
		check_message(bytes, len);
	}
}

TEST(no_byte_of_the_torture_messages_can_be_changed_into_a_crash)
{
	for (size_t i = 0; i < sizeof torture / sizeof *torture; i++) {
		uint8_t bytes[TORTURE_BYTES_MAX];
		const size_t len = read_torture(bytes, torture[i].name);
		for (size_t at = 0; at < len; at += 1 + len / 60) {
			const uint8_t kept = bytes[at];
			static const uint8_t tries[] = { 0, '\r', '\n', ' ', '"', '<', ';', ',',
				                         0xff };
			for (size_t t = 0; t < sizeof tries; t++) {
				bytes[at] = tries[t];
				check_message(bytes, len);
			}
			bytes[at] = kept;
		}
	}
}

static struct sip_msg
torture_msg(uint8_t bytes[TORTURE_BYTES_MAX], const char *name)
{
	struct sip_msg msg;
	const size_t len = read_torture(bytes, name);
	(void)!sip_msg_parse(&msg, bytes, len, SIP_DATAGRAM);
	return msg;
}

TEST(the_short_tortuous_invite_is_understood)
{
	uint8_t bytes[TORTURE_BYTES_MAX];
	const struct sip_msg msg = torture_msg(bytes, "wsinv");
	EXPECT_STR(msg.to.tag, "1918181833n");
	EXPECT_STR(msg.from.display, "J Rosenberg \\\\\\\"");
	EXPECT_STR(msg.from.tag, "98asjd8");
	EXPECT_EQ(msg.max_forwards, 68);
	EXPECT_EQ(msg.cseq.number, 9);
	EXPECT_EQ(msg.via.transport, SIP_TRANSPORT_UDP);
	EXPECT_STR(msg.via.host, "192.0.2.2");
	EXPECT(!msg.via.magic);
	EXPECT_EQ(msg.body.len, 150);

	struct sip_values vias = sip_msg_values(&msg, SIP_HEADER_VIA);
	struct sip_via via;
	struct str item;
	EXPECT(sip_values_next(&vias, &item));
	EXPECT(sip_values_next(&vias, &item));
	EXPECT(sip_via_parse(&via, item));
	EXPECT_STR(via.host, "spindle.example.com");
	EXPECT_STR(via.branch, "z9hG4bK9ikj8");
	EXPECT(sip_values_next(&vias, &item));
	EXPECT(sip_via_parse(&via, item));
	EXPECT_STR(via.host, "192.168.255.111");
	EXPECT_STR(via.branch, "z9hG4bK30239");
	EXPECT(!sip_values_next(&vias, &item));
}

TEST(the_other_odd_but_valid_messages_are_understood)
{
	uint8_t bytes[TORTURE_BYTES_MAX];
	struct sip_msg msg = torture_msg(bytes, "intmeth");
	EXPECT_STR(msg.method_text, "!interesting-Method0123456789_*+`.%indeed'~");
	EXPECT_STR(msg.uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
	EXPECT_STR(msg.uri.host, "example.com");
	EXPECT_STR(msg.from.display, "token1~` token2'+_ token3*%!.-");

	msg = torture_msg(bytes, "esc02");
	EXPECT_EQ(msg.method, SIP_METHOD_OTHER); /* not REGISTER */
	struct sip_values contacts = sip_msg_values(&msg, SIP_HEADER_CONTACT);
	struct str item;
	EXPECT(sip_values_next(&contacts, &item));
	EXPECT_STR(item, "<sip:alias1@host1.example.com>");
	EXPECT(sip_values_next(&contacts, &item));
	EXPECT_STR(item, "<sip:alias3@host3.example.com>");
	EXPECT(!sip_values_next(&contacts, &item));

	msg = torture_msg(bytes, "semiuri");
	EXPECT_STR(msg.uri.user, "user;par=u%40example.net");
	EXPECT_STR(msg.uri.params, "");

	msg = torture_msg(bytes, "cparam01");
	struct sip_name_addr contact;
	EXPECT(sip_name_addr_parse(&contact, sip_msg_value(&msg, SIP_HEADER_CONTACT)));
	EXPECT_STR(contact.params, "unknownparam");
	EXPECT_STR(contact.uri.params, "");
	msg = torture_msg(bytes, "cparam02");
	EXPECT(sip_name_addr_parse(&contact, sip_msg_value(&msg, SIP_HEADER_CONTACT)));
	EXPECT_STR(contact.params, "");
	EXPECT_STR(contact.uri.params, "unknownparam");

	msg = torture_msg(bytes, "dblreq");
	EXPECT_EQ(msg.method, SIP_REGISTER);
	EXPECT_EQ(msg.body.len, 0);
	msg = torture_msg(bytes, "noreason");
	EXPECT_EQ(msg.status, 100);
	EXPECT_STR(msg.reason, "");
	msg = torture_msg(bytes, "badbranch");
	EXPECT(!msg.via.magic);
	msg = torture_msg(bytes, "zeromf");
	EXPECT_EQ(msg.max_forwards, 0);
	msg = torture_msg(bytes, "inv2543");
	EXPECT_STR(msg.from.tag, "");
}

/* ---- RFC 5118 ------------------------------------------------------------------------------ */

static enum sip_reject
parse_ip6(struct sip_msg *msg, const char *uri, const char *via)
{
	static char text[1024];
	snprintf(text, sizeof text,
	         "REGISTER %s SIP/2.0\r\n"
	         "To: sip:user@example.com\r\n"
	         "From: sip:user@example.com;tag=81x2\r\n"
	         "Via: %s\r\n"
	         "Call-ID: SSG9559905523997077@hlau_4100\r\n"
	         "Max-Forwards: 70\r\n"
	         "Contact: \"Caller\" <sip:caller@[2001:db8::1]>\r\n"
	         "CSeq: 98176 REGISTER\r\n"
	         "Content-Length: 0\r\n"
	         "\r\n",
	         uri, via);
	check_message(text, strlen(text));
	return parse(msg, text);
}

TEST(ip6_references_of_rfc_5118_are_read_or_refused)
{
	static const char via[] = "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111";
	struct sip_msg msg;
	/* 4.1: a valid reference.  4.2: without brackets. */
	EXPECT_EQ(parse_ip6(&msg, "sip:[2001:db8::10]", via), SIP_OK);
	EXPECT_STR(msg.uri.host, "[2001:db8::10]");
	EXPECT_EQ(msg.uri.ip.family, ADDR_IP6);
	EXPECT_STR(msg.via.host, "[2001:db8::9:1]");
	EXPECT_EQ(parse_ip6(&msg, "sip:2001:db8::10", via), SIP_REJECT_URI);
	EXPECT_EQ(sip_msg_refusal(&msg, SIP_REJECT_URI).status, 400);
	/* 4.3: what looks like a port is part of the address.  4.4: a port behind the bracket. */
	EXPECT_EQ(parse_ip6(&msg, "sip:[2001:db8::10:5070]", via), SIP_OK);
	EXPECT_EQ(msg.uri.port, 0);
	EXPECT_EQ(parse_ip6(&msg, "sip:[2001:db8::10]:5070", via), SIP_OK);
	EXPECT_EQ(msg.uri.port, 5070);
	/* 4.5: received with and without brackets. */
	EXPECT_EQ(parse_ip6(&msg, "sip:[2001:db8::10]",
	                    "SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]"
	                    ";branch=z9hG4bKas3-111"),
	          SIP_OK);
	EXPECT_STR(msg.via.received, "[2001:db8::9:255]");
	EXPECT_EQ(parse_ip6(&msg, "sip:[2001:db8::10]",
	                    "SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255"
	                    ";branch=z9hG4bKas3"),
	          SIP_OK);
	EXPECT_STR(msg.via.received, "2001:db8::9:255");
	/* 4.9: an IPv4-mapped address.  4.10: one colon too many, as RFC 3261's ABNF allowed. */
	EXPECT_EQ(parse_ip6(&msg, "sip:[::ffff:192.0.2.10]", via), SIP_OK);
	EXPECT_EQ(parse_ip6(&msg, "sip:user@[2001:db8:::192.0.2.1]", via), SIP_REJECT_URI);
	/* No way to answer. */
	EXPECT_EQ(parse_ip6(&msg, "sip:[2001:db8::10]", "SIP/2.0/UDP 2001:db8::9:1"),
	          SIP_REJECT_VIA);
	EXPECT_EQ(sip_msg_refusal(&msg, SIP_REJECT_VIA).status, 0);
}

/* ---- one message per reject ---------------------------------------------------------------- */

#define WITHOUT_CSEQ                                                \
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"            \
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n" \
	"Call-ID: 1\r\n"
#define GOOD_HEADERS WITHOUT_CSEQ "CSeq: 1 BYE\r\n"
#define BYE_LINE "BYE sip:b@example.com SIP/2.0\r\n"

static const struct {
	const char *text;
	enum sip_reject reject;
	unsigned status;
	enum sip_framing framing;
} cases[] = {
	{ "\r\n\r\n", SIP_REJECT_EMPTY, 0, SIP_DATAGRAM },
	{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", SIP_REJECT_START_LINE, 0, SIP_DATAGRAM },
	{ "BYE sip:b@example.com SIP/2.0\n" GOOD_HEADERS "\r\n", SIP_REJECT_START_LINE, 0,
	  SIP_DATAGRAM },
	{ "SIP/2.0 099 Low\r\n" GOOD_HEADERS "\r\n", SIP_REJECT_STATUS, 0, SIP_DATAGRAM },
	{ "SIP/3.0 200 OK\r\n" GOOD_HEADERS "\r\n", SIP_REJECT_VERSION, 0, SIP_DATAGRAM },
	{ BYE_LINE "CSeq: 1 BYE\r\n\r\n", SIP_REJECT_VIA, 0, SIP_DATAGRAM },
	{ BYE_LINE "Via: nonsense\r\n\r\n", SIP_REJECT_VIA, 0, SIP_DATAGRAM },
	{ "BYE sip:b@example.com SIP/2.0 \r\n" GOOD_HEADERS "\r\n", SIP_REJECT_REQUEST_LINE, 400,
	  SIP_DATAGRAM },
	{ "B<E sip:b@example.com SIP/2.0\r\n" GOOD_HEADERS "\r\n", SIP_REJECT_METHOD, 400,
	  SIP_DATAGRAM },
	{ "BYE sip:b@ SIP/2.0\r\n" GOOD_HEADERS "\r\n", SIP_REJECT_URI, 400, SIP_DATAGRAM },
	{ "BYE mailto:b@example.com SIP/2.0\r\n" GOOD_HEADERS "\r\n", SIP_REJECT_URI_SCHEME, 416,
	  SIP_DATAGRAM },
	{ "BYE sip:b@example.com SIP/2.1\r\n" GOOD_HEADERS "\r\n", SIP_REJECT_VERSION, 505,
	  SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "Content-Length: 70000\r\n\r\n", SIP_REJECT_BODY_TOO_LONG, 413,
	  SIP_STREAM },
	{ BYE_LINE GOOD_HEADERS "Content-Length: 99999999999999999999\r\n\r\n",
	  SIP_REJECT_BODY_TOO_LONG, 413, SIP_STREAM },
	{ BYE_LINE GOOD_HEADERS, SIP_REJECT_UNFINISHED, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "no colon here\r\n\r\n", SIP_REJECT_HEADER_LINE, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS ": no name\r\n\r\n", SIP_REJECT_HEADER_LINE, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "X: bare\nY: feed\r\n\r\n", SIP_REJECT_HEADER_LINE, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE " folded: nothing\r\n" GOOD_HEADERS "\r\n", SIP_REJECT_HEADER_LINE, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nTo: <sip:b@c>\r\n"
	           "Call-ID: 1\r\nCSeq: 1 BYE\r\n\r\n",
	  SIP_REJECT_NO_FROM, 400, SIP_DATAGRAM },
	{ BYE_LINE "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:b@c>\r\n"
	           "Call-ID: 1\r\nCSeq: 1 BYE\r\n\r\n",
	  SIP_REJECT_NO_TO, 400, SIP_DATAGRAM },
	{ BYE_LINE "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:b@c>\r\nTo: <sip:b@c>\r\n"
	           "CSeq: 1 BYE\r\n\r\n",
	  SIP_REJECT_NO_CALL_ID, 400, SIP_DATAGRAM },
	{ BYE_LINE WITHOUT_CSEQ "\r\n", SIP_REJECT_NO_CSEQ, 400, SIP_DATAGRAM },
	{ BYE_LINE WITHOUT_CSEQ "CSeq: 2147483648 BYE\r\n\r\n", SIP_REJECT_CSEQ, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE WITHOUT_CSEQ "CSeq: 1 bye\r\n\r\n", SIP_REJECT_CSEQ_METHOD, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:b@c>\r\nTo: <sip:b@c>\r\n"
	           "Call-ID: a b\r\nCSeq: 1 BYE\r\n\r\n",
	  SIP_REJECT_CALL_ID, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "i: 2\r\n\r\n", SIP_REJECT_TWICE, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "Max-Forwards: 256\r\n\r\n", SIP_REJECT_MAX_FORWARDS, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "\r\n", SIP_REJECT_CONTENT_LENGTH, 400, SIP_STREAM },
	{ BYE_LINE GOOD_HEADERS "Content-Length: 1x\r\n\r\n", SIP_REJECT_CONTENT_LENGTH, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "l: 0\r\nContent-Length: 1\r\n\r\n", SIP_REJECT_CONTENT_LENGTH,
	  400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "l: 0\r\nContent-Length: 00\r\n\r\n", SIP_OK, 0, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "l: 4\r\n\r\nabc", SIP_REJECT_BODY_SHORT, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "\r\nabc", SIP_REJECT_CONTENT_TYPE, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "c: text\r\n\r\nabc", SIP_REJECT_CONTENT_TYPE, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "m: <sip:a@b\r\n\r\n", SIP_REJECT_CONTACT, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "Route: *\r\n\r\n", SIP_REJECT_ROUTE, 400, SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "Record-Route: <http://x>\r\n\r\n", SIP_REJECT_ROUTE, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "Expires: soon\r\n\r\n", SIP_REJECT_HEADER_VALUE, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "x: 90;refresher=me\r\n\r\n", SIP_REJECT_HEADER_VALUE, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "Replaces: a;to-tag=1\r\n\r\n", SIP_REJECT_HEADER_VALUE, 400,
	  SIP_DATAGRAM },
	{ BYE_LINE GOOD_HEADERS "RAck: 1 INVITE\r\n\r\n", SIP_REJECT_HEADER_VALUE, 400,
	  SIP_DATAGRAM },
};

TEST(each_broken_rule_is_named_and_answered_as_it_should_be)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sip_msg msg;
		const enum sip_reject reject = sip_msg_parse(
		        &msg, cases[i].text, strlen(cases[i].text), cases[i].framing);
		if (reject != cases[i].reject ||
		    sip_msg_refusal(&msg, reject).status != cases[i].status)
			fail_msg("case %zu: %s, %u", i, sip_reject_name(reject),
			         sip_msg_refusal(&msg, reject).status);
	}
}

TEST(an_ack_is_never_answered)
{
	struct sip_msg msg;
	const enum sip_reject reject =
	        parse(&msg, "ACK sip:b@example.com SIP/2.0\r\n" WITHOUT_CSEQ "CSeq: 1 BYE\r\n\r\n");
	EXPECT_EQ(reject, SIP_REJECT_CSEQ_METHOD);
	EXPECT_EQ(sip_msg_refusal(&msg, reject).status, 0);
}

static char *
grow(size_t count, const char *before, const char *again, const char *after)
{
	const size_t unit = strlen(again);
	char *text = malloc(strlen(before) + count * unit + strlen(after) + 1);
	assert_non_null(text);
	char *at = stpcpy(text, before);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, again);
	memcpy(at, after, strlen(after) + 1);
	return text;
}

static void
expect_grown(char *text, enum sip_reject want, unsigned status)
{
	static struct sip_msg msg;
	const enum sip_reject reject = parse(&msg, text);
	if (reject != want)
		fail_msg("%.40s...: %s", strstr(text, "CSeq"), sip_reject_name(reject));
	EXPECT_EQ(sip_msg_refusal(&msg, reject).status, status);
	check_message(text, strlen(text));
	free(text);
}

TEST(each_limit_is_a_limit)
{
	expect_grown(grow(100000, BYE_LINE GOOD_HEADERS "Subject: ", "x", "\r\n\r\n"),
	             SIP_REJECT_TOO_LONG, 513);
	expect_grown(grow(60000, BYE_LINE GOOD_HEADERS "Subject: ", "x", "\r\n\r\n"), SIP_OK, 0);
	expect_grown(grow(SIP_URI_BYTES_MAX, "BYE sip:", "x", "@a SIP/2.0\r\n" GOOD_HEADERS
	                                                      "\r\n"),
	             SIP_REJECT_URI_LONG, 414);
	expect_grown(grow(SIP_HEADERS_MAX - 5, BYE_LINE GOOD_HEADERS, "Z: y\r\n", "\r\n"), SIP_OK,
	             0);
	expect_grown(grow(SIP_HEADERS_MAX - 4, BYE_LINE GOOD_HEADERS, "Z: y\r\n", "\r\n"),
	             SIP_REJECT_HEADERS_MAX, 400);
	expect_grown(grow(SIP_VIAS_MAX - 1, BYE_LINE GOOD_HEADERS, "v: SIP/2.0/UDP a\r\n", "\r\n"),
	             SIP_OK, 0);
	expect_grown(grow(SIP_VIAS_MAX, BYE_LINE GOOD_HEADERS "v: a", ",SIP/2.0/UDP a",
	                  "\r\n\r\n"),
	             SIP_REJECT_VIAS_MAX, 482);
	expect_grown(grow(SIP_HEADER_NAME_BYTES_MAX + 1, BYE_LINE GOOD_HEADERS, "x",
	                  ": y\r\n\r\n"),
	             SIP_REJECT_HEADER_LINE, 400);
	expect_grown(grow(SIP_PARAMS_MAX, BYE_LINE GOOD_HEADERS "m: <sip:a@b>", ";x", "\r\n\r\n"),
	             SIP_OK, 0);
	expect_grown(grow(SIP_PARAMS_MAX + 1, BYE_LINE GOOD_HEADERS "m: <sip:a@b>", ";x",
	                  "\r\n\r\n"),
	             SIP_REJECT_CONTACT, 400);
}

/* ---- hostile bytes ------------------------------------------------------------------------- */

TEST(no_prefix_of_an_invite_is_taken_for_one)
{
	struct sip_msg msg;
	for (size_t len = 0; len < sizeof invite - 1; len++) {
		char *exact = malloc(len + 1);
		assert_non_null(exact);
		memcpy(exact, invite, len);
		EXPECT(sip_msg_parse(&msg, exact, len, SIP_DATAGRAM) != SIP_OK);
		check_message(exact, len);
		free(exact);
	}
}

TEST(no_flipped_bit_of_an_invite_breaks_the_reader)
{
	char bytes[sizeof invite];
	for (size_t at = 0; at < sizeof invite - 1; at++) {
		memcpy(bytes, invite, sizeof invite);
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[at] = (char)(invite[at] ^ 1 << bit);
			check_message(bytes, sizeof invite - 1);
		}
	}
}
