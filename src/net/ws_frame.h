/* SPDX-License-Identifier: Apache-2.0 */
/* ws_frame -- WebSocket frames and handshake values (RFC 6455), without input or output.
 *
 * Ownership  Nothing is kept.
 * Threads    Pure functions.
 * Units      Bytes.
 * Errors     enum ws_reject names the rule a peer broke; each is a close with 1002.
 * Limits     What a message may have is the caller's business; a frame's length says nothing until
 *            its bytes are there.
 */
#ifndef NET_WS_FRAME_H
#define NET_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	WS_HEADER_BYTES_MAX = 14,
	WS_CONTROL_BYTES_MAX = 125, /* s5.5 */
	WS_KEY_TEXT_LEN = 24,       /* base64 of 16 bytes */
	WS_ACCEPT_TEXT_LEN = 28,    /* base64 of 20 bytes */
};

enum ws_opcode {
	WS_OP_CONTINUATION = 0x0,
	WS_OP_TEXT = 0x1,
	WS_OP_BINARY = 0x2,
	WS_OP_CLOSE = 0x8,
	WS_OP_PING = 0x9,
	WS_OP_PONG = 0xa,
};

enum ws_reject {
	WS_OK = 0,
	WS_MORE,            /* the header is not complete */
	WS_REJECT_RESERVED, /* a reserved bit or opcode (s5.2) */
	WS_REJECT_CONTROL,  /* a control frame in pieces or longer than 125 (s5.5) */
	WS_REJECT_LENGTH,   /* not the shortest form, or the top bit is set (s5.2) */
	WS_REJECT_COUNT,
};

struct ws_frame {
	enum ws_opcode opcode;
	bool final;
	bool masked;
	uint8_t mask[4];
	uint64_t len; /* of the payload */
	size_t header_len;
};

[[nodiscard]] enum ws_reject ws_frame_parse(struct ws_frame *out, const uint8_t *bytes, size_t len);
const char *ws_reject_name(enum ws_reject reject);

/* Writes a final frame's header; `mask` is NULL for servers.  Returns its length. */
size_t ws_frame_write(uint8_t out[WS_HEADER_BYTES_MAX], enum ws_opcode opcode, uint64_t len,
                      const uint8_t mask[4]);

/* Masks or unmasks in place; `at` is where `bytes` stands in the payload. */
void ws_mask(uint8_t *bytes, size_t len, const uint8_t mask[4], uint64_t at);

/* May a close frame carry this code (s7.4)? */
[[nodiscard]] bool ws_close_code_valid(unsigned code);

/* Sec-WebSocket-Accept for a key (s4.2.2), with a final NUL. */
void ws_accept_of_key(char out[WS_ACCEPT_TEXT_LEN + 1], struct str key);

#endif
