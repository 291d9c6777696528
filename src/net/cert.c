/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cert_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/encode.h"
#include "net/files.h"

enum {
	FILE_BYTES_MAX = 1 << 20,
	SERIAL_BYTES = 19, /* RFC 5280 s4.1.2.2: at most 20 octets, positive */
	CLOCK_SKEW_SECONDS = 86400,
};

int
cert_fail(char error[CERT_ERROR_MAX], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, CERT_ERROR_MAX, format, arguments);
	va_end(arguments);
	ERR_clear_error();
	return -EINVAL;
}

int
cert_no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

int
cert_open(BIO **out, const char *path, char error[CERT_ERROR_MAX])
{
	*out = BIO_new_file(path, "r");
	if (*out != NULL)
		return 0;
	const int rc = errno != 0 ? errno : EIO;
	(void)cert_fail(error, "cannot read %s: %s", path, strerror(rc));
	return -rc;
}

int
cert_read(X509 **out, const char *path, char error[CERT_ERROR_MAX])
{
	BIO *bio;
	int rc = cert_open(&bio, path, error);
	if (rc != 0)
		return rc;
	*out = PEM_read_bio_X509(bio, NULL, cert_no_passphrase, NULL);
	if (*out == NULL)
		rc = cert_fail(error, "%s holds no certificate in PEM form", path);
	BIO_free(bio);
	return rc;
}

int
cert_read_key(EVP_PKEY **out, const char *path, char error[CERT_ERROR_MAX])
{
	BIO *bio;
	int rc = cert_open(&bio, path, error);
	if (rc != 0)
		return rc;
	*out = PEM_read_bio_PrivateKey(bio, NULL, cert_no_passphrase, NULL);
	if (*out == NULL)
		rc = cert_fail(error, "%s holds no unencrypted private key in PEM form", path);
	BIO_free(bio);
	return rc;
}

int
cert_read_all(STACK_OF(X509) *out, const char *path, char error[CERT_ERROR_MAX])
{
	BIO *bio;
	int rc = cert_open(&bio, path, error);
	if (rc != 0)
		return rc;
	int count = 0;
	for (X509 *cert; rc == 0 && (cert = PEM_read_bio_X509(bio, NULL, cert_no_passphrase,
	                                                      NULL)) != NULL; count++) {
		if (sk_X509_push(out, cert) > 0)
			continue;
		X509_free(cert);
		rc = -ENOMEM;
	}
	BIO_free(bio);
	if (rc == 0 && count == 0)
		return cert_fail(error, "%s holds no certificate in PEM form", path);
	ERR_clear_error();
	return rc;
}

/* -- making ---------------------------------------------------------------------------------- */

bool
cert_add_name(GENERAL_NAMES *names, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	if (name == NULL)
		return false;
	struct net_addr addr;
	const bool is_ip = addr_parse_ip(&addr, str_of(text));
	ASN1_STRING *value = is_ip ? (ASN1_STRING *)ASN1_OCTET_STRING_new()
	                           : (ASN1_STRING *)ASN1_IA5STRING_new();
	if (value == NULL) {
		GENERAL_NAME_free(name);
		return false;
	}
	const int set = is_ip ? ASN1_STRING_set(value, addr.ip, addr.family == ADDR_IP4 ? 4 : 16)
	                      : ASN1_STRING_set(value, text, -1);
	GENERAL_NAME_set0_value(name, is_ip ? GEN_IPADD : GEN_DNS, value);
	if (set == 1 && sk_GENERAL_NAME_push(names, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

static bool
add_names(X509 *cert, const char *const *list)
{
	if (list == NULL || list[0] == NULL)
		return true;
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	bool ok = names != NULL;
	for (unsigned i = 0; ok && i < CERT_NAMES_MAX && list[i] != NULL; i++)
		ok = cert_add_name(names, list[i]);
	ok = ok && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
	GENERAL_NAMES_free(names);
	return ok;
}

bool
cert_add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	const bool ok = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

bool
cert_set_serial(X509 *cert)
{
	uint8_t bytes[SERIAL_BYTES];
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] |= 1; /* never zero */
	BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
	const bool ok =
	        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
	BN_free(number);
	return ok;
}

static bool
set_subject(X509 *cert, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(cert);
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	                                  (const unsigned char *)common_name, -1, -1, 0) == 1;
}

bool
cert_set_times(X509 *cert, int32_t days, bool later)
{
	const int32_t span = days != 0 ? days : CERT_DAYS_DEFAULT;
	/* Already over: it began two such spans ago. */
	const long begin = later      ? 2L * CLOCK_SKEW_SECONDS
	                   : span > 0 ? -(long)CLOCK_SKEW_SECONDS
	                              : (long)span * 2 * 86400;
	return X509_gmtime_adj(X509_getm_notBefore(cert), begin) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), (long)span * 86400) != NULL;
}

