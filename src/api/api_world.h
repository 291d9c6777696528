/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge without network for tests of the API: requests in, answers out, with GUIDs replaced by
 * G1, G2, ... in the order in which they were first seen. */
#ifndef API_API_WORLD_H
#define API_API_WORLD_H

#include <stdio.h>

#include "api/api.h"
#include "meeting/test_world.h"

enum { GUIDS_KNOWN = 256 };

struct bridge {
	struct accounts *accounts;
	struct prng prng;
	struct meeting *meeting;
	struct api *api;
	int64_t now_us;
	bool disk_full;
	bool hold_store;
	bool hold_verifier;
	unsigned verified;
	uint64_t tickets[TX_PENDING_MAX];
	unsigned ticket_count;
	struct guid guids[GUIDS_KNOWN];
	unsigned guid_count;
	/* The last answer, with GUIDs replaced. */
	unsigned answers;
	unsigned status;
	uint64_t owner;
	bool challenge;
	char location[128];
	char token[64];
	char body[API_ANSWER_MAX + 1];
	char type[64];
	char allow[64];
	char log[8192];
};

/* ------------------------------------------------------------------ a bridge for tests */

static inline unsigned
guid_number(struct bridge *bridge, const struct guid *guid)
{
	for (unsigned i = 0; i < bridge->guid_count; i++) {
		if (guid_eq(&bridge->guids[i], guid))
			return i + 1;
	}
	CHECK(bridge->guid_count < GUIDS_KNOWN);
	bridge->guids[bridge->guid_count++] = *guid;
	return bridge->guid_count;
}

static inline void
copy_named(struct bridge *bridge, char *out, size_t cap, struct str text)
{
	struct writer w = writer_of(out, cap - 1);
	for (size_t at = 0; at < text.len; at++) {
		struct guid guid;
		if (text.len - at >= GUID_TEXT_LEN &&
		    guid_parse(&guid, str_sub(text, at, GUID_TEXT_LEN))) {
			writer_format(&w, "G%u", guid_number(bridge, &guid));
			at += GUID_TEXT_LEN - 1;
		} else {
			writer_u8(&w, (uint8_t)text.at[at]);
		}
	}
	CHECK(!w.failed);
	out[w.at] = '\0';
}

static inline void
take_answer(struct bridge *bridge, const struct api_out *out)
{
	bridge->answers++;
	bridge->status = out->status;
	bridge->owner = out->owner;
	bridge->challenge = out->challenge;
	(void)str_copy(bridge->token, sizeof bridge->token, out->token);
	copy_named(bridge, bridge->location, sizeof bridge->location, out->location);
	copy_named(bridge, bridge->body, sizeof bridge->body, out->body);
	str_copy(bridge->type, sizeof bridge->type, out->content_type);
	str_copy(bridge->allow, sizeof bridge->allow, out->allow);
}

static inline void
settle(struct bridge *bridge)
{
	for (unsigned i = 0; i < bridge->ticket_count; i++) {
		objects_settled(meeting_objects(bridge->meeting), bridge->tickets[i],
		                !bridge->disk_full);
		api_settled(bridge->api, bridge->tickets[i], !bridge->disk_full, bridge->now_us);
	}
	bridge->ticket_count = 0;
}

static inline void
drain(struct bridge *bridge)
{
	struct api_out out;
	while ((out = api_poll(bridge->api, bridge->now_us)).kind != API_NONE) {
		switch (out.kind) {
		case API_VERIFY:
			bridge->verified++;
			if (bridge->hold_verifier)
				break;
			api_verified(bridge->api, out.slot, str_eq(out.password, STR("secret")),
			             bridge->now_us);
			break;
		case API_COMMIT:
			bridge->tickets[bridge->ticket_count++] = out.tx.ticket;
			if (!bridge->hold_store)
				settle(bridge);
			break;
		case API_ANSWER:
			take_answer(bridge, &out);
			break;
		case API_LOG: {
			char line[1024];
			copy_named(bridge, line, sizeof line, out.text);
			const size_t at = strlen(bridge->log);
			snprintf(bridge->log + at, sizeof bridge->log - at, "%s\n", line);
			break;
		}
		case API_NONE:
			break;
		}
	}
	while (meeting_poll(bridge->meeting).kind != MEETING_NONE) {
	}
}

