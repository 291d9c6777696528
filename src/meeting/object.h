/* SPDX-License-Identifier: Apache-2.0 */
/* object -- what the API's objects are, said once, and the table of those that are kept.
 *
 * Every object type has one description: its names, its place, and its typed fields.  Parsing,
 * validation, storage, XML, JSON, filters and documentation are driven by it; a new parameter is a
 * new row.  A parameter without a row is refused, so what is accepted works.
 *
 * `struct objects` holds the kept objects (spaces, profiles, ...) in memory, where they are
 * authoritative.  Changes are grouped in transactions; each is handed to the store as bytes and
 * undone when the store cannot keep it.
 *
 * Ownership  objects_create() allocates everything once.  Text handed out is borrowed until the
 *            next change of that object.
 * Threads    The control thread; the descriptions are constant and may be read by any.
 * Units      Lengths are bytes of UTF-8.
 * Errors     What an administrator sent wrong is an `enum object_reject`; a table or the text pool
 *            being full is OBJECT_FULL, answered as 503.
 * Limits     `struct object_limits`, TX_PENDING_MAX transactions of TX_BYTES_MAX bytes under way.
 */
#ifndef MEETING_OBJECT_H
#define MEETING_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/encode.h"
#include "base/hash.h"
#include "base/str.h"
#include "meeting/object_dial.h"

enum {
	OBJECT_FIELDS_MAX = 128,   /* of one type, those it extends included: one bit each */
	OBJECT_TEXT_MAX = 4000,    /* the longest text any field may hold */
	OBJECT_ROW_BYTES_MAX = 8192, /* one object as bytes; checked against the descriptions */
	SPACE_METHODS_MAX = 100,   /* access methods of one space */
	TX_PENDING_MAX = 64,
	TX_BYTES_MAX = 64 * 1024,
};

/* ------------------------------------------------------------------ what there is */

enum object_type {
	OBJECT_NONE = 0,
	/* kept */
	OBJECT_SPACE,
	OBJECT_METHOD,           /* a space's access method */
	OBJECT_LEG_PROFILE,
	OBJECT_CALL_PROFILE,
	OBJECT_WEB_BRIDGE,
	OBJECT_SYSTEM_PROFILES,  /* exactly one */
	OBJECT_CLUSTER,          /* exactly one: system/configuration/cluster */
	OBJECT_DTMF_PROFILE,
	OBJECT_LAYOUT_TEMPLATE,
	OBJECT_CDR_RECEIVER,
	/* the dial plan, object_dial.h */
	OBJECT_INBOUND_RULE,
	OBJECT_FORWARDING_RULE,
	OBJECT_OUTBOUND_RULE,
	OBJECT_DIAL_TRANSFORM,
	OBJECT_KEPT_END,
	/* live: meeting.h owns them */
	OBJECT_CALL = OBJECT_KEPT_END,
	OBJECT_PARTICIPANT,
	OBJECT_LEG,
	/* readings */
	OBJECT_STATUS,
	OBJECT_LOAD,
	OBJECT_DATABASE,
	OBJECT_ALARM,
	OBJECT_WEB_BRIDGE_STATUS,
	OBJECT_ACCESS_QUERY,
	OBJECT_URI_QUERY,
	OBJECT_TYPES,
};

enum field_kind {
	FIELD_TEXT,
	FIELD_BOOL,     /* number 0 or 1 */
	FIELD_UINT,
	FIELD_ENUM,     /* number: index into `words` */
	FIELD_DIGITS,   /* text of 0-9 */
	FIELD_PASSCODE, /* text of 0-9, what a telephone can type */
	FIELD_URI_USER, /* text before the @; kept as given, compared without case */
	FIELD_PARTY,    /* an address to dial: "user@host", "sip:user@host", "host" */
	FIELD_URL,      /* text with the scheme named in `words` */
	FIELD_DTMF,     /* 0-9 A-D * # and , for a pause */
	FIELD_CODE,     /* 0-9 * #, typed on a telephone */
	FIELD_SECONDS,  /* number, or "permanent": DURATION_PERMANENT */
	FIELD_GUID,     /* another object of type `ref` */
	FIELD_TIME,     /* read only: RFC 3339 */
	FIELD_TENTHS,   /* read only: number of tenths, written "12.3" */
	FIELD_DOMAIN,   /* a domain or an IP address, in which * stands for any letters */
	FIELD_DOMAIN_NAME, /* without a * */
	FIELD_HOST_PORT,   /* "host", "host:port", "[2001:db8::1]:5060" */
	FIELD_DIAL_MATCH,     /* dial_match_valid() */
	FIELD_DIAL_TRANSFORM, /* dial_transform_valid() */
};

