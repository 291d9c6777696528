/* SPDX-License-Identifier: Apache-2.0 */
/* One table says what members each kind of message has; reading and writing both walk it. */
#include "c2w/c2w.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/check.h"
#include "c2w/json_read.h"
#include "c2w/json_write.h"

enum {
	DEPTH_MAX = 4, /* message, array, person; one to spare for what later versions add */
};

enum member_type {
	MEMBER_TEXT,    /* one line */
	MEMBER_DISPLAY, /* one line for people to read: cut when writing, never refused */
	MEMBER_LINES,   /* SDP */
	MEMBER_NUMBER,
	MEMBER_MOTION,  /* -1, 0 or 1; 0 is not written */
	MEMBER_FLAG,
	MEMBER_WORD,    /* an enum by its name */
};

enum member_need {
	NEED_NONE,  /* absent: empty, false */
	NEED_THERE, /* may be empty */
	NEED_FULL,  /* not empty, not zero */
};

struct member {
	struct str name;
	enum member_type type;
	enum member_need need;
	size_t offset;
	size_t max;        /* bytes of a text; of a number: largest, or 0 for any */
	size_t flag;       /* a bool to be set when the member is there, or 0 */
	const struct str *words;
	size_t word_count;
};

static const struct str refusal_names[C2W_REFUSALS] = {
	[C2W_REFUSAL_UNKNOWN_MEETING] = STR_INIT("unknownMeeting"),
	[C2W_REFUSAL_PASSCODE_REQUIRED] = STR_INIT("passcodeRequired"),
	[C2W_REFUSAL_PASSCODE_INCORRECT] = STR_INIT("passcodeIncorrect"),
	[C2W_REFUSAL_NOT_ALLOWED] = STR_INIT("notAllowed"),
	[C2W_REFUSAL_LOCKED] = STR_INIT("locked"),
	[C2W_REFUSAL_FULL] = STR_INIT("full"),
	[C2W_REFUSAL_BUSY] = STR_INIT("busy"),
	[C2W_REFUSAL_EXPIRED] = STR_INIT("expired"),
	[C2W_REFUSAL_BAD_TOKEN] = STR_INIT("badToken"),
	[C2W_REFUSAL_NO_BRIDGE] = STR_INIT("noBridge"),
	[C2W_REFUSAL_BAD_REQUEST] = STR_INIT("badRequest"),
	[C2W_REFUSAL_WRONG_LOGIN] = STR_INIT("wrongLogin"),
	[C2W_REFUSAL_PASSWORD_EXPIRED] = STR_INIT("passwordExpired"),
	[C2W_REFUSAL_LOCKED_OUT] = STR_INIT("lockedOut"),
	[C2W_REFUSAL_NO_DIRECTORY] = STR_INIT("noDirectory"),
	[C2W_REFUSAL_NO_SIGN_IN] = STR_INIT("noSignIn"),
	[C2W_REFUSAL_UNKNOWN_SIGN_IN] = STR_INIT("unknownSignIn"),
	[C2W_REFUSAL_NOT_PROVEN] = STR_INIT("notProven"),
};

static const struct str method_names[C2W_METHODS] = {
	[C2W_METHOD_GET] = STR_INIT("get"),
	[C2W_METHOD_POST] = STR_INIT("post"),
	[C2W_METHOD_PUT] = STR_INIT("put"),
	[C2W_METHOD_DELETE] = STR_INIT("delete"),
};

static const struct str end_names[C2W_ENDS] = {
	[C2W_END_MEETING] = STR_INIT("meetingEnded"),
	[C2W_END_DROPPED] = STR_INIT("dropped"),
	[C2W_END_LEFT] = STR_INIT("left"),
	[C2W_END_REPLACED] = STR_INIT("replaced"),
	[C2W_END_TIMEOUT] = STR_INIT("timeout"),
	[C2W_END_ERROR] = STR_INIT("error"),
	[C2W_END_RESTART] = STR_INIT("bridgeRestart"),
};

static const struct str action_names[C2W_ACTIONS] = {
	[C2W_ACTION_MUTE] = STR_INIT("mute"),     [C2W_ACTION_UNMUTE] = STR_INIT("unmute"),
	[C2W_ACTION_DROP] = STR_INIT("drop"),     [C2W_ACTION_ADMIT] = STR_INIT("admit"),
	[C2W_ACTION_LOCK] = STR_INIT("lock"),     [C2W_ACTION_UNLOCK] = STR_INIT("unlock"),
	[C2W_ACTION_END] = STR_INIT("end"),
	[C2W_ACTION_MUTE_VIDEO] = STR_INIT("muteVideo"),
	[C2W_ACTION_UNMUTE_VIDEO] = STR_INIT("unmuteVideo"),
	[C2W_ACTION_LOWER_HAND] = STR_INIT("lowerHand"),
};

static const struct str floor_names[C2W_FLOORS] = {
	[C2W_FLOOR_NEWS] = STR_INIT("news"),
	[C2W_FLOOR_GRANTED] = STR_INIT("granted"),
	[C2W_FLOOR_NOT_ALLOWED] = STR_INIT("notAllowed"),
	[C2W_FLOOR_BUSY] = STR_INIT("busy"),
	[C2W_FLOOR_TAKEN_OVER] = STR_INIT("takenOver"),
	[C2W_FLOOR_STOPPED] = STR_INIT("stopped"),
};

