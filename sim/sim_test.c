/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: telephones and browsers meet in a space through the whole of a Call Bridge's cores, and every
 * way in, out and back works.
 * Method: one scene a test on a good network of the simulator; what people hear is measured. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"
#include "sim/sim.h"

static const struct sim_path good = { .delay_us = 5 * SIM_MS, .jitter_us = 3 * SIM_MS };

enum { LOUD = 1000, QUIET = 150 };

static bool
phone_hears(struct sim_phone *phone, double pitch_hz)
{
	return sim_ear_loudness(sim_phone_ear(phone), pitch_hz, SIM_HEARD) > LOUD;
}

static bool
phone_hears_nothing_of(struct sim_phone *phone, double pitch_hz)
{
	return sim_ear_loudness(sim_phone_ear(phone), pitch_hz, SIM_HEARD) < QUIET;
}

static bool
browser_hears(struct sim_browser *browser, double pitch_hz)
{
	return sim_ear_loudness(sim_browser_ear(browser), pitch_hz, SIM_HEARD) > LOUD;
}

static bool
browser_hears_nothing_of(struct sim_browser *browser, double pitch_hz)
{
	return sim_ear_loudness(sim_browser_ear(browser), pitch_hz, SIM_HEARD) < QUIET;
}

static struct sim_phone *
call(struct sim_world *world, double pitch_hz, enum sim_security security, bool late_offer)
{
	return sim_phone_call(world, &(struct sim_phone_settings){ .target = "demo",
	                                                           .security = security,
	                                                           .late_offer = late_offer,
	                                                           .pitch_hz = pitch_hz });
}

TEST(telephones_and_browsers_hear_each_other_and_never_themselves)
{
	struct sim_world *world = sim_world_create(1, &good);
	struct sim_phone *clear = call(world, 400, SIM_CLEAR, false);
	struct sim_phone *sdes = call(world, 600, SIM_SDES, false);
	struct sim_browser *one = sim_browser_join(world, "1001", NULL, 850);
	struct sim_browser *two = sim_browser_join(world, "demo", NULL, 1150);
	sim_world_run(world, 5 * SIM_S);
	EXPECT(sim_phone_talking(clear) && sim_phone_talking(sdes));
	EXPECT(sim_browser_talking(one) && sim_browser_talking(two));
	EXPECT(phone_hears(clear, 600) && phone_hears(clear, 850) && phone_hears(clear, 1150));
	EXPECT(phone_hears(sdes, 400) && phone_hears(sdes, 850) && phone_hears(sdes, 1150));
	EXPECT(browser_hears(one, 400) && browser_hears(one, 600) && browser_hears(one, 1150));
	EXPECT(browser_hears(two, 400) && browser_hears(two, 600) && browser_hears(two, 850));
	EXPECT(phone_hears_nothing_of(clear, 400) && phone_hears_nothing_of(sdes, 600));
	EXPECT(browser_hears_nothing_of(one, 850) && browser_hears_nothing_of(two, 1150));
	EXPECT_EQ(sim_browser_people(one), 4);
	sim_world_end(world);
}

TEST(a_call_without_offer_and_one_with_dtls_get_sound)
{
	struct sim_world *world = sim_world_create(2, &good);
	struct sim_phone *late = call(world, 400, SIM_CLEAR, true);
	struct sim_phone *dtls = call(world, 700, SIM_DTLS, false);
	sim_world_run(world, 4 * SIM_S);
	EXPECT(phone_hears(late, 700) && phone_hears(dtls, 400));
	EXPECT(phone_hears_nothing_of(late, 400) && phone_hears_nothing_of(dtls, 700));
	sim_world_end(world);
}

TEST(an_unknown_number_gets_404)
{
	struct sim_world *world = sim_world_create(3, &good);
	struct sim_phone *phone = sim_phone_call(
		world, &(struct sim_phone_settings){ .target = "nobody", .pitch_hz = 400 });
	struct sim_browser *browser = sim_browser_join(world, "9999", NULL, 500);
	sim_world_run(world, 1 * SIM_S);
	EXPECT_EQ(sim_phone_ended_status(phone), 404);
	EXPECT_STR(str_of(sim_browser_refused(browser)), "unknownMeeting");
	sim_world_end(world);
}

