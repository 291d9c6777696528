/* SPDX-License-Identifier: Apache-2.0 */
/* c2w -- the messages between a Call Bridge and a Web Bridge (docs/c2w.md).
 *
 * The Call Bridge opens a TLS WebSocket to each Web Bridge; every text frame is one JSON object with
 * a "type".  A browser speaks the same session messages to its Web Bridge, without the key that says
 * whose they are, so the Web Bridge needs to know little more than where to pass them on.
 *
 *	browser      POST /api/join -> join -> joined {token} or refused
 *	             POST /api/auth -> signIn -> signedIn {token} or refused; with that token
 *	             anything else below /api -> ask -> told (callbridge/portal.h)
 *	             POST /api/auth/elsewhere -> signInElsewhere -> elsewhere {url}, and when the
 *	             browser is back from there -> signedIn
 *	             WebSocket /api/session?token=... -> open -> opened or refused
 *	             offer -> answer; mute, act; roster, meeting, muted come by themselves
 *	             view -> tiles; camera; share -> sharing; say -> chat; hand; layout; remoteCamera;
 *	             videoMuted, notice, quality come by themselves
 *	             leave, or the WebSocket goes -> closed: the Call Bridge waits a while for a new
 *	             `open` with the same token and then drops the participant
 *
 * Nothing is kept between join and open but the token: a JWT that says who was let in where.  A
 * Web Bridge or Call Bridge that was restarted therefore lets its people back in by it.
 *
 * Sans-IO: text in, a typed message out, and back.
 *
 * Ownership  c2w_parse() fills a message whose views borrow from it; c2w_message_fini() frees what
 *            it holds.  A message to be written borrows everything.
 * Threads    Pure.
 * Errors     `enum c2w_reject` names what is wrong with a peer's message.
 * Limits     Below; a longer text or array is refused, never cut.
 */
#ifndef C2W_C2W_H
#define C2W_C2W_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	C2W_VERSION = 3, /* 1 knew no pictures, 2 nobody's sign-in */
	C2W_MESSAGE_BYTES_MAX = 384 * 1024, /* a roster of a thousand people */
	C2W_BROWSER_BYTES_MAX = 160 * 1024, /* what a browser may send: an offer */
	C2W_NAME_MAX = 100,       /* bytes of UTF-8 */
	C2W_ADDRESS_MAX = 128,    /* meeting ID or URI */
	C2W_SECRET_MAX = 64,
	C2W_PASSCODE_MAX = 64,
	C2W_TOKEN_MAX = 1024,
	C2W_USERNAME_MAX = 128,
	C2W_PASSWORD_MAX = 256,
	C2W_BACK_MAX = 512,        /* of a page to come back to */
	C2W_STATE_MAX = 64,        /* what an identity provider hands back unread */
	C2W_CODE_MAX = 2048,
	C2W_REDIRECT_MAX = 4096,   /* of a URL with all that in it */
	C2W_PATH_MAX = 512,        /* of what is asked, its query included */
	C2W_ASK_MAX = 4096,        /* and what is sent with it */
	C2W_TOLD_MAX = 160 * 1024, /* half of a message: all of it may have to be escaped */
	C2W_ID_MAX = 64,          /* GUIDs as text */
	C2W_SDP_MAX = 128 * 1024, /* a line for pictures has 2 to 6 KiB */
	C2W_CANDIDATE_MAX = 512,
	C2W_PRODUCT_MAX = 64,
	C2W_REASON_MAX = 128,
	C2W_PEOPLE_MAX = 1024,    /* in one roster message; a larger roster comes in several */
	C2W_SESSIONS_MAX = 4096,  /* addressed by one message */
	C2W_ICE_SERVERS_MAX = 8,
	C2W_TILES_MAX = 64,       /* lines of a browser that only receive */
	C2W_MID_MAX = 32,
	C2W_CHAT_MAX = 1000,      /* bytes of UTF-8 */
	C2W_NOTICE_MAX = 500,
	C2W_HEIGHT_MAX = 8192,    /* device pixels of a tile */
};

