/* SPDX-License-Identifier: Apache-2.0 */
#include "bwe/allocate.h"

#include "base/check.h"

/* An answer in the making. */
struct share {
	const struct allocate_wish *wishes;
	uint8_t *chosen;
	int64_t sum_bps, target_bps;
	uint8_t order[ALLOCATE_WISHES_MAX];
	unsigned count;
};

static_assert(ALLOCATE_WISHES_MAX <= UINT8_MAX, "indexes are 8 bits");

static int64_t
cost(const struct allocate_wish *wish, unsigned choice)
{
	return choice != 0 ? wish->options[choice - 1].bitrate_bps : 0;
}

static void
check_wish(const struct allocate_wish *wish)
{
	CHECK(wish->option_count <= ALLOCATE_OPTIONS_MAX);
	for (unsigned i = 0; i < wish->option_count; i++)
		CHECK(wish->options[i].bitrate_bps >= (i != 0 ? cost(wish, i) : 0));
}

/* Highest priority first, equal ones as they stand. */
static void
sort(struct share *share)
{
	for (unsigned i = 0; i < share->count; i++) {
		unsigned at = i;
		for (; at > 0; at--) {
			const uint8_t before = share->order[at - 1];
			if (share->wishes[before].priority >= share->wishes[i].priority)
				break;
			share->order[at] = before;
		}
		share->order[at] = (uint8_t)i;
	}
}

/* One option up, if it fits. */
static bool
step(struct share *share, unsigned at)
{
	const struct allocate_wish *wish = &share->wishes[at];
	const unsigned next = share->chosen[at] + 1u;
	if (next > wish->option_count)
		return false;
	const int64_t sum_bps = share->sum_bps - cost(wish, next - 1) + cost(wish, next);
	int64_t needed_bps = sum_bps;
	if (next > wish->current)
		needed_bps += sum_bps * ALLOCATE_HEADROOM_PCT / 100;
	if (needed_bps > share->target_bps && !(wish->essential && next == 1))
		return false;
	share->chosen[at] = (uint8_t)next;
	share->sum_bps = sum_bps;
	return true;
}

/* Whoever is refused once is refused for good: the sum only rises.  So rounds end when one grants
 * nothing, after ALLOCATE_OPTIONS_MAX at the latest. */
static void
upgrade(struct share *share)
{
	bool stuck[ALLOCATE_WISHES_MAX] = { false };
	bool granted = true;
	for (unsigned level = 1; granted; level++) {
		granted = false;
		for (unsigned i = 0; i < share->count; i++) {
			const unsigned at = share->order[i];
			if (share->chosen[at] != level || stuck[at])
				continue;
			stuck[at] = !step(share, at);
			granted |= !stuck[at];
		}
	}
}

int64_t
allocate(uint8_t *chosen, const struct allocate_wish *wishes, unsigned count, int64_t target_bps)
{
	CHECK(count <= ALLOCATE_WISHES_MAX);
	CHECK(target_bps >= 0);
	struct share share = {
		.wishes = wishes, .chosen = chosen, .target_bps = target_bps, .count = count
	};
	for (unsigned i = 0; i < count; i++) {
		check_wish(&wishes[i]);
		chosen[i] = 0;
	}
	sort(&share);
	for (unsigned i = 0; i < count; i++) {
		if (wishes[share.order[i]].essential)
			(void)step(&share, share.order[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		if (chosen[share.order[i]] == 0)
			(void)step(&share, share.order[i]);
	}
	upgrade(&share);
	return share.sum_bps;
}

int64_t
allocate_wanted_bps(const struct allocate_wish *wishes, unsigned count)
{
	int64_t sum_bps = 0;
	for (unsigned i = 0; i < count; i++)
		sum_bps += cost(&wishes[i], wishes[i].option_count);
	return sum_bps + (sum_bps * ALLOCATE_HEADROOM_PCT + 99) / 100;
}
