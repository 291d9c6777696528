/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: calls go where the four tables say, in the order of priorities, and nothing changes where a
 * table is empty.  Method: tables of addresses over rules made as the API makes them. */
#include "meeting/dial_plan.h"
#include "meeting/model_world.h"

static const char *
rule_text(const struct world *world, enum object_type type, uint32_t rule, unsigned field)
{
	static char text[DIAL_PARTY_MAX];
	EXPECT(str_copy(text, sizeof text, objects_text(world->objects, type, rule, field)));
	return text;
}

TEST(an_address_comes_apart_into_user_host_port_and_parameters)
{
	static const struct {
		const char *party, *user, *host, *port, *params;
	} rows[] = {
		{ "sip:a@b.example:5070;x=y;lr", "a", "b.example", "5070", ";x=y;lr" },
		{ "sips:a@b", "a", "b", "", "" },
		{ "a@[2001:db8::1]:5061", "a", "[2001:db8::1]", "5061", "" },
		{ "[2001:db8::1]", "", "[2001:db8::1]", "", "" },
		{ "1234", "", "1234", "", "" },
		{ "@", "", "", "", "" },
		{ "", "", "", "", "" },
		{ "a@[::1", "a", "[::1", "", "" },
	};
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		const struct dial_address to = dial_address_of(str_of(rows[i].party));
		EXPECT_STR(to.user, rows[i].user);
		EXPECT_STR(to.host, rows[i].host);
		EXPECT_STR(to.port, rows[i].port);
		EXPECT_STR(to.params, rows[i].params);
	}
}

TEST(a_star_stands_for_any_letters_of_a_domain)
{
	static const struct {
		const char *pattern, *domain;
		bool fits;
	} rows[] = {
		{ "example.com", "EXAMPLE.com", true },  { "example.com", "xexample.com", false },
		{ "*", "anything", true },               { "*", "", true },
		{ "*.com", "example.com", true },        { "*.com", "com", false },
		{ "exa*.com", "example.com", true },     { "exa*.com", "exa.com", true },
		{ "exa*.com", "example.org", false },    { "*a*b*", "xxaxxbxx", true },
		{ "*a*b", "ab.ab.a", false },            { "*.*.*.9", "192.0.2.9", true },
		{ "a**b", "ab", true },                  { "", "a", false },
		{ "a", "", false },
	};
	for (unsigned i = 0; i < COUNT_OF(rows); i++)
		EXPECT_EQ(dial_domain_fits(str_of(rows[i].pattern), str_of(rows[i].domain)),
		          rows[i].fits);
}

TEST(without_inbound_rules_every_domain_is_ours_and_with_them_those_they_name)
{
	struct world world = world_make();
	struct dial_inbound in = dial_inbound(world.objects, STR("any.example"));
	EXPECT(in.rule == 0 && in.spaces && in.ivrs && in.users);

	const uint32_t low = add(&world, OBJECT_INBOUND_RULE, 0,
	                         PAIRS("domain", "*.example", "resolveTocoSpaces", "true",
	                               "resolveToIvrs", "false", "resolveToUsers", "false"));
	const uint32_t high = add(&world, OBJECT_INBOUND_RULE, 0,
	                          PAIRS("domain", "ivr.example", "priority", "7",
	                                "resolveTocoSpaces", "false"));
	in = dial_inbound(world.objects, STR("meet.example"));
	EXPECT(in.rule == low && in.spaces && !in.ivrs && !in.users);
	in = dial_inbound(world.objects, STR("ivr.example"));
	EXPECT(in.rule == high && in.spaces && in.ivrs && in.users);
	in = dial_inbound(world.objects, STR("other.org"));
	EXPECT(in.rule == 0 && !in.spaces && !in.ivrs);
	/* A pattern cannot be advertised, nor where spaces cannot be called. */
	const struct guid of_nobody = { 0 };
	EXPECT_EQ(dial_own_domain(world.objects, &of_nobody).len, 0);
	add(&world, OBJECT_INBOUND_RULE, 0, PAIRS("domain", "meet.example"));
	EXPECT_STR(dial_own_domain(world.objects, &of_nobody), "meet.example");
	meeting_destroy(world.meeting);
}

static const struct guid nobody;

