/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: everybody's messages reach whom they are for and nobody else; a bridge that goes and comes
 * costs people nothing; nobody can make the relay hold more or do more than its limits say.
 * Method: what the relay tells its shell is written down as lines ("b1 <- ..." to bridge 1, "w5 <- "
 * to browser 5, "q9 200 ..." an answer) and compared after each step. */
#include "webbridge/relay.h"

#include <stdio.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/test.h"

enum {
	SECOND = 1000 * 1000,
	SESSIONS_MAX = 8,
	QUESTIONS_MAX = 4,
	TOKEN_TEXT_MAX = 256,
};

struct world {
	struct relay *relay;
	int64_t now_us;
	char told[65536];
	size_t told_len;
};

static struct world world;

__attribute__((format(printf, 1, 2))) static void
note(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int len = vsnprintf(world.told + world.told_len, sizeof world.told - world.told_len,
	                          format, args);
	va_end(args);
	CHECK(len >= 0 && world.told_len + (size_t)len < sizeof world.told);
	world.told_len += (size_t)len;
}

static void
to_bridge(void *context, uint32_t bridge, struct str text)
{
	(void)context;
	note("b%u <- %.*s\n", bridge, STR_ARGS(text));
}

static void
drop_bridge(void *context, uint32_t bridge, uint16_t code, const char *reason)
{
	(void)context;
	note("b%u closed %u %s\n", bridge, code, reason);
}

static void
to_browser(void *context, uint32_t browser, struct str text)
{
	(void)context;
	note("w%u <- %.*s\n", browser, STR_ARGS(text));
}

static void
drop_browser(void *context, uint32_t browser, uint16_t code, const char *reason)
{
	(void)context;
	note("w%u closed %u %s\n", browser, code, reason);
}

static void
answer(void *context, uint32_t question, unsigned status, struct str json)
{
	(void)context;
	note("q%u %u %.*s\n", question, status, STR_ARGS(json));
}

static void
ignore_log(void *context, enum relay_log level, struct str text)
{
	(void)context;
	(void)level;
	EXPECT(text.len != 0);
}

static void
begin(void)
{
	const struct relay_settings settings = {
		.sessions_max = SESSIONS_MAX,
		.questions_max = QUESTIONS_MAX,
		.hash_key = { 1, 2 },
		.product = STR("test"),
		.sink = { .to_bridge = to_bridge, .drop_bridge = drop_bridge,
		          .to_browser = to_browser, .drop_browser = drop_browser,
		          .answer = answer, .log = ignore_log },
	};
	world.now_us = 1000 * (int64_t)SECOND;
	world.told_len = 0;
	EXPECT_EQ(relay_create(&world.relay, &settings, world.now_us), 0);
}

static void
finish(void)
{
	relay_destroy(world.relay);
	world.relay = NULL;
}

static void
told(const char *want)
{
	EXPECT_STR(((struct str){ .at = world.told, .len = world.told_len }), want);
	world.told_len = 0;
}

static void
pass(int64_t us)
{
	const int64_t end_us = world.now_us + us;
	for (int64_t next; (next = relay_deadline(world.relay)) <= end_us;) {
		world.now_us = next > world.now_us ? next : world.now_us;
		relay_tick(world.relay, world.now_us);
	}
	world.now_us = end_us;
	relay_tick(world.relay, world.now_us);
}

static void
from_bridge(uint32_t bridge, const char *text)
{
	relay_bridge_input(world.relay, bridge, str_of(text), world.now_us);
}

static void
from_browser(uint32_t browser, const char *text)
{
	relay_browser_input(world.relay, browser, str_of(text), world.now_us);
}

/* Connected and greeted; nothing is left to be told but what follows from it. */
static void
bridge_comes(uint32_t bridge, const char *id)
{
	char hello[128];
	char want[128];
	relay_bridge_up(world.relay, bridge, world.now_us);
	snprintf(want, sizeof want,
	         "b%u <- {\"type\":\"hello\",\"version\":3,\"role\":\"webbridge\",\"product\":\"test\"}\n",
	         bridge);
	told(want);
	snprintf(hello, sizeof hello,
	         "{\"type\":\"hello\",\"version\":3,\"role\":\"callbridge\",\"id\":\"%s\"}", id);
	from_bridge(bridge, hello);
}

