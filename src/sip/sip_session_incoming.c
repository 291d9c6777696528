/* SPDX-License-Identifier: Apache-2.0 */
/* The INVITE that begins a call of theirs (RFC 3261 s13.3), reliable provisional responses (RFC
 * 3262) and Replaces (RFC 3891). */
#include <errno.h>

#include "sip/sip_ua_internal.h"

/* ---- arriving ------------------------------------------------------------------------------- */

/* RFC 3891 s3: the call to be replaced; false with the status to refuse with. */
static bool
find_replaced(struct sip_ua *ua, const struct sip_msg *msg, uint32_t *out, uint16_t *status)
{
	struct sip_replaces replaces;
	struct sip_values values = sip_msg_values(msg, SIP_HEADER_REPLACES);
	struct str first, second;
	*out = 0;
	*status = 400;
	if (!sip_msg_has(msg, SIP_HEADER_REPLACES))
		return true;
	if (!sip_values_next(&values, &first) || sip_values_next(&values, &second) ||
	    !sip_replaces_parse(&replaces, first))
		return false;
	const struct sip_dialog *dialog = sip_dialog_get(
		ua, sip_dialog_find(ua, replaces.call_id, replaces.to_tag, replaces.from_tag));
	const struct sip_session *session =
		dialog != NULL ? sip_session_get(ua, dialog->session) : NULL;
	*status = 481;
	if (session == NULL)
		return false;
	*status = 603;
	if (!session->visible)
		return false;
	*status = 486;
	const bool early = session->state == SIP_SESSION_CALLING ||
	                   session->state == SIP_SESSION_INCOMING;
	if (!early && replaces.early_only)
		return false;
	*status = 481;
	if (early && !session->ours)
		return false;
	*out = session->id;
	return true;
}

static struct str
unescaped_user(struct writer *w, const struct sip_uri *uri)
{
	const size_t at = w->at;
	if (uri->has_user || uri->scheme == SIP_SCHEME_TEL)
		sip_uri_write_user(w, uri);
	return str_sub(writer_view(w), at, w->at - at);
}

static struct str
plain_display(struct writer *w, const struct sip_name_addr *addr)
{
	const size_t at = w->at;
	if (!addr->display_quoted)
		return addr->display;
	sip_unquote(w, addr->display);
	return str_sub(writer_view(w), at, w->at - at);
}

static bool
tell_incoming(struct sip_ua *ua, const struct sip_session *session, const struct sip_msg *msg,
              const struct sip_hop *hop, struct str sdp)
{
	struct writer w = sip_lines_writer(ua);
	struct sip_event event = { .kind = SIP_EVENT_INCOMING, .body = sdp };
	struct sip_event_incoming *in = &event.incoming;
	if (sdp.len != 0)
		event.content_type = STR("application/sdp");
	in->uri_user = unescaped_user(&w, &msg->uri);
	in->uri_host = msg->uri.host;
	in->uri_params = msg->uri.params;
	in->max_forwards = msg->max_forwards;
	in->from_uri = msg->from.uri.text;
	in->from_user = unescaped_user(&w, &msg->from.uri);
	in->from_host = msg->from.uri.host;
	in->from_display = plain_display(&w, &msg->from);
	in->to_uri = msg->to.uri.text;
	in->to_user = unescaped_user(&w, &msg->to.uri);
	in->to_host = msg->to.uri.host;
	in->to_display = plain_display(&w, &msg->to);
	in->user_agent = sip_msg_value(msg, SIP_HEADER_USER_AGENT);
	in->transport = hop->transport;
	in->listener = hop->listener;
	in->source = hop->to;
	in->replaces.v = session->replaces;
	return !w.failed && sip_out_event(ua, session, &event);
}

static bool
keep_names(struct sip_ua *ua, struct sip_session *session, const struct sip_msg *msg)
{
	struct writer w = sip_lines_writer(ua);
	const struct str user = unescaped_user(&w, &msg->uri);
	session->call_id = sip_store_put(&ua->store, msg->call_id, SIP_FOR_NEW);
	/* A NUL would end it (sip_session_call.c). */
	session->contact = user.len <= SIP_UA_TEXT_MAX && str_find(user, '\0') == user.len
	                           ? sip_store_put(&ua->store, user, SIP_FOR_NEW)
	                           : 0;
	return session->call_id != 0;
}

