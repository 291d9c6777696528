/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: IVRs are found as the inbound rules say, and lead to the meetings of their world and no
 * others; who is asked is a leg in no call until it enters one.  Method: the model, events as text. */
#include "meeting/model_world.h"

static enum meeting_route
dial(struct world *world, const char *user, const char *domain, struct meeting_entry *entry)
{
	const struct meeting_knock knock = { .address = str_of(user), .domain = str_of(domain) };
	*entry = (struct meeting_entry){ 0 };
	return meeting_route(world->meeting, &knock, entry);
}

static enum meeting_route
type_in(struct world *world, uint32_t ivr, const char *id, const char *passcode,
        struct meeting_entry *entry)
{
	const struct meeting_knock knock = { .address = str_of(id), .ivr = ivr,
		                             .passcode = str_of(passcode) };
	*entry = (struct meeting_entry){ 0 };
	return meeting_route(world->meeting, &knock, entry);
}

static struct meeting_join
caller(const struct meeting_entry *entry)
{
	return (struct meeting_join){ .entry = *entry, .kind = LEG_SIP, .name = STR("Ann"),
		                      .remote_party = STR("ann@example.org"),
		                      .local_address = STR("ivr@example.org") };
}

static uint32_t
at_the_door(struct world *world, uint32_t ivr)
{
	const struct meeting_entry entry = { .ivr = ivr };
	const struct meeting_join join = caller(&entry);
	uint32_t leg = 0;
	EXPECT_EQ(meeting_door(world->meeting, &join, world->now_us, &leg), MEETING_ADMITTED);
	return leg;
}

static bool
is_set(struct world *world, uint32_t leg, enum leg_field field)
{
	return meeting_value(world->meeting, OBJECT_LEG, leg, field, world->now_us).set;
}

