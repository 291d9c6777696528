/* SPDX-License-Identifier: Apache-2.0 */
/* meeting -- the live model: running calls, who is in them, and what they may do.
 *
 * The domain of a conference bridge without any protocol: addresses lead to spaces, legs join and
 * leave calls, profiles decide, and what has to happen in the world comes out as events.  SIP,
 * browsers and the API are shells around it.
 *
 * A leg's life as the shell drives it:
 *	incoming   meeting_route() -> meeting_join()
 *	           -> answer the call -> meeting_leg_connected() ... meeting_leg_ended()
 *	asked      meeting_route() -> meeting_door() -> answer -> meeting_leg_connected()
 *	           -> ask for ID and passcode, meeting_route() again -> meeting_leg_enter() ...
 *	outgoing   meeting_dial() (by the API) -> MEETING_DIAL comes out -> send INVITE
 *	           -> meeting_leg_ringing() -> meeting_leg_connected() ... meeting_leg_ended()
 * Whoever ends it, meeting_leg_ended() comes exactly once from the shell and frees the leg; a
 * MEETING_DROP asks the shell for it.
 *
 * Sans-IO.  After every input drain meeting_poll() until MEETING_NONE.
 *
 * Ownership  meeting_create() allocates everything.  Structs handed out are borrowed until the
 *            next input and are the model's: read only.
 * Threads    The control thread.
 * Units      Microseconds on the monotonic clock; losses in tenths of a percent.
 * Errors     A join that is not possible is an `enum meeting_refusal`.
 * Limits     `struct meeting_limits`; no queue inside grows: events that repeat are joined.
 */
#ifndef MEETING_MEETING_H
#define MEETING_MEETING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/encode.h"
#include "base/str.h"
#include "licence/licence.h"
#include "meeting/object.h"

enum {
	MEETING_NAME_MAX = 128,    /* bytes of a display name, with NUL */
	MEETING_PARTY_MAX = 256,   /* bytes of an address, with NUL */
	MEETING_DTMF_MAX = 64,
	MEETING_LINE_MAX = 512,    /* bytes of one event log line */
	MEETING_MESSAGE_MAX = 256, /* bytes of an on-screen text, with NUL */
	MEETING_EMPTY_US = 60 * 1000 * 1000, /* a call the API made waits this long for somebody */
};

struct meeting_limits {
	uint32_t calls_max;        /* running at the same time */
	uint32_t legs_max;         /* on this bridge; also its participants */
};

struct meeting_settings {
	struct object_limits objects;  /* zeros: defaults */
	struct meeting_limits limits;  /* zeros: 5,000 legs and calls */
	struct hash_key hash_key;
	const char *language;          /* of what is written into pictures (words.h); borrowed */
	void (*random)(void *context, void *out, size_t len);
	void *context;
};

struct meeting;

[[nodiscard]] int meeting_create(struct meeting **out, const struct meeting_settings *settings,
                                 int64_t now_us);
void meeting_destroy(struct meeting *meeting);

/* The configuration it works by.  After a transaction that did not come from the API call
 * meeting_configured(). */
struct objects *meeting_objects(struct meeting *meeting);
/* Settings changed: running legs get what is new. */
void meeting_configured(struct meeting *meeting, int64_t now_us);

/* ------------------------------------------------------------------ finding a space */

/* Where a caller goes in: the space, and the access method used (0: the space's own address). */
struct meeting_entry {
	uint32_t space;
	uint32_t method;
	uint32_t ivr;    /* of ROUTE_IVR: who answers there, and asks for the space */
};

enum meeting_route {
	ROUTE_UNKNOWN,        /* SIP 404 */
	ROUTE_OPEN,           /* `entry` is where to go */
	ROUTE_PASSCODE,       /* ask for a passcode and come again with it */
	ROUTE_WRONG_PASSCODE, /* ask again; how often is the shell's choice */
	ROUTE_MEMBERS_ONLY,   /* nonMemberAccess is false: SIP 403 */
	ROUTE_ELSEWHERE,      /* the domain is none of ours: dial_forward() (dial_plan.h) says on */
	ROUTE_IVR,            /* ask for a meeting ID and come again with it as the address */
};

