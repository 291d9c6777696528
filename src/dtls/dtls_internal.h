/* SPDX-License-Identifier: Apache-2.0 */
/* dtls_internal -- what the files of this folder, and its tests, share. */
#ifndef DTLS_DTLS_INTERNAL_H
#define DTLS_DTLS_INTERNAL_H

#include <openssl/ssl.h>
#include <sys/types.h> /* struct timeval, the form of OpenSSL's timer */

#include "dtls/dtls.h"

struct dtls_context {
	SSL_CTX *ssl_ctx;
	BIO_METHOD *bio_method;
	struct dtls_fingerprint fingerprint;
	char fingerprint_text[DTLS_FINGERPRINT_TEXT_MAX];
	/* OpenSSL's retransmission runs on real time: libssl 3.2 and later (see dtls_bio.c). */
	bool library_clock;
};

enum {
	DTLS_RANDOM_BYTES = 32,
	/* Header, nonce, content, tag. */
	DTLS_SEALED_MAX = DTLS_RECORD_HEADER_BYTES + DTLS_RECORD_NONCE_BYTES +
	                  DTLS_RECORD_PLAIN_MAX + DTLS_RECORD_TAG_BYTES,
};

struct dtls_datagram {
	uint16_t len;
	uint8_t bytes[DTLS_MTU];
};

struct dtls_handshake {
	SSL *ssl; /* NULL: not begun, faulty and thrown away, or finished */
	bool library_clock;
	int64_t now_us;
	int64_t rto_us;
	int64_t retransmit_us;  /* INT64_MAX: nothing waits for an answer */
	struct timeval *timer;  /* OpenSSL's, inside `ssl` */
	bool stalled;           /* the running flight has been sent again */
	uint8_t client_random[DTLS_RANDOM_BYTES]; /* of the ClientHello in work */
	const uint8_t *in;      /* one record for OpenSSL to read */
	size_t in_len;
	uint64_t in_sequence;   /* highest of epoch 1 that came */
	/* What has been written, for the record layer that takes over. */
	uint64_t plain_sequence, sealed_sequence, nonce;
	uint8_t sealed[DTLS_SEALED_MAX]; /* our Finished */
	size_t sealed_len;
	X509 *peer;
	struct dtls_keys keys;
	uint8_t flight_at, flight_count;
	struct dtls_datagram flight[DTLS_FLIGHT_MAX];
};

/* dtls_bio.c */
[[nodiscard]] BIO_METHOD *dtls_bio_method_create(void);
/* A new SSL on datagram BIOs of ours; false when there is no memory. */
[[nodiscard]] bool dtls_handshake_begin(struct dtls_handshake *handshake,
                                        const struct dtls_context *context, enum dtls_role role);
/* The retransmission timer has run out: makes OpenSSL send the flight again; false: it gave up. */
[[nodiscard]] bool dtls_handshake_retransmit(struct dtls_handshake *handshake);
/* After every call into OpenSSL: when retransmission is due. */
void dtls_handshake_arm(struct dtls_handshake *handshake);

/* dtls_keys.c: from a finished SSL; false when OpenSSL fails. */
[[nodiscard]] bool dtls_keys_export(SSL *ssl, enum dtls_role role, struct dtls_keys *out);
[[nodiscard]] bool dtls_record_keys(SSL *ssl, enum dtls_role role, struct dtls_record *out);
[[nodiscard]] bool dtls_fingerprint_of(struct dtls_fingerprint *out, X509 *cert,
                                       enum dtls_hash hash);
/* RFC 8122 s5: any of those with the strongest hash. */
[[nodiscard]] bool dtls_fingerprints_match(const struct dtls_fingerprint *fingerprints,
                                           unsigned count, X509 *cert);

/* dtls_record.c: without the replay window; also opens what we sealed ourselves. */
[[nodiscard]] int dtls_record_decrypt(const struct dtls_record *record,
                                      const struct dtls_record_side *side,
                                      const struct dtls_record_view *view,
                                      uint8_t out[DTLS_RECORD_PLAIN_MAX]);

#endif
