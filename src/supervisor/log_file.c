/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

static int
open_append(struct log_file *file)
{
	struct stat info;
	file->fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return -errno;
	file->bytes = fstat(file->fd, &info) == 0 ? (uint64_t)info.st_size : 0;
	return 0;
}

int
log_file_open(struct log_file *file, const char *path)
{
	*file = (struct log_file){ .fd = -1, .bytes_max = LOG_FILE_BYTES_MAX };
	if (!str_copy(file->path, sizeof file->path, str_of(path)))
		return -ENAMETOOLONG;
	return open_append(file);
}

void
log_file_close(struct log_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

void
log_file_reopen(struct log_file *file)
{
	log_file_close(file);
	(void)open_append(file);
}

static void
turn_over(struct log_file *file)
{
	char from[LOG_FILE_PATH_MAX + 16], to[LOG_FILE_PATH_MAX + 16];
	for (int n = LOG_FILES_KEPT; n >= 1; n--) {
		snprintf(to, sizeof to, "%s.%d", file->path, n);
		if (n > 1)
			snprintf(from, sizeof from, "%s.%d", file->path, n - 1);
		else
			snprintf(from, sizeof from, "%s", file->path);
		(void)rename(from, to);
	}
	log_file_reopen(file);
}

void
log_file_make_room(struct log_file *file, size_t len)
{
	if (file->bytes != 0 && file->bytes + len > file->bytes_max)
		turn_over(file);
	file->bytes += len;
}

void
log_file_write(struct log_file *file, const char *bytes, size_t len)
{
	log_file_make_room(file, len);
	if (file->fd >= 0 && write(file->fd, bytes, len) < 0)
		return; /* a log has nowhere to say so */
}
