/* SPDX-License-Identifier: Apache-2.0 */
/* archive -- a tar.gz of plain files, written and read in one pass: what backups and log bundles are.
 *
 *	archive_create(&archive, fd);                 archive_open(&archive, fd);
 *	archive_put_text(archive, "about", text);     while (archive_next(archive, &entry) > 0)
 *	archive_put_file(archive, "log", log_fd, ..);         while ((n = archive_read(archive, ...)) > 0)
 *	rc = archive_finish(archive);                                 ...
 *	archive_destroy(archive);                     archive_destroy(archive);
 *
 * Ownership  create or open, then destroy.  The descriptors stay the caller's.
 * Threads    One owner; blocking.
 * Units      Bytes before they are packed.
 * Errors     -errno; -EBADMSG for what is no such archive, or a broken one; -EFBIG beyond
 *            ARCHIVE_BYTES_MAX.
 * Limits     ARCHIVE_BYTES_MAX unpacked, ARCHIVE_FILES_MAX files.
 */
#ifndef SUPERVISOR_ARCHIVE_H
#define SUPERVISOR_ARCHIVE_H

#include "base/str.h"
#include "supervisor/tar.h"

enum {
	ARCHIVE_FILES_MAX = 1024,
	ARCHIVE_SUM_BYTES = 65, /* SHA-256 as text, with NUL */
};
#define ARCHIVE_BYTES_MAX (4ull << 30)

struct archive;

[[nodiscard]] int archive_create(struct archive **out, int fd);
[[nodiscard]] int archive_put_text(struct archive *archive, const char *name, struct str text);
/* From where `fd` stands, at most `max` bytes, as long as it is now. */
[[nodiscard]] int archive_put_file(struct archive *archive, const char *name, int fd, uint64_t max);
[[nodiscard]] int archive_finish(struct archive *archive);

[[nodiscard]] int archive_open(struct archive **out, int fd);
/* 1: a file begins; 0: that was all. */
[[nodiscard]] int archive_next(struct archive *archive, struct tar_entry *entry);
/* Of the file that began; 0 at its end. */
[[nodiscard]] int archive_read(struct archive *archive, void *bytes, size_t cap);

/* The SHA-256 of the file that was just put, or read to its end. */
void archive_sum(const struct archive *archive, char out[ARCHIVE_SUM_BYTES]);

void archive_destroy(struct archive *archive);

#endif
