/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/ice_lite.h"

#include <openssl/crypto.h>

#include "base/check.h"

enum {
	SECOND_US = 1000 * 1000,
	ERROR_COST_US = SECOND_US / ICE_LITE_ERRORS_PER_S,
	NO_PAIR = -1,
};

static_assert(ICE_LITE_PAIRS_MAX <= INT8_MAX, "pairs are named by an int8_t");
static_assert(ICE_LITE_STALE_US < ICE_LITE_SILENCE_US, "a stale pair must still be there");

static void
credentials_set(struct ice_lite_credentials *credentials, struct str ufrag, struct str pwd)
{
	CHECK(ufrag.len != 0 && pwd.len != 0);
	CHECK(pwd.len <= ICE_PWD_MAX);
	const bool fits = str_copy(credentials->ufrag, sizeof credentials->ufrag, ufrag);
	CHECK(fits);
	stun_key_init(&credentials->key, pwd.at, pwd.len);
}

static void
credentials_drop(struct ice_lite_credentials *credentials)
{
	OPENSSL_cleanse(credentials, sizeof *credentials);
}

/* Every input comes through here: outputs have been drained and time has not gone back. */
static void
enter(struct ice_lite *ice, int64_t now_us)
{
	CHECK(!ice->out_datagram && !ice->out_selected && !ice->out_restarted && !ice->out_expired);
	CHECK(now_us >= ice->now_us);
	ice->now_us = now_us;
}

void
ice_lite_init(struct ice_lite *ice, const struct ice_lite_settings *settings, int64_t now_us)
{
	CHECK(settings->silence_us_max >= 0 && settings->keepalive_us >= 0);
	*ice = (struct ice_lite){
		.selected = NO_PAIR,
		.now_us = now_us,
		.alive_us = now_us,
		.sent_us = now_us,
		.errors_at_us = now_us,
		.silence_us_max = settings->silence_us_max != 0 ? settings->silence_us_max
		                                                : ICE_LITE_SILENCE_US,
		.keepalive_us = settings->keepalive_us != 0 ? settings->keepalive_us
		                                            : ICE_LITE_KEEPALIVE_US,
		.tid_state = settings->tid_seed,
	};
	credentials_set(&ice->local, settings->local_ufrag, settings->local_pwd);
}

void
ice_lite_fini(struct ice_lite *ice)
{
	credentials_drop(&ice->local);
	credentials_drop(&ice->before);
}

void
ice_lite_restart(struct ice_lite *ice, struct str ufrag, struct str pwd, int64_t now_us)
{
	enter(ice, now_us);
	ice->before = ice->local;
	credentials_set(&ice->local, ufrag, pwd);
	ice->alive_us = now_us; /* the peer gets the whole limit to begin anew */
	ice->expired = false;
}

/* Pairs */

static int
pair_find(const struct ice_lite *ice, const struct net_addr *remote)
{
	for (int i = 0; i < ice->pair_count; i++)
		if (addr_eq(&ice->pairs[i].remote, remote))
			return i;
	return NO_PAIR;
}

static void
pair_remove(struct ice_lite *ice, int at)
{
	const int last = --ice->pair_count;
	ice->pairs[at] = ice->pairs[last];
	if (ice->selected == at)
		ice->selected = NO_PAIR;
	else if (ice->selected == last)
		ice->selected = (int8_t)at;
}

/* The pair for a source that has just passed a check; a full table loses the one that has been
 * silent for longest, never the selected one. */
static int
pair_get(struct ice_lite *ice, const struct net_addr *remote)
{
	const int found = pair_find(ice, remote);
	if (found != NO_PAIR)
		return found;

	if (ice->pair_count == ICE_LITE_PAIRS_MAX) {
		int oldest = ice->selected == 0 ? 1 : 0;
		for (int i = 0; i < ICE_LITE_PAIRS_MAX; i++)
			if (i != ice->selected && ice->pairs[i].heard_us < ice->pairs[oldest].heard_us)
				oldest = i;
		pair_remove(ice, oldest);
	}
	const int at = ice->pair_count++;
	ice->pairs[at] = (struct ice_lite_pair){ .remote = *remote, .heard_us = ice->now_us };
	return at;
}

