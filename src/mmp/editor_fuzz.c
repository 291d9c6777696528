/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "mmp/editor.h"
#include "mmp/mmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
candidates(void *context, struct str line, struct writer *w)
{
	(void)context;
	mmp_write_candidates(w, line, MMP_ADMIN);
}

/* Keys of a madman: a line is text, the screen hears nothing of a secret. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct editor editor;
	const char *at = (const char *)bytes;
	const bool plain = len != 0 && (bytes[0] & 1) != 0, secret = len != 0 && (bytes[0] & 2) != 0;
	editor_init(&editor, plain, len != 0 ? bytes[0] : 80, candidates, NULL);
	editor_ask(&editor, "cms> ", secret);
	while (len != 0) {
		const size_t before = len;
		const enum editor_event event = editor_input(&editor, &at, &len);
		const struct str out = editor_output(&editor);
		CHECK(len < before);
		CHECK(!plain || out.len == 0);
		CHECK(out.len <= EDITOR_OUT_MAX);
		if (event == EDITOR_NONE)
			continue;
		const struct str line = editor_line(&editor);
		CHECK(event == EDITOR_LINE || line.len == 0);
		CHECK(plain || memchr(line.at, '\r', line.len) == NULL);
		CHECK(memchr(line.at, '\n', line.len) == NULL);
		editor_ask(&editor, "cms> ", secret);
	}
	editor_fini(&editor);
	return 0;
}
