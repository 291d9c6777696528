/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "mmp/config_property.h"
#include "mmp/mmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool
any_pair(void *context, const char *key, const char *certificate, struct writer *why)
{
	(void)context;
	writer_text(why, "the key is of another certificate");
	return strcmp(key, certificate) != 0;
}

static bool
any_component(void *context, enum config_component component)
{
	(void)context;
	return component == CONFIG_CALLBRIDGE;
}

static bool
any_pki(void *context, enum mmp_pki order, const struct str *arguments, struct writer *out)
{
	(void)context;
	if (order != MMP_PKI_LIST)
		writer_str(out, arguments[0]);
	return order == MMP_PKI_LIST;
}

/* The same text as a file, and line by line as commands. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct mmp_host host = { .pair_matches = any_pair,
		                              .component_runs = any_component,
		                              .pki = any_pki,
		                              .version = "0" };
	struct str text = { .at = (const char *)bytes, .len = len };
	struct config config;
	config_property(text);
	config_defaults(&config);
	while (text.len != 0) {
		char out[8192];
		struct writer w = writer_of(out, sizeof out);
		const struct mmp_answer answer = mmp_run(&config, &host, str_cut(&text, '\n'), &w);
		CHECK(w.at != 0 || answer.result == MMP_RESTART);
	}
	return 0;
}
