/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the relay and the pages are made whole or not at all.  Method: each allocation fails once. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fail_at.h"
#include "base/test.h"
#include "component/pages.h"
#include "webbridge/relay.h"

static bool
make_relay(void *context)
{
	(void)context;
	struct relay *relay = NULL;
	const int rc = relay_create(&relay,
	                            &(struct relay_settings){ .sessions_max = 8,
	                                                      .questions_max = 4,
	                                                      .product = STR("convoke") },
	                            0);
	EXPECT_EQ(rc == 0, relay != NULL);
	relay_destroy(relay);
	return rc == 0;
}

static bool
make_pages(void *context)
{
	struct pages *pages = NULL;
	const int rc = pages_create(&pages, context);
	EXPECT_EQ(rc == 0, pages != NULL);
	pages_destroy(pages);
	return rc == 0;
}

TEST(a_relay_is_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(make_relay, NULL) >= 5);
}

TEST(pages_are_read_whole_or_not_at_all)
{
	char folder[] = "/tmp/convoke-pages-XXXXXX";
	char path[64];
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/index.html", folder);
	FILE *file = fopen(path, "w");
	EXPECT(file != NULL);
	EXPECT(fputs("<html></html>", file) >= 0 && fclose(file) == 0);
	EXPECT(fail_at_each(make_pages, folder) >= 2);
	unlink(path);
	rmdir(folder);
}
