/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/ice_check.h"

#include "base/check.h"

enum {
	NO_REMOTE = -1,
	PATIENT_REQUESTS = 2, /* sent to a better candidate before a worse one is nominated */
};

static_assert(ICE_CHECK_REMOTES_MAX <= INT8_MAX, "remotes are named by an int8_t");
/* RFC 8489 s6.2.1: Rc requests, each after twice the wait, and Rm initial waits at the end. */
static_assert(ICE_CHECK_REQUESTS_MAX == 7 && ICE_CHECK_LAST_RTOS == 16, "the RFC's defaults");

uint32_t
ice_priority(unsigned type_preference, unsigned local_preference)
{
	CHECK(type_preference <= 126 && local_preference <= 65535);
	return (uint32_t)type_preference << 24 | (uint32_t)local_preference << 8 | (256 - 1);
}

static void
username_set(char out[ICE_CHECK_USERNAME_MAX + 1], struct str first, struct str second)
{
	struct writer w = writer_of(out, ICE_CHECK_USERNAME_MAX);
	writer_str(&w, first);
	writer_u8(&w, ':');
	writer_str(&w, second);
	CHECK(!w.failed);
	out[w.at] = '\0';
}

static void
enter(struct ice_check *check, int64_t now_us)
{
	CHECK(!check->out_datagram && !check->out_selected && !check->out_failed);
	CHECK(now_us >= check->now_us);
	check->now_us = now_us;
}

void
ice_check_init(struct ice_check *check, const struct ice_check_settings *settings, int64_t now_us)
{
	*check = (struct ice_check){
		.selected = NO_REMOTE,
		.aggressive = settings->aggressive,
		.tie_breaker = settings->tie_breaker,
		.priority = settings->priority,
		.now_us = now_us,
		.pace_us = now_us,
	};
	username_set(check->username, settings->remote_ufrag, settings->local_ufrag);
	username_set(check->expected, settings->local_ufrag, settings->remote_ufrag);
	stun_key_init(&check->local_key, settings->local_pwd.at, settings->local_pwd.len);
	stun_key_init(&check->remote_key, settings->remote_pwd.at, settings->remote_pwd.len);
	prng_init(&check->prng, settings->seed);
}

void
ice_check_fini(struct ice_check *check)
{
	stun_key_wipe(&check->local_key);
	stun_key_wipe(&check->remote_key);
}

static int
remote_find(const struct ice_check *check, const struct net_addr *addr)
{
	for (int i = 0; i < check->remote_count; i++)
		if (addr_eq(&check->remotes[i].addr, addr))
			return i;
	return NO_REMOTE;
}

/* To be checked (again) as soon as the pace allows. */
static void
remote_wait(struct ice_check_remote *remote, int64_t now_us)
{
	remote->state = ICE_CHECK_WAITING;
	remote->nominate = false;
	remote->requests = 0;
	remote->due_us = now_us;
}

bool
ice_check_add_remote(struct ice_check *check, const struct net_addr *addr, uint32_t priority)
{
	if (check->remote_count == ICE_CHECK_REMOTES_MAX || remote_find(check, addr) != NO_REMOTE)
		return false;
	struct ice_check_remote *remote = &check->remotes[check->remote_count++];
	*remote = (struct ice_check_remote){ .addr = *addr, .priority = priority };
	remote_wait(remote, check->now_us);
	check->failed = false;
	return true;
}

void
ice_check_recheck(struct ice_check *check, int64_t now_us)
{
	enter(check, now_us);
	for (int i = 0; i < check->remote_count; i++)
		remote_wait(&check->remotes[i], now_us);
	check->selected = NO_REMOTE;
	check->failed = false;
	check->pace_us = now_us;
}

/* Requests */

static void
send_end(struct ice_check *check, struct writer *w, const struct net_addr *to)
{
	stun_write_fingerprint(w);
	const size_t len = stun_write_end(w);
	CHECK(len != 0);
	check->out_len = (uint16_t)len;
	check->out_to = *to;
	check->out_datagram = true;
}

/* RFC 7675 s5.1: five seconds, each time a little more or less. */
static int64_t
consent_wait_us(struct ice_check *check)
{
	const uint32_t fifth = ICE_CHECK_CONSENT_US / 5;
	return ICE_CHECK_CONSENT_US - fifth + prng_below(&check->prng, 2 * fifth);
}

