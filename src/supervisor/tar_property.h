/* SPDX-License-Identifier: Apache-2.0 */
/* What unit tests and the fuzz target ask of every block: a header that is read is written as one
 * that reads the same. */
#ifndef SUPERVISOR_TAR_PROPERTY_H
#define SUPERVISOR_TAR_PROPERTY_H

#include <string.h>

#include "base/check.h"
#include "supervisor/tar.h"

static inline void
tar_property(const uint8_t block[TAR_BLOCK_BYTES])
{
	struct tar_entry entry, again;
	uint8_t written[TAR_BLOCK_BYTES];
	if (tar_read(&entry, block) != TAR_FILE)
		return;
	CHECK(memchr(entry.name, '\0', sizeof entry.name) != NULL);
	CHECK(entry.size <= TAR_SIZE_MAX && entry.time_s >= 0);
	tar_write(written, &entry);
	CHECK(tar_read(&again, written) == TAR_FILE);
	CHECK(memcmp(&entry, &again, sizeof entry) == 0);
}

#endif
