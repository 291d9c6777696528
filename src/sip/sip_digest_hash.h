/* SPDX-License-Identifier: Apache-2.0 */
/* sip_digest_hash -- the hashes of digest; the one file of this folder that knows OpenSSL.
 *
 * Ownership  Nothing is kept.
 * Threads    Pure.
 * Errors     false when the library has no such hash (MD5 under FIPS rules).
 */
#ifndef SIP_SIP_DIGEST_HASH_H
#define SIP_SIP_DIGEST_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	DIGEST_HASH_BYTES_MAX = 32,
};

enum digest_hash {
	DIGEST_HASH_MD5,
	DIGEST_HASH_SHA256,
	DIGEST_HASH_SHA512_256,
};

/* The parts joined by ':', as lower-case hex with a final NUL. */
[[nodiscard]] bool digest_hash_join(char out[2 * DIGEST_HASH_BYTES_MAX + 1], enum digest_hash hash,
                                    const struct str *parts, size_t count);

/* HMAC-SHA-256. */
[[nodiscard]] bool digest_hash_keyed(uint8_t out[DIGEST_HASH_BYTES_MAX], const uint8_t *key,
                                     size_t key_len, const uint8_t *bytes, size_t len);

#endif
