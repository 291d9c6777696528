/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_digest.h"

#include <string.h>

#include "base/check.h"
#include "base/encode.h"
#include "sip/sip_digest_hash.h"
#include "sip/sip_header_chars.h"
#include "sip/sip_write.h"

enum {
	NONCE_TIME_BYTES = 8,
	NONCE_MAC_BYTES = 16,
	NONCE_BYTES = NONCE_TIME_BYTES + NONCE_MAC_BYTES,
	NONCE_TEXT_LEN = NONCE_BYTES / 3 * 4,
	NC_DIGITS = 8,
};
static_assert(NONCE_BYTES % 3 == 0, "base64url of a nonce has no rest");
static_assert(SIP_DIGEST_HEX_MAX == 2 * DIGEST_HASH_BYTES_MAX, "hex of the longest hash");

static const struct {
	const char *name;
	enum digest_hash hash;
	bool session;
} algorithms[] = {
	[SIP_DIGEST_MD5] = { "MD5", DIGEST_HASH_MD5, false },
	[SIP_DIGEST_MD5_SESS] = { "MD5-sess", DIGEST_HASH_MD5, true },
	[SIP_DIGEST_SHA256] = { "SHA-256", DIGEST_HASH_SHA256, false },
	[SIP_DIGEST_SHA256_SESS] = { "SHA-256-sess", DIGEST_HASH_SHA256, true },
	[SIP_DIGEST_SHA512_256] = { "SHA-512-256", DIGEST_HASH_SHA512_256, false },
	[SIP_DIGEST_SHA512_256_SESS] = { "SHA-512-256-sess", DIGEST_HASH_SHA512_256, true },
};
static_assert(COUNT_OF(algorithms) == SIP_DIGEST_UNKNOWN, "an algorithm has no row");

enum sip_digest_algorithm
sip_digest_algorithm_of(struct str name)
{
	if (name.len == 0)
		return SIP_DIGEST_MD5; /* RFC 7616 s3.3: the default */
	for (unsigned a = 0; a < SIP_DIGEST_UNKNOWN; a++)
		if (str_eq_nocase(name, str_of(algorithms[a].name)))
			return (enum sip_digest_algorithm)a;
	return SIP_DIGEST_UNKNOWN;
}

const char *
sip_digest_algorithm_name(enum sip_digest_algorithm algorithm)
{
	CHECK(algorithm < SIP_DIGEST_UNKNOWN);
	return algorithms[algorithm].name;
}

/* ---- the response -------------------------------------------------------------------------- */

struct response {
	enum sip_digest_algorithm algorithm;
	struct str username;
	struct str realm;
	struct str password;
	struct str method;
	struct str uri;
	struct str nonce;
	struct str cnonce;
	struct str nc;
	bool qop; /* "auth"; else the form of RFC 2069 */
};

/* RFC 7616 s3.4.1: KD(H(A1), nonce ":" nc ":" cnonce ":" qop ":" H(A2)). */
static bool
compute(char out[SIP_DIGEST_HEX_MAX + 1], const struct response *r)
{
	const enum digest_hash hash = algorithms[r->algorithm].hash;
	char a1[SIP_DIGEST_HEX_MAX + 1];
	char a2[SIP_DIGEST_HEX_MAX + 1];

	const struct str user[] = { r->username, r->realm, r->password };
	bool good = digest_hash_join(a1, hash, user, COUNT_OF(user));
	if (good && algorithms[r->algorithm].session) {
		const struct str session[] = { str_of(a1), r->nonce, r->cnonce };
		good = digest_hash_join(a1, hash, session, COUNT_OF(session));
	}
	const struct str request[] = { r->method, r->uri };
	good = good && digest_hash_join(a2, hash, request, COUNT_OF(request));
	if (good && r->qop) {
		const struct str all[] = { str_of(a1), r->nonce,    r->nc,
			                   r->cnonce,  STR("auth"), str_of(a2) };
		good = digest_hash_join(out, hash, all, COUNT_OF(all));
	} else if (good) {
		const struct str all[] = { str_of(a1), r->nonce, str_of(a2) };
		good = digest_hash_join(out, hash, all, COUNT_OF(all));
	}
	/* H(A1) is as good as the password. */
	explicit_bzero(a1, sizeof a1);
	return good;
}

/* ---- client -------------------------------------------------------------------------------- */

/* Does the challenge offer "auth", or no qop at all? */
static bool
qop_is_usable(struct str qop)
{
	if (qop.len == 0)
		return true;
	while (qop.len != 0)
		if (str_eq_nocase(str_trim(str_cut(&qop, ',')), STR("auth")))
			return true;
	return false;
}

static bool
is_answerable(const struct sip_auth *challenge, const struct sip_digest_credentials *credentials)
{
	return str_eq_nocase(challenge->scheme, STR("Digest")) && credentials->realm.len != 0 &&
	       str_eq(challenge->realm, credentials->realm) && challenge->nonce.len != 0 &&
	       sip_digest_algorithm_of(challenge->algorithm) != SIP_DIGEST_UNKNOWN &&
	       qop_is_usable(challenge->qop);
}

