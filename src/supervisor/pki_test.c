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

static const char *typed; /* the password */

static bool
ask(void *context, const char *question, bool secret, char *out, size_t cap)
{
	(void)context;
	EXPECT(secret && strncmp(question, "Please enter ", 13) == 0);
	return typed != NULL && str_copy(out, cap, str_of(typed));
}

static const struct mmp_terminal terminal = { .ask = ask };

static char said[4096];

/* Runs the call with these words; what it says is in `said`. */
static bool
run(const struct data_dir *dir, const struct mmp_user *user, enum mmp_call call, const char *words)
{
	struct str arguments[MMP_WORDS_MAX], rest = str_of(words);
	struct mmp_line line = { .call = call, .words = "pki", .arguments = arguments };
	while (rest.len != 0)
		arguments[line.count++] = str_cut(&rest, ' ');
	struct writer w = writer_of(said, sizeof said - 1);
	const bool done = pki_run(dir, user, &terminal, &line, &w);
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

static const char *
in(const struct data_dir *dir, const char *name)
{
	static char paths[4][DATA_PATH_MAX + 64];
	static unsigned next;
	return data_dir_file(paths[next++ % 4], dir, name);
}

TEST(a_request_is_made_signed_and_verified)
{
	struct data_dir dir = temporary();
	struct cert_info info;
	char error[CERT_ERROR_MAX];
	EXPECT(run(&dir, &elsewhere, MMP_PKI_SELFSIGNED, "ca CN:house O:Example keyType:ecdsa384"));
	EXPECT_STR(str_of(said), "Created key file ca.key and certificate ca.crt\n");
	EXPECT(run(&dir, &elsewhere, MMP_PKI_CSR,
	           "tac CN:*.tac.test O:\"A_B\" OU:one OU:two C:FR emailAddress:a@tac.test "
	           "subjectAltName:tac.test,192.0.2.7"));
	EXPECT_STR(str_of(said), "Created key file tac.key and CSR tac.csr\n"
	                         "CSR file tac.csr ready for download via SFTP\n");
	EXPECT(run(&dir, &elsewhere, MMP_PKI_SIGN, "tac ca"));
	EXPECT_STR(str_of(said), "Created certificate tac.crt, signed by ca.crt\n");
	EXPECT_EQ(cert_inspect(&info, in(&dir, "tac.crt"), error), 0);
	EXPECT_STR(str_of(info.subject), "CN = *.tac.test, O = A_B, OU = one, OU = two, C = FR, "
	                                 "emailAddress = a@tac.test");
	EXPECT_STR(str_of(info.issuer), "CN = house, O = Example");
	EXPECT_STR(str_of(info.names), "tac.test, 192.0.2.7, *.tac.test");
	EXPECT_STR(str_of(info.key), "RSA 3072 bits");
	EXPECT(!info.authority);
	EXPECT(run(&dir, &elsewhere, MMP_PKI_MATCH, "tac.key tac.crt"));
	EXPECT(run(&dir, &elsewhere, MMP_PKI_VERIFY, "tac.crt ca.crt"));
	EXPECT(!run(&dir, &elsewhere, MMP_PKI_VERIFY, "ca.crt tac.crt"));
	EXPECT(run(&dir, &elsewhere, MMP_PKI_LIST, ""));
	EXPECT_STR(str_of(said), "User supplied certificates and keys:\nca.crt\nca.key\ntac.crt\n"
	                         "tac.csr\ntac.key\n");
	struct stat about;
	EXPECT(stat(in(&dir, "tac.key"), &about) == 0 && (about.st_mode & 0777) == 0600);
	char why[512];
	struct writer w = writer_of(why, sizeof why);
	const struct mmp_check check = { .kind = MMP_CHECK_SERVER, .key = "tac.key",
		                         .certificate = "tac.crt", .bundle = "ca.crt" };
	EXPECT(pki_fits(&dir, &elsewhere, &check, &w));
	discard(&dir);
}

TEST(what_cannot_be_made_is_refused)
{
	static const struct {
		enum mmp_call call;
		const char *words, *why;
	} cases[] = {
		{ MMP_PKI_CSR, "new OU:x", "a common name is missing" },
		{ MMP_PKI_CSR, "new CN:a CN:b", "CN stands there twice" },
		{ MMP_PKI_CSR, "new CN:", "CN has no value" },
		{ MMP_PKI_CSR, "new CN:a C:FRA", "two letters" },
		{ MMP_PKI_CSR, "new CN:a X:b", "\"X:b\" does not fit; expected CN:, OU:" },
		{ MMP_PKI_CSR, "new CN:a keyType:dsa", "expected keyType:rsa2048" },
		{ MMP_PKI_CSR, "new CN:a subjectAltName:b/c", "\"b/c\" is no host's name" },
		{ MMP_PKI_CSR, "../new CN:a", "does not fit; expected a name" },
		{ MMP_PKI_CSR, "there CN:a", "there.key is there already" },
		{ MMP_PKI_SELFSIGNED, "new ST:x", "a common name is missing" },
		{ MMP_PKI_SIGN, "there ca", "there.crt is there already" },
		{ MMP_PKI_SIGN, "other ca", "cannot read other.csr" },
		{ MMP_PKI_SIGN, "wish there", "there.crt may not sign others" },
		{ MMP_PKI_SIGN, "bent ca", "bent.csr is not signed by the key that it is for" },
		{ MMP_PKI_SIGN, "wish mixed", "do not belong together" },
		{ MMP_PKI_SIGN, "there.crt ca", "there.crt.csr" },
		{ MMP_PKI_UNLINK, "there.txt", "expected a key" },
		{ MMP_PKI_UNLINK, "jwt.key", "expected a key" },
		{ MMP_PKI_UNLINK, "../there.key", "expected a key" },
		{ MMP_PKI_UNLINK, "used.crt", "used.crt is in use: webadmin certs used.key used.crt" },
		{ MMP_PKI_UNLINK, "none.crt", "No such file" },
	};
	static const char settings[] = "webadmin certs used.key used.crt\n";
	struct data_dir dir = temporary();
	char *bytes;
	size_t len;
	EXPECT(run(&dir, &here, MMP_PKI_SELFSIGNED, "there"));
	EXPECT(run(&dir, &here, MMP_PKI_SELFSIGNED, "used"));
	EXPECT(run(&dir, &here, MMP_PKI_SELFSIGNED, "ca CN:house keyType:ecdsa256"));
	EXPECT(run(&dir, &here, MMP_PKI_CSR, "wish CN:a keyType:ecdsa256"));
	EXPECT_EQ(file_replace(in(&dir, "convoke.conf"), settings, sizeof settings - 1, 0600), 0);
	EXPECT_EQ(file_read(in(&dir, "ca.crt"), 1 << 20, &bytes, &len), 0);
	EXPECT_EQ(file_replace(in(&dir, "mixed.crt"), bytes, len, 0600), 0);
	free(bytes);
	EXPECT_EQ(file_read(in(&dir, "there.key"), 1 << 20, &bytes, &len), 0);
	EXPECT_EQ(file_replace(in(&dir, "mixed.key"), bytes, len, 0600), 0);
	free(bytes);
	/* One letter of the name is another one: what was signed is not this. */
	EXPECT_EQ(file_read(in(&dir, "wish.csr"), 1 << 20, &bytes, &len), 0);
	bytes[55] = bytes[55] == 'A' ? 'B' : 'A';
	EXPECT_EQ(file_replace(in(&dir, "bent.csr"), bytes, len, 0600), 0);
	free(bytes);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		EXPECT(!run(&dir, &elsewhere, cases[i].call, cases[i].words));
		if (!has(cases[i].why) && strncmp(cases[i].words, "bent", 4) != 0)
			EXPECT_STR(str_of(said), cases[i].why);
		EXPECT(access(in(&dir, "new.key"), F_OK) != 0);
	}
	EXPECT(run(&dir, &elsewhere, MMP_PKI_UNLINK, "there.crt"));
	EXPECT(access(in(&dir, "there.crt"), F_OK) != 0);
	discard(&dir);
}

