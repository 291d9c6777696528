/* SPDX-License-Identifier: Apache-2.0 */
/* The outside of the user agent: what arrives is matched to a transaction, a dialog, or admitted as
 * something new; what cannot be matched is answered without keeping anything (RFC 3261 s8.2.7). */
#include <errno.h>
#include <stdlib.h>

#include "sip/sip_ua_internal.h"

static_assert(sizeof(struct sip_session) + sizeof(struct sip_dialog) <= 1536,
              "an idle call costs less than 8 KiB with its texts and SDP");

/* ---- life ----------------------------------------------------------------------------------- */

struct sip_ua_settings
sip_ua_settings_default(void)
{
	return (struct sip_ua_settings){
		.user_agent = "Convoke",
		.sessions_max = 8192,
		.transactions_max = 65536,
		.flows_max = 4096,
		.blocks_max = 131072,
		.half_open_max = 4096,
		.half_open_per_source_max = 1024,
		.flows_per_source_max = 1024,
		.t1_us = 500000,
		.t2_us = 4000000,
		.t4_us = 5000000,
		.ring_us_max = 180 * 1000000ll,
		.flow_idle_us_max = 120 * 1000000ll,
		.flow_message_us_max = 10 * 1000000ll,
		.session_expires_s = 1800,
		.session_min_se_s = 90,
	};
}

static int
create_tables(struct sip_ua *ua)
{
	const struct sip_ua_settings *s = &ua->settings;
	/* A call has one dialog, and one more while it forks; every second may be forking. */
	const uint32_t dialogs = s->sessions_max + s->sessions_max / 2 + SIP_SESSION_FORKS_MAX;
	const uint32_t sources = s->half_open_max + s->flows_max;
	const uint32_t outs = 2 * s->sessions_max + s->transactions_max / 2 + 1024;
	int rc = sip_store_create(&ua->store, s->blocks_max);
	if (rc == 0)
		rc = slab_create(&ua->sessions, sizeof(struct sip_session), s->sessions_max);
	if (rc == 0)
		rc = slab_create(&ua->dialogs, sizeof(struct sip_dialog), dialogs);
	if (rc == 0)
		rc = slab_create(&ua->txns, sizeof(struct sip_txn), s->transactions_max);
	if (rc == 0)
		rc = slab_create(&ua->flows, sizeof(struct sip_flow), s->flows_max);
	if (rc == 0)
		rc = slab_create(&ua->sources, sizeof(struct sip_source), sources);
	if (rc == 0)
		rc = slab_create(&ua->locates, sizeof(struct sip_locating), SIP_LOCATES_MAX);
	if (rc == 0)
		rc = slab_create(&ua->outs, sizeof(struct sip_out_node), outs);
	if (rc == 0)
		rc = map_create(&ua->dialog_map, dialogs);
	if (rc == 0)
		rc = map_create(&ua->txn_map, 2 * s->transactions_max);
	if (rc == 0)
		rc = map_create(&ua->flow_map, s->flows_max);
	if (rc == 0)
		rc = map_create(&ua->source_map, sources);
	if (rc != 0)
		return rc;
	ua->flow_buffers = calloc(s->flows_max, SIP_FLOW_BUFFER_BYTES);
	return ua->flow_buffers != NULL ? 0 : -ENOMEM;
}

static void
take_listeners(struct sip_ua *ua, const struct sip_ua_settings *settings)
{
	for (unsigned i = 0; i < settings->listener_count; i++) {
		const struct sip_ua_listener *from = &settings->listeners[i];
		struct sip_listener *to = &ua->listeners[i];
		CHECK(from->transport > SIP_TRANSPORT_NONE &&
		      from->transport < SIP_TRANSPORT_OTHER);
		CHECK(!addr_is_unspecified(&from->addr));
		to->transport = from->transport;
		to->addr = from->addr;
		if (from->host != NULL) {
			CHECK(str_copy(to->host, sizeof to->host, str_of(from->host)));
		} else {
			struct writer w = writer_of(to->host, sizeof to->host - 1);
			addr_write_host(&w, &from->addr);
		}
		ua->transports |= SIP_TRANSPORT_BIT(from->transport);
		ua->ip4 |= from->addr.family == ADDR_IP4;
		ua->ip6 |= from->addr.family == ADDR_IP6;
	}
}