enum c2w_kind {
	C2W_NONE = 0,
	/* Both ways, first on every connection. */
	C2W_HELLO,
	C2W_PING,
	C2W_PONG,
	/* Web Bridge to Call Bridge, answered under the same `request`. */
	C2W_LOOKUP,
	C2W_JOIN,
	C2W_SIGN_IN,
	C2W_SIGN_IN_ELSEWHERE, /* at an identity provider: off there, or back from there */
	C2W_ASK,      /* what a signed-in user wants to see or do */
	/* Call Bridge to Web Bridge: answers. */
	C2W_FOUND,
	C2W_JOINED,
	C2W_SIGNED_IN,
	C2W_ELSEWHERE, /* of SIGN_IN_ELSEWHERE: where to go */
	C2W_TOLD,     /* of ASK */
	C2W_REFUSED,  /* of LOOKUP, JOIN and both SIGN_INs by `request`, of OPEN by `session` */
	/* Browser to Call Bridge; the Web Bridge adds `session`. */
	C2W_OPEN,     /* the Web Bridge's own; the browser's token is in its URL */
	C2W_OFFER,
	C2W_CANDIDATE,
	C2W_MUTE,
	C2W_ACT,
	C2W_LEAVE,
	C2W_VIEW,     /* what its tiles are to show, and how large they are */
	C2W_CAMERA,   /* its own pictures on or off */
	C2W_SHARE,    /* asks for the floor, or gives it back */
	C2W_SAY,      /* a line of chat; comes to all as CHAT */
	C2W_HAND,
	C2W_LAYOUT,   /* of a SIP leg's composed picture */
	C2W_REMOTE_CAMERA,
	C2W_CLOSED,   /* the Web Bridge's own: the browser's WebSocket is gone */
	/* Call Bridge to browser; `session`, or `sessions` when the same goes to many. */
	C2W_OPENED,
	C2W_ANSWER,
	C2W_ROSTER,
	C2W_MEETING,
	C2W_MUTED,
	C2W_VIDEO_MUTED,
	C2W_TILES,    /* who is in which tile */
	C2W_SHARING,  /* who presents; and the answer to SHARE */
	C2W_CHAT,
	C2W_NOTICE,   /* a message over the pictures */
	C2W_QUALITY,
	C2W_ENDED,
	C2W_KINDS,
};

/* Why somebody is not let in; the words are the JSON's and the page's. */
enum c2w_refusal {
	C2W_REFUSAL_UNKNOWN_MEETING,    /* "unknownMeeting" */
	C2W_REFUSAL_PASSCODE_REQUIRED,  /* "passcodeRequired" */
	C2W_REFUSAL_PASSCODE_INCORRECT, /* "passcodeIncorrect" */
	C2W_REFUSAL_NOT_ALLOWED,        /* "notAllowed": members only */
	C2W_REFUSAL_LOCKED,             /* "locked" */
	C2W_REFUSAL_FULL,               /* "full": the meeting */
	C2W_REFUSAL_BUSY,               /* "busy": the bridge */
	C2W_REFUSAL_EXPIRED,            /* "expired": the token */
	C2W_REFUSAL_BAD_TOKEN,          /* "badToken" */
	C2W_REFUSAL_NO_BRIDGE,          /* "noBridge": the Web Bridge's own, no Call Bridge is there */
	C2W_REFUSAL_BAD_REQUEST,        /* "badRequest" */
	C2W_REFUSAL_WRONG_LOGIN,        /* "wrongLogin": name or password; nobody is told which */
	C2W_REFUSAL_PASSWORD_EXPIRED,   /* "passwordExpired": right, but to be changed first */
	C2W_REFUSAL_LOCKED_OUT,         /* "lockedOut": too many failures, or the directory says so */
	C2W_REFUSAL_NO_DIRECTORY,       /* "noDirectory": who could tell is not to be reached */
	C2W_REFUSAL_NO_SIGN_IN,         /* "noSignIn": not by this Web Bridge */
	C2W_REFUSAL_UNKNOWN_SIGN_IN,    /* "unknownSignIn": not begun at this bridge, or too long ago */
	C2W_REFUSAL_NOT_PROVEN,         /* "notProven": the provider does not say that it is anybody here */
	C2W_REFUSALS,
};

