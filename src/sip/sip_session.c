/* SPDX-License-Identifier: Apache-2.0 */
/* A call's life, whoever began it: where its requests go, how it ends. */
#include <errno.h>

#include "sip/sip_ua_internal.h"

/* ---- access --------------------------------------------------------------------------------- */

struct sip_session *
sip_session_get(const struct sip_ua *ua, uint32_t id)
{
	return slab_get(&ua->sessions, id);
}

struct sip_session *
sip_session_live(const struct sip_ua *ua, sip_session_id id)
{
	struct sip_session *session = sip_session_get(ua, id.v);
	return session != NULL && session->visible ? session : NULL;
}

struct sip_dialog *
sip_session_dialog(const struct sip_ua *ua, const struct sip_session *session)
{
	return sip_dialog_get(ua, session->dialog);
}

struct sip_session *
sip_session_take(struct sip_ua *ua)
{
	uint32_t id;
	if (!sip_out_has_room(ua))
		return NULL;
	struct sip_session *session = slab_take(&ua->sessions, &id);
	if (session == NULL)
		return NULL;
	session->id = id;
	session->visible = true;
	session->min_se_s = ua->settings.session_min_se_s;
	sip_timer_init(&session->ring, SIP_TIMER_SESSION_RING, id);
	sip_timer_init(&session->retransmit, SIP_TIMER_SESSION_RETRANSMIT, id);
	sip_timer_init(&session->give_up, SIP_TIMER_SESSION_GIVE_UP, id);
	sip_timer_init(&session->refresh, SIP_TIMER_SESSION_REFRESH, id);
	sip_timer_init(&session->expiry, SIP_TIMER_SESSION_EXPIRY, id);
	sip_timer_init(&session->glare, SIP_TIMER_SESSION_GLARE, id);
	return session;
}

void
sip_session_set_user(struct sip_ua *ua, sip_session_id id, uint64_t user)
{
	struct sip_session *session = sip_session_live(ua, id);
	if (session != NULL)
		session->user = user;
}

void
sip_session_learn(struct sip_session *session, const struct sip_msg *msg)
{
	if (sip_msg_lists(msg, SIP_HEADER_SUPPORTED, STR("timer")) ||
	    sip_msg_lists(msg, SIP_HEADER_REQUIRE, STR("timer")))
		session->capabilities |= SIP_PEER_TIMER;
	if (sip_msg_lists(msg, SIP_HEADER_SUPPORTED, STR("100rel")))
		session->capabilities |= SIP_PEER_100REL;
	if (msg->request && sip_msg_lists(msg, SIP_HEADER_REQUIRE, STR("100rel")))
		session->capabilities |= SIP_PEER_NEEDS_100REL;
	if (!sip_msg_has(msg, SIP_HEADER_ALLOW))
		return;
	if (sip_msg_lists(msg, SIP_HEADER_ALLOW, STR("UPDATE")))
		session->capabilities |= SIP_PEER_UPDATE;
	else
		session->capabilities &= ~(unsigned)SIP_PEER_UPDATE;
}

bool
sip_session_keep_sdp(struct sip_ua *ua, struct sip_session *session, struct str sdp)
{
	return sip_store_replace(&ua->store, &session->local_sdp, sdp, SIP_FOR_CALL);
}

struct str
sip_session_sdp(struct sip_ua *ua, const struct sip_session *session)
{
	return sip_store_get(&ua->store, session->local_sdp, ua->sdp_bytes, sizeof ua->sdp_bytes);
}

void
sip_session_write_contact(struct sip_ua *ua, const struct sip_session *session,
                          const struct sip_txn *txn, struct writer *w)
{
	const struct sip_dialog *dialog = sip_session_dialog(ua, session);
	sip_write_contact(ua, w, txn->hop.listener, session->contact,
	                  dialog != NULL && dialog->secure);
	sip_write_allow_all(w);
	sip_write_supported(w);
}

bool
sip_session_tell(struct sip_ua *ua, struct sip_session *session, enum sip_event_kind kind,
                 uint16_t status, struct str sdp)
{
	struct sip_event event = { .kind = kind, .status = status, .body = sdp };
	const struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (sdp.len != 0)
		event.content_type = STR("application/sdp");
	if (dialog != NULL)
		event.fork = dialog->fork;
	return sip_out_event(ua, session, &event);
}

/* ---- the end -------------------------------------------------------------------------------- */

