/* SPDX-License-Identifier: Apache-2.0 */
#include "api/form.h"

#include "base/encode.h"

/* Decodes [at, end) onto itself; the end of the result, or NULL. */
static char *
decode(char *at, const char *end)
{
	char *to = at;
	for (const char *from = at; from < end; from++) {
		if (*from != '%') {
			*to++ = *from == '+' ? ' ' : *from;
			continue;
		}
		if (end - from < 3)
			return NULL;
		const int high = hex_value(from[1]);
		const int low = hex_value(from[2]);
		if (high < 0 || low < 0)
			return NULL;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	return to;
}

static bool
parse_one(struct form *form, char *at, char *end)
{
	char *equals = memchr(at, '=', (size_t)(end - at));
	char *name_end = equals != NULL ? equals : end;
	char *value = equals != NULL ? equals + 1 : end;
	if (form->count == API_PARAMETERS_MAX)
		return false;
	const char *name_stop = decode(at, name_end);
	const char *value_stop = decode(value, end);
	if (name_stop == NULL || value_stop == NULL)
		return false;
	form->at[form->count++] = (struct parameter){
		.name = { at, (size_t)(name_stop - at) },
		.value = { value, (size_t)(value_stop - value) },
	};
	return true;
}

static bool
is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

bool
form_parse(struct form *form, char *bytes, size_t len)
{
	form->count = 0;
	while (len != 0 && is_line_end(bytes[len - 1]))
		len--;
	for (size_t at = 0; at < len;) {
		const char *separator = memchr(bytes + at, '&', len - at);
		size_t end = separator != NULL ? (size_t)(separator - bytes) : len;
		/* A management client puts a line end behind its "&". */
		while (at < end && is_line_end(bytes[at]))
			at++;
		if (end != at && !parse_one(form, bytes + at, bytes + end))
			return false;
		at = end + 1;
	}
	return true;
}

struct str
form_get(const struct form *form, struct str name)
{
	for (unsigned i = form->count; i-- > 0;) {
		if (str_eq_nocase(form->at[i].name, name))
			return form->at[i].value;
	}
	return (struct str){ 0 };
}
