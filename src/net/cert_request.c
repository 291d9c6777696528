/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cert_request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/encode.h"
#include "net/cert_internal.h"

enum {
	SSH_BLOB_MAX = 700, /* RSA of 4096 bits: 535 */
	SSH_NUMBER_MAX = 520,
};

/* -- wishes ------------------------------------------------------------------------------------ */

static const struct field {
	const char *name;
	bool repeats;
} fields[] = {
	{ "CN", false }, { "OU", true }, { "O", false },            { "L", false },
	{ "ST", false }, { "C", false }, { "emailAddress", false },
};

static const struct {
	const char *word;
	const char *curve; /* NULL: RSA */
	unsigned bits;
} kinds[CERT_KEY_KINDS] = {
	[CERT_RSA_3072] = { "rsa3072", NULL, 3072 },  [CERT_RSA_2048] = { "rsa2048", NULL, 2048 },
	[CERT_RSA_4096] = { "rsa4096", NULL, 4096 },  [CERT_EC_P256] = { "ecdsa256", "P-256", 0 },
	[CERT_EC_P384] = { "ecdsa384", "P-384", 0 },
};

void
cert_wish_init(struct cert_wish *wish)
{
	*wish = (struct cert_wish){ .key = CERT_RSA_3072 };
}

/* Keeps a value, without its quotation marks; NULL: there is no room. */
static const char *
keep(struct cert_wish *wish, struct str value)
{
	char *at = wish->text + wish->text_len;
	struct writer w = writer_of(at, sizeof wish->text - wish->text_len);
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] != '"')
			writer_u8(&w, (uint8_t)value.at[i]);
	writer_u8(&w, '\0');
	if (w.failed)
		return NULL;
	wish->text_len += w.at;
	return at;
}

