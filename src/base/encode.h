/* SPDX-License-Identifier: Apache-2.0 */
/* encode -- hex, base64, base64url (RFC 4648) and GUIDs as text.
 *
 * Threads    Pure functions.
 * Errors     Encoders write through a `struct writer` and fail with it.  Decoders return the
 *            number of bytes, or -1 for bad text or too small a buffer.
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	GUID_BYTES = 16,
	GUID_TEXT_LEN = 36,
};

/* A 128-bit object identifier, as every CMS object has. */
struct guid {
	uint8_t bytes[GUID_BYTES];
};

void encode_hex(struct writer *w, const void *bytes, size_t len);
void encode_base64(struct writer *w, const void *bytes, size_t len);
/* No padding, as JWT and the guest link's secret want it. */
void encode_base64url(struct writer *w, const void *bytes, size_t len);

/* What one hex digit of either case stands for, or -1. */
[[nodiscard]] int hex_value(char c);
[[nodiscard]] int decode_hex(void *out, size_t cap, struct str text);
/* Takes both alphabets, with or without padding. */
[[nodiscard]] int decode_base64(void *out, size_t cap, struct str text);

/* A random GUID (version 4) from 16 random bytes. */
struct guid guid_of_random(const uint8_t random[GUID_BYTES]);
/* Lower case, with dashes, as CMS writes them; `out` gets a final NUL. */
void guid_write(char out[GUID_TEXT_LEN + 1], const struct guid *guid);
/* Either case. */
[[nodiscard]] bool guid_parse(struct guid *out, struct str text);
[[nodiscard]] bool guid_is_zero(const struct guid *guid);

static inline bool
guid_eq(const struct guid *a, const struct guid *b)
{
	return memcmp(a->bytes, b->bytes, GUID_BYTES) == 0;
}

#endif
