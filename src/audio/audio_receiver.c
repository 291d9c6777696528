/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/audio_receiver.h"

#include <string.h>

#include "audio/audio_codec_internal.h"
#include "audio/audio_level.h"
#include "audio/time_stretch.h"
#include "base/check.h"

enum {
	OPUS_DTX_BYTES = 2,
	STEP_SAMPLES = AUDIO_RATE_HZ / 400, /* concealment comes in pieces of 2.5 ms */
	FADE_IN_SAMPLES = AUDIO_RATE_HZ / 200,
	DECISIONS_MAX = 2 * AUDIO_FRAME_SAMPLES / STEP_SAMPLES + JITTER_PACKETS_MAX,
	SHORTEN_EVERY = 3,           /* frames: at most a sixth faster, unless in a hurry */
	TAIL_US = 400 * 1000,        /* an Opus pause is filled by its decoder this long */
	LEVEL_FRESH_US = 200 * 1000,
};

/* ---- set-up ---- */

void
audio_receiver_init(struct audio_receiver *rx, const struct audio_receiver_settings *settings)
{
	CHECK(settings->codecs != NULL && settings->chunks != NULL);
	*rx = (struct audio_receiver){ .settings = *settings, .level = AUDIO_LEVEL_SILENCE };
}

static void
rest(struct audio_receiver *rx)
{
	audio_decoder_put(rx->settings.codecs, rx->decoder);
	rx->decoder = NULL;
}

void
audio_receiver_fini(struct audio_receiver *rx)
{
	rest(rx);
	if (rx->jitter.pool != NULL)
		jitter_fini(&rx->jitter);
	*rx = (struct audio_receiver){ .level = AUDIO_LEVEL_SILENCE };
}

void
audio_receiver_set_formats(struct audio_receiver *rx, const struct audio_format *formats,
                           size_t count)
{
	CHECK(count <= AUDIO_RECEIVER_FORMATS_MAX);
	for (size_t i = 0; i < count; i++) {
		CHECK(formats[i].codec < AUDIO_CODECS);
		CHECK(formats[i].kind != AUDIO_FORMAT_CODEC ||
		      formats[i].codec != AUDIO_CODEC_NONE);
		rx->formats[i] = formats[i];
	}
	rx->format_count = (uint8_t)count;
}

/* ---- input ---- */

static const struct audio_format *
format_of(const struct audio_receiver *rx, uint8_t payload_type)
{
	for (unsigned i = 0; i < rx->format_count; i++)
		if (rx->formats[i].payload_type == payload_type)
			return &rx->formats[i];
	return NULL;
}

/* The jitter buffer runs on one clock; a codec with another one begins anew, keeping the counts. */
static void
set_clock(struct audio_receiver *rx, uint32_t clock_hz)
{
	if (rx->jitter.pool != NULL && rx->jitter.settings.clock_hz == clock_hz)
		return;
	const struct jitter_stats stats = rx->jitter.stats;
	const bool first = rx->jitter.pool == NULL;
	if (!first)
		jitter_fini(&rx->jitter);
	jitter_init(&rx->jitter, rx->settings.chunks,
	            &(struct jitter_settings){
	                    .clock_hz = clock_hz,
	                    .delay_us_min = rx->settings.delay_us_min,
	                    .delay_us_max = rx->settings.delay_us_max,
	            });
	if (!first) {
		const int32_t target_us = rx->jitter.stats.target_us;
		rx->jitter.stats = stats;
		rx->jitter.stats.target_us = target_us;
		rx->jitter.stats.restarts++;
	}
	if (rx->decoder != NULL)
		rx->decoder->fifo_count = 0;
}

static void
note_level(struct audio_receiver *rx, const struct audio_packet *packet, unsigned codec)
{
	if (packet->has_level) {
		rx->level = packet->level & 0x7F;
		rx->level_from_header = true;
		return;
	}
	const int level =
	        audio_packet_level((enum audio_codec)codec, packet->payload, packet->len);
	rx->level_from_header = level >= 0;
	if (level >= 0)
		rx->level = (uint8_t)level;
}

/* Fills in what the jitter buffer wants to know of a codec's packet; false when it is bad. */
static bool
describe_voice(struct audio_receiver *rx, struct jitter_packet *out,
               const struct audio_packet *packet, enum audio_codec codec)
{
	const uint32_t clock_hz = audio_codec_info(codec)->clock_hz;
	const int samples = audio_packet_samples(codec, packet->payload, packet->len);
	if (samples < 0)
		return false;
	set_clock(rx, clock_hz);
	out->kind = JITTER_VOICE;
	out->tag = (uint8_t)codec;
	out->duration_rtp = (uint32_t)samples / (AUDIO_RATE_HZ / clock_hz);
	out->fec = audio_packet_has_fec(codec, packet->payload, packet->len);
	out->pause_follows = codec == AUDIO_CODEC_OPUS && packet->len <= OPUS_DTX_BYTES;
	return true;
}

