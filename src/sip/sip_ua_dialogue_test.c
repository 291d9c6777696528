/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: each rule of the user agent stands as a short dialogue that reads like the RFC's ladder
 * diagrams, in testdata/dialogues/NAME.txt.
 *
 * Method: one ua at 192.0.2.1 (UDP and TCP 5060), one scripted peer at 192.0.2.9.  The lines:
 *
 *	# name                              a new dialogue with a new ua
 *	-> INVITE 1 a [flags] | Header: x   the peer's request: CSeq number, branch
 *	-> 180 INVITE [flags] | Header: x   the peer's response to our last INVITE
 *	<- 200 INVITE [flags] | Header: x   our next message must be this, and have these lines
 *	<- BYE | !Header                    ... and must not have this one
 *	== incoming [flags] | text          our next event must be this; text stands in it somewhere
 *	do accept answer                    a command of the caller's
 *	+500ms, +2s                         time passes; nothing may come out before the next "<-"
 *	wait                                time passes until something comes out
 *	drop                                messages waiting are lost
 *	conn open, conn closed, conn accept connections
 *	empty                               no session, dialog, transaction, block or timer is left
 *
 * Flags: sdp (a body of application/sdp), dialog (To tag of ours), tag=x (the peer's tag), tcp,
 * same (our message again, byte for byte), src=ADDRESS, id=CALL-ID, old (no magic cookie), ours
 * (within a call that we made).  In a header "$tag" is our tag and "$rseq" the number of our last
 * reliable response; "~" in a body is a line end. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/test.h"
#include "sip/sip_msg.h"
#include "sip/sip_ua.h"

enum { QUEUE_MAX = 256, LINE_MAX_BYTES = 512, TEXT_MAX = 4096 };

struct heard {
	enum sip_out_kind kind;
	char text[TEXT_MAX]; /* message, or event in words */
	size_t len;
};

struct play {
	struct sip_ua *ua;
	int64_t now_us;
	struct heard queue[QUEUE_MAX];
	unsigned first, count;
	struct heard last[SIP_METHOD_COUNT]; /* our last request of each method */
	char our_tag[128];
	char our_call_id[128]; /* of a call of ours */
	char our_rseq[16];
	sip_session_id session;
	sip_session_id sessions[8];
	unsigned session_count;
	sip_request_id request;
	uint32_t flow;
	uint32_t unique;
	const char *file;
	unsigned line;
	char name[LINE_MAX_BYTES];
};

static struct play play;

static const struct net_addr peer_addr = { .family = ADDR_IP4,
	                                   .port = 5060,
	                                   .ip = { 192, 0, 2, 9 } };

#define NEED(fact, ...)                                                                  \
	do {                                                                             \
		if (!(fact)) {                                                           \
			fprintf(stderr, "%s:%u: in \"%s\": ", play.file, play.line, play.name); \
			fprintf(stderr, __VA_ARGS__);                                    \
			fprintf(stderr, "\n");                                           \
			fail();                                                          \
		}                                                                        \
	} while (0)

/* ---- collecting what the ua gives out ------------------------------------------------------- */

static const char *
event_name(enum sip_event_kind kind)
{
	static const char *const names[] = {
		[SIP_EVENT_INCOMING] = "incoming",   [SIP_EVENT_PROGRESS] = "progress",
		[SIP_EVENT_ANSWERED] = "answered",   [SIP_EVENT_CONFIRMED] = "confirmed",
		[SIP_EVENT_OFFER] = "offer",         [SIP_EVENT_ANSWER] = "answer",
		[SIP_EVENT_OFFER_FAILED] = "failed", [SIP_EVENT_REFRESHED] = "refreshed",
		[SIP_EVENT_INFO] = "info",           [SIP_EVENT_REFER] = "refer",
		[SIP_EVENT_ENDED] = "ended",
	};
	return names[kind];
}

static void
write_event(struct heard *heard, const struct sip_event *event)
{
	struct writer w = writer_of(heard->text, sizeof heard->text - 1);
	writer_format(&w, "%s ", event_name(event->kind));
	if (event->body.len != 0)
		writer_text(&w, "sdp ");
	if (event->status != 0)
		writer_format(&w, "%u ", event->status);
	if (event->kind == SIP_EVENT_ENDED)
		writer_format(&w, "%s %s (%.*s) ", sip_end_cause_name(event->cause),
		              event->was_connected ? "connected" : "unconnected",
		              STR_ARGS(event->reason));
	if (event->kind == SIP_EVENT_PROGRESS)
		writer_format(&w, "fork=%u ", event->fork);
	if (event->kind == SIP_EVENT_INCOMING)
		writer_format(&w, "user=%.*s from=\"%.*s\" <%.*s> to=%.*s%s ",
		              STR_ARGS(event->incoming.uri_user),
		              STR_ARGS(event->incoming.from_display),
		              STR_ARGS(event->incoming.from_uri),
		              STR_ARGS(event->incoming.to_user),
		              event->incoming.replaces.v != 0 ? " replaces" : "");
	if (event->kind == SIP_EVENT_REFER)
		writer_format(&w, "to=%.*s replaces=%.*s by=%.*s notify=%d",
		              STR_ARGS(event->refer.refer_to), STR_ARGS(event->refer.replaces),
		              STR_ARGS(event->refer.referred_by), event->refer.wants_notify);
	if (event->body.len != 0)
		writer_format(&w, "[%.*s] %.*s", STR_ARGS(event->content_type),
		              STR_ARGS(event->body));
	heard->text[w.at] = '\0';
	heard->len = w.at;
	if (event->kind == SIP_EVENT_INCOMING) {
		play.session = event->session;
		NEED(play.session_count < 8, "too many sessions");
		play.sessions[play.session_count++] = event->session;
	}
	if (event->request.v != 0)
		play.request = event->request;
}

static void
drain(void)
{
	for (;;) {
		const struct sip_out out = sip_ua_poll(play.ua);
		if (out.kind == SIP_OUT_NONE)
			return;
		NEED(play.count < QUEUE_MAX, "too much comes out");
		struct heard *heard = &play.queue[(play.first + play.count++) % QUEUE_MAX];
		heard->kind = out.kind;
		heard->len = 0;
		if (out.kind == SIP_OUT_EVENT) {
			write_event(heard, out.event);
		} else if (out.kind == SIP_OUT_DATAGRAM || out.kind == SIP_OUT_STREAM) {
			NEED(out.len < TEXT_MAX, "message too long");
			memcpy(heard->text, out.bytes, out.len);
			heard->text[out.len] = '\0';
			heard->len = out.len;
		} else if (out.kind == SIP_OUT_CONNECT || out.kind == SIP_OUT_CLOSE) {
			play.flow = out.flow;
			heard->len = (size_t)snprintf(heard->text, TEXT_MAX, "%s",
			                              out.kind == SIP_OUT_CONNECT ? "connect"
			                                                          : "close");
		} else {
			heard->len = (size_t)snprintf(heard->text, TEXT_MAX, "dns %s",
			                              out.dns_name);
		}
	}
}

static void
expect_quiet(void)
{
	NEED(play.count == 0, "something came out that was not expected:\n%s",
	     play.queue[play.first].text);
}

static struct heard *
take(void)
{
	drain();
	NEED(play.count != 0, "nothing comes out");
	struct heard *heard = &play.queue[play.first];
	play.first = (play.first + 1) % QUEUE_MAX;
	play.count--;
	return heard;
}

/* ---- the lines ------------------------------------------------------------------------------ */

struct words {
	struct str items[24];
	unsigned count;
	struct str heads[16]; /* behind the bars */
	unsigned head_count;
};

static struct words
split(struct str line)
{
	struct words words = { 0 };
	struct str main = str_cut(&line, '|');
	while ((main = str_trim(main)).len != 0)
		words.items[words.count++] = str_cut(&main, ' ');
	while (line.len != 0)
		words.heads[words.head_count++] = str_trim(str_cut(&line, '|'));
	return words;
}

static bool
flag(const struct words *words, const char *name)
{
	for (unsigned i = 0; i < words->count; i++) {
		if (str_eq(words->items[i], str_of(name)))
			return true;
	}
	return false;
}

static struct str
option(const struct words *words, const char *name, const char *otherwise)
{
	for (unsigned i = 0; i < words->count; i++) {
		if (str_starts(words->items[i], str_of(name)))
			return str_sub(words->items[i], strlen(name),
			               words->items[i].len - strlen(name));
	}
	return str_of(otherwise);
}

static bool
header_given(const struct words *words, const char *name)
{
	for (unsigned i = 0; i < words->head_count; i++) {
		if (str_starts(words->heads[i], str_of(name)))
			return true;
	}
	return false;
}

/* "$tag" stands for our tag, "$rseq" for our last RSeq. */
static void
write_line(struct writer *w, struct str line)
{
	while (line.len != 0) {
		if (str_starts(line, STR("$tag"))) {
			writer_text(w, play.our_tag);
			line = str_sub(line, 4, line.len - 4);
		} else if (str_starts(line, STR("$rseq"))) {
			writer_text(w, play.our_rseq);
			line = str_sub(line, 5, line.len - 5);
		} else {
			writer_u8(w, (uint8_t)line.at[0]);
			line = str_sub(line, 1, line.len - 1);
		}
	}
	writer_text(w, "\r\n");
}

static void
finish_message(struct writer *w, const struct words *words)
{
	struct str body = flag(words, "sdp") ? STR("v=0 peer") : (struct str){ 0 };
	for (unsigned i = 0; i < words->head_count; i++) {
		if (str_starts(words->heads[i], STR("body=")))
			body = str_sub(words->heads[i], 5, words->heads[i].len - 5);
		else
			write_line(w, words->heads[i]);
	}
	if (body.len != 0 && !header_given(words, "Content-Type"))
		writer_text(w, "Content-Type: application/sdp\r\n");
	size_t line_ends = 0;
	for (size_t i = 0; i < body.len; i++)
		line_ends += body.at[i] == '~';
	writer_format(w, "Content-Length: %zu\r\n\r\n", body.len + line_ends);
	for (size_t i = 0; i < body.len; i++) {
		if (body.at[i] == '~')
			writer_text(w, "\r\n");
		else
			writer_u8(w, (uint8_t)body.at[i]);
	}
	NEED(!w->failed, "message too long");
}

static void
give(const struct words *words, const struct writer *w)
{
	drain();
	expect_quiet();
	struct net_addr from = peer_addr;
	const struct str source = option(words, "src=", "");
	if (source.len != 0)
		NEED(addr_parse(&from, source), "bad address");
	if (flag(words, "tcp"))
		sip_ua_flow_bytes(play.ua, play.flow, w->bytes, w->at, play.now_us);
	else
		sip_ua_datagram(play.ua, 0, &from, w->bytes, w->at, play.now_us);
	drain();
}

static void
peer_request(const struct words *words)
{
	uint8_t bytes[TEXT_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	const struct str method = words->items[1];
	const bool ours = flag(words, "ours"); /* within a call that we made */
	NEED(words->count >= 4, "a request needs CSeq and branch");
	const struct str branch = words->items[3];
	writer_format(&w, "%.*s %.*s SIP/2.0\r\n", STR_ARGS(method),
	              STR_ARGS(option(words, "uri=", "sip:1001@192.0.2.1")));
	writer_format(&w, "Via: SIP/2.0/%s 192.0.2.9:5060;branch=%s%.*s%s\r\n",
	              flag(words, "tcp") ? "TCP" : "UDP", flag(words, "old") ? "" : "z9hG4bK",
	              STR_ARGS(branch), flag(words, "norport") ? "" : ";rport");
	writer_format(&w, "From: \"Peer\" <sip:peer@192.0.2.9>;tag=%.*s\r\n",
	              STR_ARGS(option(words, "tag=", ours ? "remote" : "peer")));
	writer_text(&w, "To: <sip:1001@192.0.2.1>");
	if (flag(words, "dialog"))
		writer_format(&w, ";tag=%s", play.our_tag);
	else if (option(words, "to=", "").len != 0)
		writer_format(&w, ";tag=%.*s", STR_ARGS(option(words, "to=", "")));
	writer_format(&w, "\r\nCall-ID: %.*s\r\nCSeq: %.*s %.*s\r\n",
	              STR_ARGS(option(words, "id=", ours ? play.our_call_id : "call-1")),
	              STR_ARGS(words->items[2]), STR_ARGS(method));
	if (!header_given(words, "Contact") && !flag(words, "nocontact"))
		writer_text(&w, "Contact: <sip:peer@192.0.2.9:5060>\r\n");
	writer_text(&w, "Max-Forwards: 70\r\n");
	finish_message(&w, words);
	give(words, &w);
}

static void
copy_lines(struct writer *w, const struct sip_msg *msg, enum sip_header_id id)
{
	struct sip_values values = sip_msg_values(msg, id);
	for (struct str item; sip_values_next(&values, &item);)
		writer_format(w, "%s: %.*s\r\n", sip_header_name(id), STR_ARGS(item));
}

static void
peer_response(const struct words *words)
{
	uint8_t bytes[TEXT_MAX];
	static struct sip_msg msg;
	struct writer w = writer_of(bytes, sizeof bytes);
	const enum sip_method method = sip_method_of(words->items[2]);
	const struct heard *request = &play.last[method];
	NEED(request->len != 0, "there was no such request of ours");
	NEED(sip_msg_parse(&msg, request->text, request->len, SIP_DATAGRAM) == SIP_OK,
	     "our own request cannot be read");
	writer_format(&w, "SIP/2.0 %.*s %s\r\n", STR_ARGS(words->items[1]), "Words");
	copy_lines(&w, &msg, SIP_HEADER_VIA);
	copy_lines(&w, &msg, SIP_HEADER_FROM);
	writer_format(&w, "To: %.*s", STR_ARGS(msg.to.text));
	if (msg.to.tag.len == 0 && !str_eq(words->items[1], STR("100")))
		writer_format(&w, ";tag=%.*s", STR_ARGS(option(words, "tag=", "remote")));
	writer_text(&w, "\r\n");
	copy_lines(&w, &msg, SIP_HEADER_CALL_ID);
	copy_lines(&w, &msg, SIP_HEADER_CSEQ);
	if (!header_given(words, "Contact") && !flag(words, "nocontact"))
		writer_text(&w, "Contact: <sip:remote@192.0.2.9:5060>\r\n");
	finish_message(&w, words);
	give(words, &w);
}

static void
check_heads(const struct words *words, const struct heard *heard)
{
	const struct str text = { .at = heard->text, .len = heard->len };
	for (unsigned i = 0; i < words->head_count; i++) {
		struct str want = words->heads[i];
		const bool absent = want.len != 0 && want.at[0] == '!';
		if (absent)
			want = str_sub(want, 1, want.len - 1);
		NEED(str_contains_nocase(text, want) != absent, "%s \"%.*s\" in:\n%s",
		     absent ? "there should be no" : "there is no", STR_ARGS(want), heard->text);
	}
}

static void
our_message(const struct words *words)
{
	static struct sip_msg msg;
	const struct heard *heard = take();
	NEED(heard->kind == SIP_OUT_DATAGRAM || heard->kind == SIP_OUT_STREAM,
	     "not a message: %s", heard->text);
	NEED((heard->kind == SIP_OUT_STREAM) == flag(words, "tcp"), "over the wrong transport");
	NEED(sip_msg_parse(&msg, heard->text, heard->len, SIP_DATAGRAM) == SIP_OK,
	     "what we send is wrong:\n%s", heard->text);
	const enum sip_method method = msg.cseq.method;
	uint32_t status = 0;
	if (str_u32(words->items[1], &status)) {
		NEED(!msg.request && msg.status == status, "got:\n%s", heard->text);
		NEED(str_eq(msg.cseq.method_text, words->items[2]), "got:\n%s", heard->text);
		if (msg.to.tag.len != 0)
			(void)str_copy(play.our_tag, sizeof play.our_tag, msg.to.tag);
		if (sip_msg_has(&msg, SIP_HEADER_RSEQ))
			(void)str_copy(play.our_rseq, sizeof play.our_rseq,
			               sip_msg_value(&msg, SIP_HEADER_RSEQ));
	} else {
		NEED(msg.request && str_eq(msg.method_text, words->items[1]), "got:\n%s",
		     heard->text);
		if (flag(words, "same"))
			NEED(heard->len == play.last[method].len &&
			             memcmp(heard->text, play.last[method].text, heard->len) == 0,
			     "it is not the same message:\n%s", heard->text);
		play.last[method] = *heard;
		(void)str_copy(play.our_tag, sizeof play.our_tag, msg.from.tag);
		(void)str_copy(play.our_call_id, sizeof play.our_call_id, msg.call_id);
	}
	NEED(!flag(words, "sdp") || msg.body.len != 0, "no body in:\n%s", heard->text);
	NEED(!flag(words, "nosdp") || msg.body.len == 0, "a body in:\n%s", heard->text);
	check_heads(words, heard);
}

static void
our_event(const struct words *words)
{
	const struct heard *heard = take();
	const struct str text = { .at = heard->text, .len = heard->len };
	NEED(heard->kind == SIP_OUT_EVENT || heard->kind == SIP_OUT_CONNECT ||
	             heard->kind == SIP_OUT_CLOSE || heard->kind == SIP_OUT_DNS,
	     "not an event:\n%s", heard->text);
	NEED(str_starts(text, words->items[1]), "got: %s", heard->text);
	for (unsigned i = 2; i < words->count; i++)
		NEED(str_contains_nocase(text, words->items[i]), "got: %s", heard->text);
	check_heads(words, heard);
}

static void
pass_time(struct str amount)
{
	uint32_t number = 0;
	const bool ms = str_ends(amount, STR("ms"));
	amount.len -= ms ? 2 : 1;
	NEED(str_u32(amount, &number), "bad time");
	const int64_t until = play.now_us + (int64_t)number * (ms ? 1000 : 1000000);
	drain();
	expect_quiet();
	for (;;) {
		const int64_t deadline = sip_ua_deadline(play.ua);
		play.now_us = deadline < play.now_us ? play.now_us
		              : deadline > until     ? until
		                                     : deadline;
		sip_ua_tick(play.ua, play.now_us);
		drain();
		if (play.now_us == until)
			return;
	}
}

static void
wait_for_something(void)
{
	drain();
	expect_quiet();
	while (play.count == 0) {
		const int64_t deadline = sip_ua_deadline(play.ua);
		NEED(deadline != INT64_MAX, "nothing will ever come out");
		play.now_us = deadline > play.now_us ? deadline : play.now_us;
		sip_ua_tick(play.ua, play.now_us);
		drain();
	}
}

/* ---- commands ------------------------------------------------------------------------------- */

static int
command(const struct words *words)
{
	const struct str name = words->items[1];
	const struct str argument = words->count > 2 ? words->items[2] : (struct str){ 0 };
	const struct str head = words->head_count != 0 ? words->heads[0] : (struct str){ 0 };
	uint32_t number = 0;
	(void)str_u32(argument, &number);
	const struct str sdp =
	        words->count > 2 && number == 0 ? STR("v=0 ours") : (struct str){ 0 };
	const struct str late_sdp = words->count > 3 ? STR("v=0 ours") : (struct str){ 0 };
	const uint16_t status = (uint16_t)number;
	struct sip_ua *ua = play.ua;
	if (str_eq(name, STR("call"))) {
		struct sip_call call = {
			.target = option(words, "to=", "sip:remote@192.0.2.9"),
			.from_uri = STR("sip:space@192.0.2.1"),
			.from_display = STR("A \"space\""),
			.contact_user = STR("space"),
			.route = option(words, "route=", ""),
			.sdp = flag(words, "late") ? (struct str){ 0 } : STR("v=0 ours"),
		};
		static char large[2000];
		if (flag(words, "large")) {
			memset(large, 'a', sizeof large);
			call.sdp = (struct str){ .at = large, .len = sizeof large };
		}
		if (flag(words, "credentials")) {
			call.realm = STR("home");
			call.username = STR("bob");
			call.password = STR("secret");
		}
		return sip_ua_call(ua, &play.session, &call, play.now_us);
	}
	if (str_eq(name, STR("use"))) {
		play.session = play.sessions[number];
		return 0;
	}
	if (str_eq(name, STR("progress")))
		return sip_session_progress(ua, play.session, status, late_sdp, play.now_us);
	if (str_eq(name, STR("accept")))
		return sip_session_accept(ua, play.session, sdp, play.now_us);
	if (str_eq(name, STR("reject"))) {
		char lines[256] = "";
		if (head.len != 0)
			snprintf(lines, sizeof lines, "%.*s\r\n", STR_ARGS(head));
		return sip_session_reject(ua, play.session, status, (struct str){ 0 },
		                          str_of(lines), play.now_us);
	}
	if (str_eq(name, STR("offer")))
		return sip_session_offer(ua, play.session, STR("v=0 again"), play.now_us);
	if (str_eq(name, STR("answer")))
		return sip_session_answer(ua, play.session, STR("v=0 ours"), play.now_us);
	if (str_eq(name, STR("refuse")))
		return sip_session_refuse(ua, play.session, status, play.now_us);
	if (str_eq(name, STR("end")))
		return sip_session_end(ua, play.session, status, head, play.now_us);
	if (str_eq(name, STR("info")))
		return sip_session_info(ua, play.session, STR("application/dtmf-relay"),
		                        STR("Signal=1"), play.now_us);
	if (str_eq(name, STR("respond")))
		return sip_request_answer(ua, play.request, status, play.now_us);
	if (str_eq(name, STR("notify")))
		return sip_session_refer_progress(ua, play.session, status, play.now_us);
	NEED(false, "unknown command");
	return -1;
}

static void
connection(const struct words *words)
{
	drain();
	expect_quiet();
	if (flag(words, "open"))
		sip_ua_flow_opened(play.ua, play.flow, play.now_us);
	else if (flag(words, "closed"))
		sip_ua_flow_closed(play.ua, play.flow, play.now_us);
	else
		NEED(sip_ua_flow_accepted(play.ua, 1, &peer_addr, &play.flow, play.now_us) == 0,
		     "refused");
}

static void
expect_empty(void)
{
	drain();
	expect_quiet();
	const struct sip_ua_counts counts = sip_ua_count(play.ua);
	static char text[8192];
	struct writer w = writer_of(text, sizeof text - 1);
	sip_ua_dump(play.ua, &w);
	text[w.at] = '\0';
	NEED(counts.sessions == 0 && counts.dialogs == 0 && counts.transactions == 0 &&
	             counts.half_open == 0 && counts.outs == 0,
	     "something is left:\n%s", text);
	NEED(counts.flows != 0 || (counts.blocks == 0 && counts.timers == 0 && counts.sources == 0),
	     "%u blocks, %u timers, %u sources are left", counts.blocks, counts.timers,
	     counts.sources);
}

static void
admit(void *context, const struct sip_ua_request *request, struct sip_ua_admission *out)
{
	(void)context;
	if (str_eq(request->uri_user, STR("nobody"))) {
		out->verdict = SIP_UA_REJECT;
		out->status = 404;
	} else if (str_eq(request->uri_user, STR("locked"))) {
		out->verdict = SIP_UA_CHALLENGE;
		out->realm = "home";
		out->password = str_eq(request->username, STR("bob")) ? "secret" : NULL;
	}
}

static void
begin(struct str name)
{
	static const struct sip_ua_listener listeners[] = {
		{ .transport = SIP_TRANSPORT_UDP,
		  .addr = { .family = ADDR_IP4, .port = 5060, .ip = { 192, 0, 2, 1 } } },
		{ .transport = SIP_TRANSPORT_TCP,
		  .addr = { .family = ADDR_IP4, .port = 5060, .ip = { 192, 0, 2, 1 } } },
	};
	struct sip_ua_settings settings = sip_ua_settings_default();
	const char *file = play.file;
	const unsigned line = play.line;
	sip_ua_destroy(play.ua);
	memset(&play, 0, sizeof play);
	play.file = file;
	play.line = line;
	(void)str_copy(play.name, sizeof play.name, name);
	play.now_us = 1000000;
	settings.listeners = listeners;
	settings.listener_count = COUNT_OF(listeners);
	settings.seed = 7;
	settings.sessions_max = 8;
	settings.transactions_max = 64;
	settings.flows_max = 8;
	settings.blocks_max = 1024;
	settings.half_open_max = 6;
	settings.half_open_per_source_max = 4;
	settings.admit = admit;
	settings.session_expires_s = str_contains_nocase(name, STR("session timer")) ? 1800 : 0;
	EXPECT_EQ(sip_ua_create(&play.ua, &settings, play.now_us), 0);
}

static void
play_line(struct str line)
{
	const struct words words = split(line);
	const struct str first = words.items[0];
	uint32_t status;
	if (str_eq(first, STR("#"))) {
		begin(str_trim(str_sub(line, 1, line.len - 1)));
	} else if (str_eq(first, STR("->"))) {
		if (str_u32(words.items[1], &status))
			peer_response(&words);
		else
			peer_request(&words);
	} else if (str_eq(first, STR("<-"))) {
		our_message(&words);
	} else if (str_eq(first, STR("=="))) {
		our_event(&words);
	} else if (str_eq(first, STR("do"))) {
		const int rc = command(&words);
		NEED(rc == 0, "the command says %d", rc);
	} else if (str_eq(first, STR("refused"))) {
		NEED(command(&words) != 0, "the command is taken");
	} else if (str_eq(first, STR("conn"))) {
		connection(&words);
	} else if (str_eq(first, STR("wait"))) {
		wait_for_something();
	} else if (str_eq(first, STR("drop"))) {
		drain();
		play.count = 0;
	} else if (str_eq(first, STR("empty"))) {
		expect_empty();
	} else if (first.at[0] == '+') {
		pass_time(str_sub(first, 1, first.len - 1));
	} else {
		NEED(false, "a line that means nothing");
	}
}

static void
play_file(const char *name)
{
	char path[512];
	static char bytes[1 << 17];
	snprintf(path, sizeof path, "%s/%s.txt", DIALOGUES_DIR, name);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	const size_t len = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	assert_in_range(len, 1, sizeof bytes - 1);
	play.file = name;
	play.line = 0;
	struct str rest = { .at = bytes, .len = len };
	while (rest.len != 0) {
		const struct str line = str_trim(str_cut(&rest, '\n'));
		play.line++;
		if (line.len != 0 && line.at[0] != ';')
			play_line(line);
	}
	drain();
	expect_quiet();
	sip_ua_destroy(play.ua);
	memset(&play, 0, sizeof play);
}

TEST(calls_of_theirs)
{
	play_file("incoming");
}

TEST(calls_of_ours)
{
	play_file("outgoing");
}

TEST(offers_within_a_call)
{
	play_file("offers");
}

TEST(reliable_provisional_responses)
{
	play_file("prack");
}

TEST(session_timers)
{
	play_file("timers");
}

TEST(requests_without_a_call)
{
	play_file("stateless");
}

TEST(connections)
{
	play_file("connections");
}

TEST(requests_that_the_caller_answers)
{
	play_file("requests");
}
