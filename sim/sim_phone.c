/* SPDX-License-Identifier: Apache-2.0 */
/* A fake telephone: our own user agent and SDP machine on the other side, a tone and an ear. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_internal.h"
#include "sip/sip_ua.h"

enum {
	SIP_PORT = 5060,
	RTP_PORT = 4000,
	SDP_MAX = 8192,
};

struct sim_phone {
	struct sim_world *world;
	struct sip_ua *ua;
	struct net_addr sip;
	sip_session_id session;
	bool in_call;
	bool outgoing;
	bool talking;
	bool vanished;
	bool holding;
	bool stubborn;
	int64_t ring_us;
	int64_t answer_us; /* when it will answer; 0: it does not ring */
	char answer[SDP_MAX];
	unsigned status;
	unsigned offer_status;
	const char *passcode;
	enum sim_security security;
	struct sdp_settings settings;
	struct sdp_session *sdp;
	struct dtls *dtls;
	struct net_addr dtls_remote; /* with whom: another address is another association */
	struct sim_voice voice;
};

static const struct sdp_codec_cap codecs[] = {
	{ .name = STR_INIT("PCMU"), .rate_hz = 8000, .channels = 1, .payload = 0 },
	{ .name = STR_INIT("telephone-event"), .rate_hz = 8000, .channels = 1, .payload = 101,
	  .fmtp = STR_INIT("0-15") },
};

static const struct sdp_media_cap medias[] = {
	{ .kind = SDP_AUDIO, .direction = SDP_SENDRECV, .codecs = codecs,
	  .codec_count = COUNT_OF(codecs), .ptime_ms = 20 },
};

static const enum srtp_suite suites[SDP_SUITES] = {
	[SDP_SUITE_AES_CM_128_HMAC_SHA1_32] = SRTP_SUITE_AES_CM_128_HMAC_SHA1_32,
	[SDP_SUITE_AES_CM_128_HMAC_SHA1_80] = SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
	[SDP_SUITE_AES_256_CM_HMAC_SHA1_32] = SRTP_SUITE_AES_256_CM_HMAC_SHA1_32,
	[SDP_SUITE_AES_256_CM_HMAC_SHA1_80] = SRTP_SUITE_AES_256_CM_HMAC_SHA1_80,
	[SDP_SUITE_AEAD_AES_256_GCM] = SRTP_SUITE_AEAD_AES_256_GCM,
	[SDP_SUITE_AEAD_AES_128_GCM] = SRTP_SUITE_AEAD_AES_128_GCM,
};

/* ---- Descriptions -------------------------------------------------------------------------- */

static void
settings_of(struct sim_phone *phone)
{
	static const enum sdp_profile profiles[] = {
		[SIM_CLEAR] = SDP_PROFILE_CLEAR,
		[SIM_SDES] = SDP_PROFILE_SDES,
		[SIM_DTLS] = SDP_PROFILE_DTLS,
	};
	phone->settings = (struct sdp_settings){
		.medias = medias,
		.media_count = COUNT_OF(medias),
		.encryption = phone->security == SIM_CLEAR ? SDP_ENCRYPTION_OPTIONAL
		                                           : SDP_ENCRYPTION_REQUIRED,
		.profile = profiles[phone->security],
		.sdes = phone->security == SIM_SDES,
		.dtls = phone->security == SIM_DTLS,
		.rtcp_mux = true,
		.suites = 1u << SDP_SUITE_AES_CM_128_HMAC_SHA1_80,
		.session_id = prng_u64(sim_world_prng(phone->world)) >> 2,
	};
	phone->sdp = calloc(1, sizeof *phone->sdp);
	CHECK(phone->sdp != NULL);
	sdp_session_init(phone->sdp, &phone->settings);
}