static void
pairs_expire(struct ice_lite *ice)
{
	for (int i = ice->pair_count; i-- > 0;)
		if (i != ice->selected &&
		    ice->now_us - ice->pairs[i].heard_us >= ice->silence_us_max)
			pair_remove(ice, i);
}

/* RFC 8445 s7.3.1.5 and s8.1.1; the header says which of several nominated pairs wins. */
static bool
takes_over(const struct ice_lite *ice, int at, bool newly_nominated)
{
	if (ice->selected == NO_PAIR)
		return true;
	const struct ice_lite_pair *old = &ice->pairs[ice->selected];
	if (at == ice->selected)
		return false;
	if (ice->now_us - old->heard_us >= ICE_LITE_STALE_US)
		return true;
	return newly_nominated && (ice->regular || ice->pairs[at].priority > old->priority);
}

static void
pair_checked(struct ice_lite *ice, const struct net_addr *from, uint32_t priority, bool nominating)
{
	const int at = pair_get(ice, from);
	struct ice_lite_pair *pair = &ice->pairs[at];
	const bool newly_nominated = nominating && !pair->nominating;
	pair->heard_us = ice->now_us;
	pair->priority = priority;
	pair->nominating = nominating;
	if (!nominating)
		ice->regular = true;
	else if (takes_over(ice, at, newly_nominated)) {
		ice->selected = (int8_t)at;
		ice->out_selected = true;
	}
	ice->alive_us = ice->now_us;
	ice->expired = false;
}

/* Answers */

static void
answer_begin(struct ice_lite *ice, struct writer *w, const struct stun_msg *request, uint16_t type)
{
	*w = writer_of(ice->out_bytes, sizeof ice->out_bytes);
	stun_write_begin(w, type, stun_msg_tid(request));
}

static void
answer_end(struct ice_lite *ice, struct writer *w, const struct net_addr *to)
{
	stun_write_fingerprint(w);
	const size_t len = stun_write_end(w);
	CHECK(len != 0); /* ICE_LITE_OUT_BYTES_MAX holds the largest answer we write */
	ice->out_len = (uint16_t)len;
	ice->out_to = *to;
	ice->out_datagram = true;
}

/* To someone who has not shown our password: no more bytes than came, and only a few a second. */
static void
answer_stranger(struct ice_lite *ice, const struct net_addr *to, const struct stun_msg *request,
                unsigned code)
{
	struct writer w;
	answer_begin(ice, &w, request, STUN_BINDING_ERROR);
	stun_write_error(&w, code, (struct str){ 0 });
	answer_end(ice, &w, to);

	const int64_t full_us = ice->errors_at_us > ice->now_us ? ice->errors_at_us : ice->now_us;
	if (ice->out_len > request->len || full_us - ice->now_us > SECOND_US - ERROR_COST_US) {
		ice->out_datagram = false;
		ice->stats.errors_withheld++;
		return;
	}
	ice->errors_at_us = full_us + ERROR_COST_US;
	ice->stats.errors_sent++;
}

static void
answer_error(struct ice_lite *ice, const struct net_addr *to, const struct stun_msg *request,
             const struct stun_key *key, enum stun_integrity kind, unsigned code)
{
	struct writer w;
	answer_begin(ice, &w, request, STUN_BINDING_ERROR);
	stun_write_error(&w, code, (struct str){ 0 });
	if (code == 420) {
		uint16_t types[STUN_UNKNOWN_MAX];
		stun_write_unknown(&w, types, stun_msg_unknown(request, types));
	}
	stun_write_integrity(&w, key, kind);
	answer_end(ice, &w, to);
	ice->stats.errors_sent++;
}

