/* SPDX-License-Identifier: Apache-2.0 */
/* The sound of a fake client: a tone out, an ear in, as G.711 or Opus, clear or in SRTP. */
#include <math.h>
#include <string.h>

#include "audio/audio_level.h"
#include "sim/sim_internal.h"

enum {
	AMPLITUDE = 6000,
	DIGITS_WAIT_PACKETS = 25, /* nobody types before he is asked */
	DIGIT_PACKETS = 8, /* five of the press, three of its end */
	DIGIT_GAP_PACKETS = 6,
};

void
sim_voice_init(struct sim_voice *voice, struct sim_world *world, const struct net_addr *local,
               double pitch_hz, bool opus)
{
	struct audio_codec_pool *codecs = sim_world_codecs(world);
	const enum audio_codec codec = opus ? AUDIO_CODEC_OPUS : AUDIO_CODEC_PCMU;
	const struct audio_quality quality = audio_quality_for(0);
	*voice = (struct sim_voice){ .world = world, .local = *local, .pitch_hz = pitch_hz,
		                     .opus = opus };
	voice->ssrc = prng_u32(sim_world_prng(world));
	voice->seq = (uint16_t)(prng_u32(sim_world_prng(world)) & 0x7fff);
	voice->encoder = audio_encoder_take(codecs, codec, &quality);
	voice->decoder = audio_decoder_take(codecs, codec);
	CHECK(voice->encoder != NULL && voice->decoder != NULL);
}

static void
drop_keys(struct sim_voice *voice)
{
	srtp_session_destroy(voice->tx);
	srtp_session_destroy(voice->rx);
	voice->tx = NULL;
	voice->rx = NULL;
}

void
sim_voice_fini(struct sim_voice *voice)
{
	struct audio_codec_pool *codecs = sim_world_codecs(voice->world);
	drop_keys(voice);
	audio_encoder_put(codecs, voice->encoder);
	audio_decoder_put(codecs, voice->decoder);
}

void
sim_voice_keys(struct sim_voice *voice, enum srtp_suite suite, const uint8_t *tx_key,
               const uint8_t *tx_salt, const uint8_t *rx_key, const uint8_t *rx_salt)
{
	const struct srtp_settings tx = { .suite = suite, .direction = SRTP_OUTBOUND,
		                          .key = tx_key, .salt = tx_salt };
	const struct srtp_settings rx = { .suite = suite, .direction = SRTP_INBOUND,
		                          .key = rx_key, .salt = rx_salt };
	drop_keys(voice);
	CHECK(srtp_session_create(&voice->tx, &tx) == 0);
	CHECK(srtp_session_create(&voice->rx, &rx) == 0);
	voice->secured = true;
	/* A new key starts a new stream: the old indices mean nothing to it. */
	voice->ssrc++;
}

static void
send_rtp(struct sim_voice *voice, uint8_t payload_type, bool marker, uint32_t timestamp,
         const uint8_t *payload, size_t len, uint8_t level, int64_t now_us)
{
	uint8_t bytes[SIM_DATAGRAM_MAX];
	const struct rtp_ext ext = { .value = &level, .id = voice->level_ext, .len = 1 };
	struct writer w = writer_of(bytes, sizeof bytes - SRTP_RTP_OVERHEAD_MAX);
	const struct rtp_header header = { .payload_type = payload_type,
		                           .marker = marker,
		                           .seq = voice->seq++,
		                           .timestamp_rtp = timestamp,
		                           .ssrc = voice->ssrc,
		                           .exts = &ext,
		                           .ext_count = voice->level_ext != 0 };
	rtp_write_header(&w, &header);
	writer_bytes(&w, payload, len);
	size_t packet_len = w.at;
	CHECK(!w.failed);
	if (voice->tx != NULL)
		CHECK(srtp_rtp_protect(voice->tx, bytes, &packet_len, sizeof bytes) == SRTP_OK);
	sim_net_send(sim_world_net(voice->world), &voice->local, &voice->remote, bytes, packet_len,
	             now_us);
}

