/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/scale_plane.h"

#include <string.h>

#include "audio/simd.h"
#include "base/check.h"

#if SIMD_X86
#include <immintrin.h>
#endif

enum {
	ROW_SHARES = 128,
	COLUMN_SHARES = 64, /* two bytes times 64 still fit sixteen bits with a sign */
	PAD = 32,           /* behind a row: a group is read whole */
};

/* Where pixel `i` of `to` lies in `from`, in 1/65536: the middle of one on the middle of the
 * other. */
static int64_t
place(int i, int from, int to)
{
	const int64_t step = ((int64_t)from << 16) / to;
	const int64_t at = i * step + step / 2 - (1 << 15);
	const int64_t last = (int64_t)(from - 1) << 16;
	return at < 0 ? 0 : at > last ? last : at;
}

bool
scale_columns_possible(int from_width, int to_width)
{
	return from_width <= 2 * to_width && from_width <= SCALE_PLANE_WIDTH_MAX &&
	       to_width <= SCALE_PLANE_WIDTH_MAX;
}

void
scale_columns_init(struct scale_columns *columns, int from_width, int to_width)
{
	CHECK(scale_columns_possible(from_width, to_width));
	columns->from_width = from_width;
	columns->to_width = to_width;
	/* Groups come in pairs; what lies beyond the row's end is made, but not kept. */
	const int end = (to_width + 2 * SCALE_GROUP - 1) / (2 * SCALE_GROUP) * (2 * SCALE_GROUP);
	int64_t group_at = 0;
	for (int i = 0; i < end; i++) {
		const int64_t at = place(i < to_width ? i : to_width - 1, from_width, to_width);
		if (i % SCALE_GROUP == 0) {
			group_at = at >> 16;
			columns->at[i / SCALE_GROUP] = (uint16_t)group_at;
		}
		const int64_t left = (at >> 16) - group_at;
		CHECK(left >= 0 && left < 2 * SCALE_GROUP);
		const bool last = (at >> 16) == from_width - 1;
		const unsigned share = (unsigned)(at >> 10) & (COLUMN_SHARES - 1);
		columns->pick[2 * i] = (uint8_t)left;
		columns->pick[2 * i + 1] = (uint8_t)(last ? left : left + 1);
		columns->share[2 * i] = (uint8_t)(COLUMN_SHARES - share);
		columns->share[2 * i + 1] = (uint8_t)share;
	}
}

/* ---- Between two rows ---------------------------------------------------------------------- */

SIMD_BODY void
mix_rows_body(uint8_t *restrict to, const uint8_t *a, const uint8_t *b, unsigned share, int count)
{
	const uint16_t share_a = (uint16_t)(ROW_SHARES - share), share_b = (uint16_t)share;
	for (int i = 0; i < count; i++)
		to[i] = (uint8_t)((uint16_t)(a[i] * share_a + b[i] * share_b + ROW_SHARES / 2) /
		                  ROW_SHARES);
}

SIMD_AVX2 void
mix_rows_avx2(uint8_t *restrict to, const uint8_t *a, const uint8_t *b, unsigned share, int count)
{
	mix_rows_body(to, a, b, share, count);
}

static void
mix_rows(uint8_t *to, const uint8_t *a, const uint8_t *b, unsigned share, int count)
{
	if (share == 0)
		memcpy(to, a, (size_t)count);
	else if (SIMD_HAS_AVX2)
		mix_rows_avx2(to, a, b, share, count);
	else
		mix_rows_body(to, a, b, share, count);
}

/* ---- Between two columns ------------------------------------------------------------------- */

static void
mix_columns_plain(const struct scale_columns *columns, uint8_t *to, const uint8_t *row, int first)
{
	for (int i = first; i < columns->to_width; i++) {
		const uint8_t *group = row + columns->at[i / SCALE_GROUP];
		const int sum = group[columns->pick[2 * i]] * columns->share[2 * i] +
		                group[columns->pick[2 * i + 1]] * columns->share[2 * i + 1];
		to[i] = (uint8_t)((sum + COLUMN_SHARES / 2) / COLUMN_SHARES);
	}
}

#if SIMD_X86
/* Two groups at a time, one in each half of a register. */
SIMD_AVX2 void
mix_columns_avx2(const struct scale_columns *columns, uint8_t *to, const uint8_t *row)
{
	const __m256i half = _mm256_set1_epi16(COLUMN_SHARES / 2);
	int i = 0;
	for (; i + 2 * SCALE_GROUP <= columns->to_width; i += 2 * SCALE_GROUP) {
		const uint16_t *at = &columns->at[i / SCALE_GROUP];
		const __m256i pixels = _mm256_inserti128_si256(
		        _mm256_castsi128_si256(
		                _mm_loadu_si128((const __m128i *)(const void *)(row + at[0]))),
		        _mm_loadu_si128((const __m128i *)(const void *)(row + at[1])), 1);
		const __m256i pick =
		        _mm256_load_si256((const __m256i *)(const void *)&columns->pick[2 * i]);
		const __m256i share =
		        _mm256_load_si256((const __m256i *)(const void *)&columns->share[2 * i]);
		const __m256i sums = _mm256_maddubs_epi16(_mm256_shuffle_epi8(pixels, pick), share);
		const __m256i mixed = _mm256_srli_epi16(_mm256_add_epi16(sums, half), 6);
		const __m256i packed =
		        _mm256_permute4x64_epi64(_mm256_packus_epi16(mixed, mixed), 0x08);
		_mm_storeu_si128((__m128i *)(void *)(to + i), _mm256_castsi256_si128(packed));
	}
	mix_columns_plain(columns, to, row, i);
}
#endif

static void
mix_columns(const struct scale_columns *columns, uint8_t *to, const uint8_t *row)
{
#if SIMD_X86
	if (SIMD_HAS_AVX2) {
		mix_columns_avx2(columns, to, row);
		return;
	}
#endif
	mix_columns_plain(columns, to, row, 0);
}

void
scale_plane(const struct scale_columns *columns, const struct scale_rows *rows)
{
	uint8_t row[SCALE_PLANE_WIDTH_MAX + PAD];
	memset(row + columns->from_width, 0, PAD);
	for (int y = 0; y < rows->to_height; y++) {
		const int64_t at = place(y, rows->from_height, rows->to_height);
		const int64_t above = at >> 16;
		const int64_t below = above + 1 < rows->from_height ? above + 1 : above;
		const unsigned share = (unsigned)(at >> 9) & (ROW_SHARES - 1);
		mix_rows(row, rows->from + above * rows->from_stride,
		         rows->from + below * rows->from_stride, share, columns->from_width);
		mix_columns(columns, rows->to + (int64_t)y * rows->to_stride, row);
	}
}
