/* SPDX-License-Identifier: Apache-2.0 */
/* ice_lite -- answer a peer's connectivity checks (RFC 8445 s2.5, s7.3, s8, s11; RFC 7675).
 *
 * We have one address per port and send no checks.  A source address becomes usable when a check
 * with our ufrag and password has come from it, and by nothing else; the peer's nomination chooses
 * which one we send to, and its consent checks are our sign of life.  A browser that changes network
 * is followed when it nominates the new path.
 *
 * Sans-IO: feed one input (input or tick), then drain ice_lite_poll() until ICE_LITE_OUT_NONE;
 * feeding again before that asserts.  Time arrives as `now_us` only and never goes back.
 *
 * Ownership  The caller's memory; a plain value without pointers.  ice_lite_fini() wipes the keys.
 * Threads    One owner.
 * Units      Microseconds.
 * Errors     A peer's faults are counted per `enum ice_lite_reject` and answered as far as the RFC
 *            asks, see below.
 * Limits     ICE_LITE_PAIRS_MAX verified sources; the one silent for longest makes room.
 *
 * Strangers  A message whose FINGERPRINT is wrong costs one CRC and is dropped.  400 and 401 go out
 *            at most ICE_LITE_ERRORS_PER_S times a second and session, and only when the answer is
 *            not longer than the request, so we amplify nothing.  Everything else a stranger sends
 *            is counted, no more.  An unknown ufrag never gets here: the worker finds no leg.
 * Roles      We are always controlled (s6.1.1).  A request with ICE-CONTROLLED gets 487, whatever
 *            the tie-breakers say: a lite agent cannot take the other role.
 * Nomination A peer that nominates some pairs and not others is followed to the last one it
 *            nominated.  One that puts USE-CANDIDATE on every check (RFC 5245's aggressive kind)
 *            gets the pair of highest priority.  When the selected pair has been silent for
 *            ICE_LITE_STALE_US, the next nominating check takes over in either case.
 */
#ifndef ICE_ICE_LITE_H
#define ICE_ICE_LITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "stun/stun_msg.h"

enum {
	ICE_UFRAG_MAX = 32,       /* ours; RFC 8839 s5.4 allows 4 to 256 characters */
	ICE_PWD_MAX = 64,         /* ours; 22 to 256 */
	ICE_LITE_PAIRS_MAX = 8,
	ICE_LITE_ERRORS_PER_S = 4,
	ICE_LITE_STALE_US = 8 * 1000 * 1000,
	ICE_LITE_SILENCE_US = 30 * 1000 * 1000,   /* RFC 7675 s5.1 */
	ICE_LITE_KEEPALIVE_US = 15 * 1000 * 1000, /* RFC 8445 s11, Tr */
	ICE_LITE_OUT_BYTES_MAX = 160,
};

enum ice_lite_reject {
	ICE_LITE_OK = 0,
	ICE_LITE_REJECT_NOT_STUN,    /* stun_msg_parse() refused it */
	ICE_LITE_REJECT_FINGERPRINT, /* absent or wrong (RFC 8445 s7.1.1, RFC 8489 s7.3) */
	ICE_LITE_REJECT_TYPE,        /* neither a Binding request nor an indication */
	ICE_LITE_REJECT_MALFORMED,   /* 400: no USERNAME, no integrity, no PRIORITY */
	ICE_LITE_REJECT_USERNAME,    /* 401: not our ufrag */
	ICE_LITE_REJECT_INTEGRITY,   /* 401: not our password */
	ICE_LITE_REJECT_UNKNOWN,     /* 420: a comprehension-required attribute we do not know */
	ICE_LITE_REJECT_ROLE,        /* 487: the peer wants to be controlled too */
	ICE_LITE_REJECT_COUNT,
};

struct ice_lite_settings {
	struct str local_ufrag;   /* copied */
	struct str local_pwd;     /* copied, as a key */
	int64_t silence_us_max;   /* 0: ICE_LITE_SILENCE_US.  Then ICE_LITE_OUT_EXPIRED */
	int64_t keepalive_us;     /* 0: ICE_LITE_KEEPALIVE_US */
	uint64_t tid_seed;        /* random; transaction ids of our indications come from it */
};

