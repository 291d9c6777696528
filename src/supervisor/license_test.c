/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the commands `license ...` and the reseller's tool do what they say, and who may not does not.
 * Method: both on a real folder; what is made by the one is brought to the other. */
#include "supervisor/license.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "net/files.h"
#include "supervisor/command.h"

static struct data_dir dir;
static char said[MMP_ANSWER_MAX];

static void
say(void *context, struct str text)
{
	const size_t at = strlen(said);
	(void)context;
	EXPECT(at + text.len < sizeof said);
	memcpy(said + at, text.at, text.len);
	said[at + text.len] = '\0';
}

static const struct mmp_terminal terminal = { .say = say };
static const struct mmp_user admin = { .name = "anna", .from = "192.0.2.7", .role = MMP_ADMIN };
static const struct mmp_user appadmin = { .name = "bob", .from = "192.0.2.8",
	                                  .role = MMP_APPADMIN };
static const struct mmp_user auditor = { .name = "carl", .from = "192.0.2.9", .role = MMP_AUDIT };

static int
run_as(const struct mmp_user *user, const char *command)
{
	said[0] = '\0';
	return command_run(&dir, user, &terminal, str_of(command));
}

static bool
says(const char *text)
{
	return strstr(said, text) != NULL;
}

static const char *
path_of(const char *name)
{
	static char path[4][DATA_PATH_MAX + 64];
	static unsigned turn;
	return data_dir_file(path[turn++ % 4], &dir, name);
}

static void
put(const char *name, const char *text, size_t len)
{
	EXPECT_EQ(file_replace(path_of(name), text, len, 0600), 0);
}

static void
make_folder(void)
{
	char path[] = "/tmp/license_test.XXXXXX", error[DATA_ERROR_MAX];
	EXPECT(mkdtemp(path) != NULL);
	EXPECT(data_dir_find(&dir, path, error));
	EXPECT_EQ(mkdir(path_of("run"), 0700), 0);
	EXPECT_EQ(mkdir(path_of("log"), 0700), 0);
	put("convoke.conf", "", 0);
}

static void
remove_folder(void)
{
	char command[DATA_PATH_MAX + 16];
	snprintf(command, sizeof command, "rm -r '%s'", dir.path);
	EXPECT_EQ(system(command), 0);
}

static int
tool(const char *verb, const char *a, const char *b, const char *c)
{
	char *words[] = { (char *)verb, (char *)a, (char *)b, (char *)c, NULL };
	int count = 0;
	while (words[count] != NULL)
		count++;
	return license_tool(count, words);
}

/* Makes acme.key in the folder and has its licences count. */
static void
trust_acme(void)
{
	char command[CONFIG_LINE_MAX], *text = NULL;
	size_t len = 0;
	EXPECT_EQ(tool("make", path_of("acme"), NULL, NULL), 0);
	EXPECT_EQ(file_read(path_of("acme.pub"), 1024, &text, &len), 0);
	snprintf(command, sizeof command, "license issuer add %.*s",
	         STR_ARGS(str_trim((struct str){ text, len })));
	free(text);
	EXPECT_EQ(run_as(&admin, command), 0);
	EXPECT(says("SUCCESS: licences of acme count here; from now on only"));
}

static void
sign_claims(const char *claims)
{
	put("claims.json", claims, strlen(claims));
	EXPECT_EQ(tool("sign", path_of("acme.key"), path_of("claims.json"), path_of("cms.lic")), 0);
}

TEST(a_licence_is_made_brought_checked_and_shown)
{
	make_folder();
	EXPECT_EQ(run_as(&appadmin, "license"), 0);
	EXPECT(says("Feature: callbridge status: Activated\n") && !says("License file"));
	EXPECT_EQ(run_as(&appadmin, "license check"), 1);
	EXPECT(says("FAILURE: cms.lic: there is no such file\n"));
	trust_acme();
	EXPECT_EQ(run_as(&appadmin, "license"), 0);
	EXPECT(says("Feature: callbridge status: No license\n") && says("License file: none"));
	sign_claims("{\"version\":1,\"id\":\"7\",\"holder\":\"Example Ltd\",\"issued\":\"2026-03-01\","
	            "\"features\":{\"callbridge\":{\"limit\":9}}}");
	EXPECT_EQ(run_as(&appadmin, "license check"), 0);
	EXPECT(says("SUCCESS: cms.lic is licence 7 of Example Ltd, signed by acme\n"));
	EXPECT_EQ(run_as(&appadmin, "license"), 0);
	EXPECT(says("Feature: callbridge status: Activated limit: 9 expiry: never\n"));
	EXPECT(says("License file: 7 of Example Ltd, signed by acme\n"));
	EXPECT_EQ(run_as(&admin, "license issuer list"), 0);
	EXPECT(says("acme "));
	EXPECT_EQ(run_as(&admin, "license issuer del acme"), 0);
	EXPECT(says("no longer count here; everything is activated"));
	EXPECT_EQ(run_as(&admin, "license check"), 0);
	EXPECT(says("SUCCESS: nobody's licences count here"));
	EXPECT_EQ(run_as(&admin, "license issuer list"), 0);
	EXPECT(says("Nobody: everything is activated.\n"));
	remove_folder();
}

