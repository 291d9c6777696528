/* SPDX-License-Identifier: Apache-2.0 */
/* How many calls a second one core carries in the user agent alone, and what a call that stands
 * costs.
 *
 *	sip_ua_bench [CALLS]
 *
 * Two uas back to back in one thread: INVITE, 180, 200, ACK, BYE, 200, each message written by one
 * and parsed by the other, so a complete call is counted once and paid for twice.  Time on the
 * wire is none; the clock of the uas advances as if CALLS came at 3000 a second, so that timers
 * and lingering transactions pile up as they would. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "sip/sip_ua.h"

enum { SIDES = 2, RATE = 3000, STANDING = 2000 };

static struct sip_ua *uas[SIDES];
static int64_t now_us = 1000000;
static unsigned ended;
static bool hang_up = true;

static const struct net_addr addrs[SIDES] = {
	{ .family = ADDR_IP4, .port = 5060, .ip = { 192, 0, 2, 1 } },
	{ .family = ADDR_IP4, .port = 5060, .ip = { 192, 0, 2, 2 } },
};

/* About what a sound-only SDP of ours weighs. */
static const char sdp_text[] =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 50000 RTP/SAVP 96 9 0 8 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:9 "
        "G722/8000\r\n"
        "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-16\r\na=fmtp:96 useinbandfec=1\r\na=sendrecv\r\na=ptime:20\r\n";

static struct packet {
	unsigned to;
	size_t len;
	uint8_t bytes[4096];
} wire[64];
static unsigned wire_first, wire_count;

static void
react(unsigned at, const struct sip_event *event)
{
	const struct str sdp = { .at = sdp_text, .len = sizeof sdp_text - 1 };
	const sip_session_id id = event->session;
	int rc = 0;
	if (event->kind == SIP_EVENT_INCOMING) {
		rc = sip_session_progress(uas[at], id, 180, (struct str){ 0 }, now_us);
		CHECK(rc == 0);
		rc = sip_session_accept(uas[at], id, sdp, now_us);
	} else if (event->kind == SIP_EVENT_ANSWERED && hang_up) {
		rc = sip_session_end(uas[at], id, 0, (struct str){ 0 }, now_us);
	} else if (event->kind == SIP_EVENT_ENDED) {
		ended++;
	}
	CHECK(rc == 0);
}

static void
drain(unsigned at)
{
	for (struct sip_out out; (out = sip_ua_poll(uas[at])).kind != SIP_OUT_NONE;) {
		CHECK(out.kind == SIP_OUT_DATAGRAM || out.kind == SIP_OUT_EVENT);
		if (out.kind == SIP_OUT_EVENT) {
			react(at, out.event);
			continue;
		}
		CHECK(wire_count < COUNT_OF(wire) && out.len <= sizeof wire[0].bytes);
		struct packet *packet = &wire[(wire_first + wire_count++) % COUNT_OF(wire)];
		packet->to = 1 - at;
		packet->len = out.len;
		memcpy(packet->bytes, out.bytes, out.len);
	}
}

static void
carry(void)
{
	while (wire_count != 0) {
		const struct packet *packet = &wire[wire_first];
		const unsigned to = packet->to;
		sip_ua_datagram(uas[to], 0, &addrs[1 - to], packet->bytes, packet->len, now_us);
		wire_first = (wire_first + 1) % COUNT_OF(wire);
		wire_count--;
		drain(to);
	}
}

static void
call(void)
{
	const struct sip_call settings = {
		.target = STR("sip:1001@192.0.2.2"),
		.from_uri = STR("sip:phone@192.0.2.1"),
		.from_display = STR("A phone"),
		.contact_user = STR("phone"),
		.sdp = { .at = sdp_text, .len = sizeof sdp_text - 1 },
	};
	sip_session_id id;
	const int rc = sip_ua_call(uas[0], &id, &settings, now_us);
	CHECK(rc == 0);
	drain(0);
	carry();
}

static void
pass(int64_t us)
{
	now_us += us;
	for (unsigned i = 0; i < SIDES; i++) {
		if (sip_ua_deadline(uas[i]) > now_us)
			continue;
		sip_ua_tick(uas[i], now_us);
		drain(i);
		carry();
	}
}

static double
seconds(void)
{
	struct timespec at;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int
main(int count, char **arguments)
{
	const unsigned calls = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 60000;
	for (unsigned i = 0; i < SIDES; i++) {
		const struct sip_ua_listener listener = { .transport = SIP_TRANSPORT_UDP,
			                                  .addr = addrs[i] };
		struct sip_ua_settings settings = sip_ua_settings_default();
		settings.listeners = &listener;
		settings.listener_count = 1;
		settings.seed = i;
		CHECK(sip_ua_create(&uas[i], &settings, now_us) == 0);
	}
	const double start = seconds();
	for (unsigned i = 0; i < calls; i++) {
		call();
		pass(1000000 / RATE);
	}
	const double took = seconds() - start;
	CHECK(ended == 2 * calls);
	printf("%u calls, both sides: %.2f s of CPU, %.0f calls/s per core for one side\n", calls,
	       took, 2 * (double)calls / took);

	hang_up = false;
	pass(100000000);
	const struct sip_ua_counts before = sip_ua_count(uas[1]);
	for (unsigned i = 0; i < STANDING; i++)
		call();
	pass(100000000);
	const struct sip_ua_counts after = sip_ua_count(uas[1]);
	printf("%u calls standing: %.1f blocks of 512 bytes, %.1f transactions, %.1f dialogs "
	       "each\n",
	       after.sessions, (double)(after.blocks - before.blocks) / STANDING,
	       (double)(after.transactions - before.transactions) / STANDING,
	       (double)(after.dialogs - before.dialogs) / STANDING);
	for (unsigned i = 0; i < SIDES; i++)
		sip_ua_destroy(uas[i]);
	return 0;
}
