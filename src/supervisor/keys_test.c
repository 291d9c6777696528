/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: keys are added, shown and removed, what is no key counts for nothing, and an account takes its
 * keys along.  Method: keys_run() on a real folder, with keys that ssh-keygen made. */
#include "supervisor/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/test.h"
#include "net/files.h"
#include "net/test_certs.h"
#include "supervisor/account_file.h"

#define ED "AAAAC3NzaC1lZDI1NTE5AAAAIHlU6wQy6wMXmYlqzNVWDKq4y4gGJ0sXo2h3d3Nq8cJk"

static struct data_dir dir;
static char said[4096];

static bool
ask(void *context, const char *question, bool secret, char *out, size_t cap)
{
	(void)context;
	EXPECT(secret && strncmp(question, "Please enter ", 13) == 0);
	return str_copy(out, cap, STR("s3cret"));
}

static const struct mmp_terminal terminal = { .ask = ask };

static bool
run(enum mmp_call call, const char *words)
{
	struct str arguments[MMP_WORDS_MAX], rest = str_of(words);
	struct mmp_line line = { .call = call, .words = "user key", .arguments = arguments };
	while (rest.len != 0)
		arguments[line.count++] = str_cut(&rest, ' ');
	struct writer w = writer_of(said, sizeof said - 1);
	const bool done = keys_run(&dir, &terminal, &line, &w);
	said[w.at] = '\0';
	return done;
}

static void
make_folder(void)
{
	char path[] = "/tmp/keys_test.XXXXXX", error[DATA_ERROR_MAX], name[DATA_PATH_MAX + 64];
	struct account_file file;
	EXPECT(mkdtemp(path) != NULL);
	EXPECT(data_dir_find(&dir, path, error));
	EXPECT_EQ(dir_make(data_dir_file(name, &dir, "run"), 0700), 0);
	EXPECT(account_file_open(&file, &dir, error));
	EXPECT(accounts_add(file.accounts, STR("anna"), MMP_ADMIN, "$x", 1) != NULL);
	EXPECT(account_file_write(&file, error));
	account_file_close(&file);
}

static void
remove_folder(void)
{
	char command[DATA_PATH_MAX + 32];
	snprintf(command, sizeof command, "rm -r '%s'", dir.path);
	EXPECT_EQ(system(command), 0);
}

static void
put(const char *name, const char *text)
{
	char path[DATA_PATH_MAX + 64];
	EXPECT_EQ(file_replace(data_dir_file(path, &dir, name), text, strlen(text), 0600), 0);
}

TEST(keys_are_added_shown_and_removed)
{
	char print[KEY_PRINT_MAX], words[256];
	make_folder();
	EXPECT(run(MMP_USER_KEY_LIST, "anna"));
	EXPECT_STR(str_of(said), "anna has no keys\n");
	EXPECT(!keys_have(&dir, "anna", STR(ED), print));
	EXPECT(run(MMP_USER_KEY_ADD, "anna ssh-ed25519 " ED " anna at home"));
	EXPECT(!run(MMP_USER_KEY_ADD, "anna ssh-ed25519 " ED));
	EXPECT_STR(str_of(said), "that key is there already");
	EXPECT(keys_have(&dir, "anna", STR(ED), print));
	EXPECT(strncmp(print, "SHA256:", 7) == 0 && strlen(print) == 7 + 43);
	EXPECT(run(MMP_USER_KEY_LIST, "anna"));
	EXPECT(strstr(said, "ssh-ed25519 SHA256:") == said && strstr(said, " anna at home\n") != NULL);
	EXPECT(!run(MMP_USER_KEY_DEL, "anna SHA256:none"));
	snprintf(words, sizeof words, "anna %s", print);
	EXPECT(run(MMP_USER_KEY_DEL, words));
	EXPECT(!keys_have(&dir, "anna", STR(ED), print));
	EXPECT(run(MMP_USER_KEY_ADD, "anna ssh-ed25519 " ED));
	EXPECT(run(MMP_USER_KEY_DEL, "anna all"));
	EXPECT(!run(MMP_USER_KEY_DEL, "anna all"));
	remove_folder();
}

TEST(what_is_no_key_is_refused_and_counts_for_nothing)
{
	static const char *const wrong[] = {
		"anna ssh-ed25519", "anna ssh-rsa " ED, "anna ssh-dss " ED, "anna ssh-ed25519 !!!!",
		"anna ssh-ed25519 AAAA", "anna command=\"x\" ssh-ed25519 " ED, "nobody ssh-ed25519 " ED,
		"../anna ssh-ed25519 " ED,
	};
	char print[KEY_PRINT_MAX];
	make_folder();
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		EXPECT(!run(MMP_USER_KEY_ADD, wrong[i]));
	put("anna.pub", "# mine\r\nfrom=\"10.0.0.1\" ssh-ed25519 " ED "\nnonsense\n\n");
	EXPECT(!keys_have(&dir, "anna", STR(ED), print));
	put("anna.pub", "# mine\r\n\nssh-ed25519  " ED "  desk\r\n");
	EXPECT(keys_have(&dir, "anna", STR(ED), print));
	EXPECT(!keys_have(&dir, "anna", STR(""), print));
	EXPECT(!keys_have(&dir, "../anna", STR(ED), print));
	/* Another account of the name is another person. */
	EXPECT(keys_forget(&dir, "anna"));
	EXPECT(!keys_forget(&dir, "anna"));
	EXPECT(!keys_have(&dir, "anna", STR(ED), print));
	remove_folder();
}

TEST(a_bundle_of_pkcs12_becomes_a_key)
{
	char command[2 * DATA_PATH_MAX + 512];
	make_folder();
	EXPECT(!run(MMP_PKI_PKCS12_TO_SSH, "anna"));
	EXPECT_STR(str_of(said), "anna.pub is not there; put the PKCS#12 file by that name first");
	put("anna.pub", "ssh-ed25519 " ED "\n");
	EXPECT(!run(MMP_PKI_PKCS12_TO_SSH, "anna"));
	EXPECT_STR(str_of(said), "anna.pub is no PKCS#12 file");
	static const char *const kinds[] = { "rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256",
		                             "ed25519" };
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		/* What ssh-keygen makes of the same key is what must come out. */
		snprintf(command, sizeof command,
		         "cd '%s' && openssl req -x509 -newkey %s -nodes -subj /CN=anna -keyout k "
		         "-out c 2>/dev/null && openssl pkcs12 -export -inkey k -in c -passout "
		         "pass:s3cret -out anna.pub", dir.path, kinds[i]);
		EXPECT_EQ(system(command), 0); /* NOLINT: a path of ours */
		EXPECT(run(MMP_PKI_PKCS12_TO_SSH, "anna"));
		EXPECT(run(MMP_USER_KEY_LIST, "anna"));
		EXPECT(strstr(said, "SHA256:") != NULL);
		snprintf(command, sizeof command,
		         "cd '%s' && openssl pkey -in k -pubout -out p && ssh-keygen -i -m PKCS8 -f p "
		         "2>/dev/null | cmp - anna.pub", dir.path);
		if (strcmp(kinds[i], "ed25519") != 0) /* ssh-keygen -i does not know it */
			EXPECT_EQ(system(command), 0);
	}
	remove_folder();
}
