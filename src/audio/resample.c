/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/resample.h"

#include <string.h>

#include "audio/audio.h"
#include "audio/resample_table.h"
#include "audio/simd.h"
#include "base/check.h"

enum {
	TAPS_BY_6 = 24,
	TAPS_BY_3 = 32,
	TAPS_MAX = 32,
	LOW_MAX = RESAMPLE_INPUT_MAX / 3, /* samples at the lower rate */
};

static_assert(TAPS_BY_6 * 6 <= RESAMPLE_PAST_MAX && TAPS_BY_3 * 3 <= RESAMPLE_PAST_MAX,
              "the past holds the longest filter");

static int
ratio_of(uint32_t rate_hz)
{
	CHECK(rate_hz == 8000 || rate_hz == 16000 || rate_hz == AUDIO_RATE_HZ);
	return (int)(AUDIO_RATE_HZ / rate_hz);
}

/* Truncating a positive number instead of rounding a signed one keeps the loop vectorised. */
SIMD_BODY int16_t
narrow(float v)
{
	const float limited = v < -32768.0f ? -32768.0f : v > 32767.0f ? 32767.0f : v;
	return (int16_t)((int32_t)(limited + 32768.5f) - 32768);
}

/* acc[n] += sum over k of h[k] * x[n - k], for n in [0, count); x[-taps..-1] is readable. */
SIMD_BODY void
convolve(float *restrict acc, const float *restrict x, const float *restrict h, size_t taps,
         size_t count)
{
	for (size_t k = 0; k < taps; k += 4) {
		const float h0 = h[k], h1 = h[k + 1], h2 = h[k + 2], h3 = h[k + 3];
		const float *at = x - k - 3;
		for (size_t n = 0; n < count; n++)
			acc[n] += h0 * at[n + 3] + h1 * at[n + 2] + h2 * at[n + 1] + h3 * at[n];
	}
}

SIMD_BODY void
up_body(const float *table, size_t taps, size_t ratio, const float *x, size_t samples,
        int16_t *restrict out)
{
	float acc[LOW_MAX];

	for (size_t phase = 0; phase < ratio; phase++) {
		memset(acc, 0, samples * sizeof *acc);
		convolve(acc, x, table + phase * taps, taps, samples);
		for (size_t n = 0; n < samples; n++)
			out[n * ratio + phase] = narrow(acc[n]);
	}
}

/* `x` holds `ratio` rows of TAPS_MAX + LOW_MAX, one per phase. */
SIMD_BODY void
down_body(const float *table, size_t taps, size_t ratio, const float (*x)[TAPS_MAX + LOW_MAX],
          size_t samples, int16_t *restrict out)
{
	float acc[LOW_MAX] = { 0 };
	const float scale = 1.0f / (float)ratio;

	for (size_t phase = 0; phase < ratio; phase++)
		convolve(acc, x[phase] + taps, table + phase * taps, taps, samples);
	for (size_t n = 0; n < samples; n++)
		out[n] = narrow(acc[n] * scale);
}

SIMD_AVX2 void
up_avx2(size_t ratio, const float *x, size_t samples, int16_t *out)
{
	if (ratio == 6)
		up_body(&table_by_6[0][0], TAPS_BY_6, 6, x, samples, out);
	else
		up_body(&table_by_3[0][0], TAPS_BY_3, 3, x, samples, out);
}

static void
up_any(size_t ratio, const float *x, size_t samples, int16_t *out)
{
	if (ratio == 6)
		up_body(&table_by_6[0][0], TAPS_BY_6, 6, x, samples, out);
	else
		up_body(&table_by_3[0][0], TAPS_BY_3, 3, x, samples, out);
}

SIMD_AVX2 void
down_avx2(size_t ratio, const float (*x)[TAPS_MAX + LOW_MAX], size_t samples, int16_t *out)
{
	if (ratio == 6)
		down_body(&table_by_6[0][0], TAPS_BY_6, 6, x, samples, out);
	else
		down_body(&table_by_3[0][0], TAPS_BY_3, 3, x, samples, out);
}

static void
down_any(size_t ratio, const float (*x)[TAPS_MAX + LOW_MAX], size_t samples, int16_t *out)
{
	if (ratio == 6)
		down_body(&table_by_6[0][0], TAPS_BY_6, 6, x, samples, out);
	else
		down_body(&table_by_3[0][0], TAPS_BY_3, 3, x, samples, out);
}

void
resample_up_init(struct resample_up *up, uint32_t rate_hz)
{
	*up = (struct resample_up){ .ratio = (uint8_t)ratio_of(rate_hz) };
}

void
resample_down_init(struct resample_down *down, uint32_t rate_hz)
{
	*down = (struct resample_down){ .ratio = (uint8_t)ratio_of(rate_hz) };
}

size_t
resample_up(struct resample_up *up, const int16_t *in, size_t samples, int16_t *out)
{
	CHECK(up->ratio == 6 || up->ratio == 3 || up->ratio == 1);
	CHECK(samples * up->ratio <= RESAMPLE_INPUT_MAX);

	if (up->ratio == 1) {
		memmove(out, in, samples * sizeof *out);
		return samples;
	}
	float x[TAPS_MAX + LOW_MAX];
	for (size_t i = 0; i < TAPS_MAX; i++)
		x[i] = up->past[i];
	for (size_t i = 0; i < samples; i++)
		x[TAPS_MAX + i] = in[i];
	if (SIMD_HAS_AVX2)
		up_avx2(up->ratio, x + TAPS_MAX, samples, out);
	else
		up_any(up->ratio, x + TAPS_MAX, samples, out);

	for (size_t i = 0; i < TAPS_MAX; i++)
		up->past[i] = (int16_t)x[samples + i];
	return samples * up->ratio;
}

/* Output m is the sum over j of h[j] * in[m * ratio + ratio - 1 - j]: with j = k * ratio + phase
 * that is a convolution of row `phase`, which holds every ratio-th input. */
size_t
resample_down(struct resample_down *down, const int16_t *in, size_t samples, int16_t *out)
{
	const size_t ratio = down->ratio;
	CHECK(ratio == 6 || ratio == 3 || ratio == 1);
	CHECK(samples <= RESAMPLE_INPUT_MAX && samples % ratio == 0);

	if (ratio == 1) {
		memmove(out, in, samples * sizeof *out);
		return samples;
	}
	const size_t taps = ratio == 6 ? TAPS_BY_6 : TAPS_BY_3;
	const size_t past = taps * ratio;
	const size_t count = samples / ratio;
	float x[6][TAPS_MAX + LOW_MAX];

	for (size_t phase = 0; phase < ratio; phase++) {
		const size_t from = ratio - 1 - phase;
		for (size_t i = 0; i < taps; i++)
			x[phase][i] = down->past[i * ratio + from];
		for (size_t i = 0; i < count; i++)
			x[phase][taps + i] = in[i * ratio + from];
	}
	if (samples >= past) {
		memcpy(down->past, in + samples - past, past * sizeof *in);
	} else {
		memmove(down->past, down->past + samples, (past - samples) * sizeof *in);
		memcpy(down->past + past - samples, in, samples * sizeof *in);
	}
	if (SIMD_HAS_AVX2)
		down_avx2(ratio, (const float(*)[TAPS_MAX + LOW_MAX])x, count, out);
	else
		down_any(ratio, (const float(*)[TAPS_MAX + LOW_MAX])x, count, out);
	return count;
}
