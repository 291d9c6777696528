/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: without memory nobody is signed in, and nothing is lost.  Method: each allocation fails once,
 * jansson's and OpenSSL's too. */
#include <jansson.h>

#include "base/fail_at.h"
#include "base/fail_openssl.h"
#include "base/test.h"
#include "oidc/oidc_token.h"

__attribute__((constructor)) static void
json_by_fail_at(void)
{
	json_set_alloc_funcs(fail_at_malloc, fail_at_free);
}

static void
draw(void *bytes, size_t len)
{
	memset(bytes, 7, len);
}

static bool
go_there(void *context)
{
	(void)context;
	static const char discovery[] = "{\"issuer\":\"https://i\","
					"\"authorization_endpoint\":\"https://i/a\","
					"\"token_endpoint\":\"https://i/t\",\"jwks_uri\":\"https://i/k\"}";
	const struct oidc_settings settings = { .issuer = STR("https://i"),
		                                .client_id = STR("c"),
		                                .scope = STR("openid"),
		                                .claim = STR("sub") };
	struct oidc *oidc = NULL;
	struct oidc_event event;
	if (oidc_create(&oidc, draw, 0) != 0)
		return false;
	oidc_begin(oidc, &settings, STR("https://b"), 1, 0);
	oidc_poll(oidc, &event, 0);
	EXPECT_EQ(event.kind, OIDC_FETCH);
	oidc_answer(oidc, event.fetch, 200, str_of(discovery), 0, 0);
	oidc_poll(oidc, &event, 0);
	EXPECT(event.kind == OIDC_REDIRECT || event.failure == OIDC_FAILURE_PROVIDER);
	const bool gone = event.kind == OIDC_REDIRECT;
	oidc_destroy(oidc);
	return gone;
}

/* RFC 7515 appendix A.3: the signature is right, and the token is for nobody here. */
static bool
verify(void *context)
{
	(void)context;
	static const char keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
				   "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
				   "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
	static const char token[] =
		"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
		"leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgf"
		"TjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
	const struct oidc_expected expected = { .issuer = STR("joe"), .client_id = STR("c") };
	struct oidc_identity identity;
	const enum oidc_token_reject reject =
		oidc_read_id_token(&identity, str_of(token), str_of(keys), &expected);
	EXPECT(reject != OIDC_TOKEN_OK);
	return reject == OIDC_TOKEN_AUDIENCE;
}

TEST(without_memory_nobody_is_signed_in)
{
	EXPECT(fail_at_each(go_there, NULL) > 10);
	EXPECT(fail_at_each(verify, NULL) > 20);
}
