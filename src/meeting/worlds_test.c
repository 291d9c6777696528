/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: tenants have worlds of their own, a profile holds for whom it is meant and no further, and
 * what a request may not have it does not get.  Method: the model alone, knocked at from each
 * world. */
#include "meeting/model_world.h"

#include <stdio.h>

static uint32_t
add_user(struct world *world, const char *jid, uint32_t tenant, uint32_t profile)
{
	struct object_edit edit = { .type = OBJECT_USER };
	uint32_t user = 0;
	int culprit = -1;
	const struct guid tenant_id = objects_id(world->objects, OBJECT_TENANT, tenant);
	const struct guid profile_id = objects_id(world->objects, OBJECT_USER_PROFILE, profile);
	edit_set_text(&edit, USER_JID, str_of(jid));
	if (tenant != 0)
		edit_set_guid(&edit, USER_TENANT, &tenant_id);
	if (profile != 0)
		edit_set_guid(&edit, USER_PROFILE, &profile_id);
	objects_begin(world->objects);
	EXPECT_EQ(objects_add(world->objects, &edit, 0, &user, &culprit), OBJECT_OK);
	objects_settled(world->objects, objects_end(world->objects).ticket, true);
	return user;
}

static uint32_t
add_tenant(struct world *world, const char *name, uint32_t group)
{
	return add(world, OBJECT_TENANT, 0,
	           PAIRS("name", name, "tenantGroup",
	                 group != 0 ? id_of(world, OBJECT_TENANT_GROUP, group) : ""));
}

static uint32_t
add_space(struct world *world, uint32_t tenant, const char *uri, const char *call_id)
{
	return add(world, OBJECT_SPACE, 0,
	           PAIRS("uri", uri, "callId", call_id, "tenant",
	                 tenant != 0 ? id_of(world, OBJECT_TENANT, tenant) : ""));
}

static uint32_t
knock_at(struct world *world, enum meeting_world kind, const struct guid *id, const char *address)
{
	const struct meeting_knock knock = { .world = kind, .world_id = *id,
		                             .address = str_of(address) };
	struct meeting_entry entry = { 0 };
	return meeting_route(world->meeting, &knock, &entry) == ROUTE_UNKNOWN ? 0 : entry.space;
}

