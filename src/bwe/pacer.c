/* SPDX-License-Identifier: Apache-2.0 */
#include "bwe/pacer.h"

#include "base/check.h"

enum {
	BITS_PER_BYTE = 8,
	US_PER_S = 1000 * 1000,
};

static int64_t
drain_bps(const struct pacer *pacer)
{
	return pacer->target_bps * PACER_FACTOR_PCT / 100;
}

void
pacer_init(struct pacer *pacer, int64_t target_bps, int64_t now_us)
{
	CHECK(target_bps > 0);
	*pacer = (struct pacer){ .target_bps = target_bps, .now_us = now_us };
}

static bool
is_probing(const struct pacer *pacer, int64_t now_us)
{
	return pacer->probe.id != 0 && now_us - pacer->probe_asked_us < PACER_PROBE_US;
}

/* The debt runs off. */
static int64_t
debt_at(const struct pacer *pacer, int64_t now_us)
{
	CHECK(now_us >= pacer->now_us);
	/* Time enough to pay anything need not be multiplied out. */
	const int64_t dt_us = now_us - pacer->now_us;
	const int64_t drain = drain_bps(pacer);
	if (dt_us > pacer->debt_bits_us / drain)
		return 0;
	return pacer->debt_bits_us - dt_us * drain;
}

static void
enter(struct pacer *pacer, int64_t now_us)
{
	pacer->debt_bits_us = debt_at(pacer, now_us);
	pacer->now_us = now_us;
	if (!is_probing(pacer, now_us))
		pacer->probe.id = 0;
}

void
pacer_target(struct pacer *pacer, int64_t target_bps, int64_t now_us)
{
	CHECK(target_bps > 0);
	enter(pacer, now_us);
	pacer->target_bps = target_bps;
}

void
pacer_probe(struct pacer *pacer, const struct bwe_probe *probe, int64_t now_us)
{
	CHECK(probe->id != 0 && probe->rate_bps > 0);
	enter(pacer, now_us);
	pacer->probe = *probe;
	pacer->probe_asked_us = now_us;
	pacer->probe_us = -1;
	pacer->probe_sent = 0;
	pacer->probe_packets = 0;
}

int64_t
pacer_when(const struct pacer *pacer, enum pacer_class class, int64_t now_us)
{
	if (class == PACER_AUDIO)
		return now_us;
	if (is_probing(pacer, now_us)) {
		if (pacer->probe_us < 0)
			return now_us;
		/* The next packet starts when the ones before have gone at the probe's rate. */
		const int64_t bits = (int64_t)pacer->probe_sent * BITS_PER_BYTE;
		const int64_t rate_bps = pacer->probe.rate_bps;
		const int64_t gone_us = (bits * US_PER_S + rate_bps - 1) / rate_bps;
		const int64_t at_us = pacer->probe_us + gone_us;
		return at_us > now_us ? at_us : now_us;
	}
	if (class == PACER_PADDING)
		return INT64_MAX;
	const int64_t drain = drain_bps(pacer);
	const int64_t burst_us = class == PACER_RTX ? PACER_RTX_BURST_US : PACER_BURST_US;
	const int64_t over = debt_at(pacer, now_us) - drain * burst_us;
	return over > 0 ? now_us + (over + drain - 1) / drain : now_us;
}

bool
pacer_may(const struct pacer *pacer, enum pacer_class class, int64_t now_us)
{
	return pacer_when(pacer, class, now_us) <= now_us;
}

uint8_t
pacer_sent(struct pacer *pacer, enum pacer_class class, size_t bytes, int64_t now_us)
{
	CHECK(bytes <= UINT16_MAX);
	enter(pacer, now_us);
	pacer->debt_bits_us += (int64_t)bytes * BITS_PER_BYTE * US_PER_S;
	if (class == PACER_AUDIO || pacer->probe.id == 0)
		return 0;
	const uint8_t id = pacer->probe.id;
	if (pacer->probe_us < 0)
		pacer->probe_us = now_us;
	pacer->probe_sent += (uint32_t)bytes;
	pacer->probe_packets++;
	if (pacer->probe_sent >= pacer->probe.bytes && pacer->probe_packets >= BWE_PROBE_PACKETS)
		pacer->probe.id = 0;
	return id;
}

size_t
pacer_padding_bytes(const struct pacer *pacer)
{
	if (pacer->probe.id == 0)
		return 0;
	/* Few large packets may have brought the bytes: then some small ones are wanted still. */
	const uint32_t left =
	        pacer->probe.bytes > pacer->probe_sent ? pacer->probe.bytes - pacer->probe_sent : 1;
	return left;
}
