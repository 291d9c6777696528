/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/check.h"
#include "base/encode.h"

enum {
	PIECE_BYTES = 65536,
	SUM_RAW_BYTES = 32,
};

struct archive {
	gzFile file;
	EVP_MD_CTX *hash;
	bool writes;
	unsigned files;
	uint64_t total;
	uint64_t size; /* of the entry */
	uint64_t left; /* of it */
	uint8_t sum[SUM_RAW_BYTES];
	uint8_t piece[PIECE_BYTES];
};

static int
open_mode(struct archive **out, int fd, const char *mode)
{
	struct archive *archive = calloc(1, sizeof *archive);
	const int own = archive != NULL ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
	*out = NULL;
	if (own < 0) {
		free(archive);
		return archive != NULL ? -EMFILE : -ENOMEM;
	}
	archive->writes = mode[0] == 'w';
	archive->hash = EVP_MD_CTX_new();
	archive->file = gzdopen(own, mode);
	if (archive->file == NULL)
		close(own);
	if (archive->file == NULL || archive->hash == NULL) {
		archive_destroy(archive);
		return -ENOMEM;
	}
	*out = archive;
	return 0;
}

void
archive_destroy(struct archive *archive)
{
	if (archive == NULL)
		return;
	EVP_MD_CTX_free(archive->hash);
	if (archive->file != NULL)
		(void)gzclose(archive->file);
	explicit_bzero(archive, sizeof *archive); /* keys went through it */
	free(archive);
}

/* What zlib says of the file, as -errno. */
static int
error_of(const struct archive *archive)
{
	int code = Z_OK;
	(void)gzerror(archive->file, &code);
	return code == Z_ERRNO    ? (errno != 0 ? -errno : -EIO)
	       : code == Z_MEM_ERROR ? -ENOMEM
	                             : -EBADMSG;
}

static void
begin_entry(struct archive *archive, uint64_t size)
{
	archive->size = archive->left = size;
	CHECK(EVP_DigestInit_ex(archive->hash, EVP_sha256(), NULL) == 1);
}

static void
hash(struct archive *archive, const void *bytes, size_t len)
{
	CHECK(EVP_DigestUpdate(archive->hash, bytes, len) == 1);
	archive->left -= len;
	if (archive->left == 0)
		CHECK(EVP_DigestFinal_ex(archive->hash, archive->sum, NULL) == 1);
}

void
archive_sum(const struct archive *archive, char out[ARCHIVE_SUM_BYTES])
{
	struct writer w = writer_of(out, ARCHIVE_SUM_BYTES);
	CHECK(archive->left == 0);
	encode_hex(&w, archive->sum, sizeof archive->sum);
	writer_u8(&w, '\0');
}

static size_t
padding(uint64_t size)
{
	return (size_t)(-size & (TAR_BLOCK_BYTES - 1));
}

/* -- writing ----------------------------------------------------------------------------------- */

int
archive_create(struct archive **out, int fd)
{
	return open_mode(out, fd, "wb4");
}

static int
put(struct archive *archive, const void *bytes, size_t len)
{
	errno = 0;
	return len == 0 || gzwrite(archive->file, bytes, (unsigned)len) == (int)len
	               ? 0
	               : error_of(archive);
}

static int
put_head(struct archive *archive, const char *name, uint64_t size)
{
	struct tar_entry entry = { .size = size, .time_s = time(NULL) };
	uint8_t block[TAR_BLOCK_BYTES];
	CHECK(archive->writes && archive->left == 0);
	archive->total += size;
	if (++archive->files > ARCHIVE_FILES_MAX || archive->total > ARCHIVE_BYTES_MAX)
		return -EFBIG;
	if (!str_copy(entry.name, sizeof entry.name, str_of(name)))
		return -ENAMETOOLONG;
	tar_write(block, &entry);
	begin_entry(archive, size);
	return put(archive, block, sizeof block);
}

static int
put_padding(struct archive *archive)
{
	static const uint8_t zeros[TAR_BLOCK_BYTES];
	return put(archive, zeros, padding(archive->size));
}

