/* SPDX-License-Identifier: Apache-2.0 */
/* `convoke up`: the supervisor itself. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "net/line.h"
#include "net/loop.h"
#include "supervisor/account_file.h"
#include "supervisor/announce.h"
#include "supervisor/backup.h"
#include "supervisor/data_dir.h"
#include "supervisor/life.h"
#include "supervisor/log_lines.h"
#include "supervisor/privilege.h"
#include "supervisor/tap.h"

enum {
	CALLERS_MAX = 16,
	PART_MAX = 16384,
	OUTPUT_MAX = 4096,
	LOCK_WAIT_US = 1000 * 1000, /* one that is just ending has a second */
};

struct supervisor;

struct child {
	struct supervisor *supervisor;
	enum config_component component;
	struct life life;
	struct loop_child *process;
	struct line *line;
	size_t part_len;
	char part[PART_MAX];       /* the settings it was started with */
	char lacks[CONFIG_ERROR_MAX]; /* what its settings lack, as told; "": nothing */
	size_t output_len;
	char output[OUTPUT_MAX];   /* an unfinished line for the log file */
};

/* Somebody on the control socket. */
struct caller {
	struct supervisor *supervisor;
	struct line *line;      /* NULL: free */
	struct child *awaited;  /* restart: whose next "ready" or end it waits for */
	bool awaits_end;        /* down */
};

struct supervisor {
	struct data_dir dir;
	struct config config;
	struct loop *loop;
	struct loop_timer *timer;
	struct loop_signal *signals[3];
	struct line_listener *control;
	struct child children[CONFIG_COMPONENTS];
	struct caller callers[CALLERS_MAX];
	struct log_lines log;
	struct port_notes notes;
	bool detached;
	int tell_fd;    /* detached: where the waiting terminal hears how the start went; or -1 */
	bool announced; /* everything answered once */
	bool stopping;
	bool hurried; /* no more waiting for good manners */
	int status;
};

static void drive(struct supervisor *supervisor);

/* -- the process of a component ---------------------------------------------------------------- */

static const char *
name_of(const struct child *child)
{
	return config_component_name(child->component);
}

static void
answer_awaiting(struct child *child, const char *result, const char *text)
{
	for (size_t i = 0; i < CALLERS_MAX; i++) {
		struct caller *caller = &child->supervisor->callers[i];
		if (caller->line == NULL || caller->awaited != child)
			continue;
		line_send(caller->line, str_of(result));
		line_send(caller->line, str_of(text));
		line_close(caller->line);
		caller->line = NULL;
	}
}

static void
tell_failed(struct child *child)
{
	char text[LIFE_WORDS_MAX + 64];
	snprintf(text, sizeof text, "FAILURE: %s: %.*s", name_of(child), LIFE_WORDS_MAX,
	         child->life.words);
	answer_awaiting(child, "failed", text);
}

/* At the first start every failure ends the whole: somebody is there to read the reason. */
static void
give_up(struct child *child)
{
	struct supervisor *supervisor = child->supervisor;
	char advice[1024];
	struct writer w = writer_of(advice, sizeof advice);
	if (supervisor->status != 0)
		return;
	announce_advice(&w, &supervisor->config, &supervisor->notes, child->life.words);
	fprintf(stderr, "convoke: %s could not start: %s\n%.*s", name_of(child), child->life.words,
	        STR_ARGS(writer_view(&w)));
	if (supervisor->detached) {
		log_error("%s could not start: %s", name_of(child), child->life.words);
		fprintf(stderr, "More is in %s\n", supervisor->log.file.path);
	}
	supervisor->status = 1;
	supervisor->stopping = true;
}

