/* SPDX-License-Identifier: Apache-2.0 */
/* srtp -- protect and unprotect RTP and RTCP in place (RFC 3711, 6188, 7714).
 *
 * A session is one master key used in one direction, for any number of SSRCs up to a limit.  Keys
 * are expanded once when the session is made; a packet costs no allocation and no key set-up.
 *
 * State of an SSRC is created only by a packet that authenticates.  When every live stream is
 * taken, the one idle for longest is put to rest: its highest index is kept and it goes on from
 * there, so that neither a replay nor a second use of a key stream is possible however the SSRCs
 * come and go.  When nothing more can be remembered, new SSRCs are refused: the key is worn out.
 *
 * Ownership  srtp_session_create() allocates everything, the packet functions nothing.  Key and
 *            salt are copied, and wiped by srtp_session_destroy().
 * Threads    One owner per session at a time.
 * Units      Bytes.  An RTP index is 48 bits, roll-over counter and sequence number (s3.3.1).
 * Errors     create: -ENOMEM, or -ENOTSUP when OpenSSL cannot make the cipher.  Packet functions
 *            return an `enum srtp_reject`; unless it is SRTP_OK, `*len` and the streams are as
 *            before, but the bytes may have been overwritten and are of no use.
 * Limits     Below, and settings.  Function names keep clear of libsrtp2's, so that tests and
 *            benchmarks can link both.
 */
#ifndef CONVOKE_SRTP_SRTP_H
#define CONVOKE_SRTP_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	SRTP_KEY_BYTES_MAX = 32,
	SRTP_SALT_BYTES_MAX = 14,
	SRTP_RTP_OVERHEAD_MAX = 16,      /* room protect needs behind an RTP packet */
	SRTP_RTCP_OVERHEAD_MAX = 16 + 4, /* and behind an RTCP packet */
	SRTP_PACKET_BYTES_MAX = 65535,
	SRTP_PROOF_BYTES = 16, /* the end of a protected packet, which its tag is part of */
	SRTP_WINDOW = 192, /* packets of reordering that a replay window always covers */
	SRTP_STREAMS_DEFAULT = 8,
	SRTP_STREAMS_MAX = 256,
	SRTP_SSRCS_DEFAULT = 64,
	SRTP_SSRCS_MAX = 4096,
};

enum srtp_suite {
	SRTP_SUITE_NONE = 0,
	SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
	SRTP_SUITE_AES_CM_128_HMAC_SHA1_32,
	SRTP_SUITE_AES_256_CM_HMAC_SHA1_80,
	SRTP_SUITE_AES_256_CM_HMAC_SHA1_32,
	SRTP_SUITE_AEAD_AES_128_GCM,
	SRTP_SUITE_AEAD_AES_256_GCM,
	SRTP_SUITE_COUNT,
};

struct srtp_suite_info {
	const char *name;      /* as in SDP a=crypto (RFC 4568, 6188, 7714) */
	uint16_t dtls_profile; /* use_srtp value (RFC 5764, 7714); 0: none is registered */
	uint8_t key_bytes;
	uint8_t salt_bytes;
	uint8_t rtp_tag_bytes;
	uint8_t rtcp_tag_bytes; /* 10 also for the _32 suites (RFC 4568 s6.2) */
	bool aead;
};

/* `suite` is one of the six. */
const struct srtp_suite_info *srtp_suite_info(enum srtp_suite suite);
/* SRTP_SUITE_NONE for a name or number that is not ours. */
[[nodiscard]] enum srtp_suite srtp_suite_by_name(struct str name);
[[nodiscard]] enum srtp_suite srtp_suite_by_dtls_profile(uint16_t profile);

enum srtp_direction {
	SRTP_OUTBOUND, /* protects */
	SRTP_INBOUND,  /* unprotects */
};

enum srtp_reject {
	SRTP_OK = 0,
	SRTP_REJECT_SHORT,  /* no room for header, extension, tag or index; or too long; protect:
	                       no room behind the packet */
	SRTP_REJECT_HEADER, /* not version 2 */
	SRTP_REJECT_AUTH,   /* wrong tag: damaged, another key, or a stranger */
	SRTP_REJECT_REPLAY, /* this index was seen; protect: sent before */
	SRTP_REJECT_OLD,    /* index lies before the replay window */
	SRTP_REJECT_SSRCS,  /* authentic, but ssrcs_max SSRCs are remembered already */
	SRTP_REJECT_KEY,    /* 2^48 RTP or 2^31 RTCP packets: the key must be replaced */
	SRTP_REJECT_CLEAR,  /* RTCP without its E flag: encryption is never optional here */
	SRTP_REJECT_COUNT,
};

struct srtp_settings {
	enum srtp_suite suite;
	enum srtp_direction direction;
	const uint8_t *key;   /* key_bytes of the suite */
	const uint8_t *salt;  /* salt_bytes of the suite */
	uint32_t streams_max; /* SSRCs with a replay window; 0: SRTP_STREAMS_DEFAULT */
	uint32_t ssrcs_max;   /* SSRCs remembered at all, >= streams_max; 0: SRTP_SSRCS_DEFAULT */
};

struct srtp_session; /* opaque */

[[nodiscard]] int srtp_session_create(struct srtp_session **out,
                                      const struct srtp_settings *settings);
void srtp_session_destroy(struct srtp_session *session);

/* Outbound.  `*len` grows by the tag; `cap` is the room at `bytes`. */
[[nodiscard]] enum srtp_reject srtp_rtp_protect(struct srtp_session *session, uint8_t *bytes,
                                                size_t *len, size_t cap);
/* A packet that was protected before, made anew from the same plain bytes, to be sent once more: a
 * number and key stream may be used again for the very same packet only.  `proof` is the last
 * SRTP_PROOF_BYTES of the first outcome; SRTP_REJECT_REPLAY unless this one ends so, too, and the
 * bytes must then not leave. */
[[nodiscard]] enum srtp_reject srtp_rtp_protect_again(struct srtp_session *session, uint8_t *bytes,
                                                      size_t *len, size_t cap,
                                                      const uint8_t proof[SRTP_PROOF_BYTES]);
[[nodiscard]] enum srtp_reject srtp_rtcp_protect(struct srtp_session *session, uint8_t *bytes,
                                                 size_t *len, size_t cap);

/* Inbound.  `*len` shrinks to the plain packet. */
[[nodiscard]] enum srtp_reject srtp_rtp_unprotect(struct srtp_session *session, uint8_t *bytes,
                                                  size_t *len);
[[nodiscard]] enum srtp_reject srtp_rtcp_unprotect(struct srtp_session *session, uint8_t *bytes,
                                                   size_t *len);

/* Where a stream stands: the next packet must have an index above `rtp_index` and `rtcp_index`
 * (-1: none yet).  For a leg that moves with its key, and for tests of the limits. */
struct srtp_place {
	uint32_t ssrc;
	int64_t rtp_index;
	int64_t rtcp_index;
};

/* False when the SSRC is not known. */
[[nodiscard]] bool srtp_session_place(const struct srtp_session *session, uint32_t ssrc,
                                      struct srtp_place *out);
/* SRTP_OK, SRTP_REJECT_SSRCS, or SRTP_REJECT_REPLAY when the SSRC is known already. */
[[nodiscard]] enum srtp_reject srtp_session_resume(struct srtp_session *session,
                                                   const struct srtp_place *place);

/* Counts per kind, SRTP_OK included: SRTP_REJECT_COUNT numbers, borrowed. */
const uint64_t *srtp_session_counts(const struct srtp_session *session);

#endif
