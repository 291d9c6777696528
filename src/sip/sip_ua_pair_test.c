/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: whatever a network does to two user agents, every call ends on both sides and leaves
 * nothing: no session, dialog, transaction, block or timer.
 *
 * Method: two uas back to back over a wire in memory that loses, delays, doubles and reorders by a
 * seed; scripted callers that do what callers do, at random times; many seeds. */
#include <stdio.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "sip/sip_ua.h"

enum { SIDES = 2, PACKETS_MAX = 512, PACKET_BYTES = 2048, CALLS_MAX = 12, SESSIONS_MAX = 64 };
enum { CONNECTIONS_MAX = 512 };

enum packet_kind { DATAGRAM, CONNECT, BYTES, CLOSE };

struct packet {
	bool used;
	enum packet_kind kind;
	unsigned connection; /* all but DATAGRAM */
	unsigned to;
	int64_t at_us;
	size_t len;
	uint8_t bytes[PACKET_BYTES];
};

struct plan {
	unsigned loss_pct, double_pct, delay_us_max;
	unsigned calls;
	unsigned cut_pct; /* of pieces on connections that end theirs */
	bool tcp, late, hold, cancel, vanish;
};

/* Bytes on a connection arrive in order. */
struct connection {
	uint32_t flows[SIDES];
	bool open;
	int64_t last_us;
};

struct side {
	struct sip_ua *ua;
	sip_session_id sessions[SESSIONS_MAX];
	unsigned session_count;
	unsigned ended, connected, offers, answers;
};

struct world {
	struct side sides[SIDES];
	struct packet packets[PACKETS_MAX];
	struct connection connections[CONNECTIONS_MAX];
	unsigned connection_count;
	struct prng prng;
	int64_t now_us;
	struct plan plan;
};

static struct world world;

static const struct net_addr addrs[SIDES] = {
	{ .family = ADDR_IP4, .port = 5060, .ip = { 192, 0, 2, 1 } },
	{ .family = ADDR_IP4, .port = 5060, .ip = { 192, 0, 2, 2 } },
};

static bool
chance(unsigned percent)
{
	return prng_below(&world.prng, 100) < percent;
}

static struct packet *
wire_put(enum packet_kind kind, unsigned to, const uint8_t *bytes, size_t len)
{
	EXPECT(len <= PACKET_BYTES);
	for (unsigned i = 0; i < PACKETS_MAX; i++) {
		struct packet *packet = &world.packets[i];
		if (packet->used)
			continue;
		packet->used = true;
		packet->kind = kind;
		packet->to = to;
		packet->len = len;
		packet->at_us = world.now_us + 1000;
		if (world.plan.delay_us_max != 0)
			packet->at_us += prng_below(&world.prng, world.plan.delay_us_max);
		if (len != 0)
			memcpy(packet->bytes, bytes, len);
		return packet;
	}
	fail_msg("the wire is full");
	return NULL;
}

static void
wire_on(unsigned connection, enum packet_kind kind, unsigned to, const uint8_t *bytes, size_t len)
{
	struct connection *on = &world.connections[connection];
	struct packet *packet = wire_put(kind, to, bytes, len);
	packet->connection = connection;
	if (packet->at_us <= on->last_us)
		packet->at_us = on->last_us + 1;
	on->last_us = packet->at_us;
}

static unsigned
connection_of(unsigned at, uint32_t flow)
{
	for (unsigned i = world.connection_count; i-- > 0;) {
		if (world.connections[i].flows[at] == flow)
			return i;
	}
	return CONNECTIONS_MAX;
}

/* Both ends learn that it is gone, each in its time. */
static void
cut(unsigned connection)
{
	world.connections[connection].open = false;
	wire_on(connection, CLOSE, 0, NULL, 0);
	wire_on(connection, CLOSE, 1, NULL, 0);
}

static void
stream_send(unsigned at, const struct sip_out *out)
{
	const unsigned connection = connection_of(at, out->flow);
	if (connection == CONNECTIONS_MAX || !world.connections[connection].open)
		return;
	if (chance(world.plan.cut_pct)) {
		cut(connection);
		return;
	}
	const size_t half = out->len / 2;
	wire_on(connection, BYTES, 1 - at, out->bytes, half);
	wire_on(connection, BYTES, 1 - at, out->bytes + half, out->len - half);
}

