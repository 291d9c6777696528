/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: tones have their notes, keys are heard and speech is not taken for keys, WAV files are read
 * or refused by name, and our own prompts can all be played. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio/audio_level.h"
#include "audio/brand.h"
#include "audio/dtmf_detect.h"
#include "audio/prompts.h"
#include "audio/testing.h"
#include "audio/tones.h"
#include "audio/wav.h"
#include "base/check.h"
#include "base/test.h"

static int16_t pcm[50 * AUDIO_FRAME_SAMPLES];

static size_t
render_all(struct tone_player *player)
{
	size_t frames = 0;
	while (frames < 50 && tone_render(player, pcm + frames * AUDIO_FRAME_SAMPLES))
		frames++;
	return frames;
}

TEST(joining_goes_up_and_leaving_goes_down)
{
	struct tone_player player = { 0 };
	EXPECT(!tone_render(&player, pcm));
	tone_start(&player, TONE_JOIN);
	EXPECT(tone_playing(&player));
	EXPECT_EQ(render_all(&player), 12);
	EXPECT(!tone_playing(&player));
	EXPECT(testing_amplitude(pcm, 4000, 659) > 2000);
	EXPECT(testing_amplitude(pcm, 4000, 880) < 150);
	EXPECT(testing_amplitude(pcm + 4800, 4000, 880) > 2000);
	EXPECT(testing_step_max(pcm, 12 * AUDIO_FRAME_SAMPLES) < 800);

	tone_start(&player, TONE_LEAVE);
	EXPECT_EQ(render_all(&player), 12);
	EXPECT(testing_amplitude(pcm, 4000, 880) > 2000);
	EXPECT(testing_amplitude(pcm + 4800, 4000, 659) > 2000);
}

/* ---- keys ---- */

static void
feed(struct dtmf_detect *detect, struct tone_player *player, int frames)
{
	for (int i = 0; i < frames; i++) {
		int16_t frame[AUDIO_FRAME_SAMPLES];
		(void)tone_render(player, frame);
		dtmf_detect_input(detect, frame);
	}
}

TEST(every_key_is_heard_once)
{
	static const char keys[] = "0123456789*#ABCD";
	struct dtmf_detect *detect = NULL;
	EXPECT_EQ(dtmf_detect_create(&detect), 0);
	for (const char *key = keys; *key != '\0'; key++) {
		struct tone_player player = { 0 };
		EXPECT(tone_start_dtmf(&player, *key, 100));
		feed(detect, &player, 4);
		EXPECT_EQ(dtmf_detect_held(detect), *key);
		feed(detect, &player, 6);
		EXPECT_EQ(dtmf_detect_poll(detect), *key);
		EXPECT_EQ(dtmf_detect_poll(detect), 0);
		EXPECT_EQ(dtmf_detect_held(detect), 0);
	}
	dtmf_detect_destroy(detect);
	dtmf_detect_destroy(NULL);
}

TEST(the_same_key_twice_is_two_digits_and_a_long_key_is_one)
{
	struct dtmf_detect *detect = NULL;
	struct tone_player player = { 0 };
	EXPECT_EQ(dtmf_detect_create(&detect), 0);
	for (int i = 0; i < 2; i++) {
		EXPECT(tone_start_dtmf(&player, '5', 80));
		feed(detect, &player, 8);
	}
	EXPECT(tone_start_dtmf(&player, '5', 900));
	feed(detect, &player, 50);
	EXPECT_EQ(dtmf_detect_poll(detect), '5');
	EXPECT_EQ(dtmf_detect_poll(detect), '5');
	EXPECT_EQ(dtmf_detect_poll(detect), '5');
	EXPECT_EQ(dtmf_detect_poll(detect), 0);
	dtmf_detect_destroy(detect);
}

TEST(a_key_of_40_ms_is_heard_wherever_it_begins_and_one_of_20_ms_never)
{
	for (uint32_t ms = 20; ms <= 40; ms += 20) {
		for (size_t from = 0; from < AUDIO_FRAME_SAMPLES; from += 96) {
			struct dtmf_detect *detect = NULL;
			struct tone_player player = { 0 };
			EXPECT_EQ(dtmf_detect_create(&detect), 0);
			memset(pcm, 0, 8 * AUDIO_FRAME_SAMPLES * sizeof *pcm);
			EXPECT(tone_start_dtmf(&player, '8', ms));
			for (size_t at = AUDIO_FRAME_SAMPLES + from; tone_playing(&player);
			     at += AUDIO_FRAME_SAMPLES)
				(void)tone_render(&player, pcm + at);
			for (size_t f = 0; f < 8; f++)
				dtmf_detect_input(detect, pcm + f * AUDIO_FRAME_SAMPLES);
			EXPECT_EQ(dtmf_detect_poll(detect), ms == 40 ? '8' : 0);
			EXPECT_EQ(dtmf_detect_poll(detect), 0);
			dtmf_detect_destroy(detect);
		}
	}
}

