/* SPDX-License-Identifier: Apache-2.0 */
/* Packets in and out of a leg: demultiplexing, RTP and RTCP; and what the SDP said about them. */
#include <stdlib.h>
#include <string.h>

#include "stun/stun_msg.h"
#include "worker/media_internal.h"

enum {
	LOSS_ALL_Q8 = 256,
	/* RTP time begins here at random (RFC 3550 s5.1), but not near its end: that of pictures would
	 * come round after 13 hours. */
	EPOCH_MS_MIN = 2 * 1000,
	EPOCH_MS_SPAN = 4 * 3600 * 1000,
	/* Receivers want two reports of a stream before they believe its clock. */
	EARLY_REPORTS = 2,
	EARLY_REPORT_US = 250 * 1000,
};

/* ---- Sending ------------------------------------------------------------------------------- */

unsigned
transport_socket(const struct media_leg *leg)
{
	return leg->open.transport == MEDIA_TRANSPORT_SHARED ? leg->shared_socket
	                                                     : MEDIA_SOCKET_RTP;
}

void
transport_emit(struct media *media, const struct media_leg *leg, unsigned socket,
     const struct net_addr *to, const uint8_t *bytes, size_t len)
{
	media->counters.packets_out++;
	media->settings.sink.send(media->settings.sink.context, socket, leg->id, to, bytes, len);
}

const struct net_addr *
transport_remote(const struct media_leg *leg)
{
	return leg->ice_used ? ice_lite_remote(&leg->ice) : rtp_source_remote(&leg->source);
}

static void
meter(struct span_meter *rate, size_t len, int64_t now_us)
{
	rate->bytes += len;
	const int64_t span_us = now_us - rate->since_us;
	if (span_us < STATS_SPAN_US)
		return;
	rate->bps = (uint32_t)((int64_t)(rate->bytes * 8) * 1000000 / span_us);
	rate->bytes = 0;
	rate->since_us = now_us;
}

uint32_t
transport_rtp_at(const struct media_leg *leg, uint32_t clock_hz, int64_t us)
{
	return rtp_of_us(us + leg->epoch_us, clock_hz);
}

/* RFC 3550 s6.2: to one receiver the first report may go at once. */
void
transport_report_soon(struct media *media, struct media_leg *leg, int64_t now_us)
{
	leg->early_reports = EARLY_REPORTS;
	leg->report_us = now_us;
	media_leg_arm(media, leg, now_us);
}

void
transport_send(struct media *media, struct media_leg *leg, uint8_t payload_type, bool marker,
               uint32_t timestamp_rtp, const uint8_t *payload, size_t len, int64_t now_us)
{
	const struct net_addr *to = transport_remote(leg);
	if (to == NULL || (leg->security != MEDIA_SECURITY_NONE && leg->srtp_tx == NULL))
		return;
	struct writer w = writer_of(media->packet, sizeof media->packet - SRTP_RTP_OVERHEAD_MAX);
	struct rtp_header header = { .payload_type = payload_type,
		                     .marker = marker,
		                     .timestamp_rtp = timestamp_rtp };
	const bool first = !leg->send.started;
	rtp_send_next(&leg->send, &header, len, now_us);
	rtp_write_header(&w, &header);
	writer_bytes(&w, payload, len);
	CHECK(!w.failed);
	size_t packet_len = w.at;
	if (leg->srtp_tx != NULL &&
	    srtp_rtp_protect(leg->srtp_tx, media->packet, &packet_len, sizeof media->packet) !=
	            SRTP_OK)
		return;
	meter(&leg->rate_tx, packet_len, now_us);
	transport_emit(media, leg, transport_socket(leg), to, media->packet, packet_len);
	if (leg->video != NULL)
		video_sound_sent(leg, packet_len, now_us);
	if (first && leg->delay.wanted)
		transport_report_soon(media, leg, now_us);
	if (leg->ice_used)
		ice_lite_sent(&leg->ice, now_us);
}