static void
on_said(void *context, struct line *line, struct str text)
{
	struct child *child = context;
	(void)line;
	const enum life_state before = child->life.state;
	life_said(&child->life, text, loop_now_us());
	if (before == LIFE_STARTING && child->life.state == LIFE_READY) {
		log_info("%s is ready (process %d)", name_of(child),
		         (int)loop_child_pid(child->process));
		char done[64];
		snprintf(done, sizeof done, "SUCCESS: %s restarted", name_of(child));
		answer_awaiting(child, "ok", done);
	}
	drive(child->supervisor);
}

static void
on_line_closed(void *context, struct line *line)
{
	struct child *child = context;
	CHECK(line == child->line);
	line_close(child->line); /* its process ends, or is silent and will be killed */
	child->line = NULL;
}

static void
on_ended(void *context, struct loop_child *process, int exit_status, int signal_number)
{
	struct child *child = context;
	struct supervisor *supervisor = child->supervisor;
	const int64_t now_us = loop_now_us();
	const char *signal_text = strsignal(signal_number);
	const bool unasked = life_ended(&child->life, exit_status, signal_number,
	                                signal_text != NULL ? signal_text : "unknown", now_us);
	loop_child_destroy(process);
	child->process = NULL;
	line_close(child->line);
	child->line = NULL;
	if (unasked && !supervisor->announced) {
		give_up(child);
	} else if (unasked) {
		log_error("%s %s, starting it again in %.1f s", name_of(child), child->life.words,
		          (double)life_back_off_us(&child->life, now_us) / 1e6);
	} else {
		log_info("%s has ended", name_of(child));
	}
	if (unasked)
		tell_failed(child);
	drive(supervisor);
}

/* Pieces become lines before they share a file with others' lines. */
static void
on_output(void *context, struct loop_child *process, const char *bytes, size_t len)
{
	struct child *child = context;
	for (size_t i = 0; i < len; i++) {
		child->output[child->output_len++] = bytes[i];
		if (bytes[i] == '\n' || child->output_len == OUTPUT_MAX) {
			log_lines_component(&child->supervisor->log, name_of(child),
			                    loop_child_pid(process), child->output,
			                    child->output_len);
			child->output_len = 0;
		}
	}
}

static int
start_process(struct child *child)
{
	static const struct line_handler handler = { .received = on_said,
		                                     .closed = on_line_closed };
	struct supervisor *supervisor = child->supervisor;
	int fds[2];
	int rc = line_pair(fds);
	if (rc != 0)
		return rc;
	const char *const arguments[] = { "convoke", name_of(child), "--data", supervisor->dir.path,
		                          NULL };
	const struct loop_child_settings settings = {
		/* The same program even when its file was replaced meanwhile. */
		.file = "/proc/self/exe",
		.arguments = arguments,
		.new_session = true,
		.output_pipe = true,
		.fds = { fds[1] },
		.fd_count = 1,
		.ended = on_ended,
		.output = on_output,
		.context = child,
	};
	privilege_children_low_ports(config_low_ports(&supervisor->config));
	rc = loop_child_create(&child->process, supervisor->loop, &settings);
	close(fds[1]);
	if (rc != 0) {
		close(fds[0]);
		return rc;
	}
	rc = line_open(&child->line, supervisor->loop, fds[0], &handler, child);
	if (rc != 0) {
		/* Without a line it ends by itself; its end is told as any other. */
		child->line = NULL;
		log_error("%s cannot be heard: %s", name_of(child), strerror(-rc));
	}
	return 0;
}

static void
write_part(struct writer *w, const struct supervisor *supervisor, const struct child *child)
{
	config_write_part(w, &supervisor->config, child->component);
	CHECK(!w->failed);
}