/* RFC 8445 s14.3: no faster than the pace of all checks that run. */
static int64_t
rto_us(const struct ice_check *check)
{
	int64_t running = 0;
	for (int i = 0; i < check->remote_count; i++)
		running += check->remotes[i].state == ICE_CHECK_WAITING ||
		           check->remotes[i].state == ICE_CHECK_IN_PROGRESS;
	const int64_t paced_us = running * ICE_CHECK_TA_US;
	return paced_us > ICE_CHECK_RTO_US ? paced_us : ICE_CHECK_RTO_US;
}

/* RFC 8445 s7.2.2. */
static void
transmit(struct ice_check *check, int at)
{
	struct ice_check_remote *remote = &check->remotes[at];
	const bool use_candidate = !check->controlled && (check->aggressive || remote->nominate ||
	                                                  at == check->selected);
	struct writer w = writer_of(check->out_bytes, sizeof check->out_bytes);
	stun_write_begin(&w, STUN_BINDING_REQUEST, remote->tid);
	stun_write_attr(&w, STUN_USERNAME, check->username, strlen(check->username));
	stun_write_u64(&w, check->controlled ? STUN_ICE_CONTROLLED : STUN_ICE_CONTROLLING,
	               check->tie_breaker);
	stun_write_u32(&w, STUN_PRIORITY, check->priority);
	if (use_candidate)
		stun_write_attr(&w, STUN_USE_CANDIDATE, NULL, 0);
	stun_write_integrity(&w, &check->remote_key, STUN_INTEGRITY_SHA1);
	send_end(check, &w, &remote->addr);

	remote->requests++;
	if (at == check->selected) {
		const int64_t expiry_us = remote->heard_us + ICE_CHECK_EXPIRY_US;
		remote->due_us = check->now_us + consent_wait_us(check);
		if (remote->due_us > expiry_us)
			remote->due_us = expiry_us;
	} else if (remote->requests < ICE_CHECK_REQUESTS_MAX) {
		remote->due_us = check->now_us + (rto_us(check) << (remote->requests - 1));
	} else {
		remote->due_us = check->now_us + rto_us(check) * ICE_CHECK_LAST_RTOS;
	}
}

static void
transact(struct ice_check *check, int at)
{
	prng_bytes(&check->prng, check->remotes[at].tid, STUN_TID_BYTES);
	check->remotes[at].requests = 0;
	transmit(check, at);
}

static void
select_remote(struct ice_check *check, int at)
{
	check->selected = (int8_t)at;
	check->remotes[at].nominate = false;
	check->remotes[at].due_us = check->now_us + consent_wait_us(check);
	check->out_selected = true;
}

static bool
is_undecided(const struct ice_check_remote *remote)
{
	return remote->state == ICE_CHECK_WAITING || remote->state == ICE_CHECK_IN_PROGRESS;
}

/* Regular nomination (RFC 8445 s8.1.1): the best that answered, once those above it have had their
 * chance.  And when nothing is left that could answer, the agent has failed. */
static void
conclude(struct ice_check *check)
{
	int best = NO_REMOTE;
	bool undecided = false;
	for (int i = 0; i < check->remote_count; i++) {
		const struct ice_check_remote *remote = &check->remotes[i];
		undecided |= is_undecided(remote);
		if (remote->state == ICE_CHECK_SUCCEEDED &&
		    (best == NO_REMOTE || remote->priority > check->remotes[best].priority))
			best = i;
	}
	if (check->selected != NO_REMOTE || check->remote_count == 0)
		return;
	if (best == NO_REMOTE) {
		if (!undecided && !check->failed) {
			check->failed = true;
			check->out_failed = true;
		}
		return;
	}
	if (check->controlled || check->aggressive || check->remotes[best].nominate)
		return;
	for (int i = 0; i < check->remote_count; i++) {
		const struct ice_check_remote *remote = &check->remotes[i];
		if (is_undecided(remote) && remote->priority > check->remotes[best].priority &&
		    remote->requests <= PATIENT_REQUESTS)
			return;
	}
	check->remotes[best].nominate = true;
	check->remotes[best].requests = 0;
	check->remotes[best].due_us = check->now_us;
}

