/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ws_frame.h"

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/encode.h"

enum {
	BIT_FINAL = 0x80,
	BITS_RESERVED = 0x70,
	BITS_OPCODE = 0x0f,
	BIT_MASKED = 0x80,
	LEN_16 = 126,
	LEN_64 = 127,
	SHA1_BYTES = 20,
};

static bool
opcode_known(unsigned opcode)
{
	return opcode <= WS_OP_BINARY || (opcode >= WS_OP_CLOSE && opcode <= WS_OP_PONG);
}

enum ws_reject
ws_frame_parse(struct ws_frame *out, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	const uint8_t first = reader_u8(&r);
	const uint8_t second = reader_u8(&r);
	if (r.failed)
		return WS_MORE;
	if ((first & BITS_RESERVED) != 0 || !opcode_known(first & BITS_OPCODE))
		return WS_REJECT_RESERVED;

	struct ws_frame frame = {
		.opcode = (enum ws_opcode)(first & BITS_OPCODE),
		.final = (first & BIT_FINAL) != 0,
		.masked = (second & BIT_MASKED) != 0,
		.len = second & ~(unsigned)BIT_MASKED,
	};
	if (frame.opcode >= WS_OP_CLOSE && (!frame.final || frame.len > WS_CONTROL_BYTES_MAX))
		return WS_REJECT_CONTROL;
	bool shortest = true;
	if (frame.len == LEN_16) {
		frame.len = reader_u16(&r);
		shortest = frame.len >= LEN_16;
	} else if (frame.len == LEN_64) {
		frame.len = reader_u64(&r);
		shortest = frame.len > UINT16_MAX && frame.len <= INT64_MAX;
	}
	if (r.failed)
		return WS_MORE;
	if (!shortest)
		return WS_REJECT_LENGTH;
	if (frame.masked) {
		const uint8_t *mask = reader_take(&r, sizeof frame.mask);
		if (mask == NULL)
			return WS_MORE;
		memcpy(frame.mask, mask, sizeof frame.mask);
	}
	frame.header_len = r.at;
	CHECK(frame.header_len <= WS_HEADER_BYTES_MAX);
	*out = frame;
	return WS_OK;
}

const char *
ws_reject_name(enum ws_reject reject)
{
	static const char *const names[] = {
		[WS_OK] = "no fault",
		[WS_MORE] = "incomplete",
		[WS_REJECT_RESERVED] = "reserved bit or opcode",
		[WS_REJECT_CONTROL] = "malformed control frame",
		[WS_REJECT_LENGTH] = "malformed length",
	};
	static_assert(COUNT_OF(names) == WS_REJECT_COUNT, "one name each");
	return names[reject];
}

size_t
ws_frame_write(uint8_t out[WS_HEADER_BYTES_MAX], enum ws_opcode opcode, uint64_t len,
               const uint8_t mask[4])
{
	struct writer w = writer_of(out, WS_HEADER_BYTES_MAX);
	const unsigned masked = mask != NULL ? BIT_MASKED : 0;
	writer_u8(&w, (uint8_t)(BIT_FINAL | (unsigned)opcode));
	if (len < LEN_16) {
		writer_u8(&w, (uint8_t)(masked | len));
	} else if (len <= UINT16_MAX) {
		writer_u8(&w, (uint8_t)(masked | LEN_16));
		writer_u16(&w, (uint16_t)len);
	} else {
		writer_u8(&w, (uint8_t)(masked | LEN_64));
		writer_u64(&w, len);
	}
	if (mask != NULL)
		writer_bytes(&w, mask, 4);
	CHECK(!w.failed);
	return w.at;
}

void
ws_mask(uint8_t *bytes, size_t len, const uint8_t mask[4], uint64_t at)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] ^= mask[(at + i) & 3];
}

bool
ws_close_code_valid(unsigned code)
{
	if (code >= 3000)
		return code <= 4999;
	/* 1004 is reserved, 1005, 1006 and 1015 never travel. */
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

void
ws_accept_of_key(char out[WS_ACCEPT_TEXT_LEN + 1], struct str key)
{
	/* The GUID of RFC 6455 s1.3. */
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t text[WS_KEY_TEXT_LEN + sizeof guid];
	uint8_t digest[SHA1_BYTES];
	CHECK(key.len == WS_KEY_TEXT_LEN);
	memcpy(text, key.at, key.len);
	memcpy(text + key.len, guid, sizeof guid - 1);
	CHECK(EVP_Digest(text, key.len + sizeof guid - 1, digest, NULL, EVP_sha1(), NULL) == 1);
	struct writer w = writer_of(out, WS_ACCEPT_TEXT_LEN);
	encode_base64(&w, digest, sizeof digest);
	CHECK(!w.failed && w.at == WS_ACCEPT_TEXT_LEN);
	out[w.at] = '\0';
}
