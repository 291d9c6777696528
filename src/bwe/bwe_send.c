/* SPDX-License-Identifier: Apache-2.0 */
#include "bwe/bwe_send.h"

#include "base/check.h"
#include "bwe/bwe_internal.h"

enum {
	TICK_US = 500 * 1000,
	REMB_US = 10 * 1000 * 1000,   /* a REMB that is not renewed for so long no longer bounds */
	UNHEARD_US = 3 * 1000 * 1000, /* twcc agreed on and not heard: go by report blocks */
	PROBE_LEN_US = 25 * 1000,
	NACK_US = 500 * 1000,   /* so long what is asked for again is gathered */
	FORGIVEN_US = 400 * 1000, /* a round trip, and a queue that empties */
	NACK_SENT_MIN = 20,     /* and compared with so many packets at least */
	EXPECTED_MAX = 1 << 16, /* packets between report blocks; more is a restart */
};

static void
enter(struct bwe_send *bwe, int64_t now_us)
{
	CHECK(now_us >= bwe->now_us);
	bwe->now_us = now_us;
}

static int64_t
default_to(int64_t value, int64_t otherwise)
{
	return value != 0 ? value : otherwise;
}

void
bwe_send_init(struct bwe_send *bwe, const struct bwe_settings *settings, int64_t now_us)
{
	*bwe = (struct bwe_send){
		.settings = {
			.min_bps = default_to(settings->min_bps, BWE_MIN_BPS_DEFAULT),
			.start_bps = default_to(settings->start_bps, BWE_START_BPS_DEFAULT),
			.max_bps = default_to(settings->max_bps, BWE_MAX_BPS_DEFAULT),
			.twcc = settings->twcc,
		},
		.stats = { .rtt_us = -1, .spoilt_us = -1 },
		.init_us = now_us,
		.now_us = now_us,
		.nack_us = now_us,
		.ticked_us = now_us,
		.remb_bps = INT64_MAX,
		.tmmbr_bps = INT64_MAX,
		.grown_us = now_us,
		.cut_us = now_us,
		.loss_seq = -1,
		.unheard_us = -1,
		.delay_us_min = { INT64_MAX, INT64_MAX },
		.delay_spell_us = now_us,
		.retry_us = BWE_RETRY_US_MIN,
		.rtt_us_min = INT64_MAX,
		.probe_at_us = now_us,
		.probe_len_us = PROBE_LEN_US,
		.raised_us = -1,
	};
	CHECK(bwe->settings.min_bps > 0 && bwe->settings.min_bps <= bwe->settings.max_bps);
	bwe->rate_bps = bwe->settings.start_bps;
	rate_meter_init(&bwe->sent);
	rate_meter_init(&bwe->acked_sent);
	rate_meter_init(&bwe->acked_arrived);
	trend_init(&bwe->trend);
	bwe_report_init(bwe);
	bwe_bound(bwe);
}

void
bwe_send_sent(struct bwe_send *bwe, const struct bwe_sent *sent, int64_t now_us)
{
	enter(bwe, now_us);
	rate_meter_input(&bwe->sent, sent->bytes, now_us);
	if (bwe->unheard_us < 0)
		bwe->unheard_us = now_us;
	bwe->nack_sent += now_us >= bwe->nack_us;
	bwe_report_sent(bwe, sent->bytes);
	if (!bwe->settings.twcc)
		return;

	const bool first = !bwe->sent_seq.started;
	const int64_t before = bwe->sent_seq.highest;
	const int64_t seq = rtp_seq_input(&bwe->sent_seq, sent->seq);
	CHECK(first || seq > before);
	/* Skipped numbers were never sent, however often the ring has gone round. */
	const int64_t skipped = first ? 0 : seq - before - 1;
	for (int64_t i = 1; i <= skipped && i <= BWE_HISTORY; i++)
		bwe->records[(uint64_t)(seq - i) % BWE_HISTORY].state = BWE_STATE_UNSENT;
	bwe->records[(uint64_t)seq % BWE_HISTORY] = (struct bwe_record){
		.sent_us = (uint32_t)now_us,
		.bytes = sent->bytes,
		.probe_id = sent->probe_id,
		.state = BWE_STATE_UNDER_WAY,
	};
}

/* ---- What the peer says ---- */

static enum bwe_reject
take_remb(struct bwe_send *bwe, const struct rtcp_fb *fb)
{
	const uint64_t bps = rtcp_fb_remb_bps(fb);
	if (bps == 0)
		return BWE_REJECT_BITRATE;
	bwe->remb_bps = (int64_t)bps;
	bwe->remb_us = bwe->now_us;
	return BWE_OK;
}

