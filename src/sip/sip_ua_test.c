/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what a dialogue on one UDP socket cannot show: limits under floods, several targets and
 * DNS, WebSockets, slow connections, and a caller who proves himself.
 *
 * Method: one ua, its outputs collected; messages from printf. */
#include <errno.h>
#include <stdio.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "sip/sip_digest.h"
#include "sip/sip_msg.h"
#include "sip/sip_ua.h"

enum { UDP, TCP, WS, TLS, LISTENERS };
enum { KEPT_MAX = 64, SECOND = 1000000 };

struct kept {
	enum sip_out_kind kind;
	enum sip_event_kind event;
	struct sip_event words; /* texts are not valid any more */
	struct net_addr to;
	uint32_t flow;
	uint64_t query;
	enum sip_transport transport;
	char text[4096];
	size_t len;
};

static struct {
	struct sip_ua *ua;
	int64_t now_us;
	struct kept kept[KEPT_MAX];
	unsigned count;
} stage;

static void
drain(void)
{
	stage.count = 0;
	for (struct sip_out out; (out = sip_ua_poll(stage.ua)).kind != SIP_OUT_NONE;) {
		EXPECT(stage.count < KEPT_MAX);
		struct kept *kept = &stage.kept[stage.count++];
		*kept = (struct kept){ .kind = out.kind, .to = out.to, .flow = out.flow,
			               .query = out.query, .transport = out.transport };
		if (out.kind == SIP_OUT_EVENT) {
			kept->event = out.event->kind;
			kept->words = *out.event;
		} else if (out.kind == SIP_OUT_DNS) {
			EXPECT(str_copy(kept->text, sizeof kept->text, str_of(out.dns_name)));
		} else if (out.kind == SIP_OUT_CONNECT) {
			EXPECT(str_copy(kept->text, sizeof kept->text, out.server_name));
		} else if (out.len < sizeof kept->text) {
			memcpy(kept->text, out.bytes, out.len);
			kept->len = out.len;
		}
	}
}

static const struct kept *
find(enum sip_out_kind kind, const char *text)
{
	for (unsigned i = 0; i < stage.count; i++) {
		if (stage.kept[i].kind == kind && strstr(stage.kept[i].text, text) != NULL)
			return &stage.kept[i];
	}
	return NULL;
}

static const struct kept *
find_event(enum sip_event_kind event)
{
	for (unsigned i = 0; i < stage.count; i++) {
		if (stage.kept[i].kind == SIP_OUT_EVENT && stage.kept[i].event == event)
			return &stage.kept[i];
	}
	return NULL;
}

static void
pass(int64_t us)
{
	const int64_t until = stage.now_us + us;
	while (sip_ua_deadline(stage.ua) <= until) {
		const int64_t deadline = sip_ua_deadline(stage.ua);
		stage.now_us = deadline > stage.now_us ? deadline : stage.now_us;
		sip_ua_tick(stage.ua, stage.now_us);
		drain();
		if (stage.count != 0)
			return;
	}
	stage.now_us = until;
}

static void
admit(void *context, const struct sip_ua_request *request, struct sip_ua_admission *out)
{
	(void)context;
	if (!str_eq(request->uri_user, STR("locked")))
		return;
	out->verdict = SIP_UA_CHALLENGE;
	out->realm = "home";
	const bool known = str_eq(request->username, STR("bob")) ||
	                   str_eq(request->username, STR("b\"o\\b"));
	out->password = known ? "secret" : NULL;
}

static struct sip_ua_settings
settings_of(void)
{
	static const struct sip_ua_listener listeners[LISTENERS] = {
		[UDP] = { SIP_TRANSPORT_UDP, { ADDR_IP4, 0, 5060, 0, { 192, 0, 2, 1 } }, NULL },
		[TCP] = { SIP_TRANSPORT_TCP, { ADDR_IP4, 0, 5060, 0, { 192, 0, 2, 1 } }, NULL },
		[WS] = { SIP_TRANSPORT_WS, { ADDR_IP4, 0, 80, 0, { 192, 0, 2, 1 } }, NULL },
		[TLS] = { SIP_TRANSPORT_TLS, { ADDR_IP4, 0, 5061, 0, { 192, 0, 2, 1 } },
		          "bridge.example" },
	};
	struct sip_ua_settings settings = sip_ua_settings_default();
	settings.listeners = listeners;
	settings.listener_count = LISTENERS;
	settings.seed = 11;
	settings.sessions_max = 2048;
	settings.transactions_max = 8192;
	settings.flows_max = 16;
	settings.flows_per_source_max = 4;
	settings.blocks_max = 32768;
	settings.half_open_max = 1500;
	settings.half_open_per_source_max = 1000;
	settings.admit = admit;
	return settings;
}

