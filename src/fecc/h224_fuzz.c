/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an H.224 frame, and as a row of frames, each behind its length and a pause, that a
 * camera control has to live through. */
#include "fecc/fecc.h"
#include "fecc/h224_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct fecc_settings settings = { .can = H281_CAN_PAN | H281_CAN_ZOOM, .presets = 3 };
	struct reader r = reader_of(bytes, len);
	struct fecc fecc;
	int64_t now_us = 0;
	h224_property(bytes, len);
	fecc_init(&fecc, &settings, 0);
	while (reader_left(&r) >= 2) {
		now_us += reader_u8(&r) * INT64_C(10000);
		fecc_tick(&fecc, now_us);
		size_t frame_len = reader_u8(&r);
		if (frame_len > reader_left(&r))
			frame_len = reader_left(&r);
		fecc_input(&fecc, reader_take(&r, frame_len), frame_len, now_us);
		bool moved = fecc_move(&fecc, (uint8_t)frame_len, INT64_MAX, now_us);
		for (unsigned outs = 0;; outs++) {
			const struct fecc_out out = fecc_poll(&fecc);
			if (out.kind == FECC_OUT_NONE)
				break;
			CHECK(outs < 16);
			if (out.kind == FECC_OUT_PAYLOAD)
				h224_property(out.bytes, out.len);
			if (out.kind == FECC_OUT_MOVE)
				CHECK(out.action != 0);
		}
		CHECK(!moved || fecc.can != 0);
		CHECK(fecc_deadline(&fecc) > now_us);
	}
	return 0;
}
