/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting_clip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/audio_codec.h"
#include "audio/audio_level.h"
#include "audio/testing.h"
#include "base/check.h"
#include "base/prng.h"
#include "codec/encoder.h"

enum {
	SECOND_US = 1000 * 1000,
	GRAIN = 8,         /* pixels: what of the background is of one brightness */
	HEAD_PARTS = 3,    /* the moving thing is a third as high as the picture */
	BLACK = 16,
	GREY = 128,
	WHITE = 235,
	NUMBER_BITS = 8,
	CELLS = NUMBER_BITS + 2,  /* a white and a black one to the left tell that it is a number */
	NUMBER_PARTS = 8,         /* of the height; as wide as the picture, in its middle */
	BRIGHT_MIN = 180,
	DARK_MAX = 70,
	HUM_HZ = 300,
	HUM_AMPLITUDE = 300,
};

/* ---- Pictures ------------------------------------------------------------------------------- */

/* A room that stands still, with some texture. */
static void
draw_room(struct picture *picture, struct prng *prng)
{
	for (int y = 0; y < picture->height; y += GRAIN)
		for (int x = 0; x < picture->width; x += GRAIN) {
			const struct picture_rect spot = { x, y, GRAIN, GRAIN };
			const uint8_t bright = (uint8_t)(70 + prng_below(prng, 24) +
			                                 (uint32_t)(60 * x / picture->width));
			picture_fill(picture, &spot, (struct picture_colour){ bright, 118, 136 });
		}
}

/* Somebody in front of it, who moves. */
static void
draw_head(struct picture *picture, unsigned frame, unsigned fps)
{
	const int side = picture->height / HEAD_PARTS & ~1;
	const double at = TESTING_TURN * frame / (4.0 * fps);
	const int x = (int)((picture->width - side) * (0.5 + 0.2 * sin(at))) & ~1;
	const int y = (int)((picture->height - side) * (0.5 + 0.1 * cos(3 * at))) & ~1;
	const struct picture_rect head = { x, y, side, side };
	const struct picture_rect mouth = { x + side / 4, y + side * 2 / 3, side / 2,
		                            2 + (int)(frame * 7 % (unsigned)(side / 6 + 1)) };
	picture_fill(picture, &head, (struct picture_colour){ 170, 110, 150 });
	picture_fill(picture, &mouth, (struct picture_colour){ BLACK, GREY, GREY });
}

/* ---- Numbers -------------------------------------------------------------------------------- */

static_assert(1 << NUMBER_BITS == CLIP_NUMBERS);

static struct picture_rect
cell_of(int width, int height, int cell)
{
	const int side = width / CELLS;
	return (struct picture_rect){ cell * side, height / 2 - height / NUMBER_PARTS / 2, side,
		                      height / NUMBER_PARTS };
}

/* White, black, and the bits from the highest down. */
static bool
is_white(unsigned number, int cell)
{
	return cell < 2 ? cell == 0 : (number >> (CELLS - 1 - cell) & 1) != 0;
}

static void
draw_number(struct picture *picture, unsigned number)
{
	for (int i = 0; i < CELLS; i++) {
		const struct picture_rect rect = cell_of(picture->width, picture->height, i);
		const uint8_t bright = is_white(number, i) ? WHITE : BLACK;
		picture_fill(picture, &rect, (struct picture_colour){ bright, GREY, GREY });
	}
}

int
clip_number(const struct picture *picture)
{
	int number = 0;
	for (int i = 0; i < CELLS; i++) {
		const struct picture_rect rect = cell_of(picture->width, picture->height, i);
		const int at = (rect.y + rect.height / 2) * picture->strides[PICTURE_Y] + rect.x +
		               rect.width / 2;
		const uint8_t bright = picture->planes[PICTURE_Y][at];
		if (bright > DARK_MAX && bright < BRIGHT_MIN)
			return -1;
		number = number << 1 | (bright >= BRIGHT_MIN);
	}
	return number >> NUMBER_BITS == 2 ? number & (CLIP_NUMBERS - 1) : -1;
}

/* ---- Encoding ------------------------------------------------------------------------------- */

static int
grow(struct clip *clip, size_t used, size_t len, size_t *cap)
{
	if (used + len <= *cap)
		return 0;
	const size_t wanted = 2 * (used + len);
	uint8_t *memory = realloc(clip->memory, wanted);
	if (memory == NULL)
		return -ENOMEM;
	clip->memory = memory;
	*cap = wanted;
	return 0;
}

