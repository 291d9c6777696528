/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/check.h"
#include "net/cert.h"

enum {
	ALPN_BYTES_MAX = 128,
	DESCRIBE_MAX = 96,
};

/* A copy of the caller's settings, its strings included. */
struct kept_settings {
	bool server;
	bool no_verify;
	bool no_name_check;
	bool client_certificate;
	bool client_fingerprint;
	uint16_t version_min;
	uint16_t version_max;
	char *cert_file;
	char *key_file;
	char *chain_file;
	char *trust_file;
	char *ciphers;
	uint8_t alpn[ALPN_BYTES_MAX]; /* as on the wire (RFC 7301 s3.1): length, name, ... */
	unsigned alpn_len;
};

struct tls_context {
	SSL_CTX *ssl;
	struct kept_settings settings;
	unsigned shares;
};

struct tls_session {
	SSL *ssl;
	BIO *in; /* both belong to `ssl` */
	BIO *out;
	struct tls_context *context;
	enum tls_state state;
	char error[TLS_ERROR_MAX];
	char description[DESCRIBE_MAX];
};

/* -- contexts -------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static int
fail(char error[TLS_ERROR_MAX], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, TLS_ERROR_MAX, format, arguments);
	va_end(arguments);
	ERR_clear_error();
	return -EINVAL;
}

/* OpenSSL's latest reason, or the system's when it only says that a file did not open. */
static const char *
reason(void)
{
	const unsigned long code = ERR_peek_error();
	if (ERR_GET_LIB(code) == ERR_LIB_SYS)
		return strerror((int)ERR_GET_REASON(code));
	const char *text = ERR_reason_error_string(code);
	return text != NULL ? text : "unknown error";
}

static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *offer,
            unsigned offer_len, void *argument)
{
	(void)ssl;
	const struct tls_context *context = argument;
	unsigned char *chosen = NULL;
	const int found = SSL_select_next_proto(&chosen, out_len, context->settings.alpn,
	                                        context->settings.alpn_len, offer, offer_len);
	*out = chosen;
	/* A client that offers only others is served as if it had not asked. */
	return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static int
load_chain_file(SSL_CTX *ssl, const char *path, char error[TLS_ERROR_MAX])
{
	BIO *bio = BIO_new_file(path, "r");
	if (bio == NULL)
		return fail(error, "cannot read %s: %s", path, reason());
	unsigned count = 0;
	for (X509 *cert; (cert = PEM_read_bio_X509(bio, NULL, cert_no_passphrase, NULL)) != NULL;
	     count++) {
		if (SSL_CTX_add0_chain_cert(ssl, cert) != 1) {
			X509_free(cert);
			BIO_free(bio);
			return fail(error, "cannot use %s: %s", path, reason());
		}
	}
	BIO_free(bio);
	ERR_clear_error();
	return count != 0 ? 0 : fail(error, "%s holds no certificate in PEM form", path);
}

static int
load_own(SSL_CTX *ssl, const struct kept_settings *settings, char error[TLS_ERROR_MAX])
{
	if (settings->cert_file == NULL) {
		if (settings->server)
			return fail(error, "a TLS server needs a certificate and a key");
		return 0;
	}
	if (settings->key_file == NULL)
		return fail(error, "certificate %s has no key file", settings->cert_file);
	if (SSL_CTX_use_certificate_chain_file(ssl, settings->cert_file) != 1)
		return fail(error, "cannot use certificate %s: %s", settings->cert_file, reason());
	if (SSL_CTX_use_PrivateKey_file(ssl, settings->key_file, SSL_FILETYPE_PEM) != 1) {
		if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH)
			return fail(error, "certificate %s and key %s do not belong together",
			            settings->cert_file, settings->key_file);
		return fail(error, "cannot use key %s: %s", settings->key_file, reason());
	}
	if (SSL_CTX_check_private_key(ssl) != 1)
		return fail(error, "certificate %s and key %s do not belong together",
		            settings->cert_file, settings->key_file);
	return settings->chain_file != NULL ? load_chain_file(ssl, settings->chain_file, error) : 0;
}

/* Whoever compares fingerprints afterwards has no use for the chain. */
static int
take_any_certificate(int preverified, X509_STORE_CTX *store)
{
	(void)preverified, (void)store;
	return 1;
}