/* RFC 7675 s5.1: consent is gone.  The other candidates get another try. */
static void
lose_selected(struct ice_check *check)
{
	check->remotes[check->selected].state = ICE_CHECK_FAILED;
	check->selected = NO_REMOTE;
	for (int i = 0; i < check->remote_count; i++)
		if (check->remotes[i].state != ICE_CHECK_FAILED)
			remote_wait(&check->remotes[i], check->now_us);
}

static void
serve(struct ice_check *check, int at)
{
	struct ice_check_remote *remote = &check->remotes[at];
	if (at == check->selected) {
		if (check->now_us - remote->heard_us >= ICE_CHECK_EXPIRY_US)
			lose_selected(check);
		else
			transact(check, at);
		return;
	}
	if (remote->requests == ICE_CHECK_REQUESTS_MAX) {
		remote->state = ICE_CHECK_FAILED;
		return;
	}
	if (remote->state == ICE_CHECK_WAITING) {
		remote->state = ICE_CHECK_IN_PROGRESS;
		check->pace_us = check->now_us + ICE_CHECK_TA_US;
	}
	if (remote->requests == 0)
		transact(check, at);
	else
		transmit(check, at);
}

/* When this remote wants something done, or INT64_MAX. */
static int64_t
remote_deadline(const struct ice_check *check, int at)
{
	const struct ice_check_remote *remote = &check->remotes[at];
	switch (remote->state) {
	case ICE_CHECK_WAITING:
		return remote->due_us > check->pace_us ? remote->due_us : check->pace_us;
	case ICE_CHECK_IN_PROGRESS:
		return remote->due_us;
	case ICE_CHECK_SUCCEEDED:
		return at == check->selected || (remote->nominate && !check->controlled)
		               ? remote->due_us
		               : INT64_MAX;
	case ICE_CHECK_FAILED:
		break;
	}
	return INT64_MAX;
}

void
ice_check_tick(struct ice_check *check, int64_t now_us)
{
	enter(check, now_us);
	/* One datagram a tick; the deadline asks for the next at once. */
	while (!check->out_datagram) {
		int next = NO_REMOTE;
		for (int i = 0; i < check->remote_count; i++)
			if (remote_deadline(check, i) <= now_us &&
			    (next == NO_REMOTE ||
			     check->remotes[i].priority > check->remotes[next].priority))
				next = i;
		if (next == NO_REMOTE)
			break;
		serve(check, next);
	}
	conclude(check);
}

int64_t
ice_check_deadline(const struct ice_check *check)
{
	int64_t next_us = INT64_MAX;
	for (int i = 0; i < check->remote_count; i++) {
		const int64_t remote_us = remote_deadline(check, i);
		if (remote_us < next_us)
			next_us = remote_us;
	}
	return next_us;
}

/* Answers to our checks (RFC 8445 s7.2.5) */

static void
succeeded(struct ice_check *check, int at)
{
	struct ice_check_remote *remote = &check->remotes[at];
	remote->state = ICE_CHECK_SUCCEEDED;
	remote->requests = 0;
	remote->heard_us = check->now_us;
	if (at == check->selected)
		return;
	const bool better = check->selected == NO_REMOTE ||
	                    remote->priority > check->remotes[check->selected].priority;
	if (remote->nominate || (check->aggressive && !check->controlled && better))
		select_remote(check, at);
}

static void
switch_role(struct ice_check *check, bool controlled)
{
	check->controlled = controlled;
	for (int i = 0; i < check->remote_count; i++)
		if (i != check->selected)
			remote_wait(&check->remotes[i], check->now_us);
}