/* Frames are told by their place until the memory stands still. */
static int
encode(struct clip *clip, struct encoder *encoder, struct picture *picture,
       const struct picture *room, size_t places[])
{
	const struct clip_settings *settings = &clip->settings;
	const unsigned wanted = settings->fps * settings->seconds;
	size_t used = 0;
	size_t cap = 0;
	for (unsigned i = 0; i < wanted; i++) {
		struct encoder_frame frame;
		picture_copy(picture, room);
		draw_head(picture, i, settings->fps);
		if (settings->numbered)
			draw_number(picture, clip->frame_count);
		const enum encoder_result result = encoder_input(
			encoder, &frame, picture, i == 0, (int64_t)i * SECOND_US / settings->fps);
		if (result == ENCODER_FAILED)
			return -EIO;
		if (result == ENCODER_SKIPPED)
			continue;
		CHECK(frame.key == (clip->frame_count == 0));
		const int rc = grow(clip, used, frame.len, &cap);
		if (rc != 0)
			return rc;
		memcpy(clip->memory + used, frame.bytes, frame.len);
		places[clip->frame_count] = used;
		clip->frames[clip->frame_count++].len = (uint32_t)frame.len;
		used += frame.len;
	}
	for (unsigned i = 0; i < clip->frame_count; i++)
		clip->frames[i].bytes = clip->memory + places[i];
	return clip->frame_count != 0 ? 0 : -EIO;
}

int
clip_create(struct clip **out, const struct clip_settings *settings)
{
	const unsigned wanted = settings->fps * settings->seconds;
	const struct encoder_settings how = { .codec = settings->codec,
		                              .width = settings->width,
		                              .height = settings->height,
		                              .fps = settings->fps,
		                              .bps = settings->bps };
	CHECK(!settings->numbered || wanted <= CLIP_NUMBERS);
	struct picture room = { 0 };
	struct picture picture = { 0 };
	struct encoder *encoder = NULL;
	struct prng prng;
	struct clip *clip = calloc(1, sizeof *clip);
	size_t *places = calloc(wanted, sizeof *places);
	int rc = -ENOMEM;
	if (clip == NULL || places == NULL)
		goto out;
	clip->settings = *settings;
	clip->frames = calloc(wanted, sizeof *clip->frames);
	if (clip->frames == NULL)
		goto out;
	if ((rc = picture_resize(&room, settings->width, settings->height)) != 0 ||
	    (rc = picture_resize(&picture, settings->width, settings->height)) != 0 ||
	    (rc = encoder_create(&encoder, &how)) != 0)
		goto out;
	prng_init(&prng, settings->height);
	draw_room(&room, &prng);
	rc = encode(clip, encoder, &picture, &room, places);
out:
	encoder_destroy(encoder);
	picture_fini(&picture);
	picture_fini(&room);
	free(places);
	if (rc != 0) {
		clip_destroy(clip);
		clip = NULL;
	}
	*out = clip;
	return rc;
}

void
clip_destroy(struct clip *clip)
{
	if (clip == NULL)
		return;
	free(clip->memory);
	free(clip->frames);
	free(clip);
}

/* ---- Sound ---------------------------------------------------------------------------------- */

int
voice_make(struct voice *voice)
{
	const struct audio_codec_pool_settings pool = { 1, 1, 1, 1 };
	struct audio_quality quality = audio_quality_for(0);
	struct audio_codec_pool *codecs;
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	int16_t hum[AUDIO_FRAME_SAMPLES];
	quality.dtx = false;
	const int rc = audio_codec_pool_create(&codecs, &pool);
	if (rc != 0)
		return rc;
	struct audio_encoder *encoder = audio_encoder_take(codecs, AUDIO_CODEC_OPUS, &quality);
	CHECK(encoder != NULL);
	for (unsigned i = 0; i < VOICE_FRAMES; i++) {
		struct voice_frame *frame = &voice->frames[i];
		uint8_t payload[AUDIO_PAYLOAD_BYTES_MAX];
		const size_t at = (size_t)i * AUDIO_FRAME_SAMPLES;
		testing_speech(pcm, AUDIO_FRAME_SAMPLES, at);
		/* Never quite silent: a hole in what others hear is then somebody's fault. */
		testing_tone(hum, AUDIO_FRAME_SAMPLES, HUM_HZ, HUM_AMPLITUDE, at);
		for (unsigned s = 0; s < AUDIO_FRAME_SAMPLES; s++)
			pcm[s] = (int16_t)(pcm[s] + hum[s]);
		frame->level = audio_level_of(pcm, AUDIO_FRAME_SAMPLES);
		const size_t len = audio_encode(encoder, pcm, AUDIO_FRAME_SAMPLES, payload);
		CHECK(len != 0 && len <= sizeof frame->payload);
		frame->len = (uint16_t)len;
		memcpy(frame->payload, payload, len);
	}
	audio_encoder_put(codecs, encoder);
	audio_codec_pool_destroy(codecs);
	return 0;
}