static int
load_trust(SSL_CTX *ssl, const struct kept_settings *settings, char error[TLS_ERROR_MAX])
{
	const bool verify = settings->server ? settings->client_certificate : !settings->no_verify;
	if (settings->client_fingerprint) {
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
		                   take_any_certificate);
		return 0;
	}
	if (!verify) {
		SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		return 0;
	}
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	/* A bundle may name end certificates themselves, as CMS's do. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);

	if (settings->trust_file == NULL) {
		if (settings->server)
			return fail(error, "client certificates need a trust bundle");
		if (SSL_CTX_set_default_verify_paths(ssl) != 1)
			return fail(error, "cannot use the system's trusted certificates: %s",
			            reason());
		return 0;
	}
	if (SSL_CTX_load_verify_file(ssl, settings->trust_file) != 1)
		return fail(error, "cannot use trust bundle %s: %s", settings->trust_file,
		            reason());
	if (settings->server) {
		STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(settings->trust_file);
		if (names != NULL)
			SSL_CTX_set_client_CA_list(ssl, names);
	}
	return 0;
}

/* The words of a list for TLS 1.3, or those for TLS 1.2. */
static void
pick_ciphers(char out[TLS_CIPHERS_MAX], const char *list, bool suites)
{
	struct writer w = writer_of(out, TLS_CIPHERS_MAX - 1);
	for (struct str rest = str_of(list); rest.len != 0;) {
		const struct str word = str_cut(&rest, ':');
		if (word.len == 0 || str_starts(word, STR("TLS_")) != suites)
			continue;
		writer_format(&w, "%s%.*s", w.at != 0 ? ":" : "", STR_ARGS(word));
	}
	CHECK(!w.failed);
	out[w.at] = '\0';
}

static int
set_ciphers(SSL_CTX *ssl, const char *list, char error[TLS_ERROR_MAX])
{
	char suites[TLS_CIPHERS_MAX], others[TLS_CIPHERS_MAX];
	if (strlen(list) >= TLS_CIPHERS_MAX)
		return fail(error, "the list of ciphers is longer than %d bytes",
		            TLS_CIPHERS_MAX - 1);
	pick_ciphers(suites, list, true);
	pick_ciphers(others, list, false);
	if (suites[0] != '\0' && SSL_CTX_set_ciphersuites(ssl, suites) != 1)
		return fail(error, "an unknown suite of TLS 1.3 in \"%.200s\"", suites);
	if (others[0] != '\0' && SSL_CTX_set_cipher_list(ssl, others) != 1)
		return fail(error, "no known cipher in \"%.200s\"", others);
	if (suites[0] != '\0' && others[0] == '\0')
		(void)SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION);
	return 0;
}

static int
configure(struct tls_context *context, SSL_CTX *ssl, char error[TLS_ERROR_MAX])
{
	static const unsigned char session_context[] = "convoke";
	const struct kept_settings *settings = &context->settings;
	SSL_CTX_set_default_passwd_cb(ssl, cert_no_passphrase);
	/* Idle connections give back their 32 KiB of record buffers. */
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
	const int version = settings->version_min != 0 ? settings->version_min : TLS1_2_VERSION;
	if (SSL_CTX_set_min_proto_version(ssl, version) != 1)
		return fail(error, "TLS version 0x%04x is not known", settings->version_min);
	if (settings->version_max != 0 &&
	    SSL_CTX_set_max_proto_version(ssl, settings->version_max) != 1)
		return fail(error, "TLS version 0x%04x is not known", settings->version_max);
	if (settings->ciphers != NULL && set_ciphers(ssl, settings->ciphers, error) != 0)
		return -EINVAL;
	if (SSL_CTX_set_session_id_context(ssl, session_context, sizeof session_context - 1) != 1)
		return fail(error, "%s", reason());
	if (settings->alpn_len != 0) {
		if (settings->server)
			SSL_CTX_set_alpn_select_cb(ssl, select_alpn, context);
		else if (SSL_CTX_set_alpn_protos(ssl, settings->alpn, settings->alpn_len) != 0)
			return fail(error, "%s", reason());
	}
	const int rc = load_own(ssl, settings, error);
	return rc == 0 ? load_trust(ssl, settings, error) : rc;
}

static int
keep_text(char **out, const char *text)
{
	if (text == NULL)
		return 0;
	*out = strdup(text);
	return *out != NULL ? 0 : -ENOMEM;
}

