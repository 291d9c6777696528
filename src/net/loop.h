/* SPDX-License-Identifier: Apache-2.0 */
/* loop -- the event loop of one thread: time, timers, wakers, signals and child processes.
 *
 * A thin skin over libuv; sockets (net/udp.h, net/tcp.h, net/http.h, net/dns.h) live on it too.
 *
 * Ownership  create/destroy pairs.  After x_destroy() returns, that object's callback never comes
 *            again; memory goes when libuv is done with it.  Destroy everything on a loop before
 *            the loop.  Objects may be destroyed inside their own callback.
 * Threads    One thread runs a loop and makes every call on it and on what lives on it.  Two
 *            exceptions: loop_wake() may come from any thread, and loop_now_us() from anywhere.
 * Units      Microseconds on the monotonic clock.  Timers fire at their deadline or up to about
 *            a millisecond later, never before it.
 * Errors     0 or -errno.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct loop_timer;
struct loop_waker;
struct loop_watch;
struct loop_hook;
struct loop_signal;
struct loop_child;

[[nodiscard]] int64_t loop_now_us(void);

[[nodiscard]] int loop_create(struct loop **out);
void loop_destroy(struct loop *loop);

/* Runs callbacks until loop_stop(). */
void loop_run(struct loop *loop);
/* Runs callbacks until loop_stop() or `deadline_us`; for tests and orderly endings. */
void loop_run_until(struct loop *loop, int64_t deadline_us);
/* Lets loop_run() return after the current round of callbacks. */
void loop_stop(struct loop *loop);

/* -- one-shot timer -------------------------------------------------------------------------- */

typedef void loop_timer_cb(void *context, int64_t now_us);

[[nodiscard]] int loop_timer_create(struct loop_timer **out, struct loop *loop, loop_timer_cb *cb,
                                    void *context);
void loop_timer_destroy(struct loop_timer *timer);

/* Arms or moves it; INT64_MAX disarms it, so a core's deadline can be passed as it is.  Arming it
 * again for the same deadline costs nothing. */
void loop_timer_arm(struct loop_timer *timer, int64_t deadline_us);

/* -- waker: the consumer's end of a ring between threads ------------------------------------- */

typedef void loop_waker_cb(void *context);

[[nodiscard]] int loop_waker_create(struct loop_waker **out, struct loop *loop, loop_waker_cb *cb,
                                    void *context);
/* No other thread may hold it any more. */
void loop_waker_destroy(struct loop_waker *waker);

/* Any thread.  One callback may answer several wakes: drain the ring in it. */
void loop_wake(struct loop_waker *waker);

/* -- a descriptor that is nobody's socket ------------------------------------------------------ */

typedef void loop_watch_cb(void *context);

/* Calls back while `fd` is readable (level-triggered).  The descriptor stays the caller's, open
 * until the watch is destroyed. */
[[nodiscard]] int loop_watch_create(struct loop_watch **out, struct loop *loop, int fd,
                                    loop_watch_cb *cb, void *context);
void loop_watch_destroy(struct loop_watch *watch);

/* -- the end of a round ---------------------------------------------------------------------- */

typedef void loop_hook_cb(void *context);

/* Calls back once a round, when all that was there to do is done and before the loop sleeps: for
 * what is gathered over many callbacks. */
[[nodiscard]] int loop_hook_create(struct loop_hook **out, struct loop *loop, loop_hook_cb *cb,
                                   void *context);
void loop_hook_destroy(struct loop_hook *hook);

/* -- signals --------------------------------------------------------------------------------- */

typedef void loop_signal_cb(void *context, int signal_number);

[[nodiscard]] int loop_signal_create(struct loop_signal **out, struct loop *loop, int signal_number,
                                     loop_signal_cb *cb, void *context);
void loop_signal_destroy(struct loop_signal *watch);

/* -- child processes ------------------------------------------------------------------------- */

enum { LOOP_CHILD_FDS_MAX = 8 };

struct loop_child_settings {
	const char *file;               /* looked up in PATH unless it has a slash */
	const char *const *arguments;   /* arguments[0] is what `ps` shows; NULL ends it */
	const char *const *environment; /* NULL: ours */
	const char *directory;          /* NULL: ours */
	bool user_change;               /* to uid and gid below */
	uid_t uid;
	gid_t gid;
	bool new_session; /* not reached by the terminal's Ctrl-C */
	/* Standard error and output come to `output`; otherwise they are inherited. */
	bool output_pipe;
	/* Descriptors the child gets as 3, 4, ...; they stay open here. */
	int fds[LOOP_CHILD_FDS_MAX];
	unsigned fd_count;

	/* It has ended and was reaped; `signal_number` is not zero if one killed it.  The object
	 * stays until it is destroyed. */
	void (*ended)(void *context, struct loop_child *child, int exit_status, int signal_number);
	/* A piece of output, not cut at lines; NULL when `output_pipe` is false. */
	void (*output)(void *context, struct loop_child *child, const char *bytes, size_t len);
	void *context;
};

[[nodiscard]] int loop_child_create(struct loop_child **out, struct loop *loop,
                                    const struct loop_child_settings *settings);
/* Does not kill: an unreaped child is then reaped silently. */
void loop_child_destroy(struct loop_child *child);

[[nodiscard]] pid_t loop_child_pid(const struct loop_child *child);
/* -ESRCH when it has ended. */
int loop_child_kill(struct loop_child *child, int signal_number);

#endif
