/* SPDX-License-Identifier: Apache-2.0 */
/* What descriptions and workers say about pictures, told to the model. */
#include <stdlib.h>

#include "callbridge/bridge_video.h"

static const char *const codec_words[VIDEO_CODEC_COUNT] = {
	[VIDEO_CODEC_NONE] = "", [VIDEO_CODEC_H264] = "h264", [VIDEO_CODEC_VP8] = "vp8",
	[VIDEO_CODEC_VP9] = "vp9", [VIDEO_CODEC_AV1] = "av1",
};

/* ---- Lines --------------------------------------------------------------------------------- */

void
video_free(struct bridge_leg *leg)
{
	if (leg->video == NULL)
		return;
	free(leg->video->sent);
	free(leg->video);
	leg->video = NULL;
}

void
video_leg_over(struct bridge *bridge, struct bridge_leg *leg)
{
	floor_close(bridge, leg);
	camera_free(leg);
	video_free(leg);
}

/* What was known of a line that goes on is kept: its picture does not stop for a re-offer. */
static void
keep_known(struct video_sent *sent, const struct bridge_video *before)
{
	for (unsigned i = 0; i < before->sent_count; i++) {
		const struct video_sent *old = &before->sent[i];
		if (old->media != sent->media || old->line != sent->line || old->kind != sent->kind)
			continue;
		sent->tile = old->tile;
		sent->height = old->height;
		sent->shown = old->shown;
	}
}

static bool
take_lines(struct bridge_leg *leg, const struct bridge_video_line *lines, unsigned count)
{
	struct bridge_video *video = leg->video;
	struct video_sent *sent = calloc(count != 0 ? count : 1, sizeof *sent);
	if (sent == NULL)
		return false;
	unsigned sent_count = 0;
	memset(video->sources, 0, sizeof video->sources);
	for (unsigned i = 0; i < count; i++) {
		const struct bridge_video_line *line = &lines[i];
		const enum video_track track = line->kind == BRIDGE_LINE_CONTENT
		                                       ? VIDEO_TRACK_CONTENT
		                                       : VIDEO_TRACK_MAIN;
		if (line->receives && line->kind != BRIDGE_LINE_TILE)
			video->sources[track] = video_source(line->media, track);
		if (!line->sends)
			continue;
		struct video_sent *added = &sent[sent_count++];
		*added = (struct video_sent){ .media = line->media,
			                      .line = line->line,
			                      .kind = line->kind,
			                      .tile = TILE_NONE };
		str_copy(added->mid, sizeof added->mid, str_of(line->mid));
		keep_known(added, video);
	}
	free(video->sent);
	video->sent = sent;
	video->sent_count = (uint8_t)sent_count;
	video->tiles_untold = leg->kind == LEG_WEB;
	return true;
}

void
video_lines_changed(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	struct bridge_video_line lines[SDP_LINES_MAX];
	const unsigned count = video_lines(leg, lines);
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (leg->video == NULL) {
		if (count == 0)
			return;
		leg->video = calloc(1, sizeof *leg->video);
	}
	if (leg->video == NULL || !take_lines(leg, lines, count)) {
		bridge_log(bridge, "call %u: no memory for its pictures",
		           bridge_leg_number(bridge, leg));
		video_free(leg);
		return;
	}
	/* Tracks that are gone flow no more, whatever the worker has still to say. */
	for (unsigned track = 0; track < VIDEO_TRACKS; track++)
		if (leg->video->sources[track] == 0)
			meeting_leg_pictures(bridge->settings.meeting, leg->meeting_leg,
			                     (enum leg_track)track, false, 0, 0, now_us);
	meeting_leg_second_stream(bridge->settings.meeting, leg->meeting_leg,
	                          video_sent_of(leg->video, BRIDGE_LINE_CONTENT) != NULL ||
	                                  leg->kind == LEG_WEB,
	                          now_us);
	if (model != NULL)
		video_changed(bridge, model->call, now_us);
	if (leg->ivr != NULL)
		video_screen_again(bridge, leg);
}

/* ---- Events of workers --------------------------------------------------------------------- */

static void
picture(struct bridge *bridge, struct bridge_leg *leg, const struct media_picture *picture,
        int64_t now_us)
{
	const bool flows = picture->flows && leg->video->sources[picture->track] != 0;
	meeting_leg_pictures(bridge->settings.meeting, leg->meeting_leg,
	                     (enum leg_track)picture->track, flows, picture->width,
	                     picture->height, now_us);
	if (picture->track == VIDEO_TRACK_CONTENT)
		floor_unasked(bridge, leg, flows, now_us);
}

static struct leg_pictures
pictures_of(const struct media_video_direction_stats *stats)
{
	struct leg_pictures pictures = {
		.width = stats->width,
		.height = stats->height,
		.rate_tenths = (uint32_t)stats->frame_rate * 10,
		.bit_rate_bps = stats->bit_rate_bps,
		.loss_tenths = (uint32_t)stats->loss_q16 * 1000 / UINT16_MAX,
		.jitter_ms = stats->jitter_us / 1000,
	};
	if (stats->codec < VIDEO_CODEC_COUNT)
		str_copy(pictures.codec, sizeof pictures.codec, str_of(codec_words[stats->codec]));
	return pictures;
}

