/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "net/loop_internal.h"

int64_t
loop_now_us(void)
{
	return (int64_t)(uv_hrtime() / 1000);
}

static void
on_keep(uv_async_t *handle)
{
	(void)handle;
}

int
loop_create(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return -ENOMEM;
	int rc = uv_loop_init(&loop->uv);
	if (rc != 0)
		goto out_free;
	rc = uv_async_init(&loop->uv, &loop->keep, on_keep);
	if (rc != 0)
		goto out_loop;
	loop->orphans.next = &loop->orphans;
	loop->orphans.prev = &loop->orphans;
	*out = loop;
	return 0;
out_loop:
	CHECK(uv_loop_close(&loop->uv) == 0);
out_free:
	free(loop);
	return rc;
}

void
loop_orphan_add(struct loop *loop, struct loop_orphan *orphan)
{
	CHECK(orphan->next == NULL && orphan->end != NULL);
	orphan->next = &loop->orphans;
	orphan->prev = loop->orphans.prev;
	orphan->prev->next = orphan;
	orphan->next->prev = orphan;
}

void
loop_orphan_remove(struct loop_orphan *orphan)
{
	if (orphan->next == NULL)
		return;
	orphan->prev->next = orphan->next;
	orphan->next->prev = orphan->prev;
	orphan->next = NULL;
	orphan->prev = NULL;
}

void
loop_destroy(struct loop *loop)
{
	if (loop == NULL)
		return;
	udp_io_destroy(loop->udp);
	uv_close((uv_handle_t *)&loop->keep, NULL);
	while (loop->orphans.next != &loop->orphans)
		loop->orphans.next->end(loop->orphans.next);
	/* What was destroyed is still waiting for its close callback, which frees it.  A first run
	 * may do nothing but take back an earlier loop_stop(). */
	uv_run(&loop->uv, UV_RUN_NOWAIT);
	uv_run(&loop->uv, UV_RUN_NOWAIT);
	CHECK(uv_loop_close(&loop->uv) == 0); /* else: something on it was not destroyed */
	free(loop);
}

void
loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void
on_run_until(void *context, int64_t now_us)
{
	(void)now_us;
	loop_stop(context);
}

void
loop_run_until(struct loop *loop, int64_t deadline_us)
{
	struct loop_timer *timer;
	CHECK(loop_timer_create(&timer, loop, on_run_until, loop) == 0);
	loop_timer_arm(timer, deadline_us);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	loop_timer_destroy(timer);
}

void
loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

/* -- timer ----------------------------------------------------------------------------------- */

struct loop_timer {
	uv_timer_t uv;
	loop_timer_cb *cb;
	void *context;
	int64_t deadline_us; /* INT64_MAX: not armed */
	bool firing;         /* its callback runs */
};

int
loop_timer_create(struct loop_timer **out, struct loop *loop, loop_timer_cb *cb, void *context)
{
	CHECK(cb != NULL);
	struct loop_timer *timer = calloc(1, sizeof *timer);
	if (timer == NULL)
		return -ENOMEM;
	CHECK(uv_timer_init(&loop->uv, &timer->uv) == 0);
	timer->cb = cb;
	timer->context = context;
	timer->deadline_us = INT64_MAX;
	*out = timer;
	return 0;
}

static void
free_timer(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct loop_timer, uv));
}

void
loop_timer_destroy(struct loop_timer *timer)
{
	if (timer != NULL)
		uv_close((uv_handle_t *)&timer->uv, free_timer);
}

static void
on_timer(uv_timer_t *handle)
{
	struct loop_timer *timer = CONTAINER_OF(handle, struct loop_timer, uv);
	const int64_t now_us = loop_now_us();
	CHECK(now_us >= timer->deadline_us);
	timer->deadline_us = INT64_MAX;
	timer->firing = true;
	timer->cb(timer->context, now_us);
	/* Destroyed in its callback it is still there: memory goes when libuv is done with it. */
	timer->firing = false;
}

