/* SPDX-License-Identifier: Apache-2.0 */
/* What the media machine keeps about pictures; shared by the media_video*.c files and
 * media_bandwidth.c.
 *
 * A feed is where packets come from: the track a leg publishes (struct video_rx, up to three layers)
 * or an encode of the codec process (struct video_encode).  A sending half of a line (struct
 * video_tx) subscribes to the feed it is to be sent from; struct forward makes one stream of whatever
 * it is subscribed to.  What is to be sent waits in its leg's queue until media_flush().
 *
 * A stream is a number for one layer of a feed (stream_of_layer, stream_of_encode); the packets of a
 * layer whose sender began anew get another number, so that old and new are never mixed up. */
#ifndef WORKER_MEDIA_VIDEO_INTERNAL_H
#define WORKER_MEDIA_VIDEO_INTERNAL_H

#include "bwe/allocate.h"
#include "bwe/bwe_send.h"
#include "bwe/pacer.h"
#include "bwe/rate_meter.h"
#include "bwe/twcc_receive.h"
#include "codec/codec.h"
#include "rtp/rtcp_fb.h"
#include "video/forward.h"
#include "video/frame_build.h"
#include "video/h264.h"
#include "video/history.h"
#include "video/key_requests.h"
#include "video/nack.h"
#include "video/packet_pool.h"
#include "worker/media_internal.h"

enum {
	VIDEO_TICK_US = 100 * 1000, /* rates are measured and shared out anew */
	VIDEO_QUEUE_MAX = 512,      /* packets of a leg that wait for its pacer */
	VIDEO_GATHER_US = 3 * 1000, /* a frame's packets are gathered for so long, or to its end */
	VIDEO_QUEUE_US_MAX = 400 * 1000, /* older ones are of no use to a conversation */
	VIDEO_RTX_MAX = 128,        /* packets of a leg to be sent again */
	VIDEO_HISTORY = 256,        /* packets of a line kept for that */
	VIDEO_SSRCS_MAX = 16,       /* of a peer, told apart */
	VIDEO_SILENT_US = 3 * 1000 * 1000, /* a track without packets has ended */
	VIDEO_HELD_MAX = 256,       /* packets of a track that wait for their sound */
	VIDEO_QUIET_US = 1000 * 1000,      /* a layer without packets is not chosen */
	VIDEO_QUIET_DETAIL_US = 4 * 1000 * 1000, /* still screens send little */
	VIDEO_ENCODE_KEY_US = 200 * 1000, /* an encode makes no two key frames within */
	VIDEO_NO_LAYER = 0xff,
	VIDEO_NO_LINE = 0xff,
	VIDEO_NO_PAYLOAD_TYPE = FORWARD_NO_PAYLOAD_TYPE,
};

static_assert((VIDEO_QUEUE_MAX & (VIDEO_QUEUE_MAX - 1)) == 0, "indices wrap by a mask");
static_assert((VIDEO_HELD_MAX & (VIDEO_HELD_MAX - 1)) == 0, "indices wrap by a mask");
static_assert((VIDEO_RTX_MAX & (VIDEO_RTX_MAX - 1)) == 0, "indices wrap by a mask");

/* ---- Feeds --------------------------------------------------------------------------------- */

struct video_link {
	struct video_link *next;
	struct video_link *prev;
};

struct video_feed {
	struct video_link subscriptions; /* list head */
};

struct video_subscription {
	struct video_link link;
	struct video_feed *feed; /* NULL: none */
	struct video_tx *tx;
};

/* ---- Receiving ----------------------------------------------------------------------------- */

/* When pictures were taken, as far as their arrival tells: the fastest way of the last seconds. */
struct video_times {
	bool known;
	int64_t timestamp; /* extended, of the last packet */
	int64_t base_us;
	int64_t window_base_us;
	int64_t window_end_us;
};

