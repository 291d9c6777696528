/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/oidc_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/encode.h"

enum {
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 8192, /* what one verification may cost */
	NUMBER_BYTES_MAX = RSA_BITS_MAX / 8 + 1,
	COORDINATE_BYTES_MAX = 66,
	ED25519_BYTES = 32,
	DER_BYTES_MAX = 160, /* two numbers of 67 bytes and their heads */
};

struct oidc_algorithm {
	struct str name;
	struct str key_type;
	struct str curve;      /* empty: RSA */
	const char *digest;    /* NULL: the algorithm has its own */
	size_t coordinate_len; /* of an elliptic curve */
	bool pss;
};

#define RSA_ALGORITHM(name_, digest_, pss_)                                                        \
	{ .name = STR_INIT(name_), .key_type = STR_INIT("RSA"), .digest = digest_, .pss = pss_ }
#define EC_ALGORITHM(name_, curve_, digest_, len_)                                                 \
	{ .name = STR_INIT(name_), .key_type = STR_INIT("EC"), .curve = STR_INIT(curve_),          \
	  .digest = digest_, .coordinate_len = len_ }

static const struct oidc_algorithm algorithms[] = {
	RSA_ALGORITHM("RS256", "SHA256", false),
	RSA_ALGORITHM("RS384", "SHA384", false),
	RSA_ALGORITHM("RS512", "SHA512", false),
	RSA_ALGORITHM("PS256", "SHA256", true),
	RSA_ALGORITHM("PS384", "SHA384", true),
	RSA_ALGORITHM("PS512", "SHA512", true),
	EC_ALGORITHM("ES256", "P-256", "SHA256", 32),
	EC_ALGORITHM("ES384", "P-384", "SHA384", 48),
	EC_ALGORITHM("ES512", "P-521", "SHA512", 66),
	{ .name = STR_INIT("EdDSA"), .key_type = STR_INIT("OKP"), .curve = STR_INIT("Ed25519") },
};

struct str
oidc_json_text(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value) ? (struct str){ .at = json_string_value(value),
		                                     .len = json_string_length(value) }
	                             : (struct str){ 0 };
}

const struct oidc_algorithm *
oidc_algorithm_of(struct str name)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
		if (str_eq(algorithms[i].name, name))
			return &algorithms[i];
	return NULL;
}

/* RFC 7517 s4.2, s4.4: a key may say what it is for. */
bool
oidc_key_fits(const json_t *key, const struct oidc_algorithm *algorithm)
{
	const struct str use = oidc_json_text(key, "use");
	const struct str name = oidc_json_text(key, "alg");
	return str_eq(oidc_json_text(key, "kty"), algorithm->key_type) &&
	       (algorithm->curve.len == 0 ||
	        str_eq(oidc_json_text(key, "crv"), algorithm->curve)) &&
	       (use.len == 0 || str_eq(use, STR("sig"))) &&
	       (name.len == 0 || str_eq(name, algorithm->name));
}

/* The bytes of a member in base64url; -1 when it is not there, is none or does not fit. */
static int
read_bytes(uint8_t *out, size_t cap, const json_t *key, const char *name)
{
	const struct str text = oidc_json_text(key, name);
	return text.len != 0 ? decode_base64(out, cap, text) : -1;
}

static EVP_PKEY *
key_from(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY *made = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
	if (context == NULL || parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		made = NULL;
	OSSL_PARAM_free(parameters);
	EVP_PKEY_CTX_free(context);
	return made;
}

/* RFC 7518 s6.3.1. */
static EVP_PKEY *
rsa_key(const json_t *key)
{
	uint8_t bytes[NUMBER_BYTES_MAX];
	EVP_PKEY *made = NULL;
	const int n_len = read_bytes(bytes, sizeof bytes, key, "n");
	BIGNUM *n = n_len > 0 ? BN_bin2bn(bytes, n_len, NULL) : NULL;
	const int e_len = read_bytes(bytes, sizeof bytes, key, "e");
	/* A long exponent is nobody's, and makes verifying slow. */
	BIGNUM *e = e_len > 0 && e_len <= 8 ? BN_bin2bn(bytes, e_len, NULL) : NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	if (n != NULL && e != NULL && build != NULL && BN_num_bits(n) >= RSA_BITS_MIN &&
	    BN_num_bits(n) <= RSA_BITS_MAX &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		made = key_from("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return made;
}

/* RFC 7518 s6.2.1: coordinates have all their leading zeros.  OpenSSL checks that the point is one. */
static EVP_PKEY *
ec_key(const json_t *key, const struct oidc_algorithm *algorithm)
{
	uint8_t point[1 + 2 * COORDINATE_BYTES_MAX] = { 4 }; /* uncompressed */
	const size_t len = algorithm->coordinate_len;
	EVP_PKEY *made = NULL;
	if (read_bytes(point + 1, len, key, "x") != (int)len ||
	    read_bytes(point + 1 + len, len, key, "y") != (int)len)
		return NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	if (build != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
	                                    algorithm->curve.at, algorithm->curve.len) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
	                                     1 + 2 * len) == 1)
		made = key_from("EC", build);
	OSSL_PARAM_BLD_free(build);
	return made;
}

/* RFC 8037 s2. */
static EVP_PKEY *
ed25519_key(const json_t *key)
{
	uint8_t bytes[ED25519_BYTES];
	if (read_bytes(bytes, sizeof bytes, key, "x") != ED25519_BYTES)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, sizeof bytes);
}

static EVP_PKEY *
key_of(const json_t *key, const struct oidc_algorithm *algorithm)
{
	if (algorithm->coordinate_len != 0)
		return ec_key(key, algorithm);
	return algorithm->digest != NULL ? rsa_key(key) : ed25519_key(key);
}

/* RFC 7518 s3.4: two numbers one behind the other, where OpenSSL wants them as DER; 0: they are not. */
static size_t
der_of(uint8_t out[DER_BYTES_MAX], const uint8_t *signature, size_t len, size_t coordinate_len)
{
	if (len != 2 * coordinate_len)
		return 0;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, (int)coordinate_len, NULL);
	BIGNUM *s = BN_bin2bn(signature + coordinate_len, (int)coordinate_len, NULL);
	int written = 0;
	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = s = NULL; /* the pair's now */
		uint8_t *at = out;
		written = i2d_ECDSA_SIG(pair, NULL) <= DER_BYTES_MAX ? i2d_ECDSA_SIG(pair, &at) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return written > 0 ? (size_t)written : 0;
}

static bool
padding_set(EVP_PKEY_CTX *context, const struct oidc_algorithm *algorithm)
{
	return !algorithm->pss ||
	       (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
	        EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool
oidc_key_signed(const json_t *key, const struct oidc_algorithm *algorithm, struct str text,
                const uint8_t *signature, size_t len)
{
	uint8_t der[DER_BYTES_MAX];
	EVP_PKEY_CTX *context = NULL; /* the hash's */
	if (algorithm->coordinate_len != 0) {
		len = der_of(der, signature, len, algorithm->coordinate_len);
		signature = der;
	}
	if (len == 0)
		return false;
	EVP_PKEY *public = key_of(key, algorithm);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	const bool good = public != NULL && hash != NULL &&
	                  EVP_DigestVerifyInit_ex(hash, &context, algorithm->digest, NULL, NULL,
	                                          public, NULL) == 1 &&
	                  padding_set(context, algorithm) &&
	                  EVP_DigestVerify(hash, signature, len, (const uint8_t *)text.at,
	                                   text.len) == 1;
	EVP_MD_CTX_free(hash);
	EVP_PKEY_free(public);
	return good;
}
