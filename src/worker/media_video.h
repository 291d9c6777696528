/* SPDX-License-Identifier: Apache-2.0 */
/* media_video -- pictures in the media machine: what control orders and hears about them.
 *
 * A media leg is one transport and what flows on it.  A browser has one leg with many video lines
 * (m= lines in one bundle); a SIP room has a leg for sound, one for its main picture and one for
 * content, each with its own ports.  Video lines are numbered within their leg.
 *
 * What a leg receives on a line becomes a track of that leg (video.h): a source others can be shown.
 * What it sends on a line is chosen by MEDIA_ORDER_LEG_SHOW: nothing, one source, or a canvas.
 *
 *  A source is forwarded as it is: of a browser's simulcast layers the one that fits the height asked
 *  for and the bandwidth, switched at key frames.  When the receiver cannot take the source's codec,
 *  one transcode of the source is made by the codec process and shared by all who need it.
 *  A canvas is composed and encoded by the codec process, once for each (canvas, codec, rung); the
 *  worker picks each receiver's rung of the ladder by what was agreed and by its bandwidth.
 *
 * Key frames are asked of a source when somebody needs one, throttled (video/key_requests.h).
 *
 * Ownership  `struct media_canvas.canvas` is made with malloc() by who orders it, and belongs to the
 *            machine from then on.  All else are values.
 * Threads, units, errors: as media.h.
 * Limits     MEDIA_LINES_MAX lines a leg.
 */
#ifndef WORKER_MEDIA_VIDEO_H
#define WORKER_MEDIA_VIDEO_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/canvas.h"
#include "video/video.h"

enum {
	MEDIA_LINES_MAX = 32,
	MEDIA_VIDEO_PAYLOADS_MAX = 12, /* of one line */
	MEDIA_MID_MAX = 16,            /* with NUL; longer ones are not used for telling apart */
	MEDIA_RID_MAX = 16,
	MEDIA_DATA_MAX = 160,          /* bytes of one H.224 packet */
};

/* One agreed codec of a line. */
struct media_video_payload {
	uint8_t codec; /* enum video_codec */
	uint8_t rx_payload_type; /* the peer sends it so; 255: it does not */
	uint8_t tx_payload_type; /* the peer receives it so; 255: it does not */
	uint8_t rx_rtx_payload_type; /* RFC 4588; 255: none */
	uint8_t tx_rtx_payload_type;
	uint8_t packetization_mode; /* H.264: 0 or 1, when we send */
	uint8_t h264_profile;       /* H.264: profile_idc the peer takes, and its constraint flags */
	uint8_t h264_constraints;
	uint32_t frame_macroblocks_max; /* of what the peer takes, from level and max-fs; 0: not told */
	uint32_t macroblocks_per_s_max; /* from level and max-mbps */
	uint32_t bps_max;               /* from level and max-br */
};

/* MEDIA_ORDER_LEG_VIDEO: what the SDP agreed on about one line; comes again after a re-offer. */
struct media_video_settings {
	uint8_t line;
	uint8_t track; /* enum video_track: what is received on it becomes this track */
	bool receive;
	bool send;
	/* Feedback both sides take (RFC 4585, 5104). */
	bool nack, pli, fir, tmmbr, remb, twcc;
	/* Header extension ids, 0: not agreed. */
	uint8_t mid_ext_id, rid_ext_id, repaired_rid_ext_id, twcc_ext_id, orientation_ext_id;
	uint8_t payload_count; /* most wanted first */
	uint8_t rid_count;     /* simulcast the peer sends, best layer first; 0: one plain stream */
	char mid[MEDIA_MID_MAX];
	char rids[VIDEO_LAYERS_MAX][MEDIA_RID_MAX];
	uint32_t tx_ssrc;     /* ours, chosen by control because the SDP tells it */
	uint32_t tx_rtx_ssrc; /* 0: no retransmission */
	uint32_t tx_bps_max;  /* b= of the peer, and of the profile; 0: no limit */
	uint16_t tx_height_max; /* of the profile's qualityMain or qualityPresentation; 0: no limit */
	uint8_t tx_fps_max;   /* 0: no limit */
	struct media_video_payload payloads[MEDIA_VIDEO_PAYLOADS_MAX];
};

/* MEDIA_ORDER_LEG_SHOW: what a leg is sent on a line from now on. */
enum media_show_kind {
	MEDIA_SHOW_NOTHING, /* paused */
	MEDIA_SHOW_SOURCE,
	MEDIA_SHOW_CANVAS,
};

struct media_show {
	uint8_t line;
	uint8_t kind;       /* enum media_show_kind */
	uint8_t priority;   /* larger first when bandwidth is short: content, pinned, talker, others */
	bool detail;        /* content: sharpness before movement */
	uint16_t height;    /* of the tile it is shown in, device pixels; 0: as large as there is */
	uint32_t canvas;    /* an id of MEDIA_ORDER_CANVAS */
	video_source_id source;
};

/* MEDIA_ORDER_CANVAS: a new canvas, or a new look of one. */
struct media_canvas {
	uint32_t id;           /* control's choice, not 0; of this worker */
	struct canvas *canvas; /* taken over; NULL: close the canvas */
};

/* MEDIA_ORDER_LEG_KEY: the peer wants a key frame on a line (RFC 5168, or the API). */
struct media_key {
	uint8_t line;
};

/* MEDIA_ORDER_LEG_DATA: an H.224 line was agreed on this leg, or is gone. */
struct media_data_settings {
	bool receive, send;
	uint8_t rx_payload_type;
	uint8_t tx_payload_type;
};

/* MEDIA_ORDER_LEG_DATA_SEND and MEDIA_EVENT_LEG_DATA: one packet's payload. */
struct media_data {
	uint8_t len;
	uint8_t bytes[MEDIA_DATA_MAX];
};

/* ---- Events -------------------------------------------------------------------------------- */

/* MEDIA_EVENT_LEG_PICTURE: a track begins (its first whole key frame came), changes size or codec, or
 * ends (nothing for some seconds, or the line is gone). */
struct media_picture {
	uint8_t track; /* enum video_track */
	bool flows;
	uint8_t codec; /* enum video_codec */
	uint16_t width;
	uint16_t height;
};

/* MEDIA_EVENT_LEG_VIDEO_STATS: answers MEDIA_ORDER_LEG_STATS, once for each line in use. */
struct media_video_direction_stats {
	uint8_t codec; /* enum video_codec; NONE: nothing flows */
	uint8_t frame_rate;
	uint16_t width, height;
	uint16_t loss_q16;
	uint32_t bit_rate_bps;
	uint32_t jitter_us;
};

struct media_video_stats {
	uint8_t line;
	uint8_t track;
	struct media_video_direction_stats rx;
	struct media_video_direction_stats tx;
	uint32_t rtt_us;
	uint32_t estimate_bps; /* what the transport is thought to carry towards the peer */
	uint32_t key_requests; /* from the peer, all in all */
};

/* What of a leg's bandwidth its receiver feels: told when it changes. */
enum media_quality { MEDIA_QUALITY_GOOD, MEDIA_QUALITY_FAIR, MEDIA_QUALITY_POOR };

#endif
