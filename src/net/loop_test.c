/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: timers are never early, wakers wake across threads, children are heard and reaped, and
 * nothing is called after it was destroyed.  Method: a real loop, real threads and processes. */
#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/ring.h"
#include "base/test.h"

static struct loop *
loop_new(void)
{
	struct loop *loop = NULL;
	EXPECT_EQ(loop_create(&loop), 0);
	return loop;
}

struct firing {
	struct loop *loop;
	struct loop_timer *timer;
	int64_t wanted_us;
	int64_t late_us_max;
	int left;
};

static void
fire(void *context, int64_t now_us)
{
	struct firing *firing = context;
	EXPECT(now_us >= firing->wanted_us);
	const int64_t late_us = now_us - firing->wanted_us;
	if (late_us > firing->late_us_max)
		firing->late_us_max = late_us;
	if (--firing->left == 0) {
		loop_stop(firing->loop);
		return;
	}
	firing->wanted_us = now_us + 1 + firing->left * 337;
	loop_timer_arm(firing->timer, firing->wanted_us);
}

TEST(a_timer_is_never_early)
{
	struct firing firing = { .loop = loop_new(), .left = 20 };
	EXPECT_EQ(loop_timer_create(&firing.timer, firing.loop, fire, &firing), 0);
	firing.wanted_us = loop_now_us() + 1500;
	loop_timer_arm(firing.timer, firing.wanted_us);
	loop_run(firing.loop);
	EXPECT_EQ(firing.left, 0);
	EXPECT(firing.late_us_max <
	       1000000); /* a busy machine may be late, a broken timer is later */
	loop_timer_destroy(firing.timer);
	loop_destroy(firing.loop);
}

static void
never_fire(void *context, int64_t now_us)
{
	(void)context;
	(void)now_us;
	fail_msg("a timer that was disarmed or destroyed");
}

static void
fire_for_the_past(void *context, int64_t now_us)
{
	struct firing *firing = context;
	firing->left++;
	loop_timer_arm(firing->timer, now_us - 5000 - firing->left);
}

TEST(a_timer_that_is_always_due_keeps_nothing_else_waiting)
{
	struct firing firing = { .loop = loop_new() };
	EXPECT_EQ(loop_timer_create(&firing.timer, firing.loop, fire_for_the_past, &firing), 0);
	loop_timer_arm(firing.timer, loop_now_us() + 1000);
	loop_run_until(firing.loop, loop_now_us() + 30000);
	EXPECT(firing.left > 1);
	loop_timer_destroy(firing.timer);
	loop_destroy(firing.loop);
}

TEST(a_disarmed_or_destroyed_timer_stays_silent)
{
	struct loop *loop = loop_new();
	struct loop_timer *disarmed, *destroyed;
	EXPECT_EQ(loop_timer_create(&disarmed, loop, never_fire, NULL), 0);
	EXPECT_EQ(loop_timer_create(&destroyed, loop, never_fire, NULL), 0);
	loop_timer_arm(disarmed, loop_now_us() + 1000);
	loop_timer_arm(destroyed, loop_now_us());
	loop_timer_arm(disarmed, INT64_MAX);
	loop_timer_destroy(destroyed);
	loop_run_until(loop, loop_now_us() + 10000);
	loop_timer_destroy(disarmed);
	loop_timer_destroy(NULL);
	loop_destroy(loop);
}

enum { MESSAGES = 20000 };

struct crossing {
	struct loop *loop;
	struct loop_waker *waker;
	struct ring ring;
	uint32_t next;
};

static void *
post_all(void *context)
{
	struct crossing *crossing = context;
	for (uint32_t i = 0; i < MESSAGES;) {
		if (ring_post(&crossing->ring, &i))
			i++;
		loop_wake(crossing->waker);
	}
	return NULL;
}

static void
take_all(void *context)
{
	struct crossing *crossing = context;
	uint32_t message;
	while (ring_take(&crossing->ring, &message)) {
		EXPECT_EQ(message, crossing->next);
		crossing->next++;
	}
	if (crossing->next == MESSAGES)
		loop_stop(crossing->loop);
}

