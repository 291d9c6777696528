/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtp_dtmf.h"

#include <string.h>

#include "base/check.h"

enum {
	US_PER_S = 1000 * 1000,
	SEGMENT_RTP_MAX = 0xffff,
	STALE_S = 10, /* an older timestamp within it is a late packet of an earlier press */
};

static const char keys[DTMF_EVENTS + 1] = "0123456789*#ABCD";

char
dtmf_char(uint8_t event)
{
	CHECK(event < DTMF_EVENTS);
	return keys[event];
}

int
dtmf_event_of(char c)
{
	if (c >= 'a' && c <= 'd')
		c = (char)(c - 'a' + 'A');
	const char *key = c != '\0' ? strchr(keys, c) : NULL;
	return key != NULL ? (int)(key - keys) : -1;
}

/* ---- Receiving ---- */

void
dtmf_receive_init(struct dtmf_receive *receive, uint32_t clock_hz)
{
	CHECK(clock_hz != 0);
	*receive = (struct dtmf_receive){ .clock_hz = clock_hz };
}

static void
tell(struct dtmf_receive *receive, enum dtmf_kind kind)
{
	CHECK(receive->waiting_count < DTMF_WAITING_MAX);
	struct dtmf_event *event = &receive->waiting[receive->waiting_count++];
	*event = (struct dtmf_event){ .kind = kind, .digit = dtmf_char(receive->event) };
	if (kind == DTMF_RELEASED) {
		const uint64_t rtp = (uint64_t)receive->before_rtp + receive->duration_rtp;
		const uint64_t us = rtp * US_PER_S / receive->clock_hz;
		event->duration_us = (uint32_t)(us < UINT32_MAX ? us : UINT32_MAX);
		receive->active = false;
	}
}

/* A longer press than the duration field can tell goes on in a new segment, which starts where the
 * last one ended (RFC 4733 s2.5.1.3). */
static bool
continues(const struct dtmf_receive *receive, uint32_t timestamp_rtp, bool marker, uint8_t event)
{
	const uint32_t since = timestamp_rtp - receive->timestamp_rtp;
	return receive->active && !marker && event == receive->event &&
	       (since == SEGMENT_RTP_MAX || (since == receive->duration_rtp && since != 0));
}

static bool
is_stale(const struct dtmf_receive *receive, uint32_t timestamp_rtp)
{
	const int32_t since = (int32_t)(timestamp_rtp - receive->timestamp_rtp);
	return since < 0 && -(int64_t)since < (int64_t)receive->clock_hz * STALE_S;
}

void
dtmf_receive_input(struct dtmf_receive *receive, uint32_t timestamp_rtp, bool marker,
                   const uint8_t *payload, size_t len, int64_t now_us)
{
	CHECK(receive->clock_hz != 0);
	CHECK(receive->waiting_count == 0);
	struct reader r = reader_of(payload, len);
	const uint8_t event = reader_u8(&r);
	const bool end = reader_u8(&r) >> 7 != 0;
	const uint16_t duration = reader_u16(&r);
	if (r.failed || event >= DTMF_EVENTS) {
		receive->malformed++;
		return;
	}

	const bool same = receive->known && timestamp_rtp == receive->timestamp_rtp &&
	                  event == receive->event;
	if ((same && !receive->active) || (receive->known && is_stale(receive, timestamp_rtp))) {
		receive->stale++;
		return;
	}
	if (same) {
		if (duration > receive->duration_rtp)
			receive->duration_rtp = duration;
	} else if (continues(receive, timestamp_rtp, marker, event)) {
		receive->before_rtp += timestamp_rtp - receive->timestamp_rtp;
		receive->timestamp_rtp = timestamp_rtp;
		receive->duration_rtp = duration;
	} else {
		if (receive->active)
			tell(receive, DTMF_RELEASED);
		receive->known = true;
		receive->active = true;
		receive->event = event;
		receive->timestamp_rtp = timestamp_rtp;
		receive->duration_rtp = duration;
		receive->before_rtp = 0;
		tell(receive, DTMF_PRESSED);
	}
	receive->last_us = now_us;
	if (end)
		tell(receive, DTMF_RELEASED);
}

