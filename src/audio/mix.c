/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/mix.h"

#include <stddef.h>
#include <string.h>

#include "audio/simd.h"
#include "base/check.h"

enum {
	UNITY_Q15 = 1 << 15,
	UNITY_Q12 = 1 << 12,
	RAMP_SAMPLES = 96,               /* 2 ms: fast enough for an onset, slow enough not to click */
	RELEASE_Q15 = UNITY_Q15 / 25,    /* back to unity within half a second */
};

static const int16_t silence[AUDIO_FRAME_SAMPLES];

SIMD_BODY int16_t
saturate(int32_t v)
{
	return (int16_t)(v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v);
}

SIMD_BODY void
add_body(int32_t *restrict sum, const int16_t *restrict pcm)
{
	for (size_t i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		sum[i] += pcm[i];
}

SIMD_BODY void
minus_body(int16_t *restrict out, const int32_t *restrict sum, const int16_t *restrict own)
{
	for (size_t i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		out[i] = saturate(sum[i] - own[i]);
}

SIMD_BODY int32_t
peak_body(const int32_t *restrict sum, const int16_t *restrict own)
{
	int32_t low = 0;
	int32_t high = 0;
	for (size_t i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		const int32_t v = sum[i] - own[i];
		low = v < low ? v : low;
		high = v > high ? v : high;
	}
	return -low > high ? -low : high;
}

SIMD_BODY void
scale_body(int16_t *restrict out, const int32_t *restrict sum, const int16_t *restrict own,
           float from, float to)
{
	const float step = (to - from) / RAMP_SAMPLES;
	for (int i = 0; i < RAMP_SAMPLES; i++)
		out[i] = saturate((int32_t)((float)(sum[i] - own[i]) * (from + step * (float)i)));
	for (int i = RAMP_SAMPLES; i < AUDIO_FRAME_SAMPLES; i++)
		out[i] = saturate((int32_t)((float)(sum[i] - own[i]) * to));
}

SIMD_BODY void
fade_body(int16_t *restrict pcm, float from, float step)
{
	for (int i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		pcm[i] = saturate((int32_t)((float)pcm[i] * (from + step * (float)i)));
}

SIMD_AVX2 void
add_avx2(int32_t *sum, const int16_t *pcm)
{
	add_body(sum, pcm);
}

SIMD_AVX2 void
minus_avx2(int16_t *out, const int32_t *sum, const int16_t *own)
{
	minus_body(out, sum, own);
}

SIMD_AVX2 int32_t
peak_avx2(const int32_t *sum, const int16_t *own)
{
	return peak_body(sum, own);
}

SIMD_AVX2 void
scale_avx2(int16_t *out, const int32_t *sum, const int16_t *own, float from, float to)
{
	scale_body(out, sum, own, from, to);
}

SIMD_AVX2 void
fade_avx2(int16_t *pcm, float from, float step)
{
	fade_body(pcm, from, step);
}

void
mix_clear(struct mix *mix)
{
	memset(mix->sum, 0, sizeof mix->sum);
}

void
mix_add(struct mix *mix, const int16_t pcm[AUDIO_FRAME_SAMPLES])
{
	if (SIMD_HAS_AVX2)
		add_avx2(mix->sum, pcm);
	else
		add_body(mix->sum, pcm);
}

void
mix_all(int16_t out[AUDIO_FRAME_SAMPLES], const struct mix *mix)
{
	mix_minus(out, mix, silence);
}

void
mix_minus(int16_t out[AUDIO_FRAME_SAMPLES], const struct mix *mix,
          const int16_t own[AUDIO_FRAME_SAMPLES])
{
	CHECK(out != own);
	if (SIMD_HAS_AVX2)
		minus_avx2(out, mix->sum, own);
	else
		minus_body(out, mix->sum, own);
}

/* The gain that brings this frame's peak to full scale is reached within the frame's first 2 ms; what
 * is louder before that is clipped.  Afterwards it returns to unity slowly, frame by frame. */
void
mix_limited(int16_t out[AUDIO_FRAME_SAMPLES], const struct mix *mix, const int16_t *own,
            struct mix_limiter *limiter)
{
	CHECK(limiter->reduction_q15 < UNITY_Q15);
	if (own == NULL)
		own = silence;

	const int32_t peak =
	        SIMD_HAS_AVX2 ? peak_avx2(mix->sum, own) : peak_body(mix->sum, own);
	const uint16_t before = limiter->reduction_q15;
	int32_t after = before > RELEASE_Q15 ? before - RELEASE_Q15 : 0;
	if (peak > INT16_MAX) {
		const int32_t needed =
		        UNITY_Q15 - (int32_t)((int64_t)INT16_MAX * UNITY_Q15 / peak);
		after = needed > after ? needed : after;
	}
	limiter->reduction_q15 = (uint16_t)(after < UNITY_Q15 ? after : UNITY_Q15 - 1);

	if (before == 0 && limiter->reduction_q15 == 0) {
		mix_minus(out, mix, own);
		return;
	}
	const float from = (float)(UNITY_Q15 - before) / UNITY_Q15;
	const float to = (float)(UNITY_Q15 - limiter->reduction_q15) / UNITY_Q15;
	if (SIMD_HAS_AVX2)
		scale_avx2(out, mix->sum, own, from, to);
	else
		scale_body(out, mix->sum, own, from, to);
}

void
mix_fade(int16_t pcm[AUDIO_FRAME_SAMPLES], int32_t from_q12, int32_t to_q12)
{
	const float from = (float)from_q12 / UNITY_Q12;
	const float step = (float)(to_q12 - from_q12) / UNITY_Q12 / AUDIO_FRAME_SAMPLES;
	if (SIMD_HAS_AVX2)
		fade_avx2(pcm, from, step);
	else
		fade_body(pcm, from, step);
}
