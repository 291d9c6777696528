/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken out of a finished handshake: SRTP keys, record keys, and the peer's fingerprint. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/check.h"
#include "base/encode.h"
#include "dtls/dtls_internal.h"

const enum dtls_srtp_profile dtls_srtp_profiles[DTLS_SRTP_PROFILES] = {
	DTLS_SRTP_AEAD_AES_128_GCM,
	DTLS_SRTP_AEAD_AES_256_GCM,
	DTLS_SRTP_AES128_CM_SHA1_80,
	DTLS_SRTP_AES128_CM_SHA1_32,
};

static const struct {
	const char *name;
	uint8_t digest_len;
} hashes[DTLS_HASHES] = {
	[DTLS_SHA1] = { "sha-1", 20 },
	[DTLS_SHA256] = { "sha-256", 32 },
	[DTLS_SHA384] = { "sha-384", 48 },
	[DTLS_SHA512] = { "sha-512", 64 },
};

const char *
dtls_srtp_profile_name(enum dtls_srtp_profile profile)
{
	switch (profile) {
	case DTLS_SRTP_AES128_CM_SHA1_80:
		return "SRTP_AES128_CM_SHA1_80";
	case DTLS_SRTP_AES128_CM_SHA1_32:
		return "SRTP_AES128_CM_SHA1_32";
	case DTLS_SRTP_AEAD_AES_128_GCM:
		return "SRTP_AEAD_AES_128_GCM";
	case DTLS_SRTP_AEAD_AES_256_GCM:
		return "SRTP_AEAD_AES_256_GCM";
	}
	return "unknown";
}

/* Key and salt lengths: RFC 5764 s4.1.2, RFC 7714 s12. */
static bool
profile_lengths(struct dtls_keys *keys)
{
	switch (keys->profile) {
	case DTLS_SRTP_AES128_CM_SHA1_80:
	case DTLS_SRTP_AES128_CM_SHA1_32:
		keys->key_len = 16;
		keys->salt_len = 14;
		return true;
	case DTLS_SRTP_AEAD_AES_128_GCM:
		keys->key_len = 16;
		keys->salt_len = 12;
		return true;
	case DTLS_SRTP_AEAD_AES_256_GCM:
		keys->key_len = 32;
		keys->salt_len = 12;
		return true;
	}
	return false;
}

/* RFC 5764 s4.2: client key, server key, client salt, server salt. */
bool
dtls_keys_export(SSL *ssl, enum dtls_role role, struct dtls_keys *out)
{
	static const char label[] = "EXTRACTOR-dtls_srtp";
	const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(ssl);
	if (profile == NULL)
		return false;
	*out = (struct dtls_keys){ .profile = (enum dtls_srtp_profile)profile->id };
	if (!profile_lengths(out))
		return false;

	uint8_t block[2 * (DTLS_SRTP_KEY_MAX + DTLS_SRTP_SALT_MAX)];
	const size_t len = 2 * ((size_t)out->key_len + out->salt_len);
	if (SSL_export_keying_material(ssl, block, len, label, sizeof label - 1, NULL, 0, 0) != 1)
		return false;
	struct dtls_srtp_side *client = role == DTLS_CLIENT ? &out->local : &out->remote;
	struct dtls_srtp_side *server = role == DTLS_CLIENT ? &out->remote : &out->local;
	struct reader r = reader_of(block, len);
	memcpy(client->key, reader_take(&r, out->key_len), out->key_len);
	memcpy(server->key, reader_take(&r, out->key_len), out->key_len);
	memcpy(client->salt, reader_take(&r, out->salt_len), out->salt_len);
	memcpy(server->salt, reader_take(&r, out->salt_len), out->salt_len);
	CHECK(reader_left(&r) == 0 && !r.failed);
	OPENSSL_cleanse(block, sizeof block);
	return true;
}

/* RFC 5246 s5 and s6.3: P_hash(master secret, "key expansion" + server random + client random). */
static bool
key_block(SSL *ssl, uint8_t *out, size_t len)
{
	uint8_t master[SSL_MAX_MASTER_KEY_LENGTH];
	uint8_t seed[13 + 2 * DTLS_RANDOM_BYTES] = "key expansion";
	const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
	const size_t master_len =
		SSL_SESSION_get_master_key(SSL_get0_session(ssl), master, sizeof master);
	if (md == NULL || master_len == 0 ||
	    SSL_get_server_random(ssl, seed + 13, DTLS_RANDOM_BYTES) != DTLS_RANDOM_BYTES ||
	    SSL_get_client_random(ssl, seed + 13 + DTLS_RANDOM_BYTES, DTLS_RANDOM_BYTES) !=
	            DTLS_RANDOM_BYTES)
		return false;

	bool ok = false;
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	if (ctx != NULL) {
		char digest[32];
		(void)str_copy(digest, sizeof digest, str_of(EVP_MD_get0_name(md)));
		const OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
			OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
			OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
			OSSL_PARAM_construct_end(),
		};
		ok = EVP_KDF_derive(ctx, out, len, params) == 1;
	}
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	OPENSSL_cleanse(master, sizeof master);
	return ok;
}