/* "tls tcp udp@proxy stop" for each rule, one after another. */
static const char *
routes(const struct world *world, const char *party)
{
	static char text[512];
	static const char *const names[] = { "dns", "tls", "plain", "tcp", "udp" };
	struct writer w = writer_of(text, sizeof text - 1);
	struct dial_cursor cursor = { 0 };
	struct dial_route route;
	while (dial_route_next(world->objects, str_of(party), &nobody, &cursor, &route)) {
		if (w.at != 0)
			writer_text(&w, ", ");
		for (unsigned i = 0; i < route.way_count; i++)
			writer_format(&w, "%s%s", i != 0 ? " " : "", names[route.ways[i]]);
		writer_format(&w, "@%.*s%s", STR_ARGS(route.proxy), route.stop ? " stop" : "");
	}
	text[w.at] = '\0';
	return text;
}

static enum meeting_route
route_in(struct world *world, const char *address, const char *domain)
{
	struct meeting_entry entry;
	const struct meeting_knock knock = { .address = str_of(address),
		                             .domain = str_of(domain) };
	return meeting_route(world->meeting, &knock, &entry);
}

TEST(a_caller_finds_a_space_where_an_inbound_rule_lets_spaces_be_called)
{
	struct world world = world_make();
	add(&world, OBJECT_SPACE, 0, PAIRS("uri", "demo"));
	EXPECT_EQ(route_in(&world, "demo", "any.example"), ROUTE_OPEN);
	EXPECT_EQ(route_in(&world, "nobody", "any.example"), ROUTE_ELSEWHERE);
	add(&world, OBJECT_INBOUND_RULE, 0, PAIRS("domain", "meet.example"));
	add(&world, OBJECT_INBOUND_RULE, 0,
	    PAIRS("domain", "ivr.example", "resolveTocoSpaces", "false"));
	EXPECT_EQ(route_in(&world, "demo", "MEET.example"), ROUTE_OPEN);
	EXPECT_EQ(route_in(&world, "nobody", "meet.example"), ROUTE_UNKNOWN);
	EXPECT_EQ(route_in(&world, "demo", "ivr.example"), ROUTE_UNKNOWN);
	EXPECT_EQ(route_in(&world, "demo", "any.example"), ROUTE_ELSEWHERE);
	meeting_destroy(world.meeting);
}

