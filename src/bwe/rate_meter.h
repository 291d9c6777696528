/* SPDX-License-Identifier: Apache-2.0 */
/* rate_meter -- bits per second over the last half second.
 *
 * Ownership  A value.
 * Threads    One owner.
 * Units      Bytes in, bits/s out.  Time need not be ours: it may be a peer's clock.
 * Errors     What is older than the window is not counted.  Times are not negative.
 * Limits     RATE_METER_BUCKETS.
 */
#ifndef BWE_RATE_METER_H
#define BWE_RATE_METER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RATE_METER_BUCKETS = 20,
	RATE_METER_BUCKET_LEN = 25 * 1000, /* microseconds */
};

struct rate_meter {
	uint32_t bytes[RATE_METER_BUCKETS];
	int64_t total_bytes;
	int64_t first_us; /* since when it was never empty for a whole window */
	int64_t newest_us;
	bool started;
};

void rate_meter_init(struct rate_meter *meter);
void rate_meter_input(struct rate_meter *meter, uint32_t bytes, int64_t at_us);
/* The rate up to the newest input; 0 until a fifth of the window was seen. */
[[nodiscard]] int64_t rate_meter_bps(const struct rate_meter *meter);
/* The same up to `now_us`, which is not before the newest input: silence counts. */
[[nodiscard]] int64_t rate_meter_bps_at(const struct rate_meter *meter, int64_t now_us);

#endif
