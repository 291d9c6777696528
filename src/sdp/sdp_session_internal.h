/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_session_internal -- between the offer/answer machine's state (sdp_session.c), the reading of
 * a peer's description (sdp_negotiate.c) and the writing of ours (sdp_compose.c). */
#ifndef SDP_SDP_SESSION_INTERNAL_H
#define SDP_SDP_SESSION_INTERNAL_H

#include "sdp/sdp_internal.h"
#include "sdp/sdp_session.h"

/* Negotiates every line of `remote` into `session`; on a reject `session` is half done and of no
 * use. */
[[nodiscard]] enum sdp_reject sdp_negotiate(struct sdp_session *session, const struct sdp *remote,
                                            bool is_answer);

/* Writes the session's lines as offer or answer, raising the o= version if anything changed. */
void sdp_compose(struct sdp_session *session, const struct sdp_transport *transports,
                 bool is_answer, struct writer *out);

/* Nothing agreed; what the line is and which media it was for are kept. */
void sdp_line_refuse(struct sdp_line *line, enum sdp_refusal refusal);

/* Finds for each bundled line the one whose transport it shares: the first of its group that is
 * accepted (RFC 9143 s7.3.1). */
void sdp_bundle_assign(struct sdp_session *session);

/* A new line behind the others. */
struct sdp_line *sdp_line_add(struct sdp_session *session);

static inline bool
sdp_codec_cap_is_event(const struct sdp_codec_cap *cap)
{
	return str_eq_nocase(cap->name, STR("telephone-event"));
}

/* The key of `suite` among the line's random bytes. */
static inline const uint8_t *
sdp_line_key(const struct sdp_line *line, enum sdp_suite suite)
{
	return line->sdes_random + ((size_t)suite - 1) * SDP_CRYPTO_KEY_BYTES_MAX;
}

/* Tags of our offers count down from the best suite: 1, 2, ... */
static inline uint32_t
sdp_suite_tag(enum sdp_suite suite)
{
	return (uint32_t)(SDP_SUITES - suite);
}

#endif
