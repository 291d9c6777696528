/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of ours: where they go (RFC 3263), over what (RFC 3261 s18.1.1), once more with an
 * answer to a challenge (s22), to the next target when one fails, and their CANCEL (s9.1) and ACK
 * (s17.1.1.3).
 *
 * A request is kept as it is sent, in four parts whose lengths are known: request line, Via and
 * Contact of this attempt, the lines that change with a retry (CSeq, credentials, session timer),
 * and all the rest. */
#include "sip/sip_ua_internal.h"

static struct str
message_of(struct sip_ua *ua, const struct sip_txn *txn)
{
	return sip_store_get(&ua->store, txn->message, ua->copy_bytes, sizeof ua->copy_bytes);
}

/* The lines that change with a retry. */
static struct str
head_of(struct sip_ua *ua, const struct sip_txn *txn)
{
	return str_sub(message_of(ua, txn), (size_t)txn->start_len + txn->via_len, txn->head_len);
}

/* Never from here: whoever gave the request is still in the middle of it. */
static void
fail_later(struct sip_ua *ua, struct sip_txn *txn, enum sip_failure failure)
{
	txn->failure = failure;
	sip_timer_start_now(ua, &txn->timeout);
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Request line, the Via of this attempt under a new branch, Contact, and the rest as it was. */
static bool
compose(struct sip_ua *ua, struct sip_txn *txn, struct writer *w, char branch[SIP_BRANCH_LEN])
{
	const struct str old = message_of(ua, txn);
	const struct sip_listener *listener = &ua->listeners[txn->hop.listener];
	const size_t rest = (size_t)txn->start_len + txn->via_len;

	memcpy(branch, "z9hG4bK", 7);
	sip_random_hex(ua, branch + 7);
	writer_str(w, str_sub(old, 0, txn->start_len));
	sip_write_via(w, &(struct sip_write_via){
		.transport = txn->hop.transport,
		.host = str_of(listener->host),
		.port = listener->addr.port,
		.branch = { .at = branch, .len = SIP_BRANCH_LEN },
		.rport = true,
		.alias = txn->hop.flow != 0 && !sip_flow_get(ua, txn->hop.flow)->accepted,
	});
	if (txn->with_contact)
		sip_write_contact(ua, w, txn->hop.listener, txn->contact, txn->secure);
	const size_t via_len = w->at - txn->start_len;
	writer_str(w, str_sub(old, rest, old.len - rest));
	if (w->failed || via_len > UINT16_MAX)
		return false;
	txn->via_len = (uint16_t)via_len;
	return true;
}

static void
begin_timers(struct sip_ua *ua, struct sip_txn *txn)
{
	txn->failure = SIP_FAILURE_NONE;
	sip_timer_start(ua, &txn->timeout, sip_timeout_us(ua)); /* B and F */
	if (txn->kind == SIP_TXN_ACK) {
		txn->state = SIP_TXN_COMPLETED;
		sip_txn_linger(ua, txn);
		return;
	}
	txn->state = SIP_TXN_TRYING;
	txn->interval_us = ua->settings.t1_us;
	if (!sip_transport_reliable(txn->hop.transport))
		sip_timer_start(ua, &txn->retransmit, txn->interval_us); /* A and E */
}

/* False when the message cannot be kept. */
static bool
send_first(struct sip_ua *ua, struct sip_txn *txn)
{
	char branch[SIP_BRANCH_LEN];
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);
	if (!compose(ua, txn, &w, branch))
		return false;
	if (!sip_store_replace(&ua->store, &txn->message, writer_view(&w), SIP_FOR_END))
		return false;
	if (txn->kind != SIP_TXN_ACK)
		sip_txn_put_key(ua, txn,
		                sip_client_key(ua,
		                               (struct str){ .at = branch, .len = sizeof branch },
		                               txn->method));
	begin_timers(ua, txn);
	sip_txn_transmit(ua, txn);
	return true;
}