static void
begin(const struct sip_ua_settings *settings)
{
	memset(&stage, 0, sizeof stage);
	stage.now_us = SECOND;
	EXPECT_EQ(sip_ua_create(&stage.ua, settings, stage.now_us), 0);
}

static size_t
write_invite(char *out, size_t cap, const char *user, unsigned number, const char *transport,
             const char *headers)
{
	const int len = snprintf(
		out, cap,
		"INVITE sip:%s@192.0.2.1 SIP/2.0\r\n"
		"Via: SIP/2.0/%s 192.0.2.9;branch=z9hG4bKb%u;rport\r\n"
		"From: <sip:a@b>;tag=t%u\r\nTo: <sip:x@y>\r\nCall-ID: c%u\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:a@x.invalid;transport=ws>\r\nMax-Forwards: 70\r\n%s"
		"Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0",
		user, transport, number, number, number, headers);
	EXPECT(len > 0 && (size_t)len < cap);
	return (size_t)len;
}

static void
give(const struct net_addr *from, const char *text, size_t len)
{
	sip_ua_datagram(stage.ua, UDP, from, (const uint8_t *)text, len, stage.now_us);
	drain();
}

TEST(ten_thousand_half_open_calls_of_one_source_starve_nobody)
{
	struct sip_ua_settings settings = settings_of();
	char text[1024];
	unsigned rung = 0, refused = 0;
	begin(&settings);
	for (unsigned i = 0; i < 10000; i++) {
		const struct net_addr from = addr_ip4(192, 0, 2, 66, (uint16_t)(1024 + i));
		give(&from, text, write_invite(text, sizeof text, "x", i, "UDP", ""));
		rung += find_event(SIP_EVENT_INCOMING) != NULL;
		refused += find(SIP_OUT_DATAGRAM, "SIP/2.0 503") != NULL &&
		           find(SIP_OUT_DATAGRAM, "Retry-After: ") != NULL;
	}
	EXPECT_EQ(rung, 1000);
	EXPECT_EQ(refused, 9000);
	EXPECT_EQ(sip_ua_count(stage.ua).half_open, 1000);
	EXPECT_EQ(sip_ua_count(stage.ua).counters[SIP_UA_REFUSED_SOURCE], 9000);
	EXPECT(sip_ua_count(stage.ua).blocks < settings.blocks_max / 2);
	/* Somebody else is heard as if nothing were. */
	const struct net_addr other = addr_ip4(192, 0, 2, 9, 5060);
	give(&other, text, write_invite(text, sizeof text, "x", 20000, "UDP", ""));
	EXPECT(find_event(SIP_EVENT_INCOMING) != NULL);
	sip_ua_destroy(stage.ua);
}

static void
answer_all_incoming(void)
{
	const struct kept *incoming = find_event(SIP_EVENT_INCOMING);
	if (incoming == NULL)
		return;
	EXPECT_EQ(sip_session_accept(stage.ua, incoming->words.session, STR("v=0"), stage.now_us),
	          0);
	drain();
}