static const char *
token_of(char out[TOKEN_TEXT_MAX], const char *bridge_id)
{
	char claims[128];
	struct writer w = writer_of(out, TOKEN_TEXT_MAX - 1);
	snprintf(claims, sizeof claims, "{\"sub\":\"guest1\",\"callBridge\":\"%s\"}", bridge_id);
	writer_text(&w, "e30.");
	encode_base64url(&w, claims, strlen(claims));
	writer_text(&w, ".c2ln");
	out[w.at] = '\0';
	return out;
}

static void
browser_comes(uint32_t browser, const char *token)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 1, 4711);
	const struct relay_browser up = { .id = browser, .token = str_of(token),
		                          .product = STR("Chrome"), .source = &source };
	relay_browser_up(world.relay, &up, world.now_us);
}

/* The number that the relay gave a browser's session, from the `open` just told. */
static uint32_t
session_told(void)
{
	world.told[world.told_len] = '\0';
	const char *at = strstr(world.told, "\"session\":");
	EXPECT(at != NULL);
	unsigned number = 0;
	EXPECT_EQ(sscanf(at, "\"session\":%u", &number), 1);
	world.told_len = 0;
	return number;
}

static void
from_bridge_to(uint32_t bridge, uint32_t session, const char *type, const char *members)
{
	char text[512];
	snprintf(text, sizeof text, "{\"type\":\"%s\",\"session\":%u%s}", type, session, members);
	from_bridge(bridge, text);
}

#define OPENED_MEMBERS                                                                       \
	"\"participant\":\"p\",\"call\":\"c\",\"meeting\":\"Demo\",\"resumed\":false,"       \
	"\"mayMuteOthers\":false,\"mayDropOthers\":false,\"mayLock\":false,\"mayEnd\":false," \
	"\"iceServers\":[]"

/* A browser that is in a meeting of this bridge. */
static uint32_t
browser_in(uint32_t browser, uint32_t bridge, const char *token)
{
	char want[512];
	browser_comes(browser, token);
	const uint32_t session = session_told();
	from_bridge_to(bridge, session, "opened", "," OPENED_MEMBERS);
	snprintf(want, sizeof want, "w%u <- {\"type\":\"opened\"," OPENED_MEMBERS "}\n", browser);
	told(want);
	return session;
}

static void
ask(uint32_t id, const char *address, const char *name)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 1, 4711);
	const struct relay_question question = {
		.id = id,
		.kind = name == NULL ? C2W_LOOKUP : C2W_JOIN,
		.join = { .address = str_of(address), .name = str_of(name) },
		.source = &source,
	};
	relay_ask(world.relay, &question, world.now_us);
}

static uint32_t
request_told(void)
{
	world.told[world.told_len] = '\0';
	const char *at = strstr(world.told, "\"request\":");
	EXPECT(at != NULL);
	unsigned number = 0;
	EXPECT_EQ(sscanf(at, "\"request\":%u", &number), 1);
	world.told_len = 0;
	return number;
}

static void
refuse_request(uint32_t bridge, uint32_t request, const char *reason)
{
	char text[128];
	snprintf(text, sizeof text, "{\"type\":\"refused\",\"request\":%u,\"reason\":\"%s\"}", request,
	         reason);
	from_bridge(bridge, text);
}

/* ---- sessions ------------------------------------------------------------------------------ */

TEST(a_browser_and_its_bridge_hear_each_other)
{
	char token[TOKEN_TEXT_MAX];
	char want[256];
	begin();
	bridge_comes(1, "cb1");
	const uint32_t session = browser_in(5, 1, token_of(token, "cb1"));

	from_browser(5, "{\"type\":\"offer\",\"revision\":1,\"sdp\":\"v=0\\r\\n\"}");
	snprintf(want, sizeof want,
	         "b1 <- {\"type\":\"offer\",\"session\":%u,\"revision\":1,\"sdp\":\"v=0\\r\\n\"}\n",
	         session);
	told(want);
	from_bridge_to(1, session, "answer", ",\"revision\":1,\"sdp\":\"v=0\\r\\n\"");
	told("w5 <- {\"type\":\"answer\",\"revision\":1,\"sdp\":\"v=0\\r\\n\"}\n");
	from_browser(5, "{\"type\":\"ping\"}");
	told("w5 <- {\"type\":\"pong\"}\n");
	from_browser(5, "{\"type\":\"leave\"}");
	snprintf(want, sizeof want, "b1 <- {\"type\":\"leave\",\"session\":%u}\n", session);
	told(want);
	from_bridge_to(1, session, "ended", ",\"reason\":\"left\"");
	told("w5 <- {\"type\":\"ended\",\"reason\":\"left\"}\nw5 closed 1000 ended\n");
	relay_browser_down(world.relay, 5, world.now_us);
	told("");
	EXPECT_EQ(relay_counters(world.relay)->sessions, 0);
	EXPECT(relay_deadline(world.relay) == INT64_MAX);
	finish();
}

