/* SPDX-License-Identifier: Apache-2.0 */
/* audio_codec -- Opus (RFC 6716, 7587), G.722, PCMU and PCMA (RFC 3551) behind one interface.
 *
 * A decoder turns packets of any legal duration into 48 kHz PCM, a lost packet into concealment,
 * and comfort noise (RFC 3389) into noise.  An encoder turns frames into payloads.
 *
 * Ownership  States are lent by a per-worker pool, which allocates its slots in one piece at
 *            start.  The system backs a slot with memory when it is first used and the last one
 *            given back is lent first, so `max` may be generous.  Taking a state copies a new one
 *            made at start (4-8 us) where libopus would compute for 30-45 us.
 * Threads    A pool and its states belong to one worker.
 * Units      PCM is 48 kHz mono; `samples` are at 48 kHz.  A payload is what stands behind the RTP
 *            header.  Bit rates are bits a second.
 * Errors     A bad packet gives `enum audio_reject`, negative; the caller conceals in its place.
 *            A full pool gives NULL: conceal or refuse the call.  Pool creation: -ENOMEM.
 * Limits     AUDIO_PACKET_SAMPLES_MAX a packet.  Bytes per state: audio_codec_pool_state_bytes();
 *            on amd64 an Opus decoder is 34 kB (16 of them a receiver's PCM buffer), an Opus
 *            encoder 44 kB, a decoder of the others 19 kB, an encoder of the others 0.6 kB.
 */
#ifndef AUDIO_AUDIO_CODEC_H
#define AUDIO_AUDIO_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/audio.h"

enum audio_codec {
	AUDIO_CODEC_NONE,
	AUDIO_CODEC_OPUS,
	AUDIO_CODEC_G722,
	AUDIO_CODEC_PCMU,
	AUDIO_CODEC_PCMA,
	AUDIO_CODECS,
};

/* What SDP and RTP need to know. */
struct audio_codec_info {
	const char *name; /* as in rtpmap: "opus", "G722", "PCMU", "PCMA" */
	uint32_t clock_hz; /* of RTP timestamps; 8000 for G722 (RFC 3551 s4.5.2) */
	uint32_t rate_hz;  /* of the sound */
	uint8_t channels;  /* in rtpmap: 2 for opus, though we code mono (RFC 7587 s7) */
	uint8_t payload_type; /* static number, or 255 */
};

[[nodiscard]] const struct audio_codec_info *audio_codec_info(enum audio_codec codec);

enum audio_reject {
	AUDIO_REJECT_EMPTY = -1,  /* no payload */
	AUDIO_REJECT_LENGTH = -2, /* longer than a packet may last, or not whole milliseconds */
	AUDIO_REJECT_BROKEN = -3, /* the Opus framing or its content is wrong */
};

/* ---- pool ---- */

struct audio_codec_pool;
struct audio_decoder;
struct audio_encoder;

struct audio_codec_pool_settings {
	uint32_t opus_decoders_max; /* legs heard at once; a leg that never talks takes none */
	uint32_t opus_encoders_max; /* (mixes + talkers), not legs */
	uint32_t plain_decoders_max; /* G.711 and G.722 */
	uint32_t plain_encoders_max;
};

[[nodiscard]] int audio_codec_pool_create(struct audio_codec_pool **pool,
                                          const struct audio_codec_pool_settings *settings);
void audio_codec_pool_destroy(struct audio_codec_pool *pool);

enum audio_state_kind {
	AUDIO_STATE_OPUS_DECODER,
	AUDIO_STATE_OPUS_ENCODER,
	AUDIO_STATE_PLAIN_DECODER,
	AUDIO_STATE_PLAIN_ENCODER,
	AUDIO_STATE_KINDS,
};

[[nodiscard]] size_t audio_codec_pool_state_bytes(enum audio_state_kind kind);
[[nodiscard]] uint32_t audio_codec_pool_used(const struct audio_codec_pool *pool,
                                             enum audio_state_kind kind);

