/* SPDX-License-Identifier: Apache-2.0 */
/* A fake browser behind a fake Web Bridge: C2W messages for signalling; full ICE, DTLS and SRTP with
 * Opus for sound. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_internal.h"

enum {
	SDP_MAX = 8192,
	TOKEN_MAX = 1024,
	PEOPLE_MAX = 128,
};

struct sim_browser {
	struct sim_world *world;
	unsigned number;
	uint32_t request;  /* of its join */
	uint32_t session;  /* 0: no WebSocket */
	char address[64];
	char passcode[32];
	char token[TOKEN_MAX];
	char refused[32];
	bool ended;
	bool vanished;
	bool opened;
	bool talking;
	uint16_t port; /* of the present RTCPeerConnection */
	unsigned people_count;
	char people[PEOPLE_MAX][GUID_TEXT_LEN + 1];
	struct sdp_settings settings;
	struct sdp_session *sdp;
	char ufrag[16];
	char pwd[32];
	bool checking;
	struct ice_check ice;
	struct dtls *dtls;
	struct sim_voice voice;
};

static const struct sdp_codec_cap codecs[] = {
	{ .name = STR_INIT("opus"), .rate_hz = 48000, .channels = 2, .payload = 111,
	  .fmtp = STR_INIT("minptime=10;useinbandfec=1") },
};

static const struct sdp_media_cap medias[] = {
	{ .kind = SDP_AUDIO, .direction = SDP_SENDRECV, .codecs = codecs,
	  .codec_count = COUNT_OF(codecs) },
};

