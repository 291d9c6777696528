/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a client knows at every moment what is, from what it was told; one that is slow is told less
 * and later, never more and wrong; one that misbehaves goes alone.  Method: a real meeting model,
 * frames as text, with GUIDs that the test replaces. */
#include "events/events.h"

#include <jansson.h>
#include <stdlib.h>

#include "events/events_world.h"

static struct world world;

static struct world_client *
client_open(unsigned n)
{
	struct world_client *client = &world.clients[n];
	client->code = 0;
	client->len = 0;
	client->heard[0] = '\0';
	client->handle = events_open(world.events, n, world.now_us);
	EXPECT(client->handle != 0);
	return client;
}

static void
say(struct world_client *client, const char *text)
{
	events_input(world.events, client->handle, str_of(text), world.now_us);
}

static void
acknowledge(struct world_client *client, uint64_t message)
{
	char text[128];
	snprintf(text, sizeof text,
	         "{\"type\":\"messageAck\",\"messageAck\":{\"messageId\":%llu,"
	         "\"status\":\"success\"}}",
	         (unsigned long long)message);
	say(client, text);
}

static void
subscribe(struct world_client *client, const char *subscriptions)
{
	char text[1024];
	snprintf(text, sizeof text,
	         "{\"type\":\"message\",\"message\":{\"messageId\":9,\"type\":\"subscribeRequest\","
	         "\"subscriptions\":[%s]}}",
	         subscriptions);
	say(client, text);
}

static const char *
call_id(uint32_t call)
{
	static char text[GUID_TEXT_LEN + 1];
	guid_write(text, &meeting_call(world.meeting, call)->id);
	return text;
}

/* What was heard since, with GUIDs as "G"; forgets it. */
static const char *
heard(struct world_client *client)
{
	static char text[WORLD_HEARD_MAX];
	struct guid id;
	size_t out = 0;
	for (size_t at = 0; at < client->len;) {
		const struct str here = { client->heard + at, client->len - at };
		if (here.len >= GUID_TEXT_LEN &&
		    guid_parse(&id, str_sub(here, 0, GUID_TEXT_LEN))) {
			text[out++] = 'G';
			at += GUID_TEXT_LEN;
		} else {
			text[out++] = client->heard[at++];
		}
	}
	text[out] = '\0';
	client->len = 0;
	client->heard[0] = '\0';
	return text;
}

#define EXPECT_HEARD(client, want) EXPECT_STR(str_of(heard(client)), want)

#define UPDATE(id, type, rest) \
	"{\"type\":\"message\",\"message\":{\"messageId\":" id ",\"type\":\"" type "\"," rest "}}\n"
#define ACKED "{\"type\":\"messageAck\",\"messageAck\":{\"messageId\":9,\"status\":\"success\"}}\n"

TEST(calls_come_change_and_go)
{
	world_begin(&world);
	struct world_client *c = client_open(0);
	subscribe(c, "{\"index\":3,\"type\":\"calls\",\"elements\":[\"name\",\"participants\","
	             "\"lockState\",\"callType\",\"noSuchThing\"]}");
	EXPECT_HEARD(c, ACKED UPDATE("1", "subscriptionUpdate",
	                             "\"subscriptions\":[{\"index\":3,\"state\":\"active\"}]"));
	const uint32_t leg = world_join(&world, 0, "Ann");
	world_settle(&world);
	EXPECT_HEARD(c, UPDATE("2", "callListUpdate",
	                       "\"subscriptionIndex\":3,\"updates\":[{\"call\":\"G\","
	                       "\"updateType\":\"add\",\"name\":\"Ad hoc\",\"participants\":1,"
	                       "\"lockState\":\"unlocked\",\"callType\":\"adHoc\"}]"));
	struct object_edit edit = { .type = OBJECT_CALL };
	edit_set_number(&edit, CALL_LOCKED, 1);
	meeting_call_edit(world.meeting, meeting_leg(world.meeting, leg)->call, &edit,
	                  world.now_us);
	world_settle(&world);
	EXPECT_HEARD(c, UPDATE("3", "callListUpdate",
	                       "\"subscriptionIndex\":3,\"updates\":[{\"call\":\"G\","
	                       "\"updateType\":\"update\",\"lockState\":\"locked\"}]"));
	meeting_leg_talking(world.meeting, leg, true);
	world_settle(&world);
	EXPECT_HEARD(c, ""); /* nothing it has asked for */
	meeting_leg_ended(world.meeting, leg, LEG_END_REMOTE_TEARDOWN, true, world.now_us);
	world_settle(&world);
	EXPECT_HEARD(c, UPDATE("4", "callListUpdate",
	                       "\"subscriptionIndex\":3,\"updates\":[{\"call\":\"G\","
	                       "\"updateType\":\"remove\"}]"));
	EXPECT_EQ(c->code, 0);
	world_end(&world);
}

