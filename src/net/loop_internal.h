/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of net/ share about a loop; nobody else includes this. */
#ifndef NET_LOOP_INTERNAL_H
#define NET_LOOP_INTERNAL_H

#include <uv.h>

#include "net/loop.h"

struct udp_io;

enum { LOOP_SCRATCH_BYTES = 65536 };

struct loop {
	uv_loop_t uv;
	uv_async_t keep;     /* keeps loop_run() running when nothing else does */
	struct udp_io *udp;  /* shared buffers of this loop's datagram sockets; NULL before the first */
	/* Where streams are read into; contents are done with before the loop's next callback. */
	uint8_t scratch[LOOP_SCRATCH_BYTES];
};

/* udp.c; NULL is fine. */
void udp_io_destroy(struct udp_io *io);

#endif
