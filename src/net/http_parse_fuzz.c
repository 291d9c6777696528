/* SPDX-License-Identifier: Apache-2.0 */
/* Heads and chunks from strangers: accepted views stay inside, and a chunked body reads the same
 * whole and byte by byte. */
#include "net/http_parse_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct sum {
	uint64_t hash;
	size_t data_len;
	size_t taken;
	enum http_chunk_state state;
	enum http_reject reject;
};

static struct sum
unchunk(const char *bytes, size_t len, size_t piece)
{
	struct http_chunks chunks = { 0 };
	struct sum sum = { .hash = 14695981039346656037u };
	while (sum.taken < len && chunks.state != HTTP_CHUNK_DONE && sum.reject == HTTP_OK) {
		const size_t left = len - sum.taken < piece ? len - sum.taken : piece;
		struct str data;
		const size_t taken =
		        http_chunks_input(&chunks, bytes + sum.taken, left, &data, &sum.reject);
		CHECK(taken != 0 && taken <= left);
		for (size_t i = 0; i < data.len; i++)
			sum.hash = (sum.hash ^ (uint8_t)data.at[i]) * 1099511628211u;
		sum.data_len += data.len;
		sum.taken += taken;
	}
	sum.state = chunks.state;
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	http_parse_check(text, len);
	const struct sum whole = unchunk(text, len, len != 0 ? len : 1);
	const struct sum single = unchunk(text, len, 1);
	CHECK(whole.hash == single.hash && whole.data_len == single.data_len);
	CHECK(whole.taken == single.taken && whole.state == single.state);
	CHECK(whole.reject == single.reject);
	return 0;
}
