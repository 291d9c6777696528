/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every kind of message reads back as it was written, from the speakers that may send it and
 * from nobody else; each reject has a text that provokes it; what a telephone calls itself cannot
 * spoil a message.
 * Method: one message of each kind both ways, tables of wrong texts, every prefix, every flip. */
#include "c2w/c2w.h"

#include "base/check.h"
#include "base/test.h"

#include <stdio.h>

static char wire[2 * C2W_MESSAGE_BYTES_MAX];

static struct str
written(const struct c2w_message *message, bool for_browser)
{
	struct writer w = writer_of(wire, sizeof wire);
	c2w_write(&w, message, for_browser);
	EXPECT(!w.failed);
	return writer_view(&w);
}

/* One text of each kind, as it is written. */
static const struct {
	enum c2w_kind kind;
	enum c2w_speaker speaker;
	const char *text;
} examples[] = {
	{ C2W_HELLO, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"hello\",\"version\":3,\"role\":\"callbridge\",\"id\":\"i\",\"name\":\"n\","
	  "\"product\":\"p\"}" },
	{ C2W_HELLO, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"hello\",\"version\":3,\"role\":\"webbridge\"}" },
	{ C2W_PING, C2W_FROM_BROWSER, "{\"type\":\"ping\"}" },
	{ C2W_PONG, C2W_FROM_CALL_BRIDGE, "{\"type\":\"pong\"}" },
	{ C2W_LOOKUP, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"lookup\",\"request\":1,\"address\":\"1001\",\"secret\":\"s\"}" },
	{ C2W_JOIN, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"join\",\"request\":4294967295,\"address\":\"demo\",\"passcode\":\"\","
	  "\"name\":\"Ann\"}" },
	{ C2W_JOIN, C2W_FROM_BROWSER,
	  "{\"type\":\"join\",\"address\":\"demo\",\"passcode\":\"12\",\"name\":\"Ann\"}" },
	{ C2W_JOIN, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"join\",\"request\":7,\"name\":\"Ann\",\"auth\":\"a.b.c\","
	  "\"space\":\"s\",\"method\":\"m\"}" },
	{ C2W_SIGN_IN, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"signIn\",\"request\":8,\"username\":\"ann@example.com\","
	  "\"password\":\"p \\\" w\",\"address\":\"192.0.2.1\"}" },
	{ C2W_SIGNED_IN, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"signedIn\",\"request\":8,\"token\":\"t\",\"name\":\"Ann\","
	  "\"jid\":\"ann@example.com\"}" },
	{ C2W_SIGN_IN_ELSEWHERE, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"signInElsewhere\",\"request\":8,\"provider\":\"p\","
	  "\"back\":\"https://meet/signin\",\"address\":\"192.0.2.1\"}" },
	{ C2W_SIGN_IN_ELSEWHERE, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"signInElsewhere\",\"request\":8,\"state\":\"s\",\"code\":\"c\"}" },
	{ C2W_ELSEWHERE, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"elsewhere\",\"request\":8,\"url\":\"https://idp/?a=b\",\"state\":\"s\"}" },
	{ C2W_ASK, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"ask\",\"request\":9,\"token\":\"t\",\"method\":\"put\","
	  "\"path\":\"cospaces/1\",\"body\":\"{\\\"name\\\":\\\"x\\\"}\","
	  "\"address\":\"192.0.2.1\"}" },
	{ C2W_ASK, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"ask\",\"request\":9,\"method\":\"get\",\"path\":\"options\"}" },
	{ C2W_TOLD, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"told\",\"request\":9,\"status\":200,\"body\":\"{\\n}\"}" },
	{ C2W_REFUSED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"refused\",\"request\":8,\"reason\":\"wrongLogin\"}" },
	{ C2W_FOUND, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"found\",\"request\":1,\"name\":\"Demo\",\"passcodeRequired\":true}" },
	{ C2W_JOINED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"joined\",\"request\":1,\"token\":\"t\",\"name\":\"\"}" },
	{ C2W_REFUSED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"refused\",\"request\":1,\"reason\":\"passcodeIncorrect\"}" },
	{ C2W_REFUSED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"refused\",\"session\":1,\"reason\":\"expired\"}" },
	{ C2W_OPEN, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"open\",\"session\":2,\"token\":\"t\",\"product\":\"Chrome\","
	  "\"address\":\"192.0.2.1\"}" },
	{ C2W_OFFER, C2W_FROM_WEB_BRIDGE,
	  "{\"type\":\"offer\",\"session\":2,\"revision\":1,\"sdp\":\"v=0\\r\\ns=-\\r\\n\"}" },
	{ C2W_OFFER, C2W_FROM_BROWSER,
	  "{\"type\":\"offer\",\"revision\":1,\"sdp\":\"v=0\\r\\n\"}" },
	{ C2W_CANDIDATE, C2W_FROM_BROWSER,
	  "{\"type\":\"candidate\",\"revision\":1,\"candidate\":\"\",\"mid\":\"0\"}" },
	{ C2W_MUTE, C2W_FROM_BROWSER, "{\"type\":\"mute\",\"muted\":false}" },
	{ C2W_ACT, C2W_FROM_BROWSER,
	  "{\"type\":\"act\",\"action\":\"drop\",\"participant\":\"p\"}" },
	{ C2W_ACT, C2W_FROM_WEB_BRIDGE, "{\"type\":\"act\",\"session\":9,\"action\":\"end\"}" },
	{ C2W_ACT, C2W_FROM_BROWSER,
	  "{\"type\":\"act\",\"action\":\"lowerHand\",\"participant\":\"p\"}" },
	{ C2W_LEAVE, C2W_FROM_BROWSER, "{\"type\":\"leave\"}" },
	{ C2W_VIEW, C2W_FROM_BROWSER,
	  "{\"type\":\"view\",\"tiles\":[{\"mid\":\"2\",\"participant\":\"p\",\"height\":360},"
	  "{\"mid\":\"3\"},{\"mid\":\"4\",\"height\":8192,\"content\":true}]}" },
	{ C2W_VIEW, C2W_FROM_WEB_BRIDGE, "{\"type\":\"view\",\"session\":2,\"tiles\":[]}" },
	{ C2W_CAMERA, C2W_FROM_BROWSER, "{\"type\":\"camera\",\"on\":false}" },
	{ C2W_SHARE, C2W_FROM_BROWSER, "{\"type\":\"share\",\"on\":true}" },
	{ C2W_SAY, C2W_FROM_BROWSER, "{\"type\":\"say\",\"text\":\"one\\ntwo\"}" },
	{ C2W_HAND, C2W_FROM_WEB_BRIDGE, "{\"type\":\"hand\",\"session\":2,\"raised\":true}" },
	{ C2W_LAYOUT, C2W_FROM_BROWSER,
	  "{\"type\":\"layout\",\"participant\":\"p\",\"layout\":\"allEqual\"}" },
	{ C2W_REMOTE_CAMERA, C2W_FROM_BROWSER,
	  "{\"type\":\"remoteCamera\",\"participant\":\"p\",\"pan\":-1,\"tilt\":1}" },
	{ C2W_REMOTE_CAMERA, C2W_FROM_BROWSER,
	  "{\"type\":\"remoteCamera\",\"participant\":\"p\",\"zoom\":1,\"focus\":-1}" },
	{ C2W_CLOSED, C2W_FROM_WEB_BRIDGE, "{\"type\":\"closed\",\"session\":2}" },
	{ C2W_OPENED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"opened\",\"session\":2,\"participant\":\"p\",\"call\":\"c\",\"meeting\":"
	  "\"Demo\","
	  "\"resumed\":false,\"mayMuteOthers\":true,\"mayDropOthers\":false,\"mayLock\":false,"
	  "\"mayEnd\":false,\"iceServers\":[{\"url\":\"stun:x\"}]}" },
	{ C2W_OPENED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"opened\",\"session\":2,\"participant\":\"p\",\"call\":\"c\",\"meeting\":\"\","
	  "\"resumed\":false,\"mayMuteOthers\":false,\"mayDropOthers\":false,\"mayLock\":false,"
	  "\"mayEnd\":false,\"mayShare\":true,\"maySetLayout\":true,\"mayMuteVideoOthers\":true,"
	  "\"mayChat\":true,\"mayRaiseHand\":true,\"mayControlCamera\":true,\"tilesMax\":25,"
	  "\"iceServers\":[]}" },
	{ C2W_ANSWER, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"answer\",\"session\":2,\"revision\":1,\"sdp\":\"v=0\\r\\n\"}" },
	{ C2W_ROSTER, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"roster\",\"sessions\":[1,2],\"complete\":true,\"people\":[{\"participant\":"
	  "\"a\","
	  "\"name\":\"Ann\",\"talking\":true},{\"participant\":\"b\",\"gone\":true}]}" },
	{ C2W_ROSTER, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"roster\",\"session\":1,\"complete\":false,\"people\":[]}" },
	{ C2W_ROSTER, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"roster\",\"session\":1,\"complete\":false,\"people\":[{\"participant\":\"a\","
	  "\"sip\":true,\"video\":true,\"videoMuted\":true,\"content\":true,\"hand\":true,"
	  "\"remoteCamera\":true,\"layout\":\"onePlusFive\"}]}" },
	{ C2W_MEETING, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"meeting\",\"session\":1,\"name\":\"Demo\",\"participants\":0,\"locked\":"
	  "false,"
	  "\"lobby\":true}" },
	{ C2W_MUTED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"muted\",\"session\":1,\"muted\":true,\"deaf\":false,\"byOther\":true,"
	  "\"mayUnmute\":false}" },
	{ C2W_VIDEO_MUTED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"videoMuted\",\"session\":1,\"muted\":true,\"byOther\":true,\"mayUnmute\":true}" },
	{ C2W_TILES, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"tiles\",\"session\":1,\"tiles\":[{\"mid\":\"2\",\"participant\":\"p\"},"
	  "{\"mid\":\"3\"},{\"mid\":\"4\",\"participant\":\"q\",\"content\":true}]}" },
	{ C2W_SHARING, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"sharing\",\"sessions\":[1,2],\"participant\":\"p\",\"floor\":\"news\"}" },
	{ C2W_SHARING, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"sharing\",\"session\":1,\"floor\":\"notAllowed\"}" },
	{ C2W_CHAT, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"chat\",\"sessions\":[1,2],\"participant\":\"p\",\"name\":\"Ann\",\"text\":"
	  "\"one\\ntwo\",\"time\":4294967295}" },
	{ C2W_NOTICE, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"notice\",\"session\":1,\"text\":\"\",\"place\":\"middle\"}" },
	{ C2W_QUALITY, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"quality\",\"session\":1,\"level\":\"fair\"}" },
	{ C2W_ENDED, C2W_FROM_CALL_BRIDGE,
	  "{\"type\":\"ended\",\"session\":1,\"reason\":\"bridgeRestart\"}" },
};