/* Over an open connection now, over one that is being opened later. */
static bool
attempt(struct sip_ua *ua, struct sip_txn *txn)
{
	if (txn->hop.flow == 0)
		return send_first(ua, txn);
	const struct sip_flow *flow = sip_flow_get(ua, txn->hop.flow);
	if (flow == NULL)
		return false;
	txn->hop.to = flow->addr;
	txn->hop.transport = flow->transport;
	txn->hop.listener = flow->listener;
	sip_flow_add_txn(ua, txn);
	if (flow->state == SIP_FLOW_CONNECTING || send_first(ua, txn))
		return true;
	sip_flow_remove_txn(ua, txn);
	return false;
}

void
sip_client_flow_opened(struct sip_ua *ua, struct sip_txn *txn)
{
	if (txn->state == SIP_TXN_LOCATING && !send_first(ua, txn))
		fail_later(ua, txn, SIP_FAILURE_FULL);
}

/* ---- location ------------------------------------------------------------------------------- */

static bool
attempt_by(struct sip_ua *ua, struct sip_txn *txn, enum sip_transport transport,
           const struct net_addr *to)
{
	const int listener = sip_listener_for(ua, transport, to, txn->hop.listener);
	if (listener < 0)
		return false;
	txn->hop = (struct sip_hop){ .transport = transport, .listener = (unsigned)listener,
		                     .to = *to };
	if (sip_transport_reliable(transport)) {
		uint8_t scratch[SIP_BLOCK_BYTES];
		const struct str name =
			sip_store_get(&ua->store, txn->tls_name, scratch, sizeof scratch);
		txn->hop.flow = sip_flow_to(ua, transport, to, name);
		if (txn->hop.flow == 0)
			return false;
	}
	return attempt(ua, txn);
}

/* RFC 3261 s18.1.1: what might not fit a packet goes over TCP, back to UDP when there is none. */
static bool
attempt_target(struct sip_ua *ua, struct sip_txn *txn, const struct sip_target *target)
{
	enum { VIA_ABOUT = 200 };
	const size_t len = sip_store_len(&ua->store, txn->message) - txn->via_len + VIA_ABOUT;
	txn->udp_fallback = false;
	if (target->transport == SIP_TRANSPORT_UDP && len > SIP_UDP_BYTES_MAX) {
		txn->udp_fallback = true;
		if (attempt_by(ua, txn, SIP_TRANSPORT_TCP, &target->addr))
			return true;
		txn->udp_fallback = false;
	}
	return attempt_by(ua, txn, target->transport, &target->addr);
}

/* There are few of these, and a request that was answered needs no other target. */
static void
stop_locating(struct sip_ua *ua, struct sip_txn *txn)
{
	if (slab_get(&ua->locates, txn->locate) != NULL)
		slab_free(&ua->locates, txn->locate);
	txn->locate = 0;
}

static bool
next_target(struct sip_ua *ua, struct sip_txn *txn)
{
	struct sip_locating *locating = slab_get(&ua->locates, txn->locate);
	struct sip_target target;
	bool tried = false;
	while (locating != NULL && !tried && sip_locate_next(&locating->locate, &target))
		tried = attempt_target(ua, txn, &target);
	if (locating == NULL || !tried ||
	    locating->locate.target_next == locating->locate.target_count)
		stop_locating(ua, txn);
	return tried;
}

static enum sip_failure
located_nothing(enum sip_locate_failure failure)
{
	return failure == SIP_LOCATE_NOT_FOUND || failure == SIP_LOCATE_NOT_OFFERED
	               ? SIP_FAILURE_NOT_FOUND
	               : SIP_FAILURE_TRANSPORT;
}

static void
set_tls_name(struct sip_ua *ua, struct sip_txn *txn, const struct sip_locate *locate)
{
	sip_store_drop(&ua->store, &txn->tls_name);
	txn->tls_name = sip_store_put(&ua->store, sip_locate_tls_name(locate), SIP_FOR_CALL);
}