enum c2w_end {
	C2W_END_MEETING,   /* "meetingEnded" */
	C2W_END_DROPPED,   /* "dropped": by somebody with the right to */
	C2W_END_LEFT,      /* "left": answer to leave */
	C2W_END_REPLACED,  /* "replaced": the same token was used elsewhere */
	C2W_END_TIMEOUT,   /* "timeout": of media or of the meeting's length */
	C2W_END_ERROR,     /* "error": media could not be set up */
	C2W_END_RESTART,   /* "bridgeRestart": come back with your token */
	C2W_ENDS,
};

enum c2w_action {
	C2W_ACTION_MUTE,   /* somebody else */
	C2W_ACTION_UNMUTE,
	C2W_ACTION_DROP,
	C2W_ACTION_ADMIT,
	C2W_ACTION_LOCK,
	C2W_ACTION_UNLOCK,
	C2W_ACTION_END,
	C2W_ACTION_MUTE_VIDEO, /* somebody else's */
	C2W_ACTION_UNMUTE_VIDEO,
	C2W_ACTION_LOWER_HAND, /* somebody else's */
	C2W_ACTIONS,
};

/* How SHARING stands to its receiver. */
enum c2w_floor {
	C2W_FLOOR_NEWS,        /* "news": only told who presents now */
	C2W_FLOOR_GRANTED,     /* "granted": send */
	C2W_FLOOR_NOT_ALLOWED, /* "notAllowed": no right to */
	C2W_FLOOR_BUSY,        /* "busy": somebody presents and cannot be taken over */
	C2W_FLOOR_TAKEN_OVER,  /* "takenOver": you presented, now somebody else does */
	C2W_FLOOR_STOPPED,     /* "stopped": you presented, and somebody with the right to ended it */
	C2W_FLOORS,
};

enum c2w_place {
	C2W_PLACE_TOP,    /* "top" */
	C2W_PLACE_MIDDLE, /* "middle" */
	C2W_PLACE_BOTTOM, /* "bottom" */
	C2W_PLACES,
};

enum c2w_level {
	C2W_LEVEL_GOOD, /* "good" */
	C2W_LEVEL_FAIR, /* "fair": something was lost or made smaller */
	C2W_LEVEL_POOR, /* "poor": one sees or hears it */
	C2W_LEVELS,
};

struct c2w_hello {
	uint32_t version;
	struct str role;    /* "callbridge" or "webbridge" */
	struct str id;      /* GUID of the Call Bridge; empty for a Web Bridge */
	struct str name;
	struct str product; /* program and version */
};

struct c2w_join {
	struct str address; /* LOOKUP and JOIN; a JOIN may name the space instead */
	struct str passcode;
	bool has_passcode;  /* an empty one was typed */
	struct str secret;  /* of a guest link, or empty */
	struct str name;    /* JOIN */
	struct str auth;    /* JOIN: the token of who is signed in, or empty: a guest */
	struct str space;   /* JOIN: GUID of one that he sees, and of its access method; or empty */
	struct str method;
};

struct c2w_sign_in {
	struct str username; /* a user's JID */
	struct str password;
	struct str address;  /* browser's IP address */
};

/* Off to a provider, or with what the browser brought back: a state, and a code or an error. */
struct c2w_sign_in_elsewhere {
	struct str provider; /* GUID of an oidcProvider */
	struct str back;     /* the page it is to send the browser back to */
	struct str state;
	struct str code;
	struct str error;
	struct str address;  /* browser's IP address */
};

struct c2w_elsewhere {
	struct str url;
	struct str state;    /* will come back; the page compares */
};

struct c2w_signed_in {
	struct str token;
	struct str name;
	struct str jid;
};

enum c2w_method {
	C2W_METHOD_GET,    /* "get" */
	C2W_METHOD_POST,   /* "post" */
	C2W_METHOD_PUT,    /* "put" */
	C2W_METHOD_DELETE, /* "delete" */
	C2W_METHODS,
};

