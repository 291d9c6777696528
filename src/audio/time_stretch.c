/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/time_stretch.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

enum {
	COARSE = 6,                 /* the search runs on every sixth sample's mean: 8 kHz */
	COARSE_MAX = TIME_STRETCH_SAMPLES_MIN / COARSE,
	QUIET_MEAN_SQUARE = 33 * 33, /* -60 dBov: whatever is done here is not heard */
};

struct match {
	size_t lag;
	float correlation; /* -1..1 */
	bool quiet;
};

static float
correlation_at(const float *x, size_t lag, size_t length)
{
	float cross = 0;
	float here = 0;
	float there = 0;
	for (size_t i = 0; i < length; i++) {
		cross += x[i] * x[i + lag];
		here += x[i] * x[i];
		there += x[i + lag] * x[i + lag];
	}
	const float power = sqrtf(here * there);
	return power < 1.0f ? 0 : cross / power;
}

/* The lag by which the first part of the sound resembles what follows it best.  Comparing exactly
 * one period with the next keeps what is compared and what is faded the same. */
static struct match
find_period(const int16_t *pcm, size_t lag_max)
{
	float coarse[COARSE_MAX];
	float energy = 0;
	for (size_t i = 0; i < COARSE_MAX; i++) {
		int32_t sum = 0;
		for (size_t j = 0; j < COARSE; j++)
			sum += pcm[i * COARSE + j];
		coarse[i] = (float)sum / COARSE;
		energy += coarse[i] * coarse[i];
	}
	struct match best = { .lag = TIME_STRETCH_LAG_MIN, .correlation = -1 };
	best.quiet = energy / COARSE_MAX < QUIET_MEAN_SQUARE;

	for (size_t lag = TIME_STRETCH_LAG_MIN / COARSE; lag <= lag_max / COARSE; lag++) {
		const float c = correlation_at(coarse, lag, lag);
		if (c > best.correlation) {
			best.correlation = c;
			best.lag = lag * COARSE;
		}
	}
	/* Between the coarse steps, the smallest difference at the full rate. */
	const size_t around = best.lag;
	int64_t smallest = INT64_MAX;
	for (size_t lag = around - COARSE / 2; lag <= around + COARSE / 2; lag++) {
		if (lag < TIME_STRETCH_LAG_MIN || lag > lag_max)
			continue;
		int64_t difference = 0;
		for (size_t i = 0; i < around; i += 2) {
			const int32_t d = pcm[i] - pcm[i + lag];
			difference += d < 0 ? -d : d;
		}
		if (difference < smallest) {
			smallest = difference;
			best.lag = lag;
		}
	}
	return best;
}

/* The period that can be taken out or put in without anybody hearing, or by `force`; 0: none. */
static size_t
changeable_period(const int16_t *pcm, size_t samples, size_t lag_max, bool force)
{
	CHECK(samples >= TIME_STRETCH_SAMPLES_MIN);
	if (lag_max > TIME_STRETCH_LAG_MAX)
		lag_max = TIME_STRETCH_LAG_MAX;
	if (lag_max < TIME_STRETCH_LAG_MIN)
		return 0;
	const struct match match = find_period(pcm, lag_max);
	return force || match.quiet || match.correlation > 0.6f ? match.lag : 0;
}

/* out[i] goes from `from` to `to` over `count` samples; any of the three may overlap forwards. */
static void
cross_fade(int16_t *out, const int16_t *from, const int16_t *to, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const int32_t a = from[i] * (int32_t)(count - i);
		const int32_t b = to[i] * (int32_t)i;
		out[i] = (int16_t)((a + b) / (int32_t)count);
	}
}

size_t
time_stretch_shorten(int16_t *pcm, size_t samples, size_t lag_max, bool force)
{
	const size_t lag = changeable_period(pcm, samples, lag_max, force);
	if (lag == 0)
		return 0;

	/* Two periods become one: it begins as the first and ends as the second. */
	cross_fade(pcm, pcm, pcm + lag, lag);
	memmove(pcm + lag, pcm + 2 * lag, (samples - 2 * lag) * sizeof *pcm);
	return lag;
}

size_t
time_stretch_lengthen(int16_t *pcm, size_t samples, size_t lag_max, bool force)
{
	const size_t lag = changeable_period(pcm, samples, lag_max, force);
	if (lag == 0)
		return 0;

	/* Between the first period and the second one more: it begins as the second does, as if the
	 * sound went on, and ends as the first does, so that the second follows naturally. */
	int16_t extra[TIME_STRETCH_LAG_MAX];
	cross_fade(extra, pcm + lag, pcm, lag);
	memmove(pcm + 2 * lag, pcm + lag, (samples - lag) * sizeof *pcm);
	memcpy(pcm + lag, extra, lag * sizeof *pcm);
	return lag;
}
