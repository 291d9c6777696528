/* SPDX-License-Identifier: Apache-2.0 */
/* bfcp_msg -- read and write BFCP messages (RFC 8855 section 5).
 *
 * One struct for every primitive: parsing fills what stood in the message, writing writes what is
 * filled in, in the order of the RFC's grammar.  A message in fragments is first put together
 * (bfcp_link.h); here a message is whole.
 *
 * Ownership  Texts and lists of a parsed message borrow the caller's bytes.
 * Threads    Pure functions; any thread.
 * Units      Lengths are bytes; on the wire BFCP counts in units of four.
 * Errors     Parsing returns an `enum bfcp_reject` naming the rule the peer broke, and what is
 *            needed to answer with an Error: the header, whenever there is one.
 * Limits     Below.  A message with more floors or requests than that is refused whole.
 *
 * Versions   1 over TCP and TLS, 2 over UDP.  Devices of the drafts before RFC 8855 say 1 over UDP
 *            and set the R bit all the same: both versions are read alike, only a third is refused.
 */
#ifndef BFCP_BFCP_MSG_H
#define BFCP_BFCP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	BFCP_HEADER_BYTES = 12,
	BFCP_FRAGMENT_BYTES = 4,     /* more of header in a fragment (s5.1) */
	BFCP_MSG_BYTES_MAX = 2048,   /* ours: header and attributes of one message */
	BFCP_FLOORS_MAX = 8,         /* ours: FLOOR-IDs of a message, floors of one request */
	BFCP_REQUESTS_MAX = 16,      /* ours: requests of a FloorStatus or UserStatus */
	BFCP_UNKNOWN_MAX = 8,        /* ours: unknown attributes that an Error names */
	BFCP_TEXT_BYTES_MAX = 253,   /* what an attribute's 8-bit length leaves */
};

enum bfcp_primitive {
	BFCP_FLOOR_REQUEST = 1,
	BFCP_FLOOR_RELEASE = 2,
	BFCP_FLOOR_REQUEST_QUERY = 3,
	BFCP_FLOOR_REQUEST_STATUS = 4,
	BFCP_USER_QUERY = 5,
	BFCP_USER_STATUS = 6,
	BFCP_FLOOR_QUERY = 7,
	BFCP_FLOOR_STATUS = 8,
	BFCP_CHAIR_ACTION = 9,
	BFCP_CHAIR_ACTION_ACK = 10,
	BFCP_HELLO = 11,
	BFCP_HELLO_ACK = 12,
	BFCP_ERROR = 13,
	BFCP_FLOOR_REQUEST_STATUS_ACK = 14,
	BFCP_FLOOR_STATUS_ACK = 15,
	BFCP_GOODBYE = 16,
	BFCP_GOODBYE_ACK = 17,
	BFCP_PRIMITIVE_COUNT,
};

enum bfcp_attribute {
	BFCP_BENEFICIARY_ID = 1,
	BFCP_FLOOR_ID = 2,
	BFCP_FLOOR_REQUEST_ID = 3,
	BFCP_PRIORITY = 4,
	BFCP_REQUEST_STATUS = 5,
	BFCP_ERROR_CODE = 6,
	BFCP_ERROR_INFO = 7,
	BFCP_PARTICIPANT_PROVIDED_INFO = 8,
	BFCP_STATUS_INFO = 9,
	BFCP_SUPPORTED_ATTRIBUTES = 10,
	BFCP_SUPPORTED_PRIMITIVES = 11,
	BFCP_USER_DISPLAY_NAME = 12,
	BFCP_USER_URI = 13,
	BFCP_BENEFICIARY_INFORMATION = 14,
	BFCP_FLOOR_REQUEST_INFORMATION = 15,
	BFCP_REQUESTED_BY_INFORMATION = 16,
	BFCP_FLOOR_REQUEST_STATUS_GROUP = 17, /* the RFC calls it as the primitive is called */
	BFCP_OVERALL_REQUEST_STATUS = 18,
	BFCP_ATTRIBUTE_COUNT,
};

enum bfcp_status {
	BFCP_PENDING = 1,
	BFCP_ACCEPTED = 2,
	BFCP_GRANTED = 3,
	BFCP_DENIED = 4,
	BFCP_CANCELLED = 5,
	BFCP_RELEASED = 6,
	BFCP_REVOKED = 7,
	BFCP_STATUS_COUNT,
};

enum bfcp_error {
	BFCP_ERROR_NO_CONFERENCE = 1,
	BFCP_ERROR_NO_USER = 2,
	BFCP_ERROR_UNKNOWN_PRIMITIVE = 3,
	BFCP_ERROR_UNKNOWN_MANDATORY = 4, /* details: the types, each in the upper seven bits */
	BFCP_ERROR_UNAUTHORIZED = 5,
	BFCP_ERROR_NO_FLOOR = 6,
	BFCP_ERROR_NO_REQUEST = 7,
	BFCP_ERROR_TOO_MANY_REQUESTS = 8,
	BFCP_ERROR_USE_TLS = 9,
	BFCP_ERROR_PARSE = 10,
	BFCP_ERROR_USE_DTLS = 11,
	BFCP_ERROR_VERSION = 12,
	BFCP_ERROR_LENGTH = 13,
	BFCP_ERROR_GENERIC = 14,
};

