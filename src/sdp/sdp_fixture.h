/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_fixture -- the capabilities and transports of a bridge, for the unit tests and the fuzz
 * target.  Included by one file of each program. */
#ifndef SDP_SDP_FIXTURE_H
#define SDP_SDP_FIXTURE_H

#include "sdp/sdp_session.h"

static const struct sdp_codec_cap fixture_audio_codecs[] = {
	{ STR_INIT("opus"), 48000, 2, 111, STR_INIT("minptime=10;useinbandfec=1;usedtx=1") },
	{ STR_INIT("G722"), 8000, 1, 9, STR_INIT("") },
	{ STR_INIT("PCMU"), 8000, 1, 0, STR_INIT("") },
	{ STR_INIT("PCMA"), 8000, 1, 8, STR_INIT("") },
	{ STR_INIT("telephone-event"), 48000, 1, 110, STR_INIT("0-15") },
	{ STR_INIT("telephone-event"), 8000, 1, 101, STR_INIT("0-15") },
};

static const struct sdp_codec_cap fixture_video_codecs[] = {
	{ STR_INIT("H264"), 90000, 1, 97,
	  STR_INIT("profile-level-id=42801F;packetization-mode=1;max-fs=8160") },
	{ STR_INIT("H264"), 90000, 1, 99,
	  STR_INIT("profile-level-id=640028;packetization-mode=1;level-asymmetry-allowed=1") },
	{ STR_INIT("H264"), 90000, 1, 100, STR_INIT("profile-level-id=42E01F") },
	{ STR_INIT("VP8"), 90000, 1, 98, STR_INIT("") },
};

static const struct sdp_codec_cap fixture_browser_codecs[] = {
	{ STR_INIT("VP8"), 90000, 1, 96, STR_INIT("") },
	{ STR_INIT("H264"), 90000, 1, 97,
	  STR_INIT("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034") },
	{ STR_INIT("H264"), 90000, 1, 98,
	  STR_INIT("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=420034") },
	{ STR_INIT("VP9"), 90000, 1, 99, STR_INIT("profile-id=0") },
	{ STR_INIT("AV1"), 90000, 1, 100, STR_INIT("") },
};

static const struct sdp_codec_cap fixture_camera_codecs[] = {
	{ STR_INIT("H224"), 4800, 1, 100, STR_INIT("") },
};

static const struct str fixture_feedbacks[] = {
	STR_INIT("nack pli"), STR_INIT("ccm fir"), STR_INIT("ccm tmmbr"),
	STR_INIT("nack"),     STR_INIT("goog-remb"), STR_INIT("transport-cc"),
};