TEST(a_roster_is_told_whole_then_by_changes_and_ends_with_its_call)
{
	char text[512];
	world_begin(&world);
	const uint32_t ann = world_join(&world, 0, "Ann");
	const uint32_t call = meeting_leg(world.meeting, ann)->call;
	world_settle(&world);
	struct world_client *c = client_open(0);
	snprintf(text, sizeof text,
	         "{\"index\":1,\"type\":\"callRoster\",\"call\":\"%s\",\"elements\":[\"name\","
	         "\"uri\",\"state\",\"direction\",\"audioMuted\",\"activeSpeaker\",\"importance\","
	         "\"handStatus\"]},{\"index\":2,\"type\":\"callInfo\",\"call\":\"%s\","
	         "\"elements\":[\"participants\",\"joinAudioMuteOverride\"]}",
	         call_id(call), call_id(call));
	subscribe(c, text);
	EXPECT_HEARD(
		c,
		ACKED UPDATE("1", "subscriptionUpdate",
	                     "\"subscriptions\":[{\"index\":1,\"state\":\"active\"},"
	                     "{\"index\":2,\"state\":\"active\"}]")
			UPDATE("2", "rosterUpdate",
	                       "\"subscriptionIndex\":1,\"updates\":[{\"participant\":\"G\","
	                       "\"updateType\":\"add\",\"name\":\"Ann\",\"uri\":\"ann@a.org\","
	                       "\"state\":\"connected\",\"direction\":\"incoming\","
	                       "\"audioMuted\":false,\"importance\":0,\"activeSpeaker\":false,"
	                       "\"handStatus\":\"lowered\"}]")
				UPDATE("3", "callInfoUpdate",
	                               "\"subscriptionIndex\":2,\"callInfo\":{\"call\":\"G\","
	                               "\"participants\":1,\"joinAudioMuteOverride\":\"unset\"}"));
	meeting_leg_talking(world.meeting, ann, true);
	world_settle(&world);
	EXPECT_HEARD(c, UPDATE("4", "rosterUpdate",
	                       "\"subscriptionIndex\":1,\"updates\":[{\"participant\":\"G\","
	                       "\"updateType\":\"update\",\"activeSpeaker\":true}]"));
	meeting_leg_drop(world.meeting, ann, LEG_END_API_INITIATED_TEARDOWN, world.now_us);
	world_settle(&world);
	EXPECT_HEARD(c, UPDATE("5", "rosterUpdate",
	                       "\"subscriptionIndex\":1,\"updates\":[{\"participant\":\"G\","
	                       "\"updateType\":\"remove\"}]")
	                        UPDATE("6", "callInfoUpdate",
	                               "\"subscriptionIndex\":2,\"callInfo\":{\"call\":\"G\","
	                               "\"participants\":0}"));
	meeting_leg_ended(world.meeting, ann, LEG_END_API_INITIATED_TEARDOWN, false, world.now_us);
	world_settle(&world);
	EXPECT_HEARD(c, UPDATE("7", "subscriptionUpdate",
	                       "\"subscriptions\":[{\"index\":1,\"state\":\"deactivated\"},"
	                       "{\"index\":2,\"state\":\"deactivated\"}]"));
	world_end(&world);
}

TEST(a_new_request_replaces_all_and_a_call_that_is_not_there_is_told)
{
	world_begin(&world);
	(void)world_join(&world, 0, "Ann");
	struct world_client *c = client_open(0);
	subscribe(c, "{\"index\":1,\"type\":\"calls\",\"elements\":[\"name\"]}");
	(void)heard(c);
	subscribe(c, "{\"index\":1,\"type\":\"callRoster\",\"elements\":[\"name\"],"
	             "\"call\":\"00000000-0000-4000-8000-000000000001\"}");
	EXPECT_HEARD(c, ACKED UPDATE("3", "subscriptionUpdate",
	                             "\"subscriptions\":[{\"index\":1,\"state\":"
	                             "\"deactivated\"}]"));
	(void)world_join(&world, 0, "Ben");
	world_settle(&world);
	EXPECT_HEARD(c, "");
	subscribe(c, "");
	EXPECT_HEARD(c, ACKED);
	EXPECT_EQ(events_count(world.events).subscriptions, 0);
	world_end(&world);
}

