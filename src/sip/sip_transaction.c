/* SPDX-License-Identifier: Apache-2.0 */
/* The four transaction machines of RFC 3261 s17 with the accepted states of RFC 6026, as one table:
 * machine[kind][state][input] is the step to take.  An empty cell means that the input does not
 * matter there. */
#include "sip/sip_ua_internal.h"

/* ---- life ----------------------------------------------------------------------------------- */

struct sip_txn *
sip_txn_get(const struct sip_ua *ua, uint32_t id)
{
	return slab_get(&ua->txns, id);
}

static void
list_append(struct sip_ua *ua, struct sip_txn *txn, enum sip_txn_list list)
{
	struct sip_txn_link *link = &txn->links[list];
	const uint32_t last = ua->txn_last[list];
	if (link->in)
		return;
	*link = (struct sip_txn_link){ .prev = last, .in = true };
	if (last != 0)
		sip_txn_get(ua, last)->links[list].next = txn->id;
	else
		ua->txn_first[list] = txn->id;
	ua->txn_last[list] = txn->id;
}

static void
list_remove(struct sip_ua *ua, struct sip_txn *txn, enum sip_txn_list list)
{
	const struct sip_txn_link link = txn->links[list];
	if (!link.in)
		return;
	txn->links[list] = (struct sip_txn_link){ 0 };
	if (link.prev != 0)
		sip_txn_get(ua, link.prev)->links[list].next = link.next;
	else
		ua->txn_first[list] = link.next;
	if (link.next != 0)
		sip_txn_get(ua, link.next)->links[list].prev = link.prev;
	else
		ua->txn_last[list] = link.prev;
}

void
sip_txn_linger(struct sip_ua *ua, struct sip_txn *txn)
{
	list_append(ua, txn, SIP_TXNS_LINGERING);
}

struct sip_txn *
sip_txn_take(struct sip_ua *ua, enum sip_txn_kind kind, enum sip_method method)
{
	uint32_t id;
	/* What only waits for retransmissions makes room, the oldest first, but not the one whose
	 * step is being taken. */
	if (ua->txns.count == ua->txns.cap) {
		struct sip_txn *oldest = sip_txn_get(ua, ua->txn_first[SIP_TXNS_LINGERING]);
		if (oldest != NULL && oldest->id == ua->busy_txn)
			oldest = sip_txn_get(ua, oldest->links[SIP_TXNS_LINGERING].next);
		if (oldest != NULL)
			sip_txn_end(ua, oldest);
	}
	struct sip_txn *txn = slab_take(&ua->txns, &id);
	if (txn == NULL)
		return NULL;
	txn->id = id;
	txn->kind = kind;
	txn->method = method;
	sip_timer_init(&txn->retransmit, SIP_TIMER_TXN_RETRANSMIT, id);
	sip_timer_init(&txn->timeout, SIP_TIMER_TXN_TIMEOUT, id);
	return txn;
}

void
sip_txn_make_room(struct sip_ua *ua)
{
	const size_t wanted = (size_t)(ua->store.cap / 8) * SIP_BLOCK_BYTES;
	CHECK(ua->busy_txn == 0);
	while (ua->txn_first[SIP_TXNS_LINGERING] != 0 &&
	       !sip_store_has_room(&ua->store, SIP_FOR_NEW, wanted))
		sip_txn_end(ua, sip_txn_get(ua, ua->txn_first[SIP_TXNS_LINGERING]));
}

void
sip_txn_put_key(struct sip_ua *ua, struct sip_txn *txn, uint64_t key)
{
	CHECK(txn->key == 0);
	txn->key = key;
	CHECK(map_put(&ua->txn_map, key, txn->id));
}

struct sip_txn *
sip_txn_find(const struct sip_ua *ua, uint64_t key)
{
	struct map_cursor cursor = map_find(&ua->txn_map, key);
	return sip_txn_get(ua, map_next(&ua->txn_map, &cursor));
}

