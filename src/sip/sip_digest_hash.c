/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_digest_hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"

static const EVP_MD *
md_of(enum digest_hash hash)
{
	switch (hash) {
	case DIGEST_HASH_MD5:
		return EVP_md5();
	case DIGEST_HASH_SHA256:
		return EVP_sha256();
	case DIGEST_HASH_SHA512_256:
		return EVP_sha512_256();
	}
	return NULL;
}

static void
write_hex(char *out, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

bool
digest_hash_join(char out[2 * DIGEST_HASH_BYTES_MAX + 1], enum digest_hash hash,
                 const struct str *parts, size_t count)
{
	uint8_t bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context != NULL && EVP_DigestInit_ex(context, md_of(hash), NULL) == 1;

	for (size_t i = 0; good && i < count; i++) {
		if (i != 0)
			good = EVP_DigestUpdate(context, ":", 1) == 1;
		if (good && parts[i].len != 0)
			good = EVP_DigestUpdate(context, parts[i].at, parts[i].len) == 1;
	}
	good = good && EVP_DigestFinal_ex(context, bytes, &len) == 1;
	EVP_MD_CTX_free(context);
	if (!good)
		return false;
	CHECK(len <= DIGEST_HASH_BYTES_MAX);
	write_hex(out, bytes, len);
	return true;
}

bool
digest_hash_keyed(uint8_t out[DIGEST_HASH_BYTES_MAX], const uint8_t *key, size_t key_len,
                  const uint8_t *bytes, size_t len)
{
	unsigned out_len = 0;
	return HMAC(EVP_sha256(), key, (int)key_len, bytes, len, out, &out_len) != NULL &&
	       out_len == DIGEST_HASH_BYTES_MAX;
}