bool
audio_receiver_input(struct audio_receiver *rx, const struct audio_packet *packet, int64_t now_us)
{
	const struct audio_format *format = format_of(rx, packet->payload_type);
	if (format == NULL) {
		rx->stats.unknown_type++;
		return false;
	}
	struct jitter_packet out = {
		.ssrc = packet->ssrc,
		.timestamp_rtp = packet->timestamp_rtp,
		.sequence = packet->sequence,
		.payload = packet->payload,
		.len = packet->len,
	};
	switch ((enum audio_format_kind)format->kind) {
	case AUDIO_FORMAT_CODEC:
		if (!describe_voice(rx, &out, packet, (enum audio_codec)format->codec)) {
			rx->stats.rejected++;
			return false;
		}
		break;
	case AUDIO_FORMAT_NOISE:
		if (packet->len == 0 || packet->len > AUDIO_PAYLOAD_BYTES_MAX) {
			rx->stats.rejected++;
			return false;
		}
		out.kind = JITTER_NOISE;
		out.len = 1; /* the level; we do not shape the noise (RFC 3389 s3.2 allows) */
		break;
	case AUDIO_FORMAT_EVENT:
		out.kind = JITTER_OTHER;
		out.len = 0;
		break;
	}
	if (rx->jitter.pool == NULL)
		return false; /* noise or an event before any sound */
	const enum jitter_verdict verdict = jitter_insert(&rx->jitter, &out, now_us);
	if (verdict != JITTER_TAKEN)
		return false;
	rx->heard_us = now_us;
	if (out.kind == JITTER_VOICE)
		note_level(rx, packet, format->codec);
	else if (out.kind == JITTER_NOISE)
		rx->level = AUDIO_LEVEL_SILENCE;
	return true;
}

/* ---- output ---- */

static uint32_t
samples_per_tick(const struct audio_receiver *rx)
{
	return AUDIO_RATE_HZ / rx->jitter.settings.clock_hz;
}

static uint32_t
pending_rtp(const struct audio_receiver *rx)
{
	return rx->decoder != NULL ? rx->decoder->fifo_count / samples_per_tick(rx) : 0;
}

/* A decoder of the right codec; NULL when the pool is empty. */
static struct audio_decoder *
decoder_for(struct audio_receiver *rx, uint8_t codec, bool fresh)
{
	if (rx->decoder != NULL && rx->codec != codec) {
		struct audio_decoder *next =
		        audio_decoder_take(rx->settings.codecs, (enum audio_codec)codec);
		if (next != NULL) {
			next->fifo_count = rx->decoder->fifo_count;
			memcpy(next->fifo, rx->decoder->fifo,
			       next->fifo_count * sizeof *next->fifo);
		}
		rest(rx);
		rx->decoder = next;
	} else if (rx->decoder == NULL) {
		rx->decoder = audio_decoder_take(rx->settings.codecs, (enum audio_codec)codec);
	} else if (fresh) {
		audio_decoder_reset(rx->settings.codecs, rx->decoder);
	}
	rx->codec = codec;
	if (rx->decoder == NULL)
		rx->stats.starved++;
	return rx->decoder;
}

static size_t
conceal(struct audio_receiver *rx, size_t samples)
{
	struct audio_decoder *decoder = rx->decoder;
	samples = (samples + STEP_SAMPLES - 1) / STEP_SAMPLES * STEP_SAMPLES;
	if (samples > AUDIO_PACKET_SAMPLES_MAX)
		samples = AUDIO_PACKET_SAMPLES_MAX;
	audio_decode_conceal(decoder, decoder->fifo + decoder->fifo_count, samples);
	rx->stats.samples_concealed += samples;
	return samples;
}

