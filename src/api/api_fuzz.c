/* SPDX-License-Identifier: Apache-2.0 */
/* Property: whatever is asked, one answer comes for each request, its body is well-formed, and the
 * model can be taken apart afterwards.  Input: lines "METHOD path?query", each followed by a line
 * that is the body; "+n" lets n seconds pass and legs connect.  An 'O' stands for a GUID of an
 * object that exists. */
#include <expat.h>
#include <jansson.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/check.h"
#include "base/prng.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { REQUESTS_MAX = 40, TEXT_MAX = 4096 };

struct bridge {
	struct prng prng;
	struct meeting *meeting;
	struct api *api;
	int64_t now_us;
	uint64_t answered;
	uint32_t pick; /* which object the next 'O' names */
	bool fail_commits;
};

static void
random_bytes(void *context, void *out, size_t len)
{
	prng_bytes(context, out, len);
}

static void
check_body(const struct api_out *out)
{
	if (out->body.len == 0)
		return;
	if (str_eq(out->content_type, STR("application/json"))) {
		json_t *json = json_loadb(out->body.at, out->body.len, 0, NULL);
		CHECK(json != NULL);
		json_decref(json);
		return;
	}
	XML_Parser parser = XML_ParserCreate("UTF-8");
	CHECK(XML_Parse(parser, out->body.at, (int)out->body.len, 1) == XML_STATUS_OK);
	XML_ParserFree(parser);
}

static void
commit(struct bridge *bridge, const struct object_tx *tx)
{
	bridge->fail_commits = prng_below(&bridge->prng, 8) == 0;
	objects_settled(meeting_objects(bridge->meeting), tx->ticket, !bridge->fail_commits);
	api_settled(bridge->api, tx->ticket, !bridge->fail_commits, bridge->now_us);
}

static void
drain(struct bridge *bridge)
{
	struct api_out out;
	while ((out = api_poll(bridge->api, bridge->now_us)).kind != API_NONE) {
		if (out.kind == API_VERIFY)
			api_verified(bridge->api, out.slot, true, bridge->now_us);
		if (out.kind == API_COMMIT)
			commit(bridge, &out.tx);
		if (out.kind == API_ANSWER) {
			bridge->answered++;
			CHECK(out.status >= 200 && out.status < 600);
			check_body(&out);
		}
	}
	struct meeting_event event;
	while ((event = meeting_poll(bridge->meeting)).kind != MEETING_NONE) {
		if (event.kind == MEETING_DROP)
			meeting_leg_ended(bridge->meeting, event.leg, event.reason, false,
			                  bridge->now_us);
	}
}

static void
bridge_make(struct bridge *bridge)
{
	const struct meeting_settings meeting = { .objects = { 20, 20, 8192 },
		                                  .limits = { 6, 8 },
		                                  .random = random_bytes,
		                                  .context = &bridge->prng };
	*bridge = (struct bridge){ .now_us = 1 };
	prng_init(&bridge->prng, 1);
	CHECK(meeting_create(&bridge->meeting, &meeting, 1) == 0);
	static struct accounts accounts;
	accounts_init(&accounts);
	CHECK(accounts_add(&accounts, STR("a"), MMP_API, "$argon2id$not-looked-at-in-this-test",
	                   0) != NULL);
	const struct api_settings api = { .meeting = bridge->meeting, .accounts = &accounts, .version = STR("1"),
		                          .trace = true };
	CHECK(api_create(&bridge->api, &api, 1) == 0);
}

/* Some object's id, of one type after the other. */
static struct guid
pick(struct bridge *bridge)
{
	const uint32_t turn = bridge->pick++;
	uint32_t at = turn / 6;
	uint32_t found;
	switch (turn % 6) {
	case 0:
		if ((found = meeting_call_next(bridge->meeting, &at)) != 0)
			return meeting_call(bridge->meeting, found)->id;
		break;
	case 1:
		if ((found = meeting_leg_next(bridge->meeting, &at)) != 0)
			return meeting_leg(bridge->meeting, found)->id;
		break;
	case 2:
		if ((found = meeting_leg_next(bridge->meeting, &at)) != 0)
			return meeting_participant(bridge->meeting,
			                           meeting_leg(bridge->meeting, found)->participant)
				->id;
		break;
	default: {
		static const enum object_type types[] = { OBJECT_SPACE, OBJECT_METHOD,
			                                  OBJECT_LEG_PROFILE };
		const enum object_type type = types[turn % 6 - 3];
		struct objects *objects = meeting_objects(bridge->meeting);
		if ((found = objects_next(objects, type, &at)) != 0)
			return objects_id(objects, type, found);
		break;
	}
	}
	return (struct guid){ { 1 } };
}

static struct str
expand(struct bridge *bridge, char out[TEXT_MAX], struct str text)
{
	struct writer w = writer_of(out, TEXT_MAX);
	char guid[GUID_TEXT_LEN + 1];
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] != 'O') {
			writer_u8(&w, (uint8_t)text.at[i]);
			continue;
		}
		const struct guid id = pick(bridge);
		guid_write(guid, &id);
		writer_text(&w, guid);
	}
	return writer_view(&w);
}

static void
ask(struct bridge *bridge, struct str line, struct str body)
{
	char path_text[TEXT_MAX];
	char body_text[TEXT_MAX];
	static const char *const names[] = { "GET", "POST", "PUT", "DELETE" };
	struct str path = line;
	const struct str name = str_cut(&path, ' ');
	struct api_request request = { .method = API_OTHER, .authorization = STR("Basic YTpi") };
	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		if (str_eq(name, str_of(names[i])))
			request.method = (enum api_method)i;
	}
	request.query = expand(bridge, path_text, path);
	request.path = str_cut(&request.query, '?');
	request.body = expand(bridge, body_text, body);
	request.accept = body.len % 2 != 0 ? STR("application/json") : STR("");
	const uint64_t before = bridge->answered;
	api_request(bridge->api, &request, bridge->now_us);
	drain(bridge);
	CHECK(bridge->answered == before + 1);
}

static void
pass_time(struct bridge *bridge, struct str line)
{
	uint32_t seconds = 0;
	uint32_t at = 0;
	if (str_u32(str_sub(line, 1, line.len - 1), &seconds) && seconds < 1000000)
		bridge->now_us += (int64_t)seconds * 1000000;
	for (uint32_t leg; (leg = meeting_leg_next(bridge->meeting, &at)) != 0;)
		meeting_leg_connected(bridge->meeting, leg, bridge->now_us);
	meeting_tick(bridge->meeting, bridge->now_us);
	drain(bridge);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct bridge bridge;
	bridge_make(&bridge);
	struct str rest = { (const char *)bytes, len };
	for (unsigned i = 0; i < REQUESTS_MAX && rest.len != 0; i++) {
		const struct str line = str_cut(&rest, '\n');
		if (line.len != 0 && line.at[0] == '+')
			pass_time(&bridge, line);
		else
			ask(&bridge, line, str_cut(&rest, '\n'));
	}
	uint32_t at = 0;
	for (uint32_t leg; (leg = meeting_leg_next(bridge.meeting, &at)) != 0;)
		meeting_leg_ended(bridge.meeting, leg, LEG_END_ERROR, false, bridge.now_us);
	drain(&bridge);
	CHECK(meeting_totals(bridge.meeting).legs_active == 0);
	api_destroy(bridge.api);
	meeting_destroy(bridge.meeting);
	return 0;
}
