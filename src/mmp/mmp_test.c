/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the command line answers in CMS' words.  Method: the transcripts in testdata/transcripts,
 * where "> " is what is typed and the rest what must be answered; a line "= RESULT" names the
 * result, a host stands for files and processes. */
#include "mmp/mmp_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/test.h"

enum {
	TRANSCRIPT_BYTES_MAX = 65536,
};

/* Files of one base name belong together; nothing else does. */
static bool
same_base(struct str key, struct str certificate)
{
	return str_eq(str_cut(&key, '.'), str_cut(&certificate, '.'));
}

static bool
fits(void *context, const struct mmp_check *check, struct writer *why)
{
	(void)context;
	if (check->kind == MMP_CHECK_CIPHERS) {
		writer_format(why, "there is no cipher \"%s\"", check->ciphers);
		return str_starts(str_of(check->ciphers), STR("ECDHE"));
	}
	if (check->kind == MMP_CHECK_TRUST) {
		writer_format(why, "%s holds no certificate", check->bundle);
		return !str_ends(str_of(check->bundle), STR(".key"));
	}
	writer_format(why, "Key and certificate pair do not match: %s is the key of another "
	                   "certificate", check->key);
	return same_base(str_of(check->key), str_of(check->certificate));
}

static bool
runs(void *context, enum config_component component)
{
	(void)context;
	return component == CONFIG_CALLBRIDGE;
}

static bool
call(void *context, const struct mmp_line *line, struct writer *out)
{
	const struct str *arguments = line->arguments;
	(void)context;
	switch ((unsigned)line->call) {
	case MMP_PKI_LIST:
		writer_text(out, "User supplied certificates and keys:\ntac.key\n");
		return true;
	case MMP_PKI_INSPECT:
		writer_format(out, "%.*s: no such file", STR_ARGS(arguments[0]));
		return false;
	case MMP_PKI_MATCH:
		writer_text(out, same_base(arguments[0], arguments[1])
		                         ? "Key and certificate pair match"
		                         : "Key and certificate pair do not match");
		return same_base(arguments[0], arguments[1]);
	case MMP_PKI_SELFSIGNED:
		writer_format(out, "Created key file %.*s.key and certificate %.*s.crt\n",
		              STR_ARGS(arguments[0]), STR_ARGS(arguments[0]));
		return true;
	default:
		writer_format(out, "%s, of %zu words\n", line->words, line->count);
		return true;
	}
}

static const struct mmp_user admin = { .name = "admin", .from = "192.0.2.7", .role = MMP_ADMIN };

static const struct mmp_host host = { .user = &admin,
	                              .fits = fits,
	                              .component_runs = runs,
	                              .call = call,
	                              .version = "1.2.3" };

static void
run_typed(struct config *config, struct str typed, struct writer *out)
{
	static const char *const names[] = { [MMP_SHOWN] = "shown", [MMP_CHANGED] = "changed",
		                             [MMP_RESTART] = "restart", [MMP_FAILED] = "failed",
		                             [MMP_UNKNOWN] = "unknown" };
	const struct mmp_answer answer = mmp_run(config, &host, typed, out);
	writer_format(out, "= %s", names[answer.result]);
	if (answer.result == MMP_RESTART)
		writer_format(out, " %s", config_component_name(answer.component));
	writer_text(out, "\n");
}

/* Types every command of the transcript and compares all that was said. */
static void
replay(const char *path)
{
	static char want[TRANSCRIPT_BYTES_MAX], got[TRANSCRIPT_BYTES_MAX];
	struct config config;
	config_defaults(&config);
	FILE *file = fopen(path, "r");
	EXPECT(file != NULL);
	const size_t len = fread(want, 1, sizeof want - 1, file);
	fclose(file);
	want[len] = '\0';

	struct writer w = writer_of(got, sizeof got - 1);
	struct str rest = { .at = want, .len = len };
	while (rest.len != 0) {
		const struct str line = str_cut(&rest, '\n');
		if (str_starts(line, STR("# "))) {
			writer_format(&w, "%.*s\n", STR_ARGS(line));
			continue;
		}
		if (!str_starts(line, STR("> ")))
			continue;
		writer_format(&w, "%.*s\n", STR_ARGS(line));
		run_typed(&config, str_sub(line, 2, line.len - 2), &w);
	}
	EXPECT(!w.failed);
	if (getenv("MMP_REWRITE") != NULL) {
		file = fopen(path, "w");
		EXPECT(file != NULL);
		fwrite(got, 1, w.at, file);
		fclose(file);
		return;
	}
	EXPECT_STR(writer_view(&w), want);
}