/* One SSRC of a track. */
struct video_layer {
	uint32_t ssrc; /* valid when `known` */
	uint32_t rtx_ssrc;
	bool known;
	bool rtx_known;
	bool flows;        /* a key frame has come, and packets do */
	uint8_t codec;     /* enum video_codec of the last packet */
	uint8_t demand;    /* enum video_demand, by its newest parameter sets */
	uint8_t fir_seq;
	uint8_t temporal_max; /* highest temporal layer seen */
	uint16_t epoch;    /* counts new beginnings */
	uint16_t width;    /* 0: not known */
	uint16_t height;
	int64_t heard_us;
	struct rtp_receive receive;
	struct rtp_receive rtx_receive;
	struct rtcp_last_sr last_sr;
	struct sender_clock clock;
	struct video_times times;
	struct rate_meter rate;
	struct rate_meter temporal_rate[2]; /* of temporal layer 0, and of 0 and 1 */
	int64_t bps;       /* slowly falling maximum of `rate` */
	int64_t temporal_bps[2];
	uint32_t frames;   /* since frames_us */
	int64_t frames_us;
	uint8_t frame_rate;
	uint64_t unreadable;
	struct nack nack;
	struct key_requests keys;
	struct h264_sets sets;
	struct packet *sets_packet; /* the same as a packet, or NULL */
};

/* A packet that is to be decoded when its sound is mixed. */
struct video_held {
	struct packet *packet; /* holds a reference */
	int64_t due_us;
	uint8_t layer;
};

/* What its codec process is fed with. */
struct video_decode {
	uint16_t height;  /* of the largest picture made of it; 0: not decoded */
	uint8_t layer;    /* being built, or VIDEO_NO_LAYER */
	uint8_t wanted;   /* switched to at its next key frame */
	bool fed;         /* the codec process knows this source */
	uint16_t held_first, held_count;
	struct video_held held[VIDEO_HELD_MAX];
	struct frame_build build;
};

/* The receiving half of a line. */
struct video_rx {
	struct media_leg *leg;
	struct video_line *line;
	struct video_link link; /* among all of the machine */
	struct video_feed feed;
	struct video_layer layers[VIDEO_LAYERS_MAX];
	struct video_decode decode;
	struct media_picture told;
	bool stale;       /* `told` may differ from what is so */
	/* What we ask the sender to keep to (TMMBR, REMB). */
	int64_t bound_bps; /* 0: nothing in particular */
	int64_t bound_us;
	int64_t bound_lost, bound_received; /* as of then */
};

/* Rounded, 255: or more; `span_us` is more than 0. */
static inline uint8_t
frames_a_second(uint32_t frames, int64_t span_us)
{
	const int64_t rate = (frames * 1000000LL + span_us / 2) / span_us;
	return rate < UINT8_MAX ? (uint8_t)rate : UINT8_MAX;
}

/* ---- Sending ------------------------------------------------------------------------------- */

/* One way in which a line can be served: a layer forwarded, or a rung of the ladder encoded. */
struct video_option {
	uint8_t layer;
	uint8_t temporal_max;
	uint8_t rung;
	bool encoded;
};

/* The sending half of a line. */
struct video_tx {
	struct media_leg *leg;
	struct video_line *line;
	struct video_subscription wanted;
	struct video_subscription former; /* goes on until the wanted one's key frame */
	struct forward forward;
	struct history history;
	struct history_entry *entries;
	struct media_show shown; /* what it was last served with */
	struct video_option chosen;
	bool serves;        /* `chosen` is in force */
	bool started;
	int64_t sent_us;    /* last */
	int64_t key_sent_us; /* when the last key frame began to leave */
	uint32_t packets;   /* for sender reports */
	uint32_t bytes;
	uint16_t rtx_seq;
	uint32_t rtx_packets;
	uint32_t rtx_bytes;
	uint32_t again_bytes; /* may be sent again; grows with what is sent */
	uint64_t dropped;   /* the queue was full, or too slow */
	uint32_t key_requests;
	uint32_t fir_from;  /* SSRC of who sent the last FIR that was obeyed */
	uint8_t fir_seq;    /* its number */
	int64_t fir_us;     /* and when; 0: none was */
	struct rtcp_block peer_block;
	struct rate_meter rate;
	uint32_t frames;    /* since frames_us */
	int64_t frames_us;
	uint8_t frame_rate;
	uint8_t codec;      /* of the last packet */
	uint16_t width, height;
};

/* One m= line of a leg. */
struct video_line {
	struct media_video_settings agreed;
	struct media_show show;
	struct video_rx *rx; /* NULL: never received on */
	struct video_tx *tx; /* NULL: never sent on */
};

