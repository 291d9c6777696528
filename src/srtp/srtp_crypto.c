/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL 3 deprecates the low-level SHA-1 functions in favour of EVP_MAC, which allocates and
 * looks up its algorithm for each message: three times the price of the hash of a voice packet.
 * The low-level ones let us start from a stored state, and this file is the one place for it. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "srtp/srtp_crypto.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/check.h"

enum {
	CTR_IV_BYTES = 16,
	GCM_IV_BYTES = 12, /* RFC 7714 s8.1 */
	LABEL_AT = 7,      /* label * 2^48 within the 112-bit salt (RFC 3711 s4.3.1, rate 0) */
	HMAC_BLOCK_BYTES = 64,
};

/* ---- HMAC-SHA1 ---- */

static void
state_save(uint32_t state[5], const SHA_CTX *sha)
{
	state[0] = sha->h0;
	state[1] = sha->h1;
	state[2] = sha->h2;
	state[3] = sha->h3;
	state[4] = sha->h4;
}

/* A hash that has taken in one block already. */
static SHA_CTX
state_load(const uint32_t state[5])
{
	return (SHA_CTX){
		.h0 = state[0],
		.h1 = state[1],
		.h2 = state[2],
		.h3 = state[3],
		.h4 = state[4],
		.Nl = HMAC_BLOCK_BYTES * 8,
	};
}

static void
pad_key(uint32_t state[5], const uint8_t key[SRTP_SHA1_BYTES], uint8_t pad)
{
	uint8_t block[HMAC_BLOCK_BYTES];
	SHA_CTX sha;
	memset(block, pad, sizeof block);
	for (unsigned i = 0; i < SRTP_SHA1_BYTES; i++)
		block[i] ^= key[i];
	CHECK(SHA1_Init(&sha) == 1);
	CHECK(SHA1_Update(&sha, block, sizeof block) == 1);
	state_save(state, &sha);
	explicit_bzero(block, sizeof block);
	explicit_bzero(&sha, sizeof sha);
}

void
srtp_hmac_init(struct srtp_hmac *hmac, const uint8_t key[SRTP_SHA1_BYTES])
{
	pad_key(hmac->inner, key, 0x36);
	pad_key(hmac->outer, key, 0x5c);
}

void
srtp_hmac(const struct srtp_hmac *hmac, const uint8_t *bytes, size_t len, const uint32_t *tail,
          uint8_t out[SRTP_SHA1_BYTES])
{
	SHA_CTX sha = state_load(hmac->inner);
	SHA1_Update(&sha, bytes, len);
	if (tail != NULL) {
		const uint8_t big_endian[4] = { (uint8_t)(*tail >> 24), (uint8_t)(*tail >> 16),
			                        (uint8_t)(*tail >> 8), (uint8_t)*tail };
		SHA1_Update(&sha, big_endian, sizeof big_endian);
	}
	SHA1_Final(out, &sha);

	sha = state_load(hmac->outer);
	SHA1_Update(&sha, out, SRTP_SHA1_BYTES);
	SHA1_Final(out, &sha);
}

/* ---- Keys ---- */

static const EVP_CIPHER *
counter_cipher(const struct srtp_suite_info *info)
{
	return info->key_bytes == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
}

static const EVP_CIPHER *
session_cipher(const struct srtp_suite_info *info)
{
	if (!info->aead)
		return counter_cipher(info);
	return info->key_bytes == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
}

int
srtp_derive(const struct srtp_settings *settings, unsigned label, uint8_t *out, size_t len)
{
	const struct srtp_suite_info *info = srtp_suite_info(settings->suite);
	/* A 96-bit salt is used as the upper part of a 112-bit one (RFC 7714 s11). */
	uint8_t iv[CTR_IV_BYTES] = { 0 };
	memcpy(iv, settings->salt, info->salt_bytes);
	iv[LABEL_AT] ^= (uint8_t)label;

	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	if (cipher == NULL)
		return -ENOMEM;
	int rc = -ENOTSUP;
	int written = 0;
	memset(out, 0, len);
	if (EVP_EncryptInit_ex(cipher, counter_cipher(info), NULL, settings->key, iv) == 1 &&
	    EVP_EncryptUpdate(cipher, out, &written, out, (int)len) == 1)
		rc = 0;
	EVP_CIPHER_CTX_free(cipher);
	return rc;
}

int
srtp_keys_set(struct srtp_keys *keys, const struct srtp_settings *session,
              const uint8_t auth[SRTP_SHA1_BYTES])
{
	const struct srtp_suite_info *info = srtp_suite_info(session->suite);
	/* Counter mode only ever encrypts. */
	const int encrypts = !info->aead || session->direction == SRTP_OUTBOUND;

	*keys = (struct srtp_keys){ .cipher = EVP_CIPHER_CTX_new() };
	if (keys->cipher == NULL)
		return -ENOMEM;
	if (EVP_CipherInit_ex(keys->cipher, session_cipher(info), NULL, session->key, NULL,
	                      encrypts) != 1) {
		srtp_keys_fini(keys);
		return -ENOTSUP;
	}
	memcpy(keys->salt, session->salt, info->salt_bytes);
	srtp_hmac_init(&keys->hmac, auth);
	return 0;
}