/* Nobody whose INVITE is a lie about his address can acknowledge; whoever can, does so at once. */
TEST(half_open_calls_of_many_sources_make_room_for_the_next_caller)
{
	struct sip_ua_settings settings = settings_of();
	char text[1024];
	settings.half_open_max = 8;
	begin(&settings);
	for (unsigned i = 0; i < settings.half_open_max; i++) {
		const struct net_addr from =
			addr_ip4(198, 51, 100, (uint8_t)(i % 250), (uint16_t)(1024 + i));
		give(&from, text, write_invite(text, sizeof text, "x", i, "UDP", ""));
		answer_all_incoming();
	}
	EXPECT_EQ(sip_ua_count(stage.ua).half_open, settings.half_open_max);
	/* They are young: they may be on their way still. */
	const struct net_addr other = addr_ip4(192, 0, 2, 9, 5060);
	give(&other, text, write_invite(text, sizeof text, "x", 20000, "UDP", ""));
	EXPECT(find(SIP_OUT_DATAGRAM, "SIP/2.0 503") != NULL);
	pass(SECOND);
	give(&other, text, write_invite(text, sizeof text, "x", 20001, "UDP", ""));
	const struct kept *ended = find_event(SIP_EVENT_ENDED);
	EXPECT(ended != NULL && ended->words.cause == SIP_END_TIMEOUT);
	EXPECT(find_event(SIP_EVENT_INCOMING) != NULL);
	EXPECT(find(SIP_OUT_DATAGRAM, "BYE ") == NULL);
	EXPECT_EQ(sip_ua_count(stage.ua).half_open, settings.half_open_max);
	EXPECT_EQ(sip_ua_count(stage.ua).counters[SIP_UA_CROWDED_OUT], 1);
	sip_ua_destroy(stage.ua);
}

/* Answers a call whose Contact is `contact` from `from` and ends it; says where the BYE went. */
/* A call that came in, was answered and is ended by us; the stage stays as it is then. */
static const struct kept *
call_with_bye(const char *contact, const char *headers, const struct net_addr *from)
{
	static const char invite[] =
		"INVITE sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKn;rport\r\n"
		"From: <sip:a@b>;tag=t\r\nTo: <sip:x@y>\r\nCall-ID: nat\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:a@%s>\r\nMax-Forwards: 70\r\n%s"
		"Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0";
	const struct sip_ua_settings settings = settings_of();
	char text[1024];
	begin(&settings);
	give(from, text, (size_t)snprintf(text, sizeof text, invite, contact, headers));
	const struct kept *incoming = find_event(SIP_EVENT_INCOMING);
	EXPECT(incoming != NULL);
	const sip_session_id session = incoming->words.session;
	EXPECT_EQ(sip_session_accept(stage.ua, session, STR("v=0"), stage.now_us), 0);
	drain();
	const struct kept *ok = find(SIP_OUT_DATAGRAM, "SIP/2.0 200");
	EXPECT(ok != NULL);
	const char *tag = strstr(strstr(ok->text, "\r\nTo: "), ";tag=");
	EXPECT(tag != NULL);
	const int len = snprintf(text, sizeof text,
	                         "ACK sip:x@192.0.2.1 SIP/2.0\r\n"
	                         "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKm;rport\r\n"
	                         "From: <sip:a@b>;tag=t\r\nTo: <sip:x@y>%.*s\r\nCall-ID: nat\r\n"
	                         "CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
	                         (int)strcspn(tag, "\r"), tag);
	give(from, text, (size_t)len);
	EXPECT(find_event(SIP_EVENT_CONFIRMED) != NULL);
	EXPECT_EQ(sip_session_end(stage.ua, session, 0, STR(""), stage.now_us), 0);
	drain();
	const struct kept *bye = find(SIP_OUT_DATAGRAM, "BYE sip:a@");
	EXPECT(bye != NULL);
	EXPECT(strstr(bye->text, contact) != NULL); /* the request URI is the Contact all the same */
	return bye;
}

static struct net_addr
bye_goes_to(const char *contact, const char *headers, const struct net_addr *from)
{
	const struct net_addr to = call_with_bye(contact, headers, from)->to;
	sip_ua_destroy(stage.ua);
	return to;
}

TEST(a_bye_counts_as_unanswered_until_it_is_answered)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 77, 31000);
	const struct kept bye = *call_with_bye("192.0.2.77:31000", "", &source);
	EXPECT_EQ(sip_ua_count(stage.ua).sessions, 0);
	EXPECT_EQ(sip_ua_count(stage.ua).unanswered, 1);
	/* The request with another first line does as its answer: a reader passes over the rest. */
	char text[2048];
	const int len = snprintf(text, sizeof text, "SIP/2.0 200 OK\r\n%s",
	                         strstr(bye.text, "\r\n") + 2);
	give(&source, text, (size_t)len);
	EXPECT_EQ(sip_ua_count(stage.ua).unanswered, 0);
	EXPECT_EQ(sip_ua_count(stage.ua).transactions, 2);
	sip_ua_destroy(stage.ua);
}