struct video_queued {
	struct packet *packet; /* holds a reference */
	int64_t queued_us;
	struct forward_header header;
	uint8_t line;
};

struct video_again {
	uint16_t seq;
	uint8_t line;
};

struct video_ssrc {
	uint32_t ssrc;
	uint8_t line;
	uint8_t layer;
	bool rtx;
};

/* All that a leg with pictures or camera control has beyond a leg with sound. */
struct leg_video {
	struct media_leg *leg;
	struct video_line *lines[MEDIA_LINES_MAX]; /* NULL: not agreed yet */
	uint8_t line_count;                        /* one above the highest */
	uint8_t track_lines[VIDEO_TRACKS];         /* on which a track is received, or NO_LINE */
	struct media_data_settings data;

	/* Header extensions are the same for all lines of a transport (RFC 8843 s8.2). */
	uint8_t mid_ext_id, rid_ext_id, repaired_rid_ext_id, twcc_ext_id, orientation_ext_id;
	uint8_t ssrc_count;
	struct video_ssrc ssrcs[VIDEO_SSRCS_MAX];

	struct video_link flush; /* in the machine's list, when `flushing` */
	bool flushing;
	int64_t flush_us;        /* when its packets are to leave */
	bool dirty;              /* what to send has to be chosen anew */
	uint16_t queue_first, queue_count;
	uint16_t again_first, again_count;
	struct video_queued queue[VIDEO_QUEUE_MAX];
	struct video_again again[VIDEO_RTX_MAX];

	/* The transport's rate. */
	bool twcc;
	bool bandwidth_set;
	uint8_t quality; /* enum media_quality as told */
	uint16_t twcc_seq;
	int64_t tick_us;
	int64_t quality_us;
	int64_t target_bps;
	int64_t wanted_bps;
	int64_t given_bps;
	/* Peers that only report losses: the next rung up is tried (media_bandwidth.c). */
	int64_t trial_bps;  /* 0: none under way */
	int64_t trial_base_bps;   /* the one before it, which went well; 0: there was none */
	int64_t trial_from_bps;   /* the estimator's when the first of them began */
	int64_t trial_us;   /* no other before */
	int64_t trial_failed_bps; /* what was given when the last one failed; 0: none did */
	int64_t trial_again_us;   /* and as much is not tried before this */
	int64_t trial_wait_us;    /* nor before so long after the next failure */
	struct bwe_stats trial_stats; /* of the estimator, when it began */
	struct bwe_send bwe;
	struct pacer pacer;
	struct twcc_receive twcc_in;
};

/* ---- The codec process --------------------------------------------------------------------- */

struct video_canvas {
	uint32_t id; /* 0: free */
	bool shown;  /* some encode is made of it */
	bool sent;   /* the codec process has it */
	struct canvas *canvas;
};

struct video_encode {
	uint32_t id; /* 0: free */
	struct codec_encode spec;
	struct video_feed feed;
	struct key_requests keys;
	int64_t seq;
	uint16_t picture_id;
	uint16_t generation;
};

/* Of the whole machine. */
struct video_machine {
	struct packet_pool *pool;
	struct video_link receivers; /* list head: struct video_rx */
	struct video_link flush;     /* list head: struct leg_video */
	int64_t flush_us;            /* when the first of them is due; INT64_MAX: none is */
	struct video_canvas canvases[CODEC_CANVASES_MAX];
	struct video_encode encodes[CODEC_ENCODES_MAX];
	uint32_t encode_count;
	bool attached; /* there is a codec process */
	bool dirty;    /* what is decoded and encoded has to be found out anew */
	uint64_t lost_pool;  /* packets for which there was no room */
	uint8_t *frame;      /* scratch of VIDEO_FRAME_SCRATCH_BYTES */
};

enum { VIDEO_FRAME_SCRATCH_BYTES = VIDEO_FRAME_BYTES_MAX + 8 * 1024 };

