/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/prompts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum {
	PATH_LEN_MAX = 1024,
	TOTAL_BYTES_MAX = 64 << 20, /* of all files together */
};

struct language {
	char name[PROMPTS_LANGUAGE_LEN_MAX + 1];
	struct wav wavs[PROMPTS];
	uint8_t *files[PROMPTS]; /* what the views look into */
};

struct prompts {
	struct language languages[PROMPTS_LANGUAGES_MAX];
	unsigned count;
	size_t total_bytes;
	prompts_bad_file *bad;
	void *context;
};

static const char *const file_names[PROMPTS] = {
	[PROMPT_NONE] = "",
	[PROMPT_WELCOME] = "welcome.wav",
	[PROMPT_IVR_WELCOME] = "ivr_welcome.wav",
	[PROMPT_ID_ENTRY] = "ivr_id_entry.wav",
	[PROMPT_ID_TRY_AGAIN] = "ivr_id_incorrect_try_again.wav",
	[PROMPT_ID_FINAL_ATTEMPT] = "ivr_id_incorrect_final_attempt.wav",
	[PROMPT_ID_GOODBYE] = "ivr_id_incorrect_goodbye.wav",
	[PROMPT_IVR_TIMEOUT] = "ivr_timeout.wav",
	[PROMPT_PASSCODE_ENTRY] = "passcode_entry.wav",
	[PROMPT_PASSCODE_OPTIONAL] = "passcode_entry_optional.wav",
	[PROMPT_PASSCODE_TRY_AGAIN] = "passcode_incorrect_try_again.wav",
	[PROMPT_PASSCODE_FINAL_ATTEMPT] = "passcode_incorrect_final_attempt.wav",
	[PROMPT_PASSCODE_GOODBYE] = "passcode_incorrect_goodbye.wav",
	[PROMPT_TIMEOUT] = "timeout.wav",
	[PROMPT_MEETING_FULL] = "meeting_full.wav",
	[PROMPT_UNAVAILABLE] = "meeting_unavailable.wav",
	[PROMPT_WAITING_FOR_HOST] = "waiting_for_host.wav",
	[PROMPT_ONLY_PARTICIPANT] = "only_participant.wav",
	[PROMPT_CALL_JOIN] = "call_join.wav",
	[PROMPT_SPACE_JOIN] = "cospace_join.wav",
	[PROMPT_MUTED] = "muted.wav",
	[PROMPT_UNMUTED] = "unmuted.wav",
	[PROMPT_MEETING_LOCKED] = "meeting_locked.wav",
	[PROMPT_MEETING_ENDED] = "meeting_ended.wav",
	[PROMPT_MEETING_RECORDED] = "meeting_recorded.wav",
};

const char *
prompt_file_name(enum prompt prompt)
{
	CHECK(prompt < PROMPTS);
	return file_names[prompt];
}

/* ---- loading ---- */

/* The whole file in exactly sized memory, or NULL with `*why`; a missing file is no fault. */
static uint8_t *
read_file(struct prompts *prompts, const char *path, size_t *len, const char **why)
{
	uint8_t *bytes = NULL;
	long end = 0;
	*why = NULL;

	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		*why = errno == ENOENT ? NULL : "it cannot be opened";
		return NULL;
	}
	if (fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0 ||
	    fseek(file, 0, SEEK_SET) != 0) {
		*why = "it is no regular file";
		goto out_close;
	}
	if (end == 0 || end > WAV_BYTES_MAX ||
	    prompts->total_bytes + (size_t)end > TOTAL_BYTES_MAX) {
		*why = end == 0 ? "it is empty" : "it is too large";
		goto out_close;
	}
	bytes = malloc((size_t)end);
	if (bytes == NULL || fread(bytes, 1, (size_t)end, file) != (size_t)end) {
		*why = bytes == NULL ? "there is no memory for it" : "it cannot be read";
		free(bytes);
		bytes = NULL;
		goto out_close;
	}
	*len = (size_t)end;
	prompts->total_bytes += (size_t)end;
out_close:
	(void)fclose(file);
	return bytes;
}

static void
load_file(struct prompts *prompts, struct language *language, enum prompt prompt, const char *path)
{
	const char *why = NULL;
	size_t len = 0;
	uint8_t *bytes = read_file(prompts, path, &len, &why);
	if (bytes != NULL) {
		struct wav wav;
		const enum wav_reject reject = wav_parse(&wav, bytes, len);
		if (reject == WAV_OK) {
			language->wavs[prompt] = wav;
			free(language->files[prompt]);
			language->files[prompt] = bytes;
			return;
		}
		why = wav_reject_name(reject);
		free(bytes);
	}
	if (why != NULL && prompts->bad != NULL)
		prompts->bad(prompts->context, path, why);
}

static bool
is_language(const char *name)
{
	const size_t len = strlen(name);
	return len >= 2 && len <= PROMPTS_LANGUAGE_LEN_MAX && name[0] != '.';
}