TEST(one_message_reaches_all_it_is_addressed_to_and_nobody_else)
{
	char token[TOKEN_TEXT_MAX];
	char text[256];
	begin();
	bridge_comes(1, "cb1");
	bridge_comes(2, "cb2");
	told("");
	const uint32_t a = browser_in(5, 1, token_of(token, "cb1"));
	const uint32_t b = browser_in(6, 1, token);
	(void)browser_in(7, 1, token);
	const uint32_t other = browser_in(8, 2, token_of(token, "cb2"));
	snprintf(text, sizeof text,
	         "{\"type\":\"meeting\",\"sessions\":[%u,%u,%u,999],\"name\":\"n\",\"participants\":2,"
	         "\"locked\":false,\"lobby\":false}",
	         b, other, a);
	from_bridge(1, text);
	told("w6 <- {\"type\":\"meeting\",\"name\":\"n\",\"participants\":2,\"locked\":false,"
	     "\"lobby\":false}\n"
	     "w5 <- {\"type\":\"meeting\",\"name\":\"n\",\"participants\":2,\"locked\":false,"
	     "\"lobby\":false}\n");
	finish();
}

TEST(a_token_goes_to_the_bridge_that_made_it)
{
	char token[TOKEN_TEXT_MAX];
	begin();
	bridge_comes(1, "cb1");
	bridge_comes(2, "cb2");
	for (unsigned i = 0; i < 3; i++) {
		browser_comes(10 + i, token_of(token, "cb2"));
		world.told[world.told_len] = '\0';
		EXPECT(strncmp(world.told, "b2 <- {\"type\":\"open\"", 19) == 0);
		world.told_len = 0;
	}
	/* One whose maker is not here waits for it, and then tries its luck. */
	browser_comes(20, token_of(token, "cb3"));
	told("");
	pass(RELAY_WAIT_US + SECOND / 10);
	(void)session_told();
	finish();
}

TEST(people_are_back_by_themselves_when_their_bridge_is)
{
	char token[TOKEN_TEXT_MAX];
	begin();
	bridge_comes(1, "cb1");
	(void)browser_in(5, 1, token_of(token, "cb1"));
	relay_bridge_down(world.relay, 1, world.now_us);
	told("");
	from_browser(5, "{\"type\":\"mute\",\"muted\":true}");
	told("");
	pass(3 * SECOND);
	bridge_comes(2, "cb1");
	const uint32_t session = session_told();
	from_bridge_to(2, session, "opened", "," OPENED_MEMBERS);
	told("w5 <- {\"type\":\"opened\"," OPENED_MEMBERS "}\n");
	EXPECT_EQ(relay_counters(world.relay)->reopened, 1);

	/* It does not come again: the browser is told after the grace, and not before. */
	relay_bridge_down(world.relay, 2, world.now_us);
	pass(RELAY_GRACE_US - SECOND);
	told("");
	pass(2 * SECOND);
	told("w5 <- {\"type\":\"ended\",\"reason\":\"bridgeRestart\"}\nw5 closed 1000 ended\n");
	finish();
}

TEST(a_bridge_that_shuts_down_keeps_its_people_waiting_for_it)
{
	char token[TOKEN_TEXT_MAX];
	begin();
	bridge_comes(1, "cb1");
	const uint32_t session = browser_in(5, 1, token_of(token, "cb1"));
	from_bridge_to(1, session, "ended", ",\"reason\":\"bridgeRestart\"");
	told("");
	ask(9, "1001", "Ann");
	told("");
	relay_bridge_down(world.relay, 1, world.now_us);
	bridge_comes(2, "cb1");
	world.told[world.told_len] = '\0';
	EXPECT(strstr(world.told, "\"type\":\"open\"") != NULL);
	EXPECT(strstr(world.told, "\"type\":\"join\"") != NULL);
	finish();
}

