/* SPDX-License-Identifier: Apache-2.0 */
/* The whole user agent under strangers' messages.  The input is a conversation: pieces between
 * lines of "====", each given as a datagram ("=====": on a connection), with our own tag, branch,
 * Call-ID and CSeq put in for $T, $B, $C and $N, so that mutations also reach calls that stand.  A
 * caller reacts to events in ways that the input's bytes choose.
 *
 * Property: no table grows beyond its limit, outputs come to an end after each input, and when the
 * calls are ended and time has passed, nothing is left. */
#include <stdlib.h>

#include "base/check.h"
#include "sip/sip_msg.h"
#include "sip/sip_ua.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { SESSIONS = 8, TXNS = 32, FLOWS = 2, BLOCKS = 256, OUTPUTS_MAX = 4096 };

static struct {
	struct sip_ua *ua;
	int64_t now_us;
	struct str choices;
	size_t choice_at;
	uint32_t flow;
	unsigned alive;
	char tag[256], branch[256], call_id[256], cseq[16];
	sip_session_id sessions[SESSIONS];
} fuzz;

static unsigned
choose(unsigned count)
{
	if (fuzz.choices.len == 0)
		return 0;
	const size_t at = fuzz.choice_at++ * 7 % fuzz.choices.len;
	return (uint8_t)fuzz.choices.at[at] % count;
}

static void
learn(const struct sip_out *out)
{
	static struct sip_msg msg;
	if (out->len == 2)
		return; /* CRLF */
	if (sip_msg_parse(&msg, out->bytes, out->len, SIP_DATAGRAM) != SIP_OK) {
		/* A broken request is refused with what could be read of it; nothing else that we
		 * send may be unreadable. */
		const struct str text = { .at = (const char *)out->bytes, .len = out->len };
		CHECK(str_starts(text, STR("SIP/2.0 4")) || str_starts(text, STR("SIP/2.0 5")));
		return;
	}
	if (msg.request) {
		(void)str_copy(fuzz.tag, sizeof fuzz.tag, msg.from.tag);
		(void)str_copy(fuzz.branch, sizeof fuzz.branch, msg.via.branch);
		(void)str_copy(fuzz.call_id, sizeof fuzz.call_id, msg.call_id);
		struct writer w = writer_of(fuzz.cseq, sizeof fuzz.cseq - 1);
		writer_decimal(&w, msg.cseq.number);
		fuzz.cseq[w.at] = '\0';
	} else if (msg.to.tag.len != 0) {
		(void)str_copy(fuzz.tag, sizeof fuzz.tag, msg.to.tag);
	}
}

static void
remember(sip_session_id id)
{
	for (unsigned i = 0; i < SESSIONS; i++) {
		if (fuzz.sessions[i].v == 0) {
			fuzz.sessions[i] = id;
			return;
		}
	}
	const bool remembered = false;
	CHECK(remembered); /* more sessions than there can be */
}

static void
forget(sip_session_id id)
{
	for (unsigned i = 0; i < SESSIONS; i++) {
		if (fuzz.sessions[i].v == id.v) {
			fuzz.sessions[i].v = 0;
			return;
		}
	}
	const bool was_told = false;
	CHECK(was_told); /* a session ended that was never told, or ended twice */
}

static int
react(const struct sip_event *event)
{
	const struct str sdp = STR("v=0 something");
	const sip_session_id id = event->session;
	switch (event->kind) {
	case SIP_EVENT_INCOMING:
		remember(id);
		switch (choose(6)) {
		case 0:
			return sip_session_progress(fuzz.ua, id, 183, sdp, fuzz.now_us);
		case 1:
			return sip_session_reject(fuzz.ua, id, 486, (struct str){ 0 },
			                          (struct str){ 0 }, fuzz.now_us);
		case 2:
			return sip_session_end(fuzz.ua, id, 480, STR("no"), fuzz.now_us);
		default:
			return sip_session_accept(fuzz.ua, id, sdp, fuzz.now_us);
		}
	case SIP_EVENT_ENDED:
		forget(id);
		return 0;
	case SIP_EVENT_OFFER:
		return choose(3) == 0 ? sip_session_refuse(fuzz.ua, id, 488, fuzz.now_us)
		                      : sip_session_answer(fuzz.ua, id, sdp, fuzz.now_us);
	case SIP_EVENT_INFO:
	case SIP_EVENT_REFER:
		return choose(4) == 0 ? 0
		                      : sip_request_answer(fuzz.ua, event->request, 200,
		                                           fuzz.now_us);
	case SIP_EVENT_CONFIRMED:
	case SIP_EVENT_ANSWERED:
		if (choose(4) == 0)
			return sip_session_offer(fuzz.ua, id, sdp, fuzz.now_us);
		return choose(2) == 0 ? 0 : sip_session_answer(fuzz.ua, id, sdp, fuzz.now_us);
	case SIP_EVENT_PROGRESS:
		return choose(2) == 0 ? 0 : sip_session_answer(fuzz.ua, id, sdp, fuzz.now_us);
	case SIP_EVENT_ANSWER:
	case SIP_EVENT_OFFER_FAILED:
	case SIP_EVENT_REFRESHED:
		return 0;
	}
	return 0;
}

