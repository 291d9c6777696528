/* SPDX-License-Identifier: Apache-2.0 */
/* words -- what is written into rooms' pictures by ourselves, in the language of this Call Bridge.
 *
 * Threads    Pure functions of constants; any thread.
 * Errors     A language that we do not speak is English.
 */
#ifndef MEETING_WORDS_H
#define MEETING_WORDS_H

enum words {
	WORDS_LOBBY,        /* on a screen of its own */
	WORDS_ALONE,        /* likewise */
	WORDS_PARTICIPANTS, /* a number follows */
	WORDS_ID,           /* at the door, each on a screen of its own */
	WORDS_ID_AGAIN,
	WORDS_PASSCODE,
	WORDS_PASSCODE_AGAIN,
	WORDS_FULL,
	WORDS_GOODBYE,
	WORDS_COUNT,
};

/* `language`: "en", "fr", "ko"; NULL is English. */
[[nodiscard]] const char *words_in(const char *language, enum words words);

#endif
