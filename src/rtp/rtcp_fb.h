/* SPDX-License-Identifier: Apache-2.0 */
/* rtcp_fb -- read and write RTCP feedback: generic NACK and PLI (RFC 4585), FIR, TMMBR and TMMBN
 * (RFC 5104), REMB (draft-alvestrand-rmcat-remb-03) and transport-wide congestion control
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01).
 *
 * rtcp_fb_parse() checks one packet that rtcp_next() gave; the readers below then cannot fail.  A
 * peer with many streams may send one message per stream and for several of ours in one datagram
 * (RFC 8108 s5): each stands for itself, and who sent it (sender_ssrc) needs not be a known source.
 *
 * Ownership  Views borrow the caller's bytes.
 * Threads    Pure functions.
 * Units      Bit rates are bits/s.  Transport-wide arrival times are microseconds on the peer's
 *            clock since the message's reference time.
 * Errors     rtcp_fb_parse returns an `enum rtcp_fb_reject` and leaves `*out` alone; writers fail
 *            with their `struct writer`, which then holds nothing of the message.
 * Limits     Below: a message costs at most RTCP_FB_STATUSES_MAX steps, whatever it claims.
 */
#ifndef RTP_RTCP_FB_H
#define RTP_RTCP_FB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "rtp/rtcp.h"

enum {
	RTCP_FB_STATUSES_MAX = 8192, /* packets one transport-wide message may tell of; ours */
	RTCP_FB_ENTRIES_MAX = 255,   /* of what we write in one message: pairs, entries, SSRCs */
	RTCP_TWCC_TICK = 250,        /* microseconds, the unit of arrival deltas */
	RTCP_TWCC_REFERENCE = 64000, /* microseconds, the unit of the reference time */
};

enum rtcp_fb_kind {
	RTCP_FB_NACK,
	RTCP_FB_TMMBR,
	RTCP_FB_TMMBN,
	RTCP_FB_TWCC,
	RTCP_FB_PLI,
	RTCP_FB_FIR,
	RTCP_FB_REMB,
	RTCP_FB_OTHER, /* a format that is not read here (SLI, RPSI, application layer, ...) */
};

enum rtcp_fb_reject {
	RTCP_FB_OK = 0,
	RTCP_FB_REJECT_TYPE,     /* neither RTPFB nor PSFB */
	RTCP_FB_REJECT_SHORT,    /* no room for the two SSRCs or the format's fixed fields */
	RTCP_FB_REJECT_ENTRIES,  /* not a whole number of entries, none, or a count that lies */
	RTCP_FB_REJECT_BITRATE,  /* does not fit 63 bits */
	RTCP_FB_REJECT_STATUSES, /* transport-wide: none, or more than RTCP_FB_STATUSES_MAX */
	RTCP_FB_REJECT_CHUNKS,   /* fewer status chunks than statuses */
	RTCP_FB_REJECT_SYMBOL,   /* a reserved status */
	RTCP_FB_REJECT_DELTAS,   /* fewer deltas than received packets, or bytes behind them */
	RTCP_FB_REJECT_COUNT,
};

struct rtcp_fb {
	enum rtcp_fb_kind kind;
	uint32_t sender_ssrc;
	uint32_t media_ssrc; /* 0 in FIR, TMMBR, TMMBN and REMB: their entries name the streams */
	const uint8_t *fci;  /* borrowed */
	uint16_t fci_len;
	uint16_t count;     /* NACK pairs; FIR, TMMBR, TMMBN entries; REMB SSRCs; statuses */
	uint16_t deltas_at; /* transport-wide: offset of the first delta in the FCI */
};

[[nodiscard]] enum rtcp_fb_reject rtcp_fb_parse(struct rtcp_fb *out,
                                                const struct rtcp_packet *packet);
const char *rtcp_fb_reject_name(enum rtcp_fb_reject reject);

/* ---- Reading: each wants its kind, and `at` below fb->count ---- */

