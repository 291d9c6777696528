/* SPDX-License-Identifier: Apache-2.0 */
/* oidc_token -- reads what an identity provider answers: its description, its tokens, its claims.
 *
 * Ownership  What is read is copied into the caller's structures.
 * Threads    Pure.
 * Errors     false, or an `enum oidc_token_reject`.
 */
#ifndef OIDC_OIDC_TOKEN_H
#define OIDC_OIDC_TOKEN_H

#include "oidc/oidc.h"

enum oidc_token_reject {
	OIDC_TOKEN_OK = 0,
	OIDC_TOKEN_FORM,      /* not a signed token in compact form */
	OIDC_TOKEN_ALGORITHM, /* none, a shared secret's, or one we do not know */
	OIDC_TOKEN_NO_KEY,    /* signed with a key the provider did not show: fetch its keys again */
	OIDC_TOKEN_SIGNATURE,
	OIDC_TOKEN_ISSUER,
	OIDC_TOKEN_AUDIENCE,  /* made for somebody else */
	OIDC_TOKEN_NONCE,     /* of another sign-in */
	OIDC_TOKEN_EXPIRED,
	OIDC_TOKEN_EARLY,     /* from the future */
	OIDC_TOKEN_COUNT,
};

enum { OIDC_SKEW_S = 120 }; /* that two machines' clocks may differ */

/* What discovery says of a provider. */
struct oidc_endpoints {
	char authorization[OIDC_URL_MAX + 1];
	char token[OIDC_URL_MAX + 1];
	char keys[OIDC_URL_MAX + 1];
	char user_info[OIDC_URL_MAX + 1]; /* or empty */
	bool secret_in_form;              /* client_secret_post, where Basic is not taken */
};

struct oidc_expected {
	struct str issuer;
	struct str client_id;
	struct str nonce;
	struct str claim;
	int64_t now_s;
};

struct oidc_identity {
	char subject[OIDC_TEXT_MAX + 1];
	char claim[OIDC_TEXT_MAX + 1];    /* empty when the token does not have it */
};

[[nodiscard]] bool oidc_read_discovery(struct oidc_endpoints *out, struct str body,
                                       struct str issuer);
/* Is it a key set with a key in it? */
[[nodiscard]] bool oidc_keys_good(struct str keys);
/* Both texts with a final NUL; the access token may be missing (empty). */
[[nodiscard]] bool oidc_read_tokens(char id_token[OIDC_TOKEN_MAX + 1],
                                    char access_token[OIDC_TOKEN_MAX + 1], struct str body);
/* Core s3.1.3.7. */
[[nodiscard]] enum oidc_token_reject oidc_read_id_token(struct oidc_identity *out, struct str token,
                                                        struct str keys,
                                                        const struct oidc_expected *expected);
/* Core s5.3: adds the claim from the user info endpoint, which must speak of the same subject. */
[[nodiscard]] bool oidc_read_user_info(struct oidc_identity *identity, struct str body,
                                       struct str claim);
/* The "error" of a refusal (RFC 6749 s5.2), or nothing; as oidc_plain_copy(). */
void oidc_read_error(char *out, size_t cap, struct str body);
/* A stranger's words for the log: up to the first byte that is not printable ASCII, cut to `cap`. */
void oidc_plain_copy(char *out, size_t cap, struct str text);

[[nodiscard]] const char *oidc_token_reject_text(enum oidc_token_reject reject);

#endif
