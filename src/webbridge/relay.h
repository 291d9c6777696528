/* SPDX-License-Identifier: Apache-2.0 */
/* relay -- who of the browsers belongs to which Call Bridge, and every message between them.
 *
 * Browsers, Call Bridges and HTTP requests are named by numbers of the shell's (its WebSocket and
 * request ids); what goes on between them is here: C2W's hello, questions asked of one bridge after
 * the other, sessions opened by their token and opened again by themselves when a bridge is back.
 *
 *	browser's WebSocket   WAITING for its bridge -> OPENING -> OPEN -> LEAVING
 *	                      a bridge that goes puts its sessions back to WAITING; their sockets stay
 *
 * A token says in plain sight whose guest it makes; that is read as a hint of where to go and never
 * believed: only the Call Bridge can check it.
 *
 * Sans-IO: text in, calls of the sink out, time passed in.
 *
 * Ownership  create/destroy.  All memory is taken at create; texts are borrowed, both ways, for the
 *            length of the call.  The sink must not call back into the relay.
 * Threads    One owner.
 * Units      Microseconds, monotonic.
 * Errors     A peer's fault closes that peer's connection with 1008 and is counted.  A full table
 *            refuses the newcomer with "busy".
 * Limits     Below and in the settings.  A browser may send RELAY_BURST messages at once and
 *            RELAY_PER_SECOND on end; a source may fail RELAY_FAILURES_MAX times (a wrong passcode,
 *            or password, a meeting that is not there, a code that its identity provider does not
 *            take), then once in RELAY_FAILURE_US.
 */
#ifndef WEBBRIDGE_RELAY_H
#define WEBBRIDGE_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/str.h"
#include "c2w/c2w.h"

enum {
	RELAY_LINKS_MAX = 16,
	RELAY_HELLO_US = 5 * 1000 * 1000,  /* from connection to hello */
	RELAY_WAIT_US = 5 * 1000 * 1000,   /* newcomers and questions wait so long for a bridge */
	RELAY_GRACE_US = 10 * 1000 * 1000, /* and people whose bridge went */
	RELAY_ANSWER_US = 10 * 1000 * 1000,
	RELAY_BURST = 200,
	RELAY_PER_SECOND = 40,
	RELAY_SOURCES = 4096,              /* remembered for their failures; a newcomer may displace one */
	RELAY_FAILURES_MAX = 20,
	RELAY_FAILURE_US = 3 * 1000 * 1000,
	RELAY_STATUS_SLOW_DOWN = 429,
	RELAY_QUESTION_BYTES_MAX = 12 * 1024, /* as it goes to a bridge: an ASK that is all escaped */
};

struct relay;

enum relay_log {
	RELAY_LOG_INFO,
	RELAY_LOG_WARNING,
};

struct relay_sink {
	void *context;
	void (*to_bridge)(void *context, uint32_t bridge, struct str text);
	/* Closes it; relay_bridge_down() may or may not be called for it afterwards. */
	void (*drop_bridge)(void *context, uint32_t bridge, uint16_t code, const char *reason);
	void (*to_browser)(void *context, uint32_t browser, struct str text);
	void (*drop_browser)(void *context, uint32_t browser, uint16_t code, const char *reason);
	/* Once for each relay_ask(); an HTTP status and a JSON body. */
	void (*answer)(void *context, uint32_t question, unsigned status, struct str json);
	void (*log)(void *context, enum relay_log level, struct str text);
};

struct relay_settings {
	uint32_t sessions_max;
	uint32_t questions_max;
	struct hash_key hash_key; /* random */
	struct str product;       /* program and version, for hello; at most C2W_PRODUCT_MAX */
	struct relay_sink sink;
};

struct relay_counters {
	uint64_t bridge_rejects[C2W_REJECT_COUNT];
	uint64_t browser_rejects[C2W_REJECT_COUNT];
	uint64_t floods;      /* browsers closed for talking too much */
	uint64_t slowed_down; /* questions not asked: their source failed too often */
	uint64_t full;        /* sessions and questions refused by a full table */
	uint64_t reopened;    /* sessions opened again after a bridge went */
	uint32_t sessions;    /* now */
	uint32_t questions;
	uint32_t bridges;     /* that have said hello */
};

[[nodiscard]] int relay_create(struct relay **out, const struct relay_settings *settings,
                               int64_t now_us);
/* Silently. */
void relay_destroy(struct relay *relay);

/* -- Call Bridges: their WebSockets, trusted by certificate ------------------------------------ */

void relay_bridge_up(struct relay *relay, uint32_t bridge, int64_t now_us);
void relay_bridge_input(struct relay *relay, uint32_t bridge, struct str text, int64_t now_us);
void relay_bridge_down(struct relay *relay, uint32_t bridge, int64_t now_us);

/* -- browsers: their WebSockets ----------------------------------------------------------------- */

struct relay_browser {
	uint32_t id;
	struct str token;
	struct str product;            /* "Chrome", for the log */
	const struct net_addr *source;
};

void relay_browser_up(struct relay *relay, const struct relay_browser *browser, int64_t now_us);
void relay_browser_input(struct relay *relay, uint32_t browser, struct str text, int64_t now_us);
void relay_browser_down(struct relay *relay, uint32_t browser, int64_t now_us);

/* -- questions: HTTP requests ------------------------------------------------------------------- */

/* LOOKUP and JOIN are asked of one bridge after the other, and so is who came back from elsewhere, for
 * only the one that sent him knows him.  SIGN_IN is asked of one: a password is not tried twice.
 * ASK, and a JOIN with a token, goes to the bridge that made it. */
struct relay_question {
	uint32_t id;
	enum c2w_kind kind; /* these five */
	union {
		struct c2w_join join;       /* LOOKUP, JOIN */
		struct c2w_sign_in sign_in; /* its `address` is ours to write, and that of an ASK */
		struct c2w_sign_in_elsewhere elsewhere;
		struct c2w_ask ask;
	};
	const struct net_addr *source;
};

void relay_ask(struct relay *relay, const struct relay_question *question, int64_t now_us);

/* ----------------------------------------------------------------------------------------------- */

void relay_tick(struct relay *relay, int64_t now_us);
/* When relay_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t relay_deadline(const struct relay *relay);

[[nodiscard]] const struct relay_counters *relay_counters(const struct relay *relay);
/* Bridges and numbers as text, no secrets. */
void relay_dump(const struct relay *relay, struct writer *w);

#endif
