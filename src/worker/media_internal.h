/* SPDX-License-Identifier: Apache-2.0 */
/* The media machine's own structures, shared by media.c (orders, time), media_path.c (ICE, DTLS,
 * keys), media_transport.c (packets) and media_room.c (sound). */
#ifndef WORKER_MEDIA_INTERNAL_H
#define WORKER_MEDIA_INTERNAL_H

#include "audio/agc.h"
#include "audio/audio_codec.h"
#include "audio/audio_receiver.h"
#include "audio/dtmf_detect.h"
#include "audio/mix.h"
#include "audio/brand.h"
#include "audio/prompts.h"
#include "audio/speaker_select.h"
#include "audio/tones.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/slab.h"
#include "base/timer.h"
#include "dtls/dtls.h"
#include "ice/ice_lite.h"
#include "rtp/rtcp.h"
#include "rtp/rtp.h"
#include "rtp/rtp_dtmf.h"
#include "rtp/rtp_source.h"
#include "srtp/srtp.h"
#include "worker/media.h"

enum {
	REST_US = 5 * 1000 * 1000, /* an encoder not needed for so long goes back to the pool */
	STATS_SPAN_US = 2 * 1000 * 1000,
};

/* A list of legs through their `place`: a room's, or those in no room of one phase. */
struct leg_place {
	struct leg_place *next;
	struct leg_place *prev;
};

/* Bit rate over the last whole span. */
struct span_meter {
	uint64_t bytes;
	int64_t since_us;
	uint32_t bps;
};

/* What a sender report says: this RTP time was at that moment of the sender's own clock. */
struct sender_clock {
	bool known;
	uint32_t timestamp_rtp;
	int64_t wall_us;
};

/* How late a leg's sound is heard. */
struct sound_delay {
	bool wanted;      /* its person sends pictures */
	bool known;
	bool reported;    /* late_us is known, too */
	int64_t us;       /* behind what its fastest packet holds */
	int64_t late_us;  /* by its sender's reports: our clock minus his */
};

struct media_leg {
	media_leg_id id;
	struct leg_place place;
	struct media_room *room; /* NULL: in none */
	struct timer timer;      /* the nearest deadline of everything below */

	/* Agreements, as ordered. */
	struct media_open open;
	struct media_audio_settings audio;
	struct media_leg_flags flags;
	struct net_addr local_rtp;
	bool has_transport;
	bool connected;
	bool lost; /* told; waits for its close order */
	uint8_t suite; /* enum srtp_suite in force */

	/* Transport. */
	uint8_t security;
	bool ice_used;
	bool rtcp_mux;
	uint8_t shared_socket; /* MEDIA_SOCKET_SHARED and up: where its selected pair ends */
	uint8_t mapped_count;
	struct net_addr mapped[ICE_LITE_PAIRS_MAX]; /* our entries in media->by_addr */
	struct ice_lite ice;
	struct ice_lite *ice_rtcp; /* of a port pair: the second component, unless RTCP is muxed */
	struct dtls *dtls;
	struct srtp_session *srtp_tx;
	struct srtp_session *srtp_rx;
	uint8_t sdes_key_rx[MEDIA_SDES_KEY_MAX]; /* to know a change when an order repeats it */
	uint8_t sdes_key_tx[MEDIA_SDES_KEY_MAX];
	uint8_t fingerprint[MEDIA_FINGERPRINT_MAX];
	struct rtp_source source;
	struct net_addr remote_rtcp;
	int64_t heard_us;

	/* RTP. */
	struct rtp_receive receive;
	struct rtp_send send;
	uint32_t rx_ssrc;
	int64_t epoch_us;   /* the RTP time of all it is sent is 0 so long before 0 */
	uint32_t frame_rtp; /* timestamp of the frame being made now */
	uint8_t early_reports; /* still to be sent, the next at report_us */
	int64_t report_us;
	struct rtcp_timing rtcp;
	struct rtcp_last_sr last_sr;
	struct sender_clock clock;
	struct rtcp_block peer_block; /* what the peer last said about us */
	int64_t rtt_us;
	uint8_t peer_loss_pct;
	struct dtmf_receive dtmf_rx;
	struct dtmf_send dtmf_tx;
	struct span_meter rate_rx;
	struct span_meter rate_tx;
	uint64_t rejected;

	/* Sound in. */
	struct audio_receiver rx;
	struct sound_delay delay;
	struct speaker speaker;
	struct agc agc;
	struct dtmf_detect *detect;
	int16_t *pcm;  /* this frame, when it was pulled; in the machine's scratch */
	uint8_t rx_codec; /* enum media_codec of the last packet */

