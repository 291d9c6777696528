/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what is not licensed does not begin and is told, what runs goes on, and what is counted is
 * counted rightly.  Rights are put together by hand: who granted them is src/licence's to test. */
#include "meeting/model_world.h"

static struct licence_rights
rights_without(enum licence_feature feature)
{
	struct licence_rights rights = licence_rights_free();
	rights.free = false;
	str_copy(rights.id, sizeof rights.id, STR("1"));
	rights.of[feature].state = LICENCE_NONE;
	rights.of[LICENCE_NO_ENCRYPTION].state = LICENCE_NONE;
	return rights;
}

static void
licence(struct world *world, const struct licence_rights *rights)
{
	meeting_licence(world->meeting, rights, 1682640000, world->now_us);
}

/* The log's lines with "license" in them, each behind a "|". */
static const char *
lines(struct world *world)
{
	static char text[4096];
	struct writer w = writer_of(text, sizeof text - 1);
	for (struct meeting_event event;
	     (event = meeting_poll(world->meeting)).kind != MEETING_NONE;) {
		if (event.kind == MEETING_LOG && str_contains_nocase(event.text, STR("license")))
			writer_format(&w, "|%.*s", STR_ARGS(event.text));
	}
	text[w.at] = '\0';
	return text;
}

#define EXPECT_LINES(world, want) EXPECT_STR(str_of(lines(world)), want)

/* "licenseOveruse personal, ..." of all alarms. */
static const char *
alarms(struct world *world)
{
	static char text[1024];
	struct writer w = writer_of(text, sizeof text - 1);
	struct guid id;
	uint32_t at = 0;
	for (uint32_t alarm; (alarm = meeting_alarm_next(world->meeting, &at, &id)) != 0;) {
		const struct value type = meeting_value(world->meeting, OBJECT_ALARM, alarm,
		                                        ALARM_TYPE, world->now_us);
		const struct value reason = meeting_value(world->meeting, OBJECT_ALARM, alarm,
		                                          ALARM_REASON, world->now_us);
		writer_format(&w, "%s%.*s %.*s", w.at != 0 ? ", " : "", STR_ARGS(type.text),
		              STR_ARGS(reason.text));
	}
	text[w.at] = '\0';
	return text;
}

#define EXPECT_ALARMS(world, want) EXPECT_STR(str_of(alarms(world)), want)

static enum meeting_refusal
try_join(struct world *world, uint32_t space, enum leg_kind kind)
{
	const struct meeting_join settings = { .entry = { .space = space },
		                               .kind = kind,
		                               .name = STR("Ben"),
		                               .remote_party = STR("ben@example.org") };
	uint32_t leg = 0;
	return meeting_join(world->meeting, &settings, world->now_us, &leg);
}

TEST(without_callbridge_no_call_begins_and_those_that_run_go_on)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "a", "name", "Ann's"));
	const uint32_t other = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "b", "name", "Ben's"));
	uint32_t call = 0;
	const uint32_t leg = join_connected(&world, space, 0);
	(void)events(&world);
	const struct licence_rights rights = rights_without(LICENCE_CALLBRIDGE);
	licence(&world, &rights);
	EXPECT_LINES(&world, "|license: feature callbridge is not licensed"
	                     "|license: feature callbridge_no_encryption is not licensed");
	EXPECT_EQ(try_join(&world, other, LEG_SIP), MEETING_NO_LICENSE);
	EXPECT_LINES(&world, "|unable to start a call (space \"Ben's\") -- no license");
	EXPECT_EQ(meeting_call_start(world.meeting, 0, STR("x"), world.now_us, &call),
	          MEETING_NO_LICENSE);
	EXPECT_LINES(&world, "|unable to start a call -- no license");
	EXPECT_EQ(meeting_leg(world.meeting, leg)->state, LEG_CONNECTED);
	EXPECT_EQ(try_join(&world, space, LEG_SIP), MEETING_ADMITTED);
	EXPECT_EQ(meeting_call_start(world.meeting, space, STR(""), world.now_us, &call),
	          MEETING_ADMITTED);
	const struct licence_rights all = licence_rights_free();
	licence(&world, &all);
	EXPECT_LINES(&world, "|license: feature callbridge is activated"
	                     "|license: feature callbridge_no_encryption is activated");
	EXPECT_EQ(try_join(&world, other, LEG_SIP), MEETING_ADMITTED);
	EXPECT_LINES(&world, "");
	meeting_destroy(world.meeting);
}

