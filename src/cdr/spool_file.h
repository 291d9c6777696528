/* SPDX-License-Identifier: Apache-2.0 */
/* spool_file -- the spool's files: numbered, appended to, begun anew when full, read again at start.
 *
 * Blocking; the spool's thread owns it (cdr/spool.h tells what it is for).
 *
 *	file   = entry ...
 *	entry  = length u32, checksum u32, then `length` bytes:
 *	record = 1, sequence u64, session 16, correlator u32, type u8, wall_us u64, body
 *	mark   = 2, receiver 16, next u64, session 16, index u32
 *
 * Each file begins with all marks, so that older ones can go.
 *
 * Ownership  open/close in the caller's memory.
 * Threads    One.
 * Units      Bytes.
 * Errors     0 or -errno.
 */
#ifndef CDR_SPOOL_FILE_H
#define CDR_SPOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdr/spool.h"

enum {
	SPOOL_ENTRY_BYTES_MAX = CDR_RECORD_BYTES_MAX + 64,
};

struct spool_part {
	uint32_t number;
	uint64_t first; /* of its records; 0: it has none */
	uint64_t next;
	size_t bytes;
};

struct spool_files {
	int fd;         /* of the last part */
	int dir_fd;
	uint32_t file_bytes;
	uint32_t files_max;
	uint64_t next;  /* behind the last record there ever was */
	unsigned mark_count;
	struct cdr_mark marks[CDR_RECEIVERS_MAX];
	uint32_t part_count;
	struct spool_part *parts; /* oldest first */
	uint8_t *bytes; /* a whole file, or an entry being written */
};

[[nodiscard]] int spool_files_open(struct spool_files *files,
                                   const struct spool_settings *settings);
void spool_files_close(struct spool_files *files);

[[nodiscard]] int spool_files_append(struct spool_files *files, const struct cdr_entry *entry);
[[nodiscard]] int spool_files_mark(struct spool_files *files, const struct cdr_mark *mark);
[[nodiscard]] int spool_files_sync(struct spool_files *files);

/* The first record that is still there, or `next`. */
[[nodiscard]] uint64_t spool_files_first(const struct spool_files *files);
/* Records from `sequence` on, of one file; `bytes` has room for a file and is what they borrow. */
[[nodiscard]] unsigned spool_files_read(const struct spool_files *files, uint64_t sequence,
                                        uint8_t *bytes, struct cdr_entry *entries, unsigned cap);
/* How many bytes a file can have at most. */
[[nodiscard]] size_t spool_files_bytes(const struct spool_files *files);

#endif
