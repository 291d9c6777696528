/* SPDX-License-Identifier: Apache-2.0 */
/* What was agreed on about pictures, cameras and floors: for the worker, and for bridge_video.c.
 *
 * A video line is numbered as in the SDP, whatever media leg carries it. */
#include "callbridge/bridge_internal.h"
#include "video/h264.h"

static_assert((int)SDP_LINES_MAX <= (int)MEDIA_LINES_MAX, "lines are numbered alike");
static_assert((int)SDP_RIDS_OF_LINE_MAX <= (int)VIDEO_LAYERS_MAX, "the worker has a layer for each");
static_assert((int)SDP_RID_MAX < (int)MEDIA_RID_MAX, "which pass to the worker");

static const struct {
	struct str name;
	enum video_codec codec;
} codecs[] = {
	{ STR_INIT("H264"), VIDEO_CODEC_H264 },
	{ STR_INIT("VP8"), VIDEO_CODEC_VP8 },
	{ STR_INIT("VP9"), VIDEO_CODEC_VP9 },
	{ STR_INIT("AV1"), VIDEO_CODEC_AV1 },
};

static enum video_codec
codec_of(const struct bridge_leg *leg, const struct sdp_line *line,
         const struct sdp_line_codec *codec)
{
	const struct str name = leg->sdp_medias[line->media].codecs[codec->cap].name;
	for (size_t i = 0; i < COUNT_OF(codecs); i++)
		if (str_eq(codecs[i].name, name))
			return codecs[i].codec;
	return VIDEO_CODEC_NONE;
}

static enum bridge_line_kind
kind_of(const struct bridge_leg *leg, const struct sdp_line *line)
{
	if (leg->kind == LEG_WEB)
		return (enum bridge_line_kind)(line->media - 1);
	return line->media == BRIDGE_MEDIUM_CONTENT ? BRIDGE_LINE_CONTENT : BRIDGE_LINE_MAIN;
}

static enum bridge_medium
medium_of(const struct bridge_leg *leg, const struct sdp_line *line)
{
	return leg->kind == LEG_WEB ? BRIDGE_MEDIUM_AUDIO : (enum bridge_medium)line->media;
}

/* Agreed on, and there is a media leg for it. */
static bool
lives(const struct bridge_leg *leg, const struct sdp_line *line)
{
	return line->accepted && line->kind == SDP_VIDEO && leg->media[medium_of(leg, line)].taken;
}

/* Who is still asked at the door shows nobody anything, */
static bool
pictures_flow(const struct bridge_leg *leg)
{
	return leg->stage == STAGE_ACTIVE;
}

/* and is shown what it is asked. */
static bool
pictures_sent(const struct bridge_leg *leg, const struct sdp_line *line)
{
	return pictures_flow(leg) ||
	       (leg->stage == STAGE_ASKING && kind_of(leg, line) == BRIDGE_LINE_MAIN);
}

static bool
has_rtx(const struct bridge_leg *leg, const struct sdp_line *line)
{
	for (unsigned i = 0; i < line->codec_count; i++)
		if (leg->sdp->codecs[line->codec_first + i].send_rtx_payload != SDP_PAYLOAD_NONE)
			return true;
	return false;
}

static uint32_t
new_ssrc(struct bridge *bridge)
{
	const uint32_t ssrc = (uint32_t)bridge_random(bridge);
	return ssrc != 0 ? ssrc : 1;
}

void
video_lines_name(struct bridge *bridge, struct bridge_leg *leg)
{
	for (unsigned i = 0; i < leg->sdp->line_count; i++) {
		const struct sdp_line *line = &leg->sdp->lines[i];
		if (!line->accepted || line->kind != SDP_VIDEO || line->send_ssrc != 0 ||
		    (line->wish & SDP_SENDONLY) == 0)
			continue;
		const uint32_t ssrc = new_ssrc(bridge);
		sdp_session_sources_set(leg->sdp, i, ssrc,
		                        has_rtx(leg, line) ? new_ssrc(bridge) : 0);
	}
}

/* ---- For the worker ------------------------------------------------------------------------ */

