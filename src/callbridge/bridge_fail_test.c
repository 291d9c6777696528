/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the bridge is made whole or not at all.  Method: each allocation fails once. */
#include "base/fail_at.h"
#include "base/test.h"
#include "callbridge/bridge.h"

static bool
make(void *context)
{
	(void)context;
	struct bridge *bridge = NULL;
	const struct bridge_settings settings = {
		.workers = 2,
		.legs_max = 8,
		.media_legs_max = 32,
		.rooms_max = 4,
		.sip_domain = "example.com",
		.id = "5d6c2b9e-0000-4000-8000-000000000001",
		.seed = 1,
	};
	const int rc = bridge_create(&bridge, &settings, 0);
	EXPECT_EQ(rc == 0, bridge != NULL);
	bridge_destroy(bridge);
	return rc == 0;
}

TEST(a_bridge_is_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(make, NULL) > 10);
}