static void
act(struct child *child, enum life_do what)
{
	int rc;
	switch (what) {
	case LIFE_START: {
		struct writer w = writer_of(child->part, sizeof child->part);
		write_part(&w, child->supervisor, child);
		child->part_len = w.at;
		rc = start_process(child);
		if (rc == 0)
			break;
		life_not_started(&child->life, strerror(-rc), loop_now_us());
		log_error("%s %s", name_of(child), child->life.words);
		tell_failed(child);
		if (!child->supervisor->announced)
			give_up(child);
		break;
	}
	case LIFE_PING:
		if (child->line != NULL)
			line_send(child->line, STR("ping"));
		break;
	case LIFE_TERMINATE:
		(void)loop_child_kill(child->process, SIGTERM);
		break;
	case LIFE_KILL:
		log_error("%s %s", name_of(child), child->life.words);
		(void)loop_child_kill(child->process, SIGKILL);
		break;
	case LIFE_NOTHING:
		break;
	}
}

/* -- the whole --------------------------------------------------------------------------------- */

static bool
all_answer(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < CONFIG_COMPONENTS; i++) {
		const struct life *life = &supervisor->children[i].life;
		if (life->wanted && !life_answers(life))
			return false;
	}
	return true;
}

static bool
all_stopped(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < CONFIG_COMPONENTS; i++)
		if (supervisor->children[i].life.state != LIFE_STOPPED)
			return false;
	return true;
}

/* The terminal gets its prompt back; from here on there is only the log. */
static void
let_terminal_go(struct supervisor *supervisor, char result)
{
	if (supervisor->tell_fd < 0)
		return;
	fflush(stdout);
	fflush(stderr);
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	/* When nobody waits any more, nobody needs to be told. */
	if (write(supervisor->tell_fd, &result, 1) != 1)
		log_warning("the terminal that started Convoke is gone");
	close(supervisor->tell_fd);
	supervisor->tell_fd = -1;
}

static void
announce(struct supervisor *supervisor)
{
	char text[8192];
	struct writer w = writer_of(text, sizeof text);
	supervisor->announced = true;
	announce_ready(&w, &supervisor->dir, &supervisor->config);
	if (supervisor->detached) {
		writer_text(&w, "\n  To end it: ");
		announce_command(&w, &supervisor->dir, "down");
		writer_text(&w, "\n");
	} else {
		writer_text(&w, "\n  Ctrl-C ends it.\n");
	}
	printf("%.*s", STR_ARGS(writer_view(&w)));
	fflush(stdout);
	let_terminal_go(supervisor, 'r');
}

/* One after the other: the Call Bridge tells its browsers over the Web Bridge that it ends. */
static void
end_in_order(struct supervisor *supervisor)
{
	for (size_t i = 0; i < CONFIG_COMPONENTS; i++) {
		struct life *life = &supervisor->children[i].life;
		life_want(life, false, loop_now_us());
		if (supervisor->hurried)
			life_hurry(life);
		else if (life->state != LIFE_STOPPED)
			return;
	}
}

/* Does what the lives ask for, and looks again when the first of them asks to. */
static void
drive(struct supervisor *supervisor)
{
	int64_t next_us = INT64_MAX;
	bool acted;
	do {
		acted = false;
		if (supervisor->stopping)
			end_in_order(supervisor);
		for (size_t i = 0; i < CONFIG_COMPONENTS; i++) {
			struct child *child = &supervisor->children[i];
			const enum life_do what = life_poll(&child->life, loop_now_us());
			act(child, what);
			acted = acted || what != LIFE_NOTHING;
		}
	} while (acted); /* a start that fails may end the others */
	for (size_t i = 0; i < CONFIG_COMPONENTS; i++)
		if (life_deadline(&supervisor->children[i].life) < next_us)
			next_us = life_deadline(&supervisor->children[i].life);
	loop_timer_arm(supervisor->timer, next_us);
	if (supervisor->stopping && all_stopped(supervisor))
		loop_stop(supervisor->loop);
	else if (!supervisor->announced && !supervisor->stopping && all_answer(supervisor))
		announce(supervisor);
}

static void
on_timer(void *context, int64_t now_us)
{
	(void)now_us;
	drive(context);
}

/* A person who asks a second time does not want to wait. */
static void
stop(struct supervisor *supervisor, bool by_person)
{
	if (!supervisor->stopping)
		log_info("ending calls and components");
	else if (by_person)
		supervisor->hurried = true;
	supervisor->stopping = true;
	drive(supervisor);
}