static struct video_sent *
sent_by_line(const struct bridge_video *video, media_leg_id media, uint8_t line)
{
	for (unsigned i = 0; i < video->sent_count; i++)
		if (video->sent[i].media == media && video->sent[i].line == line)
			return &video->sent[i];
	return NULL;
}

static void
take_stats(struct bridge_leg *leg, const struct media_event *event)
{
	const struct media_video_stats *stats = &event->video_stats;
	struct video_sent *sent = sent_by_line(leg->video, event->leg, stats->line);
	const video_source_id source = video_source(event->leg, (enum video_track)stats->track);
	if ((sent == NULL || sent->kind != BRIDGE_LINE_TILE) &&
	    leg->video->sources[stats->track] == source)
		leg->video->rx[stats->track] = pictures_of(&stats->rx);
	if (sent == NULL)
		return;
	sent->stats = pictures_of(&stats->tx);
	sent->stats.rtt_ms = stats->rtt_us / 1000;
}

/* A browser's many tiles count as one picture: the largest of them, with the bit rate of all. */
static void
add_tile(struct leg_pictures *sum, const struct leg_pictures *tile)
{
	const uint32_t bit_rate_bps = sum->bit_rate_bps + tile->bit_rate_bps;
	if (tile->height >= sum->height)
		*sum = *tile;
	sum->bit_rate_bps = bit_rate_bps;
}

void
video_figures(const struct bridge_leg *leg, struct leg_media *media)
{
	if (leg->video == NULL)
		return;
	memcpy(media->rx_video, leg->video->rx, sizeof media->rx_video);
	for (unsigned i = 0; i < leg->video->sent_count; i++) {
		const struct video_sent *sent = &leg->video->sent[i];
		const bool content = sent->kind == BRIDGE_LINE_CONTENT || sent->shown.detail;
		add_tile(&media->tx_video[content ? LEG_TRACK_CONTENT : LEG_TRACK_MAIN],
		         &sent->stats);
	}
}

/* RFC 5168: for rooms that know neither PLI nor FIR. */
static void
ask_by_info(struct bridge *bridge, const struct bridge_leg *leg, int64_t now_us)
{
	static const char update[] =
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<media_control><vc_primitive>"
		"<to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>\r\n";
	if (leg->kind != LEG_SIP)
		return;
	/* One that cannot be sent now is asked for again by the worker. */
	(void)sip_session_info(bridge->settings.ua, leg->session,
	                       STR("application/media_control+xml"), str_of(update), now_us);
}

void
video_media_event(struct bridge *bridge, struct bridge_leg *leg, const struct media_event *event,
                  int64_t now_us)
{
	if (leg->video == NULL) {
		if (event->kind == MEDIA_EVENT_LEG_DATA)
			camera_input(bridge, leg, &event->packet, now_us);
		return;
	}
	switch ((enum media_event_kind)event->kind) {
	case MEDIA_EVENT_LEG_PICTURE:
		picture(bridge, leg, &event->picture, now_us);
		break;
	case MEDIA_EVENT_LEG_VIDEO_STATS:
		take_stats(leg, event);
		break;
	case MEDIA_EVENT_LEG_QUALITY:
		leg->video->quality = (uint8_t)event->value;
		web_send_quality(bridge, leg);
		break;
	case MEDIA_EVENT_LEG_KEY_WANTED:
		ask_by_info(bridge, leg, now_us);
		break;
	case MEDIA_EVENT_LEG_DATA:
		camera_input(bridge, leg, &event->packet, now_us);
		break;
	case MEDIA_EVENT_LEG_OPENED:
	case MEDIA_EVENT_LEG_REFUSED:
	case MEDIA_EVENT_LEG_CONNECTED:
	case MEDIA_EVENT_LEG_LOST:
	case MEDIA_EVENT_LEG_DTMF:
	case MEDIA_EVENT_LEG_PLAYED:
	case MEDIA_EVENT_LEG_TALKING:
	case MEDIA_EVENT_LEG_STATS:
	case MEDIA_EVENT_LEG_CLOSED:
	case MEDIA_EVENT_ROOM_CLOSED:
	case MEDIA_EVENT_COUNT:
		break;
	}
}

/* ---- Wishes for key frames ------------------------------------------------------------------- */

void
video_key(struct bridge *bridge, const struct bridge_leg *leg)
{
	if (leg->video == NULL)
		return;
	for (unsigned i = 0; i < leg->video->sent_count; i++) {
		struct media_order order = { .kind = MEDIA_ORDER_LEG_KEY,
			                     .leg = leg->video->sent[i].media };
		order.key.line = leg->video->sent[i].line;
		bridge->settings.sink.order(bridge->settings.sink.context, leg->worker, &order);
	}
}

/* An INFO with a body of media control: does it ask for a whole picture? */
bool
video_info(struct bridge *bridge, const struct bridge_leg *leg, struct str body)
{
	static const char asks[] = "picture_fast_update";
	if (memmem(body.at, body.len, asks, sizeof asks - 1) == NULL)
		return false;
	video_key(bridge, leg);
	return true;
}