struct c2w_ask {
	struct str token;   /* of signedIn, or empty: nobody's */
	enum c2w_method method;
	struct str path;    /* behind "/api/": "cospaces?offset=20" */
	struct str body;    /* JSON, or empty */
	struct str address; /* browser's IP address, for the log */
};

struct c2w_told {
	uint32_t status;    /* of HTTP */
	struct str body;    /* JSON */
};

struct c2w_found {
	struct str name;        /* of the space */
	bool passcode_required;
};

struct c2w_joined {
	struct str token;
	struct str name; /* of the space */
};

struct c2w_open {
	struct str token;
	struct str product; /* browser, as in "Chrome" */
	struct str address; /* browser's IP address, for the log */
};

struct c2w_ice_server {
	struct str url;
	struct str username;
	struct str credential;
};

struct c2w_opened {
	struct str participant; /* one's own id */
	struct str call;
	struct str meeting;     /* name */
	struct str token;       /* a fresh one, when the old had used half its time; else empty */
	bool resumed;           /* the participant was still there */
	bool may_mute_others;
	bool may_drop_others;
	bool may_lock;
	bool may_end;
	bool may_share;
	bool may_set_layout;        /* of SIP legs */
	bool may_mute_video_others;
	bool may_chat;
	bool may_raise_hand;
	bool may_control_camera;    /* of rooms */
	uint32_t tiles_max;         /* lines worth offering; 0: no pictures here */
	uint32_t ice_count;
	struct c2w_ice_server ice[C2W_ICE_SERVERS_MAX];
};

struct c2w_sdp {
	uint32_t revision; /* of the offer; the answer repeats it */
	struct str sdp;
};

struct c2w_candidate {
	uint32_t revision;
	struct str candidate; /* empty: end of candidates */
	struct str mid;
};

struct c2w_act {
	enum c2w_action action;
	struct str participant; /* for all but LOCK, UNLOCK, END */
};

/* One line of the browser that only receives, by its mid. */
struct c2w_tile {
	struct str mid;
	struct str participant; /* VIEW: wanted here, or empty; TILES: who is here, or empty: nobody */
	uint32_t height;        /* VIEW: device pixels; 0: not seen, send nothing */
	bool content;           /* what the participant shares, not his camera */
};

/* VIEW and TILES are complete: a line that is not named is not seen, or empty. */
struct c2w_tiles {
	uint32_t count;
	struct c2w_tile *tiles; /* parsed: the message's; written: borrowed */
};

struct c2w_layout {
	struct str participant;
	struct str layout; /* "allEqual", ... or the GUID of a template; empty: back to the default */
};

/* Each -1, 0 or 1.  Goes on until the next message for that room, at most one second: a browser
 * says it again while a button is held. */
struct c2w_remote_camera {
	struct str participant;
	int32_t pan;   /* 1: right */
	int32_t tilt;  /* 1: up */
	int32_t zoom;  /* 1: in */
	int32_t focus; /* 1: far */
};

struct c2w_person {
	struct str participant;
	struct str name;
	bool gone;      /* has left: nothing else counts */
	bool muted;     /* not heard */
	bool talking;
	bool lobby;
	bool sip;       /* a room or telephone */
	bool video;     /* sends pictures now: a tile can show it */
	bool video_muted; /* by itself or by somebody: has a camera that is off */
	bool content;   /* presents */
	bool hand;      /* raised */
	bool remote_camera; /* its camera can be moved */
	struct str layout; /* of what it sees, if it is composed here and may be chosen; else empty */
};

struct c2w_roster {
	bool complete;  /* the whole list follows, forget what you had */
	uint32_t count;
	struct c2w_person *people; /* parsed: the message's; written: borrowed */
};

struct c2w_meeting {
	struct str name;
	uint32_t participants;
	bool locked;
	bool lobby;     /* the receiver waits there */
};

struct c2w_muted {
	bool muted;     /* others do not hear you */
	bool deaf;      /* you hear nothing */
	bool by_other;
	bool may_unmute;
};