/* Everything a call needs, or nothing. */
static bool
take_call(struct sip_ua *ua, struct sip_session *session, const struct sip_msg *msg,
          const struct sip_hop *hop)
{
	char tag[SIP_TAG_LEN];
	sip_random_hex(ua, tag);
	const struct str local_tag = { .at = tag, .len = sizeof tag };
	if (!keep_names(ua, session, msg))
		return false;
	struct sip_dialog *dialog = sip_dialog_of_request(ua, msg, hop, local_tag);
	if (dialog == NULL)
		return false;
	session->dialog = dialog->id;
	dialog->session = session->id;
	struct sip_txn *txn = sip_server_create(ua, msg, hop, local_tag);
	if (txn == NULL)
		return false;
	txn->session = session->id;
	txn->dialog = dialog->id;
	txn->source = sip_source_get(ua, &hop->to);
	if (txn->source == 0) {
		sip_txn_end(ua, txn);
		return false;
	}
	sip_txn_set_half_open(ua, txn, true);
	session->invite = txn->id;
	session->state = SIP_SESSION_INCOMING;
	return true;
}

static void
drop_untold(struct sip_ua *ua, struct sip_session *session, const struct sip_msg *msg,
            const struct sip_hop *hop)
{
	struct sip_txn *txn = sip_txn_get(ua, session->invite);
	if (txn != NULL)
		sip_txn_end(ua, txn);
	session->invite = 0;
	session->visible = false;
	sip_session_free(ua, session);
	sip_ua_respond_full(ua, msg, hop);
}

static bool
has_contact(const struct sip_msg *msg)
{
	struct sip_values values = sip_msg_values(msg, SIP_HEADER_CONTACT);
	struct sip_name_addr contact;
	struct str item;
	return sip_values_next(&values, &item) && sip_name_addr_parse(&contact, item) &&
	       !contact.star;
}

void
sip_session_invited(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	struct str sdp;
	uint32_t replaced;
	uint16_t status;
	if (!has_contact(msg)) { /* s8.1.1.8 */
		sip_ua_respond_once(ua, msg, hop, 400, (struct str){ 0 });
		return;
	}
	if (!sip_body_sdp(msg, &sdp)) {
		sip_ua_respond_once(ua, msg, hop, 415, STR("Accept: application/sdp\r\n"));
		return;
	}
	if (!find_replaced(ua, msg, &replaced, &status)) {
		sip_ua_respond_once(ua, msg, hop, status, (struct str){ 0 });
		return;
	}
	struct sip_session *session = sip_session_take(ua);
	if (session == NULL) {
		sip_ua_respond_full(ua, msg, hop);
		return;
	}
	session->replaces = replaced;
	sip_session_learn(session, msg);
	if (!sip_session_timer_request(ua, session, msg)) {
		session->visible = false;
		sip_session_free(ua, session);
		sip_session_timer_refuse(ua, msg, hop);
		return;
	}
	if (!take_call(ua, session, msg, hop)) {
		drop_untold(ua, session, msg, hop);
		return;
	}
	sip_session_dialog(ua, session)->offer = sdp.len != 0 ? SIP_OFFER_REMOTE : SIP_OFFER_NONE;
	if (!tell_incoming(ua, session, msg, hop, sdp)) {
		drop_untold(ua, session, msg, hop);
		return;
	}
	sip_timer_start(ua, &session->ring, ua->settings.ring_us_max);
}

void
sip_session_cancelled(struct sip_ua *ua, struct sip_txn *invite, const struct sip_msg *msg)
{
	struct sip_session *session = sip_session_get(ua, invite->session);
	if (session == NULL || session->invite != invite->id)
		return;
	const struct str reason = sip_msg_value(msg, SIP_HEADER_REASON);
	sip_server_status(ua, invite, 487, (struct str){ 0 });
	if (session->owed == invite->id) { /* a re-INVITE: the call goes on as it was */
		struct sip_dialog *dialog = sip_session_dialog(ua, session);
		session->owed = 0;
		session->invite = 0;
		if (dialog != NULL)
			dialog->offer = SIP_OFFER_STABLE;
		return;
	}
	sip_session_finish(ua, session, SIP_END_CANCELLED, 487, reason);
	sip_session_free(ua, session);
}

