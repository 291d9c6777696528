/* SPDX-License-Identifier: Apache-2.0 */
#include "c2w/jwt.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/encode.h"
#include "c2w/c2w.h"
#include "c2w/json_write.h"

enum {
	MAC_BYTES = 32,
	MAC_TEXT_LEN = 43,
};

/* base64url of {"alg":"HS256","typ":"JWT"}.  A token with any other header is not ours, so nobody
 * gets to choose how we verify it (RFC 8725 s3.1). */
static const struct str header = STR_INIT("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9");

static struct str
signature_of(char out[MAC_TEXT_LEN], struct str text, const uint8_t key[JWT_KEY_BYTES])
{
	uint8_t mac[MAC_BYTES];
	unsigned len = 0;
	const uint8_t *made = HMAC(EVP_sha256(), key, JWT_KEY_BYTES, (const uint8_t *)text.at,
	                           text.len, mac, &len);
	CHECK(made != NULL && len == MAC_BYTES);
	struct writer w = writer_of(out, MAC_TEXT_LEN);
	encode_base64url(&w, mac, sizeof mac);
	CHECK(!w.failed && w.at == MAC_TEXT_LEN);
	return writer_view(&w);
}

static void
write_claims(struct writer *w, const struct jwt_claims *claims)
{
	writer_u8(w, '{');
	json_key(w, STR("sub"));
	json_text(w, claims->guest, false);
	json_key(w, STR("name"));
	json_text(w, json_cut(claims->name, C2W_NAME_MAX), false);
	json_key(w, STR("callBridge"));
	json_text(w, claims->call_bridge, false);
	json_key(w, STR("space"));
	json_text(w, claims->space, false);
	json_key(w, STR("method"));
	json_text(w, claims->method, false);
	if (claims->user.len != 0) {
		json_key(w, STR("user"));
		json_text(w, claims->user, false);
	}
	json_key(w, STR("iat"));
	writer_decimal(w, (uint64_t)claims->issued_s);
	json_key(w, STR("exp"));
	writer_decimal(w, (uint64_t)claims->expires_s);
	writer_u8(w, '}');
}

void
jwt_write(struct writer *w, const struct jwt_claims *claims, const uint8_t key[JWT_KEY_BYTES])
{
	CHECK(claims->issued_s >= 0 && claims->expires_s >= claims->issued_s);
	char json[JWT_CLAIMS_BYTES_MAX];
	char mac[MAC_TEXT_LEN];
	struct writer json_writer = writer_of(json, sizeof json);
	write_claims(&json_writer, claims);
	const size_t start = w->at;
	writer_str(w, header);
	writer_u8(w, '.');
	encode_base64url(w, json, json_writer.at);
	w->failed |= json_writer.failed;
	if (w->failed)
		return;
	const struct str text = { .at = (const char *)w->bytes + start, .len = w->at - start };
	const struct str signature = signature_of(mac, text, key);
	writer_u8(w, '.');
	writer_str(w, signature);
	w->failed |= w->at - start > C2W_TOKEN_MAX;
}

static bool
read_claim(struct str *out, struct arena *arena, const json_t *root, const char *name)
{
	const json_t *value = json_object_get(root, name);
	if (!json_is_string(value))
		return false;
	*out = arena_str(arena, (struct str){ .at = json_string_value(value),
	                                      .len = json_string_length(value) });
	return !arena->failed;
}

static bool
read_time(int64_t *out, const json_t *root, const char *name)
{
	const json_t *value = json_object_get(root, name);
	*out = json_integer_value(value);
	return json_is_integer(value) && *out >= 0;
}

static bool
read_claims(struct jwt_claims *out, struct jwt_storage *storage, struct str payload)
{
	uint8_t bytes[JWT_CLAIMS_BYTES_MAX];
	struct arena arena = arena_of(storage->bytes, sizeof storage->bytes);
	const int len = decode_base64(bytes, sizeof bytes, payload);
	if (len <= 0)
		return false;
	json_t *root = json_loadb((const char *)bytes, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
	const bool good = read_claim(&out->guest, &arena, root, "sub") &&
	                  read_claim(&out->name, &arena, root, "name") &&
	                  read_claim(&out->call_bridge, &arena, root, "callBridge") &&
	                  read_claim(&out->space, &arena, root, "space") &&
	                  read_claim(&out->method, &arena, root, "method") &&
	                  (json_object_get(root, "user") == NULL ||
	                   read_claim(&out->user, &arena, root, "user")) &&
	                  read_time(&out->issued_s, root, "iat") &&
	                  read_time(&out->expires_s, root, "exp");
	json_decref(root);
	return good;
}

enum jwt_reject
jwt_read(struct jwt_claims *out, struct jwt_storage *storage, struct str token,
         const uint8_t key[JWT_KEY_BYTES], int64_t now_s)
{
	struct jwt_claims claims = { 0 };
	char mac[MAC_TEXT_LEN];
	struct str rest = token;
	const struct str first = str_cut(&rest, '.');
	const struct str payload = str_cut(&rest, '.');
	if (token.len > C2W_TOKEN_MAX || payload.len == 0 || rest.len != MAC_TEXT_LEN ||
	    str_find(rest, '.') != rest.len)
		return JWT_REJECT_FORM;
	if (!str_eq(first, header))
		return JWT_REJECT_ALGORITHM;
	const struct str text = str_sub(token, 0, first.len + 1 + payload.len);
	/* Compared as text: base64 that decodes to the same bytes is still another token. */
	if (!str_eq_secret(signature_of(mac, text, key), rest))
		return JWT_REJECT_SIGNATURE;
	if (!read_claims(&claims, storage, payload))
		return JWT_REJECT_CLAIMS;
	if (now_s >= claims.expires_s)
		return JWT_REJECT_EXPIRED;
	*out = claims;
	return JWT_OK;
}
