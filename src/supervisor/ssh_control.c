/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/ssh_control.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "net/line.h"

static void
on_answer(void *context, struct str text)
{
	uint32_t number;
	if (str_u32(text, &number) && number <= INT_MAX)
		*(int *)context = (int)number;
}

int
ssh_control_evict(const struct data_dir *dir, const char *user)
{
	char path[DATA_PATH_MAX + 64], request[128];
	int ended = -EPROTO;
	snprintf(request, sizeof request, "evict %s", user);
	const int rc = line_ask(data_dir_file(path, dir, "run/ssh.sock"), str_of(request), on_answer,
	                        &ended, SSH_CONTROL_US);
	return rc != 0 ? rc : ended;
}