TEST(a_tenants_rules_lead_into_its_own_spaces_and_carry_its_own_calls)
{
	struct world world = world_make();
	struct meeting_entry entry;
	char a[GUID_TEXT_LEN + 1];
	char b[GUID_TEXT_LEN + 1];
	uint32_t tenant_handle = add(&world, OBJECT_TENANT, 0, PAIRS("name", "A"));
	str_copy(a, sizeof a, str_of(id_of(&world, OBJECT_TENANT, tenant_handle)));
	tenant_handle = add(&world, OBJECT_TENANT, 0, PAIRS("name", "B"));
	str_copy(b, sizeof b, str_of(id_of(&world, OBJECT_TENANT, tenant_handle)));
	add(&world, OBJECT_SPACE, 0, PAIRS("uri", "demo", "tenant", a));
	const uint32_t of_b = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "demo", "tenant", b));
	struct meeting_knock knock = { .address = STR("demo"), .domain = STR("x.example") };
	/* It does not say which. */
	EXPECT_EQ(meeting_route(world.meeting, &knock, &entry), ROUTE_ELSEWHERE);
	const uint32_t of_nobody = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "demo"));
	EXPECT_EQ(meeting_route(world.meeting, &knock, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.space, of_nobody);
	add(&world, OBJECT_INBOUND_RULE, 0, PAIRS("domain", "b.example", "tenant", b));
	add(&world, OBJECT_INBOUND_RULE, 0, PAIRS("domain", "*.example"));
	EXPECT_EQ(meeting_route(world.meeting, &knock, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.space, of_nobody);
	knock.domain = STR("b.example");
	EXPECT_EQ(meeting_route(world.meeting, &knock, &entry), ROUTE_OPEN);
	EXPECT_EQ(entry.space, of_b);

	const uint32_t its_own = add(&world, OBJECT_OUTBOUND_RULE, 0,
	                             PAIRS("domain", "*", "priority", "2", "tenant", b));
	const uint32_t for_all = add(&world, OBJECT_OUTBOUND_RULE, 0, PAIRS("domain", "*"));
	struct dial_cursor cursor = { 0 };
	struct dial_route route;
	EXPECT(dial_route_next(world.objects, STR("x"), &nobody, &cursor, &route));
	EXPECT_EQ(route.rule, for_all);
	const struct guid tenant = objects_space_tenant(world.objects, of_b);
	cursor = (struct dial_cursor){ 0 };
	EXPECT(dial_route_next(world.objects, STR("x"), &tenant, &cursor, &route));
	EXPECT_EQ(route.rule, its_own);
	meeting_destroy(world.meeting);
}

TEST(a_rule_of_one_call_bridge_or_of_a_group_is_used_there_alone)
{
	struct world world = world_make();
	char group[GUID_TEXT_LEN + 1];
	char own[GUID_TEXT_LEN + 1];
	char other[GUID_TEXT_LEN + 1];
	const uint32_t g = add(&world, OBJECT_CALL_BRIDGE_GROUP, 0, PAIRS("name", "g"));
	str_copy(group, sizeof group, str_of(id_of(&world, OBJECT_CALL_BRIDGE_GROUP, g)));
	const uint32_t we = add(&world, OBJECT_CALL_BRIDGE, 0,
	                        PAIRS("name", "we", "callBridgeGroup", group));
	str_copy(own, sizeof own, str_of(id_of(&world, OBJECT_CALL_BRIDGE, we)));
	const uint32_t they = add(&world, OBJECT_CALL_BRIDGE, 0, PAIRS("name", "they"));
	str_copy(other, sizeof other, str_of(id_of(&world, OBJECT_CALL_BRIDGE, they)));
	add(&world, OBJECT_OUTBOUND_RULE, 0,
	    PAIRS("domain", "*", "scope", "callBridge", "callBridge", other, "sipProxy", "c"));
	add(&world, OBJECT_OUTBOUND_RULE, 0,
	    PAIRS("domain", "*", "scope", "callBridge", "callBridge", own, "sipProxy", "a",
	          "sipControlEncryption", "encrypted", "failureAction", "continue"));
	add(&world, OBJECT_OUTBOUND_RULE, 0,
	    PAIRS("domain", "*", "scope", "callBridgeGroup", "callBridgeGroup", group, "sipProxy",
	          "b", "sipControlEncryption", "encrypted"));
	EXPECT_STR(str_of(routes(&world, "x@y")), "");
	change(&world, OBJECT_CLUSTER, objects_single(world.objects, OBJECT_CLUSTER),
	       PAIRS("uniqueName", "we"));
	EXPECT_STR(str_of(routes(&world, "x@y")), "tls@a, tls@b stop");
	meeting_destroy(world.meeting);
}

TEST(a_forwarded_call_is_of_two_without_lobby_and_prompts_and_ends_with_either)
{
	struct world world = world_make();
	const uint32_t profile = add(&world, OBJECT_LEG_PROFILE, 0,
	                             PAIRS("needsActivation", "true",
	                                   "joinToneParticipantThreshold", "5"));
	change(&world, OBJECT_SYSTEM_PROFILES, objects_single(world.objects, OBJECT_SYSTEM_PROFILES),
	       PAIRS("callLegProfile", id_of(&world, OBJECT_LEG_PROFILE, profile)));
	const struct meeting_join settings = { .adhoc_name = STR("b@pbx.example"),
		                               .forwarding = true,
		                               .remote_party = STR("a@x.example") };
	uint32_t a = 0;
	uint32_t b = 0;
	EXPECT_EQ(meeting_join(world.meeting, &settings, world.now_us, &a), MEETING_ADMITTED);
	const uint32_t call = meeting_leg(world.meeting, a)->call;
	const struct meeting_dial dial = { .call = call, .remote_party = STR("b@pbx.example") };
	EXPECT_EQ(meeting_dial(world.meeting, &dial, world.now_us, &b), MEETING_ADMITTED);
	EXPECT_EQ(meeting_value(world.meeting, OBJECT_CALL, call, CALL_TYPE, 0).number, 1);
	(void)events(&world);
	meeting_leg_connected(world.meeting, b, world.now_us);
	meeting_leg_connected(world.meeting, a, world.now_us);
	EXPECT_EVENTS(&world, "settings 2, settings 1, roster");
	EXPECT(meeting_leg(world.meeting, a)->heard && meeting_leg(world.meeting, b)->hears);
	end(&world, a);
	EXPECT_EVENTS(&world, "drop 2 callEnded, roster");
	end(&world, b);
	EXPECT_EVENTS(&world, "ended");
	meeting_destroy(world.meeting);
}

TEST(a_telephone_dialled_as_one_has_no_pictures_and_keeps_what_was_asked_for)
{
	struct world world = world_make();
	uint32_t call = 0;
	uint32_t leg = 0;
	EXPECT_EQ(meeting_call_start(world.meeting, 0, STR("adhoc"), world.now_us, &call),
	          MEETING_ADMITTED);
	const struct meeting_dial dial = { .call = call, .remote_party = STR("0123") };
	EXPECT_EQ(meeting_dial(world.meeting, &dial, world.now_us, &leg), MEETING_ADMITTED);
	meeting_leg_dialled(world.meeting, leg, STR("123@gw.example"), true);
	EXPECT_STR(str_of(meeting_leg(world.meeting, leg)->remote_party), "123@gw.example");
	EXPECT_STR(meeting_value(world.meeting, OBJECT_LEG, leg, LEG_ORIGINAL_REMOTE_PARTY, 0).text,
	           "0123");
	EXPECT_EQ(meeting_leg_setting(world.meeting, leg, LEG_PROFILE_VIDEO_MODE),
	          VIDEO_MODE_DISABLED);
	meeting_leg_dialled(world.meeting, 0, STR("x"), false);
	meeting_destroy(world.meeting);
}

TEST(rules_come_in_the_order_of_their_priorities_while_the_table_changes)
{
	struct world world = world_make();
	static const char *const priorities[] = { "5", "9", "5", "0", "9" };
	uint32_t rules[5];
	for (unsigned i = 0; i < 5; i++)
		rules[i] = add(&world, OBJECT_OUTBOUND_RULE, 0,
		               PAIRS("domain", i == 3 ? "*" : "*.example", "priority",
		                     priorities[i]));
	struct dial_cursor cursor = { 0 };
	const enum object_type type = OBJECT_OUTBOUND_RULE;
	EXPECT_EQ(dial_rule_next(world.objects, type, STR("a.example"), &cursor), rules[1]);
	EXPECT_EQ(dial_rule_next(world.objects, type, STR("a.example"), &cursor), rules[4]);
	/* The one just given goes, and so does the next. */
	objects_begin(world.objects);
	EXPECT_EQ(objects_remove(world.objects, type, rules[4]), OBJECT_OK);
	EXPECT_EQ(objects_remove(world.objects, type, rules[0]), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	EXPECT_EQ(dial_rule_next(world.objects, type, STR("a.example"), &cursor), rules[2]);
	EXPECT_EQ(dial_rule_next(world.objects, type, STR("a.example"), &cursor), rules[3]);
	EXPECT_EQ(dial_rule_next(world.objects, type, STR("a.example"), &cursor), 0);
	meeting_destroy(world.meeting);
}

TEST(calls_in_no_domain_of_ours_are_called_on_or_refused)
{
	struct world world = world_make();
	struct dial_forward out;
	dial_forward(world.objects, STR("a"), STR("b.example"), STR(""), &out);
	EXPECT(out.rule == 0 && out.party[0] == '\0');

	add(&world, OBJECT_FORWARDING_RULE, 0,
	    PAIRS("matchPattern", "*.example", "destinationDomain", "pbx.example",
	          "uriParameters", "forward", "callerIdMode", "preserve"));
	const uint32_t reject = add(&world, OBJECT_FORWARDING_RULE, 0,
	                            PAIRS("matchPattern", "bad.example", "action", "reject",
	                                  "priority", "1"));
	add(&world, OBJECT_FORWARDING_RULE, 0, PAIRS("matchPattern", "asis.org"));
	dial_forward(world.objects, STR("a"), STR("b.example"),
	             STR(";x=1;transport=udp;;maddr=192.0.2.1;LR;y"), &out);
	EXPECT(out.rule != 0 && !out.reject && out.preserve);
	EXPECT_STR(str_of(out.party), "a@pbx.example;x=1;y");
	dial_forward(world.objects, STR("a"), STR("bad.example"), STR(""), &out);
	EXPECT(out.rule == reject && out.reject);
	dial_forward(world.objects, STR("a"), STR("asis.org"), STR(";x=1"), &out);
	EXPECT(!out.preserve);
	EXPECT_STR(str_of(out.party), "a@asis.org");
	dial_forward(world.objects, STR(""), STR("asis.org"), STR(""), &out);
	EXPECT_STR(str_of(out.party), "asis.org");
	char user[300];
	memset(user, 'u', sizeof user);
	dial_forward(world.objects, (struct str){ user, sizeof user }, STR("asis.org"), STR(""),
	             &out);
	EXPECT(out.rule != 0 && out.party[0] == '\0');
	EXPECT_STR(str_of(rule_text(&world, OBJECT_FORWARDING_RULE, reject, FORWARDING_PATTERN)),
	           "bad.example");
	meeting_destroy(world.meeting);
}

TEST(a_call_out_goes_by_each_rule_and_each_way_it_allows)
{
	struct world world = world_make();
	EXPECT_STR(str_of(routes(&world, "a@b.example")), "dns@ stop");
	add(&world, OBJECT_OUTBOUND_RULE, 0,
	    PAIRS("domain", "streamer.com", "priority", "20", "sipProxy", "host:7000",
	          "failureAction", "continue", "sipControlEncryption", "unencrypted"));
	add(&world, OBJECT_OUTBOUND_RULE, 0,
	    PAIRS("domain", "streamer.com", "priority", "20", "sipProxy", "host:7001",
	          "sipControlEncryption", "encrypted", "localFromDomain", "from.example",
	          "localContactDomain", "contact.example"));
	add(&world, OBJECT_OUTBOUND_RULE, 0, PAIRS("domain", "*.example"));
	add(&world, OBJECT_OUTBOUND_RULE, 0,
	    PAIRS("domain", "v6", "sipProxy", "[2001:db8::1]", "trunkType", "sip"));
	EXPECT_STR(str_of(routes(&world, "demo@streamer.com")),
	           "tcp udp@host:7000, tls@host:7001 stop");
	EXPECT_STR(str_of(routes(&world, "sip:a@b.example;x=y")), "tls plain@ stop");
	EXPECT_STR(str_of(routes(&world, "a@b.example:5060")), "tls tcp udp@ stop");
	EXPECT_STR(str_of(routes(&world, "v6")), "tls tcp udp@[2001:db8::1] stop");
	EXPECT_STR(str_of(routes(&world, "a@nowhere")), "");

	struct dial_cursor cursor = { 0 };
	struct dial_route route;
	EXPECT(dial_route_next(world.objects, STR("demo@streamer.com"), &nobody, &cursor,
	                       &route));
	EXPECT_EQ(route.from_domain.len, 0);
	EXPECT(dial_route_next(world.objects, STR("demo@streamer.com"), &nobody, &cursor,
	                       &route));
	EXPECT_STR(route.from_domain, "from.example");
	EXPECT_STR(route.contact_domain, "contact.example");
	meeting_destroy(world.meeting);
}

TEST(a_number_is_transformed_by_the_first_rule_that_fits_it)
{
	struct world world = world_make();
	struct dial_outcome out;
	dial_transform(world.objects, STR("sip:1234"), &out);
	EXPECT(out.transform == 0 && !out.denied);
	EXPECT_STR(str_of(out.party), "sip:1234");

	add(&world, OBJECT_DIAL_TRANSFORM, 0,
	    PAIRS("type", "phone", "match", "($1/^1$/)", "transform", "$2@us.example",
	          "priority", "9"));
	add(&world, OBJECT_DIAL_TRANSFORM, 0,
	    PAIRS("type", "phone", "match", "($1/^44$/)($2/^7/)", "transform",
	          "90044$2@gb.example", "priority", "8", "action", "acceptPhone"));
	add(&world, OBJECT_DIAL_TRANSFORM, 0,
	    PAIRS("match", "($1/^00/)", "action", "deny", "priority", "7"));
	add(&world, OBJECT_DIAL_TRANSFORM, 0,
	    PAIRS("type", "strip", "match", "($1/^\\d{4,}$/)", "transform",
	          "$1{/^9//}{/(\\d)(\\d+)/$2\\1/}@pbx.example", "priority", "6"));
	add(&world, OBJECT_DIAL_TRANSFORM, 0,
	    PAIRS("match", "($1/^x\\/y/)", "transform", "$1{}", "priority", "5"));
	add(&world, OBJECT_DIAL_TRANSFORM, 0,
	    PAIRS("match", "($2/./)", "transform", "never", "priority", "5"));
	add(&world, OBJECT_DIAL_TRANSFORM, 0,
	    PAIRS("match", "($1/^empty/)", "transform", "$2", "priority", "4"));
	static const struct {
		const char *dialled, *party;
		bool denied, phone;
	} rows[] = {
		{ "+12125550123", "2125550123@us.example", false, false },
		{ "12125550123", "2125550123@us.example", false, false },
		{ "+1212555012", "+1212555012", false, false }, /* a digit is missing */
		{ "+447700900123", "900447700900123@gb.example", false, true },
		{ "+442079460123", "+442079460123", false, false },
		{ "0044207", "0044207", true, false },
		{ "20.79-46", "079462@pbx.example", false, false },
		{ "912", "912", false, false },
		{ "91234", "2341@pbx.example", false, false },
		{ "x/y", "x/y", false, false },
		{ "empty@a", "", true, false },
		{ "somebody@b.example", "somebody@b.example", false, false },
	};
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		dial_transform(world.objects, str_of(rows[i].dialled), &out);
		EXPECT_STR(str_of(out.party), rows[i].party);
		EXPECT_EQ(out.denied, rows[i].denied);
		EXPECT_EQ(out.phone, rows[i].phone);
	}
	meeting_destroy(world.meeting);
}

TEST(what_a_transform_makes_too_long_is_not_dialled)
{
	struct world world = world_make();
	struct dial_outcome out;
	char party[DIAL_PARTY_MAX];
	memset(party, '1', sizeof party);
	add(&world, OBJECT_DIAL_TRANSFORM, 0, PAIRS("transform", "$1{/1/22/}@a"));
	dial_transform(world.objects, (struct str){ party, 200 }, &out);
	EXPECT(out.denied);
	dial_transform(world.objects, (struct str){ party, 100 }, &out);
	EXPECT(!out.denied && strlen(out.party) == 202);
	meeting_destroy(world.meeting);
}

TEST(expressions_that_are_none_are_refused_when_they_are_stored)
{
	static const char *const bad_matches[] = {
		"($1/a/", "($1/a)", "($0/a/)", "$1/a/", "($1/(/)", "($1/a/)x", "($1/a\\/)", "()",
	};
	static const char *const bad_transforms[] = {
		"$1{", "$1{/a/}", "$1{/(/b/}", "$1{/a/b/", "$1{}{/a", "a b", "<$1>", "$1{x}",
	};
	for (unsigned i = 0; i < COUNT_OF(bad_matches); i++)
		EXPECT(!dial_match_valid(str_of(bad_matches[i])));
	for (unsigned i = 0; i < COUNT_OF(bad_transforms); i++)
		EXPECT(!dial_transform_valid(str_of(bad_transforms[i])));
	EXPECT(dial_match_valid(STR("")) && dial_match_valid(STR("($1/^0/)($1/9$/)")));
	EXPECT(dial_transform_valid(STR("$1{/\\D//}{/^9//}@example.com")));
	EXPECT(dial_transform_valid(STR("a{b}c")) && dial_transform_valid(STR("$")));
}

TEST(what_is_not_had_is_refused_by_its_parameter)
{
	struct world world = world_make();
	static const char *const refused[][2] = {
		{ "trunkType", "lync" },      { "trunkType", "avaya" },
		{ "scope", "cluster" },       { "callRouting", "traversal" },
		{ "sipProxy", "a b" },        { "sipProxy", "host:0" },
		{ "sipProxy", "host:65536" }, { "sipProxy", "host:" },
		{ "sipProxy", "u@host" },     { "sipProxy", "[zz]:1" },
		{ "sipProxy", "*.example" },  { "localFromDomain", "*.example" },
		{ "domain", "a/b" },          { "sipControlEncryption", "yes" },
	};
	uint32_t handle;
	for (unsigned i = 0; i < COUNT_OF(refused); i++)
		EXPECT(test_add(world.objects, OBJECT_OUTBOUND_RULE, 0, &handle,
		                PAIRS("domain", "a", refused[i][0], refused[i][1])) != OBJECT_OK);
	EXPECT(test_add(world.objects, OBJECT_INBOUND_RULE, 0, &handle,
	                PAIRS("domain", "a", "resolveToLyncConferences", "true")) != OBJECT_OK);
	EXPECT_EQ(test_add(world.objects, OBJECT_INBOUND_RULE, 0, &handle, NO_PAIRS),
	          OBJECT_MISSING_PARAMETER);
	meeting_destroy(world.meeting);
}