TEST(transcripts_are_answered_word_for_word)
{
	const char *testdata = getenv("MMP_TESTDATA");
	EXPECT(testdata != NULL); /* set by meson.build */
	char folder[4096];
	snprintf(folder, sizeof folder, "%s/transcripts", testdata);
	struct dirent **names = NULL;
	const int count = scandir(folder, &names, NULL, alphasort);
	int replayed = 0;
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.') {
			char path[8192];
			snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
			replay(path);
			replayed++;
		}
		free(names[i]);
	}
	free(names);
	EXPECT(replayed >= 4);
}

/* The guide writes "\\|" for the "|" inside its tables. */
TEST(the_guide_has_every_command)
{
	static char guide[TRANSCRIPT_BYTES_MAX];
	const char *path = getenv("MMP_GUIDE");
	EXPECT(path != NULL); /* set by meson.build */
	FILE *file = fopen(path, "r");
	EXPECT(file != NULL);
	size_t len = 0;
	for (int c; (c = getc(file)) != EOF && len < sizeof guide;)
		if (c != '\\')
			guide[len++] = (char)c;
	fclose(file);
	for (size_t i = 0; i < mmp_command_count; i++) {
		char text[256];
		struct writer w = writer_of(text, sizeof text);
		writer_text(&w, "`");
		if (mmp_commands[i].order == MMP_ORDER_HELP)
			writer_text(&w, mmp_commands[i].words);
		else
			mmp_write_usage(&w, &mmp_commands[i]);
		writer_text(&w, "`");
		if (!str_contains_nocase((struct str){ guide, len }, writer_view(&w)))
			print_error("not in the guide: %.*s\n", STR_ARGS(writer_view(&w)));
		EXPECT(str_contains_nocase((struct str){ guide, len }, writer_view(&w)));
	}
}

TEST(a_failed_command_changes_nothing)
{
	struct config config, before;
	char out[512];
	struct writer w = writer_of(out, sizeof out);
	config_defaults(&config);
	before = config;
	EXPECT_EQ(mmp_run(&config, &host, STR("webadmin certs a.key b.crt"), &w).result,
	          MMP_FAILED);
	EXPECT_EQ(mmp_run(&config, &host, STR("callbridge media 9 8"), &w).result, MMP_FAILED);
	EXPECT(memcmp(&config, &before, sizeof config) == 0);
}

TEST(an_overlong_command_is_refused)
{
	static char line[CONFIG_LINE_MAX + 1];
	struct config config;
	char out[128];
	struct writer w = writer_of(out, sizeof out);
	config_defaults(&config);
	memset(line, ' ', sizeof line);
	EXPECT_EQ(mmp_run(&config, &host, (struct str){ line, sizeof line }, &w).result,
	          MMP_FAILED);
	EXPECT_STR(writer_view(&w), "FAILURE: the command is longer than 4096 bytes\n");
}

static const struct mmp_user crypto = { .name = "carla", .from = "::1", .role = MMP_CRYPTO };

static bool
is_flat(struct str file)
{
	return str_find(file, '/') == file.len;
}

TEST(who_is_elsewhere_names_no_file_outside_of_the_folder)
{
	static const struct {
		const char *typed;
		bool good;
	} cases[] = {
		{ "webadmin certs a.key a.crt", true },
		{ "webadmin certs /etc/a.key /etc/a.crt", false },
		{ "webadmin certs ../a.key ../a.crt", false },
		{ "callbridge certs a.key a.crt /etc/b.crt", false },
		{ "callbridge certs a.key a.crt b.crt", true },
		{ "tls sip trust /etc/ssl/certs/ca.pem", false },
		{ "tls sip trust none", true },
		{ "uploader rev trust ../x.pem", false },
		{ "database cluster certs a.key a.crt /etc/ca.crt", false },
		{ "database cluster connect /run/postgresql", true }, /* a socket's folder */
	};
	struct mmp_user user = admin;
	struct mmp_host from_elsewhere = host;
	from_elsewhere.user = &user;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[1024];
		struct config config;
		struct writer w = writer_of(out, sizeof out);
		config_defaults(&config);
		user.may_name = NULL;
		EXPECT_EQ(mmp_run(&config, &from_elsewhere, str_of(cases[i].typed), &w).result,
		          MMP_CHANGED);
		user.may_name = is_flat;
		w = writer_of(out, sizeof out);
		EXPECT_EQ(mmp_run(&config, &from_elsewhere, str_of(cases[i].typed), &w).result,
		          cases[i].good ? MMP_CHANGED : MMP_FAILED);
		EXPECT(cases[i].good ||
		       str_contains_nocase(writer_view(&w), STR("that SFTP shows\n")));
	}
}