/* What a client believes after all it heard: participants of one roster, name and state. */
static unsigned
believed(struct world_client *client, json_t *roster)
{
	char *line = client->heard;
	for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		json_t *root = json_loadb(line, (size_t)(end - line), 0, NULL);
		EXPECT(root != NULL);
		const json_t *updates =
			json_object_get(json_object_get(root, "message"), "updates");
		for (size_t i = 0; i < json_array_size(updates); i++) {
			const json_t *update = json_array_get(updates, i);
			const char *id = json_string_value(json_object_get(update, "participant"));
			const char *type = json_string_value(json_object_get(update, "updateType"));
			json_t *known = json_object_get(roster, id);
			if (strcmp(type, "remove") == 0) {
				EXPECT(known != NULL);
				json_object_del(roster, id);
			} else if (strcmp(type, "add") == 0) {
				EXPECT(known == NULL);
				json_object_set_new(roster, id, json_deep_copy(update));
			} else {
				EXPECT(known != NULL);
				json_object_update(known, (json_t *)update);
			}
		}
		json_decref(root);
	}
	client->len = 0;
	client->heard[0] = '\0';
	return (unsigned)json_object_size(roster);
}

TEST(a_slow_client_ends_up_knowing_the_truth)
{
	char text[256];
	static uint32_t legs[1000];
	world_begin(&world);
	uint32_t space = 0;
	EXPECT_EQ(test_add(meeting_objects(world.meeting), OBJECT_SPACE, 0, &space,
	                   PAIRS("uri", "s", "name", "S")),
	          OBJECT_OK);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "Person \"%u\" of a large meeting", i);
		legs[i] = world_join(&world, space, text);
	}
	const uint32_t call = meeting_leg(world.meeting, legs[0])->call;
	world_settle(&world);
	struct world_client *c = client_open(0);
	snprintf(text, sizeof text,
	         "{\"index\":1,\"type\":\"callRoster\",\"call\":\"%s\","
	         "\"elements\":[\"name\",\"state\",\"activeSpeaker\",\"audioMuted\"]}",
	         call_id(call));
	subscribe(c, text);
	EXPECT(c->frames > 2); /* a thousand do not fit into one */
	json_t *roster = json_object();
	struct prng chance;
	prng_init(&chance, 11);
	uint64_t acked = 0;
	for (unsigned step = 0; step < 3000; step++) {
		const unsigned n = prng_below(&chance, 1000);
		const unsigned what = prng_below(&chance, 16);
		if (what == 0 && legs[n] != 0) {
			meeting_leg_ended(world.meeting, legs[n], LEG_END_REMOTE_TEARDOWN, true,
			                  world.now_us);
			legs[n] = 0;
		} else if (what == 1 && legs[n] == 0) {
			legs[n] = world_join(&world, space, "Newcomer");
		} else if (legs[n] != 0) {
			meeting_leg_talking(world.meeting, legs[n], (what & 1) != 0);
		}
		world_settle(&world);
		if (what == 7) {
			(void)believed(c, roster);
			for (const uint64_t last = c->last; acked < last;)
				acknowledge(c, ++acked);
		}
	}
	while (acked != c->last) {
		(void)believed(c, roster);
		acknowledge(c, ++acked);
	}
	EXPECT_EQ(c->code, 0);
	(void)believed(c, roster);
	unsigned there = 0;
	for (uint32_t leg = 0; (leg = meeting_call_leg_next(world.meeting, call, leg)) != 0;) {
		const struct meeting_leg *now = meeting_leg(world.meeting, leg);
		char id[GUID_TEXT_LEN + 1];
		guid_write(id, &meeting_participant(world.meeting, now->participant)->id);
		const json_t *known = json_object_get(roster, id);
		EXPECT(known != NULL);
		EXPECT_EQ(json_is_true(json_object_get(known, "activeSpeaker")), now->talking);
		EXPECT_STR(str_of(json_string_value(json_object_get(known, "name"))), now->name);
		there++;
	}
	EXPECT_EQ(json_object_size(roster), there);
	json_decref(roster);
	world_end(&world);
}

