/* SPDX-License-Identifier: Apache-2.0 */
#include "ldap/mapping.h"

#include "base/check.h"

/* RFC 4512 s2.5: a name or a number with dots, and options behind semicolons. */
static bool
is_name(struct str text)
{
	if (text.len == 0 || text.len > MAPPING_NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.at[i];
		const bool inside = i != 0 && (c == '-' || c == '.' || c == ';' || c == '_');
		if (!str_is_alnum(c) && !inside)
			return false;
	}
	return true;
}

int
mapping_names_add(struct mapping_names *names, struct str name)
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (str_eq_nocase(names->at[i], name))
			return (int)i;
	}
	if (names->count == MAPPING_NAMES_MAX)
		return -1;
	names->at[names->count] = name;
	return (int)names->count++;
}

/* What is left to read. */
struct cursor {
	struct str text;
	size_t at;
};

static bool
take(struct cursor *c, char wanted)
{
	if (c->at == c->text.len || c->text.at[c->at] != wanted)
		return false;
	c->at++;
	return true;
}

/* Up to the next slash without a backslash before it; that is taken, too. */
static bool
take_to_slash(struct cursor *c, struct str *out)
{
	const size_t from = c->at;
	while (c->at < c->text.len && c->text.at[c->at] != '/')
		c->at += c->text.at[c->at] == '\\' && c->at + 1 < c->text.len ? 2 : 1;
	*out = str_sub(c->text, from, c->at - from);
	return take(c, '/');
}

static struct mapping_part *
add_part(struct mapping *out)
{
	if (out->part_count == MAPPING_PARTS_MAX)
		return NULL;
	struct mapping_part *part = &out->parts[out->part_count++];
	*part = (struct mapping_part){ .name = -1, .pattern = -1 };
	return part;
}

static enum mapping_reject
read_change(struct mapping *out, struct mapping_part *part, struct cursor *c)
{
	struct str expression;
	const bool quoted = take(c, '\'');
	if (!take(c, '/') || !take_to_slash(c, &expression) || !take_to_slash(c, &part->text))
		return MAPPING_REJECT_CHANGE;
	(void)take(c, 'g');
	if (quoted && !take(c, '\''))
		return MAPPING_REJECT_CHANGE;
	if (out->pattern_count == MAPPING_PATTERNS_MAX)
		return MAPPING_REJECT_LONG;
	part->pattern = (int16_t)out->pattern_count;
	return pattern_compile(&out->patterns[out->pattern_count++], expression) == PATTERN_OK
	               ? MAPPING_OK
	               : MAPPING_REJECT_PATTERN;
}

/* Behind the first "$". */
static enum mapping_reject
read_attribute(struct mapping *out, struct mapping_names *names, struct cursor *c)
{
	const size_t from = c->at;
	while (c->at < c->text.len && c->text.at[c->at] != '$' && c->text.at[c->at] != '|')
		c->at++;
	const struct str name = str_sub(c->text, from, c->at - from);
	if (c->at == c->text.len)
		return MAPPING_REJECT_OPEN;
	if (!is_name(name))
		return MAPPING_REJECT_NAME;
	struct mapping_part *part = add_part(out);
	const int index = part != NULL ? mapping_names_add(names, name) : -1;
	if (index < 0)
		return MAPPING_REJECT_LONG;
	part->name = (int16_t)index;
	if (take(c, '|')) {
		const enum mapping_reject reject = read_change(out, part, c);
		if (reject != MAPPING_OK)
			return reject;
	}
	return take(c, '$') ? MAPPING_OK : MAPPING_REJECT_OPEN;
}

enum mapping_reject
mapping_compile(struct mapping *out, struct mapping_names *names, struct str text)
{
	struct cursor c = { .text = text };
	out->part_count = 0;
	out->pattern_count = 0;
	while (c.at < text.len) {
		enum mapping_reject reject = MAPPING_OK;
		if (take(&c, '$')) {
			reject = read_attribute(out, names, &c);
		} else {
			const size_t from = c.at;
			while (c.at < text.len && text.at[c.at] != '$')
				c.at++;
			struct mapping_part *part = add_part(out);
			if (part != NULL)
				part->text = str_sub(text, from, c.at - from);
			else
				reject = MAPPING_REJECT_LONG;
		}
		if (reject != MAPPING_OK)
			return reject;
	}
	return MAPPING_OK;
}

const char *
mapping_reject_name(enum mapping_reject reject)
{
	static const char *const names[MAPPING_REJECT_COUNT] = {
		[MAPPING_OK] = "right",
		[MAPPING_REJECT_OPEN] = "a $ without another behind it",
		[MAPPING_REJECT_NAME] = "no attribute's name between two $",
		[MAPPING_REJECT_CHANGE] = "no '/expression/replacement/' behind |",
		[MAPPING_REJECT_PATTERN] = "an expression that cannot be used",
		[MAPPING_REJECT_LONG] = "too many parts",
	};
	CHECK((unsigned)reject < MAPPING_REJECT_COUNT);
	return names[reject];
}

bool
mapping_apply(const struct mapping *mapping, const struct str *values, struct writer *w)
{
	const size_t start = w->at;
	CHECK(!w->failed);
	if (mapping->part_count == 0)
		return false;
	for (uint32_t i = 0; i < mapping->part_count && !w->failed; i++) {
		const struct mapping_part *part = &mapping->parts[i];
		const size_t before = w->at;
		if (part->name < 0)
			writer_str(w, part->text);
		else if (part->pattern < 0)
			writer_str(w, values[part->name]);
		else
			pattern_replace(w, &mapping->patterns[part->pattern], values[part->name],
			                part->text);
		if (w->at == before)
			w->failed = true; /* nothing stands there */
	}
	if (!w->failed && w->at - start <= MAPPING_OUT_MAX)
		return true;
	w->at = start;
	w->failed = false;
	return false;
}
