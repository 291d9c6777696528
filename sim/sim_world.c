/* SPDX-License-Identifier: Apache-2.0 */
/* The world: a Call Bridge made of its real cores, the people, and virtual time. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_internal.h"
#include "sip/sip_ua.h"

enum {
	SHARED_PORT = 50000,
	PAIR_PORT = 50010,
	PORTS = 4000,
	EVENTS_MAX = 4096,
	LATER_MAX = 64,
	STEP_US = SIM_MS,
	QUIET_STEP_US = 20 * SIM_MS,
	QUIET_US = 260 * SIM_S,
	LEGS_MAX = 64,
};

/* A pair of ports of one leg. */
struct port {
	bool open;
	unsigned worker;
	media_leg_id leg;
};

struct text {
	struct text *next;
	bool to_bridge;
	size_t len;
	char bytes[];
};

struct queued_event {
	unsigned worker;
	struct media_event event;
};

struct sim_world {
	uint64_t seed;
	int64_t now_us;
	struct prng prng;
	struct prng secret; /* what the bridge calls unguessable */
	struct sim_net net;
	struct audio_codec_pool *codecs;
	struct dtls_context *bridge_dtls;
	struct dtls_context *client_dtls;
	struct meeting *meeting;
	struct sip_ua *ua;
	struct sip_ua_listener listener;
	struct bridge *bridge;
	struct media *media[SIM_WORKERS];
	struct sink_context {
		struct sim_world *world;
		unsigned worker;
	} sinks[SIM_WORKERS];
	struct port ports[PORTS]; /* from PAIR_PORT, by twos */
	unsigned next_pair;
	unsigned pairs_open;
	struct queued_event events[EVENTS_MAX];
	unsigned event_first, event_count;
	uint32_t flows_failed[LATER_MAX];
	unsigned flow_failed_count;
	struct text *texts, **texts_end;
	bool link_up;
	uint32_t next_session;
	unsigned number;
	struct sim_phone *phones[SIM_PEOPLE_MAX];
	unsigned phone_count;
	struct sim_browser *browsers[SIM_PEOPLE_MAX];
	unsigned browser_count;
};

/* ---- Access -------------------------------------------------------------------------------- */

int64_t
sim_world_now(const struct sim_world *world)
{
	return world->now_us;
}

struct bridge *
sim_world_bridge(struct sim_world *world)
{
	return world->bridge;
}

struct meeting *
sim_world_meeting(struct sim_world *world)
{
	return world->meeting;
}

struct sim_net *
sim_world_net(struct sim_world *world)
{
	return &world->net;
}

struct prng *
sim_world_prng(struct sim_world *world)
{
	return &world->prng;
}

struct audio_codec_pool *
sim_world_codecs(struct sim_world *world)
{
	return world->codecs;
}

const struct dtls_context *
sim_world_dtls(struct sim_world *world)
{
	return world->client_dtls;
}

const struct net_addr *
sim_world_sip_addr(void)
{
	static const struct net_addr addr = { .family = ADDR_IP4, .port = 5060,
		                              .ip = { 192, 0, 2, 1 } };
	return &addr;
}

uint32_t
sim_world_next_session(struct sim_world *world)
{
	return ++world->next_session;
}

bool
sim_world_link_up(const struct sim_world *world)
{
	return world->link_up;
}

void
sim_fail(const struct sim_world *world, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "seed %llu, at %lld ms: ", (unsigned long long)world->seed,
	        (long long)(world->now_us / 1000));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* ---- What the bridge's cores do to the world ------------------------------------------------- */

void
sim_random(void *context, void *out, size_t len)
{
	struct sim_world *world = context;
	prng_bytes(&world->secret, out, len);
}

static int64_t
wall_s(void *context)
{
	const struct sim_world *world = context;
	return 1800000000 + world->now_us / SIM_S;
}

static void
on_floor(void *context, const struct bridge_floor_order *order)
{
	(void)context, (void)order;
}

static void
on_log(void *context, enum bridge_log level, struct str text)
{
	struct sim_world *world = context;
	(void)level;
	if (getenv("SIM_LOG") != NULL)
		fprintf(stderr, "%8lld %.*s\n", (long long)(world->now_us / 1000),
		        STR_ARGS(text));
}