TEST(each_tenant_has_addresses_of_its_own_and_each_group_numbers)
{
	struct world w = world_make();
	const struct guid none = { 0 };
	uint32_t space = 0;
	const uint32_t group = add(&w, OBJECT_TENANT_GROUP, 0, NO_PAIRS);
	const uint32_t a = add_tenant(&w, "a", group);
	const uint32_t b = add_tenant(&w, "b", group);
	const uint32_t c = add_tenant(&w, "c", 0);
	const struct guid a_id = objects_id(w.objects, OBJECT_TENANT, a);
	const struct guid b_id = objects_id(w.objects, OBJECT_TENANT, b);
	const struct guid group_id = objects_id(w.objects, OBJECT_TENANT_GROUP, group);

	const uint32_t of_a = add_space(&w, a, "team", "1");
	const uint32_t of_b = add_space(&w, b, "team", "2");
	const uint32_t of_c = add_space(&w, c, "other", "1");
	EXPECT_EQ(test_add(w.objects, OBJECT_SPACE, 0, &space,
	                   PAIRS("uri", "TEAM", "tenant", id_of(&w, OBJECT_TENANT, a))),
	          OBJECT_DUPLICATE_URI);
	EXPECT_EQ(test_add(w.objects, OBJECT_SPACE, 0, &space,
	                   PAIRS("callId", "1", "tenant", id_of(&w, OBJECT_TENANT, b))),
	          OBJECT_DUPLICATE_ID);
	EXPECT_EQ(test_add(w.objects, OBJECT_METHOD, of_b, &space, PAIRS("callId", "1")),
	          OBJECT_DUPLICATE_ID);
	EXPECT_EQ(test_add(w.objects, OBJECT_SPACE, 0, &space, PAIRS("callId", "1")),
	          OBJECT_DUPLICATE_ID);

	EXPECT_EQ(knock_at(&w, WORLD_TENANT, &a_id, "team"), of_a);
	EXPECT_EQ(knock_at(&w, WORLD_TENANT, &b_id, "team"), of_b);
	EXPECT_EQ(knock_at(&w, WORLD_TENANT, &b_id, "other"), 0);
	EXPECT_EQ(knock_at(&w, WORLD_TENANT, &none, "team"), 0);
	EXPECT_EQ(knock_at(&w, WORLD_GROUP, &group_id, "1"), of_a);
	EXPECT_EQ(knock_at(&w, WORLD_GROUP, &none, "1"), of_c);
	/* Nobody said whose: two have it, then nobody's own goes before. */
	EXPECT_EQ(knock_at(&w, WORLD_ANY, &none, "team"), 0);
	const uint32_t nobodys = add_space(&w, 0, "team", "");
	EXPECT_EQ(knock_at(&w, WORLD_ANY, &none, "team"), nobodys);
	EXPECT_EQ(knock_at(&w, WORLD_ANY, &none, "other"), of_c);

	/* c cannot join a group in which its number is taken, nor a space a tenant. */
	EXPECT_EQ(test_edit(w.objects, OBJECT_TENANT, c,
	                    PAIRS("tenantGroup", id_of(&w, OBJECT_TENANT_GROUP, group))),
	          OBJECT_GROUP_CONFLICT);
	EXPECT_EQ(test_edit(w.objects, OBJECT_SPACE, nobodys,
	                    PAIRS("tenant", id_of(&w, OBJECT_TENANT, a))),
	          OBJECT_DUPLICATE_URI);
	meeting_destroy(w.meeting);
}

TEST(a_space_takes_its_methods_into_another_world_or_stays)
{
	struct world w = world_make();
	const uint32_t a = add_tenant(&w, "a", 0);
	(void)add_space(&w, a, "host", "");
	const uint32_t space = add_space(&w, 0, "mine", "");
	(void)add(&w, OBJECT_METHOD, space, PAIRS("uri", "host"));
	EXPECT_EQ(test_edit(w.objects, OBJECT_SPACE, space,
	                    PAIRS("tenant", id_of(&w, OBJECT_TENANT, a))),
	          OBJECT_DUPLICATE_URI);
	meeting_destroy(w.meeting);
}

TEST(users_of_another_tenant_are_nobody_here)
{
	struct world w = world_make();
	uint32_t member = 0;
	const uint32_t a = add_tenant(&w, "a", 0);
	const uint32_t b = add_tenant(&w, "b", 0);
	(void)add_user(&w, "ann@a.example", a, 0);
	(void)add_user(&w, "bob@b.example", b, 0);
	const uint32_t space = add_space(&w, a, "s", "");
	EXPECT_EQ(test_add(w.objects, OBJECT_MEMBER, space, &member,
	                   PAIRS("userJid", "bob@b.example")),
	          OBJECT_NO_REFERENCE);
	EXPECT_EQ(test_add(w.objects, OBJECT_MEMBER, space, &member,
	                   PAIRS("userJid", "nobody@a.example")),
	          OBJECT_NO_REFERENCE);
	EXPECT_EQ(test_add(w.objects, OBJECT_MEMBER, space, &member,
	                   PAIRS("userJid", "Ann@A.example")),
	          OBJECT_OK);
	EXPECT_EQ(test_add(w.objects, OBJECT_MEMBER, space, &member,
	                   PAIRS("userJid", "ann@a.example")),
	          OBJECT_BAD_VALUE);
	EXPECT_EQ(test_edit(w.objects, OBJECT_SPACE, space, PAIRS("ownerJid", "bob@b.example")),
	          OBJECT_NO_REFERENCE);
	EXPECT_EQ(test_edit(w.objects, OBJECT_SPACE, space, PAIRS("ownerJid", "ann@a.example")),
	          OBJECT_OK);
	EXPECT(objects_value(w.objects, OBJECT_SPACE, space, SPACE_OWNER_ID).set);
	/* Given away, it would have a member of another tenant. */
	EXPECT_EQ(test_edit(w.objects, OBJECT_SPACE, space, PAIRS("ownerJid", "")), OBJECT_OK);
	EXPECT_EQ(test_edit(w.objects, OBJECT_SPACE, space,
	                    PAIRS("tenant", id_of(&w, OBJECT_TENANT, b))),
	          OBJECT_BAD_VALUE);
	meeting_destroy(w.meeting);
}

