/* SPDX-License-Identifier: Apache-2.0 */
/* worker -- a media thread: one `struct media` with its loop, its sockets and its two rings.
 *
 * The control thread posts orders and is called back, on its own loop, with events.  Neither side
 * ever waits for the other: what does not fit a ring is kept in order on the sender's side, in
 * memory that grows, and goes in when there is room.
 *
 * Ownership  worker_create() on the control thread makes everything, binds the shared port and
 *            starts the thread; worker_destroy() closes what is left and joins it.
 * Threads    All calls from the control thread.
 * Units      As in media.h; ports are host order.
 * Errors     worker_create: -errno of a socket or thread; -EADDRINUSE is about the shared port, and
 *            net/port_owner.h says who has it.  A pair that cannot be bound is passed over; when
 *            none is left the leg is refused (MEDIA_REFUSED_PORTS).
 * Limits     As in media_settings.  Each worker has its own slice of the port range.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "codec/codec_link.h"
#include "net/loop.h"
#include "worker/media.h"

enum {
	WORKER_ADDRESSES_MAX = 8,
};

struct worker;

struct worker_settings {
	struct media_settings media;  /* sink and randomness are filled in by the worker */
	unsigned index;               /* names the thread */
	/* The machine's addresses that browsers may reach: a socket on each, all with `shared_port`. */
	struct net_addr addresses[WORKER_ADDRESSES_MAX];
	unsigned address_count;
	uint16_t shared_port; /* 0: any, with a single address only */
	uint16_t first_port;          /* pairs for SIP legs: even ports from here ... */
	uint16_t last_port;           /* ... to here */
	uint8_t dscp;
	void (*event)(void *context, unsigned worker, const struct media_event *event);
	void *context;
};

[[nodiscard]] int worker_create(struct worker **out, struct loop *control,
                                const struct worker_settings *settings);
void worker_destroy(struct worker *worker);

void worker_post(struct worker *worker, const struct media_order *order);

/* The link to the worker's codec process, or to the one that took its place; its reference goes over
 * to the worker.  NULL: there is none any more.  One that breaks is let go by the worker itself. */
void worker_codec(struct worker *worker, struct codec_link *link);

/* As of the last second. */
[[nodiscard]] struct media_counters worker_counters(const struct worker *worker);

#endif
