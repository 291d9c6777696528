/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls/dtls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "base/check.h"
#include "dtls/dtls_internal.h"

enum {
	/* Handshake messages (RFC 6347 s4.2.2): type, length, sequence, fragment offset and length. */
	MESSAGE_HEADER_BYTES = 12,
	MESSAGE_CLIENT_HELLO = 1,
	MESSAGE_FINISHED = 20,
	FRAGMENT_OFFSET_AT = 6,
	RANDOM_AT = MESSAGE_HEADER_BYTES + 2,

	ALERT_WARNING = 1,
	ALERT_FATAL = 2,
	ALERT_CLOSE_NOTIFY = 0,
	ALERT_BAD_CERTIFICATE = 42,
	NO_ALERT = -1,

	RECORD_LEN_MAX = (1 << 14) + 2048,
};

static void
handshake_drop(struct dtls *dtls)
{
	struct dtls_handshake *handshake = dtls->handshake;
	if (handshake == NULL)
		return;
	dtls->handshake = NULL;
	SSL_free(handshake->ssl);
	X509_free(handshake->peer);
	OPENSSL_cleanse(handshake, sizeof *handshake);
	free(handshake);
}

static bool
has_flight(const struct dtls *dtls)
{
	return dtls->handshake != NULL && dtls->handshake->flight_count != 0;
}

/* The handshake's memory goes when its keys and its last datagrams have been taken. */
static void
drop_used_up(struct dtls *dtls)
{
	if (dtls->keys_lent || (dtls->state == DTLS_ENDED && !has_flight(dtls))) {
		dtls->keys_lent = false;
		handshake_drop(dtls);
	}
}

static void
enter(struct dtls *dtls, int64_t now_us)
{
	CHECK(!has_flight(dtls) && dtls->out_len == 0);
	CHECK(!dtls->out_connected && !dtls->out_failed && !dtls->out_closed);
	CHECK(now_us >= dtls->now_us);
	drop_used_up(dtls);
	dtls->now_us = now_us;
	if (dtls->handshake != NULL)
		dtls->handshake->now_us = now_us;
}

void
dtls_init(struct dtls *dtls, const struct dtls_settings *settings, int64_t now_us)
{
	CHECK(settings->context != NULL);
	CHECK(settings->fingerprint_count <= DTLS_FINGERPRINTS_MAX);
	*dtls = (struct dtls){
		.context = settings->context,
		.role = settings->role,
		.alert = NO_ALERT,
		.now_us = now_us,
		.expires_us = INT64_MAX,
		.handshake_us_max = settings->handshake_us_max != 0 ? settings->handshake_us_max
		                                                    : DTLS_HANDSHAKE_US_MAX,
		.fingerprint_count = (uint8_t)settings->fingerprint_count,
	};
	if (settings->fingerprint_count != 0)
		memcpy(dtls->fingerprints, settings->fingerprints,
		       settings->fingerprint_count * sizeof *settings->fingerprints);
}

void
dtls_fini(struct dtls *dtls)
{
	handshake_drop(dtls);
	dtls_record_wipe(&dtls->record);
}

/* Ends */

static void
seal_alert(struct dtls *dtls, uint8_t level, uint8_t description)
{
	if (dtls->record.key_len == 0)
		return;
	const uint8_t alert[2] = { level, description };
	struct writer w = writer_of(dtls->out_bytes, sizeof dtls->out_bytes);
	dtls_record_seal(&dtls->record, &w, DTLS_CONTENT_ALERT, alert, sizeof alert);
	dtls->out_len = w.failed ? 0 : (uint8_t)w.at;
}

static void
end(struct dtls *dtls)
{
	dtls->state = DTLS_ENDED;
	handshake_drop(dtls);
}

static void
fail(struct dtls *dtls, enum dtls_failure failure)
{
	dtls->failure = failure;
	dtls->out_failed = true;
	end(dtls);
}

/* The peer finished with a certificate that is not the SDP's.  It is told so: our last flight still
 * goes out, for without it the peer could not open the alert. */
