/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sdp/sdp_session.h"
#include "sip/sip_ua.h"

enum {
	SDP_MAX = 16384,
	FAILED_MAX = 160,
	OPUS = 111,
	H264 = 97,
	PICTURE_BPS = 2000000,
	SESSIONS_MAX = 2,
	TRANSACTIONS_MAX = 32,
	BLOCKS_MAX = 256,
};

/* One line of the SDP: a socket and what goes over it. */
enum { SOUND, PICTURE, PARTS };

struct room {
	struct room_settings settings;
	char failed[FAILED_MAX]; /* empty: all is well */
	bool ending;
	struct udp_socket *socket;
	struct sip_ua *ua;
	sip_session_id session;
	struct sdp_settings sdp_settings;
	struct sdp_session sdp;
	bool ready;
	struct link links[PARTS];
	struct streams streams[PARTS];
};

static const struct sdp_codec_cap sounds[] = {
	{ .name = STR_INIT("opus"), .rate_hz = 48000, .channels = 2, .payload = OPUS,
	  .fmtp = STR_INIT("useinbandfec=1") },
};

static const struct sdp_codec_cap pictures[] = {
	{ .name = STR_INIT("H264"), .rate_hz = 90000, .channels = 1, .payload = H264,
	  .fmtp = STR_INIT("profile-level-id=42e01f;packetization-mode=1") },
};

enum { PLI, FIR, NACK };

static const struct str feedbacks[] = {
	[PLI] = STR_INIT("nack pli"), [FIR] = STR_INIT("ccm fir"), [NACK] = STR_INIT("nack"),
};

static const struct sdp_media_cap medias[PARTS] = {
	[SOUND] = { .kind = SDP_AUDIO, .direction = SDP_SENDRECV, .codecs = sounds,
	            .codec_count = COUNT_OF(sounds), .ptime_ms = 20 },
	[PICTURE] = { .kind = SDP_VIDEO, .direction = SDP_SENDRECV, .codecs = pictures,
	              .codec_count = COUNT_OF(pictures), .feedbacks = feedbacks,
	              .feedback_count = COUNT_OF(feedbacks), .bandwidth_bps = PICTURE_BPS },
};

static const enum srtp_suite suites[SDP_SUITES] = {
	[SDP_SUITE_AES_CM_128_HMAC_SHA1_32] = SRTP_SUITE_AES_CM_128_HMAC_SHA1_32,
	[SDP_SUITE_AES_CM_128_HMAC_SHA1_80] = SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
	[SDP_SUITE_AES_256_CM_HMAC_SHA1_32] = SRTP_SUITE_AES_256_CM_HMAC_SHA1_32,
	[SDP_SUITE_AES_256_CM_HMAC_SHA1_80] = SRTP_SUITE_AES_256_CM_HMAC_SHA1_80,
	[SDP_SUITE_AEAD_AES_256_GCM] = SRTP_SUITE_AEAD_AES_256_GCM,
	[SDP_SUITE_AEAD_AES_128_GCM] = SRTP_SUITE_AEAD_AES_128_GCM,
};

static void
fail(struct room *room, const char *what, struct str why)
{
	if (room->failed[0] == '\0' && !room->ending)
		snprintf(room->failed, sizeof room->failed, "%s: %.*s", what,
		         (int)(why.len < FAILED_MAX / 2 ? why.len : FAILED_MAX / 2), why.at);
}

/* ---- Descriptions --------------------------------------------------------------------------- */

static void
transports_of(struct room *room, struct sdp_transport transports[PARTS],
              uint8_t random[PARTS][SDP_SDES_RANDOM_BYTES])
{
	for (unsigned i = 0; i < PARTS; i++) {
		prng_bytes(room->settings.prng, random[i], SDP_SDES_RANDOM_BYTES);
		transports[i] = (struct sdp_transport){ .rtp = *udp_local(room->links[i].socket),
			                                .sdes_random = random[i] };
	}
}

static struct str
write_sdp(struct room *room, bool is_offer, char text[SDP_MAX])
{
	uint8_t random[PARTS][SDP_SDES_RANDOM_BYTES];
	struct sdp_transport transports[PARTS];
	struct writer w = writer_of(text, SDP_MAX);
	transports_of(room, transports, random);
	if (is_offer)
		sdp_session_offer_write(&room->sdp, transports, &w);
	else
		sdp_session_answer_write(&room->sdp, transports, &w);
	CHECK(!w.failed);
	return writer_view(&w);
}

static bool
start_link(struct room *room, unsigned part)
{
	const struct sdp_line *line = sdp_session_line(&room->sdp, part);
	if (line == NULL || !line->rtcp_mux) {
		fail(room, part == SOUND ? "sound" : "picture",
		     line == NULL ? STR("refused") : STR("no rtcp-mux"));
		return false;
	}
	struct link_room how = { .remote = line->remote_rtp };
	if (line->security == SDP_SECURITY_SDES) {
		const struct sdp_sdes *sdes = &sdp_session_path(&room->sdp, line)->sdes;
		how.suite = suites[sdes->suite];
		how.key_tx = sdes->local_key;
		how.key_rx = sdes->remote_key;
	}
	link_start_room(&room->links[part], &how, loop_now_us());
	return true;
}