/* ---- answering ------------------------------------------------------------------------------ */

static bool
wants_reliable(const struct sip_ua *ua, const struct sip_session *session)
{
	return (session->capabilities & SIP_PEER_NEEDS_100REL) != 0 ||
	       (ua->settings.reliable_if_supported &&
	        (session->capabilities & SIP_PEER_100REL) != 0);
}

static bool
send_1xx(struct sip_ua *ua, struct sip_session *session, uint16_t status, struct str sdp)
{
	struct sip_txn *invite = sip_txn_get(ua, session->invite);
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	const bool reliable = wants_reliable(ua, session);
	struct writer w = sip_lines_writer(ua);
	if (invite == NULL || dialog == NULL)
		return false;
	sip_session_write_contact(ua, session, invite, &w);
	if (reliable) {
		/* RFC 3262 s3: the first number is random, below 2^31. */
		session->rseq = session->rseq == 0 ? 1 + sip_random_below(ua, 1u << 20)
		                                   : session->rseq + 1;
		sip_write_header_str(&w, SIP_HEADER_REQUIRE, STR("100rel"));
		sip_write_header_u32(&w, SIP_HEADER_RSEQ, session->rseq);
	}
	const struct sip_response response = {
		.status = status,
		.headers = writer_view(&w),
		.content_type = STR("application/sdp"),
		.body = dialog->offer == SIP_OFFER_STABLE ? (struct str){ 0 } : sdp,
		.record_route = true,
	};
	if (!sip_server_respond(ua, invite, &response))
		return false;
	if (!reliable)
		return true;
	session->rseq_pending = true;
	session->rseq_offer = response.body.len != 0 && dialog->offer == SIP_OFFER_NONE;
	if (response.body.len != 0) {
		(void)sip_session_keep_sdp(ua, session, sdp);
		dialog->offer = session->rseq_offer ? SIP_OFFER_LOCAL : SIP_OFFER_STABLE;
	}
	session->reliable = sip_store_share(&ua->store, invite->message);
	session->interval_us = ua->settings.t1_us;
	sip_timer_start(ua, &session->retransmit, session->interval_us);
	sip_timer_start(ua, &session->give_up, sip_timeout_us(ua));
	return true;
}

bool
sip_session_send_2xx(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                     struct str sdp)
{
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	struct writer w = sip_lines_writer(ua);
	CHECK(dialog != NULL && txn->kind == SIP_TXN_INVITE_SERVER);
	sip_session_write_contact(ua, session, txn, &w);
	sip_session_timer_write_2xx(session, &w);
	if (!sip_server_respond(ua, txn, &(struct sip_response){
		    .status = 200,
		    .headers = writer_view(&w),
		    .content_type = STR("application/sdp"),
		    .body = sdp,
		    .record_route = true,
	    }))
		return false;
	if (sdp.len != 0)
		(void)sip_session_keep_sdp(ua, session, sdp);
	/* Ours is the answer if they offered; else it is the offer, and the ACK answers it. */
	session->ack_answer = sdp.len != 0 && dialog->offer != SIP_OFFER_REMOTE;
	dialog->offer = session->ack_answer ? SIP_OFFER_LOCAL : SIP_OFFER_STABLE;
	session->ack_cseq = txn->cseq;
	session->invite = txn->id;
	session->invite_ours = false;
	session->connected = true;
	session->interval_us = ua->settings.t1_us;
	sip_timer_start(ua, &session->retransmit, session->interval_us);
	sip_timer_start(ua, &session->give_up, sip_timeout_us(ua));
	sip_session_timer_arm(ua, session);
	return true;
}

static void
end_replaced(struct sip_ua *ua, struct sip_session *session)
{
	struct sip_session *replaced = sip_session_get(ua, session->replaces);
	session->replaces = 0;
	if (replaced != NULL && replaced->visible)
		sip_session_close(ua, replaced, SIP_END_REPLACED, 0,
		                  STR("replaced by another call"));
}