static void
fail_fingerprint(struct dtls *dtls)
{
	seal_alert(dtls, ALERT_FATAL, ALERT_BAD_CERTIFICATE);
	OPENSSL_cleanse(&dtls->handshake->keys, sizeof dtls->handshake->keys);
	dtls->failure = DTLS_FAILURE_FINGERPRINT;
	dtls->out_failed = true;
	dtls->state = DTLS_ENDED;
}

/* Finishing */

static void
verify(struct dtls *dtls)
{
	if (dtls->fingerprint_count == 0) {
		dtls->state = DTLS_VERIFYING;
		return;
	}
	if (!dtls_fingerprints_match(dtls->fingerprints, dtls->fingerprint_count,
	                             dtls->handshake->peer)) {
		fail_fingerprint(dtls);
		return;
	}
	dtls->state = DTLS_CONNECTED;
	dtls->out_connected = true;
}

/* Our own record layer goes on where OpenSSL's stops.  Only a server can be asked for its last
 * flight again: in a full handshake the server speaks last (RFC 6347 s4.2.4). */
static bool
take_over_records(struct dtls *dtls)
{
	struct dtls_handshake *handshake = dtls->handshake;
	struct dtls_record *record = &dtls->record;
	if (!dtls_record_keys(handshake->ssl, dtls->role, record))
		return false;
	record->write.sequence = handshake->sealed_sequence;
	record->nonce = handshake->nonce;
	record->plain_sequence = handshake->plain_sequence;
	record->read.sequence = handshake->in_sequence;
	record->read.window = UINT64_MAX; /* all that came so far has been used */
	if (dtls->role == DTLS_CLIENT)
		return true;

	struct reader r = reader_of(handshake->sealed, handshake->sealed_len);
	struct dtls_record_view view;
	if (!dtls_record_next(&r, &view))
		return false;
	const int len = dtls_record_decrypt(record, &record->write, &view, record->finished);
	if (len <= 0)
		return false;
	record->finished_len = (uint8_t)len;
	return true;
}

static void
finish(struct dtls *dtls)
{
	struct dtls_handshake *handshake = dtls->handshake;
	handshake->retransmit_us = INT64_MAX;
	handshake->peer = SSL_get1_peer_certificate(handshake->ssl);
	if (handshake->peer == NULL || !take_over_records(dtls)) {
		fail(dtls, DTLS_FAILURE_MEMORY);
		return;
	}
	if (!dtls_keys_export(handshake->ssl, dtls->role, &handshake->keys)) {
		fail(dtls, DTLS_FAILURE_NO_SRTP);
		return;
	}
	SSL_free(handshake->ssl);
	handshake->ssl = NULL;
	verify(dtls);
}

/* Running */

/* OpenSSL found the handshake faulty.  That may be a stranger's doing, so nothing is said about it on
 * the wire (an alert in plain text could end the true peer's handshake); a server waits for the next
 * ClientHello, a client begins again when its timer would have run out. */
static void
start_over(struct dtls *dtls)
{
	struct dtls_handshake *handshake = dtls->handshake;
	struct reader r = reader_of(NULL, 0);
	for (unsigned i = 0; i < handshake->flight_count; i++) {
		struct dtls_record_view view;
		r = reader_of(handshake->flight[i].bytes, handshake->flight[i].len);
		while (dtls_record_next(&r, &view))
			if (view.content == DTLS_CONTENT_ALERT && view.epoch == 0 && view.len == 2)
				dtls->alert = view.body[1];
	}
	SSL_free(handshake->ssl);
	handshake->ssl = NULL;
	handshake->timer = NULL;
	handshake->flight_count = 0;
	handshake->retransmit_us =
		dtls->role == DTLS_CLIENT ? dtls->now_us + handshake->rto_us : INT64_MAX;
	dtls->stats.restarts++;
	dtls->state = DTLS_IDLE;
}