static struct sdp_transport
transport_of(struct sim_phone *phone, uint8_t random[SDP_SDES_RANDOM_BYTES])
{
	const struct dtls_fingerprint *fingerprint =
		dtls_context_fingerprint(sim_world_dtls(phone->world));
	prng_bytes(sim_world_prng(phone->world), random, SDP_SDES_RANDOM_BYTES);
	struct sdp_transport transport = { .rtp = phone->voice.local, .sdes_random = random };
	transport.fingerprint.hash = SDP_HASH_SHA256;
	transport.fingerprint.len = 32;
	memcpy(transport.fingerprint.bytes, fingerprint->digest, 32);
	return transport;
}

static struct str
write_offer(struct sim_phone *phone, char text[SDP_MAX])
{
	uint8_t random[SDP_SDES_RANDOM_BYTES];
	const struct sdp_transport transport = transport_of(phone, random);
	struct writer w = writer_of(text, SDP_MAX);
	sdp_session_offer_write(phone->sdp, &transport, &w);
	CHECK(!w.failed);
	return writer_view(&w);
}

static struct str
write_answer(struct sim_phone *phone, char text[SDP_MAX])
{
	uint8_t random[SDP_SDES_RANDOM_BYTES];
	const struct sdp_transport transport = transport_of(phone, random);
	struct writer w = writer_of(text, SDP_MAX);
	sdp_session_answer_write(phone->sdp, &transport, &w);
	CHECK(!w.failed);
	return writer_view(&w);
}

static void
drain_dtls(struct sim_phone *phone, int64_t now_us)
{
	for (struct dtls_out out; (out = dtls_poll(phone->dtls)).kind != DTLS_OUT_NONE;) {
		if (out.kind == DTLS_OUT_DATAGRAM)
			sim_net_send(sim_world_net(phone->world), &phone->voice.local,
			             &phone->voice.remote, out.bytes, out.len, now_us);
		else if (out.kind == DTLS_OUT_CONNECTED)
			sim_voice_keys(&phone->voice,
			               srtp_suite_by_dtls_profile((uint16_t)out.keys->profile),
			               out.keys->local.key, out.keys->local.salt,
			               out.keys->remote.key, out.keys->remote.salt);
	}
}

static void
end_dtls(struct sim_phone *phone)
{
	if (phone->dtls != NULL)
		dtls_fini(phone->dtls);
	free(phone->dtls);
	phone->dtls = NULL;
}

static void
start_dtls(struct sim_phone *phone, const struct sdp_line *line, int64_t now_us)
{
	const struct sdp_path *path = sdp_session_path(phone->sdp, line);
	struct dtls_fingerprint fingerprint = { .hash = DTLS_SHA256 };
	memcpy(fingerprint.digest, path->remote_fingerprint.bytes, 32);
	const struct dtls_settings settings = {
		.context = sim_world_dtls(phone->world),
		.role = line->dtls_server ? DTLS_SERVER : DTLS_CLIENT,
		.fingerprints = &fingerprint,
		.fingerprint_count = 1,
	};
	phone->voice.secured = true;
	phone->dtls_remote = phone->voice.remote;
	phone->dtls = calloc(1, sizeof *phone->dtls);
	CHECK(phone->dtls != NULL);
	dtls_init(phone->dtls, &settings, now_us);
	CHECK(dtls_start(phone->dtls, now_us) == 0);
	drain_dtls(phone, now_us);
}

