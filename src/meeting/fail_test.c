/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the model is made whole or not at all.  Method: each allocation fails once. */
#include "base/fail_at.h"
#include "meeting/meeting.h"
#include "meeting/test_world.h"

static bool
make(void *context)
{
	const struct meeting_settings settings = {
		.objects = { 50, 10, 1 << 16 },
		.limits = { 10, 10 },
		.random = test_random,
		.context = context,
	};
	struct meeting *meeting = NULL;
	const int rc = meeting_create(&meeting, &settings, 0);
	EXPECT_EQ(rc == 0, meeting != NULL);
	meeting_destroy(meeting);
	return rc == 0;
}

TEST(a_model_is_made_whole_or_not_at_all)
{
	struct prng prng;
	prng_init(&prng, 1);
	EXPECT(fail_at_each(make, &prng) > 20);
}
