/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/encoder_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"

static void
bring_into_range(struct encoder_settings *settings)
{
	if (settings->fps < 1)
		settings->fps = 1;
	if (settings->fps > ENCODER_FPS_MAX)
		settings->fps = ENCODER_FPS_MAX;
	if (settings->bps < ENCODER_BPS_MIN)
		settings->bps = ENCODER_BPS_MIN;
	if (settings->bps > ENCODER_BPS_MAX)
		settings->bps = ENCODER_BPS_MAX;
}

static bool
side_allowed(int side)
{
	return side >= PICTURE_SIDE_MIN && side <= VIDEO_SIDE_MAX && side % 2 == 0;
}

int
encoder_create(struct encoder **out, const struct encoder_settings *settings)
{
	if (!side_allowed(settings->width) || !side_allowed(settings->height) ||
	    (settings->codec != VIDEO_CODEC_H264 && settings->codec != VIDEO_CODEC_VP8))
		return -EINVAL;
	struct encoder *encoder = calloc(1, sizeof *encoder);
	if (encoder == NULL)
		return -ENOMEM;
	encoder->library = settings->codec == VIDEO_CODEC_H264 ? &encoder_h264 : &encoder_vp8;
	encoder->settings = *settings;
	encoder->key_wanted = true;
	encoder->first_us = -1;
	bring_into_range(&encoder->settings);
	const int rc = encoder->library->open(encoder);
	if (rc != 0) {
		free(encoder);
		return rc;
	}
	*out = encoder;
	return 0;
}

void
encoder_destroy(struct encoder *encoder)
{
	if (encoder == NULL)
		return;
	encoder->library->close(encoder);
	free(encoder);
}

void
encoder_set_rate(struct encoder *encoder, uint32_t bps, uint32_t fps)
{
	struct encoder_settings settings = encoder->settings;
	settings.bps = bps;
	settings.fps = fps;
	bring_into_range(&settings);
	if (settings.bps == encoder->settings.bps && settings.fps == encoder->settings.fps)
		return;
	encoder->settings = settings;
	encoder->library->set_rate(encoder);
}

enum encoder_result
encoder_input(struct encoder *encoder, struct encoder_frame *frame, const struct picture *picture,
              bool key, int64_t now_us)
{
	CHECK(picture->width == encoder->settings.width);
	CHECK(picture->height == encoder->settings.height);
	if (encoder->first_us < 0)
		encoder->first_us = now_us;
	else if (now_us <= encoder->last_us)
		now_us = encoder->last_us + 1; /* libraries want time to go on */
	encoder->last_us = now_us;
	encoder->key_wanted |= key;

	const enum encoder_result result = encoder->library->input(
	        encoder, frame, picture, encoder->key_wanted, now_us - encoder->first_us);
	if (result != ENCODER_FRAME)
		return result;
	if (frame->len > VIDEO_FRAME_BYTES_MAX) {
		encoder->key_wanted = true; /* it is the reference of what follows */
		return ENCODER_SKIPPED;
	}
	if (frame->key)
		encoder->key_wanted = false;
	return ENCODER_FRAME;
}

void
encoder_warm_up(void)
{
	static const enum video_codec codecs[] = { VIDEO_CODEC_H264, VIDEO_CODEC_VP8 };
	struct picture picture = { 0 };
	if (picture_resize(&picture, 64, 64) != 0)
		return;
	picture_fill(&picture, &(struct picture_rect){ 0, 0, 64, 64 },
	             (struct picture_colour){ 90, 128, 128 });
	for (size_t i = 0; i < COUNT_OF(codecs); i++) {
		struct encoder *encoder = NULL;
		struct encoder_frame frame;
		const struct encoder_settings settings = {
			.codec = codecs[i], .width = 64, .height = 64, .fps = 30, .bps = 64000
		};
		if (encoder_create(&encoder, &settings) != 0)
			continue;
		for (int64_t now_us = 0; now_us < 100000; now_us += 33333)
			(void)encoder_input(encoder, &frame, &picture, false, now_us);
		encoder_destroy(encoder);
	}
	picture_fini(&picture);
}
