/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of any expression on any text, for the test and the fuzzer alike: groups lie inside
 * the match and the match inside the text, and a program stays within its limits. */
#ifndef BASE_PATTERN_CHECK_H
#define BASE_PATTERN_CHECK_H

#include "base/check.h"
#include "base/pattern.h"

static inline bool
check_pattern(struct str expression, struct str text)
{
	struct pattern pattern;
	struct pattern_match match;
	if (pattern_compile(&pattern, expression) != PATTERN_OK)
		return false;
	CHECK(pattern.step_count <= PATTERN_STEPS_MAX && pattern.set_count <= PATTERN_SETS_MAX);
	for (size_t from = 0; from <= text.len; from += 1 + from / 4) {
		if (!pattern_find(&pattern, text, from, &match))
			continue;
		CHECK(match.at[0][0] >= from && match.at[0][1] <= text.len);
		for (unsigned i = 0; i < PATTERN_GROUPS_MAX; i++) {
			if (match.at[i][0] == UINT16_MAX || match.at[i][1] == UINT16_MAX)
				continue;
			CHECK(match.at[i][0] <= match.at[i][1]);
			CHECK(match.at[i][1] <= match.at[0][1]);
		}
	}
	uint8_t out[4 * PATTERN_TEXT_MAX];
	struct writer w = writer_of(out, sizeof out);
	pattern_replace(&w, &pattern, text, STR("[\\1$0]"));
	CHECK(w.at <= sizeof out);
	return true;
}

#endif
