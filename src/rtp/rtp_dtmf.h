/* SPDX-License-Identifier: Apache-2.0 */
/* rtp_dtmf -- keys pressed on a telephone, as RTP events (RFC 4733), received and sent.
 *
 * Receiving: each press is told once, when its first packet that arrives is read, and once when it
 * ends; repeated packets, triple ends, lost starts and lost ends make no difference.
 * Sending: digits and pauses are queued; poll gives the packets in time.
 *
 * Ownership  Values; digits are copied.
 * Threads    One owner.
 * Units      Durations in the event payload's clock (`_rtp`) or microseconds (`_us`).
 * Errors     A payload too short or an event above 15 gives DTMF_NONE and is counted.
 * Limits     DTMF_QUEUE_MAX digits wait to be sent.
 */
#ifndef RTP_RTP_DTMF_H
#define RTP_RTP_DTMF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	DTMF_EVENTS = 16, /* 0-9 * # A-D (RFC 4733 s3.2) */
	DTMF_PAYLOAD_BYTES = 4,
	DTMF_QUEUE_MAX = 128,
	DTMF_VOLUME = 10, /* -dBm0 sent */

	DTMF_LOST_END_US = 200 * 1000, /* no update for so long: the press has ended */
	DTMF_UPDATE_US = 50 * 1000,
	DTMF_FIRST_US = 20 * 1000,   /* what the first packet tells: zero would mean "for ever" */
	DTMF_END_US = 20 * 1000,     /* between the repeated ends, so that no burst takes all */
	DTMF_TONE_US = 100 * 1000,
	DTMF_GAP_US = 60 * 1000,
	DTMF_COMMA_US = 2000 * 1000, /* "," in a dtmfSequence */
	DTMF_ENDS = 3,               /* the end packet is sent three times (s2.5.1.4) */
	DTMF_WAITING_MAX = 3,        /* one packet: release of the last, press, release */
};

/* '0'..'9' '*' '#' 'A'..'D' of an event below DTMF_EVENTS, and back (-1: no such key). */
[[nodiscard]] char dtmf_char(uint8_t event);
[[nodiscard]] int dtmf_event_of(char c);

/* ---- Receiving ---- */

enum dtmf_kind {
	DTMF_NONE,
	DTMF_PRESSED,
	DTMF_RELEASED,
};

struct dtmf_event {
	enum dtmf_kind kind;
	char digit;
	uint32_t duration_us; /* RELEASED; of a lost end, as far as it was heard */
};

struct dtmf_receive {
	uint32_t clock_hz;
	bool known;  /* some event was seen: the fields below mean something */
	bool active; /* pressed, not yet released */
	uint8_t event;
	uint32_t timestamp_rtp; /* of the press's running segment */
	uint16_t duration_rtp;  /* of that segment, so far */
	uint32_t before_rtp;    /* duration of the segments before it (s2.5.1.3) */
	int64_t last_us;
	uint64_t malformed;
	uint64_t stale;
	uint8_t waiting_count;
	struct dtmf_event waiting[DTMF_WAITING_MAX]; /* told by dtmf_receive_poll() */
};

void dtmf_receive_init(struct dtmf_receive *receive, uint32_t clock_hz);
/* One telephone-event payload; then call dtmf_receive_poll() until DTMF_NONE, which is asserted. A
 * press that begins before the last one's end arrived gives that one's RELEASED first. */
void dtmf_receive_input(struct dtmf_receive *receive, uint32_t timestamp_rtp, bool marker,
                        const uint8_t *payload, size_t len, int64_t now_us);
/* Time passes: a press whose end was lost is released. */
void dtmf_receive_tick(struct dtmf_receive *receive, int64_t now_us);
[[nodiscard]] struct dtmf_event dtmf_receive_poll(struct dtmf_receive *receive);
/* When dtmf_receive_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t dtmf_receive_deadline(const struct dtmf_receive *receive);

/* ---- Sending ---- */

struct dtmf_packet {
	uint8_t payload[DTMF_PAYLOAD_BYTES];
	uint32_t timestamp_rtp; /* the press's start, the same in all its packets */
	bool marker;            /* first packet of a press */
};

struct dtmf_send {
	uint32_t clock_hz;
	uint16_t head;
	uint16_t count;
	uint8_t event;     /* being pressed */
	uint8_t ends_left; /* end packets still to be sent */
	bool pressing;
	bool first; /* the press's first packet is still to be sent */
	uint32_t timestamp_rtp;
	int64_t pressed_us;
	int64_t next_us; /* next packet, or when the next digit may begin */
	char digits[DTMF_QUEUE_MAX];
};

void dtmf_send_init(struct dtmf_send *send, uint32_t clock_hz);
/* All of `digits` (0-9 * # A-D a-d and comma) or, when one is unknown or there is no room, none. */
[[nodiscard]] bool dtmf_send_digits(struct dtmf_send *send, const char *digits, size_t len,
                                    int64_t now_us);
/* The next packet that is due; false when there is none now.  `timestamp_rtp` is the RTP time that
 * belongs to `now_us` on the stream the events are sent in.  Call until false. */
[[nodiscard]] bool dtmf_send_poll(struct dtmf_send *send, uint32_t timestamp_rtp, int64_t now_us,
                                  struct dtmf_packet *out);
/* While true, no audio is to be sent: the event takes its place. */
[[nodiscard]] bool dtmf_send_active(const struct dtmf_send *send);
[[nodiscard]] int64_t dtmf_send_deadline(const struct dtmf_send *send);

#endif
