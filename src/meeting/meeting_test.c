/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: callers find their space, profiles decide as they should, and what comes out of the model
 * is what a bridge has to do.  Method: short dialogues, events compared as text. */
#include "meeting/model_world.h"

TEST(a_caller_is_led_by_address_passcode_and_secret)
{
	struct world world = world_make();
	struct meeting_entry entry;
	const uint32_t open = add(&world, OBJECT_SPACE, 0,
	                          PAIRS("uri", "Demo", "secondaryUri", "d2", "callId", "1001"));
	EXPECT_EQ(route(&world, "nobody", NULL, NULL, &entry), ROUTE_UNKNOWN);
	EXPECT_EQ(route(&world, "", NULL, NULL, &entry), ROUTE_UNKNOWN);
	EXPECT_EQ(route(&world, "dEMO", NULL, NULL, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.space, open);
	EXPECT_EQ(route(&world, "1001", NULL, NULL, &entry), ROUTE_OPEN);
	EXPECT_EQ(route(&world, "D2", NULL, NULL, &entry), ROUTE_OPEN);

	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s", "callId", "7"));
	const uint32_t host = add(&world, OBJECT_METHOD, space,
	                          PAIRS("uri", "room", "passcode", "11", "callId", "7"));
	const uint32_t guest = add(&world, OBJECT_METHOD, space, PAIRS("uri", "room"));
	EXPECT_EQ(route(&world, "room", NULL, NULL, &entry), ROUTE_PASSCODE);
	EXPECT_EQ(route(&world, "room", "12", NULL, &entry), ROUTE_WRONG_PASSCODE);
	EXPECT_EQ(route(&world, "ROOM", "11", NULL, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.method, host);
	EXPECT_EQ(route(&world, "room", "", NULL, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.method, guest);

	char secret[32];
	EXPECT(str_copy(secret, sizeof secret,
	                objects_text(world.objects, OBJECT_METHOD, host, METHOD_SECRET)));
	EXPECT_EQ(route(&world, "7", NULL, secret, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.method, host);
	EXPECT_EQ(route(&world, "7", NULL, "wrong", &entry), ROUTE_PASSCODE);

	change(&world, OBJECT_SPACE, open, PAIRS("nonMemberAccess", "false"));
	EXPECT_EQ(route(&world, "demo", NULL, NULL, &entry), ROUTE_MEMBERS_ONLY);
	meeting_destroy(world.meeting);
}

TEST(somebodys_uri_is_not_taken_for_somebody_elses_number)
{
	struct world world = world_make();
	struct meeting_entry entry;
	add(&world, OBJECT_SPACE, 0, PAIRS("callId", "55"));
	const uint32_t named = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "55"));
	EXPECT_EQ(route(&world, "55", NULL, NULL, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.space, named);
	meeting_destroy(world.meeting);
}

TEST(two_people_meet_and_part)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s", "name", "S"));
	const uint32_t a = join(&world, space, 0);
	EXPECT_EVENTS(&world, "started, settings 1, roster");
	meeting_leg_connected(world.meeting, a, world.now_us);
	EXPECT_EVENTS(&world, "settings 1, only 1, roster");
	EXPECT(meeting_leg(world.meeting, a)->heard && meeting_leg(world.meeting, a)->hears);
	const uint32_t b = join_connected(&world, space, 0);
	EXPECT_EVENTS(&world, "settings 2, roster");
	const uint32_t call = meeting_leg(world.meeting, a)->call;
	EXPECT_EQ(meeting_leg(world.meeting, b)->call, call);
	EXPECT_EQ(meeting_call(world.meeting, call)->connected, 2);

	meeting_leg_talking(world.meeting, a, true);
	meeting_leg_talking(world.meeting, a, true);
	EXPECT_EVENTS(&world, "roster");
	end(&world, b);
	EXPECT_EVENTS(&world, "only 1, roster");
	end(&world, a);
	end(&world, a);
	EXPECT_EVENTS(&world, "roster, ended");
	EXPECT(meeting_call(world.meeting, call) == NULL);
	EXPECT_EQ(meeting_totals(world.meeting).legs_active, 0);
	EXPECT_EQ(meeting_totals(world.meeting).legs_completed, 2);
	EXPECT_EQ(meeting_deadline(world.meeting), INT64_MAX);
	meeting_destroy(world.meeting);
}

TEST(the_event_log_speaks_cms)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s", "name", "Space 1",
	                                                            "cdrTag", "R 7"));
	const struct meeting_join settings = { .entry = { .space = space }, .kind = LEG_WEB,
		                               .name = STR("User X"), .user = STR("guest77") };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(world.meeting, &settings, world.now_us, &leg), MEETING_ADMITTED);
	meeting_leg_connected(world.meeting, leg, world.now_us);
	meeting_leg_ended(world.meeting, leg, LEG_END_LOCAL_TEARDOWN, false, world.now_us);
	char id[GUID_TEXT_LEN + 1];
	EXPECT(str_copy(id, sizeof id, str_of(id_of(&world, OBJECT_SPACE, space))));
	static const char *const starts[] = {
		"conference ", "API \"Space 1\" Space GUID: ", "conference ",
		"call 1: allocated for guest77 / \"User X\" conference participation",
		"API call leg ", "call 1: configured - API call leg ",
		"participant \"guest77\" joined space ", "participant \"guest77\" (",
		"call 1: ending; local teardown (localTeardown)",
		"participant \"guest77\" left space ", "call 1: destroying API call leg ",
		"conference ",
	};
	size_t line = 0;
	struct meeting_event event;
	while ((event = meeting_poll(world.meeting)).kind != MEETING_NONE) {
		if (event.kind != MEETING_LOG)
			continue;
		EXPECT(line < COUNT_OF(starts));
		EXPECT(str_starts(event.text, str_of(starts[line])));
		line++;
		if (line == 3)
			EXPECT(str_ends(event.text, STR(": CDR tag \"R 7\"")));
		if (line == 7)
			EXPECT(str_contains_nocase(event.text, str_of(id)));
	}
	EXPECT_EQ(line, COUNT_OF(starts));
	meeting_destroy(world.meeting);
}

