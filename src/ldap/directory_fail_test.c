/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a directory is made whole or not at all.  Method: each allocation fails once. */
#include "base/fail_at.h"
#include "base/test.h"
#include "ldap/directory.h"

static bool
make(void *context)
{
	(void)context;
	struct directory *directory = NULL;
	const int rc = directory_create(&directory, NULL, NULL);
	EXPECT_EQ(rc == 0, directory != NULL);
	directory_destroy(directory);
	return rc == 0;
}

TEST(a_directory_is_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(make, NULL) >= 4);
}