static void
connect_to(unsigned at, const struct sip_out *out)
{
	EXPECT(world.connection_count < CONNECTIONS_MAX);
	const unsigned connection = world.connection_count++;
	world.connections[connection].flows[at] = out->flow;
	world.connections[connection].open = !chance(world.plan.cut_pct);
	if (world.connections[connection].open)
		wire_on(connection, CONNECT, 1 - at, NULL, 0);
	else
		wire_on(connection, CLOSE, at, NULL, 0);
}

static void
wire_send(unsigned to, const struct sip_out *out)
{
	EXPECT(addr_eq(&out->to, &addrs[to]));
	if (chance(world.plan.loss_pct))
		return;
	(void)wire_put(DATAGRAM, to, out->bytes, out->len);
	if (chance(world.plan.double_pct))
		(void)wire_put(DATAGRAM, to, out->bytes, out->len);
}

/* What a caller does with an event. */
static void
react(unsigned at, const struct sip_event *event)
{
	struct side *side = &world.sides[at];
	const sip_session_id id = event->session;
	const int64_t now = world.now_us;
	const struct str sdp = STR("v=0 something");
	switch (event->kind) {
	case SIP_EVENT_INCOMING:
		EXPECT(side->session_count < SESSIONS_MAX);
		side->sessions[side->session_count++] = id;
		if (chance(50))
			EXPECT_EQ(sip_session_progress(side->ua, id, 180, (struct str){ 0 }, now),
			          0);
		if (chance(80))
			EXPECT_EQ(sip_session_accept(side->ua, id, sdp, now), 0);
		else if (chance(50))
			EXPECT_EQ(sip_session_reject(side->ua, id, 486, (struct str){ 0 },
			                             (struct str){ 0 }, now), 0);
		break;
	case SIP_EVENT_OFFER:
		side->offers++;
		if (chance(80))
			EXPECT_EQ(sip_session_answer(side->ua, id, sdp, now), 0);
		else
			EXPECT_EQ(sip_session_refuse(side->ua, id, 488, now), 0);
		break;
	case SIP_EVENT_ANSWERED:
		side->connected++;
		if (world.plan.late)
			EXPECT_EQ(sip_session_answer(side->ua, id, sdp, now), 0);
		break;
	case SIP_EVENT_ENDED:
		side->ended++;
		break;
	case SIP_EVENT_ANSWER:
		side->answers++;
		break;
	case SIP_EVENT_PROGRESS:
	case SIP_EVENT_CONFIRMED:
	case SIP_EVENT_OFFER_FAILED:
	case SIP_EVENT_REFRESHED:
	case SIP_EVENT_INFO:
	case SIP_EVENT_REFER:
		break;
	}
}

static void
drain(unsigned at)
{
	for (struct sip_out out; (out = sip_ua_poll(world.sides[at].ua)).kind != SIP_OUT_NONE;) {
		EXPECT(out.kind != SIP_OUT_DNS);
		if (out.kind == SIP_OUT_DATAGRAM)
			wire_send(1 - at, &out);
		else if (out.kind == SIP_OUT_EVENT)
			react(at, out.event);
		else if (out.kind == SIP_OUT_STREAM)
			stream_send(at, &out);
		else if (out.kind == SIP_OUT_CONNECT)
			connect_to(at, &out);
		else if (connection_of(at, out.flow) != CONNECTIONS_MAX)
			cut(connection_of(at, out.flow));
	}
}

static void
arrive(const struct packet *packet)
{
	const unsigned to = packet->to;
	struct connection *on = &world.connections[packet->connection];
	struct sip_ua *ua = world.sides[to].ua;
	switch (packet->kind) {
	case DATAGRAM:
		sip_ua_datagram(ua, 0, &addrs[1 - to], packet->bytes, packet->len, world.now_us);
		break;
	case CONNECT:
		if (sip_ua_flow_accepted(ua, 1, &addrs[1 - to], &on->flows[to], world.now_us) != 0) {
			on->open = false;
			wire_on(packet->connection, CLOSE, 1 - to, NULL, 0);
			return;
		}
		sip_ua_flow_opened(world.sides[1 - to].ua, on->flows[1 - to], world.now_us);
		drain(1 - to);
		return;
	case BYTES:
		sip_ua_flow_bytes(ua, on->flows[to], packet->bytes, packet->len, world.now_us);
		break;
	case CLOSE:
		sip_ua_flow_closed(ua, on->flows[to], world.now_us);
		break;
	}
	drain(to);
}