void
transport_heard(struct media_leg *leg, int64_t now_us)
{
	leg->heard_us = now_us;
	if (leg->open.transport == MEDIA_TRANSPORT_PORTS)
		ice_lite_heard(&leg->ice, now_us);
}

/* ---- RTP in -------------------------------------------------------------------------------- */

static const struct media_payload *
payload_of(const struct media_leg *leg, uint8_t payload_type)
{
	for (unsigned i = 0; i < leg->audio.rx_count; i++)
		if (leg->audio.rx[i].payload_type == payload_type)
			return &leg->audio.rx[i];
	return NULL;
}

static void
drain_dtmf(struct media *media, struct media_leg *leg)
{
	for (struct dtmf_event event; (event = dtmf_receive_poll(&leg->dtmf_rx)).kind != DTMF_NONE;)
		if (event.kind == DTMF_PRESSED)
			media_event(media, leg, MEDIA_EVENT_LEG_DTMF, 0, (uint8_t)event.digit);
}

static void
input_dtmf(struct media *media, struct media_leg *leg, const struct rtp_packet *packet,
           const struct media_payload *payload, int64_t now_us)
{
	const uint32_t clock_hz = (uint32_t)payload->rate_khz * 1000;
	if (leg->dtmf_rx.clock_hz != clock_hz)
		dtmf_receive_init(&leg->dtmf_rx, clock_hz);
	dtmf_receive_input(&leg->dtmf_rx, packet->timestamp_rtp, packet->marker,
	                   rtp_payload(packet), packet->payload_len, now_us);
	drain_dtmf(media, leg);
	media_leg_arm(media, leg, now_us);
}

/* The address and SSRC rules.  Retransmissions have an SSRC of their own: without SRTP only their
 * address speaks for them. */
static bool
source_takes(struct media_leg *leg, const struct net_addr *from, const struct rtp_packet *packet,
             int64_t now_us)
{
	const struct rtp_source_packet source = { .from = from,
		                                  .ssrc = packet->ssrc,
		                                  .seq = packet->seq,
		                                  .authentic = leg->srtp_rx != NULL };
	if (leg->video != NULL && leg->source.policy == RTP_SOURCE_PLAIN &&
	    video_is_rtx(leg, packet->payload_type))
		return leg->source.locked && addr_eq(from, &leg->source.remote);
	const enum rtp_source_verdict verdict = rtp_source_input(&leg->source, &source, now_us);
	return verdict != RTP_SOURCE_WAIT && verdict != RTP_SOURCE_STRANGER;
}

/* Another SSRC of sound is counted anew. */
static void
sound_ssrc(struct media_leg *leg, uint32_t ssrc)
{
	if (leg->rx_ssrc == ssrc && leg->receive.clock_hz != 0)
		return;
	leg->rx_ssrc = ssrc;
	rtp_receive_init(&leg->receive, leg->receive.clock_hz);
	leg->last_sr = (struct rtcp_last_sr){ 0 };
	leg->clock = (struct sender_clock){ 0 };
}

