/* SPDX-License-Identifier: Apache-2.0 */
/* What a leg's descriptions say, and what the worker is told of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "callbridge/bridge_internal.h"
#include "srtp/srtp.h"

enum {
	MEDIA_AUDIO, /* index in the settings' medias */
	EXT_LEVEL = 0,
	FRAME_MS_USUAL = 20,
	RESTART_UFRAG_BYTES = 6,
	RESTART_RANDOM_BYTES = RESTART_UFRAG_BYTES + 24,
};

enum codec_cap {
	CAP_OPUS,
	CAP_G722,
	CAP_PCMU,
	CAP_PCMA,
	CAP_EVENT_48,
	CAP_EVENT_8,
};

static const struct sdp_codec_cap codecs[] = {
	[CAP_OPUS] = { .name = STR_INIT("opus"), .rate_hz = 48000, .channels = 2, .payload = 111,
	               .fmtp = STR_INIT("minptime=10;useinbandfec=1;stereo=0") },
	[CAP_G722] = { .name = STR_INIT("G722"), .rate_hz = 8000, .channels = 1, .payload = 9 },
	[CAP_PCMU] = { .name = STR_INIT("PCMU"), .rate_hz = 8000, .channels = 1, .payload = 0 },
	[CAP_PCMA] = { .name = STR_INIT("PCMA"), .rate_hz = 8000, .channels = 1, .payload = 8 },
	[CAP_EVENT_48] = { .name = STR_INIT("telephone-event"), .rate_hz = 48000, .channels = 1,
	                   .payload = 110, .fmtp = STR_INIT("0-15") },
	[CAP_EVENT_8] = { .name = STR_INIT("telephone-event"), .rate_hz = 8000, .channels = 1,
	                  .payload = 101, .fmtp = STR_INIT("0-15") },
};

static const struct sdp_media_cap medias[] = {
	[MEDIA_AUDIO] = { .kind = SDP_AUDIO, .direction = SDP_SENDRECV, .codecs = codecs,
	                  .codec_count = COUNT_OF(codecs), .ptime_ms = FRAME_MS_USUAL },
};