static const struct str place_names[C2W_PLACES] = {
	[C2W_PLACE_TOP] = STR_INIT("top"),
	[C2W_PLACE_MIDDLE] = STR_INIT("middle"),
	[C2W_PLACE_BOTTOM] = STR_INIT("bottom"),
};

static const struct str level_names[C2W_LEVELS] = {
	[C2W_LEVEL_GOOD] = STR_INIT("good"),
	[C2W_LEVEL_FAIR] = STR_INIT("fair"),
	[C2W_LEVEL_POOR] = STR_INIT("poor"),
};

static const char *const reject_names[C2W_REJECT_COUNT] = {
	[C2W_OK] = "ok",
	[C2W_REJECT_LONG] = "message too long",
	[C2W_REJECT_JSON] = "no JSON object",
	[C2W_REJECT_TYPE] = "unknown or misplaced type",
	[C2W_REJECT_MISSING] = "a member is missing",
	[C2W_REJECT_VALUE] = "a member has a wrong value",
	[C2W_REJECT_MEMORY] = "out of memory",
};

#define AT(path) offsetof(struct c2w_message, path)
#define TEXT(name_, need_, path, max_) \
	{ .name = STR_INIT(name_), .type = MEMBER_TEXT, .need = need_, .offset = AT(path), .max = max_ }
#define DISPLAY(name_, need_, path, max_)                                                 \
	{ .name = STR_INIT(name_), .type = MEMBER_DISPLAY, .need = need_, .offset = AT(path), \
	  .max = max_ }
#define LINES(name_, path, max_)                                                           \
	{ .name = STR_INIT(name_), .type = MEMBER_LINES, .need = NEED_FULL, .offset = AT(path), \
	  .max = max_ }
#define MAYBE_LINES(name_, path, max_) \
	{ .name = STR_INIT(name_), .type = MEMBER_LINES, .offset = AT(path), .max = max_ }
#define MOTION(name_, path) \
	{ .name = STR_INIT(name_), .type = MEMBER_MOTION, .offset = AT(path) }
#define RIGHT(name_, path) { .name = STR_INIT(name_), .type = MEMBER_FLAG, .offset = AT(path) }
#define NUMBER(name_, need_, path) \
	{ .name = STR_INIT(name_), .type = MEMBER_NUMBER, .need = need_, .offset = AT(path) }
#define FLAG(name_, path) \
	{ .name = STR_INIT(name_), .type = MEMBER_FLAG, .need = NEED_THERE, .offset = AT(path) }
#define WORD(name_, path, words_)                                                           \
	{ .name = STR_INIT(name_), .type = MEMBER_WORD, .need = NEED_THERE, .offset = AT(path), \
	  .words = words_, .word_count = COUNT_OF(words_) }
#define PASSCODE                                                                  \
	{ .name = STR_INIT("passcode"), .type = MEMBER_TEXT, .offset = AT(join.passcode), \
	  .max = C2W_PASSCODE_MAX, .flag = AT(join.has_passcode) }

static const struct member hello_members[] = {
	NUMBER("version", NEED_FULL, hello.version),
	TEXT("role", NEED_FULL, hello.role, C2W_ID_MAX),
	TEXT("id", NEED_NONE, hello.id, C2W_ID_MAX),
	DISPLAY("name", NEED_NONE, hello.name, C2W_NAME_MAX),
	DISPLAY("product", NEED_NONE, hello.product, C2W_PRODUCT_MAX),
};

static const struct member lookup_members[] = {
	TEXT("address", NEED_FULL, join.address, C2W_ADDRESS_MAX),
	PASSCODE,
	TEXT("secret", NEED_NONE, join.secret, C2W_SECRET_MAX),
};

/* With an address or a space: read_message(). */
static const struct member join_members[] = {
	TEXT("address", NEED_NONE, join.address, C2W_ADDRESS_MAX),
	PASSCODE,
	TEXT("secret", NEED_NONE, join.secret, C2W_SECRET_MAX),
	TEXT("name", NEED_FULL, join.name, C2W_NAME_MAX),
	TEXT("auth", NEED_NONE, join.auth, C2W_TOKEN_MAX),
	TEXT("space", NEED_NONE, join.space, C2W_ID_MAX),
	TEXT("method", NEED_NONE, join.method, C2W_ID_MAX),
};

static const struct member sign_in_members[] = {
	TEXT("username", NEED_FULL, sign_in.username, C2W_USERNAME_MAX),
	TEXT("password", NEED_FULL, sign_in.password, C2W_PASSWORD_MAX),
	TEXT("address", NEED_NONE, sign_in.address, C2W_ADDRESS_MAX),
};

static const struct member sign_in_elsewhere_members[] = {
	TEXT("provider", NEED_NONE, sign_in_elsewhere.provider, C2W_ID_MAX),
	TEXT("back", NEED_NONE, sign_in_elsewhere.back, C2W_BACK_MAX),
	TEXT("state", NEED_NONE, sign_in_elsewhere.state, C2W_STATE_MAX),
	TEXT("code", NEED_NONE, sign_in_elsewhere.code, C2W_CODE_MAX),
	TEXT("error", NEED_NONE, sign_in_elsewhere.error, C2W_NAME_MAX),
	TEXT("address", NEED_NONE, sign_in_elsewhere.address, C2W_ADDRESS_MAX),
};

