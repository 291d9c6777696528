/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/audio_codec.h"

#include <errno.h>
#include <math.h>
#include <opus/opus.h>
#include <spandsp.h>
#include <spandsp/expose.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio_codec_internal.h"
#include "audio/audio_level.h"
#include "audio/g711.h"
#include "audio/conceal.h"
#include "audio/resample.h"
#include "base/check.h"

enum {
	SLOT_ALIGN = 64,
	PLAIN_BYTES_PER_MS = 8, /* G.711, and G.722 at 64 kbit/s */
	OPUS_STEP_SAMPLES = AUDIO_RATE_HZ / 400, /* 2.5 ms */
	OPUS_DTX_BYTES = 2,     /* a packet this short holds no sound (RFC 6716 s2.1.9) */
	BITRATE_DEFAULT_BPS = 32000,
	SILENT_FRAMES_SENT = 5,
	SILENT_FRAMES_SAVED = 20,
	NATIVE_SAMPLES_MAX = AUDIO_PACKET_MS_MAX * 16,
};

struct plain_decoder {
	struct resample_up up;
	struct conceal conceal;
	g722_decode_state_t g722;
};

struct audio_encoder {
	uint8_t codec; /* NONE while the slot is free */
	bool dtx;
	uint8_t silent_frames; /* in a row */
};

struct plain_encoder {
	struct resample_down down;
	g722_encode_state_t g722;
};

#define SLOT_HEAD(type) ((sizeof(type) + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN)

/* ---- facts ---- */

static const struct audio_codec_info infos[AUDIO_CODECS] = {
	[AUDIO_CODEC_NONE] = { "", 8000, 8000, 1, 255 },
	[AUDIO_CODEC_OPUS] = { "opus", 48000, 48000, 2, 255 },
	[AUDIO_CODEC_G722] = { "G722", 8000, 16000, 1, 9 },
	[AUDIO_CODEC_PCMU] = { "PCMU", 8000, 8000, 1, 0 },
	[AUDIO_CODEC_PCMA] = { "PCMA", 8000, 8000, 1, 8 },
};

const struct audio_codec_info *
audio_codec_info(enum audio_codec codec)
{
	CHECK(codec < AUDIO_CODECS);
	return &infos[codec];
}

/* ---- pool ---- */

struct slots {
	uint8_t *bytes;
	uint32_t *free; /* a stack: the slot last given back is warm */
	uint32_t free_count;
	uint32_t max;
	size_t slot_bytes;
};

/* libopus needs 30-45 us to make a state, copying one made before takes a few per cent of that (its
 * states have no pointers into themselves: opus_encoder.3 and opus_decoder.3 allow the copy). */
struct audio_codec_pool {
	struct slots slots[AUDIO_STATE_KINDS];
	uint8_t *new_opus_decoder;
	uint8_t *new_opus_encoder;
};

