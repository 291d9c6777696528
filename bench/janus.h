/* SPDX-License-Identifier: Apache-2.0 */
/* janus -- Debian's Janus with its AudioBridge as a peer: bench/janus-rooms (a script) starts it
 * with a configuration of its own, joins plain RTP participants, and ends it when we close its
 * input. */
#ifndef BENCH_JANUS_H
#define BENCH_JANUS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/addr.h"

struct janus {
	pid_t script;
	pid_t pid;   /* of janus itself */
	int to_script;
	FILE *from_script;
	struct net_addr *legs; /* where each participant is served */
};

/* False when there is no Janus, or it would not serve them all. */
[[nodiscard]] bool janus_start(struct janus *janus, const char *script, const struct net_addr *legs,
                               unsigned count, unsigned per_room, int core);
void janus_stop(struct janus *janus);

#endif
