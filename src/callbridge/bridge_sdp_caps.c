/* SPDX-License-Identifier: Apache-2.0 */
/* What we can in SDP, and what a leg's profile allows of it. */
#include "callbridge/bridge_internal.h"

enum {
	FRAME_MS_USUAL = 20,
	FLOOR_ID = 1,
	FLOOR_USER_ID = 2,
	MBPS = 1000 * 1000,
	/* No mid: the worker sends none with sound, whose SSRC is told. */
	SOUND_EXTENSIONS = 1 << EXTENSION_LEVEL,
	PICTURE_EXTENSIONS = 1 << EXTENSION_MID | 1 << EXTENSION_RID |
	                     1 << EXTENSION_REPAIRED_RID | 1 << EXTENSION_TWCC |
	                     1 << EXTENSION_ORIENTATION,
	/* To rooms we offer what serves outside a bundle. */
	ROOM_PICTURE_EXTENSIONS = 1 << EXTENSION_TWCC | 1 << EXTENSION_ORIENTATION,
};

const struct str description_extensions[] = {
	[EXTENSION_LEVEL] = STR_INIT("urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
	[EXTENSION_MID] = STR_INIT("urn:ietf:params:rtp-hdrext:sdes:mid"),
	[EXTENSION_RID] = STR_INIT("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
	[EXTENSION_REPAIRED_RID] =
		STR_INIT("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"),
	[EXTENSION_TWCC] = STR_INIT(
		"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"),
	[EXTENSION_ORIENTATION] = STR_INIT("urn:3gpp:video-orientation"),
};
static_assert(COUNT_OF(description_extensions) == EXTENSIONS);

static const struct str feedbacks[] = {
	[FEEDBACK_PLI] = STR_INIT("nack pli"),       [FEEDBACK_FIR] = STR_INIT("ccm fir"),
	[FEEDBACK_TMMBR] = STR_INIT("ccm tmmbr"),    [FEEDBACK_NACK] = STR_INIT("nack"),
	[FEEDBACK_REMB] = STR_INIT("goog-remb"),     [FEEDBACK_TWCC] = STR_INIT("transport-cc"),
};
static_assert(COUNT_OF(feedbacks) == FEEDBACKS);

static const struct sdp_codec_cap sound_codecs[] = {
	{ .name = STR_INIT("opus"), .rate_hz = 48000, .channels = 2, .payload = 111,
	  .fmtp = STR_INIT("minptime=10;useinbandfec=1;stereo=0") },
	{ .name = STR_INIT("G722"), .rate_hz = 8000, .channels = 1, .payload = 9 },
	{ .name = STR_INIT("PCMU"), .rate_hz = 8000, .channels = 1, .payload = 0 },
	{ .name = STR_INIT("PCMA"), .rate_hz = 8000, .channels = 1, .payload = 8 },
	{ .name = STR_INIT("telephone-event"), .rate_hz = 48000, .channels = 1, .payload = 110,
	  .fmtp = STR_INIT("0-15") },
	{ .name = STR_INIT("telephone-event"), .rate_hz = 8000, .channels = 1, .payload = 101,
	  .fmtp = STR_INIT("0-15") },
};

#define H264(wished, profile_level, mode)                                                    \
	{ .name = STR_INIT("H264"), .rate_hz = 90000, .channels = 1, .payload = wished,      \
	  .fmtp = STR_INIT("profile-level-id=" profile_level ";packetization-mode=" mode     \
	                   ";level-asymmetry-allowed=1") }
#define OTHER(codec, wished, parameters)                                                     \
	{ .name = STR_INIT(codec), .rate_hz = 90000, .channels = 1, .payload = wished,       \
	  .fmtp = STR_INIT(parameters) }

/* A room's: constrained baseline is what we send; high is for decoding what it sends. */
#define ROOM_CODECS(level)                                                                   \
	{ H264(97, "42e0" level, "1"), H264(98, "6400" level, "1"), H264(99, "42e0" level, "0"), \
	  OTHER("VP8", 100, "") }

/* Levels of H.264 by the height they have room for at 30 frames a second. */
static const struct sdp_codec_cap room_codecs_1080[] = ROOM_CODECS("28");
static const struct sdp_codec_cap room_codecs_720[] = ROOM_CODECS("1f");
static const struct sdp_codec_cap room_codecs_480[] = ROOM_CODECS("1e");
enum { ROOM_CODECS_COUNT = COUNT_OF(room_codecs_1080) };

/* A browser's, whatever others in the meeting can: forwarding takes each as it comes.  What it is to
 * send comes first: what everybody takes. */
static const struct sdp_codec_cap browser_codecs[] = {
	OTHER("VP8", 96, ""),
	H264(97, "42e034", "1"),
	H264(98, "420034", "1"),
	H264(99, "640034", "1"),
	H264(100, "42e034", "0"),
	OTHER("VP9", 101, "profile-id=0"),
	OTHER("AV1", 102, ""),
};

static const struct sdp_codec_cap camera_codecs[] = {
	{ .name = STR_INIT("H224"), .rate_hz = 4800, .channels = 1, .payload = 103 },
};

/* ---- Profiles ------------------------------------------------------------------------------ */

uint32_t
description_setting(const struct bridge *bridge, const struct bridge_leg *leg, uint32_t replaces,
                    enum leg_profile_field field)
{
	struct meeting *meeting = bridge->settings.meeting;
	/* Who is still at the door will go where its entry says. */
	const uint32_t own = meeting_leg_at_door(meeting, leg->meeting_leg) ? 0 : leg->meeting_leg;
	const uint32_t holder = own != 0 ? own : replaces;
	return holder != 0 ? meeting_leg_setting(meeting, holder, field)
	                   : meeting_entry_setting(meeting, &leg->entry, field);
}

static struct description_quality
quality_of(bool content, uint32_t setting)
{
	/* Bit rates as rooms use them for such a picture. */
	static const struct description_quality mains[] = {
		[QUALITY_UNRESTRICTED] = { 0, 0, 6 * MBPS },
		[QUALITY_1080P30] = { 1080, 30, 4 * MBPS },
		[QUALITY_720P30] = { 720, 30, 2 * MBPS },
		[QUALITY_480P30] = { 480, 30, 1 * MBPS },
	};
	static const struct description_quality presentations[] = {
		[PRESENTATION_UNRESTRICTED] = { 0, 0, 4 * MBPS },
		[PRESENTATION_1080P30] = { 1080, 30, 4 * MBPS },
		[PRESENTATION_720P5] = { 720, 5, 1 * MBPS },
	};
	if (content)
		return presentations[setting < COUNT_OF(presentations) ? setting : 0];
	return mains[setting < COUNT_OF(mains) ? setting : 0];
}

/* As the profile has it, and no more than was asked for when the far end was called. */
static struct description_quality
quality_for(const struct bridge *bridge, const struct bridge_leg *leg, uint32_t replaces,
            bool content)
{
	enum { SOUND_BPS = 64000, PICTURE_BPS_MIN = 64000 };
	const struct meeting_leg *in = meeting_leg(bridge->settings.meeting, leg->meeting_leg);
	struct description_quality quality = quality_of(
		content, description_setting(bridge, leg, replaces,
	                                     content ? LEG_PROFILE_QUALITY_PRESENTATION
	                                             : LEG_PROFILE_QUALITY_MAIN));
	if (in == NULL || in->bandwidth_bps == 0)
		return quality;
	const uint32_t left = in->bandwidth_bps > SOUND_BPS + PICTURE_BPS_MIN
	                              ? in->bandwidth_bps - SOUND_BPS
	                              : PICTURE_BPS_MIN;
	if (quality.bps_max > left)
		quality.bps_max = left;
	return quality;
}

struct description_quality
description_quality(const struct bridge *bridge, const struct bridge_leg *leg, bool content)
{
	return quality_for(bridge, leg, 0, content);
}

/* ---- Media --------------------------------------------------------------------------------- */

static struct sdp_media_cap
sound(void)
{
	return (struct sdp_media_cap){
		.kind = SDP_AUDIO,
		.direction = SDP_SENDRECV,
		.codecs = sound_codecs,
		.codec_count = COUNT_OF(sound_codecs),
		.extensions = SOUND_EXTENSIONS,
		.ptime_ms = FRAME_MS_USUAL,
	};
}

static struct sdp_media_cap
room_pictures(bool content, const struct description_quality *quality)
{
	const uint16_t height = quality->height_max;
	return (struct sdp_media_cap){
		.kind = SDP_VIDEO,
		.content = content ? STR("slides") : STR("main"),
		.label = content ? STR("12") : STR("11"),
		.direction = SDP_SENDRECV,
		.codecs = height == 0 || height > 720 ? room_codecs_1080
		          : height > 480              ? room_codecs_720
		                                      : room_codecs_480,
		.codec_count = ROOM_CODECS_COUNT,
		.rtx = true,
		.feedbacks = feedbacks,
		.feedback_count = COUNT_OF(feedbacks),
		.extensions = ROOM_PICTURE_EXTENSIONS,
		.bandwidth_bps = quality->bps_max,
	};
}

static struct sdp_media_cap
browser_pictures(enum sdp_direction direction, const struct description_quality *quality)
{
	return (struct sdp_media_cap){
		.kind = SDP_VIDEO,
		.direction = direction,
		.many = direction == SDP_SENDONLY,
		.codecs = browser_codecs,
		.codec_count = COUNT_OF(browser_codecs),
		.rtx = true,
		.feedbacks = feedbacks,
		.feedback_count = COUNT_OF(feedbacks),
		.extensions = PICTURE_EXTENSIONS,
		.bandwidth_bps = quality != NULL && quality->height_max != 0 ? quality->bps_max : 0,
	};
}

static struct sdp_bfcp_cap
floor_control(struct bridge *bridge, bool client)
{
	const struct bridge_floors *floors = &bridge->settings.floors;
	const uint32_t udp = floors->udp_port != 0 ? 1u << SDP_PROTO_BFCP_UDP : 0;
	const uint32_t tcp = floors->tcp_port != 0 ? 1u << SDP_PROTO_BFCP_TCP : 0;
	const uint32_t tls = floors->tls_port != 0 ? 1u << SDP_PROTO_BFCP_TLS : 0;
	return (struct sdp_bfcp_cap){
		/* With no port at all the line is known, and refused for want of one. */
		.protos = udp | tcp | tls | 1u << SDP_PROTO_BFCP_UDP,
		.offered = udp != 0 || (tcp | tls) == 0 ? SDP_PROTO_BFCP_UDP
		           : tcp != 0                   ? SDP_PROTO_BFCP_TCP
		                                        : SDP_PROTO_BFCP_TLS,
		.client = client,
		/* The rooms' messages are told apart by it: strangers shall not guess it. */
		.conference_id = (uint32_t)bridge_random(bridge) | 1,
		.user_id = FLOOR_USER_ID,
		.floor_id = FLOOR_ID,
		.stream = STR("12"),
	};
}

static void
room_caps(struct bridge *bridge, struct bridge_leg *leg, uint32_t replaces)
{
	const struct description_quality main_quality = quality_for(bridge, leg, replaces, false);
	const struct description_quality content_quality = quality_for(bridge, leg, replaces, true);
	const bool client = description_setting(bridge, leg, replaces, LEG_PROFILE_BFCP_MODE) ==
	                    BFCP_SERVER_AND_CLIENT;
	leg->sdp_medias[BRIDGE_MEDIUM_AUDIO] = sound();
	leg->sdp_medias[BRIDGE_MEDIUM_MAIN] = room_pictures(false, &main_quality);
	leg->sdp_medias[BRIDGE_MEDIUM_CONTENT] = room_pictures(true, &content_quality);
	leg->sdp_medias[BRIDGE_MEDIUM_CAMERA] = (struct sdp_media_cap){
		.kind = SDP_APPLICATION,
		.direction = SDP_SENDRECV,
		.codecs = camera_codecs,
		.codec_count = COUNT_OF(camera_codecs),
	};
	leg->sdp_medias[DESCRIBED_FLOOR] = (struct sdp_media_cap){
		.kind = SDP_APPLICATION,
		.bfcp = floor_control(bridge, client),
	};
	leg->allowed = 1u << BRIDGE_MEDIUM_AUDIO;
	if (description_setting(bridge, leg, replaces, LEG_PROFILE_VIDEO_MODE) ==
	    VIDEO_MODE_DISABLED)
		return;
	/* Who may steer cameras is asked of those who want to, not of the room with the camera. */
	leg->allowed |= 1u << BRIDGE_MEDIUM_MAIN | 1u << BRIDGE_MEDIUM_CAMERA;
	if (description_setting(bridge, leg, replaces, LEG_PROFILE_PRESENTATION_CHANNEL) != 0)
		leg->allowed |= 1u << BRIDGE_MEDIUM_CONTENT | 1u << DESCRIBED_FLOOR;
}

static void
browser_caps(struct bridge *bridge, struct bridge_leg *leg)
{
	const struct description_quality main_quality = description_quality(bridge, leg, false);
	const struct description_quality content_quality = description_quality(bridge, leg, true);
	const bool pictures =
		description_setting(bridge, leg, 0, LEG_PROFILE_VIDEO_MODE) != VIDEO_MODE_DISABLED;
	leg->sdp_medias[BRIDGE_MEDIUM_AUDIO] = sound();
	leg->sdp_medias[1 + BRIDGE_LINE_MAIN] = browser_pictures(SDP_RECVONLY, &main_quality);
	leg->sdp_medias[1 + BRIDGE_LINE_CONTENT] = browser_pictures(SDP_RECVONLY, &content_quality);
	leg->sdp_medias[1 + BRIDGE_LINE_TILE] = browser_pictures(SDP_SENDONLY, NULL);
	leg->sdp_medias[1 + BRIDGE_LINE_CONTENT].content = STR("slides");
	leg->sdp_medias[1 + BRIDGE_LINE_MAIN].simulcast_max = VIDEO_LAYERS_MAX;
	leg->allowed = pictures ? 0x0f : 1;
}

void
description_caps(struct bridge *bridge, struct bridge_leg *leg, uint32_t replaces)
{
	if (leg->kind == LEG_WEB)
		browser_caps(bridge, leg);
	else
		room_caps(bridge, leg, replaces);
}