TEST(every_kind_reads_back_as_written)
{
	bool seen[C2W_KINDS] = { [C2W_NONE] = true };
	for (size_t i = 0; i < COUNT_OF(examples); i++) {
		struct c2w_message message;
		EXPECT_EQ(c2w_parse(&message, str_of(examples[i].text), examples[i].speaker),
		          C2W_OK);
		EXPECT_EQ(message.kind, examples[i].kind);
		EXPECT_STR(written(&message, examples[i].speaker == C2W_FROM_BROWSER),
		           examples[i].text);
		c2w_message_fini(&message);
		seen[examples[i].kind] = true;
	}
	for (unsigned k = 0; k < C2W_KINDS; k++)
		EXPECT(seen[k]);
}

TEST(a_web_bridge_adds_the_session_and_takes_it_away)
{
	struct c2w_message message;
	EXPECT_EQ(c2w_parse(&message, STR("{\"type\":\"mute\",\"muted\":true}"), C2W_FROM_BROWSER),
	          C2W_OK);
	message.session = 77;
	EXPECT_STR(written(&message, false), "{\"type\":\"mute\",\"session\":77,\"muted\":true}");
	c2w_message_fini(&message);
	EXPECT_EQ(c2w_parse(&message,
	                    STR("{\"type\":\"ended\",\"sessions\":[4,5],\"reason\":\"dropped\"}"),
	                    C2W_FROM_CALL_BRIDGE),
	          C2W_OK);
	EXPECT_EQ(message.session_count, 2);
	EXPECT_EQ(message.sessions[1], 5);
	EXPECT_EQ(message.end, C2W_END_DROPPED);
	EXPECT_STR(written(&message, true), "{\"type\":\"ended\",\"reason\":\"dropped\"}");
	c2w_message_fini(&message);
}

