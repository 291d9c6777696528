/* SPDX-License-Identifier: Apache-2.0 */
#include "api/refusals.h"

#include "base/check.h"

static void
count_other(struct refusal *others, int64_t now_us)
{
	if (others->until_us == 0)
		others->until_us = now_us + REFUSALS_US;
	if (others->more < UINT32_MAX)
		others->more++;
}

bool
refusals_note(struct refusals *refusals, struct str name, const struct net_addr *from,
              int64_t now_us)
{
	struct refusal *free = NULL;
	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		struct refusal *one = &refusals->at[i];
		/* One whose minute is over without another makes room. */
		if (one->until_us != 0 && one->more == 0 && now_us >= one->until_us)
			one->until_us = 0;
		if (one->until_us == 0) {
			free = free != NULL ? free : one;
		} else if (str_eq(name, str_of(one->name)) && addr_eq_ip(from, &one->from)) {
			if (one->more < UINT32_MAX)
				one->more++;
			return false;
		}
	}
	if (free == NULL) {
		count_other(&refusals->others, now_us);
		return false;
	}
	*free = (struct refusal){ .from = *from, .until_us = now_us + REFUSALS_US };
	const bool fits = str_copy(free->name, sizeof free->name, name);
	CHECK(fits);
	return true;
}

static bool
take(struct refusal *one, struct refusal *out, int64_t now_us)
{
	if (one->until_us == 0 || now_us < one->until_us)
		return false;
	*out = *one;
	one->until_us = 0;
	one->more = 0;
	return out->more != 0;
}

bool
refusals_take(struct refusals *refusals, struct refusal *out, int64_t now_us)
{
	for (size_t i = 0; i < REFUSALS_MAX; i++)
		if (take(&refusals->at[i], out, now_us))
			return true;
	return take(&refusals->others, out, now_us);
}

int64_t
refusals_deadline(const struct refusals *refusals)
{
	int64_t deadline_us = refusals->others.until_us != 0 ? refusals->others.until_us : INT64_MAX;
	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		const struct refusal *one = &refusals->at[i];
		if (one->until_us != 0 && one->more != 0 && one->until_us < deadline_us)
			deadline_us = one->until_us;
	}
	return deadline_us;
}
