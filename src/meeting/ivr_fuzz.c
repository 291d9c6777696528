/* SPDX-License-Identifier: Apache-2.0 */
/* Property: whatever is typed and answered, it ends in its time, and knocks no more often than it may
 * (ivr_check.h).  First line: answers; the rest: script.  A first byte of 'p' asks for a passcode only. */
#include "meeting/ivr_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str script = { (const char *)bytes, len < 4096 ? len : 4096 };
	const bool passcode = len != 0 && bytes[0] == 'p';
	const struct str answers = str_cut(&script, '\n');
	struct ivr_check check;
	ivr_check_play(&check,
	               &(struct ivr_settings){ .ask_id = !passcode,
	                                       .optional_us = len % 2 == 0 ? 0 : 3000000 },
	               answers, script, NULL);
	for (unsigned i = 0; !check.ended && !check.entered; i++) {
		CHECK(i < 100);
		ivr_check_step(&check, 't');
	}
	ivr_fini(&check.ivr);
	return 0;
}