static void
drain(void)
{
	uint32_t opened[OUTPUTS_MAX];
	unsigned opened_count = 0;
	uint64_t queries[OUTPUTS_MAX];
	unsigned query_count = 0;
	unsigned count = 0;
	for (struct sip_out out; (out = sip_ua_poll(fuzz.ua)).kind != SIP_OUT_NONE; count++) {
		CHECK(count < OUTPUTS_MAX);
		switch (out.kind) {
		case SIP_OUT_DATAGRAM:
		case SIP_OUT_STREAM:
			learn(&out);
			break;
		case SIP_OUT_EVENT:
			/* A refused command is as good a reaction as any. */
			CHECK(react(out.event) <= 0);
			break;
		case SIP_OUT_CONNECT:
			opened[opened_count++] = out.flow;
			break;
		case SIP_OUT_DNS:
			queries[query_count++] = out.query;
			break;
		case SIP_OUT_CLOSE:
			if (out.flow == fuzz.flow)
				fuzz.flow = 0;
			break;
		case SIP_OUT_NONE:
			break;
		}
	}
	const struct sip_ua_counts counts = sip_ua_count(fuzz.ua);
	CHECK(counts.sessions <= SESSIONS && counts.transactions <= TXNS);
	CHECK(counts.flows <= FLOWS && counts.blocks <= BLOCKS && counts.half_open <= SESSIONS);
	for (unsigned i = 0; i < opened_count; i++) {
		if (choose(2) == 0)
			sip_ua_flow_opened(fuzz.ua, opened[i], fuzz.now_us);
		else
			sip_ua_flow_closed(fuzz.ua, opened[i], fuzz.now_us);
		drain();
	}
	const struct dns_answer nothing = { .status = DNS_NONE };
	for (unsigned i = 0; i < query_count; i++) {
		sip_ua_dns_answer(fuzz.ua, queries[i], &nothing, fuzz.now_us);
		drain();
	}
}

static void
pass(int64_t us)
{
	const int64_t until = fuzz.now_us + us;
	for (;;) {
		const int64_t deadline = sip_ua_deadline(fuzz.ua);
		fuzz.now_us = deadline < fuzz.now_us ? fuzz.now_us
		              : deadline > until     ? until
		                                     : deadline;
		sip_ua_tick(fuzz.ua, fuzz.now_us);
		drain();
		if (fuzz.now_us == until)
			return;
	}
}

static void
give(struct str piece, bool stream)
{
	static uint8_t bytes[1 << 17];
	const struct net_addr from = addr_ip4(192, 0, 2, 9, 5060);
	struct writer w = writer_of(bytes, sizeof bytes);
	for (size_t i = 0; i < piece.len; i++) {
		const char next = i + 1 < piece.len ? piece.at[i + 1] : ' ';
		const char *put = piece.at[i] != '$' ? NULL
		                  : next == 'T'      ? fuzz.tag
		                  : next == 'B'      ? fuzz.branch
		                  : next == 'C'      ? fuzz.call_id
		                  : next == 'N'      ? fuzz.cseq
		                                     : NULL;
		/* The files have bare line ends, for readers; the wire has CRLF. */
		if (put != NULL) {
			writer_text(&w, put);
			i++;
		} else if (piece.at[i] == '\n' && (i == 0 || piece.at[i - 1] != '\r')) {
			writer_text(&w, "\r\n");
		} else {
			writer_u8(&w, (uint8_t)piece.at[i]);
		}
	}
	if (!stream) {
		sip_ua_datagram(fuzz.ua, 0, &from, w.bytes, w.at, fuzz.now_us);
		drain();
		return;
	}
	if (fuzz.flow == 0 &&
	    sip_ua_flow_accepted(fuzz.ua, 1, &from, &fuzz.flow, fuzz.now_us) != 0)
		return;
	const size_t half = w.at / 2;
	sip_ua_flow_bytes(fuzz.ua, fuzz.flow, w.bytes, half, fuzz.now_us);
	drain();
	if (fuzz.flow != 0)
		sip_ua_flow_bytes(fuzz.ua, fuzz.flow, w.bytes + half, w.at - half, fuzz.now_us);
	drain();
}

