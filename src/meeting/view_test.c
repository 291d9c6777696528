/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: each receiver is shown what profiles, choices and rights say, content goes where it can be
 * seen, and codes, chat, hands and cameras do what they may.  Method: short dialogues; a view
 * compared as text: "onePlus 1280: 2 1 . +3". */
#include "meeting/model_world.h"

/* A view in words: the first pane's width, then who stands in each pane by leg number. */
static const char *
view_of(struct world *world, uint32_t leg)
{
	static char text[512];
	struct writer w = writer_of(text, sizeof text - 1);
	struct meeting_view view;
	meeting_view(world->meeting, meeting_leg(world->meeting, leg)->call, leg, &view);
	if (view.screen != VIEW_PANES)
		writer_text(&w, view.screen == VIEW_LOBBY ? "lobby" : "only");
	else
		writer_format(&w, "%u:", view.layout.panes[0].width);
	for (unsigned i = 0; i < view.layout.count; i++) {
		const struct meeting_leg *shown = meeting_leg(world->meeting, view.legs[i]);
		if (shown != NULL)
			writer_format(&w, " %u%s", shown->number,
			              i == 0 && view.content ? "c" : "");
		else
			writer_text(&w, " .");
	}
	if (view.counter != 0)
		writer_format(&w, " +%u", view.counter);
	if (view.content_stream)
		writer_format(&w, " and %uc", meeting_leg(world->meeting, view.presenter)->number);
	if (view.message[0] != '\0')
		writer_format(&w, " '%s' %u", view.message, view.message_place);
	text[w.at] = '\0';
	return text;
}

#define EXPECT_VIEW(world, leg, want) EXPECT_STR(str_of(view_of(world, leg)), want)

static uint32_t
join_seen(struct world *world, uint32_t space, uint32_t method)
{
	const uint32_t leg = join_connected(world, space, method);
	meeting_leg_pictures(world->meeting, leg, LEG_TRACK_MAIN, true, 1280, 720, world->now_us);
	return leg;
}

static void
pass(struct world *world, int64_t us)
{
	const int64_t until_us = world->now_us + us;
	for (int64_t at; (at = meeting_deadline(world->meeting)) <= until_us;) {
		world->now_us = at > world->now_us ? at : world->now_us;
		meeting_tick(world->meeting, world->now_us);
	}
	world->now_us = until_us;
	meeting_tick(world->meeting, until_us);
}

static void
speak(struct world *world, uint32_t leg)
{
	meeting_leg_talking(world->meeting, leg, true);
	pass(world, 1000 * 1000);
	meeting_leg_talking(world->meeting, leg, false);
	pass(world, 3000 * 1000);
}

static void
edit_call(struct world *world, uint32_t call, const char *const *pairs)
{
	struct object_edit edit = { .type = OBJECT_CALL };
	for (; *pairs != NULL; pairs += 2)
		EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, str_of(pairs[0]), str_of(pairs[1])),
		          OBJECT_OK);
	meeting_call_edit(world->meeting, call, &edit, world->now_us);
}

static void
edit_leg(struct world *world, uint32_t leg, const char *const *pairs)
{
	struct object_edit edit = { .type = OBJECT_LEG };
	for (; *pairs != NULL; pairs += 2)
		EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, str_of(pairs[0]), str_of(pairs[1])),
		          OBJECT_OK);
	meeting_leg_edit(world->meeting, leg, &edit, world->now_us);
}

static uint32_t
call_of(struct world *world, uint32_t leg)
{
	return meeting_leg(world->meeting, leg)->call;
}

static uint32_t
space_with(struct world *world, const char *const *profile, const char *uri)
{
	const uint32_t handle = add(world, OBJECT_LEG_PROFILE, 0, profile);
	return add(world, OBJECT_SPACE, 0,
	           PAIRS("uri", uri, "callLegProfile", id_of(world, OBJECT_LEG_PROFILE, handle)));
}

static void
dial_code(struct world *world, uint32_t leg, const char *digits)
{
	for (; *digits != '\0'; digits++)
		meeting_leg_digit(world->meeting, leg, *digits, world->now_us);
}

