/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: nobody hears himself, nothing wraps, the chosen few are the right few and stay, gains move
 * as told, and sound is stretched without clicks.  Method: plain twins, random frames, made-up
 * conversations. */
#include <stdlib.h>
#include <string.h>

#include "audio/agc.h"
#include "audio/audio_level.h"
#include "audio/mix.h"
#include "audio/speaker_select.h"
#include "audio/testing.h"
#include "audio/time_stretch.h"
#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

enum { TALKERS = 5 };

static int16_t frames[TALKERS][AUDIO_FRAME_SAMPLES];

static void
random_frame(struct prng *prng, int16_t *pcm, unsigned shift)
{
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		pcm[i] = (int16_t)((int16_t)prng_u32(prng) >> shift);
}

static int16_t
plain_saturate(int64_t v)
{
	return (int16_t)(v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v);
}

TEST(the_mix_equals_its_plain_twin)
{
	struct prng prng;
	prng_init(&prng, 1);
	for (int round = 0; round < 20; round++) {
		struct mix mix;
		int64_t plain[AUDIO_FRAME_SAMPLES] = { 0 };
		int16_t out[AUDIO_FRAME_SAMPLES];
		mix_clear(&mix);
		for (int t = 0; t < TALKERS; t++) {
			random_frame(&prng, frames[t], (unsigned)round % 6);
			mix_add(&mix, frames[t]);
			for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
				plain[i] += frames[t][i];
		}
		mix_all(out, &mix);
		for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			EXPECT_EQ(out[i], plain_saturate(plain[i]));
		mix_minus(out, &mix, frames[2]);
		for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			EXPECT_EQ(out[i], plain_saturate(plain[i] - frames[2][i]));
	}
}

TEST(nobody_hears_himself)
{
	static const double hz[TALKERS] = { 300, 500, 800, 1300, 2100 };
	struct mix_limiter limiters[TALKERS] = { 0 };
	int16_t out[TALKERS][10 * AUDIO_FRAME_SAMPLES];
	for (size_t f = 0; f < 10; f++) {
		struct mix mix;
		mix_clear(&mix);
		for (int t = 0; t < TALKERS; t++) {
			testing_tone(frames[t], AUDIO_FRAME_SAMPLES, hz[t], 9000,
			             f * AUDIO_FRAME_SAMPLES);
			mix_add(&mix, frames[t]);
		}
		for (int t = 0; t < TALKERS; t++)
			mix_limited(out[t] + f * AUDIO_FRAME_SAMPLES, &mix, frames[t],
			            &limiters[t]);
	}
	for (int t = 0; t < TALKERS; t++) {
		const int16_t *late = out[t] + 2 * AUDIO_FRAME_SAMPLES;
		for (int other = 0; other < TALKERS; other++) {
			const double amplitude =
			        testing_amplitude(late, 8 * AUDIO_FRAME_SAMPLES, hz[other]);
			if (other == t)
				EXPECT(amplitude < 60);
			else
				EXPECT(amplitude > 5000);
		}
	}
}

TEST(the_limiter_turns_down_what_would_clip_and_lets_go_slowly)
{
	struct mix_limiter limiter = { 0 };
	struct mix mix;
	int16_t out[AUDIO_FRAME_SAMPLES];
	for (size_t f = 0; f < 5; f++) {
		mix_clear(&mix);
		testing_tone(frames[0], AUDIO_FRAME_SAMPLES, 500, 25000, f * AUDIO_FRAME_SAMPLES);
		mix_add(&mix, frames[0]);
		mix_add(&mix, frames[0]);
		mix_limited(out, &mix, NULL, &limiter);
	}
	/* A sine and not a square: its third harmonic is missing. */
	EXPECT(testing_amplitude(out, AUDIO_FRAME_SAMPLES, 500) > 31000);
	EXPECT(testing_amplitude(out, AUDIO_FRAME_SAMPLES, 1500) < 300);
	EXPECT(limiter.reduction_q15 > 10000);

	mix_clear(&mix);
	mix_add(&mix, frames[0]);
	mix_limited(out, &mix, NULL, &limiter);
	EXPECT(limiter.reduction_q15 > 8000);
	for (int i = 0; i < 30; i++)
		mix_limited(out, &mix, NULL, &limiter);
	EXPECT_EQ(limiter.reduction_q15, 0);
	EXPECT(memcmp(out, frames[0], sizeof out) == 0);
}