/* What was agreed on begins. */
static void
apply(struct sim_phone *phone, int64_t now_us)
{
	const struct sdp_line *line = sdp_session_line(phone->sdp, 0);
	if (line == NULL)
		return;
	phone->talking = true;
	phone->voice.remote = line->remote_rtp;
	phone->voice.payload_type = phone->sdp->codecs[line->codec_first].send_payload;
	phone->voice.dtmf_type = line->event_count != 0 ? line->events[0].send_payload : 0;
	/* As many telephones do: on hold they send nothing, whatever they say they would. */
	phone->voice.sending = (line->direction & SDP_SENDONLY) != 0 && !phone->holding;
	phone->voice.next_us = 0;
	phone->voice.digits = phone->passcode;
	phone->passcode = NULL;
	if (line->security == SDP_SECURITY_SDES && phone->voice.tx == NULL) {
		const struct sdp_sdes *sdes = &sdp_session_path(phone->sdp, line)->sdes;
		const enum srtp_suite suite = suites[sdes->suite];
		const size_t key = srtp_suite_info(suite)->key_bytes;
		sim_voice_keys(&phone->voice, suite, sdes->local_key, sdes->local_key + key,
		               sdes->remote_key, sdes->remote_key + key);
	} else if (line->security == SDP_SECURITY_DTLS &&
	           (phone->dtls == NULL ||
	            !addr_eq(&phone->dtls_remote, &phone->voice.remote))) {
		end_dtls(phone);
		start_dtls(phone, line, now_us);
	}
}

/* ---- SIP ----------------------------------------------------------------------------------- */

static void
take_offer(struct sim_phone *phone, const struct sip_event *event, int64_t now_us)
{
	char text[SDP_MAX];
	if (event->body.len == 0) {
		(void)sip_session_answer(phone->ua, event->session, write_offer(phone, text),
		                         now_us);
		return;
	}
	if (phone->stubborn || sdp_session_offer_take(phone->sdp, event->body) != SDP_OK) {
		(void)sip_session_refuse(phone->ua, event->session, 488, now_us);
		return;
	}
	const struct str answer = write_answer(phone, text);
	apply(phone, now_us);
	(void)sip_session_answer(phone->ua, event->session, answer, now_us);
}

static void
called(struct sim_phone *phone, const struct sip_event *event, int64_t now_us)
{
	char text[SDP_MAX];
	if (phone->in_call || sdp_session_offer_take(phone->sdp, event->body) != SDP_OK) {
		(void)sip_session_reject(phone->ua, event->session, 486, (struct str){ 0 },
		                         (struct str){ 0 }, now_us);
		return;
	}
	phone->session = event->session;
	phone->in_call = true;
	const struct str answer = write_answer(phone, text);
	if (phone->ring_us != 0) {
		phone->answer_us = now_us + phone->ring_us;
		CHECK(str_copy(phone->answer, sizeof phone->answer, answer));
		CHECK(sip_session_progress(phone->ua, event->session, 183, answer, now_us) == 0);
		return;
	}
	apply(phone, now_us);
	CHECK(sip_session_accept(phone->ua, event->session, answer, now_us) == 0);
}

static void
pick_up(struct sim_phone *phone, int64_t now_us)
{
	phone->answer_us = 0;
	if (sip_session_accept(phone->ua, phone->session, str_of(phone->answer), now_us) == 0)
		apply(phone, now_us);
}

static void
answered(struct sim_phone *phone, const struct sip_event *event, int64_t now_us)
{
	char text[SDP_MAX];
	if (phone->sdp->state == SDP_HAVE_LOCAL_OFFER) {
		if (sdp_session_answer_take(phone->sdp, event->body) == SDP_OK)
			apply(phone, now_us);
		return;
	}
	/* We asked for their offer. */
	if (sdp_session_offer_take(phone->sdp, event->body) != SDP_OK)
		sim_fail(phone->world, "a late offer that cannot be used");
	const struct str answer = write_answer(phone, text);
	apply(phone, now_us);
	CHECK(sip_session_answer(phone->ua, event->session, answer, now_us) == 0);
}

