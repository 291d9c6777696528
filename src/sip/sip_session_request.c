/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that the caller answers: INFO (RFC 6086 and the older use), REFER (RFC 3515, 4488) with
 * its NOTIFYs; and INFO of ours. */
#include <errno.h>

#include "sip/sip_ua_internal.h"

static bool
wait_for_caller(struct sip_session *session, uint32_t txn)
{
	for (unsigned i = 0; i < SIP_SESSION_REQUESTS_MAX; i++) {
		if (session->requests[i] == 0) {
			session->requests[i] = txn;
			return true;
		}
	}
	return false;
}

static void
waits_no_more(struct sip_session *session, uint32_t txn)
{
	for (unsigned i = 0; i < SIP_SESSION_REQUESTS_MAX; i++) {
		if (session->requests[i] == txn)
			session->requests[i] = 0;
	}
}

static bool
tell_info(struct sip_ua *ua, const struct sip_session *session, const struct sip_txn *txn,
          const struct sip_msg *msg)
{
	struct sip_event event = {
		.kind = SIP_EVENT_INFO,
		.body = msg->body,
		.request = { txn->id },
	};
	if (msg->has_content_type)
		event.content_type = sip_msg_value(msg, SIP_HEADER_CONTENT_TYPE);
	return sip_out_event(ua, session, &event);
}

/* False: not exactly one readable Refer-To (RFC 3515 s2.4.2). */
static bool
fill_refer(struct sip_event_refer *refer, const struct sip_msg *msg, struct writer *w)
{
	struct sip_values values = sip_msg_values(msg, SIP_HEADER_REFER_TO);
	struct sip_name_addr to;
	struct str item, other, escaped;
	if (!sip_values_next(&values, &item) || !sip_name_addr_parse(&to, item) ||
	    sip_values_next(&values, &other))
		return false;
	refer->refer_to = to.uri.text;
	if (to.uri.scheme != SIP_SCHEME_OTHER && to.uri.headers.len != 0) {
		refer->refer_to.len = (size_t)(to.uri.headers.at - to.uri.text.at) - 1;
		if (sip_uri_header(&to.uri, STR("Replaces"), &escaped)) {
			const size_t at = w->at;
			sip_uri_unescape(w, escaped);
			refer->replaces = str_sub(writer_view(w), at, w->at - at);
		}
	}
	struct sip_name_addr by;
	if (sip_name_addr_parse(&by, sip_msg_value(msg, SIP_HEADER_REFERRED_BY)))
		refer->referred_by = by.uri.text;
	refer->wants_notify =
		!str_eq_nocase(str_trim(sip_msg_value(msg, SIP_HEADER_REFER_SUB)), STR("false"));
	return !w->failed;
}

void
sip_request_received(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                     const struct sip_msg *msg)
{
	struct writer w = sip_lines_writer(ua);
	struct sip_event event = { .kind = SIP_EVENT_REFER, .request = { txn->id } };
	const bool refer = msg->method == SIP_REFER;
	if (refer && (!session->connected || session->state != SIP_SESSION_CONFIRMED)) {
		sip_server_status(ua, txn, 403, (struct str){ 0 });
		return;
	}
	if (refer && !fill_refer(&event.refer, msg, &w)) {
		sip_server_status(ua, txn, 400, (struct str){ 0 });
		return;
	}
	if (!wait_for_caller(session, txn->id)) {
		sip_server_status(ua, txn, 503, STR("Retry-After: 2\r\n"));
		return;
	}
	txn->refer_silent = refer && !event.refer.wants_notify;
	const bool told = refer ? sip_out_event(ua, session, &event)
	                        : tell_info(ua, session, txn, msg);
	if (!told) {
		waits_no_more(session, txn->id);
		sip_server_status(ua, txn, 503, STR("Retry-After: 2\r\n"));
	}
}

/* ---- NOTIFY --------------------------------------------------------------------------------- */