TEST(the_generators_own_numbers_are_shown_to_nobody)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 77, 31000);
	const struct kept bye = *call_with_bye("192.0.2.77:31000", "", &source);
	struct prng prng;
	prng_init(&prng, settings_of().seed);
	for (unsigned i = 0; i < 100; i++) {
		static const char digits[] = "0123456789abcdef";
		uint64_t number = prng_u64(&prng);
		char hex[17] = "";
		for (unsigned at = 0; at < 16; at++, number >>= 4)
			hex[at] = digits[number & 15];
		EXPECT(strstr(bye.text, hex) == NULL);
	}
	sip_ua_destroy(stage.ua);
}

TEST(a_telephone_behind_nat_is_reached_where_it_called_from)
{
	const struct net_addr router = addr_ip4(192, 0, 2, 77, 31000);
	const struct net_addr to = bye_goes_to("10.0.0.5:5060", "", &router);
	EXPECT(addr_eq(&to, &router));
}

TEST(contacts_that_can_be_reached_are_taken_at_their_word)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 77, 31000);
	const struct net_addr inside = addr_ip4(10, 0, 0, 5, 31000);
	struct net_addr to = bye_goes_to("192.0.2.9:5070", "", &source);
	EXPECT(addr_eq_ip(&to, &(struct net_addr){ ADDR_IP4, 0, 0, 0, { 192, 0, 2, 9 } }));
	EXPECT_EQ(to.port, 5070);
	to = bye_goes_to("10.0.0.5:5070", "", &inside);
	EXPECT_EQ(to.port, 5070);
	to = bye_goes_to("10.0.0.5", "Record-Route: <sip:192.0.2.8:5090;lr>\r\n", &source);
	EXPECT_EQ(to.port, 5090);
}

TEST(full_tables_are_refused_with_503)
{
	struct sip_ua_settings settings = settings_of();
	char text[1024];
	settings.sessions_max = 3;
	begin(&settings);
	for (unsigned i = 0; i < 4; i++) {
		const struct net_addr from = addr_ip4(192, 0, 2, (uint8_t)(10 + i), 5060);
		give(&from, text, write_invite(text, sizeof text, "x", i, "UDP", ""));
		EXPECT_EQ(find_event(SIP_EVENT_INCOMING) != NULL, i < 3);
	}
	EXPECT(find(SIP_OUT_DATAGRAM, "SIP/2.0 503") != NULL);
	const struct sip_call call = { .target = STR("sip:a@192.0.2.9"), .sdp = STR("v=0") };
	sip_session_id id;
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), -ENOSPC);
	sip_ua_destroy(stage.ua);
}

static void
prove_oneself(const char *username)
{
	struct sip_ua_settings settings = settings_of();
	const struct net_addr from = addr_ip4(192, 0, 2, 9, 5060);
	static struct sip_msg msg;
	char text[2048], header[1024];
	begin(&settings);
	give(&from, text, write_invite(text, sizeof text, "locked", 1, "UDP", ""));
	const struct kept *challenge = find(SIP_OUT_DATAGRAM, "SIP/2.0 401");
	EXPECT(challenge != NULL);
	EXPECT_EQ(sip_ua_count(stage.ua).transactions, 0);
	static const char *const passwords[] = { "wrong", "secret" };
	for (unsigned i = 0; i < 2; i++) {
		EXPECT_EQ(sip_msg_parse(&msg, challenge->text, challenge->len, SIP_DATAGRAM),
		          SIP_OK);
		const struct sip_digest_credentials credentials = {
			.realm = STR("home"), .username = str_of(username),
			.password = str_of(passwords[i]) };
		struct sip_auth auth;
		EXPECT(sip_digest_choose(&auth, &msg, &credentials));
		struct writer w = writer_of(header, sizeof header - 1);
		writer_text(&w, "Authorization: ");
		EXPECT(sip_digest_write_answer(&w, &(struct sip_digest_answer){
			.challenge = &auth, .credentials = &credentials, .method = STR("INVITE"),
			.uri = STR("sip:locked@192.0.2.1"), .nc = 1 }));
		writer_text(&w, "\r\n");
		header[w.at] = '\0';
		static char kept[4096];
		memcpy(kept, challenge->text, sizeof kept);
		give(&from, text, write_invite(text, sizeof text, "locked", 2 + i, "UDP", header));
		challenge = find(SIP_OUT_DATAGRAM, "SIP/2.0 401");
		EXPECT_EQ(challenge != NULL, i == 0);
	}
	EXPECT(find_event(SIP_EVENT_INCOMING) != NULL);
	sip_ua_destroy(stage.ua);
}

