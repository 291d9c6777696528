/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/agc.h"

#include <math.h>

#include "audio/mix.h"
#include "base/check.h"

enum {
	Q8 = 256,
	UNITY_Q12 = 1 << 12,
	FRAMES_PER_S = 1000 / AUDIO_FRAME_MS,
	SPEECH_FRAMES_Q8 = 64, /* a new frame moves the speech level by a 64th: 1.3 s */
	DEAD_BAND_Q8 = 2 * Q8, /* nobody hears 2 dB */
};

static int32_t
gain_of(int32_t gain_q8_db)
{
	return (int32_t)lrint(UNITY_Q12 * pow(10.0, (double)gain_q8_db / Q8 / 20.0));
}

static int32_t
peak_of(const int16_t *pcm)
{
	int32_t low = 0;
	int32_t high = 0;
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		low = pcm[i] < low ? pcm[i] : low;
		high = pcm[i] > high ? pcm[i] : high;
	}
	return -low > high ? -low : high;
}

static int32_t
clamp(int32_t v, int32_t low, int32_t high)
{
	return v < low ? low : v > high ? high : v;
}

/* Moves the gain only on speech, towards what would bring it to the target. */
static void
adapt(struct agc *agc, uint8_t level)
{
	const int32_t level_q8 = (level != 0 ? level : 1) * Q8;
	if (agc->speech_q8_db == 0)
		agc->speech_q8_db = level_q8;
	agc->speech_q8_db += (level_q8 - agc->speech_q8_db) / SPEECH_FRAMES_Q8;

	const int32_t wanted = clamp(agc->speech_q8_db - AGC_TARGET_LEVEL * Q8,
	                             AGC_GAIN_DB_MIN * Q8, AGC_GAIN_DB_MAX * Q8);
	const int32_t off = wanted - agc->gain_q8_db;
	if (off > DEAD_BAND_Q8)
		agc->gain_q8_db += AGC_RISE_DB_PER_S * Q8 / FRAMES_PER_S;
	else if (off < -DEAD_BAND_Q8)
		agc->gain_q8_db -= AGC_FALL_DB_PER_S * Q8 / FRAMES_PER_S;
}

void
agc_run(struct agc *agc, int16_t pcm[AUDIO_FRAME_SAMPLES], uint8_t level, bool speaking)
{
	const int32_t before_q12 = agc->gain_q12 != 0 ? agc->gain_q12 : UNITY_Q12;
	const int32_t db_before = agc->gain_q8_db;

	if (speaking && level < AUDIO_LEVEL_SILENCE)
		adapt(agc, level);
	int32_t after_q12 = agc->gain_q8_db != db_before || agc->gain_q12 == 0
	                            ? gain_of(agc->gain_q8_db)
	                            : before_q12;
	if (agc->gain_q8_db > 0) {
		const int32_t peak = peak_of(pcm);
		/* A shout into a raised gain: down at once, for good. */
		if ((int64_t)peak * after_q12 > (int64_t)INT16_MAX * UNITY_Q12) {
			after_q12 = INT16_MAX * UNITY_Q12 / peak;
			after_q12 = after_q12 > UNITY_Q12 ? after_q12 : UNITY_Q12;
			agc->gain_q8_db =
			        (int32_t)(20.0 * Q8 * log10((double)after_q12 / UNITY_Q12));
		}
	}
	agc->gain_q12 = after_q12;
	CHECK(agc->gain_q8_db <= (AGC_GAIN_DB_MAX + 1) * Q8);
	if (before_q12 != UNITY_Q12 || after_q12 != UNITY_Q12)
		mix_fade(pcm, after_q12 < before_q12 ? after_q12 : before_q12, after_q12);
}

int
agc_gain_db(const struct agc *agc)
{
	return (agc->gain_q8_db + (agc->gain_q8_db < 0 ? -Q8 / 2 : Q8 / 2)) / Q8;
}
