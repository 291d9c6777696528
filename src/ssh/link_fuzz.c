/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/check.h"
#include "ssh/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A message that is read is written as the same bytes. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static char again[LINK_BYTES_MAX];
	struct writer w = writer_of(again, sizeof again);
	struct link_message message;
	if (!link_read(&message, bytes, len))
		return 0;
	CHECK(message.text.len <= LINK_TEXT_MAX && message.more.len <= LINK_TEXT_MAX);
	link_write(&w, &message);
	CHECK(!w.failed && w.at == len && memcmp(again, bytes, len) == 0);
	return 0;
}