	/* Sound out. */
	struct audio_encoder *encoder; /* its own: while it talks, or hears a prompt */
	int64_t encoder_used_us;
	uint8_t encoder_loss_pct;
	struct mix_limiter limiter;
	struct prompt_player prompt;
	struct brand *brand;  /* a reference, while what plays may be of it */
	struct tone_player tone;
	uint8_t playing;      /* enum media_sound to report when it ends */
	uint8_t silent_frames; /* sent in a row, up to 255 */
	uint8_t keepalive_frames;
	bool spurt;           /* the next packet starts a talk spurt: marker */
	struct media_dtmf inband; /* digits still to be played as tones */
	uint8_t inband_pause_frames;
	int16_t *packing;     /* frames of a packet longer than 20 ms */
	uint8_t packed_frames;

	struct leg_video *video; /* NULL: sound only */
};

/* Encodes that all listeners of one kind share. */
enum shared_class {
	SHARED_OPUS,
	SHARED_OPUS_FEC,
	SHARED_G722,
	SHARED_PCMU,
	SHARED_PCMA,
	SHARED_CLASSES,
};

struct media_room {
	media_room_id id;
	uint32_t leg_count;
	struct leg_place legs; /* list head */
	struct media_room *next; /* among the busy rooms of its phase */
	struct media_room *prev;
	unsigned phase;
	struct speaker_select select;
	struct tone_player tone;
	struct mix_limiter limiter;
	struct audio_encoder *encoders[SHARED_CLASSES];
	int64_t encoded_us[SHARED_CLASSES];
};

/* One payload of this frame. */
struct encoded {
	bool ready;
	size_t len;
	uint8_t bytes[AUDIO_PAYLOAD_BYTES_MAX];
};

struct phase {
	struct media_room rooms; /* list head */
	struct leg_place alone;  /* legs in no room */
};

struct media {
	struct media_settings settings;
	struct media_counters counters;
	struct prng prng;
	struct hash_key hash_key;
	struct media_leg **legs;   /* by the handle's index */
	struct media_room *rooms; /* by index; id 0: not open */
	struct map by_addr;        /* sources that ICE verified, to leg handles */
	struct timer_wheel timers;
	struct audio_codec_pool *codecs;
	struct jitter_pool *chunks;
	struct phase phases[MEDIA_PHASES];
	uint32_t busy;   /* legs that need ticks */
	int64_t tick_us; /* when the next phase is due; INT64_MAX: nobody is there */
	unsigned phase;  /* which that is */
	int64_t now_us;  /* of the last input */
	struct video_machine *video;

	/* Scratch of one frame. */
	struct mix mix;
	int16_t (*frames)[AUDIO_FRAME_SAMPLES]; /* legs_max */
	struct speaker **speakers;              /* legs_max */
	struct encoded shared[SHARED_CLASSES];
	struct encoded own;
	uint8_t packet[MEDIA_DATAGRAM_MAX];
};

static inline struct media_leg *
leg_of_place(struct leg_place *place)
{
	return CONTAINER_OF(place, struct media_leg, place);
}

/* media.c */
struct media_leg *media_leg_get(const struct media *media, media_leg_id id);
void media_event(struct media *media, const struct media_leg *leg, enum media_event_kind kind,
                 uint8_t reason, uint32_t value);
void media_leg_lost(struct media *media, struct media_leg *leg, enum media_lost_reason reason);
/* Looks at all deadlines of a leg again; call when one may have come nearer. */
void media_leg_arm(struct media *media, struct media_leg *leg, int64_t now_us);

/* media_transport.c */
unsigned transport_socket(const struct media_leg *leg);
/* Where its packets go now, or NULL while nobody knows. */
const struct net_addr *transport_remote(const struct media_leg *leg);
void transport_emit(struct media *media, const struct media_leg *leg, unsigned socket,
                    const struct net_addr *to, const uint8_t *bytes, size_t len);
/* Makes the ICE agent and fills what the SDP must say about it. */
void transport_open(struct media *media, struct media_leg *leg, struct media_opened *opened,
                    int64_t now_us);
void transport_set(struct media *media, struct media_leg *leg,
                   const struct media_transport_settings *settings, int64_t now_us);
void transport_restart(struct media_leg *leg, const struct media_restart *restart, int64_t now_us);
void transport_audio(struct media_leg *leg, int64_t now_us);
void transport_tick(struct media *media, struct media_leg *leg, int64_t now_us);
int64_t transport_deadline(const struct media *media, const struct media_leg *leg);
void transport_close(struct media *media, struct media_leg *leg, int64_t now_us);
/* Sends one RTP packet; `timestamp_rtp` stands for its first sample. */
void transport_send(struct media *media, struct media_leg *leg, uint8_t payload_type, bool marker,
                    uint32_t timestamp_rtp, const uint8_t *payload, size_t len, int64_t now_us);
/* RTP time of a moment on a stream to this leg.  Sound, pictures and the reports about both go by one
 * clock, so that who receives them can put them together again. */
uint32_t transport_rtp_at(const struct media_leg *leg, uint32_t clock_hz, int64_t us);
/* A stream begins: who receives it needs reports to put it together with the others. */
void transport_report_soon(struct media *media, struct media_leg *leg, int64_t now_us);
/* A sign of life. */
void transport_heard(struct media_leg *leg, int64_t now_us);
void transport_stats(struct media_leg *leg, struct media_stats *stats, int64_t now_us);

