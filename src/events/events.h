/* SPDX-License-Identifier: Apache-2.0 */
/* events -- the Events WebSocket: calls, a call's facts and its roster, as they change.
 *
 * A client subscribes to elements and is sent what changed of them, in CMS' JSON.  Nothing is queued:
 * each subscription remembers the version it was told, and the next message is written when the
 * client may get one.  A client that is slow gets fewer, newer messages; one that does not
 * acknowledge for EVENTS_ACK_US is let go.
 *
 *	-> {"type":"message","message":{"messageId":1,"type":"subscribeRequest","subscriptions":[
 *	     {"index":1,"type":"callRoster","call":"GUID","elements":["name","state"]}]}}
 *	<- {"type":"messageAck","messageAck":{"messageId":1,"status":"success"}}
 *	<- {"type":"message","message":{"messageId":1,"type":"subscriptionUpdate",...}}
 *	<- {"type":"message","message":{"messageId":2,"type":"rosterUpdate",...}}
 *	-> {"type":"messageAck","messageAck":{"messageId":2,"status":"success"}}
 *
 * Sans-IO: frames leave by the sink, which must not call back.
 *
 * Ownership  events_create() allocates everything; what the sink is given is borrowed.
 * Threads    The control thread.
 * Units      Microseconds, monotonic.
 * Errors     What a client sends wrong is answered with a status, or ends it when it is no JSON of
 *            this kind.
 * Limits     EVENTS_CLIENTS_MAX, EVENTS_SUBSCRIPTIONS_MAX each, EVENTS_FRAME_MAX bytes a frame,
 *            EVENTS_UNACKED_MAX messages not acknowledged.
 */
#ifndef EVENTS_EVENTS_H
#define EVENTS_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "meeting/meeting.h"

enum {
	EVENTS_CLIENTS_MAX = 64,
	EVENTS_SUBSCRIPTIONS_MAX = 256,
	EVENTS_FRAME_MAX = 64 * 1024,   /* ours; one of a client is no larger */
	EVENTS_UNACKED_MAX = 16,
	EVENTS_ACK_US = 10 * 1000 * 1000,
	EVENTS_GATHER_US = 4 * 1000,    /* changes of so long a time are one message */
	EVENTS_GONE_MAX = 16384,        /* who left and may not have been told */
};

/* Why a client is let go: close codes of RFC 6455 s7.4.1. */
enum events_close {
	EVENTS_CLOSE_POLICY = 1008,
	EVENTS_CLOSE_BAD_DATA = 1007,
	EVENTS_CLOSE_TOO_BIG = 1009,
	EVENTS_CLOSE_TRY_LATER = 1013,
};

struct events_sink {
	void *context;
	/* `owner` as given to events_open(). */
	void (*send)(void *context, uint64_t owner, struct str text);
	void (*close)(void *context, uint64_t owner, enum events_close code, const char *reason);
};

struct events_settings {
	struct meeting *meeting;
	uint32_t calls_max;
	uint32_t legs_max;
	struct events_sink sink;
};

struct events;

[[nodiscard]] int events_create(struct events **out, const struct events_settings *settings);
void events_destroy(struct events *events);

/* A client's handle; 0: there are too many. */
[[nodiscard]] uint32_t events_open(struct events *events, uint64_t owner, int64_t now_us);
/* It has gone, whoever wished it. */
void events_closed(struct events *events, uint32_t client);
/* One text frame of it. */
void events_input(struct events *events, uint32_t client, struct str text, int64_t now_us);

/* For the model's watcher. */
void events_news(struct events *events, const struct meeting_news *news);
void events_tick(struct events *events, int64_t now_us);
[[nodiscard]] int64_t events_deadline(const struct events *events);

struct events_counts {
	uint32_t clients;
	uint32_t subscriptions;
	uint64_t messages_out;
	uint64_t messages_in;
	uint64_t rejected;  /* frames that were not understood */
	uint64_t dropped;   /* clients that did not keep up */
};
struct events_counts events_count(const struct events *events);

#endif