/* Whose spaces are looked for: everybody's, one tenant's, or those of a group's tenants.  A zero id
 * is no tenant, or no group. */
enum meeting_world { WORLD_ANY, WORLD_TENANT, WORLD_GROUP };

struct meeting_knock {
	enum meeting_world world;
	struct guid world_id;
	uint32_t web_bridge; /* a browser's, which says the world and what is allowed; 0: no browser */
	uint32_t ivr;        /* that asked: says the world, and the address is a number; 0: none */
	struct str user_jid; /* who is signed in; empty: a guest */
	struct str address;  /* the request URI's user part, or a meeting ID; any case */
	struct str passcode; /* at == NULL: nobody was asked yet; empty: "#" alone was typed */
	struct str secret;   /* of a guest link, opens without passcode; at == NULL: none */
	struct str domain;   /* the URI's host, for the inbound rules; at == NULL: any will do */
};

/* `entry` is written for OPEN and IVR, and for PASSCODE too, where it names the space to announce.
 * IVRs are found where a domain is given: a browser asks by itself. */
[[nodiscard]] enum meeting_route meeting_route(struct meeting *meeting,
                                               const struct meeting_knock *knock,
                                               struct meeting_entry *entry);

/* A space's coSpaceUser with this JID; 0: none. */
[[nodiscard]] uint32_t meeting_member(const struct meeting *meeting, uint32_t space,
                                      struct str jid);

/* What browsers may do, as the nearest webBridgeProfile has it: of the web bridge, its tenant (or
 * `tenant`, for web_bridge 0), the system. */
[[nodiscard]] struct value meeting_web_setting(const struct meeting *meeting, uint32_t web_bridge,
                                               uint32_t tenant, enum web_profile_field field);

/* passcodeMode "timeout": after this many seconds of silence come again with an empty passcode;
 * 0: wait for one. */
[[nodiscard]] uint32_t meeting_passcode_timeout_s(struct meeting *meeting,
                                                  const struct meeting_entry *entry);

/* The branding profile whose recordings are played in the space, or by the IVR: the nearest with a
 * resourceLocation of the space's, its tenant's and the system's; 0: none. */
[[nodiscard]] uint32_t meeting_call_branding(struct meeting *meeting, uint32_t space);
[[nodiscard]] uint32_t meeting_ivr_branding(struct meeting *meeting, uint32_t ivr);

/* What media an entry allows, before there is a leg: is SRTP required? */
[[nodiscard]] uint32_t meeting_entry_setting(struct meeting *meeting,
                                             const struct meeting_entry *entry,
                                             enum leg_profile_field field);

/* ------------------------------------------------------------------ legs */

enum leg_kind {
	LEG_SIP, /* type "sip" */
	LEG_WEB, /* type "acano": a browser */
};

enum leg_state {
	LEG_INITIAL,
	LEG_RINGING,
	LEG_CONNECTED,
	LEG_ON_HOLD,
	LEG_ENDING, /* MEETING_DROP is out; waits for meeting_leg_ended() */
};

/* callLegEnd's reasons, in CMS' words. */
enum leg_end {
	LEG_END_API_INITIATED_TEARDOWN,
	LEG_END_CALL_DEACTIVATED,
	LEG_END_CALL_ENDED,
	LEG_END_CALL_MOVED,
	LEG_END_CLIENT_INITIATED_TEARDOWN,
	LEG_END_CONFIRMATION_TIMEOUT,
	LEG_END_DNS_FAILURE,
	LEG_END_ENCRYPTION_REQUIRED,
	LEG_END_ERROR,
	LEG_END_INCORRECT_PASSCODE,
	LEG_END_IVR_TIMEOUT,
	LEG_END_IVR_UNKNOWN_CALL,
	LEG_END_LOCAL_TEARDOWN,
	LEG_END_PARTICIPANT_LIMIT_REACHED,
	LEG_END_REMOTE_BUSY,
	LEG_END_REMOTE_REJECTED,
	LEG_END_REMOTE_TEARDOWN,
	LEG_END_RINGING_TIMEOUT,
	LEG_END_TIMEOUT,
	LEG_END_TOO_MANY_CALLS,
	LEG_END_UNKNOWN_DESTINATION,
	LEG_END_COUNT,
};
const char *leg_end_name(enum leg_end reason);

