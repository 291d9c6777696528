/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a call out goes by each way and each rule its dial plan allows and by no other, and who is
 * called on hears what the far end says.
 * Method: a bridge with the real model and user agent, workers that only acknowledge, and what goes
 * onto the wire as text; peers answer by hand. */
#include "callbridge/bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"
#include "sip/sip_msg.h"

enum { LEGS = 8, EVENTS_MAX = 64, SENT_MAX = 64, TEXT = 16384, S = 1000000 };

struct sent {
	enum sip_out_kind kind;
	enum sip_transport transport;
	struct net_addr to;
	uint32_t flow;
	char text[TEXT];
};

struct world {
	int64_t now_us;
	struct prng prng;
	struct meeting *meeting;
	struct objects *objects;
	struct sip_ua *ua;
	struct sip_ua_listener listeners[3];
	struct bridge *bridge;
	struct {
		unsigned worker;
		struct media_event event;
	} events[EVENTS_MAX];
	unsigned event_count;
	struct sent sent[SENT_MAX];
	unsigned sent_count;
	unsigned called; /* calls in so far */
	media_leg_id opened[2]; /* the first two legs' sound */
	unsigned opened_count;
	media_leg_id keyed;   /* who was sent keys last, and which */
	char keys[MEDIA_DTMF_DIGITS_MAX + 1];
	char log[8192];
};

static const char phone_sdp[] =
	"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
	"m=audio 40000 RTP/AVP 0\r\n";

static void
on_order(void *context, unsigned worker, const struct media_order *order)
{
	struct world *world = context;
	struct media_event event = { .leg = order->leg, .room = order->room };
	if (order->kind == MEDIA_ORDER_LEG_OPEN) {
		event.kind = MEDIA_EVENT_LEG_OPENED;
		if (world->opened_count < COUNT_OF(world->opened))
			world->opened[world->opened_count++] = order->leg;
		event.opened.local_rtp = addr_ip4(192, 0, 2, 1, 50000);
		event.opened.local_rtcp = addr_ip4(192, 0, 2, 1, 50001);
	} else if (order->kind == MEDIA_ORDER_LEG_CLOSE) {
		event.kind = MEDIA_EVENT_LEG_CLOSED;
	} else if (order->kind == MEDIA_ORDER_ROOM_CLOSE) {
		event.kind = MEDIA_EVENT_ROOM_CLOSED;
	} else {
		if (order->kind == MEDIA_ORDER_LEG_DTMF) {
			world->keyed = order->leg;
			str_copy(world->keys, sizeof world->keys,
			         (struct str){ order->dtmf.digits, order->dtmf.count });
		}
		return;
	}
	CHECK(world->event_count < EVENTS_MAX);
	world->events[world->event_count].worker = worker;
	world->events[world->event_count++].event = event;
}

static void
on_sip(void *context, const struct sip_out *out)
{
	struct world *world = context;
	CHECK(world->sent_count < SENT_MAX);
	struct sent *sent = &world->sent[world->sent_count++];
	*sent = (struct sent){ .kind = out->kind, .transport = out->transport, .to = out->to,
		               .flow = out->flow };
	if (out->kind == SIP_OUT_CONNECT)
		str_copy(sent->text, sizeof sent->text, out->server_name);
	else if (out->kind == SIP_OUT_DATAGRAM || out->kind == SIP_OUT_STREAM)
		str_copy(sent->text, sizeof sent->text,
		         (struct str){ (const char *)out->bytes, out->len });
}

static void
on_web(void *context, unsigned link, const struct c2w_message *message)
{
	(void)context, (void)link, (void)message;
}

static void
on_floor(void *context, const struct bridge_floor_order *order)
{
	(void)context, (void)order;
}

static void
on_log(void *context, enum bridge_log level, struct str text)
{
	struct world *world = context;
	(void)level;
	const size_t len = strlen(world->log);
	snprintf(world->log + len, sizeof world->log - len, "%.*s\n", STR_ARGS(text));
}

static void
on_random(void *context, void *out, size_t len)
{
	struct world *world = context;
	prng_bytes(&world->prng, out, len);
}

static int64_t
on_wall_s(void *context)
{
	(void)context;
	return 1800000000;
}

static void
settle(struct world *world)
{
	bridge_drain(world->bridge, world->now_us);
	for (unsigned i = 0; i < world->event_count; i++)
		bridge_media(world->bridge, world->events[i].worker, &world->events[i].event,
		             world->now_us);
	world->event_count = 0;
}