static const struct str fixture_extensions[] = {
	STR_INIT("urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
	STR_INIT("urn:ietf:params:rtp-hdrext:sdes:mid"),
	STR_INIT("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
	STR_INIT("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"),
	STR_INIT("http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"),
	STR_INIT("urn:3gpp:video-orientation"),
};

/* What a room has; fixture_with_video() gives the first three of them. */
enum {
	FIXTURE_AUDIO,
	FIXTURE_VIDEO,
	FIXTURE_CONTENT,
	FIXTURE_BFCP,
	FIXTURE_CAMERA,
	FIXTURE_MEDIAS,
};

enum {
	FIXTURE_AUDIO_EXTENSIONS = 1 << 0 | 1 << 1,
	FIXTURE_VIDEO_EXTENSIONS = 0x3e,
	FIXTURE_VIDEO_CODECS = sizeof fixture_video_codecs / sizeof fixture_video_codecs[0],
	FIXTURE_BROWSER_CODECS = sizeof fixture_browser_codecs / sizeof fixture_browser_codecs[0],
};

static const struct sdp_media_cap fixture_medias[FIXTURE_MEDIAS] = {
	[FIXTURE_AUDIO] = {
		.kind = SDP_AUDIO,
		.direction = SDP_SENDRECV,
		.codecs = fixture_audio_codecs,
		.codec_count = sizeof fixture_audio_codecs / sizeof fixture_audio_codecs[0],
		.extensions = FIXTURE_AUDIO_EXTENSIONS,
		.ptime_ms = 20,
	},
	[FIXTURE_VIDEO] = {
		.kind = SDP_VIDEO,
		.direction = SDP_SENDRECV,
		.codecs = fixture_video_codecs,
		.codec_count = FIXTURE_VIDEO_CODECS,
		.feedbacks = fixture_feedbacks,
		.feedback_count = 3,
		.bandwidth_bps = 2000000,
		.label = STR_INIT("11"),
	},
	[FIXTURE_CONTENT] = {
		.kind = SDP_VIDEO,
		.content = STR_INIT("slides"),
		.direction = SDP_SENDRECV,
		.codecs = fixture_video_codecs,
		.codec_count = FIXTURE_VIDEO_CODECS,
		.bandwidth_bps = 2000000,
		.label = STR_INIT("12"),
	},
	[FIXTURE_BFCP] = {
		.kind = SDP_APPLICATION,
		.bfcp = {
			.protos = 1 << SDP_PROTO_BFCP_UDP | 1 << SDP_PROTO_BFCP_TCP |
		                  1 << SDP_PROTO_BFCP_TLS,
			.offered = SDP_PROTO_BFCP_UDP,
			.client = true,
			.conference_id = 77,
			.user_id = 3,
			.floor_id = 2,
			.stream = STR_INIT("12"),
		},
	},
	[FIXTURE_CAMERA] = {
		.kind = SDP_APPLICATION,
		.direction = SDP_SENDRECV,
		.codecs = fixture_camera_codecs,
		.codec_count = 1,
	},
};

/* What the web app's offers are for. */
enum { FIXTURE_SELF = 1, FIXTURE_SCREEN, FIXTURE_TILE, FIXTURE_BROWSER_MEDIAS };

static const struct sdp_media_cap fixture_browser_medias[FIXTURE_BROWSER_MEDIAS] = {
	[FIXTURE_AUDIO] = {
		.kind = SDP_AUDIO,
		.direction = SDP_SENDRECV,
		.codecs = fixture_audio_codecs,
		.codec_count = sizeof fixture_audio_codecs / sizeof fixture_audio_codecs[0],
		.extensions = FIXTURE_AUDIO_EXTENSIONS,
	},
	[FIXTURE_SELF] = {
		.kind = SDP_VIDEO,
		.direction = SDP_RECVONLY,
		.codecs = fixture_browser_codecs,
		.codec_count = FIXTURE_BROWSER_CODECS,
		.rtx = true,
		.simulcast_max = 3,
		.feedbacks = fixture_feedbacks,
		.feedback_count = 6,
		.extensions = FIXTURE_VIDEO_EXTENSIONS,
	},
	[FIXTURE_SCREEN] = {
		.kind = SDP_VIDEO,
		.content = STR_INIT("slides"),
		.direction = SDP_RECVONLY,
		.codecs = fixture_browser_codecs,
		.codec_count = FIXTURE_BROWSER_CODECS,
		.rtx = true,
		.feedbacks = fixture_feedbacks,
		.feedback_count = 6,
		.extensions = FIXTURE_VIDEO_EXTENSIONS,
	},
	[FIXTURE_TILE] = {
		.kind = SDP_VIDEO,
		.direction = SDP_SENDONLY,
		.many = true,
		.codecs = fixture_browser_codecs,
		.codec_count = FIXTURE_BROWSER_CODECS,
		.rtx = true,
		.feedbacks = fixture_feedbacks,
		.feedback_count = 6,
		.extensions = FIXTURE_VIDEO_EXTENSIONS,
	},
};

enum { FIXTURE_ALL_SUITES = (1 << SDP_SUITES) - 2 };

/* A leg that speaks sound only, as SIP and as web app. */
static const struct sdp_settings fixture_sip = {
	.medias = fixture_medias,
	.media_count = 1,
	.encryption = SDP_ENCRYPTION_OPTIONAL,
	.profile = SDP_PROFILE_BEST_EFFORT,
	.sdes = true,
	.dtls = true,
	.ice = true,
	.ice_lite = true,
	.rtcp_mux = true,
	.suites = FIXTURE_ALL_SUITES,
	.session_id = 4711,
};

static const struct sdp_settings fixture_web = {
	.medias = fixture_medias,
	.media_count = 1,
	.extensions = fixture_extensions,
	.extension_count = sizeof fixture_extensions / sizeof fixture_extensions[0],
	.cname = STR_INIT("bridge"),
	.encryption = SDP_ENCRYPTION_REQUIRED,
	.profile = SDP_PROFILE_DTLS,
	.dtls = true,
	.ice = true,
	.ice_lite = true,
	.bundle = true,
	.rtcp_mux = true,
	.session_id = 4712,
};

static inline struct sdp_settings
fixture_with_video(const struct sdp_settings *settings)
{
	struct sdp_settings with = *settings;
	with.media_count = FIXTURE_CONTENT + 1;
	return with;
}

/* A room with all it can have, and a browser with all of its lines. */
static inline struct sdp_settings
fixture_room(void)
{
	struct sdp_settings room = fixture_sip;
	room.media_count = FIXTURE_MEDIAS;
	return room;
}

static inline struct sdp_settings
fixture_browser(void)
{
	struct sdp_settings browser = fixture_web;
	browser.medias = fixture_browser_medias;
	browser.media_count = FIXTURE_BROWSER_MEDIAS;
	return browser;
}

static uint8_t fixture_random[SDP_SDES_RANDOM_BYTES];
static struct net_addr fixture_candidates[FIXTURE_MEDIAS][2];

/* Separate ports for a SIP leg, one port for everything for a browser. */
static inline void
fixture_transports(struct sdp_transport transports[FIXTURE_MEDIAS], bool one_port)
{
	for (unsigned i = 0; i < sizeof fixture_random; i++)
		fixture_random[i] = (uint8_t)(i * 7 + 1);
	for (unsigned i = 0; i < FIXTURE_MEDIAS; i++) {
		const uint16_t port = (uint16_t)(one_port ? 50000 : 40000 + 2 * i);
		fixture_candidates[i][0] = addr_ip4(198, 51, 100, 1, port);
		fixture_candidates[i][1] = addr_ip4(10, 0, 0, 1, port);
		transports[i] = (struct sdp_transport){
			.rtp = addr_ip4(198, 51, 100, 1, port),
			.rtcp = addr_ip4(198, 51, 100, 1, (uint16_t)(port + 1)),
			.ice_ufrag = STR("ourU"),
			.ice_pwd = STR("ourpasswordourpasswordou"),
			.candidates = fixture_candidates[i],
			.candidate_count = 2,
			.fingerprint = { .hash = SDP_HASH_SHA256, .len = 32, .bytes = { 1, 2, 3 } },
			.sdes_random = fixture_random,
		};
	}
}

#endif
