/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/encode.h"
#include "net/audit.h"
#include "net/line.h"
#include "net/random.h"
#include "supervisor/backup.h"
#include "supervisor/database.h"
#include "supervisor/keys.h"
#include "supervisor/license.h"
#include "supervisor/life.h"
#include "supervisor/log_read.h"
#include "supervisor/machine.h"
#include "supervisor/pcap.h"
#include "supervisor/pki.h"
#include "supervisor/users.h"

enum {
	CONFIG_LOCK_US = 5 * 1000000,
	SAID_MAX = LINE_BYTES_MAX + 64,
};

static const int64_t ANSWER_US = (int64_t)LIFE_START_US_MAX + LIFE_END_US_MAX + 5 * 1000000;

void
terminal_say(const struct mmp_terminal *terminal, const char *format, ...)
{
	char text[SAID_MAX];
	va_list args;
	va_start(args, format);
	const int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	CHECK(len >= 0);
	terminal->say(terminal->context,
	              (struct str){ text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1 });
}

/* -- one question ------------------------------------------------------------------------------ */

struct question {
	unsigned lines;
	bool ok; /* the first line */
	const struct mmp_terminal *terminal;
};

static void
on_answer(void *context, struct str text)
{
	struct question *question = context;
	if (question->lines++ == 0)
		question->ok = str_eq(text, STR("ok"));
	else
		terminal_say(question->terminal, "%.*s\n", STR_ARGS(text));
}

int
command_ask(const struct data_dir *dir, const char *request, const struct mmp_terminal *terminal,
            bool *ok)
{
	struct question question = { .terminal = terminal };
	char path[DATA_PATH_MAX + 64];
	const int rc = line_ask(data_dir_file(path, dir, "run/supervisor.sock"), str_of(request),
	                        on_answer, &question, ANSWER_US);
	*ok = question.ok;
	return rc;
}

/* -- what the commands need -------------------------------------------------------------------- */

struct host {
	struct data_dir *dir;
	const struct mmp_user *user;
	const struct mmp_terminal *terminal;
};

static bool
host_fits(void *context, const struct mmp_check *check, struct writer *why)
{
	const struct host *host = context;
	return pki_fits(host->dir, host->user, check, why);
}

/* A component holds its lock as long as it lives, whoever started it. */
static bool
host_component_runs(void *context, enum config_component component)
{
	const struct host *host = context;
	int holder;
	const int lock = data_dir_lock(host->dir, config_component_name(component), 0, &holder);
	if (lock >= 0)
		close(lock);
	return lock == -EWOULDBLOCK;
}

static bool
host_call(void *context, const struct mmp_line *line, struct writer *out)
{
	const struct host *host = context;
	switch (line->call) {
	case MMP_PKI_LIST:
	case MMP_PKI_INSPECT:
	case MMP_PKI_MATCH:
	case MMP_PKI_VERIFY:
	case MMP_PKI_CSR:
	case MMP_PKI_SELFSIGNED:
	case MMP_PKI_SIGN:
	case MMP_PKI_PKCS12:
	case MMP_PKI_UNLINK:
		return pki_run(host->dir, host->user, host->terminal, line, out);
	case MMP_USER_KEY_LIST:
	case MMP_USER_KEY_ADD:
	case MMP_USER_KEY_DEL:
	case MMP_PKI_PKCS12_TO_SSH:
		return keys_run(host->dir, host->terminal, line, out);
	case MMP_USER_ADD:
	case MMP_USER_DEL:
	case MMP_USER_LIST:
	case MMP_USER_INFO:
	case MMP_USER_EVICT:
	case MMP_USER_UNLOCK:
	case MMP_USER_EXPIRE:
	case MMP_USER_DUTY:
	case MMP_USER_HOST:
	case MMP_USER_RULE:
	case MMP_USER_RULES:
	case MMP_PASSWD:
		return users_run(host->dir, host->user, host->terminal, line, out);
	case MMP_DATABASE_STATUS:
	case MMP_DATABASE_UPGRADE:
	case MMP_DATABASE_ELSEWHERE:
	case MMP_DATABASE_MOVE_POSTGRES:
	case MMP_DATABASE_MOVE_SQLITE:
		return database_run(host->dir, host->terminal, line, out);
	case MMP_BACKUP_SNAPSHOT:
	case MMP_BACKUP_ROLLBACK:
	case MMP_BACKUP_LIST:
		return backup_run(host->dir, host->terminal, line, out);
	case MMP_PCAP:
		return pcap_run(host->dir, host->terminal, line, out);
	case MMP_MACHINE:
		return machine_run(host->dir, host->terminal, line, out);
	case MMP_SYSLOG_FOLLOW:
	case MMP_SYSLOG_SEARCH:
	case MMP_SYSLOG_ROTATE:
		return log_read_run(host->dir, host->terminal, line, out);
	case MMP_LICENSE_SHOW:
	case MMP_LICENSE_CHECK:
	case MMP_LICENSE_HOST:
	case MMP_LICENSE_ISSUERS:
	case MMP_LICENSE_TRUST:
	case MMP_LICENSE_DISTRUST:
		return license_run(host->dir, line, out);
	case MMP_CALL_NONE:
		break;
	}
	check_fail(__FILE__, __LINE__, "a command without a call");
}

