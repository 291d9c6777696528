/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_stream.h"

#include <string.h>

#include "base/check.h"
#include "sip/sip_header_chars.h"
#include "sip/sip_msg_lines.h"

void
sip_stream_init(struct sip_stream *stream, void *buffer, size_t cap, bool accepted)
{
	CHECK(buffer != NULL);
	CHECK(cap >= SIP_STREAM_BYTES_MIN);
	*stream = (struct sip_stream){ .buffer = buffer, .cap = cap, .accepted = accepted };
}

/* Moves what is left to the front of the buffer.  That is never more than the one message that is
 * not complete, and it moves once: afterwards `begin` is 0 until it is given out. */
static void
compact(struct sip_stream *stream)
{
	const size_t by = stream->begin;
	if (by == 0)
		return;
	memmove(stream->buffer, stream->buffer + by, stream->end - by);
	stream->begin = 0;
	stream->end -= by;
	stream->scanned -= by;
	if (stream->body_at != 0)
		stream->body_at -= by;
}

size_t
sip_stream_input(struct sip_stream *stream, const void *bytes, size_t len)
{
	CHECK(!stream->draining);
	CHECK(bytes != NULL || len == 0);
	if (stream->dead != SIP_OK || len == 0)
		return len;
	compact(stream);
	const size_t room = stream->cap - stream->end;
	const size_t used = len < room ? len : room;
	CHECK(used != 0);
	memcpy(stream->buffer + stream->end, bytes, used);
	stream->end += used;
	stream->draining = true;
	return used;
}

static struct sip_stream_out
nothing(struct sip_stream *stream)
{
	stream->draining = false;
	return (struct sip_stream_out){ .kind = SIP_STREAM_NONE };
}

static struct sip_stream_out
refuse(struct sip_stream *stream, enum sip_reject reject)
{
	stream->dead = reject;
	return (struct sip_stream_out){ .kind = SIP_STREAM_REJECT,
		                        .reject = reject,
		                        .bytes = stream->buffer + stream->begin,
		                        .len = stream->end - stream->begin };
}

/* Eats CR LF between messages.  Returns true when `*out` is to be given out. */
static bool
take_blank_lines(struct sip_stream *stream, struct sip_stream_out *out)
{
	while (stream->end - stream->begin >= 2 && stream->buffer[stream->begin] == '\r' &&
	       stream->buffer[stream->begin + 1] == '\n') {
		stream->begin += 2;
		stream->scanned = stream->begin;
		/* RFC 5626 s3.5.1: the side that opened the connection sends CR LF CR LF and gets
		 * CR LF back. */
		if (!stream->accepted) {
			*out = (struct sip_stream_out){ .kind = SIP_STREAM_PONG };
			return true;
		}
		stream->blank = !stream->blank;
		if (!stream->blank) {
			*out = (struct sip_stream_out){ .kind = SIP_STREAM_PING };
			return true;
		}
	}
	return false;
}

/* Looks for the empty line behind the headers, from where the last search ended. */
static bool
find_body(struct sip_stream *stream)
{
	const uint8_t *bytes = stream->buffer;
	while (stream->scanned < stream->end) {
		const uint8_t *lf =
		        memchr(bytes + stream->scanned, '\n', stream->end - stream->scanned);
		if (lf == NULL) {
			stream->scanned = stream->end;
			return false;
		}
		const size_t at = (size_t)(lf - bytes);
		stream->scanned = at + 1;
		if (at - stream->begin >= 3 && memcmp(bytes + at - 3, "\r\n\r\n", 4) == 0) {
			stream->body_at = at + 1;
			return true;
		}
	}
	return false;
}

/* s18.3: on a stream Content-Length must be there.  Several must agree, or what is one message for
 * us is two for somebody else. */
static enum sip_reject
read_body_len(const struct sip_stream *stream, size_t *body_len)
{
	struct str rest = { .at = (const char *)stream->buffer + stream->begin,
		            .len = stream->body_at - stream->begin };
	struct sip_line line = { 0 };
	enum sip_line_kind kind = SIP_LINE_FIELD;
	bool given = false;

	(void)str_cut(&rest, '\n');
	while ((kind = sip_line_next(&rest, &line)) == SIP_LINE_FIELD || kind == SIP_LINE_BAD) {
		uint32_t found = 0;
		if (kind == SIP_LINE_BAD || sip_header_of(line.name) != SIP_HEADER_CONTENT_LENGTH)
			continue;
		if (line.value.len == 0 ||
		    sip_span(line.value, SIP_CHAR_DIGIT) != line.value.len)
			return SIP_REJECT_CONTENT_LENGTH;
		if (!str_u32(line.value, &found))
			found = UINT32_MAX;
		if (given && found != *body_len)
			return SIP_REJECT_CONTENT_LENGTH;
		given = true;
		*body_len = found;
	}
	if (!given)
		return SIP_REJECT_CONTENT_LENGTH;
	if (*body_len > stream->cap - (stream->body_at - stream->begin))
		return SIP_REJECT_BODY_TOO_LONG;
	return SIP_OK;
}

struct sip_stream_out
sip_stream_poll(struct sip_stream *stream)
{
	struct sip_stream_out out;
	if (stream->dead != SIP_OK)
		return nothing(stream);

	if (stream->body_at == 0) {
		if (stream->scanned <= stream->begin) {
			if (take_blank_lines(stream, &out))
				return out;
			stream->scanned = stream->begin;
		}
		if (!find_body(stream)) {
			/* A lone CR may yet become an empty line. */
			if (stream->end - stream->begin < 2)
				stream->scanned = stream->begin;
			if (stream->end - stream->begin == stream->cap)
				return refuse(stream, SIP_REJECT_TOO_LONG);
			return nothing(stream);
		}
		const enum sip_reject reject = read_body_len(stream, &stream->body_len);
		if (reject != SIP_OK)
			return refuse(stream, reject);
	}
	if (stream->end - stream->body_at < stream->body_len)
		return nothing(stream);

	out = (struct sip_stream_out){
		.kind = SIP_STREAM_MESSAGE,
		.bytes = stream->buffer + stream->begin,
		.len = stream->body_at - stream->begin + stream->body_len,
	};
	stream->begin += out.len;
	stream->scanned = stream->begin;
	stream->body_at = 0;
	stream->body_len = 0;
	stream->blank = false;
	CHECK(stream->begin <= stream->end);
	return out;
}

bool
sip_stream_waiting(const struct sip_stream *stream)
{
	return stream->dead == SIP_OK && stream->end != stream->begin;
}
