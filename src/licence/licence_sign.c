/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/licence_sign.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "base/check.h"
#include "licence/licence_internal.h"

bool
licence_verify(const struct licence_key *key, struct str text,
               const uint8_t signature[LICENCE_SIGNATURE_BYTES])
{
	EVP_PKEY *public =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, LICENCE_KEY_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const bool good =
		public != NULL && context != NULL &&
		EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
		EVP_DigestVerify(context, signature, LICENCE_SIGNATURE_BYTES,
	                         (const uint8_t *)text.at, text.len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public);
	ERR_clear_error();
	return good;
}

/* ------------------------------------------------------------------ private keys */

int
licence_secret_make(struct licence_secret *out)
{
	size_t len = sizeof out->bytes;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	const bool good = key != NULL && EVP_PKEY_get_raw_private_key(key, out->bytes, &len) == 1;
	CHECK(!good || len == LICENCE_KEY_BYTES);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good ? 0 : -ENOMEM;
}

static EVP_PKEY *
key_of(const struct licence_secret *secret)
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret->bytes,
	                                    sizeof secret->bytes);
}

int
licence_secret_parse(struct licence_secret *out, struct str pem)
{
	size_t len = sizeof out->bytes;
	if (pem.len > 8 * LICENCE_SECRET_TEXT_MAX)
		return -EINVAL;
	BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
	const bool good = key != NULL && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
	                  EVP_PKEY_get_raw_private_key(key, out->bytes, &len) == 1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return good ? 0 : -EINVAL;
}

int
licence_secret_write(struct writer *w, const struct licence_secret *secret)
{
	char *text = NULL;
	EVP_PKEY *key = key_of(secret);
	BIO *bio = BIO_new(BIO_s_secmem());
	const bool good = key != NULL && bio != NULL &&
	                  PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
	const long len = good ? BIO_get_mem_data(bio, &text) : 0;
	writer_bytes(w, text, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good && !w->failed ? 0 : -ENOMEM;
}

int
licence_key_of(struct licence_key *out, const struct licence_secret *secret)
{
	size_t len = sizeof out->bytes;
	EVP_PKEY *key = key_of(secret);
	const bool good = key != NULL && EVP_PKEY_get_raw_public_key(key, out->bytes, &len) == 1;
	EVP_PKEY_free(key);
	return good ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------ signing */

bool
licence_sign(uint8_t out[LICENCE_SIGNATURE_BYTES], const struct licence_secret *secret, struct str text)
{
	size_t len = LICENCE_SIGNATURE_BYTES;
	EVP_PKEY *key = key_of(secret);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const bool good =
		key != NULL && context != NULL &&
		EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestSign(context, out, &len, (const uint8_t *)text.at, text.len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good && len == LICENCE_SIGNATURE_BYTES;
}

static void
fail(char error[LICENCE_ERROR_MAX], const char *why)
{
	(void)snprintf(error, LICENCE_ERROR_MAX, "%s", why);
}

bool
licence_make(struct writer *w, struct str claims, struct str issuer,
             const struct licence_secret *secret, char error[LICENCE_ERROR_MAX])
{
	struct licence licence;
	char header[LICENCE_ISSUER_MAX + 64];
	uint8_t signature[LICENCE_SIGNATURE_BYTES];
	if (claims.len > LICENCE_PAYLOAD_BYTES_MAX) {
		fail(error, "the claims are too long");
		return false;
	}
	if (!licence_issuer_name_valid(issuer)) {
		fail(error, "the issuer's name holds letters, digits, '-', '_' and '.' only");
		return false;
	}
	if (licence_claims_read(&licence, claims, error) != LICENCE_OK)
		return false;
	struct writer h = writer_of(header, sizeof header);
	writer_format(&h, "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\"}", STR_ARGS(issuer));
	CHECK(!h.failed);
	const size_t start = w->at;
	encode_base64url(w, header, h.at);
	writer_u8(w, '.');
	encode_base64url(w, claims.at, claims.len);
	const struct str text = { (const char *)w->bytes + start, w->at - start };
	if (w->failed || !licence_sign(signature, secret, text)) {
		fail(error, "there is not enough memory");
		return false;
	}
	writer_u8(w, '.');
	encode_base64url(w, signature, sizeof signature);
	writer_u8(w, '\n');
	if (w->failed)
		fail(error, "there is not enough memory");
	return !w->failed;
}
