/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_parse.h"

#include "base/check.h"
#include "base/encode.h"

/* tchar of RFC 9110 s5.6.2. */
static bool
is_token_char(char c)
{
	if (str_is_alnum(c))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_token_char(s.at[i]))
			return false;
	}
	return s.len != 0;
}

/* Visible ASCII, as a request target must be; also keeps control bytes out of logs. */
static bool
is_visible(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] <= ' ' || s.at[i] > '~')
			return false;
	}
	return s.len != 0;
}

/* RFC 9110 s5.5: visible, blank, tab, and bytes above ASCII as opaque data. */
static bool
is_field_value(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const unsigned char c = (unsigned char)s.at[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

size_t
http_head_end(const char *bytes, size_t len, size_t from)
{
	/* The end may have begun in what was looked at. */
	for (size_t i = from > 3 ? from - 3 : 0; i + 4 <= len; i++) {
		const char *cr = memchr(bytes + i, '\r', len - i - 3);
		if (cr == NULL)
			return 0;
		i = (size_t)(cr - bytes);
		if (memcmp(cr, "\r\n\r\n", 4) == 0)
			return i + 4;
	}
	return 0;
}

bool
http_list_has(struct str list, struct str token)
{
	while (list.len != 0) {
		if (str_eq_nocase(str_trim(str_cut(&list, ',')), token))
			return true;
	}
	return false;
}

/* Cuts the line before the next CRLF; the head ends with one, so there always is one. */
static struct str
cut_line(struct str *rest)
{
	for (size_t i = 0; i + 1 < rest->len; i++) {
		if (rest->at[i] == '\r' && rest->at[i + 1] == '\n') {
			const struct str line = str_sub(*rest, 0, i);
			*rest = str_sub(*rest, i + 2, rest->len - i - 2);
			return line;
		}
	}
	const struct str line = *rest;
	*rest = str_sub(*rest, rest->len, 0);
	return line;
}

static enum http_reject
take_length(struct http_head *head, struct str value)
{
	if (head->has_length || !str_u64(value, &head->content_length))
		return HTTP_REJECT_LENGTH;
	head->has_length = true;
	return HTTP_OK;
}

/* The fields that decide how the message is framed. */
static enum http_reject
take_framing(struct http_head *head, const struct http_header *field, unsigned *hosts)
{
	if (str_eq_nocase(field->name, STR("content-length")))
		return take_length(head, field->value);
	if (str_eq_nocase(field->name, STR("transfer-encoding"))) {
		if (head->chunked || !str_eq_nocase(field->value, STR("chunked")))
			return HTTP_REJECT_CODING;
		head->chunked = true;
	} else if (str_eq_nocase(field->name, STR("host"))) {
		head->host = field->value;
		++*hosts;
	} else if (str_eq_nocase(field->name, STR("connection"))) {
		head->close = head->close || http_list_has(field->value, STR("close"));
	} else if (str_eq_nocase(field->name, STR("expect"))) {
		head->expect_continue = str_eq_nocase(field->value, STR("100-continue"));
	}
	return HTTP_OK;
}

static enum http_reject
take_field(struct http_head *head, struct str line, unsigned *hosts)
{
	if (head->header_count == HTTP_HEADERS_MAX)
		return HTTP_REJECT_FIELDS;
	const size_t colon = str_find(line, ':');
	if (colon == line.len)
		return HTTP_REJECT_FIELD;
	struct http_header *field = &head->headers[head->header_count++];
	field->name = str_sub(line, 0, colon);
	field->value = str_trim(str_sub(line, colon + 1, line.len - colon - 1));
	if (!is_token(field->name) || !is_field_value(field->value))
		return HTTP_REJECT_FIELD;
	return take_framing(head, field, hosts);
}

static enum http_reject
take_fields(struct http_head *head, struct str rest, unsigned *hosts)
{
	while (rest.len != 0) {
		const struct str line = cut_line(&rest);
		if (line.len == 0)
			break;
		const enum http_reject reject = take_field(head, line, hosts);
		if (reject != HTTP_OK)
			return reject;
	}
	if (head->chunked && head->has_length)
		return HTTP_REJECT_LENGTH; /* RFC 9112 s6.1: may be an attempt at smuggling */
	head->websocket = str_eq_nocase(http_head_field(head, STR("upgrade")), STR("websocket")) &&
	                  http_list_has(http_head_field(head, STR("connection")), STR("upgrade"));
	return HTTP_OK;
}

/* Sets path and query. */
static enum http_reject
take_target(struct http_head *head, struct str target)
{
	if (!is_visible(target))
		return HTTP_REJECT_TARGET;
	if (target.at[0] != '/') {
		if (str_eq(target, STR("*"))) {
			head->path = target;
			return str_eq(head->method, STR("OPTIONS")) ? HTTP_OK : HTTP_REJECT_TARGET;
		}
		/* RFC 9112 s3.2.2: a server must take the absolute form too. */
		const struct str scheme =
		        str_starts(target, STR("https://")) ? STR("https://") : STR("http://");
		if (!str_starts(target, scheme))
			return HTTP_REJECT_TARGET;
		target = str_sub(target, scheme.len, target.len - scheme.len);
		const size_t slash = str_find(target, '/');
		const size_t mark = str_find(target, '?');
		const size_t authority_len = slash < mark ? slash : mark;
		if (authority_len == 0)
			return HTTP_REJECT_TARGET;
		target = str_sub(target, authority_len, target.len - authority_len);
	}
	const size_t mark = str_find(target, '?');
	head->path = mark != 0 ? str_sub(target, 0, mark) : STR("/");
	if (mark != target.len)
		head->query = str_sub(target, mark + 1, target.len - mark - 1);
	return HTTP_OK;
}

static enum http_reject
take_version(struct http_head *head, struct str version)
{
	if (str_eq(version, STR("HTTP/1.1")))
		return HTTP_OK;
	if (!str_eq(version, STR("HTTP/1.0")))
		return HTTP_REJECT_VERSION;
	head->close = true;
	return HTTP_OK;
}

enum http_reject
http_request_parse(struct http_head *out, const char *bytes, size_t len)
{
	*out = (struct http_head){ 0 };
	struct str rest = { bytes, len };
	struct str line = cut_line(&rest);
	if (line.len == 0 && rest.len > 2)
		line = cut_line(&rest); /* RFC 9112 s2.2: one stray empty line is forgiven */

	out->method = str_cut(&line, ' ');
	const struct str target = str_cut(&line, ' ');
	if (!is_token(out->method) || target.len == 0 || line.len == 0)
		return HTTP_REJECT_START_LINE;
	enum http_reject reject = take_version(out, line);
	if (reject == HTTP_OK)
		reject = take_target(out, target);
	if (reject != HTTP_OK)
		return reject;

	const bool old = out->close; /* HTTP/1.0 */
	unsigned hosts = 0;
	reject = take_fields(out, rest, &hosts);
	if (reject != HTTP_OK)
		return reject;
	if (hosts > 1 || (hosts == 0 && !old))
		return HTTP_REJECT_HOST; /* RFC 9112 s3.2 */
	if (old && out->chunked)
		return HTTP_REJECT_CODING; /* RFC 9112 s6.1 */
	return HTTP_OK;
}

enum http_reject
http_response_parse(struct http_head *out, const char *bytes, size_t len)
{
	*out = (struct http_head){ 0 };
	struct str rest = { bytes, len };
	struct str line = cut_line(&rest);
	const enum http_reject reject = take_version(out, str_cut(&line, ' '));
	if (reject != HTTP_OK)
		return reject;
	uint32_t status;
	const struct str digits = str_cut(&line, ' ');
	if (digits.len != 3 || !str_u32(digits, &status) || status < 100)
		return HTTP_REJECT_STATUS;
	if (!is_field_value(line))
		return HTTP_REJECT_START_LINE;
	out->status = status;
	out->reason = line;
	unsigned hosts = 0;
	return take_fields(out, rest, &hosts);
}

struct str
http_head_field(const struct http_head *head, struct str name)
{
	for (uint32_t i = 0; i < head->header_count; i++) {
		if (str_eq_nocase(head->headers[i].name, name))
			return head->headers[i].value;
	}
	return STR("");
}

unsigned
http_reject_status(enum http_reject reject)
{
	switch (reject) {
	case HTTP_REJECT_FIELDS:
		return 431;
	case HTTP_REJECT_CODING:
		return 501;
	case HTTP_REJECT_VERSION:
		return 505;
	case HTTP_REJECT_START_LINE:
	case HTTP_REJECT_TARGET:
	case HTTP_REJECT_FIELD:
	case HTTP_REJECT_HOST:
	case HTTP_REJECT_LENGTH:
	case HTTP_REJECT_CHUNK:
	case HTTP_REJECT_STATUS:
	case HTTP_REJECT_COUNT:
	case HTTP_OK:
		break;
	}
	return 400;
}

const char *
http_reject_name(enum http_reject reject)
{
	static const char *const names[] = {
		[HTTP_OK] = "no fault",
		[HTTP_REJECT_START_LINE] = "malformed first line",
		[HTTP_REJECT_TARGET] = "malformed target",
		[HTTP_REJECT_VERSION] = "HTTP version not supported",
		[HTTP_REJECT_FIELD] = "malformed header",
		[HTTP_REJECT_FIELDS] = "too many headers",
		[HTTP_REJECT_HOST] = "no single Host header",
		[HTTP_REJECT_LENGTH] = "no single Content-Length",
		[HTTP_REJECT_CODING] = "unknown Transfer-Encoding",
		[HTTP_REJECT_CHUNK] = "malformed chunk",
		[HTTP_REJECT_STATUS] = "malformed status",
	};
	static_assert(COUNT_OF(names) == HTTP_REJECT_COUNT, "one name each");
	return names[reject];
}

/* -- chunks ---------------------------------------------------------------------------------- */

/* One byte of a size line. */
static enum http_reject
size_byte(struct http_chunks *chunks, char c)
{
	if (++chunks->line_len > HTTP_CHUNK_LINE_MAX)
		return HTTP_REJECT_CHUNK;
	if (c == '\r') {
		chunks->state = HTTP_CHUNK_SIZE_LF;
		return chunks->digits != 0 ? HTTP_OK : HTTP_REJECT_CHUNK;
	}
	if (chunks->state == HTTP_CHUNK_EXTENSION)
		return c != '\n' ? HTTP_OK : HTTP_REJECT_CHUNK;
	const int value = hex_value(c);
	if (value >= 0) {
		/* Fifteen digits cannot overflow, and no honest chunk has more. */
		if (++chunks->digits > 15)
			return HTTP_REJECT_CHUNK;
		chunks->left = chunks->left << 4 | (uint64_t)value;
		return HTTP_OK;
	}
	chunks->state = HTTP_CHUNK_EXTENSION;
	return chunks->digits != 0 && (c == ';' || c == ' ' || c == '\t') ? HTTP_OK
	                                                                  : HTTP_REJECT_CHUNK;
}

static enum http_reject
trailer_byte(struct http_chunks *chunks, char c)
{
	if (++chunks->line_len > HTTP_TRAILER_BYTES_MAX)
		return HTTP_REJECT_CHUNK;
	if (chunks->cr) {
		chunks->cr = false;
		if (c != '\n')
			return HTTP_REJECT_CHUNK;
		if (chunks->line_empty)
			chunks->state = HTTP_CHUNK_DONE;
		chunks->line_empty = true;
	} else if (c == '\r') {
		chunks->cr = true;
	} else {
		chunks->line_empty = false;
	}
	return HTTP_OK;
}

static enum http_reject
frame_byte(struct http_chunks *chunks, char c)
{
	switch (chunks->state) {
	case HTTP_CHUNK_SIZE:
	case HTTP_CHUNK_EXTENSION:
		return size_byte(chunks, c);
	case HTTP_CHUNK_SIZE_LF:
		chunks->state = chunks->left != 0 ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILER;
		chunks->line_len = 0;
		chunks->line_empty = true;
		return c == '\n' ? HTTP_OK : HTTP_REJECT_CHUNK;
	case HTTP_CHUNK_DATA_CR:
		chunks->state = HTTP_CHUNK_DATA_LF;
		return c == '\r' ? HTTP_OK : HTTP_REJECT_CHUNK;
	case HTTP_CHUNK_DATA_LF:
		*chunks = (struct http_chunks){ 0 };
		return c == '\n' ? HTTP_OK : HTTP_REJECT_CHUNK;
	case HTTP_CHUNK_TRAILER:
		return trailer_byte(chunks, c);
	case HTTP_CHUNK_DATA:
	case HTTP_CHUNK_DONE:
		break;
	}
	check_fail(__FILE__, __LINE__, "a byte of the frame");
}

size_t
http_chunks_input(struct http_chunks *chunks, const char *bytes, size_t len, struct str *data,
                  enum http_reject *reject)
{
	size_t at = 0;
	*data = STR("");
	*reject = HTTP_OK;
	while (at < len && chunks->state != HTTP_CHUNK_DATA && chunks->state != HTTP_CHUNK_DONE) {
		*reject = frame_byte(chunks, bytes[at++]);
		if (*reject != HTTP_OK)
			return at;
	}
	if (chunks->state == HTTP_CHUNK_DATA && at < len) {
		const size_t run = len - at < chunks->left ? len - at : (size_t)chunks->left;
		*data = (struct str){ bytes + at, run };
		at += run;
		chunks->left -= run;
		if (chunks->left == 0)
			chunks->state = HTTP_CHUNK_DATA_CR;
	}
	return at;
}