static bool
input_response(struct ice_check *check, const struct net_addr *from, const struct stun_msg *msg)
{
	const int at = remote_find(check, from); /* s7.2.5.2.1: from where the request went */
	if (at == NO_REMOTE)
		return false;
	struct ice_check_remote *remote = &check->remotes[at];
	const bool ours = remote->requests != 0 &&
	                  memcmp(remote->tid, stun_msg_tid(msg), STUN_TID_BYTES) == 0;
	const enum stun_integrity integrity = stun_msg_integrity(msg, &check->remote_key);
	if (!ours || (integrity != STUN_INTEGRITY_SHA1 && integrity != STUN_INTEGRITY_SHA256))
		return false;

	unsigned code = 0;
	if (msg->type == STUN_BINDING_SUCCESS) {
		if (!stun_msg_xor_addr(msg, STUN_XOR_MAPPED_ADDRESS, &check->mapped))
			return false;
		succeeded(check, at);
	} else if (stun_msg_error(msg, &code, NULL) && code == 487) {
		switch_role(check, !check->controlled); /* s7.2.5.1 */
	} else {
		remote->state = ICE_CHECK_FAILED;
		if (at == check->selected)
			lose_selected(check);
	}
	return true;
}

/* Checks of the peer (s7.3) */

static bool
role_conflicts(struct ice_check *check, const struct stun_msg *msg)
{
	uint64_t theirs;
	const uint16_t mine = check->controlled ? STUN_ICE_CONTROLLED : STUN_ICE_CONTROLLING;
	if (!stun_msg_u64(msg, mine, &theirs))
		return false;
	const bool we_win = check->tie_breaker >= theirs;
	if (we_win != check->controlled)
		return true; /* the peer has to switch */
	switch_role(check, !check->controlled);
	return false;
}

static bool
input_request(struct ice_check *check, const struct net_addr *from, const struct stun_msg *msg)
{
	struct str username;
	const enum stun_integrity kind = stun_msg_integrity(msg, &check->local_key);
	if (!stun_msg_text(msg, STUN_USERNAME, &username) ||
	    !str_eq(username, str_of(check->expected)) ||
	    (kind != STUN_INTEGRITY_SHA1 && kind != STUN_INTEGRITY_SHA256))
		return false;

	const bool conflict = role_conflicts(check, msg);
	struct writer w = writer_of(check->out_bytes, sizeof check->out_bytes);
	stun_write_begin(&w, conflict ? STUN_BINDING_ERROR : STUN_BINDING_SUCCESS,
	                 stun_msg_tid(msg));
	if (conflict)
		stun_write_error(&w, 487, (struct str){ 0 });
	else
		stun_write_xor_addr(&w, STUN_XOR_MAPPED_ADDRESS, from);
	stun_write_integrity(&w, &check->local_key, kind);
	send_end(check, &w, from);

	const int at = remote_find(check, from);
	if (!conflict && check->controlled && at != NO_REMOTE && at != check->selected &&
	    stun_msg_has(msg, STUN_USE_CANDIDATE)) { /* s7.3.1.5 */
		if (check->remotes[at].state == ICE_CHECK_SUCCEEDED)
			select_remote(check, at);
		else
			check->remotes[at].nominate = true;
	}
	return true;
}

void
ice_check_input(struct ice_check *check, const struct net_addr *from, const uint8_t *bytes,
                size_t len, int64_t now_us)
{
	enter(check, now_us);
	struct stun_msg msg;
	bool used = false;
	if (stun_msg_parse(&msg, bytes, len) == STUN_OK && stun_msg_fingerprint_ok(&msg)) {
		if (msg.type == STUN_BINDING_REQUEST)
			used = input_request(check, from, &msg);
		else if (msg.type == STUN_BINDING_SUCCESS || msg.type == STUN_BINDING_ERROR)
			used = input_response(check, from, &msg);
		else
			used = msg.type == STUN_BINDING_INDICATION;
	}
	if (!used)
		check->ignored++;
	conclude(check);
}

struct ice_check_out
ice_check_poll(struct ice_check *check)
{
	if (check->out_datagram) {
		check->out_datagram = false;
		return (struct ice_check_out){ .kind = ICE_CHECK_OUT_DATAGRAM,
			                       .to = &check->out_to,
			                       .bytes = check->out_bytes,
			                       .len = check->out_len };
	}
	if (check->out_selected) {
		check->out_selected = false;
		return (struct ice_check_out){ .kind = ICE_CHECK_OUT_SELECTED,
			                       .to = &check->remotes[check->selected].addr,
			                       .mapped = check->mapped };
	}
	if (check->out_failed) {
		check->out_failed = false;
		return (struct ice_check_out){ .kind = ICE_CHECK_OUT_FAILED };
	}
	return (struct ice_check_out){ .kind = ICE_CHECK_OUT_NONE };
}