static int
answer_call(struct sip_ua *ua, struct sip_session *session, struct str sdp)
{
	struct sip_txn *invite = sip_txn_get(ua, session->invite);
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (invite == NULL || dialog == NULL)
		return -EPROTO;
	const bool settled = dialog->offer == SIP_OFFER_STABLE;
	if (!settled && sdp.len == 0)
		return -EINVAL;
	if (!sip_session_send_2xx(ua, session, invite, settled ? (struct str){ 0 } : sdp))
		return -ENOSPC;
	session->state = SIP_SESSION_ANSWERED;
	sip_timer_stop(ua, &session->ring);
	end_replaced(ua, session);
	return 0;
}

/* RFC 3262 s3: one reliable response at a time; and whose offer awaits an answer hears that first
 * (RFC 3262 s5, RFC 3311 s5.2). */
static bool
must_wait(const struct sip_session *session)
{
	return session->rseq_pending || session->owed != 0;
}

/* What comes meanwhile waits, the last word counting. */
static int
answer_later(struct sip_ua *ua, struct sip_session *session, uint16_t status, struct str sdp)
{
	if (session->next_status == 200)
		return -EPROTO;
	sip_bytes kept = sip_store_put(&ua->store, sdp, SIP_FOR_CALL);
	if (kept == 0 && sdp.len != 0)
		return -ENOSPC;
	sip_store_drop(&ua->store, &session->next_sdp);
	session->next_status = status;
	session->next_sdp = kept;
	return 0;
}

int
sip_session_progress(struct sip_ua *ua, sip_session_id id, uint16_t status, struct str sdp,
                     int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	if (session->state != SIP_SESSION_INCOMING)
		return -EPROTO;
	if (status <= 100 || status > 199)
		return -EINVAL;
	if (sdp.len > SIP_UA_BODY_BYTES_MAX)
		return -EMSGSIZE;
	if (must_wait(session))
		return answer_later(ua, session, status, sdp);
	const struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (dialog == NULL || (sdp.len != 0 && dialog->offer == SIP_OFFER_NONE &&
	                       !wants_reliable(ua, session)))
		return -EPROTO; /* s13.2.1: an offer travels in reliable responses only */
	return send_1xx(ua, session, status, sdp) ? 0 : -ENOSPC;
}

int
sip_session_accept(struct sip_ua *ua, sip_session_id id, struct str sdp, int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	if (session->state != SIP_SESSION_INCOMING)
		return -EPROTO;
	if (sdp.len > SIP_UA_BODY_BYTES_MAX)
		return -EMSGSIZE;
	if (must_wait(session))
		return answer_later(ua, session, 200, sdp);
	return answer_call(ua, session, sdp);
}

int
sip_session_reject(struct sip_ua *ua, sip_session_id id, uint16_t status, struct str reason,
                   struct str headers, int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	if (session->state != SIP_SESSION_INCOMING)
		return -EPROTO;
	const bool lines = headers.len == 0 || str_ends(headers, STR("\r\n"));
	if (status < 300 || status > 699 || !lines)
		return -EINVAL;
	struct sip_txn *invite = sip_txn_get(ua, session->invite);
	if (invite != NULL &&
	    !sip_server_respond(ua, invite, &(struct sip_response){
		    .status = status, .reason = reason, .headers = headers }))
		return -ENOSPC;
	sip_session_finish(ua, session, SIP_END_LOCAL, status, reason);
	sip_session_free(ua, session);
	return 0;
}

/* ---- PRACK and ACK -------------------------------------------------------------------------- */

void
sip_incoming_next(struct sip_ua *ua, struct sip_session *session)
{
	const uint32_t id = session->id;
	const uint16_t status = session->next_status;
	if (status == 0 || session->state != SIP_SESSION_INCOMING || must_wait(session))
		return;
	const struct str kept = sip_store_get(&ua->store, session->next_sdp, ua->sdp_bytes,
	                                      sizeof ua->sdp_bytes);
	session->next_status = 0;
	if (status == 200) {
		if (answer_call(ua, session, kept) != 0)
			sip_session_close(ua, session, SIP_END_PROTOCOL, 0,
			                  STR("the answer that waited cannot be sent"));
	} else {
		(void)send_1xx(ua, session, status, kept);
	}
	if (sip_session_get(ua, id) != NULL)
		sip_store_drop(&ua->store, &session->next_sdp);
}