static uint32_t
saturated(uint64_t value)
{
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static void
limit_h264(struct media_video_payload *payload, struct str fmtp)
{
	struct h264_fmtp theirs;
	/* What cannot be read is the least: constrained baseline at level 1. */
	if (h264_fmtp_parse(&theirs, fmtp) != H264_FMTP_OK &&
	    h264_fmtp_parse(&theirs, (struct str){ 0 }) != H264_FMTP_OK)
		return;
	const struct h264_limits limits = h264_limits_of(&theirs);
	payload->packetization_mode = theirs.packetization_mode;
	payload->h264_profile = theirs.profile_idc;
	payload->h264_constraints = theirs.constraints;
	payload->frame_macroblocks_max = limits.frame_macroblocks;
	payload->macroblocks_per_s_max = limits.macroblocks_per_s;
	payload->bps_max = limits.bps;
}

/* RFC 7741 s6.1 */
static void
limit_vp8(struct media_video_payload *payload, struct str fmtp)
{
	const uint32_t frame = sdp_fmtp_u32(fmtp, STR("max-fs"), 0);
	const uint32_t rate = sdp_fmtp_u32(fmtp, STR("max-fr"), 0);
	payload->frame_macroblocks_max = frame;
	payload->macroblocks_per_s_max = saturated((uint64_t)frame * rate);
}

static void
add_payload(struct media_video_settings *video, const struct bridge_leg *leg,
            const struct sdp_line *line, const struct sdp_line_codec *agreed)
{
	const struct str fmtp = sdp_session_fmtp(leg->sdp, agreed);
	const enum video_codec codec = codec_of(leg, line, agreed);
	if (codec == VIDEO_CODEC_NONE || video->payload_count == MEDIA_VIDEO_PAYLOADS_MAX)
		return;
	struct media_video_payload *payload = &video->payloads[video->payload_count++];
	*payload = (struct media_video_payload){
		.codec = (uint8_t)codec,
		.rx_payload_type = agreed->receive_payload,
		.tx_payload_type = agreed->send_payload,
		.rx_rtx_payload_type = agreed->receive_rtx_payload,
		.tx_rtx_payload_type = agreed->send_rtx_payload,
	};
	if (codec == VIDEO_CODEC_H264)
		limit_h264(payload, fmtp);
	else if (codec == VIDEO_CODEC_VP8)
		limit_vp8(payload, fmtp);
}
static_assert((int)SDP_PAYLOAD_NONE == 255, "the worker's word for no payload type");

static void
set_feedback(struct media_video_settings *video, const struct bridge_leg *leg,
             const struct sdp_line *line)
{
	uint32_t any = 0;
	for (unsigned i = 0; i < line->codec_count; i++)
		any |= leg->sdp->codecs[line->codec_first + i].feedbacks;
	video->pli = (any & 1u << FEEDBACK_PLI) != 0;
	video->fir = (any & 1u << FEEDBACK_FIR) != 0;
	video->tmmbr = (any & 1u << FEEDBACK_TMMBR) != 0;
	video->nack = (any & 1u << FEEDBACK_NACK) != 0;
	video->remb = (any & 1u << FEEDBACK_REMB) != 0;
	video->twcc = (any & 1u << FEEDBACK_TWCC) != 0;
	video->mid_ext_id = line->extension_ids[EXTENSION_MID];
	video->rid_ext_id = line->extension_ids[EXTENSION_RID];
	video->repaired_rid_ext_id = line->extension_ids[EXTENSION_REPAIRED_RID];
	video->twcc_ext_id = line->extension_ids[EXTENSION_TWCC];
	video->orientation_ext_id = line->extension_ids[EXTENSION_ORIENTATION];
}

static void
set_limits(struct media_video_settings *video, const struct bridge *bridge,
           const struct bridge_leg *leg, const struct sdp_line *line)
{
	const struct description_quality quality =
		description_quality(bridge, leg, kind_of(leg, line) == BRIDGE_LINE_CONTENT);
	const uint32_t theirs = line->bandwidth_bps;
	video->tx_height_max = quality.height_max;
	video->tx_fps_max = quality.fps_max;
	video->tx_bps_max = theirs;
	/* A browser's tiles have their heights; all of them share its transport's rate. */
	if (leg->kind == LEG_SIP && (theirs == 0 || theirs > quality.bps_max))
		video->tx_bps_max = quality.bps_max;
}

static void
order_line(struct bridge *bridge, const struct bridge_leg *leg, unsigned number)
{
	const struct sdp_line *line = &leg->sdp->lines[number];
	const bool flows = pictures_flow(leg);
	struct media_order order = { .kind = MEDIA_ORDER_LEG_VIDEO };
	struct media_video_settings *video = &order.video;
	video->line = (uint8_t)number;
	video->track = kind_of(leg, line) == BRIDGE_LINE_CONTENT ? VIDEO_TRACK_CONTENT
	                                                        : VIDEO_TRACK_MAIN;
	video->receive = (line->direction & SDP_RECVONLY) != 0 && flows;
	video->send = (line->direction & SDP_SENDONLY) != 0 && pictures_sent(leg, line);
	set_feedback(video, leg, line);
	set_limits(video, bridge, leg, line);
	for (unsigned i = 0; i < line->codec_count; i++)
		add_payload(video, leg, line, &leg->sdp->codecs[line->codec_first + i]);
	/* Browsers list their layers from the lowest up (docs/c2w.md), the worker wants the best
	 * first. */
	video->rid_count = line->rid_count;
	for (unsigned i = 0; i < line->rid_count; i++)
		str_copy(video->rids[i], sizeof video->rids[i],
		         str_of(line->rids[line->rid_count - 1 - i]));
	if (strlen(line->mid) < sizeof video->mid)
		str_copy(video->mid, sizeof video->mid, str_of(line->mid));
	video->tx_ssrc = line->send_ssrc;
	video->tx_rtx_ssrc = line->send_rtx_ssrc;
	bridge_order_medium(bridge, leg, medium_of(leg, line), &order);
}

/* A line of a browser that is gone while its transport stays. */
static void
order_gone(struct bridge *bridge, const struct bridge_leg *leg, unsigned number)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_VIDEO };
	order.video.line = (uint8_t)number;
	bridge_order(bridge, leg, &order);
}