static void
on_signal(void *context, int signal_number)
{
	struct supervisor *supervisor = context;
	if (signal_number == SIGHUP && supervisor->detached)
		log_file_reopen(&supervisor->log.file);
	else
		stop(supervisor, signal_number == SIGINT);
}

/* -- the control socket ------------------------------------------------------------------------ */

static void
write_status_row(struct writer *w, const struct child *child, int64_t now_us)
{
	const struct life *life = &child->life;
	const bool runs = child->process != NULL;
	const char *state = !life->wanted && life->state == LIFE_STOPPED ? "disabled"
	                    : life->state == LIFE_READY && !life_answers(life)
	                            ? "silent"
	                            : life_state_name(life->state);
	const int64_t up_s = runs ? (now_us - life->since_us) / 1000000 : 0;
	char uptime[32] = "-", pid[16] = "-";
	if (runs) {
		snprintf(pid, sizeof pid, "%d", (int)loop_child_pid(child->process));
		snprintf(uptime, sizeof uptime, "%lld:%02d:%02d", (long long)(up_s / 3600),
		         (int)(up_s / 60 % 60), (int)(up_s % 60));
	}
	writer_format(w, "%-11s %7s  %-9s %10s  %8u  %s", name_of(child), pid, state, uptime,
	              (unsigned)life->restarts, life->words);
}

static bool
part_differs(const struct supervisor *supervisor, const struct child *child)
{
	char text[PART_MAX];
	struct writer w = writer_of(text, sizeof text);
	write_part(&w, supervisor, child);
	return child->process != NULL &&
	       !str_eq(writer_view(&w), (struct str){ .at = child->part, .len = child->part_len });
}

static void
say(struct caller *caller, const char *text)
{
	if (caller->line != NULL && line_send(caller->line, str_of(text)) != 0) {
		line_close(caller->line);
		caller->line = NULL;
	}
}

static void
tell_outdated(struct supervisor *supervisor, struct caller *caller)
{
	for (size_t i = 0; i < CONFIG_COMPONENTS; i++) {
		const struct child *child = &supervisor->children[i];
		char text[160];
		if (!child->life.wanted || !part_differs(supervisor, child))
			continue;
		snprintf(text, sizeof text,
		         "%s runs with earlier settings until: convoke mmp %s restart",
		         name_of(child),
		         config_component_command(child->component));
		say(caller, text);
	}
}

static void
tell_status(struct supervisor *supervisor, struct caller *caller)
{
	const int64_t now_us = loop_now_us();
	say(caller, all_answer(supervisor) ? "ok" : "failed");
	say(caller, "COMPONENT       PID  STATE         UPTIME  RESTARTS  LAST WORDS");
	for (size_t i = 0; i < CONFIG_COMPONENTS; i++) {
		char text[1024];
		struct writer w = writer_of(text, sizeof text - 1);
		write_status_row(&w, &supervisor->children[i], now_us);
		text[w.at] = '\0';
		say(caller, text);
	}
	tell_outdated(supervisor, caller);
}

/* What these settings lack for the component, in child->lacks; true when that is news. */
static bool
lacks_anew(struct child *child, const struct config *config)
{
	struct config_error incomplete = { 0 };
	if (config_component_enabled(config, child->component))
		(void)!config_complete(config, child->component, &incomplete);
	if (strcmp(incomplete.text, child->lacks) == 0)
		return false;
	str_copy(child->lacks, sizeof child->lacks, str_of(incomplete.text));
	return child->lacks[0] != '\0';
}

/* Reads the settings again; on error the old ones stay and the caller hears why.  Who restarts one
 * component hears of what that one lacks; else what any lacks is told once, by the command that
 * brought it about: later ones are not to blame. */