enum field_flags {
	FIELD_POST = 1 << 0,
	FIELD_PUT = 1 << 1,
	FIELD_GET = 1 << 2,      /* in the object */
	FIELD_LIST = 1 << 3,     /* in a collection's items too */
	FIELD_KEPT = 1 << 4,     /* has a column */
	FIELD_ALWAYS = 1 << 5,   /* written even when unset: its default, or an empty element */
	FIELD_REQUIRED = 1 << 6, /* POST without it is refused */
	FIELD_ADDRESS = 1 << 7,  /* indexed: what a caller can dial */
	FIELD_FILTER = 1 << 8,   /* `filter=` looks here */
	FIELD_ATTRIBUTE = 1 << 9,
	FIELD_SECRET = 1 << 10,  /* never in a log or trace */
	FIELD_PRESENT_ONLY = 1 << 11, /* written only when true or not zero */
	FIELD_INHERITED = 1 << 12, /* unset means what something above says, not `fallback` */

	FIELD_WRITE = FIELD_POST | FIELD_PUT,
	FIELD_READ = FIELD_GET | FIELD_LIST,
	FIELD_USUAL = FIELD_WRITE | FIELD_GET | FIELD_KEPT,
};

struct field {
	const char *name;         /* the API's spelling; matched without case */
	const char *also;         /* NULL, or another spelling that is taken */
	const char *group;        /* NULL, or the elements it lies in: "status/rxAudio" */
	const char *help;         /* one sentence for documentation */
	const char *const *words; /* ENUM: words up to NULL; URL: its scheme */
	uint32_t min;             /* smallest number, or shortest non-empty text */
	uint32_t max;             /* largest number, or longest text */
	uint32_t fallback;        /* what an unset number means */
	uint16_t flags;
	uint8_t kind;             /* enum field_kind */
	uint8_t ref;              /* GUID: enum object_type */
};

struct object_desc {
	const char *collection;   /* "coSpaces"; for singletons and readings the element's name */
	const char *singular;     /* "coSpace" */
	const char *missing;      /* "coSpaceDoesNotExist" */
	const char *table;        /* in the database; NULL when not kept */
	const struct field *fields;
	uint8_t field_count;      /* own fields; those of `extends` are numbered behind them */
	uint8_t parent;           /* enum object_type of the containing object, or OBJECT_NONE */
	uint8_t extends;          /* the profile whose parameters this object can override */
	bool single;              /* exactly one exists, it has no id */
	uint8_t most;             /* there can be no more of them; 0: as the limits say */
	const char *too_many;     /* what is answered to one more: "tooManyCdrReceivers" */
};

const struct object_desc *object_describe(enum object_type type);

/* Own fields, then those of `extends` (its name excepted): of a leg, LEG_FIELDS + f - 1 is profile
 * field f. */
[[nodiscard]] unsigned object_field_count(enum object_type type);
[[nodiscard]] const struct field *object_field(enum object_type type, unsigned field);
/* By name without case; -1 when there is none. */
[[nodiscard]] int object_field_find(enum object_type type, struct str name);

/* ------------------------------------------------------------------ their fields, by number */

enum space_field {
	SPACE_NAME, SPACE_AUTO_GENERATED, SPACE_URI, SPACE_SECONDARY_URI, SPACE_CALL_ID,
	SPACE_REQUIRE_CALL_ID, SPACE_LEG_PROFILE, SPACE_CALL_PROFILE, SPACE_PASSCODE,
	SPACE_NON_MEMBER_ACCESS, SPACE_SECRET, SPACE_REGENERATE_SECRET, SPACE_CDR_TAG,
	SPACE_SCHEDULER, SPACE_METHOD_COUNT, SPACE_DEFAULT_LAYOUT, SPACE_PLACEMENT,
	SPACE_SELF_PANE_MODE, SPACE_FIELDS,
};