static void
input_rtp(struct media *media, struct media_leg *leg, const struct net_addr *from, uint8_t *bytes,
          size_t len, int64_t now_us)
{
	struct rtp_packet packet;
	if (!leg->has_transport || (leg->security != MEDIA_SECURITY_NONE && leg->srtp_rx == NULL)) {
		leg->rejected++;
		return;
	}
	const size_t wire_len = len;
	if ((leg->srtp_rx != NULL && srtp_rtp_unprotect(leg->srtp_rx, bytes, &len) != SRTP_OK) ||
	    rtp_parse(&packet, bytes, len) != RTP_OK || !source_takes(leg, from, &packet, now_us)) {
		leg->rejected++;
		return;
	}
	transport_heard(leg, now_us);
	if (leg->video != NULL && video_input(media, leg, &packet, wire_len, now_us))
		return;
	meter(&leg->rate_rx, wire_len, now_us);
	sound_ssrc(leg, packet.ssrc);
	const struct media_payload *payload = payload_of(leg, packet.payload_type);
	const bool event = payload != NULL && payload->codec == MEDIA_CODEC_TELEPHONE_EVENT;
	if (payload != NULL && !event)
		leg->receive.clock_hz = sound_clock_hz(payload->codec);
	const enum rtp_verdict verdict = rtp_receive_input(&leg->receive, &packet, now_us);
	if (verdict == RTP_VERDICT_DUPLICATE || verdict == RTP_VERDICT_OLD ||
	    verdict == RTP_VERDICT_JUMP)
		return;
	if (leg->video != NULL && video_data_input(media, leg, &packet))
		return;
	if (payload == NULL)
		return;
	if (event)
		input_dtmf(media, leg, &packet, payload, now_us);
	else
		leg->rx_codec = payload->codec;

	struct rtp_audio_level level;
	struct audio_packet audio = {
		.ssrc = packet.ssrc,
		.timestamp_rtp = packet.timestamp_rtp,
		.sequence = packet.seq,
		.payload_type = packet.payload_type,
		.payload = rtp_payload(&packet),
		.len = packet.payload_len,
	};
	if (rtp_audio_level(&packet, leg->audio.level_ext_id, &level)) {
		audio.has_level = true;
		audio.level = level.below_full_db;
	}
	(void)audio_receiver_input(&leg->rx, &audio, now_us);
}

/* ---- All that arrives ---------------------------------------------------------------------- */

static struct media_leg *
leg_of_datagram(const struct media *media, unsigned socket, media_leg_id id,
                const struct net_addr *from, const uint8_t *bytes, size_t len)
{
	if (socket < MEDIA_SOCKET_SHARED)
		return media_leg_get(media, id);
	if (rtp_kind_of(bytes, len) != RTP_KIND_STUN)
		return path_leg_by_source(media, from);
	struct media_leg *leg = stun_peek(bytes, len)
	                                ? path_leg_by_username(media, stun_peek_username(bytes, len))
	                                : NULL;
	return leg != NULL && leg->open.transport == MEDIA_TRANSPORT_SHARED ? leg : NULL;
}

void
media_input(struct media *media, unsigned socket, media_leg_id id,
            const struct net_addr *from, uint8_t *bytes, size_t len, int64_t now_us)
{
	media->now_us = now_us;
	media->counters.packets_in++;
	struct media_leg *leg = leg_of_datagram(media, socket, id, from, bytes, len);
	if (leg == NULL) {
		media->counters.rejected++;
		return;
	}
	check_context("leg", leg->id);
	const uint64_t rejected = leg->rejected;
	switch (rtp_kind_of(bytes, len)) {
	case RTP_KIND_STUN:
		path_input_stun(media, leg, socket, from, bytes, len, now_us);
		break;
	case RTP_KIND_DTLS:
		path_input_dtls(media, leg, from, bytes, len, now_us);
		break;
	case RTP_KIND_RTP:
		input_rtp(media, leg, from, bytes, len, now_us);
		break;
	case RTP_KIND_RTCP:
		transport_input_rtcp(media, leg, from, bytes, len, now_us);
		break;
	case RTP_KIND_CHANNEL:
	case RTP_KIND_UNKNOWN:
		leg->rejected++;
		break;
	}
	media->counters.rejected += leg->rejected - rejected;
}

/* ---- Set-up and end ------------------------------------------------------------------------ */

