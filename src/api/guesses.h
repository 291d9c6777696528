/* SPDX-License-Identifier: Apache-2.0 */
/* guesses -- how often each address, or for each name somebody, gave a wrong password lately, and
 * whether it may try again.
 *
 * A password costs tens of milliseconds to verify, by intent: without a limit a stranger decides
 * how busy we are, and when administrators find no place in the queue.
 *
 * Ownership  The caller's memory.
 * Threads    One owner.
 * Units      Microseconds, monotonic.
 * Limits     GUESSES_MAX failures at once, then one in GUESS_US, or as guesses_limit() says;
 *            GUESS_SOURCES remembered, a newcomer may displace one.  An IPv6 subscriber has a whole
 *            /64, which is one source.  Names are compared without case.
 */
#ifndef API_GUESSES_H
#define API_GUESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/str.h"

enum {
	GUESSES_MAX = 20,
	GUESS_US = 3 * 1000 * 1000,
	GUESS_SOURCES = 1024,
};

struct guess_source {
	uint64_t hash;
	uint32_t failures;
	int64_t forgiven_us; /* last time one was forgiven */
};

struct guesses {
	struct hash_key key;
	uint32_t most;
	int64_t forgive_us;
	struct guess_source sources[GUESS_SOURCES];
};

void guesses_init(struct guesses *guesses, const struct hash_key *key);
[[nodiscard]] bool guesses_allow(struct guesses *guesses, const struct net_addr *from,
                                 int64_t now_us);
/* Do both count as one? */
[[nodiscard]] bool guesses_same_source(const struct net_addr *a, const struct net_addr *b);
void guesses_failed(struct guesses *guesses, const struct net_addr *from, int64_t now_us);

/* Other limits than the usual. */
void guesses_limit(struct guesses *guesses, uint32_t most, int64_t forgive_us);
[[nodiscard]] bool guesses_allow_name(struct guesses *guesses, struct str name, int64_t now_us);
void guesses_failed_name(struct guesses *guesses, struct str name, int64_t now_us);
/* One failure of that name, or `all` of them. */
void guesses_forgive_name(struct guesses *guesses, struct str name, bool all, int64_t now_us);

#endif