/* A DNS name, also one of "*.example.com". */
static bool
is_host(const char *name)
{
	size_t label = 0;
	if (strncmp(name, "*.", 2) == 0)
		name += 2;
	const char *at = name;
	for (; *at != '\0'; at++) {
		if (*at == '.' ? label == 0 : !str_is_alnum(*at) && *at != '-' && *at != '_')
			return false;
		label = *at == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label != 0 && at - name < 254;
}

static bool
add_names(struct cert_wish *wish, struct str list, char error[CERT_ERROR_MAX])
{
	while (list.len != 0) {
		const char *name = keep(wish, str_trim(str_cut(&list, ',')));
		struct net_addr addr;
		if (name == NULL || wish->name_count == CERT_NAMES_MAX) {
			(void)cert_fail(error, "there are too many names");
			return false;
		}
		if (!is_host(name) && !addr_parse_ip(&addr, str_of(name))) {
			(void)cert_fail(error, "\"%.100s\" is no host's name or address", name);
			return false;
		}
		wish->names[wish->name_count++] = name;
	}
	return true;
}

static bool
add_field(struct cert_wish *wish, const struct field *field, struct str value,
          char error[CERT_ERROR_MAX])
{
	const char *kept = keep(wish, value);
	bool there = false;
	for (size_t i = 0; i < wish->count; i++)
		there = there || wish->fields[i].field == field->name;
	if (there && !field->repeats)
		(void)cert_fail(error, "%s stands there twice", field->name);
	else if (kept == NULL || wish->count == CERT_FIELDS_MAX)
		(void)cert_fail(error, "that is too much for a certificate");
	else if (kept[0] == '\0')
		(void)cert_fail(error, "%s has no value", field->name);
	else if (strcmp(field->name, "C") == 0 && strlen(kept) != 2)
		(void)cert_fail(error, "C is a country's two letters, as in C:FR");
	else if (strlen(kept) > 64 && strcmp(field->name, "emailAddress") != 0)
		(void)cert_fail(error, "%s has at most 64 bytes", field->name);
	else {
		wish->fields[wish->count].field = field->name;
		wish->fields[wish->count++].value = kept;
		return true;
	}
	return false;
}

static bool
set_key(struct cert_wish *wish, struct str value, char error[CERT_ERROR_MAX])
{
	for (size_t i = 0; i < CERT_KEY_KINDS; i++) {
		if (!str_eq(value, str_of(kinds[i].word)))
			continue;
		wish->key = (enum cert_key_kind)i;
		return true;
	}
	(void)cert_fail(error, "expected keyType:rsa2048, rsa3072, rsa4096, ecdsa256 or ecdsa384");
	return false;
}

bool
cert_wish_add(struct cert_wish *wish, struct str word, char error[CERT_ERROR_MAX])
{
	struct str value = word;
	const struct str name = str_cut(&value, ':');
	if (name.len < word.len) {
		if (str_eq(name, STR("subjectAltName")))
			return add_names(wish, value, error);
		if (str_eq(name, STR("keyType")))
			return set_key(wish, value, error);
		for (size_t i = 0; i < COUNT_OF(fields); i++)
			if (str_eq(name, str_of(fields[i].name)))
				return add_field(wish, &fields[i], value, error);
	}
	(void)cert_fail(error,
	                "\"%.*s\" does not fit; expected CN:, OU:, O:, L:, ST:, C:, emailAddress:, "
	                "subjectAltName: or keyType: with a value",
	                (int)(word.len < 60 ? word.len : 60), word.at);
	return false;
}

bool
cert_wish_end(struct cert_wish *wish, char error[CERT_ERROR_MAX])
{
	const char *common = NULL;
	struct net_addr addr;
	for (size_t i = 0; i < wish->count; i++)
		if (strcmp(wish->fields[i].field, "CN") == 0)
			common = wish->fields[i].value;
	if (common == NULL) {
		(void)cert_fail(error, "a common name is missing; expected CN:<name>");
		return false;
	}
	for (size_t i = 0; i < wish->name_count; i++)
		if (str_eq_nocase(str_of(common), str_of(wish->names[i])))
			return true;
	if (wish->name_count < CERT_NAMES_MAX &&
	    (is_host(common) || addr_parse_ip(&addr, str_of(common))))
		wish->names[wish->name_count++] = common;
	return true;
}

/* -- making ------------------------------------------------------------------------------------ */

static int
openssl_failed(char error[CERT_ERROR_MAX], const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	return cert_fail(error, "%s: %s", what, reason != NULL ? reason : "no memory");
}

static EVP_PKEY *
make_key(enum cert_key_kind kind)
{
	return kinds[kind].curve != NULL ? EVP_EC_gen(kinds[kind].curve)
	                                 : EVP_RSA_gen(kinds[kind].bits);
}

/* Ed25519 brings its own. */
static const EVP_MD *
digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
}

static bool
fill_subject(X509_NAME *name, const struct cert_wish *wish)
{
	for (size_t i = 0; i < wish->count; i++)
		if (X509_NAME_add_entry_by_txt(name, wish->fields[i].field, MBSTRING_UTF8,
		                               (const unsigned char *)wish->fields[i].value, -1,
		                               -1, 0) != 1)
			return false;
	return true;
}

static GENERAL_NAMES *
names_of(const struct cert_wish *wish)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	bool ok = names != NULL;
	for (size_t i = 0; ok && i < wish->name_count; i++)
		ok = cert_add_name(names, wish->names[i]);
	if (ok)
		return names;
	GENERAL_NAMES_free(names);
	return NULL;
}

static bool
fill_request(X509_REQ *request, EVP_PKEY *key, const struct cert_wish *wish)
{
	GENERAL_NAMES *names = names_of(wish);
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	bool ok = names != NULL && X509_REQ_set_version(request, 0) == 1 &&
	          fill_subject(X509_REQ_get_subject_name(request), wish) &&
	          X509_REQ_set_pubkey(request, key) == 1;
	if (ok && wish->name_count != 0)
		ok = X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0,
		                     X509V3_ADD_DEFAULT) == 1 &&
		     X509_REQ_add_extensions(request, extensions) == 1;
	ok = ok && X509_REQ_sign(request, key, digest_for(key)) > 0;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	GENERAL_NAMES_free(names);
	return ok;
}

