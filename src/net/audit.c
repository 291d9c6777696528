/* SPDX-License-Identifier: Apache-2.0 */
#include "net/audit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/log.h"
#include "net/files.h"
#include "net/wall.h"

enum {
	OPEN_TRIES = 3,
};

/* The file that has that name now, locked, with room for a line; -1: there is none. */
static int
open_locked(const char *path)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		struct stat opened, named;
		const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		                    0600);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX) == 0 && fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
		    opened.st_ino == named.st_ino) {
			if (opened.st_size + AUDIT_LINE_MAX <= AUDIT_FILE_BYTES_MAX)
				return fd;
			file_turn_over(path, AUDIT_FILES_KEPT);
		}
		close(fd); /* somebody moved it between the two */
	}
	return -1;
}

void
audit_write(const char *path, const char *user, const char *from, struct str what)
{
	char line[AUDIT_LINE_MAX], time[WALL_TEXT_MAX];
	struct writer w = writer_of(line, sizeof line - 1);
	writer_format(&w, "%s user \"%.64s\" from %.64s: ", wall_text(time, wall_now()), user, from);
	const size_t room = w.cap - w.at;
	writer_str(&w, str_sub(what, 0, what.len < room ? what.len : room));
	CHECK(!w.failed);
	for (size_t i = 0; i < w.at; i++)
		if (line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[w.at] = '\n';
	const int fd = open_locked(path);
	if (fd < 0 || write(fd, line, w.at + 1) != (ssize_t)w.at + 1)
		log_error("the audit log cannot be written: %.*s", (int)w.at, line);
	if (fd >= 0)
		close(fd);
}