TEST(a_bridge_that_comes_twice_replaces_itself)
{
	char token[TOKEN_TEXT_MAX];
	begin();
	bridge_comes(1, "cb1");
	(void)browser_in(5, 1, token_of(token, "cb1"));
	bridge_comes(2, "cb1");
	world.told[world.told_len] = '\0';
	EXPECT(strncmp(world.told, "b1 closed 1000 ", 15) == 0);
	EXPECT(strstr(world.told, "b2 <- {\"type\":\"open\"") != NULL);
	EXPECT_EQ(relay_counters(world.relay)->bridges, 1);
	finish();
}

TEST(a_fresh_token_is_the_one_that_counts)
{
	char token[TOKEN_TEXT_MAX];
	begin();
	bridge_comes(1, "cb1");
	browser_comes(5, token_of(token, "cb1"));
	const uint32_t session = session_told();
	from_bridge_to(1, session, "opened", ",\"token\":\"a.b.fresh\"," OPENED_MEMBERS);
	told("w5 <- {\"type\":\"opened\",\"participant\":\"p\",\"call\":\"c\",\"meeting\":\"Demo\","
	     "\"token\":\"a.b.fresh\",\"resumed\":false,\"mayMuteOthers\":false,"
	     "\"mayDropOthers\":false,\"mayLock\":false,\"mayEnd\":false,\"iceServers\":[]}\n");
	relay_bridge_down(world.relay, 1, world.now_us);
	bridge_comes(2, "cb1");
	world.told[world.told_len] = '\0';
	EXPECT(strstr(world.told, "\"token\":\"a.b.fresh\"") != NULL);
	finish();
}

TEST(a_newcomer_without_a_bridge_hears_so_in_time)
{
	begin();
	browser_comes(5, "a.b.c");
	pass(RELAY_WAIT_US - SECOND);
	told("");
	pass(2 * SECOND);
	told("w5 <- {\"type\":\"refused\",\"reason\":\"noBridge\"}\nw5 closed 1000 refused\n");
	browser_comes(6, "not a token");
	told("w6 <- {\"type\":\"refused\",\"reason\":\"badToken\"}\nw6 closed 1000 refused\n");
	browser_comes(7, "");
	told("w7 <- {\"type\":\"refused\",\"reason\":\"badToken\"}\nw7 closed 1000 refused\n");
	finish();
}

TEST(a_bridge_that_does_not_answer_is_not_waited_for)
{
	char token[TOKEN_TEXT_MAX];
	char want[256];
	begin();
	bridge_comes(1, "cb1");
	browser_comes(5, token_of(token, "cb1"));
	uint32_t session = session_told();
	pass(RELAY_ANSWER_US + SECOND / 10);
	snprintf(want, sizeof want,
	         "b1 <- {\"type\":\"closed\",\"session\":%u}\n"
	         "w5 <- {\"type\":\"refused\",\"reason\":\"busy\"}\nw5 closed 1000 refused\n",
	         session);
	told(want);
	session = browser_in(6, 1, token);
	from_browser(6, "{\"type\":\"leave\"}");
	world.told_len = 0;
	pass(RELAY_ANSWER_US + SECOND / 10);
	snprintf(want, sizeof want,
	         "b1 <- {\"type\":\"closed\",\"session\":%u}\n"
	         "w6 <- {\"type\":\"ended\",\"reason\":\"left\"}\nw6 closed 1000 ended\n",
	         session);
	told(want);
	finish();
}

TEST(what_a_browser_may_not_say_ends_it)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{ "", "no JSON object" },
		{ "[]", "no JSON object" },
		{ "{\"type\":\"open\",\"token\":\"t\"}", "unknown or misplaced type" },
		{ "{\"type\":\"hello\",\"version\":3,\"role\":\"callbridge\"}",
		  "unknown or misplaced type" },
		{ "{\"type\":\"leave\",\"session\":7}", "a member has a wrong value" },
		{ "{\"type\":\"mute\"}", "a member is missing" },
		{ "{\"type\":\"join\",\"address\":\"1\",\"name\":\"n\"}", "questions go by HTTP" },
	};
	char token[TOKEN_TEXT_MAX];
	char want[256];
	begin();
	bridge_comes(1, "cb1");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const uint32_t session = browser_in(5, 1, token_of(token, "cb1"));
		from_browser(5, cases[i].text);
		snprintf(want, sizeof want,
		         "b1 <- {\"type\":\"closed\",\"session\":%u}\nw5 closed 1008 %s\n", session,
		         cases[i].why);
		told(want);
	}
	finish();
}

