/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a container is made whole or not at all.  Method: each allocation fails once. */
#include "base/fail_at.h"
#include "base/hash.h"
#include "base/ring.h"
#include "base/slab.h"
#include "base/test.h"

static bool
make_slab(void *context)
{
	(void)context;
	struct slab slab;
	const int rc = slab_create(&slab, 24, 100);
	if (rc == 0)
		slab_destroy(&slab);
	return rc == 0;
}

static bool
make_map(void *context)
{
	(void)context;
	struct map map;
	const int rc = map_create(&map, 100);
	if (rc == 0)
		map_destroy(&map);
	return rc == 0;
}

static bool
make_ring(void *context)
{
	(void)context;
	struct ring ring;
	const int rc = ring_create(&ring, 16, 64);
	if (rc == 0)
		ring_destroy(&ring);
	return rc == 0;
}

TEST(a_container_is_made_whole_or_not_at_all)
{
	EXPECT_EQ(fail_at_each(make_slab, NULL), 3);
	EXPECT_EQ(fail_at_each(make_map, NULL), 1);
	EXPECT_EQ(fail_at_each(make_ring, NULL), 1);
}