int
sip_ua_create(struct sip_ua **out, const struct sip_ua_settings *settings, int64_t now_us)
{
	CHECK(settings->listener_count != 0 && settings->listener_count <= SIP_UA_LISTENERS_MAX);
	CHECK(settings->sessions_max != 0 && settings->transactions_max >= 16);
	CHECK(settings->t1_us > 0 && settings->t2_us >= settings->t1_us);
	*out = NULL;
	struct sip_ua *ua = calloc(1, sizeof *ua);
	if (ua == NULL)
		return -ENOMEM;
	ua->settings = *settings;
	if (ua->settings.session_min_se_s < 90)
		ua->settings.session_min_se_s = 90; /* RFC 4028 s5 */
	ua->now_us = now_us;
	prng_init(&ua->prng, settings->seed);
	ua->hash_key = (struct hash_key){ prng_u64(&ua->prng), prng_u64(&ua->prng) };
	prng_bytes(&ua->prng, ua->digest_key, sizeof ua->digest_key);
	timer_wheel_init(&ua->wheel, now_us);
	if (settings->user_agent != NULL)
		CHECK(str_copy(ua->user_agent, sizeof ua->user_agent,
		               str_of(settings->user_agent)));
	ua->settings.listeners = NULL;
	ua->settings.user_agent = NULL;
	take_listeners(ua, settings);
	const int rc = create_tables(ua);
	if (rc != 0) {
		sip_ua_destroy(ua);
		return rc;
	}
	*out = ua;
	return 0;
}

void
sip_ua_destroy(struct sip_ua *ua)
{
	if (ua == NULL)
		return;
	sip_store_destroy(&ua->store);
	slab_destroy(&ua->sessions);
	slab_destroy(&ua->dialogs);
	slab_destroy(&ua->txns);
	slab_destroy(&ua->flows);
	slab_destroy(&ua->sources);
	slab_destroy(&ua->locates);
	slab_destroy(&ua->outs);
	map_destroy(&ua->dialog_map);
	map_destroy(&ua->txn_map);
	map_destroy(&ua->flow_map);
	map_destroy(&ua->source_map);
	free(ua->flow_buffers);
	explicit_bzero(ua->digest_key, sizeof ua->digest_key);
	free(ua);
}

void
sip_ua_command(struct sip_ua *ua, int64_t now_us)
{
	CHECK(now_us >= ua->now_us);
	ua->now_us = now_us;
	sip_txn_make_room(ua);
}

void
sip_ua_enter(struct sip_ua *ua, int64_t now_us)
{
	sip_ua_command(ua, now_us);
	CHECK(ua->out_first == 0); /* one input, then drain */
}

void
sip_ua_tick(struct sip_ua *ua, int64_t now_us)
{
	sip_ua_enter(ua, now_us);
}

int64_t
sip_ua_deadline(const struct sip_ua *ua)
{
	return ua->out_first != 0 ? ua->now_us : timer_wheel_deadline(&ua->wheel);
}

struct sip_out
sip_ua_poll(struct sip_ua *ua)
{
	typedef void fire(struct sip_ua *, uint32_t);
	static fire *const fires[SIP_TIMER_KINDS] = {
		[SIP_TIMER_TXN_RETRANSMIT] = sip_txn_retransmit_timer,
		[SIP_TIMER_TXN_TIMEOUT] = sip_txn_timeout_timer,
		[SIP_TIMER_FLOW] = sip_flow_timer,
		[SIP_TIMER_SESSION_RING] = sip_session_ring_timer,
		[SIP_TIMER_SESSION_RETRANSMIT] = sip_session_retransmit_timer,
		[SIP_TIMER_SESSION_GIVE_UP] = sip_session_give_up_timer,
		[SIP_TIMER_SESSION_REFRESH] = sip_session_refresh_timer,
		[SIP_TIMER_SESSION_EXPIRY] = sip_session_expiry_timer,
		[SIP_TIMER_SESSION_GLARE] = sip_session_glare_timer,
	};
	/* Timers are served one at a time, when all else is out: what they cause stays small. */
	while (ua->out_first == 0) {
		struct timer *due = timer_take(&ua->wheel, ua->now_us);
		if (due == NULL)
			break;
		const struct sip_timer *timer = CONTAINER_OF(due, struct sip_timer, timer);
		fires[timer->kind](ua, timer->handle);
	}
	return sip_out_take(ua);
}

