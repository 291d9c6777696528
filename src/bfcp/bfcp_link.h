/* SPDX-License-Identifier: Apache-2.0 */
/* bfcp_link -- messages of one BFCP association over its transport (RFC 8855 sections 6 and 8).
 *
 * What server and client have in common.  Over TCP and TLS it cuts the stream into messages.  Over
 * UDP it puts fragments together, sends our requests again until they are answered (T1), one at a
 * time (s6.2), and answers a repeated request with the very answer it got before (T2).
 *
 * Sans-IO: give bytes with bfcp_link_input(), then take messages until there are none, sending what
 * bfcp_link_poll() gives in between.
 *
 * Ownership  The caller's memory.  A message taken is borrowed until the next take.
 * Threads    One owner.
 * Units      Microseconds.
 * Errors     A peer's faults are counted per `enum bfcp_reject`; a stream that cannot be cut any
 *            more, or a request that is never answered, has failed: bfcp_link_failed().
 * Limits     Below.  What we send fits BFCP_LINK_OUT_BYTES_MAX and so is never fragmented.
 *
 * Drafts     Devices from before RFC 8855 speak version 1 over UDP and number the last primitives
 *            differently (16 FloorStatusAck, 17 Goodbye, 18 GoodbyeAck).  They are told by version
 *            and R bit, and answered in their own numbers.
 */
#ifndef BFCP_BFCP_LINK_H
#define BFCP_BFCP_LINK_H

#include "bfcp/bfcp_msg.h"

enum {
	BFCP_LINK_OUT_BYTES_MAX = 256,
	BFCP_LINK_REQUESTS_MAX = 6, /* one sent, the others wait for it; UDP only */
	BFCP_LINK_ANSWERS_MAX = 4,  /* kept for repeated requests; UDP only */
	BFCP_LINK_TRIES_MAX = 4,    /* s8.3.1: the first and three more */
	BFCP_LINK_T1_US = 500 * 1000,         /* s8.3.3, doubles */
	BFCP_LINK_T2_US = 10 * 1000 * 1000,   /* s8.3.3 */
};

enum bfcp_transport {
	BFCP_TRANSPORT_UDP,
	BFCP_TRANSPORT_STREAM, /* TCP, or TLS over it */
};

struct bfcp_link_settings {
	enum bfcp_transport transport;
	uint32_t conference_id;
	uint16_t user_id;
	uint16_t transaction_id; /* random: our first; 0 is not used */
};

/* Below here: ours; others use the functions. */
struct bfcp_link_slot {
	int64_t at_us;  /* request: when it is due again; answer: when it may be forgotten */
	uint16_t len;   /* 0: empty */
	uint16_t transaction_id;
	uint8_t primitive;
	uint8_t sent;   /* request: how often */
	bool due;       /* to be given by poll */
	uint8_t bytes[BFCP_LINK_OUT_BYTES_MAX];
};

struct bfcp_link {
	struct bfcp_link_settings settings;
	uint8_t version; /* as the peer speaks */
	bool drafts;     /* the peer numbers primitives as the drafts did */
	bool failed;
	bool whole;      /* UDP: `in` holds a message that was not taken yet */
	int64_t now_us;
	uint16_t in_len;   /* bytes of `in` */
	uint16_t taken;    /* of them, the message that was taken last */
	uint8_t in[BFCP_MSG_BYTES_MAX];
	/* Fragments (s6.2.3): the units of the payload that have come. */
	bool gathering;
	struct bfcp_header gathered;
	uint32_t units[BFCP_MSG_BYTES_MAX / 4 / 32];
	struct bfcp_link_slot requests[BFCP_LINK_REQUESTS_MAX]; /* in order */
	struct bfcp_link_slot answers[BFCP_LINK_ANSWERS_MAX];
	uint8_t next_answer;
	uint64_t rejects[BFCP_REJECT_COUNT];
};

void bfcp_link_init(struct bfcp_link *link, const struct bfcp_link_settings *settings,
                    int64_t now_us);

/* A datagram, or a piece of the stream.  Returns how many bytes were taken: of a datagram all, of a
 * stream what there was room for; drain, then give the rest. */
size_t bfcp_link_input(struct bfcp_link *link, const uint8_t *bytes, size_t len, int64_t now_us);

/* The next message that concerns the caller: requests, and answers to requests of ours (for those
 * `*answers` is the primitive of the request, else 0).  Repetitions are dealt with in here.
 * A reject other than BFCP_OK: a request that could not be understood; answer it with an Error. */
[[nodiscard]] bool bfcp_link_take(struct bfcp_link *link, struct bfcp_msg *out,
                                  enum bfcp_reject *reject, uint8_t *answers);

/* Fills the header of `msg`, apart from the primitive, and sends it as an answer to `request`. */
void bfcp_link_answer(struct bfcp_link *link, const struct bfcp_header *request,
                      struct bfcp_msg *msg);
void bfcp_link_error(struct bfcp_link *link, const struct bfcp_msg *request, enum bfcp_error error,
                     const char *info);
/* A request, or a notification of a server.  One of the same primitive that still waits to be sent
 * is replaced: only the last status counts.  `client` numbers transactions over streams too. */
void bfcp_link_request(struct bfcp_link *link, struct bfcp_msg *msg, bool client);

/* Bytes for the peer: one message, whole.  0: none.  Borrowed until the next call. */
[[nodiscard]] size_t bfcp_link_poll(struct bfcp_link *link, const uint8_t **bytes);
void bfcp_link_tick(struct bfcp_link *link, int64_t now_us);
[[nodiscard]] int64_t bfcp_link_deadline(const struct bfcp_link *link);
/* Nothing more will come over it or go out. */
[[nodiscard]] bool bfcp_link_failed(const struct bfcp_link *link);
/* Does a request of ours wait for its answer?  (Over UDP: is there anything not acknowledged?) */
[[nodiscard]] bool bfcp_link_waits(const struct bfcp_link *link);

#endif