static void
on_order(void *context, unsigned worker, const struct media_order *order)
{
	struct sim_world *world = context;
	media_order(world->media[worker], order, world->now_us);
}

static void
on_sip(void *context, const struct sip_out *out)
{
	struct sim_world *world = context;
	if (out->kind == SIP_OUT_DATAGRAM) {
		sim_net_send(&world->net, sim_world_sip_addr(), &out->to, out->bytes, out->len,
		             world->now_us);
	} else if (out->kind == SIP_OUT_CONNECT) {
		/* There is no TCP in this world: the user agent falls back to UDP. */
		CHECK(world->flow_failed_count < LATER_MAX);
		world->flows_failed[world->flow_failed_count++] = out->flow;
	} else if (out->kind == SIP_OUT_DNS) {
		sim_fail(world, "DNS was asked for %s", out->dns_name);
	}
}

/* Messages travel as the text they are on the wire: the codec is part of what is simulated. */
static void
queue_text(struct sim_world *world, const struct c2w_message *message, bool to_bridge)
{
	static char bytes[C2W_MESSAGE_BYTES_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	c2w_write(&w, message, false);
	CHECK(!w.failed);
	struct text *text = malloc(sizeof *text + w.at);
	CHECK(text != NULL);
	*text = (struct text){ .to_bridge = to_bridge, .len = w.at };
	memcpy(text->bytes, bytes, w.at);
	*world->texts_end = text;
	world->texts_end = &text->next;
}

static void
on_web(void *context, unsigned link, const struct c2w_message *message)
{
	struct sim_world *world = context;
	CHECK(link == 0);
	queue_text(world, message, false);
}

void
sim_world_web_input(struct sim_world *world, const struct c2w_message *message)
{
	queue_text(world, message, true);
}

/* ---- What its media workers do to the world --------------------------------------------------- */

static bool
on_ports_open(void *context, media_leg_id leg, struct net_addr *rtp)
{
	const struct sink_context *sink = context;
	struct sim_world *world = sink->world;
	for (unsigned tries = 0; tries < PORTS; tries++) {
		const unsigned at = world->next_pair++ % PORTS;
		struct port *port = &world->ports[at];
		if (port->open)
			continue;
		*port = (struct port){ .open = true, .worker = sink->worker, .leg = leg };
		*rtp = *sim_world_sip_addr();
		rtp->port = (uint16_t)(PAIR_PORT + 2 * at);
		world->pairs_open++;
		return true;
	}
	return false;
}

static struct port *
port_of_leg(struct sim_world *world, unsigned worker, media_leg_id leg)
{
	for (unsigned at = 0; at < PORTS; at++) {
		struct port *port = &world->ports[at];
		if (port->open && port->worker == worker && port->leg == leg)
			return port;
	}
	return NULL;
}

static void
on_ports_close(void *context, media_leg_id leg)
{
	const struct sink_context *sink = context;
	struct port *port = port_of_leg(sink->world, sink->worker, leg);
	CHECK(port != NULL);
	port->open = false;
	sink->world->pairs_open--;
}

static void
on_media_send(void *context, unsigned socket, media_leg_id leg, const struct net_addr *to,
              const uint8_t *bytes, size_t len)
{
	const struct sink_context *sink = context;
	struct sim_world *world = sink->world;
	struct net_addr from = *sim_world_sip_addr();
	if (socket >= MEDIA_SOCKET_SHARED) {
		from.port = (uint16_t)(SHARED_PORT + sink->worker);
	} else {
		const struct port *port = port_of_leg(world, sink->worker, leg);
		CHECK(port != NULL);
		from.port = (uint16_t)(PAIR_PORT + 2 * (port - world->ports) +
		                       (socket == MEDIA_SOCKET_RTCP));
	}
	sim_net_send(&world->net, &from, to, bytes, len, world->now_us);
}

static void
on_media_event(void *context, const struct media_event *event)
{
	const struct sink_context *sink = context;
	struct sim_world *world = sink->world;
	CHECK(world->event_count < EVENTS_MAX);
	const unsigned at = (world->event_first + world->event_count++) % EVENTS_MAX;
	world->events[at] = (struct queued_event){ sink->worker, *event };
}

/* ---- Making it ----------------------------------------------------------------------------- */

static void
make_dtls(struct sim_world *world, struct dtls_context **out)
{
	const struct dtls_context_settings settings = { .common_name = "sim",
		                                        .serial = prng_u64(&world->prng) >> 1,
		                                        .not_before_s = 1000000000,
		                                        .not_after_s = 4000000000 };
	CHECK(dtls_context_create(out, &settings) == 0);
}

static void
add_space(struct sim_world *world, const char *name, const char *id, const char *passcode)
{
	struct objects *objects = meeting_objects(world->meeting);
	struct object_edit edit = { .type = OBJECT_SPACE };
	uint32_t handle = 0;
	int culprit = -1;
	edit_set_text(&edit, SPACE_NAME, str_of(name));
	edit_set_text(&edit, SPACE_URI, str_of(name));
	edit_set_text(&edit, SPACE_CALL_ID, str_of(id));
	if (passcode != NULL)
		edit_set_text(&edit, SPACE_PASSCODE, str_of(passcode));
	objects_begin(objects);
	CHECK(objects_add(objects, &edit, 0, &handle, &culprit) == OBJECT_OK);
	const struct object_tx tx = objects_end(objects);
	objects_settled(objects, tx.ticket, true);
	meeting_configured(world->meeting, world->now_us);
}

static void
add_ivr(struct sim_world *world)
{
	struct objects *objects = meeting_objects(world->meeting);
	struct object_edit edit = { .type = OBJECT_IVR };
	uint32_t handle = 0;
	int culprit = -1;
	edit_set_text(&edit, IVR_URI, STR("ivr"));
	objects_begin(objects);
	CHECK(objects_add(objects, &edit, 0, &handle, &culprit) == OBJECT_OK);
	const struct object_tx tx = objects_end(objects);
	objects_settled(objects, tx.ticket, true);
	meeting_configured(world->meeting, world->now_us);
}

static void
make_media(struct sim_world *world, unsigned worker)
{
	struct sink_context *sink = &world->sinks[worker];
	*sink = (struct sink_context){ world, worker };
	struct media_settings settings = {
		.legs_max = BRIDGE_MEDIA_LEGS_MAX * LEGS_MAX,
		.rooms_max = LEGS_MAX,
		.seed = prng_u64(&world->prng),
		.wall_offset_us = 1800000000LL * SIM_S,
		.shared_addr = *sim_world_sip_addr(),
		.dtls = world->bridge_dtls,
		.consent_us_max = 30 * SIM_S,
		.silence_us_max = 90 * SIM_S,
		.sink = { sink, on_ports_open, on_ports_close, on_media_send, on_media_event,
		          NULL },
		.random = sim_random,
		.random_context = world,
	};
	settings.shared_addr.port = (uint16_t)(SHARED_PORT + worker);
	CHECK(media_create(&world->media[worker], &settings, world->now_us) == 0);
}

static void
make_bridge(struct sim_world *world)
{
	struct bridge_settings settings = {
		.meeting = world->meeting,
		.ua = world->ua,
		.workers = SIM_WORKERS,
		.legs_max = LEGS_MAX,
		.media_legs_max = BRIDGE_MEDIA_LEGS_MAX * LEGS_MAX,
		.rooms_max = LEGS_MAX,
		.fingerprint = { .hash = SDP_HASH_SHA256, .len = 32 },
		.listeners = &world->listener,
		.web_addresses = sim_world_sip_addr(),
		.web_address_count = 1,
		.sip_domain = "192.0.2.1",
		.id = "00000000-0000-4000-8000-000000000001",
		.jwt_hours = 24,
		.seed = prng_u64(&world->prng),
		.sink = { .context = world,
		          .order = on_order,
		          .sip = on_sip,
		          .web = on_web,
		          .floor = on_floor,
		          .log = on_log,
		          .random = sim_random,
		          .wall_s = wall_s },
	};
	memcpy(settings.fingerprint.bytes, dtls_context_fingerprint(world->bridge_dtls)->digest,
	       32);
	CHECK(bridge_create(&world->bridge, &settings, world->now_us) == 0);
	bridge_link_up(world->bridge, 0, 0, world->now_us);
	world->link_up = true;
}

struct sim_world *
sim_world_create(uint64_t seed, const struct sim_path *path)
{
	struct sim_world *world = calloc(1, sizeof *world);
	CHECK(world != NULL);
	world->seed = seed;
	world->now_us = 10 * SIM_S;
	world->texts_end = &world->texts;
	prng_init(&world->prng, seed);
	prng_init(&world->secret, seed ^ 0x5ec7e7);
	sim_net_init(&world->net, seed ^ 0x7e7, path);
	const struct audio_codec_pool_settings codecs = { SIM_PEOPLE_MAX * 2, SIM_PEOPLE_MAX * 2,
		                                          SIM_PEOPLE_MAX * 2, SIM_PEOPLE_MAX * 2 };
	CHECK(audio_codec_pool_create(&world->codecs, &codecs) == 0);
	make_dtls(world, &world->bridge_dtls);
	make_dtls(world, &world->client_dtls);
	const struct meeting_settings meeting = {
		.objects = { .spaces_max = 64, .others_max = 64, .text_bytes_max = 1 << 20 },
		.limits = { .calls_max = LEGS_MAX, .legs_max = LEGS_MAX },
		.random = sim_random,
		.context = world,
	};
	CHECK(meeting_create(&world->meeting, &meeting, world->now_us) == 0);
	add_space(world, "demo", "1001", NULL);
	add_space(world, "secret", "1002", "1234");
	add_space(world, "other", "1003", NULL);
	add_ivr(world);
	world->listener = (struct sip_ua_listener){ .transport = SIP_TRANSPORT_UDP,
		                                    .addr = *sim_world_sip_addr() };
	struct sip_ua_settings ua = sip_ua_settings_default();
	ua.listeners = &world->listener;
	ua.listener_count = 1;
	ua.seed = prng_u64(&world->prng);
	/* Who vanishes while on hold is missed by nothing else. */
	ua.session_expires_s = 120;
	CHECK(sip_ua_create(&world->ua, &ua, world->now_us) == 0);
	for (unsigned worker = 0; worker < SIM_WORKERS; worker++)
		make_media(world, worker);
	make_bridge(world);
	return world;
}

/* ---- Time ---------------------------------------------------------------------------------- */

static void
deliver_texts(struct sim_world *world)
{
	/* Only what is there now: an answer travels in the next step. */
	struct text *text = world->texts;
	world->texts = NULL;
	world->texts_end = &world->texts;
	while (text != NULL) {
		struct text *next = text->next;
		struct c2w_message message;
		const struct str json = { text->bytes, text->len };
		const enum c2w_speaker speaker =
			text->to_bridge ? C2W_FROM_WEB_BRIDGE : C2W_FROM_CALL_BRIDGE;
		if (c2w_parse(&message, json, speaker) != C2W_OK)
			sim_fail(world, "a C2W message that cannot be read: %.*s", STR_ARGS(json));
		if (text->to_bridge && world->link_up) {
			bridge_web(world->bridge, 0, &message, world->now_us);
		} else if (!text->to_bridge) {
			for (unsigned i = 0; i < world->browser_count; i++) {
				struct sim_browser *browser = world->browsers[i];
				bool owns = sim_browser_owns(browser, &message, message.session);
				for (uint32_t s = 0; s < message.session_count && !owns; s++)
					owns = sim_browser_owns(browser, &message,
					                        message.sessions[s]);
				if (owns)
					sim_browser_message(browser, &message);
			}
		}
		c2w_message_fini(&message);
		free(text);
		text = next;
	}
}

static void
settle(struct sim_world *world)
{
	for (;;) {
		bridge_drain(world->bridge, world->now_us);
		if (world->flow_failed_count != 0) {
			const uint32_t flow = world->flows_failed[--world->flow_failed_count];
			sip_ua_flow_closed(world->ua, flow, world->now_us);
		} else if (world->event_count != 0) {
			const struct queued_event event = world->events[world->event_first];
			world->event_first = (world->event_first + 1) % EVENTS_MAX;
			world->event_count--;
			bridge_media(world->bridge, event.worker, &event.event, world->now_us);
		} else {
			return;
		}
	}
}

static void
deliver_to_bridge(struct sim_world *world, struct sim_packet *packet)
{
	if (packet->to.port == sim_world_sip_addr()->port) {
		sip_ua_datagram(world->ua, 0, &packet->from, packet->bytes, packet->len,
		                world->now_us);
	} else if (packet->to.port >= SHARED_PORT && packet->to.port < SHARED_PORT + SIM_WORKERS) {
		media_input(world->media[packet->to.port - SHARED_PORT], MEDIA_SOCKET_SHARED, 0,
		            &packet->from, packet->bytes, packet->len, world->now_us);
	} else if (packet->to.port >= PAIR_PORT && packet->to.port < PAIR_PORT + 2 * PORTS) {
		const unsigned at = (unsigned)(packet->to.port - PAIR_PORT);
		const struct port *port = &world->ports[at / 2];
		if (port->open)
			media_input(world->media[port->worker],
			            at % 2 == 0 ? MEDIA_SOCKET_RTP : MEDIA_SOCKET_RTCP, port->leg,
			            &packet->from, packet->bytes, packet->len, world->now_us);
	}
	settle(world);
}

static void
deliver(struct sim_world *world, struct sim_packet *packet)
{
	if (addr_eq_ip(&packet->to, sim_world_sip_addr())) {
		deliver_to_bridge(world, packet);
		return;
	}
	for (unsigned i = 0; i < world->phone_count; i++)
		if (sim_phone_input(world->phones[i], &packet->to, &packet->from, packet->bytes,
		                    packet->len, world->now_us))
			return;
	for (unsigned i = 0; i < world->browser_count; i++)
		if (sim_browser_input(world->browsers[i], &packet->to, &packet->from,
		                      packet->bytes, packet->len, world->now_us))
			return;
}

static void
tick(struct sim_world *world)
{
	const int64_t now_us = world->now_us;
	if (sip_ua_deadline(world->ua) <= now_us)
		sip_ua_tick(world->ua, now_us);
	settle(world);
	if (meeting_deadline(world->meeting) <= now_us)
		meeting_tick(world->meeting, now_us);
	settle(world);
	if (bridge_deadline(world->bridge) <= now_us)
		bridge_tick(world->bridge, now_us);
	for (unsigned worker = 0; worker < SIM_WORKERS; worker++)
		if (media_deadline(world->media[worker]) <= now_us)
			media_tick(world->media[worker], now_us);
	settle(world);
	for (unsigned i = 0; i < world->phone_count; i++)
		sim_phone_tick(world->phones[i], now_us);
	for (unsigned i = 0; i < world->browser_count; i++)
		sim_browser_tick(world->browsers[i], now_us);
}

static void
run(struct sim_world *world, int64_t span_us, int64_t step_us)
{
	const int64_t end_us = world->now_us + span_us;
	while (world->now_us < end_us) {
		world->now_us += step_us;
		for (struct sim_packet *packet;
		     (packet = sim_net_take(&world->net, world->now_us)) != NULL; free(packet))
			deliver(world, packet);
		deliver_texts(world);
		tick(world);
	}
}

void
sim_world_run(struct sim_world *world, int64_t span_us)
{
	run(world, span_us, STEP_US);
}

/* ---- People -------------------------------------------------------------------------------- */

struct sim_phone *
sim_phone_call(struct sim_world *world, const struct sim_phone_settings *settings)
{
	CHECK(world->phone_count < SIM_PEOPLE_MAX);
	struct sim_phone *phone = sim_phone_new(world, ++world->number, settings->pitch_hz);
	world->phones[world->phone_count++] = phone;
	sim_phone_start(phone, settings);
	return phone;
}

struct sim_phone *
sim_phone_wait(struct sim_world *world, double pitch_hz, char *address, size_t cap)
{
	CHECK(world->phone_count < SIM_PEOPLE_MAX);
	struct sim_phone *phone = sim_phone_new(world, ++world->number, pitch_hz);
	world->phones[world->phone_count++] = phone;
	snprintf(address, cap, "phone@198.51.100.%u", world->number);
	return phone;
}

struct sim_browser *
sim_browser_join(struct sim_world *world, const char *address, const char *passcode,
                 double pitch_hz)
{
	CHECK(world->browser_count < SIM_PEOPLE_MAX);
	struct sim_browser *browser = sim_browser_new(world, ++world->number, pitch_hz);
	world->browsers[world->browser_count++] = browser;
	sim_browser_start(browser, address, passcode);
	return browser;
}

void
sim_world_link(struct sim_world *world, bool up)
{
	if (world->link_up == up)
		return;
	world->link_up = up;
	if (up) {
		bridge_link_up(world->bridge, 0, 0, world->now_us);
	} else {
		bridge_link_down(world->bridge, 0, world->now_us);
		for (unsigned i = 0; i < world->browser_count; i++)
			sim_browser_link_lost(world->browsers[i]);
	}
	settle(world);
}

bool
sim_world_dial(struct sim_world *world, const char *space_uri, const char *address, uint32_t *leg)
{
	const struct objects *objects = meeting_objects(world->meeting);
	uint32_t at = 0;
	uint32_t call = 0;
	uint32_t space;
	do {
		space = objects_next(objects, OBJECT_SPACE, &at);
		CHECK(space != 0);
	} while (!str_eq(objects_text(objects, OBJECT_SPACE, space, SPACE_URI), str_of(space_uri)));
	if (meeting_call_start(world->meeting, space, STR(""), world->now_us, &call) !=
	    MEETING_ADMITTED)
		return false;
	const struct meeting_dial dial = { .call = call, .remote_party = str_of(address) };
	const bool admitted =
		meeting_dial(world->meeting, &dial, world->now_us, leg) == MEETING_ADMITTED;
	settle(world);
	return admitted;
}

/* ---- The end ------------------------------------------------------------------------------- */

static void
expect_nothing(const struct sim_world *world, const char *what, uint64_t count)
{
	if (count != 0)
		sim_fail(world, "%llu %s left over", (unsigned long long)count, what);
}

static void
expect_all_gone(struct sim_world *world)
{
	const struct bridge_counts bridge = bridge_count(world->bridge);
	const struct sip_ua_counts sip = sip_ua_count(world->ua);
	const struct meeting_totals totals = meeting_totals(world->meeting);
	expect_nothing(world, "legs of the bridge", bridge.legs);
	expect_nothing(world, "rooms of the bridge", bridge.rooms);
	expect_nothing(world, "media slots", bridge.media_legs);
	expect_nothing(world, "SIP sessions", sip.sessions);
	expect_nothing(world, "SIP dialogs", sip.dialogs);
	expect_nothing(world, "SIP transactions", sip.transactions);
	expect_nothing(world, "SIP timers", sip.timers);
	expect_nothing(world, "message blocks", sip.blocks);
	expect_nothing(world, "legs of the model", totals.legs_active);
	expect_nothing(world, "calls of the model", totals.calls_active);
	expect_nothing(world, "port pairs", world->pairs_open);
	for (unsigned worker = 0; worker < SIM_WORKERS; worker++) {
		const struct media_counters *counters = media_counters(world->media[worker]);
		expect_nothing(world, "legs of a worker", counters->legs);
		expect_nothing(world, "rooms of a worker", counters->rooms);
		expect_nothing(world, "timers of a worker",
		               media_deadline(world->media[worker]) != INT64_MAX);
	}
	expect_nothing(world, "timers of the bridge",
	               bridge_deadline(world->bridge) != INT64_MAX);
	expect_nothing(world, "timers of the model",
	               meeting_deadline(world->meeting) != INT64_MAX);
}

void
sim_world_end(struct sim_world *world)
{
	for (unsigned i = 0; i < world->phone_count; i++)
		sim_phone_hang_up(world->phones[i]);
	for (unsigned i = 0; i < world->browser_count; i++)
		sim_browser_leave(world->browsers[i]);
	run(world, 2 * SIM_S, STEP_US);
	run(world, QUIET_US, QUIET_STEP_US);
	expect_all_gone(world);
	sim_world_destroy(world);
}

void
sim_world_destroy(struct sim_world *world)
{
	for (unsigned i = 0; i < world->phone_count; i++)
		sim_phone_free(world->phones[i]);
	for (unsigned i = 0; i < world->browser_count; i++)
		sim_browser_free(world->browsers[i]);
	bridge_destroy(world->bridge);
	for (unsigned worker = 0; worker < SIM_WORKERS; worker++)
		media_destroy(world->media[worker]);
	sip_ua_destroy(world->ua);
	meeting_destroy(world->meeting);
	dtls_context_destroy(world->bridge_dtls);
	dtls_context_destroy(world->client_dtls);
	audio_codec_pool_destroy(world->codecs);
	sim_net_fini(&world->net);
	for (struct text *text = world->texts, *next; text != NULL; text = next) {
		next = text->next;
		free(text);
	}
	free(world);
}