TEST(a_bundle_is_taken_apart_by_its_password)
{
	struct data_dir dir = temporary();
	char command[2 * DATA_PATH_MAX + 256];
	bring(&dir, "good.key");
	bring(&dir, "good.crt");
	bring(&dir, "authority.crt");
	snprintf(command, sizeof command,
	         "cd '%s' && openssl pkcs12 -export -inkey good.key -in good.crt -certfile "
	         "authority.crt -passout pass:s3cret -out brought.p12", dir.path);
	EXPECT_EQ(system(command), 0); /* NOLINT: a path of ours */
	typed = "wrong";
	EXPECT(!run(&dir, &elsewhere, MMP_PKI_PKCS12, "brought.p12 meet"));
	EXPECT_STR(str_of(said), "the password of brought.p12 is another one");
	typed = NULL;
	EXPECT(!run(&dir, &elsewhere, MMP_PKI_PKCS12, "brought.p12 meet"));
	EXPECT_STR(str_of(said), "no password was given");
	typed = "s3cret";
	EXPECT(!run(&dir, &elsewhere, MMP_PKI_PKCS12, "good.crt meet"));
	EXPECT_STR(str_of(said), "good.crt is no PKCS#12 file");
	EXPECT(!run(&dir, &elsewhere, MMP_PKI_PKCS12, "../brought.p12 meet"));
	EXPECT(!run(&dir, &elsewhere, MMP_PKI_PKCS12, "brought.p12 good"));
	EXPECT(run(&dir, &elsewhere, MMP_PKI_PKCS12, "brought.p12 meet"));
	EXPECT(run(&dir, &elsewhere, MMP_PKI_MATCH, "meet.key meet.crt"));
	EXPECT(run(&dir, &elsewhere, MMP_PKI_VERIFY, "meet.crt authority.crt"));
	struct stat about;
	EXPECT(stat(in(&dir, "meet.key"), &about) == 0 && (about.st_mode & 0777) == 0600);
	discard(&dir);
}
