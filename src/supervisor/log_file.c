/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "net/files.h"

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

void
log_file_turn_over(struct log_file *file)
{
	file_turn_over(file->path, LOG_FILES_KEPT);
	log_file_reopen(file);
}

void
log_file_make_room(struct log_file *file, size_t len)
{
	if (file->bytes != 0 && file->bytes + len > file->bytes_max)
		log_file_turn_over(file);
	file->bytes += len;
}

void
log_file_write(struct log_file *file, const char *bytes, size_t len)
{
	log_file_make_room(file, len);
	if (file->fd >= 0 && write(file->fd, bytes, len) < 0)
		return; /* a log has nowhere to say so */
}
