/* SPDX-License-Identifier: Apache-2.0 */
/* Offers within a call: re-INVITE (RFC 3261 s14) and UPDATE (RFC 3311), both ways, with the rules
 * of RFC 6337 about whose turn it is, and glare. */
#include <errno.h>

#include "sip/sip_ua_internal.h"

/* ---- ours ----------------------------------------------------------------------------------- */

static bool
is_quiet(const struct sip_session *session, const struct sip_dialog *dialog)
{
	return session->invite == 0 && session->update == 0 && session->owed == 0 &&
	       session->ack_cseq == 0 && dialog->offer == SIP_OFFER_STABLE;
}

/* Before the answer only UPDATE may carry an offer; the INVITE itself is still going on then. */
static bool
may_update_early(const struct sip_session *session, const struct sip_dialog *dialog)
{
	return (session->state == SIP_SESSION_CALLING || session->state == SIP_SESSION_INCOMING) &&
	       (session->capabilities & SIP_PEER_UPDATE) != 0 && session->update == 0 &&
	       session->owed == 0 && !session->rseq_pending && dialog->offer == SIP_OFFER_STABLE;
}

/* `refresh`: only the session timer wants it (RFC 4028 s7.4: UPDATE without a body if the peer
 * takes it, else a re-INVITE that offers what stands). */
int
sip_offer_send(struct sip_ua *ua, struct sip_session *session, bool refresh)
{
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (dialog == NULL)
		return -EPROTO;
	const bool early = session->state != SIP_SESSION_CONFIRMED;
	if (early ? !may_update_early(session, dialog) : !is_quiet(session, dialog))
		return -EAGAIN;
	const bool can_update = (session->capabilities & SIP_PEER_UPDATE) != 0;
	const bool update = early || (refresh && can_update);
	const bool with_body = !refresh || !update;
	uint8_t head[256];
	struct writer timer = writer_of(head, sizeof head);
	struct writer lines = sip_lines_writer(ua);
	sip_session_timer_write(session, &timer);
	sip_write_allow_all(&lines);
	sip_write_supported(&lines);
	const uint32_t txn = sip_dialog_send(ua, dialog, &(struct sip_dialog_request){
		.method = update ? SIP_UPDATE : SIP_INVITE,
		.purpose = update ? SIP_FOR_UPDATE : SIP_FOR_REINVITE,
		.head = writer_view(&timer),
		.headers = writer_view(&lines),
		.content_type = STR("application/sdp"),
		.body = with_body ? sip_session_sdp(ua, session) : (struct str){ 0 },
		.with_contact = true,
	});
	if (txn == 0)
		return -ENOSPC;
	session->refreshing = refresh;
	if (with_body && session->local_sdp != 0)
		dialog->offer = SIP_OFFER_LOCAL;
	if (update) {
		session->update = txn;
	} else {
		session->invite = txn;
		session->invite_ours = true;
	}
	return 0;
}

int
sip_session_offer(struct sip_ua *ua, sip_session_id id, struct str sdp, int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	if (sdp.len == 0)
		return -EINVAL;
	if (sdp.len > SIP_UA_BODY_BYTES_MAX)
		return -EMSGSIZE;
	const struct sip_dialog *dialog = sip_session_dialog(ua, session);
	const bool confirmed = session->state == SIP_SESSION_CONFIRMED;
	if (dialog == NULL || session->state == SIP_SESSION_ACK_OWED ||
	    (!confirmed && session->state != SIP_SESSION_ANSWERED &&
	     (session->capabilities & SIP_PEER_UPDATE) == 0))
		return -EPROTO;
	if (session->offer_waits || !(confirmed ? is_quiet(session, dialog)
	                                        : may_update_early(session, dialog)))
		return -EAGAIN;
	if (!sip_session_keep_sdp(ua, session, sdp))
		return -ENOSPC;
	return sip_offer_send(ua, session, false);
}

/* s14.1: the owner of the Call-ID waits 2.1 to 4 s, the other up to 2 s, in steps of 10 ms. */
static void
wait_for_glare(struct sip_ua *ua, struct sip_session *session)
{
	const int64_t step_us = 10000;
	const int64_t wait_us = session->ours
	                                ? 2100000 + sip_random_us(ua, 1900000 + step_us)
	                                : sip_random_us(ua, 2000000 + step_us);
	session->offer_waits = true;
	sip_timer_start(ua, &session->glare, wait_us / step_us * step_us);
}