/* The next thing that happens before `until`; false when nothing does. */
static bool
step(int64_t until)
{
	struct packet *next = NULL;
	int64_t at_us = until;
	for (unsigned i = 0; i < PACKETS_MAX; i++) {
		struct packet *packet = &world.packets[i];
		if (packet->used && packet->at_us < at_us) {
			next = packet;
			at_us = packet->at_us;
		}
	}
	unsigned ticking = SIDES;
	for (unsigned i = 0; i < SIDES; i++) {
		const int64_t deadline = sip_ua_deadline(world.sides[i].ua);
		if (deadline < at_us) {
			ticking = i;
			at_us = deadline;
		}
	}
	if (ticking == SIDES && next == NULL)
		return false;
	if (at_us > world.now_us)
		world.now_us = at_us;
	if (ticking != SIDES) {
		sip_ua_tick(world.sides[ticking].ua, world.now_us);
		drain(ticking);
		return true;
	}
	next->used = false;
	const bool dead = world.plan.vanish && next->to == 1 && world.now_us > 20000000;
	if (!dead) {
		static struct packet packet;
		packet = *next;
		arrive(&packet);
	}
	return true;
}

static void
run_until(int64_t until)
{
	while (step(until))
		;
	world.now_us = until;
}

static void
begin(const struct plan *plan, uint64_t seed)
{
	memset(&world, 0, sizeof world);
	world.plan = *plan;
	world.now_us = 1000000;
	prng_init(&world.prng, seed);
	for (unsigned i = 0; i < SIDES; i++) {
		const struct sip_ua_listener listeners[] = {
			{ .transport = SIP_TRANSPORT_UDP, .addr = addrs[i] },
			{ .transport = SIP_TRANSPORT_TCP, .addr = addrs[i] },
		};
		struct sip_ua_settings settings = sip_ua_settings_default();
		settings.listeners = listeners;
		settings.listener_count = COUNT_OF(listeners);
		settings.seed = seed * 2 + i;
		settings.sessions_max = 64;
		settings.transactions_max = 512;
		settings.flows_max = 16;
		settings.blocks_max = 8192;
		settings.session_expires_s = 90;
		settings.reliable_if_supported = seed % 3 == 0;
		EXPECT_EQ(sip_ua_create(&world.sides[i].ua, &settings, world.now_us), 0);
	}
}

/* One random wish of a caller, of any session, ended or not. */
static void
wish(void)
{
	const unsigned at = prng_below(&world.prng, SIDES);
	struct side *side = &world.sides[at];
	if (side->session_count == 0)
		return;
	const sip_session_id id = side->sessions[prng_below(&world.prng, side->session_count)];
	const struct str sdp = STR("v=0 another");
	int rc = 0;
	switch (prng_below(&world.prng, 4)) {
	case 0:
		rc = sip_session_end(side->ua, id, chance(50) ? 486 : 0, STR("enough"),
		                     world.now_us);
		break;
	case 1:
		rc = sip_session_offer(side->ua, id, sdp, world.now_us);
		break;
	case 2:
		rc = sip_session_info(side->ua, id, STR("application/dtmf-relay"), STR("Signal=1"),
		                      world.now_us);
		break;
	default:
		rc = sip_session_accept(side->ua, id, sdp, world.now_us);
		break;
	}
	(void)rc; /* Some are refused; that is the caller's lot. */
	drain(at);
}

static void
expect_nothing_left(uint64_t seed)
{
	for (unsigned i = 0; i < SIDES; i++) {
		const struct sip_ua_counts counts = sip_ua_count(world.sides[i].ua);
		if (counts.sessions + counts.dialogs + counts.transactions + counts.blocks +
		            counts.timers + counts.half_open + counts.sources + counts.outs + counts.flows !=
		    0) {
			static char text[16384];
			struct writer w = writer_of(text, sizeof text - 1);
			sip_ua_dump(world.sides[i].ua, &w);
			text[w.at] = '\0';
			fprintf(stderr, "seed %llu side %u: blocks %u timers %u sources %u\n%s",
			        (unsigned long long)seed, i, counts.blocks, counts.timers,
			        counts.sources, text);
			fail();
		}
		EXPECT_EQ(world.sides[i].ended, world.sides[i].session_count);
	}
}

