/* SPDX-License-Identifier: Apache-2.0 */
/* cert_request -- requests for certificates (PKCS#10), a small authority that answers them, and
 * PKCS#12 bundles taken apart.
 *
 *	struct cert_wish wish;
 *	cert_wish_init(&wish);
 *	if (cert_wish_add(&wish, STR("CN:meet.example.com"), error) && ...)
 *		rc = cert_request_make("meet.key", "meet.csr", &wish, error);
 *
 * Ownership  A wish is a value that points into itself: it is not copied.
 * Threads    Any; blocking and allocating, as net/cert.h is.
 * Errors     0 or -errno; -EINVAL with a sentence in `error`.
 * Limits     Below, and CERT_NAMES_MAX names.
 */
#ifndef NET_CERT_REQUEST_H
#define NET_CERT_REQUEST_H

#include "base/str.h"
#include "net/cert.h"

enum {
	CERT_FIELDS_MAX = 16,
	CERT_WISH_BYTES_MAX = 4096, /* of all values together */
	CERT_SIGNED_DAYS = 825,     /* more is not taken by some browsers */
	CERT_SSH_KEY_MAX = 1024,    /* a public key as OpenSSH writes it, with NUL */
};

enum cert_key_kind {
	CERT_RSA_3072,
	CERT_RSA_2048,
	CERT_RSA_4096,
	CERT_EC_P256,
	CERT_EC_P384,
	CERT_KEY_KINDS,
};

/* Who a certificate is to be for. */
struct cert_wish {
	enum cert_key_kind key;
	size_t count;
	struct {
		const char *field; /* "CN" */
		const char *value;
	} fields[CERT_FIELDS_MAX];
	size_t name_count;
	const char *names[CERT_NAMES_MAX + 1]; /* NULL behind the last */
	size_t text_len;
	char text[CERT_WISH_BYTES_MAX];
};

void cert_wish_init(struct cert_wish *wish);
/* "CN:meet.example.com", "OU:...", "O:...", "L:...", "ST:...", "C:de", "emailAddress:...",
 * "subjectAltName:a.example.com,192.0.2.7", "keyType:ecdsa256"; quotation marks are left out.
 * False: says what does not fit. */
[[nodiscard]] bool cert_wish_add(struct cert_wish *wish, struct str word,
                                 char error[CERT_ERROR_MAX]);
/* Is there what no certificate does without?  A CN that is a host's name becomes a name, too. */
[[nodiscard]] bool cert_wish_end(struct cert_wish *wish, char error[CERT_ERROR_MAX]);

/* A new key (0600) and a request for it (0644); or at once a certificate, by its own key, that may
 * sign others.  The wish has been ended. */
[[nodiscard]] int cert_request_make(const char *key_file, const char *request_file,
                                    const struct cert_wish *wish, char error[CERT_ERROR_MAX]);
[[nodiscard]] int cert_self_make(const char *key_file, const char *cert_file,
                                 const struct cert_wish *wish, char error[CERT_ERROR_MAX]);

/* Answers a request, whose key must have signed it: subject and names are as it says, all else is
 * as for a server.  The authority must be one, match its key and be good today. */
struct cert_authority {
	const char *cert_file;
	const char *key_file;
};
[[nodiscard]] int cert_sign(const char *cert_file, const char *request_file,
                            const struct cert_authority *authority, char error[CERT_ERROR_MAX]);

/* Takes key and certificate with its chain out of a bundle. */
[[nodiscard]] int cert_unpack(const char *key_file, const char *cert_file, const char *bundle_file,
                              const char *password, char error[CERT_ERROR_MAX]);
/* The public key of the bundle's certificate: "ssh-rsa AAAA...". */
[[nodiscard]] int cert_unpack_ssh(char out[CERT_SSH_KEY_MAX], const char *bundle_file,
                                  const char *password, char error[CERT_ERROR_MAX]);

#endif