static bool
fill_cert(X509 *cert, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
          const struct cert_settings *settings)
{
	return X509_set_version(cert, X509_VERSION_3) == 1 && cert_set_serial(cert) &&
	       set_subject(cert, settings->common_name) && cert_set_times(cert, settings->days, settings->later) &&
	       X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
	       X509_set_pubkey(cert, key) == 1 &&
	       cert_add_extension(cert, issuer, NID_basic_constraints,
	                     settings->authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
	       cert_add_extension(cert, issuer, NID_key_usage,
	                     settings->authority ? "critical,keyCertSign,cRLSign"
	                                         : "critical,digitalSignature") &&
	       (settings->authority ||
	        cert_add_extension(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth")) &&
	       cert_add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
	       cert_add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always") &&
	       add_names(cert, settings->names) && X509_sign(cert, issuer_key, EVP_sha256()) > 0;
}

int
cert_write_bio(const char *path, BIO *bio, unsigned mode, char error[CERT_ERROR_MAX])
{
	char *bytes;
	const long len = BIO_get_mem_data(bio, &bytes);
	const int rc = file_replace(path, bytes, (size_t)len, mode);
	if (rc != 0)
		(void)cert_fail(error, "cannot write %s: %s", path, strerror(-rc));
	return rc;
}

int
cert_write_key(const char *path, EVP_PKEY *key, char error[CERT_ERROR_MAX])
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int rc = -ENOMEM;
	if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
		rc = cert_write_bio(path, bio, CERT_KEY_MODE, error);
	else
		(void)cert_fail(error, "no memory");
	BIO_free(bio);
	return rc;
}

static int
write_pair(const char *cert_file, X509 *cert, const char *key_file, EVP_PKEY *key,
           char error[CERT_ERROR_MAX])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = -ENOMEM;
	if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1) {
		rc = cert_write_key(key_file, key, error);
		if (rc == 0)
			rc = cert_write_bio(cert_file, bio, CERT_MODE, error);
	} else {
		(void)cert_fail(error, "no memory");
	}
	BIO_free(bio);
	return rc;
}

int
cert_make(const char *cert_file, const char *key_file, const struct cert_settings *settings,
          char error[CERT_ERROR_MAX])
{
	CHECK(settings->common_name != NULL);
	CHECK((settings->issuer_cert_file == NULL) == (settings->issuer_key_file == NULL));
	error[0] = '\0';

	int rc = 0;
	X509 *issuer = NULL;
	EVP_PKEY *issuer_key = NULL;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	if (key == NULL || cert == NULL) {
		rc = -ENOMEM;
		(void)cert_fail(error, "no memory");
		goto out;
	}
	if (settings->issuer_cert_file != NULL) {
		rc = cert_read(&issuer, settings->issuer_cert_file, error);
		if (rc == 0)
			rc = cert_read_key(&issuer_key, settings->issuer_key_file, error);
		if (rc != 0)
			goto out;
	}
	if (!fill_cert(cert, key, issuer != NULL ? issuer : cert,
	               issuer_key != NULL ? issuer_key : key, settings))
		rc = cert_fail(error, "cannot make a certificate for \"%s\": %s", settings->common_name,
		          ERR_reason_error_string(ERR_peek_last_error()));
	else
		rc = write_pair(cert_file, cert, key_file, key, error);
out:
	X509_free(cert);
	X509_free(issuer);
	EVP_PKEY_free(key);
	EVP_PKEY_free(issuer_key);
	return rc;
}

/* -- reading --------------------------------------------------------------------------------- */

int
cert_match(const char *cert_file, const char *key_file, char error[CERT_ERROR_MAX])
{
	error[0] = '\0';
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	int rc = cert_read(&cert, cert_file, error);
	if (rc == 0)
		rc = cert_read_key(&key, key_file, error);
	if (rc == 0 && X509_check_private_key(cert, key) != 1)
		rc = cert_fail(error, "certificate %s and key %s do not belong together", cert_file,
		          key_file);
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

void
cert_name_text(char out[CERT_NAME_MAX], const X509_NAME *name)
{
	out[0] = '\0';
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio == NULL)
		return;
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		char *bytes;
		const long len = BIO_get_mem_data(bio, &bytes);
		snprintf(out, CERT_NAME_MAX, "%.*s", (int)len, bytes);
	}
	BIO_free(bio);
}

