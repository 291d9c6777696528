/* SPDX-License-Identifier: Apache-2.0 */
#include "net/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "net/loop_internal.h"

struct line {
	uv_poll_t poll;
	const struct line_handler *handler;
	void *context;
	int fd;
	bool closed;     /* line_close() was called */
	bool over;       /* `closed` was called */
	size_t len;      /* of the unfinished line */
	char bytes[LINE_BYTES_MAX];
};

struct line_listener {
	uv_poll_t poll;
	int fd;
	void (*accepted)(void *context, int fd);
	void *context;
	struct sockaddr_un address;
};

/* -- lines ----------------------------------------------------------------------------------- */

static void
free_line(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct line, poll));
}

void
line_close(struct line *line)
{
	if (line == NULL)
		return;
	CHECK(!line->closed);
	line->closed = true;
	uv_poll_stop(&line->poll);
	uv_close((uv_handle_t *)&line->poll, free_line);
	close(line->fd);
}

static void
line_over(struct line *line)
{
	if (line->over)
		return;
	line->over = true;
	uv_poll_stop(&line->poll);
	if (line->handler->closed != NULL)
		line->handler->closed(line->context, line);
}

/* Gives the finished lines away and moves the rest to the front. */
static void
take_lines(struct line *line)
{
	size_t from = 0;
	while (!line->closed) {
		const struct str rest = { .at = line->bytes + from, .len = line->len - from };
		const size_t end = str_find(rest, '\n');
		if (end == rest.len)
			break;
		from += end + 1;
		line->handler->received(line->context, line, str_sub(rest, 0, end));
	}
	if (line->closed)
		return;
	memmove(line->bytes, line->bytes + from, line->len - from);
	line->len -= from;
	if (line->len == sizeof line->bytes)
		line_over(line);
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
	(void)events;
	struct line *line = CONTAINER_OF(poll, struct line, poll);
	if (status < 0) {
		line_over(line);
		return;
	}
	const ssize_t got = recv(line->fd, line->bytes + line->len, sizeof line->bytes - line->len,
	                         MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		line_over(line);
		return;
	}
	line->len += (size_t)got;
	take_lines(line);
}

int
line_open(struct line **out, struct loop *loop, int fd, const struct line_handler *handler,
          void *context)
{
	CHECK(handler->received != NULL);
	struct line *line = calloc(1, sizeof *line);
	int rc = line != NULL ? 0 : -ENOMEM;
	if (rc == 0)
		rc = uv_poll_init(&loop->uv, &line->poll, fd);
	if (rc != 0) {
		free(line);
		close(fd);
		return rc;
	}
	line->fd = fd;
	line->handler = handler;
	line->context = context;
	rc = uv_poll_start(&line->poll, UV_READABLE, on_readable);
	if (rc != 0) {
		line_close(line);
		return rc;
	}
	*out = line;
	return 0;
}

int
line_send(struct line *line, struct str text)
{
	CHECK(!line->closed);
	CHECK(str_find(text, '\n') == text.len);
	if (line->over)
		return -EPIPE;
	/* One call for both parts: all of it is in the peer's buffer, or the line is broken. */
	char end = '\n';
	struct iovec parts[] = {
		{ .iov_base = (void *)(uintptr_t)text.at, .iov_len = text.len },
		{ .iov_base = &end, .iov_len = 1 },
	};
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	const ssize_t sent = sendmsg(line->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent == (ssize_t)text.len + 1)
		return 0;
	const int rc = sent < 0 && errno != EAGAIN ? -errno : -ENOBUFS;
	/* The reader finds the end of the stream in the next round and tells the owner. */
	shutdown(line->fd, SHUT_RDWR);
	return rc;
}

int
line_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0 ? 0 : -errno;
}

/* -- local addresses ------------------------------------------------------------------------- */

static int
local_address(struct sockaddr_un *out, const char *path)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return str_copy(out->sun_path, sizeof out->sun_path, str_of(path)) ? 0 : -ENAMETOOLONG;
}

static int
local_socket(void)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 ? fd : -errno;
}

int
line_connect(struct line **out, struct loop *loop, const char *path,
             const struct line_handler *handler, void *context)
{
	struct sockaddr_un address;
	const int rc = local_address(&address, path);
	if (rc != 0)
		return rc;
	const int fd = local_socket();
	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		const int error = errno;
		close(fd);
		return -error;
	}
	return line_open(out, loop, fd, handler, context);
}

/* -- one exchange ------------------------------------------------------------------------------ */

struct asking {
	struct loop *loop;
	void (*received)(void *context, struct str text);
	void *context;
	bool over;
};

static void
on_answer(void *context, struct line *line, struct str text)
{
	struct asking *asking = context;
	(void)line;
	asking->received(asking->context, text);
}

static void
on_answered(void *context, struct line *line)
{
	struct asking *asking = context;
	(void)line;
	asking->over = true;
	loop_stop(asking->loop);
}

int
line_ask(const char *path, struct str request, void (*received)(void *context, struct str text),
         void *context, int64_t patience_us)
{
	static const struct line_handler handler = { .received = on_answer, .closed = on_answered };
	struct asking asking = { .received = received, .context = context };
	struct line *line = NULL;
	int rc = loop_create(&asking.loop);
	if (rc != 0)
		return rc;
	rc = line_connect(&line, asking.loop, path, &handler, &asking);
	if (rc == 0)
		rc = line_send(line, request);
	if (rc == 0) {
		loop_run_until(asking.loop, loop_now_us() + patience_us);
		rc = asking.over ? 0 : -ETIMEDOUT;
	}
	line_close(line);
	loop_destroy(asking.loop);
	return rc;
}

/* -- callers ----------------------------------------------------------------------------------- */

static void
on_caller(uv_poll_t *poll, int status, int events)
{
	(void)events;
	const struct line_listener *listener = CONTAINER_OF(poll, struct line_listener, poll);
	if (status < 0)
		return;
	const int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		listener->accepted(listener->context, fd);
}

static void
free_listener(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct line_listener, poll));
}

static int
bind_local(int fd, const struct sockaddr_un *address)
{
	unlink(address->sun_path);
	/* The mode is set before anybody can connect: that takes listen(). */
	if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
	    chmod(address->sun_path, 0600) != 0 || listen(fd, LINE_BACKLOG) != 0)
		return -errno;
	return 0;
}

int
line_listen(struct line_listener **out, struct loop *loop, const char *path,
            void (*accepted)(void *context, int fd), void *context)
{
	struct line_listener *listener = calloc(1, sizeof *listener);
	if (listener == NULL)
		return -ENOMEM;
	listener->accepted = accepted;
	listener->context = context;
	int rc = local_address(&listener->address, path);
	if (rc != 0)
		goto out_free;
	listener->fd = local_socket();
	if (listener->fd < 0) {
		rc = listener->fd;
		goto out_free;
	}
	rc = bind_local(listener->fd, &listener->address);
	if (rc != 0)
		goto out_close;
	rc = uv_poll_init(&loop->uv, &listener->poll, listener->fd);
	if (rc != 0)
		goto out_close;
	CHECK(uv_poll_start(&listener->poll, UV_READABLE, on_caller) == 0);
	*out = listener;
	return 0;
out_close:
	close(listener->fd);
out_free:
	free(listener);
	return rc;
}

void
line_unlisten(struct line_listener *listener)
{
	if (listener == NULL)
		return;
	unlink(listener->address.sun_path);
	uv_poll_stop(&listener->poll);
	uv_close((uv_handle_t *)&listener->poll, free_listener);
	close(listener->fd);
}