TEST(the_nearest_profile_that_says_something_decides)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t method = add(&world, OBJECT_METHOD, space, PAIRS("uri", "m"));
	const uint32_t profile = add(&world, OBJECT_LEG_PROFILE, 0, PAIRS("rxAudioMute", "true"));
	const uint32_t quiet = add(&world, OBJECT_LEG_PROFILE, 0, PAIRS("txAudioMute", "true"));
	const uint32_t leg = join_connected(&world, space, method);
	const struct meeting_leg *seen = meeting_leg(world.meeting, leg);
	events(&world);

	const uint32_t system = objects_single(world.objects, OBJECT_SYSTEM_PROFILES);
	change(&world, OBJECT_SYSTEM_PROFILES, system,
	       PAIRS("callLegProfile", id_of(&world, OBJECT_LEG_PROFILE, profile)));
	EXPECT_EVENTS(&world, "settings 1, roster");
	EXPECT(!seen->heard && seen->hears);
	change(&world, OBJECT_SPACE, space,
	       PAIRS("callLegProfile", id_of(&world, OBJECT_LEG_PROFILE, quiet)));
	EXPECT(!seen->heard && !seen->hears);
	change(&world, OBJECT_LEG_PROFILE, quiet, PAIRS("rxAudioMute", "false"));
	EXPECT(seen->heard && !seen->hears);
	change(&world, OBJECT_METHOD, method,
	       PAIRS("callLegProfile", id_of(&world, OBJECT_LEG_PROFILE, profile)));
	EXPECT(!seen->heard && !seen->hears);

	struct object_edit edit = { .type = OBJECT_LEG };
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("rxAudioMute"), STR("false")), OBJECT_OK);
	meeting_leg_edit(world.meeting, leg, &edit, world.now_us);
	EXPECT(seen->heard);
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("rxAudioMute"), STR("")), OBJECT_OK);
	meeting_leg_edit(world.meeting, leg, &edit, world.now_us);
	EXPECT(!seen->heard);
	events(&world);
	meeting_configured(world.meeting, world.now_us);
	EXPECT_EVENTS(&world, "");
	meeting_destroy(world.meeting);
}