TEST(everybody_sees_the_others_and_who_speaks_is_large)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_seen(&world, space, 0);
	EXPECT_VIEW(&world, a, "only");
	const uint32_t b = join_seen(&world, space, 0);
	EXPECT_VIEW(&world, a, "1920: 2");
	EXPECT_VIEW(&world, b, "1920: 1");
	uint32_t more[5];
	for (unsigned i = 0; i < 5; i++)
		more[i] = join_seen(&world, space, 0);
	EXPECT_EQ(meeting_call(world.meeting, call_of(&world, a))->lead, a);
	EXPECT_VIEW(&world, b, "1280: 1 7 3 4 5 6");
	world.video = true;
	events(&world);
	meeting_leg_talking(world.meeting, more[2], true);
	EXPECT_EVENTS(&world, "roster, video");
	pass(&world, 700 * 1000);
	EXPECT_EVENTS(&world, "video");
	EXPECT_EQ(meeting_call(world.meeting, call_of(&world, a))->lead, more[2]);
	EXPECT_VIEW(&world, b, "1280: 5 7 3 4 1 6");
	EXPECT_VIEW(&world, more[2], "1280: 1 2 3 4 7 6");
	/* In a small call the name of somebody whose camera goes stays where he was. */
	meeting_leg_pictures(world.meeting, a, LEG_TRACK_MAIN, false, 0, 0, world.now_us);
	EXPECT_VIEW(&world, b, "1280: 5 7 3 4 1 6");
	end(&world, a);
	EXPECT_VIEW(&world, b, "1280: 5 3 4 7 6");
	meeting_destroy(world.meeting);
}

TEST(pictures_are_muted_in_both_directions)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_seen(&world, space, 0);
	const uint32_t b = join_seen(&world, space, 0);
	struct stage_tile tiles[2] = { { 0 } };
	EXPECT(meeting_tiles(world.meeting, b, NULL, 0, tiles, 2));
	EXPECT_EQ(tiles[0].leg, a);
	edit_leg(&world, a, PAIRS("rxVideoMute", "true"));
	EXPECT(!meeting_leg(world.meeting, a)->seen && meeting_leg(world.meeting, a)->sees);
	EXPECT(meeting_tiles(world.meeting, b, NULL, 0, tiles, 2));
	EXPECT_EQ(tiles[0].leg, 0);
	edit_leg(&world, a, PAIRS("rxVideoMute", "false", "txVideoMute", "true"));
	EXPECT(meeting_leg(world.meeting, a)->seen && !meeting_leg(world.meeting, a)->sees);
	EXPECT(meeting_tiles(world.meeting, b, NULL, 0, tiles, 2));
	EXPECT(!meeting_tiles(world.meeting, a, NULL, 0, tiles + 1, 1));
	edit_leg(&world, b, PAIRS("videoMode", "disabled"));
	EXPECT(!meeting_leg(world.meeting, b)->seen && !meeting_leg(world.meeting, b)->sees);
	EXPECT(meeting_tiles(world.meeting, b, NULL, 0, tiles, 2));
	EXPECT_EQ(tiles[0].leg, 0);
	meeting_destroy(world.meeting);
}

