/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and outputs of the user agent.  Every stored message, name and event is a chain of blocks
 * out of one pool, so that what strangers can make us keep has one limit; a block not used was
 * never touched. */
#include <errno.h>
#include <stdlib.h>

#include "sip/sip_ua_internal.h"

/* ---- blocks --------------------------------------------------------------------------------- */

int
sip_store_create(struct sip_store *store, uint32_t cap)
{
	CHECK(cap != 0);
	*store = (struct sip_store){ .cap = cap };
	store->blocks = calloc(cap, SIP_BLOCK_BYTES);
	store->infos = calloc(cap, sizeof *store->infos);
	if (store->blocks == NULL || store->infos == NULL) {
		sip_store_destroy(store);
		return -ENOMEM;
	}
	return 0;
}

void
sip_store_destroy(struct sip_store *store)
{
	free(store->blocks);
	free(store->infos);
	*store = (struct sip_store){ 0 };
}

static uint32_t
blocks_for(size_t len)
{
	return (uint32_t)((len + SIP_BLOCK_BYTES - 1) / SIP_BLOCK_BYTES);
}

bool
sip_store_has_room(const struct sip_store *store, enum sip_urgency urgency, size_t len)
{
	static const uint32_t kept_free[] = {
		[SIP_FOR_NEW] = 4,
		[SIP_FOR_CALL] = 16,
		[SIP_FOR_END] = 0,
	};
	const uint32_t kept = kept_free[urgency] != 0 ? store->cap / kept_free[urgency] : 0;
	return store->cap - store->used >= kept + blocks_for(len);
}

static uint32_t
block_take(struct sip_store *store)
{
	uint32_t block = store->free_first;
	if (block != 0) {
		store->free_first = store->infos[block - 1].next;
	} else {
		CHECK(store->fresh < store->cap);
		block = ++store->fresh;
	}
	store->used++;
	return block;
}

sip_bytes
sip_store_put(struct sip_store *store, struct str bytes, enum sip_urgency urgency)
{
	if (bytes.len == 0 || !sip_store_has_room(store, urgency, bytes.len))
		return 0;
	sip_bytes first = 0;
	uint32_t last = 0;
	for (size_t at = 0; at < bytes.len; at += SIP_BLOCK_BYTES) {
		const size_t left = bytes.len - at;
		const uint32_t block = block_take(store);
		memcpy(store->blocks + (size_t)(block - 1) * SIP_BLOCK_BYTES, bytes.at + at,
		       left < SIP_BLOCK_BYTES ? left : SIP_BLOCK_BYTES);
		if (first == 0)
			first = block;
		else
			store->infos[last - 1].next = block;
		last = block;
	}
	store->infos[last - 1].next = 0;
	store->infos[first - 1].len = (uint32_t)bytes.len;
	store->infos[first - 1].refs = 1;
	return first;
}

sip_bytes
sip_store_share(struct sip_store *store, sip_bytes bytes)
{
	if (bytes != 0) {
		CHECK(store->infos[bytes - 1].refs != 0);
		store->infos[bytes - 1].refs++;
	}
	return bytes;
}

static void
drop(struct sip_store *store, sip_bytes *bytes, bool wipe)
{
	uint32_t block = *bytes;
	*bytes = 0;
	if (block == 0)
		return;
	CHECK(store->infos[block - 1].refs != 0);
	if (--store->infos[block - 1].refs != 0)
		return;
	while (block != 0) {
		const uint32_t next = store->infos[block - 1].next;
		if (wipe)
			explicit_bzero(store->blocks + (size_t)(block - 1) * SIP_BLOCK_BYTES,
			               SIP_BLOCK_BYTES);
		store->infos[block - 1].next = store->free_first;
		store->free_first = block;
		store->used--;
		block = next;
	}
}

void
sip_store_drop(struct sip_store *store, sip_bytes *bytes)
{
	drop(store, bytes, false);
}

void
sip_store_wipe(struct sip_store *store, sip_bytes *bytes)
{
	drop(store, bytes, true);
}

bool
sip_store_replace(struct sip_store *store, sip_bytes *kept, struct str bytes,
                  enum sip_urgency urgency)
{
	const sip_bytes fresh = sip_store_put(store, bytes, urgency);
	if (fresh == 0)
		return false;
	sip_store_drop(store, kept);
	*kept = fresh;
	return true;
}

size_t
sip_store_len(const struct sip_store *store, sip_bytes bytes)
{
	return bytes != 0 ? store->infos[bytes - 1].len : 0;
}