void
sip_client_continue(struct sip_ua *ua, struct sip_txn *txn)
{
	struct sip_locating *locating = slab_get(&ua->locates, txn->locate);
	if (locating == NULL || txn->state != SIP_TXN_LOCATING)
		return;
	for (;;) {
		const struct sip_locate_out out = sip_locate_poll(&locating->locate);
		switch (out.kind) {
		case SIP_LOCATE_QUERY:
			sip_out_dns(ua, (uint64_t)txn->locate << 32 | out.id, out.type, out.name);
			break;
		case SIP_LOCATE_NONE:
			return;
		case SIP_LOCATE_DONE:
			set_tls_name(ua, txn, &locating->locate);
			if (!next_target(ua, txn))
				fail_later(ua, txn, SIP_FAILURE_TRANSPORT);
			return;
		case SIP_LOCATE_FAILED:
			fail_later(ua, txn, located_nothing(out.failure));
			return;
		}
	}
}

void
sip_ua_dns_answer(struct sip_ua *ua, uint64_t query, const struct dns_answer *answer,
                  int64_t now_us)
{
	sip_ua_enter(ua, now_us);
	struct sip_locating *locating = slab_get(&ua->locates, (uint32_t)(query >> 32));
	if (locating == NULL)
		return;
	sip_locate_answer(&locating->locate, (uint32_t)query, answer);
	struct sip_txn *txn = sip_txn_get(ua, locating->txn);
	CHECK(txn != NULL);
	sip_client_continue(ua, txn);
}

static void
locate(struct sip_ua *ua, struct sip_txn *txn, struct str next_hop, unsigned transports)
{
	struct sip_uri uri;
	struct sip_locating *locating = NULL;
	if (sip_uri_parse(&uri, next_hop))
		locating = slab_take(&ua->locates, &txn->locate);
	if (locating == NULL) {
		fail_later(ua, txn, SIP_FAILURE_TRANSPORT);
		return;
	}
	const unsigned by_dns = SIP_TRANSPORT_BIT(SIP_TRANSPORT_UDP) |
	                        SIP_TRANSPORT_BIT(SIP_TRANSPORT_TCP) |
	                        SIP_TRANSPORT_BIT(SIP_TRANSPORT_TLS);
	locating->txn = txn->id;
	sip_locate_init(&locating->locate, &(struct sip_locate_settings){
		.uri = &uri,
		.transports = ua->transports & by_dns & (transports != 0 ? transports : by_dns),
		.ip4 = ua->ip4,
		.ip6 = ua->ip6,
		.prng = &ua->prng,
	});
	sip_client_continue(ua, txn);
}

/* ---- life ----------------------------------------------------------------------------------- */

static enum sip_urgency
urgency_of(const struct sip_request *request)
{
	if (request->method == SIP_BYE || request->method == SIP_ACK)
		return SIP_FOR_END;
	return request->purpose == SIP_FOR_INVITE ? SIP_FOR_NEW : SIP_FOR_CALL;
}

