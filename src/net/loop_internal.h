/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of net/ share about a loop; nobody else includes this. */
#ifndef NET_LOOP_INTERNAL_H
#define NET_LOOP_INTERNAL_H

#include <uv.h>

#include "net/loop.h"

struct udp_io;

enum { LOOP_SCRATCH_BYTES = 65536 };

/* What lives on after its owner has let go of it: a connection that sends its last bytes, a child
 * that is not reaped yet.  loop_destroy() ends those that are left. */
struct loop_orphan {
	struct loop_orphan *next;
	struct loop_orphan *prev;
	void (*end)(struct loop_orphan *orphan); /* takes itself off the list */
};

struct loop {
	uv_loop_t uv;
	uv_async_t keep;    /* keeps loop_run() running when nothing else does */
	struct udp_io *udp; /* shared by this loop's datagram sockets; NULL before the first */
	struct loop_orphan orphans; /* list head */
	/* Where streams are read into; contents are done with before the loop's next callback. */
	uint8_t scratch[LOOP_SCRATCH_BYTES];
};

void loop_orphan_add(struct loop *loop, struct loop_orphan *orphan);
/* Nothing happens to one that was never added. */
void loop_orphan_remove(struct loop_orphan *orphan);

/* udp.c; NULL is fine. */
void udp_io_destroy(struct udp_io *io);

#endif
