/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_stream -- what a fake person of meeting_load sends and receives over one link: sound, pictures
 * out of clips, pictures in, and the reports about them; and what is counted about it.
 *
 *	streams_init(); out_sound_start(), out_video_add(), in_video_add() by what the SDP says;
 *	streams_rtp() and streams_rtcp() for what arrives; streams_tick() every few milliseconds
 *	streams_begin() when everything has settled: the figures are about what comes after it
 *
 * What arrives is looked at as a receiver does that decodes: frames that are whole and have what they
 * refer to, missing packets asked for again, key frames asked for when only they help.
 *
 * Ownership  streams_init/streams_fini; clip, voice, packet pool and link are borrowed.
 * Threads    The loop's.
 * Units      Microseconds.
 */
#ifndef BENCH_MEETING_STREAM_H
#define BENCH_MEETING_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "meeting_clip.h"
#include "meeting_link.h"
#include "rtp/rtcp.h"
#include "video/frame_build.h"
#include "video/nack.h"
#include "video/packet_pool.h"

enum {
	STREAMS_OUT_MAX = 4, /* three layers and a screen */
	STREAMS_IN_MAX = 32, /* tiles */
	STREAM_HISTORY = 512, /* packets; a power of two */
	STREAM_NAME_MAX = 16,
	STREAM_GAP_US = 200 * 1000, /* so long without a frame is a freeze */
};

/* How a line of the SDP is marked; 0: not agreed. */
struct stream_marks {
	uint8_t mid_ext;
	uint8_t rid_ext;
	uint8_t repaired_ext;
	uint8_t level_ext;
	char mid[STREAM_NAME_MAX];
};

/* ---- Out ---- */

struct out_sound {
	bool started;
	bool talks;
	uint8_t payload_type;
	struct stream_marks marks;
	const struct voice *voice;
	struct rtp_send send;
	uint32_t timestamp_rtp;
	uint32_t frame;
	int64_t next_us;
};

struct out_packet {
	uint32_t timestamp_rtp;
	uint16_t len;
	bool marker;
	uint8_t payload[VIDEO_PAYLOAD_BYTES_MAX];
};

struct out_video_settings {
	const struct clip *clip;
	uint8_t payload_type;
	uint8_t rtx_payload_type; /* 0: what is sent again is sent as it was, if `again` */
	bool again;               /* the other side may ask for it */
	struct stream_marks marks;
	char rid[STREAM_NAME_MAX]; /* empty: no simulcast */
};

struct out_video {
	struct out_video_settings settings;
	uint32_t ssrc;
	uint32_t rtx_ssrc;
	uint16_t rtx_seq;
	uint16_t made_seq; /* next to be made */
	uint16_t sent_seq; /* next to be sent */
	uint16_t picture_id;
	uint32_t timestamp_rtp;
	unsigned frame;    /* of the clip, next */
	bool key_wanted;
	int64_t frame_us;  /* when it is due */
	int64_t packet_us;
	int64_t packet_gap_us;
	uint32_t packets;
	uint32_t bytes;
	struct { uint64_t keys_asked, resent, not_here; } stats;
	struct out_packet *history;
};

/* ---- In ---- */

struct in_sound {
	uint8_t payload_type;
	uint32_t ssrc;
	struct rtp_receive receive;
	struct rtcp_last_sr last_sr;
	/* Since streams_begin(). */
	int64_t last_us;
	int64_t gap_us_max;
	uint64_t packets;
	int64_t lost_before;
};

struct in_video_settings {
	char mid[STREAM_NAME_MAX]; /* empty: a room's */
	uint32_t ssrcs[2];         /* that the SDP told; 0: none */
	uint8_t mid_ext;
	bool again; /* lost packets are asked for */
	/* Payload types that are taken, 0: none. */
	uint8_t vp8, vp8_rtx, h264, h264_rtx;
};

struct in_video_stats {
	uint64_t frames;
	uint64_t keys;
	uint64_t bytes;
	uint64_t gaps;       /* of more than STREAM_GAP_US */
	int64_t gap_us_max;
	int64_t shown_us;    /* how long somebody was in it */
	uint64_t switches;   /* of persons */
	uint64_t packets_lost; /* not there and not got by asking */
	uint64_t asked;      /* numbers asked for again */
	uint64_t plis;
	uint64_t sizes;      /* changes of size */
};

struct in_video {
	struct in_video_settings settings;
	uint32_t ssrc; /* 0: nothing came yet */
	bool shown;    /* frames are expected */
	struct rtp_receive receive;
	struct rtcp_last_sr last_sr;
	struct nack nack;
	struct frame_build build;
	uint16_t width;
	uint16_t height;
	uint8_t codec;
	int64_t pli_us;
	int64_t shown_since_us;
	int64_t last_us;       /* frame, or since when one is expected */
	uint64_t lost_before;
	uint64_t asked_before;
	struct in_video_stats stats;
};

/* Somebody who looks on.  Pictures only; packets that are sent again are not told of.  Each may be
 * NULL. */
struct stream_watch {
	void (*sent)(void *context, const uint8_t *payload, size_t len, bool marker,
	             int64_t now_us);
	void (*received)(void *context, const struct rtp_packet *packet, int64_t now_us);
	/* A whole frame, whose last packet arrived at `now_us`. */
	void (*frame)(void *context, const struct built_frame *frame, const uint8_t *bytes,
	              int64_t now_us);
	void *context;
};

struct streams {
	struct link *link;
	const struct stream_watch *watch; /* NULL: nobody; may be set at any time */
	struct packet_pool *pool;
	struct prng *prng;
	uint32_t ssrc; /* feedback comes from it */
	struct out_sound out_sound;
	struct in_sound in_sound;
	unsigned out_count;
	struct out_video outs[STREAMS_OUT_MAX];
	unsigned in_count;
	struct in_video *ins[STREAMS_IN_MAX];
	int64_t report_us;
	int64_t began_us;
	int64_t wall_offset_us; /* wall clock minus monotonic clock */
	char cname[STREAM_NAME_MAX];
};

void streams_init(struct streams *streams, struct link *link, struct packet_pool *pool,
                  struct prng *prng);
void streams_fini(struct streams *streams);

void out_sound_start(struct streams *streams, const struct voice *voice, uint8_t payload_type,
                     const struct stream_marks *marks, int64_t now_us);
void out_video_add(struct streams *streams, const struct out_video_settings *settings,
                   int64_t now_us);
/* NULL: no memory. */
[[nodiscard]] struct in_video *in_video_add(struct streams *streams,
                                            const struct in_video_settings *settings);
/* Somebody is to be seen in it from now on, or nobody; `is_new`: somebody else than before. */
void in_video_show(struct in_video *in, bool shown, bool is_new, int64_t now_us);

void streams_rtp(struct streams *streams, const struct rtp_packet *packet, int64_t now_us);
void streams_rtcp(struct streams *streams, const uint8_t *bytes, size_t len, int64_t now_us);
void streams_tick(struct streams *streams, int64_t now_us);

void streams_begin(struct streams *streams, int64_t now_us);
/* As if measuring ended now. */
[[nodiscard]] struct in_video_stats in_video_stats(const struct in_video *in, int64_t now_us);
[[nodiscard]] int64_t in_sound_gap_us(const struct in_sound *in, int64_t now_us);
[[nodiscard]] int64_t in_sound_lost(const struct in_sound *in);

#endif
