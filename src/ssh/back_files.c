/* SPDX-License-Identifier: Apache-2.0 */
/* What SFTP asks of the data folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/log.h"
#include "component/licence_file.h"
#include "net/random.h"
#include "ssh/back_internal.h"
#include "supervisor/bundle.h"

static struct link_message
result(int64_t number)
{
	return (struct link_message){ .kind = LINK_RESULT, .number = number };
}

/* With the reason, when there is one in words. */
static struct link_message
refused(const struct back *back, int rc)
{
	struct link_message message = result(rc);
	if (rc == -EKEYREJECTED)
		message.text = str_of(back->reason);
	return message;
}

static bool
copy_name(char out[FILES_NAME_MAX], struct str name)
{
	return str_copy(out, FILES_NAME_MAX, name);
}

/* Where a name is, below the data folder. */
static const char *
place_of(const struct files_kind *kind, const char *name)
{
	return kind->place != NULL ? kind->place : name;
}

/* Opens to read: a plain file of ours, and no link to elsewhere. */
static int
open_plain(const struct back *back, const struct files_kind *kind, const char *name,
           struct stat *info)
{
	const int fd = openat(back->data_fd, place_of(kind, name),
	                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -ENOENT : -errno;
	if (fstat(fd, info) == 0 && S_ISREG(info->st_mode))
		return fd;
	close(fd);
	return -ENOENT;
}

/* The kind of a name that the role may use so; else -errno. */
static int
find(const struct back *back, struct str text, enum files_right right,
     const struct files_kind **kind, char name[FILES_NAME_MAX])
{
	*kind = files_find(text);
	if (*kind == NULL || !copy_name(name, text) ||
	    (!files_may_see(*kind, back->role) && !files_may(*kind, back->role, right)))
		return right == FILES_PUT ? -EACCES : -ENOENT;
	return files_may(*kind, back->role, right) ? 0 : -EACCES;
}

/* -- reading ----------------------------------------------------------------------------------- */

static struct link_message
stat_name(const struct back *back, struct str text)
{
	const struct files_kind *kind = files_find(text);
	char name[FILES_NAME_MAX] = "";
	struct stat info;
	if (kind == NULL || !copy_name(name, text) || !files_may_see(kind, back->role))
		return result(-ENOENT);
	if (fstatat(back->data_fd, place_of(kind, name), &info, AT_SYMLINK_NOFOLLOW) != 0)
		return result(-errno);
	if (!S_ISREG(info.st_mode))
		return result(-ENOENT);
	struct link_message message = result(0);
	message.size = info.st_size;
	message.time = info.st_mtime;
	return message;
}

/* As stat_name(), of whoever asks for that name: what is made on demand is made. */
static struct link_message
stat_asked(const struct back *back, struct str text)
{
	if (str_eq(text, STR(FILES_BUNDLE)) && files_may(files_find(text), back->role, FILES_GET)) {
		const int rc = bundle_make(back->dir);
		if (rc != 0)
			log_error("SSH: %s cannot be made: %s", FILES_BUNDLE, strerror(-rc));
	}
	return stat_name(back, text);
}

/* Does a file of the folder itself show, under its own name? */
static bool
shows(const struct back *back, const char *name)
{
	const struct files_kind *kind = files_find(str_of(name));
	return kind != NULL && kind->place == NULL && stat_name(back, str_of(name)).number == 0;
}

/* The entry `index`: those with places of their own first. */
static struct link_message
list(struct back *back, int64_t index)
{
	static char name[FILES_NAME_MAX];
	const struct files_kind *kind;
	for (size_t i = 0; (kind = files_placed(i)) != NULL; i++) {
		struct link_message found = stat_name(back, str_of(kind->name));
		const bool made = strcmp(kind->name, FILES_BUNDLE) == 0 &&
		                  files_may_see(kind, back->role); /* when it is asked for */
		if ((found.number != 0 && !made) || index-- != 0)
			continue;
		found.text = str_of(kind->name);
		found.number = 1;
		return found;
	}
	const int fd = openat(back->data_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (folder == NULL) {
		if (fd >= 0)
			close(fd);
		return result(-EIO);
	}
	struct link_message found = result(0);
	const struct dirent *entry;
	while ((entry = readdir(folder)) != NULL) {
		if (!shows(back, entry->d_name) || index-- != 0)
			continue;
		found = stat_name(back, str_of(entry->d_name));
		copy_name(name, str_of(entry->d_name));
		found.text = str_of(name);
		found.number = 1;
		break;
	}
	closedir(folder);
	return found;
}

static struct link_message
open_to_read(struct back *back, struct str text, int *fd)
{
	const struct files_kind *kind;
	char name[FILES_NAME_MAX] = "";
	struct stat info;
	(void)stat_asked(back, text);
	int rc = find(back, text, FILES_GET, &kind, name);
	if (rc == 0)
		rc = open_plain(back, kind, name, &info);
	if (rc < 0)
		return result(rc);
	*fd = rc;
	back_audit(back, "sftp get %s", name);
	struct link_message message = result(0);
	message.size = info.st_size;
	message.time = info.st_mtime;
	return message;
}

/* -- writing ----------------------------------------------------------------------------------- */

void
back_files_init(struct back *back)
{
	for (size_t i = 0; i < BACK_UPLOADS_MAX; i++)
		back->uploads[i].fd = -1;
}

static void
forget(struct back *back, struct back_upload *upload, bool remove)
{
	if (remove)
		(void)unlinkat(back->data_fd, upload->temporary, 0);
	close(upload->fd);
	*upload = (struct back_upload){ .fd = -1 };
}

void
back_files_fini(struct back *back)
{
	for (size_t i = 0; i < BACK_UPLOADS_MAX; i++)
		if (back->uploads[i].fd >= 0)
			forget(back, &back->uploads[i], true);
}

static int
make_temporary(const struct back *back, struct back_upload *upload)
{
	uint8_t random[8];
	struct writer w = writer_of(upload->temporary, sizeof upload->temporary - 1);
	random_bytes(random, sizeof random);
	writer_text(&w, "run/upload-");
	encode_hex(&w, random, sizeof random);
	CHECK(!w.failed);
	upload->temporary[w.at] = '\0';
	upload->fd = openat(back->data_fd, upload->temporary,
	                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return upload->fd >= 0 ? 0 : -errno;
}

static struct link_message
open_to_write(struct back *back, struct str text, bool exclusive, int *fd)
{
	const struct files_kind *kind;
	char name[FILES_NAME_MAX] = "";
	size_t slot = 0;
	int rc = find(back, text, FILES_PUT, &kind, name);
	while (slot < BACK_UPLOADS_MAX && back->uploads[slot].fd >= 0)
		slot++;
	if (rc == 0 && slot == BACK_UPLOADS_MAX)
		rc = -EMFILE;
	if (rc == 0 && exclusive && faccessat(back->data_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		rc = -EEXIST;
	if (rc == 0)
		rc = make_temporary(back, &back->uploads[slot]);
	if (rc != 0)
		return result(rc);
	struct back_upload *upload = &back->uploads[slot];
	memcpy(upload->name, name, sizeof upload->name);
	upload->exclusive = exclusive;
	*fd = fcntl(upload->fd, F_DUPFD_CLOEXEC, 3);
	if (*fd < 0) {
		forget(back, upload, true);
		return result(-EMFILE);
	}
	struct link_message message = result((int64_t)slot);
	message.size = kind->bytes_max;
	return message;
}

/* What is about to be cms.lic must count here: a good licence does not give way to a bad one. */
static int
judge_licence(struct back *back, const char *name, int fd)
{
	static struct licence_folder folder;
	static char text[LICENCE_FILE_BYTES_MAX + 1];
	if (strcmp(name, LICENCE_FILE) != 0)
		return 0;
	const ssize_t len = pread(fd, text, sizeof text, 0);
	if (len < 0)
		return -errno;
	licence_folder_read(&folder, back->dir->path, LICENCE_FILE);
	if (folder.damaged)
		return 0; /* who is believed is not known: the Call Bridge says so */
	licence_folder_judge(&folder, (struct str){ text, (size_t)len });
	if (folder.why == LICENCE_OK)
		return 0;
	log_warning("SSH: the " LICENCE_FILE " that user \"%s\" brought was refused: %s", back->name,
	            folder.error);
	(void)snprintf(back->reason, sizeof back->reason, "the licence was refused: %s",
	               folder.error);
	return -EKEYREJECTED;
}

/* On disk whole, and then by its name: there is no moment with half of it. */
static int
keep(struct back *back, struct back_upload *upload)
{
	const struct files_kind *kind = files_find(str_of(upload->name));
	const unsigned flags = upload->exclusive ? RENAME_NOREPLACE : 0;
	struct stat info;
	CHECK(kind != NULL);
	if (fstat(upload->fd, &info) != 0)
		return -errno;
	if (info.st_size > kind->bytes_max)
		return -EFBIG;
	const int judged = judge_licence(back, upload->name, upload->fd);
	if (judged != 0)
		return judged;
	if (fsync(upload->fd) != 0 ||
	    renameat2(back->data_fd, upload->temporary, back->data_fd, upload->name, flags) != 0)
		return -errno;
	return fsync(back->data_fd) == 0 ? 0 : -errno;
}

static struct link_message
finish_upload(struct back *back, int64_t number, bool wanted)
{
	if (number < 0 || number >= BACK_UPLOADS_MAX || back->uploads[number].fd < 0)
		return result(-EBADF);
	struct back_upload *upload = &back->uploads[number];
	const int rc = wanted ? keep(back, upload) : 0;
	if (wanted)
		back_audit(back, "sftp put %s%s", upload->name, rc != 0 ? " (FAILURE)" : "");
	forget(back, upload, !wanted || rc != 0);
	return refused(back, rc);
}

static struct link_message
remove_name(struct back *back, struct str text)
{
	const struct files_kind *kind;
	char name[FILES_NAME_MAX] = "";
	int rc = find(back, text, FILES_REMOVE, &kind, name);
	if (rc == 0 && unlinkat(back->data_fd, place_of(kind, name), 0) != 0)
		rc = -errno;
	if (rc != -ENOENT)
		back_audit(back, "sftp rm %s%s", name, rc != 0 ? " (FAILURE)" : "");
	return result(rc);
}

/* Of files that could as well be taken, removed and brought again. */
static struct link_message
rename_name(struct back *back, struct str from_text, struct str to_text, bool replace)
{
	const struct files_kind *from_kind, *to_kind;
	char from[FILES_NAME_MAX] = "", to[FILES_NAME_MAX] = "";
	struct stat info;
	int rc = find(back, from_text, FILES_REMOVE, &from_kind, from);
	if (rc == 0)
		rc = find(back, to_text, FILES_PUT, &to_kind, to);
	if (rc == 0 && (!files_may(from_kind, back->role, FILES_GET) || from_kind->place != NULL))
		rc = -EACCES;
	if (rc == 0 && fstatat(back->data_fd, from, &info, AT_SYMLINK_NOFOLLOW) != 0)
		rc = -errno;
	if (rc == 0 && info.st_size > to_kind->bytes_max)
		rc = -EFBIG;
	if (rc == 0 && strcmp(to, LICENCE_FILE) == 0) {
		const int fd = open_plain(back, from_kind, from, &info);
		rc = fd < 0 ? fd : judge_licence(back, to, fd);
		if (fd >= 0)
			close(fd);
	}
	if (rc == 0 && renameat2(back->data_fd, from, back->data_fd, to,
	                         replace ? 0 : RENAME_NOREPLACE) != 0)
		rc = -errno;
	if (rc == 0)
		back_audit(back, "sftp rename %s %s", from, to);
	return refused(back, rc);
}

struct link_message
back_files(struct back *back, const struct link_message *asked, int *fd)
{
	switch ((unsigned)asked->kind) {
	case LINK_LIST:
		return asked->number >= 0 ? list(back, asked->number) : result(-EINVAL);
	case LINK_STAT:
		return stat_asked(back, asked->text);
	case LINK_OPEN:
		return asked->number == 0
		               ? open_to_read(back, asked->text, fd)
		               : open_to_write(back, asked->text, asked->number == 2, fd);
	case LINK_KEEP:
	case LINK_DROP:
		return finish_upload(back, asked->number, asked->kind == LINK_KEEP);
	case LINK_REMOVE:
		return remove_name(back, asked->text);
	default:
		CHECK(asked->kind == LINK_RENAME);
		return rename_name(back, asked->text, asked->more, asked->number != 0);
	}
}