static bool
take_config(struct supervisor *supervisor, struct caller *caller, const struct child *restarted)
{
	struct config config;
	char error[DATA_ERROR_MAX];
	bool good = data_dir_config(&config, &supervisor->dir, error);
	const bool read = good;
	for (int i = 0; read && i < CONFIG_COMPONENTS; i++) {
		struct child *child = &supervisor->children[i];
		const bool news = lacks_anew(child, &config);
		if (!good ||
		    (restarted == NULL ? !news : child != restarted || child->lacks[0] == '\0'))
			continue;
		snprintf(error, sizeof error, "%s", child->lacks);
		good = false;
	}
	if (good) {
		supervisor->config = config;
		return true;
	}
	char text[DATA_ERROR_MAX + 16];
	snprintf(text, sizeof text, "FAILURE: %.*s", DATA_ERROR_MAX - 1, error);
	say(caller, "failed");
	say(caller, text);
	return false;
}

/* What lacks something goes on as it is, but is not started. */
static void
want_enabled(struct supervisor *supervisor)
{
	const int64_t now_us = loop_now_us();
	for (size_t i = 0; i < CONFIG_COMPONENTS; i++) {
		struct child *child = &supervisor->children[i];
		const bool enabled = config_component_enabled(&supervisor->config,
		                                              child->component);
		life_want(&child->life, enabled && (child->lacks[0] == '\0' || child->life.wanted),
		          now_us);
	}
}

static void
apply(struct supervisor *supervisor, struct caller *caller)
{
	if (!take_config(supervisor, caller, NULL))
		return;
	log_lines_servers(&supervisor->log, supervisor->loop, &supervisor->dir,
	                  &supervisor->config);
	want_enabled(supervisor);
	say(caller, "ok");
	tell_outdated(supervisor, caller);
}

static void
restart(struct supervisor *supervisor, struct caller *caller, struct str name)
{
	for (size_t i = 0; i < CONFIG_COMPONENTS; i++) {
		struct child *child = &supervisor->children[i];
		if (!str_eq(name, str_of(name_of(child))) || !child->life.wanted)
			continue;
		if (!take_config(supervisor, caller, child))
			return;
		log_info("%s is restarted by the command line", name_of(child));
		caller->awaited = child;
		life_restart(&child->life, loop_now_us());
		return;
	}
	char text[128];
	snprintf(text, sizeof text, "FAILURE: %.*s is not enabled", (int)name.len, name.at);
	say(caller, "failed");
	say(caller, text);
}

static void
on_request(void *context, struct line *line, struct str text)
{
	struct caller *caller = context;
	struct supervisor *supervisor = caller->supervisor;
	struct str name = text;
	const struct str verb = str_cut(&name, ' ');
	CHECK(line == caller->line);
	if (caller->awaited != NULL || caller->awaits_end) {
		/* One request a caller. */
	} else if (str_eq(verb, STR("down"))) {
		caller->awaits_end = true;
		say(caller, "ok");
		stop(supervisor, false);
	} else if (supervisor->stopping) {
		say(caller, "failed");
		say(caller, "FAILURE: convoke is ending");
	} else if (str_eq(verb, STR("status"))) {
		tell_status(supervisor, caller);
	} else if (str_eq(verb, STR("apply"))) {
		apply(supervisor, caller);
	} else if (str_eq(verb, STR("rotate"))) {
		log_info("a new log is begun by the command line");
		log_file_turn_over(&supervisor->log.file);
		say(caller, "ok");
	} else if (str_eq(verb, STR("restart"))) {
		restart(supervisor, caller, name);
	} else {
		say(caller, "failed");
		say(caller, "FAILURE: expected status, down, apply, rotate or restart");
	}
	if (caller->line != NULL && caller->awaited == NULL && !caller->awaits_end) {
		line_close(caller->line);
		caller->line = NULL;
	}
	drive(supervisor);
}

static void
on_caller_gone(void *context, struct line *line)
{
	struct caller *caller = context;
	CHECK(line == caller->line);
	line_close(caller->line);
	caller->line = NULL;
}