struct str
sip_store_get(const struct sip_store *store, sip_bytes bytes, uint8_t *scratch, size_t cap)
{
	if (bytes == 0)
		return (struct str){ .at = (const char *)scratch, .len = 0 };
	const size_t len = store->infos[bytes - 1].len;
	CHECK(store->infos[bytes - 1].refs != 0);
	if (len <= SIP_BLOCK_BYTES)
		return (struct str){
			.at = (const char *)store->blocks + (size_t)(bytes - 1) * SIP_BLOCK_BYTES,
			.len = len,
		};
	CHECK(len <= cap);
	size_t at = 0;
	for (uint32_t block = bytes; block != 0; block = store->infos[block - 1].next) {
		const size_t left = len - at;
		const size_t piece = left < SIP_BLOCK_BYTES ? left : SIP_BLOCK_BYTES;
		memcpy(scratch + at, store->blocks + (size_t)(block - 1) * SIP_BLOCK_BYTES, piece);
		at += piece;
	}
	CHECK(at == len);
	return (struct str){ .at = (const char *)scratch, .len = len };
}

/* ---- small helpers -------------------------------------------------------------------------- */

void
sip_timer_init(struct sip_timer *timer, enum sip_timer_kind kind, uint32_t handle)
{
	*timer = (struct sip_timer){ .kind = kind, .handle = handle };
}

void
sip_timer_start(struct sip_ua *ua, struct sip_timer *timer, int64_t after_us)
{
	timer_start(&ua->wheel, &timer->timer, ua->now_us + after_us);
}

int64_t
sip_timeout_us(const struct sip_ua *ua)
{
	return 64 * ua->settings.t1_us;
}

void
sip_timer_start_now(struct sip_ua *ua, struct sip_timer *timer)
{
	/* A deadline within the tick that is being served would wait for the next one. */
	timer_start(&ua->wheel, &timer->timer, ua->now_us - ua->now_us % TIMER_TICK_US);
}

void
sip_timer_stop(struct sip_ua *ua, struct sip_timer *timer)
{
	timer_stop(&ua->wheel, &timer->timer);
}

uint64_t
sip_hash(const struct sip_ua *ua, char kind, struct str a, struct str b, uint32_t number)
{
	/* Two hashes folded: the texts may be longer than any buffer here.  64 bits under a secret
	 * key stand for the whole: nobody can aim a collision and chance has none in store. */
	const uint64_t parts[4] = {
		hash_str(&ua->hash_key, a),
		hash_str(&ua->hash_key, b),
		number,
		(uint64_t)(unsigned char)kind,
	};
	const uint64_t hash = hash_bytes(&ua->hash_key, parts, sizeof parts);
	return hash != 0 ? hash : 1;
}

/* What strangers see is a keyed hash of the generator's numbers: from a few bare ones anybody could
 * reckon its state, and from that our keys and the tags of other people's calls, which are to be
 * unguessable (RFC 3261 s19.3). */
static uint64_t
random_u64(struct sip_ua *ua)
{
	const uint64_t number = prng_u64(&ua->prng);
	return hash_bytes(&ua->hash_key, &number, sizeof number);
}

uint32_t
sip_random_below(struct sip_ua *ua, uint32_t bound)
{
	CHECK(bound != 0);
	return (uint32_t)(random_u64(ua) % bound);
}

void
sip_random_bytes(struct sip_ua *ua, uint8_t *out, size_t len)
{
	for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
		const uint64_t value = random_u64(ua);
		const size_t left = len - at;
		memcpy(out + at, &value, left < sizeof value ? left : sizeof value);
	}
}

void
sip_random_hex(struct sip_ua *ua, char out[SIP_TAG_LEN])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = random_u64(ua);
	for (unsigned i = 0; i < SIP_TAG_LEN; i++, value >>= 4)
		out[i] = digits[value & 15];
}

int64_t
sip_random_us(struct sip_ua *ua, int64_t bound_us)
{
	return bound_us > 0 ? (int64_t)(random_u64(ua) % (uint64_t)bound_us) : 0;
}

struct writer
sip_lines_writer(struct sip_ua *ua)
{
	return writer_of(ua->lines_bytes, sizeof ua->lines_bytes);
}

/* ---- queue ---------------------------------------------------------------------------------- */

/* Messages may be lost, so they leave room for orders and events, and those for the one event that
 * every session still has to come. */
enum out_rank {
	OUT_LOSABLE,
	OUT_NEEDED,
	OUT_LAST,
};

static uint32_t
outs_free(const struct sip_ua *ua)
{
	return ua->outs.cap - ua->outs.count;
}

bool
sip_out_has_room(const struct sip_ua *ua)
{
	return outs_free(ua) > ua->settings.sessions_max + SIP_OUTS_SPARE;
}