TEST(a_caller_who_proves_himself_is_admitted)
{
	prove_oneself("bob");
	prove_oneself("b\"o\\b"); /* escaped on the wire, plain for the admission hook */
}

static void
answer_dns(const char *name, enum dns_type type, const struct dns_record *records, size_t count)
{
	for (unsigned i = 0; i < stage.count; i++) {
		if (stage.kept[i].kind != SIP_OUT_DNS || strcmp(stage.kept[i].text, name) != 0)
			continue;
		(void)type;
		sip_ua_dns_answer(stage.ua, stage.kept[i].query,
		                  &(struct dns_answer){ .status = count != 0 ? DNS_OK : DNS_NONE,
		                                        .records = records, .count = count },
		                  stage.now_us);
		drain();
		return;
	}
	fail_msg("%s is not asked for", name);
}

/* A name with two addresses and nothing else. */
static void
call_two_addresses(void)
{
	const struct dns_record addresses[2] = {
		{ .type = DNS_A, .addr = addr_ip4(192, 0, 2, 21, 0) },
		{ .type = DNS_A, .addr = addr_ip4(192, 0, 2, 22, 0) },
	};
	const struct sip_call call = { .target = STR("sip:remote@two.example:5070"),
		                       .sdp = STR("v=0") };
	sip_session_id id;
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), 0);
	drain();
	answer_dns("two.example", DNS_A, addresses, 2);
	EXPECT(find(SIP_OUT_DATAGRAM, "INVITE ") != NULL);
}

TEST(a_server_that_says_503_is_passed_over)
{
	struct sip_ua_settings settings = settings_of();
	static struct sip_msg msg;
	char text[2048];
	begin(&settings);
	call_two_addresses();
	const struct kept *invite = find(SIP_OUT_DATAGRAM, "INVITE ");
	const struct net_addr first = invite->to;
	EXPECT_EQ(sip_msg_parse(&msg, invite->text, invite->len, SIP_DATAGRAM), SIP_OK);
	const int len = snprintf(text, sizeof text,
	                         "SIP/2.0 503 No\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=q\r\n"
	                         "Call-ID: %.*s\r\nCSeq: %u INVITE\r\nContent-Length: 0\r\n\r\n",
	                         STR_ARGS(msg.via.text), STR_ARGS(msg.from.text),
	                         STR_ARGS(msg.to.text), STR_ARGS(msg.call_id), msg.cseq.number);
	give(&first, text, (size_t)len);
	const struct kept *ack = find(SIP_OUT_DATAGRAM, "ACK ");
	EXPECT(ack != NULL && addr_eq(&ack->to, &first));
	const struct kept *second = find(SIP_OUT_DATAGRAM, "INVITE ");
	EXPECT(second != NULL && !addr_eq(&second->to, &first));
	EXPECT(find_event(SIP_EVENT_ENDED) == NULL);
	sip_ua_destroy(stage.ua);
}

TEST(a_server_that_says_nothing_is_passed_over_after_timer_b)
{
	struct sip_ua_settings settings = settings_of();
	begin(&settings);
	call_two_addresses();
	const struct net_addr first = find(SIP_OUT_DATAGRAM, "INVITE ")->to;
	const int64_t start = stage.now_us;
	unsigned repeats = 0;
	for (;;) {
		pass(SECOND * 60ll);
		const struct kept *invite = find(SIP_OUT_DATAGRAM, "INVITE ");
		EXPECT(invite != NULL && repeats < 20);
		if (!addr_eq(&invite->to, &first))
			break;
		repeats++;
	}
	EXPECT_EQ(repeats, 6);
	EXPECT(stage.now_us - start >= 32 * SECOND && stage.now_us - start < 33 * SECOND);
	sip_ua_destroy(stage.ua);
}