TEST(one_leg_more_than_is_licensed_is_refused_wherever_it_goes)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "a"));
	struct licence_rights rights = licence_rights_free();
	rights.of[LICENCE_CALLBRIDGE].limited = true;
	rights.of[LICENCE_CALLBRIDGE].limit = 2;
	licence(&world, &rights);
	const uint32_t leg = join_connected(&world, space, 0);
	(void)join_connected(&world, space, 0);
	(void)events(&world);
	const struct meeting_dial dial = { .call = meeting_leg(world.meeting, leg)->call,
		                           .remote_party = STR("x@example.org") };
	uint32_t dialled = 0;
	EXPECT_EQ(try_join(&world, space, LEG_SIP), MEETING_NO_LICENSE);
	EXPECT_EQ(try_join(&world, space, LEG_WEB), MEETING_NO_LICENSE);
	EXPECT_EQ(meeting_dial(world.meeting, &dial, world.now_us, &dialled), MEETING_NO_LICENSE);
	EXPECT_LINES(&world, "|unable to admit one more call leg (space \"\") -- no license"
	                     "|unable to admit one more call leg (space \"\") -- no license"
	                     "|unable to admit one more call leg (space \"\") -- no license");
	end(&world, leg);
	EXPECT_EQ(try_join(&world, space, LEG_SIP), MEETING_ADMITTED);
	/* A smaller licence ends nobody's call. */
	rights.of[LICENCE_CALLBRIDGE].limit = 0;
	licence(&world, &rights);
	EXPECT_EQ(meeting_totals(world.meeting).legs_active, 2);
	meeting_destroy(world.meeting);
}

TEST(without_webbridge_no_browser_comes_in)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "a", "name", "A"));
	const struct licence_rights rights = rights_without(LICENCE_WEBBRIDGE);
	licence(&world, &rights);
	(void)events(&world);
	EXPECT_EQ(try_join(&world, space, LEG_WEB), MEETING_NO_LICENSE);
	EXPECT_LINES(&world, "|unable to admit a browser (space \"A\") -- no license");
	EXPECT_EQ(try_join(&world, space, LEG_SIP), MEETING_ADMITTED);
	meeting_destroy(world.meeting);
}

TEST(without_encryption_calls_are_clear_and_browsers_stay_out)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "a"));
	const struct meeting_entry entry = { .space = space };
	struct licence_rights rights = rights_without(LICENCE_CALLBRIDGE);
	rights.of[LICENCE_NO_ENCRYPTION].state = LICENCE_ACTIVATED;
	EXPECT_EQ(meeting_entry_setting(world.meeting, &entry, LEG_PROFILE_SIP_ENCRYPTION),
	          SIP_ENCRYPTION_OPTIONAL);
	licence(&world, &rights);
	EXPECT_EQ(meeting_entry_setting(world.meeting, &entry, LEG_PROFILE_SIP_ENCRYPTION),
	          SIP_ENCRYPTION_PROHIBITED);
	const uint32_t leg = join_connected(&world, space, 0);
	EXPECT_EQ(meeting_leg_setting(world.meeting, leg, LEG_PROFILE_SIP_ENCRYPTION),
	          SIP_ENCRYPTION_PROHIBITED);
	EXPECT_EQ(try_join(&world, space, LEG_WEB), MEETING_NO_LICENSE);
	meeting_destroy(world.meeting);
}

TEST(a_feature_that_ends_is_told_once_and_stands_as_an_alarm)
{
	struct world world = world_make();
	struct licence_rights rights = rights_without(LICENCE_TURN);
	rights.of[LICENCE_LDAP].expires_s = 1682726400;
	licence(&world, &rights);
	(void)events(&world);
	EXPECT_ALARMS(&world, "");
	rights.of[LICENCE_LDAP].state = LICENCE_GRACE;
	licence(&world, &rights);
	licence(&world, &rights);
	EXPECT_LINES(&world, "|license: feature ldap is past its end, and goes on for some days, "
	                     "expiry 2023-Apr-28");
	EXPECT_ALARMS(&world, "licenseGrace ldap");
	EXPECT(meeting_licensed(world.meeting, LICENCE_LDAP));
	rights.of[LICENCE_LDAP].state = LICENCE_EXPIRED;
	licence(&world, &rights);
	EXPECT_LINES(&world, "|license: feature ldap is expired, expiry 2023-Apr-28");
	EXPECT_ALARMS(&world, "licenseExpired ldap");
	EXPECT(!meeting_licensed_for(world.meeting, LICENCE_LDAP, "sync users", NULL));
	EXPECT_LINES(&world, "|unable to sync users -- no license");
	const struct licence_rights none = licence_rights_none(LICENCE_REJECT_SIGNATURE);
	licence(&world, &none);
	EXPECT_ALARMS(&world, "licenseInvalid badSignature");
	const struct licence_rights all = licence_rights_free();
	licence(&world, &all);
	EXPECT_ALARMS(&world, "");
	meeting_destroy(world.meeting);
}

