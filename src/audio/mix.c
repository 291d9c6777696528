/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/mix.h"

#include <stddef.h>
#include <string.h>

#include "audio/simd.h"
#include "base/check.h"

#if SIMD_X86
#include <immintrin.h>
#endif

enum {
	UNITY_Q15 = 1 << 15,
	UNITY_Q12 = 1 << 12,
	RAMP_SAMPLES = 96,            /* 2 ms: fast enough for an onset, slow enough not to click */
	RELEASE_Q15 = UNITY_Q15 / 25, /* back to unity within half a second */
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

#if SIMD_X86
/* By hand: the machine narrows with saturation in one step, which compilers do not find. */
SIMD_AVX2 void
minus_avx2(int16_t *out, const int32_t *sum, const int16_t *own)
{
	static_assert(AUDIO_FRAME_SAMPLES % 16 == 0, "whole vectors");
	for (size_t i = 0; i < AUDIO_FRAME_SAMPLES; i += 16) {
		const __m128i *o = (const __m128i *)(const void *)(own + i);
		const __m256i *s = (const __m256i *)(const void *)(sum + i);
		const __m256i low = _mm256_sub_epi32(_mm256_loadu_si256(s),
		                                     _mm256_cvtepi16_epi32(_mm_loadu_si128(o)));
		const __m256i high = _mm256_sub_epi32(
		        _mm256_loadu_si256(s + 1), _mm256_cvtepi16_epi32(_mm_loadu_si128(o + 1)));
		/* The halves of both come interleaved: 0 2 1 3. */
		const __m256i both = _mm256_packs_epi32(low, high);
		_mm256_storeu_si256((__m256i *)(void *)(out + i),
		                    _mm256_permute4x64_epi64(both, 0xD8));
	}
}
#else
SIMD_AVX2 void
minus_avx2(int16_t *out, const int32_t *sum, const int16_t *own)
{
	minus_body(out, sum, own);
}
#endif

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

/* The gain that brings this frame's peak to full scale is reached within the frame's first 2 ms;
 * what is louder before that is clipped.  Afterwards it returns to unity slowly, frame by frame. */
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