static void
live(const struct plan *plan, uint64_t seed)
{
	begin(plan, seed);
	for (unsigned i = 0; i < plan->calls; i++) {
		struct side *side = &world.sides[prng_below(&world.prng, SIDES)];
		const bool first = side == &world.sides[0];
		static const char *const targets[2][2] = {
			{ "sip:a@192.0.2.1", "sip:b@192.0.2.2" },
			{ "sip:a@192.0.2.1;transport=tcp", "sip:b@192.0.2.2;transport=tcp" },
		};
		const struct sip_call call = {
			.target = str_of(targets[plan->tcp][first]),
			.from_uri = STR("sip:someone@192.0.2.1"),
			.contact_user = STR("someone"),
			.sdp = plan->late ? (struct str){ 0 } : STR("v=0 offer"),
		};
		sip_session_id id;
		EXPECT_EQ(sip_ua_call(side->ua, &id, &call, world.now_us), 0);
		side->sessions[side->session_count++] = id;
		drain(first ? 0 : 1);
		if (plan->cancel && chance(50)) {
			run_until(world.now_us + prng_below(&world.prng, 100000));
			if (sip_session_end(side->ua, id, 0, (struct str){ 0 }, world.now_us) == 0)
				drain(first ? 0 : 1);
		}
		run_until(world.now_us + prng_below(&world.prng, 3000000));
		if (plan->hold)
			wish();
	}
	for (unsigned i = 0; i < 4 * plan->calls; i++) {
		run_until(world.now_us + prng_below(&world.prng, 20000000));
		wish();
	}
	for (unsigned i = 0; i < SIDES; i++) {
		for (unsigned n = 0; n < world.sides[i].session_count; n++) {
			if (sip_session_end(world.sides[i].ua, world.sides[i].sessions[n], 0,
			                    (struct str){ 0 }, world.now_us) == 0)
				drain(i);
		}
	}
	run_until(world.now_us + 900 * 1000000ll);
	expect_nothing_left(seed);
	for (unsigned i = 0; i < SIDES; i++)
		sip_ua_destroy(world.sides[i].ua);
}

enum { SEEDS = 60 };

TEST(a_perfect_network_connects_and_leaves_nothing)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		live(&(struct plan){ .calls = CALLS_MAX }, seed);
	EXPECT(world.sides[0].connected + world.sides[1].connected > 0);
}

TEST(loss_doubles_and_disorder_leave_nothing)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		live(&(struct plan){ .calls = CALLS_MAX, .loss_pct = 20, .double_pct = 20,
		                     .delay_us_max = 300000, .hold = true }, seed);
}

TEST(late_offers_over_a_bad_network_leave_nothing)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		live(&(struct plan){ .calls = CALLS_MAX, .loss_pct = 10, .double_pct = 10,
		                     .delay_us_max = 100000, .late = true, .hold = true }, seed);
}

TEST(cancels_that_race_leave_nothing)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		live(&(struct plan){ .calls = CALLS_MAX, .loss_pct = 10, .double_pct = 30,
		                     .delay_us_max = 60000, .cancel = true, .hold = true }, seed);
}

TEST(a_peer_that_vanishes_is_found_out)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		live(&(struct plan){ .calls = CALLS_MAX, .delay_us_max = 10000, .vanish = true,
		                     .hold = true }, seed);
}

TEST(calls_over_connections_leave_nothing)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		live(&(struct plan){ .calls = CALLS_MAX, .tcp = true, .delay_us_max = 20000,
		                     .hold = true, .cancel = true }, seed);
}

TEST(connections_that_break_leave_nothing)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		live(&(struct plan){ .calls = CALLS_MAX, .tcp = true, .delay_us_max = 20000,
		                     .cut_pct = 8, .hold = true, .cancel = true }, seed);
}

TEST(a_dead_network_ends_every_call)
{
	for (uint64_t seed = 1; seed <= 10; seed++)
		live(&(struct plan){ .calls = 6, .loss_pct = 100 }, seed);
}
