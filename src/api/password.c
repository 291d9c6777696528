/* SPDX-License-Identifier: Apache-2.0 */
#include "api/password.h"

#include <argon2.h>
#include <errno.h>

enum {
	KEY_BYTES = 32,
};

int
password_hash(char out[PASSWORD_HASH_MAX], struct str password,
              const uint8_t salt[PASSWORD_SALT_BYTES])
{
	if (password.len > PASSWORD_MAX)
		return -EINVAL;
	const int rc = argon2id_hash_encoded(PASSWORD_PASSES, PASSWORD_MEMORY_KIB, 1,
	                                     password.at, password.len, salt,
	                                     PASSWORD_SALT_BYTES, KEY_BYTES, out,
	                                     PASSWORD_HASH_MAX);
	return rc == ARGON2_OK ? 0 : rc == ARGON2_MEMORY_ALLOCATION_ERROR ? -ENOMEM : -EINVAL;
}

bool
password_matches(struct str password, struct str hash)
{
	char text[PASSWORD_HASH_MAX];
	return password.len <= PASSWORD_MAX && str_copy(text, sizeof text, hash) &&
	       argon2id_verify(text, password.at, password.len) == ARGON2_OK;
}
