/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "mmp/config_property.h"
#include "mmp/mmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool
any_check(void *context, const struct mmp_check *check, struct writer *why)
{
	(void)context;
	writer_text(why, "the key is of another certificate");
	CHECK((check->kind == MMP_CHECK_CIPHERS) == (check->ciphers != NULL));
	return check->key == NULL || strcmp(check->key, check->certificate) != 0;
}

static bool
any_component(void *context, enum config_component component)
{
	(void)context;
	return component == CONFIG_CALLBRIDGE;
}

static bool
any_call(void *context, const struct mmp_line *line, struct writer *out)
{
	(void)context;
	writer_text(out, line->words);
	if (line->count != 0)
		writer_str(out, line->arguments[0]);
	return line->count == 0;
}

static bool
any_answer(void *context, const char *question, bool secret, char *out, size_t cap)
{
	(void)context;
	CHECK(question[0] != '\0' && secret);
	return str_copy(out, cap, STR("s3cret"));
}

/* The same text as a file, and line by line as commands. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct mmp_user admin = { .name = "admin", .from = "::1" };
	static const struct mmp_terminal terminal = { .ask = any_answer };
	static const struct mmp_host host = { .user = &admin,
		                              .terminal = &terminal,
		                              .fits = any_check,
		                              .component_runs = any_component,
		                              .call = any_call,
		                              .version = "0" };
	struct str text = { .at = (const char *)bytes, .len = len };
	struct config config;
	config_property(text);
	config_defaults(&config);
	while (text.len != 0) {
		char out[32768], masked[8192], candidates[8192], filled[CONFIG_LINE_MAX + 1];
		struct writer w = writer_of(out, sizeof out);
		struct writer m = writer_of(masked, sizeof masked);
		struct writer c = writer_of(candidates, sizeof candidates);
		const struct str line = str_cut(&text, '\n');
		const bool change = mmp_is_change(line);
		const struct mmp_answer answer = mmp_run(&config, &host, line, &w);
		CHECK(w.at != 0 || answer.result == MMP_RESTART);
		CHECK(answer.result != MMP_CHANGED || change);
		mmp_write_masked(&m, line);
		mmp_write_candidates(&c, line, MMP_ADMIN);
		CHECK(!m.failed && !c.failed);
		if (mmp_fill_in(filled, line, &terminal))
			CHECK(strlen(filled) <= CONFIG_LINE_MAX);
	}
	return 0;
}
