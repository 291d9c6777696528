/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every codec carries a tone and nothing else, survives what a stranger sends, and fills
 * holes without clicks.  Method: tones through encoder and decoder, measured by Goertzel's sum;
 * random packets; losses by a seeded generator. */
#include <spandsp.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio_codec.h"
#include "audio/audio_level.h"
#include "audio/g711.h"
#include "audio/resample.h"
#include "audio/testing.h"
#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

enum {
	FRAMES = 50,
	SAMPLES = FRAMES * AUDIO_FRAME_SAMPLES,
};

static const enum audio_codec codecs[] = { AUDIO_CODEC_OPUS, AUDIO_CODEC_G722, AUDIO_CODEC_PCMU,
	                                   AUDIO_CODEC_PCMA };

static int16_t sound[SAMPLES];
static int16_t heard[SAMPLES + AUDIO_PACKET_SAMPLES_MAX];

static struct audio_codec_pool *
new_pool(void)
{
	struct audio_codec_pool *pool = NULL;
	EXPECT_EQ(audio_codec_pool_create(&pool, &(struct audio_codec_pool_settings){
	                                                 .opus_decoders_max = 2,
	                                                 .opus_encoders_max = 2,
	                                                 .plain_decoders_max = 2,
	                                                 .plain_encoders_max = 2,
	                                         }),
	          0);
	return pool;
}

/* `sound` through a codec in packets of `samples`, into `heard`. */
static void
carry(struct audio_codec_pool *pool, enum audio_codec codec, size_t samples, uint8_t loss_pct)
{
	struct audio_quality quality = audio_quality_for(loss_pct);
	quality.dtx = false;
	struct audio_encoder *encoder = audio_encoder_take(pool, codec, &quality);
	struct audio_decoder *decoder = audio_decoder_take(pool, codec);
	EXPECT(encoder != NULL && decoder != NULL);
	for (size_t at = 0; at + samples <= SAMPLES; at += samples) {
		uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
		const size_t len = audio_encode(encoder, sound + at, samples, payload);
		EXPECT(len > 0);
		EXPECT_EQ(audio_packet_samples(codec, payload, len), samples);
		EXPECT_EQ(audio_decode(decoder, payload, len, heard + at), samples);
	}
	audio_encoder_put(pool, encoder);
	audio_decoder_put(pool, decoder);
}

TEST(a_tone_comes_through_every_codec)
{
	struct audio_codec_pool *pool = new_pool();
	static const double tones_hz[] = { 300, 440, 1000, 2500, 3300 };
	static const size_t durations[] = { 480, 960, 1920, 2880, 5760 };
	for (size_t c = 0; c < COUNT_OF(codecs); c++) {
		for (size_t d = 0; d < COUNT_OF(durations); d++) {
			const double hz = tones_hz[(c + d) % COUNT_OF(tones_hz)];
			testing_tone(sound, SAMPLES, hz, 8000, 0);
			carry(pool, codecs[c], durations[d], 0);
			const int16_t *late = heard + SAMPLES / 2;
			const double own = testing_amplitude(late, SAMPLES / 4, hz);
			const double other = testing_amplitude(late, SAMPLES / 4, hz * 1.31);
			EXPECT(own > 7000 && own < 9000);
			EXPECT(other < 160);
		}
	}
	audio_codec_pool_destroy(pool);
}

TEST(wide_band_codecs_carry_what_a_telephone_cannot)
{
	struct audio_codec_pool *pool = new_pool();
	testing_tone(sound, SAMPLES, 6000, 8000, 0);
	for (size_t c = 0; c < COUNT_OF(codecs); c++) {
		const bool narrow = audio_codec_info(codecs[c])->rate_hz == 8000;
		carry(pool, codecs[c], AUDIO_FRAME_SAMPLES, 0);
		const double got = testing_rms(heard + SAMPLES / 2, SAMPLES / 4);
		/* A narrow codec must leave it out, not fold it down to 2 kHz. */
		if (narrow)
			EXPECT(got < 40);
		else
			EXPECT(got > 4500);
	}
	audio_codec_pool_destroy(pool);
}