static struct sip_out_node *
out_push(struct sip_ua *ua, enum sip_out_kind kind, enum out_rank rank)
{
	uint32_t handle;
	const bool room = rank == OUT_LAST || (rank == OUT_LOSABLE && sip_out_has_room(ua)) ||
	                  (rank == OUT_NEEDED && outs_free(ua) > ua->settings.sessions_max);
	struct sip_out_node *node = room ? slab_take(&ua->outs, &handle) : NULL;
	if (node == NULL) {
		ua->counters[SIP_UA_OUT_LOST]++;
		return NULL;
	}
	node->kind = kind;
	if (ua->out_first == 0)
		ua->out_first = handle;
	else
		((struct sip_out_node *)slab_get(&ua->outs, ua->out_last))->next = handle;
	ua->out_last = handle;
	return node;
}

void
sip_out_send(struct sip_ua *ua, const struct sip_hop *hop, sip_bytes message)
{
	CHECK(message != 0);
	struct sip_out_node *node =
		out_push(ua, hop->flow != 0 ? SIP_OUT_STREAM : SIP_OUT_DATAGRAM, OUT_LOSABLE);
	if (node == NULL)
		return;
	node->hop = *hop;
	node->bytes = sip_store_share(&ua->store, message);
	ua->counters[SIP_UA_MESSAGES_OUT]++;
}

void
sip_out_send_once(struct sip_ua *ua, const struct sip_hop *hop, struct str message)
{
	sip_bytes bytes = sip_store_put(&ua->store, message, SIP_FOR_CALL);
	if (bytes == 0) {
		ua->counters[SIP_UA_OUT_LOST]++;
		return;
	}
	sip_out_send(ua, hop, bytes);
	sip_store_drop(&ua->store, &bytes);
}

void
sip_out_connect(struct sip_ua *ua, const struct sip_flow *flow, struct str server_name)
{
	struct sip_out_node *node = out_push(ua, SIP_OUT_CONNECT, OUT_NEEDED);
	if (node == NULL)
		return; /* The flow's connect timer gives up on it. */
	node->hop = (struct sip_hop){ .transport = flow->transport, .listener = flow->listener,
		                      .flow = flow->id, .to = flow->addr };
	node->bytes = sip_store_put(&ua->store, server_name, SIP_FOR_CALL);
}

void
sip_out_close(struct sip_ua *ua, uint32_t flow)
{
	struct sip_out_node *node = out_push(ua, SIP_OUT_CLOSE, OUT_NEEDED);
	if (node != NULL)
		node->hop.flow = flow;
}

void
sip_out_dns(struct sip_ua *ua, uint64_t query, enum dns_type type, const char *name)
{
	struct sip_out_node *node = out_push(ua, SIP_OUT_DNS, OUT_NEEDED);
	if (node == NULL)
		return; /* The transaction's own time runs out. */
	node->query = query;
	node->dns_type = type;
	node->bytes = sip_store_put(&ua->store, (struct str){ .at = name, .len = strlen(name) + 1 },
	                            SIP_FOR_CALL);
}

/* ---- events --------------------------------------------------------------------------------- */

#define TEXT(field) offsetof(struct sip_event, field)

static const uint16_t common_texts[] = { TEXT(call_id), TEXT(reason), TEXT(content_type),
	                                 TEXT(body) };
static const uint16_t incoming_texts[] = {
	TEXT(incoming.uri_user),  TEXT(incoming.uri_host),  TEXT(incoming.uri_params),
	TEXT(incoming.from_uri),
	TEXT(incoming.from_user), TEXT(incoming.from_host), TEXT(incoming.from_display),
	TEXT(incoming.to_uri),    TEXT(incoming.to_user),   TEXT(incoming.to_host),
	TEXT(incoming.to_display), TEXT(incoming.user_agent),
};
static const uint16_t refer_texts[] = { TEXT(refer.refer_to), TEXT(refer.replaces),
	                                TEXT(refer.referred_by) };

typedef void text_visit(struct str *text, void *context);

static void
visit(struct sip_event *event, const uint16_t *fields, size_t count, text_visit *each,
      void *context)
{
	for (size_t i = 0; i < count; i++)
		each((struct str *)(void *)((uint8_t *)event + fields[i]), context);
}

static void
visit_texts(struct sip_event *event, text_visit *each, void *context)
{
	visit(event, common_texts, COUNT_OF(common_texts), each, context);
	if (event->kind == SIP_EVENT_INCOMING)
		visit(event, incoming_texts, COUNT_OF(incoming_texts), each, context);
	else if (event->kind == SIP_EVENT_REFER)
		visit(event, refer_texts, COUNT_OF(refer_texts), each, context);
}

