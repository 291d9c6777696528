/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: accounts are made, changed and removed by those who may, by the rules, and secrets stay out of
 * the audit log.  Method: command_run() on a real folder, with a terminal that has its answers ready. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/password.h"
#include "base/check.h"
#include "base/test.h"
#include "net/files.h"
#include "supervisor/account_file.h"
#include "supervisor/command.h"

enum { ANSWERS_MAX = 4 };

static struct data_dir dir;
static char said[MMP_ANSWER_MAX];
static const char *answers[ANSWERS_MAX + 1]; /* NULL ends them */
static size_t asked;

static void
say(void *context, struct str text)
{
	const size_t at = strlen(said);
	(void)context;
	EXPECT(at + text.len < sizeof said);
	memcpy(said + at, text.at, text.len);
	said[at + text.len] = '\0';
}

static bool
ask(void *context, const char *question, bool secret, char *out, size_t cap)
{
	(void)context;
	EXPECT(secret && strncmp(question, "Please enter ", 13) == 0);
	return answers[asked] != NULL && str_copy(out, cap, str_of(answers[asked++]));
}

static const struct mmp_terminal terminal = { .say = say, .ask = ask };
static const struct mmp_user owner = { .name = "root", .from = "this machine", .role = MMP_ADMIN,
	                               .local = true };
static const struct mmp_user anna = { .name = "anna", .from = "192.0.2.7", .role = MMP_ADMIN };
static const struct mmp_user carl = { .name = "carl", .from = "192.0.2.8", .role = MMP_CRYPTO };

static void
make_folder(void)
{
	char path[] = "/tmp/users_test.XXXXXX", error[DATA_ERROR_MAX], name[DATA_PATH_MAX + 64];
	EXPECT(mkdtemp(path) != NULL);
	EXPECT(data_dir_find(&dir, path, error));
	EXPECT_EQ(mkdir(data_dir_file(name, &dir, "run"), 0700), 0);
	EXPECT_EQ(mkdir(data_dir_file(name, &dir, "log"), 0700), 0);
	EXPECT_EQ(file_replace(data_dir_file(name, &dir, "convoke.conf"), "", 0, 0600), 0);
}

static void
remove_folder(void)
{
	char command[DATA_PATH_MAX + 32];
	snprintf(command, sizeof command, "rm -r '%s'", dir.path);
	EXPECT_EQ(system(command), 0);
}

/* Types a command with up to three answers; what was said. */
static const char *
type(const struct mmp_user *user, const char *command, const char *first, const char *second,
     const char *third)
{
	said[0] = '\0';
	asked = 0;
	answers[0] = first;
	answers[1] = second;
	answers[2] = third;
	const int status = command_run(&dir, user, &terminal, str_of(command));
	EXPECT_EQ(status == 0, strstr(said, "FAILURE") == NULL);
	return said;
}

static void
expect_said(const char *is, const char *want)
{
	EXPECT(str_contains_nocase(str_of(is), str_of(want)));
}

static bool
password_is(const char *name, const char *password)
{
	char error[DATA_ERROR_MAX];
	struct account_file file;
	EXPECT(account_file_open(&file, &dir, error));
	const struct account *account = accounts_find(file.accounts, str_of(name));
	const bool right = account != NULL && password_matches(str_of(password), str_of(account->hash));
	account_file_close(&file);
	return right;
}

TEST(the_first_admin_is_made_by_the_owner_of_the_folder)
{
	make_folder();
	expect_said(type(&owner, "user add anna admin", "annas word", "annas word", NULL),
	            "SUCCESS: user anna added");
	EXPECT(password_is("anna", "annas word"));
	expect_said(type(&owner, "user list", NULL, NULL, NULL), "anna");
	static const struct {
		const char *command;
		const char *first;
		const char *second;
		const char *want;
	} refused[] = {
		{ "user add anna api", "annas word", "annas word", "a user of that name" },
		{ "user add ../x api", "long enough", "long enough", "expected a name" },
		{ "user add bert king", "long enough", "long enough", "expected a role" },
		{ "user add bert api", "short", "short", "at least 8 characters" },
		{ "user add bert api", "long enough", "long enougH", "not the same" },
		{ "user add bert api", "long enough", NULL, "no password was given" },
		{ "user add bert", NULL, NULL, "something is missing" },
		{ "user del bert", NULL, NULL, "no such user" },
		{ "user info bert", NULL, NULL, "no such user" },
		{ "user evict anna", NULL, NULL, "SSH is not served" },
		{ "user rule max_history 99", NULL, NULL, "from 0 to 12" },
		{ "user duty anna 9-5", NULL, NULL, "0900-1700" },
		{ "user host anna add nowhere", NULL, NULL, "192.0.2.7" },
	};
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		expect_said(type(&owner, refused[i].command, refused[i].first, refused[i].second,
		                 NULL), refused[i].want);
	remove_folder();
}

