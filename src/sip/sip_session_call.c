/* SPDX-License-Identifier: Apache-2.0 */
/* The INVITE that begins a call of ours (RFC 3261 s13.2): forks, early dialogs, PRACK, and what
 * its end means. */
#include <errno.h>

#include "sip/sip_ua_internal.h"

/* ---- calling -------------------------------------------------------------------------------- */

static int
check_call(const struct sip_call *call, struct sip_uri *target, struct sip_uri *route)
{
	const struct str texts[] = {
		call->target, call->from_uri, call->from_display, call->to_display,
		call->contact_user, call->contact_host, call->route, call->next_hop, call->realm,
		call->username, call->password,
	};
	for (unsigned i = 0; i < COUNT_OF(texts); i++) {
		if (texts[i].len > SIP_UA_TEXT_MAX)
			return -EMSGSIZE;
	}
	if (call->sdp.len > SIP_UA_BODY_BYTES_MAX || call->replaces.len > 4 * SIP_UA_TEXT_MAX ||
	    call->referred_by.len > 4 * SIP_UA_TEXT_MAX)
		return -EMSGSIZE;
	struct sip_uri from;
	if (!sip_uri_parse(target, call->target) || target->scheme > SIP_SCHEME_SIPS ||
	    (call->from_uri.len != 0 && !sip_uri_parse(&from, call->from_uri)))
		return -EINVAL;
	if (call->route.len != 0 &&
	    (!sip_uri_parse(route, call->route) || route->scheme > SIP_SCHEME_SIPS))
		return -EINVAL;
	struct sip_uri next_hop;
	if (call->next_hop.len != 0 &&
	    (call->route.len != 0 || !sip_uri_parse(&next_hop, call->next_hop) ||
	     next_hop.scheme > SIP_SCHEME_SIPS))
		return -EINVAL;
	return 0;
}

/* Behind the user, after a NUL, the host. */
static sip_bytes
keep_contact(struct sip_ua *ua, const struct sip_call *call)
{
	uint8_t text[2 * SIP_UA_TEXT_MAX + 1];
	struct writer w = writer_of(text, sizeof text);
	writer_str(&w, call->contact_user);
	if (call->contact_host.len != 0) {
		writer_u8(&w, 0);
		writer_str(&w, call->contact_host);
	}
	/* It is read from one block. */
	return w.at <= SIP_BLOCK_BYTES ? sip_store_put(&ua->store, writer_view(&w), SIP_FOR_NEW)
	                               : 0;
}

static bool
keep_call(struct sip_ua *ua, struct sip_session *session, const struct sip_call *call)
{
	char id[2 * SIP_TAG_LEN];
	sip_random_hex(ua, id);
	sip_random_hex(ua, id + SIP_TAG_LEN);
	session->user = call->user;
	session->ours = true;
	session->state = SIP_SESSION_CALLING;
	session->expires_s = ua->settings.session_expires_s;
	if (session->expires_s != 0 && session->expires_s < session->min_se_s)
		session->expires_s = session->min_se_s;
	session->call_id = sip_store_put(&ua->store, (struct str){ .at = id, .len = sizeof id },
	                                 SIP_FOR_NEW);
	session->contact = keep_contact(ua, call);
	if (call->username.len != 0 && call->realm.len != 0) {
		uint8_t text[4 * SIP_UA_TEXT_MAX];
		struct writer w = writer_of(text, sizeof text);
		writer_str(&w, call->realm);
		writer_u8(&w, 0);
		writer_str(&w, call->username);
		writer_u8(&w, 0);
		writer_str(&w, call->password);
		writer_u8(&w, 0);
		session->credentials = sip_store_put(&ua->store, writer_view(&w), SIP_FOR_NEW);
		explicit_bzero(text, sizeof text);
		if (session->credentials == 0)
			return false;
	}
	if (call->sdp.len != 0 && !sip_session_keep_sdp(ua, session, call->sdp))
		return false;
	return session->call_id != 0 &&
	       (session->contact != 0 || call->contact_user.len + call->contact_host.len == 0);
}