void
sip_txn_set_half_open(struct sip_ua *ua, struct sip_txn *txn, bool half_open)
{
	if (txn->half_open == half_open)
		return;
	struct sip_source *source = sip_source_of(ua, txn->source);
	txn->half_open = half_open;
	if (half_open) {
		CHECK(source != NULL);
		source->half_open++;
		ua->half_open++;
		txn->half_open_us = ua->now_us;
		list_append(ua, txn, SIP_TXNS_HALF_OPEN);
		return;
	}
	CHECK(source != NULL && source->half_open != 0 && ua->half_open != 0);
	source->half_open--;
	ua->half_open--;
	list_remove(ua, txn, SIP_TXNS_HALF_OPEN);
	sip_source_put(ua, txn->source);
}

void
sip_txn_end(struct sip_ua *ua, struct sip_txn *txn)
{
	sip_timer_stop(ua, &txn->retransmit);
	sip_timer_stop(ua, &txn->timeout);
	list_remove(ua, txn, SIP_TXNS_LINGERING);
	sip_flow_remove_txn(ua, txn);
	sip_txn_set_half_open(ua, txn, false);
	if (txn->key != 0)
		map_remove(&ua->txn_map, txn->key, txn->id);
	if (txn->merge_key != 0)
		map_remove(&ua->txn_map, txn->merge_key, txn->id);
	if (slab_get(&ua->locates, txn->locate) != NULL)
		slab_free(&ua->locates, txn->locate);
	sip_store_drop(&ua->store, &txn->message);
	sip_store_drop(&ua->store, &txn->answer);
	sip_store_drop(&ua->store, &txn->contact);
	sip_store_wipe(&ua->store, &txn->credentials);
	sip_store_drop(&ua->store, &txn->tls_name);
	slab_free(&ua->txns, txn->id);
}

void
sip_txn_transmit(struct sip_ua *ua, const struct sip_txn *txn)
{
	/* A connection that is gone takes nothing; its end was or will be told. */
	if (txn->message == 0 || (sip_transport_reliable(txn->hop.transport) && txn->hop.flow == 0))
		return;
	sip_out_send(ua, &txn->hop, txn->message);
}

static bool
unreliable(const struct sip_txn *txn)
{
	return !sip_transport_reliable(txn->hop.transport);
}

/* ---- matching ------------------------------------------------------------------------------- */

uint64_t
sip_client_key(const struct sip_ua *ua, struct str branch, enum sip_method method)
{
	return sip_hash(ua, 'c', branch, (struct str){ 0 }, (uint32_t)method);
}

/* RFC 3261 s17.2.3: branch, sent-by and method, the ACK and CANCEL under their INVITE's. */
uint64_t
sip_server_key(const struct sip_ua *ua, const struct sip_msg *msg, struct str method)
{
	if (msg->via.magic) {
		const uint64_t sent_by =
			sip_hash(ua, 'v', msg->via.host, method, msg->via.port);
		return sip_hash(ua, 's', msg->via.branch,
		                (struct str){ .at = (const char *)&sent_by, .len = sizeof sent_by },
		                0);
	}
	/* RFC 2543 peers: what stays the same between INVITE and ACK. */
	const uint64_t ids = sip_hash(ua, '2', msg->call_id, msg->from.tag, msg->cseq.number);
	return sip_hash(ua, 's', method,
	                (struct str){ .at = (const char *)&ids, .len = sizeof ids }, 1);
}

/* ---- steps: clients ------------------------------------------------------------------------- */

static void
enter(struct sip_ua *ua, struct sip_txn *txn, enum sip_txn_state state, int64_t after_us)
{
	txn->state = state;
	sip_timer_stop(ua, &txn->retransmit);
	sip_timer_start(ua, &txn->timeout, after_us);
}

/* What only waits keeps no more than it may have to send again. */
static void
drop_request(struct sip_ua *ua, uint32_t id)
{
	struct sip_txn *txn = sip_txn_get(ua, id);
	if (txn != NULL)
		sip_store_drop(&ua->store, &txn->message);
}

static void
client_resend(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	ua->counters[SIP_UA_RETRANSMITS_OUT]++;
	sip_txn_transmit(ua, txn);
	txn->interval_us *= 2;
	/* Timer A doubles without end, timer E up to T2 (s17.1.2.2). */
	if (txn->kind == SIP_TXN_CLIENT &&
	    (txn->interval_us > ua->settings.t2_us || txn->state == SIP_TXN_PROCEEDING))
		txn->interval_us = ua->settings.t2_us;
	sip_timer_start(ua, &txn->retransmit, txn->interval_us);
}