TEST(an_ivr_answers_where_the_rules_let_it)
{
	struct world world = world_make();
	struct meeting_entry entry;
	const uint32_t ivr = add(&world, OBJECT_IVR, 0, PAIRS("uri", "ivr"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "demo", "callId", "1001"));
	/* Without rules everything is ours that is known. */
	EXPECT_EQ(dial(&world, "IVR", "anything.example", &entry), ROUTE_IVR);
	EXPECT(entry.ivr == ivr && entry.space == 0);
	EXPECT_EQ(dial(&world, "nobody", "anything.example", &entry), ROUTE_ELSEWHERE);
	/* A browser asks for the ID by itself. */
	const struct meeting_knock browser = { .address = STR("ivr") };
	EXPECT_EQ(meeting_route(world.meeting, &browser, &entry), ROUTE_UNKNOWN);

	add(&world, OBJECT_INBOUND_RULE, 0,
	    PAIRS("domain", "no.example", "priority", "5", "resolveToIvrs", "false"));
	const uint32_t rule = add(&world, OBJECT_INBOUND_RULE, 0,
	                          PAIRS("domain", "only.example", "resolveTocoSpaces", "false"));
	EXPECT_EQ(dial(&world, "ivr", "no.example", &entry), ROUTE_UNKNOWN);
	EXPECT_EQ(dial(&world, "demo", "no.example", &entry), ROUTE_OPEN);
	EXPECT_EQ(dial(&world, "ivr", "only.example", &entry), ROUTE_IVR);
	EXPECT_EQ(dial(&world, "demo", "only.example", &entry), ROUTE_UNKNOWN);
	/* A space's URI goes before an IVR's, and that before a number. */
	change(&world, OBJECT_INBOUND_RULE, rule, PAIRS("resolveTocoSpaces", "true"));
	change(&world, OBJECT_IVR, ivr, PAIRS("uri", "1001"));
	EXPECT_EQ(dial(&world, "1001", "only.example", &entry), ROUTE_IVR);
	change(&world, OBJECT_SPACE, space, PAIRS("uri", "1001"));
	EXPECT_EQ(dial(&world, "1001", "only.example", &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.space, space);
	meeting_destroy(world.meeting);
}

TEST(the_rule_of_highest_priority_that_knows_the_address_decides)
{
	struct world world = world_make();
	struct meeting_entry entry;
	const uint32_t a = add(&world, OBJECT_TENANT, 0, PAIRS("name", "A"));
	const uint32_t b = add(&world, OBJECT_TENANT, 0, PAIRS("name", "B"));
	const uint32_t ivr_a = add(&world, OBJECT_IVR, 0,
	                           PAIRS("uri", "meet", "tenant", id_of(&world, OBJECT_TENANT, a)));
	const uint32_t ivr_b = add(&world, OBJECT_IVR, 0,
	                           PAIRS("uri", "meet", "tenant", id_of(&world, OBJECT_TENANT, b)));
	/* Of two tenants' neither answers where nobody says whose is meant. */
	EXPECT_EQ(dial(&world, "meet", "example.org", &entry), ROUTE_ELSEWHERE);
	add(&world, OBJECT_INBOUND_RULE, 0, PAIRS("domain", "example.org", "priority", "9",
	                                          "tenant", id_of(&world, OBJECT_TENANT, b)));
	const uint32_t first = add(&world, OBJECT_INBOUND_RULE, 0,
	                           PAIRS("domain", "example.org", "priority", "10", "tenant",
	                                 id_of(&world, OBJECT_TENANT, a)));
	EXPECT_EQ(dial(&world, "meet", "example.org", &entry), ROUTE_IVR);
	EXPECT_EQ(entry.ivr, ivr_a);
	change(&world, OBJECT_INBOUND_RULE, first, PAIRS("priority", "8"));
	EXPECT_EQ(dial(&world, "meet", "example.org", &entry), ROUTE_IVR);
	EXPECT_EQ(entry.ivr, ivr_b);
	/* Nobody's goes before a tenant's, where a rule names none. */
	change(&world, OBJECT_INBOUND_RULE, first, PAIRS("priority", "10", "tenant", ""));
	const uint32_t ivr = add(&world, OBJECT_IVR, 0, PAIRS("uri", "meet"));
	EXPECT_EQ(dial(&world, "meet", "example.org", &entry), ROUTE_IVR);
	EXPECT_EQ(entry.ivr, ivr);
	meeting_destroy(world.meeting);
}

TEST(an_ivr_finds_the_meetings_of_its_world_by_number_only)
{
	struct world world = world_make();
	struct meeting_entry entry;
	const uint32_t group = add(&world, OBJECT_TENANT_GROUP, 0, NO_PAIRS);
	const uint32_t a = add(&world, OBJECT_TENANT, 0,
	                       PAIRS("name", "A", "tenantGroup",
	                             id_of(&world, OBJECT_TENANT_GROUP, group)));
	const uint32_t b = add(&world, OBJECT_TENANT, 0, PAIRS("name", "B"));
	const uint32_t in_a = add(&world, OBJECT_SPACE, 0,
	                          PAIRS("uri", "77", "callId", "1001", "tenant",
	                                id_of(&world, OBJECT_TENANT, a)));
	const uint32_t in_b = add(&world, OBJECT_SPACE, 0,
	                          PAIRS("callId", "1001", "passcode", "24", "tenant",
	                                id_of(&world, OBJECT_TENANT, b)));
	const uint32_t guest = add(&world, OBJECT_METHOD, in_b, PAIRS("callId", "1001"));
	const uint32_t of_a = add(&world, OBJECT_IVR, 0,
	                          PAIRS("uri", "a", "tenant", id_of(&world, OBJECT_TENANT, a)));
	const uint32_t of_b = add(&world, OBJECT_IVR, 0,
	                          PAIRS("uri", "b", "tenant", id_of(&world, OBJECT_TENANT, b)));
	const uint32_t of_group = add(&world, OBJECT_IVR, 0,
	                              PAIRS("uri", "g", "tenantGroup",
	                                    id_of(&world, OBJECT_TENANT_GROUP, group)));
	EXPECT_EQ(type_in(&world, of_a, "1001", NULL, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.space, in_a);
	EXPECT_EQ(type_in(&world, of_group, "1001", NULL, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.space, in_a);
	EXPECT_EQ(type_in(&world, of_a, "77", NULL, &entry), ROUTE_UNKNOWN);
	/* The passcode says which way in it is. */
	EXPECT_EQ(type_in(&world, of_b, "1001", NULL, &entry), ROUTE_PASSCODE);
	EXPECT_EQ(entry.space, in_b);
	EXPECT_EQ(type_in(&world, of_b, "1001", "24", &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.method, 0);
	EXPECT_EQ(type_in(&world, of_b, "1001", "", &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.method, guest);
	EXPECT_EQ(type_in(&world, of_b, "1001", "42", &entry), ROUTE_WRONG_PASSCODE);
	change(&world, OBJECT_IVR, of_b, PAIRS("resolveCoSpaceCallIds", "false"));
	EXPECT_EQ(type_in(&world, of_b, "1001", "24", &entry), ROUTE_UNKNOWN);
	meeting_destroy(world.meeting);
}

TEST(who_is_asked_is_a_leg_in_no_call_until_it_enters_one)
{
	struct world world = world_make();
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("callId", "1001"));
	const uint32_t ivr = add(&world, OBJECT_IVR, 0, PAIRS("uri", "ivr"));
	const uint32_t leg = at_the_door(&world, ivr);
	uint32_t at = 0;
	EXPECT_EQ(meeting_call_next(world.meeting, &at), 0);
	EXPECT_EQ(meeting_totals(world.meeting).calls_active, 0);
	EXPECT_EQ(meeting_totals(world.meeting).legs_active, 1);
	EXPECT(meeting_leg_at_door(world.meeting, leg) && !is_set(&world, leg, LEG_CALL));
	const struct guid id = objects_id(world.objects, OBJECT_IVR, ivr);
	EXPECT(guid_eq(&meeting_leg(world.meeting, leg)->ivr, &id));
	EXPECT_EVENTS(&world, "settings 1");
	meeting_leg_connected(world.meeting, leg, world.now_us);
	EXPECT_EVENTS(&world, "settings 1");
	const struct meeting_leg *pub = meeting_leg(world.meeting, leg);
	EXPECT(!pub->heard && !pub->hears && !pub->lobby && pub->sees && !pub->seen);
	EXPECT_EQ(pub->state, LEG_CONNECTED);

	/* Configuring, and wishes of the API, find it there and let it stand. */
	meeting_configured(world.meeting, world.now_us);
	struct object_edit edit = { .type = OBJECT_LEG };
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("deactivated"), STR("false")), OBJECT_OK);
	meeting_leg_edit(world.meeting, leg, &edit, world.now_us);
	EXPECT(meeting_leg_at_door(world.meeting, leg));
	(void)events(&world);

	const struct meeting_entry entry = { .space = space };
	EXPECT_EQ(meeting_leg_enter(world.meeting, leg, &entry, world.now_us), MEETING_ADMITTED);
	EXPECT(!meeting_leg_at_door(world.meeting, leg) && is_set(&world, leg, LEG_CALL));
	EXPECT(pub->heard && pub->hears && guid_is_zero(&pub->ivr));
	EXPECT_EQ(meeting_call_of_space(world.meeting, space), pub->call);
	EXPECT_EVENTS(&world, "started, settings 1, only 1, roster");
	end(&world, leg);
	EXPECT_EVENTS(&world, "roster, ended");
	EXPECT_EQ(meeting_totals(world.meeting).legs_active, 0);
	meeting_destroy(world.meeting);
}

TEST(a_guest_who_was_asked_waits_for_the_host_as_any_other)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_LEG_PROFILE, 0, PAIRS("needsActivation", "true"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("callId", "1001"));
	const uint32_t guest = add(&world, OBJECT_METHOD, space,
	                           PAIRS("callId", "1002", "callLegProfile",
	                                 id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const uint32_t ivr = add(&world, OBJECT_IVR, 0, PAIRS("uri", "ivr"));
	const uint32_t leg = at_the_door(&world, ivr);
	meeting_leg_connected(world.meeting, leg, world.now_us);
	/* An admission at the door was none to a meeting. */
	struct object_edit edit = { .type = OBJECT_LEG };
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("deactivated"), STR("false")), OBJECT_OK);
	meeting_leg_edit(world.meeting, leg, &edit, world.now_us);
	(void)events(&world);
	const struct meeting_entry entry = { .space = space, .method = guest };
	EXPECT_EQ(meeting_leg_enter(world.meeting, leg, &entry, world.now_us), MEETING_ADMITTED);
	EXPECT(meeting_leg(world.meeting, leg)->lobby);
	EXPECT_EVENTS(&world, "started, settings 1, waiting 1, roster");
	const uint32_t host = join_connected(&world, space, 0);
	EXPECT(meeting_leg(world.meeting, leg)->heard);
	end(&world, host);
	end(&world, leg);
	meeting_destroy(world.meeting);
}

TEST(who_finds_no_room_stays_at_the_door)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_CALL_PROFILE, 0, PAIRS("participantLimit", "1"));
	const uint32_t space = add(&world, OBJECT_SPACE, 0,
	                           PAIRS("callId", "1", "callProfile",
	                                 id_of(&world, OBJECT_CALL_PROFILE, profile)));
	const uint32_t ivr = add(&world, OBJECT_IVR, 0, PAIRS("uri", "ivr"));
	const uint32_t inside = join_connected(&world, space, 0);
	const uint32_t leg = at_the_door(&world, ivr);
	const uint32_t other = at_the_door(&world, ivr);
	struct meeting_entry entry = { .space = space };
	meeting_leg_connected(world.meeting, leg, world.now_us);
	EXPECT_EQ(meeting_leg_enter(world.meeting, leg, &entry, world.now_us), MEETING_CALL_FULL);
	EXPECT(meeting_leg_at_door(world.meeting, leg));
	end(&world, inside);
	EXPECT_EQ(meeting_leg_enter(world.meeting, leg, &entry, world.now_us), MEETING_ADMITTED);
	/* Its own place is not counted twice. */
	EXPECT_EQ(meeting_call(world.meeting, meeting_leg(world.meeting, leg)->call)->legs, 1);
	entry.space = 77;
	EXPECT_EQ(meeting_leg_enter(world.meeting, other, &entry, world.now_us), MEETING_GONE);
	(void)events(&world);
	meeting_leg_drop(world.meeting, other, LEG_END_API_INITIATED_TEARDOWN, world.now_us);
	EXPECT_EQ(meeting_leg_enter(world.meeting, other, &entry, world.now_us), MEETING_GONE);
	EXPECT_EVENTS(&world, "drop 3 apiInitiatedTeardown");
	end(&world, other);
	end(&world, leg);
	EXPECT_EQ(meeting_totals(world.meeting).legs_active, 0);
	meeting_destroy(world.meeting);
}

TEST(a_full_bridge_has_no_room_at_the_door)
{
	struct world world = world_make();
	const uint32_t ivr = add(&world, OBJECT_IVR, 0, PAIRS("uri", "ivr"));
	const struct meeting_entry entry = { .ivr = ivr };
	const struct meeting_join join = caller(&entry);
	uint32_t legs[20];
	uint32_t leg;
	for (unsigned i = 0; i < COUNT_OF(legs); i++)
		legs[i] = at_the_door(&world, ivr);
	EXPECT_EQ(meeting_door(world.meeting, &join, world.now_us, &leg), MEETING_BRIDGE_FULL);
	for (unsigned i = 0; i < COUNT_OF(legs); i++)
		end(&world, legs[i]);
	end(&world, at_the_door(&world, ivr));
	meeting_destroy(world.meeting);
}
