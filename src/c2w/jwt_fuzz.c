/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a token, and any text as claims signed with our own key: the first is refused unless it
 * is the one we know, the second never reads outside its storage. */
#include "c2w/jwt.h"

#include "base/check.h"
#include "base/encode.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const uint8_t key[JWT_KEY_BYTES] = "thirty-two bytes that are secret";

static void
must_be_inside(const struct jwt_storage *storage, struct str s)
{
	CHECK(s.at >= storage->bytes && s.at + s.len < storage->bytes + sizeof storage->bytes);
}

static void
read_token(struct str token)
{
	struct jwt_storage storage;
	struct jwt_claims claims;
	if (jwt_read(&claims, &storage, token, key, 0) != JWT_OK)
		return;
	must_be_inside(&storage, claims.guest);
	must_be_inside(&storage, claims.name);
	must_be_inside(&storage, claims.call_bridge);
	must_be_inside(&storage, claims.space);
	must_be_inside(&storage, claims.method);
	CHECK(claims.expires_s > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char token[4096];
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	read_token((struct str){ .at = (const char *)bytes, .len = len });

	struct writer w = writer_of(token, sizeof token);
	writer_text(&w, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.");
	encode_base64url(&w, bytes, len);
	if (w.failed)
		return 0;
	(void)HMAC(EVP_sha256(), key, sizeof key, (const uint8_t *)token, w.at, mac, &mac_len);
	writer_u8(&w, '.');
	encode_base64url(&w, mac, mac_len);
	if (!w.failed)
		read_token(writer_view(&w));
	return 0;
}