/* Decodes into the PCM buffer; true when it is the packet's own sound. */
static bool
decode(struct audio_receiver *rx, const struct jitter_decision *decision)
{
	struct audio_decoder *decoder = rx->decoder;
	int16_t *pcm = decoder->fifo + decoder->fifo_count;
	const size_t wanted = decision->duration_rtp * samples_per_tick(rx);
	CHECK(decoder->fifo_count + AUDIO_PACKET_SAMPLES_MAX <= AUDIO_FIFO_SAMPLES);

	if (decision->action == JITTER_DECODE) {
		const int got = audio_decode(decoder, decision->payload, decision->len, pcm);
		if (got > 0) {
			for (int i = 0; decision->fresh && i < FADE_IN_SAMPLES && i < got; i++)
				pcm[i] = (int16_t)(pcm[i] * i / FADE_IN_SAMPLES);
			decoder->fifo_count = (uint16_t)(decoder->fifo_count + got);
			return true;
		}
		rx->stats.rejected++;
	} else if (decision->action == JITTER_FEC && wanted % STEP_SAMPLES == 0 &&
	           wanted <= AUDIO_PACKET_SAMPLES_MAX) {
		audio_decode_fec(decoder, decision->payload, decision->len, pcm, wanted);
		decoder->fifo_count = (uint16_t)(decoder->fifo_count + wanted);
		return true;
	}
	decoder->fifo_count = (uint16_t)(decoder->fifo_count + conceal(rx, wanted));
	return false;
}

/* Asks the jitter buffer until `samples` are there or it has no more. */
static enum audio_source
fill(struct audio_receiver *rx, size_t samples, int64_t now_us)
{
	const bool left_over = rx->decoder != NULL && rx->decoder->fifo_count != 0;
	enum audio_source source = left_over ? AUDIO_SOURCE_VOICE : AUDIO_SOURCE_NONE;
	for (unsigned i = 0; i < DECISIONS_MAX; i++) {
		if (rx->decoder != NULL && rx->decoder->fifo_count >= samples)
			break;
		const struct jitter_decision decision =
		        jitter_next(&rx->jitter, pending_rtp(rx), now_us);
		switch (decision.action) {
		case JITTER_WAIT:
			return source;
		case JITTER_COMFORT:
			rx->comfort = true;
			rx->comfort_level = decision.payload[0] & 0x7F;
			continue;
		case JITTER_CONCEAL:
			if (rx->decoder == NULL)
				return source;
			break;
		case JITTER_DECODE:
		case JITTER_FEC:
			rx->comfort = false;
			if (decoder_for(rx, decision.tag, decision.fresh) == NULL)
				return source;
			break;
		}
		rx->used_us = now_us;
		const bool own = decode(rx, &decision);
		if (!own)
			source = AUDIO_SOURCE_LOST;
		else if (source == AUDIO_SOURCE_NONE)
			source = AUDIO_SOURCE_VOICE;
	}
	return source;
}

/* More or less delay, by a pitch period of what is about to be played. */
static void
adjust(struct audio_receiver *rx, const struct jitter_stretch *stretch)
{
	struct audio_decoder *decoder = rx->decoder;
	const uint32_t most = stretch->rtp_max * samples_per_tick(rx);
	if (decoder == NULL || decoder->fifo_count < TIME_STRETCH_SAMPLES_MIN)
		return;
	if (rx->since_stretch < UINT8_MAX)
		rx->since_stretch++;
	if (!stretch->hurry && rx->since_stretch < SHORTEN_EVERY)
		return;

	size_t changed = 0;
	if (stretch->adjust == JITTER_SHORTEN) {
		const size_t spare = decoder->fifo_count - AUDIO_FRAME_SAMPLES;
		changed = time_stretch_shorten(decoder->fifo, decoder->fifo_count,
		                               most < spare ? most : spare, stretch->hurry);
		decoder->fifo_count = (uint16_t)(decoder->fifo_count - changed);
		rx->stats.samples_shortened += changed;
	} else if (stretch->adjust == JITTER_LENGTHEN &&
	           decoder->fifo_count + TIME_STRETCH_LAG_MAX <= AUDIO_FIFO_SAMPLES) {
		changed = time_stretch_lengthen(decoder->fifo, decoder->fifo_count, most,
		                                stretch->hurry);
		decoder->fifo_count = (uint16_t)(decoder->fifo_count + changed);
		rx->stats.samples_lengthened += changed;
	}
	if (changed != 0)
		rx->since_stretch = 0;
}

/* The pause: noise as it was described, else what the decoder makes of it for a moment. */
static enum audio_source
fill_pause(struct audio_receiver *rx, int16_t *pcm, size_t samples, int64_t now_us)
{
	struct audio_decoder *decoder = rx->decoder;
	if (decoder != NULL && rx->comfort) {
		audio_decode_comfort(decoder, rx->comfort_level, pcm, samples);
		rx->stats.frames_comfort++;
		return AUDIO_SOURCE_COMFORT;
	}
	if (decoder != NULL && samples == AUDIO_FRAME_SAMPLES && now_us - rx->used_us < TAIL_US) {
		audio_decode_conceal(decoder, pcm, samples);
		rx->stats.frames_comfort++;
		return AUDIO_SOURCE_COMFORT;
	}
	memset(pcm, 0, samples * sizeof *pcm);
	return AUDIO_SOURCE_NONE;
}

