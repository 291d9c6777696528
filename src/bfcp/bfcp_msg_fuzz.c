/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a BFCP message. */
#include "bfcp/bfcp_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	bfcp_property(bytes, len);
	return 0;
}
