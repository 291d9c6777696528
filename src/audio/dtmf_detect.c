/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/dtmf_detect.h"

#include <errno.h>
#include <spandsp.h>
#include <spandsp/expose.h>
#include <stdlib.h>

#include "audio/resample.h"
#include "base/check.h"

enum {
	LOW_RATE_HZ = 8000,
	LOW_SAMPLES = LOW_RATE_HZ / 1000 * AUDIO_FRAME_MS,
	/* Talk-off care.  Speech rarely has both tones within these differences, real keys do: a
	 * twist of 8 dB down the line and 4 dB up (ITU-T Q.24), nothing below -42 dBm0. */
	TWIST_DB = 8,
	REVERSE_TWIST_DB = 4,
	THRESHOLD_DBM0 = -42,
	PAUSE_FRAMES =
	        2, /* the same key again needs this long without it: a lost packet is no key */
};

struct dtmf_detect {
	dtmf_rx_state_t rx;
	struct resample_down down;
	char held;       /* the key that was told last, while it is down */
	uint8_t absent;  /* frames without it */
	uint8_t count;
	char digits[DTMF_DIGITS_MAX];
};

int
dtmf_detect_create(struct dtmf_detect **detect)
{
	struct dtmf_detect *made = calloc(1, sizeof *made);
	if (made == NULL)
		return -ENOMEM;
	CHECK(dtmf_rx_init(&made->rx, NULL, NULL) != NULL);
	dtmf_rx_parms(&made->rx, 0, TWIST_DB, REVERSE_TWIST_DB, THRESHOLD_DBM0);
	resample_down_init(&made->down, LOW_RATE_HZ);
	*detect = made;
	return 0;
}

void
dtmf_detect_destroy(struct dtmf_detect *detect)
{
	if (detect == NULL)
		return;
	(void)dtmf_rx_release(&detect->rx);
	free(detect);
}

static void
press(struct dtmf_detect *detect, char digit)
{
	detect->held = digit;
	detect->absent = 0;
	if (detect->count < DTMF_DIGITS_MAX)
		detect->digits[detect->count++] = digit;
}

void
dtmf_detect_input(struct dtmf_detect *detect, const int16_t pcm[AUDIO_FRAME_SAMPLES])
{
	int16_t low[LOW_SAMPLES];
	char ignored[DTMF_DIGITS_MAX];

	const size_t count = resample_down(&detect->down, pcm, AUDIO_FRAME_SAMPLES, low);
	CHECK(count == LOW_SAMPLES);
	(void)dtmf_rx(&detect->rx, low, LOW_SAMPLES);
	(void)dtmf_rx_get(&detect->rx, ignored, sizeof ignored - 1); /* the status tells more */

	const int status = dtmf_rx_status(&detect->rx);
	/* 'x' is a digit that may be beginning. */
	const char now = status > 0 && status != 'x' ? (char)status : '\0';
	if (now == detect->held)
		detect->absent = 0;
	else if (now != '\0')
		press(detect, now);
	else if (++detect->absent >= PAUSE_FRAMES)
		detect->held = '\0';
}

char
dtmf_detect_poll(struct dtmf_detect *detect)
{
	if (detect->count == 0)
		return '\0';
	const char digit = detect->digits[0];
	detect->count--;
	for (unsigned i = 0; i < detect->count; i++)
		detect->digits[i] = detect->digits[i + 1];
	return digit;
}

char
dtmf_detect_held(const struct dtmf_detect *detect)
{
	return detect->held;
}