TEST(a_passcode_is_typed_on_a_telephone_and_given_by_a_browser)
{
	struct sim_world *world = sim_world_create(4, &good);
	struct sim_phone *right = sim_phone_call(
		world, &(struct sim_phone_settings){ .target = "secret", .passcode = "1234#",
		                                     .pitch_hz = 400 });
	struct sim_phone *wrong = sim_phone_call(
		world, &(struct sim_phone_settings){ .target = "1002", .passcode = "1#2#3#",
		                                     .pitch_hz = 600 });
	struct sim_browser *none = sim_browser_join(world, "1002", NULL, 700);
	struct sim_browser *bad = sim_browser_join(world, "1002", "99", 800);
	struct sim_browser *good_one = sim_browser_join(world, "1002", "1234", 900);
	sim_world_run(world, 8 * SIM_S);
	EXPECT_STR(str_of(sim_browser_refused(none)), "passcodeRequired");
	EXPECT_STR(str_of(sim_browser_refused(bad)), "passcodeIncorrect");
	EXPECT(phone_hears(right, 900) && browser_hears(good_one, 400));
	EXPECT(browser_hears_nothing_of(good_one, 600));
	EXPECT(!sim_phone_talking(wrong));
	sim_world_end(world);
}

/* The star may come before the bridge asks, and what was typed before a star does not count. */
static struct sim_phone *
call_with_passcode(struct sim_world *world, double pitch_hz)
{
	return sim_phone_call(world, &(struct sim_phone_settings){ .target = "secret",
	                                                           .passcode = "*1234#",
	                                                           .pitch_hz = pitch_hz });
}

TEST(telephones_alone_with_a_passcode_meet_at_once_and_one_after_the_other)
{
	struct sim_world *world = sim_world_create(12, &good);
	struct sim_phone *first = call_with_passcode(world, 400);
	struct sim_phone *with_it = call_with_passcode(world, 600);
	sim_world_run(world, 5 * SIM_S);
	EXPECT(phone_hears(first, 600) && phone_hears(with_it, 400));
	struct sim_phone *later = call_with_passcode(world, 850);
	sim_world_run(world, 5 * SIM_S);
	EXPECT(phone_hears(first, 850) && phone_hears(later, 400) && phone_hears(later, 600));
	sim_world_end(world);
}

/* Whoever is asked sits on the idler worker, which is not where the meeting is. */
TEST(an_ivr_leads_into_a_meeting_on_another_worker_whatever_the_encryption)
{
	static const enum sim_security securities[] = { SIM_CLEAR, SIM_SDES, SIM_DTLS };
	for (unsigned i = 0; i < COUNT_OF(securities); i++) {
		struct sim_world *world = sim_world_create(20 + i, &good);
		struct sim_phone *first = sim_phone_call(
			world, &(struct sim_phone_settings){ .target = "secret",
			                                     .passcode = "1234#",
			                                     .pitch_hz = 400 });
		sim_world_run(world, 3 * SIM_S);
		struct sim_phone *asked = sim_phone_call(
			world, &(struct sim_phone_settings){ .target = "ivr",
			                                     .passcode = "7#*1002#1234#",
			                                     .security = securities[i],
			                                     .pitch_hz = 600 });
		struct sim_phone *lost = sim_phone_call(
			world, &(struct sim_phone_settings){ .target = "ivr",
			                                     .passcode = "7#8#9#",
			                                     .pitch_hz = 700 });
		sim_world_run(world, 9 * SIM_S);
		EXPECT(sim_phone_talking(asked) && !sim_phone_talking(lost));
		EXPECT(phone_hears(first, 600) && phone_hears(asked, 400));
		EXPECT(phone_hears_nothing_of(first, 700));
		sim_world_end(world);
	}
}

TEST(a_telephone_that_takes_no_new_ports_is_let_go_and_nobody_else_notices)
{
	struct sim_world *world = sim_world_create(24, &good);
	struct sim_phone *first =
		sim_phone_call(world, &(struct sim_phone_settings){ .target = "demo",
	                                                            .pitch_hz = 400 });
	struct sim_phone *second =
		sim_phone_call(world, &(struct sim_phone_settings){ .target = "demo",
	                                                            .pitch_hz = 850 });
	sim_world_run(world, 3 * SIM_S);
	struct sim_phone *stubborn = sim_phone_call(
		world, &(struct sim_phone_settings){ .target = "ivr", .passcode = "1001#",
		                                     .stubborn = true, .pitch_hz = 600 });
	sim_world_run(world, 5 * SIM_S);
	EXPECT(!sim_phone_talking(stubborn));
	EXPECT(phone_hears(first, 850) && phone_hears(second, 400));
	sim_world_end(world);
}

