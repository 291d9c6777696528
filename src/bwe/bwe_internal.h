/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of bwe_send only. */
#ifndef BWE_BWE_INTERNAL_H
#define BWE_BWE_INTERNAL_H

#include "bwe/bwe_send.h"

enum {
	BWE_US_PER_S = 1000 * 1000,
	BWE_LOSS_PACKETS = 50,       /* the memory of `loss` */
	BWE_LOSS_PACKETS_SLOW = 150, /* and of `loss_slow` */
	BWE_RETRY_US_MIN = 2 * BWE_US_PER_S,
};

enum bwe_state {
	BWE_STATE_UNSENT,
	BWE_STATE_UNDER_WAY,
	BWE_STATE_LOST, /* told so; it may still come */
	BWE_STATE_RECEIVED,
};

/* ---- bwe_feedback.c ---- */

/* One transport-wide message. */
[[nodiscard]] enum bwe_reject bwe_twcc(struct bwe_send *bwe, const struct rtcp_fb *fb);

/* ---- bwe_control.c ---- */

/* What is acknowledged: the slower of the speeds at which the same packets were sent and arrived;
 * 0 when it is not known. */
[[nodiscard]] int64_t bwe_acked_bps(const struct bwe_send *bwe);
/* Brings the rate into its bounds. */
void bwe_bound(struct bwe_send *bwe);
/* What the rate could grow to: bounds, the peer's bounds, what the caller could send. */
[[nodiscard]] int64_t bwe_ceiling_bps(const struct bwe_send *bwe);
/* `count` packets of which `lost` were lost are new evidence. */
void bwe_loss_input(struct bwe_send *bwe, double lost, uint32_t count);
/* Is the loss such that growth may be tried? */
[[nodiscard]] bool bwe_loss_is_bearable(const struct bwe_send *bwe);
/* Is it so much that the rate has to go down? */
[[nodiscard]] bool bwe_loss_calls_for_cut(const struct bwe_send *bwe);
/* The rate is cut because of it. */
void bwe_note_loss_cut(struct bwe_send *bwe);
/* If it went with the cut, the cut was right and is forgotten. */
void bwe_settle_loss(struct bwe_send *bwe);
/* Downwards only. */
void bwe_cut_to(struct bwe_send *bwe, double bps);
/* The link carried this when it was full: near it, growth is careful. */
void bwe_note_capacity(struct bwe_send *bwe, int64_t carried_bps);
[[nodiscard]] bool bwe_is_near_capacity(const struct bwe_send *bwe);
/* After transport-wide feedback: cut or grow. */
void bwe_control(struct bwe_send *bwe);
/* Sending, and nothing is heard. */
void bwe_control_silence(struct bwe_send *bwe);

/* ---- bwe_report.c: for peers without transport-wide feedback ---- */

void bwe_report_init(struct bwe_send *bwe);
void bwe_report_sent(struct bwe_send *bwe, uint16_t bytes);
/* The peer found out that something is missing. */
void bwe_report_missing(struct bwe_send *bwe);
/* After a report: cut or grow. */
void bwe_report_control(struct bwe_send *bwe, int64_t rtt_us);
/* A report came, whether it was believed or not; what follows belongs to the next. */
void bwe_report_end(struct bwe_send *bwe);
/* After something was asked for again: cut, or not. */
void bwe_report_nacked(struct bwe_send *bwe);
/* What was asked for is forgotten. */
void bwe_report_forgive(struct bwe_send *bwe);
/* After a key frame was asked for again: cut, or not. */
void bwe_report_spoilt(struct bwe_send *bwe);

/* ---- bwe_probe.c ---- */

/* Could a cluster be of use, at whatever time? */
[[nodiscard]] bool bwe_probe_possible(const struct bwe_send *bwe);
void bwe_probe_acked(struct bwe_send *bwe, const struct bwe_record *record, int64_t sent_us,
                     int64_t arrived_us);
/* After feedback or a tick: has the cluster told what it can? */
void bwe_probe_judge(struct bwe_send *bwe);
/* The rate was cut: a raise that came just before was a mistake. */
void bwe_probe_cut(struct bwe_send *bwe);
/* When the cluster under way is given up. */
[[nodiscard]] int64_t bwe_probe_expiry_us(const struct bwe_send *bwe);

#endif