TEST(the_layout_is_chosen_or_comes_from_the_nearest_that_says_something)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t profile =
	        add(&world, OBJECT_LEG_PROFILE, 0, PAIRS("defaultLayout", "allEqualNinths"));
	const uint32_t method = add(&world, OBJECT_METHOD, space, PAIRS("uri", "m"));
	const uint32_t near =
	        add(&world, OBJECT_LEG_PROFILE, 0, PAIRS("defaultLayout", "allEqualQuarters"));
	const uint32_t a = join_seen(&world, space, method);
	for (unsigned i = 0; i < 3; i++)
		join_seen(&world, space, 0);
	EXPECT_VIEW(&world, a, "960: 2 3 4");
	EXPECT_STR(str_of(meeting_leg_layout(world.meeting, a)), "automatic");
	change(&world, OBJECT_SYSTEM_PROFILES,
	       objects_single(world.objects, OBJECT_SYSTEM_PROFILES),
	       PAIRS("callLegProfile", id_of(&world, OBJECT_LEG_PROFILE, profile)));
	EXPECT_VIEW(&world, a, "640: 2 3 4");
	change(&world, OBJECT_SPACE, space, PAIRS("defaultLayout", "onePlusFive"));
	EXPECT_VIEW(&world, a, "1280: 2 3 4");
	change(&world, OBJECT_SPACE, space,
	       PAIRS("callLegProfile", id_of(&world, OBJECT_LEG_PROFILE, profile)));
	EXPECT_VIEW(&world, a, "1280: 2 3 4");
	change(&world, OBJECT_METHOD, method,
	       PAIRS("callLegProfile", id_of(&world, OBJECT_LEG_PROFILE, near)));
	EXPECT_VIEW(&world, a, "960: 2 3 4");
	edit_leg(&world, a, PAIRS("defaultLayout", "stacked"));
	EXPECT_VIEW(&world, a, "1536: 2 3 4");
	edit_leg(&world, a, PAIRS("layout", "telepresence"));
	EXPECT_VIEW(&world, a, "1920: 2 3 4");
	EXPECT(meeting_act_layout(world.meeting, a, 0, LAYOUT_SPEAKER_ONLY, world.now_us));
	EXPECT_VIEW(&world, a, "1920: 2 +2");
	EXPECT(meeting_act_layout(world.meeting, a, 0, LAYOUT_COUNT, world.now_us));
	EXPECT_VIEW(&world, a, "1536: 2 3 4");
	edit_leg(&world, a, PAIRS("defaultLayout", "", "changeLayoutAllowed", "false"));
	EXPECT_VIEW(&world, a, "960: 2 3 4");
	EXPECT(!meeting_act_layout(world.meeting, a, 0, LAYOUT_STACKED, world.now_us));
	change(&world, OBJECT_METHOD, method, PAIRS("callLegProfile", ""));
	change(&world, OBJECT_SPACE, space, PAIRS("defaultLayout", ""));
	EXPECT_VIEW(&world, a, "640: 2 3 4");
	meeting_destroy(world.meeting);
}