static void
answer_success(struct ice_lite *ice, const struct net_addr *to, const struct stun_msg *request,
               const struct stun_key *key, enum stun_integrity kind)
{
	struct writer w;
	answer_begin(ice, &w, request, STUN_BINDING_SUCCESS);
	stun_write_xor_addr(&w, STUN_XOR_MAPPED_ADDRESS, to);
	stun_write_integrity(&w, key, kind);
	answer_end(ice, &w, to);
	ice->stats.checks++;
}

/* RFC 8445 s7.3: "ours:theirs", and only the first part is ours to judge. */
static struct ice_lite_credentials *
credentials_for(struct ice_lite *ice, struct str username)
{
	struct str rest = username;
	const struct str ufrag = str_cut(&rest, ':');
	if (ufrag.len == username.len || ufrag.len == 0)
		return NULL;
	if (str_eq(ufrag, str_of(ice->local.ufrag)))
		return &ice->local;
	if (str_eq(ufrag, str_of(ice->before.ufrag)))
		return &ice->before;
	return NULL;
}

static enum ice_lite_reject
input_request(struct ice_lite *ice, const struct net_addr *from, const struct stun_msg *msg)
{
	struct str username;
	uint32_t priority = 0;
	uint16_t unknown[STUN_UNKNOWN_MAX];
	const bool signed_somehow = stun_msg_has(msg, STUN_MESSAGE_INTEGRITY) ||
	                            stun_msg_has(msg, STUN_MESSAGE_INTEGRITY_SHA256);

	/* RFC 8489 s9.1.3, in its order. */
	if (!signed_somehow || !stun_msg_text(msg, STUN_USERNAME, &username)) {
		answer_stranger(ice, from, msg, 400);
		return ICE_LITE_REJECT_MALFORMED;
	}
	struct ice_lite_credentials *credentials = credentials_for(ice, username);
	if (credentials == NULL) {
		answer_stranger(ice, from, msg, 401);
		return ICE_LITE_REJECT_USERNAME;
	}
	const enum stun_integrity kind = stun_msg_integrity(msg, &credentials->key);
	if (kind != STUN_INTEGRITY_SHA1 && kind != STUN_INTEGRITY_SHA256) {
		answer_stranger(ice, from, msg, 401);
		return ICE_LITE_REJECT_INTEGRITY;
	}

	/* From here on it is the peer who speaks. */
	const struct stun_key *key = &credentials->key;
	if (stun_msg_unknown(msg, unknown) != 0) { /* RFC 8489 s6.3.1 */
		answer_error(ice, from, msg, key, kind, 420);
		return ICE_LITE_REJECT_UNKNOWN;
	}
	if (stun_msg_has(msg, STUN_ICE_CONTROLLED)) { /* RFC 8445 s7.3.1.1 */
		answer_error(ice, from, msg, key, kind, 487);
		return ICE_LITE_REJECT_ROLE;
	}
	if (!stun_msg_u32(msg, STUN_PRIORITY, &priority)) { /* RFC 8445 s7.1.1: MUST be there */
		answer_error(ice, from, msg, key, kind, 400);
		return ICE_LITE_REJECT_MALFORMED;
	}

	answer_success(ice, from, msg, key, kind);
	if (credentials == &ice->local && ice->before.ufrag[0] != '\0') {
		credentials_drop(&ice->before);
		ice->regular = false;
		for (int i = 0; i < ice->pair_count; i++)
			ice->pairs[i].nominating = false;
		ice->out_restarted = true;
	}
	pair_checked(ice, from, priority, stun_msg_has(msg, STUN_USE_CANDIDATE));
	return ICE_LITE_OK;
}

static enum ice_lite_reject
input_judge(struct ice_lite *ice, const struct net_addr *from, const uint8_t *bytes, size_t len)
{
	struct stun_msg msg;
	if (stun_msg_parse(&msg, bytes, len) != STUN_OK)
		return ICE_LITE_REJECT_NOT_STUN;
	if (!stun_msg_fingerprint_ok(&msg))
		return ICE_LITE_REJECT_FINGERPRINT;
	if (msg.type == STUN_BINDING_INDICATION)
		return ICE_LITE_OK; /* RFC 8445 s11: a keep-alive proves nothing and gets no answer */
	if (msg.type != STUN_BINDING_REQUEST)
		return ICE_LITE_REJECT_TYPE;
	return input_request(ice, from, &msg);
}

