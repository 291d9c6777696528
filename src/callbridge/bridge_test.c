/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what the simulator's two dozen people cannot show: large meetings, tokens used twice, links
 * that come and go, messages at the worst moment.
 * Method: a bridge with the real model and user agent, workers that only acknowledge their orders,
 * and a page of one browser that is kept as a real one would. */
#include "callbridge/bridge.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"

enum {
	LEGS_MAX = 1400,
	EVENTS_MAX = 2 * LEGS_MAX,
	PAGE_PEOPLE_MAX = LEGS_MAX,
	MS = 1000,
	S = 1000 * MS,
};

/* What the browser of one session was told. */
struct page {
	uint32_t session; /* 0: nobody looks */
	unsigned people_count;
	char people[PAGE_PEOPLE_MAX][GUID_TEXT_LEN + 1];
	unsigned opened_count;
	bool resumed;
	char token[C2W_TOKEN_MAX]; /* the fresh one that came with it */
	unsigned ended_count;
	enum c2w_end end;
	struct c2w_muted muted;
	unsigned cameras_off; /* told that somebody else has switched the camera off */
};

struct world {
	int64_t now_us;
	int64_t wall_s;
	struct prng prng;
	struct meeting *meeting;
	struct sip_ua *ua;
	struct sip_ua_listener listener;
	struct bridge *bridge;
	struct {
		unsigned worker;
		struct media_event event;
	} events[EVENTS_MAX];
	unsigned event_count;
	struct page page;
	char token[C2W_TOKEN_MAX]; /* of the last join */
	unsigned refused_count;
	enum c2w_refusal refusal;
};

static const char browser_offer[] =
	"v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	"a=group:BUNDLE 0\r\n"
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=ice-options:trickle\r\n"
	"a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
	"10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
	"a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n"
	"a=rtpmap:111 opus/48000/2\r\n";

/* ---- What the bridge does to the world ------------------------------------------------------ */

static void
on_order(void *context, unsigned worker, const struct media_order *order)
{
	struct world *world = context;
	struct media_event event = { .leg = order->leg, .room = order->room };
	if (order->kind == MEDIA_ORDER_LEG_OPEN) {
		event.kind = MEDIA_EVENT_LEG_OPENED;
		event.opened.local_rtp = addr_ip4(192, 0, 2, 1, 50000);
		event.opened.local_rtcp = event.opened.local_rtp;
		str_copy(event.opened.ice_ufrag, sizeof event.opened.ice_ufrag, STR("00100000abcd"));
		str_copy(event.opened.ice_pwd, sizeof event.opened.ice_pwd,
		         STR("0123456789012345678901"));
	} else if (order->kind == MEDIA_ORDER_LEG_CLOSE) {
		event.kind = MEDIA_EVENT_LEG_CLOSED;
	} else if (order->kind == MEDIA_ORDER_ROOM_CLOSE) {
		event.kind = MEDIA_EVENT_ROOM_CLOSED;
	} else {
		return;
	}
	CHECK(world->event_count < EVENTS_MAX);
	world->events[world->event_count].worker = worker;
	world->events[world->event_count++].event = event;
}

static unsigned
find_person(const struct page *page, struct str id)
{
	unsigned i = 0;
	while (i < page->people_count && !str_eq(str_of(page->people[i]), id))
		i++;
	return i;
}

static void
take_roster(struct page *page, const struct c2w_roster *roster)
{
	if (roster->complete)
		page->people_count = 0;
	for (uint32_t i = 0; i < roster->count; i++) {
		const struct c2w_person *person = &roster->people[i];
		const unsigned at = find_person(page, person->participant);
		if (person->gone && at < page->people_count)
			memcpy(page->people[at], page->people[--page->people_count],
			       sizeof page->people[at]);
		else if (!person->gone && at == page->people_count)
			str_copy(page->people[page->people_count++], GUID_TEXT_LEN + 1,
			         person->participant);
	}
}

static bool
is_for(const struct c2w_message *message, uint32_t session)
{
	bool found = message->session == session;
	for (uint32_t i = 0; i < message->session_count; i++)
		found = found || message->sessions[i] == session;
	return found && session != 0;
}

