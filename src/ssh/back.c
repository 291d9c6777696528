/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh/back_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/password.h"
#include "base/check.h"
#include "base/log.h"
#include "net/audit.h"
#include "ssh/ssh.h"
#include "supervisor/account_file.h"
#include "supervisor/command.h"
#include "supervisor/keys.h"

void
back_audit(const struct back *back, const char *format, ...)
{
	char path[DATA_PATH_MAX + 64], text[AUDIT_LINE_MAX];
	va_list args;
	va_start(args, format);
	const int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	CHECK(len >= 0);
	audit_write(data_dir_file(path, back->dir, "log/audit"), back->name, back->from_text,
	            str_of(text));
}

static void
tell(struct back *back, const struct link_message *message, int fd)
{
	if (!back->gone)
		back->gone = link_send(back->front, message, fd) != 0;
}

/* False: there is nobody any more. */
static bool
hear(struct back *back, struct link_message *message)
{
	int fd;
	if (!back->gone)
		back->gone = link_receive(back->front, back->buffer, message, &fd) != 0;
	if (!back->gone && fd >= 0)
		close(fd); /* none is expected */
	return !back->gone;
}

/* -- the component ----------------------------------------------------------------------------- */

static void
tell_component(const struct back *back, const char *text)
{
	(void)!write(back->component, text, strlen(text));
}

/* May there be one session more of this user? */
static bool
component_lets_in(const struct back *back, uint32_t sessions_max)
{
	char text[ACCOUNT_NAME_MAX + 32], answer[8] = "";
	size_t len = 0;
	snprintf(text, sizeof text, "login %s %u\n", back->name, (unsigned)sessions_max);
	tell_component(back, text);
	while (len < sizeof answer - 1 && strchr(answer, '\n') == NULL) {
		const ssize_t got = read(back->component, answer + len, sizeof answer - 1 - len);
		if (got <= 0)
			return false;
		len += (size_t)got;
	}
	return strcmp(answer, "ok\n") == 0;
}

/* -- logging in -------------------------------------------------------------------------------- */

struct found {
	bool known;
	bool by_key;
	enum account_verdict verdict;
	enum mmp_role role;
	uint32_t sessions_max;
	char hash[ACCOUNT_HASH_MAX];
};

/* Whoever may not log in has nobody's password. */
static bool
find_account(struct back *back, struct str name, bool by_key, struct found *found)
{
	struct account_moment now = account_now(&back->from);
	char error[DATA_ERROR_MAX];
	struct account_file file;
	now.key = by_key;
	*found = (struct found){ .by_key = by_key, .verdict = ACCOUNT_WRONG_ROLE };
	str_copy(found->hash, sizeof found->hash, str_of(PASSWORD_OF_NOBODY));
	if (!account_file_open(&file, back->dir, error)) {
		log_error("nobody can log in by SSH: %s", error);
		return false;
	}
	const struct account *account = accounts_find(file.accounts, name);
	if (account != NULL) {
		found->known = true;
		found->role = account->role;
		found->verdict = account_judge(file.accounts, account, &now);
		found->sessions_max = file.accounts->rules.max_sessions;
		if (found->verdict == ACCOUNT_GOOD || found->verdict == ACCOUNT_MUST_CHANGE)
			memcpy(found->hash, account->hash, sizeof found->hash);
	}
	account_file_close(&file);
	return true;
}

static void
note_login(struct back *back)
{
	const struct account_moment now = account_now(&back->from);
	char error[DATA_ERROR_MAX];
	struct account_file file;
	if (!account_file_open(&file, back->dir, error)) {
		log_error("a login is not noted: %s", error);
		return;
	}
	struct account *account = accounts_find(file.accounts, str_of(back->name));
	if (account != NULL) {
		account_logged_in(account, &back->from, now.now_s);
		if (!account_file_write(&file, error))
			log_error("a login is not noted: %s", error);
	}
	account_file_close(&file);
}

/* Keeps that it was refused; true: now the account is locked.  The file is written whether there is
 * such an account or not, counted or not: how long it takes tells nothing. */
static bool
note_failure(struct back *back, bool counts)
{
	const struct account_moment now = account_now(&back->from);
	char error[DATA_ERROR_MAX];
	struct account_file file;
	if (!account_file_open(&file, back->dir, error)) {
		log_error("a refused login is not noted: %s", error);
		return false;
	}
	struct account *account = accounts_find(file.accounts, str_of(back->name));
	const bool locked = account != NULL && counts &&
	                    account_failed(file.accounts, account, &back->from, now.now_s);
	if (!account_file_write(&file, error))
		log_error("a refused login is not noted: %s", error);
	account_file_close(&file);
	return locked;
}

