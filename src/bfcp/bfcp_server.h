/* SPDX-License-Identifier: Apache-2.0 */
/* bfcp_server -- floor control server of one association: one SIP leg, one content floor
 * (RFC 8855 section 13).
 *
 * One instance serves one leg.  Conference id, user id and floor id are chosen by us and told to
 * the device in SDP, a conference id of its own for each leg, so that messages find their leg.
 * Who may present is decided outside, for the whole meeting: the machine says that its user asks
 * (ASK) and takes grant, deny and revoke as orders.  A take-over is: revoke here, grant there, and
 * bfcp_server_holder() on every leg, which tells those that have asked to be told.
 *
 * Sans-IO: one input (bytes, order or tick), then drain bfcp_server_poll() until NONE.  Orders may
 * be given in the midst of draining, which is when ASK is answered best.
 *
 * Ownership  The caller's memory, a plain value.  Outputs are borrowed until the next call.
 * Threads    One owner.
 * Units      Microseconds.
 * Errors     A peer's faults are answered with Error and counted in `link.rejects` and `errors`.
 * Limits     BFCP_SERVER_NAME_MAX; one request at a time, a second one gets error 8.
 *
 * Requests   The answer to a FloorRequest is held back for BFCP_SERVER_ANSWER_US at most, so that a
 *            decision in that time is the answer (some devices know no Pending); then it is
 *            Pending, and the decision follows as a notification.  Undecided for
 *            BFCP_SERVER_DECISION_US, it is denied.  A request of one who has the floor is granted
 *            again under a new id: the device has forgotten that it presents, and so shall we.
 * End        A device that says Goodbye, or never acknowledges a notification, is GONE: its request
 *            is over, and RELEASED was said before if it had the floor or waited for it.  It may
 *            come back with any message, and is told first that its last request is over.  Of a
 *            connection that went, call bfcp_server_lost().
 */
#ifndef BFCP_BFCP_SERVER_H
#define BFCP_BFCP_SERVER_H

#include "bfcp/bfcp_link.h"

enum {
	BFCP_SERVER_NAME_MAX = 64,
	BFCP_SERVER_ANSWER_US = 100 * 1000,
	BFCP_SERVER_DECISION_US = 20 * 1000 * 1000,
};

struct bfcp_server_settings {
	enum bfcp_transport transport;
	uint32_t conference_id;
	uint16_t user_id;
	uint16_t floor_id;
	uint16_t transaction_id; /* random */
};

enum bfcp_server_out_kind {
	BFCP_SERVER_OUT_NONE,
	BFCP_SERVER_OUT_BYTES,    /* send to the device */
	BFCP_SERVER_OUT_UP,       /* it has spoken, for the first time or after GONE */
	BFCP_SERVER_OUT_ASK,      /* wants to present: grant or deny */
	BFCP_SERVER_OUT_RELEASED, /* does not want to any more */
	BFCP_SERVER_OUT_GONE,     /* said Goodbye, or is out of reach */
};

struct bfcp_server_out {
	enum bfcp_server_out_kind kind;
	const uint8_t *bytes; /* BYTES */
	size_t len;
	uint8_t priority; /* ASK: 0 lowest .. 2 normal .. 4 highest */
};

/* What became of the user's wish. */
enum bfcp_floor_state {
	BFCP_FLOOR_NONE,    /* has not asked, or it is over */
	BFCP_FLOOR_ASKED,   /* to be decided */
	BFCP_FLOOR_GRANTED, /* presents */
};

struct bfcp_server {
	struct bfcp_link link;
	uint16_t floor_id;
	enum bfcp_floor_state state;
	uint16_t request_id;      /* of the current or last request */
	uint8_t priority;
	struct bfcp_header asked; /* whose answer is held back; version 0: nothing is */
	int64_t answer_us;
	int64_t decision_us;
	bool subscribed;          /* wants FloorStatus */
	bool up;
	bool owes_revoke;         /* it was out of reach when its request ended */
	uint16_t holder;          /* another user, 0: nobody else */
	char holder_name[BFCP_SERVER_NAME_MAX];
	bool out_up, out_ask, out_released, out_gone;
	uint64_t errors;          /* answered with Error */
};

void bfcp_server_init(struct bfcp_server *server, const struct bfcp_server_settings *settings,
                      int64_t now_us);

/* Returns how many bytes were taken (bfcp_link_input). */
size_t bfcp_server_input(struct bfcp_server *server, const uint8_t *bytes, size_t len,
                         int64_t now_us);
void bfcp_server_tick(struct bfcp_server *server, int64_t now_us);
[[nodiscard]] struct bfcp_server_out bfcp_server_poll(struct bfcp_server *server);
[[nodiscard]] int64_t bfcp_server_deadline(const struct bfcp_server *server);

/* Orders.  Each does nothing when the state is not one it speaks of: the device may have given up
 * at the same moment. */
void bfcp_server_grant(struct bfcp_server *server, int64_t now_us);
/* `why`, for the device's screen, or NULL. */
void bfcp_server_deny(struct bfcp_server *server, const char *why, int64_t now_us);
/* Takes the floor back. */
void bfcp_server_revoke(struct bfcp_server *server, const char *why, int64_t now_us);
/* Somebody else presents: any number but 0 and the user's own, and a name; 0: nobody else does. */
void bfcp_server_holder(struct bfcp_server *server, uint16_t user_id, struct str name,
                        int64_t now_us);
/* The leg ends: says Goodbye if the device is there. */
void bfcp_server_goodbye(struct bfcp_server *server, int64_t now_us);
/* The connection under it has gone; a new one starts from nothing. */
void bfcp_server_lost(struct bfcp_server *server, int64_t now_us);

/* One line of text for admin, tests and crash reports. */
void bfcp_server_dump(const struct bfcp_server *server, struct writer *w);

#endif