TEST(tones_are_for_small_meetings)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_LEG_PROFILE, 0,
	                             PAIRS("joinToneParticipantThreshold", "2",
	                                   "leaveToneParticipantThreshold", "1"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0,
	                           PAIRS("uri", "s", "callLegProfile",
	                                 id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t a = join_connected(&world, space, 0);
	EXPECT_EVENTS(&world, "started, settings 1, only 1, roster");
	const uint32_t b = join_connected(&world, space, 0);
	EXPECT_EVENTS(&world, "settings 2, join tone 1, roster");
	const uint32_t c = join_connected(&world, space, 0);
	EXPECT_EVENTS(&world, "settings 3, roster");
	end(&world, c);
	EXPECT_EVENTS(&world, "roster");
	end(&world, b);
	EXPECT_EVENTS(&world, "only 1, leave tone 1, roster");
	end(&world, a);
	meeting_destroy(world.meeting);
}

TEST(guests_wait_for_an_activator_and_go_out_with_the_last_one)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_LEG_PROFILE, 0,
	                             PAIRS("needsActivation", "true", "deactivationModeTime", "2"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t method = add(&world, OBJECT_METHOD, space,
	                            PAIRS("uri", "g", "callLegProfile",
	                                  id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t guest = join_connected(&world, space, method);
	EXPECT_EVENTS(&world, "started, settings 1, waiting 1, roster");
	const struct meeting_leg *seen = meeting_leg(world.meeting, guest);
	EXPECT(seen->lobby && !seen->heard && !seen->hears);
	const uint32_t host = join_connected(&world, space, 0);
	EXPECT(!seen->lobby && seen->heard && seen->hears);
	events(&world);
	end(&world, host);
	EXPECT(!seen->lobby);
	EXPECT(meeting_deadline(world.meeting) <= world.now_us + 2001000);
	world.now_us += 2001000;
	meeting_tick(world.meeting, world.now_us);
	EXPECT(seen->lobby && !seen->heard);
	events(&world);

	struct object_edit edit = { .type = OBJECT_PARTICIPANT };
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("deactivated"), STR("false")), 0);
	meeting_leg_edit(world.meeting, guest, &edit, world.now_us);
	EXPECT(seen->heard);
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("deactivated"), STR("true")), 0);
	meeting_leg_edit(world.meeting, guest, &edit, world.now_us);
	EXPECT(seen->lobby);
	change(&world, OBJECT_LEG_PROFILE, profile, PAIRS("deactivationMode", "disconnect"));
	const uint32_t again = join_connected(&world, space, 0);
	EXPECT(seen->lobby); /* sent back by hand: only a hand lets it in */
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("deactivated"), STR("false")), 0);
	meeting_leg_edit(world.meeting, guest, &edit, world.now_us);
	end(&world, again);
	world.now_us += 10000000;
	meeting_tick(world.meeting, world.now_us);
	EXPECT(seen->heard); /* admitted by hand: stays */
	end(&world, guest);
	meeting_destroy(world.meeting);
}

static void
remove_object(struct world *world, enum object_type type, uint32_t handle)
{
	objects_begin(world->objects);
	EXPECT_EQ(objects_remove(world->objects, type, handle), OBJECT_OK);
	objects_settled(world->objects, objects_end(world->objects).ticket, true);
	meeting_configured(world->meeting, world->now_us);
}

