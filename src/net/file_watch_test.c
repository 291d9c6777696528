/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a file that was replaced or written is told, others are not.  Method: a folder of its own. */
#include "net/file_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"
#include "net/files.h"

enum { A_MOMENT_US = 100 * 1000 };

struct told {
	struct loop *loop;
	struct file_watch *watch;
	unsigned count;
	bool leave;
};

static void
on_change(void *context)
{
	struct told *told = context;
	told->count++;
	if (told->leave) {
		file_watch_destroy(told->watch);
		told->watch = NULL;
	}
	loop_stop(told->loop);
}

TEST(a_replaced_file_is_told_and_another_is_not)
{
	char folder[] = "/tmp/convoke-watch-XXXXXX", one[64], other[64];
	struct told told = { 0 };
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(one, sizeof one, "%s/accounts", folder);
	snprintf(other, sizeof other, "%s/accounts2", folder);
	EXPECT_EQ(loop_create(&told.loop), 0);
	EXPECT_EQ(file_watch_create(&told.watch, told.loop, folder, "accounts", on_change, &told), 0);
	EXPECT_EQ(file_replace(other, "x", 1, 0600), 0);
	loop_run_until(told.loop, loop_now_us() + A_MOMENT_US);
	EXPECT_EQ(told.count, 0);
	EXPECT_EQ(file_replace(one, "x", 1, 0600), 0);
	loop_run_until(told.loop, loop_now_us() + 5000000);
	EXPECT_EQ(told.count, 1);
	told.leave = true; /* inside its own callback */
	EXPECT_EQ(file_replace(one, "y", 1, 0600), 0);
	loop_run_until(told.loop, loop_now_us() + 5000000);
	EXPECT_EQ(told.count, 2);
	unlink(one);
	unlink(other);
	rmdir(folder);
	EXPECT_EQ(file_watch_create(&told.watch, told.loop, folder, "accounts", on_change, &told),
	          -ENOENT);
	loop_destroy(told.loop);
}
