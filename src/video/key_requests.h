/* SPDX-License-Identifier: Apache-2.0 */
/* key_requests -- when to ask one source layer for a key frame: at once, but never in a storm.
 *
 * Many receivers may want one; the source gets one PLI or FIR (RFC 4585 s6.3.1, RFC 5104 s4.3.1),
 * the next no sooner than KEY_REQUEST_US_MIN or two round trips later, again and again until the
 * key frame comes, and none when nobody has wanted it for KEY_REQUEST_HOLD_US.  So a want that
 * lasts (a switch that waits, a decoder without its start) is said again at least that often; a
 * peer's PLI is said once.
 *
 * Ownership  A value for each source layer; a zeroed one is ready.
 * Threads    One owner.
 * Units      Microseconds.
 */
#ifndef VIDEO_KEY_REQUESTS_H
#define VIDEO_KEY_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	KEY_REQUEST_US_MIN = 300 * 1000,
	KEY_REQUEST_HOLD_US = 1000 * 1000,
};

struct key_requests {
	int64_t gap_us;    /* between two requests, at least; 0: KEY_REQUEST_US_MIN */
	int64_t wanted_us; /* when somebody last wanted it */
	int64_t asked_us;  /* when the source was last asked */
	bool wanted;
	bool asked;        /* ever */
	uint64_t wants;    /* counted */
	uint64_t requests;
};

/* Somebody wants a key frame. */
void key_requests_want(struct key_requests *requests, int64_t now_us);
/* One began to come: nobody waits any more. */
void key_requests_came(struct key_requests *requests);
/* True when the source is to be asked now; it then counts as asked.  `rtt_us` 0: not known. */
[[nodiscard]] bool key_requests_due(struct key_requests *requests, int64_t rtt_us, int64_t now_us);
/* When that may next be so, or INT64_MAX. */
[[nodiscard]] int64_t key_requests_deadline(const struct key_requests *requests, int64_t rtt_us);

#endif