void
sip_session_glare_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_session *session = sip_session_get(ua, id);
	if (session == NULL || !session->offer_waits || !session->visible)
		return;
	session->offer_waits = false;
	if (sip_offer_send(ua, session, session->refreshing) != 0)
		wait_for_glare(ua, session);
}

/* The peer was first: ours was made for a session that is about to change. */
static void
give_way(struct sip_ua *ua, struct sip_session *session)
{
	if (!session->offer_waits)
		return;
	session->offer_waits = false;
	sip_timer_stop(ua, &session->glare);
	if (!session->refreshing)
		(void)sip_session_tell(ua, session, SIP_EVENT_OFFER_FAILED, 491,
		                       (struct str){ 0 });
}

static void
offer_failed(struct sip_ua *ua, struct sip_session *session, uint16_t status, struct str reason)
{
	struct sip_event event = { .kind = SIP_EVENT_OFFER_FAILED, .status = status,
		                   .reason = reason };
	if (!sip_out_event(ua, session, &event))
		sip_session_close(ua, session, SIP_END_PROTOCOL, 0, STR("out of memory"));
}

static void
offer_refused(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
              const struct sip_msg *msg)
{
	if (msg->status == 422 && sip_call_divert(ua, session, txn, msg))
		return;
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (dialog != NULL && dialog->offer == SIP_OFFER_LOCAL)
		dialog->offer = SIP_OFFER_STABLE;
	if (txn->purpose == SIP_FOR_UPDATE)
		session->update = 0;
	else
		session->invite = 0;
	if (msg->status == 491) {
		wait_for_glare(ua, session);
	} else if (msg->status == 481 || msg->status == 408) { /* s12.2.1.2 */
		sip_session_close(ua, session, SIP_END_TIMEOUT, msg->status, msg->reason);
	} else if (!session->refreshing) {
		offer_failed(ua, session, msg->status, msg->reason);
	} else if (msg->status == 405 || msg->status == 501) {
		session->capabilities &= ~(unsigned)SIP_PEER_UPDATE;
		sip_session_refresh_timer(ua, session->id);
	}
}

static void
offer_accepted(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
               const struct sip_msg *msg)
{
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	struct str sdp;
	CHECK(dialog != NULL);
	sip_dialog_refresh_target(ua, dialog, msg);
	if (txn->purpose == SIP_FOR_REINVITE) {
		sip_dialog_ack(ua, dialog, txn->cseq, txn, (struct str){ 0 });
		session->invite_cseq = txn->cseq;
		session->invite = 0;
	} else {
		session->update = 0;
	}
	sip_session_learn(session, msg);
	if (session->state == SIP_SESSION_CONFIRMED)
		sip_session_timer_response(ua, session, msg);
	if (!sip_body_sdp(msg, &sdp))
		sdp = (struct str){ 0 };
	const bool offered = dialog->offer == SIP_OFFER_LOCAL;
	dialog->offer = SIP_OFFER_STABLE;
	if (session->refreshing)
		(void)sip_session_tell(ua, session, SIP_EVENT_REFRESHED, msg->status, sdp);
	else if (offered && sdp.len == 0)
		offer_failed(ua, session, msg->status, STR("2xx without the answer"));
	else if (!sip_session_tell(ua, session, SIP_EVENT_ANSWER, msg->status, sdp))
		sip_session_close(ua, session, SIP_END_PROTOCOL, 0, STR("out of memory"));
}

static void
offer_progress(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
               const struct sip_msg *msg)
{
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	uint32_t rseq;
	if (txn->purpose == SIP_FOR_REINVITE && dialog != NULL &&
	    sip_call_reliable(dialog, msg, &rseq))
		sip_call_prack(ua, dialog, rseq, txn->cseq, (struct str){ 0 });
}