static void
advance(struct dtls *dtls)
{
	struct dtls_handshake *handshake = dtls->handshake;
	ERR_clear_error();
	const int rc = SSL_do_handshake(handshake->ssl);
	const int error = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(handshake->ssl, rc);
	handshake->in_len = 0;
	ERR_clear_error();
	dtls_handshake_arm(handshake);
	if (rc == 1)
		finish(dtls);
	else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		start_over(dtls);
}

static bool
begin(struct dtls *dtls)
{
	if (dtls->handshake == NULL) {
		dtls->handshake = calloc(1, sizeof *dtls->handshake);
		if (dtls->handshake == NULL)
			return false;
		dtls->handshake->now_us = dtls->now_us;
	}
	if (!dtls_handshake_begin(dtls->handshake, dtls->context, dtls->role))
		return false;
	dtls->state = DTLS_HANDSHAKING;
	return true;
}

int
dtls_start(struct dtls *dtls, int64_t now_us)
{
	enter(dtls, now_us);
	CHECK(dtls->state == DTLS_IDLE && dtls->expires_us == INT64_MAX);
	dtls->expires_us = now_us + dtls->handshake_us_max;
	if (dtls->role == DTLS_SERVER)
		return 0; /* memory is taken when a ClientHello comes */
	if (!begin(dtls)) {
		end(dtls);
		return -ENOMEM;
	}
	advance(dtls);
	return 0;
}

/* Input */

static bool
is_client_hello(const struct dtls_record_view *view)
{
	return view->content == DTLS_CONTENT_HANDSHAKE && view->epoch == 0 &&
	       view->len >= MESSAGE_HEADER_BYTES && view->body[0] == MESSAGE_CLIENT_HELLO;
}

/* The client random when the record begins a ClientHello, else NULL. */
static const uint8_t *
client_random_of(const struct dtls_record_view *view)
{
	static const uint8_t zero_offset[3] = { 0 };
	if (!is_client_hello(view) || view->len < RANDOM_AT + DTLS_RANDOM_BYTES ||
	    memcmp(view->body + FRAGMENT_OFFSET_AT, zero_offset, sizeof zero_offset) != 0)
		return NULL;
	return view->body + RANDOM_AT;
}

/* A server's answer to a ClientHello: begin, go on with the same one, take a newer one in place of
 * a handshake that goes nowhere, or ignore it.  False: not for OpenSSL. */
static bool
hello_wanted(struct dtls *dtls, const struct dtls_record_view *view)
{
	const uint8_t *random = client_random_of(view);
	struct dtls_handshake *handshake = dtls->handshake;
	if (handshake == NULL || handshake->ssl == NULL) {
		if (!begin(dtls)) {
			fail(dtls, DTLS_FAILURE_MEMORY);
			return false;
		}
		memset(dtls->handshake->client_random, 0, DTLS_RANDOM_BYTES);
		if (random != NULL)
			memcpy(dtls->handshake->client_random, random, DTLS_RANDOM_BYTES);
		return true;
	}
	if (random == NULL || memcmp(handshake->client_random, random, DTLS_RANDOM_BYTES) == 0)
		return true;
	static const uint8_t none[DTLS_RANDOM_BYTES];
	if (memcmp(handshake->client_random, none, sizeof none) == 0) { /* fragments out of order */
		memcpy(handshake->client_random, random, DTLS_RANDOM_BYTES);
		return true;
	}
	if (!handshake->stalled)
		return false;
	start_over(dtls);
	return hello_wanted(dtls, view);
}