TEST(deleting_the_way_in_makes_no_guest_a_host)
{
	struct world world = world_make();
	const uint32_t profile =
		add(&world, OBJECT_LEG_PROFILE, 0, PAIRS("needsActivation", "true"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0,
	                           PAIRS("uri", "s", "callLegProfile",
	                                 id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t method = add(&world, OBJECT_METHOD, space,
	                            PAIRS("uri", "g", "callLegProfile",
	                                  id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t one = join_connected(&world, space, method);
	const uint32_t two = join_connected(&world, space, 0);
	remove_object(&world, OBJECT_METHOD, method);
	EXPECT(meeting_leg(world.meeting, one)->lobby);
	const struct meeting_join late = { .entry = { .space = space, .method = method } };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(world.meeting, &late, world.now_us, &leg), MEETING_GONE);
	remove_object(&world, OBJECT_SPACE, space);
	EXPECT(meeting_leg(world.meeting, one)->lobby);
	EXPECT(meeting_leg(world.meeting, two)->lobby);
	end(&world, one);
	end(&world, two);
	meeting_destroy(world.meeting);
}

TEST(who_takes_a_legs_place_is_what_that_leg_was)
{
	struct world world = world_make();
	const uint32_t profile =
		add(&world, OBJECT_LEG_PROFILE, 0, PAIRS("needsActivation", "true"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t method = add(&world, OBJECT_METHOD, space,
	                            PAIRS("uri", "g", "importance", "7", "callLegProfile",
	                                  id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t guest = join_connected(&world, space, method);
	const uint32_t host = join_connected(&world, space, 0);
	struct object_edit edit = { .type = OBJECT_PARTICIPANT };
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("deactivated"), STR("true")), 0);
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("rxAudioMute"), STR("true")), 0);
	meeting_leg_edit(world.meeting, guest, &edit, world.now_us);
	EXPECT(meeting_leg(world.meeting, guest)->lobby);

	uint32_t heir = 0;
	const struct meeting_join place = { .replaces = guest, .name = STR("Alice at home") };
	EXPECT_EQ(meeting_join(world.meeting, &place, world.now_us, &heir), MEETING_ADMITTED);
	meeting_leg_connected(world.meeting, heir, world.now_us);
	const struct meeting_leg *seen = meeting_leg(world.meeting, heir);
	EXPECT_EQ(seen->call, meeting_leg(world.meeting, host)->call);
	EXPECT_EQ(seen->importance, 7);
	EXPECT(seen->lobby);
	EXPECT_EQ(meeting_leg_setting(world.meeting, heir, LEG_PROFILE_NEEDS_ACTIVATION), 1);
	EXPECT_EQ(meeting_leg_setting(world.meeting, heir, LEG_PROFILE_RX_AUDIO_MUTE), 1);
	end(&world, guest);
	uint32_t late = 0;
	EXPECT_EQ(meeting_join(world.meeting, &place, world.now_us, &late), MEETING_GONE);
	end(&world, heir);
	end(&world, host);
	meeting_destroy(world.meeting);
}

TEST(a_lock_keeps_newcomers_in_the_lobby)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_connected(&world, space, 0);
	const uint32_t call = meeting_leg(world.meeting, a)->call;
	struct object_edit edit = { .type = OBJECT_CALL };
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("locked"), STR("true")), OBJECT_OK);
	meeting_call_edit(world.meeting, call, &edit, world.now_us);
	events(&world);
	const uint32_t b = join_connected(&world, space, 0);
	EXPECT_EVENTS(&world, "settings 2, locked 2, roster");
	EXPECT(meeting_leg(world.meeting, b)->lobby);
	EXPECT(!meeting_act(world.meeting, a, ACTION_ADMIT_OTHER, b, world.now_us));

	const struct meeting_dial dial = { .call = call, .remote_party = STR("c@example.org") };
	uint32_t c = 0;
	EXPECT_EQ(meeting_dial(world.meeting, &dial, world.now_us, &c), MEETING_ADMITTED);
	EXPECT_EVENTS(&world, "dial 3, settings 3, roster");
	meeting_leg_ringing(world.meeting, c, world.now_us);
	meeting_leg_connected(world.meeting, c, world.now_us);
	EXPECT(meeting_leg(world.meeting, c)->heard); /* we called it */

	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("locked"), STR("false")), OBJECT_OK);
	meeting_call_edit(world.meeting, call, &edit, world.now_us);
	EXPECT(meeting_leg(world.meeting, b)->heard);
	end(&world, a);
	end(&world, b);
	end(&world, c);
	meeting_destroy(world.meeting);
}

