/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what we write is what the RFC shows, is read back by our own reader, and cannot be broken
 * out of by text that was handed in.  Method: whole messages compared as text. */
#include "sip/sip_write.h"

#include <string.h>

#include "base/test.h"

static uint8_t bytes[4096];

TEST(an_invite_is_written_and_read_back)
{
	struct writer w = writer_of(bytes, sizeof bytes);
	struct sip_msg msg;
	sip_write_request_line(&w, SIP_INVITE, STR("sip:1001@example.org"));
	sip_write_via(&w, &(struct sip_write_via){ .transport = SIP_TRANSPORT_UDP,
	                                           .host = STR("192.0.2.1"),
	                                           .port = 5060,
	                                           .branch = STR("z9hG4bKabc"),
	                                           .rport = true });
	sip_write_header_u32(&w, SIP_HEADER_MAX_FORWARDS, 70);
	sip_write_name_addr(&w, SIP_HEADER_FROM,
	                    &(struct sip_write_name_addr){ .display = STR("Ann \"A\" \\ B"),
	                                                   .uri = STR("sip:ann@example.com"),
	                                                   .tag = STR("t1") });
	sip_write_name_addr(&w, SIP_HEADER_TO,
	                    &(struct sip_write_name_addr){ .uri = STR("sip:1001@example.org") });
	sip_write_header_str(&w, SIP_HEADER_CALL_ID, STR("c1"));
	sip_write_cseq(&w, 7, SIP_INVITE);
	sip_write_name_addr(&w, SIP_HEADER_CONTACT,
	                    &(struct sip_write_name_addr){ .uri = STR("sip:192.0.2.1"),
	                                                   .params = STR("expires=9") });
	sip_write_allow(&w, 1u << SIP_INVITE | 1u << SIP_ACK | 1u << SIP_BYE);
	sip_write_session_expires(&w, 1800, SIP_REFRESHER_UAC);
	sip_write_header_named(&w, STR("X-Mine"), STR("1"));
	sip_write_body(&w, STR("application/sdp"), STR("v=0\r\n"));
	EXPECT(!w.failed);
	EXPECT_STR(writer_view(&w),
	           "INVITE sip:1001@example.org SIP/2.0\r\n"
	           "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n"
	           "Max-Forwards: 70\r\n"
	           "From: \"Ann \\\"A\\\" \\\\ B\" <sip:ann@example.com>;tag=t1\r\n"
	           "To: <sip:1001@example.org>\r\n"
	           "Call-ID: c1\r\n"
	           "CSeq: 7 INVITE\r\n"
	           "Contact: <sip:192.0.2.1>;expires=9\r\n"
	           "Allow: INVITE, ACK, BYE\r\n"
	           "Session-Expires: 1800;refresher=uac\r\n"
	           "X-Mine: 1\r\n"
	           "Content-Type: application/sdp\r\n"
	           "Content-Length: 5\r\n"
	           "\r\n"
	           "v=0\r\n");
	EXPECT_EQ(sip_msg_parse(&msg, bytes, w.at, SIP_STREAM), SIP_OK);
	EXPECT_STR(msg.body, "v=0\r\n");
	EXPECT_STR(msg.from.tag, "t1");
}

TEST(a_response_carries_what_the_transaction_needs)
{
	static const char request[] =
	        "OPTIONS sip:b@example.com SIP/2.0\r\n"
	        "v: SIP/2.0/UDP host.example.com ;rport; branch=z9hG4bK1 , SIP/2.0/TCP two\r\n"
	        "Via: SIP/2.0/UDP\r\n three;branch=x\r\n"
	        "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
	        "f: \"A\r\n B\" <sip:a@example.com>;tag=1\r\n"
	        "t: sip:b@example.com\r\n"
	        "i: 1\r\n"
	        "CSeq: 0009\r\n\tOPTIONS\r\n"
	        "Timestamp: 54\r\n"
	        "\r\n";
	struct sip_msg msg;
	const struct net_addr source = addr_ip4(192, 0, 2, 9, 4711);
	struct writer w = writer_of(bytes, sizeof bytes);
	EXPECT_EQ(sip_msg_parse(&msg, request, sizeof request - 1, SIP_DATAGRAM), SIP_OK);
	sip_write_response(&w, &(struct sip_write_response){ .request = &msg,
	                                                     .status = 200,
	                                                     .to_tag = STR("us"),
	                                                     .source = &source,
	                                                     .record_route = true });
	sip_write_body(&w, (struct str){ 0 }, (struct str){ 0 });
	EXPECT_STR(writer_view(&w),
	           "SIP/2.0 200 OK\r\n"
	           "Via: SIP/2.0/UDP host.example.com;branch=z9hG4bK1;received=192.0.2.9"
	           ";rport=4711\r\n"
	           "Via: SIP/2.0/TCP two\r\n"
	           "Via: SIP/2.0/UDP three;branch=x\r\n"
	           "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
	           "From: \"A B\" <sip:a@example.com>;tag=1\r\n"
	           "To: sip:b@example.com;tag=us\r\n"
	           "Call-ID: 1\r\n"
	           "CSeq: 0009 OPTIONS\r\n"
	           "Content-Length: 0\r\n"
	           "\r\n");

	w = writer_of(bytes, sizeof bytes);
	sip_write_response(&w, &(struct sip_write_response){ .request = &msg, .status = 100 });
	EXPECT_STR(writer_view(&w),
	           "SIP/2.0 100 Trying\r\n"
	           "Via: SIP/2.0/UDP host.example.com ;rport; branch=z9hG4bK1 , SIP/2.0/TCP two\r\n"
	           "Via: SIP/2.0/UDP three;branch=x\r\n"
	           "From: \"A B\" <sip:a@example.com>;tag=1\r\n"
	           "To: sip:b@example.com\r\n"
	           "Call-ID: 1\r\n"
	           "CSeq: 0009 OPTIONS\r\n"
	           "Timestamp: 54\r\n");
}

