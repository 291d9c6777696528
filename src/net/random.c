/* SPDX-License-Identifier: Apache-2.0 */
#include "net/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/check.h"

void
random_bytes(void *out, size_t len)
{
	uint8_t *at = out;
	while (len != 0) {
		const ssize_t got = getrandom(at, len, 0);
		CHECK(got > 0 || errno == EINTR);
		if (got > 0) {
			at += got;
			len -= (size_t)got;
		}
	}
}

uint64_t
random_u64(void)
{
	uint64_t value;
	random_bytes(&value, sizeof value);
	return value;
}
