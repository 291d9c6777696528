/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/wav.h"

#include <string.h>

#include "audio/g711.h"
#include "base/bytes.h"
#include "base/check.h"

enum {
	CHUNKS_MAX = 64,
	FORMAT_EXTENSIBLE = 0xFFFE,
};

static uint32_t
read_u32_le(struct reader *r)
{
	return __builtin_bswap32(reader_u32(r));
}

static uint16_t
read_u16_le(struct reader *r)
{
	return __builtin_bswap16(reader_u16(r));
}

static enum wav_reject
read_format(struct wav *wav, struct reader r)
{
	uint16_t format = read_u16_le(&r);
	const uint16_t channels = read_u16_le(&r);
	const uint32_t rate_hz = read_u32_le(&r);
	reader_skip(&r, 4 + 2); /* bytes a second, bytes a frame */
	const uint16_t bits = read_u16_le(&r);
	if (format == FORMAT_EXTENSIBLE) {
		reader_skip(&r, 2 + 2 + 4); /* size, valid bits, speakers */
		format = read_u16_le(&r);
	}
	if (r.failed)
		return WAV_REJECT_SHORT;
	const bool known = (format == WAV_PCM16 && bits == 16) ||
	                   ((format == WAV_ALAW || format == WAV_MULAW) && bits == 8);
	if (!known)
		return WAV_REJECT_FORMAT;
	if (channels != 1)
		return WAV_REJECT_STEREO;
	if (rate_hz != 8000 && rate_hz != 16000 && rate_hz != 48000)
		return WAV_REJECT_RATE;
	wav->format = format;
	wav->rate_hz = rate_hz;
	return WAV_OK;
}

static enum wav_reject
read_data(struct wav *wav, const uint8_t *bytes, size_t len)
{
	const size_t sample_bytes = wav->format == WAV_PCM16 ? 2 : 1;
	wav->bytes = bytes;
	wav->samples = len / sample_bytes;
	if (wav->samples == 0)
		return WAV_REJECT_EMPTY;
	if (wav->samples > (size_t)WAV_SECONDS_MAX * wav->rate_hz)
		return WAV_REJECT_LONG;
	return WAV_OK;
}

enum wav_reject
wav_parse(struct wav *out, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct wav wav = { .rate_hz = 0 };

	if (len > WAV_BYTES_MAX)
		return WAV_REJECT_LONG;
	const uint8_t *riff = reader_take(&r, 12);
	if (riff == NULL || memcmp(riff, "RIFF", 4) != 0 || memcmp(riff + 8, "WAVE", 4) != 0)
		return WAV_REJECT_NOT_WAV;

	for (unsigned i = 0; i < CHUNKS_MAX; i++) {
		const uint8_t *id = reader_take(&r, 4);
		const uint32_t size = read_u32_le(&r);
		if (r.failed)
			return wav.rate_hz == 0 && i == 0 ? WAV_REJECT_SHORT : WAV_REJECT_EMPTY;
		const uint8_t *body = reader_take(&r, size);
		if (r.failed)
			return WAV_REJECT_SHORT;

		enum wav_reject reject = WAV_OK;
		if (memcmp(id, "fmt ", 4) == 0) {
			reject = read_format(&wav, reader_of(body, size));
		} else if (memcmp(id, "data", 4) == 0) {
			if (wav.rate_hz == 0)
				return WAV_REJECT_FORMAT; /* the format stands before the data */
			reject = read_data(&wav, body, size);
			if (reject == WAV_OK) {
				*out = wav;
				return WAV_OK;
			}
		}
		if (reject != WAV_OK)
			return reject;
		if (size % 2 != 0 && reader_left(&r) != 0)
			reader_skip(&r, 1);
	}
	return WAV_REJECT_EMPTY;
}

const char *
wav_reject_name(enum wav_reject reject)
{
	static const char *const names[WAV_REJECTS] = {
		[WAV_OK] = "ok",
		[WAV_REJECT_NOT_WAV] = "not a RIFF/WAVE file",
		[WAV_REJECT_SHORT] = "the file ends inside a chunk",
		[WAV_REJECT_FORMAT] = "neither 16-bit PCM nor mu-law or A-law",
		[WAV_REJECT_RATE] = "the rate is not 8, 16 or 48 kHz",
		[WAV_REJECT_STEREO] = "more than one channel",
		[WAV_REJECT_LONG] = "longer than two minutes",
		[WAV_REJECT_EMPTY] = "there is no sound in it",
	};
	CHECK(reject < WAV_REJECTS);
	return names[reject];
}

size_t
wav_read(const struct wav *wav, size_t at, int16_t *out, size_t count)
{
	CHECK(at <= wav->samples);
	if (count > wav->samples - at)
		count = wav->samples - at;
	switch (wav->format) {
	case WAV_PCM16:
		for (size_t i = 0; i < count; i++) {
			const uint8_t *p = wav->bytes + (at + i) * 2;
			out[i] = (int16_t)(uint16_t)(p[0] | p[1] << 8);
		}
		break;
	case WAV_MULAW:
		g711_decode_mulaw(out, wav->bytes + at, count);
		break;
	default:
		CHECK(wav->format == WAV_ALAW);
		g711_decode_alaw(out, wav->bytes + at, count);
		break;
	}
	return count;
}
