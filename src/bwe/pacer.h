/* SPDX-License-Identifier: Apache-2.0 */
/* pacer -- may a packet of so many bytes go now?  A leaky bucket for one transport.
 *
 * It holds no packets: the worker's queue asks, sends, and tells.  What was sent is a debt that
 * runs off with PACER_FACTOR_PCT of the target, so that a key frame leaves in a few tens of
 * milliseconds and not in one burst.  Sound is never held, but counts.  Retransmissions may run a
 * larger debt than new pictures, so they go first.  While a probe is under way its own rate
 * rules, and padding is asked for where media is lacking.
 *
 * Ownership  A value.
 * Threads    One owner.
 * Units      Bytes as bwe_send counts them, bits/s, microseconds.
 * Errors     None.
 * Limits     A probe that is not finished after PACER_PROBE_US is given up.
 */
#ifndef BWE_PACER_H
#define BWE_PACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bwe/bwe_send.h"

enum {
	PACER_FACTOR_PCT = 250,
	PACER_BURST_US = 5 * 1000,      /* microseconds of debt that new pictures may start with */
	PACER_RTX_BURST_US = 20 * 1000, /* the same for retransmissions */
	PACER_PROBE_US = 500 * 1000,
};

enum pacer_class {
	PACER_AUDIO,
	PACER_RTX,
	PACER_VIDEO,
	PACER_PADDING, /* only for a probe */
};

struct pacer {
	int64_t target_bps;
	int64_t debt_bits_us; /* bits times 10^6, so that no rounding is lost */
	int64_t now_us;
	struct bwe_probe probe; /* id 0: none */
	int64_t probe_us;       /* first packet of the probe, -1: none yet */
	int64_t probe_asked_us;
	uint32_t probe_sent, probe_packets;
};

void pacer_init(struct pacer *pacer, int64_t target_bps, int64_t now_us);
void pacer_target(struct pacer *pacer, int64_t target_bps, int64_t now_us);
/* Starts a cluster that bwe_send_probe() asked for; one under way is given up. */
void pacer_probe(struct pacer *pacer, const struct bwe_probe *probe, int64_t now_us);

/* May a packet of this class go?  If it went, pacer_sent() must be told. */
[[nodiscard]] bool pacer_may(const struct pacer *pacer, enum pacer_class class, int64_t now_us);
/* When it may, at the earliest; `now_us` if at once, INT64_MAX for padding that nobody wants. */
[[nodiscard]] int64_t pacer_when(const struct pacer *pacer, enum pacer_class class, int64_t now_us);
/* Counts a packet that goes out; returns the probe cluster to mark it with, 0: none. */
uint8_t pacer_sent(struct pacer *pacer, enum pacer_class class, size_t bytes, int64_t now_us);
/* How much padding the probe still wants in all, 0 when there is none. */
[[nodiscard]] size_t pacer_padding_bytes(const struct pacer *pacer);

#endif
