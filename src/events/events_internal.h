/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of events: rows of what is known (events_rows.c), requests (events_parse.c), messages
 * (events_write.c) and clients (events.c). */
#ifndef EVENTS_EVENTS_INTERNAL_H
#define EVENTS_EVENTS_INTERNAL_H

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/slab.h"
#include "events/events.h"

enum events_type { EVENTS_CALLS, EVENTS_CALL_INFO, EVENTS_CALL_ROSTER, EVENTS_TYPES };

enum call_element {
	CALL_ELEMENT_NAME, CALL_ELEMENT_PARTICIPANTS, CALL_ELEMENT_DISTRIBUTED,
	CALL_ELEMENT_RECORDING, CALL_ELEMENT_ENDPOINT_RECORDING, CALL_ELEMENT_STREAMING,
	CALL_ELEMENT_LOCK_STATE, CALL_ELEMENT_TYPE, CALL_ELEMENT_CORRELATOR,
	CALL_ELEMENT_JOIN_MUTE, CALL_ELEMENTS,
};

enum leg_element {
	LEG_ELEMENT_NAME, LEG_ELEMENT_URI, LEG_ELEMENT_STATE, LEG_ELEMENT_DIRECTION,
	LEG_ELEMENT_AUDIO_MUTED, LEG_ELEMENT_VIDEO_MUTED, LEG_ELEMENT_IMPORTANCE,
	LEG_ELEMENT_LAYOUT, LEG_ELEMENT_ACTIVE_SPEAKER, LEG_ELEMENT_PRESENTER,
	LEG_ELEMENT_ENDPOINT_RECORDING, LEG_ELEMENT_CAN_MOVE, LEG_ELEMENT_MOVED,
	LEG_ELEMENT_MOVED_BRIDGE, LEG_ELEMENT_HAND, LEG_ELEMENT_CAMERA, LEG_ELEMENTS,
};

enum { EVENTS_ELEMENTS_MAX = LEG_ELEMENTS };
static_assert((int)CALL_ELEMENTS <= (int)EVENTS_ELEMENTS_MAX, "one size of row");

struct events_request_subscription {
	int64_t index;
	enum events_type type;
	struct guid call;
	uint32_t elements; /* bits */
};

enum events_request_kind {
	REQUEST_BAD,       /* not of this kind at all */
	REQUEST_SUBSCRIBE,
	REQUEST_TOO_MANY,  /* subscriptions */
	REQUEST_WRONG,     /* a message that is none of ours, or says nothing clear */
	REQUEST_ACK,
};

struct events_request {
	enum events_request_kind kind;
	uint64_t message_id;
	unsigned count;
	struct events_request_subscription at[EVENTS_SUBSCRIPTIONS_MAX];
};

/* events_parse.c */
void events_parse(struct events_request *out, struct str text);
extern const char *const events_type_names[EVENTS_TYPES];
extern const char *const events_call_elements[CALL_ELEMENTS];
extern const char *const events_leg_elements[LEG_ELEMENTS];

/* What is known of a call or a leg: for each element a hash of its value, and since which version
 * it is so. */
struct events_row {
	uint32_t handle;       /* of the model; 0: there is none */
	uint32_t call;         /* of a leg */
	struct guid id;        /* the call's, or the participant's */
	uint64_t born;
	uint64_t version;      /* the newest of its elements */
	uint32_t hashes[EVENTS_ELEMENTS_MAX];
	uint64_t versions[EVENTS_ELEMENTS_MAX];
	/* Of a call. */
	uint64_t roster_version;
	bool dirty;
};

/* Who is there no more, and may have been told to somebody. */
struct events_gone {
	uint64_t version;
	uint64_t born;
	uint32_t call;         /* handle of the call it was in; 0: it was a call */
	struct guid id;
};

struct events_subscription {
	struct events_request_subscription wish;
	uint32_t call;         /* handle; 0: it is not there, or no more */
	bool active;
	bool told_active;      /* as the last subscriptionUpdate said */
	bool told_state;       /* there was one */
	uint64_t told;         /* all up to this version is known to the client */
	uint64_t target;       /* of the pass that is under way; 0: none is */
	uint64_t gone_at;      /* number of the next struct events_gone to look at */
	uint32_t cursor;
};

struct events_client {
	uint64_t owner;
	uint64_t message_last;
	uint64_t ack_first;    /* the oldest message that is not acknowledged */
	uint32_t acked;        /* bit n: ack_first + n is */
	int64_t sent_us[EVENTS_UNACKED_MAX]; /* by message number */
	bool closing;
	unsigned count;
	struct events_subscription *subscriptions; /* EVENTS_SUBSCRIPTIONS_MAX */
};

struct events {
	struct events_settings settings;
	struct hash_key hash_key;
	struct slab clients;
	struct events_row *calls; /* by the index of the model's handle */
	struct events_row *legs;
	struct events_gone *gone; /* a ring; */
	uint64_t gone_count;      /* how many there ever were */
	uint64_t version;
	uint64_t calls_version;   /* the newest of any call */
	uint32_t dirty;           /* calls */
	int64_t flush_us;         /* when changes are looked at; INT64_MAX: there are none */
	struct events_counts counts;
	struct events_request request;
	char text[EVENTS_FRAME_MAX];
};

/* events_rows.c */
void rows_reset(struct events *events);
void rows_dirty(struct events *events, uint32_t call);
void rows_refresh(struct events *events);
void rows_leg_gone(struct events *events, uint32_t leg);
void rows_call_gone(struct events *events, uint32_t call);

/* One value as JSON; false: there is none. */
struct events_value {
	enum { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER, VALUE_BOOL } kind;
	char text[MEETING_PARTY_MAX];
	uint32_t number;
};
void call_element_read(const struct events *events, uint32_t call, enum call_element element,
                       struct events_value *out);
void leg_element_read(const struct events *events, uint32_t leg, enum leg_element element,
                      struct events_value *out);

/* events_write.c */
/* The next message that is due to the client, in events->text; false: nothing is. */
[[nodiscard]] bool message_next(struct events *events, struct events_client *client,
                                struct str *out);
/* A client that does not know who left, and cannot be told any more. */
[[nodiscard]] bool client_is_behind(const struct events *events,
                                    const struct events_client *client);

#endif