void
sip_offer_outcome(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                  const struct sip_msg *msg)
{
	if (session->state == SIP_SESSION_CLOSING || txn->dialog != session->dialog)
		return;
	if (msg == NULL)
		sip_session_close(ua, session,
		                  txn->failure == SIP_FAILURE_TRANSPORT ? SIP_END_TRANSPORT
		                                                        : SIP_END_TIMEOUT,
		                  0, sip_failure_text(ua, txn));
	else if (msg->status >= 300)
		offer_refused(ua, session, txn, msg);
	else if (msg->status >= 200)
		offer_accepted(ua, session, txn, msg);
	else
		offer_progress(ua, session, txn, msg);
}

/* ---- theirs --------------------------------------------------------------------------------- */

/* Status to refuse with, or 0 (s14.2, RFC 3311 s5.2). */
static uint16_t
glare_status(const struct sip_ua *ua, const struct sip_session *session,
             const struct sip_dialog *dialog, bool invite, bool has_offer)
{
	const bool ours_pending = session->invite != 0 && session->invite_ours;
	(void)ua;
	if (invite && session->state != SIP_SESSION_CONFIRMED)
		return ours_pending ? 491 : 500;
	if (invite && (session->invite != 0 || session->ack_cseq != 0))
		return ours_pending ? 491 : 500;
	if (!invite && !has_offer)
		return 0;
	switch (dialog->offer) {
	case SIP_OFFER_STABLE:
		return session->owed != 0 ? 500 : 0;
	case SIP_OFFER_LOCAL:
		return 491;
	case SIP_OFFER_NONE:
	case SIP_OFFER_REMOTE:
		return 500;
	}
	return 500;
}

static void
refuse(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop, uint16_t status)
{
	struct writer w = sip_lines_writer(ua);
	if (status == 500) /* s14.2: a random time up to ten seconds */
		sip_write_header_u32(&w, SIP_HEADER_RETRY_AFTER, sip_random_below(ua, 11));
	else if (status == 415)
		sip_write_header_str(&w, SIP_HEADER_ACCEPT, STR("application/sdp"));
	/* A refused INVITE keeps its place until the ACK: a peer that piles them up is answered
	 * without keeping anything. */
	struct sip_txn *txn = ua->txns.count < ua->txns.cap / 2
	                              ? sip_server_create(ua, msg, hop, (struct str){ 0 })
	                              : NULL;
	if (txn != NULL)
		sip_server_status(ua, txn, status, writer_view(&w));
	else
		sip_ua_respond_once(ua, msg, hop, status, writer_view(&w));
}

/* An UPDATE that only refreshes is answered here. */
static void
answer_refresh(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn)
{
	struct writer w = sip_lines_writer(ua);
	sip_session_write_contact(ua, session, txn, &w);
	sip_session_timer_write_2xx(session, &w);
	sip_server_status(ua, txn, 200, writer_view(&w));
	if (session->state == SIP_SESSION_CONFIRMED)
		sip_session_timer_arm(ua, session);
	(void)sip_session_tell(ua, session, SIP_EVENT_REFRESHED, 0, (struct str){ 0 });
}

void
sip_offer_request(struct sip_ua *ua, struct sip_session *session, struct sip_dialog *dialog,
                  const struct sip_msg *msg, const struct sip_hop *hop)
{
	const bool invite = msg->method == SIP_INVITE;
	struct str sdp;
	if (!sip_body_sdp(msg, &sdp)) {
		refuse(ua, msg, hop, 415);
		return;
	}
	const uint16_t glare = glare_status(ua, session, dialog, invite, sdp.len != 0);
	if (glare != 0) {
		refuse(ua, msg, hop, glare);
		return;
	}
	sip_session_learn(session, msg);
	if (!sip_session_timer_request(ua, session, msg)) {
		sip_session_timer_refuse(ua, msg, hop);
		return;
	}
	struct sip_txn *txn = sip_server_create(ua, msg, hop, (struct str){ 0 });
	if (txn == NULL) {
		sip_ua_respond_full(ua, msg, hop);
		return;
	}
	txn->session = session->id;
	txn->dialog = dialog->id;
	sip_dialog_refresh_target(ua, dialog, msg);
	if (!invite && sdp.len == 0) {
		answer_refresh(ua, session, txn);
		return;
	}
	const enum sip_offer_state before = dialog->offer;
	give_way(ua, session);
	session->owed = txn->id;
	if (invite) {
		session->invite = txn->id;
		session->invite_ours = false;
	}
	if (sdp.len != 0)
		dialog->offer = SIP_OFFER_REMOTE;
	if (!sip_session_tell(ua, session, SIP_EVENT_OFFER, 0, sdp)) {
		dialog->offer = before;
		session->owed = 0;
		if (invite)
			session->invite = 0;
		sip_server_status(ua, txn, 503, (struct str){ 0 });
	}
}