TEST(an_account_begins_without_keys)
{
	char name[DATA_PATH_MAX + 64];
	make_folder();
	type(&owner, "user add anna admin", "annas word", "annas word", NULL);
	EXPECT_EQ(file_replace(data_dir_file(name, &dir, "carl.pub"), "x", 1, 0600), 0);
	expect_said(type(&owner, "user add carl crypto", "short", "short", NULL), "at least 8 characters");
	EXPECT_EQ(access(name, F_OK), 0);
	expect_said(type(&owner, "user add carl crypto", "carls word", "carls word", NULL),
	            "carl.pub was there before and is removed");
	EXPECT(access(name, F_OK) != 0);
	type(&owner, "user add emil api", "emils word", "emils word", NULL);
	EXPECT_STR(str_of(said), "SUCCESS: user emil added\n");
	remove_folder();
}

TEST(the_first_password_goes_when_another_is_set)
{
	char name[DATA_PATH_MAX + 64];
	make_folder();
	type(&owner, "user add admin admin", "long enough", "long enough", NULL);
	type(&owner, "user add carl crypto", "carls word", "carls word", NULL);
	EXPECT_EQ(file_replace(data_dir_file(name, &dir, "admin-password"), "x", 1, 0600), 0);
	type(&owner, "passwd carl", "carls next", "carls next", NULL);
	type(&owner, "passwd admin", "short", "short", NULL);
	EXPECT_EQ(access(name, F_OK), 0);
	expect_said(type(&owner, "passwd admin", "the second", "the second", NULL),
	            "SUCCESS: password of admin changed\nadmin-password, which had the first one");
	EXPECT(access(name, F_OK) != 0);
	type(&owner, "passwd admin", "the third", "the third", NULL);
	EXPECT_STR(str_of(said), "SUCCESS: password of admin changed\n");
	remove_folder();
}

TEST(a_password_is_changed_by_its_owner_who_knows_it)
{
	make_folder();
	type(&owner, "user add anna admin", "annas word", "annas word", NULL);
	type(&owner, "user add carl crypto", "carls word", "carls word", NULL);
	expect_said(type(&carl, "passwd", "not mine", "carls next", "carls next"), "password is wrong");
	expect_said(type(&carl, "passwd", "carls word", "carls next", "carls next"),
	            "SUCCESS: password of carl changed");
	EXPECT(password_is("carl", "carls next"));
	expect_said(type(&carl, "passwd anna", "mine now", "mine now", NULL), "only users of role admin");
	expect_said(type(&carl, "user list", NULL, NULL, NULL), "not for users of role crypto");
	expect_said(type(&anna, "passwd carl", "annas gift", "annas gift", NULL), "SUCCESS");
	EXPECT(password_is("carl", "annas gift"));
	expect_said(type(&owner, "passwd nobody", "annas gift", "annas gift", NULL), "no such user");
	remove_folder();
}

TEST(old_passwords_do_not_come_back_and_new_ones_stay_a_while)
{
	make_folder();
	type(&owner, "user add carl crypto", "the first", "the first", NULL);
	expect_said(type(&owner, "user rule max_history 2", NULL, NULL, NULL), "SUCCESS");
	expect_said(type(&owner, "passwd carl", "the first", "the first", NULL), "used before");
	expect_said(type(&owner, "passwd carl", "the second", "the second", NULL), "SUCCESS");
	expect_said(type(&owner, "passwd carl", "the first", "the first", NULL), "used before");
	expect_said(type(&owner, "passwd carl", "the third", "the third", NULL), "SUCCESS");
	expect_said(type(&owner, "passwd carl", "the fourth", "the fourth", NULL), "SUCCESS");
	expect_said(type(&owner, "passwd carl", "the first", "the first", NULL), "SUCCESS");
	expect_said(type(&owner, "user rule min_password_age 1", NULL, NULL, NULL), "SUCCESS");
	expect_said(type(&carl, "passwd", "the first", "the sixth", "the sixth"), "too short a time");
	expect_said(type(&owner, "user expire carl", NULL, NULL, NULL), "SUCCESS");
	expect_said(type(&owner, "user list", NULL, NULL, NULL), "expired");
	expect_said(type(&carl, "passwd", "the first", "the sixth", "the sixth"), "SUCCESS");
	expect_said(type(&owner, "user list", NULL, NULL, NULL), "active");
	remove_folder();
}