void
sip_write_supported(struct writer *w)
{
	sip_write_header_str(w, SIP_HEADER_SUPPORTED, STR("100rel, replaces, timer, norefersub"));
}

/* A route of ours is a loose one whatever was configured: strict routers died out. */
static void
write_route(struct writer *w, const struct sip_uri *route)
{
	sip_write_begin(w, SIP_HEADER_ROUTE);
	writer_u8(w, '<');
	sip_write_text(w, route->text);
	if (!sip_uri_param(route, STR("lr"), NULL))
		writer_text(w, ";lr");
	writer_u8(w, '>');
	sip_write_end(w);
}

static void
write_names(struct sip_ua *ua, struct writer *w, const struct sip_call *call)
{
	char tag[SIP_TAG_LEN];
	sip_random_hex(ua, tag);
	const bool named = call->from_uri.len != 0;
	sip_write_name_addr(w, SIP_HEADER_FROM, &(struct sip_write_name_addr){
		.display = named ? call->from_display : STR("Anonymous"),
		.uri = named ? call->from_uri : STR("sip:anonymous@anonymous.invalid"),
		.tag = { .at = tag, .len = sizeof tag },
	});
	sip_write_name_addr(w, SIP_HEADER_TO, &(struct sip_write_name_addr){
		.display = call->to_display, .uri = call->target });
}

static uint32_t
send_invite(struct sip_ua *ua, struct sip_session *session, const struct sip_call *call,
            const struct sip_uri *target, const struct sip_uri *route)
{
	uint8_t scratch[SIP_BLOCK_BYTES];
	const bool routed = call->route.len != 0;
	const uint32_t cseq = 1 + sip_random_below(ua, 1u << 16);
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);

	sip_write_request_line(&w, SIP_INVITE, call->target);
	const size_t start_len = w.at;
	sip_write_cseq(&w, cseq, SIP_INVITE);
	sip_session_timer_write(session, &w);
	const size_t head_len = w.at - start_len;
	if (routed)
		write_route(&w, route);
	sip_write_header_u32(&w, SIP_HEADER_MAX_FORWARDS,
	                     call->max_forwards != 0 ? call->max_forwards : 70);
	write_names(ua, &w, call);
	sip_write_header_str(&w, SIP_HEADER_CALL_ID,
	                     sip_store_get(&ua->store, session->call_id, scratch, sizeof scratch));
	sip_write_allow_all(&w);
	sip_write_supported(&w);
	if (ua->user_agent[0] != '\0')
		sip_write_header_str(&w, SIP_HEADER_USER_AGENT, str_of(ua->user_agent));
	if (call->replaces.len != 0) {
		sip_write_header_str(&w, SIP_HEADER_REPLACES, call->replaces);
		sip_write_header_str(&w, SIP_HEADER_REQUIRE, STR("replaces"));
	}
	if (call->referred_by.len != 0)
		sip_write_header_str(&w, SIP_HEADER_REFERRED_BY, call->referred_by);
	sip_write_body(&w, STR("application/sdp"), call->sdp);
	if (w.failed)
		return 0;
	return sip_client_start(ua, &(struct sip_request){
		.method = SIP_INVITE,
		.purpose = SIP_FOR_INVITE,
		.session = session->id,
		.cseq = cseq,
		.text = writer_view(&w),
		.start_len = (uint16_t)start_len,
		.head_len = (uint16_t)head_len,
		.next_hop = routed                   ? call->route
		            : call->next_hop.len != 0 ? call->next_hop
		                                      : call->target,
		.transports = call->transports,
		.listener = SIP_LISTENER_ANY,
		.with_contact = true,
		.secure = target->scheme == SIP_SCHEME_SIPS,
		.contact = session->contact,
		.credentials = session->credentials,
	});
}