wall_time
cert_wall(const ASN1_TIME *time)
{
	struct tm parts;
	if (ASN1_TIME_to_tm(time, &parts) != 1)
		return (wall_time){ 0 };
	return (wall_time){ .us = (int64_t)timegm(&parts) * 1000000 };
}

static void
write_fingerprint(char out[CERT_FINGERPRINT_MAX], const X509 *cert)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct writer w = writer_of(out, CERT_FINGERPRINT_MAX - 1);
	if (X509_digest(cert, EVP_sha256(), digest, &len) == 1) {
		for (unsigned i = 0; i < len; i++)
			writer_format(&w, "%s%02X", i != 0 ? ":" : "", digest[i]);
	}
	CHECK(!w.failed);
	out[w.at] = '\0';
}

static void
write_alternative(struct writer *w, const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const char *separator = w->at != 0 ? ", " : "";
	if (type == GEN_DNS) {
		writer_format(w, "%s%.*s", separator, ASN1_STRING_length(value),
		              (const char *)ASN1_STRING_get0_data(value));
		return;
	}
	const int len = ASN1_STRING_length(value);
	if (type != GEN_IPADD || (len != 4 && len != 16))
		return;
	struct net_addr addr = { .family = len == 4 ? ADDR_IP4 : ADDR_IP6 };
	memcpy(addr.ip, ASN1_STRING_get0_data(value), (size_t)len);
	writer_text(w, separator);
	addr_write_ip(w, &addr);
}

static void
write_names(char out[CERT_NAMES_TEXT_MAX], const X509 *cert)
{
	struct writer w = writer_of(out, CERT_NAMES_TEXT_MAX - 1);
	size_t at = 0;
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !w.failed; i++) {
		at = w.at;
		write_alternative(&w, sk_GENERAL_NAME_value(names, i));
	}
	GENERAL_NAMES_free(names);
	out[w.failed ? at : w.at] = '\0';
}

static void
write_key_kind(char out[CERT_KEY_TEXT_MAX], const X509 *cert)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	const char *kind = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
	snprintf(out, CERT_KEY_TEXT_MAX, "%.24s %d bits", kind != NULL ? kind : "unknown",
	         key != NULL ? EVP_PKEY_get_bits(key) : 0);
}

static void
describe(struct cert_info *out, const X509 *cert)
{
	cert_name_text(out->subject, X509_get_subject_name(cert));
	cert_name_text(out->issuer, X509_get_issuer_name(cert));
	write_names(out->names, cert);
	write_key_kind(out->key, cert);
	out->authority = X509_check_ca((X509 *)cert) != 0;
	write_fingerprint(out->fingerprint, cert);
	out->not_before = cert_wall(X509_get0_notBefore(cert));
	out->not_after = cert_wall(X509_get0_notAfter(cert));
}

int
cert_inspect(struct cert_info *out, const char *cert_file, char error[CERT_ERROR_MAX])
{
	error[0] = '\0';
	X509 *cert = NULL;
	const int rc = cert_read(&cert, cert_file, error);
	if (rc != 0)
		return rc;
	describe(out, cert);
	X509_free(cert);
	return 0;
}

int
cert_inspect_all(const char *cert_file, void (*tell)(void *context, const struct cert_info *info),
                 void *context, char error[CERT_ERROR_MAX])
{
	error[0] = '\0';
	BIO *bio;
	const int rc = cert_open(&bio, cert_file, error);
	if (rc != 0)
		return rc;
	unsigned count = 0;
	X509 *cert;
	while (count < CERT_FILE_CERTS_MAX &&
	       (cert = PEM_read_bio_X509(bio, NULL, cert_no_passphrase, NULL)) != NULL) {
		struct cert_info info;
		describe(&info, cert);
		X509_free(cert);
		tell(context, &info);
		count++;
	}
	BIO_free(bio);
	ERR_clear_error(); /* The end of the file is one. */
	return count != 0 ? 0 : cert_fail(error, "%s holds no certificate in PEM form", cert_file);
}
