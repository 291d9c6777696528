/* SPDX-License-Identifier: Apache-2.0 */
/* What sound costs: nanoseconds for one 20 ms frame of each step between two telephones, and bytes
 * a leg.
 *
 *	audio_bench [--json] [--rounds N]
 *
 * Method: every operation runs in batches of 20 ms frames of speech-like sound; the median batch
 * counts, in thread CPU time, so a busy machine does not show. */
#include <speex/speex_resampler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audio/agc.h"
#include "audio/audio_codec.h"
#include "audio/audio_level.h"
#include "audio/audio_receiver.h"
#include "audio/dtmf_detect.h"
#include "audio/jitter_buffer.h"
#include "audio/mix.h"
#include "audio/resample.h"
#include "audio/speaker_select.h"
#include "audio/testing.h"
#include "audio/time_stretch.h"
#include "audio/tones.h"
#include "base/check.h"

enum {
	ROUNDS_DEFAULT = 21,
	ROUNDS_MAX = 1001,
	FRAMES = 100, /* two seconds of speech, used again and again */
	LEGS = 1000,
};

static int rounds = ROUNDS_DEFAULT;
static bool json;

static int16_t speech[FRAMES][AUDIO_FRAME_SAMPLES];
static struct audio_codec_pool *codecs;
static struct jitter_pool *chunks;

/* One thing to measure; `run` does it for frame `i` of a batch. */
struct job {
	const char *name;
	int batch;
	void (*run)(int i);
};

static double
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int
by_size(const void *a, const void *b)
{
	const double left = *(const double *)a;
	const double right = *(const double *)b;
	return left < right ? -1 : left > right;
}

static void
tell(const char *name, double value, const char *unit)
{
	if (json)
		printf("{\"bench\":\"audio\",\"what\":\"%s\",\"value\":%.1f,\"unit\":\"%s\"}\n",
		       name, value, unit);
	else
		printf("%-48s %10.0f %s\n", name, value, unit);
}

static void
measure(const struct job *job)
{
	static double ns[ROUNDS_MAX];
	for (int round = 0; round < rounds; round++) {
		const double start = now_ns();
		for (int i = 0; i < job->batch; i++)
			job->run(i);
		ns[round] = (now_ns() - start) / job->batch;
	}
	qsort(ns, (size_t)rounds, sizeof *ns, by_size);
	tell(job->name, ns[rounds / 2], "ns");
}

/* ---- mixing ---- */

static struct mix mix;
static struct mix three; /* talkers, not loud enough to be limited */
static struct mix_limiter limiter;
static int16_t out[AUDIO_FRAME_SAMPLES];

static void
run_add(int i)
{
	mix_add(&mix, speech[i % FRAMES]);
}

static void
run_minus(int i)
{
	mix_minus(out, &three, speech[i % FRAMES]);
}

static void
run_limited(int i)
{
	mix_limited(out, &three, speech[i % FRAMES], &limiter);
}

static void
run_level(int i)
{
	volatile uint8_t level = audio_level_of(speech[i % FRAMES], AUDIO_FRAME_SAMPLES);
	(void)level;
}

static void
run_agc(int i)
{
	static struct agc agc;
	memcpy(out, speech[i % FRAMES], sizeof out);
	agc_run(&agc, out, 30, true);
}

static void
run_shorten(int i)
{
	memcpy(out, speech[i % FRAMES], sizeof out);
	const size_t gone =
	        time_stretch_shorten(out, AUDIO_FRAME_SAMPLES, TIME_STRETCH_LAG_MAX, true);
	CHECK(gone != 0);
}

static void
run_dtmf(int i)
{
	static struct dtmf_detect *detect;
	if (detect == NULL)
		CHECK(dtmf_detect_create(&detect) == 0);
	dtmf_detect_input(detect, speech[i % FRAMES]);
}

/* ---- selection: a room of a thousand, three of them talking ---- */

static struct speaker speakers[LEGS];
static struct speaker *room[LEGS];
static struct speaker_select selection;

static void
run_select(int i)
{
	for (int t = 0; t < 3; t++)
		speaker_input(&speakers[t * 300], (uint8_t)(25 + (i + t) % 7));
	(void)speaker_select_run(&selection, room, LEGS);
}

/* ---- resampling ---- */

static void
run_up_8(int i)
{
	static struct resample_up up;
	if (up.ratio == 0)
		resample_up_init(&up, 8000);
	(void)resample_up(&up, speech[i % FRAMES], 160, out);
}

static void
run_down_8(int i)
{
	static struct resample_down down;
	if (down.ratio == 0)
		resample_down_init(&down, 8000);
	(void)resample_down(&down, speech[i % FRAMES], AUDIO_FRAME_SAMPLES, out);
}

