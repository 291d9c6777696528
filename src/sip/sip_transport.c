/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: framing, reuse, patience and the share of one source (RFC 3261 s18, RFC 5626 s4.4.1,
 * RFC 5923, RFC 7118). */
#include <errno.h>

#include "sip/sip_ua_internal.h"

/* ---- sources -------------------------------------------------------------------------------- */

/* One IPv6 subscriber has a /64; counting single addresses would count nothing. */
static uint64_t
source_key(const struct sip_ua *ua, const struct net_addr *addr)
{
	const size_t len = addr->family == ADDR_IP6 ? 8 : 4;
	return sip_hash(ua, 'o', (struct str){ .at = (const char *)addr->ip, .len = len },
	                (struct str){ 0 }, addr->family);
}

uint32_t
sip_source_get(struct sip_ua *ua, const struct net_addr *addr)
{
	const uint64_t key = source_key(ua, addr);
	struct map_cursor cursor = map_find(&ua->source_map, key);
	uint32_t id = map_next(&ua->source_map, &cursor);
	if (id != 0)
		return id;
	struct sip_source *source = slab_take(&ua->sources, &id);
	if (source == NULL)
		return 0;
	source->key = key;
	CHECK(map_put(&ua->source_map, key, id));
	return id;
}

struct sip_source *
sip_source_of(struct sip_ua *ua, uint32_t id)
{
	return slab_get(&ua->sources, id);
}

void
sip_source_put(struct sip_ua *ua, uint32_t id)
{
	struct sip_source *source = slab_get(&ua->sources, id);
	if (source == NULL || source->half_open != 0 || source->flows != 0)
		return;
	map_remove(&ua->source_map, source->key, id);
	slab_free(&ua->sources, id);
}

/* ---- listeners ------------------------------------------------------------------------------ */

static int
common_bits(const struct net_addr *a, const struct net_addr *b)
{
	int bits = 0;
	while (bits < 128 && ((a->ip[bits / 8] ^ b->ip[bits / 8]) >> (7 - bits % 8) & 1) == 0)
		bits++;
	return bits;
}

/* Without routing tables the address most like the peer's is the best guess at the interface that
 * leads there: loopback to loopback, a local network to itself. */
int
sip_listener_for(const struct sip_ua *ua, enum sip_transport transport, const struct net_addr *to,
                 unsigned preferred)
{
	int best = -1;
	int best_bits = -1;
	for (unsigned i = 0; i < ua->settings.listener_count; i++) {
		const struct sip_listener *listener = &ua->listeners[i];
		if (listener->transport != transport || listener->addr.family != to->family)
			continue;
		const int bits = i == preferred ? 129 : common_bits(&listener->addr, to);
		if (bits > best_bits) {
			best = (int)i;
			best_bits = bits;
		}
	}
	return best;
}

const struct net_addr *
sip_ua_local_address(const struct sip_ua *ua, const struct net_addr *peer)
{
	int best = 0;
	int best_bits = -1;
	for (unsigned i = 0; i < ua->settings.listener_count; i++) {
		const struct net_addr *addr = &ua->listeners[i].addr;
		const int bits = addr->family == peer->family ? common_bits(addr, peer) : -1;
		if (bits > best_bits) {
			best = (int)i;
			best_bits = bits;
		}
	}
	return &ua->listeners[best].addr;
}

void
sip_write_contact(struct sip_ua *ua, struct writer *w, unsigned listener_at, sip_bytes user,
                  bool secure)
{
	const struct sip_listener *listener = &ua->listeners[listener_at];
	uint8_t scratch[SIP_BLOCK_BYTES];
	struct str host = sip_store_get(&ua->store, user, scratch, sizeof scratch);
	const struct str name = str_cut(&host, '\0');

	sip_write_begin(w, SIP_HEADER_CONTACT);
	writer_text(w, secure ? "<sips:" : "<sip:");
	if (name.len != 0) {
		sip_uri_escape_user(w, name);
		writer_u8(w, '@');
	}
	writer_str(w, host.len != 0 ? host : str_of(listener->host));
	if (listener->addr.port != 0) {
		writer_u8(w, ':');
		writer_decimal(w, listener->addr.port);
	}
	switch (listener->transport) {
	case SIP_TRANSPORT_TCP:
		writer_text(w, ";transport=tcp");
		break;
	case SIP_TRANSPORT_TLS:
		/* Under sips the word would be tcp (RFC 3261 s26.2.2); "tls" is what products
		 * understand in a sip URI. */
		writer_text(w, secure ? ";transport=tcp" : ";transport=tls");
		break;
	case SIP_TRANSPORT_WS:
	case SIP_TRANSPORT_WSS:
		writer_text(w, ";transport=ws"); /* RFC 7118 s5.2.1: for both */
		break;
	case SIP_TRANSPORT_NONE:
	case SIP_TRANSPORT_UDP:
	case SIP_TRANSPORT_OTHER:
	case SIP_TRANSPORT_COUNT:
		break;
	}
	writer_u8(w, '>');
	sip_write_end(w);
}