enum bfcp_reject {
	BFCP_OK = 0,
	BFCP_REJECT_SHORT,     /* no room for the header */
	BFCP_REJECT_LONG,      /* more than BFCP_MSG_BYTES_MAX */
	BFCP_REJECT_VERSION,   /* neither 1 nor 2 */
	BFCP_REJECT_FRAGMENT,  /* F, where a whole message is due; or fragments that do not fit */
	BFCP_REJECT_LENGTH,    /* the payload length is not that of the bytes */
	BFCP_REJECT_ATTRIBUTE, /* an attribute overruns the message or its group, or is too short */
	BFCP_REJECT_MANDATORY, /* an unknown attribute with the M bit */
	BFCP_REJECT_MISSING,   /* without an attribute that the primitive demands */
	BFCP_REJECT_TOO_MANY,  /* more than BFCP_FLOORS_MAX or BFCP_REQUESTS_MAX */
	BFCP_REJECT_COUNT,
};

/* COMMON-HEADER (s5.1). */
struct bfcp_header {
	uint8_t version;
	bool responder;    /* R: this answers a request of ours; UDP only */
	bool fragment;     /* F: `fragment_at` and `fragment_len` count */
	uint8_t primitive; /* enum bfcp_primitive, or one we do not know */
	uint16_t payload_len;
	uint32_t conference_id;
	uint16_t transaction_id; /* 0: a notification over TCP, which has no answer */
	uint16_t user_id;
	uint16_t fragment_at; /* of the payload */
	uint16_t fragment_len;
};

/* The first bytes of a message or fragment; what follows them is not looked at. */
[[nodiscard]] enum bfcp_reject bfcp_header_parse(struct bfcp_header *out, const uint8_t *bytes,
                                                 size_t len);

/* BENEFICIARY-INFORMATION and REQUESTED-BY-INFORMATION (s5.2.14, s5.2.16). */
struct bfcp_user {
	bool present;
	uint16_t id;
	struct str name; /* USER-DISPLAY-NAME, UTF-8 as it came; empty: not there */
	struct str uri;
};

/* FLOOR-REQUEST-STATUS and OVERALL-REQUEST-STATUS (s5.2.17, s5.2.18). */
struct bfcp_request_status {
	bool present;
	uint16_t id;    /* of the floor; of the request in the overall one */
	uint8_t status; /* enum bfcp_status; 0: no REQUEST-STATUS */
	uint8_t queue_position;
	struct str info; /* STATUS-INFO */
};

/* FLOOR-REQUEST-INFORMATION (s5.2.15). */
struct bfcp_request {
	uint16_t id;
	struct bfcp_request_status overall;
	uint8_t floor_count;
	struct bfcp_request_status floors[BFCP_FLOORS_MAX];
	struct bfcp_user beneficiary;
	struct bfcp_user requested_by;
	bool has_priority;
	uint8_t priority;
	struct str info; /* PARTICIPANT-PROVIDED-INFO */
};

struct bfcp_msg {
	struct bfcp_header header; /* when writing: payload_len is computed, fragment ignored */

	uint8_t floor_count;
	uint16_t floors[BFCP_FLOORS_MAX]; /* FLOOR-ID */
	bool has_beneficiary_id;
	uint16_t beneficiary_id;
	bool has_request_id;
	uint16_t request_id; /* FLOOR-REQUEST-ID */
	bool has_priority;
	uint8_t priority;       /* 0 lowest .. 4 highest (s5.2.4) */
	struct str info;        /* PARTICIPANT-PROVIDED-INFO */
	struct bfcp_user beneficiary;
	uint8_t request_count;
	struct bfcp_request requests[BFCP_REQUESTS_MAX];

	uint8_t error; /* enum bfcp_error, 0: none */
	struct str error_details;
	struct str error_info;

	struct str primitives; /* SUPPORTED-PRIMITIVES, a byte each */
	struct str attributes; /* SUPPORTED-ATTRIBUTES, a byte each, in the upper seven bits */

	/* Parsing: unknown attributes that are mandatory, each in the upper seven bits. */
	uint8_t unknown_count;
	uint8_t unknown[BFCP_UNKNOWN_MAX];
};

/* The status of a request, whichever of the two places told it; 0: neither did. */
[[nodiscard]] uint8_t bfcp_request_status_of(const struct bfcp_request *request);

/* Exactly one message filling [bytes, bytes+len).  On a reject `out->header` is filled when there
 * was one to read (`out->header.version` is 0 when not), and for BFCP_REJECT_MANDATORY
 * `out->unknown`; nothing else of it counts. */
[[nodiscard]] enum bfcp_reject bfcp_msg_parse(struct bfcp_msg *out, const uint8_t *bytes,
                                              size_t len);

/* Fails with the writer: out of room, or a text longer than BFCP_TEXT_BYTES_MAX. */
void bfcp_msg_write(struct writer *w, const struct bfcp_msg *msg);

const char *bfcp_reject_name(enum bfcp_reject reject);
const char *bfcp_primitive_name(unsigned primitive);
const char *bfcp_status_name(unsigned status);

#endif
