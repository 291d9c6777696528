/* SPDX-License-Identifier: Apache-2.0 */
/* frame_build -- one SSRC's RTP packets become whole frames for a decoder, in order, or nothing.
 *
 *	per packet    frame_build_input(build, packet, now_us);
 *	then, and at frame_build_deadline():
 *	              while (frame_build_take(build, &frame, bytes, cap, now_us)) use it
 *	              if (frame_build_key_wanted(build)) ask for one (key_requests.h)
 *
 * Packets may come in any order and be missing for settings.wait_us, the time that retransmission
 * is given.  A frame that cannot be completed is dropped, and with it everything up to the next key
 * frame: a decoder never sees a stream with a hole in it.  The first frame is a key frame, too.
 *
 * Frames are given as decoders take them: H.264 as Annex B with four-byte start codes, the
 * parameter sets in front of a key frame that came without them; VP8 and VP9 as they are; AV1 as a
 * temporal unit of OBUs with sizes.
 *
 * Ownership  The builder holds a reference of each packet it keeps (packet_pool.h).
 * Threads    The worker that owns the pool.
 * Units      Microseconds; `seq` is extended.
 * Errors     What cannot be used is dropped and counted in `stats`.
 * Limits     FRAME_BUILD_PACKETS_MAX packets between the oldest kept and the newest; a frame of
 *            VIDEO_FRAME_BYTES_MAX with its parameter sets.  About 11.5 kB a builder.
 */
#ifndef VIDEO_FRAME_BUILD_H
#define VIDEO_FRAME_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "video/h264.h"
#include "video/packet_pool.h"
#include "video/video.h"

enum {
	FRAME_BUILD_PACKETS_MAX = 1024,
	FRAME_BUILD_WAIT_US_DEFAULT = 250 * 1000, /* a few retransmissions */
	FRAME_BUILD_REORDER_US = 40 * 1000, /* wait_us for peers that send nothing again */
};

struct built_frame {
	size_t len;
	int64_t first_us;       /* when its first packet arrived */
	int64_t first_seq;      /* its packets */
	int64_t last_seq;
	uint32_t timestamp_rtp;
	uint16_t width;         /* 0: not known; between key frames as the last one told */
	uint16_t height;
	uint16_t rotation;      /* 0, 90, 180, 270: clockwise, to be seen upright */
	uint8_t codec;          /* enum video_codec */
	bool key;
	bool discardable;
};

struct frame_build_settings {
	int64_t wait_us; /* for missing packets; 0: FRAME_BUILD_WAIT_US_DEFAULT */
};

struct frame_build_stats {
	uint64_t frames;
	uint64_t keys;
	uint64_t dropped_late;      /* packets of frames that were given or dropped before */
	uint64_t dropped_duplicate;
	uint64_t dropped_waiting;   /* packets without a key frame before them */
	uint64_t lost;              /* packets given up */
	uint64_t broken;            /* frames that contradict themselves or lack parameter sets */
	uint64_t too_large;         /* frames over the limit */
	uint64_t resets;            /* jumps of the sequence numbers */
};

/* Fields are private, except the statistics. */
struct frame_build {
	struct frame_build_settings settings;
	struct frame_build_stats stats;
	int64_t next;       /* with which the next frame begins; nothing below is taken */
	int64_t scanned;    /* from `next` to here all have come, and are of one frame */
	int64_t newest;     /* the highest kept or given */
	int64_t key_at;     /* the lowest kept that may begin a key frame, or INT64_MIN */
	int64_t due_us;     /* when frame_build_take() is wanted */
	uint16_t count;     /* packets kept */
	uint16_t width;
	uint16_t height;
	uint16_t rotation;
	bool started;       /* `next` and `newest` are set */
	bool key_needed;    /* nothing is given before a key frame */
	bool anchored;      /* which begins at `next` */
	struct h264_sets sets;
	struct packet *packets[FRAME_BUILD_PACKETS_MAX]; /* by sequence number */
};

void frame_build_init(struct frame_build *build, const struct frame_build_settings *settings);
/* Gives the packets back. */
void frame_build_fini(struct frame_build *build);

/* Parameter sets from the SDP. */
void frame_build_set_parameters(struct frame_build *build, const struct h264_sets *sets);

/* Takes a reference if it keeps the packet.  An empty packet (padding) only fills its number. */
void frame_build_input(struct frame_build *build, struct packet *packet, int64_t now_us);

/* The next frame, written to `bytes` with room for VIDEO_FRAME_BYTES_MAX or more; false: none now.
 * */
[[nodiscard]] bool frame_build_take(struct frame_build *build, struct built_frame *frame,
                                    uint8_t *bytes, size_t cap, int64_t now_us);

/* True until a key frame has begun to come: level, not edge. */
[[nodiscard]] bool frame_build_key_wanted(const struct frame_build *build);
/* The decoder lost its place (or its process died): only a key frame helps. */
void frame_build_need_key(struct frame_build *build);

/* Numbers below this are of no use any more: tell nack_forget(). */
[[nodiscard]] int64_t frame_build_oldest(const struct frame_build *build);
/* When frame_build_take() is wanted without a packet, or INT64_MAX. */
[[nodiscard]] int64_t frame_build_deadline(const struct frame_build *build);

#endif
