/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/tones.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

enum {
	SAMPLES_PER_MS = AUDIO_RATE_HZ / 1000,
	EDGE_SAMPLES = 5 * SAMPLES_PER_MS,
	FADE_OUT_SAMPLES = 60 * SAMPLES_PER_MS,
	DTMF_FIRST = TONES,
	AMPLITUDE_NOTE = 5000,
	AMPLITUDE_DTMF = 4600, /* each of the two: -20 dBov together, as telephones send */
	DTMF_MS_MAX = 5000,
};

#define TURN 6.283185307179586

/* Up to two notes, one after the other.  Their decay overlaps nothing: it is part of the note. */
static const struct melody {
	uint16_t hz[2];
	uint16_t ms[2];
} melodies[TONES] = {
	[TONE_JOIN] = { { 659, 880 }, { 100, 140 } },
	[TONE_LEAVE] = { { 880, 659 }, { 100, 140 } },
	[TONE_MUTED] = { { 440, 0 }, { 100, 0 } },
	[TONE_UNMUTED] = { { 740, 0 }, { 100, 0 } },
};

static const char digits[] = "123A456B789C*0#D";
static const uint16_t rows_hz[4] = { 697, 770, 852, 941 };
static const uint16_t columns_hz[4] = { 1209, 1336, 1477, 1633 };

void
tone_start(struct tone_player *player, enum tone tone)
{
	CHECK(tone < TONES);
	const struct melody *melody = &melodies[tone];
	*player = (struct tone_player){
		.tone = (uint8_t)tone,
		.total = (uint32_t)(melody->ms[0] + melody->ms[1]) * SAMPLES_PER_MS,
	};
}

bool
tone_start_dtmf(struct tone_player *player, char digit, uint32_t duration_ms)
{
	const char *found = digit != '\0' ? strchr(digits, digit) : NULL;
	if (found == NULL || duration_ms == 0 || duration_ms > DTMF_MS_MAX)
		return false;
	*player = (struct tone_player){
		.tone = (uint8_t)(DTMF_FIRST + (found - digits)),
		.total = duration_ms * SAMPLES_PER_MS,
	};
	return true;
}

static double
advance(double *phase, double hz)
{
	*phase += TURN * hz / AUDIO_RATE_HZ;
	if (*phase > TURN)
		*phase -= TURN;
	return sin(*phase);
}

/* 0..1: a soft edge at the start of a note, and a tail as long as the note allows. */
static double
envelope(uint32_t at, uint32_t total, uint32_t tail)
{
	if (tail > total / 2)
		tail = total / 2;
	const double rise = at < EDGE_SAMPLES ? (double)at / EDGE_SAMPLES : 1.0;
	const double fall = at + tail > total ? (double)(total - at) / tail : 1.0;
	return rise * fall;
}

static double
melody_sample(struct tone_player *player)
{
	const struct melody *melody = &melodies[player->tone];
	const uint32_t first = (uint32_t)melody->ms[0] * SAMPLES_PER_MS;
	const unsigned note = player->at >= first;
	const uint32_t at = note ? player->at - first : player->at;
	const uint32_t total = (uint32_t)melody->ms[note] * SAMPLES_PER_MS;
	return AMPLITUDE_NOTE * envelope(at, total, FADE_OUT_SAMPLES) *
	       advance(&player->phase[note], melody->hz[note]);
}

static double
dtmf_sample(struct tone_player *player)
{
	const unsigned digit = player->tone - DTMF_FIRST;
	const double low = advance(&player->phase[0], rows_hz[digit / 4]);
	const double high = advance(&player->phase[1], columns_hz[digit % 4]);
	return AMPLITUDE_DTMF * envelope(player->at, player->total, EDGE_SAMPLES) * (low + high);
}

bool
tone_render(struct tone_player *player, int16_t pcm[AUDIO_FRAME_SAMPLES])
{
	memset(pcm, 0, AUDIO_FRAME_SAMPLES * sizeof *pcm);
	if (player->tone == TONE_NONE)
		return false;
	CHECK(player->at < player->total);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES && player->at < player->total; i++) {
		pcm[i] = (int16_t)lrint(player->tone < TONES ? melody_sample(player)
		                                             : dtmf_sample(player));
		player->at++;
	}
	if (player->at == player->total)
		*player = (struct tone_player){ .tone = TONE_NONE };
	return true;
}
