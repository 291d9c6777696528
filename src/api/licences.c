/* SPDX-License-Identifier: Apache-2.0 */
/* What the licences' readings count: users, calls, and who of them has a licence of their own. */
#include <stdio.h>

#include "api/api_internal.h"
#include "base/check.h"

static uint32_t
licensed_users(const struct work *work)
{
	uint32_t at = 0;
	uint32_t count = 0;
	for (uint32_t user; (user = objects_next(work->objects, OBJECT_USER, &at)) != 0;)
		count += meeting_user_setting(work->meeting, user, USER_PROFILE_LICENSE) != 0;
	return count;
}

/* Calls whose space belongs to nobody with a licence. */
static uint32_t
calls_without(const struct work *work)
{
	uint32_t at = 0;
	uint32_t count = 0;
	for (uint32_t call; (call = meeting_call_next(work->meeting, &at)) != 0;) {
		const uint32_t space = meeting_call(work->meeting, call)->space;
		const uint32_t owner =
			objects_ref(work->objects, OBJECT_SPACE, space, SPACE_OWNER_ID);
		count += owner == 0 ||
		         meeting_user_setting(work->meeting, owner, USER_PROFILE_LICENSE) == 0;
	}
	return count;
}

static struct value
number_of(uint32_t number)
{
	return (struct value){ .set = true, .number = number };
}

/* One bridge hosts each call, so its weight is one. */
static struct value
weight_of(uint32_t number)
{
	static char text[24];
	snprintf(text, sizeof text, "%u.000", number);
	return (struct value){ .set = true, .text = str_of(text) };
}

struct value
multiparty_value(const struct work *work, enum multiparty_field field)
{
	const struct meeting_totals totals = meeting_totals(work->meeting);
	switch (field) {
	case MULTIPARTY_TIME:
		return (struct value){ .set = true, .time_us = work->slot->wall_us };
	case MULTIPARTY_USERS:
		return number_of(objects_count(work->objects, OBJECT_USER));
	case MULTIPARTY_PERSONAL:
		return number_of(licensed_users(work));
	case MULTIPARTY_PARTICIPANTS:
		return number_of(totals.legs_active);
	case MULTIPARTY_CALLS:
		return number_of(totals.calls_active);
	case MULTIPARTY_WEIGHTED:
	case MULTIPARTY_CAPACITY: /* a unit a call */
		return weight_of(totals.calls_active);
	case MULTIPARTY_WITHOUT:
		return number_of(calls_without(work));
	case MULTIPARTY_WEIGHTED_WITHOUT:
	case MULTIPARTY_CAPACITY_WITHOUT:
		return weight_of(calls_without(work));
	case MULTIPARTY_PERSONAL_LIMIT:
	case MULTIPARTY_SHARED_LIMIT:
	case MULTIPARTY_CAPACITY_LIMIT:
	case MULTIPARTY_FIELDS:
		break; /* nobody limits them */
	}
	return (struct value){ 0 };
}

/* The user behind a leg, when signed in and licensed; 0: none. */
static uint32_t
licensed_user(const struct work *work, uint32_t leg)
{
	const struct meeting_participant *who = meeting_participant(
		work->meeting, meeting_leg(work->meeting, leg)->participant);
	const uint32_t user =
		objects_find_address(work->objects, OBJECT_USER, str_of(who->user_jid));
	return user != 0 && meeting_user_setting(work->meeting, user, USER_PROFILE_LICENSE) != 0
	               ? user
	               : 0;
}

uint32_t
personal_license_next(const struct work *work, uint32_t *at)
{
	for (uint32_t leg; (leg = meeting_leg_next(work->meeting, at)) != 0;) {
		const uint32_t user = licensed_user(work, leg);
		if (user != 0)
			return user;
	}
	return 0;
}
