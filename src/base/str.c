/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/check.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool
str_eq_secret(struct str a, struct str b)
{
	/* The length of a secret is no secret; only where it differs is. */
	if (a.len != b.len)
		return false;
	volatile unsigned char different = 0;
	for (size_t i = 0; i < a.len; i++)
		different = (unsigned char)(different | (a.at[i] ^ b.at[i]));
	return different == 0;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq(str_sub(s, 0, prefix.len), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len && str_eq(str_sub(s, s.len - suffix.len, suffix.len), suffix);
}

bool
str_contains_nocase(struct str s, struct str part)
{
	if (part.len == 0)
		return true;
	/* Most places fall by their first letter. */
	const char first = lower(part.at[0]);
	for (size_t i = 0; i + part.len <= s.len; i++) {
		if (lower(s.at[i]) == first && str_eq_nocase(str_sub(s, i, part.len), part))
			return true;
	}
	return false;
}

size_t
str_find(struct str s, char c)
{
	const char *hit = s.len != 0 ? memchr(s.at, c, s.len) : NULL;
	return hit != NULL ? (size_t)(hit - s.at) : s.len;
}

struct str
str_trim(struct str s)
{
	while (s.len != 0 && is_blank(s.at[0]))
		s = str_sub(s, 1, s.len - 1);
	while (s.len != 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

struct str
str_cut(struct str *rest, char separator)
{
	const size_t len = str_find(*rest, separator);
	const struct str part = { .at = rest->at, .len = len };
	const size_t used = len < rest->len ? len + 1 : len;
	if (used != 0)
		*rest = str_sub(*rest, used, rest->len - used);
	return part;
}

bool
str_u64(struct str s, uint64_t *out)
{
	uint64_t value = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		const uint64_t digit = (uint64_t)(s.at[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

bool
str_u32(struct str s, uint32_t *out)
{
	uint64_t value = 0;
	if (!str_u64(s, &value) || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

bool
str_copy(char *out, size_t cap, struct str s)
{
	CHECK(cap != 0);
	if (s.len >= cap) {
		out[0] = '\0';
		return false;
	}
	if (s.len != 0)
		memcpy(out, s.at, s.len);
	out[s.len] = '\0';
	return true;
}