TEST(a_template_is_used_until_it_goes)
{
	struct world world = world_make();
	uint32_t template = 0;
	int culprit;
	struct object_edit edit = { .type = OBJECT_LAYOUT_TEMPLATE };
	edit_set_text(&edit, LAYOUT_TEMPLATE_TEXT,
	              STR("{\"templates\":[{\"panes\":["
	                  "{\"x\":0,\"y\":0,\"width\":50,\"height\":100},"
	                  "{\"x\":50,\"y\":0,\"width\":25,\"height\":100}]}]}"));
	objects_begin(world.objects);
	EXPECT_EQ(objects_add(world.objects, &edit, 0, &template, &culprit), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	const char *id = id_of(&world, OBJECT_LAYOUT_TEMPLATE, template);
	const uint32_t space = space_with(&world, PAIRS("layoutTemplate", id), "s");
	const uint32_t a = join_seen(&world, space, 0);
	for (unsigned i = 0; i < 3; i++)
		join_seen(&world, space, 0);
	EXPECT_VIEW(&world, a, "960: 2 3 +1");
	edit_leg(&world, a, PAIRS("chosenLayout", "allEqualNinths"));
	EXPECT_VIEW(&world, a, "640: 2 3 4");
	edit_leg(&world, a, PAIRS("chosenLayout", ""));
	struct licence_rights rights = licence_rights_free();
	rights.of[LICENCE_CUSTOMIZATIONS].state = LICENCE_EXPIRED;
	meeting_licence(world.meeting, &rights, 0, world.now_us);
	EXPECT_VIEW(&world, a, "960: 2 3 4");
	rights = licence_rights_free();
	meeting_licence(world.meeting, &rights, 0, world.now_us);
	EXPECT_VIEW(&world, a, "960: 2 3 +1");
	struct object_edit other = { .type = OBJECT_LAYOUT_TEMPLATE };
	edit_set_text(&other, LAYOUT_TEMPLATE_TEXT,
	              STR("{\"templates\":[{\"panes\":[{\"x\":0,\"y\":0,\"width\":25,"
	                  "\"height\":100}]}]}"));
	world.video = true;
	events(&world);
	objects_begin(world.objects);
	EXPECT_EQ(objects_edit(world.objects, template, &other, &culprit), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	meeting_configured(world.meeting, world.now_us);
	EXPECT_EVENTS(&world, "video");
	EXPECT_VIEW(&world, a, "480: 2 +2");
	objects_begin(world.objects);
	EXPECT_EQ(objects_remove(world.objects, OBJECT_LAYOUT_TEMPLATE, template), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	meeting_configured(world.meeting, world.now_us);
	EXPECT_VIEW(&world, a, "960: 2 3 4");
	meeting_destroy(world.meeting);
}

TEST(panes_of_their_own_come_from_the_space_or_the_call)
{
	struct world world = world_make();
	const uint32_t space =
	        add(&world, OBJECT_SPACE, 0,
	            PAIRS("uri", "s", "panePlacementHighestImportance", "2",
	                  "panePlacementSelfPaneMode", "blank", "defaultLayout", "allEqualNinths"));
	const uint32_t a = join_seen(&world, space, 0);
	const uint32_t b = join_seen(&world, space, 0);
	const uint32_t c = join_seen(&world, space, 0);
	edit_leg(&world, b, PAIRS("importance", "2"));
	EXPECT_VIEW(&world, a, "640: 2 . 3");
	EXPECT_VIEW(&world, b, "640: . . 1 3");
	edit_call(&world, call_of(&world, a), PAIRS("panePlacementSelfPaneMode", "self"));
	EXPECT_VIEW(&world, b, "640: 2 . 1 3");
	edit_call(&world, call_of(&world, a), PAIRS("panePlacementHighestImportance", "0"));
	EXPECT_VIEW(&world, a, "640: 2 3");
	edit_call(&world, call_of(&world, a), PAIRS("panePlacementHighestImportance", ""));
	EXPECT_VIEW(&world, a, "640: 2 . 3");
	edit_leg(&world, b, PAIRS("setImportanceAllowed", "true"));
	EXPECT(!meeting_act_importance(world.meeting, a, c, 1, world.now_us));
	EXPECT(meeting_act_importance(world.meeting, b, c, 1, world.now_us));
	EXPECT_VIEW(&world, a, "640: 2 3");
	change(&world, OBJECT_SPACE, space, PAIRS("panePlacementHighestImportance", "1"));
	EXPECT_VIEW(&world, a, "640: 3 2");
	meeting_destroy(world.meeting);
}

TEST(one_presents_at_a_time_and_a_right_takes_over)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_seen(&world, space, 0);
	const uint32_t b = join_seen(&world, space, 0);
	const uint32_t c = join_seen(&world, space, 0);
	const uint32_t call = call_of(&world, a);
	edit_leg(&world, c, PAIRS("presentationContributionAllowed", "false"));
	events(&world);
	EXPECT_EQ(meeting_present(m, a, true, world.now_us), PRESENTING);
	EXPECT_EVENTS(&world, "roster, presenter 1");
	EXPECT_EQ(meeting_present(m, b, true, world.now_us), PRESENTING);
	EXPECT_EVENTS(&world, "roster, presenter 2 after 1");
	EXPECT_EQ(meeting_present(m, c, true, world.now_us), PRESENTING_NOT_ALLOWED);
	edit_call(&world, call, PAIRS("allowAllPresentationContribution", "true"));
	EXPECT_EQ(meeting_present(m, c, true, world.now_us), PRESENTING_BUSY);
	EXPECT_EQ(meeting_present(m, a, false, world.now_us), PRESENTING);
	EXPECT_EQ(meeting_call(m, call)->presenter, b);
	EXPECT_EQ(meeting_present(m, b, false, world.now_us), PRESENTING);
	EXPECT_EQ(meeting_present(m, c, true, world.now_us), PRESENTING);
	EXPECT_EQ(meeting_call(m, call)->presenter, c);
	events(&world);
	edit_call(&world, call, PAIRS("allowAllPresentationContribution", "false"));
	EXPECT_EVENTS(&world, "roster, presenter after 3");
	EXPECT_EQ(meeting_present(m, b, true, world.now_us), PRESENTING);
	end(&world, b);
	EXPECT_EQ(meeting_call(m, call)->presenter, 0);
	EXPECT_EQ(meeting_present(m, b, true, world.now_us), PRESENTING_NOT_INSIDE);
	EXPECT_EQ(meeting_present(m, a, true, world.now_us), PRESENTING);
	edit_leg(&world, a, PAIRS("presentationContributionAllowed", "false"));
	EXPECT_EQ(meeting_call(m, call)->presenter, 0);
	meeting_destroy(m);
}

TEST(content_goes_into_the_second_stream_or_the_main_picture)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_seen(&world, space, 0);
	const uint32_t b = join_seen(&world, space, 0);
	const uint32_t c = join_seen(&world, space, 0);
	EXPECT_EQ(meeting_present(m, a, true, world.now_us), PRESENTING);
	EXPECT_VIEW(&world, b, "960: 1 3"); /* nothing flows yet */
	meeting_leg_pictures(m, a, LEG_TRACK_CONTENT, true, 1920, 1080, world.now_us);
	EXPECT_VIEW(&world, a, "960: 2 3");
	EXPECT_VIEW(&world, b, "1536: 1c 1 3");
	meeting_leg_second_stream(m, b, true, world.now_us);
	EXPECT_VIEW(&world, b, "960: 1 3 and 1c");
	edit_leg(&world, b, PAIRS("presentationDisplayMode", "singleStream"));
	EXPECT_VIEW(&world, b, "1536: 1c 1 3");
	edit_leg(&world, b, PAIRS("presentationViewingAllowed", "false"));
	EXPECT_VIEW(&world, b, "960: 1 3");
	struct stage_tile tiles[3] = { { 0 } };
	EXPECT(meeting_tiles(m, b, NULL, 0, tiles, 3));
	EXPECT(!tiles[0].content && !tiles[1].content && tiles[2].leg == 0);
	const struct stage_tile pin = { .leg = a };
	EXPECT(meeting_tiles(m, c, &pin, 1, tiles, 3));
	EXPECT(tiles[0].leg == a && !tiles[0].content);
	EXPECT(tiles[1].leg == a && tiles[1].content);
	EXPECT_EQ(tiles[2].leg, b);
	struct meeting_view view;
	meeting_view(m, call_of(&world, a), 0, &view); /* as a recorder sees it */
	EXPECT(view.content && view.legs[0] == a);
	EXPECT_EQ(view.layout.count, 4);
	char dump[2048];
	struct writer w = writer_of(dump, sizeof dump - 1);
	meeting_dump(m, &w);
	dump[w.at] = '\0';
	EXPECT(strstr(dump, " inside heard hears seen sees leads presents \"Alice\"") != NULL);
	EXPECT(strstr(dump, " inside heard hears seen sees \"Alice\"") != NULL);
	meeting_leg_pictures(m, a, LEG_TRACK_CONTENT, false, 0, 0, world.now_us);
	EXPECT_VIEW(&world, c, "960: 1 2");
	meeting_destroy(m);
}

TEST(texts_stand_around_the_panes)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	struct meeting_view view;
	const uint32_t profile =
	        add(&world, OBJECT_CALL_PROFILE, 0, PAIRS("messageBannerText", "Be kind"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0,
	                           PAIRS("uri", "s", "name", "Room", "callProfile",
	                                 id_of(&world, OBJECT_CALL_PROFILE, profile)));
	const uint32_t a = join_seen(&world, space, 0);
	const uint32_t call = call_of(&world, a);
	join_seen(&world, space, 0);
	EXPECT_VIEW(&world, a, "1920: 2 'Be kind' 2");
	edit_call(&world, call,
	          PAIRS("messageText", "Hello", "messagePosition", "top", "messageDuration", "10"));
	EXPECT_VIEW(&world, a, "1920: 2 'Hello' 0");
	pass(&world, 4 * 1000 * 1000);
	EXPECT_EQ(meeting_value(m, OBJECT_CALL, call, CALL_MESSAGE_REMAINING, world.now_us).number,
	          6);
	events(&world);
	pass(&world, 6 * 1000 * 1000);
	EXPECT_EVENTS(&world, "message");
	EXPECT_VIEW(&world, a, "1920: 2 'Be kind' 2");
	edit_call(&world, call, PAIRS("messageText", "Stay", "messageDuration", "permanent"));
	pass(&world, INT64_C(100000) * 1000 * 1000);
	EXPECT_VIEW(&world, a, "1920: 2 'Stay' 1");
	edit_call(&world, call, PAIRS("messageText", ""));
	change(&world, OBJECT_CALL_PROFILE, profile, PAIRS("messageBannerText", ""));
	EXPECT_VIEW(&world, a, "1920: 2");

	meeting_view(m, call, a, &view);
	EXPECT(!view.labels && view.title[0] == '\0' && view.total == 0 && !view.locked);
	edit_leg(&world, a,
	         PAIRS("participantLabels", "true", "meetingTitlePosition", "middle",
	               "participantCounter", "always", "nameLabelOverride", "A. L."));
	edit_call(&world, call, PAIRS("locked", "true"));
	meeting_view(m, call, a, &view);
	EXPECT(view.labels && view.locked);
	EXPECT_STR(str_of(view.title), "Room");
	EXPECT_EQ(view.title_place, VIEW_MIDDLE);
	EXPECT_EQ(view.total, 2);
	EXPECT_STR(str_of(meeting_leg_label(m, a)), "A. L.");
	meeting_destroy(m);
}

TEST(who_waits_sees_the_lobby)
{
	struct world world = world_make();
	const uint32_t space = space_with(&world, PAIRS("needsActivation", "true"), "s");
	const uint32_t a = join_seen(&world, space, 0);
	EXPECT_VIEW(&world, a, "lobby");
	EXPECT(meeting_leg(world.meeting, a)->sees && !meeting_leg(world.meeting, a)->seen);
	struct meeting_view view;
	meeting_view(world.meeting, call_of(&world, a) + 1, a, &view);
	EXPECT_EQ(view.layout.count, 0);
	meeting_destroy(world.meeting);
}

TEST(codes_act_as_profiles_allow)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	const uint32_t codes =
	        add(&world, OBJECT_DTMF_PROFILE, 0,
	            PAIRS("muteSelfAudio", "*6", "unmuteSelfAudio", "*66", "nextLayout", "*1",
	                  "previousLayout", "*2", "lockCall", "*5", "muteAllExceptSelfAudio", "*7",
	                  "endCall", "*#", "getTotalParticipantCount", "*0"));
	change(&world, OBJECT_SYSTEM_PROFILES,
	       objects_single(world.objects, OBJECT_SYSTEM_PROFILES),
	       PAIRS("dtmfProfile", id_of(&world, OBJECT_DTMF_PROFILE, codes)));
	const uint32_t space = space_with(&world, PAIRS("callLockAllowed", "true"), "s");
	const uint32_t a = join_seen(&world, space, 0);
	const uint32_t b = join_seen(&world, space, 0);
	const struct meeting_leg *leg = meeting_leg(m, a);
	/* "*66" goes on where "*6" stops: it waits. */
	dial_code(&world, a, "*6");
	EXPECT(leg->heard);
	pass(&world, 2000 * 1000);
	EXPECT(!leg->heard);
	dial_code(&world, a, "*66");
	EXPECT(leg->heard);
	dial_code(&world, a, "1*6*5");
	EXPECT(!leg->heard && meeting_call(m, leg->call)->locked);
	dial_code(&world, a, "*");
	pass(&world, 2000 * 1000);
	dial_code(&world, a, "66");
	pass(&world, 2000 * 1000);
	EXPECT(!leg->heard);
	/* No right to mute others, or to end it. */
	dial_code(&world, a, "*7*#");
	EXPECT(meeting_leg(m, b)->heard && meeting_leg(m, b)->state == LEG_CONNECTED);
	edit_leg(&world, a, PAIRS("muteOthersAllowed", "true"));
	dial_code(&world, a, "*7");
	EXPECT(!meeting_leg(m, b)->heard);
	dial_code(&world, a, "*1");
	EXPECT_STR(str_of(meeting_leg_layout(m, a)), "onePlusN");
	dial_code(&world, a, "*1*1");
	EXPECT_STR(str_of(meeting_leg_layout(m, a)), "speakerOnly");
	dial_code(&world, a, "*2");
	EXPECT_STR(str_of(meeting_leg_layout(m, a)), "allEqual");
	dial_code(&world, a, "*0");
	EXPECT_VIEW(&world, a, "1920: 2 'Participants: 2' 2");
	EXPECT_VIEW(&world, b, "1920: 1");
	pass(&world, 5000 * 1000);
	EXPECT_VIEW(&world, a, "1920: 2");
	meeting_leg_digit(m, a, '*', world.now_us);
	end(&world, a);
	end(&world, b);
	events(&world);
	EXPECT_EQ(meeting_deadline(m), INT64_MAX);
	meeting_destroy(m);
}

