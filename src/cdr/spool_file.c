/* SPDX-License-Identifier: Apache-2.0 */
#include "cdr/spool_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

enum {
	HEAD_BYTES = 8,
	KIND_RECORD = 1,
	KIND_MARK = 2,
	NAME_MAX_BYTES = 24,
};

struct part_name {
	char text[NAME_MAX_BYTES];
};

static struct part_name
name_of(uint32_t number)
{
	struct part_name name;
	snprintf(name.text, sizeof name.text, "records.%010u", number);
	return name;
}

/* Against torn writes and worn disks, not against people: the key is known. */
static uint32_t
checksum(const uint8_t *bytes, size_t len)
{
	const struct hash_key key = { 0x636472, 0x73706f6f6c };
	return (uint32_t)hash_bytes(&key, bytes, len);
}

size_t
spool_files_bytes(const struct spool_files *files)
{
	return (size_t)files->file_bytes + SPOOL_ENTRY_BYTES_MAX;
}

/* ------------------------------------------------------------------ entries */

/* What an entry says: a record, or a mark. */
struct entry {
	bool is_record;
	struct cdr_entry record;
	struct cdr_mark mark;
};

static void
read_guid(struct reader *r, struct guid *out)
{
	const uint8_t *bytes = reader_take(r, GUID_BYTES);
	if (bytes != NULL)
		memcpy(out->bytes, bytes, GUID_BYTES);
}

/* False: it is torn, or not ours. */
static bool
read_entry(struct reader *r, struct entry *out)
{
	const uint32_t len = reader_u32(r);
	const uint32_t sum = reader_u32(r);
	const uint8_t *bytes = reader_take(r, len);
	if (bytes == NULL || len > SPOOL_ENTRY_BYTES_MAX || checksum(bytes, len) != sum)
		return false;
	struct reader in = reader_of(bytes, len);
	*out = (struct entry){ 0 };
	const uint8_t kind = reader_u8(&in);
	if (kind == KIND_RECORD) {
		struct cdr_entry *record = &out->record;
		out->is_record = true;
		record->sequence = reader_u64(&in);
		read_guid(&in, &record->session);
		record->correlator = reader_u32(&in);
		record->type = reader_u8(&in);
		record->wall_us = (int64_t)reader_u64(&in);
		record->body.len = reader_left(&in);
		record->body.at = (const char *)reader_take(&in, record->body.len);
		return !in.failed && record->sequence != 0;
	}
	read_guid(&in, &out->mark.receiver);
	out->mark.next = reader_u64(&in);
	read_guid(&in, &out->mark.session);
	out->mark.index = reader_u32(&in);
	return !in.failed && kind == KIND_MARK && reader_left(&in) == 0;
}

static void
begin_entry(struct writer *w, struct spool_files *files, uint8_t kind)
{
	*w = writer_of(files->bytes, HEAD_BYTES + SPOOL_ENTRY_BYTES_MAX);
	(void)writer_take(w, HEAD_BYTES);
	writer_u8(w, kind);
}

static void
end_entry(struct writer *w)
{
	CHECK(!w->failed);
	struct writer head = writer_of(w->bytes, HEAD_BYTES);
	writer_u32(&head, (uint32_t)(w->at - HEAD_BYTES));
	writer_u32(&head, checksum(w->bytes + HEAD_BYTES, w->at - HEAD_BYTES));
}

/* ------------------------------------------------------------------ marks */

static void
follow_mark(struct spool_files *files, const struct cdr_mark *mark)
{
	unsigned at = 0;
	while (at < files->mark_count && !guid_eq(&files->marks[at].receiver, &mark->receiver))
		at++;
	if (mark->next == 0) {
		if (at < files->mark_count)
			files->marks[at] = files->marks[--files->mark_count];
	} else if (at < CDR_RECEIVERS_MAX) {
		files->marks[at] = *mark;
		files->mark_count += at == files->mark_count;
		/* Numbers are never given twice, even if the records behind them are lost. */
		files->next = mark->next > files->next ? mark->next : files->next;
	}
}

/* ------------------------------------------------------------------ files */

static struct spool_part *
last_part(struct spool_files *files)
{
	CHECK(files->part_count != 0);
	return &files->parts[files->part_count - 1];
}

/* All of the entry, or nothing of it. */
static int
put(struct spool_files *files, const struct writer *w)
{
	struct spool_part *part = last_part(files);
	const ssize_t written = pwrite(files->fd, w->bytes, w->at, (off_t)part->bytes);
	if (written == (ssize_t)w->at) {
		part->bytes += w->at;
		return 0;
	}
	const int rc = written < 0 ? -errno : -ENOSPC;
	return ftruncate(files->fd, (off_t)part->bytes) == 0 ? rc : -errno;
}

