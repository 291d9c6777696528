/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/users.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/password.h"
#include "base/check.h"
#include "net/wall.h"
#include "supervisor/account_file.h"
#include "supervisor/keys.h"
#include "supervisor/ssh_control.h"

enum {
	DATE_MAX = 32,
};

/* What a command was called with. */
struct work {
	const struct data_dir *dir;
	const struct mmp_user *user;
	const struct mmp_terminal *terminal;
	const struct mmp_line *line;
	struct writer *out;
	struct account_file file;
	struct account *account; /* the one named, in the open file */
};

static int64_t
now_s(void)
{
	return wall_now().us / 1000000;
}

static bool
fail(struct work *work, const char *why)
{
	writer_text(work->out, why);
	return false;
}

static bool
open_file(struct work *work)
{
	char error[DATA_ERROR_MAX];
	return account_file_open(&work->file, work->dir, error) || fail(work, error);
}

/* Opens the file and looks for the account. */
static bool
open_account(struct work *work, struct str name)
{
	if (!open_file(work))
		return false;
	work->account = accounts_find(work->file.accounts, name);
	if (work->account != NULL)
		return true;
	account_file_close(&work->file);
	return fail(work, "there is no such user");
}

/* Writes what was changed, if it was; in any case the file is closed. */
static bool
finish(struct work *work, bool changed)
{
	char error[DATA_ERROR_MAX];
	if (changed && !account_file_write(&work->file, error))
		changed = fail(work, error);
	account_file_close(&work->file);
	return changed;
}

/* -- passwords --------------------------------------------------------------------------------- */

static bool
ask(struct work *work, const char *question, char out[ACCOUNT_PASSWORD_MAX])
{
	if (work->terminal->ask(work->terminal->context, question, true, out,
	                        ACCOUNT_PASSWORD_MAX))
		return true;
	return fail(work, "no password was given");
}

static bool
ask_twice(struct work *work, char out[ACCOUNT_PASSWORD_MAX])
{
	char again[ACCOUNT_PASSWORD_MAX] = "";
	bool same = ask(work, "Please enter new password:", out) &&
	            ask(work, "Please enter new password again:", again);
	if (same && !str_eq_secret(str_of(out), str_of(again)))
		same = fail(work, "the passwords are not the same");
	explicit_bzero(again, sizeof again);
	return same;
}

/* The rules that need the account's past. */
static bool
is_fresh(struct work *work, struct str password)
{
	const struct account_rules *rules = &work->file.accounts->rules;
	const struct account *account = work->account;
	const bool own = !work->user->local && str_eq(str_of(work->user->name), str_of(account->name));
	if (own && !account->expired && rules->min_password_age != 0 &&
	    now_s() < account->changed_s + (int64_t)rules->min_password_age * 24 * 60 * 60)
		return fail(work, "the password was changed too short a time ago");
	if (rules->max_history == 0)
		return true;
	bool seen = password_matches(password, str_of(account->hash));
	for (uint32_t i = 0; i < account->history_count && i < rules->max_history && !seen; i++)
		seen = password_matches(password, str_of(account->history[i]));
	return !seen || fail(work, "that password was used before");
}

static bool
is_own_password(struct work *work)
{
	char current[ACCOUNT_PASSWORD_MAX] = "", hash[ACCOUNT_HASH_MAX];
	memcpy(hash, work->account->hash, sizeof hash);
	account_file_close(&work->file);
	const bool right = ask(work, "Please enter current password:", current) &&
	                   (password_matches(str_of(current), str_of(hash)) ||
	                    fail(work, "the password is wrong"));
	explicit_bzero(current, sizeof current);
	explicit_bzero(hash, sizeof hash);
	return right;
}

static bool
set_password(struct work *work, struct str name, struct str password)
{
	char hash[ACCOUNT_HASH_MAX];
	if (!open_account(work, name))
		return false;
	bool done = accounts_password_fits(work->file.accounts, name, password, work->out) &&
	            is_fresh(work, password);
	if (done && !account_hash(hash, password))
		done = fail(work, "not enough memory to hash a password");
	if (done) {
		account_set_password(work->file.accounts, work->account, hash, now_s());
		explicit_bzero(hash, sizeof hash);
	}
	return finish(work, done);
}

