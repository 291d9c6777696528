/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/ssh_control.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "net/line.h"
#include "net/loop.h"

struct question {
	struct loop *loop;
	int answer;
};

static void
on_answer(void *context, struct line *line, struct str text)
{
	struct question *question = context;
	uint32_t number;
	(void)line;
	if (str_u32(text, &number) && number <= INT_MAX)
		question->answer = (int)number;
	loop_stop(question->loop);
}

static void
on_closed(void *context, struct line *line)
{
	struct question *question = context;
	(void)line;
	loop_stop(question->loop);
}

int
ssh_control_evict(const struct data_dir *dir, const char *user)
{
	static const struct line_handler handler = { .received = on_answer, .closed = on_closed };
	struct question question = { .answer = -ETIMEDOUT };
	char path[DATA_PATH_MAX + 64], request[128];
	struct line *line = NULL;
	int rc = loop_create(&question.loop);
	if (rc != 0)
		return rc;
	snprintf(request, sizeof request, "evict %s", user);
	rc = line_connect(&line, question.loop, data_dir_file(path, dir, "run/ssh.sock"), &handler,
	                  &question);
	if (rc == 0)
		rc = line_send(line, str_of(request));
	if (rc == 0)
		loop_run_until(question.loop, loop_now_us() + SSH_CONTROL_US);
	line_close(line);
	loop_destroy(question.loop);
	return rc != 0 ? rc : question.answer;
}
