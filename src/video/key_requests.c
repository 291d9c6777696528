/* SPDX-License-Identifier: Apache-2.0 */
#include "video/key_requests.h"

void
key_requests_want(struct key_requests *requests, int64_t now_us)
{
	requests->wanted = true;
	requests->wanted_us = now_us;
	requests->wants++;
}

void
key_requests_came(struct key_requests *requests)
{
	requests->wanted = false;
}

static int64_t
interval_us(const struct key_requests *requests, int64_t rtt_us)
{
	const int64_t gap_us = requests->gap_us != 0 ? requests->gap_us : KEY_REQUEST_US_MIN;
	return 2 * rtt_us > gap_us ? 2 * rtt_us : gap_us;
}

bool
key_requests_due(struct key_requests *requests, int64_t rtt_us, int64_t now_us)
{
	if (!requests->wanted)
		return false;
	if (requests->asked && now_us - requests->asked_us < interval_us(requests, rtt_us))
		return false;
	if (now_us - requests->wanted_us > KEY_REQUEST_HOLD_US) {
		requests->wanted = false;
		return false;
	}
	requests->asked = true;
	requests->asked_us = now_us;
	requests->requests++;
	return true;
}

int64_t
key_requests_deadline(const struct key_requests *requests, int64_t rtt_us)
{
	if (!requests->wanted)
		return INT64_MAX;
	return requests->asked ? requests->asked_us + interval_us(requests, rtt_us) : requests->wanted_us;
}