static void
on_event(struct sim_phone *phone, const struct sip_event *event, int64_t now_us)
{
	switch (event->kind) {
	case SIP_EVENT_INCOMING:
		called(phone, event, now_us);
		break;
	case SIP_EVENT_ANSWERED:
		answered(phone, event, now_us);
		break;
	case SIP_EVENT_OFFER:
		take_offer(phone, event, now_us);
		break;
	case SIP_EVENT_ANSWER:
		if (sdp_session_answer_take(phone->sdp, event->body) == SDP_OK)
			apply(phone, now_us);
		break;
	case SIP_EVENT_OFFER_FAILED:
		phone->offer_status = event->status;
		sdp_session_offer_drop(phone->sdp);
		break;
	case SIP_EVENT_INFO:
	case SIP_EVENT_REFER:
		(void)sip_request_answer(phone->ua, event->request, 200, now_us);
		break;
	case SIP_EVENT_ENDED:
		if (event->session.v != phone->session.v)
			break;
		phone->in_call = false;
		phone->talking = false;
		phone->voice.sending = false;
		phone->status = event->status;
		break;
	case SIP_EVENT_PROGRESS:
	case SIP_EVENT_CONFIRMED:
	case SIP_EVENT_REFRESHED:
		break;
	}
}

static void
drain(struct sim_phone *phone, int64_t now_us)
{
	for (struct sip_out out; (out = sip_ua_poll(phone->ua)).kind != SIP_OUT_NONE;) {
		if (out.kind == SIP_OUT_EVENT)
			on_event(phone, out.event, now_us);
		else if (out.kind == SIP_OUT_DATAGRAM && !phone->vanished)
			sim_net_send(sim_world_net(phone->world), &phone->sip, &out.to, out.bytes,
			             out.len, now_us);
		else if (out.kind == SIP_OUT_CONNECT || out.kind == SIP_OUT_DNS)
			sim_fail(phone->world, "a phone wants a connection or DNS");
	}
}

bool
sim_phone_input(struct sim_phone *phone, const struct net_addr *to, const struct net_addr *from,
                uint8_t *bytes, size_t len, int64_t now_us)
{
	if (addr_eq(to, &phone->sip)) {
		if (!phone->vanished) {
			sip_ua_datagram(phone->ua, 0, from, bytes, len, now_us);
			drain(phone, now_us);
		}
		return true;
	}
	struct net_addr rtcp = phone->voice.local;
	rtcp.port++;
	if (addr_eq(to, &rtcp))
		return true;
	if (!addr_eq(to, &phone->voice.local))
		return false;
	if (phone->vanished || !phone->talking)
		return true;
	if (phone->dtls != NULL && rtp_kind_of(bytes, len) == RTP_KIND_DTLS) {
		dtls_input(phone->dtls, bytes, len, now_us);
		drain_dtls(phone, now_us);
	} else {
		sim_voice_input(&phone->voice, bytes, len);
	}
	return true;
}

void
sim_phone_tick(struct sim_phone *phone, int64_t now_us)
{
	if (sip_ua_deadline(phone->ua) <= now_us) {
		sip_ua_tick(phone->ua, now_us);
		drain(phone, now_us);
	}
	if (phone->answer_us != 0 && phone->answer_us <= now_us) {
		pick_up(phone, now_us);
		drain(phone, now_us);
	}
	if (phone->vanished)
		return;
	if (phone->dtls != NULL && dtls_deadline(phone->dtls) <= now_us) {
		dtls_tick(phone->dtls, now_us);
		drain_dtls(phone, now_us);
	}
	sim_voice_tick(&phone->voice, now_us);
}

/* ---- What a person does with it ------------------------------------------------------------- */

struct sim_phone *
sim_phone_new(struct sim_world *world, unsigned number, double pitch_hz)
{
	struct sim_phone *phone = calloc(1, sizeof *phone);
	CHECK(phone != NULL);
	phone->world = world;
	phone->sip = addr_ip4(198, 51, 100, (uint8_t)number, SIP_PORT);
	const struct net_addr rtp = addr_ip4(198, 51, 100, (uint8_t)number, RTP_PORT);
	sim_voice_init(&phone->voice, world, &rtp, pitch_hz, false);
	const struct sip_ua_listener listener = { .transport = SIP_TRANSPORT_UDP,
		                                  .addr = phone->sip };
	struct sip_ua_settings settings = sip_ua_settings_default();
	settings.listeners = &listener;
	settings.listener_count = 1;
	settings.seed = prng_u64(sim_world_prng(world));
	settings.sessions_max = 8;
	settings.transactions_max = 64;
	settings.flows_max = 4;
	settings.blocks_max = 512;
	settings.half_open_max = 8;
	settings.half_open_per_source_max = 8;
	CHECK(sip_ua_create(&phone->ua, &settings, sim_world_now(world)) == 0);
	settings_of(phone);
	return phone;
}