/* ---- flows: life ---------------------------------------------------------------------------- */

struct sip_flow *
sip_flow_get(const struct sip_ua *ua, uint32_t id)
{
	return slab_get(&ua->flows, id);
}

static bool
is_websocket(enum sip_transport transport)
{
	return transport == SIP_TRANSPORT_WS || transport == SIP_TRANSPORT_WSS;
}

static struct sip_flow *
flow_take(struct sip_ua *ua, unsigned listener, const struct net_addr *addr, bool accepted)
{
	uint32_t id;
	struct sip_flow *flow = slab_take(&ua->flows, &id);
	if (flow == NULL)
		return NULL;
	flow->id = id;
	flow->listener = listener;
	flow->transport = ua->listeners[listener].transport;
	flow->addr = *addr;
	flow->accepted = accepted;
	flow->used_us = ua->now_us;
	sip_timer_init(&flow->timer, SIP_TIMER_FLOW, id);
	sip_stream_init(&flow->stream,
	                ua->flow_buffers + (size_t)slab_index(id) * SIP_FLOW_BUFFER_BYTES,
	                SIP_FLOW_BUFFER_BYTES, accepted);
	return flow;
}

/* Everything on it learns that it is gone; then it is forgotten. */
static void
flow_drop(struct sip_ua *ua, struct sip_flow *flow)
{
	const uint32_t id = flow->id;
	sip_timer_stop(ua, &flow->timer);
	if (flow->key != 0)
		map_remove(&ua->flow_map, flow->key, id);
	flow->key = 0;
	while (flow->first_txn != 0) {
		struct sip_txn *txn = sip_txn_get(ua, flow->first_txn);
		CHECK(txn != NULL);
		sip_flow_remove_txn(ua, txn);
		txn->hop.flow = 0;
		/* Not from here: who owns the transaction may be in the middle of something. */
		txn->failure = SIP_FAILURE_TRANSPORT;
		sip_timer_start_now(ua, &txn->timeout);
	}
	if (flow->source != 0) {
		struct sip_source *source = sip_source_of(ua, flow->source);
		CHECK(source != NULL && source->flows != 0);
		source->flows--;
		sip_source_put(ua, flow->source);
	}
	slab_free(&ua->flows, id);
}

static void
flow_close(struct sip_ua *ua, struct sip_flow *flow)
{
	sip_out_close(ua, flow->id);
	flow_drop(ua, flow);
}

int
sip_ua_flow_accepted(struct sip_ua *ua, unsigned listener, const struct net_addr *from,
                     uint32_t *id, int64_t now_us)
{
	CHECK(listener < ua->settings.listener_count);
	CHECK(sip_transport_reliable(ua->listeners[listener].transport));
	sip_ua_enter(ua, now_us);
	*id = 0;
	const uint32_t source_id = sip_source_get(ua, from);
	struct sip_source *source = sip_source_of(ua, source_id);
	if (source == NULL)
		return -ENOSPC;
	if (source->flows >= ua->settings.flows_per_source_max) {
		ua->counters[SIP_UA_REFUSED_SOURCE]++;
		return -ENOSPC;
	}
	struct sip_flow *flow = flow_take(ua, listener, from, true);
	if (flow == NULL) {
		sip_source_put(ua, source_id);
		ua->counters[SIP_UA_REFUSED_FULL]++;
		return -ENOSPC;
	}
	flow->source = source_id;
	source->flows++;
	flow->state = SIP_FLOW_OPEN;
	sip_timer_start(ua, &flow->timer, ua->settings.flow_message_us_max);
	*id = flow->id;
	return 0;
}