static void
give_back(struct audio_receiver *rx, int64_t now_us)
{
	if (rx->decoder != NULL && now_us - rx->used_us >= AUDIO_RECEIVER_REST_US) {
		rest(rx);
		rx->comfort = false;
	}
}

enum audio_source
audio_receiver_pull(struct audio_receiver *rx, int16_t pcm[AUDIO_FRAME_SAMPLES], int64_t now_us)
{
	enum audio_source source = AUDIO_SOURCE_NONE;
	size_t got = 0;

	if (rx->jitter.pool != NULL) {
		const struct jitter_stretch stretch =
		        jitter_stretch(&rx->jitter, pending_rtp(rx), now_us);
		const bool more = stretch.adjust == JITTER_SHORTEN && stretch.spare;
		source = fill(rx, AUDIO_FRAME_SAMPLES + (more ? TIME_STRETCH_LAG_MAX : 0), now_us);
		if (source == AUDIO_SOURCE_VOICE && stretch.adjust != JITTER_KEEP)
			adjust(rx, &stretch);
	}
	struct audio_decoder *decoder = rx->decoder;
	if (decoder != NULL) {
		const size_t there = decoder->fifo_count;
		got = there < AUDIO_FRAME_SAMPLES ? there : AUDIO_FRAME_SAMPLES;
		memcpy(pcm, decoder->fifo, got * sizeof *pcm);
		memmove(decoder->fifo, decoder->fifo + got, (there - got) * sizeof *pcm);
		decoder->fifo_count = (uint16_t)(there - got);
	}
	if (got < AUDIO_FRAME_SAMPLES) {
		const enum audio_source rest_of_it =
		        fill_pause(rx, pcm + got, AUDIO_FRAME_SAMPLES - got, now_us);
		source = got != 0 ? source : rest_of_it;
	}
	if (!rx->level_from_header)
		rx->level = source == AUDIO_SOURCE_NONE ? AUDIO_LEVEL_SILENCE
		                                        : audio_level_of(pcm, AUDIO_FRAME_SAMPLES);
	give_back(rx, now_us);
	return source;
}

void
audio_receiver_skip(struct audio_receiver *rx, int64_t now_us)
{
	if (rx->jitter.pool != NULL)
		jitter_skip(&rx->jitter, now_us);
	if (rx->decoder != NULL)
		rx->decoder->fifo_count = 0;
	give_back(rx, now_us);
}

bool
audio_receiver_position(const struct audio_receiver *rx, int64_t now_us,
                        struct jitter_position *out)
{
	return rx->jitter.pool != NULL &&
	       jitter_position(&rx->jitter, pending_rtp(rx), now_us, out);
}

uint8_t
audio_receiver_level(const struct audio_receiver *rx, int64_t now_us)
{
	const bool fresh = rx->jitter.pool != NULL && now_us - rx->heard_us < LEVEL_FRESH_US;
	return fresh ? rx->level : AUDIO_LEVEL_SILENCE;
}

bool
audio_receiver_may_skip(const struct audio_receiver *rx)
{
	return rx->level_from_header || rx->jitter.pool == NULL;
}

void
audio_receiver_dump(const struct audio_receiver *rx, struct writer *w)
{
	const struct jitter_stats *stats = &rx->jitter.stats;
	writer_format(w,
	              "codec=%s level=%u delay_ms=%d target_ms=%d buffered=%u decoded=%llu "
	              "recovered=%llu concealed=%llu skipped=%llu late=%llu duplicate=%llu "
	              "underruns=%llu restarts=%llu shortened=%llu lengthened=%llu rejected=%llu",
	              rx->decoder != NULL ? audio_codec_info((enum audio_codec)rx->codec)->name
	                                  : "-",
	              rx->level, stats->delay_us / 1000, stats->target_us / 1000, rx->jitter.count,
	              (unsigned long long)stats->decoded, (unsigned long long)stats->recovered,
	              (unsigned long long)stats->concealed, (unsigned long long)stats->skipped,
	              (unsigned long long)stats->verdicts[JITTER_LATE],
	              (unsigned long long)stats->verdicts[JITTER_DUPLICATE],
	              (unsigned long long)stats->underruns, (unsigned long long)stats->restarts,
	              (unsigned long long)rx->stats.samples_shortened,
	              (unsigned long long)rx->stats.samples_lengthened,
	              (unsigned long long)rx->stats.rejected);
}