TEST(nobody_says_what_is_another_ones_to_say)
{
	static const struct {
		enum c2w_speaker speaker;
		const char *text;
		enum c2w_reject want;
	} cases[] = {
		{ C2W_FROM_BROWSER, "{\"type\":\"hello\",\"version\":1,\"role\":\"x\"}",
		  C2W_REJECT_TYPE },
		{ C2W_FROM_BROWSER, "{\"type\":\"open\",\"token\":\"t\"}", C2W_REJECT_TYPE },
		{ C2W_FROM_BROWSER, "{\"type\":\"closed\"}", C2W_REJECT_TYPE },
		{ C2W_FROM_BROWSER,
		  "{\"type\":\"signIn\",\"username\":\"a@b\",\"password\":\"p\"}", C2W_REJECT_TYPE },
		{ C2W_FROM_BROWSER, "{\"type\":\"ask\",\"method\":\"get\",\"path\":\"p\"}",
		  C2W_REJECT_TYPE },
		{ C2W_FROM_CALL_BRIDGE,
		  "{\"type\":\"ask\",\"request\":1,\"method\":\"get\",\"path\":\"p\"}",
		  C2W_REJECT_TYPE },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"told\",\"request\":1,\"status\":200}",
		  C2W_REJECT_TYPE },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"ask\",\"method\":\"get\",\"path\":\"p\"}",
		  C2W_REJECT_MISSING },
		{ C2W_FROM_WEB_BRIDGE,
		  "{\"type\":\"ask\",\"request\":1,\"method\":\"GET\",\"path\":\"p\"}",
		  C2W_REJECT_VALUE },
		{ C2W_FROM_WEB_BRIDGE,
		  "{\"type\":\"ask\",\"request\":1,\"method\":\"get\",\"path\":\"\"}",
		  C2W_REJECT_VALUE },
		{ C2W_FROM_WEB_BRIDGE,
		  "{\"type\":\"signIn\",\"request\":1,\"username\":\"a@b\",\"password\":\"\"}",
		  C2W_REJECT_VALUE },
		{ C2W_FROM_WEB_BRIDGE,
		  "{\"type\":\"signIn\",\"request\":1,\"username\":\"a@b\","
		  "\"password\":\"a\\nb\"}",
		  C2W_REJECT_VALUE },
		{ C2W_FROM_CALL_BRIDGE, "{\"type\":\"told\",\"request\":1,\"status\":0}",
		  C2W_REJECT_VALUE },
		{ C2W_FROM_BROWSER, "{\"type\":\"ended\",\"reason\":\"left\"}", C2W_REJECT_TYPE },
		{ C2W_FROM_BROWSER, "{\"type\":\"tiles\",\"tiles\":[]}", C2W_REJECT_TYPE },
		{ C2W_FROM_BROWSER,
		  "{\"type\":\"chat\",\"participant\":\"p\",\"name\":\"n\",\"text\":\"t\",\"time\":1}",
		  C2W_REJECT_TYPE },
		{ C2W_FROM_BROWSER, "{\"type\":\"sharing\",\"floor\":\"news\"}", C2W_REJECT_TYPE },
		{ C2W_FROM_CALL_BRIDGE, "{\"type\":\"say\",\"session\":1,\"text\":\"t\"}",
		  C2W_REJECT_TYPE },
		{ C2W_FROM_CALL_BRIDGE, "{\"type\":\"view\",\"session\":1,\"tiles\":[]}",
		  C2W_REJECT_TYPE },
		{ C2W_FROM_BROWSER, "{\"type\":\"leave\",\"session\":1}", C2W_REJECT_VALUE },
		{ C2W_FROM_BROWSER, "{\"type\":\"leave\",\"sessions\":[1]}", C2W_REJECT_VALUE },
		{ C2W_FROM_BROWSER, "{\"type\":\"ping\",\"request\":1}", C2W_REJECT_VALUE },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"answer\",\"session\":1}", C2W_REJECT_TYPE },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"leave\"}", C2W_REJECT_MISSING },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"leave\",\"sessions\":[1]}", C2W_REJECT_VALUE },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"leave\",\"request\":1}", C2W_REJECT_VALUE },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"leave\",\"session\":1,\"request\":1}",
		  C2W_REJECT_VALUE },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"leave\",\"session\":0}", C2W_REJECT_VALUE },
		{ C2W_FROM_WEB_BRIDGE, "{\"type\":\"join\",\"address\":\"1\",\"name\":\"x\"}",
		  C2W_REJECT_MISSING },
		{ C2W_FROM_WEB_BRIDGE,
		  "{\"type\":\"join\",\"session\":1,\"address\":\"1\",\"name\":\"x\"}",
		  C2W_REJECT_VALUE },
		{ C2W_FROM_CALL_BRIDGE, "{\"type\":\"offer\",\"session\":1}", C2W_REJECT_TYPE },
		{ C2W_FROM_CALL_BRIDGE, "{\"type\":\"refused\",\"reason\":\"busy\"}",
		  C2W_REJECT_MISSING },
		{ C2W_FROM_CALL_BRIDGE,
		  "{\"type\":\"refused\",\"session\":1,\"request\":1,\"reason\":\"busy\"}",
		  C2W_REJECT_VALUE },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct c2w_message message;
		const enum c2w_reject got =
		        c2w_parse(&message, str_of(cases[i].text), cases[i].speaker);
		if (got != cases[i].want)
			print_error("case %zu: %s\n", i, cases[i].text);
		EXPECT_EQ(got, cases[i].want);
		EXPECT(message.held == NULL);
	}
}