enum method_field {
	METHOD_NAME, METHOD_URI, METHOD_CALL_ID, METHOD_PASSCODE, METHOD_LEG_PROFILE,
	METHOD_IMPORTANCE, METHOD_SECRET, METHOD_REGENERATE_SECRET, METHOD_FIELDS,
};

/* All numbers but the name and the layout template, which is the number of its handle: a leg can
 * override each of them. */
enum leg_profile_field {
	LEG_PROFILE_NAME, LEG_PROFILE_NEEDS_ACTIVATION, LEG_PROFILE_DEACTIVATION_MODE,
	LEG_PROFILE_DEACTIVATION_TIME, LEG_PROFILE_END_CALL_ALLOWED,
	LEG_PROFILE_DISCONNECT_OTHERS_ALLOWED, LEG_PROFILE_CALL_LOCK_ALLOWED,
	LEG_PROFILE_MUTE_OTHERS_ALLOWED, LEG_PROFILE_MUTE_SELF_ALLOWED,
	LEG_PROFILE_RX_AUDIO_MUTE, LEG_PROFILE_TX_AUDIO_MUTE, LEG_PROFILE_JOIN_TONE,
	LEG_PROFILE_LEAVE_TONE, LEG_PROFILE_SIP_ENCRYPTION, LEG_PROFILE_PACKET_MS,
	LEG_PROFILE_GAIN_MODE, LEG_PROFILE_MAX_DURATION,
	/* pictures */
	LEG_PROFILE_DEFAULT_LAYOUT, LEG_PROFILE_LAYOUT_TEMPLATE, LEG_PROFILE_CHANGE_LAYOUT_ALLOWED,
	LEG_PROFILE_LABELS, LEG_PROFILE_COUNTER, LEG_PROFILE_TITLE_POSITION,
	LEG_PROFILE_RX_VIDEO_MUTE, LEG_PROFILE_TX_VIDEO_MUTE, LEG_PROFILE_VIDEO_MODE,
	LEG_PROFILE_QUALITY_MAIN, LEG_PROFILE_QUALITY_PRESENTATION,
	LEG_PROFILE_VIDEO_MUTE_OTHERS_ALLOWED, LEG_PROFILE_VIDEO_MUTE_SELF_ALLOWED,
	LEG_PROFILE_SET_IMPORTANCE_ALLOWED,
	/* content */
	LEG_PROFILE_PRESENTATION_MODE, LEG_PROFILE_PRESENTATION_CONTRIBUTION_ALLOWED,
	LEG_PROFILE_PRESENTATION_VIEWING_ALLOWED, LEG_PROFILE_ALLOW_ALL_PRESENTATION_ALLOWED,
	LEG_PROFILE_PRESENTATION_CHANNEL, LEG_PROFILE_BFCP_MODE,
	/* rights */
	LEG_PROFILE_CAMERA, LEG_PROFILE_ALLOW_ALL_MUTE_SELF_ALLOWED,
	LEG_PROFILE_CHANGE_JOIN_MUTE_ALLOWED, LEG_PROFILE_CHAT_ALLOWED,
	LEG_PROFILE_RAISE_HAND_ALLOWED, LEG_PROFILE_FIELDS,
};

enum call_profile_field {
	CALL_PROFILE_PARTICIPANT_LIMIT, CALL_PROFILE_LOCKED, CALL_PROFILE_LOCK_MODE,
	CALL_PROFILE_PASSCODE_MODE, CALL_PROFILE_PASSCODE_TIMEOUT, CALL_PROFILE_CHAT_ALLOWED,
	CALL_PROFILE_RAISE_HAND, CALL_PROFILE_BANNER, CALL_PROFILE_DTMF_PROFILE,
	CALL_PROFILE_FIELDS,
};