TEST(a_role_runs_its_own_commands_alone)
{
	static const struct {
		const char *command;
		enum mmp_result result;
		const char *words;
	} cases[] = {
		{ "pki list", MMP_SHOWN, "tac.key" },
		{ "tls sip verify enable", MMP_CHANGED, "SUCCESS" },
		{ "callbridge disable", MMP_FAILED,
		  "FAILURE: callbridge disable is not for users of role crypto\n" },
		{ "callbridge", MMP_FAILED, "FAILURE: the command is not complete" },
		{ "tls", MMP_SHOWN, "SIP verification" },
		{ "version", MMP_SHOWN, "1.2.3" },
	};
	struct mmp_host as_crypto = host;
	as_crypto.user = &crypto;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct config config;
		char out[4096];
		struct writer w = writer_of(out, sizeof out);
		config_defaults(&config);
		const struct mmp_answer answer =
			mmp_run(&config, &as_crypto, str_of(cases[i].command), &w);
		EXPECT_EQ(answer.result, cases[i].result);
		EXPECT(str_contains_nocase(writer_view(&w), str_of(cases[i].words)));
	}
}

TEST(help_lists_what_a_role_may_run)
{
	struct mmp_host as_crypto = host;
	struct config config;
	char out[8192];
	struct writer w = writer_of(out, sizeof out);
	as_crypto.user = &crypto;
	config_defaults(&config);
	EXPECT_EQ(mmp_run(&config, &as_crypto, STR("help"), &w).result, MMP_SHOWN);
	EXPECT(str_contains_nocase(writer_view(&w), STR("pki match <key> <crt>")));
	EXPECT(!str_contains_nocase(writer_view(&w), STR("callbridge")));
}

static void
expect_candidates(const char *line, enum mmp_role role, const char *want)
{
	char out[4096];
	struct writer w = writer_of(out, sizeof out);
	mmp_write_candidates(&w, str_of(line), role);
	EXPECT_STR(writer_view(&w), want);
}

TEST(tab_offers_the_words_that_may_follow)
{
	expect_candidates("pk", MMP_ADMIN, "pki\n");
	expect_candidates("pki ", MMP_CRYPTO, "list\ninspect\nmatch\nverify\ncsr\nselfsigned\nsign\npkcs12\nunlink\n");
	expect_candidates("pki m", MMP_CRYPTO, "match\n");
	expect_candidates("pki m", MMP_AUDIT, "");
	expect_candidates("webbridge3 https certs ", MMP_ADMIN, "none\n");
	expect_candidates("callbridge sip", MMP_ADMIN, "sip\n");
	expect_candidates("nonsense ", MMP_ADMIN, "");
	expect_candidates("pki \x01", MMP_ADMIN, "");
}

TEST(what_changes_something_is_audited)
{
	static const struct {
		const char *command;
		bool audited;
		bool change;
	} cases[] = { { "callbridge limit 5", true, true },
		      { "callbridge limit x", true, true },
		      { "webadmin restart", true, false },
		      { "pki selfsigned meet", true, false },
		      { "pki list", false, false },
		      { "callbridge", false, false },
		      { "nonsense", false, false } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct config config;
		char out[4096];
		struct writer w = writer_of(out, sizeof out);
		config_defaults(&config);
		EXPECT_EQ(mmp_run(&config, &host, str_of(cases[i].command), &w).audited,
		          cases[i].audited);
		EXPECT_EQ(mmp_is_change(str_of(cases[i].command)), cases[i].change);
	}
}

TEST(a_log_shows_no_byte_that_is_not_text)
{
	char out[64];
	struct writer w = writer_of(out, sizeof out);
	mmp_write_masked(&w, STR("one\x1b[2J two\n"));
	EXPECT_STR(writer_view(&w), "one?[2J two?");
	w.at = 0;
	mmp_write_masked(&w, STR("  callbridge   limit 5 # five"));
	EXPECT_STR(writer_view(&w), "callbridge limit 5");
}
