/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/speaker_select.h"

#include "base/check.h"

enum {
	Q4 = 16,
	TALK_SCORE_MAX = 20, /* 400 ms */
};

void
speaker_select_init(struct speaker_select *select, unsigned chosen_max)
{
	CHECK(chosen_max <= SPEAKERS_CHOSEN_MAX);
	*select = (struct speaker_select){
		.chosen_max = (uint8_t)(chosen_max != 0 ? chosen_max : SPEAKERS_CHOSEN_DEFAULT),
	};
}

void
speaker_input(struct speaker *speaker, uint8_t level)
{
	CHECK(level <= AUDIO_LEVEL_SILENCE);
	speaker->level = level;
	speaker->present = true;
}

void
speaker_remove(struct speaker_select *select, struct speaker *speaker)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < select->chosen_count; i++)
		if (select->chosen[i] != speaker)
			select->chosen[kept++] = select->chosen[i];
	select->chosen_count = (uint8_t)kept;
	if (select->dominant == speaker) {
		select->dominant = NULL;
		select->dominant_frames = 0;
	}
	const bool talking = speaker->talking;
	*speaker = (struct speaker){ .talking_changed = talking };
}

/* Up at once, down by a third of a decibel a frame: syllables do not reorder the room. */
static void
follow_loudness(struct speaker *speaker)
{
	const int loudness_q4 = (AUDIO_LEVEL_SILENCE - speaker->level) * Q4;
	const int decayed_q4 = speaker->loudness_q4 - Q4 / 3;
	speaker->loudness_q4 = (int16_t)(loudness_q4 > decayed_q4 ? loudness_q4 : decayed_q4);
}

/* The page's "talking": on after enough speech within a short while, off after a longer silence. */
static void
follow_talking(struct speaker *speaker, bool speaking)
{
	if (speaking) {
		speaker->silent_frames = 0;
		if (speaker->talk_score < TALK_SCORE_MAX)
			speaker->talk_score++;
	} else {
		if (speaker->silent_frames < UINT8_MAX)
			speaker->silent_frames++;
		if (speaker->talk_score != 0)
			speaker->talk_score--;
	}
	if (!speaker->talking && speaker->talk_score >= SPEAKER_TALKING_FRAMES) {
		speaker->talking = true;
		speaker->talking_changed = true;
	} else if (speaker->talking && speaker->silent_frames >= SPEAKER_SILENT_FRAMES) {
		speaker->talking = false;
		speaker->talking_changed = true;
		speaker->talk_score = 0;
	}
}

/* True while the speaker has a claim to a place. */
static bool
follow(struct speaker *speaker)
{
	speaker->talking_changed = false;
	if (!speaker->present)
		speaker->level = AUDIO_LEVEL_SILENCE;
	speaker->present = false;

	/* Most of a large room, most of the time. */
	if (speaker->level == AUDIO_LEVEL_SILENCE && speaker->hold == 0 && !speaker->talking &&
	    speaker->talk_score == 0 && !speaker->activity.speaking) {
		(void)audio_activity_input(&speaker->activity, speaker->level);
		speaker->loudness_q4 = 0;
		return false;
	}
	follow_loudness(speaker);
	const bool speaking = audio_activity_input(&speaker->activity, speaker->level);
	if (speaking || speaker->level <= SPEAKER_AUDIBLE_LEVEL)
		speaker->hold = SPEAKER_HOLD_FRAMES;
	else if (speaker->hold != 0)
		speaker->hold--;
	follow_talking(speaker, speaking);
	return speaker->hold != 0;
}

/* Who keeps his place against whom: speech before pause, then loudness, with an allowance for those
 * who are in already. */
static int
rank(const struct speaker *speaker)
{
	return speaker->loudness_q4 + (speaker->selected ? SPEAKER_LOUDER_DB * Q4 : 0) +
	       (speaker->activity.speaking ? AUDIO_LEVEL_SILENCE * Q4 : 0);
}

/* Keeps the best few in order; the list is short, so insertion is the cheapest sort. */
static void
offer(struct speaker_select *select, struct speaker **best, unsigned *count,
      struct speaker *candidate)
{
	const int score = rank(candidate);
	if (*count == select->chosen_max && score <= rank(best[*count - 1]))
		return;
	unsigned at = *count < select->chosen_max ? (*count)++ : *count - 1;
	for (; at > 0 && rank(best[at - 1]) < score; at--)
		best[at] = best[at - 1];
	best[at] = candidate;
}

/* The title goes to the loudest of those shown as talking, not more often than once a second
 * unless its holder has stopped. */
static void
choose_dominant(struct speaker_select *select)
{
	select->dominant_changed = false;
	if (select->dominant_frames < UINT8_MAX)
		select->dominant_frames++;
	struct speaker *best = NULL;
	for (unsigned i = 0; i < select->chosen_count; i++) {
		struct speaker *speaker = select->chosen[i];
		if (speaker->talking && (best == NULL || rank(speaker) > rank(best)))
			best = speaker;
	}
	if (best == NULL || best == select->dominant)
		return;
	if (select->dominant != NULL && select->dominant->talking) {
		if (select->dominant_frames < SPEAKER_DOMINANT_FRAMES)
			return;
		if (best->loudness_q4 < select->dominant->loudness_q4 + SPEAKER_LOUDER_DB * Q4 &&
		    select->dominant->activity.speaking)
			return;
	}
	select->dominant = best;
	select->dominant_frames = 0;
	select->dominant_changed = true;
}

unsigned
speaker_select_run(struct speaker_select *select, struct speaker *const *speakers, size_t count)
{
	struct speaker *best[SPEAKERS_CHOSEN_MAX];
	unsigned best_count = 0;

	CHECK(select->chosen_max != 0);
	for (size_t i = 0; i < count; i++)
		if (follow(speakers[i]))
			offer(select, best, &best_count, speakers[i]);

	for (unsigned i = 0; i < select->chosen_count; i++)
		select->chosen[i]->selected = false;
	for (unsigned i = 0; i < best_count; i++) {
		best[i]->selected = true;
		select->chosen[i] = best[i];
	}
	select->chosen_count = (uint8_t)best_count;
	choose_dominant(select);
	return best_count;
}
