/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh/front_files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

/* The back's answer; without one there is no session any more. */
static struct link_message
ask(struct front_files *files, const struct link_message *message, int *fd)
{
	struct link_message answer;
	*fd = -1;
	if (link_send(files->link, message, -1) != 0 ||
	    link_receive(files->link, files->buffer, &answer, fd) != 0 ||
	    answer.kind != LINK_RESULT)
		_exit(0);
	return answer;
}

static int
ask_number(struct front_files *files, enum link_kind kind, int64_t number, struct str text,
           struct str more)
{
	int fd;
	const struct link_message answer =
		ask(files, &(struct link_message){ .kind = kind, .number = number, .text = text,
	                                           .more = more }, &fd);
	if (fd >= 0)
		close(fd);
	if (answer.number == -EKEYREJECTED &&
	    !str_copy(files->reason, sizeof files->reason, answer.text))
		(void)str_copy(files->reason, sizeof files->reason, STR("it was refused"));
	return answer.number < 0 ? (int)answer.number : 0;
}

static int
open_file(void *context, struct str name, bool write, bool exclusive)
{
	struct front_files *files = context;
	int slot = 0, fd;
	while (slot < SFTP_HANDLES_MAX && files->open[slot].fd >= 0)
		slot++;
	CHECK(slot < SFTP_HANDLES_MAX); /* as many as SFTP has handles */
	const struct link_message answer =
		ask(files, &(struct link_message){ .kind = LINK_OPEN,
	                                           .number = !write ? 0 : exclusive ? 2 : 1,
	                                           .text = name }, &fd);
	if (answer.number < 0 || fd < 0)
		return answer.number < 0 ? (int)answer.number : -EIO;
	files->open[slot] = (struct front_file){ .fd = fd,
		                                 .upload = write ? (int)answer.number : -1,
		                                 .bytes_max = answer.size };
	return slot;
}

static int
read_file(void *context, int file, uint64_t offset, void *out, size_t len)
{
	const struct front_files *files = context;
	const ssize_t got = offset > INT64_MAX ? 0
	                                       : pread(files->open[file].fd, out, len,
	                                               (off_t)offset);
	return got < 0 ? -errno : (int)got;
}

static int
write_file(void *context, int file, uint64_t offset, const void *bytes, size_t len)
{
	const struct front_file *open = &((const struct front_files *)context)->open[file];
	if (offset > (uint64_t)open->bytes_max || len > (uint64_t)open->bytes_max - offset)
		return -EFBIG;
	for (size_t done = 0; done < len;) {
		const ssize_t put = pwrite(open->fd, (const char *)bytes + done, len - done,
		                           (off_t)(offset + done));
		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

static int
close_file(void *context, int file, bool keep)
{
	struct front_files *files = context;
	const struct front_file open = files->open[file];
	files->open[file].fd = -1;
	close(open.fd);
	return open.upload < 0 ? 0
	                       : ask_number(files, keep ? LINK_KEEP : LINK_DROP, open.upload,
	                                    (struct str){ 0 }, (struct str){ 0 });
}

static int
file_stat(void *context, int file, struct sftp_entry *out)
{
	const struct front_files *files = context;
	struct stat info;
	if (fstat(files->open[file].fd, &info) != 0)
		return -errno;
	out->size = info.st_size;
	out->time_s = info.st_mtime;
	return 0;
}

static int
ask_entry(struct front_files *files, const struct link_message *message, struct sftp_entry *out)
{
	int fd;
	const struct link_message answer = ask(files, message, &fd);
	if (fd >= 0)
		close(fd);
	if (answer.number < 0)
		return (int)answer.number;
	out->size = answer.size;
	out->time_s = answer.time;
	(void)str_copy(out->name, sizeof out->name, answer.text);
	return answer.number > 0;
}

static int
stat_name(void *context, struct str name, struct sftp_entry *out)
{
	return ask_entry(context, &(struct link_message){ .kind = LINK_STAT, .text = name }, out);
}

static int
list(void *context, uint32_t index, struct sftp_entry *out)
{
	return ask_entry(context, &(struct link_message){ .kind = LINK_LIST, .number = index }, out);
}

static int
remove_name(void *context, struct str name)
{
	return ask_number(context, LINK_REMOVE, 0, name, (struct str){ 0 });
}

static int
rename_name(void *context, struct str from, struct str to, bool replace)
{
	return ask_number(context, LINK_RENAME, replace, from, to);
}

static const char *
reason(void *context)
{
	return ((const struct front_files *)context)->reason;
}

void
front_files_init(struct front_files *files, struct sftp *sftp, int link)
{
	files->link = link;
	files->functions = (struct sftp_files){ .context = files,
		                                .open = open_file,
		                                .read = read_file,
		                                .write = write_file,
		                                .close = close_file,
		                                .file_stat = file_stat,
		                                .stat = stat_name,
		                                .list = list,
		                                .remove = remove_name,
		                                .rename = rename_name,
		                                .reason = reason };
	for (size_t i = 0; i < SFTP_HANDLES_MAX; i++)
		files->open[i].fd = -1;
	sftp_init(sftp, &files->functions);
}

void
front_files_fini(struct front_files *files, struct sftp *sftp)
{
	sftp_fini(sftp);
	explicit_bzero(files->buffer, sizeof files->buffer);
}
