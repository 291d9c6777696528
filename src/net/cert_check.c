/* SPDX-License-Identifier: Apache-2.0 */
/* Whether certificates will do, before somebody relies on them. */
#include "net/cert_internal.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>

#include "base/check.h"
#include "net/tls.h"

static int
check_dates(X509 *cert, char error[CERT_ERROR_MAX])
{
	char name[CERT_NAME_MAX], when[WALL_TEXT_MAX];
	const ASN1_TIME *from = X509_get0_notBefore(cert), *until = X509_get0_notAfter(cert);
	cert_name_text(name, X509_get_subject_name(cert));
	if (X509_cmp_current_time(from) > 0)
		return cert_fail(error, "the certificate \"%.100s\" is not valid before %s", name,
		                 wall_text(when, cert_wall(from)));
	if (X509_cmp_current_time(until) < 0)
		return cert_fail(error, "the certificate \"%.100s\" has expired: it was valid "
		                        "until %s", name, wall_text(when, cert_wall(until)));
	return 0;
}

static int
check_purpose(X509 *cert, bool client, char error[CERT_ERROR_MAX])
{
	char name[CERT_NAME_MAX];
	if (X509_check_purpose(cert, client ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER,
	                       0) == 1)
		return 0;
	cert_name_text(name, X509_get_subject_name(cert));
	return cert_fail(error, "the certificate \"%.100s\" is not made for TLS %s (key usage)",
	                 name, client ? "clients" : "servers");
}

/* The issuer among `certs`, taken out of them; NULL: it is not there. */
static X509 *
take_issuer(STACK_OF(X509) *certs, X509 *cert)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *issuer = sk_X509_value(certs, i);
		if (X509_check_issued(issuer, cert) == X509_V_OK &&
		    X509_verify(cert, X509_get0_pubkey(issuer)) == 1)
			return sk_X509_delete(certs, i);
	}
	ERR_clear_error();
	return NULL;
}

static void
drop_copies(STACK_OF(X509) *certs, const X509 *of)
{
	for (int i = sk_X509_num(certs); i-- > 0;)
		if (X509_cmp(sk_X509_value(certs, i), of) == 0)
			X509_free(sk_X509_delete(certs, i));
}

/* From `cert` on, as far as `others` lead: it may end before a root, which clients have, but not
 * before what else is there. */
static int
check_chain(X509 *cert, STACK_OF(X509) *others, char error[CERT_ERROR_MAX])
{
	int rc = 0;
	X509 *at = cert, *issuer;
	X509_up_ref(at);
	drop_copies(others, at);
	while (rc == 0 && X509_check_issued(at, at) != X509_V_OK &&
	       (issuer = take_issuer(others, at)) != NULL) {
		rc = check_dates(issuer, error);
		X509_free(at);
		at = issuer;
		drop_copies(others, at);
	}
	if (rc == 0 && X509_check_issued(at, at) != X509_V_OK && sk_X509_num(others) != 0) {
		char name[CERT_NAME_MAX];
		cert_name_text(name, X509_get_issuer_name(at));
		rc = cert_fail(error, "the chain is not complete: the certificate of \"%.120s\" is "
		                      "missing", name);
	}
	X509_free(at);
	return rc;
}

/* What OpenSSL itself says to it: keys that are too small, forms it does not take. */
static int
check_with_openssl(const struct cert_use *use, char error[CERT_ERROR_MAX])
{
	const struct tls_settings settings = { .server = !use->client,
		                               .cert_file = use->cert_file,
		                               .key_file = use->key_file,
		                               .chain_file = use->client ? NULL : use->chain_file,
		                               .no_verify = use->client };
	struct tls_context *context = NULL;
	static_assert((int)TLS_ERROR_MAX <= (int)CERT_ERROR_MAX, "its sentence has room");
	const int rc = tls_context_create(&context, &settings, error);
	tls_context_destroy(context);
	return rc;
}

int
cert_fits(const struct cert_use *use, char error[CERT_ERROR_MAX])
{
	int rc = cert_match(use->cert_file, use->key_file, error);
	if (rc != 0)
		return rc;
	STACK_OF(X509) *certs = sk_X509_new_null();
	if (certs == NULL)
		return -ENOMEM;
	rc = cert_read_all(certs, use->cert_file, error);
	if (rc == 0 && use->chain_file != NULL)
		rc = cert_read_all(certs, use->chain_file, error);
	X509 *cert = rc == 0 ? sk_X509_shift(certs) : NULL;
	if (rc == 0)
		rc = check_dates(cert, error);
	if (rc == 0)
		rc = check_purpose(cert, use->client, error);
	if (rc == 0)
		rc = check_chain(cert, certs, error);
	if (rc == 0)
		rc = check_with_openssl(use, error);
	X509_free(cert);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

int
cert_trust_fits(const char *bundle_file, char error[CERT_ERROR_MAX])
{
	error[0] = '\0';
	STACK_OF(X509) *certs = sk_X509_new_null();
	if (certs == NULL)
		return -ENOMEM;
	int rc = cert_read_all(certs, bundle_file, error);
	if (rc == 0) {
		rc = -EINVAL;
		for (int i = 0; rc != 0 && i < sk_X509_num(certs); i++)
			rc = check_dates(sk_X509_value(certs, i), error);
	}
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

static int
verify(X509 *cert, STACK_OF(X509) *between, STACK_OF(X509) *authorities,
       char error[CERT_ERROR_MAX])
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int rc = -ENOMEM;
	if (store != NULL && context != NULL &&
	    X509_STORE_CTX_init(context, store, cert, between) == 1) {
		X509_STORE_CTX_set0_trusted_stack(context, authorities);
		if (X509_verify_cert(context) == 1) {
			rc = 0;
		} else {
			char name[CERT_NAME_MAX] = "";
			X509 *at = X509_STORE_CTX_get_current_cert(context);
			if (at != NULL)
				cert_name_text(name, X509_get_subject_name(at));
			rc = cert_fail(error, "%s, at the certificate \"%.120s\"",
			               X509_verify_cert_error_string(
			                       X509_STORE_CTX_get_error(context)), name);
		}
	}
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return rc;
}

int
cert_verify(const struct cert_way *way, char error[CERT_ERROR_MAX])
{
	error[0] = '\0';
	STACK_OF(X509) *between = sk_X509_new_null(), *authorities = sk_X509_new_null();
	X509 *cert = NULL;
	int rc = between != NULL && authorities != NULL ? 0 : -ENOMEM;
	if (rc == 0)
		rc = cert_read_all(between, way->cert_file, error);
	if (rc == 0)
		cert = sk_X509_shift(between);
	if (rc == 0 && way->between_file != NULL)
		rc = cert_read_all(between, way->between_file, error);
	if (rc == 0)
		rc = cert_read_all(authorities, way->authority_file, error);
	if (rc == 0)
		rc = verify(cert, between, authorities, error);
	X509_free(cert);
	sk_X509_pop_free(between, X509_free);
	sk_X509_pop_free(authorities, X509_free);
	return rc;
}