static void
invite_provisional(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	/* From here on only the caller's patience counts (its ring timer), unless it was
	 * cancelled. */
	if (txn->state == SIP_TXN_TRYING) {
		sip_timer_stop(ua, &txn->retransmit);
		sip_timer_stop(ua, &txn->timeout);
	}
	txn->state = SIP_TXN_PROCEEDING;
	sip_client_response(ua, txn, msg);
}

static void
invite_accepted(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	const uint32_t id = txn->id;
	const bool proven = txn->auth_tries != 0; /* its ACKs repeat the credentials */
	if (txn->state != SIP_TXN_ACCEPTED) {
		enter(ua, txn, SIP_TXN_ACCEPTED, sip_timeout_us(ua)); /* timer M */
		sip_txn_linger(ua, txn);
	}
	sip_client_response(ua, txn, msg);
	if (!proven)
		drop_request(ua, id);
}

static void
invite_refused(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	const uint32_t id = txn->id;
	sip_client_ack(ua, txn, msg);
	/* Timer D: at least 32 s on UDP. */
	enter(ua, txn, SIP_TXN_COMPLETED, unreliable(txn) ? sip_timeout_us(ua) : 0);
	sip_txn_linger(ua, txn);
	sip_client_response(ua, txn, msg);
	drop_request(ua, id);
}

static void
invite_ack_again(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	ua->counters[SIP_UA_RETRANSMITS_IN]++;
	if (txn->answer != 0 && (unreliable(txn) || txn->hop.flow != 0))
		sip_out_send(ua, &txn->hop, txn->answer);
}

static void
client_provisional(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	txn->state = SIP_TXN_PROCEEDING;
	sip_client_response(ua, txn, msg);
}

static void
client_final(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	const uint32_t id = txn->id;
	enter(ua, txn, SIP_TXN_COMPLETED, unreliable(txn) ? ua->settings.t4_us : 0); /* K */
	sip_txn_linger(ua, txn);
	sip_client_response(ua, txn, msg);
	drop_request(ua, id);
}

static void
client_timeout(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	const bool silent = txn->state == SIP_TXN_TRYING;
	sip_client_failed(ua, txn, silent ? SIP_FAILURE_TIMEOUT_SILENT : SIP_FAILURE_TIMEOUT);
}

static void
client_transport(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	sip_client_failed(ua, txn, SIP_FAILURE_TRANSPORT);
}

static void
locating_over(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	sip_client_failed(ua, txn,
	                  txn->failure != SIP_FAILURE_NONE ? txn->failure : SIP_FAILURE_TRANSPORT);
}

static void
end(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	sip_txn_end(ua, txn);
}

/* ---- steps: servers ------------------------------------------------------------------------- */

static void
server_send(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	sip_timer_stop(ua, &txn->retransmit); /* no 100 is needed any more */
	txn->state = SIP_TXN_PROCEEDING;
	sip_txn_transmit(ua, txn);
}

static void
server_resend(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	ua->counters[SIP_UA_RETRANSMITS_IN]++;
	sip_txn_transmit(ua, txn);
}

static void
server_absorb(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)txn;
	(void)msg;
	ua->counters[SIP_UA_RETRANSMITS_IN]++;
}

/* s17.2.1: 100 when the caller takes longer than 200 ms. */
static void
invite_trying(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	if (txn->message == 0)
		sip_server_status(ua, txn, 100, (struct str){ 0 });
}

static void
invite_accept(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	if (txn->state != SIP_TXN_ACCEPTED)
		enter(ua, txn, SIP_TXN_ACCEPTED, sip_timeout_us(ua)); /* timer L */
	sip_store_drop(&ua->store, &txn->answer);
	sip_txn_transmit(ua, txn);
}

static void
invite_refuse(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	sip_txn_transmit(ua, txn);
	sip_store_drop(&ua->store, &txn->answer);
	enter(ua, txn, SIP_TXN_COMPLETED, sip_timeout_us(ua)); /* timer H */
	txn->interval_us = ua->settings.t1_us;
	if (unreliable(txn))
		sip_timer_start(ua, &txn->retransmit, txn->interval_us); /* timer G */
}

