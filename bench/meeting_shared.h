/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_shared -- what all fake people of one program have in common: the loop, the client that
 * trusts any certificate, a certificate of their own, and memory for packets.
 *
 * Ownership  open/close; the people go first.
 * Threads    The loop's.
 * Errors     What cannot be made ends the program: it is a measurement.
 */
#ifndef BENCH_MEETING_SHARED_H
#define BENCH_MEETING_SHARED_H

#include "base/prng.h"
#include "dtls/dtls.h"
#include "meeting_stream.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"

struct meeting_shared {
	struct loop *loop;
	struct http *http;
	struct tls_context *tls;
	struct dtls_context *dtls;
	struct packet_pool *pool;
	struct prng prng;
};

void meeting_shared_open(struct meeting_shared *shared, unsigned connections_max,
                         unsigned packets_max);
void meeting_shared_close(struct meeting_shared *shared);

#endif
