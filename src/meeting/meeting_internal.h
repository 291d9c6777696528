/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the meeting model; shared by its own files only. */
#ifndef MEETING_MEETING_INTERNAL_H
#define MEETING_MEETING_INTERNAL_H

#include <assert.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/slab.h"
#include "base/timer.h"
#include "meeting/layout.h"
#include "meeting/meeting.h"
#include "meeting/stage.h"
#include "meeting/view.h"

enum {
	LINES_MAX = 64, /* log lines one input may cause, with a wide margin */
	CHATS_MAX = 8,  /* messages not taken yet: more than the one an input causes */
	DIGITS_MAX = 16, /* of a DTMF code */
	NOTICE_MAX = 64,
	NOTICE_US = 5 * 1000 * 1000, /* what only one leg is told on its screen */
	CODE_US = 1500 * 1000,       /* a code that could go on acts after this */
	TEMPLATES_MAX = 8,           /* layout templates kept as read */
};

/* What is left to tell the shell about a leg, one bit each, told in this order. */
enum leg_work {
	WORK_DIAL = 1 << 0,
	WORK_DROP = 1 << 1,
	WORK_SETTINGS = 1 << 2,
	WORK_DTMF = 1 << 3,
	WORK_ONLY = 1 << 4,
	WORK_WAITING = 1 << 5,
	WORK_LOCKED = 1 << 6,
	WORK_JOIN_TONE = 1 << 7,
	WORK_LEAVE_TONE = 1 << 8,
	WORK_CAMERA = 1 << 9,
	WORK_KEYFRAME = 1 << 10,
};

enum call_work {
	WORK_STARTED = 1 << 0,
	WORK_ROSTER = 1 << 1,
	WORK_PRESENTER = 1 << 2,
	WORK_MESSAGE = 1 << 3,
	WORK_VIDEO = 1 << 4,
	WORK_ENDED = 1 << 5, /* last: the call goes with it */
};

enum model_timer_kind {
	TIMER_LEG_DURATION,
	TIMER_LEG_DEACTIVATION,
	TIMER_LEG_NOTICE,
	TIMER_LEG_CODE,
	TIMER_CALL_EMPTY,
	TIMER_CALL_STAGE,
	TIMER_CALL_MESSAGE,
};

struct model_timer {
	struct timer timer;
	enum model_timer_kind kind;
	uint32_t handle;
};

struct leg {
	struct meeting_leg pub;
	uint32_t next; /* of the call, oldest first */
	uint32_t prev;
	uint32_t work_next;
	uint32_t work;
	bool queued;
	bool inside;   /* takes part: connected and not in the lobby */
	bool admitted; /* out of the lobby by somebody's word, lock or not */
	bool invited;  /* we called it: a lock does not keep it out */
	bool sent_back; /* into the lobby by somebody's word */
	enum leg_end reason; /* of WORK_DROP */
	uint64_t override_set; /* one bit per enum leg_profile_field */
	uint32_t overrides[LEG_PROFILE_FIELDS];
	uint32_t profiles[PROFILE_LEVELS];          /* 0 where there is none */
	struct guid profile_ids[PROFILE_LEVELS];    /* as last seen: deleting the way in must */
	                                            /* not make a guest a host */
	uint8_t chosen_layout;         /* enum layout_name, LAYOUT_COUNT: none */
	uint32_t settings[LEG_PROFILE_FIELDS]; /* in force */
	struct model_timer duration;
	struct model_timer deactivation;
	/* pictures */
	struct stage_person person;
	bool second_stream;            /* content goes there, not into the main picture */
	struct meeting_camera camera;  /* of WORK_CAMERA */
	char notice[NOTICE_MAX];       /* shown to it alone, or empty */
	struct model_timer notice_over;
	uint8_t digit_count;
	char digits[DIGITS_MAX];       /* typed, no code yet */
	uint8_t code_waits;            /* dtmf_profile_field + 1 that acts unless more is typed */
	struct model_timer code;
	uint8_t chats;                 /* written lately */
	int64_t chat_us;               /* one less after each second from here */
};

struct call {
	struct meeting_call pub;
	struct guid space_id; /* zero: ad hoc */
	uint32_t first;
	uint32_t last;
	uint32_t work_next;
	uint32_t work;
	uint32_t activators;  /* inside */
	bool queued;
	struct model_timer empty;
	/* What the API said in place of the space's or call profile's. */
	struct value placement;
	struct value self_pane_mode;
	struct value chat_allowed;
	struct value raise_hand;
	struct value lock_mode;
	struct value active_when_empty;
	char own_banner[MEETING_MESSAGE_MAX]; /* or empty */
	uint64_t edits;                       /* by the API, of this call */
	struct stage stage;
	uint64_t stage_version;        /* as it was told */
	uint32_t presenter_before;     /* of WORK_PRESENTER */
	struct value space_layout;     /* as the space had it last */
	struct value space_self_pane_mode;
	uint32_t space_placement;
	char banner[MEETING_MESSAGE_MAX];
	uint64_t banner_version;       /* of the profiles it came from */
	struct guid banner_profile;
	struct model_timer stage_timer;
	struct model_timer message_over;
	bool layout_refused;           /* it was said that there is no licence for its template */
};