static void
invite_refuse_again(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	ua->counters[SIP_UA_RETRANSMITS_OUT]++;
	sip_txn_transmit(ua, txn);
	txn->interval_us *= 2;
	if (txn->interval_us > ua->settings.t2_us)
		txn->interval_us = ua->settings.t2_us;
	sip_timer_start(ua, &txn->retransmit, txn->interval_us);
}

static void
invite_confirmed(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	sip_txn_set_half_open(ua, txn, false);
	if (!unreliable(txn)) {
		sip_txn_end(ua, txn);
		return;
	}
	sip_store_drop(&ua->store, &txn->message);
	enter(ua, txn, SIP_TXN_CONFIRMED, ua->settings.t4_us); /* timer I */
	sip_txn_linger(ua, txn);
}

static void
server_final(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	sip_txn_transmit(ua, txn);
	sip_store_drop(&ua->store, &txn->answer);
	enter(ua, txn, SIP_TXN_COMPLETED, unreliable(txn) ? sip_timeout_us(ua) : 0); /* timer J */
	sip_txn_linger(ua, txn);
}

static void
server_lost(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg)
{
	(void)msg;
	const uint32_t id = txn->id;
	sip_session_server_failed(ua, txn);
	txn = sip_txn_get(ua, id);
	if (txn != NULL)
		sip_txn_end(ua, txn);
}

/* ---- the table ------------------------------------------------------------------------------ */

typedef void step(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg);