/* What the media worker measured; zeroed means nothing flows. */
struct leg_stream {
	char codec[16];        /* CMS' word: "opus", "g722", "g711u", "g711a" */
	uint32_t bit_rate_bps;
	uint32_t loss_tenths;
	uint32_t jitter_ms;
	uint32_t rtt_ms;       /* tx only */
	int32_t gain_tenths_db; /* rx only: applied by AGC */
};

enum leg_track {
	LEG_TRACK_MAIN,    /* the camera; role="main" */
	LEG_TRACK_CONTENT, /* a shared screen; role="presentation" */
	LEG_TRACKS,
};

struct leg_pictures {
	char codec[16];        /* CMS' word: "h264", "vp8"; empty: nothing flows */
	uint32_t width;
	uint32_t height;
	uint32_t rate_tenths;  /* frames in ten seconds */
	uint32_t bit_rate_bps;
	uint32_t loss_tenths;
	uint32_t jitter_ms;
	uint32_t rtt_ms;       /* tx only */
};

struct leg_media {
	struct leg_stream rx_audio;
	struct leg_stream tx_audio;
	struct leg_pictures rx_video[LEG_TRACKS];
	struct leg_pictures tx_video[LEG_TRACKS];
	bool encrypted;        /* SRTP in both directions */
	char cipher[32];       /* "AEAD_AES_128_GCM"; empty when not encrypted */
};

struct meeting_leg {
	uint32_t handle;
	uint32_t number;       /* "call 20:" in the event log, counted from 1 */
	uint32_t call;         /* handles */
	uint32_t participant;
	struct guid id;
	uint64_t owner;        /* the shell's own word for it: a SIP session, a browser */
	struct guid ivr;       /* at the door: who asks there; zero: no IVR */
	enum leg_kind kind;
	enum leg_state state;
	bool outgoing;
	bool heard;            /* others hear it: the worker mixes what it sends */
	bool hears;            /* it gets the mix */
	bool lobby;            /* waits for an activator, or outside a locked call */
	bool talking;
	bool seen;             /* others see what its camera sends */
	bool sees;             /* it is sent pictures */
	bool hand;             /* raised */
	bool camera;           /* can be steered from here */
	bool flows[LEG_TRACKS]; /* pictures come from it */
	uint16_t widths[LEG_TRACKS];
	uint16_t heights[LEG_TRACKS];
	uint32_t importance;
	uint32_t bandwidth_bps; /* as it was asked for when it was called; 0: no limit */
	int64_t created_us;
	int64_t connected_us;  /* 0: not yet */
	char name[MEETING_NAME_MAX];        /* what people are shown */
	char remote_party[MEETING_PARTY_MAX];
	char local_address[MEETING_PARTY_MAX];
	char remote_address[MEETING_PARTY_MAX];
	char sip_call_id[MEETING_PARTY_MAX];
	char user[MEETING_NAME_MAX];        /* "guest921953266", or the remote party */
	char dtmf[MEETING_DTMF_MAX];        /* for MEETING_SEND_DTMF: what to send */
	struct leg_media media;
};

enum meeting_refusal {
	MEETING_ADMITTED = 0,
	MEETING_GONE,             /* the space or call is no more */
	MEETING_BRIDGE_FULL,      /* SIP 503 */
	MEETING_CALL_FULL,        /* participantLimit: SIP 486 */
	MEETING_TENANT_FULL,      /* its tenant's: SIP 486 */
	MEETING_NO_LICENSE,       /* SIP 503; the log says so */
};