static uint32_t
profile(struct world *w, const char *name, const char *value)
{
	return add(w, OBJECT_LEG_PROFILE, 0, PAIRS(name, value));
}

TEST(a_profile_holds_from_the_system_down_to_the_leg)
{
	struct world w = world_make();
	const uint32_t tenant = add_tenant(&w, "t", 0);
	(void)add_user(&w, "ann@t.example", tenant, 0);
	const uint32_t space = add_space(&w, tenant, "s", "");
	const uint32_t method = add(&w, OBJECT_METHOD, space, PAIRS("uri", "m"));
	const uint32_t member =
		add(&w, OBJECT_MEMBER, space, PAIRS("userJid", "ann@t.example"));
	const struct meeting_join settings = { .entry = { .space = space, .method = method }, .name = STR("Ann"),
		                               .remote_party = STR("ann@t.example"),
		                               .user_jid = STR("ann@t.example") };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(w.meeting, &settings, w.now_us, &leg), MEETING_ADMITTED);
	static const struct {
		enum object_type type;
		const char *size;
	} levels[] = {
		{ OBJECT_SYSTEM_PROFILES, "30" }, { OBJECT_TENANT, "31" }, { OBJECT_SPACE, "32" },
		{ OBJECT_METHOD, "33" },          { OBJECT_MEMBER, "34" },
	};
	const uint32_t handles[] = { objects_single(w.objects, OBJECT_SYSTEM_PROFILES), tenant,
		                     space, method, member };
	for (unsigned i = 0; i < COUNT_OF(levels); i++) {
		const uint32_t own = profile(&w, "audioPacketSizeMs", levels[i].size);
		change(&w, levels[i].type, handles[i],
		       PAIRS("callLegProfile", id_of(&w, OBJECT_LEG_PROFILE, own)));
		EXPECT_EQ(meeting_leg_setting(w.meeting, leg, LEG_PROFILE_PACKET_MS), 30 + i);
	}
	/* Who is no longer a member keeps what the membership brought. */
	objects_begin(w.objects);
	EXPECT_EQ(objects_remove(w.objects, OBJECT_MEMBER, member), OBJECT_OK);
	objects_settled(w.objects, objects_end(w.objects).ticket, true);
	meeting_configured(w.meeting, w.now_us);
	EXPECT_EQ(meeting_leg_setting(w.meeting, leg, LEG_PROFILE_PACKET_MS), 34);
	meeting_destroy(w.meeting);
}

TEST(members_come_where_others_may_not)
{
	struct world w = world_make();
	(void)add_user(&w, "ann@example.org", 0, 0);
	const uint32_t space = add_space(&w, 0, "s", "");
	change(&w, OBJECT_SPACE, space, PAIRS("nonMemberAccess", "false"));
	struct meeting_knock knock = { .address = STR("s"), .user_jid = STR("ann@example.org") };
	struct meeting_entry entry;
	EXPECT_EQ(meeting_route(w.meeting, &knock, &entry), ROUTE_MEMBERS_ONLY);
	(void)add(&w, OBJECT_MEMBER, space, PAIRS("userJid", "ann@example.org"));
	EXPECT_EQ(meeting_route(w.meeting, &knock, &entry), ROUTE_OPEN);
	knock.user_jid = STR("");
	EXPECT_EQ(meeting_route(w.meeting, &knock, &entry), ROUTE_MEMBERS_ONLY);
	meeting_destroy(w.meeting);
}