static const struct member elsewhere_members[] = {
	TEXT("url", NEED_FULL, elsewhere.url, C2W_REDIRECT_MAX),
	TEXT("state", NEED_FULL, elsewhere.state, C2W_STATE_MAX),
};

static const struct member signed_in_members[] = {
	TEXT("token", NEED_FULL, signed_in.token, C2W_TOKEN_MAX),
	DISPLAY("name", NEED_THERE, signed_in.name, C2W_NAME_MAX),
	TEXT("jid", NEED_FULL, signed_in.jid, C2W_USERNAME_MAX),
};

static const struct member ask_members[] = {
	TEXT("token", NEED_NONE, ask.token, C2W_TOKEN_MAX),
	WORD("method", ask.method, method_names),
	TEXT("path", NEED_FULL, ask.path, C2W_PATH_MAX),
	MAYBE_LINES("body", ask.body, C2W_ASK_MAX),
	TEXT("address", NEED_NONE, ask.address, C2W_ADDRESS_MAX),
};

static const struct member told_members[] = {
	NUMBER("status", NEED_FULL, told.status),
	MAYBE_LINES("body", told.body, C2W_TOLD_MAX),
};

static const struct member found_members[] = {
	DISPLAY("name", NEED_THERE, found.name, C2W_NAME_MAX),
	FLAG("passcodeRequired", found.passcode_required),
};

static const struct member joined_members[] = {
	TEXT("token", NEED_FULL, joined.token, C2W_TOKEN_MAX),
	DISPLAY("name", NEED_THERE, joined.name, C2W_NAME_MAX),
};

static const struct member refused_members[] = {
	WORD("reason", refusal, refusal_names),
};

static const struct member open_members[] = {
	TEXT("token", NEED_FULL, open.token, C2W_TOKEN_MAX),
	DISPLAY("product", NEED_NONE, open.product, C2W_PRODUCT_MAX),
	TEXT("address", NEED_NONE, open.address, C2W_ADDRESS_MAX),
};

static const struct member opened_members[] = {
	TEXT("participant", NEED_FULL, opened.participant, C2W_ID_MAX),
	TEXT("call", NEED_FULL, opened.call, C2W_ID_MAX),
	DISPLAY("meeting", NEED_THERE, opened.meeting, C2W_NAME_MAX),
	TEXT("token", NEED_NONE, opened.token, C2W_TOKEN_MAX),
	FLAG("resumed", opened.resumed),
	FLAG("mayMuteOthers", opened.may_mute_others),
	FLAG("mayDropOthers", opened.may_drop_others),
	FLAG("mayLock", opened.may_lock),
	FLAG("mayEnd", opened.may_end),
	RIGHT("mayShare", opened.may_share),
	RIGHT("maySetLayout", opened.may_set_layout),
	RIGHT("mayMuteVideoOthers", opened.may_mute_video_others),
	RIGHT("mayChat", opened.may_chat),
	RIGHT("mayRaiseHand", opened.may_raise_hand),
	RIGHT("mayControlCamera", opened.may_control_camera),
	NUMBER("tilesMax", NEED_NONE, opened.tiles_max),
};

static const struct member sdp_members[] = {
	NUMBER("revision", NEED_FULL, sdp.revision),
	LINES("sdp", sdp.sdp, C2W_SDP_MAX),
};

static const struct member candidate_members[] = {
	NUMBER("revision", NEED_FULL, candidate.revision),
	TEXT("candidate", NEED_THERE, candidate.candidate, C2W_CANDIDATE_MAX),
	TEXT("mid", NEED_NONE, candidate.mid, C2W_ID_MAX),
};

static const struct member mute_members[] = {
	FLAG("muted", mute),
};

static const struct member act_members[] = {
	WORD("action", act.action, action_names),
	TEXT("participant", NEED_NONE, act.participant, C2W_ID_MAX),
};

static const struct member on_members[] = {
	FLAG("on", on),
};

static const struct member hand_members[] = {
	FLAG("raised", on),
};

static const struct member say_members[] = {
	LINES("text", say, C2W_CHAT_MAX),
};

static const struct member layout_members[] = {
	TEXT("participant", NEED_FULL, layout.participant, C2W_ID_MAX),
	TEXT("layout", NEED_THERE, layout.layout, C2W_ID_MAX),
};

static const struct member remote_camera_members[] = {
	TEXT("participant", NEED_FULL, remote_camera.participant, C2W_ID_MAX),
	MOTION("pan", remote_camera.pan),
	MOTION("tilt", remote_camera.tilt),
	MOTION("zoom", remote_camera.zoom),
	MOTION("focus", remote_camera.focus),
};

static const struct member roster_members[] = {
	FLAG("complete", roster.complete),
};

static const struct member meeting_members[] = {
	DISPLAY("name", NEED_THERE, meeting.name, C2W_NAME_MAX),
	NUMBER("participants", NEED_THERE, meeting.participants),
	FLAG("locked", meeting.locked),
	FLAG("lobby", meeting.lobby),
};

