/* SPDX-License-Identifier: Apache-2.0 */
#include "bwe/rate_meter.h"

#include <string.h>

#include "base/check.h"

enum {
	US_PER_S = 1000 * 1000,
	BITS_PER_BYTE = 8,
	WINDOW = RATE_METER_BUCKETS * RATE_METER_BUCKET_LEN,
	SPAN_MIN = WINDOW / 5, /* less tells nothing */
};

void
rate_meter_init(struct rate_meter *meter)
{
	*meter = (struct rate_meter){ .started = false };
}

/* Empties the buckets that leave the window when its newest becomes that of `at_us`. */
static void
advance(struct rate_meter *meter, int64_t at_us)
{
	const int64_t bucket = at_us / RATE_METER_BUCKET_LEN;
	int64_t newest = meter->newest_us / RATE_METER_BUCKET_LEN;
	if (bucket - newest >= RATE_METER_BUCKETS) {
		memset(meter->bytes, 0, sizeof meter->bytes);
		meter->total_bytes = 0;
		meter->first_us = at_us;
	} else {
		while (newest < bucket) {
			uint32_t *bytes = &meter->bytes[++newest % RATE_METER_BUCKETS];
			meter->total_bytes -= *bytes;
			*bytes = 0;
		}
	}
	meter->newest_us = at_us;
}

void
rate_meter_input(struct rate_meter *meter, uint32_t bytes, int64_t at_us)
{
	CHECK(at_us >= 0);
	if (!meter->started) {
		meter->started = true;
		meter->first_us = at_us;
		meter->newest_us = at_us;
	}
	const int64_t bucket = at_us / RATE_METER_BUCKET_LEN;
	if (meter->newest_us / RATE_METER_BUCKET_LEN - bucket >= RATE_METER_BUCKETS)
		return;
	if (at_us > meter->newest_us)
		advance(meter, at_us);
	meter->bytes[bucket % RATE_METER_BUCKETS] += bytes;
	meter->total_bytes += bytes;
	CHECK(meter->total_bytes >= 0);
}

int64_t
rate_meter_bps(const struct rate_meter *meter)
{
	if (!meter->started)
		return 0;
	const int64_t oldest = meter->newest_us / RATE_METER_BUCKET_LEN - (RATE_METER_BUCKETS - 1);
	int64_t since_us = oldest * RATE_METER_BUCKET_LEN;
	if (meter->first_us > since_us)
		since_us = meter->first_us;
	const int64_t span_us = meter->newest_us - since_us;
	if (span_us < SPAN_MIN)
		return 0;
	return meter->total_bytes * BITS_PER_BYTE * US_PER_S / span_us;
}

int64_t
rate_meter_bps_at(const struct rate_meter *meter, int64_t now_us)
{
	if (!meter->started)
		return 0;
	CHECK(now_us >= meter->newest_us);
	struct rate_meter later = *meter;
	advance(&later, now_us);
	return rate_meter_bps(&later);
}