int
archive_put_text(struct archive *archive, const char *name, struct str text)
{
	int rc = put_head(archive, name, text.len);
	if (rc == 0)
		rc = put(archive, text.at, text.len);
	if (rc == 0)
		hash(archive, text.at, text.len);
	return rc == 0 ? put_padding(archive) : rc;
}

int
archive_put_file(struct archive *archive, const char *name, int fd, uint64_t max)
{
	struct stat info;
	const off_t from = lseek(fd, 0, SEEK_CUR);
	if (from < 0 || fstat(fd, &info) != 0)
		return -errno;
	const uint64_t there = info.st_size > from ? (uint64_t)(info.st_size - from) : 0;
	int rc = put_head(archive, name, there < max ? there : max);
	if (rc == 0 && archive->left == 0)
		hash(archive, "", 0);
	while (rc == 0 && archive->left != 0) {
		const size_t want = archive->left < PIECE_BYTES ? (size_t)archive->left : PIECE_BYTES;
		ssize_t got = read(fd, archive->piece, want);
		if (got < 0)
			return -errno;
		if (got == 0) { /* it became shorter meanwhile */
			memset(archive->piece, 0, want);
			got = (ssize_t)want;
		}
		rc = put(archive, archive->piece, (size_t)got);
		hash(archive, archive->piece, (size_t)got);
	}
	return rc == 0 ? put_padding(archive) : rc;
}

int
archive_finish(struct archive *archive)
{
	static const uint8_t end[2 * TAR_BLOCK_BYTES];
	int rc = put(archive, end, sizeof end);
	errno = 0;
	if (rc == 0 && gzflush(archive->file, Z_FINISH) != Z_OK)
		rc = error_of(archive);
	return rc;
}

/* -- reading ----------------------------------------------------------------------------------- */

int
archive_open(struct archive **out, int fd)
{
	return open_mode(out, fd, "rb");
}

static int
get(struct archive *archive, void *bytes, size_t len)
{
	errno = 0;
	const int got = gzread(archive->file, bytes, (unsigned)len);
	return got == (int)len ? 0 : got < 0 ? error_of(archive) : -EBADMSG;
}

/* gzip's own checksum stands behind everything: of what no file's is, padding for instance. */
static int
read_out(struct archive *archive)
{
	errno = 0;
	const int got = gzread(archive->file, archive->piece, PIECE_BYTES);
	if (got < 0)
		return error_of(archive);
	if (got > TAR_BLOCK_BYTES)
		return -EBADMSG;
	return gzread(archive->file, archive->piece, 1) == 0 ? 0 : error_of(archive);
}

int
archive_next(struct archive *archive, struct tar_entry *entry)
{
	uint8_t block[TAR_BLOCK_BYTES];
	int rc = 0;
	CHECK(!archive->writes);
	while (rc == 0 && archive->left != 0) { /* what the caller did not care for */
		rc = archive_read(archive, archive->piece, PIECE_BYTES);
		rc = rc < 0 ? rc : 0;
	}
	if (rc == 0)
		rc = get(archive, block, padding(archive->size));
	archive->size = 0;
	if (rc == 0)
		rc = get(archive, block, sizeof block);
	if (rc != 0)
		return rc;
	switch (tar_read(entry, block)) {
	case TAR_END:
		return read_out(archive);
	case TAR_BAD:
		return -EBADMSG;
	case TAR_FILE:
		break;
	}
	archive->total += entry->size;
	if (++archive->files > ARCHIVE_FILES_MAX || archive->total > ARCHIVE_BYTES_MAX)
		return -EFBIG;
	begin_entry(archive, entry->size);
	if (entry->size == 0)
		hash(archive, "", 0);
	return 1;
}

int
archive_read(struct archive *archive, void *bytes, size_t cap)
{
	size_t want = archive->left < cap ? (size_t)archive->left : cap;
	want = want < PIECE_BYTES ? want : PIECE_BYTES;
	if (want == 0)
		return 0;
	const int rc = get(archive, bytes, want);
	if (rc != 0)
		return rc;
	hash(archive, bytes, want);
	return (int)want;
}
