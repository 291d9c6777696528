/* SPDX-License-Identifier: Apache-2.0 */
/* sip_msg -- read one SIP request or response (RFC 3261 s7, s8.2, s16.3, s18, s25).
 *
 * Sans-IO: bytes in, views out, in one pass.  What a transaction is matched and a request is
 * answered by (top Via, From, To, Call-ID, CSeq) is read at once; every other header is indexed and
 * read when asked for, with sip_header.h.
 *
 * A message that breaks a rule is filled in as far as it could be read, so that it can be answered;
 * what could not be read (empty `text`, zero `number`) is copied into the answer as it came:
 *
 *	enum sip_reject reject = sip_msg_parse(&msg, bytes, len, SIP_DATAGRAM);
 *	if (reject != SIP_OK) {
 *		struct sip_refusal refusal = sip_msg_refusal(&msg, reject);
 *		if (refusal.status != 0)
 *			... sip_write_refusal(w, &msg, refusal, to_tag, source) ...
 *	}
 *
 * Ownership  A `struct sip_msg` borrows the caller's bytes, is valid while they are, and needs no
 *            freeing.
 * Threads    Pure functions; any thread.
 * Units      Bytes; offsets count from the start of the message.
 * Errors     `enum sip_reject` names the first broken rule; nothing a peer sends asserts.
 * Limits     SIP_MSG_BYTES_MAX, SIP_HEADERS_MAX, SIP_VIAS_MAX, SIP_URI_BYTES_MAX, SIP_PARAMS_MAX.
 */
#ifndef SIP_SIP_MSG_H
#define SIP_SIP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "sip/sip_header.h"
#include "sip/sip_uri.h"

enum {
	SIP_MSG_BYTES_MAX = 65535, /* the largest datagram, and our limit on streams */
	SIP_HEADERS_MAX = 128,     /* header lines */
	SIP_VIAS_MAX = 70,         /* Via lines; more hops than Max-Forwards allows is a loop */
	SIP_HEADER_NAME_BYTES_MAX = 255,
};

enum sip_framing {
	SIP_DATAGRAM, /* UDP, WebSocket: the message ends where the bytes do */
	SIP_STREAM,   /* TCP, TLS: Content-Length must be there (s18.3) */
};

enum sip_reject {
	SIP_OK = 0,
	/* Without an answer: not SIP, or nobody to answer to. */
	SIP_REJECT_EMPTY,      /* nothing but CR and LF */
	SIP_REJECT_START_LINE, /* neither a request line nor a status line */
	SIP_REJECT_STATUS,     /* status code not 100-699 */
	SIP_REJECT_VIA,        /* no top Via, or not readable */
	/* With an answer, when it is a request that can be answered. */
	SIP_REJECT_REQUEST_LINE,   /* 400: more than one blank between its parts, or at its end */
	SIP_REJECT_METHOD,         /* 400: method is not a token */
	SIP_REJECT_URI,            /* 400: request URI not readable, in <>, or with headers */
	SIP_REJECT_URI_LONG,       /* 414 */
	SIP_REJECT_URI_SCHEME,     /* 416: not sip, sips or tel */
	SIP_REJECT_VERSION,        /* 505 */
	SIP_REJECT_TOO_LONG,       /* 513: more than SIP_MSG_BYTES_MAX */
	SIP_REJECT_BODY_TOO_LONG,  /* 413: Content-Length beyond our limit */
	SIP_REJECT_UNFINISHED,     /* 400: no empty line behind the headers */
	SIP_REJECT_HEADER_LINE,    /* 400: no colon, no name, bad byte, or fold without a header */
	SIP_REJECT_HEADERS_MAX,    /* 400: more than SIP_HEADERS_MAX */
	SIP_REJECT_VIAS_MAX,       /* 482: more than SIP_VIAS_MAX */
	SIP_REJECT_NO_FROM,        /* 400 */
	SIP_REJECT_NO_TO,          /* 400 */
	SIP_REJECT_NO_CALL_ID,     /* 400 */
	SIP_REJECT_NO_CSEQ,        /* 400 */
	SIP_REJECT_VIA_PARAMS,     /* 400: top Via has separators without parameters */
	SIP_REJECT_FROM,           /* 400: not readable */
	SIP_REJECT_TO,             /* 400 */
	SIP_REJECT_CALL_ID,        /* 400 */
	SIP_REJECT_CSEQ,           /* 400: not readable, or 2^31 and more */
	SIP_REJECT_CSEQ_METHOD,    /* 400: not the method of the request line */
	SIP_REJECT_TWICE,          /* 400: From, To, Call-ID, CSeq, Max-Forwards... more than once */
	SIP_REJECT_MAX_FORWARDS,   /* 400: not a number up to 255 */
	SIP_REJECT_CONTENT_LENGTH, /* 400: not a number, missing on a stream, or two that differ */
	SIP_REJECT_BODY_SHORT,     /* 400: fewer bytes than Content-Length says */
	SIP_REJECT_CONTENT_TYPE,   /* 400: a body without a readable type */
	SIP_REJECT_CONTACT,        /* 400: Contact not readable */
	SIP_REJECT_ROUTE,          /* 400: Route or Record-Route not readable */
	SIP_REJECT_HEADER_VALUE,   /* 400: another known header breaks its grammar */
	SIP_REJECT_COUNT,
};

