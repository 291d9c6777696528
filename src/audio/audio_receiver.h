/* SPDX-License-Identifier: Apache-2.0 */
/* audio_receiver -- one leg's way in: RTP payloads to 20 ms frames of 48 kHz PCM.
 *
 * Jitter buffer, decoder, concealment, comfort noise and time stretching in one object:
 *
 *	per packet        audio_receiver_input(rx, &packet, now_us);
 *	every 20 ms       audio_receiver_pull(rx, pcm, now_us);   when the leg may be mixed
 *	            or    audio_receiver_skip(rx, now_us);        when it is not selected
 *
 * Ownership  A member of its leg, about 2.5 kB.  The decoder with its PCM buffer (below 35 kB) is
 *            taken from the pool at the first packet that is decoded and given back after
 *            AUDIO_RECEIVER_REST_US of skipping or silence: a leg that never talks has none.
 * Threads    The leg's worker.
 * Units      See audio.h; times are microseconds, monotonic.
 * Errors     Bad packets are counted in the statistics and concealed; nothing else can fail.  With
 *            the pool used up a leg is silent, counted in `starved`.
 * Limits     AUDIO_RECEIVER_FORMATS_MAX payload types.
 */
#ifndef AUDIO_AUDIO_RECEIVER_H
#define AUDIO_AUDIO_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/audio.h"
#include "audio/audio_codec.h"
#include "audio/jitter_buffer.h"
#include "base/bytes.h"

enum {
	AUDIO_RECEIVER_FORMATS_MAX = 12,
	AUDIO_RECEIVER_REST_US = 5 * 1000 * 1000,
};

enum audio_format_kind {
	AUDIO_FORMAT_CODEC,
	AUDIO_FORMAT_NOISE, /* comfort noise, RFC 3389 */
	AUDIO_FORMAT_EVENT, /* telephone-event: the caller reads it, we only count its number */
};

/* One negotiated payload type. */
struct audio_format {
	uint8_t payload_type;
	uint8_t kind;  /* enum audio_format_kind */
	uint8_t codec; /* enum audio_codec, of CODEC */
};

struct audio_packet {
	uint32_t ssrc;
	uint32_t timestamp_rtp;
	uint16_t sequence;
	uint8_t payload_type;
	bool has_level;          /* RFC 6464 header extension was there */
	uint8_t level;           /* 0..127 */
	const uint8_t *payload;  /* copied */
	size_t len;
};

/* Where the sound of a frame came from. */
enum audio_source {
	AUDIO_SOURCE_NONE,    /* nothing to hear: `pcm` is zeroed */
	AUDIO_SOURCE_VOICE,   /* decoded */
	AUDIO_SOURCE_LOST,    /* at least part of it invented */
	AUDIO_SOURCE_COMFORT, /* noise of a pause */
};

struct audio_receiver_stats {
	uint64_t unknown_type; /* payload type not negotiated */
	uint64_t rejected;     /* audio_reject, all kinds */
	uint64_t starved;      /* pulls without a decoder, the pool being empty */
	uint64_t samples_concealed; /* also the moment after the last packet before a pause */
	uint64_t samples_shortened;
	uint64_t samples_lengthened;
	uint64_t frames_comfort;
};

struct audio_receiver_settings {
	struct audio_codec_pool *codecs; /* borrowed, outlive the receiver */
	struct jitter_pool *chunks;
	int32_t delay_us_min; /* see struct jitter_settings */
	int32_t delay_us_max;
};

/* Fields are private, except the statistics. */
struct audio_receiver {
	struct audio_receiver_settings settings;
	struct audio_receiver_stats stats;
	struct jitter_buffer jitter; /* jitter.stats may be read */
	struct audio_format formats[AUDIO_RECEIVER_FORMATS_MAX];
	uint8_t format_count;
	uint8_t codec;        /* of `decoder` */

	uint8_t level;        /* latest known */
	bool level_from_header; /* or from a G.711 payload: known without decoding */
	uint8_t since_stretch;
	bool comfort;         /* in a pause with a described noise */
	uint8_t comfort_level;
	struct audio_decoder *decoder; /* NULL while resting */
	int64_t used_us;      /* when the decoder was last needed */
	int64_t heard_us;     /* when the last packet came */
};

void audio_receiver_init(struct audio_receiver *rx, const struct audio_receiver_settings *settings);
void audio_receiver_fini(struct audio_receiver *rx);

/* The negotiated payload types, copied; may be called again after a re-INVITE. */
void audio_receiver_set_formats(struct audio_receiver *rx, const struct audio_format *formats,
                                size_t count);

/* False when the packet could not be used (counted). */
bool audio_receiver_input(struct audio_receiver *rx, const struct audio_packet *packet,
                          int64_t now_us);

enum audio_source audio_receiver_pull(struct audio_receiver *rx, int16_t pcm[AUDIO_FRAME_SAMPLES],
                                      int64_t now_us);
void audio_receiver_skip(struct audio_receiver *rx, int64_t now_us);

/* Which sound a pull at `now_us` begins with (jitter_buffer.h); false while there was none. */
[[nodiscard]] bool audio_receiver_position(const struct audio_receiver *rx, int64_t now_us,
                                           struct jitter_position *out);

/* The newest level for speaker_select.h: from the header of the newest packet, which is ahead of
 * what is played, else from what was decoded or, for G.711, received.  Silence when no packet came
 * for 200 ms. */
[[nodiscard]] uint8_t audio_receiver_level(const struct audio_receiver *rx, int64_t now_us);

/* True when the level is known without decoding (header or G.711): such a leg need only be pulled
 * while it is selected; any other must always be pulled. */
[[nodiscard]] bool audio_receiver_may_skip(const struct audio_receiver *rx);

/* The state as one line of text: for the admin, tests and crash reports. */
void audio_receiver_dump(const struct audio_receiver *rx, struct writer *w);

#endif
