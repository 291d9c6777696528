/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting/words.h"

#include <string.h>

#include "base/check.h"

static const struct {
	const char *language;
	const char *words[WORDS_COUNT];
} languages[] = {
	{ "en",
	  { "Waiting for the host to join", "You are the only participant", "Participants: ",
	    "Enter the meeting ID, then #", "Unknown meeting ID. Enter it again, then #",
	    "Enter the passcode, then #", "Wrong passcode. Enter it again, then #",
	    "This meeting is full", "Goodbye" } },
	{ "fr",
	  { "En attente de l’hôte", "Vous êtes seul dans la réunion", "Participants : ",
	    "Saisissez le numéro de la réunion, puis #",
	    "Numéro inconnu. Ressaisissez-le, puis #", "Saisissez le code d’accès, puis #",
	    "Code incorrect. Ressaisissez-le, puis #", "Cette réunion est complète",
	    "Au revoir" } },
	{ "ko",
	  { "호스트를 기다리는 중입니다", "회의에 혼자 있습니다", "참가자: ",
	    "회의 번호를 입력하고 #을 누르세요", "없는 회의 번호입니다. 다시 입력하고 #을 누르세요",
	    "비밀번호를 입력하고 #을 누르세요", "비밀번호가 맞지 않습니다. 다시 입력하고 #을 누르세요",
	    "회의 정원이 찼습니다", "안녕히 계세요" } },
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
