/* SPDX-License-Identifier: Apache-2.0 */
/* Any text from each of the three speakers.  What is taken must write, read back as the same and
 * write the same again; for a browser it must come out without the keys between bridges. */
#include "c2w/c2w.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char first[2 * C2W_MESSAGE_BYTES_MAX];
static char second[2 * C2W_MESSAGE_BYTES_MAX];

static void
must_round_trip(const struct c2w_message *message, enum c2w_speaker speaker)
{
	struct c2w_message again;
	struct writer w1 = writer_of(first, sizeof first);
	struct writer w2 = writer_of(second, sizeof second);
	c2w_write(&w1, message, speaker == C2W_FROM_BROWSER);
	CHECK(!w1.failed);
	const enum c2w_reject reject = c2w_parse(&again, writer_view(&w1), speaker);
	/* Escaping may make a text longer than it came. */
	if (reject == C2W_REJECT_LONG)
		return;
	CHECK(reject == C2W_OK);
	CHECK(again.kind == message->kind);
	c2w_write(&w2, &again, speaker == C2W_FROM_BROWSER);
	CHECK(!w2.failed && str_eq(writer_view(&w1), writer_view(&w2)));
	c2w_message_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const enum c2w_speaker speakers[] = {
		C2W_FROM_CALL_BRIDGE,
		C2W_FROM_WEB_BRIDGE,
		C2W_FROM_BROWSER,
	};
	const struct str text = { .at = (const char *)bytes, .len = len };
	for (size_t i = 0; i < COUNT_OF(speakers); i++) {
		struct c2w_message message;
		if (c2w_parse(&message, text, speakers[i]) == C2W_OK)
			must_round_trip(&message, speakers[i]);
		else
			CHECK(message.held == NULL && message.kind == C2W_NONE);
		c2w_message_fini(&message);
	}
	return 0;
}