static const struct sdp_line_codec *
codec_of(const struct room *room, unsigned part)
{
	return &room->sdp.codecs[sdp_session_line(&room->sdp, part)->codec_first];
}

/* Without AVPF there is no RTX: what is sent again is sent as it was. */
static bool
asks_again(const struct room *room)
{
	return (codec_of(room, PICTURE)->feedbacks & 1u << NACK) != 0;
}

/* What was agreed on begins; later descriptions of the bridge's change nothing here. */
static void
apply(struct room *room)
{
	static const struct stream_marks none;
	const int64_t now_us = loop_now_us();
	struct streams *sound = &room->streams[SOUND];
	struct streams *picture = &room->streams[PICTURE];
	if (room->ready || !start_link(room, SOUND) || !start_link(room, PICTURE))
		return;
	room->ready = true;
	sound->in_sound.payload_type = codec_of(room, SOUND)->receive_payload;
	out_sound_start(sound, room->settings.voice, codec_of(room, SOUND)->send_payload, &none,
	                now_us);
	const struct out_video_settings out = { .clip = room->settings.clip,
		                                .payload_type = codec_of(room, PICTURE)->send_payload,
		                                /* SRTP would have to make it the same to the byte. */
		                                .again = room->settings.clear && asks_again(room) };
	out_video_add(picture, &out, now_us);
	const struct in_video_settings in = { .h264 = codec_of(room, PICTURE)->receive_payload,
		                              .again = asks_again(room) };
	struct in_video *made = in_video_add(picture, &in);
	CHECK(made != NULL);
	in_video_show(made, true, true, now_us);
}

/* ---- SIP ------------------------------------------------------------------------------------ */

static void
take_offer(struct room *room, const struct sip_event *event, int64_t now_us)
{
	char text[SDP_MAX];
	if (event->body.len == 0)
		(void)sip_session_answer(room->ua, event->session, write_sdp(room, true, text),
		                         now_us);
	else if (sdp_session_offer_take(&room->sdp, event->body) != SDP_OK)
		(void)sip_session_refuse(room->ua, event->session, 488, now_us);
	else
		(void)sip_session_answer(room->ua, event->session, write_sdp(room, false, text),
		                         now_us);
}

static void
on_event(struct room *room, const struct sip_event *event, int64_t now_us)
{
	switch (event->kind) {
	case SIP_EVENT_ANSWERED:
	case SIP_EVENT_ANSWER: {
		const enum sdp_reject rejected = sdp_session_answer_take(&room->sdp, event->body);
		if (rejected == SDP_OK)
			apply(room);
		else
			fail(room, "answer", str_of(sdp_reject_name(rejected)));
		break;
	}
	case SIP_EVENT_OFFER:
		take_offer(room, event, now_us);
		break;
	case SIP_EVENT_OFFER_FAILED:
		sdp_session_offer_drop(&room->sdp);
		break;
	case SIP_EVENT_INFO:
	case SIP_EVENT_REFER:
		(void)sip_request_answer(room->ua, event->request, 200, now_us);
		break;
	case SIP_EVENT_ENDED: {
		char why[64];
		snprintf(why, sizeof why, "%u %s", event->status, sip_end_cause_name(event->cause));
		fail(room, "call ended", str_of(why));
		break;
	}
	case SIP_EVENT_INCOMING:
		(void)sip_session_reject(room->ua, event->session, 486, (struct str){ 0 },
		                         (struct str){ 0 }, now_us);
		break;
	case SIP_EVENT_PROGRESS:
	case SIP_EVENT_CONFIRMED:
	case SIP_EVENT_REFRESHED:
		break;
	}
}

static void
drain(struct room *room, int64_t now_us)
{
	for (struct sip_out out; (out = sip_ua_poll(room->ua)).kind != SIP_OUT_NONE;) {
		if (out.kind == SIP_OUT_EVENT)
			on_event(room, out.event, now_us);
		else if (out.kind == SIP_OUT_DATAGRAM)
			udp_send(room->socket, &out.to, out.bytes, out.len);
		else
			fail(room, "SIP", STR("wants more than UDP"));
	}
}

static void
on_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	struct room *room = context;
	(void)socket;
	sip_ua_datagram(room->ua, 0, datagram->from, datagram->bytes, datagram->len,
	                datagram->now_us);
	drain(room, datagram->now_us);
}

void
room_call(struct room *room)
{
	char target[160];
	char host[ADDR_TEXT_MAX];
	char from[64];
	char sdp[SDP_MAX];
	const int64_t now_us = loop_now_us();
	snprintf(target, sizeof target, "sip:%s@%s", room->settings.address,
	         addr_text(host, &room->settings.sip));
	if (strchr(room->settings.address, '@') != NULL)
		snprintf(target, sizeof target, "sip:%s", room->settings.address);
	snprintf(from, sizeof from, "sip:room%u@load", room->settings.number);
	const struct sip_call call = { .target = str_of(target),
		                       .from_uri = str_of(from),
		                       .from_display = str_of(from + 4),
		                       .contact_user = STR("room"),
		                       .route = (struct str){ 0 },
		                       .sdp = write_sdp(room, true, sdp) };
	if (sip_ua_call(room->ua, &room->session, &call, now_us) != 0)
		fail(room, "call", STR("the address cannot be called"));
	drain(room, now_us);
}