static const struct member muted_members[] = {
	FLAG("muted", muted.muted),
	FLAG("deaf", muted.deaf),
	FLAG("byOther", muted.by_other),
	FLAG("mayUnmute", muted.may_unmute),
};

static const struct member video_muted_members[] = {
	FLAG("muted", video_muted.muted),
	FLAG("byOther", video_muted.by_other),
	FLAG("mayUnmute", video_muted.may_unmute),
};

static const struct member sharing_members[] = {
	TEXT("participant", NEED_NONE, sharing.participant, C2W_ID_MAX),
	WORD("floor", sharing.floor, floor_names),
};

static const struct member chat_members[] = {
	TEXT("participant", NEED_FULL, chat.participant, C2W_ID_MAX),
	DISPLAY("name", NEED_THERE, chat.name, C2W_NAME_MAX),
	LINES("text", chat.text, C2W_CHAT_MAX),
	NUMBER("time", NEED_THERE, chat.time),
};

static const struct member notice_members[] = {
	DISPLAY("text", NEED_THERE, notice.text, C2W_NOTICE_MAX),
	WORD("place", notice.place, place_names),
};

static const struct member quality_members[] = {
	WORD("level", quality, level_names),
};

static const struct member ended_members[] = {
	WORD("reason", end, end_names),
};

/* Offsets in these three are within the array's own element. */
#define PERSON(name_, member_)                                                   \
	{ .name = STR_INIT(name_), .type = MEMBER_FLAG,                              \
	  .offset = offsetof(struct c2w_person, member_) }
static const struct member person_members[] = {
	{ .name = STR_INIT("participant"), .type = MEMBER_TEXT, .need = NEED_FULL,
	  .offset = offsetof(struct c2w_person, participant), .max = C2W_ID_MAX },
	{ .name = STR_INIT("name"), .type = MEMBER_DISPLAY,
	  .offset = offsetof(struct c2w_person, name), .max = C2W_NAME_MAX },
	PERSON("gone", gone),       PERSON("muted", muted), PERSON("talking", talking),
	PERSON("lobby", lobby),     PERSON("sip", sip),     PERSON("video", video),
	PERSON("videoMuted", video_muted),                  PERSON("content", content),
	PERSON("hand", hand),       PERSON("remoteCamera", remote_camera),
	{ .name = STR_INIT("layout"), .type = MEMBER_TEXT,
	  .offset = offsetof(struct c2w_person, layout), .max = C2W_ID_MAX },
};

static const struct member tile_members[] = {
	{ .name = STR_INIT("mid"), .type = MEMBER_TEXT, .need = NEED_FULL,
	  .offset = offsetof(struct c2w_tile, mid), .max = C2W_MID_MAX },
	{ .name = STR_INIT("participant"), .type = MEMBER_TEXT,
	  .offset = offsetof(struct c2w_tile, participant), .max = C2W_ID_MAX },
	{ .name = STR_INIT("height"), .type = MEMBER_NUMBER,
	  .offset = offsetof(struct c2w_tile, height), .max = C2W_HEIGHT_MAX },
	{ .name = STR_INIT("content"), .type = MEMBER_FLAG,
	  .offset = offsetof(struct c2w_tile, content) },
};

static const struct member ice_members[] = {
	{ .name = STR_INIT("url"), .type = MEMBER_TEXT, .need = NEED_FULL,
	  .offset = offsetof(struct c2w_ice_server, url), .max = C2W_ADDRESS_MAX },
	{ .name = STR_INIT("username"), .type = MEMBER_TEXT,
	  .offset = offsetof(struct c2w_ice_server, username), .max = C2W_ADDRESS_MAX },
	{ .name = STR_INIT("credential"), .type = MEMBER_TEXT,
	  .offset = offsetof(struct c2w_ice_server, credential), .max = C2W_ADDRESS_MAX },
};

enum addressing {
	ADDRESS_NOBODY,  /* the connection itself */
	ADDRESS_REQUEST,
	ADDRESS_SESSION,
	ADDRESS_EITHER,  /* an answer to one of both */
};

enum {
	BY_CALL_BRIDGE = 1 << C2W_FROM_CALL_BRIDGE,
	BY_WEB_BRIDGE = 1 << C2W_FROM_WEB_BRIDGE,
	BY_BROWSER = 1 << C2W_FROM_BROWSER,
};

