/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a caller is asked for what is needed, told what was wrong, and never kept or let guess for
 * longer than the limits say.  Method: dialogues, keys and answers in, words out (ivr_check.h). */
#include "meeting/ivr_check.h"

#include "base/test.h"

static const struct {
	const char *what;
	struct ivr_settings settings;
	const char *answers;
	const char *script;
	const char *said;
} dialogues[] = {
	{ "an ID leads in", { .ask_id = true }, "e", "pp1001#", "welcome id <1001> " },
	{ "a key silences the prompt, star begins anew", { .ask_id = true }, "e", "12*34#",
	  "welcome hush <34> " },
	{ "an ID, then its passcode", { .ask_id = true }, "ae", "p1001#p24#",
	  "welcome id hush <1001> passcode <1001/24> " },
	{ "what is typed ahead counts", { .ask_id = true }, "ae", "1001#2468#",
	  "welcome hush <1001> passcode hush <1001/2468> " },
	{ "a forgotten hash is meant after a pause", { .ask_id = true }, "e", "1001t",
	  "welcome hush <1001> " },
	{ "wrong IDs are three", { .ask_id = true }, "www", "1#2#3#p",
	  "welcome hush <1> id-again hush <2> id-final hush <3> id-goodbye END:unknown " },
	{ "wrong passcodes are three", { 0 }, "www", "1#2#3#t",
	  "passcode hush </1> passcode-again hush </2> passcode-final hush </3> "
	  "passcode-goodbye END:incorrect " },
	{ "wrong IDs do not use up passcodes", { .ask_id = true }, "wwawwe", "1#2#3#4#5#6#",
	  "welcome hush <1> id-again hush <2> id-final hush <3> passcode hush <3/4> "
	  "passcode-again hush <3/5> passcode-final hush <3/6> " },
	{ "silence is asked again, then let go", { .ask_id = true }, "", "ppttttttp",
	  "welcome id id id id-timeout END:timeout " },
	{ "hash alone asks for the ID again", { .ask_id = true }, "", "###p",
	  "welcome hush id hush id hush id-timeout END:timeout " },
	{ "hash alone is a guest's passcode", { 0 }, "e", "p#", "passcode </> " },
	{ "silence is a guest's passcode where the profile says so",
	  { .optional_us = 5000000 }, "e", "p....t", "optional </> " },
	{ "the time begins at the prompt's end", { .optional_us = 5000000 }, "e", "..........pt",
	  "optional </> " },
	{ "of a meeting found by its ID too", { .ask_id = true }, "le", "1#pt",
	  "welcome hush <1> optional <1/> " },
	{ "a full meeting says so", { .ask_id = true }, "f", "1#p",
	  "welcome hush <1> full END:full " },
	{ "so does a full bridge", { .ask_id = true }, "u", "1#t",
	  "welcome hush <1> unavailable END:unavailable " },
	{ "letters mean nothing", { .ask_id = true }, "e", "AB1CD#", "welcome hush <1> " },
	{ "late news of another prompt is none", { .ask_id = true }, "", "oop", "welcome id " },
	{ "what is typed while it says goodbye is lost", { .ask_id = true }, "f", "1#2#p",
	  "welcome hush <1> full END:full " },
};

TEST(a_caller_is_asked_and_told)
{
	for (size_t i = 0; i < COUNT_OF(dialogues); i++) {
		char text[1024];
		struct writer w = writer_of(text, sizeof text);
		struct ivr_check check;
		ivr_check_play(&check, &dialogues[i].settings, str_of(dialogues[i].answers),
		               str_of(dialogues[i].script), &w);
		EXPECT(!w.failed);
		EXPECT_STR(writer_view(&w), dialogues[i].said);
	}
}

TEST(too_many_digits_are_wrong_and_not_their_beginning)
{
	char script[IVR_DIGITS_MAX + 8] = "";
	char text[256];
	struct ivr_check check;
	memset(script, '7', IVR_DIGITS_MAX + 5);
	script[IVR_DIGITS_MAX + 5] = '#';
	struct writer w = writer_of(text, sizeof text);
	ivr_check_play(&check, &(struct ivr_settings){ .ask_id = true }, STR("w"),
	               str_of(script), &w);
	/* One more than any meeting's. */
	EXPECT_STR(writer_view(&w), "welcome hush <777777777777777777777777777777777> id-again ");
}

/* Somebody who presses a key now and then, and never "#". */
TEST(nobody_stays_longer_than_the_limit)
{
	struct ivr_check check;
	ivr_check_play(&check, &(struct ivr_settings){ .ask_id = true }, STR(""), STR(""), NULL);
	while (!check.ended) {
		ivr_check_step(&check, check.now_us / 1000000 % 5 == 0 ? '*' : '.');
		check.now_us += 1000 * 1000;
		EXPECT(check.now_us < IVR_WHOLE_US + 2 * IVR_FAREWELL_US);
	}
	EXPECT_EQ(check.end, IVR_END_TIMEOUT);
	EXPECT(check.now_us >= IVR_WHOLE_US);
}

TEST(what_was_typed_is_wiped)
{
	struct ivr_check check;
	ivr_check_play(&check, &(struct ivr_settings){ 0 }, STR("e"), STR("2468#"), NULL);
	EXPECT(check.entered);
	EXPECT(memchr(check.ivr.digits, '6', sizeof check.ivr.digits) == NULL);
	ivr_fini(&check.ivr);
}
