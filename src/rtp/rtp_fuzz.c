/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an RTP packet, and as the sequence numbers and times that statistics count. */
#include "rtp/rtp_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	rtp_property(bytes, len);
	(void)rtp_kind_of(bytes, len);

	struct rtp_receive receive;
	struct reader r = reader_of(bytes, len);
	int64_t now_us = 0;
	rtp_receive_init(&receive, 48000);
	while (reader_left(&r) >= 4) {
		const struct rtp_packet packet = { .seq = reader_u16(&r),
			                           .timestamp_rtp = reader_u16(&r) * 960u };
		now_us += 20000;
		(void)rtp_receive_input(&receive, &packet, now_us);
		CHECK(receive.base <= receive.seq.highest);
		CHECK(rtp_receive_lost(&receive) >= 0);
	}
	return 0;
}