static int
put_mark(struct spool_files *files, const struct cdr_mark *mark)
{
	struct writer w;
	begin_entry(&w, files, KIND_MARK);
	writer_bytes(&w, mark->receiver.bytes, GUID_BYTES);
	writer_u64(&w, mark->next);
	writer_bytes(&w, mark->session.bytes, GUID_BYTES);
	writer_u32(&w, mark->index);
	end_entry(&w);
	return put(files, &w);
}

static void
remove_oldest(struct spool_files *files)
{
	(void)unlinkat(files->dir_fd, name_of(files->parts[0].number).text, 0);
	files->part_count--;
	memmove(files->parts, files->parts + 1, files->part_count * sizeof *files->parts);
}

/* Those whose records everybody has, and those there is no room for. */
static void
prune(struct spool_files *files)
{
	uint64_t needed = UINT64_MAX;
	for (unsigned i = 0; i < files->mark_count; i++)
		needed = files->marks[i].next < needed ? files->marks[i].next : needed;
	while (files->part_count > 1 &&
	       (files->part_count > files->files_max || files->parts[0].first == 0 ||
	        files->parts[0].next <= needed))
		remove_oldest(files);
}

/* A new last file.  When it cannot be, the one before goes on. */
static int
turn_over(struct spool_files *files)
{
	const uint32_t number = files->part_count != 0 ? last_part(files)->number + 1 : 1;
	const int fd = openat(files->dir_fd, name_of(number).text,
	                      O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	const int before = files->fd;
	files->fd = fd;
	files->parts[files->part_count++] = (struct spool_part){ .number = number };
	int rc = 0;
	for (unsigned i = 0; i < files->mark_count && rc == 0; i++)
		rc = put_mark(files, &files->marks[i]);
	if (rc == 0 && (fsync(fd) != 0 || fsync(files->dir_fd) != 0))
		rc = -errno;
	if (rc != 0) {
		files->fd = before;
		files->part_count--;
		close(fd);
		(void)unlinkat(files->dir_fd, name_of(number).text, 0);
		return rc;
	}
	if (before >= 0)
		close(before);
	prune(files);
	return 0;
}

/* ------------------------------------------------------------------ reading at start */

/* Takes what stands in the file; the length of what is whole. */
static size_t
take_part(struct spool_files *files, struct spool_part *part, size_t len)
{
	struct reader r = reader_of(files->bytes, len);
	struct entry entry;
	size_t whole = 0;
	while (reader_left(&r) != 0 && read_entry(&r, &entry)) {
		whole = r.at;
		if (!entry.is_record) {
			follow_mark(files, &entry.mark);
			continue;
		}
		part->first = part->first == 0 ? entry.record.sequence : part->first;
		part->next = entry.record.sequence + 1;
		files->next = part->next > files->next ? part->next : files->next;
	}
	return whole;
}

static int
load_part(struct spool_files *files, uint32_t number, bool last)
{
	struct spool_part part = { .number = number };
	const int fd = openat(files->dir_fd, name_of(number).text, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	const ssize_t len = pread(fd, files->bytes, spool_files_bytes(files), 0);
	if (len < 0) {
		const int rc = -errno;
		close(fd);
		return rc;
	}
	part.bytes = take_part(files, &part, (size_t)len);
	files->parts[files->part_count++] = part;
	if (!last) {
		close(fd);
		return 0;
	}
	files->fd = fd;
	return ftruncate(fd, (off_t)part.bytes) == 0 ? 0 : -errno;
}

static int
compare_numbers(const void *a, const void *b)
{
	const uint32_t first = *(const uint32_t *)a;
	const uint32_t second = *(const uint32_t *)b;
	return (first > second) - (first < second);
}

/* More files than fit were written under another limit: the newest count. */
static int
list_parts(const struct spool_files *files, uint32_t **out, uint32_t *count)
{
	const int fd = dup(files->dir_fd);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL)
		return -errno;
	uint32_t cap = 0;
	int rc = 0;
	rewinddir(dir);
	for (const struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;) {
		struct str name = str_of(entry->d_name);
		uint32_t number = 0;
		if (!str_eq(str_cut(&name, '.'), STR("records")) || name.len != 10 ||
		    !str_u32(name, &number))
			continue;
		if (*count == cap) {
			cap = cap != 0 ? cap * 2 : 64;
			uint32_t *more = realloc(*out, cap * sizeof *more);
			rc = more != NULL ? 0 : -ENOMEM;
			*out = more != NULL ? more : *out;
		}
		if (rc == 0)
			(*out)[(*count)++] = number;
	}
	closedir(dir);
	if (rc == 0 && *count > 1)
		qsort(*out, *count, sizeof **out, compare_numbers);
	return rc;
}

static int
load(struct spool_files *files)
{
	uint32_t *numbers = NULL;
	uint32_t count = 0;
	int rc = list_parts(files, &numbers, &count);
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		if (count - i > files->files_max)
			(void)unlinkat(files->dir_fd, name_of(numbers[i]).text, 0);
		else
			rc = load_part(files, numbers[i], i + 1 == count);
	}
	free(numbers);
	if (rc == 0 && files->part_count == 0)
		rc = turn_over(files);
	if (rc == 0)
		prune(files);
	return rc;
}