static step *const machine[SIP_TXN_KINDS][SIP_TXN_STATES][SIP_TXN_INPUTS] = {
	[SIP_TXN_INVITE_CLIENT] = {
		[SIP_TXN_LOCATING] = {
			[SIP_IN_TIMEOUT] = locating_over,
			[SIP_IN_TRANSPORT] = client_transport,
		},
		[SIP_TXN_TRYING] = {
			[SIP_IN_1XX] = invite_provisional,
			[SIP_IN_2XX] = invite_accepted,
			[SIP_IN_FINAL] = invite_refused,
			[SIP_IN_RETRANSMIT] = client_resend,
			[SIP_IN_TIMEOUT] = client_timeout,
			[SIP_IN_TRANSPORT] = client_transport,
		},
		[SIP_TXN_PROCEEDING] = {
			[SIP_IN_1XX] = invite_provisional,
			[SIP_IN_2XX] = invite_accepted,
			[SIP_IN_FINAL] = invite_refused,
			[SIP_IN_TIMEOUT] = client_timeout,
			[SIP_IN_TRANSPORT] = client_transport,
		},
		[SIP_TXN_COMPLETED] = {
			[SIP_IN_FINAL] = invite_ack_again,
			[SIP_IN_TIMEOUT] = end,
			[SIP_IN_TRANSPORT] = end,
		},
		[SIP_TXN_ACCEPTED] = {
			[SIP_IN_2XX] = invite_accepted,
			[SIP_IN_TIMEOUT] = end,
			[SIP_IN_TRANSPORT] = end,
		},
	},
	[SIP_TXN_CLIENT] = {
		[SIP_TXN_LOCATING] = {
			[SIP_IN_TIMEOUT] = locating_over,
			[SIP_IN_TRANSPORT] = client_transport,
		},
		[SIP_TXN_TRYING] = {
			[SIP_IN_1XX] = client_provisional,
			[SIP_IN_2XX] = client_final,
			[SIP_IN_FINAL] = client_final,
			[SIP_IN_RETRANSMIT] = client_resend,
			[SIP_IN_TIMEOUT] = client_timeout,
			[SIP_IN_TRANSPORT] = client_transport,
		},
		[SIP_TXN_PROCEEDING] = {
			[SIP_IN_1XX] = client_provisional,
			[SIP_IN_2XX] = client_final,
			[SIP_IN_FINAL] = client_final,
			[SIP_IN_RETRANSMIT] = client_resend,
			[SIP_IN_TIMEOUT] = client_timeout,
			[SIP_IN_TRANSPORT] = client_transport,
		},
		[SIP_TXN_COMPLETED] = {
			[SIP_IN_TIMEOUT] = end,
			[SIP_IN_TRANSPORT] = end,
		},
	},
	[SIP_TXN_INVITE_SERVER] = {
		[SIP_TXN_PROCEEDING] = {
			[SIP_IN_REQUEST] = server_resend,
			[SIP_IN_1XX] = server_send,
			[SIP_IN_2XX] = invite_accept,
			[SIP_IN_FINAL] = invite_refuse,
			[SIP_IN_RETRANSMIT] = invite_trying,
			[SIP_IN_TRANSPORT] = server_lost,
		},
		[SIP_TXN_COMPLETED] = {
			[SIP_IN_REQUEST] = server_resend,
			[SIP_IN_RETRANSMIT] = invite_refuse_again,
			[SIP_IN_ACK] = invite_confirmed,
			[SIP_IN_TIMEOUT] = end,
			[SIP_IN_TRANSPORT] = end,
		},
		[SIP_TXN_CONFIRMED] = {
			[SIP_IN_REQUEST] = server_absorb,
			[SIP_IN_ACK] = server_absorb,
			[SIP_IN_TIMEOUT] = end,
			[SIP_IN_TRANSPORT] = end,
		},
		[SIP_TXN_ACCEPTED] = {
			[SIP_IN_REQUEST] = server_absorb,
			[SIP_IN_2XX] = invite_accept,
			[SIP_IN_TIMEOUT] = end,
			[SIP_IN_TRANSPORT] = end,
		},
	},
	[SIP_TXN_SERVER] = {
		[SIP_TXN_TRYING] = {
			[SIP_IN_REQUEST] = server_absorb,
			[SIP_IN_1XX] = server_send,
			[SIP_IN_2XX] = server_final,
			[SIP_IN_FINAL] = server_final,
			[SIP_IN_TIMEOUT] = server_lost,
			[SIP_IN_TRANSPORT] = server_lost,
		},
		[SIP_TXN_PROCEEDING] = {
			[SIP_IN_REQUEST] = server_resend,
			[SIP_IN_1XX] = server_send,
			[SIP_IN_2XX] = server_final,
			[SIP_IN_FINAL] = server_final,
			[SIP_IN_TIMEOUT] = server_lost,
			[SIP_IN_TRANSPORT] = server_lost,
		},
		[SIP_TXN_COMPLETED] = {
			[SIP_IN_REQUEST] = server_resend,
			[SIP_IN_TIMEOUT] = end,
			[SIP_IN_TRANSPORT] = end,
		},
	},
	[SIP_TXN_ACK] = {
		[SIP_TXN_LOCATING] = {
			[SIP_IN_TIMEOUT] = locating_over,
			[SIP_IN_TRANSPORT] = client_transport,
		},
		[SIP_TXN_COMPLETED] = {
			[SIP_IN_TIMEOUT] = end,
			[SIP_IN_TRANSPORT] = end,
		},
	},
};

void
sip_txn_input(struct sip_ua *ua, struct sip_txn *txn, enum sip_txn_input input,
              const struct sip_msg *msg)
{
	CHECK(txn->kind < SIP_TXN_KINDS && txn->state < SIP_TXN_STATES && input < SIP_TXN_INPUTS);
	step *take = machine[txn->kind][txn->state][input];
	if (take == NULL)
		return;
	const uint32_t outer = ua->busy_txn;
	ua->busy_txn = txn->id;
	take(ua, txn, msg);
	ua->busy_txn = outer;
}

void
sip_txn_retransmit_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_txn *txn = sip_txn_get(ua, id);
	if (txn != NULL)
		sip_txn_input(ua, txn, SIP_IN_RETRANSMIT, NULL);
}

void
sip_txn_timeout_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_txn *txn = sip_txn_get(ua, id);
	if (txn == NULL)
		return;
	/* A connection that went away is told by way of this timer. */
	const bool lost = txn->failure == SIP_FAILURE_TRANSPORT;
	sip_txn_input(ua, txn, lost ? SIP_IN_TRANSPORT : SIP_IN_TIMEOUT, NULL);
}

/* ---- server: answering ---------------------------------------------------------------------- */

