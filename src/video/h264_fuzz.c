/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what the first byte names: an RTP payload, a parameter set, SDP parameters, or a
 * byte stream to be cut into packets. */
#include "video/video_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	const uint8_t what = bytes[0];
	bytes++;
	len--;
	switch (what % 4) {
	case 0:
		h264_walk_property(bytes, len);
		facts_property(VIDEO_CODEC_H264, bytes, len);
		break;
	case 1:
		h264_sets_property(bytes, len);
		break;
	case 2:
		h264_fmtp_property((const char *)bytes, len);
		break;
	default:
		if (len < 1 << 16)
			h264_packetizer_property(bytes, len, what >> 7,
			                         (uint16_t)(16 + (what & 0x7f)));
		break;
	}
	return 0;
}