int
srtp_keys_init(struct srtp_keys *keys, const struct srtp_settings *settings, unsigned label_base)
{
	const struct srtp_suite_info *info = srtp_suite_info(settings->suite);
	uint8_t key[SRTP_KEY_BYTES_MAX];
	uint8_t auth[SRTP_SHA1_BYTES];
	uint8_t salt[SRTP_SALT_BYTES_MAX];
	struct srtp_settings session = *settings;
	session.key = key;
	session.salt = salt;

	int rc = srtp_derive(settings, label_base + SRTP_LABEL_CIPHER, key, info->key_bytes);
	if (rc == 0)
		rc = srtp_derive(settings, label_base + SRTP_LABEL_AUTH, auth, sizeof auth);
	if (rc == 0)
		rc = srtp_derive(settings, label_base + SRTP_LABEL_SALT, salt, info->salt_bytes);
	if (rc == 0)
		rc = srtp_keys_set(keys, &session, auth);
	explicit_bzero(key, sizeof key);
	explicit_bzero(auth, sizeof auth);
	explicit_bzero(salt, sizeof salt);
	return rc;
}

void
srtp_keys_fini(struct srtp_keys *keys)
{
	EVP_CIPHER_CTX_free(keys->cipher);
	explicit_bzero(keys, sizeof *keys);
}

/* ---- Packets ---- */

/* XORs the low `count` bytes of `value`, big-endian, into `p`. */
static void
xor_number(uint8_t *p, uint64_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		p[i] ^= (uint8_t)(value >> 8 * (count - 1 - i));
}

/* RFC 3711 s4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16. */
void
srtp_ctr(struct srtp_keys *keys, uint32_t ssrc, int64_t index, uint8_t *bytes, size_t len)
{
	uint8_t iv[CTR_IV_BYTES] = { 0 };
	memcpy(iv, keys->salt, SRTP_SALT_BYTES_MAX);
	xor_number(iv + 4, ssrc, 4);
	xor_number(iv + 8, (uint64_t)index, 6);

	int written = 0;
	CHECK(EVP_EncryptInit_ex(keys->cipher, NULL, NULL, NULL, iv) == 1);
	CHECK(EVP_EncryptUpdate(keys->cipher, bytes, &written, bytes, (int)len) == 1);
	CHECK((size_t)written == len);
}

/* RFC 7714 s8.1 and s9.1: two zero bytes, SSRC and a 48-bit index, XOR salt.  An RTCP index has 31
 * bits and leaves the upper two bytes zero. */
static void
gcm_iv(uint8_t iv[GCM_IV_BYTES], const struct srtp_keys *keys, const struct srtp_aead *aead)
{
	memcpy(iv, keys->salt, GCM_IV_BYTES);
	xor_number(iv + 2, aead->ssrc, 4);
	xor_number(iv + 6, (uint64_t)aead->index, 6);
}

void
srtp_seal(struct srtp_keys *keys, const struct srtp_aead *aead)
{
	EVP_CIPHER_CTX *cipher = keys->cipher;
	int written = 0;
	int ignored = 0;
	uint8_t iv[GCM_IV_BYTES];
	gcm_iv(iv, keys, aead);
	CHECK(EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv) == 1);
	CHECK(EVP_EncryptUpdate(cipher, NULL, &ignored, aead->aad, (int)aead->aad_len) == 1);
	CHECK(EVP_EncryptUpdate(cipher, aead->bytes, &written, aead->bytes, (int)aead->len) == 1);
	CHECK((size_t)written == aead->len);
	CHECK(EVP_EncryptFinal_ex(cipher, aead->tag, &ignored) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SRTP_GCM_TAG_BYTES,
	                          aead->tag) == 1);
}

bool
srtp_open(struct srtp_keys *keys, const struct srtp_aead *aead)
{
	EVP_CIPHER_CTX *cipher = keys->cipher;
	int written = 0;
	int ignored = 0;
	uint8_t iv[GCM_IV_BYTES];
	gcm_iv(iv, keys, aead);
	CHECK(EVP_DecryptInit_ex(cipher, NULL, NULL, NULL, iv) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SRTP_GCM_TAG_BYTES,
	                          aead->tag) == 1);
	CHECK(EVP_DecryptUpdate(cipher, NULL, &ignored, aead->aad, (int)aead->aad_len) == 1);
	CHECK(EVP_DecryptUpdate(cipher, aead->bytes, &written, aead->bytes, (int)aead->len) == 1);
	CHECK((size_t)written == aead->len);
	return EVP_DecryptFinal_ex(cipher, aead->bytes + aead->len, &ignored) == 1;
}