void
transport_open(struct media *media, struct media_leg *leg, struct media_opened *opened,
               int64_t now_us)
{
	opened->local_rtp = leg->local_rtp;
	opened->local_rtcp = leg->local_rtp;
	if (leg->open.transport == MEDIA_TRANSPORT_PORTS)
		opened->local_rtcp.port++;
	path_make_credentials(media, leg, opened);
	const struct ice_lite_settings ice = {
		.local_ufrag = str_of(opened->ice_ufrag),
		.local_pwd = str_of(opened->ice_pwd),
		.silence_us_max = media->settings.consent_us_max,
		.tid_seed = prng_u64(&media->prng),
	};
	ice_lite_init(&leg->ice, &ice, now_us);
	if (leg->open.ice && leg->open.transport == MEDIA_TRANSPORT_PORTS) {
		leg->ice_rtcp = calloc(1, sizeof *leg->ice_rtcp);
		if (leg->ice_rtcp != NULL)
			ice_lite_init(leg->ice_rtcp, &ice, now_us);
	}
	leg->shared_socket = MEDIA_SOCKET_SHARED;
	leg->heard_us = now_us;
	leg->rate_rx.since_us = now_us;
	leg->rate_tx.since_us = now_us;
	rtp_send_init(&leg->send, prng_u32(&media->prng), AUDIO_RATE_HZ,
	              (uint16_t)prng_u32(&media->prng));
	/* The clock begins with the leg, at a random moment and with a frame. */
	leg->epoch_us = (EPOCH_MS_MIN + (int64_t)prng_below(&media->prng, EPOCH_MS_SPAN)) * 1000 -
	                now_us / MEDIA_FRAME_US * MEDIA_FRAME_US;
	rtp_receive_init(&leg->receive, AUDIO_RATE_HZ);
	const struct rtcp_timing_settings rtcp = { .bandwidth_bps = 64000 };
	rtcp_timing_init(&leg->rtcp, &rtcp, prng_u32(&media->prng), now_us);
	rtcp_timing_members(&leg->rtcp, 2, 2, true, now_us);
	const struct net_addr nowhere = { 0 };
	rtp_source_init(&leg->source, RTP_SOURCE_PLAIN, &nowhere, now_us);
}

static enum rtp_source_policy
policy_of(const struct media_transport_settings *settings)
{
	if (settings->security != MEDIA_SECURITY_NONE)
		return RTP_SOURCE_SRTP;
	return settings->ice ? RTP_SOURCE_ICE : RTP_SOURCE_PLAIN;
}

static void
set_sdes(struct media *media, struct media_leg *leg,
         const struct media_transport_settings *settings)
{
	const enum srtp_suite tx = (enum srtp_suite)settings->sdes_suite_tx;
	const enum srtp_suite rx = (enum srtp_suite)settings->sdes_suite_rx;
	/* The same keys again must go on with their counters: a fresh session would use key stream
	 * twice. */
	if (leg->srtp_tx != NULL &&
	    memcmp(leg->sdes_key_tx, settings->sdes_key_tx, MEDIA_SDES_KEY_MAX) == 0 &&
	    memcmp(leg->sdes_key_rx, settings->sdes_key_rx, MEDIA_SDES_KEY_MAX) == 0)
		return;
	memcpy(leg->sdes_key_tx, settings->sdes_key_tx, MEDIA_SDES_KEY_MAX);
	memcpy(leg->sdes_key_rx, settings->sdes_key_rx, MEDIA_SDES_KEY_MAX);
	if (!path_make_srtp(leg, tx, leg->sdes_key_tx, leg->sdes_key_tx + srtp_suite_info(tx)->key_bytes,
	               rx, leg->sdes_key_rx, leg->sdes_key_rx + srtp_suite_info(rx)->key_bytes))
		media_leg_lost(media, leg, MEDIA_LOST_DTLS);
}

void
transport_set(struct media *media, struct media_leg *leg,
              const struct media_transport_settings *settings, int64_t now_us)
{
	const bool same_dtls = leg->dtls != NULL && settings->security == MEDIA_SECURITY_DTLS &&
	                       memcmp(leg->fingerprint, settings->fingerprint,
	                              sizeof leg->fingerprint) == 0;
	leg->ice_used = settings->ice;
	leg->rtcp_mux = settings->rtcp_mux;
	leg->security = settings->security;
	leg->remote_rtcp = settings->remote_rtcp;
	if (!leg->has_transport)
		rtp_source_init(&leg->source, policy_of(settings), &settings->remote_rtp, now_us);
	else if (!settings->ice)
		rtp_source_signal(&leg->source, &settings->remote_rtp, now_us);
	leg->source.policy = policy_of(settings);
	rtp_source_hint(&leg->source, &settings->signalling);
	leg->has_transport = true;
	leg->heard_us = now_us;

	switch ((enum media_security)settings->security) {
	case MEDIA_SECURITY_NONE:
		path_drop_dtls(leg);
		path_drop_srtp(leg);
		break;
	case MEDIA_SECURITY_SDES:
		path_drop_dtls(leg);
		set_sdes(media, leg, settings);
		break;
	case MEDIA_SECURITY_DTLS:
		if (!same_dtls)
			path_start_dtls(media, leg, settings, now_us);
		return;
	}
	if (!settings->ice || ice_lite_remote(&leg->ice) != NULL)
		path_connected(media, leg);
}