TEST(a_name_that_nobody_knows_ends_the_call)
{
	struct sip_ua_settings settings = settings_of();
	begin(&settings);
	const struct sip_call call = { .target = STR("sip:a@none.example:5060"),
		                       .sdp = STR("v=0") };
	sip_session_id id;
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), 0);
	drain();
	answer_dns("none.example", DNS_A, NULL, 0);
	const struct kept *ended = find_event(SIP_EVENT_ENDED);
	EXPECT(ended != NULL && ended->words.cause == SIP_END_TRANSPORT);
	EXPECT_EQ(sip_ua_count(stage.ua).transactions, 0);
	EXPECT_EQ(sip_ua_count(stage.ua).blocks, 0);
	sip_ua_destroy(stage.ua);
}

TEST(tls_shows_the_name_that_the_certificate_must_have)
{
	struct sip_ua_settings settings = settings_of();
	begin(&settings);
	const struct sip_call call = { .target = STR("sips:a@192.0.2.30"), .sdp = STR("v=0") };
	sip_session_id id;
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), 0);
	drain();
	const struct kept *connect = find(SIP_OUT_CONNECT, "192.0.2.30");
	EXPECT(connect != NULL && connect->transport == SIP_TRANSPORT_TLS);
	EXPECT_EQ(connect->to.port, 5061);
	sip_ua_flow_opened(stage.ua, connect->flow, stage.now_us);
	drain();
	const struct kept *invite = find(SIP_OUT_STREAM, "INVITE sips:a@192.0.2.30");
	EXPECT(invite != NULL);
	EXPECT(strstr(invite->text, "Contact: <sips:bridge.example:5061;transport=tcp>") != NULL);
	EXPECT(strstr(invite->text, "Via: SIP/2.0/TLS bridge.example:5061") != NULL);
	/* The connection goes: the call goes, too. */
	sip_ua_flow_closed(stage.ua, connect->flow, stage.now_us);
	drain();
	EXPECT(find_event(SIP_EVENT_ENDED) != NULL);
	sip_ua_destroy(stage.ua);
}

TEST(a_trunk_says_where_a_call_is_sent_by_what_and_as_whom)
{
	struct sip_ua_settings settings = settings_of();
	sip_session_id id;
	begin(&settings);
	struct sip_call call = { .target = STR("sip:a@far.example"),
		                 .from_uri = STR("sip:space@ours.example"),
		                 .contact_user = STR("space"),
		                 .contact_host = STR("trunk.example"),
		                 .next_hop = STR("sip:192.0.2.40:7001"),
		                 .transports = SIP_TRANSPORT_BIT(SIP_TRANSPORT_TLS),
		                 .max_forwards = 12,
		                 .sdp = STR("v=0") };
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), 0);
	drain();
	const struct kept *connect = find(SIP_OUT_CONNECT, "192.0.2.40");
	EXPECT(connect != NULL && connect->transport == SIP_TRANSPORT_TLS);
	EXPECT_EQ(connect->to.port, 7001);
	sip_ua_flow_opened(stage.ua, connect->flow, stage.now_us);
	drain();
	const struct kept *invite = find(SIP_OUT_STREAM, "INVITE sip:a@far.example SIP");
	EXPECT(invite != NULL && strstr(invite->text, "Route:") == NULL);
	EXPECT(strstr(invite->text,
	              "Contact: <sip:space@trunk.example:5061;transport=tls>") != NULL);
	EXPECT(strstr(invite->text, "Max-Forwards: 12\r\n") != NULL);

	call.transports = SIP_TRANSPORT_BIT(SIP_TRANSPORT_UDP);
	call.contact_host = STR("");
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), 0);
	drain();
	invite = find(SIP_OUT_DATAGRAM, "Contact: <sip:space@192.0.2.1:5060>");
	EXPECT(invite != NULL && invite->to.port == 7001);

	/* Neither TLS nor TCP can carry what the address itself wants sent by UDP. */
	call.next_hop = STR("");
	call.target = STR("sip:a@192.0.2.41;transport=udp");
	call.transports = SIP_TRANSPORT_BIT(SIP_TRANSPORT_TLS);
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), 0);
	pass(1);
	EXPECT(find_event(SIP_EVENT_ENDED) != NULL && find(SIP_OUT_DATAGRAM, "INVITE ") == NULL);

	call.next_hop = STR("sip:192.0.2.40");
	call.route = STR("sip:192.0.2.40");
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), -EINVAL);
	sip_ua_destroy(stage.ua);
}