void
sim_phone_start(struct sim_phone *phone, const struct sim_phone_settings *settings)
{
	char target[128];
	char from[128];
	char host[ADDR_TEXT_MAX];
	char text[SDP_MAX];
	const int64_t now_us = sim_world_now(phone->world);
	sdp_session_fini(phone->sdp);
	free(phone->sdp);
	phone->security = settings->security;
	settings_of(phone);
	snprintf(target, sizeof target, "sip:%s@%s", settings->target,
	         addr_text(host, sim_world_sip_addr()));
	snprintf(from, sizeof from, "sip:phone@%u.%u.%u.%u", phone->sip.ip[0], phone->sip.ip[1],
	         phone->sip.ip[2], phone->sip.ip[3]);
	const struct sip_call call = {
		.target = str_of(target),
		.from_uri = str_of(from),
		.from_display = STR("Phone"),
		.contact_user = STR("phone"),
		.sdp = settings->late_offer ? (struct str){ 0 } : write_offer(phone, text),
	};
	phone->passcode = settings->passcode;
	phone->stubborn = settings->stubborn;
	phone->in_call = true;
	CHECK(sip_ua_call(phone->ua, &phone->session, &call, now_us) == 0);
	drain(phone, now_us);
}

void
sim_phone_ring(struct sim_phone *phone, int64_t span_us)
{
	phone->ring_us = span_us;
}

bool
sim_phone_talking(const struct sim_phone *phone)
{
	return phone->talking;
}

void
sim_phone_mute(struct sim_phone *phone, bool muted)
{
	phone->voice.muted = muted;
}

void
sim_phone_hold(struct sim_phone *phone, bool held)
{
	char text[SDP_MAX];
	const int64_t now_us = sim_world_now(phone->world);
	if (!phone->talking || phone->vanished || phone->sdp->state != SDP_STABLE)
		return;
	phone->holding = held;
	sdp_session_direction_set(phone->sdp, 0, held ? SDP_SENDONLY : SDP_SENDRECV);
	const struct str offer = write_offer(phone, text);
	if (sip_session_offer(phone->ua, phone->session, offer, now_us) != 0)
		sdp_session_offer_drop(phone->sdp);
	drain(phone, now_us);
}

void
sim_phone_offer(struct sim_phone *phone, struct str sdp)
{
	const int64_t now_us = sim_world_now(phone->world);
	CHECK(sip_session_offer(phone->ua, phone->session, sdp, now_us) == 0);
	drain(phone, now_us);
}

unsigned
sim_phone_offer_status(const struct sim_phone *phone)
{
	return phone->offer_status;
}

void
sim_phone_hang_up(struct sim_phone *phone)
{
	const int64_t now_us = sim_world_now(phone->world);
	if (!phone->in_call)
		return;
	(void)sip_session_end(phone->ua, phone->session, 0, (struct str){ 0 }, now_us);
	drain(phone, now_us);
}

void
sim_phone_vanish(struct sim_phone *phone)
{
	phone->vanished = true;
}

struct sim_ear *
sim_phone_ear(struct sim_phone *phone)
{
	return &phone->voice.ear;
}

double
sim_phone_pitch(const struct sim_phone *phone)
{
	return phone->voice.pitch_hz;
}

unsigned
sim_phone_ended_status(const struct sim_phone *phone)
{
	return phone->status;
}

void
sim_phone_free(struct sim_phone *phone)
{
	end_dtls(phone);
	sdp_session_fini(phone->sdp);
	free(phone->sdp);
	sim_voice_fini(&phone->voice);
	sip_ua_destroy(phone->ua);
	free(phone);
}
