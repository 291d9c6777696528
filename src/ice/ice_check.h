/* SPDX-License-Identifier: Apache-2.0 */
/* ice_check -- the other side of ice_lite: a small controlling agent that sends checks (RFC 8445
 * s7.2, s8.1, s14; RFC 7675), for fake browsers, load tools, and SIP peers that are lite themselves.
 *
 * It checks the remote candidates it is given from one local base, nominates the best that answers,
 * keeps consent fresh on it and moves on when that fails.  It answers the peer's own checks, but
 * learns no candidates from them (no triggered checks): towards a lite peer there are none, and a
 * full peer's candidates are in its SDP.
 *
 * Sans-IO: feed one input, then drain ice_check_poll() until ICE_CHECK_OUT_NONE.
 *
 * Ownership  The caller's memory; a plain value.  ice_check_fini() wipes the keys.
 * Threads    One owner.
 * Units      Microseconds.
 * Errors     Datagrams that are no answer of ours are ignored and counted.
 * Limits     ICE_CHECK_REMOTES_MAX candidates.
 */
#ifndef ICE_ICE_CHECK_H
#define ICE_ICE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/prng.h"
#include "base/str.h"
#include "stun/stun_msg.h"

enum {
	ICE_CHECK_REMOTES_MAX = 8,
	ICE_CHECK_USERNAME_MAX = 65,
	ICE_CHECK_TA_US = 50 * 1000,             /* RFC 8445 s14.2 */
	ICE_CHECK_RTO_US = 500 * 1000,           /* s14.3 */
	ICE_CHECK_REQUESTS_MAX = 7,              /* RFC 8489 s6.2.1, Rc */
	ICE_CHECK_LAST_RTOS = 16,                /* Rm */
	ICE_CHECK_CONSENT_US = 5 * 1000 * 1000,  /* RFC 7675 s5.1, times 0.8 to 1.2 */
	ICE_CHECK_EXPIRY_US = 30 * 1000 * 1000,
	ICE_CHECK_OUT_BYTES_MAX = 256,
};

struct ice_check_settings {
	struct str local_ufrag, local_pwd;   /* copied */
	struct str remote_ufrag, remote_pwd; /* copied */
	uint64_t tie_breaker;
	uint32_t priority;    /* of the local candidate as a peer-reflexive one, s7.1.1 */
	bool aggressive;      /* USE-CANDIDATE on every check, as RFC 5245 peers do */
	uint64_t seed;        /* transaction ids and consent jitter */
};

enum ice_check_out_kind {
	ICE_CHECK_OUT_NONE,
	ICE_CHECK_OUT_DATAGRAM,
	ICE_CHECK_OUT_SELECTED, /* nominated and answered: send to `to` */
	ICE_CHECK_OUT_FAILED,   /* every candidate failed, or consent ended with none left */
};

struct ice_check_out {
	enum ice_check_out_kind kind;
	const struct net_addr *to; /* borrowed until the next call */
	const uint8_t *bytes;      /* borrowed until the next call */
	size_t len;
	struct net_addr mapped;    /* SELECTED: how the peer sees us */
};

enum ice_check_state {
	ICE_CHECK_WAITING,
	ICE_CHECK_IN_PROGRESS,
	ICE_CHECK_SUCCEEDED,
	ICE_CHECK_FAILED,
};

/* Below here: ours; others use the functions. */
struct ice_check_remote {
	struct net_addr addr;
	uint32_t priority;
	enum ice_check_state state;
	bool nominate;            /* the running request carries USE-CANDIDATE */
	uint8_t requests;         /* sent of the running transaction; 0: none runs */
	uint8_t tid[STUN_TID_BYTES];
	int64_t due_us;           /* next retransmission, give-up or consent check */
	int64_t heard_us;         /* last good answer */
};

struct ice_check {
	char username[ICE_CHECK_USERNAME_MAX + 1]; /* of our requests: "remote:local" */
	char expected[ICE_CHECK_USERNAME_MAX + 1]; /* of the peer's: "local:remote" */
	struct stun_key local_key, remote_key;
	struct ice_check_remote remotes[ICE_CHECK_REMOTES_MAX];
	uint8_t remote_count;
	int8_t selected;
	bool aggressive, controlled, failed;
	bool out_datagram, out_selected, out_failed;
	uint64_t tie_breaker;
	uint32_t priority;
	struct prng prng;
	int64_t now_us, pace_us;
	struct net_addr mapped, out_to;
	uint16_t out_len;
	uint8_t out_bytes[ICE_CHECK_OUT_BYTES_MAX];
	uint64_t ignored;
};

void ice_check_init(struct ice_check *check, const struct ice_check_settings *settings,
                    int64_t now_us);
void ice_check_fini(struct ice_check *check);

/* A remote candidate; false when the table is full or it is there already.  May come late. */
bool ice_check_add_remote(struct ice_check *check, const struct net_addr *addr, uint32_t priority);

/* Our network changed: all checks start again, with the same credentials. */
void ice_check_recheck(struct ice_check *check, int64_t now_us);

void ice_check_input(struct ice_check *check, const struct net_addr *from, const uint8_t *bytes,
                     size_t len, int64_t now_us);
void ice_check_tick(struct ice_check *check, int64_t now_us);
[[nodiscard]] struct ice_check_out ice_check_poll(struct ice_check *check);
/* When ice_check_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t ice_check_deadline(const struct ice_check *check);

/* RFC 8445 s5.1.2.1 for component 1: `type_preference` is 126 host, 110 prflx, 100 srflx, 0 relay. */
[[nodiscard]] uint32_t ice_priority(unsigned type_preference, unsigned local_preference);

#endif