void
room_hang_up(struct room *room)
{
	const int64_t now_us = loop_now_us();
	room->ending = true;
	if (room->session.v == 0)
		return;
	(void)sip_session_end(room->ua, room->session, 0, (struct str){ 0 }, now_us);
	drain(room, now_us);
}

/* ---- Media ---------------------------------------------------------------------------------- */

static void
on_connected(void *context, int64_t now_us)
{
	(void)context;
	(void)now_us;
}

static void
on_rtp(void *context, const struct rtp_packet *packet, int64_t now_us)
{
	streams_rtp(context, packet, now_us);
}

static void
on_rtcp(void *context, const uint8_t *bytes, size_t len, int64_t now_us)
{
	streams_rtcp(context, bytes, len, now_us);
}

static const struct link_handler link_handler = {
	.connected = on_connected, .rtp = on_rtp, .rtcp = on_rtcp,
};

/* ---- Life ----------------------------------------------------------------------------------- */

static bool
open_sip(struct room *room)
{
	const struct udp_settings udp = { .bind = room->settings.bind,
		                          .receive = on_datagram,
		                          .context = room };
	if (udp_open(&room->socket, room->settings.loop, &udp) != 0)
		return false;
	const struct sip_ua_listener listener = { .transport = SIP_TRANSPORT_UDP,
		                                  .addr = *udp_local(room->socket) };
	struct sip_ua_settings settings = sip_ua_settings_default();
	settings.listeners = &listener;
	settings.listener_count = 1;
	settings.seed = prng_u64(room->settings.prng);
	settings.sessions_max = SESSIONS_MAX;
	settings.transactions_max = TRANSACTIONS_MAX;
	settings.flows_max = 1;
	settings.blocks_max = BLOCKS_MAX;
	settings.half_open_max = 1;
	settings.half_open_per_source_max = 1;
	return sip_ua_create(&room->ua, &settings, loop_now_us()) == 0;
}

static bool
open_links(struct room *room)
{
	for (unsigned i = 0; i < PARTS; i++) {
		const struct link_settings link = {
			.loop = room->settings.loop,
			.bind = room->settings.bind,
			.drop_permille = room->settings.drop_permille,
			.prng = room->settings.prng,
			.handler = &link_handler,
			.context = &room->streams[i],
		};
		if (link_open(&room->links[i], &link) != 0)
			return false;
		streams_init(&room->streams[i], &room->links[i], room->settings.pool,
		             room->settings.prng);
	}
	return true;
}

struct room *
room_create(const struct room_settings *settings)
{
	struct room *room = calloc(1, sizeof *room);
	if (room == NULL)
		return NULL;
	room->settings = *settings;
	room->sdp_settings = (struct sdp_settings){
		.medias = medias,
		.media_count = PARTS,
		.encryption = settings->clear ? SDP_ENCRYPTION_OPTIONAL : SDP_ENCRYPTION_REQUIRED,
		.profile = settings->clear ? SDP_PROFILE_CLEAR : SDP_PROFILE_SDES,
		.sdes = !settings->clear,
		.rtcp_mux = true,
		.suites = 1u << SDP_SUITE_AES_CM_128_HMAC_SHA1_80,
		.session_id = prng_u64(settings->prng) >> 2,
	};
	sdp_session_init(&room->sdp, &room->sdp_settings);
	if (!open_sip(room) || !open_links(room)) {
		room_destroy(room);
		return NULL;
	}
	return room;
}

void
room_destroy(struct room *room)
{
	if (room == NULL)
		return;
	for (unsigned i = 0; i < PARTS; i++) {
		streams_fini(&room->streams[i]);
		link_close(&room->links[i]);
	}
	if (room->socket != NULL)
		udp_close(room->socket);
	sip_ua_destroy(room->ua);
	sdp_session_fini(&room->sdp);
	free(room);
}

void
room_tick(struct room *room, int64_t now_us)
{
	if (sip_ua_deadline(room->ua) <= now_us) {
		sip_ua_tick(room->ua, now_us);
		drain(room, now_us);
	}
	for (unsigned i = 0; i < PARTS; i++)
		streams_tick(&room->streams[i], now_us);
}

bool
room_ready(const struct room *room)
{
	return room->ready;
}

const char *
room_failed(const struct room *room)
{
	return room->failed[0] != '\0' ? room->failed : NULL;
}

void
room_talk(struct room *room, bool talks)
{
	room->streams[SOUND].out_sound.talks = talks;
}

struct streams *
room_sound(struct room *room)
{
	return &room->streams[SOUND];
}

struct streams *
room_picture(struct room *room)
{
	return &room->streams[PICTURE];
}
