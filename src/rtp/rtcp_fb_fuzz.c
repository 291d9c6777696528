/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as RTCP feedback. */
#include "rtp/rtcp_fb_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	rtcp_fb_property(bytes, len);
	return 0;
}