/* -- one command ------------------------------------------------------------------------------- */

static int
fail(const struct mmp_terminal *terminal, const char *error)
{
	terminal_say(terminal, "FAILURE: %s\n", error);
	return 1;
}

static int
restart_component(const struct host *host, enum config_component component)
{
	char request[64];
	bool ok;
	snprintf(request, sizeof request, "restart %s", config_component_name(component));
	const int rc = command_ask(host->dir, request, host->terminal, &ok);
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		terminal_say(host->terminal, "FAILURE: convoke does not run on %s\n",
		             host->dir->path);
	else if (rc != 0)
		fail(host->terminal, strerror(-rc));
	return rc == 0 && ok ? 0 : 1;
}

/* Runs it, and keeps what it changed; from reading to writing the settings are ours alone. */
static bool
run_locked(const struct host *host, struct str command, struct mmp_answer *answer)
{
	char version[MACHINE_VERSION_MAX];
	const struct mmp_host functions = { .context = (void *)host,
		                            .user = host->user,
		                            .terminal = host->terminal,
		                            .fits = host_fits,
		                            .component_runs = host_component_runs,
		                            .call = host_call,
		                            .version = machine_version(version) };
	struct config config;
	char error[DATA_ERROR_MAX] = "", text[MMP_ANSWER_MAX];
	struct writer w = writer_of(text, sizeof text);
	int holder, lock = -1;
	if (mmp_is_change(command)) {
		lock = data_dir_lock(host->dir, "convoke.conf", CONFIG_LOCK_US, &holder);
		if (lock == -EWOULDBLOCK)
			str_copy(error, sizeof error,
			         STR("another command is changing the settings"));
		else if (lock < 0)
			snprintf(error, sizeof error, "%s/run: cannot be written: %s",
			         host->dir->path, strerror(-lock));
	}
	bool done = error[0] == '\0' && data_dir_config(&config, host->dir, error);
	if (done) {
		*answer = mmp_run(&config, &functions, command, &w);
		done = answer->result != MMP_CHANGED ||
		       data_dir_write_config(host->dir, &config, error);
	}
	if (lock >= 0)
		close(lock);
	if (done)
		host->terminal->say(host->terminal->context, writer_view(&w));
	else
		fail(host->terminal, error);
	explicit_bzero(text, sizeof text);
	return done;
}

static void
audit(const struct host *host, struct str command, bool done)
{
	char path[DATA_PATH_MAX + 64], text[CONFIG_LINE_MAX + 32];
	struct writer w = writer_of(text, sizeof text);
	mmp_write_masked(&w, command);
	if (!done)
		writer_text(&w, " (FAILURE)");
	audit_write(data_dir_file(path, host->dir, "log/audit"), host->user->name, host->user->from,
	            writer_view(&w));
}

/* `meetingapps gensecret`: the secret is ours to make, and is told once. */
static bool
make_secret(char filled[CONFIG_LINE_MAX + 1], struct str command, const struct mmp_terminal *terminal)
{
	uint8_t random[16];
	struct writer w = writer_of(filled, CONFIG_LINE_MAX);
	if (!str_eq(str_trim(command), STR("meetingapps gensecret")))
		return false;
	random_bytes(random, sizeof random);
	writer_format(&w, "%.*s ", STR_ARGS(str_trim(command)));
	const size_t from = w.at;
	encode_hex(&w, random, sizeof random);
	filled[w.at] = '\0';
	terminal_say(terminal, "Secret : %s\n", filled + from);
	return true;
}

int
command_run(struct data_dir *dir, const struct mmp_user *user, const struct mmp_terminal *terminal,
            struct str command)
{
	const struct host host = { dir, user, terminal };
	struct mmp_answer answer = { .result = MMP_FAILED };
	char filled[CONFIG_LINE_MAX + 1];
	bool ok = true;
	if (command.len > CONFIG_LINE_MAX)
		return fail(terminal, "the command is " CONFIG_LINE_TOO_LONG);
	if (!make_secret(filled, command, terminal) && !mmp_fill_in(filled, command, terminal))
		return fail(terminal, "no password was given, or one with blanks or quotation marks");
	const bool done = run_locked(&host, str_of(filled), &answer);
	if (answer.audited)
		audit(&host, str_of(filled), done && answer.result != MMP_FAILED);
	explicit_bzero(filled, sizeof filled);
	if (!done)
		return 1;
	if (answer.result == MMP_CHANGED) {
		const int rc = command_ask(dir, "apply", terminal, &ok);
		return rc == -ENOENT || rc == -ECONNREFUSED || (rc == 0 && ok) ? 0 : 1;
	}
	if (answer.result == MMP_RESTART)
		return restart_component(&host, answer.component);
	return answer.result == MMP_FAILED || answer.result == MMP_UNKNOWN;
}