static const struct {
	struct str name;
	unsigned speakers;
	enum addressing addressing;
	const struct member *members;
	size_t member_count;
} kinds[C2W_KINDS] = {
#define KIND(name_, speakers_, addressing_, members_) \
	{ STR_INIT(name_), speakers_, addressing_, members_, COUNT_OF(members_) }
#define BARE(name_, speakers_, addressing_) { STR_INIT(name_), speakers_, addressing_, NULL, 0 }
	[C2W_NONE] = BARE("none", 0, ADDRESS_NOBODY),
	[C2W_HELLO] = KIND("hello", BY_CALL_BRIDGE | BY_WEB_BRIDGE, ADDRESS_NOBODY, hello_members),
	[C2W_PING] = BARE("ping", BY_CALL_BRIDGE | BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_NOBODY),
	[C2W_PONG] = BARE("pong", BY_CALL_BRIDGE | BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_NOBODY),
	[C2W_LOOKUP] = KIND("lookup", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_REQUEST, lookup_members),
	[C2W_JOIN] = KIND("join", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_REQUEST, join_members),
	[C2W_SIGN_IN] = KIND("signIn", BY_WEB_BRIDGE, ADDRESS_REQUEST, sign_in_members),
	[C2W_SIGN_IN_ELSEWHERE] = KIND("signInElsewhere", BY_WEB_BRIDGE, ADDRESS_REQUEST,
	                               sign_in_elsewhere_members),
	[C2W_ELSEWHERE] = KIND("elsewhere", BY_CALL_BRIDGE, ADDRESS_REQUEST, elsewhere_members),
	[C2W_ASK] = KIND("ask", BY_WEB_BRIDGE, ADDRESS_REQUEST, ask_members),
	[C2W_SIGNED_IN] = KIND("signedIn", BY_CALL_BRIDGE, ADDRESS_REQUEST, signed_in_members),
	[C2W_TOLD] = KIND("told", BY_CALL_BRIDGE, ADDRESS_REQUEST, told_members),
	[C2W_FOUND] = KIND("found", BY_CALL_BRIDGE, ADDRESS_REQUEST, found_members),
	[C2W_JOINED] = KIND("joined", BY_CALL_BRIDGE, ADDRESS_REQUEST, joined_members),
	[C2W_REFUSED] = KIND("refused", BY_CALL_BRIDGE, ADDRESS_EITHER, refused_members),
	[C2W_OPEN] = KIND("open", BY_WEB_BRIDGE, ADDRESS_SESSION, open_members),
	[C2W_OFFER] = KIND("offer", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, sdp_members),
	[C2W_CANDIDATE] =
		KIND("candidate", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, candidate_members),
	[C2W_MUTE] = KIND("mute", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, mute_members),
	[C2W_ACT] = KIND("act", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, act_members),
	[C2W_LEAVE] = BARE("leave", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION),
	[C2W_VIEW] = BARE("view", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION),
	[C2W_CAMERA] = KIND("camera", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, on_members),
	[C2W_SHARE] = KIND("share", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, on_members),
	[C2W_SAY] = KIND("say", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, say_members),
	[C2W_HAND] = KIND("hand", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, hand_members),
	[C2W_LAYOUT] = KIND("layout", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION, layout_members),
	[C2W_REMOTE_CAMERA] = KIND("remoteCamera", BY_WEB_BRIDGE | BY_BROWSER, ADDRESS_SESSION,
	                           remote_camera_members),
	[C2W_CLOSED] = BARE("closed", BY_WEB_BRIDGE, ADDRESS_SESSION),
	[C2W_OPENED] = KIND("opened", BY_CALL_BRIDGE, ADDRESS_SESSION, opened_members),
	[C2W_ANSWER] = KIND("answer", BY_CALL_BRIDGE, ADDRESS_SESSION, sdp_members),
	[C2W_ROSTER] = KIND("roster", BY_CALL_BRIDGE, ADDRESS_SESSION, roster_members),
	[C2W_MEETING] = KIND("meeting", BY_CALL_BRIDGE, ADDRESS_SESSION, meeting_members),
	[C2W_MUTED] = KIND("muted", BY_CALL_BRIDGE, ADDRESS_SESSION, muted_members),
	[C2W_VIDEO_MUTED] =
		KIND("videoMuted", BY_CALL_BRIDGE, ADDRESS_SESSION, video_muted_members),
	[C2W_TILES] = BARE("tiles", BY_CALL_BRIDGE, ADDRESS_SESSION),
	[C2W_SHARING] = KIND("sharing", BY_CALL_BRIDGE, ADDRESS_SESSION, sharing_members),
	[C2W_CHAT] = KIND("chat", BY_CALL_BRIDGE, ADDRESS_SESSION, chat_members),
	[C2W_NOTICE] = KIND("notice", BY_CALL_BRIDGE, ADDRESS_SESSION, notice_members),
	[C2W_QUALITY] = KIND("quality", BY_CALL_BRIDGE, ADDRESS_SESSION, quality_members),
	[C2W_ENDED] = KIND("ended", BY_CALL_BRIDGE, ADDRESS_SESSION, ended_members),
};

/* What a parsed message owns. */
struct held {
	json_t *root;
	struct c2w_person *people;
	struct c2w_tile *tiles;
	uint32_t *sessions;
};

/* ------------------------------------------------------------------ reading */

static enum c2w_reject
read_text(struct str *out, const json_t *value, const struct member *member)
{
	if (!json_is_string(value))
		return C2W_REJECT_VALUE;
	*out = (struct str){ .at = json_string_value(value), .len = json_string_length(value) };
	if (out->len > member->max || (out->len == 0 && member->need == NEED_FULL))
		return C2W_REJECT_VALUE;
	for (size_t i = 0; i < out->len && member->type != MEMBER_LINES; i++)
		if ((unsigned char)out->at[i] < ' ' || out->at[i] == 0x7f)
			return C2W_REJECT_VALUE;
	return C2W_OK;
}

static enum c2w_reject
read_number(uint32_t *out, const json_t *value, json_int_t min, json_int_t max)
{
	if (!json_is_integer(value))
		return C2W_REJECT_VALUE;
	const json_int_t number = json_integer_value(value);
	if (number < min || number > max)
		return C2W_REJECT_VALUE;
	*out = (uint32_t)number;
	return C2W_OK;
}