TEST(a_waker_carries_every_message_of_another_thread)
{
	struct crossing crossing = { .loop = loop_new() };
	EXPECT_EQ(ring_create(&crossing.ring, sizeof(uint32_t), 64), 0);
	EXPECT_EQ(loop_waker_create(&crossing.waker, crossing.loop, take_all, &crossing), 0);
	pthread_t thread;
	EXPECT_EQ(pthread_create(&thread, NULL, post_all, &crossing), 0);
	loop_run(crossing.loop);
	pthread_join(thread, NULL);
	EXPECT_EQ(crossing.next, MESSAGES);
	loop_waker_destroy(crossing.waker);
	loop_destroy(crossing.loop);
	ring_destroy(&crossing.ring);
}

static void
note_signal(void *context, int signal_number)
{
	EXPECT_EQ(signal_number, SIGUSR1);
	loop_stop(context);
}

struct rounds {
	struct loop *loop;
	struct loop_hook *hook;
	unsigned fired;
	unsigned ended;
};

static void
fire_round(void *context, int64_t now_us)
{
	struct rounds *rounds = context;
	(void)now_us;
	rounds->fired++;
}

static void
end_round(void *context)
{
	struct rounds *rounds = context;
	if (rounds->fired == 0)
		return;
	/* Both timers of one moment come before the one hook of their round. */
	EXPECT_EQ(rounds->fired, 2);
	rounds->ended++;
	loop_hook_destroy(rounds->hook);
	loop_stop(rounds->loop);
}

TEST(a_hook_comes_once_at_the_end_of_a_round)
{
	struct rounds rounds = { .loop = loop_new() };
	struct loop_timer *timers[2];
	const int64_t deadline_us = loop_now_us() + 2000;
	EXPECT_EQ(loop_hook_create(&rounds.hook, rounds.loop, end_round, &rounds), 0);
	for (unsigned i = 0; i < 2; i++) {
		EXPECT_EQ(loop_timer_create(&timers[i], rounds.loop, fire_round, &rounds), 0);
		loop_timer_arm(timers[i], deadline_us);
	}
	loop_run(rounds.loop);
	EXPECT_EQ(rounds.ended, 1);
	for (unsigned i = 0; i < 2; i++)
		loop_timer_destroy(timers[i]);
	loop_destroy(rounds.loop);
}

TEST(a_signal_reaches_its_watch)
{
	struct loop *loop = loop_new();
	struct loop_signal *watch;
	EXPECT_EQ(loop_signal_create(&watch, loop, SIGUSR1, note_signal, loop), 0);
	EXPECT_EQ(kill(getpid(), SIGUSR1), 0);
	loop_run(loop);
	loop_signal_destroy(watch);
	loop_destroy(loop);
}

struct child_story {
	struct loop *loop;
	char output[256];
	size_t output_len;
	int exit_status;
	int signal_number;
	bool ended;
};

static void
child_ended(void *context, struct loop_child *child, int exit_status, int signal_number)
{
	struct child_story *story = context;
	story->exit_status = exit_status;
	story->signal_number = signal_number;
	story->ended = true;
	EXPECT_EQ(loop_child_kill(child, SIGTERM), -ESRCH);
	loop_stop(story->loop);
}

static void
child_output(void *context, struct loop_child *child, const char *bytes, size_t len)
{
	(void)child;
	struct child_story *story = context;
	EXPECT(story->output_len + len < sizeof story->output);
	memcpy(story->output + story->output_len, bytes, len);
	story->output_len += len;
}

TEST(a_child_is_heard_and_its_exit_status_told_after_its_last_words)
{
	struct child_story story = { .loop = loop_new() };
	struct loop_child *child;
	int fds[2];
	EXPECT_EQ(pipe(fds), 0);
	EXPECT_EQ(write(fds[1], "by pipe\n", 8), 8);
	close(fds[1]);
	EXPECT_EQ(
	        loop_child_create(
	                &child, story.loop,
	                &(struct loop_child_settings){
	                        .file = "/bin/sh",
	                        .arguments =
	                                (const char *const[]){
	                                        "speaker", "-c",
	                                        "echo $V; cat <&3; echo last >&2; exit 7", NULL },
	                        .environment = (const char *const[]){ "V=from us",
	                                                              "PATH=/usr/bin:/bin", NULL },
	                        .output_pipe = true,
	                        .fds = { fds[0] },
	                        .fd_count = 1,
	                        .ended = child_ended,
	                        .output = child_output,
	                        .context = &story,
	                }),
	        0);
	EXPECT(loop_child_pid(child) > 0);
	loop_run(story.loop);
	EXPECT_EQ(story.exit_status, 7);
	EXPECT_EQ(story.signal_number, 0);
	EXPECT_STR(((struct str){ story.output, story.output_len }), "from us\nby pipe\nlast\n");
	close(fds[0]);
	loop_child_destroy(child);
	loop_destroy(story.loop);
}

