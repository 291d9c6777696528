/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_plain[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
encode_hex(struct writer *w, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < len; i++) {
		writer_u8(w, (uint8_t)hex_digits[at[i] >> 4]);
		writer_u8(w, (uint8_t)hex_digits[at[i] & 15]);
	}
}

static void
encode_64(struct writer *w, const uint8_t *bytes, size_t len, const char *alphabet, bool pad)
{
	for (size_t i = 0; i < len; i += 3) {
		const size_t count = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)bytes[i] << 16;
		if (count > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (count > 2)
			group |= bytes[i + 2];
		for (unsigned digit = 0; digit < 4; digit++) {
			if (digit <= count)
				writer_u8(w, (uint8_t)alphabet[group >> (18 - 6 * digit) & 63]);
			else if (pad)
				writer_u8(w, '=');
		}
	}
}

void
encode_base64(struct writer *w, const void *bytes, size_t len)
{
	encode_64(w, bytes, len, base64_plain, true);
}

void
encode_base64url(struct writer *w, const void *bytes, size_t len)
{
	encode_64(w, bytes, len, base64_url, false);
}

int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
decode_hex(void *out, size_t cap, struct str text)
{
	uint8_t *to = out;
	if (text.len % 2 != 0 || text.len / 2 > cap)
		return -1;
	for (size_t i = 0; i < text.len; i += 2) {
		const int high = hex_value(text.at[i]);
		const int low = hex_value(text.at[i + 1]);
		if (high < 0 || low < 0)
			return -1;
		to[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (int)(text.len / 2);
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

int
decode_base64(void *out, size_t cap, struct str text)
{
	uint8_t *to = out;
	size_t count = 0;
	uint32_t group = 0;
	unsigned bits = 0;
	while (text.len != 0 && text.at[text.len - 1] == '=')
		text.len--;
	if (text.len % 4 == 1)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		const int value = base64_value(text.at[i]);
		if (value < 0)
			return -1;
		group = group << 6 | (uint32_t)value;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			if (count == cap)
				return -1;
			to[count++] = (uint8_t)(group >> bits);
		}
	}
	return (int)count;
}

struct guid
guid_of_random(const uint8_t random[GUID_BYTES])
{
	struct guid guid;
	memcpy(guid.bytes, random, GUID_BYTES);
	/* RFC 9562 s5.4 */
	guid.bytes[6] = (uint8_t)((guid.bytes[6] & 0x0f) | 0x40);
	guid.bytes[8] = (uint8_t)((guid.bytes[8] & 0x3f) | 0x80);
	return guid;
}

static bool
dash_before(unsigned byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void
guid_write(char out[GUID_TEXT_LEN + 1], const struct guid *guid)
{
	char *at = out;
	for (unsigned i = 0; i < GUID_BYTES; i++) {
		if (dash_before(i))
			*at++ = '-';
		*at++ = hex_digits[guid->bytes[i] >> 4];
		*at++ = hex_digits[guid->bytes[i] & 15];
	}
	*at = '\0';
}

bool
guid_parse(struct guid *out, struct str text)
{
	struct guid guid;
	size_t at = 0;
	if (text.len != GUID_TEXT_LEN)
		return false;
	for (unsigned i = 0; i < GUID_BYTES; i++) {
		if (dash_before(i) && text.at[at++] != '-')
			return false;
		if (decode_hex(&guid.bytes[i], 1, str_sub(text, at, 2)) != 1)
			return false;
		at += 2;
	}
	*out = guid;
	return true;
}

bool
guid_is_zero(const struct guid *guid)
{
	static const struct guid zero;
	return guid_eq(guid, &zero);
}