int
sip_ua_call(struct sip_ua *ua, sip_session_id *out, const struct sip_call *call, int64_t now_us)
{
	struct sip_uri target = { 0 };
	struct sip_uri route = { 0 };
	out->v = 0;
	sip_ua_command(ua, now_us);
	const int rc = check_call(call, &target, &route);
	if (rc != 0)
		return rc;
	struct sip_session *session = sip_session_take(ua);
	if (session == NULL)
		return -ENOSPC;
	if (keep_call(ua, session, call))
		session->invite = send_invite(ua, session, call, &target, &route);
	if (session->invite == 0) {
		session->visible = false;
		sip_session_free(ua, session);
		return -ENOSPC;
	}
	session->invite_ours = true;
	sip_timer_start(ua, &session->ring, ua->settings.ring_us_max);
	out->v = session->id;
	return 0;
}

/* ---- failures ------------------------------------------------------------------------------- */

struct str
sip_failure_text(struct sip_ua *ua, const struct sip_txn *txn)
{
	const char *what = "";
	switch (txn->failure) {
	case SIP_FAILURE_NONE:
		return (struct str){ 0 };
	case SIP_FAILURE_TIMEOUT_SILENT:
		what = txn->kind == SIP_TXN_INVITE_CLIENT
		               ? "transaction timeout - no provisional responses sending "
		               : "transaction timeout - no response sending ";
		break;
	case SIP_FAILURE_TIMEOUT:
		what = "transaction timeout - no final response sending ";
		break;
	case SIP_FAILURE_TRANSPORT:
		what = "connection failed sending ";
		break;
	case SIP_FAILURE_NOT_FOUND:
		what = "no such host sending ";
		break;
	case SIP_FAILURE_FULL:
		what = "out of memory sending ";
		break;
	}
	struct writer w = sip_lines_writer(ua);
	writer_text(&w, what);
	writer_text(&w, sip_method_name(txn->method));
	return writer_view(&w);
}

static enum sip_end_cause
failure_cause(enum sip_failure failure)
{
	return failure == SIP_FAILURE_TIMEOUT || failure == SIP_FAILURE_TIMEOUT_SILENT
	               ? SIP_END_TIMEOUT
	               : SIP_END_TRANSPORT;
}

/* RFC 4028 s7.4: again with the interval the peer stands. */
bool
sip_call_divert(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                const struct sip_msg *msg)
{
	struct sip_session_expires min;
	uint8_t text[256];
	struct writer w = writer_of(text, sizeof text);
	if (txn->diverts >= SIP_DIVERT_MAX ||
	    !sip_session_expires_parse(&min, sip_msg_value(msg, SIP_HEADER_MIN_SE)) ||
	    min.interval_s <= session->min_se_s || min.interval_s > 86400)
		return false;
	txn->diverts++;
	txn->auth_origin = false;
	txn->auth_proxy = false;
	session->min_se_s = min.interval_s;
	if (session->expires_s < min.interval_s)
		session->expires_s = min.interval_s;
	sip_session_timer_write(session, &w);
	return sip_client_again(ua, txn, &(struct str){ .at = (char *)text, .len = w.at }) != 0;
}

static void
call_failed(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
            const struct sip_msg *msg)
{
	const bool closing = session->state == SIP_SESSION_CLOSING;
	if (msg != NULL && msg->status == 422 && !closing && sip_call_divert(ua, session, txn, msg))
		return;
	if (msg != NULL)
		sip_session_finish(ua, session, SIP_END_REFUSED, msg->status, msg->reason);
	else
		sip_session_finish(ua, session, failure_cause(txn->failure), 0,
		                   sip_failure_text(ua, txn));
	sip_session_free(ua, session);
}

/* ---- early dialogs -------------------------------------------------------------------------- */

static struct sip_dialog *
find_fork(struct sip_ua *ua, const struct sip_session *session, const struct sip_msg *msg)
{
	const uint32_t id = sip_dialog_find(ua, msg->call_id, msg->from.tag, msg->to.tag);
	struct sip_dialog *dialog = sip_dialog_get(ua, id);
	return dialog != NULL && dialog->session == session->id ? dialog : NULL;
}