/* What is no longer right is nowhere to be read, and `convoke up` sends nobody there. */
static void
forget_first_password(struct work *work)
{
	char path[DATA_PATH_MAX + 64];
	if (unlink(data_dir_file(path, work->dir, "admin-password")) == 0)
		writer_text(work->out, "admin-password, which had the first one, is removed\n");
}

static bool
passwd(struct work *work)
{
	char name[ACCOUNT_NAME_MAX], password[ACCOUNT_PASSWORD_MAX] = "";
	const struct str named = work->line->count != 0 ? work->line->arguments[0]
	                                                : str_of(work->user->name);
	const bool own = !work->user->local && str_eq(named, str_of(work->user->name));
	if (!own && work->user->role != MMP_ADMIN)
		return fail(work, "only users of role admin change the passwords of others");
	if (!str_copy(name, sizeof name, named))
		return fail(work, "there is no such user");
	if (!open_account(work, str_of(name)))
		return false;
	if (!own)
		account_file_close(&work->file);
	else if (!is_own_password(work))
		return false;
	const bool done = ask_twice(work, password) &&
	                  set_password(work, str_of(name), str_of(password));
	explicit_bzero(password, sizeof password);
	if (done)
		writer_format(work->out, "SUCCESS: password of %s changed\n", name);
	if (done && str_eq(str_of(name), STR("admin")))
		forget_first_password(work);
	return done;
}

/* -- accounts ---------------------------------------------------------------------------------- */

static bool
may_be_added(struct work *work, struct str name)
{
	if (!account_name_fits(name)) {
		writer_format(work->out, "expected a name of at most %d letters, digits, ., - and _",
		              ACCOUNT_NAME_MAX - 1);
		return false;
	}
	if (!open_file(work))
		return false;
	if (accounts_find(work->file.accounts, name) == NULL)
		return true;
	account_file_close(&work->file);
	return fail(work, "there is a user of that name already");
}

/* A file of keys outlives its account where a backup without that account came back. */
static bool
forget_keys(const struct work *work, struct str name)
{
	char text[ACCOUNT_NAME_MAX];
	return str_copy(text, sizeof text, name) && keys_forget(work->dir, text);
}

static bool
add_with(struct work *work, struct str name, enum mmp_role role, struct str password, bool *had_keys)
{
	char hash[ACCOUNT_HASH_MAX];
	if (!may_be_added(work, name))
		return false;
	bool done = accounts_password_fits(work->file.accounts, name, password, work->out);
	if (done && !account_hash(hash, password))
		done = fail(work, "not enough memory to hash a password");
	*had_keys = done && forget_keys(work, name);
	if (done && accounts_add(work->file.accounts, name, role, hash, now_s()) == NULL) {
		writer_format(work->out, "there are %d users already", ACCOUNTS_MAX);
		done = false;
	}
	return finish(work, done);
}

static bool
add(struct work *work)
{
	char password[ACCOUNT_PASSWORD_MAX] = "";
	bool had_keys = false;
	enum mmp_role role;
	const struct str name = work->line->arguments[0];
	if (!mmp_role_find(&role, work->line->arguments[1]))
		return fail(work, "expected a role: admin, crypto, audit, appadmin or api");
	if (!may_be_added(work, name))
		return false;
	account_file_close(&work->file); /* a person types: others need not wait */
	const bool done = ask_twice(work, password) &&
	                  add_with(work, name, role, str_of(password), &had_keys);
	explicit_bzero(password, sizeof password);
	if (done)
		writer_format(work->out, "SUCCESS: user %.*s added\n", STR_ARGS(name));
	if (done && had_keys)
		writer_format(work->out,
		              "%.*s.pub was there before and is removed; put the keys of this user now\n",
		              STR_ARGS(name));
	return done;
}