/* Sequence numbers a NACK asks for, in the order of the message: `*at` starts as 0; false at the
 * end.  At most 17 a pair. */
[[nodiscard]] bool rtcp_fb_nack_next(const struct rtcp_fb *fb, uint32_t *at, uint16_t *seq);

struct rtcp_fir {
	uint32_t ssrc; /* who shall send a key frame */
	uint8_t seq;   /* a repetition has the same one (RFC 5104 s4.3.1.1) */
};

[[nodiscard]] struct rtcp_fir rtcp_fb_fir(const struct rtcp_fb *fb, unsigned at);

struct rtcp_tmmb {
	uint32_t ssrc;
	uint64_t bitrate_bps;    /* rounded down to 17 significant bits when written */
	uint16_t overhead_bytes; /* a packet, of 9 bits */
};

/* Of TMMBR and TMMBN. */
[[nodiscard]] struct rtcp_tmmb rtcp_fb_tmmb(const struct rtcp_fb *fb, unsigned at);

[[nodiscard]] uint64_t rtcp_fb_remb_bps(const struct rtcp_fb *fb);
[[nodiscard]] uint32_t rtcp_fb_remb_ssrc(const struct rtcp_fb *fb, unsigned at);

struct rtcp_twcc {
	uint16_t base_seq;
	uint32_t reference; /* 24 bits, in RTCP_TWCC_REFERENCE, on the peer's clock; wraps */
	uint8_t feedback_seq;
};

[[nodiscard]] struct rtcp_twcc rtcp_fb_twcc(const struct rtcp_fb *fb);

struct rtcp_twcc_status {
	uint16_t seq;
	bool received;
	int64_t at_us; /* since the reference time, negative when reordered; 0 if not received */
};

/* Walks the statuses in order of sequence number. */
struct rtcp_twcc_walk {
	struct reader chunks, deltas;
	int64_t ticks;
	uint16_t seq, left;
	uint16_t chunk, chunk_left; /* the chunk under way: as on the wire, symbols not yet taken */
};

void rtcp_twcc_walk_init(struct rtcp_twcc_walk *walk, const struct rtcp_fb *fb);
[[nodiscard]] bool rtcp_twcc_walk_next(struct rtcp_twcc_walk *walk, struct rtcp_twcc_status *out);

/* ---- Writing, behind an SR or RR (or alone where RFC 5506 was agreed) ---- */

/* `seqs` ascends (it may wrap); `count` is 1 to RTCP_FB_ENTRIES_MAX. */
void rtcp_fb_write_nack(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                        const uint16_t *seqs, unsigned count);
void rtcp_fb_write_pli(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc);
void rtcp_fb_write_fir(struct writer *w, uint32_t sender_ssrc, const struct rtcp_fir *entries,
                       unsigned count);
void rtcp_fb_write_tmmbr(struct writer *w, uint32_t sender_ssrc, const struct rtcp_tmmb *entries,
                         unsigned count);
/* `count` may be 0: nobody bounds us. */
void rtcp_fb_write_tmmbn(struct writer *w, uint32_t sender_ssrc, const struct rtcp_tmmb *entries,
                         unsigned count);
void rtcp_fb_write_remb(struct writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps,
                        const uint32_t *ssrcs, unsigned count);

struct rtcp_twcc_report {
	uint32_t sender_ssrc;
	uint32_t media_ssrc; /* any stream of the transport */
	uint16_t base_seq;
	uint8_t feedback_seq;
	const int64_t *at_us; /* arrival of each packet from base_seq on, -1: not received */
	unsigned count;       /* 1 to RTCP_FB_STATUSES_MAX */
};

/* One message; returns how many statuses it tells of.  It stops before a delta that 16 bits do not
 * hold (8.19 s) and where the writer's room ends, so the rest goes into a further message; 0 when
 * nothing was written: no room for anything, or no packet of these was received. */
[[nodiscard]] unsigned rtcp_fb_write_twcc(struct writer *w, const struct rtcp_twcc_report *report);

#endif
