/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: `pki` makes what administrators need and tells what is wrong with what they brought, and
 * whoever is elsewhere names no file that SFTP does not show.  Method: commands in a folder of their
 * own; what they made is looked at by net/cert. */
#include "supervisor/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/test.h"
#include "net/cert.h"
#include "net/files.h"
#include "net/test_certs.h"

static const struct mmp_user here = { .name = "root", .from = "here", .local = true };

/* What SFTP shows, in short. */
static bool
is_shown(struct str name)
{
	return str_find(name, '/') == name.len && !str_eq(name, STR("jwt.key"));
}

static const struct mmp_user elsewhere = { .name = "anna", .from = "192.0.2.7",
	                                   .may_name = is_shown };

static struct data_dir
temporary(void)
{
	static char path[] = "/tmp/convoke-pki-XXXXXX";
	struct data_dir dir;
	char error[DATA_ERROR_MAX];
	str_copy(path, sizeof path, STR("/tmp/convoke-pki-XXXXXX"));
	CHECK(mkdtemp(path) != NULL);
	EXPECT(data_dir_find(&dir, path, error));
	return dir;
}

static void
discard(const struct data_dir *dir)
{
	char command[DATA_PATH_MAX + 16];
	snprintf(command, sizeof command, "rm -r '%s'", dir->path);
	EXPECT_EQ(system(command), 0); /* NOLINT: a path of ours */
}

static char said[4096];

/* Runs the call with these words; what it says is in `said`. */
static bool
run(const struct data_dir *dir, const struct mmp_user *user, enum mmp_call call, const char *words)
{
	struct str arguments[8], rest = str_of(words);
	struct mmp_line line = { .call = call, .words = "pki", .arguments = arguments };
	while (rest.len != 0)
		arguments[line.count++] = str_cut(&rest, ' ');
	struct writer w = writer_of(said, sizeof said - 1);
	const bool done = pki_run(dir, user, &line, &w);
	said[w.at] = '\0';
	return done;
}

static bool
has(const char *text)
{
	return strstr(said, text) != NULL;
}

static void
bring(const struct data_dir *dir, const char *name)
{
	char path[DATA_PATH_MAX + 64], *bytes;
	size_t len;
	CHECK(file_read(test_cert(name), 1 << 20, &bytes, &len) == 0);
	CHECK(file_replace(data_dir_file(path, dir, name), bytes, len, 0600) == 0);
	free(bytes);
}

TEST(the_command_line_makes_lists_and_describes_certificates)
{
	struct data_dir dir = temporary();
	char path[DATA_PATH_MAX + 64];
	EXPECT(run(&dir, &here, MMP_PKI_SELFSIGNED, "web"));
	EXPECT(!run(&dir, &here, MMP_PKI_SELFSIGNED, "web")); /* never overwrites */
	EXPECT(has("is there already"));
	EXPECT(!run(&dir, &here, MMP_PKI_SELFSIGNED, "../web"));
	EXPECT(run(&dir, &here, MMP_PKI_MATCH, "web.key web.crt"));
	EXPECT_EQ(file_replace(data_dir_file(path, &dir, "jwt.key"), "secret", 6, 0600), 0);
	EXPECT(run(&dir, &here, MMP_PKI_LIST, ""));
	EXPECT_STR(str_of(said), "User supplied certificates and keys:\nweb.crt\nweb.key\n");
	EXPECT(run(&dir, &here, MMP_PKI_INSPECT, "web.crt"));
	EXPECT(has("SHA-256 fingerprint : ") && has("bits\n"));
	EXPECT(!run(&dir, &here, MMP_PKI_INSPECT, "web"));
	EXPECT_STR(str_of(said), "cannot read web: No such file or directory");
	discard(&dir);
}

