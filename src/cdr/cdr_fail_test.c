/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: records and their spool are made whole or not at all; a record that finds no memory is
 * missing, and nothing else is.  Method: each allocation fails once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail_at.h"
#include "base/prng.h"
#include "base/test.h"
#include "cdr/cdr.h"
#include "cdr/spool.h"
#include "meeting/test_world.h"

static struct meeting *meeting;
static char dir[64];

static void
on_wake(void *context)
{
	(void)context;
}

static bool
make_cdr(void *context)
{
	(void)context;
	struct cdr *cdr = NULL;
	const struct cdr_settings settings = { .meeting = meeting, .sequence_next = 1,
		                               .legs_max = 8 };
	const int rc = cdr_create(&cdr, &settings, 1000);
	EXPECT_EQ(rc == 0, cdr != NULL);
	cdr_destroy(cdr);
	return rc == 0;
}

static bool
make_spool(void *context)
{
	(void)context;
	struct spool *spool = NULL;
	struct spool_loaded loaded;
	const struct spool_settings settings = { .dir = dir, .wake = on_wake };
	const int rc = spool_open(&spool, &settings, &loaded);
	EXPECT_EQ(rc == 0, spool != NULL);
	spool_close(spool);
	return rc == 0;
}

TEST(records_and_their_spool_are_made_whole_or_not_at_all)
{
	char path[128];
	static struct prng prng;
	prng_init(&prng, 5);
	const struct meeting_settings settings = { .objects = { 10, 10, 64 * 1024 },
		                                   .limits = { 8, 8 },
		                                   .random = test_random,
		                                   .context = &prng };
	EXPECT_EQ(meeting_create(&meeting, &settings, 1000), 0);
	EXPECT(fail_at_each(make_cdr, NULL) >= 3);
	meeting_destroy(meeting);
	snprintf(dir, sizeof dir, "/tmp/cdr-fail-XXXXXX");
	EXPECT(mkdtemp(dir) != NULL);
	EXPECT(fail_at_each(make_spool, NULL) >= 8);
	snprintf(path, sizeof path, "%s/records.%010u", dir, 1);
	EXPECT_EQ(unlink(path), 0);
	EXPECT_EQ(rmdir(dir), 0);
}
