/* SPDX-License-Identifier: Apache-2.0 */
/* A folder in memory, for the tests of sftp. */
#ifndef SSH_SFTP_WORLD_H
#define SSH_SFTP_WORLD_H

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "ssh/sftp.h"

enum {
	WORLD_FILES = 4,
	WORLD_OPEN = SFTP_HANDLES_MAX,
	WORLD_BYTES = 1024,
};

struct world_file {
	char name[SFTP_NAME_MAX]; /* "": none */
	size_t len;
	char bytes[WORLD_BYTES];
};

struct world_open {
	bool used;
	bool write;
	struct world_file file;
};

struct world {
	struct world_file files[WORLD_FILES];
	struct world_open open[WORLD_OPEN];
	struct sftp_files functions;
};

static inline struct world_file *
world_find(struct world *world, struct str name)
{
	for (size_t i = 0; i < WORLD_FILES; i++)
		if (name.len != 0 && str_eq(str_of(world->files[i].name), name))
			return &world->files[i];
	return NULL;
}

static inline int
world_open_file(void *context, struct str name, bool write, bool exclusive)
{
	struct world *world = context;
	const struct world_file *file = world_find(world, name);
	CHECK(memchr(name.at, '/', name.len) == NULL && name.len != 0);
	CHECK(!str_eq(name, STR("..")));
	if (str_eq(name, STR("secret")))
		return -EACCES;
	if (!write && file == NULL)
		return -ENOENT;
	if (exclusive && file != NULL)
		return -EEXIST;
	for (int i = 0; i < WORLD_OPEN; i++) {
		struct world_open *open = &world->open[i];
		if (open->used)
			continue;
		*open = (struct world_open){ .used = true, .write = write };
		if (!write)
			open->file = *file;
		(void)str_copy(open->file.name, sizeof open->file.name, name);
		return i;
	}
	CHECK(false);
	return -EMFILE;
}

static inline int
world_read(void *context, int index, uint64_t offset, void *out, size_t len)
{
	const struct world_open *open = &((struct world *)context)->open[index];
	CHECK(open->used && !open->write);
	if (offset >= open->file.len)
		return 0;
	const size_t left = open->file.len - offset;
	memcpy(out, open->file.bytes + offset, left < len ? left : len);
	return (int)(left < len ? left : len);
}

static inline int
world_write(void *context, int index, uint64_t offset, const void *bytes, size_t len)
{
	struct world_open *open = &((struct world *)context)->open[index];
	CHECK(open->used && open->write);
	if (offset > WORLD_BYTES || len > WORLD_BYTES - offset)
		return -EFBIG;
	if (len != 0)
		memcpy(open->file.bytes + offset, bytes, len);
	if (offset + len > open->file.len)
		open->file.len = offset + len;
	return 0;
}

static inline int
world_close(void *context, int index, bool keep)
{
	struct world *world = context;
	struct world_open *open = &world->open[index];
	CHECK(open->used);
	open->used = false;
	if (!open->write || !keep)
		return 0;
	if (str_ends(str_of(open->file.name), STR(".lic")))
		return -EKEYREJECTED;
	struct world_file *file = world_find(world, str_of(open->file.name));
	for (size_t i = 0; file == NULL && i < WORLD_FILES; i++)
		if (world->files[i].name[0] == '\0')
			file = &world->files[i];
	if (file == NULL)
		return -ENOSPC;
	*file = open->file;
	return 0;
}

static inline const char *
world_reason(void *context)
{
	(void)context;
	return "it is signed by nobody";
}

static inline int
world_file_stat(void *context, int index, struct sftp_entry *out)
{
	out->size = (int64_t)((struct world *)context)->open[index].file.len;
	out->time_s = 1000000000;
	return 0;
}

static inline int
world_stat(void *context, struct str name, struct sftp_entry *out)
{
	const struct world_file *file = world_find(context, name);
	if (file == NULL)
		return -ENOENT;
	out->size = (int64_t)file->len;
	out->time_s = 1000000000;
	return 0;
}

static inline int
world_list(void *context, uint32_t index, struct sftp_entry *out)
{
	struct world *world = context;
	for (size_t i = 0; i < WORLD_FILES; i++) {
		if (world->files[i].name[0] == '\0' || index-- != 0)
			continue;
		(void)str_copy(out->name, sizeof out->name, str_of(world->files[i].name));
		return world_stat(context, str_of(out->name), out) == 0;
	}
	return 0;
}

static inline int
world_remove(void *context, struct str name)
{
	struct world_file *file = world_find(context, name);
	if (file == NULL)
		return -ENOENT;
	*file = (struct world_file){ 0 };
	return 0;
}

static inline int
world_rename(void *context, struct str from, struct str to, bool replace)
{
	struct world_file *file = world_find(context, from), *other = world_find(context, to);
	if (file == NULL)
		return -ENOENT;
	if (other != NULL && !replace)
		return -EEXIST;
	if (other != NULL && other != file)
		*other = (struct world_file){ 0 };
	(void)str_copy(file->name, sizeof file->name, to);
	return 0;
}

static inline void
world_init(struct world *world)
{
	memset(world, 0, sizeof *world);
	world->functions = (struct sftp_files){ .context = world,
		                                .open = world_open_file,
		                                .read = world_read,
		                                .write = world_write,
		                                .close = world_close,
		                                .file_stat = world_file_stat,
		                                .stat = world_stat,
		                                .list = world_list,
		                                .remove = world_remove,
		                                .rename = world_rename,
		                                .reason = world_reason };
	(void)str_copy(world->files[0].name, SFTP_NAME_MAX, STR("cms.crt"));
	memcpy(world->files[0].bytes, "certificate", 11);
	world->files[0].len = 11;
}

static inline unsigned
world_count_open(const struct world *world)
{
	unsigned count = 0;
	for (size_t i = 0; i < WORLD_OPEN; i++)
		count += world->open[i].used;
	return count;
}

#endif
