/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

enum {
	CODE_MAX = 0x10ffff,
	SURROGATE_FIRST = 0xd800,
	SURROGATE_LAST = 0xdfff,
};

/* The length that a first byte announces. */
static size_t
announced_len(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc0)
		return 0; /* a continuation */
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf8 ? 4 : 0;
}

size_t
utf8_char(const void *bytes, size_t len, uint32_t *code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *at = bytes;
	const size_t want = len != 0 ? announced_len(at[0]) : 0;
	if (want == 0 || want > len)
		return 0;
	uint32_t number = want == 1 ? at[0] : at[0] & (0x7fu >> want);
	for (size_t i = 1; i < want; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		number = number << 6 | (at[i] & 0x3fu);
	}
	if (number < smallest[want] || number > CODE_MAX ||
	    (number >= SURROGATE_FIRST && number <= SURROGATE_LAST))
		return 0;
	if (code != NULL)
		*code = number;
	return want;
}

bool
utf8_valid(const void *bytes, size_t len)
{
	const uint8_t *first = bytes;
	for (size_t at = 0; at < len;) {
		const size_t step = utf8_char(first + at, len - at, NULL);
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}
