/* SPDX-License-Identifier: Apache-2.0 */
/* Dial transforms: what was dialled is taken apart, matched, and put together anew. */
#include "base/check.h"
#include "base/pattern.h"
#include "meeting/dial_plan_internal.h"

enum { COMPONENTS_MAX = 2, E164_DIGITS_MAX = 15, NATIONAL_DIGITS_MIN = 4 };

static_assert((int)DIAL_PARTY_MAX <= (int)PATTERN_TEXT_MAX, "an address can be searched");

/* $1, $2. */
struct components {
	unsigned count;
	struct str at[COMPONENTS_MAX];
	char text[DIAL_PARTY_MAX];
};

/* ------------------------------------------------------------------ reading expressions */

static bool
skip(struct str *rest, const char *wanted)
{
	const struct str text = str_of(wanted);
	if (!str_starts(*rest, text))
		return false;
	*rest = str_sub(*rest, text.len, rest->len - text.len);
	return true;
}

/* Up to the next slash, which goes too, unless a backslash stands before it. */
static bool
take_part(struct str *rest, struct str *part)
{
	for (size_t i = 0; i < rest->len; i++) {
		if (rest->at[i] == '\\') {
			i++;
		} else if (rest->at[i] == '/') {
			*part = str_sub(*rest, 0, i);
			*rest = str_sub(*rest, i + 1, rest->len - i - 1);
			return true;
		}
	}
	return false;
}

/* "$1": its number, from 0; -1 when there is none. */
static int
take_component(struct str *rest)
{
	if (rest->len < 2 || rest->at[0] != '$' || rest->at[1] < '1' || rest->at[1] > '9')
		return -1;
	const int number = rest->at[1] - '1';
	*rest = str_sub(*rest, 2, rest->len - 2);
	return number;
}

/* "($1/regex/)" */
static bool
take_clause(struct str *rest, int *component, struct pattern *pattern)
{
	struct str regex = { 0 };
	if (!skip(rest, "("))
		return false;
	*component = take_component(rest);
	return *component >= 0 && skip(rest, "/") && take_part(rest, &regex) && skip(rest, ")") &&
	       pattern_compile(pattern, regex) == PATTERN_OK;
}

bool
dial_match_valid(struct str match)
{
	while (match.len != 0) {
		struct pattern pattern;
		int component;
		if (!take_clause(&match, &component, &pattern))
			return false;
	}
	return true;
}

/* All clauses must be found; a component there is not has nothing to be found in. */
static bool
matches(struct str match, const struct components *components)
{
	while (match.len != 0) {
		struct pattern pattern;
		struct pattern_match found;
		int component;
		if (!take_clause(&match, &component, &pattern) ||
		    component >= (int)components->count ||
		    !pattern_find(&pattern, components->at[component], 0, &found))
			return false;
	}
	return true;
}

/* "{}" or "{/regex/text/}" behind a component, one after another; false: it is neither. */
static bool
take_changes(struct str *rest, struct writer *w, struct str component)
{
	char texts[2][DIAL_PARTY_MAX];
	for (unsigned turn = 0; skip(rest, "{"); turn ^= 1) {
		struct pattern pattern;
		struct str regex;
		struct str text;
		if (skip(rest, "}"))
			continue;
		if (!skip(rest, "/") || !take_part(rest, &regex) || !take_part(rest, &text) ||
		    !skip(rest, "}") || pattern_compile(&pattern, regex) != PATTERN_OK)
			return false;
		struct writer changed = writer_of(texts[turn], sizeof texts[turn]);
		pattern_replace(&changed, &pattern, component, text);
		w->failed |= changed.failed;
		component = writer_view(&changed);
	}
	writer_str(w, component);
	return true;
}

/* False: it is not written as a transform is; too long is `w`'s. */
static bool
put_together(struct writer *w, struct str transform, const struct components *components)
{
	while (transform.len != 0) {
		const int component = take_component(&transform);
		if (component >= 0) {
			const bool there = component < (int)components->count;
			if (!take_changes(&transform, w,
			                  there ? components->at[component] : STR("")))
				return false;
		} else if (str_find(STR(" \"<>"), transform.at[0]) < 4) {
			return false; /* no address has them */
		} else {
			writer_u8(w, (uint8_t)transform.at[0]);
			transform = str_sub(transform, 1, transform.len - 1);
		}
	}
	return true;
}