TEST(who_says_nothing_to_an_ivr_is_asked_again_and_let_go)
{
	struct sim_world *world = sim_world_create(23, &good);
	struct sim_phone *silent = sim_phone_call(
		world, &(struct sim_phone_settings){ .target = "ivr", .pitch_hz = 700 });
	sim_world_run(world, 40 * SIM_S);
	EXPECT(sim_phone_talking(silent));
	sim_world_run(world, 10 * SIM_S);
	EXPECT(!sim_phone_talking(silent));
	sim_world_end(world);
}

TEST(who_is_called_sits_where_a_caller_still_types_the_passcode)
{
	struct sim_world *world = sim_world_create(13, &good);
	char address[64];
	struct sim_phone *typing = call_with_passcode(world, 400);
	struct sim_phone *called = sim_phone_wait(world, 600, address, sizeof address);
	sim_world_run(world, 100 * SIM_MS);
	uint32_t leg = 0;
	EXPECT(sim_world_dial(world, "secret", address, &leg));
	sim_world_run(world, 5 * SIM_S);
	EXPECT(phone_hears(typing, 600) && phone_hears(called, 400));
	sim_world_end(world);
}

TEST(a_browser_that_mutes_itself_is_not_heard)
{
	struct sim_world *world = sim_world_create(5, &good);
	struct sim_phone *phone = call(world, 400, SIM_CLEAR, false);
	struct sim_browser *browser = sim_browser_join(world, "1001", NULL, 700);
	sim_world_run(world, 3 * SIM_S);
	EXPECT(phone_hears(phone, 700));
	sim_browser_mute(browser, true);
	sim_world_run(world, 2 * SIM_S);
	EXPECT(phone_hears_nothing_of(phone, 700) && browser_hears(browser, 400));
	sim_browser_mute(browser, false);
	sim_world_run(world, 2 * SIM_S);
	EXPECT(phone_hears(phone, 700));
	sim_world_end(world);
}

TEST(a_browser_comes_back_by_its_token_after_the_link_broke)
{
	struct sim_world *world = sim_world_create(6, &good);
	struct sim_phone *phone = call(world, 400, SIM_CLEAR, false);
	struct sim_browser *browser = sim_browser_join(world, "1001", NULL, 700);
	sim_world_run(world, 3 * SIM_S);
	sim_world_link(world, false);
	sim_world_run(world, 2 * SIM_S);
	EXPECT(phone_hears(phone, 700)); /* media goes on without its Web Bridge */
	sim_world_link(world, true);
	sim_browser_reopen(browser);
	sim_world_run(world, 2 * SIM_S);
	EXPECT(phone_hears(phone, 700) && browser_hears(browser, 400));
	EXPECT_EQ(sim_browser_people(browser), 2);
	EXPECT_EQ(bridge_count(sim_world_bridge(world)).legs, 2);
	sim_browser_new_media(browser);
	sim_world_run(world, 3 * SIM_S);
	EXPECT(phone_hears(phone, 700) && browser_hears(browser, 400));
	sim_world_end(world);
}

TEST(a_browser_that_never_comes_back_is_let_go)
{
	struct sim_world *world = sim_world_create(7, &good);
	struct sim_browser *stays = sim_browser_join(world, "1001", NULL, 500);
	struct sim_browser *goes = sim_browser_join(world, "1001", NULL, 700);
	sim_world_run(world, 3 * SIM_S);
	sim_browser_vanish(goes);
	sim_world_run(world, 25 * SIM_S);
	EXPECT_EQ(bridge_count(sim_world_bridge(world)).legs, 1);
	EXPECT_EQ(sim_browser_people(stays), 1);
	sim_world_end(world);
}

TEST(a_telephone_on_hold_is_not_heard_and_comes_back)
{
	struct sim_world *world = sim_world_create(8, &good);
	struct sim_phone *holder = call(world, 400, SIM_SDES, false);
	struct sim_phone *other = call(world, 700, SIM_CLEAR, false);
	sim_world_run(world, 3 * SIM_S);
	EXPECT(phone_hears(holder, 700) && phone_hears(other, 400));
	sim_phone_hold(holder, true);
	sim_world_run(world, 3 * SIM_S);
	const uint32_t heard = sim_phone_ear(holder)->count;
	sim_world_run(world, 1 * SIM_S);
	EXPECT_EQ(sim_phone_ear(holder)->count, heard); /* sendonly: nothing is sent to it */
	sim_world_run(world, 150 * SIM_S);
	EXPECT(sim_phone_talking(holder)); /* silence is no sign that it is gone */
	sim_phone_hold(holder, false);
	sim_world_run(world, 3 * SIM_S);
	EXPECT(phone_hears(holder, 700) && phone_hears(other, 400));
	sim_world_end(world);
}

