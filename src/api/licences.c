/* SPDX-License-Identifier: Apache-2.0 */
/* What the licences' readings count: users, calls, and who of them has a licence of their own. */
#include <stdio.h>

#include "api/api_internal.h"
#include "base/check.h"

/* One bridge hosts each call, so its weight is one. */
static struct value
weight_of(uint32_t number)
{
	static char text[24];
	snprintf(text, sizeof text, "%u.000", number);
	return (struct value){ .set = true, .text = str_of(text) };
}

/* 0: nobody counts them. */
static struct value
limit_of(const struct work *work, enum licence_feature feature)
{
	const struct licence_right *right = &meeting_rights(work->meeting)->of[feature];
	return value_number(right->limited ? right->limit : 0);
}

struct value
multiparty_value(const struct work *work, enum multiparty_field field)
{
	const struct meeting_usage usage = meeting_usage(work->meeting);
	const uint32_t without = usage.calls - usage.calls_personal;
	switch (field) {
	case MULTIPARTY_TIME:
		return (struct value){ .set = true, .time_us = work->slot->wall_us };
	case MULTIPARTY_PERSONAL_LIMIT:
		return limit_of(work, LICENCE_PERSONAL);
	case MULTIPARTY_SHARED_LIMIT:
		return limit_of(work, LICENCE_SHARED);
	case MULTIPARTY_CAPACITY_LIMIT:
		return limit_of(work, LICENCE_CAPACITY);
	case MULTIPARTY_USERS:
		return value_number(usage.users);
	case MULTIPARTY_PERSONAL:
		return value_number(usage.users_personal);
	case MULTIPARTY_SHARED:
		return value_number(meeting_usage_of(&usage, LICENCE_SHARED));
	case MULTIPARTY_PARTICIPANTS:
		return value_number(meeting_totals(work->meeting).legs_active);
	case MULTIPARTY_CALLS:
		return value_number(usage.calls);
	case MULTIPARTY_WEIGHTED:
		return weight_of(usage.calls);
	case MULTIPARTY_CAPACITY:
		return weight_of(meeting_usage_of(&usage, LICENCE_CAPACITY));
	case MULTIPARTY_WITHOUT:
		return value_number(without);
	case MULTIPARTY_WEIGHTED_WITHOUT:
	case MULTIPARTY_CAPACITY_WITHOUT:
		return weight_of(without);
	case MULTIPARTY_FIELDS:
		break;
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

void
api_licence_file(struct api *api, struct str file)
{
	if (!str_copy(api->licence_file, sizeof api->licence_file, str_trim(file)))
		api->licence_file[0] = '\0';
}

struct value
licence_file_value(const struct work *work)
{
	const struct str file = str_of(work->api->licence_file);
	return (struct value){ .set = file.len != 0, .text = file };
}
