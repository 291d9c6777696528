/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/tar_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t block[TAR_BLOCK_BYTES] = { 0 };
	memcpy(block, bytes, len < sizeof block ? len : sizeof block);
	tar_property(block);
	return 0;
}
