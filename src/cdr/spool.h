/* SPDX-License-Identifier: Apache-2.0 */
/* spool -- call detail records on the disk until each receiver has them, written and read by a
 * thread of its own.
 *
 * A folder of numbered files that only grow; a file is begun when the one before is full and removed
 * when no receiver needs it any more.  Each holds entries with a length and a checksum: a record, or a
 * receiver's mark.  After kill -9 or a power cut a torn entry at the end is cut off; what was told as
 * stored is there.
 *
 * Ownership  open/close; what is given is copied.
 * Threads    All calls from the thread that opened it; `wake` comes from the spool's own thread and
 *            may only wake.
 * Errors     0 or -errno at opening.  What cannot be written is told by SPOOL_FAILED and missing
 *            from then on: its sequence is never given back.
 * Limits     SPOOL_FILES_MAX of SPOOL_FILE_BYTES; when they are full the oldest goes, needed or not.
 *            SPOOL_WAITING_MAX orders before the thread; a record more is missing.
 */
#ifndef CDR_SPOOL_H
#define CDR_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdr/cdr.h"

enum {
	SPOOL_FILE_BYTES = 1024 * 1024,
	SPOOL_FILES_MAX = 64,
	SPOOL_WAITING_MAX = 8192,
	SPOOL_ERROR_MAX = 256,
};

struct spool;

struct spool_settings {
	const char *dir;      /* made when it is missing */
	uint32_t file_bytes;  /* 0: SPOOL_FILE_BYTES */
	uint32_t files_max;   /* 0: SPOOL_FILES_MAX */
	void (*wake)(void *context);
	void *context;
};

struct spool_loaded {
	uint64_t first;
	uint64_t next;        /* at least 1 */
	unsigned mark_count;
	struct cdr_mark marks[CDR_RECEIVERS_MAX];
};

[[nodiscard]] int spool_open(struct spool **out, const struct spool_settings *settings,
                             struct spool_loaded *loaded);
/* Waits until all is written. */
void spool_close(struct spool *spool);

void spool_append(struct spool *spool, const struct cdr_entry *entry);
void spool_mark(struct spool *spool, const struct cdr_mark *mark);
void spool_read(struct spool *spool, unsigned slot, uint64_t sequence);

enum spool_result_kind {
	SPOOL_STORED, /* `first`, `next` */
	SPOOL_BATCH,  /* `slot`, `entries` */
	SPOOL_FAILED, /* `error` */
};

struct spool_result {
	enum spool_result_kind kind;
	uint64_t first;
	uint64_t next;
	unsigned slot;
	unsigned count;
	const struct cdr_entry *entries; /* borrowed until the next call */
	const char *error;
};

/* False: nothing more for now. */
[[nodiscard]] bool spool_take(struct spool *spool, struct spool_result *out);

#endif
