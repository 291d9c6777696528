/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/audio_level.h"

#include <math.h>

#include "audio/simd.h"
#include "base/check.h"

enum {
	LANES = 16,
	Q4 = 16,
	FLOOR_RISE_Q4 = 1,     /* 3 dB a second: a fan that starts is floor after a few seconds */
	FLOOR_LEVEL_HIGH = 30, /* the floor is never believed louder than -30 dBov */
};

/* Sixteen sums side by side, which a compiler may keep in vectors without reordering any. */
SIMD_BODY uint64_t
energy_body(const int16_t *pcm, size_t samples)
{
	float lanes[LANES] = { 0 };
	size_t at = 0;
	for (; at + LANES <= samples; at += LANES)
		for (size_t lane = 0; lane < LANES; lane++)
			lanes[lane] += (float)pcm[at + lane] * (float)pcm[at + lane];
	for (; at < samples; at++)
		lanes[0] += (float)pcm[at] * (float)pcm[at];

	double total = 0;
	for (size_t lane = 0; lane < LANES; lane++)
		total += (double)lanes[lane];
	return (uint64_t)total;
}

SIMD_AVX2 uint64_t
energy_avx2(const int16_t *pcm, size_t samples)
{
	return energy_body(pcm, samples);
}

uint8_t
audio_level_of_energy(uint64_t sum_of_squares, size_t samples)
{
	CHECK(samples != 0);
	const double mean = (double)sum_of_squares / (double)samples;
	if (mean < 1.0)
		return AUDIO_LEVEL_SILENCE;
	/* 0 dBov is the power of a full-scale square wave (RFC 6464 s3). */
	const double db = -10.0 * log10(mean / (32768.0 * 32768.0));
	return db <= 0 ? 0 : db >= AUDIO_LEVEL_SILENCE ? AUDIO_LEVEL_SILENCE : (uint8_t)(db + 0.5);
}

uint8_t
audio_level_of(const int16_t *pcm, size_t samples)
{
	if (samples == 0)
		return AUDIO_LEVEL_SILENCE;
	return audio_level_of_energy(SIMD_HAS_AVX2 ? energy_avx2(pcm, samples)
	                                           : energy_body(pcm, samples),
	                             samples);
}

bool
audio_activity_input(struct audio_activity *activity, uint8_t level)
{
	CHECK(level <= AUDIO_LEVEL_SILENCE);
	/* The larger, the quieter.  A gate's digital silence says nothing about the room behind
	 * it. */
	const int quietest = AUDIO_ACTIVITY_LEVEL_WEAKEST + AUDIO_ACTIVITY_MARGIN_DB;
	const int quiet_q4 = (level < quietest ? level : quietest) * Q4;
	const int highest_q4 = FLOOR_LEVEL_HIGH * Q4;

	/* Before anything is known a leg is taken for a quiet one, so its first word counts. */
	if (activity->floor_q4 == 0)
		activity->floor_q4 = (int16_t)(quietest * Q4);
	if (quiet_q4 > activity->floor_q4)
		activity->floor_q4 = (int16_t)quiet_q4;
	else if (activity->floor_q4 > highest_q4)
		activity->floor_q4 = (int16_t)(activity->floor_q4 - FLOOR_RISE_Q4);

	const bool loud = level <= AUDIO_ACTIVITY_LEVEL_WEAKEST &&
	                  quiet_q4 + AUDIO_ACTIVITY_MARGIN_DB * Q4 <= activity->floor_q4;
	if (loud) {
		activity->onset = activity->onset < UINT8_MAX ? activity->onset + 1 : UINT8_MAX;
		/* A click is one frame long: it counts, but it does not linger. */
		activity->hangover = activity->onset >= 3 ? AUDIO_ACTIVITY_HANGOVER_FRAMES : 1;
	} else {
		activity->onset = 0;
		activity->hangover = activity->hangover != 0 ? activity->hangover - 1 : 0;
	}
	activity->speaking = loud || activity->hangover != 0;
	return activity->speaking;
}