static uint64_t
merge_key(const struct sip_ua *ua, const struct sip_msg *msg)
{
	const uint64_t ids = sip_hash(ua, 'm', msg->call_id, msg->from.tag, msg->cseq.number);
	return sip_hash(ua, 'M', msg->method_text,
	                (struct str){ .at = (const char *)&ids, .len = sizeof ids }, 0);
}

bool
sip_server_is_merged(const struct sip_ua *ua, const struct sip_msg *msg)
{
	return sip_txn_find(ua, merge_key(ua, msg)) != NULL;
}

/* What all responses have in common is written once: all but the status line. */
static bool
server_prepare(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg,
               const struct sip_hop *hop, struct str to_tag)
{
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);
	sip_write_response(&w, &(struct sip_write_response){
		.request = msg, .status = 200, .to_tag = to_tag, .source = &hop->to });
	const size_t line = str_find(writer_view(&w), '\n') + 1;
	const size_t record_route_at = w.at - line;
	sip_write_copy(&w, SIP_HEADER_RECORD_ROUTE, msg);
	if (w.failed || record_route_at > UINT16_MAX)
		return false;
	txn->record_route_at = (uint16_t)record_route_at;
	txn->answer = sip_store_put(&ua->store, str_sub(writer_view(&w), line, w.at - line),
	                            SIP_FOR_CALL);
	return txn->answer != 0;
}

struct sip_txn *
sip_server_create(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop,
                  struct str to_tag)
{
	const bool invite = msg->method == SIP_INVITE;
	struct sip_txn *txn = sip_txn_take(ua, invite ? SIP_TXN_INVITE_SERVER : SIP_TXN_SERVER,
	                                   msg->method);
	if (txn == NULL)
		return NULL;
	if (!server_prepare(ua, txn, msg, hop, to_tag)) {
		sip_txn_end(ua, txn);
		return NULL;
	}
	txn->hop = sip_ua_reply_hop(msg, hop);
	txn->cseq = msg->cseq.number;
	txn->state = invite ? SIP_TXN_PROCEEDING : SIP_TXN_TRYING;
	if (txn->hop.flow != 0)
		sip_flow_add_txn(ua, txn);
	sip_txn_put_key(ua, txn, sip_server_key(ua, msg, msg->method_text));
	if (msg->to.tag.len == 0) {
		txn->merge_key = merge_key(ua, msg);
		CHECK(map_put(&ua->txn_map, txn->merge_key, txn->id));
	}
	if (invite)
		sip_timer_start(ua, &txn->retransmit, 200000);
	else
		sip_timer_start(ua, &txn->timeout, sip_timeout_us(ua));
	return txn;
}

bool
sip_server_respond(struct sip_ua *ua, struct sip_txn *txn, const struct sip_response *response)
{
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);
	if (txn->answer == 0)
		return false; /* a final response was sent */
	const struct str common =
		sip_store_get(&ua->store, txn->answer, ua->copy_bytes, sizeof ua->copy_bytes);

	writer_text(&w, "SIP/2.0 ");
	writer_decimal(&w, response->status);
	writer_u8(&w, ' ');
	if (response->reason.len != 0)
		sip_write_text(&w, response->reason);
	else
		writer_text(&w, sip_status_reason(response->status));
	writer_text(&w, "\r\n");
	writer_str(&w, response->record_route ? common : str_sub(common, 0, txn->record_route_at));
	if (response->headers.len != 0)
		writer_str(&w, response->headers);
	if (ua->user_agent[0] != '\0' && response->status != 100)
		sip_write_header_str(&w, SIP_HEADER_SERVER, str_of(ua->user_agent));
	sip_write_body(&w, response->content_type, response->body);
	if (w.failed)
		return false;
	if (!sip_store_replace(&ua->store, &txn->message, writer_view(&w), SIP_FOR_END))
		return false;
	txn->status = response->status;
	sip_txn_input(ua, txn,
	              response->status < 200   ? SIP_IN_1XX
	              : response->status < 300 ? SIP_IN_2XX
	                                       : SIP_IN_FINAL,
	              NULL);
	return true;
}

void
sip_server_status(struct sip_ua *ua, struct sip_txn *txn, uint16_t status, struct str headers)
{
	/* Without room the request is sent again by the peer and answered then. */
	(void)sip_server_respond(ua, txn,
	                         &(struct sip_response){ .status = status, .headers = headers });
}
