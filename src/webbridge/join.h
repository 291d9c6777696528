/* SPDX-License-Identifier: Apache-2.0 */
/* join -- what browsers say in their HTTP requests: bodies of POST /api/join and /api/auth, queries,
 * headers.
 *
 * Sans-IO: text in, views out.
 *
 * Ownership  Views point into the `struct join_text` given; join_text_wipe() it, a passcode is there.
 * Threads    Pure.
 * Errors     false for anything that is not as it should be.
 * Limits     JOIN_BODY_BYTES_MAX; each text as in c2w/c2w.h.
 */
#ifndef WEBBRIDGE_JOIN_H
#define WEBBRIDGE_JOIN_H

#include <stdbool.h>

#include "base/str.h"
#include "c2w/c2w.h"

enum {
	JOIN_BODY_BYTES_MAX = 4096,
};

struct join_text {
	char address[C2W_ADDRESS_MAX + 1];
	char passcode[C2W_PASSCODE_MAX + 1];
	char secret[C2W_SECRET_MAX + 1];
	char name[C2W_NAME_MAX + 1];
	char space[C2W_ID_MAX + 1];
	char method[C2W_ID_MAX + 1];
	char username[C2W_USERNAME_MAX + 1];
	char password[C2W_PASSWORD_MAX + 1];
	char provider[C2W_ID_MAX + 1];
	char back[C2W_BACK_MAX + 1];
	char state[C2W_STATE_MAX + 1];
	char code[C2W_CODE_MAX + 1];
	char error[C2W_NAME_MAX + 1];
};

/* {"address" or "numericId" or "space" and "method"?, "name", "passcode"?, "secret"?}; other members
 * are ignored. */
[[nodiscard]] bool join_body_parse(struct c2w_join *out, struct join_text *text, struct str body);
/* address=...&secret=...; other keys are ignored. */
[[nodiscard]] bool join_query_parse(struct c2w_join *out, struct join_text *text,
                                    struct str query);
/* {"username", "password"}, likewise. */
[[nodiscard]] bool sign_in_body_parse(struct c2w_sign_in *out, struct join_text *text,
                                      struct str body);
/* {"provider", "back"} or {"state", "code" or "error"}, likewise. */
[[nodiscard]] bool elsewhere_body_parse(struct c2w_sign_in_elsewhere *out, struct join_text *text,
                                        struct str body);
void join_text_wipe(struct join_text *text);

/* The value of a key in "a=b&c=d", percent-decoded into `out`; false when it is not there, does not
 * fit, or holds what is no text. */
[[nodiscard]] bool query_get(char *out, size_t cap, struct str query, struct str key);

/* The token of an Authorization header, "Bearer TOKEN"; empty for anything else. */
[[nodiscard]] struct str bearer_token(struct str authorization);

/* "Chrome", "Firefox", ... of a User-Agent header; "browser" for what we do not know. */
[[nodiscard]] struct str browser_product(struct str user_agent);

#endif
