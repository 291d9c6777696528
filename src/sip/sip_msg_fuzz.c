/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_msg_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	check_message(bytes, len);
	return 0;
}