struct c2w_video_muted {
	bool muted;     /* others do not see you */
	bool by_other;
	bool may_unmute;
};

struct c2w_sharing {
	struct str participant; /* who presents now, or empty */
	enum c2w_floor floor;
};

struct c2w_chat {
	struct str participant; /* who said it; may have left */
	struct str name;
	struct str text;        /* may have several lines */
	uint32_t time;          /* seconds since 1970 */
};

struct c2w_notice {
	struct str text;        /* empty: take it away */
	enum c2w_place place;
};

struct c2w_message {
	enum c2w_kind kind;
	uint32_t request;  /* LOOKUP, JOIN, both SIGN_INs, ASK and their answers; not zero */
	uint32_t session;  /* not zero; chosen by the Web Bridge at OPEN, unique on its connection */
	const uint32_t *sessions; /* or several */
	uint32_t session_count;
	union {
		struct c2w_hello hello;
		struct c2w_join join;
		struct c2w_found found;
		struct c2w_joined joined;
		struct c2w_sign_in sign_in;
		struct c2w_sign_in_elsewhere sign_in_elsewhere;
		struct c2w_elsewhere elsewhere;
		struct c2w_signed_in signed_in;
		struct c2w_ask ask;
		struct c2w_told told;
		enum c2w_refusal refusal;
		struct c2w_open open;
		struct c2w_opened opened;
		struct c2w_sdp sdp;          /* OFFER, ANSWER */
		struct c2w_candidate candidate;
		bool mute;                   /* MUTE: true or false */
		bool on;                     /* CAMERA, SHARE, HAND */
		struct c2w_act act;
		struct c2w_tiles tiles;      /* VIEW, TILES */
		struct str say;
		struct c2w_layout layout;
		struct c2w_remote_camera remote_camera;
		struct c2w_roster roster;
		struct c2w_meeting meeting;
		struct c2w_muted muted;
		struct c2w_video_muted video_muted;
		struct c2w_sharing sharing;
		struct c2w_chat chat;
		struct c2w_notice notice;
		enum c2w_level quality;
		enum c2w_end end;            /* ENDED */
	};
	void *held; /* what the views borrow from, after c2w_parse() */
};

enum c2w_reject {
	C2W_OK = 0,
	C2W_REJECT_LONG,
	C2W_REJECT_JSON,    /* not JSON, not an object, too deep, not UTF-8 */
	C2W_REJECT_TYPE,    /* unknown or missing "type", or not one this side may send */
	C2W_REJECT_MISSING, /* a member that must be there is not */
	C2W_REJECT_VALUE,   /* a member of another type, too long or out of range */
	C2W_REJECT_MEMORY,
	C2W_REJECT_COUNT,
};

/* Who is speaking decides which kinds are taken and whether a session key must be there.  A browser
 * never has one; its LOOKUP and JOIN come as bodies of HTTP requests, so a Web Bridge refuses them
 * on a WebSocket; SIGN_IN and ASK are a Web Bridge's only. */
enum c2w_speaker {
	C2W_FROM_CALL_BRIDGE,
	C2W_FROM_WEB_BRIDGE,
	C2W_FROM_BROWSER,
};

[[nodiscard]] enum c2w_reject c2w_parse(struct c2w_message *out, struct str text,
                                        enum c2w_speaker speaker);
void c2w_message_fini(struct c2w_message *message);

/* Writes JSON without line breaks.  With `for_browser` the keys `request`, `session` and `sessions`
 * are left out: that is what a browser gets and sends.  Names for people to read are cut to their
 * limit and cleaned; anything else that c2w_parse() would refuse makes the writer fail. */
void c2w_write(struct writer *w, const struct c2w_message *message, bool for_browser);

const char *c2w_kind_name(enum c2w_kind kind);       /* "offer" */
const char *c2w_refusal_name(enum c2w_refusal refusal);
const char *c2w_end_name(enum c2w_end end);
const char *c2w_reject_name(enum c2w_reject reject);

#endif