TEST(a_constant_stays_constant_through_the_resamplers)
{
	static const uint32_t rates[] = { 8000, 16000, 48000 };
	for (size_t r = 0; r < COUNT_OF(rates); r++) {
		struct resample_up up;
		struct resample_down down;
		int16_t in[AUDIO_FRAME_SAMPLES];
		int16_t low[AUDIO_FRAME_SAMPLES];
		int16_t out[AUDIO_FRAME_SAMPLES];
		resample_up_init(&up, rates[r]);
		resample_down_init(&down, rates[r]);
		for (size_t i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			in[i] = 12345;
		for (int i = 0; i < 3; i++) {
			const size_t count = resample_down(&down, in, AUDIO_FRAME_SAMPLES, low);
			EXPECT_EQ(count, rates[r] / 50);
			EXPECT_EQ(resample_up(&up, low, count, out), AUDIO_FRAME_SAMPLES);
		}
		for (size_t i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			EXPECT(out[i] >= 12344 && out[i] <= 12346);
	}
}

TEST(resampling_in_pieces_gives_the_same_as_in_one)
{
	struct resample_up whole, piece;
	struct resample_down down_whole, down_piece;
	int16_t a[AUDIO_FRAME_SAMPLES], b[AUDIO_FRAME_SAMPLES];
	testing_speech(sound, SAMPLES, 4000);
	resample_up_init(&whole, 16000);
	resample_up_init(&piece, 16000);
	(void)resample_up(&whole, sound, 320, a);
	for (size_t at = 0; at < 320; at += 40)
		(void)resample_up(&piece, sound + at, 40, b + at * 3);
	EXPECT(memcmp(a, b, sizeof a) == 0);

	resample_down_init(&down_whole, 8000);
	resample_down_init(&down_piece, 8000);
	(void)resample_down(&down_whole, sound, 960, a);
	for (size_t at = 0; at < 960; at += 48)
		(void)resample_down(&down_piece, sound + at, 48, b + at / 6);
	EXPECT(memcmp(a, b, 160 * sizeof *a) == 0);
}

TEST(g711_codes_survive_a_round_trip)
{
	for (int code = 0; code < 256; code++) {
		const uint8_t in = (uint8_t)code;
		int16_t pcm;
		uint8_t back;
		g711_decode_alaw(&pcm, &in, 1);
		g711_encode_alaw(&back, &pcm, 1);
		EXPECT_EQ(back, in);
		g711_decode_mulaw(&pcm, &in, 1);
		g711_encode_mulaw(&back, &pcm, 1);
		EXPECT_EQ(back, in == 0x7F ? 0xFF : in); /* minus zero becomes zero */

		/* Another implementation agrees. */
		EXPECT_EQ(pcm, ulaw_to_linear(in));
		g711_decode_alaw(&pcm, &in, 1);
		EXPECT_EQ(pcm, alaw_to_linear(in));
	}
	/* G.711 table 2a and 1a: the largest and the smallest steps. */
	static const struct {
		uint8_t code;
		int16_t mulaw, alaw;
	} known[] = {
		{ 0x80, 32124, 5504 }, { 0x00, -32124, -5504 }, { 0xFF, 0, 848 },
		{ 0xFE, 8, 880 },      { 0xD5, 716, 8 },        { 0xAA, 5372, 32256 },
	};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		int16_t pcm;
		g711_decode_mulaw(&pcm, &known[i].code, 1);
		EXPECT_EQ(pcm, known[i].mulaw);
		g711_decode_alaw(&pcm, &known[i].code, 1);
		EXPECT_EQ(pcm, known[i].alaw);
	}
}

TEST(g711_errors_stay_within_half_a_step)
{
	for (int v = -32768; v < 32768; v += 7) {
		const int16_t in = (int16_t)v;
		uint8_t code;
		int16_t out;
		const int size = v < 0 ? -v : v;
		g711_encode_alaw(&code, &in, 1);
		g711_decode_alaw(&out, &code, 1);
		EXPECT(abs(out - v) <= (size < 512 ? 16 : size / 16 + 1));
		g711_encode_mulaw(&code, &in, 1);
		g711_decode_mulaw(&out, &code, 1);
		EXPECT(abs(out - v) <= size / 16 + 12);
	}
}

TEST(bad_packets_are_named_and_never_decoded)
{
	struct audio_codec_pool *pool = new_pool();
	uint8_t bytes[AUDIO_PAYLOAD_BYTES_MAX] = { 0 };
	static const struct {
		enum audio_codec codec;
		size_t len;
		uint8_t first;
		int want;
	} cases[] = {
		{ AUDIO_CODEC_OPUS, 0, 0, AUDIO_REJECT_EMPTY },
		{ AUDIO_CODEC_PCMU, 0, 0, AUDIO_REJECT_EMPTY },
		{ AUDIO_CODEC_PCMU, 161, 0, AUDIO_REJECT_LENGTH },
		{ AUDIO_CODEC_PCMA, 968, 0, AUDIO_REJECT_LENGTH },
		{ AUDIO_CODEC_G722, 4, 0, AUDIO_REJECT_LENGTH },
		{ AUDIO_CODEC_PCMU, 160, 0, 960 },
		{ AUDIO_CODEC_G722, 960, 0, 5760 },
		{ AUDIO_CODEC_OPUS, 1, 0xFB, AUDIO_REJECT_BROKEN }, /* code 3 without a count */
		{ AUDIO_CODEC_OPUS, 3, 0xF8, 960 },
		{ AUDIO_CODEC_OPUS, 3, 0xE0, 120 }, /* 2.5 ms */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bytes[0] = cases[i].first;
		EXPECT_EQ(audio_packet_samples(cases[i].codec, bytes, cases[i].len), cases[i].want);
	}
	/* A code 3 packet of 63 frames of 20 ms lasts longer than is legal. */
	const uint8_t endless[] = { 0xFB, 0x3F, 0, 0 };
	EXPECT_EQ(audio_packet_samples(AUDIO_CODEC_OPUS, endless, sizeof endless),
	          AUDIO_REJECT_BROKEN);
	struct audio_decoder *decoder = audio_decoder_take(pool, AUDIO_CODEC_OPUS);
	EXPECT_EQ(audio_decode(decoder, endless, sizeof endless, heard), AUDIO_REJECT_BROKEN);
	audio_decoder_put(pool, decoder);
	audio_codec_pool_destroy(pool);
}

TEST(random_packets_decode_to_their_own_length_or_to_a_reject)
{
	struct audio_codec_pool *pool = new_pool();
	struct prng prng;
	prng_init(&prng, 7);
	for (size_t c = 0; c < COUNT_OF(codecs); c++) {
		struct audio_decoder *decoder = audio_decoder_take(pool, codecs[c]);
		for (int i = 0; i < 600; i++) {
			uint8_t bytes[400];
			const size_t len = prng_below(&prng, sizeof bytes);
			prng_bytes(&prng, bytes, len);
			const int expected = audio_packet_samples(codecs[c], bytes, len);
			const int got = audio_decode(decoder, bytes, len, heard);
			EXPECT(got == expected || got < 0);
			(void)audio_packet_has_fec(codecs[c], bytes, len);
			if (i % 7 == 0)
				audio_decode_fec(decoder, bytes, len, heard, 960);
		}
		audio_decoder_put(pool, decoder);
	}
	audio_codec_pool_destroy(pool);
}

TEST(a_full_pool_says_no_and_a_freed_state_is_lent_again)
{
	struct audio_codec_pool *pool = new_pool();
	const struct audio_quality quality = audio_quality_for(0);
	for (int round = 0; round < 3; round++) {
		struct audio_decoder *a = audio_decoder_take(pool, AUDIO_CODEC_OPUS);
		struct audio_decoder *b = audio_decoder_take(pool, AUDIO_CODEC_OPUS);
		struct audio_encoder *e = audio_encoder_take(pool, AUDIO_CODEC_G722, &quality);
		EXPECT(a != NULL && b != NULL && e != NULL);
		EXPECT(audio_decoder_take(pool, AUDIO_CODEC_OPUS) == NULL);
		EXPECT(audio_decoder_take(pool, AUDIO_CODEC_PCMU) != NULL || round > 1);
		EXPECT_EQ(audio_codec_pool_used(pool, AUDIO_STATE_OPUS_DECODER), 2);
		audio_decoder_put(pool, a);
		audio_decoder_put(pool, b);
		audio_encoder_put(pool, e);
		EXPECT_EQ(audio_codec_pool_used(pool, AUDIO_STATE_OPUS_DECODER), 0);
	}
	audio_decoder_put(pool, NULL);
	audio_codec_pool_destroy(pool);
	audio_codec_pool_destroy(NULL);
}

TEST(states_are_as_small_as_the_header_says)
{
	EXPECT(audio_codec_pool_state_bytes(AUDIO_STATE_OPUS_DECODER) <= 35 * 1024);
	EXPECT(audio_codec_pool_state_bytes(AUDIO_STATE_OPUS_ENCODER) <= 44 * 1024);
	EXPECT(audio_codec_pool_state_bytes(AUDIO_STATE_PLAIN_DECODER) <= 19 * 1024);
	EXPECT(audio_codec_pool_state_bytes(AUDIO_STATE_PLAIN_ENCODER) <= 600);
}

TEST(loss_leaves_speech_without_clicks_or_holes)
{
	struct audio_codec_pool *pool = new_pool();
	testing_speech(sound, SAMPLES, 0);
	for (size_t c = 0; c < COUNT_OF(codecs); c++) {
		struct prng prng;
		prng_init(&prng, 99);
		struct audio_quality quality = audio_quality_for(0);
		struct audio_encoder *encoder = audio_encoder_take(pool, codecs[c], &quality);
		struct audio_decoder *decoder = audio_decoder_take(pool, codecs[c]);
		int lost = 0;
		for (size_t f = 0; f < FRAMES; f++) {
			uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
			int16_t *out = heard + f * AUDIO_FRAME_SAMPLES;
			const size_t len = audio_encode(encoder, sound + f * AUDIO_FRAME_SAMPLES,
			                                AUDIO_FRAME_SAMPLES, payload);
			if (f > 5 && prng_below(&prng, 100) < 20) {
				audio_decode_conceal(decoder, out, AUDIO_FRAME_SAMPLES);
				lost++;
			} else if (len != 0) {
				EXPECT_EQ(audio_decode(decoder, payload, len, out), 960);
			} else {
				audio_decode_conceal(decoder, out, AUDIO_FRAME_SAMPLES);
			}
		}
		EXPECT(lost > 4 && lost < 20);
		/* No step that the clean signal does not have, give or take; loudness within 3
		 * dB. */
		EXPECT(testing_step_max(heard, SAMPLES) < 3 * testing_step_max(sound, SAMPLES));
		const double ratio = testing_rms(heard, SAMPLES) / testing_rms(sound, SAMPLES);
		EXPECT(ratio > 0.7 && ratio < 1.41);
		audio_encoder_put(pool, encoder);
		audio_decoder_put(pool, decoder);
	}
	audio_codec_pool_destroy(pool);
}

TEST(a_long_loss_fades_into_silence)
{
	struct audio_codec_pool *pool = new_pool();
	testing_speech(sound, SAMPLES, 0);
	for (size_t c = 0; c < COUNT_OF(codecs); c++) {
		const struct audio_quality quality = audio_quality_for(0);
		struct audio_encoder *encoder = audio_encoder_take(pool, codecs[c], &quality);
		struct audio_decoder *decoder = audio_decoder_take(pool, codecs[c]);
		uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
		/* Into the middle of a syllable. */
		for (size_t f = 0; f < 26; f++) {
			const size_t len = audio_encode(encoder, sound + f * AUDIO_FRAME_SAMPLES,
			                                AUDIO_FRAME_SAMPLES, payload);
			EXPECT_EQ(audio_decode(decoder, payload, len, heard), AUDIO_FRAME_SAMPLES);
		}
		audio_decode_conceal(decoder, heard, 480);
		EXPECT(testing_rms(heard, 480) > 2000);
		for (int i = 0; i < 30; i++)
			audio_decode_conceal(decoder, heard, AUDIO_FRAME_SAMPLES);
		EXPECT(testing_rms(heard, AUDIO_FRAME_SAMPLES) < 300);
		audio_encoder_put(pool, encoder);
		audio_decoder_put(pool, decoder);
	}
	audio_codec_pool_destroy(pool);
}

TEST(fec_brings_a_lost_opus_packet_back)
{
	struct audio_codec_pool *pool = new_pool();
	struct audio_quality quality = audio_quality_for(20);
	quality.dtx = false;
	testing_speech(sound, SAMPLES, 0);
	struct audio_encoder *encoder = audio_encoder_take(pool, AUDIO_CODEC_OPUS, &quality);
	struct audio_decoder *decoder = audio_decoder_take(pool, AUDIO_CODEC_OPUS);
	int with_fec = 0;
	uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
	for (size_t f = 0; f < FRAMES; f++) {
		const size_t len = audio_encode(encoder, sound + f * AUDIO_FRAME_SAMPLES,
		                                AUDIO_FRAME_SAMPLES, payload);
		const bool fec = audio_packet_has_fec(AUDIO_CODEC_OPUS, payload, len);
		with_fec += fec;
		/* Frame 13 is lost, in the middle of a syllable. */
		if (f == 14) {
			EXPECT(fec);
			audio_decode_fec(decoder, payload, len, heard, AUDIO_FRAME_SAMPLES);
			EXPECT(testing_rms(heard, AUDIO_FRAME_SAMPLES) >
			       testing_rms(sound + 13 * AUDIO_FRAME_SAMPLES, AUDIO_FRAME_SAMPLES) /
			               3);
		}
		if (f != 13)
			EXPECT_EQ(audio_decode(decoder, payload, len, heard), AUDIO_FRAME_SAMPLES);
	}
	EXPECT(with_fec > FRAMES / 2);

	/* A clean path's encode is CELT and has none. */
	quality = audio_quality_for(0);
	audio_encoder_set(encoder, &quality);
	for (size_t f = 0; f < 10; f++) {
		const size_t len = audio_encode(encoder, sound + f * AUDIO_FRAME_SAMPLES,
		                                AUDIO_FRAME_SAMPLES, payload);
		if (f > 3)
			EXPECT(payload[0] >> 3 >= 16);
		if (f > 3)
			EXPECT(!audio_packet_has_fec(AUDIO_CODEC_OPUS, payload, len));
	}
	audio_encoder_put(pool, encoder);
	audio_decoder_put(pool, decoder);
	audio_codec_pool_destroy(pool);
}

TEST(silence_needs_no_encoder)
{
	struct audio_codec_pool *pool = new_pool();
	for (size_t c = 0; c < COUNT_OF(codecs); c++) {
		struct audio_decoder *decoder = audio_decoder_take(pool, codecs[c]);
		size_t len = 0;
		const uint8_t *payload = audio_silence_payload(codecs[c], &len);
		for (int i = 0; i < 50; i++) {
			EXPECT_EQ(audio_decode(decoder, payload, len, heard), AUDIO_FRAME_SAMPLES);
			EXPECT(audio_level_of(heard, AUDIO_FRAME_SAMPLES) >= 70);
		}
		audio_decoder_put(pool, decoder);
	}
	audio_codec_pool_destroy(pool);
}

TEST(opus_says_nothing_while_there_is_nothing_to_say)
{
	struct audio_codec_pool *pool = new_pool();
	const struct audio_quality quality = audio_quality_for(0);
	struct audio_encoder *encoder = audio_encoder_take(pool, AUDIO_CODEC_OPUS, &quality);
	uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
	memset(sound, 0, sizeof sound);
	int sent = 0;
	for (int i = 0; i < 100; i++)
		sent += audio_encode(encoder, sound, AUDIO_FRAME_SAMPLES, payload) != 0;
	EXPECT(sent < 30);
	testing_speech(sound, SAMPLES, 4800);
	EXPECT(audio_encode(encoder, sound, AUDIO_FRAME_SAMPLES, payload) > 10);
	audio_encoder_put(pool, encoder);
	audio_codec_pool_destroy(pool);
}

TEST(comfort_noise_has_the_level_it_was_told)
{
	struct audio_codec_pool *pool = new_pool();
	struct audio_decoder *decoder = audio_decoder_take(pool, AUDIO_CODEC_PCMA);
	for (uint8_t level = 20; level < 76; level += 5) {
		audio_decode_comfort(decoder, level, heard, 4800);
		const int got = audio_level_of(heard, 4800);
		EXPECT(got >= level - 2 && got <= level + 2);
	}
	audio_decoder_put(pool, decoder);
	audio_codec_pool_destroy(pool);
}

TEST(a_g711_level_is_read_without_a_decoder)
{
	uint8_t payload[160];
	int16_t pcm[160];
	for (int i = 0; i < 160; i++)
		pcm[i] = i % 2 == 0 ? 3277 : -3277; /* a tenth of full scale */
	g711_encode_alaw(payload, pcm, 160);
	EXPECT_EQ(audio_packet_level(AUDIO_CODEC_PCMA, payload, 160), 20);
	g711_encode_mulaw(payload, pcm, 160);
	EXPECT_EQ(audio_packet_level(AUDIO_CODEC_PCMU, payload, 160), 20);
	EXPECT_EQ(audio_packet_level(AUDIO_CODEC_OPUS, payload, 160), -1);
}
