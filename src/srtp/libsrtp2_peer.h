/* SPDX-License-Identifier: Apache-2.0 */
/* libsrtp2_peer -- libsrtp2 with our settings, to be compared with: for tests and bench/ only.
 *
 * A file of its own because libsrtp2's header and OpenSSL's or ours cannot be included together.
 *
 * Ownership  create() allocates, destroy() frees.
 * Threads    One.
 * Errors     false for anything libsrtp2 refuses.
 */
#ifndef SRTP_LIBSRTP2_PEER_H
#define SRTP_LIBSRTP2_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "srtp/srtp.h"

struct libsrtp2_peer;

/* NULL when libsrtp2 cannot. */
struct libsrtp2_peer *libsrtp2_peer_create(const struct srtp_settings *settings);
void libsrtp2_peer_destroy(struct libsrtp2_peer *peer);

[[nodiscard]] bool libsrtp2_rtp_protect(struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len);
[[nodiscard]] bool libsrtp2_rtcp_protect(struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len);
[[nodiscard]] bool libsrtp2_rtp_unprotect(struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len);
[[nodiscard]] bool libsrtp2_rtcp_unprotect(struct libsrtp2_peer *peer, uint8_t *bytes, size_t *len);

#endif