TEST(limits_refuse_and_leave_nothing_behind)
{
	struct world world = world_make();
	const uint32_t limit = add(&world, OBJECT_CALL_PROFILE, 0, PAIRS("participantLimit", "1"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0,
	                           PAIRS("uri", "s", "callProfile",
	                                 id_of(&world, OBJECT_CALL_PROFILE, limit)));
	const struct meeting_join settings = { .entry = { .space = space } };
	uint32_t leg = 0;
	uint32_t other = 0;
	EXPECT_EQ(meeting_join(world.meeting, &settings, 1000, &leg), MEETING_ADMITTED);
	EXPECT_EQ(meeting_join(world.meeting, &settings, 1000, &other), MEETING_CALL_FULL);
	change(&world, OBJECT_CALL_PROFILE, limit, PAIRS("participantLimit", ""));
	const uint32_t cluster = objects_single(world.objects, OBJECT_CLUSTER);
	change(&world, OBJECT_CLUSTER, cluster, PAIRS("participantLimit", "1"));
	EXPECT_EQ(meeting_join(world.meeting, &settings, 1000, &other), MEETING_BRIDGE_FULL);
	change(&world, OBJECT_CLUSTER, cluster, PAIRS("participantLimit", ""));
	uint32_t legs[20] = { leg };
	for (unsigned i = 1; i < 20; i++)
		EXPECT_EQ(meeting_join(world.meeting, &settings, 1000, &legs[i]), MEETING_ADMITTED);
	EXPECT_EQ(meeting_join(world.meeting, &settings, 1000, &other), MEETING_BRIDGE_FULL);
	events(&world);
	for (unsigned i = 0; i < 20; i++)
		end(&world, legs[i]);
	EXPECT_EVENTS(&world, "roster, ended");
	EXPECT_EQ(meeting_join(world.meeting, &(struct meeting_join){ .entry = { .space = 77 } }, 1000,
	                       &other),
	          MEETING_GONE);
	meeting_destroy(world.meeting);
}

TEST(a_leg_lasts_no_longer_than_its_profile_says)
{
	struct world world = world_make();
	const uint32_t profile =
		add(&world, OBJECT_LEG_PROFILE, 0, PAIRS("maxCallDurationTime", "60"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0,
	                           PAIRS("uri", "s", "callLegProfile",
	                                 id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t leg = join_connected(&world, space, 0);
	events(&world);
	world.now_us += 59000000;
	meeting_tick(world.meeting, world.now_us);
	EXPECT_EVENTS(&world, "");
	world.now_us += 1002000;
	meeting_tick(world.meeting, world.now_us);
	EXPECT_EVENTS(&world, "drop 1 timeout, roster");
	EXPECT_EQ(meeting_totals(world.meeting).legs_active, 0);
	end(&world, leg);
	EXPECT_EVENTS(&world, "ended");
	meeting_destroy(world.meeting);
}

TEST(an_ended_call_drops_all_and_its_space_can_start_anew)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_connected(&world, space, 0);
	const uint32_t b = join(&world, space, 0);
	const uint32_t call = meeting_leg(world.meeting, a)->call;
	events(&world);
	meeting_call_end(world.meeting, call, LEG_END_API_INITIATED_TEARDOWN, world.now_us);
	EXPECT_EVENTS(&world,
	              "drop 1 apiInitiatedTeardown, drop 2 apiInitiatedTeardown, roster");
	const uint32_t c = join_connected(&world, space, 0);
	EXPECT(meeting_leg(world.meeting, c)->call != call);
	meeting_leg_connected(world.meeting, b, world.now_us); /* too late */
	EXPECT_EQ(meeting_leg(world.meeting, b)->state, LEG_ENDING);
	end(&world, a);
	end(&world, b);
	end(&world, c);
	EXPECT_EQ(meeting_totals(world.meeting).calls_active, 0);
	meeting_destroy(world.meeting);
}

TEST(a_call_made_by_the_api_does_not_wait_for_ever)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	uint32_t call = 0;
	uint32_t same = 0;
	EXPECT_EQ(meeting_call_start(world.meeting, space, STR(""), world.now_us, &call), 0);
	EXPECT_EQ(meeting_call_start(world.meeting, space, STR(""), world.now_us, &same), 0);
	EXPECT_EQ(call, same);
	EXPECT_EVENTS(&world, "started");
	world.now_us += MEETING_EMPTY_US + 2000;
	meeting_tick(world.meeting, world.now_us);
	EXPECT_EVENTS(&world, "ended");
	EXPECT(meeting_call(world.meeting, call) == NULL);
	meeting_destroy(world.meeting);
}

TEST(rights_decide_what_a_participant_may_do)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_LEG_PROFILE, 0,
	                             PAIRS("muteOthersAllowed", "true", "callLockAllowed", "true",
	                                   "disconnectOthersAllowed", "true", "endCallAllowed",
	                                   "true", "muteSelfAllowed", "false"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t method = add(&world, OBJECT_METHOD, space,
	                            PAIRS("uri", "h", "callLegProfile",
	                                  id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t guest = join_connected(&world, space, 0);
	const uint32_t host = join_connected(&world, space, method);
	struct meeting *m = world.meeting;
	EXPECT(!meeting_act(m, guest, ACTION_MUTE_OTHER, host, world.now_us));
	EXPECT(!meeting_act(m, guest, ACTION_LOCK, 0, world.now_us));
	EXPECT(!meeting_act(m, guest, ACTION_END_CALL, 0, world.now_us));
	EXPECT(meeting_act(m, guest, ACTION_MUTE_SELF, 0, world.now_us));
	EXPECT(!meeting_leg(m, guest)->heard);
	EXPECT(!meeting_act(m, host, ACTION_MUTE_SELF, 0, world.now_us));
	EXPECT(meeting_act(m, host, ACTION_UNMUTE_OTHER, guest, world.now_us));
	EXPECT(meeting_leg(m, guest)->heard);
	EXPECT(!meeting_act(m, host, ACTION_MUTE_OTHER, 12345, world.now_us));
	EXPECT(meeting_act(m, host, ACTION_LOCK, 0, world.now_us));
	const uint32_t late = join_connected(&world, space, 0);
	EXPECT(meeting_leg(m, late)->lobby);
	EXPECT(meeting_act(m, host, ACTION_ADMIT_OTHER, late, world.now_us));
	EXPECT(meeting_leg(m, late)->heard);
	EXPECT(meeting_act(m, host, ACTION_DROP_OTHER, guest, world.now_us));
	EXPECT_EQ(meeting_leg(m, guest)->state, LEG_ENDING);
	EXPECT(meeting_act(m, host, ACTION_END_CALL, 0, world.now_us));
	EXPECT_EQ(meeting_totals(m).legs_active, 0);
	meeting_destroy(m);
}

TEST(hands_are_raised_by_oneself_and_lowered_by_a_host_too)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_LEG_PROFILE, 0,
	                             PAIRS("muteOthersAllowed", "true", "raiseHandAllowed", "false",
	                                   "videoMuteOthersAllowed", "true"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t method = add(&world, OBJECT_METHOD, space,
	                            PAIRS("uri", "h", "callLegProfile",
	                                  id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t guest = join_connected(&world, space, 0);
	const uint32_t host = join_connected(&world, space, method);
	struct meeting *m = world.meeting;
	EXPECT(meeting_act(m, guest, ACTION_RAISE_HAND, 0, world.now_us));
	EXPECT(meeting_leg(m, guest)->hand);
	EXPECT(!meeting_act(m, host, ACTION_RAISE_HAND, 0, world.now_us));
	EXPECT(!meeting_act(m, guest, ACTION_LOWER_OTHER_HAND, host, world.now_us));
	EXPECT(meeting_act(m, host, ACTION_LOWER_OTHER_HAND, guest, world.now_us));
	EXPECT(!meeting_leg(m, guest)->hand);
	EXPECT(!meeting_act(m, guest, ACTION_MUTE_OTHER_VIDEO, host, world.now_us));
	EXPECT(meeting_act(m, host, ACTION_MUTE_OTHER_VIDEO, guest, world.now_us));
	EXPECT_EQ(meeting_leg_setting(m, guest, LEG_PROFILE_RX_VIDEO_MUTE), 1);
	EXPECT(meeting_act(m, guest, ACTION_UNMUTE_SELF_VIDEO, 0, world.now_us));
	EXPECT_EQ(meeting_leg_setting(m, guest, LEG_PROFILE_RX_VIDEO_MUTE), 0);
	meeting_destroy(m);
}