TEST(without_branding_our_own_prompts_are_played)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_CALL_BRANDING, 0,
	                             PAIRS("resourceLocation", "https://a.example.org/b"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0,
	                           PAIRS("uri", "a", "name", "A", "callBrandingProfile",
	                                 id_of(&world, OBJECT_CALL_BRANDING, profile)));
	const struct licence_rights rights = rights_without(LICENCE_BRANDING);
	EXPECT_EQ(meeting_call_branding(world.meeting, space), profile);
	licence(&world, &rights);
	(void)events(&world);
	EXPECT_EQ(meeting_call_branding(world.meeting, space), 0);
	EXPECT_EQ(meeting_call_branding(world.meeting, space), 0);
	EXPECT_LINES(&world, "|unable to apply branding (space \"A\") -- no license");
	const struct licence_rights all = licence_rights_free();
	licence(&world, &all);
	EXPECT_EQ(meeting_call_branding(world.meeting, space), profile);
	meeting_destroy(world.meeting);
}

static void
send_pictures(struct world *world, uint32_t leg)
{
	meeting_leg_pictures(world->meeting, leg, LEG_TRACK_MAIN, true, 1280, 720, world->now_us);
}

TEST(calls_are_counted_by_their_owner_and_by_what_they_are)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_USER_PROFILE, 0, PAIRS("hasLicense", "true"));
	struct object_edit edit = { .type = OBJECT_USER };
	const struct guid profile_id = objects_id(world.objects, OBJECT_USER_PROFILE, profile);
	uint32_t user = 0;
	int culprit;
	edit_set_text(&edit, USER_JID, STR("ann@example.org"));
	edit_set_guid(&edit, USER_PROFILE, &profile_id);
	objects_begin(world.objects);
	EXPECT_EQ(objects_add(world.objects, &edit, 0, &user, &culprit), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	(void)add(&world, OBJECT_SPACE, 0, PAIRS("uri", "a", "ownerJid", "ann@example.org"));
	uint32_t spaces[4];
	static const char *const uris[] = { "b", "c", "d", "e" };
	for (unsigned i = 0; i < 4; i++)
		spaces[i] = add(&world, OBJECT_SPACE, 0, PAIRS("uri", uris[i]));
	struct meeting_entry own;
	EXPECT_EQ(route(&world, "a", "", "", &own), ROUTE_OPEN);
	(void)join_connected(&world, own.space, 0);
	for (unsigned i = 0; i < 3; i++)
		(void)join_connected(&world, spaces[0], 0); /* three, nobody is seen */
	send_pictures(&world, join_connected(&world, spaces[1], 0));
	for (unsigned i = 0; i < 3; i++)
		send_pictures(&world, join_connected(&world, spaces[2], 0));
	struct meeting_usage usage = meeting_usage(world.meeting);
	EXPECT_EQ(usage.users, 1);
	EXPECT_EQ(usage.users_personal, 1);
	EXPECT_EQ(usage.calls, 4);
	EXPECT_EQ(usage.calls_personal, 1);
	EXPECT_EQ(usage.calls_audio, 1);
	EXPECT_EQ(usage.calls_pair, 1);
	EXPECT_EQ(usage.calls_full, 1);
	/* One, and two sixths of another. */
	EXPECT_EQ(meeting_usage_of(&usage, LICENCE_SHARED), 2);
	EXPECT_EQ(meeting_usage_of(&usage, LICENCE_PERSONAL), 1);
	EXPECT_EQ(meeting_usage_of(&usage, LICENCE_CAPACITY), 4);
	change(&world, OBJECT_USER_PROFILE, profile, PAIRS("hasLicense", "false"));
	usage = meeting_usage(world.meeting);
	EXPECT_EQ(usage.users_personal, 0);
	EXPECT_EQ(usage.calls_personal, 0);
	meeting_destroy(world.meeting);
}

TEST(more_than_is_licensed_is_told_and_nothing_ends)
{
	struct world world = world_make();
	struct licence_rights rights = licence_rights_free();
	rights.of[LICENCE_SHARED].limited = true;
	rights.of[LICENCE_SHARED].limit = 0;
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "a"));
	licence(&world, &rights);
	EXPECT_ALARMS(&world, "");
	const uint32_t leg = join_connected(&world, space, 0);
	(void)events(&world);
	licence(&world, &rights);
	licence(&world, &rights);
	EXPECT_LINES(&world, "|license: 1 of shared are used, 0 are licensed");
	EXPECT_ALARMS(&world, "licenseOveruse shared");
	EXPECT_EQ(try_join(&world, space, LEG_SIP), MEETING_ADMITTED);
	EXPECT_EQ(meeting_leg(world.meeting, leg)->state, LEG_CONNECTED);
	rights.of[LICENCE_SHARED].limit = 1;
	licence(&world, &rights);
	EXPECT_LINES(&world, "|license: shared is within its limit again");
	EXPECT_ALARMS(&world, "");
	meeting_destroy(world.meeting);
}
