/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a line is whole and one, whatever is in it, and the file turns over.  Method: a folder of its
 * own; several processes at once. */
#include "net/audit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "net/files.h"

static char folder[64], path[128];

static void
make_folder(void)
{
	snprintf(folder, sizeof folder, "/tmp/convoke-audit-XXXXXX");
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/audit", folder);
}

static void
remove_folder(void)
{
	char name[160];
	for (int i = 0; i <= AUDIT_FILES_KEPT + 1; i++) {
		snprintf(name, sizeof name, "%s.%d", path, i);
		unlink(name);
	}
	unlink(path);
	EXPECT_EQ(rmdir(folder), 0);
}

TEST(a_line_says_who_from_where_and_what)
{
	static char long_text[2 * AUDIT_LINE_MAX];
	char *bytes;
	size_t len;
	make_folder();
	audit_write(path, "anna", "192.0.2.7", STR("user del\nbob\x1b[2J"));
	EXPECT_EQ(file_read(path, 1 << 16, &bytes, &len), 0);
	EXPECT(strstr(bytes, "Z user \"anna\" from 192.0.2.7: user del?bob?[2J\n") != NULL);
	EXPECT_EQ(strchr(bytes, '\n'), bytes + len - 1);
	free(bytes);
	memset(long_text, 'a', sizeof long_text);
	audit_write(path, "anna", "192.0.2.7", (struct str){ long_text, sizeof long_text });
	struct stat info;
	EXPECT_EQ(stat(path, &info), 0);
	EXPECT_EQ((size_t)info.st_size, len + AUDIT_LINE_MAX);
	EXPECT_EQ(info.st_mode & 0777, 0600);
	remove_folder();
}

TEST(a_full_file_becomes_an_older_one)
{
	char older[160];
	struct stat info;
	make_folder();
	for (int i = 0; i < AUDIT_FILES_KEPT + 2; i++) {
		const int fd = open(path, O_WRONLY | O_CREAT, 0600);
		EXPECT(fd >= 0);
		EXPECT_EQ(ftruncate(fd, AUDIT_FILE_BYTES_MAX), 0);
		close(fd);
		audit_write(path, "anna", "::1", STR("version"));
		EXPECT_EQ(stat(path, &info), 0);
		EXPECT(info.st_size < AUDIT_LINE_MAX);
	}
	snprintf(older, sizeof older, "%s.%d", path, AUDIT_FILES_KEPT);
	EXPECT_EQ(stat(older, &info), 0);
	snprintf(older, sizeof older, "%s.%d", path, AUDIT_FILES_KEPT + 1);
	EXPECT(stat(older, &info) != 0);
	remove_folder();
}

TEST(lines_of_many_processes_are_whole)
{
	enum { PROCESSES = 4, LINES = 50 };
	char *bytes;
	size_t len, lines = 0;
	make_folder();
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		for (int line = 0; line < LINES; line++)
			audit_write(path, "anna", "::1", STR("callbridge limit 500"));
		_exit(0);
	}
	while (wait(NULL) > 0) {
	}
	EXPECT_EQ(file_read(path, 1 << 20, &bytes, &len), 0);
	struct str rest = { bytes, len };
	while (rest.len != 0) {
		EXPECT(str_ends(str_cut(&rest, '\n'), STR("from ::1: callbridge limit 500")));
		lines++;
	}
	EXPECT_EQ(lines, PROCESSES * LINES);
	free(bytes);
	remove_folder();
}
