/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_session_internal -- between the offer/answer machine's state (sdp_session.c), the reading of
 * a peer's description (sdp_negotiate.c), the writing of ours (sdp_compose.c), and what both do about
 * codecs (sdp_codecs.c), transports (sdp_path.c) and floor control (sdp_bfcp.c). */
#ifndef SDP_SDP_SESSION_INTERNAL_H
#define SDP_SDP_SESSION_INTERNAL_H

#include "sdp/sdp_internal.h"
#include "sdp/sdp_session.h"

enum { SDP_COMPOSED_TEXT_MAX = 32 * 1024 }; /* what a description of ours says in words of its own */

/* A peer's description being read into a session. */
struct negotiation {
	struct sdp_session *session;
	const struct sdp *remote;
	bool is_answer;
};

/* A description of ours being written. */
struct composition {
	struct sdp_session *session;
	const struct sdp_transport *transports;
	bool is_answer;
	struct sdp sdp;
	struct writer text; /* into `space`: what the views of `sdp` borrow */
	char space[SDP_COMPOSED_TEXT_MAX];
};

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

/* Which line of the peer's description has this mid; -1: none. */
[[nodiscard]] int sdp_line_of_mid(const struct negotiation *n, struct str mid);

static inline bool
sdp_cap_has_extension(const struct sdp_media_cap *cap, size_t extension)
{
	return cap->extensions == 0 || (cap->extensions & 1u << extension) != 0;
}

/* What has been written into the composition's text since `start`. */
struct str sdp_composed(const struct composition *c, size_t start);
/* "a=name:value" behind the attributes that `media` has already. */
void sdp_compose_other(struct composition *c, struct sdp_media *media, struct str name,
                       struct str value);

/* Our certificate's, of the line's transport. */
void sdp_compose_fingerprint(struct composition *c, const struct sdp_line *line,
                             struct sdp_media *media);

/* ---- sdp_codecs.c: what flows in a line ---------------------------------------------------- */

void sdp_codecs_agree(const struct negotiation *n, struct sdp_line *line,
                      const struct sdp_media *media);
/* Codecs, feedback and the m= line's formats. */
void sdp_codecs_compose(struct composition *c, struct sdp_line *line, struct sdp_media *media);
/* Forgets all codecs and texts of the session. */
void sdp_codecs_clear(struct sdp_session *session);
/* Can a codec of ours and one of theirs be the same?  0: no; larger is better. */
[[nodiscard]] unsigned sdp_codec_fit(const struct sdp_codec_cap *cap,
                                     const struct sdp_codec *codec);

/* ---- sdp_path.c: how lines travel ---------------------------------------------------------- */

/* Which lines share a transport, then all transports; lines that cannot travel are refused. */
void sdp_paths_negotiate(const struct negotiation *n);
/* The line's own path: the one it has, unless it leaves it to others, or a free one.  NULL: all are
 * in use. */
[[nodiscard]] struct sdp_path *sdp_path_claim(struct sdp_session *session, struct sdp_line *line);
/* The best hash of those a line has; NULL: it has none. */
const struct sdp_fingerprint *sdp_best_fingerprint(const struct sdp *remote,
                                                   const struct sdp_media *media);
/* Wipes the paths that no line has any more. */
void sdp_paths_sweep(struct sdp_session *session);

/* ---- sdp_bfcp.c: floor control ------------------------------------------------------------- */

void sdp_bfcp_agree(const struct negotiation *n, struct sdp_line *line,
                    const struct sdp_media *media);
void sdp_bfcp_compose(struct composition *c, struct sdp_line *line, struct sdp_media *media);

static inline bool
sdp_line_is_bfcp(const struct sdp_session *session, const struct sdp_line *line)
{
	return line->media >= 0 && session->settings->medias[line->media].bfcp.protos != 0;
}

static inline bool
sdp_codec_cap_is_event(const struct sdp_codec_cap *cap)
{
	return str_eq_nocase(cap->name, STR("telephone-event"));
}

/* The key of `suite` among the path's random bytes. */
static inline const uint8_t *
sdp_path_key(const struct sdp_path *path, enum sdp_suite suite)
{
	return path->sdes_random + ((size_t)suite - 1) * SDP_CRYPTO_KEY_BYTES_MAX;
}

/* Tags of our offers count down from the best suite: 1, 2, ... */
static inline uint32_t
sdp_suite_tag(enum sdp_suite suite)
{
	return (uint32_t)(SDP_SUITES - suite);
}

#endif