uint32_t
sip_client_start(struct sip_ua *ua, const struct sip_request *request)
{
	const enum sip_txn_kind kind = request->method == SIP_INVITE ? SIP_TXN_INVITE_CLIENT
	                               : request->method == SIP_ACK  ? SIP_TXN_ACK
	                                                             : SIP_TXN_CLIENT;
	struct sip_txn *txn = sip_txn_take(ua, kind, request->method);
	if (txn == NULL)
		return 0;
	txn->message = sip_store_put(&ua->store, request->text, urgency_of(request));
	if (txn->message == 0) {
		sip_txn_end(ua, txn);
		return 0;
	}
	txn->state = SIP_TXN_LOCATING;
	txn->purpose = request->purpose;
	txn->session = request->session;
	txn->dialog = request->dialog;
	txn->cseq = request->cseq;
	txn->start_len = request->start_len;
	txn->head_len = request->head_len;
	txn->with_contact = request->with_contact;
	txn->secure = request->secure;
	txn->contact = sip_store_share(&ua->store, request->contact);
	txn->credentials = sip_store_share(&ua->store, request->credentials);
	txn->hop.listener = request->listener;
	sip_timer_start(ua, &txn->timeout, sip_timeout_us(ua));

	const struct sip_flow *flow = sip_flow_get(ua, request->flow);
	if (flow != NULL) {
		txn->hop.flow = flow->id;
		if (!attempt(ua, txn))
			fail_later(ua, txn, SIP_FAILURE_FULL);
	} else if (request->last_transport == SIP_TRANSPORT_WS ||
	           request->last_transport == SIP_TRANSPORT_WSS) {
		/* RFC 7118 s5: a browser cannot be called back. */
		fail_later(ua, txn, SIP_FAILURE_TRANSPORT);
	} else {
		locate(ua, txn, request->next_hop, request->transports);
	}
	return txn->id;
}

/* Back to before it was sent. */
static void
rewind_txn(struct sip_ua *ua, struct sip_txn *txn)
{
	sip_timer_stop(ua, &txn->retransmit);
	sip_timer_start(ua, &txn->timeout, sip_timeout_us(ua));
	sip_flow_remove_txn(ua, txn);
	if (txn->key != 0)
		map_remove(&ua->txn_map, txn->key, txn->id);
	txn->key = 0;
	txn->state = SIP_TXN_LOCATING;
	txn->failure = SIP_FAILURE_NONE;
	txn->hop.flow = 0;
}

static bool
try_elsewhere(struct sip_ua *ua, struct sip_txn *txn, enum sip_failure failure)
{
	if (txn->cancelled || failure == SIP_FAILURE_TIMEOUT)
		return false;
	const struct net_addr to = txn->hop.to;
	const bool back_to_udp = txn->udp_fallback && failure == SIP_FAILURE_TRANSPORT;
	rewind_txn(ua, txn);
	txn->udp_fallback = false;
	if (back_to_udp && attempt_by(ua, txn, SIP_TRANSPORT_UDP, &to))
		return true;
	return next_target(ua, txn);
}

void
sip_client_failed(struct sip_ua *ua, struct sip_txn *txn, enum sip_failure failure)
{
	const uint32_t id = txn->id;
	if (try_elsewhere(ua, txn, failure))
		return;
	txn->failure = failure;
	sip_session_outcome(ua, txn, NULL);
	txn = sip_txn_get(ua, id);
	if (txn != NULL)
		sip_txn_end(ua, txn);
}

/* The session's view of what is going on moves to the new transaction. */
static void
hand_over(struct sip_ua *ua, struct sip_txn *from, struct sip_txn *to)
{
	struct sip_session *session = sip_session_get(ua, from->session);
	to->session = from->session;
	to->dialog = from->dialog;
	to->purpose = from->purpose;
	if (session != NULL && session->invite == from->id && session->invite_ours)
		session->invite = to->id;
	if (session != NULL && session->update == from->id)
		session->update = to->id;
	from->session = 0;
	from->dialog = 0;
	from->purpose = SIP_FOR_NOTHING;
	to->locate = from->locate;
	from->locate = 0;
	struct sip_locating *locating = slab_get(&ua->locates, to->locate);
	if (locating != NULL)
		locating->txn = to->id;
}

