/* SPDX-License-Identifier: Apache-2.0 */
/* system/timedLogging: for so many seconds more is told of a part than on a normal day.  Kept in
 * memory alone: a Call Bridge that starts anew tells what it always tells. */
#include "api/api_internal.h"

static uint32_t
seconds_left(const struct api *api, enum timed_logging_field what, int64_t now_us)
{
	const int64_t left_us = api->logging_until_us[what] - now_us;
	return left_us > 0 ? (uint32_t)((left_us + 999999) / 1000000) : 0;
}

bool
api_logs(const struct api *api, enum timed_logging_field what, int64_t now_us)
{
	return now_us < api->logging_until_us[what];
}

struct value
timed_logging_value(const struct work *work, enum timed_logging_field what)
{
	return (struct value){ .set = true,
		               .number = seconds_left(work->api, what, work->now_us) };
}

void
timed_logging_edit(struct work *work, const struct object_edit *asked)
{
	for (unsigned i = 0; i < TIMED_LOGGING_FIELDS; i++) {
		if (!edit_has(asked, i))
			continue;
		work->api->logging_until_us[i] =
			work->now_us + (int64_t)asked->values[i].number * 1000000;
	}
	if (!field_set_empty(&asked->given))
		work_log(work, "modified", OBJECT_TIMED_LOGGING, NULL, NULL);
}