struct meeting_join {
	struct meeting_entry entry;  /* a space, or */
	uint32_t replaces;           /* a leg of a running call whose place this one takes with all */
	                             /* that was decided about it (then entry is empty), or neither:
	                              * */
	struct str adhoc_name;       /* an ad hoc call of this name */
	bool forwarding;             /* that is for one caller and whom he is called on to */
	enum leg_kind kind;
	uint64_t owner;
	struct str name;
	struct str remote_party;
	struct str local_address;    /* what was dialled */
	struct str remote_address;   /* IP and port, for the log */
	struct str sip_call_id;
	struct str user;             /* empty: the remote party */
	struct str user_jid;         /* who is signed in; empty: a guest */
};

/* An incoming leg, INITIAL.  The first one starts the space's call. */
[[nodiscard]] enum meeting_refusal meeting_join(struct meeting *meeting,
                                                const struct meeting_join *join, int64_t now_us,
                                                uint32_t *leg);

/* An incoming leg that is asked something first, by the IVR of `entry` or for the passcode of its
 * space: at the door, in no call that anybody sees.  Once connected it hears and is shown what it is
 * asked. */
[[nodiscard]] enum meeting_refusal meeting_door(struct meeting *meeting,
                                                const struct meeting_join *join, int64_t now_us,
                                                uint32_t *leg);
/* From the door into a space.  Refused, it stays where it is. */
[[nodiscard]] enum meeting_refusal meeting_leg_enter(struct meeting *meeting, uint32_t leg,
                                                     const struct meeting_entry *entry,
                                                     int64_t now_us);
[[nodiscard]] bool meeting_leg_at_door(const struct meeting *meeting, uint32_t leg);

struct meeting_dial {
	uint32_t call;
	struct str remote_party;
	/* NULL, or of type OBJECT_PARTICIPANT or OBJECT_LEG: profile, overrides, importance, label,
	 * owner, DTMF to send once connected. */
	const struct object_edit *edit;
};

/* An outgoing leg, INITIAL; MEETING_DIAL follows. */
[[nodiscard]] enum meeting_refusal meeting_dial(struct meeting *meeting,
                                                const struct meeting_dial *dial, int64_t now_us,
                                                uint32_t *leg);

/* NULL when the handle is stale. */
[[nodiscard]] const struct meeting_leg *meeting_leg(const struct meeting *meeting, uint32_t leg);
[[nodiscard]] uint32_t meeting_leg_find(const struct meeting *meeting, const struct guid *id);
[[nodiscard]] uint32_t meeting_leg_next(const struct meeting *meeting, uint32_t *at);

/* Profiles from the nearest to the furthest. */
enum profile_level {
	LEVEL_LEG,    /* assigned to it by whoever called or changed it */
	LEVEL_MEMBER,
	LEVEL_METHOD,
	LEVEL_SPACE,
	LEVEL_TENANT,
	LEVEL_SYSTEM,
	PROFILE_LEVELS,
};

/* The callLegProfile of one level, 0: none. */
[[nodiscard]] uint32_t meeting_leg_profile(const struct meeting *meeting, uint32_t leg,
                                           enum profile_level level);
/* As the nearest userProfile has it: the user's, the tenant's, the system's. */
[[nodiscard]] uint32_t meeting_user_setting(const struct meeting *meeting, uint32_t user,
                                            enum user_profile_field field);

/* The parameter in force: leg override, leg's profile, member, access method, space, tenant, system,
 * default; limited to what a signed-in user may do. */
[[nodiscard]] uint32_t meeting_leg_setting(const struct meeting *meeting, uint32_t leg,
                                           enum leg_profile_field field);

/* Facts.  A stale handle is ignored: the world may be late. */
void meeting_leg_ringing(struct meeting *meeting, uint32_t leg, int64_t now_us);
void meeting_leg_connected(struct meeting *meeting, uint32_t leg, int64_t now_us);
void meeting_leg_held(struct meeting *meeting, uint32_t leg, bool held, int64_t now_us);
void meeting_leg_owner(struct meeting *meeting, uint32_t leg, uint64_t owner);
/* What is dialled for an outgoing leg in place of what was asked for; `phone`: it has no pictures. */
void meeting_leg_dialled(struct meeting *meeting, uint32_t leg, struct str party, bool phone);
/* Known later than the join: a far end's display name, the Call-ID of an outgoing call, ... Empty
 * texts change nothing. */
