/* SPDX-License-Identifier: Apache-2.0 */
#include "webbridge/join.h"

#include <stdio.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "c2w/json_read.h"

enum { DEPTH_MAX = 4 }; /* one is needed */

/* ---- JSON ---------------------------------------------------------------------------------- */

/* One line of text: no control characters. */
static bool
is_line(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
			return false;
	return true;
}

static bool
keep(char *out, size_t cap, struct str text, struct str *view)
{
	if (!is_line(text) || !str_copy(out, cap, text))
		return false;
	*view = (struct str){ .at = out, .len = text.len };
	return true;
}

/* A member that may be absent; a number is taken for its digits, as a meeting ID often is one. */
static bool
read_text(const json_t *root, const char *name, char *out, size_t cap, struct str *view)
{
	const json_t *value = json_object_get(root, name);
	if (value == NULL)
		return true;
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		char digits[24];
		snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
		return keep(out, cap, str_of(digits), view);
	}
	return json_is_string(value) &&
	       keep(out, cap,
	            (struct str){ .at = json_string_value(value),
	                          .len = json_string_length(value) },
	            view);
}

static bool
read_join(struct c2w_join *out, struct join_text *text, const json_t *root)
{
	const char *address = json_object_get(root, "address") != NULL ? "address" : "numericId";
	out->has_passcode = json_object_get(root, "passcode") != NULL;
	return json_is_object(root) &&
	       read_text(root, address, text->address, sizeof text->address, &out->address) &&
	       read_text(root, "passcode", text->passcode, sizeof text->passcode,
	                 &out->passcode) &&
	       read_text(root, "secret", text->secret, sizeof text->secret, &out->secret) &&
	       read_text(root, "name", text->name, sizeof text->name, &out->name) &&
	       read_text(root, "space", text->space, sizeof text->space, &out->space) &&
	       read_text(root, "method", text->method, sizeof text->method, &out->method) &&
	       (out->address.len != 0 || out->space.len != 0);
}

static bool
read_sign_in(struct c2w_sign_in *out, struct join_text *text, const json_t *root)
{
	/* A password may be digits alone, but then the page said it as text. */
	return json_is_object(root) && json_is_string(json_object_get(root, "password")) &&
	       read_text(root, "username", text->username, sizeof text->username, &out->username) &&
	       read_text(root, "password", text->password, sizeof text->password, &out->password) &&
	       out->username.len != 0 && out->password.len != 0;
}

static bool
read_elsewhere(struct c2w_sign_in_elsewhere *out, struct join_text *text, const json_t *root)
{
	return json_is_object(root) &&
	       read_text(root, "provider", text->provider, sizeof text->provider, &out->provider) &&
	       read_text(root, "back", text->back, sizeof text->back, &out->back) &&
	       read_text(root, "state", text->state, sizeof text->state, &out->state) &&
	       read_text(root, "code", text->code, sizeof text->code, &out->code) &&
	       read_text(root, "error", text->error, sizeof text->error, &out->error) &&
	       (out->state.len != 0 ? (out->code.len != 0) != (out->error.len != 0)
	                            : out->provider.len != 0 && out->back.len != 0);
}

static json_t *
load(struct str body)
{
	return body.len <= JOIN_BODY_BYTES_MAX ? json_read(body, DEPTH_MAX) : NULL;
}

bool
join_body_parse(struct c2w_join *out, struct join_text *text, struct str body)
{
	*out = (struct c2w_join){ 0 };
	*text = (struct join_text){ 0 };
	json_t *root = load(body);
	const bool good = root != NULL && read_join(out, text, root);
	json_decref(root);
	return good;
}

bool
sign_in_body_parse(struct c2w_sign_in *out, struct join_text *text, struct str body)
{
	*out = (struct c2w_sign_in){ 0 };
	*text = (struct join_text){ 0 };
	json_t *root = load(body);
	const bool good = root != NULL && read_sign_in(out, text, root);
	json_decref(root);
	return good;
}

bool
elsewhere_body_parse(struct c2w_sign_in_elsewhere *out, struct join_text *text, struct str body)
{
	*out = (struct c2w_sign_in_elsewhere){ 0 };
	*text = (struct join_text){ 0 };
	json_t *root = load(body);
	const bool good = root != NULL && read_elsewhere(out, text, root);
	json_decref(root);
	return good;
}

void
join_text_wipe(struct join_text *text)
{
	explicit_bzero(text, sizeof *text);
}

/* ---- Queries ------------------------------------------------------------------------------- */

static bool
decode(char *out, size_t cap, struct str text)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		int c = text.at[i] == '+' ? ' ' : (unsigned char)text.at[i];
		if (c == '%') {
			if (text.len - i < 3)
				return false;
			const int high = hex_value(text.at[i + 1]);
			const int low = hex_value(text.at[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = high << 4 | low;
			i += 2;
		}
		if (c < ' ' || c == 0x7f || len + 1 >= cap)
			return false;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return utf8_valid(out, len);
}

bool
query_get(char *out, size_t cap, struct str query, struct str key)
{
	out[0] = '\0';
	while (query.len != 0) {
		struct str value = str_cut(&query, '&');
		if (str_eq(str_cut(&value, '='), key))
			return decode(out, cap, value);
	}
	return false;
}

bool
join_query_parse(struct c2w_join *out, struct join_text *text, struct str query)
{
	*out = (struct c2w_join){ 0 };
	*text = (struct join_text){ 0 };
	if (!query_get(text->address, sizeof text->address, query, STR("address")))
		return false;
	out->address = str_of(text->address);
	if (query_get(text->secret, sizeof text->secret, query, STR("secret")))
		out->secret = str_of(text->secret);
	return out->address.len != 0;
}

/* ---- Headers ------------------------------------------------------------------------------- */

struct str
bearer_token(struct str authorization)
{
	const struct str scheme = STR("Bearer ");
	if (authorization.len <= scheme.len ||
	    !str_eq_nocase(str_sub(authorization, 0, scheme.len), scheme))
		return (struct str){ 0 };
	return str_trim(str_sub(authorization, scheme.len, authorization.len - scheme.len));
}

/* ---- Browsers ------------------------------------------------------------------------------ */

struct str
browser_product(struct str user_agent)
{
	/* Most claim to be others as well: the more special name comes first. */
	static const struct {
		struct str token;
		struct str name;
	} products[] = {
		{ STR_INIT("Edg"), STR_INIT("Edge") },       { STR_INIT("OPR/"), STR_INIT("Opera") },
		{ STR_INIT("Firefox/"), STR_INIT("Firefox") }, { STR_INIT("FxiOS/"), STR_INIT("Firefox") },
		{ STR_INIT("CriOS/"), STR_INIT("Chrome") },  { STR_INIT("Chrome/"), STR_INIT("Chrome") },
		{ STR_INIT("Safari/"), STR_INIT("Safari") },
	};
	for (size_t i = 0; i < COUNT_OF(products); i++)
		if (str_contains_nocase(user_agent, products[i].token))
			return products[i].name;
	return STR("browser");
}
