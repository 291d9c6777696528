/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: events are made whole or not at all, and so is a client.  Method: each allocation fails
 * once. */
#include <stdlib.h>

#include "base/fail_at.h"
#include "events/events_world.h"

static struct world world;

static bool
make(void *context)
{
	(void)context;
	struct events *events = NULL;
	const struct events_settings settings = { .meeting = world.meeting, .calls_max = 8,
		                                  .legs_max = 8 };
	const int rc = events_create(&events, &settings);
	EXPECT_EQ(rc == 0, events != NULL);
	events_destroy(events);
	return rc == 0;
}

static bool
open_client(void *context)
{
	(void)context;
	const uint32_t client = events_open(world.events, 0, world.now_us);
	EXPECT_EQ(events_count(world.events).clients, client != 0);
	events_closed(world.events, client);
	return client != 0;
}

TEST(events_and_clients_are_made_whole_or_not_at_all)
{
	world_begin(&world);
	EXPECT(fail_at_each(make, NULL) >= 5);
	EXPECT(fail_at_each(open_client, NULL) >= 1);
	world_end(&world);
}