struct chat {
	uint32_t call;
	uint32_t leg;
	char text[MEETING_CHAT_MAX + 1];
};

struct template_kept {
	uint32_t handle; /* 0: free */
	uint64_t used;
	struct layout_template layouts; /* count 0: none that can be used */
};

struct web_bridge {
	uint32_t handle;
	enum web_bridge_state state;
};

enum {
	WEB_BRIDGES_MAX = 64,
	ALARMS_MAX = WEB_BRIDGES_MAX + 64,
};

struct alarm {
	bool raised;
	enum alarm_type type;
	enum alarm_reason reason;
	struct guid about; /* zero: nothing in particular */
	struct guid id;
	int64_t since_us;
};

/* What is licensed, and how it was when it was last looked at (licensing.c). */
struct licensing {
	struct licence_rights rights;
	bool over[LICENCE_FEATURES];
	bool branding_refused; /* and it was said */
	char expiry[LICENCE_FEATURES][LICENCE_DATE_MAX];         /* empty: never */
	char cluster_expiry[LICENCE_FEATURES][LICENCE_DATE_MAX]; /* at most 90 days ahead */
	uint64_t users_version; /* of all that says who has a licence */
	uint32_t users_personal;
};

struct queue {
	uint32_t first;
	uint32_t last;
};

struct meeting {
	struct meeting_settings settings;
	struct objects *objects;
	struct slab calls;
	struct slab legs;
	struct slab participants;
	struct map call_ids;
	struct map leg_ids;
	struct map participant_ids;
	struct map call_spaces; /* space GUID -> its call */
	struct timer_wheel timers;
	struct queue leg_queue;
	struct queue call_queue;
	uint32_t call_gone; /* freed at the next poll */
	uint32_t door;      /* a call of legs at the door; 0: nobody is there */
	uint64_t profiles_version;
	uint64_t templates_version;
	uint64_t template_used_last;
	struct template_kept templates[TEMPLATES_MAX];
	uint32_t chat_first;
	uint32_t chat_count;
	struct chat chats[CHATS_MAX];
	struct chat chat_out;
	uint32_t leg_number_last;
	struct meeting_totals totals;
	struct web_bridge web_bridges[WEB_BRIDGES_MAX];
	uint32_t web_bridge_count;
	struct alarm alarms[ALARMS_MAX];
	struct licensing licensing;
	meeting_watcher *watcher;
	void *watcher_context;
	int64_t now_us;
	uint32_t line_first;
	uint32_t line_count;
	uint32_t lines_lost;
	char lines[LINES_MAX][MEETING_LINE_MAX];
	char line_out[MEETING_LINE_MAX];
};

static inline struct call *
call_get(const struct meeting *meeting, uint32_t call)
{
	return slab_get(&meeting->calls, call);
}

static inline struct leg *
leg_get(const struct meeting *meeting, uint32_t leg)
{
	return slab_get(&meeting->legs, leg);
}

static inline struct meeting_participant *
participant_get(const struct meeting *meeting, uint32_t participant)
{
	return slab_get(&meeting->participants, participant);
}

/* Time never goes back. */
static inline void
meeting_now(struct meeting *meeting, int64_t now_us)
{
	CHECK(now_us >= meeting->now_us);
	meeting->now_us = now_us;
}

/* door.c */
/* Its last leg went: nothing is told, for nothing was. */
void door_close(struct meeting *meeting, struct call *call);

/* meeting.c */
void names_put(struct meeting *meeting, struct map *map, const struct guid *id, uint32_t handle);
void names_remove(struct meeting *meeting, struct map *map, const struct guid *id,
                  uint32_t handle);
/* The space's running call, or a new one; `space` 0: an ad hoc call of that name. */
enum meeting_refusal call_open(struct meeting *meeting, uint32_t space, struct str name,
                               struct call **out);
void call_finish(struct meeting *meeting, struct call *call);
void call_lock(struct meeting *meeting, struct call *call, bool locked);

/* leg.c */
/* Is there room on this bridge, and in the space's call (0: it does not run)? */
enum meeting_refusal bridge_room(const struct meeting *meeting);
enum meeting_refusal call_room(const struct meeting *meeting, uint32_t space, uint32_t call);
/* A new leg of the call, as who joins says. */
struct leg *leg_begin(struct meeting *meeting, struct call *call, const struct meeting_join *join);
void leg_link(struct meeting *meeting, struct call *call, struct leg *leg);
void leg_unlink(struct meeting *meeting, struct call *call, const struct leg *leg);
/* Its importance is its access method's, and whether it is heard the call's. */
void leg_come_new(struct meeting *meeting, struct leg *leg, const struct call *call,
                  uint32_t method, struct str user_jid);