/* ---- decoding ---- */

[[nodiscard]] struct audio_decoder *audio_decoder_take(struct audio_codec_pool *pool,
                                                       enum audio_codec codec);
void audio_decoder_put(struct audio_codec_pool *pool, struct audio_decoder *decoder);

/* Forgets the past: after a skipped stretch or a new source. */
void audio_decoder_reset(const struct audio_codec_pool *pool, struct audio_decoder *decoder);

/* How long a packet lasts, without decoding it: samples, or a reject.  1..120 ms in steps of 1 ms
 * for G.711 and G.722, what RFC 6716 allows for Opus. */
[[nodiscard]] int audio_packet_samples(enum audio_codec codec, const uint8_t *payload, size_t len);

/* Does an Opus packet carry a second, coarse copy of the packet before it (in-band FEC)? */
[[nodiscard]] bool audio_packet_has_fec(enum audio_codec codec, const uint8_t *payload, size_t len);

/* The level of a G.711 payload without decoding it, or -1 for the other codecs. */
[[nodiscard]] int audio_packet_level(enum audio_codec codec, const uint8_t *payload, size_t len);

/* Samples written into `pcm` (AUDIO_PACKET_SAMPLES_MAX fit), or a reject. */
[[nodiscard]] int audio_decode(struct audio_decoder *decoder, const uint8_t *payload, size_t len,
                               int16_t *pcm);

/* The lost packet before `payload` from its FEC; without FEC in it, concealment. */
void audio_decode_fec(struct audio_decoder *decoder, const uint8_t *payload, size_t len,
                      int16_t *pcm, size_t samples);

/* Sound in place of what was lost: goes on as it was, then fades (within 60 ms for G.711 and G.722;
 * Opus fades speech to the background it has heard).  `samples` is a
 * multiple of 120 (2.5 ms), at most AUDIO_PACKET_SAMPLES_MAX, here and for FEC. */
void audio_decode_conceal(struct audio_decoder *decoder, int16_t *pcm, size_t samples);

/* Noise at an RFC 3389 level, in place of a pause. */
void audio_decode_comfort(struct audio_decoder *decoder, uint8_t level, int16_t *pcm,
                          size_t samples);

/* ---- encoding ---- */

/* What an encode is made for.  Opus reads all of it, the other codecs nothing. */
struct audio_quality {
	uint32_t bitrate_bps; /* 0: 32,000 */
	uint8_t complexity;   /* 0..10 */
	uint8_t loss_pct;     /* worst loss among the listeners of this encode */
	bool dtx;             /* say nothing while there is nothing to say */
};

/* The good and cheap choice for a mix heard by listeners who lose `loss_pct` of it.  Below
 * AUDIO_FEC_LOSS_PCT that is CELT, which has no FEC but costs a third of SILK. */
enum {
	AUDIO_FEC_LOSS_PCT = 3,
};

[[nodiscard]] struct audio_quality audio_quality_for(uint8_t loss_pct);

[[nodiscard]] struct audio_encoder *audio_encoder_take(struct audio_codec_pool *pool,
                                                       enum audio_codec codec,
                                                       const struct audio_quality *quality);
void audio_encoder_put(struct audio_codec_pool *pool, struct audio_encoder *encoder);

/* Changes take effect with the next frame, without a click. */
void audio_encoder_set(struct audio_encoder *encoder, const struct audio_quality *quality);

/* Codes 10 ms, or a multiple of 20 ms up to 120.  Returns the payload's bytes; 0 means that DTX has
 *  nothing to send for this frame. `out` holds AUDIO_PAYLOAD_BYTES_MAX. */
[[nodiscard]] size_t audio_encode(struct audio_encoder *encoder, const int16_t *pcm, size_t samples,
                                  uint8_t *out);

/* 20 ms of silence as a ready payload: what a room in which nobody talks sends without any
 * encoder.  Static storage. */
[[nodiscard]] const uint8_t *audio_silence_payload(enum audio_codec codec, size_t *len);

#endif
