/* SPDX-License-Identifier: Apache-2.0 */
/* log_file -- DATA/log/convoke.log: appended to, and turned over when it is full.
 *
 * Ownership  open/close; the path is copied.
 * Threads    One owner.
 * Errors     0 or -errno from opening; what cannot be written is lost, a log has nowhere to say so.
 * Limits     LOG_FILE_BYTES_MAX a file, LOG_FILES_KEPT older ones: NAME.1 is the youngest.
 */
#ifndef SUPERVISOR_LOG_FILE_H
#define SUPERVISOR_LOG_FILE_H

#include <stddef.h>
#include <stdint.h>

enum {
	LOG_FILE_BYTES_MAX = 64 << 20,
	LOG_FILES_KEPT = 5,
	LOG_FILE_PATH_MAX = 1152,
};

struct log_file {
	int fd;
	uint64_t bytes;
	uint64_t bytes_max;
	char path[LOG_FILE_PATH_MAX];
};

[[nodiscard]] int log_file_open(struct log_file *file, const char *path);
void log_file_close(struct log_file *file);

/* Whole lines, so that no line is torn between two files. */
void log_file_write(struct log_file *file, const char *bytes, size_t len);
/* Counts `len` bytes that are about to be written to `fd` by somebody else. */
void log_file_make_room(struct log_file *file, size_t len);
/* At once: what is there becomes NAME.1. */
void log_file_turn_over(struct log_file *file);
/* After somebody else moved the file away. */
void log_file_reopen(struct log_file *file);

#endif