static uint64_t
flow_key(const struct sip_ua *ua, enum sip_transport transport, const struct net_addr *to,
         struct str server_name)
{
	uint8_t text[ADDR_TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	addr_write(&w, to);
	/* A TLS connection proved one name; it serves no other. */
	return sip_hash(ua, 'f', writer_view(&w),
	                sip_transport_secure(transport) ? server_name : (struct str){ 0 },
	                (uint32_t)transport);
}

uint32_t
sip_flow_to(struct sip_ua *ua, enum sip_transport transport, const struct net_addr *to,
            struct str server_name)
{
	const uint64_t key = flow_key(ua, transport, to, server_name);
	struct map_cursor cursor = map_find(&ua->flow_map, key);
	const uint32_t known = map_next(&ua->flow_map, &cursor);
	if (known != 0)
		return known;
	const int listener = sip_listener_for(ua, transport, to, SIP_LISTENER_ANY);
	if (listener < 0)
		return 0;
	struct sip_flow *flow = flow_take(ua, (unsigned)listener, to, false);
	if (flow == NULL)
		return 0;
	flow->state = SIP_FLOW_CONNECTING;
	flow->key = key;
	CHECK(map_put(&ua->flow_map, key, flow->id));
	/* A quarter of a transaction's patience, so that another target gets its turn. */
	sip_timer_start(ua, &flow->timer, 16 * ua->settings.t1_us);
	sip_out_connect(ua, flow, server_name);
	return flow->id;
}

void
sip_ua_flow_opened(struct sip_ua *ua, uint32_t id, int64_t now_us)
{
	sip_ua_enter(ua, now_us);
	struct sip_flow *flow = sip_flow_get(ua, id);
	if (flow == NULL || flow->state != SIP_FLOW_CONNECTING)
		return;
	flow->state = SIP_FLOW_OPEN;
	flow->used_us = now_us;
	sip_timer_start(ua, &flow->timer, ua->settings.flow_idle_us_max);
	for (uint32_t at = flow->first_txn; at != 0;) {
		struct sip_txn *txn = sip_txn_get(ua, at);
		CHECK(txn != NULL);
		at = txn->flow_next;
		sip_client_flow_opened(ua, txn);
	}
}

void
sip_ua_flow_closed(struct sip_ua *ua, uint32_t id, int64_t now_us)
{
	sip_ua_enter(ua, now_us);
	struct sip_flow *flow = sip_flow_get(ua, id);
	if (flow != NULL)
		flow_drop(ua, flow);
}

/* Connecting took too long, half a message stayed half, or nobody needs it any more. */
void
sip_flow_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_flow *flow = sip_flow_get(ua, id);
	if (flow == NULL)
		return;
	const int64_t idle_at = flow->used_us + ua->settings.flow_idle_us_max;
	const bool busy = flow->first_txn != 0 || flow->dialogs != 0;
	if (flow->state == SIP_FLOW_CONNECTING || sip_stream_waiting(&flow->stream) ||
	    (!busy && ua->now_us >= idle_at)) {
		flow_close(ua, flow);
		return;
	}
	sip_timer_start(ua, &flow->timer,
	                busy || idle_at <= ua->now_us ? ua->settings.flow_idle_us_max
	                                              : idle_at - ua->now_us);
}

/* ---- flows: users --------------------------------------------------------------------------- */

void
sip_flow_add_txn(struct sip_ua *ua, struct sip_txn *txn)
{
	struct sip_flow *flow = sip_flow_get(ua, txn->hop.flow);
	CHECK(flow != NULL && txn->flow_next == 0 && txn->flow_prev == 0);
	CHECK(flow->first_txn != txn->id);
	txn->flow_next = flow->first_txn;
	if (flow->first_txn != 0)
		sip_txn_get(ua, flow->first_txn)->flow_prev = txn->id;
	flow->first_txn = txn->id;
	flow->used_us = ua->now_us;
}

void
sip_flow_remove_txn(struct sip_ua *ua, struct sip_txn *txn)
{
	struct sip_flow *flow = sip_flow_get(ua, txn->hop.flow);
	if (flow == NULL || (flow->first_txn != txn->id && txn->flow_prev == 0))
		return;
	if (txn->flow_prev != 0)
		sip_txn_get(ua, txn->flow_prev)->flow_next = txn->flow_next;
	else
		flow->first_txn = txn->flow_next;
	if (txn->flow_next != 0)
		sip_txn_get(ua, txn->flow_next)->flow_prev = txn->flow_prev;
	txn->flow_next = 0;
	txn->flow_prev = 0;
	flow->used_us = ua->now_us;
}

