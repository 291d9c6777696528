/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's low-level hashes are values that can be set to a midstate, and reach the same assembly as
 * EVP.  EVP_MAC costs an allocation and a lookup per message and cannot be kept in a plain struct;
 * that is why the functions that OpenSSL 3 calls deprecated are used in this one file. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "stun/stun_hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/check.h"
#include "stun/stun_msg.h"

enum {
	BLOCK_BYTES = 64,
	BLOCK_BITS = BLOCK_BYTES * 8,
};

static SHA_CTX
sha1_resume(const uint32_t h[5])
{
	return (SHA_CTX){ .h0 = h[0], .h1 = h[1], .h2 = h[2], .h3 = h[3], .h4 = h[4],
		          .Nl = BLOCK_BITS };
}

static SHA256_CTX
sha256_resume(const uint32_t h[8])
{
	SHA256_CTX ctx = { .Nl = BLOCK_BITS, .md_len = STUN_SHA256_BYTES };
	memcpy(ctx.h, h, sizeof ctx.h);
	return ctx;
}

/* The state after one block: the key, padded with zeros, XORed with `pad`. */
static void
midstates(const uint8_t key[BLOCK_BYTES], uint8_t pad, uint32_t sha1[5], uint32_t sha256[8])
{
	uint8_t block[BLOCK_BYTES];
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		block[i] = key[i] ^ pad;

	SHA_CTX one;
	SHA1_Init(&one);
	SHA1_Update(&one, block, sizeof block);
	const uint32_t h[5] = { one.h0, one.h1, one.h2, one.h3, one.h4 };
	memcpy(sha1, h, sizeof h);

	SHA256_CTX two;
	SHA256_Init(&two);
	SHA256_Update(&two, block, sizeof block);
	memcpy(sha256, two.h, sizeof two.h);

	OPENSSL_cleanse(block, sizeof block);
	OPENSSL_cleanse(&one, sizeof one);
	OPENSSL_cleanse(&two, sizeof two);
}

void
stun_key_init(struct stun_key *key, const void *password, size_t len)
{
	uint8_t block1[BLOCK_BYTES] = { 0 };
	uint8_t block256[BLOCK_BYTES] = { 0 };
	if (len <= BLOCK_BYTES) {
		memcpy(block1, password, len);
		memcpy(block256, password, len);
	} else { /* RFC 2104 s2: a longer key is hashed first */
		SHA1(password, len, block1);
		SHA256(password, len, block256);
	}

	uint32_t unused1[5];
	uint32_t unused256[8];
	midstates(block1, 0x36, key->sha1_inner, unused256);
	midstates(block1, 0x5C, key->sha1_outer, unused256);
	midstates(block256, 0x36, unused1, key->sha256_inner);
	midstates(block256, 0x5C, unused1, key->sha256_outer);

	OPENSSL_cleanse(block1, sizeof block1);
	OPENSSL_cleanse(block256, sizeof block256);
}

void
stun_key_wipe(struct stun_key *key)
{
	OPENSSL_cleanse(key, sizeof *key);
}

void
stun_hmac_sha1(const struct stun_key *key, const uint8_t head[STUN_HMAC_HEAD_BYTES],
               const uint8_t *rest, size_t len, uint8_t out[STUN_SHA1_BYTES])
{
	SHA_CTX ctx = sha1_resume(key->sha1_inner);
	SHA1_Update(&ctx, head, STUN_HMAC_HEAD_BYTES);
	SHA1_Update(&ctx, rest, len);
	SHA1_Final(out, &ctx);
	ctx = sha1_resume(key->sha1_outer);
	SHA1_Update(&ctx, out, STUN_SHA1_BYTES);
	SHA1_Final(out, &ctx);
}

void
stun_hmac_sha256(const struct stun_key *key, const uint8_t head[STUN_HMAC_HEAD_BYTES],
                 const uint8_t *rest, size_t len, uint8_t out[STUN_SHA256_BYTES])
{
	SHA256_CTX ctx = sha256_resume(key->sha256_inner);
	SHA256_Update(&ctx, head, STUN_HMAC_HEAD_BYTES);
	SHA256_Update(&ctx, rest, len);
	SHA256_Final(out, &ctx);
	ctx = sha256_resume(key->sha256_outer);
	SHA256_Update(&ctx, out, STUN_SHA256_BYTES);
	SHA256_Final(out, &ctx);
}

void
stun_long_term_key(uint8_t out[16], struct str username, struct str realm, struct str password)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	CHECK(ctx != NULL);
	int ok = EVP_DigestInit_ex(ctx, EVP_md5(), NULL);
	ok &= EVP_DigestUpdate(ctx, username.at, username.len);
	ok &= EVP_DigestUpdate(ctx, ":", 1);
	ok &= EVP_DigestUpdate(ctx, realm.at, realm.len);
	ok &= EVP_DigestUpdate(ctx, ":", 1);
	ok &= EVP_DigestUpdate(ctx, password.at, password.len);
	ok &= EVP_DigestFinal_ex(ctx, out, NULL);
	CHECK(ok == 1);
	EVP_MD_CTX_free(ctx);
}
