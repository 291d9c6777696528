/* SPDX-License-Identifier: Apache-2.0 */
/* bwe_send -- how much may we send on one transport?  (draft-ietf-rmcat-gcc-02, and where that is
 * silent our own rules.)
 *
 * Peers with transport-wide feedback: growing one-way delay (bwe/trend.h) cuts the rate to 85 % of
 * what is acknowledged; else it grows, by 8 % a second far from the last known capacity and by 4 %
 * at most near it.  Loss beyond 10 % cuts too.  Loss that comes without delay, and does not follow
 * the rate up and down, is lived with.  Probes (short clusters at a higher rate) find out that a
 * link was given back: the rate then follows in a second or two, not in half a minute.
 *
 * Peers without: report blocks (loss, round trip), what they ask to be sent again, key frames that
 * they ask for because something is missing, and REMB.  The first report of much loss takes the rate to
 * what the link let through; key frames asked for again and again cut it before a report comes.
 *
 * Sans-IO: inputs change the state; bwe_send_target_bps() and bwe_send_probe() read it afterwards.
 *
 * Ownership  The caller's memory, some 18 KiB; a plain value without pointers.
 * Threads    One owner.
 * Units      Bits/s, bytes as the caller counts them (the whole datagram), microseconds.
 * Errors     Feedback that cannot be is counted per `enum bwe_reject` and changes nothing.
 * Limits     BWE_HISTORY packets are remembered; older ones are no longer acknowledged.
 *
 * Lies       Only packets that we sent are acknowledged, each once, and the acknowledged rate is
 *            never more than our own clock says we sent them with.  So feedback alone cannot raise
 *            the target beyond 1.5 times the rate really sent (or sent in a probe), nor to below
 *            `min_bps`.  A peer can only starve itself.
 */
#ifndef BWE_BWE_SEND_H
#define BWE_BWE_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "bwe/rate_meter.h"
#include "bwe/trend.h"
#include "rtp/rtcp.h"
#include "rtp/rtcp_fb.h"
#include "rtp/rtp.h"

enum {
	BWE_HISTORY = 2048,
	BWE_STREAMS_MAX = 16,               /* SSRCs whose report blocks are told apart */
	BWE_SKEW_US_MAX = 5 * 1000 * 1000,  /* a message may be off the peer's clock by so much */
	BWE_SPAN_US_MAX = 10 * 1000 * 1000, /* between first and last arrival in a message */
	BWE_SILENCE_US = 1500 * 1000,       /* sending without feedback for so long: go down */
	BWE_PROBE_PACKETS = 5,              /* a cluster has so many at least */
	BWE_SPOILT_MAX = 3,                 /* key frames asked for that call for a cut */
	BWE_SPOILT_FLOOR_BPS = 300 * 1000,  /* which goes no further than this */
	BWE_MIN_BPS_DEFAULT = 50 * 1000,
	BWE_START_BPS_DEFAULT = 500 * 1000,
	BWE_MAX_BPS_DEFAULT = 20 * 1000 * 1000,
};

enum bwe_reject {
	BWE_OK = 0,
	BWE_REJECT_UNSENT,  /* says it received a number that we never sent */
	BWE_REJECT_OLD,     /* all its packets are forgotten or were acknowledged before */
	BWE_REJECT_CLOCK,   /* its time is seconds away from where the peer's clock must be */
	BWE_REJECT_SPAN,    /* its deltas add up to more than BWE_SPAN_US_MAX */
	BWE_REJECT_BITRATE, /* a REMB or TMMBR of nothing */
	BWE_REJECT_COUNT,
};

struct bwe_settings {
	int64_t min_bps, start_bps, max_bps; /* 0: the default */
	bool twcc; /* the peer agreed to transport-wide feedback; false: report blocks and REMB */
};

struct bwe_sent {
	uint16_t seq; /* transport-wide number; ignored without twcc */
	uint16_t bytes;
	uint8_t probe_id; /* of the cluster it belongs to, 0: none */
};