static const struct str extensions[] = {
	[EXT_LEVEL] = STR_INIT("urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
};

static const uint8_t media_codecs[] = {
	[CAP_OPUS] = MEDIA_CODEC_OPUS,
	[CAP_G722] = MEDIA_CODEC_G722,
	[CAP_PCMU] = MEDIA_CODEC_PCMU,
	[CAP_PCMA] = MEDIA_CODEC_PCMA,
};

static const uint8_t srtp_suites[SDP_SUITES] = {
	[SDP_SUITE_AES_CM_128_HMAC_SHA1_32] = SRTP_SUITE_AES_CM_128_HMAC_SHA1_32,
	[SDP_SUITE_AES_CM_128_HMAC_SHA1_80] = SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
	[SDP_SUITE_AES_256_CM_HMAC_SHA1_32] = SRTP_SUITE_AES_256_CM_HMAC_SHA1_32,
	[SDP_SUITE_AES_256_CM_HMAC_SHA1_80] = SRTP_SUITE_AES_256_CM_HMAC_SHA1_80,
	[SDP_SUITE_AEAD_AES_256_GCM] = SRTP_SUITE_AEAD_AES_256_GCM,
	[SDP_SUITE_AEAD_AES_128_GCM] = SRTP_SUITE_AEAD_AES_128_GCM,
};

static enum sdp_profile
profile_of(enum leg_kind kind, enum sip_encryption encryption)
{
	if (kind == LEG_WEB)
		return SDP_PROFILE_DTLS;
	switch (encryption) {
	case SIP_ENCRYPTION_REQUIRED:
		return SDP_PROFILE_SDES;
	case SIP_ENCRYPTION_PROHIBITED:
		return SDP_PROFILE_CLEAR;
	case SIP_ENCRYPTION_OPTIONAL:
		break;
	}
	return SDP_PROFILE_BEST_EFFORT;
}

static enum sdp_encryption
encryption_of(enum leg_kind kind, enum sip_encryption encryption)
{
	if (kind == LEG_WEB || encryption == SIP_ENCRYPTION_REQUIRED)
		return SDP_ENCRYPTION_REQUIRED;
	return encryption == SIP_ENCRYPTION_PROHIBITED ? SDP_ENCRYPTION_PROHIBITED
	                                               : SDP_ENCRYPTION_OPTIONAL;
}

int
description_begin(struct bridge *bridge, struct bridge_leg *leg, enum sip_encryption encryption)
{
	const bool secret = encryption != SIP_ENCRYPTION_PROHIBITED;
	leg->sdp_settings = (struct sdp_settings){
		.medias = medias,
		.media_count = COUNT_OF(medias),
		.extensions = extensions,
		.extension_count = COUNT_OF(extensions),
		.encryption = encryption_of(leg->kind, encryption),
		.profile = profile_of(leg->kind, encryption),
		.sdes = leg->kind == LEG_SIP && secret,
		.dtls = leg->kind == LEG_WEB || secret,
		.ice = true,
		.ice_lite = true,
		.bundle = leg->kind == LEG_WEB,
		.rtcp_mux = true,
		.suites = (1u << SDP_SUITES) - 2,
		.user = STR("convoke"),
		.session_id = bridge_random(bridge) >> 2,
	};
	description_end(leg);
	leg->sdp = calloc(1, sizeof *leg->sdp);
	if (leg->sdp == NULL)
		return -ENOMEM;
	sdp_session_init(leg->sdp, &leg->sdp_settings);
	leg->described = false;
	return 0;
}

static void
drop(struct sdp_session **session)
{
	if (*session != NULL)
		sdp_session_fini(*session);
	free(*session);
	*session = NULL;
}

void
description_end(struct bridge_leg *leg)
{
	drop(&leg->sdp);
	drop(&leg->sdp_offered);
}

void
description_settled(struct bridge_leg *leg)
{
	drop(&leg->sdp_offered);
}

/* The facts of one leg's transport, as sdp_session wants them. */
struct transport_facts {
	struct sdp_transport transport;
	struct net_addr candidates[BRIDGE_ADDRESSES_MAX];
	struct net_addr rtcp_candidate;
	uint8_t random[SDP_SDES_RANDOM_BYTES];
};

static void
gather_facts(struct bridge *bridge, const struct bridge_leg *leg, struct transport_facts *facts)
{
	struct sdp_transport *transport = &facts->transport;
	memset(facts, 0, sizeof *facts);
	transport->rtp = leg->local;
	transport->rtp.port = leg->facts.local_rtp.port;
	transport->rtcp = leg->local;
	transport->rtcp.port = leg->facts.local_rtcp.port;
	transport->ice_ufrag = str_of(leg->facts.ice_ufrag);
	transport->ice_pwd = str_of(leg->facts.ice_pwd);
	transport->fingerprint = bridge->settings.fingerprint;
	transport->candidates = facts->candidates;
	if (leg->kind == LEG_WEB) {
		transport->candidate_count = bridge->settings.web_address_count;
		for (unsigned i = 0; i < transport->candidate_count; i++) {
			facts->candidates[i] = bridge->web_addresses[i];
			facts->candidates[i].port = leg->facts.local_rtp.port;
		}
	} else {
		facts->candidates[0] = transport->rtp;
		facts->rtcp_candidate = transport->rtcp;
		transport->candidate_count = 1;
		transport->rtcp_candidates = &facts->rtcp_candidate;
		transport->rtcp_candidate_count = 1;
		bridge->settings.sink.random(bridge->settings.sink.context, facts->random,
		                             sizeof facts->random);
	}
	transport->sdes_random = facts->random;
}

static struct str
written(const struct writer *w)
{
	return w->failed ? (struct str){ 0 } : writer_view(w);
}

struct str
description_offer(struct bridge *bridge, struct bridge_leg *leg)
{
	struct transport_facts facts;
	struct writer w = writer_of(bridge->text, sizeof bridge->text);
	gather_facts(bridge, leg, &facts);
	sdp_session_offer_write(leg->sdp, &facts.transport, &w);
	explicit_bzero(facts.random, sizeof facts.random);
	return written(&w);
}

/* The peer has restarted ICE: so do we, under a ufrag that still leads to this leg. */
static void
restart_ice(struct bridge *bridge, struct bridge_leg *leg)
{
	uint8_t random[RESTART_RANDOM_BYTES];
	struct media_order order = { .kind = MEDIA_ORDER_LEG_RESTART };
	struct media_restart *restart = &order.restart;
	bridge->settings.sink.random(bridge->settings.sink.context, random, sizeof random);
	struct writer ufrag = writer_of(restart->ice_ufrag, sizeof restart->ice_ufrag - 1);
	struct writer pwd = writer_of(restart->ice_pwd, sizeof restart->ice_pwd - 1);
	writer_format(&ufrag, "%08x", leg->media);
	encode_base64(&ufrag, random, RESTART_UFRAG_BYTES);
	encode_base64(&pwd, random + RESTART_UFRAG_BYTES, sizeof random - RESTART_UFRAG_BYTES);
	CHECK(!ufrag.failed && !pwd.failed);
	memcpy(leg->facts.ice_ufrag, restart->ice_ufrag, sizeof leg->facts.ice_ufrag);
	memcpy(leg->facts.ice_pwd, restart->ice_pwd, sizeof leg->facts.ice_pwd);
	bridge_order(bridge, leg, &order);
	explicit_bzero(random, sizeof random);
	explicit_bzero(&order, sizeof order);
}

static_assert(sizeof((struct media_opened *)0)->ice_ufrag ==
                      sizeof((struct media_restart *)0)->ice_ufrag,
              "credentials are told and changed in one form");

struct str
description_answer(struct bridge *bridge, struct bridge_leg *leg)
{
	struct transport_facts facts;
	struct writer w = writer_of(bridge->text, sizeof bridge->text);
	const struct sdp_line *line = sdp_session_line(leg->sdp, MEDIA_AUDIO);
	if (leg->described && line != NULL && line->ice && line->ice_restart)
		restart_ice(bridge, leg);
	gather_facts(bridge, leg, &facts);
	sdp_session_answer_write(leg->sdp, &facts.transport, &w);
	explicit_bzero(facts.random, sizeof facts.random);
	return written(&w);
}

/* A caller from elsewhere who names our own loopback wants sound sent to a service of this machine
 * that trusts what comes from there. */
static bool
points_inside(const struct bridge_leg *leg, const struct net_addr *remote)
{
	return !leg->outgoing && addr_is_loopback(remote) && !addr_is_loopback(&leg->signalling);
}

static void
order_transport(struct bridge *bridge, const struct bridge_leg *leg, const struct sdp_line *line)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_TRANSPORT };
	struct media_transport_settings *to = &order.transport;
	const struct sdp_path *path = sdp_session_path(leg->sdp, line);
	to->security = line->security == SDP_SECURITY_DTLS   ? MEDIA_SECURITY_DTLS
	               : line->security == SDP_SECURITY_SDES ? MEDIA_SECURITY_SDES
	                                                     : MEDIA_SECURITY_NONE;
	to->rtcp_mux = line->rtcp_mux;
	/* Two lite agents check nothing: each sends to the other's only candidate, which is the
	 * default one (RFC 8445 s2.5, s8.2). */
	to->ice = line->ice && !line->remote_ice_lite;
	to->dtls_server = line->dtls_server;
	to->remote_rtp = line->remote_rtp;
	to->remote_rtcp = line->remote_rtcp;
	to->signalling = leg->signalling;
	if (line->remote_learn || points_inside(leg, &to->remote_rtp))
		to->remote_rtp = (struct net_addr){ 0 };
	if (points_inside(leg, &to->remote_rtcp))
		to->remote_rtcp = (struct net_addr){ 0 };
	to->fingerprint_len = path->remote_fingerprint.len;
	memcpy(to->fingerprint, path->remote_fingerprint.bytes, to->fingerprint_len);
	to->sdes_suite_tx = srtp_suites[path->sdes.suite];
	to->sdes_suite_rx = to->sdes_suite_tx;
	memcpy(to->sdes_key_tx, path->sdes.local_key, sizeof to->sdes_key_tx);
	memcpy(to->sdes_key_rx, path->sdes.remote_key, sizeof to->sdes_key_rx);
	str_copy(to->ice_ufrag, sizeof to->ice_ufrag, str_of(path->remote_ufrag));
	str_copy(to->ice_pwd, sizeof to->ice_pwd, str_of(path->remote_pwd));
	bridge_order(bridge, leg, &order);
	explicit_bzero(&order, sizeof order);
}