TEST(a_hole_in_a_key_does_not_double_it)
{
	struct dtmf_detect *detect = NULL;
	struct tone_player player = { 0 };
	EXPECT_EQ(dtmf_detect_create(&detect), 0);
	EXPECT(tone_start_dtmf(&player, '4', 300));
	for (int f = 0; f < 20; f++) {
		int16_t frame[AUDIO_FRAME_SAMPLES];
		(void)tone_render(&player, frame);
		if (f == 6)
			memset(frame, 0, sizeof frame);
		dtmf_detect_input(detect, frame);
	}
	EXPECT_EQ(dtmf_detect_poll(detect), '4');
	EXPECT_EQ(dtmf_detect_poll(detect), 0);
	dtmf_detect_destroy(detect);
}

TEST(speech_and_short_tones_are_no_keys)
{
	struct dtmf_detect *detect = NULL;
	struct tone_player player = { 0 };
	EXPECT_EQ(dtmf_detect_create(&detect), 0);
	for (size_t f = 0; f < 500; f++) {
		int16_t frame[AUDIO_FRAME_SAMPLES];
		testing_speech(frame, AUDIO_FRAME_SAMPLES, f * AUDIO_FRAME_SAMPLES);
		dtmf_detect_input(detect, frame);
	}
	EXPECT_EQ(dtmf_detect_poll(detect), 0);
	EXPECT(tone_start_dtmf(&player, '7', 15));
	feed(detect, &player, 10);
	EXPECT_EQ(dtmf_detect_poll(detect), 0);
	dtmf_detect_destroy(detect);
}

TEST(only_keys_can_be_pressed)
{
	struct tone_player player = { 0 };
	EXPECT(!tone_start_dtmf(&player, 'x', 100));
	EXPECT(!tone_start_dtmf(&player, '\0', 100));
	EXPECT(!tone_start_dtmf(&player, '1', 0));
	EXPECT(!tone_playing(&player));
}

/* ---- WAV ---- */

static const uint8_t good[] = {
	'R', 'I', 'F', 'F', 48, 0, 0, 0, 'W', 'A', 'V', 'E', /* */
	'f', 'm', 't', ' ', 16, 0, 0, 0,                     /* */
	1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x80, 0x3E, 0, 0, 2, 0, 16, 0, /* PCM, 1, 8000 Hz, 16 bits */
	'L', 'I', 'S', 'T', 3, 0, 0, 0, 'x', 'y', 'z', 0,    /* odd size, padded */
	'd', 'a', 't', 'a', 4, 0, 0, 0, 0x34, 0x12, 0xFE, 0xFF,
};

/* What was accepted lies inside the file and can be read whole. */
static void
check_wav(const struct wav *wav, const uint8_t *bytes, size_t len)
{
	int16_t out[64];
	EXPECT(wav->samples != 0 && wav->bytes >= bytes);
	const size_t sample_bytes = wav->format == WAV_PCM16 ? 2 : 1;
	EXPECT(wav->bytes + wav->samples * sample_bytes <= bytes + len);
	for (size_t at = 0; at < wav->samples;)
		at += wav_read(wav, at, out, 64);
}

TEST(reads_a_wav_file)
{
	struct wav wav;
	int16_t out[8];
	EXPECT_EQ(wav_parse(&wav, good, sizeof good), WAV_OK);
	EXPECT_EQ(wav.rate_hz, 8000);
	EXPECT_EQ(wav.samples, 2);
	EXPECT_EQ(wav_read(&wav, 0, out, 8), 2);
	EXPECT_EQ(out[0], 0x1234);
	EXPECT_EQ(out[1], -2);
	EXPECT_EQ(wav_read(&wav, 2, out, 8), 0);
}

