/* SPDX-License-Identifier: Apache-2.0 */
#include "net/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
write_all(int fd, const char *bytes, size_t len)
{
	while (len != 0) {
		const ssize_t wrote = write(fd, bytes, len);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		bytes += wrote;
		len -= (size_t)wrote;
	}
	return 0;
}

/* The rename is on disk only when the folder is. */
static int
folder_sync(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		snprintf(folder, sizeof folder, ".");
	else
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);

	const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	const int rc = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return rc;
}

int
file_replace(const char *path, const void *bytes, size_t len, unsigned mode)
{
	char temporary[PATH_MAX];
	const int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof temporary)
		return -ENAMETOOLONG;

	const int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;

	int rc = fchmod(fd, (mode_t)mode) == 0 ? 0 : -errno;
	if (rc == 0)
		rc = write_all(fd, bytes, len);
	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(temporary, path) != 0)
		rc = -errno;
	if (rc != 0) {
		unlink(temporary);
		return rc;
	}
	return folder_sync(path);
}

static int
read_up_to(int fd, char *bytes, size_t cap, size_t *len)
{
	*len = 0;
	while (*len < cap) {
		const ssize_t got = read(fd, bytes + *len, cap - *len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		*len += (size_t)got;
	}
	return 0;
}

int
file_read(const char *path, size_t max, char **bytes, size_t *len)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	int rc = 0;
	char *text = NULL;
	struct stat about;
	if (fstat(fd, &about) != 0)
		rc = -errno;
	else if (!S_ISREG(about.st_mode))
		rc = S_ISDIR(about.st_mode) ? -EISDIR : -EINVAL;
	else if ((uint64_t)about.st_size > max)
		rc = -EFBIG;
	if (rc != 0)
		goto out_close;

	/* One byte more than its size tells whether it grew meanwhile. */
	const size_t size = (size_t)about.st_size;
	text = malloc(size + 2);
	if (text == NULL) {
		rc = -ENOMEM;
		goto out_close;
	}
	size_t got;
	rc = read_up_to(fd, text, size + 1, &got);
	if (rc == 0 && got > size)
		rc = -EAGAIN;
	if (rc != 0) {
		free(text);
		goto out_close;
	}
	text[got] = '\0';
	*bytes = text;
	*len = got;
out_close:
	close(fd);
	return rc;
}

void
file_turn_over(const char *path, unsigned kept)
{
	char from[PATH_MAX], to[PATH_MAX];
	for (unsigned n = kept; n >= 1; n--) {
		snprintf(to, sizeof to, "%s.%u", path, n);
		if (n > 1)
			snprintf(from, sizeof from, "%s.%u", path, n - 1);
		else
			snprintf(from, sizeof from, "%s", path);
		(void)rename(from, to);
	}
}

int
dir_make(const char *path, unsigned mode)
{
	char part[PATH_MAX];
	const size_t len = strlen(path);
	if (len == 0)
		return -ENOENT;
	if (len >= sizeof part)
		return -ENAMETOOLONG;
	memcpy(part, path, len + 1);

	for (size_t at = 1; at <= len; at++) {
		if (part[at] != '/' && part[at] != '\0')
			continue;
		const char cut = part[at];
		part[at] = '\0';
		if (mkdir(part, (mode_t)mode) != 0 && errno != EEXIST)
			return -errno;
		part[at] = cut;
	}
	struct stat about;
	if (stat(path, &about) != 0)
		return -errno;
	return S_ISDIR(about.st_mode) ? 0 : -ENOTDIR;
}

int
dir_of_program(char *out, size_t cap)
{
	const ssize_t len = readlink("/proc/self/exe", out, cap);
	if (len < 0)
		return -errno;
	if ((size_t)len >= cap)
		return -ENAMETOOLONG;
	out[len] = '\0';
	char *slash = strrchr(out, '/');
	if (slash == NULL)
		return -ENOENT;
	slash[slash == out] = '\0';
	return 0;
}
