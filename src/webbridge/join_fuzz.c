/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a body, as a query and as a User-Agent: what is taken keeps the limits of C2W and can
 * be passed on. */
#include "webbridge/join.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
must_be_sendable(const struct c2w_join *join)
{
	char text[4 * JOIN_BODY_BYTES_MAX];
	struct c2w_message message = { .kind = C2W_LOOKUP, .request = 1, .join = *join };
	struct c2w_message again;
	struct writer w = writer_of(text, sizeof text);
	c2w_write(&w, &message, false);
	CHECK(!w.failed);
	CHECK(c2w_parse(&again, writer_view(&w), C2W_FROM_WEB_BRIDGE) == C2W_OK);
	c2w_message_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct str text = { .at = (const char *)bytes, .len = len };
	struct c2w_join join;
	struct join_text kept;
	if (join_body_parse(&join, &kept, text))
		must_be_sendable(&join);
	if (join_query_parse(&join, &kept, text))
		must_be_sendable(&join);
	CHECK(browser_product(text).len != 0);
	return 0;
}