static void
order_lines(struct bridge *bridge, struct bridge_leg *leg)
{
	uint32_t lines = 0;
	for (unsigned i = 0; i < leg->sdp->line_count; i++)
		if (lives(leg, &leg->sdp->lines[i]))
			lines |= 1u << i;
	for (unsigned i = 0; i < SDP_LINES_MAX; i++) {
		if ((lines & 1u << i) != 0)
			order_line(bridge, leg, i);
		else if ((leg->lines & 1u << i) != 0 && leg->kind == LEG_WEB)
			order_gone(bridge, leg, i);
	}
	leg->lines = lines;
}
static_assert(SDP_LINES_MAX <= 32, "lines have a bit each");

/* ---- Cameras and floors -------------------------------------------------------------------- */

static void
apply_camera(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const struct sdp_line *line = sdp_session_line(leg->sdp, BRIDGE_MEDIUM_CAMERA);
	const bool flows = pictures_flow(leg);
	const bool has = line != NULL && leg->media[BRIDGE_MEDIUM_CAMERA].taken;
	if (has) {
		const struct sdp_line_codec *codec = &leg->sdp->codecs[line->codec_first];
		struct media_order order = { .kind = MEDIA_ORDER_LEG_DATA };
		order.data = (struct media_data_settings){
			.receive = (line->direction & SDP_RECVONLY) != 0 && flows,
			.send = (line->direction & SDP_SENDONLY) != 0 && flows,
			.rx_payload_type = codec->receive_payload,
			.tx_payload_type = codec->send_payload,
		};
		bridge_order_medium(bridge, leg, BRIDGE_MEDIUM_CAMERA, &order);
	}
	if (leg->has_camera == (has && flows))
		return;
	leg->has_camera = has && flows;
	camera_agreed(bridge, leg, leg->has_camera, now_us);
}

static void
apply_floor(struct bridge *bridge, struct bridge_leg *leg)
{
	const struct sdp_line *line = sdp_session_line(leg->sdp, DESCRIBED_FLOOR);
	if (line != NULL && pictures_flow(leg)) {
		struct sdp_line agreed = *line;
		if (agreed.remote_learn || description_points_inside(leg, &agreed.remote_rtp))
			agreed.remote_rtp = (struct net_addr){ 0 };
		leg->has_floor = true;
		video_floor_agreed(bridge, leg, &agreed);
	} else if (leg->has_floor) {
		leg->has_floor = false;
		video_floor_agreed(bridge, leg, NULL);
	}
}

void
video_lines_apply(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	video_lines_name(bridge, leg); /* those of our offers have no SSRC yet */
	order_lines(bridge, leg);
	video_lines_changed(bridge, leg, now_us);
	if (leg->kind == LEG_WEB)
		return;
	apply_camera(bridge, leg, now_us);
	apply_floor(bridge, leg);
}

/* ---- For bridge_video.c -------------------------------------------------------------------- */

unsigned
video_lines(const struct bridge_leg *leg, struct bridge_video_line out[SDP_LINES_MAX])
{
	unsigned count = 0;
	const bool flows = pictures_flow(leg);
	for (unsigned i = 0; leg->sdp != NULL && i < leg->sdp->line_count; i++) {
		const struct sdp_line *line = &leg->sdp->lines[i];
		if (!lives(leg, line))
			continue;
		out[count++] = (struct bridge_video_line){
			.media = leg->media[medium_of(leg, line)].id,
			.line = (uint8_t)i,
			.kind = kind_of(leg, line),
			.receives = (line->direction & SDP_RECVONLY) != 0 && flows,
			.sends = (line->direction & SDP_SENDONLY) != 0 && pictures_sent(leg, line),
			.mid = line->mid,
		};
	}
	return count;
}