TEST(a_quiet_mix_passes_the_limiter_untouched)
{
	struct mix_limiter limiter = { 0 };
	struct prng prng;
	struct mix mix;
	int16_t limited[AUDIO_FRAME_SAMPLES], plain[AUDIO_FRAME_SAMPLES];
	prng_init(&prng, 3);
	mix_clear(&mix);
	for (int t = 0; t < 3; t++) {
		random_frame(&prng, frames[t], 3);
		mix_add(&mix, frames[t]);
	}
	mix_limited(limited, &mix, frames[1], &limiter);
	mix_minus(plain, &mix, frames[1]);
	EXPECT(memcmp(limited, plain, sizeof plain) == 0);
}

TEST(a_fade_is_a_ramp)
{
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		frames[0][i] = 10000;
	mix_fade(frames[0], 0, 4096);
	EXPECT_EQ(frames[0][0], 0);
	EXPECT(frames[0][480] >= 4990 && frames[0][480] <= 5010);
	EXPECT(frames[0][959] > 9980 && frames[0][959] <= 10000);
	EXPECT(testing_step_max(frames[0], AUDIO_FRAME_SAMPLES) < 15);
}

/* ---- levels ---- */

TEST(levels_are_decibels_below_a_full_scale_square_wave)
{
	int16_t *pcm = frames[0];
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		pcm[i] = i % 2 == 0 ? INT16_MAX : INT16_MIN;
	EXPECT_EQ(audio_level_of(pcm, AUDIO_FRAME_SAMPLES), 0);
	testing_tone(pcm, AUDIO_FRAME_SAMPLES, 1000, 32767, 0);
	EXPECT_EQ(audio_level_of(pcm, AUDIO_FRAME_SAMPLES), 3);
	testing_tone(pcm, AUDIO_FRAME_SAMPLES, 1000, 327.67, 0);
	EXPECT_EQ(audio_level_of(pcm, AUDIO_FRAME_SAMPLES), 43);
	testing_tone(pcm, AUDIO_FRAME_SAMPLES, 1000, 10, 0);
	EXPECT_EQ(audio_level_of(pcm, AUDIO_FRAME_SAMPLES), 73);
	memset(pcm, 0, sizeof frames[0]);
	EXPECT_EQ(audio_level_of(pcm, AUDIO_FRAME_SAMPLES), 127);
	EXPECT_EQ(audio_level_of(pcm, 0), 127);
	pcm[5] = 1000;
	EXPECT_EQ(audio_level_of(pcm, 7), 39);
}

TEST(steady_noise_becomes_the_floor_and_speech_above_it_counts_at_once)
{
	struct audio_activity activity = { 0 };
	/* A fan at -50 dBov: taken for speech at first, known for what it is within four
	 * seconds. */
	for (int i = 0; i < 200; i++)
		(void)audio_activity_input(&activity, (uint8_t)(50 + i % 2));
	EXPECT(!activity.speaking);
	EXPECT(audio_activity_input(&activity, 25));
	EXPECT(audio_activity_input(&activity, 24));
	EXPECT(audio_activity_input(&activity, 24));
	for (int i = 0; i < AUDIO_ACTIVITY_HANGOVER_FRAMES - 1; i++)
		EXPECT(audio_activity_input(&activity, 50));
	(void)audio_activity_input(&activity, 50);
	EXPECT(!audio_activity_input(&activity, 50));
}

TEST(silence_is_never_speech)
{
	struct audio_activity activity = { 0 };
	for (int i = 0; i < 100; i++)
		EXPECT(!audio_activity_input(&activity, i % 3 == 0 ? 127 : 90));
}

/* ---- selection ---- */

enum { LEGS = 12 };

static struct speaker speakers[LEGS];
static struct speaker *room[LEGS];
static struct speaker_select selection;

static void
new_room(unsigned chosen_max)
{
	memset(speakers, 0, sizeof speakers);
	for (int i = 0; i < LEGS; i++)
		room[i] = &speakers[i];
	speaker_select_init(&selection, chosen_max);
}

static unsigned
run_room(const uint8_t *levels)
{
	for (int i = 0; i < LEGS; i++)
		speaker_input(&speakers[i], levels[i]);
	return speaker_select_run(&selection, room, LEGS);
}

TEST(a_silent_room_chooses_nobody)
{
	new_room(0);
	uint8_t levels[LEGS];
	memset(levels, 127, sizeof levels);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(run_room(levels), 0);
	EXPECT(selection.dominant == NULL);
}

TEST(a_new_talker_is_in_with_his_first_loud_frame)
{
	new_room(3);
	uint8_t levels[LEGS];
	memset(levels, 70, sizeof levels);
	levels[0] = levels[1] = levels[2] = 30;
	for (int i = 0; i < 100; i++)
		(void)run_room(levels);
	EXPECT(speakers[0].selected && speakers[1].selected && speakers[2].selected);
	/* Louder than those in by more than the allowance. */
	levels[7] = 20;
	EXPECT_EQ(run_room(levels), 3);
	EXPECT(speakers[7].selected);

	/* And with a free place, any speech will do. */
	new_room(4);
	levels[7] = 70;
	for (int i = 0; i < 50; i++)
		(void)run_room(levels);
	EXPECT_EQ(selection.chosen_count, 3);
	levels[9] = 45;
	EXPECT_EQ(run_room(levels), 4);
	EXPECT(speakers[9].selected);
}

