/* SPDX-License-Identifier: Apache-2.0 */
/* wall -- the time of day.
 *
 * Only for what people and other machines read: log lines, CDRs, certificates, token expiry.
 * Whatever waits or measures uses the monotonic clock, loop_now_us().
 *
 * Threads    Any.
 * Units      Microseconds since 1970-01-01 00:00 UTC, in a type of its own so that the two clocks
 *            cannot be mixed up.
 */
#ifndef NET_WALL_H
#define NET_WALL_H

#include <stdint.h>

enum {
	WALL_TEXT_MAX = 32,
};

typedef struct {
	int64_t us;
} wall_time;

[[nodiscard]] wall_time wall_now(void);

/* "2026-03-01T12:34:56Z" (RFC 3339, whole seconds, UTC); returns `out`. */
const char *wall_text(char out[WALL_TEXT_MAX], wall_time time);

#endif
