/* SPDX-License-Identifier: Apache-2.0 */
#include "c2w/json_read.h"

static bool
is_shallow(struct str text, unsigned depth_max)
{
	unsigned depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.at[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > depth_max)
			return false;
		else if (!quoted && (c == '}' || c == ']') && depth-- == 0)
			return false;
	}
	return true;
}

json_t *
json_read(struct str text, unsigned depth_max)
{
	return text.len != 0 && is_shallow(text, depth_max)
	               ? json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL)
	               : NULL;
}