TEST(a_browser_that_talks_without_end_is_closed)
{
	char token[TOKEN_TEXT_MAX];
	begin();
	bridge_comes(1, "cb1");
	(void)browser_in(5, 1, token_of(token, "cb1"));
	/* As fast as it may, for long, is fine. */
	for (unsigned i = 0; i < 10 * RELAY_BURST; i++) {
		pass(SECOND / RELAY_PER_SECOND);
		from_browser(5, "{\"type\":\"pong\"}");
	}
	told("");
	pass(SECOND);
	for (unsigned i = 0; i < 10 * RELAY_BURST; i++) {
		/* A little faster: what is left of an allowance is not lost. */
		pass(SECOND / RELAY_PER_SECOND - 500);
		from_browser(5, "{\"type\":\"pong\"}");
	}
	told("");
	pass(10 * SECOND);
	for (unsigned i = 0; i < RELAY_BURST; i++)
		from_browser(5, "{\"type\":\"pong\"}");
	told("");
	from_browser(5, "{\"type\":\"pong\"}");
	EXPECT_EQ(relay_counters(world.relay)->floods, 1);
	EXPECT_EQ(relay_counters(world.relay)->sessions, 0);
	finish();
}

TEST(a_full_table_refuses_and_empties_again)
{
	char token[TOKEN_TEXT_MAX];
	begin();
	bridge_comes(1, "cb1");
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < SESSIONS_MAX; i++)
			(void)browser_in(100 + i, 1, token_of(token, "cb1"));
		browser_comes(5, token);
		told("w5 <- {\"type\":\"refused\",\"reason\":\"busy\"}\nw5 closed 1000 refused\n");
		for (uint32_t i = 0; i < SESSIONS_MAX; i++)
			relay_browser_down(world.relay, 100 + i, world.now_us);
		world.told_len = 0;
	}
	EXPECT_EQ(relay_counters(world.relay)->full, 3);
	EXPECT_EQ(relay_counters(world.relay)->sessions, 0);
	finish();
}

/* ---- questions ----------------------------------------------------------------------------- */

TEST(a_join_is_answered_with_the_token)
{
	char text[256];
	begin();
	bridge_comes(1, "cb1");
	ask(9, "1001", "Ann");
	const uint32_t request = request_told();
	snprintf(text, sizeof text,
	         "{\"type\":\"joined\",\"request\":%u,\"token\":\"a.b.c\",\"name\":\"Demo\"}", request);
	from_bridge(1, text);
	told("q9 200 {\"type\":\"joined\",\"token\":\"a.b.c\",\"name\":\"Demo\"}\n");
	/* The answer counts once. */
	from_bridge(1, text);
	told("");
	ask(10, "1001", NULL);
	snprintf(text, sizeof text,
	         "{\"type\":\"found\",\"request\":%u,\"name\":\"Demo\",\"passcodeRequired\":false}",
	         request_told());
	from_bridge(1, text);
	told("q10 200 {\"type\":\"found\",\"name\":\"Demo\",\"passcodeRequired\":false}\n");
	EXPECT_EQ(relay_counters(world.relay)->questions, 0);
	finish();
}

TEST(the_next_bridge_is_asked_when_one_does_not_know)
{
	begin();
	bridge_comes(1, "cb1");
	bridge_comes(2, "cb2");
	ask(9, "1001", "Ann");
	world.told[world.told_len] = '\0';
	EXPECT(strncmp(world.told, "b1 <- ", 6) == 0);
	uint32_t request = request_told();
	refuse_request(2, request, "full"); /* not whom we asked */
	told("");
	refuse_request(1, request, "unknownMeeting");
	world.told[world.told_len] = '\0';
	EXPECT(strncmp(world.told, "b2 <- ", 6) == 0);
	request = request_told();
	refuse_request(2, request, "unknownMeeting");
	told("q9 404 {\"error\":\"unknownMeeting\"}\n");
	finish();
}

