/* SPDX-License-Identifier: Apache-2.0 */
/* Property: whatever is given as a layout template, what is taken lies on the grid, and what is not
 * is told why (layout_check.h). */
#include "meeting/layout_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	(void)check_template((struct str){ (const char *)bytes, len });
	return 0;
}
