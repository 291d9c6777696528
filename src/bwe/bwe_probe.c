/* SPDX-License-Identifier: Apache-2.0 */
/* Probes: a few packets at a higher rate.  If they arrive as fast as they were sent, the link
 * carries that rate.  It would take growth at 8 % a second half a minute to find that out. */
#include "base/check.h"
#include "bwe/bwe_internal.h"

enum {
	GAP_US = 3 * 1000 * 1000,    /* after a probe that found nothing, */
	GAP_US_MORE = 500 * 1000,    /* and so much more for each before it, */
	GAP_FAILURES_MAX = 2,        /* up to these */
	PAUSE_US = 300 * 1000,       /* after a raise: does it bear? */
	RAISED_GAP_US = 1000 * 1000, /* after one that did not find all it looked for */
	EXPIRY_US = 1000 * 1000,
	STRAGGLERS_US = 200 * 1000, /* what has not come so long after the others is lost */
	LEN_US_MAX = 200 * 1000,
	PACKET_BYTES_MIN = 200,        /* a cluster is so many for each of its packets */
	SPAN_US_MIN = 2 * 1000,        /* a measure below that is rounding */
	QUEUE_US_MAX = 100 * 1000,     /* whoever waits already needs not know */
	CALM_US = 1000 * 1000,         /* since the last over-use */
	DECEIVED_US = 2 * 1000 * 1000, /* over-use so soon after a raise: the raise was wrong */
	HALVES_PACKETS_MIN = 8,        /* for the second half to be a measure of its own */
	NEARLY_ALL_PCT = 90,
	ENOUGH_PCT = 60,
	FACTOR = 2,
	BITS_PER_BYTE = 8,
};

bool
bwe_probe_possible(const struct bwe_send *bwe)
{
	return bwe->settings.twcc && bwe->heard && bwe->cluster.probe.id == 0 &&
	       bwe->rate_bps < bwe_ceiling_bps(bwe) / 20 * 19;
}

/* Is this a good time? */
static bool
is_calm(const struct bwe_send *bwe)
{
	return trend_signal(&bwe->trend) != TREND_OVERUSE && bwe_loss_is_bearable(bwe) &&
	       (bwe->stats.overuses == 0 || bwe->now_us - bwe->overuse_us > CALM_US) &&
	       bwe->stats.queue_us < QUEUE_US_MAX;
}

bool
bwe_send_probe(struct bwe_send *bwe, struct bwe_probe *out, int64_t now_us)
{
	CHECK(now_us >= bwe->now_us);
	bwe->now_us = now_us;
	if (!bwe_probe_possible(bwe) || now_us < bwe->probe_at_us)
		return false;
	if (!is_calm(bwe)) {
		bwe->probe_at_us = now_us + CALM_US;
		return false;
	}
	const int64_t ceiling_bps = bwe_ceiling_bps(bwe);
	int64_t rate_bps = bwe->rate_bps * FACTOR;
	rate_bps = rate_bps < ceiling_bps ? rate_bps : ceiling_bps;
	int64_t bytes = rate_bps * bwe->probe_len_us / BITS_PER_BYTE / BWE_US_PER_S;
	if (bytes < BWE_PROBE_PACKETS * PACKET_BYTES_MIN)
		bytes = BWE_PROBE_PACKETS * PACKET_BYTES_MIN;
	bwe->probe_id = bwe->probe_id < UINT8_MAX ? bwe->probe_id + 1 : 1;
	bwe->cluster = (struct bwe_cluster){
		.probe = { .id = bwe->probe_id, .rate_bps = rate_bps, .bytes = (uint32_t)bytes },
		.asked_us = now_us,
	};
	bwe->stats.probes++;
	*out = bwe->cluster.probe;
	return true;
}

int64_t
bwe_probe_expiry_us(const struct bwe_send *bwe)
{
	CHECK(bwe->cluster.probe.id != 0);
	const int64_t expiry_us = bwe->cluster.asked_us + EXPIRY_US;
	const int64_t last_us = bwe->probe_acked_us + STRAGGLERS_US;
	return bwe->cluster.packets != 0 && last_us < expiry_us ? last_us : expiry_us;
}

void
bwe_probe_acked(struct bwe_send *bwe, const struct bwe_record *record, int64_t sent_us,
                int64_t arrived_us)
{
	struct bwe_cluster *cluster = &bwe->cluster;
	if (cluster->probe.id == 0 || record->probe_id != cluster->probe.id)
		return;
	if (cluster->packets++ == 0) {
		cluster->first_sent_us = sent_us;
		cluster->first_arrived_us = arrived_us;
		cluster->first_bytes = record->bytes;
		cluster->last_arrived_us = arrived_us;
	}
	bwe->probe_acked_us = bwe->now_us;
	/* Records come in order of sending. */
	cluster->last_sent_us = sent_us > cluster->last_sent_us ? sent_us : cluster->last_sent_us;
	cluster->last_bytes = record->bytes;
	if (arrived_us < cluster->first_arrived_us)
		cluster->first_arrived_us = arrived_us;
	if (arrived_us > cluster->last_arrived_us)
		cluster->last_arrived_us = arrived_us;
	cluster->bytes += record->bytes;
	if (cluster->half_bytes == 0 && cluster->bytes >= cluster->probe.bytes / 2) {
		cluster->half_bytes = cluster->bytes;
		cluster->half_arrived_us = cluster->last_arrived_us;
	}
}