enum cdr_receiver_field { CDR_RECEIVER_URI, CDR_RECEIVER_FIELDS };
enum web_bridge_field { WEB_BRIDGE_URL, WEB_BRIDGE_FIELDS };
enum system_profiles_field {
	SYSTEM_LEG_PROFILE, SYSTEM_CALL_PROFILE, SYSTEM_DTMF_PROFILE, SYSTEM_PROFILES_FIELDS,
};
enum cluster_field { CLUSTER_PARTICIPANT_LIMIT, CLUSTER_FIELDS };
enum dtmf_profile_field {
	DTMF_LOCK, DTMF_UNLOCK, DTMF_NEXT_LAYOUT, DTMF_PREVIOUS_LAYOUT, DTMF_MUTE_SELF,
	DTMF_UNMUTE_SELF, DTMF_TOGGLE_MUTE_SELF, DTMF_MUTE_OTHERS, DTMF_UNMUTE_OTHERS,
	DTMF_ALLOW_ALL_MUTE_SELF, DTMF_CANCEL_ALLOW_ALL_MUTE_SELF, DTMF_ALLOW_ALL_PRESENTATION,
	DTMF_CANCEL_ALLOW_ALL_PRESENTATION, DTMF_MUTE_NEW, DTMF_UNMUTE_NEW, DTMF_DEFAULT_MUTE_NEW,
	DTMF_MUTE_NEW_AND_OTHERS, DTMF_UNMUTE_NEW_AND_OTHERS, DTMF_END_CALL, DTMF_COUNT_PEOPLE,
	DTMF_PROFILE_FIELDS,
};
enum layout_template_field {
	LAYOUT_TEMPLATE_NAME, LAYOUT_TEMPLATE_TEXT, LAYOUT_TEMPLATE_SIZE, LAYOUT_TEMPLATE_FIELDS,
};

enum call_field {
	CALL_NAME, CALL_TYPE, CALL_SPACE, CALL_OWNER_NAME, CALL_CORRELATOR, CALL_DURATION,
	CALL_LEG_COUNT, CALL_LEG_COUNT_MAX, CALL_PARTICIPANTS_LOCAL, CALL_PARTICIPANTS_REMOTE,
	CALL_DISTRIBUTED, CALL_LOCKED, CALL_RECORDING, CALL_STREAMING, CALL_ALLOW_ALL_MUTE_SELF,
	CALL_ALLOW_ALL_PRESENTATION, CALL_JOIN_MUTE_OVERRIDE, CALL_ENDPOINT_RECORDING,
	CALL_MESSAGE_TEXT, CALL_MESSAGE_POSITION, CALL_MESSAGE_DURATION, CALL_MESSAGE_REMAINING,
	CALL_PLACEMENT, CALL_SELF_PANE_MODE, CALL_PRESENTER, CALL_CHAT_ALLOWED, CALL_RAISE_HAND,
	CALL_FIELDS,
};

enum participant_field {
	PARTICIPANT_NAME, PARTICIPANT_CALL, PARTICIPANT_URI, PARTICIPANT_ORIGINAL_URI,
	PARTICIPANT_LEG_COUNT, PARTICIPANT_IS_ACTIVATOR, PARTICIPANT_CAN_MOVE, PARTICIPANT_STATE,
	PARTICIPANT_CAMERA_AVAILABLE, PARTICIPANT_HAND, PARTICIPANT_IMPORTANCE,
	PARTICIPANT_NAME_LABEL, PARTICIPANT_CHOSEN_LAYOUT, PARTICIPANT_REMOTE_PARTY,
	PARTICIPANT_OWNER_ID, PARTICIPANT_LEG_PROFILE, PARTICIPANT_DEACTIVATED, PARTICIPANT_DTMF,
	PARTICIPANT_LAYOUT, PARTICIPANT_FIELDS,
};