TEST(equal_talkers_do_not_flap)
{
	new_room(3);
	struct prng prng;
	prng_init(&prng, 5);
	int changes = 0;
	bool was[LEGS] = { false };
	for (int f = 0; f < 1000; f++) {
		uint8_t levels[LEGS];
		memset(levels, 75, sizeof levels);
		/* Six who never stop but for a breath. */
		for (int t = 0; t < 6; t++)
			if ((f + 7 * t) % 40 > 3)
				levels[t] = (uint8_t)(28 + prng_below(&prng, 5));
		(void)run_room(levels);
		for (int i = 0; i < LEGS; i++) {
			changes += f > 10 && was[i] != speakers[i].selected;
			was[i] = speakers[i].selected;
		}
	}
	EXPECT(changes <= 4);
}

TEST(a_place_is_kept_over_a_pause_but_yields_to_speech)
{
	new_room(1);
	uint8_t levels[LEGS];
	memset(levels, 70, sizeof levels);
	levels[0] = 25;
	for (int i = 0; i < 50; i++)
		(void)run_room(levels);
	levels[0] = 70;
	for (int i = 0; i < 40; i++)
		(void)run_room(levels);
	EXPECT(speakers[0].selected);
	levels[3] = 45; /* quieter than he was, but speaking while he is not */
	(void)run_room(levels);
	EXPECT(speakers[3].selected && !speakers[0].selected);
	levels[3] = 70;
	for (int i = 0; i < SPEAKER_HOLD_FRAMES + AUDIO_ACTIVITY_HANGOVER_FRAMES + 5; i++)
		(void)run_room(levels);
	EXPECT_EQ(selection.chosen_count, 0);
}

TEST(one_who_leaves_is_out_at_once)
{
	new_room(2);
	uint8_t levels[LEGS];
	memset(levels, 70, sizeof levels);
	levels[4] = 20;
	for (int i = 0; i < 50; i++)
		(void)run_room(levels);
	EXPECT(selection.dominant == &speakers[4]);
	speaker_remove(&selection, &speakers[4]);
	EXPECT_EQ(selection.chosen_count, 0);
	EXPECT(selection.dominant == NULL);
	EXPECT(speakers[4].talking_changed && !speakers[4].talking);
}

TEST(talking_is_shown_after_a_word_and_not_after_a_click)
{
	new_room(4);
	uint8_t levels[LEGS];
	memset(levels, 70, sizeof levels);
	int changes = 0;
	for (int f = 0; f < 200; f++) {
		levels[2] = f % 50 == 0 ? 15 : 70; /* a click a second */
		(void)run_room(levels);
		changes += speakers[2].talking_changed;
	}
	EXPECT_EQ(changes, 0);
	for (int f = 0; f < 500; f++) {
		/* Words with gaps of 200 ms. */
		levels[2] = f % 25 < 15 ? 25 : 70;
		(void)run_room(levels);
		changes += speakers[2].talking_changed;
	}
	EXPECT_EQ(changes, 1);
	EXPECT(speakers[2].talking && selection.dominant == &speakers[2]);
	levels[2] = 70;
	for (int f = 0; f < 100; f++) {
		(void)run_room(levels);
		changes += speakers[2].talking_changed;
	}
	EXPECT_EQ(changes, 2);
	EXPECT(!speakers[2].talking);
}

TEST(the_dominant_speaker_changes_at_most_once_a_second)
{
	new_room(4);
	uint8_t levels[LEGS];
	memset(levels, 70, sizeof levels);
	int changes = 0;
	for (int f = 0; f < 500; f++) {
		levels[1] = f / 20 % 2 == 0 ? 20 : 30;
		levels[2] = f / 20 % 2 == 0 ? 30 : 20;
		(void)run_room(levels);
		changes += selection.dominant_changed;
	}
	EXPECT(changes >= 1 && changes <= 10);
}

/* ---- gain ---- */

/* Seconds of `hz` at `amplitude` through the gain control; the last frame stays in frames[0]. */
static void
run_agc(struct agc *agc, double amplitude, int seconds, bool speaking)
{
	for (size_t f = 0; f < (size_t)seconds * 50; f++) {
		testing_tone(frames[0], AUDIO_FRAME_SAMPLES, 400, amplitude,
		             f * AUDIO_FRAME_SAMPLES);
		agc_run(agc, frames[0], audio_level_of(frames[0], AUDIO_FRAME_SAMPLES), speaking);
	}
}

