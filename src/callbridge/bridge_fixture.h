/* SPDX-License-Identifier: Apache-2.0 */
/* bridge_fixture -- a bridge with the real model and user agent, and workers that note their orders
 * and give what was asked for at once; a room that speaks SIP by hand, a browser that sends a recorded
 * offer. */
#ifndef CALLBRIDGE_BRIDGE_FIXTURE_H
#define CALLBRIDGE_BRIDGE_FIXTURE_H

#include "callbridge/bridge_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"

enum {
	LEGS_MAX = 4,
	ORDERS_MAX = 256,
	MS = 1000,
	S = 1000 * MS,
};

#ifndef SDP_TESTDATA
#define SDP_TESTDATA "src/sdp/testdata/sdp" /* seen from the project's folder */
#endif

struct world {
	int64_t now_us;
	struct prng prng;
	struct meeting *meeting;
	struct sip_ua *ua;
	struct sip_ua_listener listener;
	struct bridge *bridge;
	struct media_order orders[ORDERS_MAX];
	unsigned order_count;
	unsigned answered; /* orders whose events have been given */
	unsigned opens;
	unsigned refused_open; /* this one of the opens finds no ports; 0: none */
	struct net_addr room;
	char sent[65536];      /* the last SIP message to the room */
	char tag[64];          /* of ours, in the dialog */
	unsigned cseq;
	char web_answer[C2W_SDP_MAX];
	char token[C2W_TOKEN_MAX];
	char message[CANVAS_MESSAGE_MAX]; /* in the last composed picture */
	unsigned floors; /* opened, or opened again */
	struct bridge_floor_order floor; /* the last order about one */
};

/* ---- What the bridge does to the world ------------------------------------------------------ */

static inline void
on_order(void *context, unsigned worker, const struct media_order *order)
{
	struct world *world = context;
	(void)worker;
	CHECK(world->order_count < ORDERS_MAX);
	world->orders[world->order_count++] = *order;
	if (order->kind != MEDIA_ORDER_CANVAS || order->canvas.canvas == NULL)
		return;
	memcpy(world->message, order->canvas.canvas->message, sizeof world->message);
	free(order->canvas.canvas);
}

static inline void
on_sip(void *context, const struct sip_out *out)
{
	struct world *world = context;
	if (out->kind == SIP_OUT_DATAGRAM)
		str_copy(world->sent, sizeof world->sent,
		         (struct str){ .at = (const char *)out->bytes, .len = out->len });
}

static inline void
on_web(void *context, unsigned link, const struct c2w_message *message)
{
	struct world *world = context;
	(void)link;
	if (message->kind == C2W_JOINED)
		str_copy(world->token, sizeof world->token, message->joined.token);
	if (message->kind == C2W_ANSWER)
		str_copy(world->web_answer, sizeof world->web_answer, message->sdp.sdp);
}

static inline void
on_floor(void *context, const struct bridge_floor_order *order)
{
	struct world *world = context;
	world->floors += order->kind == BRIDGE_FLOOR_OPEN;
	world->floor = *order;
}

static inline void
on_log(void *context, enum bridge_log level, struct str text)
{
	(void)context, (void)level, (void)text;
}

static inline void
on_random(void *context, void *out, size_t len)
{
	struct world *world = context;
	prng_bytes(&world->prng, out, len);
}

static inline int64_t
on_wall_s(void *context)
{
	(void)context;
	return 1800000000;
}

/* ---- The world ----------------------------------------------------------------------------- */

static inline struct media_event
event_of(struct world *world, const struct media_order *order)
{
	struct media_event event = { .leg = order->leg, .room = order->room,
		                     .kind = MEDIA_EVENT_COUNT };
	if (order->kind == MEDIA_ORDER_LEG_OPEN) {
		const bool refused = ++world->opens == world->refused_open;
		event.kind = refused ? MEDIA_EVENT_LEG_REFUSED : MEDIA_EVENT_LEG_OPENED;
		event.reason = MEDIA_REFUSED_PORTS;
		event.opened.local_rtp = addr_ip4(192, 0, 2, 1, (uint16_t)(50000 + 2 * world->opens));
		event.opened.local_rtcp = event.opened.local_rtp;
		event.opened.local_rtcp.port++;
		event.opened.ssrc = 4711;
		str_copy(event.opened.ice_ufrag, sizeof event.opened.ice_ufrag, STR("00100000abcd"));
		str_copy(event.opened.ice_pwd, sizeof event.opened.ice_pwd,
		         STR("0123456789012345678901"));
	} else if (order->kind == MEDIA_ORDER_LEG_CLOSE) {
		event.kind = MEDIA_EVENT_LEG_CLOSED;
	}
	return event;
}

