/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/oidc_token.h"

#include <jansson.h>

#include "base/check.h"
#include "oidc/oidc_key.h"

enum { KEYS_TRIED_MAX = 16 }; /* what one token may cost */

static json_t *
parse(struct str text)
{
	json_t *root = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/* jansson refuses zero bytes, so the text is whole. */
static bool
read_text(char *out, size_t cap, const json_t *object, const char *name)
{
	const struct str text = oidc_json_text(object, name);
	return text.len != 0 && str_copy(out, cap, text);
}

static bool
read_url(char out[OIDC_URL_MAX + 1], const json_t *object, const char *name)
{
	if (!read_text(out, OIDC_URL_MAX + 1, object, name))
		return false;
	/* A browser is sent there by a header: nothing in it may end that. */
	for (const char *at = out; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~')
			return false;
	return str_starts(str_of(out), STR("https://"));
}

static bool
has_text(const json_t *list, struct str wanted)
{
	size_t i;
	const json_t *value;
	json_array_foreach(list, i, value) {
		const struct str text = { .at = json_string_value(value),
			                  .len = json_string_length(value) };
		if (json_is_string(value) && str_eq(text, wanted))
			return true;
	}
	return false;
}

bool
oidc_read_discovery(struct oidc_endpoints *out, struct str body, struct str issuer)
{
	json_t *root = parse(body);
	if (root == NULL)
		return false;
	*out = (struct oidc_endpoints){ 0 };
	/* Discovery s4.3: a provider speaks for itself only. */
	const bool good = str_eq(oidc_json_text(root, "issuer"), issuer) &&
	                  read_url(out->authorization, root, "authorization_endpoint") &&
	                  read_url(out->token, root, "token_endpoint") &&
	                  read_url(out->keys, root, "jwks_uri");
	if (!read_url(out->user_info, root, "userinfo_endpoint"))
		out->user_info[0] = '\0';
	/* Discovery s3: one that says nothing takes Basic. */
	const json_t *methods = json_object_get(root, "token_endpoint_auth_methods_supported");
	out->secret_in_form = has_text(methods, STR("client_secret_post")) &&
	                      !has_text(methods, STR("client_secret_basic"));
	json_decref(root);
	return good;
}

bool
oidc_keys_good(struct str keys)
{
	json_t *root = parse(keys);
	const bool good = json_array_size(json_object_get(root, "keys")) != 0;
	json_decref(root);
	return good;
}

bool
oidc_read_tokens(char id_token[OIDC_TOKEN_MAX + 1], char access_token[OIDC_TOKEN_MAX + 1],
                 struct str body)
{
	json_t *root = parse(body);
	const bool good = read_text(id_token, OIDC_TOKEN_MAX + 1, root, "id_token");
	if (!read_text(access_token, OIDC_TOKEN_MAX + 1, root, "access_token"))
		access_token[0] = '\0';
	json_decref(root);
	return good;
}

/* A token's three parts (RFC 7515 s7.1), the first two of them also as one text: what was signed. */
struct parts {
	struct str header;
	struct str payload;
	struct str signature;
	struct str signed_text;
};

static bool
split(struct parts *out, struct str token)
{
	struct str rest = token;
	out->header = str_cut(&rest, '.');
	out->payload = str_cut(&rest, '.');
	out->signature = rest;
	out->signed_text = str_sub(token, 0, out->header.len + 1 + out->payload.len);
	return token.len <= OIDC_TOKEN_MAX && out->header.len != 0 && out->payload.len != 0 &&
	       str_find(rest, '.') == rest.len;
}

static json_t *
parse_part(struct str part)
{
	char bytes[OIDC_TOKEN_MAX];
	const int len = decode_base64(bytes, sizeof bytes, part);
	return len > 0 ? parse((struct str){ .at = bytes, .len = (size_t)len }) : NULL;
}

/* Without a key's name in the token each key that fits is tried. */
static enum oidc_token_reject
signed_by_one(const json_t *keys, const struct oidc_algorithm *algorithm, struct str key_id,
              const struct parts *parts)
{
	uint8_t signature[OIDC_SIGNATURE_BYTES_MAX];
	enum oidc_token_reject reject = OIDC_TOKEN_NO_KEY;
	size_t i;
	const json_t *key;
	unsigned tried = 0;
	const int len = decode_base64(signature, sizeof signature, parts->signature);
	if (len <= 0)
		return OIDC_TOKEN_FORM;
	json_array_foreach(keys, i, key) {
		if (!oidc_key_fits(key, algorithm) ||
		    (key_id.len != 0 && !str_eq(oidc_json_text(key, "kid"), key_id)))
			continue;
		if (oidc_key_signed(key, algorithm, parts->signed_text, signature, (size_t)len))
			return OIDC_TOKEN_OK;
		reject = OIDC_TOKEN_SIGNATURE;
		if (++tried == KEYS_TRIED_MAX)
			break;
	}
	return reject;
}

static enum oidc_token_reject
verify(struct parts *parts, struct str token, struct str keys)
{
	if (!split(parts, token))
		return OIDC_TOKEN_FORM;
	json_t *header = parse_part(parts->header);
	json_t *set = parse(keys);
	const struct oidc_algorithm *algorithm =
		oidc_algorithm_of(oidc_json_text(header, "alg"));
	enum oidc_token_reject reject = OIDC_TOKEN_ALGORITHM;
	if (header == NULL)
		reject = OIDC_TOKEN_FORM;
	/* RFC 7515 s4.1.11: what must be understood and is not makes a token worthless. */
	else if (algorithm != NULL && json_object_get(header, "crit") == NULL)
		reject = signed_by_one(json_object_get(set, "keys"), algorithm,
		                       oidc_json_text(header, "kid"), parts);
	json_decref(set);
	json_decref(header);
	return reject;
}

/* One audience as text, or a list of them; in a list of several, "azp" says who it is for. */
static bool
audience_good(const json_t *claims, struct str client_id)
{
	const json_t *audience = json_object_get(claims, "aud");
	const struct str party = oidc_json_text(claims, "azp");
	const bool ours = json_is_array(audience) ? has_text(audience, client_id)
	                                          : str_eq(oidc_json_text(claims, "aud"), client_id);
	return ours && client_id.len != 0 && (party.len == 0 || str_eq(party, client_id)) &&
	       (json_array_size(audience) <= 1 || party.len != 0);
}

static enum oidc_token_reject
check_claims(const json_t *claims, const struct oidc_expected *expected)
{
	const json_t *expires = json_object_get(claims, "exp");
	const json_t *issued = json_object_get(claims, "iat");
	if (!str_eq(oidc_json_text(claims, "iss"), expected->issuer))
		return OIDC_TOKEN_ISSUER;
	if (!audience_good(claims, expected->client_id))
		return OIDC_TOKEN_AUDIENCE;
	if (!str_eq_secret(oidc_json_text(claims, "nonce"), expected->nonce))
		return OIDC_TOKEN_NONCE;
	if (!json_is_integer(expires) ||
	    json_integer_value(expires) <= expected->now_s - OIDC_SKEW_S)
		return OIDC_TOKEN_EXPIRED;
	if (!json_is_integer(issued) || json_integer_value(issued) > expected->now_s + OIDC_SKEW_S)
		return OIDC_TOKEN_EARLY;
	return OIDC_TOKEN_OK;
}

/* Core s5.7: an address that somebody only says is his proves nothing; some say it as text. */
static bool
is_doubtful(const json_t *claims, struct str name)
{
	return str_eq(name, STR("email")) &&
	       (json_is_false(json_object_get(claims, "email_verified")) ||
	        str_eq(oidc_json_text(claims, "email_verified"), STR("false")));
}

static void
read_claim(struct oidc_identity *out, const json_t *claims, struct str name)
{
	char key[OIDC_TEXT_MAX + 1];
	if (!str_copy(key, sizeof key, name) || is_doubtful(claims, name) ||
	    !read_text(out->claim, sizeof out->claim, claims, key))
		out->claim[0] = '\0';
}

enum oidc_token_reject
oidc_read_id_token(struct oidc_identity *out, struct str token, struct str keys,
                   const struct oidc_expected *expected)
{
	struct parts parts;
	*out = (struct oidc_identity){ 0 };
	enum oidc_token_reject reject = verify(&parts, token, keys);
	if (reject != OIDC_TOKEN_OK)
		return reject;
	json_t *claims = parse_part(parts.payload);
	reject = claims != NULL ? check_claims(claims, expected) : OIDC_TOKEN_FORM;
	if (reject == OIDC_TOKEN_OK &&
	    !read_text(out->subject, sizeof out->subject, claims, "sub"))
		reject = OIDC_TOKEN_FORM;
	if (reject == OIDC_TOKEN_OK)
		read_claim(out, claims, expected->claim);
	json_decref(claims);
	return reject;
}

bool
oidc_read_user_info(struct oidc_identity *identity, struct str body, struct str claim)
{
	json_t *claims = parse(body);
	/* Core s5.3.2: otherwise it may be another person's. */
	const bool same = str_eq(oidc_json_text(claims, "sub"), str_of(identity->subject));
	if (same)
		read_claim(identity, claims, claim);
	json_decref(claims);
	return same && identity->claim[0] != '\0';
}

void
oidc_read_error(char *out, size_t cap, struct str body)
{
	json_t *root = parse(body);
	oidc_plain_copy(out, cap, oidc_json_text(root, "error"));
	json_decref(root);
}

void
oidc_plain_copy(char *out, size_t cap, struct str text)
{
	size_t len = 0;
	CHECK(cap != 0);
	while (len < text.len && len + 1 < cap && text.at[len] >= ' ' && text.at[len] <= '~') {
		out[len] = text.at[len];
		len++;
	}
	out[len] = '\0';
}

const char *
oidc_token_reject_text(enum oidc_token_reject reject)
{
	static const char *const texts[] = {
		[OIDC_TOKEN_OK] = "good",
		[OIDC_TOKEN_FORM] = "it is no signed ID token",
		[OIDC_TOKEN_ALGORITHM] = "it is signed with an algorithm that is not taken",
		[OIDC_TOKEN_NO_KEY] = "it is signed with a key that the provider does not show",
		[OIDC_TOKEN_SIGNATURE] = "its signature is wrong",
		[OIDC_TOKEN_ISSUER] = "it is another issuer's",
		[OIDC_TOKEN_AUDIENCE] = "it is made for another client",
		[OIDC_TOKEN_NONCE] = "it belongs to another sign-in",
		[OIDC_TOKEN_EXPIRED] = "it has expired (are the clocks right?)",
		[OIDC_TOKEN_EARLY] = "it comes from the future (are the clocks right?)",
	};
	static_assert(sizeof texts / sizeof *texts == OIDC_TOKEN_COUNT, "a text for each");
	return texts[reject];
}