/* ---- answers without a transaction ---------------------------------------------------------- */

struct sip_hop
sip_ua_reply_hop(const struct sip_msg *msg, const struct sip_hop *hop)
{
	struct sip_hop reply = *hop;
	/* s18.2.2 and RFC 3581 s4: to where it came from; the port is that of the packet when rport
	 * asks for it, else the sent-by's.  maddr is not followed: it would let anyone aim us. */
	if (hop->flow == 0 && !msg->via.has_rport)
		reply.to.port = msg->via.port != 0 ? msg->via.port : 5060;
	return reply;
}

/* The same request gets the same tag again (s8.2.7). */
static struct str
stateless_tag(const struct sip_ua *ua, const struct sip_msg *msg, char tag[SIP_TAG_LEN])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t hash = sip_hash(ua, 'g', msg->call_id, msg->via.branch, msg->cseq.number);
	for (unsigned i = 0; i < SIP_TAG_LEN; i++, hash >>= 4)
		tag[i] = digits[hash & 15];
	return (struct str){ .at = tag, .len = SIP_TAG_LEN };
}

static void
respond_tagged(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop,
               uint16_t status, struct str headers, struct str tag)
{
	struct writer w = writer_of(ua->write_bytes, sizeof ua->write_bytes);
	if (msg->method == SIP_ACK)
		return;
	sip_write_response(&w, &(struct sip_write_response){
		.request = msg,
		.status = status,
		.to_tag = tag,
		.source = &hop->to,
	});
	if (headers.len != 0)
		writer_str(&w, headers);
	if (ua->user_agent[0] != '\0')
		sip_write_header_str(&w, SIP_HEADER_SERVER, str_of(ua->user_agent));
	sip_write_body(&w, (struct str){ 0 }, (struct str){ 0 });
	const struct sip_hop reply = sip_ua_reply_hop(msg, hop);
	if (!w.failed)
		sip_out_send_once(ua, &reply, writer_view(&w));
}

void
sip_ua_respond_once(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop,
                    uint16_t status, struct str headers)
{
	char tag[SIP_TAG_LEN];
	respond_tagged(ua, msg, hop, status, headers, stateless_tag(ua, msg, tag));
}

void
sip_ua_respond_full(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	struct writer w = sip_lines_writer(ua);
	ua->counters[SIP_UA_REFUSED_FULL]++;
	/* Spread, so that the refused do not all come back at once. */
	sip_write_header_u32(&w, SIP_HEADER_RETRY_AFTER, 5 + sip_random_below(ua, 15));
	sip_ua_respond_once(ua, msg, hop, 503, writer_view(&w));
}

void
sip_write_allow_all(struct writer *w)
{
	sip_write_allow(w, 1u << SIP_INVITE | 1u << SIP_ACK | 1u << SIP_BYE | 1u << SIP_CANCEL |
	                           1u << SIP_OPTIONS | 1u << SIP_PRACK | 1u << SIP_UPDATE |
	                           1u << SIP_INFO | 1u << SIP_REFER | 1u << SIP_NOTIFY);
}

/* ---- admission ------------------------------------------------------------------------------ */

static void
describe(struct sip_ua *ua, struct sip_ua_request *request, const struct sip_msg *msg,
         const struct sip_hop *hop, struct writer *w)
{
	(void)ua;
	const size_t uri_at = w->at;
	if (msg->uri.has_user || msg->uri.scheme == SIP_SCHEME_TEL)
		sip_uri_write_user(w, &msg->uri);
	const size_t from_at = w->at;
	if (msg->from.uri.has_user || msg->from.uri.scheme == SIP_SCHEME_TEL)
		sip_uri_write_user(w, &msg->from.uri);
	const struct str all = writer_view(w);
	*request = (struct sip_ua_request){
		.method = msg->method_text,
		.uri_user = str_sub(all, uri_at, from_at - uri_at),
		.uri_host = msg->uri.host,
		.from_user = str_sub(all, from_at, all.len - from_at),
		.from_host = msg->from.uri.host,
		.transport = hop->transport,
		.listener = hop->listener,
		.from = hop->to,
	};
}