/* In the stored form a text's `at` is its offset behind the event. */
static void
text_pack(struct str *text, void *context)
{
	struct writer *w = context;
	const size_t at = w->at;
	if (text->len != 0)
		writer_str(w, *text);
	text->at = (const char *)(uintptr_t)at;
}

static void
text_unpack(struct str *text, void *context)
{
	const char *base = context;
	text->at = base + (uintptr_t)text->at;
}

bool
sip_out_event(struct sip_ua *ua, const struct sip_session *session, struct sip_event *event)
{
	struct writer w = writer_of(ua->event_bytes, sizeof ua->event_bytes);
	uint8_t *head = writer_take(&w, sizeof *event);
	const bool last = event->kind == SIP_EVENT_ENDED;
	uint8_t call_id[SIP_BLOCK_BYTES];

	event->session.v = session->id;
	event->user = session->user;
	if (sip_store_len(&ua->store, session->call_id) <= sizeof call_id)
		event->call_id =
			sip_store_get(&ua->store, session->call_id, call_id, sizeof call_id);
	visit_texts(event, text_pack, &w);
	CHECK(head != NULL);
	sip_bytes bytes = 0;
	if (!w.failed) {
		memcpy(head, event, sizeof *event);
		bytes = sip_store_put(&ua->store, writer_view(&w),
		                      last ? SIP_FOR_END : SIP_FOR_CALL);
	}
	if (bytes == 0 && !last)
		return false;
	struct sip_out_node *node = out_push(ua, SIP_OUT_EVENT, last ? OUT_LAST : OUT_NEEDED);
	CHECK(node != NULL || !last);
	if (node == NULL) {
		sip_store_drop(&ua->store, &bytes);
		return false;
	}
	node->bytes = bytes;
	node->session = session->id;
	node->user = session->user;
	node->status = event->status;
	node->cause = event->cause;
	node->was_connected = event->was_connected;
	return true;
}

static const struct sip_event *
event_of(struct sip_ua *ua, const struct sip_out_node *node)
{
	if (node->bytes == 0) {
		ua->event = (struct sip_event){
			.kind = SIP_EVENT_ENDED,
			.session = { node->session },
			.user = node->user,
			.status = node->status,
			.cause = node->cause,
			.was_connected = node->was_connected,
		};
		return &ua->event;
	}
	const struct str stored =
		sip_store_get(&ua->store, node->bytes, ua->poll_bytes, sizeof ua->poll_bytes);
	/* The block goes back to the pool now: what is given out must lie elsewhere. */
	if ((const uint8_t *)stored.at != ua->poll_bytes)
		memcpy(ua->poll_bytes, stored.at, stored.len);
	memcpy(&ua->event, ua->poll_bytes, sizeof ua->event);
	visit_texts(&ua->event, text_unpack, ua->poll_bytes);
	return &ua->event;
}

/* ---- poll ----------------------------------------------------------------------------------- */

static void
out_fill_bytes(struct sip_ua *ua, struct sip_out *out, const struct sip_out_node *node)
{
	const struct str stored =
		sip_store_get(&ua->store, node->bytes, ua->poll_bytes, sizeof ua->poll_bytes);
	if (stored.len != 0 && (const uint8_t *)stored.at != ua->poll_bytes)
		memcpy(ua->poll_bytes, stored.at, stored.len);
	out->bytes = ua->poll_bytes;
	out->len = stored.len;
}

struct sip_out
sip_out_take(struct sip_ua *ua)
{
	struct sip_out out = { .kind = SIP_OUT_NONE };
	const uint32_t handle = ua->out_first;
	if (handle == 0)
		return out;
	struct sip_out_node *node = slab_get(&ua->outs, handle);
	CHECK(node != NULL);
	out.kind = node->kind;
	out.listener = node->hop.listener;
	out.flow = node->hop.flow;
	out.transport = node->hop.transport;
	out.to = node->hop.to;
	out.query = node->query;
	out.dns_type = node->dns_type;
	if (node->kind == SIP_OUT_EVENT)
		out.event = event_of(ua, node);
	else
		out_fill_bytes(ua, &out, node);
	if (node->kind == SIP_OUT_CONNECT)
		out.server_name = (struct str){ .at = (const char *)out.bytes, .len = out.len };
	if (node->kind == SIP_OUT_DNS)
		out.dns_name = out.len != 0 ? (const char *)out.bytes : "";
	sip_store_drop(&ua->store, &node->bytes);
	ua->out_first = node->next;
	if (ua->out_first == 0)
		ua->out_last = 0;
	slab_free(&ua->outs, handle);
	return out;
}
