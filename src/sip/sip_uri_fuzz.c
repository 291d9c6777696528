/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_uri_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	check_uri(bytes, len);
	return 0;
}
