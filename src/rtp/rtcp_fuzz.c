/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as RTCP, compound and reduced-size. */
#include "rtp/rtp_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	rtcp_property(bytes, len, false);
	rtcp_property(bytes, len, true);
	return 0;
}