void meeting_leg_identity(struct meeting *meeting, uint32_t leg, struct str name,
                          struct str remote_address, struct str sip_call_id, int64_t now_us);
void meeting_leg_media(struct meeting *meeting, uint32_t leg, const struct leg_media *media);
void meeting_leg_talking(struct meeting *meeting, uint32_t leg, bool talking);
/* It is over.  `remote`: the far end did it. */
void meeting_leg_ended(struct meeting *meeting, uint32_t leg, enum leg_end reason, bool remote,
                       int64_t now_us);

/* ------------------------------------------------------------------ calls and participants */

struct meeting_call {
	uint32_t handle;
	uint32_t space;        /* 0: ad hoc, or its space was deleted meanwhile */
	bool forwarding;       /* a gateway call of two: no lobby, no prompts, over when one goes */
	bool door;             /* none at all: where legs are that are asked something first */
	struct guid id;
	struct guid correlator;
	char name[MEETING_NAME_MAX];
	bool locked;
	bool allow_all_mute_self;
	bool join_mute_set;    /* joinAudioMuteOverride */
	bool join_mute;
	bool allow_all_presentation;
	char message[MEETING_MESSAGE_MAX]; /* messageText while it is shown, or empty */
	uint32_t message_position;         /* enum message_position */
	uint32_t message_seconds;          /* as asked for, DURATION_PERMANENT */
	int64_t message_until_us;
	bool made_by_api;
	bool ending;
	int64_t started_us;
	uint32_t legs;         /* every state but ENDING */
	uint32_t legs_max;     /* most there were at once */
	uint32_t connected;    /* in the meeting: connected, not in the lobby */
	uint32_t presenter;    /* leg, 0: nobody presents */
	uint32_t lead;         /* leg that leads: the large pane; 0: nobody is in */
};

struct meeting_participant {
	uint32_t handle;
	uint32_t call;
	uint32_t leg;
	struct guid id;
	bool activator;
	uint32_t importance;
	uint32_t method;       /* access method used, 0: none */
	uint32_t member;       /* coSpaceUser who is signed in, 0: no member */
	struct guid leg_profile; /* assigned to it; zero: none */
	char name_label[MEETING_NAME_MAX]; /* nameLabelOverride, or empty */
	char owner_id[MEETING_NAME_MAX];
	char uri[MEETING_PARTY_MAX];
	char user_jid[MEETING_NAME_MAX]; /* who is signed in, or empty: a guest */
};

[[nodiscard]] const struct meeting_call *meeting_call(const struct meeting *meeting,
                                                      uint32_t call);
[[nodiscard]] uint32_t meeting_call_find(const struct meeting *meeting, const struct guid *id);
[[nodiscard]] uint32_t meeting_call_of_space(const struct meeting *meeting, uint32_t space);
[[nodiscard]] uint32_t meeting_call_next(const struct meeting *meeting, uint32_t *at);
/* The call's legs, oldest first: start with 0. */
[[nodiscard]] uint32_t meeting_call_leg_next(const struct meeting *meeting, uint32_t call,
                                             uint32_t previous);

[[nodiscard]] const struct meeting_participant *meeting_participant(const struct meeting *meeting,
                                                                    uint32_t participant);
[[nodiscard]] uint32_t meeting_participant_find(const struct meeting *meeting,
                                                const struct guid *id);

/* A call without anybody yet, for POST calls; a space's running call is given back as it is. */
[[nodiscard]] enum meeting_refusal meeting_call_start(struct meeting *meeting, uint32_t space,
                                                      struct str name, int64_t now_us,
                                                      uint32_t *call);
/* Every leg is dropped with `reason`, then the call ends. */
void meeting_call_end(struct meeting *meeting, uint32_t call, enum leg_end reason, int64_t now_us);
/* Asks the shell to end one leg. */
void meeting_leg_drop(struct meeting *meeting, uint32_t leg, enum leg_end reason, int64_t now_us);