int
spool_files_open(struct spool_files *files, const struct spool_settings *settings)
{
	*files = (struct spool_files){
		.fd = -1,
		.dir_fd = -1,
		.next = 1,
		.file_bytes = settings->file_bytes != 0 ? settings->file_bytes : SPOOL_FILE_BYTES,
		.files_max = settings->files_max != 0 ? settings->files_max : SPOOL_FILES_MAX,
	};
	int rc = 0;
	files->parts = calloc(files->files_max + 1u, sizeof *files->parts);
	files->bytes = malloc(spool_files_bytes(files));
	if (files->parts == NULL || files->bytes == NULL) {
		rc = -ENOMEM;
	} else if (mkdir(settings->dir, 0700) != 0 && errno != EEXIST) {
		rc = -errno;
	} else {
		files->dir_fd = open(settings->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = files->dir_fd >= 0 ? load(files) : -errno;
	}
	if (rc != 0)
		spool_files_close(files);
	return rc;
}

void
spool_files_close(struct spool_files *files)
{
	if (files->fd >= 0)
		close(files->fd);
	if (files->dir_fd >= 0)
		close(files->dir_fd);
	files->fd = files->dir_fd = -1;
	free(files->bytes);
	free(files->parts);
	files->bytes = NULL;
	files->parts = NULL;
}

/* ------------------------------------------------------------------ writing */

static int
make_room(struct spool_files *files, size_t len)
{
	return last_part(files)->bytes + len > files->file_bytes ? turn_over(files) : 0;
}

int
spool_files_append(struct spool_files *files, const struct cdr_entry *entry)
{
	struct writer w;
	CHECK(entry->sequence >= files->next && entry->body.len <= CDR_RECORD_BYTES_MAX);
	/* First: turning over writes marks into the same bytes. */
	int rc = make_room(files, HEAD_BYTES + 64 + entry->body.len);
	if (rc != 0)
		return rc;
	begin_entry(&w, files, KIND_RECORD);
	writer_u64(&w, entry->sequence);
	writer_bytes(&w, entry->session.bytes, GUID_BYTES);
	writer_u32(&w, entry->correlator);
	writer_u8(&w, entry->type);
	writer_u64(&w, (uint64_t)entry->wall_us);
	writer_str(&w, entry->body);
	end_entry(&w);
	rc = put(files, &w);
	if (rc != 0)
		return rc;
	struct spool_part *part = last_part(files);
	part->first = part->first == 0 ? entry->sequence : part->first;
	part->next = files->next = entry->sequence + 1;
	return 0;
}

int
spool_files_mark(struct spool_files *files, const struct cdr_mark *mark)
{
	follow_mark(files, mark);
	/* A new file begins with all marks, this one too. */
	const struct spool_part *part = last_part(files);
	if (part->bytes + 64 > files->file_bytes)
		return turn_over(files);
	const int rc = put_mark(files, mark);
	prune(files);
	return rc;
}

int
spool_files_sync(struct spool_files *files)
{
	return fdatasync(files->fd) == 0 ? 0 : -errno;
}

/* ------------------------------------------------------------------ reading */

uint64_t
spool_files_first(const struct spool_files *files)
{
	for (uint32_t i = 0; i < files->part_count; i++) {
		if (files->parts[i].first != 0)
			return files->parts[i].first;
	}
	return files->next;
}

static unsigned
read_part(const struct spool_files *files, const struct spool_part *part, uint64_t sequence,
          uint8_t *bytes, struct cdr_entry *entries, unsigned cap)
{
	const int fd = openat(files->dir_fd, name_of(part->number).text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	const ssize_t len = pread(fd, bytes, part->bytes, 0);
	close(fd);
	if (len < 0)
		return 0;
	struct reader r = reader_of(bytes, (size_t)len);
	struct entry entry;
	unsigned count = 0;
	while (count < cap && reader_left(&r) != 0 && read_entry(&r, &entry)) {
		if (entry.is_record && entry.record.sequence >= sequence)
			entries[count++] = entry.record;
	}
	return count;
}

unsigned
spool_files_read(const struct spool_files *files, uint64_t sequence, uint8_t *bytes,
                 struct cdr_entry *entries, unsigned cap)
{
	for (uint32_t i = 0; i < files->part_count; i++) {
		const struct spool_part *part = &files->parts[i];
		if (part->first == 0 || part->next <= sequence)
			continue;
		const unsigned count = read_part(files, part, sequence, bytes, entries, cap);
		if (count != 0)
			return count;
	}
	return 0;
}
