/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a payload of VP8. */
#include "video/video_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	facts_property(VIDEO_CODEC_VP8, bytes, len);
	return 0;
}