static const struct str extensions[] = {
	STR_INIT("urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
};

/* ---- Signalling ---------------------------------------------------------------------------- */

static void
say(struct sim_browser *browser, struct c2w_message *message)
{
	message->session = browser->session;
	if (browser->session != 0 && !browser->vanished)
		sim_world_web_input(browser->world, message);
}

static void
open_socket(struct sim_browser *browser)
{
	struct c2w_message message = { .kind = C2W_OPEN };
	browser->session = sim_world_next_session(browser->world);
	browser->opened = false;
	message.open = (struct c2w_open){ .token = str_of(browser->token),
		                          .product = STR("Simulated"),
		                          .address = STR("203.0.113.1") };
	say(browser, &message);
}

void
sim_browser_start(struct sim_browser *browser, const char *address, const char *passcode)
{
	struct c2w_message message = { .kind = C2W_JOIN };
	browser->request = sim_world_next_session(browser->world);
	message.request = browser->request;
	snprintf(browser->address, sizeof browser->address, "%s", address);
	snprintf(browser->passcode, sizeof browser->passcode, "%s", passcode != NULL ? passcode : "");
	message.join = (struct c2w_join){ .address = str_of(browser->address),
		                          .passcode = str_of(browser->passcode),
		                          .has_passcode = passcode != NULL,
		                          .name = STR("Browser") };
	sim_world_web_input(browser->world, &message);
}

/* ---- A new RTCPeerConnection ---------------------------------------------------------------- */

static void
end_media(struct sim_browser *browser)
{
	if (browser->dtls != NULL)
		dtls_fini(browser->dtls);
	free(browser->dtls);
	browser->dtls = NULL;
	if (browser->checking)
		ice_check_fini(&browser->ice);
	browser->checking = false;
	if (browser->sdp != NULL)
		sdp_session_fini(browser->sdp);
	free(browser->sdp);
	browser->sdp = NULL;
	browser->talking = false;
}

static void
start_media(struct sim_browser *browser)
{
	char text[SDP_MAX];
	struct prng *prng = sim_world_prng(browser->world);
	end_media(browser);
	browser->port++;
	browser->voice.local.port = browser->port;
	browser->settings = (struct sdp_settings){
		.medias = medias,
		.media_count = COUNT_OF(medias),
		.extensions = extensions,
		.extension_count = COUNT_OF(extensions),
		.encryption = SDP_ENCRYPTION_REQUIRED,
		.profile = SDP_PROFILE_DTLS,
		.dtls = true,
		.ice = true,
		.bundle = true,
		.rtcp_mux = true,
		.session_id = prng_u64(prng) >> 2,
	};
	browser->sdp = calloc(1, sizeof *browser->sdp);
	CHECK(browser->sdp != NULL);
	sdp_session_init(browser->sdp, &browser->settings);
	snprintf(browser->ufrag, sizeof browser->ufrag, "%08x", prng_u32(prng));
	snprintf(browser->pwd, sizeof browser->pwd, "%08x%08x%08x", prng_u32(prng), prng_u32(prng),
	         prng_u32(prng));
	struct sdp_transport transport = {
		.rtp = browser->voice.local,
		.ice_ufrag = str_of(browser->ufrag),
		.ice_pwd = str_of(browser->pwd),
		.candidates = &browser->voice.local,
		.candidate_count = 1,
		.fingerprint = { .hash = SDP_HASH_SHA256, .len = 32 },
	};
	memcpy(transport.fingerprint.bytes,
	       dtls_context_fingerprint(sim_world_dtls(browser->world))->digest, 32);
	struct writer w = writer_of(text, sizeof text);
	sdp_session_offer_write(browser->sdp, &transport, &w);
	CHECK(!w.failed);
	struct c2w_message message = { .kind = C2W_OFFER };
	message.sdp = (struct c2w_sdp){ .revision = 1, .sdp = writer_view(&w) };
	say(browser, &message);
}

static void
drain_dtls(struct sim_browser *browser, int64_t now_us)
{
	for (struct dtls_out out; (out = dtls_poll(browser->dtls)).kind != DTLS_OUT_NONE;) {
		if (out.kind == DTLS_OUT_DATAGRAM) {
			sim_net_send(sim_world_net(browser->world), &browser->voice.local,
			             &browser->voice.remote, out.bytes, out.len, now_us);
		} else if (out.kind == DTLS_OUT_CONNECTED) {
			sim_voice_keys(&browser->voice,
			               srtp_suite_by_dtls_profile((uint16_t)out.keys->profile),
			               out.keys->local.key, out.keys->local.salt,
			               out.keys->remote.key, out.keys->remote.salt);
			browser->voice.sending = true;
			browser->voice.next_us = 0;
			browser->talking = true;
		}
	}
}

static void
drain_ice(struct sim_browser *browser, int64_t now_us)
{
	bool selected = false;
	for (struct ice_check_out out; (out = ice_check_poll(&browser->ice)).kind !=
	                               ICE_CHECK_OUT_NONE;) {
		if (out.kind == ICE_CHECK_OUT_DATAGRAM) {
			sim_net_send(sim_world_net(browser->world), &browser->voice.local, out.to,
			             out.bytes, out.len, now_us);
		} else if (out.kind == ICE_CHECK_OUT_SELECTED) {
			browser->voice.remote = *out.to;
			selected = true;
		}
	}
	if (selected && browser->dtls->state == DTLS_IDLE) {
		CHECK(dtls_start(browser->dtls, now_us) == 0);
		drain_dtls(browser, now_us);
	}
}

static void
add_candidates(struct sim_browser *browser, struct str answer)
{
	static struct sdp sdp;
	CHECK(sdp_parse(&sdp, answer) == SDP_OK);
	for (unsigned i = 0; i < sdp.candidate_count; i++)
		if (sdp.candidates[i].component == 1)
			(void)ice_check_add_remote(&browser->ice, &sdp.candidates[i].addr,
			                           sdp.candidates[i].priority);
}

static void
answered(struct sim_browser *browser, struct str answer, int64_t now_us)
{
	struct prng *prng = sim_world_prng(browser->world);
	if (browser->sdp == NULL || browser->sdp->state != SDP_HAVE_LOCAL_OFFER)
		return;
	if (sdp_session_answer_take(browser->sdp, answer) != SDP_OK)
		sim_fail(browser->world, "an answer the browser cannot use");
	const struct sdp_line *line = sdp_session_line(browser->sdp, 0);
	CHECK(line != NULL && line->ice && line->security == SDP_SECURITY_DTLS);
	const struct sdp_path *path = sdp_session_path(browser->sdp, line);
	if (line->dtls_server)
		sim_fail(browser->world, "the bridge must be the DTLS server");
	const struct ice_check_settings ice = {
		.local_ufrag = str_of(browser->ufrag),
		.local_pwd = str_of(browser->pwd),
		.remote_ufrag = str_of(path->remote_ufrag),
		.remote_pwd = str_of(path->remote_pwd),
		.tie_breaker = prng_u64(prng),
		.priority = ice_priority(110, 65535),
		.seed = prng_u64(prng),
	};
	ice_check_init(&browser->ice, &ice, now_us);
	browser->checking = true;
	add_candidates(browser, answer);
	struct dtls_fingerprint fingerprint = { .hash = DTLS_SHA256 };
	memcpy(fingerprint.digest, path->remote_fingerprint.bytes, 32);
	const struct dtls_settings dtls = { .context = sim_world_dtls(browser->world),
		                            .role = DTLS_CLIENT,
		                            .fingerprints = &fingerprint,
		                            .fingerprint_count = 1 };
	browser->dtls = calloc(1, sizeof *browser->dtls);
	CHECK(browser->dtls != NULL);
	dtls_init(browser->dtls, &dtls, now_us);
	browser->voice.secured = true;
	browser->voice.payload_type = browser->sdp->codecs[line->codec_first].send_payload;
	browser->voice.level_ext = line->extension_ids[0];
	ice_check_tick(&browser->ice, now_us);
	drain_ice(browser, now_us);
}

/* ---- The roster ---------------------------------------------------------------------------- */

static unsigned
find_person(const struct sim_browser *browser, struct str id)
{
	unsigned i = 0;
	while (i < browser->people_count && !str_eq(str_of(browser->people[i]), id))
		i++;
	return i;
}

static void
take_roster(struct sim_browser *browser, const struct c2w_roster *roster)
{
	if (roster->complete)
		browser->people_count = 0;
	for (uint32_t i = 0; i < roster->count; i++) {
		const struct c2w_person *person = &roster->people[i];
		const unsigned at = find_person(browser, person->participant);
		if (person->gone && at < browser->people_count)
			memmove(browser->people[at], browser->people[--browser->people_count],
			        sizeof browser->people[at]);
		else if (!person->gone && at == browser->people_count && at < PEOPLE_MAX)
			str_copy(browser->people[browser->people_count++], GUID_TEXT_LEN + 1,
			         person->participant);
	}
}

bool
sim_browser_owns(const struct sim_browser *browser, const struct c2w_message *message,
                 uint32_t session)
{
	if (session != 0)
		return browser->session == session;
	return message->request != 0 && browser->request == message->request;
}

void
sim_browser_message(struct sim_browser *browser, const struct c2w_message *message)
{
	const int64_t now_us = sim_world_now(browser->world);
	if (browser->vanished)
		return;
	if (message->kind == C2W_JOINED) {
		str_copy(browser->token, sizeof browser->token, message->joined.token);
		open_socket(browser);
	} else if (message->kind == C2W_REFUSED) {
		snprintf(browser->refused, sizeof browser->refused, "%s",
		         c2w_refusal_name(message->refusal));
	} else if (message->kind == C2W_OPENED) {
		browser->opened = true;
		if (!browser->talking || !message->opened.resumed)
			start_media(browser);
	} else if (message->kind == C2W_ANSWER) {
		answered(browser, message->sdp.sdp, now_us);
	} else if (message->kind == C2W_ROSTER) {
		take_roster(browser, &message->roster);
	} else if (message->kind == C2W_ENDED) {
		browser->ended = true;
		browser->session = 0;
		end_media(browser);
	}
}

void
sim_browser_link_lost(struct sim_browser *browser)
{
	browser->session = 0;
	browser->opened = false;
}

/* ---- Packets and time ----------------------------------------------------------------------- */

bool
sim_browser_input(struct sim_browser *browser, const struct net_addr *to,
                  const struct net_addr *from, uint8_t *bytes, size_t len, int64_t now_us)
{
	if (!addr_eq_ip(to, &browser->voice.local))
		return false;
	if (browser->vanished || !browser->checking || !addr_eq(to, &browser->voice.local))
		return true;
	switch (rtp_kind_of(bytes, len)) {
	case RTP_KIND_STUN:
		ice_check_input(&browser->ice, from, bytes, len, now_us);
		drain_ice(browser, now_us);
		break;
	case RTP_KIND_DTLS:
		if (browser->dtls->state != DTLS_IDLE) {
			dtls_input(browser->dtls, bytes, len, now_us);
			drain_dtls(browser, now_us);
		}
		break;
	case RTP_KIND_RTP:
		sim_voice_input(&browser->voice, bytes, len);
		break;
	case RTP_KIND_RTCP:
	case RTP_KIND_CHANNEL:
	case RTP_KIND_UNKNOWN:
		break;
	}
	return true;
}

void
sim_browser_tick(struct sim_browser *browser, int64_t now_us)
{
	if (browser->vanished || !browser->checking)
		return;
	if (ice_check_deadline(&browser->ice) <= now_us) {
		ice_check_tick(&browser->ice, now_us);
		drain_ice(browser, now_us);
	}
	if (dtls_deadline(browser->dtls) <= now_us) {
		dtls_tick(browser->dtls, now_us);
		drain_dtls(browser, now_us);
	}
	if (browser->talking)
		sim_voice_tick(&browser->voice, now_us);
}

/* ---- What a person does with it ------------------------------------------------------------- */

struct sim_browser *
sim_browser_new(struct sim_world *world, unsigned number, double pitch_hz)
{
	struct sim_browser *browser = calloc(1, sizeof *browser);
	CHECK(browser != NULL);
	browser->world = world;
	browser->number = number;
	browser->port = 40000;
	const struct net_addr local = addr_ip4(203, 0, 113, (uint8_t)number, browser->port);
	sim_voice_init(&browser->voice, world, &local, pitch_hz, true);
	return browser;
}

bool
sim_browser_talking(const struct sim_browser *browser)
{
	return browser->talking;
}

void
sim_browser_mute(struct sim_browser *browser, bool muted)
{
	struct c2w_message message = { .kind = C2W_MUTE, .mute = muted };
	say(browser, &message);
}

void
sim_browser_drop_socket(struct sim_browser *browser)
{
	struct c2w_message message = { .kind = C2W_CLOSED };
	say(browser, &message);
	browser->session = 0;
	browser->opened = false;
}

void
sim_browser_reopen(struct sim_browser *browser)
{
	if (browser->session == 0 && browser->token[0] != '\0' && !browser->ended &&
	    !browser->vanished && sim_world_link_up(browser->world))
		open_socket(browser);
}

void
sim_browser_new_media(struct sim_browser *browser)
{
	if (browser->opened && !browser->vanished)
		start_media(browser);
}

void
sim_browser_leave(struct sim_browser *browser)
{
	struct c2w_message message = { .kind = C2W_LEAVE };
	say(browser, &message);
}

void
sim_browser_vanish(struct sim_browser *browser)
{
	/* Its Web Bridge notices by missing pongs. */
	sim_browser_drop_socket(browser);
	browser->vanished = true;
}

struct sim_ear *
sim_browser_ear(struct sim_browser *browser)
{
	return &browser->voice.ear;
}

double
sim_browser_pitch(const struct sim_browser *browser)
{
	return browser->voice.pitch_hz;
}

unsigned
sim_browser_people(const struct sim_browser *browser)
{
	return browser->people_count;
}

const char *
sim_browser_refused(const struct sim_browser *browser)
{
	return browser->refused;
}

void
sim_browser_free(struct sim_browser *browser)
{
	end_media(browser);
	sim_voice_fini(&browser->voice);
	free(browser);
}
