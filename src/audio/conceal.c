/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/conceal.h"

#include <string.h>

#include "base/check.h"

enum {
	PERIOD_MIN_US = 2500,
	PERIOD_MAX_US = 15000,
	HOLD_US = 10000,  /* at full strength */
	FADE_US = 50000,  /* then down to nothing */
	JOIN_US = 4000,
	STEP_US = 2000,
};

static size_t
samples_of(const struct conceal *conceal, unsigned us)
{
	return (size_t)conceal->rate_hz * us / 1000000;
}

void
conceal_init(struct conceal *conceal, uint32_t rate_hz)
{
	CHECK(rate_hz == 8000 || rate_hz == CONCEAL_RATE_HZ_MAX);
	*conceal = (struct conceal){ .rate_hz = (uint16_t)rate_hz };
}

static void
remember(struct conceal *conceal, const int16_t *pcm, size_t samples)
{
	if (samples >= CONCEAL_PAST_MAX) {
		memcpy(conceal->past, pcm + samples - CONCEAL_PAST_MAX, sizeof conceal->past);
		return;
	}
	memmove(conceal->past, conceal->past + samples, (CONCEAL_PAST_MAX - samples) * sizeof *pcm);
	memcpy(conceal->past + CONCEAL_PAST_MAX - samples, pcm, samples * sizeof *pcm);
}

/* The lag at which the end of the past resembles itself best. */
static size_t
find_period(const struct conceal *conceal)
{
	const size_t lag_min = samples_of(conceal, PERIOD_MIN_US);
	const size_t lag_max = samples_of(conceal, PERIOD_MAX_US);
	const size_t stride = conceal->rate_hz / 8000;
	const int16_t *end = conceal->past + CONCEAL_PAST_MAX;
	size_t best = lag_max;
	float best_score = 0;

	for (size_t lag = lag_min; lag <= lag_max; lag++) {
		float cross = 0;
		float power = 1;
		for (size_t i = 1; i <= lag_max; i += stride) {
			const float there = *(end - i - lag);
			cross += (float)*(end - i) * there;
			power += there * there;
		}
		const float score = cross > 0 ? cross * cross / power : 0;
		/* A multiple of the period scores about as well: the shortest one wins. */
		if (score > best_score * 1.05f) {
			best_score = score;
			best = lag;
		}
	}
	return best;
}

/* One period, its last quarter bent towards what stood before its beginning, so that it can follow
 * itself without a step. */
static void
begin(struct conceal *conceal)
{
	const int16_t *end = conceal->past + CONCEAL_PAST_MAX;
	const size_t period = find_period(conceal);
	const size_t bend = period / 4;

	conceal->period = (uint16_t)period;
	memcpy(conceal->cycle, end - period, period * sizeof *conceal->cycle);
	for (size_t i = 0; i < bend; i++) {
		const int32_t own = *(end - bend + i);
		const int32_t before = *(end - period - bend + i);
		conceal->cycle[period - bend + i] = (int16_t)(
		        (own * (int32_t)(bend - i) + before * (int32_t)i) / (int32_t)bend);
	}
	const int32_t step = end[-1] - *(end - period - 1);
	conceal->step = (int16_t)(step > INT16_MAX   ? INT16_MAX
	                          : step < INT16_MIN ? INT16_MIN
	                                             : step);
}

static int16_t
next_sample(struct conceal *conceal)
{
	const size_t hold = samples_of(conceal, HOLD_US);
	const size_t fade = samples_of(conceal, FADE_US);
	const size_t bridge = samples_of(conceal, STEP_US);
	const size_t at = conceal->lost;

	if (at >= hold + fade)
		return 0;
	conceal->lost++;
	int32_t v = conceal->cycle[at % conceal->period];
	if (at < bridge)
		v += conceal->step * (int32_t)(bridge - at) / (int32_t)bridge;
	if (at > hold)
		v = v * (int32_t)(hold + fade - at) / (int32_t)fade;
	return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

void
conceal_lost(struct conceal *conceal, int16_t *out, size_t samples)
{
	if (conceal->lost == 0)
		begin(conceal);
	for (size_t i = 0; i < samples; i++)
		out[i] = next_sample(conceal);
	remember(conceal, out, samples);
}

void
conceal_good(struct conceal *conceal, int16_t *pcm, size_t samples)
{
	if (conceal->lost != 0) {
		size_t join = samples_of(conceal, JOIN_US);
		join = join < samples ? join : samples;
		for (size_t i = 0; i < join; i++) {
			const int32_t old = next_sample(conceal) * (int32_t)(join - i);
			pcm[i] = (int16_t)((old + pcm[i] * (int32_t)i) / (int32_t)join);
		}
		conceal->lost = 0;
	}
	remember(conceal, pcm, samples);
}