static void
run_up_16(int i)
{
	static struct resample_up up;
	if (up.ratio == 0)
		resample_up_init(&up, 16000);
	(void)resample_up(&up, speech[i % FRAMES], 320, out);
}

static void
speex(SpeexResamplerState **state, uint32_t from_hz, uint32_t to_hz, const int16_t *in)
{
	int failed = 0;
	if (*state == NULL)
		*state = speex_resampler_init(1, from_hz, to_hz, 3, &failed);
	CHECK(*state != NULL && failed == 0);
	spx_uint32_t in_count = from_hz / 50;
	spx_uint32_t out_count = to_hz / 50;
	(void)speex_resampler_process_int(*state, 0, in, &in_count, out, &out_count);
}

static void
run_speex_up_8(int i)
{
	static SpeexResamplerState *state;
	speex(&state, 8000, 48000, speech[i % FRAMES]);
}

static void
run_speex_down_8(int i)
{
	static SpeexResamplerState *state;
	speex(&state, 48000, 8000, speech[i % FRAMES]);
}

/* ---- codecs ---- */

static struct audio_encoder *encoder;
static struct audio_decoder *decoder;
static uint8_t payloads[FRAMES][AUDIO_PAYLOAD_BYTES_MAX];
static size_t lens[FRAMES];
static int16_t decoded[AUDIO_PACKET_SAMPLES_MAX];

static void
run_encode(int i)
{
	lens[i] = audio_encode(encoder, speech[i], AUDIO_FRAME_SAMPLES, payloads[i]);
}

static void
run_decode(int i)
{
	const int got = audio_decode(decoder, payloads[i], lens[i], decoded);
	CHECK(got == AUDIO_FRAME_SAMPLES);
}

static void
run_conceal(int i)
{
	(void)i;
	audio_decode_conceal(decoder, decoded, AUDIO_FRAME_SAMPLES);
}

static void
measure_codec(const char *name, enum audio_codec codec, const struct audio_quality *quality)
{
	char line[64];
	struct audio_quality always = *quality;
	always.dtx = false;
	encoder = audio_encoder_take(codecs, codec, &always);
	decoder = audio_decoder_take(codecs, codec);
	CHECK(encoder != NULL && decoder != NULL);
	(void)snprintf(line, sizeof line, "encode %s", name);
	measure(&(struct job){ line, FRAMES, run_encode });
	(void)snprintf(line, sizeof line, "decode %s", name);
	measure(&(struct job){ line, FRAMES, run_decode });
	(void)snprintf(line, sizeof line, "conceal %s", name);
	measure(&(struct job){ line, 3, run_conceal });
	audio_encoder_put(codecs, encoder);
	audio_decoder_put(codecs, decoder);
}

static void
run_take(int i)
{
	struct audio_decoder *one =
	        audio_decoder_take(codecs, i % 2 == 0 ? AUDIO_CODEC_OPUS : AUDIO_CODEC_PCMA);
	audio_decoder_put(codecs, one);
}

static void
run_encoder_take(int i)
{
	const struct audio_quality quality = audio_quality_for(0);
	(void)i;
	audio_encoder_put(codecs, audio_encoder_take(codecs, AUDIO_CODEC_OPUS, &quality));
}

/* ---- receiving ---- */

static struct jitter_buffer jitter;
static struct audio_receiver rx;
static uint16_t sequence;

static void
run_jitter(int i)
{
	const int64_t at_us = (int64_t)sequence * AUDIO_FRAME_US;
	const struct jitter_packet packet = {
		.ssrc = 1,
		.sequence = sequence,
		.timestamp_rtp = sequence * 960u,
		.duration_rtp = 960,
		.payload = payloads[i],
		.len = 80,
	};
	(void)jitter_insert(&jitter, &packet, at_us);
	(void)jitter_stretch(&jitter, 0, at_us + 8000);
	(void)jitter_next(&jitter, 0, at_us + 8000);
	sequence++;
}

static void
receive(int i, bool pull)
{
	const int64_t at_us = (int64_t)sequence * AUDIO_FRAME_US;
	const struct audio_packet packet = {
		.ssrc = 1,
		.sequence = sequence,
		.timestamp_rtp = sequence * 960u,
		.has_level = true,
		.level = 40,
		.payload = payloads[i],
		.len = lens[i],
		.payload_type = 111,
	};
	(void)audio_receiver_input(&rx, &packet, at_us);
	if (pull)
		(void)audio_receiver_pull(&rx, out, at_us + 8000);
	else
		audio_receiver_skip(&rx, at_us + 8000);
	sequence++;
}

static void
run_receive(int i)
{
	receive(i, true);
}

static void
run_skip(int i)
{
	receive(i, false);
}

