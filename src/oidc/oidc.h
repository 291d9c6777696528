/* SPDX-License-Identifier: Apache-2.0 */
/* oidc -- people who sign in at an identity provider: OpenID Connect Core 1.0 s3.1, the authorization
 * code flow, with OpenID Connect Discovery 1.0 and PKCE (RFC 7636).
 *
 *	oidc_begin(oidc, &settings, back, caller, now_us);    -> OIDC_REDIRECT: send the browser there
 *	oidc_finish(oidc, &return, caller, now_us);           -> OIDC_SIGNED_IN, or OIDC_FAILED
 *
 * Between the two the browser is at the provider.  It comes back with a state that nobody can guess
 * and that serves once.  Whenever OIDC_FETCH comes, the caller makes that HTTP request and gives its
 * answer to oidc_answer().  After each input: oidc_poll() until OIDC_NONE.
 *
 * What a provider says of itself and its keys is kept for OIDC_KEEP_S; an ID token signed with a key
 * that is not among them has the keys fetched once more, at most each OIDC_KEYS_AGAIN_S.
 *
 * Ownership  create/destroy.  Inputs are copied; what an event shows is borrowed until the next call.
 * Threads    One owner.  No socket, clock or randomness inside.
 * Units      Microseconds; wall time is microseconds since 1970.
 * Errors     0 or -errno at create.  Everything else comes as OIDC_FAILED with a reason, each sign-in
 *            ending with exactly one OIDC_SIGNED_IN or OIDC_FAILED unless nobody comes back in time.
 * Limits     OIDC_PROVIDERS_MAX, OIDC_LOGINS_MAX sign-ins on their way, OIDC_EXCHANGES_MAX of them
 *            exchanging their code at once, OIDC_ANSWER_MAX bytes of a provider's answer.
 */
#ifndef OIDC_OIDC_H
#define OIDC_OIDC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/encode.h"
#include "base/str.h"

enum {
	OIDC_PROVIDERS_MAX = 16,
	OIDC_LOGINS_MAX = 1024,
	OIDC_EXCHANGES_MAX = 16,
	OIDC_URL_MAX = 512,         /* of an issuer, an endpoint, the page to come back to */
	OIDC_TEXT_MAX = 256,        /* of a client's id, secret and scopes, and of a claim's value */
	OIDC_CODE_MAX = 2048,
	OIDC_ANSWER_MAX = 64 * 1024,
	OIDC_TOKEN_MAX = 16 * 1024, /* of an ID token or an access token */
	OIDC_STATE_LEN = 43,        /* 32 random bytes as base64url */
	OIDC_AWAY_S = 600,          /* for the password and the second factor */
	OIDC_KEEP_S = 3600,
	OIDC_KEYS_AGAIN_S = 60,
};

struct oidc;

struct oidc_settings {
	struct guid provider;
	struct str issuer;        /* https, as in its tokens */
	struct str client_id;
	struct str client_secret; /* empty: a public client, PKCE alone */
	struct str scope;         /* must have "openid" in it */
	struct str claim;         /* what names the user: "preferred_username" */
};

/* What the browser brought back in its query. */
struct oidc_return {
	struct str state;
	struct str code;
	struct str error;         /* instead of a code: "access_denied" */
};

enum oidc_failure {
	OIDC_FAILURE_NONE = 0,
	OIDC_FAILURE_BUSY,        /* too many at once */
	OIDC_FAILURE_SETTINGS,    /* too long, no https, no "openid" */
	OIDC_FAILURE_NO_ANSWER,   /* the provider cannot be reached */
	OIDC_FAILURE_PROVIDER,    /* it answers something that is not OpenID Connect, or another issuer's */
	OIDC_FAILURE_UNKNOWN,     /* nobody here began this sign-in, or too long ago */
	OIDC_FAILURE_REFUSED,     /* the provider, or the person there, said no */
	OIDC_FAILURE_CODE,        /* it does not take the code: wrong client secret, code used before */
	OIDC_FAILURE_TOKEN,       /* its ID token is not to be trusted */
	OIDC_FAILURE_NO_CLAIM,    /* it does not say who this is */
	OIDC_FAILURE_COUNT,
};

enum oidc_event_kind {
	OIDC_NONE,
	OIDC_FETCH,
	OIDC_REDIRECT,
	OIDC_SIGNED_IN,
	OIDC_FAILED,
};

struct oidc_event {
	enum oidc_event_kind kind;
	uint64_t caller;           /* but for OIDC_FETCH */
	struct guid provider;
	uint32_t fetch;            /* OIDC_FETCH: names it in oidc_answer() */
	struct str url;            /* OIDC_FETCH, OIDC_REDIRECT */
	struct str form;           /* OIDC_FETCH: POST this application/x-www-form-urlencoded; empty: GET */
	struct str user;           /* OIDC_FETCH: Basic authentication, unless empty */
	struct str password;
	struct str bearer;         /* OIDC_FETCH: an Authorization header's, unless empty */
	struct str state;          /* OIDC_REDIRECT: what will come back */
	struct str identity;       /* OIDC_SIGNED_IN: the claim's value */
	enum oidc_failure failure; /* OIDC_FAILED */
	struct str detail;         /* OIDC_FAILED: for the log, printable */
};

/* `random` gives bytes that nobody can guess. */
[[nodiscard]] int oidc_create(struct oidc **out, void (*random)(void *bytes, size_t len),
                              int64_t now_us);
void oidc_destroy(struct oidc *oidc);

/* `back` is the https URL of our page that the browser is to come back to. */
void oidc_begin(struct oidc *oidc, const struct oidc_settings *settings, struct str back,
                uint64_t caller, int64_t now_us);
void oidc_finish(struct oidc *oidc, const struct oidc_return *ret, uint64_t caller, int64_t now_us);

/* Of a request that OIDC_FETCH asked for; status 0: there was no answer, and `body` says why. */
void oidc_answer(struct oidc *oidc, uint32_t fetch, unsigned status, struct str body,
                 int64_t now_us, int64_t wall_us);

/* Forgets who did not come back. */
void oidc_tick(struct oidc *oidc, int64_t now_us);
/* When oidc_tick() is due next; INT64_MAX when nobody is away. */
[[nodiscard]] int64_t oidc_deadline(const struct oidc *oidc);
void oidc_poll(struct oidc *oidc, struct oidc_event *out, int64_t now_us);

#endif