static int
keep_alpn(struct kept_settings *kept, const char *list)
{
	struct str rest = str_of(list);
	while (rest.len != 0) {
		const struct str name = str_trim(str_cut(&rest, ','));
		CHECK(name.len != 0 && kept->alpn_len + 1 + name.len <= ALPN_BYTES_MAX);
		kept->alpn[kept->alpn_len] = (uint8_t)name.len;
		memcpy(kept->alpn + kept->alpn_len + 1, name.at, name.len);
		kept->alpn_len += 1 + (unsigned)name.len;
	}
	return 0;
}

static int
keep_settings(struct kept_settings *kept, const struct tls_settings *settings)
{
	kept->server = settings->server;
	kept->no_verify = settings->no_verify;
	kept->no_name_check = settings->no_name_check;
	kept->client_certificate = settings->client_certificate;
	kept->client_fingerprint = settings->client_fingerprint;
	kept->version_min = settings->version_min;
	kept->version_max = settings->version_max;
	const struct {
		char **out;
		const char *text;
	} texts[] = {
		{ &kept->cert_file, settings->cert_file },
		{ &kept->key_file, settings->key_file },
		{ &kept->chain_file, settings->chain_file },
		{ &kept->trust_file, settings->trust_file },
		{ &kept->ciphers, settings->ciphers },
	};
	for (unsigned i = 0; i < COUNT_OF(texts); i++) {
		const int rc = keep_text(texts[i].out, texts[i].text);
		if (rc != 0)
			return rc;
	}
	return keep_alpn(kept, settings->alpn);
}

const char *
tls_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

int
tls_context_create(struct tls_context **out, const struct tls_settings *settings,
                   char error[TLS_ERROR_MAX])
{
	CHECK(!(settings->server && (settings->no_verify || settings->no_name_check)));
	CHECK(settings->server || !settings->client_certificate);
	CHECK(settings->server || !settings->client_fingerprint);
	CHECK(!settings->client_certificate || !settings->client_fingerprint);
	error[0] = '\0';
	struct tls_context *context = calloc(1, sizeof *context);
	if (context == NULL)
		return -ENOMEM;
	context->shares = 1;
	int rc = keep_settings(&context->settings, settings);
	if (rc == 0)
		rc = tls_context_reload(context, error);
	if (rc != 0) {
		tls_context_destroy(context);
		return rc;
	}
	*out = context;
	return 0;
}

void
tls_context_destroy(struct tls_context *context)
{
	if (context == NULL || --context->shares != 0)
		return;
	SSL_CTX_free(context->ssl);
	free(context->settings.cert_file);
	free(context->settings.key_file);
	free(context->settings.chain_file);
	free(context->settings.trust_file);
	free(context->settings.ciphers);
	free(context);
}

struct tls_context *
tls_context_share(struct tls_context *context)
{
	if (context != NULL)
		context->shares++;
	return context;
}

int
tls_context_reload(struct tls_context *context, char error[TLS_ERROR_MAX])
{
	error[0] = '\0';
	ERR_clear_error();
	SSL_CTX *ssl =
	        SSL_CTX_new(context->settings.server ? TLS_server_method() : TLS_client_method());
	if (ssl == NULL) {
		ERR_clear_error();
		return -ENOMEM;
	}
	const int rc = configure(context, ssl, error);
	if (rc != 0) {
		SSL_CTX_free(ssl);
		return rc;
	}
	SSL_CTX_free(context->ssl);
	context->ssl = ssl;
	return 0;
}

/* -- lists of ciphers ------------------------------------------------------------------------ */

/* What a word takes away need not be there. */
static int
word_fits(SSL_CTX *ssl, struct str word, char error[TLS_ERROR_MAX])
{
	char text[TLS_CIPHERS_MAX];
	if (word.len == 0)
		return fail(error, "an empty word in the list of ciphers");
	if (word.at[0] == '!' || word.at[0] == '-' || str_eq(word, STR("@STRENGTH")))
		return 0;
	if (word.at[0] == '@')
		return fail(error, "\"%.*s\" is not for a list of ciphers here; there is "
		                   "@STRENGTH", STR_ARGS(word));
	if (word.at[0] == '+')
		word = str_sub(word, 1, word.len - 1);
	CHECK(str_copy(text, sizeof text, word));
	const bool known = str_starts(word, STR("TLS_"))
	                           ? SSL_CTX_set_ciphersuites(ssl, text) == 1
	                           : SSL_CTX_set_cipher_list(ssl, text) == 1;
	return known ? 0 : fail(error, "there is no cipher \"%.100s\"", text);
}