static void
on_caller(void *context, int fd)
{
	static const struct line_handler handler = { .received = on_request,
		                                     .closed = on_caller_gone };
	struct supervisor *supervisor = context;
	for (size_t i = 0; i < CALLERS_MAX; i++) {
		struct caller *caller = &supervisor->callers[i];
		if (caller->line != NULL)
			continue;
		*caller = (struct caller){ .supervisor = supervisor };
		if (line_open(&caller->line, supervisor->loop, fd, &handler, caller) != 0)
			caller->line = NULL;
		return;
	}
	close(fd); /* all are taken: whoever it is asks again */
}

/* -- life -------------------------------------------------------------------------------------- */

static int
complain(const char *error)
{
	fprintf(stderr, "convoke: %s\n", error);
	return 1;
}

static bool
open_log(struct supervisor *supervisor)
{
	char path[DATA_PATH_MAX + 64];
	const int rc = log_lines_open(&supervisor->log,
	                              data_dir_file(path, &supervisor->dir, "log/convoke.log"),
	                              !supervisor->detached);
	if (rc != 0) {
		fprintf(stderr, "convoke: %s: %s\n", path, strerror(-rc));
		return false;
	}
	return true;
}

/* Everything that can be wrong before a component is started. */
static bool
check_config(struct supervisor *supervisor, char error[DATA_ERROR_MAX])
{
	struct config_error incomplete;
	bool any = false;
	if (!data_dir_config(&supervisor->config, &supervisor->dir, error))
		return false;
	for (int i = 0; i < CONFIG_COMPONENTS; i++) {
		const enum config_component component = (enum config_component)i;
		if (!config_component_enabled(&supervisor->config, component))
			continue;
		any = true;
		if (config_complete(&supervisor->config, component, &incomplete))
			continue;
		snprintf(error, DATA_ERROR_MAX, "%s/convoke.conf: %s", supervisor->dir.path,
		         incomplete.text);
		return false;
	}
	if (!any)
		snprintf(error, DATA_ERROR_MAX,
		         "nothing is enabled in %s/convoke.conf; expected callbridge enable or "
		         "webbridge3 enable", supervisor->dir.path);
	return any;
}

static int
open_loop(struct supervisor *supervisor)
{
	static const int signal_numbers[] = { SIGINT, SIGTERM, SIGHUP };
	char path[DATA_PATH_MAX + 64];
	static_assert(COUNT_OF(signal_numbers) == COUNT_OF(supervisor->signals), "one each");
	int rc = loop_create(&supervisor->loop);
	if (rc == 0)
		rc = loop_timer_create(&supervisor->timer, supervisor->loop, on_timer, supervisor);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(signal_numbers); i++)
		rc = loop_signal_create(&supervisor->signals[i], supervisor->loop,
		                        signal_numbers[i], on_signal, supervisor);
	if (rc == 0)
		rc = line_listen(&supervisor->control, supervisor->loop,
		                 data_dir_file(path, &supervisor->dir, "run/supervisor.sock"),
		                 on_caller, supervisor);
	return rc;
}

static void
close_loop(struct supervisor *supervisor)
{
	line_unlisten(supervisor->control);
	for (size_t i = 0; i < CALLERS_MAX; i++)
		line_close(supervisor->callers[i].line);
	for (size_t i = 0; i < COUNT_OF(supervisor->signals); i++)
		loop_signal_destroy(supervisor->signals[i]);
	loop_timer_destroy(supervisor->timer);
	loop_destroy(supervisor->loop);
}