static struct sip_digest_server
digest_server(const struct sip_ua *ua, const char *realm)
{
	struct sip_digest_server server = { .realm = str_of(realm),
		                            .nonce_life_us = 300 * 1000000ll };
	memcpy(server.key, ua->digest_key, sizeof server.key);
	return server;
}

static void
challenge(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop,
          const struct sip_digest_server *server, bool stale)
{
	struct writer w = sip_lines_writer(ua);
	ua->counters[SIP_UA_CHALLENGED]++;
	sip_digest_write_challenges(&w, server, SIP_HEADER_WWW_AUTHENTICATE, stale, ua->now_us);
	sip_ua_respond_once(ua, msg, hop, 401, writer_view(&w));
}

/* The caller says who must prove himself, and with what password; true when he has. */
static bool
prove(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop,
      struct sip_ua_request *request, struct sip_ua_admission *admission)
{
	const struct sip_digest_server server = digest_server(ua, admission->realm);
	uint8_t name[SIP_UA_TEXT_MAX];
	struct writer w = writer_of(name, sizeof name);
	struct sip_auth auth;
	switch (sip_digest_find(&auth, &server, msg, SIP_HEADER_AUTHORIZATION)) {
	case SIP_DIGEST_OK:
		break;
	case SIP_DIGEST_MALFORMED:
		sip_ua_respond_once(ua, msg, hop, 400, (struct str){ 0 });
		return false;
	case SIP_DIGEST_MISSING:
	case SIP_DIGEST_STALE:
	case SIP_DIGEST_FOREIGN:
	case SIP_DIGEST_WRONG:
		challenge(ua, msg, hop, &server, false);
		return false;
	}
	sip_unquote(&w, auth.username);
	if (w.failed) { /* longer than anybody's */
		challenge(ua, msg, hop, &server, false);
		return false;
	}
	/* Now that the name is known the caller can look up its password. */
	request->username = writer_view(&w);
	ua->settings.admit(ua->settings.admit_context, request, admission);
	const enum sip_digest_verdict verdict = sip_digest_check(
		&server,
		&(struct sip_digest_check){
			.auth = &auth,
			.request = msg,
			.username = request->username,
			.password = str_of(admission->password),
			.known = admission->password != NULL,
		},
		ua->now_us);
	if (verdict == SIP_DIGEST_OK)
		return true;
	if (verdict == SIP_DIGEST_MALFORMED)
		sip_ua_respond_once(ua, msg, hop, 400, (struct str){ 0 });
	else
		challenge(ua, msg, hop, &server, verdict == SIP_DIGEST_STALE);
	return false;
}

static bool
admitted(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	uint8_t names[4096];
	struct writer w = writer_of(names, sizeof names);
	struct sip_ua_request request;
	struct sip_ua_admission admission = { .verdict = SIP_UA_ADMIT };
	if (ua->settings.admit == NULL)
		return true;
	describe(ua, &request, msg, hop, &w);
	if (w.failed) {
		sip_ua_respond_once(ua, msg, hop, 414, (struct str){ 0 });
		return false;
	}
	ua->settings.admit(ua->settings.admit_context, &request, &admission);
	switch (admission.verdict) {
	case SIP_UA_ADMIT:
		return true;
	case SIP_UA_CHALLENGE:
		CHECK(admission.realm != NULL);
		return prove(ua, msg, hop, &request, &admission);
	case SIP_UA_REJECT:
		CHECK(admission.status >= 300 && admission.status <= 699);
		sip_ua_respond_once(ua, msg, hop, admission.status, (struct str){ 0 });
		return false;
	}
	return false;
}

