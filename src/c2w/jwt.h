/* SPDX-License-Identifier: Apache-2.0 */
/* jwt -- the signed token of a guest (RFC 7519, HS256): who was let in where, until when; and that of
 * a user who has signed in.
 *
 * Only our own tokens are ever read, so there is one algorithm: anything else in the header is
 * refused before a signature is looked at.
 *
 * Ownership  Claims read from a token borrow from its `storage`.
 * Threads    Pure.
 * Units      Seconds since 1970.
 * Errors     `enum jwt_reject`; the signature is compared in constant time.
 */
#ifndef C2W_JWT_H
#define C2W_JWT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	JWT_KEY_BYTES = 32,
	JWT_CLAIMS_BYTES_MAX = 768,
};

struct jwt_claims {
	struct str guest;       /* "guest921953266": the account's name, unique to this join; empty: */
	                        /* the token is that of a sign-in */
	struct str name;        /* what people are shown */
	struct str call_bridge; /* GUIDs as text */
	struct str space;
	struct str method;      /* access method, or empty */
	struct str user;        /* GUID of who has signed in, or empty */
	int64_t issued_s;
	int64_t expires_s;
};

enum jwt_reject {
	JWT_OK = 0,
	JWT_REJECT_FORM,      /* not three base64url parts, or too long */
	JWT_REJECT_ALGORITHM, /* not HS256 */
	JWT_REJECT_SIGNATURE,
	JWT_REJECT_CLAIMS,    /* signed by us, but not what we write: an older version */
	JWT_REJECT_EXPIRED,
	JWT_REJECT_COUNT,
};

struct jwt_storage {
	char bytes[JWT_CLAIMS_BYTES_MAX];
};

void jwt_write(struct writer *w, const struct jwt_claims *claims,
               const uint8_t key[JWT_KEY_BYTES]);
[[nodiscard]] enum jwt_reject jwt_read(struct jwt_claims *out, struct jwt_storage *storage,
                                       struct str token, const uint8_t key[JWT_KEY_BYTES],
                                       int64_t now_s);

#endif