/* Strangers' names are no audit; the component tells the others, and not one by one when many. */
static void
refuse(struct back *back, const struct found *found, bool right)
{
	char text[ACCOUNT_NAME_MAX + 128] = "failed\n";
	const bool wrong = found->verdict == ACCOUNT_GOOD || found->verdict == ACCOUNT_MUST_CHANGE;
	const bool locked = note_failure(back, found->known && wrong && !right);
	const char *why = !wrong   ? account_verdict_name(found->verdict)
	                  : right  ? "too many sessions"
	                  : locked ? "wrong password; locked for 15 minutes after too many of them"
	                           : "wrong password";
	if (found->known)
		snprintf(text, sizeof text, "%s %s %s\n", locked ? "locked" : "refused", back->name,
		         why);
	tell_component(back, text);
}

/* Does the account that was found stand as it was? */
static bool
is_still(struct back *back, const struct found *found)
{
	struct found now;
	const bool read = find_account(back, str_of(back->name), found->by_key, &now);
	explicit_bzero(now.hash, sizeof now.hash);
	return read && now.known && now.role == found->role && now.verdict == found->verdict;
}

/* `how`: "" or " with key ...". */
static void
enter(struct back *back, const struct found *found, const char *how)
{
	note_login(back);
	/* Somebody may have removed it while the password was looked at; from the component's word on,
	 * `user del` and `user evict` find this session. */
	if (!is_still(back, found))
		exit(0);
	back->logged_in = true;
	back->role = found->role;
	back->must_change = found->verdict == ACCOUNT_MUST_CHANGE;
	back_audit(back, "logged in by SSH%s", how);
	log_info("SSH: user \"%s\" logged in from %s%s", back->name, back->from_text, how);
}

static bool
log_in(struct back *back, struct str name, struct str password)
{
	struct found found;
	if (!str_copy(back->name, sizeof back->name, name))
		back->name[0] = '\0';
	if (!find_account(back, str_of(back->name), false, &found))
		return false;
	/* The hash is worked out in any case, so that time tells nothing. */
	const bool right = password_matches(password, str_of(found.hash)) &&
	                   (found.verdict == ACCOUNT_GOOD || found.verdict == ACCOUNT_MUST_CHANGE);
	explicit_bzero(found.hash, sizeof found.hash);
	if (!right || !component_lets_in(back, found.sessions_max)) {
		refuse(back, &found, right);
		return false;
	}
	enter(back, &found, "");
	return true;
}

/* Offered, or proven: what the front says of signatures is believed
 * (docs/decisions/ssh-halves.md). */
static bool
take_key(struct back *back, struct str name, struct str key, bool proven)
{
	struct found found;
	char print[KEY_PRINT_MAX], how[KEY_PRINT_MAX + 16];
	if (!str_copy(back->name, sizeof back->name, name))
		back->name[0] = '\0';
	if (!find_account(back, str_of(back->name), true, &found))
		return false;
	explicit_bzero(found.hash, sizeof found.hash);
	const bool have = keys_have(back->dir, back->name, key, print);
	if (!have || !found.known || found.verdict != ACCOUNT_GOOD)
		return false;
	if (!proven)
		return true;
	if (!component_lets_in(back, found.sessions_max)) {
		refuse(back, &found, true);
		return false;
	}
	snprintf(how, sizeof how, " with key %s", print);
	enter(back, &found, how);
	return true;
}

static void
on_login(struct back *back, const struct link_message *message)
{
	if (back->tries++ >= SSH_LOGIN_TRIES)
		exit(0);
	const bool good = log_in(back, message->text, message->more);
	explicit_bzero(back->buffer, sizeof back->buffer); /* the password */
	tell(back, &(struct link_message){ .kind = LINK_VERDICT, .number = good,
	                                   .size = back->role }, -1);
}

static void
on_key(struct back *back, const struct link_message *message)
{
	if (back->key_tries++ >= SSH_KEY_TRIES)
		exit(0);
	const bool good = take_key(back, message->text, message->more, message->number == 1);
	tell(back, &(struct link_message){ .kind = LINK_VERDICT, .number = good,
	                                   .size = back->role }, -1);
}

/* -- commands ---------------------------------------------------------------------------------- */

static void
front_say(void *context, struct str text)
{
	while (text.len != 0) {
		const size_t len = text.len < LINK_TEXT_MAX ? text.len : LINK_TEXT_MAX;
		tell(context, &(struct link_message){ .kind = LINK_SAY,
		                                      .text = str_sub(text, 0, len) }, -1);
		text = str_sub(text, len, text.len - len);
	}
}

static bool
front_ask(void *context, const char *question, bool secret, char *out, size_t cap)
{
	struct back *back = context;
	struct link_message answer;
	tell(back, &(struct link_message){ .kind = LINK_ASK, .number = secret,
	                                   .text = str_of(question) }, -1);
	do
		if (!hear(back, &answer))
			return false;
	while (answer.kind != LINK_ANSWER && answer.kind != LINK_STOP);
	const bool given = answer.kind == LINK_ANSWER && str_copy(out, cap, answer.text);
	explicit_bzero(back->buffer, sizeof back->buffer);
	return given;
}