/* What one address, and all of them, may leave half open. */
static bool
has_room_for_call(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	const uint32_t id = sip_source_get(ua, &hop->to);
	const struct sip_source *source = sip_source_of(ua, id);
	const bool too_many =
		source != NULL && source->half_open >= ua->settings.half_open_per_source_max;
	sip_source_put(ua, id);
	if (too_many) {
		ua->counters[SIP_UA_REFUSED_SOURCE]++;
		sip_ua_respond_full(ua, msg, hop);
		return false;
	}
	/* Transactions that only linger can be given up; of the others an eighth is kept free. */
	const bool full = source == NULL ||
	                  (ua->half_open >= ua->settings.half_open_max &&
	                   !sip_session_crowd_out(ua)) ||
	                  (ua->txn_first[SIP_TXNS_LINGERING] == 0 &&
	                   ua->txns.count >= ua->txns.cap - ua->txns.cap / 8) ||
	                  !sip_out_has_room(ua) ||
	                  !sip_store_has_room(&ua->store, SIP_FOR_NEW, 2 * msg->text.len);
	if (full)
		sip_ua_respond_full(ua, msg, hop);
	return !full;
}

/* ---- new requests --------------------------------------------------------------------------- */

/* s8.2.2.3: option tags that we do not know, each named in Unsupported. */
static bool
requires_unknown(const struct sip_msg *msg, struct writer *w)
{
	static const char *const known[] = { "100rel", "replaces", "timer", "norefersub" };
	struct sip_values values = sip_msg_values(msg, SIP_HEADER_REQUIRE);
	bool found = false;
	for (struct str item; sip_values_next(&values, &item);) {
		bool match = false;
		for (unsigned i = 0; i < COUNT_OF(known); i++)
			match |= str_eq_nocase(item, str_of(known[i]));
		if (match)
			continue;
		sip_write_header_str(w, SIP_HEADER_UNSUPPORTED, item);
		found = true;
	}
	return found;
}

static void
invite_arrived(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	if (sip_server_is_merged(ua, msg))
		sip_ua_respond_once(ua, msg, hop, 482, (struct str){ 0 });
	else if (has_room_for_call(ua, msg, hop) && admitted(ua, msg, hop))
		sip_session_invited(ua, msg, hop);
}

static void
options_arrived(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	if (!admitted(ua, msg, hop))
		return;
	struct writer w = sip_lines_writer(ua);
	sip_write_allow_all(&w);
	sip_write_header_str(&w, SIP_HEADER_ACCEPT, STR("application/sdp"));
	sip_write_header_str(&w, SIP_HEADER_ACCEPT_ENCODING, STR("identity"));
	sip_write_header_str(&w, SIP_HEADER_ACCEPT_LANGUAGE, STR("en"));
	sip_write_supported(&w);
	sip_ua_respond_once(ua, msg, hop, 200, writer_view(&w));
}

static void
cancel_arrived(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	struct sip_txn *invite = sip_txn_find(ua, sip_server_key(ua, msg, STR("INVITE")));
	if (invite == NULL || invite->kind != SIP_TXN_INVITE_SERVER) {
		sip_ua_respond_once(ua, msg, hop, 481, (struct str){ 0 });
		return;
	}
	const struct sip_dialog *dialog = sip_dialog_get(ua, invite->dialog);
	if (dialog != NULL) /* s9.2: under the tag of the INVITE's own answer */
		respond_tagged(ua, msg, hop, 200, (struct str){ 0 },
		               sip_dialog_look(ua, dialog).texts[SIP_TEXT_LOCAL_TAG]);
	else
		sip_ua_respond_once(ua, msg, hop, 200, (struct str){ 0 });
	if (invite->state == SIP_TXN_PROCEEDING)
		sip_session_cancelled(ua, invite, msg);
}

/* Requests that mean something only within a dialog. */
static void
dialog_missing(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	sip_ua_respond_once(ua, msg, hop, 481, (struct str){ 0 });
}

static void
method_refused(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	struct writer w = sip_lines_writer(ua);
	sip_write_allow_all(&w);
	sip_ua_respond_once(ua, msg, hop, msg->method == SIP_METHOD_OTHER ? 501 : 405,
	                    writer_view(&w));
}

static void
new_request(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	typedef void arrive(struct sip_ua *, const struct sip_msg *, const struct sip_hop *);
	static arrive *const arrivals[SIP_METHOD_COUNT] = {
		[SIP_INVITE] = invite_arrived,
		[SIP_OPTIONS] = options_arrived,
		[SIP_BYE] = dialog_missing,
		[SIP_PRACK] = dialog_missing,
		[SIP_UPDATE] = dialog_missing,
		[SIP_INFO] = dialog_missing,
		[SIP_NOTIFY] = dialog_missing,
	};
	arrive *handle = arrivals[msg->method];
	(handle != NULL ? handle : method_refused)(ua, msg, hop);
}