static struct sip_dialog *
take_fork(struct sip_ua *ua, struct sip_session *session, const struct sip_txn *txn,
          const struct sip_msg *msg)
{
	struct sip_dialog *dialog = find_fork(ua, session, msg);
	if (dialog != NULL)
		return dialog;
	if (session->fork_count == SIP_SESSION_FORKS_MAX)
		return NULL;
	dialog = sip_dialog_of_response(ua, msg, txn);
	if (dialog == NULL)
		return NULL;
	dialog->session = session->id;
	dialog->fork = session->fork_count;
	dialog->offer = session->local_sdp != 0 ? SIP_OFFER_LOCAL : SIP_OFFER_NONE;
	session->forks[session->fork_count++] = dialog->id;
	return dialog;
}

/* RFC 3262 s3: each INVITE numbers its responses anew. */
static uint32_t
last_rseq(const struct sip_dialog *dialog, const struct sip_msg *msg)
{
	return dialog->rseq_cseq == msg->cseq.number ? dialog->remote_rseq : 0;
}

bool
sip_call_reliable(struct sip_dialog *dialog, const struct sip_msg *msg, uint32_t *rseq)
{
	const uint32_t last = last_rseq(dialog, msg);
	if (msg->status <= 100 || !sip_msg_lists(msg, SIP_HEADER_REQUIRE, STR("100rel")) ||
	    !sip_number_parse(rseq, sip_msg_value(msg, SIP_HEADER_RSEQ)) || *rseq == 0)
		return false;
	/* RFC 3262 s4: in order, without gaps; the first may be any. */
	if (last != 0 && *rseq != last + 1)
		return false;
	dialog->remote_rseq = *rseq;
	dialog->rseq_cseq = msg->cseq.number;
	return true;
}

void
sip_call_prack(struct sip_ua *ua, struct sip_dialog *dialog, uint32_t rseq, uint32_t cseq,
               struct str sdp)
{
	uint8_t text[64];
	struct writer w = writer_of(text, sizeof text);
	sip_write_rack(&w, rseq, cseq, SIP_INVITE);
	(void)sip_dialog_send(ua, dialog, &(struct sip_dialog_request){
		.method = SIP_PRACK,
		.purpose = SIP_FOR_PRACK,
		.headers = writer_view(&w),
		.content_type = STR("application/sdp"),
		.body = sdp,
	});
}

static bool
is_repeated_reliable(const struct sip_dialog *dialog, const struct sip_msg *msg)
{
	const uint32_t last = last_rseq(dialog, msg);
	uint32_t rseq;
	return last != 0 && sip_msg_lists(msg, SIP_HEADER_REQUIRE, STR("100rel")) &&
	       sip_number_parse(&rseq, sip_msg_value(msg, SIP_HEADER_RSEQ)) && rseq != last + 1;
}

static void
call_progress(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
              const struct sip_msg *msg)
{
	struct str sdp;
	uint32_t rseq = 0;
	if (msg->status == 100 || session->state != SIP_SESSION_CALLING)
		return;
	sip_session_learn(session, msg);
	if (!sip_body_sdp(msg, &sdp))
		sdp = (struct str){ 0 };
	struct sip_dialog *dialog =
		msg->to.tag.len != 0 ? take_fork(ua, session, txn, msg) : NULL;
	if (dialog == NULL) {
		/* No dialog comes of it, but the caller may know that it rings. */
		(void)sip_session_tell(ua, session, SIP_EVENT_PROGRESS, msg->status,
		                       (struct str){ 0 });
		return;
	}
	if (is_repeated_reliable(dialog, msg))
		return;
	session->dialog = dialog->id;
	if (sip_call_reliable(dialog, msg, &rseq)) {
		if (sdp.len != 0 && dialog->offer == SIP_OFFER_NONE) {
			/* Their offer; the PRACK takes our answer. */
			dialog->offer = SIP_OFFER_REMOTE;
			session->prack_rseq = rseq;
			session->invite_cseq = txn->cseq;
		} else {
			if (sdp.len != 0)
				dialog->offer = SIP_OFFER_STABLE;
			sip_call_prack(ua, dialog, rseq, txn->cseq, (struct str){ 0 });
		}
	} else if (dialog->offer != SIP_OFFER_LOCAL) {
		sdp = (struct str){ 0 }; /* s13.2.1: no offer in an unreliable response */
	}
	(void)sip_session_tell(ua, session, SIP_EVENT_PROGRESS, msg->status, sdp);
}

