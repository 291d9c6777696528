/* SPDX-License-Identifier: Apache-2.0 */
/* sip_stream -- cut a TCP or TLS byte stream into SIP messages (RFC 3261 s18.3, RFC 5626 s3.5.1).
 *
 * Feed what was received and drain:
 *
 *	while (len != 0) {
 *		const size_t used = sip_stream_input(&stream, bytes, len);
 *		for (struct sip_stream_out out; (out = sip_stream_poll(&stream)).kind;) ...
 *		bytes += used; len -= used;
 *	}
 *
 * Whatever the pieces in which bytes arrive, the same messages come out, and each byte is looked
 * at a bounded number of times.  A message that lies about its length ends the stream: the rest
 * cannot be cut any more.  Half-sent messages are the caller's to time out: see
 * sip_stream_waiting().
 *
 * Ownership  Borrows the buffer given to sip_stream_init(); messages given out lie in it and are
 *            valid until the next sip_stream_input().
 * Threads    One owner.
 * Units      Bytes.
 * Errors     SIP_STREAM_REJECT names the rule; nothing more comes out after it, input is dropped.
 * Limits     One message fits the buffer (SIP_MSG_BYTES_MAX is a good size).
 */
#ifndef SIP_SIP_STREAM_H
#define SIP_SIP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/sip_msg.h"

enum {
	SIP_STREAM_BYTES_MIN = 1024, /* smallest buffer taken */
};

enum sip_stream_kind {
	SIP_STREAM_NONE,    /* more bytes are needed */
	SIP_STREAM_MESSAGE, /* `bytes`, `len`: one message; parse it with SIP_STREAM */
	SIP_STREAM_PING,    /* send back CRLF */
	SIP_STREAM_PONG,    /* the peer is alive: it answered our CRLFCRLF */
	SIP_STREAM_REJECT,  /* `reject`; parse what there is for the answer, then close */
};

struct sip_stream_out {
	enum sip_stream_kind kind;
	enum sip_reject reject;
	const uint8_t *bytes; /* MESSAGE; REJECT: the message's beginning, for sip_msg_refusal() */
	size_t len;
};

struct sip_stream {
	uint8_t *buffer;
	size_t cap;
	size_t begin;     /* first byte not given out */
	size_t end;       /* behind the last byte received */
	size_t scanned;   /* bytes before this hold no end of headers */
	size_t body_at;   /* where the body starts, 0: headers are not complete */
	size_t body_len;
	bool accepted;    /* the peer connected to us, and so it is the one to ping */
	bool blank;       /* one CRLF was seen between messages */
	bool draining;    /* poll has not said NONE since the last input */
	enum sip_reject dead;
};

/* `accepted`: the peer opened the connection.  Only the side that did sends pings (RFC 5626). */
void sip_stream_init(struct sip_stream *stream, void *buffer, size_t cap, bool accepted);

/* Takes as many bytes as have room and returns how many; never 0 when drained and `len` is not. */
[[nodiscard]] size_t sip_stream_input(struct sip_stream *stream, const void *bytes, size_t len);

[[nodiscard]] struct sip_stream_out sip_stream_poll(struct sip_stream *stream);

/* Is a message half received?  The caller closes after its own patience. */
[[nodiscard]] bool sip_stream_waiting(const struct sip_stream *stream);

#endif