/* The API's PUTs, parsed by the descriptions of OBJECT_CALL and OBJECT_PARTICIPANT or OBJECT_LEG
 * (the two take the same fields of a leg). */
void meeting_call_edit(struct meeting *meeting, uint32_t call, const struct object_edit *edit,
                       int64_t now_us);
void meeting_leg_edit(struct meeting *meeting, uint32_t leg, const struct object_edit *edit,
                      int64_t now_us);

/* What a participant asks for in the web app, or by DTMF; false: the profile does not allow it. */
enum meeting_action {
	ACTION_MUTE_SELF,
	ACTION_UNMUTE_SELF,
	ACTION_MUTE_OTHER,
	ACTION_UNMUTE_OTHER,
	ACTION_MUTE_OTHER_VIDEO,
	ACTION_UNMUTE_OTHER_VIDEO,
	ACTION_LOWER_OTHER_HAND,
	ACTION_DROP_OTHER,
	ACTION_ADMIT_OTHER, /* out of the lobby; for those who may lock */
	ACTION_LOCK,
	ACTION_UNLOCK,
	ACTION_END_CALL,
	ACTION_MUTE_SELF_VIDEO,
	ACTION_UNMUTE_SELF_VIDEO,
	ACTION_RAISE_HAND,
	ACTION_LOWER_HAND,
	ACTION_ALLOW_ALL_MUTE_SELF,
	ACTION_CANCEL_ALLOW_ALL_MUTE_SELF,
	ACTION_ALLOW_ALL_PRESENTATION,
	ACTION_CANCEL_ALLOW_ALL_PRESENTATION,
};
[[nodiscard]] bool meeting_act(struct meeting *meeting, uint32_t leg, enum meeting_action action,
                               uint32_t other, int64_t now_us);
/* Sets the layout of a leg that gets a composed picture; `other` 0: its own (changeLayoutAllowed),
 * another's is for those who may mute others' pictures.  `layout`: enum layout_name, LAYOUT_COUNT:
 * back to what its profiles say. */
[[nodiscard]] bool meeting_act_layout(struct meeting *meeting, uint32_t leg, uint32_t other,
                                      unsigned layout, int64_t now_us);
/* Importance of another (setImportanceAllowed). */
[[nodiscard]] bool meeting_act_importance(struct meeting *meeting, uint32_t leg, uint32_t other,
                                          uint32_t importance, int64_t now_us);

/* ------------------------------------------------------------------ what comes out */

enum meeting_event_kind {
	MEETING_NONE,
	MEETING_CALL_STARTED, /* `call` */
	MEETING_CALL_ENDED,   /* `call` is still readable until the next call of the model, `id` */
	MEETING_DIAL,         /* `leg`: call its remote_party */
	MEETING_DROP,         /* `leg`, `reason`: end it, then meeting_leg_ended() */
	MEETING_LEG_SETTINGS, /* `leg`: heard, hears, lobby, importance or a setting changed */
	MEETING_PROMPT,       /* `leg`, `prompt`: say it */
	MEETING_TONE,         /* `leg`, `prompt` (a tone): play it */
	MEETING_SEND_DTMF,    /* `leg`: send its `dtmf` */
	MEETING_ROSTER,       /* `call`: who is here, muted or talking changed */
	MEETING_LOG,          /* `text`: an Info line for the event log */
	MEETING_VIDEO,        /* `call`: who is seen where, or what stands around, may differ */
	MEETING_MESSAGE,      /* `call`: its on-screen text changed; MEETING_VIDEO comes too */
	MEETING_PRESENTER,    /* `call`: `leg` presents now, `other` did before; 0: nobody */
	MEETING_CHAT,         /* `call`: `leg` wrote `text` to all */
	MEETING_CAMERA,       /* `leg`: move its camera as `camera` says */
	MEETING_KEYFRAME,     /* `leg`: a fresh start of all pictures to and from it */
};

enum meeting_prompt {
	MEETING_PROMPT_ONLY_PARTICIPANT,
	MEETING_PROMPT_WAITING_FOR_HOST,
	MEETING_PROMPT_CALL_LOCKED,
	MEETING_PROMPT_JOIN_TONE,
	MEETING_PROMPT_LEAVE_TONE,
};