void
sip_flow_add_dialog(struct sip_ua *ua, uint32_t id)
{
	struct sip_flow *flow = sip_flow_get(ua, id);
	if (flow != NULL)
		flow->dialogs++;
}

void
sip_flow_remove_dialog(struct sip_ua *ua, uint32_t id)
{
	struct sip_flow *flow = sip_flow_get(ua, id);
	if (flow == NULL)
		return;
	CHECK(flow->dialogs != 0);
	flow->dialogs--;
	flow->used_us = ua->now_us;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static struct sip_hop
flow_hop(const struct sip_flow *flow)
{
	return (struct sip_hop){ .transport = flow->transport, .listener = flow->listener,
		                 .flow = flow->id, .to = flow->addr };
}

/* One piece of a stream; false when the flow is gone or done for. */
static bool
flow_take_out(struct sip_ua *ua, uint32_t id, const struct sip_stream_out *out)
{
	struct sip_flow *flow = sip_flow_get(ua, id);
	if (flow == NULL)
		return false;
	const struct sip_hop hop = flow_hop(flow);
	switch (out->kind) {
	case SIP_STREAM_MESSAGE:
		if (!sip_out_has_room(ua)) {
			flow_close(ua, flow);
			return false;
		}
		sip_ua_message(ua, &hop, out->bytes, out->len, SIP_STREAM);
		return sip_flow_get(ua, id) != NULL;
	case SIP_STREAM_PING: /* RFC 5626 s4.4.1 */
		sip_out_send_once(ua, &hop, STR("\r\n"));
		return true;
	case SIP_STREAM_PONG:
	case SIP_STREAM_NONE:
		return true;
	case SIP_STREAM_REJECT:
		sip_ua_message(ua, &hop, out->bytes, out->len, SIP_STREAM);
		flow = sip_flow_get(ua, id);
		if (flow != NULL)
			flow_close(ua, flow);
		return false;
	}
	return false;
}

static void
flow_stream(struct sip_ua *ua, struct sip_flow *flow, const uint8_t *bytes, size_t len)
{
	const uint32_t id = flow->id;
	bool began = !sip_stream_waiting(&flow->stream);
	while (len != 0) {
		const size_t used = sip_stream_input(&flow->stream, bytes, len);
		bytes += used;
		len -= used;
		struct sip_stream_out out;
		while ((out = sip_stream_poll(&flow->stream)).kind != SIP_STREAM_NONE) {
			began = true;
			if (!flow_take_out(ua, id, &out))
				return;
		}
		if (used == 0)
			return;
	}
	/* A message that began must come to its end; more bytes of the same buy no more time. */
	if (!sip_stream_waiting(&flow->stream))
		sip_timer_start(ua, &flow->timer, ua->settings.flow_idle_us_max);
	else if (began)
		sip_timer_start(ua, &flow->timer, ua->settings.flow_message_us_max);
}

/* RFC 7118 s5: one message per WebSocket message; CRLF pairs keep the connection alive. */
static void
flow_websocket(struct sip_ua *ua, struct sip_flow *flow, const uint8_t *bytes, size_t len)
{
	const struct sip_hop hop = flow_hop(flow);
	sip_timer_start(ua, &flow->timer, ua->settings.flow_idle_us_max);
	if (len == 4 && memcmp(bytes, "\r\n\r\n", 4) == 0)
		sip_out_send_once(ua, &hop, STR("\r\n"));
	else
		sip_ua_message(ua, &hop, bytes, len, SIP_DATAGRAM);
}

void
sip_ua_flow_bytes(struct sip_ua *ua, uint32_t id, const uint8_t *bytes, size_t len, int64_t now_us)
{
	sip_ua_enter(ua, now_us);
	struct sip_flow *flow = sip_flow_get(ua, id);
	if (flow == NULL || flow->state != SIP_FLOW_OPEN)
		return;
	flow->used_us = now_us;
	if (is_websocket(flow->transport))
		flow_websocket(ua, flow, bytes, len);
	else
		flow_stream(ua, flow, bytes, len);
}
