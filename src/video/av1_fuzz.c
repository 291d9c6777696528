/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a payload of AV1, and as a whole temporal unit. */
#include "video/video_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	facts_property(VIDEO_CODEC_AV1, bytes, len);
	if (len <= PACKET_PAYLOAD_BYTES_MAX)
		av1_join_property(bytes, len);
	return 0;
}
