/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stream of telephone events, eight a packet: 16-bit timestamp, time, flags, and the
 * payload.  Presses and releases must alternate. */
#include "base/check.h"
#include "rtp/rtp_dtmf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool
drain(struct dtmf_receive *receive, bool pressed)
{
	for (struct dtmf_event event; (event = dtmf_receive_poll(receive)).kind != DTMF_NONE;) {
		CHECK((event.kind == DTMF_PRESSED) == !pressed);
		CHECK(dtmf_event_of(event.digit) >= 0);
		pressed = !pressed;
	}
	CHECK(pressed == receive->active);
	return pressed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct dtmf_receive receive;
	struct reader r = reader_of(bytes, len);
	int64_t now_us = 0;
	bool pressed = false;
	dtmf_receive_init(&receive, 8000);
	while (reader_left(&r) >= 4) {
		const uint32_t timestamp_rtp = reader_u16(&r);
		now_us += reader_u8(&r) * 1000;
		const uint8_t flags = reader_u8(&r);
		const size_t want = flags & 7;
		const size_t payload_len = want < reader_left(&r) ? want : reader_left(&r);
		const uint8_t *payload = reader_take(&r, payload_len);
		dtmf_receive_tick(&receive, now_us);
		pressed = drain(&receive, pressed);
		dtmf_receive_input(&receive, timestamp_rtp, flags >> 7 != 0, payload, payload_len,
		                   now_us);
		pressed = drain(&receive, pressed);
	}
	return 0;
}