/* Nobody is served in clear text, or by whom he does not know. */
static int
ciphers_protect(const SSL_CTX *ssl, char error[TLS_ERROR_MAX])
{
	STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ssl);
	for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
		if (SSL_CIPHER_get_cipher_nid(cipher) == NID_undef)
			return fail(error, "%s does not encrypt", SSL_CIPHER_get_name(cipher));
		if (SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null)
			return fail(error, "%s does not prove who is there",
			            SSL_CIPHER_get_name(cipher));
	}
	return 0;
}

int
tls_ciphers_fit(const char *ciphers, char error[TLS_ERROR_MAX])
{
	error[0] = '\0';
	if (strlen(ciphers) >= TLS_CIPHERS_MAX)
		return fail(error, "the list of ciphers is longer than %d bytes",
		            TLS_CIPHERS_MAX - 1);
	SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
	if (ssl == NULL)
		return -ENOMEM;
	int rc = 0;
	for (struct str rest = str_of(ciphers); rc == 0 && rest.len != 0;)
		rc = word_fits(ssl, str_cut(&rest, ':'), error);
	SSL_CTX_free(ssl);
	if (rc != 0)
		return rc;
	ssl = SSL_CTX_new(TLS_server_method());
	if (ssl == NULL)
		return -ENOMEM;
	rc = set_ciphers(ssl, ciphers, error);
	if (rc == 0)
		rc = ciphers_protect(ssl, error);
	SSL_CTX_free(ssl);
	ERR_clear_error();
	return rc;
}

uint16_t
tls_version(const char *text)
{
	return strcmp(text, "1.2") == 0   ? TLS1_2_VERSION
	       : strcmp(text, "1.3") == 0 ? TLS1_3_VERSION
	                                  : 0;
}

/* -- sessions -------------------------------------------------------------------------------- */