TEST(what_a_user_may_not_do_no_profile_allows)
{
	struct world w = world_make();
	const uint32_t limits = add(&w, OBJECT_USER_PROFILE, 0,
	                            PAIRS("audioParticipationAllowed", "false",
	                                  "presentationParticipationAllowed", "false"));
	(void)add_user(&w, "ann@example.org", 0, limits);
	const uint32_t space = add_space(&w, 0, "s", "");
	const struct meeting_join settings = { .entry = { .space = space }, .name = STR("Ann"),
		                               .remote_party = STR("x"),
		                               .user_jid = STR("ann@example.org") };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(w.meeting, &settings, w.now_us, &leg), MEETING_ADMITTED);
	EXPECT_EQ(meeting_leg_setting(w.meeting, leg, LEG_PROFILE_RX_AUDIO_MUTE), 1);
	EXPECT_EQ(meeting_leg_setting(w.meeting, leg,
	                              LEG_PROFILE_PRESENTATION_CONTRIBUTION_ALLOWED),
	          0);
	EXPECT_EQ(meeting_leg_setting(w.meeting, leg, LEG_PROFILE_VIDEO_MODE), VIDEO_MODE_AUTO);
	change(&w, OBJECT_USER_PROFILE, limits,
	       PAIRS("audioParticipationAllowed", "", "videoParticipationAllowed", "false"));
	EXPECT_EQ(meeting_leg_setting(w.meeting, leg, LEG_PROFILE_RX_AUDIO_MUTE), 0);
	EXPECT_EQ(meeting_leg_setting(w.meeting, leg, LEG_PROFILE_VIDEO_MODE),
	          VIDEO_MODE_DISABLED);
	meeting_destroy(w.meeting);
}

TEST(a_tenant_has_no_more_participants_than_it_may)
{
	struct world w = world_make();
	const uint32_t tenant = add_tenant(&w, "t", 0);
	const uint32_t a = add_space(&w, tenant, "a", "");
	const uint32_t b = add_space(&w, tenant, "b", "");
	change(&w, OBJECT_TENANT, tenant, PAIRS("participantLimit", "2"));
	(void)join(&w, a, 0);
	const uint32_t second = join(&w, b, 0);
	const struct meeting_join third = { .entry = { .space = a }, .remote_party = STR("x") };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(w.meeting, &third, w.now_us, &leg), MEETING_TENANT_FULL);
	end(&w, second);
	EXPECT_EQ(meeting_join(w.meeting, &third, w.now_us, &leg), MEETING_ADMITTED);
	meeting_destroy(w.meeting);
}

TEST(passcodes_are_as_long_as_the_nearest_policy_wants)
{
	struct world w = world_make();
	struct meeting_entry entry;
	const uint32_t space = add(&w, OBJECT_SPACE, 0, PAIRS("uri", "s", "passcode", "12"));
	const uint32_t strict = add(&w, OBJECT_DIAL_IN_PROFILE, 0,
	                            PAIRS("minPasscodeLength", "4", "allowOutOfPolicy", "false"));
	change(&w, OBJECT_SYSTEM_PROFILES, objects_single(w.objects, OBJECT_SYSTEM_PROFILES),
	       PAIRS("dialInSecurityProfile", id_of(&w, OBJECT_DIAL_IN_PROFILE, strict)));
	EXPECT_EQ(route(&w, "s", "12", NULL, &entry), ROUTE_MEMBERS_ONLY);
	change(&w, OBJECT_DIAL_IN_PROFILE, strict, PAIRS("allowOutOfPolicy", "true"));
	EXPECT_EQ(route(&w, "s", "12", NULL, &entry), ROUTE_OPEN);
	EXPECT_EQ(test_edit(w.objects, OBJECT_SPACE, space, PAIRS("passcode", "123")),
	          OBJECT_PASSCODE_TOO_SHORT);
	EXPECT_EQ(test_edit(w.objects, OBJECT_SPACE, space, PAIRS("name", "n")), OBJECT_OK);
	uint32_t method = 0;
	EXPECT_EQ(test_add(w.objects, OBJECT_METHOD, space, &method, PAIRS("uri", "m")),
	          OBJECT_PASSCODE_TOO_SHORT);
	const uint32_t lax = add(&w, OBJECT_DIAL_IN_PROFILE, 0, PAIRS("minPasscodeLength", "0"));
	EXPECT_EQ(test_add(w.objects, OBJECT_METHOD, space, &method,
	                   PAIRS("uri", "m", "dialInSecurityProfile",
	                         id_of(&w, OBJECT_DIAL_IN_PROFILE, lax))),
	          OBJECT_OK);
	meeting_destroy(w.meeting);
}

