/* SPDX-License-Identifier: Apache-2.0 */
/* A server, and a client that has said hello, under datagrams of a stranger: each step is (pause,
 * length, bytes); the first byte of the input chooses the role.  Nothing that cannot know a key may
 * connect or close a session, and outputs stay bounded.  A second pass gives the same pieces to the
 * record layer of a finished session. */
#include <stdlib.h>

#include "base/check.h"
#include "dtls/dtls_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct dtls_context *
context_get(void)
{
	static struct dtls_context *context;
	if (context != NULL)
		return context;
	const int rc = dtls_context_create(&context, &(struct dtls_context_settings){
							     .common_name = "fuzz",
							     .serial = 1,
							     .not_before_s = 1700000000,
							     .not_after_s = 1900000000 });
	CHECK(rc == 0);
	return context;
}

static void
drain(struct dtls *dtls, bool *failed)
{
	unsigned datagrams = 0;
	for (struct dtls_out out; (out = dtls_poll(dtls)).kind != DTLS_OUT_NONE;) {
		CHECK(out.kind == DTLS_OUT_DATAGRAM || out.kind == DTLS_OUT_FAILED);
		if (out.kind == DTLS_OUT_FAILED) {
			CHECK(!*failed && out.failure == DTLS_FAILURE_TIMEOUT);
			*failed = true;
			continue;
		}
		CHECK(out.len != 0 && out.len <= DTLS_MTU);
		CHECK(++datagrams <= DTLS_FLIGHT_MAX + 1);
	}
}

static void
give_to_record_layer(const uint8_t *bytes, size_t len)
{
	static struct dtls_record record = { .key_len = 16 };
	struct reader r = reader_of(bytes, len);
	uint8_t plain[DTLS_RECORD_PLAIN_MAX];
	for (struct dtls_record_view view; dtls_record_next(&r, &view);) {
		CHECK(view.body + view.len <= bytes + len);
		const int opened = dtls_record_open(&record, &view, plain);
		CHECK(opened <= DTLS_RECORD_PLAIN_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	const enum dtls_role role = reader_u8(&r) & 1 ? DTLS_CLIENT : DTLS_SERVER;
	struct dtls dtls;
	int64_t now_us = 0;
	bool failed = false;
	dtls_init(&dtls,
	          &(struct dtls_settings){ .context = context_get(), .role = role,
	                                   .fingerprints = dtls_context_fingerprint(context_get()),
	                                   .fingerprint_count = 1 },
	          now_us);
	CHECK(dtls_start(&dtls, now_us) == 0);
	drain(&dtls, &failed);

	while (reader_left(&r) >= 3) {
		now_us += (int64_t)reader_u8(&r) << 14;
		size_t piece = reader_u16(&r);
		if (piece > reader_left(&r))
			piece = reader_left(&r);
		const uint8_t *datagram = reader_take(&r, piece);
		if (now_us >= dtls_deadline(&dtls)) {
			dtls_tick(&dtls, now_us);
			drain(&dtls, &failed);
		}
		dtls_input(&dtls, datagram, piece, now_us);
		drain(&dtls, &failed);
		give_to_record_layer(datagram, piece);
		CHECK(dtls.state != DTLS_CONNECTED && dtls.state != DTLS_VERIFYING);
	}
	dtls_fini(&dtls);
	return 0;
}