static inline void
settle(struct world *world)
{
	bridge_drain(world->bridge, world->now_us);
	while (world->answered < world->order_count) {
		const struct media_event event =
			event_of(world, &world->orders[world->answered++]);
		if (event.kind != MEDIA_EVENT_COUNT)
			bridge_media(world->bridge, 0, &event, world->now_us);
	}
}

static inline void
pass(struct world *world, int64_t span_us)
{
	const int64_t end_us = world->now_us + span_us;
	for (int64_t at_us; (at_us = bridge_deadline(world->bridge)) <= end_us;) {
		world->now_us = at_us > world->now_us ? at_us : world->now_us;
		bridge_tick(world->bridge, world->now_us);
		settle(world);
	}
	world->now_us = end_us;
}

/* A space "demo", with a profile that sets one field unless it is LEG_PROFILE_NAME. */
static inline void
add_space(struct world *world, enum leg_profile_field field, uint32_t value)
{
	struct objects *objects = meeting_objects(world->meeting);
	struct object_edit edit = { .type = OBJECT_SPACE };
	struct object_edit profile = { .type = OBJECT_LEG_PROFILE };
	uint32_t handle = 0;
	int culprit = -1;
	edit_set_text(&edit, SPACE_NAME, STR("Demo"));
	edit_set_text(&edit, SPACE_URI, STR("demo"));
	objects_begin(objects);
	if (field != LEG_PROFILE_NAME) {
		edit_set_number(&profile, field, value);
		CHECK(objects_add(objects, &profile, 0, &handle, &culprit) == OBJECT_OK);
		const struct guid id = objects_id(objects, OBJECT_LEG_PROFILE, handle);
		edit_set_guid(&edit, SPACE_LEG_PROFILE, &id);
	}
	CHECK(objects_add(objects, &edit, 0, &handle, &culprit) == OBJECT_OK);
	const struct object_tx tx = objects_end(objects);
	objects_settled(objects, tx.ticket, true);
}

static inline struct world *
world_with(enum leg_profile_field field, uint32_t value)
{
	struct world *world = calloc(1, sizeof *world);
	CHECK(world != NULL);
	world->now_us = 10 * S;
	world->room = addr_ip4(192, 0, 2, 30, 5060);
	prng_init(&world->prng, 1);
	const struct meeting_settings meeting = {
		.limits = { .calls_max = LEGS_MAX, .legs_max = LEGS_MAX },
		.random = on_random,
		.context = world,
	};
	CHECK(meeting_create(&world->meeting, &meeting, world->now_us) == 0);
	add_space(world, field, value);
	world->listener = (struct sip_ua_listener){ .transport = SIP_TRANSPORT_UDP,
		                                    .addr = addr_ip4(192, 0, 2, 1, 5060) };
	struct sip_ua_settings ua = sip_ua_settings_default();
	ua.listeners = &world->listener;
	ua.listener_count = 1;
	CHECK(sip_ua_create(&world->ua, &ua, world->now_us) == 0);
	const struct bridge_settings settings = {
		.meeting = world->meeting,
		.ua = world->ua,
		.workers = 1,
		.legs_max = LEGS_MAX,
		.media_legs_max = BRIDGE_MEDIA_LEGS_MAX * LEGS_MAX,
		.rooms_max = LEGS_MAX,
		.fingerprint = { .hash = SDP_HASH_SHA256, .len = 32 },
		.listeners = &world->listener,
		.web_addresses = &world->listener.addr,
		.web_address_count = 1,
		.floors = { .udp_port = 5070, .tcp_port = 5071,
		            .fingerprint = { .hash = SDP_HASH_SHA256, .len = 32 } },
		.sip_domain = "192.0.2.1",
		.id = "00000000-0000-4000-8000-000000000001",
		.jwt_hours = 24,
		.sink = { .context = world, .order = on_order, .sip = on_sip, .web = on_web,
		          .floor = on_floor,
		          .log = on_log, .random = on_random, .wall_s = on_wall_s },
	};
	CHECK(bridge_create(&world->bridge, &settings, world->now_us) == 0);
	bridge_link_up(world->bridge, 0, 0, world->now_us);
	return world;
}

static inline struct world *
world_create(void)
{
	return world_with(LEG_PROFILE_NAME, 0);
}

static inline void
world_destroy(struct world *world)
{
	bridge_destroy(world->bridge);
	sip_ua_destroy(world->ua);
	meeting_destroy(world->meeting);
	free(world);
}

static inline unsigned
count_of(const struct world *world, enum media_order_kind kind)
{
	unsigned count = 0;
	for (unsigned i = 0; i < world->order_count; i++)
		count += world->orders[i].kind == kind;
	return count;
}