static enum meeting_route
browse(struct world *w, uint32_t web_bridge, const char *address, const char *passcode,
       const char *secret)
{
	struct meeting_entry entry;
	const struct meeting_knock knock = { .web_bridge = web_bridge, .address = str_of(address),
		                             .passcode = str_of(passcode),
		                             .secret = str_of(secret) };
	return meeting_route(w->meeting, &knock, &entry);
}

TEST(browsers_do_what_the_web_bridge_profile_lets_them)
{
	struct world w = world_make();
	const uint32_t tenant = add_tenant(&w, "t", 0);
	const uint32_t web = add(&w, OBJECT_WEB_BRIDGE, 0, PAIRS("url", "c2w://h:1"));
	(void)add(&w, OBJECT_SPACE, 0,
	          PAIRS("uri", "s", "callId", "7", "passcode", "12", "secret", "12345678"));
	const uint32_t rules = add(&w, OBJECT_WEB_PROFILE, 0, PAIRS("name", "r"));
	change(&w, OBJECT_SYSTEM_PROFILES, objects_single(w.objects, OBJECT_SYSTEM_PROFILES),
	       PAIRS("webBridgeProfile", id_of(&w, OBJECT_WEB_PROFILE, rules)));
	EXPECT_EQ(browse(&w, web, "s", "12", NULL), ROUTE_OPEN);
	EXPECT_EQ(browse(&w, web, "7", NULL, "12345678"), ROUTE_OPEN);

	change(&w, OBJECT_WEB_PROFILE, rules, PAIRS("allowSecrets", "false"));
	EXPECT_EQ(browse(&w, web, "7", NULL, "12345678"), ROUTE_PASSCODE);
	change(&w, OBJECT_WEB_PROFILE, rules, PAIRS("allowSecrets", "", "allowPasscodes", "false"));
	EXPECT_EQ(browse(&w, web, "s", "12", NULL), ROUTE_MEMBERS_ONLY);
	EXPECT_EQ(browse(&w, web, "s", NULL, "12345678"), ROUTE_OPEN);
	change(&w, OBJECT_WEB_PROFILE, rules,
	       PAIRS("allowPasscodes", "", "resolveCoSpaceUris", "off"));
	EXPECT_EQ(browse(&w, web, "s", "12", NULL), ROUTE_UNKNOWN);
	EXPECT_EQ(browse(&w, web, "7", "12", NULL), ROUTE_OPEN);
	change(&w, OBJECT_WEB_PROFILE, rules, PAIRS("resolveCoSpaceCallIds", "false"));
	EXPECT_EQ(browse(&w, web, "7", "12", NULL), ROUTE_UNKNOWN);
	change(&w, OBJECT_WEB_PROFILE, rules,
	       PAIRS("resolveCoSpaceUris", "", "allowUnauthenticatedGuests", "false"));
	EXPECT_EQ(browse(&w, web, "s", "12", NULL), ROUTE_MEMBERS_ONLY);
	/* The web bridge's own profile goes before the system's, and telephones have neither. */
	const uint32_t own =
		add(&w, OBJECT_WEB_PROFILE, 0, PAIRS("allowUnauthenticatedGuests", "true"));
	change(&w, OBJECT_WEB_BRIDGE, web,
	       PAIRS("webBridgeProfile", id_of(&w, OBJECT_WEB_PROFILE, own)));
	EXPECT_EQ(browse(&w, web, "s", "12", NULL), ROUTE_OPEN);
	EXPECT_EQ(browse(&w, 0, "7", "12", NULL), ROUTE_OPEN);
	/* A tenant's web bridge leads to its spaces only. */
	change(&w, OBJECT_WEB_BRIDGE, web, PAIRS("tenant", id_of(&w, OBJECT_TENANT, tenant)));
	EXPECT_EQ(browse(&w, web, "s", "12", NULL), ROUTE_UNKNOWN);
	meeting_destroy(w.meeting);
}

