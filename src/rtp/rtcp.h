/* SPDX-License-Identifier: Apache-2.0 */
/* rtcp -- read and write RTCP (RFC 3550 s6, RFC 5506), and decide when to report.
 *
 * rtcp_parse() checks a whole datagram; rtcp_next() then walks its packets.  Types not read here
 * (feedback, XR, APP, ...) come out with their body, to be skipped or read by others.
 *
 * Ownership  Views borrow the caller's bytes.
 * Threads    Pure functions; one owner per `struct rtcp_timing`.
 * Units      NTP time is 32.32 seconds since 1900; "short" is its middle 32 bits, 1/65536 s.
 * Errors     rtcp_parse returns an `enum rtcp_reject`; writers fail with their `struct writer`.
 * Limits     Below.
 */
#ifndef RTP_RTCP_H
#define RTP_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"
#include "rtp/rtp.h"

enum {
	RTCP_HEADER_BYTES = 4,
	RTCP_BLOCK_BYTES = 24,
	RTCP_BLOCKS_MAX = 31,
	RTCP_PACKETS_MAX = 32, /* in one datagram; ours: bounds the work it can cost */
	RTCP_CNAME_MAX = 255,
};

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_RTPFB = 205,
	RTCP_PSFB = 206,
	RTCP_XR = 207,
};

enum rtcp_reject {
	RTCP_OK = 0,
	RTCP_REJECT_SHORT,    /* no whole packet in it, or a length field that overruns */
	RTCP_REJECT_VERSION,  /* not 2, or a type outside 192..223 */
	RTCP_REJECT_PADDING,  /* padding before the last packet, or a wrong count */
	RTCP_REJECT_COUNTS,   /* blocks, sources or chunks that overrun their packet */
	RTCP_REJECT_FIRST,    /* compound asked for, and the first is neither SR nor RR */
	RTCP_REJECT_TOO_MANY, /* more than RTCP_PACKETS_MAX packets */
	RTCP_REJECT_COUNT,
};

/* `reduced`: RFC 5506 packets are taken as well; else the first must be SR or RR. */
[[nodiscard]] enum rtcp_reject rtcp_parse(const uint8_t *bytes, size_t len, bool reduced);
const char *rtcp_reject_name(enum rtcp_reject reject);

struct rtcp_packet {
	uint8_t type;        /* enum rtcp_type or another */
	uint8_t count;       /* RC, SC or FMT */
	uint32_t ssrc;       /* first word of the body, 0 if there is none */
	const uint8_t *body; /* behind the 4-byte header, padding excluded; borrowed */
	uint16_t body_len;
};

/* Walks a datagram that rtcp_parse() took; `*at` starts as 0.  False at the end. */
[[nodiscard]] bool rtcp_next(const uint8_t *bytes, size_t len, size_t *at, struct rtcp_packet *out);

struct rtcp_sender_info {
	uint64_t ntp;
	uint32_t timestamp_rtp;
	uint32_t packets;
	uint32_t bytes;
};

struct rtcp_block {
	uint32_t ssrc;
	uint8_t fraction_lost; /* of 256 */
	int32_t lost;          /* 24 bits on the wire, clamped */
	uint32_t highest_seq;  /* cycles and number */
	uint32_t jitter_rtp;
	uint32_t last_sr;       /* NTP short, 0: none yet */
	uint32_t since_last_sr; /* NTP short */
};

/* `packet` is an SR. */
[[nodiscard]] struct rtcp_sender_info rtcp_sender_info(const struct rtcp_packet *packet);
/* Report blocks of an SR or RR: `at` is below packet->count. */
[[nodiscard]] struct rtcp_block rtcp_block(const struct rtcp_packet *packet, unsigned at);
/* CNAME of `ssrc` in an SDES; empty when absent. */
[[nodiscard]] struct str rtcp_cname(const struct rtcp_packet *packet, uint32_t ssrc);
/* Does this BYE name `ssrc`? */
[[nodiscard]] bool rtcp_bye_names(const struct rtcp_packet *packet, uint32_t ssrc);
/* The reason a BYE gives; empty when absent. */
[[nodiscard]] struct str rtcp_bye_reason(const struct rtcp_packet *packet);

/* ---- Writing: SR or RR first, then SDES, then the rest (s6.1) ---- */

void rtcp_write_sr(struct writer *w, uint32_t ssrc, const struct rtcp_sender_info *info,
                   const struct rtcp_block *blocks, unsigned count);
void rtcp_write_rr(struct writer *w, uint32_t ssrc, const struct rtcp_block *blocks,
                   unsigned count);
void rtcp_write_sdes(struct writer *w, uint32_t ssrc, struct str cname);
/* `reason` may be empty; at most 255 bytes of it are sent. */
void rtcp_write_bye(struct writer *w, uint32_t ssrc, struct str reason);

/* ---- Time ---- */

/* From wall time, microseconds since 1970. */
[[nodiscard]] uint64_t rtcp_ntp(int64_t wall_us);
/* The other way; a stranger's may lie before 1970. */
[[nodiscard]] int64_t rtcp_ntp_us(uint64_t ntp);
[[nodiscard]] uint32_t rtcp_ntp_short(uint64_t ntp);

/* What is kept of a peer's last SR, to answer with. */
struct rtcp_last_sr {
	uint32_t ntp_short; /* 0: none yet */
	int64_t at_us;
};

/* A report block about what `receive` got from `ssrc`; takes the fraction lost. */
[[nodiscard]] struct rtcp_block rtcp_block_of(uint32_t ssrc, struct rtp_receive *receive,
                                              const struct rtcp_last_sr *last_sr, int64_t now_us);

/* Round trip by a block about us (s6.4.1), or -1 when it cannot be told: no SR of ours was seen,
 * or the peer's numbers give a negative or absurd (over a minute) time. */
[[nodiscard]] int64_t rtcp_rtt_us(const struct rtcp_block *block, uint64_t ntp_now);

/* ---- When to report (s6.2, s6.3) ---- */

struct rtcp_timing_settings {
	uint32_t bandwidth_bps; /* of the session; 5 % of it is RTCP's share */
	int64_t interval_us_min; /* 0: 5 s, and half of it before the first report */
};

struct rtcp_timing {
	uint32_t rtcp_bps;
	int64_t interval_us_min;
	uint32_t members; /* ourselves included */
	uint32_t senders;
	uint32_t packet_bytes_avg_q4; /* with UDP and IP headers, times 16 */
	bool we_sent;
	bool initial;
	int64_t last_us; /* tp */
	int64_t next_us; /* tn */
};

/* `random` is any 32 random bits, here and below. */
void rtcp_timing_init(struct rtcp_timing *timing, const struct rtcp_timing_settings *settings,
                      uint32_t random, int64_t now_us);
/* What changed: members >= 1; on fewer members the next report moves nearer (s6.3.4). */
void rtcp_timing_members(struct rtcp_timing *timing, uint32_t members, uint32_t senders,
                         bool we_sent, int64_t now_us);
/* A compound packet of `len` bytes was received or sent. */
void rtcp_timing_packet(struct rtcp_timing *timing, size_t len);
/* When a report is due. */
[[nodiscard]] int64_t rtcp_timing_deadline(const struct rtcp_timing *timing);
/* True when a report is to be sent now; the next is then scheduled.  Timer reconsideration
 * (s6.3.6) may move the deadline and say false. */
[[nodiscard]] bool rtcp_timing_due(struct rtcp_timing *timing, uint32_t random, int64_t now_us);

#endif