TEST(a_calls_own_codes_come_before_the_systems)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	const uint32_t far = add(&world, OBJECT_DTMF_PROFILE, 0,
	                         PAIRS("lockCall", "*1", "toggleMuteSelfAudio", "*2"));
	const uint32_t near = add(&world, OBJECT_DTMF_PROFILE, 0, PAIRS("lockCall", "*9"));
	change(&world, OBJECT_SYSTEM_PROFILES,
	       objects_single(world.objects, OBJECT_SYSTEM_PROFILES),
	       PAIRS("dtmfProfile", id_of(&world, OBJECT_DTMF_PROFILE, far)));
	const uint32_t profile =
	        add(&world, OBJECT_CALL_PROFILE, 0,
	            PAIRS("dtmfProfile", id_of(&world, OBJECT_DTMF_PROFILE, near)));
	const uint32_t space = space_with(&world, PAIRS("callLockAllowed", "true"), "s");
	change(&world, OBJECT_SPACE, space,
	       PAIRS("callProfile", id_of(&world, OBJECT_CALL_PROFILE, profile)));
	const uint32_t a = join_connected(&world, space, 0);
	dial_code(&world, a, "*1");
	EXPECT(!meeting_call(m, call_of(&world, a))->locked);
	dial_code(&world, a, "*9");
	EXPECT(meeting_call(m, call_of(&world, a))->locked);
	dial_code(&world, a, "*2");
	EXPECT(!meeting_leg(m, a)->heard);
	dial_code(&world, a, "*2");
	EXPECT(meeting_leg(m, a)->heard);
	meeting_destroy(m);
}