TEST(this_host_is_named_and_another_hosts_file_refused)
{
	static const char id[] = "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
	make_folder();
	EXPECT_EQ(run_as(&appadmin, "license host"), 1);
	EXPECT(says("FAILURE: this host has no id yet"));
	put("bridge.id", id, 16);
	EXPECT_EQ(run_as(&appadmin, "license host"), 0);
	EXPECT(says("00112233-4455-4677-8899-aabbccddeeff\n"));
	trust_acme();
	sign_claims("{\"version\":1,\"id\":\"7\",\"holder\":\"h\",\"issued\":\"2026-03-01\","
	            "\"host\":\"11112233-4455-4677-8899-aabbccddeeff\",\"features\":{}}");
	EXPECT_EQ(run_as(&appadmin, "license check cms.lic"), 1);
	EXPECT(says("FAILURE: cms.lic: it is for the host 11112233-"));
	EXPECT_EQ(run_as(&appadmin, "license check ../cms.lic"), 1);
	EXPECT(says("FAILURE: expected the name of a file"));
	remove_folder();
}

TEST(only_admins_say_whose_licences_count)
{
	char *text = NULL;
	size_t len = 0;
	make_folder();
	EXPECT_EQ(run_as(&appadmin, "license issuer add x AAAA"), 1);
	EXPECT(says("FAILURE: license issuer add is not for users of role appadmin"));
	EXPECT_EQ(run_as(&auditor, "license"), 1);
	EXPECT_EQ(run_as(&admin, "license issuer add x AAAA"), 1);
	EXPECT(says("FAILURE: the key is no public key of Ed25519"));
	EXPECT_EQ(run_as(&admin, "license issuer add a/b AAAA"), 1);
	EXPECT_EQ(run_as(&admin, "license issuer del x"), 1);
	EXPECT(says("FAILURE: there is no such issuer"));
	trust_acme();
	EXPECT_EQ(run_as(&admin,
	                 "license issuer add acme AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"), 1);
	EXPECT(says("FAILURE: there is an issuer of that name"));
	put("licence-issuers", "acme x\n", 7);
	EXPECT_EQ(run_as(&admin, "license issuer list"), 1);
	EXPECT(says("FAILURE: licence-issuers, line 1 is damaged"));
	EXPECT_EQ(run_as(&admin, "license"), 0);
	EXPECT(says("nothing is licensed until it is mended"));
	EXPECT_EQ(file_read(path_of("log/audit"), 65536, &text, &len), 0);
	EXPECT(strstr(text, "user \"anna\" from 192.0.2.7: license issuer add acme ") != NULL);
	EXPECT(strstr(text, "license issuer del x (FAILURE)") != NULL);
	free(text);
	remove_folder();
}

TEST(the_tool_overwrites_no_key_and_signs_no_nonsense)
{
	make_folder();
	EXPECT_EQ(tool("make", path_of("acme"), NULL, NULL), 0);
	EXPECT_EQ(tool("make", path_of("acme"), NULL, NULL), 1);
	EXPECT_EQ(tool("make", path_of("a b"), NULL, NULL), 1);
	EXPECT_EQ(tool("sign", path_of("acme.key"), path_of("none.json"), NULL), 1);
	put("claims.json", "{\"version\":1}", 13);
	EXPECT_EQ(tool("sign", path_of("acme.key"), path_of("claims.json"), NULL), 1);
	EXPECT_EQ(tool("sign", path_of("claims.json"), path_of("claims.json"), NULL), 1);
	EXPECT_EQ(tool("sign", path_of("acme.key"), NULL, NULL), 2);
	EXPECT_EQ(tool("forge", NULL, NULL, NULL), 2);
	struct stat info;
	EXPECT_EQ(stat(path_of("acme.key"), &info), 0);
	EXPECT_EQ(info.st_mode & 0777, 0600);
	remove_folder();
}