void
loop_timer_arm(struct loop_timer *timer, int64_t deadline_us)
{
	if (deadline_us == timer->deadline_us)
		return;
	timer->deadline_us = deadline_us;
	if (deadline_us == INT64_MAX) {
		uv_timer_stop(&timer->uv);
		return;
	}
	/* libuv counts whole milliseconds of the same clock: rounding up is never early. */
	const uint64_t at_ms = deadline_us > 0 ? ((uint64_t)deadline_us + 999) / 1000 : 0;
	const uint64_t now_ms = uv_now(timer->uv.loop);
	/* libuv runs timers until none is due: one that is armed for the past from its own callback
	 * would keep everything else waiting for ever. */
	const uint64_t soonest_ms = timer->firing ? 1 : 0;
	const uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
	uv_timer_start(&timer->uv, on_timer, wait_ms > soonest_ms ? wait_ms : soonest_ms, 0);
}

/* -- waker ----------------------------------------------------------------------------------- */

struct loop_waker {
	uv_async_t uv;
	loop_waker_cb *cb;
	void *context;
};

static void
on_waker(uv_async_t *handle)
{
	struct loop_waker *waker = CONTAINER_OF(handle, struct loop_waker, uv);
	waker->cb(waker->context);
}

int
loop_waker_create(struct loop_waker **out, struct loop *loop, loop_waker_cb *cb, void *context)
{
	CHECK(cb != NULL);
	struct loop_waker *waker = calloc(1, sizeof *waker);
	if (waker == NULL)
		return -ENOMEM;
	waker->cb = cb;
	waker->context = context;
	const int rc = uv_async_init(&loop->uv, &waker->uv, on_waker);
	if (rc != 0) {
		free(waker);
		return rc;
	}
	*out = waker;
	return 0;
}

static void
free_waker(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct loop_waker, uv));
}

void
loop_waker_destroy(struct loop_waker *waker)
{
	if (waker != NULL)
		uv_close((uv_handle_t *)&waker->uv, free_waker);
}

void
loop_wake(struct loop_waker *waker)
{
	CHECK(uv_async_send(&waker->uv) == 0);
}

/* -- watch ----------------------------------------------------------------------------------- */

struct loop_watch {
	uv_poll_t uv;
	loop_watch_cb *cb;
	void *context;
};

static void
free_watch(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct loop_watch, uv));
}

static void
on_readable(uv_poll_t *handle, int status, int events)
{
	struct loop_watch *watch = CONTAINER_OF(handle, struct loop_watch, uv);
	(void)status;
	(void)events;
	watch->cb(watch->context);
}

int
loop_watch_create(struct loop_watch **out, struct loop *loop, int fd, loop_watch_cb *cb,
                  void *context)
{
	CHECK(cb != NULL);
	struct loop_watch *watch = calloc(1, sizeof *watch);
	if (watch == NULL)
		return -ENOMEM;
	watch->cb = cb;
	watch->context = context;
	int rc = uv_poll_init(&loop->uv, &watch->uv, fd);
	if (rc != 0) {
		free(watch);
		return rc;
	}
	rc = uv_poll_start(&watch->uv, UV_READABLE, on_readable);
	if (rc != 0) {
		loop_watch_destroy(watch);
		return rc;
	}
	*out = watch;
	return 0;
}

void
loop_watch_destroy(struct loop_watch *watch)
{
	if (watch != NULL)
		uv_close((uv_handle_t *)&watch->uv, free_watch);
}

/* -- the end of a round ---------------------------------------------------------------------- */

struct loop_hook {
	uv_prepare_t uv;
	loop_hook_cb *cb;
	void *context;
};

static void
free_hook(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct loop_hook, uv));
}

static void
on_prepare(uv_prepare_t *handle)
{
	struct loop_hook *hook = CONTAINER_OF(handle, struct loop_hook, uv);
	hook->cb(hook->context);
}

int
loop_hook_create(struct loop_hook **out, struct loop *loop, loop_hook_cb *cb, void *context)
{
	CHECK(cb != NULL);
	struct loop_hook *hook = calloc(1, sizeof *hook);
	if (hook == NULL)
		return -ENOMEM;
	hook->cb = cb;
	hook->context = context;
	CHECK(uv_prepare_init(&loop->uv, &hook->uv) == 0);
	CHECK(uv_prepare_start(&hook->uv, on_prepare) == 0);
	*out = hook;
	return 0;
}