static inline void
link_init(struct video_link *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool
link_empty(const struct video_link *head)
{
	return head->next == head;
}

static inline void
link_append(struct video_link *head, struct video_link *link)
{
	link->next = head;
	link->prev = head->prev;
	head->prev->next = link;
	head->prev = link;
}

static inline void
link_remove(struct video_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
}

/* ---- Streams ------------------------------------------------------------------------------- */

enum { STREAM_EPOCH_BITS = 12 };

#define STREAM_ENCODE (UINT64_C(1) << 63)

static inline uint64_t
stream_of_layer(const struct video_rx *rx, unsigned layer)
{
	const uint64_t epoch = rx->layers[layer].epoch & ((1u << STREAM_EPOCH_BITS) - 1);
	return ((uint64_t)rx->leg->id << STREAM_EPOCH_BITS | epoch) << 4 |
	       (uint64_t)rx->line->agreed.track << 2 | layer;
}

/* The other way round: of which track, and which of its layers. */
static inline video_source_id
stream_source(uint64_t stream)
{
	return video_source((uint32_t)(stream >> (4 + STREAM_EPOCH_BITS)),
	                    (enum video_track)(stream >> 2 & 3));
}

static inline unsigned
stream_layer(uint64_t stream)
{
	return stream & 3;
}

static inline uint64_t
stream_of_encode(const struct video_encode *encode)
{
	return STREAM_ENCODE | encode->id;
}

/* 0: it is a layer's. */
static inline uint32_t
stream_encode(uint64_t stream)
{
	return (stream & STREAM_ENCODE) != 0 ? (uint32_t)stream : 0;
}

/* ---- media_video.c ------------------------------------------------------------------------- */

/* The track a source names, when its leg may be seen; else NULL. */
struct video_rx *video_rx_of(const struct media *media, video_source_id source);
/* A deadline of the leg has come nearer. */
void video_wake(struct media *media, struct media_leg *leg, int64_t at_us);
/* The leg has something for media_flush(), not before `at_us`. */
void video_flush_at(struct media *media, struct leg_video *video, int64_t at_us);
/* The same at once. */
void video_flush_later(struct media *media, struct leg_video *video);
/* Choose again what the leg is sent. */
void video_plan_later(struct media *media, struct leg_video *video);
/* Choose again what all subscribers of a feed are sent. */
void video_plan_subscribers(struct media *media, struct video_feed *feed);
/* The SSRC by which a leg speaks of itself in feedback. */
[[nodiscard]] uint32_t video_own_ssrc(const struct media_leg *leg);

/* ---- media_video_rx.c ---------------------------------------------------------------------- */

/* Nothing comes again on a line without NACK: what is missing there is not waited for. */
static inline struct frame_build_settings
video_build_settings(const struct video_rx *rx)
{
	return (struct frame_build_settings){
		.wait_us = rx->line->agreed.nack ? 0 : FRAME_BUILD_REORDER_US,
	};
}

[[nodiscard]] struct video_rx *video_rx_create(struct media *media, struct media_leg *leg,
                                               struct video_line *line);
void video_rx_destroy(struct media *media, struct video_rx *rx);
/* After a new agreement. */
void video_rx_agreed(struct media *media, struct video_rx *rx);
/* Somebody needs a key frame of this layer. */
void video_rx_want_key(struct media *media, struct video_rx *rx, unsigned layer, int64_t now_us);
void video_rx_tick(struct media *media, struct video_rx *rx, int64_t now_us);
/* NACKs, key requests and frames that are due. */
void video_rx_serve(struct media *media, struct video_rx *rx, int64_t now_us);
[[nodiscard]] int64_t video_rx_deadline(const struct video_rx *rx);
/* The layer with which a track begins, most likely: what is ready for its first key frame needs not
 * ask for another. */
[[nodiscard]] uint8_t video_rx_first(const struct video_rx *rx);
[[nodiscard]] bool video_rx_muted(const struct video_rx *rx);
/* Whether pictures come, and may be seen. */
[[nodiscard]] bool video_rx_flows(const struct video_rx *rx);

/* ---- media_video_tx.c ---------------------------------------------------------------------- */

[[nodiscard]] struct video_tx *video_tx_create(struct media *media, struct media_leg *leg,
                                               struct video_line *line);
void video_tx_destroy(struct media *media, struct video_tx *tx);
void video_tx_agreed(struct video_tx *tx);
/* Sends `stream` of `feed` from its next key frame on; `goes_on`: and what it is sent now until
 * then.  A stream of 0 waits. */
void video_tx_follow(struct media *media, struct video_tx *tx, struct video_feed *feed,
                     uint64_t stream, uint8_t temporal_max, bool goes_on, int64_t now_us);
void video_tx_pause(struct media *media, struct video_tx *tx);
void video_tx_tick(struct media *media, struct video_tx *tx, int64_t now_us);
/* The peer cannot go on without a key frame. */
void video_tx_key_asked(struct media *media, struct video_tx *tx, int64_t now_us);
/* The same by FIR number `seq` of the peer's SSRC `from`; a repetition is passed over. */
void video_tx_fir(struct media *media, struct video_tx *tx, uint32_t from, uint8_t seq,
                  int64_t now_us);
void video_tx_nacked(struct media *media, struct video_tx *tx, uint16_t seq);
/* How the peer takes a stream of that codec that asks so much of its decoder; NULL: it does not. */
[[nodiscard]] const struct media_video_payload *
video_tx_payload(const struct video_tx *tx, enum video_codec codec, enum video_demand demand);

void feed_init(struct video_feed *feed);
/* Nobody is subscribed any more; they choose again. */
void feed_end(struct media *media, struct video_feed *feed);
/* Gives a packet to all subscribers; `sets` as for forward_input(). */
void feed_input(struct media *media, struct video_feed *feed, struct packet *packet,
                const struct packet *sets, int64_t now_us);
/* There is a way to the peer, and it is secured as agreed. */
[[nodiscard]] bool video_can_send(const struct media_leg *leg);
/* Sends what the leg's pacer allows. */
void video_drain(struct media *media, struct leg_video *video, int64_t now_us);
void video_drop_queue(struct leg_video *video);

/* ---- media_video_codec.c ------------------------------------------------------------------- */

/* An encode like this one, opened if need be; NULL when all are in use. */
struct video_encode *codec_encode_for(struct media *media, const struct codec_encode *spec);
struct video_encode *codec_encode_of(struct media *media, uint32_t id);
void codec_want_key(struct media *media, struct video_encode *encode, int64_t now_us);
/* One that was wanted too soon after the last is due some time later. */
void codec_serve_key(struct media *media, struct video_encode *encode, int64_t now_us);
/* Decides what is decoded, encoded and composed. */
void codec_plan(struct media *media, int64_t now_us);
/* A packet of a track that is decoded. */
void codec_input(struct media *media, struct video_rx *rx, unsigned layer, struct packet *packet,
                 int64_t now_us);
/* Packets and frames that wait no longer. */
void codec_serve(struct media *media, struct video_rx *rx, int64_t now_us);
[[nodiscard]] int64_t codec_deadline(const struct video_rx *rx);
/* Stops feeding a track. */
void codec_forget(struct media *media, struct video_rx *rx);
struct video_canvas *codec_canvas(struct media *media, uint32_t id);

/* ---- media_sync.c -------------------------------------------------------------------------- */

/* When the sound of the moment at which a packet's picture was taken is heard. */
int64_t sync_picture(const struct media *media, struct video_rx *rx, struct video_layer *layer,
                     uint32_t timestamp_rtp, int64_t now_us);

/* ---- media_bandwidth.c --------------------------------------------------------------------- */

/* The lines of the leg were agreed (again). */
void bandwidth_agreed(struct leg_video *video, int64_t now_us);
/* Shares out what the transport carries: chooses layers and rungs. */
void bandwidth_plan(struct media *media, struct leg_video *video, int64_t now_us);
void bandwidth_tick(struct media *media, struct leg_video *video, int64_t now_us);
/* A packet of any class went out. */
void bandwidth_sent(struct leg_video *video, enum pacer_class class, uint16_t twcc_seq, size_t len,
                    int64_t now_us);
/* A packet of pictures went out once more, as it was. */
void bandwidth_sent_again(struct leg_video *video, size_t len, int64_t now_us);
/* A peer that was sent a key frame asks for another. */
void bandwidth_spoilt(struct leg_video *video, int64_t now_us);
/* What the sender of a track should keep to. */
void bandwidth_bound(struct media *media, struct video_rx *rx, int64_t now_us);

#endif