TEST(who_does_not_acknowledge_is_let_go_and_nobody_else)
{
	world_begin(&world);
	struct world_client *deaf = client_open(0);
	struct world_client *good = client_open(1);
	subscribe(deaf, "{\"index\":1,\"type\":\"calls\",\"elements\":[\"name\"]}");
	subscribe(good, "{\"index\":1,\"type\":\"calls\",\"elements\":[\"name\"]}");
	acknowledge(good, good->last);
	for (unsigned i = 0; i < 40; i++) {
		(void)world_join(&world, 0, "x");
		world_settle(&world);
		acknowledge(good, good->last);
	}
	EXPECT_EQ(deaf->last, EVENTS_UNACKED_MAX);
	EXPECT_EQ(good->last, 41);
	const int64_t due_us = 1000 + EVENTS_ACK_US;
	EXPECT_EQ(events_deadline(world.events), due_us);
	events_tick(world.events, due_us - 1);
	EXPECT_EQ(deaf->code, 0);
	events_tick(world.events, due_us);
	EXPECT_EQ(deaf->code, EVENTS_CLOSE_POLICY);
	EXPECT_EQ(good->code, 0);
	EXPECT_EQ(events_deadline(world.events), INT64_MAX);
	events_closed(world.events, deaf->handle);
	EXPECT_EQ(events_count(world.events).clients, 1);
	world_end(&world);
}

TEST(what_is_no_message_ends_its_sender)
{
	static const struct {
		const char *text;
		unsigned code;
		const char *answer;
	} cases[] = {
		{ "", EVENTS_CLOSE_BAD_DATA, "" },
		{ "[]", EVENTS_CLOSE_BAD_DATA, "" },
		{ "{\"type\":\"message\"}", EVENTS_CLOSE_BAD_DATA, "" },
		{ "{\"type\":\"message\",\"message\":{\"messageId\":-1}}", EVENTS_CLOSE_BAD_DATA, "" },
		{ "{\"type\":\"message\",\"message\":{\"messageId\":4,\"type\":\"x\"}}", 0,
		  "{\"type\":\"messageAck\",\"messageAck\":{\"messageId\":4,\"status\":\"failure\"}}\n" },
		{ "{\"type\":\"message\",\"message\":{\"messageId\":4,\"type\":\"subscribeRequest\","
		  "\"subscriptions\":[{\"index\":1,\"type\":\"callRoster\"}]}}",
		  0,
		  "{\"type\":\"messageAck\",\"messageAck\":{\"messageId\":4,\"status\":\"failure\"}}\n" },
		{ "{\"type\":\"messageAck\",\"messageAck\":{\"messageId\":99}}", 0, "" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		world_begin(&world);
		struct world_client *c = client_open(0);
		say(c, cases[i].text);
		EXPECT_EQ(c->code, cases[i].code);
		EXPECT_STR(str_of(c->heard), cases[i].answer);
		world_end(&world);
	}
	world_begin(&world);
	struct world_client *c = client_open(0);
	static char big[EVENTS_FRAME_MAX + 1];
	events_input(world.events, c->handle, (struct str){ big, sizeof big }, world.now_us);
	EXPECT_EQ(c->code, EVENTS_CLOSE_TOO_BIG);
	world_end(&world);
}

TEST(there_are_only_so_many_clients_and_subscriptions)
{
	static char text[64 * (EVENTS_SUBSCRIPTIONS_MAX + 1) + 256];
	world_begin(&world);
	struct world_client *c = client_open(0);
	struct writer w = writer_of(text, sizeof text - 1);
	writer_text(&w, "{\"type\":\"message\",\"message\":{\"messageId\":9,\"type\":"
	                "\"subscribeRequest\",\"subscriptions\":[");
	for (unsigned i = 0; i <= EVENTS_SUBSCRIPTIONS_MAX; i++)
		writer_format(&w, "%s{\"index\":%u,\"type\":\"calls\"}", i != 0 ? "," : "", i);
	writer_text(&w, "]}}");
	say(c, text);
	EXPECT_HEARD(c, "{\"type\":\"messageAck\",\"messageAck\":{\"messageId\":9,\"status\":"
	                "\"tooManySubscriptions\"}}\n");
	for (unsigned i = 1; i < EVENTS_CLIENTS_MAX; i++)
		EXPECT(events_open(world.events, 0, world.now_us) != 0);
	EXPECT_EQ(events_open(world.events, 0, world.now_us), 0);
	world_end(&world);
}