TEST(chat_is_bounded_by_rights_length_and_speed)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_connected(&world, space, 0);
	const uint32_t waiting = join(&world, space, 0);
	events(&world);
	EXPECT_EQ(meeting_chat(m, a, STR("Hi\nyou\x01"), world.now_us), CHATTING);
	EXPECT_EVENTS(&world, "chat 1 'Hi you?'");
	EXPECT_EQ(meeting_chat(m, waiting, STR("Hi"), world.now_us), CHATTING_NOT_INSIDE);
	EXPECT_EQ(meeting_chat(m, a, STR(" \n "), world.now_us), CHATTING_TOO_LONG);
	char text[MEETING_CHAT_MAX + 1];
	memset(text, 'x', sizeof text);
	EXPECT_EQ(meeting_chat(m, a, (struct str){ text, sizeof text }, world.now_us),
	          CHATTING_TOO_LONG);
	EXPECT_EQ(meeting_chat(m, a, (struct str){ text, sizeof text - 1 }, world.now_us),
	          CHATTING);
	for (unsigned i = 2; i < MEETING_CHAT_BURST; i++)
		EXPECT_EQ(meeting_chat(m, a, STR("x"), world.now_us), CHATTING);
	EXPECT_EQ(meeting_chat(m, a, STR("x"), world.now_us), CHATTING_TOO_FAST);
	events(&world);
	pass(&world, 999 * 1000);
	EXPECT_EQ(meeting_chat(m, a, STR("x"), world.now_us), CHATTING_TOO_FAST);
	pass(&world, 1000);
	EXPECT_EQ(meeting_chat(m, a, STR("x"), world.now_us), CHATTING);
	pass(&world, 60 * 1000 * 1000);
	edit_call(&world, call_of(&world, a), PAIRS("chatAllowed", "false"));
	EXPECT_EQ(meeting_chat(m, a, STR("x"), world.now_us), CHATTING_NOT_ALLOWED);
	edit_call(&world, call_of(&world, a), PAIRS("chatAllowed", ""));
	EXPECT_EQ(meeting_chat(m, a, STR("x"), world.now_us), CHATTING);
	edit_leg(&world, a, PAIRS("chatContributionAllowed", "false"));
	EXPECT_EQ(meeting_chat(m, a, STR("x"), world.now_us), CHATTING_NOT_ALLOWED);
	meeting_destroy(m);
}

