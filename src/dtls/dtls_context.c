/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/check.h"
#include "dtls/dtls_internal.h"

/* AES-GCM with forward secrecy, which every WebRTC endpoint must have (RFC 8827 s6.5).  ECDSA is our
 * own certificate's kind; RSA is for servers we call. */
#define CIPHERS                                                           \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"

enum {
	LIBSSL_COPIES_TIMER = 0x30200000, /* from 3.2 on, see dtls_bio.c */
};

/* The certificate is judged by its fingerprint when the handshake is finished. */
static int
take_any_certificate(X509_STORE_CTX *store, void *argument)
{
	(void)store;
	(void)argument;
	return 1;
}

static X509 *
certificate_create(EVP_PKEY *key, const struct dtls_context_settings *settings)
{
	X509 *cert = X509_new();
	if (cert == NULL)
		return NULL;
	X509_NAME *name = X509_get_subject_name(cert);
	const bool ok =
		X509_set_version(cert, X509_VERSION_3) == 1 &&
		ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), settings->serial) == 1 &&
		ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)settings->not_before_s) != NULL &&
		ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)settings->not_after_s) != NULL &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	                                   (const unsigned char *)settings->common_name, -1, -1,
	                                   0) == 1 &&
		X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
		X509_sign(cert, key, EVP_sha256()) > 0;
	if (!ok) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static bool
identity_create(struct dtls_context *context, const struct dtls_context_settings *settings)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key != NULL ? certificate_create(key, settings) : NULL;
	const bool ok = cert != NULL && SSL_CTX_use_certificate(context->ssl_ctx, cert) == 1 &&
	                SSL_CTX_use_PrivateKey(context->ssl_ctx, key) == 1 &&
	                dtls_fingerprint_of(&context->fingerprint, cert, DTLS_SHA256);
	X509_free(cert);
	EVP_PKEY_free(key);
	if (!ok)
		return false;

	struct writer w =
		writer_of(context->fingerprint_text, sizeof context->fingerprint_text - 1);
	dtls_fingerprint_write(&w, &context->fingerprint);
	CHECK(!w.failed);
	context->fingerprint_text[w.at] = '\0';
	return true;
}

/* OpenSSL's server takes the first of its own list that the client has. */
static bool
profiles_set(SSL_CTX *ssl_ctx, const struct dtls_context_settings *settings)
{
	const bool given = settings->profile_count != 0;
	const enum dtls_srtp_profile *profiles = given ? settings->profiles : dtls_srtp_profiles;
	const unsigned count = given ? settings->profile_count : DTLS_SRTP_PROFILES;
	CHECK(count <= DTLS_SRTP_PROFILES);

	char names[128];
	struct writer w = writer_of(names, sizeof names - 1);
	for (unsigned i = 0; i < count; i++)
		writer_format(&w, "%s%s", i == 0 ? "" : ":", dtls_srtp_profile_name(profiles[i]));
	CHECK(!w.failed);
	names[w.at] = '\0';
	return SSL_CTX_set_tlsext_use_srtp(ssl_ctx, names) == 0; /* zero is success here */
}

static bool
ssl_ctx_configure(SSL_CTX *ssl_ctx, const struct dtls_context_settings *settings)
{
	/* Nothing of a session may outlive it: no tickets, no cache, no renegotiation. */
	SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
	                                     SSL_OP_NO_QUERY_MTU | SSL_OP_NO_COMPRESSION |
	                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ssl_ctx, take_any_certificate, NULL);
	SSL_CTX_set_quiet_shutdown(ssl_ctx, 1);
	SSL_CTX_set_max_send_fragment(ssl_ctx, DTLS_MTU); /* sizes the write buffer too */
	return SSL_CTX_set_min_proto_version(ssl_ctx, DTLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ssl_ctx, DTLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ssl_ctx, CIPHERS) == 1 &&
	       SSL_CTX_set1_groups_list(ssl_ctx, "X25519:P-256:P-384") == 1 &&
	       profiles_set(ssl_ctx, settings);
}

int
dtls_context_create(struct dtls_context **out, const struct dtls_context_settings *settings)
{
	CHECK(settings->common_name != NULL);
	CHECK(settings->not_before_s < settings->not_after_s);

	struct dtls_context *context = calloc(1, sizeof *context);
	if (context == NULL)
		return -ENOMEM;
	context->library_clock = OpenSSL_version_num() >= LIBSSL_COPIES_TIMER;
	context->bio_method = dtls_bio_method_create();
	context->ssl_ctx = SSL_CTX_new(DTLS_method());
	if (context->bio_method == NULL || context->ssl_ctx == NULL ||
	    !ssl_ctx_configure(context->ssl_ctx, settings) ||
	    !identity_create(context, settings)) {
		dtls_context_destroy(context);
		ERR_clear_error();
		return -EINVAL;
	}
	*out = context;
	return 0;
}

void
dtls_context_destroy(struct dtls_context *context)
{
	if (context == NULL)
		return;
	SSL_CTX_free(context->ssl_ctx);
	BIO_meth_free(context->bio_method);
	free(context);
}

const struct dtls_fingerprint *
dtls_context_fingerprint(const struct dtls_context *context)
{
	return &context->fingerprint;
}

const char *
dtls_context_fingerprint_text(const struct dtls_context *context)
{
	return context->fingerprint_text;
}
