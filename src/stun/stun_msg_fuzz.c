/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/stun_msg_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	(void)stun_msg_property(bytes, len);
	return 0;
}
