/* SPDX-License-Identifier: Apache-2.0 */
/* files -- the few things we do with small files, done so that a crash leaves the old or the new
 * one, never half.
 *
 * Blocking: for start, reload and administrators' commands, not for the hot path.
 *
 * Ownership  file_read() gives malloc'd bytes; the caller frees them.
 * Threads    Any.
 * Units      Bytes; modes are octal as in chmod(1).
 * Errors     0 or -errno; -EFBIG for a file larger than the bound.
 */
#ifndef NET_FILES_H
#define NET_FILES_H

#include <stddef.h>
#include <stdint.h>

/* Replaces `path` by `bytes`: temporary file beside it, fsync, rename, fsync of the folder. */
[[nodiscard]] int file_replace(const char *path, const void *bytes, size_t len, unsigned mode);

/* All of a file of at most `max` bytes, with a NUL behind it that `len` does not count. */
[[nodiscard]] int file_read(const char *path, size_t max, char **bytes, size_t *len);

/* Makes room for a new file of that name: it becomes PATH.1, that one PATH.2 and so on; `kept` of
 * them stay.  Those that are not there are passed over. */
void file_turn_over(const char *path, unsigned kept);

/* Makes a folder and those above it that are missing; an existing folder is fine. */
[[nodiscard]] int dir_make(const char *path, unsigned mode);

/* The folder that our own executable is in, for what lies beside it. */
[[nodiscard]] int dir_of_program(char *out, size_t cap);

#endif