TEST(a_new_offer_that_cannot_be_taken_leaves_the_call_as_it_was)
{
	struct sim_world *world = sim_world_create(15, &good);
	struct sim_phone *asks = call(world, 400, SIM_SDES, false);
	struct sim_phone *other = call(world, 700, SIM_CLEAR, false);
	sim_world_run(world, 3 * SIM_S);
	sim_phone_offer(asks, STR("v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\n"
	                          "c=IN IP4 198.51.100.1\r\nt=0 0\r\n"
	                          "m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n"));
	sim_world_run(world, 3 * SIM_S);
	EXPECT_EQ(sim_phone_offer_status(asks), 488);
	EXPECT(phone_hears(asks, 700) && phone_hears(other, 400));
	sim_phone_hold(asks, true);
	sim_world_run(world, 1 * SIM_S);
	sim_phone_hold(asks, false);
	sim_world_run(world, 3 * SIM_S);
	EXPECT(phone_hears(asks, 700) && phone_hears(other, 400));
	sim_world_end(world);
}

TEST(a_meeting_calls_a_telephone)
{
	struct sim_world *world = sim_world_create(9, &good);
	char address[64];
	struct sim_browser *browser = sim_browser_join(world, "1001", NULL, 500);
	struct sim_phone *phone = sim_phone_wait(world, 800, address, sizeof address);
	sim_world_run(world, 3 * SIM_S);
	struct meeting *meeting = sim_world_meeting(world);
	uint32_t leg = 0;
	EXPECT(sim_world_dial(world, "demo", address, &leg));
	sim_world_run(world, 4 * SIM_S);
	EXPECT(sim_phone_talking(phone));
	EXPECT(browser_hears(browser, 800) && phone_hears(phone, 500));
	meeting_leg_drop(meeting, leg, LEG_END_API_INITIATED_TEARDOWN, sim_world_now(world));
	sim_world_run(world, 2 * SIM_S);
	EXPECT(!sim_phone_talking(phone));
	sim_world_end(world);
}

TEST(a_telephone_may_ring_for_long_with_a_description_and_no_sound)
{
	struct sim_world *world = sim_world_create(16, &good);
	char address[64];
	struct sim_browser *browser = sim_browser_join(world, "1001", NULL, 500);
	struct sim_phone *phone = sim_phone_wait(world, 800, address, sizeof address);
	sim_phone_ring(phone, 110 * SIM_S);
	sim_world_run(world, 2 * SIM_S);
	uint32_t leg = 0;
	EXPECT(sim_world_dial(world, "demo", address, &leg));
	sim_world_run(world, 115 * SIM_S);
	EXPECT(sim_phone_talking(phone));
	EXPECT(browser_hears(browser, 800) && phone_hears(phone, 500));
	sim_world_end(world);
}

/* As two bridges do it: both are ICE-lite, so neither checks the other. */
TEST(a_meeting_that_calls_another_is_heard_there)
{
	struct sim_world *world = sim_world_create(14, &good);
	struct sim_phone *here = call(world, 400, SIM_CLEAR, false);
	struct sim_phone *there = sim_phone_call(
		world, &(struct sim_phone_settings){ .target = "other", .pitch_hz = 700 });
	sim_world_run(world, 2 * SIM_S);
	uint32_t leg = 0;
	EXPECT(sim_world_dial(world, "demo", "other@192.0.2.1", &leg));
	sim_world_run(world, 5 * SIM_S);
	EXPECT(phone_hears(here, 700) && phone_hears(there, 400));
	EXPECT(phone_hears_nothing_of(here, 400) && phone_hears_nothing_of(there, 700));
	meeting_leg_drop(sim_world_meeting(world), leg, LEG_END_API_INITIATED_TEARDOWN,
	                 sim_world_now(world));
	sim_world_end(world);
}

