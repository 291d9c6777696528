/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers: what stands in their tiles, their cameras, shared screens, hands, chat and messages. */
#include "callbridge/bridge_video.h"

/* ---- People by their ids ------------------------------------------------------------------- */

uint32_t
web_participant_leg(const struct bridge *bridge, struct str text)
{
	struct guid id;
	const struct meeting *meeting = bridge->settings.meeting;
	if (!guid_parse(&id, text))
		return 0;
	const struct meeting_participant *participant =
		meeting_participant(meeting, meeting_participant_find(meeting, &id));
	return participant != NULL ? participant->leg : 0;
}

/* The id of a leg's participant as the roster tells it, in memory of the leg; empty: gone. */
static struct str
id_of(struct bridge *bridge, uint32_t meeting_leg)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, meeting_leg);
	struct bridge_leg *leg = bridge_leg_of_meeting(bridge, meeting_leg);
	if (model == NULL || leg == NULL)
		return (struct str){ 0 };
	if (leg->participant[0] == '\0')
		guid_write(leg->participant,
		           &meeting_participant(bridge->settings.meeting, model->participant)->id);
	return str_of(leg->participant);
}

/* ---- Tiles --------------------------------------------------------------------------------- */

void
web_send_tiles(struct bridge *bridge, struct bridge_leg *leg)
{
	struct c2w_tile tiles[STAGE_TILES_MAX];
	const struct bridge_video *video = leg->video;
	struct c2w_message message = { .kind = C2W_TILES, .tiles.tiles = tiles };
	for (unsigned i = 0; i < video->sent_count; i++) {
		const struct video_sent *sent = &video->sent[i];
		if (sent->tile >= video->tile_count)
			continue;
		const struct stage_tile *tile = &video->tiles[sent->tile];
		tiles[message.tiles.count++] = (struct c2w_tile){
			.mid = str_of(sent->mid),
			.participant = id_of(bridge, tile->leg),
			.content = tile->content,
		};
	}
	web_send(bridge, leg, &message);
}

static struct video_sent *
sent_by_mid(struct bridge_video *video, struct str mid)
{
	for (unsigned i = 0; i < video->sent_count; i++)
		if (video->sent[i].kind == BRIDGE_LINE_TILE &&
		    str_eq(str_of(video->sent[i].mid), mid))
			return &video->sent[i];
	return NULL;
}

/* A tile that goes on keeps who is in it; the others close up behind. */
static void
view(struct bridge *bridge, struct bridge_leg *leg, const struct c2w_tiles *wish, int64_t now_us)
{
	struct bridge_video *video = leg->video;
	struct stage_tile before[STAGE_TILES_MAX];
	const unsigned before_count = video->tile_count;
	memcpy(before, video->tiles, sizeof before);
	uint8_t old[C2W_TILES_MAX];
	for (unsigned i = 0; i < video->sent_count && i < COUNT_OF(old); i++) {
		old[i] = video->sent[i].tile;
		video->sent[i].tile = TILE_NONE;
	}
	video->tile_count = 0;
	video->pin_count = 0;
	for (uint32_t i = 0; i < wish->count && video->tile_count < STAGE_TILES_MAX; i++) {
		const struct c2w_tile *tile = &wish->tiles[i];
		struct video_sent *sent = sent_by_mid(video, tile->mid);
		/* A line of an offer still under way is named again after it, a line named twice
		 * counts once. */
		if (sent == NULL || sent->tile != TILE_NONE)
			continue;
		const unsigned index = (unsigned)(sent - video->sent);
		sent->height = (uint16_t)tile->height;
		sent->tile = video->tile_count++;
		video->tiles[sent->tile] = index < COUNT_OF(old) && old[index] < before_count
		                                   ? before[old[index]]
		                                   : (struct stage_tile){ 0 };
		video->tiles[sent->tile].reserved = tile->content;
		const uint32_t pinned = web_participant_leg(bridge, tile->participant);
		if (pinned != 0)
			video->pins[video->pin_count++] =
				(struct stage_tile){ .leg = pinned, .content = tile->content };
	}
	video->tiles_untold = true;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model != NULL)
		video_changed(bridge, model->call, now_us);
}

/* ---- Camera, screen, hand -------------------------------------------------------------------- */