/* Is it the only one who can still do everything? */
static bool
is_last_admin(const struct work *work)
{
	uint32_t admins = 0;
	for (uint32_t i = 0; i < work->file.accounts->count; i++)
		admins += work->file.accounts->list[i].role == MMP_ADMIN;
	return work->account->role == MMP_ADMIN && admins == 1;
}

static bool
del(struct work *work)
{
	char name[ACCOUNT_NAME_MAX];
	if (!open_account(work, work->line->arguments[0]))
		return false;
	bool done = true;
	str_copy(name, sizeof name, str_of(work->account->name));
	if (!work->user->local && is_last_admin(work))
		done = fail(work, "it is the last user of role admin");
	if (done)
		accounts_remove(work->file.accounts, work->account);
	done = finish(work, done);
	if (done) {
		(void)keys_forget(work->dir, name);
		(void)ssh_control_evict(work->dir, name);
		writer_format(work->out, "SUCCESS: user %s removed\n", name);
	}
	return done;
}

/* -- changes of one account -------------------------------------------------------------------- */

static bool
change(struct work *work)
{
	const struct str *arguments = work->line->arguments;
	if (!open_account(work, arguments[0]))
		return false;
	bool done = true;
	switch ((unsigned)work->line->call) {
	case MMP_USER_UNLOCK:
		account_unlock(work->account, now_s());
		break;
	case MMP_USER_EXPIRE:
		work->account->expired = true;
		break;
	case MMP_USER_DUTY:
		done = account_set_duty(work->account, arguments[1], &arguments[2],
		                        work->line->count - 2, work->out);
		break;
	default:
		CHECK(work->line->call == MMP_USER_HOST);
		done = account_set_host(work->account, arguments[1], arguments[2], work->out);
	}
	done = finish(work, done);
	if (done)
		writer_format(work->out, "SUCCESS: %s %.*s\n", work->line->words,
		              STR_ARGS(arguments[0]));
	return done;
}

static bool
set_rule(struct work *work)
{
	struct str name = str_of(work->line->words);
	(void)str_cut(&name, ' ');
	(void)str_cut(&name, ' ');
	if (!open_file(work))
		return false;
	const bool done = finish(work, accounts_set_rule(work->file.accounts, name,
	                                                 work->line->arguments[0], work->out));
	if (done)
		writer_format(work->out, "SUCCESS: %s %.*s\n", work->line->words,
		              STR_ARGS(work->line->arguments[0]));
	return done;
}

static bool
evict(struct work *work)
{
	char name[ACCOUNT_NAME_MAX];
	if (!open_account(work, work->line->arguments[0]))
		return false;
	str_copy(name, sizeof name, str_of(work->account->name));
	account_file_close(&work->file);
	const int ended = ssh_control_evict(work->dir, name);
	if (ended < 0)
		return fail(work, "SSH is not served");
	writer_format(work->out, "SUCCESS: %d session%s ended\n", ended, ended == 1 ? "" : "s");
	return true;
}

/* -- showing ----------------------------------------------------------------------------------- */

static const char *
date_text(char out[DATE_MAX], int64_t at_s, bool with_time)
{
	const time_t at = (time_t)at_s;
	struct tm local;
	if (at_s == 0 || localtime_r(&at, &local) == NULL ||
	    (with_time ? strftime(out, DATE_MAX, "%Y-%b-%d %H:%M:%S", &local)
	               : strftime(out, DATE_MAX, "%Y-%b-%d", &local)) == 0)
		snprintf(out, DATE_MAX, "%s", "none");
	return out;
}