/* Whoever is called where no space is, is called at the host of `address`. */
static void
forward_to(struct sim_world *world, const char *address)
{
	struct objects *objects = meeting_objects(sim_world_meeting(world));
	struct object_edit edit = { .type = OBJECT_FORWARDING_RULE };
	uint32_t handle = 0;
	int culprit = -1;
	edit_set_text(&edit, FORWARDING_PATTERN, STR("*"));
	edit_set_text(&edit, FORWARDING_DESTINATION, str_of(strchr(address, '@') + 1));
	objects_begin(objects);
	CHECK(objects_add(objects, &edit, 0, &handle, &culprit) == OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
}

TEST(a_telephone_is_called_on_to_another_and_both_go_with_the_first)
{
	struct sim_world *world = sim_world_create(21, &good);
	char address[64];
	char user[64];
	struct sim_phone *called = sim_phone_wait(world, 800, address, sizeof address);
	forward_to(world, address);
	sim_phone_ring(called, 2 * SIM_S);
	sim_world_run(world, SIM_S);
	snprintf(user, sizeof user, "%.*s", (int)strcspn(address, "@"), address);
	struct sim_phone *caller = sim_phone_call(
		world, &(struct sim_phone_settings){ .target = user, .pitch_hz = 500 });
	sim_world_run(world, SIM_S);
	EXPECT(!sim_phone_talking(caller));
	sim_world_run(world, 6 * SIM_S);
	EXPECT(sim_phone_talking(caller) && sim_phone_talking(called));
	EXPECT(phone_hears(caller, 800) && phone_hears(called, 500));
	EXPECT(phone_hears_nothing_of(caller, 500) && phone_hears_nothing_of(called, 800));
	sim_phone_hang_up(called);
	sim_world_run(world, 2 * SIM_S);
	EXPECT(!sim_phone_talking(caller));
	EXPECT_EQ(bridge_count(sim_world_bridge(world)).legs, 0);
	sim_world_end(world);
}

/* Loss, doubles and late packets; callers who hang up at any time of it, and some who vanish. */
TEST(forwarded_calls_leave_nothing_behind_whatever_the_network_does)
{
	static const struct sim_path rough = { .loss_pm = 80, .double_pm = 30,
		                               .delay_us = 20 * SIM_MS, .jitter_us = 60 * SIM_MS };
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct sim_world *world = sim_world_create(seed, &rough);
		char address[64];
		char user[64];
		struct sim_phone *called = sim_phone_wait(world, 800, address, sizeof address);
		forward_to(world, address);
		sim_phone_ring(called, (int64_t)(seed % 3) * SIM_S);
		snprintf(user, sizeof user, "%.*s", (int)strcspn(address, "@"), address);
		struct sim_phone *caller = sim_phone_call(
			world, &(struct sim_phone_settings){ .target = user, .pitch_hz = 500 });
		sim_world_run(world, (int64_t)seed * 700 * SIM_MS);
		if (seed % 4 == 0)
			sim_phone_vanish(caller);
		else
			sim_phone_hang_up(seed % 2 == 0 ? called : caller);
		sim_world_end(world);
	}
}

TEST(a_call_that_is_called_on_to_ourselves_ends)
{
	struct sim_world *world = sim_world_create(22, &good);
	forward_to(world, "x@192.0.2.1");
	struct sim_phone *caller = sim_phone_call(
		world, &(struct sim_phone_settings){ .target = "nobody", .pitch_hz = 500 });
	sim_world_run(world, 20 * SIM_S);
	/* By Max-Forwards, or sooner by the most legs there can be. */
	const unsigned status = sim_phone_ended_status(caller);
	EXPECT(status == 483 || status == 500);
	EXPECT_EQ(bridge_count(sim_world_bridge(world)).legs, 0);
	sim_world_end(world);
}

TEST(a_telephone_that_vanishes_is_noticed)
{
	struct sim_world *world = sim_world_create(10, &good);
	struct sim_phone *gone = call(world, 400, SIM_CLEAR, false);
	struct sim_browser *browser = sim_browser_join(world, "1001", NULL, 700);
	sim_world_run(world, 3 * SIM_S);
	sim_phone_vanish(gone);
	sim_world_run(world, 130 * SIM_S);
	EXPECT_EQ(bridge_count(sim_world_bridge(world)).legs, 1);
	EXPECT(sim_browser_talking(browser));
	sim_world_end(world);
}

TEST(a_bridge_that_ends_tells_everybody)
{
	struct sim_world *world = sim_world_create(11, &good);
	struct sim_phone *phone = call(world, 400, SIM_CLEAR, false);
	struct sim_browser *browser = sim_browser_join(world, "1001", NULL, 700);
	sim_world_run(world, 3 * SIM_S);
	bool done = false;
	for (unsigned i = 0; i < 30 && !done; i++) {
		done = bridge_shutdown(sim_world_bridge(world), sim_world_now(world));
		sim_world_run(world, 100 * SIM_MS);
	}
	EXPECT(done && !sim_phone_talking(phone) && !sim_browser_talking(browser));
	sim_world_end(world);
}
