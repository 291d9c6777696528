/* SPDX-License-Identifier: Apache-2.0 */
/* Sound and pictures in step.
 *
 * Sound waits in its jitter buffer and is mixed; pictures are forwarded at once.  Nobody makes pictures
 * wait here: instead their RTP time says when the sound of the same moment is heard, and who
 * receives both lets the pictures wait as long as he wants.
 *
 * What belongs together is told by the sender's reports (RFC 3550 s6.4.1), which put the RTP times
 * of his streams on one clock.  Before both have come, and when they say what cannot be, the
 * fastest packets of sound and of pictures are taken to have been under way equally long. */
#include "worker/media_video_internal.h"

enum {
	WINDOW_US = 5 * 1000 * 1000,
	JUMP_US = 2 * 1000 * 1000,   /* a way so much longer is another time base */
	TRUST_US = 500 * 1000,       /* so far reports may differ from what arrival tells */
	SUDDEN_US = 60 * 1000,       /* sound that is suddenly so much later or earlier */
	SMOOTH_SHIFT = 4,            /* else about 16 frames are averaged */
};

void
sync_report(struct sender_clock *clock, const struct rtcp_sender_info *info)
{
	/* RFC 3550 s6.4.1: a sender without a clock says 0. */
	*clock = (struct sender_clock){ .known = info->ntp != 0,
		                        .timestamp_rtp = info->timestamp_rtp,
		                        .wall_us = rtcp_ntp_us(info->ntp) };
}

/* The sender's clock when what has this RTP time was taken. */
static int64_t
taken_us(const struct sender_clock *clock, uint32_t timestamp_rtp, uint32_t clock_hz)
{
	const int64_t since_rtp = (int32_t)(timestamp_rtp - clock->timestamp_rtp);
	return clock->wall_us + since_rtp * 1000000 / clock_hz;
}

static int64_t
smooth(int64_t before_us, int64_t now_us)
{
	const int64_t change_us = now_us - before_us;
	if (change_us > SUDDEN_US || change_us < -SUDDEN_US)
		return now_us;
	return before_us + (change_us >> SMOOTH_SHIFT);
}

/* ---- Sound --------------------------------------------------------------------------------- */

/* The leg with the sound of who sends pictures on this one; NULL: it is gone. */
static struct media_leg *
sound_of(const struct media *media, struct media_leg *leg)
{
	return leg->open.sound != 0 ? media_leg_get(media, leg->open.sound) : leg;
}

void
sync_open(const struct media *media, struct media_leg *leg)
{
	struct media_leg *sound = sound_of(media, leg);
	if (sound != NULL && sound != leg)
		sound->delay.wanted = true;
}

void
sync_sound(struct media_leg *leg, int64_t now_us)
{
	struct sound_delay *delay = &leg->delay;
	struct jitter_position position;
	if (!delay->wanted || !audio_receiver_position(&leg->rx, now_us, &position))
		return;
	/* A packet of sound comes when it is full, a picture when it was taken. */
	const int64_t us = position.delay_us + position.packet_us;
	delay->us = delay->known ? smooth(delay->us, us) : us;
	delay->known = true;
	if (!leg->clock.known || leg->receive.clock_hz == 0) {
		delay->reported = false;
		return;
	}
	const int64_t late_us =
		now_us - taken_us(&leg->clock, position.timestamp_rtp, leg->receive.clock_hz);
	delay->late_us = delay->reported ? smooth(delay->late_us, late_us) : late_us;
	delay->reported = true;
}

/* ---- Pictures ------------------------------------------------------------------------------ */

static void
times_begin(struct video_times *times, int64_t way_us, int64_t now_us)
{
	times->base_us = way_us;
	times->window_base_us = way_us;
	times->window_end_us = now_us + WINDOW_US;
}

/* When the picture with this RTP time would have arrived by the fastest way. */
static int64_t
arrival_us(struct video_times *times, uint32_t timestamp_rtp, int64_t now_us)
{
	if (!times->known)
		times->timestamp = timestamp_rtp;
	times->timestamp += (int32_t)(timestamp_rtp - (uint32_t)times->timestamp);
	const int64_t sent_us = times->timestamp * 100 / 9;
	const int64_t way_us = now_us - sent_us;
	const int64_t longer_us = way_us - times->base_us;
	if (!times->known || longer_us > JUMP_US || longer_us < -JUMP_US)
		times_begin(times, way_us, now_us);
	times->known = true;
	if (now_us >= times->window_end_us) {
		times->base_us = times->window_base_us;
		times->window_base_us = way_us;
		times->window_end_us = now_us + WINDOW_US;
	}
	if (way_us < times->window_base_us)
		times->window_base_us = way_us;
	if (way_us < times->base_us)
		times->base_us = way_us;
	return sent_us + times->base_us;
}

static_assert(VIDEO_CLOCK_HZ == 90 * 1000, "100 / 9 microseconds a unit");

int64_t
sync_picture(const struct media *media, struct video_rx *rx, struct video_layer *layer,
             uint32_t timestamp_rtp, int64_t now_us)
{
	const int64_t came_us = arrival_us(&layer->times, timestamp_rtp, now_us);
	const struct media_leg *sound = sound_of(media, rx->leg);
	if (sound == NULL)
		return came_us;
	const int64_t by_arrival_us = came_us + sound->delay.us;
	if (!sound->delay.reported || !layer->clock.known)
		return by_arrival_us;
	const int64_t by_reports_us =
		taken_us(&layer->clock, timestamp_rtp, VIDEO_CLOCK_HZ) + sound->delay.late_us;
	const int64_t apart_us = by_reports_us - by_arrival_us;
	return apart_us > TRUST_US || apart_us < -TRUST_US ? by_arrival_us : by_reports_us;
}
