/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_stream_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	check_stream(bytes, len);
	return 0;
}