static int
send_notify(struct sip_ua *ua, struct sip_session *session, uint16_t status)
{
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	struct writer w = sip_lines_writer(ua);
	uint8_t body[128];
	struct writer fragment = writer_of(body, sizeof body);
	if (dialog == NULL)
		return -EPROTO;
	writer_text(&fragment, "SIP/2.0 ");
	writer_decimal(&fragment, status);
	writer_u8(&fragment, ' ');
	writer_text(&fragment, sip_status_reason(status));
	writer_text(&fragment, "\r\n");
	sip_write_begin(&w, SIP_HEADER_EVENT);
	writer_text(&w, "refer");
	/* RFC 3515 s2.4.6: the second and later REFERs of a dialog are told apart by their CSeq. */
	if (session->refer_count > 1) {
		writer_text(&w, ";id=");
		writer_decimal(&w, session->refer_id);
	}
	sip_write_end(&w);
	sip_write_header_str(&w, SIP_HEADER_SUBSCRIPTION_STATE,
	                     status < 200 ? STR("active;expires=180")
	                                  : STR("terminated;reason=noresource"));
	if (status >= 200)
		session->refer_active = false;
	return sip_dialog_send(ua, dialog, &(struct sip_dialog_request){
		       .method = SIP_NOTIFY,
		       .purpose = SIP_FOR_OTHER,
		       .headers = writer_view(&w),
		       .content_type = STR("message/sipfrag;version=2.0"),
		       .body = writer_view(&fragment),
		       .with_contact = true,
	       }) != 0
	               ? 0
	               : -ENOSPC;
}

int
sip_session_refer_progress(struct sip_ua *ua, sip_session_id id, uint16_t status, int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	if (status < 100 || status > 699)
		return -EINVAL;
	if (!session->refer_active || session->state != SIP_SESSION_CONFIRMED)
		return -EPROTO;
	return send_notify(ua, session, status);
}

int
sip_request_answer(struct sip_ua *ua, sip_request_id request, uint16_t status, int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_txn *txn = sip_txn_get(ua, request.v);
	if (txn == NULL || txn->kind != SIP_TXN_SERVER || txn->state == SIP_TXN_COMPLETED)
		return -ENOENT;
	if (status < 200 || status > 699)
		return -EINVAL;
	struct sip_session *session = sip_session_get(ua, txn->session);
	if (session == NULL)
		return -ENOENT;
	const bool refer = txn->method == SIP_REFER;
	const bool accepted = refer && status < 300;
	const bool silent = txn->refer_silent;
	const uint32_t cseq = txn->cseq;
	struct writer w = sip_lines_writer(ua);
	if (accepted) {
		sip_session_write_contact(ua, session, txn, &w);
		if (silent)
			sip_write_header_str(&w, SIP_HEADER_REFER_SUB, STR("false"));
	}
	waits_no_more(session, txn->id);
	/* RFC 3515 s2.4.4 as RFC 6665 updates it: 200; 202 is still what many send. */
	if (!sip_server_respond(ua, txn, &(struct sip_response){ .status = status,
	                                                         .headers = writer_view(&w) }))
		return -ENOSPC;
	if (!accepted || silent)
		return 0;
	session->refer_id = cseq;
	session->refer_count++;
	session->refer_active = true;
	return send_notify(ua, session, 100);
}

int
sip_session_info(struct sip_ua *ua, sip_session_id id, struct str content_type, struct str body,
                 int64_t now_us)
{
	sip_ua_command(ua, now_us);
	struct sip_session *session = sip_session_live(ua, id);
	if (session == NULL)
		return -ENOENT;
	struct sip_dialog *dialog = sip_session_dialog(ua, session);
	if (dialog == NULL || session->state != SIP_SESSION_CONFIRMED)
		return -EPROTO;
	if (body.len > SIP_UA_BODY_BYTES_MAX || content_type.len > SIP_UA_TEXT_MAX)
		return -EMSGSIZE;
	return sip_dialog_send(ua, dialog, &(struct sip_dialog_request){
		       .method = SIP_INFO,
		       .purpose = SIP_FOR_OTHER,
		       .content_type = content_type,
		       .body = body,
	       }) != 0
	               ? 0
	               : -ENOSPC;
}
