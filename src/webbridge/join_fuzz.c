/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a body, as a query and as a User-Agent: what is taken keeps the limits of C2W and can
 * be passed on. */
#include "webbridge/join.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
must_be_sendable(const struct c2w_message *message)
{
	char text[4 * JOIN_BODY_BYTES_MAX];
	struct c2w_message again;
	struct writer w = writer_of(text, sizeof text);
	c2w_write(&w, message, false);
	CHECK(!w.failed);
	CHECK(c2w_parse(&again, writer_view(&w), C2W_FROM_WEB_BRIDGE) == C2W_OK);
	c2w_message_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct str text = { .at = (const char *)bytes, .len = len };
	struct c2w_message join = { .kind = C2W_JOIN, .request = 1 };
	struct c2w_message sign_in = { .kind = C2W_SIGN_IN, .request = 1 };
	struct join_text kept;
	if (join_body_parse(&join.join, &kept, text) && join.join.name.len != 0)
		must_be_sendable(&join);
	join.kind = C2W_LOOKUP;
	if (join_query_parse(&join.join, &kept, text))
		must_be_sendable(&join);
	struct c2w_message elsewhere = { .kind = C2W_SIGN_IN_ELSEWHERE, .request = 1 };
	if (elsewhere_body_parse(&elsewhere.sign_in_elsewhere, &kept, text))
		must_be_sendable(&elsewhere);
	if (sign_in_body_parse(&sign_in.sign_in, &kept, text))
		must_be_sendable(&sign_in);
	CHECK(bearer_token(text).len <= text.len);
	CHECK(browser_product(text).len != 0);
	return 0;
}