void leg_log_joined(struct meeting *meeting, const struct leg *leg);
void leg_watch_duration(struct meeting *meeting, struct leg *leg);
/* After anything about its profile changed. */
void leg_reconsider(struct meeting *meeting, struct leg *leg);
void leg_override(struct leg *leg, enum leg_profile_field field, const struct value *value);
void leg_let_in(struct meeting *meeting, struct leg *leg, bool deactivated);
void leg_importance(struct meeting *meeting, struct leg *leg, uint32_t importance);
void leg_choose_layout(struct meeting *meeting, struct leg *leg, unsigned layout);

/* view.c */
void call_pictures_init(struct meeting *meeting, struct call *call);
void call_pictures_fini(struct meeting *meeting, struct call *call);
/* After anything that may change who is seen. */
void call_pictures_changed(struct meeting *meeting, struct call *call);
/* What the space and its profiles say anew; true when a leg's layout may be another. */
bool call_pictures_follow(struct meeting *meeting, struct call *call);
void templates_follow(struct meeting *meeting);
void leg_picture_refresh(struct meeting *meeting, struct leg *leg);
enum layout_name leg_layout_name(const struct leg *leg);
uint32_t leg_streams(const struct meeting *meeting, const struct leg *leg);
enum stage_self_mode call_self_mode(const struct call *call);

/* present.c */
bool call_allows(const struct meeting *meeting, const struct call *call,
                 enum call_profile_field field);
void presenter_set(struct meeting *meeting, struct call *call, uint32_t leg);
/* Who presents may do so no longer? */
void presenter_review(struct meeting *meeting, struct call *call);
void call_message_edit(struct meeting *meeting, struct call *call,
                       const struct object_edit *edit);
void call_message_over(struct meeting *meeting, struct call *call);
void hand_set(struct meeting *meeting, struct leg *leg, bool raised);
void hands_lower(struct meeting *meeting, struct call *call);
void leg_notice(struct meeting *meeting, struct leg *leg, const char *text);

/* dtmf.c */
void code_act(struct meeting *meeting, struct leg *leg);

/* act.c */
void mute_others(struct meeting *meeting, struct call *call, const struct leg *self, bool muted);

/* events.c */
void leg_work(struct meeting *meeting, struct leg *leg, uint32_t work);
void call_work(struct meeting *meeting, struct call *call, uint32_t work);
void leg_work_forget(struct meeting *meeting, struct leg *leg);
__attribute__((format(printf, 2, 3))) void log_line(struct meeting *meeting, const char *format,
                                                    ...);
struct guid_text {
	char text[GUID_TEXT_LEN + 1];
};
struct guid_text guid_text(const struct guid *guid);

/* Tells the watcher. */
void leg_news(struct meeting *meeting, const struct leg *leg, enum meeting_news_kind kind);
void call_news(struct meeting *meeting, const struct call *call, enum meeting_news_kind kind);

/* alarms.c */
/* What an alarm about a licensed feature is about. */
struct guid alarm_about_feature(enum licence_feature feature);
struct value alarm_value(const struct meeting *meeting, uint32_t handle, enum alarm_field field,
                         int64_t now_us);

/* licensing.c */
void licensing_init(struct licensing *licensing);
struct value licensing_value(const struct meeting *meeting, enum licensing_field field);
struct value cluster_licensing_value(const struct meeting *meeting,
                                     enum cluster_licensing_field field);
/* May one leg more of this kind come, into a running call or a new one?  No is logged. */
bool licensing_admits(struct meeting *meeting, enum leg_kind kind, uint32_t space, bool runs);
/* Calls may be, but none encrypted. */
bool licensing_clear_only(const struct meeting *meeting);
/* May recordings of somebody's own be played in the space (0: at an IVR)? */
bool licensing_branding(struct meeting *meeting, uint32_t space);
/* May the call's layout template be shown? */
bool licensing_template(struct meeting *meeting, struct call *call);

/* profile.c */
void leg_profiles_find(const struct meeting *meeting, const struct leg *leg,
                       uint32_t out[PROFILE_LEVELS]);
void leg_settings_refresh(struct meeting *meeting, struct leg *leg);
uint32_t call_setting(const struct meeting *meeting, uint32_t space,
                      enum call_profile_field field);
/* A text, or an object, of the call profile in force. */
struct str call_setting_text(const struct meeting *meeting, uint32_t space,
                             enum call_profile_field field);
uint32_t call_setting_ref(const struct meeting *meeting, uint32_t space,
                          enum call_profile_field field);

/* lobby.c: who takes part */
void leg_arrive(struct meeting *meeting, struct leg *leg);
void leg_depart(struct meeting *meeting, struct leg *leg);
void lobby_review(struct meeting *meeting, struct call *call);
void lobby_send_back(struct meeting *meeting, struct leg *leg);
void lobby_expired(struct meeting *meeting, struct leg *leg);
void leg_media_refresh(struct meeting *meeting, struct leg *leg);

#endif