void
sip_session_finish(struct sip_ua *ua, struct sip_session *session, enum sip_end_cause cause,
                   uint16_t status, struct str reason)
{
	if (!session->visible)
		return;
	session->visible = false;
	struct sip_event event = {
		.kind = SIP_EVENT_ENDED,
		.cause = cause,
		.status = status,
		.reason = reason,
		.was_connected = session->connected,
	};
	(void)sip_out_event(ua, session, &event); /* never fails for ENDED */
}

void
sip_session_stop_ack(struct sip_ua *ua, struct sip_session *session)
{
	struct sip_txn *invite = sip_txn_get(ua, session->invite);
	session->ack_cseq = 0;
	session->ack_answer = false;
	sip_timer_stop(ua, &session->retransmit);
	sip_timer_stop(ua, &session->give_up);
	if (invite != NULL && invite->kind == SIP_TXN_INVITE_SERVER) {
		sip_txn_set_half_open(ua, invite, false);
		sip_store_drop(&ua->store, &invite->message);
		sip_txn_linger(ua, invite);
	}
	session->invite = 0;
}

/* What the peer still waits for gets its answer. */
static void
answer_all(struct sip_ua *ua, struct sip_session *session)
{
	struct sip_txn *txn = sip_txn_get(ua, session->owed);
	if (txn != NULL && txn->session == session->id)
		sip_server_status(ua, txn, 487, (struct str){ 0 });
	session->owed = 0;
	for (unsigned i = 0; i < SIP_SESSION_REQUESTS_MAX; i++) {
		txn = sip_txn_get(ua, session->requests[i]);
		if (txn != NULL)
			sip_server_status(ua, txn, 481, (struct str){ 0 });
		session->requests[i] = 0;
	}
	txn = sip_txn_get(ua, session->invite);
	if (txn != NULL && txn->kind == SIP_TXN_INVITE_SERVER && txn->state == SIP_TXN_PROCEEDING)
		sip_server_status(ua, txn, 487, (struct str){ 0 });
	else if (session->ack_cseq != 0)
		sip_session_stop_ack(ua, session);
	session->invite = 0;
}

void
sip_session_free(struct sip_ua *ua, struct sip_session *session)
{
	CHECK(!session->visible);
	answer_all(ua, session);
	sip_timer_stop(ua, &session->ring);
	sip_timer_stop(ua, &session->retransmit);
	sip_timer_stop(ua, &session->give_up);
	sip_timer_stop(ua, &session->refresh);
	sip_timer_stop(ua, &session->expiry);
	sip_timer_stop(ua, &session->glare);
	for (unsigned i = 0; i < session->fork_count; i++) {
		struct sip_dialog *fork = sip_dialog_get(ua, session->forks[i]);
		if (fork != NULL && fork->id != session->dialog)
			sip_dialog_free(ua, fork);
	}
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (dialog != NULL)
		sip_dialog_free(ua, dialog);
	sip_store_drop(&ua->store, &session->call_id);
	sip_store_drop(&ua->store, &session->contact);
	sip_store_wipe(&ua->store, &session->credentials);
	sip_store_drop(&ua->store, &session->local_sdp);
	sip_store_drop(&ua->store, &session->reason);
	sip_store_drop(&ua->store, &session->reliable);
	sip_store_drop(&ua->store, &session->next_sdp);
	slab_free(&ua->sessions, session->id);
}

static void
bye(struct sip_ua *ua, struct sip_session *session)
{
	uint8_t scratch[2 * SIP_BLOCK_BYTES];
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (dialog != NULL)
		sip_dialog_bye(ua, dialog, sip_store_get(&ua->store, session->reason, scratch,
		                                         sizeof scratch));
}

static void
close_calling(struct sip_ua *ua, struct sip_session *session)
{
	struct sip_txn *invite = sip_txn_get(ua, session->invite);
	sip_timer_stop(ua, &session->ring);
	session->state = SIP_SESSION_CLOSING;
	if (invite != NULL)
		sip_client_cancel(ua, invite);
	else
		sip_session_free(ua, session);
}

static void
close_incoming(struct sip_ua *ua, struct sip_session *session)
{
	uint8_t scratch[2 * SIP_BLOCK_BYTES];
	struct sip_txn *invite = sip_txn_get(ua, session->invite);
	if (invite != NULL)
		sip_server_status(ua, invite, 480,
		                  sip_store_get(&ua->store, session->reason, scratch,
		                                sizeof scratch));
	sip_session_free(ua, session);
}

/* s15: the called side must not send BYE before it has the ACK. */
static void
close_answered(struct sip_ua *ua, struct sip_session *session)
{
	(void)ua;
	session->state = SIP_SESSION_CLOSING;
	session->bye_wanted = true;
}