TEST(a_killed_child_tells_the_signal)
{
	struct child_story story = { .loop = loop_new() };
	struct loop_child *child;
	EXPECT_EQ(
	        loop_child_create(&child, story.loop,
	                          &(struct loop_child_settings){
	                                  .file = "sleep",
	                                  .arguments = (const char *const[]){ "sleep", "60", NULL },
	                                  .new_session = true,
	                                  .ended = child_ended,
	                                  .context = &story,
	                          }),
	        0);
	EXPECT_EQ(getsid(loop_child_pid(child)), loop_child_pid(child));
	EXPECT_EQ(loop_child_kill(child, SIGKILL), 0);
	loop_run(story.loop);
	EXPECT_EQ(story.signal_number, SIGKILL);
	loop_child_destroy(child);
	loop_destroy(story.loop);
}

TEST(a_child_that_cannot_start_is_an_error_and_an_unwatched_one_is_no_leak)
{
	struct child_story story = { .loop = loop_new() };
	struct loop_child *child;
	struct loop_child_settings settings = {
		.file = "/nonexistent/program",
		.arguments = (const char *const[]){ "x", NULL },
		.output_pipe = true,
		.ended = child_ended,
		.output = child_output,
		.context = &story,
	};
	EXPECT_EQ(loop_child_create(&child, story.loop, &settings), -ENOENT);

	settings.file = "sleep";
	settings.arguments = (const char *const[]){ "sleep", "0.02", NULL };
	EXPECT_EQ(loop_child_create(&child, story.loop, &settings), 0);
	loop_child_destroy(child);
	loop_run_until(story.loop, loop_now_us() + 100000);
	EXPECT(!story.ended);

	settings.arguments = (const char *const[]){ "sleep", "0.3", NULL };
	EXPECT_EQ(loop_child_create(&child, story.loop, &settings), 0);
	loop_child_destroy(child);
	loop_destroy(story.loop);
}

struct watching {
	struct loop *loop;
	struct loop_watch *watch;
	int fd;
	int calls;
};

static void
readable(void *context)
{
	struct watching *watching = context;
	/* Left unread the first time: it comes again. */
	if (++watching->calls == 1)
		return;
	char byte;
	EXPECT_EQ(read(watching->fd, &byte, 1), 1);
	EXPECT_EQ(byte, 'x');
	loop_stop(watching->loop);
}

TEST(a_watch_calls_while_its_descriptor_is_readable)
{
	int fds[2];
	EXPECT_EQ(pipe(fds), 0);
	struct watching watching = { .loop = loop_new(), .fd = fds[0] };
	EXPECT_EQ(loop_watch_create(&watching.watch, watching.loop, fds[0], readable, &watching), 0);
	loop_run_until(watching.loop, loop_now_us() + 10000);
	EXPECT_EQ(watching.calls, 0);
	EXPECT_EQ(write(fds[1], "x", 1), 1);
	loop_run(watching.loop);
	EXPECT_EQ(watching.calls, 2);
	loop_run_until(watching.loop, loop_now_us() + 10000);
	EXPECT_EQ(watching.calls, 2);

	/* Destroyed, it hears nothing; a descriptor that cannot be watched is refused. */
	loop_watch_destroy(watching.watch);
	EXPECT_EQ(write(fds[1], "y", 1), 1);
	loop_run_until(watching.loop, loop_now_us() + 10000);
	EXPECT_EQ(watching.calls, 2);
	EXPECT(loop_watch_create(&watching.watch, watching.loop, -1, readable, &watching) != 0);
	close(fds[0]);
	close(fds[1]);
	loop_destroy(watching.loop);
}