static_assert((int)SDP_CRYPTO_KEY_BYTES_MAX == (int)MEDIA_SDES_KEY_MAX, "keys pass from SDP to worker");
static_assert((int)SDP_FINGERPRINT_BYTES_MAX == (int)MEDIA_FINGERPRINT_MAX, "so do fingerprints");
static_assert((int)SDP_LINE_UFRAG_MAX <= (int)MEDIA_ICE_UFRAG_MAX, "and ICE credentials");
static_assert((int)SDP_LINE_PWD_MAX <= (int)MEDIA_ICE_PWD_MAX, "and ICE credentials");

static void
add_payload(struct media_audio_settings *audio, uint8_t payload_type, uint8_t codec,
            uint32_t rate_hz)
{
	if (audio->rx_count == MEDIA_CODECS_MAX)
		return;
	audio->rx[audio->rx_count++] = (struct media_payload){
		.payload_type = payload_type,
		.codec = codec,
		.rate_khz = (uint16_t)(rate_hz / 1000),
	};
}

/* The key presses' clock should be the sound's (RFC 4733 s2.1); any is better than none. */
static void
choose_event(struct media_audio_settings *audio, const struct sdp_line *line)
{
	const uint32_t clock_hz = audio->tx_codec == MEDIA_CODEC_OPUS ? 48000 : 8000;
	for (unsigned i = 0; i < line->event_count; i++) {
		const struct sdp_line_event *event = &line->events[i];
		add_payload(audio, event->receive_payload, MEDIA_CODEC_TELEPHONE_EVENT,
		            event->rate_hz);
		if (audio->tx_dtmf_payload_type == 0 || event->rate_hz == clock_hz) {
			audio->tx_dtmf_payload_type = event->send_payload;
			audio->tx_dtmf_khz = (uint8_t)(event->rate_hz / 1000);
		}
	}
}

