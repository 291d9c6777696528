/* SPDX-License-Identifier: Apache-2.0 */
/* What a leg's descriptions say, and what the worker is told of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "callbridge/bridge_internal.h"
#include "srtp/srtp.h"

enum {
	FRAME_MS_USUAL = 20,
	RESTART_UFRAG_BYTES = 6,
	RESTART_RANDOM_BYTES = RESTART_UFRAG_BYTES + 24,
};

/* By the names of bridge_sdp_caps.c. */
static const struct {
	struct str name;
	uint8_t codec; /* enum media_codec */
} media_codecs[] = {
	{ STR_INIT("opus"), MEDIA_CODEC_OPUS },
	{ STR_INIT("G722"), MEDIA_CODEC_G722 },
	{ STR_INIT("PCMU"), MEDIA_CODEC_PCMU },
	{ STR_INIT("PCMA"), MEDIA_CODEC_PCMA },
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
description_begin(struct bridge *bridge, struct bridge_leg *leg, uint32_t replaces)
{
	const bool web = leg->kind == LEG_WEB;
	const enum sip_encryption encryption =
		web ? SIP_ENCRYPTION_REQUIRED
		    : (enum sip_encryption)description_setting(bridge, leg, replaces,
	                                                       LEG_PROFILE_SIP_ENCRYPTION);
	const bool secret = encryption != SIP_ENCRYPTION_PROHIBITED;
	struct writer cname = writer_of(leg->cname, sizeof leg->cname - 1);
	writer_format(&cname, "%016llx", (unsigned long long)bridge_random(bridge));
	leg->cname[cname.at] = '\0';
	description_caps(bridge, leg, replaces);
	leg->sdp_settings = (struct sdp_settings){
		.medias = leg->sdp_medias,
		.media_count = web ? 1 + BRIDGE_LINE_KINDS : DESCRIBED_MEDIA,
		.extensions = description_extensions,
		.extension_count = EXTENSIONS,
		.encryption = encryption_of(leg->kind, encryption),
		.profile = profile_of(leg->kind, encryption),
		.sdes = !web && secret,
		.dtls = web || secret,
		.ice = true,
		.ice_lite = true,
		.bundle = web,
		.rtcp_mux = true,
		.suites = (1u << SDP_SUITES) - 2,
		.user = STR("convoke"),
		.cname = str_of(leg->cname),
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
	drop(&leg->sdp_before);
}

bool
description_wants(const struct bridge_leg *leg, enum bridge_medium medium, bool *ice)
{
	/* What was agreed on goes on where the leg moves to. */
	const bool theirs = leg->sdp->state == SDP_HAVE_REMOTE_OFFER || leg->described;
	const struct sdp_line *line = sdp_session_line(leg->sdp, medium);
	*ice = leg->kind == LEG_WEB || !theirs || (line != NULL && line->ice);
	if (medium == BRIDGE_MEDIUM_AUDIO)
		return true;
	return leg->kind == LEG_SIP && (leg->allowed & 1u << medium) != 0 &&
	       (line != NULL || !theirs);
}

/* Ports of lines that were refused, or are gone. */
static void
give_back(struct bridge *bridge, struct bridge_leg *leg)
{
	for (unsigned m = BRIDGE_MEDIUM_AUDIO + 1; m < BRIDGE_MEDIA; m++)
		if (sdp_session_line(leg->sdp, m) == NULL)
			bridge_medium_close(bridge, leg, (enum bridge_medium)m);
}

void
description_settled(struct bridge *bridge, struct bridge_leg *leg)
{
	drop(&leg->sdp_offered);
	give_back(bridge, leg);
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* The facts of one transport, as sdp_session wants them. */
struct transport_facts {
	struct net_addr candidates[BRIDGE_ADDRESSES_MAX];
	struct net_addr rtcp_candidate;
	uint8_t random[SDP_SDES_RANDOM_BYTES];
};

struct description_facts {
	struct sdp_transport transports[DESCRIBED_MEDIA];
	struct transport_facts facts[BRIDGE_MEDIA];
};

static void
gather_medium(struct bridge *bridge, const struct bridge_leg *leg, enum bridge_medium medium,
              struct transport_facts *facts, struct sdp_transport *transport)
{
	const struct bridge_media *media = &leg->media[medium];
	if (!media->opened)
		return;
	transport->rtp = leg->local;
	transport->rtp.port = media->facts.local_rtp.port;
	transport->rtcp = leg->local;
	transport->rtcp.port = media->facts.local_rtcp.port;
	transport->ice_ufrag = str_of(media->facts.ice_ufrag);
	transport->ice_pwd = str_of(media->facts.ice_pwd);
	transport->fingerprint = bridge->settings.fingerprint;
	transport->candidates = facts->candidates;
	if (leg->kind == LEG_WEB) {
		transport->candidate_count = bridge->settings.web_address_count;
		for (unsigned i = 0; i < transport->candidate_count; i++) {
			facts->candidates[i] = bridge->web_addresses[i];
			facts->candidates[i].port = transport->rtp.port;
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

/* Where rooms find floor control, in the protocol of the line, or of our offer. */
static void
gather_floor(const struct bridge *bridge, const struct bridge_leg *leg,
             struct sdp_transport *transport)
{
	const struct bridge_floors *floors = &bridge->settings.floors;
	const struct sdp_line *line = sdp_session_line(leg->sdp, DESCRIBED_FLOOR);
	const enum sdp_proto proto =
		line != NULL ? line->proto : leg->sdp_medias[DESCRIBED_FLOOR].bfcp.offered;
	transport->rtp = leg->local;
	transport->rtp.port = proto == SDP_PROTO_BFCP_TLS   ? floors->tls_port
	                      : proto == SDP_PROTO_BFCP_TCP ? floors->tcp_port
	                                                    : floors->udp_port;
	transport->fingerprint = floors->fingerprint;
}

static void
gather_facts(struct bridge *bridge, const struct bridge_leg *leg, struct description_facts *facts)
{
	memset(facts, 0, sizeof *facts);
	for (unsigned m = 0; m < BRIDGE_MEDIA; m++)
		gather_medium(bridge, leg, (enum bridge_medium)m, &facts->facts[m],
		              &facts->transports[m]);
	/* All of a browser's lines are in one bundle. */
	for (unsigned m = 1; m < leg->sdp_settings.media_count && leg->kind == LEG_WEB; m++)
		facts->transports[m] = facts->transports[BRIDGE_MEDIUM_AUDIO];
	/* A second stream without pictures of its own needs no floor. */
	if (leg->kind == LEG_SIP && leg->media[BRIDGE_MEDIUM_CONTENT].opened)
		gather_floor(bridge, leg, &facts->transports[DESCRIBED_FLOOR]);
	for (unsigned m = 0; m < DESCRIBED_MEDIA; m++)
		if ((leg->allowed & 1u << m) == 0)
			facts->transports[m].rtp.port = 0;
}

static void
forget_facts(struct description_facts *facts)
{
	explicit_bzero(facts->facts, sizeof facts->facts);
}

static struct str
written(const struct writer *w)
{
	return w->failed ? (struct str){ 0 } : writer_view(w);
}

struct str
description_offer(struct bridge *bridge, struct bridge_leg *leg)
{
	struct description_facts facts;
	struct writer w = writer_of(bridge->text, sizeof bridge->text);
	gather_facts(bridge, leg, &facts);
	sdp_session_offer_write(leg->sdp, facts.transports, &w);
	forget_facts(&facts);
	return written(&w);
}

/* The peer has restarted ICE: so do we, under a ufrag that still leads to this media leg. */
static void
restart_ice(struct bridge *bridge, struct bridge_leg *leg, enum bridge_medium medium)
{
	uint8_t random[RESTART_RANDOM_BYTES];
	struct bridge_media *media = &leg->media[medium];
	struct media_order order = { .kind = MEDIA_ORDER_LEG_RESTART };
	struct media_restart *restart = &order.restart;
	bridge->settings.sink.random(bridge->settings.sink.context, random, sizeof random);
	struct writer ufrag = writer_of(restart->ice_ufrag, sizeof restart->ice_ufrag - 1);
	struct writer pwd = writer_of(restart->ice_pwd, sizeof restart->ice_pwd - 1);
	writer_format(&ufrag, "%08x", media->id);
	encode_base64(&ufrag, random, RESTART_UFRAG_BYTES);
	encode_base64(&pwd, random + RESTART_UFRAG_BYTES, sizeof random - RESTART_UFRAG_BYTES);
	CHECK(!ufrag.failed && !pwd.failed);
	memcpy(media->facts.ice_ufrag, restart->ice_ufrag, sizeof media->facts.ice_ufrag);
	memcpy(media->facts.ice_pwd, restart->ice_pwd, sizeof media->facts.ice_pwd);
	bridge_order_medium(bridge, leg, medium, &order);
	explicit_bzero(random, sizeof random);
	explicit_bzero(&order, sizeof order);
}

static_assert(sizeof((struct media_opened *)0)->ice_ufrag ==
                      sizeof((struct media_restart *)0)->ice_ufrag,
              "credentials are told and changed in one form");

static void
restart_where_asked(struct bridge *bridge, struct bridge_leg *leg)
{
	for (unsigned m = 0; m < BRIDGE_MEDIA && leg->described; m++) {
		const struct sdp_line *line = sdp_session_line(leg->sdp, m);
		if (leg->media[m].opened && line != NULL && line->ice && line->ice_restart)
			restart_ice(bridge, leg, (enum bridge_medium)m);
	}
}

/* In a bundle with pictures Chromium takes no sound whose SSRC it was not told; it goes by payload
 * types only where sound is alone. */
static void
name_sound(struct bridge_leg *leg)
{
	for (unsigned i = 0; i < leg->sdp->line_count && leg->kind == LEG_WEB; i++)
		if (leg->sdp->lines[i].media == BRIDGE_MEDIUM_AUDIO)
			sdp_session_sources_set(leg->sdp, i,
			                        leg->media[BRIDGE_MEDIUM_AUDIO].facts.ssrc, 0);
}

struct str
description_answer(struct bridge *bridge, struct bridge_leg *leg)
{
	struct description_facts facts;
	struct writer w = writer_of(bridge->text, sizeof bridge->text);
	restart_where_asked(bridge, leg);
	name_sound(leg);
	video_lines_name(bridge, leg);
	gather_facts(bridge, leg, &facts);
	sdp_session_answer_write(leg->sdp, facts.transports, &w);
	forget_facts(&facts);
	return written(&w);
}

/* ---- Orders -------------------------------------------------------------------------------- */

bool
description_points_inside(const struct bridge_leg *leg, const struct net_addr *remote)
{
	return !leg->outgoing && addr_is_loopback(remote) && !addr_is_loopback(&leg->signalling);
}

/* Not while a telephone only rings: early media is heard by nobody.  Not before the ACK: the SDP may
 * name somebody else's address. */
bool
description_flows(const struct bridge_leg *leg)
{
	return leg->stage == STAGE_ASKING || leg->stage == STAGE_MOVING ||
	       leg->stage == STAGE_ACTIVE;
}

static void
order_transport(struct bridge *bridge, const struct bridge_leg *leg, enum bridge_medium medium,
                const struct sdp_line *line)
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
	if (line->remote_learn || description_points_inside(leg, &to->remote_rtp))
		to->remote_rtp = (struct net_addr){ 0 };
	if (description_points_inside(leg, &to->remote_rtcp))
		to->remote_rtcp = (struct net_addr){ 0 };
	to->fingerprint_len = path->remote_fingerprint.len;
	memcpy(to->fingerprint, path->remote_fingerprint.bytes, to->fingerprint_len);
	to->sdes_suite_tx = srtp_suites[path->sdes.suite];
	to->sdes_suite_rx = to->sdes_suite_tx;
	memcpy(to->sdes_key_tx, path->sdes.local_key, sizeof to->sdes_key_tx);
	memcpy(to->sdes_key_rx, path->sdes.remote_key, sizeof to->sdes_key_rx);
	str_copy(to->ice_ufrag, sizeof to->ice_ufrag, str_of(path->remote_ufrag));
	str_copy(to->ice_pwd, sizeof to->ice_pwd, str_of(path->remote_pwd));
	bridge_order_medium(bridge, leg, medium, &order);
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

static uint8_t
media_codec_of(const struct bridge_leg *leg, const struct sdp_line_codec *codec)
{
	const struct str name = leg->sdp_medias[BRIDGE_MEDIUM_AUDIO].codecs[codec->cap].name;
	for (size_t i = 0; i < COUNT_OF(media_codecs); i++)
		if (str_eq(media_codecs[i].name, name))
			return media_codecs[i].codec;
	return MEDIA_CODEC_NONE;
}

static void
order_audio(struct bridge *bridge, const struct bridge_leg *leg, const struct sdp_line *line)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_AUDIO };
	struct media_audio_settings *audio = &order.audio;
	const struct sdp_line_codec *first = &leg->sdp->codecs[line->codec_first];
	const bool flows = description_flows(leg);
	audio->receive = (line->direction & SDP_RECVONLY) != 0 && flows;
	audio->send = (line->direction & SDP_SENDONLY) != 0 && flows;
	audio->tx_payload_type = first->send_payload;
	audio->tx_codec = media_codec_of(leg, first);
	audio->level_ext_id = line->extension_ids[EXTENSION_LEVEL];
	audio->frame_ms = frame_ms_of(bridge, leg, line);
	for (unsigned i = 0; i < line->codec_count; i++) {
		const struct sdp_line_codec *codec = &leg->sdp->codecs[line->codec_first + i];
		const struct sdp_codec_cap *cap =
			&leg->sdp_medias[BRIDGE_MEDIUM_AUDIO].codecs[codec->cap];
		add_payload(audio, codec->receive_payload, media_codec_of(leg, codec),
		            cap->rate_hz);
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
	const struct sdp_line *sound = sdp_session_line(leg->sdp, BRIDGE_MEDIUM_AUDIO);
	if (sound == NULL)
		return false;
	/* An answer to forks may be followed by one that takes what this one refused. */
	if (leg->sdp_offered == NULL)
		give_back(bridge, leg);
	for (unsigned m = 0; m < BRIDGE_MEDIA; m++) {
		const struct sdp_line *line = sdp_session_line(leg->sdp, m);
		if (line != NULL && leg->media[m].taken)
			order_transport(bridge, leg, (enum bridge_medium)m, line);
	}
	order_audio(bridge, leg, sound);
	leg->described = true;
	leg->dtmf_inband = leg->kind == LEG_SIP && sound->event_count == 0;
	bridge_leg_settings(bridge, leg);
	video_lines_apply(bridge, leg, now_us);
	if (leg->meeting_leg != 0 && sound->held != leg->held)
		meeting_leg_held(bridge->settings.meeting, leg->meeting_leg, sound->held, now_us);
	leg->held = sound->held;
	return true;
}
