/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a replaced file is whole, has its mode and leaves no temporary behind; bounds hold; the
 * clock and the random source give what they say.  Method: a folder of its own under /tmp. */
#include "net/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "net/random.h"
#include "net/wall.h"

static unsigned
entries_of(const char *folder)
{
	unsigned count = 0;
	DIR *dir = opendir(folder);
	EXPECT(dir != NULL);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

TEST(a_file_is_replaced_whole_with_its_mode)
{
	char folder[] = "/tmp/net-files-XXXXXX";
	char path[64];
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/f", folder);

	EXPECT_EQ(file_replace(path, "first", 5, 0644), 0);
	EXPECT_EQ(file_replace(path, "second!", 7, 0600), 0);

	char *bytes;
	size_t len;
	EXPECT_EQ(file_read(path, 7, &bytes, &len), 0);
	EXPECT_STR(((struct str){ bytes, len }), "second!");
	EXPECT_EQ(bytes[len], 0);
	free(bytes);
	EXPECT_EQ(file_read(path, 6, &bytes, &len), -EFBIG);

	struct stat about;
	EXPECT_EQ(stat(path, &about), 0);
	EXPECT_EQ(about.st_mode & 07777, 0600);
	EXPECT_EQ(entries_of(folder), 1);

	unlink(path);
	EXPECT_EQ(file_read(path, 6, &bytes, &len), -ENOENT);
	EXPECT_EQ(file_read(folder, 6, &bytes, &len), -EISDIR);
	rmdir(folder);
}

TEST(a_file_that_cannot_be_replaced_leaves_nothing_behind)
{
	char folder[] = "/tmp/net-files-XXXXXX";
	char path[64];
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/f", folder);
	EXPECT_EQ(mkdir(path, 0700), 0);
	EXPECT(file_replace(path, "x", 1, 0600) < 0);
	EXPECT_EQ(entries_of(folder), 1);
	rmdir(path);
	rmdir(folder);
	EXPECT_EQ(file_replace(path, "x", 1, 0600), -ENOENT);
}

TEST(a_file_is_turned_over_and_a_few_older_ones_stay)
{
	char folder[] = "/tmp/net-files-XXXXXX";
	char path[64], older[80], *bytes;
	size_t len;
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/f", folder);
	file_turn_over(path, 2); /* nothing is there */
	EXPECT_EQ(entries_of(folder), 0);
	for (int i = 0; i < 4; i++) {
		char one = (char)('0' + i);
		EXPECT_EQ(file_replace(path, &one, 1, 0600), 0);
		file_turn_over(path, 2);
	}
	EXPECT_EQ(entries_of(folder), 2);
	for (int n = 1; n <= 2; n++) {
		snprintf(older, sizeof older, "%s.%d", path, n);
		EXPECT_EQ(file_read(older, 10, &bytes, &len), 0);
		EXPECT_EQ(bytes[0], n == 1 ? '3' : '2');
		free(bytes);
		unlink(older);
	}
	rmdir(folder);
}

TEST(folders_are_made_with_those_above_them)
{
	char folder[] = "/tmp/net-files-XXXXXX";
	char path[64];
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/a/b/", folder);
	EXPECT_EQ(dir_make(path, 0700), 0);
	EXPECT_EQ(dir_make(path, 0700), 0);
	EXPECT_EQ(dir_make("", 0700), -ENOENT);
	EXPECT_EQ(rmdir(path), 0);
	snprintf(path, sizeof path, "%s/a", folder);
	rmdir(path);
	EXPECT_EQ(file_replace(path, "", 0, 0600), 0);
	EXPECT_EQ(dir_make(path, 0700), -ENOTDIR);
	unlink(path);
	rmdir(folder);
}

TEST(the_program_knows_the_folder_it_is_in)
{
	char dir[4096], small[2], file[4200];
	EXPECT_EQ(dir_of_program(dir, sizeof dir), 0);
	EXPECT_EQ(dir[0], '/');
	snprintf(file, sizeof file, "%s/%s", dir, program_invocation_short_name);
	EXPECT_EQ(access(file, X_OK), 0);
	EXPECT_EQ(dir_of_program(small, sizeof small), -ENAMETOOLONG);
}

TEST(the_wall_clock_reads_as_utc)
{
	char text[WALL_TEXT_MAX];
	EXPECT_STR(str_of(wall_text(text, (wall_time){ .us = 1772368496123456 })),
	           "2026-03-01T12:34:56Z");
	EXPECT(wall_now().us > 1700000000000000);
}

TEST(random_bytes_differ_from_call_to_call)
{
	uint8_t a[4096], b[4096];
	random_bytes(a, sizeof a);
	random_bytes(b, sizeof b);
	EXPECT(memcmp(a, b, sizeof a) != 0);
	EXPECT(random_u64() != random_u64());
}
