/* SPDX-License-Identifier: Apache-2.0 */
/* bfcp_client -- floor participant of one association: we ask a device for the floor before we send
 * it content (RFC 8855 sections 10 and 12).
 *
 * For legs whose device said `floorctrl:s-only`.  Conference, user and floor id are those of its
 * SDP.  The client says Hello, asks to be told about the floor (FloorQuery), and from then on keeps
 * trying to be what it was told: bfcp_client_request() and bfcp_client_release() are wishes, the
 * events tell what came of them.
 *
 * Sans-IO: one input (bytes, order or tick), then drain bfcp_client_poll() until NONE.
 *
 * Ownership  The caller's memory, a plain value.  Outputs are borrowed until the next call.
 * Threads    One owner.
 * Units      Microseconds.
 * Errors     A peer's faults are counted in `link.rejects`; errors it tells in `errors`.
 * Limits     Below.
 *
 * Loss       A server that does not answer is LOST; over UDP it is asked again every
 *            BFCP_CLIENT_HELLO_US and is UP when it answers.  Of a connection that went, call
 *            bfcp_client_lost(), and bfcp_client_start() when there is a new one.  What was wished
 *            is forgotten: ask again; what the server still holds for us is released.
 * Versions   Over UDP we say 2 first; a server that refuses that, or stays silent for a whole round
 *            of T1, is tried with 1 (devices of the drafts before RFC 8855).
 */
#ifndef BFCP_BFCP_CLIENT_H
#define BFCP_BFCP_CLIENT_H

#include "bfcp/bfcp_link.h"

enum {
	BFCP_CLIENT_DECISION_US = 20 * 1000 * 1000, /* then a request is withdrawn */
	BFCP_CLIENT_HELLO_US = 25 * 1000 * 1000,    /* a sign of life, below usual NAT timeouts */
	BFCP_HOLDER_UNKNOWN = 0xFFFF,               /* somebody, but the server does not say who */
};

struct bfcp_client_settings {
	enum bfcp_transport transport;
	uint32_t conference_id;
	uint16_t user_id;
	uint16_t floor_id;
	uint16_t transaction_id; /* random */
};

enum bfcp_client_out_kind {
	BFCP_CLIENT_OUT_NONE,
	BFCP_CLIENT_OUT_BYTES,   /* send to the server */
	BFCP_CLIENT_OUT_UP,      /* the server has answered */
	BFCP_CLIENT_OUT_GRANTED, /* send content */
	BFCP_CLIENT_OUT_DENIED,  /* asked in vain: refused, or undecided for too long */
	BFCP_CLIENT_OUT_REVOKED, /* was granted, is no more: stop sending */
	BFCP_CLIENT_OUT_HOLDER,  /* who else has the floor: `holder`, 0: nobody */
	BFCP_CLIENT_OUT_LOST,    /* no answer, or Goodbye: the floor is lost with it; said once */
};

struct bfcp_client_out {
	enum bfcp_client_out_kind kind;
	const uint8_t *bytes; /* BYTES */
	size_t len;
	uint16_t holder; /* HOLDER: may be BFCP_HOLDER_UNKNOWN */
};

enum bfcp_client_state {
	BFCP_CLIENT_IDLE,
	BFCP_CLIENT_ASKING,    /* FloorRequest is on its way: no id yet */
	BFCP_CLIENT_WAITING,   /* pending or accepted */
	BFCP_CLIENT_GRANTED,
	BFCP_CLIENT_RELEASING, /* until the server has said so */
};

struct bfcp_client {
	struct bfcp_link link;
	struct bfcp_client_settings settings;
	enum bfcp_client_state state;
	uint16_t request_id;     /* of the current or last request, once the server has said it */
	uint16_t over_id;        /* a request that ended before we heard its id, 0: none */
	uint16_t transaction_id; /* of the last FloorRequest or FloorRelease */
	bool wanted;    /* what the owner wishes */
	bool up;
	bool lost;      /* and said so; or not started */
	bool again;     /* was lost once: the server may know more of us than we */
	bool fell_back; /* to version 1 */
	uint16_t holder;
	int64_t decision_us;
	int64_t hello_us;
	bool out_up, out_granted, out_denied, out_revoked, out_holder, out_lost;
	uint64_t errors;
};

void bfcp_client_init(struct bfcp_client *client, const struct bfcp_client_settings *settings,
                      int64_t now_us);
/* Says Hello: over UDP at once, over a stream whenever a connection has come to stand. */
void bfcp_client_start(struct bfcp_client *client, int64_t now_us);

/* Returns how many bytes were taken (bfcp_link_input). */
size_t bfcp_client_input(struct bfcp_client *client, const uint8_t *bytes, size_t len,
                         int64_t now_us);
void bfcp_client_tick(struct bfcp_client *client, int64_t now_us);
[[nodiscard]] struct bfcp_client_out bfcp_client_poll(struct bfcp_client *client);
[[nodiscard]] int64_t bfcp_client_deadline(const struct bfcp_client *client);

/* Asks for the floor; nothing when it was asked for already. */
void bfcp_client_request(struct bfcp_client *client, int64_t now_us);
/* Gives it back, or withdraws the request. */
void bfcp_client_release(struct bfcp_client *client, int64_t now_us);
/* The leg ends. */
void bfcp_client_goodbye(struct bfcp_client *client, int64_t now_us);
/* The connection under it has gone. */
void bfcp_client_lost(struct bfcp_client *client, int64_t now_us);

/* One line of text for admin, tests and crash reports. */
void bfcp_client_dump(const struct bfcp_client *client, struct writer *w);

#endif
