/* SPDX-License-Identifier: Apache-2.0 */
/* Property: any expression on any text ends, within its bounds (pattern_check.h).  The first line is
 * the expression. */
#include "base/pattern_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len };
	const struct str expression = str_cut(&text, '\n');
	if (text.len > 256)
		text.len = 256;
	(void)check_pattern(expression, text);
	return 0;
}