/* ---- 2xx ------------------------------------------------------------------------------------ */

void
sip_call_refuse_2xx(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	struct sip_dialog *dialog = sip_dialog_of_response(ua, msg, txn);
	if (dialog == NULL)
		return;
	sip_dialog_ack(ua, dialog, txn->cseq, txn, (struct str){ 0 });
	sip_dialog_bye(ua, dialog, (struct str){ 0 });
	sip_dialog_free(ua, dialog);
}

static void
drop_other_forks(struct sip_ua *ua, struct sip_session *session)
{
	for (unsigned i = 0; i < session->fork_count; i++) {
		struct sip_dialog *fork = sip_dialog_get(ua, session->forks[i]);
		if (fork != NULL && fork->id != session->dialog)
			sip_dialog_free(ua, fork);
	}
	session->fork_count = 0;
}

static void
answered(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
         const struct sip_msg *msg, struct sip_dialog *dialog)
{
	struct str sdp;
	if (!sip_body_sdp(msg, &sdp))
		sdp = (struct str){ 0 };
	session->dialog = dialog->id;
	session->invite_cseq = txn->cseq;
	session->connected = true;
	sip_timer_stop(ua, &session->ring);
	drop_other_forks(ua, session);
	sip_session_learn(session, msg);
	sip_dialog_confirm(ua, dialog, msg);

	const bool late = dialog->offer == SIP_OFFER_NONE;
	if (late && sdp.len != 0) {
		dialog->offer = SIP_OFFER_REMOTE;
		session->state = SIP_SESSION_ACK_OWED;
		sip_timer_start(ua, &session->give_up, sip_timeout_us(ua));
		sip_session_timer_response(ua, session, msg);
	} else {
		const bool settled = dialog->offer == SIP_OFFER_STABLE;
		sip_dialog_ack(ua, dialog, txn->cseq, txn, (struct str){ 0 });
		session->invite = 0;
		session->state = SIP_SESSION_CONFIRMED;
		if (!settled && (sdp.len == 0 || dialog->offer != SIP_OFFER_LOCAL)) {
			sip_session_close(ua, session, SIP_END_PROTOCOL, msg->status,
			                  STR("2xx without the answer"));
			return;
		}
		dialog->offer = SIP_OFFER_STABLE;
		sip_session_timer_response(ua, session, msg);
	}
	if (!sip_session_tell(ua, session, SIP_EVENT_ANSWERED, msg->status, sdp))
		sip_session_close(ua, session, SIP_END_PROTOCOL, 0, STR("out of memory"));
}

static void
call_answered(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
              const struct sip_msg *msg)
{
	if (session->state == SIP_SESSION_CLOSING) {
		/* The CANCEL came too late. */
		struct sip_dialog *early = find_fork(ua, session, msg);
		if (early != NULL && early->id == session->dialog)
			session->dialog = 0;
		if (early != NULL)
			sip_dialog_free(ua, early);
		sip_call_refuse_2xx(ua, txn, msg);
		sip_session_free(ua, session);
		return;
	}
	if (session->state != SIP_SESSION_CALLING) {
		/* Another fork's, or one whose ACK waits for the caller's answer. */
		if (find_fork(ua, session, msg) == NULL)
			sip_call_refuse_2xx(ua, txn, msg);
		return;
	}
	struct sip_dialog *dialog = take_fork(ua, session, txn, msg);
	if (dialog == NULL) {
		sip_call_refuse_2xx(ua, txn, msg);
		sip_session_finish(ua, session, SIP_END_PROTOCOL, msg->status,
		                   STR("2xx that makes no dialog"));
		sip_session_free(ua, session);
		return;
	}
	answered(ua, session, txn, msg, dialog);
}

void
sip_call_outcome(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                 const struct sip_msg *msg)
{
	if (msg == NULL || msg->status >= 300)
		call_failed(ua, session, txn, msg);
	else if (msg->status >= 200)
		call_answered(ua, session, txn, msg);
	else
		call_progress(ua, session, txn, msg);
}