size_t
audio_codec_pool_state_bytes(enum audio_state_kind kind)
{
	size_t bytes = 0;
	CHECK(kind < AUDIO_STATE_KINDS);
	switch (kind) {
	case AUDIO_STATE_OPUS_DECODER:
		bytes = SLOT_HEAD(struct audio_decoder) + (size_t)opus_decoder_get_size(1);
		break;
	case AUDIO_STATE_OPUS_ENCODER:
		bytes = SLOT_HEAD(struct audio_encoder) + (size_t)opus_encoder_get_size(1);
		break;
	case AUDIO_STATE_PLAIN_DECODER:
		bytes = SLOT_HEAD(struct audio_decoder) + sizeof(struct plain_decoder);
		break;
	case AUDIO_STATE_PLAIN_ENCODER:
		bytes = SLOT_HEAD(struct audio_encoder) + sizeof(struct plain_encoder);
		break;
	case AUDIO_STATE_KINDS:
		break;
	}
	return (bytes + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
}

/* calloc() of a large piece is untouched zero pages, which is what lets `max` be generous. */
static int
slots_create(struct slots *slots, enum audio_state_kind kind, uint32_t max)
{
	slots->slot_bytes = audio_codec_pool_state_bytes(kind);
	slots->max = max;
	slots->free_count = max;
	if (max == 0)
		return 0;
	slots->bytes = calloc(max, slots->slot_bytes);
	slots->free = calloc(max, sizeof *slots->free);
	if (slots->bytes == NULL || slots->free == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < max; i++)
		slots->free[i] = max - 1 - i;
	return 0;
}

static void *
slots_take(struct slots *slots)
{
	if (slots->free_count == 0)
		return NULL;
	return slots->bytes + slots->free[--slots->free_count] * slots->slot_bytes;
}

static void
slots_put(struct slots *slots, const void *slot)
{
	const size_t at = (size_t)((const uint8_t *)slot - slots->bytes);
	CHECK(at % slots->slot_bytes == 0 && at / slots->slot_bytes < slots->max);
	CHECK(slots->free_count < slots->max);
	slots->free[slots->free_count++] = (uint32_t)(at / slots->slot_bytes);
}

static int
make_templates(struct audio_codec_pool *pool)
{
	pool->new_opus_decoder = malloc((size_t)opus_decoder_get_size(1));
	pool->new_opus_encoder = malloc((size_t)opus_encoder_get_size(1));
	if (pool->new_opus_decoder == NULL || pool->new_opus_encoder == NULL)
		return -ENOMEM;
	int rc = opus_decoder_init((OpusDecoder *)(void *)pool->new_opus_decoder, AUDIO_RATE_HZ, 1);
	CHECK(rc == OPUS_OK);
	rc = opus_encoder_init((OpusEncoder *)(void *)pool->new_opus_encoder, AUDIO_RATE_HZ, 1,
	                       OPUS_APPLICATION_AUDIO);
	CHECK(rc == OPUS_OK);
	return 0;
}

int
audio_codec_pool_create(struct audio_codec_pool **pool,
                        const struct audio_codec_pool_settings *settings)
{
	const uint32_t max[AUDIO_STATE_KINDS] = {
		[AUDIO_STATE_OPUS_DECODER] = settings->opus_decoders_max,
		[AUDIO_STATE_OPUS_ENCODER] = settings->opus_encoders_max,
		[AUDIO_STATE_PLAIN_DECODER] = settings->plain_decoders_max,
		[AUDIO_STATE_PLAIN_ENCODER] = settings->plain_encoders_max,
	};
	struct audio_codec_pool *made = calloc(1, sizeof *made);
	if (made == NULL)
		return -ENOMEM;
	int rc = make_templates(made);
	for (unsigned kind = 0; kind < AUDIO_STATE_KINDS && rc == 0; kind++)
		rc = slots_create(&made->slots[kind], (enum audio_state_kind)kind, max[kind]);
	if (rc != 0) {
		audio_codec_pool_destroy(made);
		return rc;
	}
	*pool = made;
	return 0;
}

void
audio_codec_pool_destroy(struct audio_codec_pool *pool)
{
	if (pool == NULL)
		return;
	for (unsigned kind = 0; kind < AUDIO_STATE_KINDS; kind++) {
		free(pool->slots[kind].bytes);
		free(pool->slots[kind].free);
	}
	free(pool->new_opus_decoder);
	free(pool->new_opus_encoder);
	free(pool);
}

uint32_t
audio_codec_pool_used(const struct audio_codec_pool *pool, enum audio_state_kind kind)
{
	return pool->slots[kind].max - pool->slots[kind].free_count;
}

/* ---- packets ---- */

int
audio_packet_samples(enum audio_codec codec, const uint8_t *payload, size_t len)
{
	if (len == 0)
		return AUDIO_REJECT_EMPTY;
	if (len > AUDIO_PAYLOAD_BYTES_MAX)
		return AUDIO_REJECT_LENGTH;
	if (codec == AUDIO_CODEC_OPUS) {
		const int samples =
		        opus_packet_get_nb_samples(payload, (opus_int32)len, AUDIO_RATE_HZ);
		return samples > 0 && samples <= AUDIO_PACKET_SAMPLES_MAX ? samples
		                                                          : AUDIO_REJECT_BROKEN;
	}
	if (len % PLAIN_BYTES_PER_MS != 0 || len > AUDIO_PACKET_MS_MAX * PLAIN_BYTES_PER_MS)
		return AUDIO_REJECT_LENGTH;
	return (int)(len / PLAIN_BYTES_PER_MS * (AUDIO_RATE_HZ / 1000));
}

/* A SILK or hybrid frame begins with one voice bit per 20 ms and then the bit that tells whether a
 * copy of the frame before follows (RFC 6716 s4.2.3, s4.2.4). */
bool
audio_packet_has_fec(enum audio_codec codec, const uint8_t *payload, size_t len)
{
	if (codec != AUDIO_CODEC_OPUS || len < 2)
		return false;
	const unsigned config = payload[0] >> 3;
	if (config >= 16)
		return false; /* CELT only */

	const unsigned char *frames[48];
	opus_int16 sizes[48];
	const int count = opus_packet_parse(payload, (opus_int32)len, NULL, frames, sizes, NULL);
	if (count <= 0 || sizes[0] == 0)
		return false;
	const int samples = opus_packet_get_samples_per_frame(payload, AUDIO_RATE_HZ);
	const int silk_frames = samples > AUDIO_FRAME_SAMPLES ? samples / AUDIO_FRAME_SAMPLES : 1;
	return (frames[0][0] >> (7 - silk_frames) & 1) != 0;
}

int
audio_packet_level(enum audio_codec codec, const uint8_t *payload, size_t len)
{
	int16_t pcm[AUDIO_PACKET_MS_MAX * PLAIN_BYTES_PER_MS];

	if ((codec != AUDIO_CODEC_PCMU && codec != AUDIO_CODEC_PCMA) || len == 0 ||
	    len > sizeof pcm / sizeof *pcm)
		return -1;
	if (codec == AUDIO_CODEC_PCMU)
		g711_decode_mulaw(pcm, payload, len);
	else
		g711_decode_alaw(pcm, payload, len);
	return audio_level_of(pcm, len);
}

/* ---- decoding ---- */

static OpusDecoder *
opus_of(struct audio_decoder *decoder)
{
	return (OpusDecoder *)(void *)((uint8_t *)decoder + SLOT_HEAD(struct audio_decoder));
}

static struct plain_decoder *
plain_of(struct audio_decoder *decoder)
{
	return (struct plain_decoder *)(void *)((uint8_t *)decoder +
	                                        SLOT_HEAD(struct audio_decoder));
}

static enum audio_state_kind
decoder_kind(unsigned codec)
{
	return codec == AUDIO_CODEC_OPUS ? AUDIO_STATE_OPUS_DECODER : AUDIO_STATE_PLAIN_DECODER;
}

static enum audio_state_kind
encoder_kind(unsigned codec)
{
	return codec == AUDIO_CODEC_OPUS ? AUDIO_STATE_OPUS_ENCODER : AUDIO_STATE_PLAIN_ENCODER;
}

static void
start_decoder(const struct audio_codec_pool *pool, struct audio_decoder *decoder)
{
	decoder->fifo_count = 0;
	decoder->noise = 1;
	if (decoder->codec == AUDIO_CODEC_OPUS) {
		memcpy(opus_of(decoder), pool->new_opus_decoder, (size_t)opus_decoder_get_size(1));
		return;
	}
	struct plain_decoder *plain = plain_of(decoder);
	const uint32_t rate_hz = infos[decoder->codec].rate_hz;
	resample_up_init(&plain->up, rate_hz);
	conceal_init(&plain->conceal, rate_hz);
	if (decoder->codec == AUDIO_CODEC_G722)
		CHECK(g722_decode_init(&plain->g722, 64000, 0) != NULL);
}

struct audio_decoder *
audio_decoder_take(struct audio_codec_pool *pool, enum audio_codec codec)
{
	CHECK(codec > AUDIO_CODEC_NONE && codec < AUDIO_CODECS);
	struct audio_decoder *decoder = slots_take(&pool->slots[decoder_kind(codec)]);
	if (decoder == NULL)
		return NULL;
	CHECK(decoder->codec == AUDIO_CODEC_NONE);
	decoder->codec = (uint8_t)codec;
	start_decoder(pool, decoder);
	return decoder;
}

void
audio_decoder_put(struct audio_codec_pool *pool, struct audio_decoder *decoder)
{
	if (decoder == NULL)
		return;
	CHECK(decoder->codec != AUDIO_CODEC_NONE);
	slots_put(&pool->slots[decoder_kind(decoder->codec)], decoder);
	decoder->codec = AUDIO_CODEC_NONE;
}

void
audio_decoder_reset(const struct audio_codec_pool *pool, struct audio_decoder *decoder)
{
	const uint16_t fifo_count = decoder->fifo_count;
	start_decoder(pool, decoder);
	decoder->fifo_count = fifo_count;
}

int
audio_decode(struct audio_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm)
{
	int16_t native[NATIVE_SAMPLES_MAX];
	int samples = audio_packet_samples(decoder->codec, payload, len);
	if (samples < 0)
		return samples;

	struct plain_decoder *plain = plain_of(decoder);
	size_t count = len;
	switch (decoder->codec) {
	case AUDIO_CODEC_OPUS:
		samples = opus_decode(opus_of(decoder), payload, (opus_int32)len, pcm,
		                      AUDIO_PACKET_SAMPLES_MAX, 0);
		return samples > 0 ? samples : AUDIO_REJECT_BROKEN;
	case AUDIO_CODEC_G722: {
		const int got = g722_decode(&plain->g722, native, payload, (int)len);
		CHECK(got >= 0 && (size_t)got == 2 * len);
		count = (size_t)got;
		break;
	}
	case AUDIO_CODEC_PCMU:
		g711_decode_mulaw(native, payload, len);
		break;
	default:
		CHECK(decoder->codec == AUDIO_CODEC_PCMA);
		g711_decode_alaw(native, payload, len);
		break;
	}
	conceal_good(&plain->conceal, native, count);
	const size_t made = resample_up(&plain->up, native, count, pcm);
	CHECK(made == (size_t)samples);
	return samples;
}

void
audio_decode_fec(struct audio_decoder *decoder, const uint8_t *payload, size_t len, int16_t *pcm,
                 size_t samples)
{
	CHECK(samples % OPUS_STEP_SAMPLES == 0 && samples <= AUDIO_PACKET_SAMPLES_MAX);
	if (decoder->codec == AUDIO_CODEC_OPUS &&
	    opus_decode(opus_of(decoder), payload, (opus_int32)len, pcm, (int)samples, 1) ==
	            (int)samples)
		return;
	audio_decode_conceal(decoder, pcm, samples);
}

void
audio_decode_conceal(struct audio_decoder *decoder, int16_t *pcm, size_t samples)
{
	CHECK(samples % OPUS_STEP_SAMPLES == 0 && samples <= AUDIO_PACKET_SAMPLES_MAX);
	if (decoder->codec == AUDIO_CODEC_OPUS) {
		const int got = opus_decode(opus_of(decoder), NULL, 0, pcm, (int)samples, 0);
		if (got != (int)samples)
			memset(pcm, 0, samples * sizeof *pcm);
		return;
	}
	struct plain_decoder *plain = plain_of(decoder);
	int16_t native[NATIVE_SAMPLES_MAX];
	const size_t count = samples / plain->up.ratio;
	conceal_lost(&plain->conceal, native, count);
	const size_t made = resample_up(&plain->up, native, count, pcm);
	CHECK(made == samples);
}

/* White noise of the told power: the sum of two uniform values is near enough to a bell. */
void
audio_decode_comfort(struct audio_decoder *decoder, uint8_t level, int16_t *pcm, size_t samples)
{
	CHECK(samples <= AUDIO_PACKET_SAMPLES_MAX);
	/* A triangle of half-width a has the power a*a/6. */
	const double width = 32768.0 * pow(10.0, -(double)level / 20.0) * 2.449;
	const int32_t scale = (int32_t)(width < 16383.0 ? width : 16383.0);
	for (size_t i = 0; i < samples; i++) {
		decoder->noise = decoder->noise * 1664525u + 1013904223u;
		const int32_t a = (int32_t)(decoder->noise >> 16) - 32768;
		decoder->noise = decoder->noise * 1664525u + 1013904223u;
		const int32_t b = (int32_t)(decoder->noise >> 16) - 32768;
		pcm[i] = (int16_t)((a + b) * (int64_t)scale / 65536);
	}
}

/* ---- encoding ---- */

static OpusEncoder *
opus_encoder_of(struct audio_encoder *encoder)
{
	return (OpusEncoder *)(void *)((uint8_t *)encoder + SLOT_HEAD(struct audio_encoder));
}

static struct plain_encoder *
plain_encoder_of(struct audio_encoder *encoder)
{
	return (struct plain_encoder *)(void *)((uint8_t *)encoder +
	                                        SLOT_HEAD(struct audio_encoder));
}

struct audio_quality
audio_quality_for(uint8_t loss_pct)
{
	return (struct audio_quality){
		.bitrate_bps = BITRATE_DEFAULT_BPS,
		.complexity = 5,
		.loss_pct = loss_pct,
		.dtx = true,
	};
}

struct audio_encoder *
audio_encoder_take(struct audio_codec_pool *pool, enum audio_codec codec,
                   const struct audio_quality *quality)
{
	CHECK(codec > AUDIO_CODEC_NONE && codec < AUDIO_CODECS);
	struct audio_encoder *encoder = slots_take(&pool->slots[encoder_kind(codec)]);
	if (encoder == NULL)
		return NULL;
	CHECK(encoder->codec == AUDIO_CODEC_NONE);
	encoder->codec = (uint8_t)codec;
	encoder->silent_frames = 0;
	if (codec == AUDIO_CODEC_OPUS) {
		memcpy(opus_encoder_of(encoder), pool->new_opus_encoder,
		       (size_t)opus_encoder_get_size(1));
	} else {
		struct plain_encoder *plain = plain_encoder_of(encoder);
		resample_down_init(&plain->down, infos[codec].rate_hz);
		if (codec == AUDIO_CODEC_G722)
			CHECK(g722_encode_init(&plain->g722, 64000, 0) != NULL);
	}
	audio_encoder_set(encoder, quality);
	return encoder;
}

void
audio_encoder_put(struct audio_codec_pool *pool, struct audio_encoder *encoder)
{
	if (encoder == NULL)
		return;
	CHECK(encoder->codec != AUDIO_CODEC_NONE);
	slots_put(&pool->slots[encoder_kind(encoder->codec)], encoder);
	encoder->codec = AUDIO_CODEC_NONE;
}

/* FEC lives in the SILK layer.  Telling libopus that the signal is voice, with FEC on and losses
 * expected, makes it code in SILK or hybrid mode; telling it "music" keeps it in CELT mode, which
 * is good for voice at our rates and three times as fast. */
void
audio_encoder_set(struct audio_encoder *encoder, const struct audio_quality *quality)
{
	encoder->dtx = quality->dtx;
	if (encoder->codec != AUDIO_CODEC_OPUS)
		return;
	OpusEncoder *opus = opus_encoder_of(encoder);
	const uint32_t bitrate_bps =
	        quality->bitrate_bps != 0 ? quality->bitrate_bps : BITRATE_DEFAULT_BPS;
	const bool fec = quality->loss_pct >= AUDIO_FEC_LOSS_PCT;
	const int loss_pct = quality->loss_pct < 100 ? quality->loss_pct : 100;
	int rc = 0;
	rc |= opus_encoder_ctl(opus, OPUS_SET_BITRATE((opus_int32)bitrate_bps));
	rc |= opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(quality->complexity));
	rc |= opus_encoder_ctl(opus, OPUS_SET_INBAND_FEC(fec ? 1 : 0));
	rc |= opus_encoder_ctl(opus, OPUS_SET_PACKET_LOSS_PERC(loss_pct));
	rc |= opus_encoder_ctl(opus, OPUS_SET_SIGNAL(fec ? OPUS_SIGNAL_VOICE : OPUS_SIGNAL_MUSIC));
	rc |= opus_encoder_ctl(opus, OPUS_SET_DTX(quality->dtx ? 1 : 0));
	CHECK(rc == OPUS_OK);
}