static enum c2w_reject
read_motion(int32_t *out, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) < -1 || json_integer_value(value) > 1)
		return C2W_REJECT_VALUE;
	*out = (int32_t)json_integer_value(value);
	return C2W_OK;
}

static enum c2w_reject
read_word(void *out, const json_t *value, const struct member *member)
{
	if (!json_is_string(value))
		return C2W_REJECT_VALUE;
	for (unsigned i = 0; i < member->word_count; i++) {
		if (!str_eq(str_of(json_string_value(value)), member->words[i]))
			continue;
		memcpy(out, &i, sizeof i);
		return C2W_OK;
	}
	return C2W_REJECT_VALUE;
}
static_assert(sizeof(enum c2w_refusal) == sizeof(unsigned), "words are stored as unsigned");
static_assert(sizeof(enum c2w_end) == sizeof(unsigned) &&
              sizeof(enum c2w_action) == sizeof(unsigned) &&
              sizeof(enum c2w_floor) == sizeof(unsigned) &&
              sizeof(enum c2w_method) == sizeof(unsigned) &&
              sizeof(enum c2w_place) == sizeof(unsigned) &&
              sizeof(enum c2w_level) == sizeof(unsigned));

static enum c2w_reject
read_member(char *base, const json_t *object, const struct member *member)
{
	const json_t *value = json_object_get(object, member->name.at);
	void *out = base + member->offset;
	if (value == NULL)
		return member->need == NEED_NONE ? C2W_OK : C2W_REJECT_MISSING;
	if (member->flag != 0)
		*(bool *)(base + member->flag) = true;
	switch (member->type) {
	case MEMBER_TEXT:
	case MEMBER_DISPLAY:
	case MEMBER_LINES:
		return read_text(out, value, member);
	case MEMBER_NUMBER:
		return read_number(out, value, member->need == NEED_FULL ? 1 : 0,
		                   member->max != 0 ? (json_int_t)member->max : UINT32_MAX);
	case MEMBER_MOTION:
		return read_motion(out, value);
	case MEMBER_FLAG:
		if (!json_is_boolean(value))
			return C2W_REJECT_VALUE;
		*(bool *)out = json_is_true(value);
		return C2W_OK;
	case MEMBER_WORD:
		return read_word(out, value, member);
	}
	return C2W_REJECT_VALUE;
}

static enum c2w_reject
read_members(void *base, const json_t *object, const struct member *members, size_t count)
{
	enum c2w_reject reject = json_is_object(object) ? C2W_OK : C2W_REJECT_VALUE;
	for (size_t i = 0; i < count && reject == C2W_OK; i++)
		reject = read_member(base, object, &members[i]);
	return reject;
}

/* A list that must be there; its elements belong to the caller, even of one that is refused. */
static enum c2w_reject
read_list(void **elements, uint32_t *count, const json_t *list, size_t count_max,
          size_t element_bytes, const struct member *members, size_t member_count)
{
	const size_t len = json_array_size(list);
	if (list == NULL)
		return C2W_REJECT_MISSING;
	if (!json_is_array(list) || len > count_max)
		return C2W_REJECT_VALUE;
	*elements = calloc(len + 1, element_bytes);
	if (*elements == NULL)
		return C2W_REJECT_MEMORY;
	*count = (uint32_t)len;
	enum c2w_reject reject = C2W_OK;
	for (size_t i = 0; i < len && reject == C2W_OK; i++)
		reject = read_members((char *)*elements + i * element_bytes, json_array_get(list, i),
		                      members, member_count);
	return reject;
}

static enum c2w_reject
read_people(struct c2w_message *message, struct held *held, const json_t *root)
{
	void *people = NULL;
	const enum c2w_reject reject =
		read_list(&people, &message->roster.count, json_object_get(root, "people"),
	                  C2W_PEOPLE_MAX, sizeof *held->people, person_members,
	                  COUNT_OF(person_members));
	message->roster.people = held->people = people;
	return reject;
}

static enum c2w_reject
read_tiles(struct c2w_message *message, struct held *held, const json_t *root)
{
	void *tiles = NULL;
	const enum c2w_reject reject =
		read_list(&tiles, &message->tiles.count, json_object_get(root, "tiles"),
	                  C2W_TILES_MAX, sizeof *held->tiles, tile_members, COUNT_OF(tile_members));
	message->tiles.tiles = held->tiles = tiles;
	return reject;
}

static enum c2w_reject
read_ice(struct c2w_message *message, const json_t *root)
{
	const json_t *servers = json_object_get(root, "iceServers");
	const size_t count = json_array_size(servers);
	if (servers == NULL)
		return C2W_OK;
	if (!json_is_array(servers) || count > C2W_ICE_SERVERS_MAX)
		return C2W_REJECT_VALUE;
	message->opened.ice_count = (uint32_t)count;
	enum c2w_reject reject = C2W_OK;
	for (size_t i = 0; i < count && reject == C2W_OK; i++)
		reject = read_members(&message->opened.ice[i], json_array_get(servers, i),
		                      ice_members, COUNT_OF(ice_members));
	return reject;
}