/* The tightest entry bounds the transport: where TMMBR is used, one picture has it for itself. */
static enum bwe_reject
take_tmmbr(struct bwe_send *bwe, const struct rtcp_fb *fb)
{
	int64_t bound_bps = INT64_MAX;
	for (unsigned i = 0; i < fb->count; i++) {
		const int64_t bps = (int64_t)rtcp_fb_tmmb(fb, i).bitrate_bps;
		if (bps == 0)
			return BWE_REJECT_BITRATE;
		bound_bps = bps < bound_bps ? bps : bound_bps;
	}
	bwe->tmmbr_bps = bound_bps;
	return BWE_OK;
}

void
bwe_send_feedback(struct bwe_send *bwe, const struct rtcp_fb *fb, int64_t now_us)
{
	enter(bwe, now_us);
	enum bwe_reject reject = BWE_OK;
	switch (fb->kind) {
	case RTCP_FB_TWCC:
		reject = bwe_twcc(bwe, fb);
		break;
	case RTCP_FB_REMB:
		reject = take_remb(bwe, fb);
		break;
	case RTCP_FB_TMMBR:
		reject = take_tmmbr(bwe, fb);
		break;
	case RTCP_FB_NACK:
	case RTCP_FB_TMMBN:
	case RTCP_FB_PLI:
	case RTCP_FB_FIR:
	case RTCP_FB_OTHER:
		return;
	}
	if (reject != BWE_OK)
		bwe->stats.rejects[reject]++;
}

/* The slot of `ssrc`: its own, a new one, or the one heard least lately; `*known` is whether it
 * holds what was reported before. */
static struct bwe_stream *
find_stream(struct bwe_send *bwe, uint32_t ssrc, bool *known)
{
	struct bwe_stream *oldest = &bwe->streams[0];
	*known = true;
	for (unsigned i = 0; i < bwe->stream_count; i++) {
		if (bwe->streams[i].ssrc == ssrc)
			return &bwe->streams[i];
		if (bwe->streams[i].heard_us < oldest->heard_us)
			oldest = &bwe->streams[i];
	}
	*known = false;
	if (bwe->stream_count < BWE_STREAMS_MAX)
		oldest = &bwe->streams[bwe->stream_count++];
	oldest->ssrc = ssrc;
	return oldest;
}

static bool
goes_by_reports(const struct bwe_send *bwe)
{
	return !bwe->settings.twcc || (!bwe->heard && bwe->now_us - bwe->init_us > UNHEARD_US);
}

void
bwe_send_report(struct bwe_send *bwe, const struct rtcp_block *block, int64_t rtt_us,
                int64_t now_us)
{
	enter(bwe, now_us);
	if (rtt_us >= 0) {
		const int64_t before_us = bwe->stats.rtt_us;
		bwe->stats.rtt_us = before_us < 0 ? rtt_us : before_us + (rtt_us - before_us) / 4;
		if (rtt_us < bwe->rtt_us_min)
			bwe->rtt_us_min = rtt_us;
	}
	bool known;
	struct bwe_stream *stream = find_stream(bwe, block->ssrc, &known);
	const uint32_t expected = block->highest_seq - stream->highest_seq;
	const bool stale = stream->heard_us < bwe->loss_cut_us; /* tells of before the cut, too */
	stream->highest_seq = block->highest_seq;
	stream->heard_us = now_us;
	if (!goes_by_reports(bwe))
		return;
	bwe->stats.reports++;
	if (known && !stale && expected <= EXPECTED_MAX) {
		bwe_loss_input(bwe, (double)expected * block->fraction_lost / 256, expected);
		bwe_report_control(bwe, rtt_us);
	}
	bwe_report_end(bwe);
}

static void
restart_nacks(struct bwe_send *bwe)
{
	bwe->nack_us = bwe->now_us;
	bwe->nack_sent = 0;
	bwe->nacked = 0;
}

void
bwe_send_nacked(struct bwe_send *bwe, unsigned packets, int64_t now_us)
{
	enter(bwe, now_us);
	bwe->nacks = true;
	if (now_us < bwe->nack_us)
		return; /* forgiven */
	const uint32_t room = bwe->nack_sent - bwe->nacked; /* more than was sent cannot be lost */
	bwe->nacked += packets < room ? packets : room;
	bwe_report_missing(bwe);
	if (!goes_by_reports(bwe) || now_us - bwe->nack_us < NACK_US ||
	    bwe->nack_sent < NACK_SENT_MIN)
		return;
	bwe_loss_input(bwe, bwe->nacked, bwe->nack_sent);
	restart_nacks(bwe);
	bwe_report_nacked(bwe);
}

void
bwe_send_spoilt(struct bwe_send *bwe, int64_t now_us)
{
	enter(bwe, now_us);
	if (!goes_by_reports(bwe) || bwe->nacks)
		return;
	bwe->stats.spoilt++;
	bwe->stats.spoilt_us = now_us;
	bwe_report_spoilt(bwe);
}

/* ---- What the caller says ---- */

