/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes in the ring that the codec process writes: what the worker takes out is in range, and
 * it comes to an end.  Input: the ring's head index, then its first bytes. */
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/shm_ring.h"
#include "codec/codec_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { AHEAD_BYTES = 64, RING_HEADER_BYTES = 128 };

static void
check(const struct codec_message *message)
{
	CHECK(message->kind >= CODEC_FRAME && message->kind < CODEC_MESSAGE_KINDS);
	CHECK(message->kind != CODEC_FRAME ||
	      (message->frame.rotation < 360 && message->frame.rotation % 90 == 0));
	CHECK(message->kind != CODEC_FRAME || message->len != 0);
	CHECK(message->kind != CODEC_SOURCE_KEY || message->source != 0);
	uint8_t sum = 0;
	for (size_t i = 0; i < message->len; i++)
		sum = (uint8_t)(sum + message->bytes[i]);
	(void)sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const size_t ring_bytes = shm_ring_bytes(CODEC_LINK_RING_BYTES_MAX);
	const size_t all = AHEAD_BYTES + 2 * ring_bytes;
	struct codec_link *link = NULL;
	struct reader r = reader_of(bytes, len);
	CHECK(codec_link_create(&link) == 0);
	uint8_t *memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED,
	                       codec_link_child_fds(link)[0], 0);
	CHECK(memory != MAP_FAILED);
	uint8_t *ring = memory + AHEAD_BYTES + ring_bytes;
	const uint32_t head = reader_u32(&r);
	memcpy(ring, &head, sizeof head);
	const size_t left = r.failed ? 0 : reader_left(&r);
	if (left != 0)
		memcpy(ring + RING_HEADER_BYTES, reader_take(&r, left), left);

	struct codec_message message;
	enum codec_link_take take;
	unsigned taken = 0;
	while ((take = codec_link_take(link, &message)) == CODEC_LINK_MESSAGE) {
		check(&message);
		CHECK(++taken <= CODEC_LINK_RING_BYTES_MAX / 8);
	}
	CHECK((take == CODEC_LINK_BROKEN) == codec_link_broken(link));
	munmap(memory, all);
	codec_link_put(link);
	return 0;
}
