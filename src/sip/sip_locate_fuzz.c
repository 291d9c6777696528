/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_locate_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	check_locate(bytes, len);
	return 0;
}