bool
dtls_record_keys(SSL *ssl, enum dtls_role role, struct dtls_record *out)
{
	uint8_t block[2 * (32 + 4)];
	const int bits = SSL_CIPHER_get_bits(SSL_get_current_cipher(ssl), NULL);
	CHECK(bits == 128 || bits == 256); /* the context offers AES-GCM alone */
	const size_t key_len = (size_t)bits / 8;
	const size_t len = 2 * (key_len + 4);
	if (!key_block(ssl, block, len))
		return false;

	*out = (struct dtls_record){ .key_len = (uint8_t)key_len };
	struct dtls_record_side *client = role == DTLS_CLIENT ? &out->write : &out->read;
	struct dtls_record_side *server = role == DTLS_CLIENT ? &out->read : &out->write;
	struct reader r = reader_of(block, len);
	memcpy(client->key, reader_take(&r, key_len), key_len);
	memcpy(server->key, reader_take(&r, key_len), key_len);
	memcpy(client->salt, reader_take(&r, 4), 4);
	memcpy(server->salt, reader_take(&r, 4), 4);
	CHECK(reader_left(&r) == 0 && !r.failed);
	OPENSSL_cleanse(block, sizeof block);
	return true;
}

bool
dtls_fingerprint_parse(struct dtls_fingerprint *out, struct str text)
{
	struct str rest = str_trim(text);
	const struct str name = str_cut(&rest, ' ');
	for (unsigned h = 0; h < DTLS_HASHES; h++) {
		if (!str_eq_nocase(name, str_of(hashes[h].name)))
			continue;
		struct dtls_fingerprint parsed = { .hash = (enum dtls_hash)h };
		rest = str_trim(rest);
		if (rest.len != 3u * hashes[h].digest_len - 1)
			return false;
		for (size_t i = 0; i < hashes[h].digest_len; i++) {
			if (decode_hex(&parsed.digest[i], 1, str_sub(rest, 3 * i, 2)) != 1 ||
			    (3 * i + 2 < rest.len && rest.at[3 * i + 2] != ':'))
				return false;
		}
		*out = parsed;
		return true;
	}
	return false;
}

void
dtls_fingerprint_write(struct writer *w, const struct dtls_fingerprint *fingerprint)
{
	CHECK(fingerprint->hash < DTLS_HASHES);
	writer_text(w, hashes[fingerprint->hash].name);
	for (size_t i = 0; i < hashes[fingerprint->hash].digest_len; i++)
		writer_format(w, "%c%02X", i == 0 ? ' ' : ':', fingerprint->digest[i]);
}

bool
dtls_fingerprint_of(struct dtls_fingerprint *out, X509 *cert, enum dtls_hash hash)
{
	const EVP_MD *const mds[DTLS_HASHES] = {
		[DTLS_SHA1] = EVP_sha1(),
		[DTLS_SHA256] = EVP_sha256(),
		[DTLS_SHA384] = EVP_sha384(),
		[DTLS_SHA512] = EVP_sha512(),
	};
	unsigned len = 0;
	*out = (struct dtls_fingerprint){ .hash = hash };
	return X509_digest(cert, mds[hash], out->digest, &len) == 1 && len == hashes[hash].digest_len;
}

bool
dtls_fingerprints_match(const struct dtls_fingerprint *fingerprints, unsigned count, X509 *cert)
{
	enum dtls_hash strongest = DTLS_SHA1;
	for (unsigned i = 0; i < count; i++)
		if (fingerprints[i].hash > strongest)
			strongest = fingerprints[i].hash;

	struct dtls_fingerprint theirs;
	if (!dtls_fingerprint_of(&theirs, cert, strongest))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (fingerprints[i].hash == strongest &&
		    CRYPTO_memcmp(fingerprints[i].digest, theirs.digest, sizeof theirs.digest) == 0)
			return true;
	return false;
}