bool
dial_transform_valid(struct str transform)
{
	static const struct components none = { 0 };
	char text[DIAL_PARTY_MAX];
	struct writer w = writer_of(text, sizeof text);
	return put_together(&w, transform, &none);
}

/* ------------------------------------------------------------------ taking apart */

/* Digits of a country code (ITU-T E.164, list of assigned codes), 0: it begins none. */
static size_t
country_digits(struct str digits)
{
	static const char *const twos =
		"20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 "
		"61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";
	static const char *const threes = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 "
					  "87 88 96 97 99";
	if (digits.len < 3 || digits.at[0] == '0')
		return 0;
	if (digits.at[0] == '1' || digits.at[0] == '7')
		return 1;
	const struct str begin = str_sub(digits, 0, 2);
	if (str_contains_nocase(str_of(twos), begin))
		return 2;
	return str_contains_nocase(str_of(threes), begin) ? 3 : 0;
}

/* A number as it is written internationally, with or without its +. */
static bool
take_phone(struct components *out, struct str number)
{
	(void)skip(&number, "+");
	for (size_t i = 0; i < number.len; i++)
		if (number.at[i] < '0' || number.at[i] > '9')
			return false;
	const size_t country = country_digits(number);
	const size_t national = number.len - country;
	if (country == 0 || number.len > E164_DIGITS_MAX || national < NATIONAL_DIGITS_MIN)
		return false;
	/* North America's numbers all have ten digits. */
	if (number.at[0] == '1' && national != 10)
		return false;
	out->at[0] = str_sub(number, 0, country);
	out->at[1] = str_sub(number, country, national);
	out->count = 2;
	return true;
}

static bool
take_apart(struct components *out, enum transform_type type, struct str party)
{
	out->count = 1;
	switch (type) {
	case TRANSFORM_RAW:
		out->at[0] = party;
		return true;
	case TRANSFORM_STRIP: {
		struct writer w = writer_of(out->text, sizeof out->text);
		for (size_t i = 0; i < party.len; i++)
			if (str_find(STR(".- "), party.at[i]) == 3)
				writer_u8(&w, (uint8_t)party.at[i]);
		out->at[0] = writer_view(&w);
		return !w.failed;
	}
	case TRANSFORM_PHONE:
		return take_phone(out, party);
	}
	return false;
}

/* ------------------------------------------------------------------ a call out */

static bool
fits(const struct objects *objects, uint32_t transform, struct str party,
     struct components *components)
{
	const enum object_type of = OBJECT_DIAL_TRANSFORM;
	const uint32_t type = objects_number(objects, of, transform, TRANSFORM_TYPE);
	return take_apart(components, (enum transform_type)type, party) &&
	       matches(objects_text(objects, of, transform, TRANSFORM_MATCH), components);
}

static bool
can_be_dialled(struct str party)
{
	struct value value;
	return party.len != 0 &&
	       value_read(&value, object_field(OBJECT_PARTICIPANT, PARTICIPANT_REMOTE_PARTY),
	                  party) == OBJECT_OK;
}

void
dial_transform(const struct objects *objects, struct str party, struct dial_outcome *out)
{
	const enum object_type type = OBJECT_DIAL_TRANSFORM;
	struct components components;
	struct dial_cursor cursor = { 0 };
	uint32_t transform;
	*out = (struct dial_outcome){ 0 };
	(void)str_copy(out->party, sizeof out->party, party);
	if (!skip(&party, "sips:"))
		(void)skip(&party, "sip:");
	while ((transform = dial_transform_next(objects, &cursor)) != 0) {
		if (fits(objects, transform, party, &components))
			break;
	}
	if (transform == 0)
		return;
	out->transform = transform;
	const uint32_t action = objects_number(objects, type, transform, TRANSFORM_ACTION);
	out->phone = action == TRANSFORM_ACCEPT_PHONE;
	const struct str text = objects_text(objects, type, transform, TRANSFORM_TRANSFORM);
	struct writer w = writer_of(out->party, sizeof out->party - 1);
	if (text.len != 0)
		(void)put_together(&w, text, &components);
	else
		writer_str(&w, party);
	out->denied = action == TRANSFORM_DENY || w.failed || !can_be_dialled(writer_view(&w));
	out->party[w.at] = '\0';
}
