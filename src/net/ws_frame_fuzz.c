/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from strangers: what is read is written back to the same header, and a prefix of it always
 * waits. */
#include "base/check.h"
#include "net/ws_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ws_frame frame;
	if (ws_frame_parse(&frame, bytes, len) != WS_OK)
		return 0;
	CHECK(frame.header_len >= 2 && frame.header_len <= len);
	CHECK(frame.header_len <= WS_HEADER_BYTES_MAX);
	CHECK(frame.opcode < WS_OP_CLOSE || (frame.final && frame.len <= WS_CONTROL_BYTES_MAX));

	uint8_t again[WS_HEADER_BYTES_MAX];
	const size_t again_len =
	        ws_frame_write(again, frame.opcode, frame.len, frame.masked ? frame.mask : NULL);
	CHECK(again_len == frame.header_len);
	CHECK((again[0] & 0x0f) == (bytes[0] & 0x0f));
	CHECK(memcmp(again + 1, bytes + 1, again_len - 1) == 0);
	for (size_t n = 0; n < frame.header_len; n++) {
		struct ws_frame part;
		CHECK(ws_frame_parse(&part, bytes, n) == WS_MORE);
	}
	return 0;
}