enum ice_lite_reject
ice_lite_input(struct ice_lite *ice, const struct net_addr *from, const uint8_t *bytes, size_t len,
               int64_t now_us)
{
	enter(ice, now_us);
	const enum ice_lite_reject reject = input_judge(ice, from, bytes, len);
	ice->stats.rejects[reject]++;
	return reject;
}

/* splitmix64: ids of indications must differ, and nobody answers them. */
static uint64_t
tid_next(struct ice_lite *ice)
{
	uint64_t z = ice->tid_state += 0x9E3779B97F4A7C15u;
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

/* RFC 8445 s11: an indication without credentials, with FINGERPRINT. */
static void
keep_alive(struct ice_lite *ice)
{
	uint8_t tid[STUN_TID_BYTES];
	struct writer id = writer_of(tid, sizeof tid);
	writer_u64(&id, tid_next(ice));
	writer_u32(&id, (uint32_t)tid_next(ice));

	struct writer w = writer_of(ice->out_bytes, sizeof ice->out_bytes);
	stun_write_begin(&w, STUN_BINDING_INDICATION, tid);
	answer_end(ice, &w, &ice->pairs[ice->selected].remote);
	ice->sent_us = ice->now_us;
}

void
ice_lite_tick(struct ice_lite *ice, int64_t now_us)
{
	enter(ice, now_us);
	pairs_expire(ice);
	if (!ice->expired && now_us - ice->alive_us >= ice->silence_us_max) {
		ice->expired = true;
		ice->out_expired = true;
		return;
	}
	if (!ice->expired && ice->selected != NO_PAIR && now_us - ice->sent_us >= ice->keepalive_us)
		keep_alive(ice);
}

int64_t
ice_lite_deadline(const struct ice_lite *ice)
{
	if (ice->expired)
		return INT64_MAX;
	int64_t next_us = ice->alive_us + ice->silence_us_max;
	for (int i = 0; i < ice->pair_count; i++)
		if (i != ice->selected && ice->pairs[i].heard_us + ice->silence_us_max < next_us)
			next_us = ice->pairs[i].heard_us + ice->silence_us_max;
	if (ice->selected != NO_PAIR && ice->sent_us + ice->keepalive_us < next_us)
		next_us = ice->sent_us + ice->keepalive_us;
	return next_us;
}

struct ice_lite_out
ice_lite_poll(struct ice_lite *ice)
{
	if (ice->out_datagram) {
		ice->out_datagram = false;
		return (struct ice_lite_out){ .kind = ICE_LITE_OUT_DATAGRAM, .to = &ice->out_to,
			                      .bytes = ice->out_bytes, .len = ice->out_len };
	}
	if (ice->out_restarted) {
		ice->out_restarted = false;
		return (struct ice_lite_out){ .kind = ICE_LITE_OUT_RESTARTED };
	}
	if (ice->out_selected) {
		ice->out_selected = false;
		CHECK(ice->selected != NO_PAIR);
		return (struct ice_lite_out){ .kind = ICE_LITE_OUT_SELECTED,
			                      .to = &ice->pairs[ice->selected].remote };
	}
	if (ice->out_expired) {
		ice->out_expired = false;
		return (struct ice_lite_out){ .kind = ICE_LITE_OUT_EXPIRED };
	}
	return (struct ice_lite_out){ .kind = ICE_LITE_OUT_NONE };
}

bool
ice_lite_verified(const struct ice_lite *ice, const struct net_addr *from)
{
	if (ice->selected != NO_PAIR && addr_eq(&ice->pairs[ice->selected].remote, from))
		return true;
	return pair_find(ice, from) != NO_PAIR;
}

const struct net_addr *
ice_lite_remote(const struct ice_lite *ice)
{
	if (ice->selected != NO_PAIR)
		return &ice->pairs[ice->selected].remote;
	int best = NO_PAIR;
	for (int i = 0; i < ice->pair_count; i++)
		if (best == NO_PAIR || ice->pairs[i].heard_us >= ice->pairs[best].heard_us)
			best = i;
	return best != NO_PAIR ? &ice->pairs[best].remote : NULL;
}

/* RFC 8839 s5.1: foundation, component, transport, priority, address, port, "typ", type.  The address
 * may be a name (mDNS), which is why it is not parsed. */
bool
ice_lite_candidate(struct str line)
{
	struct str rest = str_trim(line);
	if (str_starts(rest, STR("a=")))
		rest = str_sub(rest, 2, rest.len - 2);
	if (str_starts(rest, STR("candidate:")))
		rest = str_sub(rest, 10, rest.len - 10);
	if (rest.len == 0) /* RFC 8838 s14: the end of candidates */
		return true;

	const struct str foundation = str_cut(&rest, ' ');
	const struct str component = str_cut(&rest, ' ');
	const struct str transport = str_cut(&rest, ' ');
	const struct str priority = str_cut(&rest, ' ');
	const struct str address = str_cut(&rest, ' ');
	const struct str port = str_cut(&rest, ' ');
	const struct str typ = str_cut(&rest, ' ');
	const struct str type = str_cut(&rest, ' ');
	uint32_t number;
	return foundation.len >= 1 && foundation.len <= 32 && str_u32(component, &number) &&
	       number >= 1 && number <= 256 && transport.len != 0 && str_u32(priority, &number) &&
	       address.len != 0 && str_u32(port, &number) && number <= UINT16_MAX &&
	       str_eq(typ, STR("typ")) && type.len != 0;
}

void
ice_lite_dump(const struct ice_lite *ice, struct writer *w)
{
	writer_format(w, "ice-lite %s%s%s silent_ms=%lld checks=%llu errors=%llu withheld=%llu\n",
	              ice->local.ufrag, ice->before.ufrag[0] != '\0' ? " restarting" : "",
	              ice->expired ? " expired" : "",
	              (long long)((ice->now_us - ice->alive_us) / 1000),
	              (unsigned long long)ice->stats.checks,
	              (unsigned long long)ice->stats.errors_sent,
	              (unsigned long long)ice->stats.errors_withheld);
	for (int i = 0; i < ice->pair_count; i++) {
		const struct ice_lite_pair *pair = &ice->pairs[i];
		char text[ADDR_TEXT_MAX];
		writer_format(w, "  %s priority=%u silent_ms=%lld%s%s\n",
		              addr_text(text, &pair->remote), pair->priority,
		              (long long)((ice->now_us - pair->heard_us) / 1000),
		              pair->nominating ? " nominating" : "",
		              i == ice->selected ? " selected" : "");
	}
}

const char *
ice_lite_reject_name(enum ice_lite_reject reject)
{
	static const char *const names[] = {
		[ICE_LITE_OK] = "ok",
		[ICE_LITE_REJECT_NOT_STUN] = "not stun",
		[ICE_LITE_REJECT_FINGERPRINT] = "fingerprint",
		[ICE_LITE_REJECT_TYPE] = "type",
		[ICE_LITE_REJECT_MALFORMED] = "malformed",
		[ICE_LITE_REJECT_USERNAME] = "username",
		[ICE_LITE_REJECT_INTEGRITY] = "integrity",
		[ICE_LITE_REJECT_UNKNOWN] = "unknown attribute",
		[ICE_LITE_REJECT_ROLE] = "role",
	};
	static_assert(COUNT_OF(names) == ICE_LITE_REJECT_COUNT, "a reject without a name");
	CHECK(reject < ICE_LITE_REJECT_COUNT);
	return names[reject];
}