static int64_t
bps(uint32_t bytes, int64_t span_us)
{
	return (int64_t)bytes * BITS_PER_BYTE * BWE_US_PER_S / span_us;
}

/* What the link carries by the cluster, 0: it does not tell. */
static int64_t
measure(const struct bwe_cluster *cluster)
{
	const int64_t sent_us = cluster->last_sent_us - cluster->first_sent_us;
	const int64_t arrived_us = cluster->last_arrived_us - cluster->first_arrived_us;
	if (sent_us < SPAN_US_MIN || arrived_us < SPAN_US_MIN)
		return 0;
	const int64_t sent_bps = bps(cluster->bytes - cluster->last_bytes, sent_us);
	int64_t arrived_bps = bps(cluster->bytes - cluster->first_bytes, arrived_us);
	/* A token bucket lets the first part through at any speed: what counts is the rest. */
	const int64_t rest_us = cluster->last_arrived_us - cluster->half_arrived_us;
	if (cluster->packets >= HALVES_PACKETS_MIN && rest_us >= SPAN_US_MIN) {
		const int64_t rest_bps = bps(cluster->bytes - cluster->half_bytes, rest_us);
		arrived_bps = rest_bps < arrived_bps ? rest_bps : arrived_bps;
	}
	if (arrived_bps >= sent_bps / 10 * 9)
		return sent_bps < arrived_bps ? sent_bps : arrived_bps;
	return arrived_bps / 10 * 9; /* it is full: leave a queue the room to go */
}

static void
fail(struct bwe_send *bwe)
{
	bwe->cluster.probe.id = 0;
	bwe->stats.probes_failed++;
	bwe->probe_at_us = bwe->now_us + GAP_US + GAP_US_MORE * (int64_t)bwe->probe_failures;
	if (bwe->probe_failures < GAP_FAILURES_MAX)
		bwe->probe_failures++;
}

static void
judge(struct bwe_send *bwe)
{
	const struct bwe_probe probe = bwe->cluster.probe;
	int64_t carried_bps = measure(&bwe->cluster);
	if (carried_bps > probe.rate_bps)
		carried_bps = probe.rate_bps; /* sent faster than asked for: too short to believe */
	bwe->cluster.probe.id = 0;
	if (carried_bps <= bwe->rate_bps) {
		fail(bwe);
		return;
	}
	if (carried_bps > bwe->rate_bps / 5 * 6)
		bwe->raised_us = bwe->now_us;
	bwe->rate_bps = carried_bps;
	if (bwe->rate_bps > bwe->capacity_bps)
		bwe->capacity_bps = 0;
	bwe->grown_us = bwe->now_us;
	bwe->stats.probes_raised++;
	bwe->probe_failures = 0;
	bwe_bound(bwe);
	/* Nearly all of it came: there may be more. */
	const bool more = carried_bps >= probe.rate_bps / 10 * 7;
	bwe->probe_at_us = bwe->now_us + (more ? PAUSE_US : RAISED_GAP_US);
}

static bool
has_come(const struct bwe_cluster *cluster, unsigned pct)
{
	return cluster->packets >= BWE_PROBE_PACKETS - 1 &&
	       cluster->bytes >= cluster->probe.bytes / 100 * pct;
}

void
bwe_probe_judge(struct bwe_send *bwe)
{
	const struct bwe_cluster *cluster = &bwe->cluster;
	if (cluster->probe.id == 0)
		return;
	const bool expired = bwe->now_us >= bwe_probe_expiry_us(bwe);
	if (has_come(cluster, NEARLY_ALL_PCT) || (expired && has_come(cluster, ENOUGH_PCT))) {
		judge(bwe);
	} else if (expired) {
		fail(bwe);
	}
}

void
bwe_probe_cut(struct bwe_send *bwe)
{
	if (bwe->raised_us >= 0 && bwe->now_us - bwe->raised_us < DECEIVED_US) {
		bwe->raised_us = -1;
		if (bwe->probe_len_us < LEN_US_MAX)
			bwe->probe_len_us *= 2;
	}
	if (bwe->probe_at_us < bwe->now_us + GAP_US)
		bwe->probe_at_us = bwe->now_us + GAP_US;
}