static enum c2w_reject
read_sessions(struct c2w_message *message, struct held *held, const json_t *sessions)
{
	const size_t count = json_array_size(sessions);
	if (!json_is_array(sessions) || count == 0 || count > C2W_SESSIONS_MAX)
		return C2W_REJECT_VALUE;
	held->sessions = calloc(count, sizeof *held->sessions);
	if (held->sessions == NULL)
		return C2W_REJECT_MEMORY;
	message->sessions = held->sessions;
	message->session_count = (uint32_t)count;
	enum c2w_reject reject = C2W_OK;
	for (size_t i = 0; i < count && reject == C2W_OK; i++)
		reject = read_number(&held->sessions[i], json_array_get(sessions, i), 1, UINT32_MAX);
	return reject;
}

/* Whose message it is: exactly the keys that its kind wants from this speaker. */
static enum c2w_reject
read_addressing(struct c2w_message *message, struct held *held, const json_t *root,
                enum c2w_speaker speaker)
{
	const enum addressing addressing = kinds[message->kind].addressing;
	const json_t *request = json_object_get(root, "request");
	const json_t *session = json_object_get(root, "session");
	const json_t *sessions = json_object_get(root, "sessions");
	const int keys = (request != NULL) + (session != NULL) + (sessions != NULL);
	if (speaker == C2W_FROM_BROWSER || addressing == ADDRESS_NOBODY)
		return keys == 0 ? C2W_OK : C2W_REJECT_VALUE;
	if (keys == 0)
		return C2W_REJECT_MISSING;
	if (keys > 1 || (request != NULL && addressing == ADDRESS_SESSION) ||
	    (request == NULL && addressing == ADDRESS_REQUEST) ||
	    (sessions != NULL && speaker != C2W_FROM_CALL_BRIDGE))
		return C2W_REJECT_VALUE;
	if (request != NULL)
		return read_number(&message->request, request, 1, UINT32_MAX);
	return session != NULL ? read_number(&message->session, session, 1, UINT32_MAX)
	                       : read_sessions(message, held, sessions);
}

static bool
action_names_somebody(enum c2w_action action)
{
	return action != C2W_ACTION_LOCK && action != C2W_ACTION_UNLOCK &&
	       action != C2W_ACTION_END;
}

static enum c2w_reject
read_message(struct c2w_message *message, struct held *held, const json_t *root,
             enum c2w_speaker speaker)
{
	const json_t *type = json_object_get(root, "type");
	for (unsigned k = C2W_NONE + 1; k < C2W_KINDS && json_is_string(type); k++)
		if (str_eq(str_of(json_string_value(type)), kinds[k].name))
			message->kind = (enum c2w_kind)k;
	if ((kinds[message->kind].speakers & 1u << speaker) == 0)
		return C2W_REJECT_TYPE;

	enum c2w_reject reject = read_addressing(message, held, root, speaker);
	if (reject == C2W_OK)
		reject = read_members(message, root, kinds[message->kind].members,
		                      kinds[message->kind].member_count);
	if (reject == C2W_OK && message->kind == C2W_ROSTER)
		reject = read_people(message, held, root);
	if (reject == C2W_OK && (message->kind == C2W_VIEW || message->kind == C2W_TILES))
		reject = read_tiles(message, held, root);
	if (reject == C2W_OK && message->kind == C2W_OPENED)
		reject = read_ice(message, root);
	if (reject == C2W_OK && message->kind == C2W_ACT &&
	    action_names_somebody(message->act.action) && message->act.participant.len == 0)
		reject = C2W_REJECT_MISSING;
	if (reject == C2W_OK && message->kind == C2W_JOIN && message->join.address.len == 0 &&
	    message->join.space.len == 0)
		reject = C2W_REJECT_MISSING;
	return reject;
}

enum c2w_reject
c2w_parse(struct c2w_message *out, struct str text, enum c2w_speaker speaker)
{
	const size_t len_max = speaker == C2W_FROM_BROWSER ? (size_t)C2W_BROWSER_BYTES_MAX
	                                                   : (size_t)C2W_MESSAGE_BYTES_MAX;
	memset(out, 0, sizeof *out);
	if (text.len > len_max)
		return C2W_REJECT_LONG;
	struct held *held = calloc(1, sizeof *held);
	if (held == NULL)
		return C2W_REJECT_MEMORY;
	struct c2w_message message = { .held = held };
	held->root = json_read(text, DEPTH_MAX);
	enum c2w_reject reject = C2W_REJECT_JSON;
	if (json_is_object(held->root))
		reject = read_message(&message, held, held->root, speaker);
	if (reject == C2W_OK)
		*out = message;
	else
		c2w_message_fini(&message);
	return reject;
}

void
c2w_message_fini(struct c2w_message *message)
{
	struct held *held = message->held;
	if (held != NULL) {
		/* The JSON library has it still, and frees it as it is. */
		if (message->kind == C2W_SIGN_IN && message->sign_in.password.len != 0)
			explicit_bzero((char *)(uintptr_t)message->sign_in.password.at,
			               message->sign_in.password.len);
		json_decref(held->root);
		free(held->people);
		free(held->tiles);
		free(held->sessions);
		free(held);
	}
	memset(message, 0, sizeof *message);
}

/* ------------------------------------------------------------------ writing */

