/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL without sockets and without its clock.
 *
 * Datagrams: OpenSSL's memory BIO is a byte stream and would join what must stay apart, so this BIO
 * hands each write to a queue of datagrams and each read exactly one record.
 *
 * Time: libssl 3.0 and 3.1 tell the BIO when they start or stop the retransmission timer, with a
 * pointer to the very `struct timeval` they will compare with the real time.  We keep that pointer and
 * write to it: far in the future while our own timer runs, in the past when it is due.  Later
 * libraries pass a copy; there the library's own timer is used, on real time. */
#include "dtls/dtls_internal.h"

#include <openssl/bio.h>

#include "base/check.h"

enum {
	FAR_AWAY_S = 1 << 30,
	LONG_AGO_S = 1, /* 1970; zero would mean "stopped" */
};

/* Remembers the sequence numbers and our Finished, for the record layer that takes over. */
static void
note_records(struct dtls_handshake *handshake, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	for (struct dtls_record_view view; dtls_record_next(&r, &view);) {
		if (view.epoch == 0) {
			handshake->plain_sequence = view.sequence + 1;
			continue;
		}
		if (view.len < DTLS_RECORD_NONCE_BYTES)
			continue;
		struct reader nonce = reader_of(view.body, DTLS_RECORD_NONCE_BYTES);
		handshake->sealed_sequence = view.sequence + 1;
		handshake->nonce = reader_u64(&nonce) + 1;
		const size_t record_len = (size_t)DTLS_RECORD_HEADER_BYTES + view.len;
		if (view.content == DTLS_CONTENT_HANDSHAKE && record_len <= DTLS_SEALED_MAX) {
			memcpy(handshake->sealed, view.header, record_len);
			handshake->sealed_len = record_len;
		}
	}
}

/* A full queue loses the datagram, as any network may. */
static int
bio_write(BIO *bio, const char *bytes, int len)
{
	struct dtls_handshake *handshake = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (len <= 0)
		return 0;
	note_records(handshake, (const uint8_t *)bytes, (size_t)len);
	if (len <= DTLS_MTU && handshake->flight_count < DTLS_FLIGHT_MAX) {
		struct dtls_datagram *out = &handshake->flight[handshake->flight_count++];
		out->len = (uint16_t)len;
		memcpy(out->bytes, bytes, (size_t)len);
	}
	return len;
}

static int
bio_read(BIO *bio, char *out, int cap)
{
	struct dtls_handshake *handshake = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (handshake->in_len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	const size_t len = handshake->in_len < (size_t)cap ? handshake->in_len : (size_t)cap;
	memcpy(out, handshake->in, len);
	handshake->in_len = 0; /* what does not fit is lost, as with recvfrom() */
	return (int)len;
}

static void
timer_changed(struct dtls_handshake *handshake, struct timeval *timer)
{
	if (handshake->library_clock)
		return;
	handshake->timer = timer;
	if (timer->tv_sec == 0 && timer->tv_usec == 0) { /* the peer has answered the flight */
		handshake->retransmit_us = INT64_MAX;
		handshake->rto_us = DTLS_RTO_US;
		handshake->stalled = false;
	} else {
		handshake->retransmit_us = handshake->now_us + handshake->rto_us;
		timer->tv_sec += FAR_AWAY_S;
	}
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)number;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return DTLS_MTU;
	case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
		timer_changed(BIO_get_data(bio), pointer);
		return 1;
	default:
		return 0;
	}
}

BIO_METHOD *
dtls_bio_method_create(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "dtls datagrams");
	if (method == NULL)
		return NULL;
	if (BIO_meth_set_write(method, bio_write) != 1 || BIO_meth_set_read(method, bio_read) != 1 ||
	    BIO_meth_set_ctrl(method, bio_ctrl) != 1) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

static unsigned
doubled(SSL *ssl, unsigned before_us)
{
	(void)ssl;
	if (before_us == 0)
		return DTLS_RTO_US;
	return before_us < DTLS_RTO_US_MAX / 2 ? 2 * before_us : DTLS_RTO_US_MAX;
}

bool
dtls_handshake_begin(struct dtls_handshake *handshake, const struct dtls_context *context,
                     enum dtls_role role)
{
	CHECK(handshake->ssl == NULL);
	SSL *ssl = SSL_new(context->ssl_ctx);
	BIO *bio = BIO_new(context->bio_method);
	if (ssl == NULL || bio == NULL) {
		SSL_free(ssl);
		BIO_free(bio);
		return false;
	}
	BIO_set_data(bio, handshake);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_mtu(ssl, DTLS_MTU);
	DTLS_set_timer_cb(ssl, doubled);
	if (role == DTLS_SERVER)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);

	handshake->ssl = ssl;
	handshake->library_clock = context->library_clock;
	handshake->timer = NULL;
	handshake->retransmit_us = INT64_MAX;
	handshake->rto_us = DTLS_RTO_US;
	handshake->stalled = false;
	handshake->in_len = 0;
	handshake->in_sequence = 0;
	handshake->sealed_len = 0;
	return true;
}

bool
dtls_handshake_retransmit(struct dtls_handshake *handshake)
{
	handshake->rto_us = doubled(handshake->ssl, (unsigned)handshake->rto_us);
	handshake->retransmit_us = INT64_MAX;
	if (!handshake->library_clock) {
		CHECK(handshake->timer != NULL);
		*handshake->timer = (struct timeval){ .tv_sec = LONG_AGO_S };
	}
	const bool goes_on = DTLSv1_handle_timeout(handshake->ssl) >= 0;
	handshake->stalled |= handshake->flight_count != 0;
	return goes_on;
}

void
dtls_handshake_arm(struct dtls_handshake *handshake)
{
	if (!handshake->library_clock || handshake->ssl == NULL)
		return;
	struct timeval left;
	const bool waits = DTLSv1_get_timeout(handshake->ssl, &left) == 1;
	handshake->retransmit_us =
		waits ? handshake->now_us + left.tv_sec * 1000000LL + left.tv_usec : INT64_MAX;
}
