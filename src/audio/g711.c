/* SPDX-License-Identifier: Apache-2.0 */
/* A code is sign, three bits of segment and four bits of step; the segments double in size.  The
 * formulas are short enough that the tables are made of them by the preprocessor. */
#include "audio/g711.h"

enum {
	MULAW_BIAS = 0x84,
	MULAW_CLIP = 32635,
};

#define MULAW_SIZE(u) (((((u) & 15) << 3) + MULAW_BIAS) << (((u) >> 4) & 7))
#define MULAW(code)                                                     \
	(int16_t)(((code) & 0x80) != 0 ? MULAW_SIZE(~(code)) - MULAW_BIAS \
	                               : MULAW_BIAS - MULAW_SIZE(~(code)))

#define ALAW_SIZE(a)                                   \
	((((a) >> 4) & 7) == 0 ? (((a) & 15) << 4) + 8 \
	                       : ((((a) & 15) << 4) + 0x108) << ((((a) >> 4) - 1) & 7))
#define ALAW(code) \
	(int16_t)(((code) & 0x80) != 0 ? ALAW_SIZE((code) ^ 0x55) : -(ALAW_SIZE((code) ^ 0x55)))

#define ROW(of, n) \
	of((n) + 0), of((n) + 1), of((n) + 2), of((n) + 3), of((n) + 4), of((n) + 5), of((n) + 6), \
	        of((n) + 7)
#define BLOCK(of, n) ROW(of, n), ROW(of, (n) + 8), ROW(of, (n) + 16), ROW(of, (n) + 24)
#define ALL(of)                                                                             \
	BLOCK(of, 0), BLOCK(of, 32), BLOCK(of, 64), BLOCK(of, 96), BLOCK(of, 128), BLOCK(of, 160), \
	        BLOCK(of, 192), BLOCK(of, 224)

static const int16_t mulaw_of[256] = { ALL(MULAW) };
static const int16_t alaw_of[256] = { ALL(ALAW) };

void
g711_decode_mulaw(int16_t *out, const uint8_t *in, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = mulaw_of[in[i]];
}

void
g711_decode_alaw(int16_t *out, const uint8_t *in, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = alaw_of[in[i]];
}

/* The number of the highest bit that is set; `v` is not zero. */
static unsigned
highest_bit(unsigned v)
{
	return 31u - (unsigned)__builtin_clz(v);
}

void
g711_encode_mulaw(uint8_t *out, const int16_t *in, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const unsigned sign = in[i] < 0 ? 0x00 : 0x80;
		const int size = in[i] < 0 ? -in[i] : in[i];
		const unsigned biased =
		        (unsigned)((size > MULAW_CLIP ? MULAW_CLIP : size) + MULAW_BIAS);
		const unsigned segment = highest_bit(biased) - 7;
		const unsigned step = biased >> (segment + 3) & 15;
		out[i] = (uint8_t)(sign | (~(segment << 4 | step) & 0x7F));
	}
}

void
g711_encode_alaw(uint8_t *out, const int16_t *in, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const unsigned sign = in[i] < 0 ? 0x00 : 0x80;
		/* One's complement keeps -32768 inside and zero steps symmetric. */
		const unsigned size = (unsigned)(in[i] < 0 ? ~in[i] : in[i]);
		const unsigned segment = size < 256 ? 0 : highest_bit(size) - 7;
		const unsigned step = size >> (segment == 0 ? 4 : segment + 3) & 15;
		out[i] = (uint8_t)((sign | segment << 4 | step) ^ 0x55);
	}
}