/* pan left/right, tilt down/up, zoom out/in, focus out/in: less/more. */
enum camera_move { CAMERA_STILL, CAMERA_LESS, CAMERA_MORE };
struct meeting_camera {
	uint8_t pan, tilt, zoom, focus; /* enum camera_move */
};

struct meeting_event {
	enum meeting_event_kind kind;
	uint32_t call;
	uint32_t leg;
	enum leg_end reason;
	enum meeting_prompt prompt;
	uint32_t other;
	struct meeting_camera camera;
	struct guid id;
	struct str text; /* borrowed until the next call */
};

[[nodiscard]] struct meeting_event meeting_poll(struct meeting *meeting);
void meeting_tick(struct meeting *meeting, int64_t now_us);
/* When meeting_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t meeting_deadline(const struct meeting *meeting);

/* ------------------------------------------------------------------ who watches */

/* What has just happened, told at once and each time: records and subscriptions are made of it.
 * The watcher reads, and changes nothing; what it is told about is there until it returns. */
enum meeting_news_kind {
	MEETING_NEWS_CALL_STARTED,
	MEETING_NEWS_CALL_CHANGED, /* it, or somebody in it; changes of one moment are one */
	MEETING_NEWS_CALL_ENDED,
	MEETING_NEWS_LEG_STARTED,
	MEETING_NEWS_LEG_CHANGED,  /* connected, its name, in the lobby or not */
	MEETING_NEWS_LEG_MEDIA,    /* measured anew */
	MEETING_NEWS_LEG_ENDED,    /* `reason`, `remote` */
};

struct meeting_news {
	enum meeting_news_kind kind;
	uint32_t call;
	uint32_t leg;
	enum leg_end reason;
	bool remote;
	int64_t now_us;
};

typedef void meeting_watcher(void *context, const struct meeting_news *news);
/* One watcher; NULL: none. */
void meeting_watch(struct meeting *meeting, meeting_watcher *watcher, void *context);

/* An id as calls and legs have them. */
[[nodiscard]] struct guid meeting_new_id(const struct meeting *meeting);

/* ------------------------------------------------------------------ the bridge as a whole */

enum web_bridge_state {
	WEB_BRIDGE_UNUSED,
	WEB_BRIDGE_SUCCESS,
	WEB_BRIDGE_CONNECTION_FAILURE,
	WEB_BRIDGE_DNS_FAILURE,
};

/* Told by the C2W client; alarms follow from it. */
void meeting_web_bridge(struct meeting *meeting, uint32_t web_bridge, enum web_bridge_state state,
                        int64_t now_us);
[[nodiscard]] enum web_bridge_state meeting_web_bridge_state(const struct meeting *meeting,
                                                             uint32_t web_bridge);

/* What is wrong, in CMS' words. */
enum alarm_type {
	ALARM_C2W_CONNECTION_FAILURE, /* about a webBridge */
	ALARM_CDR_CONNECTION_FAILURE, /* about a cdrReceiver */
	ALARM_DATABASE_ERROR,
	ALARM_LICENSE_INVALID, /* there is no licence file of use; the reason is its reject */
	ALARM_LICENSE_GRACE,   /* a feature is past its end and still let be; the reason is its name */
	ALARM_LICENSE_EXPIRED, /* likewise, and no longer let be */
	ALARM_LICENSE_OVERUSE, /* likewise: more is used than may be */
	ALARM_LICENSE_CLOCK,   /* the clock was put back */
	ALARM_CALL_BRANDING_INVALID,  /* about a callBrandingProfile */
	ALARM_IVR_BRANDING_INVALID,   /* about an ivrBrandingProfile */
	ALARM_TYPES,
};
enum alarm_reason {
	ALARM_ERROR,
	ALARM_AUTHENTICATION_FAILURE,
	ALARM_CONNECT_FAILURE,
	ALARM_DNS_FAILURE,
	ALARM_INTERNAL_SERVER_ERROR,
	ALARM_REASONS,
};

