/* SPDX-License-Identifier: Apache-2.0 */
/* sip_digest -- HTTP digest for SIP, as client and as server (RFC 3261 s22, RFC 7616, RFC 8760).
 *
 * MD5, SHA-256 and SHA-512-256, each with and without -sess; qop "auth" or, from old servers,
 * none.  The server's nonce is its time and a keyed hash over time and realm, so it needs no table;
 * a nonce past its life is answered with stale=true.  A client answers only the realm it holds
 * credentials for: an answer given to anyone who asks is a password given to anyone who guesses.
 *
 * Ownership  Everything borrowed for the call; no secrets are kept but the server's key.
 * Threads    Pure functions; any thread.
 * Units      Microseconds on the caller's clock for nonces.
 * Errors     A typed verdict; comparisons of hashes take constant time.
 * Limits     Values as long as a message can carry; nc below 2^32.
 */
#ifndef SIP_SIP_DIGEST_H
#define SIP_SIP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"
#include "sip/sip_header.h"
#include "sip/sip_msg.h"

enum {
	SIP_DIGEST_HEX_MAX = 64,
	SIP_DIGEST_KEY_BYTES = 32,
	SIP_DIGEST_CNONCE_BYTES = 16,
};

enum sip_digest_algorithm {
	SIP_DIGEST_MD5,
	SIP_DIGEST_MD5_SESS,
	SIP_DIGEST_SHA256,
	SIP_DIGEST_SHA256_SESS,
	SIP_DIGEST_SHA512_256,
	SIP_DIGEST_SHA512_256_SESS,
	SIP_DIGEST_UNKNOWN,
};

[[nodiscard]] enum sip_digest_algorithm sip_digest_algorithm_of(struct str name);
const char *sip_digest_algorithm_name(enum sip_digest_algorithm algorithm);

/* ---- client -------------------------------------------------------------------------------- */

struct sip_digest_credentials {
	struct str realm; /* answered for this realm only; never empty */
	struct str username;
	struct str password;
};

/* The first challenge in a 401 or 407 that these credentials answer: the server lists the one it
 * likes best first (RFC 8760 s2.4). */
[[nodiscard]] bool sip_digest_choose(struct sip_auth *out, const struct sip_msg *response,
                                     const struct sip_digest_credentials *credentials);

struct sip_digest_answer {
	const struct sip_auth *challenge;
	const struct sip_digest_credentials *credentials;
	struct str method;
	struct str uri;                              /* the request URI as sent */
	uint8_t cnonce[SIP_DIGEST_CNONCE_BYTES];     /* random */
	uint32_t nc;                                 /* 1 for the first answer under this nonce */
};

/* Writes the value of Authorization or Proxy-Authorization; false when the challenge is not for
 * these credentials or asks for what we do not do.  Nothing is written then. */
[[nodiscard]] bool sip_digest_write_answer(struct writer *w,
                                           const struct sip_digest_answer *answer);

/* ---- server -------------------------------------------------------------------------------- */

struct sip_digest_server {
	struct str realm;
	uint8_t key[SIP_DIGEST_KEY_BYTES]; /* random, ours alone */
	int64_t nonce_life_us;
};

/* Two header lines, SHA-256 first, then MD5 for phones that know nothing else (RFC 8760 s2.4).
 * `id` is WWW-Authenticate or Proxy-Authenticate. */
void sip_digest_write_challenges(struct writer *w, const struct sip_digest_server *server,
                                 enum sip_header_id id, bool stale, int64_t now_us);

enum sip_digest_verdict {
	SIP_DIGEST_OK,
	SIP_DIGEST_MISSING,   /* no credentials for our realm: challenge */
	SIP_DIGEST_MALFORMED, /* 400 */
	SIP_DIGEST_STALE,     /* right answer to an old nonce: challenge with stale=true */
	SIP_DIGEST_FOREIGN,   /* nonce is not ours: challenge */
	SIP_DIGEST_WRONG,     /* wrong name or password: challenge again, and count */
};

/* The credentials for our realm in a request; MISSING, MALFORMED or OK (which only says that
 * `out` can now be checked: look up the password of out->username). */
[[nodiscard]] enum sip_digest_verdict sip_digest_find(struct sip_auth *out,
                                                      const struct sip_digest_server *server,
                                                      const struct sip_msg *request,
                                                      enum sip_header_id id);

/* Checks them.  For an unknown user pass `known` false and any password: the answer is WRONG and
 * takes as long.  Replays within a nonce's life are the caller's to see: auth->nc, auth->nonce. */
struct sip_digest_check {
	const struct sip_auth *auth;
	const struct sip_msg *request;
	struct str username;
	struct str password;
	bool known;
};
[[nodiscard]] enum sip_digest_verdict sip_digest_check(const struct sip_digest_server *server,
                                                       const struct sip_digest_check *check,
                                                       int64_t now_us);

#endif
