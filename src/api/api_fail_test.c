/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the API and the password thread are made whole or not at all.  Method: each allocation
 * fails once. */
#include "api/api.h"
#include "api/password.h"
#include "base/fail_at.h"
#include "meeting/test_world.h"

static void
nothing(void *context)
{
	(void)context;
}

static bool
make_api(void *context)
{
	struct api *api = NULL;
	const int rc = api_create(&api,
	                          &(struct api_settings){ .meeting = context,
	                                                  .version = STR("1"),
	                                                  .web_address = STR("https://x"),
	                                                  .sip_domain = STR("x") },
	                          0);
	EXPECT_EQ(rc == 0, api != NULL);
	api_destroy(api);
	return rc == 0;
}

static bool
make_verifier(void *context)
{
	(void)context;
	struct verifier *verifier = NULL;
	const int rc = verifier_create(&verifier, nothing, NULL);
	verifier_destroy(verifier);
	return rc == 0;
}

static bool
hash(void *context)
{
	(void)context;
	static const uint8_t salt[PASSWORD_SALT_BYTES] = { 7 };
	char text[PASSWORD_HASH_MAX];
	return password_hash(text, STR("secret"), salt) == 0;
}

TEST(the_api_is_made_whole_or_not_at_all)
{
	struct prng prng;
	struct meeting *meeting;
	const struct meeting_settings settings = {
		.objects = { 50, 10, 1 << 16 },
		.limits = { 10, 10 },
		.random = test_random,
		.context = &prng,
	};
	prng_init(&prng, 1);
	EXPECT_EQ(meeting_create(&meeting, &settings, 0), 0);
	EXPECT(fail_at_each(make_api, meeting) >= 3);
	EXPECT(fail_at_each(make_verifier, NULL) >= 1);
	(void)fail_at_each(hash, NULL);
	meeting_destroy(meeting);
}
