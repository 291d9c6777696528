/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_crypto -- the keyed half of srtp.h: key derivation, AES counter mode, HMAC-SHA1, AES-GCM.
 *
 * One `struct srtp_keys` is what RTP or RTCP uses under one master key.  Everything that depends on
 * keys alone is computed by srtp_keys_init(): the AES schedule, GCM's hash table, and the SHA-1
 * states behind HMAC's two padded key blocks.
 *
 * Ownership  srtp_keys_init() allocates two OpenSSL contexts at most; srtp_keys_fini() wipes.
 * Threads    One owner.
 * Errors     init: -ENOMEM or -ENOTSUP.  What cannot fail for given keys is CHECKed.
 */
#ifndef SRTP_SRTP_CRYPTO_H
#define SRTP_SRTP_CRYPTO_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "srtp/srtp.h"

enum {
	SRTP_GCM_TAG_BYTES = 16,
	SRTP_SHA1_BYTES = 20,
};

/* RFC 3711 s4.3.2; RTCP's are RTP's plus three. */
enum srtp_label {
	SRTP_LABEL_CIPHER = 0,
	SRTP_LABEL_AUTH = 1,
	SRTP_LABEL_SALT = 2,
	SRTP_LABEL_RTCP = 3,
};

/* SHA-1 after one block: the padded key, inner and outer (RFC 2104). */
struct srtp_hmac {
	uint32_t inner[5];
	uint32_t outer[5];
};

struct srtp_keys {
	EVP_CIPHER_CTX *cipher;
	struct srtp_hmac hmac; /* unused by AEAD suites */
	uint8_t salt[SRTP_SALT_BYTES_MAX];
};

/* Session keys for RTP (`label_base` 0) or RTCP (SRTP_LABEL_RTCP), derived from the master key. */
[[nodiscard]] int srtp_keys_init(struct srtp_keys *keys, const struct srtp_settings *settings,
                                 unsigned label_base);
/* The same from session keys: key and salt of `session` are those, and `auth` is HMAC's. */
[[nodiscard]] int srtp_keys_set(struct srtp_keys *keys, const struct srtp_settings *session,
                                const uint8_t auth[SRTP_SHA1_BYTES]);
void srtp_keys_fini(struct srtp_keys *keys);

/* Key derivation with a rate of zero: `len` bytes of the key stream of `label` (s4.3.1). */
[[nodiscard]] int srtp_derive(const struct srtp_settings *settings, unsigned label, uint8_t *out,
                              size_t len);

void srtp_hmac_init(struct srtp_hmac *hmac, const uint8_t key[SRTP_SHA1_BYTES]);
/* HMAC-SHA1 over `bytes` and the four bytes of `tail`. */
void srtp_hmac(const struct srtp_hmac *hmac, const uint8_t *bytes, size_t len, const uint32_t *tail,
               uint8_t out[SRTP_SHA1_BYTES]);

/* Counter mode, in place; encrypting and decrypting are one. */
void srtp_ctr(struct srtp_keys *keys, uint32_t ssrc, int64_t index, uint8_t *bytes, size_t len);

struct srtp_aead {
	uint32_t ssrc;
	int64_t index;
	const uint8_t *aad;
	size_t aad_len;
	uint8_t *bytes; /* in place */
	size_t len;
	uint8_t *tag; /* SRTP_GCM_TAG_BYTES, written by seal and compared by open */
};

void srtp_seal(struct srtp_keys *keys, const struct srtp_aead *aead);
/* False when the tag is wrong; the bytes are then of no use. */
[[nodiscard]] bool srtp_open(struct srtp_keys *keys, const struct srtp_aead *aead);

#endif
