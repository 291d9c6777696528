/* SPDX-License-Identifier: Apache-2.0 */
/* oidc_key -- signatures of tokens (RFC 7515, RFC 7518, RFC 8037) by public keys in JSON (RFC 7517).
 *
 * Asymmetric algorithms only: RS, PS and ES with SHA-256, 384 and 512, and Ed25519.  A token can so
 * neither be unsigned nor signed with a public key as if that were a shared secret (RFC 8725 s3.1).
 *
 * Ownership  Borrows everything.
 * Threads    Pure.
 * Errors     NULL and false.
 * Limits     RSA keys of 2048 to 8192 bits.
 */
#ifndef OIDC_OIDC_KEY_H
#define OIDC_OIDC_KEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { OIDC_SIGNATURE_BYTES_MAX = 1024 };

struct oidc_algorithm;

/* The algorithm of a token's "alg"; NULL when it is none of ours. */
[[nodiscard]] const struct oidc_algorithm *oidc_algorithm_of(struct str name);

/* Is this key made for such signatures? */
[[nodiscard]] bool oidc_key_fits(const json_t *key, const struct oidc_algorithm *algorithm);

[[nodiscard]] bool oidc_key_signed(const json_t *key, const struct oidc_algorithm *algorithm,
                                   struct str text, const uint8_t *signature, size_t len);

/* A member of an object that is a string; an empty view when there is no such text. */
[[nodiscard]] struct str oidc_json_text(const json_t *object, const char *name);

#endif
