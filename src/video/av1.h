/* SPDX-License-Identifier: Apache-2.0 */
/* av1 -- AV1 in RTP (AOM "RTP Payload Format For AV1" 1.0 s4): new sequences seen, and a temporal
 * unit's payloads turned into the low-overhead stream of OBUs that decoders take (AV1 s5).
 *
 * The dependency descriptor is not read: a stream is forwarded whole or not at all.
 *
 * Ownership  Views borrow the caller's bytes.
 * Threads    Pure functions; values with one owner.
 * Units      Bytes, pixels.
 * Errors     `enum video_reject`.
 */
#ifndef VIDEO_AV1_H
#define VIDEO_AV1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "video/facts.h"

[[nodiscard]] enum video_reject av1_facts_parse(struct video_facts *out, const uint8_t *payload,
                                                size_t len);

/* The largest picture of a sequence header OBU, given with its header; false when it cannot be
 * read. */
[[nodiscard]] bool av1_sequence_size(const uint8_t *obu, size_t len, uint16_t *width,
                                     uint16_t *height);

/* Joins the payloads of one temporal unit, in order:
 *
 *	av1_join_init(&join, &w);
 *	for each payload: if (!av1_join_input(&join, payload, len)) give up;
 *	done = av1_join_end(&join);
 *
 * The temporal unit begins with a temporal delimiter, and each OBU gets its size. */
struct av1_join {
	struct writer *w;  /* borrowed */
	size_t open_at;    /* where in it the content of the OBU at hand begins */
	bool open;         /* it waits for its rest */
	bool dropped;      /* it is not for the decoder */
};

void av1_join_init(struct av1_join *join, struct writer *w);
/* False when the payload does not continue what came before, is malformed or does not fit. */
[[nodiscard]] bool av1_join_input(struct av1_join *join, const uint8_t *payload, size_t len);
/* False when an OBU is left unfinished. */
[[nodiscard]] bool av1_join_end(struct av1_join *join);

#endif