int
cert_request_make(const char *key_file, const char *request_file, const struct cert_wish *wish,
                  char error[CERT_ERROR_MAX])
{
	error[0] = '\0';
	EVP_PKEY *key = make_key(wish->key);
	X509_REQ *request = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = -ENOMEM;
	if (key != NULL && request != NULL && bio != NULL) {
		if (!fill_request(request, key, wish) ||
		    PEM_write_bio_X509_REQ(bio, request) != 1)
			rc = openssl_failed(error, "cannot make a request");
		else
			rc = cert_write_key(key_file, key, error);
		if (rc == 0)
			rc = cert_write_bio(request_file, bio, CERT_MODE, error);
	}
	BIO_free(bio);
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	return rc;
}

static int
write_cert(const char *path, X509 *cert, char error[CERT_ERROR_MAX])
{
	BIO *bio = BIO_new(BIO_s_mem());
	const int rc = bio != NULL && PEM_write_bio_X509(bio, cert) == 1
	                       ? cert_write_bio(path, bio, CERT_MODE, error)
	                       : -ENOMEM;
	BIO_free(bio);
	return rc;
}

static bool
add_identifiers(X509 *cert, X509 *issuer)
{
	return cert_add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
	       cert_add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
}

/* Good for a server of its own, and to sign others. */
static bool
fill_self(X509 *cert, EVP_PKEY *key, const struct cert_wish *wish)
{
	GENERAL_NAMES *names = names_of(wish);
	bool ok = names != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
	          cert_set_serial(cert) && cert_set_times(cert, CERT_DAYS_DEFAULT, false) &&
	          fill_subject(X509_get_subject_name(cert), wish) &&
	          X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
	          X509_set_pubkey(cert, key) == 1 &&
	          cert_add_extension(cert, cert, NID_basic_constraints,
	                             "critical,CA:TRUE,pathlen:0") &&
	          cert_add_extension(cert, cert, NID_key_usage,
	                             "critical,digitalSignature,keyCertSign,cRLSign") &&
	          add_identifiers(cert, cert);
	if (ok && wish->name_count != 0)
		ok = X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
	ok = ok && X509_sign(cert, key, digest_for(key)) > 0;
	GENERAL_NAMES_free(names);
	return ok;
}

