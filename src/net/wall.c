/* SPDX-License-Identifier: Apache-2.0 */
#include "net/wall.h"

#include <stdio.h>
#include <time.h>

wall_time
wall_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (wall_time){ .us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 };
}

const char *
wall_text(char out[WALL_TEXT_MAX], wall_time time)
{
	const time_t seconds = (time_t)(time.us / 1000000);
	struct tm parts = { 0 };
	gmtime_r(&seconds, &parts);
	if (strftime(out, WALL_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		out[0] = '\0';
	return out;
}
