/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that ask the running supervisor, and the command line. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "mmp/mmp.h"
#include "net/loop.h"
#include "net/parent.h"
#include "supervisor/command.h"
#include "supervisor/data_dir.h"
#include "supervisor/life.h"
#include "supervisor/privilege.h"

enum {
	ENDING_US = 2 * LIFE_END_US_MAX,
	COMPONENT_LOCK_US = LIFE_END_US_MAX + 2 * 1000000,
	USER_NAME_MAX = 64,
};

static int
complain(const char *error)
{
	fprintf(stderr, "convoke: %s\n", error);
	return 1;
}

/* -- the terminal we were started from --------------------------------------------------------- */

static void
local_say(void *context, struct str text)
{
	(void)context;
	fwrite(text.at, 1, text.len, stdout);
	fflush(stdout);
}

/* The answer is a line of standard input, be that a person or a script. */
static bool
local_ask(void *context, const char *question, bool secret, char *out, size_t cap)
{
	struct termios before, quiet;
	const bool person = isatty(STDIN_FILENO) != 0;
	const bool hide = person && secret && tcgetattr(STDIN_FILENO, &before) == 0;
	(void)context;
	if (person) {
		printf("%s ", question);
		fflush(stdout);
	}
	if (hide) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	const bool read = fgets(out, (int)cap, stdin) != NULL;
	if (hide) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		printf("\n");
	}
	if (!read || strchr(out, '\n') == NULL) {
		explicit_bzero(out, cap);
		return false;
	}
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static bool
local_wait(void *context, int64_t us)
{
	const struct timespec pause = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
	const struct sigaction action = { .sa_handler = on_interrupt };
	(void)context;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	if (interrupted == 0)
		nanosleep(&pause, NULL);
	return interrupted == 0;
}

static const struct mmp_terminal local_terminal = { .say = local_say,
	                                            .ask = local_ask,
	                                            .wait = local_wait };

/* The name of whoever owns this process, before it becomes the owner of DATA. */
static void
local_name(char out[USER_NAME_MAX])
{
	const struct passwd *user = getpwuid(getuid());
	if (user == NULL || !str_copy(out, USER_NAME_MAX, str_of(user->pw_name)))
		snprintf(out, USER_NAME_MAX, "user %u", (unsigned)getuid());
}

/* -- up or down -------------------------------------------------------------------------------- */

static bool
nobody(int rc)
{
	return rc == -ENOENT || rc == -ECONNREFUSED;
}

int
supervisor_status(const char *data_dir)
{
	struct data_dir dir;
	char error[DATA_ERROR_MAX];
	bool ok;
	if (!data_dir_enter(&dir, data_dir, false, error))
		return complain(error);
	const int rc = command_ask(&dir, "status", &local_terminal, &ok);
	if (nobody(rc)) {
		printf("convoke does not run on %s\n", dir.path);
		return 1;
	}
	if (rc != 0)
		return complain(strerror(-rc));
	return ok ? 0 : 1;
}

int
supervisor_down(const char *data_dir)
{
	struct data_dir dir;
	char error[DATA_ERROR_MAX];
	bool ok;
	int holder;
	if (!data_dir_enter(&dir, data_dir, false, error))
		return complain(error);
	const int rc = command_ask(&dir, "down", &local_terminal, &ok);
	if (nobody(rc)) {
		printf("convoke does not run on %s\n", dir.path);
		return 0;
	}
	/* The lock goes with the process: only then is everything of it gone. */
	const int lock = rc == 0 ? data_dir_lock(&dir, "supervisor", ENDING_US, &holder) : -1;
	if (lock < 0)
		return complain("it was asked to end and has not");
	close(lock);
	printf("convoke has ended\n");
	return 0;
}

/* -- the command line -------------------------------------------------------------------------- */

/* As on the console: one command a line, until the end of input or "exit". */
static int
run_console(struct data_dir *dir, const struct mmp_user *user)
{
	char line[CONFIG_LINE_MAX];
	const bool person = isatty(STDIN_FILENO) != 0;
	int status = 0;
	for (;;) {
		if (person) {
			printf("convoke> ");
			fflush(stdout);
		}
		if (fgets(line, sizeof line, stdin) == NULL)
			return person ? 0 : status;
		const struct str command = str_trim(str_of(line));
		if (str_eq(command, STR("exit")) || str_eq(command, STR("quit")))
			return person ? 0 : status;
		if (command.len != 0 && command_run(dir, user, &local_terminal, command) != 0)
			status = 1;
	}
}

int
supervisor_mmp(const char *data_dir, int word_count, char *const *words)
{
	struct data_dir dir;
	char error[DATA_ERROR_MAX], command[CONFIG_LINE_MAX], name[USER_NAME_MAX];
	struct writer w = writer_of(command, sizeof command);
	local_name(name);
	const struct mmp_user user = { .name = name,
		                       .from = "this machine",
		                       .role = MMP_ADMIN,
		                       .local = true };
	if (!data_dir_enter(&dir, data_dir, false, error))
		return complain(error);
	if (word_count == 0)
		return run_console(&dir, &user);
	for (int i = 0; i < word_count; i++)
		writer_format(&w, "%s%s", i != 0 ? " " : "", words[i]);
	if (w.failed)
		return complain("the command is " CONFIG_LINE_TOO_LONG);
	return command_run(&dir, &user, &local_terminal, writer_view(&w));
}

/* -- a single component ------------------------------------------------------------------------ */

/* To the supervisor, if one started us, and to the log. */
static int
fail_component(const char *error)
{
	struct loop *loop;
	struct parent *parent;
	if (loop_create(&loop) == 0) {
		if (parent_create(&parent, loop, NULL, NULL) == 0) {
			parent_failed(parent, error);
			parent_destroy(parent);
		}
		loop_destroy(loop);
	}
	return complain(error);
}

int
supervisor_component(const char *data_dir, enum config_component component,
                     int (*run)(const char *data_dir, const struct config *config))
{
	static struct config config;
	struct data_dir dir;
	struct config_error incomplete;
	char error[DATA_ERROR_MAX];
	int holder;
	privilege_raise_files();
	privilege_allow_haste();
	if (!data_dir_find(&dir, data_dir, error) || !data_dir_config(&config, &dir, error))
		return fail_component(error);
	if (!config_complete(&config, component, &incomplete))
		return fail_component(incomplete.text);
	if (!data_dir_enter(&dir, data_dir, config_low_ports(&config), error))
		return fail_component(error);
	/* An earlier one, whose supervisor is gone, may still be ending its calls. */
	const int lock = data_dir_lock(&dir, config_component_name(component), COMPONENT_LOCK_US,
	                               &holder);
	if (lock < 0) {
		if (lock == -EWOULDBLOCK)
			snprintf(error, sizeof error, "another %s runs on %s (process %d)",
			         config_component_name(component), dir.path, holder);
		else
			snprintf(error, sizeof error, "%s/run: cannot be written: %s", dir.path,
			         strerror(-lock));
		return fail_component(error);
	}
	const int status = run(dir.path, &config);
	close(lock);
	return status;
}