TEST(from_elsewhere_no_other_file_can_be_named)
{
	struct data_dir dir = temporary();
	char path[DATA_PATH_MAX + 64], words[DATA_PATH_MAX + 64];
	bring(&dir, "good.crt");
	bring(&dir, "good.key");
	EXPECT_EQ(file_replace(data_dir_file(path, &dir, "jwt.key"), "secret", 6, 0600), 0);
	EXPECT(run(&dir, &elsewhere, MMP_PKI_INSPECT, "good.crt"));
	snprintf(words, sizeof words, "%s/good.crt", dir.path);
	EXPECT(run(&dir, &here, MMP_PKI_INSPECT, words));
	static const char *const refused[] = { "../good.crt", "/etc/ssl/certs/ca-certificates.crt",
		                               "jwt.key", "./good.crt" };
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		EXPECT(!run(&dir, &elsewhere, MMP_PKI_INSPECT, refused[i]));
		EXPECT(has("is no key or certificate that SFTP shows"));
		snprintf(words, sizeof words, "good.key %s", refused[i]);
		EXPECT(!run(&dir, &elsewhere, MMP_PKI_MATCH, words));
		EXPECT(has("is no key or certificate that SFTP shows"));
		char why[512];
		struct writer w = writer_of(why, sizeof why);
		const struct mmp_check check = { .kind = MMP_CHECK_TRUST, .bundle = refused[i] };
		EXPECT(!pki_fits(&dir, &elsewhere, &check, &w));
		EXPECT(str_contains_nocase(writer_view(&w), STR("is no key or certificate")));
	}
	discard(&dir);
}

TEST(settings_refuse_certificates_that_will_not_do)
{
	static const struct {
		enum mmp_check_kind kind;
		const char *key, *certificate, *bundle, *why;
	} cases[] = {
		{ MMP_CHECK_SERVER, "good.key", "good.crt", "", "" },
		{ MMP_CHECK_SERVER, "good.key", "good.crt", "authority.crt", "" },
		{ MMP_CHECK_SERVER, "good.key", "good.crt", "other.crt",
		  "the chain is not complete: the certificate of \"CN = authority\" is missing" },
		{ MMP_CHECK_SERVER, "good.key", "expired.crt", "",
		  "Key and certificate pair do not match: certificate expired.crt and key good.key "
		  "do not belong together" },
		{ MMP_CHECK_SERVER, "expired.key", "expired.crt", "",
		  "the certificate \"CN = expired\" has expired: it was valid until 2" },
		{ MMP_CHECK_CLIENT, "client.key", "client.crt", "authority.crt", "" },
		{ MMP_CHECK_CLIENT, "client.key", "client.crt", "client.key",
		  "client.key holds no certificate in PEM form" },
		{ MMP_CHECK_PAIR, "expired.key", "expired.crt", "", "" },
		{ MMP_CHECK_TRUST, NULL, NULL, "authority.crt", "" },
		{ MMP_CHECK_TRUST, NULL, NULL, "expired.crt", "has expired" },
		{ MMP_CHECK_TRUST, NULL, NULL, "none.crt", "cannot read none.crt: No such file" },
	};
	static const char *const files[] = { "good.key",    "good.crt",   "expired.key",
		                             "expired.crt", "client.key", "client.crt",
		                             "other.crt",   "authority.crt" };
	struct data_dir dir = temporary();
	for (size_t i = 0; i < COUNT_OF(files); i++)
		bring(&dir, files[i]);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char why[512];
		struct writer w = writer_of(why, sizeof why - 1);
		const struct mmp_check check = { .kind = cases[i].kind,
			                         .key = cases[i].key,
			                         .certificate = cases[i].certificate,
			                         .bundle = cases[i].bundle };
		EXPECT_EQ(pki_fits(&dir, &elsewhere, &check, &w), cases[i].why[0] == '\0');
		why[w.at] = '\0';
		EXPECT(strstr(why, cases[i].why) != NULL);
	}
	struct writer w = writer_of(said, sizeof said);
	const struct mmp_check ciphers = { .kind = MMP_CHECK_CIPHERS, .ciphers = "AES999" };
	EXPECT(!pki_fits(&dir, &elsewhere, &ciphers, &w));
	EXPECT_STR(writer_view(&w), "there is no cipher \"AES999\"");
	discard(&dir);
}
