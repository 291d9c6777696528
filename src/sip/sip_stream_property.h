/* SPDX-License-Identifier: Apache-2.0 */
/* sip_stream_property -- however a stream is cut into pieces, the same comes out of it. */
#ifndef SIP_SIP_STREAM_PROPERTY_H
#define SIP_SIP_STREAM_PROPERTY_H

#include "base/check.h"
#include "base/prng.h"
#include "sip/sip_stream.h"

enum {
	STREAM_CAP = 2048,
	STREAM_OUTS_MAX = 4096,
};

/* What came out: kinds and lengths, and the bytes of the messages one behind the other. */
struct stream_record {
	size_t count;
	struct {
		enum sip_stream_kind kind;
		enum sip_reject reject;
		size_t len;
	} outs[STREAM_OUTS_MAX];
	size_t bytes_len;
	uint8_t bytes[1 << 18];
};

static void
record_out(struct stream_record *record, const struct sip_stream_out *out)
{
	if (record->count == STREAM_OUTS_MAX)
		return;
	record->outs[record->count].kind = out->kind;
	record->outs[record->count].reject = out->reject;
	/* A refused message is shown as far as it has come, which depends on the pieces. */
	const size_t len = out->kind == SIP_STREAM_MESSAGE ? out->len : 0;
	record->outs[record->count++].len = len;
	CHECK(len <= STREAM_CAP);
	if (len != 0 && len <= sizeof record->bytes - record->bytes_len) {
		memcpy(record->bytes + record->bytes_len, out->bytes, len);
		record->bytes_len += len;
	}
}

/* Feeds pieces of 1..piece_max bytes. */
static void
run_stream(struct stream_record *record, const uint8_t *bytes, size_t len, uint32_t piece_max)
{
	static uint8_t buffer[STREAM_CAP];
	struct sip_stream stream;
	struct prng prng;
	prng_init(&prng, piece_max);
	record->count = 0;
	record->bytes_len = 0;
	sip_stream_init(&stream, buffer, sizeof buffer, true);
	while (len != 0) {
		size_t piece = 1 + prng_below(&prng, piece_max);
		piece = piece < len ? piece : len;
		const size_t used = sip_stream_input(&stream, bytes, piece);
		CHECK(used != 0 && used <= piece);
		for (struct sip_stream_out out;
		     (out = sip_stream_poll(&stream)).kind != SIP_STREAM_NONE;)
			record_out(record, &out);
		bytes += used;
		len -= used;
	}
}

static void
check_stream(const uint8_t *bytes, size_t len)
{
	static struct stream_record whole;
	static struct stream_record pieces;
	static const uint32_t piece_max[] = { 1, 7, 300 };
	run_stream(&whole, bytes, len, 1u << 20);
	for (size_t i = 0; i < COUNT_OF(piece_max); i++) {
		run_stream(&pieces, bytes, len, piece_max[i]);
		CHECK(pieces.count == whole.count);
		for (size_t o = 0; o < whole.count; o++) {
			CHECK(pieces.outs[o].kind == whole.outs[o].kind);
			CHECK(pieces.outs[o].reject == whole.outs[o].reject);
			CHECK(pieces.outs[o].len == whole.outs[o].len);
		}
		CHECK(pieces.bytes_len == whole.bytes_len);
		CHECK(memcmp(pieces.bytes, whole.bytes, whole.bytes_len) == 0);
	}
}

#endif