struct bwe_probe {
	uint8_t id; /* 1..255 */
	int64_t rate_bps;
	uint32_t bytes; /* in BWE_PROBE_PACKETS packets or more; padding where media is lacking */
};

/* What the caller could send. */
struct bwe_demand {
	int64_t wanted_bps; /* with everybody at their best; no probing beyond it */
	bool limited;       /* it sends less than the target because it has no more to send */
};

struct bwe_stats {
	int64_t acked_bps; /* 0: not known yet */
	int64_t rtt_us;    /* -1: not known yet */
	int64_t queue_us;  /* how much longer packets now take than at best */
	uint32_t loss_q8;  /* of 256, smoothed over some fifty packets */
	uint64_t feedbacks, overuses, loss_cuts, silences;
	uint64_t reports;    /* of peers that go by them */
	uint64_t spoilt, spoilt_cuts;
	int64_t spoilt_us;   /* when a key frame was last asked for; -1: never */
	uint64_t probes, probes_raised, probes_failed;
	uint64_t late_packets; /* came although they were called lost */
	uint64_t rejects[BWE_REJECT_COUNT];
};

/* Below here: ours; others use the functions. */
struct bwe_record {
	uint32_t sent_us; /* low bits */
	uint16_t bytes;
	uint8_t probe_id;
	uint8_t state; /* never sent, under way, lost, received */
};

struct bwe_cluster {
	struct bwe_probe probe; /* id 0: none under way */
	int64_t asked_us;
	int64_t first_sent_us, last_sent_us;
	int64_t first_arrived_us, half_arrived_us, last_arrived_us;
	uint32_t packets, bytes;          /* acknowledged */
	uint32_t first_bytes, last_bytes; /* of these two packets */
	uint32_t half_bytes;              /* up to half_arrived_us */
};

/* What was sent up to a moment. */
struct bwe_tally {
	int64_t at_us;
	uint64_t bytes;
	uint32_t packets;
};

struct bwe_stream {
	uint32_t ssrc;
	uint32_t highest_seq;
	int64_t heard_us;
};

struct bwe_send {
	struct bwe_record records[BWE_HISTORY];
	struct bwe_settings settings;
	struct rtp_seq sent_seq;
	struct rate_meter sent, acked_sent, acked_arrived;
	struct trend trend;
	struct bwe_cluster cluster;
	struct bwe_stream streams[BWE_STREAMS_MAX];
	unsigned stream_count;
	struct bwe_demand demand;
	struct bwe_stats stats;
	int64_t init_us, now_us, ticked_us;
	/* The rate. */
	int64_t rate_bps;
	int64_t remb_bps, tmmbr_bps; /* INT64_MAX: none */
	int64_t remb_us;
	int64_t capacity_bps; /* acknowledged when last over-used, 0: unknown */
	int64_t good_bps;     /* by reports: what went well before the last cuts */
	int64_t retry_us;     /* by reports: how long to wait before going back there */
	bool retried;         /* since the last cut it did */
	int64_t grown_us, cut_us, overuse_us, silence_us;
	uint32_t nack_sent, nacked; /* by reports: packets since nack_us */
	int64_t nack_us;
	bool nacks; /* the peer does ask again */
	struct bwe_tally total, reported; /* by reports: now, and when the last one came */
	struct bwe_tally marks[2];        /* a moment ago, and another before */
	struct bwe_tally onset; /* since the last report something got lost from here on; -1: nothing */
	bool reported_loss;     /* the last report told of so much that the rate was cut */
	int64_t carried_bps;    /* what the link let through at the last cuts; 0: not known */
	int64_t spoilt_us[BWE_SPOILT_MAX]; /* newest first */
	int64_t suspect_bps;    /* the rate before cuts that no report has confirmed; 0: there are none */
	int64_t trust_us;       /* key frames asked for are no reason to cut before this */
	unsigned mistrusts;     /* cuts that were wrong */
	/* Loss. */
	double loss;        /* 0 to 1, over some 50 packets */
	double loss_slow;   /* over some 150; begins anew, with all the loss, at a cut */
	double loss_at_cut; /* 0: loss did not cut lately */
	int64_t loss_seq;   /* only packets sent behind it count */
	int64_t loss_cut_us;
	uint32_t loss_packets;   /* in `loss`, those fifty or a report's */
	unsigned loss_fruitless; /* cuts in a row that did not lower it */
	int64_t trial_bps;       /* growth in spite of loss began here; 0: there is none */
	double trial_loss;       /* with that much of it */
	int64_t trial_at_us;     /* no other before */
	/* Feedback. */
	int64_t unheard_us;   /* first packet sent since feedback came; -1: none */
	int64_t reference_us; /* of the last message on the peer's clock, unwrapped */
	int64_t clock_us;     /* peer's clock minus ours */
	int64_t stray_clock_us;
	unsigned stray_clocks; /* messages in a row that agree on another clock */
	bool clock_set;
	bool heard;              /* transport-wide feedback does come */
	int64_t delay_us_min[2]; /* arrival minus sending, of this spell and the one before */
	int64_t delay_spell_us;
	int64_t rtt_us_min;
	/* Probing. */
	int64_t probe_at_us;     /* not before */
	int64_t probe_len_us;    /* of a cluster; longer once a short one was deceived */
	int64_t raised_us;       /* when a probe last raised the rate by much; -1: never */
	int64_t probe_acked_us;  /* when something of the cluster was last heard of */
	unsigned probe_failures; /* in a row */
	uint8_t probe_id;
};

