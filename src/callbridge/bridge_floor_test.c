/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a room that keeps the floor is sent content only while it has let us; one that knows no floor
 * control presents as soon as it may.
 * Method: the world of bridge_fixture.h, with a browser that presents. */
#include "callbridge/bridge_fixture.h"

#define LINES                                                                                \
	HEAD SOUND PICTURE "m=video 4004 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\n"            \
	                   "a=content:slides\r\na=label:12\r\n"
#define FLOOR(conference)                                                                    \
	"m=application 4006 UDP/BFCP *\r\na=floorctrl:s-only\r\na=confid:" conference         \
	"\r\na=userid:3\r\na=floorid:2 mstrm:12\r\na=setup:actpass\r\na=connection:new\r\n"

/* Content comes from the leg, or stops. */
static void
content(struct world *world, media_leg_id media, bool flows)
{
	struct media_event event = { .kind = MEDIA_EVENT_LEG_PICTURE, .leg = media };
	event.picture = (struct media_picture){ .track = VIDEO_TRACK_CONTENT, .flows = flows,
		                                .codec = VIDEO_CODEC_VP8, .width = 1280,
		                                .height = 720 };
	bridge_media(world->bridge, 0, &event, world->now_us);
	settle(world);
}

static struct bridge_leg *
leg_of_kind(const struct world *world, enum leg_kind kind)
{
	uint32_t handle;
	for (uint32_t at = 0; (handle = slab_next(&world->bridge->legs, &at)) != 0;)
		if (bridge_leg_get(world->bridge, handle)->kind == kind)
			return bridge_leg_get(world->bridge, handle);
	EXPECT(false);
	return NULL;
}

static void
browser_presents(struct world *world, bool on)
{
	struct c2w_message share = { .kind = C2W_SHARE, .on = on };
	say(world, &share, 1);
	content(world, leg_of_kind(world, LEG_WEB)->media[BRIDGE_MEDIUM_AUDIO].id, on);
	pass(world, 200 * MS);
}

/* Whether the room is sent content. */
static bool
room_is_sent(const struct world *world)
{
	const media_leg_id media = leg_of_kind(world, LEG_SIP)->media[BRIDGE_MEDIUM_CONTENT].id;
	for (unsigned i = world->order_count; i-- != 0;) {
		const struct media_order *order = &world->orders[i];
		if (order->kind == MEDIA_ORDER_LEG_SHOW && order->leg == media)
			return order->show.kind == MEDIA_SHOW_SOURCE;
	}
	return false;
}

static uint32_t
presenter(const struct world *world)
{
	uint32_t at = 0;
	return meeting_call(world->meeting, meeting_call_next(world->meeting, &at))->presenter;
}

TEST(another_association_lets_nothing_through_before_its_room_has)
{
	struct world *world = world_with(LEG_PROFILE_BFCP_MODE, BFCP_SERVER_AND_CLIENT);
	call_in(world, STR(LINES FLOOR("7")));
	browser_comes(world, recorded("chromium-simulcast"));
	const uint32_t room = leg_of_kind(world, LEG_SIP)->handle;
	EXPECT_EQ(world->floor.kind, BRIDGE_FLOOR_RELEASE); /* an order to clients */
	browser_presents(world, true);
	EXPECT_EQ(world->floor.kind, BRIDGE_FLOOR_REQUEST);
	EXPECT(!room_is_sent(world));
	bridge_floor(world->bridge, room, BRIDGE_FLOOR_GRANTED, world->now_us);
	pass(world, 200 * MS);
	EXPECT(room_is_sent(world));

	/* What changes nothing takes nothing away. */
	room_says(world, "INVITE", STR(LINES FLOOR("7")));
	room_says(world, "ACK", (struct str){ 0 });
	pass(world, 200 * MS);
	EXPECT(room_is_sent(world));

	room_says(world, "INVITE", STR(LINES FLOOR("8")));
	room_says(world, "ACK", (struct str){ 0 });
	pass(world, 200 * MS);
	EXPECT_EQ(world->floor.kind, BRIDGE_FLOOR_REQUEST);
	EXPECT(!room_is_sent(world));
	bridge_floor(world->bridge, room, BRIDGE_FLOOR_GRANTED, world->now_us);
	pass(world, 200 * MS);
	EXPECT(room_is_sent(world));
	world_destroy(world);
}

/* Everybody may present while nobody does; this leg has no right of its own. */
static void
take_right(struct world *world, uint32_t leg)
{
	uint32_t at = 0;
	struct object_edit call = { .type = OBJECT_CALL };
	struct object_edit edit = { .type = OBJECT_LEG };
	const unsigned own = object_describe(OBJECT_LEG)->field_count;
	edit_set_number(&call, CALL_ALLOW_ALL_PRESENTATION, true);
	meeting_call_edit(world->meeting, meeting_call_next(world->meeting, &at), &call,
	                  world->now_us);
	edit_set_number(&edit, own + LEG_PROFILE_PRESENTATION_CONTRIBUTION_ALLOWED - 1, false);
	meeting_leg_edit(world->meeting, leg, &edit, world->now_us);
	settle(world);
}

TEST(content_that_had_to_wait_is_shown_when_nobody_else_presents)
{
	struct world *world = world_create();
	call_in(world, STR(LINES));
	browser_comes(world, recorded("chromium-simulcast"));
	const struct bridge_leg *room = leg_of_kind(world, LEG_SIP);
	take_right(world, room->meeting_leg);
	browser_presents(world, true);
	content(world, room->media[BRIDGE_MEDIUM_CONTENT].id, true);
	EXPECT_EQ(presenter(world), leg_of_kind(world, LEG_WEB)->meeting_leg);
	browser_presents(world, false);
	EXPECT_EQ(presenter(world), room->meeting_leg);
	content(world, room->media[BRIDGE_MEDIUM_CONTENT].id, false);
	EXPECT_EQ(presenter(world), 0);
	world_destroy(world);
}

TEST(content_whose_floor_was_taken_is_shown_again_when_that_is_over)
{
	struct world *world = world_create();
	call_in(world, STR(LINES));
	browser_comes(world, recorded("chromium-simulcast"));
	const struct bridge_leg *room = leg_of_kind(world, LEG_SIP);
	content(world, room->media[BRIDGE_MEDIUM_CONTENT].id, true);
	EXPECT_EQ(presenter(world), room->meeting_leg);
	browser_presents(world, true);
	EXPECT_EQ(presenter(world), leg_of_kind(world, LEG_WEB)->meeting_leg);
	browser_presents(world, false);
	EXPECT_EQ(presenter(world), room->meeting_leg);
	world_destroy(world);
}