/* media_rtcp.c */
void transport_input_rtcp(struct media *media, struct media_leg *leg, const struct net_addr *from,
                          uint8_t *bytes, size_t len, int64_t now_us);
void transport_report(struct media *media, struct media_leg *leg, int64_t now_us);
void transport_bye(struct media *media, struct media_leg *leg, int64_t now_us);
/* The beginning of a compound packet that carries feedback, in the machine's scratch. */
struct writer transport_rtcp_begin(struct media *media, struct media_leg *leg);
void transport_rtcp_send(struct media *media, struct media_leg *leg, struct writer *w);
/* The leg has pictures: reports come more often. */
void transport_video(struct media_leg *leg, uint32_t random, int64_t now_us);
/* Transport-wide feedback that is due. */
void transport_feedback(struct media *media, struct media_leg *leg, int64_t now_us);

/* media_path.c */
struct media_leg *path_leg_by_source(const struct media *media, const struct net_addr *from);
struct media_leg *path_leg_by_username(const struct media *media, struct str username);
void path_make_credentials(struct media *media, struct media_leg *leg,
                           struct media_opened *opened);
/* The first secured or allowed way to the peer stands: told once. */
void path_connected(struct media *media, struct media_leg *leg);
void path_input_stun(struct media *media, struct media_leg *leg, unsigned socket,
                     const struct net_addr *from, const uint8_t *bytes, size_t len,
                     int64_t now_us);
void path_drain_ice(struct media *media, struct media_leg *leg, unsigned socket, int64_t now_us);
void path_start_dtls(struct media *media, struct media_leg *leg,
                     const struct media_transport_settings *settings, int64_t now_us);
void path_input_dtls(struct media *media, struct media_leg *leg, const struct net_addr *from,
                     const uint8_t *bytes, size_t len, int64_t now_us);
void path_drain_dtls(struct media *media, struct media_leg *leg, int64_t now_us);
void path_drop_dtls(struct media_leg *leg);
[[nodiscard]] bool path_make_srtp(struct media_leg *leg, enum srtp_suite suite_tx,
                                  const uint8_t *key_tx, const uint8_t *salt_tx,
                                  enum srtp_suite suite_rx, const uint8_t *key_rx,
                                  const uint8_t *salt_rx);
void path_drop_srtp(struct media_leg *leg);
void path_close(struct media *media, struct media_leg *leg, int64_t now_us);

/* media_room.c */
void room_tick(struct media *media, struct media_room *room, int64_t now_us);
void alone_tick(struct media *media, struct media_leg *leg, int64_t now_us);
void room_rest(struct media *media, struct media_room *room);
void sound_audio(struct media *media, struct media_leg *leg);
void sound_play(struct media *media, struct media_leg *leg, const struct media_play *play);
void sound_close(struct media *media, struct media_leg *leg);
enum audio_codec sound_codec(uint8_t codec);
uint32_t sound_clock_hz(uint8_t codec);

/* media_video.c */
[[nodiscard]] int video_create(struct media *media);
void video_destroy(struct media *media);
void video_order(struct media *media, struct media_leg *leg, const struct media_order *order,
                 int64_t now_us);
void video_canvas(struct media *media, const struct media_canvas *order);
/* leg->flags changed from `before`. */
void video_flags(struct media *media, struct media_leg *leg, const struct media_leg_flags *before);
void video_close(struct media *media, struct media_leg *leg);
/* True when the packet is camera control's. */
[[nodiscard]] bool video_data_input(struct media *media, struct media_leg *leg,
                                    const struct rtp_packet *packet);
/* A packet of sound went out on a leg with pictures. */
void video_sound_sent(struct media_leg *leg, size_t len, int64_t now_us);
void video_connected(struct media *media, struct media_leg *leg);
void video_stats(struct media *media, struct media_leg *leg, int64_t now_us);
void video_tick(struct media *media, struct media_leg *leg, int64_t now_us);
[[nodiscard]] int64_t video_deadline(const struct media_leg *leg, int64_t now_us);
/* When media_flush() has something to do, or INT64_MAX. */
[[nodiscard]] int64_t video_flush_deadline(const struct media *media);

/* media_sync.c */
/* A leg is opened. */
void sync_open(const struct media *media, struct media_leg *leg);
/* Before a frame of a leg's sound is pulled. */
void sync_sound(struct media_leg *leg, int64_t now_us);
/* A sender report of a stream. */
void sync_report(struct sender_clock *clock, const struct rtcp_sender_info *info);

/* media_video_rx.c */
/* True when the packet is about pictures, and was taken or dropped. */
[[nodiscard]] bool video_input(struct media *media, struct media_leg *leg,
                               const struct rtp_packet *packet, size_t wire_len, int64_t now_us);
/* Whether a retransmission has this payload type. */
[[nodiscard]] bool video_is_rtx(const struct media_leg *leg, uint8_t payload_type);

#endif
