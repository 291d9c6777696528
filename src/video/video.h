/* SPDX-License-Identifier: Apache-2.0 */
/* video -- words and limits that everything about pictures shares. */
#ifndef VIDEO_VIDEO_H
#define VIDEO_VIDEO_H

#include <stdint.h>

enum {
	VIDEO_CLOCK_HZ = 90000,        /* RTP clock of every video codec */
	VIDEO_LAYERS_MAX = 3,          /* simulcast layers of one track */
	VIDEO_SIDE_MAX = 4096,         /* of a decoded picture: larger ones are refused */
	VIDEO_FRAME_BYTES_MAX = 1 << 20, /* one compressed frame */
	VIDEO_PAYLOAD_BYTES_MAX = 1180, /* of an RTP packet we make: fits 1280-byte paths with SRTP */
};

enum video_codec {
	VIDEO_CODEC_NONE,
	VIDEO_CODEC_H264,
	VIDEO_CODEC_VP8,
	VIDEO_CODEC_VP9,
	VIDEO_CODEC_AV1,
	VIDEO_CODEC_COUNT,
};

/* What a stream of H.264 asks of its decoder, and what a decoder can do: whoever can do one, can do
 * all before it.  Streams of other codecs ask for the first. */
enum video_demand {
	VIDEO_DEMAND_BASE, /* constrained baseline */
	VIDEO_DEMAND_MAIN,
	VIDEO_DEMAND_HIGH,
	VIDEO_DEMAND_MORE, /* what no browser can */
	VIDEO_DEMANDS,
};

/* One number for both: tables of what a receiver takes have VIDEO_FORMATS entries, the first of them
 * by codec. */
enum { VIDEO_FORMATS = VIDEO_CODEC_COUNT + VIDEO_DEMANDS - 1 };

static inline unsigned
video_format(enum video_codec codec, enum video_demand demand)
{
	return demand == VIDEO_DEMAND_BASE ? codec : VIDEO_CODEC_COUNT + demand - 1u;
}

/* What a leg may publish. */
enum video_track {
	VIDEO_TRACK_MAIN,    /* the camera */
	VIDEO_TRACK_CONTENT, /* a shared screen (content:slides) */
	VIDEO_TRACKS,
};

/* A published track anywhere on a worker: its leg's handle and which track; 0 is none.  It names
 * the same source towards codec processes. */
typedef uint64_t video_source_id;

static inline video_source_id
video_source(uint32_t leg, enum video_track track)
{
	return leg != 0 ? (uint64_t)leg << 8 | (uint64_t)track : 0;
}

static inline uint32_t
video_source_leg(video_source_id source)
{
	return (uint32_t)(source >> 8);
}

static inline enum video_track
video_source_track(video_source_id source)
{
	return (enum video_track)(source & 0xff);
}

#endif