static void
write_text(struct writer *w, const struct member *member, struct str text)
{
	if (text.len == 0 && member->need == NEED_NONE)
		return;
	if (member->type == MEMBER_DISPLAY)
		text = json_cut(text, member->max);
	if (text.len > member->max || (text.len == 0 && member->need == NEED_FULL)) {
		w->failed = true; /* The other side would refuse it. */
		return;
	}
	json_key(w, member->name);
	json_text(w, text, member->type == MEMBER_LINES);
}

static void
write_member(struct writer *w, const struct member *member, const char *base)
{
	const void *value = base + member->offset;
	if (member->flag != 0 && *(const bool *)(base + member->flag)) {
		const struct str text = *(const struct str *)value;
		w->failed |= text.len > member->max;
		json_key(w, member->name);
		json_text(w, text, false);
		return;
	}
	switch (member->type) {
	case MEMBER_TEXT:
	case MEMBER_DISPLAY:
	case MEMBER_LINES:
		write_text(w, member, *(const struct str *)value);
		break;
	case MEMBER_NUMBER:
		if (member->need == NEED_NONE && *(const uint32_t *)value == 0)
			break;
		w->failed |= member->max != 0 && *(const uint32_t *)value > member->max;
		json_key(w, member->name);
		writer_decimal(w, *(const uint32_t *)value);
		break;
	case MEMBER_MOTION:
		if (*(const int32_t *)value == 0)
			break;
		json_key(w, member->name);
		writer_text(w, *(const int32_t *)value < 0 ? "-1" : "1");
		break;
	case MEMBER_FLAG:
		if (member->need == NEED_NONE && !*(const bool *)value)
			break;
		json_key(w, member->name);
		writer_text(w, *(const bool *)value ? "true" : "false");
		break;
	case MEMBER_WORD: {
		unsigned word = 0;
		memcpy(&word, value, sizeof word);
		CHECK(word < member->word_count);
		json_key(w, member->name);
		json_text(w, member->words[word], false);
		break;
	}
	}
}

static void
write_members(struct writer *w, const struct member *members, size_t count, const void *base)
{
	for (size_t i = 0; i < count; i++)
		write_member(w, &members[i], base);
}

static void
write_array(struct writer *w, struct str name, const struct member *members, size_t member_count,
            const char *elements, size_t element_bytes, size_t count)
{
	json_key(w, name);
	writer_u8(w, '[');
	for (size_t i = 0; i < count; i++) {
		writer_text(w, i == 0 ? "{" : ",{");
		write_members(w, members, member_count, elements + i * element_bytes);
		writer_u8(w, '}');
	}
	writer_u8(w, ']');
}

static void
write_addressing(struct writer *w, const struct c2w_message *message)
{
	if (message->request != 0) {
		json_key(w, STR("request"));
		writer_decimal(w, message->request);
	} else if (message->session_count != 0) {
		json_key(w, STR("sessions"));
		for (uint32_t i = 0; i < message->session_count; i++) {
			writer_u8(w, i == 0 ? '[' : ',');
			writer_decimal(w, message->sessions[i]);
		}
		writer_u8(w, ']');
	} else if (message->session != 0) {
		json_key(w, STR("session"));
		writer_decimal(w, message->session);
	}
}

void
c2w_write(struct writer *w, const struct c2w_message *message, bool for_browser)
{
	CHECK(message->kind > C2W_NONE && message->kind < C2W_KINDS);
	CHECK(message->session_count <= C2W_SESSIONS_MAX);
	writer_u8(w, '{');
	json_key(w, STR("type"));
	json_text(w, kinds[message->kind].name, false);
	if (!for_browser)
		write_addressing(w, message);
	write_members(w, kinds[message->kind].members, kinds[message->kind].member_count, message);
	if (message->kind == C2W_ROSTER) {
		CHECK(message->roster.count <= C2W_PEOPLE_MAX);
		write_array(w, STR("people"), person_members, COUNT_OF(person_members),
		            (const char *)message->roster.people, sizeof(struct c2w_person),
		            message->roster.count);
	}
	if (message->kind == C2W_VIEW || message->kind == C2W_TILES) {
		CHECK(message->tiles.count <= C2W_TILES_MAX);
		write_array(w, STR("tiles"), tile_members, COUNT_OF(tile_members),
		            (const char *)message->tiles.tiles, sizeof(struct c2w_tile),
		            message->tiles.count);
	}
	if (message->kind == C2W_OPENED) {
		CHECK(message->opened.ice_count <= C2W_ICE_SERVERS_MAX);
		write_array(w, STR("iceServers"), ice_members, COUNT_OF(ice_members),
		            (const char *)message->opened.ice, sizeof(struct c2w_ice_server),
		            message->opened.ice_count);
	}
	writer_u8(w, '}');
}

const char *
c2w_kind_name(enum c2w_kind kind)
{
	CHECK(kind < C2W_KINDS);
	return kinds[kind].name.at;
}

const char *
c2w_refusal_name(enum c2w_refusal refusal)
{
	CHECK(refusal < C2W_REFUSALS);
	return refusal_names[refusal].at;
}

const char *
c2w_end_name(enum c2w_end end)
{
	CHECK(end < C2W_ENDS);
	return end_names[end].at;
}

const char *
c2w_reject_name(enum c2w_reject reject)
{
	CHECK(reject < C2W_REJECT_COUNT);
	return reject_names[reject];
}
