/* SPDX-License-Identifier: Apache-2.0 */
/* The property that http_parse_test.c and http_parse_fuzz.c share: what was accepted lies inside
 * the bytes that were given and holds nothing that could break a line. */
#ifndef NET_HTTP_PARSE_CHECK_H
#define NET_HTTP_PARSE_CHECK_H

#include "base/check.h"
#include "net/http_parse.h"

static inline void
check_inside(struct str part, const char *bytes, size_t len)
{
	if (part.len == 0)
		return;
	CHECK(part.at >= bytes && part.len <= len && part.at + part.len <= bytes + len);
	for (size_t i = 0; i < part.len; i++)
		CHECK(part.at[i] != '\r' && part.at[i] != '\n' && part.at[i] != '\0');
}

static inline void
check_head(const struct http_head *head, const char *bytes, size_t len)
{
	CHECK(head->header_count <= HTTP_HEADERS_MAX);
	CHECK(!(head->chunked && head->has_length));
	check_inside(head->method, bytes, len);
	if (!str_eq(head->path, STR("/"))) /* which an absolute form may leave out */
		check_inside(head->path, bytes, len);
	check_inside(head->query, bytes, len);
	check_inside(head->host, bytes, len);
	check_inside(head->reason, bytes, len);
	for (uint32_t i = 0; i < head->header_count; i++) {
		CHECK(head->headers[i].name.len != 0);
		check_inside(head->headers[i].name, bytes, len);
		check_inside(head->headers[i].value, bytes, len);
	}
}

static inline void
http_parse_check(const char *bytes, size_t len)
{
	struct http_head head;
	const size_t end = http_head_end(bytes, len, 0);
	CHECK(end <= len);
	if (end == 0)
		return;
	if (http_request_parse(&head, bytes, end) == HTTP_OK) {
		CHECK(head.method.len != 0 && head.path.len != 0);
		check_head(&head, bytes, end);
	}
	if (http_response_parse(&head, bytes, end) == HTTP_OK) {
		CHECK(head.status >= 100 && head.status <= 999);
		check_head(&head, bytes, end);
	}
}

#endif