TEST(a_join_waits_for_a_bridge_but_not_for_long)
{
	begin();
	ask(9, "1001", "Ann");
	pass(RELAY_WAIT_US - SECOND);
	told("");
	bridge_comes(1, "cb1");
	refuse_request(1, request_told(), "passcodeRequired");
	told("q9 403 {\"error\":\"passcodeRequired\"}\n");
	ask(10, "1001", "Ann");
	world.told_len = 0;
	relay_bridge_down(world.relay, 1, world.now_us);
	pass(RELAY_WAIT_US + SECOND / 10);
	told("q10 503 {\"error\":\"noBridge\"}\n");
	finish();
}

TEST(a_bridge_that_is_silent_is_passed_over)
{
	begin();
	bridge_comes(1, "cb1");
	bridge_comes(2, "cb2");
	ask(9, "1001", "Ann");
	world.told_len = 0;
	pass(RELAY_ANSWER_US + SECOND / 10);
	world.told[world.told_len] = '\0';
	EXPECT(strncmp(world.told, "b2 <- ", 6) == 0);
	world.told_len = 0;
	pass(RELAY_ANSWER_US + SECOND / 10);
	told("q9 503 {\"error\":\"noBridge\"}\n");
	EXPECT(relay_deadline(world.relay) == INT64_MAX);
	finish();
}

TEST(each_refusal_has_its_status)
{
	static const struct {
		const char *reason;
		unsigned status;
	} cases[] = {
		{ "unknownMeeting", 404 }, { "passcodeRequired", 403 }, { "passcodeIncorrect", 403 },
		{ "notAllowed", 403 },     { "locked", 409 },           { "full", 409 },
		{ "busy", 503 },           { "badRequest", 400 },
	};
	char want[64];
	begin();
	bridge_comes(1, "cb1");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ask(9, "1001", "Ann");
		refuse_request(1, request_told(), cases[i].reason);
		snprintf(want, sizeof want, "q9 %u {\"error\":\"%s\"}\n", cases[i].status,
		         cases[i].reason);
		told(want);
	}
	ask(9, "", "Ann");
	told("q9 400 {\"error\":\"badRequest\"}\n");
	ask(9, "1001", "");
	told("q9 400 {\"error\":\"badRequest\"}\n");
	char long_name[C2W_NAME_MAX + 2];
	memset(long_name, 'x', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	ask(9, "1001", long_name);
	told("q9 400 {\"error\":\"badRequest\"}\n");
	finish();
}

static void
sign_in(uint32_t id)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 1, 4711);
	const struct relay_question question = {
		.id = id,
		.kind = C2W_SIGN_IN,
		.sign_in = { .username = STR("ann@example.com"), .password = STR("secret") },
		.source = &source,
	};
	relay_ask(world.relay, &question, world.now_us);
}

static void
ask_with(uint32_t id, const char *token)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 1, 4711);
	const struct relay_question question = {
		.id = id,
		.kind = C2W_ASK,
		.ask = { .token = str_of(token), .path = STR("cospaces") },
		.source = &source,
	};
	relay_ask(world.relay, &question, world.now_us);
}

TEST(a_sign_in_is_asked_of_one_bridge_and_answered_with_its_token)
{
	char text[256];
	begin();
	bridge_comes(1, "cb1");
	bridge_comes(2, "cb2");
	sign_in(9);
	world.told[world.told_len] = '\0';
	EXPECT(strstr(world.told, "\"type\":\"signIn\"") != NULL);
	EXPECT(strstr(world.told, "\"password\":\"secret\",\"address\":\"192.0.2.1\"") != NULL);
	const uint32_t bridge = world.told[1] == '1' ? 1 : 2;
	uint32_t request = request_told();
	snprintf(text, sizeof text,
	         "{\"type\":\"signedIn\",\"request\":%u,\"token\":\"t\",\"name\":\"Ann\","
	         "\"jid\":\"ann@example.com\"}",
	         request);
	from_bridge(bridge, text);
	told("q9 200 {\"type\":\"signedIn\",\"token\":\"t\",\"name\":\"Ann\","
	     "\"jid\":\"ann@example.com\"}\n");
	/* A wrong password is wrong everywhere: the second bridge is not asked. */
	sign_in(10);
	request = request_told();
	refuse_request(3 - bridge, request, "wrongLogin");
	told("q10 401 {\"error\":\"wrongLogin\"}\n");
	finish();
}