TEST(a_quiet_and_a_loud_speaker_come_out_alike)
{
	static const double amplitudes[] = { 600, 2000, 3700, 12000 };
	for (size_t i = 0; i < COUNT_OF(amplitudes); i++) {
		struct agc agc = { 0 };
		run_agc(&agc, amplitudes[i], 15, true);
		const int level = audio_level_of(frames[0], AUDIO_FRAME_SAMPLES);
		EXPECT(level >= AGC_TARGET_LEVEL - 3 && level <= AGC_TARGET_LEVEL + 3);
	}
}

TEST(noise_is_not_pumped_up_and_the_range_is_limited)
{
	struct agc agc = { 0 };
	run_agc(&agc, 300, 20, false);
	EXPECT_EQ(agc_gain_db(&agc), 0);
	run_agc(&agc, 60, 30, true);
	EXPECT(agc_gain_db(&agc) <= AGC_GAIN_DB_MAX);
	EXPECT(agc_gain_db(&agc) >= AGC_GAIN_DB_MAX - 3);
}

TEST(a_shout_into_a_raised_gain_does_not_clip)
{
	struct agc agc = { 0 };
	run_agc(&agc, 600, 15, true);
	EXPECT(agc_gain_db(&agc) > 10);
	testing_tone(frames[0], AUDIO_FRAME_SAMPLES, 400, 20000, 0);
	agc_run(&agc, frames[0], 7, true);
	EXPECT(testing_amplitude(frames[0], AUDIO_FRAME_SAMPLES, 1200) < 200);
	EXPECT(agc_gain_db(&agc) < 6);
}

TEST(a_speaker_at_the_target_is_left_alone)
{
	struct agc agc = { 0 };
	testing_speech(frames[1], AUDIO_FRAME_SAMPLES, 7000);
	memcpy(frames[0], frames[1], sizeof frames[0]);
	for (int i = 0; i < 100; i++)
		agc_run(&agc, frames[0], AGC_TARGET_LEVEL, true);
	EXPECT(memcmp(frames[0], frames[1], sizeof frames[0]) == 0);
}

/* ---- time stretching ---- */

TEST(a_period_more_or_less_makes_no_click)
{
	int16_t pcm[2 * TIME_STRETCH_SAMPLES_MIN];
	for (double hz = 110; hz < 400; hz += 17) {
		testing_tone(pcm, TIME_STRETCH_SAMPLES_MIN, hz, 9000, 0);
		const int clean = testing_step_max(pcm, TIME_STRETCH_SAMPLES_MIN);
		const size_t gone = time_stretch_shorten(pcm, TIME_STRETCH_SAMPLES_MIN, 480, false);
		EXPECT(gone >= TIME_STRETCH_LAG_MIN && gone <= TIME_STRETCH_LAG_MAX);
		EXPECT(testing_step_max(pcm, TIME_STRETCH_SAMPLES_MIN - gone) < 2 * clean);
		EXPECT(testing_rms(pcm, TIME_STRETCH_SAMPLES_MIN - gone) > 5000);

		testing_tone(pcm, TIME_STRETCH_SAMPLES_MIN, hz, 9000, 0);
		const size_t more =
		        time_stretch_lengthen(pcm, TIME_STRETCH_SAMPLES_MIN, 480, false);
		EXPECT(more >= TIME_STRETCH_LAG_MIN && more <= TIME_STRETCH_LAG_MAX);
		EXPECT(testing_step_max(pcm, TIME_STRETCH_SAMPLES_MIN + more) < 2 * clean);
		EXPECT(testing_rms(pcm, TIME_STRETCH_SAMPLES_MIN + more) > 5000);
	}
}

TEST(sound_without_a_period_is_left_alone_unless_forced)
{
	int16_t pcm[TIME_STRETCH_SAMPLES_MIN];
	struct prng prng;
	prng_init(&prng, 11);
	random_frame(&prng, pcm, 1);
	EXPECT_EQ(time_stretch_shorten(pcm, TIME_STRETCH_SAMPLES_MIN, 480, false), 0);
	EXPECT(time_stretch_shorten(pcm, TIME_STRETCH_SAMPLES_MIN, 480, true) != 0);
	EXPECT_EQ(time_stretch_shorten(pcm, TIME_STRETCH_SAMPLES_MIN, 100, true), 0);
	memset(pcm, 0, sizeof pcm);
	EXPECT(time_stretch_shorten(pcm, TIME_STRETCH_SAMPLES_MIN, 480, false) != 0);
}
