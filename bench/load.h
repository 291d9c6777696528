/* SPDX-License-Identifier: Apache-2.0 */
/* load -- many telephones in one thread: they talk Opus over RTP or SRTP to a bridge on this
 * machine and count what comes back.
 *
 * Each leg sends 20 ms of Opus at 48 kHz, with its level (RFC 6464), or, when it only listens, a
 * DTX packet every 400 ms.  Voices are like speech, and each carries a high tone of its own by
 * which it is found again in what others hear.  Legs share sockets; the bridge's port tells them
 * apart, so every leg must be served from a port of its own.
 *
 * The thread sleeps between milliseconds and never waits on a socket: sending to it wakes nobody,
 * as sending to a network card does not.
 *
 * Ownership  load_create/load_destroy.
 * Threads    The caller's; load_start() starts one of its own, and until load_stop() only
 *            load_counts() may be called.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "srtp/srtp.h"

enum {
	LOAD_VOICES = 8,
	LOAD_PAYLOAD_TYPE = 111,
	LOAD_LEVEL_EXT_ID = 1,
	LOAD_KEY_BYTES = 46, /* key and salt of any suite */
};

struct load;

struct load_leg_settings {
	struct net_addr bridge;  /* where it sends to and hears from */
	enum srtp_suite suite;   /* SRTP_SUITE_NONE: clear */
	const uint8_t *key_tx;   /* LOAD_KEY_BYTES: key, salt behind it */
	const uint8_t *key_rx;
	bool talks;
	bool kept; /* its last second is kept for load_voices_heard() */
};

struct load_counts {
	uint64_t sent;
	uint64_t received;
	uint64_t lost;     /* gaps in the sequence numbers the legs saw */
	uint64_t forged;   /* failed to unprotect */
	uint64_t strays;   /* from nobody */
	uint64_t late_ms;  /* milliseconds at which the load itself came more than 5 ms late */
};

/* `core` to pin the thread to, or -1. */
[[nodiscard]] int load_create(struct load **out, unsigned legs, const struct net_addr *bind,
                              int core);
void load_destroy(struct load *load);

/* Where this leg receives. */
[[nodiscard]] struct net_addr load_addr(const struct load *load, unsigned leg);
void load_set(struct load *load, unsigned leg, const struct load_leg_settings *settings);

void load_start(struct load *load);
void load_stop(struct load *load);
[[nodiscard]] struct load_counts load_counts(const struct load *load);
/* Of its thread, so far. */
[[nodiscard]] double load_cpu_s(const struct load *load);

/* How many different voices are in the last second a kept leg received. */
[[nodiscard]] unsigned load_voices_heard(const struct load *load, unsigned leg);

#endif
