/* SPDX-License-Identifier: Apache-2.0 */
/* cert -- make, compare, judge and describe certificates (X.509, PEM).
 *
 * Blocking and allocating: for start and for administrators' commands.
 *
 * Ownership  Nothing is kept.
 * Threads    Any.
 * Errors     0 or -errno; -EINVAL with a sentence in `error` for files that are not what they
 *            should be.
 */
#ifndef NET_CERT_H
#define NET_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wall.h"

enum {
	CERT_ERROR_MAX = 320,
	CERT_NAME_MAX = 256,
	CERT_FINGERPRINT_MAX = 100, /* "AB:CD:..." of 32 bytes */
	CERT_NAMES_MAX = 64,
	CERT_NAMES_TEXT_MAX = 1024, /* what is longer is cut */
	CERT_FILE_CERTS_MAX = 200,  /* of one file */
	CERT_KEY_TEXT_MAX = 48,
	CERT_DAYS_DEFAULT = 3650,
};

struct cert_settings {
	const char *common_name;
	const char *const *names; /* DNS names and IP literals for subjectAltName, NULL ends it */
	int32_t days;             /* 0: CERT_DAYS_DEFAULT; negative: already over, for tests */
	bool later;               /* not yet good, for tests */
	/* Signed by this authority; NULL: by itself. */
	const char *issuer_cert_file;
	const char *issuer_key_file;
	bool authority; /* may sign others */
};

/* A new ECDSA P-256 key (mode 0600) and its certificate (0644). */
[[nodiscard]] int cert_make(const char *cert_file, const char *key_file,
                            const struct cert_settings *settings, char error[CERT_ERROR_MAX]);

/* For OpenSSL, which else would ask the terminal for the passphrase of an encrypted key. */
int cert_no_passphrase(char *buffer, int size, int writing, void *context);

/* Does the first certificate of one file belong to the key in the other?  0, or -EINVAL and why
 * not. */
[[nodiscard]] int cert_match(const char *cert_file, const char *key_file,
                             char error[CERT_ERROR_MAX]);

/* What a component presents of itself. */
struct cert_use {
	const char *cert_file;
	const char *key_file;
	const char *chain_file; /* what leads on from it, NULL: cert_file alone */
	bool client;            /* else a server */
};

/* Will it do?  They belong together; every certificate on the way is good today and made for this;
 * what is there beside the first leads on from it without a gap. */
[[nodiscard]] int cert_fits(const struct cert_use *use, char error[CERT_ERROR_MAX]);

/* Does the bundle hold certificates, one of them at least good today? */
[[nodiscard]] int cert_trust_fits(const char *bundle_file, char error[CERT_ERROR_MAX]);

/* Does the first certificate of the file lead to a root of `authority_file`, over its own others,
 * those of `between_file` (may be NULL) and the authority's? */
struct cert_way {
	const char *cert_file;
	const char *between_file;
	const char *authority_file;
};
[[nodiscard]] int cert_verify(const struct cert_way *way, char error[CERT_ERROR_MAX]);

struct cert_info {
	char subject[CERT_NAME_MAX]; /* "CN = host, O = ..." */
	char issuer[CERT_NAME_MAX];
	/* SHA-256 of the DER form, upper case hex with colons. */
	char fingerprint[CERT_FINGERPRINT_MAX];
	wall_time not_before;
	wall_time not_after;
	/* Of subjectAltName: "meet.example.org, 192.0.2.1". */
	char names[CERT_NAMES_TEXT_MAX];
	char key[CERT_KEY_TEXT_MAX]; /* "RSA 3072 bits" */
	bool authority;              /* may sign others */
};

[[nodiscard]] int cert_inspect(struct cert_info *out, const char *cert_file,
                               char error[CERT_ERROR_MAX]);

/* The same of every certificate in the file, in its order; -EINVAL when there is none. */
[[nodiscard]] int cert_inspect_all(const char *cert_file,
                                   void (*tell)(void *context, const struct cert_info *info),
                                   void *context, char error[CERT_ERROR_MAX]);

#endif