TEST(hands_fall_when_the_call_has_none)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_connected(&world, space, 0);
	EXPECT(meeting_act(m, a, ACTION_RAISE_HAND, 0, world.now_us));
	EXPECT(meeting_leg(m, a)->hand);
	edit_call(&world, call_of(&world, a), PAIRS("raiseHandEnabled", "false"));
	EXPECT(!meeting_leg(m, a)->hand);
	EXPECT(!meeting_act(m, a, ACTION_RAISE_HAND, 0, world.now_us));
	edit_call(&world, call_of(&world, a), PAIRS("raiseHandEnabled", "true"));
	edit_leg(&world, a, PAIRS("handStatus", "raised"));
	EXPECT(meeting_leg(m, a)->hand);
	edit_leg(&world, a, PAIRS("deactivated", "true"));
	EXPECT(!meeting_leg(m, a)->hand);
	meeting_destroy(m);
}

TEST(cameras_are_steered_by_who_may_and_key_frames_asked_for)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_connected(&world, space, 0);
	const uint32_t b = join_connected(&world, space, 0);
	const struct meeting_camera left = { .pan = CAMERA_LESS };
	EXPECT(!meeting_steer(m, 0, b, &left, world.now_us)); /* it has none */
	meeting_leg_camera(m, b, true);
	EXPECT(!meeting_steer(m, a, b, &left, world.now_us));
	edit_leg(&world, a, PAIRS("controlRemoteCameraAllowed", "true"));
	events(&world);
	EXPECT(meeting_steer(m, a, b, &left, world.now_us));
	struct meeting_event event = meeting_poll(m);
	EXPECT_EQ(event.kind, MEETING_CAMERA);
	EXPECT_EQ(event.leg, b);
	EXPECT_EQ(event.camera.pan, CAMERA_LESS);
	EXPECT(meeting_steer(m, 0, b, &left, world.now_us));
	meeting_leg_keyframe(m, b, world.now_us);
	EXPECT_EVENTS(&world, "camera 2, keyframe 2");
	EXPECT(meeting_act(m, a, ACTION_LOWER_HAND, 0, world.now_us));
	meeting_destroy(m);
}

