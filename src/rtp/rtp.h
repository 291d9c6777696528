/* SPDX-License-Identifier: Apache-2.0 */
/* rtp -- RTP packets and what is counted about them (RFC 3550, 5761, 6464, 7983, 8285).
 *
 * Sans-IO: bytes in, a view out; time is passed in.  No allocation, no clock, no logging.
 *
 * Ownership  A parsed `struct rtp_packet` borrows the caller's bytes; all else are values.
 * Threads    Pure functions; one owner per counter.
 * Units      Lengths are bytes; `_rtp` is the payload's clock; levels are dB below full scale.
 * Errors     Parsing returns an `enum rtp_reject` naming the rule the peer broke.  Writing goes
 *            through a `struct writer` and fails with it.
 * Limits     Below.
 */
#ifndef RTP_RTP_H
#define RTP_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	RTP_HEADER_BYTES = 12,
	RTP_PACKET_BYTES_MAX = 65535,
	RTP_CSRCS_MAX = 15,
	RTP_EXT_ID_MAX = 255,
	RTP_EXT_ONE_BYTE_ID_MAX = 14,
	RTP_EXT_ONE_BYTE_LEN_MAX = 16,
	RTP_EXT_ONE_BYTE = 0xBEDE, /* RFC 8285 s4.2 */
	RTP_EXT_TWO_BYTE = 0x1000, /* s4.3, the low four bits are appbits */
	RTP_LEVEL_SILENT = 127,    /* -127 dBov (RFC 6464 s3) */
};

/* ---- What arrived on a port that carries everything ---- */

enum rtp_kind {
	RTP_KIND_UNKNOWN,
	RTP_KIND_STUN,
	RTP_KIND_DTLS,
	RTP_KIND_CHANNEL, /* TURN ChannelData */
	RTP_KIND_RTP,     /* or SRTP */
	RTP_KIND_RTCP,    /* or SRTCP */
};

/* By the first byte (RFC 7983 s7) and, for RTP and RTCP, the second (RFC 5761 s4). */
[[nodiscard]] enum rtp_kind rtp_kind_of(const uint8_t *bytes, size_t len);

/* ---- Packets ---- */

enum rtp_reject {
	RTP_OK = 0,
	RTP_REJECT_SHORT,     /* no room for the fixed header or the CSRCs */
	RTP_REJECT_LONG,      /* more than RTP_PACKET_BYTES_MAX */
	RTP_REJECT_VERSION,   /* not 2 */
	RTP_REJECT_EXTENSION, /* the extension overruns the packet */
	RTP_REJECT_PADDING,   /* no padding count, zero, or more than there is payload */
	RTP_REJECT_COUNT,
};

struct rtp_packet {
	const uint8_t *bytes; /* borrowed */
	uint16_t len;
	uint16_t seq;
	uint32_t timestamp_rtp;
	uint32_t ssrc;
	uint16_t payload_at;  /* offset */
	uint16_t payload_len; /* padding excluded */
	uint16_t ext_at;      /* offset of the extension's content, 0: no extension */
	uint16_t ext_len;
	uint16_t ext_profile;
	uint8_t payload_type;
	uint8_t csrc_count;
	bool marker;
};

/* On any reject `*out` is left untouched. */
[[nodiscard]] enum rtp_reject rtp_parse(struct rtp_packet *out, const uint8_t *bytes, size_t len);
const char *rtp_reject_name(enum rtp_reject reject);

static inline const uint8_t *
rtp_payload(const struct rtp_packet *packet)
{
	return packet->bytes + packet->payload_at;
}

/* `at` is below packet->csrc_count. */
[[nodiscard]] uint32_t rtp_csrc(const struct rtp_packet *packet, unsigned at);

/* ---- Header extensions ---- */

struct rtp_ext {
	const uint8_t *value; /* borrowed */
	uint8_t id;
	uint8_t len; /* may be 0 in the two-byte form */
};

/* The next element at or behind `*at`, which starts as 0; false at the end.  An element that
 * overruns the extension ends it (RFC 8285 s4.2 leaves what was read before valid). */
[[nodiscard]] bool rtp_ext_next(const struct rtp_packet *packet, uint16_t *at, struct rtp_ext *out);
/* First element with this id; an id of 0 is "not negotiated" and finds nothing. */
[[nodiscard]] bool rtp_ext_find(const struct rtp_packet *packet, uint8_t id, struct rtp_ext *out);

struct rtp_audio_level {
	uint8_t below_full_db; /* 0 loudest .. RTP_LEVEL_SILENT */
	bool voice;
};

/* RFC 6464.  False when the packet does not carry it under `id`. */
[[nodiscard]] bool rtp_audio_level(const struct rtp_packet *packet, uint8_t id,
                                   struct rtp_audio_level *out);
/* The value byte for a `struct rtp_ext` of length 1. */
[[nodiscard]] uint8_t rtp_audio_level_byte(struct rtp_audio_level level);
/* RFC 9143 s15: the mid as text, empty when absent. */
[[nodiscard]] struct str rtp_mid(const struct rtp_packet *packet, uint8_t id);

/* ---- Writing ---- */

