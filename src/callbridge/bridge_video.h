/* SPDX-License-Identifier: Apache-2.0 */
/* The picture side of the bridge, in parts: bridge_video.c (who is shown what), bridge_video_media.c
 * (what workers tell), bridge_video_web.c (browsers' tiles, sharing, chat), bridge_floor.c (rooms that
 * present), bridge_camera.c (cameras that are steered). */
#ifndef CALLBRIDGE_BRIDGE_VIDEO_H
#define CALLBRIDGE_BRIDGE_VIDEO_H

#include "callbridge/bridge_internal.h"
#include "fecc/fecc.h"
#include "meeting/view.h"

enum {
	BRIDGE_VIDEO_US = 40 * 1000, /* changes are gathered for so long */
	BRIDGE_TILES_MAX = 25,       /* lines of a browser worth offering */
	TILE_NONE = UINT8_MAX,
};

/* A line on which we may send. */
struct video_sent {
	media_leg_id media;
	uint8_t line;
	enum bridge_line_kind kind;
	uint8_t tile;            /* of a browser that named it in its last VIEW; else TILE_NONE */
	uint16_t height;         /* the tile's, 0: not seen */
	struct media_show shown; /* as last ordered */
	struct leg_pictures stats;
	char mid[C2W_MID_MAX + 1];
};

/* Of a leg that has video lines. */
struct bridge_video {
	video_source_id sources[VIDEO_TRACKS]; /* what it may send, 0: nothing agreed */
	uint8_t sent_count;
	uint8_t tile_count;
	uint8_t pin_count;
	bool tiles_untold;   /* lines have changed: its browser is told who is where in any case */
	bool presents_unasked; /* a room without floor control that began to send content */
	unsigned group;      /* of this round: 1 and up */
	uint32_t canvas;     /* that it sees; 0: none */
	struct video_sent *sent;
	struct stage_tile tiles[STAGE_TILES_MAX];
	struct stage_tile pins[STAGE_TILES_MAX];
	struct leg_pictures rx[LEG_TRACKS];
	uint8_t quality;     /* enum media_quality, as last told */
	bool floor;          /* has floor control */
	bool floor_client;   /* the room keeps it: we ask before content is sent there */
	bool floor_ours;     /* and it has let us */
	struct bridge_floor_order floor_open; /* the association, as last ordered */
};

/* A composed picture of a room. */
struct bridge_canvas {
	uint32_t id;
	unsigned viewers;
	unsigned votes; /* of a group's viewers, while its number is chosen */
	struct canvas canvas;
};

/* The canvases being found for a room; scratch keeps a large value off the stack. */
struct bridge_video_round {
	struct bridge_canvas *canvases;
	unsigned count;
	unsigned cap;
	struct canvas scratch;
};

/* The first sent line of a kind, or NULL. */
static inline struct video_sent *
video_sent_of(struct bridge_video *video, enum bridge_line_kind kind)
{
	for (unsigned i = 0; i < video->sent_count; i++)
		if (video->sent[i].kind == kind)
			return &video->sent[i];
	return NULL;
}

/* bridge_video.c */
/* Something that the call's receivers are shown may have changed. */
void video_changed(struct bridge *bridge, uint32_t call, int64_t now_us);
void video_refresh(struct bridge *bridge); /* its timer */
/* What a leg at the door is shown. */
void video_screen(struct bridge *bridge, struct bridge_leg *leg, enum ivr_screen screen);
/* Its lines are others than before. */
void video_screen_again(struct bridge *bridge, struct bridge_leg *leg);
void video_room_closed(struct bridge *bridge, struct bridge_room *room);

/* bridge_video_media.c */
void video_free(struct bridge_leg *leg);
void video_leg_over(struct bridge *bridge, struct bridge_leg *leg);
/* The figures of pictures, into those of the leg. */
void video_figures(const struct bridge_leg *leg, struct leg_media *media);
/* Its peer wants key frames of all that it is sent. */
void video_key(struct bridge *bridge, const struct bridge_leg *leg);
/* False when the body of an INFO asks for nothing known. */
[[nodiscard]] bool video_info(struct bridge *bridge, const struct bridge_leg *leg, struct str body);

/* bridge_video_web.c */
void web_send_tiles(struct bridge *bridge, struct bridge_leg *leg);
void web_send_quality(struct bridge *bridge, struct bridge_leg *leg);
/* VIEW, CAMERA, SHARE, SAY, HAND, LAYOUT, REMOTE_CAMERA. */
void web_video_message(struct bridge *bridge, struct bridge_leg *leg,
                       const struct c2w_message *message, int64_t now_us);
void web_send_video_muted(struct bridge *bridge, struct bridge_leg *leg);
/* MEETING_PRESENTER, MEETING_CHAT, MEETING_MESSAGE. */
void web_presenter(struct bridge *bridge, const struct meeting_event *event);
void web_chat(struct bridge *bridge, const struct meeting_event *event);
void web_notice(struct bridge *bridge, uint32_t call);

/* Everything a browser must know of pictures when it comes in or back. */
void web_send_picture_state(struct bridge *bridge, struct bridge_leg *leg);
/* A leg by its participant's id; 0: there is none. */
[[nodiscard]] uint32_t web_participant_leg(const struct bridge *bridge, struct str text);

/* bridge_floor.c */
/* MEETING_PRESENTER. */
void floor_presenter(struct bridge *bridge, const struct meeting_event *event, int64_t now_us);
/* May content be sent to this room now? */
[[nodiscard]] bool floor_lets_send(const struct bridge_leg *leg);
void floor_close(struct bridge *bridge, struct bridge_leg *leg);
/* Content comes from this leg, or comes no more. */
void floor_unasked(struct bridge *bridge, struct bridge_leg *leg, bool flows, int64_t now_us);

/* bridge_camera.c */
void camera_input(struct bridge *bridge, struct bridge_leg *leg, const struct media_data *packet,
                  int64_t now_us);
/* MEETING_CAMERA. */
void camera_move(struct bridge *bridge, struct bridge_leg *leg, const struct meeting_camera *camera,
                 int64_t now_us);
void camera_tick(struct bridge *bridge, int64_t now_us);
void camera_free(struct bridge_leg *leg);

#endif
