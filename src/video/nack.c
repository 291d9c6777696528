/* SPDX-License-Identifier: Apache-2.0 */
#include "video/nack.h"

#include <string.h>

#include "base/check.h"

enum {
	JUMP_MAX = 3000,  /* a larger jump is a new beginning, as in rtp/rtp.h */
	SPAN_MAX = 8192,  /* numbers on the wire stay in order, and nobody keeps packets longer */
};

static_assert(SPAN_MAX >= JUMP_MAX && SPAN_MAX < 0x8000, "16 bits tell which of two is older");

void
nack_init(struct nack *nack, const struct nack_settings *settings)
{
	*nack = (struct nack){ .settings = *settings, .rtt_us = NACK_RTT_US_DEFAULT };
	if (nack->settings.reorder_us == 0)
		nack->settings.reorder_us = NACK_REORDER_US_DEFAULT;
	if (nack->settings.age_us_max == 0)
		nack->settings.age_us_max = NACK_AGE_US_MAX_DEFAULT;
	if (nack->settings.tries_max == 0)
		nack->settings.tries_max = NACK_TRIES_DEFAULT;
}

void
nack_set_rtt(struct nack *nack, int64_t rtt_us)
{
	CHECK(rtt_us >= 0);
	nack->rtt_us = rtt_us;
}

static void
give_up(struct nack *nack, uint64_t count)
{
	nack->given_up = true;
	nack->given_up_count += count;
}

static void
remove_at(struct nack *nack, unsigned at)
{
	CHECK(at < nack->count);
	nack->count--;
	memmove(&nack->missing[at], &nack->missing[at + 1],
	        (nack->count - at) * sizeof nack->missing[0]);
}

static void
came_late(struct nack *nack, int64_t seq)
{
	for (unsigned i = nack->count; i-- != 0;) { /* the newest are the likeliest */
		if (nack->missing[i].seq < seq)
			return;
		if (nack->missing[i].seq != seq)
			continue;
		if (nack->missing[i].tries != 0)
			nack->recovered++;
		remove_at(nack, i);
		return;
	}
}

static void
forget_first(struct nack *nack, unsigned count)
{
	CHECK(count <= nack->count);
	nack->count = (uint16_t)(nack->count - count);
	memmove(&nack->missing[0], &nack->missing[count], nack->count * sizeof nack->missing[0]);
}

/* A peer that sends very many packets may leave numbers behind that one message cannot name beside
 * the newest. */
static void
forget_far(struct nack *nack)
{
	unsigned far = 0;
	while (far < nack->count && nack->missing[far].seq < nack->newest - SPAN_MAX)
		far++;
	if (far == 0)
		return;
	give_up(nack, far);
	forget_first(nack, far);
}

void
nack_input(struct nack *nack, int64_t seq, int64_t now_us)
{
	if (!nack->started || seq > nack->newest + JUMP_MAX || seq < nack->newest - JUMP_MAX) {
		nack->started = true;
		nack->newest = seq;
		nack->count = 0;
		return;
	}
	if (seq <= nack->newest) {
		came_late(nack, seq);
		return;
	}
	const int64_t gap = seq - nack->newest - 1;
	nack->newest = seq;
	forget_far(nack);
	if (nack->count + gap > NACK_MISSING_MAX) {
		give_up(nack, nack->count + (uint64_t)gap);
		nack->count = 0;
	} else {
		for (int64_t missing = seq - gap; missing < seq; missing++)
			nack->missing[nack->count++] = (struct nack_missing){
				.seq = missing,
				.since_us = now_us,
				.ask_us = now_us + nack->settings.reorder_us,
			};
	}
}

bool
nack_is_missing(const struct nack *nack, int64_t seq)
{
	for (unsigned i = nack->count; i-- != 0 && nack->missing[i].seq >= seq;)
		if (nack->missing[i].seq == seq)
			return true;
	return false;
}

static int64_t
again_us(const struct nack *nack)
{
	const int64_t wait_us = nack->rtt_us + nack->rtt_us / 2;
	return wait_us > NACK_AGAIN_US_MIN ? wait_us : NACK_AGAIN_US_MIN;
}

static bool
is_hopeless(const struct nack *nack, const struct nack_missing *missing, int64_t now_us)
{
	return now_us - missing->since_us >= nack->settings.age_us_max ||
	       (missing->tries >= nack->settings.tries_max && now_us >= missing->ask_us);
}

size_t
nack_take(struct nack *nack, uint16_t *seqs, size_t cap, int64_t now_us)
{
	size_t taken = 0;
	unsigned kept = 0;
	for (unsigned i = 0; i < nack->count; i++) {
		struct nack_missing missing = nack->missing[i];
		if (is_hopeless(nack, &missing, now_us)) {
			give_up(nack, 1);
			continue;
		}
		if (missing.ask_us <= now_us && taken < cap) {
			seqs[taken++] = (uint16_t)missing.seq;
			missing.tries++;
			missing.ask_us = now_us + again_us(nack);
		}
		nack->missing[kept++] = missing;
	}
	nack->count = (uint16_t)kept;
	nack->asked += taken;
	return taken;
}

void
nack_forget(struct nack *nack, int64_t seq)
{
	unsigned useless = 0;
	while (useless < nack->count && nack->missing[useless].seq < seq)
		useless++;
	if (useless != 0)
		forget_first(nack, useless);
}

bool
nack_take_given_up(struct nack *nack)
{
	const bool given_up = nack->given_up;
	nack->given_up = false;
	return given_up;
}

int64_t
nack_deadline(const struct nack *nack)
{
	int64_t at_us = INT64_MAX;
	for (unsigned i = 0; i < nack->count; i++) {
		const struct nack_missing *missing = &nack->missing[i];
		const int64_t end_us = missing->since_us + nack->settings.age_us_max;
		const int64_t next_us = missing->ask_us < end_us ? missing->ask_us : end_us;
		if (next_us < at_us)
			at_us = next_us;
	}
	return at_us;
}