/* ---- demultiplexing ------------------------------------------------------------------------- */

static void
ack_arrived(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	struct sip_txn *txn = sip_txn_find(ua, sip_server_key(ua, msg, STR("INVITE")));
	if (txn != NULL && txn->state != SIP_TXN_ACCEPTED) {
		sip_txn_input(ua, txn, SIP_IN_ACK, msg);
		return;
	}
	struct sip_dialog *dialog = sip_dialog_get(
		ua, sip_dialog_find(ua, msg->call_id, msg->to.tag, msg->from.tag));
	if (dialog != NULL)
		sip_session_request(ua, dialog, msg, hop);
	else
		ua->counters[SIP_UA_STRAY]++;
}

static void
request_arrived(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	if (msg->method == SIP_ACK) {
		ack_arrived(ua, msg, hop);
		return;
	}
	struct sip_txn *txn = sip_txn_find(ua, sip_server_key(ua, msg, msg->method_text));
	if (txn != NULL) {
		sip_txn_input(ua, txn, SIP_IN_REQUEST, msg);
		return;
	}
	if (msg->method == SIP_CANCEL) {
		cancel_arrived(ua, msg, hop);
		return;
	}
	struct writer w = sip_lines_writer(ua);
	if (requires_unknown(msg, &w)) {
		sip_ua_respond_once(ua, msg, hop, 420, writer_view(&w));
		return;
	}
	if (msg->to.tag.len == 0) {
		new_request(ua, msg, hop);
		return;
	}
	struct sip_dialog *dialog = sip_dialog_get(
		ua, sip_dialog_find(ua, msg->call_id, msg->to.tag, msg->from.tag));
	if (dialog != NULL)
		sip_session_request(ua, dialog, msg, hop);
	else if (msg->method == SIP_OPTIONS)
		options_arrived(ua, msg, hop);
	else
		dialog_missing(ua, msg, hop);
}

static void
response_arrived(struct sip_ua *ua, const struct sip_msg *msg)
{
	struct sip_txn *txn =
	        sip_txn_find(ua, sip_client_key(ua, msg->via.branch, msg->cseq.method));
	if (txn == NULL || txn->cseq != msg->cseq.number) {
		ua->counters[SIP_UA_STRAY]++;
		return;
	}
	sip_txn_input(ua, txn,
	              msg->status < 200   ? SIP_IN_1XX
	              : msg->status < 300 ? SIP_IN_2XX
	                                  : SIP_IN_FINAL,
	              msg);
}

void
sip_ua_message(struct sip_ua *ua, const struct sip_hop *hop, const uint8_t *bytes, size_t len,
               enum sip_framing framing)
{
	struct sip_msg *msg = &ua->in;
	const enum sip_reject reject = sip_msg_parse(msg, bytes, len, framing);
	if (reject == SIP_REJECT_EMPTY)
		return; /* keep-alive (RFC 5626 s3.5.2 is STUN's; CRLF in packets is common) */
	ua->counters[SIP_UA_MESSAGES_IN]++;
	if (reject != SIP_OK) {
		const struct sip_refusal refusal = sip_msg_refusal(msg, reject);
		ua->counters[SIP_UA_MALFORMED]++;
		if (refusal.status != 0)
			sip_ua_respond_once(ua, msg, hop, refusal.status, (struct str){ 0 });
		return;
	}
	if (msg->request)
		request_arrived(ua, msg, hop);
	else
		response_arrived(ua, msg);
}

void
sip_ua_datagram(struct sip_ua *ua, unsigned listener, const struct net_addr *from,
                const uint8_t *bytes, size_t len, int64_t now_us)
{
	CHECK(listener < ua->settings.listener_count);
	CHECK(ua->listeners[listener].transport == SIP_TRANSPORT_UDP);
	sip_ua_enter(ua, now_us);
	const struct sip_hop hop = { .transport = SIP_TRANSPORT_UDP, .listener = listener,
		                     .to = *from };
	sip_ua_message(ua, &hop, bytes, len, SIP_DATAGRAM);
}
