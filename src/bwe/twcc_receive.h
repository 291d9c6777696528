/* SPDX-License-Identifier: Apache-2.0 */
/* twcc_receive -- tell a peer when its packets arrived, so that it can estimate what it may send
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01).
 *
 * One per transport: every packet that carries the transport-wide sequence number is fed, whatever
 * its SSRC.  When twcc_receive_deadline() has come, twcc_receive_write() makes feedback messages.
 *
 * Ownership  The caller's memory; a plain value.
 * Threads    One owner.
 * Units      Microseconds, bytes.
 * Errors     A number half a window or more away from the last is a restart: what was not told
 *            yet is forgotten.  (Packets are authenticated, so only the peer itself can do that.)
 *            So are numbers that leave the window before a message could tell of them.
 * Limits     TWCC_RECEIVE_WINDOW numbers are remembered.  Messages come every TWCC_RECEIVE_US_MIN,
 *            or as much more slowly as keeps them below 5 % of what is received, at the slowest
 *            every TWCC_RECEIVE_US_MAX; at once when a quarter of the window waits.
 */
#ifndef BWE_TWCC_RECEIVE_H
#define BWE_TWCC_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "rtp/rtp.h"

enum {
	TWCC_RECEIVE_WINDOW = 1024,
	TWCC_RECEIVE_US_MIN = 50 * 1000,
	TWCC_RECEIVE_US_MAX = 250 * 1000, /* a telephone's rate; pictures stay near the minimum */
	TWCC_RECEIVE_MESSAGE_BYTES_MAX = 1100, /* of the room in the writer, what we use at most */
};

struct twcc_receive {
	int64_t at_us[TWCC_RECEIVE_WINDOW]; /* of number n at n modulo the window; -1: not come */
	struct rtp_seq seq;
	int64_t next;        /* first number not told of yet */
	int64_t due_us;      /* INT64_MAX: nothing to tell */
	int64_t interval_us; /* between messages, as the rate allows */
	int64_t written_us, input_us;
	uint32_t sender_ssrc, media_ssrc;
	uint32_t received_bytes, message_bytes; /* since written_us; of the last message */
	uint8_t feedback_seq;
	uint64_t packets, duplicates, messages, restarts, untold;
};

void twcc_receive_init(struct twcc_receive *receive, uint32_t sender_ssrc);

/* A packet of `bytes` with number `seq` came on stream `ssrc`.  Time does not go back. */
void twcc_receive_input(struct twcc_receive *receive, uint16_t seq, uint32_t ssrc, size_t bytes,
                        int64_t now_us);

/* When a message is due, or INT64_MAX. */
[[nodiscard]] int64_t twcc_receive_deadline(const struct twcc_receive *receive);

/* Appends one message to an RR or SR and says whether it did.  False when nothing is due or the
 * writer has no room.  When more is to be told the deadline has come again at once. */
[[nodiscard]] bool twcc_receive_write(struct twcc_receive *receive, struct writer *w,
                                      int64_t now_us);

#endif