static int
supervise(struct supervisor *supervisor)
{
	const int rc = open_loop(supervisor);
	if (rc != 0) {
		fprintf(stderr, "convoke: %s/run/supervisor.sock: %s\n", supervisor->dir.path,
		        strerror(-rc));
		supervisor->status = 1;
	} else {
		for (size_t i = 0; i < CONFIG_COMPONENTS; i++) {
			struct child *child = &supervisor->children[i];
			child->supervisor = supervisor;
			child->component = (enum config_component)i;
			life_init(&child->life);
		}
		log_lines_servers(&supervisor->log, supervisor->loop, &supervisor->dir,
		                  &supervisor->config);
		want_enabled(supervisor);
		drive(supervisor);
		loop_run(supervisor->loop);
	}
	let_terminal_go(supervisor, 'f');
	log_lines_servers_close(&supervisor->log);
	close_loop(supervisor);
	return supervisor->status;
}

/* The terminal waits until the supervisor, in a process of its own, has said how the start went. */
static int
wait_for_start(int fd)
{
	char result = 'f';
	ssize_t len;
	while ((len = read(fd, &result, 1)) < 0 && errno == EINTR) {
	}
	return len == 1 && result == 'r' ? 0 : 1;
}

/* While we are still root, and only then better than later.  What is wrong with the settings is
 * found, and told, when they are read for good. */
static void
look_at_ports(struct supervisor *supervisor, const char *data_dir)
{
	struct config config;
	char error[DATA_ERROR_MAX];
	struct data_dir dir;
	if (geteuid() != 0)
		return;
	if (!data_dir_find(&dir, data_dir, error) || !data_dir_config(&config, &dir, error))
		config_defaults(&config);
	port_notes_take(&supervisor->notes, &config);
}

/* Returns in the process that supervises; the other one exits. */
static int
detach(struct supervisor *supervisor)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	fflush(stdout);
	const pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(fds[1]);
		_exit(wait_for_start(fds[0]));
	}
	close(fds[0]);
	setsid();
	supervisor->detached = true;
	supervisor->tell_fd = fds[1];
	return 0;
}

int
supervisor_up(const char *data_dir, bool detached)
{
	static struct supervisor supervisor;
	char error[DATA_ERROR_MAX];
	int holder;
	supervisor.tell_fd = -1;
	supervisor.log.file.fd = -1;
	privilege_raise_files();
	privilege_allow_haste();
	look_at_ports(&supervisor, data_dir);
	const int tap = tap_start(); /* while we may; it ends when we do */
	if (!data_dir_prepare(&supervisor.dir, data_dir, error))
		return complain(error);
	if (supervisor.dir.notice[0] != '\0')
		fprintf(stderr, "convoke: %s\n", supervisor.dir.notice);
	/* Before the lock, which belongs to the process that asked for it. */
	if (detached && detach(&supervisor) != 0)
		return complain("cannot start a process for --detach");
	const int lock = data_dir_lock(&supervisor.dir, "supervisor", LOCK_WAIT_US, &holder);
	if (lock == -EWOULDBLOCK) {
		char command[2 * DATA_PATH_MAX];
		struct writer w = writer_of(command, sizeof command);
		announce_command(&w, &supervisor.dir, "down");
		fprintf(stderr, "convoke: already runs on %s (process %d); end it by: %.*s\n",
		        supervisor.dir.path, holder, STR_ARGS(writer_view(&w)));
		return 1;
	}
	if (lock < 0) {
		fprintf(stderr, "convoke: %s/run: cannot be written: %s\n", supervisor.dir.path,
		        strerror(-lock));
		return 1;
	}
	if (!backup_finish(&supervisor.dir, error) || !data_dir_furnish(&supervisor.dir, error) ||
	    !account_file_furnish(&supervisor.dir, error) || !check_config(&supervisor, error))
		return complain(error);
	if (!open_log(&supervisor))
		return 1;
	log_set_level(supervisor.config.log_debug ? LOG_DEBUG : LOG_INFO);
	if (tap >= 0 && tap_serve(tap, &supervisor.dir) != 0)
		log_warning("packets cannot be captured");
	const int status = supervise(&supervisor);
	log_lines_close(&supervisor.log);
	return status; /* the lock goes with the process, and tells that it has gone */
}