TEST(every_reject_names_what_is_wrong)
{
	static const struct {
		const char *text;
		enum c2w_reject want;
	} cases[] = {
		{ "", C2W_REJECT_JSON },
		{ "{", C2W_REJECT_JSON },
		{ "[]", C2W_REJECT_JSON },
		{ "\"ping\"", C2W_REJECT_JSON },
		{ "{\"type\":\"ping\"}}", C2W_REJECT_JSON },
		{ "{\"type\":\"ping\"} x", C2W_REJECT_JSON },
		{ "{\"type\":\"ping\",\"type\":\"ping\"}", C2W_REJECT_JSON },
		{ "{\"type\":\"ping\",\"x\":[[[[1]]]]}", C2W_REJECT_JSON },
		{ "{\"type\":\"ping\",\"x\":\"\xff\"}", C2W_REJECT_JSON },
		{ "{\"type\":\"ping\",\"x\":\"\\u0000\"}", C2W_REJECT_JSON },
		{ "{\"type\":\"ping\",\"x\":\"\\ud800\"}", C2W_REJECT_JSON },
		{ "{}", C2W_REJECT_TYPE },
		{ "{\"type\":1}", C2W_REJECT_TYPE },
		{ "{\"type\":\"none\"}", C2W_REJECT_TYPE },
		{ "{\"type\":\"Ping\"}", C2W_REJECT_TYPE },
		{ "{\"type\":\"mute\"}", C2W_REJECT_MISSING },
		{ "{\"type\":\"mute\",\"muted\":1}", C2W_REJECT_VALUE },
		{ "{\"type\":\"mute\",\"muted\":\"true\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"offer\",\"revision\":0,\"sdp\":\"v\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"offer\",\"revision\":-1,\"sdp\":\"v\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"offer\",\"revision\":4294967296,\"sdp\":\"v\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"offer\",\"revision\":1.5,\"sdp\":\"v\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"offer\",\"revision\":1,\"sdp\":\"\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"offer\",\"revision\":1,\"sdp\":null}", C2W_REJECT_VALUE },
		{ "{\"type\":\"offer\",\"revision\":1}", C2W_REJECT_MISSING },
		{ "{\"type\":\"act\",\"action\":\"dance\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"act\",\"action\":3}", C2W_REJECT_VALUE },
		{ "{\"type\":\"act\",\"action\":\"mute\"}", C2W_REJECT_MISSING },
		{ "{\"type\":\"act\",\"action\":\"muteVideo\"}", C2W_REJECT_MISSING },
		{ "{\"type\":\"view\"}", C2W_REJECT_MISSING },
		{ "{\"type\":\"view\",\"tiles\":{}}", C2W_REJECT_VALUE },
		{ "{\"type\":\"view\",\"tiles\":[1]}", C2W_REJECT_VALUE },
		{ "{\"type\":\"view\",\"tiles\":[{\"height\":1}]}", C2W_REJECT_MISSING },
		{ "{\"type\":\"view\",\"tiles\":[{\"mid\":\"\"}]}", C2W_REJECT_VALUE },
		{ "{\"type\":\"view\",\"tiles\":[{\"mid\":\"1\",\"height\":8193}]}", C2W_REJECT_VALUE },
		{ "{\"type\":\"view\",\"tiles\":[{\"mid\":\"1\",\"height\":-1}]}", C2W_REJECT_VALUE },
		{ "{\"type\":\"view\",\"tiles\":[{\"mid\":\"1\",\"content\":1}]}", C2W_REJECT_VALUE },
		{ "{\"type\":\"say\",\"text\":\"\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"hand\",\"on\":true}", C2W_REJECT_MISSING },
		{ "{\"type\":\"layout\",\"layout\":\"allEqual\"}", C2W_REJECT_MISSING },
		{ "{\"type\":\"remoteCamera\",\"participant\":\"p\",\"pan\":2}", C2W_REJECT_VALUE },
		{ "{\"type\":\"remoteCamera\",\"participant\":\"p\",\"tilt\":-2}", C2W_REJECT_VALUE },
		{ "{\"type\":\"remoteCamera\",\"participant\":\"p\",\"zoom\":\"in\"}",
		  C2W_REJECT_VALUE },
		{ "{\"type\":\"remoteCamera\",\"participant\":\"p\",\"focus\":0.5}",
		  C2W_REJECT_VALUE },
		{ "{\"type\":\"join\",\"address\":\"1\",\"name\":\"\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"join\",\"address\":\"1\",\"name\":\"a\\nb\"}", C2W_REJECT_VALUE },
		{ "{\"type\":\"join\",\"address\":\"\",\"name\":\"a\"}", C2W_REJECT_MISSING },
		{ "{\"type\":\"join\",\"space\":\"\",\"name\":\"a\"}", C2W_REJECT_MISSING },
		{ "{\"type\":\"join\",\"address\":\"1\",\"passcode\":1,\"name\":\"a\"}",
		  C2W_REJECT_VALUE },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct c2w_message message;
		const enum c2w_reject got =
		        c2w_parse(&message, str_of(cases[i].text), C2W_FROM_BROWSER);
		if (got != cases[i].want)
			print_error("case %zu: %s\n", i, cases[i].text);
		EXPECT_EQ(got, cases[i].want);
		EXPECT(message.held == NULL && message.kind == C2W_NONE);
	}
}

