/* SPDX-License-Identifier: Apache-2.0 */
/* Two bridges and some browsers that say anything, come and go in any order.  However it went, once
 * they are gone and time has passed, nothing is left. */
#include "webbridge/relay.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	BRIDGES = 2,
	BROWSERS = 6,
	QUESTION = 77,
	LINE_MAX = 4096,
	MINUTE_US = 60 * 1000 * 1000,
};

static uint64_t present; /* bit i: browser i; bit 32 + i: bridge i */
static unsigned asked;

static void
to_anybody(void *context, uint32_t id, struct str text)
{
	(void)context;
	(void)id;
	CHECK(text.len >= 2 && text.at[0] == '{' && text.at[text.len - 1] == '}');
}

static void
drop_bridge(void *context, uint32_t id, uint16_t code, const char *reason)
{
	(void)context;
	CHECK(code >= 1000 && reason != NULL && (present & 1ull << (32 + id)) != 0);
	present &= ~(1ull << (32 + id));
}

static void
drop_browser(void *context, uint32_t id, uint16_t code, const char *reason)
{
	(void)context;
	CHECK(code >= 1000 && reason != NULL && (present & 1ull << id) != 0);
	present &= ~(1ull << id);
}

static void
answer(void *context, uint32_t question, unsigned status, struct str json)
{
	(void)context;
	CHECK(question == QUESTION && asked != 0 && status >= 200 && json.len != 0);
	asked--;
}

static void
ignore(void *context, enum relay_log level, struct str text)
{
	(void)context;
	(void)level;
	CHECK(text.len != 0);
}

static void
ask(struct relay *relay, uint8_t who, struct str text, int64_t now_us)
{
	static const enum c2w_kind kinds[] = { C2W_JOIN, C2W_LOOKUP, C2W_SIGN_IN, C2W_ASK };
	const struct net_addr source = addr_ip4(192, 0, 2, 1, 1);
	struct relay_question question = { .id = QUESTION,
		                           .kind = kinds[who % COUNT_OF(kinds)],
		                           .source = &source };
	if (question.kind == C2W_SIGN_IN)
		question.sign_in = (struct c2w_sign_in){ .username = text, .password = text };
	else if (question.kind == C2W_ASK)
		question.ask = (struct c2w_ask){ .path = text, .token = text, .body = text };
	else
		question.join = (struct c2w_join){ .address = text, .name = text };
	asked++;
	relay_ask(relay, &question, now_us);
}

/* One line: its first byte says who does what, its second who, the rest is the text. */
static void
act(struct relay *relay, struct str line, int64_t now_us)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 1, 1);
	const uint8_t who = line.len > 1 ? (uint8_t)line.at[1] : 0;
	const uint32_t browser = 1 + who % BROWSERS;
	const uint32_t bridge = 1 + who % BRIDGES;
	const bool browser_here = (present & 1ull << browser) != 0;
	const bool bridge_here = (present & 1ull << (32 + bridge)) != 0;
	const struct str text = line.len > 2 ? str_sub(line, 2, line.len - 2) : (struct str){ 0 };
	switch (line.len != 0 ? line.at[0] : 0) {
	case 'B':
		present |= 1ull << (32 + bridge);
		if (!bridge_here)
			relay_bridge_up(relay, bridge, now_us);
		break;
	case 'b':
		relay_bridge_input(relay, bridge, text, now_us);
		break;
	case 'x':
		present &= ~(1ull << (32 + bridge));
		relay_bridge_down(relay, bridge, now_us);
		break;
	case 'W':
		present |= 1ull << browser;
		if (!browser_here)
			relay_browser_up(relay, &(struct relay_browser){ .id = browser,
			                                                 .token = text,
			                                                 .source = &source },
			                 now_us);
		break;
	case 'w':
		relay_browser_input(relay, browser, text, now_us);
		break;
	case 'y':
		present &= ~(1ull << browser);
		relay_browser_down(relay, browser, now_us);
		break;
	case 'q':
		ask(relay, who, text, now_us);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct relay_settings settings = {
		.sessions_max = BROWSERS - 1,
		.questions_max = 2,
		.hash_key = { 1, 2 },
		.product = STR("fuzz"),
		.sink = { .to_bridge = to_anybody, .drop_bridge = drop_bridge,
		          .to_browser = to_anybody, .drop_browser = drop_browser,
		          .answer = answer, .log = ignore },
	};
	struct relay *relay = NULL;
	int64_t now_us = 0;
	present = 0;
	asked = 0;
	if (relay_create(&relay, &settings, now_us) != 0)
		return 0;
	for (struct str rest = { .at = (const char *)bytes, .len = len }; rest.len != 0;) {
		const struct str line = str_cut(&rest, '\n');
		now_us += line.len > 0 && line.at[0] == 't' ? 1000 * 1000 : 1000;
		relay_tick(relay, now_us);
		act(relay, line, now_us);
	}
	for (uint32_t i = 1; i <= BROWSERS; i++)
		relay_browser_down(relay, i, now_us);
	for (uint32_t i = 1; i <= BRIDGES; i++)
		relay_bridge_down(relay, i, now_us);
	for (int64_t next; (next = relay_deadline(relay)) != INT64_MAX;) {
		CHECK(next < now_us + MINUTE_US);
		now_us = next > now_us ? next : now_us;
		relay_tick(relay, now_us);
	}
	CHECK(asked == 0);
	CHECK(relay_counters(relay)->sessions == 0 && relay_counters(relay)->questions == 0);
	CHECK(relay_counters(relay)->bridges == 0);
	relay_destroy(relay);
	return 0;
}