bool
sip_digest_choose(struct sip_auth *out, const struct sip_msg *response,
                  const struct sip_digest_credentials *credentials)
{
	const enum sip_header_id id = response->status == 407 ? SIP_HEADER_PROXY_AUTHENTICATE :
	                                                        SIP_HEADER_WWW_AUTHENTICATE;
	struct sip_values values = sip_msg_values(response, id);
	for (struct str value; sip_values_next(&values, &value);) {
		struct sip_auth challenge;
		if (sip_auth_parse(&challenge, value) && is_answerable(&challenge, credentials)) {
			*out = challenge;
			return true;
		}
	}
	return false;
}

/* name="value": `value` as it stood in quotes, escapes included. */
static void
write_raw(struct writer *w, const char *name, struct str value)
{
	writer_text(w, name);
	writer_text(w, "=\"");
	sip_write_text(w, value);
	writer_text(w, "\"");
}

bool
sip_digest_write_answer(struct writer *w, const struct sip_digest_answer *answer)
{
	const struct sip_auth *challenge = answer->challenge;
	char response[SIP_DIGEST_HEX_MAX + 1];
	char nc[NC_DIGITS + 1];
	char cnonce[2 * SIP_DIGEST_CNONCE_BYTES + 1] = { 0 };
	struct writer nc_writer = writer_of(nc, sizeof nc);
	struct writer cnonce_writer = writer_of(cnonce, sizeof cnonce - 1);

	if (!is_answerable(challenge, answer->credentials))
		return false;
	writer_format(&nc_writer, "%08x", (unsigned)answer->nc);
	encode_hex(&cnonce_writer, answer->cnonce, sizeof answer->cnonce);
	CHECK(!nc_writer.failed && !cnonce_writer.failed);

	const struct response r = {
		.algorithm = sip_digest_algorithm_of(challenge->algorithm),
		.username = answer->credentials->username,
		.realm = challenge->realm,
		.password = answer->credentials->password,
		.method = answer->method,
		.uri = answer->uri,
		.nonce = challenge->nonce,
		.cnonce = writer_view(&cnonce_writer),
		.nc = writer_view(&nc_writer),
		.qop = challenge->qop.len != 0,
	};
	if (!compute(response, &r))
		return false;

	writer_text(w, "Digest username=");
	sip_write_quoted(w, r.username);
	write_raw(w, ", realm", r.realm);
	write_raw(w, ", nonce", r.nonce);
	write_raw(w, ", uri", r.uri);
	write_raw(w, ", response", str_of(response));
	if (challenge->algorithm.len != 0) {
		writer_text(w, ", algorithm=");
		writer_text(w, algorithms[r.algorithm].name);
	}
	if (r.qop || algorithms[r.algorithm].session)
		write_raw(w, ", cnonce", r.cnonce);
	if (challenge->has_opaque)
		write_raw(w, ", opaque", challenge->opaque);
	if (r.qop) {
		writer_text(w, ", qop=auth, nc=");
		writer_str(w, r.nc);
	}
	return true;
}

/* ---- server -------------------------------------------------------------------------------- */

static void
write_u64(uint8_t out[NONCE_TIME_BYTES], uint64_t value)
{
	struct writer w = writer_of(out, NONCE_TIME_BYTES);
	writer_u64(&w, value);
}

/* The time and a keyed hash over it and the realm. */
static bool
make_nonce(uint8_t nonce[NONCE_BYTES], const struct sip_digest_server *server, uint64_t time)
{
	uint8_t input[NONCE_TIME_BYTES + 256];
	uint8_t mac[DIGEST_HASH_BYTES_MAX];
	CHECK(server->realm.len <= sizeof input - NONCE_TIME_BYTES);
	write_u64(input, time);
	memcpy(input + NONCE_TIME_BYTES, server->realm.at, server->realm.len);
	if (!digest_hash_keyed(mac, server->key, sizeof server->key, input,
	                       NONCE_TIME_BYTES + server->realm.len))
		return false;
	memcpy(nonce, input, NONCE_TIME_BYTES);
	memcpy(nonce + NONCE_TIME_BYTES, mac, NONCE_MAC_BYTES);
	return true;
}

void
sip_digest_write_challenges(struct writer *w, const struct sip_digest_server *server,
                            enum sip_header_id id, bool stale, int64_t now_us)
{
	static const enum sip_digest_algorithm offered[] = { SIP_DIGEST_SHA256, SIP_DIGEST_MD5 };
	uint8_t nonce[NONCE_BYTES];
	CHECK(id == SIP_HEADER_WWW_AUTHENTICATE || id == SIP_HEADER_PROXY_AUTHENTICATE);
	CHECK(server->realm.len != 0);
	if (!make_nonce(nonce, server, (uint64_t)now_us)) {
		w->failed = true;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(offered); i++) {
		sip_write_begin(w, id);
		writer_text(w, "Digest realm=");
		sip_write_quoted(w, server->realm);
		writer_text(w, ", nonce=\"");
		encode_base64url(w, nonce, sizeof nonce);
		writer_text(w, "\", qop=\"auth\", algorithm=");
		writer_text(w, algorithms[offered[i]].name);
		if (stale)
			writer_text(w, ", stale=true");
		sip_write_end(w);
	}
}

