/* SPDX-License-Identifier: Apache-2.0 */
/* What unit tests and the fuzz target ask of every text: settings that were read are written as
 * commands that read back as the same settings, and a refusal names a line and says something. */
#ifndef MMP_CONFIG_PROPERTY_H
#define MMP_CONFIG_PROPERTY_H

#include <string.h>

#include "base/check.h"
#include "mmp/config.h"

static inline void
config_property(struct str text)
{
	static char first[65536], second[65536];
	struct config config, again;
	struct config_error error;
	if (!config_parse(&config, text, &error)) {
		CHECK(error.text[0] != '\0');
		CHECK(text.len > CONFIG_BYTES_MAX || error.line != 0);
		return;
	}
	struct writer w1 = writer_of(first, sizeof first), w2 = writer_of(second, sizeof second);
	config_write(&w1, &config);
	CHECK(!w1.failed);
	CHECK(config_parse(&again, writer_view(&w1), &error));
	config_write(&w2, &again);
	CHECK(str_eq(writer_view(&w1), writer_view(&w2)));
	CHECK(config.callbridge.media_first < config.callbridge.media_last);
	CHECK(config.webbridge.https_count <= CONFIG_LISTENS_MAX);
	CHECK(config.callbridge.iface_count <= CONFIG_INTERFACES_MAX);
	for (int i = 0; i < CONFIG_COMPONENTS; i++)
		if (!config_complete(&config, (enum config_component)i, &error))
			CHECK(error.text[0] != '\0');
}

#endif