void
loop_hook_destroy(struct loop_hook *hook)
{
	if (hook != NULL)
		uv_close((uv_handle_t *)&hook->uv, free_hook);
}

/* -- signals --------------------------------------------------------------------------------- */

struct loop_signal {
	uv_signal_t uv;
	loop_signal_cb *cb;
	void *context;
};

static void
free_signal(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct loop_signal, uv));
}

static void
on_signal(uv_signal_t *handle, int signal_number)
{
	struct loop_signal *watch = CONTAINER_OF(handle, struct loop_signal, uv);
	watch->cb(watch->context, signal_number);
}

int
loop_signal_create(struct loop_signal **out, struct loop *loop, int signal_number,
                   loop_signal_cb *cb, void *context)
{
	CHECK(cb != NULL);
	struct loop_signal *watch = calloc(1, sizeof *watch);
	if (watch == NULL)
		return -ENOMEM;
	watch->cb = cb;
	watch->context = context;
	int rc = uv_signal_init(&loop->uv, &watch->uv);
	if (rc != 0) {
		free(watch);
		return rc;
	}
	rc = uv_signal_start(&watch->uv, on_signal, signal_number);
	if (rc != 0) {
		loop_signal_destroy(watch);
		return rc;
	}
	*out = watch;
	return 0;
}

void
loop_signal_destroy(struct loop_signal *watch)
{
	if (watch != NULL)
		uv_close((uv_handle_t *)&watch->uv, free_signal);
}

/* -- child processes ------------------------------------------------------------------------- */

enum { CHILD_OUTPUT_BYTES = 4096 };

struct loop_child {
	uv_process_t uv;
	uv_pipe_t pipe;
	struct loop *loop;
	struct loop_orphan orphan;
	void (*ended)(void *, struct loop_child *, int, int);
	void (*output)(void *, struct loop_child *, const char *, size_t);
	void *context;
	unsigned open_handles; /* the memory goes with the last */
	bool has_pipe;
	bool exited;
	bool destroyed;
	int exit_status;
	int signal_number;
	char bytes[CHILD_OUTPUT_BYTES];
};

static void
child_handle_closed(struct loop_child *child)
{
	CHECK(child->open_handles > 0);
	if (--child->open_handles == 0)
		free(child);
}

static void
child_process_closed(uv_handle_t *handle)
{
	child_handle_closed(CONTAINER_OF(handle, struct loop_child, uv));
}

static void
child_pipe_closed(uv_handle_t *handle)
{
	child_handle_closed(CONTAINER_OF(handle, struct loop_child, pipe));
}

/* Its end is told when it has exited and all it wrote was read, so that last words come first. */
static void
child_tell_end(struct loop_child *child)
{
	if (!child->exited || child->has_pipe || child->destroyed)
		return;
	if (child->ended != NULL)
		child->ended(child->context, child, child->exit_status, child->signal_number);
}

static void
child_close_pipe(struct loop_child *child)
{
	if (child->has_pipe) {
		child->has_pipe = false;
		uv_close((uv_handle_t *)&child->pipe, child_pipe_closed);
	}
}

static void
on_child_exit(uv_process_t *process, int64_t exit_status, int signal_number)
{
	struct loop_child *child = CONTAINER_OF(process, struct loop_child, uv);
	child->exited = true;
	child->exit_status = (int)exit_status;
	child->signal_number = signal_number;
	if (child->destroyed) {
		loop_orphan_remove(&child->orphan);
		uv_close((uv_handle_t *)&child->uv, child_process_closed);
		return;
	}
	child_tell_end(child);
}

static void
child_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	(void)suggested;
	struct loop_child *child = CONTAINER_OF(handle, struct loop_child, pipe);
	*buffer = uv_buf_init(child->bytes, sizeof child->bytes);
}

static void
on_child_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
	struct loop_child *child = CONTAINER_OF(stream, struct loop_child, pipe);
	if (len > 0) {
		child->output(child->context, child, buffer->base, (size_t)len);
	} else if (len < 0) {
		child_close_pipe(child);
		child_tell_end(child);
	}
}