static void
close_ack_owed(struct sip_ua *ua, struct sip_session *session)
{
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (dialog != NULL)
		sip_dialog_ack(ua, dialog, session->invite_cseq, sip_txn_get(ua, session->invite),
		               (struct str){ 0 });
	bye(ua, session);
	sip_session_free(ua, session);
}

static void
close_confirmed(struct sip_ua *ua, struct sip_session *session)
{
	bye(ua, session);
	sip_session_free(ua, session);
}

static void
close_closing(struct sip_ua *ua, struct sip_session *session)
{
	(void)ua;
	(void)session;
}

void
sip_session_close(struct sip_ua *ua, struct sip_session *session, enum sip_end_cause cause,
                  uint16_t status, struct str reason)
{
	static void (*const closers[SIP_SESSION_STATES])(struct sip_ua *, struct sip_session *) = {
		[SIP_SESSION_CALLING] = close_calling,
		[SIP_SESSION_INCOMING] = close_incoming,
		[SIP_SESSION_ANSWERED] = close_answered,
		[SIP_SESSION_ACK_OWED] = close_ack_owed,
		[SIP_SESSION_CONFIRMED] = close_confirmed,
		[SIP_SESSION_CLOSING] = close_closing,
	};
	sip_session_finish(ua, session, cause, status, reason);
	closers[session->state](ua, session);
}

int
sip_session_end(struct sip_ua *ua, sip_session_id id, uint16_t cause, struct str text,
                int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	if (text.len > SIP_UA_TEXT_MAX)
		return -EMSGSIZE;
	if (cause != 0) {
		struct writer w = sip_lines_writer(ua);
		sip_write_begin(&w, SIP_HEADER_REASON);
		writer_text(&w, "SIP;cause=");
		writer_decimal(&w, cause);
		if (text.len != 0) {
			writer_text(&w, ";text=");
			sip_write_quoted(&w, text);
		}
		sip_write_end(&w);
		sip_store_drop(&ua->store, &session->reason);
		session->reason = sip_store_put(&ua->store, writer_view(&w), SIP_FOR_END);
	}
	sip_session_close(ua, session, SIP_END_LOCAL, cause, text);
	return 0;
}

/* ---- timers --------------------------------------------------------------------------------- */

void
sip_session_ring_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_session *session = sip_session_get(ua, id);
	if (session != NULL)
		sip_session_close(ua, session, SIP_END_TIMEOUT, 0, STR("ring timeout"));
}

/* 2xx (s13.3.1.4) and reliable provisional responses (RFC 3262 s3) are repeated from here, because
 * their end is not the transaction's. */
void
sip_session_retransmit_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_session *session = sip_session_get(ua, id);
	if (session == NULL)
		return;
	const struct sip_txn *invite = sip_txn_get(ua, session->invite);
	if (invite == NULL)
		return;
	ua->counters[SIP_UA_RETRANSMITS_OUT]++;
	session->interval_us *= 2;
	if (session->ack_cseq != 0) {
		sip_txn_transmit(ua, invite);
		if (session->interval_us > ua->settings.t2_us)
			session->interval_us = ua->settings.t2_us;
	} else if (session->rseq_pending && session->reliable != 0) {
		if (invite->hop.flow != 0 || !sip_transport_reliable(invite->hop.transport))
			sip_out_send(ua, &invite->hop, session->reliable);
	}
	sip_timer_start(ua, &session->retransmit, session->interval_us);
}

void
sip_session_give_up_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_session *session = sip_session_get(ua, id);
	if (session == NULL)
		return;
	if (session->state == SIP_SESSION_ACK_OWED) {
		sip_session_close(ua, session, SIP_END_TIMEOUT, 0, STR("no answer to the offer"));
	} else if (session->ack_cseq != 0) {
		/* s13.3.1.4: no ACK, then BYE. */
		sip_session_finish(ua, session, SIP_END_TIMEOUT, 0,
		                   STR("transaction timeout - no ACK received"));
		close_confirmed(ua, session);
	} else {
		/* RFC 3262 s3: no PRACK, then a 5xx. */
		struct sip_txn *invite = sip_txn_get(ua, session->invite);
		if (invite != NULL)
			sip_server_status(ua, invite, 504, (struct str){ 0 });
		sip_session_finish(ua, session, SIP_END_TIMEOUT, 504,
		                   STR("transaction timeout - no PRACK received"));
		sip_session_free(ua, session);
	}
}