static bool
set_host(struct tls_session *session, const char *host)
{
	struct net_addr addr;
	const bool is_ip = addr_parse_ip(&addr, str_of(host));
	/* RFC 6066 s3: no IP literals in SNI. */
	if (!is_ip && SSL_set_tlsext_host_name(session->ssl, host) != 1)
		return false;
	if (session->context->settings.no_verify || session->context->settings.no_name_check)
		return true;
	X509_VERIFY_PARAM *param = SSL_get0_param(session->ssl);
	if (is_ip)
		return X509_VERIFY_PARAM_set1_ip(param, addr.ip,
		                                 addr.family == ADDR_IP4 ? 4 : 16) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

int
tls_session_create(struct tls_session **out, struct tls_context *context, const char *host)
{
	/* A verifying client without a name to verify would take any certificate of any host. */
	CHECK(context->settings.server || context->settings.no_verify ||
	      context->settings.no_name_check || host != NULL);
	struct tls_session *session = calloc(1, sizeof *session);
	if (session == NULL)
		return -ENOMEM;
	session->context = tls_context_share(context);
	session->ssl = SSL_new(context->ssl);
	session->in = BIO_new(BIO_s_mem());
	session->out = BIO_new(BIO_s_mem());
	if (session->ssl == NULL || session->in == NULL || session->out == NULL) {
		BIO_free(session->in);
		BIO_free(session->out);
		goto out_session;
	}
	SSL_set_bio(session->ssl, session->in, session->out);
	if (!context->settings.server && host != NULL && !set_host(session, host))
		goto out_session;
	if (context->settings.server)
		SSL_set_accept_state(session->ssl);
	else
		SSL_set_connect_state(session->ssl);
	*out = session;
	return 0;
out_session:
	ERR_clear_error();
	tls_session_destroy(session);
	return -ENOMEM;
}

void
tls_session_destroy(struct tls_session *session)
{
	if (session == NULL)
		return;
	SSL_free(session->ssl);
	tls_context_destroy(session->context);
	free(session);
}

static void
session_fail(struct tls_session *session)
{
	const unsigned long code = ERR_peek_error();
	const long verdict = SSL_get_verify_result(session->ssl);
	session->state = TLS_FAILED;
	if (verdict != X509_V_OK && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		snprintf(session->error, sizeof session->error, "certificate verify failed: %s",
		         X509_verify_cert_error_string(verdict));
	else
		snprintf(session->error, sizeof session->error, "%s",
		         code != 0 ? reason() : "protocol error");
	ERR_clear_error();
}

/* What the result of an SSL call means for the session; true when the call did something. */
static bool
judge(struct tls_session *session, int result)
{
	if (result > 0)
		return true;
	switch (SSL_get_error(session->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	case SSL_ERROR_ZERO_RETURN:
		session->state = TLS_CLOSED;
		break;
	default:
		session_fail(session);
		break;
	}
	return false;
}

enum tls_state
tls_session_input(struct tls_session *session, const void *bytes, size_t len)
{
	CHECK(len <= TLS_INPUT_BYTES_MAX);
	if (session->state == TLS_CLOSED || session->state == TLS_FAILED)
		return session->state;
	ERR_clear_error();
	if (len != 0 && BIO_write(session->in, bytes, (int)len) != (int)len) {
		snprintf(session->error, sizeof session->error, "no memory");
		session->state = TLS_FAILED;
		return session->state;
	}
	if (session->state == TLS_HANDSHAKING && judge(session, SSL_do_handshake(session->ssl)))
		session->state = TLS_OPEN;
	return session->state;
}

size_t
tls_session_read(struct tls_session *session, void *out, size_t cap)
{
	if (session->state != TLS_OPEN)
		return 0;
	size_t got = 0;
	ERR_clear_error();
	return judge(session, SSL_read_ex(session->ssl, out, cap, &got)) ? got : 0;
}

enum tls_state
tls_session_write(struct tls_session *session, const void *bytes, size_t len)
{
	if (session->state != TLS_OPEN || len == 0)
		return session->state;
	size_t wrote = 0;
	ERR_clear_error();
	if (judge(session, SSL_write_ex(session->ssl, bytes, len, &wrote)))
		CHECK(wrote == len); /* a memory BIO takes everything */
	return session->state;
}

void
tls_session_close(struct tls_session *session)
{
	if (session->state == TLS_OPEN || session->state == TLS_CLOSED) {
		ERR_clear_error();
		(void)SSL_shutdown(session->ssl);
		ERR_clear_error();
	}
}

size_t
tls_session_output(struct tls_session *session, void *out, size_t cap)
{
	if (BIO_ctrl_pending(session->out) == 0)
		return 0;
	size_t got = 0;
	return BIO_read_ex(session->out, out, cap, &got) == 1 ? got : 0;
}

enum tls_state
tls_session_state(const struct tls_session *session)
{
	return session->state;
}

const char *
tls_session_error(const struct tls_session *session)
{
	return session->error;
}

const char *
tls_session_describe(struct tls_session *session)
{
	snprintf(session->description, sizeof session->description, "%s %s",
	         SSL_get_version(session->ssl), SSL_get_cipher_name(session->ssl));
	return session->description;
}

struct str
tls_session_alpn(const struct tls_session *session)
{
	const unsigned char *name = NULL;
	unsigned len = 0;
	SSL_get0_alpn_selected(session->ssl, &name, &len);
	return (struct str){ .at = (const char *)name, .len = len };
}

bool
tls_session_peer_name(const struct tls_session *session, char out[TLS_NAME_MAX])
{
	out[0] = '\0';
	X509 *cert = SSL_get0_peer_certificate(session->ssl);
	if (cert == NULL)
		return false;
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out,
	                              TLS_NAME_MAX) > 0)
		return true;

	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && out[0] == '\0'; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DNS)
			snprintf(out, TLS_NAME_MAX, "%.*s", ASN1_STRING_length(name->d.dNSName),
			         (const char *)ASN1_STRING_get0_data(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	return true;
}

static const EVP_MD *
hash_of_length(size_t len)
{
	switch (len) {
	case 20:
		return EVP_sha1();
	case 32:
		return EVP_sha256();
	case 48:
		return EVP_sha384();
	case 64:
		return EVP_sha512();
	default:
		return NULL;
	}
}

bool
tls_session_peer_has_fingerprint(const struct tls_session *session, const uint8_t *fingerprint,
                                 size_t len)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	const X509 *cert = SSL_get0_peer_certificate(session->ssl);
	const EVP_MD *hash = hash_of_length(len);
	return cert != NULL && hash != NULL && X509_digest(cert, hash, digest, &digest_len) == 1 &&
	       digest_len == len && memcmp(digest, fingerprint, len) == 0;
}

bool
tls_context_fingerprint(const struct tls_context *context, uint8_t out[TLS_FINGERPRINT_BYTES])
{
	unsigned len = 0;
	const X509 *cert = SSL_CTX_get0_certificate(context->ssl);
	return cert != NULL && X509_digest(cert, EVP_sha256(), out, &len) == 1;
}