static void
on_web(void *context, unsigned link, const struct c2w_message *message)
{
	struct world *world = context;
	struct page *page = &world->page;
	(void)link;
	if (message->kind == C2W_JOINED)
		str_copy(world->token, sizeof world->token, message->joined.token);
	if (message->kind == C2W_REFUSED) {
		world->refused_count++;
		world->refusal = message->refusal;
	}
	if (!is_for(message, page->session))
		return;
	if (message->kind == C2W_OPENED) {
		page->opened_count++;
		page->resumed = message->opened.resumed;
		str_copy(page->token, sizeof page->token, message->opened.token);
	} else if (message->kind == C2W_ROSTER) {
		take_roster(page, &message->roster);
	} else if (message->kind == C2W_MUTED) {
		page->muted = message->muted;
	} else if (message->kind == C2W_VIDEO_MUTED) {
		page->cameras_off += message->video_muted.muted && message->video_muted.by_other;
	} else if (message->kind == C2W_ENDED) {
		page->ended_count++;
		page->end = message->end;
	}
}

static void
on_sip(void *context, const struct sip_out *out)
{
	(void)context, (void)out;
}

static void
on_floor(void *context, const struct bridge_floor_order *order)
{
	(void)context, (void)order;
}

static void
on_log(void *context, enum bridge_log level, struct str text)
{
	(void)context, (void)level, (void)text;
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
	const struct world *world = context;
	return world->wall_s;
}

/* ---- The world ----------------------------------------------------------------------------- */

static void
settle(struct world *world)
{
	bridge_drain(world->bridge, world->now_us);
	for (unsigned i = 0; i < world->event_count; i++)
		bridge_media(world->bridge, world->events[i].worker, &world->events[i].event,
		             world->now_us);
	world->event_count = 0;
}

static void
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

static void
add_space(struct world *world)
{
	struct objects *objects = meeting_objects(world->meeting);
	struct object_edit edit = { .type = OBJECT_SPACE };
	uint32_t handle = 0;
	int culprit = -1;
	edit_set_text(&edit, SPACE_NAME, STR("Demo"));
	edit_set_text(&edit, SPACE_URI, STR("demo"));
	objects_begin(objects);
	CHECK(objects_add(objects, &edit, 0, &handle, &culprit) == OBJECT_OK);
	const struct object_tx tx = objects_end(objects);
	objects_settled(objects, tx.ticket, true);
}