static void
measure_receiving(void)
{
	static const struct audio_format opus = { 111, AUDIO_FORMAT_CODEC, AUDIO_CODEC_OPUS };
	jitter_init(&jitter, chunks, &(struct jitter_settings){ .clock_hz = 48000 });
	sequence = 0;
	measure(&(struct job){ "jitter buffer: insert and pull", FRAMES, run_jitter });
	jitter_fini(&jitter);

	struct audio_quality quality = audio_quality_for(0);
	quality.dtx = false;
	encoder = audio_encoder_take(codecs, AUDIO_CODEC_OPUS, &quality);
	for (int i = 0; i < FRAMES; i++)
		run_encode(i);
	audio_encoder_put(codecs, encoder);
	audio_receiver_init(&rx, &(struct audio_receiver_settings){ .codecs = codecs,
	                                                            .chunks = chunks });
	audio_receiver_set_formats(&rx, &opus, 1);
	sequence = 0;
	measure(&(struct job){ "receiver: Opus packet in, frame out", FRAMES, run_receive });
	measure(&(struct job){ "receiver: Opus packet in, skipped", FRAMES, run_skip });
	audio_receiver_fini(&rx);
}

static void
tell_memory(void)
{
	tell("bytes: audio_receiver, in every leg", sizeof(struct audio_receiver), "B");
	tell("bytes: speaker, in every leg", sizeof(struct speaker), "B");
	tell("bytes: Opus decoder, while heard",
	     (double)audio_codec_pool_state_bytes(AUDIO_STATE_OPUS_DECODER), "B");
	tell("bytes: Opus encoder, per mix or talker",
	     (double)audio_codec_pool_state_bytes(AUDIO_STATE_OPUS_ENCODER), "B");
	tell("bytes: G.711 or G.722 decoder",
	     (double)audio_codec_pool_state_bytes(AUDIO_STATE_PLAIN_DECODER), "B");
	tell("bytes: G.711 or G.722 encoder",
	     (double)audio_codec_pool_state_bytes(AUDIO_STATE_PLAIN_ENCODER), "B");
}

static void
read_arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
			rounds = (int)strtol(argv[++i], NULL, 10);
	}
	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "rounds: 1 to %d\n", ROUNDS_MAX);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	static const struct job jobs[] = {
		{ "mix: add", 1000, run_add },
		{ "mix: minus self", 1000, run_minus },
		{ "mix: minus self, limited", 1000, run_limited },
		{ "level of a frame", 1000, run_level },
		{ "select: 1000 legs, 3 talking", 50, run_select },
		{ "gain control", 500, run_agc },
		{ "time stretch: one period out", 200, run_shorten },
		{ "DTMF detection", 200, run_dtmf },
		{ "resample: 8 to 48 kHz", 500, run_up_8 },
		{ "resample: 8 to 48 kHz, speexdsp 3", 200, run_speex_up_8 },
		{ "resample: 48 to 8 kHz", 500, run_down_8 },
		{ "resample: 48 to 8 kHz, speexdsp 3", 200, run_speex_down_8 },
		{ "resample: 16 to 48 kHz", 500, run_up_16 },
		{ "decoder from the pool and back", 200, run_take },
		{ "Opus encoder from the pool and back", 50, run_encoder_take },
	};
	const struct audio_codec_pool_settings settings = { 4, 4, 4, 4 };
	read_arguments(argc, argv);
	CHECK(audio_codec_pool_create(&codecs, &settings) == 0);
	CHECK(jitter_pool_create(&chunks, 256) == 0);
	for (int i = 0; i < FRAMES; i++)
		testing_speech(speech[i], AUDIO_FRAME_SAMPLES, (size_t)i * AUDIO_FRAME_SAMPLES);
	for (int i = 0; i < LEGS; i++)
		room[i] = &speakers[i];
	speaker_select_init(&selection, 0);
	mix_clear(&mix);
	mix_clear(&three);
	for (int i = 0; i < 3; i++)
		mix_add(&three, speech[i]);

	for (size_t i = 0; i < COUNT_OF(jobs); i++)
		measure(&jobs[i]);
	const struct audio_quality clean = audio_quality_for(0);
	const struct audio_quality lossy = audio_quality_for(10);
	measure_codec("Opus, clean path (CELT, cx 5)", AUDIO_CODEC_OPUS, &clean);
	measure_codec("Opus, 10 % loss (FEC, cx 5)", AUDIO_CODEC_OPUS, &lossy);
	measure_codec("G722", AUDIO_CODEC_G722, &clean);
	measure_codec("PCMU", AUDIO_CODEC_PCMU, &clean);
	measure_codec("PCMA", AUDIO_CODEC_PCMA, &clean);
	measure_receiving();
	tell_memory();
	audio_codec_pool_destroy(codecs);
	jitter_pool_destroy(chunks);
	return 0;
}