int
cert_self_make(const char *key_file, const char *cert_file, const struct cert_wish *wish,
               char error[CERT_ERROR_MAX])
{
	error[0] = '\0';
	EVP_PKEY *key = make_key(wish->key);
	X509 *cert = X509_new();
	int rc = -ENOMEM;
	if (key != NULL && cert != NULL)
		rc = fill_self(cert, key, wish) ? cert_write_key(key_file, key, error)
		                                : openssl_failed(error, "cannot make a certificate");
	if (rc == 0)
		rc = write_cert(cert_file, cert, error);
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

/* -- signing ----------------------------------------------------------------------------------- */

static int
read_request(X509_REQ **out, const char *path, char error[CERT_ERROR_MAX])
{
	BIO *bio;
	int rc = cert_open(&bio, path, error);
	if (rc != 0)
		return rc;
	*out = PEM_read_bio_X509_REQ(bio, NULL, cert_no_passphrase, NULL);
	BIO_free(bio);
	if (*out == NULL)
		return cert_fail(error, "%s holds no certificate request in PEM form", path);
	EVP_PKEY *key = X509_REQ_get0_pubkey(*out);
	if (key == NULL || X509_REQ_verify(*out, key) != 1)
		return cert_fail(error, "%s is not signed by the key that it is for", path);
	return 0;
}

static int
read_authority(X509 **cert, EVP_PKEY **key, const struct cert_authority *authority,
               char error[CERT_ERROR_MAX])
{
	int rc = cert_read(cert, authority->cert_file, error);
	if (rc == 0)
		rc = cert_read_key(key, authority->key_file, error);
	if (rc != 0)
		return rc;
	if (X509_check_private_key(*cert, *key) != 1)
		return cert_fail(error, "certificate %s and key %s do not belong together",
		                 authority->cert_file, authority->key_file);
	if (X509_check_ca(*cert) == 0)
		return cert_fail(error, "%s may not sign others (CA:FALSE); make an authority by pki "
		                        "selfsigned <base> CN:<name>", authority->cert_file);
	return cert_trust_fits(authority->cert_file, error);
}

/* The names are the one thing of its wishes that is granted. */
static bool
copy_names(X509 *cert, const X509_REQ *request)
{
	STACK_OF(X509_EXTENSION) *wished = X509_REQ_get_extensions((X509_REQ *)request);
	const int at = X509v3_get_ext_by_NID(wished, NID_subject_alt_name, -1);
	const bool ok = at < 0 || X509_add_ext(cert, X509v3_get_ext(wished, at), -1) == 1;
	sk_X509_EXTENSION_pop_free(wished, X509_EXTENSION_free);
	return ok;
}

static bool
fill_signed(X509 *cert, X509_REQ *request, X509 *issuer, EVP_PKEY *issuer_key)
{
	return X509_set_version(cert, X509_VERSION_3) == 1 && cert_set_serial(cert) &&
	       cert_set_times(cert, CERT_SIGNED_DAYS, false) &&
	       X509_set_subject_name(cert, X509_REQ_get_subject_name(request)) == 1 &&
	       X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
	       X509_set_pubkey(cert, X509_REQ_get0_pubkey(request)) == 1 &&
	       cert_add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       cert_add_extension(cert, issuer, NID_key_usage,
	                          "critical,digitalSignature,keyEncipherment") &&
	       cert_add_extension(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       add_identifiers(cert, issuer) && copy_names(cert, request) &&
	       X509_sign(cert, issuer_key, digest_for(issuer_key)) > 0;
}

int
cert_sign(const char *cert_file, const char *request_file, const struct cert_authority *authority,
          char error[CERT_ERROR_MAX])
{
	error[0] = '\0';
	X509_REQ *request = NULL;
	X509 *issuer = NULL, *cert = X509_new();
	EVP_PKEY *key = NULL;
	int rc = cert != NULL ? read_request(&request, request_file, error) : -ENOMEM;
	if (rc == 0)
		rc = read_authority(&issuer, &key, authority, error);
	if (rc == 0 && !fill_signed(cert, request, issuer, key))
		rc = openssl_failed(error, "cannot sign");
	if (rc == 0)
		rc = write_cert(cert_file, cert, error);
	X509_free(cert);
	X509_free(issuer);
	EVP_PKEY_free(key);
	X509_REQ_free(request);
	return rc;
}

/* -- PKCS#12 ----------------------------------------------------------------------------------- */

struct contents {
	EVP_PKEY *key;
	X509 *cert;
	STACK_OF(X509) *chain;
};

static void
drop(struct contents *contents)
{
	EVP_PKEY_free(contents->key);
	X509_free(contents->cert);
	sk_X509_pop_free(contents->chain, X509_free);
}

static int
open_bundle(struct contents *out, const char *path, const char *password,
            char error[CERT_ERROR_MAX])
{
	*out = (struct contents){ 0 };
	BIO *bio;
	int rc = cert_open(&bio, path, error);
	if (rc != 0)
		return rc;
	PKCS12 *bundle = d2i_PKCS12_bio(bio, NULL);
	BIO_free(bio);
	if (bundle == NULL)
		return cert_fail(error, "%s is no PKCS#12 file", path);
	if (PKCS12_verify_mac(bundle, password, -1) != 1)
		rc = cert_fail(error, "the password of %s is another one", path);
	else if (PKCS12_parse(bundle, password, &out->key, &out->cert, &out->chain) != 1)
		rc = openssl_failed(error, "the encryption of the PKCS#12 file is not known here; "
		                           "export it again with AES");
	else if (out->cert == NULL)
		rc = cert_fail(error, "%s holds no certificate that belongs to its key", path);
	PKCS12_free(bundle);
	return rc;
}

int
cert_unpack(const char *key_file, const char *cert_file, const char *bundle_file,
            const char *password, char error[CERT_ERROR_MAX])
{
	struct contents contents;
	error[0] = '\0';
	int rc = open_bundle(&contents, bundle_file, password, error);
	if (rc == 0 && contents.key == NULL)
		rc = cert_fail(error, "%s holds no key", bundle_file);
	BIO *bio = BIO_new(BIO_s_mem());
	if (rc == 0 && (bio == NULL || PEM_write_bio_X509(bio, contents.cert) != 1))
		rc = -ENOMEM;
	for (int i = 0; rc == 0 && i < sk_X509_num(contents.chain); i++)
		if (PEM_write_bio_X509(bio, sk_X509_value(contents.chain, i)) != 1)
			rc = -ENOMEM;
	if (rc == 0)
		rc = cert_write_key(key_file, contents.key, error);
	if (rc == 0)
		rc = cert_write_bio(cert_file, bio, CERT_MODE, error);
	BIO_free(bio);
	drop(&contents);
	return rc;
}

static void
write_ssh_string(struct writer *w, const void *bytes, size_t len)
{
	writer_u32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

/* RFC 4251 s5: positive, so with a zero byte where the first bit is set. */
static void
write_ssh_number(struct writer *w, const EVP_PKEY *key, const char *name)
{
	uint8_t bytes[SSH_NUMBER_MAX];
	BIGNUM *number = NULL;
	if (EVP_PKEY_get_bn_param(key, name, &number) != 1 ||
	    (size_t)BN_num_bytes(number) >= sizeof bytes) {
		w->failed = true;
	} else {
		bytes[0] = 0;
		const size_t len = (size_t)BN_bn2bin(number, bytes + 1);
		const bool zero = len != 0 && (bytes[1] & 0x80) != 0;
		write_ssh_string(w, zero ? bytes : bytes + 1, zero ? len + 1 : len);
	}
	BN_free(number);
}

/* RFC 4253 s6.6, RFC 5656 s3.1, RFC 8709 s4; the name of its kind, NULL: OpenSSH has none. */
static const char *
write_ssh_blob(struct writer *w, const EVP_PKEY *key)
{
	char group[32] = "";
	uint8_t point[256];
	size_t len = 0;
	if (EVP_PKEY_is_a(key, "RSA")) {
		write_ssh_string(w, "ssh-rsa", 7);
		write_ssh_number(w, key, OSSL_PKEY_PARAM_RSA_E);
		write_ssh_number(w, key, OSSL_PKEY_PARAM_RSA_N);
		return "ssh-rsa";
	}
	if (EVP_PKEY_is_a(key, "ED25519") &&
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
	                                    &len) == 1) {
		write_ssh_string(w, "ssh-ed25519", 11);
		write_ssh_string(w, point, len);
		return "ssh-ed25519";
	}
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1 ||
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
	                                    &len) != 1)
		return NULL;
	const bool p256 = strcmp(group, "prime256v1") == 0;
	if (!p256 && strcmp(group, "secp384r1") != 0)
		return NULL;
	const char *kind = p256 ? "ecdsa-sha2-nistp256" : "ecdsa-sha2-nistp384";
	write_ssh_string(w, kind, strlen(kind));
	write_ssh_string(w, kind + 11, 8);
	write_ssh_string(w, point, len);
	return kind;
}

int
cert_unpack_ssh(char out[CERT_SSH_KEY_MAX], const char *bundle_file, const char *password,
                char error[CERT_ERROR_MAX])
{
	struct contents contents;
	error[0] = '\0';
	int rc = open_bundle(&contents, bundle_file, password, error);
	if (rc == 0) {
		uint8_t blob[SSH_BLOB_MAX];
		struct writer b = writer_of(blob, sizeof blob);
		struct writer w = writer_of(out, CERT_SSH_KEY_MAX - 1);
		const char *kind = write_ssh_blob(&b, X509_get0_pubkey(contents.cert));
		writer_format(&w, "%s ", kind != NULL ? kind : "");
		encode_base64(&w, blob, b.at);
		out[w.at] = '\0';
		if (kind == NULL || b.failed || w.failed)
			rc = cert_fail(error, "SSH has no use for a key of this kind");
	}
	drop(&contents);
	return rc;
}
