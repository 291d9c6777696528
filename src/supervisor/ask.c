/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that ask the running supervisor, and the command line. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "mmp/mmp.h"
#include "net/line.h"
#include "net/loop.h"
#include "net/parent.h"
#include "supervisor/data_dir.h"
#include "supervisor/life.h"
#include "supervisor/pki.h"
#include "supervisor/privilege.h"

enum {
	ANSWER_MAX = 32768,
	ENDING_US = 2 * LIFE_END_US_MAX,
	CONFIG_LOCK_US = 5 * 1000000,
	COMPONENT_LOCK_US = LIFE_END_US_MAX + 2 * 1000000,
};

static const int64_t ANSWER_US = (int64_t)LIFE_START_US_MAX + LIFE_END_US_MAX + 5 * 1000000;

static int
complain(const char *error)
{
	fprintf(stderr, "convoke: %s\n", error);
	return 1;
}

/* -- one question ------------------------------------------------------------------------------ */

struct question {
	struct loop *loop;
	unsigned lines;
	bool ok;     /* the first line */
	bool closed; /* the answer is complete */
	FILE *out;
};

static void
on_answer(void *context, struct line *line, struct str text)
{
	struct question *question = context;
	(void)line;
	if (question->lines++ == 0)
		question->ok = str_eq(text, STR("ok"));
	else
		fprintf(question->out, "%.*s\n", STR_ARGS(text));
}

static void
on_closed(void *context, struct line *line)
{
	struct question *question = context;
	(void)line;
	question->closed = true;
	loop_stop(question->loop);
}

/* -ENOENT or -ECONNREFUSED: nobody supervises this folder. */
static int
ask(const struct data_dir *dir, const char *text, bool *ok)
{
	static const struct line_handler handler = { .received = on_answer, .closed = on_closed };
	struct question question = { .out = stdout };
	char path[DATA_PATH_MAX + 64];
	struct line *line = NULL;
	int rc = loop_create(&question.loop);
	if (rc != 0)
		return rc;
	rc = line_connect(&line, question.loop, data_dir_file(path, dir, "run/supervisor.sock"),
	                  &handler, &question);
	if (rc == 0)
		rc = line_send(line, str_of(text));
	if (rc == 0) {
		loop_run_until(question.loop, loop_now_us() + ANSWER_US);
		rc = question.closed ? 0 : -ETIMEDOUT;
	}
	*ok = question.ok;
	line_close(line);
	loop_destroy(question.loop);
	fflush(stdout);
	return rc;
}

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
	const int rc = ask(&dir, "status", &ok);
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
	const int rc = ask(&dir, "down", &ok);
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

static bool
host_pair_matches(void *context, const char *key, const char *certificate, struct writer *why)
{
	return pki_matches(context, key, certificate, why);
}

static bool
host_pki(void *context, enum mmp_pki order, const struct str *arguments, struct writer *out)
{
	return pki_run(context, order, arguments, out);
}

/* A component holds its lock as long as it lives, whoever started it. */
static bool
host_component_runs(void *context, enum config_component component)
{
	int holder;
	const int lock = data_dir_lock(context, config_component_name(component), 0, &holder);
	if (lock >= 0)
		close(lock);
	return lock == -EWOULDBLOCK;
}

static int
restart_component(const struct data_dir *dir, enum config_component component)
{
	char request[64];
	bool ok;
	snprintf(request, sizeof request, "restart %s", config_component_name(component));
	const int rc = ask(dir, request, &ok);
	if (nobody(rc))
		printf("FAILURE: convoke does not run on %s\n", dir->path);
	else if (rc != 0)
		printf("FAILURE: %s\n", strerror(-rc));
	return rc == 0 && ok ? 0 : 1;
}

static int
run_command(struct data_dir *dir, struct str command)
{
	const struct mmp_host host = { .context = dir,
		                       .pair_matches = host_pair_matches,
		                       .component_runs = host_component_runs,
		                       .pki = host_pki,
		                       .version = CONVOKE_VERSION };
	struct config config;
	char error[DATA_ERROR_MAX], text[ANSWER_MAX];
	struct writer w = writer_of(text, sizeof text);
	int holder;
	bool ok = true;
	/* From reading to writing the settings are ours alone. */
	const int lock = data_dir_lock(dir, "convoke.conf", CONFIG_LOCK_US, &holder);
	if (lock == -EWOULDBLOCK)
		return complain("another command is changing the settings");
	if (lock < 0) {
		snprintf(error, sizeof error, "%s/run: cannot be written: %s", dir->path,
		         strerror(-lock));
		return complain(error);
	}
	if (!data_dir_config(&config, dir, error)) {
		close(lock);
		return complain(error);
	}
	const struct mmp_answer answer = mmp_run(&config, &host, command, &w);
	if (answer.result == MMP_CHANGED && !data_dir_write_config(dir, &config, error)) {
		close(lock);
		return complain(error);
	}
	close(lock);
	printf("%.*s", STR_ARGS(writer_view(&w)));
	fflush(stdout);
	if (answer.result == MMP_CHANGED && !nobody(ask(dir, "apply", &ok)))
		return ok ? 0 : 1;
	if (answer.result == MMP_RESTART)
		return restart_component(dir, answer.component);
	return answer.result == MMP_FAILED || answer.result == MMP_UNKNOWN;
}

/* As on the console: one command a line, until the end of input or "exit". */
static int
run_console(struct data_dir *dir)
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
		if (command.len != 0 && run_command(dir, command) != 0)
			status = 1;
	}
}

int
supervisor_mmp(const char *data_dir, int word_count, char *const *words)
{
	struct data_dir dir;
	char error[DATA_ERROR_MAX], command[CONFIG_LINE_MAX];
	struct writer w = writer_of(command, sizeof command);
	if (!data_dir_enter(&dir, data_dir, false, error))
		return complain(error);
	if (word_count == 0)
		return run_console(&dir);
	for (int i = 0; i < word_count; i++)
		writer_format(&w, "%s%s", i != 0 ? " " : "", words[i]);
	if (w.failed)
		return complain("the command is longer than 4096 bytes");
	return run_command(&dir, writer_view(&w));
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