TEST(this_call_bridge_is_the_one_of_its_unique_name)
{
	struct world w = world_make();
	const uint32_t here = add(&w, OBJECT_CALL_BRIDGE, 0, PAIRS("name", "here"));
	const uint32_t there = add(&w, OBJECT_CALL_BRIDGE, 0, PAIRS("name", "there"));
	const uint32_t web = add(&w, OBJECT_WEB_BRIDGE, 0, PAIRS("url", "c2w://h:1"));
	uint32_t again = 0;
	EXPECT_EQ(test_add(w.objects, OBJECT_CALL_BRIDGE, 0, &again, PAIRS("name", "HERE")),
	          OBJECT_DUPLICATE_NAME);
	EXPECT_EQ(meeting_call_bridge(w.meeting), 0);
	change(&w, OBJECT_CLUSTER, objects_single(w.objects, OBJECT_CLUSTER),
	       PAIRS("uniqueName", "here"));
	EXPECT_EQ(meeting_call_bridge(w.meeting), here);
	EXPECT(meeting_is_for_us(w.meeting, OBJECT_WEB_BRIDGE, web, WEB_BRIDGE_CALL_BRIDGE,
	                         WEB_BRIDGE_CALL_BRIDGE_GROUP));
	change(&w, OBJECT_WEB_BRIDGE, web,
	       PAIRS("callBridge", id_of(&w, OBJECT_CALL_BRIDGE, there)));
	EXPECT(!meeting_is_for_us(w.meeting, OBJECT_WEB_BRIDGE, web, WEB_BRIDGE_CALL_BRIDGE,
	                          WEB_BRIDGE_CALL_BRIDGE_GROUP));
	meeting_destroy(w.meeting);
}

TEST(a_space_goes_with_all_that_is_in_it_and_comes_back_the_same)
{
	struct world w = world_make();
	const uint32_t space = add_space(&w, 0, "s", "1");
	for (unsigned i = 0; i < 3; i++) {
		char text[32];
		snprintf(text, sizeof text, "u%u@example.org", i);
		(void)add_user(&w, text, 0, 0);
		(void)add(&w, OBJECT_MEMBER, space, PAIRS("userJid", text));
		snprintf(text, sizeof text, "m%u", i);
		(void)add(&w, OBJECT_METHOD, space, PAIRS("uri", text));
	}
	objects_begin(w.objects);
	EXPECT_EQ(objects_remove(w.objects, OBJECT_SPACE, space), OBJECT_OK);
	const struct object_tx tx = objects_end(w.objects);
	EXPECT_EQ(objects_count(w.objects, OBJECT_MEMBER), 0);
	EXPECT_EQ(objects_count(w.objects, OBJECT_METHOD), 0);
	objects_settled(w.objects, tx.ticket, false);
	EXPECT_EQ(objects_count(w.objects, OBJECT_MEMBER), 3);
	uint32_t at = 0;
	const uint32_t back = objects_next(w.objects, OBJECT_SPACE, &at);
	char order[64] = "";
	for (uint32_t m = 0; (m = objects_next_inside(w.objects, OBJECT_METHOD, back, m)) != 0;) {
		const struct str uri = objects_text(w.objects, OBJECT_METHOD, m, METHOD_URI);
		snprintf(order + strlen(order), sizeof order - strlen(order), "%.*s ",
		         STR_ARGS(uri));
	}
	EXPECT_STR(str_of(order), "m0 m1 m2 ");
	meeting_destroy(w.meeting);
}

