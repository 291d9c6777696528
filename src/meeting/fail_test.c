/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the model is made whole or not at all.  Method: each allocation fails once. */
#include "base/fail_at.h"
#include "meeting/directory_sync.h"
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

static bool
make_sync(void *context)
{
	const struct directory_sync_settings settings = { .objects = context, .people_max = 100 };
	struct directory_sync *sync = NULL;
	const int rc = directory_sync_create(&sync, &settings);
	EXPECT_EQ(rc == 0, sync != NULL);
	directory_sync_destroy(sync);
	return rc == 0;
}

TEST(a_synchronisation_is_made_whole_or_not_at_all)
{
	struct prng prng;
	struct objects *objects = NULL;
	prng_init(&prng, 1);
	const struct objects_settings settings = { .limits = { 10, 10, 1 << 16 },
		                                   .random = test_random,
		                                   .context = &prng };
	EXPECT_EQ(objects_create(&objects, &settings), 0);
	EXPECT(fail_at_each(make_sync, objects) >= 5);
	objects_destroy(objects);
}

TEST(a_model_is_made_whole_or_not_at_all)
{
	struct prng prng;
	prng_init(&prng, 1);
	EXPECT(fail_at_each(make, &prng) > 20);
}