struct sip_header { /* offsets into the message */
	uint16_t name_at;
	uint16_t value_at;
	uint16_t value_len; /* blanks around it left out, folds inside it */
	uint8_t name_len;
	uint8_t id;   /* enum sip_header_id */
	uint8_t next; /* next line with the same id; SIP_HEADER_NONE at the end */
};

enum {
	SIP_HEADER_NONE = 255,
};

struct sip_msg {
	struct str text; /* the message without leading CRLFs, up to the end of its body */
	bool request;
	bool answerable; /* a request but ACK, whose top Via was read: an answer finds its way */
	/* Requests. */
	enum sip_method method;
	struct str method_text;
	struct sip_uri uri;
	/* Responses. */
	uint16_t status;
	struct str reason;
	/* Both. */
	struct sip_via via; /* the top one */
	struct sip_name_addr from;
	struct sip_name_addr to;
	struct str call_id;
	struct sip_cseq cseq;
	uint16_t max_forwards; /* 70 when there is none */
	bool has_content_type;
	struct sip_content_type content_type;
	struct str body;

	uint8_t header_count;
	uint8_t first[SIP_HEADER_COUNT]; /* first line with that id, or SIP_HEADER_NONE */
	struct sip_header headers[SIP_HEADERS_MAX];
};

/* Reads the message in [bytes, bytes+len).  On a datagram, bytes behind the body are ignored
 * (s18.3).  On a stream the bytes are those of exactly one message, as sip_stream.h gives them. */
[[nodiscard]] enum sip_reject sip_msg_parse(struct sip_msg *out, const void *bytes, size_t len,
                                            enum sip_framing framing);

/* What to answer: status 0 is silence (responses, ACK, or not enough could be read). */
struct sip_refusal {
	uint16_t status;
	const char *reason; /* reason phrase, static */
};
[[nodiscard]] struct sip_refusal sip_msg_refusal(const struct sip_msg *msg,
                                                 enum sip_reject reject);

/* For counters and metrics: "content_length". */
const char *sip_reject_name(enum sip_reject reject);

/* ---- headers ------------------------------------------------------------------------------- */

static inline bool
sip_msg_has(const struct sip_msg *msg, enum sip_header_id id)
{
	return msg->first[id] != SIP_HEADER_NONE;
}

/* Value of the first line with this id, empty when there is none. */
[[nodiscard]] struct str sip_msg_value(const struct sip_msg *msg, enum sip_header_id id);
/* Name as written, and value, of line `at` (below header_count). */
[[nodiscard]] struct str sip_msg_header_name(const struct sip_msg *msg, unsigned at);
[[nodiscard]] struct str sip_msg_header_value(const struct sip_msg *msg, unsigned at);
/* First line called `name`, for headers without an id; false when there is none. */
[[nodiscard]] bool sip_msg_find(const struct sip_msg *msg, struct str name, struct str *value);

/* Walks every line with one id and, for list headers, every item of each line:
 *
 *	struct sip_values values = sip_msg_values(&msg, SIP_HEADER_ROUTE);
 *	for (struct str item; sip_values_next(&values, &item);) ...
 */
struct sip_values {
	const struct sip_msg *msg;
	struct str rest;
	uint8_t line;
	bool list; /* split at commas; false for authentication headers and single values */
};
[[nodiscard]] struct sip_values sip_msg_values(const struct sip_msg *msg, enum sip_header_id id);
[[nodiscard]] bool sip_values_next(struct sip_values *values, struct str *item);

/* Does a list of tokens (Require, Supported, Allow, Allow-Events...) hold `token`?  Option tags
 * compare without case, methods in Allow with case. */
[[nodiscard]] bool sip_msg_lists(const struct sip_msg *msg, enum sip_header_id id,
                                 struct str token);

#endif