static void
input_handshake(struct dtls *dtls, const struct dtls_record_view *view)
{
	const bool plain_alert = view->content == DTLS_CONTENT_ALERT && view->epoch == 0;
	if (plain_alert && view->len == 2)
		dtls->alert = view->body[1];
	const bool wanted = !plain_alert && view->epoch <= 1 && view->len <= RECORD_LEN_MAX &&
	                    view->content != DTLS_CONTENT_APPLICATION &&
	                    (dtls->role == DTLS_SERVER && is_client_hello(view)
	                             ? hello_wanted(dtls, view)
	                             : dtls->handshake != NULL && dtls->handshake->ssl != NULL);
	if (!wanted) {
		dtls->stats.ignored++;
		return;
	}
	struct dtls_handshake *handshake = dtls->handshake;
	if (view->epoch == 1 && view->sequence > handshake->in_sequence)
		handshake->in_sequence = view->sequence;
	handshake->in = view->header;
	handshake->in_len = (size_t)DTLS_RECORD_HEADER_BYTES + view->len;
	advance(dtls);
}

/* What a finished session still listens to. */
static void
input_finished(struct dtls *dtls, const struct dtls_record_view *view)
{
	uint8_t plain[DTLS_RECORD_PLAIN_MAX];
	const bool ours = view->epoch == 1 && (view->content == DTLS_CONTENT_ALERT ||
	                                       (view->content == DTLS_CONTENT_HANDSHAKE &&
	                                        dtls->record.finished_len != 0));
	const int len = ours ? dtls_record_open(&dtls->record, view, plain) : -1;
	if (len < 2) {
		dtls->stats.ignored++;
		return;
	}
	if (view->content == DTLS_CONTENT_HANDSHAKE) {
		if (plain[0] != MESSAGE_FINISHED || dtls->out_len != 0)
			return;
		struct writer w = writer_of(dtls->out_bytes, sizeof dtls->out_bytes);
		dtls_record_write_last_flight(&dtls->record, &w);
		dtls->out_len = w.failed ? 0 : (uint8_t)w.at;
		dtls->stats.retransmits++;
		return;
	}
	if (plain[0] != ALERT_FATAL && plain[1] != ALERT_CLOSE_NOTIFY)
		return; /* a warning */
	dtls->alert = plain[1];
	dtls->out_closed = true;
	end(dtls);
}

void
dtls_input(struct dtls *dtls, const uint8_t *bytes, size_t len, int64_t now_us)
{
	enter(dtls, now_us);
	struct reader r = reader_of(bytes, len);
	struct dtls_record_view view;
	/* The state may change with every record of the datagram. */
	while (dtls->expires_us != INT64_MAX && dtls_record_next(&r, &view)) {
		switch (dtls->state) {
		case DTLS_IDLE:
		case DTLS_HANDSHAKING:
			input_handshake(dtls, &view);
			break;
		case DTLS_VERIFYING:
		case DTLS_CONNECTED:
			if (!dtls->out_connected)
				input_finished(dtls, &view);
			break;
		case DTLS_ENDED:
			return;
		}
	}
	if (reader_left(&r) != 0)
		dtls->stats.ignored++;
}

void
dtls_set_fingerprints(struct dtls *dtls, const struct dtls_fingerprint *fingerprints,
                      unsigned count, int64_t now_us)
{
	CHECK(count != 0 && count <= DTLS_FINGERPRINTS_MAX);
	enter(dtls, now_us);
	memcpy(dtls->fingerprints, fingerprints, count * sizeof *fingerprints);
	dtls->fingerprint_count = (uint8_t)count;
	if (dtls->state == DTLS_VERIFYING)
		verify(dtls);
}