static void
begin(struct str input)
{
	const struct sip_ua_listener listeners[] = {
		{ .transport = SIP_TRANSPORT_UDP, .addr = addr_ip4(192, 0, 2, 1, 5060) },
		{ .transport = SIP_TRANSPORT_TCP, .addr = addr_ip4(192, 0, 2, 1, 5060) },
	};
	struct sip_ua_settings settings = sip_ua_settings_default();
	settings.listeners = listeners;
	settings.listener_count = COUNT_OF(listeners);
	settings.seed = 3;
	settings.sessions_max = SESSIONS;
	settings.transactions_max = TXNS;
	settings.flows_max = FLOWS;
	settings.blocks_max = BLOCKS;
	settings.half_open_max = SESSIONS;
	memset(&fuzz, 0, sizeof fuzz);
	fuzz.choices = input;
	fuzz.now_us = 1000;
	settings.reliable_if_supported = choose(2) == 1;
	CHECK(sip_ua_create(&fuzz.ua, &settings, fuzz.now_us) == 0);
}

static void
call_out(void)
{
	const struct sip_call call = {
		.target =
		        choose(3) != 0 ? STR("sip:remote@192.0.2.9") : STR("sip:remote@a.example"),
		.from_uri = STR("sip:space@192.0.2.1"),
		.contact_user = STR("space"),
		.realm = STR("home"),
		.username = STR("bob"),
		.password = STR("secret"),
		.sdp = choose(2) == 0 ? STR("v=0 ours") : (struct str){ 0 },
	};
	sip_session_id id;
	if (sip_ua_call(fuzz.ua, &id, &call, fuzz.now_us) == 0)
		remember(id);
	drain();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct str input = { .at = (const char *)bytes, .len = len };
	begin(input);
	call_out();
	struct str rest = input;
	while (rest.len != 0) {
		const char *mark = memmem(rest.at, rest.len, "\n====", 5);
		const size_t end = mark != NULL ? (size_t)(mark - rest.at) + 1 : rest.len;
		const struct str piece = str_sub(rest, 0, end);
		size_t next = mark != NULL ? end + 4 : end;
		const bool stream = mark != NULL && next < rest.len && rest.at[next] == '=';
		next += stream ? 1 : 0;
		if (next < rest.len && rest.at[next] == '\n')
			next++;
		give(piece, stream);
		pass(choose(4) == 0 ? 600000 : 1000);
		rest = str_sub(rest, next, rest.len - next);
	}
	for (unsigned i = 0; i < SESSIONS; i++) {
		if (fuzz.sessions[i].v != 0)
			CHECK(sip_session_end(fuzz.ua, fuzz.sessions[i], 0, (struct str){ 0 },
			                      fuzz.now_us) == 0);
		drain();
	}
	if (fuzz.flow != 0)
		sip_ua_flow_closed(fuzz.ua, fuzz.flow, fuzz.now_us);
	drain();
	pass(300 * 1000000ll);
	const struct sip_ua_counts counts = sip_ua_count(fuzz.ua);
	CHECK(counts.sessions == 0 && counts.dialogs == 0 && counts.transactions == 0);
	CHECK(counts.flows == 0 && counts.blocks == 0 && counts.timers == 0);
	CHECK(counts.half_open == 0 && counts.sources == 0 && counts.outs == 0);
	sip_ua_destroy(fuzz.ua);
	return 0;
}
