/* SPDX-License-Identifier: Apache-2.0 */
#include "net/parent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/check.h"
#include "net/line.h"

struct parent {
	struct line *line; /* NULL: started by hand */
	void (*gone)(void *context);
	void *context;
};

/* Descriptor 3 may be anything when a component is started by hand. */
static bool
is_local_socket(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof domain;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0)
		return false;
	len = sizeof type;
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && domain == AF_UNIX &&
	       type == SOCK_STREAM;
}

static void
on_line(void *context, struct line *line, struct str text)
{
	(void)context;
	if (str_eq(text, STR("ping")))
		line_send(line, STR("pong"));
}

static void
on_gone(void *context, struct line *line)
{
	const struct parent *parent = context;
	(void)line;
	if (parent->gone != NULL)
		parent->gone(parent->context);
}

int
parent_create(struct parent **out, struct loop *loop, void (*gone)(void *context), void *context)
{
	static const struct line_handler handler = { .received = on_line, .closed = on_gone };
	struct parent *parent = calloc(1, sizeof *parent);
	if (parent == NULL)
		return -ENOMEM;
	parent->gone = gone;
	parent->context = context;
	if (is_local_socket(PARENT_FD)) {
		const int rc = line_open(&parent->line, loop, PARENT_FD, &handler, parent);
		if (rc != 0) {
			free(parent);
			return rc;
		}
	}
	*out = parent;
	return 0;
}

void
parent_destroy(struct parent *parent)
{
	if (parent == NULL)
		return;
	line_close(parent->line);
	free(parent);
}

void
parent_ready(struct parent *parent)
{
	if (parent->line != NULL)
		line_send(parent->line, STR("ready"));
}

void
parent_failed(struct parent *parent, const char *text)
{
	char bytes[PARENT_LINE_MAX];
	struct writer w = writer_of(bytes, sizeof bytes - 1);
	if (parent->line == NULL)
		return;
	writer_text(&w, "failed ");
	/* The words of a library may be long, or on two lines. */
	for (; *text != '\0' && w.at < w.cap; text++)
		writer_u8(&w, *text == '\n' ? ' ' : (uint8_t)*text);
	line_send(parent->line, writer_view(&w));
}
