/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/codec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "codec/codec_link.h"
#include "codec/decoder.h"
#include "codec/encoder.h"
#include "codec/labels.h"
#include "codec/sandbox.h"
#include "codec/scale.h"

enum {
	BEAT_US = 500 * 1000, /* a sign of life at least so often */
	NICENESS = 5,         /* sound comes first */
	TAKE_US = 10 * 1000,  /* then pictures get their turn, however many frames wait */
	DROPPED_MAX = CODEC_ENCODES_MAX,
};

struct process {
	struct codec_link *link;
	struct codec_engine *engine;
	struct label_fonts *fonts;
	/* Encodes of which a frame found no room. */
	uint32_t dropped[DROPPED_MAX];
	unsigned dropped_count;
	/* When the load was last told. */
	int64_t cpu_us;
	int64_t wall_us;
};

static int64_t
clock_us(clockid_t clock)
{
	struct timespec now;
	CHECK(clock_gettime(clock, &now) == 0);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint32_t
cpu_pct(struct process *process)
{
	const int64_t cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	const int64_t wall_us = clock_us(CLOCK_MONOTONIC);
	const int64_t span_us = wall_us - process->wall_us;
	const uint32_t pct =
	        span_us > 0 ? (uint32_t)((cpu_us - process->cpu_us) * 100 / span_us) : 0;
	process->cpu_us = cpu_us;
	process->wall_us = wall_us;
	return pct;
}

static void
on_message(void *context, const struct codec_message *message)
{
	struct process *process = context;
	if (message->kind == CODEC_LOAD) {
		struct codec_message load = *message;
		load.load.cpu_pct = cpu_pct(process);
		codec_link_post(process->link, &load);
		return;
	}
	if (!codec_link_post(process->link, message) && process->dropped_count < DROPPED_MAX)
		process->dropped[process->dropped_count++] = message->id;
}

/* What follows a frame that was dropped is of use to nobody. */
static void
order_keys(struct process *process, int64_t now_us)
{
	for (unsigned i = 0; i < process->dropped_count; i++)
		codec_engine_input(process->engine,
		                   &(struct codec_message){ .kind = CODEC_ENCODE_KEY,
		                                            .id = process->dropped[i] },
		                   now_us);
	process->dropped_count = 0;
}

/* True when there may be more. */
static bool
take_messages(struct process *process, int64_t now_us)
{
	struct codec_message message;
	for (unsigned i = 0; i < CODEC_LINK_BATCH; i++) {
		if (codec_link_take(process->link, &message) != CODEC_LINK_MESSAGE)
			return false;
		codec_engine_input(process->engine, &message, now_us);
		if (clock_us(CLOCK_MONOTONIC) - now_us > TAKE_US)
			break;
	}
	return true;
}

/* False when the worker is gone. */
static bool
wait_until(const struct process *process, int64_t deadline_us)
{
	struct pollfd fds[] = { { .fd = codec_link_fd(process->link), .events = POLLIN },
		                { .fd = codec_link_lifeline(process->link), .events = POLLIN } };
	const int64_t now_us = clock_us(CLOCK_MONOTONIC);
	int64_t wait_us = deadline_us > now_us ? deadline_us - now_us : 0;
	wait_us = wait_us < BEAT_US ? wait_us : BEAT_US;
	const struct timespec wait = { .tv_sec = wait_us / 1000000,
		                       .tv_nsec = wait_us % 1000000 * 1000 };
	if (ppoll(fds, COUNT_OF(fds), &wait, NULL) < 0)
		CHECK(errno == EINTR);
	return fds[1].revents == 0;
}

static int
run(struct process *process)
{
	for (;;) {
		codec_link_beat(process->link);
		const int64_t now_us = clock_us(CLOCK_MONOTONIC);
		const bool more = take_messages(process, now_us);
		if (codec_link_broken(process->link))
			return 1;
		if (codec_engine_deadline(process->engine) <= now_us)
			codec_engine_tick(process->engine, now_us);
		order_keys(process, now_us);
		codec_engine_spent(process->engine, clock_us(CLOCK_MONOTONIC) - now_us);
		if (!wait_until(process, more ? now_us : codec_engine_deadline(process->engine)))
			return 0;
	}
}

/* Ahead of being locked in: what needs files or may be decided by the system. */
static int
prepare(struct process *process)
{
	signal(SIGINT, SIG_IGN); /* of the terminal: who started us ends us */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "convoke codec", 0, 0, 0);
	setpriority(PRIO_PROCESS, 0, NICENESS);
	/* When memory is short this process goes, for it comes again. */
	const int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (oom >= 0) {
		(void)!write(oom, "500", 3);
		close(oom);
	}
	close_range(CODEC_PROCESS_FIRST_FD + CODEC_LINK_FDS, ~0u, 0);
	int rc = label_fonts_create(&process->fonts);
	if (rc != 0)
		return rc;
	if (label_fonts_count(process->fonts) == 0)
		fputs("convoke codec found no fonts: names are not drawn\n", stderr);
	decoder_warm_up();
	encoder_warm_up();
	scale_warm_up();
	const struct codec_engine_settings settings = { .fonts = process->fonts,
		                                        .sink = { process, on_message } };
	process->wall_us = clock_us(CLOCK_MONOTONIC);
	process->cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	return codec_engine_create(&process->engine, &settings, process->wall_us);
}

/* ---- What it may not ----------------------------------------------------------------------- */

static void
attempt_open(void)
{
	(void)open("/etc/hostname", O_RDONLY);
}

static void
attempt_socket(void)
{
	(void)socket(AF_INET, SOCK_DGRAM, 0);
}

static void
attempt_fork(void)
{
	(void)fork();
}

static void
attempt_exec(void)
{
	char *const arguments[] = { (char[]){ "/bin/true" }, NULL };
	(void)execv("/bin/true", arguments);
}

static void
attempt_kill(void)
{
	(void)kill(getppid(), 0);
}

static void
attempt_map(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	           0);
}

static const struct attempt {
	const char *what;
	void (*run)(void);
} attempts[] = {
	{ "open", attempt_open }, { "socket", attempt_socket }, { "fork", attempt_fork },
	{ "exec", attempt_exec }, { "kill", attempt_kill },     { "map", attempt_map },
};

/* Dies if all is well. */
static int
try_what_is_forbidden(const char *what)
{
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		if (strcmp(attempts[i].what, what) != 0)
			continue;
		const struct sandbox_settings settings = { .read_fd = -1,
			                                   .write_fd = STDERR_FILENO };
		if (sandbox_enter(&settings) != 0)
			return 1;
		attempts[i].run();
		_exit(0);
	}
	return 2;
}

int
codec_process_main(int count, char **arguments)
{
	static struct process process;
	if (count == 2 && strcmp(arguments[0], "--attempt") == 0)
		return try_what_is_forbidden(arguments[1]);
	if (count != 0 || codec_link_adopt(&process.link, CODEC_PROCESS_FIRST_FD) != 0) {
		fputs("convoke codec is started by the Call Bridge\n", stderr);
		return 2;
	}
	int rc = prepare(&process);
	if (rc == 0) {
		const struct sandbox_settings settings = {
			.read_fd = codec_link_fd(process.link),
			.write_fd = codec_link_peer_fd(process.link),
		};
		rc = sandbox_enter(&settings);
	}
	if (rc != 0) {
		fprintf(stderr, "convoke codec cannot lock itself in: %s\n", strerror(-rc));
		return 1;
	}
	_exit(run(&process)); /* what runs at an orderly exit is not allowed any more */
}