void
dtmf_receive_tick(struct dtmf_receive *receive, int64_t now_us)
{
	CHECK(receive->waiting_count == 0);
	if (now_us >= dtmf_receive_deadline(receive))
		tell(receive, DTMF_RELEASED);
}

struct dtmf_event
dtmf_receive_poll(struct dtmf_receive *receive)
{
	if (receive->waiting_count == 0)
		return (struct dtmf_event){ .kind = DTMF_NONE };
	const struct dtmf_event event = receive->waiting[0];
	receive->waiting_count--;
	memmove(&receive->waiting[0], &receive->waiting[1],
	        receive->waiting_count * sizeof receive->waiting[0]);
	return event;
}

int64_t
dtmf_receive_deadline(const struct dtmf_receive *receive)
{
	return receive->active ? receive->last_us + DTMF_LOST_END_US : INT64_MAX;
}

/* ---- Sending ---- */

void
dtmf_send_init(struct dtmf_send *send, uint32_t clock_hz)
{
	CHECK(clock_hz != 0);
	*send = (struct dtmf_send){ .clock_hz = clock_hz };
}

bool
dtmf_send_digits(struct dtmf_send *send, const char *digits, size_t len, int64_t now_us)
{
	if (len > (size_t)(DTMF_QUEUE_MAX - send->count))
		return false;
	for (size_t i = 0; i < len; i++)
		if (digits[i] != ',' && dtmf_event_of(digits[i]) < 0)
			return false;
	if (send->count == 0 && !send->pressing && send->next_us < now_us)
		send->next_us = now_us;
	for (size_t i = 0; i < len; i++)
		send->digits[(send->head + send->count++) % DTMF_QUEUE_MAX] = digits[i];
	return true;
}

static char
next_digit(struct dtmf_send *send)
{
	const char digit = send->digits[send->head];
	send->head = (uint16_t)((send->head + 1) % DTMF_QUEUE_MAX);
	send->count--;
	return digit;
}

/* Takes the next digit from the queue, if it is time for it. */
static void
begin(struct dtmf_send *send, uint32_t timestamp_rtp, int64_t now_us)
{
	while (!send->pressing && send->count != 0 && now_us >= send->next_us) {
		const char digit = next_digit(send);
		if (digit == ',') {
			send->next_us = now_us + DTMF_COMMA_US;
			continue;
		}
		send->pressing = true;
		send->first = true;
		send->event = (uint8_t)dtmf_event_of(digit);
		send->ends_left = DTMF_ENDS;
		send->timestamp_rtp = timestamp_rtp;
		send->pressed_us = now_us;
		send->next_us = now_us;
	}
}

bool
dtmf_send_poll(struct dtmf_send *send, uint32_t timestamp_rtp, int64_t now_us,
               struct dtmf_packet *out)
{
	begin(send, timestamp_rtp, now_us);
	if (!send->pressing || now_us < send->next_us)
		return false;

	const int64_t end_us = send->pressed_us + DTMF_TONE_US;
	const bool end = now_us >= end_us;
	int64_t duration_us = end ? DTMF_TONE_US : now_us - send->pressed_us;
	if (duration_us < DTMF_FIRST_US)
		duration_us = DTMF_FIRST_US;

	*out = (struct dtmf_packet){ .timestamp_rtp = send->timestamp_rtp, .marker = send->first };
	struct writer w = writer_of(out->payload, sizeof out->payload);
	writer_u8(&w, send->event);
	writer_u8(&w, (uint8_t)((end ? 0x80 : 0) | DTMF_VOLUME));
	writer_u16(&w, (uint16_t)(duration_us * send->clock_hz / US_PER_S));

	send->first = false;
	if (!end) {
		send->next_us = now_us + DTMF_UPDATE_US < end_us ? now_us + DTMF_UPDATE_US : end_us;
	} else if (--send->ends_left != 0) {
		send->next_us = now_us + DTMF_END_US;
	} else {
		send->pressing = false;
		send->next_us = now_us > end_us + DTMF_GAP_US ? now_us : end_us + DTMF_GAP_US;
	}
	return true;
}

bool
dtmf_send_active(const struct dtmf_send *send)
{
	return send->pressing;
}

int64_t
dtmf_send_deadline(const struct dtmf_send *send)
{
	return send->pressing || send->count != 0 ? send->next_us : INT64_MAX;
}