/* In the words of `user list`; hosts are not looked at, for nobody comes from anywhere now. */
static const char *
state_of(const struct accounts *accounts, const struct account *account)
{
	struct account_moment now = account_now(&(struct net_addr){ 0 });
	now.shell = false;
	if (account_locked_until_s(account, now.now_s) != 0)
		return account_verdict_name(ACCOUNT_LOCKED);
	const enum account_verdict verdict = account_judge(accounts, account, &now);
	if (verdict != ACCOUNT_WRONG_ROLE)
		return account_verdict_name(verdict);
	now.shell = true;
	struct account anywhere = *account;
	anywhere.host_count = 0;
	return account_verdict_name(account_judge(accounts, &anywhere, &now));
}

static bool
list(struct work *work)
{
	char date[DATE_MAX];
	if (!open_file(work))
		return false;
	struct accounts *accounts = work->file.accounts;
	writer_format(work->out, "%-32s %-9s %-12s %s\n", "USERNAME", "ROLE", "EXPIRY", "STATE");
	for (uint32_t i = 0; i < accounts->count; i++) {
		const struct account *account = &accounts->list[i];
		date_text(date, account_expiry_s(accounts, account), false);
		writer_format(work->out, "%-32s %-9s %-12s %s\n", account->name,
		              mmp_role_name(account->role), date, state_of(accounts, account));
	}
	account_file_close(&work->file);
	return true;
}

static bool
info(struct work *work)
{
	char date[DATE_MAX];
	struct writer *out = work->out;
	if (!open_account(work, work->line->arguments[0]))
		return false;
	const struct account *account = work->account;
	const struct accounts *accounts = work->file.accounts;
	writer_format(out, "Username         : %s\n", account->name);
	writer_format(out, "Role             : %s\n", mmp_role_name(account->role));
	writer_format(out, "State            : %s\n", state_of(accounts, account));
	writer_format(out, "Created          : %s\n", date_text(date, account->created_s, true));
	writer_format(out, "Password changed : %s\n", date_text(date, account->changed_s, true));
	writer_format(out, "Expiry           : %s\n",
	              date_text(date, account_expiry_s(accounts, account), false));
	writer_format(out, "Last login       : %s", date_text(date, account->used_s, true));
	if (account->used_s != 0) {
		writer_text(out, " from ");
		addr_write_ip(out, &account->used_from);
	}
	writer_format(out, "\nFailed logins    : %u\n", (unsigned)account->failures);
	writer_format(out, "Locked until     : %s\n",
	              date_text(date, account_locked_until_s(account, now_s()), true));
	for (uint32_t i = 0; i < account->source_count; i++) {
		const struct account_source *source = &account->sources[i];
		if (source->locked_s <= now_s())
			continue;
		writer_text(out, "Locked out       : ");
		addr_write_ip(out, &source->addr);
		writer_format(out, " until %s\n", date_text(date, source->locked_s, true));
	}
	writer_text(out, "Duty             : ");
	account_write_duty(out, account);
	writer_text(out, "\nHosts            : ");
	account_write_hosts(out, account);
	writer_text(out, "\n");
	account_file_close(&work->file);
	return true;
}

static bool
show_rules(struct work *work)
{
	if (!open_file(work))
		return false;
	accounts_write_rules(work->out, work->file.accounts);
	account_file_close(&work->file);
	return true;
}

bool
users_run(const struct data_dir *dir, const struct mmp_user *user,
          const struct mmp_terminal *terminal, const struct mmp_line *line, struct writer *out)
{
	struct work work = { dir, user, terminal, line, out, { 0 }, NULL };
	switch ((unsigned)line->call) {
	case MMP_USER_ADD:
		return add(&work);
	case MMP_USER_DEL:
		return del(&work);
	case MMP_USER_LIST:
		return list(&work);
	case MMP_USER_INFO:
		return info(&work);
	case MMP_USER_EVICT:
		return evict(&work);
	case MMP_USER_UNLOCK:
	case MMP_USER_EXPIRE:
	case MMP_USER_DUTY:
	case MMP_USER_HOST:
		return change(&work);
	case MMP_USER_RULE:
		return set_rule(&work);
	case MMP_USER_RULES:
		return show_rules(&work);
	default:
		CHECK(line->call == MMP_PASSWD);
		return passwd(&work);
	}
}