/* English first, whatever the folder's order: it stands in for what is missing. */
static int
by_name(const void *a, const void *b)
{
	const struct language *left = a;
	const struct language *right = b;
	const bool left_english = strcmp(left->name, "en") == 0;
	const bool right_english = strcmp(right->name, "en") == 0;
	if (left_english != right_english)
		return left_english ? -1 : 1;
	return strcmp(left->name, right->name);
}

static int
list_languages(struct prompts *prompts, const char *dir)
{
	DIR *folder = opendir(dir);
	if (folder == NULL)
		return -errno;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (!is_language(entry->d_name) || prompts->count == PROMPTS_LANGUAGES_MAX)
			continue;
		struct language *language = &prompts->languages[prompts->count++];
		memcpy(language->name, entry->d_name, strlen(entry->d_name) + 1);
	}
	(void)closedir(folder);
	qsort(prompts->languages, prompts->count, sizeof *prompts->languages, by_name);
	return 0;
}

static void
load_language(struct prompts *prompts, struct language *language, const char *dir)
{
	for (unsigned prompt = PROMPT_NONE + 1; prompt < PROMPTS; prompt++) {
		char path[PATH_LEN_MAX];
		const int len = snprintf(path, sizeof path, "%s/%s/%s", dir, language->name,
		                         file_names[prompt]);
		if (len > 0 && (size_t)len < sizeof path)
			load_file(prompts, language, (enum prompt)prompt, path);
	}
}

int
prompts_create(struct prompts **prompts, const char *dir, prompts_bad_file *bad, void *context)
{
	struct prompts *made = calloc(1, sizeof *made);
	if (made == NULL)
		return -ENOMEM;
	made->bad = bad;
	made->context = context;
	const int rc = list_languages(made, dir);
	if (rc != 0) {
		free(made);
		return rc;
	}
	for (unsigned i = 0; i < made->count; i++)
		load_language(made, &made->languages[i], dir);
	*prompts = made;
	return 0;
}

void
prompts_overlay(struct prompts *prompts, const char *dir)
{
	for (unsigned i = 0; i < prompts->count; i++)
		load_language(prompts, &prompts->languages[i], dir);
}

void
prompts_destroy(struct prompts *prompts)
{
	if (prompts == NULL)
		return;
	for (unsigned i = 0; i < prompts->count; i++)
		for (unsigned prompt = 0; prompt < PROMPTS; prompt++)
			free(prompts->languages[i].files[prompt]);
	free(prompts);
}

/* ---- finding ---- */

unsigned
prompts_language(const struct prompts *prompts, struct str language)
{
	const size_t main_len = str_find(language, '-');
	unsigned found = 0;
	for (unsigned i = 0; i < prompts->count; i++) {
		const struct str name = str_of(prompts->languages[i].name);
		if (str_eq_nocase(name, language))
			return i;
		if (str_eq_nocase(name, str_sub(language, 0, main_len)))
			found = i;
	}
	return found;
}

const struct wav *
prompts_find(const struct prompts *prompts, unsigned language, enum prompt prompt)
{
	CHECK(prompt < PROMPTS);
	const unsigned tries[] = { language, 0 };
	for (unsigned i = 0; i < COUNT_OF(tries); i++) {
		if (tries[i] >= prompts->count)
			continue;
		const struct wav *wav = &prompts->languages[tries[i]].wavs[prompt];
		if (wav->samples != 0)
			return wav;
	}
	return NULL;
}

/* ---- playing ---- */

static void
start_first(struct prompt_player *player)
{
	player->at = 0;
	if (player->count != 0)
		resample_up_init(&player->up, player->queue[0]->rate_hz);
}

bool
prompt_player_add(struct prompt_player *player, const struct wav *wav)
{
	if (wav == NULL || player->count == PROMPT_QUEUE_MAX)
		return false;
	player->queue[player->count++] = wav;
	if (player->count == 1)
		start_first(player);
	return true;
}

void
prompt_player_stop(struct prompt_player *player)
{
	*player = (struct prompt_player){ .count = 0 };
}

bool
prompt_player_render(struct prompt_player *player, int16_t pcm[AUDIO_FRAME_SAMPLES])
{
	int16_t native[AUDIO_FRAME_SAMPLES] = { 0 };

	if (player->count == 0) {
		memset(pcm, 0, AUDIO_FRAME_SAMPLES * sizeof *pcm);
		return false;
	}
	const struct wav *wav = player->queue[0];
	const size_t wanted = wav->rate_hz / (1000 / AUDIO_FRAME_MS);
	player->at += wav_read(wav, player->at, native, wanted);
	const size_t made = resample_up(&player->up, native, wanted, pcm);
	CHECK(made == AUDIO_FRAME_SAMPLES);

	if (player->at == wav->samples) {
		player->count--;
		memmove(player->queue, player->queue + 1, player->count * sizeof *player->queue);
		start_first(player);
	}
	return true;
}