/* The same request with its Via cut out and, perhaps, another head; as a new transaction. */
static struct sip_txn *
duplicate(struct sip_ua *ua, struct sip_txn *txn, const struct str *head)
{
	const struct str old = message_of(ua, txn);
	const size_t head_at = (size_t)txn->start_len + txn->via_len;
	const size_t rest_at = head_at + txn->head_len;
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);

	writer_str(&w, str_sub(old, 0, txn->start_len));
	writer_str(&w, head != NULL ? *head : str_sub(old, head_at, txn->head_len));
	const size_t head_len = w.at - txn->start_len;
	writer_str(&w, str_sub(old, rest_at, old.len - rest_at));
	if (w.failed || head_len > UINT16_MAX)
		return NULL;
	struct sip_txn *copy = sip_txn_take(ua, txn->kind, txn->method);
	if (copy == NULL)
		return NULL;
	copy->message = sip_store_put(&ua->store, writer_view(&w), SIP_FOR_CALL);
	if (copy->message == 0) {
		sip_txn_end(ua, copy);
		return NULL;
	}
	copy->state = SIP_TXN_LOCATING;
	copy->start_len = txn->start_len;
	copy->head_len = (uint16_t)head_len;
	copy->with_contact = txn->with_contact;
	copy->secure = txn->secure;
	copy->cseq = txn->cseq;
	copy->auth_tries = txn->auth_tries;
	copy->auth_origin = txn->auth_origin;
	copy->auth_proxy = txn->auth_proxy;
	copy->diverts = txn->diverts;
	copy->udp_fallback = txn->udp_fallback;
	copy->contact = sip_store_share(&ua->store, txn->contact);
	copy->credentials = sip_store_share(&ua->store, txn->credentials);
	copy->tls_name = sip_store_share(&ua->store, txn->tls_name);
	copy->hop = txn->hop;
	sip_timer_start(ua, &copy->timeout, sip_timeout_us(ua));
	return copy;
}

/* CSeq of a request that is made anew within its dialog, or before there is one. */
static uint32_t
next_cseq(struct sip_ua *ua, const struct sip_txn *txn)
{
	struct sip_dialog *dialog = sip_dialog_get(ua, txn->dialog);
	if (dialog == NULL)
		return txn->cseq + 1;
	if (dialog->local_cseq < txn->cseq)
		dialog->local_cseq = txn->cseq;
	return ++dialog->local_cseq;
}

uint32_t
sip_client_again(struct sip_ua *ua, struct sip_txn *txn, const struct str *head)
{
	uint8_t text[8192];
	struct writer w = writer_of(text, sizeof text);
	const uint32_t cseq = next_cseq(ua, txn);
	struct str rest = head != NULL ? *head : head_of(ua, txn);
	if (head == NULL)
		(void)str_cut(&rest, '\n'); /* the old CSeq comes first */
	sip_write_cseq(&w, cseq, txn->method);
	writer_str(&w, rest);
	if (w.failed)
		return 0;
	struct sip_txn *copy = duplicate(ua, txn, &(struct str){ .at = (char *)text, .len = w.at });
	if (copy == NULL)
		return 0;
	copy->cseq = cseq;
	hand_over(ua, txn, copy);
	/* To the same place; should its connection be gone, to the next. */
	if (!attempt(ua, copy) && !next_target(ua, copy))
		fail_later(ua, copy, SIP_FAILURE_TRANSPORT);
	return copy->id;
}

/* ---- responses ------------------------------------------------------------------------------ */

static struct sip_digest_credentials
credentials_of(struct sip_ua *ua, const struct sip_txn *txn, uint8_t *scratch, size_t cap)
{
	struct str rest = sip_store_get(&ua->store, txn->credentials, scratch, cap);
	struct sip_digest_credentials credentials;
	credentials.realm = str_cut(&rest, '\0');
	credentials.username = str_cut(&rest, '\0');
	credentials.password = str_cut(&rest, '\0');
	return credentials;
}

static bool
is_header(struct str line, enum sip_header_id id)
{
	const struct str name = str_of(sip_header_name(id));
	return str_starts(line, name) && line.len > name.len && line.at[name.len] == ':';
}