TEST(the_status_of_a_leg_tells_its_pictures)
{
	struct world world = world_make();
	struct meeting *m = world.meeting;
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_seen(&world, space, 0);
	struct leg_media media = { 0 };
	media.rx_video[LEG_TRACK_MAIN] = (struct leg_pictures){
		.codec = "h264",
		.width = 1280,
		.height = 720,
		.rate_tenths = 300,
		.bit_rate_bps = 1500000,
		.loss_tenths = 12,
		.jitter_ms = 3,
	};
	media.tx_video[LEG_TRACK_CONTENT] = (struct leg_pictures){
		.codec = "vp8",
		.width = 1920,
		.height = 1080,
		.rtt_ms = 40,
		.bit_rate_bps = 7,
	};
	meeting_leg_media(m, a, &media);
	static const struct {
		unsigned field;
		bool set;
		uint32_t number;
	} cases[] = {
		{ LEG_RX_VIDEO_WIDTH, true, 1280 }, { LEG_RX_VIDEO_HEIGHT, true, 720 },
		{ LEG_RX_VIDEO_RATE, true, 300 },   { LEG_RX_VIDEO_BIT_RATE, true, 1500000 },
		{ LEG_RX_VIDEO_LOSS, true, 12 },    { LEG_RX_VIDEO_JITTER, true, 3 },
		{ LEG_RX_CONTENT + 1, false, 0 },   { LEG_TX_VIDEO_WIDTH, false, 0 },
		{ LEG_TX_CONTENT + 1, true, 1920 }, { LEG_TX_CONTENT_END - 1, true, 40 },
	};
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		const struct value value =
		        meeting_value(m, OBJECT_LEG, a, cases[i].field, world.now_us);
		EXPECT_EQ(value.set, cases[i].set);
		if (cases[i].set)
			EXPECT_EQ(value.number, cases[i].number);
	}
	EXPECT_STR(meeting_value(m, OBJECT_LEG, a, LEG_RX_VIDEO, world.now_us).text, "h264");
	EXPECT_STR(meeting_value(m, OBJECT_LEG, a, LEG_TX_CONTENT, world.now_us).text, "vp8");
	EXPECT_EQ(meeting_totals(m).video_in_bps, 1500000);
	EXPECT_EQ(meeting_totals(m).video_out_bps, 7);
	end(&world, a);
	EXPECT_EQ(meeting_totals(m).video_in_bps, 0);
	meeting_destroy(m);
}

TEST(many_people_are_led_by_who_spoke)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	uint32_t legs[18];
	for (unsigned i = 0; i < COUNT_OF(legs); i++)
		legs[i] = join_seen(&world, space, 0);
	for (unsigned i = 0; i < COUNT_OF(legs); i++) {
		speak(&world, legs[i]);
		EXPECT_EQ(meeting_call(world.meeting, call_of(&world, legs[i]))->lead, legs[i]);
	}
	EXPECT_VIEW(&world, legs[0], "1536: 18 17 16 15 14 13 12 11 10 9 +7");
	meeting_destroy(world.meeting);
}