TEST(names_what_is_wrong_with_a_wav_file)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum wav_reject want;
	} cases[] = {
		{ 0, 'X', WAV_REJECT_NOT_WAV }, { 11, 'X', WAV_REJECT_NOT_WAV },
		{ 16, 200, WAV_REJECT_SHORT },  { 20, 3, WAV_REJECT_FORMAT },
		{ 34, 8, WAV_REJECT_FORMAT },   { 20, 7, WAV_REJECT_FORMAT },
		{ 22, 2, WAV_REJECT_STEREO },   { 24, 0x41, WAV_REJECT_RATE },
		{ 12, 'x', WAV_REJECT_FORMAT }, { 52, 0, WAV_REJECT_EMPTY },
		{ 52, 5, WAV_REJECT_SHORT },    { 48, 'x', WAV_REJECT_EMPTY },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t bad[sizeof good];
		struct wav wav;
		memcpy(bad, good, sizeof good);
		bad[cases[i].at] = cases[i].value;
		EXPECT_EQ(wav_parse(&wav, bad, sizeof bad), cases[i].want);
	}
	for (int reject = 0; reject < WAV_REJECTS; reject++)
		EXPECT(wav_reject_name((enum wav_reject)reject) != NULL);
}

TEST(refuses_every_prefix_and_survives_every_flip_of_a_wav_file)
{
	struct wav wav;
	for (size_t len = 0; len < sizeof good; len++)
		EXPECT(wav_parse(&wav, good, len) != WAV_OK);
	for (size_t at = 0; at < sizeof good; at++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t bytes[sizeof good];
			memcpy(bytes, good, sizeof good);
			bytes[at] = (uint8_t)value;
			if (wav_parse(&wav, bytes, sizeof bytes) == WAV_OK)
				check_wav(&wav, bytes, sizeof bytes);
		}
	}
}

/* ---- prompts ---- */

static unsigned bad_files;

static void
count_bad(void *context, const char *path, const char *why)
{
	(void)context;
	(void)path;
	(void)why;
	bad_files++;
}

TEST(every_prompt_is_there_in_every_language)
{
	struct prompts *prompts = NULL;
	bad_files = 0;
	EXPECT_EQ(prompts_create(&prompts, PROMPTS_DIR, count_bad, NULL), 0);
	EXPECT_EQ(bad_files, 0);
	EXPECT_EQ(prompts_language(prompts, STR("en")), 0);
	EXPECT_EQ(prompts_language(prompts, STR("EN-gb")), 0);
	EXPECT_EQ(prompts_language(prompts, STR("xx")), 0);
	EXPECT(prompts_language(prompts, STR("ko")) != prompts_language(prompts, STR("fr-CA")));

	static const char *const languages[] = { "en", "ko", "fr" };
	for (size_t l = 0; l < COUNT_OF(languages); l++) {
		const unsigned language = prompts_language(prompts, str_of(languages[l]));
		EXPECT(l == 0 || language != 0);
		for (int prompt = PROMPT_NONE + 1; prompt < PROMPTS; prompt++) {
			const struct wav *wav =
			        prompts_find(prompts, language, (enum prompt)prompt);
			EXPECT(wav != NULL);
			EXPECT(l == 0 || wav != prompts_find(prompts, 0, (enum prompt)prompt));
			EXPECT(wav->samples > wav->rate_hz / 4);
			EXPECT(wav->samples < wav->rate_hz * 12);
		}
	}
	prompts_destroy(prompts);
	prompts_destroy(NULL);
}

TEST(a_prompt_is_played_to_its_end_and_the_next_one_follows)
{
	struct prompts *prompts = NULL;
	struct prompt_player player = { 0 };
	EXPECT_EQ(prompts_create(&prompts, PROMPTS_DIR, NULL, NULL), 0);
	const struct wav *first = prompts_find(prompts, 0, PROMPT_WELCOME);
	const struct wav *second = prompts_find(prompts, 0, PROMPT_PASSCODE_ENTRY);
	EXPECT(prompt_player_add(&player, first) && prompt_player_add(&player, second));
	EXPECT(!prompt_player_add(&player, NULL));

	const size_t per_frame = first->rate_hz / 50;
	const size_t frames = (first->samples + per_frame - 1) / per_frame +
	                      (second->samples + per_frame - 1) / per_frame;
	size_t played = 0;
	size_t loud = 0;
	while (prompt_player_render(&player, pcm)) {
		played++;
		loud += audio_level_of(pcm, AUDIO_FRAME_SAMPLES) < 40;
	}
	EXPECT_EQ(played, frames);
	EXPECT(loud > frames / 3);
	EXPECT(!prompt_player_playing(&player));
	prompts_destroy(prompts);
}