void
bwe_send_forgive(struct bwe_send *bwe, int64_t bps, int64_t now_us)
{
	enter(bwe, now_us);
	if (bwe->rate_bps < bps)
		bwe->rate_bps = bps;
	bwe->loss = bwe->loss_slow = 0;
	bwe->loss_packets = 0;
	bwe->loss_at_cut = 0;
	bwe->loss_cut_us = now_us; /* the next report tells of before it */
	restart_nacks(bwe);
	bwe->nack_us = now_us + FORGIVEN_US;
	bwe_report_forgive(bwe);
	bwe_bound(bwe);
}

void
bwe_send_demand(struct bwe_send *bwe, const struct bwe_demand *demand, int64_t now_us)
{
	enter(bwe, now_us);
	CHECK(demand->wanted_bps >= 0);
	bwe->demand = *demand;
}

void
bwe_send_bounds(struct bwe_send *bwe, int64_t min_bps, int64_t max_bps, int64_t now_us)
{
	enter(bwe, now_us);
	CHECK(min_bps > 0 && min_bps <= max_bps);
	bwe->settings.min_bps = min_bps;
	bwe->settings.max_bps = max_bps;
	bwe_bound(bwe);
}

void
bwe_send_tick(struct bwe_send *bwe, int64_t now_us)
{
	enter(bwe, now_us);
	bwe->ticked_us = now_us;
	if (now_us - bwe->remb_us > REMB_US)
		bwe->remb_bps = INT64_MAX;
	if (bwe->nacked == 0 && now_us - bwe->nack_us >= NACK_US)
		restart_nacks(bwe);
	bwe_control_silence(bwe);
	bwe_probe_judge(bwe);
}

/* ---- Results ---- */

int64_t
bwe_send_target_bps(const struct bwe_send *bwe)
{
	int64_t bps = bwe->rate_bps;
	bps = bps < bwe->remb_bps ? bps : bwe->remb_bps;
	bps = bps < bwe->tmmbr_bps ? bps : bwe->tmmbr_bps;
	return bps > bwe->settings.min_bps ? bps : bwe->settings.min_bps;
}

int64_t
bwe_send_deadline(const struct bwe_send *bwe)
{
	int64_t at_us = bwe->ticked_us + TICK_US;
	const int64_t other_us = bwe->cluster.probe.id != 0 ? bwe_probe_expiry_us(bwe)
	                         : bwe_probe_possible(bwe)  ? bwe->probe_at_us
	                                                    : INT64_MAX;
	if (other_us < at_us)
		at_us = other_us;
	return at_us > bwe->now_us ? at_us : bwe->now_us;
}

struct bwe_stats
bwe_send_stats(const struct bwe_send *bwe)
{
	struct bwe_stats stats = bwe->stats;
	stats.acked_bps = bwe_acked_bps(bwe);
	stats.loss_q8 = (uint32_t)(bwe->loss * 256);
	return stats;
}

const char *
bwe_reject_name(enum bwe_reject reject)
{
	static const char *const names[] = {
		[BWE_OK] = "ok",
		[BWE_REJECT_UNSENT] = "unsent",
		[BWE_REJECT_OLD] = "old",
		[BWE_REJECT_CLOCK] = "clock",
		[BWE_REJECT_SPAN] = "span",
		[BWE_REJECT_BITRATE] = "bitrate",
	};
	static_assert(COUNT_OF(names) == BWE_REJECT_COUNT, "a name for each");
	CHECK(reject < BWE_REJECT_COUNT);
	return names[reject];
}

void
bwe_send_dump(const struct bwe_send *bwe, struct writer *w)
{
	static const char *const signals[] = { "normal", "overuse", "underuse" };
	const struct bwe_stats stats = bwe_send_stats(bwe);
	writer_format(
	        w, "bwe target=%lld acked=%lld capacity=%lld rtt_ms=%lld queue_ms=%lld loss=%.3f",
	        (long long)bwe_send_target_bps(bwe), (long long)stats.acked_bps,
	        (long long)bwe->capacity_bps, (long long)(stats.rtt_us / 1000),
	        (long long)(stats.queue_us / 1000), bwe->loss);
	writer_format(w, " signal=%s overuses=%llu loss_cuts=%llu silences=%llu",
	              signals[trend_signal(&bwe->trend)], (unsigned long long)stats.overuses,
	              (unsigned long long)stats.loss_cuts, (unsigned long long)stats.silences);
	writer_format(w, " probes=%llu raised=%llu failed=%llu feedbacks=%llu",
	              (unsigned long long)stats.probes, (unsigned long long)stats.probes_raised,
	              (unsigned long long)stats.probes_failed, (unsigned long long)stats.feedbacks);
	for (int reject = BWE_OK + 1; reject < BWE_REJECT_COUNT; reject++) {
		if (stats.rejects[reject] != 0)
			writer_format(w, " %s=%llu", bwe_reject_name((enum bwe_reject)reject),
			              (unsigned long long)stats.rejects[reject]);
	}
	writer_text(w, "\n");
}