/* The head without its CSeq and without the header that is written anew. */
static void
copy_head_without(struct writer *w, struct str head, enum sip_header_id id)
{
	(void)str_cut(&head, '\n');
	while (head.len != 0) {
		const struct str line = str_cut(&head, '\n');
		if (is_header(line, id))
			continue;
		writer_str(w, line);
		writer_u8(w, '\n');
	}
}

void
sip_client_write_credentials(struct sip_ua *ua, struct writer *w, const struct sip_txn *txn)
{
	if (txn->message == 0)
		return;
	struct str head = head_of(ua, txn);
	while (head.len != 0) {
		const struct str line = str_cut(&head, '\n');
		if (!is_header(line, SIP_HEADER_AUTHORIZATION) &&
		    !is_header(line, SIP_HEADER_PROXY_AUTHORIZATION))
			continue;
		writer_str(w, line);
		writer_u8(w, '\n');
	}
}

/* One answer for each of 401 and 407, and another when the server says that only its nonce was
 * old. */
static bool
answer_challenge(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	const bool proxy = msg->status == 407;
	bool *answered = proxy ? &txn->auth_proxy : &txn->auth_origin;
	const enum sip_header_id id =
		proxy ? SIP_HEADER_PROXY_AUTHORIZATION : SIP_HEADER_AUTHORIZATION;
	uint8_t scratch[4 * SIP_UA_TEXT_MAX];
	uint8_t text[4096];
	struct sip_auth challenge;

	if (txn->credentials == 0 || txn->cancelled || txn->auth_tries >= SIP_AUTH_TRIES_MAX)
		return false;
	const struct sip_digest_credentials credentials =
		credentials_of(ua, txn, scratch, sizeof scratch);
	bool sent = false;
	if (!sip_digest_choose(&challenge, msg, &credentials) || (*answered && !challenge.stale))
		goto out;

	const struct str old = message_of(ua, txn);
	struct str line = str_sub(old, 0, txn->start_len);
	const struct str method = str_cut(&line, ' ');
	struct sip_digest_answer answer = {
		.challenge = &challenge,
		.credentials = &credentials,
		.method = method,
		.uri = str_cut(&line, ' '),
		.nc = 1,
	};
	sip_random_bytes(ua, answer.cnonce, sizeof answer.cnonce);
	struct writer w = writer_of(text, sizeof text);
	copy_head_without(&w, head_of(ua, txn), id);
	sip_write_begin(&w, id);
	const bool written = sip_digest_write_answer(&w, &answer);
	sip_write_end(&w);
	if (!written || w.failed)
		goto out;
	*answered = true;
	txn->auth_tries++;
	sent = sip_client_again(ua, txn, &(struct str){ .at = (char *)text, .len = w.at }) != 0;
out:
	explicit_bzero(scratch, sizeof scratch);
	return sent;
}

/* RFC 3263 s4.3: a server that says 503 is passed over, if there is another. */
static bool
pass_over(struct sip_ua *ua, struct sip_txn *txn)
{
	if (txn->cancelled || txn->locate == 0)
		return false;
	struct sip_txn *copy = duplicate(ua, txn, NULL);
	if (copy == NULL)
		return false;
	copy->hop.flow = 0;
	hand_over(ua, txn, copy);
	if (next_target(ua, copy))
		return true;
	hand_over(ua, copy, txn);
	sip_txn_end(ua, copy);
	return false;
}

void
sip_client_response(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	txn->status = msg->status;
	if (msg->status != 503)
		stop_locating(ua, txn);
	if (msg->status < 200) {
		if (txn->cancelled && !txn->cancel_sent)
			sip_client_cancel(ua, txn);
	} else if (msg->status == 401 || msg->status == 407) {
		if (answer_challenge(ua, txn, msg))
			return;
	} else if (msg->status == 503) {
		if (pass_over(ua, txn))
			return;
	}
	sip_session_outcome(ua, txn, msg);
}

/* ---- ACK and CANCEL ------------------------------------------------------------------------- */