TEST(a_folder_that_is_not_there_is_told)
{
	struct prompts *prompts = NULL;
	EXPECT(prompts_create(&prompts, "/nonexistent/prompts", NULL, NULL) < 0);
}

/* ---- other people's recordings ---- */

static size_t
file_bytes(const char *path, uint8_t *bytes, size_t cap)
{
	FILE *file = fopen(path, "rb");
	EXPECT(file != NULL);
	const size_t len = fread(bytes, 1, cap, file);
	EXPECT(fclose(file) == 0 && len != 0 && len < cap);
	return len;
}

TEST(a_folder_of_ones_own_takes_the_place_of_ours_file_by_file)
{
	char dir[] = "/tmp/prompts-XXXXXX";
	char path[128];
	struct prompts *prompts = NULL;
	static uint8_t bytes[64 * 1024];
	EXPECT(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/ko", dir);
	EXPECT_EQ(mkdir(path, 0700), 0);
	const size_t len = file_bytes(PROMPTS_DIR "/en/muted.wav", bytes, sizeof bytes);
	snprintf(path, sizeof path, "%s/ko/welcome.wav", dir);
	FILE *file = fopen(path, "wb");
	EXPECT(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
	char bad[128];
	snprintf(bad, sizeof bad, "%s/ko/muted.wav", dir);
	file = fopen(bad, "wb");
	EXPECT(file != NULL && fputs("no sound", file) >= 0 && fclose(file) == 0);

	bad_files = 0;
	EXPECT_EQ(prompts_create(&prompts, PROMPTS_DIR, count_bad, NULL), 0);
	const unsigned ko = prompts_language(prompts, STR("ko"));
	const struct wav ours = *prompts_find(prompts, ko, PROMPT_WELCOME);
	const struct wav muted = *prompts_find(prompts, ko, PROMPT_MUTED);
	prompts_overlay(prompts, "/nonexistent");
	EXPECT_EQ(bad_files, 0);
	prompts_overlay(prompts, dir);
	EXPECT_EQ(bad_files, 1);
	EXPECT_EQ(prompts_find(prompts, ko, PROMPT_WELCOME)->samples,
	          prompts_find(prompts, 0, PROMPT_MUTED)->samples);
	EXPECT(prompts_find(prompts, ko, PROMPT_WELCOME)->samples != ours.samples);
	EXPECT_EQ(prompts_find(prompts, ko, PROMPT_MUTED)->samples, muted.samples);
	prompts_destroy(prompts);
	EXPECT(unlink(path) == 0 && unlink(bad) == 0);
	snprintf(path, sizeof path, "%s/ko", dir);
	EXPECT(rmdir(path) == 0 && rmdir(dir) == 0);
}

TEST(a_brand_lives_as_long_as_somebody_plays_of_it)
{
	static uint8_t bytes[64 * 1024];
	struct brand *brand = NULL;
	enum wav_reject reject = WAV_OK;
	const size_t len = file_bytes(PROMPTS_DIR "/en/muted.wav", bytes, sizeof bytes);
	EXPECT_EQ(brand_create(&brand), 0);
	EXPECT(brand_find(brand, PROMPT_WELCOME) == NULL);
	EXPECT(brand_find(NULL, PROMPT_WELCOME) == NULL);
	EXPECT_EQ(brand_add(brand, PROMPT_WELCOME, "no sound", 8, &reject), 0);
	EXPECT_EQ(reject, WAV_REJECT_NOT_WAV);
	EXPECT(brand_find(brand, PROMPT_WELCOME) == NULL);
	EXPECT_EQ(brand_add(brand, PROMPT_WELCOME, bytes, len, &reject), 0);
	EXPECT_EQ(reject, WAV_OK);
	/* Again, in its place; and not the caller's bytes. */
	EXPECT_EQ(brand_add(brand, PROMPT_WELCOME, bytes, len, &reject), 0);
	memset(bytes, 0, sizeof bytes);
	struct brand *player = brand_get(brand);
	brand_put(brand);
	const struct wav *wav = brand_find(player, PROMPT_WELCOME);
	EXPECT(wav != NULL && wav->samples != 0);
	EXPECT_EQ(wav_read(wav, 0, pcm, 160), 160);
	brand_put(player);
	brand_put(NULL);
	EXPECT(brand_get(NULL) == NULL);
}