enum sip_digest_verdict
sip_digest_find(struct sip_auth *out, const struct sip_digest_server *server,
                const struct sip_msg *request, enum sip_header_id id)
{
	CHECK(id == SIP_HEADER_AUTHORIZATION || id == SIP_HEADER_PROXY_AUTHORIZATION);
	struct sip_values values = sip_msg_values(request, id);
	for (struct str value; sip_values_next(&values, &value);) {
		struct sip_auth auth;
		if (!sip_auth_parse(&auth, value))
			return SIP_DIGEST_MALFORMED;
		if (!str_eq_nocase(auth.scheme, STR("Digest")) ||
		    !str_eq(auth.realm, server->realm))
			continue;
		if (auth.username.len == 0 || auth.nonce.len == 0 || auth.uri.len == 0 ||
		    auth.response.len == 0 || auth.userhash)
			return SIP_DIGEST_MALFORMED;
		*out = auth;
		return SIP_DIGEST_OK;
	}
	return SIP_DIGEST_MISSING;
}

/* FOREIGN, STALE or OK. */
static enum sip_digest_verdict
check_nonce(const struct sip_digest_server *server, struct str text, int64_t now_us)
{
	uint8_t given[NONCE_BYTES];
	uint8_t wanted[NONCE_BYTES];
	if (text.len != NONCE_TEXT_LEN ||
	    decode_base64(given, sizeof given, text) != (int)sizeof given)
		return SIP_DIGEST_FOREIGN;
	struct reader r = reader_of(given, sizeof given);
	const uint64_t time = reader_u64(&r);
	if (!make_nonce(wanted, server, time) ||
	    !str_eq_secret((struct str){ .at = (const char *)given, .len = sizeof given },
	                   (struct str){ .at = (const char *)wanted, .len = sizeof wanted }))
		return SIP_DIGEST_FOREIGN;
	/* Made by us, so its time is not after now. */
	return now_us - (int64_t)time > server->nonce_life_us ? SIP_DIGEST_STALE : SIP_DIGEST_OK;
}

/* RFC 7616 s3.4.6: the URI of the credentials is that of the request line. */
static bool
uri_matches(const struct sip_auth *auth, const struct sip_msg *request)
{
	struct sip_uri uri;
	if (str_eq(auth->uri, request->uri.text))
		return true;
	return sip_uri_parse(&uri, auth->uri) && sip_uri_eq(&uri, &request->uri);
}

static bool
is_nc(struct str nc)
{
	return nc.len == NC_DIGITS && sip_span(nc, SIP_CHAR_HEX) == NC_DIGITS;
}

/* Is `plain` what stands in `quoted`? */
static bool
eq_unquoted(struct str quoted, struct str plain)
{
	size_t at = 0;
	for (size_t i = 0; i < quoted.len; i++) {
		if (quoted.at[i] == '\\' && i + 1 < quoted.len)
			i++;
		if (at == plain.len || quoted.at[i] != plain.at[at++])
			return false;
	}
	return at == plain.len;
}

enum sip_digest_verdict
sip_digest_check(const struct sip_digest_server *server, const struct sip_digest_check *check,
                 int64_t now_us)
{
	const struct sip_auth *auth = check->auth;
	const enum sip_digest_algorithm algorithm = sip_digest_algorithm_of(auth->algorithm);
	char wanted[SIP_DIGEST_HEX_MAX + 1];

	/* We offer qop, so it must be used: without it an answer can be replayed. */
	if (algorithm == SIP_DIGEST_UNKNOWN || !str_eq_nocase(auth->qop, STR("auth")) ||
	    auth->cnonce.len == 0 || !is_nc(auth->nc) || !uri_matches(auth, check->request))
		return SIP_DIGEST_MALFORMED;
	const enum sip_digest_verdict nonce = check_nonce(server, auth->nonce, now_us);
	if (nonce == SIP_DIGEST_FOREIGN)
		return SIP_DIGEST_FOREIGN;

	const struct response r = {
		.algorithm = algorithm,
		.username = check->username,
		.realm = server->realm,
		.password = check->password,
		.method = check->request->method_text,
		.uri = auth->uri,
		.nonce = auth->nonce,
		.cnonce = auth->cnonce,
		.nc = auth->nc,
		.qop = true,
	};
	const bool computed = compute(wanted, &r);
	const bool same = computed && str_eq_secret(auth->response, str_of(wanted));
	explicit_bzero(wanted, sizeof wanted);
	if (!same || !check->known || !eq_unquoted(auth->username, check->username))
		return SIP_DIGEST_WRONG;
	return nonce;
}
