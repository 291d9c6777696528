/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_stream_internal -- between the two halves of meeting_stream.h: what is sent (meeting_out.c)
 * and what is received (meeting_in.c). */
#ifndef BENCH_MEETING_STREAM_INTERNAL_H
#define BENCH_MEETING_STREAM_INTERNAL_H

#include "meeting_stream.h"

void out_tick(struct streams *streams, int64_t now_us);
/* NULL: not one of ours. */
struct out_video *out_of(struct streams *streams, uint32_t ssrc);
void out_key(struct out_video *out);
void out_again(struct streams *streams, struct out_video *out, uint16_t seq);

#endif