static void
write_text_header(struct writer *w, enum sip_header_id id, struct str text)
{
	sip_write_begin(w, id);
	sip_write_text(w, text);
	sip_write_end(w);
}

/* Both repeat the request they belong to: URI, top Via, From, Call-ID, CSeq number and Route. */
static bool
write_companion(struct sip_ua *ua, struct writer *w, const struct sip_txn *txn,
                enum sip_method method, struct str to)
{
	struct sip_msg *own = &ua->own;
	const struct str text = message_of(ua, txn);
	if (sip_msg_parse(own, text.at, text.len, SIP_DATAGRAM) != SIP_OK)
		return false;
	sip_write_request_line(w, method, own->uri.text);
	write_text_header(w, SIP_HEADER_VIA, own->via.text);
	sip_write_copy(w, SIP_HEADER_ROUTE, own);
	sip_write_header_u32(w, SIP_HEADER_MAX_FORWARDS, 70);
	write_text_header(w, SIP_HEADER_FROM, own->from.text);
	write_text_header(w, SIP_HEADER_TO, to.len != 0 ? to : own->to.text);
	write_text_header(w, SIP_HEADER_CALL_ID, own->call_id);
	sip_write_cseq(w, txn->cseq, method);
	return true;
}

void
sip_client_ack(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);
	if (!write_companion(ua, &w, txn, SIP_ACK, msg->to.text))
		return;
	sip_write_body(&w, (struct str){ 0 }, (struct str){ 0 });
	if (w.failed)
		return;
	txn->answer = sip_store_put(&ua->store, writer_view(&w), SIP_FOR_END);
	if (txn->answer != 0 && (txn->hop.flow != 0 || !sip_transport_reliable(txn->hop.transport)))
		sip_out_send(ua, &txn->hop, txn->answer);
}

static void
send_cancel(struct sip_ua *ua, struct sip_txn *invite)
{
	struct sip_txn *cancel = sip_txn_take(ua, SIP_TXN_CLIENT, SIP_CANCEL);
	if (cancel == NULL)
		return;
	const struct sip_session *session = sip_session_get(ua, invite->session);
	uint8_t scratch[2 * SIP_BLOCK_BYTES];
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);
	if (write_companion(ua, &w, invite, SIP_CANCEL, (struct str){ 0 })) {
		if (session != NULL && session->reason != 0)
			writer_str(&w, sip_store_get(&ua->store, session->reason, scratch,
			                             sizeof scratch));
		sip_write_body(&w, (struct str){ 0 }, (struct str){ 0 });
		if (!w.failed)
			cancel->message = sip_store_put(&ua->store, writer_view(&w), SIP_FOR_END);
	}
	if (cancel->message == 0) {
		sip_txn_end(ua, cancel);
		return;
	}
	cancel->hop = invite->hop;
	cancel->cseq = invite->cseq;
	cancel->cancelled = true; /* it goes nowhere else (s9.1) */
	if (cancel->hop.flow != 0)
		sip_flow_add_txn(ua, cancel);
	sip_txn_put_key(ua, cancel, sip_client_key(ua, ua->own.via.branch, SIP_CANCEL));
	begin_timers(ua, cancel);
	sip_txn_transmit(ua, cancel);
}

void
sip_client_cancel(struct sip_ua *ua, struct sip_txn *invite)
{
	CHECK(invite->kind == SIP_TXN_INVITE_CLIENT);
	invite->cancelled = true;
	if (invite->state == SIP_TXN_LOCATING) {
		fail_later(ua, invite, SIP_FAILURE_TIMEOUT); /* nothing was sent */
	} else if (invite->state == SIP_TXN_PROCEEDING && !invite->cancel_sent) {
		invite->cancel_sent = true;
		/* s9.1: a peer that never ends the INVITE is waited for no longer than this. */
		sip_timer_start(ua, &invite->timeout, sip_timeout_us(ua));
		send_cancel(ua, invite);
	}
}