/* Who is not in the meeting yet is not seen, but nobody has switched his camera off. */
void
web_send_video_muted(struct bridge *bridge, struct bridge_leg *leg)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model == NULL)
		return;
	const bool muted = meeting_leg_setting(bridge->settings.meeting, leg->meeting_leg,
	                                       LEG_PROFILE_RX_VIDEO_MUTE) != 0;
	if (leg->video_muted != muted) {
		leg->video_muted = muted;
		leg->video_mute_is_own = leg->muting_own_video;
	}
	struct c2w_message message = { .kind = C2W_VIDEO_MUTED };
	message.video_muted = (struct c2w_video_muted){
		.muted = leg->video_muted,
		.by_other = leg->video_muted && !leg->video_mute_is_own,
		.may_unmute = meeting_leg_setting(bridge->settings.meeting, leg->meeting_leg,
		                                  LEG_PROFILE_VIDEO_MUTE_SELF_ALLOWED) != 0,
	};
	web_send(bridge, leg, &message);
}

static void
camera(struct bridge *bridge, struct bridge_leg *leg, bool on, int64_t now_us)
{
	const uint32_t handle = leg->handle;
	leg->muting_own_video = true;
	if (!meeting_act(bridge->settings.meeting, leg->meeting_leg,
	                 on ? ACTION_UNMUTE_SELF_VIDEO : ACTION_MUTE_SELF_VIDEO, 0, now_us))
		web_send_video_muted(bridge, leg);
	bridge_drain(bridge, now_us);
	leg = bridge_leg_get(bridge, handle);
	if (leg != NULL)
		leg->muting_own_video = false;
}

static void
send_sharing(struct bridge *bridge, struct bridge_leg *leg, uint32_t presenter,
             enum c2w_floor floor)
{
	struct c2w_message message = { .kind = C2W_SHARING };
	message.sharing = (struct c2w_sharing){ .participant = id_of(bridge, presenter),
		                                .floor = floor };
	web_send(bridge, leg, &message);
}

static enum c2w_floor
floor_of(enum meeting_presenting refused)
{
	switch (refused) {
	case PRESENTING:
		return C2W_FLOOR_GRANTED;
	case PRESENTING_BUSY:
		return C2W_FLOOR_BUSY;
	case PRESENTING_NOT_ALLOWED:
	case PRESENTING_NOT_INSIDE:
		break;
	}
	return C2W_FLOOR_NOT_ALLOWED;
}

static void
share(struct bridge *bridge, struct bridge_leg *leg, bool on, int64_t now_us)
{
	struct meeting *meeting = bridge->settings.meeting;
	const enum meeting_presenting refused =
		meeting_present(meeting, leg->meeting_leg, on, now_us);
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	const struct meeting_call *call = model != NULL ? meeting_call(meeting, model->call) : NULL;
	if (on && call != NULL)
		send_sharing(bridge, leg, call->presenter, floor_of(refused));
}

void
web_presenter(struct bridge *bridge, const struct meeting_event *event)
{
	struct c2w_message message = { .kind = C2W_SHARING };
	message.sharing.participant = id_of(bridge, event->leg);
	message.sharing.floor = C2W_FLOOR_NEWS;
	roster_send_to_call(bridge, event->call, &message);
	struct bridge_leg *before = bridge_leg_of_meeting(bridge, event->other);
	if (before != NULL && before->kind == LEG_WEB)
		send_sharing(bridge, before, event->leg,
		             event->leg != 0 ? C2W_FLOOR_TAKEN_OVER : C2W_FLOOR_STOPPED);
}

/* ---- Words --------------------------------------------------------------------------------- */

void
web_chat(struct bridge *bridge, const struct meeting_event *event)
{
	struct c2w_message message = { .kind = C2W_CHAT };
	message.chat = (struct c2w_chat){
		.participant = id_of(bridge, event->leg),
		.name = str_of(meeting_leg_label(bridge->settings.meeting, event->leg)),
		.text = event->text,
		.time = (uint32_t)bridge->settings.sink.wall_s(bridge->settings.sink.context),
	};
	roster_send_to_call(bridge, event->call, &message);
}

static struct c2w_message
notice_of(struct bridge *bridge, uint32_t call)
{
	struct meeting_view everybody;
	struct c2w_message message = { .kind = C2W_NOTICE };
	meeting_view(bridge->settings.meeting, call, 0, &everybody);
	message.notice = (struct c2w_notice){ .text = str_of(everybody.message),
		                              .place = (enum c2w_place)everybody.message_place };
	return message;
}