enum leg_field {
	LEG_NAME, LEG_REMOTE_PARTY, LEG_ORIGINAL_REMOTE_PARTY, LEG_LOCAL_ADDRESS,
	LEG_REMOTE_ADDRESS, LEG_CALL, LEG_TYPE, LEG_DIRECTION, LEG_CAN_MOVE, LEG_STATE,
	LEG_DURATION, LEG_STATUS_DIRECTION, LEG_SIP_CALL_ID, LEG_OWNER_ID, LEG_DEACTIVATED,
	LEG_ENCRYPTED, LEG_UNENCRYPTED, LEG_CIPHER,
	LEG_RX_CODEC, LEG_RX_LOSS, LEG_RX_JITTER, LEG_RX_BIT_RATE, LEG_RX_GAIN,
	LEG_TX_CODEC, LEG_TX_LOSS, LEG_TX_JITTER, LEG_TX_BIT_RATE, LEG_TX_RTT,
	/* pictures: of each direction the camera's, then content's, each in this order */
	LEG_RX_VIDEO, LEG_RX_VIDEO_WIDTH, LEG_RX_VIDEO_HEIGHT, LEG_RX_VIDEO_RATE,
	LEG_RX_VIDEO_BIT_RATE, LEG_RX_VIDEO_LOSS, LEG_RX_VIDEO_JITTER,
	LEG_RX_CONTENT, LEG_RX_CONTENT_END = LEG_RX_CONTENT + 7,
	LEG_TX_VIDEO = LEG_RX_CONTENT_END, LEG_TX_VIDEO_WIDTH, LEG_TX_VIDEO_HEIGHT,
	LEG_TX_VIDEO_RATE, LEG_TX_VIDEO_BIT_RATE, LEG_TX_VIDEO_LOSS, LEG_TX_VIDEO_JITTER,
	LEG_TX_VIDEO_RTT,
	LEG_TX_CONTENT, LEG_TX_CONTENT_END = LEG_TX_CONTENT + 8,
	LEG_LAYOUT = LEG_TX_CONTENT_END, LEG_ACTIVE_LAYOUT, LEG_VIDEO_STREAMS,
	LEG_CAMERA_AVAILABLE, LEG_HAND,
	LEG_CHOSEN_LAYOUT, LEG_NAME_LABEL,
	LEG_IMPORTANCE, LEG_PROFILE, LEG_DTMF, LEG_PARTICIPANT, LEG_FIELDS,
};

enum status_field {
	STATUS_HOST_ID, STATUS_VERSION, STATUS_UPTIME, STATUS_TIME, STATUS_ACTIVATED,
	STATUS_CLUSTERED, STATUS_CDR_INDEX, STATUS_LEGS_ACTIVE, STATUS_LEGS_MAX,
	STATUS_LEGS_COMPLETED, STATUS_AUDIO_OUT, STATUS_AUDIO_IN, STATUS_VIDEO_OUT,
	STATUS_VIDEO_IN, STATUS_FIELDS,
};

enum load_field { LOAD_MEDIA, LOAD_FIELDS };
enum database_field { DATABASE_CLUSTERED, DATABASE_FIELDS };
enum alarm_field {
	ALARM_TYPE, ALARM_ACTIVE, ALARM_REASON, ALARM_WEB_BRIDGE, ALARM_CDR_RECEIVER, ALARM_FIELDS,
};
enum web_bridge_status_field { WEB_BRIDGE_STATUS, WEB_BRIDGE_STATUS_FIELDS };
enum access_query_field {
	ACCESS_QUERY_URI, ACCESS_QUERY_CALL_ID, ACCESS_QUERY_WEB, ACCESS_QUERY_FIELDS,
};
enum uri_query_field { URI_QUERY_URI, URI_QUERY_SPACE, URI_QUERY_FIELDS };

/* Words of the enumerations that code acts on. */
enum sip_encryption { SIP_ENCRYPTION_OPTIONAL, SIP_ENCRYPTION_REQUIRED, SIP_ENCRYPTION_PROHIBITED };
enum gain_mode { GAIN_AGC, GAIN_DISABLED };
enum deactivation_mode { DEACTIVATE, DEACTIVATE_DISCONNECT, DEACTIVATE_REMAIN };
enum lock_mode { LOCK_ALL, LOCK_NEEDS_ACTIVATION };
enum passcode_mode { PASSCODE_REQUIRED, PASSCODE_TIMEOUT };
enum participant_counter { COUNTER_NEVER, COUNTER_AUTO, COUNTER_ALWAYS };
enum title_position { TITLE_DISABLED, TITLE_TOP, TITLE_MIDDLE, TITLE_BOTTOM };
enum message_position { MESSAGE_TOP, MESSAGE_MIDDLE, MESSAGE_BOTTOM };
enum video_mode { VIDEO_MODE_AUTO, VIDEO_MODE_DISABLED };
enum quality_main { QUALITY_UNRESTRICTED, QUALITY_1080P30, QUALITY_720P30, QUALITY_480P30 };
enum quality_presentation {
	PRESENTATION_UNRESTRICTED, PRESENTATION_1080P30, PRESENTATION_720P5,
};
enum presentation_mode { PRESENTATION_DUAL_STREAM, PRESENTATION_SINGLE_STREAM };
enum bfcp_mode { BFCP_SERVER_ONLY, BFCP_SERVER_AND_CLIENT };
enum { DURATION_PERMANENT = INT32_MAX };

