/* SPDX-License-Identifier: Apache-2.0 */
/* cdr_record -- the words of records: what a leg did is gathered from samples, and written as XML.
 *
 * Ownership  Values; nothing is kept but numbers and codec names.
 * Threads    The control thread.
 * Units      Microseconds; losses in tenths of a percent.
 * Errors     A full buffer sets the writer's `failed`.
 */
#ifndef CDR_CDR_RECORD_H
#define CDR_CDR_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/encode.h"
#include "meeting/meeting.h"

enum cdr_type {
	CDR_CALL_START,
	CDR_CALL_END,
	CDR_LEG_START,
	CDR_LEG_UPDATE,
	CDR_LEG_END,
	CDR_TYPES,
};

/* From here on a flow is in trouble. */
enum {
	CDR_LOSS_TENTHS = 30,        /* alarm packetLoss */
	CDR_JITTER_MS = 100,         /* alarm excessiveJitter */
	CDR_RTT_MS = 500,            /* alarm highRoundTripTime */
	CDR_BURST_TENTHS = 62,       /* a burst of losses: one packet of 16, RFC 3611 s4.7.2 */
	CDR_SAMPLE_US_MAX = 30 * 1000 * 1000, /* a sample speaks of no longer time */
};

enum cdr_flow_kind {
	CDR_RX_AUDIO,
	CDR_TX_AUDIO,
	CDR_RX_VIDEO,
	CDR_TX_VIDEO,
	CDR_RX_CONTENT,
	CDR_TX_CONTENT,
	CDR_FLOWS,
};

struct cdr_flow {
	char codec[16]; /* the last there was */
	uint32_t width_max;
	uint32_t height_max;
	int64_t flowed_us;
	int64_t burst_us;
	int64_t gap_us;
	uint32_t bursts;
	uint32_t gaps;
	uint64_t burst_loss; /* tenths times milliseconds */
	uint64_t gap_loss;
	bool in_burst;
};

enum cdr_alarm { CDR_ALARM_LOSS, CDR_ALARM_JITTER, CDR_ALARM_RTT, CDR_ALARMS };

/* What a leg did so far. */
struct cdr_leg {
	uint32_t handle;       /* of the model; 0: free */
	bool connected;
	bool lobby;
	bool told_connected;   /* as the last callLegUpdate said */
	bool told_lobby;
	bool encrypted;        /* for some time */
	bool unencrypted;
	uint64_t told_name;    /* a hash: name and Call-ID */
	uint32_t told_call;    /* it can be called away from an IVR */
	int64_t connected_us;
	int64_t activated_us;  /* out of the lobby since; 0: is not */
	int64_t activated_sum_us;
	int64_t sampled_us;
	int64_t alarm_us[CDR_ALARMS];
	struct cdr_flow flows[CDR_FLOWS];
};

const char *cdr_type_name(enum cdr_type type);

/* Follows the leg; afterwards the fields say what is true now. */
void cdr_leg_follow(struct cdr_leg *leg, const struct meeting_leg *now, int64_t now_us);
/* A sample: what was measured since the one before. */
void cdr_leg_sample(struct cdr_leg *leg, const struct leg_media *media, int64_t now_us);

/* Text with the five escapes of XML; what XML cannot hold becomes '?'. */
void cdr_escape(struct writer *w, struct str text);

void cdr_write_call_start(struct writer *w, const struct meeting *meeting, uint32_t call);
void cdr_write_call_end(struct writer *w, const struct meeting *meeting, uint32_t call,
                        uint32_t legs_completed, int64_t now_us);
void cdr_write_leg_start(struct writer *w, const struct meeting *meeting, uint32_t leg);
void cdr_write_leg_update(struct writer *w, const struct meeting *meeting, uint32_t leg);
void cdr_write_leg_end(struct writer *w, const struct meeting *meeting, const struct cdr_leg *leg,
                       enum leg_end reason, bool remote, int64_t now_us);

#endif
