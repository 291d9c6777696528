/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_clip -- what the fake people of meeting_load send: pictures and sound, encoded once and sent
 * again and again by everybody.
 *
 * A clip begins with a key frame and has no other, so it may begin anew at any time: at its end, and
 * when a key frame is asked for.
 *
 * Ownership  create/destroy.
 * Threads    Immutable once made.
 * Units      Bits a second, frames a second, milliseconds.
 * Limits     A numbered clip has at most CLIP_NUMBERS frames.
 */
#ifndef BENCH_MEETING_CLIP_H
#define BENCH_MEETING_CLIP_H

#include <stdbool.h>
#include <stdint.h>

#include "video/video.h"

enum {
	CLIP_NUMBERS = 256,
	VOICE_FRAMES = 100, /* of 20 ms each */
	VOICE_FRAME_BYTES_MAX = 400,
};

struct clip_settings {
	enum video_codec codec; /* H264 or VP8 */
	uint16_t width;
	uint16_t height;
	uint16_t fps;
	uint32_t bps;
	unsigned seconds;
	bool numbered; /* each frame shows its place in the clip, for clip_number() */
};

struct clip_frame {
	const uint8_t *bytes;
	uint32_t len;
};

struct clip {
	struct clip_settings settings;
	struct clip_frame *frames;
	unsigned frame_count; /* those that the encoder left out to hold the rate do not count */
	uint8_t *memory;
};

[[nodiscard]] int clip_create(struct clip **out, const struct clip_settings *settings);
void clip_destroy(struct clip *clip);

struct picture;
/* The number that a picture of a numbered clip shows, decoded and perhaps of another size; -1: none. */
[[nodiscard]] int clip_number(const struct picture *picture);

/* Somebody talking, as Opus. */
struct voice_frame {
	uint8_t payload[VOICE_FRAME_BYTES_MAX];
	uint16_t len;
	uint8_t level; /* RFC 6464, dB below full scale */
};

struct voice {
	struct voice_frame frames[VOICE_FRAMES];
};

[[nodiscard]] int voice_make(struct voice *voice);

#endif