void
transport_restart(struct media_leg *leg, const struct media_restart *restart, int64_t now_us)
{
	const struct str ufrag = str_of(restart->ice_ufrag);
	const struct str pwd = str_of(restart->ice_pwd);
	ice_lite_restart(&leg->ice, ufrag, pwd, now_us);
	if (leg->ice_rtcp != NULL)
		ice_lite_restart(leg->ice_rtcp, ufrag, pwd, now_us);
}

void
transport_audio(struct media_leg *leg, int64_t now_us)
{
	/* Some peers take keys at 8 kHz only, beside Opus: they count their length by that. */
	const uint32_t dtmf_hz = (uint32_t)leg->audio.tx_dtmf_khz * 1000;
	leg->send.clock_hz = sound_clock_hz(leg->audio.tx_codec);
	if (leg->audio.tx_dtmf_payload_type != 0 && leg->dtmf_tx.clock_hz != dtmf_hz)
		dtmf_send_init(&leg->dtmf_tx, dtmf_hz);
	leg->heard_us = now_us;
}

/* A peer that talks and listens is missed when it falls silent.  One that has put us on hold may say
 * nothing for as long as it likes; then SIP's session timer watches over it.  Legs with pictures
 * alone are never missed: a room that stops its camera keeps its call, and sound watches over it. */
static bool
watches_silence(const struct media *media, const struct media_leg *leg)
{
	return leg->has_transport && !leg->ice_used && !leg->lost &&
	       media->settings.silence_us_max != 0 && leg->audio.receive && leg->audio.send;
}

static bool
uses_ice(const struct media_leg *leg)
{
	return leg->open.transport == MEDIA_TRANSPORT_SHARED || leg->ice_used;
}

void
transport_tick(struct media *media, struct media_leg *leg, int64_t now_us)
{
	if (uses_ice(leg) && ice_lite_deadline(&leg->ice) <= now_us) {
		ice_lite_tick(&leg->ice, now_us);
		path_drain_ice(media, leg, transport_socket(leg), now_us);
	}
	if (leg->ice_used && leg->ice_rtcp != NULL &&
	    ice_lite_deadline(leg->ice_rtcp) <= now_us) {
		ice_lite_tick(leg->ice_rtcp, now_us);
		path_drain_ice(media, leg, MEDIA_SOCKET_RTCP, now_us);
	}
	if (leg->dtls != NULL && dtls_deadline(leg->dtls) <= now_us) {
		dtls_tick(leg->dtls, now_us);
		path_drain_dtls(media, leg, now_us);
	}
	if (leg->connected && leg->early_reports != 0 && leg->report_us <= now_us) {
		leg->early_reports--;
		leg->report_us = now_us + EARLY_REPORT_US;
		transport_report(media, leg, now_us);
	}
	if (leg->connected && rtcp_timing_deadline(&leg->rtcp) <= now_us &&
	    rtcp_timing_due(&leg->rtcp, prng_u32(&media->prng), now_us))
		transport_report(media, leg, now_us);
	if (dtmf_receive_deadline(&leg->dtmf_rx) <= now_us) {
		dtmf_receive_tick(&leg->dtmf_rx, now_us);
		drain_dtmf(media, leg);
	}
	if (leg->video != NULL && leg->connected)
		video_tick(media, leg, now_us);
	if (watches_silence(media, leg) && now_us - leg->heard_us >= media->settings.silence_us_max)
		media_leg_lost(media, leg, MEDIA_LOST_SILENCE);
}