static inline struct bridge *
bridge_make(void)
{
	static struct bridge bridge;
	bridge = (struct bridge){ .now_us = 1000 };
	prng_init(&bridge.prng, 4);
	const struct meeting_settings meeting = { .objects = { 500, 300, 1 << 20 },
		                                  .limits = { 50, 50 },
		                                  .random = test_random,
		                                  .context = &bridge.prng };
	EXPECT_EQ(meeting_create(&bridge.meeting, &meeting, bridge.now_us), 0);
	static struct accounts accounts;
	accounts_init(&accounts);
	EXPECT(accounts_add(&accounts, STR("admin"), MMP_API,
	                    "$argon2id$not-used-by-this-test-bridge", 0) != NULL);
	EXPECT(accounts_add(&accounts, STR("watcher"), MMP_AUDIT,
	                    "$argon2id$not-used-by-this-test-bridge", 0) != NULL);
	bridge.accounts = &accounts;
	const struct api_settings api = { .meeting = bridge.meeting, .accounts = &accounts, .version = STR("3.9"),
		                          .web_address = STR("https://web.example.org"),
		                          .sip_domain = STR("example.org"), .trace = true };
	EXPECT_EQ(api_create(&bridge.api, &api, bridge.now_us), 0);
	return &bridge;
}

static inline void
bridge_end(struct bridge *bridge)
{
	api_destroy(bridge->api);
	meeting_destroy(bridge->meeting);
}

/* "GET /calls?limit=1" with "G3" standing for a GUID seen before. */
static inline void
send_as(struct bridge *bridge, enum api_method method, const char *path, const char *body,
        const char *authorization, const char *accept)
{
	char text[1024];
	char content[8192];
	char *const outs[] = { text, content };
	const char *const ins[] = { path, body };
	for (size_t i = 0; i < 2; i++) {
		struct writer w = writer_of(outs[i], (i == 0 ? sizeof text : sizeof content) - 1);
		writer_text(&w, i == 0 ? "/api/v1" : "");
		for (const char *at = ins[i]; *at != '\0'; at++) {
			char guid[GUID_TEXT_LEN + 1];
			const bool after = at != ins[i] && (at[-1] == '/' || at[-1] == '=');
			if (!after || at[0] != 'G' || at[1] < '1' || at[1] > '9') {
				writer_u8(&w, (uint8_t)*at);
				continue;
			}
			unsigned number = 0;
			for (at++; *at >= '0' && *at <= '9'; at++)
				number = number * 10 + (unsigned)(*at - '0');
			at--;
			CHECK(number <= bridge->guid_count);
			guid_write(guid, &bridge->guids[number - 1]);
			writer_text(&w, guid);
		}
		CHECK(!w.failed);
		outs[i][w.at] = '\0';
	}
	struct str query = str_of(text);
	const struct str before = str_cut(&query, '?');
	const struct api_request request = {
		.method = method, .path = before, .query = query, .body = str_of(content),
		.content_type = STR("application/x-www-form-urlencoded"),
		.accept = str_of(accept), .authorization = str_of(authorization),
		.peer = addr_ip4(192, 0, 2, 7, 40000), .owner = 77,
		.wall_us = INT64_C(1558032122000000),
	};
	bridge->body[0] = bridge->location[0] = '\0';
	api_request(bridge->api, &request, bridge->now_us);
	drain(bridge);
}

static const char login[] = "Basic YWRtaW46c2VjcmV0"; /* admin:secret */

static inline void
send(struct bridge *bridge, enum api_method method, const char *path, const char *body)
{
	send_as(bridge, method, path, body, login, "");
	EXPECT_EQ(bridge->owner, 77);
}

static inline void
expect(struct bridge *bridge, enum api_method method, const char *path, const char *body,
       unsigned status, const char *answer)
{
	send(bridge, method, path, body);
	EXPECT_EQ(bridge->status, status);
	struct str got = str_of(bridge->body);
	if (answer[0] != '\0') {
		static const char prolog[] = "<?xml version=\"1.0\"?>";
		EXPECT(str_starts(got, str_of(prolog)));
		got = str_sub(got, sizeof prolog - 1, got.len - (sizeof prolog - 1));
	}
	EXPECT_STR(got, answer);
}

#define EXPECT_FAILURE(bridge, method, path, body, status, code) \
	expect(bridge, method, path, body, status, \
	       "<failureDetails><" code " /></failureDetails>")

#endif
