/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge's own structures, shared by bridge.c (tables, rooms, model and worker events),
 * bridge_sdp.c, bridge_sdp_caps.c and bridge_sdp_video.c (descriptions), bridge_sip.c, bridge_dial.c
 * (calls out), bridge_join.c (browsers' ways in), bridge_web.c and bridge_ivr.c; what only pictures
 * need is in bridge_video.h. */
#ifndef CALLBRIDGE_BRIDGE_INTERNAL_H
#define CALLBRIDGE_BRIDGE_INTERNAL_H

#include "base/check.h"
#include "base/hash.h"
#include "base/prng.h"
#include "base/slab.h"
#include "base/timer.h"
#include "callbridge/bridge.h"
#include "meeting/dial_plan.h"
#include "meeting/ivr.h"
#include "sdp/sdp_session.h"

enum {
	SDP_TEXT_MAX = 64 * 1024, /* of ours: 1.5 kB a tile */
	CNAME_TEXT_MAX = 20,
	GUEST_MAX = 32,
	DOMAIN_MAX = 256,
	ROSTER_GONE_MAX = 24,
	/* Of one message: names of 100 bytes that all are escaped and the numbers of all sessions
	 * stay below C2W_MESSAGE_BYTES_MAX. */
	ROSTER_PEOPLE_MAX = 512,
};

enum leg_stage {
	STAGE_OPENING,   /* the worker makes the transport */
	STAGE_OFFERING,  /* our call: INVITE is out */
	STAGE_ANSWERED,  /* their call: 200 is out, ACK is not in */
	STAGE_ASKING,    /* connected, at the door: a meeting ID or a passcode is asked for */
	STAGE_MOVING,    /* let in, and told by a re-INVITE where its meeting's media are */
	STAGE_ACTIVE,    /* in its meeting; a browser before its offer too */
	STAGE_ENDING,    /* the far end is being told */
};

static_assert(ROSTER_PEOPLE_MAX * (270 + 2 * C2W_NAME_MAX) + C2W_SESSIONS_MAX * 11 <=
                      C2W_MESSAGE_BYTES_MAX,
              "a full roster fits into a message");
static_assert(ROSTER_PEOPLE_MAX <= (int)C2W_PEOPLE_MAX, "and is taken");

/* What a leg's media legs are for.  A browser has one, BRIDGE_MEDIUM_AUDIO, which carries all. */
enum bridge_medium {
	BRIDGE_MEDIUM_AUDIO,
	BRIDGE_MEDIUM_MAIN,
	BRIDGE_MEDIUM_CONTENT,
	BRIDGE_MEDIUM_CAMERA, /* H.224: whose camera is to move */
	BRIDGE_MEDIA,
};

static_assert((int)BRIDGE_MEDIA == (int)BRIDGE_MEDIA_LEGS_MAX, "as many as are promised");

/* Purposes that a line of a leg's SDP can have: a room's media and its floor control; a browser's
 * sound, and behind it those of enum bridge_line_kind. */
enum {
	DESCRIBED_FLOOR = BRIDGE_MEDIA,
	DESCRIBED_MEDIA,
};

/* One media leg. */
struct bridge_media {
	bool taken;  /* `id` is a slot of the leg's worker */
	bool opened; /* and its transport is known */
	media_leg_id id;
	struct media_opened facts;
};

/* Who is calling. */
struct caller {
	char name[MEETING_NAME_MAX];
	char party[MEETING_PARTY_MAX];
	char dialled[MEETING_PARTY_MAX]; /* user@host */
	char source[ADDR_TEXT_MAX];
	char call_id[MEETING_PARTY_MAX];
};

/* Whom we call, and how, until he has answered (bridge_dial.c). */
struct bridge_dialing {
	struct dial_cursor cursor; /* in the outbound rules */
	uint32_t rule;             /* 0: there are none */
	bool stop;                 /* no other rule after this one */
	bool rang;                 /* somebody's telephone did */
	unsigned way_at;
	unsigned way_count;
	enum dial_way ways[DIAL_WAYS_MAX];
	char contact_domain[DOMAIN_MAX];
	char from_domain[DOMAIN_MAX];
	char proxy[DOMAIN_MAX];
};

/* A caller who is called on, until that call was answered. */
struct bridge_forward {
	bool preserve;  /* his address stays as it is */
	bool answered;  /* the far end has */
	uint16_t hops;  /* left */
	struct guid tenant; /* whose the call is; zero: nobody's */
	char from_uri[MEETING_PARTY_MAX];
	char from_user[MEETING_PARTY_MAX];
	char party[DIAL_PARTY_MAX]; /* whom to call */
};

/* Of a leg at the door. */
struct bridge_ivr {
	struct ivr core;
	char address[MEETING_PARTY_MAX]; /* these two: as dialled, for a space's passcode */
	char domain[DOMAIN_MAX];
	enum ivr_screen screen;          /* that it is shown */
};

/* One picture for all on a worker who are asked the same. */
struct bridge_screen {
	uint32_t canvas; /* 0: none */
	unsigned viewers;
};

struct bridge_video; /* bridge_video.h */
struct fecc;

struct bridge_leg {
	uint32_t handle;
	enum leg_kind kind;
	enum leg_stage stage;
	bool outgoing;
	bool late_offer;    /* they call without an offer: our 200 makes it */
	bool has_media;     /* media legs are slots of `worker`, that for sound in any case */
	bool opened;        /* and all their transports are known */
	bool described;     /* offer and answer were exchanged at least once */
	bool has_been_connected; /* browser: the model was told */
	bool held;
	bool in_room;
	bool dtmf_inband;   /* no telephone-event was agreed on */
	uint32_t meeting_leg; /* 0: not yet */
	struct meeting_entry entry;
	enum leg_end end;   /* why we are ending it */
	struct timer timer; /* of the door, or a browser's return */

	/* Media. */
	unsigned worker;
	struct bridge_media media[BRIDGE_MEDIA];
	uint8_t allowed;    /* bit (1u << purpose) of each the profile and the Call Bridge allow */
	uint32_t lines;     /* bit (1u << line) of each video line its media legs know */
	bool has_camera;    /* bridge_video.c was told so */
	bool has_floor;
	char cname[CNAME_TEXT_MAX]; /* of all it is sent */
	struct sdp_settings sdp_settings;
	struct sdp_media_cap sdp_medias[DESCRIBED_MEDIA];
	struct sdp_session *sdp;
	struct sdp_session *sdp_offered; /* our call: as it was before any answer (forks) */
	struct sdp_session *sdp_before;  /* while a re-offer waits for ports: as it was before */
	struct net_addr local; /* the address our SDP tells */

	/* SIP. */
	bool said_muted;
	sip_session_id session;
	struct net_addr signalling; /* the caller's address */
	uint16_t fork;
	struct bridge_dialing *dialing; /* our call, until it is answered */
	struct bridge_forward *forward; /* their call that is called on */

	/* The door. */
	struct bridge_ivr *ivr; /* until it is let in; NULL: it is */
	uint8_t moves;          /* tried */

	/* Browser. */
	bool linked;          /* has a WebSocket: link and web_session mean something */
	unsigned link;
	uint32_t web_session;
	uint32_t revision;    /* of the offer being answered */
	bool in_lobby;        /* as it was last told */
	bool muting_self;     /* a wish of its own is being carried out */
	bool muted;           /* as it was last told */
	bool mute_is_own;     /* and it had wished so itself */
	bool muting_own_video; /* the same three of its pictures */
	bool video_muted;
	bool video_mute_is_own;
	char guest[GUEST_MAX];

	/* Pictures. */
	struct bridge_video *video; /* NULL: no video line was agreed on */
	struct fecc *camera;        /* NULL: no camera line was */

	/* What other browsers were last told about this participant. */
	uint64_t told; /* a hash of it; 0: nothing yet */
	char participant[GUID_TEXT_LEN + 1]; /* empty: it was told to nobody yet */
};

/* A call's room on a worker. */
struct bridge_canvas; /* bridge_video.h */

struct bridge_room {
	uint32_t call;       /* meeting call; 0: the slot is free */
	unsigned worker;
	media_room_id room;
	bool roster_changed;
	bool video_changed;
	unsigned canvas_count;
	struct bridge_canvas *canvases; /* what its receivers of composed pictures see */
	uint8_t gone_count;
	char gone[ROSTER_GONE_MAX][GUID_TEXT_LEN + 1]; /* participants who left since the last */
};

/* A media leg's slot on a worker. */
struct bridge_slot {
	uint32_t leg; /* handle of the bridge leg; 0: it is closing */
	enum bridge_medium medium;
};

struct bridge_worker {
	struct slab legs;  /* struct bridge_slot */
	struct slab rooms; /* uint32_t: handle of the call */
	struct bridge_screen screens[IVR_SCREENS];
};

struct bridge_link {
	bool up;
	uint32_t web_bridge;
};

struct bridge {
	struct bridge_settings settings;
	char sip_domain[DOMAIN_MAX];
	char id[GUID_TEXT_LEN + 1];
	struct net_addr web_addresses[BRIDGE_ADDRESSES_MAX];
	struct prng prng;
	struct hash_key hash_key;
	struct slab legs;
	struct map by_web;   /* (link, session) -> leg */
	struct map by_guest; /* guest name -> leg */
	struct bridge_room *rooms; /* by the call handle's index */
	uint32_t room_count;
	struct bridge_worker workers[BRIDGE_WORKERS_MAX];
	struct bridge_link links[BRIDGE_LINKS_MAX];
	struct timer_wheel timers;
	struct timer roster_timer;
	struct timer video_timer;
	struct timer camera_timer;
	uint32_t canvas_last; /* number of the newest canvas */
	struct timer stats_timer;
	uint32_t stats_at;
	uint32_t asked; /* legs at the door */
	bool shutting_down;
	bool draining;
	char text[SDP_TEXT_MAX]; /* one description being written */
	struct c2w_person people[ROSTER_PEOPLE_MAX]; /* one roster being written */
	uint32_t sessions[C2W_SESSIONS_MAX];      /* and whom it goes to */
};

static inline const struct meeting_leg *
meeting_leg_of(const struct bridge *bridge, uint32_t meeting_leg_handle)
{
	return meeting_leg_handle != 0 ? meeting_leg(bridge->settings.meeting, meeting_leg_handle)
	                               : NULL;
}

/* bridge.c */
struct bridge_leg *bridge_leg_new(struct bridge *bridge, enum leg_kind kind, int64_t now_us);
struct bridge_leg *bridge_leg_get(const struct bridge *bridge, uint32_t handle);
struct bridge_leg *bridge_leg_of_meeting(const struct bridge *bridge, uint32_t meeting_leg);
/* Frees the leg: media is closed, the model is told. */
void bridge_leg_over(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason,
                     bool remote, int64_t now_us);
/* A number that strangers may see: a keyed hash of the generator's (base/prng.h). */
[[nodiscard]] uint64_t bridge_random(struct bridge *bridge);
/* Takes media slots on a worker and orders their transports, for all that the leg's description
 * wants; false when there is none for its sound.  `call` is where the leg is going, or 0: then it is
 * asked for a passcode first. */
[[nodiscard]] bool bridge_media_open(struct bridge *bridge, struct bridge_leg *leg, uint32_t call);
/* The same for what a re-offer added. */
void bridge_media_add(struct bridge *bridge, struct bridge_leg *leg);
void bridge_media_close(struct bridge *bridge, struct bridge_leg *leg);
void bridge_medium_close(struct bridge *bridge, struct bridge_leg *leg, enum bridge_medium medium);
/* To the media leg with the sound. */
void bridge_order(struct bridge *bridge, const struct bridge_leg *leg, struct media_order *order);
void bridge_play(struct bridge *bridge, const struct bridge_leg *leg, enum media_sound sound);
/* Both ends are connected and nothing is asked any more: the model is told, and in it goes. */
void bridge_connected(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
/* Into its room or out of it, as the model says. */
void bridge_enter(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
/* Tells the worker who may hear whom, and how, as the model says. */
void bridge_leg_settings(struct bridge *bridge, struct bridge_leg *leg);
__attribute__((format(printf, 2, 3))) void bridge_log(struct bridge *bridge, const char *format,
                                                      ...);
void bridge_send_dtmf(struct bridge *bridge, const struct bridge_leg *leg, struct str digits);
/* A key was pressed, whatever way it came. */
void bridge_digit(struct bridge *bridge, struct bridge_leg *leg, char digit, int64_t now_us);
unsigned bridge_leg_number(const struct bridge *bridge, const struct bridge_leg *leg);

struct bridge_room *bridge_room_of(const struct bridge *bridge, uint32_t call);
/* Makes sure that the call has its room, which is on this worker; false when there is no room for
 * one more. */
[[nodiscard]] bool bridge_room_settle(struct bridge *bridge, uint32_t call, unsigned worker);

/* bridge_sdp.c */
/* `replaces`: the model's leg whose place it takes, or 0. */
[[nodiscard]] int description_begin(struct bridge *bridge, struct bridge_leg *leg,
                                    uint32_t replaces);
void description_end(struct bridge_leg *leg);
/* The one answer that counts is in: the offer as it was before any is not needed any more, nor are
 * the ports of lines it refused. */
void description_settled(struct bridge *bridge, struct bridge_leg *leg);
/* Does it need a media leg for that, and with ICE?  Lines of the peer's that are not there take no
 * ports. */
[[nodiscard]] bool description_wants(const struct bridge_leg *leg, enum bridge_medium medium,
                                     bool *ice);
/* Write an offer or answer of ours into bridge->text; empty when it does not fit. */
struct str description_offer(struct bridge *bridge, struct bridge_leg *leg);
struct str description_answer(struct bridge *bridge, struct bridge_leg *leg);
/* Orders the worker to do what was agreed on; false when there is no sound in it. */
[[nodiscard]] bool description_apply(struct bridge *bridge, struct bridge_leg *leg,
                                     int64_t now_us);
/* May media flow, as far as the call's stage goes? */
[[nodiscard]] bool description_flows(const struct bridge_leg *leg);

/* bridge_sdp_caps.c: what we can and may do */
/* Fills the leg's media and says which of them are allowed. */
void description_caps(struct bridge *bridge, struct bridge_leg *leg, uint32_t replaces);
/* A setting of the profiles that hold for the leg, or will. */
[[nodiscard]] uint32_t description_setting(const struct bridge *bridge,
                                           const struct bridge_leg *leg, uint32_t replaces,
                                           enum leg_profile_field field);
extern const struct str description_extensions[];

/* In the order of description_extensions. */
enum {
	EXTENSION_LEVEL,
	EXTENSION_MID,
	EXTENSION_RID,
	EXTENSION_REPAIRED_RID,
	EXTENSION_TWCC,
	EXTENSION_ORIENTATION,
	EXTENSIONS,
};

/* In the order of the media's feedbacks. */
enum {
	FEEDBACK_PLI,
	FEEDBACK_FIR,
	FEEDBACK_TMMBR,
	FEEDBACK_NACK,
	FEEDBACK_REMB,
	FEEDBACK_TWCC,
	FEEDBACKS,
};

/* What the profile lets us send on a line. */
struct description_quality {
	uint16_t height_max; /* these three: 0: no limit */
	uint8_t fps_max;
	uint32_t bps_max;
};

[[nodiscard]] struct description_quality description_quality(const struct bridge *bridge,
                                                             const struct bridge_leg *leg,
                                                             bool content);

/* ---- Pictures, as SDP agreed on them (bridge_sdp_video.c) ---------------------------------- */

/* To one of a leg's media legs; nothing when it has none for that. */
void bridge_order_medium(struct bridge *bridge, const struct bridge_leg *leg,
                         enum bridge_medium medium, struct media_order *order);

/* What a video line is for. */
enum bridge_line_kind {
	BRIDGE_LINE_MAIN,    /* a room's pictures both ways; a browser's camera */
	BRIDGE_LINE_CONTENT, /* a room's second stream both ways; a browser's shared screen */
	BRIDGE_LINE_TILE,    /* of a browser, to which we send */
	BRIDGE_LINE_KINDS,
};

struct bridge_video_line {
	media_leg_id media; /* orders about the line go to it, with `line` */
	uint8_t line;
	enum bridge_line_kind kind;
	bool receives;      /* the peer may send on it now */
	bool sends;         /* we may */
	const char *mid;    /* empty: the SDP has none; borrowed until the next description */
};

/* Chooses SSRCs for the lines we send on that have none. */
void video_lines_name(struct bridge *bridge, struct bridge_leg *leg);
/* Orders the worker to do what was agreed on about pictures and cameras, and tells bridge_video.c. */
void video_lines_apply(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);

/* The video lines agreed on, by line number; how many. */
unsigned video_lines(const struct bridge_leg *leg, struct bridge_video_line out[SDP_LINES_MAX]);

/* bridge_video.c is told after each offer and answer.  The worker knows of the lines by then. */
void video_lines_changed(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
/* And what media legs tell of pictures: PICTURE, VIDEO_STATS, QUALITY, KEY_WANTED, DATA. */
void video_media_event(struct bridge *bridge, struct bridge_leg *leg,
                       const struct media_event *event, int64_t now_us);
/* A room's camera may be steered, or no longer. */
void camera_agreed(struct bridge *bridge, struct bridge_leg *leg, bool agreed, int64_t now_us);
/* A room's floor control as agreed; NULL: none any more.  Comes behind video_lines_changed(). */
void video_floor_agreed(struct bridge *bridge, struct bridge_leg *leg, const struct sdp_line *line);

/* Does a caller from elsewhere name our own loopback, where services trust what comes from there? */
[[nodiscard]] bool description_points_inside(const struct bridge_leg *leg,
                                             const struct net_addr *remote);

/* bridge_sip.c */
void sip_event(struct bridge *bridge, const struct sip_event *event, int64_t now_us);
void sip_media_opened(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void sip_media_refused(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void sip_drop(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, int64_t now_us);
/* A caller who waits for whom he is called on to: he is answered, or refused. */
void sip_answer_waiting(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void sip_refuse_waiting(struct bridge *bridge, struct bridge_leg *leg, uint16_t status,
                        int64_t now_us);

/* bridge_dial.c: calls out, by the dial plan. */
void sip_dial(struct bridge *bridge, uint32_t meeting_leg, int64_t now_us);
/* Its media are there. */
void dial_invite(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
/* It is over before it has begun; `status` is for who waits for it. */
void dial_give_up(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason,
                  uint16_t status, int64_t now_us);
/* News of our call before it is answered. */
void dial_rang(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void dial_answered(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
/* It came to nothing: true when it is tried in another way.  Else who waits for it is told. */
[[nodiscard]] bool dial_failed(struct bridge *bridge, struct bridge_leg *leg,
                               const struct sip_event *event, int64_t now_us);
/* Where a call in a domain that is not ours goes on to: 0 and `*out`, which is the caller's to
 * free(); or the status to refuse with, and `why` says why. */
[[nodiscard]] uint16_t forward_route(struct bridge *bridge, const struct sip_event *event,
                                     struct bridge_forward **out, struct writer *why);
/* Calls on for a leg that has just joined; false when there is no room. */
[[nodiscard]] bool forward_dial(struct bridge *bridge, const struct bridge_leg *leg,
                                int64_t now_us);
/* A key pressed in a forwarded call is for who is at its other end. */
[[nodiscard]] bool forward_digit(struct bridge *bridge, const struct bridge_leg *leg, char digit);

/* bridge_web.c */
void web_media_opened(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void web_drop(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, int64_t now_us);
void web_leg_over(struct bridge *bridge, struct bridge_leg *leg);
void web_settings(struct bridge *bridge, struct bridge_leg *leg);
void web_timer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void web_media_lost(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
/* To a browser, unless its WebSocket is away. */
void web_send(struct bridge *bridge, const struct bridge_leg *leg, struct c2w_message *message);

/* Under the number of the message that asked. */
void web_answer(struct bridge *bridge, unsigned link, const struct c2w_message *to,
                struct c2w_message *message);
void web_refuse(struct bridge *bridge, unsigned link, const struct c2w_message *to,
                enum c2w_refusal refusal);

/* bridge_join.c: LOOKUP and JOIN, and the token between JOIN and OPEN. */
void join_look_up(struct bridge *bridge, unsigned link, const struct c2w_message *message);
void join_ask(struct bridge *bridge, unsigned link, const struct c2w_message *message);
/* Who goes in, and how he is called there. */
struct bridge_newcomer {
	struct str guest;
	struct str name;
	struct str user; /* GUID of who is signed in, or empty */
};
[[nodiscard]] bool join_write_token(struct bridge *bridge, struct writer *w,
                                    const struct bridge_newcomer *who,
                                    const struct meeting_entry *entry);
/* A token's words turned back into a place to go, and into a user; 0: he is none any more. */
[[nodiscard]] bool join_entry(const struct bridge *bridge, const struct jwt_claims *claims,
                              struct meeting_entry *entry);
[[nodiscard]] uint32_t join_user(const struct bridge *bridge, const struct jwt_claims *claims);
/* May he, or a guest (0), still come in there?  A token outlives a membership. */
[[nodiscard]] bool join_stands(const struct bridge *bridge, const struct meeting_entry *entry,
                               uint32_t user);

/* bridge_roster.c: who is here, told to browsers. */
void roster_changed(struct bridge *bridge, uint32_t call, int64_t now_us);
void roster_gone(struct bridge *bridge, const struct bridge_leg *leg, uint32_t call,
                 int64_t now_us);
void rosters_send(struct bridge *bridge);
/* To every browser in the call, but those in its lobby. */
void roster_send_to_call(struct bridge *bridge, uint32_t call, struct c2w_message *message);
/* The whole roster, to one browser. */
void roster_send_whole(struct bridge *bridge, const struct bridge_leg *to);

/* bridge_ivr.c */
/* For a call that is answered to be asked; `address` and `domain` as dialled.  False: no memory. */
[[nodiscard]] bool ivr_open(struct bridge *bridge, struct bridge_leg *leg, struct str address,
                            struct str domain);
void ivr_close(struct bridge *bridge, struct bridge_leg *leg);
/* It is connected. */
void ivr_begin(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void ivr_digit(struct bridge *bridge, struct bridge_leg *leg, char digit, int64_t now_us);
void ivr_timer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void ivr_sound_over(struct bridge *bridge, struct bridge_leg *leg, uint32_t sound, int64_t now_us);
/* A leg that is MOVING: its new ports are there; the far end has taken them, or has not. */
void ivr_move_offer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void ivr_moved(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us);
void ivr_move_failed(struct bridge *bridge, struct bridge_leg *leg, uint16_t status,
                     int64_t now_us);

#endif