/* libopus detects silence only at complexities we do not use for mixes.  A mix in which nobody
 * talks is zeroes, so a look at the samples is enough: after a few frames, which let the codec's
 * own delay run empty, one in twenty is sent (RFC 7587 s3.1.3 has 400 ms). */
static bool
says_nothing(struct audio_encoder *encoder, const int16_t *pcm, size_t samples)
{
	uint16_t any = 0;
	for (size_t i = 0; i < samples; i++)
		any |= (uint16_t)pcm[i];
	if (any != 0) {
		encoder->silent_frames = 0;
		return false;
	}
	if (++encoder->silent_frames <= SILENT_FRAMES_SENT)
		return false;
	if (encoder->silent_frames < SILENT_FRAMES_SENT + SILENT_FRAMES_SAVED)
		return true;
	encoder->silent_frames = SILENT_FRAMES_SENT;
	return false;
}

size_t
audio_encode(struct audio_encoder *encoder, const int16_t *pcm, size_t samples, uint8_t *out)
{
	CHECK(samples == AUDIO_FRAME_SAMPLES / 2 || samples % AUDIO_FRAME_SAMPLES == 0);
	CHECK(samples != 0 && samples <= AUDIO_PACKET_SAMPLES_MAX);
	if (encoder->codec == AUDIO_CODEC_OPUS) {
		if (encoder->dtx && says_nothing(encoder, pcm, samples))
			return 0;
		const int len = opus_encode(opus_encoder_of(encoder), pcm, (int)samples, out,
		                            AUDIO_PAYLOAD_BYTES_MAX);
		CHECK(len > 0);
		return encoder->dtx && len <= OPUS_DTX_BYTES ? 0 : (size_t)len;
	}
	struct plain_encoder *plain = plain_encoder_of(encoder);
	int16_t native[NATIVE_SAMPLES_MAX];
	const size_t count = resample_down(&plain->down, pcm, samples, native);
	switch (encoder->codec) {
	case AUDIO_CODEC_G722: {
		const int len = g722_encode(&plain->g722, out, native, (int)count);
		CHECK(len >= 0 && (size_t)len == count / 2);
		return (size_t)len;
	}
	case AUDIO_CODEC_PCMU:
		g711_encode_mulaw(out, native, count);
		return count;
	default:
		CHECK(encoder->codec == AUDIO_CODEC_PCMA);
		g711_encode_alaw(out, native, count);
		return count;
	}
}

