/* SPDX-License-Identifier: Apache-2.0 */
/* Each decoder with any packet: it gives as many samples as the packet says, or a reject.
 *
 * Input: packets as one byte of codec and operation, two of length, and the payload. */
#include "audio/audio_codec.h"
#include "base/bytes.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	PACKETS_MAX = 64,
};

static void
one_packet(const struct audio_codec_pool *pool, struct audio_decoder *decoder,
           enum audio_codec codec, unsigned operation, const uint8_t *payload, size_t len)
{
	static int16_t pcm[AUDIO_PACKET_SAMPLES_MAX];
	const int expected = audio_packet_samples(codec, payload, len);
	(void)audio_packet_has_fec(codec, payload, len);
	CHECK(audio_packet_level(codec, payload, len) <= AUDIO_LEVEL_SILENCE);
	CHECK(expected < 0 || expected <= AUDIO_PACKET_SAMPLES_MAX);
	if (operation == 1 && expected > 0) {
		audio_decode_fec(decoder, payload, len, pcm, AUDIO_FRAME_SAMPLES);
		return;
	}
	if (operation == 2)
		audio_decode_conceal(decoder, pcm, AUDIO_FRAME_SAMPLES);
	if (operation == 3)
		audio_decoder_reset(pool, decoder);
	const int got = audio_decode(decoder, payload, len, pcm);
	CHECK(got == expected || got < 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct audio_codec_pool *pool;
	struct audio_decoder *decoders[AUDIO_CODECS] = { NULL };
	if (pool == NULL) {
		const struct audio_codec_pool_settings settings = { .opus_decoders_max = 1,
			                                            .plain_decoders_max = 3 };
		CHECK(audio_codec_pool_create(&pool, &settings) == 0);
	}
	for (unsigned c = AUDIO_CODEC_OPUS; c < AUDIO_CODECS; c++) {
		decoders[c] = audio_decoder_take(pool, (enum audio_codec)c);
		CHECK(decoders[c] != NULL);
	}
	struct reader r = reader_of(bytes, len);
	for (unsigned i = 0; i < PACKETS_MAX && reader_left(&r) != 0; i++) {
		const uint8_t head = reader_u8(&r);
		const unsigned codec = AUDIO_CODEC_OPUS + head % (AUDIO_CODECS - AUDIO_CODEC_OPUS);
		size_t want = reader_u16(&r);
		if (want > reader_left(&r))
			want = reader_left(&r);
		const uint8_t *payload = reader_take(&r, want);
		if (payload == NULL)
			break;
		one_packet(pool, decoders[codec], (enum audio_codec)codec, head >> 6, payload,
		           want);
	}
	for (unsigned c = AUDIO_CODEC_OPUS; c < AUDIO_CODECS; c++)
		audio_decoder_put(pool, decoders[c]);
	return 0;
}