static uint8_t
frame_ms_of(const struct bridge *bridge, const struct bridge_leg *leg, const struct sdp_line *line)
{
	uint32_t ms = line->ptime_ms;
	if (ms == 0 && leg->meeting_leg != 0)
		ms = meeting_leg_setting(bridge->settings.meeting, leg->meeting_leg,
		                         LEG_PROFILE_PACKET_MS);
	if (line->maxptime_ms != 0 && ms > line->maxptime_ms)
		ms = line->maxptime_ms;
	/* Frames are 20 ms; what asks for 10 or 30 gets the next it can have. */
	return ms >= 60 ? 60 : ms >= 40 ? 40 : FRAME_MS_USUAL;
}

static void
order_audio(struct bridge *bridge, const struct bridge_leg *leg, const struct sdp_line *line)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_AUDIO };
	struct media_audio_settings *audio = &order.audio;
	const struct sdp_line_codec *first = &leg->sdp->codecs[line->codec_first];
	/* Not while a telephone only rings: early media is heard by nobody.  Not before the ACK: the
	 * SDP may name somebody else's address. */
	const bool flows = leg->stage == STAGE_ASKING || leg->stage == STAGE_ACTIVE;
	audio->receive = (line->direction & SDP_RECVONLY) != 0 && flows;
	audio->send = (line->direction & SDP_SENDONLY) != 0 && flows;
	audio->tx_payload_type = first->send_payload;
	audio->tx_codec = media_codecs[first->cap];
	audio->level_ext_id = line->extension_ids[EXT_LEVEL];
	audio->frame_ms = frame_ms_of(bridge, leg, line);
	for (unsigned i = 0; i < line->codec_count; i++) {
		const struct sdp_line_codec *codec = &leg->sdp->codecs[line->codec_first + i];
		add_payload(audio, codec->receive_payload, media_codecs[codec->cap],
		            codecs[codec->cap].rate_hz);
	}
	choose_event(audio, line);
	if (audio->tx_codec == MEDIA_CODEC_OPUS) {
		const struct sdp_opus opus = sdp_opus_of(sdp_session_fmtp(leg->sdp, first));
		audio->opus_fec = opus.useinbandfec;
		audio->opus_dtx = opus.usedtx;
		audio->opus_bps_max = opus.maxaveragebitrate_bps;
	}
	bridge_order(bridge, leg, &order);
}

bool
description_apply(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const struct sdp_line *line = sdp_session_line(leg->sdp, MEDIA_AUDIO);
	if (line == NULL)
		return false;
	order_transport(bridge, leg, line);
	order_audio(bridge, leg, line);
	leg->described = true;
	leg->dtmf_inband = leg->kind == LEG_SIP && line->event_count == 0;
	bridge_leg_settings(bridge, leg);
	if (leg->meeting_leg != 0 && line->held != leg->held)
		meeting_leg_held(bridge->settings.meeting, leg->meeting_leg, line->held, now_us);
	leg->held = line->held;
	return true;
}