static int
event_of(char digit)
{
	return digit == '*' ? 10 : digit == '#' ? 11 : digit - '0';
}

/* One packet of the key being pressed; false when there is none. */
static bool
press(struct sim_voice *voice, int64_t now_us)
{
	if (voice->digits == NULL || *voice->digits == '\0' || voice->dtmf_type == 0)
		return false;
	if (voice->digits_wait_packets < DIGITS_WAIT_PACKETS) {
		voice->digits_wait_packets++;
		return false;
	}
	const unsigned packet = voice->digit_packets++;
	if (packet >= DIGIT_PACKETS) {
		if (packet == DIGIT_PACKETS + DIGIT_GAP_PACKETS) {
			voice->digit_packets = 0;
			voice->digits++;
		}
		return false;
	}
	if (packet == 0)
		voice->digit_timestamp = voice->timestamp;
	const bool end = packet >= DIGIT_PACKETS - 3;
	const unsigned duration = 160 * (end ? DIGIT_PACKETS - 3 : packet + 1);
	const uint8_t payload[] = { (uint8_t)event_of(*voice->digits),
		                    (uint8_t)((end ? 0x80 : 0) | 10), (uint8_t)(duration >> 8),
		                    (uint8_t)duration };
	send_rtp(voice, voice->dtmf_type, packet == 0, voice->digit_timestamp, payload,
	         sizeof payload, 127, now_us);
	return true;
}

static void
speak(struct sim_voice *voice, int64_t now_us)
{
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		voice->phase += 2 * M_PI * voice->pitch_hz / AUDIO_RATE_HZ;
		pcm[i] = voice->muted ? 0 : (int16_t)(AMPLITUDE * sin(voice->phase));
	}
	voice->phase = fmod(voice->phase, 2 * M_PI);
	const size_t len = audio_encode(voice->encoder, pcm, AUDIO_FRAME_SAMPLES, payload);
	const uint8_t level = audio_level_of(pcm, AUDIO_FRAME_SAMPLES);
	if (len != 0 && !press(voice, now_us))
		send_rtp(voice, voice->payload_type, false, voice->timestamp, payload, len,
		         (uint8_t)(level | (voice->muted ? 0 : 0x80)), now_us);
	voice->timestamp += voice->opus ? 960 : 160;
}

void
sim_voice_tick(struct sim_voice *voice, int64_t now_us)
{
	if (!voice->sending || voice->remote.family == ADDR_NONE ||
	    (voice->secured && voice->tx == NULL))
		return;
	if (voice->next_us == 0)
		voice->next_us = now_us;
	while (voice->next_us <= now_us) {
		speak(voice, now_us);
		voice->next_us += AUDIO_FRAME_US;
	}
}

void
sim_voice_input(struct sim_voice *voice, uint8_t *bytes, size_t len)
{
	struct rtp_packet packet;
	int16_t pcm[AUDIO_PACKET_SAMPLES_MAX];
	int16_t low[AUDIO_PACKET_SAMPLES_MAX / 6 + 1];
	if (rtp_kind_of(bytes, len) != RTP_KIND_RTP)
		return;
	if (voice->secured &&
	    (voice->rx == NULL || srtp_rtp_unprotect(voice->rx, bytes, &len) != SRTP_OK))
		return;
	if (rtp_parse(&packet, bytes, len) != RTP_OK || packet.payload_type != voice->payload_type)
		return;
	const int samples =
		audio_decode(voice->decoder, rtp_payload(&packet), packet.payload_len, pcm);
	CHECK(samples > 0);
	/* 48 kHz to 8 kHz by averaging: good enough for tones below 2 kHz. */
	for (int i = 0; i < samples / 6; i++) {
		int sum = 0;
		for (int j = 0; j < 6; j++)
			sum += pcm[6 * i + j];
		low[i] = (int16_t)(sum / 6);
	}
	sim_ear_hear(&voice->ear, low, (size_t)samples / 6);
	voice->received++;
}
