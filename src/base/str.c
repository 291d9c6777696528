/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/check.h"

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
		if (str_lower(a.at[i]) != str_lower(b.at[i]))
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
	const char first = str_lower(part.at[0]);
	for (size_t i = 0; i + part.len <= s.len; i++) {
		if (str_lower(s.at[i]) == first && str_eq_nocase(str_sub(s, i, part.len), part))
			return true;
	}
	return false;
}

/* Bytes side by side; the compiler has the instructions of the machine. */
typedef uint8_t lanes __attribute__((vector_size(16)));

static bool
any_place_fits(const char *at, struct str part, lanes first, lanes last)
{
	lanes head;
	lanes tail;
	memcpy(&head, at, sizeof head);
	memcpy(&tail, at + part.len - 1, sizeof tail);
	const lanes hits = (lanes)(head == first) & (lanes)(tail == last);
	uint64_t halves[2];
	memcpy(halves, &hits, sizeof halves);
	if ((halves[0] | halves[1]) == 0)
		return false;
	for (unsigned i = 0; i < sizeof(lanes); i++) {
		if (hits[i] != 0 && memcmp(at + i, part.at, part.len) == 0)
			return true;
	}
	return false;
}

/* Sixteen places at once: those where both the first and the last byte of `part` stand are few. */
bool
str_contains(struct str s, struct str part)
{
	if (part.len == 0)
		return true;
	if (part.len > s.len)
		return false;
	const size_t places = s.len - part.len + 1;
	size_t i = 0;
	if (places >= sizeof(lanes)) {
		const lanes first = (lanes){ 0 } + (uint8_t)part.at[0];
		const lanes last = (lanes){ 0 } + (uint8_t)part.at[part.len - 1];
		for (; i + sizeof(lanes) <= places; i += sizeof(lanes)) {
			if (any_place_fits(s.at + i, part, first, last))
				return true;
		}
		/* The last sixteen, some of them for the second time. */
		return i != places && any_place_fits(s.at + places - sizeof(lanes), part, first, last);
	}
	for (; i < places; i++) {
		if (s.at[i] == part.at[0] && memcmp(s.at + i, part.at, part.len) == 0)
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