static void
come_back(uint32_t id)
{
	const struct net_addr source = addr_ip4(192, 0, 2, 1, 4711);
	const struct relay_question question = {
		.id = id,
		.kind = C2W_SIGN_IN_ELSEWHERE,
		.elsewhere = { .state = STR("s"), .code = STR("c") },
		.source = &source,
	};
	relay_ask(world.relay, &question, world.now_us);
}

TEST(who_is_back_from_elsewhere_is_known_by_the_bridge_that_sent_him)
{
	char text[256];
	begin();
	bridge_comes(1, "cb1");
	bridge_comes(2, "cb2");
	come_back(9);
	world.told[world.told_len] = '\0';
	EXPECT(strstr(world.told, "\"state\":\"s\",\"code\":\"c\",\"address\":\"192.0.2.1\"") !=
	       NULL);
	const uint32_t first = world.told[1] == '1' ? 1 : 2;
	uint32_t request = request_told();
	refuse_request(first, request, "unknownSignIn");
	request = request_told();
	snprintf(text, sizeof text,
	         "{\"type\":\"signedIn\",\"request\":%u,\"token\":\"t\",\"name\":\"Ann\","
	         "\"jid\":\"ann@example.com\"}",
	         request);
	from_bridge(3 - first, text);
	told("q9 200 {\"type\":\"signedIn\",\"token\":\"t\",\"name\":\"Ann\","
	     "\"jid\":\"ann@example.com\"}\n");
	/* Where to go is an answer, too; what nobody knows is a failure. */
	come_back(10);
	world.told[world.told_len] = '\0';
	const uint32_t asked = world.told[1] == '1' ? 1 : 2;
	request = request_told();
	snprintf(text, sizeof text,
	         "{\"type\":\"elsewhere\",\"request\":%u,\"url\":\"https://i\",\"state\":\"s\"}",
	         request);
	from_bridge(asked, text);
	told("q10 200 {\"type\":\"elsewhere\",\"url\":\"https://i\",\"state\":\"s\"}\n");
	come_back(11);
	world.told[world.told_len] = '\0';
	const uint32_t third = world.told[1] == '1' ? 1 : 2;
	refuse_request(third, request_told(), "unknownSignIn");
	refuse_request(3 - third, request_told(), "unknownSignIn");
	told("q11 403 {\"error\":\"unknownSignIn\"}\n");
	finish();
}

TEST(who_guesses_passwords_is_slowed_down_and_told_so)
{
	begin();
	bridge_comes(1, "cb1");
	for (unsigned i = 0; i < RELAY_FAILURES_MAX; i++) {
		sign_in(100 + i);
		refuse_request(1, request_told(), "wrongLogin");
		world.told_len = 0;
	}
	sign_in(9);
	told("q9 429 {\"error\":\"lockedOut\"}\n");
	pass(RELAY_FAILURE_US);
	sign_in(10);
	(void)request_told();
	finish();
}

/* Each made-up code is a question to the provider, in our name. */
TEST(who_brings_false_codes_is_slowed_down)
{
	begin();
	bridge_comes(1, "cb1");
	for (unsigned i = 0; i < RELAY_FAILURES_MAX; i++) {
		come_back(100 + i);
		refuse_request(1, request_told(), "notProven");
		world.told_len = 0;
	}
	come_back(9);
	told("q9 429 {\"error\":\"lockedOut\"}\n");
	finish();
}

TEST(what_a_user_asks_goes_to_who_signed_them_in_and_once_only)
{
	char token[TOKEN_TEXT_MAX];
	char text[128];
	begin();
	bridge_comes(1, "cb1");
	bridge_comes(2, "cb2");
	told("");
	for (unsigned i = 0; i < 3; i++) {
		ask_with(9, token_of(token, "cb2"));
		EXPECT(strncmp(world.told, "b2 <- {\"type\":\"ask\"", 18) == 0);
		snprintf(text, sizeof text,
		         "{\"type\":\"told\",\"request\":%u,\"status\":403,\"body\":\"{}\"}",
		         request_told());
		from_bridge(2, text);
		told("q9 403 {}\n");
	}
	/* It may have been done already. */
	ask_with(9, token);
	(void)request_told();
	relay_bridge_down(world.relay, 2, world.now_us);
	told("q9 503 {\"error\":\"noBridge\"}\n");
	/* Nobody else can read the token; but who made it may come back. */
	ask_with(10, token);
	told("");
	bridge_comes(3, "cb2");
	const uint32_t request = request_told();
	snprintf(text, sizeof text, "{\"type\":\"told\",\"request\":%u,\"status\":99,\"body\":\"{}\"}",
	         request);
	from_bridge(3, text);
	told("q10 503 {\"error\":\"busy\"}\n");
	finish();
}