bool
sip_session_crowd_out(struct sip_ua *ua)
{
	uint32_t next = 0;
	for (uint32_t id = ua->txn_first[SIP_TXNS_HALF_OPEN]; id != 0; id = next) {
		struct sip_txn *txn = sip_txn_get(ua, id);
		struct sip_session *session = sip_session_get(ua, txn->session);
		next = txn->links[SIP_TXNS_HALF_OPEN].next;
		if (ua->now_us - txn->half_open_us < ua->settings.t1_us)
			return false;
		if (session == NULL || session->invite != id) {
			/* Refused, and the ACK of that is missing. */
			sip_txn_end(ua, txn);
		} else if (session->ack_cseq != 0) {
			/* No BYE: it would go to somebody who most likely never called. */
			sip_session_finish(ua, session, SIP_END_TIMEOUT, 0,
			                   STR("no ACK received while others wait"));
			sip_session_free(ua, session);
		} else {
			continue; /* our own user has not answered it yet */
		}
		ua->counters[SIP_UA_CROWDED_OUT]++;
		return true;
	}
	return false;
}

/* ---- requests within the call --------------------------------------------------------------- */

static void
bye_received(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
             const struct sip_msg *msg)
{
	const struct str reason = sip_msg_value(msg, SIP_HEADER_REASON);
	struct str params = reason;
	struct str cause = { 0 };
	uint32_t status = 0;
	const struct str protocol = str_trim(str_cut(&params, ';'));
	if (str_eq_nocase(protocol, STR("SIP")) && sip_param_find(params, STR("cause"), &cause) &&
	    (!str_u32(cause, &status) || status > 699))
		status = 0;
	sip_server_status(ua, txn, 200, (struct str){ 0 });
	sip_session_finish(ua, session, SIP_END_REMOTE, (uint16_t)status, reason);
	if (session->state == SIP_SESSION_CALLING)
		close_calling(ua, session);
	else if (session->state != SIP_SESSION_CLOSING || session->bye_wanted)
		sip_session_free(ua, session);
}

static void
options_received(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                 const struct sip_msg *msg)
{
	struct writer w = sip_lines_writer(ua);
	(void)msg;
	sip_session_write_contact(ua, session, txn, &w);
	sip_write_header_str(&w, SIP_HEADER_ACCEPT, STR("application/sdp"));
	sip_server_status(ua, txn, 200, writer_view(&w));
}

/* We subscribed to nothing. */
static void
notify_received(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                const struct sip_msg *msg)
{
	(void)session;
	(void)msg;
	sip_server_status(ua, txn, 489, (struct str){ 0 });
}

static void
other_received(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
               const struct sip_msg *msg)
{
	struct writer w = sip_lines_writer(ua);
	(void)session;
	sip_write_allow_all(&w);
	sip_server_status(ua, txn, msg->method == SIP_METHOD_OTHER ? 501 : 405, writer_view(&w));
}

typedef void receive(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                     const struct sip_msg *msg);

static receive *const receivers[SIP_METHOD_COUNT] = {
	[SIP_BYE] = bye_received,
	[SIP_OPTIONS] = options_received,
	[SIP_PRACK] = sip_incoming_prack,
	[SIP_INFO] = sip_request_received,
	[SIP_REFER] = sip_request_received,
	[SIP_NOTIFY] = notify_received,
};

/* Without a transaction there is still one thing that must work. */
static void
received_without_room(struct sip_ua *ua, struct sip_session *session, const struct sip_msg *msg,
                      const struct sip_hop *hop)
{
	if (msg->method != SIP_BYE) {
		sip_ua_respond_full(ua, msg, hop);
		return;
	}
	sip_ua_respond_once(ua, msg, hop, 200, (struct str){ 0 });
	sip_session_finish(ua, session, SIP_END_REMOTE, 0, (struct str){ 0 });
	if (session->state == SIP_SESSION_CALLING)
		close_calling(ua, session);
	else if (session->state != SIP_SESSION_CLOSING)
		sip_session_free(ua, session);
}

