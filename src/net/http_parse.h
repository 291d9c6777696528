/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse -- read HTTP/1.1 message heads and chunked bodies (RFC 9110, RFC 9112).
 *
 * Sans-IO: bytes in, views out.  Strict, because two readings of one message are how requests are
 * smuggled: no bare LF, no folded lines, no blank before a colon, one Content-Length, no
 * Content-Length beside Transfer-Encoding.
 *
 * Ownership  A parsed head borrows the caller's bytes.
 * Threads    Pure functions.
 * Units      Bytes.
 * Errors     enum http_reject names the rule broken; http_reject_status() the answer it deserves.
 * Limits     HTTP_HEADERS_MAX fields a head; its length is the caller's limit.
 */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/http.h"

enum http_reject {
	HTTP_OK = 0,
	HTTP_REJECT_START_LINE, /* not METHOD SP target SP version */
	HTTP_REJECT_TARGET,     /* neither /path nor http://host/path nor * */
	HTTP_REJECT_VERSION,    /* not HTTP/1.0 or HTTP/1.1 */
	HTTP_REJECT_FIELD,      /* name or value with bytes that must not be there, or no colon */
	HTTP_REJECT_FIELDS,     /* more than HTTP_HEADERS_MAX */
	HTTP_REJECT_HOST,       /* none or several in HTTP/1.1 */
	HTTP_REJECT_LENGTH,     /* Content-Length: not a number, or several, or beside chunked */
	HTTP_REJECT_CODING,     /* a Transfer-Encoding other than chunked */
	HTTP_REJECT_CHUNK,      /* a chunk that is not one */
	HTTP_REJECT_STATUS,     /* a response without a three-digit status */
	HTTP_REJECT_COUNT,
};

struct http_head {
	struct str method; /* requests */
	struct str path;
	struct str query;
	unsigned status; /* responses */
	struct str reason;
	struct str host;
	struct http_header headers[HTTP_HEADERS_MAX];
	uint32_t header_count;
	uint64_t content_length;
	bool has_length;
	bool chunked;
	bool close; /* the connection ends after this exchange */
	bool expect_continue;
	bool websocket; /* Upgrade: websocket, and Connection says so */
};

/* The length of the head with its empty line, or 0 when that is not there yet.  Bytes before `from`
 * were looked at already. */
[[nodiscard]] size_t http_head_end(const char *bytes, size_t len, size_t from);

/* `len` is what http_head_end() gave.  On any reject `*out` is undefined. */
[[nodiscard]] enum http_reject http_request_parse(struct http_head *out, const char *bytes,
                                                  size_t len);
[[nodiscard]] enum http_reject http_response_parse(struct http_head *out, const char *bytes,
                                                   size_t len);

[[nodiscard]] struct str http_head_field(const struct http_head *head, struct str name);
/* Is `token` one of the comma-separated words of `list`?  Case does not matter. */
[[nodiscard]] bool http_list_has(struct str list, struct str token);

/* 400, 431, 501 or 505. */
[[nodiscard]] unsigned http_reject_status(enum http_reject reject);
const char *http_reject_name(enum http_reject reject);

/* -- chunked bodies (RFC 9112 s7.1) ---------------------------------------------------------- */

enum { HTTP_CHUNK_LINE_MAX = 256, HTTP_TRAILER_BYTES_MAX = 4096 };

enum http_chunk_state {
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_EXTENSION,
	HTTP_CHUNK_SIZE_LF,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_DATA_CR,
	HTTP_CHUNK_DATA_LF,
	HTTP_CHUNK_TRAILER,
	HTTP_CHUNK_DONE,
};

/* Zeroed: at the first chunk. */
struct http_chunks {
	enum http_chunk_state state;
	uint64_t left;     /* of this chunk's data */
	uint32_t line_len; /* of the size line or the trailer so far */
	uint32_t digits;
	bool line_empty; /* of the trailer's line */
	bool cr;
};

/* Takes bytes up to and with the first run of data: `*data` is that run (maybe empty), the return
 * value how many bytes were taken.  Call again while bytes are left and state is not DONE. */
[[nodiscard]] size_t http_chunks_input(struct http_chunks *chunks, const char *bytes, size_t len,
                                       struct str *data, enum http_reject *reject);

#endif