static int
child_open_pipe(struct loop_child *child, struct loop *loop, int *write_fd)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	int rc = uv_pipe_init(&loop->uv, &child->pipe, 0);
	CHECK(rc == 0);
	child->open_handles++;
	child->has_pipe = true;
	rc = uv_pipe_open(&child->pipe, fds[0]);
	if (rc != 0) {
		close(fds[0]);
		close(fds[1]);
		child_close_pipe(child);
		return rc;
	}
	*write_fd = fds[1];
	return 0;
}

static int
child_spawn(struct loop_child *child, struct loop *loop, const struct loop_child_settings *settings,
            int output_fd)
{
	uv_stdio_container_t stdio[3 + LOOP_CHILD_FDS_MAX];
	for (unsigned fd = 0; fd < 3; fd++) {
		stdio[fd].flags = UV_INHERIT_FD;
		stdio[fd].data.fd = fd != 0 && output_fd >= 0 ? output_fd : (int)fd;
	}
	for (unsigned i = 0; i < settings->fd_count; i++) {
		stdio[3 + i].flags = UV_INHERIT_FD;
		stdio[3 + i].data.fd = settings->fds[i];
	}
	unsigned flags = settings->new_session ? UV_PROCESS_DETACHED : 0;
	if (settings->user_change)
		flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;

	/* libuv's structure predates const; it does not write through these pointers. */
	const uv_process_options_t options = {
		.exit_cb = on_child_exit,
		.file = settings->file,
		.args = (char **)(uintptr_t)settings->arguments,
		.env = (char **)(uintptr_t)settings->environment,
		.cwd = settings->directory,
		.flags = flags,
		.stdio_count = 3 + (int)settings->fd_count,
		.stdio = stdio,
		.uid = settings->uid,
		.gid = settings->gid,
	};
	return uv_spawn(&loop->uv, &child->uv, &options);
}

int
loop_child_create(struct loop_child **out, struct loop *loop,
                  const struct loop_child_settings *settings)
{
	CHECK(settings->fd_count <= LOOP_CHILD_FDS_MAX);
	CHECK(!settings->output_pipe || settings->output != NULL);

	struct loop_child *child = calloc(1, sizeof *child);
	if (child == NULL)
		return -ENOMEM;
	child->loop = loop;
	child->ended = settings->ended;
	child->output = settings->output;
	child->context = settings->context;

	int output_fd = -1;
	if (settings->output_pipe) {
		const int rc = child_open_pipe(child, loop, &output_fd);
		if (rc != 0) {
			if (child->open_handles == 0)
				free(child);
			return rc;
		}
	}
	const int rc = child_spawn(child, loop, settings, output_fd);
	child->open_handles++; /* uv_spawn makes a handle even when it fails */
	if (output_fd >= 0)
		close(output_fd);
	if (rc != 0) {
		child->exited = true;
		loop_child_destroy(child);
		return rc;
	}
	if (child->has_pipe)
		CHECK(uv_read_start((uv_stream_t *)&child->pipe, child_buffer, on_child_output) ==
		      0);
	*out = child;
	return 0;
}

/* Nobody watches it any more, it still runs, and the loop goes. */
static void
child_end(struct loop_orphan *orphan)
{
	struct loop_child *child = CONTAINER_OF(orphan, struct loop_child, orphan);
	loop_orphan_remove(orphan);
	uv_close((uv_handle_t *)&child->uv, child_process_closed);
}

void
loop_child_destroy(struct loop_child *child)
{
	if (child == NULL)
		return;
	CHECK(!child->destroyed);
	child->destroyed = true;
	child_close_pipe(child);
	if (child->exited) {
		uv_close((uv_handle_t *)&child->uv, child_process_closed);
		return;
	}
	uv_unref((uv_handle_t *)&child->uv);
	child->orphan.end = child_end;
	loop_orphan_add(child->loop, &child->orphan);
}

pid_t
loop_child_pid(const struct loop_child *child)
{
	return child->uv.pid;
}

int
loop_child_kill(struct loop_child *child, int signal_number)
{
	if (child->exited)
		return -ESRCH;
	return uv_process_kill(&child->uv, signal_number);
}