void
sip_session_request(struct sip_ua *ua, struct sip_dialog *dialog, const struct sip_msg *msg,
                    const struct sip_hop *hop)
{
	struct sip_session *session = sip_session_get(ua, dialog->session);
	if (msg->method == SIP_ACK) {
		if (session != NULL)
			sip_incoming_acked(ua, session, msg);
		return;
	}
	if (session == NULL ||
	    (session->state == SIP_SESSION_CLOSING && msg->method != SIP_BYE)) {
		sip_ua_respond_once(ua, msg, hop, 481, (struct str){ 0 });
		return;
	}
	if (msg->cseq.number < dialog->remote_cseq) { /* s12.2.2 */
		sip_ua_respond_once(ua, msg, hop, 500, (struct str){ 0 });
		return;
	}
	dialog->remote_cseq = msg->cseq.number;
	/* The connection the peer uses now is the one to reach it by (RFC 7118 s5, RFC 5923). */
	if (hop->flow != 0 && hop->flow != dialog->flow) {
		sip_flow_remove_dialog(ua, dialog->flow);
		dialog->flow = hop->flow;
		dialog->transport = hop->transport;
		sip_flow_add_dialog(ua, hop->flow);
	}
	if (msg->method == SIP_INVITE || msg->method == SIP_UPDATE) {
		sip_offer_request(ua, session, dialog, msg, hop);
		return;
	}
	struct sip_txn *txn = sip_server_create(ua, msg, hop, (struct str){ 0 });
	if (txn == NULL) {
		received_without_room(ua, session, msg, hop);
		return;
	}
	txn->session = session->id;
	txn->dialog = dialog->id;
	receive *handle = receivers[msg->method];
	(handle != NULL ? handle : other_received)(ua, session, txn, msg);
}

void
sip_session_server_failed(struct sip_ua *ua, struct sip_txn *txn)
{
	struct sip_session *session = sip_session_get(ua, txn->session);
	if (session == NULL)
		return;
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (session->owed == txn->id) {
		session->owed = 0;
		if (dialog != NULL && dialog->offer == SIP_OFFER_REMOTE)
			dialog->offer = SIP_OFFER_STABLE;
	}
	for (unsigned i = 0; i < SIP_SESSION_REQUESTS_MAX; i++) {
		if (session->requests[i] == txn->id)
			session->requests[i] = 0;
	}
	if (session->invite != txn->id)
		return;
	session->invite = 0;
	if (session->state == SIP_SESSION_INCOMING) {
		sip_session_finish(ua, session, SIP_END_TRANSPORT, 0, STR("connection lost"));
		sip_session_free(ua, session);
	}
}

/* ---- outcome of our requests ---------------------------------------------------------------- */

/* BYE, INFO, NOTIFY, PRACK: only "there is no such call" means something (s12.2.1.2). */
static void
other_outcome(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
              const struct sip_msg *msg)
{
	const bool lost = msg != NULL ? msg->status == 481 || msg->status == 408
	                              : txn->failure != SIP_FAILURE_FULL;
	if (!lost || txn->dialog != session->dialog || session->state == SIP_SESSION_CLOSING)
		return;
	sip_session_close(ua, session, SIP_END_TIMEOUT, msg != NULL ? msg->status : 0,
	                  msg != NULL ? msg->reason : sip_failure_text(ua, txn));
}

void
sip_session_outcome(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	typedef void outcome(struct sip_ua *, struct sip_session *, struct sip_txn *,
	                     const struct sip_msg *);
	static outcome *const outcomes[SIP_PURPOSES] = {
		[SIP_FOR_INVITE] = sip_call_outcome,
		[SIP_FOR_REINVITE] = sip_offer_outcome,
		[SIP_FOR_UPDATE] = sip_offer_outcome,
		[SIP_FOR_PRACK] = other_outcome,
		[SIP_FOR_OTHER] = other_outcome,
	};
	const bool accepted_invite = msg != NULL && msg->status >= 200 && msg->status < 300 &&
	                             txn->method == SIP_INVITE;
	if (accepted_invite && sip_dialog_ack_again(ua, txn, msg))
		return;
	struct sip_session *session = sip_session_get(ua, txn->session);
	if (session == NULL) {
		if (accepted_invite)
			sip_call_refuse_2xx(ua, txn, msg);
		return;
	}
	outcome *handle = outcomes[txn->purpose];
	if (handle != NULL)
		handle(ua, session, txn, msg);
}

const char *
sip_end_cause_name(enum sip_end_cause cause)
{
	switch (cause) {
	case SIP_END_LOCAL:
		return "local";
	case SIP_END_REMOTE:
		return "remote";
	case SIP_END_CANCELLED:
		return "cancelled";
	case SIP_END_REFUSED:
		return "refused";
	case SIP_END_TIMEOUT:
		return "timeout";
	case SIP_END_TRANSPORT:
		return "transport";
	case SIP_END_REPLACED:
		return "replaced";
	case SIP_END_PROTOCOL:
		return "protocol";
	}
	return "unknown";
}