void bwe_send_init(struct bwe_send *bwe, const struct bwe_settings *settings, int64_t now_us);

/* A packet leaves.  Numbers ascend by one, wrapping; skipped ones count as never sent.  With twcc,
 * packets that carry no number (sound, where it was not agreed on) are not told. */
void bwe_send_sent(struct bwe_send *bwe, const struct bwe_sent *sent, int64_t now_us);
/* A message that rtcp_fb_parse() took: transport-wide, REMB or TMMBR; other kinds are ignored. */
void bwe_send_feedback(struct bwe_send *bwe, const struct rtcp_fb *fb, int64_t now_us);
/* A report block about a stream of ours; `rtt_us` by rtcp_rtt_us(), -1: cannot be told. */
void bwe_send_report(struct bwe_send *bwe, const struct rtcp_block *block, int64_t rtt_us,
                     int64_t now_us);
/* The peer asks for `packets` again that it had not asked for before; of no use with twcc. */
void bwe_send_nacked(struct bwe_send *bwe, unsigned packets, int64_t now_us);
/* The peer asks for a key frame after it was sent one: something got lost since.  Of no use with twcc,
 * nor where it asks for packets. */
void bwe_send_spoilt(struct bwe_send *bwe, int64_t now_us);
/* What was lost just now was lost by a try of the caller's: the rate is at least `bps` again, and what is
 * told of that time cuts nothing more. */
void bwe_send_forgive(struct bwe_send *bwe, int64_t bps, int64_t now_us);
void bwe_send_demand(struct bwe_send *bwe, const struct bwe_demand *demand, int64_t now_us);
/* The bounds change, by the API or a new answer; `twcc` stays as it was. */
void bwe_send_bounds(struct bwe_send *bwe, int64_t min_bps, int64_t max_bps, int64_t now_us);
void bwe_send_tick(struct bwe_send *bwe, int64_t now_us);

[[nodiscard]] int64_t bwe_send_target_bps(const struct bwe_send *bwe);
/* True once per cluster: send it now (pacer_probe()) and mark its packets. */
[[nodiscard]] bool bwe_send_probe(struct bwe_send *bwe, struct bwe_probe *out, int64_t now_us);
/* When bwe_send_tick() and bwe_send_probe() are next wanted; never INT64_MAX. */
[[nodiscard]] int64_t bwe_send_deadline(const struct bwe_send *bwe);
[[nodiscard]] struct bwe_stats bwe_send_stats(const struct bwe_send *bwe);
const char *bwe_reject_name(enum bwe_reject reject);
/* Its state as one line of text. */
void bwe_send_dump(const struct bwe_send *bwe, struct writer *w);

#endif
