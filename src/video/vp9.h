/* SPDX-License-Identifier: Apache-2.0 */
/* vp9 -- VP9 in RTP (RFC 9628): what forwarding and putting frames together need to read.
 *
 * Threads    Pure functions.
 * Units      Bytes, pixels.
 * Errors     `enum video_reject`.
 */
#ifndef VIDEO_VP9_H
#define VIDEO_VP9_H

#include <stddef.h>
#include <stdint.h>

#include "video/facts.h"

/* Both the flexible and the non-flexible mode, with or without scalability structure.  The size is
 * that of the largest spatial layer that a scalability structure tells. */
[[nodiscard]] enum video_reject vp9_facts_parse(struct video_facts *out, const uint8_t *payload,
                                                size_t len);

#endif
