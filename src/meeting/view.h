/* SPDX-License-Identifier: Apache-2.0 */
/* view -- the picture side of the meeting model: what is known of pictures, what each receiver is
 * to be shown, who presents, and what people write to each other.
 *
 * The shell tells which tracks flow; the model says for each receiver what its composed picture
 * holds (meeting_view), or which people stand in a browser's tiles (meeting_tiles), and says
 * MEETING_VIDEO when that may have changed for a call.
 *
 * Ownership, threads, units as in meeting.h: a stale handle is ignored.
 */
#ifndef MEETING_VIEW_H
#define MEETING_VIEW_H

#include "meeting/layout.h"
#include "meeting/meeting.h"
#include "meeting/stage.h"

/* ------------------------------------------------------------------ facts */

/* A track began or ended to flow, or its size changed. */
void meeting_leg_pictures(struct meeting *meeting, uint32_t leg, enum leg_track track, bool flows,
                          uint16_t width, uint16_t height, int64_t now_us);
/* Its camera can be steered from here (H.281 agreed on). */
void meeting_leg_camera(struct meeting *meeting, uint32_t leg, bool available);
/* It has a second stream of its own for content: the main picture need not hold it. */
void meeting_leg_second_stream(struct meeting *meeting, uint32_t leg, bool available,
                               int64_t now_us);
/* A digit it sent: dtmfProfile codes act. */
void meeting_leg_digit(struct meeting *meeting, uint32_t leg, char digit, int64_t now_us);

/* ------------------------------------------------------------------ what a receiver is shown */

enum view_screen {
	VIEW_PANES,
	VIEW_LOBBY,            /* waits for the host, or for somebody to let it in */
	VIEW_ONLY_PARTICIPANT,
};

enum view_place { VIEW_TOP, VIEW_MIDDLE, VIEW_BOTTOM };

struct meeting_view {
	enum view_screen screen;
	struct layout layout;            /* as many panes as are used */
	uint32_t legs[LAYOUT_PANES_MAX]; /* who stands in each; 0: blank */
	bool content;                    /* the first pane shows what legs[0] presents */
	bool content_stream;             /* its second stream shows `presenter`'s content */
	uint32_t presenter;              /* leg whose content it gets, 0: none */
	bool labels;                     /* names are shown */
	uint32_t counter;                /* others who are not shown, to be told; 0: say nothing */
	uint32_t total;                  /* participants, to be told always; 0: say nothing */
	const char *message;             /* on-screen text, or "" */
	enum view_place message_place;
	const char *title;               /* or "" */
	enum view_place title_place;
	bool locked;
	bool recording;
	bool streaming;
};

/* What the composed picture of `leg` holds.  Two receivers with equal views can share it: who is
 * not among those shown gets what all such get.  leg 0 with a call: everybody, as a recorder sees
 * it. Texts are borrowed until the next input. */
void meeting_view(struct meeting *meeting, uint32_t call, uint32_t leg, struct meeting_view *out);
/* The name shown for a leg: its label, or its name. */
[[nodiscard]] const char *meeting_leg_label(const struct meeting *meeting, uint32_t leg);

/* The word of the layout it sees ("allEqual"), as browsers of those who may change it are told; ""
 * when it gets no composed picture. */
[[nodiscard]] const char *meeting_leg_layout(const struct meeting *meeting, uint32_t leg);

/* Who shall be in which tile of a browser (stage.h); `tiles` is what they show now.  True when one
 * changed. */
bool meeting_tiles(struct meeting *meeting, uint32_t leg, const struct stage_tile *pins,
                   unsigned pin_count, struct stage_tile *tiles, unsigned tile_count);

/* ------------------------------------------------------------------ presenting */

enum meeting_presenting {
	PRESENTING = 0,
	PRESENTING_NOT_INSIDE,  /* not connected, or in the lobby */
	PRESENTING_NOT_ALLOWED, /* presentationContributionAllowed is false, and not all may */
	PRESENTING_BUSY,        /* another presents, and only the call's permission is there */
};

/* Wants to present, or stops.  Who has the right by its profile takes over from another, who is
 * told by MEETING_PRESENTER; whom only the call allows (allowAllPresentationContribution) waits. */
[[nodiscard]] enum meeting_presenting meeting_present(struct meeting *meeting, uint32_t leg,
                                                      bool on, int64_t now_us);

/* ------------------------------------------------------------------ chat */

enum {
	MEETING_CHAT_MAX = 1000,    /* bytes of one message */
	MEETING_CHAT_BURST = 5,     /* of one leg at once, then one a second */
};

enum meeting_chatting {
	CHATTING = 0,
	CHATTING_NOT_ALLOWED, /* by the leg's profile or the call */
	CHATTING_NOT_INSIDE,
	CHATTING_TOO_LONG,    /* or empty */
	CHATTING_TOO_FAST,
};

/* MEETING_CHAT carries it to all: `leg` wrote `text`. */
[[nodiscard]] enum meeting_chatting meeting_chat(struct meeting *meeting, uint32_t leg,
                                                 struct str text, int64_t now_us);

/* ------------------------------------------------------------------ cameras and key frames */

/* Steers the camera of `other`, wanted by `leg` (0: by the API); false: not allowed, or it has none
 * that can be steered.  MEETING_CAMERA follows. */
[[nodiscard]] bool meeting_steer(struct meeting *meeting, uint32_t leg, uint32_t other,
                                 const struct meeting_camera *camera, int64_t now_us);
/* A fresh start of every picture it gets and sends (generateKeyframe). */
void meeting_leg_keyframe(struct meeting *meeting, uint32_t leg, int64_t now_us);

#endif