/* What stands behind a NUL in a Contact of ours is its host. */
TEST(a_caller_cannot_put_a_host_into_our_contact)
{
	struct sip_ua_settings settings = settings_of();
	const struct net_addr from = addr_ip4(192, 0, 2, 9, 5060);
	char text[2048];
	begin(&settings);
	give(&from, text, write_invite(text, sizeof text, "x%00evil.example", 1, "UDP", ""));
	const struct kept *incoming = find_event(SIP_EVENT_INCOMING);
	EXPECT(incoming != NULL);
	EXPECT_EQ(incoming->words.incoming.max_forwards, 70);
	EXPECT_EQ(sip_session_accept(stage.ua, incoming->words.session, STR("v=0"), stage.now_us),
	          0);
	drain();
	const struct kept *ok = find(SIP_OUT_DATAGRAM, "SIP/2.0 200");
	EXPECT(ok != NULL && strstr(ok->text, "Contact: <sip:192.0.2.1:5060>") != NULL);
	sip_ua_destroy(stage.ua);
}

TEST(a_browser_is_reached_over_its_own_connection_or_not_at_all)
{
	struct sip_ua_settings settings = settings_of();
	const struct net_addr from = addr_ip4(192, 0, 2, 9, 40000);
	char text[2048];
	uint32_t flow;
	begin(&settings);
	EXPECT_EQ(sip_ua_flow_accepted(stage.ua, WS, &from, &flow, stage.now_us), 0);
	drain();
	sip_ua_flow_bytes(stage.ua, flow, (const uint8_t *)"\r\n\r\n", 4, stage.now_us);
	drain();
	EXPECT(stage.count == 1 && stage.kept[0].len == 2);
	const size_t len = write_invite(text, sizeof text, "x", 1, "WS", "");
	sip_ua_flow_bytes(stage.ua, flow, (const uint8_t *)text, len, stage.now_us);
	drain();
	const sip_session_id id = find_event(SIP_EVENT_INCOMING)->words.session;
	EXPECT_EQ(sip_session_accept(stage.ua, id, STR("v=0"), stage.now_us), 0);
	drain();
	const struct kept *ok = find(SIP_OUT_STREAM, "SIP/2.0 200");
	EXPECT(ok != NULL && ok->flow == flow);
	EXPECT(strstr(ok->text, ";transport=ws>") != NULL);
	static struct sip_msg msg;
	EXPECT_EQ(sip_msg_parse(&msg, ok->text, ok->len, SIP_DATAGRAM), SIP_OK);
	const int ack =
	        snprintf(text, sizeof text,
	                 "ACK sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/WS z;branch=z9hG4bKk\r\n"
	                 "From: %.*s\r\nTo: %.*s\r\nCall-ID: c1\r\nCSeq: 1 ACK\r\n"
	                 "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
	                 STR_ARGS(msg.from.text), STR_ARGS(msg.to.text));
	sip_ua_flow_bytes(stage.ua, flow, (const uint8_t *)text, (size_t)ack, stage.now_us);
	drain();
	EXPECT(find_event(SIP_EVENT_CONFIRMED) != NULL);
	sip_ua_flow_closed(stage.ua, flow, stage.now_us);
	drain();
	EXPECT_EQ(stage.count, 0);
	EXPECT_EQ(sip_session_info(stage.ua, id, STR("a/b"), STR("c"), stage.now_us), 0);
	drain();
	EXPECT(find(SIP_OUT_DNS, "") == NULL && find(SIP_OUT_CONNECT, "") == NULL);
	EXPECT(find_event(SIP_EVENT_ENDED) != NULL);
	pass(60ll * SECOND);
	EXPECT_EQ(sip_ua_count(stage.ua).blocks, 0);
	sip_ua_destroy(stage.ua);
}

