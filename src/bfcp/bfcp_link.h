/* SPDX-License-Identifier: Apache-2.0 */
/* bfcp_link -- messages of one BFCP association over its transport (RFC 8855 sections 6 and 8).
 *
 * What server and client have in common.  Over TCP and TLS it cuts the stream into messages.  Over
 * UDP it puts fragments together, sends our requests again until they are answered (T1), one at a
 * time (s6.2), and answers a repeated request with the very answer it got before (T2).  Requests
 * that nobody could act on - malformed, of another conference or user - get their Error here.
 *
 * Sans-IO: give bytes with bfcp_link_input(), then send what bfcp_link_poll() gives and take
 * messages with bfcp_link_take() until there is neither.
 *
 * Ownership  The caller's memory, a plain value.  A message taken is borrowed until the next take.
 * Threads    One owner.
 * Units      Microseconds.
 * Errors     A peer's faults are counted per `enum bfcp_reject`; a stream that cannot be cut any
 *            more, or a request that is never answered, has failed: bfcp_link_failed().
 * Limits     Below.  What we send fits BFCP_LINK_OUT_BYTES_MAX and so is never fragmented; some
 *            devices hold no more.
 *
 * Drafts     Products from before RFC 8855 (TANDBERG, Cisco TC, Polycom) say version 1 over UDP and
 *            number the last primitives differently: 15 ErrorAck, 16 FloorStatusAck, 17 Goodbye, 18
 *            GoodbyeAck, some 0x5B and 0x5D for acknowledgements.  So an acknowledgement is known
 *            by its transaction, with the R bit or without, and version 1 over UDP is answered in
 *            those numbers, until the peer uses the RFC's.
 */
#ifndef BFCP_BFCP_LINK_H
#define BFCP_BFCP_LINK_H

#include "bfcp/bfcp_msg.h"

enum {
	BFCP_LINK_OUT_BYTES_MAX = 256,
	BFCP_LINK_REQUESTS_MAX = 6, /* one that is sent, the others wait for it */
	BFCP_LINK_ANSWERS_MAX = 4,  /* kept for repeated requests; UDP only */
	BFCP_LINK_TRIES_MAX = 4,    /* the first and three more (s8.3.1); UDP only */
	BFCP_LINK_T1_US = 500 * 1000,       /* s8.3.3, doubles */
	BFCP_LINK_T2_US = 10 * 1000 * 1000, /* s8.3.3; over streams we wait so long for an answer */
};

enum bfcp_transport {
	BFCP_TRANSPORT_UDP,
	BFCP_TRANSPORT_STREAM, /* TCP, or TLS over it */
};

struct bfcp_link_settings {
	enum bfcp_transport transport;
	uint32_t conference_id;
	uint16_t user_id;
	uint16_t transaction_id; /* random: our first */
};

/* Below here: ours; others use the functions. */
struct bfcp_link_slot {
	int64_t at_us; /* request: when its answer is overdue; answer: when it is forgotten */
	uint16_t len;  /* 0: empty */
	uint16_t transaction_id;
	uint8_t primitive; /* of the request, in an answer too */
	uint8_t sent;      /* request: how often */
	bool due;          /* to be given by poll */
	uint8_t bytes[BFCP_LINK_OUT_BYTES_MAX];
};

struct bfcp_link {
	struct bfcp_link_settings settings;
	uint16_t transaction_id; /* the next of ours */
	uint8_t version;         /* of what we send: as the peer speaks */
	bool drafts;             /* primitives have the drafts' numbers */
	bool failed;
	int64_t now_us;

	uint16_t in_len; /* bytes of `in` */
	uint16_t taken;  /* of them, the message that was taken last */
	bool gathering;  /* UDP: `in` holds fragments, not a message */
	struct bfcp_header gathered;
	uint32_t units[BFCP_MSG_BYTES_MAX / 4 / 32]; /* of its payload, a bit for what has come */
	uint8_t in[BFCP_MSG_BYTES_MAX];

	uint8_t request_count;
	struct bfcp_link_slot requests[BFCP_LINK_REQUESTS_MAX]; /* the first is sent */
	struct bfcp_link_slot answers[BFCP_LINK_ANSWERS_MAX];
	uint8_t next_answer;
	uint64_t rejects[BFCP_REJECT_COUNT];
};

void bfcp_link_init(struct bfcp_link *link, const struct bfcp_link_settings *settings,
                    int64_t now_us);
/* Forgets what came and what was to be sent, and that it failed; for a new connection. */
void bfcp_link_reset(struct bfcp_link *link);

/* A datagram, or a piece of the stream.  Returns how many bytes were taken: of a datagram all, of a
 * stream what there was room for; drain, then give the rest. */
size_t bfcp_link_input(struct bfcp_link *link, const uint8_t *bytes, size_t len, int64_t now_us);
void bfcp_link_tick(struct bfcp_link *link, int64_t now_us);
/* Bytes for the peer, one whole message; 0: none.  Borrowed until the next call. */
[[nodiscard]] size_t bfcp_link_poll(struct bfcp_link *link, const uint8_t **bytes);
[[nodiscard]] int64_t bfcp_link_deadline(const struct bfcp_link *link);

/* The next message that concerns the caller, its primitive by the RFC's number.  `*answers` is the
 * primitive of the request of ours that it answers, 0 when it is a request or notification itself.
 * What is repeated, or answers nothing, is dealt with in here.  False: nothing now, but there may
 * be something to send. */
[[nodiscard]] bool bfcp_link_take(struct bfcp_link *link, struct bfcp_msg *out, uint8_t *answers);

/* Sends `msg`, of which only the primitive of its header counts, as the answer to `request`. */
void bfcp_link_answer(struct bfcp_link *link, const struct bfcp_header *request,
                      struct bfcp_msg *msg);
void bfcp_link_error(struct bfcp_link *link, const struct bfcp_header *request,
                     enum bfcp_error error);
/* Sends a request and fills the header of `msg`.  One of the same primitive that still waits for
 * its turn is replaced: only the last status counts.  Goodbye replaces all. */
void bfcp_link_request(struct bfcp_link *link, struct bfcp_msg *msg);
/* A server's notification: over UDP a request, over a stream nobody answers it. */
void bfcp_link_notify(struct bfcp_link *link, struct bfcp_msg *msg);

/* Nothing more will come over it or go out, until bfcp_link_reset(). */
[[nodiscard]] bool bfcp_link_failed(const struct bfcp_link *link);

#endif