/* The newest order of a kind, or the newest about a video line. */
static inline const struct media_order *
last_order(const struct world *world, enum media_order_kind kind, int line)
{
	for (unsigned i = world->order_count; i-- != 0;) {
		const struct media_order *order = &world->orders[i];
		if (order->kind == kind &&
		    (kind != MEDIA_ORDER_LEG_VIDEO || order->video.line == line))
			return order;
	}
	EXPECT(false);
	return NULL;
}

/* ---- A room -------------------------------------------------------------------------------- */

static inline struct str
recorded(const char *name)
{
	static char text[SDP_BYTES_MAX];
	char path[512];
	snprintf(path, sizeof path, "%s/%s.sdp", SDP_TESTDATA, name);
	FILE *file = fopen(path, "rb");
	EXPECT(file != NULL);
	const size_t len = fread(text, 1, sizeof text, file);
	fclose(file);
	return (struct str){ .at = text, .len = len };
}

static inline void
room_says(struct world *world, const char *method, struct str body)
{
	static char text[SDP_BYTES_MAX];
	struct writer w = writer_of(text, sizeof text);
	const bool ack = strcmp(method, "ACK") == 0;
	world->cseq += !ack;
	writer_format(&w,
	              "%s sip:demo@192.0.2.1 SIP/2.0\r\n"
	              "Via: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK%u%s\r\n"
	              "Max-Forwards: 70\r\nFrom: <sip:room@192.0.2.30>;tag=r\r\n"
	              "To: <sip:demo@192.0.2.1>%s%s\r\nCall-ID: call@192.0.2.30\r\n"
	              "CSeq: %u %s\r\nContact: <sip:room@192.0.2.30:5060>\r\n",
	              method, world->cseq, ack ? "a" : "", world->tag[0] != '\0' ? ";tag=" : "",
	              world->tag, world->cseq, method);
	if (body.len != 0)
		writer_text(&w, "Content-Type: application/sdp\r\n");
	writer_format(&w, "Content-Length: %zu\r\n\r\n", body.len);
	writer_str(&w, body);
	CHECK(!w.failed);
	sip_ua_datagram(world->ua, 0, &world->room, w.bytes, w.at, world->now_us);
	settle(world);
}

static inline unsigned
status(const struct world *world)
{
	unsigned code = 0;
	return sscanf(world->sent, "SIP/2.0 %u", &code) == 1 ? code : 0;
}

/* What our last message describes. */
static inline const struct sdp *
described(const struct world *world)
{
	static struct sdp sdp;
	const char *body = strstr(world->sent, "\r\n\r\n");
	EXPECT(body != NULL);
	EXPECT_EQ(sdp_parse(&sdp, str_of(body + 4)), SDP_OK);
	return &sdp;
}

static inline void
note_tag(struct world *world)
{
	const char *to = strstr(world->sent, "\r\nTo:");
	const char *tag = to != NULL ? strstr(to, ";tag=") : NULL;
	EXPECT(tag != NULL);
	size_t len = strcspn(tag + 5, "\r;");
	str_copy(world->tag, sizeof world->tag, (struct str){ .at = tag + 5, .len = len });
}

static inline void
call_in(struct world *world, struct str offer)
{
	room_says(world, "INVITE", offer);
	EXPECT_EQ(status(world), 200);
	note_tag(world);
	room_says(world, "ACK", (struct str){ 0 });
}

static inline struct bridge_leg *
only_leg(const struct world *world)
{
	uint32_t at = 0;
	const uint32_t handle = slab_next(&world->bridge->legs, &at);
	EXPECT(handle != 0);
	return bridge_leg_get(world->bridge, handle);
}

static inline unsigned
media_legs(const struct world *world)
{
	return bridge_count(world->bridge).media_legs;
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.30\r\ns=-\r\nc=IN IP4 192.0.2.30\r\nt=0 0\r\n"
#define SOUND "m=audio 4000 RTP/AVP 0\r\n"
#define PICTURE "m=video 4002 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\na=rtcp-fb:* nack pli\r\n"

/* ---- Browsers ------------------------------------------------------------------------------ */

static inline void
say(struct world *world, struct c2w_message *message, uint32_t session)
{
	message->session = session;
	bridge_web(world->bridge, 0, message, world->now_us);
	settle(world);
}

static inline void
browser_comes(struct world *world, struct str offer)
{
	struct c2w_message join = { .kind = C2W_JOIN, .request = 1 };
	join.join = (struct c2w_join){ .address = STR("demo"), .name = STR("Somebody") };
	say(world, &join, 0);
	struct c2w_message open = { .kind = C2W_OPEN };
	open.open = (struct c2w_open){ .token = str_of(world->token) };
	say(world, &open, 1);
	struct c2w_message message = { .kind = C2W_OFFER };
	message.sdp = (struct c2w_sdp){ .revision = 1, .sdp = offer };
	say(world, &message, 1);
}

#endif