TEST(half_a_message_ends_its_connection_however_slowly_it_grows)
{
	struct sip_ua_settings settings = settings_of();
	const struct net_addr from = addr_ip4(192, 0, 2, 9, 40000);
	char text[1024];
	uint32_t flow;
	begin(&settings);
	EXPECT_EQ(sip_ua_flow_accepted(stage.ua, TCP, &from, &flow, stage.now_us), 0);
	drain();
	(void)write_invite(text, sizeof text, "x", 1, "TCP", "");
	for (unsigned i = 0; i < 20; i++) {
		sip_ua_flow_bytes(stage.ua, flow, (const uint8_t *)text + i, 1, stage.now_us);
		drain();
		pass(SECOND);
		if (find(SIP_OUT_CLOSE, "") != NULL)
			break;
	}
	EXPECT(find(SIP_OUT_CLOSE, "") != NULL);
	EXPECT(stage.now_us <= 12 * SECOND);
	EXPECT_EQ(sip_ua_count(stage.ua).flows, 0);
	EXPECT_EQ(sip_ua_count(stage.ua).timers, 0);
	sip_ua_destroy(stage.ua);
}

TEST(one_source_gets_its_share_of_connections)
{
	struct sip_ua_settings settings = settings_of();
	const struct net_addr from = addr_ip4(192, 0, 2, 9, 40000);
	const struct net_addr other = addr_ip4(192, 0, 2, 10, 40000);
	uint32_t flow;
	begin(&settings);
	for (unsigned i = 0; i < settings.flows_per_source_max; i++)
		EXPECT_EQ(sip_ua_flow_accepted(stage.ua, TCP, &from, &flow, stage.now_us), 0);
	uint32_t none;
	EXPECT_EQ(sip_ua_flow_accepted(stage.ua, TCP, &from, &none, stage.now_us), -ENOSPC);
	EXPECT_EQ(none, 0);
	EXPECT_EQ(sip_ua_flow_accepted(stage.ua, TCP, &other, &none, stage.now_us), 0);
	sip_ua_flow_closed(stage.ua, flow, stage.now_us);
	EXPECT_EQ(sip_ua_flow_accepted(stage.ua, TCP, &from, &flow, stage.now_us), 0);
	sip_ua_destroy(stage.ua);
}

TEST(a_call_leaves_by_the_address_that_is_nearest_to_its_target)
{
	struct sip_ua_settings settings = settings_of();
	const struct sip_ua_listener listeners[] = {
		{ SIP_TRANSPORT_UDP, addr_ip4(127, 0, 0, 1, 5060), NULL },
		{ SIP_TRANSPORT_UDP, addr_ip4(10, 1, 0, 1, 5060), NULL },
		{ SIP_TRANSPORT_UDP, addr_ip4(192, 0, 2, 1, 5060), NULL },
	};
	static const char *const targets[] = { "sip:a@127.0.0.2", "sip:a@10.1.7.7",
		                               "sip:a@192.0.2.9" };
	static const char *const vias[] = { "UDP 127.0.0.1:5060", "UDP 10.1.0.1:5060",
		                            "UDP 192.0.2.1:5060" };
	settings.listeners = listeners;
	settings.listener_count = COUNT_OF(listeners);
	begin(&settings);
	for (unsigned i = 0; i < COUNT_OF(targets); i++) {
		const struct sip_call call = { .target = str_of(targets[i]), .sdp = STR("v=0") };
		sip_session_id id;
		EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), 0);
		drain();
		EXPECT(find(SIP_OUT_DATAGRAM, vias[i]) != NULL);
	}
	sip_ua_destroy(stage.ua);
}

TEST(stale_handles_and_bad_arguments_are_refused)
{
	struct sip_ua_settings settings = settings_of();
	const sip_session_id none = { 0 };
	const sip_request_id no_request = { 77 };
	begin(&settings);
	EXPECT_EQ(sip_session_accept(stage.ua, none, STR("v=0"), stage.now_us), -ENOENT);
	EXPECT_EQ(sip_session_end(stage.ua, none, 0, STR(""), stage.now_us), -ENOENT);
	EXPECT_EQ(sip_session_offer(stage.ua, none, STR("v=0"), stage.now_us), -ENOENT);
	EXPECT_EQ(sip_request_answer(stage.ua, no_request, 200, stage.now_us), -ENOENT);
	sip_session_id id;
	struct sip_call call = { .target = STR("mailto:a@b") };
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), -EINVAL);
	static const char large[SIP_UA_TEXT_MAX + 1];
	call.target = (struct str){ .at = large, .len = sizeof large };
	EXPECT_EQ(sip_ua_call(stage.ua, &id, &call, stage.now_us), -EMSGSIZE);
	EXPECT_EQ(sip_ua_count(stage.ua).blocks, 0);
	sip_ua_destroy(stage.ua);
}
