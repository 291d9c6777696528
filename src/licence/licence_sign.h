/* SPDX-License-Identifier: Apache-2.0 */
/* licence_sign -- Ed25519 (RFC 8032) by OpenSSL, and making licence files: for those who resell.
 *
 * Ownership  Values; wipe a secret with explicit_bzero() when done.
 * Threads    Pure, but for the random bytes of a new secret.
 * Errors     -ENOMEM, -EINVAL for text that is no key of this kind.
 */
#ifndef LICENCE_LICENCE_SIGN_H
#define LICENCE_LICENCE_SIGN_H

#include "licence/licence.h"

enum {
	LICENCE_SECRET_TEXT_MAX = 256, /* bytes of a private key in PEM */
};

struct licence_secret {
	uint8_t bytes[LICENCE_KEY_BYTES];
};

[[nodiscard]] bool licence_verify(const struct licence_key *key, struct str text,
                                  const uint8_t signature[LICENCE_SIGNATURE_BYTES]);

/* A private key in PEM (PKCS #8), as `openssl genpkey -algorithm ed25519` writes it, too. */
[[nodiscard]] int licence_secret_parse(struct licence_secret *out, struct str pem);
[[nodiscard]] int licence_secret_make(struct licence_secret *out);
[[nodiscard]] int licence_secret_write(struct writer *w, const struct licence_secret *secret);
[[nodiscard]] int licence_key_of(struct licence_key *out, const struct licence_secret *secret);
[[nodiscard]] bool licence_sign(uint8_t out[LICENCE_SIGNATURE_BYTES],
                                const struct licence_secret *secret, struct str text);

/* Writes the licence file of these claims (JSON, licence.h).  Claims that licence_read() would
 * refuse are not signed: `error` says why. */
[[nodiscard]] bool licence_make(struct writer *w, struct str claims, struct str issuer,
                                const struct licence_secret *secret,
                                char error[LICENCE_ERROR_MAX]);

#endif