/* ------------------------------------------------------------------ values and edits */

struct value {
	bool set;
	uint32_t number;  /* BOOL, UINT, ENUM, TENTHS */
	int64_t time_us;  /* TIME: wall clock */
	struct str text;  /* every kind of text; borrowed */
	struct guid guid; /* GUID */
};

/* Some fields of a type, one bit each. */
struct field_set {
	uint64_t words[OBJECT_FIELDS_MAX / 64];
};

static inline bool
field_set_has(const struct field_set *set, unsigned field)
{
	return (set->words[field / 64] >> (field % 64) & 1) != 0;
}

static inline void
field_set_put(struct field_set *set, unsigned field, bool in)
{
	const uint64_t bit = UINT64_C(1) << (field % 64);
	uint64_t *word = &set->words[field / 64];
	*word = in ? *word | bit : *word & ~bit;
}

static inline bool
field_set_empty(const struct field_set *set)
{
	uint64_t any = 0;
	for (unsigned i = 0; i < OBJECT_FIELDS_MAX / 64; i++)
		any |= set->words[i];
	return any == 0;
}

/* What one request wants changed: the given fields, each set or (set == false) unset. */
struct object_edit {
	enum object_type type;
	struct field_set given;
	struct value values[OBJECT_FIELDS_MAX];
};

enum object_reject {
	OBJECT_OK = 0,
	OBJECT_UNKNOWN_PARAMETER, /* no such field, or not for this method */
	OBJECT_BAD_VALUE,
	OBJECT_TOO_LONG,
	OBJECT_MISSING_PARAMETER,
	OBJECT_NO_REFERENCE,      /* the GUID names nothing: answer the ref's `missing` */
	OBJECT_DUPLICATE_URI,
	OBJECT_DUPLICATE_ID,
	OBJECT_DUPLICATE_URI_PASSCODE,
	OBJECT_DUPLICATE_ID_PASSCODE,
	OBJECT_DUPLICATE_NAME,
	OBJECT_TOO_MANY,          /* the type's `most` are there: answer its `too_many` */
	OBJECT_FULL,              /* a table, or the transactions under way */
	OBJECT_REJECTS,
};

static inline bool
edit_has(const struct object_edit *edit, unsigned field)
{
	return field_set_has(&edit->given, field);
}

/* Reads one parameter into `edit` under the rules of its field; `how` is FIELD_POST or FIELD_PUT.
 * `text` stays borrowed by the edit; an empty text unsets. */
[[nodiscard]] enum object_reject object_edit_text(struct object_edit *edit, unsigned how,
                                                  struct str name, struct str text);

/* One value under its field's rules; never empty.  value_write() gives the text back. */
[[nodiscard]] enum object_reject value_read(struct value *out, const struct field *field,
                                            struct str text);

/* For callers that build an edit themselves; the field's rules hold all the same. */
void edit_set_text(struct object_edit *edit, unsigned field, struct str text);
void edit_set_number(struct object_edit *edit, unsigned field, uint32_t number);
void edit_set_guid(struct object_edit *edit, unsigned field, const struct guid *guid);

/* Copies text from the world so that any log line and any answer can hold it: control characters
 * and broken UTF-8 become '?', and it is cut between characters. */
void text_copy_clean(char *out, size_t cap, struct str text);

/* A value as the API writes it; TEXT kinds raw, without XML or JSON escapes. */
void value_write(struct writer *w, const struct field *field, const struct value *value);

/* ------------------------------------------------------------------ the kept objects */

struct objects;

struct object_limits {
	uint32_t spaces_max;   /* and as many access methods */
	uint32_t others_max;   /* of every other type */
	uint32_t text_bytes_max;
};

struct objects_settings {
	struct object_limits limits; /* zeros: the defaults, 100,000 spaces */
	struct hash_key hash_key;
	/* Unguessable bytes: ids, secrets, call IDs. */
	void (*random)(void *context, void *out, size_t len);
	void *context;
};

[[nodiscard]] int objects_create(struct objects **out, const struct objects_settings *settings);
void objects_destroy(struct objects *objects);

/* Handles are those of base/slab.h: 0 is none and a deleted object's handle finds nothing. */
[[nodiscard]] uint32_t objects_find(const struct objects *objects, enum object_type type,
                                    const struct guid *id);