TEST(lists_and_texts_have_an_end)
{
	struct c2w_message message;
	struct writer w = writer_of(wire, sizeof wire);
	writer_text(&w, "{\"type\":\"roster\",\"session\":1,\"complete\":true,\"people\":[");
	for (int i = 0; i <= C2W_PEOPLE_MAX; i++)
		writer_text(&w, i == 0 ? "{\"participant\":\"a\"}" : ",{\"participant\":\"a\"}");
	writer_text(&w, "]}");
	EXPECT_EQ(c2w_parse(&message, writer_view(&w), C2W_FROM_CALL_BRIDGE), C2W_REJECT_VALUE);

	w = writer_of(wire, sizeof wire);
	writer_text(&w, "{\"type\":\"view\",\"tiles\":[");
	for (int i = 0; i <= C2W_TILES_MAX; i++)
		writer_text(&w, i == 0 ? "{\"mid\":\"a\"}" : ",{\"mid\":\"a\"}");
	writer_text(&w, "]}");
	EXPECT_EQ(c2w_parse(&message, writer_view(&w), C2W_FROM_BROWSER), C2W_REJECT_VALUE);

	w = writer_of(wire, sizeof wire);
	writer_text(&w, "{\"type\":\"ended\",\"reason\":\"left\",\"sessions\":[1");
	for (int i = 1; i < C2W_SESSIONS_MAX; i++)
		writer_text(&w, ",2");
	const size_t at = w.at;
	writer_text(&w, "]}");
	EXPECT_EQ(c2w_parse(&message, writer_view(&w), C2W_FROM_CALL_BRIDGE), C2W_OK);
	c2w_message_fini(&message);
	w.at = at;
	writer_text(&w, ",3]}");
	EXPECT_EQ(c2w_parse(&message, writer_view(&w), C2W_FROM_CALL_BRIDGE), C2W_REJECT_VALUE);

	static char name[C2W_NAME_MAX + 2];
	memset(name, 'n', sizeof name - 1);
	w = writer_of(wire, sizeof wire);
	writer_format(&w, "{\"type\":\"join\",\"address\":\"1\",\"name\":\"%s\"}", name);
	EXPECT_EQ(c2w_parse(&message, writer_view(&w), C2W_FROM_BROWSER), C2W_REJECT_VALUE);

	memset(wire, ' ', sizeof wire);
	EXPECT_EQ(c2w_parse(&message, (struct str){ wire, C2W_BROWSER_BYTES_MAX + 1 },
	                    C2W_FROM_BROWSER),
	          C2W_REJECT_LONG);
	EXPECT_EQ(c2w_parse(&message, (struct str){ wire, C2W_BROWSER_BYTES_MAX + 1 },
	                    C2W_FROM_WEB_BRIDGE),
	          C2W_REJECT_JSON);
	EXPECT_EQ(c2w_parse(&message, (struct str){ wire, C2W_MESSAGE_BYTES_MAX + 1 },
	                    C2W_FROM_WEB_BRIDGE),
	          C2W_REJECT_LONG);
}