enum ice_lite_out_kind {
	ICE_LITE_OUT_NONE,
	ICE_LITE_OUT_DATAGRAM, /* send `bytes` to `to` */
	ICE_LITE_OUT_SELECTED, /* media goes to `to` from now on */
	ICE_LITE_OUT_RESTARTED, /* the peer uses the new credentials; the old ones are dropped */
	ICE_LITE_OUT_EXPIRED,  /* no sign of life for silence_us_max, or none ever; said once */
};

struct ice_lite_out {
	enum ice_lite_out_kind kind;
	const struct net_addr *to; /* borrowed until the next call */
	const uint8_t *bytes;      /* borrowed until the next call */
	size_t len;
};

struct ice_lite_stats {
	uint64_t checks;            /* answered with success */
	uint64_t errors_sent;
	uint64_t errors_withheld;   /* by rate, or because the answer was longer than the request */
	uint64_t rejects[ICE_LITE_REJECT_COUNT];
};

/* Below here: ours; others use the functions. */
struct ice_lite_credentials {
	char ufrag[ICE_UFRAG_MAX + 1]; /* empty: none */
	struct stun_key key;
};

struct ice_lite_pair {
	struct net_addr remote;
	int64_t heard_us; /* last authenticated check */
	uint32_t priority;
	bool nominating;  /* its last check had USE-CANDIDATE */
};

struct ice_lite {
	struct ice_lite_credentials local, before; /* `before` serves until a restart is taken up */
	struct ice_lite_pair pairs[ICE_LITE_PAIRS_MAX];
	uint8_t pair_count;
	int8_t selected;        /* index, or -1 */
	bool regular;           /* a check without USE-CANDIDATE was seen */
	bool expired;
	bool out_datagram, out_selected, out_restarted, out_expired;
	int64_t now_us, alive_us, sent_us;
	int64_t silence_us_max, keepalive_us;
	int64_t errors_at_us;   /* when the allowance of error answers is full again */
	uint64_t tid_state;
	struct net_addr out_to;
	uint16_t out_len;
	uint8_t out_bytes[ICE_LITE_OUT_BYTES_MAX];
	struct ice_lite_stats stats;
};

void ice_lite_init(struct ice_lite *ice, const struct ice_lite_settings *settings, int64_t now_us);
void ice_lite_fini(struct ice_lite *ice);

/* A datagram that stun_demux() called STUN. */
enum ice_lite_reject ice_lite_input(struct ice_lite *ice, const struct net_addr *from,
                                    const uint8_t *bytes, size_t len, int64_t now_us);
void ice_lite_tick(struct ice_lite *ice, int64_t now_us);
[[nodiscard]] struct ice_lite_out ice_lite_poll(struct ice_lite *ice);
/* When ice_lite_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t ice_lite_deadline(const struct ice_lite *ice);

/* ICE restart (RFC 8445 s9): checks with the old credentials are answered until the first one with
 * the new; the selected pair stays until the peer nominates again. */
void ice_lite_restart(struct ice_lite *ice, struct str ufrag, struct str pwd, int64_t now_us);

/* A trickled or SDP candidate (RFC 8838).  A lite agent learns sources from checks alone, so it is
 * only validated: false when the line is no candidate. */
[[nodiscard]] bool ice_lite_candidate(struct str line);

/* May bytes from here be given to DTLS and SRTP?  True for sources that passed a check. */
[[nodiscard]] bool ice_lite_verified(const struct ice_lite *ice, const struct net_addr *from);
/* Where to send: the selected pair, else the last verified source; NULL when there is none. */
[[nodiscard]] const struct net_addr *ice_lite_remote(const struct ice_lite *ice);

/* Something was sent to the selected pair: no keep-alive is due for a while.  Cheap; per packet. */
static inline void
ice_lite_sent(struct ice_lite *ice, int64_t now_us)
{
	ice->sent_us = now_us;
}

/* Authenticated media came from a verified source.  Call it for peers without consent checks (SIP
 * devices of RFC 5245); browsers are judged by their checks alone. */
static inline void
ice_lite_heard(struct ice_lite *ice, int64_t now_us)
{
	ice->alive_us = now_us;
}

/* Text for admin, tests and crash reports: one line, and one for each pair. */
void ice_lite_dump(const struct ice_lite *ice, struct writer *w);

const char *ice_lite_reject_name(enum ice_lite_reject reject);

#endif