static struct world *
world_create(void)
{
	struct world *world = calloc(1, sizeof *world);
	CHECK(world != NULL);
	world->now_us = 10 * S;
	world->wall_s = 1800000000;
	prng_init(&world->prng, 1);
	const struct meeting_settings meeting = {
		.limits = { .calls_max = LEGS_MAX, .legs_max = LEGS_MAX },
		.random = on_random,
		.context = world,
	};
	CHECK(meeting_create(&world->meeting, &meeting, world->now_us) == 0);
	add_space(world);
	world->listener = (struct sip_ua_listener){ .transport = SIP_TRANSPORT_UDP,
		                                    .addr = addr_ip4(192, 0, 2, 1, 5060) };
	struct sip_ua_settings ua = sip_ua_settings_default();
	ua.listeners = &world->listener;
	ua.listener_count = 1;
	CHECK(sip_ua_create(&world->ua, &ua, world->now_us) == 0);
	const struct bridge_settings settings = {
		.meeting = world->meeting,
		.ua = world->ua,
		.workers = 2,
		.legs_max = LEGS_MAX,
		.media_legs_max = BRIDGE_MEDIA_LEGS_MAX * LEGS_MAX,
		.rooms_max = LEGS_MAX,
		.fingerprint = { .hash = SDP_HASH_SHA256, .len = 32 },
		.listeners = &world->listener,
		.web_addresses = &world->listener.addr,
		.web_address_count = 1,
		.sip_domain = "192.0.2.1",
		.id = "00000000-0000-4000-8000-000000000001",
		.jwt_hours = 24,
		.sink = { .context = world,
		          .order = on_order,
		          .sip = on_sip,
		          .web = on_web,
		          .floor = on_floor,
		          .log = on_log,
		          .random = on_random,
		          .wall_s = on_wall_s },
	};
	CHECK(bridge_create(&world->bridge, &settings, world->now_us) == 0);
	bridge_link_up(world->bridge, 0, 0, world->now_us);
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

/* ---- Browsers ------------------------------------------------------------------------------ */

static void
say(struct world *world, struct c2w_message *message, uint32_t session)
{
	message->session = session;
	bridge_web(world->bridge, 0, message, world->now_us);
	settle(world);
}

static void
open_session(struct world *world, uint32_t session, const char *token)
{
	struct c2w_message message = { .kind = C2W_OPEN };
	message.open = (struct c2w_open){ .token = str_of(token) };
	say(world, &message, session);
}

static void
offer(struct world *world, uint32_t session)
{
	struct c2w_message message = { .kind = C2W_OFFER };
	message.sdp = (struct c2w_sdp){ .revision = 1, .sdp = str_of(browser_offer) };
	say(world, &message, session);
}

static void
say_plain(struct world *world, enum c2w_kind kind, uint32_t session)
{
	struct c2w_message message = { .kind = kind };
	say(world, &message, session);
}

static void
mute(struct world *world, uint32_t session, bool muted)
{
	struct c2w_message message = { .kind = C2W_MUTE, .mute = muted };
	say(world, &message, session);
}

/* Comes in at the web page; the token stays in world->token. */
static void
join(struct world *world)
{
	struct c2w_message message = { .kind = C2W_JOIN, .request = 1 };
	message.join = (struct c2w_join){ .address = STR("demo"), .name = STR("Somebody") };
	say(world, &message, 0);
}

static void
come_in(struct world *world, uint32_t session)
{
	join(world);
	open_session(world, session, world->token);
	offer(world, session);
}

static uint32_t
legs(const struct world *world)
{
	return bridge_count(world->bridge).legs;
}

/* ---- Rosters ------------------------------------------------------------------------------- */

TEST(a_roster_longer_than_a_message_comes_in_several)
{
	const unsigned people = C2W_PEOPLE_MAX + 200;
	struct world *world = world_create();
	world->page.session = 1;
	for (uint32_t session = 1; session <= people; session++)
		come_in(world, session);
	pass(world, 1 * S);
	EXPECT_EQ(world->page.people_count, people); /* all of them at one tick */
	world->page = (struct page){ .session = people + 1 };
	come_in(world, people + 1);
	EXPECT_EQ(world->page.people_count, people); /* all but itself, which is not connected yet */
	pass(world, 1 * S);
	EXPECT_EQ(world->page.people_count, people + 1);
	world_destroy(world);
}

TEST(many_who_leave_at_once_are_all_taken_off_the_roster)
{
	struct world *world = world_create();
	world->page.session = 1;
	for (uint32_t session = 1; session <= 100; session++)
		come_in(world, session);
	pass(world, 1 * S);
	EXPECT_EQ(world->page.people_count, 100);
	for (uint32_t session = 2; session <= 80; session++)
		say_plain(world, C2W_LEAVE, session);
	pass(world, 1 * S);
	EXPECT_EQ(world->page.people_count, 21);
	EXPECT_EQ(legs(world), 21);
	world_destroy(world);
}

TEST(who_left_before_the_others_were_told_of_him_is_on_no_roster)
{
	struct world *world = world_create();
	come_in(world, 1);
	world->page.session = 2;
	come_in(world, 2); /* its roster has 1, of whom no tick has told yet */
	EXPECT_EQ(world->page.people_count, 1);
	say_plain(world, C2W_LEAVE, 1);
	pass(world, 1 * S);
	EXPECT_EQ(world->page.people_count, 1); /* itself */
	EXPECT_EQ(legs(world), 1);
	world_destroy(world);
}

/* ---- Tokens -------------------------------------------------------------------------------- */

TEST(who_never_offers_sound_keeps_no_place)
{
	struct world *world = world_create();
	come_in(world, 1); /* one who offers stays */
	world->page.session = 2;
	const unsigned before = legs(world);
	join(world);
	open_session(world, 2, world->token);
	EXPECT_EQ(legs(world), before + 1);
	pass(world, BRIDGE_OFFER_US - 1 * S);
	EXPECT_EQ(world->page.ended_count, 0);
	pass(world, 2 * S);
	EXPECT_EQ(world->page.ended_count, 1);
	EXPECT_EQ(world->page.end, C2W_END_TIMEOUT);
	EXPECT_EQ(legs(world), before);
	world_destroy(world);
}

TEST(a_token_used_in_a_second_browser_takes_the_place_of_the_first)
{
	struct world *world = world_create();
	world->page.session = 1;
	come_in(world, 1);
	open_session(world, 2, world->token);
	EXPECT_EQ(world->page.ended_count, 1);
	EXPECT_EQ(world->page.end, C2W_END_REPLACED);
	EXPECT_EQ(legs(world), 1);
	/* What the first one still says is nobody's word. */
	say_plain(world, C2W_LEAVE, 1);
	say_plain(world, C2W_CLOSED, 1);
	EXPECT_EQ(legs(world), 1);
	EXPECT_EQ(bridge_count(world->bridge).waiting_browsers, 0);
	world->page = (struct page){ .session = 2 };
	open_session(world, 1, world->token);
	EXPECT_EQ(world->page.end, C2W_END_REPLACED);
	world_destroy(world);
}

TEST(nobody_has_switched_off_the_camera_of_who_is_coming_in)
{
	struct world *world = world_create();
	struct c2w_message camera = { .kind = C2W_CAMERA, .on = true };
	world->page.session = 1;
	join(world);
	open_session(world, 1, world->token);
	say(world, &camera, 1);
	offer(world, 1);
	pass(world, 1 * S);
	EXPECT_EQ(world->page.cameras_off, 0);
	world_destroy(world);
}

TEST(a_token_in_its_second_half_is_renewed)
{
	struct world *world = world_create();
	world->page.session = 1;
	come_in(world, 1);
	EXPECT_STR(str_of(world->page.token), "");
	say_plain(world, C2W_CLOSED, 1);
	world->wall_s += 13 * 3600;
	world->page.session = 2;
	open_session(world, 2, world->token);
	EXPECT(world->page.resumed && world->page.token[0] != '\0');
	/* The fresh one serves when the old one has run out, and for the same participant. */
	char fresh[C2W_TOKEN_MAX];
	memcpy(fresh, world->page.token, sizeof fresh);
	world->wall_s += 12 * 3600;
	open_session(world, 3, world->token);
	EXPECT_EQ(world->refusal, C2W_REFUSAL_EXPIRED);
	world->page.session = 4;
	open_session(world, 4, fresh);
	EXPECT(world->page.resumed);
	EXPECT_EQ(legs(world), 1);
	world_destroy(world);
}

TEST(a_session_number_is_opened_once)
{
	struct world *world = world_create();
	come_in(world, 1);
	open_session(world, 1, world->token);
	EXPECT_EQ(world->refused_count, 1);
	EXPECT_EQ(world->refusal, C2W_REFUSAL_BAD_REQUEST);
	EXPECT_EQ(legs(world), 1);
	world_destroy(world);
}

/* ---- Links --------------------------------------------------------------------------------- */

TEST(a_link_that_flaps_loses_nobody_who_comes_back_in_time)
{
	struct world *world = world_create();
	come_in(world, 1);
	char token[C2W_TOKEN_MAX];
	memcpy(token, world->token, sizeof token);
	come_in(world, 2);
	for (uint32_t flap = 0; flap < 5; flap++) {
		bridge_link_down(world->bridge, 0, world->now_us);
		settle(world);
		EXPECT_EQ(bridge_count(world->bridge).waiting_browsers, 2);
		pass(world, 5 * S);
		bridge_link_up(world->bridge, 0, 0, world->now_us);
		/* Sessions are numbered anew on a new connection. */
		open_session(world, 1, world->token);
		open_session(world, 2, token);
		EXPECT_EQ(bridge_count(world->bridge).waiting_browsers, 0);
	}
	pass(world, BRIDGE_REJOIN_US + 1 * S);
	EXPECT_EQ(legs(world), 2);
	bridge_link_down(world->bridge, 0, world->now_us);
	pass(world, BRIDGE_REJOIN_US + 1 * S);
	EXPECT_EQ(legs(world), 0);
	EXPECT_EQ(bridge_count(world->bridge).rooms, 0);
	EXPECT_EQ(bridge_count(world->bridge).media_legs, 0);
	world_destroy(world);
}

TEST(browsers_that_wait_for_a_link_end_with_the_bridge)
{
	struct world *world = world_create();
	come_in(world, 1);
	bridge_link_down(world->bridge, 0, world->now_us);
	(void)bridge_shutdown(world->bridge, world->now_us);
	settle(world);
	EXPECT(bridge_shutdown(world->bridge, world->now_us));
	pass(world, 2 * S);
	EXPECT_EQ(bridge_deadline(world->bridge), INT64_MAX);
	world_destroy(world);
}

/* ---- Mute ---------------------------------------------------------------------------------- */

/* Something else about the leg changes, so that its settings are told again. */
static void
touch(struct world *world, uint32_t importance)
{
	uint32_t at = 0;
	const uint32_t leg = meeting_leg_next(world->meeting, &at);
	struct object_edit edit = { .type = OBJECT_LEG };
	edit_set_number(&edit, LEG_IMPORTANCE, importance);
	meeting_leg_edit(world->meeting, leg, &edit, world->now_us);
	settle(world);
}

static void
edit_mute(struct world *world, bool muted)
{
	uint32_t at = 0;
	const uint32_t leg = meeting_leg_next(world->meeting, &at);
	struct object_edit edit = { .type = OBJECT_LEG };
	const unsigned own = object_describe(OBJECT_LEG)->field_count;
	edit_set_number(&edit, own + LEG_PROFILE_RX_AUDIO_MUTE - 1, muted);
	meeting_leg_edit(world->meeting, leg, &edit, world->now_us);
	settle(world);
}

TEST(nobody_has_muted_who_is_not_inside_yet)
{
	struct world *world = world_create();
	world->page.session = 1;
	join(world);
	open_session(world, 1, world->token);
	EXPECT(world->page.muted.muted && !world->page.muted.by_other);
	offer(world, 1);
	EXPECT(!world->page.muted.muted && world->page.muted.by_other);
	world_destroy(world);
}

TEST(the_page_is_told_whose_wish_a_mute_is)
{
	struct world *world = world_create();
	world->page.session = 1;
	come_in(world, 1);
	/* A page that wants to be muted must learn that nobody wished it to be heard. */
	EXPECT(!world->page.muted.muted && world->page.muted.by_other);
	mute(world, 1, true);
	EXPECT(world->page.muted.muted && !world->page.muted.by_other);
	touch(world, 5);
	EXPECT(world->page.muted.muted && !world->page.muted.by_other);
	open_session(world, 2, world->token);
	world->page.session = 3;
	open_session(world, 3, world->token);
	EXPECT(world->page.muted.muted && !world->page.muted.by_other);
	edit_mute(world, false);
	EXPECT(!world->page.muted.muted && world->page.muted.by_other);
	edit_mute(world, true);
	EXPECT(world->page.muted.muted && world->page.muted.by_other);
	world_destroy(world);
}

/* ---- Who is signed in ---------------------------------------------------------------------- */

static uint32_t
put(struct world *world, const struct object_edit *edit, uint32_t parent)
{
	struct objects *objects = meeting_objects(world->meeting);
	uint32_t handle = 0;
	int culprit = -1;
	objects_begin(objects);
	CHECK(objects_add(objects, edit, parent, &handle, &culprit) == OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	return handle;
}

/* A space with a passcode in which Ann is a host by her membership, and others wait for one. */
struct club {
	uint32_t ann;
	uint32_t ben;
	uint32_t space;
	char space_id[GUID_TEXT_LEN + 1];
	char auth[C2W_TOKEN_MAX + 1]; /* the newest sign-in */
};

static void
club_id(char out[GUID_TEXT_LEN + 1], struct world *world, enum object_type type, uint32_t handle)
{
	const struct guid id = objects_id(meeting_objects(world->meeting), type, handle);
	guid_write(out, &id);
}

static struct club
club_make(struct world *world)
{
	struct club club = { .auth = "" };
	struct object_edit ann = { .type = OBJECT_USER };
	struct object_edit ben = { .type = OBJECT_USER };
	struct object_edit space = { .type = OBJECT_SPACE };
	struct object_edit waits = { .type = OBJECT_LEG_PROFILE };
	struct object_edit hosts = { .type = OBJECT_LEG_PROFILE };
	struct object_edit member = { .type = OBJECT_MEMBER };
	const struct objects *objects = meeting_objects(world->meeting);
	edit_set_text(&ann, USER_JID, STR("ann@example.com"));
	edit_set_text(&ann, USER_NAME, STR("Ann Lee"));
	edit_set_text(&ben, USER_JID, STR("ben@example.com"));
	club.ann = put(world, &ann, 0);
	club.ben = put(world, &ben, 0);
	edit_set_number(&waits, LEG_PROFILE_NEEDS_ACTIVATION, 1);
	edit_set_number(&hosts, LEG_PROFILE_NEEDS_ACTIVATION, 0);
	const struct guid waits_id =
		objects_id(objects, OBJECT_LEG_PROFILE, put(world, &waits, 0));
	const struct guid hosts_id =
		objects_id(objects, OBJECT_LEG_PROFILE, put(world, &hosts, 0));
	edit_set_text(&space, SPACE_URI, STR("club"));
	edit_set_text(&space, SPACE_PASSCODE, STR("1234"));
	edit_set_guid(&space, SPACE_LEG_PROFILE, &waits_id);
	club.space = put(world, &space, 0);
	edit_set_text(&member, MEMBER_JID, STR("ann@example.com"));
	edit_set_guid(&member, MEMBER_LEG_PROFILE, &hosts_id);
	(void)put(world, &member, club.space);
	club_id(club.space_id, world, OBJECT_SPACE, club.space);
	return club;
}

static void
club_sign_in(struct club *club, struct world *world, uint32_t user)
{
	char id[GUID_TEXT_LEN + 1];
	static const uint8_t key[JWT_KEY_BYTES];
	struct writer w = writer_of(club->auth, sizeof club->auth - 1);
	club_id(id, world, OBJECT_USER, user);
	const struct jwt_claims claims = { .name = STR("x"), .user = str_of(id),
		                           .issued_s = world->wall_s,
		                           .expires_s = world->wall_s + 60 };
	jwt_write(&w, &claims, key);
	CHECK(!w.failed);
	club->auth[w.at] = '\0';
}

/* By an address, or with "" by the space's id; false: refused. */
static bool
club_join(struct club *club, struct world *world, const char *address)
{
	struct c2w_message message = { .kind = C2W_JOIN, .request = 1 };
	message.join = (struct c2w_join){ .address = str_of(address), .name = STR("Mallory"),
		                          .auth = str_of(club->auth) };
	if (address[0] == '\0')
		message.join.space = str_of(club->space_id);
	world->token[0] = '\0';
	bridge_web(world->bridge, 0, &message, world->now_us);
	settle(world);
	return world->token[0] != '\0';
}

TEST(a_member_who_is_signed_in_enters_as_host_under_their_own_name)
{
	static const char *const ways[] = { "club", "" };
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct world *world = world_create();
		struct club club = club_make(world);
		EXPECT(!club_join(&club, world, "club"));
		EXPECT_EQ(world->refusal, C2W_REFUSAL_PASSCODE_REQUIRED);
		club_sign_in(&club, world, club.ann);
		EXPECT(club_join(&club, world, ways[i]));
		world->page.session = 5;
		open_session(world, 5, world->token);
		offer(world, 5);
		EXPECT_EQ(world->page.opened_count, 1);
		uint32_t at = 0;
		const struct meeting_leg *leg =
			meeting_leg(world->meeting, meeting_leg_next(world->meeting, &at));
		const struct meeting_participant *who =
			meeting_participant(world->meeting, leg->participant);
		EXPECT_STR(str_of(leg->name), "Ann Lee");
		EXPECT_STR(str_of(leg->user), "ann@example.com");
		EXPECT_STR(str_of(who->user_jid), "ann@example.com");
		EXPECT(who->member != 0 && who->activator && !leg->lobby);
		world_destroy(world);
	}
}

TEST(who_is_no_member_any_more_does_not_come_back_by_an_old_token)
{
	struct world *world = world_create();
	struct club club = club_make(world);
	struct objects *objects = meeting_objects(world->meeting);
	struct object_edit edit = { .type = OBJECT_SPACE };
	char token[sizeof world->token];
	int culprit = -1;
	edit_set_number(&edit, SPACE_NON_MEMBER_ACCESS, 0);
	objects_begin(objects);
	CHECK(objects_edit(objects, club.space, &edit, &culprit) == OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	club_sign_in(&club, world, club.ann);
	EXPECT(club_join(&club, world, ""));
	world->page.session = 5;
	open_session(world, 5, world->token);
	EXPECT_EQ(world->page.opened_count, 1);
	EXPECT(club_join(&club, world, ""));
	memcpy(token, world->token, sizeof token);
	objects_begin(objects);
	CHECK(objects_remove(objects, OBJECT_MEMBER,
	                     objects_next_inside(objects, OBJECT_MEMBER, club.space, 0)) ==
	      OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	world->page.session = 6;
	open_session(world, 6, token);
	EXPECT_EQ(world->refusal, C2W_REFUSAL_EXPIRED);
	EXPECT_EQ(world->page.opened_count, 1);
	world_destroy(world);
}

TEST(who_is_signed_in_but_no_member_comes_as_anybody)
{
	struct world *world = world_create();
	struct club club = club_make(world);
	club_sign_in(&club, world, club.ben);
	EXPECT(!club_join(&club, world, ""));
	EXPECT_EQ(world->refusal, C2W_REFUSAL_UNKNOWN_MEETING);
	EXPECT(!club_join(&club, world, "club"));
	EXPECT_EQ(world->refusal, C2W_REFUSAL_PASSCODE_REQUIRED);
	EXPECT(club_join(&club, world, "demo"));
	club.auth[0] = '\0';
	EXPECT(!club_join(&club, world, ""));
	EXPECT_EQ(world->refusal, C2W_REFUSAL_UNKNOWN_MEETING);
	world_destroy(world);
}

TEST(a_sign_in_that_is_over_joins_nothing_and_its_token_opens_no_meeting)
{
	struct world *world = world_create();
	struct club club = club_make(world);
	club_sign_in(&club, world, club.ann);
	world->page.session = 5;
	open_session(world, 5, club.auth);
	EXPECT_EQ(world->refusal, C2W_REFUSAL_BAD_TOKEN);
	world->wall_s += 60;
	EXPECT(!club_join(&club, world, "club"));
	EXPECT_EQ(world->refusal, C2W_REFUSAL_EXPIRED);
	str_copy(club.auth, sizeof club.auth, STR("a.b.c"));
	EXPECT(!club_join(&club, world, "demo"));
	EXPECT_EQ(world->refusal, C2W_REFUSAL_EXPIRED);
	/* A user who is removed between joining and entering does not enter as a guest. */
	club_sign_in(&club, world, club.ann);
	EXPECT(club_join(&club, world, "club"));
	struct objects *objects = meeting_objects(world->meeting);
	objects_begin(objects);
	CHECK(objects_remove(objects, OBJECT_USER, club.ann) == OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	open_session(world, 6, world->token);
	EXPECT_EQ(world->refusal, C2W_REFUSAL_EXPIRED);
	EXPECT_EQ(world->page.opened_count, 0);
	world_destroy(world);
}
