/* SPDX-License-Identifier: Apache-2.0 */
/* tar -- headers of tar files (POSIX ustar), as far as our own archives need them: plain files with
 * short names.
 *
 * Sans-IO: a block in, a view out.
 *
 * Ownership  Values.
 * Threads    Pure functions.
 * Units      Bytes; seconds since 1970.
 * Errors     A header that is not ours is TAR_BAD.
 * Limits     TAR_NAME_MAX bytes of a name, with NUL; TAR_SIZE_MAX bytes of a file.
 */
#ifndef SUPERVISOR_TAR_H
#define SUPERVISOR_TAR_H

#include <stddef.h>
#include <stdint.h>

enum {
	TAR_BLOCK_BYTES = 512,
	TAR_NAME_MAX = 101,
};
#define TAR_SIZE_MAX 0x1ffffffffull /* eleven octal digits */

struct tar_entry {
	char name[TAR_NAME_MAX];
	uint64_t size;
	int64_t time_s;
};

enum tar_kind {
	TAR_FILE, /* `size` bytes follow, and zeros up to a whole block */
	TAR_END,  /* nothing more */
	TAR_BAD,
};

/* A file of mode 0600.  The name is printable ASCII. */
void tar_write(uint8_t block[TAR_BLOCK_BYTES], const struct tar_entry *entry);
[[nodiscard]] enum tar_kind tar_read(struct tar_entry *out, const uint8_t block[TAR_BLOCK_BYTES]);

#endif