static int64_t
nearer(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
transport_deadline(const struct media *media, const struct media_leg *leg)
{
	int64_t deadline_us = INT64_MAX;
	if (leg->lost)
		return INT64_MAX;
	if (uses_ice(leg))
		deadline_us = nearer(deadline_us, ice_lite_deadline(&leg->ice));
	if (leg->ice_used && leg->ice_rtcp != NULL)
		deadline_us = nearer(deadline_us, ice_lite_deadline(leg->ice_rtcp));
	if (leg->dtls != NULL)
		deadline_us = nearer(deadline_us, dtls_deadline(leg->dtls));
	if (leg->connected)
		deadline_us = nearer(deadline_us, rtcp_timing_deadline(&leg->rtcp));
	if (leg->connected && leg->early_reports != 0)
		deadline_us = nearer(deadline_us, leg->report_us);
	if (leg->video != NULL && leg->connected)
		deadline_us = nearer(deadline_us, video_deadline(leg, media->now_us));
	if (leg->dtmf_rx.clock_hz != 0)
		deadline_us = nearer(deadline_us, dtmf_receive_deadline(&leg->dtmf_rx));
	if (watches_silence(media, leg))
		deadline_us = nearer(deadline_us, leg->heard_us + media->settings.silence_us_max);
	return deadline_us;
}

void
transport_close(struct media *media, struct media_leg *leg, int64_t now_us)
{
	if (leg->connected)
		transport_bye(media, leg, now_us);
	path_close(media, leg, now_us);
	if (leg->open.transport == MEDIA_TRANSPORT_PORTS)
		media->settings.sink.ports_close(media->settings.sink.context, leg->id);
}

void
transport_stats(struct media_leg *leg, struct media_stats *stats, int64_t now_us)
{
	const int64_t lost = rtp_receive_lost(&leg->receive);
	/* A meter that nothing feeds would show its last value for ever. */
	meter(&leg->rate_rx, 0, now_us);
	meter(&leg->rate_tx, 0, now_us);
	const int64_t expected = leg->receive.received + (lost > 0 ? lost : 0);
	stats->rx = (struct media_direction_stats){
		.packets = (uint32_t)leg->receive.packets,
		.lost = (uint32_t)(lost > 0 ? lost : 0),
		.bit_rate_bps = leg->rate_rx.bps,
		.jitter_us = rtp_receive_jitter_us(&leg->receive),
		.loss_q16 = (uint16_t)(lost > 0 && expected > 0 ? lost * UINT16_MAX / expected : 0),
		.codec = leg->rx_codec,
	};
	stats->tx = (struct media_direction_stats){
		.packets = (uint32_t)leg->send.packets,
		.lost = (uint32_t)(leg->peer_block.lost > 0 ? leg->peer_block.lost : 0),
		.bit_rate_bps = leg->rate_tx.bps,
		.jitter_us = leg->send.clock_hz != 0
		                     ? (uint32_t)((uint64_t)leg->peer_block.jitter_rtp * 1000000 /
		                                  leg->send.clock_hz)
		                     : 0,
		.loss_q16 = (uint16_t)(leg->peer_block.fraction_lost * UINT16_MAX / LOSS_ALL_Q8),
		.codec = leg->audio.tx_codec,
	};
	stats->rtt_us = (uint32_t)leg->rtt_us;
	stats->concealed_frames =
		(uint32_t)(leg->rx.stats.samples_concealed / AUDIO_FRAME_SAMPLES);
	stats->rejected_packets = (uint32_t)leg->rejected;
	stats->delay_us = (uint32_t)(leg->rx.jitter.stats.delay_us > 0
	                                     ? leg->rx.jitter.stats.delay_us
	                                     : 0);
	stats->gain_cb = (int16_t)(agc_gain_db(&leg->agc) * 10);
	stats->srtp_suite = leg->suite;
}