const uint8_t *
audio_silence_payload(enum audio_codec codec, size_t *len)
{
	/* Code words of zero; for G.722 the one that keeps an idle decoder at zero. */
#define TEN(byte) byte, byte, byte, byte, byte, byte, byte, byte, byte, byte
#define FRAME(byte)                                                                        \
	{                                                                                  \
		TEN(byte), TEN(byte), TEN(byte), TEN(byte), TEN(byte), TEN(byte), TEN(byte), \
		        TEN(byte), TEN(byte), TEN(byte), TEN(byte), TEN(byte), TEN(byte),    \
		        TEN(byte), TEN(byte), TEN(byte)                                      \
	}
	static const uint8_t opus[] = { 0xF8, 0xFF, 0xFE }; /* CELT, 20 ms, the silence flag */
	static const uint8_t g722[160] = FRAME(0xFC);
	static const uint8_t pcmu[160] = FRAME(0xFF);
	static const uint8_t pcma[160] = FRAME(0xD5);
#undef FRAME
#undef TEN
	CHECK(codec > AUDIO_CODEC_NONE && codec < AUDIO_CODECS);
	*len = sizeof pcmu;
	switch (codec) {
	case AUDIO_CODEC_OPUS:
		*len = sizeof opus;
		return opus;
	case AUDIO_CODEC_G722:
		return g722;
	case AUDIO_CODEC_PCMU:
		return pcmu;
	case AUDIO_CODEC_PCMA:
		return pcma;
	case AUDIO_CODEC_NONE:
	case AUDIO_CODECS:
		break;
	}
	return NULL;
}