static_assert((int)C2W_PLACE_TOP == (int)VIEW_TOP && (int)C2W_PLACE_BOTTOM == (int)VIEW_BOTTOM,
              "places are numbered alike");

void
web_notice(struct bridge *bridge, uint32_t call)
{
	struct c2w_message message = notice_of(bridge, call);
	roster_send_to_call(bridge, call, &message);
}

static enum c2w_level
level_of(uint8_t quality)
{
	return quality == MEDIA_QUALITY_POOR   ? C2W_LEVEL_POOR
	       : quality == MEDIA_QUALITY_FAIR ? C2W_LEVEL_FAIR
	                                       : C2W_LEVEL_GOOD;
}

void
web_send_quality(struct bridge *bridge, struct bridge_leg *leg)
{
	struct c2w_message message = { .kind = C2W_QUALITY };
	message.quality = level_of(leg->video->quality);
	if (leg->kind == LEG_WEB)
		web_send(bridge, leg, &message);
}

/* What a browser that comes in, or back, has to know besides the roster. */
void
web_send_picture_state(struct bridge *bridge, struct bridge_leg *leg)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model == NULL || model->lobby)
		return;
	const struct meeting_call *call = meeting_call(bridge->settings.meeting, model->call);
	web_send_video_muted(bridge, leg);
	if (call->presenter != 0)
		send_sharing(bridge, leg, call->presenter, C2W_FLOOR_NEWS);
	struct c2w_message message = notice_of(bridge, model->call);
	if (message.notice.text.len != 0)
		web_send(bridge, leg, &message);
	if (leg->video != NULL)
		leg->video->tiles_untold = true;
}

/* ---- What others are shown, or how their cameras stand ------------------------------------------ */

static void
set_layout(struct bridge *bridge, const struct bridge_leg *leg, const struct c2w_layout *wish,
           int64_t now_us)
{
	const uint32_t other = web_participant_leg(bridge, wish->participant);
	unsigned name = 0;
	while (name < LAYOUT_COUNT &&
	       !str_eq(wish->layout, str_of(layout_name_text((enum layout_name)name))))
		name++;
	/* What is not allowed, and a word that is no layout, changes nothing. */
	if (other != 0 && (name < LAYOUT_COUNT || wish->layout.len == 0))
		(void)meeting_act_layout(bridge->settings.meeting, leg->meeting_leg, other, name,
		                         now_us);
}

static uint8_t
move_of(int32_t way)
{
	return way < 0 ? CAMERA_LESS : way > 0 ? CAMERA_MORE : CAMERA_STILL;
}

static void
steer(struct bridge *bridge, const struct bridge_leg *leg, const struct c2w_remote_camera *wish,
      int64_t now_us)
{
	const struct meeting_camera moves = { .pan = move_of(wish->pan),
		                              .tilt = move_of(wish->tilt),
		                              .zoom = move_of(wish->zoom),
		                              .focus = move_of(wish->focus) };
	const uint32_t other = web_participant_leg(bridge, wish->participant);
	if (other != 0)
		(void)meeting_steer(bridge->settings.meeting, leg->meeting_leg, other, &moves,
		                    now_us);
}

void
web_video_message(struct bridge *bridge, struct bridge_leg *leg, const struct c2w_message *message,
                  int64_t now_us)
{
	struct meeting *meeting = bridge->settings.meeting;
	if (message->kind == C2W_VIEW && leg->video != NULL)
		view(bridge, leg, &message->tiles, now_us);
	else if (message->kind == C2W_CAMERA)
		camera(bridge, leg, message->on, now_us);
	else if (message->kind == C2W_SHARE)
		share(bridge, leg, message->on, now_us);
	else if (message->kind == C2W_SAY)
		(void)meeting_chat(meeting, leg->meeting_leg, message->say, now_us);
	else if (message->kind == C2W_HAND)
		(void)meeting_act(meeting, leg->meeting_leg,
		                  message->on ? ACTION_RAISE_HAND : ACTION_LOWER_HAND, 0, now_us);
	else if (message->kind == C2W_LAYOUT)
		set_layout(bridge, leg, &message->layout, now_us);
	else if (message->kind == C2W_REMOTE_CAMERA)
		steer(bridge, leg, &message->remote_camera, now_us);
}