void
sip_incoming_prack(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                   const struct sip_msg *msg)
{
	const struct sip_txn *invite = sip_txn_get(ua, session->invite);
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	struct sip_rack rack;
	struct str sdp;
	if (invite == NULL || dialog == NULL || !session->rseq_pending ||
	    !sip_rack_parse(&rack, sip_msg_value(msg, SIP_HEADER_RACK)) ||
	    rack.rseq != session->rseq || rack.cseq.number != invite->cseq ||
	    rack.cseq.method != SIP_INVITE) {
		sip_server_status(ua, txn, 481, (struct str){ 0 });
		return;
	}
	if (!sip_body_sdp(msg, &sdp)) {
		sip_server_status(ua, txn, 415, STR("Accept: application/sdp\r\n"));
		return;
	}
	const uint32_t id = session->id;
	session->rseq_pending = false;
	sip_timer_stop(ua, &session->retransmit);
	sip_timer_stop(ua, &session->give_up);
	sip_store_drop(&ua->store, &session->reliable);
	if (sdp.len != 0 && !session->rseq_offer && dialog->offer == SIP_OFFER_STABLE) {
		/* RFC 3262 s5: the PRACK may carry an offer; its 200 waits for our answer. */
		dialog->offer = SIP_OFFER_REMOTE;
		session->owed = txn->id;
		if (!sip_session_tell(ua, session, SIP_EVENT_OFFER, 0, sdp)) {
			session->owed = 0;
			dialog->offer = SIP_OFFER_STABLE;
			sip_server_status(ua, txn, 503, (struct str){ 0 });
			sip_incoming_next(ua, session);
		}
		return;
	}
	sip_server_status(ua, txn, 200, (struct str){ 0 });
	if (session->rseq_offer) {
		session->rseq_offer = false;
		dialog->offer = SIP_OFFER_STABLE;
		if (sdp.len == 0 || !sip_session_tell(ua, session, SIP_EVENT_ANSWER, 0, sdp)) {
			sip_session_close(ua, session, SIP_END_PROTOCOL, 0,
			                  STR("PRACK without the answer"));
			return;
		}
	}
	session = sip_session_get(ua, id);
	if (session != NULL)
		sip_incoming_next(ua, session);
}

void
sip_incoming_acked(struct sip_ua *ua, struct sip_session *session, const struct sip_msg *msg)
{
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	struct str sdp;
	if (session->ack_cseq == 0 || msg->cseq.number != session->ack_cseq || dialog == NULL)
		return;
	const bool answer = session->ack_answer;
	sip_session_stop_ack(ua, session);
	if (session->state == SIP_SESSION_CLOSING) {
		session->state = SIP_SESSION_CONFIRMED;
		sip_session_close(ua, session, SIP_END_LOCAL, 0, (struct str){ 0 });
		return;
	}
	const bool first = session->state == SIP_SESSION_ANSWERED;
	session->state = SIP_SESSION_CONFIRMED;
	if (!sip_body_sdp(msg, &sdp))
		sdp = (struct str){ 0 };
	dialog->offer = SIP_OFFER_STABLE;
	if (answer && sdp.len == 0) {
		sip_session_close(ua, session, SIP_END_PROTOCOL, 0, STR("ACK without the answer"));
		return;
	}
	if (!answer)
		sdp = (struct str){ 0 };
	bool told = true;
	if (first)
		told = sip_session_tell(ua, session, SIP_EVENT_CONFIRMED, 0, sdp);
	else if (answer)
		told = sip_session_tell(ua, session, SIP_EVENT_ANSWER, 0, sdp);
	if (!told)
		sip_session_close(ua, session, SIP_END_PROTOCOL, 0, STR("out of memory"));
}
