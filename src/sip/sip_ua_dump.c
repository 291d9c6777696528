/* SPDX-License-Identifier: Apache-2.0 */
/* Looking inside: counts and a listing, for administrators, tests and crash reports. */
#include "sip/sip_ua_internal.h"

static uint32_t
count_unanswered(const struct sip_ua *ua)
{
	uint32_t count = 0;
	uint32_t at = 0;
	for (uint32_t id; (id = slab_next(&ua->txns, &at)) != 0;) {
		const struct sip_txn *txn = sip_txn_get(ua, id);
		count += (txn->kind == SIP_TXN_INVITE_CLIENT || txn->kind == SIP_TXN_CLIENT) &&
		         txn->state <= SIP_TXN_PROCEEDING;
	}
	return count;
}

struct sip_ua_counts
sip_ua_count(const struct sip_ua *ua)
{
	struct sip_ua_counts counts = {
		.sessions = ua->sessions.count,
		.dialogs = ua->dialogs.count,
		.transactions = ua->txns.count,
		.flows = ua->flows.count,
		.half_open = ua->half_open,
		.sources = ua->sources.count,
		.blocks = ua->store.used,
		.timers = ua->wheel.count,
		.outs = ua->outs.count,
		.unanswered = count_unanswered(ua),
	};
	memcpy(counts.counters, ua->counters, sizeof counts.counters);
	return counts;
}

static const char *const session_states[SIP_SESSION_STATES] = {
	[SIP_SESSION_CALLING] = "calling",       [SIP_SESSION_INCOMING] = "incoming",
	[SIP_SESSION_ANSWERED] = "answered",     [SIP_SESSION_ACK_OWED] = "ack-owed",
	[SIP_SESSION_CONFIRMED] = "confirmed",   [SIP_SESSION_CLOSING] = "closing",
};

static const char *const txn_states[SIP_TXN_STATES] = {
	[SIP_TXN_LOCATING] = "locating",   [SIP_TXN_TRYING] = "trying",
	[SIP_TXN_PROCEEDING] = "proceeding", [SIP_TXN_COMPLETED] = "completed",
	[SIP_TXN_CONFIRMED] = "confirmed", [SIP_TXN_ACCEPTED] = "accepted",
};

static const char *const txn_kinds[SIP_TXN_KINDS] = {
	[SIP_TXN_INVITE_CLIENT] = "client", [SIP_TXN_CLIENT] = "client",
	[SIP_TXN_INVITE_SERVER] = "server", [SIP_TXN_SERVER] = "server",
	[SIP_TXN_ACK] = "ack",
};

static const char *const offer_states[] = {
	[SIP_OFFER_NONE] = "none",
	[SIP_OFFER_LOCAL] = "local",
	[SIP_OFFER_REMOTE] = "remote",
	[SIP_OFFER_STABLE] = "stable",
};

static void
dump_sessions(const struct sip_ua *ua, struct writer *w)
{
	uint32_t at = 0;
	for (uint32_t id; (id = slab_next(&ua->sessions, &at)) != 0;) {
		const struct sip_session *session = sip_session_get(ua, id);
		const struct sip_dialog *dialog = sip_session_dialog(ua, session);
		uint8_t scratch[SIP_BLOCK_BYTES];
		struct str call_id = { 0 };
		if (sip_store_len(&ua->store, session->call_id) <= sizeof scratch)
			call_id = sip_store_get(&ua->store, session->call_id, scratch,
			                        sizeof scratch);
		writer_format(w, "session %08x %s %s offer=%s invite=%08x owed=%08x ", id,
		              session->ours ? "out" : "in", session_states[session->state],
		              dialog != NULL ? offer_states[dialog->offer] : "-",
		              session->invite, session->owed);
		writer_format(w, "expires=%us%s call-id=\"%.*s\"\n", session->expires_s,
		              session->refresher ? " (refresher)" : "", STR_ARGS(call_id));
	}
}

static void
dump_txns(const struct sip_ua *ua, struct writer *w)
{
	uint32_t at = 0;
	for (uint32_t id; (id = slab_next(&ua->txns, &at)) != 0;) {
		const struct sip_txn *txn = sip_txn_get(ua, id);
		char text[ADDR_TEXT_MAX];
		writer_format(w, "transaction %08x %s %s %s session=%08x flow=%08x peer=%s\n", id,
		              txn_kinds[txn->kind],
		              txn->method != SIP_METHOD_OTHER ? sip_method_name(txn->method) : "-",
		              txn_states[txn->state], txn->session, txn->hop.flow,
		              addr_text(text, &txn->hop.to));
	}
}

static void
dump_flows(const struct sip_ua *ua, struct writer *w)
{
	uint32_t at = 0;
	for (uint32_t id; (id = slab_next(&ua->flows, &at)) != 0;) {
		const struct sip_flow *flow = sip_flow_get(ua, id);
		char text[ADDR_TEXT_MAX];
		writer_format(w, "flow %08x %s %s %s peer=%s dialogs=%u\n", id,
		              sip_transport_name(flow->transport),
		              flow->accepted ? "accepted" : "opened",
		              flow->state == SIP_FLOW_OPEN ? "open" : "connecting",
		              addr_text(text, &flow->addr), flow->dialogs);
	}
}

void
sip_ua_dump(const struct sip_ua *ua, struct writer *out)
{
	dump_sessions(ua, out);
	dump_txns(ua, out);
	dump_flows(ua, out);
}
