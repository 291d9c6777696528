/* SPDX-License-Identifier: Apache-2.0 */
/* history -- the last packets of a sent stream, kept to be sent again without copies: by RTX (RFC
 * 4588), or as they were.
 *
 * Ownership  The table is the caller's; each entry in use holds a reference of its packet.
 * Threads    The worker that owns the packet pool.
 * Units      Microseconds; `seq` is our own, as sent.
 * Errors     A number that is not here any more, or was sent again a moment ago, gives NULL.
 * Limits     As many packets as the table has entries, none older than settings.age_us_max; each is
 *            sent again HISTORY_TRIES times at most.
 */
#ifndef VIDEO_HISTORY_H
#define VIDEO_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "video/forward.h"
#include "video/packet_pool.h"

enum {
	HISTORY_TRIES = 8,
	HISTORY_AGAIN_US_MIN = 10 * 1000, /* between two answers for one number */
	HISTORY_AGE_US_DEFAULT = 1000 * 1000,
	HISTORY_PROOF_BYTES = 16,
};

struct history_entry {
	struct packet *packet; /* NULL: free */
	struct forward_header header;
	uint16_t tries;
	/* The sender's notes about the first time. */
	uint16_t twcc_seq;
	uint8_t proof[HISTORY_PROOF_BYTES]; /* the end of what left (srtp_rtp_protect_again) */
	int64_t sent_us;       /* first */
	int64_t again_us;      /* not sent again before this */
};

struct history_settings {
	struct history_entry *entries; /* zeroed by history_init() */
	uint32_t entry_count;          /* a power of two, at most 32,768 */
	int64_t age_us_max;            /* 0: HISTORY_AGE_US_DEFAULT */
};

/* Fields are private, except the counters. */
struct history {
	struct history_settings settings;
	uint64_t answered;
	uint64_t missed;    /* asked for, not here */
	uint64_t too_often;
	uint16_t oldest;    /* number of the oldest entry that may be in use */
	uint16_t next;      /* one above the newest */
	uint16_t used;      /* entries from oldest to next, free ones among them */
};

void history_init(struct history *history, const struct history_settings *settings);
/* Gives the packets back; may be used on. */
void history_clear(struct history *history);

/* Keeps what was just sent; returns its entry for the sender's notes, borrowed until the next call, or
 * NULL: it is too old to be kept. */
struct history_entry *history_put(struct history *history, struct packet *packet,
                                  const struct forward_header *header, int64_t now_us);
/* Gives back what is too old; history_put() does it too, this is for streams that stand still. */
void history_expire(struct history *history, int64_t now_us);
/* What to send again for a NACK of `seq`, or NULL; borrowed until the next call. */
[[nodiscard]] const struct history_entry *history_answer(struct history *history, uint16_t seq,
                                                         int64_t rtt_us, int64_t now_us);

/* The payload of an RTX packet: the original number, then the payload as it was sent. */
void rtx_write(struct writer *w, const struct history_entry *entry);
/* The original number of a received RTX payload; the payload proper is behind the first two bytes.
 * False when there is none, as in padding. */
[[nodiscard]] bool rtx_read(const uint8_t *payload, size_t len, uint16_t *seq);

#endif