TEST(a_space_is_made_from_a_template)
{
	struct world w = world_make();
	const uint32_t tenant = add_tenant(&w, "t", 0);
	const uint32_t user = add_user(&w, "ann@t.example", tenant, 0);
	const uint32_t rules = profile(&w, "needsActivation", "true");
	const uint32_t template =
		add(&w, OBJECT_SPACE_TEMPLATE, 0,
	            PAIRS("name", "Team", "callLegProfile", id_of(&w, OBJECT_LEG_PROFILE, rules)));
	(void)add(&w, OBJECT_METHOD_TEMPLATE, template,
	          PAIRS("name", "Host", "uriGenerator", "h.$.x", "generateUniqueCallId", "true"));
	(void)add(&w, OBJECT_METHOD_TEMPLATE, template, PAIRS("name", "Guest"));
	uint32_t spaces[2] = { 0 };
	for (unsigned i = 0; i < 2; i++) {
		objects_begin(w.objects);
		EXPECT_EQ(objects_add_from_template(w.objects, template, user, STR("Mine"),
		                                    &spaces[i]),
		          OBJECT_OK);
		objects_settled(w.objects, objects_end(w.objects).ticket, true);
	}
	const uint32_t host = objects_next_inside(w.objects, OBJECT_METHOD, spaces[0], 0);
	const struct str uri = objects_text(w.objects, OBJECT_METHOD, host, METHOD_URI);
	EXPECT_EQ(uri.len, 13);
	EXPECT(str_starts(uri, STR("h.")) && str_ends(uri, STR(".x")));
	EXPECT_EQ(objects_text(w.objects, OBJECT_METHOD, host, METHOD_CALL_ID).len, 9);
	EXPECT_EQ(objects_value(w.objects, OBJECT_SPACE, spaces[1], SPACE_METHOD_COUNT).number, 2);
	EXPECT_EQ(objects_ref(w.objects, OBJECT_SPACE, spaces[1], SPACE_LEG_PROFILE), rules);
	EXPECT_EQ(objects_ref(w.objects, OBJECT_SPACE, spaces[1], SPACE_TENANT), tenant);
	EXPECT(meeting_member(w.meeting, spaces[1], STR("ann@t.example")) != 0);
	meeting_destroy(w.meeting);
}

TEST(a_call_is_held_to_its_tenants_profile_where_the_space_says_nothing)
{
	struct world w = world_make();
	const uint32_t tenant = add_tenant(&w, "t", 0);
	const uint32_t space = add_space(&w, tenant, "s", "");
	const uint32_t one = add(&w, OBJECT_CALL_PROFILE, 0, PAIRS("participantLimit", "1"));
	const uint32_t two = add(&w, OBJECT_CALL_PROFILE, 0, PAIRS("participantLimit", "2"));
	change(&w, OBJECT_SYSTEM_PROFILES, objects_single(w.objects, OBJECT_SYSTEM_PROFILES),
	       PAIRS("callProfile", id_of(&w, OBJECT_CALL_PROFILE, one)));
	(void)join(&w, space, 0);
	const struct meeting_join more = { .entry = { .space = space }, .remote_party = STR("x") };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(w.meeting, &more, w.now_us, &leg), MEETING_CALL_FULL);
	change(&w, OBJECT_TENANT, tenant,
	       PAIRS("callProfile", id_of(&w, OBJECT_CALL_PROFILE, two)));
	EXPECT_EQ(meeting_join(w.meeting, &more, w.now_us, &leg), MEETING_ADMITTED);
	EXPECT_EQ(meeting_join(w.meeting, &more, w.now_us, &leg), MEETING_CALL_FULL);
	meeting_destroy(w.meeting);
}