/* Anything that the front says meanwhile ends it: Ctrl-C, or that the person is gone. */
static bool
front_wait(void *context, int64_t us)
{
	struct back *back = context;
	struct pollfd ready = { .fd = back->front, .events = POLLIN };
	struct link_message message;
	if (back->gone)
		return false;
	if (poll(&ready, 1, (int)(us / 1000)) <= 0)
		return true;
	(void)hear(back, &message);
	return false;
}

/* A password that has ended keeps from everything but a new one. */
static bool
may_run_now(struct back *back, struct str command)
{
	struct str rest = str_trim(command);
	const bool passwd = str_eq(str_cut(&rest, ' '), STR("passwd"));
	rest = str_trim(rest);
	if (!back->must_change ||
	    (passwd && (rest.len == 0 || str_eq(rest, str_of(back->name)))))
		return true;
	front_say(back, STR("FAILURE: the password has ended; change it by passwd\n"));
	return false;
}

static void
on_run(struct back *back, struct str text)
{
	const struct mmp_terminal terminal = { .context = back,
		                               .say = front_say,
		                               .ask = front_ask,
		                               .wait = front_wait };
	const struct mmp_user user = { .name = back->name,
		                       .from = back->from_text,
		                       .role = back->role,
		                       .may_name = files_is_certificate };
	char command[CONFIG_LINE_MAX + 2];
	int status = 1;
	/* The message's bytes are overwritten by answers. */
	const size_t len = text.len < sizeof command - 1 ? text.len : sizeof command - 1;
	memcpy(command, text.at, len);
	if (may_run_now(back, (struct str){ command, len }))
		status = command_run(back->dir, &user, &terminal, (struct str){ command, len });
	explicit_bzero(command, sizeof command);
	if (back->must_change) {
		struct found found;
		back->must_change = !find_account(back, str_of(back->name), false, &found) ||
		                    found.verdict != ACCOUNT_GOOD;
	}
	tell(back, &(struct link_message){ .kind = LINK_DONE, .number = status }, -1);
}

/* -- the whole --------------------------------------------------------------------------------- */

static void
on_files(struct back *back, const struct link_message *message)
{
	int fd = -1;
	const struct link_message answer =
		back->must_change ? (struct link_message){ .kind = LINK_RESULT, .number = -EACCES }
	                          : back_files(back, message, &fd);
	tell(back, &answer, fd);
	if (fd >= 0)
		close(fd);
}

static void
on_message(struct back *back, const struct link_message *message)
{
	if (!back->logged_in && message->kind != LINK_LOGIN && message->kind != LINK_KEY)
		exit(0); /* a front that asks for more than a login is not ours any more */
	switch (message->kind) {
	case LINK_LOGIN:
		if (back->logged_in)
			exit(0);
		on_login(back, message);
		break;
	case LINK_KEY:
		if (back->logged_in)
			exit(0);
		on_key(back, message);
		break;
	case LINK_RUN:
		on_run(back, message->text);
		break;
	case LINK_LIST:
	case LINK_STAT:
	case LINK_OPEN:
	case LINK_KEEP:
	case LINK_DROP:
	case LINK_REMOVE:
	case LINK_RENAME:
		on_files(back, message);
		break;
	case LINK_ANSWER: /* to a command that is over */
	case LINK_STOP:
		break;
	case LINK_FROM_BACK:
	case LINK_VERDICT:
	case LINK_SAY:
	case LINK_ASK:
	case LINK_DONE:
	case LINK_RESULT:
	case LINK_KINDS:
		exit(0);
	}
}

static struct back *ending;

static void
at_end(void)
{
	back_files_fini(ending);
	if (ending->logged_in)
		log_info("SSH: the session of user \"%s\" from %s has ended", ending->name,
		         ending->from_text);
}

/* Evicted: at once, whatever runs; half an upload does not stay. */
static void
on_evicted(int signal_number)
{
	(void)signal_number;
	for (size_t i = 0; i < BACK_UPLOADS_MAX; i++)
		if (ending->uploads[i].fd >= 0)
			(void)unlinkat(ending->data_fd, ending->uploads[i].temporary, 0);
	_exit(0);
}

void
back_run(struct data_dir *dir, const struct net_addr *from, int front, int component)
{
	static struct back back;
	struct writer w = writer_of(back.from_text, sizeof back.from_text - 1);
	back.dir = dir;
	back.from = *from;
	back.front = front;
	back.component = component;
	addr_write_ip(&w, from);
	back.data_fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (back.data_fd < 0)
		exit(1);
	back_files_init(&back);
	ending = &back;
	atexit(at_end);
	(void)signal(SIGTERM, on_evicted);
	struct link_message message;
	while (hear(&back, &message))
		on_message(&back, &message);
	exit(0);
}