/* Time passes until something is sent, or for that long. */
static void
pass(struct world *world, int64_t us)
{
	const int64_t end_us = world->now_us + us;
	const unsigned before = world->sent_count;
	while (world->sent_count == before) {
		const int64_t at_us = sip_ua_deadline(world->ua);
		if (at_us > end_us)
			break;
		world->now_us = at_us > world->now_us ? at_us : world->now_us;
		sip_ua_tick(world->ua, world->now_us);
		settle(world);
	}
}

static uint32_t
add(struct world *world, enum object_type type, const char *const *pairs)
{
	struct object_edit edit = { .type = type };
	uint32_t handle = 0;
	int culprit = -1;
	for (; *pairs != NULL; pairs += 2)
		CHECK(object_edit_text(&edit, FIELD_POST, str_of(pairs[0]), str_of(pairs[1])) ==
		      OBJECT_OK);
	objects_begin(world->objects);
	CHECK(objects_add(world->objects, &edit, 0, &handle, &culprit) == OBJECT_OK);
	objects_settled(world->objects, objects_end(world->objects).ticket, true);
	return handle;
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The peers here have no pictures to answer an offer of them with. */
static void
only_sound(struct world *world)
{
	char id[GUID_TEXT_LEN + 1];
	const uint32_t profile = add(world, OBJECT_LEG_PROFILE,
	                             PAIRS("videoMode", "disabled",
	                                   "sipPresentationChannelEnabled", "false"));
	const struct guid guid = objects_id(world->objects, OBJECT_LEG_PROFILE, profile);
	struct object_edit edit = { .type = OBJECT_SYSTEM_PROFILES };
	int culprit = -1;
	guid_write(id, &guid);
	CHECK(object_edit_text(&edit, FIELD_PUT, STR("callLegProfile"), str_of(id)) == OBJECT_OK);
	objects_begin(world->objects);
	CHECK(objects_edit(world->objects, objects_single(world->objects, OBJECT_SYSTEM_PROFILES),
	                   &edit, &culprit) == OBJECT_OK);
	objects_settled(world->objects, objects_end(world->objects).ticket, true);
	meeting_configured(world->meeting, world->now_us);
}

static struct world *
world_create(void)
{
	struct world *world = calloc(1, sizeof *world);
	CHECK(world != NULL);
	world->now_us = 10 * S;
	prng_init(&world->prng, 1);
	const struct meeting_settings meeting = { .objects = { 100, 50, 64 * 1024 },
		                                  .limits = { LEGS, LEGS },
		                                  .random = on_random,
		                                  .context = world };
	CHECK(meeting_create(&world->meeting, &meeting, world->now_us) == 0);
	world->objects = meeting_objects(world->meeting);
	world->listeners[0] = (struct sip_ua_listener){ .transport = SIP_TRANSPORT_UDP,
		                                        .addr = addr_ip4(192, 0, 2, 1, 5060) };
	world->listeners[1] = (struct sip_ua_listener){ .transport = SIP_TRANSPORT_TCP,
		                                        .addr = addr_ip4(192, 0, 2, 1, 5060) };
	world->listeners[2] = (struct sip_ua_listener){ .transport = SIP_TRANSPORT_TLS,
		                                        .addr = addr_ip4(192, 0, 2, 1, 5061) };
	struct sip_ua_settings ua = sip_ua_settings_default();
	ua.listeners = world->listeners;
	ua.listener_count = COUNT_OF(world->listeners);
	CHECK(sip_ua_create(&world->ua, &ua, world->now_us) == 0);
	const struct bridge_settings settings = {
		.meeting = world->meeting,
		.ua = world->ua,
		.workers = 1,
		.legs_max = LEGS,
		.media_legs_max = BRIDGE_MEDIA_LEGS_MAX * LEGS,
		.rooms_max = LEGS,
		.fingerprint = { .hash = SDP_HASH_SHA256, .len = 32 },
		.listeners = world->listeners,
		.web_addresses = &world->listeners[0].addr,
		.web_address_count = 1,
		.sip_domain = "ours.example",
		.id = "00000000-0000-4000-8000-000000000001",
		.jwt_hours = 24,
		.sink = { .context = world, .order = on_order, .sip = on_sip, .web = on_web,
		          .floor = on_floor, .log = on_log, .random = on_random,
		          .wall_s = on_wall_s },
	};
	CHECK(bridge_create(&world->bridge, &settings, world->now_us) == 0);
	only_sound(world);
	return world;
}

static void
world_destroy(struct world *world)
{
	bridge_destroy(world->bridge);
	sip_ua_destroy(world->ua);
	meeting_destroy(world->meeting);
	free(world);
}

static void
dial(struct world *world, const char *party)
{
	uint32_t call = 0;
	uint32_t leg = 0;
	CHECK(meeting_call_start(world->meeting, 0, STR("adhoc"), world->now_us, &call) ==
	      MEETING_ADMITTED);
	const struct meeting_dial request = { .call = call, .remote_party = str_of(party) };
	CHECK(meeting_dial(world->meeting, &request, world->now_us, &leg) == MEETING_ADMITTED);
	settle(world);
}

/* The last thing of a kind that was sent, and has `text` in it. */
static const struct sent *
last(const struct world *world, enum sip_out_kind kind, const char *text)
{
	for (unsigned i = world->sent_count; i-- > 0;)
		if (world->sent[i].kind == kind && strstr(world->sent[i].text, text) != NULL)
			return &world->sent[i];
	return NULL;
}

static void
close_flow(struct world *world, uint32_t flow)
{
	world->sent_count = 0;
	sip_ua_flow_closed(world->ua, flow, world->now_us);
	settle(world);
}

/* What is connected to now is this, and comes to nothing. */
static void
expect_attempt(struct world *world, enum sip_transport transport, uint16_t port)
{
	const struct sent *connect = last(world, SIP_OUT_CONNECT, "");
	EXPECT(connect != NULL);
	EXPECT_EQ(connect->transport, transport);
	EXPECT_EQ(connect->to.port, port);
	close_flow(world, connect->flow);
}

/* A response to a request that went out by UDP. */
static void
answer(struct world *world, const struct sent *request, const char *status, const char *body)
{
	static struct sip_msg msg;
	char copy[TEXT];
	char text[TEXT];
	str_copy(copy, sizeof copy, str_of(request->text));
	const struct net_addr from = request->to;
	CHECK(sip_msg_parse(&msg, copy, strlen(copy), SIP_DATAGRAM) == SIP_OK);
	const int len = snprintf(
		text, sizeof text,
		"SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=far\r\nCall-ID: %.*s\r\n"
		"CSeq: %u INVITE\r\nContact: <sip:far@192.0.2.9>\r\n%sContent-Length: %zu\r\n\r\n%s",
		status, STR_ARGS(msg.via.text), STR_ARGS(msg.from.text), STR_ARGS(msg.to.text),
		STR_ARGS(msg.call_id), msg.cseq.number,
		body[0] != '\0' ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	CHECK(len > 0 && (size_t)len < sizeof text);
	world->sent_count = 0;
	sip_ua_datagram(world->ua, 0, &from, (const uint8_t *)text, (size_t)len, world->now_us);
	settle(world);
}

static void
call_in(struct world *world, const char *address, unsigned hops)
{
	char text[2048];
	const struct net_addr from = addr_ip4(192, 0, 2, 7, 5060);
	const unsigned number = ++world->called;
	const int len = snprintf(
		text, sizeof text,
		"INVITE sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK%u;rport\r\n"
		"From: \"Ann\" <sip:ann@home.example>;tag=a\r\nTo: <sip:%s>\r\nCall-ID: in%u\r\n"
		"CSeq: 1 INVITE\r\nContact: <sip:ann@192.0.2.7>\r\nMax-Forwards: %u\r\n"
		"Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		address, number, address, number, hops, strlen(phone_sdp), phone_sdp);
	CHECK(len > 0 && (size_t)len < sizeof text);
	world->sent_count = 0;
	sip_ua_datagram(world->ua, 0, &from, (const uint8_t *)text, (size_t)len, world->now_us);
	settle(world);
}

static bool
logged(const struct world *world, const char *text)
{
	return strstr(world->log, text) != NULL;
}

static bool
nobody_left(const struct world *world)
{
	return bridge_count(world->bridge).legs == 0;
}

/* ---- Calls out ----------------------------------------------------------------------------- */

TEST(auto_tries_tls_then_tcp_then_udp)
{
	struct world *world = world_create();
	add(world, OBJECT_OUTBOUND_RULE,
	    PAIRS("domain", "far.example", "sipProxy", "192.0.2.9:7000", "localFromDomain",
	          "from.example", "localContactDomain", "contact.example"));
	dial(world, "bob@far.example");
	expect_attempt(world, SIP_TRANSPORT_TLS, 7000);
	EXPECT(logged(world, "falling back to unencrypted control connection..."));
	pass(world, S);
	expect_attempt(world, SIP_TRANSPORT_TCP, 7000);
	pass(world, S);
	/* An INVITE too large for a datagram is tried over TCP once more (RFC 3261 s18.1.1). */
	const struct sent *connect = last(world, SIP_OUT_CONNECT, "");
	if (connect != NULL)
		close_flow(world, connect->flow);
	pass(world, S);
	const struct sent *invite = last(world, SIP_OUT_DATAGRAM, "INVITE sip:bob@far.example ");
	EXPECT(invite != NULL && invite->to.port == 7000);
	EXPECT(strstr(invite->text, "<sip:convoke@from.example>") != NULL);
	EXPECT(strstr(invite->text, "Contact: <sip:convoke@contact.example:5060>") != NULL);
	answer(world, invite, "200 OK", phone_sdp);
	EXPECT(!nobody_left(world));
	world_destroy(world);
}

TEST(encrypted_tries_tls_alone_and_unencrypted_never)
{
	struct world *world = world_create();
	add(world, OBJECT_OUTBOUND_RULE,
	    PAIRS("domain", "safe.example", "sipProxy", "192.0.2.9:7001", "sipControlEncryption",
	          "encrypted"));
	add(world, OBJECT_OUTBOUND_RULE,
	    PAIRS("domain", "open.example", "sipProxy", "192.0.2.9:7000", "sipControlEncryption",
	          "unencrypted"));
	dial(world, "bob@safe.example");
	expect_attempt(world, SIP_TRANSPORT_TLS, 7001);
	pass(world, S);
	EXPECT(nobody_left(world) && last(world, SIP_OUT_CONNECT, "") == NULL);
	EXPECT(!logged(world, "falling back"));
	dial(world, "bob@open.example");
	expect_attempt(world, SIP_TRANSPORT_TCP, 7000);
	EXPECT(!logged(world, "falling back"));
	world_destroy(world);
}

/* Two rules with a proxy each, the first of which continues. */
static void
add_two_trunks(struct world *world)
{
	add(world, OBJECT_OUTBOUND_RULE,
	    PAIRS("domain", "far.example", "sipProxy", "192.0.2.8:1", "priority", "9",
	          "failureAction", "continue", "sipControlEncryption", "encrypted"));
	add(world, OBJECT_OUTBOUND_RULE,
	    PAIRS("domain", "*", "sipProxy", "192.0.2.9:2", "sipControlEncryption", "encrypted"));
}

/* The INVITE on the connection that is being made to `port`. */
static struct sent
invite_on(struct world *world, uint16_t port)
{
	const struct sent *connect = last(world, SIP_OUT_CONNECT, "");
	EXPECT(connect != NULL && connect->to.port == port);
	const uint32_t flow = connect->flow;
	sip_ua_flow_opened(world->ua, flow, world->now_us);
	settle(world);
	const struct sent *invite = last(world, SIP_OUT_STREAM, "INVITE sip:");
	EXPECT(invite != NULL && invite->flow == flow);
	return *invite;
}

static void
answer_stream(struct world *world, const struct sent *request, const char *status)
{
	static struct sip_msg msg;
	char copy[TEXT];
	char text[2048];
	str_copy(copy, sizeof copy, str_of(request->text));
	const size_t head = (size_t)(strstr(copy, "\r\n\r\n") + 4 - copy);
	CHECK(sip_msg_parse(&msg, copy, strlen(copy), SIP_DATAGRAM) == SIP_OK && head != 0);
	const int len = snprintf(text, sizeof text,
	                         "SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=far\r\n"
	                         "Call-ID: %.*s\r\nCSeq: %u INVITE\r\nContact: <sip:f@192.0.2.9>\r\n"
	                         "Content-Length: 0\r\n\r\n",
	                         status, STR_ARGS(msg.via.text), STR_ARGS(msg.from.text),
	                         STR_ARGS(msg.to.text), STR_ARGS(msg.call_id), msg.cseq.number);
	world->sent_count = 0;
	sip_ua_flow_bytes(world->ua, request->flow, (const uint8_t *)text, (size_t)len,
	                  world->now_us);
	settle(world);
}

TEST(the_next_rule_is_tried_when_nobody_was_reached_or_a_server_says_so)
{
	struct world *world = world_create();
	add_two_trunks(world);
	dial(world, "bob@far.example");
	expect_attempt(world, SIP_TRANSPORT_TLS, 1);
	EXPECT(logged(world, "trying outbound dial plan rule \"*\" (priority 0)"));
	pass(world, S);
	struct sent invite = invite_on(world, 2);
	answer_stream(world, &invite, "404 Not Found");
	EXPECT(nobody_left(world));

	dial(world, "bob@far.example");
	invite = invite_on(world, 1);
	answer_stream(world, &invite, "500 Server Internal Error");
	/* The connection of the first call to the second trunk stands. */
	const struct sent *again = last(world, SIP_OUT_STREAM, "INVITE sip:");
	EXPECT(again != NULL && again->flow != invite.flow);
	invite = *again;
	answer_stream(world, &invite, "480 Temporarily Unavailable");
	EXPECT(nobody_left(world));
	world_destroy(world);
}

TEST(who_is_busy_declines_or_does_not_pick_up_is_not_called_by_another_trunk)
{
	struct world *world = world_create();
	add_two_trunks(world);
	static const char *const refusals[] = { "486 Busy Here", "603 Decline", "600 Busy" };
	for (unsigned i = 0; i < COUNT_OF(refusals); i++) {
		dial(world, "bob@far.example");
		const struct sent *open = last(world, SIP_OUT_STREAM, "INVITE sip:");
		const struct sent invite = i == 0 ? invite_on(world, 1) : *open;
		answer_stream(world, &invite, refusals[i]);
		EXPECT(nobody_left(world));
	}
	dial(world, "bob@far.example");
	const struct sent invite = *last(world, SIP_OUT_STREAM, "INVITE sip:");
	answer_stream(world, &invite, "180 Ringing");
	EXPECT(!nobody_left(world));
	answer_stream(world, &invite, "480 Temporarily Unavailable");
	EXPECT(nobody_left(world));
	EXPECT(!logged(world, "trying"));
	world_destroy(world);
}

TEST(what_no_rule_is_for_and_what_a_transform_denies_is_not_called)
{
	struct world *world = world_create();
	add(world, OBJECT_OUTBOUND_RULE, PAIRS("domain", "far.example"));
	add(world, OBJECT_DIAL_TRANSFORM,
	    PAIRS("match", "($1/^0900/)", "action", "deny", "priority", "1"));
	dial(world, "bob@near.example");
	EXPECT(nobody_left(world));
	EXPECT(logged(world, "no outbound dial plan rule for \"bob@near.example\""));
	dial(world, "0900123@far.example");
	EXPECT(nobody_left(world));
	EXPECT(logged(world, "dial transform \"($1/^0900/)\" (priority 1) denies it"));
	EXPECT_EQ(world->sent_count, 0);
	world_destroy(world);
}

/* ---- Calls in and on ----------------------------------------------------------------------- */

static struct world *
forwarding_world(void)
{
	struct world *world = world_create();
	add(world, OBJECT_FORWARDING_RULE,
	    PAIRS("matchPattern", "gw.example", "destinationDomain", "192.0.2.9", "priority", "1",
	          "uriParameters", "forward"));
	add(world, OBJECT_FORWARDING_RULE, PAIRS("matchPattern", "*.bad.example", "action", "reject"));
	return world;
}

/* The ACK to our 200. */
static void
acknowledge(struct world *world, const struct sent *ok)
{
	static struct sip_msg msg;
	char copy[TEXT];
	char text[2048];
	str_copy(copy, sizeof copy, str_of(ok->text));
	CHECK(sip_msg_parse(&msg, copy, strlen(copy), SIP_DATAGRAM) == SIP_OK);
	const int len = snprintf(
		text, sizeof text,
		"ACK sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKack\r\n"
		"From: %.*s\r\nTo: %.*s\r\nCall-ID: %.*s\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\n"
		"Content-Length: 0\r\n\r\n",
		STR_ARGS(msg.from.text), STR_ARGS(msg.to.text), STR_ARGS(msg.call_id));
	CHECK(len > 0 && (size_t)len < sizeof text);
	sip_ua_datagram(world->ua, 0, &ok->to, (const uint8_t *)text, (size_t)len, world->now_us);
	settle(world);
}

TEST(a_caller_is_called_on_hears_ringing_and_is_answered_when_the_far_end_does)
{
	struct world *world = forwarding_world();
	call_in(world, "bob@gw.example;x=1;transport=udp", 20);
	EXPECT(last(world, SIP_OUT_DATAGRAM, "SIP/2.0 200") == NULL);
	const struct sent *invite =
		last(world, SIP_OUT_DATAGRAM, "INVITE sip:bob@192.0.2.9;x=1 SIP/2.0");
	if (invite == NULL) { /* too large for a datagram: TCP is tried before */
		close_flow(world, last(world, SIP_OUT_CONNECT, "")->flow);
		invite = last(world, SIP_OUT_DATAGRAM, "INVITE sip:bob@192.0.2.9;x=1 SIP/2.0");
	}
	EXPECT(invite != NULL);
	EXPECT(strstr(invite->text, "\"Ann\" <sip:ann@ours.example>") != NULL);
	EXPECT(strstr(invite->text, "Max-Forwards: 19\r\n") != NULL);
	const struct sent kept = *invite;
	answer(world, &kept, "180 Ringing", "");
	EXPECT(last(world, SIP_OUT_DATAGRAM, "SIP/2.0 180") != NULL);
	answer(world, &kept, "200 OK", phone_sdp);
	const struct sent *ok = last(world, SIP_OUT_DATAGRAM, "SIP/2.0 200");
	EXPECT(ok != NULL);
	EXPECT_EQ(bridge_count(world->bridge).legs, 2);
	const struct sent accepted = *ok;
	acknowledge(world, &accepted);
	/* What one of them types is for the other. */
	for (media_leg_id from = 1; from <= 2; from++) {
		const struct media_event key = { .kind = MEDIA_EVENT_LEG_DTMF,
			                         .leg = world->opened[from - 1],
			                         .value = '5' };
		world->keys[0] = '\0';
		bridge_media(world->bridge, 0, &key, world->now_us);
		EXPECT_STR(str_of(world->keys), "5");
		EXPECT_EQ(world->keyed, world->opened[2 - from]);
	}
	world_destroy(world);
}

TEST(what_the_far_end_says_is_what_the_caller_hears)
{
	struct world *world = forwarding_world();
	call_in(world, "bob@gw.example", 20);
	const struct sent *invite = last(world, SIP_OUT_DATAGRAM, "INVITE sip:bob@192.0.2.9 ");
	if (invite == NULL) {
		close_flow(world, last(world, SIP_OUT_CONNECT, "")->flow);
		invite = last(world, SIP_OUT_DATAGRAM, "INVITE sip:bob@192.0.2.9 ");
	}
	EXPECT(invite != NULL);
	const struct sent kept = *invite;
	answer(world, &kept, "486 Busy Here", "");
	EXPECT(last(world, SIP_OUT_DATAGRAM, "SIP/2.0 486") != NULL);
	world_destroy(world);
}

TEST(a_call_that_goes_nowhere_is_refused_and_the_log_says_by_which_rule)
{
	struct world *world = forwarding_world();
	call_in(world, "x@a.bad.example", 20);
	EXPECT(last(world, SIP_OUT_DATAGRAM, "SIP/2.0 403") != NULL);
	EXPECT(logged(world, "refused with 403: forwarding dial plan rule \"*.bad.example\" "
	                     "(priority 0) rejects it"));
	call_in(world, "x@nowhere.example", 20);
	EXPECT(last(world, SIP_OUT_DATAGRAM, "SIP/2.0 404") != NULL);
	EXPECT(logged(world, "refused with 404: no space, and no forwarding dial plan rule"));
	/* Called on too often (RFC 7332). */
	call_in(world, "x@gw.example", 1);
	EXPECT(last(world, SIP_OUT_DATAGRAM, "SIP/2.0 483") != NULL);
	EXPECT(last(world, SIP_OUT_DATAGRAM, "INVITE sip:") == NULL);
	/* No way out. */
	add(world, OBJECT_OUTBOUND_RULE, PAIRS("domain", "elsewhere.example"));
	call_in(world, "y@gw.example", 20);
	EXPECT(last(world, SIP_OUT_DATAGRAM, "SIP/2.0 404") != NULL);
	add(world, OBJECT_INBOUND_RULE, PAIRS("domain", "nowhere.example"));
	call_in(world, "z@nowhere.example", 20);
	EXPECT(logged(world, "no space has this address, inbound dial plan rule "
	                     "\"nowhere.example\" (priority 0)"));
	world_destroy(world);
}
