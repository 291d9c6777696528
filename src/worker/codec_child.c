/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/codec_child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

struct codec_child {
	struct codec_child_settings settings;
	struct loop *loop;
	struct loop_child *process; /* NULL: none runs */
	struct codec_link *link;
	struct loop_timer *restart;
	struct loop_timer *watch;
	int64_t started_us;
	int64_t pause_us; /* before the next one is started; 0: none */
	int64_t pulse_us; /* when the pulse was last seen to change */
	uint32_t pulse;
	uint32_t restarts;
};

static int start(struct codec_child *child);

static void
start_later(struct codec_child *child, int64_t now_us)
{
	loop_timer_arm(child->restart, now_us + child->pause_us);
	child->pause_us = child->pause_us == 0 ? CODEC_CHILD_PAUSE_US_MIN : 2 * child->pause_us;
	if (child->pause_us > CODEC_CHILD_PAUSE_US_MAX)
		child->pause_us = CODEC_CHILD_PAUSE_US_MAX;
}

static void
on_ended(void *context, struct loop_child *process, int exit_status, int signal_number)
{
	struct codec_child *child = context;
	const int64_t now_us = loop_now_us();
	CHECK(process == child->process);
	log_warning("codec process %u (%d) ended: %s %d; pictures pause until the next one runs",
	            child->settings.index, (int)loop_child_pid(process),
	            signal_number != 0 ? "signal" : "exit status",
	            signal_number != 0 ? signal_number : exit_status);
	loop_child_destroy(process);
	child->process = NULL;
	child->restarts++;
	loop_timer_arm(child->watch, INT64_MAX);
	if (now_us - child->started_us >= CODEC_CHILD_EARLY_US)
		child->pause_us = 0;
	start_later(child, now_us);
}

static void
on_restart(void *context, int64_t now_us)
{
	struct codec_child *child = context;
	const int rc = start(child);
	if (rc == 0)
		return;
	log_error("codec process %u cannot be started: %s", child->settings.index, strerror(-rc));
	start_later(child, now_us);
}

/* Reading and writing nonsense, or not coming back from a picture: both end the same way. */
static void
on_watch(void *context, int64_t now_us)
{
	struct codec_child *child = context;
	const uint32_t pulse = codec_link_pulse(child->link);
	if (pulse != child->pulse)
		child->pulse_us = now_us;
	child->pulse = pulse;
	const bool broken = codec_link_broken(child->link);
	if (broken || now_us - child->pulse_us >= CODEC_CHILD_SILENT_US) {
		log_warning("codec process %u (%d) %s and is killed", child->settings.index,
		            (int)loop_child_pid(child->process),
		            broken ? "broke the rules of its link" : "does not answer");
		loop_child_kill(child->process, SIGKILL);
	}
	loop_timer_arm(child->watch, now_us + CODEC_CHILD_PULSE_US);
}

static int
spawn(struct codec_child *child)
{
	static const char *const arguments[] = { "convoke", "codec", NULL };
	static const char *const environment[] = { NULL };
	const char *executable = child->settings.executable;
	struct loop_child_settings settings = {
		.file = executable != NULL ? executable : "/proc/self/exe",
		.arguments = arguments,
		.environment = environment,
		.fd_count = CODEC_LINK_FDS,
		.ended = on_ended,
		.context = child,
	};
	static_assert((int)CODEC_LINK_FDS <= (int)LOOP_CHILD_FDS_MAX, "a link's descriptors fit");
	memcpy(settings.fds, codec_link_child_fds(child->link),
	       CODEC_LINK_FDS * sizeof settings.fds[0]);
	return loop_child_create(&child->process, child->loop, &settings);
}

static int
start(struct codec_child *child)
{
	const int64_t now_us = loop_now_us();
	struct codec_link *link = NULL;
	int rc = codec_link_create(&link);
	if (rc != 0)
		return rc;
	codec_link_put(child->link);
	child->link = link;
	rc = spawn(child);
	if (rc != 0) {
		child->process = NULL;
		return rc;
	}
	child->started_us = child->pulse_us = now_us;
	child->pulse = codec_link_pulse(link);
	loop_timer_arm(child->watch, now_us + CODEC_CHILD_PULSE_US);
	child->settings.linked(child->settings.context, child->settings.index,
	                       codec_link_get(link));
	return 0;
}

int
codec_child_create(struct codec_child **out, struct loop *control,
                   const struct codec_child_settings *settings)
{
	CHECK(settings->linked != NULL);
	struct codec_child *child = calloc(1, sizeof *child);
	if (child == NULL)
		return -ENOMEM;
	child->settings = *settings;
	child->loop = control;
	int rc = loop_timer_create(&child->restart, control, on_restart, child);
	if (rc == 0)
		rc = loop_timer_create(&child->watch, control, on_watch, child);
	if (rc == 0)
		rc = start(child);
	if (rc != 0) {
		codec_child_destroy(child);
		return rc;
	}
	*out = child;
	return 0;
}

void
codec_child_destroy(struct codec_child *child)
{
	if (child == NULL)
		return;
	if (child->process != NULL) {
		loop_child_kill(child->process, SIGKILL);
		loop_child_destroy(child->process);
	}
	loop_timer_destroy(child->restart);
	loop_timer_destroy(child->watch);
	codec_link_put(child->link);
	free(child);
}

pid_t
codec_child_pid(const struct codec_child *child)
{
	return child->process != NULL ? loop_child_pid(child->process) : 0;
}

uint32_t
codec_child_restarts(const struct codec_child *child)
{
	return child->restarts;
}