/* `about` is the object's id, or NULL.  Raising what stands already keeps its id and its time. */
void meeting_alarm_raise(struct meeting *meeting, enum alarm_type type, enum alarm_reason reason,
                         const struct guid *about, int64_t now_us);
void meeting_alarm_clear(struct meeting *meeting, enum alarm_type type, const struct guid *about);
/* This Call Bridge among callBridges: the one whose name is the cluster's uniqueName; 0: none. */
[[nodiscard]] uint32_t meeting_call_bridge(const struct meeting *meeting);
/* May this Call Bridge use the object: its fields `call_bridge` and `group` say nothing, or us. */
[[nodiscard]] bool meeting_is_for_us(const struct meeting *meeting, enum object_type type,
                                     uint32_t handle, unsigned call_bridge, unsigned group);

/* What is wrong now: handles to read OBJECT_ALARM by; `*at` starts at 0. */
[[nodiscard]] uint32_t meeting_alarm_next(const struct meeting *meeting, uint32_t *at,
                                          struct guid *id);

/* ------------------------------------------------------------------ licences */

/* What may be used from now on; without a word everything may.  To be told every few seconds: what
 * ends or is exceeded is found here, logged, and stands as an alarm.  Nothing that runs ends by it:
 * - without callbridge no call begins, and one leg more than its limit is refused;
 * - without webbridge no browser comes in, but those that are in come back;
 * - without branding our own prompts are played;
 * - without customizations rooms are shown the layout their profiles name;
 * - of what is counted (personal, shared, capacity_units) nothing is refused.
 * `clock_s` is since 1970. */
void meeting_licence(struct meeting *meeting, const struct licence_rights *rights,
                     int64_t clock_s, int64_t now_us);
[[nodiscard]] const struct licence_rights *meeting_rights(const struct meeting *meeting);
[[nodiscard]] bool meeting_licensed(const struct meeting *meeting, enum licence_feature feature);
/* The same for what somebody asks for in a space, NULL or a zero id: in none.  When it is not, the log says
 * "unable to <what> (space "<name>") -- no license". */
[[nodiscard]] bool meeting_licensed_for(struct meeting *meeting, enum licence_feature feature,
                                        const char *what, const struct guid *space);

/* What is counted: users, and running calls by whose they are; those of nobody with a personal
 * licence by what they are. */
struct meeting_usage {
	uint32_t users;
	uint32_t users_personal; /* with hasLicense */
	uint32_t calls;
	uint32_t calls_personal; /* of an owner with hasLicense */
	uint32_t calls_audio;    /* nobody sends pictures */
	uint32_t calls_pair;     /* of two at most */
	uint32_t calls_full;
};
[[nodiscard]] struct meeting_usage meeting_usage(struct meeting *meeting);
/* Of a counted feature; a call of sound alone or of two takes a sixth of a shared licence. */
[[nodiscard]] uint32_t meeting_usage_of(const struct meeting_usage *usage,
                                        enum licence_feature feature);

/* Of the next call detail record, for system/status. */
void meeting_cdr_index(struct meeting *meeting, uint32_t index);

/* Media work of all workers in load units, as system/load shows it. */
void meeting_load(struct meeting *meeting, uint32_t units);

struct meeting_totals {
	uint32_t legs_active;
	uint32_t legs_active_max;
	uint64_t legs_completed;
	uint32_t calls_active;
	uint64_t audio_in_bps;
	uint64_t audio_out_bps;
	uint64_t video_in_bps;
	uint64_t video_out_bps;
	uint32_t load_units;
	uint32_t cdr_index;
};
struct meeting_totals meeting_totals(const struct meeting *meeting);

/* Any field of any object, kept or live, as the API shows it: the one way it is read. */
[[nodiscard]] struct value meeting_value(const struct meeting *meeting, enum object_type type,
                                         uint32_t handle, unsigned field, int64_t now_us);

/* The model as text, for the administrator and crash reports. */
void meeting_dump(const struct meeting *meeting, struct writer *w);

#endif