TEST(the_last_admin_cannot_be_removed_from_elsewhere)
{
	make_folder();
	type(&owner, "user add anna admin", "annas word", "annas word", NULL);
	expect_said(type(&anna, "user del anna", NULL, NULL, NULL), "last user of role admin");
	type(&anna, "user add bert admin", "berts word", "berts word", NULL);
	expect_said(type(&anna, "user del bert", NULL, NULL, NULL), "SUCCESS: user bert removed");
	expect_said(type(&owner, "user del anna", NULL, NULL, NULL), "SUCCESS");
	remove_folder();
}

TEST(duty_and_hosts_are_set_and_shown)
{
	make_folder();
	type(&owner, "user add anna admin", "annas word", "annas word", NULL);
	expect_said(type(&owner, "user duty anna 0900-1700 mon fri", NULL, NULL, NULL), "SUCCESS");
	expect_said(type(&owner, "user host anna add 192.0.2.0/24", NULL, NULL, NULL), "SUCCESS");
	type(&owner, "user info anna", NULL, NULL, NULL);
	expect_said(said, "Duty             : 0900-1700 mon fri\n");
	expect_said(said, "Hosts            : 192.0.2.0/24\n");
	expect_said(type(&owner, "user duty anna none", NULL, NULL, NULL), "SUCCESS");
	expect_said(type(&owner, "user host anna del 192.0.2.0/24", NULL, NULL, NULL), "SUCCESS");
	type(&owner, "user info anna", NULL, NULL, NULL);
	expect_said(said, "Duty             : none\nHosts            : any\n");
	remove_folder();
}

TEST(the_audit_log_knows_changes_and_no_secret)
{
	char path[DATA_PATH_MAX + 64], *bytes;
	size_t len;
	make_folder();
	type(&owner, "user add anna admin", "annas word", "annas word", NULL);
	type(&anna, "user list", NULL, NULL, NULL);
	type(&anna, "callbridge limit 7", NULL, NULL, NULL);
	type(&anna, "callbridge limit x", NULL, NULL, NULL);
	type(&carl, "callbridge limit 8", NULL, NULL, NULL);
	EXPECT_EQ(file_read(data_dir_file(path, &dir, "log/audit"), 65536, &bytes, &len), 0);
	EXPECT(strstr(bytes, "user \"root\" from this machine: user add anna admin\n") != NULL);
	EXPECT(strstr(bytes, "user \"anna\" from 192.0.2.7: callbridge limit 7\n") != NULL);
	EXPECT(strstr(bytes, "callbridge limit x (FAILURE)\n") != NULL);
	EXPECT(strstr(bytes, "\"carl\" from 192.0.2.8: callbridge limit 8 (FAILURE)\n") != NULL);
	EXPECT(strstr(bytes, "user list") == NULL);
	EXPECT(strstr(bytes, "annas word") == NULL);
	free(bytes);
	remove_folder();
}

TEST(a_damaged_file_is_told_and_left_alone)
{
	char path[DATA_PATH_MAX + 64], *bytes;
	size_t len;
	make_folder();
	EXPECT_EQ(file_replace(data_dir_file(path, &dir, "accounts"), "nonsense\n", 9, 0600), 0);
	expect_said(type(&owner, "user add anna admin", "annas word", "annas word", NULL),
	            "accounts, line 1 is damaged");
	EXPECT_EQ(file_read(path, 65536, &bytes, &len), 0);
	EXPECT_STR(((struct str){ bytes, len }), "nonsense\n");
	free(bytes);
	remove_folder();
}

TEST(a_fresh_folder_has_an_admin_with_a_password_of_its_own)
{
	char path[DATA_PATH_MAX + 64], error[DATA_ERROR_MAX], *bytes;
	size_t len;
	make_folder();
	EXPECT(account_file_furnish(&dir, error));
	EXPECT_EQ(file_read(data_dir_file(path, &dir, "admin-password"), 128, &bytes, &len), 0);
	EXPECT_EQ(len, 21);
	bytes[20] = '\0';
	EXPECT(password_is("admin", bytes));
	free(bytes);
	EXPECT_EQ(unlink(path), 0);
	EXPECT(account_file_furnish(&dir, error)); /* never a second time */
	EXPECT(access(path, F_OK) != 0);
	remove_folder();
}
