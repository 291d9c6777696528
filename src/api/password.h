/* SPDX-License-Identifier: Apache-2.0 */
/* password -- argon2id hashes, and the thread that verifies them.
 *
 * Verifying is slow on purpose (tens of milliseconds), so the control thread hands it over.
 *
 * Ownership  The verifier copies what it is given and wipes it when done.
 * Threads    password_hash() and password_matches() block; any thread.  One owner calls
 *            verifier_post() and verifier_take(); `wake` is called from the verifier's thread.
 * Errors     password_hash, verifier_create: -errno.  A full verifier: -EAGAIN.
 * Limits     VERIFIER_PENDING_MAX passwords waiting.
 */
#ifndef API_PASSWORD_H
#define API_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	PASSWORD_MAX = 128,        /* bytes */
	PASSWORD_HASH_MAX = 160,   /* bytes of "$argon2id$v=19$m=...", with NUL */
	PASSWORD_SALT_BYTES = 16,
	PASSWORD_MEMORY_KIB = 19456, /* OWASP's floor for argon2id: 19 MiB, two passes, one lane */
	PASSWORD_PASSES = 2,
	VERIFIER_PENDING_MAX = 16,
};

/* Verified when nobody has the name, so that the time tells nothing; no password has it.  Its costs
 * are PASSWORD_MEMORY_KIB and PASSWORD_PASSES. */
#define PASSWORD_OF_NOBODY \
	"$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* `salt` is fresh randomness. */
[[nodiscard]] int password_hash(char out[PASSWORD_HASH_MAX], struct str password,
                                const uint8_t salt[PASSWORD_SALT_BYTES]);
[[nodiscard]] bool password_matches(struct str password, struct str hash);

struct verifier;

struct verifier_result {
	uint32_t slot;
	bool right;
};

[[nodiscard]] int verifier_create(struct verifier **out, void (*wake)(void *context),
                                  void *context);
/* Waits for the password being verified; those waiting are dropped. */
void verifier_destroy(struct verifier *verifier);
[[nodiscard]] int verifier_post(struct verifier *verifier, uint32_t slot, struct str password,
                                struct str hash);
[[nodiscard]] bool verifier_take(struct verifier *verifier, struct verifier_result *result);

#endif
