/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever an administrator writes as a mapping: see mapping_property.h. */
#include "ldap/mapping_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mapping_property((struct str){ (const char *)data, size });
	return 0;
}
