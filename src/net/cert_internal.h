/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of cert share: cert.c (making, reading), cert_check.c (judging), cert_request.c
 * (requests, authorities, PKCS#12). */
#ifndef NET_CERT_INTERNAL_H
#define NET_CERT_INTERNAL_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/cert.h"

/* Writes the sentence; -EINVAL. */
__attribute__((format(printf, 2, 3))) int cert_fail(char error[CERT_ERROR_MAX],
                                                    const char *format, ...);

[[nodiscard]] int cert_open(BIO **out, const char *path, char error[CERT_ERROR_MAX]);
[[nodiscard]] int cert_read(X509 **out, const char *path, char error[CERT_ERROR_MAX]);
[[nodiscard]] int cert_read_key(EVP_PKEY **out, const char *path, char error[CERT_ERROR_MAX]);
/* Appends every certificate of the file; there is at least one. */
[[nodiscard]] int cert_read_all(STACK_OF(X509) *out, const char *path,
                                char error[CERT_ERROR_MAX]);
[[nodiscard]] wall_time cert_wall(const ASN1_TIME *time);
/* "CN = host, O = ..." */
void cert_name_text(char out[CERT_NAME_MAX], const X509_NAME *name);

[[nodiscard]] int cert_write_key(const char *path, EVP_PKEY *key, char error[CERT_ERROR_MAX]);
[[nodiscard]] int cert_write_bio(const char *path, BIO *bio, unsigned mode,
                                 char error[CERT_ERROR_MAX]);
/* What makes a certificate of one: version, serial number, dates, issuer, extensions. */
[[nodiscard]] bool cert_add_extension(X509 *cert, X509 *issuer, int nid, const char *value);
[[nodiscard]] bool cert_set_serial(X509 *cert);
[[nodiscard]] bool cert_set_times(X509 *cert, int32_t days, bool later);
/* A DNS name or an IP literal. */
[[nodiscard]] bool cert_add_name(GENERAL_NAMES *names, const char *text);

enum {
	CERT_KEY_MODE = 0600,
	CERT_MODE = 0644,
};

#endif
