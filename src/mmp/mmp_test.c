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
pair_matches(void *context, const char *key, const char *certificate, struct writer *why)
{
	(void)context;
	if (same_base(str_of(key), str_of(certificate)))
		return true;
	writer_format(why, "%s is the key of another certificate", key);
	return false;
}

static bool
runs(void *context, enum config_component component)
{
	(void)context;
	return component == CONFIG_CALLBRIDGE;
}

static bool
pki(void *context, enum mmp_pki order, const struct str *arguments, struct writer *out)
{
	(void)context;
	switch (order) {
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
	}
	return false;
}

static const struct mmp_host host = { .pair_matches = pair_matches,
	                              .component_runs = runs,
	                              .pki = pki,
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
