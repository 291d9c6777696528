/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting/words.h"

#include <string.h>

#include "base/check.h"

static const struct {
	const char *language;
	const char *words[WORDS_COUNT];
} languages[] = {
	{ "en",
	  { "Waiting for the host to join", "You are the only participant", "Participants: " } },
	{ "fr",
	  { "En attente de l’hôte", "Vous êtes seul dans la réunion", "Participants : " } },
	{ "ko",
	  { "호스트를 기다리는 중입니다", "회의에 혼자 있습니다", "참가자: " } },
};

const char *
words_in(const char *language, enum words words)
{
	CHECK(words < WORDS_COUNT);
	for (size_t i = 0; language != NULL && i < COUNT_OF(languages); i++)
		if (strcmp(languages[i].language, language) == 0)
			return languages[i].words[words];
	return languages[0].words[words];
}