struct rtp_header {
	uint8_t payload_type; /* 0..127 */
	bool marker;
	uint16_t seq;
	uint32_t timestamp_rtp;
	uint32_t ssrc;
	const uint32_t *csrcs;
	unsigned csrc_count;
	const struct rtp_ext *exts; /* ids 1..255; written in the one-byte form when all fit it */
	unsigned ext_count;
};

/* The header; the caller writes the payload behind it. */
void rtp_write_header(struct writer *w, const struct rtp_header *header);
/* `count` bytes of padding, 1..255, behind the payload; sets the P bit of the packet that starts
 * at the writer's first byte. */
void rtp_write_padding(struct writer *w, uint8_t count);

/* ---- Sequence numbers ---- */

/* A 16-bit number continued without wrapping: the candidate nearest to the highest seen. */
struct rtp_seq {
	int64_t highest;
	bool started;
};

/* Does not move `highest`. */
[[nodiscard]] int64_t rtp_seq_extend(const struct rtp_seq *seq, uint16_t wire);
/* Extends and moves `highest` forward, never back. */
int64_t rtp_seq_input(struct rtp_seq *seq, uint16_t wire);

/* The same for 32-bit timestamps. */
[[nodiscard]] int64_t rtp_timestamp_extend(int64_t near_rtp, uint32_t wire);
/* Microseconds in units of a clock, modulo 2^32. */
[[nodiscard]] uint32_t rtp_of_us(int64_t us, uint32_t clock_hz);

/* ---- What we receive from one SSRC ---- */

enum {
	RTP_PROBATION = 2,       /* packets in sequence before a source is valid (RFC 3550 A.1) */
	RTP_DROPOUT_MAX = 3000,  /* a larger jump forward is a restart, once confirmed */
	RTP_MISORDER_MAX = 100,
	RTP_HISTORY = 128,       /* packets among which duplicates are known */
};

enum rtp_verdict {
	RTP_VERDICT_NEW,       /* next, or first after a gap */
	RTP_VERDICT_LATE,      /* reordered, was counted lost */
	RTP_VERDICT_DUPLICATE, /* drop */
	RTP_VERDICT_OLD,       /* RTP_MISORDER_MAX or more behind: drop, it may be a stray */
	RTP_VERDICT_PROBATION, /* the source is not valid yet: keep, but do not trust */
	RTP_VERDICT_JUMP,      /* RTP_DROPOUT_MAX or more ahead: drop, it may be a stray */
	RTP_VERDICT_RESTART,   /* the one that followed an OLD or JUMP: the peer began anew */
};

struct rtp_receive {
	struct rtp_seq seq;
	uint64_t history[RTP_HISTORY / 64]; /* bit n: highest - n was received */
	int64_t base;          /* first sequence number counted */
	int64_t received;      /* distinct packets since base */
	int64_t expected_prior;
	int64_t received_prior;
	uint32_t transit_rtp; /* arrival minus timestamp, of the last in order */
	uint32_t clock_hz;
	uint32_t jitter_q4_rtp; /* RFC 3550 A.8, times 16 */
	uint16_t bad_seq;       /* what would confirm a restart */
	uint8_t probation;
	bool bad_seq_set;
	bool transit_set;
	uint64_t packets; /* these count on over restarts, for statistics */
	uint64_t bytes;   /* payload, duplicates and strays excluded */
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t jumps;
	uint64_t restarts;
	int64_t last_us;
};

void rtp_receive_init(struct rtp_receive *receive, uint32_t clock_hz);
enum rtp_verdict rtp_receive_input(struct rtp_receive *receive, const struct rtp_packet *packet,
                                   int64_t now_us);
/* Valid: past probation. */
[[nodiscard]] bool rtp_receive_valid(const struct rtp_receive *receive);
/* Expected minus received since base, as in a report block; negative with late counting. */
[[nodiscard]] int64_t rtp_receive_lost(const struct rtp_receive *receive);
[[nodiscard]] uint32_t rtp_receive_jitter_us(const struct rtp_receive *receive);
/* Fraction lost since the last call, of 256 (A.3). */
[[nodiscard]] uint8_t rtp_receive_take_fraction(struct rtp_receive *receive);

/* ---- What we send on one SSRC ---- */

struct rtp_send {
	uint32_t ssrc;
	uint32_t timestamp_rtp; /* of the last packet */
	uint32_t clock_hz;
	uint16_t seq; /* next */
	bool started;
	uint64_t packets;
	uint64_t bytes; /* payload */
	int64_t last_us;
};

/* `random` gives the first sequence number; its top bit is left out, so that a receiver that
 * misses the start cannot miss a wrap (RFC 3711 s3.3.1). */
void rtp_send_init(struct rtp_send *send, uint32_t ssrc, uint32_t clock_hz, uint16_t random);
/* Fills seq and ssrc of `header` and counts the packet. */
void rtp_send_next(struct rtp_send *send, struct rtp_header *header, size_t payload_len,
                   int64_t now_us);
/* The RTP time that belongs to `now_us`, for a sender report (RFC 3550 s6.4.1). */
[[nodiscard]] uint32_t rtp_send_timestamp_at(const struct rtp_send *send, int64_t now_us);

#endif