TEST(received_is_left_out_when_the_sender_told_the_truth)
{
	static const char request[] = "OPTIONS sip:b@example.com SIP/2.0\r\n"
	                              "v: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK1\r\n"
	                              "f: <sip:a@example.com>;tag=1\r\n"
	                              "t: <sip:b@example.com>;tag=2\r\n"
	                              "i: 1\r\n"
	                              "CSeq: 9 OPTIONS\r\n"
	                              "\r\n";
	struct sip_msg msg;
	const struct net_addr source = addr_ip4(192, 0, 2, 9, 4711);
	struct writer w = writer_of(bytes, sizeof bytes);
	EXPECT_EQ(sip_msg_parse(&msg, request, sizeof request - 1, SIP_DATAGRAM), SIP_OK);
	sip_write_response(&w, &(struct sip_write_response){ .request = &msg,
	                                                     .status = 599,
	                                                     .reason = "Odd\r\nX: y",
	                                                     .to_tag = STR("us"),
	                                                     .source = &source });
	EXPECT_STR(writer_view(&w), "SIP/2.0 599 Odd X: y\r\n"
	                            "Via: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK1\r\n"
	                            "From: <sip:a@example.com>;tag=1\r\n"
	                            "To: <sip:b@example.com>;tag=2\r\n"
	                            "Call-ID: 1\r\n"
	                            "CSeq: 9 OPTIONS\r\n");
}

TEST(a_line_without_via_before_the_top_via_is_left_out)
{
	static const char request[] = "OPTIONS sip:b@example.com SIP/2.0\r\n"
	                              "Via:\r\n"
	                              "Via: ,\r\n"
	                              "Via: SIP/2.0/UDP c;branch=z9hG4bK1\r\n"
	                              "i: 1\r\n"
	                              "\r\n";
	struct sip_msg msg;
	const struct net_addr source = addr_ip4(192, 0, 2, 9, 4711);
	struct writer w = writer_of(bytes, sizeof bytes);
	EXPECT_EQ(sip_msg_parse(&msg, request, sizeof request - 1, SIP_DATAGRAM),
	          SIP_REJECT_NO_FROM);
	sip_write_refusal(&w, &msg, sip_msg_refusal(&msg, SIP_REJECT_NO_FROM), STR("us"), &source);
	EXPECT_STR(writer_view(&w), "SIP/2.0 400 Missing From\r\n"
	                            "Via: SIP/2.0/UDP c;branch=z9hG4bK1;received=192.0.2.9\r\n"
	                            "Call-ID: 1\r\n"
	                            "Content-Length: 0\r\n"
	                            "\r\n");
}

TEST(text_cannot_break_out_of_its_line)
{
	struct writer w = writer_of(bytes, sizeof bytes);
	static const char evil[] = "a\r\nVia: x\n\r\n\rb\0c\x7f";
	sip_write_header_str(&w, SIP_HEADER_SUBJECT,
	                     (struct str){ .at = evil, .len = sizeof evil - 1 });
	sip_write_name_addr(&w, SIP_HEADER_TO,
	                    &(struct sip_write_name_addr){ .display = STR("x\"\r\n"),
	                                                   .uri = STR("sip:a\r\nb@c"),
	                                                   .tag = STR("1\n2") });
	EXPECT_STR(writer_view(&w), "Subject: a Via: x b c \r\n"
	                            "To: \"x\\\"  \" <sip:a b@c>;tag=1 2\r\n");
}

TEST(a_full_writer_says_so)
{
	struct writer w = writer_of(bytes, 10);
	sip_write_status_line(&w, 486, NULL);
	EXPECT(w.failed);
}

TEST(every_status_has_a_phrase)
{
	for (unsigned status = 100; status < 700; status++)
		EXPECT(strlen(sip_status_reason(status)) != 0);
	EXPECT(strcmp(sip_status_reason(488), "Not Acceptable Here") == 0);
	EXPECT(strcmp(sip_status_reason(499), "Request Failed") == 0);
}
