/* SPDX-License-Identifier: Apache-2.0 */
/* dtls_record -- the DTLS 1.2 record layer of a finished session, AES-GCM only (RFC 6347 s4.1,
 * RFC 5288), for the little that DTLS-SRTP still needs it for: alerts both ways, and the last flight
 * once more.
 *
 * Ownership  A value; dtls_record_wipe() it.  Cipher contexts live for one record at a time.
 * Threads    One owner.
 * Errors     Opening a peer's record never asserts; what does not authenticate gives -1.
 * Limits     Records of DTLS_RECORD_PLAIN_MAX bytes of content: longer ones cannot be alerts or a
 *            Finished and are not opened.
 */
#ifndef DTLS_DTLS_RECORD_H
#define DTLS_DTLS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	DTLS_RECORD_HEADER_BYTES = 13,
	DTLS_RECORD_NONCE_BYTES = 8,
	DTLS_RECORD_TAG_BYTES = 16,
	DTLS_RECORD_PLAIN_MAX = 64,
	DTLS_RECORD_OUT_MAX = 128, /* ChangeCipherSpec and Finished, or an alert */
};

enum dtls_content {
	DTLS_CONTENT_CHANGE_CIPHER_SPEC = 20,
	DTLS_CONTENT_ALERT = 21,
	DTLS_CONTENT_HANDSHAKE = 22,
	DTLS_CONTENT_APPLICATION = 23,
};

/* One record as it stands in a datagram. */
struct dtls_record_view {
	uint8_t content;
	uint16_t epoch;
	uint64_t sequence; /* 48 bits */
	const uint8_t *header; /* DTLS_RECORD_HEADER_BYTES, then `len` bytes */
	const uint8_t *body;
	uint16_t len;
};

/* The next record of a datagram; false at its end or where it stops being DTLS 1.0 or 1.2. */
[[nodiscard]] bool dtls_record_next(struct reader *r, struct dtls_record_view *out);

struct dtls_record_side {
	uint8_t key[32];
	uint8_t salt[4];
	uint64_t sequence; /* write: the next one; read: highest seen */
	uint64_t window;   /* read: bit i is sequence - i (RFC 6347 s4.1.2.6) */
};

struct dtls_record {
	uint8_t key_len; /* 16 or 32; 0: nothing to write or open with */
	struct dtls_record_side write, read;
	uint64_t nonce;          /* explicit part of the next record's nonce */
	uint64_t plain_sequence; /* next sequence number of epoch 0 */
	uint8_t finished_len;    /* 0: we did not send the last flight */
	uint8_t finished[DTLS_RECORD_PLAIN_MAX];
};

/* The plain content of an epoch 1 record into `out`, or -1: not authentic, replayed, or too long. */
[[nodiscard]] int dtls_record_open(struct dtls_record *record, const struct dtls_record_view *view,
                                   uint8_t out[DTLS_RECORD_PLAIN_MAX]);
/* One epoch 1 record with the next sequence number. */
void dtls_record_seal(struct dtls_record *record, struct writer *w, enum dtls_content content,
                      const uint8_t *plain, size_t len);
/* ChangeCipherSpec and Finished again, with new sequence numbers. */
void dtls_record_write_last_flight(struct dtls_record *record, struct writer *w);
void dtls_record_wipe(struct dtls_record *record);

#endif