/* The one object of a single type. */
[[nodiscard]] uint32_t objects_single(const struct objects *objects, enum object_type type);
[[nodiscard]] bool objects_alive(const struct objects *objects, enum object_type type,
                                 uint32_t handle);
[[nodiscard]] uint32_t objects_count(const struct objects *objects, enum object_type type);
/* In a stable order; `*at` starts at 0; 0 at the end. */
[[nodiscard]] uint32_t objects_next(const struct objects *objects, enum object_type type,
                                    uint32_t *at);
/* A space's access methods: start with 0. */
[[nodiscard]] uint32_t objects_next_method(const struct objects *objects, uint32_t space,
                                           uint32_t previous);

[[nodiscard]] struct guid objects_id(const struct objects *objects, enum object_type type,
                                     uint32_t handle);
[[nodiscard]] uint32_t objects_parent(const struct objects *objects, enum object_type type,
                                      uint32_t handle);
/* As stored: `set` is false when this object says nothing about it. */
[[nodiscard]] struct value objects_value(const struct objects *objects, enum object_type type,
                                         uint32_t handle, unsigned field);
/* The text, empty when unset; the number, the field's default when unset; the object a GUID field
 * points to, 0 when unset or gone. */
[[nodiscard]] struct str objects_text(const struct objects *objects, enum object_type type,
                                      uint32_t handle, unsigned field);
[[nodiscard]] uint32_t objects_number(const struct objects *objects, enum object_type type,
                                      uint32_t handle, unsigned field);
[[nodiscard]] uint32_t objects_ref(const struct objects *objects, enum object_type type,
                                   uint32_t handle, unsigned field);

/* Walks objects of `type` one of whose addresses (uri, secondaryUri, callId) is `address`, compared
 * without case.  Start with a zeroed cursor. */
struct address_cursor {
	struct map_cursor at;
	bool started;
};
[[nodiscard]] uint32_t objects_next_address(const struct objects *objects, enum object_type type,
                                            struct str address, struct address_cursor *cursor);

/* ------------------------------------------------------------------ changing them */

/* One transaction: begin, any number of changes, end.  A change that is rejected has changed
 * nothing; `*culprit` then is the field to blame, or -1. */
void objects_begin(struct objects *objects);
[[nodiscard]] enum object_reject objects_add(struct objects *objects,
                                             const struct object_edit *edit, uint32_t parent,
                                             uint32_t *handle, int *culprit);
[[nodiscard]] enum object_reject objects_edit(struct objects *objects, uint32_t handle,
                                              const struct object_edit *edit, int *culprit);
/* With everything inside it. */
[[nodiscard]] enum object_reject objects_remove(struct objects *objects, enum object_type type,
                                                uint32_t handle);

/* Ends it and gives it a ticket, 0 when nothing changed.  `bytes` is for store_commit() and valid
 * until the ticket is settled. */
struct object_tx {
	uint64_t ticket;
	uint32_t epoch;
	const uint8_t *bytes;
	size_t len;
};
struct object_tx objects_end(struct objects *objects);
/* Undoes what was done since objects_begin(). */
void objects_abort(struct objects *objects);

/* Tickets are kept in order.  A failure undoes this and every later transaction, newest first, and
 * starts a new epoch; the store fails the rest of the old one by itself.  Settling what was undone
 * already as failed does nothing. */
void objects_settled(struct objects *objects, uint64_t ticket, bool ok);

/* Counts every change of a type, undone ones too: who keeps something derived compares it. */
[[nodiscard]] uint64_t objects_version(const struct objects *objects, enum object_type type);

/* ------------------------------------------------------------------ rows, for the store */

/* A transaction's bytes are operations; an operation is a row to put, or an id to delete.  The
 * same rows come back at start through objects_load_row(). */
struct object_row {
	enum object_type type;
	bool deleted;
	struct guid id;
	struct guid parent; /* zero: none */
	struct field_set given; /* kept fields that are set */
	struct value values[OBJECT_FIELDS_MAX];
};

/* The next operation, or false at the end. */
[[nodiscard]] bool object_row_read(struct reader *r, struct object_row *row);

/* At start, before anything else.  A row that breaks a rule (an unknown parent, an address twice)
 * is refused: the store counts it and says so. */
[[nodiscard]] enum object_reject objects_load_row(struct objects *objects,
                                                  const struct object_row *row);

#endif