TEST(a_bad_name_cannot_spoil_a_roster)
{
	static const struct {
		const char *name;
		const char *want;
	} cases[] = {
		{ "a\"b\\c", "a\"b\\c" },
		{ "line\r\nbreak\x7f", "line  break " },
		{ "caf\xe9", "caf\xef\xbf\xbd" },
		{ "\xc0\x80\xed\xa0\x80",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x98\x80 \xe4\xbd\xa0", "\xf0\x9f\x98\x80 \xe4\xbd\xa0" },
		{ "\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct c2w_person person = { .participant = STR("p"),
			                     .name = str_of(cases[i].name) };
		struct c2w_message message = {
			.kind = C2W_ROSTER,
			.session = 1,
			.roster = { .complete = true, .count = 1, .people = &person },
		};
		struct c2w_message back;
		const struct str text = written(&message, false);
		EXPECT_EQ(c2w_parse(&back, text, C2W_FROM_CALL_BRIDGE), C2W_OK);
		EXPECT_STR(back.roster.people[0].name, cases[i].want);
		c2w_message_fini(&back);
	}
}

TEST(a_long_name_is_cut_between_characters)
{
	char name[128];
	for (size_t i = 0; i + 1 < sizeof name; i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	struct c2w_message message = {
		.kind = C2W_MEETING,
		.session = 1,
		.meeting.name = { .at = name, .len = 127 },
	};
	struct c2w_message back;
	EXPECT_EQ(c2w_parse(&back, written(&message, false), C2W_FROM_CALL_BRIDGE), C2W_OK);
	EXPECT_EQ(back.meeting.name.len, 100);
	c2w_message_fini(&back);
}

TEST(what_would_be_refused_is_not_written)
{
	static char text[C2W_SDP_MAX + 1];
	memset(text, 'x', sizeof text);
	const struct c2w_message messages[] = {
		{ .kind = C2W_ANSWER, .session = 1, .sdp = { 1, { text, sizeof text } } },
		{ .kind = C2W_ANSWER, .session = 1, .sdp = { 1, { text, 0 } } },
		{ .kind = C2W_JOINED, .request = 1, .joined = { .token = { text, 2000 } } },
		{ .kind = C2W_JOIN,
		  .request = 1,
		  .join = { .has_passcode = true,
		            .passcode = { text, 65 },
		            .address = { text, 1 },
		            .name = { text, 1 } } },
		{ .kind = C2W_CHAT,
		  .session = 1,
		  .chat = { .participant = { text, 1 }, .text = { text, C2W_CHAT_MAX + 1 } } },
		{ .kind = C2W_VIEW,
		  .session = 1,
		  .tiles = { .count = 1,
		             .tiles = &(struct c2w_tile){ .mid = { text, 1 },
		                                          .height = C2W_HEIGHT_MAX + 1 } } },
	};
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		struct writer w = writer_of(wire, sizeof wire);
		c2w_write(&w, &messages[i], false);
		EXPECT(w.failed);
	}
}

TEST(every_prefix_is_refused_and_every_flip_survived)
{
	for (size_t i = 0; i < COUNT_OF(examples); i++) {
		const struct str whole = str_of(examples[i].text);
		struct c2w_message message;
		for (size_t len = 0; len < whole.len; len++)
			EXPECT(c2w_parse(&message, str_sub(whole, 0, len), examples[i].speaker) !=
			       C2W_OK);
		for (size_t at = 0; at < whole.len; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				char text[1024];
				memcpy(text, whole.at, whole.len);
				text[at] = (char)(text[at] ^ (1 << bit));
				if (c2w_parse(&message, (struct str){ text, whole.len },
				              examples[i].speaker) == C2W_OK)
					(void)written(&message, false);
				c2w_message_fini(&message);
			}
		}
	}
}

TEST(every_word_has_a_name)
{
	for (unsigned k = 0; k < C2W_KINDS; k++)
		EXPECT(c2w_kind_name((enum c2w_kind)k)[0] != '\0');
	for (unsigned r = 0; r < C2W_REFUSALS; r++)
		EXPECT(c2w_refusal_name((enum c2w_refusal)r)[0] != '\0');
	for (unsigned e = 0; e < C2W_ENDS; e++)
		EXPECT(c2w_end_name((enum c2w_end)e)[0] != '\0');
	for (unsigned r = 0; r < C2W_REJECT_COUNT; r++)
		EXPECT(c2w_reject_name((enum c2w_reject)r)[0] != '\0');
}