void
dtls_close(struct dtls *dtls, int64_t now_us)
{
	enter(dtls, now_us);
	if (dtls->state == DTLS_CONNECTED || dtls->state == DTLS_VERIFYING)
		seal_alert(dtls, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
	end(dtls);
}

/* Time */

static bool
is_waiting(const struct dtls *dtls)
{
	return dtls->state != DTLS_CONNECTED && dtls->state != DTLS_ENDED;
}

void
dtls_tick(struct dtls *dtls, int64_t now_us)
{
	enter(dtls, now_us);
	if (!is_waiting(dtls))
		return;
	if (now_us >= dtls->expires_us) {
		fail(dtls, DTLS_FAILURE_TIMEOUT);
		return;
	}
	struct dtls_handshake *handshake = dtls->handshake;
	if (handshake == NULL || now_us < handshake->retransmit_us)
		return;
	if (handshake->ssl == NULL) { /* a client whose handshake was faulty */
		if (begin(dtls))
			advance(dtls);
		else
			fail(dtls, DTLS_FAILURE_MEMORY);
		return;
	}
	ERR_clear_error();
	dtls->stats.retransmits++;
	if (dtls_handshake_retransmit(handshake))
		dtls_handshake_arm(handshake);
	else
		start_over(dtls);
	ERR_clear_error();
}

int64_t
dtls_deadline(const struct dtls *dtls)
{
	if (!is_waiting(dtls))
		return INT64_MAX;
	const int64_t retransmit_us =
		dtls->handshake != NULL ? dtls->handshake->retransmit_us : INT64_MAX;
	return retransmit_us < dtls->expires_us ? retransmit_us : dtls->expires_us;
}

/* Output */

static struct dtls_out
poll_flight(struct dtls_handshake *handshake)
{
	const struct dtls_datagram *next = &handshake->flight[handshake->flight_at++];
	if (handshake->flight_at == handshake->flight_count) {
		handshake->flight_at = 0;
		handshake->flight_count = 0;
	}
	return (struct dtls_out){ .kind = DTLS_OUT_DATAGRAM, .bytes = next->bytes, .len = next->len };
}

struct dtls_out
dtls_poll(struct dtls *dtls)
{
	drop_used_up(dtls);
	if (has_flight(dtls))
		return poll_flight(dtls->handshake);
	if (dtls->out_len != 0) {
		const size_t len = dtls->out_len;
		dtls->out_len = 0;
		return (struct dtls_out){ .kind = DTLS_OUT_DATAGRAM, .bytes = dtls->out_bytes,
			                  .len = len };
	}
	if (dtls->out_connected) {
		dtls->out_connected = false;
		dtls->keys_lent = true;
		return (struct dtls_out){ .kind = DTLS_OUT_CONNECTED,
			                  .keys = &dtls->handshake->keys, .alert = NO_ALERT };
	}
	if (dtls->out_failed) {
		dtls->out_failed = false;
		return (struct dtls_out){ .kind = DTLS_OUT_FAILED, .failure = dtls->failure,
			                  .alert = dtls->alert };
	}
	if (dtls->out_closed) {
		dtls->out_closed = false;
		return (struct dtls_out){ .kind = DTLS_OUT_CLOSED, .alert = dtls->alert };
	}
	return (struct dtls_out){ .kind = DTLS_OUT_NONE, .alert = NO_ALERT };
}

const char *
dtls_failure_name(enum dtls_failure failure)
{
	static const char *const names[] = {
		[DTLS_FAILURE_NONE] = "none",
		[DTLS_FAILURE_TIMEOUT] = "timeout",
		[DTLS_FAILURE_FINGERPRINT] = "fingerprint",
		[DTLS_FAILURE_NO_SRTP] = "no common srtp profile",
		[DTLS_FAILURE_MEMORY] = "memory",
	};
	static_assert(COUNT_OF(names) == DTLS_FAILURE_COUNT, "a failure without a name");
	CHECK(failure < DTLS_FAILURE_COUNT);
	return names[failure];
}

void
dtls_dump(const struct dtls *dtls, struct writer *w)
{
	static const char *const states[] = {
		[DTLS_IDLE] = "idle",           [DTLS_HANDSHAKING] = "handshaking",
		[DTLS_VERIFYING] = "verifying", [DTLS_CONNECTED] = "connected",
		[DTLS_ENDED] = "ended",
	};
	writer_format(w, "dtls %s %s failure=%s alert=%d ignored=%u restarts=%u retransmits=%u\n",
	              dtls->role == DTLS_SERVER ? "server" : "client", states[dtls->state],
	              dtls_failure_name(dtls->failure), dtls->alert, dtls->stats.ignored,
	              dtls->stats.restarts, dtls->stats.retransmits);
}
