/* SPDX-License-Identifier: Apache-2.0 */
/* stun_hmac -- HMAC (RFC 2104) by midstates: the hash of the padded key is done once per session,
 * and no context is ever allocated.  Only stun_msg.c uses it. */
#ifndef STUN_STUN_HMAC_H
#define STUN_STUN_HMAC_H

#include <stddef.h>
#include <stdint.h>

struct stun_key;

enum {
	STUN_SHA1_BYTES = 20,
	STUN_SHA256_BYTES = 32,
	STUN_HMAC_HEAD_BYTES = 4,
};

/* Over `head` and then `rest`: a STUN header is hashed with another length than it carries. */
void stun_hmac_sha1(const struct stun_key *key, const uint8_t head[STUN_HMAC_HEAD_BYTES],
                    const uint8_t *rest, size_t len, uint8_t out[STUN_SHA1_BYTES]);
void stun_hmac_sha256(const struct stun_key *key, const uint8_t head[STUN_HMAC_HEAD_BYTES],
                      const uint8_t *rest, size_t len, uint8_t out[STUN_SHA256_BYTES]);

#endif