/* ---- our answer to theirs ------------------------------------------------------------------- */

static int
answer_in_ack(struct sip_ua *ua, struct sip_session *session, struct sip_dialog *dialog,
              struct str sdp)
{
	(void)sip_session_keep_sdp(ua, session, sdp);
	sip_dialog_ack(ua, dialog, session->invite_cseq, sip_txn_get(ua, session->invite), sdp);
	sip_timer_stop(ua, &session->give_up);
	session->invite = 0;
	session->state = SIP_SESSION_CONFIRMED;
	dialog->offer = SIP_OFFER_STABLE;
	return 0;
}

static int
answer_in_prack(struct sip_ua *ua, struct sip_session *session, struct sip_dialog *dialog,
                struct str sdp)
{
	(void)sip_session_keep_sdp(ua, session, sdp);
	sip_call_prack(ua, dialog, session->prack_rseq, session->invite_cseq, sdp);
	session->prack_rseq = 0;
	dialog->offer = SIP_OFFER_STABLE;
	return 0;
}

static int
answer_owed(struct sip_ua *ua, struct sip_session *session, struct sip_dialog *dialog,
            struct str sdp)
{
	struct sip_txn *txn = sip_txn_get(ua, session->owed);
	if (txn == NULL)
		return -EPROTO;
	if (txn->kind == SIP_TXN_INVITE_SERVER) {
		if (!sip_session_send_2xx(ua, session, txn, sdp))
			return -ENOSPC;
		session->owed = 0;
		return 0;
	}
	struct writer w = sip_lines_writer(ua);
	if (txn->method == SIP_UPDATE) {
		sip_session_write_contact(ua, session, txn, &w);
		sip_session_timer_write_2xx(session, &w);
	}
	if (!sip_server_respond(ua, txn, &(struct sip_response){
		    .status = 200,
		    .headers = writer_view(&w),
		    .content_type = STR("application/sdp"),
		    .body = sdp,
	    }))
		return -ENOSPC;
	(void)sip_session_keep_sdp(ua, session, sdp);
	session->owed = 0;
	dialog->offer = SIP_OFFER_STABLE;
	if (txn->method == SIP_UPDATE && session->state == SIP_SESSION_CONFIRMED)
		sip_session_timer_arm(ua, session);
	sip_incoming_next(ua, session);
	return 0;
}

int
sip_session_answer(struct sip_ua *ua, sip_session_id id, struct str sdp, int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	if (sdp.len == 0)
		return -EINVAL;
	if (sdp.len > SIP_UA_BODY_BYTES_MAX)
		return -EMSGSIZE;
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (dialog == NULL)
		return -EPROTO;
	if (session->state == SIP_SESSION_ACK_OWED)
		return answer_in_ack(ua, session, dialog, sdp);
	if (session->prack_rseq != 0 && session->state == SIP_SESSION_CALLING)
		return answer_in_prack(ua, session, dialog, sdp);
	return answer_owed(ua, session, dialog, sdp);
}

int
sip_session_refuse(struct sip_ua *ua, sip_session_id id, uint16_t status, int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	if (status < 300 || status > 699)
		return -EINVAL;
	struct sip_txn *txn = sip_txn_get(ua, session->owed);
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (txn == NULL || dialog == NULL)
		return -EPROTO;
	sip_server_status(ua, txn, status, (struct str){ 0 });
	session->owed = 0;
	if (dialog->offer == SIP_OFFER_REMOTE)
		dialog->offer = SIP_OFFER_STABLE;
	if (session->invite == txn->id)
		session->invite = 0;
	sip_incoming_next(ua, session);
	return 0;
}
