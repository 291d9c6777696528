/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver fed with any sequence of packets, pulls, skips and waits.  Whatever comes: no crash,
 * every chunk and decoder is given back, delay stays bounded, and a frame is a frame.
 *
 * Input: operations of one byte each, the low three bits say which, with operands behind. */
#include <string.h>

#include "audio/audio_receiver.h"
#include "base/bytes.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct audio_format formats[] = {
	{ 0, AUDIO_FORMAT_CODEC, AUDIO_CODEC_PCMU },  { 8, AUDIO_FORMAT_CODEC, AUDIO_CODEC_PCMA },
	{ 9, AUDIO_FORMAT_CODEC, AUDIO_CODEC_G722 },  { 111, AUDIO_FORMAT_CODEC, AUDIO_CODEC_OPUS },
	{ 13, AUDIO_FORMAT_NOISE, AUDIO_CODEC_NONE }, { 101, AUDIO_FORMAT_EVENT, AUDIO_CODEC_NONE },
};

enum {
	OP_NEXT, /* the next packet of a well-behaved sender */
	OP_PACKET,
	OP_PULL,
	OP_SKIP,
	OP_WAIT,
	OP_SOURCE,
	OPS_MAX = 2000,
};

struct run {
	struct audio_receiver rx;
	struct audio_packet packet; /* the last one */
	int64_t now_us;
};

static void
next_packet(struct run *run)
{
	static const uint8_t silence[160] = { 0 };
	static const uint8_t opus[3] = { 0xF8, 0xFF, 0xFE };
	const bool is_opus = run->packet.payload_type == 111;
	run->packet.sequence++;
	run->packet.timestamp_rtp += is_opus ? 960 : 160;
	run->packet.payload = is_opus ? opus : silence;
	run->packet.len = is_opus ? sizeof opus : sizeof silence;
	(void)audio_receiver_input(&run->rx, &run->packet, run->now_us);
}

static void
any_packet(struct run *run, struct reader *r)
{
	run->packet.payload_type = formats[reader_u8(r) % COUNT_OF(formats)].payload_type;
	run->packet.sequence = (uint16_t)(run->packet.sequence + (int8_t)reader_u8(r));
	const uint32_t step = reader_u16(r); /* forwards or backwards */
	run->packet.timestamp_rtp += step < 0x8000 ? step : step - 0x10000;
	const uint8_t flags = reader_u8(r);
	run->packet.has_level = (flags & 1) != 0;
	run->packet.level = flags;
	if ((flags & 2) != 0)
		run->packet.sequence = reader_u16(r);
	if ((flags & 4) != 0)
		run->packet.timestamp_rtp = reader_u32(r);
	size_t want = reader_u8(r);
	if (want > reader_left(r))
		want = reader_left(r);
	run->packet.payload = reader_take(r, want);
	run->packet.len = run->packet.payload != NULL ? want : 0;
	(void)audio_receiver_input(&run->rx, &run->packet, run->now_us);
}

static void
pull(struct run *run)
{
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	memset(pcm, 0x55, sizeof pcm);
	const enum audio_source source = audio_receiver_pull(&run->rx, pcm, run->now_us);
	for (unsigned i = 0; source == AUDIO_SOURCE_NONE && i < AUDIO_FRAME_SAMPLES; i++)
		CHECK(pcm[i] == 0);
	const struct jitter_stats *stats = &run->rx.jitter.stats;
	CHECK(stats->target_us <= 200 * 1000);
	CHECK(run->rx.jitter.count <= JITTER_PACKETS_MAX);
	CHECK(audio_receiver_level(&run->rx, run->now_us) <= AUDIO_LEVEL_SILENCE);
	run->now_us += AUDIO_FRAME_US;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* As a worker does, once; empty again after every input. */
	static struct jitter_pool *chunks;
	static struct audio_codec_pool *codecs;
	static struct run run;
	if (codecs == NULL) {
		const struct audio_codec_pool_settings settings = { .opus_decoders_max = 1,
			                                            .plain_decoders_max = 1 };
		CHECK(jitter_pool_create(&chunks, 40) == 0);
		CHECK(audio_codec_pool_create(&codecs, &settings) == 0);
	}
	memset(&run, 0, sizeof run);
	audio_receiver_init(&run.rx, &(struct audio_receiver_settings){ .codecs = codecs,
	                                                                .chunks = chunks });
	audio_receiver_set_formats(&run.rx, formats, COUNT_OF(formats));

	struct reader r = reader_of(bytes, len);
	for (unsigned i = 0; i < OPS_MAX && reader_left(&r) != 0; i++) {
		const uint8_t op = reader_u8(&r);
		switch (op & 7) {
		case OP_PACKET:
			any_packet(&run, &r);
			break;
		case OP_PULL:
			pull(&run);
			break;
		case OP_SKIP:
			audio_receiver_skip(&run.rx, run.now_us);
			run.now_us += AUDIO_FRAME_US;
			break;
		case OP_WAIT:
			run.now_us += (int64_t)op * op * 100;
			break;
		case OP_SOURCE:
			run.packet.ssrc = reader_u8(&r);
			break;
		default:
			next_packet(&run);
			break;
		}
	}
	audio_receiver_fini(&run.rx);
	CHECK(jitter_pool_used(chunks) == 0);
	for (unsigned kind = 0; kind < AUDIO_STATE_KINDS; kind++)
		CHECK(audio_codec_pool_used(codecs, (enum audio_state_kind)kind) == 0);
	return 0;
}
