/* SPDX-License-Identifier: Apache-2.0 */
/* testing -- test signals and how to look at them; only for the tests and the bench. */
#ifndef AUDIO_TESTING_H
#define AUDIO_TESTING_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "audio/audio.h"
#include "base/prng.h"

#define TESTING_TURN 6.283185307179586

/* The amplitude of the part of `pcm` that has the frequency `hz` (Goertzel's sum, windowed). */
static inline double
testing_amplitude(const int16_t *pcm, size_t samples, double hz)
{
	double re = 0;
	double im = 0;
	for (size_t i = 0; i < samples; i++) {
		const double at = (double)i / (double)samples;
		const double window = 1.0 - cos(TESTING_TURN * at);
		const double turn = TESTING_TURN * hz * (double)i / AUDIO_RATE_HZ;
		re += window * pcm[i] * cos(turn);
		im += window * pcm[i] * sin(turn);
	}
	return 2.0 * sqrt(re * re + im * im) / (double)samples;
}

static inline void
testing_tone(int16_t *pcm, size_t samples, double hz, double amplitude, size_t from)
{
	for (size_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)lrint(
		        amplitude * sin(TESTING_TURN * hz * (double)(from + i) / AUDIO_RATE_HZ));
}

static inline double
testing_rms(const int16_t *pcm, size_t samples)
{
	double sum = 0;
	for (size_t i = 0; i < samples; i++)
		sum += (double)pcm[i] * pcm[i];
	return sqrt(sum / (double)samples);
}

/* The largest step between neighbours: what a click looks like. */
static inline int
testing_step_max(const int16_t *pcm, size_t samples)
{
	int most = 0;
	for (size_t i = 1; i < samples; i++) {
		const int step = pcm[i] > pcm[i - 1] ? pcm[i] - pcm[i - 1] : pcm[i - 1] - pcm[i];
		most = step > most ? step : most;
	}
	return most;
}

/* Something like speech: a voice whose pitch wanders around 130 Hz, seven harmonics, in syllables
 * of 200 ms with a short gap after every fourth. */
static inline void
testing_speech(int16_t *pcm, size_t samples, size_t from)
{
	for (size_t i = 0; i < samples; i++) {
		const double t = (double)(from + i) / AUDIO_RATE_HZ;
		/* The integral of 130 * (1 + 0.15 sin(2 pi 1.3 t)). */
		const double phase =
		        130.0 * (t - 0.15 * cos(TESTING_TURN * 1.3 * t) / (TESTING_TURN * 1.3));
		double v = 0;
		for (int h = 1; h <= 7; h++)
			v += sin(TESTING_TURN * h * phase) / h;
		const double syllable = 0.55 - 0.45 * cos(TESTING_TURN * 5.0 * t);
		const double word = fmod(t, 1.0) < 0.8 ? 1.0 : 0.0;
		pcm[i] = (int16_t)lrint(5000.0 * syllable * word * v);
	}
}

#endif