TEST(who_guesses_is_slowed_down)
{
	begin();
	bridge_comes(1, "cb1");
	for (unsigned i = 0; i < RELAY_FAILURES_MAX; i++) {
		ask(9, "1001", "Ann");
		refuse_request(1, request_told(), "passcodeIncorrect");
		world.told_len = 0;
	}
	ask(9, "1001", "Ann");
	told("q9 429 {\"error\":\"busy\"}\n");
	pass(RELAY_FAILURE_US);
	ask(9, "1001", "Ann");
	refuse_request(1, request_told(), "passcodeIncorrect");
	told("q9 403 {\"error\":\"passcodeIncorrect\"}\n");
	ask(9, "1001", "Ann");
	told("q9 429 {\"error\":\"busy\"}\n");
	/* A good while later it is as if nothing had been. */
	pass((int64_t)RELAY_FAILURES_MAX * RELAY_FAILURE_US);
	ask(9, "1001", "Ann");
	(void)request_told();
	finish();
}

TEST(questions_beyond_the_table_are_refused)
{
	begin();
	for (uint32_t i = 0; i < QUESTIONS_MAX; i++)
		ask(i + 1, "1001", "Ann");
	told("");
	ask(9, "1001", "Ann");
	told("q9 503 {\"error\":\"busy\"}\n");
	finish();
}

/* ---- bridges ------------------------------------------------------------------------------- */

TEST(a_bridge_must_say_hello_and_speak_our_version)
{
	begin();
	relay_bridge_up(world.relay, 1, world.now_us);
	world.told_len = 0;
	pass(RELAY_HELLO_US + SECOND / 10);
	told("b1 closed 1008 it did not say hello\n");
	relay_bridge_up(world.relay, 2, world.now_us);
	world.told_len = 0;
	from_bridge(2, "{\"type\":\"pong\"}");
	told("b2 closed 1008 it did not say hello first\n");
	relay_bridge_up(world.relay, 3, world.now_us);
	world.told_len = 0;
	from_bridge(3, "{\"type\":\"hello\",\"version\":2,\"role\":\"callbridge\"}");
	told("b3 closed 1008 it speaks another version of C2W\n");
	relay_bridge_up(world.relay, 4, world.now_us);
	world.told_len = 0;
	from_bridge(4, "{\"type\":\"hello\",\"version\":3,\"role\":\"webbridge\"}");
	told("b4 closed 1008 it is no Call Bridge\n");
	bridge_comes(5, "cb1");
	from_bridge(5, "{\"type\":\"ping\"}");
	told("b5 <- {\"type\":\"pong\"}\n");
	from_bridge(5, "nonsense");
	told("b5 closed 1008 no JSON object\n");
	EXPECT_EQ(relay_counters(world.relay)->bridge_rejects[C2W_REJECT_JSON], 1);
	EXPECT_EQ(relay_counters(world.relay)->bridges, 0);
	finish();
}

TEST(more_bridges_than_places_are_refused)
{
	char id[16];
	begin();
	for (uint32_t i = 0; i < RELAY_LINKS_MAX; i++) {
		snprintf(id, sizeof id, "cb%u", i);
		bridge_comes(1 + i, id);
	}
	relay_bridge_up(world.relay, 100, world.now_us);
	told("b100 closed 1013 too many bridges\n");
	finish();
}

TEST(the_dump_tells_no_secret)
{
	char token[TOKEN_TEXT_MAX];
	char text[2048];
	begin();
	bridge_comes(1, "cb1");
	(void)browser_in(5, 1, token_of(token, "cb1"));
	struct writer w = writer_of(text, sizeof text);
	relay_dump(world.relay, &w);
	EXPECT_STR(writer_view(&w), "bridge ready cb1 sessions=1\n"
	                            "waiting sessions=0 questions=0 timers=0\n");
	finish();
}
