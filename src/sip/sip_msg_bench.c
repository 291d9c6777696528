/* SPDX-License-Identifier: Apache-2.0 */
/* Measures reading a typical INVITE with SDP, writing its 200, and cutting messages off a stream.
 * Prints nanoseconds of one and how many a second one core does. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "sip/sip_msg.h"
#include "sip/sip_stream.h"
#include "sip/sip_write.h"

enum {
	ROUNDS = 200000,
};

static const char invite[] =
        "INVITE sip:1001@conference.example.org SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK2d4790.1;rport=5060\r\n"
        "Via: SIP/2.0/TCP phone33.example.com;branch=z9hG4bK776asdhds;received=203.0.113.9\r\n"
        "Max-Forwards: 69\r\n"
        "Record-Route: <sip:proxy.example.com;transport=udp;lr>\r\n"
        "From: \"Ann Example\" <sip:ann@example.com>;tag=1928301774\r\n"
        "To: <sip:1001@conference.example.org>\r\n"
        "Call-ID: a84b4c76e66710@phone33.example.com\r\n"
        "CSeq: 314159 INVITE\r\n"
        "Contact: <sip:ann@203.0.113.9:5062;transport=tcp>;+sip.instance=\"<urn:uuid:1>\"\r\n"
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY\r\n"
        "Supported: timer, 100rel, replaces, outbound\r\n"
        "Session-Expires: 1800;refresher=uac\r\n"
        "Min-SE: 90\r\n"
        "User-Agent: Example Phone 3.1.4\r\n"
        "Content-Type: application/sdp\r\n"
        "Content-Length: 247\r\n"
        "\r\n"
        "v=0\r\n"
        "o=ann 2890844526 2890844526 IN IP4 203.0.113.9\r\n"
        "s=-\r\n"
        "c=IN IP4 203.0.113.9\r\n"
        "t=0 0\r\n"
        "m=audio 49170 RTP/AVP 96 9 0 8 101\r\n"
        "a=rtpmap:96 opus/48000/2\r\n"
        "a=rtpmap:9 G722/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-15\r\n"
        "a=ptime:20\r\n"
        "a=sendrecv\r\n";

static int64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
print(const char *what, int64_t start_ns)
{
	const double each_ns = (double)(now_ns() - start_ns) / ROUNDS;
	printf("%-34s %7.0f ns  %9.0f a second\n", what, each_ns, 1e9 / each_ns);
}

int
main(void)
{
	static struct sip_msg msg;
	static uint8_t out[4096];
	static uint8_t buffer[SIP_MSG_BYTES_MAX];
	const struct net_addr source = addr_ip4(198, 51, 100, 7, 5060);
	size_t sum = 0;

	int64_t start_ns = now_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(sip_msg_parse(&msg, invite, sizeof invite - 1, SIP_STREAM) == SIP_OK);
		sum += msg.header_count;
	}
	print("read an INVITE with SDP", start_ns);

	start_ns = now_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct writer w = writer_of(out, sizeof out);
		sip_write_response(&w, &(struct sip_write_response){ .request = &msg,
		                                                     .status = 200,
		                                                     .to_tag = STR("8321234356"),
		                                                     .source = &source,
		                                                     .record_route = true });
		sip_write_name_addr(&w, SIP_HEADER_CONTACT,
		                    &(struct sip_write_name_addr){
		                            .uri = STR("sip:1001@192.0.2.1:5060") });
		sip_write_body(&w, STR("application/sdp"), msg.body);
		CHECK(!w.failed);
		sum += w.at;
	}
	print("write its 200 with SDP", start_ns);

	struct sip_stream stream;
	sip_stream_init(&stream, buffer, sizeof buffer, true);
	start_ns = now_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(sip_stream_input(&stream, invite, sizeof invite - 1) == sizeof invite - 1);
		for (struct sip_stream_out o;
		     (o = sip_stream_poll(&stream)).kind != SIP_STREAM_NONE;)
			sum += o.len;
	}
	print("cut it off a stream", start_ns);

	CHECK(sum != 0);
	return 0;
}
