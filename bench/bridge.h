/* SPDX-License-Identifier: Apache-2.0 */
/* bridge -- a real media worker (worker/worker.h) with its sockets and its thread, filled with legs
 * of a `struct load` or of the caller's own: what the programs of this folder measure.
 *
 * Ownership  bridge_create/bridge_destroy; the worker's events are handled inside bridge_run().
 * Threads    The caller's is the control thread.
 */
#ifndef BENCH_BRIDGE_H
#define BENCH_BRIDGE_H

#include <sys/types.h>

#include "load.h"
#include "worker/worker.h"

struct bridge_settings {
	unsigned legs_max;
	unsigned rooms_max;
	unsigned talkers_max; /* 0: the usual number */
	struct net_addr bind; /* an address nobody else uses: ports are taken from the bottom up */
	const struct dtls_context *dtls;
	int core;             /* to pin the worker to, or -1 */
};

struct bridge {
	struct bridge_settings settings;
	struct loop *loop;
	struct worker *worker;
	pid_t thread;         /* the worker's */
	struct media_opened *opened; /* by leg */
	struct media_stats *stats;   /* by leg, as last asked for */
	unsigned opened_count;
	unsigned connected_count;
	unsigned lost_count;
	unsigned closed_count;
	unsigned stats_count;
};

[[nodiscard]] int bridge_create(struct bridge *bridge, const struct bridge_settings *settings);
void bridge_destroy(struct bridge *bridge);

[[nodiscard]] media_leg_id bridge_leg(unsigned leg);
[[nodiscard]] media_room_id bridge_room(unsigned room);
void bridge_post(struct bridge *bridge, const struct media_order *order);

/* Handles events for so long, or until `*count` has come to `wanted`; false when it did not. */
void bridge_run(struct bridge *bridge, double seconds);
[[nodiscard]] bool bridge_wait(struct bridge *bridge, const unsigned *count, unsigned wanted,
                               double seconds);

/* Opens `count` legs with port pairs and waits until all have their ports. */
[[nodiscard]] bool bridge_open_from(struct bridge *bridge, unsigned first, unsigned count);

/* A call between the bridge and a leg of the load: Opus, with SRTP by SDES keys unless the suite is
 * NONE.  bridge_phone() makes the load's side, bridge_join() the bridge's. */
struct bridge_call {
	unsigned leg;
	unsigned room;
	enum srtp_suite suite;
	bool talks;
	bool kept;
};
void bridge_phone(const struct bridge *bridge, struct load *load, const struct bridge_call *call);
void bridge_join(struct bridge *bridge, const struct load *load, const struct bridge_call *call);

/* The part of it that is the same for every transport: sound, gain control, the room. */
void bridge_enter(struct bridge *bridge, unsigned leg, unsigned room);

/* The audio settings of every Opus leg here. */
[[nodiscard]] struct media_audio_settings bridge_opus(void);

#endif
