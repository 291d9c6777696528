/* SPDX-License-Identifier: Apache-2.0 */
/* nack -- which packets of a received stream are missing, and when to ask for them (RFC 4585
 * s6.2.1).
 *
 *	per packet    nack_input(nack, seq, now_us);          also for those that came by RTX
 *	at nack_deadline(), or after each packet
 *	              count = nack_take(nack, seqs, COUNT_OF(seqs), now_us);   to an RTCP NACK
 *	              if (nack_take_given_up(nack)) ask for a key frame (key_requests.h)
 *
 * A number is asked for when it is missing for settings.reorder_us, again each round trip and a
 * half, and given up when it is too old, too far behind the newest, or was asked for too often.
 *
 * Ownership  A value.
 * Threads    One owner.
 * Units      Microseconds; `seq` is extended (rtp_seq_extend).
 * Errors     None.
 * Limits     NACK_MISSING_MAX numbers at a time; with more missing all are given up: a key frame is
 *            cheaper.
 */
#ifndef VIDEO_NACK_H
#define VIDEO_NACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NACK_MISSING_MAX = 256,
	NACK_REORDER_US_DEFAULT = 5 * 1000,
	NACK_AGE_US_MAX_DEFAULT = 250 * 1000, /* as FRAME_BUILD_WAIT_US_DEFAULT */
	NACK_TRIES_DEFAULT = 8,
	NACK_AGAIN_US_MIN = 20 * 1000, /* however short the round trip */
	NACK_RTT_US_DEFAULT = 100 * 1000,
};

/* 0 anywhere: the default. */
struct nack_settings {
	int64_t reorder_us;
	int64_t age_us_max;
	unsigned tries_max;
};

struct nack_missing {
	int64_t seq;
	int64_t since_us;
	int64_t ask_us; /* when to ask next */
	uint32_t tries;
};

/* Fields are private, except the counters. */
struct nack {
	struct nack_settings settings;
	uint64_t asked;     /* numbers, each time they are asked for */
	uint64_t recovered; /* came after they were asked for */
	uint64_t given_up_count;
	int64_t rtt_us;
	int64_t newest;
	uint16_t count;
	bool started;
	bool given_up;
	struct nack_missing missing[NACK_MISSING_MAX]; /* by seq */
};

void nack_init(struct nack *nack, const struct nack_settings *settings);
void nack_set_rtt(struct nack *nack, int64_t rtt_us);

void nack_input(struct nack *nack, int64_t seq, int64_t now_us);
/* False: it has come, or nobody waits for it any more. */
[[nodiscard]] bool nack_is_missing(const struct nack *nack, int64_t seq);
/* The numbers to ask for now, lowest first; those that do not fit come with the next call. */
[[nodiscard]] size_t nack_take(struct nack *nack, uint16_t *seqs, size_t cap, int64_t now_us);
/* Nobody needs the numbers below `seq`. */
void nack_forget(struct nack *nack, int64_t seq);
/* True once after numbers were given up. */
[[nodiscard]] bool nack_take_given_up(struct nack *nack);
/* When nack_take() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t nack_deadline(const struct nack *nack);

#endif
